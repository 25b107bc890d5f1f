"""
Probabilities that mean what they say: corrected on a period of their own that the model has not learnt from.

How far they can be taken at their word later is judged in :mod:`crm_analysis.models.service_quality.prediction.curves`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline

from crm_analysis.models.service_quality.prediction.classifiers import fitted, probabilities

CALIBRATION_SHARE = 0.2  # of the cases learnt from, the latest
MIN_CASES_PER_CLASS = 10  # on either side
MIN_CASES_ISOTONIC = 1000
MIN_RARER_ISOTONIC = 100
CERTAIN = 1e-6  # no probability is taken to be nearer to 0 or 1

Floats = npt.NDArray[np.float64]


class Line(NamedTuple):
    """
    How the log-odds of an outcome go with those of its probability.

    Attributes
    ----------
    intercept : float
        Where they are even; 0 for right probabilities.
    slope : float
        1 for right probabilities; below 1 where they are too extreme.
    """

    intercept: float
    slope: float


@dataclass(frozen=True)
class Calibration:
    """
    A rising curve from a model's probability to the share that came.

    Attributes
    ----------
    method : str
        ``isotonic`` or ``logistic``.
    n_cases : int
        Cases it was learnt from.
    line : Line or None
        The curve of the logistic method.
    knots : numpy.ndarray or None
        Probabilities and shares, two rows, between which the isotonic curve is straight.
    """

    method: str
    n_cases: int
    line: Line | None = None
    knots: Floats | None = None

    def apply(self, probability: Floats) -> Floats:
        """
        Return corrected probabilities.

        Parameters
        ----------
        probability : numpy.ndarray
            As a model gives them.

        Returns
        -------
        numpy.ndarray
            Above 0 and below 1.
        """
        if self.line is not None:
            return np.asarray(expit(self.line.intercept + self.line.slope * log_odds(probability)), dtype=float)
        if self.knots is None:
            raise ValueError("a calibration needs a line or knots")
        return np.asarray(np.interp(probability, *self.knots), dtype=float)


class CalibratedClassifier(ClassifierMixin, BaseEstimator):
    """
    A fitted classifier whose probabilities are corrected.

    Parameters
    ----------
    estimator : sklearn.base.ClassifierMixin
        Fitted.
    calibration : Calibration
        The correction.
    """

    def __init__(self, estimator: Any, calibration: Calibration) -> None:
        self.estimator = estimator
        self.calibration = calibration

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """The two outcomes."""
        return np.asarray(self.estimator.classes_)

    def fit(self, X: Any, y: Any) -> CalibratedClassifier:
        """
        Fit the estimator; the correction stays.

        Parameters
        ----------
        X : array-like
            Encoded cases.
        y : array-like
            Outcomes.

        Returns
        -------
        CalibratedClassifier
            Itself.
        """
        self.estimator.fit(X, y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """
        Return corrected probabilities of both outcomes.

        Parameters
        ----------
        X : array-like
            Encoded cases.

        Returns
        -------
        numpy.ndarray
            Two columns.
        """
        likely = self.calibration.apply(self.estimator.predict_proba(X)[:, 1])
        return np.column_stack([1 - likely, likely])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """
        Return the more likely outcome.

        Parameters
        ----------
        X : array-like
            Encoded cases.

        Returns
        -------
        numpy.ndarray
            One of :attr:`classes_` a row.
        """
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)])

    def __sklearn_is_fitted__(self) -> bool:
        """Return that nothing is left to fit."""
        return True


def calibrated_model(model: str, cases: pd.DataFrame, *, outcome: str, **settings: Any) -> Pipeline | None:
    """
    Return a model fitted on earlier cases whose probabilities are corrected on the latest ones.

    Parameters
    ----------
    model : str
        Which model.
    cases : pandas.DataFrame
        Features and outcome of all cases to learn from, in the order of opening; with ``weight`` where they differ.
    outcome : str
        The column that holds the outcome.
    **settings : Any
        Those of :func:`~crm_analysis.models.service_quality.prediction.classifiers.fitted`.

    Returns
    -------
    sklearn.pipeline.Pipeline or None
        None where one of the two parts has fewer than ten cases of either outcome.

    Notes
    -----
    The latest fifth of the cases, by opening, is kept apart from fitting. The curve is isotonic from 1,000 such cases on, of
    which 100 are of the rarer kind; with fewer it is a line in log-odds.

    References
    ----------
    Platt (1999), "Probabilistic outputs for support vector machines"; Zadrozny, Elkan (2002), KDD; Niculescu-Mizil, Caruana
    (2005), "Predicting good probabilities with supervised learning", ICML.
    """
    cut = int(len(cases) * (1 - CALIBRATION_SHARE))
    earlier, latest = cases.iloc[:cut], cases.iloc[cut:]
    if min(_rarer(earlier[outcome]), _rarer(latest[outcome])) < MIN_CASES_PER_CLASS:
        return None
    pipeline = fitted(model, earlier, outcome=outcome, **settings)
    weight = latest["weight"].to_numpy() if "weight" in latest else np.ones(len(latest))
    truth, likely = latest[outcome].to_numpy(dtype=float), probabilities(pipeline, latest).to_numpy()
    calibration = fit_calibration(truth, likely, weight=weight)
    corrected = CalibratedClassifier(pipeline["classify"], calibration)
    return Pipeline([("encode", pipeline["encode"]), ("classify", corrected)])


def fit_calibration(truth: Floats, probability: Floats, *, weight: Floats | None = None) -> Calibration:
    """
    Learn a correction from cases that a model has not learnt from.

    Parameters
    ----------
    truth : numpy.ndarray
        0 or 1, of both kinds.
    probability : numpy.ndarray
        Of the outcome.
    weight : numpy.ndarray, optional
        Of the cases.

    Returns
    -------
    Calibration
        Isotonic where the cases are many, else a line in log-odds.

    Examples
    --------
    >>> truth = np.array([0.0, 1.0] * 50)
    >>> fit_calibration(truth, np.full(100, 0.9)).apply(np.array([0.9])).round(2).tolist()
    [0.5]
    """
    weight = np.ones(len(truth)) if weight is None else weight
    if len(truth) >= MIN_CASES_ISOTONIC and _rarer(pd.Series(truth)) >= MIN_RARER_ISOTONIC:
        least = 1 / (len(truth) + 2)
        curve = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
        curve.fit(probability, truth, sample_weight=weight)
        return Calibration("isotonic", len(truth), knots=np.stack([curve.X_thresholds_, curve.y_thresholds_]))
    n_yes, n_no = float(truth.sum()), float((1 - truth).sum())
    softened = np.where(truth == 1, (n_yes + 1) / (n_yes + 2), 1 / (n_no + 2))  # Platt's: no line runs off to certainty
    line = logistic_line(softened, probability, weight=weight)
    return Calibration("logistic", len(truth), line=line._replace(slope=max(line.slope, 0.0)))


def logistic_line(truth: Floats, probability: Floats, *, weight: Floats) -> Line:
    """
    Fit how the log-odds of an outcome go with those of its probability.

    Parameters
    ----------
    truth : numpy.ndarray
        From 0 to 1.
    probability : numpy.ndarray
        Of the outcome.
    weight : numpy.ndarray
        Of the cases.

    Returns
    -------
    Line
        By maximum likelihood. Where all probabilities are alike the slope is 0.

    References
    ----------
    Cox (1958), "Two further applications of a model for binary regression", Biometrika 45.
    """
    odds, share = log_odds(probability), weight / weight.sum()
    if np.ptp(odds) < CERTAIN:
        return Line(float(log_odds(np.array([share @ truth]))[0]), 0.0)
    centre, scale = float(share @ odds), float(np.sqrt(share @ (odds - share @ odds) ** 2)) or 1.0
    standard = (odds - centre) / scale

    loss = partial(_logistic_loss, standard=standard, truth=truth, share=share)
    found = minimize(
        loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(-30, 30), (-30, 30)], tol=1e-12
    ).x
    return Line(float(found[0] - found[1] * centre / scale), float(found[1] / scale))


def log_odds(probability: Floats) -> Floats:
    """
    Return the log-odds of probabilities, finite also at 0 and 1.

    Parameters
    ----------
    probability : numpy.ndarray
        From 0 to 1.

    Returns
    -------
    numpy.ndarray
        Between -14 and 14.
    """
    return np.asarray(logit(np.clip(probability, CERTAIN, 1 - CERTAIN)), dtype=float)


def _logistic_loss(line: Floats, *, standard: Floats, truth: Floats, share: Floats) -> tuple[float, Floats]:
    """The mean loss of a line in log-odds, and its slope in both directions."""
    fit = line[0] + line[1] * standard
    residual = share * (expit(fit) - truth)
    return float(share @ (np.logaddexp(0, fit) - truth * fit)), np.array([residual.sum(), residual @ standard])


def _rarer(outcome: pd.Series) -> int:
    """The number of cases of the rarer kind."""
    n_yes = int(outcome.sum())
    return min(n_yes, len(outcome) - n_yes)
