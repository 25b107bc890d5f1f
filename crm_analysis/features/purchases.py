"""
What is known of a customer's purchases as of a day: recency, frequency, monetary value and their recent parts.

How customers buy (behaviour), what they buy (needs) and how they were served have modules of their own. Every function
takes a snapshot, which carries its day, so that nothing later can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Filter, Snapshot

FEATURES = (
    "recency_days",
    "frequency",
    "spend",
    "monetary_value",
    "tenure_days",
    "observed_days",
    "inter_purchase_days",
    "recent_spend",
    "recent_frequency",
)

# A purchase day is a day with at least one line of positive amount; returns count in the spend of their own day.
_FEATURES_SQL = """
WITH days AS (
    SELECT customer_id, CAST(occurred_at AS DATE) AS day, sum(amount) AS spend, max(amount) > 0 AS bought
    FROM transactions
    GROUP BY customer_id, CAST(occurred_at AS DATE)
),
customers_seen AS (
    SELECT customer_id,
           min(CASE WHEN bought THEN day END) AS first_ever,
           min(CASE WHEN bought AND day > $history_start THEN day END) AS first_day,
           max(CASE WHEN bought AND day > $history_start THEN day END) AS last_day,
           count(CASE WHEN bought AND day > $history_start THEN 1 END) AS frequency,
           sum(CASE WHEN day > $history_start THEN spend END) AS spend,
           count(CASE WHEN bought AND day > $recent_start THEN 1 END) AS recent_frequency,
           sum(CASE WHEN day > $recent_start THEN spend END) AS recent_spend
    FROM days
    GROUP BY customer_id
)
SELECT customer_id,
       datediff('day', last_day, $as_of) AS recency_days,
       frequency,
       CAST(spend AS DOUBLE) AS spend,
       CAST(spend AS DOUBLE) / frequency AS monetary_value,
       datediff('day', first_ever, $as_of) AS tenure_days,
       least($history_days, datediff('day', first_ever, $as_of) + 1) AS observed_days,
       CASE WHEN frequency > 1 THEN datediff('day', first_day, last_day) / CAST(frequency - 1 AS DOUBLE)
            ELSE least($history_days, datediff('day', first_ever, $as_of) + 1) END AS inter_purchase_days,
       CAST(coalesce(recent_spend, 0) AS DOUBLE) AS recent_spend,
       recent_frequency
FROM customers_seen
WHERE frequency > 0
ORDER BY customer_id
"""

_AHEAD_SQL = """
WITH days AS (
    SELECT customer_id, CAST(occurred_at AS DATE) AS day, sum(amount) AS spend, max(amount) > 0 AS bought
    FROM transactions
    WHERE occurred_at >= $start AND occurred_at < $end
    GROUP BY customer_id, CAST(occurred_at AS DATE)
)
SELECT customer_id, CAST(sum(spend) AS DOUBLE) AS spend_ahead, count(CASE WHEN bought THEN 1 END) AS transactions_ahead
FROM days
GROUP BY customer_id
ORDER BY customer_id
"""


# Two levels, because lines may exceed memory: sums by customer and day spill to disk, lists or sets by customer would not.
_REPEATS_SQL = """
WITH purchase_days AS (
    SELECT customer_id, CAST(occurred_at AS DATE) AS day, sum(amount) AS spend
    FROM transactions
    GROUP BY customer_id, CAST(occurred_at AS DATE)
    HAVING max(amount) > 0
)
SELECT customer_id,
       count(*) - 1 AS frequency,
       datediff('day', min(day), max(day)) AS recency,
       datediff('day', min(day), $as_of) AS T,
       CASE WHEN count(*) > 1 THEN CAST(sum(spend) - min_by(spend, day) AS DOUBLE) / (count(*) - 1) ELSE 0 END
           AS monetary_value
