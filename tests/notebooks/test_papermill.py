"""papermill itself runs a notebook, without the workspace's runner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

from crm_analysis.reporting.records import recorded


def test_papermill_runs_a_notebook_over_other_data(root: Path, tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("papermill"), "notebooks/segmentation.ipynb", tmp_path / "out.ipynb"]
    options = ["-p", "dataset", "cdnow", "-p", "out", str(tmp_path), "--no-progress-bar"]
    answer = subprocess.run([*command, *options], cwd=root, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    results = recorded(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert results["as_of"] == "1998-06-30"
    assert isinstance(results["n_segments"], int)
    assert (tmp_path / "tables" / "segments.parquet").is_file()
