"""
Returns matched to the purchases that they take back, for the report: no row is changed by it.

Whether returns count at all is the rule ``returns`` of :mod:`crm_analysis.tables.cleaning.purchases`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import duckdb

_UNITS_TYPE = "DECIMAL(18, 4)"


@dataclass(frozen=True)
class ReturnsMatched:
    """
    How many returns take back an earlier purchase that the table holds.

    Attributes
    ----------
    rows, matched_rows, unmatched_rows : int
        Lines of a negative amount: all, those matched as a whole, the others.
    amount, matched_amount, unmatched_amount : decimal.Decimal
        Their (negative) money.
    median_days : float or None
        From purchase to return, over matched lines; None: there are none.
    """

    rows: int
    amount: Decimal
    matched_rows: int
    matched_amount: Decimal
    unmatched_rows: int
    unmatched_amount: Decimal
    median_days: float | None


def returns_matched(connection: duckdb.DuckDBPyConnection, relation: str) -> ReturnsMatched:
    """
    Match returns to earlier purchases of the same customer and product.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted name: transactions.

    Returns
    -------
    ReturnsMatched
        One row of figures.

    Notes
    -----
    A return is a line of a negative amount, a purchase one of a positive. A return takes units from purchases of the same
    customer and the same product at or before its own time, the oldest first, and no purchase gives back more than it
    had. Units are the absolute quantity; among lines of a customer without a product, or where any line of that customer
    and product has no quantity, they are the absolute amount. A return is matched when purchases give all of its units;
    one that finds fewer is unmatched, but what it found is taken. Its days run from the purchase of its last unit.
    Lines without a customer are unmatched.

    With P and R the units bought and returned so far, what was returned beyond all purchases is
    ``L = max(0, max over earlier times of R − P)``; matched so far is ``R − L``, and the units between two such values
    are found among the purchases at that position.
    """
    row = connection.execute(_query(connection, relation)).fetchone()
    rows, amount, matched_rows, matched_amount, days = row or (0, None, 0, None, None)
    total, matched = amount or Decimal(0), matched_amount or Decimal(0)
    return ReturnsMatched(
        rows=rows,
        amount=total,
        matched_rows=matched_rows,
        matched_amount=matched,
        unmatched_rows=rows - matched_rows,
        unmatched_amount=total - matched,
        median_days=None if days is None else round(days, 3),
    )


def _query(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
    product = "product_id" if "product_id" in columns else "CAST(NULL AS VARCHAR)"
    quantity = f"nullif(TRY_CAST(abs(quantity) AS {_UNITS_TYPE}), 0)" if "quantity" in columns else "NULL"
    in_time = "PARTITION BY customer_id, product ORDER BY occurred_at, is_return, units, amount"
    so_far = f"OVER ({in_time} ROWS UNBOUNDED PRECEDING)"
    in_turn = f"{in_time}, bought, returned"  # which tells equal lines apart
    return f"""
        WITH given AS (
            SELECT customer_id, {product} AS product, occurred_at, amount, amount < 0 AS is_return, {quantity} AS quantity
            FROM {relation} WHERE amount <> 0
        ),
        lines AS (SELECT * FROM given WHERE customer_id IS NOT NULL AND occurred_at IS NOT NULL),
        concerned AS (
            SELECT lines.* FROM lines SEMI JOIN (SELECT DISTINCT customer_id, product FROM lines WHERE is_return) AS r
            ON lines.customer_id = r.customer_id AND lines.product IS NOT DISTINCT FROM r.product
        ),
        measured AS (
            SELECT * EXCLUDE (quantity), CAST(CASE
                WHEN product IS NOT NULL AND bool_and(quantity IS NOT NULL) OVER (PARTITION BY customer_id, product)
                THEN quantity ELSE abs(amount) END AS {_UNITS_TYPE}) AS units
            FROM concerned
        ),
        summed AS (
            SELECT *, sum(CASE WHEN is_return THEN 0 ELSE units END) {so_far} AS bought,
                sum(CASE WHEN is_return THEN units ELSE 0 END) {so_far} AS returned
            FROM measured
        ),
        lost AS (SELECT *, greatest(max(returned - bought) OVER ({in_turn} ROWS UNBOUNDED PRECEDING), 0) AS beyond FROM summed),
        taken AS (SELECT *, returned - beyond AS taken FROM lost),
        found AS (SELECT *, taken - coalesce(lag(taken) OVER ({in_turn}), 0) AS units_found FROM taken),
        matched AS (
            SELECT r.amount, date_diff('second', p.occurred_at, r.occurred_at) / 86400.0 AS days
            FROM (FROM found WHERE is_return AND units_found = units) AS r
            ASOF JOIN (
                SELECT customer_id, coalesce(product, '') AS product, product IS NULL AS no_product,
                    bought - units AS starts, occurred_at
                FROM found WHERE NOT is_return
            ) AS p
            ON r.customer_id = p.customer_id AND coalesce(r.product, '') = p.product AND (r.product IS NULL) = p.no_product
                AND r.taken > p.starts
        )
        SELECT (SELECT count(*) FROM given WHERE is_return), (SELECT sum(amount) FROM given WHERE is_return),
            count(*), sum(amount), median(days) FROM matched
    """
