"""
Groupings that have been found: what each knows, and how it puts any customer into a group.

How they are found is in the modules of the algorithms, and how they are found anew for more customers in ``refitting``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crm_analysis.models.segmentation.preparing.straightening import Floats

Labels = NDArray[np.intp]

NOISE = -1
LABELS_NEW = ("kmeans", "mixture")
_CHUNK = 65_536
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True)
class Grouping(ABC):
    """
    Groups of customers as one algorithm sees them.

    Attributes
    ----------
    algorithm : str
        ``kmeans``, ``dbscan``, ``hdbscan`` or ``mixture``.

    Notes
    -----
    A customer's group is the same alone and in any company, to the last bit: distances are summed feature by feature, never by a
    matrix product, whose rounding depends on how many rows it is given.
    """

    algorithm: str

    @property
    @abstractmethod
    def n_groups(self) -> int:
        """Return the number of groups, noise not counted."""

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Return the number of coordinates of a point."""

    @property
    def labels_new(self) -> bool:
        """Return whether customers who were not there when the groups were found can be put into one."""
        return self.algorithm in LABELS_NEW

    def label(self, points: Floats) -> Labels:
        """
        Return the groups of any customers.

        Parameters
        ----------
        points : numpy.ndarray
            One row per customer, in the coordinates in which the groups were found.

        Returns
        -------
        numpy.ndarray
            Numbers from 0; -1 is noise. Between two groups that are equally near, the lower number is taken.
        """
        if points.ndim != 2 or points.shape[1] != self.n_features:
            raise ValueError(f"points must have {self.n_features} columns, got an array of shape {points.shape}")
        if strange := int((~np.isfinite(points)).any(axis=1).sum()):
            raise ValueError(
                f"points must be finite, got {strange} of {len(points)} rows with missing or infinite values"
            )
        return self._labelled(points)

    @abstractmethod
    def _labelled(self, points: Floats) -> Labels:
        """Return the groups of customers whose coordinates are known to be sound."""


@dataclass(frozen=True)
class CentreGrouping(Grouping):
    """
    Groups around centres (K-Means).

    Attributes
    ----------
    centres : numpy.ndarray
        A row per group.
    """

    centres: Floats

    @property
    def n_groups(self) -> int:
        """Return the number of groups."""
        return len(self.centres)

    @property
    def n_features(self) -> int:
        """Return the number of coordinates of a point."""
        return int(self.centres.shape[1])

    def _labelled(self, points: Floats) -> Labels:
        """Return the nearest centres."""
        return _in_chunks(points, lambda some: _least(_squared_distance(some, centre) for centre in self.centres))


@dataclass(frozen=True)
class MixtureGrouping(Grouping):
    """
    Groups as the components of a mixture of normal distributions.

    Attributes
    ----------
    weights : numpy.ndarray
        The share of each component.
    means : numpy.ndarray
        A row per component.
    precisions_cholesky : numpy.ndarray
        Per component the upper triangular matrix that makes its customers uncorrelated with variance 1.
    covariance : str
        ``full``: every component has a shape of its own; ``tied``: all have the same; ``round``: all are equally wide in every
        direction.
    """

    weights: Floats
    means: Floats
    precisions_cholesky: Floats
    covariance: str

    @property
    def n_groups(self) -> int:
        """Return the number of components."""
        return len(self.means)

    @property
    def n_features(self) -> int:
        """Return the number of coordinates of a point."""
        return int(self.means.shape[1])

    def _labelled(self, points: Floats) -> Labels:
        """Return the components that most probably brought the customers forth."""
        roots = np.diagonal(self.precisions_cholesky, axis1=1, axis2=2)
        heads = -2 * (np.log(np.maximum(self.weights, 1e-300)) + np.log(roots).sum(axis=1))
        shapes = list(zip(heads, self.means, self.precisions_cholesky, strict=True))
        return _in_chunks(
            points, lambda some: _least(_whitened_distance(some, mean, root) + head for head, mean, root in shapes)
        )


@dataclass(frozen=True)
class DenseGrouping(Grouping):
    """
    Groups as dense regions of any shape (DBSCAN, HDBSCAN); who stands in none is noise.

    Attributes
    ----------
    core_points : numpy.ndarray
        Customers who make a group dense, a row each.
    core_labels : numpy.ndarray
        Their groups, from 0.
    radii : numpy.ndarray
        How far the neighbourhood of each reaches: with DBSCAN the same for all.
    """

    core_points: Floats
    core_labels: Labels
    radii: Floats

    @property
    def n_groups(self) -> int:
        """Return the number of groups, noise not counted."""
        return len(np.unique(self.core_labels))

    @property
    def n_features(self) -> int:
        """Return the number of coordinates of a point."""
        return int(self.core_points.shape[1])

    def _labelled(self, points: Floats) -> Labels:
        """Return the groups of the nearest core customers in whose neighbourhood the customers stand, else -1."""
        labels = np.full(len(points), NOISE, dtype=np.intp)
        nearest = np.full(len(points), np.inf)
        for group in np.unique(self.core_labels):
            distances = self._distances(points, group)
            closer = distances < nearest
            labels[closer], nearest[closer] = group, distances[closer]
        return labels

    def _distances(self, points: Floats, group: int) -> Floats:
        """Return the distances to the nearest core customer of one group, infinite outside of its neighbourhood."""
        members = np.flatnonzero(self.core_labels == group)
        reach = float(self.radii[members].max())
        tree = cKDTree(self.core_points[members])
        distances, at = tree.query(points, distance_upper_bound=reach * _ROUNDING)
        found = np.flatnonzero(at < len(members))
        inside = found[distances[found] <= self.radii[members[at[found]]]]
        within = np.full(len(points), np.inf)
        within[inside] = distances[inside]
        return within


def _in_chunks(points: Floats, label: Callable[[Floats], Labels]) -> Labels:
    """Return the labels of any number of customers in bounded memory."""
    labels = np.empty(len(points), dtype=np.intp)
    for at in range(0, len(points), _CHUNK):
        labels[at : at + _CHUNK] = label(points[at : at + _CHUNK])
    return labels


def _least(distances: Iterable[Floats]) -> Labels:
    """Return the position of the smallest distance, the first of equal ones; two arrays at a time are held."""
    rest = iter(distances)
    best = next(rest)
    labels = np.zeros(len(best), dtype=np.intp)
    for number, distance in enumerate(rest, start=1):
        closer = distance < best
        labels[closer], best[closer] = number, distance[closer]
    return labels


def _squared_distance(points: Floats, centre: Floats) -> Floats:
    """Return squared distances, summed feature by feature."""
    total = np.zeros(len(points))
    for at, coordinate in enumerate(centre):
        difference = points[:, at] - coordinate
        total += difference * difference
    return total


def _whitened_distance(points: Floats, mean: Floats, root: Floats) -> Floats:
    """Return squared distances in a component's own standard deviations, summed feature by feature."""
    total = np.zeros(len(points))
    for column in range(len(mean)):
        along = np.zeros(len(points))
        for row in range(column + 1):
            along += (points[:, row] - mean[row]) * root[row, column]
        total += along * along
    return total
