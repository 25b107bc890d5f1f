"""
MongoDB: a collection's documents, flattened into columns.

What becomes of the columns belongs in :mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import bson
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import errors as mongo
from pymongo.uri_parser import parse_uri

from crm_analysis.errors import ParamsError, SourceError, SourceSchemaError
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.references import Secret
from crm_analysis.tables.sources.addresses import CONNECT_SECONDS
from crm_analysis.tables.sources.copies import AS_PARQUET, Kinds, typed
from crm_analysis.tables.sources.questions import Asked, near_names

MAX_COLUMNS = 2000
_BATCH_DOCUMENTS = 10_000
_WRONG_PASSWORD, _NOT_ALLOWED = {18, 8000}, {13, 31}
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def document_relation(
    connection: duckdb.DuckDBPyConnection, secret: Secret, asked: Asked, *, name: str, scratch: Path
) -> str:
    """
    Copy a collection of MongoDB and return the SQL that reads the copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue, which may read `scratch`.
    secret : Secret
        ``mongodb://user:password@host:port/database``, also ``mongodb+srv://``; its options are the driver's. Without
        ``readPreference`` a secondary is asked first.
    asked : Asked
        ``table`` is the collection. ``query`` is not asked of MongoDB: it is SQL over the flattened documents, which the
        caller runs on what is returned here.
    name : str
        The copy's.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    str
        A query for the whole collection. A nested value's column is named with dots (``address.city``); arrays are JSON text;
        whole numbers are BIGINT, others DOUBLE, Decimal128 DECIMAL with all digits, dates TIMESTAMPTZ, ids text; a
        column of mixed kinds is text. Names that differ in small and capital letters only are one column.

    Raises
    ------
    ParamsError
        The address cannot be used.
    SourceError
        The server cannot be reached, refuses, fails on the way, or has no such documents.
    """
    flat = _Flat()
    with _collection(secret, asked) as collection:
        documents = _documents(collection, asked)
        paths = flat.written(documents, scratch, name, asked.where)
    if not paths:
        raise SourceError(
            f"{asked.where}: collection {asked.table!r} holds no documents. See whether it is the right one."
        )
    types = flat.kinds.types()
    inner = typed(connection, paths, {column: types[column] for column in flat.names})
    selected = ", ".join(f"{identifier(column)} AS {identifier(shown)}" for column, shown in flat.names.items())
    return f"SELECT {selected} FROM ({inner})"


@contextlib.contextmanager
def _collection(secret: Secret, asked: Asked) -> Iterator[pymongo.collection.Collection[dict[str, Any]]]:
    """Connect; every error of the driver becomes one of ours."""
    server, has_answered = "the MongoDB server", False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the driver only warns of an option that it does not know
            parts = parse_uri(secret.reveal())
        server = f"MongoDB at {', '.join(f'{host}:{port}' for host, port in parts['nodelist'])}"
        database = _named(parts["database"], asked)
        with _client(secret, parts["options"], asked) as client:
            collection = client[database].get_collection(str(asked.table), codec_options=_CODEC)
            _check_exists(collection, asked)
            has_answered = True
            yield collection
    except ParamsError:
        raise
    except (mongo.InvalidURI, mongo.ConfigurationError, ValueError, UserWarning) as error:
        is_about_options = isinstance(error, mongo.ConfigurationError | UserWarning)
        told = (
            f": {secret.scrubbed(str(error))}" if is_about_options and not isinstance(error, mongo.InvalidURI) else ""
        )
        raise ParamsError(
            f"{asked.where}: its connection is no address that MongoDB's driver reads{told}. Write it as "
            "mongodb://user:password@host:port/database, the characters @ : / ? # % of a password as %40 %3A %2F %3F %23 %25."
        ) from None
    except (mongo.PyMongoError, bson.errors.BSONError) as error:
        if has_answered and isinstance(error, mongo.ServerSelectionTimeoutError):
            raise asked.broken_off(server) from None
        raise _failure(error, server, asked) from None


def _named(database: str | None, asked: Asked) -> str:
    """Return the database's name, which an address may lack."""
    if not database:
        raise ParamsError(f"{asked.where}: its connection names no database. Write it behind the host: …/crm.")
    return database


def _client(secret: Secret, options: Mapping[str, Any], asked: Asked) -> pymongo.MongoClient[dict[str, Any]]:
    """Return a client that waits as long as was agreed, where the address says nothing else."""
    ours: dict[str, Any] = {
        "appName": "crm-analysis",
        "readPreference": "secondaryPreferred",
        "serverSelectionTimeoutMS": CONNECT_SECONDS * 1000,
        "socketTimeoutMS": asked.timeout_seconds * 1000,
    }
    given = {str(option).lower() for option in options}
    return pymongo.MongoClient(
        secret.reveal(), **{name: value for name, value in ours.items() if name.lower() not in given}
    )


