"""
Profiles of a table's columns for a report: what is missing, how values are spread, and how days are covered.

Everything is computed in SQL over every row. Numbers about fewer than `min_cell` customers are left out, and so are exact
extremes, which name a person. Judging what is found belongs in :mod:`crm_analysis.tables.quality.contract`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from crm_analysis.tables.engine import identifier
from crm_analysis.tables.privacy.suppression import shown_count, suppressed
from crm_analysis.tables.quality.levels import IDS, MOST_LEVELS, PERSON, top_levels
from crm_analysis.tables.schema import dated_by

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FRACTIONS = ("DOUBLE", "FLOAT", "DECIMAL")
_TAIL = 0.01


@dataclass(frozen=True)
class Distributions:
    """
    How the values of a table are spread, column by column.

    Attributes
    ----------
    numbers : pandas.DataFrame
        Columns ``column``, ``rows``, ``zeros``, ``negatives``, and the quantiles ``q01`` to ``q99``.
    texts : pandas.DataFrame
        Columns ``column``, ``rows``, ``distinct``.
    levels : pandas.DataFrame
        Columns ``column``, ``level``, ``rows``, ``customers``: the most frequent values of texts and flags.
    times : pandas.DataFrame
        Columns ``column``, ``rows``, ``first``, ``last``, ``exact``: where not exact, days between which lie 98 % of the rows.
    """

    numbers: pd.DataFrame
    texts: pd.DataFrame
    levels: pd.DataFrame
    times: pd.DataFrame


def missingness(
    connection: duckdb.DuckDBPyConnection, relation: str, *, leave_out: Collection[str] = ()
) -> pd.DataFrame:
    """
    Count the missing values of each column.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted name.
    leave_out : collection of str
        Columns that are not shown.

    Returns
    -------
    pandas.DataFrame
        Columns ``column``, ``missing`` (rows) and ``share``, in the order of the table.
    """
    names = list(_columns(connection, relation, leave_out))
    counted = ", ".join(["count(*)", *(f"count({identifier(name)})" for name in names)])
    rows, *there = _row(connection, f"SELECT {counted} FROM {relation}")
    missing = np.array([rows - count for count in there], dtype="int64")
    return pd.DataFrame({"column": names, "missing": missing, "share": missing / max(rows, 1)})


def distributions(
    connection: duckdb.DuckDBPyConnection, relation: str, *, min_cell: int, leave_out: Collection[str] = ()
) -> Distributions:
    """
    Describe every column of a table that belongs to customers.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted name; it has the column ``customer_id``.
    min_cell : int
        Fewest customers that a number may be about; 1: everything is shown.
    leave_out : collection of str
        Columns that are not shown.

    Returns
    -------
    Distributions
        Values of ids and of the customers' own words are counted, never shown. A quantile is shown when `min_cell` customers' worth
        of values lie beyond it.
    """
    kinds = _columns(connection, relation, leave_out)
    numbers = [_number(connection, relation, name, min_cell) for name, kind in kinds.items() if kind == "number"]
    texts = [_text(connection, relation, name) for name, kind in kinds.items() if kind == "text"]
    times = [_time(connection, relation, name, min_cell) for name, kind in kinds.items() if kind == "time"]
    levelled = [name for name, kind in kinds.items() if kind == "flag"]
    levelled += [name for name, _, distinct in texts if name not in IDS and distinct <= MOST_LEVELS]
    levels = [top_levels(connection, relation, name, min_cell=min_cell) for name in kinds if name in levelled]
    named = [f"q{round(100 * q):02d}" for q in QUANTILES]
    empty = pd.DataFrame(columns=["column", "level", "rows", "customers"])
    return Distributions(
        pd.DataFrame(numbers, columns=["column", "rows", "zeros", "negatives", *named]).astype(
            {"zeros": "Int64", "negatives": "Int64"} | dict.fromkeys(named, "float64")
        ),
        pd.DataFrame(texts, columns=["column", "rows", "distinct"]),
        pd.concat(levels, ignore_index=True) if levels else empty,
        pd.DataFrame(times, columns=["column", "rows", "first", "last", "exact"]),
    )


def histogram(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, *, min_cell: int, bins: int = 20
) -> pd.DataFrame:
    """
    Count the values of a numeric column in bins of equal width, between its 1 % and its 99 % quantile.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted name; it has the column ``customer_id``.
    column : str
        A column of numbers.
    min_cell : int
        Fewest customers that a bin may be about.
    bins : int
        At most so many; fewer where whole numbers have fewer values.

    Returns
    -------
    pandas.DataFrame
        Columns ``low`` (inclusive), ``high`` (exclusive, but for the last), ``rows`` and ``customers``; missing where a bin is about too
        few customers. Empty where there are too few customers for any bin. With few customers the tails that are left out are
        wider, so that each holds `min_cell` customers' worth of values.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins!r}")
    value = f"CAST({identifier(column)} AS DOUBLE)"
    finite = f"(SELECT {value} AS value, {PERSON} AS person FROM {relation} WHERE isfinite({value}))"
    (customers,) = _row(connection, f"SELECT count(DISTINCT person) FROM {finite}")
    edges = _edges(connection, finite, tail=_tail(customers, min_cell), bins=bins)
    if edges is None:
        return pd.DataFrame(columns=["low", "high", "rows", "customers"])
    width = edges[1] - edges[0]
    number = f"least(CAST(floor((value - {edges[0]!r}) / {width!r}) AS BIGINT), {len(edges) - 2})"
    counted = connection.execute(
        f"SELECT {number} AS bin, count(*) AS rows, count(DISTINCT person) AS customers FROM {finite} "
        f"WHERE value BETWEEN {edges[0]!r} AND {edges[-1]!r} GROUP BY bin"
    ).df()
    filled = counted.set_index("bin").reindex(range(len(edges) - 1), fill_value=0).reset_index(drop=True)
    table = pd.concat([pd.DataFrame({"low": edges[:-1], "high": edges[1:]}), filled], axis="columns")
    return suppressed(table, min_cell=min_cell, keep=("low", "high"), disjoint=False)


