"""
Figures of the forecast of a business: its history, the hold-out and what lies ahead, over time.

What they show is computed in :mod:`crm_analysis.models.business_series`.
"""

from __future__ import annotations

import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, nothing_to_show
from crm_analysis.models.business_series import BusinessForecast, MeasureForecast, WholeBusiness
from crm_analysis.models.business_series.naming import MEASURES_IN_WORDS, count, model_in_words, number_in_words

AHEAD = PALETTE[1]


def plot_business(whole: WholeBusiness, *, currency: str = "") -> list[Axes]:
    """
    Plot the revenue of a business over time and in the hold-out, or say why it is not forecast.

    Parameters
    ----------
    whole : WholeBusiness
        The forecast, if there is one.
    currency : str
        Of the revenue.

    Returns
    -------
    list of matplotlib.axes.Axes
        As :func:`plot_series` and :func:`plot_holdout` draw the revenue; the reason alone where there is no forecast.
    """
    if whole.forecast is None:
        return [nothing_to_show(whole.reason)]
    told = whole.forecast.revenue
    return [plot(whole.forecast, told, currency=currency) for plot in (plot_series, plot_holdout)]


def plot_series(forecast: BusinessForecast, told: MeasureForecast, *, currency: str = "") -> Axes:
    """
    Plot a series over time: what came, what was forecast for the hold-out, and what is forecast ahead.

    Parameters
    ----------
    forecast : BusinessForecast
        Holds the history.
    told : MeasureForecast
        One of its series.
    currency : str
        Of the revenue.

    Returns
    -------
    matplotlib.axes.Axes
        A line of what came; dashed, the forecast of the hold-out in its 90 % band; ahead, the forecast in its 80 and 90 %
        fan. Periods that are not shown are gaps.
    """
    unit = currency if told.measure == "revenue" else ""
    with canvas(width=9.5, height=4.2) as axes:
        came = forecast.history[told.measure]
        axes.plot(came.index, came, color=INK, linewidth=1.5, marker="o", markersize=2.5, label="came")
        _fan(axes, told.holdout, ACCENT, levels=(90,), of=" of the hold-out")
        axes.plot(
            told.holdout.index, told.holdout["forecast"], color=ACCENT, linestyle="--", label="forecast of the hold-out"
        )
        _fan(axes, told.ahead, AHEAD, levels=(90, 80), of=" ahead")
        axes.plot(told.ahead.index, told.ahead["forecast"], color=AHEAD, marker=".", label="forecast ahead")
        axes.axvline(mdates.date2num(forecast.horizon.first_day), color=MUTED, linewidth=1)
        what = MEASURES_IN_WORDS[told.measure]
        _finish(
            axes,
            ylabel=f"{what} a {forecast.period}{f', {unit}' if unit else ''}",
            title=f"{what.capitalize()} and its forecast",
        )
    return describe(axes, _series_in_words(forecast, told, unit))


def plot_holdout(forecast: BusinessForecast, told: MeasureForecast, *, currency: str = "") -> Axes:
    """
    Plot the hold-out of a series: what came against the forecast and the best naive rule.

    Parameters
    ----------
    forecast : BusinessForecast
        Holds the period.
    told : MeasureForecast
        One of its series.
    currency : str
        Of the revenue.

    Returns
    -------
    matplotlib.axes.Axes
        Three lines, and the 80 and 90 % bands of the forecast.
    """
    unit = currency if told.measure == "revenue" else ""
    holdout = told.holdout
    with canvas() as axes:
        _fan(axes, holdout, ACCENT, levels=(90, 80))
        if told.choice.beats_naive:  # else it is the forecast
            axes.plot(holdout.index, holdout["naive"], color=MUTED, linestyle=":", linewidth=2, label="best naive rule")
        axes.plot(holdout.index, holdout["forecast"], color=ACCENT, linestyle="--", label="forecast")
        axes.plot(holdout.index, holdout["actual"], color=INK, marker="o", markersize=4, label="came")
        what = MEASURES_IN_WORDS[told.measure]
        _finish(
            axes,
            ylabel=f"{what} a {forecast.period}{f', {unit}' if unit else ''}",
            title=f"{what.capitalize()} on the hold-out",
        )
    return describe(axes, _holdout_in_words(forecast, told, unit))


