"""
On which days customers had a bad experience with service, and what they bought before and after some days.

Whether they buy less after such a day than alike customers do belongs in :mod:`crm_analysis.models.service_quality`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.features.service.attributes import LOW_SATISFACTION, check_low_limit
from crm_analysis.features.service.known_time import midnight_after
from crm_analysis.tables.snapshot import Snapshot

EXPERIENCES = ("missed_cases", "low_answers")
AROUND = (
    "spend_before_2",
    "purchase_days_before_2",
    "spend_before",
    "purchase_days_before",
    "spend_after",
    "purchase_days_after",
)

# A miss is seen when the due time passes unresolved; without a due time, at the resolution. An answer is seen at its
# case's resolution. What is dated before the opening is seen at the opening.
_EXPERIENCES_SQL = """
WITH seen AS (
    SELECT customer_id, CAST(greatest(due_at, opened_at) AS DATE) AS day, 1 AS missed, 0 AS low
    FROM service_cases
    WHERE due_at < $known_until AND coalesce(resolved_at, $known_until) > due_at
    UNION ALL
    SELECT customer_id, CAST(greatest(resolved_at, opened_at) AS DATE), 1, 0
    FROM service_cases
    WHERE due_at IS NULL AND NOT sla_met AND resolved_at IS NOT NULL
    UNION ALL
    SELECT customer_id, CAST(greatest(resolved_at, opened_at) AS DATE), 0, 1
    FROM service_cases
    WHERE satisfaction <= $low AND resolved_at IS NOT NULL
)
SELECT customer_id,
       CAST(day AS TIMESTAMP) AS day,
       CAST(sum(missed) AS BIGINT) AS missed_cases,
       CAST(sum(low) AS BIGINT) AS low_answers
FROM seen
GROUP BY customer_id, day
ORDER BY day, customer_id
"""

# Asked days stand among the days with purchases, with nothing bought: one sort, and frames of days around each row.
_AROUND_SQL = """
WITH asked AS (
    SELECT unnest($customers) AS customer_id, unnest($days) AS day, unnest($places) AS place
),
days AS (
    SELECT customer_id, day, place, 0 AS spend, 0 AS bought
    FROM asked
    UNION ALL
    SELECT customer_id,
           datediff('day', DATE '1970-01-01', CAST(occurred_at AS DATE)),
           NULL,
           sum(amount),
           max(CASE WHEN amount > 0 THEN 1 ELSE 0 END)
    FROM transactions
    WHERE customer_id IN (SELECT customer_id FROM asked)
    GROUP BY customer_id, CAST(occurred_at AS DATE)
),
sums AS (
    SELECT place,
           day,
           sum(spend) OVER before_2 AS spend_before_2,
           sum(bought) OVER before_2 AS purchase_days_before_2,
           sum(spend) OVER just_before AS spend_before,
           sum(bought) OVER just_before AS purchase_days_before,
           sum(spend) OVER just_after AS spend_after,
           sum(bought) OVER just_after AS purchase_days_after
    FROM days
    WINDOW before_2 AS (PARTITION BY customer_id ORDER BY day RANGE BETWEEN $two_windows PRECEDING AND $window + 1 PRECEDING),
           just_before AS (PARTITION BY customer_id ORDER BY day RANGE BETWEEN $window PRECEDING AND 1 PRECEDING),
           just_after AS (PARTITION BY customer_id ORDER BY day RANGE BETWEEN 1 FOLLOWING AND $window FOLLOWING)
)
SELECT day - $two_windows >= first_day AS has_before_2,
       day - $window >= first_day AS has_before,
       day + $window <= $last_day AS has_after,
       CASE WHEN has_before_2 THEN coalesce(CAST(spend_before_2 AS DOUBLE), 0) END AS spend_before_2,
       CASE WHEN has_before_2 THEN coalesce(purchase_days_before_2, 0) END AS purchase_days_before_2,
       CASE WHEN has_before THEN coalesce(CAST(spend_before AS DOUBLE), 0) END AS spend_before,
       CASE WHEN has_before THEN coalesce(purchase_days_before, 0) END AS purchase_days_before,
       CASE WHEN has_after THEN coalesce(CAST(spend_after AS DOUBLE), 0) END AS spend_after,
       CASE WHEN has_after THEN coalesce(purchase_days_after, 0) END AS purchase_days_after
