"""
The topics of case texts: what customers write about, how that changes, and how it ends.

How texts become words and topics belongs in the modules beside this one; pictures are in :mod:`crm_analysis.figures.topics`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from crm_analysis.errors import DataQualityError
from crm_analysis.models.text.choice import N_SHUFFLES
from crm_analysis.models.text.corpus import Integers, corpus_of
from crm_analysis.models.text.coverage import Coverage, Names, coverage_of, language_table, without_counts
from crm_analysis.models.text.description import (
    TopicTexts,
    topic_outcomes,
    topic_sizes,
    topic_trends,
    topics_by_period,
)
from crm_analysis.models.text.found import LanguageTopics, topics_of_language
from crm_analysis.models.text.labels import N_WORDS
from crm_analysis.models.text.languages import NO_WORDS, languages_of
from crm_analysis.models.text.wording import (
    LOW_SATISFACTION,
    MISSED_TARGET,
    no_topics_in_words,
    notes_in_words,
    readable_topics,
    topics_in_words,
)

COLUMNS = ("case_id", "customer_id", "opened_at", "text")
_WORDS = ("topic", "word", "share", "share_elsewhere")


@dataclass(frozen=True)
class Topics:
    """
    The topics of case texts.

    Attributes
    ----------
    n_topics : int
        In all languages together; 0: none, and `sentences` says why.
    topics : pandas.DataFrame
        By ``topic`` (its label): ``language``, ``texts``, ``customers``, ``share`` of the texts with a topic, ``seeds`` and
        ``halves`` (how well it comes back), ``is_stable``, ``words``, ``snippet``; the largest first.
    words : pandas.DataFrame
        ``topic``, ``word``, ``share`` of the topic's texts that hold it, ``share_elsewhere``; ten words a topic.
    trends : pandas.DataFrame
        By ``topic``: ``share_early``, ``share_late``, ``p_value``, ``reading``.
    by_period : pandas.DataFrame
        ``period`` (first day of a month or week), ``topic``, ``share``.
    outcomes : pandas.DataFrame
        ``outcome`` (low satisfaction, missed target), ``topic``, ``known``, ``customers``, ``share``, ``low``, ``high``,
        ``share_rest``, ``p_value``, ``reading``.
    languages : pandas.DataFrame
        By ``language``: ``texts``, ``customers``, ``usable``, ``topics``, ``reason``.
    choice : pandas.DataFrame
        ``language``, ``n_topics`` tried, ``stability``, ``coherence``, ``score``, ``error``, ``choice``.
    cases : pandas.DataFrame
        A row a case as given: ``case_id``, ``language``, ``topic`` (missing: none), ``weight``. About single customers: to be
        joined to features, not to be shown. Cases without a topic are left out where they are of too few customers, and so are
        those without words.
    stability : float
        Mean of ``halves``; missing without topics.
    sentences, notes : tuple of str
        What there is to say, and what a careful reader must know.
    """

    n_topics: int
    topics: pd.DataFrame
    words: pd.DataFrame
    trends: pd.DataFrame
    by_period: pd.DataFrame
    outcomes: pd.DataFrame
    languages: pd.DataFrame
    choice: pd.DataFrame
    cases: pd.DataFrame
    stability: float
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def readable(self) -> pd.DataFrame:
        """The topics for people: their size, how well they come back, and a text that is typical."""
        return readable_topics(self.topics)


def case_topics(
    texts: pd.DataFrame,
    *,
    seed: int,
    n_topics: int | None = None,
    max_topics: int = 12,
    sla_missed: pd.Series | None = None,
    low_satisfaction_at_most: int = 2,
    min_cell: int = 1,
    unshown: Collection[str] = (),
) -> Topics:
    """
    Find what customers write about.

    Parameters
    ----------
    texts : pandas.DataFrame
        A row a case: ``case_id``, ``customer_id``, ``opened_at``, ``text`` (redacted where it is not public; missing allowed),
        ``satisfaction`` (1–5, missing allowed; the column may be absent).
    seed : int
        Of everything random.
    n_topics : int, optional
        In each language; else chosen by stability and coherence.
    max_topics : int
        The largest number tried, in each language; at least 2.
    sla_missed : pandas.Series, optional
        By ``case_id``: whether the target was missed, missing while not known.
    low_satisfaction_at_most : int
        The largest satisfaction that counts as low.
    min_cell : int
        Least number of customers that a figure is about; 1 for public data.
    unshown : collection of str
        Words in lower case that may stand in no label, table or excerpt.

    Returns
    -------
    Topics
        Without topics, and with the reason, where texts are missing, too few (200 a language), all alike or each on its own.
        Neither the order of rows nor the names of cases and customers have an influence on it.

    Raises
    ------
    DataQualityError
        A column is missing, or a case stands there twice.

    Notes
    -----
    Texts are parted by language, so that no topic is a language; each language has topics of its own: TF-IDF, non-negative
    matrix factorization from singular vectors, on at most 50,000 texts, then given to all. In data that are not public a word is
    shown only where at least five customers (or `min_cell`) write it, and never one that looks like a name.

    Examples
    --------
    >>> texts = pd.DataFrame(
    ...     {"case_id": ["1"], "customer_id": ["a"], "opened_at": pd.Timestamp(2017, 1, 2), "text": "Hi!"}
    ... )
    >>> case_topics(texts, seed=0).sentences
    ('No topics: fewer than 200 texts. The texts are in Latin script, language not told.',)
    """
    if (n_topics is not None and n_topics < 1) or max_topics < 2:
        raise ValueError(f"n_topics must be at least 1 and max_topics at least 2, got {n_topics!r} and {max_topics!r}")
    ordered = _in_own_order(texts)
    customers = np.asarray(pd.factorize(ordered["customer_id"], use_na_sentinel=False)[0])
    written = [text if isinstance(text, str) else None for text in ordered["text"].tolist()]
    with threadpool_limits(limits=1):  # many small fits: threads would spend their time waiting for each other
        corpus = corpus_of(written)
        languages = languages_of(corpus)
        found = [
            topics_of_language(
                corpus,
                written,
                np.flatnonzero(languages == language),
                customers,
                language=language,
                seed=seed,
                n_topics=n_topics,
                max_topics=max_topics,
                min_cell=min_cell,
                unshown=unshown,
            )
            for language in _by_size(languages)
        ]
    happened = _outcomes(ordered, sla_missed, low_satisfaction_at_most)
    return _result(ordered, languages, customers, found, happened, min_cell=min_cell)


def no_topics(reason: str) -> Topics:
    """
    Return a result without topics, for data without texts.

    Parameters
    ----------
    reason : str
        Why, such as that the cases have no column of texts.

    Returns
    -------
    Topics
        Empty tables; its sentence is `reason`.
    """
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS}).astype({"opened_at": "datetime64[us]"})
    made = _result(empty, np.zeros(0, dtype="str"), np.zeros(0, dtype=np.intp), [], {}, min_cell=1)
    return Topics(**{**vars(made), "sentences": (reason,)})


def _in_own_order(texts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in an order that depends on what is written and when alone."""
    missing = [name for name in COLUMNS if name not in texts]
    if missing:
        raise DataQualityError(
            f"The table of texts lacks {len(missing)} of {len(COLUMNS)} columns: {missing}. It has {list(texts.columns)[:8]}. "
            "Give the table of features.service.case_texts."
        )
    twice = int(texts["case_id"].duplicated().sum())
    if twice:
        raise DataQualityError(
            f"{twice} of {len(texts):,} rows repeat a case_id, such as {texts['case_id'][texts['case_id'].duplicated()].iloc[0]!r}, in "
            "the table of texts. Keep one row a case."
        )
    numbered = texts.assign(text=texts["text"].astype("str"), row=np.arange(len(texts)))
    keys = [name for name in ("text", "opened_at", "satisfaction") if name in texts]
    return numbered.sort_values(keys, kind="stable", ignore_index=True)


