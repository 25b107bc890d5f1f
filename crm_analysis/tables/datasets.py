"""
From a dataset file to trusted tables, as they were known at the end of a day.

A :class:`Dataset` lands its sources once; what was known of them on a day is a
:class:`~crm_analysis.tables.snapshot.Snapshot`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from crm_analysis.errors import DataQualityError, ParamsError, SourceError
from crm_analysis.tables.cleaning import row_count
from crm_analysis.tables.dataset_file import DatasetFile, TableSource, read_dataset_file, source_files
from crm_analysis.tables.demo import BUILTIN, builtin_relation
from crm_analysis.tables.engine import identifier, open_catalogue
from crm_analysis.tables.schema import CANONICAL, dated_by
from crm_analysis.tables.snapshot import LANDED, Filter, Snapshot
from crm_analysis.tables.sources import Landing, file_relation, land

_SPANNING = ("transactions", "service_cases")  # the tables whose days are the dataset's period


def open_dataset(name: str, *, beside: Path | None = None) -> Dataset:
    """
    Open a dataset by its name in ``params/datasets/`` or the path of its file.

    Parameters
    ----------
    name : str
        A name or a path.
    beside : pathlib.Path, optional
        The folder where a relative path starts; default: the current folder.

    Returns
    -------
    Dataset
        Its sources are found; they are read when first asked for.

    Raises
    ------
    ParamsError
        There is no such file, or it has faults.
    SourceError
        A source is missing.
    """
    return Dataset(*read_dataset_file(name, beside=beside))


class Dataset:
    """
    The tables that a dataset file describes, in a catalogue of their own.

    Parameters
    ----------
    file : DatasetFile
        What the file says.
    path : pathlib.Path
        Where it stands.

    Attributes
    ----------
    name, currency : str
        As in the file; the currency is an ISO 4217 code.
    public : bool
        Whether the data are public, so that ids need no pseudonym.
    notes : tuple of str
        What a reader of any report must know about the data.
    tables : tuple of str
        The canonical tables that the file has.
    connection : duckdb.DuckDBPyConnection
        Its catalogue.
    """

    def __init__(self, file: DatasetFile, path: Path) -> None:
        self._file = file
        self._path = path
        self.name = file.name
        self.currency = file.currency
        self.public = file.public
        self.notes = tuple(file.notes)
        self.tables = tuple(table for table in CANONICAL if table in file.tables)
        self._paths = {table: _found(source, table, path) for table, source in file.tables.items()}
        self.connection = open_catalogue(path for paths in self._paths.values() for path in paths)
        self.connection.execute(f"CREATE SCHEMA {LANDED}")
        self._landed: set[str] = set()
        self._snapshots: dict[tuple[date, tuple[tuple[str, Any], ...]], Snapshot] = {}
        self._period: tuple[date, date] | None = None

    @property
    def first_day(self) -> date:
        """The first day with a purchase or a case."""
        return self._days()[0]

    @property
    def last_day(self) -> date:
        """The last day with a purchase or a case."""
        return self._days()[1]

    def day(self, as_of: date | None) -> date:
        """
        Resolve the last day that may be known.

        Parameters
        ----------
        as_of : datetime.date, optional
            A day; default: the last day in the data.

        Returns
        -------
        datetime.date
            A day within the data.

        Raises
        ------
        ParamsError
            The day lies outside the data.
        """
        first, last = self._days()
        if as_of is None:
            return last
        if not first <= as_of <= last:
            raise ParamsError(
                f"as_of is {as_of}, but dataset {self.name} reaches from {first} to {last}. Choose a day within, or null."
            )
        return as_of

    def known(self, as_of: date, *, where: Filter | None = None) -> Snapshot:
        """
        Return the tables as they were known at the end of a day.

        Parameters
        ----------
        as_of : datetime.date
            The last day known, inclusive.
        where : mapping, optional
            Customer attribute to value: only these customers.

        Returns
        -------
        Snapshot
            The same object for the same question.
        """
        key = (as_of, tuple(sorted((where or {}).items())))
        if key not in self._snapshots:
            self._snapshots[key] = Snapshot(self, as_of, where or {}, number=len(self._snapshots))
        return self._snapshots[key]

    def row_counts(self) -> dict[str, int]:
        """
        Count the rows of each table as they came in, before any rule.

        Returns
        -------
        dict
            Table to rows.
        """
        for table in self.tables:
            self.land(table)
        return {table: row_count(self.connection, f"{LANDED}.{identifier(table)}") for table in self.tables}

    def digest(self) -> str:
        """
        Return a fingerprint of the dataset: what its file says, and every byte of its sources.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        total = hashlib.sha256(self._file.model_dump_json().encode())
        for table in self.tables:
            for path in self._paths[table]:
                with path.open("rb") as content:
                    total.update(hashlib.file_digest(content, "sha256").digest())
        return total.hexdigest()

    def land(self, table: str) -> None:
        """
        Read a table from its source, once.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Raises
        ------
        SourceError
            The dataset has no such table, or its source cannot be read.
        """
        if table not in self.tables:
            raise SourceError(
                f"Dataset {self.name} has no table {table}; it has {', '.join(self.tables)}. "
                f"Add it under tables in {self._path.name}, or leave out the report that needs it."
            )
        if table in self._landed:
            return
        source = self._file.tables[table]
        zones = (self._file.timezone, self._file.days_in.key)
        relation = self._relation(table, source)
        land(
            self.connection,
            Landing(table, relation, source.columns, source.format, self._reads_fast(table), zones, self._path.name),
            schema=LANDED,
        )
        self._landed.add(table)

    def cleaning_rules(self, table: str) -> Mapping[str, Any]:
        """
        Return the cleaning rules for a table, in their order.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        mapping
            Rule by name, with its argument.
        """
        return self._file.tables[table].cleaning

    def _reads_fast(self, table: str) -> bool:
        """Say whether reading the source again costs little: typed columns, no join, no time to move."""
        parquet = all(path.suffix == ".parquet" for path in self._paths[table])
        source = self._file.tables[table]
        return parquet and not source.builtin and not source.query and self._file.timezone == self._file.days_in.key

    def _relation(self, table: str, source: TableSource) -> str:
        if source.builtin:
            relation = builtin_relation(self.connection, source.builtin)
        else:
            relation = file_relation(self._paths[table], source.format)
        if source.query is None:
            return relation
        try:
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW source AS {relation}")
        except duckdb.Error as error:
            raise SourceError(f"Table {table} of {self._path.name} cannot be read: {error}") from error
        return source.query.strip().rstrip(";")

    def _days(self) -> tuple[date, date]:
        if self._period is None:
            spans = [self._span(table) for table in _SPANNING if table in self.tables]
            days = [day for span in spans for day in span if day is not None]
            if not days:
                raise DataQualityError(
                    f"Dataset {self.name} has no dated rows: it needs {' or '.join(_SPANNING)}, each with its times."
                )
            self._period = min(days), max(days)
        return self._period

    def _span(self, table: str) -> tuple[date | None, date | None]:
        self.land(table)
        column = dated_by(table)
        row = self.connection.execute(
            f"SELECT min({column})::DATE, max({column})::DATE FROM {LANDED}.{table}"
        ).fetchone()
        return (row[0], row[1]) if row else (None, None)


def _found(source: TableSource, table: str, path: Path) -> tuple[Path, ...]:
    if source.builtin:
        return BUILTIN[source.builtin].paths
    files = source_files(source.files or [], dataset_file=path)
    if not files:
        raise SourceError(
            f"Table {table} of {path.name}: no file matches {source.files!r}. "
            "Put the files there, or set the variable that the path begins with."
        )
    return tuple(files)
