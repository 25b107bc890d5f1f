"""Claims about whole runs: what they write, when they fail, what stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
from papermill.iorw import LocalHandler

from crm_analysis.errors import ParamsError, ReportError
from crm_analysis.reporting.build import Cells, RunOptions, run_suite
from crm_analysis.reporting.publication import Publication
from crm_analysis.reporting.run import ReportOutcome
from crm_analysis.reporting.suites import read_suite
from tests.reporting.conftest import BROKEN, REAL

Write = Callable[..., str]


def run(suite: str, out: Path, **options: Any) -> Path:
    return run_suite(read_suite(suite), RunOptions(out=out, **options))


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def test_a_run_writes_what_the_design_promises(write_suite: Write, tmp_path: Path) -> None:
    folder = run(write_suite(), tmp_path)
    assert folder == tmp_path / "trial" / "2024-03-01"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "index.html",
        "manifest.json",
        "segmentation.html",
        "segmentation.ipynb",
        "tables/segmentation_list.csv",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["2024-03-01"]
    manifest = manifest_of(folder)
    assert list(manifest) == [
        "suite", "as_of", "status", "started_at", "seconds", "git_commit", "versions", "dataset", "reports",
    ]  # fmt: skip
    assert (manifest["suite"], manifest["as_of"], manifest["status"]) == ("trial", "2024-03-01", "ok")
    assert manifest["dataset"]["rows"] == {"customers": 3, "transactions": 3}
    report = manifest["reports"]["segmentation"]
    assert list(report) == ["parameters", "status", "seconds", "results", "error"]
    assert (report["status"], report["results"], report["error"]) == ("ok", {"seed": 0}, None)


def test_what_a_notebook_shows_is_in_no_file_but_the_folder_that_is_built(
    write_suite: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a secret, which only the last look before publishing finds."""
    written: list[str] = []
    monkeypatch.setattr(LocalHandler, "write", lambda _, text, path: written.append(f"{path}: {text}"))
    folder = run(write_suite(), tmp_path / "out")
    assert written == []
    assert "papermill" in json.loads((folder / "segmentation.ipynb").read_text())["metadata"]


def test_no_file_of_a_run_holds_a_path_of_this_machine(write_suite: Write, tmp_path: Path, workspace: Path) -> None:
    folder = run(write_suite(), tmp_path / "out")
    for file in folder.rglob("*"):
        if file.suffix in {".html", ".ipynb", ".json"}:
            assert str(tmp_path) not in file.read_text(), file.name


