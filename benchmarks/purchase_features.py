"""
Purchases to customer features: the package's SQL against what one would pick instead, on the same file.

Against the pandas that one would write by hand (features as of a day), and against lifetimes (frequency, recency, T, monetary
value), whose numbers must be the same.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from benchmarks.measure import measured
from crm_analysis.features.purchases import purchase_features, repeat_purchases
from crm_analysis.tables.datasets import open_dataset

AS_OF = date(2025, 12, 31)
ROWS = (1_000_000, 10_000_000)
DATASET = "name: purchases\ncurrency: EUR\npublic: true\ntables:\n  transactions:\n    files: purchases.parquet\n"


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


def repeats_with_package(home: str) -> pd.DataFrame:
    """Open the dataset and ask for its repeat purchases."""
    os.environ["CRM_HOME"] = home
    return repeat_purchases(open_dataset("purchases").known(AS_OF))


def seconds_of_sql(home: str) -> None:
    """Leave beside the file how long the repeat purchases take once the dataset is open and its contract checked."""
    os.environ["CRM_HOME"] = home
    known = open_dataset("purchases").known(AS_OF)
    known.require("transactions")
    started = time.perf_counter()
    repeat_purchases(known)
    (Path(home) / "seconds").write_text(str(time.perf_counter() - started))


def repeats_with_lifetimes(home: str) -> pd.DataFrame:
    """Read the lines of positive amount and hand them to lifetimes."""
    lines = pd.read_parquet(f"{home}/params/datasets/purchases.parquet")
    summary: pd.DataFrame = _lifetimes_utils().summary_data_from_transaction_data(
        lines[lines["amount"] > 0],
        "customer_id",
        "occurred_at",
        monetary_value_col="amount",
        observation_period_end=AS_OF,
        freq="D",
    )
    return summary


def check_same_numbers(home: str) -> None:
    """Raise unless both say the same of every customer."""
    own, peer = repeats_with_package(home), repeats_with_lifetimes(home).sort_index()
    pd.testing.assert_index_equal(own.index, peer.index, exact=False)
    days = ["frequency", "recency", "T"]
    pd.testing.assert_frame_equal(own[days], peer[days], check_dtype=False, check_exact=True, check_index_type=False)
    np.testing.assert_allclose(own["monetary_value"], peer["monetary_value"], rtol=1e-12, atol=1e-12)


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
    """Return the table: seconds, peak MB and the ratio to what one would pick instead."""
    table: list[tuple[str, ...]] = [("lines", "what", "how", "seconds", "peak MB", "the other ÷ this")]
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home) / "params" / "datasets"
            folder.mkdir(parents=True)
            (Path(home) / "notebooks").mkdir()
            make_purchases(folder / "purchases.parquet", rows)
            (folder / "purchases.yaml").write_text(DATASET)
            check_same_numbers(home)
            by_sql = measured(seconds_of_sql, home, repeats=1)[1]
            sql = float((Path(home) / "seconds").read_text())
            repeats, peer = measured(repeats_with_package, home), measured(repeats_with_lifetimes, home)
            features, by_hand = measured(with_package, home), measured(with_pandas, home)
        for what, how, (seconds, peak), other in (
            ("repeat purchases", "crm_analysis", repeats, peer),
            ("repeat purchases", "crm_analysis, once open and checked", (sql, by_sql), peer),
            ("repeat purchases", "lifetimes", peer, peer),
            ("features", "crm_analysis", features, by_hand),
            ("features", "pandas by hand", by_hand, by_hand),
        ):
            table.append((f"{rows:,}", what, how, f"{seconds:.2f}", f"{peak:,.0f}", f"{other[0] / seconds:.1f}"))
    return table


def _lifetimes_utils() -> ModuleType:
    """Load the one module of lifetimes: its package imports `pkg_resources`, which setuptools no longer has."""
    package = importlib.util.find_spec("lifetimes")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("lifetimes is needed for its function; install the package's dependencies")
    spec = importlib.util.spec_from_file_location("lifetimes_utils", Path(package.origin).with_name("utils.py"))
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("lifetimes has no module utils any more")
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)
    return utils
