"""
The dataset file: how a person says where tables come from, and what is checked before anything is opened.

Reading the sources belongs in :mod:`crm_analysis.tables.sources`, the rules of cleaning in :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_analysis.errors import ParamsError
from crm_analysis.tables.cleaning import check_rules
from crm_analysis.tables.demo import BUILTIN
from crm_analysis.tables.references import expanded
from crm_analysis.tables.schema import CANONICAL
from crm_analysis.tables.sources.files import READABLE_SUFFIXES, is_readable
from crm_analysis.tables.sources.text import TextFormat
from crm_analysis.tables.validation import read_yaml, validated
from crm_analysis.tables.workspace import did_you_mean, named_file, project_root

_REFERENCE = re.compile(r"\$\{\w+(?::-(?P<default>[^}]*))?\}")
_PASSWORD_IN_THE_FILE = re.compile(r"://[^@:]*:[^@]+@|(?:password|pwd|secret|token)=[^&]", re.IGNORECASE)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"is no IANA time zone{did_you_mean(name, available_timezones())}")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


Files = str | list[str]


class TableSource(_Strict):
    """Where one table comes from and what is done with it."""

    files: Files | dict[str, Files] | None = None
    connection: str | None = None
    builtin: str | None = None
    table: str | None = None
    query: str | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=86_400, description="of a statement in a database")] = 600
    format: TextFormat = TextFormat()
    columns: dict[str, str] = {}
    keep_identifiers: list[str] = []
    cleaning: dict[str, Any] = {}

    @field_validator("builtin")
    @classmethod
    def _known_builtin(cls, name: str | None) -> str | None:
        if name is not None and name not in BUILTIN:
            raise ValueError(f"is no built-in table{did_you_mean(name, BUILTIN)}; known are {', '.join(BUILTIN)}")
        return name

    @field_validator("connection")
    @classmethod
    def _without_password(cls, connection: str | None) -> str | None:
        written = _REFERENCE.sub(lambda reference: reference["default"] or "", connection or "")
        if _PASSWORD_IN_THE_FILE.search(written):
            raise ValueError("holds a password; put it into the environment and write ${NAME} instead")
        return connection

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("files", "connection", "builtin") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs one of files, connection or builtin, got {' and '.join(given) or 'none'}")
        if self.connection is not None and not (self.table or self.query):
            raise ValueError("needs a table or a query beside its connection")
        if isinstance(self.files, dict) and not self.query:
            raise ValueError("files with names of their own need a query that joins them")
        if self.table and self.connection is None:
            raise ValueError("table: is for a connection; files and built-in tables have none")
        return self

    @property
    def named_files(self) -> dict[str, Files]:
        """The files under the names that a query reads them by; ``source`` where they have none of their own."""
        if self.files is None:
            return {}
        return dict(self.files) if isinstance(self.files, dict) else {"source": self.files}


class DatasetFile(_Strict):
    """A dataset file, as written."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
    timezone: Zone = "UTC"
    day_timezone: Zone | None = None
    public: bool = False
    min_cell: Annotated[int, Field(ge=1, le=1000, description="fewest customers whose figures are shown")] = 5
    notes: list[str] = []
    tables: Annotated[dict[str, TableSource], Field(min_length=1)]

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, tables: dict[str, TableSource]) -> dict[str, TableSource]:
        for name, source in tables.items():
            if name not in CANONICAL:
                raise ValueError(
                    f"{name!r} is no table{did_you_mean(name, CANONICAL)}; known are {', '.join(CANONICAL)}"
                )
            try:
                check_rules(source.cleaning, table=name)
            except ValueError as error:
                raise ValueError(f"{name}.cleaning: {error}") from None
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
        if re.search(r"[*?\[]", path.name):
            found.extend(match for match in sorted(path.parent.glob(path.name)) if match.is_file())
        elif path.exists() or path.is_symlink():  # what it is, if no file, the reader says
            found.append(path)
    for file in found:
        if not is_readable(file.name):
            raise ParamsError(
                f"{dataset_file.name}: {file.name} is of a kind that is not read; "
                f"known are {', '.join(READABLE_SUFFIXES)}, also with .gz or .zip. Save it as one of these."
            )
    return found


def _resolved(pattern: str, dataset_file: Path) -> Path:
    text = expanded(pattern, where=dataset_file.name)
    if re.match(r"^\w[\w+.-]*://|^https?:", text):
        raise ParamsError(f"{dataset_file.name}: a remote path is refused; copy the file here and name the copy.")
    from_root = pattern.startswith("${") or text.startswith("data/")
    return (project_root() if from_root and not Path(text).is_absolute() else dataset_file.parent) / text
