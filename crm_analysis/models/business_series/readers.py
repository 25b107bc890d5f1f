"""
The tables of a forecast of a business, for readers: models in words, figures rounded.

Sentences belong in :mod:`crm_analysis.models.business_series.wording`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.models.business_series.naming import ERRORS_IN_WORDS, model_in_words, rounded, settings_in_words
from crm_analysis.models.business_series.reconciliation import Reconciliation
from crm_analysis.models.business_series.result import MeasureForecast


def backtest_for_readers(told: MeasureForecast, *, period: str) -> pd.DataFrame:
    """
    Return the comparison before the hold-out as a table for readers.

    Parameters
    ----------
    told : MeasureForecast
        One series.
    period : str
        ``week`` or ``month``.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``role`` and ``settings`` in words, and the errors, rounded; naive rules first.
    """
    table = _errors_in_words(told.choice.backtest, period)
    table.insert(2, "settings", [settings_in_words(each, period=period) for each in told.choice.backtest["settings"]])
    return table


def errors_for_readers(told: MeasureForecast, *, period: str) -> pd.DataFrame:
    """
    Return the errors on the hold-out as a table for readers.

    Parameters
    ----------
    told : MeasureForecast
        One series.
    period : str
        ``week`` or ``month``.

    Returns
    -------
    pandas.DataFrame
        ``model`` and ``role`` in words, and the errors, rounded; naive rules first.
    """
    return _errors_in_words(told.errors, period)


def holdout_for_readers(told: MeasureForecast) -> pd.DataFrame:
    """
    Return the hold-out's periods as a table for readers.

    Parameters
    ----------
    told : MeasureForecast
        One series.

    Returns
    -------
    pandas.DataFrame
        ``from`` (a day), what came, what was forecast, by the naive rule, and the 90 % range.
    """
    names = {"actual": "came", "forecast": "forecast", "naive": "naive", "low_90": "low 90%", "high_90": "high 90%"}
    return _dated(rounded(told.holdout[list(names)].rename(columns=names)))


def ahead_for_readers(told: MeasureForecast) -> pd.DataFrame:
    """
    Return the periods ahead as a table for readers.

    Parameters
    ----------
    told : MeasureForecast
        One series.

    Returns
    -------
    pandas.DataFrame
        ``from`` (a day), the days that lie in the horizon, the forecast of the whole period, the 80 and 90 % ranges.
    """
    names = {f"{side}_{level}": f"{side} {level}%" for level in (80, 90) for side in ("low", "high")}
    table = rounded(told.ahead[["forecast", *names]].rename(columns=names))
    table.insert(0, "days in horizon", told.ahead["days_in_horizon"])
    return _dated(table)


def reconciliation_for_readers(found: Reconciliation) -> pd.DataFrame:
    """
    Return the reconciliation as a table for readers.

    Parameters
    ----------
    found : Reconciliation
        Customer forecasts and the series.

    Returns
    -------
    pandas.DataFrame
        ``part``, money rounded, and the share of the series forecast.
    """
    table = rounded(found.table[["revenue", "low", "high"]])
    return table.assign(share=found.table["share"].round(3)).reset_index()


def _errors_in_words(table: pd.DataFrame, period: str) -> pd.DataFrame:
    """Return errors by model, named and rounded."""
    numbers = rounded(table[["rmse", "mae"]]).join(table[["wape", "bias", "mase"]].round(3))
    named = numbers.rename(columns=ERRORS_IN_WORDS)
    named.insert(0, "role", table["role"])
    named.insert(0, "model", [model_in_words(str(name), period=period) for name in table.index])
    return named.reset_index(drop=True)


def _dated(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose periods are days in a column."""
    table.insert(0, "from", pd.DatetimeIndex(table.index).strftime("%Y-%m-%d"))
    return table.reset_index(drop=True)
