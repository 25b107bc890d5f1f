"""
MySQL and MariaDB: looked at with pymysql, then copied by connectorx.

connectorx runs in a process of its own (:mod:`mysql_transfer`). Measured with a million rows of seven columns: 2.7 s against 16 s
with pymysql's server-side cursor. Its stream goes on into memory where the reader pauses, so rows are put down as they come,
which is faster than any server sends them; what goes wrong in it is a panic that prints the server's words, so nobody
hears the process but this module; and a server that falls silent is left by ending the process.

What becomes of the columns belongs in :mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import duckdb
import pymysql
from pymysql.constants import CLIENT, CR, ER, FIELD_TYPE

from crm_analysis.errors import ParamsError, SourceError
from crm_analysis.tables.references import Secret
from crm_analysis.tables.sources.addresses import CONNECT_SECONDS, Address, parsed_address
from crm_analysis.tables.sources.copies import NUMBER, typed
from crm_analysis.tables.sources.questions import GRACE_SECONDS, Asked, check_names, near_names

PORT = 3306
_OPTIONS = ("ssl-mode", "sslmode", "ssl-ca")
_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_SMALL = {FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR}
_FLOATS = {FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE}
_DECIMALS = {FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL}
_TIMES = {
    FIELD_TYPE.DATE: "DATE",
    FIELD_TYPE.TIME: "TIME",
    FIELD_TYPE.DATETIME: "TIMESTAMP",
    FIELD_TYPE.TIMESTAMP: "TIMESTAMPTZ",
}
_READ_ONLY = 1792
_TOO_SLOW = {ER.QUERY_INTERRUPTED, 1969, 3024}
_CODE = re.compile(r"ERROR (\d{4})")

Column = tuple[str, int]


@dataclass(frozen=True)
class _Looked:
    """What the look at the server found: the columns, what a session begins with, and whether TLS is to be had."""

    columns: Sequence[Column]
    settings: Sequence[str]
    mode: str


def mysql_relation(
    connection: duckdb.DuckDBPyConnection, secret: Secret, asked: Asked, *, name: str, scratch: Path
) -> str:
    """
    Copy a table or a query of MySQL or MariaDB and return the SQL that reads the copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue, which may read `scratch`.
    secret : Secret
        ``mysql://user:password@host:port/database``; options are ``ssl-mode`` (DISABLED, PREFERRED, which is the
        default, REQUIRED, VERIFY_CA, VERIFY_IDENTITY) and ``ssl-ca``.
    asked : Asked
        What to read.
    name : str
        The copy's.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    str
        A query. DECIMAL keeps all digits, TIMESTAMP is TIMESTAMPTZ, bytes are hexadecimal digits; a column with a date such
        as 0000-00-00 stays text.

    Raises
    ------
    ParamsError
        The address or the query cannot be used.
    SourceError
        The server cannot be reached, refuses, or fails on the way.
    """
    address = parsed_address(secret, where=asked.where, options=_OPTIONS)
    looked = _look(address, secret, asked)
    path = _transferred(address, looked, asked, scratch / f"{name}.parquet")
    return typed(connection, [path], {column: _tried(kind) for column, kind in looked.columns})


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _mode(address: Address, where: str) -> str:
    """Return how much TLS is asked for."""
    given = address.options.get("ssl-mode", address.options.get("sslmode", "PREFERRED"))
    mode = given.strip().upper().replace("-", "_")
    if mode not in _MODES:
        raise ParamsError(f"{where}: the ssl-mode of its connection is not known. Write one of {', '.join(_MODES)}.")
    return mode


def _tls(mode: str, authority: str | None) -> dict[str, object]:
    """Return the same for pymysql."""
    if mode in {"DISABLED", "PREFERRED"}:
        return {"ssl_disabled": True} if mode == "DISABLED" else {}
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates that MySQL makes for itself do not keep to it
    context.check_hostname = mode == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_NONE if mode == "REQUIRED" else ssl.CERT_REQUIRED
    return {"ssl": context}


def _look(address: Address, secret: Secret, asked: Asked) -> _Looked:
    """Connect once, see what is there, and find out what the server understands."""
    mode = _mode(address, asked.where)
    with _session(address, secret, asked, mode) as session:
        settings = _settings(session, asked.timeout_seconds)
        with session.cursor() as cursor:
            for setting in settings:
                cursor.execute(setting)
            columns = _described(cursor, address, asked)
        if mode == "PREFERRED":
            mode = "REQUIRED" if session.server_capabilities & CLIENT.SSL else "DISABLED"
    check_names([name for name, _ in columns], where=asked.where)
    return _Looked(columns, settings, mode)


@contextlib.contextmanager
def _session(address: Address, secret: Secret, asked: Asked, mode: str) -> Iterator[pymysql.Connection]:
    """Connect; every error of the driver becomes one of ours."""
    given = {"host": address.host or "localhost", "port": address.port or PORT, "database": address.database or None}
    given |= {"user": address.user, "password": address.password.encode(), "charset": "utf8mb4"}
    patience = {"connect_timeout": CONNECT_SECONDS, "read_timeout": asked.timeout_seconds + GRACE_SECONDS}
    try:
        with pymysql.connect(**given, **patience, **_tls(mode, address.options.get("ssl-ca"))) as session:
            yield session
    except pymysql.Error as error:
        code, told = (*error.args, "", "")[:2]
        raise _failure(code, secret.scrubbed(str(told)), address, asked) from None
    except (OSError, ssl.SSLError):
        raise SourceError(
            f"{asked.where}: the file that ssl-ca of its connection names cannot be read. Name one with certificates."
        ) from None


def _settings(session: pymysql.Connection, timeout_seconds: int) -> list[str]:
    """Return what a session begins with: UTC, reading only, a time-out in the server's own dialect."""
    is_mariadb = "mariadb" in session.get_server_info().lower()
    limit = (
        f"max_statement_time = {timeout_seconds}" if is_mariadb else f"max_execution_time = {timeout_seconds * 1000}"
    )
    return [f"SET SESSION {limit}", "SET SESSION time_zone = '+00:00'", "SET SESSION TRANSACTION READ ONLY"]


