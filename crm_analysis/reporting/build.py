"""
Build a suite's reports: check everything first, run the notebooks side by side, write the manifest, publish at once.

One notebook belongs in :mod:`crm_analysis.reporting.run`, folders in :mod:`crm_analysis.reporting.publication`.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from crm_analysis.errors import CRMAnalysisError, ReportError
from crm_analysis.reporting.html import ReportFacts
from crm_analysis.reporting.index import write_index
from crm_analysis.reporting.publication import Publication
from crm_analysis.reporting.run import ReportJob, ReportOutcome, run_report
from crm_analysis.reporting.safety import refuse_leaks
from crm_analysis.reporting.suites import Suite
from crm_analysis.tables.arrival import HANDED_ON
from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.engine import private_folder
from crm_analysis.tables.workspace import YAML_SUFFIXES, project_root

MANIFEST = "manifest.json"
_PACKAGES = ("crm-analysis", "duckdb", "matplotlib", "numpy", "pandas", "papermill", "scikit-learn", "scipy")


class Cells(NamedTuple):
    """
    How far a notebook is.

    Attributes
    ----------
    done, total : int
        Cells that have run (0: its kernel is about to start), and cells in all (0: not yet known).
    """

    done: int
    total: int


Watch = Callable[[str, Cells | ReportOutcome], None]


def unwatched(identifier: str, event: Cells | ReportOutcome) -> None:
    """
    Ignore how a run goes.

    Parameters
    ----------
    identifier : str
        Of the report.
    event : Cells or ReportOutcome
        How far it is, or what came of it.
    """


@dataclass(frozen=True)
class RunOptions:
    """
    What the command line may say of a run.

    Attributes
    ----------
    out : pathlib.Path
        The folder of all reports.
    only, settings : sequence of str
        As ``--only`` and ``--set`` have them.
    jobs : int
        Reports made side by side.
    resume : bool
        Go on with what an interrupted run left.
    """

    out: Path
    only: Sequence[str] = ()
    settings: Sequence[str] = ()
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    resume: bool = False


def run_suite(suite: Suite, options: RunOptions, *, watch: Watch = unwatched) -> Path:
    """
    Make a suite's reports and publish them.

    Parameters
    ----------
    suite : Suite
        Which reports.
    options : RunOptions
        Where to, which of them, how many at a time.
    watch : callable, optional
        Is told, by identifier, how far each report is and what came of it; from several threads.

    Returns
    -------
    pathlib.Path
        The published folder, ``<out>/<suite>/<as_of>/``.

    Raises
    ------
    CRMAnalysisError
        Before any kernel starts: anything wrong with the suite, the options or the data.
    ReportError
        A report failed; the run is published all the same, with status ``failed``.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    dataset = open_dataset(suite.file.dataset, beside=suite.path.parent)
    as_of = dataset.day(suite.file.as_of)
    jobs = suite.jobs(as_of=as_of, dataset=_for_notebooks(suite), settings=options.settings, only=options.only)
    publication = Publication(options.out.resolve(), suite.name, as_of)
    with publication.opened():
        _check_data(dataset, jobs, as_of)
        manifest = _manifest(suite, dataset, as_of, started)
        publication.begin(resume=options.resume, keep=bool(options.only))
        left = _state(publication.partial)
        manifest["reports"] = left.get("reports", {})
        remaining = _unfinished(jobs, left, manifest) if options.resume else jobs
        facts = ReportFacts(
            identifier="",
            dataset=dataset.name,
            as_of=as_of,
            first_day=dataset.first_day,
            currency=dataset.currency,
            notes=dataset.notes,
            index="index.html",
        )
        with _handed_on(dataset) as landed, _kernel_environment(max(1, min(options.jobs, len(remaining))), landed):
            _run_all(remaining, publication.partial, manifest, facts, options.jobs, watch)
        made = manifest["reports"]
        names = dict.fromkeys([*suite.identifiers, *(job.identifier for job in jobs)])  # --set may change a filter
        manifest["reports"] = {name: made[name] for name in names if name in made}
        manifest["status"] = _status(manifest["reports"])
        manifest["seconds"] = round(time.monotonic() - clock, 3)
        _write_manifest(manifest, publication.partial)
        write_index(manifest, publication.partial / "index.html", written=_written_sizes(publication.partial))
        try:
            refuse_leaks(publication.partial, dataset, manifest["reports"])
        except Exception:  # also where the scan itself fails: what was not looked through does not stay either
            publication.discard()
            raise
        publication.publish()
    _raise_failures(manifest, [job.identifier for job in jobs], publication.final)
    return publication.final


def _for_notebooks(suite: Suite) -> str:
    """Return the dataset as a notebook can open it from any folder: a name as it is, a path from the suite's folder."""
    name = suite.file.dataset
    if Path(name).suffix not in YAML_SUFFIXES and "/" not in name:
        return name
    return str((suite.path.parent / name).resolve())


