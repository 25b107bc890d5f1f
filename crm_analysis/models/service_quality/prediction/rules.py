"""
A decision tree as rules in words, each with how many cases it covers and how often they had the outcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from crm_analysis.models.service_quality.disclosure import hidden_shares, is_of_few, without_rows
from crm_analysis.models.service_quality.encoding import (
    Attributes,
    EncodedColumn,
    attributes_of,
    encoded_columns,
    model_inputs,
)
from crm_analysis.models.service_quality.explanation.drivers import MIN_CASES_SHOWN
from crm_analysis.models.service_quality.wording import WEEKDAYS, attribute_in_words
from crm_analysis.tables.privacy.suppression import NOT_SHOWN


@dataclass(frozen=True)
class Conditions:
    """What a case must meet to reach a leaf, by attribute; later questions narrow earlier answers."""

    levels: dict[str, str] = field(default_factory=dict)
    not_levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: dict[str, tuple[float, float, bool]] = field(default_factory=dict)  # above, at most, also where missing

    def narrowed(self, column: EncodedColumn, threshold: float, *, upper: bool, missing: bool) -> Conditions:
        """
        Return the conditions after one more answer.

        Parameters
        ----------
        column : EncodedColumn
            The attribute asked about, and its level if it has levels.
        threshold : float
            Where a number is cut.
        upper : bool
            Whether the answer is above the threshold.
        missing : bool
            Whether cases without a value go the same way.

        Returns
        -------
        Conditions
            New ones.
        """
        name, level = column
        if level is None:
            above, at_most, also_missing = self.bounds.get(name, (-math.inf, math.inf, True))
            above, at_most = (max(above, threshold), at_most) if upper else (above, min(at_most, threshold))
            return replace(self, bounds={**self.bounds, name: (above, at_most, also_missing and missing)})
        if upper:
            return replace(self, levels={**self.levels, name: level})
        return replace(self, not_levels={**self.not_levels, name: (*self.not_levels.get(name, ()), level)})


def tree_rules(
    tree: Pipeline, *, training: pd.DataFrame, holdout: pd.DataFrame, outcome: str, min_cell: int = 1
) -> pd.DataFrame:
    """
    Return a fitted decision tree as rules, the riskiest first.

    Parameters
    ----------
    tree : sklearn.pipeline.Pipeline
        A decision tree fitted on `training`.
    training : pandas.DataFrame
        Features and outcome of the cases it learnt from.
    holdout : pandas.DataFrame
        Features and outcome of later cases.
    outcome : str
        The column that holds the outcome.
    min_cell : int
        Least number of customers whose cases meet a rule, and of those with and without the outcome among them.

    Returns
    -------
    pandas.DataFrame
        ``rule`` (in words), ``n_training`` and ``rate_training`` (what the tree learnt), ``n_holdout`` and ``rate_holdout``
        (what came later; missing with fewer than five cases). Every case meets one rule.

    Notes
    -----
    A leaf about too few customers is joined with its sister leaf; where its sister is no leaf, its rule is not shown, nor the
    next smallest, which would give it away.
    """
    wording = _wording(training)
    leaves = _leaves(tree, _small_nodes(tree, training, outcome, min_cell=min_cell))
    rules = {leaf: _sentence(conditions, wording) for leaf, conditions in leaves.items()}
    learnt, later = (_by_leaf(tree, cases, outcome, list(leaves), min_cell=min_cell) for cases in (training, holdout))
    table = pd.DataFrame({"rule": rules}).join(learnt.add_suffix("_training")).join(later.add_suffix("_holdout"))
    hidden = table["n_training"].isna()
    table["rule"] = table["rule"].mask(hidden, NOT_SHOWN)
    few = hidden | ~(table["n_holdout"] >= MIN_CASES_SHOWN).fillna(value=False).astype(bool)
    table["n_holdout"], table["rate_holdout"] = table["n_holdout"].mask(few), table["rate_holdout"].mask(few)
    table = table.astype({"n_training": "Int64", "n_holdout": "Int64"})
    return table.sort_values(["rate_training", "rule"], ascending=[False, True], ignore_index=True)


def _leaves(tree: Pipeline, small_nodes: set[int]) -> dict[int, Conditions]:
    """The conditions of each leaf, by its node; two sister leaves of which one is small are one leaf."""
    columns, nodes = encoded_columns(tree), tree["classify"].tree_
    found: dict[int, Conditions] = {}
    waiting = [(0, Conditions())]
    while waiting:
        node, conditions = waiting.pop()
        if _is_leaf(nodes, node, small_nodes):
            found[node] = conditions
            continue
        left, right = int(nodes.children_left[node]), int(nodes.children_right[node])
        column, threshold = columns[nodes.feature[node]], float(nodes.threshold[node])
        missing_left = bool(nodes.missing_go_to_left[node])
        waiting.append((left, conditions.narrowed(column, threshold, upper=False, missing=missing_left)))
        waiting.append((right, conditions.narrowed(column, threshold, upper=True, missing=not missing_left)))
    return found


def _is_leaf(nodes: Any, node: int, small_nodes: set[int]) -> bool:
    children = (int(nodes.children_left[node]), int(nodes.children_right[node]))
    if children[0] == children[1]:
        return True
    return bool(small_nodes.intersection(children)) and all(_is_leaf(nodes, child, small_nodes) for child in children)


def _members(tree: Pipeline, cases: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which cases (rows) come through which nodes (columns)."""
    path = tree["classify"].decision_path(tree["encode"].transform(model_inputs(cases)))
    return np.asarray(path.toarray(), dtype=bool)