def _described(cursor: pymysql.cursors.Cursor, address: Address, asked: Asked) -> list[Column]:
    """Return names and types; pymysql sends one statement only, so that the server refuses several."""
    try:
        cursor.execute(f"SELECT * FROM {asked.relation(_quoted)} LIMIT 0")
    except pymysql.Error as error:
        if asked.table is None or error.args[0] not in {ER.NO_SUCH_TABLE, ER.BAD_DB_ERROR}:
            raise
        cursor.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type <> 'SYSTEM VIEW'"
        )
        known = [table if schema == address.database else f"{schema}.{table}" for schema, table in cursor.fetchall()]
        near = near_names(asked.table, known)
        raise SourceError(f"{asked.where}: the database has no table {asked.table!r}. {near}") from None
    return [(column[0], column[1]) for column in cursor.description]


def _selected(column: Column) -> str:
    """Return a column as the server is to send it: floating point as it is, all else as text."""
    name, kind = column
    quoted = _quoted(name)
    if kind in _FLOATS:
        return f"CAST({quoted} AS DOUBLE) AS {quoted}" if kind == FIELD_TYPE.DOUBLE else f"{quoted} + 0e0 AS {quoted}"
    if kind == FIELD_TYPE.BIT:
        text = f"CONVERT(CAST({quoted} AS UNSIGNED) USING utf8mb4)"
    elif kind == FIELD_TYPE.GEOMETRY:
        text = f"ST_AsText({quoted})"
    elif kind == FIELD_TYPE.TIMESTAMP:
        text = f"CONCAT(CONVERT({quoted} USING utf8mb4), '+00')"
    elif kind in _SMALL or kind in _DECIMALS or kind in _TIMES:
        text = f"CONVERT({quoted} USING utf8mb4)"
    else:
        text = f"IF(CHARSET({quoted}) = 'binary', HEX({quoted}), CONVERT({quoted} USING utf8mb4))"
    return f"{text} AS {quoted}"


def _tried(kind: int) -> tuple[str, ...]:
    """Return the types in which a column that came as text is to be read."""
    if kind in _SMALL or kind == FIELD_TYPE.BIT:
        return ("BIGINT", NUMBER)
    if kind in _DECIMALS:
        return (NUMBER,)
    return (_TIMES[kind],) if kind in _TIMES else ()


