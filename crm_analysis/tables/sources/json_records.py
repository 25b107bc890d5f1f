"""
JSON records: arrays of objects and JSON lines as columns, nested objects by dotted names.

Documents of a database belong in :mod:`crm_analysis.tables.sources.documents`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import duckdb
from duckdb.sqltypes import DuckDBPyType

from crm_analysis.errors import SourceError
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.sources.archives import Source, shown
from crm_analysis.tables.sources.text import TextFormat

_MAX_COLUMNS = 2000
_KEPT = {"bigint", "ubigint", "hugeint", "double", "boolean"}
_DETECTION = (
    "format = 'auto', records = 'auto', sample_size = -1, map_inference_threshold = -1, field_appearance_threshold = 0"
)


def json_sql(connection: duckdb.DuckDBPyConnection, path: Path, source: Source, text: TextFormat) -> list[str]:
    """
    Return SQL that reads a JSON file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        May read the file, and reads all of it.
    path : pathlib.Path
        JSON in UTF-8.
    source : Source
        Where it came from.
    text : TextFormat
        How numbers are written where they stand among texts.

    Returns
    -------
    list of str
        A query: numbers and flags with their types, everything else as text, lists as JSON; none for an empty list.

    Raises
    ------
    SourceError
        The file is cut off or no JSON, or it holds anything but objects.
    """
    named = literal(str(path))
    try:
        found = connection.sql(f"SELECT * FROM read_json({named}, {_DETECTION})")
        columns, types = found.columns, found.types
        if columns == ["json"] and not _holds_objects(connection, named, types[0], source):
            return []
        _refuse_same_names(columns, source)
        sql = _flattened(named, list(zip(columns, types, strict=True)), source, text.decimal)
        connection.execute(f"SELECT count(COLUMNS(*)) FROM ({sql})").fetchone()
    except duckdb.Error as error:
        raise SourceError(f"{source.name} is not whole as JSON: {_cause(error)}. Export it again.") from None
    return [sql]


def _flattened(named: str, columns: list[tuple[str, DuckDBPyType]], source: Source, decimal: str) -> str:
    """Return the query that reads columns with stated types and takes their objects apart."""
    spec = ", ".join(f"{literal(name)}: {literal(_read_as(kind))}" for name, kind in columns)
    picked = [
        f"{expression} AS {identifier(dotted)}"
        for name, kind in columns
        for dotted, expression in _flat(name, identifier(name), kind, decimal)
    ]
    if len(picked) > _MAX_COLUMNS:
        raise SourceError(
            f"{source.name} has {len(picked):,} columns once its objects are flattened; {_MAX_COLUMNS:,} are read. "
            "Keys that are values (such as ids) belong in a list."
        )
    return f"SELECT {', '.join(picked)} FROM read_json({named}, format = 'auto', columns = {{{spec}}})"


def _cause(error: duckdb.Error) -> str:
    first = str(error).split("\n", maxsplit=1)[0]
    told = re.sub(r'^.*?Error: |in file "[^"]*", |Object \{.*\} has ', "", first)
    return shown(told.rstrip(". "), limit=120)


def _holds_objects(connection: duckdb.DuckDBPyConnection, named: str, kind: DuckDBPyType, source: Source) -> bool:
    """Say whether there are objects, where the engine calls the only column json; refuse anything else."""
    counted = dict(
        connection.execute(
            f"SELECT json_type(json), count(*) FROM read_json_objects({named}, format = 'auto') GROUP BY ALL"
        ).fetchall()
    )
    others = sum(count for what, count in counted.items() if what != "OBJECT")
    if others:
        raise SourceError(
            f"{source.name} holds {others:,} values that are no objects with names and values. "
            "Write a list of objects, or one object a line."
        )
    if counted and str(kind) == "JSON":
        raise SourceError(f"{source.name} holds objects without a key, or with an empty one. Name every key.")
    return bool(counted)


def _refuse_same_names(columns: list[str], source: Source) -> None:
    """Refuse keys that differ by case only: the engine renames the second one and would then not find it."""
    for name in columns:
        base = re.sub(r"_\d+$", "", name)
        same = [other for other in columns if base not in {other, name} and other.lower() == base.lower()]
        if same:
            raise SourceError(
                f"{source.name} has the keys {shown(same[0])!r} and {shown(base)!r}, which differ by case only. "
                "Rename one of them."
            )


def _read_as(kind: DuckDBPyType) -> str:
    """Return the type to read a value as: what looks like a time or a uuid stays text."""
    if kind.id == "struct":
        return "STRUCT(" + ", ".join(f"{identifier(name)} {_read_as(part)}" for name, part in _parts(kind)) + ")"
    if str(kind) == "JSON" or kind.id in {"list", "map", "array"}:
        return "JSON"
    return str(kind) if kind.id in _KEPT else "VARCHAR"


def _parts(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return cast("list[tuple[str, DuckDBPyType]]", kind.children)


def _flat(name: str, expression: str, kind: DuckDBPyType, decimal: str) -> Iterator[tuple[str, str]]:
    """Yield dotted name and expression for each value within a column."""
    if kind.id == "struct":
        for part, of_part in _parts(kind):
            yield from _flat(f"{name}.{part}", f"{expression}.{identifier(part)}", of_part, decimal)
    elif _read_as(kind) == "JSON":
        value = f"{expression} ->> '$'"
        if decimal == ",":
            value = f"CASE json_type({expression}) WHEN 'DOUBLE' THEN replace({value}, '.', ',') ELSE {value} END"
        yield name, value
    else:
        yield name, expression
