"""Claims about the judgement on the hold-out: gains of the pencil, roles, and nothing told of few customers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.evaluation import calibration_table, coverage_table
from crm_analysis.models.forecasting.judgement import (
    gain_curve,
    has_small_tenth,
    holdout_errors,
    measured,
    told_calibration,
    told_coverage,
)

ACTUAL = np.array([10.0, 20, 30, 40])


def test_gains_are_shares_of_the_naive_error_saved() -> None:
    forecasts = {"last_period": ACTUAL + 4, "svr": ACTUAL - 3}
    errors, gains = holdout_errors(ACTUAL, forecasts, model="svr", naive="last_period", seed=0)
    for measure in ("rmse", "wape"):
        assert gains[measure].share == pytest.approx(0.25)
        assert (gains[measure].low, gains[measure].high) == pytest.approx((0.25, 0.25))
        assert gains[measure].is_sure
        assert not gains[measure].is_loss
    assert errors.groupby("model")["role"].first().to_dict() == {"last_period": "naive", "svr": "chosen"}
    assert measured(errors, "svr")["wape"] == pytest.approx(12 / 100)
    assert measured(errors, "last_period")["bias"] == pytest.approx(16 / 100)


def test_rmse_and_wape_may_disagree() -> None:
    # errors 0, 0, 0, 8 against 3 each: 4 against 3 by RMSE, 2 against 3 by their mean
    forecasts = {"mean_rate": ACTUAL + 3, "forest": ACTUAL + np.array([0, 0, 0, 8])}
    _, gains = holdout_errors(ACTUAL, forecasts, model="forest", naive="mean_rate", seed=0)
    assert gains["rmse"].share == pytest.approx(-1 / 3)
    assert gains["wape"].share == pytest.approx(1 / 3)
    assert not gains["rmse"].is_sure
    assert gains["rmse"].low < -1 / 3 < gains["rmse"].high


def test_a_loss_is_one_where_the_whole_interval_is() -> None:
    _, gains = holdout_errors(
        ACTUAL, {"last_period": ACTUAL + 1, "svr": ACTUAL + 5}, model="svr", naive="last_period", seed=0
    )
    assert gains["rmse"].share == pytest.approx(-4)
    assert gains["rmse"].is_loss


def test_the_naive_baseline_gains_nothing_on_itself() -> None:
    errors, gains = holdout_errors(
        ACTUAL, {"last_period": ACTUAL + np.array([1, 2, 3, 4])}, model="last_period", naive="last_period", seed=0
    )
    assert [gains["rmse"].share, gains["rmse"].low, gains["rmse"].high] == [0, 0, 0]
    assert set(errors["role"]) == {"chosen and naive"}


def test_a_naive_baseline_without_error_leaves_no_gain() -> None:
    _, gains = holdout_errors(ACTUAL, {"mean_rate": ACTUAL, "svr": ACTUAL}, model="svr", naive="mean_rate", seed=0)
    assert math.isnan(gains["rmse"].share)
    assert not gains["rmse"].is_sure
    assert not gains["rmse"].is_loss


def test_intervals_hold_the_figure_and_what_a_small_tenth_brought_is_missing() -> None:
    draws = np.random.default_rng(0)
    actual = draws.gamma(1, 30, 49)
    forecasts = {"last_period": actual + draws.normal(0, 20, 49), "svr": actual + draws.normal(0, 10, 49)}
    for min_cell, told in ((4, True), (5, False)):
        errors, _ = holdout_errors(actual, forecasts, model="svr", naive="last_period", seed=0, min_cell=min_cell)
        small = errors["measure"] == "top_decile_share"
        assert errors.loc[small, ["value", "low", "high"]].notna().all(axis=None) == told
        rest = errors[~small & errors["measure"].isin(["rmse", "mae", "wape"])]
        assert rest["value"].between(rest["low"], rest["high"]).all()


# --- coverage


def coverage_of(buyers: int, others: int, groups: dict[str, int]) -> pd.DataFrame:
    actual = np.r_[np.ones(buyers), np.zeros(others)]
    bands = pd.DataFrame({"lower": 0.0, "upper": np.where(np.arange(len(actual)) % 3, 2.0, 0.5)})
    labels = pd.Series(np.repeat(list(groups), list(groups.values()))) if groups else None
    return coverage_table(actual, bands, groups=labels)


def test_coverage_of_many_is_told_in_full() -> None:
    coverage = coverage_of(20, 30, {"a": 25, "b": 25})
    pd.testing.assert_frame_equal(told_coverage(coverage, min_cell=5), coverage, check_dtype=False)
    pd.testing.assert_frame_equal(told_coverage(coverage_of(1, 3, {}), min_cell=1), coverage_of(1, 3, {}))


def test_where_few_bought_nothing_is_told_but_how_many_customers_there_are() -> None:
    told = told_coverage(coverage_of(3, 40, {"a": 20, "b": 23}), min_cell=5)
    assert told.index.tolist() == ["all", "buyers", "others", "a", "b"]
    assert told[["coverage", "width"]].isna().all(axis=None)
    assert told["n"].isna().tolist() == [False, True, True, True, True]
    assert told.loc["all", "n"] == 43


def test_few_others_are_hidden_with_the_buyers_who_would_give_them_away() -> None:
    told = told_coverage(coverage_of(40, 3, {"a": 20, "b": 23}), min_cell=5)
    assert told.loc[["buyers", "others"]].isna().all(axis=None)
    assert told.loc[["all", "a", "b"]].notna().all(axis=None)


def test_errors_of_few_buyers_are_not_told() -> None:
    came, forecast = np.zeros(40), np.full(40, 2.0)
    came[:3] = 50.5
    errors, gains = holdout_errors(
        came, {"zero": np.zeros(40), "svr": forecast}, model="svr", naive="zero", seed=0, min_cell=5
    )
    assert errors[["value", "low", "high"]].isna().all(axis=None)
    assert not gains["rmse"].is_sure
    assert not gains["wape"].is_loss
    told, _ = holdout_errors(
        came, {"zero": np.zeros(40), "svr": forecast}, model="svr", naive="zero", seed=0, min_cell=3
    )
    assert told["value"].notna().any()


def test_groups_and_points_with_few_buyers_are_not_told() -> None:
    forecast = np.arange(100.0)
    came = np.where((forecast >= 50) | (forecast == 4), 10.0, 0.0)  # one buyer among the lowest fifty
    calibration = calibration_table(came, forecast, n_bins=5)
    told = told_calibration(calibration, came, forecast, min_cell=5)
    assert told["actual"].isna().tolist() == [
        True,
        False,
        True,
        False,
        False,
    ]  # the next one, of ten, would give it away
    curve = gain_curve(came, {"forecast": forecast, "hindsight": came}, min_cell=5).dropna()
    buyers = curve["forecast"] * 51
    assert not (buyers.diff().round().isin([1, 2, 3, 4])).any()
    assert curve.index[-1] == 1
    public = gain_curve(came, {"forecast": forecast, "hindsight": came})
    assert public.notna().all(axis=None)


def test_the_best_tenth_of_few_buyers_is_not_told() -> None:
    forecast = np.arange(100.0)
    some = np.where(forecast >= 98, 1.0, np.where(forecast < 30, 1.0, 0.0))  # two of the best ten bought
    assert has_small_tenth(some, forecast, min_cell=5)
    assert not has_small_tenth(some, forecast, min_cell=2)
    assert not has_small_tenth(np.ones(100), forecast, min_cell=5)


def test_a_small_segment_takes_the_next_smallest_with_it() -> None:
    told = told_coverage(coverage_of(20, 30, {"a": 30, "b": 17, "c": 3}), min_cell=5)
    assert told["n"].isna().to_dict() == {
        "all": False,
        "buyers": False,
        "others": False,
        "a": False,
        "b": True,
        "c": True,
    }


def test_nobody_in_a_part_is_no_small_cell() -> None:
    told = told_coverage(coverage_of(0, 40, {}), min_cell=5)
    assert told["n"].tolist() == [40, 0, 40]
    assert math.isnan(told.loc["buyers", "coverage"])


# --- gain curve


def test_the_gain_curve_ends_at_all_the_revenue_and_hindsight_is_above() -> None:
    actual = np.array([0.0, 0, 10, 30])
    curve = gain_curve(actual, {"forecast": [1, 2, 4, 3], "hindsight": actual})
    assert curve.loc[0.5].tolist() == [1, 1]
    assert curve.iloc[5].tolist() == pytest.approx([0.25, 0.75])
    assert curve.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert (curve["hindsight"] >= curve["forecast"]).all()


@pytest.mark.parametrize(("n", "min_cell", "points"), [(400, 5, 21), (40, 5, 7), (8, 5, 2), (8, 1, 21)])
def test_points_of_the_gain_curve_lie_a_cell_apart(n: int, min_cell: int, points: int) -> None:
    actual = np.arange(1.0, n + 1)
    curve = gain_curve(actual, {"forecast": actual}, min_cell=min_cell)
    shown = curve.dropna()
    assert len(curve) == 21
    assert len(shown) == points
    assert (np.diff(shown.index) * n >= min_cell - 1e-9).all() or min_cell == 1
    assert shown.index[[0, -1]].tolist() == [0, 1]


def test_without_revenue_there_is_no_share_of_it() -> None:
    curve = gain_curve([0.0, 0.0], {"forecast": [1, 2]})
    assert curve["forecast"].isna().sum() == 20