def _by_size(languages: Names) -> list[str]:
    """Return the languages, the most common first; the alphabet decides between equals."""
    names, counts = np.unique(languages[languages != NO_WORDS], return_counts=True)
    return [str(names[at]) for at in sorted(range(len(names)), key=lambda at: (-counts[at], names[at]))]


def _outcomes(ordered: pd.DataFrame, sla_missed: pd.Series | None, low_at_most: int) -> dict[str, pd.Series]:
    """Return a flag a case for each outcome that is known of some."""
    flags = {}
    if "satisfaction" in ordered:
        answered = ordered["satisfaction"].astype("Float64")
        flags[LOW_SATISFACTION] = (answered <= low_at_most).astype("boolean").mask(answered.isna())
    if sla_missed is not None:
        missed = sla_missed.astype("boolean").reindex(ordered["case_id"])
        flags[MISSED_TARGET] = missed.reset_index(drop=True)
    return {name: flag for name, flag in flags.items() if flag.notna().any()}


def _result(
    ordered: pd.DataFrame,
    languages: Names,
    customers: Integers,
    found: Sequence[LanguageTopics],
    happened: dict[str, pd.Series],
    *,
    min_cell: int,
) -> Topics:
    """Put the topics of all languages together."""
    number, weight, about = _together(found, len(ordered))
    coverage = coverage_of(languages, number, customers, min_cell=min_cell)
    with_topic = np.flatnonzero(number >= 0)
    own = TopicTexts(
        number[with_topic],
        customers[with_topic],
        ordered["opened_at"].iloc[with_topic].reset_index(drop=True),
        about["label"].tolist(),
    )
    every = replace(own, topic=number, customers=customers, opened_at=ordered["opened_at"])
    topics = without_counts(topic_sizes(own, about, min_cell=min_cell), coverage, name="topics")
    trends = without_counts(topic_trends(own, min_cell=min_cell), coverage)
    ended = topic_outcomes(every, happened if len(about) else {}, min_cell=min_cell)
    outcomes = without_counts(ended, coverage, name="outcomes")
    by_language = language_table(found, languages, number, customers, coverage, min_cell=min_cell)
    told = topics_in_words(topics, trends, outcomes, coverage) if len(topics) else no_topics_in_words(found, coverage)
    notes = notes_in_words(
        found, coverage, languages=by_language, shown=(topics, outcomes), min_cell=min_cell, n_trials=N_SHUFFLES
    )
    return Topics(
        len(topics),
        topics,
        without_counts(_words(found, about), coverage),
        trends,
        without_counts(topics_by_period(own, min_cell=min_cell), coverage),
        outcomes,
        by_language,
        _choice(found),
        _cases(ordered, languages, number, weight, about["label"].tolist(), coverage),
        float(topics["halves"].mean()) if len(topics) else float("nan"),
        tuple(told),
        tuple(notes),
    )


