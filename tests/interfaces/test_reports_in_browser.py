"""Tests of pages in a real browser, on small notebooks made by hand."""

from datetime import date

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crm_analysis.reporting.html import ReportFacts, export_html
from crm_analysis.reporting.index import write_index

ATTACK = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'><a href='javascript:window.hacked = 1'>x</a>"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
TABLE = """<table class="sortable"><caption>Segments</caption>
<thead><tr><th>segment</th><th>spend</th><th>share</th></tr></thead><tbody>
<tr><th>Loyal</th><td>1,204.50</td><td>9 %</td></tr>
<tr><th>Lapsed</th><td>–</td><td>41 %</td></tr>
<tr><th>New</th><td>−12</td><td>50 %</td></tr>
<tr><th>Big</th><td>310</td><td>nan</td></tr>
</tbody></table>"""


def shown(kind, content, **details):
    """Return an output of one kind."""
    return new_output("display_data", data={kind: content}, metadata={kind: details})


def notebook(*outputs, title="# Segments"):
    """Return a notebook with two headings and two cells of code, the second of which shows outputs."""
    first, second = (
        new_code_cell("one = 1", outputs=[shown("text/plain", "1")]),
        new_code_cell("two", outputs=list(outputs)),
    )
    return new_notebook(cells=[new_markdown_cell(title), first, new_markdown_cell("## Groups\n\n### Why"), second])


@pytest.fixture
def report(tmp_path):
    """Return a function that exports a notebook and returns its file."""

    def export(*outputs, title="# Segments", status="ok", text="365"):
        parameters = {"history_days": text, "where": None}
        facts = ReportFacts(
            identifier="segmentation",
            dataset=f"data {text}",
            as_of=date(2017, 12, 31),
            parameters=parameters,
            status=status,
        )
        path = tmp_path / "segmentation@region=a%2Fb.html"
        export_html(notebook(*outputs, title=title), path, facts=facts)
        return path

    return export


def everything():
    """Return one output of each kind."""
    wide = "".join(f"<td>{number}</td>" for number in range(100))
    return [
        shown("text/html", "<p class='finding'>Three groups.</p>"),
        shown(
            "text/html",
            f"<div class='provenance'><p>Data</p></div><p class='note'>A</p><p class='warning'>B</p>{TABLE}",
        ),
        shown(
            "text/html",
            f"<table class='dataframe'><thead><tr>{'<th></th>' * 100}</tr></thead><tbody><tr>{wide}</tr></tbody></table>",
        ),
        shown("image/png", PIXEL, alt="One grey point."),
        shown("image/png", PIXEL),
        shown("text/plain", "plain"),
        new_output(
            "display_data", data={"application/vnd.crm-analysis.record+json": {}, "text/plain": "n_segments = 3"}
        ),
        new_output("stream", name="stdout", text="said"),
        new_output("stream", name="stderr", text="warned"),
        new_output("error", ename="ModelError", evalue="no", traceback=["\x1b[31mline\x1b[0m"]),
    ]


def column(page, number):
    """Return the texts of a column of the sortable table, from the top."""
    return page.locator(f"table.sortable tbody tr > :nth-child({number})").all_inner_texts()


def test_a_report_asks_for_nothing_and_complains_of_nothing(open_page, report):
    opened = open_page(report(*everything(), status="failed"))
    assert opened.requests == []
    assert opened.complaints == []


def test_nothing_hostile_runs(open_page, report):
    outputs = [
        *(shown(kind, ATTACK) for kind in ("text/html", "text/plain", "text/markdown", "text/latex", "image/svg+xml")),
        shown("application/javascript", "window.hacked = 1"),
        shown("text/html", TABLE.replace("Loyal", ATTACK)),
        shown("image/png", PIXEL, alt=f'"{ATTACK}'),
        new_output("stream", name="stdout", text=ATTACK),
        new_output("error", ename=ATTACK, evalue=ATTACK, traceback=[ATTACK]),
    ]
    opened = open_page(report(*outputs, title=f"# Title {ATTACK}", text=ATTACK, status="failed"))
    for button in opened.page.locator("button").all():
        button.click()
    assert opened.page.evaluate("window.hacked") is None
    assert opened.requests == []
    assert opened.complaints == []


def test_the_policy_stops_what_slipped_in(open_page, report):
    path = report()
    smuggled = f"{ATTACK}<img src='https://example.org/pixel.png' alt=''>"
    path.write_text(path.read_text(encoding="utf-8").replace("</main>", f"{smuggled}</main>"), encoding="utf-8")
    opened = open_page(path)
    assert opened.page.evaluate("window.hacked") is None
    assert len(opened.requests) == 2
    assert sorted(opened.refused) == sorted(opened.requests)
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