def daily_coverage(connection: duckdb.DuckDBPyConnection, table: str, relation: str, *, min_cell: int) -> pd.DataFrame:
    """
    Count the rows of each day between the first and the last.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    relation : str
        Its quoted name.
    min_cell : int
        Fewest customers that a day's numbers may be about.

    Returns
    -------
    pandas.DataFrame
        Columns ``day`` (a time stamp at midnight), ``rows`` and ``customers``: zero on a day without rows, missing on a day with too few
        customers.
    """
    dated = identifier(dated_by(table))
    counted = connection.execute(
        f"SELECT CAST(CAST({dated} AS DATE) AS TIMESTAMP) AS day, count(*) AS rows, count(DISTINCT {PERSON}) AS customers "
        f"FROM {relation} WHERE {dated} >= DATE '1900-01-01' AND {dated} < DATE '2200-01-01' GROUP BY day ORDER BY day"
    ).df()
    if counted.empty:
        return counted
    days = pd.date_range(counted["day"].iloc[0], counted["day"].iloc[-1], freq="D", name="day", unit="us")
    filled = counted.set_index("day").reindex(days, fill_value=0).reset_index()
    return suppressed(filled, min_cell=min_cell, keep=("day",), disjoint=False)


def _columns(connection: duckdb.DuckDBPyConnection, relation: str, leave_out: Collection[str]) -> dict[str, str]:
    """Return the columns that are shown, each with its kind."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {
        str(name): _kind(str(sql_type))
        for name, sql_type, *_ in described
        if not name.startswith("_") and name not in leave_out
    }


def _kind(sql_type: str) -> str:
    if sql_type in _NUMBERS or (sql_type.startswith(_FRACTIONS) and not sql_type.endswith("]")):
        return "number"
    if sql_type.startswith(("TIMESTAMP", "DATE")) and not sql_type.endswith("]"):
        return "time"
    return {"VARCHAR": "text", "BOOLEAN": "flag"}.get(sql_type, "other")


def _number(connection: duckdb.DuckDBPyConnection, relation: str, name: str, min_cell: int) -> tuple[Any, ...]:
    value = f"CAST({identifier(name)} AS DOUBLE)"
    levels = ", ".join(map(str, QUANTILES))
    rows, zeros, negatives, quantiles = _row(
        connection,
        f"SELECT count({value}), count(*) FILTER (WHERE {value} = 0), count(*) FILTER (WHERE {value} < 0), "
        f"quantile_cont({value}, [{levels}]) FILTER (WHERE isfinite({value})) FROM {relation}",
    )
    customers = _customers(connection, relation, f"isfinite({value})", most=min_cell / _TAIL)
    shown = [
        figure if min_cell == 1 or round(min(q, 1 - q) * customers, 9) >= min_cell else None
        for q, figure in zip(QUANTILES, quantiles or [None] * len(QUANTILES), strict=True)
    ]
    counts = (
        shown_count(n, customers=_customers(connection, relation, where, most=min_cell), min_cell=min_cell)
        for n, where in ((zeros, f"{value} = 0"), (negatives, f"{value} < 0"))
    )
    return (name, rows, *counts, *shown)


def _customers(connection: duckdb.DuckDBPyConnection, relation: str, where: str, *, most: float) -> int:
    """Count the customers with such rows, no further than needed."""
    (customers,) = _row(
        connection,
        f"SELECT count(*) FROM (SELECT DISTINCT customer_id FROM {relation} "
        f"WHERE {where} AND customer_id IS NOT NULL LIMIT {int(np.ceil(most))})",
    )
    return int(customers)


def _text(connection: duckdb.DuckDBPyConnection, relation: str, name: str) -> tuple[str, int, int]:
    """Return the rows and the number of values, told apart by a 64-bit hash."""
    quoted = identifier(name)
    rows, distinct = _row(
        connection,
        f"SELECT count({quoted}), count(DISTINCT hash({quoted})) FILTER (WHERE {quoted} IS NOT NULL) FROM {relation}",
    )
    return name, rows, distinct


def _time(connection: duckdb.DuckDBPyConnection, relation: str, name: str, min_cell: int) -> tuple[Any, ...]:
    quoted = identifier(name)
    if min_cell == 1:
        rows, first, last = _row(connection, f"SELECT count({quoted}), min({quoted}), max({quoted}) FROM {relation}")
        return name, rows, first, last, True
    rows, ends = _row(
        connection,
        f"SELECT count({quoted}), quantile_disc(CAST({quoted} AS DATE), [{_TAIL}, {1 - _TAIL}]) FROM {relation}",
    )
    needed = min_cell / _TAIL
    enough = bool(ends) and _customers(connection, relation, f"{quoted} IS NOT NULL", most=needed) >= needed
    first, last = ends if enough else (None, None)
    return name, rows, first, last, False


def _tail(customers: int, min_cell: int) -> float:
    """Return the share that is left out on either side."""
    return max(_TAIL, min_cell / customers if min_cell > 1 and customers else _TAIL)


def _edges(connection: duckdb.DuckDBPyConnection, finite: str, *, tail: float, bins: int) -> Sequence[float] | None:
    """Return the edges of the bins; None where nothing lies between the tails."""
    ends, is_whole = (
        _row(
            connection,
            f"SELECT quantile_disc(value, [{tail!r}, {1 - tail!r}]), bool_and(value = floor(value)) FROM {finite}",
        )
        if tail < 0.5
        else (None, None)
    )
    if not ends:
        return None
    low, high = ends
    if is_whole:
        width = max(1.0, float(np.ceil((high - low + 1) / bins)))
        return [low + width * n for n in range(int(np.ceil((high - low + 1) / width)) + 1)]
    if low == high:
        return [low, low + 1.0]
    return [float(edge) for edge in np.linspace(low, high, bins + 1)]


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return connection.execute(sql).fetchone() or ()
