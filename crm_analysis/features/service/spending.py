"""
What the customer of a case had bought before, where the dataset knows of purchases.

What a customer bought around any given day belongs in :mod:`crm_analysis.features.service.experiences`.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from crm_analysis.features.service.attributes import SPENDING
from crm_analysis.features.service.known_time import has_rows
from crm_analysis.tables.snapshot import Snapshot

SPENDING_DAYS = 365

# Days of cases stand among the days with purchases, with nothing bought: one sort, and the earlier days of each row.
_SPENDING_SQL = """
WITH asked AS (
    SELECT DISTINCT customer_id, datediff('day', DATE '1970-01-01', CAST(opened_at + $age AS DATE)) AS day
    FROM service_cases
),
days AS (
    SELECT customer_id, day, TRUE AS is_asked, 0 AS spend, NULL AS bought_on
    FROM asked
    UNION ALL
    SELECT customer_id,
           datediff('day', DATE '1970-01-01', CAST(occurred_at AS DATE)),
           FALSE,
           sum(amount),
           max(CASE WHEN amount > 0 THEN datediff('day', DATE '1970-01-01', CAST(occurred_at AS DATE)) END)
    FROM transactions
    WHERE customer_id IN (SELECT customer_id FROM asked)
    GROUP BY customer_id, CAST(occurred_at AS DATE)
),
sums AS (
    SELECT customer_id,
           day,
           is_asked,
           sum(spend) OVER lately AS spend,
           count(bought_on) OVER lately AS n_days,
           max(bought_on) OVER ever AS last_day,
           min(bought_on) OVER ever AS first_day
    FROM days
    WINDOW lately AS (PARTITION BY customer_id ORDER BY day RANGE BETWEEN $n_days PRECEDING AND 1 PRECEDING),
           ever AS (PARTITION BY customer_id ORDER BY day RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT coalesce(CAST(spend AS DOUBLE), 0) AS spend_before,
       n_days AS purchase_days_before,
       day - last_day AS days_since_last_purchase,
       day - first_day AS customer_days
FROM service_cases
JOIN sums ON sums.customer_id = service_cases.customer_id
         AND sums.day = datediff('day', DATE '1970-01-01', CAST(opened_at + $age AS DATE))
WHERE is_asked
ORDER BY opened_at, case_id
"""


def spending_before(known: Snapshot, *, age_hours: float = 0) -> pd.DataFrame:
    """
    Return what the customer of each case had bought before the day on which the case had its age.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.
    age_hours : float
        Hours since the opening.

    Returns
    -------
    pandas.DataFrame
        A row per case in the order of opening, with the columns of :data:`~crm_analysis.features.service.attributes.SPENDING`:
        net spend and purchase days of the 365 days before, days since the last purchase day and since the first (missing
        before the first). Where the dataset has no ``transactions``, all are missing: what was not recorded is not 0.

    Notes
    -----
    Purchases of the day itself do not count: which of them came before the case is not always known. A return counts on its
    own day; a purchase day has a line of positive amount.
    """
    if has_rows(known, "transactions"):
        parameters = {"age": timedelta(hours=age_hours), "n_days": SPENDING_DAYS}
        return known.query(_SPENDING_SQL, parameters).astype("float64")
    n_cases = int(known.query("SELECT count(*) AS n FROM service_cases")["n"].iloc[0])
    spending = pd.DataFrame(float("nan"), index=range(n_cases), columns=list(SPENDING))
    if "transactions" in known.tables:  # nobody has bought anything yet: early days of a dataset
        spending[["spend_before", "purchase_days_before"]] = 0.0
    return spending
