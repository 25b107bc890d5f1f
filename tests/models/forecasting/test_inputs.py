"""Claims about what forecasts are made from: all there, each origin as it was known, and refused where it is not enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.purchases import FEATURES, repeat_purchases
from crm_analysis.models.forecasting import CustomerHistories, customer_histories, forecast_customers
from crm_analysis.models.forecasting.inputs import NEEDED, checked, in_own_order
from crm_analysis.tables.datasets import open_dataset
from tests.models.forecasting.conftest import AS_OF
from tests.models.forecasting.simulated_shop import dataset_of


def test_histories_hold_every_period_of_the_plan_and_the_day_known(
    whole: CustomerHistories, shorter: CustomerHistories
) -> None:
    for histories, horizon in ((whole, 60), (shorter, 150)):
        periods = histories.panel[["origin", "days_ahead"]].drop_duplicates()
        told = {(origin.date(), days) for origin, days in periods.itertuples(index=False)}
        assert told == set(histories.plan.periods)
        assert set(histories.current["origin"]) == {pd.Timestamp(AS_OF)}
        assert set(histories.current["days_ahead"]) == {horizon}
        origins = {origin for origin, _ in histories.plan.periods} | {AS_OF}
        assert {day.date() for day in histories.repeats["origin"].unique()} == origins
        assert list(histories.current) == ["origin", "days_ahead", *FEATURES, "repeat_purchases"]
        checked(histories, min_cell=1)


def test_the_recent_part_is_as_long_as_the_training_periods(shorter: CustomerHistories, lines: pd.DataFrame) -> None:
    bought = lines[(lines["amount"] > 0) & (lines["occurred_at"] <= pd.Timestamp(AS_OF))]
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=shorter.plan.training_days)
    days = bought[bought["occurred_at"] > start].groupby("customer_id")["occurred_at"].nunique()
    recent = days.reindex(shorter.current.index, fill_value=0)
    assert shorter.current["recent_frequency"].tolist() == recent.tolist()


def test_repeats_have_those_too_who_are_not_forecast(tmp_path, lines: pd.DataFrame) -> None:
    dataset = dataset_of(tmp_path, lines)
    histories = customer_histories(dataset, as_of=AS_OF, horizon_days=60, history_days=90, n_origins=2)
    known = histories.repeats[histories.repeats["origin"] == pd.Timestamp(AS_OF)].set_index("customer_id")
    assert len(known) > len(histories.current)
    pd.testing.assert_frame_equal(known.drop(columns="origin"), repeat_purchases(dataset.known(AS_OF)))
    both = known.loc[histories.current.index, "frequency"]
    assert both.tolist() == histories.current["repeat_purchases"].tolist()


@pytest.mark.parametrize("name", ["recency_days", "repeat_purchases", "spend_ahead", "days_ahead", "customer_id"])
def test_a_missing_column_is_named(whole: CustomerHistories, name: str) -> None:
    with pytest.raises(ValueError, match=rf"none named \['{name}'"):
        checked(replace(whole, panel=whole.panel.drop(columns=name)), min_cell=1)


def test_a_missing_column_of_current_customers_is_named(whole: CustomerHistories) -> None:
    with pytest.raises(ValueError, match=r"none named \['recent_spend'\]"):
        checked(replace(whole, current=whole.current.drop(columns="recent_spend")), min_cell=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_missing_and_infinite_values_are_counted_and_named(whole: CustomerHistories, value: float) -> None:
    spoilt = whole.panel.assign(spend=whole.panel["spend"].where(whole.panel.index > 1, value))
    with pytest.raises(DataQualityError, match=r"2 values of the purchase panel are missing .*in \['spend'\]"):
        forecast_customers(replace(whole, panel=spoilt), seed=0)
    current = whole.current.assign(monetary_value=value)
    with pytest.raises(DataQualityError, match=rf"{len(current)} values .*\['monetary_value'\]"):
        checked(replace(whole, current=current), min_cell=1)


def test_nobody_to_forecast_is_told(whole: CustomerHistories) -> None:
    with pytest.raises(TooFewRecordsError, match="There is no customer to forecast"):
        checked(replace(whole, current=whole.current.head(0)), min_cell=1)


def test_too_few_customers_are_named_with_their_origin_unless_they_are_a_small_cell(
    whole: CustomerHistories,
) -> None:
    names = sorted(whole.panel["customer_id"].unique())
    origins = len({origin for origin, _ in whole.plan.periods})
    few = replace(whole, panel=whole.panel[whole.panel["customer_id"].isin(names[:4])])
    with pytest.raises(TooFewRecordsError, match=rf"{origins} of {origins} origins have fewer than 20") as told:
        checked(few, min_cell=1)
    assert "fewer than 5" not in str(told.value)
    with pytest.raises(TooFewRecordsError, match="fewer than 5") as hidden:
        checked(few, min_cell=5)
    assert ": 4" not in str(hidden.value)


def test_an_origin_counts_once_however_many_periods_it_has(shorter: CustomerHistories) -> None:
    origins = {origin for origin, _ in shorter.plan.periods}
    assert len(origins) < len(shorter.plan.periods)
    one = min(shorter.panel["customer_id"])
    with pytest.raises(TooFewRecordsError, match=rf" of {len(origins)} origins have fewer than 20 customers"):
        checked(replace(shorter, panel=shorter.panel[shorter.panel["customer_id"] == one]), min_cell=1)


def test_rows_have_an_order_of_their_own(whole: CustomerHistories) -> None:
    names = {
        name: f"x{number}" for number, name in enumerate(sorted(whole.panel["customer_id"].unique(), reverse=True))
    }
    renamed = whole.panel.assign(customer_id=whole.panel["customer_id"].map(names)).sample(frac=1, random_state=3)
    columns = ["origin", "days_ahead", *NEEDED, "spend_ahead", "transactions_ahead"]
    one, other = in_own_order(whole.panel), in_own_order(renamed)
    pd.testing.assert_frame_equal(one[columns], other[columns])
    assert sorted(one["customer_id"].map(names)) == sorted(other["customer_id"])


def test_a_filter_keeps_its_customers_only(tmp_path, lines: pd.DataFrame) -> None:
    customers = pd.DataFrame({"customer_id": sorted(lines["customer_id"].unique())})
    customers["country"] = np.where(np.arange(len(customers)) % 2 == 0, "FR", "DE")
    folder = tmp_path / "params"
    folder.mkdir()
    lines.to_csv(folder / "transactions.csv", index=False)
    customers.to_csv(folder / "customers.csv", index=False)
    (folder / "two.yaml").write_text(
        "name: two\ncurrency: EUR\npublic: true\ntables:\n"
        "  transactions: {files: transactions.csv}\n  customers: {files: customers.csv}\n"
    )
    days = {"as_of": date(2024, 6, 20), "horizon_days": 60, "history_days": 365, "n_origins": 2}
    some = customer_histories(open_dataset(str(folder / "two.yaml")), where={"country": "FR"}, **days)
    wanted = set(customers.loc[customers["country"] == "FR", "customer_id"])
    for table in (some.panel, some.repeats, some.current.reset_index()):
        assert set(table["customer_id"]) <= wanted
    assert len(some.current) > 20
