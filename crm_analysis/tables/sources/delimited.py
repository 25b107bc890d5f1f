"""
Delimited text: its delimiter and names are found here, and every line is checked; nothing is left to a sniffer.

Encodings belong in :mod:`crm_analysis.tables.sources.text`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from crm_analysis.errors import MAX_EXAMPLES, SourceError
from crm_analysis.tables.engine import literal
from crm_analysis.tables.sources.archives import Source, shown

_DELIMITERS = ",;\t|"
_HEAD_CHARACTERS = 1_000_000
_MAX_LINE_BYTES = 2_097_152
_MAX_NAME = 255


@dataclass(frozen=True)
class Layout:
    """
    How a text falls into columns.

    Attributes
    ----------
    delimiter : str
        What stands between fields.
    names : tuple of str
        Of the columns, from the header.
    skipped : int
        Lines before the first row, the header included.
    ends : str
        How its lines end.
    """

    delimiter: str
    names: tuple[str, ...]
    skipped: int
    ends: str


def layout_of(path: Path, source: Source, *, delimiter: str | None) -> Layout:
    """
    Find the delimiter and the names of a text's columns.

    Parameters
    ----------
    path : pathlib.Path
        The text in UTF-8.
    source : Source
        Where it came from.
    delimiter : str or None
        As stated; None: a tab in ``.tsv``, else the one that divides the first lines most evenly.

    Returns
    -------
    Layout
        What the engine needs to be told.

    Raises
    ------
    SourceError
        There is no header, or a name stands twice.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        head = stream.read(_HEAD_CHARACTERS)
    ends = "\r\n" if "\r\n" in head[: head.find("\n") + 1] else "\n"
    blank = len(head) - len(head.lstrip("\r\n"))
    if not head.strip():
        size = source.path.stat().st_size
        raise SourceError(f"{source.name} holds no text in its {size:,} bytes: not even a header. Export it again.")
    delimiter = delimiter or ("\t" if source.kind == ".tsv" else _sniffed(head))
    try:
        header = next(row for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if row)
    except csv.Error:
        raise SourceError(
            f"{source.name} begins with a header that does not end: a quote in it is not closed. Close it."
        ) from None
    return Layout(delimiter, column_names(header, source.name), blank // len(ends) + 1, ends)


def column_names(header: Sequence[str], name: str) -> tuple[str, ...]:
    """
    Return the names of columns; one without a name is called by its place.

    Parameters
    ----------
    header : sequence of str
        As written.
    name : str
        The file, for messages.

    Returns
    -------
    tuple of str
        Without spaces around them.

    Raises
    ------
    SourceError
        A name stands twice (upper and lower case are the same), or is too long to be one.

    Examples
    --------
    >>> column_names(["", " id "], "a.csv")
    ('column_1', 'id')
    """
    names = [text.strip() or f"column_{place}" for place, text in enumerate(header, start=1)]
    places: dict[str, list[int]] = {}
    for place, text in enumerate(names, start=1):
        places.setdefault(text.lower(), []).append(place)
        if len(text) > _MAX_NAME:
            raise SourceError(
                f"{name} has a column name of {len(text):,} characters in place {place}, as if its header were no header. "
                "State the line with the names under format.header_line."
            )
    twice = [f"{shown(names[at[0] - 1])!r} ({', '.join(map(str, at))})" for at in places.values() if len(at) > 1]
    if twice:
        raise SourceError(
            f"{name} names {len(twice)} column{'s' * (len(twice) > 1)} twice, in the places given: "
            f"{'; '.join(twice[:MAX_EXAMPLES])}. Rename all but one."
        )
    return tuple(names)


def delimited_sql(paths: Sequence[Path], layout: Layout) -> str:
    """
    Return SQL that reads texts of one layout, every column as text.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Texts in UTF-8.
    layout : Layout
        Of all of them.

    Returns
    -------
    str
        A query that fails on a line with another number of fields, rather than leave it out.
    """
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in layout.names)
    options = {
        "auto_detect": "false",
        "header": "false",
        "skip": str(layout.skipped),
        "columns": f"{{{columns}}}",
        "delim": literal(layout.delimiter),
        "quote": literal('"'),
        "escape": literal('"'),
        "compression": "'none'",
        "encoding": "'utf-8'",
        "strict_mode": "true",
        "null_padding": "false",
        "ignore_errors": "false",
        "max_line_size": str(_MAX_LINE_BYTES),
    }
    named = "[" + ", ".join(literal(str(path)) for path in paths) + "]"
    return f"SELECT * FROM read_csv({named}, {', '.join(f'{name} = {value}' for name, value in options.items())})"


