"""Lines from PostgreSQL to a table of the engine: the package's copy against connectorx as it comes, on the same server."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import connectorx

from benchmarks.measure import measured
from crm_analysis.tables.engine import open_catalogue
from crm_analysis.tables.references import secret_address
from crm_analysis.tables.sources.databases import database_relation

ROWS = (1_000_000, 10_000_000)
LINES = """
    SELECT i AS transaction_id, 'c' || i * 7919 % 1000000 AS customer_id,
        timestamptz '2024-01-01 00:00+00' + i * 37 % 63072000 * interval '1 second' AS occurred_at,
        (i * 31 % 100000 / 100.0)::numeric(12, 2) AS amount, 1 + i % 5 AS quantity, 'P' || i % 5000 AS product_id,
        (ARRAY['food', 'toys', 'books', NULL])[1 + i % 4] AS category
    FROM generate_series(1::bigint, {rows}) i
"""


def servers() -> Any:
    """Return the module of the tests that starts servers of one's own."""
    path = Path(__file__).parent.parent / "tests" / "databases" / "conftest.py"
    spec = importlib.util.spec_from_file_location("servers", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"This benchmark starts its server with {path.name} of the tests, which is not there.")
    module = sys.modules["servers"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_package(url: str, table: str) -> None:
    """Copy the table and make one of the engine from it."""
    catalogue = open_catalogue([])
    relation = database_relation(
        catalogue.connection,
        secret_address(url),
        table=table,
        query=None,
        name="lines",
        scratch=catalogue.scratch,
        beside=Path(),
        where=f"Table {table}",
        timeout_seconds=600,
    )
    catalogue.connection.execute(f"CREATE TABLE lines AS SELECT * FROM ({relation})")  # noqa: S608 - our own SQL
    catalogue.connection.close()


def with_connectorx(url: str, table: str) -> None:
    """Read the table into memory and make one of the engine from it; its numerics are floating point."""
    catalogue = open_catalogue([])
    lines = connectorx.read_sql(url, f"SELECT * FROM {table}", return_type="arrow")  # noqa: S608 - our own
    catalogue.connection.register("read", lines)
    catalogue.connection.execute("CREATE TABLE lines AS SELECT * FROM read")
    catalogue.connection.close()


def figures() -> list[tuple[str, ...]]:
    """Return the table: seconds, peak MB and the ratio to connectorx."""
    table: list[tuple[str, ...]] = [("lines", "how", "seconds", "peak MB", "connectorx ÷ this")]
    with servers().postgres_server() as server:
        for rows in ROWS:
            name = f"lines_{rows}"
            server.run(
                f"CREATE UNLOGGED TABLE {name} AS {LINES.format(rows=rows)}", f"GRANT SELECT ON {name} TO analyst"
            )
            server.run(f"VACUUM ANALYZE {name}")
            own, peer = (measured(how, server.url, name) for how in (with_package, with_connectorx))
            for how, (seconds, peak) in (("crm_analysis", own), ("connectorx into memory", peer)):
                table.append((f"{rows:,}", how, f"{seconds:.2f}", f"{peak:,.0f}", f"{peer[0] / seconds:.1f}"))
    return table
