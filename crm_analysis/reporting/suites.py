"""
Suites: from a suite file and the command line's options to the reports to be made.

Making them belongs in :mod:`crm_analysis.reporting.build`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from crm_analysis.errors import ParamsError, listed
from crm_analysis.reporting.params import PARAMS, Attribute, Day
from crm_analysis.reporting.run import ReportJob, identifier_of
from crm_analysis.tables.validation import read_yaml, validated
from crm_analysis.tables.workspace import did_you_mean, named_file

_OF_THE_SUITE = ("dataset", "as_of", "out")


def _no_parameters(value: object) -> object:
    """Let ``segmentation:`` without anything mean its defaults."""
    return {name: parameters or {} for name, parameters in value.items()} if isinstance(value, dict) else value


class SuiteFile(BaseModel):
    """A suite file, as written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    dataset: Annotated[str, Field(min_length=1)]
    as_of: Day | None = None
    reports: Annotated[dict[str, dict[str, Any]], BeforeValidator(_no_parameters), Field(min_length=1)]
    for_each: dict[str, Annotated[list[Attribute], Field(min_length=1)]] = {}

    @field_validator("reports")
    @classmethod
    def _known_reports(cls, reports: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, parameters in reports.items():
            if name not in PARAMS:
                raise ValueError(
                    f"there is no report {name!r}{did_you_mean(name, PARAMS)}; there are {', '.join(PARAMS)}"
                )
            for owned in _OF_THE_SUITE:
                if owned in parameters:
                    raise ValueError(f"{name}.{owned} belongs to the whole suite, not to one report")
        return reports


class Suite:
    """
    A suite: which reports, over which data, as of which day.

    Parameters
    ----------
    file : SuiteFile
        What the file says.
    path : pathlib.Path
        Where it stands.

    Attributes
    ----------
    name : str
        The file's stem.
    file : SuiteFile
        What it says.
    path : pathlib.Path
        Where it stands.
    """

    def __init__(self, file: SuiteFile, path: Path) -> None:
        self.file = file
        self.path = path
        self.name = path.stem

    @property
    def wheres(self) -> list[dict[str, Attribute]]:
        """One filter a set of reports; a single empty one without ``for_each``."""
        names = list(self.file.for_each)
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*self.file.for_each.values())]

    @property
    def identifiers(self) -> list[str]:
        """What ``list`` prints and ``--only`` takes, in the order made."""
        return [identifier for identifier, _, _ in self._planned()]

    def jobs(
        self,
        *,
        as_of: date | None,
        dataset: str,
        settings: Sequence[str] = (),
        only: Sequence[str] = (),
    ) -> list[ReportJob]:
        """
        Return the reports to be made, their parameters checked.

        Parameters
        ----------
        as_of : datetime.date
            The last day known, resolved.
        dataset : str
            The dataset as the notebooks are to open it.
        settings : sequence of str
            ``ID.NAME=VALUE`` as ``--set`` has them; VALUE is YAML.
        only : sequence of str
            Identifiers, or names of reports for all their values; empty: all.

        Returns
        -------
        list of ReportJob
            In the order of the suite.

        Raises
        ------
        ParamsError
            Unknown identifiers or parameters, wrong types or ranges: all at once.
        """
        given = self._settings(settings)
        wanted = self._wanted(only)
        faults: list[str] = []
        jobs = []
        for identifier, report, where in self._planned():
            values = self.file.reports[report] | given.get(report, {}) | given.get(identifier, {})
            values["where"] = _together(values.get("where"), where)
            values |= {"dataset": dataset, "as_of": as_of, "out": "."}
            try:
                params = PARAMS[report].checked(values, where=identifier)
            except ParamsError as error:
                faults += [f"{identifier}.{fault}" for fault in error.faults]
                continue
            if identifier in wanted:
                jobs.append(ReportJob(report, params))
        if faults:
            count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            names = f"crm-analysis params {faults[0].split('.')[0].split('@')[0]}"
            raise ParamsError(
                f"The parameters of suite {self.name} have {count}:\n{listed(faults)}\n`{names}` lists what there is.",
                faults=faults,
            )
        return jobs

    def _planned(self) -> list[tuple[str, str, dict[str, Attribute]]]:
        """Return identifier, report and filter by ``for_each`` of each report; its own filter is in the identifier, too."""
        return [
            (identifier_of(report, _together(parameters.get("where"), where)), report, where)
            for report, parameters in self.file.reports.items()
            for where in self.wheres
        ]

    def _wanted(self, only: Sequence[str]) -> set[str]:
        planned = self._planned()
        unknown = [name for name in only if not any(name in (identifier, report) for identifier, report, _ in planned)]
        if unknown:
            raise self._unknown(unknown)
        return {identifier for identifier, report, _ in planned if not only or {identifier, report} & set(only)}

    def _settings(self, settings: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return, for identifiers and bare reports, the parameters set on the command line."""
        known = sorted({name for identifier, report, _ in self._planned() for name in (identifier, report)}, key=len)
        given: dict[str, dict[str, Any]] = {}
        for setting in settings:
            owner = next((name for name in reversed(known) if setting.startswith(f"{name}.")), None)
            name, equals, text = setting.removeprefix(f"{owner}.").partition("=")
            if owner is None:
                raise self._unknown([setting.partition(".")[0]])
            if not equals or not name:
                raise ParamsError(f"--set {setting}: write ID.NAME=VALUE, such as {owner}.seed=1.")
            if name in _OF_THE_SUITE:
                raise ParamsError(f"--set {setting}: {name} belongs to the whole suite; change it in {self.path.name}.")
            try:
                given.setdefault(owner, {})[name] = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ParamsError(f"--set {setting}: the value cannot be read as YAML.") from error
        return given

    def _unknown(self, names: Sequence[str]) -> ParamsError:
        hint = did_you_mean(names[0], self.identifiers)
        return ParamsError(
            f"Suite {self.name} makes no report {', '.join(map(repr, names))}{hint}. "
            f"`crm-analysis list {self.name}` lists those it makes."
        )


def _together(own: object, where: dict[str, Attribute]) -> object:
    """Return a report's own filter and that of ``for_each``, which goes before it; what is no filter stays for the check."""
    return ({**own, **where} or None) if isinstance(own, dict) else own or where or None


def read_suite(name: str) -> Suite:
    """
    Read a suite by its name in ``params/`` or the path of its file.

    Parameters
    ----------
    name : str
        A name or a path.

    Returns
    -------
    Suite
        Its file is checked, its reports' parameters are not yet.

    Raises
    ------
    ParamsError
        There is no such file, or it has faults.
    """
    path = named_file(name, kind="suite")
    return Suite(validated(SuiteFile, read_yaml(path), where=f"Suite file {path.name}"), path)
