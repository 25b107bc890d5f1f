"""Where what is known of service ends, and which tables were known by then."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from crm_analysis.errors import EmptyTableError
from crm_analysis.tables.snapshot import Snapshot


def midnight_after(day: date) -> datetime:
    """
    Return the first moment that is not known at the end of a day.

    Parameters
    ----------
    day : datetime.date
        The last day known.

    Returns
    -------
    datetime.datetime
        The next midnight.

    Examples
    --------
    >>> midnight_after(date(2024, 2, 29)).isoformat()
    '2024-03-01T00:00:00'
    """
    return datetime.combine(day + timedelta(days=1), time())


def has_rows(known: Snapshot, table: str) -> bool:
    """
    Return whether a dataset has a table, and any row of it was known on the day.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    table : str
        A canonical table.

    Returns
    -------
    bool
        False: the dataset lacks the table, or its early days have no row yet.
    """
    try:
        known.require(*({table} & known.tables))
    except EmptyTableError:
        return False
    return table in known.tables
