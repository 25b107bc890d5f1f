"""
Tables in files: their rows as text, and the cells below the headings that were asked for.

Which headings those are belongs in :mod:`crm_analysis.reporting.scan.headings`; other contents belong in
:mod:`crm_analysis.reporting.scan.contents`.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from crm_analysis.reporting.scan.words import BREAK

Asked = Callable[[str], bool]
_ROWS = 50_000
_HEADING_ROWS = 20
_DELIMITERS = ",;\t|"
_TABLE = re.compile(r"<table\b.*?(?:</table>|\Z)", re.IGNORECASE | re.DOTALL)
_ROW = re.compile(r"<tr\b", re.IGNORECASE)
_CELL = re.compile(r"<t[hd]\b[^<>]*>(.*?)(?=</t[hdr]|<t[hd]\b|</table|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_HALVES = frozenset({"client", "customer", "customers", "id", "identifier", "ids"})  # of a heading, as in "Customer ID"
_SEEN = re.compile(r"\S+")


@dataclass(frozen=True)
class Passage:
    """
    A piece of text out of a file.

    Attributes
    ----------
    text : str
        What was written; texts that no reader sees as one have a break between them.
    where : str
        Part of the file, such as "cell 3" or "member schema.json"; empty: the file itself.
    unit : str
        What ``mark`` ends: "line" or "row"; empty: places are not counted.
    first : int
        Number of the first of them.
    """

    text: str
    where: str = ""
    unit: str = ""
    first: int = 1


@dataclass(frozen=True)
class Cells:
    """
    What stands below a heading.

    Attributes
    ----------
    heading : str
        As it is written.
    texts : tuple of str
        One a cell.
    where : str
        Part of the file.
    """

    heading: str
    texts: tuple[str, ...]
    where: str = ""


Content = Passage | Cells


def csv_cells(text: io.TextIOBase, asked: Asked, where: str) -> Iterator[Cells]:
    """
    Yield the cells of a delimited text that were asked for.

    Parameters
    ----------
    text : io.TextIOBase
        With a line of headings.
    asked : callable
        Whether the cells below a heading matter.
    where : str
        Part of the file.

    Yields
    ------
    Cells
        Of some thousand rows at a time.
    """
    first = text.readline()
    delimiter = max(_DELIMITERS, key=first.count)
    headings = next(csv.reader([first], delimiter=delimiter), [])
    wanted = {column: heading for column, heading in enumerate(headings) if asked(heading)}
    if not wanted:
        return
    rows = csv.reader((line.replace("\0", "") for line in text), delimiter=delimiter)
    while block := list(islice(rows, _ROWS)):
        for column, heading in wanted.items():
            yield Cells(heading, tuple(row[column] for row in block if len(row) > column), where)


def parquet_contents(file: io.BufferedIOBase, asked: Asked, where: str) -> Iterator[Content]:
    """
    Yield what a Parquet file says: names, metadata, texts, whole numbers and times, row by row.

    Parameters
    ----------
    file : io.BufferedIOBase
        The file's bytes.
    asked : callable
        Whether the cells below a heading matter.
    where : str
        Part of the file.

    Yields
    ------
    Passage or Cells
        Batch by batch.
    """
    parquet = pq.ParquetFile(file)
    yield Passage(BREAK.join(_parquet_notes(parquet)), _joined(where, "schema and metadata"))
    first = 1
    for batch in parquet.iter_batches(batch_size=_ROWS):
        columns = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            texts = _texts(column)
            if asked(name):
                texts = column.cast(pa.string()) if texts is None else texts
                yield Cells(name, tuple(pc.drop_null(texts).to_pylist()), _joined(where, f"column {name}"))
            if texts is not None:
                columns.append(texts)
        if columns:
            rows = pc.binary_join_element_wise(*columns, "\t", null_handling="replace", null_replacement="")
            yield Passage(BREAK.join(rows.to_pylist()), where, "row", first)
        first += len(batch)


def workbook_contents(file: io.BufferedIOBase, asked: Asked, where: str) -> Iterator[Content]:
    """
    Yield what the sheets of an Excel file show.

    Parameters
    ----------
    file : io.BufferedIOBase
        The file's bytes.
    asked : callable
        Whether the cells below a heading matter.
    where : str
        Part of the file.

    Yields
    ------
    Passage or Cells
        Sheet by sheet. Comments, properties and formulas are in the file's members.
    """
    with CalamineWorkbook.from_filelike(file) as workbook:
        for name in workbook.sheet_names:
            rows = [[str(cell) for cell in row] for row in workbook.get_sheet_by_name(name).to_python()]
            place = _joined(where, f"sheet {name}")
            yield Passage(BREAK.join("\t".join(row) for row in rows), place, "row")
            yield from _below_headings(rows, asked, place)


def html_cells(text: str, asked: Asked, where: str) -> Iterator[Cells]:
    """
    Yield the cells of HTML tables that were asked for.

    Parameters
    ----------
    text : str
        With or without tables.
    asked : callable
        Whether the cells below, or in a table of two columns beside, a heading matter.
    where : str
        Part of the file.

    Yields
    ------
    Cells
        Table by table.
    """
    for number, table in enumerate(_TABLE.finditer(text), start=1):
        pieces = _ROW.split(table[0])[1:]
        rows = [[_shown(cell[1]) for cell in _CELL.finditer(piece)] for piece in pieces]
        place = _joined(where, f"table {number}")
        yield from _below_headings(rows, asked, place)
        yield from (Cells(row[0], (row[1],), place) for row in rows if len(row) == 2 and asked(row[0]))


def printed_cells(text: str, asked: Asked, where: str) -> Iterator[Cells]:
    """
    Yield the cells of printed tables that were asked for: what stands right below a heading until an empty line.

    Parameters
    ----------
    text : str
        Such as a printed data frame.
    asked : callable
        Whether the cells below a heading matter.
    where : str
        Part of the file.

    Yields
    ------
    Cells
        Heading by heading.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for start, end in _printed_headings(line):
            if asked(line[start:end]):
                below = takewhile(str.strip, lines[number + 1 :])
                seen = (cell for row in below for cell in _SEEN.finditer(row))
                under = (cell[0] for cell in seen if cell.start() < end and cell.end() > start)
                yield Cells(line[start:end], tuple(under), where)


