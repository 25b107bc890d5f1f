"""Claims about the commands on data, `check` and `new`: what they print, where, and what they exit with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from crm_analysis.cli import main

Write = Callable[..., str]

LINES = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "bob"],
        "occurred_at": ["2024-01-05", "2024-03-01", "2024-03-02"],
        "amount": ["10.00", "20.00", "30.00"],
    }
)
GERMAN = """Kundennummer;Bestelldatum;Gesamtbetrag (€);Warengruppe
K1;31.01.2024 10:00;1.234,50;Bücher
K2;01.02.2024 11:30;7,25;Küche
K3;28.02.2024 09:15;19,00;Möbel
"""


def called(*arguments: str) -> Result:
    """Call the command, which may end by its exit code only."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def export(workspace: Path) -> Path:
    """An export of a German shop beside the workspace's folders."""
    path = workspace / "verkauf.csv"
    path.write_bytes(GERMAN.encode("cp1252"))
    return path


def test_sound_data_exit_with_0_and_say_what_to_do_next(write_dataset: Write) -> None:
    write_dataset(transactions=LINES)
    result = called("check", "shop")
    assert (result.exit_code, result.stderr) == (0, "")
    first, *_, last = result.stdout.splitlines()
    assert first == "Dataset shop as of 2024-03-02: 0 errors, 0 warnings after cleaning"
    assert last == (
        "Next: nothing stands in the way of reports. State those wanted in params/shop.yaml (dataset: shop; reports: …), "
        "then: crm-analysis run shop"
    )


def test_a_dataset_is_found_by_its_path_too(write_dataset: Write) -> None:
    write_dataset(transactions=LINES)
    assert called("check", "params/datasets/shop.yaml").stdout == called("check", "shop").stdout


def test_a_wrong_name_exits_with_2_and_names_the_nearest(write_dataset: Write) -> None:
    write_dataset(transactions=LINES)
    result = called("check", "shpo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: There is no dataset 'shpo' (did you mean 'shop'?). Known: shop.")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: [shop", "cannot be read as YAML"),
        ("name: shop\ncurrency: euro\ntables: {}\n", "faults"),
        ("- a\n- list\n", "shop.yaml"),
    ],
)
def test_a_wrong_dataset_file_exits_with_2(workspace: Path, content: str, message: str) -> None:
    (workspace / "params/datasets/shop.yaml").write_text(content)
    result = called("check", "shop")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_missing_file_exits_with_3(write_dataset: Write, workspace: Path) -> None:
    write_dataset(transactions=LINES)
    (workspace / "params/datasets/shop_transactions.csv").unlink()
    assert called("check", "shop").exit_code == 3


def test_a_column_that_is_not_there_exits_with_3_after_telling_all(write_dataset: Write) -> None:
    write_dataset(transactions=LINES.drop(columns="amount"), customers=LINES[["customer_id"]].drop_duplicates())
    result = called("check", "shop")
    assert result.exit_code == 3
    assert "lacks 1 of" in result.stdout
    assert "customers" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Next: make the tables readable")


def test_faults_that_cleaning_leaves_exit_with_4(write_dataset: Write) -> None:
    write_dataset(transactions=LINES.assign(amount=["10.00", "ten", "30.00"]))
    result = called("check", "shop")
    assert result.exit_code == 4
    assert "transactions.amount: 1 of 3 values are no money (33.3 %)" in result.stdout
    assert "ten" not in [word.strip(",") for word in result.stdout.split()]


@pytest.mark.parametrize(("amounts", "code"), [(["1", "2", "3"], 0), (["1", "ten", "3"], 4), (None, 3)])
def test_json_is_all_that_a_machine_gets(write_dataset: Write, amounts: list[str] | None, code: int) -> None:
    write_dataset(transactions=LINES.drop(columns="amount") if amounts is None else LINES.assign(amount=amounts))
    result = called("check", "shop", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["exit_code"], told["ok"]) == (code, code, code == 0)
    assert set(told) >= {"dataset", "as_of", "counts", "tables", "findings", "ledger", "source_errors", "empty_tables"}


