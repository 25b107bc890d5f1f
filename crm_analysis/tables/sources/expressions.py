"""
SQL expressions that give a source's column its canonical type; what cannot be read becomes null and is noted.

Which columns are taken, and where they land, belongs in :mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import SQL_TYPES, Kind
from crm_analysis.tables.sources.text import TextFormat

_FLOATS = {"DOUBLE", "FLOAT"}
_OFFSET = r":\d\d(\.\d+)?\s?(Z|[+-]\d\d(:?\d\d)?)$"  # of a clock, from universal time
_LOOSE_OFFSET, _PLAIN_OFFSET = r"\s?([+-]\d\d):?(\d\d)$", r"\1:\2"  # +0100, as the engine reads it
_ZONE_CODES = ("%z", "%Z")
_CLOCK_CODES = ("%H", "%I", "%X", "%c", "%T")
SHOWN_LENGTH = 60  # characters of a value that cannot be read are kept, to be masked before they are shown


@dataclass(frozen=True)
class SourceColumn:
    """
    A column of a source on its way into a canonical column.

    Attributes
    ----------
    name, source_type : str
        Its own name, and its SQL type.
    kind : str
        The canonical kind it is to have.
    text : TextFormat
        How text is written.
    written : str or None
        How its times are written.
    zones : tuple of str
        Time zone of the source's times, and the one whose midnights cut days.
    """

    name: str
    source_type: str
    kind: Kind
    text: TextFormat
    written: str | None
    zones: tuple[str, str]

    @property
    def given(self) -> str:
        """The value as the source has it; null where it is missing."""
        column = identifier(self.name)
        if self.source_type == "VARCHAR":
            tokens = ", ".join(literal(token) for token in {"": None, **dict.fromkeys(self.text.missing)})
            return f"CASE WHEN trim({column}) NOT IN ({tokens}) THEN trim({column}) END"
        if self.source_type in _FLOATS:
            return f"CASE WHEN NOT isnan({column}) THEN {column} END"
        return column

    @property
    def typed(self) -> str:
        """The value in its canonical type; null where it is missing or cannot be read."""
        return {
            "text": self._as_text,
            "time": self._as_time,
            "money": self._as_money,
            "number": self._as_number,
            "count": self._as_count,
            "flag": self._as_flag,
        }[self.kind]()

    def note(self, canonical: str) -> str | None:
        """
        Return what is noted of a value that cannot be read.

        Parameters
        ----------
        canonical : str
            The column it was to fill.

        Returns
        -------
        str or None
            SQL, null for values that can be read; None where every value can.
        """
        if self.kind == "text" or (self.source_type == SQL_TYPES[self.kind] and self.kind != "time"):
            return None
        label = literal(f"{canonical}: ")
        shown = f"left(CAST({self.given} AS VARCHAR), {SHOWN_LENGTH})"
        return f"CASE WHEN ({self.given}) IS NOT NULL AND ({self.typed}) IS NULL THEN {label} || {shown} END"

    def _as_text(self) -> str:
        if self.source_type in _FLOATS:  # 13085.0 is the customer 13085
            whole = f"CAST(TRY_CAST({self.given} AS BIGINT) AS VARCHAR)"
            return (
                f"CASE WHEN {self.given} = floor({self.given}) AND abs({self.given}) < 1e15 THEN {whole} "
                f"ELSE CAST({self.given} AS VARCHAR) END"
            )
        return self.given if self.source_type == "VARCHAR" else f"CAST({self.given} AS VARCHAR)"

    def _as_money(self) -> str:
        return f"TRY_CAST({self._plain_number()} AS {SQL_TYPES['money']})"

    def _as_number(self) -> str:
        number = f"TRY_CAST({self._plain_number()} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"

    def _as_count(self) -> str:
        number = f"TRY_CAST({self._plain_number()} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) AND {number} = floor({number}) THEN TRY_CAST({number} AS BIGINT) END"

    def _as_flag(self) -> str:
        return f"TRY_CAST({self.given} AS BOOLEAN)"

    def _plain_number(self) -> str:
        """Return the value with a decimal point and nothing between thousands."""
        value = self.given
        if self.source_type != "VARCHAR":
            return value
        if self.text.thousands:
            value = f"replace({value}, {literal(self.text.thousands)}, '')"
        return f"replace({value}, ',', '.')" if self.text.decimal == "," else value

    def _as_time(self) -> str:
        """Return the time in the dataset's days; a day without a clock is that day everywhere."""
        source_zone, day_zone = (literal(zone) for zone in self.zones)
        if self.source_type == "TIMESTAMP WITH TIME ZONE":
            return _finite(f"timezone({day_zone}, {self.given})")
        if self.source_type == "VARCHAR" and self.written:
            return self._as_written(source_zone, day_zone)
        time = _finite(f"TRY_CAST({self.given} AS TIMESTAMP)")
        shifted = _shifted(time, source_zone, day_zone)
        if self.source_type == "DATE":
            return time
        if self.source_type != "VARCHAR":
            return shifted
        offset = f"regexp_replace({self.given}, {literal(_LOOSE_OFFSET)}, {literal(_PLAIN_OFFSET)})"
        with_zone = f"timezone({day_zone}, TRY_CAST({offset} AS TIMESTAMP WITH TIME ZONE))"
        return (
            f"CASE WHEN length({self.given}) <= 10 THEN {time} "
            f"WHEN regexp_matches({self.given}, {literal(_OFFSET)}) THEN {_finite(with_zone)} ELSE {shifted} END"
        )

    def _as_written(self, source_zone: str, day_zone: str) -> str:
        written = self.written or ""
        time = f"try_strptime({self.given}, {literal(written)})"
        if any(code in written for code in _ZONE_CODES):
            return _finite(f"timezone({day_zone}, {time})")
        has_clock = any(code in written for code in _CLOCK_CODES)
        return _shifted(_finite(time), source_zone, day_zone) if has_clock else _finite(time)


def _finite(time: str) -> str:
    return f"CASE WHEN isfinite({time}) THEN {time} END"


def _shifted(time: str, source_zone: str, day_zone: str) -> str:
    return time if source_zone == day_zone else f"timezone({day_zone}, timezone({source_zone}, {time}))"
