"""
How far a figure of cases may lie off by chance when cases of one customer are alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

Floats = npt.NDArray[np.float64]
_Z = float(norm.ppf(0.975))


def clustered_error(influence: Floats, customers: npt.ArrayLike) -> float:
    """
    Return the standard error of a figure, cases of one customer being alike.

    Parameters
    ----------
    influence : numpy.ndarray of float, shape (n_cases,)
        What each case adds to the figure's error.
    customers : array-like, shape (n_cases,)
        Whose case each is.

    Returns
    -------
    float
        NaN with fewer than two customers.

    Examples
    --------
    >>> round(clustered_error(np.array([1.0, 1.0, -1.0, -1.0]), ["a", "a", "b", "b"]), 3)
    1.0
    """
    sums = np.bincount(pd.factorize(np.asarray(customers))[0], weights=influence)
    if len(sums) < 2:
        return float("nan")
    few = len(sums) / (len(sums) - 1)
    return float(np.sqrt(few * (sums**2).sum()) / len(influence))


def two_sided(value: float, error: float) -> float:
    """
    Return how likely a figure this far from zero is by chance.

    Parameters
    ----------
    value : float
        The figure.
    error : float
        Its standard error.

    Returns
    -------
    float
        Two-sided, by the normal distribution; NaN without an error.

    Examples
    --------
    >>> round(two_sided(1.96, 1.0), 3)
    0.05
    """
    return float(2 * norm.sf(abs(value) / error)) if error > 0 else float("nan")


def wilson_interval(n_yes: npt.ArrayLike, n_cases: npt.ArrayLike) -> tuple[Floats, Floats]:
    """
    Return the 95 % interval of a share.

    Parameters
    ----------
    n_yes : array-like of float
        Numbers of cases with the outcome.
    n_cases : array-like of float
        Numbers of cases, above 0.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper ends, between 0 and 1.

    References
    ----------
    Wilson (1927), "Probable Inference", JASA 22(158).

    Examples
    --------
    >>> low, high = wilson_interval([0, 5], [10, 10])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    size = np.asarray(n_cases, dtype=float)
    share, scale = np.asarray(n_yes, dtype=float) / size, 1 + _Z**2 / size
    centre = (share + _Z**2 / (2 * size)) / scale
    half = _Z / scale * np.sqrt(np.maximum(share * (1 - share), 0.0) / size + _Z**2 / (4 * size**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def effective_cases(values: npt.ArrayLike, customers: npt.ArrayLike) -> float:
    """
    Return how many cases count for an interval of a share, cases of one customer being alike.

    Parameters
    ----------
    values : array-like of float, shape (n_cases,)
        From 0 to 1.
    customers : array-like, shape (n_cases,)
        Whose case each is.

    Returns
    -------
    float
        As many independent cases as would give the clustered error, never more than there are; the customers where all values
        are alike.

    Examples
    --------
    >>> effective_cases([1, 1, 1, 1], ["a", "a", "b", "b"])
    2.0
    """
    known = np.asarray(values, dtype=float)
    share, n_customers = float(known.mean()), len(pd.unique(np.asarray(customers)))
    error = clustered_error(known - share, customers) if n_customers > 1 else 0.0
    if not error > 0 or not 0 < share < 1:
        return float(n_customers)
    return min(share * (1 - share) / error**2, float(len(known)))
