"""
Words that may tell a topic: neither function words nor rare ones nor such as stand in most texts.

How texts are weighted belongs in :mod:`crm_analysis.models.text.factors`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from crm_analysis.models.text.corpus import Corpus, Flags, Integers, customers_by_word
from crm_analysis.models.text.function_words import ENGLISH, FUNCTION_WORDS, NO_PLURALS, STOP_WORDS

FEWEST_TEXTS = 5  # that hold a word
FEWEST_CUSTOMERS = 5  # whose texts hold a word, for data that are not public
MOST_WORDS = 5_000
LARGEST_SHARE, LARGEST_SHARE_UNLISTED = 0.5, 0.4  # of the texts: with and without a list of function words
_TIDY_PLURALS = 3  # letters that are left, at least


@dataclass(frozen=True)
class Vocabulary:
    """
    The words of one language that may tell a topic, and texts by them.

    Attributes
    ----------
    words : tuple of str
        In the order of the alphabet.
    counts : scipy.sparse.csr_array
        How often each text holds each word.
    n_texts : numpy.ndarray of int
        Texts that hold each word.
    n_too_common, n_too_rare : int
        Words left out because they stand in too large a share of the texts, or in too few.
    """

    words: tuple[str, ...]
    counts: sparse.csr_array
    n_texts: Integers
    n_too_common: int
    n_too_rare: int


def vocabulary_of(
    corpus: Corpus,
    rows: Integers,
    customers: Integers,
    *,
    language: str,
    min_customers: int,
    unshown: Collection[str] = (),
) -> Vocabulary:
    """
    Choose the words of one language that may tell a topic.

    Parameters
    ----------
    corpus : Corpus
        All texts.
    rows : numpy.ndarray of int
        Those in this language.
    customers : numpy.ndarray of int
        The customer of each text of the corpus, as numbers from 0.
    language : str
        Decides on the list of function words; English plurals become one word with their singular where both occur.
    min_customers : int
        Different customers whose texts must hold a word.
    unshown : collection of str
        Words that may stand nowhere.

    Returns
    -------
    Vocabulary
        At most 5,000 words, each in at least five texts and at most half of them (two in five where the language has no list
        of function words); the more common of two forms stands for both.
    """
    counts = sparse.csr_array(corpus.counts[rows])
    forms, target = _forms(corpus.words, counts, language)
    member = sparse.csr_array((np.ones(len(target), np.int32), (np.arange(len(target)), target)))
    merged = sparse.csr_array(counts @ member) if counts.shape[1] else counts
    n_texts = np.bincount(merged.indices, minlength=len(forms))
    owners = customers_by_word(merged, customers[rows])
    stop = FUNCTION_WORDS.get(language, STOP_WORDS)
    content = np.array([form not in stop and form not in unshown for form in forms], dtype=bool) & (n_texts > 0)
    share = LARGEST_SHARE if language in FUNCTION_WORDS else LARGEST_SHARE_UNLISTED
    common = n_texts > share * len(rows)
    rare = (n_texts < FEWEST_TEXTS) | (owners < min_customers)
    chosen = _most_common(content & ~common & ~rare, n_texts, forms)
    return Vocabulary(
        tuple(forms[at] for at in chosen),
        sparse.csr_array(merged[:, chosen]),
        n_texts[chosen],
        int((content & common).sum()),
        int((content & rare & ~common).sum()),
    )


def _most_common(may: Flags, n_texts: Integers, forms: list[str]) -> Integers:
    """Return the most common words, in the order of the alphabet; the alphabet decides between equals."""
    named = sorted(np.flatnonzero(may), key=lambda at: (-n_texts[at], forms[at]))[:MOST_WORDS]
    return np.array(sorted(named, key=lambda at: forms[at]), dtype=np.intp)


def _forms(words: tuple[str, ...], counts: sparse.csr_array, language: str) -> tuple[list[str], Integers]:
    """Return the forms that stand for words, and which one stands for each word."""
    target = np.arange(len(words))
    if language == ENGLISH:
        total = np.bincount(counts.indices, minlength=len(words))
        column = {word: at for at, word in enumerate(words) if total[at]}
        for word, at in column.items():
            single = next((column[form] for form in _singulars(word) if form in column), None)
            if single is not None:
                keep, other = (single, at) if total[single] >= total[at] else (at, single)
                target[other] = keep
    return list(words), target


def _singulars(word: str) -> list[str]:
    """Return what a word may be the English plural of."""
    if not word.endswith("s") or word.endswith(("ss", "us", "is")) or word in NO_PLURALS:
        return []
    if word.endswith("ies"):
        return [f"{word[:-3]}y"] if len(word) > _TIDY_PLURALS + 2 else []
    hissing = word.endswith(("shes", "ches", "sses", "xes", "zes"))
    single = word[:-2] if hissing else word[:-1]
    return [single] if len(single) >= _TIDY_PLURALS else []
