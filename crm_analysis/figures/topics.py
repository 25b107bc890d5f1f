"""
Figures of what customers write about: topics, how satisfied they leave, and how their shares move.

What they show is computed in :mod:`crm_analysis.models.text`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from textwrap import fill

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import PercentFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.text import Topics

MOST_TOPICS = 12
_WRAP, _LONGEST = 30, 60
_NO_GLYPH = "□"
_TITLE = "What customers write about"
_COLUMNS = 3
_MARKED = PALETTE[7]


def plot_all_topics(written: Topics) -> list[Axes]:
    """
    Plot topics, how their cases ended, and how their shares move.

    Parameters
    ----------
    written : Topics
        What customers write about.

    Returns
    -------
    list of matplotlib.axes.Axes
        Both pictures; the reason alone where there are no topics.
    """
    drawn = [plot_topics(written.topics, written.outcomes)]
    return [*drawn, plot_topic_trends(written.by_period, written.trends)] if written.n_topics else drawn


def plot_topics(topics: pd.DataFrame, outcomes: pd.DataFrame | None = None, *, most: int = MOST_TOPICS) -> Axes:
    """
    Plot how large topics are and, beside it, how often their cases ended badly.

    Parameters
    ----------
    topics : pandas.DataFrame
        By ``topic``, the largest first: ``share``, ``is_stable``. Topics without figures are left out.
    outcomes : pandas.DataFrame, optional
        ``outcome``, ``topic``, ``share``, ``low``, ``high``, ``share_rest``, ``p_value``; a panel an outcome.
    most : int
        Topics that are drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The panel of shares: a bar a topic, grey where it is not stable. In the others a dot a topic with its interval, coloured
        where it differs from all other texts beyond chance.
    """
    known = topics[topics["share"].notna()]
    missing = left_out(len(topics) - len(known), "topic")
    if known.empty:
        return nothing_to_show(f"There are no topics to show.{missing}")
    shown = known.head(most)[::-1]
    parts = _outcome_parts(outcomes, shown)
    with canvas(width=6.2 + 2.3 * len(parts), height=1.3 + 0.5 * len(shown)) as blank:
        figure = blank.figure
        blank.remove()
        grid = figure.add_gridspec(1, 1 + len(parts), width_ratios=[1.5] + [1.0] * len(parts))
        panel = figure.add_subplot(grid[0, 0])
        panel.barh(range(len(shown)), shown["share"], color=np.where(shown["is_stable"].astype(bool), ACCENT, MUTED))
        place = {name: at for at, name in enumerate(topics.index, start=1)}
        panel.set_yticks(range(len(shown)), [_label(name, place[name]) for name in shown.index], parse_math=False)
        panel.set_title(_TITLE)
        _as_percent(panel, "share of texts")
        for at, (outcome, part) in enumerate(parts.items(), start=1):
            beside = figure.add_subplot(grid[0, at], sharey=panel)
            _draw_outcome(beside, part, outcome)
        if parts:
            figure.supxlabel(
                "red: beyond chance against all other texts; lines: 95% intervals", fontsize="small", color=INK
            )
    unwritten = _unwritten(topics.index, shown.index[::-1])
    return describe(panel, _topics_in_words(known, most=most) + _outcomes_in_words(parts) + missing + unwritten)


def plot_topic_trends(by_period: pd.DataFrame, trends: pd.DataFrame, *, most: int = MOST_TOPICS) -> Axes:
    """
    Plot how the share of each topic moves.

    Parameters
    ----------
    by_period : pandas.DataFrame
        ``period`` (its first day), ``topic``, ``share``; missing shares leave a gap.
    trends : pandas.DataFrame
        By ``topic``, the largest first: ``share_early``, ``share_late``, ``reading``.
    most : int
        Topics that are drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The first of as many panels as topics, all on one scale; coloured where a trend lies beyond chance.
    """
    known = by_period[by_period["share"].notna()]
    names = [name for name in trends.index if (known["topic"] == name).any()]
    missing = left_out(len(trends) - len(names), "topic")
    if not names:
        return nothing_to_show(f"No topic has shares to show over time.{missing}")
    drawn = names[:most]
    columns = min(_COLUMNS, len(drawn))
    rows = math.ceil(len(drawn) / columns)
    with canvas(width=3.3 * columns, height=0.6 + 2.1 * rows) as blank:
        figure = blank.figure
        blank.remove()
        panels: list[Axes] = []
        place = {name: at for at, name in enumerate(trends.index, start=1)}
        for at, name in enumerate(drawn):
            share = {"sharex": panels[0], "sharey": panels[0]} if panels else {}
            panels.append(figure.add_subplot(rows, columns, at + 1, **share))
            is_moving = str(trends.loc[name, "reading"]) in _MOVING
            own = by_period[by_period["topic"] == name]
            panels[-1].plot(
                own["period"], own["share"], marker="o", markersize=3, color=_MARKED if is_moving else ACCENT
            )
            panels[-1].set_title(_label(name, place[name]), fontsize="small", parse_math=False)
            panels[-1].tick_params(labelleft=at % columns == 0, labelbottom=at + columns >= len(drawn))
        panels[0].set_ylim(bottom=0)
        _dates(panels[0])
        figure.supylabel("share of texts", fontsize="medium", color=INK)
    return describe(panels[0], _trends_in_words(trends.loc[names]) + missing + _unwritten(trends.index, drawn))


_MOVING = ("rises", "falls")


def _outcome_parts(outcomes: pd.DataFrame | None, shown: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the figures of each outcome by topic, in the order of the bars."""
    if outcomes is None or outcomes.empty:
        return {}
    parts = {
        str(name): part.set_index("topic").reindex(shown.index)
        for name, part in outcomes.groupby("outcome", sort=False)
    }
    return {name: part for name, part in parts.items() if part["share"].notna().any()}


