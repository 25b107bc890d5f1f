"""
A text that stands for a topic: the one nearest to its centre, short, and without what only few customers write.

What a topic is called belongs in :mod:`crm_analysis.models.text.labels`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

import numpy as np
import rjieba
from scipy import sparse

from crm_analysis.models.text.corpus import Floats, Integers
from crm_analysis.models.text.function_words import STOP_WORDS
from crm_analysis.models.text.scripts import HAN, WORD, script_of
from crm_analysis.models.text.tokens import PLACEHOLDERS, cleaned

LONGEST_SNIPPET = 120
N_NEAREST = 20
HIDDEN = "…"
_HIDDEN_AGAIN = re.compile(f"{HIDDEN}(?:[^\\w\\[\\]]*{HIDDEN})+")


def nearest_texts(texts: sparse.csr_array, topics: Floats, topic: Integers) -> list[Integers]:
    """
    Return the texts nearest to the centre of each topic.

    Parameters
    ----------
    texts : scipy.sparse.csr_array
        By TF-IDF, in an order that depends on nothing but the texts.
    topics : numpy.ndarray of float
        Weights of words, a row a topic, each of length 1.
    topic : numpy.ndarray of int
        The topic of each text; -1: none.

    Returns
    -------
    list of numpy.ndarray of int
        By topic, up to twenty rows of its own texts, the nearest (largest cosine) first.
    """
    found = []
    for number, centre in enumerate(topics):
        rows = np.flatnonzero(topic == number)
        nearness = np.asarray(texts[rows] @ centre).round(9)
        found.append(rows[np.argsort(-nearness, kind="stable")[:N_NEAREST]])
    return found


def snippet(texts: Sequence[str], *, known: Collection[str] | None) -> str:
    """
    Return the text that shows a topic best, at most 120 characters of it.

    Parameters
    ----------
    texts : sequence of str
        Those nearest to its centre, the nearest first.
    known : collection of str, optional
        Words in lower case that enough customers write; all others become an ellipsis. Without it nothing is hidden.

    Returns
    -------
    str
        The text in which least is hidden; of equals the nearest. Empty where no text has a word left.

    Examples
    --------
    >>> snippet(["Ask [name] about parcel 4711 of Dave."], known={"ask", "about", "parcel", "of"})
    'Ask [name] about parcel … of ….'
    >>> snippet(["My parcel " * 30], known=None)[-10:]
    'parcel My…'
    """
    shown = [shortened(text if known is None else masked(text, known)) for text in map(cleaned, texts)]
    least = [(text.count(HIDDEN) / max(len(text.split()), 1), at) for at, text in enumerate(shown) if WORD.search(text)]
    return shown[min(least)[1]] if least and known is not None else next(iter(shown), "")


def masked(text: str, known: Collection[str]) -> str:
    """
    Return a text in which words that are not known are an ellipsis.

    Parameters
    ----------
    text : str
        Without mark-up.
    known : collection of str
        Words in lower case.

    Returns
    -------
    str
        Placeholders of redaction, single Latin letters and function words stay; numbers go.

    Examples
    --------
    >>> masked("Call Ann at 12.50, [phone]", {"call", "at"})
    'Call … at …, [phone]'
    >>> masked("请给张伟退款", {"退款"})
    '请给…退款'
    """
    pieces, last = [], 0
    for found in PLACEHOLDERS.finditer(text):
        pieces += [WORD.sub(lambda word: _word(word[0], known), text[last : found.start()]), found[0]]
        last = found.end()
    pieces.append(WORD.sub(lambda word: _word(word[0], known), text[last:]))
    return _HIDDEN_AGAIN.sub(HIDDEN, "".join(pieces))


def shortened(text: str) -> str:
    """
    Return the beginning of a text.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        At most 120 characters, ending between words where there are spaces.

    Examples
    --------
    >>> shortened("word " * 40)[-10:]
    'word word…'
    """
    if len(text) <= LONGEST_SNIPPET:
        return text
    cut = text[: LONGEST_SNIPPET - 1]
    at_space = cut.rfind(" ")
    return (cut[:at_space] if at_space > LONGEST_SNIPPET // 2 else cut).rstrip(" ,;:…") + HIDDEN


def _word(word: str, known: Collection[str]) -> str:
    """Return a word, or an ellipsis; Chinese is looked at word by word."""
    plain = unicodedata.normalize("NFKC", word).lower()
    if script_of(plain) == HAN and len(plain) > 1:
        pieces = rjieba.cut(plain)
        if len(pieces) > 1:
            return "".join(_word(piece, known) for piece in pieces)
    return (
        word
        if plain in known or plain in STOP_WORDS or (len(plain) == 1 and plain.isascii() and plain.isalpha())
        else HIDDEN
    )
