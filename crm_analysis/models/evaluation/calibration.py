"""
Whether predictions mean what they say: groups of like predictions against what came.

Single errors are measured in :mod:`crm_analysis.models.evaluation.measures`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd


def quantile_groups(values: npt.ArrayLike, n_groups: int) -> npt.NDArray[np.float64]:
    """
    Return the upper edges between groups of about equal size, equal values kept together.

    Parameters
    ----------
    values : array-like of float
        What to group by.
    n_groups : int
        Groups asked for; ties may leave fewer.

    Returns
    -------
    numpy.ndarray
        Ascending values, each the last of its group: ``np.searchsorted(edges, value)`` is the number of a value's group.

    Examples
    --------
    >>> quantile_groups([0, 0, 0, 1, 2, 3], 3)
    array([0., 1.])
    """
    if n_groups < 1:
        raise ValueError(f"n_groups must be at least 1, got {n_groups!r}")
    ordered = np.sort(np.asarray(values, dtype=float))
    lasts = -(-np.arange(1, n_groups) * len(ordered) // n_groups) - 1  # of each group, whole numbers rounded up
    edges = np.unique(ordered[lasts])
    below_top: npt.NDArray[np.float64] = edges[edges < ordered[-1]]  # an edge at the top leaves an empty group
    return below_top


def calibration_table(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, *, n_bins: int = 10, customers: pd.Series | None = None
) -> pd.DataFrame:
    """
    Compare what was predicted with what came, in groups of like prediction.

    Parameters
    ----------
    actual : array-like of float, shape (n,)
        What came; for probabilities, whether it came (0 or 1).
    predicted : array-like of float, shape (n,)
        What was expected.
    n_bins : int
        Groups by quantiles of the prediction; equal predictions stay together, so there may be fewer.
    customers : pandas.Series, optional
        Whom each prediction is about, where a customer has several.

    Returns
    -------
    pandas.DataFrame
        Index ``group`` from 1 (lowest); ``n``, and the means ``predicted`` and ``actual``; with `customers` also how many of
        them a group is about.

    Examples
    --------
    >>> calibration_table([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9], n_bins=2).reset_index()
       group  n  predicted  actual
    0      1  2        0.2     0.5
    1      2  2        0.9     1.0
    """
    truth, expected = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)
    if truth.shape != expected.shape or not len(truth):
        raise ValueError(f"actual and predicted must be of one length above 0, got {truth.shape} and {expected.shape}")
    group = pd.Series(np.searchsorted(quantile_groups(expected, n_bins), expected) + 1, name="group")
    rows = pd.DataFrame({"predicted": expected, "actual": truth}).groupby(group)
    table = rows.agg(n=("actual", "size"), predicted=("predicted", "mean"), actual=("actual", "mean"))
    if customers is None:
        return table
    return table.assign(customers=customers.reset_index(drop=True).groupby(group).nunique())


def calibration_error(actual: npt.ArrayLike, predicted: npt.ArrayLike, *, n_bins: int = 10) -> float:
    """
    Return the expected calibration error of predicted probabilities.

    Parameters
    ----------
    actual : array-like of bool or int, shape (n,)
        Whether it came.
    predicted : array-like of float, shape (n,)
        Probabilities.
    n_bins : int
        Groups by quantiles of the probability: deciles by default.

    Returns
    -------
    float
        Mean distance between predicted and actual share, weighted by the size of the group: 0 where every group came as
        predicted.

    References
    ----------
    Naeini, Cooper, Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning", AAAI; with groups
    of equal size instead of equal width.

    Examples
    --------
    >>> round(calibration_error([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9], n_bins=2), 3)
    0.2
    """
    table = calibration_table(actual, predicted, n_bins=n_bins)
    return float(np.average((table["predicted"] - table["actual"]).abs(), weights=table["n"]))
