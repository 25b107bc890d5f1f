"""Tests of the page about a whole run."""

from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from crm_analysis.reporting.index import write_index

ATTACK = "<script>window.hacked = 1</script>"
SLASHED = "segmentation@region=a/b"


def report(status="ok", **given):
    """Return a report's part of a manifest."""
    return {"status": status, "parameters": {}, "seconds": 2.5, "results": {}, "error": None} | given


def manifest(reports, **given):
    """Return the manifest of a run with these reports."""
    run = {
        "suite": "demo",
        "as_of": "2017-12-31",
        "status": "ok",
        "started_at": "2026-11-23T02:45:11+00:00",
        "seconds": 73.4,
        "git_commit": "0123456789abcdef",
        "versions": {"pandas": "3.1.1"},
        "dataset": {"name": "complete_journey", "digest": "8f1e", "rows": {"customers": 2469, "contacts": None}},
        "reports": reports,
    }
    return run | given


@pytest.fixture
def page(tmp_path):
    """Return a function that writes the page, beside some files, and parses it."""

    def write(made, files=(), **given):
        for name in files:
            (tmp_path / name).touch()
        write_index(made, tmp_path / "index.html", **given)
        return BeautifulSoup((tmp_path / "index.html").read_text(encoding="utf-8"), "html.parser")

    return write


def words(tag):
    """Return a tag's text on one line."""
    return " ".join(tag.get_text(" ").split())


def test_the_run_is_told_in_words(page):
    header = words(page(manifest({"segmentation": report(), "forecasting": report()})).header)
    for part in ("complete_journey", "31 December 2017", "2 reports. Finished.", "1 min 13 s", "2026-11-23 02:45 UTC"):
        assert part in header


def test_a_name_with_a_percent_sign_is_quoted_once_more(page, tmp_path):
    stem = "segmentation@region=a%2Fb"
    made = page(manifest({SLASHED: report()}), files=(f"{stem}.html", f"{stem}.ipynb"))
    addresses = {link["href"] for link in made.select(".card a")}
    assert addresses == {"segmentation@region=a%252Fb.html", "segmentation@region=a%252Fb.ipynb"}
    assert all((tmp_path / unquote(address)).exists() for address in addresses)
    assert "region = a/b" in words(made.select_one(".card"))


def test_only_what_exists_is_linked(page):
    card = page(manifest({"segmentation": report("failed")}), files=("segmentation.ipynb",)).select_one(".card")
    assert [link["href"] for link in card.find_all("a")] == ["segmentation.ipynb"]


def test_a_failed_report_says_what_failed_and_where(page):
    error = {"type": "TooFewRecordsError", "message": f"None of 12 cases {ATTACK}", "cell": "fit-forest"}
    made = page(manifest({"a": report(), "b": report("failed", error=error)}, status="failed"))
    assert "1 of 2 reports failed. The others are complete." in words(made.header)
    assert words(made.select(".card")[1].select_one(".failure")) == (
        f"TooFewRecordsError : None of 12 cases {ATTACK} In cell fit-forest of the notebook."
    )
    assert "Failed" in words(made.select(".card .status")[1])


def test_an_error_without_a_cell_names_none(page):
    error = {"type": "DeadKernelError", "message": "died"}
    made = page(manifest({"a": report("failed", error=error)}, status="failed"))
    assert "1 of 1 report failed." in words(made.header)
    assert "In cell" not in words(made.main)


def test_results_are_all_there_the_first_in_sight(page):
    results = {"n_customers": 2469, "spend_bias": -0.0341, "algorithm": "k_means", "share.loyal": None}
    results |= {f"share.segment_{number}": 0.1 for number in range(9)}
    card = page(manifest({"segmentation": report(results=results)})).select_one(".card")
    seen, more = ({words(row.th): words(row.td) for row in table.select("tr")} for table in card.find_all("table"))
    assert list(seen.items())[:4] == [
        ("Number of customers", "2,469"), ("Spend bias", "−0.034"), ("Algorithm", "k_means"), ("Share: loyal", "–"),
    ]  # fmt: skip
    assert (len(seen), len(more)) == (8, 5)
    assert {row["title"] for row in card.select("th")} == set(results)


def test_tables_are_counted_and_files_linked_with_their_size(page):
    made = page(manifest({}), written={"tables/segments@region=a%2Fb.csv": 123_456, "tables/list.parquet": 10})
    data, files = made.find_all("table")
    assert [words(row) for row in data.select("tbody tr")] == ["customers 2,469", "contacts –"]
    assert [words(row) for row in files.select("tbody tr")] == [
        "tables/list.parquet 0.1",
        "tables/segments@region=a%2Fb.csv 123.5",
    ]
    assert files.find_all("a")[1]["href"] == "tables/segments@region=a%252Fb.csv"


def test_earlier_runs_are_linked(page):
    (link,) = page(manifest({}), earlier=["2017-09-30"]).select(".earlier a")
    assert link["href"] == "../2017-09-30/index.html"


def test_everything_is_escaped(page):
    made = page(
        manifest(
            {ATTACK: report(ATTACK, results={ATTACK: ATTACK}, error={"type": ATTACK, "message": ATTACK, "cell": ATTACK})},
            suite=ATTACK, status=ATTACK, versions={ATTACK: ATTACK}, dataset={"name": ATTACK, "digest": ATTACK, "rows": {ATTACK: 1}},
        ),
        written={f"tables/{ATTACK}": 1}, earlier=[ATTACK],
    )  # fmt: skip
    assert len(made.find_all("script")) == 1


def test_a_manifest_with_holes_still_has_a_page(page):
    bare = {"status": "running", "results": None}
    made = page(
        {"suite": "demo", "as_of": "2017-12-31", "status": "running", "dataset": {"name": "x"}, "reports": {"a": bare}}
    )
    assert words(made.select_one(".card .status")) == "• running · –"
