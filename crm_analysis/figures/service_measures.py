"""
Figures of service measures: times, control charts, what waits, and who answers.

What they show is computed in :mod:`crm_analysis.models.service_quality.measures`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from crm_analysis.figures.display import (
    ACCENT,
    INK,
    MUTED,
    PALETTE,
    canvas,
    describe,
    left_out,
    legend_below,
    nothing_to_show,
)
from crm_analysis.figures.service_teams import plot_funnel, plot_league
from crm_analysis.models.service_quality.measures import Answers, Backlog, ControlChart, ServiceMeasures
from crm_analysis.models.service_quality.measures.groups import NOT_GIVEN
from crm_analysis.models.service_quality.measures.wording import CHARTS, OUTCOMES_IN_WORDS

MARK = PALETTE[7]
FEWEST_ANSWERS = 20
MARKS = {"is_run": ("s", "eight in a row on one side"), "is_beyond": ("D", "beyond the limits")}
_SHOWN_SHARE = 0.04  # of cases not resolved: where a curve may end


def plot_measures(measures: ServiceMeasures) -> list[Axes]:
    """
    Plot all that the measures tell.

    Parameters
    ----------
    measures : ServiceMeasures
        The measures.

    Returns
    -------
    list of matplotlib.axes.Axes
        Control charts, teams beside each other, times to resolution, what waits, and where it is told who answers.
    """
    by, outcome, period = measures.league_by, measures.outcome, measures.period
    share = f"share of {OUTCOMES_IN_WORDS[outcome]} by {period}"
    drawn = [
        plot_control_chart(measures.share_chart, what=share, is_share=True),
        plot_control_chart(measures.hours_chart, what=f"median hours to resolution by {period}", is_share=False),
        plot_funnel(measures.league, by=by, outcome=outcome),
        plot_league(measures.league, by=by, outcome=outcome),
        plot_resolution_curves(measures.curves),
        plot_backlog(measures.backlog),
    ]
    if measures.answers is not None:
        drawn += [plot_satisfaction(measures.by[period]), plot_answers(measures.answers)]
    return drawn


def plot_resolution_curves(curves: pd.DataFrame) -> Axes:
    """
    Plot the share of cases not resolved by the hours since they opened.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``group``, ``hours``, ``share``, ``low``, ``high``; the first group is all cases.

    Returns
    -------
    matplotlib.axes.Axes
        A step line a group, all cases with their interval.
    """
    groups = list(dict.fromkeys(curves["group"]))
    whole = curves[curves["group"] == groups[0]]
    end = float(whole.loc[whole["share"] >= _SHOWN_SHARE, "hours"].max())
    with canvas(height=4.4) as axes:
        axes.fill_between(whole["hours"], whole["low"], whole["high"], step="post", color=INK, alpha=0.15, linewidth=0)
        for at, name in enumerate(groups):
            part = curves[curves["group"] == name]
            colour, width = (INK, 2.2) if at == 0 else (PALETTE[(at - 1) % len(PALETTE)], 1.4)
            axes.step(part["hours"], part["share"], where="post", color=colour, linewidth=width, label=name)
        axes.axhline(0.5, color=MUTED, linestyle=":", linewidth=1)
        axes.set(xlabel="hours since the opening", ylabel="share not resolved", xlim=(0, max(end, 1.0)), ylim=(0, 1))
        axes.set_title("Time to resolution, open cases counted")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        legend_below(axes)
    return describe(axes, _curves_in_words(curves, groups))


def plot_control_chart(chart: ControlChart | None, *, what: str, is_share: bool, reason: str = "") -> Axes:
    """
    Plot a figure by period with the limits within which it moves by chance.

    Parameters
    ----------
    chart : ControlChart or None
        The chart, if there is one.
    what : str
        What it shows, such as ``missed target``.
    is_share : bool
        Whether its values are shares, else hours.
    reason : str
        Why there is no chart.

    Returns
    -------
    matplotlib.axes.Axes
        A line with the centre and limits; marked periods stand out; the baseline is shaded.
    """
    if chart is None:
        return nothing_to_show(reason or f"There are too few periods for a control chart: {what}.")
    table = chart.table
    judged = table[~table["is_baseline"]]
    with canvas(width=9.0, height=3.8) as axes:
        until = table.index[chart.n_baseline - 1]
        axes.axvspan(table.index[0], until, color=MUTED, alpha=0.15, linewidth=0, label="baseline")
        for side, label in (("lower", None), ("upper", "limits")):
            axes.step(table.index, table[side], where="mid", color=MARK, linestyle="--", linewidth=1, label=label)
        axes.plot(table.index, table["centre"], color=MUTED, linewidth=1.2, label="centre of the baseline")
        axes.plot(table.index, table["value"], color=ACCENT, marker="o", markersize=3.5, linewidth=1.2)
        for column, (marker, label) in MARKS.items():
            hit = judged[judged[column]]
            axes.plot(hit.index, hit["value"], marker, color=MARK, markersize=6.5, label=label if len(hit) else None)
        axes.set(ylabel="share" if is_share else "hours", title=f"{what[:1].upper()}{what[1:]}:\n{CHARTS[chart.kind]}")
        axes.yaxis.set_major_formatter(PercentFormatter(1) if is_share else StrMethodFormatter("{x:,.0f}"))
        _dates(axes)
        legend_below(axes)
    return describe(axes, _chart_in_words(chart, what, is_share=is_share))


def plot_backlog(backlog: Backlog) -> Axes:
    """
    Plot the number of open cases over time, and their ages.

    Parameters
    ----------
    backlog : Backlog
        Open cases over time.

    Returns
    -------
    matplotlib.axes.Axes
        An area of open cases, within it those past the due time; in a panel below, lines of the median age and of the age that
        a tenth exceeds, where these are told.
    """
    history = backlog.history
    looks = {"old_age_days": ("--", "age a tenth exceeds"), "median_age_days": ("-", "median age")}
    told = {name: look for name, look in looks.items() if history[name].notna().any()}
    with canvas(width=9.0, height=5.4 if told else 3.6) as axes:
        axes.fill_between(
            history.index,
            history["open_cases"].astype(float),
            color=ACCENT,
            alpha=0.35,
            linewidth=0,
            label="open cases",
        )
        if history["overdue"].notna().any():
            overdue = history["overdue"].astype(float)
            axes.fill_between(
                history.index, overdue, color=MARK, alpha=0.6, linewidth=0, label="of them past the due time"
            )
        axes.set(ylabel="open cases", title=f"What waits at the end of each {backlog.period}")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        panels = _panels(axes, 2 if told else 1)
        for name, (style, label) in told.items():
            panels[-1].plot(history.index, history[name], style, color=INK, marker=".", markersize=4, label=label)
        if told:
            panels[-1].set(ylabel="age, days")
            panels[-1].set_ylim(bottom=0)
        for panel in panels:
            _dates(panel)
        legend_below(*panels)
    return describe(axes, _backlog_in_words(backlog))


def plot_answers(answers: Answers | None, *, by: str = "channel") -> Axes:
    """
    Plot who answers, by one attribute and by how the case went.

    Parameters
    ----------
    answers : Answers or None
        Who answers.
    by : str
        An attribute; beside it met target and time to resolution are shown.

    Returns
    -------
    matplotlib.axes.Axes
        A point a level with its interval, and a line at the rate of all.
    """
    if answers is None:
        return nothing_to_show("No case has a satisfaction: who answers cannot be shown.")
    rates = answers.rates
    chosen = rates[rates["attribute"].isin([by, "target", "resolution"]) & (rates["level"] != NOT_GIVEN)]
    shown = chosen.dropna(subset=["response_rate"]).iloc[::-1].reset_index(drop=True)
    missing = left_out(len(chosen) - len(shown), "level")
    if shown.empty:
        return nothing_to_show(f"No level of {by} may be shown.{missing}")
    with canvas(height=1.2 + 0.32 * len(shown)) as axes:
        attributes = list(dict.fromkeys(shown["attribute"]))
        colours = [PALETTE[attributes.index(name) % len(PALETTE)] for name in shown["attribute"]]
        axes.hlines(shown.index, shown["low"], shown["high"], colors=colours, linewidth=2)
        axes.scatter(shown["response_rate"], shown.index, c=colours, s=30, zorder=3)
        if not np.isnan(answers.response_rate):
            axes.axvline(answers.response_rate, color=INK, linewidth=1)
        columns = (shown["attribute"], shown["level"], shown["resolved_cases"])
        names = [f"{name}: {level}{'' if pd.isna(n) else f' ({n:,})'}" for name, level, n in zip(*columns, strict=True)]
        axes.set_yticks(shown.index, names, parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel="resolved cases with an answer, 95% interval", title="Who says how satisfied they are")
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
    return describe(axes, _answers_in_words(answers, shown) + missing)


def plot_satisfaction(measures: pd.DataFrame) -> Axes:
    """
    Plot the share of low marks over time, and how many resolved cases are answered at all.

    Parameters
    ----------
    measures : pandas.DataFrame
        By week or month: ``answers``, ``low_satisfaction`` and ``answered`` with their intervals.

    Returns
    -------
    matplotlib.axes.Axes
        Two lines with their intervals; periods that are not shown, or have fewer than 20 answers, are gaps.
    """
    if "low_satisfaction" not in measures:
        return nothing_to_show("No case has a satisfaction.")
    is_few = measures["answers"].astype(float) < FEWEST_ANSWERS
    n_few = int(is_few.sum())
    if is_few.all():
        return nothing_to_show(
            f"No period has {FEWEST_ANSWERS} answers about satisfaction: shares of so few say little."
        )
    measures = measures[~is_few].reindex(measures.index)  # gaps
    looks = {"low_satisfaction": (MARK, "low marks among the answers"), "answered": (ACCENT, "resolved cases answered")}
    with canvas(width=9.0, height=3.8) as axes:
        for name, (colour, label) in looks.items():
            low, high = (measures[f"{name}_{side}"].to_numpy(dtype=float) for side in ("low", "high"))
            axes.fill_between(measures.index, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(measures.index, measures[name], color=colour, marker="o", markersize=3, label=label)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(ylabel="share, 95% interval", title="Satisfaction and who answers", ylim=(0, 1))
        _dates(axes)
        legend_below(axes)
    return describe(axes, _satisfaction_in_words(measures[~is_few], n_few))


def _panels(axes: Axes, number: int) -> list[Axes]:
    """Return one or two panels below each other with the same days."""
    figure = axes.get_figure(root=True)
    if number == 1 or figure is None:
        return [axes]
    grid = figure.add_gridspec(2, 1, height_ratios=[3, 2])
    axes.set_subplotspec(grid[0])
    return [axes, figure.add_subplot(grid[1], sharex=axes)]


def _dates(axes: Axes) -> None:
    locator = mdates.AutoDateLocator(minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axes.grid(visible=False, axis="x")


def _curves_in_words(curves: pd.DataFrame, groups: list[str]) -> str:
    """Return within how many hours half of each group are resolved."""
    parts = []
    for name in groups:
        part = curves[curves["group"] == name]
        reached = part[part["share"] <= 0.5]
        parts.append(f"{name} {reached['hours'].iloc[0]:,.1f}" if len(reached) else f"{name} not yet")
    return f"Falling step lines of the share of cases not resolved by hours since the opening. Half are resolved within about, in hours: {', '.join(parts)}."


def _chart_in_words(chart: ControlChart, what: str, *, is_share: bool) -> str:
    table, marked = chart.table, chart.marked
    known = table["value"].dropna()
    form = (lambda value: f"{value:.0%}") if is_share else (lambda value: f"{value:,.1f} hours")
    later = "1 later one is marked" if len(marked) == 1 else f"{len(marked)} later ones are marked"
    marks = later if len(marked) else "no later one is marked"
    marks += f", the last from {marked.index[-1]:%Y-%m-%d}" if len(marked) else ""
    span = f", from {form(known.min())} to {form(known.max())}" if len(known) == len(table) else ""
    return (
        f"Control chart of {what} over {len(table)} periods{span}; the centre of the first {chart.n_baseline} is "
        f"{form(table['centre'].iloc[0])}, the last limits {form(table['lower'].iloc[-1])} and {form(table['upper'].iloc[-1])}; "
        f"{marks}.{left_out(len(table) - len(known), 'period')}"
    )


def _backlog_in_words(backlog: Backlog) -> str:
    history = backlog.history
    known = history["open_cases"].dropna().astype(int)
    missing = left_out(len(history) - len(known), backlog.period)
    if known.empty:
        return f"An empty chart of open cases over time.{missing}"
    last, parts = history.iloc[-1], []
    if len(known) == len(history):
        parts.append(f"from {known.min():,} to {known.max():,} ({known.idxmax():%Y-%m-%d})")
    if backlog.n_open is not None:
        ages = (
            f", half of them older than {last['median_age_days']:.1f} days" if pd.notna(last["median_age_days"]) else ""
        )
        parts.append(f"at last {backlog.n_open:,}{ages}")
    n = f"{len(known)} {backlog.period}{'s' if len(known) > 1 else ''}"
    return f"Open cases at the end of {n}{': ' if parts else ''}{', '.join(parts)}.{missing}"


def _answers_in_words(answers: Answers, shown: pd.DataFrame) -> str:
    ends = shown.sort_values("response_rate", kind="stable")
    least, most = ends.iloc[0], ends.iloc[-1]
    whole = "" if np.isnan(answers.response_rate) else f" of all {answers.response_rate:.0%};"
    return (
        f"Share of resolved cases with an answer about satisfaction:{whole} least {least['response_rate']:.0%} "
        f"({least['attribute']}: {least['level']}), most {most['response_rate']:.0%} ({most['attribute']}: {most['level']})."
    )


def _satisfaction_in_words(measures: pd.DataFrame, n_few: int) -> str:
    """Say how low marks and answers moved; ranges of a part of the periods alone would mislead."""
    low, answered = measures["low_satisfaction"], measures["answered"]
    missing = left_out(int(low.isna().sum()), "period")
    if n_few:
        missing += f" {n_few} {'periods have' if n_few > 1 else 'period has'} fewer than {FEWEST_ANSWERS} answers and {'are' if n_few > 1 else 'is'} left out."
    if low.isna().all():
        return f"An empty chart of satisfaction over time.{missing}"
    n = int(low.notna().sum())
    text = f"Share of low marks over {n} period{'s' if n > 1 else ''}"
    if low.notna().all():
        text += f", from {low.min():.0%} to {low.max():.0%}, at last {low.iloc[-1]:.0%}"
    if answered.notna().all():
        text += f"; answered are {answered.min():.0%} to {answered.max():.0%} of the resolved cases"
    return f"{text}.{missing}"
