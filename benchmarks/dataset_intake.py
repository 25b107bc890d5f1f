"""Ten million lines from CSV, Parquet and PostgreSQL: read, checked and cleaned, in bounded memory."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import psycopg

from benchmarks.database_reading import servers
from benchmarks.measure import measured
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.verdict import check_dataset

AS_OF = date(2025, 12, 31)
ROWS = 10_000_000
CLEANING = "{drop_exact_duplicates: {}, drop_missing_customers: {}, returns: net, zero_prices: drop}"
LINES = """
    SELECT CASE WHEN hash(i) % 50 <> 0 THEN 'customer-' || (hash(i * 7) % {customers}) END AS customer_id,
           TIMESTAMP '2024-01-02' + to_seconds(CAST(hash(i * 3) % (730 * 86400) AS BIGINT)) AS occurred_at,
           CAST(((hash(i * 11) % 10000) - 300.0) / 100 AS DECIMAL(10, 2)) AS amount,
           'invoice-' || (i // 4) AS transaction_id, 'product-' || (hash(i * 5) % 5000) AS product_id,
           'category ' || (hash(i * 13) % 40) AS category, 'web' AS channel
    FROM (SELECT CASE WHEN i % 100 = 0 AND i > 0 THEN i - 1 ELSE i END AS i FROM range({rows}) AS numbers(i))
"""


def write_lines(path: Path, rows: int) -> None:
    """Write sales lines: two in a hundred without a customer, one in a hundred a copy of the line before, some returns."""
    options = "FORMAT parquet" if path.suffix == ".parquet" else "HEADER"
    duckdb.connect().execute(f"COPY ({LINES.format(rows=rows, customers=rows // 10)}) TO '{path}' ({options})")


def write_dataset(home: Path, source: str, *, cleaning: str = CLEANING) -> None:
    """Write the dataset file."""
    (home / "params" / "datasets").mkdir(parents=True, exist_ok=True)
    (home / "notebooks").mkdir(exist_ok=True)
    (home / "params" / "datasets" / "lines.yaml").write_text(
        f"name: lines\ncurrency: EUR\ntables:\n  transactions:\n    {source}\n    cleaning: {cleaning}\n"
    )


def take_in(home: str) -> pd.DataFrame:
    """Read, check and clean."""
    os.environ["CRM_HOME"] = home
    os.environ["CRM_PSEUDONYM_KEY"] = "a key for benchmarks only"
    dataset = open_dataset("lines")
    verdict = check_dataset(dataset, as_of=AS_OF)
    dataset.known(AS_OF).require("transactions")
    return verdict.ledger


def with_pandas(home: str) -> pd.DataFrame:
    """Do by hand what the rules do; no contract, no pseudonyms."""
    (path,) = Path(home).glob("lines.*")
    lines = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, parse_dates=["occurred_at"])
    lines = lines.drop_duplicates()
    lines = lines[lines["customer_id"].notna()]
    return lines[lines["amount"] != 0]


def from_postgres(home: Path) -> tuple[float, float]:
    """Put the lines of a CSV file into a PostgreSQL of one's own, and take them in from there."""
    columns = "customer_id text, occurred_at timestamp, amount numeric(10, 2), transaction_id text, product_id text"
    with servers().postgres_server() as server:
        server.run(f"CREATE UNLOGGED TABLE lines ({columns}, category text, channel text)")
        server.run("GRANT SELECT ON lines TO analyst")
        copying = "COPY lines FROM STDIN (FORMAT csv, HEADER)"
        with (
            psycopg.connect(**server.admin) as connection,
            connection.cursor() as cursor,
            (home / "lines.csv").open("rb") as file,
            cursor.copy(copying) as copy,
        ):
            while block := file.read(1 << 20):
                copy.write(block)
        os.environ["LINES_DATABASE"] = server.url
        write_dataset(home, "connection: ${LINES_DATABASE}\n    table: lines")
        return measured(take_in, str(home), repeats=1)


def figures() -> list[tuple[str, ...]]:
    """Return the table: seconds and peak memory by kind of source."""
    table: list[tuple[str, ...]] = [("source", "lines", "how", "seconds", "peak MB", "pandas ÷ this")]
    for suffix in ("csv", "parquet"):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            write_dataset(home, f"files: {home}/lines.{suffix}")
            write_lines(home / f"lines.{suffix}", ROWS)
            own, by_hand = measured(take_in, folder, repeats=1), measured(with_pandas, folder, repeats=1)
            if suffix == "csv":
                seconds, peak = from_postgres(home)
                table.append(("postgresql", f"{ROWS:,}", "crm_analysis", f"{seconds:.1f}", f"{peak:,.0f}", ""))
        for how, (seconds, peak) in (("crm_analysis", own), ("pandas by hand", by_hand)):
            ratio = f"{by_hand[0] / seconds:.1f}"
            table.append((suffix, f"{ROWS:,}", how, f"{seconds:.1f}", f"{peak:,.0f}", ratio))
    return table
