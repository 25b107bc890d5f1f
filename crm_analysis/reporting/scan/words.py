"""
Words in a text, whatever way they are written.

Figures belong in :mod:`crm_analysis.reporting.scan.numbers`; where texts come from belongs in :mod:`crm_analysis.reporting.scan.contents`.
"""

from __future__ import annotations

import calendar
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from urllib.parse import unquote

import crm_analysis
from crm_analysis.tables.workspace import project_root

BREAK = "\x1e"  # between two texts that no reader sees as one
_MAX_ROUNDS = 3

# Scripts that put no space between words: each character is a word.
_SPACELESS = "\u0e00-\u0e7f\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_CHARACTER = re.compile(f"[{_SPACELESS}]")
_WORD = re.compile(rf"[{_SPACELESS}{BREAK}]|[^\W_{_SPACELESS}]+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_INVISIBLE = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]"
)
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\dA-Za-z_]+")

_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbf"/\\]))')
_CONTROLS = dict(zip("nrtbf", "\n\r\t\b\f", strict=True))
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|code|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)\b[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]*>")


def folded(text: str) -> str:
    """
    Return a text as it is compared: without case, accents and invisible characters.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        As long as the text wherever it is ASCII.

    Examples
    --------
    >>> folded("JÜRGEN Mu\u0308ller, ﬁve")
    'jurgen muller, five'
    """
    if text.isascii():
        return text.lower()
    return _BEYOND_ASCII.sub(lambda run: _plain(run[0]), text.casefold())


def words_in(text: str) -> list[str]:
    """
    Return the words of a folded text, in order.

    Parameters
    ----------
    text : str
        As :func:`folded` returns it.

    Returns
    -------
    list of str
        Runs of letters and digits; in scripts without spaces each character is a word, and so is a break between texts.

    Examples
    --------
    >>> words_in("anna_m@example.com")
    ['anna', 'm', 'example', 'com']
    """
    return _WORD.findall(text)


def word_starts(text: str) -> list[int]:
    """
    Return where the words of a folded text begin.

    Parameters
    ----------
    text : str
        As :func:`folded` returns it.

    Returns
    -------
    list of int
        One for each of :func:`words_in`.

    Examples
    --------
    >>> word_starts("to anna, with love")
    [0, 3, 9, 14]
    """
    return [word.start() for word in _WORD.finditer(text)]


def n_characters(text: str) -> int:
    """
    Return how long a text is; a character that is a word by itself counts twice.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    int
        A Chinese name of three characters is as long as a Western one of six.

    Examples
    --------
    >>> n_characters("Müller"), n_characters("王小明")
    (6, 6)
    """
    return len(text) + len(_CHARACTER.findall(text))


def heading_words(heading: str) -> list[str]:
    """
    Return the words of a column's name.

    Parameters
    ----------
    heading : str
        In any of the usual spellings.

    Returns
    -------
    list of str
        In lower case.

    Examples
    --------
    >>> heading_words("CustomerID"), heading_words("e-mail address")
    (['customer', 'id'], ['e', 'mail', 'address'])
    """
    return [word.lower() for word in _CAMEL.findall(heading)]


def readings(text: str) -> Iterator[str]:
    """
    Yield every way a text may be read: as it stands, with its escapes undone, without its tags.

    Parameters
    ----------
    text : str
        Plain, or HTML, JSON, an address, or one inside the other.

    Yields
    ------
    str
        The text itself first.

    Examples
    --------
    >>> list(readings("<b>An</b>na&amp;nbsp;M%C3%BCller"))[-1]
    'Anna\\xa0Müller'
    """
    yield text
    for _ in range(_MAX_ROUNDS):
        plain = _unescaped(text)
        if plain == text:
            break
        text = plain
        yield text
    if "<" in text:
        yield _TAG.sub(" ", text)
        yield _TAG.sub(" ", _INLINE.sub("", text))


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """
    Return the words of texts, and their pairs of neighbours.

    Parameters
    ----------
    texts : iterable of str
        Such as source files, or the levels of a categorical column.

    Returns
    -------
    frozenset of str
        Folded; a pair has one space.

    Examples
    --------
    >>> sorted(vocabulary(["New York City"]))
    ['city', 'new', 'new york', 'york', 'york city']
    """
    words: set[str] = set()
    for text in texts:
        row = words_in(folded(text))
        words.update(row, (f"{first} {second}" for first, second in pairwise(row)))
    return frozenset(words)


def package_vocabulary() -> frozenset[str]:
    """
    Return the words that reports consist of whatever the data: those of the package, the notebooks and the calendar.

    Returns
    -------
    frozenset of str
        As :func:`vocabulary` returns it.
    """
    package = Path(crm_analysis.__file__).parent
    own = (path for path in sorted(package.rglob("*")) if path.suffix in {".py", ".css", ".js", ".j2", ".json"})
    notebooks = sorted((project_root() / "notebooks").glob("*.ipynb"))
    written = (path.read_text(encoding="utf-8") for path in chain(own, notebooks))
    days = [*calendar.month_name, *calendar.day_name]
    return vocabulary(reading for text in chain(written, days) for reading in readings(text))


def is_common(words: Sequence[str], common: frozenset[str]) -> bool:
    """
    Return whether words in a row say nothing about anybody: each is common, and so is each pair of neighbours.

    Parameters
    ----------
    words : sequence of str
        As :func:`words_in` returns them.
    common : frozenset of str
        As :func:`vocabulary` returns it.

    Returns
    -------
    bool
        True for "forest" and "random forest", where a report speaks of a random forest.
    """
    return common.issuperset(words) and all(f"{first} {second}" in common for first, second in pairwise(words))


@lru_cache(maxsize=65536)
def _plain(run: str) -> str:
    """Return characters beyond ASCII without what makes them look different."""
    bare = _INVISIBLE.sub("", unicodedata.normalize("NFKD", run))
    return unicodedata.normalize("NFKC", bare)


def _unescaped(text: str) -> str:
    """Return a text with one layer of escapes undone: of JSON, of HTML, of addresses."""
    if "\\" in text:
        text = _ESCAPE.sub(_character, text)
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # pairs become one character
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = _PERCENT.sub(lambda run: unquote(run[0], errors="replace"), text)
    return text


def _character(escape: re.Match[str]) -> str:
    """Return what a backslash and its letters stand for."""
    number = escape[1] or escape[2]
    return chr(int(number, 16)) if number else _CONTROLS.get(escape[3], escape[3])
