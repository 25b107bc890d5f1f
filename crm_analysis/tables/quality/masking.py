"""
Values from data in messages: their shape stays visible, the value does not.

Taking personal data out of tables belongs in :mod:`crm_analysis.tables.privacy`.
"""

from __future__ import annotations

import re

MAX_SHOWN = 30
DOT = "•"

_EMAIL = re.compile(r"^\s*(?P<first>[^@\s])[^@\s]*@\S+\s*$")
_RUN = re.compile(r"(?P<letters>[^\W\d_]+)|(?P<digits>\d+)")


def masked(value: str) -> str:
    """
    Return a value with the first of each run of letters or digits and dots for the rest.

    Parameters
    ----------
    value : str
        As it stands in the data.

    Returns
    -------
    str
        At most 30 characters; nothing that a terminal would act upon.

    Examples
    --------
    >>> masked("31/02/2024 10:30"), masked("ten"), masked("ann@example.org")
    ('3•/0•/2••• 1•:3•', 't••', 'a••@•••')
    """
    email = _EMAIL.match(value)
    text = (
        f"{email['first']}{DOT * 2}@{DOT * 3}"
        if email
        else _RUN.sub(lambda run: run[0][0] + DOT * (len(run[0]) - 1), value)
    )
    return _cut(printable(text))


def printable(text: str) -> str:
    """
    Return a text without line breaks and control characters.

    Parameters
    ----------
    text : str
        From data or from a file.

    Returns
    -------
    str
        One line, a middle dot for each character that is not printable.

    Examples
    --------
    >>> printable("a\\x1b[31mb")
    'a·[31mb'
    """
    return "".join(sign if sign.isprintable() else "·" for sign in text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
