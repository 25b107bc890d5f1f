"""
The choice of a model inside the training period, on cases later than it learnt from; the hold-out is not seen.

How the chosen one does on the hold-out is the matter of :mod:`crm_analysis.models.service_quality.prediction.judgement`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation import calibration_error
from crm_analysis.models.service_quality.encoding import model_inputs
from crm_analysis.models.service_quality.prediction.calibrated import CERTAIN, calibrated_model
from crm_analysis.models.service_quality.prediction.classifiers import (
    DECISION_TREE,
    LOGISTIC_REGRESSION,
    MODELS,
    REGULARISATION,
    RIVALS,
    evenly_spread,
    fitted,
    probabilities,
)
from crm_analysis.models.service_quality.prediction.labels import learnable
from crm_analysis.models.service_quality.prediction.weighting import (
    AS_THEY_ARE,
    WEIGHTINGS,
    Weighting,
    weighted,
    weighting_in_words,
)
from crm_analysis.models.service_quality.wording import MODELS as MODEL_NAMES

ORIGINS = (0.5, 0.67, 0.83)  # shares of the training cases, by opening, behind which later ones are forecast
STRENGTHS = (0.01, 0.1, 1.0)
MIN_CASES_PER_CLASS = 10
MAX_TREES_COMPARED = 100  # enough to tell the models apart
MAX_CASES_COMPARED = 50_000
MIN_CASES_WEIGHTED = 1000  # at every origin: fewer tell no way to weight them from another

Floats = npt.NDArray[np.float64]


class Fold(NamedTuple):
    """
    What is known at an origin, and the later cases that are forecast from there.

    Attributes
    ----------
    learnt : pandas.DataFrame
        Earlier cases whose outcome was known at the origin, weighted.
    later : pandas.DataFrame
        Cases from the origin to the next one.
    """

    learnt: pd.DataFrame
    later: pd.DataFrame


@dataclass(frozen=True)
class Selection:
    """
    Which model is taken, and why.

    Attributes
    ----------
    model : str
        The chosen one.
    comparison : pandas.DataFrame
        Index ``model`` (rivals first); ``log_loss`` on later cases, lower is better; ``behind_best`` and its ``standard_error``,
        over customers; ``is_chosen``.
    regularisation : float
        The strength chosen for the logistic regression.
    weighting : Weighting
        How much of the past is learnt from, and how it is weighted.
    weightings : pandas.DataFrame
        Index ``learnt from``; ``log_loss`` of a logistic regression on the same later cases, ``behind_best`` and its
        ``standard_error``.
    calibration : pandas.DataFrame
        Index ``probabilities`` (``as fitted``, ``calibrated``); ``log_loss`` and ``calibration_error`` on the same later cases.
    is_calibrated : bool
        Whether correcting the probabilities helped there.
    n_origins : int
        Days from which later cases were forecast.
    sentence : str
        The rule and what came of it.
    """

    model: str
    comparison: pd.DataFrame
    regularisation: float
    weighting: Weighting
    weightings: pd.DataFrame
    calibration: pd.DataFrame
    is_calibrated: bool
    n_origins: int
    sentence: str


def choose_model(training: pd.DataFrame, *, outcome: str, until: date, settings: Mapping[str, Any]) -> Selection:
    """
    Compare the models by rolling origin and choose one.

    Parameters
    ----------
    training : pandas.DataFrame
        Features and outcome, in the order of opening; with ``known_at``, when each outcome became known, each origin learns
        only from what was known there.
    outcome : str
        The column that holds the outcome.
    until : datetime.date
        The day before which all the outcomes were known.
    settings : mapping
        ``max_tree_depth``, ``n_trees`` and ``seed`` of :func:`~.classifiers.fitted`.

    Returns
    -------
    Selection
        The simplest model whose log loss is within one standard error of the lowest: the tree, logistic regression, the
        forest, boosting, in this order. The decision tree where nothing can be compared.

    Notes
    -----
    Without ``known_at`` some outcomes learnt from became known only after the origin, which is the same for every candidate.
    The strength of the logistic regression is the best of three on the same later cases.

    References
    ----------
    Breiman, Friedman, Olshen, Stone (1984), "Classification and Regression Trees", 3.4.3, for the rule of one standard error.
    """
    known = evenly_spread(learnable(training, outcome=outcome, until=until), MAX_CASES_COMPARED)
    quick = {**settings, "n_trees": min(settings["n_trees"], MAX_TREES_COMPARED)}
    folds = list(rolling_origins(training, known, outcome=outcome))
    weightings, weighting = _weightings_compared(folds, outcome, quick)
    folds = [fold._replace(learnt=weighted(fold.learnt, weighting, outcome=outcome)) for fold in folds]
    losses = _losses(folds, _variants(), outcome, quick)
    regularisation = _best_strength(losses)
    comparison = _comparison(losses, regularisation)
    model = str(comparison.index[comparison["is_chosen"]][0])
    calibration = _calibration_compared(model, folds, outcome, {**quick, "regularisation": regularisation})
    is_calibrated = bool(calibration["log_loss"]["calibrated"] < calibration["log_loss"]["as fitted"])
    return Selection(
        model=model,
        comparison=comparison,
        regularisation=regularisation,
        weighting=weighting,
        weightings=weightings,
        calibration=calibration,
        is_calibrated=is_calibrated,
        n_origins=len(folds),
        sentence=_in_words(comparison, model, len(folds), weighting),
    )


def rolling_origins(training: pd.DataFrame, known: pd.DataFrame, *, outcome: str) -> Iterator[Fold]:
    """
    Yield what was known at each of three days of the training period, and the cases that came until the next one.

    Parameters
    ----------
    training : pandas.DataFrame
        All training cases in the order of opening.
    known : pandas.DataFrame
        Those that may be forecast, weighted.
    outcome : str
        The column that holds the outcome.

    Yields
    ------
    Fold
        Days at which ten cases of either outcome were not yet known are left out.
    """
    opened = training["opened_at"]
    days = [opened.iloc[int(len(training) * share)].normalize() for share in ORIGINS]
    ends = [*days[1:], pd.Timestamp.max]
    for day, end in zip(days, ends, strict=True):
        earlier = training[(opened < day) & (training["known_at"] < day if "known_at" in training else True)]
        later = known[(known["opened_at"] >= day) & (known["opened_at"] < end)]
        earlier = evenly_spread(earlier, MAX_CASES_COMPARED)
        learnt = learnable(earlier, outcome=outcome, until=day)
        if len(later) and _rarer(learnt[outcome]) >= MIN_CASES_PER_CLASS:
            yield Fold(learnt, later)


def case_losses(truth: Floats, probability: Floats) -> Floats:
    """
    Return the log loss of each case.

    Parameters
    ----------
    truth : numpy.ndarray
        0 or 1.
    probability : numpy.ndarray
        Of the outcome; none is taken to be nearer to 0 or 1 than a millionth.

    Returns
    -------
    numpy.ndarray
        0 is perfect.
    """
    clipped = np.clip(probability, CERTAIN, 1 - CERTAIN)
    return np.asarray(-np.log(np.where(truth == 1, clipped, 1 - clipped)), dtype=float)


def _variants() -> dict[str, tuple[str, dict[str, float]]]:
    """Every model by a key of its own, the logistic regression with each strength."""
    variants: dict[str, tuple[str, dict[str, float]]] = {name: (name, {}) for name in (*RIVALS, *MODELS)}
    del variants[LOGISTIC_REGRESSION]
    return variants | {_key(strength): (LOGISTIC_REGRESSION, {"regularisation": strength}) for strength in STRENGTHS}


def _losses(
    folds: list[Fold], variants: Mapping[str, tuple[str, dict[str, float]]], outcome: str, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """A row a later case: customer, weight, and the loss of each variant."""
    tables = [pd.DataFrame(columns=["customer_id", "weight", *variants])] if not folds else []
    for learnt, later in folds:
        truth, inputs, later_inputs = later[outcome].to_numpy(dtype=float), model_inputs(learnt), model_inputs(later)
        table = later[["customer_id", "weight"]].reset_index(drop=True)
        for key, (name, strength) in variants.items():
            classifier = fitted(name, learnt, outcome=outcome, inputs=inputs, **{**settings, **strength})
            likely = probabilities(classifier, later, inputs=later_inputs).to_numpy()
            table[key] = case_losses(truth, likely)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _weightings_compared(
    folds: list[Fold], outcome: str, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Weighting]:
    """How a logistic regression does with each weighting; the first one within one standard error of the best."""
    variants: dict[str, tuple[str, dict[str, float]]] = {LOGISTIC_REGRESSION: (LOGISTIC_REGRESSION, {})}
    columns: dict[Weighting, Floats] = {}
    losses = pd.DataFrame()
    is_long = bool(folds) and min(len(fold.learnt) for fold in folds) >= MIN_CASES_WEIGHTED
    for weighting in WEIGHTINGS if is_long else ():
        parts = [fold._replace(learnt=weighted(fold.learnt, weighting, outcome=outcome)) for fold in folds]
        usable = all(_rarer(part.learnt[outcome]) >= MIN_CASES_PER_CLASS for part in parts)
        if usable:
            losses = _losses(parts, variants, outcome, settings)
            columns[weighting] = losses[LOGISTIC_REGRESSION].to_numpy(dtype=float)
    names = pd.Index([weighting_in_words(each) for each in columns], name="learnt from")
    if not columns:
        return pd.DataFrame(
            columns=["log_loss", "behind_best", "standard_error"], index=names, dtype=float
        ), AS_THEY_ARE
    table = _behind_best(pd.DataFrame(columns), losses["weight"].to_numpy(dtype=float), losses["customer_id"])
    within = (table["behind_best"] <= table["standard_error"] + CERTAIN).to_numpy()
    return table.set_index(names), list(columns)[int(np.argmax(within))]


def _behind_best(losses: pd.DataFrame, weight: Floats, customers: pd.Series) -> pd.DataFrame:
    """The mean loss of each column, how far it is behind the lowest, and the standard error of that."""
    means = [_mean(losses.iloc[:, column], weight) for column in range(losses.shape[1])]
    best = losses.iloc[:, int(np.argmin(means))]
    rows = []
    for column, mean in enumerate(means):
        behind = (losses.iloc[:, column] - best).to_numpy(dtype=float)
        rows.append([mean, _mean(behind, weight), _standard_error(behind, weight, customers)])
    return pd.DataFrame(rows, columns=["log_loss", "behind_best", "standard_error"])


def _key(strength: float) -> str:
    return f"{LOGISTIC_REGRESSION} {strength:g}"


def _best_strength(losses: pd.DataFrame) -> float:
    if losses.empty:
        return REGULARISATION
    return min(STRENGTHS, key=lambda strength: _mean(losses[_key(strength)], losses["weight"]))


def _comparison(losses: pd.DataFrame, regularisation: float) -> pd.DataFrame:
    keys = {name: _key(regularisation) if name == LOGISTIC_REGRESSION else name for name in (*RIVALS, *MODELS)}
    table = pd.DataFrame(
        index=pd.Index(keys, name="model"), columns=["log_loss", "behind_best", "standard_error"], dtype=float
    )
    if losses.empty:
        return table.assign(is_chosen=table.index == DECISION_TREE)
    weight = losses["weight"].to_numpy(dtype=float)
    table["log_loss"] = [_mean(losses[key], weight) for key in keys.values()]
    best = str(
        table["log_loss"].loc[list(MODELS)].idxmin()
    )  # a rival may be better still: then it is behind by less than 0
    for name, key in keys.items():
        behind = (losses[key] - losses[keys[best]]).to_numpy(dtype=float)
        table.loc[name, "behind_best"] = _mean(behind, weight)
        table.loc[name, "standard_error"] = _standard_error(behind, weight, losses["customer_id"])
    within = table["behind_best"] <= table["standard_error"] + CERTAIN
    chosen = next(name for name in MODELS if within[name])
    return table.assign(is_chosen=table.index == chosen)


def _mean(values: npt.ArrayLike, weight: npt.ArrayLike) -> float:
    return float(np.average(np.asarray(values, dtype=float), weights=np.asarray(weight, dtype=float)))


def _standard_error(values: Floats, weight: Floats, customers: pd.Series) -> float:
    """Of a weighted mean over cases, whose residuals are summed by customer first."""
    residual = pd.Series(weight * (values - _mean(values, weight)))
    sums = residual.groupby(pd.factorize(customers)[0]).sum()
    return float(np.sqrt((sums**2).sum()) / weight.sum())


def _calibration_compared(model: str, folds: list[Fold], outcome: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Losses of the model as fitted and corrected, on the later cases of origins where both can be had."""
    names = ("as fitted", "calibrated")
    tables = []
    for learnt, later in folds:
        corrected = calibrated_model(model, learnt, outcome=outcome, **settings)
        if corrected is not None:
            classifiers = (fitted(model, learnt, outcome=outcome, **settings), corrected)
            likely = {
                name: probabilities(each, later).to_numpy() for name, each in zip(names, classifiers, strict=True)
            }
            tables.append(
                pd.DataFrame(
                    {"truth": later[outcome].to_numpy(dtype=float), "weight": later["weight"].to_numpy(), **likely}
                )
            )
    table = pd.DataFrame(
        index=pd.Index(names, name="probabilities"), columns=["log_loss", "calibration_error"], dtype=float
    )
    if tables:
        cases = pd.concat(tables, ignore_index=True)
        truth = cases["truth"].to_numpy()
        for name in names:
            expected = cases[name].to_numpy(dtype=float)
            table.loc[name] = [_mean(case_losses(truth, expected), cases["weight"]), calibration_error(truth, expected)]
    return table


