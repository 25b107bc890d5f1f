"""Claims about what a verdict says in sentences: every number is checked with a pencil, and empty cases still read well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.verdict import (
    answer,
    check_dataset,
    cleaning_in_words,
    returns_in_words,
    shown_ledger,
    shown_priorities,
)

Write = Callable[..., str]

# Eight lines: one copy, one without a customer, one return. Clean are 8 − 1 − 1 = 6 lines.
LINES = pd.DataFrame(
    [
        ("ann", "2024-01-05", "1000.00"),
        ("ann", "2024-01-05", "1000.00"),
        (None, "2024-01-05", "5.00"),
        ("ann", "2024-01-06", "20.50"),
        ("bob", "2024-01-06", "-20.50"),
        ("bob", "2024-01-07", "300.00"),
        ("cid", "2024-01-08", "1.25"),
        ("cid", "2024-01-08", "2.25"),
    ],
    columns=["customer_id", "occurred_at", "amount"],
)
RULES = {"drop_exact_duplicates": {}, "drop_missing_customers": {}}
RETURN = {"rows": 4.0, "amount": -1234.5, "matched_rows": 3.0, "median_days": 12.0}


def opened(write_dataset: Write, lines: pd.DataFrame, *, rules: object = None, **tables: pd.DataFrame) -> Dataset:
    """Open a shop whose purchases are cleaned by rules."""
    sources: dict[str, object] = {name: {"files": f"shop_{name}.csv"} for name in tables}
    sources["transactions"] = {"files": "shop_transactions.csv"} | ({"cleaning": rules} if rules else {})
    return open_dataset(write_dataset(settings={"tables": sources}, transactions=lines, **tables))


def test_sound_data_are_told_without_a_fault(shop: Dataset) -> None:
    assert answer(check_dataset(shop)) == (
        "Reports can be made of these data: after cleaning no row breaks what every report relies on. "
        "No warnings are left for a person to judge. These rows break no check as they came in: all of 7 transactions."
    )


def test_what_rules_settle_is_told_as_settled(write_dataset: Write) -> None:
    told = answer(check_dataset(opened(write_dataset, LINES, rules=RULES)))
    assert told.startswith("Reports can be made of these data")
    assert "as they came in: 75.0% of 8 transactions." in told  # 6 of 8: the copy and the line without a customer
    assert told.endswith("transactions.customer_id is missing: 1 of 8 rows (cleaning settles it).")


def test_errors_that_are_left_are_counted_with_the_first_of_them(write_dataset: Write) -> None:
    told = answer(check_dataset(opened(write_dataset, LINES)))
    assert told.startswith(
        "No other report is made of these data before 1 error is repaired. 1 warning is left for a person to judge."
    )
    assert told.endswith("transactions.customer_id is missing: 1 of 8 rows (cleaning leaves all of them).")


def test_what_rules_settle_in_part_is_told_by_what_is_left(write_dataset: Write) -> None:
    lines = LINES.assign(amount=["ten", "ten", *LINES["amount"][2:]])
    told = answer(check_dataset(opened(write_dataset, lines, rules=RULES)))
    assert told.endswith("transactions.amount: 2 of 8 values are no money (cleaning leaves 1 of them).")


def test_a_score_that_is_nearly_full_is_not_rounded_to_it(write_dataset: Write) -> None:
    lines = pd.concat([LINES[2:3], *[LINES[3:]] * 600])
    lines["occurred_at"] = (pd.Timestamp("2024-01-01") + pd.to_timedelta(range(len(lines)), "min")).astype(str)
    told = answer(check_dataset(opened(write_dataset, lines, rules=RULES)))
    assert "99.9% of 3,001 transactions" in told  # 3,000 of 3,001 would round to 100.0%


def test_several_tables_are_joined_as_people_do(write_dataset: Write) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob", "cid"]})
    cases = pd.DataFrame(
        {"case_id": ["1"], "customer_id": ["ann"], "opened_at": ["2024-01-09"], "resolved_at": ["2024-01-01"]}
    )
    told = answer(check_dataset(opened(write_dataset, LINES[3:], customers=customers, service_cases=cases)))
    assert "as they came in: all of 3 customers, all of 5 transactions and none of 1 service cases." in told


def test_a_dataset_that_cannot_be_read_is_told(shop: Dataset, workspace: Path) -> None:
    (workspace / "params/datasets/shop_transactions.csv").write_text("a,b\n1,2\n")
    assert answer(check_dataset(open_dataset("shop"))) == (
        "No other report is made of these data before 1 error is repaired. No warnings are left for a person to judge."
    )


def test_the_money_of_cleaning_adds_up(write_dataset: Write) -> None:
    ledger = check_dataset(opened(write_dataset, LINES, rules=RULES)).ledger
    # 1000 + 1000 + 5 + 20.50 − 20.50 + 300 + 1.25 + 2.25 = 2308.50; 1000 and 5 are dropped
    assert cleaning_in_words(ledger, currency="EUR") == (
        "8 lines of purchases worth 2,308.50 EUR came in; rules dropped 2 lines worth 1,005.00 EUR and changed no amount; "
        "6 lines worth 1,303.50 EUR are left."
    )


def test_changed_amounts_are_told_apart_from_dropped_ones(write_dataset: Write) -> None:
    lines = LINES[3:].assign(currency=["EUR", "EUR", "USD", "EUR", "EUR"])
    rules = {"currency": {"column": "currency", "rates": {"USD": 0.5, "EUR": 1}}}
    ledger = check_dataset(opened(write_dataset, lines, rules=rules)).ledger
    assert cleaning_in_words(ledger, currency="EUR") == (  # 300 USD become 150 EUR
        "5 lines of purchases worth 303.50 EUR came in; rules dropped none and changed amounts by -150.00 EUR in total; "
        "5 lines worth 153.50 EUR are left."
    )


def test_one_line_is_told_in_the_singular(write_dataset: Write) -> None:
    ledger = check_dataset(opened(write_dataset, LINES[2:4], rules=RULES)).ledger
    assert cleaning_in_words(ledger, currency="EUR").endswith(
        "rules dropped 1 line worth 5.00 EUR and changed no amount; 1 line worth 20.50 EUR is left."
    )


def test_no_rules_and_no_purchases_are_told(shop: Dataset) -> None:
    assert cleaning_in_words(check_dataset(shop).ledger, currency="EUR") == "No cleaning rule is stated for purchases."


CAME = "4 lines are returns, worth -1,234.50 GBP."
THE_SAME = "earlier purchases of the same product by the same customer"
HIDDEN = "The cleaned purchases hold returns, of too few customers to be shown."


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"matched_rows": 4.0}, f"{CAME} All of them take back {THE_SAME}, half of these within 12 days."),
        ({"matched_rows": 0.0, "median_days": None}, f"{CAME} The data hold no {THE_SAME} that cover them."),
        (dict.fromkeys(RETURN, float("nan")), HIDDEN),
    ],
)
def test_returns_are_told_with_what_they_take_back(changed: dict[str, object], told: str) -> None:
    assert returns_in_words(pd.DataFrame([RETURN | changed]), currency="GBP") == told


def test_returns_without_their_purchases_are_told_apart() -> None:
    assert returns_in_words(pd.DataFrame([RETURN]), currency="GBP") == (
        f"{CAME} 3 of them take back {THE_SAME}, half of these within 12 days; for the others the data hold no purchases that "
        "cover them."
    )


def test_no_returns_are_told() -> None:
    assert returns_in_words(pd.DataFrame(), currency="GBP") == "The cleaned purchases hold no returns."


def test_what_to_do_stands_before_why(write_dataset: Write) -> None:
    shown = shown_priorities(check_dataset(opened(write_dataset, LINES)), 1)
    assert list(shown) == ["rank", "what", "severity", "rows", "left", "what_to_do", "why"]
    assert shown.iloc[0, :5].tolist() == [1, "transactions.customer id: missing", "error", 1, 1]


def test_priorities_are_as_many_as_asked_for_and_none_where_nothing_is_wrong(
    write_dataset: Write, shop: Dataset
) -> None:
    assert shown_priorities(check_dataset(shop), 10).empty


def test_the_ledger_is_shown_to_the_cent_with_its_details_last(write_dataset: Write) -> None:
    ledger = check_dataset(opened(write_dataset, LINES, rules=RULES)).ledger
    shown = shown_ledger(ledger)
    assert set(shown) == set(ledger)
    assert list(shown)[-1] == "detail"
    assert shown["amount_after"].tolist() == [1308.5, 1303.5]
    assert shown_ledger(ledger.head(0)).empty
