"""
The line with the column names: which one it is, and whether it is one.

What the names mean belongs in :mod:`crm_analysis.tables.drafting.matching`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from crm_analysis.errors import SourceError

_PROBED_ROWS, _MAX_ABOVE = 100, 20


def header_place(rows: Sequence[Sequence[object]]) -> int:
    """
    Return the place of the row with the column names: the first that is about as wide as most.

    Parameters
    ----------
    rows : sequence of sequence
        Fields by row, from the top.

    Returns
    -------
    int
        0 for the first row.

    Examples
    --------
    >>> header_place([["Sales 2024"], [], ["id", "day", "amount"], ["1", "2", "3"]])
    2
    """
    widths = [sum(value not in {None, ""} for value in row) for row in rows[:_PROBED_ROWS]]
    usual = Counter(width for width in widths if width > 1).most_common(1)
    least = usual[0][0] / 2 if usual else 1
    return next((place for place, width in enumerate(widths[:_MAX_ABOVE]) if width > least or (not usual and width)), 0)


def above_doubts(path: Path, count: int) -> list[str]:
    """
    Say that there are lines above the column names.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    count : int
        Lines.

    Returns
    -------
    list of str
        A sentence, or nothing.
    """
    if not count:
        return []
    return [f"{path.name}: the column names are taken from line {count + 1}; look whether those above it matter."]


def unnamed_doubts(path: Path, names: Collection[str]) -> list[str]:
    """
    Say that columns have no name.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    names : collection of str
        The names made up for them.

    Returns
    -------
    list of str
        A sentence, or nothing.
    """
    if not names:
        return []
    return [
        f"{path.name}: {len(names)} of its columns have no name and are left out; name them in the file to use them."
    ]


def checked_header(path: Path, rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], frozenset[str]]:
    """
    Return the column names, made up where there is none.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    rows : sequence of sequence of str
        From the line with the names on.

    Returns
    -------
    tuple of str
        The names.
    frozenset of str
        Those that are made up.

    Raises
    ------
    SourceError
        The first line holds values rather than names, or a name twice, or there are no rows.
    """
    if not rows:
        raise SourceError(f"{path.name} holds no line with text. Save it again, or leave it out.")
    names, body = [name.strip() for name in rows[0]], rows[1:51]  # the reader takes spaces off as well
    if not body:
        raise SourceError(f"{path.name} has column names and no rows. Save it with its rows, or leave it out.")
    is_data = [_is_value(name) for name in names]
    again = bool(names[0]) and sum(row[:1] == rows[0][:1] for row in body) > 0
    if sum(is_data) >= max(1, len(names) / 4) or again:
        raise SourceError(
            f"{path.name} has no line of column names: {sum(is_data) or 1} of the {len(names)} fields of its first line are values like "
            "those below. Add a first line that names the columns."
        )
    _refuse_twins(path, names)
    unnamed = {place: f"(column {place + 1})" for place, name in enumerate(names) if not name}
    return tuple(unnamed.get(place, name) for place, name in enumerate(names)), frozenset(unnamed.values())


def _is_value(text: str) -> bool:
    """Say whether a field of the first line is a number or a time rather than a name."""
    digits = sum(char.isdigit() for char in text)
    return (
        digits > 0 and not any(char.isalpha() for char in text.replace("T", "").replace("Z", "")) and not text.isspace()
    )


def _refuse_twins(path: Path, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise SourceError(
            f"{path.name} names {len(twice)} of its {len(names)} columns twice: {twice[:5]}. Give each column a name of its own.",
            faults=twice,
        )
