"""Service cases by hand and at random, with purchases beside them, as known at the end of a day."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

CASES = {
    "case_id": "VARCHAR", "customer_id": "VARCHAR", "opened_at": "TIMESTAMP", "due_at": "TIMESTAMP", "resolved_at": "TIMESTAMP",
    "first_response_at": "TIMESTAMP", "sla_met": "BOOLEAN", "satisfaction": "BIGINT", "team": "VARCHAR", "channel": "VARCHAR",
    "category": "VARCHAR", "priority": "VARCHAR", "reassignments": "BIGINT", "reopens": "BIGINT", "text": "VARCHAR",
}  # fmt: skip
PURCHASES = {"customer_id": "VARCHAR", "occurred_at": "TIMESTAMP", "amount": "DECIMAL(18, 4)"}
PANDAS_TYPES = {
    "VARCHAR": "str", "TIMESTAMP": "datetime64[us]", "BOOLEAN": "boolean", "BIGINT": "Int64", "DECIMAL(18, 4)": "float64",
}  # fmt: skip
KNOWN_AT_RESOLUTION = ["resolved_at", "satisfaction", "sla_met", "reassignments", "reopens"]


class KnownCases:
    """A snapshot: rows dated later are absent, values dated later are null."""

    def __init__(self, cases, as_of, purchases=None):
        self.as_of = as_of
        self.tables = frozenset({"service_cases"} if purchases is None else {"service_cases", "transactions"})
        end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        visible = cases[cases["opened_at"] < end].reindex(columns=list(CASES)).astype(object)
        visible.loc[~(pd.to_datetime(visible["resolved_at"]) < end), KNOWN_AT_RESOLUTION] = None
        visible.loc[~(pd.to_datetime(visible["first_response_at"]) < end), "first_response_at"] = None
        self._connection = duckdb.connect()
        self._connection.execute("SET threads = 1")
        self._create("service_cases", CASES, visible)
        if purchases is not None:
            self._create("transactions", PURCHASES, purchases[purchases["occurred_at"] < end].astype(object))

    def _create(self, table, columns, rows):
        given = rows[list(columns)].astype({name: PANDAS_TYPES[kind] for name, kind in columns.items()})
        self._connection.register("given", given)
        casts = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns.items())
        self._connection.execute(f"CREATE TABLE {table} AS SELECT {casts} FROM given")
        self._connection.unregister("given")

    def require(self, *tables):
        assert set(tables) <= self.tables

    def query(self, sql, parameters=None):
        result = self._connection.execute(sql, dict(parameters or {})).df()
        return result.astype(dict.fromkeys([name for name in result if result[name].dtype == object], "str"))


def cases_from(*rows):
    """Cases of (case_id, customer_id, team, opened_at, due_at, resolved_at, satisfaction)."""
    names = ["case_id", "customer_id", "team", "opened_at", "due_at", "resolved_at", "satisfaction"]
    table = pd.DataFrame(rows, columns=names)
    times = ["opened_at", "due_at", "resolved_at"]
    table[times] = table[times].apply(pd.to_datetime)
    return table.assign(channel="phone", category="billing")


def four_cases_and_one():
    """Monday 1 January 2024 and the days after it."""
    return cases_from(
        ("a", "anna", "north", "2024-01-01 09:00", "2024-01-02 09:00", "2024-01-01 18:00", 5),
        ("b", "anna", "north", "2024-01-01 12:00", "2024-01-01 20:00", "2024-01-03 12:00", 1),
        ("c", "ben", "north", "2024-01-01 18:00", "2024-01-02 18:00", "2024-01-04 08:00", None),
        ("d", "anna", "south", "2024-01-02 09:00", "2024-01-04 09:00", None, None),
        ("e", "anna", "north", "2024-01-06 09:00", "2024-01-07 09:00", None, None),
    )


def random_cases(n_cases, *, seed):
    """Cases of eight customers over twenty days, by full hours, so that many moments coincide."""
    rng = np.random.default_rng(seed)
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 20 * 24, n_cases), unit="h")
    hours = rng.integers(-2, 90, n_cases)  # some are resolved before they open: real tables have such rows
    resolved = pd.Series(opened + pd.to_timedelta(hours, unit="h")).where(rng.random(n_cases) < 0.9)
    response = pd.Series(opened + pd.to_timedelta((hours * rng.random(n_cases)).astype(int), unit="h"))
    return pd.DataFrame(
        {
            "case_id": [f"c{number:03d}" for number in range(n_cases)],
            "customer_id": rng.choice(list("abcdefgh"), n_cases),
            "team": rng.choice(["north", "south", None], n_cases),
            "opened_at": opened,
            "due_at": pd.Series(opened + pd.to_timedelta(rng.integers(4, 72, n_cases), unit="h")).where(
                rng.random(n_cases) < 0.8
            ),
            "resolved_at": resolved,
            "first_response_at": response.where(rng.random(n_cases) < 0.9),
            "sla_met": rng.choice([True, False, None], n_cases),
            "satisfaction": rng.choice([1, 2, 3, 4, 5, None], n_cases),
            "reassignments": rng.integers(0, 3, n_cases),
            "reopens": rng.integers(0, 2, n_cases),
            "channel": rng.choice(["phone", "chat"], n_cases),
            "category": "billing",
            "text": rng.choice(["where is it?", "  ", None, "货物在哪里"], n_cases),
        }
    )


def random_purchases(n_lines, *, seed):
    """Lines of seven of the eight customers and a stranger, over 400 days until the end of January; returns among them."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.choice(list("abcdefgz"), n_lines),
            "occurred_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 396 * 24, n_lines), unit="h"),
            "amount": rng.normal(20, 15, n_lines).round(2),
        }
    )
