"""
What a report leaves as files: lists and texts that a person or a system acts on, and where its models go.

What it shows on its page belongs in :mod:`crm_analysis.reporting.records`; how models are written, in the room of models.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import pandas as pd

from crm_analysis.errors import ParamsError
from crm_analysis.reporting.params import ReportParams

_STARTS_A_FORMULA = ("=", "+", "-", "@")
_BREAKS_A_CELL = ("\t", "\r", "\n")
_NOT_SEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")  # controls, marks without width, spaces: a spreadsheet may pass over them
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")


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
        for suffix, write in WRITERS.items():
            write(flat, stem.with_name(stem.name + suffix))
    except OSError as error:
        raise ParamsError(f"out: {params.out} cannot be written ({error.strerror}). Choose another folder.") from error


def save_text(text: str, name: str, params: ReportParams) -> None:
    """
    Write a text that another system runs or a person keeps, such as SQL; nothing when ``params.out`` is null.

    Parameters
    ----------
    text : str
        The whole text.
    name : str
        The file's name with its suffix; a filter (``where``) is added as in a report's identifier.
    params : ReportParams
        Where to write, and for which customers.

    Raises
    ------
    ParamsError
        The folder cannot be written.
    """
    if params.out is None:
        return
    bare = Path(name)
    path = Path(params.out) / "tables" / (file_stem(bare.stem, params.where) + bare.suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ParamsError(f"out: {params.out} cannot be written ({error.strerror}). Choose another folder.") from error


def model_folder(name: str, params: ReportParams) -> Path | None:
    """
    Return the folder that a report's model is saved to.

    Parameters
    ----------
    name : str
        Of the model; a filter (``where``) is added as in a report's identifier.
    params : ReportParams
        Where to write, and for which customers.

    Returns
    -------
    pathlib.Path or None
        ``<out>/models/<name>``; None when ``params.out`` is null.
    """
    return None if params.out is None else Path(params.out) / "models" / file_stem(name, params.where)


def list_writer(path: Path) -> Callable[[pd.DataFrame], None]:
    """
    Return what writes a table as the kind of file that a name asks for; what is wrong with the name is said at once.

    Parameters
    ----------
    path : pathlib.Path
        Ends in ``.csv`` or ``.parquet``, in a folder that exists.

    Returns
    -------
    callable
        Takes a table with everything in columns; the file is put in place when it is whole.

    Raises
    ------
    ParamsError
        It ends in something else, or its folder is not there; and later, when it cannot be written.
    """
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise ParamsError(
            f"{path.name} ends in {path.suffix or 'nothing'!r}; lists are written as {' or '.join(WRITERS)}."
        )
    if not path.parent.is_dir():
        raise ParamsError(f"There is no folder {path.parent} to write {path.name} to. Make it first.")

    def _write_whole(table: pd.DataFrame) -> None:
        scratch = path.with_name(f".{path.stem}.partial{path.suffix}")
        try:
            write(table, scratch)
            scratch.replace(path)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise ParamsError(f"{path} cannot be written ({error.strerror}). Choose another folder.") from error

    return _write_whole


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    neutralised(table).to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False)


WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {".parquet": _write_parquet, ".csv": _write_csv}


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
