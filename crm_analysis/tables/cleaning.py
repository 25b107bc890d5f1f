"""
Cleaning rules: each takes a relation and returns a new one, and every row it touches is counted.

Rules that only *detect* faults live in :mod:`crm_analysis.tables.quality`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from crm_analysis.tables.engine import identifier
from crm_analysis.tables.workspace import did_you_mean

Rule = Callable[[str, Any], str]


def _without_exact_duplicates(table: str, _: Any) -> str:
    return f"SELECT DISTINCT * FROM {table}"


def _without_missing_customers(table: str, _: Any) -> str:
    return f"SELECT * FROM {table} WHERE customer_id IS NOT NULL"


def _returns(table: str, treatment: Any) -> str:
    if treatment == "drop":
        return f"SELECT * FROM {table} WHERE amount >= 0"
    return f"SELECT * FROM {table}"  # net and keep: a return counts, negative, on its own date


RULES: Mapping[str, Rule] = {
    "drop_exact_duplicates": _without_exact_duplicates,
    "drop_missing_customers": _without_missing_customers,
    "returns": _returns,
}
_RETURN_TREATMENTS = ("net", "drop", "keep")


@dataclass(frozen=True)
class LedgerLine:
    """
    What one cleaning rule did to one table.

    Attributes
    ----------
    table, rule : str
        Which rule on which table.
    rows_before, rows_dropped : int
        Rows it saw, rows it left out.
    """

    table: str
    rule: str
    rows_before: int
    rows_dropped: int


def check_rules(rules: dict[str, Any]) -> dict[str, Any]:
    """
    Check the names and arguments of cleaning rules.

    Parameters
    ----------
    rules : dict
        Rule by name, with its argument, as a dataset file has them.

    Returns
    -------
    dict
        The same.

    Examples
    --------
    >>> check_rules({"returns": "net"})
    {'returns': 'net'}
    """
    for name, argument in rules.items():
        if name not in RULES:
            raise ValueError(f"{name!r} is no cleaning rule{did_you_mean(name, RULES)}; known are {', '.join(RULES)}")
        if name == "returns" and argument not in _RETURN_TREATMENTS:
            raise ValueError(f"returns is one of {', '.join(_RETURN_TREATMENTS)}, got {argument!r}")
        if name != "returns" and argument != {}:
            raise ValueError(f"{name} takes no argument (write {{}}), got {argument!r}")
    return rules


def clean(
    connection: duckdb.DuckDBPyConnection, table: str, rules: Mapping[str, Any], *, schema: str
) -> list[LedgerLine]:
    """
    Apply cleaning rules in their order to ``<schema>.<table>``.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table; it is replaced by its cleaned version.
    rules : mapping
        Rule by name, with its argument.
    schema : str
        Where the table stands.

    Returns
    -------
    list of LedgerLine
        One for each rule, also where it dropped nothing.
    """
    target = f"{identifier(schema)}.{identifier(table)}"
    ledger = []
    for name, argument in rules.items():
        before = row_count(connection, target)
        connection.execute(f"CREATE OR REPLACE TABLE {target} AS {RULES[name](target, argument)}")
        ledger.append(LedgerLine(table, name, before, before - row_count(connection, target)))
    return ledger


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """
    Count the rows of a table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A quoted name.

    Returns
    -------
    int
        Rows.
    """
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
