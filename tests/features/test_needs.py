"""Claims about what customers buy: spend by level, with what is left over kept apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import SourceSchemaError, TooFewRecordsError
from crm_analysis.features.needs import OTHER, UNKNOWN, has_levels, lines_bought, shares, spend_by
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.snapshot import Snapshot

Write = Callable[..., str]
Known = Callable[..., Snapshot]
AS_OF = date(2024, 3, 31)
LINES = pd.DataFrame(
    [
        ("ann", "2024-03-01", 10.0, "tea"),
        ("ann", "2024-03-02", 5.0, "milk"),
        ("ann", "2024-03-03", -7.0, "milk"),  # more came back than was bought: 0, and nothing off the tea
        ("ann", "2024-03-04", 3.0, None),
        ("bob", "2024-03-01", 4.0, "چای"),
        ("bob", "2024-03-05", 6.0, "(other)"),
        ("bob", "2024-03-06", 1.0, "tea"),
        ("cid", "2024-03-07", -2.0, "tea"),  # bought nothing
        ("dot", "2023-01-01", 9.0, "tea"),  # before the history
    ],
    columns=["customer_id", "occurred_at", "amount", "category"],
)


@pytest.fixture
def known(write_dataset: Write) -> Known:
    """Give lines of purchases as a snapshot."""

    def make(lines: pd.DataFrame, as_of: date = AS_OF, name: str = "shop") -> Snapshot:
        return open_dataset(write_dataset(name, transactions=lines)).known(as_of)

    return make


def as_dict(spend: pd.DataFrame) -> dict[str, list[object]]:
    return {"": list(spend.columns)} | {
        str(name): list(row) for name, row in zip(spend.index, spend.to_numpy(), strict=True)
    }


def test_spend_agrees_with_the_pencil(known: Known) -> None:
    snapshot = known(LINES)
    assert as_dict(spend_by(snapshot, "category", history_days=90)) == {
        "": ["tea", "'(other)'", "چای", OTHER, UNKNOWN],  # milk was bought by nobody, net
        "ann": [10.0, 0.0, 0.0, 0.0, 3.0],
        "bob": [1.0, 6.0, 4.0, 0.0, 0.0],
    }
    assert as_dict(spend_by(snapshot, "category", history_days=90, most=1)) == {
        "": ["tea", OTHER, UNKNOWN],
        "ann": [10.0, 0.0, 3.0],
        "bob": [1.0, 10.0, 0.0],
    }
    assert lines_bought(snapshot, history_days=90).to_dict() == {"ann": 3, "bob": 3}


def test_the_columns_of_an_earlier_answer_can_be_asked_for_again(known: Known) -> None:
    snapshot = known(LINES)
    again = spend_by(snapshot, "category", history_days=90, levels=["'(other)'", "coal"])
    assert as_dict(again) == {
        "": ["'(other)'", "coal", OTHER, UNKNOWN],
        "ann": [0.0, 0.0, 10.0, 3.0],
        "bob": [6.0, 0.0, 5.0, 0.0],
    }
    assert list(spend_by(snapshot, "category", history_days=90, levels=[])) == [OTHER, UNKNOWN]
    for wrong in (["tea", "tea"], ["tea", OTHER]):
        with pytest.raises(ValueError, match="levels must differ and leave out"):
            spend_by(snapshot, "category", history_days=90, levels=wrong)


def test_a_level_in_quotes_is_not_taken_for_the_one_that_we_quote(known: Known) -> None:
    lines = LINES.assign(
        category=["(other)", "'(other)'", "''(other)''", "(unknown)", "other", "'x'", "", "tea", "tea"]
    )
    spend = spend_by(known(lines), "category", history_days=90)
    assert spend.columns.is_unique
    assert set(spend) == {"'(other)'", "''(other)''", "'(unknown)'", "other", "'x'", OTHER, UNKNOWN}
    assert spend.loc["ann", ["'(other)'", "''(other)''", "'(unknown)'", UNKNOWN]].tolist() == [10.0, 5.0, 3.0, 0.0]
    repeated = spend_by(known(lines), "category", history_days=90, levels=list(spend.columns[:-2]))
    pd.testing.assert_frame_equal(repeated, spend)


def test_nothing_after_as_of_leaks_and_order_names_and_currency_change_nothing(known: Known) -> None:
    rng = np.random.default_rng(0)
    lines = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 30, 900).astype(str),
            "occurred_at": (pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 120, 900), unit="D")).astype(
                str
            ),
            "amount": rng.normal(20, 15, 900).round(2),
            "product_id": rng.integers(0, 12, 900).astype(str),
        }
    )
    past = lines[lines["occurred_at"] <= "2024-03-31"]
    first = spend_by(known(past, name="past"), "product_id", history_days=60, most=5)
    other = lines.sample(frac=1, random_state=1).assign(
        customer_id="c" + lines["customer_id"], amount=lines["amount"] * 100
    )
    second = spend_by(known(other, name="other"), "product_id", history_days=60, most=5)
    assert list(second.columns) == list(first.columns)
    assert list(second.index) == [f"c{name}" for name in first.index]
    np.testing.assert_allclose(second.to_numpy(), first.to_numpy() * 100, rtol=1e-12)
    recent = past[past["occurred_at"] > "2024-01-31"]
    by_hand = recent.pivot_table("amount", "customer_id", "product_id", aggfunc="sum", fill_value=0.0).clip(lower=0)
    ordered = by_hand.sum().sort_values(ascending=False).index[:5]
    assert list(first.columns[:5]) == list(ordered)
    np.testing.assert_allclose(first[ordered], by_hand[ordered], atol=1e-9)
    np.testing.assert_allclose(first[OTHER], by_hand.drop(columns=ordered).sum(axis=1), atol=1e-9)


def test_equal_levels_stand_by_name(known: Known) -> None:
    lines = LINES.head(4).assign(category=["b", "a", "c", "d"], amount=5.0)
    assert list(spend_by(known(lines), "category", history_days=90, most=3)) == ["a", "b", "c", OTHER, UNKNOWN]


def test_ten_thousand_categories_make_fifty_columns(known: Known) -> None:
    rng = np.random.default_rng(1)
    n = 60_000
    categories = np.concatenate([np.arange(10_000), rng.zipf(1.3, n - 10_000) % 10_000])
    lines = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 2_000, n),
            "occurred_at": "2024-03-01",
            "amount": rng.integers(1, 100, n),
            "category": [f"category {number}" for number in categories],
        }
    )
    spend = spend_by(known(lines), "category", history_days=90)
    assert spend.shape == (2_000, 52)
    assert spend.sum().sum() == lines["amount"].sum()
    assert spend[OTHER].sum() > 0
    assert spend[UNKNOWN].sum() == 0


def test_shares_add_up_to_one_and_are_missing_without_spend() -> None:
    result = shares(pd.DataFrame({"tea": [3.0, 0.0], "milk": [1.0, 0.0]}, index=["ann", "bob"]))
    assert result.loc["ann"].tolist() == [0.75, 0.25]
    assert result.loc["bob"].isna().all()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("categroy", r"no column 'categroy' \(did you mean 'category'\?\)"),
        ("channel", "no value in column 'channel' as of 2024-03-31: its source has none"),
        ("amount", "cannot be split by 'amount', which holds no text"),
        ("customer_id", "cannot be split by 'customer_id', which holds customers"),
    ],
)
def test_a_column_that_tells_nothing_is_refused(known: Known, column: str, message: str) -> None:
    with pytest.raises(SourceSchemaError, match=f"Table transactions .*{message}.*Choose another one"):
        spend_by(known(LINES), column, history_days=90)


def test_whether_there_are_levels_can_be_asked(known: Known) -> None:
    snapshot = known(LINES)
    assert [has_levels(snapshot, name) for name in ("category", "channel", "colour", "amount")] == [
        True,
        False,
        False,
        False,
    ]


def test_a_history_without_a_purchase_and_wrong_numbers_are_told(known: Known) -> None:
    snapshot = known(LINES)
    with pytest.raises(TooFewRecordsError, match="No customer bought within the 5 days up to 2024-03-31"):
        spend_by(snapshot, "category", history_days=5)
    with pytest.raises(TooFewRecordsError, match="No customer bought within the 5 days up to 2024-03-31"):
        lines_bought(snapshot, history_days=5)
    with pytest.raises(ValueError, match="history_days and most must be at least 1, got 90 and 0"):
        spend_by(snapshot, "category", history_days=90, most=0)
    with pytest.raises(ValueError, match="history_days must be at least 1, got 0"):
        lines_bought(snapshot, history_days=0)
