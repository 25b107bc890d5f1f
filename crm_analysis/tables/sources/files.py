"""
Files of every kind that is read, as one relation for the engine.

How each kind is read belongs to the modules below this one; what columns mean, to
:mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm_analysis.errors import DataQualityError, SourceError, listed
from crm_analysis.tables.engine import identifier, literal, open_catalogue
from crm_analysis.tables.sources.archives import (
    BOOK_KINDS,
    JSON_KINDS,
    KINDS,
    PACKINGS,
    Source,
    kind_of_name,
    plainly_named,
    shown,
    unpacked,
)
from crm_analysis.tables.sources.delimited import Layout, check_lines, column_names, delimited_sql, layout_of
from crm_analysis.tables.sources.json_records import json_sql
from crm_analysis.tables.sources.text import TextFormat, readable_text
from crm_analysis.tables.sources.workbooks import workbook_copy

READABLE_SUFFIXES = (*KINDS, *PACKINGS)

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class FileRelation:
    """
    Files as SQL.

    Attributes
    ----------
    sql : str
        A query over all of them, that may be read as often as wanted.
    stays : bool
        Whether they are plain Parquet, quick to read again from where they are.
    """

    sql: str
    stays: bool


@dataclass(frozen=True)
class _Readable:
    """A source that the engine can read: `path` is the source itself or a copy; `layout`: of text."""

    source: Source
    path: Path
    layout: Layout | None = None

    @property
    def is_parquet(self) -> bool:
        return self.source.kind == ".parquet" or self.source.kind in BOOK_KINDS


def is_readable(name: str) -> bool:
    """
    Say whether a file of this name is read.

    Parameters
    ----------
    name : str
        Of a file.

    Returns
    -------
    bool
        By its suffix, upper or lower case.

    Examples
    --------
    >>> is_readable("Sales.CSV.gz"), is_readable("sales.docx")
    (True, False)
    """
    return kind_of_name(name) is not None


def file_relation(files: Sequence[Path], text: TextFormat, *, scratch: Path, where: str) -> FileRelation:
    """
    Return the SQL that reads files, of one kind or of several, as one table.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Delimited text, Parquet, workbooks or JSON; also with ``.gz``, or in a ``.zip``.
    text : TextFormat
        How text is written.
    scratch : pathlib.Path
        A private folder that SQL may read: takes copies of what the engine cannot read by itself.
    where : str
        The table and its dataset file, for messages.

    Returns
    -------
    FileRelation
        Delimited text comes as text in all columns. A column that some files lack is null there; one with several
        types is text.

    Raises
    ------
    SourceError
        Files that cannot be read as what their names say; all of them are told.
    DataQualityError
        Nothing but empty lists in JSON.
    """
    faults: list[str] = []
    sources = [source for found in _each(files, lambda file: unpacked(file, scratch), faults) for source in found]
    readable = _each(sources, lambda source: _made_readable(source, text, scratch), faults)
    connection = open_catalogue(one.path for one in readable).connection
    try:
        relations = _relations(connection, readable, text, faults)
        _refuse(faults, len(files), where)
        if not relations:
            raise DataQualityError(f"{where} is empty: its files hold lists without a record. Export them again.")
        sql = relations[0] if len(relations) == 1 else _union(connection, relations, text.decimal)
    finally:
        connection.close()
    return FileRelation(sql, stays=all(source.kind == ".parquet" for source in sources))


def _each(given: Sequence[Given], make: Callable[[Given], Made], faults: list[str]) -> list[Made]:
    """Make something of each, and add what hinders it to the faults."""
    made = []
    for one in given:
        try:
            made.append(make(one))
        except SourceError as error:
            faults.append(str(error))
        except OSError as error:
            name = one.name if isinstance(one, Path | Source) else "a file"
            faults.append(f"{shown(name)} cannot be read: {error.strerror or type(error).__name__}.")
    return made


def _refuse(faults: Sequence[str], files: int, where: str) -> None:
    if len(faults) == 1:
        raise SourceError(f"{where} cannot be read: {faults[0]}", faults=faults)
    if faults:
        raise SourceError(
            f"{where} cannot be read; its {files} files have {len(faults)} faults:\n{listed(faults)}", faults=faults
        )


def _made_readable(source: Source, text: TextFormat, scratch: Path) -> _Readable:
    if source.kind == ".parquet":
        _check_parquet(source)
        return _Readable(source, plainly_named(source, scratch))
    if source.kind in BOOK_KINDS:
        return _Readable(source, workbook_copy(source, text, scratch))
    if source.kind in JSON_KINDS:
        return _Readable(source, readable_text(source, text.model_copy(update={"header_line": 1}), scratch))
    path = readable_text(source, text, scratch)
    return _Readable(source, path, layout_of(path, source, delimiter=text.delimiter))


def _check_parquet(source: Source) -> None:
    """Look at both ends of a Parquet file, and at its names."""
    size = source.path.stat().st_size
    with source.path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(max(0, size - 4))
        tail = stream.read(4)
    if b"PARE" in {head, tail}:
        raise SourceError(f"{source.name} is an encrypted Parquet file. Write a copy without encryption.")
    if head != b"PAR1":
        raise SourceError(f"{source.name} is no Parquet file: it begins with {head!r}. Give it the suffix of its kind.")
    if size < 12 or tail != b"PAR1":
        raise SourceError(
            f"{source.name} is cut off: a Parquet file ends with its footer, this one after {size:,} bytes. Copy it again."
        )


def _relations(
    connection: duckdb.DuckDBPyConnection, readable: Sequence[_Readable], text: TextFormat, faults: list[str]
) -> list[str]:
    """Return one relation for all files that are alike."""
    texts: dict[Layout, list[Path]] = defaultdict(list)
    parquets: dict[tuple[tuple[str, str], ...], list[Path]] = defaultdict(list)
    records: list[str] = []

    def add(one: _Readable) -> None:
        if one.layout is not None:
            check_lines(connection, one.path, one.layout, one.source)
            texts[one.layout].append(one.path)
        elif one.is_parquet:
            parquets[_parquet_columns(connection, one)].append(one.path)
        else:
            records.extend(json_sql(connection, one.path, one.source, text))

    _each(readable, add, faults)
    of_texts = [delimited_sql(paths, layout) for layout, paths in texts.items()]
    of_parquets = [f"SELECT * FROM {_parquet_reader(paths)}" for paths in parquets.values()]
    return [*of_texts, *of_parquets, *records]


def _parquet_reader(paths: Sequence[Path]) -> str:
    return "read_parquet([" + ", ".join(literal(str(path)) for path in paths) + "])"


def _parquet_columns(connection: duckdb.DuckDBPyConnection, one: _Readable) -> tuple[tuple[str, str], ...]:
    """Return names and types of a Parquet file's columns."""
    try:
        found = connection.sql(f"SELECT * FROM {_parquet_reader([one.path])}")
        column_names(pq.read_schema(one.path).names, one.source.name)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        cause = shown(str(error).split("\n", maxsplit=1)[0])
        raise SourceError(f"{one.source.name} is damaged as a Parquet file: {cause}. Copy or write it again.") from None
    return tuple(zip(found.columns, map(str, found.types), strict=True))


