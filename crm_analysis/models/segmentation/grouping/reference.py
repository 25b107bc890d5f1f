"""
Data without groups: what the same procedure would find if there were nothing to find.

The procedures themselves are in the modules beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import ndtr

from crm_analysis.models.segmentation.preparing.scaling import Scaling
from crm_analysis.models.segmentation.preparing.straightening import Floats, is_whole

_MAX_LATTICE = 2_000
_MAX_BINS = 50
_TIED_SHARE, _LEAST_TIED = 0.02, 5  # of customers with the very same value, that make it a spike
_CALIBRATION_ROWS = 4_000
_CALIBRATION_STEPS = 8
_LEAST_EIGENVALUE = 1e-3


@dataclass(frozen=True)
class Margin:
    """
    How one feature is spread over customers if it has a single hump.

    Attributes
    ----------
    support : numpy.ndarray
        The values that can occur (a lattice), or the edges of bins.
    cumulative : numpy.ndarray
        The share of customers up to each value, or up to the end of each bin.
    is_lattice : bool
        Whether only the values of ``support`` occur, as with counts and days.
    """

    support: Floats
    cumulative: Floats
    is_lattice: bool

    def at(self, shares: Floats) -> Floats:
        """
        Return the quantiles.

        Parameters
        ----------
        shares : numpy.ndarray
            In [0, 1].

        Returns
        -------
        numpy.ndarray
            Coordinates.
        """
        if self.is_lattice:
            return self.support[np.minimum(np.searchsorted(self.cumulative, shares), len(self.support) - 1)]
        return np.interp(shares, np.concatenate([[0.0], self.cumulative]), self.support)


@dataclass(frozen=True)
class Reference:
    """
    A source of data that look like the customers in everything but groups.

    Attributes
    ----------
    margins : tuple of Margin
        One per feature.
    factor : numpy.ndarray
        Turns independent normal draws into dependent ones.
    """

    margins: tuple[Margin, ...]
    factor: Floats

    def draw(self, rows: int, *, seed: int) -> Floats:
        """
        Draw customers who form no groups.

        Parameters
        ----------
        rows : int
            How many.
        seed : int
            Start of the random numbers.

        Returns
        -------
        numpy.ndarray
            One point per row.
        """
        return _pushed(
            np.random.default_rng(seed).standard_normal((rows, len(self.margins))), self.factor, self.margins
        )


def fit_reference(features: pd.DataFrame, scaling: Scaling, *, seed: int) -> Reference:
    """
    Learn what the customers would look like without groups.

    Parameters
    ----------
    features : pandas.DataFrame
        Raw features.
    scaling : Scaling
        How they become points.
    seed : int
        Start of the random numbers.

    Returns
    -------
    Reference
        To draw from.

    Notes
    -----
    A Gaussian cloud of the same covariance is no fair opponent: a spike of one-time buyers, days that pile up at a
    bound and a skew that no logarithm takes away all raise the silhouette without there being groups. Here every
    feature keeps its own distribution, bounds, spikes and whole numbers included, but for one thing: it is replaced by
    the nearest distribution with a single hump (least squares; by whole numbers where the feature has them, else in up
    to 50 bins, on top of which values that 2 % of the customers share stay as they are). The features are joined by a Gaussian copula whose correlations are adjusted until the drawn points
    correlate as the customers do. What this cannot tell from groups is dependence that is more than correlation, such as
    one-time buyers who all joined in the same month.

    References
    ----------
    Cario, Nelson (1997), "Modeling and generating random vectors with arbitrary marginal distributions and correlation
    matrix", for the adjusted copula; Tibshirani, Walther, Hastie (2001), "Estimating the number of clusters in a data
    set via the gap statistic", for the idea of reference data.
    """
    points = scaling.apply(features).to_numpy()
    margins = tuple(
        _margin(features[name].to_numpy(dtype=float), points[:, at], name, scaling)
        for at, name in enumerate(scaling.table.index)
    )
    normal = np.random.default_rng(seed).standard_normal((_CALIBRATION_ROWS, len(margins)))
    wanted = _correlation(points)
    latent = _nearest_correlation(wanted)
    for _ in range(_CALIBRATION_STEPS):
        reached = _correlation(_pushed(normal, _factor(latent), margins))
        latent = _nearest_correlation(latent + wanted - reached)
    return Reference(margins, _factor(latent))


def single_humped(masses: Floats) -> Floats:
    """
    Return the nearest sequence that rises to one peak and falls after it.

    Parameters
    ----------
    masses : numpy.ndarray
        Shares of customers, in the order of the values.

    Returns
    -------
    numpy.ndarray
        As long, with the same sum; nearest by least squares.

    Examples
    --------
    >>> single_humped(np.array([0.5, 0.0, 0.2, 0.3])).round(2)
    array([0.5 , 0.17, 0.17, 0.17])
    """
    best, least = masses, np.inf
    for peak in range(len(masses) + 1):
        rising = isotonic_regression(masses[:peak]).x if peak else masses[:0]
        falling = isotonic_regression(masses[peak:], increasing=False).x if peak < len(masses) else masses[:0]
        candidate = np.concatenate([rising, falling])
        if (distance := float(((candidate - masses) ** 2).sum())) < least - 1e-15:
            best, least = candidate, distance
    return best


def _margin(raw: Floats, coordinates: Floats, name: str, scaling: Scaling) -> Margin:
    """Return a feature's distribution with a single hump, by whole numbers where it has them."""
    if is_whole(raw) and np.ptp(raw) <= _MAX_LATTICE:
        lattice = np.arange(raw.min(), raw.max() + 1)
        masses = np.bincount((raw - raw.min()).astype(int)) / len(raw)
        return Margin(scaling.column(name, lattice), np.cumsum(single_humped(masses)), is_lattice=True)
    values, counts = np.unique(coordinates, return_counts=True)
    is_spike = counts >= max(_LEAST_TIED, _TIED_SHARE * len(raw))
    rest = coordinates[~np.isin(coordinates, values[is_spike])]
    return _with_spikes(rest, values[is_spike], counts[is_spike] / len(raw), rows=len(raw))


