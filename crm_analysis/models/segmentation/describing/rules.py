"""
Rules: one a segment, without overlaps, that anybody can follow to a customer's segment; how far they carry is measured.

The tree behind them is grown in :mod:`crm_analysis.models.segmentation.describing.surrogate`; as a query they are written in
:mod:`crm_analysis.models.segmentation.describing.sql`. The segments themselves are found in ``kmeans`` and ``dbscan``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.errors import ModelError
from crm_analysis.models.segmentation.describing.conditions import (
    COMBINATIONS,
    Bound,
    Box,
    in_words,
    meets,
    offered_combinations,
    quantity,
)
from crm_analysis.models.segmentation.describing.profiles import hidden_segments
from crm_analysis.models.segmentation.describing.simplifying import simplified
from crm_analysis.models.segmentation.describing.sql import segment_case
from crm_analysis.models.segmentation.describing.surrogate import (
    Codes,
    Node,
    best_tree,
    coded,
    leaf_codes,
    predicted,
    thresholds,
)
from crm_analysis.models.segmentation.preparing.scaling import canonical_order, checked_features
from crm_analysis.models.segmentation.preparing.straightening import is_whole
from crm_analysis.tables.privacy.suppression import suppressed

MAX_LEAVES = 12
FIT_CUSTOMERS = 10_000
NO_RULE = "no rule: too few customers, or too mixed with others"
_FOLDS = 5
_MIN_LEAF_SHARE = 0.005
_RATIO_DIGITS = 3
_WORTH = 0.01


@dataclass(frozen=True)
class SegmentRules:
    """
    One rule a segment; every customer meets exactly one.

    Attributes
    ----------
    columns : tuple of str
        The features that customers must have.
    whole : tuple of str
        Those that are whole numbers.
    segments : tuple of str
        Every segment, also one that no rule leads to.
    leaves : tuple of (str, dict of str to Bound)
        A segment and a box of ranges that leads to it; a segment's rule is the *or* of its boxes. Boxes of different segments
        share no customer, and all boxes together leave out nobody.
    fidelity : float
        Share of customers whom rules learned in the same way from others put in their segment.
    """

    columns: tuple[str, ...]
    whole: tuple[str, ...]
    segments: tuple[str, ...]
    leaves: tuple[tuple[str, Box], ...]
    fidelity: float

    def label(self, features: pd.DataFrame) -> pd.Series:
        """
        Return the segment to which the rules bring each customer.

        Parameters
        ----------
        features : pandas.DataFrame
            One row per customer, with at least :attr:`columns`.

        Returns
        -------
        pandas.Series
            ``segment``, same index; the same for a customer alone as among others.

        Raises
        ------
        ModelError
            A column is not there, or a value is missing, infinite, no number, or negative where a rule divides by it.
        """
        values = self._checked(features)
        labels = np.full(len(values), "", dtype=object)
        for segment, box in self.leaves:
            labels[meets(values, box)] = segment
        return pd.Series(labels, index=features.index, dtype="str", name="segment")

    def _checked(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the columns as floats, or say what is wrong."""
        absent = [name for name in self.columns if name not in features.columns]
        if absent:
            raise ModelError(
                f"The table lacks {len(absent)} of {len(self.columns)} columns that the rules ask for: {absent[:5]}. "
                f"It has {list(features.columns)[:10]}. Make the features that the segments were found with."
            )
        if texts := [name for name in self.columns if not pd.api.types.is_numeric_dtype(features[name])]:
            raise ModelError(f"The rules ask for numbers, but {texts[:5]} of the table are none. Convert them first.")
        values = features.loc[:, list(self.columns)].astype(float)
        bad = {name: int((~np.isfinite(values[name])).sum()) for name in self.columns}
        if told := [f"{name!r} in {count:,}" for name, count in bad.items() if count]:
            raise ModelError(
                f"The rules cannot place customers without a finite value: {', '.join(told[:5])} of {len(values):,} customers. "
                "Complete these features, or leave those customers out."
            )
        used = {COMBINATIONS[name].divisor for _, box in self.leaves for name in box if name not in self.columns}
        for name in sorted(used - {""}):
            if below := int((values[name] < 0).sum()):
                raise ModelError(
                    f"The rules divide by {name!r} + 1, but {below:,} of {len(values):,} values are below 0."
                )
        return values

    def words(self) -> pd.Series:
        """
        Return every segment's rule in words.

        Returns
        -------
        pandas.Series
            By segment; the boxes joined by ``; or``.
        """
        boxes = {segment: [box for name, box in self.leaves if name == segment] for segment in self.segments}
        told = {name: "; or ".join(in_words(box, self.whole) for box in own) or NO_RULE for name, own in boxes.items()}
        return pd.Series(told, dtype="str", name="rule").rename_axis("segment")

    def table(self, features: pd.DataFrame, labels: pd.Series, *, min_cell: int = 1) -> pd.DataFrame:
        """
        Return a row per segment: its rule, who meets it, and how well it agrees with the segment.

        Parameters
        ----------
        features : pandas.DataFrame
            One row per customer.
        labels : pandas.Series
            A segment per customer, same index.
        min_cell : int
            Least number of customers a row is about.

        Returns
        -------
        pandas.DataFrame
            Columns ``segment``, ``rule``, ``customers`` (who meet it), ``agreement`` (share of those who are in the segment) and
            ``coverage`` (share of the segment that meets it). Rows about too few customers, and what would give them away
            (also by the profiles), have neither rule nor numbers. Each threshold leads to `min_cell` customers or more.
        """
        ruled = self.label(features).to_numpy(dtype=object)
        actual = labels.reindex(features.index).to_numpy(dtype=object)
        names, counted = list({*self.segments, *labels}), (actual, actual[actual == ruled], ruled)
        counts = [pd.Series(some, dtype=object).value_counts() for some in counted]
        own, both, met = (count.reindex(names, fill_value=0) for count in counts)
        table = pd.DataFrame({"rule": self.words(), "customers": met, "agreement": both / met, "coverage": both / own})
        table["told"] = np.where(hidden_segments(own, both, met, min_cell=min_cell).loc[table.index], 1, min_cell)
        told = suppressed(table, size="told", min_cell=min_cell, telling=["rule"], total=False)
        return told.loc[list(self.segments)].rename_axis("segment").reset_index().drop(columns="told")

    def to_sql(self, *, table: str = "customer_features", comment: str = "", backticks: bool = False) -> str:
        """
        Return the rules as a query.

        Parameters
        ----------
        table : str
            The table of features, with a column ``customer_id``.
        comment : str
            What is said above the query.
        backticks : bool
            Whether to quote for MySQL and MariaDB.

        Returns
        -------
        str
            See :func:`~crm_analysis.models.segmentation.describing.sql.segment_case`.
        """
        return segment_case(self, table=table, comment=comment, backticks=backticks)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the rules as plain values that JSON can hold.

        Returns
        -------
        dict
            For :meth:`from_dict`.
        """
        leaves = [
            {"segment": segment, "bounds": {name: bound.to_list() for name, bound in box.items()}}
            for segment, box in self.leaves
        ]
        listed = {name: list(getattr(self, name)) for name in ("columns", "whole", "segments")}
        return {**listed, "leaves": leaves, "fidelity": self.fidelity}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> SegmentRules:
        """
        Return the rules from plain values.

        Parameters
        ----------
        stored : mapping
            As :meth:`to_dict` gives it.

        Returns
        -------
        SegmentRules
            The same rules.

        Raises
        ------
        ModelError
            Something is missing, or a rule asks for what is no column.
        """
        try:
            leaves = tuple(
                (str(leaf["segment"]), {str(name): Bound.from_list(ends) for name, ends in leaf["bounds"].items()})
                for leaf in stored["leaves"]
            )
            columns, whole, segments = (tuple(map(str, stored[name])) for name in ("columns", "whole", "segments"))
            fidelity = float(stored["fidelity"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"Stored rules cannot be read ({error!r}). Fit and save the segments again.") from error
        unknown = sorted({name for _, box in leaves for name in box if not _is_known(name, columns)})
        if unknown or not {segment for segment, _ in leaves} <= set(segments):
            raise ModelError(
                f"Stored rules ask for unknown columns or segments ({unknown[:5]}). Fit and save them again."
            )
        return cls(columns, whole, segments, leaves, fidelity)


def fit_segment_rules(features: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> SegmentRules:
    """
    Find one rule a segment by a tree of at most twelve leaves, and measure how far the rules carry.

    Parameters
    ----------
    features : pandas.DataFrame
        The features that were grouped by: finite numbers.
    labels : pandas.Series
        A segment per customer, same index.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of customers in a leaf.

    Returns
    -------
    SegmentRules
        Whatever the names and the order of rows.

    Raises
    ------
    TooFewRecordsError
        There is no customer.
    DataQualityError
        A customer stands there twice, or a value is missing, infinite or no number.

    Notes
    -----
    The tree splits by the features and, where that brings at least 1 % more customers to their segment, by two combinations of
    them: ``spend`` (``frequency * monetary_value``) and ``frequency / (recency_days + 1)``; borders between groups are often
    slanted in the features and straight in these. A leaf holds at least `min_cell` customers and 0.5 % of all. Thresholds are short numbers from the start,
    so that the rules that are shown are those that were measured. The tree, and its fidelity in five folds in which all of this
    is done anew, come from at most 10,000 customers, drawn at random.
    """
    features = checked_features(features, list(features.columns))
    labels = labels.loc[features.index].astype("str")
    names = tuple(sorted(labels.unique()))
    columns = tuple(map(str, features.columns))
    whole = tuple(name for name in columns if is_whole(features[name]))
    if len(names) == 1:
        return SegmentRules(columns, whole, names, ((names[0], {}),), 1.0)
    sample, target = _drawn(features, labels, seed=seed)
    quantities = [*columns, *offered_combinations(features)]
    values = pd.DataFrame({name: quantity(sample, name) for name in quantities})
    root, cuts = _fitted(values, target, _tree(len(values), seed, min_cell=min_cell), plain=len(columns))
    boxes = [(names[segment], _box(ranges, quantities, cuts)) for segment, ranges in leaf_codes(root)]
    fidelity = _fidelity(values, target, seed=seed, min_cell=min_cell, plain=len(columns))
    return SegmentRules(columns, whole, names, tuple(simplified(boxes)), fidelity)


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
        Accuracy out of fold, five folds (stratified where every segment has five customers); 1 with a single segment. The
        same as the ``fidelity`` of :func:`fit_segment_rules`.
    """
    return fit_segment_rules(features, labels, seed=seed, min_cell=min_cell).fidelity


