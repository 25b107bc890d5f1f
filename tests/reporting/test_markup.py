"""Tests of what is done to the HTML of cells."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from crm_analysis.reporting.markup import finish_tables, gather_code, outline

SEGMENTS = pd.DataFrame(
    {"customers": [1200, 640], "share": ["65 %", "35 %"], "spend": [1204.5, None], "word": ["a", "1"]},
    index=pd.Index(["Loyal", "Lapsed"], name="segment"),
)


def finished(html):
    """Return the only table of some HTML, finished."""
    cells = BeautifulSoup(html, "html.parser")
    finish_tables(cells)
    (table,) = cells.find_all("table")
    return table


def test_no_header_is_empty_and_each_says_what_it_heads():
    table = finished(SEGMENTS.rename_axis(None).to_html())
    assert all(header.get_text(strip=True) for header in table.find_all("th"))
    assert [header["scope"] for header in table.select("thead th")] == ["col"] * 4
    assert [header["scope"] for header in table.select("tbody th")] == ["row"] * 2


def test_the_name_of_an_index_stands_beside_the_columns():
    (header,) = finished(SEGMENTS.to_html()).select("thead tr")
    assert [cell.get_text() for cell in header.find_all("th")] == ["segment", "customers", "share", "spend", "word"]


def test_columns_of_numbers_are_aligned_and_others_not():
    table = finished(SEGMENTS.to_html())
    assert [cell.get_text() for cell in table.select("thead .number")] == ["customers", "share", "spend"]
    assert len(table.select("tbody .number")) == 6


@pytest.mark.parametrize("text", ["1,234.5", "−3", "+.5", "12 %", "€ 7", "1e-3", "3\u00a0000"])
def test_what_is_a_number(text):
    assert finished(f"<table><thead><tr><th>x</th></tr></thead><tbody><tr><td>{text}</td></tr></tbody></table>").td[
        "class"
    ]


@pytest.mark.parametrize("text", ["2017-01-01", "12 days", "1–2", "٣", "", "nan", "1,2,x"])
def test_what_is_no_number(text):
    table = finished(f"<table><thead><tr><th>x</th></tr></thead><tbody><tr><td>{text}</td></tr></tbody></table>")
    assert not table.select(".number")


def test_tables_of_data_sort_and_others_do_not():
    assert "sortable" in finished(SEGMENTS.to_html(classes="sortable"))["class"].split()
    assert "sortable" in finished(SEGMENTS.to_html())["class"].split()
    assert "sortable" not in finished("<table><tbody><tr><td>1</td></tr></tbody></table>")["class"].split()


def test_a_table_with_spans_does_not_sort():
    nested = SEGMENTS.set_index("word", append=True).to_html(classes="sortable")
    wide = pd.concat({"year": SEGMENTS}, axis=1).to_html()
    ragged = (
        "<table class='sortable'><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
    )
    assert not any("sortable" in finished(html)["class"].split() for html in (wide, ragged))
    assert "sortable" in finished(nested)["class"].split()  # distinct pairs: pandas writes no spans here


def test_a_table_scrolls_in_a_box_with_its_caption_for_a_name():
    box = finished("<table><caption>Who <b>they</b> are</caption><tbody><tr><td>1</td></tr></tbody></table>").parent
    assert (*box["class"], box["tabindex"], box["aria-label"]) == ("scroll", "0", "Who they are")


def test_headings_without_words_still_get_an_anchor():
    headings = outline(BeautifulSoup("<h2>???</h2><h2>–</h2><h2>客户</h2>", "html.parser"))
    assert [heading.anchor for heading in headings] == ["section", "section-2", "客户"]


def test_code_joins_the_next_cell_only_when_nothing_stands_between():
    code = "<div class='cell'><details class='code'><summary>Code</summary><div class='highlight'>{}</div></details>{}</div>"
    shows = "<div class='outputs'>x</div>"
    cells = BeautifulSoup(
        code.format(1, "")
        + code.format(2, "")
        + code.format(3, shows)
        + code.format(4, "")
        + "<p>text</p>"
        + code.format(5, shows),
        "html.parser",
    )
    gather_code(cells)
    assert [[block.get_text() for block in cell.select(".highlight")] for cell in cells.select(".cell")] == [
        ["1", "2", "3"], ["4"], ["5"],
    ]  # fmt: skip


def test_long_numbers_get_separators_unless_they_are_names() -> None:
    cells = BeautifulSoup(
        "<table class='sortable'><thead><tr><th>rows</th><th>case id</th><th>amount</th></tr></thead>"
        "<tbody><tr><td>502938</td><td>10045</td><td>-50836955.50</td></tr>"
        "<tr><td>9999</td><td>10046</td><td>0.12345</td></tr></tbody></table>",
        "html.parser",
    )
    finish_tables(cells)
    assert [cell.text for cell in cells.find_all("td")] == [
        "502,938", "10045", "-50,836,955.50", "9999", "10046", "0.12345",
    ]  # fmt: skip