def _check_exists(collection: pymongo.collection.Collection[dict[str, Any]], asked: Asked) -> None:
    """Refuse a collection that is not there: asking it for documents would only give none."""
    if collection.find_one({}, {"_id": 1}) is not None:
        return
    known = collection.database.list_collection_names(authorizedCollections=True, nameOnly=True)
    if collection.name not in known:
        near = near_names(collection.name, known)
        raise SourceError(f"{asked.where}: the database has no collection {collection.name!r}. {near}")


def _documents(
    collection: pymongo.collection.Collection[dict[str, Any]], asked: Asked
) -> Iterator[list[dict[str, Any]]]:
    """Read all documents in batches, as long as was agreed."""
    deadline = time.monotonic() + asked.timeout_seconds
    with collection.find({}, max_time_ms=asked.timeout_seconds * 1000, batch_size=_BATCH_DOCUMENTS) as cursor:
        while batch := list(islice(cursor, _BATCH_DOCUMENTS)):
            if time.monotonic() > deadline:
                raise asked.too_slow("MongoDB")
            yield batch


@dataclass
class _Flat:
    """The columns found so far, by their names in small letters, and the kinds of their values."""

    names: dict[str, str] = field(default_factory=dict)
    kinds: Kinds = field(default_factory=Kinds)

    def written(self, batches: Iterable[list[dict[str, Any]]], scratch: Path, name: str, where: str) -> list[Path]:
        """Write a file for each batch; later ones may have further columns. After an error there is none."""
        paths: list[Path] = []
        try:
            for number, batch in enumerate(batches):
                paths.append(scratch / f"{name}_{number:06}.parquet")
                pq.write_table(self.table(batch, where), paths[-1], **AS_PARQUET)
        except BaseException:
            for path in paths:
                path.unlink(missing_ok=True)
            raise
        return paths

    def table(self, batch: list[dict[str, Any]], where: str) -> pa.Table:
        """Return a batch as columns of text."""
        columns: dict[str, list[object]] = {}
        for number, document in enumerate(batch):
            for name, value in _leaves(document):
                column = columns.setdefault(self.column(name, where), [])
                if len(column) > number:
                    raise SourceSchemaError(
                        f"{where}: a document has {name!r} twice (small and capital letters are the same here, and "
                        "a.b is b inside a). Rename one of them in the collection."
                    )
                column.extend([None] * (number - len(column)))
                column.append(value)
        arrays = {
            name: self.kinds.texts(name, values + [None] * (len(batch) - len(values)))
            for name, values in columns.items()
        }
        return pa.table(arrays)

    def column(self, name: str, where: str) -> str:
        """Return the column of a name, which is new or spelled as before."""
        key = name.lower()
        self.names.setdefault(key, name)
        if len(self.names) > MAX_COLUMNS:
            raise SourceSchemaError(
                f"{where}: its documents have more than {MAX_COLUMNS:,} different names; some are rather values. "
                "Keep them in an array, or name another collection."
            )
        return key


def _leaves(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Return the values of a document with their dotted names."""
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _value(value)


def _value(value: object) -> object:
    """Return a value as one of the kinds that columns know."""
    if value is None or isinstance(value, str | bool | int | float | datetime):
        return value
    if isinstance(value, bson.Decimal128):
        number = value.to_decimal()
        return number if number.is_finite() else str(number)
    if isinstance(value, bson.Binary) and value.subtype in {3, 4}:
        return str(value.as_uuid(value.subtype))
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | Mapping):
        return json.dumps(value, default=_in_json, ensure_ascii=False)
    return str(value)


def _in_json(value: object) -> object:
    """Return a value inside an array as JSON can have it."""
    plain = _value(value)
    return plain if isinstance(plain, str | int | float | bool) else str(plain)


def _failure(error: Exception, server: str, asked: Asked) -> SourceError:
    """Return what an error of the driver means; where it tells of values it is not shown."""
    code = getattr(error, "code", None)
    if isinstance(error, mongo.ServerSelectionTimeoutError):
        advice = "cannot be reached in time. See host, port and TLS options, and whether the server is up."
    elif code in _WRONG_PASSWORD:
        advice = "refuses this user with this password. See the variable that the connection refers to, and authSource."
    elif code in _NOT_ALLOWED:
        advice = f"does not let this user read collection {asked.table!r}. Ask for the right to."
    elif isinstance(error, mongo.ExecutionTimeout | mongo.NetworkTimeout):
        return asked.too_slow(server)
    elif isinstance(error, mongo.ConnectionFailure | mongo.CursorNotFound):
        return asked.broken_off(server)
    elif isinstance(error, bson.errors.BSONError):
        advice = "sent a document that cannot be read: text that is not UTF-8, or damage. Repair it in the collection."
    else:
        advice = f"failed with error {code}: {type(error).__name__}. See the server's log."
    return SourceError(f"{asked.where}: {server} {advice}")
