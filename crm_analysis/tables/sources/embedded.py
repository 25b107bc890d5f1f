"""
Databases that are one file: SQLite through Python's own module, DuckDB through a second connection.

What becomes of the columns belongs in :mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa

from crm_analysis.errors import ParamsError, SourceError
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.references import Secret
from crm_analysis.tables.sources.copies import BATCH_ROWS, Kinds, stopped_after, typed, written
from crm_analysis.tables.sources.questions import Asked, check_names, near_names

_MEMORY_LIMIT = "512MB"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_PLAIN = (*_WHOLE, "BOOLEAN", "FLOAT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR")


def database_file(secret: Secret, *, beside: Path, where: str) -> Path:
    """
    Return the file that an address names.

    Parameters
    ----------
    secret : Secret
        ``sqlite:///relative.db`` or ``sqlite:////absolute.db``; the same with ``duckdb``.
    beside : pathlib.Path
        Where a relative path starts.
    where : str
        Whose source it is, for messages.

    Returns
    -------
    pathlib.Path
        An existing file.

    Raises
    ------
    ParamsError
        The address has no file, or a host.
    SourceError
        There is no such file.
    """
    scheme, _, rest = secret.reveal().partition("://")
    if not rest.startswith("/") or not rest.strip("/") or "?" in rest:
        raise ParamsError(
            f"{where}: its connection names no file. Write {scheme}:///shop.db for a file beside the dataset file, "
            f"or {scheme}:////folder/shop.db; options are not understood."
        )
    path = beside / unquote(rest[1:])
    if not path.is_file():
        found = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        near = near_names(path.name, found) if found else "Its folder is missing or empty."
        raise SourceError(f"{where}: there is no file {path.name!r} where its connection points. {near}")
    return path


def sqlite_relation(
    connection: duckdb.DuckDBPyConnection, file: Path, asked: Asked, *, name: str, scratch: Path
) -> str:
    """
    Copy a table or a query of an SQLite file and return the SQL that reads the copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue, which may read `scratch`.
    file : pathlib.Path
        Opened for reading only.
    asked : Asked
        What to read.
    name : str
        The copy's.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    str
        A query. SQLite types its values, not its columns: a column of whole numbers is BIGINT, one with fractions DOUBLE,
        bytes are hexadecimal digits, and one that mixes numbers and text is text.

    Raises
    ------
    ParamsError
        The query cannot be used.
    SourceError
        The file cannot be read.
    """
    kinds = Kinds()
    _check_whole(file, asked.where)
    with _sqlite(file, asked) as session:
        cursor = session.execute(f"SELECT * FROM {asked.relation(identifier)}")
        names = [column[0] for column in cursor.description]
        check_names(names, where=asked.where)
        schema = pa.schema([(column, pa.string()) for column in names])
        batches = (
            pa.RecordBatch.from_arrays(
                [kinds.texts(column, values) for column, values in zip(names, zip(*rows, strict=True), strict=True)],
                schema=schema,
            )
            for rows in iter(lambda: cursor.fetchmany(BATCH_ROWS), [])
        )
        path = written(batches, schema, scratch / f"{name}.parquet")
    types = kinds.types()
    return typed(connection, [path], {column: types.get(column, ()) for column in names})


def _check_whole(file: Path, where: str) -> None:
    """Refuse a file that is shorter than it says: SQLite reads what is cut off as nothing."""
    with file.open("rb") as opened:
        head = opened.read(100)
    page = int.from_bytes(head[16:18], "big")
    promised = int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page)
    if head.startswith(b"SQLite format 3") and (size := file.stat().st_size) < promised:
        raise SourceError(
            f"{where}: the SQLite file {file.name} is cut off: {size:,} of {promised:,} bytes. Copy it once more."
        )


@contextlib.contextmanager
def _sqlite(file: Path, asked: Asked) -> Iterator[sqlite3.Connection]:
    """Open the file for reading; every error of the driver becomes one of ours."""
    shown = f"the SQLite file {file.name}"
    with contextlib.ExitStack() as stack:
        try:
            session = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, check_same_thread=False)
            stack.enter_context(contextlib.closing(session))
            session.execute("PRAGMA query_only = ON")
            is_late = stack.enter_context(stopped_after(asked.timeout_seconds, session.interrupt))
            yield session
        except sqlite3.Error as error:
            if is_late():
                raise asked.too_slow(shown) from None
            known = _sqlite_tables(session) if asked.table is not None and "no such table" in str(error) else None
            raise _sqlite_failure(error, shown, asked, known) from None


def _sqlite_tables(session: sqlite3.Connection) -> list[str]:
    return [name for (name,) in session.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]


_SQLITE = {
    "SQLITE_NOTADB": "is not an SQLite database, or is encrypted. Name another file.",
    "SQLITE_BUSY": "is locked by another program. Close that, or copy the file.",
    "SQLITE_LOCKED": "is locked by another program. Close that, or copy the file.",
    "SQLITE_CORRUPT": "is damaged. Restore it, or export it anew.",
    "SQLITE_IOERR": "is damaged, or its disk is. Restore it, or export it anew.",
    "SQLITE_CANTOPEN": "may not be opened. See its permissions.",
    "SQLITE_PERM": "may not be opened. See its permissions.",
    "SQLITE_READONLY": "was opened for reading, and its query tries to write. Only read.",
}


def _sqlite_failure(error: sqlite3.Error, shown: str, asked: Asked, known: list[str] | None) -> SourceError:
    """Return what an error of SQLite means; its words are shown only where they are about names."""
    code = "_".join((getattr(error, "sqlite_errorname", None) or "").split("_")[:2])
    if known is not None:
        advice = f"has no table {asked.table!r}. {near_names(asked.table or '', known)}"
    elif "decode" in str(error):
        advice = "holds text that is not UTF-8. Convert it, or leave the column out with a query."
    else:
        advice = _SQLITE.get(code, f"cannot run its query: {error}. Correct it in the dataset file.")
    return SourceError(f"{asked.where}: {shown} {advice}")


def duckdb_relation(
    connection: duckdb.DuckDBPyConnection, file: Path, asked: Asked, *, name: str, scratch: Path
) -> str:
    """
    Copy a table or a query of a DuckDB file and return the SQL that reads the copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue, which may read `scratch`.
    file : pathlib.Path
        Opened for reading only, without access to any other file.
    asked : Asked
        What to read.
    name : str
        The copy's.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    str
        A query. Columns keep their types; lists, structures, intervals, very large whole numbers and the like are text.

    Raises
    ------
    ParamsError
        The query cannot be used.
    SourceError
        The file cannot be read.
    """
    with _duckdb(file, asked, scratch) as session:
        described = session.execute(f"DESCRIBE SELECT * FROM {asked.relation(identifier)}").fetchall()
        check_names([row[0] for row in described], where=asked.where)
        selected = ", ".join(_duckdb_column(column, kind) for column, kind, *_ in described)
        rows: pa.RecordBatchReader = session.sql(
            f"SELECT {selected} FROM {asked.relation(identifier)}"
        ).to_arrow_reader(BATCH_ROWS)
        path = written(rows, rows.schema, scratch / f"{name}.parquet")
    return typed(connection, [path], {row[0]: () for row in described})


def _duckdb_column(name: str, kind: str) -> str:
    """Return a column as it is, or as text where Parquet has no type for it."""
    quoted = identifier(name)
    is_plain = kind in _PLAIN or kind.startswith("DECIMAL(")
    return quoted if is_plain else f"CAST({quoted} AS VARCHAR) AS {quoted}"


@contextlib.contextmanager
def _duckdb(file: Path, asked: Asked, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file for reading, locked down; every error of the engine becomes one of ours."""
    shown = f"the DuckDB file {file.name}"
    config: dict[str, Any] = {
        "memory_limit": _MEMORY_LIMIT,
        "temp_directory": str(scratch / "spill"),
        "threads": 2,
    }
    with contextlib.ExitStack() as stack:
        session = None
        try:
            session = stack.enter_context(duckdb.connect(str(file), read_only=True, config=config))
            session.execute("SET enable_external_access = false")
            session.execute("SET enable_progress_bar = false")
            session.execute("SET TimeZone = 'UTC'")
            session.execute("SET lock_configuration = true")
            stack.enter_context(stopped_after(asked.timeout_seconds, session.interrupt))
            yield session
        except duckdb.InterruptException:
            raise asked.too_slow(shown) from None
        except duckdb.Error as error:
            raise _duckdb_failure(error, shown, asked, session) from None


