"""Claims about error measures, bootstrap and conformal intervals, and calibration."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from crm_analysis.models.evaluation import (
    MEASURES,
    ForecastJudge,
    bias,
    bootstrap_interval,
    bootstrap_measures,
    calibration_error,
    calibration_table,
    coverage_table,
    forecast_measures,
    gini,
    mae,
    percentile_interval,
    poisson_deviance,
    quantile_groups,
    rank_correlation,
    rmse,
    top_share,
    undefined_measures,
    wape,
)

ACTUAL = [0.0, 10.0, 20.0, 30.0]
FORECAST = [4.0, 10.0, 14.0, 24.0]


@pytest.fixture
def skewed() -> tuple[np.ndarray, np.ndarray]:
    """Spend of 500 customers, half of them without any, and forecasts with ties."""
    draws = np.random.default_rng(5)
    actual = np.where(draws.random(500) < 0.5, 0, draws.gamma(1, 40, 500))
    return actual, np.round(0.5 * actual + draws.gamma(1, 20, 500))


# --- measures


def test_measures_of_four_customers_are_those_of_the_pencil() -> None:
    # errors 4, 0, -6, -6
    assert mae(ACTUAL, FORECAST) == 4
    assert rmse(ACTUAL, FORECAST) == pytest.approx(math.sqrt(22))
    assert wape(ACTUAL, FORECAST) == pytest.approx(16 / 60)
    assert bias(ACTUAL, FORECAST) == pytest.approx(52 / 60 - 1)
    assert rank_correlation(ACTUAL, FORECAST) == pytest.approx(1)
    assert top_share(ACTUAL, FORECAST, share=0.5) == pytest.approx(50 / 60)
    assert forecast_measures(ACTUAL, FORECAST)["top_decile_share"] == pytest.approx(0.4 * 30 / 60)


def test_a_perfect_forecast_does_not_err() -> None:
    measures = forecast_measures(ACTUAL, ACTUAL)
    assert [measures[name] for name in ("mae", "rmse", "poisson_deviance", "wape", "bias")] == [0, 0, 0, 0, 0]
    assert measures["rank_correlation"] == pytest.approx(1)
    assert measures["gini"] == pytest.approx(1)


def test_the_reverse_order_and_no_order_are_the_limits_of_gini() -> None:
    assert gini(ACTUAL, [3, 2, 1, 0]) == pytest.approx(-1)
    assert gini(ACTUAL, [7, 7, 7, 7]) == 0
    assert math.isnan(gini([5, 5, 5], [1, 2, 3]))


def test_gini_is_the_area_of_the_concentration_curve() -> None:
    # by forecast 0 20 | 10 30 tied: cumulative 0, 20, 40, 60 of 60 against 15, 30, 45, 60: short of it by 30
    # in the perfect order 0, 10, 30, 60: short by 50
    assert gini([0, 10, 20, 30], [1, 5, 2, 5]) == pytest.approx(30 / 50)


def test_the_poisson_deviance_is_that_of_the_pencil() -> None:
    # 2 (0 - 0 + 1), 2 (2 log 2 - 2 + 1), and a return that counts as nothing
    assert poisson_deviance([0, 2, -4], [1, 1, 0]) == pytest.approx((2 + 4 * math.log(2) - 2) / 3)
    assert poisson_deviance([0, 3], [-1, 3]) == 0


def test_an_impossible_customer_makes_the_deviance_infinite_only_where_it_counts() -> None:
    judge = ForecastJudge([1, 2], [0, 2])
    assert judge.measures()["poisson_deviance"] == math.inf
    assert judge.measures([0, 3])["poisson_deviance"] == 0


def test_the_mean_has_the_least_deviance() -> None:
    actual = np.random.default_rng(0).poisson(0.7, 300)
    deviance = [poisson_deviance(actual, np.full(300, value)) for value in np.array([0.9, 1, 1.1]) * actual.mean()]
    assert deviance[1] == min(deviance)


def test_zero_for_everybody_errs_by_all_that_came() -> None:
    measures = forecast_measures(ACTUAL, [0, 0, 0, 0])
    assert measures["wape"] == 1
    assert measures["bias"] == -1
    assert measures["top_decile_share"] == pytest.approx(0.1)
    assert math.isnan(measures["rank_correlation"])


def test_where_nothing_came_ratios_are_undefined_and_the_reason_is_given() -> None:
    measures = forecast_measures([0, 0], [1, 2])
    assert measures["mae"] == 1.5
    assert all(math.isnan(measures[name]) for name in ("wape", "bias", "rank_correlation", "gini", "top_decile_share"))
    assert "Nothing came" in str(undefined_measures([0, 0]))


def test_where_returns_outweigh_purchases_shares_are_undefined() -> None:
    measures = forecast_measures([-5, 2], [0, 0])
    assert measures["wape"] == 1
    assert math.isnan(measures["bias"])
    assert math.isnan(measures["gini"])
    assert "Returns outweigh" in str(undefined_measures([-5, 2]))
    assert undefined_measures([5, -2]) is None


def test_ties_at_the_edge_of_the_tenth_are_shared_out() -> None:
    # the best tenth of ten is one of the two with forecast 9: half of 30 + 10
    assert top_share([30, 10, 0, 0, 0, 0, 0, 0, 0, 60], [9, 9, 1, 1, 1, 1, 1, 1, 1, 0]) == pytest.approx(0.2)


def test_the_rank_correlation_is_spearmans(skewed: tuple[np.ndarray, np.ndarray]) -> None:
    assert rank_correlation(*skewed) == pytest.approx(spearmanr(*skewed).statistic)


def test_weights_count_customers_as_often_as_a_longer_table_would(skewed: tuple[np.ndarray, np.ndarray]) -> None:
    actual, forecast = skewed
    times = np.random.default_rng(0).integers(0, 4, len(actual))
    weighted = ForecastJudge(actual, forecast).measures(times)
    assert weighted == pytest.approx(forecast_measures(np.repeat(actual, times), np.repeat(forecast, times)))


def test_measures_depend_on_neither_the_order_of_rows_nor_the_currency(skewed: tuple[np.ndarray, np.ndarray]) -> None:
    actual, forecast = skewed
    base = forecast_measures(actual, forecast)
    order = np.random.default_rng(1).permutation(len(actual))
    assert forecast_measures(actual[order], forecast[order]) == pytest.approx(base)
    scaled = forecast_measures(7.3 * actual, 7.3 * forecast)
    in_money = {"mae", "rmse", "poisson_deviance"}
    assert scaled == pytest.approx({name: base[name] * (7.3 if name in in_money else 1) for name in MEASURES})


@pytest.mark.parametrize(("actual", "forecast"), [([1, 2], [1]), ([], []), ([1, math.nan], [1, 2])])
def test_what_cannot_be_measured_is_refused(actual: list[float], forecast: list[float]) -> None:
    with pytest.raises(ValueError, match="actual and forecast must be"):
        forecast_measures(actual, forecast)


def test_a_share_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got 1\.5"):
        top_share(ACTUAL, FORECAST, share=1.5)


# --- bootstrap


def test_an_interval_of_the_mean_is_that_of_the_textbook() -> None:
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = bootstrap_interval(np.mean, values, seed=1, n_resamples=1000)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.05)
    assert high == pytest.approx(values.mean() + half, abs=0.05)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    draws = np.random.default_rng(3)
    intervals = [bootstrap_interval(np.mean, draws.normal(0, 1, 60), seed=seed, level=0.9) for seed in range(300)]
    held = np.mean([low <= 0 <= high for low, high in intervals])
    assert held == pytest.approx(0.9, abs=0.05)


def test_rows_are_drawn_together_and_the_seed_decides() -> None:
    truth = np.arange(50.0)
    low, high = bootstrap_interval(lambda a, b: float((b - a).mean()), truth, truth + 1, seed=0)
    assert low == high == 1
    assert bootstrap_interval(np.mean, truth, seed=4) == bootstrap_interval(np.mean, truth, seed=4)
    assert bootstrap_interval(np.mean, truth, seed=4) != bootstrap_interval(np.mean, truth, seed=5)


def test_a_statistic_without_value_has_no_interval() -> None:
    assert all(map(math.isnan, bootstrap_interval(lambda _: math.nan, [1, 2], seed=0)))
    assert percentile_interval([1.0, 1.0, math.nan]) == (1, 1)
    with pytest.raises(ValueError, match="one length above 0"):
        bootstrap_interval(np.mean, [], seed=0)


def test_models_share_their_resamples(skewed: tuple[np.ndarray, np.ndarray]) -> None:
    actual, forecast = skewed
    resamples = bootstrap_measures(actual, {"one": forecast, "same": forecast, "other": forecast + 1}, seed=0)
    pd.testing.assert_frame_equal(resamples["one"], resamples["same"])
    assert len(resamples["one"]) == 200
    difference = resamples["other"]["mae"] - resamples["one"]["mae"]
    assert difference.std() < 0.25 * resamples["one"]["mae"].std()
    assert resamples["one"]["mae"].mean() == pytest.approx(mae(actual, forecast), rel=0.02)


# --- calibration


def test_equal_predictions_stay_in_one_group() -> None:
    assert quantile_groups([0.5] * 8, 10).tolist() == []
    table = calibration_table([0, 1, 1, 1, 0, 1], [0.1, 0.1, 0.1, 0.1, 0.9, 0.9], n_bins=3)
    assert table["n"].tolist() == [4, 2]
    assert table["actual"].tolist() == [0.75, 0.5]


def test_the_calibration_error_is_the_weighted_distance() -> None:
    # two groups of two: expected 0.2 and 0.8, came 0.5 and 1.0
    assert calibration_error([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8], n_bins=2) == pytest.approx(0.25)
    assert calibration_error([0, 1], [0, 1], n_bins=2) == 0


def test_true_probabilities_are_calibrated_and_false_ones_are_not() -> None:
    draws = np.random.default_rng(0)
    probability = draws.random(20_000)
    came = draws.random(20_000) < probability
    assert calibration_error(came, probability) < 0.015
    assert calibration_error(came, probability**2) > 0.1


def test_deciles_of_distinct_predictions_are_of_equal_size() -> None:
    table = calibration_table(np.arange(100) % 2, np.linspace(0, 1, 100))
    assert table["n"].tolist() == [10] * 10
    shuffled = np.random.default_rng(0).permutation(100)
    again = calibration_table((np.arange(100) % 2)[shuffled], np.linspace(0, 1, 100)[shuffled])
    pd.testing.assert_frame_equal(table, again)


# --- conformal bands


def test_coverage_is_counted_for_buyers_and_others() -> None:
    bands = pd.DataFrame({"lower": [0.0, 1.0, 5.0], "upper": [2.0, 3.0, 9.0]})
    table = coverage_table([0, 2, 4], bands)
    assert table["n"].tolist() == [3, 2, 1]
    assert table["coverage"].tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert table["width"].tolist() == pytest.approx([8 / 3, 3, 2])
    assert math.isnan(coverage_table([0, 0, 0], bands)["coverage"]["buyers"])


def test_coverage_is_counted_by_segment_too() -> None:
    bands = pd.DataFrame({"lower": [0.0, 1.0, 5.0], "upper": [2.0, 3.0, 9.0]}, index=["x", "y", "z"])
    table = coverage_table([0, 2, 4], bands, groups=pd.Series(["新", None, "old"]))
    assert table.index.tolist() == ["all", "buyers", "others", "old", "新"]
    assert table["coverage"].tolist()[3:] == [0, 1]
    assert table["n"].tolist()[3:] == [1, 1]
    pd.testing.assert_frame_equal(table.iloc[:3], coverage_table([0, 2, 4], bands))


def test_segments_that_cannot_be_told_from_other_rows_are_refused() -> None:
    bands = pd.DataFrame({"lower": [0.0, 1.0], "upper": [2.0, 3.0]})
    with pytest.raises(ValueError, match=r"got \['buyers'\]"):
        coverage_table([0, 2], bands, groups=pd.Series(["buyers", "new"]))
    with pytest.raises(ValueError, match="each of 2 customers, got 1"):
        coverage_table([0, 2], bands, groups=pd.Series(["new"]))
