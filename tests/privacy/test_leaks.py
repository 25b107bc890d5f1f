"""A leak that gets through everything else fails the run: nothing is published, and the message does not leak it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from crm_analysis.cli import main
from crm_analysis.errors import ReportError
from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.params import PARAMS
from crm_analysis.reporting.suites import read_suite

KEY = "open-sesame-for-tests-only"
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": [f"KD-2024-{number:05d}" for number in range(40)],
        "full_name": [
            f"Quendoline Vlemzackinger{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(40)
        ],
        "email": [f"quendoline.{number}@post.example" for number in range(40)],
        "phone": [f"+49 171 {3480117 + 7919 * number}" for number in range(40)],
        "region": np.where(np.arange(40) % 2, "north", "south"),
    }
)
PLANTED = {
    "customers.email": CUSTOMERS["email"][3],
    "customers.full_name": CUSTOMERS["full_name"][3],
    "customers.phone": CUSTOMERS["phone"][3],
    "customer id": CUSTOMERS["customer_id"][3],
    "a secret": KEY,
}
FAILURE = "raise ValueError(f'no region for {taken[\"a\"]}')"
FILES = (
    "segmentation.html",
    "segmentation.ipynb",
    "tables/list.csv",
    "tables/list.parquet",
    "tables/list.xlsx",
    "models/m/model.skops",
)

# Whoever reads the landed tables on purpose gets past the snapshot, and past everything that leaves persons out.
TAKING = """
import os
from pathlib import Path
import pandas as pd
from crm_analysis.tables.datasets import open_dataset
source = open_dataset(dataset)
source.land("customers")
row = source.connection.execute(
    "SELECT * FROM landed.customers WHERE _clear_customer_id = 'KD-' || '2024-' || '00003'").df().iloc[0]
taken = {"a": row["email"], "b": row["full_name"], "c": row["phone"], "d": row["_clear_customer_id"],
         "e": os.environ["CRM_PSEUDONYM_KEY"]}
table = pd.DataFrame({"what": list(taken.values())})
folder = Path(out, "tables")
folder.mkdir(exist_ok=True)
"""
EVERYWHERE = (
    TAKING
    + """
import skops.io
from IPython.display import HTML, display
table.to_csv(folder / "list.csv", index=False)
table.to_parquet(folder / "list.parquet")
table.to_excel(folder / "list.xlsx", index=False)
Path(out, "models", "m").mkdir(parents=True)
skops.io.dump({"classes": list(taken.values())}, Path(out, "models", "m", "model.skops"))
display(HTML("<ul>" + "".join(f"<li>{value.upper() if key == 'b' else value}</li>" for key, value in taken.items()) + "</ul>"))
"""
)
HARMLESS = """
from pathlib import Path
Path(out, "tables").mkdir(exist_ok=True)
Path(out, "tables", "list.csv").write_text("region\\nnorth\\n")
"""


@dataclass(frozen=True)
class Workspace:
    """A workspace with one private shop and one notebook."""

    home: Path

    def run(self, code: str, suite: str = "trial") -> Result:
        """Run a suite from the command line, with this code in the notebook."""
        self._write(code, suite)
        return CliRunner().invoke(main, ["run", suite])

    def refusal(self, code: str) -> ReportError:
        """Return why a run with this code in the notebook is refused."""
        self._write(code, "trial")
        with pytest.raises(ReportError) as caught:
            run_suite(read_suite("trial"), RunOptions(out=self.home / "reports"))
        return caught.value

    def _write(self, code: str, suite: str) -> None:
        content = {"dataset": "shop", "reports": {"segmentation": {}}}
        (self.home / "params" / f"{suite}.yaml").write_text(yaml.safe_dump(content))
        defaults = {name: field.default for name, field in PARAMS["segmentation"].model_fields.items()}
        parameters = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
        cells = [
            nbformat.v4.new_markdown_cell("# Segments"),
            nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(code.strip()),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.home / "notebooks" / "segmentation.ipynb")

    @property
    def written(self) -> dict[str, bytes]:
        """Every file below the folder of all reports."""
        folder = self.home / "reports"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The workspace, which is the current folder."""
    home = tmp_path_factory.mktemp("leaks")
    folder = home / "params" / "datasets"
    folder.mkdir(parents=True)
    (home / "notebooks").mkdir()
    CUSTOMERS.to_csv(folder / "customers.csv", index=False)
    days = pd.date_range("2024-01-01", periods=40, freq="D")
    ids = CUSTOMERS["customer_id"]
    lines = pd.DataFrame({"customer_id": ids, "occurred_at": days, "amount": 10.0})
    lines.to_csv(folder / "transactions.csv", index=False)
    tables = {name: {"files": f"{name}.csv"} for name in ("customers", "transactions")}
    (folder / "shop.yaml").write_text(yaml.safe_dump({"name": "shop", "currency": "EUR", "tables": tables}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("CRM_HOME", raising=False)
        patch.setenv("CRM_PSEUDONYM_KEY", KEY)
        yield Workspace(home)


@pytest.fixture(scope="module")
def before(shop: Workspace) -> dict[str, bytes]:
    """What an earlier, harmless run published."""
    result = shop.run(HARMLESS)
    assert result.exit_code == 0, result.stderr
    return shop.written


@pytest.fixture(scope="module")
def refused(shop: Workspace, before: dict[str, bytes]) -> ReportError:
    """Why a run is refused whose notebook writes everything it took into every kind of file."""
    assert before
    return shop.refusal(EVERYWHERE)


def test_the_run_fails_and_an_earlier_one_stays_untouched(
    shop: Workspace, before: dict[str, bytes], refused: ReportError
) -> None:
    assert refused.exit_code == 6
    assert shop.written == before
    assert [path.name for path in (shop.home / "reports" / "trial").iterdir()] == ["2024-02-09"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_is_found_in_each_file(refused: ReportError, file: str, kind: str) -> None:
    assert any(fault.startswith(f"{file}: {kind} (") for fault in refused.faults), refused.faults


def test_the_message_names_files_and_kinds_and_no_value(refused: ReportError) -> None:
    assert "Nothing was published" in str(refused)
    assert str(refused).count("\n") < 12
    told = f"{refused}{''.join(refused.faults)}".casefold()
    assert [kind for kind, value in PLANTED.items() if str(value).casefold() in told] == []


def test_nothing_is_left_of_a_first_run_whose_error_message_names_somebody(shop: Workspace) -> None:
    result = shop.run(TAKING + FAILURE, suite="first")
    assert (result.exit_code, "Nothing was published" in result.stderr) == (6, True), result.stderr
    assert list((shop.home / "reports" / "first").iterdir()) == []
    assert [kind for kind, value in PLANTED.items() if str(value) in result.stdout + result.stderr] == []
