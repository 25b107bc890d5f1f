"""
Groupings found in a sample of customers, found anew for all of them in bounded time.

How a grouping labels customers is in ``assignment``; how the number of groups is chosen, in the modules of the algorithms.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from crm_analysis.models.segmentation.grouping.assignment import CentreGrouping, Grouping, Labels, MixtureGrouping
from crm_analysis.models.segmentation.grouping.dbscan import drawn_points
from crm_analysis.models.segmentation.grouping.kmeans import fit_kmeans, stable_numbers
from crm_analysis.models.segmentation.grouping.mixture import refit_mixture
from crm_analysis.models.segmentation.preparing.straightening import Floats

KMEANS_ROWS = 50_000
MIXTURE_ROWS = 20_000


def fit_grouping(points: Floats, found: Grouping, *, seed: int) -> Grouping:
    """
    Find the groups of a sample anew among all customers.

    Parameters
    ----------
    points : numpy.ndarray
        Everybody, a row each, in an order that does not depend on names.
    found : Grouping
        What was found in a sample.
    seed : int
        Start of the random numbers.

    Returns
    -------
    Grouping
        Of the same algorithm and number of groups. K-Means and the mixture begin where they ended in the sample and go on with
        at most 50,000 and 20,000 customers drawn at random; dense groups are left as they are, since their radius and the number of
        neighbours that make a core customer belong to the sample.
    """
    if isinstance(found, CentreGrouping):
        return _moved_centres(drawn_points(points, KMEANS_ROWS, seed=seed), found)
    if isinstance(found, MixtureGrouping):
        return refit_mixture(drawn_points(points, MIXTURE_ROWS, seed=seed), found, seed=seed)
    return found


def finest_stable_grouping(
    points: Floats,
    criteria: pd.DataFrame,
    *,
    min_stability: float,
    seed: int,
    describes: Callable[[Labels], bool] | None = None,
) -> CentreGrouping:
    """
    Cut a sample of customers into as many parts as come out alike when they are drawn anew.

    Parameters
    ----------
    points : numpy.ndarray
        The sample in which `criteria` were measured.
    criteria : pandas.DataFrame
        As from :func:`~crm_analysis.models.segmentation.grouping.kmeans.kmeans_criteria`.
    min_stability : float
        Least adjusted Rand index between samples.
    seed : int
        Start of the random numbers.
    describes : callable, optional
        Given the sample's labels, whether the parts can be told to others, such as by a few rules.

    Returns
    -------
    CentreGrouping
        Of the stable numbers of parts, the largest that `describes` lets pass, else the largest; a single part where none is
        stable, or sets apart no more than outliers.

    Notes
    -----
    Parts of a continuum: customers on both sides of a border are alike, and nothing says that there are groups.
    """
    numbers = [int(str(number)) for number in stable_numbers(criteria, min_stability=min_stability).index]
    finest = None
    for number in sorted(numbers, reverse=True):
        cut = centre_grouping(fit_kmeans(points, number, seed=seed))
        finest = finest or cut
        if describes is None or describes(cut.label(points)):
            return cut
    return finest or CentreGrouping("kmeans", points.mean(axis=0, keepdims=True))


def centre_grouping(fit: KMeans) -> CentreGrouping:
    """
    Return the arrays that a fitted K-Means consists of.

    Parameters
    ----------
    fit : sklearn.cluster.KMeans
        Fitted.

    Returns
    -------
    CentreGrouping
        Its centres.
    """
    return CentreGrouping("kmeans", np.asarray(fit.cluster_centers_, dtype=float))


def _moved_centres(points: Floats, found: CentreGrouping) -> CentreGrouping:
    """Return the centres moved to where they rest among more customers."""
    if not found.n_features:
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different customers than groups
        fit = KMeans(found.n_groups, init=found.centres, n_init=1, random_state=0).fit(points)
    return centre_grouping(fit)
