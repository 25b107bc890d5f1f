"""
Figures of what a forecast leans on, and of who is expected to do what.

What they show is computed in :mod:`crm_analysis.models.explaining` and :mod:`crm_analysis.models.customer_outlook`; how good
forecasts were is drawn in :mod:`crm_analysis.figures.forecasting`.
"""

from __future__ import annotations

import math
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.customer_outlook.labels import FALL, GROW, LEAVE
from crm_analysis.models.customer_outlook.wording import CAME_TRUE, share_in_words
from crm_analysis.models.explaining.importance import CARRIES, HARMS, WITHIN_CHANCE

STAKES = {LEAVE: (PALETTE[7], "//"), FALL: (PALETTE[1], ""), GROW: (ACCENT, "")}
READINGS = {CARRIES: (ACCENT, ""), WITHIN_CHANCE: ("#e4e7eb", "///"), HARMS: (PALETTE[1], "")}
_WRAP = 34


def plot_importance(importance: pd.DataFrame) -> Axes:
    """
    Plot how much the forecast's error grows when groups of features are shuffled.

    Parameters
    ----------
    importance : pandas.DataFrame
        ``group``, ``share`` of the error with its interval ``low`` to ``high``, and ``reading``; largest first. Groups
        without figures are left out.

    Returns
    -------
    matplotlib.axes.Axes
        A bar a group with its interval, the largest on top; hatched grey within chance, orange where the forecast was better
        without.
    """
    shown = importance.dropna(subset=["share"])
    if shown.empty:
        return nothing_to_show("What the forecast leans on cannot be shown: too few customers, or no error to grow.")
    places = np.arange(len(shown))[::-1]
    labels = [fill(str(name), _WRAP) for name in shown["group"]]
    with canvas(height=1.1 + 0.48 * len(shown)) as axes:
        for place, share, reading in zip(places, shown["share"], shown["reading"], strict=True):
            colour, hatch = READINGS[str(reading)]
            axes.barh(place, share, color=colour, hatch=hatch, edgecolor=MUTED, linewidth=0.5, height=0.7)
        axes.errorbar(
            shown["share"], places, xerr=_around(shown, "share"), fmt="none", ecolor=INK, elinewidth=1.2, capsize=3
        )
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(places, labels, parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set(xlabel="growth of the error (RMSE) when shuffled, 95% interval", title="What the forecast leans on")
        axes.grid(visible=False, axis="y")
    return describe(axes, _importance_in_words(shown) + left_out(len(importance) - len(shown), "group"))


def plot_dependence(curves: pd.DataFrame, *, unit: str, method: str = "accumulated local effects") -> Axes:
    """
    Plot how the forecast moves along a few features.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``feature``, ``value``, ``forecast``, ``below`` (share of customers up to the value). Features without figures are
        left out.
    unit : str
        Of the forecast.
    method : str
        How the curves were made.

    Returns
    -------
    matplotlib.axes.Axes
        The first of as many panels as features, all on one scale; the strokes at the foot are tenths of the customers.
    """
    known = curves.dropna(subset=["value", "forecast"])
    names = [str(name) for name in dict.fromkeys(known["feature"])]
    missing = left_out(curves["feature"].nunique() - len(names), "feature")
    if not names:
        return nothing_to_show(f"No feature has a curve to show.{missing}")
    columns = min(2, len(names))
    rows = math.ceil(len(names) / columns)
    with canvas(width=4.6 * columns, height=0.8 + 2.6 * rows) as axes:
        figure = axes.figure
        axes.remove()
        grid = figure.add_gridspec(rows, columns)
        panels: list[Axes] = []
        for at, name in enumerate(names):
            panel = figure.add_subplot(grid[at // columns, at % columns], sharey=panels[0] if panels else None)
            panels.append(panel)
            _draw_curve(panel, known[known["feature"] == name], name)
            panel.tick_params(labelleft=at % columns == 0)
        figure.supylabel(f"mean forecast, {unit}", fontsize="medium", color=INK)
        figure.supxlabel("strokes at the foot: tenths of the customers", fontsize="small", color=INK)
        figure.suptitle(f"How the forecast moves ({method})", x=0.01, ha="left", weight="bold", color=INK)
    return describe(panels[0], _curves_in_words(known, names, unit, method) + missing)


def plot_outlook(by_label: pd.DataFrame, *, currency: str) -> Axes:
    """
    Plot the money at stake with customers who are expected to leave, fall or grow.

    Parameters
    ----------
    by_label : pandas.DataFrame
        Index ``label``; ``customers`` and ``at_stake``. Labels without figures are left out.
    currency : str
        Of the amounts.

    Returns
    -------
    matplotlib.axes.Axes
        A bar a label: to the left what may be lost, to the right what may be won.
    """
    stakes = by_label.loc[[label for label in STAKES if label in by_label.index]]
    shown = stakes.dropna(subset=["customers", "at_stake"])
    missing = left_out(len(stakes) - len(shown), "label")
    if shown.empty or not (shown["at_stake"] > 0).any():
        return nothing_to_show(f"No money is at stake by any label that can be shown.{missing}")
    signed = shown["at_stake"].to_numpy(dtype=float) * np.where(shown.index == GROW, 1, -1)
    places = np.arange(len(shown))[::-1]
    labels = [f"{name} ({count:,.0f})" for name, count in zip(shown.index, shown["customers"], strict=True)]
    with canvas(height=1.3 + 0.55 * len(shown)) as axes:
        for place, name, amount in zip(places, shown.index, signed, strict=True):
            colour, hatch = STAKES[str(name)]
            axes.barh(place, amount, color=colour, hatch=hatch, edgecolor="white", height=0.65)
            side = 1 if amount > 0 else -1
            axes.annotate(
                f"{amount:+,.0f}".replace("-", "−") if amount else "0",
                (amount, place),
                xytext=(4 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
            )
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(places, labels)
        axes.margins(x=0.16)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set(xlabel=f"money at stake, {currency}", title="Who is expected to leave, fall or grow")
        axes.grid(visible=False, axis="y")
    return describe(axes, _outlook_in_words(shown, currency) + missing)


def plot_outlook_accuracy(accuracy: pd.DataFrame) -> Axes:
    """
    Plot how often each label held when given one period earlier, beside how often its claim held for all others.

    Parameters
    ----------
    accuracy : pandas.DataFrame
        Index ``label``; ``customers``, ``held`` with its interval ``low`` to ``high``, ``otherwise``. Labels without figures
        are left out; so are those of nobody and the row of all, which claim nothing.

    Returns
    -------
    matplotlib.axes.Axes
        A dot a label with its interval, and an open square for all other customers.
    """
    labels = accuracy.loc[[label for label in CAME_TRUE if label in accuracy.index]]
    shown = labels.dropna(subset=["held"])
    missing = left_out(int(labels["customers"].isna().sum()), "label")
    if shown.empty:
        return nothing_to_show(f"No label can be set against what came.{missing}")
    places = np.arange(len(shown))[::-1]
    words = [
        f"{name} ({count:,.0f})\n{CAME_TRUE[str(name)]}"
        for name, count in zip(shown.index, shown["customers"], strict=True)
    ]
    with canvas(height=1.5 + 0.62 * len(shown)) as axes:
        axes.errorbar(
            shown["held"], places, xerr=_around(shown, "held"), fmt="o", color=ACCENT, capsize=3, label="with the label"
        )
        axes.plot(
            shown["otherwise"], places, "s", color=PALETTE[1], markerfacecolor="white", label="all other customers"
        )
        axes.set_yticks(places, words)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel="share of customers, 95% interval", title="How often the labels held", xlim=(-0.02, 1.02))
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.figure.legend(frameon=False, ncols=2, loc="outside lower center")
    return describe(axes, _accuracy_in_words(shown) + missing)


def plot_chances(counts: pd.DataFrame, *, least_chance: float) -> Axes:
    """
    Plot how many customers have which chance of being active.

    Parameters
    ----------
    counts : pandas.DataFrame
        ``start``, ``end``, ``customers``; steps without a number, about too few, are left out.
    least_chance : float
        Below it customers count as likely to leave, or show no sign of buying: the dashed line.

    Returns
    -------
    matplotlib.axes.Axes
        A bar a step.
    """
    shown = counts.dropna(subset=["customers"])
    missing = left_out(len(counts) - len(shown), "step")
    if not (shown["customers"] > 0).any():
        return nothing_to_show(f"No chance of being active can be shown.{missing}")
    number = shown["customers"].to_numpy(dtype=float)
    below = (shown["end"] <= least_chance + 1e-9).to_numpy()
    with canvas(height=3.6) as axes:
        bars = axes.bar(
            shown["start"],
            number,
            width=shown["end"] - shown["start"],
            align="edge",
            color=np.where(below, PALETTE[7], ACCENT),
            edgecolor="white",
        )
        for bar, low in zip(bars, below, strict=True):
            bar.set_hatch("//" if low else "")
        axes.axvline(least_chance, color=INK, linestyle="--", linewidth=1.2)
        axes.set(xlabel="chance of being active", ylabel="customers", title="Who is still a customer", xlim=(0, 1))
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(visible=False, axis="x")
    return describe(axes, _chances_in_words(shown, least_chance) + missing)


def _draw_curve(axes: Axes, curve: pd.DataFrame, name: str) -> None:
    """Draw one feature's curve, with a stroke at each tenth of the customers."""
    axes.plot(curve["value"], curve["forecast"], color=ACCENT, marker="o", markersize=3.5)
    tenths = np.arange(1, 10) / 10
    below, value = curve["below"].to_numpy(dtype=float), curve["value"].to_numpy(dtype=float)
    inside = tenths[(tenths >= below[0]) & (tenths <= below[-1])]
    axes.plot(
        np.interp(inside, below, value), np.zeros(len(inside)), "|", color=INK, transform=axes.get_xaxis_transform()
    )
    axes.xaxis.set_major_locator(MaxNLocator(5))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.5g}"))
    axes.set_title(fill(name, _WRAP), fontsize="medium", parse_math=False)


def _around(table: pd.DataFrame, middle: str) -> np.ndarray:
    """Return how far an interval reaches below and above its middle."""
    return np.array([table[middle] - table["low"], table["high"] - table[middle]], dtype=float).clip(min=0)


def _importance_in_words(shown: pd.DataFrame) -> str:
    shares = shown[["share", "low", "high"]].round(2) + 0.0  # no negative zeros
    columns = zip(shown["group"], *(shares[name] for name in shares), shown["reading"], strict=True)
    told = [
        f"{group} {share:+.0%} ({low:+.0%} to {high:+.0%}" + (f", {reading})" if reading != CARRIES else ")")
        for group, share, low, high, reading in columns
    ]
    note = " Grey hatched bars are within chance." if shown["reading"].eq(WITHIN_CHANCE).any() else ""
    return f"Bars: growth of the error when groups of features are shuffled, largest first: {'; '.join(told)}.{note}"


def _curves_in_words(known: pd.DataFrame, names: list[str], unit: str, method: str) -> str:
    told = []
    for name in names:
        curve = known[known["feature"] == name]
        first, last = curve.iloc[0], curve.iloc[-1]
        lowest, highest = curve["forecast"].min(), curve["forecast"].max()
        told.append(
            f"{name}: from {first['value']:,.5g} to {last['value']:,.5g} the mean forecast goes from {first['forecast']:,.2f} to "
            f"{last['forecast']:,.2f} {unit} (lowest {lowest:,.2f}, highest {highest:,.2f})"
        )
    return f"Lines of the forecast along features ({method}), which show how the model uses them, no effect: {'; '.join(told)}."


def _outlook_in_words(shown: pd.DataFrame, currency: str) -> str:
    told = [
        f"{name}: {_customers(count)}, {amount:,.0f} {currency}".rstrip()
        for name, count, amount in zip(shown.index, shown["customers"], shown["at_stake"], strict=True)
    ]
    return f"Bars of the money at stake by what customers are expected to do: {'; '.join(told)}."


def _accuracy_in_words(shown: pd.DataFrame) -> str:
    told = []
    for name, row in shown.iterrows():
        held, low, high = (share_in_words(float(row[end])) for end in ("held", "low", "high"))
        others = f", all others {share_in_words(float(row['otherwise']))}" if math.isfinite(row["otherwise"]) else ""
        told.append(f"{name}: {held} {CAME_TRUE[str(name)]} ({low} to {high}){others}")
    return f"Dots: how often labels given one period earlier came true, with 95% intervals: {'; '.join(told)}."


def _chances_in_words(shown: pd.DataFrame, least_chance: float) -> str:
    number = shown["customers"].to_numpy(dtype=float)
    most = shown.iloc[int(np.argmax(number))]
    below = number[(shown["end"] <= least_chance + 1e-9).to_numpy()].sum()
    return (
        f"Bars of {_customers(number.sum())} by chance of being active: most, {number.max():,.0f}, between {most['start']:.0%} and "
        f"{most['end']:.0%}; {share_in_words(below / number.sum())} lie in steps below {least_chance:.0%}."
    )


def _customers(number: float) -> str:
    return "1 customer" if number == 1 else f"{number:,.0f} customers"
