"""
Exponential smoothing and ARIMA, each the best of a few forms.

Rules without a fit belong in :mod:`crm_analysis.models.business_series.naive`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from statsmodels.tsa.holtwinters import ExponentialSmoothing
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.stattools import kpss

from crm_analysis.models.business_series.seasons import Season

ETS_TRENDS = {"level": (None, False), "trend": ("add", False), "damped trend": ("add", True)}
ARIMA_ORDERS = {0: ((0, 0, 0), (1, 0, 0), (0, 0, 1)), 1: ((0, 1, 0), (0, 1, 1), (1, 1, 0))}
STATIONARY_AT = 0.05
MAX_SEASONAL_STATES = 12  # the 52 of a weekly season would be as many as the data

Floats = npt.NDArray[np.float64]
Form = TypeVar("Form")


class NoFitError(ArithmeticError):
    """No form of a model could be fitted to this history."""


@dataclass(frozen=True)
class _Fitted:
    """One form, fitted."""

    settings: str
    aicc: float
    forecast: Floats


def ets(history: Floats, steps: int, *, season: Season) -> tuple[Floats, str]:
    """
    Forecast by exponential smoothing: a level, with a trend, or with a damped one.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.
    season : Season
        With twelve periods a year and two years of history, forms with an additive season are tried as well.

    Returns
    -------
    forecast : numpy.ndarray of float, shape (steps,)
        Of the form with the lowest corrected Akaike criterion among those that converged.
    settings : str
        Its name.

    References
    ----------
    Hyndman, Koehler, Snyder, Grose (2002), "A State Space Framework for Automatic Forecasting Using Exponential Smoothing
    Methods".
    """
    has_season = season.cycle <= MAX_SEASONAL_STATES and season.is_seen(len(history))
    forms = [(name, seasonal) for name in ETS_TRENDS for seasonal in sorted({False, has_season})]
    return _best(forms, partial(_smoothed, history, steps, season.cycle))


def arima(history: Floats, steps: int) -> tuple[Floats, str]:
    """
    Forecast by an autoregressive or moving average of the values, or of their changes.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.

    Returns
    -------
    forecast : numpy.ndarray of float, shape (steps,)
        Of the order with the lowest corrected Akaike criterion among those that converged.
    settings : str
        The order.

    Notes
    -----
    Whether changes are modelled is told by the test of Kwiatkowski et al. at 5 %, since criteria of values and of changes
    cannot be compared. Values have a constant, changes have none.

    References
    ----------
    Hyndman, Khandakar (2008), "Automatic Time Series Forecasting". Kwiatkowski, Phillips, Schmidt, Shin (1992), "Testing the
    Null Hypothesis of Stationarity".
    """
    with _quiet():
        is_stationary = kpss(history, nlags=int(4 * (len(history) / 100) ** 0.25))[1] > STATIONARY_AT

    return _best(ARIMA_ORDERS[0 if is_stationary else 1], partial(_autoregressed, history, steps))


def _smoothed(history: Floats, steps: int, cycle: int, form: tuple[str, bool]) -> _Fitted:
    """Fit one form of exponential smoothing."""
    name, is_seasonal = form
    trend, is_damped = ETS_TRENDS[name]
    model = ExponentialSmoothing(
        history,
        trend=trend,
        damped_trend=is_damped,
        seasonal="add" if is_seasonal else None,
        seasonal_periods=cycle if is_seasonal else None,
        initialization_method="estimated",
    )
    fitted = model.fit()
    if not fitted.mle_retvals.success:
        raise NoFitError("not converged")
    settings = name + (" and season" if is_seasonal else "")
    return _Fitted(settings, float(fitted.aicc), np.asarray(fitted.forecast(steps), dtype=float))


def _autoregressed(history: Floats, steps: int, order: tuple[int, int, int]) -> _Fitted:
    """Fit one order of ARIMA."""
    model = SARIMAX(history, order=order, trend="n" if order[1] else "c", concentrate_scale=True)
    fitted = model.fit(disp=False, cov_type="none")
    if fitted.mle_retvals and not fitted.mle_retvals["converged"]:
        raise NoFitError("not converged")
    return _Fitted(str(order), float(fitted.aicc), np.asarray(fitted.forecast(steps), dtype=float))


def _best(forms: Sequence[Form], fit: Callable[[Form], _Fitted]) -> tuple[Floats, str]:
    """Return forecast and name of the form with the lowest criterion; what fails or does not converge is passed over."""
    fits = []
    for form in forms:
        with _quiet():
            try:
                fitted = fit(form)
            except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
                continue
        if math.isfinite(fitted.aicc) and np.isfinite(fitted.forecast).all():
            fits.append(fitted)
    if not fits:
        raise NoFitError(f"none of {len(forms)} forms converged")
    best = min(fits, key=lambda fitted: round(fitted.aicc, 6))
    return best.forecast, best.settings


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's warnings to ourselves: whether a fit can be used is asked of its result."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