def _draw_outcome(axes: Axes, part: pd.DataFrame, outcome: str) -> None:
    """Draw the share of one outcome by topic, with its interval."""
    place = np.arange(len(part))
    is_beyond = (part["p_value"] < 0.05).to_numpy()
    for chosen, colour in ((is_beyond, _MARKED), (~is_beyond, PALETTE[8])):
        own = part[chosen]
        axes.hlines(place[chosen], own["low"], own["high"], color=colour, linewidth=2)
        axes.plot(own["share"], place[chosen], "o", color=colour, markersize=6)
    axes.tick_params(labelleft=False)
    axes.set_xlim(0, min(1.0, 1.1 * float(part["high"].max())))
    _as_percent(axes, outcome)


def _as_percent(axes: Axes, label: str) -> None:
    """Give an axis of shares its name and percent."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(visible=False, axis="y")


def _dates(axes: Axes) -> None:
    """Give the axes short dates and percent."""
    locator = mdates.AutoDateLocator(minticks=2, maxticks=4)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _label(name: object, place: int) -> str:
    """Return a topic's name for a picture: short, in lines; by its place where the font has none of a writing's letters."""
    text = " ".join(str(name).split())
    if not _is_written(text):
        return f"topic {place}"
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip(" ,") + "…"
    return fill("".join(sign if sign.isspace() or ord(sign) in _drawable() else _NO_GLYPH for sign in text), _WRAP)


def _is_written(text: str) -> bool:
    """Return whether the usual font has most letters of a text."""
    letters = [sign for sign in text if sign.isalpha()]
    return 2 * sum(ord(sign) in _drawable() for sign in letters) >= len(letters)


def _unwritten(names: pd.Index, drawn: Iterable[object]) -> str:
    """Return the names of topics that the picture calls by their place."""
    place = {name: at for at, name in enumerate(names, start=1)}
    told = [f"topic {place[name]} is {name}" for name in drawn if not _is_written(str(name))]
    return f" In the picture, {'; '.join(told)}." if told else ""


@cache
def _drawable() -> frozenset[int]:
    """Return the characters that the usual font can draw."""
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def _topics_in_words(known: pd.DataFrame, *, most: int) -> str:
    """Return the sizes of topics."""
    named = "; ".join(f"{name} {share:.0%}" for name, share in known["share"].head(most).items())
    more = f"; {len(known) - most} more are not drawn" if len(known) > most else ""
    unstable = int((~known["is_stable"].head(most).astype(bool)).sum())
    grey = f" {unstable} of them in grey: not found again in halves of the texts." if unstable else ""
    return f"Topics by their share of texts: {named}{more}.{grey}"


def _outcomes_in_words(parts: dict[str, pd.DataFrame]) -> str:
    """Return the shares of each outcome, the highest first."""
    told = []
    for outcome, part in parts.items():
        order = part.dropna(subset=["share"]).sort_values("share", ascending=False, kind="stable")
        named = "; ".join(
            f"{name} {row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})" for name, row in order.iterrows()
        )
        beyond = int((order["p_value"] < 0.05).sum())
        told.append(f" {outcome.capitalize()}: {named}; {beyond or 'none'} beyond chance.")
    return "".join(told)


def _trends_in_words(trends: pd.DataFrame) -> str:
    """Return which topics move, and from where to where."""
    told = []
    for name, row in trends.iterrows():
        shares = row[["share_early", "share_late"]]
        span = "" if shares.isna().any() else f" {shares.iloc[0]:.0%} to {shares.iloc[1]:.0%}"
        told.append(f"{name}{span} ({row['reading']})")
    return f"Share of texts from the first to the last third of the time: {'; '.join(told)}."
