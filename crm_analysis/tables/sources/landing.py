"""
Landing: what a source gives becomes a canonical table, with every value that cannot be read noted beside its row.

Making a source readable belongs in the other modules of :mod:`crm_analysis.tables.sources`; judging what has landed in
:mod:`crm_analysis.tables.quality`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import duckdb

from crm_analysis.errors import MAX_EXAMPLES, DataQualityError, SourceError, SourceSchemaError
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.privacy.identifiers import identifier_columns
from crm_analysis.tables.privacy.keys import pseudonym_parameters, pseudonym_sql
from crm_analysis.tables.privacy.redaction import redacted_sql, replace_ids
from crm_analysis.tables.references import Secret
from crm_analysis.tables.schema import CANONICAL, SQL_TYPES, kind_of, required_columns
from crm_analysis.tables.sources.expressions import SourceColumn
from crm_analysis.tables.sources.text import TextFormat

UNREADABLE = "_unreadable"
CLEAR_ID = "_clear_customer_id"
IDS = ("customer_id", "transaction_id", "product_id", "case_id", "campaign_id")


@dataclass(frozen=True)
class Landing:
    """
    One table on its way into the catalogue.

    Attributes
    ----------
    table : str
        The canonical table.
    relation : str
        SQL that reads the source.
    columns : mapping
        Canonical name to the source's own.
    text : TextFormat
        How text is to be read.
    stays : bool
        Whether the source is quick to read again: public data then stay where they are, behind a view, instead of being copied.
    zones : tuple of str
        Time zone of the source's times, and the one whose midnights cut days.
    where : str
        The dataset file, for messages.
    key : Secret or None
        Makes pseudonyms of customer ids; None for public data, whose texts and ids are left as they are.
    """

    table: str
    relation: str
    columns: Mapping[str, str]
    text: TextFormat
    stays: bool
    zones: tuple[str, str]
    where: str
    key: Secret | None = None


def land(connection: duckdb.DuckDBPyConnection, landing: Landing, *, schema: str) -> dict[str, str]:
    """
    Read a source into ``<schema>.<table>`` with canonical names, types and times.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    landing : Landing
        What to read, and how.
    schema : str
        Where the table is to stand. Every canonical column is there, null where the source has none, and ``_unreadable``:
        a list of ``column: value`` for what is no number, time or flag. Unless the data are public, ``customer_id`` is a
        pseudonym, the clear id stands in ``_clear_customer_id``, and texts are redacted.

    Returns
    -------
    dict
        The landed columns that identify a person directly, each with its kind.

    Raises
    ------
    SourceError
        The source cannot be read.
    SourceSchemaError
        It lacks a required column, or one that the dataset file names.
    DataQualityError
        It has no rows.
    """
    types = _source_types(connection, landing)
    taken = _taken(landing, types)
    personal = _identifiers(connection, landing, types, taken) if landing.key else {}
    expressions = _expressions(landing, types, taken, personal)
    selected = ",\n".join(f"{expression} AS {identifier(name)}" for name, expression in expressions.items())
    target = f"{identifier(schema)}.{identifier(landing.table)}"
    made = "VIEW" if landing.stays and landing.key is None else "TABLE"
    parameters = pseudonym_parameters(landing.key) if landing.key else {}
    try:
        connection.execute(f"CREATE {made} {target} AS SELECT {selected} FROM ({landing.relation})", parameters)
        every_value = "bit_xor(hash(line))" if made == "VIEW" else "0"  # a broken page is found now, not in a report
        read = f"({landing.relation})" if made == "VIEW" else target
        counted = connection.execute(f"SELECT count(*), {every_value} FROM {read} AS line").fetchone()
    except duckdb.Error as error:
        raise unreadable(landing.table, landing.where, error) from None
    if landing.key:
        _replace_ids(connection, target, personal)
    if not counted or counted[0] == 0:
        raise DataQualityError(
            f"Table {landing.table} of {landing.where} is empty: the source has columns but no rows. "
            "Look whether its files or its query are the right ones."
        )
    return personal


def _replace_ids(connection: duckdb.DuckDBPyConnection, target: str, personal: Collection[str]) -> None:
    """Let texts and labels speak of customers by their pseudonyms, too: who was referred by whom, who called."""
    described = connection.execute(f"DESCRIBE {target}").fetchall()
    types = {str(row[0]): str(row[1]) for row in described}
    if CLEAR_ID in types:
        texts = [name for name, kind in types.items() if kind == "VARCHAR" and name not in {*IDS, CLEAR_ID, *personal}]
        replace_ids(connection, target, texts, ids=f"SELECT {CLEAR_ID}, customer_id FROM {target}")


def unreadable(table: str, where: str, error: Exception) -> SourceError:
    """
    Return what to say when a source cannot be read.

    Parameters
    ----------
    table, where : str
        The canonical table, and the dataset file.
    error : Exception
        What the engine said.

    Returns
    -------
    SourceError
        With the cause in a line.
    """
    first = " ".join(str(error).split("\n")[0].split())
    cause = re.sub(r"(?<![\w/])/[^\s'\":]*/(?=[^/\s'\"]+)", "", first)[:300]  # files by name, not by folder
    return SourceError(
        f"Table {table} of {where} cannot be read: {cause}. Look whether the source is whole and of the kind that it is said to be."
    )


def _source_types(connection: duckdb.DuckDBPyConnection, landing: Landing) -> dict[str, str]:
    """Return the source's columns with their SQL types, after checking that the mapped ones are there."""
    try:
        described = connection.execute(f"DESCRIBE {landing.relation}").fetchall()
    except duckdb.Error as error:
        raise unreadable(landing.table, landing.where, error) from None
    types = {str(row[0]): str(row[1]) for row in described}
    wanted = set(landing.columns.values()) | {
        name for name in required_columns(landing.table) if name not in landing.columns
    }
    if "amount" not in {*landing.columns, *types} and _has_price(landing, types):
        wanted.discard("amount")
    missing = sorted(wanted - set(types))
    if missing:
        raise SourceSchemaError(
            f"Table {landing.table!r} lacks {len(missing)} of {len(wanted)} columns: {missing[:MAX_EXAMPLES]}. "
            f"It has {list(types)[:8]}. Map the source's own names under tables.{landing.table}.columns in {landing.where}.",
            faults=missing,
        )
    return types


