"""
From a dataset file to trusted tables, as they were known at the end of a day.

A :class:`Dataset` lands its sources once; what was known of them on a day is a
:class:`~crm_analysis.tables.snapshot.Snapshot`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from crm_analysis.errors import DataQualityError, ParamsError, SourceError
from crm_analysis.tables.arrival import LANDED, Arrival
from crm_analysis.tables.cleaning import CleaningContext, row_count
from crm_analysis.tables.dataset_file import DatasetFile, read_dataset_file
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.quality.contract import check_contract
from crm_analysis.tables.quality.coverage import day_counts, own_last_day, within
from crm_analysis.tables.references import Secret
from crm_analysis.tables.schema import CANONICAL
from crm_analysis.tables.snapshot import Filter, Snapshot
from crm_analysis.tables.sources.landing import CLEAR_ID

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
    min_cell : int
        Fewest customers whose figures may be shown; 1 for public data.
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
        self.min_cell = 1 if file.public else file.min_cell
        self.notes = tuple(file.notes)
        self.tables = tuple(table for table in CANONICAL if table in file.tables)
        self._arrival = Arrival(file, path)
        self.connection = self._arrival.catalogue.connection
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
        DataQualityError
            There are no dated rows, and no day is given.
        """
        if as_of is not None and not self.is_dated:
            return as_of
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
        Return a fingerprint of the dataset: what its file says, and every byte of its files, every row of its databases.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        total = hashlib.sha256(self._file.model_dump_json().encode())
        for table in self.tables:
            if self._file.tables[table].connection is not None:
                total.update(self._digest_of_rows(table).encode())
            for path in chain.from_iterable(self._arrival.paths[table].values()):
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
        self._arrival.land(table)

    def landed_relation(self, table: str) -> str:
        """
        Return a table as it came in, before any rule and with private columns.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        str
            A quoted name; for checks only, never for a report.
        """
        self.land(table)
        return f"{LANDED}.{identifier(table)}"

    def private_columns(self, table: str) -> list[str]:
        """
        Return the landed columns that no notebook sees.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        list of str
            The marks of the workspace, and direct identifiers that the dataset file does not keep on purpose.
        """
        self.land(table)
        return self._arrival.private_columns(table)

    def identifier_columns(self, table: str) -> Mapping[str, str]:
        """
        Return the landed columns that name a person and are left out.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        mapping
            Column to kind, such as ``e-mail``.
        """
        self.land(table)
        return self._arrival.personal(table)

    def text_columns(self, table: str) -> Mapping[str, bool]:
        """
        Return the landed columns whose texts may be shown.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        mapping
            Column to whether it holds free text rather than labels.
        """
        self.land(table)
        return self._arrival.text_columns(table)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must stand in no output: addresses with their passwords, the key of the pseudonyms."""
        return self._arrival.secrets

    def clear_ids(self, ids: pd.Series) -> pd.Series:
        """
        Return customer ids as they are in the source, for a list that asks for them.

        Parameters
        ----------
        ids : pandas.Series
            Ids as a snapshot has them.

        Returns
        -------
        pandas.Series
            With the same index; the same ids where the data are public.
        """
        if self.public:
            return ids
        known = pd.DataFrame({"pseudonym": ids.astype("str").unique()})
        relations = [f"SELECT customer_id, {CLEAR_ID} FROM {self.landed_relation(table)}" for table in self.tables]
        cursor = self.connection.cursor()
        cursor.register("wanted", known)
        pairs = cursor.execute(
            f"SELECT customer_id, any_value({CLEAR_ID}) FROM ({' UNION ALL '.join(relations)}) "
            "WHERE customer_id IN (SELECT pseudonym FROM wanted) GROUP BY customer_id"
        ).fetchall()
        cursor.unregister("wanted")
        return ids.map(dict(pairs)).astype("str")

    def hand_on(self, folder: Path) -> None:
        """
        Lay what has landed into a private folder, for processes whose ``$CRM_LANDED`` names it.

        Parameters
        ----------
        folder : pathlib.Path
            It holds personal data and must go with the run.
        """
        self._arrival.hand_on(folder)

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

    def cleaning_context(self, table: str) -> CleaningContext:
        """
        Return what the rules for a table must know of the dataset.

        Parameters
        ----------
        table : str
            A canonical table that the dataset has.

        Returns
        -------
        CleaningContext
            Currency, time zones, merged customers.
        """
        zones = (self._file.timezone, self._file.days_in.key)
        return CleaningContext(currency=self.currency, zones=zones, merged=self._arrival.merged(table))

    def _digest_of_rows(self, table: str) -> str:
        row = self.connection.execute(
            f"SELECT count(*), bit_xor(hash(line)) FROM {self.landed_relation(table)} AS line"
        ).fetchone()
        return str(row)

    @property
    def is_dated(self) -> bool:
        """Whether there is a purchase or a case with its time."""
        return any(self._day_counts())

    def _days(self) -> tuple[date, date]:
        if self._period is None:
            counts = self._day_counts()
            last = own_last_day(counts)
            days = [day for counted in counts for day in within(counted, last)]
            if not days or last is None:
                for table in set(_SPANNING) & set(self.tables):
                    check_contract(self.connection, table, self.landed_relation(table), dataset=self.name)
                raise DataQualityError(
                    f"Dataset {self.name} has no dated rows: it needs {' or '.join(_SPANNING)}, each with its times."
                )
            self._period = min(days), last
        return self._period

    def _day_counts(self) -> list[dict[date, int]]:
        """Count the rows of each day that no cleaning rule calls impossible, for each table that makes the period."""
        return [
            {day: rows for day, rows in counted.items() if _is_possible(day, self.cleaning_rules(table))}
            for table in _SPANNING
            if table in self.tables
            for counted in [day_counts(self.connection, table, self.landed_relation(table))]
        ]


def _is_possible(day: date, rules: Mapping[str, Any]) -> bool:
    limits = rules.get("impossible_dates") or {}
    earliest, latest = (limits.get(name) and date.fromisoformat(str(limits[name])) for name in ("earliest", "latest"))
    return (not earliest or day >= earliest) and (not latest or day <= latest)
