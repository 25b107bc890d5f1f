"""
Telephone numbers and days in a text, whatever way they are written.

Words belong in :mod:`crm_analysis.reporting.scan.words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from crm_analysis.reporting.scan.words import BREAK

MIN_DIGITS = 7
_MAX_DIGITS = 15
_SURE_DIGITS = 10
NATIONAL_DIGITS = 9
_MAX_GROUPS = 7

_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_DASH = "\u2010-\u2015\u2212"
_GAP = rf"(?:{_SPACE}?[-./(){_DASH}][() \u00a0]{{0,3}}|{_SPACE})"
# A pattern that begins with its first character, and looks back from there, is searched several times quicker.
_ISO_REST = r"(?<=\d)\d{3}-\d\d-\d\d(?!\d)"
_DIALLED = re.compile(rf"[\d+(](?<![\w.].)(?:(?<=\()\+)?(?!{_ISO_REST})(?:\d|{_GAP}(?=\d)){{6,34}}(?![\w%])")
_TRUNK = "(0)"  # as in +44 (0)20: dialled at home only
_GROUP = re.compile(r"\d+")
_IN_A_SENTENCE = re.compile(r"[^\W\d_][.:]?[ \u00a0]\(?$")
_DAY = re.compile(r"\d(?<!\d\d)(?:\d{3}[-/.]\d\d?[-/.]\d\d?|\d?[-/.]\d\d?[-/.]\d{4})(?!\d)")
_FIGURES = re.compile(r"[-/.]")
_MOMENT = re.compile(
    r"(?<!\d)(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:19|20)\d\d)(?:[ T]+\d\d:\d\d(?::\d\d)?)?(?!\d)"
)


def numbers_in(text: str, *, of_telephones: bool = False) -> Iterator[tuple[str, int]]:
    """
    Yield what may be a telephone number in a text.

    Parameters
    ----------
    text : str
        Any.
    of_telephones : bool
        Whether the text is said to hold telephone numbers.

    Yields
    ------
    tuple of str and int
        Digits without leading zeros, and where they begin. Groups of digits count together when what is between them is
        usual there and they are no day, decimal or list of figures; digits in one piece count from ten on, from seven on
        within a sentence or where the text is said to hold telephone numbers.

    Examples
    --------
    >>> [digits for digits, _ in numbers_in("(0170) 123-4567 or 5550199, on 2024-01-31, for 1234567.89")]
    ['1701234567', '1234567', '5550199']
    """
    for run in _DIALLED.finditer(text):
        is_said = of_telephones or bool(_IN_A_SENTENCE.search(text, max(0, run.start() - 6), run.start()))
        yield from ((digits, run.start() + start) for digits, start in _numbers_of_run(run[0], is_said))


def without_country(digits: str) -> list[str]:
    """
    Return a telephone number with and without what may be its country's code.

    Parameters
    ----------
    digits : str
        Without leading zeros.

    Returns
    -------
    list of str
        The number first.

    Examples
    --------
    >>> without_country("442079460958")
    ['442079460958', '42079460958', '2079460958', '079460958']
    """
    return [digits] + [digits[cut:] for cut in (1, 2, 3) if len(digits) - cut >= NATIONAL_DIGITS]


def days_in(text: str) -> Iterator[tuple[str, int]]:
    """
    Yield the days that a text names in figures.

    Parameters
    ----------
    text : str
        Any.

    Yields
    ------
    tuple of str and int
        A day as YYYY-MM-DD, and where it first stands; 3/4/1980 is two days.

    Examples
    --------
    >>> [day for day, _ in days_in("born 1980-05-17, or 3/4/1981")]
    ['1980-05-17', '1981-04-03', '1981-03-04']
    """
    for written in sorted(set(_DAY.findall(text)), key=text.find):
        first, second, third = _FIGURES.split(written)
        is_iso = len(first) == 4
        year, one, other = (first, second, third) if is_iso else (third, second, first)
        yield f"{year}-{int(one):02}-{int(other):02}", text.find(written)
        if not is_iso:
            yield f"{year}-{int(other):02}-{int(one):02}", text.find(written)


@lru_cache(maxsize=65536)
def _numbers_of_run(run: str, is_said: bool) -> list[tuple[str, int]]:  # noqa: FBT001 - the cache is quicker so
    """Return the telephone numbers that groups of digits may be, and where they begin."""
    run = _MOMENT.sub(lambda moment: BREAK * len(moment[0]), run).replace(_TRUNK, "( )")
    groups = [group.span() for group in _GROUP.finditer(run)]
    is_abroad = run.lstrip("(").startswith(("+", "00"))
    numbers: list[tuple[str, int]] = []
    for first, last in _stretches(len(groups)):
        digits = "".join(run[start:end] for start, end in groups[first:last]).lstrip("0")
        is_long_enough = MIN_DIGITS <= len(digits) <= _MAX_DIGITS
        if is_long_enough and _is_number(run, groups, first, last, is_said=is_said or is_abroad):
            spellings = without_country(digits) if is_abroad and first == 0 else [digits]
            numbers += [(key, groups[first][0]) for key in spellings]
    return numbers


def _stretches(n_groups: int) -> Iterator[tuple[int, int]]:
    """Yield where neighbouring groups of digits may begin and end."""
    for first in range(n_groups):
        yield from ((first, last) for last in range(first + 1, min(n_groups, first + _MAX_GROUPS) + 1))


def _is_number(run: str, groups: list[tuple[int, int]], first: int, last: int, *, is_said: bool) -> bool:
    """Return whether groups of digits look like one telephone number."""
    gaps = [run[before[1] : after[0]].strip() for before, after in pairwise(groups)]
    inside = gaps[first : last - 1]
    if any(BREAK in gap for gap in inside):
        return False
    if not inside:
        is_decimal = "." in gaps[max(0, first - 1) : last]
        return not is_decimal and (groups[first][1] - groups[first][0] >= _SURE_DIGITS or is_said)
    if "." in inside and (len(inside) < 2 or set(inside) != {"."}):
        return False
    return all(end - start >= 2 for start, end in groups[first + 1 : last])
