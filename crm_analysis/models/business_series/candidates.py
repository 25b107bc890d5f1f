"""
The candidates, in one list and behind one call: a history in, a forecast out.

How each of them works is in the module beside this one; which is chosen, in
:mod:`crm_analysis.models.business_series.choice`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from crm_analysis.models.business_series.lagged_svr import svr_on_lags
from crm_analysis.models.business_series.naive import (
    drift,
    last_value,
    mean_so_far,
    recent_mean,
    seasonal_naive,
)
from crm_analysis.models.business_series.polynomial import polynomial_trend
from crm_analysis.models.business_series.seasons import Season
from crm_analysis.models.business_series.statespace import NoFitError, arima, ets

SEASONAL_NAIVE = "seasonal_naive"
LAST_VALUE = "last_value"
RECENT_MEAN = "recent_mean"
MEAN_SO_FAR = "mean_so_far"
DRIFT = "drift"
POLYNOMIAL = "polynomial"
SVR_LAGS = "svr"
ETS = "ets"
ARIMA = "arima"
COMBINATION = "combination"

NAIVE_RULES = (SEASONAL_NAIVE, MEAN_SO_FAR, RECENT_MEAN, LAST_VALUE, DRIFT)
COPIES = (SEASONAL_NAIVE, LAST_VALUE, DRIFT)  # tell what single periods were
MODELS = (POLYNOMIAL, SVR_LAGS, ETS, ARIMA)
LEAST_HISTORY = {
    MEAN_SO_FAR: 2,
    RECENT_MEAN: 2,
    LAST_VALUE: 2,
    DRIFT: 2,
    POLYNOMIAL: 8,
    SVR_LAGS: 14,
    ETS: 10,
    ARIMA: 10,
}

Floats = npt.NDArray[np.float64]
Method = Callable[[Floats, int], tuple[Floats, str]]


@dataclass(frozen=True)
class Forecast:
    """
    What one candidate makes of a history.

    Attributes
    ----------
    ahead : numpy.ndarray of float, shape (steps,)
        One a period ahead.
    settings : str
        What it chose by itself, such as a degree; empty where there is nothing to choose.
    """

    ahead: Floats
    settings: str


def least_history(name: str, season: Season) -> int:
    """
    Return how many periods a candidate needs.

    Parameters
    ----------
    name : str
        Of the candidate.
    season : Season
        The naive season needs a whole year.

    Returns
    -------
    int
        Periods.
    """
    return season.cycle if name == SEASONAL_NAIVE else LEAST_HISTORY[name]


def forecast_by(name: str, history: npt.ArrayLike, steps: int, *, season: Season) -> Forecast:
    """
    Forecast by one candidate from what a history holds, and nothing else.

    Parameters
    ----------
    name : str
        One of :data:`NAIVE_RULES` and :data:`MODELS`.
    history : array-like of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.
    season : Season
        How many periods a year has.

    Returns
    -------
    Forecast
        In the unit of the history.

    Raises
    ------
    NoFitError
        The model could not be fitted; it never happens to a naive rule.

    Notes
    -----
    Models see the history divided by its mean size and rounded to twelve places, so that another currency changes forecasts
    by its factor and nothing else. Their forecasts keep within the range of the history widened by half of it at both ends,
    and not below zero where the history never was.
    """
    known = np.asarray(history, dtype=float)
    if name in NAIVE_RULES:
        return Forecast(_naive(name, season)(known, steps), "")
    if np.ptp(known) == 0:
        return Forecast(last_value(known, steps), "constant")
    scale = float(np.abs(known).mean())
    values, settings = _model(name, season)(np.round(known / scale, 12), steps)
    if not np.isfinite(values).all():
        raise NoFitError(f"{name} gave no finite forecast")
    return Forecast(held(values * scale, known), settings)


def held(values: Floats, history: Floats) -> Floats:
    """
    Keep forecasts from running away.

    Parameters
    ----------
    values : numpy.ndarray of float
        Forecasts.
    history : numpy.ndarray of float
        What came before.

    Returns
    -------
    numpy.ndarray of float
        Within the range of the history widened by half of it at both ends; not below 0 where the history never was.

    Examples
    --------
    >>> held(np.array([-9.0, 4.0, 99.0]), np.array([2.0, 6.0])).tolist()
    [0.0, 4.0, 8.0]
    """
    low, high = float(history.min()), float(history.max())
    margin = (high - low) / 2
    floor = max(low - margin, 0.0) if low >= 0 else low - margin
    return np.clip(values, floor, high + margin)


def _naive(name: str, season: Season) -> Callable[[Floats, int], Floats]:
    rules: dict[str, Callable[[Floats, int], Floats]] = {
        SEASONAL_NAIVE: partial(seasonal_naive, cycle=season.cycle),
        MEAN_SO_FAR: mean_so_far,
        RECENT_MEAN: partial(recent_mean, periods=season.recent),
        LAST_VALUE: last_value,
        DRIFT: lambda history, steps: held(drift(history, steps), history),
    }
    return rules[name]


def _model(name: str, season: Season) -> Method:
    models: dict[str, Method] = {
        POLYNOMIAL: partial(polynomial_trend, season=season),
        SVR_LAGS: partial(svr_on_lags, season=season),
        ETS: partial(ets, season=season),
        ARIMA: arima,
    }
    return models[name]