def segment_rules(features: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> pd.DataFrame:
    """
    Put segments into rules, one each; see :func:`fit_segment_rules`.

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
        As :meth:`SegmentRules.table`.
    """
    return fit_segment_rules(features, labels, seed=seed, min_cell=min_cell).table(features, labels, min_cell=min_cell)


def _drawn(features: pd.DataFrame, labels: pd.Series, *, seed: int) -> tuple[pd.DataFrame, Codes]:
    """Return customers drawn at random, by their values alone, and the numbers of their segments."""
    segments = pd.factorize(labels, sort=True)[0].astype(np.intp)
    order = canonical_order(features.assign(**{"": segments}))
    chosen = order[np.sort(np.random.default_rng(seed).permutation(len(order))[:FIT_CUSTOMERS])]
    return features.iloc[chosen], segments[chosen]


def _tree(rows: int, seed: int, *, min_cell: int) -> DecisionTreeClassifier:
    """Return an unfitted tree of at most twelve leaves, none of them tiny."""
    least = max(min_cell, round(_MIN_LEAF_SHARE * rows))
    return DecisionTreeClassifier(max_leaf_nodes=MAX_LEAVES, min_samples_leaf=least, random_state=seed)


def _fitted(values: pd.DataFrame, target: Codes, tree: DecisionTreeClassifier, *, plain: int) -> tuple[Node, list[Any]]:
    """Return the best tree and the thresholds that its codes stand for; the first columns are features, not combinations."""
    ratios = {name for name, made in COMBINATIONS.items() if made.divisor}
    cuts = [
        thresholds(values[name].to_numpy(), digits=_RATIO_DIGITS if name in ratios else None) for name in values.columns
    ]
    codes, least = coded(values, cuts), tree.min_samples_leaf
    root = best_tree(codes[:, :plain], target, tree, least=least)
    if plain < codes.shape[1]:
        richer = best_tree(codes, target, tree, least=least)
        gained = float((predicted(richer, codes) == target).mean() - (predicted(root, codes) == target).mean())
        root = richer if gained >= _WORTH else root
    return root, cuts


def _fidelity(values: pd.DataFrame, target: Codes, *, seed: int, min_cell: int, plain: int) -> float:
    """Return the accuracy out of fold."""
    splitter = StratifiedKFold if int(np.bincount(target).min()) >= _FOLDS else KFold
    if len(target) < 2:
        return 1.0
    right = 0
    folds = splitter(min(_FOLDS, len(target)), shuffle=True, random_state=seed)
    for learned, judged in folds.split(values, target):
        tree = _tree(len(values), seed, min_cell=min_cell)
        root, cuts = _fitted(values.iloc[learned], target[learned], tree, plain=plain)
        right += int((predicted(root, coded(values.iloc[judged], cuts)) == target[judged]).sum())
    return right / len(target)


def _box(ranges: Mapping[int, tuple[int, int]], quantities: Sequence[str], cuts: Sequence[Any]) -> Box:
    """Return a leaf's ranges of codes as thresholds."""
    box = {}
    for at, (low, high) in sorted(ranges.items()):
        known = cuts[at]
        ends = (known[low] if low >= 0 else -np.inf, known[high] if high < len(known) else np.inf)
        box[quantities[at]] = Bound(*map(float, ends))
    return box


def _is_known(name: str, columns: Sequence[str]) -> bool:
    """Return whether a rule can ask for this."""
    return name in columns or (name in COMBINATIONS and set(COMBINATIONS[name].columns) <= set(columns))
