"""Claims about opening datasets and what they say."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_analysis.errors import DataQualityError, ParamsError, SourceError, SourceSchemaError
from crm_analysis.tables.datasets import Dataset, open_dataset

Write = Callable[..., str]


def one_line(**values: object) -> pd.DataFrame:
    line = {"customer_id": "ann", "occurred_at": "2024-01-05 10:00", "amount": "10.00"} | values
    return pd.DataFrame([line]).dropna(axis="columns")


def test_the_period_is_from_the_first_to_the_last_dated_row(shop: Dataset) -> None:
    assert (shop.first_day, shop.last_day) == (date(2024, 1, 5), date(2024, 3, 31))


def test_no_day_means_the_last_in_the_data(shop: Dataset) -> None:
    assert shop.day(None) == date(2024, 3, 31)


@pytest.mark.parametrize("as_of", [date(2024, 1, 4), date(2024, 4, 1)])
def test_a_day_outside_the_data_is_refused(shop: Dataset, as_of: date) -> None:
    with pytest.raises(ParamsError, match="reaches from 2024-01-05 to 2024-03-31"):
        shop.day(as_of)


def test_rows_are_counted_before_any_rule(shop: Dataset) -> None:
    assert shop.row_counts() == {"transactions": 7}


def test_the_digest_follows_every_byte_of_the_sources(shop: Dataset, write_dataset: Write) -> None:
    before = shop.digest()
    assert open_dataset("shop").digest() == before
    source = Path("params/datasets/shop_transactions.csv")
    source.write_text(source.read_text().replace("10.0", "10.1"))
    assert open_dataset("shop").digest() != before


def test_money_is_summed_exactly(write_dataset: Write) -> None:
    lines = pd.concat([one_line(amount="0.10")] * 10_000)
    known = open_dataset(write_dataset(transactions=lines)).known(date(2024, 1, 5))
    assert known.query("SELECT sum(amount) = 1000 AS exact FROM transactions")["exact"].item()


def test_amount_is_made_from_quantity_and_price(write_dataset: Write) -> None:
    lines = one_line(amount=None, quantity="3", unit_price="1.15")
    known = open_dataset(write_dataset(transactions=lines)).known(date(2024, 1, 5))
    assert known.query("SELECT amount FROM transactions")["amount"].item() == pytest.approx(3.45)


def test_times_are_moved_to_the_zone_whose_midnights_cut_days(write_dataset: Write) -> None:
    zones = {"timezone": "UTC", "day_timezone": "America/New_York"}
    lines = one_line(occurred_at="2018-01-01 04:59:00")
    assert open_dataset(write_dataset(settings=zones, transactions=lines)).last_day == date(2017, 12, 31)


@pytest.mark.parametrize(
    "written",
    ["2024-01-05T23:30:00-05:00", "2024-01-05 23:30:00 -0500", "2024-01-06T04:30:00Z", "2024-01-05 23:30:00-05"],
)
def test_a_time_that_names_its_offset_is_moved_by_it(write_dataset: Write, written: str) -> None:
    zones = {"timezone": "Asia/Tokyo", "day_timezone": "Europe/Berlin"}
    known = open_dataset(write_dataset(settings=zones, transactions=one_line(occurred_at=written)))
    assert known.landed_relation("transactions")
    row = known.known(known.last_day).query("SELECT occurred_at FROM transactions")
    assert row["occurred_at"].item() == pd.Timestamp("2024-01-06 05:30")


def test_a_day_without_a_clock_is_that_day_everywhere(write_dataset: Write) -> None:
    zones = {"timezone": "UTC", "day_timezone": "America/New_York"}
    lines = one_line(occurred_at="2018-01-01")
    assert open_dataset(write_dataset(settings=zones, transactions=lines)).last_day == date(2018, 1, 1)


def test_text_is_read_as_the_format_says(write_dataset: Write, workspace: Path) -> None:
    name = write_dataset(
        transactions=pd.DataFrame({"Kunde": ["7"], "Tag": ["05/02/2024 10:30"], "Betrag": ["1,50"], "X": ["?"]})
    )
    path = workspace / "params" / "datasets" / f"{name}.yaml"
    content = yaml.safe_load(path.read_text())
    content["tables"]["transactions"] |= {
        "format": {"decimal": ",", "missing": ["?"], "dates": {"occurred_at": "%d/%m/%Y %H:%M"}},
        "columns": {"customer_id": "Kunde", "occurred_at": "Tag", "amount": "Betrag", "channel": "X"},
    }
    path.write_text(yaml.safe_dump(content))
    row = open_dataset(name).known(date(2024, 2, 5)).query("SELECT * FROM transactions").iloc[0]
    assert (row["customer_id"], row["amount"], row["occurred_at"]) == ("7", 1.5, pd.Timestamp("2024-02-05 10:30"))
    assert pd.isna(row["channel"])


def test_whole_numbers_stored_as_floats_are_the_same_ids(workspace: Path, write_dataset: Write) -> None:
    name = write_dataset(transactions=one_line())
    rows = pd.DataFrame({"customer_id": [13085.0, None], "occurred_at": pd.Timestamp("2024-01-05"), "amount": 1.0})
    rows.to_parquet(workspace / "params/datasets/lines.parquet")
    path = workspace / "params/datasets/shop.yaml"
    content = yaml.safe_load(path.read_text())
    content["tables"]["transactions"] = {"files": "lines.parquet", "cleaning": {"drop_missing_customers": {}}}
    path.write_text(yaml.safe_dump(content))
    known = open_dataset(name).known(date(2024, 1, 5))
    assert known.query("SELECT customer_id FROM transactions")["customer_id"].tolist() == ["13085"]


@pytest.mark.parametrize("suffix", ["parquet", "json", "jsonl", "csv.gz", "tsv"])
def test_each_kind_of_file_gives_the_same_rows(workspace: Path, write_dataset: Write, suffix: str) -> None:
    rows = pd.DataFrame(
        {
            "customer_id": ["ann", "bob"],
            "occurred_at": ["2024-01-05 10:00:00", "2024-01-06 11:00:00"],
            "amount": [1.25, 2.5],
        }
    )
    file = workspace / "params/datasets" / f"lines.{suffix}"
    if suffix == "parquet":
        rows.to_parquet(file)
    elif suffix.startswith("json"):
        rows.to_json(file, orient="records", lines=suffix == "jsonl")
    else:
        rows.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
    name = write_dataset(transactions=rows)
    path = workspace / "params/datasets/shop.yaml"
    path.write_text(path.read_text().replace("shop_transactions.csv", file.name))
    found = (
        open_dataset(name).known(date(2024, 1, 6)).query("SELECT customer_id, amount FROM transactions ORDER BY ALL")
    )
    assert found.to_numpy().tolist() == [["ann", 1.25], ["bob", 2.5]]


def test_a_query_runs_over_the_source(workspace: Path, write_dataset: Write) -> None:
    name = write_dataset(transactions=pd.concat([one_line(), one_line(customer_id="bob")]))
    path = workspace / "params/datasets/shop.yaml"
    content = yaml.safe_load(path.read_text())
    content["tables"]["transactions"]["query"] = "SELECT * FROM source WHERE customer_id = 'bob'"
    path.write_text(yaml.safe_dump(content))
    assert open_dataset(name).row_counts() == {"transactions": 1}


def test_sql_reads_no_other_file(workspace: Path, write_dataset: Write) -> None:
    (workspace / "secret.csv").write_text("customer_id,occurred_at,amount\nx,2024-01-01,1\n")
    name = write_dataset(transactions=one_line())
    path = workspace / "params/datasets/shop.yaml"
    content = yaml.safe_load(path.read_text())
    content["tables"]["transactions"]["query"] = f"SELECT * FROM read_csv('{workspace}/secret.csv')"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SourceError, match="cannot be read"):
        open_dataset(name).row_counts()


def test_variables_are_read_from_the_environment(
    workspace: Path, write_dataset: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = write_dataset(transactions=one_line())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (workspace / "params/datasets/shop_transactions.csv").rename(elsewhere / "lines.csv")
    path = workspace / "params/datasets/shop.yaml"
    path.write_text(path.read_text().replace("shop_transactions.csv", "${SHOP_DATA}/*.csv"))
    with pytest.raises(ParamsError, match=r"\$SHOP_DATA"):
        open_dataset(name)
    monkeypatch.setenv("SHOP_DATA", str(elsewhere))
    assert open_dataset(name).row_counts() == {"transactions": 1}


def test_the_default_of_a_variable_starts_at_the_root(workspace: Path, write_dataset: Write) -> None:
    name = write_dataset(transactions=one_line())
    (workspace / "data").mkdir()
    (workspace / "params/datasets/shop_transactions.csv").rename(workspace / "data" / "lines.csv")
    path = workspace / "params/datasets/shop.yaml"
    path.write_text(path.read_text().replace("shop_transactions.csv", "${SHOP_DATA:-data}/lines.csv"))
    assert open_dataset(name).row_counts() == {"transactions": 1}


def test_an_unknown_dataset_names_the_nearest(shop: Dataset) -> None:
    with pytest.raises(ParamsError, match=r"no dataset 'shpo' \(did you mean 'shop'\?\)"):
        open_dataset("shpo")


def test_all_faults_of_a_dataset_file_are_told_at_once(workspace: Path) -> None:
    content = {"name": "shop", "currency": "euro", "tables": {"transactions": {"files": "a.csv", "colums": {}}}}
    (workspace / "params/datasets/shop.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ParamsError, match="has 2 faults") as caught:
        open_dataset("shop")
    assert len(caught.value.faults) == 2
    assert "currency" in str(caught.value)
    assert "tables.transactions.colums: unknown name" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tables": {"sales": {"files": "a.csv"}}}, "'sales' is no table"),
        ({"tables": {"transactions": {}}}, "needs one of files, connection or builtin"),
        ({"tables": {"transactions": {"builtin": "cdnwo.transactions"}}}, "is no built-in table"),
        (
            {"tables": {"transactions": {"files": "a.csv", "cleaning": {"drop_everything": {}}}}},
            "drop_everything: unknown name; known are",
        ),
        (
            {"tables": {"transactions": {"files": "a.csv", "cleaning": {"returns": "ignore"}}}},
            "'net', 'drop' or 'keep', got 'ignore'",
        ),
        ({"tables": {"transactions": {"files": "a.csv", "format": {"encoding": "utf-9"}}}}, "is no text encoding"),
        ({"timezone": "Europe/Londn"}, "did you mean 'Europe/London'"),
        ({"tables": {"transactions": {"files": "https://example.org/a.csv"}}}, "remote path is refused"),
        ({"tables": {"transactions": {"files": "book.docx"}}}, "of a kind that is not read"),
    ],
)
def test_a_wrong_dataset_file_says_what_to_do(workspace: Path, change: dict[str, object], message: str) -> None:
    (workspace / "params/datasets/book.docx").touch()
    content = {"name": "shop", "currency": "EUR", "tables": {"transactions": {"files": "a.csv"}}} | change
    (workspace / "params/datasets/shop.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ParamsError, match=message):
        open_dataset("shop")


@pytest.mark.parametrize("text", ["- a\n- b\n", "name: [", "name: a\nname: b\n", "\xff"])
def test_a_file_that_is_no_mapping_is_refused(workspace: Path, text: str) -> None:
    (workspace / "params/datasets/shop.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ParamsError, match=r"shop\.yaml"):
        open_dataset("shop")


def test_a_missing_file_is_named(workspace: Path, write_dataset: Write) -> None:
    name = write_dataset(transactions=one_line())
    (workspace / "params/datasets/shop_transactions.csv").unlink()
    with pytest.raises(SourceError, match=r"no file matches 'shop_transactions\.csv'"):
        open_dataset(name)


def test_a_parquet_that_is_none_is_unreadable(workspace: Path, write_dataset: Write) -> None:
    name = write_dataset(transactions=one_line())
    (workspace / "params/datasets/lines.parquet").write_text("not a parquet file")
    path = workspace / "params/datasets/shop.yaml"
    path.write_text(path.read_text().replace("shop_transactions.csv", "lines.parquet"))
    with pytest.raises(SourceError, match=r"Table transactions of shop\.yaml cannot be read"):
        open_dataset(name).row_counts()


def test_a_missing_column_is_named_with_what_there_is(write_dataset: Write) -> None:
    name = write_dataset(transactions=one_line(amount=None))
    with pytest.raises(
        SourceSchemaError, match=r"lacks 1 of 3 columns: \['amount'\]. It has \['customer_id'"
    ) as caught:
        open_dataset(name).row_counts()
    assert "tables.transactions.columns" in str(caught.value)


def test_an_empty_table_is_an_error_of_the_data(write_dataset: Write) -> None:
    name = write_dataset(transactions=one_line().head(0))
    with pytest.raises(DataQualityError, match="is empty"):
        open_dataset(name).row_counts()


def test_values_that_cannot_be_read_are_counted_by_column(write_dataset: Write) -> None:
    lines = pd.concat([one_line(), one_line(amount="ten"), one_line(occurred_at="soon")])
    with pytest.raises(DataQualityError) as caught:
        open_dataset(write_dataset(transactions=lines)).known(date(2024, 1, 5)).require("transactions")
    assert sorted(caught.value.faults) == [
        "transactions.amount: 1 of 3 values are no money",
        "transactions.occurred_at: 1 of 3 values are no time",
    ]


def test_a_table_that_the_dataset_lacks_is_named(shop: Dataset) -> None:
    with pytest.raises(SourceError, match="has no table service_cases; it has transactions"):
        shop.known(shop.last_day).query("SELECT * FROM service_cases")


@pytest.mark.parametrize(("name", "customers", "lines"), [("cdnow_sample", 2357, 6919), ("cdnow", 23570, 69659)])
def test_the_built_in_shop_has_its_published_size(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, customers: int, lines: int
) -> None:
    monkeypatch.chdir(root)
    dataset = open_dataset(name)
    counted = dataset.known(dataset.last_day).query(
        "SELECT count(DISTINCT customer_id) AS customers, count(*) AS lines FROM transactions"
    )
    assert counted.iloc[0].tolist() == [customers, lines]
    assert (dataset.first_day, dataset.last_day) == (date(1997, 1, 1), date(1998, 6, 30))


def test_the_built_in_households_end_on_the_last_full_day(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    dataset = open_dataset("complete_journey")
    assert (dataset.first_day, dataset.last_day) == (date(2017, 1, 1), date(2017, 12, 31))
    rows = dataset.row_counts()
    assert (rows["customers"], rows["transactions"], rows["contacts"]) == (2469, 1_469_307, 6589)
    contacts = dataset.known(dataset.last_day).query(
        "SELECT count(responded_at) AS responded, min(sent_at) AS first FROM contacts"
    )
    assert contacts["responded"].item() > 0
    assert contacts["first"].item() == contacts["first"].item().normalize()


def test_the_shop_ledger_opens_with_its_known_counts(workspace: Path, test_data: Path) -> None:
    content = {
        "name": "ledger",
        "currency": "GBP",
        "timezone": "Europe/London",
        "tables": {
            "transactions": {
                "files": str(test_data / "online_retail_2009_2010.parquet"),
                "columns": {
                    "customer_id": "Customer ID",
                    "transaction_id": "Invoice",
                    "occurred_at": "InvoiceDate",
                    "quantity": "Quantity",
                    "unit_price": "Price",
                    "product_id": "StockCode",
                },
                "cleaning": {"drop_exact_duplicates": {}, "drop_missing_customers": {}, "returns": "net"},
            }
        },
    }
    (workspace / "params/datasets/ledger.yaml").write_text(yaml.safe_dump(content))
    dataset = open_dataset("ledger")
    assert dataset.row_counts() == {"transactions": 502_938}
    known = dataset.known(dataset.last_day)
    counted = known.query("SELECT count(DISTINCT customer_id) AS customers FROM transactions")
    assert counted["customers"].item() == 4336
    assert known.ledger()["rule"].tolist() == ["drop_exact_duplicates", "drop_missing_customers", "returns"]


def test_the_catalogue_of_a_killed_process_is_swept_away(
    shop: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended, alive = tmp_path / "crm_analysis_999999999_a", tmp_path / "crm_analysis_1_b"
    for folder in (ended, alive):
        folder.mkdir()
    dataset = open_dataset("shop")
    assert dataset.tables
    assert not ended.exists()
    assert alive.exists()
    assert any(folder.name.startswith(f"crm_analysis_{os.getpid()}_") for folder in tmp_path.iterdir())
