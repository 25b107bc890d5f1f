"""Case tables by hand and at random, as `features.service.case_courses` makes them."""

import datetime as dt

import numpy as np
import pandas as pd

AS_OF = dt.date(2024, 12, 31)
END = pd.Timestamp("2025-01-01")
TEXTS = ["case_id", "customer_id", "team", "channel", "category", "priority"]


def table(**columns):
    """Return a case table of some columns, the others as they are where the source does not tell them."""
    n = len(next(iter(columns.values())))
    opened = pd.Series(columns.get("opened_at", [pd.Timestamp("2024-12-01")] * n)).astype("datetime64[us]")
    resolution = pd.Series(columns.get("resolution_hours", [1.0] * n), dtype=float)
    age = (END - opened).dt.total_seconds() / 3600
    frame = {
        "case_id": [f"c{at:05d}" for at in range(n)],
        "customer_id": [f"k{at:05d}" for at in range(n)],
        "opened_at": opened,
        **dict.fromkeys(("team", "channel", "category", "priority")),
        "first_response_hours": np.nan,
        "resolution_hours": resolution,
        "observed_hours": resolution.fillna(age),
        "is_open": resolution.isna(),
        "target_hours": np.nan,
        "sla_missed": pd.NA,
        "satisfaction": pd.NA,
        "reassignments": pd.NA,
        "reopens": pd.NA,
        "due_at": pd.NaT,
    } | columns
    made = pd.DataFrame(frame)
    types = dict.fromkeys(TEXTS, "str") | {"sla_missed": "boolean", "satisfaction": "Int64"}
    return made.astype(types | {"reassignments": "Int64", "reopens": "Int64", "is_open": "bool"})


def random_table(n=3000, *, seed=0, n_customers=600, days=364):
    """Return cases of teams that differ, over a year, with everything told."""
    draws = np.random.default_rng(seed)
    age = np.sort(draws.uniform(0, days * 24, n))[::-1]
    teams = np.array(["north", "south", "west", "小組"])
    team = draws.choice(4, n, p=[0.5, 0.3, 0.19, 0.01])
    hours = draws.lognormal(3 + 0.2 * team, 0.8)
    target = draws.choice([24.0, 48.0], n)
    is_open = hours > age
    missed = pd.array(np.minimum(hours, age) > target, dtype="boolean")
    missed[is_open & (age <= target)] = pd.NA
    response = hours * draws.beta(1, 4, n)
    marks = np.clip(np.round(4.5 - 0.03 * hours + draws.normal(0, 1, n)), 1, 5)
    return table(
        case_id=[f"c{at:05d}" for at in range(n)],
        customer_id=[f"k{at:05d}" for at in draws.integers(0, n_customers, n)],
        opened_at=(END - pd.to_timedelta(age, unit="h")).astype("datetime64[us]"),
        team=teams[team],
        channel=draws.choice(["phone", "mail"], n),
        category=draws.choice(["доставка", "billing", "returns"], n),
        priority=draws.choice(["high", "low"], n),
        first_response_hours=np.where(response <= age, response, np.nan),
        resolution_hours=np.where(is_open, np.nan, hours),
        observed_hours=np.where(is_open, age, hours),
        is_open=is_open,
        target_hours=target,
        sla_missed=missed,
        satisfaction=pd.Series(marks).astype("Int64").where((draws.random(n) < 0.4) & ~is_open),
        reassignments=pd.Series(draws.poisson(0.3, n)).astype("Int64").mask(is_open),
        reopens=pd.Series(draws.poisson(0.1, n)).astype("Int64").mask(is_open),
    )
