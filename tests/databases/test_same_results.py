"""The same rows through every kind of source: the same results, to the digit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pymongo
import pymysql
import pytest
import yaml
from bson.decimal128 import Decimal128

from crm_analysis.features.purchases import purchase_features
from crm_analysis.models import segmentation as segments
from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.verdict import check_dataset
from tests.databases.conftest import Server

CLEANING = {"drop_exact_duplicates": {}, "drop_missing_customers": {}, "returns": "net"}
COLUMNS = "customer_id VARCHAR(20), occurred_at {time}, amount DECIMAL(10,2), transaction_id VARCHAR(20), category VARCHAR(40)"
Put = Callable[[pd.DataFrame, Path], dict[str, Any]]


def purchases() -> pd.DataFrame:
    """Lines of three kinds of customers, with copies, lines without a customer, returns, and amounts that floats spoil."""
    rng = np.random.default_rng(5)
    rows = []
    for customer in range(240):
        every, spend = [(6, 12.0), (25, 80.0), (60, 9.0)][customer % 3]
        day = rng.integers(0, every)
        while day < 400:
            amount = Decimal(int(rng.gamma(4, spend * 25))) / 100
            rows.append(
                (f"K-{customer:03d}", pd.Timestamp(2024, 1, 1, 10), int(day), amount, f"t{len(rows)}", "Küche & Bad")
            )
            day += max(1, rng.poisson(every))
    table = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "day", "amount", "transaction_id", "category"])
    table["occurred_at"] = pd.to_datetime(table["occurred_at"]) + pd.to_timedelta(table.pop("day"), unit="D")
    table.loc[::97, "customer_id"] = None
    table.loc[::89, "amount"] = table["amount"][::89].map(lambda amount: -amount)
    return pd.concat([table, table[::50]], ignore_index=True)


def tuples(lines: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return the rows as drivers take them."""
    return [
        (None if pd.isna(customer) else customer, moment.to_pydatetime(), *rest)
        for customer, moment, *rest in lines.itertuples(index=False, name=None)
    ]


def csv(lines: pd.DataFrame, folder: Path) -> dict[str, Any]:
    lines.to_csv(folder / "lines.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    text = (folder / "lines.csv").read_text(encoding="cp1252").replace(".", ",")  # decimals are written with a point
    (folder / "lines.csv").write_text(text, encoding="cp1252")
    return {"files": "lines.csv", "format": {"delimiter": ";", "decimal": ",", "encoding": "cp1252"}}


def parquet(lines: pd.DataFrame, folder: Path) -> dict[str, Any]:
    lines.to_parquet(folder / "lines.parquet")
    return {"files": "lines.parquet"}


def excel(lines: pd.DataFrame, folder: Path) -> dict[str, Any]:
    lines.assign(amount=lines["amount"].astype(float)).to_excel(folder / "lines.xlsx", index=False)
    return {"files": "lines.xlsx"}


def json_lines(lines: pd.DataFrame, folder: Path) -> dict[str, Any]:
    text = lines.assign(amount=lines["amount"].astype(float), occurred_at=lines["occurred_at"].astype(str))
    text.to_json(folder / "lines.jsonl", orient="records", lines=True)
    return {"files": "lines.jsonl"}


def sqlite(lines: pd.DataFrame, folder: Path) -> dict[str, Any]:
    with sqlite3.connect(folder / "lines.db") as connection:
        connection.execute(f"CREATE TABLE lines ({COLUMNS.format(time='TEXT')})")
        rows = [(c, str(t), float(a), *rest) for c, t, a, *rest in tuples(lines)]
        connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    return {"connection": "sqlite:///lines.db", "table": "lines"}


def duckdb_file(lines: pd.DataFrame, folder: Path) -> dict[str, Any]:
    with duckdb.connect(str(folder / "lines.duckdb")) as connection:
        connection.execute(f"CREATE TABLE lines ({COLUMNS.format(time='TIMESTAMP')})")
        connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", tuples(lines))
    return {"connection": "duckdb:///lines.duckdb", "table": "lines"}


def into_postgres(lines: pd.DataFrame, server: Server, name: str = "lines") -> None:
    with psycopg.connect(**server.admin) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({COLUMNS.format(time='TIMESTAMP')})")
        cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s, %s, %s, %s)", tuples(lines))
        cursor.execute(f"GRANT SELECT ON {name} TO PUBLIC")


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return purchases()


