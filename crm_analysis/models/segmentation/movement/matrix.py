"""
How many customers went from where to where, up or down, with intervals and without small cells.

Who they are is in :mod:`crm_analysis.models.segmentation.movement.pairing`; what chance would have done, in ``chance``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.models.evaluation.resampling import LEVEL
from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.movement.disclosure import hidden_beside, shown_sums
from crm_analysis.models.segmentation.movement.pairing import BACK, DIRECTIONS, FIRST, UNRANKED
from crm_analysis.tables.privacy.suppression import hidden_rows, hidden_totals, small, suppressed_grid

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CHANGED = "changed"
TOTALS = (CHANGED, *DIRECTIONS, FIRST, BACK)
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class Shown:
    """
    What may be shown of a matrix.

    Attributes
    ----------
    cells : pandas.DataFrame of bool
        By row and column.
    rows, columns : pandas.Series of bool
        Totals of rows and of columns.
    totals : pandas.Series of bool
        By the names of :func:`parts_of`.
    """

    cells: pd.DataFrame
    rows: pd.Series
    columns: pd.Series
    totals: pd.Series


def parts_of(counts: pd.DataFrame) -> dict[str, Flags]:
    """
    Return which cells each total is over.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column, segments in their order.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the names of :data:`TOTALS`, into or out of noise only where there is some; of the same shape as the counts.
    """
    rows, columns = np.indices(counts.shape)
    n_segments = counts.shape[1] - 1
    known = rows < n_segments
    stays = columns < n_segments
    noise = (counts.index == NOISE_NAME)[:, None] | (counts.columns == NOISE_NAME)
    parts = {
        CHANGED: known & (rows != columns),
        "up": known & (columns < rows) & ~noise,
        "stayed": known & (columns == rows),
        "down": known & stays & (columns > rows) & ~noise,
        UNRANKED: known & stays & (columns != rows) & noise,
        "left": known & ~stays,
        FIRST: rows == n_segments,
        BACK: rows == n_segments + 1,
    }
    return {name: part for name, part in parts.items() if name != UNRANKED or noise.any()}


def shown_parts(counts: pd.DataFrame, *, min_cell: int) -> Shown:
    """
    Return what may be shown of a matrix: no figure about fewer customers, nor what would give such away.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column.
    min_cell : int
        Least number of customers.

    Returns
    -------
    Shown
        The numbers of customers at either day are taken as known, in all and by segment where they are not small: a report
        has a table of its segments' sizes.
    """
    grid = suppressed_grid(counts, counts=counts, min_cell=min_cell).isna()
    no_rows, no_columns = hidden_totals(counts, min_cell=min_cell)
    parts = parts_of(counts)
    rows, columns = np.indices(counts.shape)
    n_segments = counts.shape[1] - 1
    named = [name for name in DIRECTIONS if name in parts]
    flat = counts.to_numpy(dtype=float).ravel()
    sizes = {name: float(flat[part.ravel()].sum()) for name, part in parts.items()}
    directions = sorted(named, key=lambda name: (name != "stayed", -sizes[name]))
    # What is given up more readily stands later. Who stayed, and so who changed, is the headline: further cells are hidden for it.
    groups = {
        "sides": [rows < n_segments, columns < n_segments],
        "columns": [columns == at for at in range(counts.shape[1])],
        "directions": [parts[name] for name in directions],
        "rows": [rows == at for at in range(counts.shape[0])],
        "never shown": [parts[CHANGED], rows >= n_segments],  # but they must not follow where they are small
    }
    ends = np.cumsum([len(masks) for masks in groups.values()])
    sums = np.array([mask.ravel() for masks in groups.values() for mask in masks])
    before, after = _known_sizes(counts, min_cell=min_cell)
    never = np.zeros(2, dtype=bool)
    known = np.concatenate([[True, True], after, np.zeros(len(directions), dtype=bool), before, never])
    wanted = known.copy()
    wanted[ends[1]] = not small([sizes["stayed"], sizes[CHANGED]], min_cell=min_cell).any()
    hidden = hidden_beside(flat, grid.to_numpy().ravel(), sums, known=wanted, min_cell=min_cell)
    shown = shown_sums(
        flat,
        hidden,
        sums,
        candidates=np.concatenate([[True, True], ~no_columns, np.ones(len(directions), dtype=bool), ~no_rows, never]),
        known=known,
        min_cell=min_cell,
    )
    _, shown_columns, shown_directions, shown_rows, _ = np.split(shown, ends[:-1])
    totals = dict(zip(directions, map(bool, shown_directions), strict=True))
    totals |= {CHANGED: totals["stayed"], FIRST: bool(shown_rows[-2]), BACK: bool(shown_rows[-1])}
    return Shown(
        cells=pd.DataFrame(~hidden.reshape(counts.shape), index=counts.index, columns=counts.columns),
        rows=pd.Series(shown_rows, index=counts.index),
        columns=pd.Series(shown_columns, index=counts.columns),
        totals=pd.Series(totals)[list(parts)],
    )


def _known_sizes(counts: pd.DataFrame, *, min_cell: int) -> tuple[Flags, Flags]:
    """Return which totals of rows and of columns a table of the segments' sizes tells."""
    n_segments = counts.shape[1] - 1
    values = counts.to_numpy(dtype=float)
    sizes = values.sum(axis=1)[:n_segments], values.sum(axis=0)[:n_segments]
    before, after = (~hidden_rows(numbers, min_cell=min_cell) for numbers in sizes)
    return np.append(before, [False, False]), np.append(after, False)


