"""
Which sums over the cells of a table may be shown beside its hidden cells, and what known sums force to hide.

The cells themselves, and the sums of rows and columns, are hidden in :mod:`crm_analysis.tables.privacy.suppression`; here
it is about further sums, such as all who moved up, each of which is one more statement about the hidden cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_CERTAIN = 1e-9


def hidden_beside(counts: Floats, hidden: Flags, sums: NDArray[np.bool_], *, known: Flags, min_cell: int) -> Flags:
    """
    Hide further cells until sums that are known anyway tell no small number of customers.

    Parameters
    ----------
    counts : numpy.ndarray, shape (n_cells,)
        Customers per cell.
    hidden : numpy.ndarray of bool, shape (n_cells,)
        Cells that are hidden already.
    sums : numpy.ndarray of bool, shape (n_sums, n_cells)
        Which cells each sum is over.
    known : numpy.ndarray of bool, shape (n_sums,)
        Sums that are known from elsewhere; the others must not follow where they are small.
    min_cell : int
        Least number of customers.

    Returns
    -------
    numpy.ndarray of bool, shape (n_cells,)
        The hidden cells: each time the one is added that leaves the fewest told, of equal ones the smallest; cells of nobody
        only when no others are left.

    Examples
    --------
    >>> cells, hidden = np.array([40.0, 9.0, 2.0]), np.array([False, False, True])
    >>> hidden_beside(cells, hidden, np.ones((1, 3), bool), known=np.array([True]), min_cell=5).tolist()
    [False, True, True]
    """
    totals = sums @ counts
    found = hidden.copy()
    while _n_told(counts, found, sums, totals, known, min_cell=min_cell):
        free = np.flatnonzero(~found & (counts > 0)).tolist() or np.flatnonzero(~found).tolist()
        if not free:
            break
        left = {at: _n_told(counts, _with(found, at), sums, totals, known, min_cell=min_cell) for at in free}
        found = _with(found, min(free, key=lambda at: (left[at], counts[at])))
    return found


def shown_sums(
    counts: Floats, hidden: Flags, sums: NDArray[np.bool_], *, candidates: Flags, known: Flags, min_cell: int
) -> Flags:
    """
    Return which sums can be shown without giving a small number of customers away.

    Parameters
    ----------
    counts : numpy.ndarray, shape (n_cells,)
        Customers per cell.
    hidden : numpy.ndarray of bool, shape (n_cells,)
        Cells that are not shown.
    sums : numpy.ndarray of bool, shape (n_sums, n_cells)
        Which cells each sum is over; those given up more readily stand last.
    candidates : numpy.ndarray of bool, shape (n_sums,)
        Sums that are to be shown if they can be.
    known : numpy.ndarray of bool, shape (n_sums,)
        Sums that are known from elsewhere whatever is shown here.
    min_cell : int
        Least number of customers.

    Returns
    -------
    numpy.ndarray of bool, shape (n_sums,)
        The candidates without those that, together with the other shown ones, tell a hidden cell or a hidden sum of fewer
        than `min_cell` customers, or leave so few in the hidden cells of one sum. Known ones stay.

    Examples
    --------
    >>> cells, hidden = np.array([40.0, 9.0, 2.0]), np.array([False, True, True])
    >>> sums = np.array([[True, True, True], [True, True, False]])
    >>> all_of = np.array([True, True])
    >>> shown_sums(cells, hidden, sums, candidates=all_of, known=np.array([True, False]), min_cell=5).tolist()
    [True, False]
    """
    parts = sums[:, hidden].astype(float)
    values = counts[hidden]
    totals = sums @ counts
    shown = (candidates & ~((totals > 0) & (totals < min_cell))) | known
    while _told(parts, values, totals, shown, min_cell=min_cell):
        droppable = np.flatnonzero(shown & ~known & parts.any(axis=1))[::-1]
        if not len(droppable):
            break
        without = (at for at in droppable if not _told(parts, values, totals, _dropped(shown, at), min_cell=min_cell))
        shown = _dropped(shown, next(without, droppable[0]))  # one that settles it, or the first to be given up
    return np.asarray(shown)


def _with(hidden: Flags, at: int) -> Flags:
    """Return the flags with one more."""
    more = hidden.copy()
    more[at] = True
    return more


def _dropped(shown: Flags, at: int) -> Flags:
    """Return the flags without one."""
    fewer = shown.copy()
    fewer[at] = False
    return fewer


def _n_told(
    counts: Floats, hidden: Flags, sums: NDArray[np.bool_], totals: Floats, shown: Flags, *, min_cell: int
) -> int:
    """Return how many small numbers the shown sums tell beside the cells that are not hidden."""
    return _told(sums[:, hidden].astype(float), counts[hidden], totals, shown, min_cell=min_cell)


def _told(parts: Floats, values: Floats, totals: Floats, shown: Flags, *, min_cell: int) -> int:
    """Return how many hidden cells and sums about too few customers the shown sums tell."""
    if not len(values):
        return 0
    inside = parts[shown] @ values
    _, sizes, directions = np.linalg.svd(parts[shown], full_matrices=False)
    told = directions[sizes > _CERTAIN]  # a cell or sum is told if it is a combination of the shown sums
    is_cell_told = ((told**2).sum(axis=0) > 1 - _CERTAIN) & (values < min_cell)
    small = parts[(totals > 0) & (totals < min_cell) & ~shown]
    is_sum_told = np.abs(small - (small @ told.T) @ told).max(axis=1, initial=0.0) < _CERTAIN
    return int(((inside > 0) & (inside < min_cell)).sum() + is_cell_told.sum() + is_sum_told.sum())