def test_one_set_of_reports_a_value_each_under_its_own_name(
    write_suite: Write, write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    suite = write_suite(for_each={"region": ["north", "a/b <i>"]})
    write_notebook("segmentation", REAL.format(report="segmentation"))
    folder = run(suite, tmp_path)
    encoded = "a%2Fb%20%3Ci%3E"
    assert {path.name for path in folder.glob("*.html")} == {
        "index.html",
        "segmentation@region=north.html",
        f"segmentation@region={encoded}.html",
    }
    assert (folder / f"tables/segmentation_list@region={encoded}.csv").is_file()
    assert list(manifest_of(folder)["reports"]) == ["segmentation@region=north", "segmentation@region=a/b <i>"]


def test_a_failing_notebook_is_named_and_the_others_finish(
    write_suite: Write, write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    suite = write_suite(reports={"segmentation": {}, "forecasting": {}})
    write_notebook("segmentation", BROKEN)
    with pytest.raises(
        ReportError, match=r"1 of 2 reports failed:\n  - segmentation: KeyError in In \[3\]: from IPython"
    ):
        run(suite, tmp_path)
    folder = tmp_path / "trial" / "2024-03-01"
    manifest = manifest_of(folder)
    assert manifest["status"] == "failed"
    assert manifest["reports"]["forecasting"]["status"] == "ok"
    failed = manifest["reports"]["segmentation"]
    assert failed["results"] == {"before": 1}
    assert failed["error"]["type"] == "KeyError"
    executed = nbformat.read(folder / "segmentation.ipynb", as_version=4)
    assert executed.cells[-1].outputs[-1].ename == "KeyError"
    for page in ("segmentation.html", "index.html"):
        assert "<script>alert(1)" not in (folder / page).read_text()


def test_a_dying_kernel_fails_its_report_only(
    write_suite: Write, write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    suite = write_suite(reports={"segmentation": {}, "forecasting": {}})
    write_notebook("segmentation", "import os\nos._exit(1)")
    with pytest.raises(ReportError, match=r"1 of 2 reports failed:\n  - segmentation: DeadKernelError"):
        run(suite, tmp_path)


def test_a_notebook_whose_parameters_differ_fails_before_its_kernel(
    write_suite: Write, workspace: Path, tmp_path: Path
) -> None:
    suite = write_suite()
    path = workspace / "notebooks/segmentation.ipynb"
    path.write_text(path.read_text().replace("max_segments = ", "max_segmets = "))
    with pytest.raises(ReportError, match=r"differ in \['max_segments', 'max_segmets'\]"):
        run(suite, tmp_path)


def test_a_repeated_run_leaves_one_complete_run(write_suite: Write, tmp_path: Path) -> None:
    suite = write_suite()
    first = run(suite, tmp_path)
    (first / "left_over.html").touch()
    second = run(suite, tmp_path)
    assert first == second
    assert not (second / "left_over.html").exists()
    assert [path.name for path in second.parent.iterdir()] == ["2024-03-01"]


def test_a_run_beside_an_older_one_leaves_both(write_suite: Write, tmp_path: Path) -> None:
    run(write_suite(as_of="2024-02-01"), tmp_path)
    folder = run(write_suite(), tmp_path)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["2024-02-01", "2024-03-01"]
    assert manifest_of(folder.parent / "2024-02-01")["as_of"] == "2024-02-01"


def test_only_keeps_the_other_reports(write_suite: Write, tmp_path: Path) -> None:
    suite = write_suite(reports={"segmentation": {}, "forecasting": {}})
    folder = run(suite, tmp_path)
    before = (folder / "segmentation.html").read_bytes()
    run(suite, tmp_path, only=["forecasting"], settings=["forecasting.seed=9"])
    assert (folder / "segmentation.html").read_bytes() == before
    manifest = manifest_of(folder)
    assert list(manifest["reports"]) == ["segmentation", "forecasting"]
    assert manifest["reports"]["forecasting"]["results"] == {"seed": 9}


def test_resume_goes_on_where_a_run_broke_off(write_suite: Write, tmp_path: Path) -> None:
    suite = write_suite(reports={"segmentation": {}, "forecasting": {}})
    seen: list[str] = []

    def interrupt(identifier: str, event: Cells | ReportOutcome) -> None:
        if isinstance(event, ReportOutcome):
            raise KeyboardInterrupt

    def watch(identifier: str, event: Cells | ReportOutcome) -> None:
        if isinstance(event, ReportOutcome):
            seen.append(identifier)

    with pytest.raises(KeyboardInterrupt):
        run_suite(read_suite(suite), RunOptions(out=tmp_path, jobs=1), watch=interrupt)
    assert [path.name for path in (tmp_path / "trial").iterdir()] == [".2024-03-01.partial"]
    folder = run_suite(read_suite(suite), RunOptions(out=tmp_path, jobs=1, resume=True), watch=watch)
    assert len(seen) == 1
    assert {report["status"] for report in manifest_of(folder)["reports"].values()} == {"ok"}


def test_resume_makes_anew_what_other_parameters_made(write_suite: Write, tmp_path: Path) -> None:
    suite = write_suite()
    folder = run(suite, tmp_path)
    folder.rename(folder.parent / ".2024-03-01.partial")
    run(suite, tmp_path, resume=True, settings=["segmentation.seed=3"])
    assert manifest_of(folder)["reports"]["segmentation"]["results"] == {"seed": 3}


def test_a_run_that_died_while_publishing_is_mended(write_suite: Write, tmp_path: Path) -> None:
    suite = write_suite()
    folder = run(suite, tmp_path)
    folder.rename(folder.parent / ".2024-03-01.earlier")
    run(suite, tmp_path, only=["segmentation"])
    assert [path.name for path in folder.parent.iterdir()] == ["2024-03-01"]


def test_two_runs_do_not_write_to_one_folder(write_suite: Write, tmp_path: Path) -> None:
    suite = write_suite()
    holder = Publication(tmp_path, "trial", date(2024, 3, 1))
    with holder.opened(), pytest.raises(ParamsError, match="Another run is writing"):
        run(suite, tmp_path)


def test_the_environment_is_left_as_it_was(write_suite: Write, tmp_path: Path) -> None:
    before = dict(os.environ)
    run(write_suite(), tmp_path)
    assert dict(os.environ) == before
