"""
The course of each service case: when it opened, was answered and resolved, and what it said, as of a day.

What was known of a case at a moment belongs in :mod:`crm_analysis.features.service.openings`, whether it turned out badly in
:mod:`crm_analysis.features.service.outcomes`.
"""

from __future__ import annotations

from types import MappingProxyType

import pandas as pd

from crm_analysis.features.service.known_time import midnight_after
from crm_analysis.tables.snapshot import Snapshot

# A time before the opening counts as the opening: no case was answered or resolved before it was there.
_COURSES_SQL = """
SELECT case_id,
       customer_id,
       opened_at,
       team,
       channel,
       category,
       priority,
       CASE WHEN first_response_at IS NOT NULL THEN greatest(datediff('microsecond', opened_at, first_response_at), 0) END / 3.6e9
           AS first_response_hours,
       CASE WHEN resolved_at IS NOT NULL THEN greatest(datediff('microsecond', opened_at, resolved_at), 0) END / 3.6e9
           AS resolution_hours,
       greatest(datediff('microsecond', opened_at, coalesce(resolved_at, $known_until)), 0) / 3.6e9 AS observed_hours,
       resolved_at IS NULL AS is_open,
       datediff('microsecond', opened_at, due_at) / 3.6e9 AS target_hours,
       CASE WHEN due_at IS NULL THEN NOT sla_met
            WHEN due_at < $known_until THEN resolved_at IS NULL OR resolved_at > due_at END AS sla_missed,
       satisfaction,
       reassignments,
       reopens,
       due_at
FROM service_cases
ORDER BY opened_at, case_id
"""

_TEXTS_SQL = """
SELECT case_id,
       customer_id,
       opened_at,
       category,
       nullif(trim(text), '') AS text,
       satisfaction
FROM service_cases
ORDER BY opened_at, case_id
"""

_TYPES = MappingProxyType(
    {
        **dict.fromkeys(("case_id", "customer_id", "team", "channel", "category", "priority", "text"), "str"),
        **dict.fromkeys(("first_response_hours", "resolution_hours", "observed_hours", "target_hours"), "float64"),
        **dict.fromkeys(("satisfaction", "reassignments", "reopens"), "Int64"),
        **dict.fromkeys(("opened_at", "due_at"), "datetime64[us]"),
        "is_open": "bool",
        "sla_missed": "boolean",
    }
)


def case_courses(known: Snapshot) -> pd.DataFrame:
    """
    Return the course of each case as far as it was known by the end of the snapshot's day.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening: ``case_id``, ``customer_id``, ``opened_at``, ``team``, ``channel``,
        ``category``, ``priority`` (missing where unknown); in hours from the opening: ``first_response_hours`` (missing while
        there is none), ``resolution_hours`` (missing while open), ``observed_hours`` (to the resolution, or to the end of the
        day while open), ``target_hours`` (missing without a due time); ``is_open``; ``sla_missed`` as in
        :func:`~crm_analysis.features.service.outcomes.case_outcomes`; ``satisfaction`` (1 to 5), ``reassignments``,
        ``reopens`` (missing while open, or where the source does not tell); ``due_at``.

    Notes
    -----
    An open case has lasted at least ``observed_hours``: it is censored there, and a mean over resolved cases alone would leave
    out the longest. A response or a resolution dated before the opening counts as at the opening.
    """
    return _typed(known.query(_COURSES_SQL, {"known_until": midnight_after(known.as_of)}))


def case_texts(known: Snapshot) -> pd.DataFrame:
    """
    Return what each case says, beside its category and the customer's answer.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening: ``case_id``, ``customer_id``, ``opened_at``, ``category``, ``text`` (missing
        where there is none, or only blanks) and ``satisfaction`` (1 to 5, missing without an answer).
    """
    return _typed(known.query(_TEXTS_SQL))


def _typed(cases: pd.DataFrame) -> pd.DataFrame:
    return cases.astype({name: kind for name, kind in _TYPES.items() if name in cases})
