"""
Rules in words: a small decision tree that anybody can follow to a customer's segment.

The segments themselves are found in ``kmeans`` and ``dbscan``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.models.segmentation.describing.naming import readable
from crm_analysis.models.segmentation.preparing.scaling import canonical_order
from crm_analysis.models.segmentation.preparing.straightening import is_whole
from crm_analysis.tables.privacy.suppression import suppressed

MAX_LEAVES = 12
_FOLDS = 5
_MIN_LEAF_SHARE = 0.005
_DIGITS = 4
_PHRASES = {
    "recency_days": "days since the last purchase",
    "frequency": "purchase days",
    "tenure_days": "days since the first purchase",
    "monetary_value": "spend a purchase day",
    "spend": "spend",
}


@dataclass(frozen=True)
class Bound:
    """
    The range of one feature that a rule asks for: above ``low``, at most ``high``.

    Attributes
    ----------
    low : float
        Exclusive.
    high : float
        Inclusive.
    """

    low: float = -np.inf
    high: float = np.inf


Leaf = tuple[str, dict[str, Bound]]


def fit_surrogate(features: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> DecisionTreeClassifier:
    """
    Fit a small tree that tells the segment from the raw features.

    Parameters
    ----------
    features : pandas.DataFrame
        The features that were grouped by.
    labels : pandas.Series
        A segment per customer, same index.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of customers in a leaf.

    Returns
    -------
    sklearn.tree.DecisionTreeClassifier
        With at most 12 leaves.
    """
    order = canonical_order(features)
    tree = _tree(len(features), seed, min_cell=min_cell)
    return tree.fit(features.to_numpy()[order], labels.to_numpy(dtype=object)[order])


def surrogate_fidelity(features: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> float:
    """
    Return the share of customers whom rules learned from others put in the right segment.

    Parameters
    ----------
    features : pandas.DataFrame
        The features that were grouped by.
    labels : pandas.Series
        A segment per customer, same index.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of customers in a leaf.

    Returns
    -------
    float
        Accuracy out of fold, five folds (stratified where every segment has five customers); 1 with a single segment.
    """
    codes, names = pd.factorize(labels, sort=True)
    if len(names) < 2:
        return 1.0
    order = canonical_order(features)
    target = codes[order]
    smallest = int(np.bincount(target).min())
    splitter = StratifiedKFold if smallest >= _FOLDS else KFold
    folds = splitter(min(_FOLDS, len(target)), shuffle=True, random_state=seed)
    tree = _tree(len(features), seed, min_cell=min_cell)
    predicted = cross_val_predict(tree, features.to_numpy()[order], target, cv=folds)
    return float((predicted == target).mean())


def segment_rules(features: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> pd.DataFrame:
    """
    Put the surrogate tree into words, a line per leaf.

    Parameters
    ----------
    features : pandas.DataFrame
        The features that were grouped by.
    labels : pandas.Series
        A segment per customer, same index.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of customers who meet a rule.

    Returns
    -------
    pandas.DataFrame
        Columns ``segment``, ``rule`` (conditions with thresholds in the features' units), ``customers`` (who meet them) and
        ``agreement`` (the share of those who are in that segment). Every customer meets exactly one rule. Small leaves are
        not grown; a rule that holds for too few customers is not shown, nor what would give it away.
    """
    if labels.nunique() < 2:
        only = {"segment": str(labels.iloc[0]), "rule": "every customer", "customers": len(labels), "agreement": 1.0}
        return pd.DataFrame([only])
    tree = fit_surrogate(features, labels, seed=seed, min_cell=min_cell)
    whole = _whole(features)
    leaves = _leaves(tree, list(features.columns), whole)
    rows = []
    for segment, bounds in leaves:
        if (meets := _meets(features, bounds)).any():
            agree = int((labels[meets] == segment).sum())
            rows.append((segment, _rule(bounds, whole), int(meets.sum()), agree / int(meets.sum()), agree))
    table = pd.DataFrame(rows, columns=["segment", "rule", "customers", "agreement", "agree"])
    ordered = table.sort_values(["segment", "customers"], ascending=[True, False], kind="stable", ignore_index=True)
    return suppressed(ordered, size="agree", min_cell=min_cell, telling=["rule"]).drop(columns="agree")


def _tree(rows: int, seed: int, *, min_cell: int) -> DecisionTreeClassifier:
    """Return an unfitted tree of at most twelve leaves, none of them tiny."""
    least = max(min_cell, round(_MIN_LEAF_SHARE * rows))
    return DecisionTreeClassifier(max_leaf_nodes=MAX_LEAVES, min_samples_leaf=least, random_state=seed)


def _whole(features: pd.DataFrame) -> set[str]:
    """Return the features that are whole numbers."""
    return {str(name) for name in features.columns if is_whole(features[name])}


def _leaves(tree: DecisionTreeClassifier, columns: Sequence[str], whole: set[str]) -> list[Leaf]:
    """Return the leaves with their conditions; sister leaves of one segment are one leaf."""
    nodes = tree.tree_
    winners = [str(tree.classes_[int(np.argmax(value[0]))]) for value in nodes.value]

    def segments(node: int) -> set[str]:
        left, right = nodes.children_left[node], nodes.children_right[node]
        return {winners[node]} if left < 0 else segments(left) | segments(right)

    def walk(node: int, bounds: dict[str, Bound]) -> list[Leaf]:
        below = segments(node)
        if len(below) == 1:
            return [(below.pop(), bounds)]
        name = columns[nodes.feature[node]]
        cut = _rounded(float(nodes.threshold[node]), is_whole=name in whole)
        old = bounds.get(name, Bound())
        left = {**bounds, name: Bound(old.low, min(old.high, cut))}
        right = {**bounds, name: Bound(max(old.low, cut), old.high)}
        return walk(nodes.children_left[node], left) + walk(nodes.children_right[node], right)

    return walk(0, {})


def _rounded(threshold: float, *, is_whole: bool) -> float:
    """Return a threshold as it can be read: whole for whole numbers, else with four digits."""
    if is_whole:
        return float(np.floor(threshold))
    return float(f"{threshold:.{_DIGITS}g}")


def _meets(features: pd.DataFrame, bounds: dict[str, Bound]) -> NDArray[np.bool_]:
    """Return who meets every condition."""
    meets = np.ones(len(features), dtype=bool)
    for name, bound in bounds.items():
        values = features[name].to_numpy()
        meets &= (values > bound.low) & (values <= bound.high)
    return meets


def _rule(bounds: dict[str, Bound], whole: set[str]) -> str:
    """Return the conditions of one leaf in words."""
    return " and ".join(_condition(name, bound, is_whole=name in whole) for name, bound in bounds.items())


def _condition(name: str, bound: Bound, *, is_whole: bool) -> str:
    """Return one condition in words."""
    words = _PHRASES.get(name, readable(name))
    low = bound.low + 1 if is_whole else bound.low
    if is_whole and low == bound.high:
        return f"{words}: {bound.high:g}"
    if np.isinf(bound.low):
        return f"{words}: at most {bound.high:,.10g}"
    least = "at least" if is_whole else "more than"
    if np.isinf(bound.high):
        return f"{words}: {least} {low:,.10g}"
    return f"{words}: {least} {low:,.10g}, at most {bound.high:,.10g}"
