"""
People's names in texts: which words belong to a name, and a text without them.

How texts and names are found in large tables belongs in :mod:`crm_analysis.tables.privacy.redaction`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

PLACEHOLDER = "[name]"
# Letters as Python's \w has them (with letter-like numbers, without digits), spelled for RE2 and for Python.
WORD_RE2 = r"[\p{L}\p{Nl}\p{No}]+"
IDEOGRAPHS_RE2 = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]+"
SHORTEST_PART = 3
IDEOGRAPHS_OF_A_NAME = (2, 4)
_WORD = re.compile(r"[^\W\d_]+")
_IDEOGRAPHS = re.compile("[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]+")
_MOST_WORDS = 6
_BETWEEN = re.compile(r"[ \t\u00a0\n,'’\u2010\u2011-]{1,3}")
_AFTER_INITIAL = re.compile(r"\.[ \u00a0]?")
_PREFIX = re.compile(r"(?<![^\W\d_])[A-Z]['’]$")  # the O of O'Brien
_DIGRAPH = re.compile("([aou])e")
_SPELLED = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ı": "i"})


def _set_of(text: str) -> frozenset[str]:
    """Return the words of a list that reads as one."""
    return frozenset(text.split())


TITLES = _set_of(
    "mr mrs ms miss dr prof sir madam herr frau mme mlle monsieur madame sr sra srta sig signor signora don doña mag ing"
)
NO_PARTS = TITLES | _set_of(
    # particles, legal forms, what stands where nobody filled in a name, and the commonest words of all
    "von van vom zum zur der den des del dem dos das die les los las ter ten bin ibn abu ben della dello degli "
    "gmbh ltd llc inc limited company corp corporation plc ohg sarl sons bros group holding firma "
    "unknown none null anonymous guest test tester customer client kunde kundin cliente user name nobody deleted admin "
    "the and for you she her his our they them this that with from have has was are not but can who what when why how please "
    "sie ich wir ihr und ein eine einen ist mit für nicht bitte est une pour avec que con por per non"
)


@lru_cache(maxsize=200_000)
def folded(word: str) -> str:
    """
    Return a word of a name in the one spelling that its variants share.

    Parameters
    ----------
    word : str
        Letters.

    Returns
    -------
    str
        Lower case, without accents, umlauts without their e.

    Examples
    --------
    >>> {folded(word) for word in ("Müller", "MUELLER", "Muller")}
    {'muller'}
    """
    plain = unicodedata.normalize("NFKD", word.lower().translate(_SPELLED))
    return _DIGRAPH.sub(r"\1", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def folded_sql(word_sql: str) -> str:
    """
    Return :func:`folded` as an SQL expression.

    Parameters
    ----------
    word_sql : str
        An expression of type VARCHAR.

    Returns
    -------
    str
        The same for every word in Latin letters.
    """
    spelled = f"replace(replace(replace(lower({word_sql}), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')"
    return f"regexp_replace(strip_accents(translate({spelled}, 'øłđðı', 'olddi')), '([aou])e', '\\1', 'g')"


def whole_name_keys(names: Iterable[str]) -> set[tuple[str, ...]]:
    """
    Return what two or more words in a row are compared with.

    Parameters
    ----------
    names : iterable of str
        Whole names.

    Returns
    -------
    set of tuple of str
        The folded words of each name, sorted, so that their order does not matter; of a name of three words or more also the
        first with the last. Names of one word, and of fewer than four letters, are none.
    """
    keys = set()
    for name in names:
        words = [
            folded(word) for word in _WORD.findall(unicodedata.normalize("NFC", name)) if word.lower() not in TITLES
        ]
        for variant in (words, [words[0], words[-1]] if len(words) > 2 else words):
            if 2 <= len(variant) <= _MOST_WORDS and sum(map(len, variant)) > SHORTEST_PART:
                keys.add(tuple(sorted(variant)))
    return keys


class NameRedaction:
    """
    A text without the names of these people.

    Parameters
    ----------
    parts : iterable of str
        Words that are a part of somebody's name, as they are written in the texts.
    whole : set of tuple of str
        From :func:`whole_name_keys`.
    ideographic : iterable of str
        Chinese, Japanese and Korean names, without spaces.

    Examples
    --------
    >>> redaction = NameRedaction(["Will"], whole_name_keys(["Smith, Will"]), ["王伟"])
    >>> redaction("Will said he will. Ask WILL SMITH or 王伟!", is_free_text=True)
    '[name] said he will. Ask [name] or [name]!'
    >>> redaction("Will power", is_free_text=False)
    'Will power'
    """

    def __init__(self, parts: Iterable[str], whole: set[tuple[str, ...]], ideographic: Iterable[str]) -> None:
        self._parts = frozenset(parts)
        self._whole = whole
        self._lengths = sorted({len(key) for key in whole})
        self._vocabulary = frozenset(word for key in whole for word in key)
        self._ideographic = frozenset(ideographic)

    def __call__(self, text: str, *, is_free_text: bool) -> str:
        """
        Return the text with ``[name]`` where a name was.

        Parameters
        ----------
        text : str
            Any text.
        is_free_text : bool
            True: parts of names that are not written in lower case go too; False: whole names only.

        Returns
        -------
        str
            The very same text where it holds no name.
        """
        composed = text if text.isascii() else unicodedata.normalize("NFC", text)
        words = _WORD.findall(composed)
        parts = (
            {i for i, word in enumerate(words) if word in self._parts and not word[0].islower()}
            if is_free_text
            else set()
        )
        whole = self._in_a_row(words)
        spans = _spans(composed, parts, whole) if parts or whole else []
        if self._ideographic and not composed.isascii():
            spans += self._ideographic_names(composed)
        return _replaced(composed, sorted(spans)) if spans else text

    def _in_a_row(self, words: list[str]) -> list[range]:
        """Return where the words of a whole name follow one another, whatever parts them."""
        known = {i: key for i, word in enumerate(words) if (key := folded(word)) in self._vocabulary}
        found = []
        for first in known:
            for length in self._lengths:
                if first + length - 1 not in known:
                    break
                at = range(first, first + length)
                if tuple(sorted(known.get(i, "") for i in at)) in self._whole:
                    found.append(at)
        return found

    def _ideographic_names(self, text: str) -> list[tuple[int, int]]:
        """Return where names stand in writing without spaces, the longest first."""
        shortest, longest = IDEOGRAPHS_OF_A_NAME
        spans = []
        for run in _IDEOGRAPHS.finditer(text):
            at = run.start()
            while at < run.end():
                lengths = (n for n in range(longest, shortest - 1, -1) if text[at : at + n] in self._ideographic)
                length = next(lengths, 0)
                if length:
                    spans.append((at, at + length))
                at += length or 1
        return spans


def _spans(text: str, parts: set[int], whole: Iterable[range]) -> list[tuple[int, int]]:
    """Return where parts of names stand, and whole names whose words are parted by no more than a name's are."""
    words = [word.span() for word in _WORD.finditer(text)]

    def goes_on(at: int) -> bool:
        end, start = words[at][1], words[at + 1][0]
        is_initial = end - words[at][0] == 1
        return bool(_BETWEEN.fullmatch(text, end, start) or (is_initial and _AFTER_INITIAL.fullmatch(text, end, start)))

    named = [(i, i) for i in parts] + [(at[0], at[-1]) for at in whole if all(goes_on(i) for i in at[:-1])]
    return [_with_prefix(text, words[first][0], words[last][1]) for first, last in named]


def _with_prefix(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a word's span with the O' before it."""
    return (start - 2, end) if start >= 2 and _PREFIX.search(text, max(0, start - 3), start) else (start, end)


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    """Return a text with one placeholder for names that follow one another."""
    pieces: list[str] = []
    last = 0
    for start, end in spans:
        if pieces and (start <= last or _BETWEEN.fullmatch(text, last, start)):
            last = max(last, end)
            continue
        pieces += [text[last:start], PLACEHOLDER]
        last = end
    return "".join([*pieces, text[last:]])
