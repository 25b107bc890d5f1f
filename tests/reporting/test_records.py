"""Claims about what a notebook hands on."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import ParamsError
from crm_analysis.reporting import records
from crm_analysis.reporting.params import SegmentationParams
from crm_analysis.reporting.records import (
    RECORD,
    file_stem,
    neutralised,
    record,
    recorded,
    save_table,
    say,
    show_table,
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was displayed."""
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(records, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (4, 4),
        (np.int64(4), 4),
        (np.float64(0.5), 0.5),
        (float("nan"), None),
        (np.inf, None),
        (pd.NA, None),
        (None, None),
        (True, True),
        (np.bool_(True), True),
        ("kmeans", "kmeans"),
        (date(2024, 1, 5), "2024-01-05"),
        (pd.Timestamp("2024-01-05 10:00"), "2024-01-05"),
    ],
)
def test_a_result_is_handed_on_as_json_holds_it(shown: list[dict[str, Any]], value: object, plain: object) -> None:
    record("x", value)
    assert shown[0][RECORD] == {"name": "x", "value": plain}
    assert type(shown[0][RECORD]["value"]) is type(plain)


def test_a_table_is_no_result(shown: list[dict[str, Any]]) -> None:
    with pytest.raises(TypeError, match="got list"):
        record("x", [1])


def test_results_are_read_back_from_an_executed_notebook() -> None:
    outputs = [
        nbformat.v4.new_output("display_data", {RECORD: {"name": "a", "value": 1}, "text/plain": "a = 1"}),
        nbformat.v4.new_output("stream", text="noise"),
        nbformat.v4.new_output("display_data", {RECORD: {"name": "a", "value": 2}}),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    assert recorded(notebook) == {"a": 2}


def test_what_comes_from_data_is_escaped(shown: list[dict[str, Any]]) -> None:
    say("<script>x</script>")
    show_table(pd.DataFrame({"<b>": ["<script>"]}), caption="<i>")
    html = shown[0]["text/html"] + shown[1]["text/html"]
    assert "<script" not in html
    assert "<b>" not in html
    assert "<i>" not in html


def test_a_list_is_written_as_csv_and_parquet(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["=cmd()", "+1 call", "-3", "@x", "Ann"], "n": [-1, 2, 3, 4, 5]})
    save_table(table, "people", SegmentationParams(out=str(tmp_path), where={"region": "a/b"}))
    with (tmp_path / "tables/people@region=a%2Fb.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["name", "'=cmd()", "'+1 call", "-3", "'@x", "Ann"]
    assert rows[1][1] == "-1"
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "tables/people@region=a%2Fb.parquet"), table)


def test_nothing_is_written_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_table(pd.DataFrame({"a": [1]}), "people", SegmentationParams())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ParamsError, match="cannot be written"):
        save_table(pd.DataFrame({"a": [1]}), "people", SegmentationParams(out=str(tmp_path / "file")))


@pytest.mark.parametrize("value", ["a/b", "..", "a b", "{x}", "ü", 'a"b', "a:b*c?"])
def test_a_stem_is_safe_on_any_file_system(value: str) -> None:
    stem = file_stem("segmentation", {"region": value})
    assert not set(stem) & set('/\\ {}":*?<>|')
    assert stem.isascii()


class Source:
    """Knows that pseudonyms are ids spelt backwards."""

    def clear_ids(self, ids: pd.Series) -> pd.Series:
        return ids.map(lambda pseudonym: pseudonym[::-1])


LIST = pd.DataFrame({"spend": [1.5, 2.5]}, index=pd.Index(["nna", "bob="], name="customer_id"))


def saved(folder: Path, name: str) -> tuple[list[list[str]], pd.DataFrame]:
    with (folder / f"tables/{name}.csv").open(newline="") as file:
        return list(csv.reader(file)), pd.read_parquet(folder / f"tables/{name}.parquet")


