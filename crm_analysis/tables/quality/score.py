"""
A score for each table, and what to fix first and why.

Counting the faults belongs in :mod:`crm_analysis.tables.quality.contract`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from crm_analysis.tables.quality.contract import Examination
from crm_analysis.tables.quality.findings import Finding
from crm_analysis.tables.schema import required_columns

FORMULA = (
    "Score: the share of rows as they came in that break no check of the contract. A row that breaks several counts once; "
    "of rows that are alike, or that share a key, one counts as sound."
)


@dataclass(frozen=True)
class Score:
    """
    How sound a table is, each as a share in [0, 1].

    Attributes
    ----------
    total : float
        Rows that break no check.
    completeness : float
        Values of required columns that are there.
    validity : float
        Rows whose values could all be read and lie within their limits.
    uniqueness : float
        Rows that repeat no earlier row, or no earlier key where the table has one.
    consistency : float
        Rows whose times follow one another and whose customers are known.
    """

    total: float
    completeness: float
    validity: float
    uniqueness: float
    consistency: float


def table_score(examined: Examination) -> Score:
    """
    Return the score of a table and its parts.

    Parameters
    ----------
    examined : Examination
        What the contract says of it.

    Returns
    -------
    Score
        All zero for an empty table.

    Notes
    -----
    ``total = 1 − broken_rows / rows``. The parts are measured each by itself and do not multiply to the total, since a row
    may fail in several.
    """
    rows = examined.rows
    if not rows:
        return Score(0.0, 0.0, 0.0, 0.0, 0.0)
    return Score(
        total=1 - examined.broken_rows / rows,
        completeness=1 - examined.missing_values / (rows * len(required_columns(examined.table))),
        validity=1 - examined.invalid_rows / rows,
        uniqueness=1 - examined.repeated_rows / rows,
        consistency=1 - examined.inconsistent_rows / rows,
    )


def priorities(findings: Iterable[Finding]) -> pd.DataFrame:
    """
    Return what to fix first, and why.

    Parameters
    ----------
    findings : iterable of Finding
        Of one or several tables.

    Returns
    -------
    pandas.DataFrame
        Columns ``rank``, ``table``, ``column``, ``check``, ``severity``, ``count``, ``share``, ``money`` (absolute amounts of the rows
        concerned), ``why`` and ``what_to_do``.

    Notes
    -----
    Errors come before warnings; among these, what concerns the larger share of the table comes first: of its rows or of its
    money, whichever is larger.
    """
    ordered = sorted(findings, key=_urgency)
    columns = ["rank", "table", "column", "check", "severity", "count", "share", "money", "why", "what_to_do"]
    lines = [
        (
            rank,
            finding.table,
            finding.column or "",
            finding.check,
            finding.severity,
            finding.count,
            finding.share,
            None if finding.money is None else float(finding.money),
            finding.meaning,
            finding.advice,
        )
        for rank, finding in enumerate(ordered, start=1)
    ]
    table = pd.DataFrame(lines, columns=columns)
    return table.astype({"share": "float64", "money": "float64"})


def _urgency(finding: Finding) -> tuple[bool, float, str, str, str]:
    """Return a key that sorts the most urgent first."""
    concerned = max(finding.share, finding.money_share or 0.0)
    return finding.severity != "error", -concerned, finding.table, finding.column or "", finding.check
