"""
The engine under all tables: a DuckDB catalogue on disk, locked down.

What is put into it belongs in :mod:`crm_analysis.tables.sources` and :mod:`crm_analysis.tables.datasets`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

_PREFIX = "crm_analysis_"  # and the process, of private folders
MEMORY_LIMIT = "1GB"  # of the engine; the process around it stays under twice that


@dataclass(frozen=True)
class Catalogue:
    """
    A DuckDB file of one's own, and a folder beside it.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        No extension is installed or loaded by itself, no undeclared file can be opened, settings are locked.
    scratch : pathlib.Path
        A private folder that SQL may read: for what the engine cannot read by itself.
    """

    connection: duckdb.DuckDBPyConnection
    scratch: Path


def open_catalogue(readable: Iterable[Path]) -> Catalogue:
    """
    Open an empty catalogue in a private temporary folder that goes when the connection goes.

    Parameters
    ----------
    readable : iterable of pathlib.Path
        The only files that SQL may read, beside the scratch folder.

    Returns
    -------
    Catalogue
        Its tables may exceed memory.
    """
    folder = private_folder()
    scratch = folder / "scratch"
    scratch.mkdir(mode=0o700)
    connection = duckdb.connect(
        str(folder / "catalogue.duckdb"),
        config={
            "allow_community_extensions": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder / "spill"),
        },
    )
    weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True)
    allowed = ", ".join(literal(str(path)) for path in sorted(set(readable)))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute(f"SET allowed_directories = [{literal(f'{scratch}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET TimeZone = 'UTC'")
    with suppress(duckdb.Error):  # in Jupyter it cannot be set, and there is none
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on standard output
    connection.execute("SET lock_configuration = true")
    return Catalogue(connection, scratch)


def private_folder() -> Path:
    """
    Make a private temporary folder, and remove those of processes that were killed: they hold data in clear.

    Returns
    -------
    pathlib.Path
        With mode 0700; whoever made it removes it.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*_*"):
        owner = folder.name.removeprefix(_PREFIX).partition("_")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}_"))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's
        return True
    return True


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