def test_lists_keep_pseudonyms_unless_clear_ids_are_asked_for(tmp_path: Path) -> None:
    save_table(LIST, "people", SegmentationParams(out=str(tmp_path)), Source())
    rows, table = saved(tmp_path, "people")
    assert [row[0] for row in rows] == ["customer_id", "nna", "bob="]
    assert table["customer_id"].tolist() == ["nna", "bob="]


def test_clear_ids_stand_in_both_files_and_run_nothing(tmp_path: Path) -> None:
    save_table(LIST, "people", SegmentationParams(out=str(tmp_path), clear_ids=True), Source())
    rows, table = saved(tmp_path, "people")
    assert [row[0] for row in rows] == ["customer_id", "ann", "'=bob"]
    assert table["customer_id"].tolist() == ["ann", "=bob"]
    assert LIST.index.tolist() == ["nna", "bob="]


def test_a_table_without_customers_is_not_concerned(tmp_path: Path) -> None:
    params = SegmentationParams(out=str(tmp_path), clear_ids=True)
    save_table(pd.DataFrame({"segment": ["nna"]}), "groups", params, Source())
    assert saved(tmp_path, "groups")[1]["segment"].tolist() == ["nna"]
    with pytest.raises(ValueError, match="needs the source"):
        save_table(LIST, "people", params)


@pytest.mark.parametrize(
    "text",
    [
        "=cmd()",
        "=cmd|' /C calc'!A0",
        '@SUM(1+1)*cmd|"/C calc"!A0',
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd()",
        " =1",
        "\n=1",
        "\r=1",
        "\t=1",
        " \t\n =1",
        "\x00=1",
        "\ufeff=1",
        "\u200b=1",
        "\u00a0=1",
        "＝1",
        "＋cmd",
        "－cmd",
        "＠SUM",
        "\nplain",
        "-",
    ],
)
def test_no_text_runs_in_a_spreadsheet(text: str) -> None:
    table = pd.DataFrame({text: [text]}, index=pd.Index([text], name=text))
    safe = neutralised(table)
    assert safe.iloc[0, 0] == f"'{text}"
    assert safe.columns.tolist() == [f"'{text}"]
    assert safe.index.tolist() == [f"'{text}"]
    assert safe.index.name == f"'{text}"
    assert table.iloc[0, 0] == text


@pytest.mark.parametrize("text", ["Ann", "-5", "+3.5e2", "a=b", "1-2", "", "  ", "north - south", "ann@example"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralised(pd.DataFrame({"name": pd.Categorical([text])})).iloc[0, 0] == text


def test_columns_of_one_name_are_all_made_safe() -> None:
    twice = pd.DataFrame([["=1", "=2", 3]], columns=["name", "name", "n"])
    assert neutralised(twice).iloc[0].tolist() == ["'=1", "'=2", 3]


def test_text_is_quoted_so_that_no_other_separator_splits_it(tmp_path: Path) -> None:
    save_table(pd.DataFrame({"name": ["a;=1+1"], "n": [1]}), "people", SegmentationParams(out=str(tmp_path)))
    assert (tmp_path / "tables/people.csv").read_text().splitlines() == ['"name","n"', '"a;=1+1",1']


def test_values_are_not_set_as_formulas_in_jupyterlab(shown: list[dict[str, Any]]) -> None:
    say(r"$\\frac{1}{2}$")
    show_table(
        pd.DataFrame({"$x$": [r"$\href{javascript:alert(1)}{x}$", "**bold** <img src=x onerror=y>"]}), caption="$c$"
    )
    assert all("mathjax_ignore" in bundle["text/html"] for bundle in shown)
    assert "<img" not in shown[1]["text/html"]


def test_what_is_hidden_is_a_dash_in_columns_of_every_type(shown: list[dict[str, Any]]) -> None:
    table = pd.DataFrame({"n": [4, 5], "share": [0.25, 0.75], "is_best": [True, False]})
    holed = table.astype({"n": "Int64", "is_best": "boolean"}).mask(table["n"] > 4)
    show_table(holed, caption="Groups")
    assert shown[0]["text/html"].count("<td>–</td>") == 3
    assert shown[0]["text/plain"].splitlines()[-1].split() == ["–", "–", "–"]
