"""The demonstration's own pages, opened in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.interfaces.conftest import OpenedPage

PAGES = ("index", "segmentation", "forecasting", "service_quality")
LARGEST = 5_000_000  # bytes

Open = Callable[..., OpenedPage]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_complains_of_nothing(demo_run: Path, open_page: Open, name: str) -> None:
    opened = open_page(demo_run / f"{name}.html")
    assert opened.page.title()
    assert (opened.requests, opened.complaints) == ([], [])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible(
    demo_run: Path, open_page: Open, accessibility_faults: Callable[[Page], list[str]], name: str
) -> None:
    assert accessibility_faults(open_page(demo_run / f"{name}.html").page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_small(demo_run: Path, name: str) -> None:
    assert (demo_run / f"{name}.html").stat().st_size <= LARGEST


@pytest.mark.parametrize("name", PAGES[1:])
def test_every_picture_has_its_own_text(demo_run: Path, open_page: Open, name: str) -> None:
    page = open_page(demo_run / f"{name}.html").page
    texts = page.eval_on_selector_all("main img", "images => images.map(image => image.alt)")
    assert len(texts) >= 2
    assert len(set(texts)) == len(texts)
    assert all(len(text) >= 40 and any(sign.isdigit() for sign in text) for text in texts), texts


@pytest.mark.parametrize("name", PAGES[1:])
def test_a_report_names_its_data_and_opens_from_the_index(demo_run: Path, open_page: Open, name: str) -> None:
    page = open_page(demo_run / "index.html").page
    page.locator(f"a[href='{name}.html']").first.click()
    assert "complete_journey" in page.locator("body").inner_text()
    assert "2017-12-31" in page.content()


def test_what_is_synthetic_is_said_in_the_report_that_shows_it(demo_run: Path) -> None:
    assert "synthetic" in (demo_run / "service_quality.html").read_text(encoding="utf-8")


def test_lists_to_act_on_are_there_in_both_forms(demo_run: Path) -> None:
    names = {path.name for path in (demo_run / "tables").iterdir()}
    assert "segment_rules.sql" in names
    names.remove("segment_rules.sql")
    stems = {path.partition(".")[0] for path in names}
    assert {"segments", "forecasts", "open_cases_at_risk"} <= stems
    assert names == {f"{stem}.{kind}" for stem in stems for kind in ("csv", "parquet")}


def test_models_are_there_with_what_is_to_know_of_them(demo_run: Path) -> None:
    for name in ("segments", "needs"):
        described = json.loads((demo_run / "models" / name / "model.json").read_text(encoding="utf-8"))["description"]
        assert (described["kind"], described["dataset"], described["as_of"]) == (name, "complete_journey", "2017-12-31")
        assert (demo_run / "models" / name / "model.skops").stat().st_size < 100_000
