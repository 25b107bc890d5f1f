"""
What was found, with names: groups where there are some, else the parts of a cut; and the model that keeps them.

How groups are looked for is in ``grouping``; tables and pictures of segments are made in ``result``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.models.segmentation.describing.naming import ALL_CUSTOMERS, NOISE_NAME, segment_names
from crm_analysis.models.segmentation.describing.profiles import segment_positions
from crm_analysis.models.segmentation.describing.rules import SegmentRules, fit_segment_rules, surrogate_fidelity
from crm_analysis.models.segmentation.grouping.assignment import NOISE, Grouping, Labels
from crm_analysis.models.segmentation.grouping.dbscan import drawn_points
from crm_analysis.models.segmentation.grouping.kmeans import fit_kmeans, mean_silhouettes
from crm_analysis.models.segmentation.grouping.refitting import (
    KMEANS_ROWS,
    centre_grouping,
    finest_stable_grouping,
    fit_grouping,
)
from crm_analysis.models.segmentation.grouping.search import Search
from crm_analysis.models.segmentation.model import SegmentModel
from crm_analysis.models.segmentation.preparing.scaling import (
    RFM,
    Scaling,
    canonical_order,
    checked_features,
    fit_scaling,
)
from crm_analysis.models.segmentation.rfm import N_SCORES, fit_rfm_grid

GOOD_FIDELITY = 0.9


class Measured(Protocol):
    """What is known of how good groups are: a candidate, or a line of the criteria."""

    @property
    def stability_ari(self) -> float:
        """Mean adjusted Rand index between samples."""

    @property
    def silhouette(self) -> float:
        """Without noise."""


@dataclass(frozen=True)
class Found:
    """
    Segments with names, and how good they are.

    Attributes
    ----------
    labels : pandas.Series
        A segment per customer.
    grouping : Grouping or None
        What put them there; None where that was a model learned earlier.
    names : mapping
        Group number to segment.
    stability_ari : float
        Mean adjusted Rand index between samples; NaN where it is not known.
    silhouette : float
        Without noise; NaN with one segment.
    """

    labels: pd.Series
    grouping: Grouping | None
    names: Mapping[int, str]
    stability_ari: float
    silhouette: float


def find_segments(
    values: pd.DataFrame,
    points: pd.DataFrame,
    drawn: NDArray[np.intp],
    search: Search,
    *,
    seed: int,
    min_stability: float,
    min_cell: int,
) -> Found:
    """
    Return everybody's segment: a group that was found, or a part to work with where there are no groups.

    Parameters
    ----------
    values : pandas.DataFrame
        The features by which customers are grouped, a row each.
    points : pandas.DataFrame
        The same customers as points.
    drawn : numpy.ndarray
        The places of those among whom groups were looked for.
    search : Search
        What came of it.
    seed : int
        Start of the random numbers.
    min_stability : float
        Least stability of a cut.
    min_cell : int
        Least number of customers who meet a rule.

    Returns
    -------
    Found
        A cut is the finest that is stable and that rules can tell, else the finest stable one.
    """
    winner, winning = search.winner, search.winning
    if winner is not None and winning is not None:
        return _labelled(fit_grouping(points.to_numpy(), winning, seed=seed), values, points, winner)
    sample, chosen = values.iloc[drawn], points.iloc[drawn]

    def _can_be_told(numbers: Labels) -> bool:
        return (
            surrogate_fidelity(sample, _named(numbers, sample, chosen), seed=seed, min_cell=min_cell) >= GOOD_FIDELITY
        )

    cut = finest_stable_grouping(
        chosen.to_numpy(), search.criteria, min_stability=min_stability, seed=seed, describes=_can_be_told
    )
    measured = search.criteria.reindex([cut.n_groups]).iloc[0]
    return _labelled(fit_grouping(points.to_numpy(), cut, seed=seed), values, points, measured)


def _labelled(grouping: Grouping, values: pd.DataFrame, points: pd.DataFrame, measured: Measured) -> Found:
    """Return everybody's segment by name."""
    numbers = grouping.label(points.to_numpy())
    names = _names(numbers, values, points)
    labels = pd.Series(numbers, index=values.index).map(names).astype("str").rename("segment")
    return Found(labels, grouping, names, float(measured.stability_ari), float(measured.silhouette))