def _union(connection: duckdb.DuckDBPyConnection, relations: Sequence[str], decimal: str) -> str:
    """Put relations under one another by the names of their columns; where kinds of types differ, all become text."""
    found = [connection.sql(relation) for relation in relations]
    families: dict[str, set[str]] = defaultdict(set)
    for one in found:
        for name, kind in zip(one.columns, one.types, strict=True):
            families[name.lower()].add(_family(str(kind)))
    parts = []
    for relation, one in zip(relations, found, strict=True):
        picked = [
            _text_of(name, str(kind), decimal) if len(families[name.lower()]) > 1 else identifier(name)
            for name, kind in zip(one.columns, one.types, strict=True)
        ]
        parts.append(f"SELECT {', '.join(picked)} FROM ({relation})")
    return " UNION ALL BY NAME ".join(parts)


def _family(kind: str) -> str:
    if re.match(r"U?(TINY|SMALL|BIG|HUGE)?INT|DECIMAL|DOUBLE|FLOAT", kind):
        return "number"
    return "time" if kind in {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"} else kind


def _text_of(name: str, kind: str, decimal: str) -> str:
    """Return a column as text, where 13085.0 is 13085 and numbers have the stated decimal mark."""
    column = identifier(name)
    text = f"CAST({column} AS VARCHAR)"
    if _family(kind) == "number":
        text = f"replace({text}, '.', {literal(decimal)})"
        whole = f"{column} = floor({column}) AND abs({column}) < 1e15"
        text = f"CASE WHEN {whole} THEN CAST(TRY_CAST({column} AS BIGINT) AS VARCHAR) ELSE {text} END"
    return f"{text} AS {column}"
