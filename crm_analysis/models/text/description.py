"""
Tables about topics: how large they are, how they change, and how their cases end.

Sentences about them belong in :mod:`crm_analysis.models.text.wording`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.text.comparisons import FEWEST_CUSTOMERS, holm, share_difference, trend_p_value
from crm_analysis.models.text.corpus import Flags, Floats, Integers
from crm_analysis.tables.privacy.suppression import small, suppressed, suppressed_grid

LEAST_AGREEMENT = 0.7  # cosine below which a topic is marked as unstable
SIGNIFICANCE = 0.05
RISES, FALLS, NO_CHANGE = "rises", "falls", "no change beyond chance"
MORE, LESS, NO_DIFFERENCE = "more often", "less often", "no difference beyond chance"
TOO_FEW = "too few customers"
_MONTHLY_FROM = 120  # days; shorter periods are cut into weeks
_THIRDS = 3


@dataclass(frozen=True)
class TopicTexts:
    """
    The texts that have a topic.

    Attributes
    ----------
    topic : numpy.ndarray of int
        Numbers from 0; -1, for outcomes alone: a case without a topic.
    customers : numpy.ndarray of int
        Who wrote each, as numbers from 0.
    opened_at : pandas.Series
        When.
    labels : list of str
        The name of each topic.
    """

    topic: Integers
    customers: Integers
    opened_at: pd.Series
    labels: list[str]


def topic_sizes(texts: TopicTexts, about: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """
    Return how large topics are.

    Parameters
    ----------
    texts : TopicTexts
        Those with a topic.
    about : pandas.DataFrame
        By topic in the order of their numbers: ``language``, ``words``, ``seeds``, ``halves``, ``snippet``.
    min_cell : int
        Least number of customers a figure is about.

    Returns
    -------
    pandas.DataFrame
        By ``topic``: ``language``, ``texts``, ``customers``, ``share``, ``seeds``, ``halves``, ``is_stable``, ``words``,
        ``snippet``; the largest first.
    """
    n_topics = len(texts.labels)
    counts = np.bincount(texts.topic, minlength=n_topics)
    table = about.assign(
        texts=counts,
        customers=_customers_by(texts.topic, texts.customers, n_topics),
        share=(counts / max(counts.sum(), 1)).round(6),
        is_stable=about["halves"] >= LEAST_AGREEMENT,
    )
    columns = ["language", "texts", "customers", "share", "seeds", "halves", "is_stable", "words", "snippet"]
    table = table[columns].set_axis(pd.Index(texts.labels, name="topic", dtype="str"))
    keep = ["language", "seeds", "halves", "is_stable", "words"]
    return suppressed(table, size="customers", min_cell=min_cell, keep=keep, telling=["snippet"], disjoint=False)


def topic_trends(texts: TopicTexts, *, min_cell: int) -> pd.DataFrame:
    """
    Return how the shares of topics changed over the time of the texts.

    Parameters
    ----------
    texts : TopicTexts
        Those with a topic.
    min_cell : int
        Least number of customers a figure is about.

    Returns
    -------
    pandas.DataFrame
        By ``topic``: ``share_early`` and ``share_late`` (of the texts in the first and last third of the time; missing where no
        trend is tested), ``p_value`` of a straight trend (Holm, for all topics at once) and ``reading``.
    """
    n_topics = len(texts.labels)
    dated = texts.opened_at.notna().to_numpy()
    topic, customers = texts.topic[dated], texts.customers[dated]
    days = _days(texts.opened_at[dated])
    third = np.minimum((_THIRDS * days / max(float(days.max(initial=0)), 1e-9)).astype(int), _THIRDS - 1)
    shares, owners = _grids(topic, third, customers, n_topics, _THIRDS)
    shown = suppressed_grid(shares, counts=owners, min_cell=min_cell)
    enough = _customers_by(topic, customers, n_topics) >= max(FEWEST_CUSTOMERS, min_cell)
    raw = [trend_p_value(topic == at, days, customers) if enough[at] else np.nan for at in range(n_topics)]
    p_values = holm(np.array(raw, dtype=float))
    later = [float(days[topic == at].mean() - days.mean()) if (topic == at).any() else 0.0 for at in range(n_topics)]
    return pd.DataFrame(
        {
            "share_early": shown[0].where(~np.isnan(p_values)).to_numpy(),
            "share_late": shown[_THIRDS - 1].where(~np.isnan(p_values)).to_numpy(),
            "p_value": p_values.round(6),
            "reading": [_reading(p, by, RISES, FALLS, NO_CHANGE) for p, by in zip(p_values, later, strict=True)],
        },
        index=pd.Index(texts.labels, name="topic", dtype="str"),
    )


def topics_by_period(texts: TopicTexts, *, min_cell: int) -> pd.DataFrame:
    """
    Return the share of each topic by month, or by week where the texts span less than 120 days.

    Parameters
    ----------
    texts : TopicTexts
        Those with a topic.
    min_cell : int
        Least number of customers a figure is about.

    Returns
    -------
    pandas.DataFrame
        ``period`` (its first day), ``topic``, ``share`` of the period's texts.
    """
    dated = texts.opened_at.notna().to_numpy()
    opened = texts.opened_at[dated]
    days = _days(opened)
    period = opened.dt.to_period("M" if days.max(initial=0) >= _MONTHLY_FROM else "W").dt.start_time
    codes, starts = pd.factorize(period, sort=True)
    shares, owners = _grids(texts.topic[dated], codes, texts.customers[dated], len(texts.labels), len(starts))
    shown = suppressed_grid(shares, counts=owners, min_cell=min_cell)
    table = shown.set_axis(pd.Index(starts, name="period"), axis=1).set_axis(pd.RangeIndex(len(shown), name="number"))
    long = table.T.reset_index().melt(id_vars="period", var_name="number", value_name="share")
    long.insert(
        1, "topic", pd.Series(np.array(texts.labels, dtype=object)[long.pop("number").astype(int)], dtype="str")
    )
    return long


def topic_outcomes(texts: TopicTexts, happened: dict[str, pd.Series], *, min_cell: int) -> pd.DataFrame:
    """
    Return how the cases of topics ended, against all others.

    Parameters
    ----------
    texts : TopicTexts
        Those with a topic, and cases without one, which are in nobody's share but in the totals that others show.
    happened : dict of str to pandas.Series
        By outcome: a flag a text, missing while it is not known.
    min_cell : int
        Least number of customers a figure is about.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``topic``, ``known`` (texts), ``customers``, ``share``, ``low``, ``high`` (95 %), ``share_rest``,
        ``p_value`` (Holm, by outcome) and ``reading``. Nothing of a topic where cases with the outcome, or without it, are of too
        few customers, in the topic or elsewhere, nor of what would give them away.
    """
    tables = [_one_outcome(texts, name, flags, min_cell=min_cell) for name, flags in happened.items()]
    columns = ["outcome", "topic", "known", "customers", "share", "low", "high", "share_rest", "p_value", "reading"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _one_outcome(texts: TopicTexts, outcome: str, flags: pd.Series, *, min_cell: int) -> pd.DataFrame:
    """Return one outcome by topic."""
    known, among = flags.notna().to_numpy(), texts.topic >= 0
    yes, own = flags.fillna(value=False).to_numpy(dtype=bool), known & among
    topic, customers = texts.topic[own], texts.customers[own]
    n_topics = len(texts.labels)
    found = [share_difference(topic == at, yes[own], customers) for at in range(n_topics)]
    owners = _customers_by(topic, customers, n_topics)
    enough = owners >= max(FEWEST_CUSTOMERS, min_cell)
    p_values = holm(np.where(enough, [one.p_value for one in found], np.nan))
    table = pd.DataFrame(
        {
            "outcome": outcome,
            "topic": pd.Series(texts.labels, dtype="str"),
            "known": np.bincount(topic, minlength=n_topics),
            "customers": owners,
            "share": [one.share for one in found],
            "low": [one.low for one in found],
            "high": [one.high for one in found],
            "share_rest": [one.rest for one in found],
            "p_value": p_values,
        }
    ).round(6)
    beyond = table["share"] - table["share_rest"]
    table["reading"] = [_reading(p, by, MORE, LESS, NO_DIFFERENCE) for p, by in zip(p_values, beyond, strict=True)]
    unknown = _customers_by(texts.topic[among & ~known], texts.customers[among & ~known], n_topics)
    table = table.astype({"known": "Int64", "customers": "Int64"})
    few_unknown = small(unknown, min_cell=min_cell)  # the size of the topic is known, too
    table.loc[few_unknown, ["known", "customers"]] = pd.NA
    group = np.where(among, texts.topic, n_topics)[known]
    hidden = _hidden_topics(group, texts.customers[known], yes[known], n_topics, min_cell=min_cell)
    table["told"] = np.where(hidden, min(1, min_cell - 1), min_cell)
    shown = suppressed(table, size="told", min_cell=min_cell, telling=["reading"], total=False)
    return shown.drop(columns="told")


def _hidden_topics(group: Integers, customers: Integers, yes: Flags, n_topics: int, *, min_cell: int) -> Flags:
    """Return the topics whose outcome tells of few customers; the group after the last topic has none and is shown nowhere."""
    owners = _customers_by(group, customers, n_topics + 1)
    hidden = small(owners, min_cell=min_cell)
    for side in (yes, ~yes):
        hidden |= small(_customers_by(group[side], customers[side], n_topics + 1), min_cell=min_cell)
        elsewhere = [len(np.unique(customers[side & (group != at) & (group < n_topics)])) for at in range(n_topics)]
        hidden[:n_topics] |= small(elsewhere, min_cell=min_cell)
    hidden[n_topics] = owners[n_topics] > 0
    for at in np.argsort(owners, kind="stable"):
        together = [len(np.unique(customers[side & hidden[group]])) for side in (yes, ~yes)]
        if not small(together, min_cell=min_cell).any():
            break
        hidden[at] |= owners[at] > 0
    return hidden[:n_topics]


def _grids(
    topic: Integers, column: Integers, customers: Integers, n_topics: int, n_columns: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the share of each topic within columns, and the customers behind each cell."""
    cell = topic * n_columns + column
    counts = np.bincount(cell, minlength=n_topics * n_columns).reshape(n_topics, n_columns)
    owners = _customers_by(cell, customers, n_topics * n_columns).reshape(n_topics, n_columns)
    total = counts.sum(axis=0)
    return pd.DataFrame((counts / np.where(total, total, 1)).round(6)), pd.DataFrame(owners)


def _customers_by(group: Integers, customers: Integers, n_groups: int) -> Integers:
    """Return how many different customers each group has."""
    width = int(customers.max(initial=0)) + 1
    return np.asarray(np.bincount(np.unique(group.astype(np.int64) * width + customers) // width, minlength=n_groups))


def _days(opened_at: pd.Series) -> Floats:
    """Return times as days since the first."""
    return np.asarray((opened_at - opened_at.min()) / pd.Timedelta(days=1), dtype=float)


def _reading(p_value: float, difference: float, up: str, down: str, same: str) -> str:
    """Return what a test says."""
    if np.isnan(p_value):
        return TOO_FEW
    return same if p_value >= SIGNIFICANCE else up if difference > 0 else down
