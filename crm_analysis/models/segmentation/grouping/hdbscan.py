"""
HDBSCAN, a challenger: dense groups of any shape whose densities differ, which a single radius cannot hold.

How dense groups are tested is in ``dense_tests``.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.neighbors import NearestNeighbors

from crm_analysis.models.segmentation.grouping.assignment import NOISE, DenseGrouping
from crm_analysis.models.segmentation.grouping.dbscan import (
    MIN_GROUP_SHARE,
    DenseGroups,
    default_min_samples,
    drawn_points,
    large_groups,
)
from crm_analysis.models.segmentation.preparing.straightening import Floats

FIT_ROWS = 10_000


def fit_hdbscan(points: Floats, *, seed: int = 0) -> DenseGroups:
    """
    Find dense groups whose densities may differ.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    seed : int
        Start of the random numbers; they matter only where a sample is needed.

    Returns
    -------
    DenseGroups
        Groups of less than 1 % of the customers count as noise.

    Notes
    -----
    It looks at 10,000 customers at most, since time and memory grow with their square. The groups are those that last longest
    as the radius shrinks ("excess of mass"); as many neighbours make a core customer as with DBSCAN. A customer belongs to the group
    of the nearest member if it stands within that member's core distance, the radius of the neighbourhood that makes the
    member core: small where the group is dense, large where it is thin.

    References
    ----------
    Campello, Moulavi, Sander (2013), "Density-based clustering based on hierarchical density estimates".
    """
    sample = drawn_points(points, FIT_ROWS, seed=seed)
    needed = min(default_min_samples(*points.shape), len(sample) - 1)
    least = max(needed, int(np.ceil(MIN_GROUP_SHARE * len(sample))), 2)
    found = HDBSCAN(min_cluster_size=least, min_samples=needed, copy=True).fit(sample).labels_.astype(np.intp)
    numbers = large_groups(found)[found]
    members = np.flatnonzero(numbers != NOISE)
    radii = np.zeros(0)
    if len(members):
        distances, _ = NearestNeighbors(n_neighbors=needed).fit(sample).kneighbors(sample[members])
        radii = distances[:, -1]
    grouping = DenseGrouping("hdbscan", sample[members], numbers[members], radii)
    return DenseGroups(float("nan"), needed, grouping, labels=grouping.label(points), fitted_rows=len(sample))
