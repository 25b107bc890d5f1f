"""
How service cases turned out, as of a day: each outcome is missing while it is not known.

What was known of a case earlier belongs in :mod:`crm_analysis.features.service.openings`.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from crm_analysis.features.service.attributes import LOW_SATISFACTION, OUTCOMES, check_low_limit
from crm_analysis.features.service.known_time import midnight_after
from crm_analysis.tables.snapshot import Snapshot

LONG_RESOLUTION_HOURS = 72
MOST_HOURS = 24 * 3653  # ten years

_OUTCOMES_SQL = """
SELECT case_id,
       opened_at,
       due_at,
       resolved_at,
       CAST(resolved_at IS NULL AS BIGINT) AS is_open,
       CAST(CASE WHEN due_at IS NULL THEN NOT sla_met
                 WHEN due_at < $known_until THEN resolved_at IS NULL OR resolved_at > due_at END AS BIGINT) AS sla_missed,
       CAST(satisfaction <= $low AS BIGINT) AS low_satisfaction,
       CAST(CASE WHEN opened_at + $limit < $known_until
                 THEN resolved_at IS NULL OR resolved_at > opened_at + $limit END AS BIGINT) AS long_resolution,
       CAST(CASE WHEN resolved_at IS NOT NULL THEN reopens > 0 END AS BIGINT) AS reopened
FROM service_cases
ORDER BY opened_at, case_id
"""


def case_outcomes(
    known: Snapshot,
    *,
    low_satisfaction_at_most: int = LOW_SATISFACTION,
    long_resolution_hours: float = LONG_RESOLUTION_HOURS,
) -> pd.DataFrame:
    """
    Return how each case had turned out by the end of the snapshot's day.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.
    low_satisfaction_at_most : int
        Answers up to this one (of 1 to 5) are low.
    long_resolution_hours : float
        A resolution later than this after the opening is long.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening: ``case_id``, ``opened_at``, ``due_at``, ``resolved_at``, ``is_open``, and the outcomes
        ``sla_missed``, ``low_satisfaction``, ``long_resolution`` and ``reopened``, each missing while it is not known.

    Raises
    ------
    ValueError
        A limit is not between 1 and 4, or not a number of hours above 0 and up to ten years.

    Notes
    -----
    ``sla_missed`` is known once a case is due: then it was resolved in time, or it missed, open or not. Cases not yet due
    are left out on both sides, even if resolved: a met target is seen earlier than a missed one, which would flatter the
    latest days. Where there is no due time, it is the contrary of ``sla_met``, known at the resolution.
    ``long_resolution`` is known, for the same reason, once the limit has passed since the opening, resolved or not.
    ``low_satisfaction`` is missing where the customer has not answered.
    ``reopened`` is known once a case is resolved, and missing where the source has no ``reopens``. That count has no date: it
    is the source's last word, so a case may have been reopened after the resolution and even after the day.
    """
    check_low_limit(low_satisfaction_at_most)
    if not 0 < long_resolution_hours <= MOST_HOURS:
        raise ValueError(
            f"long_resolution_hours must lie above 0 and up to {MOST_HOURS}, got {long_resolution_hours!r}"
        )
    parameters = {
        "known_until": midnight_after(known.as_of),
        "low": low_satisfaction_at_most,
        "limit": timedelta(hours=long_resolution_hours),
    }
    flags = dict.fromkeys(("is_open", *OUTCOMES), "boolean")
    return known.query(_OUTCOMES_SQL, parameters).astype({**flags, "is_open": "bool"})
