"""
Figures of how good a forecast was: expected against actual, ranges, errors by model and origin, revenue by rank.

What they show is computed in :mod:`crm_analysis.models.forecasting`; what a forecast leans on and whom it is about is drawn in
:mod:`crm_analysis.figures.customer_outlook`.
"""

from __future__ import annotations

from datetime import date
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter
from scipy.stats import binomtest

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.forecasting.estimators import ZERO
from crm_analysis.models.forecasting.readers import MEASURES, MODELS

WHO = {"all": "all customers", "buyers": "those who bought", "others": "those who did not"}
MARKERS = "osD^vP*X"
RANKINGS = {"hindsight": "with hindsight", "forecast": "by the forecast", "naive": "by the naive baseline"}
_WRAP = 34


def plot_calibration(calibration: pd.DataFrame, *, currency: str) -> Axes:
    """
    Plot what groups of customers were expected to spend against what they spent.

    Parameters
    ----------
    calibration : pandas.DataFrame
        Index ``group``, lowest forecasts first; mean ``predicted`` and ``actual`` spend of its customers, and where known
        the 95 % interval of the latter, ``low`` to ``high``. Groups without figures, about too few customers, are left out.
    currency : str
        Of the amounts.

    Returns
    -------
    matplotlib.axes.Axes
        Two bars a group, with an interval around what came.
    """
    shown = calibration.dropna(subset=["predicted", "actual"])
    positions = np.arange(len(shown))
    with canvas() as axes:
        axes.bar(positions - 0.2, shown["predicted"], width=0.4, color=MUTED, label="expected")
        axes.bar(positions + 0.2, shown["actual"], width=0.4, color=ACCENT, label="came")
        if _has_intervals(shown):
            axes.errorbar(
                positions + 0.2,
                shown["actual"],
                yerr=_around(shown, "actual"),
                fmt="none",
                ecolor=INK,
                elinewidth=1.2,
                capsize=3,
            )
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
            axes.errorbar(part["value"], part.index, xerr=_around(part, "value"), fmt="o", color=colour, capsize=3)
        axes.set_yticks(table.index, table["label"])
        axes.set(xlabel=f"{MEASURES[measure]} a customer, 95% interval", title=title, ylim=(-0.6, len(table) - 0.4))
        axes.grid(visible=False, axis="y")
    return describe(axes, _errors_in_words(table, title, MEASURES[measure]))


