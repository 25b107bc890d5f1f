"""
Sums about few: many customers of a label may have spent nothing, so that its sum is the spend of the others.

Which cells are about too few customers at all is told by :mod:`crm_analysis.tables.privacy.suppression`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_analysis.tables.privacy.suppression import Flags, small


def hidden_labels(table: pd.DataFrame, hidden: Flags) -> pd.DataFrame:
    """
    Return a table without the numbers of some labels.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a label, with ``customers``.
    hidden : numpy.ndarray of bool
        By row.

    Returns
    -------
    pandas.DataFrame
        Same rows and columns; as it is where no row is hidden.
    """
    if not hidden.any():
        return table.copy()
    return table.astype({"customers": "Int64"}).mask(hidden[:, None] & np.ones(table.shape, dtype=bool))


def without_small_sums(
    table: pd.DataFrame, behind: pd.DataFrame, *, hidden: Flags, min_cell: int, columns: dict[str, str] | None = None
) -> pd.DataFrame:
    """
    Return a table without sums (or means) to which too few customers contribute.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a label, each customer in one.
    behind : pandas.DataFrame
        Customers of whom each sum is not zero, same rows; its columns are those looked at.
    hidden : numpy.ndarray of bool
        Rows that are hidden whole.
    min_cell : int
        Least number of customers.
    columns : dict of str to str, optional
        What the columns of `behind` are called in `table`, where that differs.

    Returns
    -------
    pandas.DataFrame
        Such sums are missing; so are the smallest others until the missing ones of a column are together about `min_cell`
        customers, or nobody, as the sum over all labels counts as known. A sum of which all is zero stays.

    Examples
    --------
    >>> table = pd.DataFrame({"spend": [900.0, 20.0, 300.0]}, index=["a", "b", "c"])
    >>> behind = pd.DataFrame({"spend": [40, 4, 9]}, index=["a", "b", "c"])
    >>> without_small_sums(table, behind, hidden=np.zeros(3, dtype=bool), min_cell=5)["spend"].tolist()
    [900.0, nan, nan]
    """
    shown = table.copy()
    for name in behind.columns:
        among = (columns or {}).get(name, name)
        shown[among] = shown[among].mask(_hidden_sums(behind[name].to_numpy(dtype=float), hidden, min_cell=min_cell))
    return shown


def _hidden_sums(behind: np.ndarray, hidden: Flags, *, min_cell: int) -> Flags:
    """Return the rows whose sum is about too few, or would tell such a one."""
    missing = hidden | small(behind, min_cell=min_cell)
    for row in np.argsort(behind, kind="stable"):
        if not 0 < behind[missing].sum() < min_cell:
            break
        missing[row] |= behind[row] > 0
    return np.asarray(missing)
