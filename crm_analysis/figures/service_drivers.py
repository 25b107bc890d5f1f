"""
Figures of why cases go wrong: what probabilities rest on, which way they move, what would help, and who is met by it.

What they show is computed in :mod:`crm_analysis.models.service_quality.explanation`.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.service_quality.explanation import Explanation
from crm_analysis.models.service_quality.explanation.effects_wording import HIGHER, LOWER
from crm_analysis.models.service_quality.explanation.fairness import DIFFERS, MEASURES
from crm_analysis.models.service_quality.wording import (
    ENDED,
    ENDING,
    attribute_in_words,
    in_words,
    points_in_words,
    signed_points,
)

GOOD, BAD = PALETTE[2], PALETTE[1]
MOST_MOVES = 12
TITLES = {
    "outcome_rate": "outcome",
    "false_positive_rate": "flagged in vain",
    "false_negative_rate": "overlooked",
    "calibration": "came less\nexpected",
}
_LONGEST_LABEL = 34
_HEIGHT_OF_A_LINE = 0.1  # inches a row is higher by for each further line of its label


def plot_explanation(explanation: Explanation, *, outcome: str) -> list[Axes]:
    """
    Plot all that explains an outcome.

    Parameters
    ----------
    explanation : Explanation
        The explanation.
    outcome : str
        Which outcome.

    Returns
    -------
    list of matplotlib.axes.Axes
        What carries, which way, what would help where that is told, and the customer groups.
    """
    drawn = [plot_driver_groups(explanation.drivers.groups)]
    if len(explanation.levels):
        drawn.append(plot_rates_by_level(explanation.levels, outcome=outcome))
    if len(explanation.directions.curves):
        drawn.append(plot_directions(explanation.directions.curves, outcome=outcome))
    if explanation.help is not None:
        drawn.append(plot_what_would_help(explanation.help.levels, outcome=outcome))
        drawn.append(plot_moves(explanation.help.moves, outcome=outcome))
    return [*drawn, plot_fairness(explanation.fairness.table)]


def plot_driver_groups(groups: pd.DataFrame) -> Axes:
    """
    Plot how much worse probabilities get when attributes that go together are shuffled.

    Parameters
    ----------
    groups : pandas.DataFrame
        ``group``, ``importance``, ``low``, ``high``, ``reading``, largest first. Rows without figures are left out.

    Returns
    -------
    matplotlib.axes.Axes
        A bar a group with its interval, the largest on top; beyond chance in colour.
    """
    shown = groups[groups["importance"].notna()].iloc[::-1]
    missing = left_out(len(groups) - len(shown), "group")
    if shown.empty:
        return nothing_to_show(f"What the probabilities rest on cannot be shown.{missing}")
    carries = (shown["reading"] == "carries").to_numpy()
    labels = _wrapped(shown["group"])
    with canvas(height=1.1 + 0.36 * len(shown) + _height_of_more_lines(labels)) as axes:
        axes.barh(range(len(shown)), shown["importance"], color=np.where(carries, ACCENT, MUTED))
        errors = np.array([shown["importance"] - shown["low"], shown["high"] - shown["importance"]]).clip(min=0)
        axes.errorbar(shown["importance"], range(len(shown)), xerr=errors, fmt="none", ecolor=INK, capsize=2)
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(range(len(shown)), labels, parse_math=False)
        axes.set(xlabel="increase of log loss when shuffled, 95% interval", title="What the probabilities rest on")
        axes.grid(visible=False, axis="y")
    top = [f"{row.group} ({row.importance:.3f})" for row in shown[carries].iloc[::-1].itertuples()]
    told = f"beyond chance for {in_words(top)}" if top else "beyond chance for none"
    return describe(
        axes, f"Increase of log loss when one of {len(shown)} groups of attributes is shuffled: {told}.{missing}"
    )


def plot_rates_by_level(levels: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot the rate of an outcome at each level of its main drivers.

    Parameters
    ----------
    levels : pandas.DataFrame
        ``attribute``, ``level``, ``n_cases``, ``rate``, ``low``, ``high``.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        A point a level with its interval and, in brackets, its number of cases; attributes one below the other.
    """
    table = levels.iloc[::-1].reset_index(drop=True)
    attributes = list(dict.fromkeys(levels["attribute"]))
    colours = {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(attributes)}
    labels = _wrapped(f"{row.level} ({row.n_cases:,})" for row in table.itertuples())
    with canvas(height=1.1 + 0.27 * len(table) + _height_of_more_lines(labels)) as axes:
        for name in attributes:
            part = table[table["attribute"] == name]
            errors = np.array([part["rate"] - part["low"], part["high"] - part["rate"]]).clip(min=0)
            axes.errorbar(
                part["rate"],
                part.index,
                xerr=errors,
                fmt="o",
                color=colours[name],
                capsize=2,
                label=attribute_in_words(name),
            )
        axes.set_yticks(table.index, labels, parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlim(left=0)
        axes.set_xlabel(f"share that {ENDED[outcome]}, 95% interval")
        axes.set_title("Observed shares, and numbers of cases")
        if attributes:
            axes.legend(frameon=False, loc="best")
    return describe(axes, _rates_in_words(levels, attributes, outcome))


def plot_directions(curves: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot how probabilities move along attributes, among like cases.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``attribute``, ``kind``, ``value``, ``level``, ``probability``; an attribute's rows together.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        The first of the panels, one an attribute: a line along a number, a dot a level.
    """
    shown = curves[curves["probability"].notna()]
    names = list(dict.fromkeys(shown["attribute"]))
    if not names:
        return nothing_to_show("No attribute has enough values with enough customers to show how probabilities move.")
    n_columns = min(2, len(names))
    n_rows = math.ceil(len(names) / n_columns)
    with canvas(width=8.5, height=0.6 + 2.5 * n_rows) as blank:
        figure = blank.figure
        blank.remove()
        panels: list[Axes] = []
        for at, name in enumerate(names):
            panel = figure.add_subplot(n_rows, n_columns, at + 1, sharey=panels[0] if panels else None)
            panels.append(panel)
            _draw_direction(panel, shown[shown["attribute"] == name], name)
        panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        figure.supylabel(f"probability of {ENDING.get(outcome, outcome)}", fontsize="medium", color=INK)
    return describe(panels[0], _directions_in_words(shown, names, outcome))


def plot_what_would_help(levels: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot the share of the outcome if all cases were handled like those of each level.

    Parameters
    ----------
    levels : pandas.DataFrame
        ``lever``, ``level``, ``share``, ``low``, ``high``, ``raw_share``, ``reading``; a lever's rows together. Rows without
        figures are left out.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        A dot a level with its interval, and an open square for its share as it is.
    """
    shown = levels[levels["share"].notna()].iloc[::-1].reset_index(drop=True)
    n_missing = len(levels) - len(shown)
    missing = f" {n_missing} without enough comparable cases or customers." if n_missing else ""
    if shown.empty:
        return nothing_to_show(f"No level has enough comparable cases to be adjusted for case mix.{missing}")
    names = zip(shown["lever"], shown["level"], strict=True)
    labels = _wrapped(f"{attribute_in_words(str(lever))}: {level}" for lever, level in names)
    height = 1.4 + 0.34 * len(shown) + _height_of_more_lines(labels)
    with canvas(height=height) as axes:
        for reading, colour in ((LOWER, GOOD), (HIGHER, BAD), ("", MUTED)):
            part = shown[shown["reading"] == reading] if reading else shown[~shown["reading"].isin([LOWER, HIGHER])]
            if part.empty:
                continue
            errors = np.array([part["share"] - part["low"], part["high"] - part["share"]]).clip(min=0)
            label = reading or "within chance"
            axes.errorbar(part["share"], part.index, xerr=errors, fmt="o", color=colour, capsize=2, label=label)
        axes.scatter(
            shown["raw_share"], shown.index, marker="s", facecolors="none", edgecolors=INK, s=30, label="as it is"
        )
        axes.set_yticks(shown.index, labels, parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlabel(f"share that {ENDED.get(outcome, outcome)}, adjusted for case mix, 95% interval")
        axes.set_title("If all cases were handled alike")
        axes.legend(
            frameon=False,
            fontsize="small",
            loc="upper center",
            bbox_to_anchor=(0.5, -0.55 / height - 0.08),
            ncols=4,
        )
    return describe(axes, _levels_in_words(shown, outcome) + missing)


def plot_moves(moves: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot what it goes with if cases of one level are handled like those of another.

    Parameters
    ----------
    moves : pandas.DataFrame
        ``lever``, ``cases_of``, ``handled_like``, ``change``, ``low``, ``high``, ``reading``. The twelve lowest beyond chance are shown.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        A dot a move with its interval, the lowest on top.
    """
    lower = moves[moves["reading"] == LOWER].sort_values("change", kind="stable").head(MOST_MOVES)
    if lower.empty:
        return nothing_to_show(
            f"No other handling goes with fewer cases that {ENDED.get(outcome, outcome)}, beyond chance."
        )
    shown = lower.iloc[::-1].reset_index(drop=True)
    names = zip(shown["lever"], shown["cases_of"], shown["handled_like"], strict=True)
    labels = _wrapped((f"{attribute_in_words(str(lever))}: {own} like {other}" for lever, own, other in names), 44)
    with canvas(height=1.4 + 0.36 * len(shown) + _height_of_more_lines(labels)) as axes:
        errors = np.array([shown["change"] - shown["low"], shown["high"] - shown["change"]]).clip(min=0)
        axes.errorbar(shown["change"], shown.index, xerr=errors, fmt="o", color=GOOD, capsize=2)
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(shown.index, labels, parse_math=False)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: signed_points(share)))
        axes.set_xlabel(f"points of the share that {ENDED.get(outcome, outcome)},\nadjusted for case mix, 95% interval")
        axes.set_title("If cases were handled like others")
    first = lower.iloc[0]
    text = (
        f"{len(lower)} {'way' if len(lower) == 1 else 'ways'} in which cases handled like others go with a lower share that {ENDED.get(outcome, outcome)}, adjusted "
        f"for case mix: most for cases of {first['cases_of']} handled like those of {first['handled_like']} "
        f"({points_in_words(first['change'])}, {signed_points(first['low'])} to {signed_points(first['high'])}). An association."
    )
    return describe(axes, text)


def plot_fairness(table: pd.DataFrame) -> Axes:
    """
    Plot how far each customer group lies from all others, in the outcome and in the model's errors.

    Parameters
    ----------
    table : pandas.DataFrame
        ``attribute``, ``group``, ``measure``, ``difference``, ``difference_low``, ``difference_high``, ``reading``. Rows without
        figures are left out.

    Returns
    -------
    matplotlib.axes.Axes
        The first of the panels, one a measure: a dot a group with its interval, beyond chance in colour.
    """
    shown = table[table["difference"].notna()]
    missing = left_out(len(table) - len(shown), "figure")
    if shown.empty:
        return nothing_to_show(f"No customer group can be set against the others.{missing}")
    groups = list(dict.fromkeys(zip(shown["attribute"], shown["group"], strict=True)))[::-1]
    place = {group: at for at, group in enumerate(groups)}
    measures = [name for name in MEASURES if (shown["measure"] == name).any()]
    with canvas(width=9.0, height=1.5 + 0.3 * len(groups)) as blank:
        figure = blank.figure
        blank.remove()
        panels: list[Axes] = []
        for at, measure in enumerate(measures):
            panel = figure.add_subplot(1, len(measures), at + 1, sharey=panels[0] if panels else None)
            panels.append(panel)
            _draw_differences(panel, shown[shown["measure"] == measure], place)
            panel.set_title(TITLES[measure], fontsize="small")
            panel.tick_params(labelleft=at == 0)
        labels = _wrapped(f"{str(attribute).replace('_', ' ')}: {group}" for attribute, group in groups)
        panels[0].set_yticks(range(len(groups)), labels, parse_math=False)
        figure.supxlabel("points against all other cases, 95% interval", fontsize="medium", color=INK)
    marked = shown[shown["reading"] == DIFFERS]
    told = [
        f"{row['group']} ({MEASURES[row['measure']]}, {points_in_words(row['difference'])})"
        for row in marked.to_dict("records")
    ]
    words = f"beyond chance for {in_words(told)}" if told else "none beyond chance"
    return describe(panels[0], f"Differences of {len(groups)} customer groups to all others: {words}.{missing}")


def _draw_direction(panel: Axes, curve: pd.DataFrame, name: str) -> None:
    """A line along a number, or a dot a level."""
    if curve["kind"].iloc[0] == "number":
        panel.plot(curve["value"], curve["probability"], marker="o", markersize=4, color=ACCENT)
        if name == "opened_weekday":
            panel.set_xticks(curve["value"], [str(day)[:3] for day in curve["level"]])
    else:
        panel.plot(range(len(curve)), curve["probability"], "o", color=ACCENT)
        labels = [_short(str(level), 16) for level in curve["level"]]
        panel.set_xticks(range(len(curve)), labels, rotation=30, ha="right", fontsize="small", parse_math=False)
        panel.margins(x=0.1)
    panel.set_title(_wrapped([attribute_in_words(name)])[0], fontsize="medium", parse_math=False)


def _draw_differences(panel: Axes, part: pd.DataFrame, place: dict[tuple[str, str], int]) -> None:
    at = np.array([place[group] for group in zip(part["attribute"], part["group"], strict=True)])
    for is_marked, colour in ((True, BAD), (False, MUTED)):
        chosen = ((part["reading"] == DIFFERS) == is_marked).to_numpy()
        if not chosen.any():
            continue
        rows = part[chosen]
        errors = np.array(
            [rows["difference"] - rows["difference_low"], rows["difference_high"] - rows["difference"]]
        ).clip(min=0)
        panel.errorbar(rows["difference"], at[chosen], xerr=errors, fmt="o", color=colour, capsize=2, markersize=5)
    panel.axvline(0, color=INK, linewidth=1)
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda share, _: signed_points(share)))


def _wrapped(labels: Iterable[object], width: int = _LONGEST_LABEL) -> list[str]:
    """Long labels on lines of their own."""
    return ["\n".join(textwrap.wrap(str(label), width)) or str(label) for label in labels]


def _height_of_more_lines(labels: Sequence[str]) -> float:
    """Inches that the longest label's further lines take, over all rows as these are evenly spaced."""
    further = max((label.count("\n") for label in labels), default=0)
    return _HEIGHT_OF_A_LINE * further * len(labels)


def _short(text: str, at_most: int = _LONGEST_LABEL) -> str:
    return text if len(text) <= at_most else text[: at_most - 1].rstrip() + "…"


def _directions_in_words(shown: pd.DataFrame, names: list[str], outcome: str) -> str:
    parts = []
    for name in names:
        curve = shown[shown["attribute"] == name]
        least, most = (curve.iloc[int(at)] for at in (np.argmin(curve["probability"]), np.argmax(curve["probability"])))
        parts.append(
            f"by {attribute_in_words(name)} from {least['probability']:.0%} ({least['level']}) to {most['probability']:.0%} "
            f"({most['level']})"
        )
    return f"Probability of {ENDING.get(outcome, outcome)} among like cases: {'; '.join(parts)}."


def _rates_in_words(levels: pd.DataFrame, attributes: list[str], outcome: str) -> str:
    parts = []
    for name in attributes:
        part = levels[levels["attribute"] == name].sort_values("rate", kind="stable")
        best, worst = part.iloc[0], part.iloc[-1]
        parts.append(
            f"by {attribute_in_words(name)} from {best['rate']:.0%} ({best['level']}) to {worst['rate']:.0%} ({worst['level']})"
        )
    return f"Share of cases that {ENDED[outcome]}: {'; '.join(parts)}." if parts else "No levels to compare."


def _levels_in_words(shown: pd.DataFrame, outcome: str) -> str:
    parts = []
    for lever in dict.fromkeys(shown["lever"][::-1]):
        part = shown[shown["lever"] == lever].sort_values("share", kind="stable")
        best, worst = part.iloc[0], part.iloc[-1]
        parts.append(
            f"by {attribute_in_words(lever)} from {best['share']:.0%} ({best['level']}) to {worst['share']:.0%} ({worst['level']})"
        )
    return f"Share that {ENDED.get(outcome, outcome)} if all cases were handled alike, adjusted for case mix: {'; '.join(parts)}."
