"""
Stages: what a rule is going to do to a relation, measured first and written only where it touches something.

Which rows and values a rule touches belongs to the module of its kind; their order in :mod:`crm_analysis.tables.cleaning.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import duckdb

from crm_analysis.errors import ParamsError
from crm_analysis.tables.cleaning.ledger import MONEY, LedgerLine, Totals, ledger_line
from crm_analysis.tables.cleaning.workbench import Workbench
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.workspace import did_you_mean

_MONEY_TYPE = "DECIMAL(18, 4)"


@dataclass(frozen=True)
class CleaningContext:
    """
    What rules must know of the dataset.

    Attributes
    ----------
    currency : str
        The dataset's.
    zones : tuple of str
        The time zone of the source's times, and the one whose midnights cut days: landed times were moved between them.
    merged : str, optional
        A quoted relation with ``customer_id`` and ``merged_into`` (ids as in the tables) and perhaps ``_clear_merged_into``.
    end : datetime.datetime, optional
        The first moment that is not known; what `time_zone` moves there is left out.
    """

    currency: str
    zones: tuple[str, str]
    merged: str | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Stage:
    """
    A table between two rules.

    Attributes
    ----------
    table : str
        The canonical table.
    relation : str
        A quoted name; rules call its rows ``t``.
    columns : mapping
        Column to SQL type.
    totals : Totals
        Its rows and money.
    bench : Workbench
        Where rules may write.
    context : CleaningContext
        What rules must know of the dataset.
    """

    table: str
    relation: str
    columns: Mapping[str, str]
    totals: Totals
    bench: Workbench
    context: CleaningContext

    def column(self, name: str, sql_type: str = "VARCHAR") -> str:
        """
        Return a canonical column of ``t``, or null where the relation lacks it.

        Parameters
        ----------
        name : str
            The column.
        sql_type : str
            Type of the null.

        Returns
        -------
        str
            SQL.
        """
        return f"t.{identifier(name)}" if name in self.columns else f"CAST(NULL AS {sql_type})"

    def named(self, name: str, rule: str) -> str:
        """
        Return a column of ``t`` that the dataset file names.

        Parameters
        ----------
        name : str
            The column.
        rule : str
            Who names it, for the message.

        Returns
        -------
        str
            SQL.

        Raises
        ------
        ParamsError
            The relation lacks it.
        """
        if name not in self.columns:
            known = [column for column in self.columns if not column.startswith("_")]
            raise ParamsError(
                f"tables.{self.table}.cleaning.{rule}: there is no column {name!r}{did_you_mean(name, known)}; "
                f"the table has {', '.join(known)}. Name one of these, or map it under tables.{self.table}.columns."
            )
        return f"t.{identifier(name)}"

    def count(self, condition: str) -> Totals:
        """
        Measure the rows that meet a condition.

        Parameters
        ----------
        condition : str
            SQL over ``t``.

        Returns
        -------
        Totals
            Rows and money.
        """
        return _totals(self.bench.connection, self.table, self.columns, f"{self.relation} AS t WHERE {condition}")


@dataclass(frozen=True)
class Step:
    """
    What a rule is going to do, in SQL over rows ``t``.

    Attributes
    ----------
    detail : str
        In plain words, for the ledger.
    dropped : str
        The rows that are left out.
    replaced : mapping
        Column to its new value.
    added : mapping
        New column to its value, a flag; a row counts as changed where it is true.
    joined : str
        What is joined to ``t``, at most one row each.
    touched : str, optional
        A relation with all rows that can be dropped or changed; default: every row.
    written : str, optional
        The query of what is left; default: made from the attributes above.
    is_costly : bool
        Whether the rows are worth writing at once, because reading a view of them again and again would cost more.
    """

    detail: str
    dropped: str = "false"
    replaced: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    joined: str = ""
    touched: str | None = None
    written: str | None = None
    is_costly: bool = False


def first_stage(bench: Workbench, table: str, relation: str, context: CleaningContext) -> Stage:
    """
    Return a table before the first rule.

    Parameters
    ----------
    bench : Workbench
        Where rules may write.
    table : str
        The canonical table.
    relation : str
        A quoted name.
    context : CleaningContext
        What rules must know of the dataset.

    Returns
    -------
    Stage
        Measured.
    """
    columns = _columns(bench.connection, relation)
    totals = _totals(bench.connection, table, columns, f"{relation} AS t")
    return Stage(table, relation, columns, totals, bench, context)


def apply(stage: Stage, rule: str, step: Step) -> tuple[Stage, LedgerLine]:
    """
    Measure what a step does, write it where it does anything, and measure what is left.

    Parameters
    ----------
    stage : Stage
        The table before.
    rule : str
        Whose step it is.
    step : Step
        What is to be done.

    Returns
    -------
    Stage
        The same where no row is touched, so that nothing is written anew.
    LedgerLine
        Of the rule.
    """
    dropped, changed, kept = _measured(stage, step)
    after = stage
    if dropped.rows or changed.rows or step.added:
        kind = "TABLE" if step.is_costly else "VIEW"
        relation = stage.bench.write(rule, step.written or _query(stage, step), kind=kind)
        if step.is_costly:
            stage.bench.clear(but=relation)
        columns = _columns(stage.bench.connection, relation)
        totals = kept or _totals(stage.bench.connection, stage.table, columns, f"{relation} AS t")
        after = replace(stage, relation=relation, columns=columns, totals=totals)
    line = ledger_line(
        stage.table, rule, step.detail, before=stage.totals, dropped=dropped, changed=changed, after=after.totals
    )
    return after, line


def settle(stage: Stage) -> str:
    """
    Write the last stage as a table, if it is none, and drop all others.

    Parameters
    ----------
    stage : Stage
        After the last rule.

    Returns
    -------
    str
        A quoted name: what came in where no rule did anything.

    Raises
    ------
    ValueError
        The table holds something else than the ledger says.
    """
    relation = stage.relation
    kind = stage.bench.kind(relation)
    if kind == "VIEW":
        relation = stage.bench.write("cleaned", f"SELECT * FROM {relation}")
    stage.bench.clear(but=relation)
    if kind is None:
        return relation
    written = _totals(stage.bench.connection, stage.table, stage.columns, f"{relation} AS t")
    if written != stage.totals:
        raise ValueError(f"{stage.table} after cleaning holds {written}, but its ledger ends with {stage.totals}")
    return relation


def values_list(values: Iterable[str]) -> str:
    """
    Return texts as they stand within SQL's ``IN (…)``.

    Parameters
    ----------
    values : iterable of str
        At least one.

    Returns
    -------
    str
        Quoted, with commas between.

    Examples
    --------
    >>> values_list(["POST", "M"])
    "'POST', 'M'"
    """
    return ", ".join(literal(value) for value in values)


def _query(stage: Stage, step: Step) -> str:
    replaced = ", ".join(f"{value} AS {identifier(name)}" for name, value in step.replaced.items())
    added = "".join(f", {value} AS {identifier(name)}" for name, value in step.added.items())
    star = f"t.* REPLACE ({replaced})" if replaced else "t.*"
    return f"SELECT {star}{added} FROM {stage.relation} AS t {step.joined} WHERE NOT {_certain(step.dropped)}"


def _measured(stage: Stage, step: Step) -> tuple[Totals, Totals, Totals | None]:
    """Return what a step drops, changes and keeps, each counted by itself; None where it did not see all rows."""
    dropped = _certain(step.dropped)
    differs = [f"({value}) IS DISTINCT FROM t.{identifier(name)}" for name, value in step.replaced.items()]
    changed = " OR ".join([*differs, *(_certain(flag) for flag in step.added.values())]) or "false"
    touched = f"NOT {dropped} AND ({changed})"
    old = _money(stage.table, stage.columns)
    new = step.replaced.get(MONEY.get(stage.table, ""), old)
    gain = f"coalesce({new}, 0) - coalesce({old}, 0)" if old else "0"
    row = stage.bench.connection.execute(
        f"SELECT count(*) FILTER (WHERE {dropped}), sum({old or 0}) FILTER (WHERE {dropped}), "
        f"count(*) FILTER (WHERE {touched}), sum({gain}) FILTER (WHERE {touched}), "
        f"count(*) FILTER (WHERE NOT {dropped}), sum({new or 0}) FILTER (WHERE NOT {dropped}) "
        f"FROM {step.touched or stage.relation} AS t {step.joined}"
    ).fetchone()
    figures = row or (0, None) * 3
    totals = [
        Totals(int(rows), _amount(amount) if old else None)
        for rows, amount in zip(figures[::2], figures[1::2], strict=True)
    ]
    return totals[0], totals[1], None if step.touched else totals[2]


def _certain(condition: str) -> str:
    return f"coalesce({condition}, false)"


def _totals(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], source: str) -> Totals:
    money = _money(table, columns)
    row = connection.execute(f"SELECT count(*), sum({money or 0}) FROM {source}").fetchone()
    rows, amount = row or (0, None)
    return Totals(int(rows), _amount(amount) if money else None)


def _money(table: str, columns: Mapping[str, str]) -> str | None:
    """Return the money of ``t`` as an exact number, None where the table holds none."""
    name = MONEY.get(table)
    if name is None or name not in columns:
        return None
    return f"t.{name}" if columns[name].startswith("DECIMAL") else f"CAST(t.{name} AS {_MONEY_TYPE})"


def _amount(value: Decimal | None) -> Decimal:
    return value if value is not None else Decimal("0.0000")


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
