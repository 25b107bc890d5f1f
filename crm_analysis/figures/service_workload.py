"""
Figures of the work that service makes: cases a day and what is expected, agents by weekday and hour.

What they show is computed in :mod:`crm_analysis.models.service_quality.workload`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import dates as mdates
from matplotlib.axes import Axes

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.service_quality.workload import Workload

AHEAD = PALETTE[1]
SHOWN_DAYS = 120


def plot_volume(workload: Workload) -> Axes:
    """
    Plot cases a day: what came, the hold-out and its forecast, and what is expected.

    Parameters
    ----------
    workload : Workload
        The plan for the work.

    Returns
    -------
    matplotlib.axes.Axes
        The last days as a line; dashed, the forecast of the hold-out; ahead, the forecast; both in their 90 % ranges. The reason
        alone where there is no plan. Days about too few customers are gaps.
    """
    if workload.plan is None:
        return nothing_to_show(workload.reason)
    volume = workload.plan.volume
    came = workload.plan.arrivals.table["cases"].astype("float64").iloc[-max(SHOWN_DAYS, 2 * len(volume.holdout)) :]
    with canvas(width=9.5, height=4.0) as axes:
        axes.plot(came.index, came, color=INK, linewidth=1.2, marker="o", markersize=2.5, label="came")
        for table, colour, what in ((volume.holdout, ACCENT, "hold-out"), (volume.ahead, AHEAD, "days ahead")):
            if len(table):
                low, high = (table[side].to_numpy(dtype=float) for side in ("low_90", "high_90"))
                axes.fill_between(
                    table.index, low, high, color=colour, alpha=0.2, linewidth=0, label=f"90% range, {what}"
                )
                style = "--" if what == "hold-out" else "-"
                axes.plot(table.index, table["forecast"], color=colour, linestyle=style, label=f"forecast, {what}")
        axes.axvline(mdates.date2num(volume.ahead.index[0]), color=MUTED, linewidth=1)
        locator = mdates.AutoDateLocator(minticks=4, maxticks=10)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
        axes.set(ylabel="cases a day", title="Cases a day and what is expected")
        axes.set_ylim(bottom=0)
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False, fontsize="small", ncols=3, loc="upper left", bbox_to_anchor=(0, -0.1))
    return describe(axes, _volume_in_words(workload, came))


def plot_staffing(workload: Workload) -> Axes:
    """
    Plot the agents needed by weekday and hour, for the upper end of the volume.

    Parameters
    ----------
    workload : Workload
        The plan for the work.

    Returns
    -------
    matplotlib.axes.Axes
        A heat map with the number in each cell; the reason alone where there is no plan. Hours about too few customers are empty.
    """
    if workload.plan is None:
        return nothing_to_show(workload.reason)
    grid = workload.staff_by_hour.astype("float64")
    with canvas(width=10.0, height=1.2 + 0.4 * len(grid)) as axes:
        top = max(float(np.nanmax(grid.to_numpy(), initial=1.0)), 1.0)
        texts = grid.map(lambda number: "" if pd.isna(number) else f"{number:.0f}")
        sns.heatmap(
            grid, annot=texts, fmt="", cmap="Blues", vmin=0, vmax=top, cbar=False, linewidths=0.5, ax=axes,
            annot_kws={"fontsize": "small"},
        )  # fmt: skip
        axes.set(xlabel="hour", ylabel="", title="Agents needed, for the upper end of the volume")
        axes.tick_params(axis="y", rotation=0)
        axes.tick_params(axis="x", rotation=0)
    return describe(axes, _staff_in_words(workload, grid))


def _volume_in_words(workload: Workload, came: pd.Series) -> str:
    shown = came.dropna()
    text = f"Line of cases a day over the last {len(came)} days"
    if len(shown) == len(came):  # of a part of the days, figures would be those of the busy ones
        text += f", from {shown.min():,.0f} to {shown.max():,.0f} ({shown.idxmax():%Y-%m-%d}), {shown.mean():,.1f} on average"
    return f"{text}. {' '.join(workload.sentences[:3])}{left_out(len(came) - len(shown), 'day')}"


def _staff_in_words(workload: Workload, grid: pd.DataFrame) -> str:
    plan = workload.plan
    if plan is None or grid.isna().all(axis=None):
        return "An empty heat map of agents by weekday and hour: no hour may be told."
    shown = " that are shown" if grid.isna().any(axis=None) else ""
    parts = [
        f"{day}: {most:.0f} at most, {hours:.0f} hours in all{shown}"
        for day, most, hours in zip(grid.index, grid.max(axis=1), grid.sum(axis=1), strict=True)
    ]
    goal = plan.goal
    return (
        f"Heat map of the agents needed by weekday and hour to answer {goal.answer_share:.0%} of the cases within "
        f"{goal.answer_minutes * 60:.0f} seconds, at {goal.handling_minutes:g} minutes a case. {'; '.join(parts)}."
        f"{left_out(int(grid.isna().to_numpy().sum()), 'hour')}"
    )
