"""Claims about what customers are worth by their bad experiences."""

from __future__ import annotations

import pandas as pd
import pytest

from crm_analysis.models.service_quality.money.value import GROUPS, value_by_experience

SPEND = pd.Series({"a": 100.0, "b": 50.0, "c": 30.0, "d": 20.0, "e": 0.0})
N_BAD = pd.Series({"a": 3, "b": 1})
WITH_CASE = pd.Index(["a", "b", "c"])


def test_values_by_pencil() -> None:
    found = value_by_experience(SPEND, n_bad=N_BAD, with_case=WITH_CASE, lifetime_value=pd.Series({"d": 8.0, "a": 5.0}))
    assert list(found.index) == list(GROUPS)
    assert found["customers"].tolist() == [2, 1, 1, 1]
    assert found["spend"].tolist() == [20.0, 30.0, 50.0, 100.0]
    assert found["share_of_spend"].tolist() == [0.1, 0.15, 0.25, 0.5]
    assert found["mean_spend"].tolist() == [10.0, 30.0, 50.0, 100.0]
    assert found["lifetime_value"].tolist() == [4.0, 0.0, 0.0, 5.0]


def test_groups_without_customers_stay_with_zero() -> None:
    found = value_by_experience(SPEND, n_bad=pd.Series(dtype="int64"), with_case=pd.Index([]))
    assert found["customers"].tolist() == [5, 0, 0, 0]
    assert found["mean_spend"].isna().tolist() == [False, True, True, True]


def test_small_groups_are_hidden_with_what_gives_them_away() -> None:
    spend = pd.Series(1.0, index=[f"c{number}" for number in range(40)])
    n_bad = pd.Series({"c0": 1, "c1": 2, "c2": 2, "c3": 2, "c4": 2, "c5": 2, "c6": 2})
    cases = pd.Index([f"c{number}" for number in range(20)])
    found = value_by_experience(spend, n_bad=n_bad, with_case=cases, min_cell=5)
    assert found["customers"].isna().tolist() == [False, False, True, True]
    assert found[["spend", "share_of_spend", "mean_spend"]].iloc[2:].isna().all(axis=None)


def test_order_names_and_currency_change_nothing() -> None:
    one = value_by_experience(SPEND, n_bad=N_BAD, with_case=WITH_CASE)
    name = {customer: f"客 {customer}" for customer in SPEND.index}
    two = value_by_experience(
        SPEND.rename(name).iloc[::-1] * 7,
        n_bad=N_BAD.rename(name).iloc[::-1],
        with_case=pd.Index([name[c] for c in WITH_CASE]),
    )
    assert two["spend"].tolist() == pytest.approx((one["spend"] * 7).tolist())
    pd.testing.assert_frame_equal(one[["customers", "share_of_spend"]], two[["customers", "share_of_spend"]])


def test_a_year_of_returns_has_no_shares() -> None:
    found = value_by_experience(-SPEND, n_bad=N_BAD, with_case=WITH_CASE)
    assert found["share_of_spend"].isna().all()
