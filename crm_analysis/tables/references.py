"""
References to the environment in files written by people, and secrets that never reach an output.

Which keys of a dataset file hold references belongs in :mod:`crm_analysis.tables.dataset_file`.
"""

from __future__ import annotations

import json
import os
import re
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from crm_analysis.errors import CRMAnalysisError, ParamsError

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

_REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")
HIDDEN = "[hidden]"


class Secret:
    """
    A text that may be used and never shown: an address with its password, or a key.

    Parameters
    ----------
    value : str
        The text.
    parts : iterable of str
        What of it is secret by itself, such as the password; default: all of it.

    Examples
    --------
    >>> address = secret_address("postgresql://ann:p%40ss@db.example/crm")
    >>> address
    Secret([hidden])
    >>> address.scrubbed("password p@ss refused by db.example")
    'password [hidden] refused by db.example'
    """

    def __init__(self, value: str, *, parts: Iterable[str] = ()) -> None:
        kept = tuple(part for part in parts if part) or (value,)
        self._kept = lambda: (
            value,
            kept,
        )  # not in an attribute, so that whoever lists an object's attributes sees none

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")

    def reveal(self) -> str:
        """
        Return the text, for the one call that needs it.

        Returns
        -------
        str
            Never to be put into a message.
        """
        return self._kept()[0]

    def spellings(self) -> tuple[str, ...]:
        """
        Return every way the secret may be written: as it is, percent-encoded and decoded, escaped; longest first.

        Returns
        -------
        tuple of str
            What a text is searched for.
        """
        value, parts = self._kept()
        clear = {text for given in (value, *parts) for text in (given, unquote(given))}
        written = {spelt(text) for text in clear for spelt in _SPELT}
        return tuple(sorted((text for text in written if text), key=len, reverse=True))

    def fragments(self) -> tuple[str, ...]:
        """
        Return begins and ends that give the secret away where a text was cut in its middle, as tracebacks and tables do.

        Returns
        -------
        tuple of str
            Of what is secret by itself and longer than twelve characters; long and odd enough to be found by chance nowhere.

        Examples
        --------
        >>> Secret("tr0ub4dor-and-3").fragments()
        ('or-and-3', 'tr0ub4do')
        """
        parts = [text for text in map(unquote, self._kept()[1]) if len(text) > _MIN_CUT]
        return tuple(sorted({_telling(text) for text in parts} | {_telling(text[::-1])[::-1] for text in parts}))

    def scrubbed(self, text: str) -> str:
        """
        Return a text without the secret.

        Parameters
        ----------
        text : str
            Such as a driver's message.

        Returns
        -------
        str
            Each spelling replaced by ``[hidden]``.
        """
        for spelling in self.spellings():
            text = text.replace(spelling, HIDDEN)
        return text


def _telling(text: str) -> str:
    """Return the shortest begin of a text that has letters and digits; where there is none, two thirds of it."""
    for length in range(_MIN_TELLING, len(text)):
        begin = text[:length]
        if re.search(r"[^\W\d_]", begin) and re.search(r"\d", begin):
            return begin
    return text[: max(_MIN_CUT, 2 * len(text) // 3)]


_MIN_TELLING, _MIN_CUT = 8, 12
_SPELT = (
    str,
    lambda text: quote(text, errors="surrogateescape"),
    lambda text: quote(text, safe="", errors="surrogateescape"),
    lambda text: quote_plus(text, errors="surrogateescape"),
    lambda text: repr(text)[1:-1],
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
)


def discreet(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """
    Let the errors of a function out without the calls they came through and the errors they were made from.

    Parameters
    ----------
    function : callable
        Its own variables, or those of a driver, hold a secret in the clear.

    Returns
    -------
    callable
        The same; whatever prints the variables of a traceback finds none of it. An error that is not one of ours tells in a
        note the lines that it came through.
    """

    @wraps(function)
    def guarded(*given: Given.args, **named: Given.kwargs) -> Returned:  # numpydoc ignore=PR01
        """Do the same."""
        try:
            return function(*given, **named)
        except BaseException as error:  # noqa: BLE001 - also of an interrupted kernel; it is raised again
            if not isinstance(error, CRMAnalysisError):
                error.add_note("".join(traceback.format_tb(error.__traceback__)))
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None) from None

    return guarded


def secret_address(url: str) -> Secret:
    """
    Return a connection's address as a secret.

    Parameters
    ----------
    url : str
        Such as ``postgresql://user:password@host/database``.

    Returns
    -------
    Secret
        Its password and what its options hide (``…password=``, ``…token=``) are secret by themselves; the whole address too.
    """
    try:
        address = urlsplit(url)
        password = address.password or ""
        options = parse_qsl(address.query)
    except ValueError:
        return Secret(url)
    named = [value for name, value in options if re.search(r"pass|pwd|secret|token|key$", name, re.IGNORECASE)]
    return Secret(url, parts=(password, *named))


def expanded(text: str, *, where: str) -> str:
    """
    Replace ``${NAME}`` and ``${NAME:-default}`` by the environment's values.

    Parameters
    ----------
    text : str
        As written in a file.
    where : str
        The file's name, for the message.

    Returns
    -------
    str
        Without references.

    Raises
    ------
    ParamsError
        A variable without a default is not set; its value never stands in a message.

    Examples
    --------
    >>> expanded("${CRM_NOT_SET_ANYWHERE:-data}/sales.csv", where="shop.yaml")
    'data/sales.csv'
    """
    unset = [m["name"] for m in _REFERENCE.finditer(text) if m["default"] is None and m["name"] not in os.environ]
    if unset:
        names = ", ".join(f"${name}" for name in dict.fromkeys(unset))
        raise ParamsError(f"{where} refers to {names}, which the environment does not set. Set it, or write a default.")
    return _REFERENCE.sub(lambda m: os.environ.get(m["name"], m["default"] or ""), text)
