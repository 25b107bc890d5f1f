"""
What a notebook hands on: results to the manifest, sentences and tables to the reader.

How results get from an executed notebook into the manifest belongs in :mod:`crm_analysis.reporting.run`; what it leaves as files, in
:mod:`crm_analysis.reporting.files`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from datetime import date
from numbers import Integral, Real
from typing import TYPE_CHECKING, Protocol

import pandas as pd
from IPython.display import display

from crm_analysis.tables.datasets import Dataset

if TYPE_CHECKING:
    import nbformat  # takes seconds to load, which no kernel needs

RECORD = "application/vnd.crm-analysis.record+json"
Value = str | int | float | bool | None

_DIGITS = 10  # significant ones of a result; further ones differ between processors
_PLAIN = "mathjax_ignore"  # JupyterLab would set $…$ in values as formulas


class SupportsItem(Protocol):
    """A numpy scalar."""

    def item(self) -> Value:
        """Return it as a plain number."""


def record(name: str, value: object) -> None:
    """
    Hand one result to the manifest, and show it.

    Parameters
    ----------
    name : str
        As the table in the design lists it, such as ``n_segments`` or ``share.loyal``.
    value : object
        A number (ten significant digits are kept), a word, a flag, a day or None; what is not finite becomes null.
    """
    plain = _plain(value)
    display({RECORD: {"name": name, "value": plain}, "text/plain": f"{name} = {_shown(plain)}"}, raw=True)


def record_all(results: Mapping[str, object]) -> None:
    """
    Hand several results to the manifest, and show them.

    Parameters
    ----------
    results : mapping
        Name to value, as :func:`record` takes them.
    """
    for name, value in results.items():
        record(name, value)


def recorded(notebook: nbformat.NotebookNode) -> dict[str, Value]:
    """
    Return the results that an executed notebook recorded.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        With its outputs.

    Returns
    -------
    dict
        Name to value, in the order recorded; a later record of the same name replaces an earlier one.
    """
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    records = (output["data"][RECORD] for output in outputs if RECORD in output.get("data", {}))
    return {str(one["name"]): one["value"] for one in records}


def say(sentence: str, *, warning: bool = False) -> None:
    """
    Show a computed sentence as a paragraph; what it took from data is escaped.

    Parameters
    ----------
    sentence : str
        Plain text; nothing is shown for an empty one.
    warning : bool
        Whether it is something to beware of.
    """
    if not sentence.strip():
        return
    kind = "warning" if warning else "finding"
    display({"text/html": f'<p class="{kind} {_PLAIN}">{html.escape(sentence)}</p>', "text/plain": sentence}, raw=True)


def show_table(table: pd.DataFrame, *, caption: str) -> None:
    """
    Show a table that sorts, with its caption; every value is escaped.

    Parameters
    ----------
    table : pandas.DataFrame
        Already rounded; a named index becomes columns.
    caption : str
        What it shows, with units.
    """
    flat = table.reset_index() if any(name is not None for name in table.index.names) else table
    flat = flat.assign(
        **{str(name): flat[name].dt.strftime("%Y-%m-%d %H:%M") for name in flat.select_dtypes("datetime")}
    )
    flat = _with_dashes(flat).rename(columns=lambda name: str(name).replace("_", " "))
    body = flat.to_html(index=False, escape=True, border=0, classes=f"sortable {_PLAIN}", na_rep="–")
    captioned = body.replace("<thead>", f"<caption>{html.escape(caption)}</caption>\n  <thead>", 1)
    plain = flat.to_string(index=False, na_rep="–") if len(flat) else f"{caption}: no rows"
    display({"text/html": captioned, "text/plain": plain}, raw=True)


def show_text(text: str, *, caption: str) -> None:
    """
    Show a text that is copied rather than read, such as SQL, behind a click on its caption.

    Parameters
    ----------
    text : str
        Escaped; lines stay as they are.
    caption : str
        What it is.
    """
    inside = f"<summary>{html.escape(caption)}</summary><pre><code>{html.escape(text)}</code></pre>"
    display({"text/html": f'<details class="text {_PLAIN}">{inside}</details>', "text/plain": text}, raw=True)


def show_provenance(dataset: Dataset, as_of: date) -> None:
    """
    Show which data a report rests on: name, period, currency, and what must be known about them.

    Parameters
    ----------
    dataset : Dataset
        The data.
    as_of : datetime.date
        The last day known.
    """
    first = f"Data: {dataset.name}, {dataset.first_day} to {as_of}, money in {dataset.currency}."
    lines = [first, *dataset.notes]
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    display(
        {"text/html": f'<div class="provenance {_PLAIN}">{paragraphs}</div>', "text/plain": "\n".join(lines)},
        raw=True,
    )


def _with_dashes(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a dash for what is missing in columns of nullable types, where pandas writes a sign of its own."""
    shown = table.copy()
    for position, dtype in enumerate(table.dtypes):
        column = table.iloc[:, position]
        if getattr(dtype, "na_value", None) is pd.NA and column.isna().any():
            shown.isetitem(position, column.astype(object).where(column.notna(), "–").array)
    return shown


def _plain(value: object) -> Value:
    """Return a value as JSON holds it."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, bool | str):
        return value
    if isinstance(value, date):
        return value.isoformat()[:10]
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    raise TypeError(f"a result is a number, a word, a flag, a day or None, got {type(value).__name__}")


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    return "–" if value is None else str(value)
