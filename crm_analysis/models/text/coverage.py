"""
Which cases topics leave out, and what may be counted where those are of few customers.

How large topics are belongs in :mod:`crm_analysis.models.text.description`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.text.corpus import Flags, Integers
from crm_analysis.models.text.found import LanguageTopics
from crm_analysis.models.text.languages import NO_WORDS
from crm_analysis.tables.privacy.suppression import hidden_rows, small, suppressed

_COUNTS = {"topics": ("texts", "customers"), "outcomes": ("known", "customers")}
_DECIMALS = 2  # of shares: several of one total would with more tell the total again

Names = np.ndarray[tuple[int], np.dtype[np.str_]]


@dataclass(frozen=True)
class Coverage:
    """
    The cases that have a topic, and those that have none.

    Attributes
    ----------
    n_cases, n_texts, n_with_topic : int
        Cases, those whose text holds a word, and those with a topic.
    wordless_told : bool
        Whether the cases without words may be counted.
    unlisted : numpy.ndarray of bool
        Cases without a topic, or without words, where they are of few customers: with any, there is no list of cases.
    """

    n_cases: int
    n_texts: int
    n_with_topic: int
    wordless_told: bool
    unlisted: Flags

    @property
    def is_told(self) -> bool:
        """Whether the texts of topics may be counted: all counts are given away by their differences to the total."""
        return not bool(self.unlisted.any())


def coverage_of(languages: Names, topic: Integers, customers: Integers, *, min_cell: int) -> Coverage:
    """
    Count the cases that have a topic, and look at the customers of all others.

    Parameters
    ----------
    languages : numpy.ndarray of str
        Of each case.
    topic : numpy.ndarray of int
        Of each case; -1: none.
    customers : numpy.ndarray of int
        Of each case, as numbers from 0.
    min_cell : int
        Least number of customers a figure is about.

    Returns
    -------
    Coverage
        What may be counted.

    Examples
    --------
    >>> languages, topic = np.repeat("English", 9), np.array([0, 0, 0, 0, 0, 0, 0, -1, -1])
    >>> coverage_of(languages, topic, np.arange(9), min_cell=5).unlisted.sum()
    np.int64(2)
    """
    wordless = languages == NO_WORDS
    left = ~wordless & (topic < 0)
    few_wordless, few_left = (_is_of_few(customers[part], min_cell=min_cell) for part in (wordless, left))
    unlisted = (wordless & few_wordless) | (left & few_left)
    return Coverage(len(topic), int((~wordless).sum()), int((topic >= 0).sum()), not few_wordless, unlisted)


def without_counts(table: pd.DataFrame, coverage: Coverage, *, name: str = "") -> pd.DataFrame:
    """
    Take counts out of a table where they would tell how many cases of few customers have no topic.

    Parameters
    ----------
    table : pandas.DataFrame
        Of topics.
    coverage : Coverage
        Whether counts are told.
    name : str
        ``topics`` or ``outcomes``, which have counts; others have shares alone.

    Returns
    -------
    pandas.DataFrame
        The same table, or with missing counts and shares in whole percent.
    """
    if coverage.is_told or table.empty:
        return table
    counts = {column: table[column].astype("Int64").mask(table[column].notna()) for column in _COUNTS.get(name, ())}
    shares = [column for column in table if str(column).startswith("share") or column in {"low", "high"}]
    return table.assign(**counts).round(dict.fromkeys(shares, _DECIMALS))


def language_table(
    found: Sequence[LanguageTopics],
    languages: Names,
    topic: Integers,
    customers: Integers,
    coverage: Coverage,
    *,
    min_cell: int,
) -> pd.DataFrame:
    """
    Return how many texts each language has, and what became of them.

    Parameters
    ----------
    found : sequence of LanguageTopics
        By language, the most common first.
    languages : numpy.ndarray of str
        Of each case.
    topic : numpy.ndarray of int
        Of each case; -1: none.
    customers : numpy.ndarray of int
        Of each case, as numbers from 0.
    coverage : Coverage
        Whether texts may be counted.
    min_cell : int
        Least number of customers a figure is about.

    Returns
    -------
    pandas.DataFrame
        By ``language``: ``texts``, ``customers``, ``usable``, ``topics``, ``reason``, without counts that tell of few customers by
        themselves or by what they leave of others.
    """
    rows, left = [], []
    for one in found:
        mine = languages == one.language
        unused = mine.copy()
        unused[one.rows] = False
        groups = (mine, mine & (topic < 0), unused, mine & ~unused & (topic < 0))
        every, *others = (len(np.unique(customers[group])) for group in groups)
        left.append(others)
        rows.append((one.language, one.n_texts, every, one.n_usable, len(one.labels), one.reason))
    table = pd.DataFrame(rows, columns=["language", "texts", "customers", "usable", "topics", "reason"])
    table = table.set_index("language").astype({"reason": "str"})
    if table.empty:
        return table
    uncovered, *parts = np.array(left).T
    hidden = hidden_rows(table["customers"], min_cell=min_cell, disjoint=False)
    hidden |= hidden_rows(uncovered, min_cell=min_cell, disjoint=False) | (not coverage.is_told and min_cell > 1)
    table = table.astype({"usable": "Int64"})
    table.loc[np.any(small(parts, min_cell=min_cell), axis=0), "usable"] = pd.NA
    table["told"] = np.where(hidden, min(1, min_cell - 1), min_cell)
    shown = suppressed(table, size="told", min_cell=min_cell, keep=["topics"], telling=["reason"], total=False)
    return shown.drop(columns="told")


def _is_of_few(customers: Integers, *, min_cell: int) -> bool:
    """Return whether cases are of at least one and too few customers."""
    return bool(small([len(np.unique(customers))], min_cell=min_cell)[0])
