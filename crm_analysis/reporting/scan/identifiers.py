"""
What must not be published, where it is, and what is said of a finding.

How it is searched belongs in :mod:`crm_analysis.reporting.scan.search`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

CUSTOMER_ID = "customer id"


@dataclass(frozen=True)
class IdentifierColumn:
    """
    A column of direct identifiers.

    Attributes
    ----------
    label : str
        What a finding is called, such as "customers.email".
    kind : str
        "name", "e-mail", "phone", "address", "birth date"; any other is looked for as a name is.
    query : str
        SQL whose first column is the texts.
    """

    label: str
    kind: str
    query: str


@dataclass(frozen=True)
class IdentifierSource:
    """
    Where the identifiers are that must not be found.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        What the queries run on; only temporary tables are made there.
    columns : sequence of IdentifierColumn
        Direct identifiers.
    ids : str, optional
        SQL whose first column is the customers' clear ids; without it ids are not looked for.
    id_headings : collection of str
        What the source calls the column of customers' ids.
    """

    connection: duckdb.DuckDBPyConnection
    columns: Sequence[IdentifierColumn] = ()
    ids: str | None = None
    id_headings: Collection[str] = ()


@dataclass(frozen=True, order=True)
class Leak:
    """
    Something in a file that must not be published.

    Attributes
    ----------
    file : str
        Relative to the folder.
    what : str
        "a secret", an identifier column's label, "customer id", "unreadable", "a link".
    where : str
        Part of the file, as far as known.
    shown : str
        The finding, masked.
    """

    file: str
    what: str
    where: str
    shown: str


def is_telephone(kind: str) -> bool:
    """
    Return whether a kind of identifier is a telephone number.

    Parameters
    ----------
    kind : str
        Of an identifier column.

    Returns
    -------
    bool
        True for "phone", "telephone", "mobile phone".
    """
    return "phone" in kind


def is_birth_date(kind: str) -> bool:
    """
    Return whether a kind of identifier is a day of birth.

    Parameters
    ----------
    kind : str
        Of an identifier column.

    Returns
    -------
    bool
        True for "birth date" and the like.
    """
    return "birth" in kind


def masked(text: str) -> str:
    """
    Return what may be said of a finding.

    Parameters
    ----------
    text : str
        The finding.

    Returns
    -------
    str
        Its first letter and its length.

    Examples
    --------
    >>> masked("anna@example.com")
    'a… (16 characters)'
    """
    return f"{text[:1]}… ({len(text)} characters)"
