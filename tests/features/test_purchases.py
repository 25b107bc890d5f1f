"""Claims about what is known of a customer's purchases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.purchases import (
    FEATURES,
    forecasting_features,
    purchase_features,
    purchase_panel,
    purchases_ahead,
    repeat_panel,
    repeat_purchases,
)
from crm_analysis.tables.datasets import Dataset, open_dataset
from tests.features.random_purchases import many_purchases

Write = Callable[..., str]
ROOT = Path(__file__).parent.parent.parent
AS_OF = date(2024, 3, 31)


def test_features_agree_with_the_pencil(shop: Dataset) -> None:
    features = purchase_features(shop.known(AS_OF), history_days=365, horizon_days=40)
    expected = pd.DataFrame(
        {
            "recency_days": [50, 71, 0],
            "frequency": [2, 1, 2],
            "spend": [31.0, 7.5, 32.5],
            "monetary_value": [15.5, 7.5, 16.25],
            "tenure_days": [86, 71, 30],
            "observed_days": [87, 72, 31],
            "inter_purchase_days": [36.0, 72.0, 30.0],
            "recent_spend": [0.0, 0.0, 32.5],
            "recent_frequency": [0, 0, 2],
        },
        index=pd.Index(["ann", "bob", "cid"], name="customer_id"),
    )
    pd.testing.assert_frame_equal(features, expected, check_dtype=False, check_index_type=False)


def test_the_history_holds_its_number_of_days_the_last_included(shop: Dataset) -> None:
    assert list(purchase_features(shop.known(AS_OF), history_days=51).index) == ["ann", "cid"]
    assert list(purchase_features(shop.known(AS_OF), history_days=50).index) == ["cid"]


def test_a_return_counts_on_its_own_day_and_is_no_purchase(shop: Dataset) -> None:
    features = purchase_features(shop.known(AS_OF), history_days=365, horizon_days=49)
    assert features.loc["ann", ["recent_spend", "recent_frequency", "spend"]].tolist() == [-4.0, 0.0, 31.0]


def test_nothing_after_as_of_leaks(write_dataset: Write) -> None:
    past = many_purchases()
    future = past.assign(occurred_at="2024-12-01", amount=1e6)
    day = date(2024, 7, 1)
    known = past[past["occurred_at"] <= "2024-07-01"]
    assert len(known) < len(past)
    alone = purchase_features(open_dataset(write_dataset("alone", transactions=known)).known(day), history_days=365)
    both = open_dataset(write_dataset("both", transactions=pd.concat([past, future]))).known(day)
    pd.testing.assert_frame_equal(purchase_features(both, history_days=365), alone)


def test_order_of_rows_and_names_of_customers_change_nothing(write_dataset: Write) -> None:
    lines = many_purchases()
    shuffled = lines.sample(frac=1, random_state=1).assign(customer_id=lambda rows: "c" + rows["customer_id"])
    day = date(2024, 7, 1)
    first = purchase_features(open_dataset(write_dataset("a", transactions=lines)).known(day), history_days=365)
    second = purchase_features(open_dataset(write_dataset("b", transactions=shuffled)).known(day), history_days=365)
    assert list(second.index) == [f"c{name}" for name in first.index]
    np.testing.assert_array_equal(first.to_numpy(), second.to_numpy())


def test_another_currency_changes_money_by_its_factor_only(write_dataset: Write) -> None:
    lines, day = many_purchases(), date(2024, 7, 1)
    rich = lines.assign(amount=(lines["amount"] * 100).round(0))
    first = purchase_features(open_dataset(write_dataset("a", transactions=lines)).known(day), history_days=365)
    second = purchase_features(open_dataset(write_dataset("b", transactions=rich)).known(day), history_days=365)
    money = ["spend", "monetary_value", "recent_spend"]
    pd.testing.assert_frame_equal(first[money] * 100, second[money])
    pd.testing.assert_frame_equal(first.drop(columns=money), second.drop(columns=money))


def test_the_horizon_begins_the_day_after_its_origin(shop: Dataset) -> None:
    ahead = purchases_ahead(shop.known(AS_OF), after=date(2024, 2, 10), horizon_days=20)
    assert ahead.to_dict("index") == {
        "ann": {"spend_ahead": -4.0, "transactions_ahead": 0},
        "cid": {"spend_ahead": 30.0, "transactions_ahead": 1},
    }


def test_a_horizon_beyond_what_is_known_is_refused(shop: Dataset) -> None:
    with pytest.raises(ValueError, match="the horizon ends on 2024-04-01"):
        purchases_ahead(shop.known(AS_OF), after=date(2024, 3, 1), horizon_days=31)


PERIODS = [(date(2024, 2, 1), 30), (date(2024, 1, 6), 30), (date(2024, 2, 1), 59)]


def test_the_panel_joins_what_was_known_with_what_came(shop: Dataset) -> None:
    panel = purchase_panel(shop, periods=PERIODS, history_days=365, recent_days=20)
    assert list(panel.columns) == [
        *("origin", "days_ahead", "customer_id", *FEATURES, "repeat_purchases", "spend_ahead", "transactions_ahead")
    ]
    columns = ["origin", "days_ahead", "customer_id", "recent_frequency", "spend_ahead", "transactions_ahead"]
    assert panel[columns].to_numpy().tolist() == [
        [pd.Timestamp("2024-01-06"), 30, "ann", 1, 0.0, 0],
        [pd.Timestamp("2024-02-01"), 30, "ann", 0, 16.0, 1],
        [pd.Timestamp("2024-02-01"), 30, "bob", 1, 0.0, 0],  # cid is no customer yet
        [pd.Timestamp("2024-02-01"), 59, "ann", 0, 16.0, 1],
        [pd.Timestamp("2024-02-01"), 59, "bob", 1, 0.0, 0],
    ]
    assert panel["origin"].dtype == "datetime64[us]"
    assert (panel["transactions_ahead"].dtype, panel["repeat_purchases"].dtype) == ("int64", "int64")


def test_each_period_of_the_panel_is_what_its_own_would_be(shop: Dataset) -> None:
    together = purchase_panel(shop, periods=PERIODS, history_days=365, recent_days=20)
    alone = [purchase_panel(shop, periods=[one], history_days=365, recent_days=20) for one in sorted(PERIODS)]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))


def test_repeat_purchases_of_forecasts_reach_back_before_the_history(shop: Dataset) -> None:
    features = forecasting_features(shop.known(AS_OF), history_days=51, recent_days=30)
    # ann bought on one day within the history, and on another before it
    assert features.loc["ann", ["frequency", "repeat_purchases", "tenure_days"]].tolist() == [1, 1, 86]
    assert features.loc["cid", ["frequency", "repeat_purchases", "recent_frequency"]].tolist() == [2, 1, 1]
    assert set(features["origin"]) == {pd.Timestamp(AS_OF)}


def test_the_repeat_panel_has_everybody_who_ever_bought_and_each_origin_once(shop: Dataset) -> None:
    days = [AS_OF, date(2024, 2, 10), AS_OF]
    repeats = repeat_panel(shop, origins=days)
    assert repeats[["origin", "customer_id", "frequency", "recency", "T", "monetary_value"]].to_numpy().tolist() == [
        [pd.Timestamp("2024-02-10"), "ann", 1, 36, 36, 20.0],
        [pd.Timestamp("2024-02-10"), "bob", 0, 0, 21, 0.0],
        [pd.Timestamp("2024-03-31"), "ann", 1, 36, 86, 20.0],
        [pd.Timestamp("2024-03-31"), "bob", 0, 0, 71, 0.0],
        [pd.Timestamp("2024-03-31"), "cid", 1, 30, 30, 2.5],
    ]
    for day in set(days):
        alone = repeat_purchases(shop.known(day)).reset_index()
        rows = repeats[repeats["origin"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows.drop(columns="origin"), alone)


def test_nothing_after_a_period_reaches_its_rows_of_the_panel(write_dataset: Write) -> None:
    past = many_purchases()
    day = date(2024, 5, 1)
    later = past.assign(amount=past["amount"].where(past["occurred_at"] <= "2024-05-31", -1e6))
    both = [open_dataset(write_dataset(name, transactions=lines)) for name, lines in (("a", past), ("b", later))]
    panels = [purchase_panel(one, periods=[(day, 30), (day, 31)], history_days=90, recent_days=30) for one in both]
    until = [panel[panel["days_ahead"] == 30] for panel in panels]
    pd.testing.assert_frame_equal(*until)
    features = [panel.drop(columns=["spend_ahead", "transactions_ahead"]) for panel in panels]
    pd.testing.assert_frame_equal(*features)
    assert not panels[0].equals(panels[1])  # the day after them does reach those of a day more
    pd.testing.assert_frame_equal(*[repeat_panel(one, origins=[day, date(2024, 5, 31)]) for one in both])


def test_no_purchase_in_the_history_is_told(write_dataset: Write) -> None:
    lines = pd.DataFrame({"customer_id": ["ann"] * 2, "occurred_at": ["2024-01-01", "2024-06-01"], "amount": [5, -5]})
    known = open_dataset(write_dataset(transactions=lines)).known(date(2024, 6, 1))
    with pytest.raises(TooFewRecordsError, match="No customer bought within the 30 days up to 2024-06-01"):
        purchase_features(known, history_days=30)


def repeats_by_hand(lines: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Do in pandas what the models' convention asks for: days with a purchase, the first left out."""
    lines = lines.assign(day=pd.to_datetime(lines["occurred_at"]).dt.normalize())
    lines = lines[lines["day"] <= pd.Timestamp(as_of)]
    days = lines.groupby(["customer_id", "day"])["amount"].agg(["sum", "max"]).reset_index()
    days = days[days["max"] > 0]
    first = days.groupby("customer_id")["day"].transform("min")
    purchases = days.groupby("customer_id")["day"].agg(["min", "max", "count"])
    return pd.DataFrame(
        {
            "frequency": purchases["count"] - 1,
            "recency": (purchases["max"] - purchases["min"]).dt.days,
            "T": (pd.Timestamp(as_of) - purchases["min"]).dt.days,
            "monetary_value": days[days["day"] > first].groupby("customer_id")["sum"].mean(),
        }
    ).fillna({"monetary_value": 0.0})


