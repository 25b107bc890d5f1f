"""Shares and means have intervals that hold, also where cases of one customer are alike."""

import numpy as np
import pytest

from crm_analysis.models.service_quality.measures.intervals import (
    clustered_means,
    grouping,
    mean_interval,
    share_interval,
)


def one_group(customers):
    return grouping(np.zeros(len(customers), dtype=np.int64), ("all",), np.asarray(customers))


def test_independent_cases_give_wilsons_interval():
    flags = np.repeat([1.0, 0.0], [300, 700])
    (low,), (high,) = share_interval(clustered_means(flags, one_group(np.arange(1000))))
    assert (low, high) == pytest.approx((0.2724, 0.3291), abs=5e-4)


def test_a_customer_with_many_cases_counts_as_one():
    customers = np.repeat(np.arange(20), 50)
    flags = np.repeat((np.arange(20) < 6).astype(float), 50)
    means = clustered_means(flags, one_group(customers))
    (low,), (high,) = share_interval(means)
    assert means.design_effect[0] == pytest.approx(50 * 20 / 19 * 999 / 1000)
    assert low < 0.16
    assert high > 0.5


def test_intervals_hold_the_truth_as_often_as_they_say():
    held = []
    for seed in range(400):
        draws = np.random.default_rng(seed)
        customers = draws.integers(0, 60, 300)
        shares = draws.beta(2, 3, 60)
        flags = (draws.random(300) < shares[customers]).astype(float)
        (low,), (high,) = share_interval(clustered_means(flags, one_group(customers)))
        held.append(low <= 0.4 <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_all_alike_is_no_certainty():
    (low,), (high,) = share_interval(clustered_means(np.ones(40), one_group(np.repeat(np.arange(4), 10))))
    assert high == 1
    assert low < 0.4
    (low,), (high,) = share_interval(clustered_means(np.ones(5), one_group(np.zeros(5, dtype=int))))
    assert low < 0.02


def test_groups_are_kept_apart_and_missing_values_out():
    groups = grouping(np.array([0, 0, 1, -1]), ("a", "b", "c"), np.array([0, 1, 0, 0]))
    means = clustered_means(np.array([1.0, np.nan, 3.0, 9.0]), groups)
    assert means.mean[:2].tolist() == [1.0, 3.0]
    assert np.isnan(means.mean[2])
    assert means.n_cases.tolist() == [1, 1, 0]
    assert groups.customers(np.ones(4, dtype=bool)).tolist() == [2, 1, 0]
    assert groups.cases(np.ones(4, dtype=bool)).tolist() == [2, 1, 0]


def test_means_stay_within_their_bounds():
    means = clustered_means(np.array([0.0, 0.0, 3.0]), one_group([0, 1, 2]))
    (low,), (high,) = mean_interval(means, bounds=(0.0, np.inf))
    assert low == 0
    assert high > 3
