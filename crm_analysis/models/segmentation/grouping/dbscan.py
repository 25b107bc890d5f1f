"""
DBSCAN beside K-Means: dense groups of any shape, and customers who belong to none.

Which of the two suits the customers is said in ``result``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from crm_analysis.models.segmentation.grouping.kmeans import Labels, mean_silhouettes
from crm_analysis.models.segmentation.grouping.reference import Reference
from crm_analysis.models.segmentation.preparing.straightening import Floats

NOISE = -1
MIN_GROUP_SHARE = 0.01
SUBSAMPLE_SHARE = 0.8


@dataclass(frozen=True)
class DenseGroups:
    """
    What DBSCAN found.

    Attributes
    ----------
    eps : float
        Radius of a neighbourhood, in standard deviations.
    min_samples : int
        Customers within the radius, oneself included, that make a core customer.
    core_points : numpy.ndarray
        The core customers who belong to a group.
    core_labels : numpy.ndarray
        Their groups, from 0.
    labels : numpy.ndarray
        The groups of the customers it was fitted to; -1 is noise.
    """

    eps: float
    min_samples: int
    core_points: Floats
    core_labels: Labels
    labels: Labels

    @property
    def n_groups(self) -> int:
        """Return the number of groups, noise not counted."""
        return len(np.unique(self.core_labels))

    def label(self, points: Floats) -> Labels:
        """
        Return the groups of any customers.

        Parameters
        ----------
        points : numpy.ndarray
            One row per customer.

        Returns
        -------
        numpy.ndarray
            The group of the nearest core customer within ``eps``, else -1.
        """
        labels = np.full(len(points), NOISE, dtype=np.intp)
        if self.n_groups:
            distances, nearest = NearestNeighbors(n_neighbors=1).fit(self.core_points).kneighbors(points)
            within = distances[:, 0] <= self.eps
            labels[within] = self.core_labels[nearest[within, 0]]
        return labels


def default_min_samples(rows: int, dimensions: int) -> int:
    """
    Return how many neighbours make a core customer.

    Parameters
    ----------
    rows : int
        Number of customers.
    dimensions : int
        Number of features.

    Returns
    -------
    int
        At least twice the dimensions.

    Notes
    -----
    ``max(2 * dimensions, 2 * log(rows))``. Twice the dimensions alone is the usual advice; on a few thousand customers it broke
    two half-moons into up to ten pieces and found groups in data without any in up to 100 % of trials; this: none and 0–10 %.
    """
    return max(2 * dimensions, round(2 * math.log(rows)))


def k_distances(points: Floats, *, min_samples: int) -> Floats:
    """
    Return every customer's distance to the last neighbour that makes a core customer, in ascending order.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    min_samples : int
        Neighbours, oneself included.

    Returns
    -------
    numpy.ndarray
        As many as customers.
    """
    distances, _ = NearestNeighbors(n_neighbors=min(min_samples, len(points))).fit(points).kneighbors(points)
    return np.sort(distances[:, -1])


def knee(ascending: Floats) -> int:
    """
    Return the position at which an ascending curve bends most sharply.

    Parameters
    ----------
    ascending : numpy.ndarray
        Values in ascending order.

    Returns
    -------
    int
        A position; 0 when all values are the same.

    Notes
    -----
    The point farthest below the chord from the first to the last value, both axes scaled to [0, 1].

    References
    ----------
    Satopää et al. (2011), "Finding a 'kneedle' in a haystack".

    Examples
    --------
    >>> knee(np.array([0.0, 0.1, 0.2, 0.3, 5.0]))
    3
    """
    height = ascending[-1] - ascending[0]
    if height <= 0:
        return 0
    along = np.linspace(0.0, 1.0, len(ascending))
    return int(np.argmax(along - (ascending - ascending[0]) / height))


def fit_dbscan(points: Floats, *, eps: float | None = None, min_samples: int | None = None) -> DenseGroups:
    """
    Find dense groups.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    eps : float, optional
        Radius; by default the knee of the sorted distances to the neighbour number ``min_samples``.
    min_samples : int, optional
        By default :func:`default_min_samples`.

    Returns
    -------
    DenseGroups
        Groups of less than 1 % of the customers count as noise.

    References
    ----------
    Ester et al. (1996), "A density-based algorithm for discovering clusters", for DBSCAN and the k-distance curve.
    """
    needed = min_samples or default_min_samples(*points.shape)
    curve = k_distances(points, min_samples=needed)
    radius = float(eps if eps is not None else curve[knee(curve)])
    radius = max(radius, float(curve[curve > 0][0]) if (curve > 0).any() else 1e-9)
    fit = DBSCAN(eps=radius, min_samples=needed).fit(points)
    core = fit.core_sample_indices_
    sizes = np.bincount(fit.labels_[fit.labels_ != NOISE], minlength=1)
    kept = np.flatnonzero(sizes >= max(1, MIN_GROUP_SHARE * len(points)))
    numbers = np.full(len(sizes) + 1, NOISE, dtype=np.intp)
    numbers[kept] = np.arange(len(kept))
    core_labels = numbers[fit.labels_[core]]
    belongs = core_labels != NOISE
    groups = DenseGroups(radius, needed, points[core][belongs], core_labels[belongs], labels=fit.labels_)
    return replace(groups, labels=groups.label(points))


def dbscan_stability(points: Floats, groups: DenseGroups, *, seed: int, n_bootstraps: int) -> float:
    """
    Return how alike the dense groups come out on parts of the customers.

    Parameters
    ----------
    points : numpy.ndarray
        The customers the groups were found in.
    groups : DenseGroups
        What was found.
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
        agreement.append(adjusted_rand_score(groups.labels[part], fit_dbscan(points[part]).labels))
    return float(np.mean(agreement))


