"""
Which shares of an outcome would tell of too few customers: those with the outcome, or those without it, counted apart.

The rules for small cells are in :mod:`crm_analysis.tables.privacy.suppression`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.tables.privacy.suppression import hidden_rows, small

Flags = npt.NDArray[np.bool_]


def customers_by_part(outcome: npt.ArrayLike, groups: npt.ArrayLike, customers: npt.ArrayLike) -> pd.DataFrame:
    """
    Count the customers of each group, and those with and without an outcome.

    Parameters
    ----------
    outcome : array-like of 0 or 1, shape (n_cases,)
        What a share is of.
    groups : array-like, shape (n_cases,)
        The group of each case.
    customers : array-like, shape (n_cases,)
        Whose case each is.

    Returns
    -------
    pandas.DataFrame
        Index the groups, sorted; columns ``customers``, ``with_outcome``, ``without``.

    Examples
    --------
    >>> customers_by_part([1, 0, 1, 0], ["a", "a", "b", "b"], ["x", "x", "y", "z"]).values.tolist()
    [[1, 1, 1], [2, 1, 1]]
    """
    truth, group, owner = np.asarray(outcome, dtype=float), np.asarray(groups), pd.Series(np.asarray(customers))
    parts = {"customers": np.ones(len(truth), dtype=bool), "with_outcome": truth == 1, "without": truth == 0}
    counts = {name: owner[part].groupby(group[part]).nunique() for name, part in parts.items()}
    return pd.DataFrame(counts).reindex(counts["customers"].index).fillna(0).astype("int64")


def hidden_shares(
    outcome: npt.ArrayLike, groups: npt.ArrayLike, customers: npt.ArrayLike, *, min_cell: int
) -> pd.Series:
    """
    Return the groups whose share of an outcome must not be shown.

    Parameters
    ----------
    outcome : array-like of 0 or 1, shape (n_cases,)
        What the share is of.
    groups : array-like, shape (n_cases,)
        The group of each case.
    customers : array-like, shape (n_cases,)
        Whose case each is.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    pandas.Series of bool
        By group, sorted: those of which the cases, the cases with the outcome or those without are of too few customers, and the
        next smallest where these could be told from the total.

    Examples
    --------
    >>> outcome, groups = ([1] * 2 + [0] * 8) + [0, 1] * 20, ["a"] * 10 + ["b"] * 15 + ["c"] * 25
    >>> hidden_shares(outcome, groups, range(50), min_cell=5).tolist()
    [True, True, False]
    """
    table = customers_by_part(outcome, groups, customers)
    hidden = [hidden_rows(table[part], min_cell=min_cell, disjoint=False) for part in table]
    return pd.Series(np.any(hidden, axis=0), index=table.index)


def is_of_few(customers: npt.ArrayLike, *parts: Flags, min_cell: int) -> bool:
    """
    Return whether any of some parts of cases is of too few customers.

    Parameters
    ----------
    customers : array-like, shape (n_cases,)
        Whose case each is.
    *parts : numpy.ndarray of bool, shape (n_cases,)
        Cases.
    min_cell : int
        Least number of customers; 1 for public data, of which nothing is hidden.

    Returns
    -------
    bool
        A part without a case is of nobody, not of few.
    """
    if min_cell == 1:
        return False
    owner = np.asarray(customers)
    return bool(small([len(pd.unique(owner[part])) for part in parts], min_cell=min_cell).any())


def without_rows(table: pd.DataFrame, hidden: pd.Series) -> pd.DataFrame:
    """
    Return a table whose hidden rows have lost their figures.

    Parameters
    ----------
    table : pandas.DataFrame
        Figures by group.
    hidden : pandas.Series of bool
        By group.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns; whole numbers stay whole.
    """
    if not hidden.any():
        return table
    whole = table.select_dtypes("integer").columns
    return table.astype(dict.fromkeys(whole, "Int64")).mask(hidden.reindex(table.index), axis=0)


def in_tens(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """
    Return a table whose counts are rounded to tens.

    Parameters
    ----------
    table : pandas.DataFrame
        With counts.
    columns : list of str
        Which ones.

    Returns
    -------
    pandas.DataFrame
        Where exact counts would add up to all cases but a few customers' own.

    Examples
    --------
    >>> in_tens(pd.DataFrame({"n_cases": [118, 280]}), ["n_cases"])["n_cases"].tolist()
    [120, 280]
    """
    return table.assign(**{name: (table[name].astype("Float64") / 10).round() * 10 for name in columns}).astype(
        dict.fromkeys(columns, "Int64")
    )
