"""Tests of the page that an executed notebook becomes."""

import base64
import hashlib
from dataclasses import replace
from datetime import date

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crm_analysis.reporting.html import ReportFacts, day_text, export_html

ATTACK = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
RECORD = "application/vnd.crm-analysis.record+json"
FACTS = ReportFacts(
    identifier="segmentation",
    dataset="complete_journey",
    first_day=date(2017, 1, 1),
    as_of=date(2017, 12, 31),
    currency="USD",
    parameters={"history_days": 365, "where": None, "out": "somewhere/else"},
)


def shown(**data):
    """Return an output with these data, ``text_html`` being ``text/html``."""
    return new_output("display_data", data={name.replace("_", "/"): value for name, value in data.items()})


def failed(message="too few"):
    """Return the output of a failing cell."""
    return new_output(
        "error", ename="TooFewRecordsError", evalue=message, traceback=[f"\x1b[31mTraceback\x1b[0m {message}"]
    )


def notebook(*outputs, title="# Segments", cells=()):
    """Return a notebook with a title, one cell that shows outputs, and other cells."""
    return new_notebook(cells=[new_markdown_cell(title), new_code_cell("show()", outputs=list(outputs)), *cells])


@pytest.fixture
def exported(tmp_path):
    """Return a function that exports a notebook and parses the page."""

    def export(made, facts=FACTS):
        export_html(made, tmp_path / "report.html", facts=facts)
        return BeautifulSoup((tmp_path / "report.html").read_text(encoding="utf-8"), "html.parser")

    return export


def test_the_title_is_the_notebooks_and_stands_once(exported):
    page = exported(
        notebook(title="# Who our customers are\n\n**Question.** Who?", cells=[new_markdown_cell("# Another")])
    )
    assert [title.get_text() for title in page.find_all("h1")] == ["Who our customers are"]
    assert page.title.get_text() == "Who our customers are · complete_journey"
    assert page.html["lang"] == "en"


def test_a_notebook_without_title_has_its_identifier_for_one(exported):
    assert exported(notebook(title="Only text.")).h1.get_text() == "segmentation"


def test_header_names_data_period_currency_and_notes(exported):
    page = exported(notebook(), replace(FACTS, notes=("Simulated data.", "Synthetic cases.")))
    header = " ".join(page.header.get_text(" ").split())
    assert "complete_journey · 1 January 2017 – 31 December 2017 · amounts in USD" in header
    assert "Simulated data. Synthetic cases." in header


def test_parameters_show_null_as_a_dash_and_leave_out_the_folder(exported):
    rows = {row.dt.get_text(): row.dd.get_text() for row in exported(notebook()).select("header dl.facts > div")}
    assert rows == {"history_days": "365", "where": "–"}


def test_every_entry_of_the_contents_leads_to_a_heading(exported):
    headings = ["## Reading", "### Detail", "## Reading", "## What's *next*?", "## Main", "##### Deep"]
    page = exported(notebook(cells=[new_markdown_cell("\n\n".join(headings))]))
    anchors = [link["href"].removeprefix("#") for link in page.select("nav a")]
    assert anchors == ["reading", "detail", "reading-2", "what-s-next", "main-2", "deep"]
    assert [page.find(id=anchor).name for anchor in anchors] == ["h2", "h3", "h2", "h2", "h2", "h3"]


