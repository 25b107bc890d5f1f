"""Topics of case texts: what is recovered where the truth is known, how often nothing is called something, and how long it takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score
from threadpoolctl import threadpool_limits

from benchmarks.measure import measured
from crm_analysis.models.text import Topics, case_topics
from crm_analysis.models.text.description import FALLS, RISES
from crm_analysis.tables.demo_cases import CATEGORIES
from crm_analysis.tables.demo_texts import case_texts

SEEDS = tuple(range(7000, 7020))
N_TEXTS = 6_000
SIZES = (100_000, 1_000_000)
CONSONANTS, VOWELS = tuple("bcdfglmnprstv"), tuple("aeiou")


def synthetic(n_texts: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Draw cases of the demonstration's categories, at any time of a year, with a satisfaction that depends on nothing."""
    rng = np.random.default_rng(seed)
    category = pd.Series(rng.choice(list(CATEGORIES), n_texts, p=list(CATEGORIES.values())))
    return _cases(case_texts(category, rng), rng), category


def planted(n_texts: int, seed: int, *, n_topics: int, vocabulary: int = 600) -> tuple[pd.DataFrame, pd.Series]:
    """Draw texts of words from topics (Dirichlet) and a third from words that all share; the topic with the largest part is the truth."""
    rng = np.random.default_rng(seed)
    words = _words(rng, vocabulary)
    topics, common = rng.dirichlet(np.full(vocabulary, 0.05), n_topics), rng.dirichlet(np.full(vocabulary, 0.3))
    parts = rng.dirichlet(np.full(n_topics, 0.2), n_texts)
    chances = 0.65 * parts @ topics + 0.35 * common
    lengths = rng.poisson(12, n_texts) + 3
    texts = [" ".join(rng.choice(words, n, p=chance)) for n, chance in zip(lengths, chances, strict=True)]
    return _cases(texts, rng), pd.Series(parts.argmax(axis=1))


def template(n_texts: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Draw texts of one template, whose four slots are filled independently."""
    rng = np.random.default_rng(seed)
    words = _words(rng, 80)
    slots = words.reshape(4, 20)
    drawn = rng.integers(0, 20, (n_texts, 4))
    texts = ["order of {} in colour {} sent by {} to region {}".format(*slots[range(4), row]) for row in drawn]
    return _cases(texts, rng), pd.Series(np.zeros(n_texts, dtype=int))


def unique_texts(n_texts: int, seed: int) -> pd.DataFrame:
    """Draw the demonstration's texts with a number of words that only few texts hold, so that no two are alike."""
    rng = np.random.default_rng([seed, 3])
    table, _ = synthetic(n_texts, seed)
    rare = _words(rng, 40_000, syllables=4)
    more = rare[rng.integers(0, len(rare), (n_texts, 3))]
    return table.assign(text=[f"{text} {' '.join(own)}." for text, own in zip(table["text"], more, strict=True)])


WORLDS: dict[str, tuple[int, Callable[[int], tuple[pd.DataFrame, pd.Series]]]] = {
    "the demonstration's texts (6 categories)": (6, lambda seed: synthetic(N_TEXTS, seed)),
    "3 planted topics": (3, lambda seed: planted(3_000, seed, n_topics=3)),
    "5 planted topics": (5, lambda seed: planted(3_000, seed, n_topics=5)),
    "8 planted topics": (8, lambda seed: planted(3_000, seed, n_topics=8)),
    "one topic": (0, lambda seed: planted(3_000, seed, n_topics=1)),
    "one template": (0, lambda seed: template(3_000, seed)),
}


def judged(task: tuple[str, int]) -> tuple[int, float, float, int, int]:
    """Return the number of topics, adjusted mutual information with the truth, stability, trends and differences called."""
    name, seed = task
    table, truth = WORLDS[name][1](seed)
    with threadpool_limits(limits=1):
        found = case_topics(table, seed=seed)
    return (found.n_topics, _agreement(found, truth), found.stability, *_alarms(found))


def figures() -> list[tuple[str, ...]]:
    """Return the table of what is recovered: 20 seeds a world."""
    rows: list[tuple[str, ...]] = [
        (
            "texts",
            "topics: truth",
            "found (lowest–median–highest)",
            "AMI (lowest, mean)",
            "halves",
            "a trend in",
            "a difference in",
        )
    ]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as workers:
        for name, (truth, _) in WORLDS.items():
            found = list(workers.map(judged, [(name, seed) for seed in SEEDS]))
            numbers, agreement, stability, trends, differences = (
                np.array(column, dtype=float) for column in zip(*found, strict=True)
            )
            with_topics = numbers > 0
            ami = (
                f"{agreement[with_topics].min():.2f}, {agreement[with_topics].mean():.2f}"
                if truth and with_topics.any()
                else "–"
            )
            halves = f"{stability[with_topics].mean():.2f}" if with_topics.any() else "–"
            spread = f"{numbers.min():.0f}–{np.median(numbers):.0f}–{numbers.max():.0f}"
            alarms = (f"{(column > 0).sum()} of {len(SEEDS)}" for column in (trends, differences))
            rows.append((name, str(truth or "none"), spread, ami, halves, *alarms))
    return rows


def speed() -> list[tuple[str, ...]]:
    """Return the table of seconds and memory."""
    rows: list[tuple[str, ...]] = [("texts", "of them different", "seconds", "peak MB")]
    for n_texts in SIZES:
        for kind, draw in (("about a third", _repeated), ("all", unique_texts)):
            table = draw(n_texts, 1)
            seconds, peak = measured(_run, table, repeats=1)
            rows.append((f"{n_texts:,}", kind, f"{seconds:.1f}", f"{peak:,.0f}"))
    return rows


def _repeated(n_texts: int, seed: int) -> pd.DataFrame:
    return synthetic(n_texts, seed)[0]


def _run(table: pd.DataFrame) -> None:
    with threadpool_limits(limits=1):
        case_topics(table, seed=0)


def _agreement(found: Topics, truth: pd.Series) -> float:
    """Return the adjusted mutual information of topics with the truth, of the texts that have one."""
    topic = found.cases["topic"]
    known = topic.notna()
    return float(adjusted_mutual_info_score(truth[known], topic[known])) if known.any() else float("nan")


def _alarms(found: Topics) -> tuple[int, int]:
    """Return how many trends and differences are called beyond chance."""
    differs = (found.outcomes["p_value"].astype(float) < 0.05).sum() if len(found.outcomes) else 0
    return int(found.trends["reading"].isin([RISES, FALLS]).sum()), int(differs)


def _cases(texts: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Give texts their customers, days of a year and an answer of every third."""
    n_texts = len(texts)
    opened = pd.Timestamp(2017, 1, 1) + pd.to_timedelta(rng.integers(0, 365 * 86_400, n_texts), unit="s")
    answers = pd.Series(rng.integers(1, 6, n_texts), dtype="Int64").mask(rng.random(n_texts) < 0.66)
    return pd.DataFrame(
        {
            "case_id": np.arange(n_texts).astype(str),
            "customer_id": rng.integers(0, max(n_texts // 3, 1), n_texts).astype(str),
            "opened_at": pd.Series(opened.as_unit("us")),
            "text": pd.Series(texts, dtype="str"),
            "satisfaction": answers,
        }
    )


def _words(rng: np.random.Generator, number: int, *, syllables: int = 3) -> np.ndarray:
    """Make up different words."""
    words: set[str] = set()
    while len(words) < number:
        words.add("".join(str(rng.choice(CONSONANTS)) + str(rng.choice(VOWELS)) for _ in range(syllables)))
    return np.array(sorted(words))
