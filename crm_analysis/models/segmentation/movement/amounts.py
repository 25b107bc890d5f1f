"""
How much a purchase day brings: each customer's own mean, drawn toward that of all, with variation from day to day.

How often customers buy is in :mod:`crm_analysis.models.segmentation.movement.rates`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_PLACES = 9
_BOUNDS = ((-2.5, 7.0), (0.05, 7.0), (-9.0, 12.0))
_LEAST_SHAPE = 1e-6


@dataclass(frozen=True)
class PurchaseAmounts:
    """
    The Gamma-Gamma model of what a purchase day brings.

    Attributes
    ----------
    unit : float
        The median of the customers' means; amounts are counted in it, so that the currency has no influence.
    day_shape : float
        How evenly a customer spends: 1 / the squared coefficient of variation of single days.
    mean_shape, mean_rate : float
        Of the gamma distribution of the customers' rates.
    """

    unit: float
    day_shape: float
    mean_shape: float
    mean_rate: float

    def new_days(self, n_days: Counts, frequency: Counts, monetary_value: Floats, draws: np.random.Generator) -> Floats:
        """
        Draw what each customer spends on new purchase days.

        Parameters
        ----------
        n_days : numpy.ndarray of int, shape (n_customers,)
            New purchase days.
        frequency : numpy.ndarray of int, shape (n_customers,)
            Purchase days seen.
        monetary_value : numpy.ndarray, shape (n_customers,)
            Mean amount on those; who has none above zero keeps it as it is.
        draws : numpy.random.Generator
            Where the random numbers come from.

        Returns
        -------
        numpy.ndarray, shape (n_customers,)
            Money.
        """
        own = np.round(monetary_value / self.unit, _PLACES)
        positive = np.where(own > 0, own, 1.0)
        shape = self.mean_shape + self.day_shape * frequency
        rate = draws.gamma(shape) / (self.mean_rate + self.day_shape * frequency * positive)
        amounts = draws.gamma(np.maximum(self.day_shape * n_days, _LEAST_SHAPE)) / (self.day_shape * rate)
        return np.asarray(np.where(own > 0, np.where(n_days > 0, amounts, 0.0), n_days * own) * self.unit)

    def kept(self, spend: Floats, n_kept: Counts, n_left: Counts, draws: np.random.Generator) -> Floats:
        """
        Draw how much of each customer's spend falls on some of the purchase days.

        Parameters
        ----------
        spend : numpy.ndarray, shape (n_customers,)
            On all purchase days.
        n_kept, n_left : numpy.ndarray of int, shape (n_customers,)
            Purchase days it is asked of, and the others.
        draws : numpy.random.Generator
            Where the random numbers come from.

        Returns
        -------
        numpy.ndarray, shape (n_customers,)
            Money; all or nothing where all or none are asked of.
        """
        share = n_kept / np.maximum(n_kept + n_left, 1)
        both = (n_kept > 0) & (n_left > 0)
        uneven = draws.beta(np.where(both, self.day_shape * n_kept, 1.0), np.where(both, self.day_shape * n_left, 1.0))
        return np.asarray(spend * np.where(both & (spend > 0), uneven, share))


def purchase_amounts(frequency: Counts, monetary_value: Floats) -> PurchaseAmounts:
    """
    Learn what purchase days bring.

    Parameters
    ----------
    frequency : numpy.ndarray of int, shape (n_customers,)
        Purchase days seen.
    monetary_value : numpy.ndarray, shape (n_customers,)
        Mean amount on those.

    Returns
    -------
    PurchaseAmounts
        By maximum likelihood over the customers whose mean lies above zero.

    Notes
    -----
    How days differ within a customer is read from how much less the means of many days scatter than those of few.

    References
    ----------
    Fader, Hardie, Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4), for the Gamma-Gamma model.
    """
    positive = monetary_value > 0
    if not positive.any():
        return PurchaseAmounts(1.0, 1.0, 2.0, 1.0)
    unit = float(np.median(monetary_value[positive]))
    means = np.round(monetary_value[positive] / unit, _PLACES)
    pairs, counts = np.unique(
        np.column_stack([frequency[positive].astype(float), np.maximum(means, 10.0**-_PLACES)]),
        axis=0,
        return_counts=True,
    )
    found = minimize(
        _misfit, x0=np.log([2.0, 3.0, 4.0]), args=(pairs[:, 0], pairs[:, 1], counts), method="L-BFGS-B", bounds=_BOUNDS
    )
    day_shape, mean_shape, mean_rate = np.exp(np.round(found.x, 6))
    return PurchaseAmounts(unit, float(day_shape), float(mean_shape), float(mean_rate))


def _misfit(logs: Floats, days: Floats, means: Floats, counts: Counts) -> float:
    """Return the negative log-likelihood of the customers' means, a customer."""
    day_shape, mean_shape, mean_rate = np.exp(logs)
    shape = day_shape * days
    fit = (
        gammaln(shape + mean_shape)
        - gammaln(shape)
        - gammaln(mean_shape)
        + mean_shape * np.log(mean_rate)
        + (shape - 1) * np.log(means)
        + shape * np.log(shape)
        - (shape + mean_shape) * np.log(mean_rate + shape * means)
    )
    return -float((counts * fit).sum() / counts.sum())
