"""A workspace with small notebooks in place of the real ones: they run in seconds, and may be broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from crm_analysis.reporting.params import PARAMS

LINES = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "cid"],
        "occurred_at": ["2024-01-05 10:00", "2024-02-01 10:00", "2024-03-01 10:00"],
        "amount": [10.0, 20.0, 30.0],
    }
)
CUSTOMERS = pd.DataFrame({"customer_id": ["ann", "bob", "cid"], "region": ["north", "south", "a/b <i>"]})

# Kernels that import pandas take seconds; these hand on a result and a list with nothing but the kernel's own library.
WORKING = """
from pathlib import Path
from IPython.display import display
display({{"application/vnd.crm-analysis.record+json": {{"name": "seed", "value": seed}}, "text/plain": "seed"}}, raw=True)
Path(out, "tables").mkdir(exist_ok=True)
Path(out, "tables", "{report}_list.csv").write_text(f"customer_id\\n{{as_of}}\\n")
"""
REAL = """
from crm_analysis.reporting.files import save_table
from crm_analysis.reporting.records import record
from crm_analysis.reporting.params import PARAMS
import pandas as pd
params = PARAMS["{report}"](dataset=dataset, as_of=as_of, seed=seed, where=where, out=out)
record("seed", params.seed)
save_table(pd.DataFrame({{"customer_id": ["ann"]}}), "{report}_list", params)
"""
BROKEN = """
from IPython.display import display
display({"application/vnd.crm-analysis.record+json": {"name": "before", "value": 1}, "text/plain": "before = 1"}, raw=True)
raise KeyError("region <script>alert(1)</script>")
"""


@pytest.fixture
def write_notebook(workspace: Path) -> Callable[..., Path]:
    """Write a notebook that declares its report's parameters and runs one cell."""

    def write(report: str, code: str | None = None) -> Path:
        defaults = {name: field.default for name, field in PARAMS[report].model_fields.items()}
        parameters = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
        cells = [
            nbformat.v4.new_markdown_cell(f"# Title of {report}"),
            nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell((code or WORKING.format(report=report)).strip()),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = workspace / "notebooks" / f"{report}.ipynb"
        nbformat.write(notebook, path)
        return path

    return write


@pytest.fixture
def write_suite(
    workspace: Path, write_dataset: Callable[..., str], write_notebook: Callable[..., Path]
) -> Callable[..., str]:
    """Write a suite over a small shop, with a working notebook for each of its reports; returns its name."""

    def write(name: str = "trial", **content: object) -> str:
        write_dataset(transactions=LINES, customers=CUSTOMERS)
        suite = {"dataset": "shop", "reports": {"segmentation": {}}} | content
        for report in suite["reports"]:  # type: ignore[attr-defined]
            if report in PARAMS:
                write_notebook(report)
        (workspace / "params" / f"{name}.yaml").write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
        return name

    return write
