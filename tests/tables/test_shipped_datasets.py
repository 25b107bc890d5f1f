"""Claims about the dataset files for data that users download themselves."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from crm_analysis.cli import main
from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.suites import read_suite
from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.verdict import check_dataset


@pytest.fixture
def data(root: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(root)
    monkeypatch.setenv("CRM_DATA", str(test_data))
    return test_data


def needs(folder: Path, name: str) -> None:
    if not list(folder.glob(name)):
        pytest.skip(f"the folder with real data has no {name}")


def test_the_shop_ledger_comes_out_with_its_published_counts(data: Path) -> None:
    needs(data, "online_retail_*.parquet")
    answer = CliRunner().invoke(main, ["check", "online_retail", "--json"])
    assert answer.exit_code == 0
    verdict = json.loads(answer.stdout)
    assert verdict["counts"]["n_rows.transactions"] == 502_938
    assert verdict["counts"]["n_missing_customers"] == 100_207
    assert verdict["counts"]["n_exact_duplicates"] == 6_544
    assert verdict["counts"]["n_returns"] == 9_879
    prices = [finding for finding in verdict["findings"] if finding["column"] == "unit_price"]
    assert [finding["count"] for finding in prices] == [3_512]


def test_the_ledger_of_the_shop_reconciles_to_the_cent(data: Path) -> None:
    needs(data, "online_retail_*.parquet")
    dataset = open_dataset("online_retail")
    known = dataset.known(dataset.last_day)
    known.require("transactions")
    ledger = known.ledger()
    came = dataset.connection.execute(f"SELECT sum(amount) FROM {dataset.landed_relation('transactions')}").fetchone()
    left = known.query("SELECT CAST(sum(amount) AS VARCHAR) AS total, count(*) AS n FROM transactions").iloc[0]
    assert came is not None
    assert came[0] - ledger["amount_dropped"].sum() + ledger["amount_changed"].sum() == Decimal(left["total"])
    assert 502_938 - ledger["rows_dropped"].sum() == left["n"]
    assert dataset.last_day == date(2010, 11, 30)


def test_the_reports_on_the_data_of_the_shop_are_made(data: Path, tmp_path: Path) -> None:
    needs(data, "online_retail_*.parquet")
    published = run_suite(read_suite("online_retail"), RunOptions(out=tmp_path, only=["data_quality"]))
    manifest = json.loads((published / "manifest.json").read_text())
    results = manifest["reports"]["data_quality"]["results"]
    assert (results["n_rows.transactions"], results["n_missing_customers"]) == (502_938, 100_207)
    written = (published / "data_quality.html").read_text()
    assert "100,207" in written
    assert "13085" not in written  # a customer's id


def test_the_event_log_becomes_cases(data: Path) -> None:
    needs(data, "incident_event_log.zip")
    dataset = open_dataset("incident_log")
    assert check_dataset(dataset).exit_code == 0
    assert dataset.row_counts() == {"service_cases": 24_918}
    cases = dataset.known(dataset.last_day).query(
        "SELECT count(*) AS n, count(*) FILTER (WHERE sla_met) AS met, min(opened_at) AS first, "
        "count(*) FILTER (WHERE opened_at >= DATE '2016-03-01' AND opened_at < DATE '2016-05-01') AS spring, "
        "count(*) FILTER (WHERE opened_at >= DATE '2016-03-01' AND opened_at < DATE '2016-05-01' "
        "AND resolved_at >= DATE '2016-05-01') AS later FROM service_cases"
    )
    row = cases.iloc[0]
    assert row["n"] == 24_918 - 3  # without a caller
    assert row["first"] == pd.Timestamp("2016-02-29 01:16")
    assert row["met"] / row["n"] == pytest.approx(0.634, abs=0.001)
    assert row["spring"] == pytest.approx(16_929, abs=3)
    assert row["later"] == pytest.approx(1_190 + 142, abs=3)  # 142 of them were closed without a time of resolution


def test_of_what_came_later_nothing_is_known(data: Path) -> None:
    needs(data, "incident_event_log.zip")
    known = open_dataset("incident_log").known(date(2016, 4, 30))
    later = known.query("SELECT count(sla_met) AS n FROM service_cases WHERE resolved_at IS NULL")
    assert later["n"].item() == 0


def test_telco_can_be_checked_without_dates(data: Path) -> None:
    needs(data, "telco_customer_churn.csv")
    verdict = check_dataset(open_dataset("telco"))
    assert verdict.counts["n_rows.customers"] == 7_043
    assert verdict.as_of is None
    assert verdict.exit_code == 0


@pytest.fixture
def olist(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A few lines in the shape of Olist's files, which may not be put into a project."""
    files = {
        "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n"
        "o1c,ann,1,x,SP\no2c,ann,1,x,SP\no3c,bob,2,y,RJ\n",
        "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_delivered_customer_date,"
        "order_estimated_delivery_date\n"
        "o1,o1c,delivered,2017-10-02 10:56:33,2017-10-10 21:25:13,2017-10-18 00:00:00\n"
        "o2,o2c,delivered,2017-11-02 10:00:00,2017-12-01 00:00:00,2017-11-20 00:00:00\n"
        "o3,o3c,canceled,2017-11-05 10:00:00,,2017-11-20 00:00:00\n",
        "order_items": "order_id,order_item_id,product_id,price,freight_value\n"
        "o1,1,p1,29.99,8.72\no1,2,p2,10.00,1.00\no2,1,p1,29.99,8.72\no3,1,p2,10.00,1.00\n",
        "products": "product_id,product_category_name\np1,perfumaria\np2,artes\n",
        "order_reviews": "review_id,order_id,review_score,review_comment_message,review_answer_timestamp\n"
        "r1,o1,5,,2017-10-12 00:00:00\nr2,o2,2,Demorou,2017-12-02 00:00:00\nr3,o2,1,Nunca,2017-12-05 00:00:00\n",
    }
    for name, text in files.items():
        (tmp_path / f"olist_{name}_dataset.csv").write_text(text)
    monkeypatch.chdir(root)
    monkeypatch.setenv("CRM_DATA", str(tmp_path))
    return open_dataset("olist")


def test_olists_files_are_joined(olist: Dataset) -> None:
    known = olist.known(date(2017, 12, 31))
    bought = known.query(
        "SELECT count(DISTINCT customer_id) AS customers, count(*) AS n, sum(amount) AS total FROM transactions"
    )
    assert bought.iloc[0].tolist() == [1, 3, pytest.approx(69.98)]  # the cancelled order is left out
    assert known.query("SELECT count(*) AS n FROM customers")["n"].item() == 2
    cases = known.query(
        "SELECT case_id, satisfaction, resolved_at > due_at AS late, text FROM service_cases ORDER BY case_id"
    )
    assert cases["satisfaction"].tolist()[:2] == [5, 1]
    assert cases["late"].astype("str").tolist()[:2] == ["False", "True"]
    assert cases["text"].tolist()[1] == "Nunca"
    assert check_dataset(olist).exit_code == 0
