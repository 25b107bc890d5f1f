"""
Candidates: what each algorithm makes of the customers, whether its groups hold, and why.

The procedures are in the modules of their names; which candidate suits is decided in ``decision``; ``search`` runs it all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.grouping.assignment import NOISE, Labels
from crm_analysis.models.segmentation.grouping.dbscan import DenseGroups
from crm_analysis.models.segmentation.grouping.dense_tests import (
    chance_groups,
    dense_stability,
    silhouette_without_noise,
)
from crm_analysis.models.segmentation.grouping.kmeans import N_REFERENCES, REFERENCE_ROWS, Choice
from crm_analysis.models.segmentation.grouping.mixture import Mixture, mixture_stability, reference_gains
from crm_analysis.models.segmentation.grouping.reference import Reference
from crm_analysis.models.segmentation.preparing.straightening import Floats
from crm_analysis.tables.privacy.suppression import hidden_rows, suppressed_shares

MAX_NOISE_SHARE = {
    "dbscan": 0.25,
    "hdbscan": 0.1,
}  # a challenger that leaves out more speaks for too few to replace both
MAX_REFERENCE_SHARE = 0.5
MIN_GAIN = 0.1
MIXTURE_REFERENCES = 4
TITLES = {"kmeans": "K-Means", "dbscan": "DBSCAN", "hdbscan": "HDBSCAN", "mixture": "The mixture"}


@dataclass(frozen=True)
class Candidate:
    """
    What one algorithm makes of the customers.

    Attributes
    ----------
    algorithm : str
        ``kmeans``, ``dbscan``, ``hdbscan`` or ``mixture``.
    n_groups : int
        Noise not counted.
    largest_share : float
        Share of customers in the largest group; NaN where it would be told of too few customers.
    balance : float
        Evenness of the groups' sizes: 1 where all are of one size; NaN with fewer than two groups, or as above.
    noise_share : float
        Share of customers in no group; likewise.
    stability_ari : float
        Mean adjusted Rand index between samples; NaN where something else already speaks against the groups.
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
    balance: float
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
        balance=balance(labels, min_cell=min_cell),
        noise_share=0.0,
        stability_ari=float(criteria["stability_ari"].get(choice.n_groups, np.nan)),
        silhouette=float(criteria["silhouette"].get(choice.n_groups, np.nan)),
        is_accepted=choice.is_accepted,
        reading=choice.reading,
    )


def dense_candidate(
    points: Floats,
    groups: DenseGroups,
    reference: Reference,
    *,
    fit: Callable[[Floats], DenseGroups],
    seed: int,
    min_stability: float,
    n_bootstraps: int,
    min_cell: int = 1,
) -> Candidate:
    """
    Sum up DBSCAN or HDBSCAN.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    groups : DenseGroups
        What was found in them.
    reference : Reference
        Data without groups.
    fit : callable
        What found them.
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
        It holds with two groups or more, little enough noise (a quarter with DBSCAN, a tenth with HDBSCAN, which calls every thin
        region noise), enough stability, and when a second group of that size is found in fewer than half of the data sets without
        groups.
    """
    told = _told_shares(groups.labels, min_cell=min_cell)
    noise = float((groups.labels == NOISE).mean())  # what is told must not decide what holds
    most = MAX_NOISE_SHARE[groups.grouping.algorithm]
    fault = _dense_fault(groups.n_groups, noise, most_noise=most, told_noise=told["noise"])
    stability = float("nan")
    if fault is None:
        rows = min(len(points), REFERENCE_ROWS)
        chance = chance_groups(groups, reference, fit=fit, rows=rows, draws=N_REFERENCES, seed=seed)
        stability = dense_stability(points, groups, fit=fit, seed=seed, n_bootstraps=n_bootstraps)
        fault = _dense_fault(
            groups.n_groups, noise, chance, stability, min_stability, most_noise=most, told_noise=told["noise"]
        )
    return Candidate(
        algorithm=groups.grouping.algorithm,
        n_groups=groups.n_groups,
        largest_share=told["largest"],
        balance=balance(groups.labels, min_cell=min_cell),
        noise_share=told["noise"],
        stability_ari=stability,
        silhouette=silhouette_without_noise(points, groups.labels),
        is_accepted=fault is None,
        reading=fault or f"{groups.n_groups} dense groups with thin space between them, and {_noise(told['noise'])}",
    )


