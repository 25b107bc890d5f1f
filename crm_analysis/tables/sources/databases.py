"""
Databases by their address: each copied once, whatever server or file it is.

How one is spoken to belongs in the modules beside this one; what becomes of its columns in :mod:`landing`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import duckdb

from crm_analysis.errors import ParamsError, SourceError
from crm_analysis.tables.references import Secret, discreet
from crm_analysis.tables.sources.embedded import database_file, duckdb_relation, sqlite_relation
from crm_analysis.tables.sources.questions import Asked

_SERVERS = {
    "postgresql": ("postgres", "postgres_relation"),
    "postgres": ("postgres", "postgres_relation"),
    "mysql": ("mysql", "mysql_relation"),
    "mariadb": ("mysql", "mysql_relation"),
    "mongodb": ("documents", "document_relation"),
    "mongodb+srv": ("documents", "document_relation"),
}
_FILES = {"sqlite": sqlite_relation, "duckdb": duckdb_relation}


@discreet
def database_relation(
    connection: duckdb.DuckDBPyConnection,
    address: Secret,
    *,
    table: str | None,
    query: str | None,
    name: str,
    scratch: Path,
    beside: Path,
    where: str,
    timeout_seconds: int,
) -> str:
    """
    Copy a table or a query of a database and return the SQL that reads the copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue, which may read `scratch`.
    address : Secret
        ``duckdb:///file``, ``sqlite:///file``, ``postgresql://…``, ``mysql://…``, ``mariadb://…`` or ``mongodb://…``.
    table : str or None
        A table, with its schema if it has one; for MongoDB a collection.
    query : str or None
        Else one SELECT that the database runs. For MongoDB it is SQL over the flattened documents of the collection
        `table`, which the caller runs on what is returned.
    name : str
        Safe and unique: the copy's.
    scratch : pathlib.Path
        A private folder; the copy stays there until the caller takes it away.
    beside : pathlib.Path
        Where the relative path of a file starts.
    where : str
        Such as ``Table transactions of shop.yaml``, for messages.
    timeout_seconds : int
        How long the database may take.

    Returns
    -------
    str
        A query, to stand in ``FROM (…)``; it may be run more than once and never asks the database again.

    Raises
    ------
    ParamsError
        The address, the table or the query cannot be used.
    SourceError
        The database cannot be reached, refuses, is too slow, or fails on the way; no copy is left then.

    Notes
    -----
    Databases are asked to refuse writing, in the session or by how the file is opened. No message, and no error that it was made
    from, shows the address or its password; nor do the variables of the calls that an error came through.
    """
    scheme = address.reveal().partition("://")[0].lower()
    if scheme not in _SERVERS and scheme not in _FILES:
        known = ", ".join(sorted({*_SERVERS, *_FILES}))
        raise ParamsError(f"{where}: its connection begins with no scheme that is known. Known are {known}.")
    _check_asked(table, query, is_document=scheme.startswith("mongodb"), where=where)
    asked = Asked(table, query, where, timeout_seconds)
    if scheme in _SERVERS:
        read = _reader(*_SERVERS[scheme], where=where)
        return read(connection, address, asked, name=name, scratch=scratch)
    file = database_file(address, beside=beside, where=where)
    return _FILES[scheme](connection, file, asked, name=name, scratch=scratch)


def _reader(module: str, function: str, *, where: str) -> Callable[..., str]:
    """Return what speaks to a server; its driver is loaded when it is needed, and may be missing."""
    try:
        found: Callable[..., str] = getattr(import_module(f"crm_analysis.tables.sources.{module}"), function)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{where}: the package {error.name!r} is not installed. Install it with: pip install 'crm-analysis[databases]'"
        ) from None
    return found


def _check_asked(table: str | None, query: str | None, *, is_document: bool, where: str) -> None:
    """Refuse what names too little or too much."""
    if is_document and not table:
        raise ParamsError(f"{where}: it names no collection. Write it as table; a query is SQL over its documents.")
    if not is_document and bool(table) == bool(query):
        given = "both a table and a query" if table else "neither a table nor a query"
        raise ParamsError(f"{where}: it names {given}. Name one of them.")