def _with_spikes(rest: Floats, spikes: Floats, weights: Floats, *, rows: int) -> Margin:
    """Return a distribution with a single hump and, on top of it, the values that many customers share."""
    if len(rest):
        counts, edges = np.histogram(rest, bins=int(np.clip(len(rest) // 10, 5, _MAX_BINS)))
        hump = np.concatenate([[0.0], np.cumsum(single_humped(counts / rows))])
    else:
        edges, hump = spikes[[0, -1]], np.zeros(2)
    grid = np.unique(np.concatenate([edges, spikes]))
    smooth = np.interp(grid, edges, hump)
    jumps = np.concatenate([[0.0], np.cumsum(weights)])
    below, upto = (jumps[np.searchsorted(spikes, grid, side=side)] for side in ("left", "right"))
    steps = np.column_stack([smooth + below, smooth + upto]).ravel()  # at a spike the curve rises without moving on
    return Margin(np.repeat(grid, 2), steps[1:], is_lattice=False)


def _pushed(normal: Floats, factor: Floats, margins: tuple[Margin, ...]) -> Floats:
    """Turn independent normal draws into dependent points with the given margins."""
    shares = ndtr(normal @ factor.T)
    return np.column_stack([margin.at(column) for margin, column in zip(margins, shares.T, strict=True)])


def _factor(latent: Floats) -> Floats:
    """Return the matrix that gives independent draws these correlations."""
    return np.asarray(np.linalg.cholesky(latent), dtype=float)


def _correlation(points: Floats) -> Floats:
    """Return correlations; a column that does not vary correlates with nothing."""
    centred = points - points.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(lengths > 0, lengths, 1.0)
    correlation: NDArray[np.float64] = unit.T @ unit
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _nearest_correlation(matrix: Floats) -> Floats:
    """Return a positive definite correlation matrix near the given one."""
    bounded = np.clip(matrix, -1.0, 1.0)
    values, vectors = np.linalg.eigh(bounded)
    positive = (vectors * np.maximum(values, _LEAST_EIGENVALUE)) @ vectors.T
    spread = np.sqrt(np.diag(positive))
    return np.asarray(positive / np.outer(spread, spread))
