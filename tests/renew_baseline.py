"""
Renew the baseline: the text outputs of the committed notebooks, and the results they record.

Run it with ``make notebooks``; commit what changed by itself, with the reason why the numbers moved.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.suites import read_suite

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "tests" / "data" / "results.json"
DRAWS = "nbval-ignore-output"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def renew_notebook(path: Path) -> None:
    """Execute a notebook with its defaults and keep its text outputs; pictures are not committed."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code" and DRAWS in cell.metadata.get("tags", []):
            cell.outputs = []
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    nbformat.write(notebook, path)


def renew_results() -> None:
    """Run the demonstration and keep what its reports recorded."""
    with tempfile.TemporaryDirectory() as folder:
        published = run_suite(read_suite("demo"), RunOptions(out=Path(folder)))
        reports = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["reports"]
    results = {
        name: {key: _rounded(value) for key, value in report["results"].items()} for name, report in reports.items()
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounded(value: object) -> object:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main() -> None:
    """Renew the notebooks named on the command line, else all, and the results."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if len(sys.argv) == 1 or path.stem in sys.argv[1:]:
            renew_notebook(path)
    renew_results()


if __name__ == "__main__":
    main()