def chance_groups(groups: DenseGroups, reference: Reference, *, rows: int, draws: int, seed: int) -> float:
    """
    Return in which share of data sets without groups DBSCAN finds as much all the same.

    Parameters
    ----------
    groups : DenseGroups
        What was found in the customers.
    reference : Reference
        Data without groups.
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
    drawn = (fit_dbscan(reference.draw(rows, seed=seed + draw)) for draw in range(draws))
    return float(np.mean([second_share(one.labels) >= found for one in drawn]))


def second_share(labels: Labels) -> float:
    """
    Return the share of customers in the second largest group.

    Parameters
    ----------
    labels : numpy.ndarray
        Groups; -1 is noise.

    Returns
    -------
    float
        0 with fewer than two groups.
    """
    sizes = np.sort(np.bincount(labels[labels != NOISE], minlength=2))
    return float(sizes[-2] / len(labels))


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


def density_at_cuts(points: Floats, cut: Labels, dense: Labels, *, min_samples: int) -> float:
    """
    Return how dense a grouping's borders are inside groups that DBSCAN sees as one.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    cut : numpy.ndarray
        The grouping whose borders are examined, such as that of K-Means.
    dense : numpy.ndarray
        DBSCAN's groups; -1 is noise.
    min_samples : int
        Neighbours by which density is measured.

    Returns
    -------
    float
        Median density of the customers at a border over the median density of their dense group; NaN where no border runs
        through a dense group.

    Notes
    -----
    Density is one over the volume that holds ``min_samples`` neighbours. On planted normal groups four standard deviations apart
    the ratio was .2 to .7, on half-moons and rings that K-Means cuts .75 to 1.15.
    """
    distances, neighbours = NearestNeighbors(n_neighbors=min(min_samples, len(points))).fit(points).kneighbors(points)
    density = 1.0 / np.maximum(distances[:, -1], 1e-9) ** points.shape[1]
    same_mass = (dense[neighbours] == dense[:, None]) & (dense[:, None] != NOISE)
    at_border = ((cut[neighbours] != cut[:, None]) & same_mass).any(axis=1)
    if not at_border.any():
        return float("nan")
    typical = np.array([np.median(density[dense == group]) for group in range(dense.max() + 1)])
    return float(np.median(density[at_border] / typical[dense[at_border]]))
