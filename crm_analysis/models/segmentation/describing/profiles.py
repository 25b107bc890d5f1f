"""
Tables that describe segments: profiles, positions, fifths by value, and a map.

How the segments were found is in ``kmeans`` and ``dbscan``; their names are made in ``naming``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.preparing.scaling import RFM, canonical_order
from crm_analysis.tables.privacy.suppression import averaged_points, hidden_rows, suppressed

MAP_CUSTOMERS = 2_000
_FIFTHS = ("1st fifth", "2nd fifth", "3rd fifth", "4th fifth", "5th fifth")


def customer_value(features: pd.DataFrame) -> pd.Series | None:
    """
    Return what each customer brought in.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.

    Returns
    -------
    pandas.Series or None
        ``spend``, or ``frequency * monetary_value``; None where the table has neither.
    """
    if "spend" in features.columns:
        return features["spend"].astype(float)
    if {"frequency", "monetary_value"} <= set(features.columns):
        return features["frequency"].astype(float) * features["monetary_value"].astype(float)
    return None


def segment_profiles(
    features: pd.DataFrame, labels: pd.Series, columns: Sequence[str], *, min_cell: int = 1
) -> pd.DataFrame:
    """
    Describe each segment: how many, how much of the revenue, and its medians.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer; ``spend`` (else ``frequency * monetary_value``) gives the revenue.
    labels : pandas.Series
        A segment per customer, same index.
    columns : sequence of str
        The features whose medians are shown.
    min_cell : int
        Least number of customers a row is about; rows of fewer, and what would give them away, have no numbers.

    Returns
    -------
    pandas.DataFrame
        Index ``segment``, the most valuable customers first (by mean revenue a customer; by size where there is no
        revenue), noise and then hidden ones last. Columns: ``customers``, ``share_of_customers``, ``share_of_revenue`` (NaN without
        revenue, or where it does not add up to more than zero), and a median per feature.
    """
    groups = features.loc[:, list(columns)].groupby(labels.to_numpy())
    table = pd.DataFrame({"customers": groups.size()})
    table["share_of_customers"] = table["customers"] / len(features)
    value = customer_value(features)
    totals = None if value is None else value.groupby(labels.to_numpy()).sum()
    whole = 0.0 if totals is None else float(totals.sum())
    table["share_of_revenue"] = totals / whole if totals is not None and whole > 0 else np.nan
    table = table.join(groups.median())
    worth = table["customers"] if totals is None else totals / table["customers"]
    order = worth.sort_values(ascending=False, kind="stable").index
    last = [name for name in order if name == NOISE_NAME]
    told = suppressed(table, min_cell=min_cell)  # while rows are in the order of names, see hidden_segments
    shown = told.loc[[*order.drop(last), *last]].rename_axis("segment")
    is_hidden = shown["customers"].isna()  # their place among the others would tell what they are worth
    return pd.concat([shown[~is_hidden], shown[is_hidden]]) if is_hidden.any() else shown


def hidden_segments(*counts: pd.Series, min_cell: int) -> pd.Series:
    """
    Return which segments are hidden, the same in every table: where one table hid others than the next, both would tell all.

    Parameters
    ----------
    *counts : pandas.Series
        Customers by segment, all with the same index: first the sizes of the segments, then what else a table counts of them.
    min_cell : int
        Least number of customers a row is about.

    Returns
    -------
    pandas.Series of bool
        By segment, in the order of names: the small ones, and the smallest others until those hidden are together about `min_cell`
        customers; of equal ones the first by name. What further counts hide comes on top of what the sizes hide.

    Examples
    --------
    >>> sizes = pd.Series({"D": 40, "C": 9, "B": 9, "A": 3})
    >>> hidden_segments(sizes, min_cell=5).to_dict()
    {'A': True, 'B': True, 'C': False, 'D': False}
    """
    hidden = pd.Series(data=False, index=counts[0].sort_index().index)
    for count in counts:
        ordered = count.loc[hidden.index]
        already, rest = float(ordered[hidden].sum()), ordered[~hidden]
        further = hidden_rows([already, *rest], min_cell=min_cell, total=already < min_cell)[1:]
        hidden.loc[rest.index[further]] = True
    return hidden


def segment_positions(points: pd.DataFrame, labels: pd.Series | NDArray[np.intp], *, min_cell: int = 1) -> pd.DataFrame:
    """
    Return how far each segment's median lies from that of all customers.

    Parameters
    ----------
    points : pandas.DataFrame
        Scaled features, one row per customer.
    labels : pandas.Series or numpy.ndarray
        A segment per customer, in the same order.
    min_cell : int
        Least number of customers a row is about.

    Returns
    -------
    pandas.DataFrame
        A row per segment, a column per feature, in standard deviations of the scaled feature; missing as in
        :func:`segment_profiles`.
    """
    groups = points.groupby(np.asarray(labels))
    hidden = hidden_segments(groups.size(), min_cell=min_cell)
    positions = groups.median() - points.median()
    positions.loc[hidden.index[hidden]] = np.nan
    return positions


def value_fifths(features: pd.DataFrame, columns: Sequence[str] = RFM, *, min_cell: int = 1) -> pd.DataFrame | None:
    """
    Rank the customers by revenue and cut them into fifths: what one can act on where there are no groups.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.
    columns : sequence of str
        The features whose medians are shown.
    min_cell : int
        Least number of customers a row is about.

    Returns
    -------
    pandas.DataFrame or None
        As :func:`segment_profiles`, index ``fifth``, the best fifth first; customers of equal revenue stay together, so
        that fifths may differ in size or be absent. None where there is no revenue.
    """
    fifths = fifths_by_value(features)
    if fifths is None:
        return None
    return segment_profiles(features, fifths, columns, min_cell=min_cell).sort_index().rename_axis("fifth")


def fifths_by_value(features: pd.DataFrame) -> pd.Series | None:
    """
    Return each customer's fifth when all are ranked by revenue.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.

    Returns
    -------
    pandas.Series or None
        ``1st fifth`` (the best) to ``5th fifth``; customers of equal revenue share their middle place. None where there is no
        revenue.
    """
    value = customer_value(features)
    if value is None:
        return None
    place = value.rank(method="average", ascending=False) / len(value)
    return place.map(lambda at: _FIFTHS[min(max(math.ceil(at * 5), 1), 5) - 1]).astype("str")


def customer_list(features: pd.DataFrame, labels: pd.Series, *others: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """
    Return every customer with segment, fifth by revenue and features: a list to act on, with groups or without.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer, index ``customer_id``.
    labels : pandas.Series
        The segment of each.
    *others : pandas.DataFrame or pandas.Series
        What else is said of customers, by ``customer_id``; missing where it is not said.

    Returns
    -------
    pandas.DataFrame
        ``segment``, the columns of `others`, ``value_fifth`` (where there is revenue), and the columns of `features`.
    """
    fifths = fifths_by_value(features)
    said = [labels.rename("segment"), *others, *([] if fifths is None else [fifths.rename("value_fifth")])]
    return pd.concat([*(one.reindex(features.index) for one in said), features], axis=1)


def segment_map(points: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> pd.DataFrame:
    """
    Return customers as points of a plane that keeps as much of their variety as a plane can.

    Parameters
    ----------
    points : pandas.DataFrame
        Scaled features, one row per customer.
    labels : pandas.Series
        A segment per customer, same index.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of customers a point stands for.

    Returns
    -------
    pandas.DataFrame
        Index as given, at most 2,000 customers drawn at random. Columns ``component_1``, ``component_2``, ``segment`` and
        ``variance_shown``, the share of the variance that the plane keeps (the same in every row). Where `min_cell` is above
        1, a row is the mean of that many neighbours of one segment, or up to twice as many, with their number in
        ``customers``; segments that are hidden in the profiles are not there.

    Notes
    -----
    Principal components of the scaled features. Segments that overlap on the plane may be apart in what it leaves out.
    """
    order = canonical_order(points)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(points))[:MAP_CUSTOMERS])
    chosen = order[drawn]
    plane = np.zeros((len(points), 2))
    shown = 1.0
    if points.shape[1]:
        components = PCA(n_components=min(2, points.shape[1], len(points)), svd_solver="full").fit(points.to_numpy())
        plane[:, : components.n_components_] = components.transform(points.to_numpy())
        variance = points.to_numpy().var(axis=0, ddof=1).sum() if len(points) > 1 else 0.0
        shown = float(components.explained_variance_.sum() / variance) if variance > 0 else 1.0
    table = pd.DataFrame(plane, index=points.index, columns=["component_1", "component_2"])
    plane_of_customers = table.assign(segment=labels, variance_shown=shown).iloc[chosen]
    return plane_of_customers if min_cell == 1 else _averaged(plane_of_customers, labels, min_cell=min_cell)


def _averaged(plane: pd.DataFrame, labels: pd.Series, *, min_cell: int) -> pd.DataFrame:
    """Return means of neighbours in the place of single customers, without segments about too few of all or of those drawn."""
    sizes = pd.DataFrame({"all": labels.value_counts(), "drawn": plane["segment"].value_counts()}).fillna(0)
    hidden = hidden_segments(sizes["all"], sizes["drawn"], min_cell=min_cell)
    parts = {
        name: averaged_points(plane.loc[plane["segment"] == name, ["component_1", "component_2"]], min_cell=min_cell)
        for name in hidden.index[~hidden]
    }
    none = averaged_points(plane.iloc[:0][["component_1", "component_2"]], min_cell=min_cell)
    points = pd.concat([none.assign(segment=""), *(part.assign(segment=name) for name, part in parts.items())])
    return points.assign(variance_shown=plane["variance_shown"].iloc[0]).reset_index(drop=True)