def _small_nodes(tree: Pipeline, cases: pd.DataFrame, outcome: str, *, min_cell: int) -> set[int]:
    """Nodes whose cases, those with the outcome or those without, are of too few customers."""
    if min_cell == 1:
        return set()
    customers, yes = cases["customer_id"].to_numpy(), cases[outcome].to_numpy() == 1
    return {
        node
        for node, inside in enumerate(_members(tree, cases).T)
        if is_of_few(customers, inside, inside & yes, inside & ~yes, min_cell=min_cell)
    }


def _by_leaf(tree: Pipeline, cases: pd.DataFrame, outcome: str, leaves: list[int], *, min_cell: int) -> pd.DataFrame:
    """Cases and share by leaf, without those that tell of too few customers."""
    members = _members(tree, cases)[:, leaves]
    leaf = np.array(leaves)[members.argmax(axis=1)]
    grouped = cases.groupby(leaf)
    table = pd.DataFrame({"n": grouped.size(), "rate": grouped[outcome].mean()})
    return without_rows(table, hidden_shares(cases[outcome], leaf, cases["customer_id"], min_cell=min_cell))


class _Wording(NamedTuple):
    """What conditions on attributes are put in words by: which are numbers, whole, flags, sometimes missing."""

    attributes: Attributes
    wholes: set[str]
    flags: set[str]
    has_missing: set[str]


def _wording(training: pd.DataFrame) -> _Wording:
    attributes, inputs = attributes_of(training), model_inputs(training)
    known = {name: inputs[name].dropna() for name in attributes.numbers}
    wholes = {name for name, values in known.items() if (values % 1 == 0).all()}
    flags = {name for name in attributes.numbers if pd.api.types.is_bool_dtype(training[name])}
    return _Wording(attributes, wholes, flags, {name for name in known if inputs[name].isna().any()})


def _sentence(conditions: Conditions, wording: _Wording) -> str:
    asked = {**conditions.levels, **conditions.not_levels}
    parts = [_level_condition(name, conditions) for name in wording.attributes.levels if name in asked]
    for name in (name for name in wording.attributes.numbers if name in conditions.bounds):
        above, at_most, also_missing = conditions.bounds[name]
        missing = " or none" if also_missing and name in wording.has_missing else ""
        if name in wording.flags:
            told = "is yes" if above >= 0 else "is no"
        else:
            told = _range(name, above, at_most, whole=name in wording.wholes)
        parts.append(f"{attribute_in_words(name)} {told}{missing}")
    return ", ".join(parts) if parts else "every case"


def _level_condition(name: str, conditions: Conditions) -> str:
    if name in conditions.levels:
        return f"{attribute_in_words(name)} is {conditions.levels[name]}"
    return f"{attribute_in_words(name)} is not {' or '.join(conditions.not_levels[name])}"


def _range(name: str, above: float, at_most: float, *, whole: bool) -> str:
    if not whole:
        return _decimal_range(above, at_most)
    first, last = (
        above if math.isinf(above) else math.floor(above) + 1,
        at_most if math.isinf(at_most) else math.floor(at_most),
    )
    if name == "opened_weekday":
        first, last = max(first, 1), min(last, 7)
        days = WEEKDAYS[int(first) - 1 : int(last)]
        return f"is {days[0]}" if len(days) == 1 else f"is {days[0]} to {days[-1]}"
    if math.isinf(first):
        return f"at most {last:g}"
    if math.isinf(last):
        return f"at least {first:g}"
    return f"{first:g}" if first == last else f"{first:g} to {last:g}"


def _decimal_range(above: float, at_most: float) -> str:
    if math.isinf(above):
        return f"at most {at_most:.1f}"
    return f"over {above:.1f}" if math.isinf(at_most) else f"over {above:.1f}, at most {at_most:.1f}"
