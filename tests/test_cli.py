"""Claims about the command line: what it prints, and what it exits with. Every bad input has its code and its words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from crm_analysis.cli import main
from crm_analysis.reporting.params import PARAMS

LINES = pd.DataFrame(
    {"customer_id": ["ann", "bob"], "occurred_at": ["2024-01-05", "2024-03-01"], "amount": [10.0, 20.0]}
)


@pytest.fixture
def trial(workspace: Path, write_dataset: Callable[..., str]) -> Callable[..., Result]:
    """Run a suite over a shop whose notebook does nothing, after changing what the test is about."""

    def call(*options: str, suite: dict[str, object] | None = None, dataset: dict[str, object] | None = None) -> Result:
        write_dataset(transactions=LINES)
        path = workspace / "params/datasets/shop.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | (dataset or {})))
        content = {"dataset": "shop", "reports": {"segmentation": {}}} | (suite or {})
        (workspace / "params/trial.yaml").write_text(yaml.safe_dump(content))
        defaults = {name: field.default for name, field in PARAMS["segmentation"].model_fields.items()}
        source = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
        cells = [
            nbformat.v4.new_markdown_cell("# Nothing"),
            nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, workspace / "notebooks/segmentation.ipynb")
        return CliRunner().invoke(main, ["run", "trial", *options])

    return call


def lines_from(name: str) -> dict[str, object]:
    return {"tables": {"transactions": {"files": name}}}


def test_a_run_prints_where_to_look_and_exits_with_0(trial: Callable[..., Result], workspace: Path) -> None:
    result = trial()
    assert (result.exit_code, result.stdout) == (0, f"{workspace}/reports/trial/2024-03-01/index.html\n")
    assert result.stderr.splitlines()[0] == "segmentation: started"
    assert result.stderr.splitlines()[1].startswith("segmentation: ok after ")


@pytest.mark.parametrize(
    ("options", "suite", "dataset", "message"),
    [
        (["--set", "segmentation.max_segmets=3"], {}, {}, "segmentation.max_segmets: unknown name (did you mean 'max_segments'?)"),
        (["--set", "segmentation.max_segments=three"], {}, {}, "max_segments: Input should be a valid integer, got 'three'"),
        ([], {"reports": {"segmentation": {"min_stability": 2}}}, {}, "less than or equal to 1, got 2"),
        (["--only", "segmentaton"], {}, {}, "makes no report 'segmentaton' (did you mean 'segmentation'?)"),
        ([], {"dataset": "shpo"}, {}, "There is no dataset 'shpo' (did you mean 'shop'?)"),
        ([], {}, {"currency": "euro", "timezone": "Mars"}, "Dataset file shop.yaml has 2 faults"),
        ([], {"as_of": "2024-01-04"}, {}, "as_of is 2024-01-04, but dataset shop reaches from 2024-01-05 to 2024-03-01"),
        (["--out", "params/trial.yaml"], {}, {}, "cannot be written"),
        (["--jobs", "0"], {}, {}, "--jobs"),
        ([], {"for_each": {"region": ["north"]}}, {}, "no table customers"),
    ],
)  # fmt: skip
def test_a_fault_of_suite_options_or_dataset_file_exits_with_2(
    trial: Callable[..., Result],
    workspace: Path,
    options: list[str],
    suite: dict[str, object],
    dataset: dict[str, object],
    message: str,
) -> None:
    result = trial(*options, suite=suite, dataset=dataset)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (workspace / "reports").exists() or not list((workspace / "reports").rglob("*.*"))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("lines.parquet", b"this is no parquet file at all", "Table transactions of shop.yaml cannot be read"),
        ("lines.csv", b"customer_id,occurred_at,total\nann,2024-01-05,1\n", "lacks 1 of 3 columns: ['amount']"),
        ("lines.json", b"{broken", "Table transactions of shop.yaml cannot be read"),
        (None, b"", "no file matches 'absent.csv'"),
    ],
)
def test_data_that_cannot_be_read_exits_with_3(
    trial: Callable[..., Result], workspace: Path, file: str | None, content: bytes, message: str
) -> None:
    if file:
        (workspace / "params/datasets" / file).write_bytes(content)
    result = trial(dataset=lines_from(file or "absent.csv"))
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"customer_id,occurred_at,amount\n", "Table transactions of shop.yaml is empty"),
        (b"customer_id,occurred_at,amount\nann,2024-01-05,ten\n", "1 of 1 values are no money"),
        (b"customer_id,occurred_at,amount\n,2024-01-05,1\n", "customer_id is missing: 1 of 1 rows"),
    ],
)
def test_data_that_break_the_contract_exit_with_4(
    trial: Callable[..., Result], workspace: Path, content: bytes, message: str
) -> None:
    (workspace / "params/datasets/lines.csv").write_bytes(content)
    result = trial(dataset=lines_from("lines.csv"))
    assert (result.exit_code, result.stdout) == (4, "")
    assert message in result.stderr


def test_a_failed_report_exits_with_6_and_is_published(trial: Callable[..., Result], workspace: Path) -> None:
    result = trial(suite={"reports": {"segmentation": {}, "forecasting": {}}})
    assert result.exit_code == 6
    assert "1 of 2 reports failed" in result.stderr
    assert "There is no notebook forecasting.ipynb" in result.stderr
    assert json.loads((workspace / "reports/trial/2024-03-01/manifest.json").read_text())["status"] == "failed"


def test_no_workspace_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRM_HOME", raising=False)
    result = CliRunner().invoke(main, ["list", "demo"])
    assert result.exit_code == 2
    assert "set $CRM_HOME" in result.stderr


def test_a_suite_is_listed_a_line_a_report(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert CliRunner().invoke(main, ["list", "demo"]).stdout.split() == [
        "data_quality",
        "segmentation",
        "forecasting",
        "service_quality",
    ]


def test_home_is_found_by_variable_from_anywhere(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRM_HOME", str(root))
    assert CliRunner().invoke(main, ["list", "cdnow"]).stdout.split() == ["data_quality", "segmentation", "forecasting"]


@pytest.mark.parametrize("report", PARAMS)
def test_parameters_are_printed_for_people_and_for_machines(report: str) -> None:
    text = CliRunner().invoke(main, ["params", report]).stdout
    schema = json.loads(CliRunner().invoke(main, ["params", report, "--json-schema"]).stdout)
    for name in schema["properties"]:
        assert name in text


def test_parameters_of_an_unknown_report_exit_with_2() -> None:
    result = CliRunner().invoke(main, ["params", "segments"])
    assert result.exit_code == 2
    assert "did you mean 'segmentation'" in result.stderr


def test_the_command_is_installed(root: Path) -> None:
    command = Path(sys.executable).with_name("crm-analysis")
    answer = subprocess.run([command, "list", "demo"], cwd=root, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
