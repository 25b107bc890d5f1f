"""The planted shop's pages in a real browser: what its tables hold is shown, and nothing of it runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interfaces.conftest import OpenedPage
from tests.privacy.conftest import CATEGORIES, FORMULA_HEADING, HOSTILE_HEADING, IMAGE, PlantedRun

PAGES = ("index", "data_quality", "segmentation", "forecasting", "service_quality")
Open = Callable[..., OpenedPage]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_nothing_asks_for_nothing_and_complains_of_nothing(
    planted: PlantedRun, open_page: Open, name: str
) -> None:
    opened = open_page(planted.folder / f"{name}.html")
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    for button in page.locator("button:visible").all()[:12]:
        button.click()
    for cell in page.locator("table.sortable td, table.sortable th").all()[:12]:
        cell.dispatch_event("mouseover")
        cell.dispatch_event("click")
    assert page.evaluate("window.stolen") is None
    assert (opened.requests, opened.complaints) == ([], [])


def test_what_was_planted_is_shown_as_text(planted: PlantedRun, open_page: Open) -> None:
    page = open_page(planted.folder / "data_quality.html").page
    text = page.locator("main").inner_text()
    for planted_text in (CATEGORIES[0], IMAGE, HOSTILE_HEADING, FORMULA_HEADING):
        assert planted_text in text
    assert page.locator("main img[src='x'], main i[onmouseover], main script").count() == 0


@pytest.mark.parametrize("name", PAGES[1:])
def test_every_picture_is_a_picture_of_the_report(planted: PlantedRun, open_page: Open, name: str) -> None:
    page = open_page(planted.folder / f"{name}.html").page
    sources = page.eval_on_selector_all("main img", "images => images.map(image => image.src.slice(0, 22))")
    assert set(sources) == {"data:image/png;base64,"}
    assert page.eval_on_selector_all("main img", "images => images.every(image => image.naturalWidth > 100)")