def check_lines(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, source: Source) -> None:
    """
    Read every line of a text once and refuse those that do not fall into its columns.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        May read the file.
    path : pathlib.Path
        A text in UTF-8.
    layout : Layout
        What its header promises.
    source : Source
        Where it came from.

    Raises
    ------
    SourceError
        With the number of such lines and where the first of them are.
    """
    try:
        connection.execute(f"SELECT count(*) FROM ({delimited_sql([path], layout)})").fetchone()
    except duckdb.Error as error:
        raise _diagnosis(path, layout, source, shown(str(error).split("\n", maxsplit=1)[0])) from None


def _sniffed(head: str) -> str:
    """Return the delimiter that gives the first rows equally many fields, and most of them."""

    def worth(delimiter: str) -> tuple[bool, int]:
        widths = _widths(head, delimiter)
        even = len(set(widths[:-1] if len(widths) > 2 else widths)) == 1
        return even and widths[0] > 1, widths[0]

    return max(_DELIMITERS, key=worth)


def _widths(head: str, delimiter: str) -> list[int]:
    rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        return [len(row) for row in islice(rows, 50) if row] or [0]
    except csv.Error:  # a quote that is not closed; told by whoever reads the header or every line
        return [head.partition("\n")[0].count(delimiter) + 1]


def _diagnosis(path: Path, layout: Layout, source: Source, cause: str) -> SourceError:
    """Look for what the engine stumbled upon, line by line."""
    many: list[tuple[int, int]] = []
    few: list[tuple[int, int]] = []
    rows, width = 0, len(layout.names)
    for line, fields in _numbered_rows(path, layout):
        if isinstance(fields, str):
            return SourceError(f"{source.name}: {fields.format(line=f'line {line:,}')}")
        rows += 1
        if len(fields) > width and any(fields[width:]):
            many.append((line, len(fields)))
        elif len(fields) < width:
            few.append((line, len(fields)))
    if not many and not few:
        return SourceError(f"{source.name} cannot be read as delimited text: {cause}.")
    hint = (
        "State format.header_line if the names stand further down."
        if len(many) == rows
        else "Complete or delete these lines: they were cut off."
        if not many
        else f"Quote values that hold {layout.delimiter!r}, or state format.delimiter."
    )
    return SourceError(
        f"{source.name} has {width:,} column{'s' * (width > 1)} in its header, but {len(many) + len(few):,} of {rows:,} rows have another "
        f"number of fields: {_examples(many, 'more')}{' and ' if many and few else ''}{_examples(few, 'fewer')}. {hint}"
    )


def _numbered_rows(path: Path, layout: Layout) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line in which each row begins, and its fields; a sentence where they cannot be told."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream, delimiter=layout.delimiter, strict=True)
        header_seen = False
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, _fault_of_quotes(str(error))
                return
            if fields and header_seen:
                yield line, fields
            header_seen = header_seen or bool(fields)


def _fault_of_quotes(error: str) -> str:
    if "field larger" in error:
        return (
            f"{{line}} does not end within {_MAX_LINE_BYTES:,} bytes, the longest that is read. "
            "Look for a quote that is not closed, or shorten the value."
        )
    if "unexpected end" in error:
        return 'a quote opened in {line} is never closed. Close it, or double it within a value ("").'
    return 'in {line} text follows a closing quote. Double a quote within a value ("").'


def _examples(lines: Sequence[tuple[int, int]], what: str) -> str:
    if not lines:
        return ""
    places = ", ".join(f"line {line:,} has {count}" for line, count in lines[:MAX_EXAMPLES])
    return f"{len(lines):,} with {what} ({places})"
