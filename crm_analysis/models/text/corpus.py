"""
Texts as counts of words: a row a text, a column a word.

Which words tell a topic belongs in :mod:`crm_analysis.models.text.vocabulary`.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from crm_analysis.models.text.tokens import is_japanese, words_of

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Corpus:
    """
    Texts as counts of words.

    Attributes
    ----------
    words : tuple of str
        A word a column, in the order of their first appearance.
    counts : scipy.sparse.csr_array
        How often each text holds each word.
    is_japanese : numpy.ndarray of bool
        By text.
    """

    words: tuple[str, ...]
    counts: sparse.csr_array
    is_japanese: Flags


def corpus_of(texts: Sequence[str | None]) -> Corpus:
    """
    Count the words of texts.

    Parameters
    ----------
    texts : sequence of str or None
        Any texts; a missing one has no words.

    Returns
    -------
    Corpus
        A row a text.

    Examples
    --------
    >>> corpus_of(["late parcel", None, "late, late refund"]).counts.toarray().tolist()
    [[1, 1, 0], [0, 0, 0], [2, 0, 1]]
    """
    columns: defaultdict[str, int] = defaultdict()
    columns.default_factory = columns.__len__
    codes, ends, japanese = array("i"), array("q", [0]), bytearray(len(texts))
    for row, text in enumerate(texts):
        if text:
            codes.extend(map(columns.__getitem__, words_of(text)))
            japanese[row] = not text.isascii() and is_japanese(text)
        ends.append(len(codes))
    indices, starts = np.frombuffer(codes, dtype=np.int32), np.frombuffer(ends, dtype=np.int64)
    shape = (len(texts), len(columns))
    counts = sparse.csr_array((np.ones(len(indices), dtype=np.int32), indices.copy(), starts.copy()), shape=shape)
    counts.sum_duplicates()
    return Corpus(tuple(columns), counts, np.frombuffer(japanese, dtype=np.uint8).astype(bool))


def customers_by_word(counts: sparse.csr_array, customers: Integers) -> Integers:
    """
    Return how many different customers' texts hold each word.

    Parameters
    ----------
    counts : scipy.sparse.csr_array
        A row a text, a column a word.
    customers : numpy.ndarray of int
        The customer of each text, as numbers from 0.

    Returns
    -------
    numpy.ndarray of int
        By word.

    Examples
    --------
    >>> corpus = corpus_of(["late parcel", "late", "late refund"])
    >>> customers_by_word(corpus.counts, np.array([0, 0, 1])).tolist()
    [2, 1, 1]
    """
    n_texts, n_words = counts.shape
    n_customers = int(customers.max(initial=-1)) + 1
    owner = sparse.csr_array(
        (np.ones(n_texts, np.int32), (customers, np.arange(n_texts))), shape=(n_customers, n_texts)
    )
    written = sparse.csr_array(owner @ counts)
    return np.asarray(np.bincount(written.indices[written.data > 0], minlength=n_words))
