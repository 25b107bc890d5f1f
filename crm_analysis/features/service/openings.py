"""
What was known of each service case when it opened, or when it had reached some age.

How a case turned out belongs in :mod:`crm_analysis.features.service.outcomes`. What becomes known only while a case is worked
on (its reassignments, its reopens, its resolution) is never a feature here; its first response is, once the case has an age.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from crm_analysis.features.service.attributes import LEVELS, LOW_SATISFACTION, NUMBERS, RESPONSES, SPENDING
from crm_analysis.features.service.extras import extra_columns
from crm_analysis.features.service.known_time import midnight_after
from crm_analysis.features.service.spending import spending_before
from crm_analysis.tables.snapshot import Snapshot

LOAD_DAYS = 7
MOST_AGE_HOURS = 24 * 3653  # ten years
_SOMETIMES_MISSING = ("target_hours", "earlier_satisfaction", "days_since_last_case", "first_response_hours")

# What was open, missed or answered at a moment are running sums over events: one sort, no join over ranges. At equal times
# closings come first (turn 0), then the question (1), then all else (2): a case counts neither another one that opens at
# its moment, nor a miss or an answer that is seen at it. Its own events are taken off.
_FEATURES_SQL = """
WITH cases AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY opened_at, case_id) AS place,
           case_id,
           customer_id,
           opened_at,
           team,
           channel,
           category,
           priority,
           due_at,
           first_response_at,
           satisfaction,
           opened_at + $age AS asked_at,
           CASE WHEN $age > INTERVAL 0 SECOND THEN 1 ELSE 0 END AS own,
           CASE WHEN resolved_at IS NOT NULL THEN greatest(resolved_at, opened_at) END AS closed_at,
           CASE WHEN due_at IS NOT NULL AND coalesce(resolved_at, $known_until) > due_at THEN greatest(due_at, opened_at)
                WHEN due_at IS NULL AND NOT sla_met THEN greatest(resolved_at, opened_at) END AS missed_at,
           max(opened_at) OVER (
               PARTITION BY customer_id ORDER BY opened_at
               RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
           ) AS case_before
    FROM service_cases
),
desks AS MATERIALIZED (
    SELECT coalesce(team, '') AS name, row_number() OVER (ORDER BY coalesce(team, '')) AS desk, min(opened_at) AS first_opened_at
    FROM cases
    GROUP BY coalesce(team, '')
),
at_desks AS MATERIALIZED (
    SELECT place, desk, first_opened_at, opened_at, closed_at, asked_at, own
    FROM cases
    JOIN desks ON desks.name = coalesce(team, '')
),
customer_events AS (
    SELECT place, customer_id, asked_at AS happened_at, 1 AS turn, 0 AS came, 0 AS opened, 0 AS missed, 0 AS low, NULL AS answer
    FROM cases
    WHERE asked_at < $known_until AND (own = 0 OR closed_at IS NULL OR closed_at > asked_at)
    UNION ALL
    SELECT NULL, customer_id, opened_at, 2, 1, CASE WHEN closed_at = opened_at THEN 0 ELSE 1 END, 0, 0, NULL FROM cases
    UNION ALL
    SELECT NULL, customer_id, closed_at, 0, 0, -1, 0, 0, NULL FROM cases WHERE closed_at > opened_at
    UNION ALL
    SELECT NULL, customer_id, missed_at, 2, 0, 0, 1, 0, NULL FROM cases WHERE missed_at IS NOT NULL
    UNION ALL
    SELECT NULL, customer_id, closed_at, 2, 0, 0, 0, CASE WHEN satisfaction <= $low THEN 1 ELSE 0 END, satisfaction
    FROM cases
    WHERE satisfaction IS NOT NULL AND closed_at IS NOT NULL
),
customer_sums AS (
    SELECT place,
           sum(came) OVER so_far AS n_cases,
           sum(opened) OVER so_far AS n_open,
           sum(missed) OVER so_far AS n_missed,
           sum(low) OVER so_far AS n_low,
           sum(answer) OVER so_far AS answers,
           count(answer) OVER so_far AS n_answers
    FROM customer_events
    WINDOW so_far AS (PARTITION BY customer_id ORDER BY happened_at, turn)
),
desk_events AS (
    SELECT place, desk, asked_at AS happened_at, 1 AS turn, 0 AS came, 0 AS opened, 0 AS recent
    FROM at_desks
    WHERE asked_at < $known_until AND (own = 0 OR closed_at IS NULL OR closed_at > asked_at)
    UNION ALL
    SELECT NULL, desk, opened_at, 2, 1, CASE WHEN closed_at = opened_at THEN 0 ELSE 1 END, 1 FROM at_desks
    UNION ALL
    SELECT NULL, desk, closed_at, 0, 0, -1, 0 FROM at_desks WHERE closed_at > opened_at
    UNION ALL
    SELECT NULL, desk, opened_at + $load, 2, 0, 0, -1 FROM at_desks
),
desk_sums AS (
    SELECT place,
           sum(came) OVER so_far AS n_cases,
           sum(opened) OVER so_far AS n_open,
           sum(recent) OVER so_far AS n_recent
    FROM desk_events
    WINDOW so_far AS (PARTITION BY desk ORDER BY happened_at, turn)
),
loads AS (
    SELECT desk_sums.place,
           n_open - own AS n_open,
           n_recent - CASE WHEN own = 1 AND opened_at >= asked_at - $load THEN 1 ELSE 0 END AS n_recent,
           n_cases - own AS n_cases,
           greatest(datediff('second', first_opened_at, asked_at) / 86400.0, 1.0) AS n_days
    FROM desk_sums
    JOIN at_desks ON at_desks.place = desk_sums.place
)
SELECT CAST(cases.place - 1 AS BIGINT) AS place,
       case_id,
       customer_id,
       opened_at,
       team,
       channel,
       category,
       priority,
       CAST(isodow(opened_at) AS BIGINT) AS opened_weekday,
       CAST(hour(opened_at) AS BIGINT) AS opened_hour,
       round(datediff('second', opened_at, due_at) / 3600.0, 2)::DOUBLE AS target_hours,
       CAST(customer_sums.n_cases - own AS BIGINT) AS earlier_cases,
       CAST(n_missed - CASE WHEN missed_at < asked_at THEN 1 ELSE 0 END AS BIGINT) AS earlier_missed,
       CAST(n_low AS BIGINT) AS earlier_low,
       CASE WHEN n_answers > 0 THEN answers / CAST(n_answers AS DOUBLE) END AS earlier_satisfaction,
       round(datediff('second', case_before, asked_at) / 86400.0, 2)::DOUBLE AS days_since_last_case,
       CAST(customer_sums.n_open - own AS BIGINT) AS customer_open_cases,
       CAST(loads.n_open AS BIGINT) AS team_open_cases,
       CAST(loads.n_recent AS BIGINT) AS team_recent_cases,
       round(least(greatest(ln((n_recent / least(n_days, $load_days) + 0.5) / (loads.n_cases / n_days + 0.5)), -1), 1), 4)::DOUBLE
           AS team_load,
       CASE WHEN first_response_at <= asked_at THEN 1 ELSE 0 END AS is_responded,
       CASE WHEN first_response_at <= asked_at THEN round(greatest(datediff('second', opened_at, first_response_at), 0) / 3600.0, 2) END
           AS first_response_hours
