"""
Rules that take a forecast straight from the past: what every model has to beat.

Models that are fitted have modules of their own beside this one; all are listed in
:mod:`crm_analysis.models.business_series.candidates`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def last_value(history: Floats, steps: int) -> Floats:
    """
    Repeat the last period.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.

    Returns
    -------
    numpy.ndarray of float, shape (steps,)
        One value for all.
    """
    return np.full(steps, float(history[-1]))


def recent_mean(history: Floats, steps: int, *, periods: int) -> Floats:
    """
    Repeat the mean of the latest periods, or of all where there are fewer.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.
    periods : int
        How many count: 8 weeks or 3 months.

    Returns
    -------
    numpy.ndarray of float, shape (steps,)
        One value for all.
    """
    return np.full(steps, float(history[-periods:].mean()))


def mean_so_far(history: Floats, steps: int) -> Floats:
    """
    Repeat the mean of all periods.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.

    Returns
    -------
    numpy.ndarray of float, shape (steps,)
        One value for all.

    Examples
    --------
    >>> mean_so_far(np.array([1.0, 5.0, 3.0]), 2).tolist()
    [3.0, 3.0]
    """
    return np.full(steps, float(history.mean()))


def drift(history: Floats, steps: int) -> Floats:
    """
    Go on from the last period by the mean change so far.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first, at least two.
    steps : int
        Periods ahead.

    Returns
    -------
    numpy.ndarray of float, shape (steps,)
        On the line through the first and the last period.

    Examples
    --------
    >>> drift(np.array([1.0, 5.0, 3.0]), 2).tolist()
    [4.0, 5.0]
    """
    change = (history[-1] - history[0]) / (len(history) - 1)
    ahead: Floats = history[-1] + change * np.arange(1, steps + 1)
    return ahead


def seasonal_naive(history: Floats, steps: int, *, cycle: int) -> Floats:
    """
    Repeat the same periods of the year before.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first, at least one cycle.
    steps : int
        Periods ahead; beyond a cycle the year is repeated.
    cycle : int
        Periods a year: 52 weeks or 12 months.

    Returns
    -------
    numpy.ndarray of float, shape (steps,)
        Values of the last cycle.

    Examples
    --------
    >>> seasonal_naive(np.array([9.0, 1.0, 2.0, 3.0]), 4, cycle=3).tolist()
    [1.0, 2.0, 3.0, 1.0]
    """
    return np.asarray(np.resize(history[-cycle:], steps), dtype=float)
