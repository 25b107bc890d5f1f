"""
What customers buy as of a day: their spend by category, product, channel or another text column of the purchases.

When and for how much belongs in :mod:`crm_analysis.features.purchases`; groups of customers with like needs are found in
:mod:`crm_analysis.models.segmentation`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta

import numpy as np
import pandas as pd

from crm_analysis.errors import SourceSchemaError, TooFewRecordsError
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.snapshot import Snapshot
from crm_analysis.tables.workspace import did_you_mean

OTHER, UNKNOWN = "(other)", "(unknown)"
_KEPT = re.compile(r"'*\((?:other|unknown)\)'*")  # labels that are ours; a source's own level of that name is quoted

# The net of a level is taken before it is cut off at 0, so that a return lowers its own level and no other.
_NET_SQL = """
WITH bought AS (
    SELECT customer_id
    FROM transactions
    WHERE occurred_at >= $start
    GROUP BY customer_id
    HAVING max(amount) > 0
),
net AS (
    SELECT customer_id, {column} AS level, sum(amount) AS spend
    FROM transactions
    WHERE occurred_at >= $start AND customer_id IN (SELECT customer_id FROM bought)
    GROUP BY customer_id, {column}
)
"""
_LEVELS_SQL = """
SELECT level
FROM net
WHERE spend > 0 AND level IS NOT NULL
GROUP BY level
ORDER BY sum(spend) DESC, level
LIMIT $most
"""
_SPEND_SQL = """
, chosen AS (SELECT unnest($levels) AS level, unnest(range($n_levels)) AS place)
SELECT customer_id,
       CASE WHEN net.level IS NULL THEN $n_levels + 1 ELSE coalesce(place, $n_levels) END AS place,
       CAST(sum(CASE WHEN spend > 0 THEN spend ELSE 0 END) AS DOUBLE) AS spend