def _duckdb_failure(
    error: duckdb.Error, shown: str, asked: Asked, session: duckdb.DuckDBPyConnection | None
) -> SourceError:
    told = str(error).splitlines()[0]
    if session is None:
        return SourceError(f"{asked.where}: {shown} {_not_opened(told)}")
    if isinstance(error, duckdb.CatalogException) and asked.table is not None:
        rows: pa.RecordBatchReader = session.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        known = [table if schema == "main" else f"{schema}.{table}" for schema, table in rows]
        return SourceError(f"{asked.where}: {shown} has no table {asked.table!r}. {near_names(asked.table, known)}")
    if isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
        return SourceError(f"{asked.where}: {shown} cannot run its query: {told}. Correct it in the dataset file.")
    if isinstance(error, duckdb.PermissionException):
        return SourceError(f"{asked.where}: its query reads more than {shown}, which is refused. Use its tables only.")
    return SourceError(
        f"{asked.where}: {shown} failed while it was read ({type(error).__name__}); values are not shown. "
        "Run the query there to see them."
    )


def _not_opened(told: str) -> str:
    lowered = told.lower()
    if "lock" in lowered or "different configuration" in lowered:
        return "is locked by another program. Close that, or copy the file."
    if "version" in lowered:
        return f"was written by another version of DuckDB than {duckdb.__version__}. Export it as Parquet there."
    if "permission" in lowered:
        return "may not be opened. See its permissions."
    return "is not a DuckDB database, is encrypted, or is damaged. Name another file, or export it anew."
