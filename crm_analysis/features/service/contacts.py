"""
How much service each customer had, as of a day.

What single cases were like belongs in :mod:`crm_analysis.features.service.courses`.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pandas as pd

from crm_analysis.features.service.known_time import has_rows, midnight_after
from crm_analysis.tables.snapshot import Snapshot

_KNOW_CUSTOMERS = ("customers", "transactions", "service_cases")

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
        Index ``customer_id`` (sorted), customers with such a case; the columns of :data:`~crm_analysis.features.service.attributes.CONTACTS`: ``service_contacts``
        (cases), ``open_cases`` (of these, not resolved by the end of the day), ``missed_cases`` (of these, with a visibly missed
        target), ``mean_satisfaction`` (of the answers, 1 to 5; missing without any).

    Notes
    -----
    A target is visibly missed as in :func:`~crm_analysis.features.service.outcomes.case_outcomes`: the due time has passed unresolved or was met too late; without a due
    time, once resolved with ``sla_met`` false. ``missed_cases`` is missing for everybody where no case known has a due time or
    ``sla_met``: the source does not tell.
    """
    if history_days < 1:
        raise ValueError(f"history_days must be at least 1, got {history_days!r}")
    start = datetime.combine(known.as_of - timedelta(days=history_days - 1), time())
    parameters = {"start": start, "known_until": midnight_after(known.as_of)}
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


def n_customers_known(known: Snapshot) -> int:
    """
    Count the customers known by the end of the snapshot's day, with a case or without.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day.

    Returns
    -------
    int
        Distinct customers over ``customers``, ``transactions`` and ``service_cases``, as far as the dataset has them.

    Notes
    -----
    Where the dataset has service cases only, everybody known has had a case, and contacts a customer overstate the rate.
    """
    parts = [f"SELECT customer_id FROM {table}" for table in _KNOW_CUSTOMERS if has_rows(known, table)]  # noqa: S608 - constants
    if not parts:
        return 0
    counted = known.query(f"SELECT count(DISTINCT customer_id) AS n FROM ({' UNION ALL '.join(parts)})")  # noqa: S608 - constants
    return int(counted["n"].iloc[0])
