"""
The last look before a run is published: nothing secret and nobody's name may stand in what was written.

How files are read and searched belongs in :mod:`crm_analysis.reporting.scan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crm_analysis.errors import ReportError, listed
from crm_analysis.reporting.scan import IdentifierColumn, IdentifierSource, Leak, package_vocabulary, scan_folder
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.exposure import clear_ids_query, own_words, personal_columns, shared_levels
from crm_analysis.tables.references import Secret

_OF_FILE_FORMATS = (
    "codemirror creator indexes injected library mimetype pending pygments software",
)  # in any notebook, PNG, Parquet


def refuse_leaks(folder: Path, dataset: Dataset, reports: Mapping[str, Any]) -> None:
    """
    Raise when a written file holds a secret, a direct identifier or a clear customer id that nobody asked for.

    Parameters
    ----------
    folder : pathlib.Path
        What is about to be published.
    dataset : Dataset
        Whose secrets, identifiers and ids are looked for.
    reports : mapping
        The reports of the manifest; with ``clear_ids`` among a report's parameters, lists may hold clear ids.

    Raises
    ------
    ReportError
        What was found, where, and what to do; no value stands in the message.
    """
    asked_for = any(report["parameters"].get("clear_ids") for report in reports.values())
    leaks = scan_folder(
        folder,
        secrets=[*dataset.secrets, *_pieces(dataset.secrets)],
        identifiers=_identifiers(dataset),
        ids_allowed_in=lambda path: asked_for and path.startswith("tables/"),
        common_words=() if dataset.public else _common_words(dataset, [folder.parent.name, *_parameters(reports)]),
    )
    if leaks:
        raise ReportError(_message(leaks), faults=[_told(leak) for leak in leaks])


def _common_words(dataset: Dataset, of_the_run: Iterable[str]) -> frozenset[str]:
    """Return what stands in reports whoever the customers are; a customer of the same name is not meant by it."""
    return package_vocabulary().union(shared_levels(dataset), own_words(dataset), of_the_run, _OF_FILE_FORMATS)


def _parameters(reports: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the suite says in words: the dataset's path, a filter's value."""
    for identifier, report in reports.items():
        yield identifier
        yield from (str(value) for value in report["parameters"].values())


def _pieces(secrets: Sequence[Secret]) -> list[Secret]:
    """Return what is left of secrets where a text was cut: a traceback shows forty characters of an address."""
    return [Secret(piece) for piece in {piece for secret in secrets for piece in secret.fragments()}]


def _identifiers(dataset: Dataset) -> IdentifierSource:
    connection = dataset.connection.cursor()
    if dataset.public:
        return IdentifierSource(connection)
    columns = [IdentifierColumn(*column) for column in personal_columns(dataset)]
    return IdentifierSource(connection, columns, clear_ids_query(dataset))


def _told(leak: Leak) -> str:
    return f"{leak.file}: {leak.what} ({leak.shown}), {leak.where}"


def _message(leaks: list[Leak]) -> str:
    count = "1 leak" if len(leaks) == 1 else f"{len(leaks)} leaks"
    return (
        f"Nothing was published: the last scan found {count} in what was written:\n{listed([_told(leak) for leak in leaks])}\n"
        "Leave the value out of the source's texts and labels; or, where it is meant to be shown, name its column under "
        "keep_identifiers in the dataset file, or set clear_ids for lists of customers."
    )
