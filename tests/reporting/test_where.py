"""Claims about a filter among a report's parameters: lists, options, the manifest and files have one name for the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from crm_analysis.cli import main
from crm_analysis.errors import ParamsError, ReportError
from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.suites import Suite, read_suite
from tests.reporting.conftest import BROKEN, REAL

Write = Callable[..., str]
NORTH = {"segmentation": {"where": {"region": "north"}}}


def suite_of(workspace: Path, **content: Any) -> Suite:
    (workspace / "params/trial.yaml").write_text(yaml.safe_dump({"dataset": "shop"} | content, sort_keys=False))
    return read_suite("trial")


def run(suite: str, out: Path, **options: Any) -> Path:
    return run_suite(read_suite(suite), RunOptions(out=out, **options))


def reports_of(folder: Path) -> dict[str, Any]:
    reports: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["reports"]
    return reports


def test_a_filter_of_one_report_is_in_its_name_everywhere(
    write_suite: Write, write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    suite = write_suite(reports=NORTH)
    write_notebook("segmentation", REAL.format(report="segmentation"))
    identifier = "segmentation@region=north"
    assert CliRunner().invoke(main, ["list", suite]).stdout.split() == [identifier]
    folder = run(suite, tmp_path, only=[identifier])
    assert reports_of(folder)[identifier]["parameters"]["where"] == {"region": "north"}
    assert list(reports_of(folder)) == [identifier]
    assert {path.name for path in folder.glob("*.html")} == {"index.html", f"{identifier}.html"}
    assert (folder / "tables/segmentation_list@region=north.csv").is_file()


def test_a_filter_given_on_the_command_line_names_the_report(write_suite: Write, tmp_path: Path) -> None:
    folder = run(write_suite(), tmp_path, settings=["segmentation.where={region: south}"])
    assert list(reports_of(folder)) == ["segmentation@region=south"]
    assert (folder / "segmentation@region=south.html").is_file()


def test_a_failure_under_a_filter_is_told_and_not_lost_under_another_name(
    write_suite: Write, write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    suite = write_suite(reports=NORTH)
    write_notebook("segmentation", BROKEN)
    with pytest.raises(ReportError, match=r"segmentation@region=north: KeyError in In \[3\]"):
        run(suite, tmp_path)
    assert reports_of(tmp_path / "trial" / "2024-03-01")["segmentation@region=north"]["status"] == "failed"


def test_for_each_goes_before_a_filter_of_one_report(workspace: Path) -> None:
    suite = suite_of(
        workspace,
        reports={"segmentation": {"where": {"region": "north", "tier": "gold"}}, "forecasting": None},
        for_each={"region": ["south", "west"]},
    )
    assert suite.identifiers == [
        "segmentation@region=south@tier=gold",
        "segmentation@region=west@tier=gold",
        "forecasting@region=south",
        "forecasting@region=west",
    ]
    jobs = suite.jobs(as_of=None, dataset="shop")
    assert [job.identifier for job in jobs] == suite.identifiers
    assert jobs[0].params.where == {"region": "south", "tier": "gold"}


def test_a_setting_reaches_a_filtered_report_by_both_its_names(workspace: Path) -> None:
    suite = suite_of(workspace, reports=NORTH)
    for setting in ("segmentation.seed=4", "segmentation@region=north.seed=4"):
        [job] = suite.jobs(as_of=None, dataset="shop", settings=[setting], only=["segmentation"])
        assert (job.identifier, job.params.seed) == ("segmentation@region=north", 4)


@pytest.mark.parametrize("where", ["north", 5, ["north"]])
def test_what_is_no_filter_is_named_as_a_fault(workspace: Path, where: object) -> None:
    suite = suite_of(workspace, reports={"segmentation": {"where": where}})
    with pytest.raises(ParamsError, match=r"segmentation\.where"):
        suite.jobs(as_of=None, dataset="shop")


def test_without_a_filter_the_name_is_bare(workspace: Path) -> None:
    for where in (None, {}):
        suite = suite_of(workspace, reports={"segmentation": {"where": where}})
        assert suite.identifiers == ["segmentation"]
        assert suite.jobs(as_of=None, dataset="shop")[0].identifier == "segmentation"