def _named(numbers: Labels, values: pd.DataFrame, points: pd.DataFrame) -> pd.Series:
    """Return segments by name."""
    return pd.Series(numbers, index=values.index).map(_names(numbers, values, points)).astype("str")


def _names(numbers: Labels, values: pd.DataFrame, points: pd.DataFrame) -> dict[int, str]:
    """Return a name for each group number."""
    if not numbers.any():
        return {0: ALL_CUSTOMERS}
    positions = segment_positions(points, numbers).drop(index=NOISE, errors="ignore")
    once = (values["frequency"] == 1).groupby(numbers).mean().to_dict() if "frequency" in values.columns else {}
    named = segment_names(positions, once)
    return {**{int(str(number)): str(name) for number, name in named.items()}, NOISE: NOISE_NAME}


def segment_model(
    known: pd.DataFrame, scaling: Scaling, found: Found, rules: SegmentRules, *, min_cell: int = 1
) -> SegmentModel:
    """
    Return what puts any customer into a segment.

    Parameters
    ----------
    known : pandas.DataFrame
        Everything known of the customers.
    scaling : Scaling
        How features become points.
    found : Found
        The segments.
    rules : SegmentRules
        The rules that tell them.
    min_cell : int
        Least number of customers that a centre may speak of.

    Returns
    -------
    SegmentModel
        Dense groups, and groups with a centre of too few customers, live on in their rules, which hold no single customer.
    """
    sizes = found.labels.value_counts()
    can_label = found.grouping is not None and found.grouping.labels_new and len(sizes) > 1 and sizes.min() >= min_cell
    return SegmentModel(
        columns=rules.columns,
        scaling=scaling,
        grouping=found.grouping if can_label else None,
        names=found.names,
        rules=rules,
        grid=fit_rfm_grid(known) if len(known) >= N_SCORES and set(RFM) <= set(known.columns) else None,
    )


def kept_segments(labels: pd.Series, points: pd.DataFrame, drawn: NDArray[np.intp]) -> Found:
    """
    Return the segments of a model learned earlier, as they stand among today's customers.

    Parameters
    ----------
    labels : pandas.Series
        What the model says of each.
    points : pandas.DataFrame
        The customers as points.
    drawn : numpy.ndarray
        The places of those whose silhouettes are measured.

    Returns
    -------
    Found
        Their stability is not known.
    """
    belongs = labels.iloc[drawn] != NOISE_NAME
    codes = pd.factorize(labels.iloc[drawn][belongs])[0].astype(np.intp)
    silhouette = float(mean_silhouettes(points.to_numpy()[drawn][belongs], [codes])[0]) if belongs.any() else np.nan
    return Found(labels, None, {}, np.nan, silhouette)


def cut_customers(features: pd.DataFrame, *, n_parts: int, columns: Sequence[str], seed: int) -> SegmentModel:
    """
    Cut customers into a given number of parts, and return what puts any customer into one.

    Parameters
    ----------
    features : pandas.DataFrame
        Index ``customer_id``, one row per customer.
    n_parts : int
        How many; fewer where there are fewer different customers.
    columns : sequence of str
        The features to group by.
    seed : int
        Start of the random numbers.

    Returns
    -------
    SegmentModel
        By the nearest of K-Means' centres; whether the parts are groups, or stable, was not asked.
    """
    values = checked_features(features, columns)
    values = values.iloc[canonical_order(values)]
    scaling = fit_scaling(values)
    points = scaling.apply(values)
    different = len(np.unique(points.to_numpy(), axis=0)) if points.shape[1] else 1
    sample = drawn_points(points.to_numpy(), KMEANS_ROWS, seed=seed)
    grouping = centre_grouping(fit_kmeans(sample, min(n_parts, different), seed=seed)) if different > 1 else None
    numbers = np.zeros(len(values), dtype=np.intp) if grouping is None else grouping.label(points.to_numpy())
    names = _names(numbers, values, points)
    found = Found(pd.Series(numbers, index=values.index).map(names).astype("str"), grouping, names, np.nan, np.nan)
    rules = fit_segment_rules(values, found.labels, seed=seed)
    return segment_model(features.loc[values.index], scaling, found, rules)
