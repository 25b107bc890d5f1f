"""
The dataset file: how a person says where tables come from, and what is checked before anything is opened.

Reading the sources belongs in :mod:`crm_analysis.tables.sources`, the rules of cleaning in :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_analysis.errors import ParamsError
from crm_analysis.tables.cleaning import check_rules
from crm_analysis.tables.demo import BUILTIN
from crm_analysis.tables.schema import CANONICAL
from crm_analysis.tables.sources import TextFormat
from crm_analysis.tables.validation import read_yaml, validated
from crm_analysis.tables.workspace import did_you_mean, named_file, project_root

READABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".json", ".jsonl")
_REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"is no IANA time zone{did_you_mean(name, available_timezones())}")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class TableSource(_Strict):
    """Where one table comes from and what is done with it."""

    files: str | list[str] | None = None
    builtin: str | None = None
    query: str | None = None
    format: TextFormat = TextFormat()
    columns: dict[str, str] = {}
    cleaning: dict[str, Any] = {}

    @field_validator("builtin")
    @classmethod
    def _known_builtin(cls, name: str | None) -> str | None:
        if name is not None and name not in BUILTIN:
            raise ValueError(f"is no built-in table{did_you_mean(name, BUILTIN)}; known are {', '.join(BUILTIN)}")
        return name

    @field_validator("cleaning")
    @classmethod
    def _known_rules(cls, rules: dict[str, Any]) -> dict[str, Any]:
        return check_rules(rules)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.files is None) == (self.builtin is None):
            raise ValueError("needs either files or builtin")
        return self


class DatasetFile(_Strict):
    """A dataset file, as written."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
    timezone: Zone = "UTC"
    day_timezone: Zone | None = None
    public: bool = False
    notes: list[str] = []
    tables: Annotated[dict[str, TableSource], Field(min_length=1)]

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, tables: dict[str, TableSource]) -> dict[str, TableSource]:
        for name in tables:
            if name not in CANONICAL:
                raise ValueError(
                    f"{name!r} is no table{did_you_mean(name, CANONICAL)}; known are {', '.join(CANONICAL)}"
                )
        return tables

    @property
    def days_in(self) -> ZoneInfo:
        """The time zone whose midnights cut days."""
        return ZoneInfo(self.day_timezone or self.timezone)


def read_dataset_file(name: str, *, beside: Path | None = None) -> tuple[DatasetFile, Path]:
    """
    Read a dataset file by its name in ``params/datasets/`` or its path.

    Parameters
    ----------
    name : str
        A name or a path.
    beside : pathlib.Path, optional
        The folder where a relative path starts; default: the current folder.

    Returns
    -------
    DatasetFile
        What it says.
    pathlib.Path
        The file.

    Raises
    ------
    ParamsError
        There is no such file, or it has faults (all are told at once).
    """
    path = named_file(name, kind="dataset", beside=beside)
    return validated(DatasetFile, read_yaml(path), where=f"Dataset file {path.name}"), path


def source_files(patterns: str | list[str], *, dataset_file: Path) -> list[Path]:
    """
    Return the local files that a table's ``files:`` names.

    Parameters
    ----------
    patterns : str or list of str
        Paths or globs, with ``${NAME}`` and ``${NAME:-default}`` from the environment.
    dataset_file : pathlib.Path
        A relative path starts at its folder, ``data/…`` and what comes from a variable at the workspace's root.

    Returns
    -------
    list of pathlib.Path
        Sorted within each pattern; may be empty.

    Raises
    ------
    ParamsError
        A variable is not set, a path is remote, or a file of this kind is not read.
    """
    found: list[Path] = []
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        path = _resolved(pattern, dataset_file)
        matches = sorted(path.parent.glob(path.name)) if re.search(r"[*?\[]", path.name) else [path]
        found.extend(match for match in matches if match.is_file())
    for file in found:
        if not file.name.removesuffix(".gz").endswith(READABLE_SUFFIXES):
            raise ParamsError(
                f"{dataset_file.name}: {file.name} is of a kind that is not read; "
                f"known are {', '.join(READABLE_SUFFIXES)}, also with .gz. Save it as one of these."
            )
    return found


def expanded(text: str, *, where: str) -> str:
    """
    Replace ``${NAME}`` and ``${NAME:-default}`` by the environment's values.

    Parameters
    ----------
    text : str
        As written in a file.
    where : str
        The file's name, for the message.

    Returns
    -------
    str
        Without references.

    Raises
    ------
    ParamsError
        A variable without a default is not set; its value never stands in a message.

    Examples
    --------
    >>> expanded("${CRM_NOT_SET_ANYWHERE:-data}/sales.csv", where="shop.yaml")
    'data/sales.csv'
    """
    unset = [m["name"] for m in _REFERENCE.finditer(text) if m["default"] is None and m["name"] not in os.environ]
    if unset:
        names = ", ".join(f"${name}" for name in dict.fromkeys(unset))
        raise ParamsError(f"{where} refers to {names}, which the environment does not set. Set it, or write a default.")
    return _REFERENCE.sub(lambda m: os.environ.get(m["name"], m["default"] or ""), text)


def _resolved(pattern: str, dataset_file: Path) -> Path:
    text = expanded(pattern, where=dataset_file.name)
    if re.match(r"^\w[\w+.-]*://|^https?:", text):
        raise ParamsError(f"{dataset_file.name}: a remote path is refused; copy the file here and name the copy.")
    from_root = pattern.startswith("${") or text.startswith("data/")
    return (project_root() if from_root and not Path(text).is_absolute() else dataset_file.parent) / text
