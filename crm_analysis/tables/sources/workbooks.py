"""
Workbooks: one sheet of an Excel or OpenDocument file, written as Parquet for the engine.

Sheets are read as they were last calculated; what columns mean belongs in :mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from crm_analysis.errors import MAX_EXAMPLES, SourceError
from crm_analysis.tables.sources.archives import Source, check_archive, fresh, shown
from crm_analysis.tables.sources.delimited import column_names
from crm_analysis.tables.sources.text import TextFormat

_BATCH_ROWS = 50_000
_CELL = re.compile(rb"<c\s([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_VALUE = re.compile(rb"<v[^>]*>([^<]+)</v>")
_CHUNK = 1 << 20
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_TYPES = {
    frozenset({bool}): pa.bool_(),
    frozenset({float}): pa.float64(),
    frozenset({dt.date}): pa.date32(),
    frozenset({dt.datetime}): pa.timestamp("us"),
    frozenset({dt.date, dt.datetime}): pa.timestamp("us"),
}

Row = list[Any]


@dataclass
class _Cells:
    """What the reader of sheets does not tell: cells with an error, and formulas without a value."""

    errors: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    not_calculated: list[str] = field(default_factory=list)


def workbook_copy(source: Source, text: TextFormat, scratch: Path) -> Path:
    """
    Write a workbook's sheet as Parquet.

    Parameters
    ----------
    source : Source
        A workbook.
    text : TextFormat
        Which sheet, in which row its names stand, and how numbers are written where they stand among texts.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    pathlib.Path
        Numbers, flags, days and times with their types; a column of several types as text. Errors such as ``#N/A``
        are text, so that they are told where a number should be.

    Raises
    ------
    SourceError
        The workbook is damaged, protected by a password, lacks the sheet, or holds formulas that were never calculated.
    """
    if source.path.suffix.lower() in {".xlsx", ".xlsm", ".ods"}:
        _check_package(source)
    try:
        with CalamineWorkbook.from_path(source.path) as book:
            name = _sheet_name(book, source, text.sheet)
            cells = _unseen_cells(source, name) if source.kind in {".xlsx", ".xlsm"} else _Cells()
            return _written(book.get_sheet_by_name(name), cells, source, text, fresh(scratch, ".parquet"))
    except PasswordError:
        raise SourceError(f"{source.name} is protected by a password. Save a copy without one.") from None
    except (CalamineError, OSError, zipfile.BadZipFile, zlib.error, LookupError, ValueError) as error:
        raise SourceError(
            f"{source.name} cannot be read as a workbook of kind {source.kind}: {shown(str(error))}. "
            "Open it in a spreadsheet program and save it anew."
        ) from None


def _check_package(source: Source) -> None:
    """Look into the archive that a workbook is, before it is unpacked."""
    with source.path.open("rb") as stream:
        head = stream.read(8)
        if head.startswith(b"\xd0\xcf\x11\xe0"):  # the container of encrypted workbooks, and of .xls
            rest = stream.read(1 << 20)
            if _ENCRYPTED_STREAM in rest:
                raise SourceError(f"{source.name} is protected by a password. Save a copy without one.")
            raise SourceError(f"{source.name} is an Excel workbook of the old kind. Give it the suffix .xls.")
    if not head.startswith(b"PK"):
        begins = shown(head.decode("latin-1"))
        raise SourceError(f"{source.name} is no workbook: it begins with {begins!r}. Give it the suffix of its kind.")
    try:
        with zipfile.ZipFile(source.path) as archive:
            check_archive(archive, source.name)
    except zipfile.BadZipFile:
        raise SourceError(f"{source.name} is a workbook that is cut off or damaged. Copy or save it again.") from None


def _sheet_name(book: CalamineWorkbook, source: Source, wanted: str | int | None) -> str:
    names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if isinstance(wanted, str) and wanted in names:
        return wanted
    if not isinstance(wanted, str) and (wanted or 1) <= len(names):
        return names[(wanted or 1) - 1]
    known = ", ".join(f"{place} {shown(name)!r}" for place, name in enumerate(names[:10], start=1))
    raise SourceError(f"{source.name} has no sheet {wanted!r}; it has {known or 'none'}. State one under format.sheet.")


def _written(sheet: CalamineSheet, cells: _Cells, source: Source, text: TextFormat, path: Path) -> Path:
    """Write a sheet's rows under its header, in a first pass over them the types, in a second the values."""
    if count := len(cells.not_calculated):
        formulas = "1 formula that was" if count == 1 else f"{count:,} formulas that were"
        raise SourceError(
            f"{source.name} holds {formulas} never calculated, such as "
            f"{', '.join(cells.not_calculated[:MAX_EXAMPLES])}. Open it in a spreadsheet program and save it."
        )
    header, first = _header(sheet, cells, source, text.header_line)
    kinds: list[set[type]] = [set() for _ in header]
    for row in _rows(sheet, cells, first):
        for place, value in enumerate(row):
            if value != "":
                kinds[place].add(type(value))
    kept = [place for place, name in enumerate(header) if name or kinds[place]]
    names = column_names([header[place] for place in kept], source.name)
    types = [_TYPES.get(frozenset(kinds[place]), pa.string()) for place in kept]
    schema = pa.schema(list(zip(names, types, strict=True)))
    rows = _rows(sheet, cells, first)
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, _BATCH_ROWS)):
            columns = [
                pa.array([_cell(row[place], kind, text.decimal) for row in batch], type=kind)
                for place, kind in zip(kept, types, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return path


def _header(sheet: CalamineSheet, cells: _Cells, source: Source, wanted: int) -> tuple[list[str], int]:
    """Return the names of the columns and the place of the first row below them."""
    for place, row in enumerate(_all_rows(sheet, cells)):
        if place + 1 >= wanted and any(value != "" for value in row):
            return [_as_text(value, ".").strip() for value in row], place + 1
    raise SourceError(
        f"{source.name} has nothing in its sheet {shown(sheet.name)!r}. State another under format.sheet."
    )


def _rows(sheet: CalamineSheet, cells: _Cells, first: int) -> Iterator[Row]:
    """Yield the rows that are not blank."""
    for row in islice(_all_rows(sheet, cells), first, None):
        if any(value != "" for value in row):
            yield row


def _all_rows(sheet: CalamineSheet, cells: _Cells) -> Iterator[Row]:
    """Yield every row, with its errors where the reader of sheets leaves nothing."""
    left = sheet.start[1] if sheet.start else 0
    for place, row in enumerate(sheet.iter_rows()):
        for column, error in cells.errors.get(place, ()):
            row[column - left] = error
        yield row


def _unseen_cells(source: Source, sheet: str) -> _Cells:
    """Look through a sheet's own file for errors and for formulas without a value."""
    cells = _Cells()
    with zipfile.ZipFile(source.path) as archive, archive.open(_part_of_sheet(archive, sheet)) as part:
        rest = b""
        while chunk := part.read(_CHUNK):
            text = rest + chunk
            end = text.rfind(b"</c>") + len(b"</c>") if b"</c>" in text else 0
            if b"<f" in text or b't="e"' in text:
                _look_at(text[:end], cells)
            rest = text[end:]
    return cells


def _look_at(part: bytes, cells: _Cells) -> None:
    for attributes, content in _CELL.findall(part):
        place = re.search(rb'\br="([A-Z]+)(\d+)"', attributes)
        if place is None:
            continue
        value = _VALUE.search(content)
        if b't="e"' in attributes:
            error = html.unescape(value[1].decode()) if value else "#ERROR"
            cells.errors.setdefault(int(place[2]) - 1, []).append((_column_number(place[1]), error))
        elif b"<f" in content and value is None and b't="str"' not in attributes:
            cells.not_calculated.append(f"{place[1].decode()}{int(place[2])}")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _part_of_sheet(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the file within a workbook that holds a sheet."""
    for tag in re.findall(r"<(?:\w+:)?sheet\s[^>]*>", archive.read("xl/workbook.xml").decode()):
        if html.unescape(_attribute(tag, "name")) == sheet:
            wanted = _attribute(tag, r"\w+:id")
            for link in re.findall(r"<Relationship\s[^>]*>", archive.read("xl/_rels/workbook.xml.rels").decode()):
                if _attribute(link, "Id") == wanted:
                    target = _attribute(link, "Target")
                    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(f"its sheet {sheet!r} lies nowhere in it")


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\s{name}=["']([^"']*)["']""", tag)
    return found[1] if found else ""


def _cell(value: Any, kind: pa.DataType, decimal: str) -> Any:
    if value == "":
        return None
    if kind == pa.string():
        return _as_text(value, decimal)
    return value


def _as_text(value: Any, decimal: str) -> str:
    """Return a value as text: 7.0 as 7, a number with the stated decimal mark."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value).replace(".", decimal)
        case dt.datetime():
            return value.isoformat(sep=" ")
        case _:
            return str(value)