def _check_data(dataset: Dataset, jobs: Sequence[ReportJob], as_of: date) -> None:
    """Raise what is wrong with the data before a kernel starts; a report that judges the data shows it instead."""
    for table in dataset.tables:
        dataset.land(table)
    if not all(job.params.judges_data for job in jobs):
        dataset.known(as_of).require(*dataset.tables)
    for job in jobs:
        dataset.known(as_of, where=job.params.where)


def _manifest(suite: Suite, dataset: Dataset, as_of: date, started: datetime) -> dict[str, Any]:
    return {
        "suite": suite.name,
        "as_of": str(as_of),
        "status": "running",
        "started_at": started.isoformat(timespec="seconds"),
        "seconds": None,
        "git_commit": _git_commit(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "dataset": {"name": dataset.name, "digest": dataset.digest(), "rows": dataset.row_counts()},
        "reports": {},
    }


def _state(folder: Path) -> dict[str, Any]:
    """Return the manifest that an earlier or an interrupted run left, if any."""
    try:
        state: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def _unfinished(jobs: Sequence[ReportJob], left: dict[str, Any], manifest: dict[str, Any]) -> list[ReportJob]:
    """Return the jobs that an interrupted run has not finished with the same data, code and parameters."""
    if any(left.get(key) != manifest[key] for key in ("git_commit", "versions", "dataset")):
        return list(jobs)
    finished = {
        name: report["parameters"] for name, report in left.get("reports", {}).items() if report["status"] == "ok"
    }
    return [job for job in jobs if finished.get(job.identifier) != _parameters(job)]


def _run_all(
    jobs: Sequence[ReportJob],
    folder: Path,
    manifest: dict[str, Any],
    facts: ReportFacts,
    workers: int,
    watch: Watch,
) -> None:
    """Run the jobs side by side; after each, the manifest tells how far the run is."""
    notebooks = project_root() / "notebooks"

    def make(job: ReportJob) -> ReportOutcome:
        watch(job.identifier, Cells(0, 0))
        try:
            return run_report(
                job,
                notebooks=notebooks,
                folder=folder,
                facts=facts,
                advance=lambda done, total: watch(job.identifier, Cells(done, total)),
            )
        except CRMAnalysisError as error:
            return ReportOutcome(
                "failed", 0.0, {}, {"type": type(error).__name__, "message": str(error), "cell": "before the first"}
            )

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        running = {pool.submit(make, job): job for job in jobs}
        for future in as_completed(running):
            job, outcome = running[future], future.result()
            manifest["reports"][job.identifier] = {"parameters": _parameters(job), **asdict(outcome)}
            _write_manifest(manifest, folder)
            watch(job.identifier, outcome)


def _parameters(job: ReportJob) -> dict[str, Any]:
    return job.params.model_dump(mode="json", exclude={"out"})


def _status(reports: dict[str, Any]) -> str:
    return "failed" if any(report["status"] != "ok" for report in reports.values()) else "ok"


def _write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    scratch = folder / f".{MANIFEST}"
    scratch.write_text(text + "\n", encoding="utf-8")
    scratch.replace(folder / MANIFEST)


def _written_sizes(folder: Path) -> dict[str, int]:
    files = sorted(path for pattern in ("tables/*", "models/*/*") for path in folder.glob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _raise_failures(manifest: dict[str, Any], made: Sequence[str], folder: Path) -> None:
    failed = {name: manifest["reports"][name]["error"] for name in made if manifest["reports"][name]["error"]}
    if not failed:
        return
    faults = [f"{name}: {error['type']} in {error['cell']}: {error['message']}" for name, error in failed.items()]
    raise ReportError(
        f"{len(failed)} of {len(made)} reports failed:\n"
        + "\n".join(f"  - {fault}" for fault in faults)
        + f"\nThe executed notebooks in {folder} show where.",
        faults=faults,
    )


@contextmanager
def _handed_on(dataset: Dataset) -> Iterator[Path]:
    """Lay what has landed where the kernels take it over: sources are read once a run, and all reports see the same rows."""
    folder = private_folder()
    try:
        dataset.hand_on(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kernel_environment(kernels: int, landed: Path) -> Iterator[None]:
    """Let kernels find the workspace and the landed tables, and share the cores instead of fighting for them."""
    threads = str(max(1, (os.cpu_count() or 1) // kernels))
    wanted = {"CRM_HOME": str(project_root()), HANDED_ON: str(landed)}
    shared = {name: threads for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name not in os.environ}
    wanted |= shared
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _git_commit() -> str | None:
    """Return the workspace's commit, or None where there is no git."""
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command
            ["git", "-C", str(project_root()), "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
