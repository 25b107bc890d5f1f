"""
Further columns of service cases that only some datasets have, taken as levels or numbers.

Whether such a column tells the outcome in secret is judged by statistics in :mod:`crm_analysis.models.service_quality`; here
only columns are refused that are known by their meaning to come later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from crm_analysis.errors import ParamsError, listed
from crm_analysis.features.service.attributes import LEVELS, NUMBERS, RESPONSES
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.schema import CANONICAL
from crm_analysis.tables.snapshot import Snapshot
from crm_analysis.tables.workspace import did_you_mean

_DECLARED = CANONICAL["service_cases"].columns
MAX_NAMED = 12
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBER_TYPES = {*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN"}
_TAKEN = {*LEVELS, *NUMBERS, *RESPONSES}
_REASONS = {
    "case_id": "it names the case",
    "customer_id": "it names the customer",
    "opened_at": "its weekday and hour are features already",
    "due_at": "target_hours is a feature already",
    "text": "it is free text; its topics tell more",
}


def extra_columns(known: Snapshot, names: Sequence[str]) -> pd.DataFrame:
    """
    Return further columns of the service cases.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.
    names : sequence of str
        Columns that the dataset has beyond those declared.

    Returns
    -------
    pandas.DataFrame
        Index ``case_id``; text stays text (levels), numbers and flags become floats.

    Raises
    ------
    ParamsError
        A column is not there, is known only later, is a feature already, or holds neither text nor numbers.

    Notes
    -----
    A column keeps the type that its source gives it: a number written as text stays a level, whatever its values.
    """
    described = known.query("DESCRIBE SELECT * FROM service_cases")
    types = dict(zip(described["column_name"], described["column_type"], strict=True))
    wanted = list(dict.fromkeys(names))
    offered = [name for name in types if name not in _DECLARED and name not in _TAKEN]
    if faults := [f"{name!r}: {fault}" for name in wanted if (fault := _fault(name, types, offered))]:
        has = f"has {', '.join(offered[:MAX_NAMED])}" if offered else "has no further columns"
        raise ParamsError(
            f"{len(faults)} of {len(wanted)} extra columns cannot be used; service_cases {has}.\n{listed(faults)}",
            faults=faults,
        )
    columns = [f"CAST({identifier(name)} AS {_wanted_type(types[name])}) AS {identifier(name)}" for name in wanted]
    extra = known.query(f"SELECT case_id, {', '.join(columns)} FROM service_cases")  # noqa: S608 - quoted
    return extra.set_index("case_id")


def _wanted_type(source_type: str) -> str:
    """Return the SQL type a column is taken as: text, a number, or nothing for times, lists and the like."""
    if source_type.startswith(("VARCHAR", "ENUM", "UUID")):
        return "VARCHAR"
    return "DOUBLE" if source_type.split("(", maxsplit=1)[0] in _NUMBER_TYPES else ""


def _fault(name: str, types: Mapping[str, str], offered: Sequence[str]) -> str:
    """Return why a column cannot be used, or nothing."""
    if name in _TAKEN:
        return "it is a feature already"
    if name in _REASONS:
        return _REASONS[name]
    if name in _DECLARED:
        return f"it is known only later, with {_DECLARED[name].metadata['known_with']}: it would tell the outcome"
    if name not in types:
        return f"there is no such column{did_you_mean(name, offered)}"
    return "" if _wanted_type(types[name]) else f"it holds neither text nor numbers but {types[name]}"