def test_repeat_purchases_agree_with_the_pencil(shop: Dataset) -> None:
    # ann's two lines of the fifth are her first purchase day; her return of 12 February belongs to no purchase day.
    assert repeat_purchases(shop.known(AS_OF)).reset_index().to_numpy().tolist() == [
        ["ann", 1, 36, 86, 20.0],
        ["bob", 0, 0, 71, 0.0],
        ["cid", 1, 30, 30, 2.5],
    ]


def test_repeat_purchases_agree_with_pandas_over_a_leap_day_and_with_returns(write_dataset: Write) -> None:
    lines, day = many_purchases(3), date(2024, 7, 1)
    assert (lines["amount"] < 0).any()
    assert (lines["occurred_at"] == "2024-02-29").any()
    names = {name: f"клиент {name}" for name in lines["customer_id"]}
    shuffled = lines.sample(frac=1, random_state=2).assign(customer_id=lines["customer_id"].map(names))
    repeats = repeat_purchases(open_dataset(write_dataset(transactions=shuffled)).known(day))
    by_hand = repeats_by_hand(lines, day)
    assert list(repeats.index) == [names[name] for name in by_hand.index]
    pd.testing.assert_frame_equal(repeats.reset_index(drop=True), by_hand.reset_index(drop=True), check_dtype=False)


