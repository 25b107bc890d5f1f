"""Fixtures for all tests: a small workspace of one's own, and a small shop in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.suites import read_suite
from crm_analysis.tables.datasets import Dataset, open_dataset

ROOT = Path(__file__).parent.parent
PURCHASES = pd.DataFrame(
    [
        ("ann", "2024-01-05 10:00", 10.00, "a1"),
        ("ann", "2024-01-05 17:30", 5.00, "a2"),
        ("ann", "2024-02-10 09:00", 20.00, "a3"),
        ("ann", "2024-02-12 09:00", -4.00, "a4"),
        ("bob", "2024-01-20 23:59", 7.50, "b1"),
        ("cid", "2024-03-01 00:00", 30.00, "c1"),
        ("cid", "2024-03-31 12:00", 2.50, "c2"),
    ],
    columns=["customer_id", "occurred_at", "amount", "transaction_id"],
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(autouse=True, scope="session")
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key of pseudonyms that tests make out of the user's own configuration folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("configuration")))
        patch.delenv("CRM_PSEUDONYM_KEY", raising=False)
        yield


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, which is the current folder."""
    home = tmp_path / "workspace"
    (home / "params" / "datasets").mkdir(parents=True)
    (home / "notebooks").mkdir()
    monkeypatch.chdir(home)
    monkeypatch.delenv("CRM_HOME", raising=False)
    return home


@pytest.fixture
def write_dataset(workspace: Path) -> Callable[..., str]:
    """Write a dataset file with tables as CSV files beside it, public unless the settings say otherwise; returns its name."""

    def write(name: str = "shop", *, settings: dict[str, object] | None = None, **tables: pd.DataFrame) -> str:
        folder = workspace / "params" / "datasets"
        sources: dict[str, object] = {}
        for table, rows in tables.items():
            rows.to_csv(folder / f"{name}_{table}.csv", index=False)
            sources[table] = {"files": f"{name}_{table}.csv"}
        content: dict[str, object] = {"name": name, "currency": "EUR", "public": True, "tables": sources} | (
            settings or {}
        )
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return name

    return write


@pytest.fixture
def shop(write_dataset: Callable[..., str]) -> Dataset:
    """A shop with three customers and seven lines."""
    return open_dataset(write_dataset(transactions=PURCHASES))


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, run once for all tests that read its reports."""
    out = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return run_suite(read_suite("demo"), RunOptions(out=out))


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real data for trials, which lie outside the project."""
    folder = Path(os.environ.get("CRM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no folder {folder.name} with real data beside the project; set CRM_TEST_DATA to one")
    return folder