def opened(folder: Path, source: dict[str, Any]) -> Dataset:
    table = source | {"cleaning": CLEANING}
    content = {"name": "lines", "currency": "EUR", "tables": {"transactions": table}}
    (folder / "lines.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return open_dataset(str(folder / "lines.yaml"))


def results(dataset: Dataset) -> dict[str, Any]:
    """Return what the reports on segments and on data quality record, and every customer's segment."""
    known = dataset.known(dataset.last_day)
    features = purchase_features(known, history_days=365)
    found = segments.segment_customers(features, seed=0, n_bootstraps=5)
    verdict = check_dataset(dataset)
    return {
        "features": features.reset_index().to_dict("list"),
        "labels": found.labels.to_dict(),
        "silhouette": found.silhouette,
        "stability": found.stability_ari,
        "profiles": found.profiles.reset_index().to_dict("list"),
        "rules": found.model.rules.to_dict(),
        "counts": verdict.counts,
        "ledger": verdict.ledger.to_dict("list"),
    }


@pytest.fixture(scope="module")
def expected(lines: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("expected")
    return results(opened(folder, parquet(lines, folder)))


def test_the_expected_results_say_something(lines: pd.DataFrame, expected: dict[str, Any]) -> None:
    assert expected["counts"]["n_rows.transactions"] == len(lines)
    assert expected["counts"]["n_missing_customers"] == lines["customer_id"].isna().sum() > 10
    assert expected["counts"]["n_exact_duplicates"] == lines.duplicated().sum() > 10
    assert expected["counts"]["n_returns"] == (lines["amount"] < 0).sum() > 10
    assert len(expected["labels"]) > 200


@pytest.mark.parametrize("put", [csv, excel, json_lines, sqlite, duckdb_file], ids=lambda put: put.__name__)
def test_files_give_the_same_results(put: Put, lines: pd.DataFrame, expected: dict[str, Any], tmp_path: Path) -> None:
    assert results(opened(tmp_path, put(lines, tmp_path))) == expected


def test_postgresql_gives_the_same_results(
    postgres: Server, lines: pd.DataFrame, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into_postgres(lines, postgres)
    monkeypatch.setenv("SHOP_DATABASE", postgres.url)
    assert results(opened(tmp_path, {"connection": "${SHOP_DATABASE}", "table": "lines"})) == expected


def test_a_query_on_the_server_gives_the_same_results(
    postgres: Server, lines: pd.DataFrame, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into_postgres(lines, postgres, "asked")
    monkeypatch.setenv("SHOP_DATABASE", postgres.url)
    query = "SELECT customer_id, occurred_at, amount, transaction_id, category FROM asked ORDER BY random()"
    assert results(opened(tmp_path, {"connection": "${SHOP_DATABASE}", "query": query})) == expected


def test_mariadb_gives_the_same_results(
    mariadb: Server, lines: pd.DataFrame, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pymysql.connect(**mariadb.admin) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE `lines` ({COLUMNS.format(time='DATETIME')})")
        cursor.executemany("INSERT INTO `lines` VALUES (%s, %s, %s, %s, %s)", tuples(lines))
    monkeypatch.setenv("SHOP_DATABASE", mariadb.url)
    assert results(opened(tmp_path, {"connection": "${SHOP_DATABASE}", "table": "lines"})) == expected


def test_mongodbs_protocol_gives_the_same_results(
    mongodb: Server, lines: pd.DataFrame, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [
        {"customer": {"id": c}, "occurred_at": t, "amount": Decimal128(a), "transaction_id": n, "category": k}
        for c, t, a, n, k in tuples(lines)
    ]
    with pymongo.MongoClient(mongodb.url) as client:
        client["crm"]["lines"].insert_many(documents)
    monkeypatch.setenv("SHOP_DATABASE", mongodb.url)
    names = ["occurred_at", "amount", "transaction_id", "category"]
    columns = {"customer_id": "customer.id"} | {name: name for name in names}  # not _id: it would tell copies apart
    source = {"connection": "${SHOP_DATABASE}", "table": "lines", "columns": columns}
    assert results(opened(tmp_path, source)) == expected
