"""
A small tree that tells segments apart by a few thresholds: grown by scikit-learn, then improved split by split.

What becomes of its leaves, the rules, is in :mod:`crm_analysis.models.segmentation.describing.rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.models.segmentation.preparing.straightening import is_whole

Codes = NDArray[np.intp]

_CANDIDATES = 512
_DIGITS = 4
_FINENESS = 3
_MAX_DIGITS = 15
_ROUNDS = 10


@dataclass
class Node:
    """
    A split of a tree, or a leaf.

    Attributes
    ----------
    segment : int
        What most customers of a leaf are.
    feature : int
        The column that is split by; -1 in a leaf.
    cut : int
        Customers whose code is at most this go left.
    left, right : Node or None
        What is below.
    """

    segment: int = 0
    feature: int = -1
    cut: int = -1
    left: Node | None = None
    right: Node | None = None


def thresholds(values: NDArray[np.float64], *, digits: int | None = None) -> NDArray[np.float64]:
    """
    Return the numbers at which a feature may be split: few, and short enough to be read.

    Parameters
    ----------
    values : numpy.ndarray
        The feature of every customer.
    digits : int, optional
        Significant digits; by default four, and more where a feature varies little around a large number.

    Returns
    -------
    numpy.ndarray
        Sorted, each with values on both sides: the middles between neighbouring values, or some 500 quantiles where there are more;
        whole for whole numbers, else rounded.

    Examples
    --------
    >>> thresholds(np.array([1.0, 2.0, 2.0, 5.0])).tolist()
    [1.0, 3.0]
    """
    distinct = np.unique(values)
    if len(distinct) > _CANDIDATES:
        distinct = np.unique(np.quantile(values, np.linspace(0, 1, _CANDIDATES), method="lower"))
    middles = (distinct[1:] + distinct[:-1]) / 2
    if is_whole(values):
        middles = np.floor(middles)
    else:
        kept = digits or _digits(values)
        middles = np.asarray([float(f"{value:.{kept}g}") for value in middles], dtype=float)
    short = np.unique(middles)
    return np.asarray(short[(short >= distinct[0]) & (short < distinct[-1])], dtype=float)


def _digits(values: NDArray[np.float64]) -> int:
    """Return how many digits tell the bulk of the values apart."""
    low, high = np.quantile(values, [0.05, 0.95])
    width = (high - low) or float(np.ptp(values))
    if width <= 0:
        return _DIGITS
    size = max(abs(low), abs(high))
    return int(np.clip(np.ceil(np.log10(max(size / width, 1.0))) + _FINENESS, _DIGITS, _MAX_DIGITS))


def coded(values: pd.DataFrame, cuts: Sequence[NDArray[np.float64]]) -> Codes:
    """
    Return between which thresholds every value lies.

    Parameters
    ----------
    values : pandas.DataFrame
        One row per customer.
    cuts : sequence of numpy.ndarray
        The thresholds of each column.

    Returns
    -------
    numpy.ndarray
        Of the same shape; a code of at most ``j`` means a value of at most threshold ``j``.
    """
    columns = [np.searchsorted(cut, values.iloc[:, at].to_numpy(dtype=float)) for at, cut in enumerate(cuts)]
    return np.column_stack(columns).astype(np.intp) if columns else np.zeros((len(values), 0), dtype=np.intp)


def best_tree(codes: Codes, target: Codes, tree: DecisionTreeClassifier, *, least: int) -> Node:
    """
    Return the better of two grown trees, each improved split by split.

    Parameters
    ----------
    codes : numpy.ndarray
        One row per customer, see :func:`coded`.
    target : numpy.ndarray
        A segment number per customer.
    tree : sklearn.tree.DecisionTreeClassifier
        Unfitted; limits the number of leaves.
    least : int
        Least number of customers in a leaf.

    Returns
    -------
    Node
        The root.

    Notes
    -----
    A tree grown from the top chooses each split as if nothing came below. Here every split is chosen anew, from the bottom up, so
    that with what is below it the most customers come to their segment, until no choice improves on the last (tree alternating
    optimisation). It begins from the tree grown by Gini's measure and from that by entropy; the one that puts more of these
    customers in their segment is kept. None of this is seen by the customers on whom fidelity is measured.

    References
    ----------
    Carreira-Perpiñán, Tavallali (2018), "Alternating optimization of decision trees", NeurIPS 31.
    """
    roots = []
    for criterion in ("gini", "entropy"):
        grown = tree.set_params(criterion=criterion).fit(codes, target)
        roots.append(improved(_nodes(grown), codes, target, least=least))
    return max(roots, key=lambda root: _right(root, codes, target).sum())


def improved(root: Node, codes: Codes, target: Codes, *, least: int) -> Node:
    """
    Return a tree whose splits are each the best, given the others.

    Parameters
    ----------
    root : Node
        Left as it is.
    codes : numpy.ndarray
        One row per customer.
    target : numpy.ndarray
        A segment number per customer.
    least : int
        Least number of customers in a leaf.

    Returns
    -------
    Node
        Of the same shape; never worse on these customers.
    """
    best = deepcopy(root)
    reached = int(_right(best, codes, target).sum())
    for _ in range(_ROUNDS):
        changed = deepcopy(best)
        _improve(changed, codes, target, least=least)
        count = int(_right(changed, codes, target).sum())
        if count <= reached:
            break
        best, reached = changed, count
    return best


def _improve(node: Node, codes: Codes, target: Codes, *, least: int) -> None:
    """Choose every split anew, those below first."""
    if node.left is None or node.right is None:
        node.segment = int(np.bincount(target).argmax()) if len(target) else node.segment
        return
    is_left = codes[:, node.feature] <= node.cut
    _improve(node.left, codes[is_left], target[is_left], least=least)
    _improve(node.right, codes[~is_left], target[~is_left], least=least)
    better_left = _right(node.left, codes, target).astype(float) - _right(node.right, codes, target)
    old, reached = (node.feature, node.cut), float(better_left[is_left].sum())
    for gain, feature, cut in _splits(codes, better_left):
        if gain <= reached:
            break
        node.feature, node.cut = feature, cut
        if min(_sizes(node, codes)) >= least:
            return
    node.feature, node.cut = old


def _splits(codes: Codes, better_left: NDArray[np.float64]) -> list[tuple[float, int, int]]:
    """Return the best cut of each feature: how many more come to their segment if those up to it go left; the best first."""
    found = []
    for feature in range(codes.shape[1]):
        gains = np.bincount(codes[:, feature], weights=better_left).cumsum()
        cut = int(gains.argmax())
        found.append((float(gains[cut]), feature, cut))
    return sorted(found, key=lambda split: (-split[0], split[1]))


def _right(node: Node, codes: Codes, target: Codes) -> NDArray[np.bool_]:
    """Return which customers come to their segment."""
    return np.asarray(predicted(node, codes) == target)


def _sizes(node: Node, codes: Codes) -> list[int]:
    """Return the number of customers in each leaf."""
    if node.left is None or node.right is None:
        return [len(codes)]
    is_left = codes[:, node.feature] <= node.cut
    return _sizes(node.left, codes[is_left]) + _sizes(node.right, codes[~is_left])


def predicted(node: Node, codes: Codes) -> Codes:
    """
    Return the segment to which a tree brings each customer.

    Parameters
    ----------
    node : Node
        The root.
    codes : numpy.ndarray
        One row per customer.

    Returns
    -------
    numpy.ndarray
        A segment number per customer.
    """
    if node.left is None or node.right is None:
        return np.full(len(codes), node.segment, dtype=np.intp)
    is_left = codes[:, node.feature] <= node.cut
    segments = np.empty(len(codes), dtype=np.intp)
    segments[is_left] = predicted(node.left, codes[is_left])
    segments[~is_left] = predicted(node.right, codes[~is_left])
    return segments


def leaf_codes(
    node: Node, ranges: dict[int, tuple[int, int]] | None = None
) -> Iterator[tuple[int, dict[int, tuple[int, int]]]]:
    """
    Yield every leaf with the range of codes that leads to it.

    Parameters
    ----------
    node : Node
        The root.
    ranges : dict, optional
        What led here.

    Yields
    ------
    segment : int
        The number of the leaf's segment.
    ranges : dict
        Column to lowest code less one and highest code; -1 and a very large number where there is no limit.
    """
    ranges = ranges or {}
    if node.left is None or node.right is None:
        yield node.segment, ranges
        return
    low, high = ranges.get(node.feature, (-1, np.iinfo(np.int32).max))
    yield from leaf_codes(node.left, {**ranges, node.feature: (low, min(high, node.cut))})
    yield from leaf_codes(node.right, {**ranges, node.feature: (max(low, node.cut), high)})


def _nodes(tree: DecisionTreeClassifier) -> Node:
    """Return scikit-learn's tree as nodes."""
    grown = tree.tree_

    def node(at: int) -> Node:
        segment = int(tree.classes_[int(np.argmax(grown.value[at][0]))])
        if grown.children_left[at] < 0:
            return Node(segment)
        below = (node(grown.children_left[at]), node(grown.children_right[at]))
        return Node(segment, int(grown.feature[at]), int(np.floor(grown.threshold[at])), *below)

    return node(0)
