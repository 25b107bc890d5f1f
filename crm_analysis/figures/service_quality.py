"""
Figures of the service quality report: drivers, calibration, rates by level, and cases over time.

What they show is computed in :mod:`crm_analysis.models.service_quality`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from crm_analysis.figures.display import ACCENT, MUTED, PALETTE, canvas, describe, left_out
from crm_analysis.models.service_quality.wording import ATTRIBUTES, ENDED, in_words


def plot_drivers(drivers: pd.DataFrame) -> Axes:
    """
    Plot how much worse predictions get without each attribute.

    Parameters
    ----------
    drivers : pandas.DataFrame
        ``attribute``, ``importance``, ``low``, ``high``; largest first.

    Returns
    -------
    matplotlib.axes.Axes
        A bar an attribute with its interval, the largest on top.
    """
    table = drivers.iloc[::-1]
    beyond_chance = table["low"] > 0
    with canvas(height=0.6 + 0.35 * len(table)) as axes:
        axes.barh(_names(table["attribute"]), table["importance"], color=np.where(beyond_chance, ACCENT, MUTED))
        errors = np.array([table["importance"] - table["low"], table["high"] - table["importance"]])
        axes.errorbar(table["importance"], range(len(table)), xerr=errors, fmt="none", ecolor=PALETTE[8], capsize=2)
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.set_xlabel("increase of log loss when shuffled, 95% interval")
        axes.grid(visible=False, axis="y")
    return describe(axes, _drivers_in_words(drivers))


def plot_calibration(calibration: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot how often the outcome came against how often it was expected.

    Parameters
    ----------
    calibration : pandas.DataFrame
        Groups of cases of similar probability: ``predicted`` and ``actual`` mean. Groups without figures, about too few
        customers, are left out.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        A point a group; on the diagonal where the probabilities are right.
    """
    shown = calibration.dropna(subset=["predicted", "actual"])
    top = min(1.0, 1.08 * float(shown[["predicted", "actual"]].to_numpy().max())) if len(shown) else 1.0
    with canvas(width=5.5, height=4.5) as axes:
        axes.plot([0, top], [0, top], color=MUTED, linestyle="--", label="as expected")
        axes.plot(
            shown["predicted"],
            shown["actual"],
            marker="o",
            color=ACCENT,
            label="groups of like probability",
        )
        axes.set(xlabel="expected share", ylabel=f"share that {ENDED[outcome]}", xlim=(0, top), ylim=(0, top))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(frameon=False)
    return describe(axes, _calibration_in_words(shown, outcome) + left_out(len(calibration) - len(shown), "group"))


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
    with canvas(height=0.8 + 0.27 * len(table)) as axes:
        for name in attributes:
            part = table[table["attribute"] == name]
            errors = np.array([part["rate"] - part["low"], part["high"] - part["rate"]]).clip(min=0)
            axes.errorbar(
                part["rate"], part.index, xerr=errors, fmt="o", color=colours[name], capsize=2, label=ATTRIBUTES[name]
            )
        axes.set_yticks(table.index, [f"{row.level} ({row.n_cases:,})" for row in table.itertuples()], parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlim(left=0)
        axes.set_xlabel(f"share that {ENDED[outcome]}, 95% interval")
        if attributes:
            axes.legend(frameon=False, loc="best")
    return describe(axes, _rates_in_words(levels, attributes, outcome))


def plot_weekly_cases(weekly: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot the number of cases by week and by how they turned out.

    Parameters
    ----------
    weekly : pandas.DataFrame
        Index ``week``; columns ``yes``, ``no``, ``unknown``. Missing numbers, about too few customers, are left out.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        Stacked bars.
    """
    looks = {"yes": (PALETTE[1], ENDED[outcome]), "no": (ACCENT, "did not"), "unknown": (MUTED, "not known")}
    drawn = weekly.fillna(0).astype("int64")
    floor = np.zeros(len(weekly))
    with canvas(height=3.6) as axes:
        for name, (colour, label) in looks.items():
            if drawn[name].any():
                axes.bar(drawn.index, drawn[name], bottom=floor, width=6.2, color=colour, label=label, linewidth=0)
            floor = floor + drawn[name].to_numpy()
        axes.set(ylabel="cases a week", xlabel="week of the opening")
        axes.set_ylim(0, 1.18 * max(floor.max(), 1))
        axes.legend(frameon=False, ncols=3, loc="upper left")
    return describe(axes, _weeks_in_words(weekly, outcome))


def _names(attributes: pd.Series) -> list[str]:
    return [ATTRIBUTES.get(str(name), str(name)) for name in attributes]


def _weeks_in_words(weekly: pd.DataFrame, outcome: str) -> str:
    """Return what the weeks show, of which all numbers are known."""
    whole = weekly.dropna()
    missing = left_out(int(weekly.isna().to_numpy().sum()), "number")
    if whole.empty:
        return f"Cases by week of the opening over {len(weekly)} weeks.{missing}"
    total, known = whole.sum(axis=1), int(whole[["yes", "no"]].to_numpy().sum())
    share = (
        f"{whole['yes'].sum() / known:.0%} of the {known:,} known ones {ENDED[outcome]}"
        if known
        else "none is known yet"
    )
    return (
        f"Cases by week of the opening over {len(whole)} weeks: {total.median():,.0f} in a middling week, most in the week "
        f"of {total.idxmax():%Y-%m-%d} ({total.max():,}); {share}.{missing}"
    )


def _calibration_in_words(calibration: pd.DataFrame, outcome: str) -> str:
    """Return what the ends of the curve show."""
    if calibration.empty:
        return f"An empty chart of expected and actual shares of cases that {ENDED[outcome]}."
    least, most = calibration.iloc[0], calibration.iloc[-1]
    return (
        f"Expected and actual shares of cases that {ENDED[outcome]}, in {len(calibration)} groups from the least to the most "
        f"likely: {least['predicted']:.0%} expected and {least['actual']:.0%} came in the first, {most['predicted']:.0%} "
        f"expected and {most['actual']:.0%} came in the last."
    )


def _drivers_in_words(drivers: pd.DataFrame) -> str:
    beyond = drivers[drivers["low"] > 0]
    top = [
        f"{name} ({value:.3f})" for name, value in zip(_names(beyond["attribute"]), beyond["importance"], strict=True)
    ]
    if not top:
        return f"Increase of log loss when one of {len(drivers)} attributes is shuffled: none is beyond chance."
    n_others = len(drivers) - len(top)
    others = f"; {n_others} other{'' if n_others == 1 else 's'} not beyond chance" if n_others else ""
    return f"Increase of log loss when an attribute is shuffled: {in_words(top)}{others}."


def _rates_in_words(levels: pd.DataFrame, attributes: list[str], outcome: str) -> str:
    parts = []
    for name in attributes:
        part = levels[levels["attribute"] == name].sort_values("rate", kind="stable")
        best, worst = part.iloc[0], part.iloc[-1]
        parts.append(
            f"by {ATTRIBUTES[name]} from {best['rate']:.0%} ({best['level']}) to {worst['rate']:.0%} ({worst['level']})"
        )
    return f"Share of cases that {ENDED[outcome]}: {'; '.join(parts)}." if parts else "No levels to compare."
