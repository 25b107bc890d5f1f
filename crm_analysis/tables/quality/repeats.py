"""
Rows that stand more than once: exact duplicates and repeated keys, counted exactly in bounded memory.

What to do about them belongs in :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from crm_analysis.tables.engine import identifier


@dataclass(frozen=True)
class Repeats:
    """
    How often rows stand more than once.

    Attributes
    ----------
    surplus : int
        Rows beyond the first of their like.
    surplus_otherwise_sound : int
        Of the rows that break nothing else, those beyond the first of their like.
    money : decimal.Decimal
        The absolute amounts of the surplus rows, where rows that are alike have the same.
    largest : tuple of int
        How many are alike, in up to five of the largest groups, each number once.
    """

    surplus: int = 0
    surplus_otherwise_sound: int = 0
    money: Decimal = Decimal(0)
    largest: tuple[int, ...] = ()


def repeats(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    *,
    broken: str,
    money: str = "0",
    flagged: Callable[[str], str] = str,
) -> Repeats:
    """
    Count rows that agree in some columns; nulls are alike.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted name, or a query in parentheses.
    columns : sequence of str
        What must agree.
    broken : str
        SQL; true for a row that breaks another check.
    money : str
        SQL of a row's absolute amount.
    flagged : callable
        Turns a relation into one with further columns that `broken` asks for.

    Returns
    -------
    Repeats
        Exact numbers.

    Notes
    -----
    Rows are first counted by a 64-bit hash, of which only those that repeat are kept; rows with such a hash are then
    compared value by value. So wide rows are held in memory only where they are suspect.
    """
    names = ", ".join(identifier(name) for name in columns)
    suspect_rows = flagged(f"(SELECT * FROM {relation} WHERE hash({names}) IN (SELECT mark FROM suspects))")
    row = connection.execute(
        f"""
        WITH suspects AS (SELECT hash({names}) AS mark FROM {relation} GROUP BY mark HAVING count(*) > 1),
        alike AS (
            SELECT count(*) AS n, count(*) FILTER (WHERE NOT {broken}) AS sound,
                   any_value({money}) * (count(*) - 1) AS surplus_money
            FROM {suspect_rows}
            GROUP BY {names} HAVING count(*) > 1
        )
        SELECT sum(n - 1), sum(greatest(sound - 1, 0)), CAST(sum(surplus_money) AS DECIMAL(38, 4)), max(n, 100) FROM alike
        """
    ).fetchone()
    if row is None or row[0] is None:
        return Repeats()
    return Repeats(int(row[0]), int(row[1]), Decimal(row[2] or 0), tuple(dict.fromkeys(row[3]))[:5])
