"""Claims about what a notebook hands on."""

from __future__ import annotations

from datetime import date
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from crm_analysis.reporting import records
from crm_analysis.reporting.records import RECORD, record, recorded, say, show_table, show_text


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
        (172.29627781790808, 172.2962778),
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


def test_a_text_to_copy_is_escaped_and_keeps_its_lines(shown: list[dict[str, Any]]) -> None:
    show_text("CASE WHEN a < 1\n  THEN 'x' END", caption="SQL & more")
    assert "<pre><code>CASE WHEN a &lt; 1\n  THEN &#x27;x&#x27; END</code></pre>" in shown[0]["text/html"]
    assert "<summary>SQL &amp; more</summary>" in shown[0]["text/html"]
    assert shown[0]["text/plain"] == "CASE WHEN a < 1\n  THEN 'x' END"


def test_an_empty_sentence_shows_nothing(shown: list[dict[str, Any]]) -> None:
    say(" ")
    assert shown == []
