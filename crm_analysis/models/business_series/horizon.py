"""
Which days and periods lie ahead, and how much of each.

The history's own periods are made in :mod:`crm_analysis.features.series`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from crm_analysis.features.series import DAYS_A_WEEK, BusinessSeries

MEAN_DAYS = {"week": float(DAYS_A_WEEK), "month": 365.25 / 12}


@dataclass(frozen=True)
class Horizon:
    """
    The days forecast, and the periods that they lie in.

    Attributes
    ----------
    days : int
        After ``as_of``.
    first_day, last_day : datetime.date
        Of the horizon, inclusive.
    periods : pandas.DataFrame
        Index ``period_start``, from the first period after the history on; ``days`` in it and ``days_in_horizon``.
    mean_days : float
        Of a period.
    """

    days: int
    first_day: date
    last_day: date
    periods: pd.DataFrame
    mean_days: float

    @property
    def steps(self) -> int:
        """Periods to be forecast."""
        return len(self.periods)


def horizon_of(series: BusinessSeries, *, horizon_days: int | None, horizon_periods: int | None) -> Horizon:
    """
    Lay the horizon out in periods.

    Parameters
    ----------
    series : BusinessSeries
        The history.
    horizon_days : int, optional
        Days after ``as_of``.
    horizon_periods : int, optional
        Whole periods after the last whole one, in place of days.

    Returns
    -------
    Horizon
        Weeks begin the day after ``as_of``. Of a month that has begun already, only the days after ``as_of`` count.
    """
    given = horizon_days if horizon_periods is None else horizon_periods
    if (horizon_days is None) == (horizon_periods is None) or given is None or given < 1:
        raise ValueError(
            "give either horizon_days or horizon_periods, at least 1, "
            f"got horizon_days={horizon_days!r}, horizon_periods={horizon_periods!r}"
        )
    n_at_most = given if horizon_days is None else given // DAYS_A_WEEK + 2
    starts = _starts_after(series, n_at_most)
    ends = _starts_after(series, n_at_most + 1)[1:] - pd.Timedelta(days=1)
    as_of = pd.Timestamp(series.as_of)
    last_day = as_of + pd.Timedelta(days=given) if horizon_days is not None else ends[-1]
    periods = pd.DataFrame({"days": (ends - starts).days + 1}, index=starts)
    firsts, lasts = starts.where(starts > as_of, as_of + pd.Timedelta(days=1)), ends.where(ends < last_day, last_day)
    periods["days_in_horizon"] = (lasts - firsts).days + 1
    return Horizon(
        days=(last_day - as_of).days,
        first_day=series.as_of + timedelta(days=1),
        last_day=last_day.date(),
        periods=periods[starts <= last_day],
        mean_days=MEAN_DAYS[series.period],
    )


def _starts_after(series: BusinessSeries, number: int) -> pd.DatetimeIndex:
    """Return the first days of the periods after the history."""
    last = series.table.index[-1]
    frequency = pd.DateOffset(days=DAYS_A_WEEK) if series.period == "week" else pd.DateOffset(months=1)
    starts = [last + number * frequency for number in range(1, number + 1)]
    return pd.DatetimeIndex(starts, name="period_start").as_unit("us")