def resampled(counts: pd.DataFrame, *, seed: int, n_bootstraps: int) -> Floats:
    """
    Return the matrix as other customers would have made it.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column.
    seed : int
        Start of the draws.
    n_bootstraps : int
        Resamples.

    Returns
    -------
    numpy.ndarray, shape (n_bootstraps, n_rows, n_columns)
        Counts. A resample of the customers with replacement fills the cells as one multinomial draw does, so that no customer
        need be drawn.
    """
    flat = counts.to_numpy().ravel()
    draws = np.random.default_rng([seed, 1]).multinomial(int(flat.sum()), flat / flat.sum(), size=n_bootstraps)
    return np.asarray(draws.reshape(n_bootstraps, *counts.shape), dtype=float)


def row_shares(counts: pd.DataFrame, samples: Floats, shown: Shown) -> pd.DataFrame:
    """
    Return every cell with its share of the row.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column.
    samples : numpy.ndarray
        As :func:`resampled` returns them.
    shown : Shown
        What may be shown.

    Returns
    -------
    pandas.DataFrame
        A row a cell: ``from``, ``to``, ``customers``, ``share`` of those in ``from``, ``low`` and ``high``. Where nobody or
        everybody of a row is in a cell, resamples know no other, and the exact one-sided bound stands in their place.
    """
    values = counts.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        shares = values / values.sum(axis=1, keepdims=True)
        drawn = samples / samples.sum(axis=2, keepdims=True)
    low, high = np.quantile(
        np.where(np.isnan(drawn), shares, drawn), _TAILS, axis=0
    )  # a row may lie empty in a resample
    rows = np.broadcast_to(values.sum(axis=1, keepdims=True), values.shape)
    bound = _TAILS[0] ** (1 / np.maximum(rows, 1))
    high = np.where((values == 0) & (rows > 0), 1 - bound, high)
    low = np.where((values == rows) & (rows > 0), bound, low)
    table = pd.MultiIndex.from_product([counts.index, counts.columns], names=["from", "to"]).to_frame(index=False)
    table["customers"] = pd.Series(counts.to_numpy().ravel(), dtype="Int64").where(shown.cells.to_numpy().ravel())
    for name, figures in (("share", shares), ("low", low), ("high", high)):
        table[name] = figures.ravel()
    with_total = shown.cells.to_numpy() & shown.rows.to_numpy()[:, None]
    table.loc[~with_total.ravel(), ["share", "low", "high"]] = np.nan
    return table


def segment_flows(counts: pd.DataFrame, samples: Floats, shown: Shown) -> pd.DataFrame:
    """
    Return how each segment grew or shrank.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column.
    samples : numpy.ndarray
        As :func:`resampled` returns them.
    shown : Shown
        What may be shown.

    Returns
    -------
    pandas.DataFrame
        Index ``segment``; ``before``, ``after``, ``stayed``, ``inflow``, ``outflow``, ``net`` in customers, the last three with
        ``_low`` and ``_high``.
    """
    segments = list(counts.columns[:-1])
    values, drawn = _flows(counts.to_numpy(dtype=float)[None]), _flows(samples)
    n_segments = len(segments)
    rows, columns = (totals.to_numpy(dtype=bool)[:n_segments] for totals in (shown.rows, shown.columns))
    stayed = np.diag(shown.cells.to_numpy(dtype=bool)[:n_segments, :n_segments])
    visible = {
        "before": rows,
        "after": columns,
        "stayed": stayed,
        "inflow": columns & stayed,
        "outflow": rows & stayed,
        "net": rows & columns,
    }
    table = pd.DataFrame(index=pd.Index(segments, name="segment", dtype="str"))
    for name, is_shown in visible.items():
        table[name] = pd.array(values[name][0].astype("int64"), dtype="Int64")
        table[name] = table[name].where(is_shown)
        if name in {"inflow", "outflow", "net"}:
            low, high = np.quantile(drawn[name], _TAILS, axis=0)
            table[f"{name}_low"] = pd.Series(low, index=table.index).where(is_shown)
            table[f"{name}_high"] = pd.Series(high, index=table.index).where(is_shown)
    return table


