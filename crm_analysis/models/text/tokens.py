"""
A text → its words, in any writing.

Which of them tell a topic belongs in :mod:`crm_analysis.models.text.vocabulary`.
"""

from __future__ import annotations

import html
import re
import unicodedata

import rjieba

from crm_analysis.models.text.scripts import HAN, KANA, MARKS, WORD, script_of
from crm_analysis.tables.privacy.names import PLACEHOLDER
from crm_analysis.tables.privacy.patterns import PATTERNS

LONGEST_TEXT = 20_000
_KINDS = "|".join(re.escape(kind) for kind in [*PATTERNS, PLACEHOLDER.strip("[]")])
PLACEHOLDERS = re.compile(rf"\[(?:{_KINDS})\]")
_NOISE = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*>|\Z)"  # what runs or is drawn, not read
    r"|</?[a-z!][^<>]{0,500}>"
    r"|(?:https?://|www\.)[!-~]+"
    r"|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}"
    r"|(?<![^\W_])c[0-9a-f]{20}(?![^\W_])",  # a customer's pseudonym
    re.IGNORECASE | re.DOTALL,
)
_MAY_BE_NOISE = re.compile(r"[<&@]|://|www\.|[0-9a-f]{20}", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_ASCII_WORD = re.compile("[a-z0-9]+")
_RUNS = re.compile(
    "[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"  # Han
    "|[\u3040-\u309f]+|[\u30a0-\u30ff\u31f0-\u31ff]+"  # Hiragana, Katakana
    "|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+"  # Thai, Lao, Burmese, Khmer: no spaces between words
    "|[^\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3040-\u30ff\u31f0-\u31ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+"
)
_TWO_KANA = re.compile("[\u3040-\u30ff].*?[\u3040-\u30ff]", re.DOTALL)
_CLUSTER = re.compile(f"[^{MARKS}][{MARKS}]*|[{MARKS}]+")
_UNSPACED = frozenset({"Thai", "Lao", "Burmese", "Khmer"})


def cleaned(text: str) -> str:
    """
    Return a text without mark-up, addresses, pseudonyms and characters that are not seen.

    Parameters
    ----------
    text : str
        As it was written; what lies beyond 20,000 characters is left out.

    Returns
    -------
    str
        With single spaces; placeholders of redaction such as ``[name]`` stay.

    Examples
    --------
    >>> cleaned("<p>See https://example.com &amp; call [phone]</p><script>alert('no')</script>")
    'See & call [phone]'
    """
    short = text[:LONGEST_TEXT]
    if _MAY_BE_NOISE.search(short):
        short = _NOISE.sub(" ", html.unescape(_NOISE.sub(" ", short)))
    return " ".join(_UNSEEN.sub("", short).split())


def words_of(text: str) -> list[str]:
    """
    Return the words of a text.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        In their order, in lower case (Unicode NFKC), without single letters, words with digits and placeholders of redaction.

    Notes
    -----
    Apostrophes part words. Chinese is cut by jieba's dictionary. In Japanese, known by its kana, words in Katakana stay whole
    and Kanji are taken in pairs; Thai, Lao, Burmese and Khmer in pairs of syllable signs, which are pieces of words. All other
    writings have spaces between words.

    Examples
    --------
    >>> words_of("[name]: I don't have 2 refunds (order 85123A)!")
    ['don', 'have', 'refunds', 'order']
    >>> words_of("我的快递还没有到，请退款")
    ['快递', '没有', '退款']
    """
    plain = PLACEHOLDERS.sub(" ", cleaned(text))
    if plain.isascii():
        return [word for word in _ASCII_WORD.findall(plain.lower()) if word.isalpha() and len(word) > 1]
    plain = unicodedata.normalize("NFKC", plain).lower()
    japanese = is_japanese(plain)
    found: list[str] = []
    for word in WORD.findall(plain):
        if word.isascii():
            if word.isalpha() and len(word) > 1:
                found.append(word)
        else:
            for run in _RUNS.findall(word):
                found.extend(_pieces(run, japanese=japanese))
    return found


def is_japanese(text: str) -> bool:
    """
    Return whether a text is written in Japanese.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool
        Whether it holds two kana.

    Examples
    --------
    >>> is_japanese("商品が届きません"), is_japanese("商品还没有到")
    (True, False)
    """
    return _TWO_KANA.search(text) is not None


def is_in_pieces(language: str) -> bool:
    """
    Return whether the words of a language are pieces, because it writes no spaces and no dictionary is at hand.

    Parameters
    ----------
    language : str
        As :func:`crm_analysis.models.text.languages.languages_of` names it.

    Returns
    -------
    bool
        True for Japanese, Thai, Lao, Burmese and Khmer.

    Examples
    --------
    >>> is_in_pieces("Thai"), is_in_pieces("Chinese")
    (True, False)
    """
    return language == "Japanese" or language in _UNSPACED


def _pieces(run: str, *, japanese: bool) -> list[str]:
    """Return the words of a run in one writing."""
    script = script_of(run)
    if script == HAN:
        return _pairs(run) if japanese else [word for word in rjieba.cut(run) if len(word) > 1]
    if script == KANA:
        return [run] if len(run) > 1 and run[0] >= "\u30a0" else []  # Hiragana: mostly grammar
    if any(sign.isnumeric() for sign in run):
        return []
    if script in _UNSPACED:
        return _pairs(_CLUSTER.findall(run))
    return [run] if sum(sign.isalpha() for sign in run) > 1 else []


def _pairs(signs: str | list[str]) -> list[str]:
    """Return neighbouring signs in pairs."""
    return [signs[at] + signs[at + 1] for at in range(len(signs) - 1)]
