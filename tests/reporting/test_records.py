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
from crm_analysis.reporting.records import RECORD, file_stem, record, recorded, save_table, say, show_table


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