def _flows(samples: Floats) -> dict[str, Floats]:
    """Return the figures of each segment in each resample."""
    n_segments = samples.shape[2] - 1
    before = samples[:, :n_segments].sum(axis=2)
    after = samples[:, :, :n_segments].sum(axis=1)
    stayed = np.einsum("ijj->ij", samples[:, :n_segments, :n_segments])
    return {
        "before": before,
        "after": after,
        "stayed": stayed,
        "inflow": after - stayed,
        "outflow": before - stayed,
        "net": after - before,
    }


def direction_totals(counts: pd.DataFrame, samples: Floats, pairs: pd.DataFrame, shown: Shown) -> pd.DataFrame:
    """
    Return how many moved up, stayed, moved down, left or arrived, and the revenue they stand for.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column.
    samples : numpy.ndarray
        As :func:`resampled` returns them.
    pairs : pandas.DataFrame
        Everybody's segments, with ``direction``, ``spend_before`` and ``spend_after``.
    shown : Shown
        What may be shown.

    Returns
    -------
    pandas.DataFrame
        Index ``direction``, as in :func:`parts_of`; ``customers``; ``share`` with ``low`` and ``high``, of the customers at the earlier day, or at the later
        for those who arrived (``of`` says which); ``spend_before``, ``spend_after``; ``share_of_spend`` at that day, NaN where
        the revenue does not add up to more than zero.
    """
    parts = parts_of(counts)
    n_segments = counts.shape[1] - 1
    rows, columns = np.indices(counts.shape)
    days: dict[str, Flags] = {"earlier day": rows < n_segments, "later day": columns < n_segments}
    records = []
    for name in parts:
        day = "later day" if name in {FIRST, BACK} else "earlier day"
        share = _ratio(parts[name], days[day])
        low, high = np.quantile(share(samples), _TAILS)
        who = _in_total(pairs["direction"], name)
        records.append(
            {
                "direction": name,
                "customers": int(counts.to_numpy()[parts[name]].sum()),
                "of": day,
                "share": float(share(counts.to_numpy(dtype=float)[None])[0]),
                "low": float(low),
                "high": float(high),
                "spend_before": float(pairs["spend_before"].to_numpy()[who].sum()),
                "spend_after": float(pairs["spend_after"].to_numpy()[who].sum()),
            }
        )
    table = pd.DataFrame.from_records(records, index="direction").astype({"customers": "Int64"})
    table["share_of_spend"] = _shares_of_spend(table, pairs)
    for name in table.columns.drop("of"):
        table[name] = table[name].where(shown.totals.to_numpy())
    return table


def _ratio(part: Flags, whole: Flags) -> Callable[[Floats], Floats]:
    """Return the function that gives the share of a part in each resample; 0 where there is nobody."""
    return lambda samples: samples[:, part].sum(axis=1) / np.maximum(samples[:, whole].sum(axis=1), 1)


def _in_total(directions: pd.Series, name: str) -> Flags:
    """Return who is counted in a total."""
    names: Sequence[str] = ("up", "down", UNRANKED, "left") if name == CHANGED else (name,)
    return directions.isin(names).to_numpy()


def _shares_of_spend(table: pd.DataFrame, pairs: pd.DataFrame) -> Floats:
    """Return each total's share of the revenue at the day it is about."""
    before, after = float(pairs["spend_before"].sum()), float(pairs["spend_after"].sum())
    is_later = (table["of"] == "later day").to_numpy()
    spend = np.where(is_later, table["spend_after"], table["spend_before"])
    whole = np.where(is_later, after, before)
    return np.where(whole > 0, spend / np.where(whole > 0, whole, 1.0), np.nan)


def wide(counts: pd.DataFrame, shown: Shown) -> pd.DataFrame:
    """
    Return the matrix as it may be shown.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by row and column.
    shown : Shown
        What may be shown.

    Returns
    -------
    pandas.DataFrame
        Whole numbers, missing where they are hidden.
    """
    return counts.astype("Int64").where(shown.cells)
