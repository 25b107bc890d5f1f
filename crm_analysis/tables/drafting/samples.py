"""
A bounded sample of a file: some of its rows, and how it is written.

How it is read belongs in :mod:`crm_analysis.tables.drafting.sampling`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from crm_analysis.errors import SourceError

FIRST_ROWS, PIECE_ROWS = 20_000, 2_000
Stored = Literal["text", "number", "day", "time", "zoned", "flag", "unusable"]


@dataclass(frozen=True)
class Sample:
    """
    Some of a file's rows, and how it is written.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    kind : str
        ``text``, ``parquet``, ``workbook`` or ``json``.
    names : tuple of str
        Its columns.
    rows : tuple of tuple
        Values as text; None where the file itself has none.
    stored : mapping
        Column to what the file stores: text, or a type of its own.
    is_whole : bool
        Whether these are all rows.
    encoding, delimiter, sheet : str, optional
        Of text and of workbooks.
    header_line : int
        The line with the column names.
    doubts : tuple of str
        What is unsure about the above, a sentence each.
    """

    path: Path
    kind: str
    names: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    stored: Mapping[str, Stored]
    is_whole: bool
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_line: int = 1
    doubts: tuple[str, ...] = field(default=())


def typed_sample(
    path: Path,
    kind: str,
    names: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    stored: Mapping[str, Stored],
    *,
    is_whole: bool,
) -> Sample:
    """
    Make a sample of records whose values have types.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    kind : str
        Of file.
    names : tuple of str
        Its columns.
    rows : sequence of mapping
        Column to value.
    stored : mapping
        Column to what the file stores.
    is_whole : bool
        Whether these are all rows.

    Returns
    -------
    Sample
        With all values as text.

    Raises
    ------
    SourceError
        There are no rows.
    """
    if not rows:
        raise SourceError(f"{path.name} has columns and no rows. Save it with its rows, or leave it out.")
    values = tuple(tuple(as_text(row.get(name)) for name in names) for row in rows)
    return Sample(path, kind, names, values, stored, is_whole)


def as_text(value: object) -> str | None:
    """
    Return a stored value as text.

    Parameters
    ----------
    value : object
        Of any type.

    Returns
    -------
    str or None
        Whole numbers without a fraction; None for what is missing or not a number.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)