FROM purchase_days
GROUP BY customer_id
ORDER BY customer_id
"""


def purchase_features(known: Snapshot, *, history_days: int, horizon_days: int = 90) -> pd.DataFrame:
    """
    Describe the purchases of each customer who bought within the history.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    history_days : int
        Days looked back on, the day itself included.
    horizon_days : int
        Length of the recent part, days.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted); the columns of :data:`FEATURES`: days, counts of purchase days, and money.

    Raises
    ------
    TooFewRecordsError
        Nobody bought within the history.

    Notes
    -----
    ``frequency`` counts distinct days with a purchase (a line of positive amount), ``monetary_value`` is the net spend a
    purchase day, ``tenure_days`` reaches back to the first purchase ever, ``observed_days`` is its part within the history.

    References
    ----------
    Fader, Hardie, Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4), for the terms.
    """
    if history_days < 1 or horizon_days < 1:
        raise ValueError(f"history_days and horizon_days must be at least 1, got {history_days!r} and {horizon_days!r}")
    as_of = known.as_of
    parameters = {
        "as_of": as_of,
        "history_days": history_days,
        "history_start": as_of - timedelta(days=history_days),
        "recent_start": as_of - timedelta(days=min(horizon_days, history_days)),
    }
    features = known.query(_FEATURES_SQL, parameters).set_index("customer_id")
    if features.empty:
        raise TooFewRecordsError(
            f"No customer bought within the {history_days} days up to {as_of}. Use a longer history_days or another as_of."
        )
    return features


def repeat_purchases(known: Snapshot) -> pd.DataFrame:
    """
    Sum up each customer's purchases in the terms of the models of repeat buying.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted), everybody who ever bought: ``frequency`` (repeat purchase days), ``recency`` (days from
        the first purchase day to the last), ``T`` (days from the first purchase day to the day known), ``monetary_value`` (mean
        net spend of the repeat purchase days, money; 0 without one, as the models expect).

    Raises
    ------
    TooFewRecordsError
        Nobody has bought.

    Notes
    -----
    The first purchase day makes somebody a customer and is no repeat; its spend is left out. A purchase day has a line of
    positive amount, as in :func:`purchase_features`. A return counts on its own day: on a purchase day it lowers that day's
    spend (which may become negative), on another day it belongs to no purchase and is left out. Without returns, the numbers
    are those of lines of positive amount alone.

    References
    ----------
    Fader, Hardie (2013), "The Gamma-Gamma Model of Monetary Value". Fader, Hardie, Lee (2005), "Counting Your Customers the
    Easy Way", Marketing Science 24(2).
    """
    purchases = known.query(_REPEATS_SQL, {"as_of": known.as_of}).set_index("customer_id")
    if purchases.empty:
        raise TooFewRecordsError(f"No customer has bought anything by {known.as_of}. Use a later as_of.")
    return purchases


def purchases_ahead(known: Snapshot, *, after: date, horizon_days: int) -> pd.DataFrame:
    """
    Sum up what each customer bought within the horizon after an origin.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day on or after the horizon's end.
    after : datetime.date
        The origin; the horizon begins the next day.
    horizon_days : int
        Days.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id``; ``spend_ahead`` (net money), ``transactions_ahead`` (purchase days). Only customers with a line.
    """
    end = after + timedelta(days=horizon_days)
    if end > known.as_of:
        raise ValueError(f"the horizon ends on {end}, but the snapshot knows only {known.as_of}")
    midnight = time()
    parameters = {
        "start": datetime.combine(after + timedelta(days=1), midnight),
        "end": datetime.combine(end + timedelta(days=1), midnight),
    }
    return known.query(_AHEAD_SQL, parameters).set_index("customer_id")


def purchase_panel(
    dataset: Dataset,
    *,
    periods: Sequence[tuple[date, int]],
    history_days: int,
    recent_days: int,
    where: Filter | None = None,
) -> pd.DataFrame:
    """
    Stack, for several origins, what was known of each customer and what came after.

    Parameters
    ----------
    dataset : Dataset
        Shows its tables as of any day.
    periods : sequence of (datetime.date, int)
        Days from which a forecast is made, each with the days ahead that are looked at; they must lie within the data.
    history_days : int
        Days looked back on.
    recent_days : int
        Length of the recent part of the history, days.
    where : mapping, optional
        Only customers with these attributes.

    Returns
    -------
    pandas.DataFrame
        A row a period and customer: ``origin``, ``days_ahead``, ``customer_id``, the columns of :func:`forecasting_features`,
        ``spend_ahead``, ``transactions_ahead`` (0 where nothing came).

    Notes
    -----
    Features come from the snapshot of their origin and targets from that of their period's end: what was known then,
    cleaned with what was known then.
    """
    parts = []
    for origin, days_ahead in sorted(periods):
        features = forecasting_features(
            dataset.known(origin, where=where), history_days=history_days, recent_days=recent_days
        )
        end = dataset.known(origin + timedelta(days=days_ahead), where=where)
        joined = features.join(purchases_ahead(end, after=origin, horizon_days=days_ahead))
        joined["spend_ahead"] = joined["spend_ahead"].fillna(0.0)
        joined["transactions_ahead"] = joined["transactions_ahead"].fillna(0).astype("int64")
        joined.insert(0, "days_ahead", days_ahead)
        parts.append(joined.reset_index())
    panel = pd.concat(parts, ignore_index=True)
    return panel[["origin", "days_ahead", *panel.columns.drop(["origin", "days_ahead"])]]


def forecasting_features(known: Snapshot, *, history_days: int, recent_days: int) -> pd.DataFrame:
    """
    Describe each customer who bought within the history as forecasts see them.

    Parameters
    ----------
    known : Snapshot
        The tables as of the origin.
    history_days : int
        Days looked back on, the day itself included.
    recent_days : int
        Length of the recent part, days.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted); ``origin``, the columns of :data:`FEATURES`, and ``repeat_purchases``: purchase days after the
        first one ever, whether within the history or before.

    Raises
    ------
    TooFewRecordsError
        Nobody bought within the history.
    """
    features = purchase_features(known, history_days=history_days, horizon_days=recent_days)
    features.insert(0, "origin", pd.Timestamp(known.as_of).as_unit("us"))
    repeats = repeat_purchases(known)["frequency"].rename("repeat_purchases")
    return features.join(repeats.astype("int64"))


def repeat_panel(dataset: Dataset, *, origins: Sequence[date], where: Filter | None = None) -> pd.DataFrame:
    """
    Stack, for several origins, everybody's repeat purchases.

    Parameters
    ----------
    dataset : Dataset
        Shows its tables as of any day.
    origins : sequence of datetime.date
        The days.
    where : mapping, optional
        Only customers with these attributes.

    Returns
    -------
    pandas.DataFrame
        A row an origin and customer, also those who bought before the history only: ``origin``, ``customer_id`` and the columns of
        :func:`repeat_purchases`.
    """
    parts = [
        repeat_purchases(dataset.known(origin, where=where))
        .reset_index()
        .assign(origin=pd.Timestamp(origin).as_unit("us"))
        for origin in sorted(set(origins))
    ]
    return pd.concat(parts, ignore_index=True)
