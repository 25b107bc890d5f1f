"""
Straightening: whether a feature counts in differences or in ratios.

How straightened features become points belongs in :mod:`crm_analysis.models.segmentation.preparing.scaling`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_HUMPS = 6
_UNIT_QUANTILES = (0.01, 0.05, 0.10, 0.25, 0.50)
_PURE = 20.0
_ROWS = 1_500
_LEAST_WIDTH = 1e-3
_ROUNDS = 50


def signed_log(values: Floats, *, unit: float) -> Floats:
    """
    Return the logarithm that also takes zero and negative values.

    Parameters
    ----------
    values : numpy.ndarray
        Any numbers.
    unit : float
        What counts as small, in the values' own unit; > 0.

    Returns
    -------
    numpy.ndarray
        ``sign(x) * log(1 + |x| / unit)``.

    Examples
    --------
    >>> signed_log(np.array([-9.0, 0.0, 9.0, 99.0]), unit=1.0).round(2)
    array([-2.3 ,  0.  ,  2.3 ,  4.61])
    """
    return np.asarray(np.sign(values) * np.log1p(np.abs(values) / unit), dtype=float)


def log_unit(values: Floats) -> float:
    """
    Return the unit of the logarithm that describes a feature best.

    Parameters
    ----------
    values : numpy.ndarray
        The feature of every customer; it varies.

    Returns
    -------
    float
        For :func:`signed_log`; NaN where the feature is better taken as it is.

    Notes
    -----
    Each scale is judged by how well one to six humps of equal width describe the feature on it: the classification likelihood
    of a mixture of normals with a common variance, times the slope of the logarithm, less ``log(n)`` per hump (BIC). Skewness
    alone would be misled by groups: a few large customers skew a feature whose groups are even, and groups that are even in
    ratios need not skew it. Tried as units are the 1, 5, 10, 25 and 50 % quantiles of the sizes other than zero, and for positive
    features a twentieth of the first, a nearly pure logarithm. The units move with the currency, so nothing depends on
    whether money is counted in pence or in pounds, as with a plain ``log1p``. Whole numbers are spread over the unit around them,
    and at most some 1,500 values, evenly taken from the sorted ones, are looked at.

    References
    ----------
    Box, Cox (1964), "An analysis of transformations", for choosing a scale by its likelihood.
    """
    units = np.quantile(np.abs(values[values != 0]), _UNIT_QUANTILES)
    if values.min() > 0:
        units = np.concatenate([[units[0] / _PURE], units])
    ordered = _spread(np.sort(values)) if is_whole(values) else np.sort(values)
    ordered = ordered[:: max(1, len(ordered) // _ROWS)]
    as_it_is = _likelihood(ordered)
    scores = [
        _likelihood(signed_log(ordered, unit=unit)) - float(np.log(np.abs(ordered) + unit).sum()) for unit in units
    ]
    best = int(np.argmax(scores))
    return float(units[best]) if scores[best] > as_it_is else float("nan")


def is_whole(values: pd.Series | Floats) -> bool:
    """
    Return whether all values are whole numbers.

    Parameters
    ----------
    values : pandas.Series or numpy.ndarray
        A feature.

    Returns
    -------
    bool
        True for counts and days.
    """
    return bool(np.all(np.asarray(values) == np.round(values)))


def _spread(ordered: Floats) -> Floats:
    """Spread sorted whole numbers evenly over the unit around them."""
    _, first, counts = np.unique(ordered, return_index=True, return_counts=True)
    place = np.arange(len(ordered)) - np.repeat(first, counts)
    return np.asarray(ordered + (place + 0.5) / np.repeat(counts, counts) - 0.5)


def _likelihood(ordered: Floats) -> float:
    """Return the best penalised likelihood of one to six humps of equal width, but for constants."""
    scores = []
    for humps in range(1, MAX_HUMPS + 1):
        sizes, squares = _humps(ordered, humps)
        shares = sizes / len(ordered)
        variance = max(squares / len(ordered), (_LEAST_WIDTH * float(np.ptp(ordered))) ** 2)
        fit = float((sizes * np.log(shares)).sum()) - len(ordered) / 2 * np.log(variance)
        scores.append(fit - humps * np.log(len(ordered)))
    return float(max(scores))


def _humps(ordered: Floats, humps: int) -> tuple[Floats, float]:
    """Return the sizes of humps along a line and their sum of squares (K-Means in one dimension, from quantiles)."""
    ordered = ordered - ordered.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(column)]) for column in (ordered, ordered**2))
    centres = np.quantile(ordered, (np.arange(humps) + 0.5) / humps)
    for _ in range(_ROUNDS):
        edges = np.concatenate([[0], np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2), [len(ordered)]])
        sizes = np.diff(edges)
        filled = np.where(sizes > 0, sizes, 1)
        moved = np.where(sizes > 0, np.diff(sums[edges]) / filled, centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    within = np.diff(squares[edges]) - np.diff(sums[edges]) ** 2 / filled
    return sizes[sizes > 0].astype(float), max(float(within.sum()), 0.0)
