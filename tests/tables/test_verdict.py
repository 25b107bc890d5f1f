"""Claims about the whole check of a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_analysis.errors import ParamsError
from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.schema import CANONICAL
from crm_analysis.tables.verdict import Verdict, check_dataset, verdict_lines

Write = Callable[..., str]

LINES = pd.DataFrame(
    [
        ("ann", "2024-01-05", 10.0),
        ("ann", "2024-01-05", 10.0),
        (None, "2024-01-06", 5.0),
        ("bob", "2024-01-07", -2.0),
        ("bob", "2024-01-08", 3.0),
    ],
    columns=["customer_id", "occurred_at", "amount"],
)
CASES = pd.DataFrame(
    {
        "case_id": ["1", "2", "2"],
        "customer_id": ["ann", "bob", "bob"],
        "opened_at": ["2024-01-05 10:00", "2024-01-07 10:00", "2024-01-07 10:00"],
        "resolved_at": ["2024-01-04 10:00", "2024-01-07 11:00", "2024-01-07 12:00"],
        "satisfaction": ["5", "four", "9"],
    }
)
RULES = {"drop_exact_duplicates": {}, "drop_missing_customers": {}}


@pytest.fixture
def dirty(write_dataset: Write) -> Dataset:
    """A shop whose purchases are cleaned and whose cases are not."""
    sources = {
        "transactions": {"files": "shop_transactions.csv", "cleaning": RULES},
        "service_cases": {"files": "shop_service_cases.csv"},
    }
    settings = {"tables": sources, "public": True}
    return open_dataset(write_dataset(settings=settings, transactions=LINES, service_cases=CASES))


def left(verdict: Verdict) -> dict[tuple[str, str | None, str], tuple[int, int]]:
    return {finding.place: (finding.count, left) for finding, left in verdict.findings}


def test_a_sound_dataset_is_ok(shop: Dataset) -> None:
    verdict = check_dataset(shop)
    assert (verdict.ok, verdict.exit_code, verdict.as_of) == (True, 0, date(2024, 3, 31))
    assert verdict.findings == ()
    assert verdict.counts == {
        "n_rows.transactions": 7,
        "n_missing_customers": 0,
        "n_exact_duplicates": 0,
        "n_returns": 1,
        "score.transactions": 1.0,
    }
    assert verdict_lines(verdict)[0] == "Dataset shop as of 2024-03-31: 0 errors, 0 warnings after cleaning"


def test_faults_of_all_tables_are_told_with_what_cleaning_leaves(dirty: Dataset) -> None:
    verdict = check_dataset(dirty)
    assert left(verdict) == {
        ("transactions", "customer_id", "missing"): (1, 0),
        ("transactions", None, "exact_duplicate"): (1, 0),
        ("service_cases", "resolved_at", "time_order"): (1, 1),
        ("service_cases", "satisfaction", "unreadable"): (1, 1),
        ("service_cases", "satisfaction", "out_of_range"): (1, 1),
        ("service_cases", "case_id", "repeated_key"): (1, 1),
    }
    assert (verdict.ok, verdict.exit_code) == (False, 4)
    tables = verdict.tables.set_index("table")
    assert tables.loc["transactions", ["rows", "rows_after", "errors", "warnings"]].tolist() == [5, 3, 0, 0]
    assert tables.loc["service_cases", ["rows", "rows_after", "errors", "warnings"]].tolist() == [3, 3, 4, 0]
    assert tables["score"].to_dict() == {"transactions": 0.6, "service_cases": 0.0}
    assert verdict.ledger["rule"].tolist() == list(RULES)


def test_the_recorded_numbers_are_of_raw_rows(dirty: Dataset) -> None:
    counts = check_dataset(dirty).counts
    names = ("n_rows.transactions", "n_rows.service_cases", "n_missing_customers", "n_exact_duplicates", "n_returns")
    assert [counts[name] for name in names] == [5, 3, 1, 1, 1]


def test_raw_findings_see_every_day_and_cleaned_ones_only_what_was_known(dirty: Dataset) -> None:
    verdict = check_dataset(dirty, as_of=date(2024, 1, 5))
    assert left(verdict)["transactions", "customer_id", "missing"] == (1, 0)
    assert left(verdict)["service_cases", "case_id", "repeated_key"] == (1, 0)
    assert verdict.tables["rows"].tolist() == [5, 3]
    assert verdict.tables["rows_after"].tolist() == [1, 1]
    with pytest.raises(ParamsError, match="reaches from"):
        check_dataset(dirty, as_of=date(2025, 1, 1))


def test_what_to_fix_first_is_what_cleaning_leaves(dirty: Dataset) -> None:
    first = check_dataset(dirty).priorities
    assert first["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert first["left"].tolist() == [1, 1, 1, 1, 0, 0]
    assert first["table"].tolist()[-2:] == ["transactions", "transactions"]


def test_a_table_that_cannot_be_read_does_not_stop_the_others(dirty: Dataset, workspace: Path) -> None:
    (workspace / "params/datasets/shop_service_cases.csv").write_text("number,caller\n1,ann\n")
    verdict = check_dataset(open_dataset("shop"))
    assert (verdict.exit_code, len(verdict.source_errors)) == (3, 1)
    assert "service_cases" in verdict.source_errors[0]
    assert verdict.tables["table"].tolist() == ["transactions"]
    assert verdict.as_of == date(2024, 1, 8)
    assert verdict_lines(verdict)[-1].startswith("Next: make the tables readable")


def test_no_table_that_can_be_read_is_told(shop: Dataset, workspace: Path) -> None:
    (workspace / "params/datasets/shop_transactions.csv").write_text("a,b\n1,2\n")
    verdict = check_dataset(open_dataset("shop"))
    assert (verdict.exit_code, verdict.counts, verdict.as_of) == (3, {}, None)
    assert verdict.tables.empty
    json.dumps(verdict.to_json(), allow_nan=False)
    assert verdict_lines(verdict)[0] == "Dataset shop: 1 error, 0 warnings after cleaning"


def test_an_empty_table_and_one_that_cleaning_empties_exit_with_4(write_dataset: Write) -> None:
    nobody = LINES[LINES["customer_id"].isna()]
    sources = {"transactions": {"files": "shop_transactions.csv", "cleaning": RULES}}
    emptied = check_dataset(open_dataset(write_dataset(settings={"tables": sources}, transactions=nobody)))
    assert (emptied.exit_code, emptied.tables["rows_after"].item()) == (4, 0)
    assert "no rows as of 2024-01-06 after cleaning, though 1 came in" in emptied.empty_tables[0]
    empty = check_dataset(open_dataset(write_dataset(transactions=LINES.head(0), service_cases=CASES.head(1))))
    assert empty.exit_code == 4
    assert "transactions" in empty.empty_tables[0]


def test_a_dataset_of_customers_alone_is_checked(write_dataset: Write) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob", "bob"], "region": ["north", None, None]})
    verdict = check_dataset(open_dataset(write_dataset(customers=customers)))
    assert verdict.as_of is None
    assert left(verdict)["customers", "customer_id", "repeated_key"] == (1, 1)
    assert verdict.counts == {"n_rows.customers": 3, "score.customers": pytest.approx(2 / 3)}
    assert verdict.to_json()["as_of"] is None


def test_customers_unknown_before_and_after_cleaning(write_dataset: Write) -> None:
    customers = pd.DataFrame({"customer_id": ["ann"], "region": ["north"]})
    verdict = check_dataset(open_dataset(write_dataset(customers=customers, transactions=LINES.dropna())))
    assert left(verdict)["transactions", "customer_id", "unknown_customer"] == (2, 2)
    assert verdict.ok


def test_one_line_far_in_the_future_is_found_and_does_not_stretch_the_period(write_dataset: Write) -> None:
    lines = pd.concat([LINES.dropna(), pd.DataFrame([("bob", "2099-01-01", 1.0)], columns=LINES.columns)])
    dataset = open_dataset(write_dataset(transactions=lines))
    verdict = check_dataset(dataset)
    assert left(verdict)["transactions", "occurred_at", "too_late"] == (1, 0)
    assert dataset.last_day.year < 2099
    assert verdict.exit_code == 0


def test_what_only_cleaning_brings_about_is_told(write_dataset: Write) -> None:
    lines = pd.DataFrame(
        {"customer_id": "ann", "occurred_at": "2024-01-05", "amount": 1.0, "category": ["Books", " books"]}
    )
    rules = {"spelling": {"category": "fold"}}
    sources = {"transactions": {"files": "shop_transactions.csv", "cleaning": rules}}
    verdict = check_dataset(open_dataset(write_dataset(settings={"tables": sources}, transactions=lines)))
    assert left(verdict) == {("transactions", None, "exact_duplicate"): (0, 1)}
    assert any("brought about by cleaning" in told for told in verdict_lines(verdict))


def test_a_machine_gets_the_same(dirty: Dataset) -> None:
    verdict = check_dataset(dirty)
    told = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert (told["exit_code"], told["ok"], told["as_of"]) == (4, False, "2024-01-08")
    assert [finding["left_after_cleaning"] for finding in told["findings"]] == [left for _, left in verdict.findings]
    assert told["tables"][0]["rows"] == 5
    assert told["ledger"][0]["rows_dropped"] == 1


def test_lines_tell_errors_first_with_masked_examples_and_what_to_do(dirty: Dataset) -> None:
    lines = verdict_lines(check_dataset(dirty))
    headings = [line for line in lines if line in {"Errors that cleaning leaves", "Warnings", "Settled by cleaning"}]
    assert headings == ["Errors that cleaning leaves", "Settled by cleaning"]
    at = next(n for n, line in enumerate(lines) if "satisfaction: 1 of 3 values are no count" in line)
    assert lines[at + 2] == "    such as f•••"
    assert lines[at + 3].startswith("    → State how the values are written under tables.service_cases.format")
    assert "four" not in "\n".join(lines)
    assert lines[-1].startswith("Next: follow the arrows")


def test_what_a_terminal_would_act_upon_is_not_printed(write_dataset: Write) -> None:
    lines = LINES.dropna().assign(**{"evil\x1b[31m": ["x", None, None, None]})
    told = verdict_lines(check_dataset(open_dataset(write_dataset(transactions=lines))))
    assert any("evil·[31m" in line for line in told)
    assert not any("\x1b" in line for line in told)


def test_the_same_question_has_the_same_answer(dirty: Dataset) -> None:
    first = check_dataset(dirty).to_json()
    assert first == check_dataset(dirty).to_json() == check_dataset(open_dataset("shop")).to_json()


def checked(workspace: Path, content: dict[str, object]) -> Verdict:
    path = workspace / "params/datasets/trial.yaml"
    path.write_text(yaml.safe_dump({"name": "trial", "currency": "GBP"} | content), encoding="utf-8")
    return check_dataset(open_dataset("trial"))


def test_the_shop_ledger_has_the_published_counts(workspace: Path, test_data: Path) -> None:
    columns = {
        "customer_id": "Customer ID",
        "occurred_at": "InvoiceDate",
        "quantity": "Quantity",
        "unit_price": "Price",
        "transaction_id": "Invoice",
        "product_id": "StockCode",
        "description": "Description",
        "country": "Country",
    }
    source = {"files": str(test_data / "online_retail_2009_2010.parquet"), "columns": columns, "cleaning": RULES}
    verdict = checked(workspace, {"tables": {"transactions": source}})
    counts = {name: verdict.counts[name] for name in ("n_missing_customers", "n_exact_duplicates", "n_returns")}
    assert counts == {"n_missing_customers": 100_207, "n_exact_duplicates": 6_544, "n_returns": 9_879}
    assert left(verdict)["transactions", "unit_price", "out_of_range"][0] == 3_512
    assert verdict.exit_code == 0


def test_the_event_log_has_the_published_cases(root: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_DATA", str(test_data))
    verdict = check_dataset(open_dataset(str(root / "params/datasets/incident_log.yaml")))
    assert verdict.counts["n_rows.service_cases"] == 24_918
    assert verdict.exit_code == 0
    assert set(verdict.tables["table"]) <= set(CANONICAL)
