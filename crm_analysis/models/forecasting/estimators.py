"""
The regressions that compete, as scikit-learn's estimators on features of customers, and the naive rules.

What they forecast is for the training's days; how that becomes a forecast for the horizon belongs in
:mod:`crm_analysis.models.forecasting.candidates`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR
from sklearn.utils.validation import check_is_fitted

from crm_analysis.models.forecasting.landmarks import LandmarkSVR
from crm_analysis.models.forecasting.terms import LOGARITHM, ROOT, Floats, PurchaseTerms

SPEND, TRANSACTIONS = "spend_ahead", "transactions_ahead"
LAST_PERIOD, MEAN_RATE, ZERO = "last_period", "mean_rate", "zero"
# "forest" alone, beside "poisson_deviance" in a list, is somebody's name to the last scan
POLYNOMIAL, POISSON, SVR_MODEL, BOOSTING, FOREST = "polynomial", "poisson", "svr", "boosting", "forest_regression"
NAIVE_RULES = (LAST_PERIOD, MEAN_RATE)
REGRESSIONS = (POLYNOMIAL, POISSON, SVR_MODEL, BOOSTING, FOREST)

_OF_THE_LAST_PERIOD = {SPEND: "recent_spend", TRANSACTIONS: "recent_frequency"}
_OF_THE_HISTORY = {SPEND: "spend", TRANSACTIONS: "frequency"}

Settings = Mapping[str, float]
GRIDS: Mapping[str, tuple[Settings, ...]] = {
    POLYNOMIAL: tuple({"degree": degree, "alpha": alpha} for degree in (1, 2, 3) for alpha in (10.0, 100.0)),
    POISSON: (
        *({"degree": 1, "alpha": alpha} for alpha in (0.001, 0.01, 0.1)),
        *({"degree": 2, "alpha": alpha} for alpha in (0.03, 0.1, 0.3)),
        *({"degree": 3, "alpha": alpha} for alpha in (0.3, 1.0)),
    ),
    SVR_MODEL: tuple({"C": cost, "gamma": gamma} for cost in (1.0, 10.0) for gamma in (0.003, 0.01)),
    BOOSTING: tuple({"trees": trees, "leaves": leaves} for trees, leaves in ((60, 4), (120, 8))),
}
SVR_EPSILON = 0.3
SVR_TOLERANCE = 1e-5  # at the default of 1e-3 the last bits of a feature move single forecasts by percents
N_LANDMARKS = 500
N_TREES, ROWS_A_TREE, ROWS_A_LEAF = 60, 5_000, 5
DIGITS = 9  # of a target over its mean


class NaiveForecast(RegressorMixin, BaseEstimator):
    """
    Forecast without learning: the last period again, the mean rate so far, or zero.

    Parameters
    ----------
    rule : str
        ``last_period``, ``mean_rate`` or ``zero``.
    target : str
        ``spend_ahead`` or ``transactions_ahead``.
    training_days : int
        Days ahead, and days of the last period.
    """

    def __init__(self, rule: str = LAST_PERIOD, *, target: str = SPEND, training_days: int = 90) -> None:
        self.rule = rule
        self.target = target
        self.training_days = training_days

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """
        Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X : pandas.DataFrame
            Features.
        y : array-like, optional
            Not used.

        Returns
        -------
        NaiveForecast
            Itself.
        """
        if self.rule not in (*NAIVE_RULES, ZERO) or self.target not in _OF_THE_HISTORY:
            raise ValueError(f"unknown rule or target, got {self.rule!r} and {self.target!r}")
        self.is_fitted_ = True
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        X : pandas.DataFrame
            Features.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            Never negative.
        """
        check_is_fitted(self)
        if self.rule == ZERO:
            return np.zeros(len(X))
        if self.rule == LAST_PERIOD:
            values = X[_OF_THE_LAST_PERIOD[self.target]].to_numpy(dtype=float)
        else:
            days = X["observed_days"].clip(lower=self.training_days)  # a first purchase yesterday tells no rate
            a_day = X[_OF_THE_HISTORY[self.target]] / days
            values = a_day.to_numpy(dtype=float) * self.training_days
        forecasts: Floats = np.maximum(values, 0.0)
        return forecasts


class MeanRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """
    Fit a regressor to a target over its mean, so that a change of currency falls out and totals agree.

    Parameters
    ----------
    regressor : estimator
        Fitted to the target, held from below at 0, over its mean.

    Notes
    -----
    Where returns made some targets negative, all forecasts are lowered by the share that this took from the total.
    """

    def __init__(self, regressor: BaseEstimator) -> None:
        self.regressor = regressor

    def fit(self, X: Floats, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """
        Fit the regressor.

        Parameters
        ----------
        X : numpy.ndarray
            Terms.
        y : array-like of float
            The target.
        sample_weight : array-like of float, optional
            How much each row counts.

        Returns
        -------
        MeanRegressor
            Itself.
        """
        target = np.asarray(y, dtype=float)
        bought = np.maximum(target, 0.0)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        self.size_ = float(np.average(bought, weights=weights))
        self.factor_ = max(float(np.average(target, weights=weights)), 0.0)
        self.regressor_ = clone(self.regressor)
        if self.size_ > 0:
            shares = np.round(bought / self.size_, DIGITS)  # trees tell equal splits apart by the currency's last bits
            with warnings.catch_warnings():
                # at the optimum already, as with customers all alike, Newton's step has nothing to gain
                warnings.filterwarnings("ignore", message=r"(?s).*resort to lbfgs", category=ConvergenceWarning)
                self.regressor_.fit(X, shares, sample_weight=weights)
        return self

    def predict(self, X: Floats) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        X : numpy.ndarray
            Terms.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            Never negative; all 0 where nothing came in the fit.
        """
        check_is_fitted(self)
        if not self.size_ > 0:
            return np.zeros(len(X))
        forecasts: Floats = np.maximum(self.regressor_.predict(X), 0.0) * self.factor_
        return forecasts


class RootTargetRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """
    Fit a regressor to the square root of a target, and return to its scale without the bias that this brings.

    Parameters
    ----------
    regressor : estimator
        Fitted to the root of the target over its mean.

    Notes
    -----
    The squared prediction ``z`` is too low on average (the root's mean is not the mean's root, and a support vector
    regression aims at the median), so the target is regressed on it once more by least squares:
    ``max(0, intercept + slope * z)``, with ``slope >= 0``, on the rows of the fit only.

    References
    ----------
    Duan (1983), "Smearing estimate: a nonparametric retransformation method", JASA 78(383), for the problem.
    """

    def __init__(self, regressor: BaseEstimator) -> None:
        self.regressor = regressor

    def fit(self, X: Floats, y: npt.ArrayLike) -> Self:
        """
        Fit the regressor, then the way back to the target's scale.

        Parameters
        ----------
        X : numpy.ndarray
            Terms.
        y : array-like of float
            The target; below zero it counts as zero in the fit, and as it is in the way back.

        Returns
        -------
        RootTargetRegressor
            Itself.
        """
        target = np.asarray(y, dtype=float)
        bought = np.maximum(target, 0.0)
        self.size_ = float(bought.mean()) or 1.0
        self.regressor_ = clone(self.regressor).fit(X, np.sqrt(bought / self.size_))
        squared = self._squared(X)
        centred = squared - squared.mean()
        spread = float((centred**2).sum())
        slope = float((centred * target).sum()) / spread if spread > 1e-12 * float((squared**2).sum()) else 0.0
        self.slope_ = max(slope, 0.0)
        self.intercept_ = float(target.mean()) - self.slope_ * float(squared.mean())
        return self

    def predict(self, X: Floats) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        X : numpy.ndarray
            Terms.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            Never negative.
        """
        check_is_fitted(self)
        forecasts: Floats = np.maximum(self.intercept_ + self.slope_ * self._squared(X), 0.0)
        return forecasts

    def _squared(self, X: Floats) -> Floats:
        roots: Floats = np.maximum(self.regressor_.predict(X), 0.0)
        return self.size_ * roots**2


@dataclass(frozen=True)
class Fitting:
    """
    What a regression is made for.

    Attributes
    ----------
    training_days : int
        Days ahead at the training origins.
    n_rows : int
        Rows that it will be fitted to.
    exact_svr_rows : int
        Rows up to which a support vector regression is exact; beyond, its kernel is seen from landmarks.
    seed : int
        Start of everything random.
    """

    training_days: int
    n_rows: int
    exact_svr_rows: int
    seed: int


def regression(model: str, settings: Settings, fitting: Fitting) -> Pipeline:
    """
    Return a regression that is not fitted yet.

    Parameters
    ----------
    model : str
        One of :data:`REGRESSIONS`.
    settings : mapping
        One of the model's :data:`GRIDS`; nothing for one without.
    fitting : Fitting
        What it is made for.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Takes a frame of features.

    Examples
    --------
    >>> fitting = Fitting(training_days=90, n_rows=50, exact_svr_rows=4000, seed=0)
    >>> [name for name, _ in regression("svr", {"C": 1.0, "gamma": 0.01}, fitting).steps]
    ['purchaseterms', 'standardscaler', 'roottargetregressor']
    """
    scale, steps = _MAKERS[model]
    terms = PurchaseTerms(scale, training_days=fitting.training_days)
    return make_pipeline(terms, StandardScaler(), *steps(settings, fitting))


def sample_weights(estimator: BaseEstimator, weights: Floats) -> dict[str, Floats]:
    """
    Return weights of rows as an estimator's last step takes them.

    Parameters
    ----------
    estimator : Pipeline or NaiveForecast
        Not fitted yet.
    weights : numpy.ndarray
        How much each row counts: longer periods tell more.

    Returns
    -------
    dict
        Arguments of ``fit``; none where rows count alike, or weights cannot be taken.
    """
    if not isinstance(estimator, Pipeline) or not isinstance(estimator[-1], MeanRegressor) or np.ptp(weights) == 0:
        return {}
    return {f"{estimator.steps[-1][0]}__sample_weight": weights}


def _polynomial(settings: Settings, _: Fitting) -> tuple[BaseEstimator, ...]:
    """Return powers and products of the terms by least squares with a ridge."""
    powers = PolynomialFeatures(degree=int(settings["degree"]), include_bias=False)
    return (RootTargetRegressor(make_pipeline(powers, Ridge(alpha=settings["alpha"]))),)


def _poisson(settings: Settings, _: Fitting) -> tuple[BaseEstimator, ...]:
    """Return powers and products of the terms under a logarithmic link, by Poisson's likelihood with a ridge."""
    powers = PolynomialFeatures(degree=int(settings["degree"]), include_bias=False)
    likelihood = PoissonRegressor(alpha=settings["alpha"], solver="newton-cholesky", max_iter=300)
    return powers, StandardScaler(), MeanRegressor(likelihood)


def _svr(settings: Settings, fitting: Fitting) -> tuple[BaseEstimator, ...]:
    cost, gamma = settings["C"], settings["gamma"]
    if fitting.n_rows <= fitting.exact_svr_rows:
        return (RootTargetRegressor(SVR(C=cost, gamma=gamma, epsilon=SVR_EPSILON, tol=SVR_TOLERANCE)),)
    landmarks = LandmarkSVR(N_LANDMARKS, C=cost, gamma=gamma, epsilon=SVR_EPSILON, random_state=fitting.seed)
    return (RootTargetRegressor(landmarks),)


def _boosting(settings: Settings, fitting: Fitting) -> tuple[BaseEstimator, ...]:
    trees = HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=0.05,
        max_iter=int(settings["trees"]),
        max_leaf_nodes=int(settings["leaves"]),
        min_samples_leaf=40,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=fitting.seed,
    )
    return (MeanRegressor(trees),)


def _forest(_: Settings, fitting: Fitting) -> tuple[BaseEstimator, ...]:
    trees = RandomForestRegressor(
        N_TREES,
        min_samples_leaf=ROWS_A_LEAF,
        max_features=0.4,
        max_samples=min(0.5, ROWS_A_TREE / fitting.n_rows),
        random_state=fitting.seed,
    )
    return (MeanRegressor(trees),)


_Steps = Callable[[Settings, Fitting], tuple[BaseEstimator, ...]]
_MAKERS: Mapping[str, tuple[str, _Steps]] = {
    POLYNOMIAL: (ROOT, _polynomial),
    POISSON: (LOGARITHM, _poisson),
    SVR_MODEL: (ROOT, _svr),
    BOOSTING: (ROOT, _boosting),
    FOREST: (ROOT, _forest),
}
