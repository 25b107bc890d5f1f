"""A notebook in a real JupyterLab: it opens with its kernel, and Run All Cells runs it to its results."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from crm_analysis.reporting.records import recorded

TOKEN = "trial"  # noqa: S105 - of a server that listens on loopback for one test
START_SECONDS = 90
RUN_MILLISECONDS = 300_000
KERNEL_IS_CONNECTED = """async () => {
    const answer = await fetch(`${location.origin}/api/kernels`);
    const kernels = await answer.json();
    return kernels.length === 1 && kernels[0].connections === 1 && kernels[0].execution_state === "idle";
}"""


@pytest.fixture
def own_copy(root: Path, tmp_path: Path) -> Path:
    """A copy of the workspace, without outputs, that the server may write to."""
    home = tmp_path / "workspace"
    shutil.copytree(root / "params", home / "params")
    (home / "notebooks").mkdir()
    notebook = nbformat.read(root / "notebooks/segmentation.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.source = cell.source.replace('dataset = "complete_journey"', 'dataset = "cdnow_sample"')
    nbformat.write(notebook, home / "notebooks/segmentation.ipynb")
    return home


@pytest.fixture
def address(own_copy: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves the copy and stops with the test."""
    folders = {
        name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    folders["JUPYTERLAB_SETTINGS_DIR"] = folders["JUPYTERLAB_WORKSPACES_DIR"] = str(tmp_path / "lab")
    log = tmp_path / "server.log"
    options = ("--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={TOKEN}")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        *options,
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=own_copy, stdout=output, stderr=output, env=os.environ | folders)
        try:
            yield _listening(server, log)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _listening(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server answers, and return its address."""
    for _ in range(START_SECONDS * 2):
        found = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())
        if found:
            with urllib.request.urlopen(f"{found[0]}api/status?token={TOKEN}", timeout=30) as answer:  # noqa: S310 - loopback
                assert answer.status == 200
            return found[0]
        assert server.poll() is None, log.read_text()
        time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start within {START_SECONDS} s:\n{log.read_text()}")


def test_run_all_cells_runs_a_notebook_to_its_results(own_copy: Path, address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(f"{address}lab/tree/notebooks/segmentation.ipynb?token={TOKEN}")
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
    page.wait_for_function(KERNEL_IS_CONNECTED, timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    path = own_copy / "notebooks/segmentation.ipynb"
    deadline = time.monotonic() + RUN_MILLISECONDS / 1000
    while (state := _state(path)) == "running" and time.monotonic() < deadline:
        page.wait_for_timeout(2000)
        page.keyboard.press("Control+s")
    context.close()
    assert state == "done"


def _state(path: Path) -> str:
    """Return from the saved notebook whether it is running, has recorded its results, or which error it shows."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError:  # read in the middle of a save
        return "running"
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    errors = [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]
    if errors:
        return errors[0]
    return "done" if "n_segments" in recorded(notebook) else "running"
