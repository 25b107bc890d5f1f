"""
What the business as a whole took, week by week or month by month, and how much of it from customers known before.

What single customers bought belongs in :mod:`crm_analysis.features.purchases`. Every function looks at snapshots, which
carry their day, so that nothing later can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Filter, Snapshot

Period = Literal["week", "month"]

MEASURES = ("revenue", "orders", "active_customers")
DAYS_A_WEEK = 7

# Blocks of seven days end on the day known, so that the latest one is whole.
_PERIOD_START = {
    "week": "CAST($as_of - CAST(datediff('day', day, $as_of) // 7 * 7 + 6 AS INTEGER) AS DATE)",
    "month": "CAST(date_trunc('month', day) AS DATE)",
}

# Three levels, because lines may exceed memory: sums by customer and day spill to disk, sets of customers would not.
_SERIES_SQL = """
WITH days AS (
    SELECT customer_id, CAST(occurred_at AS DATE) AS day, sum(amount) AS spend, max(amount) > 0 AS bought
    FROM transactions
    GROUP BY customer_id, CAST(occurred_at AS DATE)
),
customer_periods AS (
    SELECT customer_id, {period_start} AS period_start, sum(spend) AS spend, count(CASE WHEN bought THEN 1 END) AS orders
    FROM days
    GROUP BY customer_id, {period_start}
)
SELECT period_start,
       CAST(coalesce(sum(spend), 0) AS DOUBLE) AS revenue,
       CAST(sum(orders) AS BIGINT) AS orders,
       count(CASE WHEN orders > 0 THEN 1 END) AS active_customers
FROM customer_periods
GROUP BY period_start
ORDER BY period_start
"""

_FIRST_DAY_SQL = "SELECT CAST(min(occurred_at) AS DATE) AS first_day FROM transactions"

_ACQUAINTANCE_SQL = """
WITH days AS (
    SELECT customer_id, CAST(occurred_at AS DATE) AS day, sum(amount) AS spend, max(amount) > 0 AS bought
    FROM transactions
    GROUP BY customer_id, CAST(occurred_at AS DATE)
),
customers_seen AS (
    SELECT customer_id,
           count(CASE WHEN bought AND day <= $origin THEN 1 END) AS before,
           count(CASE WHEN bought AND day <= $origin AND day > $history_start THEN 1 END) AS lately,
           count(CASE WHEN day > $origin AND day <= $horizon_end THEN 1 END) AS days_ahead,
           coalesce(sum(CASE WHEN day > $origin AND day <= $horizon_end THEN spend END), 0) AS ahead,
           count(CASE WHEN bought AND day > $origin AND day <= $horizon_end THEN 1 END) AS orders_ahead
    FROM days
    GROUP BY customer_id
)
SELECT CAST(coalesce(sum(CASE WHEN lately > 0 THEN ahead END), 0) AS DOUBLE) AS known_revenue,
       CAST(coalesce(sum(CASE WHEN lately = 0 AND before > 0 THEN ahead END), 0) AS DOUBLE) AS returning_revenue,
       CAST(coalesce(sum(CASE WHEN before = 0 THEN ahead END), 0) AS DOUBLE) AS new_revenue,
       CAST(coalesce(sum(ahead), 0) AS DOUBLE) AS total_revenue,
       CAST(coalesce(sum(CASE WHEN lately > 0 THEN orders_ahead END), 0) AS BIGINT) AS known_orders,
       CAST(coalesce(sum(CASE WHEN lately = 0 AND before > 0 THEN orders_ahead END), 0) AS BIGINT) AS returning_orders,
       CAST(coalesce(sum(CASE WHEN before = 0 THEN orders_ahead END), 0) AS BIGINT) AS new_orders,
       CAST(coalesce(sum(orders_ahead), 0) AS BIGINT) AS total_orders,
       count(CASE WHEN lately > 0 AND days_ahead > 0 THEN 1 END) AS known_customers,
       count(CASE WHEN lately = 0 AND before > 0 AND days_ahead > 0 THEN 1 END) AS returning_customers,
       count(CASE WHEN before = 0 AND days_ahead > 0 THEN 1 END) AS new_customers
