"""
Which periods of a series must not be shown, because they are about too few customers.

The rules for small cells are in :mod:`crm_analysis.tables.privacy.suppression`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.series import MEASURES, BusinessSeries
from crm_analysis.models.business_series.candidates import COPIES, RECENT_MEAN
from crm_analysis.models.business_series.seasons import SEASONS, Season
from crm_analysis.tables.privacy.suppression import hidden_rows, small

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def hidden_periods(series: BusinessSeries, *, n_before: int, min_cell: int) -> Flags:
    """
    Return the periods whose figures must not be shown, or say that the series as a whole must not.

    Parameters
    ----------
    series : BusinessSeries
        The series.
    n_before : int
        Periods before the hold-out; the totals of both parts may be told.
    min_cell : int
        Fewest customers that a shown figure is about.

    Returns
    -------
    numpy.ndarray of bool
        Small periods, and those that would give them away.

    Raises
    ------
    TooFewRecordsError
        Most periods, or all recent ones, are small.
    """
    counts = _customers(series.table)
    is_small = small(counts, min_cell=min_cell)
    n_recent = SEASONS[series.period].recent
    if 2 * is_small.sum() > len(counts) or is_small[-n_recent:].all():
        raise TooFewRecordsError(
            f"{is_small.sum()} of {len(counts)} {series.period}s, {is_small[-n_recent:].sum()} of the last {n_recent}, are about "
            f"fewer than {min_cell} customers, and so would a forecast be. Use months, or more customers."
        )
    hidden = hidden_rows(counts, min_cell=min_cell, disjoint=False)
    for part in (slice(None, n_before), slice(n_before, None)):
        hidden[part] |= hidden_rows(counts[part], min_cell=min_cell, disjoint=False)
    return hidden


def telling_rules(table: pd.DataFrame, *, season: Season, min_cell: int) -> tuple[str, ...]:
    """
    Return the rules whose forecasts would tell of too few customers.

    Parameters
    ----------
    table : pandas.DataFrame
        The series that they see.
    season : Season
        How many periods are recent.
    min_cell : int
        Fewest customers that a shown figure is about.

    Returns
    -------
    tuple of str
        Those that repeat single periods, where any is small; the recent mean, where one of its periods is hidden.
    """
    hidden = hidden_rows(_customers(table), min_cell=min_cell, disjoint=False)
    copies = COPIES if hidden.any() else ()
    return (*copies, RECENT_MEAN) if hidden[-season.recent :].any() else copies


def masked_errors(errors: Floats, origins: Sequence[int], hidden: Flags) -> Floats:
    """
    Return errors of forecasts without those of hidden periods.

    Parameters
    ----------
    errors : numpy.ndarray of float, shape (n_origins, steps)
        What came less what was forecast.
    origins : sequence of int, length n_origins
        Periods known at each.
    hidden : numpy.ndarray of bool
        By period of the series.

    Returns
    -------
    numpy.ndarray of float, shape (n_origins, steps)
        Missing where hidden.
    """
    is_hidden = [hidden[at : at + errors.shape[1]] for at in origins]
    return np.where(is_hidden, np.nan, errors)


def without_rows(table: pd.DataFrame, hidden: Flags, columns: list[str]) -> pd.DataFrame:
    """
    Return a table whose hidden rows have lost the figures in some columns.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a period.
    hidden : numpy.ndarray of bool
        By row.
    columns : list of str
        With figures.

    Returns
    -------
    pandas.DataFrame
        Of the same rows and columns.
    """
    shown = table.astype(dict.fromkeys(columns, "float64"))
    shown.loc[hidden, columns] = np.nan
    return shown


def shown_history(series: BusinessSeries, hidden: Flags) -> pd.DataFrame:
    """
    Return the series as it may be shown.

    Parameters
    ----------
    series : BusinessSeries
        The series.
    hidden : numpy.ndarray of bool
        Periods.

    Returns
    -------
    pandas.DataFrame
        Its table; figures of hidden periods are missing.
    """
    return without_rows(series.table, hidden, list(MEASURES))


def _customers(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return customers by period; unknown, hence small, where nobody bought and yet somebody brought something back."""
    active = table["active_customers"].to_numpy(dtype=float)
    only_returns = (active == 0) & (table["revenue"].to_numpy() != 0)
    return np.where(only_returns, np.nan, active)
