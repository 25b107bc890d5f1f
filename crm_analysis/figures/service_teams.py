"""
Figures of teams beside each other, or channels, or categories: what chance allows, and what is left of the difference.

What they show is computed in :mod:`crm_analysis.models.service_quality.measures`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, legend_below, nothing_to_show
from crm_analysis.models.service_quality.measures import League
from crm_analysis.models.service_quality.measures.wording import OUTCOMES_IN_WORDS

MARK = PALETTE[7]
MOST_ROWS = 30
MOST_NAMED = 8
_BESIDE: dict[str, Any] = {"xytext": (5, 4), "textcoords": "offset points", "fontsize": "small", "parse_math": False}


def plot_funnel(league: League | None, *, by: str, outcome: str) -> Axes:
    """
    Plot the share of each group by its number of cases, with the limits of chance.

    Parameters
    ----------
    league : League or None
        The groups.
    by : str
        What they are.
    outcome : str
        Whose share is compared.

    Returns
    -------
    matplotlib.axes.Axes
        A point a group; the furthest beyond the outer limits are named. Points are marked by the limits of their own group, lines
        are drawn for customers with as many like cases as in the average group.
    """
    if league is None or len(league.table) < 2:
        return nothing_to_show(_nothing(league, by))
    table, funnel = league.table, league.funnel
    is_beyond = table["funnel"].str.contains("99.8").to_numpy()
    with canvas(height=4.6) as axes:
        for level, style in (("95", ":"), ("99.8", "--")):
            axes.plot(funnel["cases"], funnel[f"lower_{level}"], color=MUTED, linestyle=style, label=f"{level}% limits")
            axes.plot(funnel["cases"], funnel[f"upper_{level}"], color=MUTED, linestyle=style)
        axes.axhline(league.overall, color=INK, linewidth=1, label="all")
        axes.scatter(table["cases"], table["adjusted"], c=np.where(is_beyond, MARK, ACCENT), s=36, zorder=3)
        beyond = table[is_beyond]
        far = ((beyond["adjusted"] - league.overall).abs() * np.sqrt(beyond["cases"])).sort_values(ascending=False)
        for name, row in beyond.loc[far.index[:MOST_NAMED]].iterrows():
            place = (float(row["cases"]), float(row["adjusted"]))
            axes.annotate(str(name), place, **_BESIDE)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel="cases", ylabel=f"share, {OUTCOMES_IN_WORDS[outcome]}", title=f"What chance allows, by {by}")
        axes.set_ylim(bottom=0)
        legend_below(axes)
    return describe(axes, _funnel_in_words(league, by, outcome))


def plot_league(league: League | None, *, by: str, outcome: str) -> Axes:
    """
    Plot the shrunk share of each group with its interval, highest on top.

    Parameters
    ----------
    league : League or None
        The groups.
    by : str
        What they are.
    outcome : str
        Whose share is compared.

    Returns
    -------
    matplotlib.axes.Axes
        A point a group with its interval, and a ring where its raw share lies; of many groups both ends.
    """
    if league is None or len(league.table) < 2:
        return nothing_to_show(_nothing(league, by))
    rows = league.table
    if len(rows) > MOST_ROWS:
        rows = pd.concat([rows.iloc[: MOST_ROWS // 2], rows.iloc[-MOST_ROWS // 2 :]])
    rows = rows.iloc[::-1]
    colours = [MARK if "99.8" in mark else ACCENT for mark in rows["funnel"]]
    with canvas(height=1.2 + 0.3 * len(rows)) as axes:
        places = np.arange(len(rows))
        axes.axvline(league.overall, color=INK, linewidth=1, label="all")
        axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
        axes.scatter(rows["shrunk"], places, c=colours, s=30, zorder=3, label="shrunk, 95% interval")
        axes.scatter(rows["adjusted"], places, facecolors="none", edgecolors=MUTED, s=30, label="raw")
        names = [f"{name} ({cases:,})" for name, cases in zip(rows.index, rows["cases"], strict=True)]
        axes.set_yticks(places, names, parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel=f"share, {OUTCOMES_IN_WORDS[outcome]}", title=f"By {by}, with what chance would do")
        axes.grid(visible=False, axis="y")
        legend_below(axes)
    return describe(axes, _league_in_words(league, by, outcome))


def _funnel_in_words(league: League, by: str, outcome: str) -> str:
    counts = league.table["funnel"].value_counts()
    inside = int(counts.get("inside", 0))
    above, below = (int(counts.get(f"{side} 99.8%", 0)) for side in ("above", "below"))
    return (
        f"Funnel plot of {OUTCOMES_IN_WORDS[outcome]} by {by} and number of cases around {league.overall:.0%}: of "
        f"{len(league.table)} groups {inside} {'lies' if inside == 1 else 'lie'} within the 95% limits, {above} above and {below} below "
        "the 99.8% limits."
    )


def _nothing(league: League | None, by: str) -> str:
    """Say why there is nothing to compare."""
    if league is None:
        return f"There are no {by or 'group'}s to compare."
    what = "may be shown" if league.n_hidden else "has a known outcome"
    return f"Only one {by} {what}: nothing to compare."


def _league_in_words(league: League, by: str, outcome: str) -> str:
    first, last = league.table.iloc[0], league.table.iloc[-1]
    ends = [f"{row.name} ({row['shrunk']:.0%}, {row['low']:.0%} to {row['high']:.0%})" for row in (first, last)]
    return (
        f"Shrunk shares of {OUTCOMES_IN_WORDS[outcome]} of {len(league.table)} groups by {by}, with intervals: highest {ends[0]}, "
        f"lowest {ends[1]}; over all {league.overall:.0%}."
    )
