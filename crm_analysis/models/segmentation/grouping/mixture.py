"""
A mixture of normal distributions, a challenger: groups that are long, turned or of unequal width, which K-Means cuts.

How the mixture compares with the other algorithms is said in ``comparison``.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, xlogy
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from crm_analysis.models.segmentation.grouping.assignment import Labels, MixtureGrouping
from crm_analysis.models.segmentation.grouping.reference import Reference
from crm_analysis.models.segmentation.preparing.straightening import Floats

REFERENCE_ROWS = 2_000
COVARIANCES = ("full", "tied")
MIN_GROUP_SHARE = 0.01
_LEAST_VARIANCE = 1e-3
_ROUNDS = 200
_STARTS = 3


@dataclass(frozen=True)
class Mixture:
    """
    The mixture that describes customers best as groups.

    Attributes
    ----------
    grouping : MixtureGrouping
        Its components.
    labels : numpy.ndarray
        The most probable component of each customer.
    gain : float
        How much better it describes a customer than a single component does, in nats, less what is lost because it is not
        certain of everybody's group, and less the price of its parameters; 0 for a single component.
    """

    grouping: MixtureGrouping
    labels: Labels
    gain: float


def fit_mixture(points: Floats, *, max_groups: int, seed: int) -> Mixture:
    """
    Choose the number of components and the kind of their covariance, and fit them.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    max_groups : int
        The largest number of components tried.
    seed : int
        Start of the random numbers.

    Returns
    -------
    Mixture
        With a single component where several describe the customers no better.

    Notes
    -----
    Components have covariances of their own (``full``) or one in common (``tied``). Of all numbers and both kinds the one with the
    least integrated classification likelihood criterion is taken: BIC plus twice the entropy of the memberships. BIC alone
    describes one skewed mass by several overlapping components, which are no groups. Solutions with a component of less than 1 % of
    the customers, or fewer than twice the features, are passed over. Variances are at least .001 squared standard deviations.

    References
    ----------
    Schwarz (1978), "Estimating the dimension of a model", for BIC; Biernacki, Celeux, Govaert (2000), "Assessing a mixture model for
    clustering with the integrated completed likelihood".
    """
    single = _grouping(_fit(points, 1, "full", seed=seed))
    best, least = single, classification_criterion(points, single)
    for covariance in COVARIANCES:
        for number in range(2, max_groups + 1):
            found = _grouping(_fit(points, number, covariance, seed=seed))
            if (criterion := classification_criterion(points, found)) < least and _is_filled(found, points):
                best, least = found, criterion
    return Mixture(best, best.label(points), gain=mixture_gain(points, best))


def classification_criterion(points: Floats, grouping: MixtureGrouping, *, rows: int | None = None) -> float:
    """
    Return BIC plus twice the entropy of the memberships, a customer: small for groups that are likely, few and distinct.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    grouping : MixtureGrouping
        The groups.
    rows : int, optional
        For how many customers the parameters are priced; for these, by default.

    Returns
    -------
    float
        The integrated classification likelihood criterion, to be compared among mixtures of the same customers.
    """
    dimensions = points.shape[1]
    triangle = dimensions * (dimensions + 1) // 2
    shapes = {"full": grouping.n_groups * triangle, "tied": triangle, "round": 1}[grouping.covariance]
    parameters = grouping.n_groups - 1 + grouping.n_groups * dimensions + shapes
    joint = np.column_stack([_log_density(points, grouping, group) for group in range(grouping.n_groups)])
    total = logsumexp(joint, axis=1)
    memberships = np.exp(joint - total[:, None])
    entropy = -float(xlogy(memberships, memberships).sum())
    priced = rows or len(points)
    return float(parameters * np.log(priced) / priced + (2 * entropy - 2 * total.sum()) / len(points))


def mixture_gain(points: Floats, grouping: MixtureGrouping, *, rows: int | None = None) -> float:
    """
    Return how much better groups describe customers than a single normal mass does.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    grouping : MixtureGrouping
        The groups.
    rows : int, optional
        For how many customers the parameters are priced; for these, by default.

    Returns
    -------
    float
        Half the difference of the two :func:`classification_criterion`, in nats a customer; it may be negative.
    """
    single = _grouping(_fit(points, 1, "full", seed=0))
    return (
        classification_criterion(points, single, rows=rows) - classification_criterion(points, grouping, rows=rows)
    ) / 2


def round_mixture(points: Floats, labels: Labels) -> MixtureGrouping:
    """
    Return the mixture that K-Means takes for granted: round groups, all equally wide.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    labels : numpy.ndarray
        Their groups, from 0, none of them empty.

    Returns
    -------
    MixtureGrouping
        With the groups' shares, means, and one variance for all.
    """
    numbers = range(int(labels.max()) + 1)
    means = np.array([points[labels == number].mean(axis=0) for number in numbers])
    variance = max(float(((points - means[labels]) ** 2).mean()), _LEAST_VARIANCE)
    root = np.eye(points.shape[1]) / np.sqrt(variance)
    shares = np.bincount(labels) / len(labels)
    return MixtureGrouping("mixture", shares, means, np.repeat(root[None], len(means), axis=0), "round")


def refit_mixture(points: Floats, grouping: MixtureGrouping, *, seed: int) -> MixtureGrouping:
    """
    Fit as many components of the same kind to other customers, beginning where a fit has ended.

    Parameters
    ----------
    points : numpy.ndarray
        One row per customer.
    grouping : MixtureGrouping
        What was found in some.
    seed : int
        Start of the random numbers.

    Returns
    -------
    MixtureGrouping
        With the same numbers for the same groups, as far as they have not moved.
    """
    return _grouping(_fit(points, grouping.n_groups, grouping.covariance, seed=seed, start=grouping))


def reference_gains(grouping: MixtureGrouping, reference: Reference, *, rows: int, draws: int, seed: int) -> Floats:
    """
    Return what as many components gain in data without groups.

    Parameters
    ----------
    grouping : MixtureGrouping
        What was found in the customers.
    reference : Reference
        Data without groups.
    rows : int
        For how many customers the parameters are priced: as many as the groups were found in.
    draws : int
        Data sets, of 2,000 customers at most.
    seed : int
        Start of the random numbers.

    Returns
    -------
    numpy.ndarray
        As :attr:`Mixture.gain`, one per data set; it may be negative.
    """
    gains = []
    for draw in range(draws):
        points = reference.draw(min(rows, REFERENCE_ROWS), seed=seed + draw)
        several = _grouping(_fit(points, grouping.n_groups, grouping.covariance, seed=seed))
        gains.append(mixture_gain(points, several, rows=rows))
    return np.array(gains)


def mixture_stability(points: Floats, mixture: Mixture, *, seed: int, n_bootstraps: int) -> float:
    """
    Return how alike the components come out when customers are drawn anew.

    Parameters
    ----------
    points : numpy.ndarray
        The customers.
    mixture : Mixture
        Fitted to them.
    seed : int
        Start of the random numbers.
    n_bootstraps : int
        Samples drawn with replacement.

    Returns
    -------
    float
        Mean adjusted Rand index between the groups and those of refits on bootstrap samples, over all customers. A refit begins
        anew, and once more where the fit has ended; the likelier of the two counts, so that an unlucky start does not.
    """
    rng = np.random.default_rng(seed)
    found = mixture.grouping
    agreement = []
    for _ in range(n_bootstraps):
        drawn = points[rng.integers(0, len(points), len(points))]
        anew = _fit(drawn, found.n_groups, found.covariance, seed=int(rng.integers(2**31)))
        onward = _fit(drawn, found.n_groups, found.covariance, seed=seed, start=found)
        refit = _grouping(max(anew, onward, key=lambda fit: float(fit.lower_bound_)))
        agreement.append(adjusted_rand_score(mixture.labels, refit.label(points)))
    return float(np.mean(agreement))


def _fit(
    points: Floats, n_groups: int, covariance: str, *, seed: int, start: MixtureGrouping | None = None
) -> GaussianMixture:
    """Return a fitted mixture; one that has not settled after 200 rounds is judged like the others, by its criterion."""
    mixture = GaussianMixture(
        n_groups,
        covariance_type=covariance,
        reg_covar=_LEAST_VARIANCE,
        max_iter=_ROUNDS,
        n_init=_STARTS if n_groups > 1 and start is None else 1,
        init_params="k-means++",  # a start from K-Means would cut long groups, and often end there
        random_state=seed,
    )
    if start is not None:
        mixture.set_params(weights_init=start.weights, means_init=start.means, precisions_init=_precisions(start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(points)


def _precisions(grouping: MixtureGrouping) -> Floats:
    """Return the inverse covariances as scikit-learn takes them."""
    roots = grouping.precisions_cholesky
    precisions = roots @ roots.transpose(0, 2, 1)
    return np.asarray(precisions[0] if grouping.covariance == "tied" else precisions, dtype=float)


def _log_density(points: Floats, grouping: MixtureGrouping, group: int) -> Floats:
    """Return the logarithm of a group's share times its density at each customer."""
    root = grouping.precisions_cholesky[group]
    whitened = (points - grouping.means[group]) @ root
    head = np.log(max(grouping.weights[group], 1e-300)) + np.log(np.diagonal(root)).sum()
    return np.asarray(head - (points.shape[1] * np.log(2 * np.pi) + (whitened**2).sum(axis=1)) / 2)


def _is_filled(grouping: MixtureGrouping, points: Floats) -> bool:
    """Return whether every component has customers enough to know its shape by."""
    sizes = np.bincount(grouping.label(points), minlength=grouping.n_groups)
    return bool(sizes.min() >= max(MIN_GROUP_SHARE * len(points), 2 * points.shape[1]))


def _grouping(fit: GaussianMixture) -> MixtureGrouping:
    """Return the arrays that a fitted mixture consists of."""
    roots = fit.precisions_cholesky_
    full = roots if fit.covariance_type == "full" else np.repeat(roots[None], fit.n_components, axis=0)
    return MixtureGrouping("mixture", fit.weights_, fit.means_, full, str(fit.covariance_type))
