"""
The topics of the texts of one language: chosen, fitted, given to every text, and named.

What they say together about all texts belongs in :mod:`crm_analysis.models.text.description`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from crm_analysis.models.text.choice import TopicChoice, agreement, chosen_number
from crm_analysis.models.text.corpus import Corpus, Floats, Integers, customers_by_word
from crm_analysis.models.text.factors import fitted_topics, inverse_frequency, topic_weights, weighted
from crm_analysis.models.text.labels import labels_of, name_like, topic_words
from crm_analysis.models.text.snippets import nearest_texts, snippet
from crm_analysis.models.text.tokens import is_in_pieces, words_of
from crm_analysis.models.text.vocabulary import FEWEST_CUSTOMERS, Vocabulary, vocabulary_of

FIT_TEXTS = 50_000
FEWEST_USABLE = 200
FEWEST_WORDS = 2  # that may tell a topic, in a text that is used
FEWEST_OF_TOPIC, LEAST_OF_TOPIC = 20, 0.01  # texts of a topic, and their share: what has less of both is none
_ASKED_ABOUT = 40  # words of each topic that are looked at as names


@dataclass(frozen=True)
class LanguageTopics:
    """
    The topics of the texts of one language.

    Attributes
    ----------
    language : str
        Its name.
    n_texts, n_usable : int
        Texts in it, and those with two words or more that may tell a topic.
    reason : str
        Why there are so many topics, or none.
    choice : pandas.DataFrame
        The numbers tried.
    rows : numpy.ndarray of int
        The usable texts.
    topic : numpy.ndarray of int
        The topic of each of them, -1: none.
    weight : numpy.ndarray of float
        Its share of all topics in the text.
    labels, snippets : tuple of str
        By topic.
    words : pandas.DataFrame
        Words of each topic that may be shown.
    seeds, halves : numpy.ndarray of float
        By topic, how well it comes back from random starts and in halves of the texts.
    n_name_like, n_too_common : int
        Words not shown because they look like names; words that stand in too many texts to tell anything.
    """

    language: str
    n_texts: int
    n_usable: int
    reason: str
    choice: pd.DataFrame
    rows: Integers
    topic: Integers
    weight: Floats
    labels: tuple[str, ...]
    snippets: tuple[str, ...]
    words: pd.DataFrame
    seeds: Floats
    halves: Floats
    n_name_like: int
    n_too_common: int


def topics_of_language(
    corpus: Corpus,
    texts: Sequence[str | None],
    rows: Integers,
    customers: Integers,
    *,
    language: str,
    seed: int,
    n_topics: int | None,
    max_topics: int,
    min_cell: int,
    unshown: Collection[str] = (),
) -> LanguageTopics:
    """
    Find the topics of the texts of one language.

    Parameters
    ----------
    corpus : Corpus
        All texts.
    texts : sequence of str or None
        The same as they were written.
    rows : numpy.ndarray of int
        Those in this language.
    customers : numpy.ndarray of int
        Who wrote each text of the corpus, as numbers from 0.
    language : str
        Its name.
    seed : int
        Of everything random.
    n_topics : int, optional
        How many; else chosen.
    max_topics : int
        The largest number tried.
    min_cell : int
        Least number of customers a figure is about; above 1, words of fewer than five customers, or that look like names, are
        not shown.
    unshown : collection of str
        Words that may stand nowhere.

    Returns
    -------
    LanguageTopics
        With no topics where fewer than 200 texts are usable, or nothing beyond chance is found.
    """
    if len(rows) < FEWEST_USABLE:
        return _without(language, rows, rows[:0], f"fewer than {FEWEST_USABLE} texts")
    least = fewest_customers(min_cell)
    vocabulary = vocabulary_of(corpus, rows, customers, language=language, min_customers=least, unshown=unshown)
    used = np.flatnonzero(np.diff(vocabulary.counts.indptr) >= FEWEST_WORDS)
    if len(used) < FEWEST_USABLE:
        return _without(language, rows, rows[used], _why_unusable(vocabulary), vocabulary)
    counts = sparse.csr_array(vocabulary.counts[used])
    choice = chosen_number(counts, seed=seed, n_topics=n_topics, max_topics=max_topics)
    if not choice.n_topics:
        return _without(language, rows, rows[used], choice.reason, vocabulary, choice)
    own = _Texts(vocabulary, counts, rows[used], customers[rows[used]], [texts[row] or "" for row in rows[used]])
    return _found(own, choice, corpus, language=language, seed=seed, n_texts=len(rows), least=least, unshown=unshown)


def fewest_customers(min_cell: int) -> int:
    """
    Return how many different customers must write a word before it is shown.

    Parameters
    ----------
    min_cell : int
        Least number of customers a figure is about; 1 for public data.

    Returns
    -------
    int
        At least five, but for public data.

    Examples
    --------
    >>> [fewest_customers(min_cell) for min_cell in (1, 2, 10)]
    [1, 5, 10]
    """
    return 1 if min_cell == 1 else max(min_cell, FEWEST_CUSTOMERS)


@dataclass(frozen=True)
class _Texts:
    """The usable texts of one language, in every form that is needed."""

    vocabulary: Vocabulary
    counts: sparse.csr_array
    rows: Integers
    customers: Integers
    written: list[str]


def _found(
    own: _Texts,
    choice: TopicChoice,
    corpus: Corpus,
    *,
    language: str,
    seed: int,
    n_texts: int,
    least: int,
    unshown: Collection[str],
) -> LanguageTopics:
    """Fit the topics on a sample, give one to every text, and name them."""
    texts = weighted(own.counts, inverse_frequency(own.counts))
    sample = np.sort(np.random.default_rng([seed, 2]).permutation(texts.shape[0])[:FIT_TEXTS])
    topics, topic, weight = _with_texts(texts, sample, choice.n_topics, seed=seed)
    n_topics = len(topics)
    seeds, halves = agreement(sparse.csr_array(texts[sample]), sparse.csr_array(own.counts[sample]), topics, seed=seed)
    telling = Vocabulary(own.vocabulary.words, own.counts, own.vocabulary.n_texts, 0, 0)
    words = topic_words(telling, topic, n_topics, own.customers)
    words = words[words["customers"] >= least]
    nearest = nearest_texts(texts, topics, topic)
    names, known = _names_and_known(own, words, nearest, corpus, least=least, unshown=unshown)
    words = words[~words["word"].isin(names)]
    return LanguageTopics(
        language,
        n_texts,
        len(own.rows),
        _reason(choice, n_topics),
        choice.table,
        own.rows,
        topic,
        weight,
        tuple(labels_of(words, n_topics)),
        tuple(_snippet(own, near, known, language=language, is_public=least == 1) for near in nearest),
        words,
        seeds,
        halves,
        len(names),
        own.vocabulary.n_too_common,
    )


def _with_texts(
    texts: sparse.csr_array, sample: Integers, n_topics: int, *, seed: int
) -> tuple[Floats, Integers, Floats]:
    """Fit topics, anew with fewer while some have hardly a text; return them, the topic of each text (-1: none) and its share."""
    while True:
        topics = fitted_topics(sparse.csr_array(texts[sample]), n_topics, seed=seed)
        weights = topic_weights(texts, topics)
        total = weights.sum(axis=1)
        topic = np.where(total > 0, weights.round(9).argmax(axis=1), -1)
        sizes = np.bincount(topic[topic >= 0], minlength=n_topics)
        enough = (sizes >= FEWEST_OF_TOPIC) | (sizes >= max(1.0, LEAST_OF_TOPIC * sizes.sum()))
        enough |= sizes == sizes.max()  # one remains
        if enough.all():
            return topics, topic, weights.max(axis=1) / np.where(total > 0, total, 1.0)
        n_topics = int(enough.sum())


def _reason(choice: TopicChoice, n_topics: int) -> str:
    """Return why there are so many topics, and whether some of those chosen had hardly a text."""
    without = choice.n_topics - n_topics
    few = f" {without} of them had hardly any texts, so that {n_topics} {'is' if n_topics == 1 else 'are'} shown."
    return f"{choice.reason}{few}" if without else choice.reason


def _names_and_known(
    own: _Texts,
    words: pd.DataFrame,
    nearest: Sequence[Integers],
    corpus: Corpus,
    *,
    least: int,
    unshown: Collection[str],
) -> tuple[set[str], set[str]]:
    """Return the words that look like names, and those of the nearest texts that enough customers write."""
    if least == 1:
        return set(), set()
    candidates = set(words.groupby("topic").head(_ASKED_ABOUT)["word"])
    column = {word: at for at, word in enumerate(corpus.words)}
    owners = customers_by_word(sparse.csr_array(corpus.counts[own.rows]), own.customers)
    near = {word for rows in nearest for row in rows for word in words_of(own.written[row])}
    known = {word for word in near if owners[column[word]] >= least} - set(unshown)
    names = name_like(own.written, candidates | known)
    return names, known - names


def _snippet(own: _Texts, near: Integers, known: set[str], *, language: str, is_public: bool) -> str:
    """Return the text that shows a topic; none where words are pieces, of which enough would tell a rare word."""
    if not is_public and is_in_pieces(language):
        return ""
    return snippet([own.written[row] for row in near], known=None if is_public else known)


def _why_unusable(vocabulary: Vocabulary) -> str:
    """Return why too few texts have words that tell something."""
    if vocabulary.n_too_common > len(vocabulary.words):
        return f"the texts are nearly alike: {vocabulary.n_too_common} words stand in most of them"
    return f"fewer than {FEWEST_USABLE} texts share two or more words with others"


def _without(
    language: str,
    rows: Integers,
    used: Integers,
    reason: str,
    vocabulary: Vocabulary | None = None,
    choice: TopicChoice | None = None,
) -> LanguageTopics:
    """Return a language without topics."""
    nothing, none = np.zeros(0, dtype=np.intp), np.zeros(0)
    words = pd.DataFrame({"topic": nothing, "word": pd.Series(dtype="str"), "share": none, "share_elsewhere": none})
    table = pd.DataFrame() if choice is None else choice.table
    common = 0 if vocabulary is None else vocabulary.n_too_common
    topic, weight = np.full(len(used), -1), np.zeros(len(used))
    return LanguageTopics(
        language, len(rows), len(used), reason, table, used, topic, weight, (), (), words, none, none, 0, common
    )
