"""
The trusted tables of a dataset as they were known at the end of a day.

Rows dated later are absent, values that became known later are null, and the cleaning rules saw nothing else. Landing
the sources belongs in :mod:`crm_analysis.tables.datasets`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Protocol

import duckdb
import pandas as pd

from crm_analysis.errors import EmptyTableError, ParamsError
from crm_analysis.tables.cleaning import Cleaned, CleaningContext, LedgerLine, clean, row_count
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.quality.contract import check_contract
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
    min_cell : int
        Fewest customers whose figures may be shown.
    connection : duckdb.DuckDBPyConnection
        The catalogue, with what has landed in the schema ``landed``.
    """

    name: str
    tables: tuple[str, ...]
    min_cell: int
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

    def cleaning_context(self, table: str) -> CleaningContext:
        """
        Return what the rules for a table must know of the dataset.

        Parameters
        ----------
        table : str
            A canonical table.

        Returns
        -------
        CleaningContext
            Currency, time zones, merged customers.
        """

    def private_columns(self, table: str) -> list[str]:
        """
        Return the landed columns that no notebook sees.

        Parameters
        ----------
        table : str
            A canonical table.

        Returns
        -------
        list of str
            Names.
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
        self._schema, self._stages = f"known_{number}", f"stages_{number}"
        self._connection = dataset.connection.cursor()
        self._connection.execute(f"CREATE SCHEMA {self._schema}")
        self._connection.execute(f"CREATE SCHEMA {self._stages}")
        self._connection.execute(f"USE {self._schema}")
        self._cleaned: dict[str, Cleaned] = {}
        self._ready: set[str] = set()
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
            if table not in self._ready:
                self._make(table)
                self._ready.add(table)

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
        Return what the cleaning rules did to the tables that are ready.

        Returns
        -------
        pandas.DataFrame
            The columns of :class:`~crm_analysis.tables.cleaning.LedgerLine`, a row per rule in the order applied.
        """
        lines = [line for table in CANONICAL if table in self._cleaned for line in self._cleaned[table].ledger]
        return pd.DataFrame(lines, columns=[column.name for column in fields(LedgerLine)])

    def cleaned_relation(self, table: str) -> str:
        """
        Return what is left of a table after cleaning, before it is judged and before private columns are left out.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        str
            A quoted name; for checks only, never for a report.
        """
        if table not in self._cleaned:
            self._dataset.land(table)
            visible = f"{self._stages}.{identifier(table)}"
            self._connection.execute(f"CREATE OR REPLACE VIEW {visible} AS {self._visible(table)}")
            self._cleaned[table] = clean(
                self._connection,
                table,
                self._dataset.cleaning_rules(table),
                relation=visible,
                schema=self._stages,
                context=replace(self._dataset.cleaning_context(table), end=self._end),
            )
        return self._cleaned[table].relation

    def _make(self, table: str) -> None:
        cleaned = self.cleaned_relation(table)
        if row_count(self._connection, cleaned) == 0:
            restricted = f" and {dict(self.where)}" if self.where else ""
            raise EmptyTableError(
                f"Table {table} of dataset {self._dataset.name} has no rows as of {self.as_of}{restricted} after cleaning. "
                "Use a later as_of, other customers, or look at the cleaning rules."
            )
        check_contract(self._connection, table, cleaned, dataset=self._dataset.name)
        private = ", ".join(identifier(name) for name in self._dataset.private_columns(table))
        self._connection.execute(
            f"CREATE OR REPLACE VIEW {self._schema}.{identifier(table)} AS SELECT * EXCLUDE ({private}) FROM {cleaned}"
        )

    @property
    def _end(self) -> datetime:
        """The first moment that is not known."""
        return datetime.combine(self.as_of + timedelta(days=1), time())

    def _visible(self, table: str) -> str:
        """Return the query of what could be known of a landed table at the end of the day."""
        end = f"TIMESTAMP {literal(self._end.isoformat(sep=' '))}"
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
        private = self._dataset.private_columns("customers")
        attributes = [str(row[0]) for row in described if row[0] not in private]
        for name, value in self.where.items():
            if name not in attributes:
                raise ParamsError(
                    f"where: dataset {self._dataset.name} has no customer attribute {name!r}"
                    f"{did_you_mean(name, attributes)}; it has {', '.join(attributes)}."
                )
            text = f"CAST({identifier(name)} AS VARCHAR)"
            counted = self._connection.execute(
                f"SELECT {text}, count(DISTINCT customer_id) FROM {LANDED}.customers WHERE {text} IS NOT NULL GROUP BY ALL"
            ).fetchall()
            if _as_text(value) not in {str(level) for level, _ in counted}:
                shared = sorted(str(level) for level, customers in counted if customers >= self._dataset.min_cell)
                raise ParamsError(f"where: no customer has {name} {value!r}; there are {', '.join(shared[:8])}.")
        self._check_enough(self._dataset.min_cell)

    def _check_enough(self, least: int) -> None:
        """Raise when so few customers are chosen that a report would speak of single ones."""
        row = self._connection.execute(
            f"SELECT count(DISTINCT customer_id) FROM {LANDED}.customers WHERE true{self._of_chosen_customers()}"
        ).fetchone()
        if row and row[0] < least:
            raise ParamsError(
                f"where: {dict(self.where)} chooses {row[0]} customers, fewer than min_cell ({least}): "
                "a report would speak of single persons. Choose a larger group."
            )


def _as_text(value: Attribute) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
