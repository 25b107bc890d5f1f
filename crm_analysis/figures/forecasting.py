"""
Figures of the forecasting report: expected against actual, errors by model, and revenue by rank of the forecast.

What they show is computed in :mod:`crm_analysis.models.forecasting`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out
from crm_analysis.models.forecasting.estimators import ZERO
from crm_analysis.models.forecasting.wording import MEASURES, MODELS

RANKINGS = {"hindsight": "with hindsight", "forecast": "by the forecast", "naive": "by the naive baseline"}


def plot_calibration(calibration: pd.DataFrame, *, currency: str) -> Axes:
    """
    Plot what groups of customers were expected to spend against what they spent.

    Parameters
    ----------
    calibration : pandas.DataFrame
        Index ``group``, lowest forecasts first; mean ``predicted`` and ``actual`` spend of its customers. Groups without
        figures, about too few customers, are left out.
    currency : str
        Of the amounts.

    Returns
    -------
    matplotlib.axes.Axes
        Two bars a group.
    """
    shown = calibration.dropna(subset=["predicted", "actual"])
    positions = np.arange(len(shown))
    with canvas() as axes:
        axes.bar(positions - 0.2, shown["predicted"], width=0.4, color=MUTED, label="expected")
        axes.bar(positions + 0.2, shown["actual"], width=0.4, color=ACCENT, label="came")
        axes.set_xticks(positions, [str(group) for group in shown.index])
        axes.set(
            xlabel="customers by forecast, lowest to highest",
            ylabel=f"mean spend, {currency}",
            title="Expected and actual spend",
        )
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False, loc="upper left")
    return describe(axes, _calibration_in_words(shown, currency) + left_out(len(calibration) - len(shown), "group"))


def plot_errors(errors: pd.DataFrame, *, title: str, measure: str = "rmse") -> Axes:
    """
    Plot the error of each model on the hold-out.

    Parameters
    ----------
    errors : pandas.DataFrame
        ``model``, ``role``, ``measure``, ``value``, ``low``, ``high``.
    title : str
        What was forecast.
    measure : str
        Which measure.

    Returns
    -------
    matplotlib.axes.Axes
        A dot a model with its 95% interval, the lowest on top; the dashed line is the naive baseline. Zero for everybody
        is left to the table: it is so far off that the others would look alike.
    """
    table = errors[(errors["measure"] == measure) & (errors["model"] != ZERO)].sort_values("value", kind="stable")
    table = table.iloc[::-1].reset_index(drop=True)
    table["label"] = _labels(table)
    is_chosen = table["role"].str.contains("chosen")
    naive = float(table.loc[table["role"].str.contains("naive"), "value"].iloc[0])
    with canvas(height=1.1 + 0.42 * len(table)) as axes:
        axes.axvline(naive, color=MUTED, linestyle="--", linewidth=1.2)
        for part, colour in ((table[is_chosen], ACCENT), (table[~is_chosen], PALETTE[8])):
            around = np.array([part["value"] - part["low"], part["high"] - part["value"]]).clip(min=0)
            axes.errorbar(part["value"], part.index, xerr=around, fmt="o", color=colour, capsize=3)
        axes.set_yticks(table.index, table["label"])
        axes.set(xlabel=f"{MEASURES[measure]} a customer, 95% interval", title=title, ylim=(-0.6, len(table) - 0.4))
        axes.grid(visible=False, axis="y")
    return describe(axes, _errors_in_words(table, title, MEASURES[measure]))


def plot_gain_curve(curve: pd.DataFrame) -> Axes:
    """
    Plot which share of the revenue customers brought, best forecasts first.

    Parameters
    ----------
    curve : pandas.DataFrame
        Index ``customers``, a share; columns ``forecast``, ``naive`` and ``hindsight``, shares of the revenue. Missing points
        are left out.

    Returns
    -------
    matplotlib.axes.Axes
        A line a ranking; the diagonal is a ranking by chance.
    """
    styles = {"hindsight": (MUTED, "-"), "forecast": (ACCENT, "-"), "naive": (PALETTE[1], "--")}
    shown = curve.dropna()
    with canvas(width=6.5, height=4.5) as axes:
        for name, (colour, line) in styles.items():
            axes.plot(shown.index, shown[name], color=colour, linestyle=line, label=RANKINGS[name])
        axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1, label="by chance")
        axes.set(
            xlabel="share of customers, best first", ylabel="share of revenue", title="Revenue by rank", xlim=(0, 1)
        )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(frameon=False, loc="lower right")
    return describe(axes, _curve_in_words(shown))


def _labels(table: pd.DataFrame) -> pd.Series:
    """Return each model in words, with its role."""
    role = (" (" + table["role"] + ")").where(table["role"] != "", "")
    return table["model"].map(MODELS) + role


def _calibration_in_words(calibration: pd.DataFrame, currency: str) -> str:
    if calibration.empty:
        return "An empty chart of expected and actual mean spend."
    least, most = calibration.iloc[0], calibration.iloc[-1]
    groups = "1 group" if len(calibration) == 1 else f"{len(calibration)} groups"
    return (
        f"Bars of expected and actual mean spend of the hold-out's customers, in {groups} by forecast. The lowest was "
        f"expected to spend {least['predicted']:,.2f} {currency} and spent {least['actual']:,.2f}; the highest was expected "
        f"to spend {most['predicted']:,.2f} {currency} and spent {most['actual']:,.2f}."
    )


def _errors_in_words(table: pd.DataFrame, title: str, measure: str) -> str:
    values = (table["label"] + " " + table["value"].map("{:,.2f}".format))[::-1]
    return (
        f"{title}: {measure} of each model on the hold-out, lowest first, as dots with intervals: {'; '.join(values)}."
    )


def _curve_in_words(curve: pd.DataFrame) -> str:
    if curve.empty or not curve.index[-1] > 0:
        return "An empty chart: the hold-out has no revenue to be shared out."
    at = float(min(curve.index[1:], key=lambda share: abs(share - 0.1)))
    tenth = curve.loc[at]
    best = "tenth" if np.isclose(at, 0.1) else f"{at:.0%} (fewer are not shown)"
    return (
        f"Lines of the share of revenue by share of customers, best first. The best {best} brought "
        f"{tenth['hindsight']:.0%} with hindsight, {tenth['forecast']:.0%} ranked by the forecast and {tenth['naive']:.0%} "
        "ranked by the naive baseline."
    )
