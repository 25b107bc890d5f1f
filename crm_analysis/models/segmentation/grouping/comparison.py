"""
K-Means and DBSCAN side by side: whether the groups of each hold, and which of the two suits the customers.

The two procedures are in the modules of their names; ``search`` runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from crm_analysis.models.segmentation.grouping.dbscan import (
    NOISE,
    DenseGroups,
    chance_groups,
    dbscan_stability,
    density_at_cuts,
    silhouette_without_noise,
)
from crm_analysis.models.segmentation.grouping.kmeans import N_REFERENCES, REFERENCE_ROWS, Choice, Labels
from crm_analysis.models.segmentation.grouping.reference import Reference
from crm_analysis.models.segmentation.preparing.straightening import Floats
from crm_analysis.tables.privacy.suppression import suppressed_shares

MAX_NOISE_SHARE = 0.25
MAX_REFERENCE_SHARE = 0.5
MAX_CUT_DENSITY = 0.75
SAME_GROUPS_ARI = 0.9


@dataclass(frozen=True)
class Candidate:
    """
    What one algorithm makes of the customers.

    Attributes
    ----------
    algorithm : str
        ``kmeans`` or ``dbscan``.
    n_groups : int
        Noise not counted.
    largest_share : float
        Share of customers in the largest group; NaN where it would be told of too few customers.
    noise_share : float
        Share of customers in no group; likewise.
    stability_ari : float
        Mean adjusted Rand index between samples.
    silhouette : float
        Without noise.
    is_accepted : bool
        Whether the groups hold.
    reading : str
        Why, in words.
    """

    algorithm: str
    n_groups: int
    largest_share: float
    noise_share: float
    stability_ari: float
    silhouette: float
    is_accepted: bool
    reading: str


def kmeans_candidate(criteria: pd.DataFrame, choice: Choice, labels: Labels, *, min_cell: int = 1) -> Candidate:
    """
    Sum up K-Means.

    Parameters
    ----------
    criteria : pandas.DataFrame
        A row per number of groups.
    choice : Choice
        The number chosen.
    labels : numpy.ndarray
        The groups with that number.
    min_cell : int
        Least number of customers of whom a share is told.

    Returns
    -------
    Candidate
        It holds when the choice does.
    """
    return Candidate(
        algorithm="kmeans",
        n_groups=choice.n_groups,
        largest_share=_told_shares(labels, min_cell=min_cell)["largest"],
        noise_share=0.0,
        stability_ari=float(criteria["stability_ari"].get(choice.n_groups, np.nan)),
        silhouette=float(criteria["silhouette"].get(choice.n_groups, np.nan)),
        is_accepted=choice.is_accepted,
        reading=choice.reading,
    )


def dbscan_candidate(
    points: Floats,
    groups: DenseGroups,
    reference: Reference,
    *,
    seed: int,
    min_stability: float,
    n_bootstraps: int,
    min_cell: int = 1,
) -> Candidate:
    """
    Sum up DBSCAN.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    groups : DenseGroups
        What was found in them.
    reference : Reference
        Data without groups.
    seed : int
        Start of the random numbers.
    min_stability : float
        Least stability.
    n_bootstraps : int
        Samples for the stability.
    min_cell : int
        Least number of customers of whom a share is told.

    Returns
    -------
    Candidate
        It holds with two groups or more, at most a quarter of noise, enough stability, and when DBSCAN finds a second group
        of that size in fewer than half of the data sets without groups.
    """
    several = groups.n_groups >= 2
    chance = (
        chance_groups(groups, reference, rows=min(len(points), REFERENCE_ROWS), draws=N_REFERENCES, seed=seed)
        if several
        else 0.0
    )
    stability = dbscan_stability(points, groups, seed=seed, n_bootstraps=n_bootstraps) if several else float("nan")
    told = _told_shares(groups.labels, min_cell=min_cell)
    fault = _dbscan_fault(groups.n_groups, told["noise"], chance, stability, min_stability)
    return Candidate(
        algorithm="dbscan",
        n_groups=groups.n_groups,
        largest_share=told["largest"],
        noise_share=told["noise"],
        stability_ari=stability,
        silhouette=silhouette_without_noise(points, groups.labels),
        is_accepted=fault is None,
        reading=fault or f"{groups.n_groups} dense groups with thin space between them, and {_noise(told['noise'])}",
    )


def _told_shares(labels: Labels, *, min_cell: int) -> dict[str, float]:
    """Return the shares of the largest group and of the noise, NaN where they would be told of too few customers."""
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    noise = int((labels == NOISE).sum())
    counts = pd.Series({"largest": sizes.max(), "noise": noise, "others": sizes.sum() - sizes.max()})
    told = suppressed_shares(counts / len(labels), counts, min_cell=min_cell)
    return {name: float(told[name]) for name in ("largest", "noise")}


def _noise(share: float) -> str:
    """Return a share of noise in words."""
    return "hardly any noise" if np.isnan(share) else f"{share:.0%} noise"


def _dbscan_fault(
    n_groups: int, noise_share: float, chance: float, stability: float, min_stability: float
) -> str | None:
    """Return why DBSCAN's groups do not hold."""
    if n_groups < 2:
        return f"{'one dense mass' if n_groups else 'no dense group'} and {_noise(noise_share)}"
    if noise_share > MAX_NOISE_SHARE:
        return f"{n_groups} dense groups, but {noise_share:.0%} of the customers belong to none"
    if chance >= MAX_REFERENCE_SHARE:
        return f"{n_groups} dense groups, but such groups also turn up in {chance:.0%} of data sets without any"
    if stability < min_stability:
        return f"{n_groups} dense groups that are not stable ({stability:.2f}, where {min_stability:.2f} is asked)"
    return None


