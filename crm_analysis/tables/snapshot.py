"""
The trusted tables of a dataset as they were known at the end of a day.

Rows dated later are absent, values that became known later are null, and the cleaning rules saw nothing else. Landing
the sources belongs in :mod:`crm_analysis.tables.datasets`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Protocol

import duckdb
import pandas as pd

from crm_analysis.errors import DataQualityError, ParamsError
from crm_analysis.tables.cleaning import LedgerLine, clean, row_count
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.quality import check_contract
from crm_analysis.tables.schema import CANONICAL, dated_by
from crm_analysis.tables.workspace import did_you_mean

LANDED = "landed"

Attribute = str | int | float | bool
Filter = Mapping[str, Attribute]

_READ_TABLE = re.compile(rf"\b(?:FROM|JOIN)\s+({'|'.join(CANONICAL)})\b", re.IGNORECASE)


class LandedTables(Protocol):
    """
    What a snapshot is made from: a :class:`~crm_analysis.tables.datasets.Dataset`.

    Attributes
    ----------
    name : str
        The dataset's.
    tables : tuple of str
        The canonical tables it has.
    connection : duckdb.DuckDBPyConnection
        The catalogue, with what has landed in the schema ``landed``.
    """

    name: str
    tables: tuple[str, ...]
    connection: duckdb.DuckDBPyConnection

    def land(self, table: str) -> None:
        """
        Read a table from its source, once.

        Parameters
        ----------
        table : str
            A canonical table.
        """

    def cleaning_rules(self, table: str) -> Mapping[str, Any]:
        """
        Return the rules for a table, in their order.

        Parameters
        ----------
        table : str
            A canonical table.

        Returns
        -------
        mapping
            Rule by name, with its argument.
        """


class Snapshot:
    """
    The trusted tables of a dataset as known at the end of a day.

    Parameters
    ----------
    dataset : LandedTables
        Where the tables come from.
    as_of : datetime.date
        The last day known, inclusive.
    where : mapping
        Customer attribute to value; empty: everybody.
    number : int
        Tells the snapshots of a dataset apart.

    Attributes
    ----------
    as_of : datetime.date
        The last day known.
    tables : frozenset of str
        The canonical tables it has.
    """

    def __init__(self, dataset: LandedTables, as_of: date, where: Filter, *, number: int) -> None:
        self.as_of = as_of
        self.where = MappingProxyType(dict(where))
        self.tables = frozenset(dataset.tables)
        self._dataset = dataset
        self._schema = f"known_{number}"
        self._connection = dataset.connection.cursor()
        self._connection.execute(f"CREATE SCHEMA {self._schema}")
        self._connection.execute(f"USE {self._schema}")
        self._ledger: dict[str, list[LedgerLine]] = {}
        self._check_filter()

    def require(self, *tables: str) -> None:
        """
        Make tables ready, or say that the dataset has none.

        Parameters
        ----------
        *tables : str
            Canonical tables.

        Raises
        ------
        SourceError
            The dataset lacks one.
        DataQualityError
            A table is empty as of the day, or breaks its contract after cleaning.
        """
        for table in tables:
            if table not in self._ledger:
                self._dataset.land(table)
                self._make(table)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """
        Run a query over the snapshot's tables.

        Parameters
        ----------
        sql : str
            DuckDB SQL; tables by their canonical names, parameters as ``$name``.
        parameters : mapping, optional
            Their values.

        Returns
        -------
        pandas.DataFrame
            The result; text columns have the dtype ``str``.

        Raises
        ------
        SourceError
            The query names a canonical table that the dataset lacks.
        """
        self.require(*dict.fromkeys(name.lower() for name in _READ_TABLE.findall(sql)))
        result = self._connection.execute(sql, dict(parameters or {})).df()
        texts = [name for name in result if result[name].dtype == object]
        return result.astype(dict.fromkeys(texts, "str"))

    def ledger(self) -> pd.DataFrame:
        """
        Return what the cleaning rules did to the tables made ready so far.

        Returns
        -------
        pandas.DataFrame
            Columns ``table``, ``rule``, ``rows_before``, ``rows_dropped``.
        """
        lines = [line for table in CANONICAL for line in self._ledger.get(table, [])]
        return pd.DataFrame(lines, columns=["table", "rule", "rows_before", "rows_dropped"])

    def _make(self, table: str) -> None:
        connection, dataset = self._connection, self._dataset
        target = f"{self._schema}.{table}"
        rules = dataset.cleaning_rules(table)
        connection.execute(f"CREATE {'TABLE' if rules else 'VIEW'} {target} AS {self._visible(table)}")
        ledger = clean(connection, table, rules, schema=self._schema)
        if row_count(connection, target) == 0:
            restricted = f" and {dict(self.where)}" if self.where else ""
            raise DataQualityError(
                f"Table {table} of dataset {dataset.name} has no rows as of {self.as_of}{restricted} after cleaning. "
                "Use a later as_of, other customers, or look at the cleaning rules."
            )
        check_contract(connection, table, schema=self._schema, dataset=dataset.name)
        self._ledger[table] = ledger

    def _visible(self, table: str) -> str:
        """Return the query of what could be known of a landed table at the end of the day."""
        end = f"TIMESTAMP {literal(datetime.combine(self.as_of + timedelta(days=1), time()).isoformat(sep=' '))}"
        hidden = [
            f"CASE WHEN {with_column} < {end} THEN {identifier(name)} END AS {identifier(name)}"
            for name, column in CANONICAL[table].columns.items()
            if (with_column := column.metadata["known_with"])
        ]
        replaced = f"* REPLACE ({', '.join(hidden)})" if hidden else "*"
        dated = identifier(dated_by(table))
        condition = f"({dated} < {end} OR {dated} IS NULL)"
        return f"SELECT {replaced} FROM {LANDED}.{identifier(table)} WHERE {condition}{self._of_chosen_customers()}"

    def _of_chosen_customers(self) -> str:
        if not self.where:
            return ""
        conditions = " AND ".join(
            f"CAST({identifier(name)} AS VARCHAR) = {literal(_as_text(value))}" for name, value in self.where.items()
        )
        return f" AND customer_id IN (SELECT customer_id FROM {LANDED}.customers WHERE {conditions})"

    def _check_filter(self) -> None:
        """Raise when `where` names an attribute or a value that no customer has."""
        if not self.where:
            return
        if "customers" not in self.tables:
            raise ParamsError(
                f"where: dataset {self._dataset.name} has no table customers, so there is no attribute to choose by."
            )
        self._dataset.land("customers")
        described = self._connection.execute(f"DESCRIBE {LANDED}.customers").fetchall()
        attributes = [str(row[0]) for row in described]
        for name, value in self.where.items():
            if name not in attributes:
                raise ParamsError(
                    f"where: dataset {self._dataset.name} has no customer attribute {name!r}"
                    f"{did_you_mean(name, attributes)}; it has {', '.join(attributes)}."
                )
            text = f"CAST({identifier(name)} AS VARCHAR)"
            found = self._connection.execute(
                f"SELECT list(DISTINCT {text}) FROM {LANDED}.customers WHERE {text} IS NOT NULL"
            ).fetchone()
            values = sorted(found[0] or []) if found else []
            if _as_text(value) not in values:
                raise ParamsError(f"where: no customer has {name} {value!r}; there are {', '.join(values[:8])}.")


def _as_text(value: Attribute) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
