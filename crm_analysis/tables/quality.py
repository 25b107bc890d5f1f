"""
The contract, checked over every row: checks in SQL made from the declaration in :mod:`crm_analysis.tables.schema`.

Nothing is repaired here; that is the work of :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
from pandera import Check

from crm_analysis.errors import DataQualityError, listed
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.schema import CANONICAL


def contract_faults(connection: duckdb.DuckDBPyConnection, table: str, *, schema: str) -> list[str]:
    """
    Return what breaks the contract of a canonical table, each with its count.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A key of :data:`~crm_analysis.tables.schema.CANONICAL`.
    schema : str
        Where the table stands.

    Returns
    -------
    list of str
        One line a fault; empty when the table keeps its contract.
    """
    relation = f"{identifier(schema)}.{identifier(table)}"
    conditions = dict(_row_conditions(table))
    counted = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions.values())
    row = connection.execute(f"SELECT count(*), {counted} FROM {relation}").fetchone()
    rows, *counts = row or (0,)
    faults = [
        f"{table}.{what}: {count:,} of {rows:,} rows" for what, count in zip(conditions, counts, strict=True) if count
    ]
    return faults + _key_faults(connection, table, relation)


def check_contract(connection: duckdb.DuckDBPyConnection, table: str, *, schema: str, dataset: str) -> None:
    """
    Raise when a canonical table breaks its contract.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    schema : str
        Where it stands.
    dataset : str
        The dataset's name, for the message.

    Raises
    ------
    DataQualityError
        All faults at once.
    """
    faults = contract_faults(connection, table, schema=schema)
    if faults:
        raise DataQualityError(
            f"Dataset {dataset}: {len(faults)} contract faults are left after cleaning:\n{listed(faults)}\n"
            f"Repair the source, or add rules under tables.{table}.cleaning in its dataset file.",
            faults=faults,
        )


def _row_conditions(table: str) -> Iterator[tuple[str, str]]:
    """Yield what can be wrong with a row, in words and as an SQL condition."""
    for name, column in CANONICAL[table].columns.items():
        if not column.nullable:
            yield f"{name} is missing", f"{identifier(name)} IS NULL"
        for check in column.checks:
            yield f"{name} is not {_in_words(check)}", f"NOT ({_in_sql(check, identifier(name))})"


def _in_words(check: Check) -> str:
    limits = check.statistics or {}
    if check.name == "in_range":
        return f"between {limits['min_value']} and {limits['max_value']}"
    return f"at least {limits['min_value']}"


def _in_sql(check: Check, column: str) -> str:
    limits = check.statistics or {}
    if check.name == "in_range":
        return f"{column} BETWEEN {limits['min_value']} AND {limits['max_value']}"
    if check.name == "greater_than_or_equal_to":
        return f"{column} >= {limits['min_value']}"
    raise ValueError(f"a check with an SQL form is needed, got {check.name!r}")


def _key_faults(connection: duckdb.DuckDBPyConnection, table: str, relation: str) -> list[str]:
    key = CANONICAL[table].unique
    if not key:
        return []
    columns = ", ".join(identifier(name) for name in key)
    row = connection.execute(
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {relation} GROUP BY {columns})"
    ).fetchone()
    repeated = int(row[0]) if row else 0
    return [f"{table}.{', '.join(key)}: {repeated:,} rows repeat a key that must be unique"] if repeated else []
