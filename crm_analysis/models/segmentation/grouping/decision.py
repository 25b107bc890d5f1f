"""
The decision: which of the groupings that hold suits the customers, by where their borders run.

What each algorithm finds and whether it holds is in ``comparison``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import adjusted_rand_score

from crm_analysis.models.segmentation.grouping.assignment import (
    NOISE,
    CentreGrouping,
    Grouping,
    Labels,
    MixtureGrouping,
)
from crm_analysis.models.segmentation.grouping.comparison import TITLES, Candidate
from crm_analysis.models.segmentation.grouping.dbscan import density_at_cuts
from crm_analysis.models.segmentation.grouping.mixture import mixture_gain, round_mixture
from crm_analysis.models.segmentation.preparing.straightening import Floats

MAX_CUT_DENSITY = 0.58
MAX_SPLIT_DENSITY = 0.4
MIN_BORDER_SHARE = 0.01
CLEAR_GAIN = 0.5
ROUND_GAIN = 0.2
SAME_GROUPS_ARI = 0.9
ORDER = ("kmeans", "dbscan", "mixture", "hdbscan")


@dataclass(frozen=True)
class Contender:
    """
    A candidate with the groups it speaks of.

    Attributes
    ----------
    candidate : Candidate
        Summed up.
    grouping : Grouping
        What labels customers.
    labels : numpy.ndarray
        The groups of the customers looked at.
    """

    candidate: Candidate
    grouping: Grouping
    labels: Labels

    @property
    def title(self) -> str:
        """Return the algorithm's name at the beginning of a sentence."""
        return TITLES[self.candidate.algorithm]


def suited(points: Floats, contenders: Sequence[Contender], *, min_samples: int) -> tuple[Contender | None, str]:
    """
    Decide which algorithm suits the customers.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    contenders : sequence of Contender
        One per algorithm.
    min_samples : int
        Neighbours by which density is measured.

    Returns
    -------
    Contender or None
        The one that suits; None when none holds.
    str
        Why, and how far the others see the same groups, in words.

    Notes
    -----
    Of those that hold, the first in the order K-Means, DBSCAN, mixture, HDBSCAN is taken, unless a later one that sees other groups
    (adjusted Rand below .9) shows that it is wrong. It is wrong if

    * its borders cut through customers whom the other sees as one group: there, customers stand at least 58 % as densely as is
      typical of the group (:func:`~crm_analysis.models.segmentation.grouping.dbscan.density_at_cuts`). On planted normal groups 4.2 standard
      deviations apart, rightly cut by K-Means and joined by DBSCAN, it was 7 to 55 %; on half-moons and rings that
      K-Means cuts, 60 % and more;
    * it joins what the other keeps apart: the other has more groups, and customers at its borders inside the first one's groups
      stand at most 40 % as densely, or there is nobody at all;
    * it is K-Means and the mixture describes a customer better by half a nat or more: round groups of one size, which K-Means
      takes for granted, are then not what there is. Where three groups or more are round, the difference was .15 and less; where they
      are long and K-Means cuts them wrongly, .9 and more. This also decides where both see nearly the same groups but count
      them differently.

    K-Means is left alone if the mixture, whether it holds or not, describes a customer better by less than a fifth of a nat: what is
    there is then round, and another algorithm that joins it is misled by thin space. On half-moons and rings it was .5 and more.
    """
    ranked = sorted(contenders, key=lambda one: ORDER.index(one.candidate.algorithm))
    holding = [one for one in ranked if one.candidate.is_accepted]
    if not holding:
        return None, f"No algorithm finds groups that hold. {_readings(ranked)}"
    best, overruled = holding[0], ""
    for other in holding[1:]:
        fault = _fault(points, best, other, min_samples=min_samples)
        if fault and not _is_round(points, best, ranked):
            best, overruled = other, f"{overruled} {fault}"
    reason = f"{best.title} suits these customers: {best.candidate.reading}.{overruled}"
    return best, f"{reason} {_others_in_words(best, ranked)}"