FROM cases
JOIN customer_sums ON customer_sums.place = cases.place
JOIN loads ON loads.place = cases.place
ORDER BY cases.place
"""


def case_features(known: Snapshot, *, age_hours: float = 0, extra: Sequence[str] = ()) -> pd.DataFrame:
    """
    Return what was known of each case at the moment it opened, or when it was some hours old.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``, and takes purchases from ``transactions`` where there are any.
    age_hours : float
        Hours since the opening; the moment is the opening plus these.
    extra : sequence of str
        Further columns of ``service_cases`` that the dataset has: text is taken as levels, numbers as they are.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening: ``case_id``, ``customer_id``, ``opened_at``; the levels of :data:`LEVELS`
        (missing where unknown); the numbers of :data:`NUMBERS`; at an age above 0 those of :data:`RESPONSES`; the extra
        columns. With an age, only the cases that were still open at their moment, and had reached it by the end of the day.

        ``opened_weekday`` (ISO, 1 is Monday), ``opened_hour``, ``target_hours`` (opening to due time); of the customer's other
        cases: ``earlier_cases`` (opened before), ``earlier_missed`` (of these, those that had visibly missed their target),
        ``earlier_low`` (of these, those given an answer of at most 2), ``earlier_satisfaction`` (mean of their answers;
        missing without any), ``days_since_last_case`` (from the opening of the case before this one; missing for the first),
        ``customer_open_cases``; of the team's other cases: ``team_open_cases``, ``team_recent_cases`` (opened within the last
        seven days) and ``team_load``; of the customer's purchases up to the day before: ``spend_before`` and
        ``purchase_days_before`` (365 days), ``days_since_last_purchase``, ``customer_days`` (since the first purchase), all
        missing in a dataset without purchases; ``is_responded`` (0 or 1) and ``first_response_hours`` (missing when not yet).

    Raises
    ------
    ParamsError
        An extra column is not there, or is not fit for a feature.
    ValueError
        The age is negative, beyond ten years or no number.

    Notes
    -----
    Everything is as of the moment, so a later snapshot gives the same values. An earlier case has visibly missed its
    target once its due time has passed unresolved; without a due time, once it is resolved and ``sla_met`` is false. An answer
    is known with the resolution of its case. Cases of no team count as one team.

    ``team_load`` is the logarithm of the team's daily intake within the last seven days against its daily intake since its
    first case, half a case added to both, between −1 and 1: 0 is as usual.
    """
    if not 0 <= age_hours <= MOST_AGE_HOURS:
        raise ValueError(f"age_hours must lie between 0 and {MOST_AGE_HOURS}, got {age_hours!r}")
    further = extra_columns(known, extra) if extra else None
    parameters = {
        "known_until": midnight_after(known.as_of),
        "age": timedelta(hours=age_hours),
        "load": timedelta(days=LOAD_DAYS),
        "load_days": LOAD_DAYS,
        "low": LOW_SATISFACTION,
    }
    features = known.query(_FEATURES_SQL, parameters)
    features[[*SPENDING]] = spending_before(known, age_hours=age_hours).to_numpy()[features["place"]]
    features = features.astype({**dict.fromkeys(LEVELS, "str"), **dict.fromkeys(_SOMETIMES_MISSING, "float64")})
    responses = RESPONSES if age_hours else ()
    features = features[["case_id", "customer_id", "opened_at", *LEVELS, *NUMBERS, *responses]]
    return features if further is None else features.join(further, on="case_id")