def _printed_headings(line: str) -> Iterator[tuple[int, int]]:
    """Yield where headings begin and end: single words that are none half, and words with the one right before them."""
    before = None
    for word in _SEEN.finditer(line):
        follows = before is not None and before.end() + 1 == word.start()
        if not (follows and word[0].lower() in _HALVES):
            yield word.span()
        if before is not None and follows:
            yield before.start(), word.end()
        before = word


def _below_headings(rows: Sequence[Sequence[str]], asked: Asked, where: str) -> Iterator[Cells]:
    """Yield what stands below headings among the first rows."""
    for number, row in enumerate(rows[:_HEADING_ROWS]):
        for column, heading in enumerate(row):
            if asked(heading):
                yield Cells(heading, tuple(below[column] for below in rows[number + 1 :] if len(below) > column), where)


def _shown(cell: str) -> str:
    """Return the text of a cell without tags."""
    return html.unescape(_TAG.sub("", cell)).strip()


def _joined(where: str, part: str) -> str:
    """Return a part of a part of a file."""
    return f"{where}, {part}" if where else part


def _parquet_notes(parquet: pq.ParquetFile) -> Iterable[str]:
    """Yield names and metadata of a Parquet file."""
    schema = parquet.schema_arrow
    notes = [parquet.metadata.metadata or {}, schema.metadata or {}, *(field.metadata or {} for field in schema)]
    yield from (str(field) for field in schema)
    yield str(parquet.metadata.created_by)
    for pairs in notes:
        for key, value in pairs.items():
            yield from (key.decode("utf-8", "replace"), value.decode("utf-8", "replace"))


def _texts(column: pa.Array) -> pa.Array | None:
    """Return a column as texts, or None where it holds measurements only."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_nested(kind):
        return pa.array(
            [json.dumps(value, default=str, ensure_ascii=False) for value in column.to_pylist()], pa.string()
        )
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([value and value.decode("utf-8", "replace") for value in column.to_pylist()], pa.string())
    if pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return None
    return column.cast(pa.string())