def _rarer(outcome: pd.Series) -> int:
    n_yes = int(outcome.sum())
    return min(n_yes, len(outcome) - n_yes)


def _in_words(comparison: pd.DataFrame, model: str, n_origins: int, weighting: Weighting) -> str:
    name, losses = MODEL_NAMES[model], comparison["log_loss"]
    if losses.isna().all():
        return f"The models could not be compared inside the training period, so the simplest, the {name}, is taken."
    best = str(losses.loc[list(MODELS)].idxmin())
    learnt_from = "" if weighting == AS_THEY_ARE else f"Models learn from {weighting_in_words(weighting)}. "
    opening = f"{learnt_from}Over {n_origins} origin{'s' if n_origins > 1 else ''} inside the training period "
    if best == model:
        told = f"{opening}the {name} had the lowest log loss of the models to choose from ({losses[model]:.3f}), and no simpler one of them came within one standard error."
        return told + _rivals_in_words(losses, model)
    told = (
        f"{opening}the {MODEL_NAMES[best]} had the lowest log loss ({losses[best]:.3f}); the {name} ({losses[model]:.3f}) is the simplest "
        "of the models to choose from within one standard error of it and is taken."
    )
    return told + _rivals_in_words(losses, model)


def _rivals_in_words(losses: pd.Series, model: str) -> str:
    """Say which rival, that is not to be chosen, did better still."""
    better = [MODEL_NAMES[name] for name in RIVALS if losses[name] < losses[model]]
    return f" Better still did: {' and '.join(better)}." if better else ""
