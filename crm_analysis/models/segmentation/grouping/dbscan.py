"""
DBSCAN beside K-Means: dense groups of any shape, and customers who belong to none.

How dense groups are tested is in ``dense_tests``; which algorithm suits the customers, in ``decision``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors

from crm_analysis.models.segmentation.grouping.assignment import NOISE, DenseGrouping, Labels
from crm_analysis.models.segmentation.preparing.straightening import Floats

MIN_GROUP_SHARE = 0.01
MAX_NEIGHBOURS = 20_000_000
CURVE_ROWS = 20_000
_PROBES = 400


@dataclass(frozen=True)
class DenseGroups:
    """
    What DBSCAN or HDBSCAN found.

    Attributes
    ----------
    eps : float
        Radius of a neighbourhood, in standard deviations; NaN where each customer has its own (HDBSCAN).
    min_samples : int
        Customers within the radius, oneself included, that make a core customer.
    grouping : DenseGrouping
        The core customers who belong to a group, with which any customer can be labelled.
    labels : numpy.ndarray
        The groups of the customers it was fitted to; -1 is noise.
    fitted_rows : int
        Customers among whom core customers were sought: all, or a sample where their neighbourhoods would not fit in memory.
    """

    eps: float
    min_samples: int
    grouping: DenseGrouping
    labels: Labels
    fitted_rows: int

    @property
    def n_groups(self) -> int:
        """Return the number of groups, noise not counted."""
        return self.grouping.n_groups

    @property
    def is_sampled(self) -> bool:
        """Return whether core customers were sought in a sample only."""
        return self.fitted_rows < len(self.labels)

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
            The group of the nearest core customer in whose neighbourhood the customer stands, else -1.
        """
        return self.grouping.label(points)


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


def k_distances(points: Floats, *, min_samples: int, of: Floats | None = None) -> Floats:
    """
    Return customers' distances to the last neighbour that makes a core customer, in ascending order.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    min_samples : int
        Neighbours, oneself included.
    of : numpy.ndarray, optional
        Those of the customers whose distances are wanted; all by default.

    Returns
    -------
    numpy.ndarray
        As many as customers asked for.
    """
    neighbours = NearestNeighbors(n_neighbors=min(min_samples, len(points))).fit(points)
    distances, _ = neighbours.kneighbors(points if of is None else of)
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


def fit_dbscan(
    points: Floats, *, eps: float | None = None, min_samples: int | None = None, seed: int = 0
) -> DenseGroups:
    """
    Find dense groups, in bounded memory whatever the radius.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    eps : float, optional
        Radius; by default the knee of the sorted distances to the neighbour number ``min_samples``.
    min_samples : int, optional
        By default :func:`default_min_samples`.
    seed : int
        Start of the random numbers; they matter only where a sample is needed.

    Returns
    -------
    DenseGroups
        Groups of less than 1 % of the customers count as noise.

    Notes
    -----
    The algorithm holds every customer's list of neighbours. Where some hundred customers' lists say that all of them together
    hold more than 20 million entries, core customers are sought in a random sample whose lists do not. Whether one of the
    sample is core is still counted among *all* customers, so that density means the same; only the joining of neighbours to
    groups is left to the sample. Everybody then gets the group of the nearest core customer within the radius. The curve of
    distances is read at 20,000 customers at most.

    References
    ----------
    Ester et al. (1996), "A density-based algorithm for discovering clusters", for DBSCAN and the k-distance curve.
    """
    needed = min_samples or default_min_samples(*points.shape)
    curve = k_distances(points, min_samples=needed, of=drawn_points(points, CURVE_ROWS, seed=seed))
    radius = float(eps if eps is not None else curve[knee(curve)])
    radius = max(radius, float(curve[curve > 0][0]) if (curve > 0).any() else 1e-9)
    rows = _affordable_rows(points, radius, seed=seed)
    sample = drawn_points(points, rows, seed=seed)
    core, core_labels, of_sample = _joined(points, sample, eps=radius, min_samples=needed)
    numbers = large_groups(of_sample)[core_labels]
    belongs = numbers != NOISE
    grouping = DenseGrouping("dbscan", core[belongs], numbers[belongs], np.full(int(belongs.sum()), radius))
    return DenseGroups(radius, needed, grouping, labels=grouping.label(points), fitted_rows=len(sample))


