"""
Candidates, measures and numbers in words.

Whole sentences belong in :mod:`crm_analysis.models.business_series.wording`.
"""

from __future__ import annotations

import math

import pandas as pd

from crm_analysis.models.business_series.candidates import (
    ARIMA,
    COMBINATION,
    DRIFT,
    ETS,
    LAST_VALUE,
    MEAN_SO_FAR,
    POLYNOMIAL,
    RECENT_MEAN,
    SEASONAL_NAIVE,
    SVR_LAGS,
)
from crm_analysis.models.business_series.seasons import SEASONS

MEASURES_IN_WORDS = {"revenue": "revenue", "orders": "purchase days", "active_customers": "active customers"}
ERRORS_IN_WORDS = {"rmse": "RMSE", "mae": "MAE", "wape": "WAPE", "bias": "bias", "mase": "MASE"}


def model_in_words(name: str, *, period: str) -> str:
    """
    Return what a candidate is called in tables and sentences.

    Parameters
    ----------
    name : str
        Of the candidate.
    period : str
        ``week`` or ``month``.

    Returns
    -------
    str
        Without an article.

    Examples
    --------
    >>> model_in_words("recent_mean", period="month")
    'mean of the last 3 months'
    """
    names = {
        SEASONAL_NAIVE: f"same {period} a year before",
        MEAN_SO_FAR: "mean so far",
        RECENT_MEAN: f"mean of the last {SEASONS[period].recent} {period}s",
        LAST_VALUE: f"last {period} again",
        DRIFT: "mean change so far",
        POLYNOMIAL: "polynomial trend",
        SVR_LAGS: "support vector regression on lags",
        ETS: "exponential smoothing",
        ARIMA: "ARIMA",
        COMBINATION: "mean of the two best",
    }
    return names[name]


def settings_in_words(settings: str, *, period: str) -> str:
    """
    Return what a candidate chose by itself, for readers.

    Parameters
    ----------
    settings : str
        As in a back-test.
    period : str
        ``week`` or ``month``.

    Returns
    -------
    str
        The parts of a combination in words; anything else as it is.

    Examples
    --------
    >>> settings_in_words("ets + last_value", period="week")
    'exponential smoothing and last week again'
    """
    parts = settings.split(" + ")
    if len(parts) == 2:
        return " and ".join(model_in_words(part, period=period) for part in parts)
    return settings


def count(number: int, noun: str) -> str:
    """
    Return a number with its noun.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Singular.

    Returns
    -------
    str
        In the plural unless there is one.

    Examples
    --------
    >>> count(1, "week"), count(1200, "week")
    ('1 week', '1,200 weeks')
    """
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def latest(number: int, noun: str) -> str:
    """
    Return the latest of some periods.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Singular.

    Returns
    -------
    str
        Without a number where there is one.

    Examples
    --------
    >>> latest(1, "week"), latest(13, "week")
    ('the last week', 'the last 13 weeks')
    """
    return f"the last {noun if number == 1 else count(number, noun)}"


def number_in_words(value: float, unit: str = "") -> str:
    """
    Return a number with the places that matter for its size.

    Parameters
    ----------
    value : float
        Any.
    unit : str
        Put behind it.

    Returns
    -------
    str
        A dash where it is missing.

    Examples
    --------
    >>> number_in_words(1234.5, "USD"), number_in_words(0.126)
    ('1,234 USD', '0.13')
    """
    if not math.isfinite(value):
        return "–"
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}") + f" {unit}".rstrip()


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """
    Return a table of figures rounded for readers.

    Parameters
    ----------
    table : pandas.DataFrame
        Of money or counts.

    Returns
    -------
    pandas.DataFrame
        Whole numbers where the largest has at least four digits, two places otherwise.
    """
    numbers = table.select_dtypes("number")
    return table.round(0 if float(numbers.abs().max().max()) >= 1000 else 2)
