"""Claims about the regressions that compete: pencil, no bias where fitted, known truth, limits, and every setting works."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from crm_analysis.models.forecasting.estimators import (
    GRIDS,
    REGRESSIONS,
    Fitting,
    MeanRegressor,
    NaiveForecast,
    RootTargetRegressor,
    regression,
    sample_weights,
)
from crm_analysis.models.forecasting.landmarks import LandmarkSVR
from tests.models.forecasting.synthetic_features import MONEY, TWO, synthetic_features

EVERY = [(model, settings) for model in REGRESSIONS for settings in GRIDS.get(model, ({},))]
FEATURES = synthetic_features(150)


def fitting(n_rows: int = 150, *, exact_svr_rows: int = 4000) -> Fitting:
    return Fitting(training_days=90, n_rows=n_rows, exact_svr_rows=exact_svr_rows, seed=0)


# --- naive


@pytest.mark.parametrize(
    ("rule", "target", "expected"),
    [
        ("last_period", "spend_ahead", [90, 0]),
        ("mean_rate", "spend_ahead", [180, 0]),  # 400 in 200 days, for 90 days; returns are no forecast
        ("last_period", "transactions_ahead", [2, 0]),
        ("mean_rate", "transactions_ahead", [3.6, 0.9]),
        ("zero", "spend_ahead", [0, 0]),
    ],
)
def test_naive_forecasts_are_those_of_the_pencil(rule: str, target: str, expected: list[float]) -> None:
    naive = NaiveForecast(rule, target=target, training_days=90).fit(TWO)
    assert naive.predict(TWO).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("rule", "target"), [("median", "spend_ahead"), ("zero", "margin_ahead")])
def test_an_unknown_rule_or_target_is_refused(rule: str, target: str) -> None:
    with pytest.raises(ValueError, match=f"got '{rule}' and '{target}'"):
        NaiveForecast(rule, target=target).fit(TWO)


# --- a target over its mean


def test_totals_agree_where_a_mean_regressor_was_fitted() -> None:
    draws = np.random.default_rng(0)
    x = draws.normal(size=(500, 2))
    target = draws.poisson(np.exp(x[:, 0])) * 10.0
    for regressor in (PoissonRegressor(alpha=0), DecisionTreeRegressor(min_samples_leaf=20)):
        fitted = MeanRegressor(regressor).fit(x, target)
        assert fitted.predict(x).sum() == pytest.approx(target.sum(), rel=1e-4)
        weights = draws.integers(1, 4, 500).astype(float)
        weighted = MeanRegressor(regressor).fit(x, target, sample_weight=weights).predict(x)
        assert (weights * weighted).sum() == pytest.approx((weights * target).sum(), rel=1e-4)


def test_returns_lower_all_forecasts_by_the_share_they_took() -> None:
    # 10, 30 and 20 came, 20 went: of 60, two thirds are left
    fitted = MeanRegressor(DummyRegressor()).fit(np.zeros((4, 1)), [10, 30, 20, -20])
    assert fitted.predict(np.zeros((1, 1))).tolist() == pytest.approx([10])
    doubled = MeanRegressor(DummyRegressor()).fit(np.zeros((2, 1)), [-10, 10], sample_weight=[1, 3])
    assert doubled.predict(np.zeros((1, 1))).tolist() == pytest.approx([5])


@pytest.mark.parametrize("target", [[0, 0, 0], [-5, -1, 0], [1, 2, -30]])
def test_where_nothing_was_left_nothing_is_forecast(target: list[float]) -> None:
    x = np.arange(3.0)[:, None]
    assert MeanRegressor(LinearRegression()).fit(x, target).predict(x).tolist() == [0, 0, 0]
    forecasts = RootTargetRegressor(LinearRegression()).fit(x, target).predict(x)
    assert forecasts.min() >= 0
    if max(target) <= 0:
        assert forecasts.tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_equally_good_splits_are_told_apart_alike_in_every_currency(seed: int) -> None:
    # few purchases at one price: many splits are equally good, so that only the last bits of the target could choose
    draws = np.random.default_rng(seed)
    x, later = draws.normal(size=(300, 6)), draws.normal(size=(100, 6))
    target = 19.99 * draws.poisson(0.7, 300)
    tree = MeanRegressor(DecisionTreeRegressor(min_samples_leaf=2, random_state=seed, max_features=3))
    one = tree.fit(x, target).predict(later)
    for factor in (7.3, 1 / 3, 1e6):
        other = tree.fit(x, factor * target).predict(later)
        np.testing.assert_allclose(other, factor * one, rtol=1e-9, atol=1e-9 * factor)


# --- the root of a target


def test_the_way_back_from_roots_has_no_bias_where_it_was_fitted() -> None:
    draws = np.random.default_rng(0)
    level = draws.uniform(1, 9, 2000)
    target = level**2 * draws.gamma(0.5, 2, 2000)
    for regressor in (LinearRegression(), SVR(epsilon=0.3)):
        forecasts = RootTargetRegressor(regressor).fit(level[:, None], target).predict(level[:, None])
        assert forecasts.mean() == pytest.approx(target.mean(), rel=0.01)
        assert forecasts.min() >= 0
    # without it, the mean of roots squared would be far too low
    squared = LinearRegression().fit(level[:, None], target**0.5).predict(level[:, None]) ** 2
    assert squared.mean() < 0.8 * target.mean()


def test_a_regressor_that_orders_customers_the_wrong_way_round_is_worth_their_mean() -> None:
    class Reverse(LinearRegression):
        def predict(self, X: np.ndarray) -> np.ndarray:
            return 3 - super().predict(X)

    x = np.arange(1.0, 9)[:, None]
    forecasts = RootTargetRegressor(Reverse()).fit(x, x[:, 0] ** 2).predict(x)
    assert forecasts.tolist() == pytest.approx([(x**2).mean()] * 8)


# --- regressions


@pytest.mark.parametrize(("model", "settings"), EVERY, ids=str)
def test_every_model_of_every_grid_is_finite_not_negative_and_about_right_in_total(model, settings) -> None:
    draws = np.random.default_rng(2)
    target = draws.poisson(FEATURES["rhythm"]) * FEATURES["value_a_purchase"].to_numpy()
    forecasts = regression(model, settings, fitting()).fit(FEATURES, target).predict(FEATURES)
    assert np.isfinite(forecasts).all()
    assert (forecasts >= 0).all()
    assert forecasts.mean() == pytest.approx(target.mean(), rel=0.1)  # a forest is not fitted to all its rows


@pytest.mark.parametrize("model", REGRESSIONS)
@pytest.mark.parametrize("exact_svr_rows", [4000, 40])
def test_without_any_spend_or_with_customers_all_alike_forecasts_are_flat(model: str, exact_svr_rows: int) -> None:
    settings = GRIDS.get(model, ({},))[-1]
    made = regression(model, settings, fitting(exact_svr_rows=exact_svr_rows))
    assert made.fit(FEATURES, np.zeros(150)).predict(FEATURES).tolist() == [0] * 150
    alike = pd.concat([FEATURES.head(1)] * 60)
    target = np.arange(60.0)
    forecasts = (
        regression(model, settings, fitting(60, exact_svr_rows=exact_svr_rows)).fit(alike, target).predict(alike)
    )
    assert np.ptp(forecasts) == pytest.approx(0, abs=1e-6)
    assert forecasts[0] == pytest.approx(29.5, rel=0.1)


@pytest.mark.parametrize(
    ("model", "exact_svr_rows", "rtol"),
    # support vector regressions stop at a tolerance, at which last bits of the features may show
    [
        ("polynomial", 4000, 1e-9),
        ("poisson", 4000, 1e-9),
        ("svr", 4000, 1e-4),
        ("svr", 50, 1e-6),
        ("boosting", 4000, 1e-9),
        ("forest_regression", 4000, 1e-9),
    ],
)
@pytest.mark.parametrize("factor", [10, 7.3])
def test_a_currency_is_a_factor_of_every_regression(model, exact_svr_rows, rtol, factor) -> None:
    draws = np.random.default_rng(3)
    target = draws.poisson(FEATURES["rhythm"]) * FEATURES["value_a_purchase"].to_numpy()
    exchanged = FEATURES.assign(**{name: factor * FEATURES[name] for name in MONEY})
    made = regression(model, GRIDS.get(model, ({},))[-1], fitting(exact_svr_rows=exact_svr_rows))
    one = made.fit(FEATURES, target).predict(FEATURES)
    other = made.fit(exchanged, factor * target).predict(exchanged)
    np.testing.assert_allclose(other, factor * one, rtol=rtol, atol=rtol * factor * one.mean())


def test_a_power_law_is_recovered_by_the_polynomial_under_a_logarithmic_link() -> None:
    features = synthetic_features(4000, seed=4)
    truth = 0.5 * features["rhythm"] ** 0.8 * (features["recent_frequency"] + 0.5) ** 0.4
    counts = np.random.default_rng(5).poisson(truth)
    settings = {"degree": 1, "alpha": 0.001}
    forecasts = regression("poisson", settings, fitting(4000)).fit(features, counts).predict(features)
    assert np.corrcoef(np.log(forecasts), np.log(truth))[0, 1] > 0.995
    assert np.sqrt(np.mean((forecasts - truth) ** 2)) < 0.1 * truth.std()
    slope = np.polyfit(np.log(truth), np.log(forecasts), 1)[0]
    assert slope == pytest.approx(1, abs=0.05)


def test_a_square_is_learnt_by_degree_two_and_not_by_degree_one() -> None:
    features = synthetic_features(1500, seed=6)
    truth = (features["recent_spend"] / 20) ** 2
    errors = {}
    for degree in (1, 2):
        settings = {"degree": degree, "alpha": 10.0}
        forecasts = regression("polynomial", settings, fitting(1500)).fit(features, truth).predict(features)
        errors[degree] = np.sqrt(np.mean((forecasts - truth) ** 2)) / truth.std()
    assert errors[2] < 0.1
    assert errors[1] > 2 * errors[2]


def test_a_support_vector_regression_sees_landmarks_beyond_the_rows_that_are_exact() -> None:
    for rows, kind in ((40, SVR), (41, LandmarkSVR)):
        made = regression("svr", GRIDS["svr"][0], fitting(rows, exact_svr_rows=40))
        assert isinstance(made[-1].regressor, kind)
    exact, seen = (
        regression("svr", GRIDS["svr"][-1], fitting(exact_svr_rows=limit)).fit(FEATURES, FEATURES["spend"])
        for limit in (4000, 10)
    )
    assert np.corrcoef(exact.predict(FEATURES), seen.predict(FEATURES))[0, 1] > 0.99


def test_longer_periods_count_more_where_weights_are_taken() -> None:
    longer = np.repeat([1.0, 3.0], 75)
    for model in REGRESSIONS:
        made = regression(model, GRIDS.get(model, ({},))[0], fitting())
        taken = sample_weights(made, longer)
        assert bool(taken) == (model in {"poisson", "boosting", "forest_regression"})
        made.fit(FEATURES, FEATURES["spend"], **taken)
        assert sample_weights(made, np.full(150, 2.0)) == {}
    assert sample_weights(NaiveForecast(), longer) == {}
    target = np.where(longer > 1, 10.0, 2.0)
    alike = pd.concat([FEATURES.head(1)] * 150)
    made = regression("poisson", GRIDS["poisson"][0], fitting())
    assert made.fit(alike, target).predict(alike)[0] == pytest.approx(6)
    assert made.fit(alike, target, **sample_weights(made, longer)).predict(alike)[0] == pytest.approx(8)
