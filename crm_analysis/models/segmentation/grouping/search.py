"""
The search for groups: four algorithms are run on a sample of customers, tested, and compared.

The procedures are in the modules of their names, their tests in ``comparison``, the decision in ``decision``; segments with names are made
in ``result``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.grouping.assignment import Grouping
from crm_analysis.models.segmentation.grouping.comparison import (
    Candidate,
    compare,
    dense_candidate,
    kmeans_candidate,
    mixture_candidate,
)
from crm_analysis.models.segmentation.grouping.dbscan import DenseGroups, fit_dbscan
from crm_analysis.models.segmentation.grouping.decision import ORDER, Contender, suited
from crm_analysis.models.segmentation.grouping.hdbscan import fit_hdbscan
from crm_analysis.models.segmentation.grouping.kmeans import (
    CRITERIA,
    CUSTOMERS_PER_GROUP,
    choose_n_groups,
    fit_kmeans,
    kmeans_criteria,
)
from crm_analysis.models.segmentation.grouping.mixture import fit_mixture
from crm_analysis.models.segmentation.grouping.reference import Reference, fit_reference
from crm_analysis.models.segmentation.grouping.refitting import centre_grouping
from crm_analysis.models.segmentation.preparing.scaling import Scaling, spread_whole_numbers
from crm_analysis.models.segmentation.preparing.straightening import Floats

CHALLENGER_SAMPLES = 6


@dataclass(frozen=True)
class Search:
    """
    What the search for groups came to.

    Attributes
    ----------
    winner : Candidate or None
        The candidate that suits; None when none holds.
    winning : Grouping or None
        Its groups as found here, to be found anew among more customers by
        :func:`~crm_analysis.models.segmentation.grouping.refitting.fit_grouping`.
    reason : str
        Why, in a sentence or two.
    criteria : pandas.DataFrame
        Every number of groups tried with K-Means; ``choice`` says which is ``chosen``, or best ``but not taken``.
    comparison : pandas.DataFrame
        A row per algorithm, the attributes of a candidate as columns.
    groups : DenseGroups or None
        What DBSCAN found; None where nothing could be tried.
    contenders : tuple of Contender
        What each algorithm found among the customers looked at; empty where nothing could be tried.
    """

    winner: Candidate | None
    winning: Grouping | None
    reason: str
    criteria: pd.DataFrame
    comparison: pd.DataFrame
    groups: DenseGroups | None
    contenders: tuple[Contender, ...] = ()


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
    Look for groups with K-Means, DBSCAN and two challengers, and decide.

    Parameters
    ----------
    features : pandas.DataFrame
        Raw features of the customers, or of a sample of them.
    scaling : Scaling
        How they become points.
    seed : int
        Start of the random numbers.
    max_segments : int
        The largest number of groups tried with K-Means and with the mixture.
    min_stability : float
        Least stability.
    n_bootstraps : int
        Samples for the stability of K-Means and DBSCAN; the challengers, HDBSCAN and the mixture, get at most six.
    min_cell : int
        Least number of customers of whom a share is told.

    Returns
    -------
    Search
        With fewer than twenty customers, or when no feature varies, nothing is tried.

    Notes
    -----
    For all but K-Means, whole numbers are spread over the unit around them (see
    :func:`~crm_analysis.models.segmentation.preparing.scaling.spread_whole_numbers`); the groups found then take in the customers as they are.
    """
    points = scaling.apply(features).to_numpy()
    if len(points) < 2 * CUSTOMERS_PER_GROUP or not points.shape[1]:
        return _nothing_tried(len(points))
    tests = _Tests(seed, min_stability, n_bootstraps, min_cell)
    criteria, kmeans = _by_kmeans(points, fit_reference(features, scaling, seed=seed), tests, max_segments=max_segments)
    spread = spread_whole_numbers(features, seed=seed)
    dense_points, reference = scaling.apply(spread).to_numpy(), fit_reference(spread, scaling, seed=seed)
    groups, dbscan = _by_density(fit_dbscan, dense_points, points, reference, tests)
    few = replace(tests, n_bootstraps=min(n_bootstraps, CHALLENGER_SAMPLES))
    _, hdbscan = _by_density(fit_hdbscan, dense_points, points, reference, few)
    mixture = _by_mixture(dense_points, points, reference, few, max_segments=max_segments)
    contenders = [kmeans, dbscan, hdbscan, mixture]
    best, reason = suited(dense_points, contenders, min_samples=groups.min_samples)
    word = "chosen" if best is kmeans else "best, but not taken"
    criteria["choice"] = [word if number == kmeans.grouping.n_groups else "" for number in criteria.index]
    return Search(
        winner=best.candidate if best else None,
        winning=best.grouping if best else None,
        reason=reason,
        criteria=criteria,
        comparison=compare([one.candidate for one in contenders]),
        groups=groups,
        contenders=tuple(contenders),
    )


@dataclass(frozen=True)
class _Tests:
    """What every candidate is asked."""

    seed: int
    min_stability: float
    n_bootstraps: int
    min_cell: int


def _by_kmeans(
    points: Floats, reference: Reference, tests: _Tests, *, max_segments: int
) -> tuple[pd.DataFrame, Contender]:
    """Return the criteria for every number of groups, and the best."""
    criteria = kmeans_criteria(
        points,
        reference,
        seed=tests.seed,
        max_segments=max_segments,
        n_bootstraps=tests.n_bootstraps,
        min_cell=tests.min_cell,
    )
    choice = choose_n_groups(criteria, min_stability=tests.min_stability)
    centres = centre_grouping(fit_kmeans(points, choice.n_groups, seed=tests.seed))
    labels = centres.label(points)
    return criteria, Contender(kmeans_candidate(criteria, choice, labels, min_cell=tests.min_cell), centres, labels)


def _by_density(
    fit: Callable[[Floats], DenseGroups], dense_points: Floats, points: Floats, reference: Reference, tests: _Tests
) -> tuple[DenseGroups, Contender]:
    """Return dense groups among spread customers, with the labels of the customers as they are."""
    found = fit(dense_points)
    groups = replace(found, labels=found.label(points))
    candidate = dense_candidate(dense_points, groups, reference, fit=fit, **asdict(tests))
    return groups, Contender(candidate, groups.grouping, groups.labels)


def _by_mixture(
    dense_points: Floats, points: Floats, reference: Reference, tests: _Tests, *, max_segments: int
) -> Contender:
    """Return the mixture of spread customers, with the labels of the customers as they are."""
    found = fit_mixture(dense_points, max_groups=max_segments, seed=tests.seed)
    mixture = replace(found, labels=found.grouping.label(points))
    candidate = mixture_candidate(dense_points, mixture, reference, **asdict(tests))
    return Contender(candidate, mixture.grouping, mixture.labels)


def _nothing_tried(customers: int) -> Search:
    """Return a search without a result."""
    nothing = f"{customers:,} customers are too few, or differ too little, to look for groups"
    untried = Candidate("kmeans", 1, 1.0, np.nan, 0.0, np.nan, np.nan, is_accepted=False, reading=nothing)
    criteria = pd.DataFrame(columns=[*CRITERIA, "choice"], index=pd.Index([], name="n_groups", dtype=int), dtype=float)
    table = compare([replace(untried, algorithm=algorithm) for algorithm in ORDER])
    return Search(None, None, f"{nothing}.", criteria, table, None)
