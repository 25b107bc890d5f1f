"""
Times in text: in which order day, month and year stand, and what cannot be told.

Formats are DuckDB's; a column that its cast reads by itself (``2024-01-31 10:00``) needs none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

_CLOCK = (
    r"(?:(?P<gap>T|,? )(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<seconds>:\d{2})?(?P<fraction>\.\d{1,9})?(?P<half>\s?[AaPp][Mm])?"
    r"(?P<zone>\s?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "numbers": re.compile(rf"(?P<a>\d{{1,4}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<c>\d{{1,4}}){_CLOCK}"),
    "day_name": re.compile(
        rf"(?P<a>\d{{1,2}})(?P<mark>[-/ ])(?P<name>[A-Za-z]{{3,9}})(?P=mark)(?P<c>\d{{4}}|\d{{2}}){_CLOCK}"
    ),
    "name_day": re.compile(rf"(?P<name>[A-Za-z]{{3,9}}) (?P<b>\d{{1,2}})(?P<comma>,?) (?P<c>\d{{4}}){_CLOCK}"),
    "chinese": re.compile(rf"(?P<a>\d{{4}})年(?P<b>\d{{1,2}})月(?P<c>\d{{1,2}})日{_CLOCK}"),
    "compact": re.compile(
        r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?P<clock>(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)?"
    ),
}
_EPOCHS: Mapping[str, tuple[float, float]] = {"seconds": (6e8, 4.2e9), "milliseconds": (6e11, 4.2e12)}  # 1989 to 2103
_PROOFS: Mapping[str, str] = {
    "dmy": "day first: some values have more than 12 there",
    "mdy": "month first: some values have more than 12 in second place",
}
_MOSTLY = 0.8
MAX_TESTED = 5_000
Part = str | None


@dataclass(frozen=True)
class Times:
    """
    How the times of a column are written.

    Attributes
    ----------
    written : str or None
        A format; None where none is needed.
    other : str or None
        The format with day and month in the other order, where that is as likely.
    epoch : str or None
        ``seconds`` or ``milliseconds`` where times are counted from 1970.
    is_zoned : bool
        Whether the file stores instants.
    has_clock : bool
        Whether any value says more than a day.
    zones : collections.Counter
        Zone suffix to how many values carry it.
    proof : str
        What shows the order of day and month; empty where nothing needs to.
    doubts : tuple of str
        What else is unsure, as the end of a sentence.
    """

    written: str | None
    other: str | None = None
    epoch: str | None = None
    is_zoned: bool = False
    has_clock: bool = True
    zones: Counter[str] = field(default_factory=Counter)
    proof: str = ""
    doubts: tuple[str, ...] = ()


def read_times(counts: Counter[str], *, stored: str = "text") -> Times | None:
    """
    Tell how the times of a column are written.

    Parameters
    ----------
    counts : collections.Counter
        Value to how often.
    stored : {"text", "number"}
        What the file stores.

    Returns
    -------
    Times or None
        None where four fifths of the values are no times.

    Examples
    --------
    >>> read_times(Counter(["31.01.2024", "01.02.2024"])).written
    '%d.%m.%Y'
    >>> read_times(Counter(["01/02/2024", "03/04/2024"])).other
    '%m/%d/%Y'
    """
    tested = Counter(dict(counts.most_common(MAX_TESTED)))
    if not tested:
        return None
    epoch = _epoch(tested)
    if epoch:
        return Times(written=None, epoch=epoch)
    if stored == "number":
        return None
    found = [(shape, match, count) for value, count in tested.items() for shape, match, count in _shaped(value, count)]
    if sum(count for _, _, count in found) < _MOSTLY * tested.total():
        return None
    return _times(tested, found)


Found = list[tuple[str, re.Match[str], int]]


def _shaped(value: str, count: int) -> Found:
    for shape, pattern in _SHAPES.items():
        match = pattern.fullmatch(value)
        if match:
            return [(shape, match, count)]
    return []


def _epoch(counts: Counter[str]) -> str | None:
    """Return the unit of times that are counted from 1970."""
    numbers = [float(value) for value in counts if re.fullmatch(r"\d{9,13}(?:\.\d+)?", value)]
    if len(numbers) < _MOSTLY * len(counts):
        return None
    return next(
        (unit for unit, (low, high) in _EPOCHS.items() if all(low <= number < high for number in numbers)), None
    )


def _times(counts: Counter[str], found: Found) -> Times | None:
    """Choose the order that the values prove, else day before month, and note what is unsure."""
    orders, doubts = _orders(found)
    other = _format(orders[1], found) if len(orders) > 1 else None
    written = _format(orders[0], found)
    has_clock = any(match.groupdict().get("hour") or match.groupdict().get("clock") for _, match, _ in found)
    zones = Counter[str]()
    for _, match, count in found:
        zone = match.groupdict().get("zone")
        if zone:
            zones[zone.strip()] += count
    if orders[0] == "iso" and not _unread(counts, None, is_zoned=bool(zones)):
        return Times(None, has_clock=has_clock, zones=zones)
    unread = _unread(counts, written)
    if unread > (1 - _MOSTLY) * counts.total() and not doubts:
        return None
    if unread:
        doubts.append(
            f"{unread:,} of {counts.total():,} values looked at are not written like the others, or are no days"
        )
    is_proved = len(orders) == 1 and orders[0] in _PROOFS and not doubts
    return Times(
        written,
        other,
        has_clock=has_clock,
        zones=zones,
        proof=_PROOFS[orders[0]] if is_proved else "",
        doubts=tuple(doubts),
    )


def _orders(found: Found) -> tuple[list[str], list[str]]:
    """Return the orders of day, month and year that are possible, the likelier first, and doubts."""
    shape = Counter[str]()
    for name, _, count in found:
        shape[name] += count
    main = shape.most_common(1)[0][0]
    if main != "numbers":
        return [main], []
    parts = [match.group("a", "b", "c") for name, match, _ in found if name == "numbers"]
    if sum(len(a) == 4 for a, _, _ in parts) > len(parts) / 2:
        return ["iso"], []
    above = [sum(int(part[place]) > 12 for part in parts if len(part[0]) < 3) for place in (0, 1)]
    if above[0] and above[1]:
        text = f"in {above[0]:,} different values the day stands first, in {above[1]:,} the month: the orders are mixed"
        return (["dmy"] if above[0] >= above[1] else ["mdy"]), [text]
    if above[0] or above[1]:
        return (["dmy"] if above[0] else ["mdy"]), []
    return ["dmy", "mdy"], []  # nothing proves either


def _format(order: str, found: Found) -> str:
    """Return the format of most values that share an order."""
    wanted = {"iso": "numbers", "dmy": "numbers", "mdy": "numbers"}.get(order, order)
    formats = Counter[str]()
    for shape, match, count in found:
        if shape == wanted:
            formats[_layout(order, match)] += count
    return formats.most_common(1)[0][0]


def _layout(order: str, match: re.Match[str]) -> str:
    parts = match.groupdict()
    mark = parts.get("mark") or ""
    year = "%Y" if len(parts.get("c") or "") != 2 else "%y"
    month = "%B" if len(parts.get("name") or "") > 3 else "%b"
    layouts = {
        "iso": f"%Y{mark}%m{mark}%d",
        "dmy": f"%d{mark}%m{mark}{year}",
        "mdy": f"%m{mark}%d{mark}{year}",
        "day_name": f"%d{mark}{month}{mark}{year}",
        "name_day": f"{month} %d{parts.get('comma') or ''} %Y",
        "chinese": "%Y年%m月%d日",
        "compact": "%Y%m%d%H%M%S" if parts.get("clock") else "%Y%m%d",
    }
    return layouts[order] + _clock_layout(parts)


def _clock_layout(parts: Mapping[str, Part]) -> str:
    if not parts.get("hour"):
        return ""
    half = parts.get("half") or ""
    clock = f"{parts['gap']}{'%I' if half else '%H'}:%M"
    clock += ":%S" if parts.get("seconds") else ""
    clock += ".%f" if parts.get("fraction") else ""
    clock += (" %p" if half[0].isspace() else "%p") if half else ""
    zone = parts.get("zone") or ""
    return clock + (" " if zone[:1].isspace() else "") + ("%z" if zone.strip()[:1] in {"+", "-"} else zone.strip())


def _unread(counts: Counter[str], written: str | None, *, is_zoned: bool = False) -> int:
    """Count the values that the engine does not read in a format, or by itself."""
    values = list(counts)
    kind = "TIMESTAMP WITH TIME ZONE" if is_zoned else "TIMESTAMP"
    test = f"TRY_CAST(value AS {kind})" if written is None else "try_strptime(value, $written)"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT value FROM (SELECT unnest($values) AS value) WHERE {test} IS NULL",
            {"values": values} | ({} if written is None else {"written": written}),
        ).fetchall()
    return sum(counts[str(row[0])] for row in rows)
