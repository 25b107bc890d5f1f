"""Purchases to customer features: the package's SQL against the pandas that one would write by hand, on the same file."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import measured
from crm_analysis.features.purchases import purchase_features
from crm_analysis.tables.datasets import open_dataset

AS_OF = date(2025, 12, 31)
ROWS = (1_000_000, 10_000_000)


def make_purchases(path: Path, rows: int) -> None:
    """Write a Parquet file of purchases over two years, a customer for every ten lines."""
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 730 * 86_400, rows)
    pd.DataFrame(
        {
            "customer_id": rng.integers(0, rows // 10, rows).astype(str),
            "occurred_at": pd.Timestamp("2024-01-02") + pd.to_timedelta(seconds, unit="s"),
            "amount": rng.gamma(2, 10, rows).round(2),
        }
    ).to_parquet(path)


def with_package(home: str) -> pd.DataFrame:
    """Open the dataset and ask for its features."""
    os.environ["CRM_HOME"] = home
    return purchase_features(open_dataset("purchases").known(AS_OF), history_days=365)


def with_pandas(home: str) -> pd.DataFrame:
    """Do the same by hand."""
    lines = pd.read_parquet(f"{home}/params/datasets/purchases.parquet")
    end = pd.Timestamp(AS_OF)
    days = lines.assign(day=lines["occurred_at"].dt.normalize(), bought=lines["amount"] > 0)
    days = days.groupby(["customer_id", "day"], as_index=False).agg(spend=("amount", "sum"), bought=("bought", "max"))
    bought = days[days["bought"]]
    first_ever = bought.groupby("customer_id")["day"].min()
    past = days[days["day"] > end - pd.Timedelta(days=365)]
    features = past[past["bought"]].groupby("customer_id")["day"].agg(["min", "max", "count"])
    features["spend"] = past.groupby("customer_id")["spend"].sum()
    features["tenure_days"] = (end - first_ever).dt.days
    recent = days[days["day"] > end - pd.Timedelta(days=90)]
    features["recent_spend"] = recent.groupby("customer_id")["spend"].sum()
    features["recent_frequency"] = recent[recent["bought"]].groupby("customer_id").size()
    return features


def figures() -> list[tuple[str, ...]]:
    """Return the table: seconds, peak MB and the ratio to pandas."""
    table: list[tuple[str, ...]] = [("lines", "how", "seconds", "peak MB", "pandas ÷ this")]
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home) / "params" / "datasets"
            folder.mkdir(parents=True)
            (Path(home) / "notebooks").mkdir()
            make_purchases(folder / "purchases.parquet", rows)
            (folder / "purchases.yaml").write_text(
                "name: purchases\ncurrency: EUR\ntables:\n  transactions:\n    files: purchases.parquet\n"
            )
            own, by_hand = measured(with_package, home), measured(with_pandas, home)
        for how, (seconds, peak) in (("crm_analysis", own), ("pandas by hand", by_hand)):
            table.append((f"{rows:,}", how, f"{seconds:.2f}", f"{peak:,.0f}", f"{by_hand[0] / seconds:.1f}"))
    return table
