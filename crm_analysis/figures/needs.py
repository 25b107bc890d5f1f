"""
Figures of what groups of customers buy.

What they show is computed in :mod:`crm_analysis.models.segmentation.needs`.
"""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from crm_analysis.figures.display import canvas, describe, left_out, nothing_to_show

MOST_CATEGORIES = 12
_REACH = 2
_TICKS = (-_REACH, -1, 0, 1, _REACH)
_WRAP = 28
_LONGEST = 40


def plot_need_lifts(lifts: pd.DataFrame, *, most: int = MOST_CATEGORIES) -> Axes:
    """
    Plot how much more or less of its spend each group gives to the categories that set groups apart most.

    Parameters
    ----------
    lifts : pandas.DataFrame
        A row per group and category: the group in the first column, then ``category``, ``share_of_group``, ``lift`` and
        ``weight`` (how much the category sets the group apart). Cells without figures stay blank.
    most : int
        Categories that are drawn, those of the largest weight over all groups.

    Returns
    -------
    matplotlib.axes.Axes
        A heat map, red for more and blue for less than all customers by the logarithm of the lift, with lifts in its cells.
    """
    table = _grid(lifts, most=most)
    if not table.size:
        return nothing_to_show("No category sets groups apart.")
    with canvas(width=3.0 + 0.62 * max(table.shape[1], 5), height=2.4 + 0.55 * len(table)) as axes:
        _draw(axes, table)
        axes.set(xlabel="", ylabel="")
    blank = int(table.isna().to_numpy().sum())
    return describe(axes, _lifts_in_words(lifts, table) + left_out(blank, "cell"))


def _grid(lifts: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Return lifts by group and category, the categories that set groups apart most, the strongest first."""
    group = lifts.columns[0]
    told = lifts[lifts["weight"] > 0]
    weights = told.groupby("category")["weight"].sum().round(12).rename("weight").reset_index()
    chosen = weights.sort_values(["weight", "category"], ascending=[False, True])["category"].head(most)
    shown = lifts.groupby(group, sort=False)["lift"].count()
    rows = shown.index[shown > 0]
    cells = lifts.set_index([group, "category"])["lift"]
    grid = cells.reindex(pd.MultiIndex.from_product([rows, chosen])).to_numpy(dtype=float)
    return pd.DataFrame(grid.reshape(len(rows), len(chosen)), index=rows, columns=list(chosen))


def _draw(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the heat map with its labels."""
    with np.errstate(divide="ignore"):
        logs = np.log2(table.astype(float)).clip(-_REACH, _REACH)
    sns.heatmap(
        logs,
        ax=axes,
        cmap="vlag",
        vmin=-_REACH,
        vmax=_REACH,
        annot=table.map(_lift_in_words).to_numpy(),
        fmt="",
        annot_kws={"size": 9},
        linewidths=1,
        cbar_kws={"label": "lift", "ticks": _TICKS, "format": FuncFormatter(_tick)},
        xticklabels=False,
        yticklabels=False,
    )
    axes.grid(visible=False)  # its lines would cross blank cells
    names = [_short(name) for name in table.columns]
    axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=45, ha="right", parse_math=False)
    groups = [fill(_short(name, longest=2 * _WRAP), _WRAP) for name in table.index]
    axes.set_yticks(np.arange(len(groups)) + 0.5, groups, rotation=0, parse_math=False)


def _tick(log: float, _: int) -> str:
    """Return what the colour bar says at a logarithm."""
    words = {-_REACH: "¼ or less", -1: "½", 0: "1", 1: "2", _REACH: "4 or more"}
    return words.get(round(log), "")


def _short(name: object, *, longest: int = _LONGEST) -> str:
    """Return a name on one line that leaves room for the picture."""
    text = " ".join(str(name).split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _lift_in_words(lift: float) -> str:
    """Return a lift for a cell; nothing where it is not shown."""
    if np.isnan(lift):
        return ""
    return f"{lift:.1f}" if lift < 9.95 else f"{lift:.0f}"


def _lifts_in_words(lifts: pd.DataFrame, table: pd.DataFrame) -> str:
    """Return what each group buys most more of, and most less of."""
    rows = []
    for name in table.index:
        own = lifts[(lifts.iloc[:, 0] == name) & lifts["category"].isin(table.columns)].dropna(subset=["lift"])
        own = own.sort_values("weight", ascending=False, kind="stable")
        parts = [own[own["lift"] > 1].head(2), own[own["lift"] < 1].head(1)]
        told = [
            f"{_short(category)} {lift:.1f} ({share:.0%} of its spend)"
            for part in parts
            for category, lift, share in zip(part["category"], part["lift"], part["share_of_group"], strict=True)
        ]
        rows.append(f"{name}: {', '.join(told) or 'nothing'}")
    return f"Shares of spend over those of all customers; what sets each group apart most: {'; '.join(rows)}."
