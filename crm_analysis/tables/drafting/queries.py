"""
SQL that a table needs before its columns can be taken: words for flags, times counted from 1970, one row a case.

Which columns are taken is decided in :mod:`crm_analysis.tables.drafting.planning`.
"""

from __future__ import annotations

from collections.abc import Mapping

from crm_analysis.tables.drafting.matching import time_columns
from crm_analysis.tables.drafting.plans import TablePlan, shown
from crm_analysis.tables.drafting.profiles import OTHER_FLAGS, Profile
from crm_analysis.tables.drafting.vocabulary import words
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import CANONICAL

_CHANGED = frozenset(
    {"updated", "modified", "changed", "event", "geaendert", "modifie", "更新时间", "修改时间", "timestamp"}
)
_REASONS: Mapping[str, str] = {
    "regexp_replace": "takes off signs that the reader does not",
    "make_timestamp": "counts times from 1970",
    "CASE": "turns words into true and false",
}
_COUNTER = frozenset({"mod", "modification", "version", "revision", "sequence", "seq", "step"})


def plan_query(plan: TablePlan, repairs: Mapping[str, str]) -> None:
    """
    Write the SQL that a table needs before its columns can be taken.

    Parameters
    ----------
    plan : TablePlan
        The table; its query is set where it needs one.
    repairs : mapping
        Source column to the SQL that makes it readable.
    """
    if plan.table == "service_cases" and "case_id" in plan.match.columns:
        ids = plan.columns[plan.match.columns["case_id"]]
        if ids.n >= 1.2 * ids.distinct:
            _plan_events(plan, ids, repairs)
            return
    if repairs:
        replaced = ",\n  ".join(f"{sql} AS {identifier(name)}" for name, sql in repairs.items())
        plan.query = f"SELECT * REPLACE (\n  {replaced}\n) FROM source"
        plan.remarks["query"] = " and ".join(
            reason for mark, reason in _REASONS.items() if any(sql.startswith(mark) for sql in repairs.values())
        )


def _plan_events(plan: TablePlan, ids: Profile, repairs: Mapping[str, str]) -> None:
    """Make one row a case of one row an event: what is known at the opening from the first, the outcome from the last."""
    declared = CANONICAL["service_cases"].columns
    lines = [f"SELECT {identifier(ids.name)}"]
    for column, name in plan.match.columns.items():
        if name != ids.name:
            end = "arg_max" if declared[column].metadata["known_with"] else "arg_min"
            lines.append(f"  {end}_null({repairs.get(name, identifier(name))}, event_order) AS {identifier(name)}")
    order, named = _order_of_events(plan)
    ordered = f"FROM (SELECT *, {order} AS event_order FROM source)"
    plan.query = ",\n".join(lines) + f"\n{ordered}\nGROUP BY {identifier(ids.name)}"
    plan.offered = {}
    plan.doubt(
        "query", f"makes one row a case of several, in the order of {named}", f"service_cases: {ids.name!r} repeats "
        f"({ids.n / ids.distinct:.1f} rows a case in the sample), as in a log of events; the query takes what is known at the opening "
        f"from a case's first row and the outcome from its last, in the order of {named}. Look whether that is the order of events.",
    )  # fmt: skip


def _order_of_events(plan: TablePlan) -> tuple[str, str]:
    """Return the SQL by which the rows of a case are ordered, and the names of its columns: time of change, then a counter."""
    timed = [profile for name, profile in plan.columns.items() if profile.times and _CHANGED & set(words(name))]
    times = timed[:1] or [plan.columns[plan.match.columns[name]] for name in time_columns(plan.match)[:1]]
    counters = [profile for name, profile in plan.columns.items() if profile.is_whole and _COUNTER & set(words(name))][
        :1
    ]
    parts = [_as_time(profile) for profile in times]
    parts += [f"TRY_CAST({identifier(profile.name)} AS BIGINT)" for profile in counters]
    named = " and ".join(repr(shown(profile.name)) for profile in (*times, *counters))
    return (f"row({', '.join(parts)})" if len(parts) > 1 else parts[0]), named


def _as_time(profile: Profile) -> str:
    name, times = identifier(profile.name), profile.times
    if times and times.written:
        return f"try_strptime({name}, {literal(times.written)})"
    return f"TRY_CAST({name} AS {'BIGINT' if times and times.epoch else 'TIMESTAMP'})"


def is_foreign_flag(profile: Profile) -> bool:
    """
    Say whether a flag is written in words that the reader does not know.

    Parameters
    ----------
    profile : Profile
        A column.

    Returns
    -------
    bool
        Such as for ja and nein.
    """
    return profile.stored == "text" and any(value.lower() in OTHER_FLAGS for value in profile.counts)


def flag_repair(profile: Profile) -> str:
    """
    Return SQL that turns words into true and false.

    Parameters
    ----------
    profile : Profile
        A column.

    Returns
    -------
    str
        Text; other values stay as they are.
    """
    value = f"lower(trim({identifier(profile.name)}))"
    true, false = (
        ", ".join(
            literal(word) for word, meaning in OTHER_FLAGS.items() if meaning is wanted and word in _lowered(profile)
        )
        for wanted in (True, False)
    )
    cases = (f" WHEN {value} IN ({true}) THEN 'true'" if true else "") + (
        f" WHEN {value} IN ({false}) THEN 'false'" if false else ""
    )
    return f"CASE{cases} ELSE {identifier(profile.name)} END"


def _lowered(profile: Profile) -> set[str]:
    return {value.lower() for value in profile.counts}
