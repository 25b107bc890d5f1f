"""
What is known of a service case when it opens, how it turned out, and how much service a customer had, as of a day.

Models and their judgement live in :mod:`crm_analysis.models.service_quality`. What becomes known only while a case is
worked on (its reassignments, its reopens, its first response) is never a feature here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pandas as pd

from crm_analysis.tables.snapshot import Snapshot

LEVELS = ("team", "channel", "category", "priority")
NUMBERS = (
    "opened_weekday",
    "opened_hour",
    "target_hours",
    "earlier_cases",
    "earlier_missed",
    "days_since_last_case",
    "team_open_cases",
)
OUTCOMES = ("sla_missed", "low_satisfaction")
CONTACTS = ("service_contacts", "open_cases", "missed_cases", "mean_satisfaction")

# Counts of what was open, or already missed, at a moment are running sums over events: one sort, no join over ranges.
# At equal times a case counts neither another one that opens with it, nor a miss that is seen with it.
_FEATURES_SQL = """
WITH cases AS (
    SELECT *,
           coalesce(team, '') AS desk,
           CASE WHEN due_at IS NOT NULL AND coalesce(resolved_at, $known_until) > due_at THEN greatest(due_at, opened_at)
                WHEN due_at IS NULL AND NOT sla_met THEN greatest(resolved_at, opened_at) END AS missed_at
    FROM service_cases
),
desk_events AS (
    SELECT case_id, desk, opened_at AS happened_at, CASE WHEN resolved_at <= opened_at THEN 0 ELSE 1 END AS step
    FROM cases
    UNION ALL
    SELECT NULL, desk, resolved_at, -1
    FROM cases
    WHERE resolved_at > opened_at
),
desk_sums AS (
    SELECT case_id,
           sum(step) OVER (PARTITION BY desk ORDER BY happened_at)
           - sum(CASE WHEN case_id IS NOT NULL THEN step ELSE 0 END) OVER (PARTITION BY desk, happened_at) AS n_open
    FROM desk_events
),
miss_events AS (
    SELECT case_id, customer_id, opened_at AS happened_at, 0 AS step FROM cases
    UNION ALL
    SELECT NULL, customer_id, missed_at, 1 FROM cases WHERE missed_at IS NOT NULL
),
miss_sums AS (
    SELECT case_id, sum(step) OVER (PARTITION BY customer_id ORDER BY happened_at, step) AS n_missed
    FROM miss_events
)
SELECT case_id,
       customer_id,
       opened_at,
       team,
       channel,
       category,
       priority,
       CAST(isodow(opened_at) AS BIGINT) AS opened_weekday,
       CAST(hour(opened_at) AS BIGINT) AS opened_hour,
       round(datediff('second', opened_at, due_at) / 3600.0, 2)::DOUBLE AS target_hours,
       rank() OVER (PARTITION BY customer_id ORDER BY opened_at) - 1 AS earlier_cases,
       CAST(n_missed AS BIGINT) AS earlier_missed,
       round(datediff('second', max(opened_at) OVER strictly_before, opened_at) / 86400.0, 2)::DOUBLE
           AS days_since_last_case,
       CAST(n_open AS BIGINT) AS team_open_cases
FROM cases
JOIN desk_sums USING (case_id)
JOIN miss_sums USING (case_id)
WINDOW strictly_before AS (
    PARTITION BY customer_id ORDER BY opened_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
)
ORDER BY opened_at, case_id
"""

_OUTCOMES_SQL = """
SELECT case_id,
       opened_at,
       due_at,
       CAST(resolved_at IS NULL AS BIGINT) AS is_open,
       CAST(CASE WHEN due_at IS NULL THEN NOT sla_met
                 WHEN due_at < $known_until THEN resolved_at IS NULL OR resolved_at > due_at END AS BIGINT) AS sla_missed,
       CAST(satisfaction <= $low AS BIGINT) AS low_satisfaction
FROM service_cases
ORDER BY opened_at, case_id
"""

_CONTACTS_SQL = """
SELECT customer_id,
       count(*) AS service_contacts,
       count(CASE WHEN resolved_at IS NULL THEN 1 END) AS open_cases,
       CASE WHEN (SELECT count(due_at) + count(sla_met) FROM service_cases) > 0
            THEN count(CASE WHEN due_at IS NULL AND NOT sla_met OR coalesce(resolved_at, $known_until) > due_at THEN 1 END)
            END AS missed_cases,
       sum(satisfaction) / CAST(count(satisfaction) AS DOUBLE) AS mean_satisfaction