def compare(candidates: Sequence[Candidate]) -> pd.DataFrame:
    """
    Put the candidates side by side.

    Parameters
    ----------
    candidates : sequence of Candidate
        One per algorithm.

    Returns
    -------
    pandas.DataFrame
        Index ``algorithm``; the attributes of :class:`Candidate` as columns.
    """
    return pd.DataFrame([asdict(candidate) for candidate in candidates]).set_index("algorithm")


def suited(
    points: Floats, kmeans: Candidate, kmeans_labels: Labels, dbscan: Candidate, groups: DenseGroups
) -> tuple[Candidate | None, str]:
    """
    Decide which algorithm suits the customers.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    kmeans : Candidate
        K-Means summed up.
    kmeans_labels : numpy.ndarray
        Its groups.
    dbscan : Candidate
        DBSCAN summed up.
    groups : DenseGroups
        Its groups.

    Returns
    -------
    Candidate or None
        The one that suits; None when neither holds.
    str
        Why, in a sentence.

    Notes
    -----
    Where the groups of both hold, K-Means is taken unless its borders cut through customers whom DBSCAN sees as one dense group:
    their density there must be at most three quarters of what is typical of the group (see :func:`density_at_cuts`).
    """
    if not kmeans.is_accepted and not dbscan.is_accepted:
        return None, f"Neither algorithm finds groups that hold. K-Means: {kmeans.reading}. DBSCAN: {dbscan.reading}."
    if not dbscan.is_accepted:
        return kmeans, f"K-Means suits these customers: {kmeans.reading}. DBSCAN does not: {dbscan.reading}."
    if not kmeans.is_accepted:
        return dbscan, f"DBSCAN suits these customers: {dbscan.reading}. K-Means does not: {kmeans.reading}."
    density = density_at_cuts(points, kmeans_labels, groups.labels, min_samples=groups.min_samples)
    if density > MAX_CUT_DENSITY:
        return dbscan, (
            f"DBSCAN suits these customers: {dbscan.reading}. K-Means cuts through dense groups: at its borders there, customers "
            f"stand {density:.0%} as densely as is typical of the group."
        )
    agreement = _agreement(kmeans_labels, groups, noise_share=dbscan.noise_share)
    return kmeans, f"K-Means suits these customers: {kmeans.reading}. {agreement}"


def _agreement(kmeans_labels: Labels, groups: DenseGroups, *, noise_share: float) -> str:
    """Return how far DBSCAN, whose groups hold too, sees the same groups."""
    belongs = groups.labels != NOISE
    ari = adjusted_rand_score(kmeans_labels[belongs], groups.labels[belongs])
    likeness = "the same groups" if ari >= SAME_GROUPS_ARI else f"{groups.n_groups} groups, which are others in part"
    left = "hardly any" if np.isnan(noise_share) else f"{noise_share:.0%} of the customers"
    return f"DBSCAN finds {likeness} (adjusted Rand {ari:.2f}) and leaves {left} as noise."