def _fan(axes: Axes, table: pd.DataFrame, colour: str, *, levels: tuple[int, ...], of: str = "") -> None:
    """Draw the bands of some levels, widest first; they overlap, so that inner ones are darker."""
    for level in levels:
        low, high = (table[f"{side}_{level}"].to_numpy(dtype=float) for side in ("low", "high"))
        axes.fill_between(table.index, low, high, color=colour, alpha=0.15, linewidth=0, label=f"{level}% range{of}")


def _finish(axes: Axes, *, ylabel: str, title: str) -> None:
    """Name the axes, and list each kind of line once."""
    locator = mdates.AutoDateLocator(minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set(ylabel=ylabel, title=title)
    axes.grid(visible=False, axis="x")
    axes.legend(frameon=False, fontsize="small", ncols=3, loc="upper left", bbox_to_anchor=(0, -0.1))


def _series_in_words(forecast: BusinessForecast, told: MeasureForecast, unit: str) -> str:
    period, came = forecast.period, forecast.history[told.measure].dropna()
    ahead = told.ahead.dropna(subset=["forecast"])
    text = f"Line of {MEASURES_IN_WORDS[told.measure]} over {count(len(came), period)}"
    if len(came):
        text += (
            f", from {number_in_words(came.min(), unit)} ({came.idxmin():%Y-%m-%d}) to {number_in_words(came.max(), unit)} "
            f"({came.idxmax():%Y-%m-%d}), the last {number_in_words(came.iloc[-1], unit)}"
        )
    text += f". {_held_in_words(told, period)}".rstrip()
    if len(ahead):
        text += f" Ahead it is forecast by {model_in_words(told.ahead_model, period=period)}: {_ahead_in_words(ahead, unit)}."
    hidden = len(forecast.history) - len(came)
    return text + (
        f" {count(hidden, period)} {'is' if hidden == 1 else 'are'} not shown, because of too few customers."
        if hidden
        else ""
    )


def _ahead_in_words(ahead: pd.DataFrame, unit: str) -> str:
    """Return the first and the last period ahead, with their 90 % ranges."""
    first, last = (
        f"{number_in_words(float(row['forecast']), unit)} ({number_in_words(float(row['low_90']))} to "
        f"{number_in_words(float(row['high_90']))} with 90%)"
        for _, row in ahead.iloc[[0, -1]].iterrows()
    )
    return first if len(ahead) == 1 else f"{first} in the first, {last} in the last of {len(ahead)}"


def _holdout_in_words(forecast: BusinessForecast, told: MeasureForecast, unit: str) -> str:
    period, shown = forecast.period, told.holdout.dropna()
    if shown.empty:
        return f"An empty chart of {MEASURES_IN_WORDS[told.measure]} on the hold-out: no {period} may be shown."
    means = {name: number_in_words(float(shown[name].mean()), unit) for name in ("actual", "forecast", "naive")}
    naive = f"{means['naive']} by the best naive rule ({model_in_words(told.choice.naive, period=period)})"
    model = f"{means['forecast']} by {model_in_words(told.choice.model, period=period)}, "
    return (
        f"Lines of {MEASURES_IN_WORDS[told.measure]} over the {count(len(shown), period)} of the hold-out. On average came "
        f"{means['actual']}; forecast were {model if told.choice.beats_naive else ''}{naive}. {_held_in_words(told, period)}"
    )


def _held_in_words(told: MeasureForecast, period: str) -> str:
    """Say how many shown periods of the hold-out lie in the 90 % band."""
    shown = told.holdout.dropna()
    if shown.empty:
        return ""
    held = int(shown["actual"].between(shown["low_90"], shown["high_90"]).sum())
    return f"The 90% range of the hold-out's forecast held {held} of {count(len(shown), period)}."