def test_json_of_a_wrong_name_is_nothing(workspace: Path) -> None:
    result = called("check", "nobody", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: There is no dataset 'nobody'")


def test_the_installed_command_keeps_progress_off_stdout(write_dataset: Write, workspace: Path) -> None:
    write_dataset(transactions=LINES)
    command = Path(sys.executable).with_name("crm-analysis")
    answer = subprocess.run([command, "check", "shop", "--json"], cwd=workspace, capture_output=True, check=False)
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["dataset"] == "shop"


def test_commands_on_data_do_not_load_what_makes_reports() -> None:
    heavy = "print(sorted({'nbconvert', 'nbformat', 'papermill', 'sklearn'} & set(sys.modules)))"
    code = f"import sys, crm_analysis.cli; {heavy}"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_a_draft_goes_to_its_file_its_name_to_stdout_and_doubts_to_stderr(export: Path, workspace: Path) -> None:
    result = called("new", "verkauf.csv", "--to", "params/datasets/laden.yaml")
    assert (result.exit_code, result.stdout) == (0, "params/datasets/laden.yaml\n")
    assert result.stderr
    assert all(line.startswith("unsure: ") for line in result.stderr.splitlines())
    text = (workspace / "params/datasets/laden.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["tables"]["transactions"]["format"]["encoding"] == "cp1252"


def test_a_draft_says_the_check_that_works(export: Path, workspace: Path) -> None:
    called("new", "verkauf.csv", "--to", "params/datasets/laden.yaml")
    called("new", "verkauf.csv", "--to", "anderer.yaml")
    assert "# Then: crm-analysis check laden\n" in (workspace / "params/datasets/laden.yaml").read_text(
        encoding="utf-8"
    )
    assert "# Then: crm-analysis check anderer.yaml\n" in (workspace / "anderer.yaml").read_text(encoding="utf-8")
    assert called("check", "laden").stdout.startswith("Dataset laden")
    assert called("check", "anderer.yaml").stdout.startswith("Dataset anderer")


def test_what_is_there_is_not_written_over(export: Path, workspace: Path) -> None:
    (workspace / "laden.yaml").write_text("mine")
    result = called("new", "verkauf.csv", "--to", "laden.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "laden.yaml exists and is not written over" in result.stderr
    assert (workspace / "laden.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.csv", "--to", "x.yaml"], "nope.csv does not exist"),
        (["verkauf.csv", "nope.csv", "nor.csv", "--to", "x.yaml"], "2 of 3 files cannot be read"),
        (["verkauf.csv", "--to", "nowhere/x.yaml"], "There is no folder nowhere"),
        (["verkauf.csv", "--to", "x.txt"], "Write --to x.yaml"),
        (["params", "--to", "x.yaml"], "params is a folder; name the files in it"),
        (["verkauf.csv"], "Missing option '--to'"),
        (["--to", "x.yaml"], "Missing argument 'FILES...'"),
    ],
)
def test_wrong_arguments_of_new_exit_with_2_and_write_nothing(
    export: Path, workspace: Path, arguments: list[str], message: str
) -> None:
    result = called("new", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not list(workspace.rglob("x.*"))


@pytest.mark.parametrize(
    ("name", "scheme"), [("shop.db", "sqlite"), ("shop.sqlite3", "sqlite"), ("s.duckdb", "duckdb")]
)
def test_a_database_file_is_sent_to_connection(workspace: Path, name: str, scheme: str) -> None:
    (workspace / name).write_bytes(b"SQLite format 3\0")
    result = called("new", name, "--to", "x.yaml")
    assert result.exit_code == 2
    assert f"connection: {scheme}:///{name}, table: …" in result.stderr


def test_a_damaged_file_exits_with_3(workspace: Path) -> None:
    (workspace / "sales.parquet").write_bytes(b"PAR1 and no more")
    result = called("new", "sales.parquet", "--to", "x.yaml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "sales.parquet is no whole Parquet file" in result.stderr
