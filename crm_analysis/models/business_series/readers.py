"""
The tables of a forecast of a business, for readers: models in words, figures rounded.

Sentences belong in :mod:`crm_analysis.models.business_series.wording`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.models.business_series.measures import MeasureForecast
from crm_analysis.models.business_series.naming import ERRORS_IN_WORDS, model_in_words, rounded, settings_in_words
from crm_analysis.models.business_series.reconciliation import Reconciliation


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
        ``part``, money rounded, and the share of the series forecast; the same of purchase days where they are reconciled.
    """
    table = rounded(found.table[["revenue", "low", "high"]]).assign(share=found.table["share"].round(3))
    if found.has_orders:
        orders = (
            found.table[["orders", "orders_low", "orders_high"]]
            .round(0)
            .assign(orders_share=found.table["orders_share"].round(3))
        )
        names = {
            "orders": "purchase days",
            "orders_low": "days low",
            "orders_high": "days high",
            "orders_share": "days share",
        }
        table = table.join(orders.rename(columns=names))
    return table.reset_index()


def _errors_in_words(table: pd.DataFrame, period: str) -> pd.DataFrame:
    """Return errors by model, named and rounded."""
    numbers = rounded(table[["rmse", "mae"]]).join(table[["wape", "bias", "mase"]].round(3))
    named = numbers.rename(columns=ERRORS_IN_WORDS)
    named.insert(0, "role", table["role"])
    named.insert(0, "model", [model_in_words(str(name), period=period) for name in table.index])
    return named.reset_index(drop=True)
