"""
The engine under all tables: a DuckDB catalogue on disk, locked down.

What is put into it belongs in :mod:`crm_analysis.tables.sources` and :mod:`crm_analysis.tables.datasets`.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

import duckdb

MEMORY_LIMIT = "2GB"


def open_catalogue(readable: Iterable[Path]) -> duckdb.DuckDBPyConnection:
    """
    Open an empty catalogue in a private temporary folder that goes when the connection goes.

    Parameters
    ----------
    readable : iterable of pathlib.Path
        The only files that SQL may read.

    Returns
    -------
    duckdb.DuckDBPyConnection
        No extension is installed or loaded by itself, no other file can be opened, settings are locked.
    """
    folder = tempfile.mkdtemp(prefix="crm_analysis_")  # mode 0700
    connection = duckdb.connect(
        f"{folder}/catalogue.duckdb",
        config={
            "allow_community_extensions": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": f"{folder}/spill",
        },
    )
    weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True)
    allowed = ", ".join(literal(str(path)) for path in sorted(set(readable)))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    return connection


def identifier(name: str) -> str:
    """
    Return a name quoted for SQL.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        In double quotes, those inside doubled.

    Examples
    --------
    >>> identifier('12" plate')
    '"12"" plate"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """
    Return a text quoted as an SQL string.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        In single quotes, those inside doubled.

    Examples
    --------
    >>> literal("O'Brien")
    "'O''Brien'"
    """
    return "'" + text.replace("'", "''") + "'"
