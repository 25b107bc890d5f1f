"""
Small cells: numbers about fewer customers than a dataset allows are taken out, with what would give them away.

Names and texts that identify a person by themselves are found in :mod:`crm_analysis.tables.privacy.identifiers`.

A cell is *small* when it speaks of at least one and fewer than ``min_cell`` customers (primary suppression). A cell of
nobody stays. Where totals are known, the difference to the shown cells is one more statement, so that further cells are
hidden until every such difference is about ``min_cell`` customers or more (complementary suppression).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import null_space

NOT_SHOWN = "not shown"
_CERTAIN = 1e-9

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def small(counts: npt.ArrayLike, *, min_cell: int) -> Flags:
    """
    Return which cells are about too few customers.

    Parameters
    ----------
    counts : array-like
        Customers per cell; a missing count is taken for a small one.
    min_cell : int
        Least number of customers a shown cell is about; 1 for public data.

    Returns
    -------
    numpy.ndarray of bool
        Of the same shape.

    Examples
    --------
    >>> small([0, 1, 4, 5], min_cell=5).tolist()
    [False, True, True, False]
    """
    if min_cell < 1:
        raise ValueError(f"min_cell must be at least 1, got {min_cell!r}")
    numbers = _numbers(counts)
    if min_cell == 1:
        return np.zeros(numbers.shape, dtype=bool)
    return np.asarray(~(numbers >= min_cell) & (numbers != 0), dtype=bool)


def hidden_rows(counts: npt.ArrayLike, *, min_cell: int, total: bool = True, disjoint: bool = True) -> Flags:
    """
    Return which rows of a table have to be hidden.

    Parameters
    ----------
    counts : array-like
        Customers per row.
    min_cell : int
        Least number of customers.
    total : bool
        Whether a total over the rows is known or shown somewhere.
    disjoint : bool
        Whether each customer stands in one row only; else the hidden rows may be about the same customers.

    Returns
    -------
    numpy.ndarray of bool
        The small rows; with a total, also the smallest others until the hidden ones are together about `min_cell` customers.

    Examples
    --------
    >>> hidden_rows([40, 3, 9], min_cell=5).tolist()
    [False, True, True]
    >>> hidden_rows([40, 3, 2, 9], min_cell=5).tolist()
    [False, True, True, False]
    """
    numbers = _numbers(counts)
    hidden = small(numbers, min_cell=min_cell)
    if not total or not hidden.any():
        return hidden
    together = np.nansum if disjoint else np.nanmax
    for row in np.argsort(numbers, kind="stable"):
        if together(np.nan_to_num(numbers[hidden])) >= min_cell:
            break
        hidden[row] |= numbers[row] > 0
    return hidden


def suppressed(
    table: pd.DataFrame,
    *,
    size: str = "customers",
    min_cell: int,
    keep: Sequence[str] = (),
    telling: Sequence[str] = (),
    total: bool = True,
    disjoint: bool = True,
) -> pd.DataFrame:
    """
    Return a table whose rows about too few customers have lost their numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per group of customers.
    size : str
        The column with the number of customers (not of cases or lines).
    min_cell : int
        Least number of customers; 1 returns the table as it is.
    keep : sequence of str
        Columns that stay in every row, because they are no statement about its customers.
    telling : sequence of str
        Columns, or the index, whose *text* tells something about its customers: hidden too.
    total : bool
        Whether a total over the rows is known or shown somewhere.
    disjoint : bool
        Whether each customer stands in one row only.

    Returns
    -------
    pandas.DataFrame
        Same rows and columns; numbers, flags and times of hidden rows are missing, names stay.

    Examples
    --------
    >>> groups = pd.DataFrame({"customers": [40, 3, 9], "spend": [10.0, 99.0, 5.0]}, index=["A", "B", "C"])
    >>> suppressed(groups, min_cell=5)["spend"].tolist()
    [10.0, nan, nan]
    """
    shown = table.copy()
    hidden = hidden_rows(table[size], min_cell=min_cell, total=total, disjoint=disjoint)
    if not hidden.any():
        return shown
    for position, name in enumerate(table.columns):
        if name not in keep:
            shown.isetitem(position, _without(table.iloc[:, position], hidden, telling=name in telling).array)
    if table.index.name in telling:
        shown.index = pd.Index(np.where(hidden, NOT_SHOWN, table.index.astype("str")), name=table.index.name)
    return shown


def suppressed_shares(shares: pd.Series, counts: npt.ArrayLike, *, min_cell: int) -> pd.Series:
    """
    Return shares of a whole without those that are about too few customers.

    Parameters
    ----------
    shares : pandas.Series
        Shares that add up to one, or other figures by group.
    counts : array-like
        Customers behind each.
    min_cell : int
        Least number of customers.

    Returns
    -------
    pandas.Series
        Missing where it is hidden; two groups of which one is small are both hidden, as each is one less the other.

    Examples
    --------
    >>> suppressed_shares(pd.Series({"a": 0.97, "b": 0.03}), [97, 3], min_cell=5).tolist()
    [nan, nan]
    """
    return shares.mask(hidden_rows(counts, min_cell=min_cell))


def suppressed_grid(table: pd.DataFrame, *, counts: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """
    Return a table in two directions without its small cells, for heat maps and crosstabs.

    Parameters
    ----------
    table : pandas.DataFrame
        What is shown, by row and column.
    counts : pandas.DataFrame
        Customers per cell, of the same shape.
    min_cell : int
        Least number of customers; 1 returns the table as it is.

    Returns
    -------
    pandas.DataFrame
        Hidden cells are missing. No hidden cell follows from the shown ones, the grand total, and the totals of rows and
        columns that :func:`hidden_totals` leaves.

    Notes
    -----
    Totals of rows and of columns count as cells of their own, the grand total is taken as known. Cells are hidden, smallest
    first, until no hidden one is determined by the sums and the hidden cells of a line whose total is shown are together
    about `min_cell` customers.
    """
    if table.shape != counts.shape:
        raise ValueError(f"table and counts must have one shape, got {table.shape} and {counts.shape}")
    hidden = _hidden_cells(_numbers(counts), min_cell=min_cell)[:-1, :-1]
    return table.mask(hidden) if hidden.any() else table.copy()


def hidden_totals(counts: pd.DataFrame, *, min_cell: int) -> tuple[pd.Series, pd.Series]:
    """
    Return which totals of rows and columns must not be shown beside :func:`suppressed_grid`.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers per cell.
    min_cell : int
        Least number of customers.

    Returns
    -------
    rows, columns : pandas.Series of bool
        By the labels of rows and of columns.
    """
    hidden = _hidden_cells(_numbers(counts), min_cell=min_cell)
    return pd.Series(hidden[:-1, -1], index=counts.index), pd.Series(hidden[-1, :-1], index=counts.columns)


def shown_count(number: int, *, customers: int, min_cell: int) -> int | None:
    """
    Return a count, or nothing where it is about too few customers.

    Parameters
    ----------
    number : int
        Of anything, such as cases.
    customers : int
        Customers behind it.
    min_cell : int
        Least number of customers.

    Returns
    -------
    int or None
        None is recorded as null.

    Examples
    --------
    >>> shown_count(12, customers=2, min_cell=5) is None
    True
    """
    return None if small([customers], min_cell=min_cell)[0] else number


def averaged_points(points: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """
    Put means of neighbouring customers in the place of single ones, for pictures with a point a customer.

    Parameters
    ----------
    points : pandas.DataFrame
        A row per customer, coordinates as columns.
    min_cell : int
        Least number of customers a point stands for.

    Returns
    -------
    pandas.DataFrame
        A row per point: its coordinates, and ``customers``, `min_cell` to twice `min_cell` less one of them. Empty where there
        are fewer than `min_cell` in all.

    Notes
    -----
    Customers are parted at the median of the coordinate with the widest range until a part is too small to be parted again.

    References
    ----------
    Domingo-Ferrer, Mateo-Sanz (2002), "Practical data-oriented microaggregation", IEEE TKDE 14(1), for the idea.

    Examples
    --------
    >>> averaged_points(pd.DataFrame({"x": [1.0, 2.0, 8.0, 9.0, 10.0]}), min_cell=2).to_numpy().tolist()
    [[1.5, 2.0], [9.0, 3.0]]
    """
    values = points.to_numpy(dtype=float)
    waiting = [np.arange(len(values))] if len(values) >= min_cell else []
    means: list[list[float]] = []
    while waiting:
        part = waiting.pop()
        if len(part) < 2 * min_cell:
            means.append([*values[part].mean(axis=0), float(len(part))])
            continue
        widest = int(np.argmax(np.ptp(values[part], axis=0)))
        ordered = part[np.argsort(values[part, widest], kind="stable")]
        waiting += [ordered[len(part) // 2 :], ordered[: len(part) // 2]]
    table = pd.DataFrame(means, columns=[*points.columns, "customers"], dtype=float)
    return table.astype({"customers": "int64"})


def left_out_in_words(min_cell: int, *figures: pd.Series) -> str:
    """
    Say that cells were left out, where some were.

    Parameters
    ----------
    min_cell : int
        Least number of customers.
    *figures : pandas.Series
        Counts or shares as they are shown: a missing one was hidden.

    Returns
    -------
    str
        A sentence; empty where nothing is missing, and for public data.

    Examples
    --------
    >>> left_out_in_words(5, pd.Series([0.4, None]))
    'Figures about fewer than 5 customers, and what would give them away, are left out (–).'
    """
    if min_cell == 1 or not any(bool(shown.isna().any()) for shown in figures):
        return ""
    return f"Figures about fewer than {min_cell} customers, and what would give them away, are left out (–)."


def _numbers(counts: npt.ArrayLike) -> Floats:
    """Return counts as floats, also those of pandas with missing ones."""
    if isinstance(counts, pd.Series | pd.DataFrame):
        return np.asarray(counts.to_numpy(dtype=float, na_value=np.nan), dtype=float)
    return np.asarray(counts, dtype=float)


def _without(column: pd.Series, hidden: Flags, *, telling: bool) -> pd.Series:
    """Return a column without what it says of hidden rows; names stay unless they tell."""
    if pd.api.types.is_bool_dtype(column):
        return column.astype("boolean").mask(hidden)
    if pd.api.types.is_integer_dtype(column):
        return column.astype("Int64").mask(hidden)
    if pd.api.types.is_numeric_dtype(column) or column.dtype.kind in "mM":
        return column.mask(hidden)
    is_text = isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.infer_dtype(column) in {"string", "empty"}
    if telling and is_text:
        return column.astype("str").mask(hidden, NOT_SHOWN)
    return column if is_text else column.astype(object).mask(hidden, None)


def _hidden_cells(counts: Floats, *, min_cell: int) -> Flags:
    """Return the hidden cells of a grid and, in its last row and column, the hidden totals."""
    whole = np.nan_to_num(counts)
    cells = np.block([[counts, whole.sum(axis=1, keepdims=True)], [whole.sum(axis=0, keepdims=True), whole.sum()]])
    hidden = small(cells, min_cell=min_cell)
    hidden[-1, -1] = False  # how many customers there are is known
    while hidden.any() and (found := _given_away(cells, hidden, min_cell=min_cell)) is not None:
        hidden[found] = True
    return hidden


def _given_away(cells: Floats, hidden: Flags, *, min_cell: int) -> tuple[int, int] | None:
    """Return the cell to hide next; None where nothing gives a hidden one away, or nothing is left to hide."""
    rows, columns = cells.shape
    lines = [[(row, column) for column in range(columns)] for row in range(rows)]
    lines += [[(row, column) for row in range(rows)] for column in range(columns)]
    certain = _determined(hidden, lines)
    told = {cell for cell in certain if np.nan_to_num(cells[cell]) < min_cell}
    in_need = certain if told else set()
    needy = [
        line for line in lines if in_need.intersection(line) or _sums_to_little(line, cells, hidden, certain, min_cell)
    ]
    for line in sorted(needy, key=lambda line: sum(bool(hidden[cell]) for cell in line)):
        free = [cell for cell in line if not hidden[cell] and cells[cell] > 0 and cell != (rows - 1, columns - 1)]
        if free:  # a cell that closes a rectangle protects at once; else the smallest
            return min(
                free, key=lambda cell: (not (hidden[cell[0]].any() and hidden[:, cell[1]].any()), cells[cell], cell)
            )
    return None


def _determined(hidden: Flags, lines: Sequence[Sequence[tuple[int, int]]]) -> set[tuple[int, int]]:
    """Return the hidden cells that the sums of the lines determine: those that no solution of zero sums can move."""
    unknown = [(int(row), int(column)) for row, column in np.argwhere(hidden)]
    if not unknown:
        return set()
    place = {cell: at for at, cell in enumerate(unknown)}
    sums = np.zeros((len(lines), len(unknown)))
    for at, line in enumerate(lines):
        for cell in line:
            if cell in place:
                sums[at, place[cell]] = -1.0 if cell == line[-1] else 1.0
    movable = np.abs(null_space(sums)).max(axis=1, initial=0.0) > _CERTAIN
    return {cell for cell, moves in zip(unknown, movable, strict=True) if not moves}


def _sums_to_little(
    line: Sequence[tuple[int, int]], cells: Floats, hidden: Flags, certain: set[tuple[int, int]], min_cell: int
) -> bool:
    """Return whether the known total of a line puts its hidden cells together as a small one."""
    inside = [cells[cell] for cell in line[:-1] if hidden[cell]]
    is_known = not hidden[line[-1]] or line[-1] in certain
    return bool(inside) and is_known and float(np.nansum(inside)) < min_cell
