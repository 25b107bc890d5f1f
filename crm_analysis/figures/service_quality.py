"""
Figures of how far probabilities of cases can be trusted: calibration, gain of a review, precision.

What they show is computed in :mod:`crm_analysis.models.service_quality.prediction`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from crm_analysis.figures.display import ACCENT, MUTED, PALETTE, canvas, describe, left_out
from crm_analysis.models.service_quality.wording import ENDED, MODELS, in_words


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
        axes.set_title("Expected and actual shares")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(frameon=False)
    return describe(axes, _calibration_in_words(shown, outcome) + left_out(len(calibration) - len(shown), "group"))


def plot_gain(curves: pd.DataFrame, *, outcome: str, review_share: float | None = None) -> Axes:
    """
    Plot the share of all bad ends found as more of the riskiest cases are reviewed.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``model``, ``share_reviewed``, ``share_found``; the first model is the chosen one.
    outcome : str
        Which outcome.
    review_share : float, optional
        The share that a team can review, marked.

    Returns
    -------
    matplotlib.axes.Axes
        A line a model above the one of a review by chance.
    """
    with canvas(width=5.5, height=4.5) as axes:
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", label="in any order")
        _lines(axes, curves, "share_reviewed", "share_found")
        if review_share is not None:
            axes.axvline(review_share, color=MUTED, linewidth=1)
        axes.set(xlabel="share of cases reviewed, riskiest first", ylabel=f"share found of those that {ENDED[outcome]}")
        axes.set_title("What a review finds")
        _in_percent(axes)
        axes.legend(frameon=False, loc="lower right")
    return describe(axes, _gain_in_words(curves, outcome, review_share))


def plot_precision(curves: pd.DataFrame, *, outcome: str) -> Axes:
    """
    Plot how many of the reviewed cases are rightly reviewed against how many of the bad ends are found.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``model``, ``share_found``, ``precision``; precision is missing where nothing is reviewed.
    outcome : str
        Which outcome.

    Returns
    -------
    matplotlib.axes.Axes
        A line a model; the last point of each is the share in all cases.
    """
    shown = curves.dropna(subset=["precision"])
    with canvas(width=5.5, height=4.5) as axes:
        _lines(axes, shown, "share_found", "precision")
        axes.set(xlabel=f"share found of those that {ENDED[outcome]}", ylabel="share of the reviewed that did")
        axes.set_title("Precision and recall")
        _in_percent(axes)
        if len(shown):
            axes.legend(frameon=False, loc="best")
    return describe(axes, _precision_in_words(shown, outcome))


def _lines(axes: Axes, curves: pd.DataFrame, across: str, up: str) -> None:
    """Draw a line a model, the first in the main colour."""
    for number, (model, curve) in enumerate(curves.groupby("model", sort=False)):
        colour = PALETTE[number % len(PALETTE)]
        axes.plot(curve[across], curve[up], color=colour, marker=".", label=MODELS.get(str(model), str(model)))


def _in_percent(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _gain_in_words(curves: pd.DataFrame, outcome: str, review_share: float | None) -> str:
    share = 0.2 if review_share is None else review_share
    told = []
    for model, curve in curves.groupby("model", sort=False):
        found = float(np.interp(share, curve["share_reviewed"], curve["share_found"]))
        told.append(f"{found:.0%} by {MODELS.get(str(model), str(model))}")
    if not told:
        return "An empty chart of what a review finds."
    return f"Of the cases that {ENDED[outcome]}, a review of the riskiest {share:.0%} finds {in_words(told)}; in any order {share:.0%}."


def _precision_in_words(curves: pd.DataFrame, outcome: str) -> str:
    told = []
    for model, curve in curves.groupby("model", sort=False):
        half = float(np.interp(0.5, curve["share_found"], curve["precision"]))
        told.append(f"{half:.0%} by {MODELS.get(str(model), str(model))}")
    if not told:
        return "An empty chart of precision and recall."
    last = curves["precision"].iloc[-1]
    return (
        f"Where half of the cases that {ENDED[outcome]} are found, so many of the reviewed ones are rightly reviewed: {in_words(told)}; "
        f"in all cases {last:.0%}."
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
