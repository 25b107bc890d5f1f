"""
Every customer's segment at two days, and the direction between them.

How many went where is counted in :mod:`crm_analysis.models.segmentation.movement.matrix`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.preparing.scaling import checked_features

LEFT = "no purchase in the history"
FIRST = "first purchase since"
BACK = "came back"
UNRANKED = "into or out of noise"  # noise is no segment: it is worth neither more nor less
DIRECTIONS = ("up", "stayed", "down", UNRANKED, "left")

Assign = Callable[[pd.DataFrame], pd.Series]
Places = NDArray[np.intp]

_NEEDED = ("frequency", "spend", "tenure_days")


def order_by_value(features: pd.DataFrame, labels: pd.Series) -> list[str]:
    """
    Return the segments from the most to the least valuable customers.

    Parameters
    ----------
    features : pandas.DataFrame
        Index ``customer_id``; ``spend``.
    labels : pandas.Series
        A segment per customer, same index.

    Returns
    -------
    list of str
        By mean spend a customer; equal ones by name. Noise, which is no segment, stands last.

    Examples
    --------
    >>> order_by_value(pd.DataFrame({"spend": [1.0, 9.0, 2.0]}), pd.Series(["small", "big", "small"]))
    ['big', 'small']
    """
    means = features["spend"].astype(float).groupby(labels.reindex(features.index).astype("str").to_numpy()).mean()
    ranked = [str(name) for name in means.sort_index().sort_values(ascending=False, kind="stable").index]
    return sorted(ranked, key=lambda name: name == NOISE_NAME)


def paired_segments(
    before: pd.DataFrame, after: pd.DataFrame, assign: Assign, *, order: Sequence[str], movement_days: int
) -> pd.DataFrame:
    """
    Put the segments of two days side by side.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Index ``customer_id``; features as of the earlier and the later day.
    assign : callable
        Gives every row of a feature table its segment.
    order : sequence of str
        Every segment that `assign` can give, the most valuable first.
    movement_days : int
        Days between the two days.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id``: everybody of either day. ``from`` and ``to``: the segment, or :data:`FIRST`, :data:`BACK` and
        :data:`LEFT`; ``direction``: ``up``, ``stayed``, ``down``, :data:`UNRANKED`, ``left``, or how a customer arrived;
        ``spend_before``, ``spend_after``.

    Raises
    ------
    TooFewRecordsError
        There is nobody at the earlier day.
    ModelError
        A column is not there, or `assign` gives a segment that `order` does not know.
    DataQualityError
        A customer stands there twice, or a value is missing, infinite or no purchase.
    """
    if len(set(order)) != len(order) or {LEFT, FIRST, BACK} & set(order):
        raise ValueError(
            f"order must name each segment once, and none {LEFT!r}, {FIRST!r} or {BACK!r}, got {list(order)!r}"
        )
    if before.empty:
        raise TooFewRecordsError(
            "Nobody bought within the history of the earlier day. Use a later one or a longer history_days."
        )
    labels = [segments_of(table, assign, order) for table in (before, after)]
    everybody = before.index.union(after.index, sort=False).rename("customer_id")
    pairs = pd.DataFrame({"from": labels[0].reindex(everybody), "to": labels[1].reindex(everybody)}, dtype=object)
    is_first = after["tenure_days"].reindex(everybody) < movement_days
    pairs["from"] = pairs["from"].where(pairs["from"].notna(), np.where(is_first, FIRST, BACK))
    pairs["to"] = pairs["to"].fillna(LEFT)
    ranks = {name: at for at, name in enumerate([*order, LEFT])}
    step = pairs["to"].map(ranks).to_numpy(dtype=float) - pairs["from"].map(ranks).to_numpy(dtype=float)
    is_unranked = (step != 0) & pairs[["from", "to"]].isin([NOISE_NAME]).any(axis=1)
    pairs["direction"] = np.select(
        [pairs["from"].isin([FIRST, BACK]), pairs["to"] == LEFT, is_unranked, step < 0, step > 0],
        [pairs["from"], "left", UNRANKED, "up", "down"],
        default="stayed",
    )
    pairs["spend_before"] = before["spend"].reindex(everybody).fillna(0.0).astype(float)
    pairs["spend_after"] = after["spend"].reindex(everybody).fillna(0.0).astype(float)
    return pairs.astype({"from": "str", "to": "str", "direction": "str"})


def segments_of(features: pd.DataFrame, assign: Assign, order: Sequence[str]) -> pd.Series:
    """
    Return every customer's segment, all of which are known.

    Parameters
    ----------
    features : pandas.DataFrame
        Index ``customer_id``.
    assign : callable
        Gives every row of a feature table its segment.
    order : sequence of str
        The segments that are known.

    Returns
    -------
    pandas.Series
        A segment a row, same index.
    """
    absent = [name for name in _NEEDED if name not in features.columns]
    if absent:
        raise ModelError(f"The feature table lacks {absent} of the columns that movement needs: {list(_NEEDED)}.")
    if features.empty:
        return pd.Series(index=features.index, dtype="str")
    values = checked_features(features, _NEEDED)
    if unbought := int((values["frequency"] < 1).sum()):
        raise DataQualityError(
            f"{unbought} of {len(values)} customers have a frequency below 1; only those who bought within the history belong here."
        )
    labels = assign(features).reindex(features.index)
    places(labels, order)
    return labels.astype("str")


def places(labels: pd.Series, order: Sequence[str]) -> Places:
    """
    Return the place of each label's segment in the order.

    Parameters
    ----------
    labels : pandas.Series
        A segment a row.
    order : sequence of str
        The segments that are known.

    Returns
    -------
    numpy.ndarray of int
        From 0.
    """
    known = pd.Index(list(order), dtype="str").get_indexer(pd.Index(labels))
    if (known < 0).any():
        unknown = sorted({"none" if pd.isna(name) else str(name) for name in labels[known < 0].unique()})
        raise ModelError(
            f"Customers are put in {len(unknown)} segments that the order does not know: {unknown[:5]}. "
            f"It knows {list(order)[:10]}; give it every segment that can be assigned."
        )
    return np.asarray(known, dtype=np.intp)


def counted(pairs: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """
    Return how many customers went from where to where.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As :func:`paired_segments` returns them.
    order : sequence of str
        The segments.

    Returns
    -------
    pandas.DataFrame
        Rows: segments, :data:`FIRST`, :data:`BACK`; columns: segments, :data:`LEFT`.
    """
    rows, columns = [*order, FIRST, BACK], [*order, LEFT]
    table = pd.crosstab(pairs["from"], pairs["to"]).reindex(index=rows, columns=columns, fill_value=0)
    return table.rename_axis(index="from", columns="to").astype("int64")
