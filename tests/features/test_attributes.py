"""Attributes of customers are taken as text by name, and refused with what there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from crm_analysis.errors import ParamsError
from crm_analysis.features.attributes import MAX_NAMED, customer_attributes
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.snapshot import Snapshot

Write = Callable[..., str]
AS_OF = date(2024, 3, 31)
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["c", "a", "b"],
        "region": ["küste", "山", None],
        "children": [2, 0, None],
        "a name": ["x", "y", "z"],
    }
)
LINES = pd.DataFrame({"customer_id": ["a"], "occurred_at": ["2024-03-01"], "amount": [1.0]})


@pytest.fixture
def known(write_dataset: Write) -> Snapshot:
    return open_dataset(write_dataset(transactions=LINES, customers=CUSTOMERS)).known(AS_OF)


def test_attributes_are_text_by_customer(known: Snapshot) -> None:
    table = customer_attributes(known, ["region", "a name"])
    assert list(table) == ["region", "a name"]
    assert table.index.name == "customer_id"
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["region"].fillna("–").tolist() == ["山", "–", "küste"]
    assert table["a name"].tolist() == ["y", "z", "x"]


def test_numbers_are_levels_too_and_a_name_counts_once(known: Snapshot) -> None:
    table = customer_attributes(known, ["children", "children"])
    assert list(table) == ["children"]
    assert pd.api.types.is_string_dtype(table["children"])
    assert table["children"].isna().tolist() == [False, True, False]
    assert table["children"].nunique() == 2


def test_only_customers_asked_about_are_told(write_dataset: Write) -> None:
    source = open_dataset(write_dataset(transactions=LINES, customers=CUSTOMERS))
    table = customer_attributes(source.known(AS_OF, where={"region": "山"}), ["a name"])
    assert table["a name"].to_dict() == {"a": "y"}


def test_without_names_nothing_is_read(write_dataset: Write) -> None:
    bare = open_dataset(write_dataset(transactions=LINES)).known(AS_OF)  # no table of customers
    table = customer_attributes(bare, [])
    assert table.shape == (0, 0)
    assert table.index.name == "customer_id"


def test_all_wrong_names_are_told_at_once(known: Snapshot) -> None:
    with pytest.raises(ParamsError, match="2 of 3 attributes cannot be compared") as caught:
        customer_attributes(known, ["regoin", "region", "customer_id"])
    message = str(caught.value)
    assert "region, children, a name.\n" in message
    assert "'regoin': there is no such column (did you mean 'region'?)" in message
    assert "'customer_id': there is no such column" in message
    assert len(caught.value.faults) == 2


def test_of_many_columns_some_are_named(write_dataset: Write) -> None:
    wide = CUSTOMERS.assign(**{f"attribute_{number:02d}": "x" for number in range(20)})
    known = open_dataset(write_dataset(transactions=LINES, customers=wide)).known(AS_OF)
    with pytest.raises(ParamsError, match="colour") as caught:
        customer_attributes(known, ["colour"])
    assert str(caught.value).count("attribute_") <= MAX_NAMED


def test_a_dataset_without_customers_says_what_to_do(write_dataset: Write) -> None:
    bare = open_dataset(write_dataset(transactions=LINES)).known(AS_OF)
    with pytest.raises(ParamsError, match=r"Groups by region, size need a table customers, .* or compare no groups"):
        customer_attributes(bare, ["region", "size"])
