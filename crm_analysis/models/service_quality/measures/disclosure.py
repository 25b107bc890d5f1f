"""
Which figures of a table by group are about too few customers, and the table for people.

The rules for small cells are in :mod:`crm_analysis.tables.privacy.suppression`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.service_quality.measures.intervals import Grouping
from crm_analysis.models.service_quality.measures.survival import SurvivalCurve
from crm_analysis.tables.privacy.suppression import NOT_SHOWN, hidden_rows

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

CURVE_POINTS = 400


def hidden_groups(groups: Grouping, *parts: Flags, min_cell: int) -> Flags:
    """
    Return the groups whose figure must not be shown.

    Parameters
    ----------
    groups : Grouping
        The groups.
    *parts : numpy.ndarray of bool, shape (n_cases,)
        Cases that the figure would tell the number of: those it is about, those with a flag, those without.
    min_cell : int
        Least number of customers.

    Returns
    -------
    numpy.ndarray of bool, shape (n_groups,)
        Groups of which a part is of too few customers, and the next smallest where these could be told from the total.
    """
    hidden = np.zeros(groups.n_groups, dtype=bool)
    if min_cell == 1:
        return hidden
    for part in parts:
        hidden |= hidden_rows(groups.customers(part), min_cell=min_cell, disjoint=False)
    return hidden


def flag_parts(flags: Floats) -> tuple[Flags, Flags, Flags]:
    """
    Return the cases that a share tells of: all that count, those with the flag, those without.

    Parameters
    ----------
    flags : numpy.ndarray of float
        0 or 1; missing where a case does not count.

    Returns
    -------
    tuple of numpy.ndarray of bool
        As for :func:`hidden_groups`.
    """
    return np.isfinite(flags), flags == 1, flags == 0


def masked(table: pd.DataFrame, columns: list[str], hidden: Flags) -> pd.DataFrame:
    """
    Return a table without some columns' figures in some rows.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a group.
    columns : list of str
        With figures.
    hidden : numpy.ndarray of bool
        By row.

    Returns
    -------
    pandas.DataFrame
        Of the same rows and columns; whole numbers stay whole.
    """
    if not hidden.any():
        return table
    shown = table.copy()
    for name in columns:
        column = shown[name]
        if pd.api.types.is_bool_dtype(column):
            column = column.astype("boolean")
        elif pd.api.types.is_integer_dtype(column):
            column = column.astype("Int64")
        shown[name] = column.mask(hidden)
    return shown


def without_hidden_names(table: pd.DataFrame) -> pd.DataFrame:
    """
    Return a table by group with one row for all groups of which nothing is shown.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a group; ``cases``, missing where the group is hidden.

    Returns
    -------
    pandas.DataFrame
        The shown rows, then one named "not shown" where there are others.
    """
    hidden = table["cases"].isna().to_numpy()
    if not hidden.any():
        return table
    shown = pd.concat([table[~hidden], table[hidden].iloc[:1]])
    return shown.set_axis(pd.Index([*map(str, table.index[~hidden]), NOT_SHOWN], name=table.index.name))


def curve_points(
    curve: SurvivalCurve, hours: Floats, has_happened: Flags, customers: Codes, *, min_cell: int
) -> pd.DataFrame:
    """
    Return a survival curve as some points, each step of which is about enough customers.

    Parameters
    ----------
    curve : SurvivalCurve
        The curve.
    hours : numpy.ndarray of float, shape (n_cases,)
        Of its cases.
    has_happened : numpy.ndarray of bool, shape (n_cases,)
        Of its cases.
    customers : numpy.ndarray of int, shape (n_cases,)
        Of its cases.
    min_cell : int
        Least number of customers that a step is about.

    Returns
    -------
    pandas.DataFrame
        ``hours``, ``share`` to which it has not happened, ``low``, ``high``; the first point is at 0.
    """
    ended = np.flatnonzero(has_happened)
    ended = ended[np.argsort(hours[ended], kind="stable")]
    size = max(min_cell, -(-len(ended) // CURVE_POINTS), 1)
    while len(ended) and not _enough_customers(customers[ended], size, min_cell):
        size *= 2
    stops = hours[ended][size - 1 :: size] if len(ended) >= size else np.zeros(0)
    at = np.unique(np.concatenate([[0.0], stops]))
    share, low, high = curve.at(at)
    return pd.DataFrame({"hours": at, "share": share, "low": low, "high": high})


def _enough_customers(customers: Codes, size: int, min_cell: int) -> bool:
    """Return whether each whole block of cases is of enough customers, or there is no whole block."""
    n_blocks = len(customers) // size
    if min_cell == 1 or not n_blocks:
        return True
    blocks = np.arange(n_blocks * size) // size
    keys = np.unique(blocks * (int(customers.max()) + 1) + customers[: n_blocks * size])
    per_block = np.bincount(keys // (int(customers.max()) + 1), minlength=n_blocks)
    return bool((per_block >= min_cell).all())
