"""
Rules and regressions that forecast cases a day from the days before.

Which of them is taken is decided in :mod:`crm_analysis.models.service_quality.workload.volume`.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

SAME_WEEKDAY = "same_weekday"
WEEKDAY_MEAN = "weekday_mean"
WEEKDAY_SO_FAR = "weekday_so_far"
RECENT_LEVEL = "recent_level"
TREND = "poisson_trend"
YEAR = "poisson_year"
RULES = MappingProxyType(
    {
        SAME_WEEKDAY: "the same weekday a week before",
        WEEKDAY_MEAN: "the mean of the last four same weekdays",
        WEEKDAY_SO_FAR: "the mean of all same weekdays so far",
        RECENT_LEVEL: "the level of the last four weeks, spread over weekdays as in the last year",
        TREND: "a Poisson regression on weekday and trend",
        YEAR: "a Poisson regression on weekday, trend and season of the year",
    }
)

WEEK, RECENT_DAYS, YEAR_DAYS = 7, 28, 365.25
DAYS_FOR_A_SEASON = 731
HARMONICS = 3
_RIDGE = 1e-3
_MOST_STEPS, _CONVERGED, _FARTHEST = 50, 1e-9, 30.0

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def forecast_by(rule: str, history: pd.Series, steps: int) -> Floats:
    """
    Forecast the days after a history.

    Parameters
    ----------
    rule : str
        A key of :data:`RULES`.
    history : pandas.Series of float
        Cases a day, without gaps, at least a week; the index holds the days.
    steps : int
        Days ahead.

    Returns
    -------
    numpy.ndarray of float, shape (steps,)
        Expected cases, never negative.

    Examples
    --------
    >>> history = pd.Series(np.arange(14.0), index=pd.date_range("2024-01-01", periods=14))
    >>> forecast_by(SAME_WEEKDAY, history, 3).tolist()
    [7.0, 8.0, 9.0]
    >>> forecast_by(WEEKDAY_MEAN, history, 2).tolist()
    [3.5, 4.5]
    """
    if len(history) < WEEK:
        raise ValueError(f"history must hold a week at least, got {len(history)} days")
    if rule in {TREND, YEAR}:
        return _regression(history, steps, harmonics=HARMONICS if rule == YEAR else 0)
    week = {
        SAME_WEEKDAY: lambda: _weekday_means(history, weeks=1),
        WEEKDAY_MEAN: lambda: _weekday_means(history, weeks=4),
        WEEKDAY_SO_FAR: lambda: _weekday_means(history, weeks=None),
        RECENT_LEVEL: lambda: _recent_level(history),
    }[rule]()
    return np.resize(week, steps)


def least_history(rule: str) -> int:
    """
    Return the fewest days that a rule can work with.

    Parameters
    ----------
    rule : str
        A key of :data:`RULES`.

    Returns
    -------
    int
        A season of the year takes two years, else it cannot be told from a trend.

    Examples
    --------
    >>> least_history(YEAR)
    731
    """
    return {YEAR: DAYS_FOR_A_SEASON, TREND: 2 * RECENT_DAYS}.get(rule, WEEK)


def _weekday_means(history: pd.Series, *, weeks: int | None) -> Floats:
    """Return means of the latest same weekdays, in the order of the week that follows the history."""
    values = history.to_numpy(dtype=float)
    weeks = len(values) // WEEK if weeks is None else min(weeks, len(values) // WEEK)
    return np.asarray(values[-weeks * WEEK :].reshape(weeks, WEEK).mean(axis=0), dtype=float)


def _recent_level(history: pd.Series) -> Floats:
    """Return the level of the last four weeks, spread over the week that follows as in the last year."""
    week = _weekday_means(history.iloc[-52 * WEEK :], weeks=None)
    level = float(history.iloc[-RECENT_DAYS:].mean())
    return week * (level / week.mean()) if week.any() else week


def _regression(history: pd.Series, steps: int, *, harmonics: int) -> Floats:
    """Fit a Poisson regression; weekdays without any case so far stay without."""
    y = history.to_numpy(dtype=float)
    weekday = (np.arange(len(y) + steps) + history.index[0].weekday()) % WEEK
    open_weekdays = np.unique(weekday[: len(y)][y > 0])
    ahead = np.zeros(steps)
    if not len(open_weekdays):
        return ahead
    X = _design(weekday, len(y), open_weekdays, harmonics)
    is_open = np.isin(weekday, open_weekdays)
    known, later = X[: len(y)][is_open[: len(y)]], X[len(y) :][is_open[len(y) :]]
    weights = poisson_weights(known, y[is_open[: len(y)]], n_free=len(open_weekdays))
    ahead[is_open[len(y) :]] = np.exp(np.clip(later @ weights, -_FARTHEST, _FARTHEST))
    return ahead


def _design(weekday: Places, n_known: int, open_weekdays: Places, harmonics: int) -> Floats:
    """Return weekdays as dummies, the trend in spans of the history, and waves of the year."""
    position = np.arange(len(weekday))
    dummies = (weekday[:, None] == open_weekdays).astype(float)
    angles = 2 * np.pi / YEAR_DAYS * np.outer(position, np.arange(1, harmonics + 1))
    return np.hstack([dummies, (position / n_known - 0.5)[:, None], np.sin(angles), np.cos(angles)])


def poisson_weights(X: Floats, y: Floats, *, n_free: int) -> Floats:
    """
    Fit a Poisson regression with a logarithmic link.

    Parameters
    ----------
    X : numpy.ndarray of float, shape (n, p)
        The first columns are levels, of which each row has one.
    y : numpy.ndarray of float, shape (n,)
        Counts; each level has one above 0.
    n_free : int
        Number of levels; the weights of the other columns are drawn towards 0 a little, so that they are always finite.

    Returns
    -------
    numpy.ndarray of float, shape (p,)
        Weights, by Newton's method with halved steps.

    References
    ----------
    McCullagh, Nelder (1989), "Generalized Linear Models", 2nd edition, section 2.5.

    Examples
    --------
    >>> np.exp(poisson_weights(np.ones((2, 1)), np.array([1.0, 3.0]), n_free=1)).round(6).tolist()
    [2.0]
    """
    ridge = np.where(np.arange(X.shape[1]) < n_free, 0.0, _RIDGE)
    weights = np.zeros(X.shape[1])
    weights[:n_free] = np.log((X[:, :n_free].T @ y) / X[:, :n_free].sum(axis=0))
    loss = _loss(X, y, weights, ridge)
    for _ in range(_MOST_STEPS):
        mean = np.exp(np.clip(X @ weights, -_FARTHEST, _FARTHEST))
        gradient = X.T @ (mean - y) + ridge * weights
        step = np.linalg.solve((X * mean[:, None]).T @ X + np.diag(ridge + 1e-12), gradient)
        while _loss(X, y, weights - step, ridge) > loss and np.abs(step).max() > _CONVERGED:
            step = step / 2
        if np.abs(step).max() <= _CONVERGED:
            break
        weights = weights - step
        loss = _loss(X, y, weights, ridge)
    return weights


def _loss(X: Floats, y: Floats, weights: Floats, ridge: Floats) -> float:
    """Return what is minimised: the negative log-likelihood, without what does not change, and the pull towards 0."""
    linear = np.clip(X @ weights, -_FARTHEST, _FARTHEST)
    return float((np.exp(linear) - y * linear).sum() + (ridge * weights**2).sum() / 2)
