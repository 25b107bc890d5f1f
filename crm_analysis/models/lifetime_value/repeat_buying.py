"""
What every model of repeat buying does: fit by maximum likelihood, expect purchases, tell who is active.

What a model supposes (its likelihood, its expectation) belongs in ``purchases``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.lifetime_value.checks import Floats, RepeatPurchases, checked_purchases
from crm_analysis.models.lifetime_value.fitting import Objective, maximise
from crm_analysis.models.lifetime_value.grouping import Groups, distinct_rows, group_customers

MIN_CUSTOMERS = 10
MAX_FIRST_GROUPS = 2_000
MIN_FIRST_REPEATERS = 500


class RepeatPurchaseModel(BaseEstimator, ABC):
    """
    What the models of repeat buying share: fit by maximum likelihood, and forecasts customer by customer.

    Attributes
    ----------
    parameters_ : dict
        By name, in the unit of the times.
    standard_errors_ : dict
        By name; not a number where the data do not tell (see ``notes_``).
    log_likelihood_ : float
        At the parameters.
    n_customers_ : int
        Fitted to.
    notes_ : tuple of str
        What a reader of the parameters has to know.
    """

    _NAMES: ClassVar[tuple[str, ...]]
    _TIMES: ClassVar[tuple[str, ...]]  # parameters that are times

    @classmethod
    def with_parameters(cls, parameters: Mapping[str, float]) -> Self:
        """
        Return a model as if fitted, with parameters found earlier or elsewhere.

        Parameters
        ----------
        parameters : mapping
            By name, above 0, in the unit of the times that it will be asked about.

        Returns
        -------
        RepeatPurchaseModel
            Without standard errors or likelihood.
        """
        if set(parameters) != set(cls._NAMES) or not all(0 < value < np.inf for value in parameters.values()):
            raise ValueError(
                f"parameters must be positive numbers named {', '.join(cls._NAMES)}, got {dict(parameters)!r}"
            )
        model = cls()
        model.parameters_ = {name: float(parameters[name]) for name in cls._NAMES}
        return model

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """
        Fit the model.

        Parameters
        ----------
        X : pandas.DataFrame
            A row per customer: ``frequency`` (repeat purchases), ``recency`` (first to last purchase), ``T`` (first purchase to the day
            known), times in one unit.
        y : array-like, optional
            Not used.

        Returns
        -------
        RepeatPurchaseModel
            Itself.

        Raises
        ------
        DataQualityError
            Columns are missing or rows impossible.
        TooFewRecordsError
            Fewer than ten customers, or none with a repeat purchase.
        ModelError
            The fit does not converge.

        Notes
        -----
        Times are divided by the median T, so the unit does not matter. Where more than 2,000 distinct customers are left, the starts
        climb with every k-th of them (if 500 with a repeat purchase are among these), and only the best end is carried on with all.
        """
        purchases = checked_purchases(X)
        _require_repeats(purchases)
        unit = float(np.median(purchases.T[purchases.T > 0]))
        groups = group_customers(purchases, unit=unit)
        fewer = groups.thinned(MAX_FIRST_GROUPS)
        enough = fewer is not groups and fewer.counts[fewer.frequency > 0].sum() >= MIN_FIRST_REPEATERS
        rate = float((groups.frequency * groups.counts).sum() / (groups.T * groups.counts).sum())
        found = maximise(
            self._objective(groups),
            self._starts(rate),
            names=self._NAMES,
            first=self._objective(fewer) if enough else None,
        )
        units = [unit if name in self._TIMES else 1.0 for name in self._NAMES]
        self.parameters_ = dict(zip(self._NAMES, (found.parameters * units).tolist(), strict=True))
        self.standard_errors_ = dict(zip(self._NAMES, (found.standard_errors * units).tolist(), strict=True))
        # a density per time: the sum over all purchases changes with the unit
        self.log_likelihood_ = found.log_likelihood - float(purchases.frequency.sum()) * float(np.log(unit))
        self.n_customers_ = len(X)
        self.notes_ = found.notes
        return self

    def expected_purchases(self, X: pd.DataFrame, *, horizon: float) -> Floats:
        """
        Return how many purchases each customer is expected to make.

        Parameters
        ----------
        X : pandas.DataFrame
            As for :meth:`fit`.
        horizon : float
            Time ahead, in the unit of T.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            Given what the customer did; the chance of having left is allowed for.
        """
        return self.discounted_purchases(X, horizons=[horizon], weights=[1.0])

    def discounted_purchases(self, X: pd.DataFrame, *, horizons: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
        """
        Return the expected purchases within several horizons, summed with weights.

        Parameters
        ----------
        X : pandas.DataFrame
            As for :meth:`fit`.
        horizons : array-like of float
            Times ahead, in the unit of T.
        weights : array-like of float
            One per horizon.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            The sum over horizons of weight times expected purchases.
        """
        check_is_fitted(self)
        times, factors = np.asarray(horizons, dtype=float), np.asarray(weights, dtype=float)
        if not (np.isfinite(times) & (times >= 0)).all():
            raise ValueError(
                f"a horizon must be a finite time from 0, got {times[~(times >= 0) | np.isinf(times)][0]!r}"
            )
        purchases = checked_purchases(X)
        (frequency, length), inverse = distinct_rows(purchases.frequency, purchases.T)
        if_active = self._purchases_if_active(frequency, length, times, factors)
        return np.asarray(if_active[inverse] * self._active(purchases), dtype=float)

    def chance_active(self, X: pd.DataFrame) -> Floats:
        """
        Return the probability that a customer has not left by the day known.

        Parameters
        ----------
        X : pandas.DataFrame
            As for :meth:`fit`.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            In [0, 1].
        """
        check_is_fitted(self)
        return self._active(checked_purchases(X))

    def _values(self) -> Floats:
        return np.array([self.parameters_[name] for name in self._NAMES])

    def _active(self, purchases: RepeatPurchases) -> Floats:
        return np.asarray(expit(-self._log_odds_gone(purchases)), dtype=float)

    @abstractmethod
    def _objective(self, groups: Groups) -> Objective:
        """Return the log-likelihood of the groups as a function of the logarithms of the parameters."""

    @abstractmethod
    def _starts(self, rate: float) -> list[tuple[float, ...]]:
        """Return parameters to start from, given purchases per unit of time."""

    @abstractmethod
    def _log_odds_gone(self, purchases: RepeatPurchases) -> Floats:
        """Return the log-odds of having left."""

    @abstractmethod
    def _purchases_if_active(self, frequency: Floats, T: Floats, horizons: Floats, weights: Floats) -> Floats:
        """Return the weighted sum of expected purchases of customers who are active."""


def _require_repeats(purchases: RepeatPurchases) -> None:
    """Raise where there is nothing to learn a rate from."""
    n_customers = len(purchases.T)
    if n_customers < MIN_CUSTOMERS:
        raise TooFewRecordsError(
            f"A model of repeat buying needs at least {MIN_CUSTOMERS} customers for its four parameters, got fewer. "
            "Use more customers."
        )
    if not purchases.T.any():
        raise TooFewRecordsError(
            f"All {n_customers:,} customers bought first on the last day known (T is 0), so nobody could buy again yet. Use a later as_of."
        )
    if not purchases.frequency.any():
        raise TooFewRecordsError(
            f"None of {n_customers:,} customers bought a second time, so rates cannot be learnt. Use a later as_of or a longer history."
        )