def _has_price(landing: Landing, types: Collection[str]) -> bool:
    return all(name in landing.columns or name in types for name in ("quantity", "unit_price"))


def _taken(landing: Landing, types: Iterable[str]) -> dict[str, str]:
    """Return canonical (or own) name to source name: those mapped, those already canonical, else all."""
    names = list(types)
    taken = {name: name for name in CANONICAL[landing.table].columns if name in names} | dict(landing.columns)
    if not landing.columns:
        taken = {name: name for name in names}
    kept_back = sorted({UNREADABLE, CLEAR_ID} & {name.lower() for name in taken})
    if kept_back:
        raise SourceSchemaError(
            f"Table {landing.table} of {landing.where} has a column {kept_back[0]!r}, a name that is kept for the workspace. "
            f"Map it to another name under tables.{landing.table}.columns."
        )
    return taken


def _column(landing: Landing, name: str, source: str, types: Mapping[str, str]) -> SourceColumn:
    declared = CANONICAL[landing.table].columns
    kind = kind_of(declared[name]) if name in declared else "text"
    written = landing.text.dates.get(name) or landing.text.dates.get(source)
    return SourceColumn(source, types[source], kind, landing.text, written, landing.zones)


def _expressions(
    landing: Landing, types: Mapping[str, str], taken: Mapping[str, str], personal: Collection[str]
) -> dict[str, str]:
    """Return an SQL expression for each column of the landed table."""
    declared = CANONICAL[landing.table].columns
    columns = {name: _column(landing, name, source, types) for name, source in taken.items()}
    expressions = {name: f"CAST(NULL AS {SQL_TYPES[kind_of(column)]})" for name, column in declared.items()}
    for name, column in columns.items():
        as_it_is = name not in declared and column.source_type != "VARCHAR"  # an attribute keeps its own type
        expressions[name] = column.given if as_it_is else column.typed
        if landing.key and not as_it_is and column.kind == "text" and name not in {*IDS, *personal}:
            expressions[name] = redacted_sql(expressions[name])
    if "amount" in declared and "amount" not in taken:
        product = f"({expressions['quantity']}) * ({expressions['unit_price']})"
        expressions["amount"] = f"TRY_CAST({product} AS {SQL_TYPES['money']})"
    if landing.key and "customer_id" in expressions:
        expressions[CLEAR_ID] = expressions["customer_id"]
        expressions["customer_id"] = pseudonym_sql(expressions["customer_id"])
    notes = [note for name, column in columns.items() if name in declared and (note := column.note(name))]
    noted = f"list_filter([{', '.join(notes)}], lambda note: note IS NOT NULL)"
    expressions[UNREADABLE] = f"nullif({noted}, [])" if notes else "CAST(NULL AS VARCHAR[])"
    return expressions


def _identifiers(
    connection: duckdb.DuckDBPyConnection, landing: Landing, types: Mapping[str, str], taken: Mapping[str, str]
) -> dict[str, str]:
    """Return the columns that identify a person directly, judged by the source's name, the given name and the content."""
    known = {*CANONICAL[landing.table].columns, *IDS}
    selected = ", ".join(f"{identifier(source)} AS {identifier(name)}" for name, source in taken.items())
    renamed = f"(SELECT {selected} FROM ({landing.relation}))"
    kinds = identifier_columns(
        connection, renamed, columns={name: types[source] for name, source in taken.items()}, known=known
    )
    own = {source: types[source] for name, source in taken.items() if name not in known and name != source}
    by_source = identifier_columns(connection, f"({landing.relation})", columns=own, known=()) if own else {}
    return kinds | {name: by_source[source] for name, source in taken.items() if source in by_source}
