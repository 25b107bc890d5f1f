"""
Distributions of what single customers may bring: counts, and spend that is nothing for most.

How they are learnt from forecasts belongs in :mod:`crm_analysis.models.evaluation.spread`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from crm_analysis.models.evaluation.measures import Floats

LEAST_CHANCE = 1e-300

Holds = Callable[["CountDistribution", Floats, Floats], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class CountDistribution:
    """
    Negative binomial distributions of counts, one a customer.

    Attributes
    ----------
    mean : numpy.ndarray
        Expected counts.
    dispersion : numpy.ndarray
        k: the variance is mean + mean² / k.
    """

    mean: Floats
    dispersion: Floats

    @property
    def zero(self) -> Floats:
        """Chance of none."""
        chance: Floats = np.exp(self._log_zero)
        return chance

    @property
    def some(self) -> Floats:
        """Chance of at least one, exact where it is small."""
        chance: Floats = -np.expm1(self._log_zero)
        return chance

    @property
    def _log_zero(self) -> Floats:
        exponent: Floats = -self.dispersion * np.log1p(self.mean / self.dispersion)
        return exponent

    def at_most(self, values: npt.ArrayLike) -> Floats:
        """
        Return the chance of at most so many, the distribution function.

        Parameters
        ----------
        values : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Chances.
        """
        counts = np.floor(np.asarray(values, dtype=float))
        share = self.dispersion / (self.dispersion + self.mean)
        return np.where(counts < 0, 0.0, special.betainc(self.dispersion, np.maximum(counts, 0) + 1, share))

    def at_least(self, values: npt.ArrayLike) -> Floats:
        """
        Return the chance of at least so many, the survival function with the value itself.

        Parameters
        ----------
        values : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Chances.
        """
        counts = np.ceil(np.asarray(values, dtype=float))
        share = self.mean / (self.dispersion + self.mean)
        return np.where(counts <= 0, 1.0, special.betainc(np.maximum(counts, 1), self.dispersion, share))

    def lowest(self, chance: npt.ArrayLike) -> Floats:
        """
        Return the least count with at least this chance at or below it, the quantile.

        Parameters
        ----------
        chance : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Whole numbers.
        """
        return self._greatest(lambda some, counts, wanted: some.at_most(counts - 1) < wanted, chance)

    def highest(self, chance: npt.ArrayLike) -> Floats:
        """
        Return the greatest count with at least this chance at or above it, the quantile from above.

        Parameters
        ----------
        chance : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Whole numbers.
        """
        return self._greatest(lambda some, counts, wanted: some.at_least(counts) >= wanted, chance)

    def _greatest(self, holds: Holds, chance: npt.ArrayLike) -> Floats:
        """Return the greatest counts for which something holds that holds for 0 and ends once: by doubling, then halving."""
        wanted = np.maximum(np.broadcast_to(np.asarray(chance, dtype=float), self.mean.shape), LEAST_CHANCE)
        greatest, stopped, step = np.zeros(self.mean.shape), np.ones(self.mean.shape), 1.0
        rows = np.arange(len(self.mean))
        while len(rows):
            further = holds(self.of(rows), greatest[rows] + step, wanted[rows])
            stopped[rows[~further]] = step
            rows = rows[further]
            greatest[rows] += step
            step *= 2
        while step > 1:
            step /= 2
            rows = np.flatnonzero(stopped > step)  # others lie closer already
            further = holds(self.of(rows), greatest[rows] + step, wanted[rows])
            greatest[rows[further]] += step
        return greatest

    def of(self, rows: npt.NDArray[np.intp]) -> CountDistribution:
        """
        Return the distributions of some customers.

        Parameters
        ----------
        rows : numpy.ndarray
            Their positions.

        Returns
        -------
        CountDistribution
            In that order.
        """
        return CountDistribution(self.mean[rows], self.dispersion[rows])


@dataclass(frozen=True)
class SpendDistribution:
    """
    Distributions of spend, one a customer: nothing, or an amount by a gamma distribution.

    Attributes
    ----------
    some : numpy.ndarray
        Chance of anything.
    shape, scale : numpy.ndarray
        Of the gamma distribution of what is above 0; their product is its mean.
    """

    some: Floats
    shape: Floats
    scale: Floats

    @property
    def zero(self) -> Floats:
        """Chance of nothing."""
        return 1 - self.some

    def at_most(self, values: npt.ArrayLike) -> Floats:
        """
        Return the chance of at most so much, the distribution function.

        Parameters
        ----------
        values : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Chances.
        """
        money = np.asarray(values, dtype=float)
        below = special.gammainc(self.shape, np.maximum(money, 0) / self.scale)
        return np.where(money < 0, 0.0, self.zero + self.some * below)

    def at_least(self, values: npt.ArrayLike) -> Floats:
        """
        Return the chance of at least so much, the survival function with the value itself.

        Parameters
        ----------
        values : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Chances.
        """
        money = np.asarray(values, dtype=float)
        above = special.gammaincc(self.shape, np.maximum(money, 0) / self.scale)
        return np.where(money <= 0, 1.0, self.some * above)

    def lowest(self, chance: npt.ArrayLike) -> Floats:
        """
        Return the least amount with at least this chance at or below it, the quantile.

        Parameters
        ----------
        chance : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Money.
        """
        among_buyers = (np.asarray(chance, dtype=float) - self.zero) / self.some
        quantile: Floats = self.scale * special.gammaincinv(self.shape, np.clip(among_buyers, 0, 1))
        return quantile

    def highest(self, chance: npt.ArrayLike) -> Floats:
        """
        Return the greatest amount with at least this chance at or above it, the quantile from above.

        Parameters
        ----------
        chance : array-like of float
            One a customer, or one for all.

        Returns
        -------
        numpy.ndarray
            Money.
        """
        among_buyers = np.maximum(np.asarray(chance, dtype=float), LEAST_CHANCE) / self.some
        quantile: Floats = self.scale * special.gammainccinv(self.shape, np.clip(among_buyers, 0, 1))
        return quantile

    def of(self, rows: npt.NDArray[np.intp]) -> SpendDistribution:
        """
        Return the distributions of some customers.

        Parameters
        ----------
        rows : numpy.ndarray
            Their positions.

        Returns
        -------
        SpendDistribution
            In that order.
        """
        return SpendDistribution(self.some[rows], self.shape[rows], self.scale[rows])
