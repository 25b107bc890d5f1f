"""
Curves of later cases: what a review finds as it grows, and whether probabilities mean what they say.

Single figures with intervals are the matter of :mod:`crm_analysis.models.service_quality.prediction.judgement`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from crm_analysis.models.evaluation import quantile_groups
from crm_analysis.models.service_quality.disclosure import is_of_few
from crm_analysis.models.service_quality.prediction.calibrated import log_odds, logistic_line

N_STEPS = 20
N_SIMULATED = 200
MANY = 50_000
LEVEL = 0.95

Floats = npt.NDArray[np.float64]


class CalibrationLine(NamedTuple):
    """
    How the log-odds of the outcome go with those of its probability, with 95 % intervals.

    Attributes
    ----------
    intercept : float
        0 for right probabilities; below 0 where they are too high at even odds.
    intercept_low : float
        Lower end.
    intercept_high : float
        Upper end.
    slope : float
        1 for right probabilities; below 1 where they are too extreme.
    slope_low : float
        Lower end.
    slope_high : float
        Upper end.
    """

    intercept: float
    intercept_low: float
    intercept_high: float
    slope: float
    slope_low: float
    slope_high: float


def review_curves(
    cases: pd.DataFrame, probability: Mapping[str, Floats], *, outcome: str, min_cell: int = 1
) -> pd.DataFrame:
    """
    Return what a review finds as it goes on from the riskiest cases to the others.

    Parameters
    ----------
    cases : pandas.DataFrame
        Later cases with ``customer_id`` and the outcome, of both kinds.
    probability : mapping of str to numpy.ndarray
        Of the outcome, in the order of the cases, by model.
    outcome : str
        The column that holds the outcome.
    min_cell : int
        Least number of customers, with the outcome and without, by which a point differs from the one before; points in between
        are left out.

    Returns
    -------
    pandas.DataFrame
        By ``model`` some twenty points: ``share_reviewed``; ``share_found`` of the cases with the outcome (the gain curve; against
        ``share_of_others``, the reviewed share of cases without it, the ROC curve); ``precision``, the share of the reviewed with
        the outcome (against ``share_found`` the curve of precision and recall). Cases of equal probability count with their mean.
    """
    tables = [
        _review_curve(cases, likely, outcome, min_cell=min_cell).assign(model=model)
        for model, likely in probability.items()
    ]
    columns = ["model", "share_reviewed", "share_found", "share_of_others", "precision"]
    return pd.concat(tables, ignore_index=True)[columns]


def calibration_line(cases: pd.DataFrame, probability: Floats, *, outcome: str) -> CalibrationLine:
    """
    Return intercept and slope of the outcome's log-odds on those of its probability.

    Parameters
    ----------
    cases : pandas.DataFrame
        Later cases: ``customer_id`` and the outcome.
    probability : numpy.ndarray
        Of the outcome, in the order of the cases.
    outcome : str
        The column that holds the outcome.

    Returns
    -------
    CalibrationLine
        Intervals hold for customers with several cases alike; NaN where all probabilities, or all outcomes, are alike.

    References
    ----------
    Cox (1958), Biometrika 45; Liang, Zeger (1986), "Longitudinal data analysis using generalized linear models", Biometrika 73(1).
    """
    truth, odds = cases[outcome].to_numpy(dtype=float), log_odds(probability)
    if np.ptp(odds) < 1e-9 or not 0 < truth.mean() < 1:
        return CalibrationLine(*[math.nan] * 6)
    intercept, slope = logistic_line(truth, probability, weight=np.ones(len(truth)))
    design = np.column_stack([np.ones(len(odds)), odds])
    fit = expit(intercept + slope * odds)
    bread = np.linalg.pinv(design.T @ (design * (fit * (1 - fit))[:, None]))
    scores = (
        pd.DataFrame(design * (truth - fit)[:, None]).groupby(pd.factorize(cases["customer_id"])[0]).sum().to_numpy()
    )
    half = norm.ppf((1 + LEVEL) / 2) * np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread))
    return CalibrationLine(intercept, intercept - half[0], intercept + half[0], slope, slope - half[1], slope + half[1])


def calibration_error_by_chance(probability: Floats, *, n_bins: int, seed: int) -> float:
    """
    Return the calibration error that right probabilities would show on as many cases.

    Parameters
    ----------
    probability : numpy.ndarray
        Of the outcome.
    n_bins : int
        Groups by quantiles of the probability.
    seed : int
        Start of the draws.

    Returns
    -------
    float
        Mean over 200 draws (20 for more than 50,000 cases) of outcomes from these probabilities: an error of this size is no fault.

    Notes
    -----
    Shares in groups of finite size differ from right probabilities by chance, and distances do not cancel.

    References
    ----------
    Bröcker, Smith (2007), "Increasing the reliability of reliability diagrams", Weather and Forecasting 22(3).
    """
    group = np.searchsorted(quantile_groups(probability, n_bins), probability)
    size = np.bincount(group)
    expected = np.bincount(group, probability)
    draws = np.random.default_rng(seed)
    errors = []
    for _ in range(N_SIMULATED if len(probability) <= MANY else N_SIMULATED // 10):
        came = np.bincount(group, draws.random(len(probability)) < probability, minlength=len(size))
        errors.append(np.abs(came - expected).sum() / len(probability))
    return float(np.mean(errors))


def _review_curve(cases: pd.DataFrame, probability: Floats, outcome: str, *, min_cell: int) -> pd.DataFrame:
    truth = cases[outcome].reset_index(drop=True)
    likely = pd.Series(probability).reset_index(drop=True)
    rank = likely.rank(ascending=False, method="first").astype(int).to_numpy() - 1
    ranked = np.empty(len(truth))
    ranked[rank] = truth.groupby(likely).transform("mean")
    customers, is_yes = np.empty(len(truth), dtype=np.int64), np.empty(len(truth), dtype=bool)
    customers[rank] = pd.factorize(cases["customer_id"])[0]
    is_yes[rank] = truth.to_numpy() == 1
    points = _points(customers, is_yes, min_cell=min_cell)
    found = np.append(0.0, np.cumsum(ranked))[points]
    n_yes = found[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            "share_reviewed": points / len(truth),
            "share_found": found / n_yes,
            "share_of_others": (points - found) / (len(truth) - n_yes),
            "precision": found / points,
        }
    return pd.DataFrame(shares)


def _points(customers: npt.NDArray[np.int64], is_yes: npt.NDArray[np.bool_], *, min_cell: int) -> npt.NDArray[np.int64]:
    """Numbers of cases reviewed, from none to all; between two of them lie cases of enough customers of either kind."""

    def tells_of_few(first: int, end: int) -> bool:
        inside, yes = customers[first:end], is_yes[first:end]
        return is_of_few(inside, np.ones(len(yes), dtype=bool), yes, ~yes, min_cell=min_cell)

    wanted = np.unique(np.linspace(0, len(customers), N_STEPS + 1).round().astype(int)).tolist()
    points = [0]
    for point in wanted[1:]:
        if not tells_of_few(points[-1], point):
            points.append(point)
    while len(points) > 1 and tells_of_few(points[-1], len(customers)):
        points.pop()  # the last step takes the rest
    return np.array(points if points[-1] == len(customers) else [*points, len(customers)])