FROM customers_seen
"""


@dataclass(frozen=True)
class BusinessSeries:
    """
    What the business took in whole periods of equal kind, without a gap.

    Attributes
    ----------
    period : {"week", "month"}
        A week is a block of seven days; the last one ends on ``as_of``. A month is a calendar month.
    as_of : datetime.date
        The last day known, inclusive.
    table : pandas.DataFrame
        Index ``period_start`` (ascending, no gap): ``days`` in the period, ``revenue`` (net of returns, money), ``orders``
        (purchase days of customers), ``active_customers`` (distinct customers with a purchase day). 0 where nobody came.
    days_before, days_after : int
        Days left out at either end, because their period is not whole.
    """

    period: Period
    as_of: date
    table: pd.DataFrame
    days_before: int
    days_after: int


def business_series(known: Snapshot, *, period: Period = "week") -> BusinessSeries:
    """
    Sum up what the business took in each whole period.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    period : {"week", "month"}
        Blocks of seven days counted back from the day known, or calendar months.

    Returns
    -------
    BusinessSeries
        From the first whole period since the first line to the last one that was over on the day known.

    Raises
    ------
    TooFewRecordsError
        No period is whole.

    Notes
    -----
    Weeks are counted back from the day known rather than from Mondays: the latest point is a whole week, nothing recent is
    thrown away, and each block holds every weekday once. What is left out lies at the beginning of the data, where a week
    that began before the first line would look weaker than it was. Months keep their calendar; an unfinished first or last
    one is left out, and its days are counted. A purchase day has a line of positive amount; a return counts on its own day.
    """
    if period not in _PERIOD_START:
        raise ValueError(f"period must be 'week' or 'month', got {period!r}")
    as_of = known.as_of
    first_day = pd.Timestamp(known.query(_FIRST_DAY_SQL)["first_day"].iloc[0]).date()
    starts, ends = _whole_periods(first_day, as_of, period)
    if not len(starts):
        raise TooFewRecordsError(
            f"From {first_day} to {as_of} no {period} is whole. Use a later as_of, or data that reach further back."
        )
    sql = _SERIES_SQL.replace("{period_start}", _PERIOD_START[period])
    sums = known.query(sql, {"as_of": as_of} if period == "week" else None).set_index("period_start")
    sums.index = pd.DatetimeIndex(sums.index).as_unit("us")
    table = sums.reindex(starts, fill_value=0).astype(
        {"revenue": "float64", "orders": "int64", "active_customers": "int64"}
    )
    table.insert(0, "days", (ends - starts).days + 1)
    return BusinessSeries(
        period=period,
        as_of=as_of,
        table=table,
        days_before=(starts[0].date() - first_day).days,
        days_after=(as_of - ends[-1].date()).days,
    )


def revenue_by_acquaintance(
    dataset: Dataset,
    *,
    origins: Sequence[date],
    horizon_days: int,
    history_days: int | None = None,
    where: Filter | None = None,
) -> pd.DataFrame:
    """
    Part the revenue and purchase days of earlier horizons by whether its customers were known at the origin.

    Parameters
    ----------
    dataset : Dataset
        Shows its tables as of any day.
    origins : sequence of datetime.date
        Days from which a forecast could have been made; each horizon must lie within the data.
    horizon_days : int
        Days ahead.
    history_days : int, optional
        A customer is known who bought within that many days up to the origin, as customer forecasts take it; default: ever.
    where : mapping, optional
        Only customers with these attributes.

    Returns
    -------
    pandas.DataFrame
        Index ``origin`` (ascending): ``horizon_days``, ``days_seen`` (days of data up to the origin), ``known_revenue``, ``returning_revenue``
        (bought before, but not within the history), ``new_revenue`` (no purchase before the horizon), ``total_revenue``; the
        same four of ``orders`` (purchase days); and ``known_customers``, ``returning_customers``, ``new_customers``: those with a line in the horizon.

    Notes
    -----
    The tables are those known at the horizon's end. Who bought before the data begin cannot be told from who is new: the
    fewer days the data reach back before an origin, the more of its revenue seems to come from new customers.
    """
    if horizon_days < 1 or (history_days is not None and history_days < 1):
        raise ValueError(f"horizon_days and history_days must be at least 1, got {horizon_days!r} and {history_days!r}")
    rows = []
    for origin in sorted(set(origins)):
        end = origin + timedelta(days=horizon_days)
        known = dataset.known(end, where=where)
        first_day = pd.Timestamp(known.query(_FIRST_DAY_SQL)["first_day"].iloc[0]).date()
        start = first_day - timedelta(days=1) if history_days is None else origin - timedelta(days=history_days)
        parameters = {"origin": origin, "horizon_end": end, "history_start": start}
        row = known.query(_ACQUAINTANCE_SQL, parameters)
        row.insert(0, "horizon_days", horizon_days)
        row.insert(1, "days_seen", max((origin - first_day).days + 1, 0))
        row.insert(0, "origin", pd.Timestamp(origin).as_unit("us"))
        rows.append(row)
    if not rows:
        raise ValueError("origins must hold at least one day, got none")
    return pd.concat(rows, ignore_index=True).set_index("origin")


def _whole_periods(first_day: date, as_of: date, period: Period) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Return the first and last days of the periods that lie wholly between two days."""
    if period == "week":
        n_weeks = ((as_of - first_day).days + 1) // DAYS_A_WEEK
        starts = pd.DatetimeIndex(
            pd.Timestamp(as_of) - pd.to_timedelta([DAYS_A_WEEK * n - 1 for n in range(n_weeks, 0, -1)], unit="D")
        )
        ends = starts + pd.Timedelta(days=DAYS_A_WEEK - 1)
    else:
        starts = pd.date_range(first_day, as_of, freq="MS")
        ends = starts + pd.offsets.MonthEnd(1)
        starts, ends = starts[ends <= pd.Timestamp(as_of)], ends[ends <= pd.Timestamp(as_of)]
    return pd.DatetimeIndex(starts, name="period_start").as_unit("us"), pd.DatetimeIndex(ends).as_unit("us")
