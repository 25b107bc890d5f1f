"""Times until something happens are estimated as lifelines does, and by pencil; what cannot be is said."""

import math
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.service_quality.measures.survival import log_rank_test, survival_curve


@contextmanager
def old_calls():
    """Let lifelines call pandas in ways that pandas 4 will not take, and warn of its own: it is the reference here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines' own: nothing of ours runs in here
        yield


with old_calls():
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test, multivariate_logrank_test
    from lifelines.utils import median_survival_times, restricted_mean_survival_time


def times(seed=0, n=800, *, ties=False):
    draws = np.random.default_rng(seed)
    hours, seen = draws.lognormal(3, 1, n), draws.uniform(1, 150, n)
    ended = hours <= seen
    observed = np.minimum(hours, seen)
    return (np.ceil(observed) if ties else observed), ended


def by_lifelines(hours, ended):
    with old_calls():
        return KaplanMeierFitter().fit(hours, ended)


@pytest.mark.parametrize("ties", [False, True])
def test_curve_and_intervals_are_those_of_lifelines(ties):
    hours, ended = times(ties=ties)
    theirs, ours = by_lifelines(hours, ended), survival_curve(hours, ended)
    at = theirs.survival_function_.index.to_numpy()
    share, low, high = ours.at(at)
    np.testing.assert_allclose(share, theirs.survival_function_.iloc[:, 0], atol=1e-6, rtol=0)
    bounds = theirs.confidence_interval_.to_numpy()
    known = share > 0
    np.testing.assert_allclose(np.column_stack([low, high])[known], bounds[known], atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_median_and_its_interval_are_those_of_lifelines(seed):
    hours, ended = times(seed)
    theirs = by_lifelines(hours, ended)
    with old_calls():
        low, high = median_survival_times(theirs.confidence_interval_).to_numpy()[0]
    assert survival_curve(hours, ended).quantile(0.5) == pytest.approx(
        (theirs.median_survival_time_, low, high), abs=1e-6
    )
    with old_calls():
        upper = theirs.percentile(0.25)
    assert survival_curve(hours, ended).quantile(0.75)[0] == pytest.approx(upper, abs=1e-6)


@pytest.mark.parametrize("limit", [10.0, 48.0, 100.0])
def test_restricted_mean_is_that_of_lifelines(limit):
    hours, ended = times(3, ties=limit == 48.0)
    theirs = by_lifelines(hours, ended)
    with old_calls():
        mean = restricted_mean_survival_time(theirs, t=limit)
    assert survival_curve(hours, ended).restricted_mean(limit)[0] == pytest.approx(mean, abs=1e-6)


def test_restricted_mean_has_the_standard_error_of_a_plain_mean_without_censoring():
    hours = np.random.default_rng(1).exponential(10, 400)
    mean, error = survival_curve(hours, np.ones(400, dtype=bool)).restricted_mean(1000.0)
    assert mean == pytest.approx(hours.mean())
    assert error == pytest.approx(hours.std() / math.sqrt(400), rel=1e-9)


@pytest.mark.parametrize("ties", [False, True])
def test_log_rank_is_that_of_lifelines(ties):
    hours, ended = times(5, ties=ties)
    groups = np.random.default_rng(2).integers(0, 3, len(hours))
    hours = hours * (1 + 0.2 * groups)
    with old_calls():
        theirs = multivariate_logrank_test(hours, groups, ended)
    ours = log_rank_test(hours, ended, groups)
    assert (ours.statistic, ours.p_value) == pytest.approx((theirs.test_statistic, theirs.p_value), abs=1e-6)
    two = groups < 2
    with old_calls():
        pair = logrank_test(hours[groups == 0], hours[groups == 1], ended[groups == 0], ended[groups == 1])
    assert log_rank_test(hours[two], ended[two], groups[two]).p_value == pytest.approx(pair.p_value, abs=1e-6)


def test_curve_by_pencil():
    curve = survival_curve([2, 3, 3, 5, 8], [True, True, False, False, True])
    assert curve.hours.tolist() == [2, 3, 8]
    assert curve.survival.tolist() == pytest.approx([4 / 5, 4 / 5 * 3 / 4, 0])
    assert curve.quantile(0.5)[0] == 8
    assert curve.restricted_mean(8.0)[0] == pytest.approx(2 + 0.8 + 5 * 0.6)
    assert (curve.n_cases, curve.n_events) == (5, 3)


def test_open_cases_make_times_longer_than_a_mean_over_closed_ones():
    hours, ended = times(4)
    assert survival_curve(hours, ended).quantile(0.5)[0] > np.median(hours[ended])


def test_order_of_rows_does_not_matter():
    hours, ended = times(6, ties=True)
    shuffled = np.random.default_rng(0).permutation(len(hours))
    one, other = survival_curve(hours, ended), survival_curve(hours[shuffled], ended[shuffled])
    np.testing.assert_array_equal(one.survival, other.survival)
    np.testing.assert_array_equal(one.high, other.high)


def test_all_closed_at_once_is_a_step():
    curve = survival_curve([0.0, 0.0], [True, True])
    assert curve.survival.tolist() == [0.0]
    assert curve.quantile(0.5) == (0.0, 0.0, 0.0)
    assert curve.restricted_mean(5.0) == (0.0, 0.0)


def test_nothing_has_happened_yet():
    curve = survival_curve([3.0, 5.0], [False, False])
    assert curve.quantile(0.5) == (math.inf, math.inf, math.inf)
    assert [float(values[0]) for values in curve.at(4.0)] == [1.0, 1.0, 1.0]
    assert np.isnan(curve.at(6.0)[0]).all()
    assert np.isnan(curve.restricted_mean(6.0)).all()


def test_one_case():
    curve = survival_curve([4.0], [True])
    assert curve.quantile(0.5)[0] == 4.0
    assert log_rank_test([4.0], [True], ["a"]).p_value == 1.0


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_times_that_cannot_be_are_refused(wrong):
    with pytest.raises(
        DataQualityError, match="1 of 3 times from the opening of a case are missing, infinite or negative"
    ):
        survival_curve([1.0, 2.0, wrong], [True, False, True])


def test_no_case_is_refused():
    with pytest.raises(TooFewRecordsError, match="no case whose time"):
        survival_curve([], [])


def test_wrong_calls():
    curve = survival_curve([1.0], [True])
    with pytest.raises(ValueError, match="share must lie between 0 and 1, got 1"):
        curve.quantile(1)
    with pytest.raises(ValueError, match="limit_hours must be positive"):
        curve.restricted_mean(0)
    with pytest.raises(ValueError, match="of one length"):
        survival_curve([1.0, 2.0], [True])
    with pytest.raises(ValueError, match="groups must have 1 rows, got 2"):
        log_rank_test([1.0], [True], ["a", "b"])


def test_groups_without_an_event_do_not_break_the_test():
    test = log_rank_test([1.0, 2.0, 0.5, 0.4], [True, True, False, False], ["a", "a", "b", "b"])
    assert 0 <= test.p_value <= 1
