"""Claims about the declaration of the canonical tables."""

from __future__ import annotations

import pandas as pd
import pytest
from pandera.errors import SchemaErrors, SchemaWarning

from crm_analysis.tables.schema import (
    CANONICAL,
    SQL_TYPES,
    covers_days,
    dated_by,
    key_of,
    kind_of,
    references_of,
    required_columns,
    severity_of,
    time_order,
    tolerated_missing,
)


@pytest.mark.parametrize("table", CANONICAL)
def test_every_column_has_a_kind_that_sql_knows_and_says_what_it_is(table: str) -> None:
    for column in CANONICAL[table].columns.values():
        assert kind_of(column) in SQL_TYPES
        assert column.description


@pytest.mark.parametrize("table", CANONICAL)
def test_what_the_declaration_names_is_declared(table: str) -> None:
    columns = CANONICAL[table].columns
    named = {dated_by(table), *key_of(table), *references_of(table), *required_columns(table), *time_order(table)}
    named |= {earlier for earlier, _ in time_order(table).values()}
    named |= {known for column in columns.values() if (known := column.metadata["known_with"])}
    assert named <= set(columns)
    assert kind_of(columns[dated_by(table)]) == "time"
    assert all(column in CANONICAL[other].columns for other, column in references_of(table).values())


def test_customers_refer_to_nobody_and_all_others_to_them() -> None:
    assert [table for table in CANONICAL if not references_of(table)] == ["customers"]


def test_a_time_of_a_required_column_before_1900_is_an_error_and_of_an_optional_one_a_warning() -> None:
    cases = CANONICAL["service_cases"].columns
    assert [severity_of(check) for check in cases["opened_at"].checks] == ["error"]
    assert [severity_of(check) for check in cases["due_at"].checks] == ["warning"]


def test_what_cannot_be_is_an_error_and_what_may_be_meant_a_warning() -> None:
    columns = CANONICAL["transactions"].columns
    assert severity_of(columns["discount"].checks[0]) == "error"
    assert severity_of(columns["unit_price"].checks[0]) == "warning"
    assert [severity for _, severity in time_order("service_cases").values()] == ["error", "warning", "warning"]


def test_missing_values_that_say_something_are_tolerated() -> None:
    assert tolerated_missing("service_cases", "resolved_at") == 1
    assert tolerated_missing("transactions", "category") == 0.5
    assert tolerated_missing("customers", "anything of their own") == 0.5


def test_only_purchases_and_cases_are_expected_by_day() -> None:
    assert [table for table in CANONICAL if covers_days(table)] == ["transactions", "service_cases"]


def test_pandera_checks_the_same_declaration() -> None:
    contacts = pd.DataFrame(
        {
            "customer_id": pd.array(["ann", None], dtype="str"),
            "campaign_id": pd.array(["spring", "spring"], dtype="str"),
            "sent_at": pd.to_datetime(["1850-01-01", "2024-01-01"]).astype("datetime64[us]"),
            "cost": [-1.0, 2.0],
        }
    )
    with pytest.raises(SchemaErrors) as caught:
        CANONICAL["contacts"].validate(contacts, lazy=True)
    assert sorted(set(caught.value.failure_cases["column"])) == ["cost", "customer_id", "sent_at"]


def test_pandera_only_warns_where_the_declaration_warns() -> None:
    lines = pd.DataFrame(
        {
            "customer_id": pd.array(["ann"], dtype="str"),
            "occurred_at": pd.to_datetime(["2024-01-01"]).astype("datetime64[us]"),
            "amount": [0.0],
            "unit_price": [0.0],
        }
    )
    with pytest.warns(SchemaWarning, match="greater_than"):
        CANONICAL["transactions"].validate(lines)
