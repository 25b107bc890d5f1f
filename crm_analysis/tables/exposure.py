"""
What of a dataset must not be shown, as queries for whoever searches what was written; and labels that name nobody.

The search itself belongs in :mod:`crm_analysis.reporting.scan`, recognising identifiers in :mod:`crm_analysis.tables.privacy`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.privacy.redaction import MIN_ID_CHARACTERS
from crm_analysis.tables.sources.landing import CLEAR_ID

BIRTH_DATE = "birth date"
_IN_WORDS = ("name", "user name", "address")
_ENDS = re.compile(r"^[\W_]+|[\W_]+$")


class PersonalColumn(NamedTuple):
    """
    A landed column that names persons directly.

    Attributes
    ----------
    label : str
        Table and column.
    kind : str
        Such as ``e-mail``.
    query : str
        SQL of its distinct values as text, on the dataset's connection.
    """

    label: str
    kind: str
    query: str


def personal_columns(dataset: Dataset) -> list[PersonalColumn]:
    """
    Return the columns whose values may stand in no output.

    Parameters
    ----------
    dataset : Dataset
        Opened.

    Returns
    -------
    list of PersonalColumn
        Direct identifiers that the dataset file does not keep on purpose.
    """
    return [
        PersonalColumn(f"{table}.{column}", kind, _values(dataset, table, column, kind))
        for table in dataset.tables
        for column, kind in dataset.identifier_columns(table).items()
    ]


def clear_ids_query(dataset: Dataset) -> str:
    """
    Return the query of customer ids as they are in the source.

    Parameters
    ----------
    dataset : Dataset
        Opened, not public.

    Returns
    -------
    str
        SQL on the dataset's connection.
    """
    return " UNION ".join(
        f"SELECT {CLEAR_ID} FROM {dataset.landed_relation(table)} WHERE {CLEAR_ID} IS NOT NULL"
        for table in dataset.tables
    )


def shared_levels(dataset: Dataset) -> list[str]:
    """
    Return the texts that so many customers share that they name nobody.

    Parameters
    ----------
    dataset : Dataset
        Opened.

    Returns
    -------
    list of str
        Levels of text columns, such as categories, with at least ``min_cell`` customers each; none that holds a customer's id,
        however many share it.
    """
    levels: set[str] = set()
    for table in dataset.tables:
        for column in dataset.text_columns(table):
            rows = dataset.connection.execute(
                f"SELECT {identifier(column)} FROM {dataset.landed_relation(table)} WHERE {identifier(column)} IS NOT NULL "
                f"GROUP BY ALL HAVING count(DISTINCT customer_id) >= {dataset.min_cell}"
            ).fetchall()
            levels.update(str(row[0]) for row in rows)
    return [] if dataset.public else sorted(levels - _with_ids(dataset, levels))


def own_words(dataset: Dataset) -> list[str]:
    """
    Return what the dataset calls itself and its columns: headings of reports, whoever else has such a name.

    Parameters
    ----------
    dataset : Dataset
        Opened.

    Returns
    -------
    list of str
        Texts.
    """
    described = (dataset.connection.execute(f"DESCRIBE {dataset.landed_relation(table)}") for table in dataset.tables)
    columns = [str(row[0]) for found in described for row in found.fetchall()]
    return [dataset.name, dataset.currency, *dataset.notes, *columns]


def _with_ids(dataset: Dataset, levels: Iterable[str]) -> set[str]:
    """Return the levels in which a customer's id stands by itself."""
    pieces = [(_ENDS.sub("", piece.lower()), level) for level in levels for piece in (level, *level.split())]
    long = [(piece, level) for piece, level in pieces if len(piece) >= MIN_ID_CHARACTERS]
    known = f"SELECT lower(trim(id)) FROM ({clear_ids_query(dataset)}) AS known(id)"
    found = dataset.connection.execute(
        f"SELECT DISTINCT piece FROM (SELECT unnest($pieces::VARCHAR[]) AS piece) WHERE piece IN ({known}) "
        "AND regexp_matches(piece, '[0-9]') AND regexp_matches(piece, '\\p{L}')",
        {"pieces": [piece for piece, _ in long]},
    ).fetchall()
    ids = {str(row[0]) for row in found}
    return {level for piece, level in long if piece in ids}


def _values(dataset: Dataset, table: str, column: str, kind: str) -> str:
    """
    Return the SQL of what a column names.

    A birth date within the reports' own period would be found on every page, and so would a name without letters.
    """
    text = f"CAST({identifier(column)} AS VARCHAR)"
    known = f"SELECT DISTINCT {text} FROM {dataset.landed_relation(table)} WHERE {text} IS NOT NULL"
    if kind == BIRTH_DATE and dataset.is_dated:
        known += f" AND coalesce(TRY_CAST({text} AS DATE) < {literal(str(dataset.first_day))}::DATE, true)"
    if kind in _IN_WORDS:
        known += f" AND regexp_matches({text}, '\\p{{L}}.*\\p{{L}}')"
    return known
