"""
PostgreSQL: a table or a query copied in one read-only transaction.

Rows come through psycopg as ``COPY … TO STDOUT`` and are parsed by Arrow, not through connectorx. Measured with 10 million
rows of seven columns, both straight into a table of the engine: 33 s and a peak of 389 MB against 35 s and 487 MB. Where
its reader pauses, connectorx's stream goes on into memory (700 MB after 12 s of pause, 50 MB more each second), while COPY
waits. COPY also reports a failure as an exception where connectorx panics, and takes every TLS option of libpq, of which
connectorx refuses ``sslmode=verify-full``.

What becomes of the columns belongs in :mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.csv

from crm_analysis.errors import ParamsError, SourceError
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.references import Secret
from crm_analysis.tables.sources.addresses import CONNECT_SECONDS, Address, parsed_address
from crm_analysis.tables.sources.copies import NUMBER, stopped_after, typed, written
from crm_analysis.tables.sources.questions import GRACE_SECONDS, Asked, check_names, near_names

PORT = 5432
_BLOCK_BYTES = 8 << 20
_LAST_READ_SECONDS = 5
_ARROW = {16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64(), 700: pa.float64(), 701: pa.float64()}
_TEXTS = {25, 1043}
_TIMES = {1082: "DATE", 1083: "TIME", 1114: "TIMESTAMP", 1184: "TIMESTAMPTZ"}
_NUMERIC, _MONEY = 1700, 790
_SESSION = ("TimeZone = 'UTC'", "DateStyle = 'ISO'", "IntervalStyle = 'iso_8601'", "bytea_output = 'hex'")
_TLS = ("ssl", "certificate", "tls")
_UNREACHABLE = ("refused", "timeout", "timed out", "translate host", "resolve", "unreachable", "no route", "not known")


def postgres_relation(
    connection: duckdb.DuckDBPyConnection, secret: Secret, asked: Asked, *, name: str, scratch: Path
) -> str:
    """
    Copy a table or a query of PostgreSQL and return the SQL that reads the copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue, which may read `scratch`.
    secret : Secret
        ``postgresql://user:password@host:port/database``; its options are libpq's.
    asked : Asked
        What to read.
    name : str
        The copy's.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    str
        A query. NUMERIC is DECIMAL with all digits, times with a zone are TIMESTAMPTZ, what has no plain type is text.

    Raises
    ------
    ParamsError
        The address or the query cannot be used.
    SourceError
        The server cannot be reached, refuses, or fails on the way.
    """
    address = parsed_address(secret, where=asked.where)
    with _session(address, secret, asked) as session:
        columns = _described(session, asked)
        path = _copied(session, columns, asked, scratch / f"{name}.parquet")
    return typed(connection, [path], {column.name: _tried(column) for column in columns})


@contextlib.contextmanager
def _session(address: Address, secret: Secret, asked: Asked) -> Iterator[psycopg.Connection]:
    """Open one transaction that only reads; every error of the driver becomes one of ours."""
    server = address.shown("PostgreSQL", PORT)
    with contextlib.ExitStack() as stack:
        session = _connected(address, secret, asked.where)
        stack.callback(session.close)
        is_late = stack.enter_context(
            stopped_after(asked.timeout_seconds + GRACE_SECONDS, lambda: _hang_up(session.fileno()))
        )
        try:
            session.read_only = True
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            for setting in (f"statement_timeout = {asked.timeout_seconds * 1000}", *_SESSION):
                session.execute(f"SET LOCAL {setting}".encode())
            yield session
        except psycopg.Error as error:
            if is_late():
                raise asked.too_slow(server) from None
            raise _failure(error, server, secret, asked) from None
        except pa.ArrowInvalid:
            raise SourceError(
                f"{asked.where}: {server} sent a row that is no UTF-8 text or is larger than {_BLOCK_BYTES >> 20} MB. "
                "Leave the column out with a query, or convert it there."
            ) from None


def _hang_up(descriptor: int) -> None:
    """Close the line under a driver that waits."""
    with socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _connected(address: Address, secret: Secret, where: str) -> psycopg.Connection:
    """Return a connection, or tell why there is none."""
    given: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password,
    }
    given |= {"dbname": address.database, "client_encoding": "UTF8", "application_name": "crm-analysis"}
    given = {option: value for option, value in given.items() if value not in {"", None}}
    patience = {"connect_timeout": str(CONNECT_SECONDS), "keepalives_idle": "30", "keepalives_count": "4"}
    try:
        return psycopg.connect("", **patience | given | dict(address.options))
    except psycopg.OperationalError as error:
        raise _no_connection(error, address, secret, where) from None
    except psycopg.Error as error:
        told = secret.scrubbed(str(error).strip())
        raise ParamsError(f"{where}: its connection has an option that is not understood: {told}.") from None


def _no_connection(error: psycopg.Error, address: Address, secret: Secret, where: str) -> SourceError:
    server, told = address.shown("PostgreSQL", PORT), str(error).lower()
    if "password" in told or "authentication" in told:
        advice = f"refuses user {address.user!r} with this password. See the variable that the connection refers to."
    elif "database" in told and "does not exist" in told:
        advice = f"has no database {address.database!r}. See the end of the connection's address."
    elif "role" in told and "does not exist" in told:
        advice = f"has no user {address.user!r}. See the variable that the connection refers to."
    elif any(word in told for word in _UNREACHABLE):
        advice = f"cannot be reached within {CONNECT_SECONDS} s. See host and port, and whether the server is up."
    elif any(word in told for word in _TLS):
        advice = "and this side do not agree on TLS. See sslmode and sslrootcert in the connection's address."
    else:
        advice = f"cannot be connected to: {secret.scrubbed(' '.join(str(error).split()))}"
    return SourceError(f"{where}: {server} {advice}")


def _described(session: psycopg.Connection, asked: Asked) -> list[psycopg.Column]:
    """Return the columns; prepared, so that the server itself refuses anything but one statement."""
    try:
        with session.transaction():
            shape = session.execute(f"SELECT * FROM {asked.relation(identifier)} LIMIT 0".encode(), prepare=True)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        if asked.table is None:
            raise
        rows = session.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        known = [name if schema == "public" else f"{schema}.{name}" for schema, name in rows if schema not in _SYSTEM]
        near = near_names(asked.table, known)
        raise SourceError(f"{asked.where}: the database has no table {asked.table!r}. {near}") from None
    columns = list(shape.description or ())
    if not columns:
        raise SourceError(f"{asked.where}: the source has no columns. Name others with a query.")
    check_names([column.name for column in columns], where=asked.where)
    return columns


_SYSTEM = ("pg_catalog", "information_schema")


def _copied(session: psycopg.Connection, columns: Sequence[psycopg.Column], asked: Asked, path: Path) -> Path:
    """Write the rows as Parquet while they come."""
    selected = ", ".join(_selected(column) for column in columns)
    statement = f"COPY (SELECT {selected} FROM {asked.relation(identifier)}) TO STDOUT (FORMAT csv)"
    schema = pa.schema([(column.name, _ARROW.get(column.type_code, pa.string())) for column in columns])
    with session.cursor() as cursor, cursor.copy(statement.encode()) as copy, contextlib.closing(_Rows(copy)) as rows:
        return written(_batches(rows, schema) if rows.any() else (), schema, path)


def _selected(column: psycopg.Column) -> str:
    """Return a column as the server is to send it: text, unless it is text or a plain number anyway."""
    name = identifier(column.name)
    if column.type_code in _ARROW or column.type_code in _TEXTS:
        return name
    through = f"CAST({name} AS numeric)" if column.type_code == _MONEY else name
    return f"CAST({through} AS text)"


def _tried(column: psycopg.Column) -> tuple[str, ...]:
    """Return the types in which a column that came as text is to be read."""
    precision, scale = column.precision, column.scale
    if column.type_code == _NUMERIC and precision and scale is not None and 0 <= scale <= precision <= 38:
        return (f"DECIMAL({precision}, {scale})",)
    if column.type_code in {_NUMERIC, _MONEY}:
        return (NUMBER,)
    return (_TIMES[column.type_code],) if column.type_code in _TIMES else ()


class _Rows(io.RawIOBase):
    """
    What the server sends, as a file that Arrow reads, in a thread of its own.

    An error of the server ends the file there, and is raised where the rows are used; once the file is closed, that thread finds
    nothing more to wait for. Else it would still be at it when the interpreter ends, which then aborts or hangs.
    """

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy, self._rest = copy, b""
        self._failure: BaseException | None = None
        self._is_over, self._busy = False, threading.Lock()

    def any(self) -> bool:
        """Return whether there is a row."""
        self._rest = bytes(self._copy.read())
        return bool(self._rest)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes, none at the end."""
        with self._busy:
            try:
                return b"" if self._is_over else self._block(size)
            except BaseException as error:  # noqa: BLE001 - in a thread of Arrow, which has no use for it
                self._failure, self._is_over = error, True
                return b""

    def _block(self, size: int) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while length < size and not self._is_over and (block := self._copy.read()):
            parts.append(bytes(block))
            length += len(block)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]

    def check(self) -> None:
        """Raise what went wrong while rows came."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End it for whoever still reads, and wait a moment for the last read."""
        self._is_over = True
        if self._busy.acquire(timeout=_LAST_READ_SECONDS):
            self._busy.release()
        super().close()