def test_a_return_on_a_purchase_day_lowers_its_spend_and_others_are_left_out(write_dataset: Write) -> None:
    days = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]
    lines = pd.DataFrame({"customer_id": "ann", "occurred_at": days, "amount": [5.0, 9.0, -2.0, -4.0]})
    repeats = repeat_purchases(open_dataset(write_dataset(transactions=lines)).known(date(2024, 1, 3)))
    assert repeats.loc["ann"].tolist() == [1, 1, 2, 7.0]


def test_who_only_returned_has_no_repeat_purchases(write_dataset: Write) -> None:
    lines = pd.DataFrame({"customer_id": ["ann"], "occurred_at": ["2024-01-01"], "amount": [-5.0]})
    with pytest.raises(TooFewRecordsError, match="No customer has bought anything by 2024-01-01"):
        repeat_purchases(open_dataset(write_dataset(transactions=lines)).known(date(2024, 1, 1)))


def test_repeat_purchases_of_the_cd_shop_are_the_published_ones() -> None:
    repeats = repeat_purchases(open_dataset(str(ROOT / "params/datasets/cdnow_sample.yaml")).known(date(1997, 9, 30)))
    buyers = repeats[repeats["frequency"] > 0]
    assert len(buyers) == 946  # Fader, Hardie 2013: the customers with a repeat purchase in the first 39 weeks,
    assert buyers["monetary_value"].mean() == pytest.approx(35.08, abs=0.005)  # and the mean of their mean spend
    assert len(repeats) == 2357 - 8  # eight of the 2,357 only ever got a free line, which is no purchase
