"""
The contract, checked over every row: counts in SQL made from the declaration in :mod:`crm_analysis.tables.schema`.

Nothing is repaired here; that is the work of :mod:`crm_analysis.tables.cleaning`. What the findings add up to belongs in
:mod:`crm_analysis.tables.quality.score`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from crm_analysis.errors import DataQualityError, listed
from crm_analysis.tables.quality.checks import COMPLETENESS
from crm_analysis.tables.quality.findings import Finding
from crm_analysis.tables.quality.repeats import Repeats
from crm_analysis.tables.quality.scan import Scan
from crm_analysis.tables.schema import key_of


@dataclass(frozen=True)
class Examination:
    """
    What the contract says of one table, as of every row.

    Attributes
    ----------
    table : str
        The canonical table.
    rows : int
        All of them.
    findings : tuple of Finding
        In the order of the columns, then repeats and gaps.
    broken_rows : int
        Rows that break at least one check; of rows that are alike, those beyond the first.
    missing_values : int
        Missing values of required columns.
    invalid_rows, repeated_rows, inconsistent_rows : int
        Rows with a value that is unreadable, out of range or implausible; rows beyond the first of their like, or of their key;
        rows whose times or customers contradict one another.
    """

    table: str
    rows: int
    findings: tuple[Finding, ...]
    broken_rows: int
    missing_values: int
    invalid_rows: int
    repeated_rows: int
    inconsistent_rows: int


def examination(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    relation: str,
    *,
    customers: str | None = None,
    last_day: date | None = None,
) -> Examination:
    """
    Check a canonical table against the whole contract.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A key of :data:`~crm_analysis.tables.schema.CANONICAL`.
    relation : str
        Its quoted name; it may have a column ``_unreadable``, a list of ``column: value``.
    customers : str, optional
        The quoted name of the customers that its rows refer to.
    last_day : datetime.date, optional
        The last day of the data, from which the far future is reckoned.

    Returns
    -------
    Examination
        Its findings, and the counts that a score is made of.
    """
    scan = Scan(connection, table, relation, customers=customers, last_day=last_day)
    counted = scan.counted()
    exact, keyed = scan.exact_duplicates(), scan.repeated_keys()
    surplus = keyed if key_of(table) else exact
    found = [
        *scan.row_findings(counted),
        *scan.sparse_columns(counted),
        *scan.repeat_findings(keyed, exact, counted),
        *scan.gaps(last_day),
    ]
    return Examination(
        table,
        counted.rows,
        tuple(found),
        broken_rows=counted.broken + surplus.surplus_otherwise_sound,
        missing_values=sum(count for check, count in counted.of_checks if check.part == COMPLETENESS),
        invalid_rows=counted.invalid,
        repeated_rows=surplus.surplus,
        inconsistent_rows=counted.inconsistent,
    )


def findings(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    relation: str,
    *,
    customers: str | None = None,
    last_day: date | None = None,
) -> list[Finding]:
    """
    Return everything that breaks the contract of a table, errors and warnings.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    relation : str
        Its quoted name.
    customers : str, optional
        The quoted name of the customers that its rows refer to.
    last_day : datetime.date, optional
        The last day of the data.

    Returns
    -------
    list of Finding
        Empty when the table keeps its contract.
    """
    return list(examination(connection, table, relation, customers=customers, last_day=last_day).findings)


def contract_errors(
    connection: duckdb.DuckDBPyConnection, table: str, relation: str, *, last_day: date | None = None
) -> list[Finding]:
    """
    Return only the errors, without looking for what merely warns.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    relation : str
        Its quoted name.
    last_day : datetime.date, optional
        The last day of the data.

    Returns
    -------
    list of Finding
        Empty when reports can be made of the table.
    """
    scan = Scan(connection, table, relation, customers=None, last_day=last_day, severity="error")
    counted = scan.counted()
    found = [*scan.row_findings(counted), *scan.repeat_findings(scan.repeated_keys(), Repeats(), counted)]
    return [finding for finding in found if finding.severity == "error"]


def check_contract(connection: duckdb.DuckDBPyConnection, table: str, relation: str, *, dataset: str) -> None:
    """
    Raise when a canonical table breaks its contract.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    relation : str
        Its quoted name.
    dataset : str
        The dataset's name, for the message.

    Raises
    ------
    DataQualityError
        All errors at once; warnings do not stop anything.
    """
    faults = [finding.fault for finding in contract_errors(connection, table, relation)]
    if faults:
        number = "1 contract fault is" if len(faults) == 1 else f"{len(faults)} contract faults are"
        raise DataQualityError(
            f"Dataset {dataset}: {number} left after cleaning:\n{listed(faults)}\n"
            f"Repair the source, or add rules under tables.{table}.cleaning in its dataset file.",
            faults=faults,
        )
