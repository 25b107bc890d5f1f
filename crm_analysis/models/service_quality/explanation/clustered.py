"""
How far a figure of cases may lie off by chance when cases of one customer are alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

Floats = npt.NDArray[np.float64]


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
