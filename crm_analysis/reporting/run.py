"""
Run one notebook: parameters in; executed copy, HTML and recorded results out.

Which notebooks a suite runs, side by side, and where they end up belongs in :mod:`crm_analysis.reporting.suites`
and :mod:`crm_analysis.reporting.build`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers
from papermill.iorw import papermill_io

from crm_analysis.errors import ReportError
from crm_analysis.reporting.files import file_stem
from crm_analysis.reporting.html import ReportFacts, export_html
from crm_analysis.reporting.params import ReportParams
from crm_analysis.reporting.records import Value, recorded

Advance = Callable[[int, int], None]
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MESSAGE_LENGTH = 1000
_KERNEL_LOG = "kernel.log"
_LOG_LINES = 5


def identifier_of(report: str, where: object) -> str:
    """
    Return what a report is called in lists, options and manifests.

    Parameters
    ----------
    report : str
        The notebook's name.
    where : mapping or None
        Its filter, customer attribute to value; anything else, as a suite file may have it by mistake, counts as none.

    Returns
    -------
    str
        The name, with the filter after an @.

    Examples
    --------
    >>> identifier_of("segmentation", {"region": "north"})
    'segmentation@region=north'
    """
    pairs = where.items() if isinstance(where, Mapping) else ()
    return report + "".join(f"@{name}={value}" for name, value in pairs)


@dataclass(frozen=True)
class ReportJob:
    """
    A report to be made.

    Attributes
    ----------
    report : str
        The notebook's name.
    params : ReportParams
        Its parameters, checked.
    """

    report: str
    params: ReportParams

    @property
    def identifier(self) -> str:
        """As ``list`` prints and ``--only`` takes it."""
        return identifier_of(self.report, self.params.where)

    @property
    def stem(self) -> str:
        """Of the report's files."""
        return file_stem(self.report, self.params.where)


@dataclass(frozen=True)
class ReportOutcome:
    """
    What came of a report.

    Attributes
    ----------
    status : {"ok", "failed"}
        Whether its notebook ran to the end.
    seconds : float
        How long it took.
    results : dict
        What it recorded, also before a failure.
    error : dict or None
        ``type``, ``message`` and ``cell`` of the failure.
    """

    status: str
    seconds: float
    results: dict[str, Value]
    error: dict[str, str] | None = None


def run_report(
    job: ReportJob, *, notebooks: Path, folder: Path, facts: ReportFacts, advance: Advance | None = None
) -> ReportOutcome:
    """
    Execute a notebook and write its executed copy and its HTML.

    Parameters
    ----------
    job : ReportJob
        What to make.
    notebooks : pathlib.Path
        Where the notebooks are.
    folder : pathlib.Path
        Where ``<stem>.ipynb`` and ``<stem>.html`` go; also the kernel's working folder, so that ``out: "."`` is this folder.
    facts : ReportFacts
        What the page says of the data; identifier, parameters and status are filled in here.
    advance : callable, optional
        Called with cells done and cells in all.

    Returns
    -------
    ReportOutcome
        Also of a failure: the executed copy then shows where it broke off.

    Raises
    ------
    ReportError
        The notebook is missing, or its parameters differ from their model.
    """
    source = notebooks / f"{job.report}.ipynb"
    check_notebook(source, job.params)
    started = time.monotonic()
    executed, error = _execute(source, job.params, folder, advance)
    (folder / f"{job.stem}.ipynb").write_text(nbformat.writes(executed), encoding="utf-8")
    shown = job.params.model_dump(mode="json", exclude={"out"})
    status = "failed" if error else "ok"
    page = replace(facts, identifier=job.identifier, parameters=shown, status=status)
    export_html(executed, folder / f"{job.stem}.html", facts=page)
    return ReportOutcome(status, round(time.monotonic() - started, 3), recorded(executed), error)


def check_notebook(source: Path, params: ReportParams) -> None:
    """
    Check that a notebook declares just the parameters of its model; papermill itself would only warn.

    Parameters
    ----------
    source : pathlib.Path
        The notebook.
    params : ReportParams
        An instance of its model.

    Raises
    ------
    ReportError
        The notebook is missing or unreadable, or the two differ.
    """
    if not source.is_file():
        raise ReportError(f"There is no notebook {source.name} in the folder notebooks/.")
    try:
        declared = set(papermill.inspect_notebook(str(source)))
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise ReportError(f"{source.name} cannot be read as a notebook: {error}") from error
    expected = set(type(params).model_fields)
    if declared != expected:
        raise ReportError(
            f"{source.name}: its parameters cell and {type(params).__name__} differ in {sorted(declared ^ expected)}. "
            "Give both the same names."
        )