def agreement(labels: Labels, others: Labels) -> float:
    """
    Return how far two groupings agree on the customers whom both put in a group.

    Parameters
    ----------
    labels, others : numpy.ndarray
        Groups; -1 is noise.

    Returns
    -------
    float
        Adjusted Rand index.
    """
    both = (labels != NOISE) & (others != NOISE)
    return float(adjusted_rand_score(labels[both], others[both])) if both.any() else 0.0


def _fault(points: Floats, first: Contender, other: Contender, *, min_samples: int) -> str | None:
    """Return what is wrong with the first by what the other shows, or None."""
    fewer_or_more = other.candidate.n_groups - first.candidate.n_groups
    if agreement(first.labels, other.labels) >= SAME_GROUPS_ARI:
        return _shape_fault(points, first, other) if fewer_or_more else None
    cut = density_at_cuts(points, first.labels, other.labels, min_samples=min_samples, least_share=MIN_BORDER_SHARE)
    if cut >= MAX_CUT_DENSITY:
        return (
            f"{first.title} cuts through dense groups: at its borders there, customers stand {cut:.0%} as densely as is typical of "
            "the group."
        )
    split = density_at_cuts(points, other.labels, first.labels, min_samples=min_samples)
    if fewer_or_more > 0 and not split > MAX_SPLIT_DENSITY:
        between = "nobody stands" if np.isnan(split) else f"customers stand only {split:.0%} as densely as in them"
        return f"{first.title} joins what is apart: between groups that it takes for one, {between}."
    return _shape_fault(points, first, other)


def _shape_fault(points: Floats, first: Contender, other: Contender) -> str | None:
    """Return that groups are not as round as K-Means takes them to be, or None."""
    if not isinstance(first.grouping, CentreGrouping) or not isinstance(other.grouping, MixtureGrouping):
        return None
    if (gain := _gain_over_round(points, first, other.grouping)) < CLEAR_GAIN:
        return None
    return (
        f"{first.title} takes groups for round and equally wide, which they are not: the mixture describes them better by {gain:.1f} "
        "nats a customer."
    )


def _is_round(points: Floats, best: Contender, contenders: Sequence[Contender]) -> bool:
    """Return whether K-Means describes the customers as well as the mixture does."""
    mixtures = [one.grouping for one in contenders if isinstance(one.grouping, MixtureGrouping)]
    if not isinstance(best.grouping, CentreGrouping):
        return False
    return any(_gain_over_round(points, best, mixture) < ROUND_GAIN for mixture in mixtures)


def _gain_over_round(points: Floats, kmeans: Contender, mixture: MixtureGrouping) -> float:
    """Return how much better a mixture describes a customer than round groups of one width do, in nats."""
    return mixture_gain(points, mixture) - mixture_gain(points, round_mixture(points, kmeans.labels))


def _readings(contenders: Sequence[Contender]) -> str:
    """Return what is to be said of each."""
    return " ".join(f"{one.title}: {one.candidate.reading}." for one in contenders)


def _others_in_words(best: Contender, contenders: Sequence[Contender]) -> str:
    """Return how far the other algorithms see the same groups, or why they find none that hold."""
    return " ".join(_beside(best, other) for other in contenders if other is not best)


def _beside(best: Contender, other: Contender) -> str:
    """Return how far another algorithm sees the same groups."""
    if not other.candidate.is_accepted:
        return f"{other.title} does not: {other.candidate.reading}."
    ari = agreement(best.labels, other.labels)
    likeness = (
        "the same groups" if ari >= SAME_GROUPS_ARI else f"{other.candidate.n_groups} groups, which are others in part"
    )
    noise = other.candidate.noise_share
    left = "some (how many is not shown)" if np.isnan(noise) else f"{noise:.0%} of the customers"
    aside = f" and leaves {left} as noise" if NOISE in other.labels else ""
    return f"{other.title} finds {likeness} (adjusted Rand {ari:.2f}){aside}."
