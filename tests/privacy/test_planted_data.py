"""Whatever a shop's tables hold, its reports name nobody, run nothing in a spreadsheet, and speak of no small group."""

from __future__ import annotations

import csv
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.privacy.keys import pseudonym
from crm_analysis.tables.references import Secret
from tests.privacy.conftest import (
    CATEGORIES,
    FORMULA_HEADING,
    HOSTILE_HEADING,
    IMAGE,
    KEY,
    MIN_CELL,
    RARE_PRIORITY,
    SMALL_REGION,
    TEAMS,
    PlantedRun,
    files_of,
    run_planted,
    texts_of,
)

REPORTS = ("data_quality", "segmentation", "forecasting", "service_quality")
LISTS = ("segments", "forecasts")
LIVE = re.compile(r"^[\s\u200b\ufeff]*[=+@-](?!\d+([.,]\d+)?(e[+-]?\d+)?$)")


@pytest.fixture(scope="session")
def clear_run(shop_folder: Path, root: Path, planted: PlantedRun) -> PlantedRun:
    """The segmentation again, with clear ids."""
    reports: dict[str, object] = {"segmentation": {"n_bootstraps": 5, "max_segments": 3, "clear_ids": True}}
    return PlantedRun(run_planted(shop_folder, "clear", reports, root), planted.customers)


def test_the_shop_gets_its_four_reports(planted: PlantedRun) -> None:
    manifest = json.loads((planted.folder / "manifest.json").read_text(encoding="utf-8"))
    assert {name: report["status"] for name, report in manifest["reports"].items()} == dict.fromkeys(REPORTS, "ok")


def test_nothing_that_names_a_person_stands_in_any_file(planted: PlantedRun) -> None:
    values = [value.casefold() for value in planted.personal if value != "{{7*7}}"]
    found = [
        (path.name, value) for path in files_of(planted.folder) for value in values if value in texts_of_once(path)
    ]
    assert found == []


def test_no_clear_id_stands_in_any_file(planted: PlantedRun) -> None:
    ids = [value.casefold() for value in planted.ids]
    found = [(path.name, value) for path in files_of(planted.folder) for value in ids if value in texts_of_once(path)]
    assert found == []


_READ: dict[Path, str] = {}


def texts_of_once(path: Path) -> str:
    """Return what a file says, read once."""
    if path not in _READ:
        _READ[path] = texts_of(path)
    return _READ[path]


def test_what_was_taken_out_is_replaced_by_its_kind(planted: PlantedRun) -> None:
    page = html.unescape((planted.folder / "data_quality.html").read_text(encoding="utf-8"))
    assert "Please always ask for [name] ([e-mail], [phone]) at the front desk" in page
    assert "engraved [name], [e-mail]" in page
    assert "re [name]" in page


def test_an_attribute_that_refers_to_customers_does_so_by_pseudonym(planted: PlantedRun) -> None:
    page = (planted.folder / "data_quality.html").read_text(encoding="utf-8")
    assert pseudonym(Secret(KEY), planted.ids[7]) in page


@pytest.mark.parametrize("name", LISTS)
def test_lists_show_pseudonyms(planted: PlantedRun, name: str) -> None:
    expected = {pseudonym(Secret(KEY), one) for one in planted.ids}
    for ids in (_table(planted, name)["customer_id"], _table(planted, name, kind="csv")["customer_id"]):
        assert set(ids) <= expected
        assert len(ids) > 300


def test_lists_of_different_reports_join_and_a_second_run_gives_the_same(
    planted: PlantedRun, clear_run: PlantedRun
) -> None:
    segments, forecasts = (set(_table(planted, name)["customer_id"]) for name in LISTS)
    assert forecasts <= segments
    again = _table(clear_run, "segments")["customer_id"].map(lambda one: pseudonym(Secret(KEY), one))
    assert set(again) == segments
    assert set(_table(planted, "open_cases_at_risk")["customer_id"]) <= {pseudonym(Secret(KEY), i) for i in planted.ids}


