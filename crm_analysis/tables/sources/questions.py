"""
Questions put to a database: a table's name, or one query that only reads; and what is said where there is no answer.

Where the database is belongs in :mod:`addresses`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from crm_analysis.errors import ParamsError, SourceError, SourceSchemaError, listed

MAX_NEAR_NAMES = 3
GRACE_SECONDS = 10
_PART = re.compile(r'"(?P<quoted>(?:[^"]|"")+)"|`(?P<ticked>[^`]+)`|(?P<plain>[^."`]+)')
_NOT_SQL = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/""", re.DOTALL
)
_READS = ("select", "with", "values", "table", "from")
_WRITES = re.compile(
    r"^(insert|update|delete|merge|replace|create|drop|alter|truncate|grant|revoke|copy|call|do|set|attach|pragma|load|"
    r"lock|vacuum|analyze|export|import|install|rename|begin|commit|execute|handler)$"
)


@dataclass(frozen=True)
class Asked:
    """
    What is to be read, and how long that may take.

    Attributes
    ----------
    table : str or None
        A table's name, with its schema if it has one.
    query : str or None
        Else one query.
    where : str
        Whose source it is, for messages.
    timeout_seconds : int
        How long the server may take.
    """

    table: str | None
    query: str | None
    where: str
    timeout_seconds: int

    def relation(self, quoted: Callable[[str], str]) -> str:
        """
        Return what stands behind ``FROM``; a query stands in parentheses, where only reading is grammatical.

        Parameters
        ----------
        quoted : callable
            Quotes a name as the database asks.

        Returns
        -------
        str
            Named ``source``.
        """
        if self.table is not None:
            return ".".join(quoted(part) for part in name_parts(self.table)) + " AS source"
        return f"(\n{single_query(self.query or '', where=self.where)}\n) AS source"

    def too_slow(self, server: str) -> SourceError:
        """
        Return the error of a server that took too long.

        Parameters
        ----------
        server : str
            As shown.

        Returns
        -------
        SourceError
            What to do about it.
        """
        return SourceError(
            f"{self.where}: {server} was not done after {self.timeout_seconds} s, and was stopped. "
            "Ask for fewer columns or rows, or raise timeout_seconds."
        )

    def broken_off(self, server: str) -> SourceError:
        """
        Return the error of a server that went away.

        Parameters
        ----------
        server : str
            As shown.

        Returns
        -------
        SourceError
            What to do about it.
        """
        return SourceError(
            f"{self.where}: the connection to {server} broke off while rows were read; nothing of them is used. "
            "See whether the server is up, and run again."
        )


def name_parts(table: str) -> list[str]:
    """
    Return the parts of a table's name.

    Parameters
    ----------
    table : str
        Such as ``sales.invoice_lines``; a part that holds a dot stands in double quotes.

    Returns
    -------
    list of str
        Without quotes.

    Examples
    --------
    >>> name_parts('sales."lines.2024"')
    ['sales', 'lines.2024']
    """
    found = [m["plain"] or m["ticked"] or m["quoted"].replace('""', '"') for m in _PART.finditer(table)]
    return found or [table]


def single_query(query: str, *, where: str) -> str:
    """
    Return a query that is one statement and reads; the server's own refusal stands behind this first look.

    Parameters
    ----------
    query : str
        As written; it may end in a semicolon.
    where : str
        Whose source it is, for messages.

    Returns
    -------
    str
        Without a semicolon at its end.

    Raises
    ------
    ParamsError
        It is empty, several statements, or one that does not read.

    Examples
    --------
    >>> single_query("SELECT ';' AS mark; ", where="Table sales")
    "SELECT ';' AS mark"
    """
    bare = _NOT_SQL.sub(" ", query).strip().rstrip("; \n\t")
    if ";" in bare:
        raise ParamsError(f"{where}: its query is {bare.count(';') + 1} statements. Write one, a SELECT.")
    first = (re.findall(r"\w+", bare) or [""])[0].lower()
    if _WRITES.match(first):
        raise ParamsError(f"{where}: its query begins with {first.upper()}. Only reading is allowed: write a SELECT.")
    if first not in _READS:
        raise ParamsError(f"{where}: its query is not a SELECT. Write one, or name a table instead.")
    return query.strip().rstrip("; \n\t") if query.strip().endswith(";") else query.strip()


def near_names(name: str, known: Iterable[str]) -> str:
    """
    Return the names that are like a name, as a sentence for a message.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.

    Returns
    -------
    str
        At most three, else how many there are.

    Examples
    --------
    >>> near_names("sale.lines", ["sales.lines", "stock"])
    'Near to it: sales.lines.'
    """
    names = {known_name.lower(): known_name for known_name in known}
    if not names:
        return "There is none that this user may read."
    near = get_close_matches(name.lower(), names, n=MAX_NEAR_NAMES, cutoff=0.5)
    if near:
        return f"Near to it: {', '.join(names[match] for match in near)}."
    return (
        f"There are {len(names)}: {', '.join(sorted(names.values())[:MAX_NEAR_NAMES])}{' …' if len(names) > 3 else ''}."
    )


def check_names(names: Iterable[str], *, where: str) -> None:
    """
    Refuse columns that could not be told apart.

    Parameters
    ----------
    names : iterable of str
        The columns, in order.
    where : str
        Whose source it is, for messages.

    Raises
    ------
    SourceSchemaError
        Two have the same name, small and capital letters aside.
    """
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(name.lower(), []).append(name)
    faults = [f"{' and '.join(repr(name) for name in same)}" for same in spellings.values() if len(same) > 1]
    if faults:
        raise SourceSchemaError(
            f"{where}: {len(faults)} column names occur more than once (small and capital letters are the same here):\n"
            f"{listed(faults)}\nWrite a query that names them apart, with AS.",
            faults=faults,
        )
