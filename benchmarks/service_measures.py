"""Measures of service on 1,000,000 synthetic cases: seconds and peak memory, in all and of the survival curve alone."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import measured
from crm_analysis.models.service_quality.measures import service_measures, survival_curve

SIZES = (100_000, 1_000_000)
AS_OF = dt.date(2025, 12, 31)
TEAMS, CATEGORIES, CUSTOMERS_PER_CASE, SEED = 12, 400, 0.3, 20


def make_courses(n: int, seed: int = SEED) -> pd.DataFrame:
    """Return cases over two years, whose teams and customers differ; one in two hundred is still open."""
    draws = np.random.default_rng(seed)
    end = pd.Timestamp(AS_OF) + pd.Timedelta(days=1)
    age = np.sort(draws.uniform(0, 730 * 24 * 3600, n))[::-1].round()
    opened = end - pd.to_timedelta(age, unit="s")
    customers = draws.integers(0, max(1, int(n * CUSTOMERS_PER_CASE)), n)
    team = draws.integers(0, TEAMS, n)
    patience = draws.normal(0, 0.4, customers.max() + 1)[customers]
    needed = draws.lognormal(3.0 + 0.05 * team + patience, 1.0, n)
    is_open = needed > age / 3600
    target = draws.choice([8.0, 24.0, 48.0, 96.0], n)
    known = is_open & (target >= age / 3600)
    missed = pd.array(needed > target, dtype="boolean")
    missed[known] = pd.NA
    answered = (draws.random(n) < 0.3) & ~is_open
    marks = np.clip(np.round(4.2 - 0.02 * needed + draws.normal(0, 1, n)), 1, 5)
    response = needed * draws.beta(1, 4, n)
    table = pd.DataFrame(
        {
            "case_id": [f"C{number:08d}" for number in range(n)],
            "customer_id": pd.Series(customers).map("K{:07d}".format),
            "opened_at": opened.astype("datetime64[us]"),
            "team": pd.Series(team).map("team {:02d}".format),
            "channel": draws.choice(["phone", "email", "chat"], n),
            "category": pd.Series(draws.integers(0, CATEGORIES, n)).map("topic {:03d}".format),
            "priority": draws.choice(["high", "normal", "low"], n),
            "first_response_hours": np.where(response <= age / 3600, response, np.nan),
            "resolution_hours": np.where(is_open, np.nan, needed),
            "observed_hours": np.where(is_open, age / 3600, needed),
            "is_open": is_open,
            "target_hours": target,
            "sla_missed": missed,
            "satisfaction": pd.Series(marks).astype("Int64").where(answered),
            "reassignments": pd.Series(draws.poisson(0.3, n)).astype("Int64").mask(is_open),
            "reopens": pd.Series(draws.poisson(0.08, n)).astype("Int64").mask(is_open),
        }
    )
    return table.astype(dict.fromkeys(["case_id", "customer_id", "team", "channel", "category", "priority"], "str"))


def read_only(path: str) -> None:
    """Read the table: what a process needs before anything is measured."""
    pd.read_parquet(path)


def curve_only(path: str) -> None:
    """Read the table, and make the survival curve of the time to resolution."""
    courses = pd.read_parquet(path)
    survival_curve(courses["observed_hours"], ~courses["is_open"])


def all_measures(path: str, min_cell: int = 1) -> None:
    """Read the table, and measure everything."""
    courses = pd.read_parquet(path)
    n_customers = int(1.2 * courses["customer_id"].nunique())
    service_measures(courses, as_of=AS_OF, seed=SEED, n_customers=n_customers, min_cell=min_cell)


def figures(sizes: tuple[int, ...] = SIZES, *, repeats: int = 1) -> list[tuple[str, ...]]:
    """Return a row a task and size: seconds without those of reading, and peak memory of the process."""
    rows: list[tuple[str, ...]] = [("cases", "task", "seconds", "peak MB")]
    tasks = {
        "survival curve": (curve_only, ()),
        "all measures": (all_measures, ()),
        "all measures, min_cell 5": (all_measures, (5,)),
    }
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            path = str(Path(folder) / f"{n}.parquet")
            make_courses(n).to_parquet(path)
            reading, peak = measured(read_only, path, repeats=repeats)
            rows.append((f"{n:,}", "reading the table", f"{reading:.2f}", f"{peak:.0f}"))
            for name, (task, arguments) in tasks.items():
                seconds, peak = measured(task, path, *arguments, repeats=repeats)
                rows.append((f"{n:,}", name, f"{seconds - reading:.2f}", f"{peak:.0f}"))
    return rows
