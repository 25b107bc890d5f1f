"""
How good probabilities of an outcome are on later cases: ranking, sharpness, and what a review would find, with intervals.

Curves and calibration are the matter of :mod:`crm_analysis.models.service_quality.prediction.curves`, measures of forecasts of money
and counts that of :mod:`crm_analysis.models.evaluation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from crm_analysis.models.evaluation import percentile_interval
from crm_analysis.models.service_quality.disclosure import is_of_few

N_RESAMPLES = 200
CERTAIN = 1e-6  # no probability is taken to be nearer to 0 or 1
MEASURES = ("auc", "average_precision", "brier", "log_loss")
BASE_RATE = "base_rate"
BRIER_GAIN = "brier_gain"

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


class ProbabilityJudge:
    """
    Measures of one model's probabilities under any weights of the cases, sorted once.

    Parameters
    ----------
    truth : numpy.ndarray
        0 or 1.
    probability : numpy.ndarray
        Of the outcome.
    """

    def __init__(self, truth: Floats, probability: Floats) -> None:
        self._order = np.argsort(-probability, kind="stable")
        ranked = probability[self._order]
        self._last_of_ties = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
        self._truth = truth[self._order]
        self._squared = (probability - truth) ** 2
        clipped = np.clip(probability, CERTAIN, 1 - CERTAIN)
        self._loss = -np.log(np.where(truth == 1, clipped, 1 - clipped))

    def measures(self, weight: Floats) -> dict[str, float]:
        """
        Return the measures of weighted cases.

        Parameters
        ----------
        weight : numpy.ndarray
            Of each case, such as how often its customer was drawn.

        Returns
        -------
        dict of str to float
            Those of :data:`MEASURES`; area and precision are NaN where all cases are of one kind.
        """
        ranked = weight[self._order]
        found = np.cumsum(ranked * self._truth)[self._last_of_ties]
        reviewed = np.cumsum(ranked)[self._last_of_ties]
        n_yes, total = found[-1], reviewed[-1]
        area = precision = math.nan
        if 0 < n_yes < total:
            more, wrong = np.diff(found, prepend=0.0), np.diff(reviewed - found, prepend=0.0)
            area = float(wrong @ (found - more / 2) / (n_yes * (total - n_yes)))
            precision = float(more @ (found / np.maximum(reviewed, 1e-12)) / n_yes)
        return {
            "auc": area,
            "average_precision": precision,
            "brier": float(weight @ self._squared / total),
            "log_loss": float(weight @ self._loss / total),
        }


def resampled_measures(
    cases: pd.DataFrame,
    probability: Mapping[str, Floats],
    *,
    outcome: str,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, pd.DataFrame]:
    """
    Measure several models on the same resamples of the customers.

    Parameters
    ----------
    cases : pandas.DataFrame
        Later cases: ``customer_id`` and the outcome.
    probability : mapping of str to numpy.ndarray
        Of the outcome, in the order of the cases, by model.
    outcome : str
        The column that holds the outcome.
    seed : int
        Start of the draws.
    n_resamples : int
        Draws with replacement, each of as many customers as there are, with all their cases.

    Returns
    -------
    dict of str to pandas.DataFrame
        By model: a column a measure; the first row is the cases as they are, every other one a resample. Models may be
        subtracted from each other.

    References
    ----------
    Field, Welsh (2007), "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69(3).
    """
    truth = cases[outcome].to_numpy(dtype=float)
    judges = {model: ProbabilityJudge(truth, likely) for model, likely in probability.items()}
    customer, distinct = pd.factorize(cases["customer_id"])
    draws = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, float]]] = {
        model: [judge.measures(np.ones(len(truth)))] for model, judge in judges.items()
    }
    for _ in range(n_resamples):
        times = np.bincount(draws.integers(len(distinct), size=len(distinct)), minlength=len(distinct)).astype(float)
        for model, judge in judges.items():
            rows[model].append(judge.measures(times[customer]))
    return {model: pd.DataFrame(measures) for model, measures in rows.items()}


def judged(resampled: Mapping[str, pd.DataFrame], *, model: str, rival: str) -> pd.DataFrame:
    """
    Judge a model on later cases beside the same probability for every case and a simple rival.

    Parameters
    ----------
    resampled : mapping of str to pandas.DataFrame
        As :func:`resampled_measures` returns them, ``base_rate`` among the models.
    model : str
        The model judged.
    rival : str
        The simple model it has to beat.

    Returns
    -------
    pandas.DataFrame
        Index ``measure``: ``auc``, ``average_precision``, ``brier``, ``log_loss``, and ``brier_gain`` (the base rate's Brier score
        less the model's); columns ``model``, its 95 % interval ``low`` to ``high``, ``base_rate``, ``rival``, and ``difference``
        (model less rival) with its paired interval ``difference_low`` to ``difference_high``.

    Notes
    -----
    Intervals are by resampling customers with all their cases: cases of one customer are alike.
    """
    own, other, naive = resampled[model], resampled[rival], resampled[BASE_RATE]
    own, other = (table.assign(**{BRIER_GAIN: naive["brier"] - table["brier"]}) for table in (own, other))
    rows = {}
    for name in (*MEASURES, BRIER_GAIN):
        low, high = percentile_interval(own[name][1:])
        behind, ahead = percentile_interval((own[name] - other[name])[1:])
        rows[name] = {
            "model": own[name][0],
            "low": low,
            "high": high,
            "base_rate": 0.0 if name == BRIER_GAIN else naive[name][0],
            "rival": other[name][0],
            "difference": own[name][0] - other[name][0],
            "difference_low": behind,
            "difference_high": ahead,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def all_judged(resampled: Mapping[str, pd.DataFrame], *, chosen: str) -> pd.DataFrame:
    """
    Return every model's figures on later cases, which nothing was chosen by.

    Parameters
    ----------
    resampled : mapping of str to pandas.DataFrame
        As :func:`resampled_measures` returns them.
    chosen : str
        The model that was taken before these cases were looked at.

    Returns
    -------
    pandas.DataFrame
        Index ``model``; for each of :data:`MEASURES` the figure, and its 95 % interval in ``<measure>_low`` and
        ``<measure>_high``; ``is_chosen``.
    """
    rows = {}
    for model, table in resampled.items():
        ends = {name: percentile_interval(table[name][1:]) for name in MEASURES}
        figures = {name: (table[name][0], *ends[name]) for name in MEASURES}
        rows[model] = {
            f"{name}{end}": figure
            for name in MEASURES
            for end, figure in zip(("", "_low", "_high"), figures[name], strict=True)
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    return table.assign(is_chosen=table.index == chosen)


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
        Least number of customers among the cases reviewed and not reviewed, with and without the outcome.

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
    if min_cell > 1 and _tells_of_few(cases, (rank <= n_reviewed).to_numpy(), truth.to_numpy() == 1, min_cell):
        return ReviewGain(n_reviewed, math.nan, math.nan, math.nan)
    mean_of_ties = truth.groupby(probability.to_numpy()).transform("mean")
    found = float(mean_of_ties[rank <= n_reviewed].sum())
    precision, n_yes = found / n_reviewed, int(truth.sum())
    recall = found / n_yes if n_yes else math.nan
    lift = precision * len(truth) / n_yes if n_yes else math.nan
    return ReviewGain(n_reviewed, precision, recall, lift)


def _tells_of_few(
    cases: pd.DataFrame, reviewed: npt.NDArray[np.bool_], yes: npt.NDArray[np.bool_], min_cell: int
) -> bool:
    """Return whether the reviewed or the others, with or without the outcome, are of too few customers."""
    parts = (reviewed, yes, reviewed & yes, reviewed & ~yes, ~reviewed & yes, ~reviewed & ~yes)
    return is_of_few(cases["customer_id"], *parts, min_cell=min_cell)
