"""
Rules about times: rows dated impossibly, ends before beginnings, times written in another zone.

How landed times came into the dataset's days belongs in :mod:`crm_analysis.tables.sources`.
"""

from __future__ import annotations

from crm_analysis.errors import DataQualityError
from crm_analysis.tables.cleaning.arguments import ImpossibleDates, TimeZoneOf
from crm_analysis.tables.cleaning.stages import Stage, Step
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import CANONICAL, dated_by, kind_of


def impossible_dates(stage: Stage, argument: ImpossibleDates) -> Step:
    """
    Leave out rows dated outside two days, and make later times null that lie before their row's own date.

    Parameters
    ----------
    stage : Stage
        The table.
    argument : ImpossibleDates
        The first and the last day.

    Returns
    -------
    Step
        What is dropped and what is changed.

    Notes
    -----
    With such a time, the values that became known with it (a case's satisfaction with ``resolved_at``) are made null as
    well: nobody can say from when they were known. Rows without a date stay; the contract tells them.
    """
    dated = stage.column(dated_by(stage.table), "TIMESTAMP")
    bounds = []
    if argument.earliest:
        bounds.append(("before", argument.earliest, f"{dated} < DATE '{argument.earliest}'"))
    if argument.latest:
        bounds.append(("after", argument.latest, f"CAST({dated} AS DATE) > DATE '{argument.latest}'"))
    outside = " OR ".join(condition for _, _, condition in bounds)
    replaced = _without_early_ends(stage, dated)
    said = [f"rows dated {' or '.join(f'{side} {day}' for side, day, _ in bounds)} are left out"] if bounds else []
    if replaced:
        said.append(f"later times before {dated_by(stage.table)} become missing")
    return Step(
        "; ".join(said) or "no bounds are given",
        dropped=outside or "false",
        replaced=replaced,
    )


def _without_early_ends(stage: Stage, dated: str) -> dict[str, str]:
    """Return a new value for each later time, and for what became known with it."""
    declared = CANONICAL[stage.table].columns
    replaced = {}
    for name, column in declared.items():
        known_with = column.metadata.get("known_with")
        ends = name if column.metadata.get("not_before") else known_with
        if ends and name in stage.columns and ends in stage.columns:
            replaced[name] = f"CASE WHEN t.{identifier(ends)} < {dated} THEN NULL ELSE t.{identifier(name)} END"
    return replaced


def time_zone(stage: Stage, argument: TimeZoneOf) -> Step:
    """
    Move times that were written in another zone than the dataset's.

    Parameters
    ----------
    stage : Stage
        The table.
    argument : TimeZoneOf
        The zone, or the column that names it row by row.

    Returns
    -------
    Step
        What is changed; and dropped, where a row is moved past the last moment known.

    Raises
    ------
    DataQualityError
        A row names no zone, or none of the IANA's.

    Notes
    -----
    Landed times were moved from the dataset's zone to that of its days; this is undone, and done again from the right
    zone. A column whose times are all midnights holds days, which are the same everywhere, and stays. In the hour that
    a clock repeats in autumn, a time may be an hour off.
    """
    written = literal(argument.zone) if argument.zone else _zone_column(stage, argument.column or "")
    named = argument.zone or f"the zone that {argument.column} names"
    moved = {name: _moved(stage, name, written) for name in _clock_columns(stage)}
    if not moved:
        return Step(f"times were written in {named}; there are none with a clock")
    end, dated = stage.context.end, dated_by(stage.table)
    if end is None:
        return Step(f"times were written in {named}, and are moved from there", replaced=moved, is_costly=True)
    limit = f"TIMESTAMP {literal(end.isoformat(sep=' '))}"
    return Step(
        f"times were written in {named}, and are moved from there; what is then dated {end:%Y-%m-%d} or later is left out",
        dropped=f"{moved[dated]} >= {limit}" if dated in moved else "false",
        replaced=_known(stage, moved, limit),
        is_costly=True,
    )


def _known(stage: Stage, moved: dict[str, str], limit: str) -> dict[str, str]:
    """Return new values, null where they became known at the limit or later."""
    known = dict(moved)
    for name, column in CANONICAL[stage.table].columns.items():
        with_time = column.metadata.get("known_with")
        if name in stage.columns and with_time in moved:
            value = moved.get(name, f"t.{identifier(name)}")
            known[name] = f"CASE WHEN {moved[with_time]} >= {limit} THEN NULL ELSE {value} END"
    return known


def _moved(stage: Stage, name: str, written: str) -> str:
    source, day = (literal(zone) for zone in stage.context.zones)
    landed = f"t.{identifier(name)}"
    as_written = landed if source == day else f"timezone({source}, timezone({day}, {landed}))"
    return f"timezone({day}, timezone({written}, {as_written}))"


def _time_columns(stage: Stage) -> list[str]:
    declared = CANONICAL[stage.table].columns.items()
    return [name for name, column in declared if kind_of(column) == "time" and name in stage.columns]


def _clock_columns(stage: Stage) -> list[str]:
    """Return the time columns that hold more than days."""
    names = _time_columns(stage)
    clocks = ", ".join(f"bool_or(t.{identifier(n)} <> date_trunc('day', t.{identifier(n)}))" for n in names)
    row = stage.bench.connection.execute(f"SELECT {clocks or 'NULL'} FROM {stage.relation} AS t").fetchone()
    return [name for name, has_clock in zip(names, row or (), strict=False) if has_clock]


def _zone_column(stage: Stage, name: str) -> str:
    """Return the zone of each row, after checking that all are known."""
    zone = f"trim(CAST({stage.named(name, 'time_zone')} AS VARCHAR))"
    some_time = " OR ".join(f"t.{identifier(column)} IS NOT NULL" for column in _time_columns(stage))
    row = stage.bench.connection.execute(
        f"SELECT count(*) FILTER (WHERE {zone} IS NULL), count(*) FILTER (WHERE z.name IS NULL AND {zone} IS NOT NULL), "
        f"count(DISTINCT {zone}) FILTER (WHERE z.name IS NULL) "
        f"FROM {stage.relation} AS t LEFT JOIN pg_timezone_names() AS z ON z.name = {zone} WHERE {some_time or 'false'}"
    ).fetchone()
    missing, unknown, names = row or (0, 0, 0)
    if missing or unknown:
        raise DataQualityError(
            f"tables.{stage.table}.cleaning.time_zone: of {stage.totals.rows:,} rows, {missing:,} name no zone in {name} and "
            f"{unknown:,} name one that is no IANA time zone ({names:,} different names). Repair the column, or give one "
            "zone for the whole table."
        )
    return zone
