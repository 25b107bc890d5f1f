"""
Figures of movement between segments: the flow from one day to the other, and the matrix with what lies outside chance.

What they show is computed in :mod:`crm_analysis.models.segmentation.movement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import PercentFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.movement import Movement
from crm_analysis.models.segmentation.movement.pairing import UNRANKED

COLOURS = {
    "moved up": PALETTE[2],
    "stayed": MUTED,
    "moved down": PALETTE[1],
    UNRANKED: PALETTE[4],
    "dropped out": PALETTE[7],
    "arrived": ACCENT,
}
MARKS = {"more than chance": "▲", "fewer than chance": "▼"}
_GAP = 0.03
_MOST_GAPS = 0.5
_NODE = 0.035
_WRAP = 24
_N_FLOWS = 3

Places = dict[str, tuple[float, float]]


def plot_migration_flow(movement: Movement) -> Axes:
    """
    Plot customers as ribbons from their segment at the earlier day to that at the later day.

    Parameters
    ----------
    movement : Movement
        Segments at two days.

    Returns
    -------
    matplotlib.axes.Axes
        Segments from the most valuable (top) to the least; a ribbon's width is its number of customers, its colour the
        direction. Cells about too few customers are left out.
    """
    if movement.reason:
        return nothing_to_show(f"An empty flow. {movement.reason}")
    matrix = movement.matrix
    counts = matrix.fillna(0).astype(float)
    with canvas(width=9.0, height=max(4.2, 1.6 + 0.55 * len(matrix))) as axes:
        axes.set(xlim=(0, 1), ylim=(1.0, -0.09))
        axes.axis("off")
        if counts.to_numpy().sum() > 0:
            used = _draw_ribbons(axes, counts)
            starts, ends = (_places(counts.sum(axis=at), _scale(counts)) for at in (1, 0))
            _draw_nodes(axes, starts, movement.segments["before"], x=0.0)
            _draw_nodes(axes, ends, movement.segments["after"], x=1.0)
            handles = [Patch(color=colour, alpha=0.7, label=name) for name, colour in COLOURS.items() if name in used]
            axes.legend(
                handles=handles,
                frameon=False,
                loc="upper center",
                bbox_to_anchor=(0.5, 0.0),
                ncols=max(len(handles), 1),
            )
        for x, side, day in ((0.0, "right", movement.as_of_before), (1.0, "left", movement.as_of)):
            axes.text(x, -0.05, str(day), ha=side, va="center", weight="bold")
    return describe(axes, _flow_in_words(movement))


def _draw_ribbons(axes: Axes, counts: pd.DataFrame) -> set[str]:
    """Draw a ribbon a cell, and return which kinds there are; those who stayed lie below the others."""
    scale = _scale(counts)
    starts, ends = _places(counts.sum(axis=1), scale), _places(counts.sum(axis=0), scale)
    at_start = {name: top for name, (top, _) in starts.items()}
    at_end = {name: top for name, (top, _) in ends.items()}
    widths = counts.to_numpy(dtype=float) * scale
    used = set()
    for row, column in zip(*np.nonzero(widths), strict=True):
        source, target, width = str(counts.index[row]), str(counts.columns[column]), float(widths[row, column])
        kind = _kind(int(row), int(column), n_segments=counts.shape[1] - 1, is_noise=NOISE_NAME in {source, target})
        used.add(kind)
        _ribbon(axes, at_start[source], at_end[target], width, kind)
        at_start[source] += width
        at_end[target] += width
    return used


def _kind(row: int, column: int, *, n_segments: int, is_noise: bool) -> str:
    """Return what a cell means, in the words of the legend."""
    if row >= n_segments:
        return "arrived"
    if column >= n_segments:
        return "dropped out"
    if row == column:
        return "stayed"
    return UNRANKED if is_noise else "moved up" if column < row else "moved down"


def _scale(counts: pd.DataFrame) -> float:
    """Return the height of one customer: the fuller side and its gaps fill the picture."""
    bars = max((counts.sum(axis=1) > 0).sum(), (counts.sum(axis=0) > 0).sum())
    return float((1 - min(_GAP * (bars - 1), _MOST_GAPS)) / counts.to_numpy().sum())


def _places(sizes: pd.Series, scale: float) -> Places:
    """Return top and bottom of each segment's bar; segments without customers take no room."""
    filled = sizes[sizes > 0]
    heights = filled.to_numpy(dtype=float) * scale
    gap = (1 - heights.sum()) / max(len(filled) - 1, 1)  # the side with fewer bars has wider gaps
    tops = np.concatenate([[0.0], np.cumsum(heights + gap)[:-1]])
    return {str(name): (top, top + height) for name, top, height in zip(filled.index, tops, heights, strict=True)}


