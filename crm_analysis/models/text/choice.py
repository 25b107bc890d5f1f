"""
How many topics texts have: as many as come out alike in different texts and hold together in texts they were not found in.

How topics are found belongs in :mod:`crm_analysis.models.text.factors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from crm_analysis.models.text.corpus import Floats, Integers
from crm_analysis.models.text.factors import ROUNDS, fitted_topics, inverse_frequency, matched, weighted
from crm_analysis.models.text.vocabulary import FEWEST_TEXTS

CHOICE_TEXTS = 4_000
CHANCE_TEXTS = 1_000
N_SPLITS = 5
N_SHUFFLES = 19  # the texts are the best of 20 with a chance of 5 % where words do not hang together
TOP_WORDS = 10
_LEAST_WEIGHT = 0.1  # of a topic's first word: topics of few words are not judged by what hardly belongs to them
TEXTS_PER_TOPIC = 30
CANDIDATES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 25, 30)
_CHANCE_CANDIDATES = 3
_CHANCE_ROUNDS = 30
_LEAST_STABILITY = 0.6


@dataclass(frozen=True)
class TopicChoice:
    """
    How many topics there are, and why.

    Attributes
    ----------
    n_topics : int
        0: none that can be told from chance, or that come out alike.
    table : pandas.DataFrame
        A row a number tried: ``n_topics``, ``stability``, ``coherence``, ``score`` (their product), its standard ``error``
        and ``choice``.
    reason : str
        A sentence.
    n_better_by_chance : int
        Of 19 times that words were shuffled between texts, how often the best score was as good.
    """

    n_topics: int
    table: pd.DataFrame
    reason: str
    n_better_by_chance: int


def chosen_number(counts: sparse.csr_array, *, seed: int, n_topics: int | None, max_topics: int) -> TopicChoice:
    """
    Choose the number of topics.

    Parameters
    ----------
    counts : scipy.sparse.csr_array
        Texts by the words that may tell a topic.
    seed : int
        Of everything random.
    n_topics : int, optional
        Given: not chosen, but measured all the same.
    max_topics : int
        The largest number tried.

    Returns
    -------
    TopicChoice
        The smallest number whose product of stability and coherence lies within one standard error of the largest.

    Notes
    -----
    Five times, up to 4,000 texts are parted in halves and topics found in each. Stability is the mean cosine of matched
    topics. Coherence is the normalised pointwise mutual information of the ten first words of each topic in the half it was
    not found in. Then up to 1,000 texts are compared, by the best product over a few numbers of topics, with the same texts
    whose words were shuffled among them: nothing is called a topic unless the texts are better than all of 19 such.

    References
    ----------
    Breiman, Friedman, Olshen, Stone (1984), "Classification and Regression Trees", for the rule of one standard error. Bouma (2009), "Normalized (pointwise) mutual information in collocation extraction". Röder, Both, Hinneburg (2015),
    "Exploring the space of topic coherence measures", WSDM. Greene, O'Callaghan, Cunningham (2014), "How many topics?
    Stability analysis for topic models", ECML PKDD.
    """
    rng = np.random.default_rng(seed)
    sample = _sample(counts, rng, CHOICE_TEXTS)
    numbers = _candidates(sample, n_topics, max_topics)
    splits = [_halves(sample.shape[0], rng) for _ in range(N_SPLITS)]
    table = pd.DataFrame([_judged(sample, number, splits, seed=seed) for number in numbers]).round(6)
    table.insert(0, "n_topics", numbers)
    at_best = table.iloc[int(table["score"].to_numpy().argmax())]
    best = int(np.argmax(table["score"] >= at_best["score"] - at_best["error"]))
    table["choice"] = np.where(np.arange(len(table)) == best, "chosen", "")
    better = _better_by_chance(sample, numbers, rng, seed=seed)
    number, reason = _verdict(table.iloc[best], better, is_given=n_topics is not None)
    return TopicChoice(number, table if number else table.assign(choice=""), reason, better)


def coherence(topics: Floats, counts: sparse.csr_array) -> Floats:
    """
    Return how far the first words of each topic stand in the same texts.

    Parameters
    ----------
    topics : numpy.ndarray of float, shape (n_topics, n_words)
        Weights of words.
    counts : scipy.sparse.csr_array
        Texts, best others than those the topics were found in.

    Returns
    -------
    numpy.ndarray of float
        By topic: the mean over pairs of its ten first words (of those with a tenth of the first one's weight) of the normalised pointwise mutual information; 1: always
        together, 0: as chance has it, -1: never. A pair of which one word is in no text counts 0.

    Examples
    --------
    >>> texts = sparse.csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]]))
    >>> coherence(np.array([[1.0, 0.9, 0.0]]), texts).tolist()
    [1.0]
    """
    order = np.argsort(-topics.round(9), axis=1, kind="stable")[:, :TOP_WORDS]
    words, place = np.unique(order, return_inverse=True)
    present = sparse.csr_array(counts[:, words]).astype(bool).astype(np.float64)
    joint = (present.T @ present).toarray() / max(counts.shape[0], 1)
    first = place.reshape(order.shape)
    return np.array([_coherence(topic[at], of, joint) for topic, at, of in zip(topics, order, first, strict=True)])


def agreement(texts: sparse.csr_array, counts: sparse.csr_array, topics: Floats, *, seed: int) -> tuple[Floats, Floats]:
    """
    Return how well each topic comes back from other random starts, and from halves of the texts.

    Parameters
    ----------
    texts : scipy.sparse.csr_array
        By TF-IDF.
    counts : scipy.sparse.csr_array
        The same texts as counts.
    topics : numpy.ndarray of float
        As found in all of them.
    seed : int
        Of everything random.

    Returns
    -------
    seeds, halves : numpy.ndarray of float
        By topic, the mean cosine with its match: over five random starts, and over both halves of five splits. At most
        4,000 texts are used.
    """
    rng = np.random.default_rng([seed, 1])
    among = np.sort(rng.permutation(texts.shape[0])[:CHOICE_TEXTS])
    drawn, number = sparse.csr_array(texts[among]), len(topics)
    starts = [fitted_topics(drawn, number, seed=int(s), init="random") for s in rng.integers(0, 2**31, 5)]
    halves = [half for _ in range(N_SPLITS) for half in _halves(len(among), rng)]
    drawn_counts = sparse.csr_array(counts[among])
    fits = [_fit(sparse.csr_array(drawn_counts[half]), number, seed=seed) for half in halves]
    return _mean_likeness(topics, starts), _mean_likeness(topics, fits)


def _mean_likeness(topics: Floats, fits: Sequence[Floats]) -> Floats:
    """Return the mean cosine of each topic with its match in other fits."""
    return np.asarray(np.mean([matched(topics, fit)[0] for fit in fits], axis=0))


def _sample(counts: sparse.csr_array, rng: np.random.Generator, most: int) -> sparse.csr_array:
    """Return some of the texts, by the words that enough of them hold to be found again in others."""
    drawn = sparse.csr_array(counts[np.sort(rng.permutation(counts.shape[0])[:most])])
    return sparse.csr_array(
        drawn[:, np.flatnonzero(np.bincount(drawn.indices, minlength=drawn.shape[1]) >= FEWEST_TEXTS)]
    )


def _candidates(sample: sparse.csr_array, n_topics: int | None, max_topics: int) -> list[int]:
    """Return the numbers of topics to be tried: no more than texts and words allow."""
    words = int((np.bincount(sample.indices, minlength=sample.shape[1]) > 0).sum())
    most = min(max_topics, sample.shape[0] // TEXTS_PER_TOPIC, words // 2)
    if n_topics is not None:
        return [max(1, min(n_topics, sample.shape[0] // 4, words))]
    return [number for number in CANDIDATES if number <= max(2, most)]


def _halves(n_texts: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Return the texts of two random halves."""
    order = rng.permutation(n_texts)
    return np.sort(order[: n_texts // 2]), np.sort(order[n_texts // 2 :])


def _fit(counts: sparse.csr_array, number: int, *, seed: int, rounds: int = ROUNDS) -> Floats:
    """Return the topics of texts that know nothing of the others."""
    return fitted_topics(weighted(counts, inverse_frequency(counts)), number, seed=seed, rounds=rounds)


def _judged(
    counts: sparse.csr_array,
    number: int,
    splits: Sequence[tuple[Integers, Integers]],
    *,
    seed: int,
    rounds: int = ROUNDS,
) -> dict[str, float]:
    """Return stability and coherence of a number of topics, their product, and its error over the splits."""
    found = []
    for one, other in splits:
        first, second = (sparse.csr_array(counts[half]) for half in (one, other))
        a, b = (_fit(half, number, seed=seed, rounds=rounds) for half in (first, second))
        together = float(np.mean([*coherence(a, second), *coherence(b, first)]))
        found.append((float(matched(a, b)[0].mean()), together))
    stability, together = np.mean(found, axis=0)
    products = np.prod(found, axis=1)
    error = float(products.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else 0.0
    return {
        "stability": float(stability),
        "coherence": float(together),
        "score": float(products.mean()),
        "error": error,
    }


def _better_by_chance(sample: sparse.csr_array, numbers: Sequence[int], rng: np.random.Generator, *, seed: int) -> int:
    """Return how many of 19 shuffles of words between texts score as well as the texts themselves."""
    texts = _sample(sample, rng, CHANCE_TEXTS)
    step = max(1, -(-len(numbers) // _CHANCE_CANDIDATES))
    few = numbers[::step]

    def score(counts: sparse.csr_array) -> float:
        splits = [_halves(counts.shape[0], rng)]
        return max(_judged(counts, number, splits, seed=seed, rounds=_CHANCE_ROUNDS)["score"] for number in few)

    own = score(texts)
    return sum(score(_shuffled(texts, rng)) >= own for _ in range(N_SHUFFLES))


def _shuffled(counts: sparse.csr_array, rng: np.random.Generator) -> sparse.csr_array:
    """Return texts of the same lengths and words, put together at random."""
    shuffled = sparse.csr_array(
        (np.ones(len(counts.indices), dtype=np.int32), rng.permutation(counts.indices), counts.indptr.copy()),
        shape=counts.shape,
    )
    shuffled.sum_duplicates()
    return shuffled


def _coherence(weights: Floats, first: Integers, joint: Floats) -> float:
    """Return the mean normalised pointwise mutual information of a topic's first words, by how often pairs come together."""
    first = first[weights > _LEAST_WEIGHT * weights.max(initial=0.0)]
    if len(first) < 2:
        return 0.0
    one, other = (first[at] for at in np.triu_indices(len(first), 1))
    both, expected = joint[one, other], joint[one, one] * joint[other, other]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(both / expected) / -np.log(both)
    values = np.where(both <= 0, -1.0, np.where(both >= 1, 0.0, values))
    return float(np.where(expected > 0, values, 0.0).mean())


def _verdict(best: pd.Series, better: int, *, is_given: bool) -> tuple[int, str]:
    """Return the number of topics and why."""
    number = int(best["n_topics"])
    measured = f"matched topics of two halves are alike to {best['stability']:.2f}, coherence {best['coherence']:.2f}"
    if is_given:
        warning = f" Words shuffled between texts did as well in {better} of {N_SHUFFLES} trials." if better else ""
        return number, f"{number} topics, as asked for: {measured}.{warning}"
    if better:
        return 0, (
            f"No topics: words shuffled between the texts hang together as well in {better} of {N_SHUFFLES} trials, so that the texts "
            "are either all alike or each on its own."
        )
    if best["score"] <= 2 * best["error"]:
        return 0, f"No topics: the words of what was found do not hang together in other texts ({measured})."
    if best["stability"] < _LEAST_STABILITY:
        return 0, f"No topics: what was found in one half of the texts is not found in the other ({measured})."
    return (
        number,
        f"{number} topics: {measured}, the smallest number within one standard error of the best; shuffled words did worse in all trials.",
    )
