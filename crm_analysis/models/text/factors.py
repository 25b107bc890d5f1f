"""
Texts by TF-IDF, taken apart into topics by non-negative factors, and topics of one fit held against those of another.

How many topics there are is decided in :mod:`crm_analysis.models.text.choice`.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from crm_analysis.models.text.corpus import Floats

ROUNDS = 200
_BLOCK = 100_000


def inverse_frequency(counts: sparse.csr_array) -> Floats:
    """
    Return how much a word weighs: more the fewer texts hold it.

    Parameters
    ----------
    counts : scipy.sparse.csr_array
        A row a text, a column a word.

    Returns
    -------
    numpy.ndarray of float
        By word: the logarithm of (1 + texts) ÷ (1 + texts that hold it), plus 1.
    """
    held = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + held)) + 1)


def weighted(counts: sparse.csr_array, inverse: Floats) -> sparse.csr_array:
    """
    Return texts by TF-IDF, each of length 1.

    Parameters
    ----------
    counts : scipy.sparse.csr_array
        How often each text holds each word.
    inverse : numpy.ndarray of float
        From :func:`inverse_frequency`.

    Returns
    -------
    scipy.sparse.csr_array
        Of the same shape: (1 + log of the count) × inverse frequency, over the root of the text's sum of squares.

    References
    ----------
    Spärck Jones (1972), "A statistical interpretation of term specificity", Journal of Documentation 28. Salton, Buckley
    (1988), "Term-weighting approaches in automatic text retrieval", Information Processing and Management 24.

    Examples
    --------
    >>> counts = sparse.csr_array(np.array([[1, 0], [1, 1]]))
    >>> weighted(counts, inverse_frequency(counts)).toarray().round(2).tolist()
    [[1.0, 0.0], [0.58, 0.81]]
    """
    values = (1 + np.log(counts.data)) * inverse[counts.indices]
    lengths = np.sqrt(np.add.reduceat(np.append(values**2, 0.0), counts.indptr[:-1]))
    per_text = np.diff(counts.indptr)
    values = values / np.repeat(np.where(per_text, lengths, 1.0), per_text)
    return sparse.csr_array((values, counts.indices, counts.indptr), shape=counts.shape)


def fitted_topics(
    texts: sparse.csr_array, n_topics: int, *, seed: int, init: str = "nndsvda", rounds: int = ROUNDS
) -> Floats:
    """
    Find topics: few words' weights that, added up, give back every text.

    Parameters
    ----------
    texts : scipy.sparse.csr_array
        From :func:`weighted`.
    n_topics : int
        How many; at most the number of texts and of words.
    seed : int
        Of the start.
    init : str
        ``nndsvda`` starts from singular vectors, ``random`` at random.
    rounds : int
        After which a fit is left as it is.

    Returns
    -------
    numpy.ndarray of float, shape (n_topics, n_words)
        Weights of words, each topic of length 1.

    References
    ----------
    Lee, Seung (1999), "Learning the parts of objects by non-negative matrix factorization", Nature 401. Boutsidis,
    Gallopoulos (2008), "SVD based initialization", Pattern Recognition 41. Cichocki, Phan (2009), "Fast local algorithms for
    large scale nonnegative matrix and tensor factorizations", IEICE Transactions E92-A.
    """
    model = NMF(n_topics, init=init, random_state=seed, max_iter=rounds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough: stability is measured
        # Where texts are nearly alike, the squared error, which nothing here reads, may round to just below zero.
        warnings.filterwarnings("ignore", "invalid value encountered in sqrt", RuntimeWarning)
        model.fit(texts)
    topics = np.asarray(model.components_, dtype=float)
    lengths = np.linalg.norm(topics, axis=1, keepdims=True)
    return topics / np.where(lengths > 0, lengths, 1.0)


def topic_weights(texts: sparse.csr_array, topics: Floats) -> Floats:
    """
    Return how much of each topic a text holds.

    Parameters
    ----------
    texts : scipy.sparse.csr_array
        From :func:`weighted`.
    topics : numpy.ndarray of float
        From :func:`fitted_topics`.

    Returns
    -------
    numpy.ndarray of float, shape (n_texts, n_topics)
        Not negative, by least squares; all zero for a text without words of any topic.

    Notes
    -----
    Coordinate descent on the normal equations, until no weight of a block of texts moves by more than 1e-5.

    Examples
    --------
    >>> topic_weights(sparse.csr_array(np.array([[0.6, 0.8]])), np.eye(2)).round(2).tolist()
    [[0.6, 0.8]]
    """
    gram = topics @ topics.T
    found = np.zeros((texts.shape[0], len(topics)))
    for start in range(0, texts.shape[0], _BLOCK):
        found[start : start + _BLOCK] = _least_squares(texts[start : start + _BLOCK] @ topics.T, gram)
    return found


def matched(one: Floats, other: Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """
    Pair the topics of two fits so that they are as alike as possible.

    Parameters
    ----------
    one, other : numpy.ndarray of float
        Topics over the same words, as many in each.

    Returns
    -------
    likeness : numpy.ndarray of float
        By topic of `one`: the cosine with its partner, 1 for the same words in the same proportion.
    partner : numpy.ndarray of int
        Its number in `other`.

    References
    ----------
    Kuhn (1955), "The Hungarian method for the assignment problem". Greene, O'Callaghan, Cunningham (2014), "How many topics?
    Stability analysis for topic models", ECML PKDD.

    Examples
    --------
    >>> likeness, partner = matched(np.eye(2), np.eye(2)[::-1])
    >>> likeness.tolist(), partner.tolist()
    ([1.0, 1.0], [1, 0])
    """
    cosines = one @ other.T
    rows, partner = linear_sum_assignment(-cosines.round(12))
    return cosines[rows, partner], partner


def _least_squares(products: Floats, gram: Floats) -> Floats:
    """Return the non-negative weights that fit best."""
    columns = np.asfortranarray(products)
    weights = np.zeros_like(columns)
    for _ in range(ROUNDS):
        moved = 0.0
        for topic in range(len(gram)):
            if gram[topic, topic] <= 0:
                continue
            new = np.maximum(0, weights[:, topic] + (columns[:, topic] - weights @ gram[topic]) / gram[topic, topic])
            moved = max(moved, float(np.abs(new - weights[:, topic]).max(initial=0)))
            weights[:, topic] = new
        if moved <= 1e-5:
            break
    return weights