def _ribbon(axes: Axes, start: float, end: float, width: float, kind: str) -> None:
    """Draw one band that swings from left to right."""
    left, right = _NODE, 1 - _NODE
    corners = [(left, start), (0.5, start), (0.5, end), (right, end)]
    back = [(right, end + width), (0.5, end + width), (0.5, start + width), (left, start + width)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    path = Path([*corners, *back, (left, start)], codes)
    is_still = kind == "stayed"
    axes.add_patch(
        PathPatch(
            path,
            facecolor=COLOURS[kind],
            edgecolor="none",
            alpha=0.35 if is_still else 0.65,
            zorder=1 if is_still else 2,
        )
    )


def _draw_nodes(axes: Axes, places: Places, shown: pd.Series, *, x: float) -> None:
    """Draw the bars of one day with names, and numbers where they may be shown."""
    edge, side = (0.0, "right") if x == 0 else (1 - _NODE, "left")
    for name, (top, bottom) in places.items():
        axes.add_patch(Rectangle((edge, top), _NODE, bottom - top, facecolor=INK, edgecolor="none", zorder=3))
        number = shown.get(name)
        text = name if number is None or pd.isna(number) else f"{name} ({number:,})"
        offset = -0.01 if x == 0 else 0.01
        axes.text(
            x + offset,
            (top + bottom) / 2,
            fill(text, _WRAP),
            ha=side,
            va="center",
            fontsize=9,
            linespacing=1.0,
            parse_math=False,
        )


def _flow_in_words(movement: Movement) -> str:
    """Return what the flow shows: directions, the largest flows, what is left out."""
    totals = movement.totals["share"]
    words = {
        "up": "moved up",
        "stayed": "stayed",
        "down": "moved down",
        UNRANKED: f"went {UNRANKED}",
        "left": "dropped out",
    }
    parts = [f"{totals[name]:.0%} {text}" for name, text in words.items() if not pd.isna(totals.get(name))]
    flows = movement.cells[movement.cells["from"] != movement.cells["to"]].dropna(subset="customers")
    largest = flows.sort_values("customers", ascending=False, kind="stable").head(_N_FLOWS)
    named = "; ".join(
        f"{source} to {target} ({number:,})"
        for source, target, number in zip(largest["from"], largest["to"], largest["customers"], strict=True)
        if number > 0
    )
    hidden = left_out(int(movement.matrix.isna().sum().sum()), "flow")
    shares = f": {', '.join(parts)}" if parts else ""
    return (
        f"Flow of customers from their segments on {movement.as_of_before} to those on {movement.as_of}{shares}. "
        f"{f'Largest flows: {named}.' if named else 'Nobody went from one to another.'}{hidden}"
    )


def plot_migration_matrix(movement: Movement) -> Axes:
    """
    Plot where the customers of each segment went, as shares of the row.

    Parameters
    ----------
    movement : Movement
        Segments at two days.

    Returns
    -------
    matplotlib.axes.Axes
        A heat map; ▲ and ▼ mark flows above and below what chance alone would make. Rows about too few customers have no
        shares.
    """
    if movement.reason:
        return nothing_to_show(f"An empty matrix. {movement.reason}")
    rows = list(movement.matrix.index)
    shares = movement.cells.pivot_table(index="from", columns="to", values="share", dropna=False, observed=False)
    shares = shares.reindex(index=rows, columns=list(movement.matrix.columns)).astype(float)
    shares = shares[(movement.matrix != 0).fillna(value=True).any(axis=1)]  # nobody in a row: nothing to show
    marks = _marks(movement)
    notes = pd.DataFrame(
        {
            name: [
                _cell(share, marks.get((row, name), "")) for row, share in zip(shares.index, shares[name], strict=True)
            ]
            for name in shares.columns
        }
    )
    with canvas(width=1.8 + 0.95 * shares.shape[1] + 2.2, height=1.9 + 0.5 * len(shares)) as axes:
        if shares.size:
            sns.heatmap(
                shares.fillna(0.0),
                ax=axes,
                cmap="Blues",
                vmin=0,
                vmax=1,
                annot=notes,
                fmt="",
                annot_kws={"fontsize": 9},
                linewidths=1,
                cbar_kws={"label": "share of the row", "format": PercentFormatter(1, decimals=0)},
                xticklabels=False,
                yticklabels=False,
            )
        axes.set(xlabel=f"on {movement.as_of}", ylabel=f"on {movement.as_of_before}")
        if marks:
            axes.set_title("▲ more, ▼ fewer than by chance", fontsize=9, fontweight="normal")
        axes.set_xticks(
            np.arange(shares.shape[1]) + 0.5,
            [fill(str(name), 14) for name in shares.columns],
            parse_math=False,
            fontsize=9,
        )
        axes.set_yticks(
            np.arange(len(shares)) + 0.5,
            [fill(str(name), _WRAP) for name in shares.index],
            parse_math=False,
            fontsize=9,
        )
    return describe(axes, _matrix_in_words(movement, shares, marks))


def _marks(movement: Movement) -> dict[tuple[str, str], str]:
    """Return the marks of the cells outside chance."""
    if movement.chance is None:
        return {}
    cells = movement.chance.cells
    return {
        (source, target): MARKS[against]
        for source, target, against in zip(cells["from"], cells["to"], cells["against"], strict=True)
        if against in MARKS
    }


def _cell(share: float, mark: str) -> str:
    """Return what is written in a cell."""
    return "–" if np.isnan(share) else f"{share:.0%} {mark}".strip()


def _matrix_in_words(movement: Movement, shares: pd.DataFrame, marks: Mapping[tuple[str, str], str]) -> str:
    """Return what the matrix shows: who stayed, and which flows lie outside chance."""
    own = [(name, float(shares[name][name])) for name in movement.order if name in shares.index]
    stays = [f"{name} {share:.0%}" for name, share in own if not np.isnan(share)]
    stayed = f" Still in the same segment: {', '.join(stays)}." if stays else ""
    if movement.chance is None:
        against = " Chance could not be worked out for these features."
    else:
        above, below = (
            "; ".join(f"{source} to {target}" for (source, target), mark in marks.items() if mark == MARKS[name])
            for name in MARKS
        )
        none = "none that may be shown" if (movement.chance.cells["against"] == "").any() else "none"
        against = f" Above chance: {above or none}. Below chance: {below or none}."
    hidden = left_out(int(shares.isna().sum().sum()), "cell")
    return (
        f"Where the customers of each segment on {movement.as_of_before} were on {movement.as_of}, as shares of the row."
        f"{stayed}{against}{hidden}"
    )
