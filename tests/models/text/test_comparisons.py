"""Weights, shares and labels of topics are right by hand, and comparisons raise no more false alarms than they say."""

import numpy as np
import pandas as pd
from scipy import sparse

from crm_analysis.models.text.choice import coherence
from crm_analysis.models.text.comparisons import holm, share_difference, trend_p_value
from crm_analysis.models.text.factors import fitted_topics, inverse_frequency, matched, topic_weights, weighted
from crm_analysis.models.text.labels import labels_of, name_like
from crm_analysis.models.text.snippets import LONGEST_SNIPPET, masked, shortened, snippet


def test_weights_are_those_of_least_squares_and_topics_match_whatever_their_order():
    rng = np.random.default_rng(0)
    topics = rng.random((3, 8))
    topics /= np.linalg.norm(topics, axis=1, keepdims=True)
    truth = rng.random((20, 3)) * (rng.random((20, 3)) < 0.6)
    np.testing.assert_allclose(topic_weights(sparse.csr_array(truth @ topics), topics), truth, atol=1e-3)
    likeness, partner = matched(topics, topics[[2, 0, 1]])
    np.testing.assert_allclose(likeness, 1)
    assert partner.tolist() == [1, 2, 0]


def test_texts_have_length_one_and_a_fit_repeats():
    counts = sparse.csr_array(np.array([[2, 1, 0], [0, 0, 0], [0, 1, 1], [1, 0, 3]]))
    texts = weighted(counts, inverse_frequency(counts))
    np.testing.assert_allclose(np.linalg.norm(texts.toarray(), axis=1), [1, 0, 1, 1])
    np.testing.assert_array_equal(fitted_topics(texts, 2, seed=1), fitted_topics(texts, 2, seed=1))


def test_coherence_is_one_together_minus_one_apart_and_nought_alone():
    texts = sparse.csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]]))
    assert coherence(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.01, 0.01]]), texts).tolist() == [
        1.0,
        -1.0,
        0.0,
    ]


def test_trends_and_differences_raise_no_more_false_alarms_than_they_say():
    alarms = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        customers = rng.integers(0, 60, 300)
        belongs = rng.random(300) < rng.beta(1, 1, 60)[customers]  # customers differ: their texts are related
        happened = rng.random(300) < rng.beta(1, 1, 60)[customers]
        alarms.append(
            (
                share_difference(belongs, happened, customers).p_value,
                trend_p_value(belongs, rng.random(60)[customers], customers),
            )
        )
    assert ((np.array(alarms) < 0.05).mean(axis=0) < 0.1).all()


def test_comparisons_at_their_limits():
    every, customers = np.ones(40, dtype=bool), np.arange(40)
    assert np.isnan(trend_p_value(every, np.arange(40.0), customers))
    assert np.isnan(trend_p_value(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0, dtype=int)))
    assert np.isnan(trend_p_value(customers > 20, np.arange(40.0), customers * 0))
    alone = share_difference(every, every, customers)
    assert (alone.share, alone.high) == (1.0, 1.0)
    assert 0.9 < alone.low < 0.95  # Wilson for 40 of 40: .912
    assert np.isnan([alone.rest, alone.p_value]).all()
    assert holm(np.array([np.nan, 0.02])).tolist()[1] == 0.02


def test_labels_are_unique_and_made_of_frequent_words():
    words = pd.DataFrame(
        [(0, w, 0.5, 0.1) for w in "abcd"]
        + [(1, w, 0.5, 0.1) for w in "abcde"]
        + [(2, "rare", 0.01, 0.0)]
        + [(3, w, 0.5, 0.1) for w in "abcd"],
        columns=["topic", "word", "share", "share_elsewhere"],
    )
    assert labels_of(words, 4) == ["a, b, c, d (1)", "a, b, c, d, e", "topic 3", "a, b, c, d (4)"]


def test_names_are_known_by_their_capital_within_sentences():
    texts = ["Please tell Maria that the parcel came. Parcel is open on Monday."] * 4 + [
        "Die Lieferung an Die Firma Kam Nie An"
    ] * 9
    assert name_like(texts, {"maria", "parcel", "monday", "lieferung", "firma"}) == {"maria"}
    assert name_like([], {"maria"}) == set()


def test_excerpts_hide_what_few_write_and_end_between_words():
    assert masked("Ann-Marie paid 12.50 to O'Neil [name].", {"paid"}) == "… paid … to O'… [name]."
    assert masked("王伟，退款", {"退款"}) == "…，退款"
    assert len(shortened("word " * 100)) <= LONGEST_SNIPPET
    assert snippet([], known=None) == ""
    assert snippet(["zzz yyy", "late parcel zzz"], known={"late", "parcel"}) == "late parcel …"
    assert snippet(["<img src=x onerror=alert(1)>late \u202eparcel"], known=None) == "late parcel"
