"""
The passes over the rows of one table that the contract is counted in: few, and all in SQL.

What they add up to belongs in :mod:`crm_analysis.tables.quality.contract`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import duckdb

from crm_analysis.errors import MAX_EXAMPLES
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.quality.checks import CONSISTENCY, UNKNOWN, UNREADABLE, VALIDITY, RowCheck, any_of, row_checks
from crm_analysis.tables.quality.coverage import day_counts, missing_days, within
from crm_analysis.tables.quality.findings import MEANINGS, Finding, advice_for
from crm_analysis.tables.quality.masking import masked
from crm_analysis.tables.quality.repeats import Repeats, repeats
from crm_analysis.tables.schema import CANONICAL, Severity, covers_days, key_of, kind_of, tolerated_missing

_LOOKED_AT = 50  # values from which up to five examples of different shape are taken


@dataclass(frozen=True)
class Counted:
    """
    One pass over the rows: how many break which check, any check, and how many lack which column.

    Attributes
    ----------
    rows : int
        All of them.
    of_checks : list of (RowCheck, int)
        Rows that break a check.
    amounts : list of decimal.Decimal
        The absolute amounts of those rows, in the order of the checks; zero without amounts.
    money : decimal.Decimal
        The absolute amounts of all rows.
    broken, invalid, inconsistent : int
        Rows that break any check, one of validity, one of consistency.
    missing : dict
        Optional column to the rows without a value.
    """

    rows: int
    of_checks: list[tuple[RowCheck, int]]
    amounts: list[Decimal]
    money: Decimal
    broken: int
    invalid: int
    inconsistent: int
    missing: dict[str, int]


class Scan:
    """
    The passes over one relation.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    relation : str
        Its quoted name.
    customers : str or None
        The quoted name of the customers that its rows refer to.
    last_day : datetime.date or None
        The last day of the data.
    severity : str, optional
        Only checks of this severity, and neither money nor what scores are made of; default: everything.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        relation: str,
        *,
        customers: str | None,
        last_day: date | None,
        severity: Severity | None = None,
    ) -> None:
        self._connection, self._table = connection, table
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        self._columns = [str(row[0]) for row in described]
        self._unreadable = UNREADABLE in self._columns
        self._rows = relation
        self._customers = customers if table != "customers" else None
        self._relation = self._flagged(relation)
        with_customers = self._customers is not None
        checks = row_checks(table, self._columns, last_day=last_day, with_customers=with_customers)
        self._checks = [check for check in checks if severity in {None, check.severity}]
        self._is_brief = severity is not None
        self._has_amount = "amount" in self._columns and not self._is_brief
        self._money = f"abs({identifier('amount')})" if self._has_amount else "CAST(0 AS DECIMAL(18, 4))"

    def counted(self) -> Counted:
        """
        Count every check of a row in one query.

        Returns
        -------
        Counted
            Of all rows.
        """
        optional = self._optional()
        read = [f"count(*) FILTER (WHERE {check.condition})" for check in self._checks]
        sums = [
            f"sum({self._money}) FILTER (WHERE {check.condition})" if self._has_amount else "0"
            for check in self._checks
        ]
        parts = [self._broken(), self._broken(VALIDITY), any_of(self._checks, part=CONSISTENCY)]
        parts = ["false"] * len(parts) if self._is_brief else parts
        unions = [f"count(*) FILTER (WHERE {part})" for part in parts]
        nulls = [f"count(*) - count({identifier(name)})" for name in optional]
        row = self._one(", ".join(["count(*)", *unions, f"sum({self._money})", *read, *sums, *nulls]))
        (rows, broken, invalid, inconsistent, total), rest = row[:5], row[5:]
        n = len(self._checks)
        amounts = [Decimal(value or 0) for value in rest[n : 2 * n]]
        counts = list(zip(self._checks, rest[:n], strict=True))
        missing = dict(zip(optional, rest[2 * n :], strict=True))
        return Counted(rows, counts, amounts, Decimal(total or 0), broken, invalid, inconsistent, missing)

    def row_findings(self, counted: Counted) -> Iterator[Finding]:
        """
        Yield what single rows break, column by column.

        Parameters
        ----------
        counted : Counted
            The pass over the rows.

        Yields
        ------
        Finding
            One for each check that some row breaks.
        """
        unreadable = self._unreadable_findings(counted.rows)
        by_column: dict[str, list[Finding]] = {}
        for (check, count), amount in zip(counted.of_checks, counted.amounts, strict=True):
            if count:
                fault = f"{self._table}.{check.column} {check.wrong}: {count:,} of {counted.rows:,} rows"
                finding = self._finding(
                    check.column, check.check, check.severity, count, counted.rows, fault, self._examples(check)
                )
                by_column.setdefault(check.column, []).append(self._priced(finding, amount, counted))
        for name in dict.fromkeys([*self._columns, *unreadable]):
            if name in unreadable:
                yield unreadable[name]
            yield from by_column.get(name, [])

    def sparse_columns(self, counted: Counted) -> Iterator[Finding]:
        """
        Yield the columns with more missing values than is usual; one without any value is not the source's.

        Parameters
        ----------
        counted : Counted
            The pass over the rows.

        Yields
        ------
        Finding
            A warning for each.
        """
        for name, missing in counted.missing.items():
            if missing < counted.rows and missing > tolerated_missing(self._table, name) * counted.rows:
                fault = f"{self._table}.{name} is mostly missing: {missing:,} of {counted.rows:,} rows"
                yield self._finding(name, "mostly_missing", "warning", missing, counted.rows, fault)

    def exact_duplicates(self) -> Repeats:
        """
        Count rows that agree in every column.

        Returns
        -------
        Repeats
            Exact numbers.
        """
        return repeats(
            self._connection,
            self._rows,
            self._columns,
            broken=self._broken(),
            money=self._money,
            flagged=self._flagged,
        )

    def repeated_keys(self) -> Repeats:
        """
        Count rows that agree in the key, where the table has one.

        Returns
        -------
        Repeats
            Exact numbers; rows without a key are missing it and repeat nothing.
        """
        key = key_of(self._table)
        if not key:
            return Repeats()
        there = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in key)
        relation = f"(SELECT * FROM {self._rows} WHERE {there})"
        return repeats(self._connection, relation, key, broken=self._broken(), flagged=self._flagged)

    def repeat_findings(self, keyed: Repeats, exact: Repeats, counted: Counted) -> Iterator[Finding]:
        """
        Yield what stands more than once.

        Parameters
        ----------
        keyed, exact : Repeats
            Repeated keys and exact duplicates.
        counted : Counted
            The pass over the rows.

        Yields
        ------
        Finding
            An error for keys, a warning for duplicates.
        """
        rows = counted.rows
        if keyed.surplus:
            key = ", ".join(key_of(self._table))
            fault = f"{self._table}.{key}: {keyed.surplus:,} rows repeat a key that must be unique"
            alike = tuple(f"{n:,} rows with one key" for n in keyed.largest)
            yield self._finding(key, "repeated_key", "error", keyed.surplus, rows, fault, alike)
        if exact.surplus:
            fault = f"{self._table}: {exact.surplus:,} of {rows:,} rows repeat an earlier row exactly"
            alike = tuple(f"{n:,} equal rows" for n in exact.largest)
            finding = self._finding(None, "exact_duplicate", "warning", exact.surplus, rows, fault, alike)
            yield self._priced(finding, exact.money, counted)

    def gaps(self, last_day: date | None) -> Iterator[Finding]:
        """
        Yield the days without any row where their weekday usually has some, as one warning.

        Parameters
        ----------
        last_day : datetime.date or None
            The last day of the data.

        Yields
        ------
        Finding
            At most one.
        """
        if not covers_days(self._table):
            return
        lacking, expected = missing_days(within(day_counts(self._connection, self._table, self._rows), last_day))
        if lacking:
            fault = f"{self._table}: {len(lacking):,} of {expected:,} days that usually have rows have none"
            examples = tuple(day.isoformat() for day in lacking[:MAX_EXAMPLES])
            yield self._finding(None, "gap", "warning", len(lacking), expected, fault, examples)

    def _finding(
        self,
        column: str | None,
        check: str,
        severity: Severity,
        count: int,
        total: int,
        fault: str,
        examples: tuple[str, ...] = (),
    ) -> Finding:
        advice = advice_for(self._table, column, check)
        return Finding(self._table, column, check, severity, count, total, examples, MEANINGS[check], advice, fault)

    def _priced(self, finding: Finding, amount: Decimal, counted: Counted) -> Finding:
        """Return a finding with the money that it concerns, where rows have amounts."""
        if not self._has_amount:
            return finding
        return replace(finding, money=amount, money_share=float(amount / counted.money) if counted.money else 0.0)

    def _broken(self, part: str | None = None) -> str:
        """Return the condition that a row breaks a check, of one part of the score or of any."""
        unreadable = f"coalesce(len({identifier(UNREADABLE)}) > 0, false)" if self._unreadable else "false"
        return f"({any_of(self._checks, part=part)} OR {unreadable})"

    def _optional(self) -> list[str]:
        """Return the columns of the relation that may lack values: optional ones and the source's own."""
        declared = CANONICAL[self._table].columns
        return [
            name
            for name in self._columns
            if not name.startswith("_") and not (name in declared and declared[name].required)
        ]

    def _unreadable_findings(self, rows: int) -> dict[str, Finding]:
        """Return a finding for each column with values that could not be read."""
        if not self._unreadable:
            return {}
        found = self._connection.execute(
            f"""
            SELECT split_part(entry, ': ', 1) AS name, count(*), min(substr(entry, length(name) + 3), {_LOOKED_AT})
            FROM (SELECT unnest({identifier(UNREADABLE)}) AS entry FROM {self._rows})
            GROUP BY name ORDER BY name
            """
        ).fetchall()
        return {name: self._unreadable_finding(name, count, rows, values) for name, count, values in found}

    def _unreadable_finding(self, name: str, count: int, rows: int, values: list[str]) -> Finding:
        column = CANONICAL[self._table].columns.get(name)
        fault = f"{self._table}.{name}: {count:,} of {rows:,} values are no {kind_of(column) if column else 'value'}"
        return self._finding(name, "unreadable", "error", count, rows, fault, _distinct(map(masked, values)))

    def _examples(self, check: RowCheck) -> tuple[str, ...]:
        """Return up to five masked examples of a fault that is there."""
        if not check.example:
            return ()
        rows = self._connection.execute(
            f"SELECT DISTINCT {check.example} AS value FROM {self._relation} WHERE {check.condition} "
            f"ORDER BY value LIMIT {_LOOKED_AT}"
        ).fetchall()
        if check.check == "time_order":
            return _distinct(sorted(f"{_duration(int(value))} before" for (value,) in rows))
        return _distinct(masked(str(value)) for (value,) in rows)

    def _one(self, expressions: str) -> tuple[int, ...]:
        row = self._connection.execute(f"SELECT {expressions} FROM {self._relation}").fetchone()
        return tuple(row or ())

    def _flagged(self, relation: str) -> str:
        """Return a relation with a flag for rows whose customer has no row in customers, where there are customers."""
        if self._customers is None:
            return relation
        return (
            f"(SELECT line.*, line.customer_id IS NOT NULL AND known.id IS NULL AS {identifier(UNKNOWN)} "
            f"FROM {relation} AS line LEFT JOIN (SELECT DISTINCT customer_id AS id FROM {self._customers}) AS known "
            "ON line.customer_id = known.id)"
        )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))[:MAX_EXAMPLES]


def _duration(minutes: int) -> str:
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size:,} {unit}"
    return f"{minutes} minutes"
