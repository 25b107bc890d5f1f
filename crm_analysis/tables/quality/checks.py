"""
The checks of a single row: SQL conditions made from the declaration of a table, with the words for each.

Counting them belongs in :mod:`crm_analysis.tables.quality.contract`; the declaration itself in
:mod:`crm_analysis.tables.schema`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pandera import Check
from pandera.pandas import Column

from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import (
    CANONICAL,
    FAR_FUTURE_DAYS,
    Severity,
    kind_of,
    references_of,
    severity_of,
    time_order,
)

UNREADABLE = "_unreadable"
UNKNOWN = "_unknown_customer"

COMPLETENESS, VALIDITY, CONSISTENCY = "completeness", "validity", "consistency"


@dataclass(frozen=True)
class RowCheck:
    """
    One thing that can be wrong with a row.

    Attributes
    ----------
    column : str
        Where.
    check : str
        A slug.
    severity : str
        ``error`` or ``warning``.
    condition : str
        SQL; true where the row is wrong.
    wrong : str
        What then is said of the column, such as ``is missing``.
    part : str
        The part of the score that it belongs to.
    example : str
        SQL of a text that shows the fault; it is masked before it is shown. Empty: nothing to show.
    """

    column: str
    check: str
    severity: Severity
    condition: str
    wrong: str
    part: str
    example: str = ""


def row_checks(table: str, columns: Collection[str], *, last_day: date | None, with_customers: bool) -> list[RowCheck]:
    """
    Return every check of a row of a canonical table, in the order of its columns.

    Parameters
    ----------
    table : str
        A key of :data:`~crm_analysis.tables.schema.CANONICAL`.
    columns : collection of str
        Those of the relation that is checked.
    last_day : datetime.date, optional
        The last day of the data, from which the far future is reckoned; default: no time is too late.
    with_customers : bool
        Whether the relation has the flag ``_unknown_customer``.

    Returns
    -------
    list of RowCheck
        Column and slug are unique.
    """
    checks: list[RowCheck] = []
    unreadable = UNREADABLE in columns
    for name, column in CANONICAL[table].columns.items():
        if name not in columns:
            continue
        checks += _column_checks(name, column, unreadable=unreadable)
        checks += _time_checks(table, name, column, columns, last_day=last_day)
        if with_customers and name in references_of(table):
            condition = f"{identifier(UNKNOWN)}"
            wrong = "has no row in customers"
            checks.append(
                RowCheck(name, "unknown_customer", "warning", condition, wrong, CONSISTENCY, identifier(name))
            )
    return checks


def unreadable_in(column: str) -> str:
    """
    Return the condition that a row's value of a column could not be read.

    Parameters
    ----------
    column : str
        A canonical column.

    Returns
    -------
    str
        SQL over the list of unreadable values.
    """
    return f"len(list_filter({identifier(UNREADABLE)}, lambda entry: starts_with(entry, {literal(f'{column}: ')}))) > 0"


def any_of(checks: Collection[RowCheck], *, part: str | None = None) -> str:
    """
    Return the condition that at least one of some checks fails.

    Parameters
    ----------
    checks : collection of RowCheck
        Checks of one relation.
    part : str, optional
        Only those of this part of the score.

    Returns
    -------
    str
        SQL that is never null.
    """
    conditions = [f"coalesce({check.condition}, false)" for check in checks if part in {None, check.part}]
    return f"({' OR '.join(conditions)})" if conditions else "false"


def _column_checks(name: str, column: Column, *, unreadable: bool) -> Iterator[RowCheck]:
    """Yield whether a value is there, could be read, and lies within its limits."""
    quoted = identifier(name)
    if column.required:
        absent = f"{quoted} IS NULL"
        if unreadable:
            absent += f" AND ({identifier(UNREADABLE)} IS NULL OR NOT ({unreadable_in(name)}))"
        yield RowCheck(name, "missing", "error", absent, "is missing", COMPLETENESS)
    if kind_of(column) == "number":
        infinite = f"NOT isfinite({quoted})"
        yield RowCheck(name, "not_finite", "error", infinite, "is not finite", VALIDITY, f"CAST({quoted} AS VARCHAR)")
    for check in column.checks:
        slug = "too_early" if kind_of(column) == "time" else "out_of_range"
        outside = f"NOT ({_in_sql(check, quoted)})"
        wrong = f"is not {_in_words(check)}"
        yield RowCheck(name, slug, severity_of(check), outside, wrong, VALIDITY, f"CAST({quoted} AS VARCHAR)")


def _time_checks(
    table: str, name: str, column: Column, columns: Collection[str], *, last_day: date | None
) -> Iterator[RowCheck]:
    """Yield whether a time lies too late, or before the time that goes before it."""
    quoted = identifier(name)
    if kind_of(column) == "time" and last_day is not None:
        severity: Severity = "error" if column.required else "warning"
        end = _far_future(last_day)
        late = f"{quoted} >= TIMESTAMP {literal(f'{end} 00:00:00')}"
        wrong = f"is {end} or later, more than ten years after the last day of the data"
        yield RowCheck(name, "too_late", severity, late, wrong, VALIDITY, f"CAST({quoted} AS VARCHAR)")
    earlier, order = time_order(table).get(name, ("", "error"))
    if earlier in columns:
        minutes = f"CAST(date_diff('minute', {quoted}, {identifier(earlier)}) AS VARCHAR)"
        before = f"{quoted} < {identifier(earlier)}"
        yield RowCheck(name, "time_order", order, before, f"is before {earlier}", CONSISTENCY, minutes)


def _far_future(last_day: date) -> date:
    return last_day + timedelta(days=min(FAR_FUTURE_DAYS, (date.max - last_day).days))


def _in_words(check: Check) -> str:
    limits = check.statistics or {}
    if check.name == "in_range":
        return f"between {limits['min_value']} and {limits['max_value']}"
    least = limits["min_value"]
    if check.name == "greater_than":
        return f"more than {least}"
    return f"{least:%Y-%m-%d} or later" if isinstance(least, date) else f"at least {least}"


def _in_sql(check: Check, column: str) -> str:
    limits = {name: _limit(value) for name, value in (check.statistics or {}).items()}
    if check.name == "in_range":
        return f"{column} BETWEEN {limits['min_value']} AND {limits['max_value']}"
    if check.name == "greater_than":
        return f"{column} > {limits['min_value']}"
    if check.name == "greater_than_or_equal_to":
        return f"{column} >= {limits['min_value']}"
    raise ValueError(f"a check with an SQL form is needed, got {check.name!r}")


def _limit(value: object) -> str:
    return f"TIMESTAMP {literal(f'{value:%Y-%m-%d %H:%M:%S}')}" if isinstance(value, date) else str(value)