def test_code_is_hidden_until_asked_for(open_page, report):
    page = open_page(report()).page
    code, button = page.locator("details.code .highlight"), page.get_by_role("button", name="Show all code")
    assert [block.is_visible() for block in code.all()] == [False, False]
    page.locator("details.code summary").first.click()
    assert [block.is_visible() for block in code.all()] == [True, False]
    button.click()
    assert [block.is_visible() for block in code.all()] == [True, True]
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert [block.is_visible() for block in code.all()] == [False, False]


def test_the_keyboard_reaches_the_content_and_the_code(open_page, report):
    page = open_page(report()).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("details.code").first.evaluate("details => details.open")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "toggle-code"
    page.keyboard.press("Space")
    assert page.locator("details.code[open]").count() == 2


@pytest.mark.parametrize(
    ("header", "number", "ascending", "descending"),
    [
        ("segment", 1, ["Big", "Lapsed", "Loyal", "New"], ["New", "Loyal", "Lapsed", "Big"]),
        ("spend", 2, ["−12", "310", "1,204.50", "–"], ["1,204.50", "310", "−12", "–"]),
        ("share", 3, ["9 %", "41 %", "50 %", "nan"], ["50 %", "41 %", "9 %", "nan"]),
    ],
)
def test_tables_sort_by_click_with_what_is_missing_last(open_page, report, header, number, ascending, descending):
    page = open_page(report(shown("text/html", TABLE))).page
    button = page.get_by_role("button", name=header)
    button.click()
    assert column(page, number) == ascending
    assert page.locator("th[aria-sort]").evaluate_all("cells => cells.map(cell => cell.ariaSort)") == ["ascending"]
    button.click()
    assert column(page, number) == descending
    assert page.locator("th[aria-sort]").evaluate_all("cells => cells.map(cell => cell.ariaSort)") == ["descending"]


def test_tables_sort_by_keyboard_and_keep_rows_together(open_page, report):
    page = open_page(report(shown("text/html", TABLE))).page
    page.get_by_role("button", name="segment").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("table.sortable tbody tr").all_inner_texts() == [
        "New\t−12\t50 %", "Big\t310\tnan", "Loyal\t1,204.50\t9 %", "Lapsed\t–\t41 %",
    ]  # fmt: skip


def test_the_contents_lead_to_their_headings(open_page, report):
    page = open_page(report()).page
    page.get_by_role("navigation").get_by_text("Why").click()
    assert page.evaluate("document.querySelector(':target').textContent") == "Why"


def test_every_picture_has_words(open_page, report):
    pictures = open_page(report(*everything())).page.locator("img").all()
    assert len(pictures) == 2
    assert all((picture.get_attribute("alt") or "").strip() for picture in pictures)


@pytest.mark.parametrize("width", [1280, 360])
def test_only_tables_scroll_sideways(open_page, report, width):
    page = open_page(report(*everything(), text="long" * 60), width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".scroll").last.evaluate("box => box.scrollWidth > box.clientWidth && box.tabIndex === 0")


def test_a_report_is_accessible(open_page, report, accessibility_faults):
    page = open_page(report(*everything(), status="failed")).page
    page.get_by_role("button", name="share").click()
    assert accessibility_faults(page) == []


def test_the_index_is_quiet_accessible_and_leads_to_the_report(open_page, report, accessibility_faults):
    path = report()
    error = {"type": "ModelError", "message": ATTACK, "cell": "fit"}
    good = {"status": "ok", "seconds": 1.0, "results": {f"n_{number}": number for number in range(12)}, "error": None}
    manifest = {
        "suite": "demo",
        "as_of": "2017-12-31",
        "status": "failed",
        "dataset": {"name": "complete_journey", "rows": {"customers": 2469, "transactions": 100}},
        "versions": {"pandas": "3.1.1"},
        "reports": {"segmentation@region=a/b": good, "forecasting": good | {"status": "failed", "error": error}},
    }
    write_index(manifest, path.parent / "index.html", written={"tables/a.csv": 10}, earlier=["2017-09-30"])
    opened = open_page(path.parent / "index.html", width=360)
    assert (opened.requests, opened.complaints) == ([], [])
    assert accessibility_faults(opened.page) == []
    opened.page.get_by_role("link", name="Read the report").click()
    assert opened.page.get_by_role("heading", level=1).inner_text() == "Segments"
    assert opened.page.evaluate("window.hacked") is None