def large_groups(labels: Labels) -> Labels:
    """
    Return new numbers for groups, without those of less than 1 % of the customers.

    Parameters
    ----------
    labels : numpy.ndarray
        Groups from 0; -1 is noise.

    Returns
    -------
    numpy.ndarray
        To be indexed by the old number: the new one, or -1.

    Examples
    --------
    >>> large_groups(np.array([0] * 99 + [1] + [2] * 99))[[0, 1, 2, -1]].tolist()
    [0, -1, 1, -1]
    """
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    kept = np.flatnonzero(sizes >= max(1, MIN_GROUP_SHARE * len(labels)))
    numbers = np.full(len(sizes) + 1, NOISE, dtype=np.intp)
    numbers[kept] = np.arange(len(kept))
    return numbers


def drawn_points(points: Floats, rows: int, *, seed: int) -> Floats:
    """
    Return customers drawn at random.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    rows : int
        How many are wanted.
    seed : int
        Start of the random numbers.

    Returns
    -------
    numpy.ndarray
        In the order given; all of them where there are no more.
    """
    if len(points) <= rows:
        return points
    return points[np.sort(np.random.default_rng(seed).permutation(len(points))[:rows])]


def _affordable_rows(points: Floats, radius: float, *, seed: int) -> int:
    """Return how many customers may be looked at before their lists of neighbours are too long, from a few hundred lists."""
    probes = drawn_points(points, _PROBES, seed=seed)
    among = drawn_points(points, CURVE_ROWS, seed=seed + 1)
    within = cKDTree(among).query_ball_point(probes, radius, return_length=True)
    share = max(float(np.mean(within)) / len(among), 1 / len(points))
    return max(1, min(len(points), int(math.sqrt(MAX_NEIGHBOURS / share))))


def _joined(points: Floats, sample: Floats, *, eps: float, min_samples: int) -> tuple[Floats, Labels, Labels]:
    """Return the core customers of a sample, their groups, and the groups of the whole sample."""
    if len(sample) == len(points):
        fit = DBSCAN(eps=eps, min_samples=min_samples).fit(points)
        core = fit.core_sample_indices_
        return points[core], fit.labels_[core], fit.labels_
    distances, _ = NearestNeighbors(n_neighbors=min_samples).fit(points).kneighbors(sample)
    core = np.flatnonzero(distances[:, -1] <= eps)
    of_sample = np.full(len(sample), NOISE, dtype=np.intp)
    if len(core):
        of_sample[core] = DBSCAN(eps=eps, min_samples=1).fit(sample[core]).labels_
    return sample[core], of_sample[core], of_sample


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


def density_at_cuts(points: Floats, cut: Labels, dense: Labels, *, min_samples: int, least_share: float = 0.0) -> float:
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
    least_share : float
        Share of the customers that a border must concern to count as one.

    Returns
    -------
    float
        Median density of the customers at a border over the median density of their dense group; NaN where no border runs
        through a dense group.

    Notes
    -----
    Density is one over the volume that holds ``min_samples`` neighbours.
    """
    distances, neighbours = NearestNeighbors(n_neighbors=min(min_samples, len(points))).fit(points).kneighbors(points)
    density = 1.0 / np.maximum(distances[:, -1], 1e-9) ** points.shape[1]
    same_mass = (dense[neighbours] == dense[:, None]) & (dense[:, None] != NOISE)
    at_border = ((cut[neighbours] != cut[:, None]) & same_mass).any(axis=1)
    if not at_border.any() or at_border.mean() < least_share:
        return float("nan")
    typical = np.array([np.median(density[dense == group]) for group in range(dense.max() + 1)])
    return float(np.median(density[at_border] / typical[dense[at_border]]))
