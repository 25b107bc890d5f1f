"""Claims about hours: shares add up, differ only as far as days really differ, and tell of nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.workload.hours import POOLS, HourProfile, hour_profile
from tests.models.service_quality.workload.desk import DAYTIME, drawn_cases, drawn_counts


def profile_of(cases: pd.DataFrame, counts: pd.Series, min_cell: int = 1) -> HourProfile:
    return hour_profile(cases, pd.DatetimeIndex(counts.index), min_cell=min_cell)


def test_shares_add_up_and_alike_weekdays_share_them() -> None:
    counts = drawn_counts(364, mean=40, seed=1)
    found = profile_of(drawn_cases(counts, seed=1), counts)
    assert found.shares.sum(axis=1).tolist() == pytest.approx([1.0] * 7)
    assert found.own_weight < 0.5
    assert found.shares.to_numpy() == pytest.approx(np.tile(DAYTIME / DAYTIME.sum(), (7, 1)), abs=0.01)
    assert found.dispersion == pytest.approx(1.0, abs=0.05)
    assert found.overdispersion < 0.02


def test_weekdays_that_differ_keep_their_own_hours() -> None:
    counts = drawn_counts(364, mean=40, seed=2)
    cases = drawn_cases(counts, seed=2)
    on_sunday = cases["opened_at"].dt.day_of_week == 6
    cases["opened_at"] = cases["opened_at"].mask(on_sunday, cases["opened_at"].dt.normalize() + pd.Timedelta(hours=20))
    found = profile_of(cases, counts)
    assert found.own_weight > 0.9
    assert found.shares.loc[6, 20] > 0.9
    assert found.shares.loc[2, 20] < 0.1


def test_hours_without_a_case_stay_without() -> None:
    counts = drawn_counts(364, mean=40, seed=3)
    assert (profile_of(drawn_cases(counts, seed=3), counts).shares[[0, 3, 22]] == 0).all(axis=None)


def test_uneven_hours_are_seen_and_uneven_days_are_none() -> None:
    counts = drawn_counts(364, mean=100, seed=4)
    uneven_days = drawn_counts(364, mean=100, seed=4, spread=0.5)
    assert profile_of(drawn_cases(uneven_days, seed=4), uneven_days).dispersion == pytest.approx(1.0, abs=0.05)
    rng = np.random.default_rng(4)
    cases = drawn_cases(counts, seed=4)
    kept = rng.gamma(2.0, 0.5, (len(counts), 24))  # a rate of its own for each hour, of variance 0.5
    place = (cases["opened_at"].dt.normalize() - counts.index[0]).dt.days
    chance = np.minimum(kept[place, cases["opened_at"].dt.hour] / 4, 1)
    found = profile_of(cases[rng.random(len(cases)) < chance], counts)
    assert found.dispersion > 1.5
    assert found.overdispersion == pytest.approx(0.5, abs=0.15)


def test_hours_of_too_few_customers_are_pooled() -> None:
    counts = drawn_counts(364, mean=20, seed=5)
    cases = drawn_cases(counts, seed=5)
    cells = cases.groupby([cases["opened_at"].dt.day_of_week, cases["opened_at"].dt.hour])["customer_id"].nunique()
    assert profile_of(cases, counts, min_cell=int(cells.min())).pool == POOLS[0]
    pooled = profile_of(cases, counts, min_cell=int(cells.min()) + 1)
    assert pooled.pool in POOLS[1:]
    assert not pooled.hidden_hours.any()
    hidden = profile_of(cases, counts, min_cell=100)
    assert hidden.pool == POOLS[2]
    by_hour = cases.groupby(cases["opened_at"].dt.hour)["customer_id"].nunique()
    assert hidden.hidden_hours[by_hour[by_hour < 100].index].all()


def test_one_case_is_a_profile() -> None:
    cases = pd.DataFrame({"customer_id": ["a"], "opened_at": pd.to_datetime(["2023-01-04 10:30"])})
    found = hour_profile(cases, pd.date_range("2023-01-02", periods=14))
    assert (found.shares[10] == 1).all()
    assert (found.own_weight, found.pool) == (0.0, POOLS[0])