def test_another_key_gives_other_pseudonyms(shop_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for key in (KEY, KEY + "!"):
        monkeypatch.setenv("CRM_PSEUDONYM_KEY", key)
        dataset = open_dataset(str(shop_folder / "planted.yaml"))
        known = dataset.known(dataset.last_day).query("SELECT customer_id FROM customers")
        ids.append(set(known["customer_id"]))
    assert len(ids[0]) == len(ids[1])
    assert ids[0].isdisjoint(ids[1])


def test_clear_ids_stand_in_the_lists_that_ask_for_them_and_nowhere_else(clear_run: PlantedRun) -> None:
    for kind in ("csv", "parquet"):
        assert set(_table(clear_run, "segments", kind=kind)["customer_id"]) <= set(clear_run.ids)
    lists = {"segments", "moved_customers"}
    others = [path for path in files_of(clear_run.folder) if path.stem not in lists]
    found = [(path.name, one) for path in others for one in clear_run.ids if one.casefold() in texts_of_once(path)]
    assert found == []
    names = [value.casefold() for value in clear_run.personal if value != "{{7*7}}"]
    assert [
        (path.name, one) for path in files_of(clear_run.folder) for one in names if one in texts_of_once(path)
    ] == []


@pytest.mark.parametrize("group", [SMALL_REGION, RARE_PRIORITY])
def test_a_group_of_few_customers_is_named_nowhere(planted: PlantedRun, group: str) -> None:
    assert [path.name for path in files_of(planted.folder) if group.casefold() in texts_of_once(path)] == []


def test_what_is_said_of_values_is_about_enough_customers(planted: PlantedRun) -> None:
    for table in _html_tables(planted.folder / "data_quality.html"):
        if "customers" in table.columns:
            assert table["customers"].min() >= MIN_CELL
    for name in ("segment_profiles", "segment_cards"):
        assert _table(planted, name)["customers"].dropna().min() >= MIN_CELL


def test_a_small_region_does_not_follow_from_the_others(planted: PlantedRun, shop_folder: Path) -> None:
    levels = next(t for t in _html_tables(planted.folder / "data_quality.html") if "level" in t.columns)
    shown = levels[levels["column"] == "region"]
    sizes = pd.read_csv(shop_folder / "customers.csv")["region"].value_counts()
    assert shown["customers"].sum() == len(planted.ids)
    assert not set(shown["customers"]) & {sizes[SMALL_REGION]}
    assert len(shown) == len(sizes) - 1  # the small one and the smallest other are told as one


def test_no_cell_of_a_list_is_run_by_a_spreadsheet(planted: PlantedRun) -> None:
    lists = [path for path in files_of(planted.folder) if path.suffix == ".csv"]
    assert len(lists) >= 7
    for path in lists:
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [cell for cell in cells if LIVE.match(cell)] == [], path.name


def test_formulas_stand_in_the_list_of_open_cases_as_text(planted: PlantedRun) -> None:
    cells = _table(planted, "open_cases_at_risk", kind="csv")
    given = _table(planted, "open_cases_at_risk")
    assert len(given) > 0
    for name in ("team", "category", "channel", "priority"):
        live = given[name].str.match(LIVE)
        assert (cells[name] == given[name].where(~live, "'" + given[name])).all()


def test_markup_and_column_headings_from_data_stand_escaped_in_pages(planted: PlantedRun) -> None:
    page = (planted.folder / "data_quality.html").read_text(encoding="utf-8")
    for text in (CATEGORIES[0], IMAGE, TEAMS[0], HOSTILE_HEADING, FORMULA_HEADING):
        assert text in html.unescape(page), text
    for path in planted.folder.glob("*.html"):
        assert _live_markup(path.read_text(encoding="utf-8")) == [], path.name


def test_markup_stands_escaped_in_the_executed_notebooks(planted: PlantedRun) -> None:
    for path in planted.folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        markup = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
        assert [found for text in markup for found in _live_markup(text)] == [], path.name


def _table(run: PlantedRun, name: str, *, kind: str = "parquet") -> pd.DataFrame:
    path = run.folder / "tables" / f"{name}.{kind}"
    return pd.read_csv(path, keep_default_na=False) if kind == "csv" else pd.read_parquet(path)


class _Markup(HTMLParser):
    """Collects elements that a planted text has become: a script, or an attribute other than an alternative text."""

    def __init__(self) -> None:
        super().__init__()
        self.live: list[str] = []
        self._element = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element = tag
        self.live += [
            tag for name, value in attrs if "stolen" in f"{name}{value}" and name not in {"alt", "aria-label"}
        ]

    def handle_data(self, data: str) -> None:
        if self._element == "script" and "stolen" in data:
            self.live.append("script")


def _live_markup(text: str) -> list[str]:
    parser = _Markup()
    parser.feed(text)
    return parser.live


def _html_tables(path: Path) -> list[pd.DataFrame]:
    """Return the sortable tables of a page."""
    pieces = re.findall(r"<table[^>]*sortable.*?</table>", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [_as_frame(piece) for piece in pieces]


def _as_frame(table: str) -> pd.DataFrame:
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)
        for row in re.findall(r"<tr.*?</tr>", table, flags=re.DOTALL)
    ]
    cells = [[html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in row] for row in rows]
    frame = pd.DataFrame(cells[1:], columns=cells[0])
    return frame.assign(customers=pd.to_numeric(frame["customers"])) if "customers" in frame else frame
