"""
Rules made shorter without a change in what they say: boxes joined, and limits that decide nothing taken away.

Where the boxes come from is in :mod:`crm_analysis.models.segmentation.describing.surrogate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crm_analysis.models.segmentation.describing.conditions import Bound, Box

Leaf = tuple[str, Box]


def simplified(leaves: Sequence[Leaf]) -> list[Leaf]:
    """
    Return rules of as few boxes and limits as keep everybody's segment.

    Parameters
    ----------
    leaves : sequence of (str, dict of str to Bound)
        Boxes that share nothing and leave nothing out, with the segment of each.

    Returns
    -------
    list of (str, dict of str to Bound)
        Ordered by segment. Boxes of one segment may now overlap; those of different segments do not.

    Notes
    -----
    Two boxes that differ in one range and touch there are joined; a limit is dropped where what it kept out belongs to the same
    segment anyway; a box within another of its segment is dropped.

    Examples
    --------
    >>> leaves = [("A", {"x": Bound(high=1)}), ("A", {"x": Bound(1, 2)}), ("B", {"x": Bound(low=2)})]
    >>> [(segment, box["x"].low, box["x"].high) for segment, box in simplified(leaves)]
    [('A', -inf, 2), ('B', 2, inf)]
    """
    shorter: list[Leaf] = []
    for segment in sorted({name for name, _ in leaves}):
        own = _joined([box for name, box in leaves if name == segment])
        others = [box for name, box in leaves if name != segment]
        shorter += [(segment, box) for box in _outermost([_widened(box, others) for box in own])]
    return shorter


def _joined(boxes: list[Box]) -> list[Box]:
    """Return the boxes with neighbours joined until none can be."""
    for at, first in enumerate(boxes):
        for other in range(at + 1, len(boxes)):
            if (both := _union(first, boxes[other])) is not None:
                return _joined([*boxes[:at], *boxes[at + 1 : other], *boxes[other + 1 :], both])
    return boxes


def _union(first: Box, second: Box) -> Box | None:
    """Return two boxes as one, where they differ in one range and touch there."""
    names = list(dict.fromkeys([*first, *second]))
    differing = [name for name in names if first.get(name, Bound()) != second.get(name, Bound())]
    if len(differing) != 1:
        return None
    (name,) = differing
    low, high = sorted((first.get(name, Bound()), second.get(name, Bound())), key=lambda bound: bound.low)
    if low.high != high.low:
        return None
    return _tidy({**first, name: Bound(low.low, high.high)})


def _widened(box: Box, others: Sequence[Box]) -> Box:
    """Return a box without the limits that keep nobody of another segment out."""
    for name in list(box):
        for change in ({"low": -np.inf}, {"high": np.inf}):
            wider = {**box, name: replace(box[name], **change)}
            if not any(_meet(wider, other) for other in others):
                box = wider
    return _tidy(box)


def _outermost(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes that lie in no other one."""
    kept: list[Box] = []
    for at, box in enumerate(boxes):
        around = [*kept, *boxes[at + 1 :]]
        if not any(all(bound.holds(box.get(name, Bound())) for name, bound in other.items()) for other in around):
            kept.append(box)
    return kept


def _meet(first: Box, second: Box) -> bool:
    """Return whether a customer could lie in both boxes."""
    return all(bound.overlaps(second.get(name, Bound())) for name, bound in first.items())


def _tidy(box: Box) -> Box:
    """Return a box without ranges that have no limit."""
    return {name: bound for name, bound in box.items() if bound != Bound()}
