"""
What topics say, in sentences that hold for any data.

The figures come from :mod:`crm_analysis.models.text.description`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from crm_analysis.models.text.coverage import Coverage
from crm_analysis.models.text.description import FALLS, LEAST_AGREEMENT, LESS, MORE, RISES
from crm_analysis.models.text.found import FEWEST_USABLE, FEWEST_WORDS, LanguageTopics, fewest_customers
from crm_analysis.models.text.tokens import is_in_pieces
from crm_analysis.tables.privacy.suppression import left_out_in_words

LOW_SATISFACTION, MISSED_TARGET = "low satisfaction", "missed target"
_N_NAMED = 3
_HAPPENED = {LOW_SATISFACTION: "Low satisfaction", MISSED_TARGET: "A missed target"}


def topics_in_words(
    topics: pd.DataFrame, trends: pd.DataFrame, outcomes: pd.DataFrame, coverage: Coverage
) -> list[str]:
    """
    Say how many topics there are, which are large, which change, and in which cases end badly.

    Parameters
    ----------
    topics, trends, outcomes : pandas.DataFrame
        As they are shown.
    coverage : Coverage
        How many cases have a topic, and whether that may be told.

    Returns
    -------
    list of str
        Plain sentences.
    """
    languages = topics["language"].nunique()
    spread = f" in {languages} languages or writings" if languages > 1 else f" in {topics['language'].iloc[0]}"
    number = "1 topic" if len(topics) == 1 else f"{len(topics)} topics"
    return [
        f"{number}{spread}{_covered(coverage, len(topics))}.",
        *_largest(topics),
        *_trends_in_words(trends),
        *_outcomes_in_words(outcomes),
        _stability_in_words(topics),
    ]


def no_topics_in_words(found: Sequence[LanguageTopics], coverage: Coverage) -> list[str]:
    """
    Say why there are no topics.

    Parameters
    ----------
    found : sequence of LanguageTopics
        By language, the most common first.
    coverage : Coverage
        How many cases and texts there are, and whether that may be told.

    Returns
    -------
    list of str
        One sentence.
    """
    if not coverage.n_cases:
        return ["No topics: there are no cases."]
    if not coverage.n_texts:
        return [f"No topics: none of {coverage.n_cases:,} cases has a text with words."]
    if len(found) == 1 or found[0].n_texts >= FEWEST_USABLE:
        reason = found[0].reason
        told = reason if reason.startswith("No topics") else f"No topics: {reason}."
        return [f"{told} The texts are in {found[0].language}."]
    most = f"none with {FEWEST_USABLE} texts or more; most are in {found[0].language}"
    number = f"{coverage.n_texts:,} texts" if coverage.is_told else "texts"
    return [f"No topics: {number} in {len(found)} languages or writings, {most}."]


def notes_in_words(
    found: Sequence[LanguageTopics],
    coverage: Coverage,
    *,
    languages: pd.DataFrame,
    shown: tuple[pd.DataFrame, pd.DataFrame],
    min_cell: int,
    n_trials: int,
) -> list[str]:
    """
    Say what a careful reader must know.

    Parameters
    ----------
    found : sequence of LanguageTopics
        By language.
    coverage : Coverage
        How many cases have a topic, and whether that may be told.
    languages : pandas.DataFrame
        By language, as it is shown.
    shown : tuple of two pandas.DataFrame
        Topics and outcomes as they are shown.
    min_cell : int
        Least number of customers a figure is about.
    n_trials : int
        Shuffles of words that topics were held against.

    Returns
    -------
    list of str
        Plain sentences.
    """
    notes = [f"{one.language}: {one.reason}" for one in found if one.labels]
    n_without_words = coverage.n_cases - coverage.n_texts
    if n_without_words and coverage.wordless_told:
        notes.append(f"{n_without_words:,} cases have no text, or one without words.")
    notes += _not_covered(found, languages)
    if any(one.labels and is_in_pieces(one.language) for one in found):
        notes.append(
            "Japanese, Thai, Lao, Burmese and Khmer are cut into pairs of signs: their labels are pieces of words."
        )
    if any(one.labels for one in found):
        notes.append(
            f"A text belongs to the topic of its largest weight; texts with fewer than {FEWEST_WORDS} words that may tell a topic "
            f"belong to none. Topics are words that come together more than in {n_trials} shuffles; what they mean is for a reader to say."
        )
        notes.append(
            "Trends are straight lines over the whole time, so that seasons do not count; differences are associations, not effects. "
            "Customers who write more than once count as one in the tests."
        )
        notes += _privacy_notes(found, coverage, shown, min_cell=min_cell)
    return notes


def readable_topics(topics: pd.DataFrame) -> pd.DataFrame:
    """
    Return topics for people.

    Parameters
    ----------
    topics : pandas.DataFrame
        As they are shown.

    Returns
    -------
    pandas.DataFrame
        By ``topic``: ``language`` where there are several, ``texts``, ``share in %``, ``comes back in halves`` (1: the same),
        ``stable`` and ``typical text`` where there is one.
    """
    table = pd.DataFrame(
        {
            "language": topics["language"],
            "texts": topics["texts"].astype("Int64"),
            "share in %": (100 * topics["share"].astype(float)).round(1),
            "comes back in halves": topics["halves"].astype(float).round(2),
            "stable": topics["is_stable"].astype(bool).map({True: "yes", False: "no"}).astype("str"),
            "typical text": topics["snippet"],
        }
    )
    is_needed = {"language": len(set(topics["language"])) > 1, "typical text": bool((topics["snippet"] != "").any())}
    return table.drop(columns=[name for name, needed in is_needed.items() if not needed])


def quoted(labels: Sequence[object]) -> str:
    """
    Return labels as a list in a sentence.

    Parameters
    ----------
    labels : sequence of object
        At least one.

    Returns
    -------
    str
        In quotation marks, the first three, and how many more.

    Examples
    --------
    >>> quoted(["late, parcel", "refund, card"])
    '“late, parcel” and “refund, card”'
    """
    named = [f"“{label}”" for label in labels[:_N_NAMED]]
    if len(labels) > _N_NAMED:
        return f"{', '.join(named)} and {len(labels) - _N_NAMED} more"
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]


def _covered(coverage: Coverage, n_topics: int) -> str:
    """Return how many texts have a topic, where that may be told."""
    if not coverage.is_told:
        return ""
    verb, share = "covers" if n_topics == 1 else "cover", coverage.n_with_topic / max(coverage.n_texts, 1)
    return f" {verb} {coverage.n_with_topic:,} of {coverage.n_texts:,} texts with words ({share:.0%})"


def _not_covered(found: Sequence[LanguageTopics], languages: pd.DataFrame) -> list[str]:
    """Return the languages without topics beside those with some, of those that may be counted."""
    texts = languages["texts"].dropna()
    missing = [one for one in found if not one.labels and one.language in texts.index]
    if not missing or not any(one.labels for one in found):
        return []
    total = int(texts[[one.language for one in missing]].sum())
    number = "another language or writing" if len(missing) == 1 else f"{len(missing)} other languages or writings"
    named = "; ".join(f"{one.language}: {one.reason.rstrip('.')}" for one in missing[:_N_NAMED])
    return [f"Not covered: {total:,} texts in {number} ({named})."]


def _largest(topics: pd.DataFrame) -> list[str]:
    """Return the largest topics."""
    shown = topics.dropna(subset=["share"]).head(_N_NAMED)
    if shown.empty:
        return []
    named = "; ".join(f"“{label}” ({share:.0%})" for label, share in shown["share"].items())
    return [f"The largest: {named}."]


def _trends_in_words(trends: pd.DataFrame) -> list[str]:
    """Return which topics rise or fall."""
    moving = trends[trends["reading"].isin([RISES, FALLS])]
    if moving.empty:
        tested = trends["p_value"].notna().any()
        return ["No topic's share rises or falls beyond chance."] if tested else []
    named = "; ".join(_one_trend(str(label), row) for label, row in moving.iterrows())
    return [f"Shares that change beyond chance, from the first to the last third of the time: {named}."]


def _one_trend(label: str, row: pd.Series) -> str:
    """Return one topic's trend."""
    shares = (
        ""
        if row[["share_early", "share_late"]].isna().any()
        else f" from {row['share_early']:.0%} to {row['share_late']:.0%}"
    )
    return f"“{label}” {row['reading']}{shares}"


