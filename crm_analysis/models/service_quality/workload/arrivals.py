"""
Cases by the day on which they opened, over the days that the table of cases really covers.

Forecasts of these counts are made in :mod:`crm_analysis.models.service_quality.workload.volume`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import pandas as pd

from crm_analysis.errors import DataQualityError

CHANCE_OF_NONE = 0.001
ENOUGH_SAME_WEEKDAYS = 3


@dataclass(frozen=True)
class DailyCases:
    """
    Cases a day, without gaps.

    Attributes
    ----------
    table : pandas.DataFrame
        Index ``day``; ``cases`` and ``customers`` of the day, 0 where none opened.
    left_out : tuple of pandas.Timestamp
        First or last days left out, because the table covers only a part of them.
    n_days_uncovered : int
        Days up to ``as_of`` that the table does not reach.
    """

    table: pd.DataFrame
    left_out: tuple[pd.Timestamp, ...]
    n_days_uncovered: int

    @property
    def counts(self) -> pd.Series:
        """The cases, as floats."""
        return self.table["cases"].astype("float64")


def daily_cases(courses: pd.DataFrame, *, as_of: date) -> DailyCases:
    """
    Count the cases opened on each day.

    Parameters
    ----------
    courses : pandas.DataFrame
        A row a case: ``customer_id``, ``opened_at``.
    as_of : datetime.date
        The last day known.

    Returns
    -------
    DailyCases
        From the first case's day to `as_of`, or to the last case's day where so long a silence cannot be chance.

    Raises
    ------
    DataQualityError
        A case has no time of opening, or opened after `as_of`.

    Notes
    -----
    Data often begin or end in the middle of a day. The first day is left out where none of its cases lies in a part of the
    day in which, by the other days, some would have come but with a chance of 0.1 % (Poisson); the last one likewise.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-05-01 09:00", "2024-05-03 10:00", "2024-05-03 11:00"])
    >>> cases = pd.DataFrame({"customer_id": ["a", "b", "b"], "opened_at": days})
    >>> daily_cases(cases, as_of=date(2024, 5, 4)).table["cases"].tolist()
    [1, 0, 2, 0]
    """
    last = pd.Timestamp(as_of)
    _check_times(courses, last)
    days = courses["opened_at"].dt.normalize()
    table = (
        (
            courses.assign(day=days)
            .groupby("day")
            .agg(cases=("customer_id", "size"), customers=("customer_id", "nunique"))
            .reindex(pd.date_range(days.min(), last, name="day"), fill_value=0)
        )
        if len(courses)
        else pd.DataFrame({"cases": [], "customers": []}, index=pd.DatetimeIndex([], name="day"), dtype="int64")
    )
    covered = table.loc[: _last_covered_day(table)]
    partial = _partial_days(courses["opened_at"], covered)
    return DailyCases(covered.drop(index=list(partial)), partial, len(table) - len(covered))


def _check_times(courses: pd.DataFrame, last: pd.Timestamp) -> None:
    """Raise where a case has no time, or one beyond what is known."""
    missing, later = courses["opened_at"].isna(), courses["opened_at"] >= last + pd.Timedelta(days=1)
    if missing.any() or later.any():
        raise DataQualityError(
            f"Of {len(courses)} cases, {int(missing.sum())} have no opened_at and {int(later.sum())} opened after "
            f"{last:%Y-%m-%d}, in service_cases. Take them from a snapshot of that day."
        )


def _last_covered_day(table: pd.DataFrame) -> pd.Timestamp | None:
    """Return the last case's day where nothing afterwards is hardly chance, else the last day."""
    if table.empty:
        return None
    last_case = pd.Timestamp(table.index[table["cases"] > 0][-1])
    heard, silent = table.loc[:last_case, "cases"], table.index[table.index > last_case]
    expected = sum(_usual(heard, day) for day in silent)
    last: pd.Timestamp = last_case if math.exp(-expected) < CHANCE_OF_NONE else table.index[-1]
    return last


def _partial_days(opened_at: pd.Series, covered: pd.DataFrame) -> tuple[pd.Timestamp, ...]:
    """Return the first and last days that lack a part in which cases must have come."""
    if len(covered) < 2:
        return ()
    days = opened_at.dt.normalize()
    time_of_day = opened_at - days
    found = []
    for day in (covered.index[0], covered.index[-1]):
        own, others = time_of_day[days == day], time_of_day[days != day]
        if own.empty or others.empty:
            continue
        outside = others < own.min() if day == covered.index[0] else others > own.max()
        expected = _usual(covered["cases"].drop(index=day), day) * float(outside.mean())
        if math.exp(-expected) < CHANCE_OF_NONE:
            found.append(day)
    return tuple(found)


def _usual(counts: pd.Series, day: pd.Timestamp) -> float:
    """Return how many cases come on such a weekday; on any day where there are too few of them."""
    same = counts[pd.DatetimeIndex(counts.index).day_of_week == day.day_of_week]
    return float((same if len(same) >= ENOUGH_SAME_WEEKDAYS else counts).mean())
