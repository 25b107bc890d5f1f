"""
The picture of the RFM grid: how many customers have which scores, under the field's names.

What it shows is computed in :mod:`crm_analysis.models.segmentation.rfm`.
"""

from __future__ import annotations

import math
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from crm_analysis.figures.display import INK, MUTED, canvas, describe, left_out

_WRAP = 14
_CHARACTERS = 11


def plot_rfm_grid(cells: pd.DataFrame) -> Axes:
    """
    Plot the share of customers with each pair of recency and frequency scores, and the named segments around them.

    Parameters
    ----------
    cells : pandas.DataFrame
        A row per pair: ``r_score``, ``f_score``, ``rfm_segment``, ``share_of_customers`` and ``segment_share`` (that of the whole
        segment), missing where they are about too few customers.

    Returns
    -------
    matplotlib.axes.Axes
        A heat map with a frame and a name for each segment; segments whose cells are not shown are hatched.
    """
    grid = cells.pivot_table(index="r_score", columns="f_score", values="share_of_customers", dropna=False)
    grid = grid.reindex(
        index=sorted(cells["r_score"].unique(), reverse=True), columns=sorted(cells["f_score"].unique())
    )
    with canvas(width=8.0, height=5.4) as axes:
        top = max(float(np.nan_to_num(grid.to_numpy(dtype=float)).max()), 1e-9)
        sns.heatmap(
            grid.astype(float),
            ax=axes,
            cmap="Blues",
            vmin=0,
            vmax=top,
            linewidths=0.5,
            cbar_kws={"label": "share of customers", "format": lambda share, _: f"{share:.0%}"},
        )
        for name, part in cells.groupby("rfm_segment", sort=False):
            _frame(axes, str(name), part, rows=len(grid))
        axes.set(xlabel="frequency score (5: most often)", ylabel="recency score (5: most recent)")
        axes.tick_params(axis="y", rotation=0)
    return describe(axes, _in_words(cells))


def _frame(axes: Axes, name: str, part: pd.DataFrame, *, rows: int) -> None:
    """Draw one segment's frame, name and share."""
    left, width = int(part["f_score"].min()) - 1, int(part["f_score"].nunique())
    upper, height = rows - int(part["r_score"].max()), int(part["r_score"].nunique())
    is_hidden = bool(part["share_of_customers"].isna().any())
    axes.add_patch(
        Rectangle((left, upper), width, height, fill=False, edgecolor=INK, linewidth=2, zorder=3, clip_on=False)
    )
    if is_hidden:
        axes.add_patch(
            Rectangle((left, upper), width, height, fill=False, hatch="//", edgecolor=MUTED, linewidth=0, zorder=2)
        )
    share = float(part["segment_share"].iloc[0])
    told = "not shown" if math.isnan(share) else f"{share:.0%}"
    axes.text(
        left + width / 2,
        upper + height / 2,
        f"{fill(name, max(_CHARACTERS, _WRAP * (width - 1)))}\n{told}",
        ha="center",
        va="center",
        fontsize=10,
        bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 2},
        parse_math=False,
        zorder=4,
    )


def _in_words(cells: pd.DataFrame) -> str:
    """Return the share of each segment, the largest first."""
    shares = cells.drop_duplicates("rfm_segment").set_index("rfm_segment")["segment_share"]
    shown = shares.dropna().sort_values(ascending=False, kind="stable")
    missing = left_out(int(shares.isna().sum()), "segment")
    if shown.empty:
        return f"The RFM grid shows no segment.{missing}"
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shown.items())
    return f"Share of customers by recency and frequency score, in named segments: {listed}.{missing}"