def _outcomes_in_words(outcomes: pd.DataFrame) -> list[str]:
    """Return in which topics cases end worse or better than in the others."""
    told = []
    for outcome, table in outcomes.groupby("outcome", sort=False):
        beyond = table[table["reading"].isin([MORE, LESS])].dropna(subset=["share", "share_rest"])
        subject = _HAPPENED.get(str(outcome), str(outcome))
        if len(beyond):
            named = "; ".join(
                f"{row.reading} in “{row.topic}” ({row.share:.0%}, elsewhere {row.share_rest:.0%})"
                for row in beyond.itertuples()
            )
            told.append(f"{subject} comes {named}.")
        elif table["p_value"].notna().any():
            told.append(f"{subject} is as frequent in every topic as elsewhere, as far as chance lets see.")
    return told


def _stability_in_words(topics: pd.DataFrame) -> str:
    """Return how well topics come back."""
    unstable = topics.index[~topics["is_stable"].astype(bool)]
    marked = f" Not stable (below {LEAST_AGREEMENT:g}): {quoted(list(unstable))}." if len(unstable) else ""
    return (
        f"Topics found in halves of the texts are alike to {topics['halves'].mean():.2f} on average, from other random starts to "
        f"{topics['seeds'].mean():.2f} (1: the same).{marked}"
    )


def _privacy_notes(
    found: Sequence[LanguageTopics], coverage: Coverage, shown: tuple[pd.DataFrame, pd.DataFrame], *, min_cell: int
) -> list[str]:
    """Return what is not shown for the sake of customers."""
    if min_cell == 1:
        return []
    least, names = fewest_customers(min_cell), sum(one.n_name_like for one in found)
    notes = [f"Words that fewer than {least} customers write are not shown; in excerpts an ellipsis stands for them."]
    if names:
        notes.append(f"{names} words that look like names are not shown either.")
    if not coverage.is_told:
        notes.append(
            f"Cases without a topic or without words are of fewer than {min_cell} customers: there is no list of cases by topic, and "
            "texts are not counted: both would tell how many they are."
        )
    left_out = left_out_in_words(min_cell, *(table["share"] for table in shown))
    return [*notes, *([left_out] if left_out else [])]
