"""
Rules as a query: one ``SELECT`` with a ``CASE`` that any database runs, in plain comparisons.

What the rules are, and how far they carry, is in :mod:`crm_analysis.models.segmentation.describing.rules`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from crm_analysis.models.segmentation.describing.conditions import COMBINATIONS, Box, Combination, fraction

if TYPE_CHECKING:
    from crm_analysis.models.segmentation.describing.rules import SegmentRules

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_EXACT_DIGITS = 15
_RESERVED_WORDS = (
    "all and any as asc between by case cast check column constraint create cross current date default delete desc distinct "
    "drop else end except exists false fetch for foreign from full grant group groups having in index inner insert interval into is "
    "join key leading left like limit natural not null offset on or order outer primary range rank references right row rows "
    "select set some system table then time timestamp to trailing trigger true union unique update user using values when "
    "where window with year"
)
_RESERVED = frozenset(_RESERVED_WORDS.split())


def segment_case(
    rules: SegmentRules, *, table: str = "customer_features", comment: str = "", backticks: bool = False
) -> str:
    """
    Return the rules as a query that gives each customer's segment.

    Parameters
    ----------
    rules : SegmentRules
        One rule a segment.
    table : str
        The table of features, with ``customer_id`` and the rules' columns; ``schema.table`` where both are plain names.
    comment : str
        What is said above the query, such as the day and how far the rules carry; several lines are several comments.
    backticks : bool
        Whether to quote for MySQL and MariaDB in their default mode; matters only for names that need quoting and texts with a
        backslash.

    Returns
    -------
    str
        ``SELECT customer_id, CASE … END AS segment FROM table``, without a semicolon.

    Notes
    -----
    Comparisons, *and*, *or*, sums and products only, so that DuckDB, PostgreSQL, MySQL, MariaDB, SQLite and others give
    the labels of :meth:`~crm_analysis.models.segmentation.describing.rules.SegmentRules.label`, where the features are whole
    numbers and double precision. A combination over another feature is compared without division, as a fraction of whole numbers,
    which is exact. The rules of two segments share no customer, so that the order of the branches does not matter. Whose
    feature is null may get null, where :meth:`label` says that it cannot place the customer.

    Examples
    --------
    >>> from crm_analysis.models.segmentation.describing.conditions import Bound
    >>> from crm_analysis.models.segmentation.describing.rules import SegmentRules
    >>> leaves = (("Lapsed", {"recency_days": Bound(low=90)}), ("Recent", {"recency_days": Bound(high=90)}))
    >>> rules = SegmentRules(("recency_days",), ("recency_days",), ("Lapsed", "Recent"), leaves, 1.0)
    >>> print(segment_case(rules))
    SELECT
        customer_id,
        CASE
            WHEN recency_days > 90
                THEN 'Lapsed'
            WHEN recency_days <= 90
                THEN 'Recent'
        END AS segment
    FROM customer_features
    """
    lines = [f"-- {line}".rstrip() for line in comment.splitlines()]
    lines += ["SELECT", "    customer_id,", "    CASE"]
    for segment in dict.fromkeys(name for name, _ in rules.leaves):
        boxes = [_box(box, rules.columns, backticks=backticks) for name, box in rules.leaves if name == segment]
        wrapped = boxes if len(boxes) == 1 else [f"({box})" for box in boxes]
        lines.append("        WHEN " + "\n            OR ".join(wrapped))
        lines.append(f"            THEN {_text(segment, backslashes=backticks)}")
    lines += ["    END AS segment", f"FROM {_table(table, backticks=backticks)}"]
    return "\n".join(lines)


def _box(box: Box, columns: Sequence[str], *, backticks: bool) -> str:
    """Return the conditions of one box."""
    conditions = []
    for name, bound in box.items():
        for sign, end in ((">", bound.low), ("<=", bound.high)):
            if math.isinf(end):
                continue
            plain = f"{_name(name, backticks=backticks)} {sign} {_number(end)}"
            conditions.append(plain if name in columns else _combined(COMBINATIONS[name], sign, end))
    return " AND ".join(conditions) or "1 = 1"


def _combined(made: Combination, sign: str, threshold: float) -> str:
    """Return one comparison of a combination of features."""
    product = " * ".join(made.factors)
    if not made.divisor:
        return f"{product} {sign} {_number(threshold)}"
    over, under = fraction(threshold)
    multiple = f"{under}.0 * {product}" if under > 1 else product
    return (
        f"{multiple} {sign} {over}.0 * ({made.divisor} + 1)"  # decimal points: products of short integers may overflow
    )


def _table(name: str, *, backticks: bool) -> str:
    """Return a table's name, with its schema where both are plain."""
    parts = name.split(".")
    if all(_PLAIN.fullmatch(part) for part in parts):
        return ".".join(_name(part, backticks=backticks) for part in parts)
    return _name(name, backticks=backticks)


def _name(name: str, *, backticks: bool) -> str:
    """Return a name, quoted where it is not plain."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    mark = "`" if backticks else '"'
    return mark + name.replace(mark, 2 * mark) + mark


def _text(text: str, *, backslashes: bool) -> str:
    """Return a text literal; MySQL reads a backslash as an escape."""
    escaped = text.replace("\\", "\\\\") if backslashes else text
    return "'" + escaped.replace("'", "''") + "'"


def _number(value: float) -> str:
    """Return a number that every engine reads back as the same double: decimals where they are short, else with an exponent."""
    exact = Decimal(repr(value)).normalize()
    digits, exponent = len(exact.as_tuple().digits), int(exact.as_tuple().exponent)
    is_short = digits <= _EXACT_DIGITS and exponent <= 0 and -exponent <= _EXACT_DIGITS
    if is_short or (exponent > 0 and digits + exponent <= _EXACT_DIGITS):
        return f"{exact + 0:f}"
    return f"{value:.16e}" if digits > _EXACT_DIGITS else f"{exact:e}"
