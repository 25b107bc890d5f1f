"""
How much of the past is learnt from, and whether periods are weighted to the latest share of the outcome.

Weights for the time at which outcomes become known are the matter of :mod:`crm_analysis.models.service_quality.prediction.labels`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

CASES_PER_PERIOD = 500
MAX_PERIODS = 20
LATEST_SHARE = 0.2
MAX_WEIGHT = 10.0


class Weighting(NamedTuple):
    """
    A way to learn from cases of different times.

    Attributes
    ----------
    memory : float
        Share of the cases, the latest, that are learnt from.
    is_balanced : bool
        Whether periods are weighted to the latest share of the outcome.
    """

    memory: float
    is_balanced: bool


AS_THEY_ARE = Weighting(1.0, is_balanced=False)
WEIGHTINGS = (
    AS_THEY_ARE,
    Weighting(0.5, is_balanced=False),
    Weighting(1.0, is_balanced=True),
    Weighting(0.5, is_balanced=True),
)


def weighted(cases: pd.DataFrame, weighting: Weighting, *, outcome: str) -> pd.DataFrame:
    """
    Return the cases that are learnt from, weighted.

    Parameters
    ----------
    cases : pandas.DataFrame
        Features, outcome and ``weight``, in the order of opening.
    weighting : Weighting
        The way.
    outcome : str
        The column that holds the outcome.

    Returns
    -------
    pandas.DataFrame
        The latest of them, or all, with a new ``weight``, 1 on average.

    Notes
    -----
    Where the outcome's share moves, whatever moves with time (how many cases a customer has had, how many are open) seems to cause
    it. With the same share in every period only what tells cases of one period apart is learnt. Periods have about 500 cases; no
    case gets more than ten times its weight.

    Examples
    --------
    >>> cases = pd.DataFrame({"reopened": [1, 1, 1, 0] * 250 + [0, 0, 0, 1] * 250, "weight": 1.0})
    >>> balanced = weighted(cases, Weighting(1.0, is_balanced=True), outcome="reopened")
    >>> early = balanced[:1000]
    >>> round(float(np.average(early["reopened"], weights=early["weight"])), 2)
    0.25
    """
    kept = cases.iloc[len(cases) - int(np.ceil(len(cases) * weighting.memory)) :]
    if not weighting.is_balanced or len(kept) < 2 * CASES_PER_PERIOD:
        return kept
    truth, weight = kept[outcome].to_numpy(dtype=float), kept["weight"].to_numpy(dtype=float)
    n_periods = min(MAX_PERIODS, len(kept) // CASES_PER_PERIOD)
    period = np.arange(len(kept)) * n_periods // len(kept)
    latest = int(len(kept) * (1 - LATEST_SHARE))
    goal = np.average(truth[latest:], weights=weight[latest:])
    share = (np.bincount(period, weight * truth) + goal) / (np.bincount(period, weight) + 1)
    own = share[period]
    factor = np.where(truth == 1, goal / own, (1 - goal) / (1 - own)).clip(max=MAX_WEIGHT)
    return kept.assign(weight=weight * factor / np.average(factor, weights=weight))


def weighting_in_words(weighting: Weighting) -> str:
    """
    Return what is learnt from, in words.

    Parameters
    ----------
    weighting : Weighting
        The way.

    Returns
    -------
    str
        Such as ``all cases as they are``.
    """
    cases = "all cases" if weighting.memory == 1 else f"the latest {weighting.memory:.0%} of cases"
    return f"{cases} {'weighted to the latest share of the outcome' if weighting.is_balanced else 'as they are'}"