def mixture_candidate(
    points: Floats,
    mixture: Mixture,
    reference: Reference,
    *,
    seed: int,
    min_stability: float,
    n_bootstraps: int,
    min_cell: int = 1,
) -> Candidate:
    """
    Sum up the mixture of normal distributions.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    mixture : Mixture
        Fitted to them.
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
        It holds with two components or more that gain at least .1 nats a customer more than as many do in any of four data sets
        without groups, and with enough stability.
    """
    number = mixture.grouping.n_groups
    fault: str | None = "one normal mass describes them as well as several" if number < 2 else None
    stability = float("nan")
    if fault is None:
        gains = reference_gains(mixture.grouping, reference, rows=len(points), draws=MIXTURE_REFERENCES, seed=seed)
        stability = mixture_stability(points, mixture, seed=seed, n_bootstraps=n_bootstraps)
        fault = _mixture_fault(number, mixture.gain, float(gains.max()), stability, min_stability)
    return Candidate(
        algorithm="mixture",
        n_groups=number,
        largest_share=_told_shares(mixture.labels, min_cell=min_cell)["largest"],
        balance=balance(mixture.labels, min_cell=min_cell),
        noise_share=0.0,
        stability_ari=stability,
        silhouette=silhouette_without_noise(points, mixture.labels),
        is_accepted=fault is None,
        reading=fault
        or f"{number} groups, each with {_SHAPES[mixture.grouping.covariance]}, describe them better than one mass",
    )


_SHAPES = {"full": "a shape of its own", "tied": "the same shape"}


def balance(labels: Labels, *, min_cell: int = 1) -> float:
    """
    Return how even the sizes of groups are.

    Parameters
    ----------
    labels : numpy.ndarray
        Groups; -1 is noise and left out.
    min_cell : int
        Least number of customers of whom something is told.

    Returns
    -------
    float
        ``-sum(p log p) / log(groups)``; NaN with fewer than two groups or where a group is too small to be told of.

    References
    ----------
    Pielou (1966), "The measurement of diversity in different types of biological collections".

    Examples
    --------
    >>> balance(np.array([0, 0, 1, 1, -1])), round(balance(np.array([0, 0, 0, 1])), 2)
    (1.0, 0.81)
    """
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2 or hidden_rows(sizes, min_cell=min_cell).any():
        return float("nan")
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(len(sizes)))


def _told_shares(labels: Labels, *, min_cell: int) -> dict[str, float]:
    """Return the shares of the largest group and of the noise, NaN where they would be told of too few customers."""
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    noise = int((labels == NOISE).sum())
    counts = pd.Series({"largest": sizes.max(), "noise": noise, "others": sizes.sum() - sizes.max()})
    told = suppressed_shares(counts / len(labels), counts, min_cell=min_cell)
    return {name: float(told[name]) for name in ("largest", "noise")}


def _noise(share: float) -> str:
    """Return a share of noise in words."""
    return "some noise (how much is not shown)" if np.isnan(share) else f"{share:.0%} noise"


def _dense_fault(
    n_groups: int,
    noise_share: float,
    chance: float = 0.0,
    stability: float = 1.0,
    min_stability: float = 0.0,
    *,
    most_noise: float,
    told_noise: float | None = None,
) -> str | None:
    """Return why the groups of DBSCAN or HDBSCAN do not hold; the share of noise decides, the one that is told is spoken of."""
    told = noise_share if told_noise is None else told_noise
    if n_groups < 2:
        return f"{'one dense mass' if n_groups else 'no dense group'} and {_noise(told)}"
    if noise_share > most_noise:
        share = "too large a share (not shown)" if np.isnan(told) else f"{told:.0%}"
        return f"{n_groups} dense groups, but {share} of the customers belong to none"
    if chance >= MAX_REFERENCE_SHARE:
        return f"{n_groups} dense groups, but such groups also turn up in {chance:.0%} of data sets without any"
    if stability < min_stability:
        return f"{n_groups} dense groups that are not stable ({stability:.2f}, where {min_stability:.2f} is asked)"
    return None


def _mixture_fault(n_groups: int, gain: float, chance: float, stability: float, min_stability: float) -> str | None:
    """Return why the components of a mixture do not hold as groups."""
    if gain < chance + MIN_GAIN:
        return f"{n_groups} normal groups gain hardly more ({gain:.2f} nats a customer) than in data without groups ({chance:.2f})"
    if stability < min_stability:
        return f"{n_groups} normal groups that are not stable ({stability:.2f}, where {min_stability:.2f} is asked)"
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
