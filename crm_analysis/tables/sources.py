"""
Sources: files and built-in tables, landed in the catalogue as canonical tables.

Which files a dataset names belongs in :mod:`crm_analysis.tables.dataset_file`; repairs in :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import duckdb
from pydantic import BaseModel, ConfigDict, Field, field_validator

from crm_analysis.errors import MAX_EXAMPLES, DataQualityError, SourceError, SourceSchemaError, listed
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import CANONICAL, SQL_TYPES, Kind, kind_of, required_columns

_ENCODINGS = ("utf-8", "utf-16", "latin-1")  # what the engine reads by itself


class TextFormat(BaseModel):
    """How a text file is written: the ``format`` of a dataset file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=4)] | None = None
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."
    missing: list[str] = [""]
    dates: dict[str, str] = {}

    @field_validator("encoding")
    @classmethod
    def _readable(cls, encoding: str) -> str:
        if encoding.lower() not in _ENCODINGS:
            raise ValueError(f"is not read; known are {', '.join(_ENCODINGS)}. Save the file as utf-8")
        return encoding.lower()


@dataclass(frozen=True)
class Landing:
    """
    One table on its way into the catalogue.

    Attributes
    ----------
    table : str
        The canonical table.
    relation : str
        SQL that reads the source.
    columns : mapping
        Canonical name to the source's own.
    text : TextFormat
        How text is to be read.
    stays : bool
        Whether the source is quick to read again: it then stays where it is, behind a view, instead of being copied.
    zones : tuple of str
        Time zone of the source's times, and the one whose midnights cut days.
    where : str
        The dataset file, for messages.
    """

    table: str
    relation: str
    columns: Mapping[str, str]
    text: TextFormat
    stays: bool
    zones: tuple[str, str]
    where: str


def file_relation(files: Sequence[Path], text: TextFormat) -> str:
    """
    Return the SQL that reads files of one kind.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Parquet, JSON or delimited text; gzip is seen from the name.
    text : TextFormat
        How text is written.

    Returns
    -------
    str
        A query; delimited text comes as text in all columns.

    Raises
    ------
    SourceError
        The files are of several kinds.
    """
    kinds = {Path(file.name.removesuffix(".gz")).suffix for file in files}
    if len(kinds) > 1:
        raise SourceError(f"Files of several kinds in one table: {', '.join(sorted(kinds))}. Name files of one kind.")
    names = "[" + ", ".join(literal(str(file)) for file in files) + "]"
    kind = kinds.pop()
    if kind == ".parquet":
        return f"SELECT * FROM read_parquet({names}, union_by_name = true)"
    if kind in {".json", ".jsonl"}:
        return f"SELECT * FROM read_json({names}, union_by_name = true)"
    delimiter = text.delimiter or ("\t" if kind == ".tsv" else None)
    options = [f"encoding = {literal(text.encoding)}", "all_varchar = true", "header = true", "union_by_name = true"]
    if delimiter:
        options.append(f"delim = {literal(delimiter)}")
    return f"SELECT * FROM read_csv({names}, {', '.join(options)})"


def land(connection: duckdb.DuckDBPyConnection, landing: Landing, *, schema: str) -> None:
    """
    Read a source into ``<schema>.<table>`` with canonical names, types and times.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    landing : Landing
        What to read, and how.
    schema : str
        Where the table is to stand; every canonical column is there, null where the source has none.

    Raises
    ------
    SourceError
        The source cannot be read.
    SourceSchemaError
        It lacks a required column, or one that the dataset file names.
    DataQualityError
        It has no rows, or values that are no number, time or flag.
    """
    types = _source_types(connection, landing)
    expressions = _expressions(landing, types)
    selected = ",\n".join(f"{expression} AS {identifier(name)}" for name, expression in expressions.items())
    target = f"{identifier(schema)}.{identifier(landing.table)}"
    made = "VIEW" if landing.stays else "TABLE"
    every_value = ", ".join(f"count({identifier(name)})" for name in expressions)
    try:
        connection.execute(f"CREATE {made} {target} AS SELECT {selected} FROM ({landing.relation})")
        counted = connection.execute(f"SELECT count(*), {every_value} FROM {target}").fetchone()
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
        raise _unreadable_values(connection, landing, types) or _unreadable(landing, error) from error
    except duckdb.Error as error:
        raise _unreadable(landing, error) from error
    if not counted or counted[0] == 0:
        raise DataQualityError(
            f"Table {landing.table} of {landing.where} is empty: the source has columns but no rows. "
            "Look whether its files or its query are the right ones."
        )


def _source_types(connection: duckdb.DuckDBPyConnection, landing: Landing) -> dict[str, str]:
    """Return the source's columns with their SQL types, after checking that the mapped ones are there."""
    try:
        described = connection.execute(f"DESCRIBE {landing.relation}").fetchall()
    except duckdb.Error as error:
        raise _unreadable(landing, error) from error
    types = {str(row[0]): str(row[1]) for row in described}
    wanted = set(landing.columns.values()) | {
        name for name in required_columns(landing.table) if name not in landing.columns
    }
    if "amount" not in {*landing.columns, *types} and _has_price(landing, types):
        wanted.discard("amount")
    missing = sorted(wanted - set(types))
    if missing:
        raise SourceSchemaError(
            f"Table {landing.table!r} lacks {len(missing)} of {len(wanted)} columns: {missing[:MAX_EXAMPLES]}. "
            f"It has {list(types)[:8]}. Map the source's own names under tables.{landing.table}.columns in {landing.where}.",
            faults=missing,
        )
    return types


