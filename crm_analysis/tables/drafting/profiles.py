"""
What a column of a sample holds: numbers, times, flags or text, and how they are written.

What the column means belongs in :mod:`crm_analysis.tables.drafting.matching`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from crm_analysis.tables.drafting.samples import Sample, Stored
from crm_analysis.tables.drafting.times import Times, read_times

PLACEHOLDERS = ("?", "N/A", "n/a", "#N/A", "NULL", "null", "\\N", "(null)", "NaN", "nan", "k.A.", "<NA>")
_ONLY_IN_VALUES = (
    "-",
    "--",
    "NA",
    "None",
    "none",
    ".",
    "unknown",
    "Unknown",
    "unbekannt",
    "未知",
)  # may be labels elsewhere
FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
OTHER_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("ja", "j", "oui", "o", "si", "sí", "s", "wahr", "是", "on", "met", "x"), True),
    **dict.fromkeys(("nein", "non", "falsch", "否", "off", "missed"), False),
}
CURRENCY_SIGNS: Mapping[str, str] = {
    "€": "EUR", "£": "GBP", "$": "USD", "¥": "CNY", "￥": "CNY", "元": "CNY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₽": "RUB", "zł": "PLN",
}  # fmt: skip
_SIGN = re.compile(r"(?:EUR|USD|GBP|CHF|CNY|RMB|US\$|Fr\.|zł|[€£$¥￥元₹₩₺₽])", re.IGNORECASE)
_NUMBER = re.compile(
    r"[+-]?(?:\d+(?:[.,]\d+)?|\d{1,3}(?:(?P<mark>[.,' \xa0\u202f’])\d{3})+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?"
)
_BRACKETS = re.compile(r"\((.*)\)")
_PLACES = re.compile(r"\d")
_NEGATIVE = re.compile(r"[^\d(]*(?:-|\(.*\)\D*$)")
MOSTLY = 0.9  # the share of values from which a column is of a kind


@dataclass
class Marks:
    """
    How the numbers of a column are written, as counts of values.

    Attributes
    ----------
    decimal, thousands : collections.Counter
        Values in which a mark is surely the one or the other.
    either : collections.Counter
        Values in which it may be both, such as ``1,234``.
    signs : collections.Counter
        Currency signs.
    brackets : int
        Values in brackets, as bookkeepers write what is negative.
    """

    decimal: Counter[str] = field(default_factory=Counter)
    thousands: Counter[str] = field(default_factory=Counter)
    either: Counter[str] = field(default_factory=Counter)
    signs: Counter[str] = field(default_factory=Counter)
    brackets: int = 0

    def __iadd__(self, other: Marks) -> Marks:
        for name in ("decimal", "thousands", "either", "signs"):
            getattr(self, name).update(getattr(other, name))
        self.brackets += other.brackets
        return self


@dataclass(frozen=True)
class Profile:
    """
    A column of a sample.

    Attributes
    ----------
    name : str
        Its own name.
    stored : str
        What the file stores: text, or a type of its own.
    counts : collections.Counter
        Value to how often; without missing ones and placeholders.
    n_missing : int
        Values that are missing, placeholders included.
    placeholders : collections.Counter
        Texts that stand for a missing value.
    """

    name: str
    stored: Stored
    counts: Counter[str]
    n_missing: int
    placeholders: Counter[str]

    @property
    def n(self) -> int:
        """Values that are there."""
        return self.counts.total()

    @property
    def distinct(self) -> int:
        """Different values."""
        return len(self.counts)

    @cached_property
    def mean_length(self) -> float:
        """Characters of a value, on average."""
        return sum(len(value) * count for value, count in self.counts.items()) / max(self.n, 1)

    @cached_property
    def _numbers(self) -> tuple[int, Marks]:
        """How many values are numbers, and how they are written."""
        marks, numbers = Marks(), 0
        for value, count in self.counts.items():
            sign = _SIGN.search(value)
            bare = _SIGN.sub("", value).strip().replace("- ", "-") if sign else value
            inner = _BRACKETS.fullmatch(bare)
            bare = inner[1].strip() if inner else bare
            if _NUMBER.fullmatch(bare):
                numbers += count
                _note_marks(marks, bare, count)
                marks.brackets += count if inner else 0
                if sign:
                    marks.signs[sign[0].upper()] += count
        return numbers, marks

    @property
    def marks(self) -> Marks:
        """How its numbers are written; empty where the file stores numbers."""
        return self._numbers[1] if self.stored == "text" else Marks()

    @property
    def is_number(self) -> bool:
        """Whether nearly all values are numbers."""
        return self.n > 0 and self.stored in {"text", "number"} and self._numbers[0] >= MOSTLY * self.n

    @cached_property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return self.n > 0 and all(re.fullmatch(r"[+-]?\d+(?:\.0+)?", value) for value in self.counts)

    @cached_property
    def has_fractions(self) -> bool:
        """Whether a tenth of the values and more are numbers with a fraction."""
        fractions = sum(
            count for value, count in self.counts.items() if re.fullmatch(r"[+-]?\d*[.,]\d*[1-9]\d*", value)
        )
        return fractions > (1 - MOSTLY) * self.n

    @cached_property
    def times(self) -> Times | None:
        """How its times are written; None where it holds none."""
        if self.stored in {"day", "time", "zoned"}:
            return Times(written=None, is_zoned=self.stored == "zoned", has_clock=self.stored != "day")
        return read_times(self.counts, stored=self.stored) if self.stored in {"text", "number"} else None

    @property
    def is_flag(self) -> bool:
        """Whether it says yes or no."""
        if self.stored == "flag":
            return True
        values = {value.strip().lower() for value in self.counts}
        return 0 < len(values) <= 4 and values <= (FLAGS.keys() | OTHER_FLAGS.keys())

    @property
    def negative_share(self) -> float:
        """Share of values that bear a minus, or stand in brackets."""
        return sum(count for value, count in self.counts.items() if _NEGATIVE.match(value)) / max(self.n, 1)


def _note_marks(marks: Marks, number: str, count: int) -> None:
    """Note which mark of a number is surely decimal, surely between thousands, or either."""
    body = number.lstrip("+-").lower().split("e")[0]
    used = [char for char in body if not char.isdigit()]
    if not used:
        return
    last, kinds = used[-1], set(used)
    if last in "' \xa0\u202f’":
        marks.thousands[last] += count
    elif len(kinds) > 1:
        marks.decimal[last] += count
        marks.thousands[used[0]] += count
    elif len(used) > 1:
        marks.thousands[last] += count
    elif re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", body):
        marks.either[last] += count
    else:
        marks.decimal[last] += count


def profiles(sample: Sample) -> dict[str, Profile]:
    """
    Describe the columns of a sample.

    Parameters
    ----------
    sample : Sample
        Some rows.

    Returns
    -------
    dict
        Column to its profile.
    """
    return {
        name: _profile(name, sample.stored.get(name, "text"), Counter(row[place] for row in sample.rows))
        for place, name in enumerate(sample.names)
    }


def _profile(name: str, stored: Stored, given: Counter[str | None]) -> Profile:
    counts: Counter[str] = Counter()
    missing = 0
    for value, count in given.items():
        if value is None or not value.strip():
            missing += count
        else:
            counts[value.strip()] += count
    if stored != "text":
        return Profile(name, stored, counts, missing, Counter())
    found = Counter({token: counts[token] for token in PLACEHOLDERS if counts[token]})
    for token in _ONLY_IN_VALUES:
        if counts[token] and _holds_values(counts, without=(*found, token)):
            found[token] = counts[token]
    for token in found:
        del counts[token]
    return Profile(name, stored, counts, missing + found.total(), found)


def _holds_values(counts: Counter[str], *, without: tuple[str, ...]) -> bool:
    """Say whether all other values carry digits, so that a word among them stands for none."""
    others = [value for value in counts if value not in without]
    return bool(others) and all(_PLACES.search(value) for value in others)
