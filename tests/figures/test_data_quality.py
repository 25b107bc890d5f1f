"""Claims about the figures of the data quality report: what they show is what their tables and texts say."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crm_analysis.figures.data_quality import plot_calendar, plot_distributions, plot_ledger, plot_missingness
from crm_analysis.figures.display import alternative_text

LEDGER = pd.DataFrame(
    [
        ("transactions", "drop_exact_duplicates", 100, 10, 0, 90),
        ("transactions", "spelling", 90, 0, 7, 90),
        ("transactions", "returns", 90, 0, 0, 90),
        ("service_cases", "drop_missing_customers", 50, 25, 0, 25),
    ],
    columns=["table", "rule", "rows_before", "rows_dropped", "rows_changed", "rows_after"],
)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def coverage(first: str, rows: list[float | None], table: str = "transactions") -> pd.DataFrame:
    return pd.DataFrame({"table": table, "day": pd.date_range(first, periods=len(rows)), "rows": rows})


def test_the_waterfall_goes_from_what_came_to_what_is_left_in_each_table() -> None:
    axes = plot_ledger(LEDGER)
    spans = [(round(bar.get_x(), 3), round(bar.get_x() + bar.get_width(), 3)) for bar in axes.patches]
    assert spans == [(0, 1), (0.9, 1), (0.9, 0.9), (0.9, 0.9), (0, 0.9), (0, 1), (0.5, 1), (0, 0.5)]
    told = [text.get_text().strip() for text in axes.texts]
    assert told == ["100", "−10", "7 changed", "nothing", "90", "50", "−25", "25"]


def test_the_text_of_the_waterfall_names_every_rule_with_its_count() -> None:
    text = alternative_text(plot_ledger(LEDGER))
    assert (
        "of transactions, 100 rows came in; drop_exact_duplicates −10; spelling 7 changed; returns nothing; 90" in text
    )
    assert "of service_cases, 50 rows came in; drop_missing_customers −25; 25 are left" in text


def test_no_rules_are_said() -> None:
    axes = plot_ledger(LEDGER.head(0))
    assert "no cleaning rules" in alternative_text(axes)
    assert [text.get_text() for text in axes.texts] == ["no cleaning rules are stated"]


def test_the_calendar_puts_each_day_at_its_weekday_and_marks_days_without_rows() -> None:
    axes = plot_calendar(coverage("2024-01-01", [5, 0, 3]))  # a Monday
    assert axes.collections[1].get_offsets().tolist() == [[0.5, 1.5]]
    assert "3 days, 1 of them without a row, at most 5 rows" in alternative_text(axes)


def test_the_calendar_has_a_block_for_each_table_and_year() -> None:
    axes = plot_calendar(pd.concat([coverage("2023-12-30", [1, 1, 0, 2]), coverage("2024-01-01", [0], "contacts")]))
    assert axes.collections[1].get_offsets().tolist() == [[0.5, 8.5], [0.5, 16.5]]  # Mondays, 2024-01-01
    labels = [label.get_text() for label in axes.get_yticklabels()][::4]
    assert labels == ["transactions 2023 Mon", "transactions 2024 Mon", "contacts 2024 Mon"]


def test_a_day_of_too_few_customers_is_no_empty_day() -> None:
    axes = plot_calendar(coverage("2024-01-01", [5, None, 3]))
    assert len(axes.collections[1].get_offsets()) == 0
    assert "0 of them without a row" in alternative_text(axes)


def test_tables_without_dates_are_said() -> None:
    assert "no table has dates" in alternative_text(plot_calendar(coverage("2024-01-01", [])))


def test_only_columns_with_gaps_are_drawn_most_missing_first() -> None:
    missing = pd.DataFrame({"table": "customers", "column": ["age", "region", "kids"], "share": [0.25, 0.0, 0.5]})
    axes = plot_missingness(missing)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["customers.kids", "customers.age"]
    assert "customers.kids 50.0%; customers.age 25.0%" in alternative_text(axes)


def test_nothing_missing_is_said() -> None:
    axes = plot_missingness(pd.DataFrame({"table": ["a"], "column": ["b"], "share": [0.0]}))
    assert "nothing is missing" in alternative_text(axes)


def test_each_numeric_column_is_a_ridge_on_its_own_scale() -> None:
    bins = pd.DataFrame(
        {
            "table": "transactions",
            "column": ["amount"] * 2 + ["discount"] * 2,
            "low": [0.0, 5.0, 0.0, 0.5],
            "high": [5.0, 10.0, 0.5, 1.0],
            "rows": [8.0, 2.0, None, 3.0],
        }
    )
    axes = plot_distributions(bins)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["transactions amount", "transactions discount"]
    assert [text.get_text() for text in axes.texts] == ["0", "10", "0", "1"]
    assert "transactions amount from 0 to 10, most often near 0; transactions discount" in alternative_text(axes)


def test_no_numeric_column_is_said() -> None:
    empty = pd.DataFrame(columns=["table", "column", "low", "high", "rows"])
    assert "no numeric columns" in alternative_text(plot_distributions(empty))
