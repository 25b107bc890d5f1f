"""
How customers buy as of a day: how regularly, whether more or less than before, in which baskets, at which discount.

When and for how much belongs in :mod:`crm_analysis.features.purchases`, what is bought in :mod:`crm_analysis.features.needs`.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.tables.snapshot import Snapshot

BEHAVIOUR = ("inter_purchase_cv", "spend_trend", "basket_size", "discount_share", "return_share")

# Days before the history only tell who bought before; gaps are whole numbers, so that their squares add up exactly.
_BEHAVIOUR_SQL = """
WITH days AS (
    SELECT customer_id,
           CAST(occurred_at AS DATE) AS day,
           sum(amount) AS spend,
           count(CASE WHEN amount > 0 THEN 1 END) AS bought_lines,
           sum(CASE WHEN amount > 0 THEN amount END) AS bought,
           sum(CASE WHEN amount < 0 THEN -amount END) AS returned,
           sum(CASE WHEN amount > 0 THEN discount END) AS discount
    FROM transactions
    GROUP BY customer_id, CAST(occurred_at AS DATE)
),
purchase_gaps AS (
    SELECT customer_id,
           datediff('day', lag(day) OVER (PARTITION BY customer_id ORDER BY day), day) AS gap
    FROM days
    WHERE day > $history_start AND bought_lines > 0
),
gaps AS (
    SELECT customer_id, count(gap) AS n, sum(gap) AS total, sum(gap * gap) AS squares
    FROM purchase_gaps
    GROUP BY customer_id
),
observed AS (
    SELECT customer_id,
           greatest(min(CASE WHEN bought_lines > 0 THEN day END), $history_start) AS start,
           datediff('day', greatest(min(CASE WHEN bought_lines > 0 THEN day END), $history_start), $as_of) // 2 AS half
    FROM days
    GROUP BY customer_id
),
sums AS (
    SELECT days.customer_id,
           sum(bought_lines) AS bought_lines,
           count(CASE WHEN bought_lines > 0 THEN 1 END) AS frequency,
           sum(bought) AS bought,
           coalesce(sum(returned), 0) AS returned,
           coalesce(sum(discount), 0) AS discount,
           coalesce(sum(CASE WHEN datediff('day', day, $as_of) < half THEN spend END), 0) AS later,
           coalesce(sum(CASE WHEN day > start AND datediff('day', start, day) <= half THEN spend END), 0) AS earlier
    FROM days
    JOIN observed ON days.customer_id = observed.customer_id
    WHERE day > $history_start
    GROUP BY days.customer_id
)
SELECT sums.customer_id,
       CASE WHEN n > 1 THEN sqrt(n * (n * squares - total * total) / CAST(n - 1 AS DOUBLE)) / total END AS inter_purchase_cv,
       CASE WHEN later <> 0 OR earlier <> 0
            THEN CAST(later - earlier AS DOUBLE) / CAST(abs(later) + abs(earlier) AS DOUBLE) END AS spend_trend,
       bought_lines / CAST(frequency AS DOUBLE) AS basket_size,
       CASE WHEN (SELECT count(discount) FROM transactions) > 0
            THEN CAST(discount AS DOUBLE) / CAST(bought + discount AS DOUBLE) END AS discount_share,
       least(CAST(returned AS DOUBLE) / CAST(bought AS DOUBLE), 1) AS return_share
FROM sums
JOIN gaps ON sums.customer_id = gaps.customer_id
WHERE frequency > 0
ORDER BY sums.customer_id
"""


def behaviour_features(known: Snapshot, *, history_days: int) -> pd.DataFrame:
    """
    Describe how each customer who bought within the history buys.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    history_days : int
        Days looked back on, the day itself included.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted), the customers of :func:`~crm_analysis.features.purchases.purchase_features`; the columns
        of :data:`BEHAVIOUR`, numbers without a unit but ``basket_size`` (lines a purchase day). Missing: not defined.

    Raises
    ------
    TooFewRecordsError
        Nobody bought within the history.

    Notes
    -----
    - ``inter_purchase_cv``: standard deviation (of the sample) ÷ mean of the days between successive purchase days; 0: like a
      clock, 1: as if by chance. Missing with fewer than three purchase days.
    - ``spend_trend``: (later − earlier) ÷ (abs(later) + abs(earlier)), from −1 to 1, with the net spend of the last and of the
      first half of the days observed. These are the history, or where the first purchase ever lies within it, the days after
      that purchase: it is there by definition, and would make every new customer seem to fall. The middle one of an odd
      number of days belongs to neither half. Missing where both halves are 0.
    - ``basket_size``: lines of positive amount ÷ purchase days.
    - ``discount_share``: discounts ÷ (amounts + discounts) over the lines of positive amount; a line without a discount has
      none. Missing where no line known has a discount at all: the source does not tell.
    - ``return_share``: money returned ÷ money bought, each on its own day within the history; at most 1, since what goes
      beyond takes back earlier purchases.
    """
    if history_days < 1:
        raise ValueError(f"history_days must be at least 1, got {history_days!r}")
    parameters = {"as_of": known.as_of, "history_start": known.as_of - timedelta(days=history_days)}
    features = known.query(_BEHAVIOUR_SQL, parameters).set_index("customer_id").astype("float64")
    if features.empty:
        raise TooFewRecordsError(
            f"No customer bought within the {history_days} days up to {known.as_of}. "
            "Use a longer history_days or another as_of."
        )
    return features
