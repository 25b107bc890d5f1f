"""The demonstration's recorded results against the committed ones, within tolerances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crm_analysis.reporting.params import PARAMS

RESULTS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent.parent / "data" / "results.json").read_text())
RELATIVE = 0.02  # other processors round otherwise; a change of method moves more
ABSOLUTE = 0.005  # of shares and scores

PROMISED = {
    "data_quality": ["n_missing_customers", "n_exact_duplicates", "n_returns"],
    "segmentation": ["n_segments", "n_parts", "algorithm", "stability_ari", "silhouette", "surrogate_fidelity", "n_needs"],
    "forecasting": [
        "model", "spend_mae", "spend_wape", "naive_spend_wape", "zero_spend_wape", "transactions_mae",
        "transactions_rmse", "naive_transactions_mae", "spend_bias", "transactions_bias", "coverage_90",
        "interval_width_90", "coverage_90_buyers", "top_decile_share",
    ],
    "service_quality": [
        "outcome", "model", "base_rate", "auc", "average_precision", "brier", "calibration_error", "sla_attainment",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def manifest(demo_run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((demo_run / "manifest.json").read_text())
    return content


def test_every_report_has_its_baseline() -> None:
    assert set(RESULTS) == set(PARAMS)


@pytest.mark.parametrize("report", RESULTS)
def test_the_names_that_others_rely_on_are_recorded(report: str) -> None:
    assert {"n_customers", "as_of", *PROMISED[report]} <= set(RESULTS[report])
    if report == "segmentation":
        shares = [value for name, value in RESULTS[report].items() if name.startswith("share.")]
        assert sum(shares) == pytest.approx(1, abs=0.001)
    if report == "data_quality":
        tables = {name.partition(".")[2] for name in RESULTS[report] if name.startswith("n_rows.")}
        scored = {name.partition(".")[2] for name in RESULTS[report] if name.startswith("score.")}
        assert tables == scored == {"customers", "transactions", "service_cases", "contacts"}


@pytest.mark.parametrize("report", RESULTS)
def test_results_are_those_committed(report: str, manifest: dict[str, Any]) -> None:
    now = manifest["reports"][report]["results"]
    assert list(now) == list(RESULTS[report])
    for name, value in RESULTS[report].items():
        if isinstance(value, float):
            assert now[name] == pytest.approx(value, rel=RELATIVE, abs=ABSOLUTE), name
        else:
            assert now[name] == value, name
