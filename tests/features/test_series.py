"""Claims about what the business took by week and by month, and from whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.series import MEASURES, business_series, revenue_by_acquaintance
from crm_analysis.tables.datasets import Dataset, open_dataset
from tests.features.random_purchases import many_purchases

Write = Callable[..., str]
AS_OF = date(2024, 3, 31)


def test_months_agree_with_the_pencil(shop: Dataset) -> None:
    # The data begin on 5 January, so that January is not whole; ann bought on one day of February and returned on another.
    series = business_series(shop.known(AS_OF), period="month")
    assert series.table.reset_index().to_numpy().tolist() == [
        [pd.Timestamp("2024-02-01"), 29, 16.0, 1, 1],
        [pd.Timestamp("2024-03-01"), 31, 32.5, 2, 1],
    ]
    assert (series.days_before, series.days_after) == (27, 0)


def test_weeks_end_on_the_day_known_and_agree_with_the_pencil(shop: Dataset) -> None:
    # From 5 January to 31 March there are 87 days: 12 weeks and 3 days.
    series = business_series(shop.known(AS_OF))
    table = series.table
    assert (len(table), series.days_before, series.days_after) == (12, 3, 0)
    assert table.index[0] == pd.Timestamp("2024-01-08")
    assert table.index[-1] == pd.Timestamp("2024-03-25")
    with_customers = table[table["revenue"] != 0]
    assert with_customers[list(MEASURES)].to_numpy().tolist() == [
        [7.5, 1, 1],  # bob, 20 January, one minute before midnight
        [20.0, 1, 1],  # ann, 10 February
        [-4.0, 0, 0],  # her return, two days later and a week further
        [30.0, 1, 1],  # cid, at the midnight that begins 1 March
        [2.5, 1, 1],
    ]


def test_periods_without_a_purchase_are_zero_and_not_missing(write_dataset: Write) -> None:
    lines = pd.DataFrame(
        {"customer_id": ["ann", "ann"], "occurred_at": ["2023-12-01", "2024-06-30"], "amount": [5.0, 7.0]}
    )
    known = open_dataset(write_dataset(transactions=lines)).known(date(2024, 6, 30))
    months = business_series(known, period="month").table
    assert months["revenue"].tolist() == [5, 0, 0, 0, 0, 0, 7]
    assert months["days"].tolist() == [31, 31, 29, 31, 30, 31, 30]
    assert business_series(known).table["orders"].sum() == 1  # 1 December lies in a week that is not whole


def test_an_unfinished_month_is_left_out_and_counted(shop: Dataset) -> None:
    series = business_series(shop.known(date(2024, 3, 30)), period="month")
    assert list(series.table.index) == [pd.Timestamp("2024-02-01")]
    assert series.days_after == 30


def test_no_whole_period_is_told(shop: Dataset) -> None:
    with pytest.raises(TooFewRecordsError, match="From 2024-01-05 to 2024-01-10 no week is whole"):
        business_series(shop.known(date(2024, 1, 10)))


def test_an_unknown_period_is_a_mistake(shop: Dataset) -> None:
    with pytest.raises(ValueError, match="'week' or 'month', got 'year'"):
        business_series(shop.known(AS_OF), period="year")  # type: ignore[arg-type]


def test_weeks_agree_with_pandas_over_a_leap_day(write_dataset: Write) -> None:
    lines, day = many_purchases(), date(2024, 7, 1)
    table = business_series(open_dataset(write_dataset(transactions=lines)).known(day)).table
    days = pd.to_datetime(lines["occurred_at"])
    known = lines[days <= pd.Timestamp(day)].assign(
        day=days, week=lambda rows: (pd.Timestamp(day) - pd.to_datetime(rows["occurred_at"])).dt.days // 7
    )
    by_day = known.groupby(["week", "customer_id", "day"])["amount"].agg(["sum", "max"]).reset_index()
    bought = by_day[by_day["max"] > 0]
    weeks = range(len(table) - 1, -1, -1)
    revenue = by_day.groupby("week")["sum"].sum().reindex(weeks).round(2)
    np.testing.assert_allclose(table["revenue"], revenue)
    assert table["orders"].tolist() == bought.groupby("week").size().reindex(weeks).tolist()
    assert table["active_customers"].tolist() == bought.groupby("week")["customer_id"].nunique().reindex(weeks).tolist()


def test_the_hour_that_daylight_saving_takes_or_gives_moves_no_day(write_dataset: Write) -> None:
    times = ["2024-03-25 12:00", "2024-03-31 00:30", "2024-03-31 21:45", "2024-10-27 00:30", "2024-10-27 22:45"]  # UTC
    lines = pd.DataFrame({"customer_id": ["a", "b", "c", "d", "e"], "occurred_at": times, "amount": 1.0})
    zones = {"timezone": "UTC", "day_timezone": "Europe/Berlin"}
    known = open_dataset(write_dataset(settings=zones, transactions=lines)).known(date(2024, 10, 27))
    table = business_series(known).table
    assert table["orders"].iloc[[0, -1]].tolist() == [3, 2]  # 23:45 on either Sunday is still that Sunday
    assert (table["days"] == 7).all()


def test_nothing_after_as_of_leaks_at_any_origin(write_dataset: Write) -> None:
    past = many_purchases()
    future = past.assign(occurred_at="2024-12-01", amount=1e6)
    both = open_dataset(write_dataset("both", transactions=pd.concat([past, future])))
    for day in (date(2024, 7, 1), date(2024, 5, 6), date(2024, 3, 1)):
        alone = open_dataset(write_dataset("alone", transactions=past[past["occurred_at"] <= day.isoformat()]))
        pd.testing.assert_frame_equal(business_series(both.known(day)).table, business_series(alone.known(day)).table)


def test_order_names_and_currency_change_nothing_but_the_factor(write_dataset: Write) -> None:
    lines, day = many_purchases(), date(2024, 7, 1)
    other = lines.sample(frac=1, random_state=1).assign(
        customer_id=lambda rows: "顧客" + rows["customer_id"], amount=lambda rows: (rows["amount"] * 100).round(0)
    )
    first = business_series(open_dataset(write_dataset("a", transactions=lines)).known(day)).table
    second = business_series(open_dataset(write_dataset("b", transactions=other)).known(day)).table
    pd.testing.assert_frame_equal(first.assign(revenue=first["revenue"] * 100), second)


def test_revenue_is_parted_by_acquaintance(shop: Dataset) -> None:
    parted = revenue_by_acquaintance(shop, origins=[date(2024, 2, 1), date(2024, 1, 10)], horizon_days=30)
    assert list(parted.index) == [pd.Timestamp("2024-01-10"), pd.Timestamp("2024-02-01")]
    # Until 9 February bob is new; until 2 March ann is known, and cid new.
    assert parted["new_revenue"].tolist() == [7.5, 30.0]
    assert parted["known_revenue"].tolist() == [0.0, 16.0]
    assert parted["new_customers"].tolist() == [1, 1]
    assert parted["days_seen"].tolist() == [6, 28]
    assert set(parted["horizon_days"]) == {30}


def test_who_was_silent_for_the_history_is_returning(shop: Dataset) -> None:
    row = revenue_by_acquaintance(shop, origins=[date(2024, 2, 9)], horizon_days=22, history_days=30).iloc[0]
    assert (row["known_revenue"], row["returning_revenue"], row["new_revenue"]) == (0.0, 16.0, 30.0)
    assert row["total_revenue"] == 46.0


def test_the_parts_add_up_and_nothing_after_the_horizon_leaks(write_dataset: Write) -> None:
    past = many_purchases(2)
    future = past.assign(occurred_at="2024-12-01", amount=1e6)
    origins = [date(2024, 4, 1) + timedelta(days=20 * number) for number in range(3)]
    parts = [
        revenue_by_acquaintance(open_dataset(name), origins=origins, horizon_days=40, history_days=60)
        for name in (
            write_dataset("alone", transactions=past),
            write_dataset("both", transactions=pd.concat([past, future])),
        )
    ]
    pd.testing.assert_frame_equal(*parts)
    revenue = parts[0][["known_revenue", "returning_revenue", "new_revenue"]].sum(axis=1)
    np.testing.assert_allclose(revenue, parts[0]["total_revenue"])


def test_acquaintance_needs_origins_and_days(shop: Dataset) -> None:
    with pytest.raises(ValueError, match="at least one day, got none"):
        revenue_by_acquaintance(shop, origins=[], horizon_days=30)
    with pytest.raises(ValueError, match="must be at least 1, got 0 and None"):
        revenue_by_acquaintance(shop, origins=[date(2024, 2, 1)], horizon_days=0)
