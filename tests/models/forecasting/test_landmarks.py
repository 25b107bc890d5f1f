"""Claims about support vector regression from landmarks: the exact minimum, close to scikit-learn's, and invariant."""

from __future__ import annotations

import numpy as np
import pytest
import skops.io
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import estimator_checks_generator

from crm_analysis.errors import ModelError
from crm_analysis.models.forecasting.landmarks import LandmarkSVR

LIKE = {"C": 10.0, "gamma": 0.1, "epsilon": 0.1}


def wavy(rows: int, *, seed: int, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Three features and a target that bends, with noise."""
    draws = np.random.default_rng(seed)
    x = draws.standard_normal((rows, 3))
    return x, np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + noise * draws.standard_normal(rows)


def objective(
    theta: np.ndarray, kernel: np.ndarray, own: np.ndarray, y: np.ndarray, cost: float, epsilon: float
) -> tuple[float, np.ndarray]:
    """The loss as the paper has it, and its gradient by the coefficients and the intercept."""
    coefficients, intercept = theta[:-1], theta[-1]
    errors = kernel @ coefficients + intercept - y
    excess = np.sign(errors) * np.maximum(np.abs(errors) - epsilon, 0)
    value = coefficients @ own @ coefficients / 2 + cost * (excess**2).sum()
    return value, np.append(own @ coefficients + 2 * cost * kernel.T @ excess, 2 * cost * excess.sum())


def gaussian(a: np.ndarray, b: np.ndarray, gamma: float) -> np.ndarray:
    return np.exp(-gamma * ((a[:, None] - b[None]) ** 2).sum(axis=2))


# --- the minimum


@pytest.mark.parametrize(("cost", "epsilon"), [(0.1, 0.0), (1.0, 0.1), (10.0, 0.5), (1000.0, 0.1)])
def test_with_all_rows_as_landmarks_a_generic_optimiser_finds_nothing_lower(cost, epsilon):
    x, y = wavy(60, seed=0)
    fitted = LandmarkSVR(60, C=cost, gamma=1.0, epsilon=epsilon).fit(x, y)
    whitener = np.linalg.cholesky(gaussian(x, x, 1.0) + 1e-13 * np.eye(60))  # a generic optimiser needs round contours

    def in_whitened(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return objective(theta, whitener, np.eye(60), y, cost, epsilon)

    settings = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 50}
    found = minimize(in_whitened, np.zeros(61), jac=True, method="L-BFGS-B", options=settings)
    assert fitted.objective_ == pytest.approx(found.fun, rel=1e-7)
    assert fitted.predict(x) == pytest.approx(whitener @ found.x[:-1] + found.x[-1], abs=1e-4)


@pytest.mark.parametrize("n_landmarks", [15, 60])
def test_the_gradient_vanishes_at_the_solution(n_landmarks):
    x, y = wavy(300, seed=1)
    fitted = LandmarkSVR(n_landmarks, C=3.0, gamma=0.5, epsilon=0.1, block_rows=70).fit(x, y)
    kernel, own = gaussian(x, fitted.landmarks_, 0.5), gaussian(fitted.landmarks_, fitted.landmarks_, 0.5)
    theta = np.append(fitted.coef_, fitted.intercept_)
    value, gradient = objective(theta, kernel, own, y, 3.0, 0.1)
    assert value == pytest.approx(fitted.objective_, rel=1e-9)
    assert np.abs(gradient).max() < 1e-6 * 300


def test_three_rows_by_pencil():
    # Far apart, each row has a kernel of its own: f = (a, 0, -a), b = 1. Minimise a² / 2 * 2 + C * 2 * (2 - a - epsilon)².
    fitted = LandmarkSVR(C=1.0, gamma=1.0, epsilon=0.5).fit([[0.0], [100.0], [200.0]], [3.0, 1.0, -1.0])
    assert fitted.predict([[0.0], [100.0], [200.0], [50.0]]) == pytest.approx([2.0, 1.0, 0.0, 1.0])
    assert fitted.objective_ == pytest.approx(1.0 + 2 * 0.25)


def test_it_is_close_to_the_exact_regression_of_scikit_learn():
    (x, y), (other, truth) = wavy(1500, seed=2), wavy(1000, seed=3)
    exact = r2_score(truth, SVR(**LIKE).fit(x, y).predict(other))
    assert exact > 0.8
    assert r2_score(truth, LandmarkSVR(1500, **LIKE).fit(x, y).predict(other)) == pytest.approx(exact, abs=0.01)
    assert r2_score(truth, LandmarkSVR(150, **LIKE).fit(x, y).predict(other)) == pytest.approx(exact, abs=0.02)


def test_more_landmarks_come_nearer_to_the_minimum():
    x, y = wavy(600, seed=4)
    settings = {"C": 10.0, "gamma": 1.0, "epsilon": 0.1}
    reached = [LandmarkSVR(number, **settings).fit(x, y).objective_ for number in (10, 50, 200, 600)]
    assert reached == sorted(reached, reverse=True)
    assert reached[0] > 2 * reached[-1]


def test_a_part_of_the_rows_as_a_start_leads_to_the_same_minimum():
    x, y = wavy(600, seed=5)
    in_parts = LandmarkSVR(20, **LIKE).fit(x, y)  # 600 rows, 20 landmarks: the start is of every eighth row
    kernel, own = gaussian(x, in_parts.landmarks_, 0.1), gaussian(in_parts.landmarks_, in_parts.landmarks_, 0.1)
    _, gradient = objective(np.append(in_parts.coef_, in_parts.intercept_), kernel, own, y, 10.0, 0.1)
    assert np.abs(gradient).max() < 1e-6 * 600


def test_steps_are_few_and_a_limit_on_them_is_an_error():
    x, y = wavy(500, seed=6)
    assert 1 < LandmarkSVR(50, **LIKE).fit(x, y).n_iter_ <= 12
    with pytest.raises(ModelError, match=r"not settled after 1 steps on 500 rows .* raise max_iter"):
        LandmarkSVR(50, max_iter=1, **LIKE).fit(x, y)


# --- what must not matter


def test_order_of_rows_changes_not_a_bit():
    x, y = wavy(400, seed=7)
    x, y = np.round(x, 1), np.round(y, 1)  # ties and copies
    turned = np.random.default_rng(0).permutation(400)
    one, other = (LandmarkSVR(60, **LIKE).fit(x[rows], y[rows]) for rows in (slice(None), turned))
    assert np.array_equal(one.predict(x), other.predict(x))
    assert np.array_equal(one.landmarks_, other.landmarks_)


def test_size_of_blocks_changes_only_rounding():
    x, y = wavy(400, seed=8)
    one, other = (LandmarkSVR(60, block_rows=size, **LIKE).fit(x, y) for size in (7, 4096))
    assert one.predict(x) == pytest.approx(other.predict(x), abs=1e-8)
    assert one.predict(x[:1]) == pytest.approx(one.predict(x)[:1], abs=1e-12)


def test_shifted_features_and_a_scaled_target_change_only_the_scale():
    x, y = wavy(400, seed=9)
    plain = LandmarkSVR(60, **LIKE).fit(x, y).predict(x)
    moved = LandmarkSVR(60, **LIKE).fit(x + 1000.0, y).predict(x + 1000.0)
    wider = LandmarkSVR(60, C=10.0, gamma=0.1 / 1.17**2, epsilon=0.1).fit(1.17 * x, y).predict(1.17 * x)
    scaled = LandmarkSVR(60, C=10.0, gamma=0.1, epsilon=0.117).fit(x, 1.17 * y + 50).predict(x)
    assert moved == pytest.approx(plain, abs=1e-6)
    assert wider == pytest.approx(plain, abs=1e-7)
    assert (scaled - 50) / 1.17 == pytest.approx(plain, abs=1e-7)


def test_copies_of_rows_are_drawn_once():
    x, y = np.repeat([[0.0], [-0.0], [1.0], [2.0]], 50, axis=0), np.tile([0.0, 1.0], 100)
    fitted = LandmarkSVR(100).fit(x, y)
    assert sorted(fitted.landmarks_[:, 0].tolist()) == [0.0, 1.0, 2.0]
    assert fitted.predict([[0.0], [1.0], [2.0]]) == pytest.approx([0.5, 0.5, 0.5])


def test_seed_draws_other_landmarks():
    x, y = wavy(200, seed=10)
    one, same, other = (LandmarkSVR(20, random_state=seed).fit(x, y) for seed in (0, 0, 1))
    assert np.array_equal(one.predict(x), same.predict(x))
    assert not np.array_equal(one.predict(x), other.predict(x))


# --- limits


@pytest.mark.parametrize(("target", "constant"), [([3.0, 3.0, 3.0], 3.0), ([1.0, 1.1, 1.2], 1.1)])
def test_a_target_within_one_tube_is_forecast_by_its_middle(target, constant):
    fitted = LandmarkSVR(epsilon=0.1 + 1e-12).fit([[0.0], [1.0], [5.0]], target)
    assert fitted.predict([[0.0], [9.0]]) == pytest.approx([constant, constant])
    assert (fitted.n_iter_, fitted.objective_) == (0, 0.0)


def test_constant_features_give_one_forecast_that_minimises_the_loss():
    target = np.array([0.0, 0.0, 0.0, 4.0])
    fitted = LandmarkSVR(epsilon=0.5).fit(np.ones((4, 2)), target)
    # 3 * 2 * (b - 0.5) = 2 * (3.5 - b)
    assert fitted.predict([[1.0, 1.0]]) == pytest.approx([1.25])


def test_mostly_zero_counts_are_forecast_without_trouble():
    draws = np.random.default_rng(11)
    x = draws.standard_normal((800, 2))
    counts = draws.poisson(0.1 * np.exp(x[:, 0])).astype(float)
    assert (counts == 0).mean() > 0.8
    fitted = LandmarkSVR(80, epsilon=0.3).fit(x, counts)
    assert np.isfinite(fitted.predict(x)).all()
    assert np.corrcoef(fitted.predict(x), np.exp(x[:, 0]))[0, 1] > 0.8


def test_landmarks_that_are_nearly_alike_are_left_out_and_not_missed():
    x, y = wavy(300, seed=12)
    fitted = LandmarkSVR(300, C=1.0, gamma=1e-4).fit(x, y)
    assert len(fitted.landmarks_) < 100
    kernel, own = gaussian(x, x, 1e-4), gaussian(x, fitted.landmarks_, 1e-4)
    errors = own @ fitted.coef_ + fitted.intercept_ - y
    pulls = (
        -2 * np.sign(errors) * np.maximum(np.abs(errors) - 0.1, 0)
    )  # at the minimum over all rows f = kernel @ pulls
    assert kernel @ pulls + fitted.intercept_ == pytest.approx(fitted.predict(x), abs=1e-7)
    assert pulls.sum() == pytest.approx(0.0, abs=1e-7)


def test_one_row_is_its_own_forecast():
    assert LandmarkSVR().fit([[1.0, 2.0]], [5.0]).predict([[1.0, 2.0], [7.0, 7.0]]) == pytest.approx([5.0, 5.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="contains"):
        LandmarkSVR().fit([[1.0], [bad]], [1.0, 2.0])
    with pytest.raises(ValueError, match="contains"):
        LandmarkSVR().fit([[1.0], [2.0]], [1.0, bad])
    with pytest.raises(ValueError, match="contains"):
        LandmarkSVR().fit([[1.0], [2.0]], [1.0, 2.0]).predict([[bad]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("n_landmarks", 0), ("block_rows", 0), ("max_iter", 0)],
        *[("C", 0.0), ("gamma", -1.0), ("gamma", np.nan), ("epsilon", -0.1), ("epsilon", np.nan)],
    ],
)
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=rf"{name} must .*, got {value!r}"):
        LandmarkSVR(**{name: value}).fit([[0.0], [1.0]], [0.0, 1.0])


def test_the_fitted_state_is_numbers_and_arrays_and_survives_without_pickle():
    x, y = wavy(100, seed=13)
    fitted = LandmarkSVR(30, **LIKE).fit(x, y)
    state = {name: value for name, value in vars(fitted).items() if name.endswith("_")}
    assert all(isinstance(value, (int, float, np.ndarray)) for value in state.values())
    data = skops.io.dumps(state)
    assert not skops.io.get_untrusted_types(data=data)
    restored = clone(fitted)
    vars(restored).update(skops.io.loads(data))
    assert np.array_equal(restored.predict(x), fitted.predict(x))


def test_it_keeps_the_contract_of_scikit_learn():
    for estimator, check in estimator_checks_generator(LandmarkSVR(C=10.0)):
        check(estimator)
