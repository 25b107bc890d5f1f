"""
Shares of topics over time and of outcomes within topics, held against chance where customers write more than once.

How topics are found belongs in :mod:`crm_analysis.models.text.factors`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from crm_analysis.models.evaluation import wilson_interval
from crm_analysis.models.text.corpus import Flags, Floats, Integers

LEVEL = 0.95
FEWEST_CUSTOMERS = 20  # below which no test is made


@dataclass(frozen=True)
class Difference:
    """
    A share in a topic against the share in all other texts.

    Attributes
    ----------
    share, low, high : float
        In the topic, with its 95 % interval.
    rest : float
        In all other texts.
    p_value : float
        Of no difference; missing where there are too few customers.
    """

    share: float
    low: float
    high: float
    rest: float
    p_value: float


def trend_p_value(belongs: Flags, times: Floats, customers: Integers) -> float:
    """
    Return the chance of so strong a straight trend if a topic's share did not change.

    Parameters
    ----------
    belongs : numpy.ndarray of bool
        Whether each text belongs to the topic.
    times : numpy.ndarray of float
        When it was written.
    customers : numpy.ndarray of int
        Who wrote it, as numbers from 0: texts of one customer count as related.

    Returns
    -------
    float
        Two-sided; missing with fewer than 20 customers, one time, or where all texts or none belong.

    Notes
    -----
    The score test of a logistic trend (Cochran–Armitage) with the variance between customers.

    References
    ----------
    Armitage (1955), "Tests for linear trends in proportions and frequencies", Biometrics 11. Liang, Zeger (1986),
    "Longitudinal data analysis using generalized linear models", Biometrika 73.

    Examples
    --------
    >>> times = np.arange(60.0)
    >>> trend_p_value(times > 40, times, np.arange(60)) < 0.001
    True
    """
    scores = (times - times.mean()) * (belongs - belongs.mean()) if len(times) else np.zeros(0)
    return _p_value(scores, customers)


def share_difference(belongs: Flags, happened: Flags, customers: Integers) -> Difference:
    """
    Compare how often something happened to the texts of a topic and to all others.

    Parameters
    ----------
    belongs : numpy.ndarray of bool
        Whether each text belongs to the topic.
    happened : numpy.ndarray of bool
        Whether it happened, such as a low satisfaction.
    customers : numpy.ndarray of int
        Who wrote it, as numbers from 0: texts of one customer count as related.

    Returns
    -------
    Difference
        The interval is Wilson's with the number of texts that would tell as much if each came from another customer.

    References
    ----------
    Wilson (1927), "Probable Inference", JASA 22(158). Kish (1965), "Survey Sampling", for the design effect.

    Examples
    --------
    >>> belongs, happened = np.repeat([True, False], 40), np.tile([True, False, False, False], 20)
    >>> found = share_difference(belongs, happened, np.arange(80))
    >>> found.share, found.rest, round(found.p_value, 2)
    (0.25, 0.25, 1.0)
    """
    inside, outside = happened[belongs], happened[~belongs]
    share, rest = (float(part.mean()) if len(part) else math.nan for part in (inside, outside))
    low, high = _wilson(inside, customers[belongs])
    if not len(inside) or not len(outside):
        return Difference(share, low, high, rest, math.nan)
    influence = np.where(belongs, (happened - share) / len(inside), -(happened - rest) / len(outside))
    sums = np.bincount(customers, influence)
    n_customers = int(np.count_nonzero(np.bincount(customers)))
    if n_customers < FEWEST_CUSTOMERS:
        return Difference(share, low, high, rest, math.nan)
    error = math.sqrt(float((sums**2).sum()) * n_customers / (n_customers - 1))
    p_value = float(2 * t.sf(abs(share - rest) / error, n_customers - 1)) if error > 0 else math.nan
    return Difference(share, low, high, rest, p_value)


def holm(p_values: NDArray[np.float64]) -> Floats:
    """
    Return p-values for as many questions at once.

    Parameters
    ----------
    p_values : numpy.ndarray of float
        Missing ones are no questions.

    Returns
    -------
    numpy.ndarray of float
        Below .05 where even the chance of one false alarm among all is below .05.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.full(len(p_values), np.nan)
    asked = np.flatnonzero(~np.isnan(p_values))
    order = asked[np.argsort(p_values[asked], kind="stable")]
    raised = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0) if len(order) else raised
    return adjusted


def _p_value(scores: Floats, customers: Integers) -> float:
    """Return the two-sided p-value of scores that sum to nothing by chance, related within customers."""
    n_customers = int(np.count_nonzero(np.bincount(customers)))
    if n_customers < FEWEST_CUSTOMERS:
        return math.nan
    spread = float((np.bincount(customers, scores) ** 2).sum()) * n_customers / (n_customers - 1)
    if spread <= 1e-12 * max(float(np.abs(scores).sum()), 1.0):
        return math.nan
    return float(2 * t.sf(abs(float(scores.sum())) / math.sqrt(spread), n_customers - 1))


def _wilson(happened: Flags, customers: Integers) -> tuple[float, float]:
    """Return Wilson's interval of a share, wider where texts of one customer are alike."""
    if not len(happened):
        return math.nan, math.nan
    share = float(happened.mean())
    size = len(happened) / _design_effect(happened, customers)
    low, high = wilson_interval(share, size)
    return float(low), float(high)


def _design_effect(happened: Flags, customers: Integers) -> float:
    """Return the variance between customers over that of independent texts; at least 1."""
    share = float(happened.mean())
    if share in {0.0, 1.0}:
        return 1.0
    clustered = float((np.bincount(customers, happened - share) ** 2).sum())
    return max(1.0, clustered / (len(happened) * share * (1 - share)))
