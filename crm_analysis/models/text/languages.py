"""
The language of each text: by its writing, and in Latin letters by its function words.

Lists of function words are in :mod:`crm_analysis.models.text.function_words`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from crm_analysis.models.text.corpus import Corpus, Floats, Integers
from crm_analysis.models.text.function_words import CHINESE, FUNCTION_WORDS, OTHER_WRITINGS
from crm_analysis.models.text.scripts import HAN, KANA, LATIN, script_of

JAPANESE, NO_WORDS = "Japanese", "no words"
LATIN_UNTOLD = "Latin script, language not told"
_LANGUAGE_OF_SCRIPT = {HAN: CHINESE, KANA: JAPANESE, "Hangul": "Korean", LATIN: LATIN_UNTOLD}
_SHARED_SCRIPTS = frozenset({"Arabic", "Cyrillic", "Devanagari", "Bengali", "Hebrew", "Ethiopic", "other"})
_LATIN_LANGUAGES = tuple(language for language in FUNCTION_WORDS if language not in OTHER_WRITINGS)
_FEWEST_HITS = 2
_FEWEST_TEXTS = 3  # that must hold a word before it is known as a language's own
_KNOWN_SHARE = 0.5


def languages_of(corpus: Corpus) -> NDArray[np.str_]:
    """
    Return the language or writing of each text.

    Parameters
    ----------
    corpus : Corpus
        The texts.

    Returns
    -------
    numpy.ndarray of str
        By text, such as ``English``, ``Chinese`` or ``Cyrillic script``; ``no words`` for a text without any.

    Notes
    -----
    Most words decide on the writing. In Latin letters, two function words of one language, more than of any other, decide;
    of texts without that, those half of whose words stand in at least three texts known for one language are taken for it.

    Examples
    --------
    >>> from crm_analysis.models.text.corpus import corpus_of
    >>> texts = ["The parcel was late.", "Das Paket ist noch nicht da.", "包裹还没有到", "Где моя посылка?", "123"]
    >>> languages_of(corpus_of(texts)).tolist()
    ['English', 'German', 'Chinese', 'Cyrillic script', 'no words']
    """
    scripts, of_word = np.unique([script_of(word) for word in corpus.words] or [LATIN], return_inverse=True)
    by_script = _sums(corpus.counts, of_word[: len(corpus.words)], len(scripts))
    found = np.array([_named(script) for script in scripts], dtype=object)[by_script.argmax(axis=1)]
    found[corpus.is_japanese & (found == CHINESE)] = JAPANESE
    found[by_script.sum(axis=1) == 0] = NO_WORDS
    latin = np.flatnonzero(found == LATIN_UNTOLD)
    found[latin] = _latin_languages(sparse.csr_array(corpus.counts[latin]), corpus.words)
    return np.asarray(found.astype(str))


def _named(script: str) -> str:
    """Return the language that alone is written so, else the writing."""
    return _LANGUAGE_OF_SCRIPT.get(script, f"{script} script" if script in _SHARED_SCRIPTS else script)


def _sums(counts: sparse.csr_array, group: Integers, n_groups: int) -> Floats:
    """Return how many words of each group a text holds."""
    member = sparse.csr_array((np.ones(len(group)), (np.arange(len(group)), group)), shape=(counts.shape[1], n_groups))
    return np.asarray((counts @ member).toarray())


def _latin_languages(counts: sparse.csr_array, words: tuple[str, ...]) -> NDArray[np.object_]:
    """Return the language of texts in Latin letters, by function words and then by the words known from others."""
    column = {word: at for at, word in enumerate(words)}
    pairs = [(column[w], at) for at, name in enumerate(_LATIN_LANGUAGES) for w in FUNCTION_WORDS[name] if w in column]
    rows, columns = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    lists = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(words), len(_LATIN_LANGUAGES)))
    hits = (counts @ lists).toarray()
    best = hits.max(axis=1, initial=0)
    told = (best >= _FEWEST_HITS) & ((hits == best[:, None]).sum(axis=1) == 1)
    language = np.where(told, hits.argmax(axis=1), -1)
    language[~told] = _by_known_words(counts, language, ~told)
    return np.array([*_LATIN_LANGUAGES, LATIN_UNTOLD], dtype=object)[language]


def _by_known_words(counts: sparse.csr_array, language: Integers, among: NDArray[np.bool_]) -> Integers:
    """Return the language whose known words make up most of a text, and half of it at least; else -1."""
    present = counts.astype(bool).astype(np.float64)
    texts = np.bincount(language[language >= 0], minlength=len(_LATIN_LANGUAGES))
    shares = np.zeros((int(among.sum()), len(_LATIN_LANGUAGES)))
    own = sparse.csr_array(present[among])
    n_words = np.maximum(np.asarray(own.sum(axis=1)).ravel(), 1)
    for at in np.flatnonzero(texts):
        known = np.asarray(present[language == at].sum(axis=0)).ravel() >= _FEWEST_TEXTS
        shares[:, at] = (own @ known.astype(np.float64)) / n_words
    best = shares.max(axis=1, initial=0)
    chosen = np.where(shares == best[:, None], texts, -1).argmax(
        axis=1
    )  # the more common language where two know as much
    return np.asarray(np.where(best >= _KNOWN_SHARE, chosen, -1))
