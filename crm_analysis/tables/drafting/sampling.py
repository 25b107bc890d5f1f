"""
A bounded sample of a file of any kind that is read.

How each kind is read belongs in :mod:`crm_analysis.tables.drafting.text_files` and
:mod:`crm_analysis.tables.drafting.typed_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from crm_analysis.errors import SourceError
from crm_analysis.tables.drafting.samples import Sample
from crm_analysis.tables.drafting.text_files import PACKED, first_member, text_sample
from crm_analysis.tables.drafting.typed_files import json_sample, parquet_sample, workbook_sample

KINDS: Mapping[str, str] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), "workbook"),
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}


def file_kind(path: Path) -> str | None:
    """
    Return the kind of a file by its name, packed or not.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    str or None
        ``text``, ``parquet``, ``workbook`` or ``json``; None for what is not read.

    Examples
    --------
    >>> file_kind(Path("sales.CSV.gz"))
    'text'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        inner = KINDS.get(suffixes[-2]) if len(suffixes) > 1 else None
        return inner or ("text" if suffixes[-1] == ".zip" else None)
    return KINDS.get(suffixes[-1]) if suffixes else None


def read_sample(path: Path) -> Sample:
    """
    Read a bounded sample of a file.

    Parameters
    ----------
    path : pathlib.Path
        Text (also packed), Parquet, an Excel workbook or JSON.

    Returns
    -------
    Sample
        At most some twenty thousand rows or a few megabytes.

    Raises
    ------
    SourceError
        The file is empty, damaged, of another kind than its name says, or has no line of column names.
    """
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty: 0 bytes. Save it again, or leave it out.")
    readers: Mapping[str, Callable[[Path], Sample]] = {
        "text": text_sample,
        "parquet": parquet_sample,
        "workbook": workbook_sample,
        "json": json_sample,
    }
    return readers[_content_kind(path)](path)


def _content_kind(path: Path) -> str:
    kind = file_kind(path)
    if path.suffix.lower() == ".zip":
        kind = KINDS.get(Path(first_member(path)).suffix.lower())
    if kind is None or (kind in {"parquet", "workbook"} and path.suffix.lower() in PACKED):
        raise SourceError(
            f"{path.name} holds a kind of file that cannot be looked into; unpack it, then name what it holds."
        )
    return kind
