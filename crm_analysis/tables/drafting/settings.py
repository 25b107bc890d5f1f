"""
What is said of a dataset as a whole or of a table's format: currency, time zone, decimal mark; each with its doubt.

How a single column is written is seen in :mod:`crm_analysis.tables.drafting.profiles` and
:mod:`crm_analysis.tables.drafting.times`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm_analysis.tables.drafting.profiles import CURRENCY_SIGNS, Marks, Profile
from crm_analysis.tables.drafting.vocabulary import CURRENCY_CODES, words

_SPELLED: Mapping[str, str] = {
    "EURO": "EUR",
    "RMB": "CNY",
    "US$": "USD",
    "FR.": "CHF",
    "DOLLAR": "USD",
    "POUND": "GBP",
    "YUAN": "CNY",
}
_CURRENCY_COLUMN = re.compile(r"currency|currencycode|waehrung|devise|moneda|divisa|币种|货币|curr|ccy")
_SHARED = {"$": "US, Canadian, Australian and other dollars", "¥": "yuan and yen", "￥": "yuan and yen"}
_ZONES: Mapping[frozenset[str], str] = {
    frozenset({"+00:00", "+01:00"}): "Europe/London",
    frozenset({"+01:00", "+02:00"}): "Europe/Berlin",
    frozenset({"+02:00", "+03:00"}): "Europe/Helsinki",
    frozenset({"-05:00", "-04:00"}): "America/New_York",
    frozenset({"-06:00", "-05:00"}): "America/Chicago",
    frozenset({"-07:00", "-06:00"}): "America/Denver",
    frozenset({"-08:00", "-07:00"}): "America/Los_Angeles",
    frozenset({"+10:00", "+11:00"}): "Australia/Sydney",
}


@dataclass(frozen=True)
class Setting:
    """
    A value of the dataset file.

    Attributes
    ----------
    value : str
        The guess.
    why : str
        What it rests on, for the comment.
    doubt : str
        A sentence on what is unsure; empty when nothing is.
    """

    value: str
    why: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class NumberFormat:
    """
    How the numbers of a table are written.

    Attributes
    ----------
    decimal : str
        The decimal mark.
    thousands : str or None
        What stands between thousands.
    to_strip : tuple of str
        Columns with signs that the reader does not take off.
    doubts : tuple of str
        The end of a sentence each.
    """

    decimal: str
    thousands: str | None
    to_strip: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def number_format(columns: Iterable[Profile], *, prefers_comma: bool) -> NumberFormat:
    """
    Tell decimal mark and thousands from all numbers of a table.

    Parameters
    ----------
    columns : iterable of Profile
        The columns that are taken as numbers.
    prefers_comma : bool
        What to take where nothing tells: files with semicolons mostly have decimal commas.

    Returns
    -------
    NumberFormat
        With a doubt where ``1,234`` may be both, or where columns differ.
    """
    numbers = [profile for profile in columns if profile.stored == "text"]
    marks = Marks()
    for profile in numbers:
        marks += profile.marks
    doubts = []
    if marks.decimal["."] and marks.decimal[","]:
        doubts.append(
            f"{_writing(numbers, ',')} a decimal comma, {_writing(numbers, '.')} a decimal point: only one can be stated"
        )
    surely = [mark for mark, _ in marks.decimal.most_common() if mark in ".,"] or [
        "," if mark == "." else "." for mark, _ in marks.thousands.most_common() if mark in ".,"
    ]
    if not surely and marks.either:
        mark = next(iter(marks.either))
        decimal = "," if prefers_comma or mark == "." else "."
        thousands = mark if mark != decimal else None
        doubts.append(
            f"numbers such as 1{mark}234 may be one thousand two hundred and thirty-four or a little more than one; "
            f"{mark!r} is read as {'the decimal mark' if thousands is None else 'between thousands'}"
        )
    else:
        decimal = surely[0] if surely else "."
        thousands = _thousands(marks, decimal)
    strip = tuple(profile.name for profile in numbers if _needs_stripping(profile.marks))
    return NumberFormat(decimal, thousands, strip, tuple(doubts))


def _writing(numbers: Iterable[Profile], mark: str) -> str:
    names = [repr(profile.name) for profile in numbers if profile.marks.decimal[mark]]
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"


def _thousands(marks: Marks, decimal: str) -> str | None:
    found = [mark for mark, _ in (marks.thousands + marks.either).most_common() if mark != decimal]
    return found[0] if found and found[0] in ".,' " else None


def _needs_stripping(marks: Marks) -> bool:
    return bool(marks.signs or marks.brackets) or any(mark not in ".,' " for mark in marks.thousands)


def stripped(column: str) -> str:
    """
    Return SQL that takes everything off a number but digits, marks and its sign; brackets around it become a minus.

    Parameters
    ----------
    column : str
        A quoted column.

    Returns
    -------
    str
        Text.
    """
    signed = f"regexp_replace({column}, '^[^0-9]*[(](.*)[)][^0-9]*$', '-\\1')"
    return f"regexp_replace({signed}, '(?i)fr\\.|[^0-9.,+-]', '', 'g')"


def guess_currency(money: Iterable[Profile], columns: Iterable[Profile]) -> Setting:
    """
    Tell the currency from signs among the amounts, from names, or from a column of currencies.

    Parameters
    ----------
    money : iterable of Profile
        The columns that are taken as money.
    columns : iterable of Profile
        All columns.

    Returns
    -------
    Setting
        EUR with a doubt where nothing tells.
    """
    money = list(money)
    evidence: Counter[str] = Counter()
    shared: list[str] = []
    for profile in columns:
        named_by = words(profile.name)
        if any(_CURRENCY_COLUMN.fullmatch(name) for name in ("".join(named_by), *named_by[-1:])):
            evidence.update(
                {value.upper(): count for value, count in profile.counts.items() if value.upper() in CURRENCY_CODES}
            )
    for profile in money:
        named = {part.upper() for part in re.findall(r"[A-Za-z]+", re.sub(r"_", " ", profile.name))}
        signs = Counter({sign: 1 for sign in CURRENCY_SIGNS if sign in profile.name}) + profile.marks.signs
        evidence.update(
            code for code in (named & CURRENCY_CODES) | {_SPELLED[part] for part in named & _SPELLED.keys()}
        )
        for sign, count in signs.items():
            evidence[CURRENCY_SIGNS.get(sign) or _SPELLED.get(sign, sign)] += count
            shared += [_SHARED[sign]] if sign in _SHARED else []
    if not money and not evidence:
        return Setting("EUR", "no column is taken as money, so that it does not matter")
    is_chinese = any(re.search("[㐀-鿿]", profile.name) for profile in money)
    return _currency(evidence, [] if is_chinese and set(shared) <= {_SHARED["¥"]} else shared)


def _currency(evidence: Counter[str], shared: list[str]) -> Setting:
    if not evidence:
        return Setting("EUR", doubt="nothing in the files says which currency")
    code = evidence.most_common(1)[0][0]
    if len(evidence) > 1:
        return Setting(
            code,
            doubt=f"{len(evidence)} currencies are named ({', '.join(sorted(evidence))}); amounts in others need the cleaning rule "
            "currency, with rates",
        )
    if shared:
        return Setting(code, doubt=f"its sign stands for {shared[0]}")
    return Setting(code, "by signs or names in the files")


def guess_timezone(columns: Iterable[Profile]) -> Setting:
    """
    Tell the zone in which times are written from their suffixes.

    Parameters
    ----------
    columns : iterable of Profile
        The columns that are taken as times.

    Returns
    -------
    Setting
        UTC with a doubt where no value carries a zone.
    """
    times = [profile.times for profile in columns if profile.times]
    suffixes = {_offset(zone) for found in times for zone in found.zones}
    naive = [found for found in times if found.has_clock and not (found.is_zoned or found.epoch or found.zones)]
    if not times:
        return Setting("UTC", "no column holds times")
    if suffixes:
        return _zone_of(suffixes, is_mixed=bool(naive))
    if not any(found.has_clock for found in times):
        return Setting("UTC", "days without a clock are the same everywhere")
    if naive:
        return Setting("UTC", doubt="no value says in which time zone it was written")
    return Setting("UTC", "the times are instants; day_timezone decides whose midnights cut days")


def _zone_of(suffixes: set[str], *, is_mixed: bool) -> Setting:
    zone = _zone(suffixes)
    if zone is None:
        return Setting(
            "UTC", doubt=f"the times carry {len(suffixes)} offsets from UTC ({', '.join(sorted(suffixes)[:5])})"
        )
    if is_mixed:
        return Setting(zone, doubt="some columns carry a zone and others do not")
    if len(suffixes) > 1:
        return Setting(zone, doubt=f"the times carry {' and '.join(sorted(suffixes))}, as here and in other zones")
    return Setting(zone, f"the values carry {next(iter(suffixes))}")


def _zone(suffixes: set[str]) -> str | None:
    if suffixes == {"+00:00"}:
        return "UTC"
    if len(suffixes) > 1:
        return _ZONES.get(frozenset(suffixes))
    sign, hours, minutes = re.fullmatch(r"([+-])(\d\d):(\d\d)", next(iter(suffixes))).groups()  # type: ignore[union-attr]
    if minutes != "00" or int(hours) > 12:
        return None
    return f"Etc/GMT{'-' if sign == '+' else '+'}{int(hours)}"  # POSIX counts the other way round


def _offset(zone: str) -> str:
    """Return a suffix as ``+01:00``."""
    if zone[0] not in "+-":
        return "+00:00"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    sign = "+" if digits == "0000" else zone[0]
    return f"{sign}{digits[:2]}:{digits[2:]}"
