"""
The whole check of a dataset: every table against the contract, as it came in and as cleaning leaves it, told at once.

Counting the faults of one table belongs in :mod:`crm_analysis.tables.quality`; telling a verdict in lines, in
:mod:`crm_analysis.tables.verdict.lines`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from crm_analysis.errors import DataQualityError, SourceError
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.quality.contract import Examination, examination
from crm_analysis.tables.quality.coverage import DayCounts, day_counts, own_last_day
from crm_analysis.tables.quality.findings import Finding
from crm_analysis.tables.quality.score import priorities, table_score

SPANNING = ("transactions", "service_cases")  # the tables whose days are the dataset's period
EVER = date(9999, 12, 30)  # a day by which everything is known, for data without days

_TABLES = [
    "table",
    "rows",
    "rows_after",
    "score",
    "completeness",
    "validity",
    "uniqueness",
    "consistency",
    "errors",
    "warnings",
]


class Judged(NamedTuple):
    """
    A finding on the rows as they came in, and how much of it is left.

    Attributes
    ----------
    finding : Finding
        Counted on raw rows; its count is 0 where only cleaning brought it about.
    left : int
        Its count after cleaning, as of the day.
    """

    finding: Finding
    left: int


@dataclass(frozen=True)
class Verdict:
    """
    What the check of a dataset found.

    Attributes
    ----------
    dataset : str
        Its name.
    as_of : datetime.date or None
        The day at whose end the cleaned rows were known; None: the data have no days.
    tables : pandas.DataFrame
        Columns ``table``, ``rows`` (as they came in), ``rows_after`` (after cleaning, as of the day), ``score``, ``completeness``, ``validity``,
        ``uniqueness``, ``consistency`` (shares of raw rows), ``errors``, ``warnings`` (findings left after cleaning).
    findings : tuple of Judged
        Each finding with what is left of it, table by table.
    ledger : pandas.DataFrame
        What the cleaning rules did.
    source_errors : tuple of str
        Why tables could not be read.
    empty_tables : tuple of str
        Why tables have no rows to report on.
    counts : dict
        The numbers that later runs rely on, by the names they are recorded under.
    """

    dataset: str
    as_of: date | None
    tables: pd.DataFrame
    findings: tuple[Judged, ...]
    ledger: pd.DataFrame
    source_errors: tuple[str, ...]
    empty_tables: tuple[str, ...]
    counts: dict[str, int | float]

    @property
    def errors(self) -> tuple[Judged, ...]:
        """The errors that are left after cleaning."""
        return tuple(judged for judged in self.findings if judged.finding.severity == "error" and judged.left)

    @property
    def ok(self) -> bool:
        """Whether reports can be made of every table."""
        return not (self.source_errors or self.empty_tables or self.errors)

    @property
    def exit_code(self) -> int:
        """0; 3 where a table could not be read; 4 where errors are left or a table is empty."""
        if self.source_errors:
            return SourceError.exit_code
        return 0 if self.ok else DataQualityError.exit_code

    @property
    def priorities(self) -> pd.DataFrame:
        """What to fix first and why, with what is ``left`` after cleaning: findings that are, before those that rules settle."""
        table = priorities(judged.finding for judged in self.findings)
        left = {judged.finding.place: judged.left for judged in self.findings}
        places = zip(table["table"], table["column"], table["check"], strict=True)
        table["left"] = [left[(name, column or None, check)] for name, column, check in places]
        table = table.sort_values("left", key=lambda counts: counts == 0, kind="stable", ignore_index=True)
        return table.assign(rank=range(1, len(table) + 1))

    def to_json(self) -> dict[str, Any]:
        """
        Return the verdict for a machine.

        Returns
        -------
        dict
            Of plain types; what is not known is null.
        """
        return {
            "dataset": self.dataset,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "ok": self.ok,
            "exit_code": self.exit_code,
            "source_errors": list(self.source_errors),
            "empty_tables": list(self.empty_tables),
            "counts": dict(self.counts),
            "tables": _records(self.tables),
            "findings": [_finding_record(judged) for judged in self.findings],
            "ledger": _records(self.ledger),
        }


def check_dataset(dataset: Dataset, *, as_of: date | None = None) -> Verdict:
    """
    Check every table of a dataset; what is wrong with one does not stop the others.

    Parameters
    ----------
    dataset : Dataset
        Opened.
    as_of : datetime.date, optional
        The day at whose end the cleaned rows are known; default: the last day in the data.

    Returns
    -------
    Verdict
        Findings on every row as it came in, whatever its day, and on what cleaning leaves as of the day.

    Raises
    ------
    ParamsError
        The day lies outside the data.
    """
    raw, source_errors, empty = _landed(dataset)
    days = {table: day_counts(dataset.connection, table, relation) for table, relation in raw.items()}
    day = _day(dataset, as_of, days)
    last_day = own_last_day(counts for table, counts in days.items() if table in SPANNING or not _spans(days))
    known = dataset.known(day or EVER)
    cleaned = {table: known.cleaned_relation(table) for table in raw}
    before = {table: _examined(dataset, table, raw, last_day) for table in raw}
    after = {table: _examined(dataset, table, cleaned, last_day) for table in raw}
    empty += [_emptied(before[table], after[table], day) for table in raw if after[table].rows == 0]
    return Verdict(
        dataset=dataset.name,
        as_of=day,
        tables=_table_lines(before, after),
        findings=tuple(judged for table in raw for judged in _judged(before[table], after[table])),
        ledger=known.ledger(),
        source_errors=tuple(source_errors),
        empty_tables=tuple(empty),
        counts=_counts(dataset, before, raw),
    )


def _landed(dataset: Dataset) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the tables that could be read, why others could not, and which are empty."""
    relations: dict[str, str] = {}
    source_errors: list[str] = []
    empty: list[str] = []
    for table in dataset.tables:
        try:
            relations[table] = dataset.landed_relation(table)
        except SourceError as error:
            source_errors.append(str(error))
        except DataQualityError as error:
            empty.append(str(error))
    return relations, source_errors, empty