FROM service_cases
WHERE opened_at >= $start
GROUP BY customer_id
ORDER BY customer_id
"""


def case_features(known: Snapshot) -> pd.DataFrame:
    """
    Return what was known of each case at the moment it opened.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening: ``case_id``, ``customer_id``, ``opened_at``; the levels of
        :data:`LEVELS` (missing where unknown); and the numbers of :data:`NUMBERS`: ISO weekday (1 is Monday), hour,
        hours from opening to due time, earlier cases of the customer, how many of them had visibly missed their target,
        days since the customer's last case (missing for the first), and other open cases of the team.

    Notes
    -----
    Everything is as of the opening, so a later snapshot gives the same values. An earlier case has visibly missed its
    target once its due time has passed unresolved; without a due time, once it is resolved and ``sla_met`` is false.
    Cases of no team count as one team.
    """
    features = known.query(_FEATURES_SQL, {"known_until": _midnight_after(known.as_of)})
    return features.astype(
        {**dict.fromkeys(LEVELS, "str"), "target_hours": "float64", "days_since_last_case": "float64"}
    )


def case_outcomes(known: Snapshot, *, low_satisfaction_at_most: int = 2) -> pd.DataFrame:
    """
    Return how each case had turned out by the end of the snapshot's day.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.
    low_satisfaction_at_most : int
        Answers up to this one (of 1 to 5) are low.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening: ``case_id``, ``opened_at``, ``due_at``, ``is_open``, and the outcomes
        ``sla_missed`` and ``low_satisfaction``, each missing while it is not known.

    Raises
    ------
    ValueError
        The limit is not between 1 and 4.

    Notes
    -----
    ``sla_missed`` is known once a case is due: then it was resolved in time, or it missed, open or not. Cases not yet due
    are left out on both sides, even if resolved: a met target is seen earlier than a missed one, which would flatter the
    latest days. Where there is no due time, it is the contrary of ``sla_met``, known at the resolution.
    ``low_satisfaction`` is missing where the customer has not answered.
    """
    if low_satisfaction_at_most not in {1, 2, 3, 4}:
        raise ValueError(f"low_satisfaction_at_most must be 1, 2, 3 or 4, got {low_satisfaction_at_most!r}")
    parameters = {"known_until": _midnight_after(known.as_of), "low": low_satisfaction_at_most}
    flags = dict.fromkeys(("is_open", *OUTCOMES), "boolean")
    return known.query(_OUTCOMES_SQL, parameters).astype({**flags, "is_open": "bool"})


def service_contacts(known: Snapshot, *, history_days: int) -> pd.DataFrame:
    """
    Count each customer's cases that were opened within the history.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day; it needs ``service_cases``.
    history_days : int
        Days looked back on, the day itself included.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted), customers with such a case; the columns of :data:`CONTACTS`: ``service_contacts``
        (cases), ``open_cases`` (of these, not resolved by the end of the day), ``missed_cases`` (of these, with a visibly missed
        target), ``mean_satisfaction`` (of the answers, 1 to 5; missing without any).

    Notes
    -----
    A target is visibly missed as in :func:`case_outcomes`: the due time has passed unresolved or was met too late; without a due
    time, once resolved with ``sla_met`` false. ``missed_cases`` is missing for everybody where no case known has a due time or
    ``sla_met``: the source does not tell.
    """
    if history_days < 1:
        raise ValueError(f"history_days must be at least 1, got {history_days!r}")
    start = datetime.combine(known.as_of - timedelta(days=history_days - 1), time())
    parameters = {"start": start, "known_until": _midnight_after(known.as_of)}
    contacts = known.query(_CONTACTS_SQL, parameters).set_index("customer_id")
    return contacts.astype({"missed_cases": "float64", "mean_satisfaction": "float64"})


def tells_targets(known: Snapshot) -> bool:
    """
    Return whether any case known has a due time or says whether it met its target.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.

    Returns
    -------
    bool
        False: how many cases missed their target is not 0 but unknown.
    """
    return bool(known.query("SELECT count(due_at) + count(sla_met) AS told FROM service_cases")["told"].iloc[0])


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())
