"""
Coverage by day: the rows of each day, the last day that the data can be trusted to have, and days that lack.

Whether a single time is plausible belongs in :mod:`crm_analysis.tables.quality.checks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import duckdb

from crm_analysis.tables.engine import identifier
from crm_analysis.tables.schema import EARLIEST, FAR_FUTURE_DAYS, dated_by

DayCounts = Mapping[date, int]
USUAL_SHARE = 0.5
LEAST_WEEKS = 4


def day_counts(connection: duckdb.DuckDBPyConnection, table: str, relation: str) -> dict[date, int]:
    """
    Count the rows of each day.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A key of :data:`~crm_analysis.tables.schema.CANONICAL`.
    relation : str
        Its quoted name.

    Returns
    -------
    dict
        Day to rows, in order; only days that have some, and that Python can tell.
    """
    dated = identifier(dated_by(table))
    rows = connection.execute(
        f"SELECT CAST({dated} AS DATE) AS day, count(*) FROM {relation} "
        f"WHERE {dated} >= DATE '0001-01-01' AND {dated} < DATE '9999-12-31' GROUP BY day ORDER BY day"
    ).fetchall()
    return {day: int(count) for day, count in rows}


def own_last_day(tables: Iterable[DayCounts]) -> date | None:
    """
    Return the last day of the data that no gap of ten years parts from their bulk.

    Parameters
    ----------
    tables : iterable of mapping
        Day to rows, for each table that is dated by purchases or cases.

    Returns
    -------
    datetime.date or None
        None without a day from 1900 on.

    Notes
    -----
    The bulk is the year with the most rows. A line dated 2099 in purchases of 2024 would otherwise become the data's own last
    day, and nothing would ever be too late.

    Examples
    --------
    >>> own_last_day([{date(2024, 1, 5): 900, date(2024, 3, 1): 40, date(2099, 1, 1): 1}])
    datetime.date(2024, 3, 1)
    """
    rows: Counter[int] = Counter()
    days: dict[int, list[date]] = {}
    for day, count in (item for counts in tables for item in counts.items()):
        if day >= EARLIEST.date():
            rows[day.year] += count
            days.setdefault(day.year, []).append(day)
    if not rows:
        return None
    bulk = max(rows, key=lambda year: (rows[year], year))
    last = max(days[bulk])
    for year in sorted(year for year in days if year > bulk):
        if (min(days[year]) - last).days > FAR_FUTURE_DAYS:
            break
        last = max(days[year])
    return last


def usual_weekdays(counts: DayCounts) -> set[int]:
    """
    Return the weekdays on which there usually are rows.

    Parameters
    ----------
    counts : mapping
        Day to rows.

    Returns
    -------
    set of int
        0 is Monday. Usually: on at least half of its days between the first and the last, which are at least four.
    """
    if not counts:
        return set()
    had = [0] * 7
    for day in counts:
        had[day.weekday()] += 1
    days = [0] * 7
    for day in _days(min(counts), max(counts)):
        days[day.weekday()] += 1
    return {
        weekday for weekday in range(7) if days[weekday] >= LEAST_WEEKS and had[weekday] >= USUAL_SHARE * days[weekday]
    }


def missing_days(counts: DayCounts) -> tuple[list[date], int]:
    """
    Return the days without any row whose weekday usually has some.

    Parameters
    ----------
    counts : mapping
        Day to rows.

    Returns
    -------
    list of datetime.date
        In order, between the first and the last day.
    int
        How many days of such weekdays there are.
    """
    usual = usual_weekdays(counts)
    expected = [day for day in _days(min(counts), max(counts)) if day.weekday() in usual] if usual else []
    return [day for day in expected if day not in counts], len(expected)


def within(counts: DayCounts, last_day: date | None) -> dict[date, int]:
    """
    Return the counts of plausible days.

    Parameters
    ----------
    counts : mapping
        Day to rows.
    last_day : datetime.date, optional
        The data's own.

    Returns
    -------
    dict
        Those from 1900 to that day.
    """
    return {day: count for day, count in counts.items() if EARLIEST.date() <= day <= (last_day or date.max)}


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