def _has_price(landing: Landing, types: Mapping[str, str]) -> bool:
    return all(name in landing.columns or name in types for name in ("quantity", "unit_price"))


def _taken(landing: Landing, types: Mapping[str, str]) -> dict[str, str]:
    """Return canonical (or own) name to source name: those mapped, those already canonical, else all."""
    canonical = {name: name for name in CANONICAL[landing.table].columns if name in types}
    if landing.columns:
        return canonical | dict(landing.columns)
    return {name: name for name in types}


def _expressions(landing: Landing, types: Mapping[str, str]) -> dict[str, str]:
    """Return an SQL expression for each column of the landed table."""
    taken = _taken(landing, types)
    declared = CANONICAL[landing.table].columns
    expressions = {}
    for name, column in declared.items():
        kind = kind_of(column)
        source = taken.get(name)
        expressions[name] = (
            f"CAST(NULL AS {SQL_TYPES[kind]})" if source is None else _typed(landing, name, source, types[source], kind)
        )
    if "amount" in declared and "amount" not in taken:
        product = f"({expressions['quantity']}) * ({expressions['unit_price']})"
        expressions["amount"] = f"CAST({product} AS {SQL_TYPES['money']})"
    for name, source in taken.items():
        if name not in declared:
            expressions[name] = _text(landing, source) if types[source] == "VARCHAR" else identifier(source)
    return expressions


def _typed(landing: Landing, name: str, source: str, source_type: str, kind: Kind) -> str:
    """Return the expression that gives a source column its canonical type, failing on what is none."""
    value = _text(landing, source) if source_type == "VARCHAR" else identifier(source)
    if kind == "time":
        return _time(landing, value, source_type, landing.text.dates.get(name) or landing.text.dates.get(source))
    if kind == "text" and source_type in {"DOUBLE", "FLOAT"}:  # 13085.0 is the customer 13085
        whole = f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN isnan({value}) THEN NULL WHEN {value} = floor({value}) THEN {whole} ELSE CAST({value} AS VARCHAR) END"
    if source_type == "VARCHAR" and kind in {"money", "number"} and landing.text.decimal == ",":
        value = f"replace({value}, ',', '.')"
    if source_type in {"DOUBLE", "FLOAT"}:
        value = f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END"
    return f"CAST({value} AS {SQL_TYPES[kind]})"


def _text(landing: Landing, source: str) -> str:
    tokens = ", ".join(literal(token) for token in {"": None, **dict.fromkeys(landing.text.missing)})
    return f"CASE WHEN trim({identifier(source)}) IN ({tokens}) THEN NULL ELSE trim({identifier(source)}) END"


def _time(landing: Landing, value: str, source_type: str, written: str | None) -> str:
    """Return the expression of a time in the dataset's days; a day without a clock is that day everywhere."""
    source_zone, day_zone = (literal(zone) for zone in landing.zones)
    if source_type == "TIMESTAMP WITH TIME ZONE":
        return f"timezone({day_zone}, {value})"
    if source_type == "DATE":
        return f"CAST({value} AS TIMESTAMP)"
    has_clock = written is None or any(code in written for code in ("%H", "%I", "%X", "%c", "%T"))
    time = (
        f"strptime({value}, {literal(written)})"
        if written and source_type == "VARCHAR"
        else f"CAST({value} AS TIMESTAMP)"
    )
    shifted = time if source_zone == day_zone else f"timezone({day_zone}, timezone({source_zone}, {time}))"
    if not has_clock:
        return time
    if source_type == "VARCHAR" and not written:
        return f"CASE WHEN length({value}) <= 10 THEN {time} ELSE {shifted} END"
    return shifted


def _unreadable_values(
    connection: duckdb.DuckDBPyConnection, landing: Landing, types: Mapping[str, str]
) -> DataQualityError | None:
    """Count the values that are not what their column must hold; None when all are."""
    faults = []
    taken = _taken(landing, types)
    for name, column in CANONICAL[landing.table].columns.items():
        source, kind = taken.get(name), kind_of(column)
        if source is None or kind == "text":
            continue
        value = _typed(landing, name, source, types[source], kind)
        bad = f"{_given(landing, source, types)} IS NOT NULL AND TRY({value}) IS NULL"
        row = connection.execute(f"SELECT count(*) FILTER (WHERE {bad}), count(*) FROM ({landing.relation})").fetchone()
        if row and row[0]:
            faults.append(f"{landing.table}.{name} (from {source!r}): {row[0]:,} of {row[1]:,} values are no {kind}")
    if not faults:
        return None
    return DataQualityError(
        f"Values that cannot be read in {landing.where}:\n{listed(faults)}\n"
        f"State how they are written under tables.{landing.table}.format (decimal, dates, missing), or repair the source.",
        faults=faults,
    )


def _given(landing: Landing, source: str, types: Mapping[str, str]) -> str:
    return _text(landing, source) if types[source] == "VARCHAR" else identifier(source)


def _unreadable(landing: Landing, error: duckdb.Error) -> SourceError:
    cause = " ".join(str(error).split("\n")[0].split())[:200]
    return SourceError(
        f"Table {landing.table} of {landing.where} cannot be read: {cause}. "
        "Look whether the file is whole and of the kind that its name says."
    )
