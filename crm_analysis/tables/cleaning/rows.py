"""
Rules that leave out whole rows of any table: repeated, of nobody, superseded, unreadable.

Rules about what a line of a purchase is belong in :mod:`crm_analysis.tables.cleaning.purchases`.
"""

from __future__ import annotations

from typing import Literal

from crm_analysis.tables.cleaning.arguments import MissingValues, Nothing, OneRowPerKey
from crm_analysis.tables.cleaning.stages import Stage, Step
from crm_analysis.tables.cleaning.workbench import row_count
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import CANONICAL, required_columns

UNREADABLE = "_unreadable"
_MANY = 500_000  # rows apart; so many are not put together again at every reading


def drop_exact_duplicates(stage: Stage, _: Nothing) -> Step:
    """
    Leave out rows that equal another in every column; one of them stays.

    Parameters
    ----------
    stage : Stage
        The table.
    _ : Nothing
        No argument.

    Returns
    -------
    Step
        What is dropped.

    Notes
    -----
    Only rows whose hash occurs more than once are compared, value by value; so a large table is not sorted or hashed as a
    whole, and equal hashes of different rows do no harm.
    """
    names = ", ".join(f"t.{identifier(name)}" for name in stage.columns)
    hashed = f"hash({names})"
    suspects = stage.bench.write(
        "suspects", f"SELECT {hashed} AS hashed FROM {stage.relation} AS t GROUP BY 1 HAVING count(*) > 1"
    )
    copies = stage.bench.write(
        "copies",
        f"SELECT t.*, count(*) AS _copies FROM {stage.relation} AS t SEMI JOIN {suspects} AS s ON {hashed} = s.hashed "
        f"GROUP BY {names}",
    )
    once = f"SELECT * EXCLUDE (_copies) FROM {copies}"
    return Step(
        "rows that equal another in every column are left out; one of them stays",
        dropped="t._copy > 0",
        touched=f"(SELECT *, unnest(range(_copies)) AS _copy FROM {copies})",
        written=f"SELECT t.* FROM {stage.relation} AS t ANTI JOIN {suspects} AS s ON {hashed} = s.hashed UNION ALL {once}",
        is_costly=row_count(stage.bench.connection, copies) > _MANY,
    )


def drop_missing_customers(stage: Stage, _: Nothing) -> Step:
    """
    Leave out rows without a customer.

    Parameters
    ----------
    stage : Stage
        The table.
    _ : Nothing
        No argument.

    Returns
    -------
    Step
        What is dropped.
    """
    return Step(
        "rows without a customer are left out",
        dropped=f"{stage.column('customer_id')} IS NULL",
    )


def drop_missing_values(stage: Stage, argument: MissingValues) -> Step:
    """
    Leave out rows that lack a value in any of some columns.

    Parameters
    ----------
    stage : Stage
        The table.
    argument : MissingValues
        Which columns.

    Returns
    -------
    Step
        What is dropped.

    Raises
    ------
    ParamsError
        The table has no such column.
    """
    columns = [stage.named(name, "drop_missing_values") for name in argument.columns]
    return Step(
        f"rows without a value in {' or '.join(argument.columns)} are left out",
        dropped=" OR ".join(f"{column} IS NULL" for column in columns),
    )


def one_row_per_key(stage: Stage, argument: OneRowPerKey) -> Step:
    """
    Keep one row of each key: the last or the first by a column.

    Parameters
    ----------
    stage : Stage
        A table with a key.
    argument : OneRowPerKey
        By which column, which end.

    Returns
    -------
    Step
        What is dropped.

    Notes
    -----
    A row without a value in that column loses against one that has it; ties are decided by all other columns, in their
    order, so that the choice does not depend on the order of rows. Rows without a key all stay.
    """
    by = stage.named(argument.by, "one_row_per_key")
    keys = [f"t.{identifier(name)}" for name in CANONICAL[stage.table].unique or []]
    key, known = ", ".join(keys), " AND ".join(f"{name} IS NOT NULL" for name in keys)
    repeated = stage.bench.write(
        "repeated", f"SELECT {key} FROM {stage.relation} AS t WHERE {known} GROUP BY ALL HAVING count(*) > 1"
    )
    direction = "DESC" if argument.keep == "last" else "ASC"
    rest = "".join(f", t.{identifier(name)} NULLS LAST" for name in stage.columns)
    same = " AND ".join(f"{name} = r.{name.removeprefix('t.')}" for name in keys)
    ranked = stage.bench.write(
        "ranked",
        f"SELECT t.*, row_number() OVER (PARTITION BY {key} ORDER BY {by} {direction} NULLS LAST{rest}) AS _rank "
        f"FROM {stage.relation} AS t SEMI JOIN {repeated} AS r ON {same}",
    )
    kept = f"SELECT * EXCLUDE (_rank) FROM {ranked} WHERE _rank = 1"
    return Step(
        f"of the rows of one key ({', '.join(CANONICAL[stage.table].unique or [])}), the {argument.keep} by {argument.by} stays",
        dropped="t._rank > 1",
        touched=ranked,
        written=f"SELECT t.* FROM {stage.relation} AS t ANTI JOIN {repeated} AS r ON {same} UNION ALL {kept}",
        is_costly=row_count(stage.bench.connection, ranked) > _MANY,
    )


def unreadable_values(stage: Stage, treatment: Literal["drop", "null"]) -> Step:
    """
    Leave out rows with values that could not be read, or accept that these values are missing.

    Parameters
    ----------
    stage : Stage
        The table.
    treatment : {"drop", "null"}
        ``null`` takes the mark off a row unless the column is required: such a row stays marked.

    Returns
    -------
    Step
        What is dropped or changed.
    """
    if UNREADABLE not in stage.columns:
        return Step("there are no unreadable values")
    marks = f"t.{UNREADABLE}"
    if treatment == "drop":
        return Step("rows with an unreadable value are left out", dropped=f"len({marks}) > 0")
    required = required_columns(stage.table)
    is_needed = " OR ".join(f"starts_with(mark, {literal(name + ': ')})" for name in required)
    needed = f"list_filter({marks}, lambda mark: {is_needed})"
    return Step(
        f"unreadable values count as missing, but not those of required columns ({', '.join(required)})",
        replaced={UNREADABLE: f"CASE WHEN len({needed}) > 0 THEN {needed} END"},
    )