def _batches(rows: _Rows, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Parse the rows; an empty text is quoted, a missing value is not."""
    try:
        yield from _parsed(rows, schema)
    except pa.ArrowInvalid:
        rows.check()  # a row that broke off
        raise
    rows.check()


def _parsed(rows: _Rows, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Let Arrow parse the rows."""
    with pyarrow.csv.open_csv(
        rows,
        read_options=pyarrow.csv.ReadOptions(column_names=schema.names, block_size=_BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    ) as reader:
        yield from reader


def _failure(error: psycopg.Error, server: str, secret: Secret, asked: Asked) -> SourceError:
    """Return what a failed statement means; the server's words are shown only where they are about names."""
    state, told = error.sqlstate or "", secret.scrubbed(error.diag.message_primary or "")
    if state == "57014":
        return asked.too_slow(server)
    if state in {"25006", "0A000"} and ("read-only" in told or "data-modifying" in told):
        return SourceError(f"{asked.where}: its query tries to write, which {server} was told to refuse. Only read.")
    if state == "42501":
        return SourceError(f"{asked.where}: {server} does not let this user read it ({told}). Ask for the right to.")
    if state.startswith("42"):
        return SourceError(f"{asked.where}: {server} cannot run its query: {told}. Correct it in the dataset file.")
    if not state or state.startswith(("08", "57P", "58")):
        return asked.broken_off(server)
    return SourceError(
        f"{asked.where}: {server} failed while it read ({type(error).__name__}, {state}); values are not shown. "
        "Run the query there to see them."
    )