def plot_coverage(coverage: pd.DataFrame, *, currency: str, level: float = 0.9) -> Axes:
    """
    Plot how often the ranges of single customers held what came, by group of customers.

    Parameters
    ----------
    coverage : pandas.DataFrame
        Index ``customers``: ``all``, ``buyers``, ``others`` and segments; ``n``, ``coverage`` (a share), ``width`` (mean).
        Where it has no 95 % interval ``low`` to ``high``, Wilson's is drawn. Groups without figures are left out.
    currency : str
        Of the widths.
    level : float
        Share that the ranges are to hold: the dashed line.

    Returns
    -------
    matplotlib.axes.Axes
        A dot a group with its interval, in the table's order; beside it the mean width.
    """
    shown = coverage.dropna(subset=["n", "coverage"])
    shown = shown if _has_intervals(shown) else _with_wilson(shown)
    missing = left_out(len(coverage) - len(shown), "group")
    if shown.empty:
        return nothing_to_show(f"No group has a coverage to show.{missing}")
    names = [WHO.get(str(name), str(name)) for name in shown.index]
    places = np.arange(len(shown))[::-1]
    labels = [fill(f"{name} ({n:,.0f})", _WRAP) for name, n in zip(names, shown["n"], strict=True)]
    with canvas(height=1.2 + 0.42 * len(shown)) as axes:
        axes.axvline(level, color=MUTED, linestyle="--", linewidth=1.2)
        met = ((shown["low"] <= level) & (level <= shown["high"])).to_numpy()
        for chosen, colour, marker in ((met, ACCENT, "o"), (~met, PALETTE[1], "D")):
            part = shown[chosen]
            around = _around(part, "coverage")
            axes.errorbar(part["coverage"], places[chosen], xerr=around, fmt=marker, color=colour, capsize=3)
        for place, width in zip(places, shown["width"], strict=True):
            axes.annotate(
                f"{width:,.0f} wide", (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize="small"
            )
        axes.set_yticks(places, labels, parse_math=False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(
            xlabel=f"share that held, 95% interval (right: mean width, {currency})",
            title=f"{level:.0%} ranges: how often they held",
            ylim=(-0.6, len(shown) - 0.4),
        )
        axes.set_xlim(right=min(1.01, float(shown["high"].max()) + 0.02))
        axes.grid(visible=False, axis="y")
    return describe(axes, _coverage_in_words(shown, names, currency, level) + missing)


def plot_backtest(backtest: pd.DataFrame, *, naive: str, title: str, measure: str = "rmse") -> Axes:
    """
    Plot the error of each model at each origin, against the naive baseline's at the same origin.

    Parameters
    ----------
    backtest : pandas.DataFrame
        A row an origin and model: ``origin``, ``model``, and the measure, an error above 0. Missing ones are left out.
    naive : str
        The baseline among the models.
    title : str
        What was forecast.
    measure : str
        Which column.

    Returns
    -------
    matplotlib.axes.Axes
        The naive baseline on top, then by mean; a mark an origin, a bar at the mean; left of the dashed line is better. Zero
        for everybody is left to the table.
    """
    wide = backtest[backtest["model"] != ZERO].pivot_table(measure, "model", "origin", sort=True)
    base = wide.T[naive] if naive in wide.index else pd.Series(np.nan, index=wide.columns)
    ratios = (wide / base.where(base > 0)).dropna(axis=1, how="all")
    if ratios.empty:
        return nothing_to_show(f"{title}: the naive baseline has no error above zero, so there is nothing to compare.")
    rest = ratios.drop(index=naive).mean(axis=1).sort_values(kind="stable")
    ratios = ratios.loc[[naive, *rest.index]]
    labels = [_model_words(str(model)) + (" (naive)" if model == naive else "") for model in ratios.index]
    places = np.arange(len(ratios))[::-1]
    with canvas(height=1.4 + 0.45 * len(ratios)) as axes:
        axes.axvline(1, color=MUTED, linestyle="--", linewidth=1.2)
        axes.plot(ratios.mean(axis=1), places, "|", color=INK, markersize=18, markeredgewidth=2, label="mean")
        for number, origin in enumerate(ratios.columns):
            marker, colour = MARKERS[number % len(MARKERS)], PALETTE[number % len(PALETTE)]
            axes.plot(ratios[origin], places, marker, color=colour, alpha=0.85, label=_day(origin))
        axes.set_yticks(places, labels)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(
            xlabel=f"{_measure_words(measure)} ÷ the naive baseline's", title=title, ylim=(-0.6, len(ratios) - 0.4)
        )
        axes.grid(visible=False, axis="y")
        axes.legend(frameon=False, title="origin", loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    n_left_out = wide.shape[1] - ratios.shape[1]
    return describe(axes, _backtest_in_words(ratios, labels, title, _measure_words(measure), n_left_out=n_left_out))


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
    return table["model"].map(_model_words) + role


def _model_words(model: str) -> str:
    return MODELS.get(model, model.replace("_", " "))


def _has_intervals(table: pd.DataFrame) -> bool:
    return {"low", "high"} <= set(table.columns) and bool(table[["low", "high"]].notna().to_numpy().any())


def _around(table: pd.DataFrame, middle: str) -> np.ndarray:
    """Return how far an interval reaches below and above its middle."""
    return np.array([table[middle] - table["low"], table["high"] - table[middle]], dtype=float).clip(min=0)


def _calibration_in_words(calibration: pd.DataFrame, currency: str) -> str:
    if calibration.empty:
        return "An empty chart of expected and actual mean spend."
    least, most = calibration.iloc[0], calibration.iloc[-1]
    groups = "1 group" if len(calibration) == 1 else f"{len(calibration)} groups"
    held = ""
    if _has_intervals(calibration):
        within = int(calibration["predicted"].between(calibration["low"], calibration["high"]).sum())
        held = f" What was expected lies within the 95% interval of what came in {within} of {len(calibration)}."
    return (
        f"Bars of expected and actual mean spend of the hold-out's customers, in {groups} by forecast. The lowest was "
        f"expected to spend {least['predicted']:,.2f} {currency} and spent {least['actual']:,.2f}; the highest was expected "
        f"to spend {most['predicted']:,.2f} {currency} and spent {most['actual']:,.2f}.{held}"
    )


def _with_wilson(coverage: pd.DataFrame) -> pd.DataFrame:
    """Add the interval of a share of so many customers."""
    held = zip(coverage["coverage"], coverage["n"], strict=True)
    ends = [binomtest(round(share * n), int(n)).proportion_ci(method="wilson") for share, n in held]
    return coverage.assign(low=[end.low for end in ends], high=[end.high for end in ends])


def _coverage_in_words(shown: pd.DataFrame, names: list[str], currency: str, level: float) -> str:
    told = [
        f"{name} {row.coverage:.0%} ({row.low:.0%} to {row.high:.0%}), {row.width:,.0f} {currency} wide".rstrip()
        for name, row in zip(names, shown.itertuples(), strict=True)
    ]
    return f"Dots: how often the {level:.0%} ranges held what came, with 95% intervals, and their mean width: {'; '.join(told)}."


def _backtest_in_words(ratios: pd.DataFrame, labels: list[str], title: str, measure: str, *, n_left_out: int) -> str:
    told = [
        f"{label} {row.mean():.0%} on average, below it at {int((row < 1).sum())} of {int(row.notna().sum())}"
        for label, (_, row) in zip(labels[1:], ratios.iloc[1:].iterrows(), strict=True)
    ]
    first = f"{title}: {measure} of each model at {_origins(ratios.shape[1])} as a share of that of {labels[0]}"
    verb = "has" if n_left_out == 1 else "have"
    missing = f" {_origins(n_left_out)} {verb} no error of the naive baseline above zero and {'is' if n_left_out == 1 else 'are'} left out."
    return (f"{first}: {'; '.join(told)}." if told else f"{first}, which nothing is compared with.") + missing * bool(
        n_left_out
    )


def _origins(number: int) -> str:
    return "1 origin" if number == 1 else f"{number} origins"


def _measure_words(measure: str) -> str:
    return MEASURES.get(measure, measure.replace("_", " "))


def _day(origin: object) -> str:
    return f"{origin:%Y-%m-%d}" if isinstance(origin, pd.Timestamp | date) else str(origin)


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
