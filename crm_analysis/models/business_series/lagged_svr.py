"""
Support vector regression on the periods before: one step after another, each forecast a lag of the next.

Rules without a fit belong in :mod:`crm_analysis.models.business_series.naive`.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVR

from crm_analysis.models.business_series.seasons import Season

LAGS = (2, 4, 8)
PENALTIES = (0.3, 3.0)
INSENSITIVE = 0.1  # standard deviations of what is learnt
LEAST_ROWS = 8

Floats = npt.NDArray[np.float64]


def svr_on_lags(history: Floats, steps: int, *, season: Season) -> tuple[Floats, str]:
    """
    Learn each period from those before it, and go on step by step.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first, not all equal.
    steps : int
        Periods ahead.
    season : Season
        A yearly wave is a feature, too, where the history holds two years.

    Returns
    -------
    forecast : numpy.ndarray of float, shape (steps,)
        Each step takes the forecasts before it for what came.
    settings : str
        What was learnt: levels or changes, and from how many lags.

    Notes
    -----
    Levels and changes from period to period are both tried, since a kernel cannot see beyond the levels it has learnt. Which
    one, with how many lags and which penalty, is chosen by the error one step ahead on the last quarter of the history.

    References
    ----------
    Smola, Schölkopf (2004), "A Tutorial on Support Vector Regression".
    """
    n = len(history)
    options = [
        (is_change, lags, penalty)
        for is_change, lags, penalty in product((False, True), LAGS, PENALTIES)
        if n - is_change - lags >= LEAST_ROWS + n // 4
    ]
    errors = [round(_trial_error(history, option, season), 9) for option in options]
    is_change, lags, penalty = options[int(np.argmin(errors))]
    learnt = _Lagged(history, n, is_change=is_change, lags=lags, penalty=penalty, season=season)
    return learnt.ahead(steps), f"{'changes' if is_change else 'levels'} from {lags} lags"


class _Lagged:
    """A regression of what is learnt, levels or changes, on its own lags."""

    def __init__(
        self, history: Floats, end: int, *, is_change: bool, lags: int, penalty: float, season: Season
    ) -> None:
        self.is_change, self.lags = is_change, lags
        self.season = season if season.is_seen(end) else None
        self.history = history
        known = self._learnt(history[:end])
        self.mean, self.spread = float(known.mean()), float(known.std()) or 1.0
        rows = np.arange(lags, len(known))
        self.model = SVR(C=penalty, epsilon=INSENSITIVE).fit(self._features(known, rows), self._scaled(known)[rows])

    def one_step(self, first: int) -> Floats:
        """Return each period from `first` on, forecast from what really came before it."""
        values = self._learnt(self.history)
        rows = np.arange(first - self.is_change, len(values))
        step = self.model.predict(self._features(values, rows)) * self.spread + self.mean
        return np.asarray(step + self.history[first - 1 : -1] if self.is_change else step, dtype=float)

    def ahead(self, steps: int) -> Floats:
        """Return the periods after the history."""
        values = self._learnt(self.history)
        for _ in range(steps):
            row = np.array([len(values)])
            values = np.append(values, self.model.predict(self._features(values, row)) * self.spread + self.mean)
        forecast = values[-steps:]
        return np.asarray(self.history[-1] + np.cumsum(forecast) if self.is_change else forecast, dtype=float)

    def _learnt(self, history: Floats) -> Floats:
        return np.diff(history) if self.is_change else history

    def _scaled(self, values: Floats) -> Floats:
        return (values - self.mean) / self.spread

    def _features(self, values: Floats, rows: npt.NDArray[np.intp]) -> Floats:
        lagged: Floats = self._scaled(values)[rows[:, None] - np.arange(1, self.lags + 1)]
        if self.season is None:
            return lagged
        return np.hstack([lagged, self.season.waves((rows + self.is_change).astype(float), harmonics=1)])


def _trial_error(history: Floats, option: tuple[bool, int, float], season: Season) -> float:
    """Return the mean squared error one step ahead on the last quarter, learnt from the periods before it."""
    is_change, lags, penalty = option
    first = len(history) - len(history) // 4
    learnt = _Lagged(history, first, is_change=is_change, lags=lags, penalty=penalty, season=season)
    return float(np.mean((learnt.one_step(first) - history[first:]) ** 2))
