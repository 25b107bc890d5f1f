"""Claims about the portrait of a dataset: days, gaps, spreads and returns by pencil, and nothing about too few customers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.verdict import frequent_levels, n_customers, portrait

Write = Callable[..., str]
DAY = date(2024, 3, 31)


def private_shop(write_dataset: Write, *, n_returning: int, min_cell: int = 5) -> Dataset:
    """Open a shop of ten customers who buy on the first of two days each; the first few bring it back."""
    bought = [(f"c{n}", f"2024-03-{1 + 2 * (n % 2):02d}", 10.0, "p", "Books" if n < 8 else "Rare") for n in range(10)]
    returned = [(f"c{n}", "2024-03-05", -10.0, "p", "Books") for n in range(n_returning)]
    names = ["customer_id", "occurred_at", "amount", "product_id", "category"]
    lines = pd.DataFrame(bought + returned, columns=names)
    settings = {"public": False, "min_cell": min_cell}
    return open_dataset(write_dataset(settings=settings, transactions=lines))


def test_every_day_between_the_first_and_the_last_is_counted(shop: Dataset) -> None:
    coverage = portrait(shop, as_of=DAY).coverage
    assert len(coverage) == 87  # from 5 January to 31 March: 27 + 29 + 31
    some = coverage[coverage["rows"] > 0]
    days = ["2024-01-05", "2024-01-20", "2024-02-10", "2024-02-12", "2024-03-01", "2024-03-31"]
    assert some["day"].dt.strftime("%Y-%m-%d").tolist() == days
    assert some["rows"].tolist() == [2, 1, 1, 1, 1, 1]


def test_days_on_which_customers_signed_up_are_no_days_of_business(write_dataset: Write) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "signed_up_at": ["2019-01-01", "2023-01-01"]})
    lines = pd.DataFrame({"customer_id": ["ann"], "occurred_at": ["2024-03-31"], "amount": [1.0]})
    dataset = open_dataset(write_dataset(customers=customers, transactions=lines))
    assert portrait(dataset, as_of=DAY).coverage["table"].tolist() == ["transactions"]


def test_what_is_missing_is_counted_on_raw_rows_of_columns_that_are_there(write_dataset: Write) -> None:
    lines = pd.DataFrame(
        {
            "customer_id": ["ann", "ann", "bob", None],
            "occurred_at": "2024-03-31",
            "amount": [1.0, 2.0, 3.0, 4.0],
            "category": ["x", None, None, None],
        }
    )
    sources = {"transactions": {"files": "shop_transactions.csv", "cleaning": {"drop_missing_customers": {}}}}
    dataset = open_dataset(write_dataset(settings={"tables": sources}, transactions=lines))
    missing = portrait(dataset, as_of=DAY).missing.set_index("column")
    assert missing.loc["customer_id", ["missing", "share"]].tolist() == [1, 0.25]
    assert missing.loc["category", ["missing", "share"]].tolist() == [3, 0.75]
    assert missing.loc["amount", "missing"] == 0


@pytest.mark.parametrize(("public", "told"), [(False, {"many": 6}), (True, {"few": 2, "many": 6})])
def test_few_missing_values_may_be_one_customers(write_dataset: Write, public: bool, told: dict[str, int]) -> None:
    lines = pd.DataFrame({"customer_id": [f"c{n}" for n in range(20)], "occurred_at": "2024-03-31", "amount": 1.0})
    lines["few"] = [None] * 2 + ["x"] * 18
    lines["many"] = [None] * 6 + ["x"] * 14
    dataset = open_dataset(write_dataset(settings={"public": public}, transactions=lines))
    missing = portrait(dataset, as_of=DAY).missing
    assert missing[missing["missing"] > 0].set_index("column")["missing"].to_dict() == told


def test_numbers_are_of_cleaned_rows_as_of_the_day(shop: Dataset) -> None:
    numbers = portrait(shop, as_of=date(2024, 2, 12)).numbers.set_index("column")
    amount = numbers.loc["amount"]  # 10, 5, 7.50, 20, -4
    assert (amount["rows"], amount["zeros"], amount["negatives"], amount["q50"]) == (5, 0, 1, 7.5)
    assert numbers.index.tolist() == ["amount"]


def test_histograms_hold_every_row_of_public_data(shop: Dataset) -> None:
    bins = portrait(shop, as_of=DAY).histograms
    assert set(bins["column"]) == {"amount"}
    assert bins["rows"].sum() == 7
    assert (bins["low"].min(), bins["high"].max()) == (-4.0, 30.0)


def test_returns_are_matched_to_earlier_purchases(write_dataset: Write) -> None:
    row = portrait(private_shop(write_dataset, n_returning=6), as_of=DAY).returns.iloc[0]
    assert (row["rows"], row["amount"], row["matched_rows"]) == (6, -60.0, 6)
    assert row["median_days"] == 3.0  # 4, 2, 4, 2, 4, 2 days


def test_returns_of_too_few_customers_are_not_shown(write_dataset: Write) -> None:
    returns = portrait(private_shop(write_dataset, n_returning=4), as_of=DAY).returns
    assert len(returns) == 1
    assert returns.isna().all(axis=None)


def test_no_returns_leave_no_row(write_dataset: Write) -> None:
    assert portrait(private_shop(write_dataset, n_returning=0), as_of=DAY).returns.empty


def test_too_few_customers_are_nowhere_told_apart(write_dataset: Write) -> None:
    seen = portrait(private_shop(write_dataset, n_returning=4), as_of=DAY)
    days = seen.coverage.set_index("day")["rows"]
    assert days["2024-03-02"] == 0
    assert pd.isna(days["2024-03-05"])  # four customers
    assert "Rare" not in seen.levels["level"].tolist()  # two customers
    assert pd.isna(seen.numbers.set_index("column").loc["amount", "negatives"])
    assert seen.histograms["rows"].dropna().ge(5).all()


def test_public_data_are_shown_whole(write_dataset: Write) -> None:
    dataset = private_shop(write_dataset, n_returning=1, min_cell=1)
    assert portrait(dataset, as_of=DAY).returns["rows"].item() == 1


def test_a_shop_of_one_table_without_days_is_described(write_dataset: Write) -> None:
    dataset = open_dataset(write_dataset(customers=pd.DataFrame({"customer_id": ["ann"], "region": ["north"]})))
    seen = portrait(dataset, as_of=DAY)
    assert (seen.coverage.empty, seen.returns.empty, seen.histograms.empty) == (True, True, True)
    assert list(seen.coverage) == ["table", "day", "rows"]
    assert seen.levels[["column", "level"]].to_numpy().tolist() == [["region", "north"]]


def test_customers_are_counted_once_over_all_tables(write_dataset: Write) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "region": ["north", "south"]})
    lines = pd.DataFrame({"customer_id": ["ann", "cid", "cid"], "occurred_at": "2024-03-31", "amount": [1.0, 2.0, 3.0]})
    dataset = open_dataset(write_dataset(customers=customers, transactions=lines))
    assert n_customers(dataset, as_of=DAY) == 3  # ann, bob, and cid, who has no row among customers
    assert n_customers(dataset, as_of=DAY, where={"region": "north"}) == 1


@pytest.mark.parametrize(("n", "expected"), [(1, ["a", "x"]), (2, ["a", "b", "x"]), (9, ["a", "b", "c", "x"])])
def test_frequent_levels_are_the_first_of_each_column(n: int, expected: list[str]) -> None:
    levels = pd.DataFrame({"table": "t", "column": ["p", "p", "p", "q"], "level": ["a", "b", "c", "x"]})
    assert frequent_levels(levels, n)["level"].tolist() == expected
    assert frequent_levels(levels.head(0), n).empty
