"""
How good probabilities of an outcome are on later cases: ranking, sharpness, calibration, and what a review would find.

Measures of forecasts of money and counts live in :mod:`crm_analysis.models.evaluation`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from crm_analysis.models.evaluation import bootstrap_interval
from crm_analysis.tables.privacy.suppression import small

Floats = npt.NDArray[np.float64]


class ReviewGain(NamedTuple):
    """
    What a team finds that reviews the cases with the highest probabilities.

    Attributes
    ----------
    n_reviewed : int
        Cases reviewed.
    precision : float
        Share of them with the outcome.
    recall : float
        Share of all cases with the outcome that are among them.
    lift : float
        Precision over the share of the outcome in all cases.
    """

    n_reviewed: int
    precision: float
    recall: float
    lift: float


def auc(truth: Floats, probability: Floats) -> float:
    """
    Return the chance that a case with the outcome has a higher probability than one without.

    Parameters
    ----------
    truth : numpy.ndarray
        0 or 1.
    probability : numpy.ndarray
        Of the outcome.

    Returns
    -------
    float
        Area under the ROC curve, ties counted half; NaN when all cases are of one kind.

    Examples
    --------
    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    n_yes = truth.sum()
    n_no = len(truth) - n_yes
    if not n_yes or not n_no:
        return math.nan
    return float((rankdata(probability)[truth == 1].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no))


def brier(truth: Floats, probability: Floats) -> float:
    """
    Return the mean squared distance between probability and outcome.

    Parameters
    ----------
    truth : numpy.ndarray
        0 or 1.
    probability : numpy.ndarray
        Of the outcome.

    Returns
    -------
    float
        0 is perfect.

    References
    ----------
    Brier (1950), "Verification of forecasts", Monthly Weather Review 78(1).
    """
    return float(np.mean((probability - truth) ** 2))


def judged(
    cases: pd.DataFrame, probability: pd.Series, *, outcome: str, training_rate: float, seed: int
) -> pd.DataFrame:
    """
    Judge probabilities on later cases, beside the same probability for every case.

    Parameters
    ----------
    cases : pandas.DataFrame
        Later cases: ``customer_id`` and the outcome.
    probability : pandas.Series
        Of the outcome, in the order of the cases.
    outcome : str
        The column that holds the outcome.
    training_rate : float
        Share of the outcome in the cases learnt from: what the naive baseline says of every case.
    seed : int
        Start of everything random.

    Returns
    -------
    pandas.DataFrame
        Index ``measure``: ``auc``, ``average_precision``, ``brier``, and ``brier_gain`` (the baseline's Brier score less the
        model's); columns ``model``, its 95 % interval ``low`` to ``high``, and ``base_rate``.
    """
    truth, predicted = cases[outcome].to_numpy(dtype=float), probability.to_numpy(dtype=float)
    naive = np.full(len(truth), training_rate)
    measures = {
        "auc": (auc, 0.5),
        "average_precision": (average_precision, truth.mean()),
        "brier": (brier, brier(truth, naive)),
        "brier_gain": (lambda y, p: brier(y, np.full(len(y), training_rate)) - brier(y, p), 0.0),
    }
    rows = {}
    for name, (measure, of_base_rate) in measures.items():
        low, high = bootstrap_interval(measure, truth, predicted, seed=seed)
        rows[name] = {"model": measure(truth, predicted), "low": low, "high": high, "base_rate": of_base_rate}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def average_precision(truth: Floats, probability: Floats) -> float:
    """
    Return the mean precision over all shares of cases that could be reviewed.

    Parameters
    ----------
    truth : numpy.ndarray
        0 or 1.
    probability : numpy.ndarray
        Of the outcome.

    Returns
    -------
    float
        As large as the share of the outcome for a useless ranking; NaN when no case has it.

    Examples
    --------
    >>> average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.8333333333333333
    """
    if not truth.any():
        return math.nan
    order = np.argsort(-probability, kind="stable")
    found = np.cumsum(truth[order])
    last_of_ties = np.append(np.diff(probability[order]) != 0, True)
    precision = (found / np.arange(1, len(truth) + 1))[last_of_ties]
    return float(np.sum(precision * np.diff(found[last_of_ties], prepend=0)) / found[-1])


def review_gain(
    cases: pd.DataFrame, probability: pd.Series, *, outcome: str, review_share: float, min_cell: int = 1
) -> ReviewGain:
    """
    Return what a review of the riskiest cases would have found.

    Parameters
    ----------
    cases : pandas.DataFrame
        Later cases with the outcome; ``customer_id`` where `min_cell` is above 1.
    probability : pandas.Series
        Of the outcome, in the order of the cases.
    outcome : str
        The column that holds the outcome.
    review_share : float
        Share of the cases that can be reviewed; at least one case is.
    min_cell : int
        Least number of customers among the reviewed cases, and among those with the outcome.

    Returns
    -------
    ReviewGain
        Cases of equal probability are reviewed in no particular order: they count with their mean. NaN where there are too few
        customers.

    Examples
    --------
    >>> cases = pd.DataFrame({"sla_missed": [1, 0, 0, 1, 0]})
    >>> review_gain(cases, pd.Series([0.9, 0.1, 0.2, 0.3, 0.1]), outcome="sla_missed", review_share=0.2)
    ReviewGain(n_reviewed=1, precision=1.0, recall=0.5, lift=2.5)
    """
    if not 0 < review_share <= 1:
        raise ValueError(f"review_share must lie above 0 and be at most 1, got {review_share!r}")
    n_reviewed = max(1, round(review_share * len(cases)))
    truth = cases[outcome].reset_index(drop=True)
    rank = probability.reset_index(drop=True).rank(ascending=False, method="first")
    if min_cell > 1 and _are_few(cases, (rank <= n_reviewed).to_numpy(), truth.to_numpy() == 1, min_cell=min_cell):
        return ReviewGain(n_reviewed, math.nan, math.nan, math.nan)
    mean_of_ties = truth.groupby(probability.to_numpy()).transform("mean")
    found = float(mean_of_ties[rank <= n_reviewed].sum())
    precision, n_yes = found / n_reviewed, int(truth.sum())
    recall = found / n_yes if n_yes else math.nan
    lift = precision * len(truth) / n_yes if n_yes else math.nan
    return ReviewGain(n_reviewed, precision, recall, lift)


def _are_few(cases: pd.DataFrame, *parts: npt.NDArray[np.bool_], min_cell: int) -> bool:
    """Return whether any part of the cases is of too few customers."""
    counts = [cases["customer_id"][part].nunique() for part in parts]
    return bool(small(counts, min_cell=min_cell).any())
