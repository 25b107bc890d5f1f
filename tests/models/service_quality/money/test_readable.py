"""Claims about service and money for people: few columns, words and signs, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from crm_analysis.figures.service_money import plot_service_and_money
from crm_analysis.tables.privacy.suppression import suppressed
from tests.figures.test_service_money import FOUND, NOTHING


def test_changes_are_told_in_seven_columns_of_words() -> None:
    shown = FOUND.readable_change
    assert shown.shape == (2, 7)
    assert shown.iloc[0].tolist() == [
        "after a good case",
        "spend",
        "50, matched 60",
        "100 → 80.00",
        "101 → 99.00",
        "−18.00 (−30.00 to −6.00)",
        "−18% (−30 to −6)",
    ]
    assert shown["measure"].tolist() == ["spend", "purchase days"]


def test_no_hyphen_stands_for_a_minus() -> None:
    shown = replace(FOUND, change=-FOUND.change.astype(float)).readable_change.iloc[:, 3:]
    assert not shown.map(lambda cell: "-" in cell).any(axis=None)


def test_values_are_told_in_percent_and_hidden_ones_stay_hidden() -> None:
    shown = FOUND.readable_value
    assert shown["share of spend in %"].tolist() == [50.0, 30.0, 15.0, 5.0]
    hidden = replace(FOUND, value=suppressed(FOUND.value, min_cell=20))
    assert hidden.readable_value.isna().all(axis=1).tolist() == [False, False, True, True]


def test_without_purchases_there_are_neither_rows_nor_pictures() -> None:
    assert NOTHING.readable_change.empty
    assert NOTHING.readable_value.empty
    assert NOTHING.readable_tables == {}
    assert plot_service_and_money(NOTHING) == []
    assert list(FOUND.readable_tables) == [
        "Customers by bad experiences in the last 365 days",
        "Purchases before and after a first bad experience, per 30 days and customer",
    ]
    only_value = replace(FOUND, change=FOUND.change.iloc[:0])
    assert [len(table) for table in only_value.readable_tables.values()] == [4]
    assert isinstance(only_value.readable_change, pd.DataFrame)
