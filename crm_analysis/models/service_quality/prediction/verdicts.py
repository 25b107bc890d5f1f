"""
What came out of a model of service quality, in sentences that are true also of one that is of no use.

The figures they rest on are put together in :mod:`crm_analysis.models.service_quality.prediction.result`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from crm_analysis.models.service_quality.prediction.cases import CaseSplit, count_in_words, still_open_in_words
from crm_analysis.models.service_quality.prediction.curves import CalibrationLine
from crm_analysis.models.service_quality.prediction.judgement import ReviewGain
from crm_analysis.models.service_quality.wording import ENDED, MEASURES, MODELS, PAIRS


class Verdict(NamedTuple):
    """
    What came out, in sentences.

    Attributes
    ----------
    usefulness : str
        Whether the model is worth using.
    rival : str
        Whether it tells more than priority and category alone.
    review : str
        What a review of the riskiest cases would have found.
    calibration : str
        How far its probabilities can be taken at their word.
    learnt : str
        What is left out of the cases learnt from; empty where nothing is.
    certainty : str
        That the ranking is too good to be believed; empty where it is not.
    """

    usefulness: str
    rival: str
    review: str
    calibration: str
    learnt: str = ""
    certainty: str = ""


class CalibrationFigures(NamedTuple):
    """
    How well probabilities are calibrated on the hold-out.

    Attributes
    ----------
    error : float
        Mean distance between expected and actual share, over groups.
    error_as_fitted : float
        The same before the probabilities were corrected.
    error_by_chance : float
        What right probabilities would show on as many cases.
    n_groups : int
        Groups.
    line : CalibrationLine
        Intercept and slope.
    is_calibrated : bool
        Whether the probabilities are corrected.
    """

    error: float
    error_as_fitted: float
    error_by_chance: float
    n_groups: int
    line: CalibrationLine
    is_calibrated: bool


def usefulness_in_words(split: CaseSplit, measures: pd.DataFrame, *, model: str, base_rate: float) -> str:
    """
    Say how well a model ranks later cases, and whether its probabilities beat the base rate.

    Parameters
    ----------
    split : CaseSplit
        The cases.
    measures : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.prediction.judgement.judged` returns them.
    model : str
        The chosen model.
    base_rate : float
        Share of the hold-out cases with the outcome.

    Returns
    -------
    str
        Two sentences.
    """
    area, brier = measures.loc["auc"], measures.loc["brier"]
    opening = (
        f"Of {count_in_words(split, len(split.holdout))} cases opened from {split.holdout_from} to {split.holdout_to}"
        f"{still_open_in_words(split)} whose outcome is known, {base_rate:.0%} {ENDED[split.outcome]}. The {MODELS[model]}, "
        f"which learnt from earlier cases, ranks {PAIRS[split.outcome]} in {area['model']:.0%} of pairs (95% "
        f"interval {area['low']:.0%} to {area['high']:.0%}; chance is 50%)."
    )
    scores = f"mean squared error {brier['model']:.3f} against {brier['base_rate']:.3f}"
    if measures["low"]["brier_gain"] > 0:
        better = 1 - brier["model"] / brier["base_rate"]
        return f"{opening} Its probabilities are {better:.0%} better than giving every case the base rate ({scores})."
    return (
        f"{opening} Its probabilities are not better than giving every case the base rate, beyond chance ({scores}): "
        "do not act on them."
    )


def learnt_in_words(n_recent: int | None) -> str:
    """
    Say that the latest cases are not learnt from, where that is so.

    Parameters
    ----------
    n_recent : int or None
        Cases that are too recent for both outcomes to be known alike; None where they are of too few customers to be counted.

    Returns
    -------
    str
        A sentence; empty where there are none.
    """
    if n_recent == 0:
        return ""
    latest = "some of the latest" if n_recent is None else f"{n_recent:,} of the latest"
    return f"Of the cases learnt from, models leave out {latest}: of cases so recent mostly one of the two outcomes was known by then."


def rival_in_words(measures: pd.DataFrame, *, rival: str) -> str:
    """
    Say whether a model ranks later cases better than a simple rival.

    Parameters
    ----------
    measures : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.prediction.judgement.judged` returns them.
    rival : str
        The simple model.

    Returns
    -------
    str
        A sentence.
    """
    area = measures.loc["auc"]
    gained, low, high = area["difference"] * 100, area["difference_low"] * 100, area["difference_high"] * 100
    told = (
        f"{area['rival']:.0%} of pairs; the difference is {gained:+.1f} points (95% interval {low:+.1f} to {high:+.1f})"
    )
    told = told.replace("-", "−")
    if area["difference_low"] > 0:
        return f"That is more than {MODELS[rival]} tells: {told}."
    if area["difference_high"] < 0:
        return f"Less would have been better: {MODELS[rival]} ranks right {told}."
    return f"That is not more than {MODELS[rival]} tells, beyond chance: {told}."


def calibration_in_words(figures: CalibrationFigures, *, expected: float, actual: float) -> str:
    """
    Say how far expected and actual shares are apart, before and after a correction.

    Parameters
    ----------
    figures : CalibrationFigures
        Measured on the hold-out.
    expected : float
        Mean probability.
    actual : float
        Share that came.

    Returns
    -------
    str
        Two or three sentences.
    """
    corrected = f" (before their correction {figures.error_as_fitted * 100:.1f})" if figures.is_calibrated else ""
    sentences = (
        f"On average the model expected {expected:.0%} and {actual:.0%} came. In {figures.n_groups} groups of cases, from the "
        f"least to the most likely, expected and actual shares are {figures.error * 100:.1f} points apart on average{corrected}; "
        f"right probabilities would show {figures.error_by_chance * 100:.1f} by chance."
    )
    line = figures.line
    if math.isnan(line.slope) or line.slope_low <= 1 <= line.slope_high:
        return sentences
    if line.slope_low <= 0:
        return f"{sentences} Probabilities do not go with the outcome beyond chance (slope {line.slope:.2f}, 95% interval {line.slope_low:.2f} to {line.slope_high:.2f})."
    fault = "too far from the middle" if line.slope < 1 else "too near to the middle"
    return f"{sentences} Probabilities lie {fault} (slope {line.slope:.2f}, 95% interval {line.slope_low:.2f} to {line.slope_high:.2f})."


def review_in_words(split: CaseSplit, gain: ReviewGain, *, review_share: float) -> str:
    """
    Say what a review of the riskiest cases would have found.

    Parameters
    ----------
    split : CaseSplit
        The cases.
    gain : ReviewGain
        On the hold-out.
    review_share : float
        Share of cases reviewed.

    Returns
    -------
    str
        A sentence.
    """
    if math.isnan(gain.precision):
        return "What a review of the riskiest cases would have found is not told: it is about too few customers."
    return (
        f"A review of the {review_share:.0%} of cases with the highest probability "
        f"({count_in_words(split, gain.n_reviewed)} cases) would have found {gain.recall:.0%} of those that {ENDED[split.outcome]}: {gain.precision:.0%} of the reviewed "
        f"ones, {gain.lift:.1f} times the share in all cases."
    )


def models_for_people(all_models: pd.DataFrame) -> pd.DataFrame:
    """
    Return every model's figures on later cases, a measure with its interval in one cell.

    Parameters
    ----------
    all_models : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.prediction.judgement.all_judged` returns them.

    Returns
    -------
    pandas.DataFrame
        A row a model, in words; the last column says which was chosen.
    """
    names = [name for name in MEASURES if name in all_models]
    columns = {
        MEASURES[name]: [
            f"{value:.3f} ({low:.3f}–{high:.3f})"
            for value, low, high in zip(*(all_models[f"{name}{end}"] for end in ("", "_low", "_high")), strict=True)
        ]
        for name in names
    }
    models = [MODELS.get(str(name), str(name)) for name in all_models.index]
    return pd.DataFrame({"model": models, **columns, "chosen": _yes(all_models["is_chosen"])})


def comparison_for_people(comparison: pd.DataFrame) -> pd.DataFrame:
    """
    Return the losses that the choice of a model rests on.

    Parameters
    ----------
    comparison : pandas.DataFrame
        That of :class:`~crm_analysis.models.service_quality.prediction.selection.Selection`.

    Returns
    -------
    pandas.DataFrame
        A row a model, in words; the last column says which was chosen.
    """
    return pd.DataFrame(
        {
            "model": [MODELS.get(str(name), str(name)) for name in comparison.index],
            MEASURES["log_loss"]: comparison["log_loss"].round(3).to_numpy(),
            "behind the best": (comparison["behind_best"].round(3) + 0).to_numpy(),
            "standard error": comparison["standard_error"].round(3).to_numpy(),
            "chosen": _yes(comparison["is_chosen"]),
        }
    )


def rules_for_people(rules: pd.DataFrame) -> pd.DataFrame:
    """
    Return the rules of a tree with shares in whole percent.

    Parameters
    ----------
    rules : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.prediction.rules.tree_rules` returns them.

    Returns
    -------
    pandas.DataFrame
        The same rows.
    """
    shares = {
        name: [None if math.isnan(rate) else f"{rate:.0%}" for rate in rules[name].astype(float)]
        for name in ("rate_training", "rate_holdout")
    }
    return pd.DataFrame(
        {
            "rule": rules["rule"],
            "cases learnt": rules["n_training"],
            "share learnt": pd.array(shares["rate_training"], dtype="string"),
            "later cases": rules["n_holdout"],
            "later share": pd.array(shares["rate_holdout"], dtype="string"),
        }
    )


def _yes(flags: pd.Series) -> list[str]:
    return ["yes" if flag else "" for flag in flags]
