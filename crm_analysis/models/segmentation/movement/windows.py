"""
Two days that compare: histories of the same length, as far as the data reach back.

What moved between the days is counted in :mod:`crm_analysis.models.segmentation.movement.result`.
"""

from __future__ import annotations

from datetime import date, timedelta

from crm_analysis.errors import TooFewRecordsError

LEAST_HISTORY_DAYS = 60


def movement_windows(first_day: date, as_of: date, *, movement_days: int, history_days: int) -> tuple[date, int]:
    """
    Return the earlier day, and the history that can be looked back on at both days.

    Parameters
    ----------
    first_day : datetime.date
        The first day of the data.
    as_of : datetime.date
        The later day.
    movement_days : int
        Days between the two.
    history_days : int
        Days to be looked back on, if the data allow.

    Returns
    -------
    as_of_before : datetime.date
        The earlier day.
    history_days : int
        As asked for, or shorter: with a longer one, customers would seem to move only because less was known of them then.

    Raises
    ------
    TooFewRecordsError
        The common history is shorter than the movement, or than 60 days.

    Examples
    --------
    >>> movement_windows(date(2017, 1, 1), date(2017, 12, 31), movement_days=90, history_days=365)
    (datetime.date(2017, 10, 2), 275)
    """
    if movement_days < 1 or history_days < 1:
        raise ValueError(
            f"movement_days and history_days must be at least 1, got {movement_days!r} and {history_days!r}"
        )
    as_of_before = as_of - timedelta(days=movement_days)
    common = min(history_days, (as_of_before - first_day).days + 1)
    least = max(LEAST_HISTORY_DAYS, movement_days)
    if common < least:
        raise TooFewRecordsError(
            f"Segments on {as_of_before} and {as_of} can look back on {max(common, 0)} days each (the data begin on {first_day}, "
            f"history_days is {history_days}); at least {least} are needed. Use a shorter movement_days, a longer "
            "history_days or a later as_of."
        )
    return as_of_before, common


def leaving_day(as_of_before: date, *, movement_days: int, history_days: int) -> date | None:
    """
    Return the last of the days that the history loses between the two days.

    Parameters
    ----------
    as_of_before : datetime.date
        The earlier day.
    movement_days : int
        Days to the later day.
    history_days : int
        Days looked back on.

    Returns
    -------
    datetime.date or None
        The purchases of the `movement_days` up to it are what leaves the history; None where the whole history leaves.

    Examples
    --------
    >>> leaving_day(date(2017, 10, 2), movement_days=90, history_days=275)
    datetime.date(2017, 3, 31)
    """
    if movement_days >= history_days:
        return None
    return as_of_before - timedelta(days=history_days - movement_days)