FROM sums
CROSS JOIN (SELECT datediff('day', DATE '1970-01-01', CAST(min(occurred_at) AS DATE)) AS first_day FROM transactions)
WHERE place IS NOT NULL
ORDER BY place
"""


def experience_days(known: Snapshot, *, low_satisfaction_at_most: int = LOW_SATISFACTION) -> pd.DataFrame:
    """
    Return the days on which a customer saw service go wrong.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.
    low_satisfaction_at_most : int
        Answers up to this one (of 1 to 5) are low.

    Returns
    -------
    pandas.DataFrame
        One row per customer and day with a bad experience, in the order of the days: ``customer_id``, ``day`` (midnight),
        ``missed_cases`` (cases whose target was seen to be missed that day) and ``low_answers`` (cases given a low answer).

    Raises
    ------
    ValueError
        The limit is not between 1 and 4.

    Notes
    -----
    A missed target is seen when the due time passes unresolved; without a due time, at the resolution with ``sla_met`` false.
    The source dates no answers: one counts on the day of its case's resolution, and the customer's opinion may be older.
    A later snapshot gives the same rows for the days known before.
    """
    check_low_limit(low_satisfaction_at_most)
    parameters = {"known_until": midnight_after(known.as_of), "low": low_satisfaction_at_most}
    return known.query(_EXPERIENCES_SQL, parameters).astype({"customer_id": "str", "day": "datetime64[us]"})


def purchases_around(known: Snapshot, events: pd.DataFrame, *, window_days: int) -> pd.DataFrame:
    """
    Sum up what customers bought before and after given days.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``transactions``.
    events : pandas.DataFrame
        ``customer_id`` and ``day`` (a time; its day counts), one row per question; a pair may be asked twice.
    window_days : int
        Length of each window, days.

    Returns
    -------
    pandas.DataFrame
        A row per row of `events`, in their order: ``customer_id``, ``day``; net spend and purchase days in three windows:
        ``spend_before`` and ``purchase_days_before`` (the days just before), ``spend_after`` and ``purchase_days_after`` (just
        after), ``spend_before_2`` and ``purchase_days_before_2`` (the window before the one before); and whether a window lies
        within the time known: ``has_before``, ``has_after``, ``has_before_2``. Where it does not, its sums are missing.

    Raises
    ------
    ValueError
        The window is shorter than a day, or a row lacks its customer or day.

    Notes
    -----
    The day itself is in no window. Time is known from the first purchase of anybody to the snapshot's day. A return counts on
    its own day; a purchase day has a line of positive amount. Whoever bought nothing has 0. The window before the one before
    shows whether customers differed already earlier, when nothing had happened yet.
    """
    if window_days < 1:
        raise ValueError(f"window_days must be at least 1, got {window_days!r}")
    if n_lacking := int(events[["customer_id", "day"]].isna().any(axis=1).sum()):
        raise ValueError(f"{n_lacking} of {len(events)} events lack their customer_id or day")
    asked = pd.DataFrame(
        {"customer_id": events["customer_id"].astype("str"), "day": pd.to_datetime(events["day"]).dt.floor("D")}
    ).reset_index(drop=True)
    sums = known.query(_AROUND_SQL, _parameters(known, asked, window_days))
    flags = dict.fromkeys(("has_before_2", "has_before", "has_after"), "bool")
    return asked.join(sums.astype({**dict.fromkeys(AROUND, "float64"), **flags}))


def _parameters(known: Snapshot, asked: pd.DataFrame, window_days: int) -> dict[str, object]:
    day_numbers = asked["day"].astype("datetime64[s]").astype("int64") // 86_400
    return {
        "customers": asked["customer_id"].tolist(),
        "days": day_numbers.tolist(),
        "places": list(range(len(asked))),
        "window": window_days,
        "two_windows": 2 * window_days,
        "last_day": pd.Timestamp(known.as_of).value // 86_400_000_000_000,
    }