def _transferred(address: Address, looked: _Looked, asked: Asked, path: Path) -> Path:
    """Let the other process copy the rows, and wait for it as long as was agreed."""
    selected = ", ".join(_selected(column) for column in looked.columns)
    order = {
        "address": _for_connectorx(address, looked.mode),
        "settings": list(looked.settings),
        "query": f"SELECT {selected} FROM {asked.relation(_quoted)}",
        "path": str(path),
    }
    server = address.shown("MySQL", PORT)
    command = [sys.executable, "-P", str(Path(__file__).with_name("mysql_transfer.py"))]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file; the address goes through a pipe that nobody sees
            command,
            input=json.dumps(order).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=asked.timeout_seconds + GRACE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        path.unlink(missing_ok=True)
        raise asked.too_slow(server) from None
    if done.returncode or not path.exists():
        path.unlink(missing_ok=True)
        code = _CODE.search(done.stdout.decode(errors="replace"))
        raise _failure(int(code[1]) if code else CR.CR_SERVER_LOST, "", address, asked)
    return path


def _for_connectorx(address: Address, mode: str) -> str:
    """Return the address as connectorx understands it."""
    options = {"prefer_socket": "false"}
    if mode != "DISABLED":
        options |= {"ssl-mode": mode}
        options |= {"ssl-ca": address.options["ssl-ca"]} if "ssl-ca" in address.options else {}
    host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
    user, password, database = (quote(text, safe="") for text in (address.user, address.password, address.database))
    return f"mysql://{user}:{password}@{host}:{address.port or PORT}/{database}?{urlencode(options)}"


def _failure(code: object, told: str, address: Address, asked: Asked) -> SourceError:
    """Return what an error of the server means; its words are shown only where they are about names."""
    server = address.shown("MySQL", PORT)
    is_about_tls = code == CR.CR_SSL_CONNECTION_ERROR or "ssl" in told.lower() or "certificate" in told.lower()
    if code in _TOO_SLOW or (code == CR.CR_SERVER_LOST and "timed out" in told):
        return asked.too_slow(server)
    if code in _BROKEN and not is_about_tls:
        return asked.broken_off(server)
    advice = {
        ER.ACCESS_DENIED_ERROR: f"refuses user {address.user!r} with this password. "
        "See the variable that the connection refers to.",
        ER.BAD_DB_ERROR: f"has no database {address.database!r}. See the end of the connection's address.",
        ER.NO_DB_ERROR: "was asked without a database. Name one at the end of the connection's address.",
        ER.DBACCESS_DENIED_ERROR: f"does not let this user into {address.database!r}. Ask for the right to read it.",
        ER.TABLEACCESS_DENIED_ERROR: "does not let this user read it. Ask for the right to.",
        _READ_ONLY: "was told to refuse writing, which its query tries. Only read.",
        ER.DUP_FIELDNAME: f"cannot tell the columns of its query apart: {told}. Name them apart, with AS.",
    }.get(code)
    if advice is None and is_about_tls:
        advice = "and this side do not agree on TLS. See ssl-mode and ssl-ca in the connection's address."
    elif advice is None and code in _UNREACHABLE:
        advice = f"cannot be reached within {CONNECT_SECONDS} s. See host and port, and whether the server is up."
    elif advice is None and code in _ABOUT_NAMES:
        advice = f"cannot run its query: {told}. Correct it in the dataset file."
    elif advice is None:
        advice = (
            f"failed with error {code}; its words may hold values and are not shown. Run the query there to see them."
        )
    return SourceError(f"{asked.where}: {server} {advice}")


_UNREACHABLE = {CR.CR_CONN_HOST_ERROR, CR.CR_UNKNOWN_HOST, CR.CR_CONNECTION_ERROR}
_BROKEN = {CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, ER.SERVER_SHUTDOWN, 1927}
_ABOUT_NAMES = {
    ER.PARSE_ERROR,
    ER.BAD_FIELD_ERROR,
    ER.NO_SUCH_TABLE,
    ER.NON_UNIQ_ERROR,
    ER.SP_DOES_NOT_EXIST,
    ER.WRONG_FIELD_WITH_GROUP,
    ER.MIX_OF_GROUP_FUNC_AND_FIELDS,
    ER.UNKNOWN_TABLE,
    ER.SYNTAX_ERROR,
    ER.INVALID_GROUP_FUNC_USE,
}
