"""
The whole question of service quality in one result: models fitted, chosen, judged on later cases, and explained.

The pieces have modules of their own in this folder; this one puts them in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from crm_analysis.models.evaluation import calibration_error, calibration_table, quantile_groups
from crm_analysis.models.service_quality.disclosure import hidden_shares, in_tens, without_rows
from crm_analysis.models.service_quality.encoding import model_inputs
from crm_analysis.models.service_quality.prediction.calibrated import calibrated_model
from crm_analysis.models.service_quality.prediction.cases import CaseSplit
from crm_analysis.models.service_quality.prediction.classifiers import (
    DECISION_TREE,
    MODELS,
    PRIORITY_AND_CATEGORY,
    RIVALS,
    fitted,
    probabilities,
)
from crm_analysis.models.service_quality.prediction.curves import (
    calibration_error_by_chance,
    calibration_line,
    review_curves,
)
from crm_analysis.models.service_quality.prediction.judgement import (
    ReviewGain,
    all_judged,
    judged,
    resampled_measures,
    review_gain,
)
from crm_analysis.models.service_quality.prediction.labels import learnable
from crm_analysis.models.service_quality.prediction.leakage import certainty_in_words, told_of_leakage
from crm_analysis.models.service_quality.prediction.rules import tree_rules
from crm_analysis.models.service_quality.prediction.selection import Selection, choose_model
from crm_analysis.models.service_quality.prediction.verdicts import (
    CalibrationFigures,
    Verdict,
    calibration_in_words,
    comparison_for_people,
    learnt_in_words,
    models_for_people,
    review_in_words,
    rival_in_words,
    rules_for_people,
    usefulness_in_words,
)
from crm_analysis.models.service_quality.prediction.weighting import weighted
from crm_analysis.tables.privacy.suppression import left_out_in_words, shown_count

MAX_CALIBRATION_GROUPS = 10
MIN_CASES_PER_GROUP = 50

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ServiceQuality:
    """
    What was learnt about an outcome of service cases, and how far it holds on later ones.

    Attributes
    ----------
    split : CaseSplit
        The cases learnt from and judged on.
    settings : dict
        ``max_tree_depth``, ``n_trees``, ``seed``, ``n_jobs``, and the ``regularisation`` chosen.
    model : str
        The chosen model.
    classifier : sklearn.pipeline.Pipeline
        The chosen model, fitted on the training cases; its probabilities are corrected where that helped.
    fits : dict of str to sklearn.pipeline.Pipeline
        Every model fitted on all training cases, uncorrected.
    selection : Selection
        How the model was chosen inside the training period.
    probability : pandas.Series
        Of the outcome for each hold-out case, by ``case_id``.
    base_rate : float
        Share of the hold-out cases with the outcome.
    measures : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.prediction.judgement.judged` returns them.
    all_models : pandas.DataFrame
        Every model's hold-out figures, which nothing was chosen by.
    calibration : pandas.DataFrame
        Groups of hold-out cases of like probability: ten, or fewer of at least 50 cases each.
    calibration_figures : CalibrationFigures
        Calibration error before and after the correction and by chance, intercept and slope.
    curves : pandas.DataFrame
        What a review finds as it grows, by the chosen model and its simple rival.
    gain : ReviewGain
        What a review of the riskiest hold-out cases would have found.
    review_share : float
        The share reviewed.
    rules : pandas.DataFrame
        The decision tree in words.
    verdict : Verdict
        What came out, in sentences.
    notes : tuple of str
        What is not shown, and what is to be known of features.
    """

    split: CaseSplit
    settings: dict[str, Any]
    model: str
    classifier: Pipeline
    fits: dict[str, Pipeline]
    selection: Selection
    probability: pd.Series
    base_rate: float
    measures: pd.DataFrame
    all_models: pd.DataFrame
    calibration: pd.DataFrame
    calibration_figures: CalibrationFigures
    curves: pd.DataFrame
    gain: ReviewGain
    review_share: float
    rules: pd.DataFrame
    verdict: Verdict
    notes: tuple[str, ...]

    @property
    def beats_base_rate(self) -> bool:
        """Whether the gain over the base rate is beyond chance: its interval lies above zero."""
        return bool(self.measures["low"]["brier_gain"] > 0)

    @property
    def calibration_error(self) -> float:
        """Mean distance between probability and share, over groups of hold-out cases of like probability."""
        return self.calibration_figures.error

    @property
    def comparison(self) -> pd.DataFrame:
        """Log loss by model inside the training period, which the choice rests on."""
        return self.selection.comparison

    @property
    def headline(self) -> tuple[str, ...]:
        """Whether the model is of use, and what a review by it would have found; of no use: nothing, see `warnings`."""
        return (self.verdict.usefulness, self.verdict.rival, self.verdict.review) if self.beats_base_rate else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """That the model is of no use, or too good to be believed, where it is."""
        useless = "" if self.beats_base_rate else self.verdict.usefulness
        return tuple(said for said in (useless, self.verdict.certainty) if said)

    @property
    def sentences(self) -> tuple[str, ...]:
        """How far probabilities can be taken at their word, and how the model was chosen."""
        return tuple(said for said in (self.verdict.calibration, self.selection.sentence, self.verdict.learnt) if said)

    @property
    def readable_models(self) -> pd.DataFrame:
        """Every model's hold-out figures for people: a measure with its 95 % interval in one cell."""
        return models_for_people(self.all_models)

    @property
    def readable_comparison(self) -> pd.DataFrame:
        """The losses that the choice rests on, for people."""
        return comparison_for_people(self.comparison)

    @property
    def readable_rules(self) -> pd.DataFrame:
        """The decision tree for people: shares in whole percent."""
        return rules_for_people(self.rules)


def service_quality(
    split: CaseSplit,
    *,
    max_tree_depth: int = 4,
    n_trees: int = 200,
    review_share: float = 0.1,
    seed: int,
    min_cell: int = 1,
    n_jobs: int = 1,
) -> ServiceQuality:
    """
    Fit the models, choose one, judge it on the hold-out, and name what goes with the outcome.

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
    n_jobs : int
        Threads.

    Returns
    -------
    ServiceQuality
        Every figure is measured on the hold-out, which nothing was fitted to or chosen by.
    """
    settings = {"max_tree_depth": max_tree_depth, "n_trees": n_trees, "seed": seed, "n_jobs": n_jobs}
    with threadpool_limits(
        limits=n_jobs
    ):  # threads among small tables cost more than they bring, and sum in no fixed order
        models = _fitted_models(split, settings, min_cell=min_cell)
    judgement = _judgement(split, models, review_share=review_share, seed=seed, min_cell=min_cell)
    rules = tree_rules(
        models.fits[DECISION_TREE],
        training=split.training,
        holdout=split.holdout,
        outcome=split.outcome,
        min_cell=min_cell,
    )
    if split.is_rounded:
        rules = in_tens(rules, ["n_training", "n_holdout"])
        judgement = judgement._replace(calibration=in_tens(judgement.calibration, ["n"]))
    hidden = (judgement.calibration["customers"], pd.Series([judgement.gain.recall]), rules["n_holdout"])
    left_out = left_out_in_words(min_cell, *hidden)
    return ServiceQuality(
        split=split,
        settings=models.settings,
        model=models.selection.model,
        classifier=models.classifier,
        fits=models.fits,
        selection=models.selection,
        **judgement._asdict(),
        review_share=review_share,
        rules=rules,
        verdict=_verdict(split, models, judgement, review_share=review_share),
        notes=(*told_of_leakage(split.leakage), *([left_out] if left_out else [])),
    )


class _Models(NamedTuple):
    """All models fitted on the training cases, and the chosen one, corrected where that helped."""

    settings: dict[str, Any]
    selection: Selection
    fits: dict[str, Pipeline]
    classifier: Pipeline
    is_calibrated: bool
    n_recent: int | None


class _Judgement(NamedTuple):
    """What the hold-out says; named as in the result."""

    probability: pd.Series
    base_rate: float
    measures: pd.DataFrame
    all_models: pd.DataFrame
    calibration: pd.DataFrame
    calibration_figures: CalibrationFigures
    curves: pd.DataFrame
    gain: ReviewGain


def _fitted_models(split: CaseSplit, settings: dict[str, Any], *, min_cell: int) -> _Models:
    outcome = split.outcome
    selection = choose_model(split.training, outcome=outcome, until=split.holdout_from, settings=settings)
    settings = {**settings, "regularisation": selection.regularisation}
    learnt = learnable(split.training, outcome=outcome, until=split.holdout_from)
    recent = split.training.loc[~split.training["case_id"].isin(learnt["case_id"]), "customer_id"]
    n_recent = shown_count(len(recent), customers=recent.nunique(), min_cell=min_cell)
    learnt = weighted(learnt, selection.weighting, outcome=outcome)
    inputs = model_inputs(learnt)
    fits = {name: fitted(name, learnt, outcome=outcome, inputs=inputs, **settings) for name in (*RIVALS, *MODELS)}
    corrected = None
    if selection.is_calibrated:
        corrected = calibrated_model(selection.model, learnt, outcome=outcome, **settings)
    return _Models(settings, selection, fits, corrected or fits[selection.model], corrected is not None, n_recent)


def _judgement(split: CaseSplit, models: _Models, *, review_share: float, seed: int, min_cell: int) -> _Judgement:
    outcome, holdout, chosen = split.outcome, split.holdout, models.selection.model
    inputs = model_inputs(holdout)
    probability = probabilities(models.classifier, holdout, inputs=inputs)
    as_fitted = {name: probabilities(fit, holdout, inputs=inputs).to_numpy() for name, fit in models.fits.items()}
    likely = {**as_fitted, chosen: probability.to_numpy()}
    resampled = resampled_measures(holdout, likely, outcome=outcome, seed=seed)
    asked = {"seed": seed, "min_cell": min_cell}
    table, figures = _calibration(holdout, likely[chosen], as_fitted[chosen], models, outcome, **asked)
    in_curves = {name: likely[name] for name in (chosen, PRIORITY_AND_CATEGORY)}
    return _Judgement(
        probability=probability,
        base_rate=float(holdout[outcome].mean()),
        measures=judged(resampled, model=chosen, rival=PRIORITY_AND_CATEGORY),
        all_models=all_judged(resampled, chosen=chosen),
        calibration=table,
        calibration_figures=figures,
        curves=review_curves(holdout, in_curves, outcome=outcome, min_cell=min_cell),
        gain=review_gain(holdout, probability, outcome=outcome, review_share=review_share, min_cell=min_cell),
    )


def _calibration(
    holdout: pd.DataFrame, likely: Floats, as_fitted: Floats, models: _Models, outcome: str, *, seed: int, min_cell: int
) -> tuple[pd.DataFrame, CalibrationFigures]:
    truth = holdout[outcome].to_numpy(dtype=float)
    n_bins = max(2, min(MAX_CALIBRATION_GROUPS, len(holdout) // MIN_CASES_PER_GROUP))
    table = calibration_table(truth, likely, n_bins=n_bins, customers=holdout["customer_id"])
    figures = CalibrationFigures(
        error=calibration_error(truth, likely, n_bins=n_bins),
        error_as_fitted=calibration_error(truth, as_fitted, n_bins=n_bins),
        error_by_chance=calibration_error_by_chance(likely, n_bins=n_bins, seed=seed),
        n_groups=len(table),
        line=calibration_line(holdout, likely, outcome=outcome),
        is_calibrated=models.is_calibrated,
    )
    group = np.searchsorted(quantile_groups(likely, n_bins), likely) + 1
    hidden = hidden_shares(truth, group, holdout["customer_id"], min_cell=min_cell)
    return without_rows(table, hidden), figures


def _verdict(split: CaseSplit, models: _Models, judgement: _Judgement, *, review_share: float) -> Verdict:
    measures, base_rate = judgement.measures, judgement.base_rate
    expected = float(judgement.probability.mean())
    return Verdict(
        usefulness_in_words(split, measures, model=models.selection.model, base_rate=base_rate),
        rival_in_words(measures, rival=PRIORITY_AND_CATEGORY),
        review_in_words(split, judgement.gain, review_share=review_share),
        calibration_in_words(judgement.calibration_figures, expected=expected, actual=base_rate),
        learnt_in_words(models.n_recent),
        certainty_in_words(split.holdout, outcome=split.outcome, area=float(measures["model"]["auc"])),
    )
