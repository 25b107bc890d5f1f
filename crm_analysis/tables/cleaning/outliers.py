"""
Outliers: extreme values are drawn to limits or flagged, and no row is left out for being one.

Values that cannot be right, such as impossible dates, belong in :mod:`crm_analysis.tables.cleaning.times` and
:mod:`crm_analysis.tables.cleaning.purchases`.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_analysis.errors import ParamsError
from crm_analysis.tables.cleaning.arguments import Outliers
from crm_analysis.tables.cleaning.stages import Stage, Step
from crm_analysis.tables.engine import literal

OUTLIER_FLAG = "is_outlier"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_BROKEN = ("FLOAT", "DOUBLE")


@dataclass(frozen=True)
class _Limits:
    """The largest and the smallest value that is not extreme, as text; None where no value has that sign."""

    low: str | None
    high: str | None

    def in_words(self) -> str:
        sides = [("above", self.high), ("below", self.low)]
        known = [f"{side} about {_rough(limit)}" for side, limit in sides if limit is not None]
        return " or ".join(known) or "beyond limits, for which there are no values,"


def _rough(limit: str) -> str:
    """Return a limit with two digits: the exact one is somebody's."""
    return f"{float(f'{float(limit):.2g}'):,.12g}"


def outliers(stage: Stage, argument: Outliers) -> Step:
    """
    Draw extreme values to limits, or flag their rows.

    Parameters
    ----------
    stage : Stage
        The table.
    argument : Outliers
        Which column, which treatment, which share.

    Returns
    -------
    Step
        What is changed; ``flag`` adds the column ``is_outlier``.

    Raises
    ------
    ParamsError
        The column is missing or holds no numbers, or the table has a column ``is_outlier`` already.

    Notes
    -----
    The limits are quantiles of the rows given, for each sign by itself: the value that a share of (1 − `share`) of the
    positive values does not exceed, and likewise for the size of the negative ones. They are values that occur. Only the
    named column changes: a winsorised amount is no longer quantity times price.
    """
    value, sql_type = _value(stage, argument)
    limits = _limits(stage, argument, value)
    high, low = (f"CAST({literal(limit) if limit else 'NULL'} AS {sql_type})" for limit in (limits.high, limits.low))
    words = f"values of {argument.column} {limits.in_words()} (the outermost {argument.share:.6g} of each sign)"
    if argument.treatment == "flag":
        flag = f"coalesce({value} > {high}, false) OR coalesce({value} < {low}, false)"
        return Step(f"rows with {words} are flagged in {OUTLIER_FLAG}", added={OUTLIER_FLAG: flag})
    column = stage.named(argument.column, "outliers")
    drawn = f"CASE WHEN {value} > {high} THEN {high} WHEN {value} < {low} THEN {low} ELSE {column} END"
    return Step(
        f"{words} are set to that limit",
        replaced={argument.column: f"CAST({drawn} AS {stage.columns[argument.column]})"},
    )


def _value(stage: Stage, argument: Outliers) -> tuple[str, str]:
    """Return the column as a number that can be compared and negated, and its type."""
    column, name = stage.named(argument.column, "outliers"), argument.column
    declared, where = stage.columns[name], f"tables.{stage.table}.cleaning.outliers"
    if argument.treatment == "flag" and OUTLIER_FLAG in stage.columns:
        raise ParamsError(f"{where}: there is a column {OUTLIER_FLAG} already. Rename it under columns.")
    if declared in _BROKEN:
        return f"nullif({column}, CAST('nan' AS {declared}))", declared
    if declared in _WHOLE:
        return f"CAST({column} AS HUGEINT)", "HUGEINT"
    if declared.startswith("DECIMAL"):
        return column, declared
    raise ParamsError(f"{where}: column {name} holds no numbers ({declared}). Name a column of numbers.")


def _limits(stage: Stage, argument: Outliers, value: str) -> _Limits:
    share = f"{1 - argument.share:.12f}"
    row = stage.bench.connection.execute(
        f"SELECT CAST(-quantile_disc(-{value}, {share}) FILTER (WHERE {value} < 0) AS VARCHAR), "
        f"CAST(quantile_disc({value}, {share}) FILTER (WHERE {value} > 0) AS VARCHAR) FROM {stage.relation} AS t"
    ).fetchone()
    return _Limits(*(row or (None, None)))
