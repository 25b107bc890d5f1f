"""
Copies: rows that come in batches, put down once as Parquet in a private folder and read from there by SQL.

A copy lets the server go as soon as its last row is read, keeps memory to a batch, and shows before anything is landed
whether all rows came. How a source is asked for its rows belongs in the modules of the databases beside this one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm_analysis.tables.engine import identifier, literal

BATCH_ROWS = 50_000
NUMBER = "NUMBER"
AS_PARQUET: Mapping[str, Any] = {"compression": "zstd", "use_dictionary": False}  # half the time, a fifth of the size
_DIGITS = 38
_KINDS = {
    frozenset({"whole"}): ("BIGINT", NUMBER),
    frozenset({"float"}): ("DOUBLE",),
    frozenset({"whole", "float"}): ("DOUBLE",),
    frozenset({"decimal"}): (NUMBER,),
    frozenset({"whole", "decimal"}): (NUMBER,),
    frozenset({"time"}): ("TIMESTAMPTZ",),
    frozenset({"flag"}): ("BOOLEAN",),
}


def written(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> Path:
    """
    Write batches as one Parquet file, or nothing.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Held one at a time.
    schema : pyarrow.Schema
        Theirs.
    path : pathlib.Path
        Where to; taken away again where the batches end in an error.

    Returns
    -------
    pathlib.Path
        The same.
    """
    try:
        with pq.ParquetWriter(path, schema, **AS_PARQUET) as writer:
            for batch in batches:
                writer.write_batch(batch)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def typed(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], types: Mapping[str, Sequence[str]]) -> str:
    """
    Return the SQL that reads a copy, each text column in the first type that all of its values can be read as.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        May read the file.
    paths : sequence of pathlib.Path
        The copy, in one file or several with differing columns.
    types : mapping
        Column to the types to try in order; a column without any stays as it is, one that fits none stays text.
        ``NUMBER`` is DECIMAL with the digits that its values have.

    Returns
    -------
    str
        A query with the columns of ``types``, in that order.
    """
    files = ", ".join(literal(str(path)) for path in paths)
    relation = f"read_parquet([{files}], union_by_name = true)"
    chosen = _chosen(connection, relation, {name: tried for name, tried in types.items() if tried})
    selected = (
        f"CAST({identifier(name)} AS {chosen[name]}) AS {identifier(name)}" if name in chosen else identifier(name)
        for name in types
    )
    return f"SELECT {', '.join(selected)} FROM {relation}"


def _chosen(connection: duckdb.DuckDBPyConnection, relation: str, types: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the type of each column that has one; all rows are looked at once."""
    asked = [(name, one, test) for name, tried in types.items() for one in tried for test in _tests(name, one)]
    if not asked:
        return {}
    answers = connection.execute(f"SELECT {', '.join(test for _, _, test in asked)} FROM {relation}").fetchone()
    found: dict[tuple[str, str], list[int]] = {}
    for (name, one, _), answer in zip(asked, answers or (), strict=True):
        found.setdefault((name, one), []).append(answer or 0)
    chosen: dict[str, str] = {}
    for name, tried in types.items():
        fitting = (_fitting(one, *found[name, one]) for one in tried)
        if first := next((one for one in fitting if one), None):
            chosen[name] = first
    return chosen


def _tests(name: str, one: str) -> list[str]:
    """Return what is asked of a column: how many values do not fit, and for a number how many digits there are."""
    column = identifier(name)
    if one != NUMBER:
        unread = f"(TRY_CAST({column} AS {one}) IS NULL OR ends_with({column}, 'BC'))"  # the engine overlooks BC
        return [f"count(*) FILTER ({column} IS NOT NULL AND {unread})"]
    return [
        rf"count(*) FILTER (NOT regexp_full_match({column}, '-?\d+(\.\d+)?'))",
        f"max(length(ltrim(split_part({column}, '.', 1), '-')))",
        f"max(length(split_part({column}, '.', 2)))",
    ]


def _fitting(one: str, misfits: int, whole_digits: int = 0, decimals: int = 0) -> str | None:
    """Return the type for SQL, or None where it does not fit."""
    if misfits or whole_digits + decimals > _DIGITS:
        return None
    if one != NUMBER:
        return one
    return f"DECIMAL({18 if whole_digits + decimals <= 18 else _DIGITS}, {decimals})"


@dataclass
class Kinds:
    """
    What kinds of values the columns of a source without declared types have shown so far.

    Attributes
    ----------
    seen : dict
        Column to kinds.
    """

    seen: dict[str, set[str]] = field(default_factory=dict)

    def texts(self, name: str, values: Iterable[object]) -> pa.Array:
        """
        Return a column's values as text that loses nothing, and remember their kinds.

        Parameters
        ----------
        name : str
            The column.
        values : iterable of object
            Numbers, texts, flags, aware times, bytes or None.

        Returns
        -------
        pyarrow.Array
            Of strings.
        """
        seen = self.seen.setdefault(name, set())
        return pa.array([_text(value, seen) for value in values], pa.string())

    def types(self) -> dict[str, Sequence[str]]:
        """
        Return the types to try for each column.

        Returns
        -------
        dict
            Empty for text, and for columns of mixed kinds.
        """
        return {name: _KINDS.get(frozenset(seen), ()) for name, seen in self.seen.items()}


def _text(value: object, seen: set[str]) -> str | None:
    """Return one value as text, and note its kind."""
    if value is None:
        return None
    kind, text = _kind(value)
    seen.add(kind)
    return text


def _kind(value: object) -> tuple[str, str]:
    """Return a value's kind, and the value as text."""
    for kinds, kind, text in _TEXTS:
        if isinstance(value, kinds):
            return kind, text(value)
    return "text", str(value)


_TEXTS: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (str, "text", str),
    (bool, "flag", lambda flag: str(flag).lower()),
    (int, "whole", lambda number: str(int(number))),
    (float, "float", lambda number: repr(float(number))),
    (Decimal, "decimal", lambda number: f"{number:f}"),
    (datetime, "time", str),
    (bytes, "text", bytes.hex),
)


@contextlib.contextmanager
def stopped_after(seconds: float, stop: Callable[[], object]) -> Iterator[Callable[[], bool]]:
    """
    Stop what takes too long, from outside: for whoever waits for an answer that does not come.

    Parameters
    ----------
    seconds : float
        How long it may take.
    stop : callable
        Ends it; called at most once, in a thread of its own.

    Yields
    ------
    callable
        Whether it was stopped.
    """
    over = threading.Event()

    def end() -> None:
        """Remember that it took too long, and stop it."""
        over.set()
        with contextlib.suppress(Exception):  # what is stopped may be gone already
            stop()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()