FROM net
LEFT JOIN chosen ON net.level = chosen.level
GROUP BY ALL
ORDER BY customer_id, place
"""
_LINES_SQL = """
SELECT customer_id, count(*) AS n_lines
FROM transactions
WHERE occurred_at >= $start AND amount > 0
GROUP BY customer_id
ORDER BY customer_id
"""


def spend_by(
    known: Snapshot, column: str, *, history_days: int, most: int = 50, levels: Sequence[str] | None = None
) -> pd.DataFrame:
    """
    Sum up what each customer spent on each level of a text column of the purchases.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    column : str
        ``category``, ``product_id``, ``channel`` or another text column of transactions.
    history_days : int
        Days looked back on, the day itself included.
    most : int
        As many levels, those with most spend, get a column of their own.
    levels : sequence of str, optional
        These instead, in this order, named as the columns of an earlier answer: so that two days compare.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted), everybody who bought within the history; money. Columns by falling spend (equal ones by
        name), then :data:`OTHER` for all other levels and :data:`UNKNOWN` for lines without a level; both are always there. A
        level that is itself called so stands in quotes: ``'(other)'``.

    Raises
    ------
    SourceSchemaError
        Transactions have no such column, it is no text, or no line has a value.
    TooFewRecordsError
        Nobody bought within the history.

    Notes
    -----
    Spend is net of returns, each on its own day; a level on which a customer's net is negative counts as 0. Levels are summed up
    in SQL and only those with a column of their own are spread, so that ten thousand categories cost no more memory than fifty.
    """
    if history_days < 1 or most < 1:
        raise ValueError(f"history_days and most must be at least 1, got {history_days!r} and {most!r}")
    _check_column(known, column)
    start = _start(known, history_days)
    net = _NET_SQL.format(column=identifier(column))
    if levels is None:
        given = known.query(net + _LEVELS_SQL, {"start": start, "most": most})["level"].tolist()
    else:
        given = [_level(label) for label in levels]
        if len(set(given)) < len(given) or {OTHER, UNKNOWN} & set(levels):
            raise ValueError(f"levels must differ and leave out {OTHER} and {UNKNOWN}, got {list(levels)!r}")
    asked = {"start": start, "levels": given, "n_levels": len(given)}
    spend = known.query(net + _SPEND_SQL.replace("$levels", "CAST($levels AS VARCHAR[])"), asked)
    if spend.empty:
        raise _nobody_bought(known, history_days)
    return _spread(spend, [*map(_label, given), OTHER, UNKNOWN])


def lines_bought(known: Snapshot, *, history_days: int) -> pd.Series[int]:
    """
    Count the lines that each customer bought: whether they are enough to tell what somebody needs.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    history_days : int
        Days looked back on, the day itself included.

    Returns
    -------
    pandas.Series
        ``n_lines``, lines of positive amount, over ``customer_id`` (sorted); the customers of :func:`spend_by`.

    Raises
    ------
    TooFewRecordsError
        Nobody bought within the history.
    """
    if history_days < 1:
        raise ValueError(f"history_days must be at least 1, got {history_days!r}")
    lines = known.query(_LINES_SQL, {"start": _start(known, history_days)}).set_index("customer_id")
    if lines.empty:
        raise _nobody_bought(known, history_days)
    return lines["n_lines"]


def shares(spend: pd.DataFrame) -> pd.DataFrame:
    """
    Turn each customer's spend into shares of it.

    Parameters
    ----------
    spend : pandas.DataFrame
        A row a customer, a column a level; money, never negative.

    Returns
    -------
    pandas.DataFrame
        The same table; a row adds up to 1, or is missing where the customer's spend is 0.

    Examples
    --------
    >>> shares(pd.DataFrame({"tea": [3.0, 0.0], "milk": [1.0, 0.0]}, index=["ann", "bob"]))
          tea  milk
    ann  0.75  0.25
    bob   NaN   NaN
    """
    totals = spend.sum(axis="columns")
    return spend.div(totals.where(totals > 0), axis="index")


def has_levels(known: Snapshot, column: str) -> bool:
    """
    Return whether purchases tell a text column.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    column : str
        A column of transactions.

    Returns
    -------
    bool
        False where the source has no such column, or no line has a value.
    """
    return _types(known).get(column) == "VARCHAR" and _n_values(known, column) > 0


def _check_column(known: Snapshot, column: str) -> None:
    """Raise when purchases cannot be told apart by a column."""
    types = _types(known)
    texts = [name for name, kind in types.items() if kind == "VARCHAR" and name != "customer_id"]
    if column not in types:
        fault = f"has no column {column!r}{did_you_mean(column, texts)}"
    elif column not in texts:
        fault = f"cannot be split by {column!r}, which holds {'customers' if column == 'customer_id' else 'no text'}"
    elif _n_values(known, column) == 0:
        fault = f"has no value in column {column!r} as of {known.as_of}: its source has none"
    else:
        return
    raise SourceSchemaError(
        f"Table transactions {fault}. Its text columns are {', '.join(texts)}. Choose another one, or map the source's own "
        "name under tables.transactions.columns in the dataset file."
    )


def _types(known: Snapshot) -> dict[str, str]:
    """Return the columns of transactions with their SQL types."""
    known.require("transactions")
    described = known.query("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM transactions)")
    return dict(zip(described["column_name"], described["column_type"], strict=True))


def _n_values(known: Snapshot, column: str) -> int:
    return int(known.query(f"SELECT count({identifier(column)}) AS n FROM transactions")["n"].iloc[0])  # noqa: S608 - quoted


def _spread(spend: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Return rows of customer, place and spend as a table of customers and places."""
    rows, customers = pd.factorize(spend["customer_id"])
    table = np.zeros((len(customers), len(labels)))
    table[rows, spend["place"].to_numpy()] = spend["spend"].to_numpy()
    return pd.DataFrame(table, index=pd.Index(customers, name="customer_id"), columns=pd.Index(labels))


def _label(level: str) -> str:
    """Return a level's column, in quotes where it would pass for one of ours."""
    return f"'{level}'" if _KEPT.fullmatch(level) else level


def _level(label: str) -> str:
    return label[1:-1] if _KEPT.fullmatch(label) else label


def _start(known: Snapshot, history_days: int) -> datetime:
    """Return the first moment of the history."""
    return datetime.combine(known.as_of - timedelta(days=history_days - 1), time())


def _nobody_bought(known: Snapshot, history_days: int) -> TooFewRecordsError:
    return TooFewRecordsError(
        f"No customer bought within the {history_days} days up to {known.as_of}. Use a longer history_days or another as_of."
    )
