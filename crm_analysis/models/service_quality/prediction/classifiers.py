"""
The two models of service quality, a decision tree and a random forest, and the choice between them.

The choice is made inside the training period, on later cases than the candidates learnt from; the hold-out is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.models.service_quality.prediction.encoding import classifier_pipeline, model_inputs

DECISION_TREE = "decision_tree"
RANDOM_FOREST = "random_forest"
BASE_RATE = "base_rate"
MIN_CASES_PER_RULE = 20
MIN_CASES_PER_LEAF = 10
MIN_GAIN_PER_QUESTION = 0.001  # of Gini impurity, over all cases: weaker questions are pruned
MAX_TREES_COMPARED = 100  # enough to tell the models apart
LATER_SHARE = 0.3  # of the training cases, on which the candidates are compared
MODELS = (DECISION_TREE, RANDOM_FOREST)


def fitted(
    model: str, training: pd.DataFrame, *, outcome: str, max_tree_depth: int, n_trees: int, seed: int
) -> Pipeline:
    """
    Return a model fitted on cases with known outcomes.

    Parameters
    ----------
    model : str
        ``decision_tree`` or ``random_forest``.
    training : pandas.DataFrame
        Features and outcome, one row per case.
    outcome : str
        The column that holds the outcome, 0 or 1.
    max_tree_depth : int
        Questions that the decision tree may ask in a row.
    n_trees : int
        Trees of the forest.
    seed : int
        Start of everything random.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fitted; the tree's leaves hold at least 20 cases, the forest's 10. The tree is pruned of questions that tell little.
    """
    estimators = {
        DECISION_TREE: DecisionTreeClassifier(
            max_depth=max_tree_depth,
            min_samples_leaf=MIN_CASES_PER_RULE,
            ccp_alpha=MIN_GAIN_PER_QUESTION,
            random_state=seed,
        ),
        RANDOM_FOREST: RandomForestClassifier(
            n_trees, min_samples_leaf=MIN_CASES_PER_LEAF, max_features="sqrt", random_state=seed, n_jobs=1
        ),
    }
    if model not in estimators:
        raise ValueError(f"model must be one of {MODELS}, got {model!r}")
    inputs = model_inputs(training)
    return classifier_pipeline(estimators[model], inputs).fit(inputs, training[outcome])


def probabilities(classifier: Pipeline, cases: pd.DataFrame) -> pd.Series:
    """
    Return each case's probability of the outcome.

    Parameters
    ----------
    classifier : sklearn.pipeline.Pipeline
        Fitted on cases of both outcomes.
    cases : pandas.DataFrame
        Features, one row per case.

    Returns
    -------
    pandas.Series
        Index ``case_id``, in the order of the cases.
    """
    inputs = model_inputs(cases)
    likely = classifier.predict_proba(inputs)[:, 1] if len(inputs) else np.zeros(0)
    return pd.Series(likely, index=inputs.index, name="probability")


def compared_models(training: pd.DataFrame, *, outcome: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """
    Compare the models on the later part of the training cases.

    Parameters
    ----------
    training : pandas.DataFrame
        Features and outcome, in the order of opening.
    outcome : str
        The column that holds the outcome.
    settings : mapping
        ``max_tree_depth``, ``n_trees`` and ``seed`` of :func:`fitted`.

    Returns
    -------
    pandas.DataFrame
        Index ``model`` (``base_rate`` first), column ``log_loss``: lower is better; NaN when a part has one outcome only.

    Notes
    -----
    The candidates learn from the cases that opened in the first part of the training period and are compared on the rest.
    All outcomes were known before the hold-out began; some of those learnt from became known after the later part had
    begun, which is the same for every candidate.
    """
    first_later = training["opened_at"].iloc[int(len(training) * (1 - LATER_SHARE))].normalize()
    earlier, later = training[training["opened_at"] < first_later], training[training["opened_at"] >= first_later]
    losses = dict.fromkeys((BASE_RATE, *MODELS), math.nan)
    if earlier[outcome].nunique() == 2 and len(later):
        settings = {**settings, "n_trees": min(settings["n_trees"], MAX_TREES_COMPARED)}
        losses[BASE_RATE] = _loss(later[outcome], np.full(len(later), earlier[outcome].mean()))
        for model in MODELS:
            classifier = fitted(model, earlier, outcome=outcome, **settings)
            losses[model] = _loss(later[outcome], probabilities(classifier, later).to_numpy())
    return pd.DataFrame({"log_loss": losses}).rename_axis("model")


def better_model(comparison: pd.DataFrame) -> str:
    """
    Return the model with the lower log loss, the simpler one when they cannot be told apart.

    Parameters
    ----------
    comparison : pandas.DataFrame
        As :func:`compared_models` returns it.

    Returns
    -------
    str
        ``decision_tree`` or ``random_forest``.
    """
    losses = comparison["log_loss"]
    return RANDOM_FOREST if losses[RANDOM_FOREST] < losses[DECISION_TREE] else DECISION_TREE


def _loss(outcome: pd.Series, probability: npt.NDArray[np.float64]) -> float:
    return float(log_loss(outcome, probability, labels=[0, 1]))
