"""
Arrival: each table of a dataset file is found, made readable, landed once, and freed of names in its texts.

What a landed table looks like belongs in :mod:`crm_analysis.tables.sources.landing`; what was known of it on a day in
:mod:`crm_analysis.tables.snapshot`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from crm_analysis.errors import SourceError
from crm_analysis.tables.cleaning import mapping_files
from crm_analysis.tables.dataset_file import DatasetFile, TableSource, source_files
from crm_analysis.tables.demo import BUILTIN, builtin_relation
from crm_analysis.tables.engine import Catalogue, identifier, literal, open_catalogue
from crm_analysis.tables.privacy.keys import pseudonym_key, pseudonym_parameters, pseudonym_sql
from crm_analysis.tables.privacy.redaction import names_query, redact_names
from crm_analysis.tables.references import Secret, discreet, expanded, secret_address
from crm_analysis.tables.sources.databases import database_relation
from crm_analysis.tables.sources.files import file_relation
from crm_analysis.tables.sources.landing import CLEAR_ID, IDS, UNREADABLE, Landing, land, unreadable

LANDED = "landed"
HANDED_ON = "CRM_LANDED"  # names the folder where a run has laid what it landed, for its kernels
_FREE_TEXT_LENGTH = 30  # a column whose values are longer on average is free text, not labels


class Arrival:
    """
    The tables of a dataset on their way into its catalogue.

    Parameters
    ----------
    file : DatasetFile
        What the dataset file says.
    path : pathlib.Path
        Where it stands.

    Attributes
    ----------
    catalogue : Catalogue
        Where the tables land, in the schema ``landed``.
    paths : mapping
        Table to the files that it is read from, by the names that a query knows them by.
    secrets : tuple of Secret
        What must stand in no output.
    """

    def __init__(self, file: DatasetFile, path: Path) -> None:
        self._file, self._path = file, path
        self.paths = {table: _found(source, table, path) for table, source in file.tables.items()}
        self._mappings = {table: _mapping(source, table, path) for table, source in file.tables.items()}
        self._addresses = {
            table: secret_address(expanded(source.connection, where=path.name))
            for table, source in file.tables.items()
            if source.connection is not None
        }
        self._key = None if file.public else discreet(pseudonym_key)()
        self.secrets: tuple[Secret, ...] = (*self._addresses.values(), *([self._key] if self._key else []))
        self._handed_on = _handed_on_folder(file, path)
        sources = (files for named in self.paths.values() for files in named.values())
        readable = [found for files in (*sources, *self._mappings.values()) for found in files]
        self.catalogue: Catalogue = open_catalogue([*readable, *_parquet_in(self._handed_on)])
        self.catalogue.connection.execute(f"CREATE SCHEMA {LANDED}")
        self._personal: dict[str, dict[str, str]] = {}

    @discreet  # the parameters that pseudonyms are made with say as much as the key
    def land(self, table: str) -> None:
        """
        Read a table from its source, once.

        Parameters
        ----------
        table : str
            A canonical table of the file.

        Raises
        ------
        SourceError
            It cannot be read.
        DataQualityError
            It has no rows.
        """
        if table in self._personal:
            return
        if self._take_over(table):
            return
        source = self._file.tables[table]
        relation, stays = self._relation(table, source)
        zones = (self._file.timezone, self._file.days_in.key)
        same_zone = zones[0] == zones[1]
        landing = Landing(
            table, relation, source.columns, source.format, stays and same_zone, zones, self._path.name, self._key
        )
        self._personal[table] = land(self.catalogue.connection, landing, schema=LANDED)
        if not landing.stays:
            self._clear_scratch()
        if self._key:
            self._redact_names(table)

    def personal(self, table: str) -> Mapping[str, str]:
        """
        Return the landed columns that identify a person directly, each with its kind.

        Parameters
        ----------
        table : str
            A landed table.

        Returns
        -------
        mapping
            Column to kind; without those that the file keeps on purpose.
        """
        kept = self._file.tables[table].keep_identifiers
        return {column: kind for column, kind in self._personal.get(table, {}).items() if column not in kept}

    def private_columns(self, table: str) -> list[str]:
        """
        Return the columns of a landed table that no notebook sees.

        Parameters
        ----------
        table : str
            A landed table.

        Returns
        -------
        list of str
            Names.
        """
        return [UNREADABLE, *([CLEAR_ID] if self._key else []), *self.personal(table)]

    def text_columns(self, table: str) -> dict[str, bool]:
        """
        Return the columns of a landed table whose texts are shown.

        Parameters
        ----------
        table : str
            A landed table.

        Returns
        -------
        dict
            Column to whether it holds free text rather than labels; neither ids nor direct identifiers.
        """
        connection, relation = self.catalogue.connection, f"{LANDED}.{identifier(table)}"
        out = {*IDS, CLEAR_ID, UNREADABLE, *self._personal[table]}
        described = connection.execute(f"DESCRIBE {relation}").fetchall()
        texts = [str(row[0]) for row in described if row[1] == "VARCHAR" and row[0] not in out]
        if not texts:
            return {}
        lengths = connection.execute(
            f"SELECT {', '.join(f'avg(length({identifier(name)}))' for name in texts)} FROM {relation}"
        ).fetchone()
        measured = zip(texts, lengths or (), strict=True)
        return {name: name == "text" or length > _FREE_TEXT_LENGTH for name, length in measured if length is not None}

    @discreet
    def merged(self, table: str) -> str | None:
        """
        Land the mapping of merged customers that the rules of a table name.

        Parameters
        ----------
        table : str
            A canonical table of the file.

        Returns
        -------
        str or None
            A relation with ``customer_id``, ``merged_into`` and ``_clear_merged_into``; None where no rule asks for one.
        """
        rule = mapping_files(self._file.tables[table].cleaning)
        if rule is None:
            return None
        target = f"{LANDED}.{identifier(table + '__merged')}"
        read = file_relation(
            self._mappings[table],
            self._file.tables[table].format,
            scratch=self.catalogue.scratch,
            where=self._where(table),
        )
        old, new = (f"trim(CAST({identifier(rule[name])} AS VARCHAR))" for name in ("from", "to"))
        as_ids = [pseudonym_sql(old), pseudonym_sql(new)] if self._key else [old, new]
        try:
            self.catalogue.connection.execute(
                f"CREATE OR REPLACE TABLE {target} AS SELECT {as_ids[0]} AS customer_id, {as_ids[1]} AS merged_into, "
                f"{new} AS _clear_merged_into FROM ({read.sql})",
                pseudonym_parameters(self._key) if self._key else {},
            )
        except duckdb.Error as error:
            raise unreadable(f"{table} (merge_customers)", self._path.name, error) from None
        return target

    def hand_on(self, folder: Path) -> None:
        """
        Lay what has landed into a private folder, where other processes take it over instead of reading the sources again.

        Parameters
        ----------
        folder : pathlib.Path
            Named by ``$CRM_LANDED`` in those processes; it holds personal data and goes with the run.
        """
        own = folder / _fingerprint(self._file, self._path)
        own.mkdir(mode=0o700)
        connection = self.catalogue.connection
        laid = self.catalogue.scratch / "landed.parquet"
        for table in self._personal:
            connection.execute(f"COPY {LANDED}.{identifier(table)} TO {literal(str(laid))} (FORMAT parquet)")
            laid.replace(own / f"{table}.parquet")
        (own / "personal.json").write_text(json.dumps(self._personal), encoding="utf-8")

    def _take_over(self, table: str) -> bool:
        """Take a table that the run has landed already, if it has."""
        if self._handed_on is None or not (self._handed_on / f"{table}.parquet").is_file():
            return False
        laid = literal(str(self._handed_on / f"{table}.parquet"))
        self.catalogue.connection.execute(
            f"CREATE VIEW {LANDED}.{identifier(table)} AS SELECT * FROM read_parquet({laid})"
        )
        known = json.loads((self._handed_on / "personal.json").read_text(encoding="utf-8"))
        self._personal[table] = dict(known[table])
        return True

    def _clear_scratch(self) -> None:
        """Remove what was copied on the way: it is in the catalogue now."""
        for copy in self.catalogue.scratch.iterdir():
            if copy.is_dir():
                shutil.rmtree(copy)
            else:
                copy.unlink()

    def _where(self, table: str) -> str:
        return f"Table {table} of {self._path.name}"

    def _relation(self, table: str, source: TableSource) -> tuple[str, bool]:
        """Return SQL that reads a source as often as wanted, and whether it is quick to read again."""
        relations, stay = self._named_relations(table, source)
        if source.query is None or (source.connection and not self._is_documents(table)):
            return relations["source"], stay
        for name, relation in relations.items():
            try:
                self.catalogue.connection.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS {relation}")
            except duckdb.Error as error:
                raise unreadable(table, self._path.name, error) from None
        return source.query.strip().rstrip(";"), False

    def _named_relations(self, table: str, source: TableSource) -> tuple[dict[str, str], bool]:
        if source.builtin:
            return {"source": builtin_relation(self.catalogue.connection, source.builtin)}, False
        if source.connection is not None:
            return {"source": self._from_database(table, source)}, False
        read = {
            name: file_relation(files, source.format, scratch=self.catalogue.scratch, where=self._where(table))
            for name, files in self.paths[table].items()
        }
        return {name: one.sql for name, one in read.items()}, all(one.stays for one in read.values())

    def _is_documents(self, table: str) -> bool:
        return self._addresses[table].reveal().startswith("mongodb")

    def _from_database(self, table: str, source: TableSource) -> str:
        return database_relation(
            self.catalogue.connection,
            self._addresses[table],
            table=source.table,
            query=None if self._is_documents(table) else source.query,
            name=f"{table}__copy",
            scratch=self.catalogue.scratch,
            beside=self._path.parent,
            where=self._where(table),
            timeout_seconds=source.timeout_seconds,
        )

    def _redact_names(self, table: str) -> None:
        """Take the names of customers out of the texts of a landed table."""
        if "customers" not in self._file.tables:
            return
        self.land("customers")
        names = names_query(f"{LANDED}.customers", self._personal["customers"])
        columns = self.text_columns(table) if names else {}
        if names and columns:
            redact_names(self.catalogue.connection, f"{LANDED}.{identifier(table)}", columns, names=names)


def _found(source: TableSource, table: str, path: Path) -> dict[str, tuple[Path, ...]]:
    if source.builtin:
        return {"source": BUILTIN[source.builtin].paths}
    where = f"Table {table} of {path.name}"
    return {name: _files(patterns, where, path) for name, patterns in source.named_files.items()}


def _mapping(source: TableSource, table: str, path: Path) -> tuple[Path, ...]:
    rule = mapping_files(source.cleaning)
    return _files(rule["files"], f"Table {table} of {path.name}, merge_customers", path) if rule else ()


def _files(patterns: str | Sequence[str], where: str, path: Path) -> tuple[Path, ...]:
    wanted = patterns if isinstance(patterns, str) else list(patterns)
    files = source_files(wanted, dataset_file=path)
    if not files:
        raise SourceError(
            f"{where}: no file matches {wanted!r}. Put the files there, or set the variable that the path begins with."
        )
    return tuple(files)


def _fingerprint(file: DatasetFile, path: Path) -> str:
    return hashlib.sha256(f"{path.resolve()}\n{file.model_dump_json()}".encode()).hexdigest()[:32]


def _handed_on_folder(file: DatasetFile, path: Path) -> Path | None:
    folder = os.environ.get(HANDED_ON)
    return Path(folder) / _fingerprint(file, path) if folder else None


def _parquet_in(folder: Path | None) -> list[Path]:
    return sorted(folder.glob("*.parquet")) if folder else []
