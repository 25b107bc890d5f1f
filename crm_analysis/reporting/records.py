"""
What a notebook hands on: results to the manifest, sentences and tables to the reader, lists to the next system.

How results get from an executed notebook into the manifest belongs in :mod:`crm_analysis.reporting.run`.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from datetime import date
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import nbformat
import pandas as pd
from IPython.display import display

from crm_analysis.errors import ParamsError
from crm_analysis.reporting.params import ReportParams
from crm_analysis.tables.datasets import Dataset

RECORD = "application/vnd.crm-analysis.record+json"
Value = str | int | float | bool | None

_LIVE_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")


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
        A number, a word, a flag, a day or None; what is not finite becomes null.
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
        Plain text.
    warning : bool
        Whether it is something to beware of.
    """
    kind = "warning" if warning else "finding"
    display({"text/html": f'<p class="{kind}">{html.escape(sentence)}</p>', "text/plain": sentence}, raw=True)


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
    flat = flat.rename(columns=lambda name: str(name).replace("_", " "))
    body = flat.to_html(index=False, escape=True, border=0, classes="sortable", na_rep="–")
    captioned = body.replace("<thead>", f"<caption>{html.escape(caption)}</caption>\n  <thead>", 1)
    display({"text/html": captioned, "text/plain": flat.to_string(index=False, na_rep="–")}, raw=True)


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
        {"text/html": f'<div class="provenance">{paragraphs}</div>', "text/plain": "\n".join(lines)},
        raw=True,
    )


def save_table(table: pd.DataFrame, name: str, params: ReportParams) -> None:
    """
    Write a list that a person or a system acts on, as CSV and Parquet; nothing when ``params.out`` is null.

    Parameters
    ----------
    table : pandas.DataFrame
        A named index becomes columns.
    name : str
        The file's stem; a filter (``where``) is added as in a report's identifier.
    params : ReportParams
        Where to write, and for which customers.

    Raises
    ------
    ParamsError
        The folder cannot be written.

    Notes
    -----
    In the CSV, text that a spreadsheet would run as a formula gets an apostrophe in front; the Parquet file keeps it as it is.
    """
    if params.out is None:
        return
    flat = table.reset_index() if any(index is not None for index in table.index.names) else table
    stem = Path(params.out) / "tables" / file_stem(name, params.where)
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        flat.to_parquet(stem.with_name(stem.name + ".parquet"), index=False)
        neutralised(flat).to_csv(stem.with_name(stem.name + ".csv"), index=False)
    except OSError as error:
        raise ParamsError(f"out: {params.out} cannot be written ({error.strerror}). Choose another folder.") from error


def file_stem(name: str, where: Any = None) -> str:
    """
    Return the stem of a file for a report or a table, for one value of a filter.

    Parameters
    ----------
    name : str
        Of the report or the table.
    where : mapping, optional
        Customer attribute to value.

    Returns
    -------
    str
        Safe on any file system: what is not is percent-encoded.

    Examples
    --------
    >>> file_stem("segments", {"region": "a/b"})
    'segments@region=a%2Fb'
    """
    parts = "".join(f"@{attribute}={value}" for attribute, value in (where or {}).items())
    return quote(name + parts, safe="@= ").replace(" ", "%20")


def neutralised(table: pd.DataFrame) -> pd.DataFrame:
    """
    Return a table whose texts no spreadsheet runs as formulas.

    Parameters
    ----------
    table : pandas.DataFrame
        Any.

    Returns
    -------
    pandas.DataFrame
        Texts that begin like a formula (but are no number) have an apostrophe in front; column names too.

    Examples
    --------
    >>> neutralised(pd.DataFrame({"name": ["=1+1", "Ann", "-5"]}))["name"].tolist()
    ["'=1+1", 'Ann', '-5']
    """
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]) and not pd.api.types.is_datetime64_any_dtype(safe[column]):
            safe[column] = safe[column].map(_inert)
    return safe.rename(columns=_inert)


def _inert(value: Any) -> Any:
    live = isinstance(value, str) and value.startswith(_LIVE_IN_A_SPREADSHEET) and not _NUMBER.fullmatch(value)
    return f"'{value}" if live else value


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
        return float(value) if math.isfinite(value) else None
    raise TypeError(f"a result is a number, a word, a flag, a day or None, got {type(value).__name__}")


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    return "–" if value is None else str(value)