def _together(
    found: Sequence[LanguageTopics], n_cases: int
) -> tuple[Integers, np.ndarray[tuple[int], np.dtype[np.float64]], pd.DataFrame]:
    """Number the topics of all languages by falling size, with unique labels."""
    number, weight = np.full(n_cases, -1, dtype=np.intp), np.full(n_cases, np.nan)
    rows = []
    for at, one in enumerate(found):
        for topic, label in enumerate(one.labels):
            rows.append((at, topic, int((one.topic == topic).sum()), label))
    rows.sort(key=lambda row: (-row[2], row[3], row[0]))
    about = []
    for place, (at, topic, _, label) in enumerate(rows):
        one = found[at]
        mine = one.topic == topic
        number[one.rows[mine]], weight[one.rows[mine]] = place, one.weight[mine]
        words = one.words[one.words["topic"] == topic]["word"].head(N_WORDS)
        named = f"topic {place + 1}" if label == f"topic {topic + 1}" else label  # without words: by its place
        about.append(
            (at, topic, named, one.language, ", ".join(words), one.seeds[topic], one.halves[topic], one.snippets[topic])
        )
    names = ["at", "of_language", "label", "language", "words", "seeds", "halves", "snippet"]
    table = pd.DataFrame(about, columns=names).astype({"seeds": float, "halves": float}).round(6)
    repeated = table["label"].duplicated(keep=False)
    table["label"] = table["label"].where(~repeated, table["label"] + " (" + table["language"] + ")").astype("str")
    return number, weight, table


def _words(found: Sequence[LanguageTopics], about: pd.DataFrame) -> pd.DataFrame:
    """Return the first words of each topic."""
    tables = []
    for at, number, label in zip(about["at"], about["of_language"], about["label"], strict=True):
        own = found[at].words
        tables.append(own[own["topic"] == number].head(N_WORDS).assign(topic=label)[list(_WORDS)])
    return pd.concat(tables, ignore_index=True).round(4) if tables else pd.DataFrame(columns=list(_WORDS))


def _choice(found: Sequence[LanguageTopics]) -> pd.DataFrame:
    """Return the numbers of topics that were tried."""
    tables = [one.choice.assign(language=one.language) for one in found if len(one.choice)]
    columns = ["language", "n_topics", "stability", "coherence", "score", "error", "choice"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _cases(
    ordered: pd.DataFrame,
    languages: Names,
    number: Integers,
    weight: np.ndarray[tuple[int], np.dtype[np.float64]],
    labels: Sequence[str],
    coverage: Coverage,
) -> pd.DataFrame:
    """Return the topic of each case, in the order given; of none where the cases left out would tell of few customers."""
    topic = np.array([*labels, None], dtype=object)[number]
    table = pd.DataFrame(
        {
            "case_id": ordered["case_id"],
            "language": pd.Series(languages, dtype="str"),
            "topic": pd.Series(topic, dtype="str"),
            "weight": weight.round(6),
        }
    )
    back = np.argsort(ordered["row"].to_numpy()) if "row" in ordered else np.arange(len(table))
    listed = back if coverage.is_told or not labels else back[:0]
    return table.iloc[listed].reset_index(drop=True)
