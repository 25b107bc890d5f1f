"""
The forecasts that compete: naive baselines, polynomial regression and support vector regression.

Which of them is used, and how well it does, is found in :mod:`crm_analysis.models.forecasting.choice` and
:mod:`crm_analysis.models.forecasting.judgement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, TransformerMixin, clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR
from sklearn.utils.validation import check_is_fitted

SPEND, TRANSACTIONS = "spend_ahead", "transactions_ahead"
LAST_PERIOD, MEAN_RATE, ZERO = "last_period", "mean_rate", "zero"
POLYNOMIAL, SVR_MODEL = "polynomial", "svr"
NAIVE_RULES = (LAST_PERIOD, MEAN_RATE)
MODELS = (LAST_PERIOD, MEAN_RATE, ZERO, POLYNOMIAL, SVR_MODEL)

FEATURES = (
    "recency_days",
    "frequency",
    "spend",
    "monetary_value",
    "tenure_days",
    "observed_days",
    "recent_spend",
    "recent_frequency",
)
_OF_THE_LAST_PERIOD = {SPEND: "recent_spend", TRANSACTIONS: "recent_frequency"}
_OF_THE_HISTORY = {SPEND: "spend", TRANSACTIONS: "frequency"}

Settings = Mapping[str, float]
GRIDS: Mapping[str, tuple[Settings, ...]] = {
    POLYNOMIAL: tuple({"degree": degree, "alpha": alpha} for degree in (1, 2, 3) for alpha in (10.0, 100.0)),
    SVR_MODEL: tuple({"C": cost, "gamma": gamma} for cost in (1.0, 10.0) for gamma in (0.003, 0.01)),
}
SVR_EPSILON = 0.3
SVR_TOLERANCE = 1e-5  # at the default of 1e-3 the last bits of a feature move single forecasts by percents

Floats = npt.NDArray[np.float64]


class NaiveForecast(RegressorMixin, BaseEstimator):
    """
    Forecast without learning: the last period again, the mean rate so far, or zero.

    Parameters
    ----------
    rule : str
        ``last_period``, ``mean_rate`` or ``zero``.
    target : str
        ``spend_ahead`` or ``transactions_ahead``.
    horizon_days : int
        Days ahead.
    """

    def __init__(self, rule: str = LAST_PERIOD, *, target: str = SPEND, horizon_days: int = 90) -> None:
        self.rule = rule
        self.target = target
        self.horizon_days = horizon_days

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """
        Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X : pandas.DataFrame
            Purchase features.
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
            Purchase features.

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
            a_day = X[_OF_THE_HISTORY[self.target]] / X["observed_days"]
            values = a_day.to_numpy(dtype=float) * self.horizon_days
        forecasts: Floats = np.maximum(values, 0.0)
        return forecasts


class PurchaseTerms(TransformerMixin, BaseEstimator):
    """
    Turn purchase features into terms that a regression can carry from one origin to the next.

    Notes
    -----
    Money and counts enter by their square roots: they are skewed, the root tames their spread, and it carries a change
    of currency as one factor that standardising removes. Totals of the history enter a day observed, because histories
    grow between origins. Terms are held within the range seen in the fit: a polynomial must not run away beyond it.
    """

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """
        Learn the range of each term.

        Parameters
        ----------
        X : pandas.DataFrame
            Purchase features.
        y : array-like, optional
            Not used.

        Returns
        -------
        PurchaseTerms
            Itself.
        """
        terms = _terms(X)
        self.lowest_, self.highest_ = terms.min(axis=0), terms.max(axis=0)
        return self

    def transform(self, X: pd.DataFrame) -> Floats:
        """
        Return the terms, within the range learnt.

        Parameters
        ----------
        X : pandas.DataFrame
            Purchase features.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers, n_terms)
            Not yet standardised.
        """
        check_is_fitted(self)
        terms: Floats = np.clip(_terms(X), self.lowest_, self.highest_)
        return terms


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


def forecaster(model: str, *, target: str, horizon_days: int, settings: Settings) -> Pipeline | NaiveForecast:
    """
    Return an estimator that is not fitted yet.

    Parameters
    ----------
    model : str
        One of :data:`MODELS`.
    target : str
        ``spend_ahead`` or ``transactions_ahead``.
    horizon_days : int
        Days ahead.
    settings : mapping
        One of the model's :data:`GRIDS`; nothing for a naive one.

    Returns
    -------
    estimator
        Takes a frame of purchase features.

    Examples
    --------
    >>> svr = forecaster("svr", target="spend_ahead", horizon_days=90, settings={"C": 1.0, "gamma": 0.01})
    >>> [name for name, _ in svr.steps]
    ['purchaseterms', 'standardscaler', 'roottargetregressor']
    """
    if model == POLYNOMIAL:
        powers = PolynomialFeatures(degree=int(settings["degree"]), include_bias=False)
        regressor = make_pipeline(powers, Ridge(alpha=settings["alpha"]))
    elif model == SVR_MODEL:
        regressor = SVR(kernel="rbf", C=settings["C"], gamma=settings["gamma"], epsilon=SVR_EPSILON, tol=SVR_TOLERANCE)
    else:
        return NaiveForecast(model, target=target, horizon_days=horizon_days)
    return make_pipeline(PurchaseTerms(), StandardScaler(), RootTargetRegressor(regressor))


def _terms(features: pd.DataFrame) -> Floats:
    """Return the terms: roots of rates, money and counts, the logarithm of recency, and recency within the tenure."""
    value = {name: features[name].to_numpy(dtype=float) for name in FEATURES}
    columns = [
        _signed_root(value["spend"] / value["observed_days"]),
        _signed_root(value["frequency"] / value["observed_days"]),
        _signed_root(value["recent_spend"]),
        _signed_root(value["recent_frequency"]),
        _signed_root(value["monetary_value"]),
        np.log1p(value["recency_days"]),
        (value["recency_days"] + 1) / (value["tenure_days"] + 1),
    ]
    return np.column_stack(columns)


def _signed_root(values: Floats) -> Floats:
    """Return square roots that keep the sign: returns may outweigh purchases."""
    roots: Floats = np.sign(values) * np.sqrt(np.abs(values))
    return roots
