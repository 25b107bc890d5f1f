"""
The models of service quality: a tree for rules, a forest, boosting and logistic regression for probabilities, and two rivals.

Which one is taken is settled in :mod:`crm_analysis.models.service_quality.prediction.selection`, how its probabilities are
corrected in :mod:`crm_analysis.models.service_quality.prediction.calibrated`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.models.service_quality.encoding import Kind, classifier_pipeline, model_inputs, varies

DECISION_TREE = "decision_tree"
RANDOM_FOREST = "random_forest"
GRADIENT_BOOSTING = "gradient_boosting"
LOGISTIC_REGRESSION = "logistic_regression"
PRIORITY_AND_CATEGORY = "priority_and_category"
BASE_RATE = "base_rate"
MODELS = (DECISION_TREE, LOGISTIC_REGRESSION, RANDOM_FOREST, GRADIENT_BOOSTING)  # the simplest first
RIVALS = (BASE_RATE, PRIORITY_AND_CATEGORY)  # shown beside the chosen model
REGULARISATION = 0.1  # scikit-learn's C where nothing was chosen
MIN_CASES_PER_RULE = 20
MIN_CASES_PER_LEAF = 10
MIN_GAIN_PER_QUESTION = 0.001  # of Gini impurity, over all cases: weaker questions are pruned
MAX_CASES_PER_TREE = (
    100_000  # benchmarks/service_quality.py: the area under the ROC curve then is .001 below that of all cases
)
MAX_CASES_EXACT = 200_000  # beyond, rules and weights are learnt from every second, third, … case
N_ROUNDS = 150
LEARNING_RATE = 0.05
MAX_LEAVES = 8


class _Recipe(NamedTuple):
    """An estimator, how its inputs are encoded, which of them it sees, and the most cases it learns from."""

    estimator: ClassifierMixin
    kind: Kind
    attributes: tuple[str, ...] | None = None
    at_most: int | None = None


def fitted(
    model: str,
    training: pd.DataFrame,
    *,
    outcome: str,
    max_tree_depth: int,
    n_trees: int,
    seed: int,
    regularisation: float = REGULARISATION,
    n_jobs: int = 1,
    inputs: pd.DataFrame | None = None,
) -> Pipeline:
    """
    Return a model fitted on cases with known outcomes.

    Parameters
    ----------
    model : str
        One of :data:`MODELS` or :data:`RIVALS`.
    training : pandas.DataFrame
        Features and outcome, one row per case, in the order of opening; with ``weight`` where cases do not weigh the same.
    outcome : str
        The column that holds the outcome, 0 or 1.
    max_tree_depth : int
        Questions that the decision tree may ask in a row.
    n_trees : int
        Trees of the forest.
    seed : int
        Start of everything random.
    regularisation : float
        Of the logistic regression: the larger, the weaker it is held.
    n_jobs : int
        Threads of the forest.
    inputs : pandas.DataFrame, optional
        As :func:`~.encoding.model_inputs` makes them of `training`, where they are at hand.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fitted; the tree's leaves hold at least 20 cases, the forest's 10. The tree is pruned of questions that tell little. Each
        tree of a forest learns from at most 100,000 cases; the decision tree and logistic regression learn from 200,000 at most,
        evenly spread over time.
    """
    recipes: dict[str, Callable[[], _Recipe]] = {
        DECISION_TREE: lambda: _decision_tree(max_tree_depth, seed),
        RANDOM_FOREST: lambda: _forest(n_trees, seed, n_jobs=n_jobs, n_cases=len(training)),
        GRADIENT_BOOSTING: lambda: _boosting(seed),
        LOGISTIC_REGRESSION: lambda: _logistic(regularisation),
        PRIORITY_AND_CATEGORY: lambda: _logistic(1.0, ("priority", "category")),
        BASE_RATE: lambda: _Recipe(DummyClassifier(strategy="prior"), "questions"),
    }
    if model not in recipes:
        raise ValueError(f"model must be one of {(*MODELS, *RIVALS)}, got {model!r}")
    recipe = recipes[model]()
    inputs = model_inputs(training) if inputs is None else inputs
    if recipe.at_most:
        training, inputs = evenly_spread(training, recipe.at_most), evenly_spread(inputs, recipe.at_most)
    return _fitted_by(recipe, training, inputs, outcome, seed=seed)


def probabilities(classifier: Pipeline, cases: pd.DataFrame, *, inputs: pd.DataFrame | None = None) -> pd.Series:
    """
    Return each case's probability of the outcome.

    Parameters
    ----------
    classifier : sklearn.pipeline.Pipeline
        Fitted on cases of both outcomes.
    cases : pandas.DataFrame
        Features, one row per case.
    inputs : pandas.DataFrame, optional
        As :func:`~.encoding.model_inputs` makes them of `cases`, where they are at hand.

    Returns
    -------
    pandas.Series
        Index ``case_id``, in the order of the cases.
    """
    inputs = model_inputs(cases) if inputs is None else inputs
    likely = classifier.predict_proba(inputs)[:, 1] if len(inputs) else np.zeros(0)
    return pd.Series(likely, index=inputs.index, name="probability")


def evenly_spread(cases: pd.DataFrame, at_most: int) -> pd.DataFrame:
    """
    Return not too many cases, from all over their order.

    Parameters
    ----------
    cases : pandas.DataFrame
        In the order of opening.
    at_most : int
        Cases returned.

    Returns
    -------
    pandas.DataFrame
        All cases where they are not more.

    Examples
    --------
    >>> evenly_spread(pd.DataFrame({"case_id": list("abcdef")}), 3)["case_id"].tolist()
    ['a', 'c', 'f']
    """
    if len(cases) <= at_most:
        return cases
    return cases.iloc[np.linspace(0, len(cases) - 1, at_most).astype(int)]


def _decision_tree(max_tree_depth: int, seed: int) -> _Recipe:
    tree = DecisionTreeClassifier(
        max_depth=max_tree_depth,
        min_samples_leaf=MIN_CASES_PER_RULE,
        ccp_alpha=MIN_GAIN_PER_QUESTION,
        random_state=seed,
    )
    return _Recipe(tree, "questions", at_most=MAX_CASES_EXACT)


def _forest(n_trees: int, seed: int, *, n_jobs: int, n_cases: int) -> _Recipe:
    forest = RandomForestClassifier(
        n_trees,
        min_samples_leaf=MIN_CASES_PER_LEAF,
        max_features="sqrt",
        max_samples=MAX_CASES_PER_TREE if n_cases > MAX_CASES_PER_TREE else None,
        random_state=seed,
        n_jobs=n_jobs,
    )
    return _Recipe(forest, "trees")


def _boosting(seed: int) -> _Recipe:
    boosting = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=N_ROUNDS,
        max_leaf_nodes=MAX_LEAVES,
        early_stopping=False,
        random_state=seed,
    )
    return _Recipe(boosting, "trees")


def _logistic(strength: float, attributes: tuple[str, ...] | None = None) -> _Recipe:
    return _Recipe(LogisticRegression(C=strength, max_iter=2000), "weights", attributes, at_most=MAX_CASES_EXACT)


def _fitted_by(recipe: _Recipe, cases: pd.DataFrame, inputs: pd.DataFrame, outcome: str, *, seed: int) -> Pipeline:
    estimator = recipe.estimator
    if recipe.attributes is not None:
        seen = [name for name in recipe.attributes if name in inputs and varies(inputs[name])]
        if not seen:  # nothing to tell the cases apart by
            estimator, seen = DummyClassifier(strategy="prior"), list(inputs.columns)
        inputs = inputs[seen]
    weights = {"classify__sample_weight": cases["weight"].to_numpy()} if "weight" in cases else {}
    pipeline = classifier_pipeline(estimator, inputs, kind=recipe.kind, seed=seed)
    return pipeline.fit(inputs, cases[outcome], **weights)
