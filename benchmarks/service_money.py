"""Purchases after bad service held against known truths: false alarms where nothing happens, and planted drops found again."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from threadpoolctl import threadpool_limits

from crm_analysis.features.service import case_courses
from crm_analysis.models.service_quality.money import service_and_money
from crm_analysis.models.service_quality.money.comparison import compared
from crm_analysis.models.service_quality.money.result import COMPARED_WITH, MEASURES
from crm_analysis.models.service_quality.workload.volume import daily_volume
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.demo_cases import synthetic_service_cases
from tests.models.service_quality.money.simulated_service import around_events, simulated_service

SEEDS = tuple(range(5000, 5200))
GENERATOR_SEEDS = tuple(range(1, 61))
WINDOW_DAYS = 90
END = date(2017, 12, 31)
KINDS = ("good", "anyone")


@dataclass(frozen=True)
class World:
    """Customers, and the share of purchases they leave out after a first bad experience."""

    name: str
    customers: int
    drop: float


WORLDS = (
    World("no effect, 800 customers", 800, 0.0),
    World("no effect, 350 customers", 350, 0.0),
    World("20 % fewer purchases, 800 customers", 800, 0.2),
    World("20 % fewer purchases, 2,400 customers", 2400, 0.2),
)


def changes(world: World, seed: int) -> pd.DataFrame:
    """Return the change against both kinds of customers in one simulation."""
    with threadpool_limits(limits=1):
        spend, cases = simulated_service(n_customers=world.customers, drop=world.drop, seed=seed)
        around = around_events(spend, cases, window_days=WINDOW_DAYS, seed=seed)
        found = {kind: compared(around, kind=kind, window_days=WINDOW_DAYS, seed=seed) for kind in KINDS}
    return pd.concat([result.change.assign(kind=kind) for kind, result in found.items() if result is not None])


def figures() -> list[tuple[str, ...]]:
    """Return the table: how often a change is called more than chance, and how often the interval holds the truth."""
    table: list[tuple[str, ...]] = [
        ("world", "compared with", "measure", "simulations", "mean share", "beyond chance", "interval holds the truth")
    ]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as workers:
        for world in WORLDS:
            found = pd.concat(workers.map(partial(changes, world), SEEDS)).reset_index()
            found["flagged"] = (found["low"] > 0) | (found["high"] < 0)
            found["held"] = (found["share_low"] <= -world.drop) & (found["share_high"] >= -world.drop)
            for (kind, measure), part in found.groupby(["kind", "measure"], sort=False):
                means = part[["share", "flagged", "held"]].mean()
                row = (f"{means['share']:+.1%}", f"{means['flagged']:.1%}", f"{means['held']:.1%}")
                table.append((world.name, str(kind), str(measure), str(len(part)), *row))
    return table


def generator() -> list[tuple[str, ...]]:
    """Return the table for real purchases and synthetic cases of many seeds, in which nothing is planted."""
    known = open_dataset("complete_journey").known(END)
    lines = known.query("SELECT customer_id, occurred_at, amount FROM transactions")
    days = lines.assign(day=lines["occurred_at"].dt.normalize())[["customer_id", "day"]].drop_duplicates()
    with tempfile.TemporaryDirectory() as folder:
        lines.to_parquet(Path(folder) / "lines.parquet")
        found = pd.concat([_of_seed(Path(folder), days, seed) for seed in GENERATOR_SEEDS])
    table: list[tuple[str, ...]] = [
        (
            "compared with",
            "measure",
            "seeds",
            "mean share",
            "standard deviation ÷ mean standard error",
            "beyond chance",
            "placebo beyond chance",
        )
    ]
    for name in COMPARED_WITH:
        for measure in MEASURES:
            part = found.xs((name, measure))
            error = float((part["high"] - part["low"]).mean()) / 2 / 1.96
            flagged, early = (
                float(((part[low] > 0) | (part[high] < 0)).mean())
                for low, high in (("low", "high"), ("placebo_low", "placebo_high"))
            )
            table.append(
                (
                    name,
                    measure,
                    str(len(part)),
                    f"{part['share'].mean():+.2%}",
                    f"{part['effect'].std() / error:.2f}",
                    f"{flagged:.1%}",
                    f"{early:.1%}",
                )
            )
    return table


def _of_seed(folder: Path, days: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the changes with the cases of one seed."""
    cases = synthetic_service_cases(days, seed=seed, end=END)
    cases.to_parquet(folder / "cases.parquet")
    tables = {"transactions": {"files": "lines.parquet"}, "service_cases": {"files": "cases.parquet"}}
    content = {"name": "seed", "currency": "USD", "timezone": "UTC", "public": True, "tables": tables}
    (folder / "seed.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    known = open_dataset(str(folder / "seed.yaml")).known(END)
    return service_and_money(known, case_courses(known), window_days=WINDOW_DAYS, seed=seed).change


def volume() -> list[tuple[str, ...]]:
    """Return the table: how often the 90 % ranges of daily cases, and of their total, hold what comes."""
    table: list[tuple[str, ...]] = [
        ("cases a day", "spread of the rate", "series", "days held", "totals held", "RMSE ÷ naive RMSE")
    ]
    for mean in (3.0, 30.0, 300.0):
        for spread in (0.0, 0.05):
            held = np.array([_held(mean, spread, seed) for seed in SEEDS])
            days, totals, ratio = held.mean(axis=0)
            table.append((f"{mean:g}", f"{spread:g}", str(len(SEEDS)), f"{days:.1%}", f"{totals:.1%}", f"{ratio:.2f}"))
    return table


def _held(mean: float, spread: float, seed: int, n_days: int = 365, horizon: int = 28) -> tuple[float, float, float]:
    """Return the share of days ahead in their ranges, whether the total is in its, and the error against the naive rule's."""
    rng = np.random.default_rng(seed)
    rate = mean * np.resize([1.4, 1.2, 1.1, 1.0, 1.0, 0.7, 0.6], n_days + horizon)
    factor = rng.gamma(1 / spread, spread, len(rate)) if spread else np.ones(len(rate))
    counts = pd.Series(rng.poisson(rate * factor).astype(float), index=pd.date_range("2023-01-02", periods=len(rate)))
    found = daily_volume(counts.iloc[:n_days], horizon_days=horizon)
    came, ahead = counts.iloc[n_days:], found.ahead
    return (
        float(came.between(ahead["low_90"], ahead["high_90"]).mean()),
        float(found.total_low <= came.sum() <= found.total_high),
        float(found.errors["rmse"]["forecast"] / found.errors["rmse"]["naive"]),
    )