def test_no_id_stands_twice(exported):
    cells = [
        new_markdown_cell("## Parameters\n\n## Parameters"),
        new_code_cell("1"),
        new_code_cell("2", outputs=[failed()]),
    ]
    ids = [tag["id"] for tag in exported(notebook(cells=cells)).find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_all_code_is_there_and_hidden(exported):
    cells = [
        new_code_cell("first = 1"),
        new_code_cell("second = 2"),
        new_code_cell("third = '<b>'", outputs=[failed()]),
    ]
    page = exported(notebook(cells=[new_markdown_cell("## Next"), *cells]))
    assert [code.get_text().strip() for code in page.select("details.code .highlight")] == [
        "show()", "first = 1", "second = 2", "third = '<b>'",
    ]  # fmt: skip
    assert not page.select("details[open]")
    assert len(page.select("details.code")) == 2  # cells that show nothing share the toggle of the next


def test_a_page_asks_for_nothing_and_allows_only_its_own_script(exported):
    page = exported(notebook(shown(text_html="<p>x</p>")))
    assert not page.select("script[src], link:not([href='data:,']), img[src^=http]")
    (script,) = page.find_all("script")
    digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_text_streams_and_errors_are_escaped(exported):
    outputs = [
        shown(text_plain=ATTACK),
        new_output("stream", name="stdout", text=ATTACK),
        new_output("stream", name="stderr", text=f"\x1b[31m{ATTACK}\x1b[0m"),
        failed(ATTACK),
    ]
    main = exported(notebook(*outputs)).main
    assert not main.select("script, img")
    assert main.get_text().count(ATTACK) == 5  # the error's message stands in its traceback too
    assert "\x1b" not in main.get_text()


def test_facts_are_escaped(exported):
    facts = ReportFacts(
        identifier=ATTACK, dataset=ATTACK, currency=ATTACK, notes=(ATTACK,), parameters={ATTACK: {ATTACK: [ATTACK]}}
    )
    page = exported(notebook(title="No heading."), facts)
    assert len(page.find_all("script")) == 1
    assert not page.find_all("img")
    assert page.h1.get_text() == ATTACK


def test_a_title_with_markup_is_shown_as_text(exported):
    page = exported(notebook(title=f"# Segments {ATTACK} & `more`"))
    assert page.h1.get_text() == "Segments & more"
    assert len(page.find_all("script")) == 1


@pytest.mark.parametrize(
    "dangerous",
    [
        "<script>window.hacked = 1</script>",
        "<img src=x onerror='window.hacked = 1'>",
        "<img src='https://example.org/pixel.png'>",
        "<a href='java\tscript:window.hacked = 1'>x</a>",
        "<a href=' JavaScript:window.hacked = 1'>x</a>",
        "<a href='data:text/html,<script>1</script>'>x</a>",
        "<iframe srcdoc='x'></iframe>",
        "<form action='https://example.org'></form>",
        "<style>@import 'https://example.org'</style>",
        "<meta http-equiv='refresh' content='0;url=https://example.org'>",
    ],
)
def test_html_outputs_are_disarmed(exported, dangerous):
    (html,) = exported(notebook(shown(text_html=f"<p>kept</p>{dangerous}"))).select(".html")
    assert html.p.get_text() == "kept"
    rest = str(html).lower()
    assert not any(
        word in rest
        for word in ("<script", "script:", "hacked", "https:", "<iframe", "<form", "<style", "<meta", "onerror")
    )


@pytest.mark.parametrize("kind", ["text/markdown", "text/latex", "application/javascript", "image/svg+xml"])
def test_other_kinds_of_output_fall_back_to_plain_text(exported, kind):
    both = exported(notebook(new_output("display_data", data={kind: ATTACK, "text/plain": "plain <b>"})))
    assert both.select_one(".outputs").get_text() == "plain <b>"
    alone = exported(notebook(new_output("display_data", data={kind: ATTACK})))
    assert alone.select_one(".outputs").get_text() == ""


def test_a_picture_has_the_alternative_text_of_its_figure(exported):
    described = new_output(
        "display_data", data={"image/png": "aGk="}, metadata={"image/png": {"alt": 'Two "groups" <b>'}}
    )
    bare = new_output("display_data", data={"image/png": "aGk="})
    first, second = exported(notebook(described, bare)).find_all("img")
    assert first["alt"] == 'Two "groups" <b>'
    assert first["src"] == "data:image/png;base64,aGk="
    assert second["alt"] == "A figure without a description."


def test_recorded_results_stand_together(exported):
    outputs = [
        new_output("display_data", data={RECORD: {"name": name, "value": value}, "text/plain": f"{name} = {value}"})
        for name, value in [("n_segments", 4), ("algorithm", "a = <b>")]
    ]
    (records,) = exported(notebook(outputs[0], shown(text_plain="between"), outputs[1])).select("dl.records")
    assert [tag.get_text() for tag in records.find_all(["dt", "dd"])] == ["n_segments", "4", "algorithm", "a = <b>"]


def test_a_failure_is_announced_linked_and_told(exported):
    mark = new_markdown_cell(
        "<span style='color:red'>An Exception</span>", metadata={"tags": ["papermill-error-cell-tag"]}
    )
    made = notebook(cells=[mark, new_code_cell("fit()", outputs=[failed("None of 12 cases is due.")])])
    page = exported(made, replace(FACTS, status="failed"))
    assert "An Exception" not in page.get_text()
    assert page.select_one("header .failed a")["href"] == "#failure"
    assert "TooFewRecordsError: None of 12 cases is due." in page.find(id="failure").get_text()


def test_a_failure_before_the_first_cell_is_announced_too(exported):
    header = exported(notebook(), replace(FACTS, status="failed")).header
    assert "This report failed" in header.get_text()
    assert not header.select(".failed a")


def test_the_notebook_is_not_changed(exported):
    made = notebook(shown(text_html=ATTACK), failed())
    before = nbformat.writes(made)
    exported(made)
    assert nbformat.writes(made) == before


def test_the_same_notebook_gives_the_same_file(tmp_path):
    made = notebook(shown(text_html="<table><tr><td>1</td></tr></table>"))
    for name in ("first", "second"):
        export_html(made, tmp_path / name, facts=FACTS)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert len((tmp_path / "first").read_bytes()) < 40_000


def test_characters_that_no_file_can_hold_do_not_stop_a_page(exported):
    assert "lone ? half" in exported(notebook(shown(text_plain="lone \ud800 half"))).main.get_text()


def test_an_empty_notebook_has_a_page(exported):
    assert exported(new_notebook()).h1.get_text() == "segmentation"


@pytest.mark.parametrize(("day", "text"), [(None, "–"), ("soon", "soon"), (date(2017, 2, 1), "1 February 2017")])
def test_days_are_written_out(day, text):
    assert day_text(day) == text
