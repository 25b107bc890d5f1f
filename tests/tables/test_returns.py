"""A return takes back what its customer bought before, and no more than that."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import duckdb
import pytest

from crm_analysis.tables.cleaning import ReturnsMatched, returns_matched

Line = tuple[str | None, int, float | None, int, str | None]  # customer, day of January, quantity, amount, product


def matched(*lines: Line) -> ReturnsMatched:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE lines (customer_id VARCHAR, occurred_at TIMESTAMP, quantity DOUBLE, amount DECIMAL(18, 4), product_id VARCHAR)"
        )
        rows = [
            (who, datetime.fromisoformat(f"2024-01-{day:02d}"), quantity, amount, what)
            for who, day, quantity, amount, what in lines
        ]
        if rows:
            connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", rows)
        return returns_matched(connection, "lines")


def test_a_return_is_matched_to_an_earlier_purchase_of_customer_and_product() -> None:
    found = matched(("ann", 1, 5, 50, "cup"), ("ann", 8, -2, -20, "cup"))
    assert found == ReturnsMatched(1, Decimal(-20), 1, Decimal(-20), 0, Decimal(0), 7.0)


@pytest.mark.parametrize(
    "bought",
    [
        ("bob", 1, 5, 50, "cup"),  # somebody else
        ("ann", 1, 5, 50, "mug"),  # something else
        ("ann", 9, 5, 50, "cup"),  # too late
        ("ann", 1, 1, 10, "cup"),  # too little
        ("ann", 1, 5, 50, None),  # nobody knows what
        ("ann", 1, -5, -50, "cup"),  # a return itself
    ],
)
def test_a_return_of_what_was_not_bought_before_is_unmatched(bought: Line) -> None:
    found = matched(bought, ("ann", 8, -2, -20, "cup"))
    assert found.matched_rows == 0
    assert found.median_days is None
    assert found.unmatched_amount == found.amount


def test_a_purchase_at_the_same_moment_counts() -> None:
    assert matched(("ann", 8, -2, -20, "cup"), ("ann", 8, 2, 20, "cup")).median_days == 0


def test_no_purchase_gives_back_more_than_it_had() -> None:
    found = matched(("ann", 1, 3, 30, "cup"), ("ann", 2, -2, -20, "cup"), ("ann", 3, -2, -20, "cup"))
    assert (found.matched_rows, found.unmatched_rows) == (1, 1)


def test_a_return_before_any_purchase_takes_nothing_from_later_ones() -> None:
    found = matched(("ann", 1, -9, -90, "cup"), ("ann", 2, 2, 20, "cup"), ("ann", 6, -2, -20, "cup"))
    assert (found.matched_rows, found.matched_amount, found.median_days) == (1, Decimal(-20), 4.0)


def test_the_oldest_units_go_first_and_days_count_from_the_last_unit() -> None:
    bought = [("ann", 1, 2, 20, "cup"), ("ann", 5, 2, 20, "cup")]
    assert matched(*bought, ("ann", 11, -2, -20, "cup")).median_days == 10
    assert matched(*bought, ("ann", 11, -3, -30, "cup")).median_days == 6
    assert matched(*bought, ("ann", 11, -2, -20, "cup"), ("ann", 12, -2, -20, "cup")).median_days == 8.5


def test_without_a_product_or_a_quantity_amounts_are_taken_back() -> None:
    assert (
        matched(("ann", 1, None, 50, None), ("ann", 3, None, -20, None), ("ann", 4, None, -40, None)).matched_rows == 1
    )
    assert matched(("ann", 1, 9, 50, "cup"), ("ann", 3, None, -60, "cup")).matched_rows == 0
    assert matched(("ann", 1, 9, 50, "cup"), ("ann", 3, None, -50, "cup")).matched_rows == 1


def test_equal_lines_are_told_apart() -> None:
    twice: list[Line] = [("ann", 1, 1, 10, "cup")] * 4 + [("ann", 2, -1, -10, "cup")] * 5
    assert (matched(*twice).matched_rows, matched(*twice[::-1]).matched_rows) == (4, 4)


def test_lines_without_a_customer_are_unmatched_and_no_lines_are_no_returns() -> None:
    assert matched((None, 1, 1, 10, "cup"), (None, 2, -1, -10, "cup")).unmatched_rows == 1
    assert matched() == ReturnsMatched(0, Decimal(0), 0, Decimal(0), 0, Decimal(0), None)


def test_matching_agrees_with_a_ledger_kept_by_hand() -> None:
    state = 11
    lines: list[Line] = []
    for _ in range(400):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        units = (state >> 16) % 7 - 3 or 1
        lines.append(("ab"[(state >> 8) % 2], 1 + (state >> 20) % 28, units, 10 * units, "xy"[(state >> 12) % 2]))
    stock: dict[tuple[str | None, str | None], int] = {}
    whole = 0
    for who, _, units, _, what in sorted(lines, key=lambda line: (line[1], (line[2] or 0) < 0, abs(line[2] or 0))):
        held = stock.get((who, what), 0)
        whole += units is not None and units < 0 and -units <= held
        stock[who, what] = max(held + int(units or 0), 0)
    assert matched(*lines).matched_rows == whole > 20
