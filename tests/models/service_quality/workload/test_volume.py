"""Claims about the forecast of cases a day: chosen on the past, judged once, with ranges that hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import PoissonRegressor

from crm_analysis.models.service_quality.workload.rules import (
    RECENT_LEVEL,
    RULES,
    SAME_WEEKDAY,
    TREND,
    WEEKDAY_MEAN,
    WEEKDAY_SO_FAR,
    YEAR,
    forecast_by,
    poisson_weights,
)
from crm_analysis.models.service_quality.workload.volume import count_range, daily_volume, overdispersion
from tests.models.service_quality.workload.desk import START, drawn_counts


def test_rules_by_pencil() -> None:
    history = pd.Series([*range(7), *range(10, 17)], index=pd.date_range(START, periods=14), dtype=float)
    assert forecast_by(SAME_WEEKDAY, history, 8).tolist() == [10, 11, 12, 13, 14, 15, 16, 10]
    assert forecast_by(WEEKDAY_MEAN, history, 2).tolist() == [5, 6]
    assert forecast_by(WEEKDAY_SO_FAR, history.iloc[2:], 2).tolist() == [10, 11]  # the latest whole week alone
    assert forecast_by(RECENT_LEVEL, history, 7).tolist() == pytest.approx([5, 6, 7, 8, 9, 10, 11])


def test_a_regression_finds_weekdays_and_growth() -> None:
    history = drawn_counts(400, mean=200, seed=2, trend=1.0)
    ahead = forecast_by(TREND, history, 14)
    truth = (
        200 * np.array([1.4, 1.2, 1.1, 1.0, 1.0, 0.7, 0.6])[np.arange(400, 414) % 7] * np.exp(np.arange(400, 414) / 400)
    )
    assert ahead == pytest.approx(truth, rel=0.04)


def test_a_season_is_found_after_two_years_and_not_offered_before() -> None:
    day = np.arange(1100)
    rate = 60 * (1 + 0.5 * np.cos(2 * np.pi * (day - 350) / 365.25))
    counts = pd.Series(np.random.default_rng(5).poisson(rate).astype(float), index=pd.date_range(START, periods=1100))
    found = daily_volume(counts, horizon_days=28)
    assert found.rule == YEAR
    assert YEAR not in daily_volume(counts.iloc[:700], horizon_days=28).trials.index


def test_a_desk_closed_at_weekends_is_forecast_closed() -> None:
    counts = drawn_counts(280, mean=20, seed=3)
    counts[counts.index.day_of_week >= 5] = 0.0
    for rule in (SAME_WEEKDAY, TREND, YEAR, RECENT_LEVEL):
        assert forecast_by(rule, counts, 14)[[5, 6, 12, 13]].tolist() == [0.0] * 4
    ahead = daily_volume(counts, horizon_days=14).ahead
    assert ahead.loc[ahead.index.day_of_week >= 5].to_numpy().max() == 0


@pytest.mark.parametrize("rule", list(RULES))
def test_nothing_so_far_is_nothing_ahead(rule: str) -> None:
    assert forecast_by(rule, pd.Series(0.0, index=pd.date_range(START, periods=750)), 5).tolist() == [0.0] * 5


def test_the_regression_agrees_with_another_implementation() -> None:
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(500), rng.normal(size=(500, 2))])
    y = rng.poisson(np.exp(X @ [1.0, 0.5, -0.3])).astype(float)
    other = PoissonRegressor(alpha=1e-3 / 500, fit_intercept=True, tol=1e-10, max_iter=1000).fit(X[:, 1:], y)
    assert poisson_weights(X, y, n_free=1) == pytest.approx([other.intercept_, *other.coef_], abs=1e-5)


def test_less_than_a_week_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="history must hold a week at least, got 6 days"):
        forecast_by(SAME_WEEKDAY, pd.Series(1.0, index=pd.date_range(START, periods=6)), 1)


def test_the_hold_out_plays_no_part_in_the_choice() -> None:
    counts = drawn_counts(300, mean=30, seed=6)
    other = counts.copy()
    other.iloc[-28:] = 500.0
    one, two = daily_volume(counts, horizon_days=28), daily_volume(other, horizon_days=28)
    pd.testing.assert_frame_equal(one.trials, two.trials)
    columns = ["forecast", "naive", "low_90", "high_90"]
    pd.testing.assert_frame_equal(one.holdout[columns], two.holdout[columns])
    assert two.errors["mae"]["forecast"] > one.errors["mae"]["forecast"]


def test_errors_by_pencil() -> None:
    counts = pd.Series(10.0, index=pd.date_range(START, periods=140, name="day"))
    counts.iloc[-14:] = 13.0
    found = daily_volume(counts, horizon_days=14)
    assert found.errors.loc["forecast"].tolist() == pytest.approx([3, 3, 10 / 13 - 1], abs=0.02)
    assert found.rule == SAME_WEEKDAY  # all were perfect: the simplest
    assert found.total == pytest.approx(14 * 13)


def test_ranges_hold_what_they_promise() -> None:
    held = []
    for seed in range(12):
        found = daily_volume(drawn_counts(250, mean=25, seed=100 + seed, spread=0.03), horizon_days=28)
        held.append(found.days_held / 28)
    assert np.mean(held) == pytest.approx(0.92, abs=0.05)  # whole numbers hold a little more than 90 %


def test_totals_lie_in_their_range_about_nine_times_in_ten() -> None:
    held = 0
    for seed in range(30):
        counts = drawn_counts(278, mean=25, seed=200 + seed)
        found = daily_volume(counts.iloc[:250], horizon_days=28)
        held += found.total_low <= counts.iloc[250:].sum() <= found.total_high
    assert held >= 23  # of 30; by chance 23 or fewer happen in 3 % of trials at 90 %


def test_dispersion_is_recovered() -> None:
    rng = np.random.default_rng(0)
    mean = np.full(20_000, 12.0)
    counts = rng.poisson(mean * rng.gamma(1 / 0.2, 0.2, len(mean)))
    assert overdispersion(counts, mean) == pytest.approx(0.2, abs=0.015)
    assert overdispersion(rng.poisson(mean), mean) == pytest.approx(0.0, abs=0.005)
    low, high = count_range(mean[:1], 0.2)
    assert ((low <= counts) & (counts <= high)).mean() == pytest.approx(0.92, abs=0.02)


def test_a_short_history_is_forecast_but_not_judged() -> None:
    assert daily_volume(drawn_counts(91, mean=10, seed=7), horizon_days=28).n_origins == 2
    found = daily_volume(drawn_counts(40, mean=10, seed=7), horizon_days=28)
    assert (found.n_origins, found.rule, len(found.holdout)) == (0, WEEKDAY_MEAN, 0)
    assert not found.naive_wins
    assert found.ahead["forecast"].mean() == pytest.approx(10, rel=0.25)


def test_uncovered_days_are_bridged() -> None:
    counts = drawn_counts(200, mean=10, seed=8)
    found = daily_volume(counts, horizon_days=7, days_uncovered=3)
    assert found.ahead.index[0] == counts.index[-1] + pd.Timedelta(days=4)
    assert len(found.ahead) == 7


def test_hidden_days_are_told_by_no_rule_and_no_error() -> None:
    counts = drawn_counts(250, mean=10, seed=9)
    hidden = {counts.index[-5], counts.index[-40]}
    found = daily_volume(counts, horizon_days=28, hidden=hidden)
    assert not {SAME_WEEKDAY, WEEKDAY_MEAN, RECENT_LEVEL}.intersection(found.trials.index)
    assert found.naive == WEEKDAY_SO_FAR
    assert found.holdout["actual"].isna().tolist() == [day in hidden for day in found.holdout.index]
    other = counts.copy()
    other.iloc[-5] += 900
    assert daily_volume(other, horizon_days=28, hidden=hidden).errors.equals(found.errors)
