"""
What a topic is called: words that are frequent in its texts and rare elsewhere; and which words look like names.

Texts that stand for a topic belong in :mod:`crm_analysis.models.text.snippets`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
import rjieba
from scipy import sparse

from crm_analysis.models.text.corpus import Floats, Integers, customers_by_word
from crm_analysis.models.text.function_words import CALENDAR
from crm_analysis.models.text.scripts import HAN, has_capitals, script_of
from crm_analysis.models.text.tokens import PLACEHOLDERS, cleaned
from crm_analysis.models.text.vocabulary import Vocabulary

N_LABEL_WORDS, MOST_LABEL_WORDS, N_WORDS = 4, 5, 10
_FREQUENCY_WEIGHT = 0.6
_LEAST_SHARE = 0.05  # of a topic's texts that hold a word of its label
_READ_FOR_NAMES = 50_000
_NOUN_WRITER = 0.25  # share of capitals within a sentence from which on they say nothing: German nouns, titles
_FEWEST_WORDS, _FEWEST_SEEN, _NAME_SHARE = 4, 3, 0.8
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDS_SENTENCE = re.compile(r"(?:^|[.!?:;…。！？\n\"“”„(«•*\]-])\s*$")


def topic_words(vocabulary: Vocabulary, topic: Integers, n_topics: int, customers: Integers) -> pd.DataFrame:
    """
    Return the words of each topic, the most telling first.

    Parameters
    ----------
    vocabulary : Vocabulary
        The words that may tell a topic, and the texts.
    topic : numpy.ndarray of int
        The topic of each text; -1: none.
    n_topics : int
        How many there are.
    customers : numpy.ndarray of int
        The customer of each text, as numbers from 0.

    Returns
    -------
    pandas.DataFrame
        ``topic`` (number), ``word``, ``share`` (of the topic's texts that hold it), ``share_elsewhere``, ``relevance`` and
        ``customers`` (whose texts in the topic hold it), by topic and falling relevance.

    Notes
    -----
    Relevance is .6 × log(share) + .4 × log(share ÷ share in all texts).

    References
    ----------
    Sievert, Shirley (2014), "LDAvis: a method for visualizing and interpreting topics", ACL Workshop on Interactive Language
    Learning, for the weighing of frequent against distinctive.
    """
    present = vocabulary.counts.astype(bool).astype(np.int64)
    among = topic >= 0
    member = sparse.csr_array(
        (np.ones(int(among.sum()), np.int64), (topic[among], np.flatnonzero(among))), shape=(n_topics, len(topic))
    )
    held = np.asarray((member @ present).toarray(), dtype=float)
    sizes = np.bincount(topic[among], minlength=n_topics)
    everywhere = held.sum(axis=0)
    rows = []
    for number in range(n_topics):
        mine = topic == number
        owners = customers_by_word(sparse.csr_array(vocabulary.counts[mine]), customers[mine])
        share = held[number] / max(sizes[number], 1)
        elsewhere = (everywhere - held[number]) / max(int(among.sum()) - sizes[number], 1)
        relevance = _relevance(share, everywhere / max(int(among.sum()), 1))
        table = {
            "word": vocabulary.words,
            "share": share,
            "share_elsewhere": elsewhere,
            "relevance": relevance,
            "customers": owners,
        }
        rows.append(pd.DataFrame(table)[held[number] > 0].assign(topic=number).round({"relevance": 9}))
    words = (
        pd.concat(rows)
        if rows
        else pd.DataFrame(columns=["topic", "word", "share", "share_elsewhere", "relevance", "customers"])
    )
    return words.sort_values(["topic", "relevance", "word"], ascending=[True, False, True], ignore_index=True)


def labels_of(words: pd.DataFrame, n_topics: int) -> list[str]:
    """
    Return a name for each topic, made of its words.

    Parameters
    ----------
    words : pandas.DataFrame
        As :func:`topic_words` returns them, those that may be shown.
    n_topics : int
        How many topics there are.

    Returns
    -------
    list of str
        Three or four words each, five where others have the same four; a number where there is none.

    Examples
    --------
    >>> words = pd.DataFrame({"topic": 0, "word": ["late", "parcel", "driver"], "share": 0.5, "share_elsewhere": 0.1})
    >>> labels_of(words, 2)
    ['late, parcel, driver', 'topic 2']
    """
    mine = [words[words["topic"] == number] for number in range(n_topics)]
    telling = [
        own[(own["share"] >= _LEAST_SHARE) & (own["share"] > own["share_elsewhere"])]["word"].tolist() for own in mine
    ]
    labels = [", ".join(own[:N_LABEL_WORDS]) for own in telling]
    taken = Counter(labels)
    labels = [
        ", ".join(own[:MOST_LABEL_WORDS]) if taken[label] > 1 else label
        for own, label in zip(telling, labels, strict=True)
    ]
    taken = Counter(labels)
    return [
        f"{label} ({at})" if label and taken[label] > 1 else label or f"topic {at}"
        for at, label in enumerate(labels, start=1)
    ]


def name_like(texts: Sequence[str | None], words: Collection[str]) -> set[str]:
    """
    Return the words that look like names of persons or places.

    Parameters
    ----------
    texts : sequence of str or None
        As they were written; the first 50,000 are read.
    words : collection of str
        Words in lower case that are asked about.

    Returns
    -------
    set of str
        Of those: words written with a capital four times in five where no sentence begins, seen so at least three times; and
        Chinese words that jieba's dictionary takes for a person.

    Notes
    -----
    Texts in which a quarter of the words within sentences have capitals (German nouns, titles) tell nothing of it and are not counted.
    A name that is always written small cannot be told from another word: names known from the data are redacted before.

    Examples
    --------
    >>> texts = ["Ask at the desk for Dave and the parcel that was lost."] * 3
    >>> name_like(texts, {"dave", "parcel", "张伟"}) == {"dave", "张伟"}
    True
    """
    cased = {word for word in words if has_capitals(script_of(word))} - CALENDAR
    large, seen = _capitals(texts[:_READ_FOR_NAMES], cased)
    named = {word for word in cased if seen[word] >= _FEWEST_SEEN and large[word] >= _NAME_SHARE * seen[word]}
    return named | {word for word in words if script_of(word) == HAN and _is_person(word)}


def _relevance(share: Floats, overall: Floats) -> Floats:
    """Return how telling a word is: frequent in the topic, and more so than elsewhere."""
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = np.where(overall > 0, share / overall, 1.0)
        return np.asarray(_FREQUENCY_WEIGHT * np.log(share) + (1 - _FREQUENCY_WEIGHT) * np.log(lift))


def _capitals(texts: Iterable[str | None], words: Collection[str]) -> tuple[Counter[str], Counter[str]]:
    """Return how often words stand within a sentence with a capital, and at all."""
    large: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for text in texts if words else ():
        plain = PLACEHOLDERS.sub(" ; ", cleaned(text or ""))
        within = [
            found[0]
            for found in _LETTERS.finditer(plain)
            if len(found[0]) > 1
            and not found[0].isupper()
            and not _ENDS_SENTENCE.search(plain, max(0, found.start() - 4), found.start())
        ]
        with_capital = sum(word[0].isupper() for word in within)
        if len(within) < _FEWEST_WORDS or with_capital > _NOUN_WRITER * len(within):
            continue
        for word in within:
            small = word.lower()
            if small in words:
                seen[small] += 1
                large[small] += word[0].isupper()
    return large, seen


def _is_person(word: str) -> bool:
    """Return whether jieba's dictionary takes a word for a person."""
    tags = rjieba.tag(word)
    return len(tags) == 1 and str(tags[0][1]).startswith("nr")
