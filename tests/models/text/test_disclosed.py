"""What topics tell of private data: no share, count or list from which the cases of few customers follow."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from crm_analysis.models.text import case_topics
from crm_analysis.models.text.coverage import coverage_of, language_table, without_counts
from crm_analysis.models.text.description import TopicTexts, topic_outcomes, topic_trends
from crm_analysis.models.text.factors import fitted_topics
from crm_analysis.models.text.found import FEWEST_OF_TOPIC, LanguageTopics, _with_texts
from tests.models.text.written_texts import ENGLISH, written

MIN_CELL = 5


def outcomes_of(topic, customers, yes, *, min_cell=MIN_CELL):
    """Return the table of one outcome, by topic."""
    labels = [f"topic {at}" for at in range(max(topic) + 1)]
    opened = pd.Series(pd.date_range("2017-01-01", periods=len(topic), freq="h", unit="us"))
    texts = TopicTexts(np.asarray(topic), np.asarray(customers), opened, labels)
    return topic_outcomes(texts, {"missed": pd.Series(yes, dtype="boolean")}, min_cell=min_cell)


def test_a_share_is_hidden_where_few_customers_are_with_the_outcome_or_without_it():
    topic = np.repeat([0, 1, 2, 3], 50)
    yes = np.concatenate([np.arange(50) < n for n in (2, 20, 48, 25)])
    table = outcomes_of(topic, np.arange(200), yes)
    assert table["share"].isna().tolist() == [True, False, True, False]  # 2 with it; 2 without it
    figures = ["known", "customers", "share", "low", "high", "share_rest", "p_value"]
    assert table.loc[[0, 2], figures].isna().all(axis=None)
    assert table["reading"].tolist()[0] == "not shown"
    assert outcomes_of(topic, np.arange(200), yes, min_cell=1)["share"].tolist() == [0.04, 0.4, 0.96, 0.5]


def test_customers_count_and_not_their_cases():
    topic = np.repeat([0, 1, 2], 60)
    customers = np.arange(180)
    yes = np.tile([True, False], 90)
    customers[(topic == 0) & yes] = 0  # 30 cases with the outcome, all of one customer
    hidden = outcomes_of(topic, customers, yes)["share"].isna()
    assert hidden[0]
    assert hidden.sum() == 2  # and another, or it would be what is left of the total


def test_what_is_hidden_alone_hides_the_next_smallest():
    topic = np.repeat([0, 1, 2], [60, 50, 40])
    yes = np.concatenate([np.arange(60) < 3, np.arange(50) < 25, np.arange(40) < 20])
    assert outcomes_of(topic, np.arange(150), yes)["share"].isna().tolist() == [True, False, True]


def test_a_topic_is_hidden_where_all_others_have_few():
    topic = np.repeat([0, 1], 50)
    yes = np.concatenate([np.arange(50) < 25, np.zeros(50, dtype=bool)])
    yes[50] = True
    assert outcomes_of(topic, np.arange(100), yes)["share"].isna().all()
    yes[50] = False  # nobody: a cell of nobody tells of nobody
    assert outcomes_of(topic, np.arange(100), yes)["share"].tolist() == [0.5, 0.0]


def test_cases_without_a_topic_are_not_what_is_left_of_the_total():
    topic = np.repeat([0, 1, -1], [50, 40, 10])
    yes = np.concatenate([np.arange(50) < 25, np.arange(40) < 20, np.arange(10) < 2])
    table = outcomes_of(topic, np.arange(100), yes)
    assert table["share"].isna().tolist() == [False, True]
    yes[-10:] = np.arange(10) < 5
    table = outcomes_of(topic, np.arange(100), yes)
    assert table["share"].tolist() == table["share_rest"].tolist() == [0.5, 0.5]  # they are in neither share


def test_how_many_outcomes_are_not_known_of_a_topic_is_not_told_where_few():
    topic = np.repeat([0, 1], 50)
    yes = pd.Series(np.tile([True, False], 50), dtype="boolean")
    yes[0] = pd.NA
    table = outcomes_of(topic, np.arange(100), yes)
    assert table["known"].isna().tolist() == [True, False]
    assert table["share"].notna().all()


@pytest.mark.parametrize("seed", range(20))
def test_no_difference_of_shown_figures_to_the_total_is_of_few_customers(seed):
    rng = np.random.default_rng(seed)
    topic, customers = rng.integers(-1, 5, 150), rng.integers(0, 90, 150)
    yes = rng.random(150) < rng.choice([0.05, 0.2, 0.5, 0.9], 6)[topic]
    hidden = outcomes_of(topic, customers, yes)["share"].isna().to_numpy()
    if hidden.all():
        return
    rest = np.append(hidden, True)[topic]
    for side in (yes, ~yes):
        groups = [side & rest, *(side & (topic == at) for at in np.flatnonzero(~hidden))]
        assert all(len(np.unique(customers[group])) not in range(1, MIN_CELL) for group in groups)


def test_texts_are_not_counted_where_those_without_a_topic_are_of_few_customers():
    texts, topic = written(ENGLISH, 420, seed=1, customers=200)
    texts.loc[topic == 3, "customer_id"] = [f"few{at % 3}" for at in range(int((topic == 3).sum()))]
    found = case_topics(texts, seed=0, n_topics=3, min_cell=MIN_CELL)
    public = case_topics(texts, seed=0, n_topics=3)
    assert found.sentences[0] == "3 topics in English."
    assert found.topics[["texts", "customers"]].isna().all(axis=None)
    assert found.outcomes[["known", "customers"]].isna().all(axis=None)
    assert found.languages[["texts", "customers", "usable"]].isna().all(axis=None)
    for table in (found.topics, found.trends, found.by_period, found.outcomes, found.words):
        shares = table.filter(like="share").astype(float)
        pd.testing.assert_frame_equal(shares, shares.round(2))
    assert found.cases["topic"].notna().all()
    assert any("no list of cases" in note for note in found.notes)
    assert len(public.cases) == len(texts)
    assert public.topics["texts"].notna().all()
    assert public.sentences[0].startswith("3 topics in English cover")
    assert not any("no list of cases" in note for note in public.notes)


@pytest.mark.parametrize(("empty", "told"), [(["c1"] * 9, False), ([f"c{at}" for at in range(9)], True)])
def test_cases_without_words_are_counted_by_customers(empty, told):
    texts, _ = written(ENGLISH, 300, seed=1)
    more = texts.head(9).assign(case_id=[f"e{at}" for at in range(9)], text=None, customer_id=empty)
    found = case_topics(pd.concat([texts, more], ignore_index=True), seed=0, n_topics=4, min_cell=MIN_CELL)
    assert any(note.startswith("9 cases have no text") for note in found.notes) is told
    assert (len(found.cases) == 309) is told
    assert (" 300 texts" in found.sentences[0]) is told


def test_a_language_is_not_counted_where_few_of_its_customers_have_no_topic():
    languages = np.repeat("English", 300)
    topic = np.zeros(300, dtype=np.intp)
    one = [_language("English")]
    for n_without, is_told in ((0, True), (2, False), (6, True)):
        topic[:] = 0
        topic[:n_without] = -1
        coverage = coverage_of(languages, topic, np.arange(300), min_cell=MIN_CELL)
        table = language_table(one, languages, topic, np.arange(300), coverage, min_cell=MIN_CELL)
        assert table["texts"].notna().tolist() == [is_told]
        assert coverage.is_told is is_told
        assert int(coverage.unlisted.sum()) == (0 if is_told else n_without)
        shown = without_counts(
            pd.DataFrame({"texts": [300], "customers": [300], "share": [1 / 3]}), coverage, name="topics"
        )
        assert shown["share"].tolist() == [pytest.approx(1 / 3, abs=0) if is_told else 0.33]


def _language(name):
    """Return a language with one topic, whose 300 texts are all usable."""
    nothing, topic = np.zeros(0), np.zeros(300, dtype=np.intp)
    tables = {"choice": pd.DataFrame(), "words": pd.DataFrame(), "seeds": nothing, "halves": nothing}
    return LanguageTopics(
        name, 300, 300, "", rows=np.arange(300), topic=topic, weight=nothing, labels=("a",), snippets=("",),
        n_name_like=0, n_too_common=0, **tables,
    )  # fmt: skip


def test_a_topic_with_hardly_any_text_is_none():
    held = np.kron(np.eye(3), np.ones((150, 4)))[: 300 + 3]  # three texts of 303 are of a kind of their own
    texts = sparse.csr_array(held / np.linalg.norm(held, axis=1, keepdims=True))
    topics, topic, weight = _with_texts(texts, np.arange(303), 3, seed=0)
    assert topics.shape == (2, 12)
    assert np.bincount(topic[:300]).tolist() == [150, 150]
    assert len(set(topic[:150])) == len(set(topic[150:300])) == 1
    assert weight[:300].min() > 0.99


def test_more_topics_than_there_are_are_not_counted_drawn_or_listed():
    templates = ["late parcel courier depot", "wrong charge invoice refund", "broken screen phone glass"]
    texts, _ = written(ENGLISH, 400, seed=1)
    texts["text"] = [templates[at % 3] for at in range(400)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # texts nearly alike: the fit's own warning would name a path
        found = case_topics(texts, seed=0, n_topics=9)
    assert found.n_topics == len(found.topics) == 3
    assert found.topics["texts"].min() >= FEWEST_OF_TOPIC
    assert found.sentences[0].startswith("3 topics in")
    assert set(found.by_period["topic"]) == set(found.words["topic"]) == set(found.topics.index)
    assert "6 of them had hardly any texts, so that 3 are shown." in found.notes[0]


def test_a_fit_of_texts_that_are_alike_does_not_warn():
    texts = sparse.csr_array(np.repeat(np.eye(3)[:, [0, 0, 1, 1, 2, 2]], 100, axis=0) / np.sqrt(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as the notebook would show it
        for number in (2, 3, 5):
            assert np.isfinite(fitted_topics(texts, number, seed=0)).all()


def test_a_trend_that_is_not_tested_has_no_figures():
    topic = np.tile([0, 1], 15)
    opened = pd.Series(pd.date_range("2017-01-01", periods=30, freq="D", unit="us"))
    table = topic_trends(TopicTexts(topic, np.arange(30) % 12, opened, ["a", "b"]), min_cell=1)
    assert (table["reading"] == "too few customers").all()
    assert table[["share_early", "share_late", "p_value"]].isna().all(axis=None)
