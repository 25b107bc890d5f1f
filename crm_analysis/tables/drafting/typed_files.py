"""
Samples of files that store types: Parquet, Excel workbooks and JSON.

Which file is which belongs in :mod:`crm_analysis.tables.drafting.sampling`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from crm_analysis.errors import SourceError
from crm_analysis.tables.drafting.headers import above_doubts, checked_header, header_place, unnamed_doubts
from crm_analysis.tables.drafting.samples import FIRST_ROWS, PIECE_ROWS, Sample, Stored, as_text, typed_sample
from crm_analysis.tables.drafting.sniffing import guess_encoding
from crm_analysis.tables.drafting.text_files import PIECES, content_pieces, decoded, refuse_binary

Returned = TypeVar("Returned")


def parquet_sample(path: Path) -> Sample:
    """
    Read a sample of a Parquet file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Sample
        Rows of the beginning, and of row groups further in.

    Raises
    ------
    SourceError
        It is no whole Parquet file, or has no rows.
    """

    def _read() -> tuple[pa.Schema, list[dict[str, Any]], bool]:
        with pq.ParquetFile(path) as file:
            batches = file.iter_batches(batch_size=PIECE_ROWS)
            rows = [row for batch in itertools.islice(batches, FIRST_ROWS // PIECE_ROWS) for row in batch.to_pylist()]
            is_whole = file.metadata.num_rows == len(rows)
            groups = range(1, file.num_row_groups, max(1, file.num_row_groups // PIECES))
            for group in () if is_whole else groups:
                rows += next(file.iter_batches(batch_size=PIECE_ROWS, row_groups=[group])).to_pylist()
            return file.schema_arrow, rows, is_whole

    schema, rows, is_whole = _whole(path, "Parquet", _read)
    stored = {entry.name: _stored_type(entry.type) for entry in schema}
    return typed_sample(path, "parquet", tuple(schema.names), rows, stored, is_whole=is_whole)


def _whole(path: Path, kind: str, read: Callable[[], Returned]) -> Returned:
    """Read, or say that the file is no whole file of its kind."""
    try:
        return read()
    except (OSError, ValueError, pa.ArrowException, StopIteration, CalamineError) as error:
        cause = " ".join(str(error).split())[:150]
        raise SourceError(f"{path.name} is no whole {kind} file ({cause}). Save or fetch it again.") from None


def _stored_type(kind: pa.DataType) -> Stored:
    """Return what a Parquet column stores."""
    tests: Mapping[Stored, Callable[[pa.DataType], bool]] = {
        "flag": pa.types.is_boolean,
        "number": lambda t: bool(pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t)),
        "zoned": lambda t: bool(pa.types.is_timestamp(t) and t.tz is not None),
        "day": pa.types.is_date,
        "time": lambda t: bool(pa.types.is_temporal(t)),
        "unusable": pa.types.is_nested,
    }
    if pa.types.is_dictionary(kind):
        return _stored_type(kind.value_type)
    return next((name for name, test in tests.items() if test(kind)), "text")


def workbook_sample(path: Path) -> Sample:
    """
    Read a sample of a workbook: its first sheet with rows.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Sample
        Rows from its top.

    Raises
    ------
    SourceError
        It is no workbook, or has no rows or no column names.
    """

    def _read() -> tuple[list[str], str, list[list[Any]]]:
        with CalamineWorkbook.from_path(path) as book:
            for name in book.sheet_names:
                rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=FIRST_ROWS + 1)
                if rows:
                    return book.sheet_names, name, rows
            return book.sheet_names, "", []

    sheets, sheet, rows = _whole(path, "Excel", _read)
    if not rows:
        raise SourceError(
            f"{path.name} holds no rows in any of its {len(sheets)} sheets. Save it again, or leave it out."
        )
    top = header_place(rows)
    names, unnamed = checked_header(path, [[as_text(value) or "" for value in row] for row in rows[top : top + 51]])
    body = [dict(zip(names, row, strict=True)) for row in rows[top + 1 :]]
    stored = _stored_values(names, body) | dict.fromkeys(unnamed, "unusable")
    doubts = above_doubts(path, top) + unnamed_doubts(path, unnamed)
    if len(sheets) > 1:
        doubts.append(f"{path.name}: of its {len(sheets)} sheets the first with rows is taken, {sheet!r}.")
    made = typed_sample(path, "workbook", names, body, stored, is_whole=len(rows) <= FIRST_ROWS)
    return replace(made, sheet=sheet if len(sheets) > 1 else None, header_line=top + 1, doubts=tuple(doubts))


def json_sample(path: Path) -> Sample:
    """
    Read a sample of JSON: a list of records, or one a line.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Sample
        Records from its beginning.

    Raises
    ------
    SourceError
        It holds no records.
    """
    pieces, is_whole = content_pieces(path)
    refuse_binary(path, pieces[0])
    text = decoded(pieces[0], guess_encoding(pieces[0]).value)
    rows = _json_rows(text)
    if not rows:
        raise SourceError(
            f"{path.name} holds no list of records: it needs [{{…}}, {{…}}] or a record {{…}} a line. Export it that way."
        )
    rows = [dict(_flat(row)) for row in rows]
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return typed_sample(path, "json", names, rows, _stored_values(names, rows), is_whole=is_whole)


def _json_rows(text: str) -> list[dict[str, Any]]:
    """Return the whole records at the beginning of JSON, a list or lines."""
    decoder = json.JSONDecoder()
    place = len(text) - len(text.lstrip())
    place += text.startswith("[", place)
    rows: list[dict[str, Any]] = []
    while place < len(text) and len(rows) < FIRST_ROWS:
        try:
            row, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError:
            break
        if not isinstance(row, dict):
            return []
        rows.append(row)
        while place < len(text) and text[place] in ", \r\n\t":
            place += 1
    return rows


def _flat(record: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of a record by the dotted name that its column gets."""
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _stored_values(names: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Stored]:
    """Return what each column stores, by its values; mixed columns count as text."""
    stored: dict[str, Stored] = {}
    for name in names:
        kinds = {_value_type(row[name]) for row in rows if row.get(name) not in (None, "")}
        kinds -= {"day"} if "time" in kinds else set()
        stored[name] = kinds.pop() if len(kinds) == 1 else "text"
    return stored


def _value_type(value: object) -> Stored:
    types: Mapping[Stored, tuple[type, ...]] = {
        "flag": (bool,),
        "number": (int, float),
        "time": (datetime,),
        "day": (date,),
        "unusable": (dict, list),
    }
    return next((name for name, known in types.items() if isinstance(value, known)), "text")