def _spans(days: Mapping[str, DayCounts]) -> bool:
    return any(days.get(table) for table in SPANNING)


def _day(dataset: Dataset, as_of: date | None, days: Mapping[str, DayCounts]) -> date | None:
    """Return the day of the check; that of the readable tables where others could not be read."""
    if not _spans(days):
        return as_of
    if all(table in days for table in SPANNING if table in dataset.tables):
        return dataset.day(as_of)
    return as_of or max(max(days[table]) for table in SPANNING if days.get(table))


def _examined(dataset: Dataset, table: str, relations: Mapping[str, str], last_day: date | None) -> Examination:
    customers = relations.get("customers")
    return examination(dataset.connection, table, relations[table], customers=customers, last_day=last_day)


def _judged(before: Examination, after: Examination) -> list[Judged]:
    """Return each finding with what is left of it; what only cleaning brought about comes last."""
    left = {finding.place: finding for finding in after.findings}
    judged = [Judged(finding, left[finding.place].count if finding.place in left else 0) for finding in before.findings]
    known = {finding.place for finding in before.findings}
    brought = [finding for finding in after.findings if finding.place not in known]
    return judged + [
        Judged(replace(finding, count=0, money=None, money_share=None), finding.count) for finding in brought
    ]


def _emptied(before: Examination, after: Examination, day: date | None) -> str:
    if before.rows == 0:
        return f"Table {before.table} is empty. Look at its source."
    when = f" as of {day}" if day else ""
    return (
        f"Table {after.table} has no rows{when} after cleaning, though {before.rows:,} came in. "
        f"Use a later day, or look at the rules under tables.{after.table}.cleaning."
    )


def _table_lines(before: Mapping[str, Examination], after: Mapping[str, Examination]) -> pd.DataFrame:
    lines = []
    for table, examined in before.items():
        score = table_score(examined)
        parts = (score.total, score.completeness, score.validity, score.uniqueness, score.consistency)
        severities = [finding.severity for finding in after[table].findings]
        counts = (severities.count("error"), severities.count("warning"))
        lines.append((table, examined.rows, after[table].rows, *parts, *counts))
    return pd.DataFrame(lines, columns=_TABLES)


def _counts(dataset: Dataset, before: Mapping[str, Examination], raw: Mapping[str, str]) -> dict[str, int | float]:
    counts: dict[str, int | float] = {f"n_rows.{table}": examined.rows for table, examined in before.items()}
    if "transactions" in before:
        found = {(finding.column, finding.check): finding.count for finding in before["transactions"].findings}
        counts["n_missing_customers"] = found.get(("customer_id", "missing"), 0)
        counts["n_exact_duplicates"] = found.get((None, "exact_duplicate"), 0)
        row = dataset.connection.execute(
            f"SELECT count(*) FILTER (WHERE amount < 0) FROM {raw['transactions']}"
        ).fetchone()
        counts["n_returns"] = int(row[0]) if row else 0
    return counts | {f"score.{table}": table_score(examined).total for table, examined in before.items()}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of plain Python values."""
    return [
        {str(name): _plain(value) for name, value in zip(table.columns, row, strict=True)}
        for row in table.itertuples(index=False, name=None)
    ]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else float(value)


def _finding_record(judged: Judged) -> dict[str, Any]:
    finding = judged.finding
    return {
        "table": finding.table,
        "column": finding.column,
        "check": finding.check,
        "severity": finding.severity,
        "count": finding.count,
        "total": finding.total,
        "share": finding.share,
        "left_after_cleaning": judged.left,
        "money": None if finding.money is None else float(finding.money),
        "examples": list(finding.examples),
        "meaning": finding.meaning,
        "advice": finding.advice,
    }
