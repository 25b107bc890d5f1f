"""
The most frequent values of a column, without those that only a few customers have.

Hiding numbers in any other table belongs in :mod:`crm_analysis.tables.privacy.suppression`.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from crm_analysis.tables.engine import identifier
from crm_analysis.tables.privacy.suppression import small

IDS = ("customer_id", "transaction_id", "case_id", "text")  # their values name a person, or may
MOST_LEVELS = 1000
SHOWN_LEVELS = 10
PERSON = "CASE WHEN customer_id IS NOT NULL THEN hash(customer_id) END"  # told apart in a third of the memory

Lumps = dict[str, list[str]]


def top_levels(connection: duckdb.DuckDBPyConnection, relation: str, column: str, *, min_cell: int) -> pd.DataFrame:
    """
    Return the most frequent values of a column, and what the others come to.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted name; it has the column ``customer_id``.
    column : str
        A column with at most a thousand values.
    min_cell : int
        Fewest customers that a value must have to be shown.

    Returns
    -------
    pandas.DataFrame
        Columns ``column``, ``level``, ``rows`` and ``customers``: up to ten values, most rows first; then the others together, those held by
        too few customers apart from the rest. Where even these together have too few customers, they take the smallest shown
        value with them.
    """
    value = f"CAST({identifier(column)} AS VARCHAR)"
    found = connection.execute(
        f"SELECT {value} AS level, count(*) AS rows, count(DISTINCT {PERSON}) AS customers FROM {relation} "
        f"WHERE {value} IS NOT NULL GROUP BY level ORDER BY rows DESC, level"
    ).df()
    few = small(found["customers"], min_cell=min_cell) | (found["customers"].to_numpy() == 0) & (min_cell > 1)
    enough = found.loc[~few, "level"].tolist()
    shown, further, rare = enough[:SHOWN_LEVELS], enough[SHOWN_LEVELS:], found.loc[few, "level"].tolist()
    lumps = _lumps(further, rare, min_cell)
    lumped = _together(connection, relation, value, lumps)
    while any(0 <= customers < min_cell for _, customers in lumped.values()) and min_cell > 1:
        others = [level for levels in lumps.values() for level in levels]
        if len(lumps) == 1:
            if not shown:
                return _table(column, [])
            others.append(shown.pop())
        lumps = {f"{len(others)} other values": others}
        lumped = _together(connection, relation, value, lumps)
    kept = found[found["level"].isin(shown)]
    lines = list(kept.itertuples(index=False, name=None)) + [(name, *counts) for name, counts in lumped.items()]
    return _table(column, lines)


def _lumps(further: list[str], rare: list[str], min_cell: int) -> Lumps:
    named = {
        f"{len(further)} further values": further,
        f"{len(rare)} values with fewer than {min_cell} customers each": rare,
    }
    return {name: levels for name, levels in named.items() if levels}


def _together(
    connection: duckdb.DuckDBPyConnection, relation: str, value: str, lumps: Lumps
) -> dict[str, tuple[int, int]]:
    """Return the rows and the customers of each lump."""
    counts = {}
    for name, levels in lumps.items():
        row = connection.execute(
            f"SELECT count(*), count(DISTINCT {PERSON}) FROM {relation} WHERE {value} IN (SELECT unnest($levels))",
            {"levels": levels},
        ).fetchone()
        counts[name] = (int(row[0]), int(row[1])) if row else (0, 0)
    return counts


def _table(column: str, lines: list[tuple[str, int, int]]) -> pd.DataFrame:
    table = pd.DataFrame(lines, columns=["level", "rows", "customers"])
    table = table.astype({"level": "str", "rows": "int64", "customers": "int64"})
    table.insert(0, "column", column)
    return table
