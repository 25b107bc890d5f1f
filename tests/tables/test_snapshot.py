"""Claims about what is known on a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ParamsError
from crm_analysis.tables.datasets import Dataset, open_dataset

Write = Callable[..., str]

CASES = pd.DataFrame(
    {
        "case_id": ["1", "2"],
        "customer_id": ["ann", "bob"],
        "opened_at": ["2024-01-05 10:00", "2024-01-09 10:00"],
        "first_response_at": ["2024-01-06 23:59:59", "2024-01-09 11:00"],
        "resolved_at": ["2024-01-07 00:00:00", "2024-01-09 12:00"],
        "due_at": ["2024-01-08 10:00", "2024-01-10 10:00"],
        "satisfaction": [2, 5],
        "reopens": [1, 0],
    }
)


def test_a_day_is_known_to_its_last_moment_and_no_further(shop: Dataset) -> None:
    lines = "SELECT count(*) AS n FROM transactions"
    assert shop.known(date(2024, 1, 20)).query(lines)["n"].item() == 3
    assert shop.known(date(2024, 2, 29)).query(lines)["n"].item() == 5
    assert shop.known(date(2024, 3, 1)).query(lines)["n"].item() == 6


def test_values_that_became_known_later_are_null(write_dataset: Write) -> None:
    dataset = open_dataset(write_dataset(service_cases=CASES))
    columns = "first_response_at, resolved_at, satisfaction, reopens, due_at"
    sql = f"SELECT {columns} FROM service_cases WHERE case_id = '1'"
    on_the_sixth = dataset.known(date(2024, 1, 6)).query(sql).iloc[0]
    assert on_the_sixth.isna().tolist() == [False, True, True, True, False]
    on_the_seventh = dataset.known(date(2024, 1, 7)).query(sql).iloc[0]
    assert on_the_seventh.notna().all()


def test_cases_opened_later_are_absent(write_dataset: Write) -> None:
    dataset = open_dataset(write_dataset(service_cases=CASES))
    assert dataset.known(date(2024, 1, 8)).query("SELECT case_id FROM service_cases")["case_id"].tolist() == ["1"]


def test_rules_see_only_what_was_known_and_count_what_they_drop(write_dataset: Write) -> None:
    lines = pd.DataFrame(
        {
            "customer_id": ["ann", "ann", None, "ann"],
            "occurred_at": ["2024-01-05", "2024-01-05", "2024-01-06", "2024-01-08"],
            "amount": [1.0, 1.0, 5.0, -2.0],
        }
    )
    rules = {"drop_exact_duplicates": {}, "drop_missing_customers": {}, "returns": "drop"}
    source = {"files": "shop_transactions.csv", "cleaning": rules}
    dataset = open_dataset(write_dataset(settings={"tables": {"transactions": source}}, transactions=lines))
    early, late = dataset.known(date(2024, 1, 5)), dataset.known(date(2024, 1, 8))
    for snapshot in (early, late):
        snapshot.require("transactions")
    assert early.ledger()["rows_dropped"].tolist() == [1, 0, 0]
    assert late.ledger()["rows_before"].tolist() == [4, 3, 2]
    assert late.ledger()["rows_dropped"].tolist() == [1, 1, 1]


def test_what_rules_leave_must_keep_the_contract(write_dataset: Write) -> None:
    cases = pd.concat([CASES, CASES.head(1).assign(satisfaction=9)])
    dataset = open_dataset(write_dataset(service_cases=cases))
    with pytest.raises(DataQualityError, match="2 contract faults") as caught:
        dataset.known(date(2024, 1, 9)).require("service_cases")
    assert caught.value.faults == (
        "service_cases.satisfaction is not between 1 and 5: 1 of 3 rows",
        "service_cases.case_id: 1 rows repeat a key that must be unique",
    )


def test_a_missing_customer_is_told_with_its_count(write_dataset: Write) -> None:
    lines = pd.DataFrame({"customer_id": ["ann", None], "occurred_at": "2024-01-05", "amount": 1.0})
    dataset = open_dataset(write_dataset(transactions=lines))
    with pytest.raises(DataQualityError, match="customer_id is missing: 1 of 2 rows"):
        dataset.known(date(2024, 1, 5)).require("transactions")


def test_no_rows_on_the_day_is_told(write_dataset: Write) -> None:
    lines = pd.DataFrame({"customer_id": ["ann"], "occurred_at": "2024-01-05", "amount": 1.0})
    dataset = open_dataset(write_dataset(transactions=lines, service_cases=CASES.tail(1)))
    with pytest.raises(DataQualityError, match="service_cases of dataset shop has no rows as of 2024-01-05"):
        dataset.known(date(2024, 1, 5)).require("service_cases")


def test_a_filter_keeps_the_rows_of_its_customers(write_dataset: Write) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "region": ["north", "o'south"]})
    dataset = open_dataset(write_dataset(customers=customers, service_cases=CASES))
    for value, case in (("north", "1"), ("o'south", "2")):
        known = dataset.known(date(2024, 1, 9), where={"region": value})
        assert known.query("SELECT case_id FROM service_cases")["case_id"].tolist() == [case]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"regoin": "north"}, r"no customer attribute 'regoin' \(did you mean 'region'\?\)"),
        ({"region": "nort"}, "no customer has region 'nort'; there are north"),
    ],
)
def test_a_filter_that_fits_nobody_is_refused(write_dataset: Write, where: dict[str, str], message: str) -> None:
    customers = pd.DataFrame({"customer_id": ["ann"], "region": ["north"]})
    dataset = open_dataset(write_dataset(customers=customers, service_cases=CASES))
    with pytest.raises(ParamsError, match=message):
        dataset.known(date(2024, 1, 9), where=where)


def test_optional_columns_that_the_source_lacks_are_null(shop: Dataset) -> None:
    assert shop.known(shop.last_day).query("SELECT category FROM transactions")["category"].isna().all()
