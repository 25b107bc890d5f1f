"""
Lines of YAML with their comments in one column.

Which lines there are belongs in :mod:`crm_analysis.tables.drafting.draft`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

_COMMENT_AT = 44  # comments stand no further right, unless their line is longer
_WIDTH = 110
_INDENT = "  "


@dataclass(frozen=True)
class Entry:
    """
    A line: ``name: value  # comment``.

    Attributes
    ----------
    depth : int
        Steps of indentation.
    name : str or None
        The key; None for a line that is only its value.
    value : str
        YAML.
    comment : str
        Without its sign; may be empty.
    """

    depth: int
    name: str | None
    value: str
    comment: str = ""

    @property
    def code(self) -> str:
        """The line without its comment."""
        text = self.value if self.name is None else f"{self.name}: {self.value}".rstrip()
        return (_INDENT * self.depth + text).rstrip()


def laid_out(entries: Sequence[Entry]) -> str:
    """
    Return lines with their comments in one column.

    Parameters
    ----------
    entries : sequence of Entry
        The lines.

    Returns
    -------
    str
        Without a line break at the end.

    Examples
    --------
    >>> print(laid_out([Entry(0, "currency", "EUR", "unsure"), Entry(0, "timezone", "UTC", "sure")]))
    currency: EUR  # unsure
    timezone: UTC  # sure
    """
    fitting = [entry for entry in entries if entry.comment and _fits(entry)]
    at = min(max((len(entry.code) for entry in fitting), default=0), _COMMENT_AT)
    return "\n".join(line for entry in entries for line in _lines(entry, at))


def _fits(entry: Entry) -> bool:
    return len(entry.code) + len(entry.comment) < _WIDTH - 4 and len(entry.code) <= _COMMENT_AT + 8


def _lines(entry: Entry, at: int) -> list[str]:
    """Return a line with its comment behind it, or above it where it is too long."""
    comment = one_line(entry.comment)
    if comment and _fits(entry) and max(at, len(entry.code)) + len(comment) < _WIDTH - 4:
        return [f"{entry.code:<{at}}  # {comment}"]
    margin = _INDENT * entry.depth
    above = textwrap.wrap(comment, _WIDTH - len(margin), initial_indent=f"{margin}# ", subsequent_indent=f"{margin}# ")
    return [*above, entry.code]


def remark(depth: int, text: str) -> list[Entry]:
    """
    Return a comment by itself, over as many lines as it needs.

    Parameters
    ----------
    depth : int
        Steps of indentation.
    text : str
        Without its sign.

    Returns
    -------
    list of Entry
        One a line.
    """
    lines = textwrap.wrap(one_line(text), _WIDTH - len(_INDENT * depth) - 2, break_long_words=False)
    return [Entry(depth, None, f"# {line}") for line in lines]


def block(depth: int, text: str) -> list[Entry]:
    """
    Return a text of several lines, as it follows ``|-``.

    Parameters
    ----------
    depth : int
        Steps of indentation.
    text : str
        Lines.

    Returns
    -------
    list of Entry
        One a line.
    """
    return [Entry(depth, None, line) for line in text.split("\n")]


def scalar(value: object, *, quoted: bool = False) -> str:
    """
    Return a value as YAML on one line.

    Parameters
    ----------
    value : object
        A text or a number.
    quoted : bool, default False
        Whether a text stands in double quotes in any case.

    Returns
    -------
    str
        Read back, it is the value.

    Examples
    --------
    >>> scalar("Customer ID"), scalar("no"), scalar("%d/%m/%Y", quoted=True)
    ('Customer ID', "'no'", '"%d/%m/%Y"')
    """
    style = '"' if quoted and isinstance(value, str) else None
    written = yaml.safe_dump(value, allow_unicode=True, width=10**9, default_style=style)
    return written.strip().removesuffix("...").strip()


def one_line(text: str) -> str:
    """
    Return a text fit for a comment: printable, on one line.

    Parameters
    ----------
    text : str
        Perhaps with names that came from data.

    Returns
    -------
    str
        Characters that do not print are replaced.

    Examples
    --------
    >>> one_line("a\\nb")
    'a b'
    """
    return "".join(char if char.isprintable() else "?" for char in re.sub(r"\s+", " ", text))
