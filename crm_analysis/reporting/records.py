"""
What a notebook hands on: results to the manifest, sentences and tables to the reader, lists to the next system.

How results get from an executed notebook into the manifest belongs in :mod:`crm_analysis.reporting.run`.
"""

from __future__ import annotations

import csv
import html
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import pandas as pd
from IPython.display import display

from crm_analysis.errors import ParamsError
from crm_analysis.reporting.params import ReportParams
from crm_analysis.tables.datasets import Dataset

if TYPE_CHECKING:
    import nbformat  # takes seconds to load, which no kernel needs

RECORD = "application/vnd.crm-analysis.record+json"
Value = str | int | float | bool | None

_STARTS_A_FORMULA = ("=", "+", "-", "@")
_BREAKS_A_CELL = ("\t", "\r", "\n")
_NOT_SEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")  # controls, marks without width, spaces: a spreadsheet may pass over them
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")
_PLAIN = "mathjax_ignore"  # JupyterLab would set $…$ in values as formulas


class SupportsItem(Protocol):
    """A numpy scalar."""

    def item(self) -> Value:
        """Return it as a plain number."""


class TellsIds(Protocol):
    """Whoever can tell the clear ids of pseudonyms: a dataset."""

    def clear_ids(self, ids: pd.Series) -> pd.Series:
        """
        Return the ids as they are in the source.

        Parameters
        ----------
        ids : pandas.Series
            As the dataset shows them.
        """


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
        {"text/html": f'<div class="provenance {_PLAIN}">{paragraphs}</div>', "text/plain": "\n".join(lines)},
        raw=True,
    )


def save_table(table: pd.DataFrame, name: str, params: ReportParams, source: TellsIds | None = None) -> None:
    """
    Write a list that a person or a system acts on, as CSV and Parquet; nothing when ``params.out`` is null.

    Parameters
    ----------
    table : pandas.DataFrame
        A named index becomes columns.
    name : str
        The file's stem; a filter (``where``) is added as in a report's identifier.
    params : ReportParams
        Where to write, for which customers, and whether with clear ids.
    source : Dataset, optional
        Tells the clear ids of the column ``customer_id``, where ``params.clear_ids`` asks for them.

    Raises
    ------
    ParamsError
        The folder cannot be written.

    Notes
    -----
    Customers keep their pseudonyms unless clear ids are asked for; public data have clear ids from the beginning. In the CSV,
    text is quoted, and what a spreadsheet would run as a formula gets an apostrophe in front; the Parquet file keeps it as
    it is.
    """
    if params.out is None:
        return
    flat = table.reset_index() if any(index is not None for index in table.index.names) else table
    if params.clear_ids and "customer_id" in flat.columns:
        flat = flat.assign(customer_id=_clear_ids(flat["customer_id"], source))
    stem = Path(params.out) / "tables" / file_stem(name, params.where)
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        flat.to_parquet(stem.with_name(stem.name + ".parquet"), index=False)
        neutralised(flat).to_csv(stem.with_name(stem.name + ".csv"), index=False, quoting=csv.QUOTE_NONNUMERIC)
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
        Texts that begin like a formula (but are no number) have an apostrophe in front; names of columns and rows too.

    Notes
    -----
    A formula begins with ``=``, ``+``, ``-`` or ``@``, also in their full-width forms, and also after spaces, line breaks and
    characters without width. Calls of other programs (DDE) begin so as well. A text that begins with a tab or a line
    break gets an apostrophe in any case.

    Examples
    --------
    >>> neutralised(pd.DataFrame({"name": ["=1+1", "Ann", "-5"]}))["name"].tolist()
    ["'=1+1", 'Ann', '-5']
    """
    safe = table.copy()
    for position, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_datetime64_any_dtype(dtype):
            safe.isetitem(position, table.iloc[:, position].astype(object).map(_inert).array)
    safe = safe.rename(index=_inert, columns=_inert)
    safe.index.names = [_inert(name) for name in safe.index.names]
    return safe


def _with_dashes(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a dash for what is missing in columns of nullable types, where pandas writes a sign of its own."""
    shown = table.copy()
    for position, dtype in enumerate(table.dtypes):
        column = table.iloc[:, position]
        if getattr(dtype, "na_value", None) is pd.NA and column.isna().any():
            shown.isetitem(position, column.astype(object).where(column.notna(), "–").array)
    return shown


def _clear_ids(ids: pd.Series, source: TellsIds | None) -> pd.Series:
    if source is None:
        raise ValueError("save_table needs the source to tell clear ids")
    return source.clear_ids(ids)


def _inert(value: Any) -> Any:
    """Return a text that is no formula; anything else as it is."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    seen = unicodedata.normalize("NFKC", _after_the_unseen(value))
    is_live = value.startswith(_BREAKS_A_CELL) or seen.startswith(_STARTS_A_FORMULA)
    return f"'{value}" if is_live and not _NUMBER.fullmatch(value.strip(" ")) else value


def _after_the_unseen(text: str) -> str:
    """Return what follows spaces, controls and characters without width; no more of it than a sign."""
    return next((character for character in text if unicodedata.category(character) not in _NOT_SEEN), "")


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
