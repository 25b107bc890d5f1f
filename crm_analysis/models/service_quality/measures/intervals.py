"""
Shares and means by group, with intervals that know that cases of one customer are alike.

Intervals of times belong in :mod:`crm_analysis.models.service_quality.measures.survival`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, t

from crm_analysis.models.evaluation import wilson_interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEVEL = 0.95


@dataclass(frozen=True)
class Grouping:
    """
    Cases in groups, and the customers within each.

    Attributes
    ----------
    names : tuple of str or pandas.Timestamp
        Of the groups.
    codes : numpy.ndarray of int, shape (n_cases,)
        The group of each case; -1 where it is in none.
    pairs : numpy.ndarray of int, shape (n_cases,)
        The customer within the group of each case; -1 where it is in none.
    pair_groups : numpy.ndarray of int, shape (n_pairs,)
        The group of each customer within a group.
    """

    names: tuple[object, ...]
    codes: Codes
    pairs: Codes
    pair_groups: Codes

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return len(self.names)

    def cases(self, chosen: Flags) -> Codes:
        """
        Count the chosen cases of each group.

        Parameters
        ----------
        chosen : numpy.ndarray of bool, shape (n_cases,)
            Which.

        Returns
        -------
        numpy.ndarray of int, shape (n_groups,)
            Cases.
        """
        return np.bincount(self.codes[chosen & (self.codes >= 0)], minlength=self.n_groups).astype(np.int64)

    def customers(self, chosen: Flags) -> Codes:
        """
        Count the customers of the chosen cases of each group.

        Parameters
        ----------
        chosen : numpy.ndarray of bool, shape (n_cases,)
            Which.

        Returns
        -------
        numpy.ndarray of int, shape (n_groups,)
            Customers.
        """
        per_pair = np.bincount(self.pairs[chosen & (self.codes >= 0)], minlength=len(self.pair_groups))
        return np.bincount(self.pair_groups[per_pair > 0], minlength=self.n_groups).astype(np.int64)


@dataclass(frozen=True)
class Means:
    """
    Means by group.

    Attributes
    ----------
    mean : numpy.ndarray of float
        NaN in a group without a case.
    n_cases, n_customers : numpy.ndarray of int
        Behind each.
    standard_error : numpy.ndarray of float
        With cases of a customer alike; NaN where there is one customer.
    design_effect : numpy.ndarray of float
        Variance over that of as many independent cases, at least 1.
    """

    mean: Floats
    n_cases: Codes
    n_customers: Codes
    standard_error: Floats
    design_effect: Floats


def grouping(codes: Codes, names: tuple[object, ...], customers: Codes) -> Grouping:
    """
    Return cases in groups.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n_cases,)
        Group of each case; -1 for none.
    names : tuple
        Of the groups.
    customers : numpy.ndarray of int, shape (n_cases,)
        Customer of each case, from 0.

    Returns
    -------
    Grouping
        With customers counted within each group.
    """
    inside = codes >= 0
    width = int(customers.max(initial=0)) + 1
    positions, keys = pd.factorize(codes[inside].astype(np.int64) * width + customers[inside])
    pairs = np.full(len(codes), -1, dtype=np.int64)
    pairs[inside] = positions
    return Grouping(names, codes.astype(np.int64), pairs, (keys // width).astype(np.int64))


def clustered_means(values: Floats, groups: Grouping) -> Means:
    """
    Return the mean of each group with a standard error for customers with several cases.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n_cases,)
        Missing where a case does not count.
    groups : Grouping
        The groups.

    Returns
    -------
    Means
        Residuals are summed by customer before they are squared.

    References
    ----------
    Liang, Zeger (1986), "Longitudinal data analysis using generalized linear models", Biometrika 73(1).

    Examples
    --------
    >>> alike = grouping(np.zeros(4, dtype=np.int64), ("all",), np.array([0, 0, 1, 1]))
    >>> means = clustered_means(np.array([1.0, 1.0, 0.0, 0.0]), alike)
    >>> means.mean.tolist(), means.standard_error.tolist()
    ([0.5], [0.5])
    """
    counted = np.isfinite(values) & (groups.codes >= 0)
    codes, pairs, kept = groups.codes[counted], groups.pairs[counted], values[counted]
    n_cases = np.bincount(codes, minlength=groups.n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(codes, weights=kept, minlength=groups.n_groups) / n_cases
    residuals = kept - mean[codes]
    per_pair = np.bincount(pairs, minlength=len(groups.pair_groups))
    sums = np.bincount(pairs, weights=residuals, minlength=len(per_pair))
    n_customers = np.bincount(groups.pair_groups[per_pair > 0], minlength=groups.n_groups)
    squares = np.bincount(groups.pair_groups, weights=sums**2, minlength=groups.n_groups)
    plain = np.bincount(codes, weights=residuals**2, minlength=groups.n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        correction = n_customers / (n_customers - 1.0)
        error = np.where(n_customers > 1, np.sqrt(squares * correction) / n_cases, np.nan)
        effect = np.where(plain > 0, squares * correction * (n_cases - 1) / (plain * n_cases), np.nan)
    effect = np.where(n_customers > 1, np.fmax(effect, 1.0), np.nan)
    return Means(mean, n_cases, n_customers, error, effect)


def share_interval(means: Means, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """
    Return Wilson intervals of shares, for as many independent cases as these are worth.

    Parameters
    ----------
    means : Means
        Of flags.
    level : float
        Chance to hold the share.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper ends, between 0 and 1; NaN for a group without a case.

    Notes
    -----
    The number of cases is divided by the design effect (never below 1), with a t quantile for few customers. Where all cases
    are alike, or one customer has them all, each customer counts once.

    References
    ----------
    Wilson (1927), "Probable inference", JASA 22(158). Dean, Pagano (2015), "Evaluating confidence interval methods for
    binomial proportions in clustered surveys", Journal of Survey Statistics and Methodology 3(4).
    """
    is_mixed = (means.mean > 0) & (means.mean < 1) & np.isfinite(means.design_effect)
    effect = np.where(is_mixed, means.design_effect, 1.0)
    worth = np.where(is_mixed, means.n_cases / effect, means.n_customers)
    z = _t_quantile(means.n_customers, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        return wilson_interval(means.mean, worth, z=z)


def mean_interval(
    means: Means, *, level: float = LEVEL, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[Floats, Floats]:
    """
    Return intervals of means.

    Parameters
    ----------
    means : Means
        Of numbers.
    level : float
        Chance to hold the mean.
    bounds : tuple of float
        Between which a mean lies in any case.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper ends; NaN where there is one customer.
    """
    half = _t_quantile(means.n_customers, level) * means.standard_error
    return np.clip(means.mean - half, *bounds), np.clip(means.mean + half, *bounds)


def _t_quantile(n_customers: Codes, level: float) -> Floats:
    """Return quantiles for as many customers; those of two, where there is only one."""
    freedom = np.maximum(n_customers - 1, 1)
    few = np.asarray(t.ppf((1 + level) / 2, np.minimum(freedom, 1000)), dtype=float)
    return np.where(freedom < 1000, few, norm.ppf((1 + level) / 2))
