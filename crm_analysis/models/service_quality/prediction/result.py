"""
The whole question of service quality in one result: models fitted, chosen, judged on later cases, and explained.

The pieces have modules of their own in this folder; this one puts them in order and says what came out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from sklearn.pipeline import Pipeline

from crm_analysis.models.evaluation import calibration_error, calibration_table
from crm_analysis.models.service_quality.prediction.cases import CaseSplit
from crm_analysis.models.service_quality.prediction.classifiers import (
    DECISION_TREE,
    RANDOM_FOREST,
    better_model,
    compared_models,
    fitted,
    probabilities,
)
from crm_analysis.models.service_quality.prediction.drivers import driver_importance, rates_by_level
from crm_analysis.models.service_quality.prediction.judgement import ReviewGain, judged, review_gain
from crm_analysis.models.service_quality.prediction.rules import tree_rules
from crm_analysis.models.service_quality.wording import ATTRIBUTES, ENDED, ENDING, MODELS, in_words
from crm_analysis.tables.privacy.suppression import left_out_in_words, shown_count, suppressed

N_DRIVERS = 3
MAX_CALIBRATION_GROUPS = 10
MIN_CASES_PER_GROUP = 50


@dataclass(frozen=True)
class ServiceQuality:
    """
    What was learnt about an outcome of service cases, and how far it holds on later ones.

    Attributes
    ----------
    split : CaseSplit
        The cases learnt from and judged on.
    settings : dict
        ``max_tree_depth``, ``n_trees`` and ``seed``.
    model : str
        The chosen model: ``decision_tree`` or ``random_forest``.
    classifier : sklearn.pipeline.Pipeline
        The chosen model, fitted on the training cases.
    comparison : pandas.DataFrame
        Log loss by model inside the training period, which the choice rests on.
    probability : pandas.Series
        Of the outcome for each hold-out case, by ``case_id``.
    base_rate : float
        Share of the hold-out cases with the outcome.
    measures : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.prediction.judgement.judged` returns them.
    calibration_error : float
        Mean distance between probability and share, over groups of hold-out cases of like probability.
    calibration : pandas.DataFrame
        The groups: ten, or fewer of at least 50 cases each.
    gain : ReviewGain
        What a review of the riskiest hold-out cases would have found.
    review_share : float
        The share reviewed.
    drivers : pandas.DataFrame
        Importance of each attribute to the forest on the hold-out, largest first.
    levels : pandas.DataFrame
        Rate by level of the first drivers, over all cases with a known outcome.
    rules : pandas.DataFrame
        The decision tree in words.
    notes : tuple of str
        What is not shown.
    """

    split: CaseSplit
    settings: dict[str, Any]
    model: str
    classifier: Pipeline
    comparison: pd.DataFrame
    probability: pd.Series
    base_rate: float
    measures: pd.DataFrame
    calibration_error: float
    calibration: pd.DataFrame
    gain: ReviewGain
    review_share: float
    drivers: pd.DataFrame
    levels: pd.DataFrame
    rules: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def beats_base_rate(self) -> bool:
        """Whether the gain over the base rate is beyond chance: its interval lies above zero."""
        return bool(self.measures["low"]["brier_gain"] > 0)


def service_quality(
    split: CaseSplit,
    *,
    max_tree_depth: int = 4,
    n_trees: int = 200,
    review_share: float = 0.1,
    seed: int,
    min_cell: int = 1,
) -> ServiceQuality:
    """
    Fit a decision tree and a random forest, choose one, judge it on the hold-out, and name what goes with the outcome.

    Parameters
    ----------
    split : CaseSplit
        Cases to learn from and to be judged on.
    max_tree_depth : int
        Questions that a rule of the decision tree may ask.
    n_trees : int
        Trees of the forest.
    review_share : float
        Share of the cases that a team can review.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about; smaller ones, and what would give them away, are missing.

    Returns
    -------
    ServiceQuality
        Every figure is measured on the hold-out, which nothing was fitted to or chosen by.
    """
    outcome, training, holdout = split.outcome, split.training, split.holdout
    settings = {"max_tree_depth": max_tree_depth, "n_trees": n_trees, "seed": seed}
    comparison = compared_models(training, outcome=outcome, settings=settings)
    fits = {name: fitted(name, training, outcome=outcome, **settings) for name in (DECISION_TREE, RANDOM_FOREST)}
    model = better_model(comparison)
    probability = probabilities(fits[model], holdout)
    truth, predicted = holdout[outcome].to_numpy(dtype=float), probability.to_numpy()
    n_bins = max(2, min(MAX_CALIBRATION_GROUPS, len(holdout) // MIN_CASES_PER_GROUP))
    calibration = calibration_table(truth, predicted, n_bins=n_bins, customers=holdout["customer_id"])
    calibration = suppressed(calibration, min_cell=min_cell, disjoint=False)
    gain = review_gain(holdout, probability, outcome=outcome, review_share=review_share, min_cell=min_cell)
    drivers = driver_importance(fits[RANDOM_FOREST], holdout, outcome=outcome, seed=seed)
    cases, attributes = pd.concat([training, holdout]), list(drivers["attribute"][:N_DRIVERS])
    levels = rates_by_level(cases, outcome=outcome, attributes=attributes, min_cell=min_cell)
    rules = tree_rules(fits[DECISION_TREE], training=training, holdout=holdout, outcome=outcome, min_cell=min_cell)
    left_out = left_out_in_words(
        min_cell,
        calibration["customers"],
        pd.Series([gain.recall]),
        rules["n_holdout"],
        _are_all_told(levels, len(cases)),
    )
    return ServiceQuality(
        split=split,
        settings=settings,
        model=model,
        classifier=fits[model],
        comparison=comparison,
        probability=probability,
        base_rate=float(truth.mean()),
        measures=judged(holdout, probability, outcome=outcome, training_rate=training[outcome].mean(), seed=seed),
        calibration_error=calibration_error(truth, predicted, n_bins=n_bins),
        calibration=calibration,
        gain=gain,
        review_share=review_share,
        drivers=drivers,
        levels=levels,
        rules=rules,
        notes=(left_out,) if left_out else (),
    )


def _are_all_told(levels: pd.DataFrame, n_cases: int) -> pd.Series:
    """Return the cases told of by attribute; missing where levels are left out."""
    told = levels.groupby("attribute")["n_cases"].sum()
    return told.astype(float).where(told == n_cases)


def open_cases_at_risk(result: ServiceQuality, features: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """
    Return the open cases whose outcome is not yet known, the riskiest first.

    Parameters
    ----------
    result : ServiceQuality
        Which model was chosen.
    features : pandas.DataFrame
        One row per case known at the day.
    outcomes : pandas.DataFrame
        Outcomes as known at the day.

    Returns
    -------
    pandas.DataFrame
        ``case_id``, ``customer_id``, ``team``, ``category``, ``channel``, ``priority``, ``opened_at``, ``due_at``,
        ``probability``. An open case that is overdue has missed its target already and is not in a list of missed targets.

    Notes
    -----
    The chosen model is fitted anew on every case whose outcome is known at the day. The probability is that at the
    opening: what has happened to the case since is not in it.
    """
    split = result.split
    undecided = outcomes.loc[outcomes["is_open"] & outcomes[split.outcome].isna(), ["case_id", "due_at"]]
    cases = features.merge(undecided, on="case_id")
    known = outcomes.loc[outcomes[split.outcome].notna(), ["case_id", split.outcome]].astype({split.outcome: "int64"})
    learnt_from = features.merge(known, on="case_id")
    classifier = fitted(result.model, learnt_from, outcome=split.outcome, **result.settings)
    cases["probability"] = probabilities(classifier, cases).to_numpy()
    columns = [
        "case_id",
        "customer_id",
        "team",
        "category",
        "channel",
        "priority",
        "opened_at",
        "due_at",
        "probability",
    ]
    return cases.sort_values(["probability", "case_id"], ascending=[False, True], ignore_index=True)[columns]


def n_at_risk(at_risk: pd.DataFrame, *, min_cell: int = 1) -> int | None:
    """
    Return how many open cases are listed.

    Parameters
    ----------
    at_risk : pandas.DataFrame
        As :func:`open_cases_at_risk` returns them.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    int or None
        None where they are of too few customers.
    """
    return shown_count(len(at_risk), customers=at_risk["customer_id"].nunique(), min_cell=min_cell)


class Verdict(NamedTuple):
    """
    What came out, in sentences.

    Attributes
    ----------
    usefulness : str
        Whether the model is worth using.
    calibration : str
        How far its probabilities can be taken at their word.
    review : str
        What a review of the riskiest cases would have found.
    drivers : str
        What goes with the outcome.
    """

    usefulness: str
    calibration: str
    review: str
    drivers: str


def verdict(result: ServiceQuality) -> Verdict:
    """
    Say in sentences what came out.

    Parameters
    ----------
    result : ServiceQuality
        The result.

    Returns
    -------
    Verdict
        Plain sentences, true also of a model that is of no use.
    """
    return Verdict(_usefulness(result), _calibration(result), _review(result), _drivers(result))


def _usefulness(result: ServiceQuality) -> str:
    split, measures = result.split, result.measures
    area, brier = measures.loc["auc"], measures.loc["brier"]
    opening = (
        f"Of {len(split.holdout):,} cases opened from {split.holdout_from} to {split.holdout_to} whose outcome is known, "
        f"{result.base_rate:.0%} {ENDED[split.outcome]}. The {MODELS[result.model]}, which learnt from "
        f"{len(split.training):,} earlier cases, ranks such a case above another one in {area['model']:.0%} of pairs "
        f"(95% interval {area['low']:.0%} to {area['high']:.0%}; chance is 50%)."
    )
    scores = f"mean squared error {brier['model']:.3f} against {brier['base_rate']:.3f}"
    if result.beats_base_rate:
        better = 1 - brier["model"] / brier["base_rate"]
        return f"{opening} Its probabilities are {better:.0%} better than giving every case the base rate ({scores})."
    return (
        f"{opening} Its probabilities are not better than giving every case the base rate, beyond chance ({scores}): "
        "do not act on them."
    )


def _calibration(result: ServiceQuality) -> str:
    mean = float(result.probability.mean())
    return (
        f"On average the model expected {mean:.0%} and {result.base_rate:.0%} came. In "
        f"{len(result.calibration)} groups of cases, from the least to the most likely, expected and actual shares are "
        f"{result.calibration_error * 100:.1f} points apart on average."
    )


def _review(result: ServiceQuality) -> str:
    gain, outcome = result.gain, result.split.outcome
    if math.isnan(gain.precision):
        return "What a review of the riskiest cases would have found is not told: it is about too few customers."
    return (
        f"A review of the {result.review_share:.0%} of cases with the highest probability at the opening ({gain.n_reviewed:,} "
        f"cases) would have found {gain.recall:.0%} of those that {ENDED[outcome]}: {gain.precision:.0%} of the reviewed "
        f"ones, {gain.lift:.1f} times the share in all cases."
    )


def _drivers(result: ServiceQuality) -> str:
    carrying = result.drivers[result.drivers["low"] > 0]
    if carrying.empty:
        return f"Nothing known at the opening goes with {ENDING[result.split.outcome]} beyond chance on later cases."
    names = [ATTRIBUTES[name] for name in carrying["attribute"][:N_DRIVERS]]
    sentence = f"What goes most with {ENDING[result.split.outcome]}: {in_words(names)}."
    levels = result.levels[result.levels["attribute"] == carrying["attribute"].iloc[0]]
    if len(levels) > 1:
        worst, best = levels.loc[levels["rate"].idxmax()], levels.loc[levels["rate"].idxmin()]
        sentence += (
            f" By {names[0]} the share goes from {best['rate']:.0%} ({best['level']}) to {worst['rate']:.0%} "
            f"({worst['level']})."
        )
    return f"{sentence} This is association in these data, not proof of a cause."
