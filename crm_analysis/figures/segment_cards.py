"""
The picture of segment cards: every segment's means against all customers, with intervals.

What it shows is computed in :mod:`crm_analysis.models.segmentation.describing.cards`.
"""

from __future__ import annotations

import math
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crm_analysis.figures.display import ACCENT, INK, MUTED, canvas, describe, left_out, nothing_to_show

_WRAP = 30
_PANELS = 3
_ROW = 0.3
_PANEL = 0.95


def plot_segment_cards(table: pd.DataFrame) -> Axes:
    """
    Plot how far each segment's means lie from those of all customers.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per segment and feature: ``segment``, ``feature``, ``difference_sd``, ``low_sd`` and ``high_sd``, in standard
        deviations of all customers. Segments without figures, about too few customers, are left out.

    Returns
    -------
    matplotlib.axes.Axes
        The first of as many panels as segments: a dot a feature with its interval, grey where that holds zero.
    """
    known = table.dropna(subset=["difference_sd"])
    names = [str(name) for name in dict.fromkeys(known["segment"])]
    features = [str(name) for name in dict.fromkeys(known["feature"])]
    missing = left_out(table["segment"].nunique() - len(names), "segment")
    if not names:
        return nothing_to_show(f"No segment has figures to show.{missing}")
    columns = min(2 if len(names) == 4 else _PANELS, len(names))
    rows = math.ceil(len(names) / columns)
    with canvas(width=3.4 + 2.4 * columns, height=rows * (_PANEL + _ROW * len(features))) as axes:
        figure = axes.figure
        axes.remove()
        grid = figure.add_gridspec(rows, columns)
        panels: list[Axes] = []
        for at, name in enumerate(names):
            share = {"sharex": panels[0], "sharey": panels[0]} if panels else {}
            panels.append(figure.add_subplot(grid[at // columns, at % columns], **share))
            _panel(panels[-1], known[known["segment"].astype("str") == name], features, name)
            panels[-1].tick_params(labelleft=at % columns == 0, labelbottom=at + columns >= len(names))
        figure.supxlabel("difference from all customers (standard deviations)", fontsize="medium", color=INK)
    return describe(panels[0], _in_words(known, names) + missing)


def _panel(axes: Axes, card: pd.DataFrame, features: list[str], name: str) -> None:
    """Draw one segment."""
    place = np.array([features.index(str(feature)) for feature in card["feature"]])
    middle, low, high = (card[column].to_numpy(dtype=float) for column in ("difference_sd", "low_sd", "high_sd"))
    is_clear = (low > 0) | (high < 0)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    for chosen, colour in ((is_clear, ACCENT), (~is_clear, MUTED)):
        axes.hlines(place[chosen], low[chosen], high[chosen], color=colour, linewidth=3, zorder=2)
        axes.plot(middle[chosen], place[chosen], "o", color=colour, markersize=6, zorder=3)
    axes.set_yticks(range(len(features)), [feature.replace("_", " ") for feature in features], parse_math=False)
    axes.set_ylim(len(features) - 0.4, -0.6)
    axes.set_title(fill(name, _WRAP), fontsize="medium", parse_math=False)


def _in_words(known: pd.DataFrame, names: list[str]) -> str:
    """Return what sets each segment apart most, with its interval."""
    told = []
    for name in names:
        card = known[known["segment"].astype("str") == name]
        most = card.iloc[int(np.argmax(card["difference_sd"].abs().to_numpy()))]
        told.append(
            f"{name}: {str(most['feature']).replace('_', ' ')} {most['difference_sd']:+.1f} "
            f"({most['low_sd']:+.1f} to {most['high_sd']:+.1f})"
        )
    return f"Means against all customers in standard deviations; what sets each segment apart most: {'; '.join(told)}."
