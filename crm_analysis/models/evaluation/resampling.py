"""
How far a figure would move with other customers: seeded bootstrap intervals.

Intervals for a single customer belong in :mod:`crm_analysis.models.evaluation.conformal`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation.measures import ForecastJudge

N_RESAMPLES = 200
LEVEL = 0.95
MIN_FINITE_SHARE = 0.5


def bootstrap_interval(
    statistic: Callable[..., float],
    *columns: npt.ArrayLike,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float]:
    """
    Return a percentile bootstrap interval of any statistic.

    Parameters
    ----------
    statistic : callable
        Takes the resampled columns, returns a number; NaN where it is undefined.
    *columns : array-like, shape (n,)
        Rows belong together and are drawn together, such as truth and prediction.
    seed : int
        Start of the draws.
    n_resamples : int
        Draws with replacement, each of n rows.
    level : float
        Share of the resamples that lie within the interval.

    Returns
    -------
    tuple of float
        Lower and upper end; NaN where the statistic is undefined in more than half of the resamples.

    References
    ----------
    Efron (1979), "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1).

    Examples
    --------
    >>> low, high = bootstrap_interval(np.mean, [1.0, 2.0, 3.0, 4.0], seed=0)
    >>> low < 2.5 < high
    True
    """
    arrays = [np.asarray(column) for column in columns]
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"columns must be of one length above 0, got {sorted(lengths)!r}")
    draws = np.random.default_rng(seed)
    n_rows = lengths.pop()
    rows = (draws.integers(n_rows, size=n_rows) for _ in range(n_resamples))
    return percentile_interval([statistic(*(array[chosen] for array in arrays)) for chosen in rows], level=level)


def bootstrap_measures(
    actual: npt.ArrayLike, forecasts: Mapping[str, npt.ArrayLike], *, seed: int, n_resamples: int = N_RESAMPLES
) -> dict[str, pd.DataFrame]:
    """
    Measure several forecasts on the same resamples of the customers.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    forecasts : mapping of str to array-like
        By model.
    seed : int
        Start of the draws.
    n_resamples : int
        Draws with replacement.

    Returns
    -------
    dict of str to pandas.DataFrame
        By model; a row a resample, a column a measure. Models may be subtracted from each other: their resamples are the
        same.
    """
    judges = {model: ForecastJudge(actual, forecast) for model, forecast in forecasts.items()}
    n_customers = len(np.asarray(actual))
    draws = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, float]]] = {model: [] for model in judges}
    for _ in range(n_resamples):
        weights = np.bincount(draws.integers(n_customers, size=n_customers), minlength=n_customers).astype(float)
        for model, judge in judges.items():
            rows[model].append(judge.measures(weights))
    return {model: pd.DataFrame(measures) for model, measures in rows.items()}


def percentile_interval(values: npt.ArrayLike, *, level: float = LEVEL) -> tuple[float, float]:
    """
    Return the range in which the middle of the values lies.

    Parameters
    ----------
    values : array-like of float
        A statistic in each resample; what is not finite is left out.
    level : float
        Share of the values within.

    Returns
    -------
    tuple of float
        Lower and upper end; NaN where more than half of the values are not finite.

    Examples
    --------
    >>> percentile_interval(range(101), level=0.5)
    (25.0, 75.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    every = np.asarray(values, dtype=float)
    finite = every[np.isfinite(every)]
    if len(finite) < max(1, MIN_FINITE_SHARE * len(every)):
        return math.nan, math.nan
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