def _execute(
    source: Path, params: ReportParams, folder: Path, advance: Advance | None
) -> tuple[nbformat.NotebookNode, dict[str, str] | None]:
    """Return the executed notebook, and what failed in it."""
    cells = len(nbformat.read(source, as_version=4).cells) + 1  # papermill adds the cell with the given parameters
    with _private_folder() as scratch, _memory.place() as copy:
        error = None
        try:
            papermill.execute_notebook(
                str(source),
                copy,
                parameters=params.model_dump(mode="json"),
                progress_bar=False,
                request_save_on_cell_execute=False,
                resources={"metadata": {"path": str(folder)}},
                kernel_manager_class=_kernel_manager(scratch),
                on_cell_complete=lambda cell, cell_index: (  # noqa: ARG005 - nbclient calls it with these names
                    advance(cell_index + 1, cells) if advance else None
                ),
            )
        except PapermillExecutionError as failure:
            error = _failure(failure)
        except Exception as failure:  # noqa: BLE001 - a kernel can die in many ways; each is this report's failure
            error = {"type": type(failure).__name__, "message": _last_words(failure, scratch), "cell": "the kernel"}
        finally:
            ensure_event_loop().close()
        executed = nbformat.reads(_memory.read(copy) or source.read_text(encoding="utf-8"), as_version=4)
    executed = remove_error_markers(executed)
    if "papermill" in executed.metadata:
        executed.metadata.papermill.update(input_path=f"notebooks/{source.name}", output_path=None)
    return executed, error


class _Memory:
    """Where papermill puts executed notebooks: in no file, since a cell may show what must not be on a disk."""

    scheme = "memory:"

    def __init__(self) -> None:
        self._written: dict[str, str] = {}

    @contextmanager
    def place(self) -> Iterator[str]:
        """Give a name to write to, which several threads do at once, and forget what was written."""
        name = f"{self.scheme}{uuid.uuid4()}.ipynb"
        try:
            yield name
        finally:
            self._written.pop(name, None)

    def write(self, text: str, name: str) -> None:
        self._written[name] = text

    def read(self, name: str) -> str:
        return self._written.get(name, "")

    def pretty_path(self, name: str) -> str:
        return name


_memory = _Memory()
papermill_io.register(_Memory.scheme, _memory)


def _failure(failure: PapermillExecutionError) -> dict[str, str]:
    first_line = next((line for line in failure.source.splitlines() if line.strip()), "")
    return {
        "type": failure.ename,
        "message": _bounded(_ANSI.sub("", failure.evalue)),
        "cell": f"In [{failure.exec_count}]: {first_line.strip()[:100]}",
    }


def _last_words(failure: Exception, scratch: Path) -> str:
    """Return what a failing kernel said, with the end of what it wrote."""
    log = scratch / _KERNEL_LOG
    written = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return _bounded("\n".join([str(failure), *(_ANSI.sub("", line) for line in written[-_LOG_LINES:])]))


def _bounded(message: str) -> str:
    return message if len(message) <= _MESSAGE_LENGTH else message[: _MESSAGE_LENGTH - 1] + "…"


@contextmanager
def _private_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="crm_report_"))  # mode 0700; a short path, which sockets need
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kernel_manager(scratch: Path) -> type[AsyncKernelManager]:
    """
    Return a manager whose kernels keep to a private folder.

    They talk over sockets in it (no ports to collide on or to listen in), put their temporary files there, so that even a
    kernel that is killed leaves none behind, and write there what would clutter the terminal.
    """
    if sys.platform == "win32":
        return AsyncKernelManager

    class PrivateKernelManager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.transport = "ipc"
            self.ip = str(scratch / "kernel")
            self.connection_file = str(scratch / "kernel.json")

        async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
            environment = (options.pop("env", None) or os.environ) | {"TMPDIR": str(scratch)}
            with (scratch / _KERNEL_LOG).open("ab") as log:
                await super()._async_launch_kernel(kernel_cmd, env=environment, stderr=log, **options)

    return PrivateKernelManager
