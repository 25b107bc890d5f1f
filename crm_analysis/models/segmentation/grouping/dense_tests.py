"""
What dense groups are asked, whoever found them: whether they come out again, turn up by chance, and stand apart.

How they are found is in ``dbscan`` and ``hdbscan``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.metrics import adjusted_rand_score

from crm_analysis.models.segmentation.grouping.assignment import NOISE, Labels
from crm_analysis.models.segmentation.grouping.dbscan import DenseGroups, second_share
from crm_analysis.models.segmentation.grouping.kmeans import mean_silhouettes
from crm_analysis.models.segmentation.grouping.reference import Reference
from crm_analysis.models.segmentation.preparing.straightening import Floats

SUBSAMPLE_SHARE = 0.8


def dense_stability(
    points: Floats, groups: DenseGroups, *, fit: Callable[[Floats], DenseGroups], seed: int, n_bootstraps: int
) -> float:
    """
    Return how alike dense groups come out on parts of the customers.

    Parameters
    ----------
    points : numpy.ndarray
        The customers the groups were found in.
    groups : DenseGroups
        What was found.
    fit : callable
        What finds groups, such as :func:`fit_dbscan`.
    seed : int
        Start of the random numbers.
    n_bootstraps : int
        Number of parts.

    Returns
    -------
    float
        Mean adjusted Rand index between the groups (noise being one more) and those found, radius included, in parts of
        80 % drawn without replacement: copies of a customer, as a bootstrap draws them, would look like density.
    """
    rng = np.random.default_rng(seed)
    agreement = []
    for _ in range(n_bootstraps):
        part = np.sort(rng.permutation(len(points))[: int(SUBSAMPLE_SHARE * len(points))])
        agreement.append(adjusted_rand_score(groups.labels[part], fit(points[part]).labels))
    return float(np.mean(agreement))


def chance_groups(
    groups: DenseGroups,
    reference: Reference,
    *,
    fit: Callable[[Floats], DenseGroups],
    rows: int,
    draws: int,
    seed: int,
) -> float:
    """
    Return in which share of data sets without groups as much is found all the same.

    Parameters
    ----------
    groups : DenseGroups
        What was found in the customers.
    reference : Reference
        Data without groups.
    fit : callable
        What finds groups, such as :func:`fit_dbscan`.
    rows : int
        Customers per data set.
    draws : int
        Data sets.
    seed : int
        Start of the random numbers.

    Returns
    -------
    float
        In [0, 1]: in which share the second largest group is as large as the customers' second largest.
    """
    found = second_share(groups.labels)
    drawn = (fit(reference.draw(rows, seed=seed + draw)) for draw in range(draws))
    return float(np.mean([second_share(one.labels) >= found for one in drawn]))


def silhouette_without_noise(points: Floats, labels: Labels) -> float:
    """
    Return the mean silhouette of the customers who belong to a group.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    labels : numpy.ndarray
        Groups; -1 is noise.

    Returns
    -------
    float
        NaN with fewer than two groups.
    """
    belongs = labels != NOISE
    return float(mean_silhouettes(points[belongs], [labels[belongs]])[0]) if belongs.any() else float("nan")
