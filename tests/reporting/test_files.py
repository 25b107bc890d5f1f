"""Claims about what a report leaves as files."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from crm_analysis.errors import ParamsError
from crm_analysis.reporting.files import file_stem, list_writer, model_folder, neutralised, save_table, save_text
from crm_analysis.reporting.params import SegmentationParams


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


def test_texts_and_models_of_a_filtered_report_have_names_of_their_own(tmp_path: Path) -> None:
    params = SegmentationParams(out=str(tmp_path), where={"region": "a/b"})
    save_text("SELECT 'ü'", "segments.sql", params)
    assert (tmp_path / "tables" / "segments@region=a%2Fb.sql").read_text(encoding="utf-8") == "SELECT 'ü'"
    assert model_folder("segments", params) == tmp_path / "models" / "segments@region=a%2Fb"
    nowhere = SegmentationParams()
    save_text("SELECT 1", "segments.sql", nowhere)
    assert model_folder("segments", nowhere) is None


def test_a_list_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    table = pd.DataFrame({"customer_id": ["=a", "b"], "segment": ["x", "y"]})
    list_writer(tmp_path / "list.CSV")(table)
    assert (tmp_path / "list.CSV").read_text().splitlines()[1] == '"\'=a","x"'
    list_writer(tmp_path / "list.parquet")(table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "list.parquet"), table, check_dtype=False)
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(ParamsError, match=r"taken.csv cannot be written"):
        list_writer(tmp_path / "taken.csv")(table)


@pytest.mark.parametrize(
    ("name", "message"),
    [("list.xls", r"ends in '.xls'; lists are written as .parquet or .csv"), ("list", "ends in 'nothing'"), ("no/list.csv", "no folder")],
)  # fmt: skip
def test_a_list_that_cannot_be_written_is_refused_before_it_is_made(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        list_writer(tmp_path / name)
