"""
The search for groups: K-Means and DBSCAN are run on a sample of customers, tested, and compared.

The procedures and their tests are in ``kmeans``, ``dbscan`` and ``comparison``; segments with names are made in ``result``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.grouping.comparison import (
    Candidate,
    compare,
    dbscan_candidate,
    kmeans_candidate,
    suited,
)
from crm_analysis.models.segmentation.grouping.dbscan import DenseGroups, fit_dbscan
from crm_analysis.models.segmentation.grouping.kmeans import (
    CRITERIA,
    CUSTOMERS_PER_GROUP,
    choose_n_groups,
    fit_kmeans,
    kmeans_criteria,
)
from crm_analysis.models.segmentation.grouping.reference import fit_reference
from crm_analysis.models.segmentation.preparing.scaling import Scaling, spread_whole_numbers


@dataclass(frozen=True)
class Search:
    """
    What the search for groups came to.

    Attributes
    ----------
    winner : Candidate or None
        The candidate that suits; None when neither holds.
    reason : str
        Why, in a sentence or two.
    criteria : pandas.DataFrame
        Every number of groups tried with K-Means; ``choice`` says which is ``chosen``, or best ``but not taken``.
    comparison : pandas.DataFrame
        A row per algorithm, the attributes of a candidate as columns.
    groups : DenseGroups or None
        What DBSCAN found; None where nothing could be tried.
    """

    winner: Candidate | None
    reason: str
    criteria: pd.DataFrame
    comparison: pd.DataFrame
    groups: DenseGroups | None


def search_groups(
    features: pd.DataFrame,
    scaling: Scaling,
    *,
    seed: int,
    max_segments: int,
    min_stability: float,
    n_bootstraps: int,
    min_cell: int = 1,
) -> Search:
    """
    Look for groups with K-Means and with DBSCAN, and decide.

    Parameters
    ----------
    features : pandas.DataFrame
        Raw features of the customers, or of a sample of them.
    scaling : Scaling
        How they become points.
    seed : int
        Start of the random numbers.
    max_segments : int
        The largest number of groups tried with K-Means.
    min_stability : float
        Least stability.
    n_bootstraps : int
        Samples for the stability.
    min_cell : int
        Least number of customers of whom a share is told.

    Returns
    -------
    Search
        With fewer than twenty customers, or when no feature varies, nothing is tried.

    Notes
    -----
    For DBSCAN, whole numbers are spread over the unit around them (see
    :func:`~crm_analysis.models.segmentation.preparing.scaling.spread_whole_numbers`); the groups found then take in the customers as they are.
    """
    points = scaling.apply(features).to_numpy()
    if len(points) < 2 * CUSTOMERS_PER_GROUP or not points.shape[1]:
        return _nothing_tried(len(points))
    reference = fit_reference(features, scaling, seed=seed)
    criteria = kmeans_criteria(points, reference, seed=seed, max_segments=max_segments, n_bootstraps=n_bootstraps)
    choice = choose_n_groups(criteria, min_stability=min_stability)
    kmeans_labels = fit_kmeans(points, choice.n_groups, seed=seed).labels_
    kmeans = kmeans_candidate(criteria, choice, kmeans_labels, min_cell=min_cell)

    spread = spread_whole_numbers(features, seed=seed)
    dense_points = scaling.apply(spread).to_numpy()
    found = fit_dbscan(dense_points)
    groups = replace(found, labels=found.label(points))
    reference = fit_reference(spread, scaling, seed=seed)
    dbscan = dbscan_candidate(
        dense_points,
        groups,
        reference,
        seed=seed,
        min_stability=min_stability,
        n_bootstraps=n_bootstraps,
        min_cell=min_cell,
    )

    winner, reason = suited(dense_points, kmeans, kmeans_labels, dbscan, groups)
    word = "chosen" if winner is kmeans else "best, but not taken"
    criteria["choice"] = [word if number == choice.n_groups else "" for number in criteria.index]
    return Search(winner, reason, criteria, compare([kmeans, dbscan]), groups)


def _nothing_tried(customers: int) -> Search:
    """Return a search without a result."""
    nothing = f"{customers:,} customers are too few, or differ too little, to look for groups"
    untried = Candidate("kmeans", 1, 1.0, 0.0, np.nan, np.nan, is_accepted=False, reading=nothing)
    criteria = pd.DataFrame(columns=[*CRITERIA, "choice"], index=pd.Index([], name="n_groups", dtype=int), dtype=float)
    return Search(None, f"{nothing}.", criteria, compare([untried, replace(untried, algorithm="dbscan")]), None)
