"""
The Gamma-Gamma model: how much customers spend a purchase, shrunk to what all spend.

How often they buy belongs in ``purchases``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.lifetime_value.checks import Floats, checked_spend
from crm_analysis.models.lifetime_value.fitting import Objective, maximise

NAMES = ("p", "q", "gamma")
MIN_CUSTOMERS = 10
STARTS = ((1.0, 3.0, 2.0), (6.0, 4.0, 0.5), (10.0, 2.0, 0.1))  # in each the mean spend is 1


class GammaGamma(BaseEstimator):
    """
    Gamma-Gamma: a customer's purchases vary around a mean of the customer's own, and these means around that of all.

    Attributes
    ----------
    parameters_ : dict
        ``p``, ``q``, and ``gamma`` (money; also called v).
    standard_errors_ : dict
        By name; not a number where the data do not tell (see ``notes_``).
    log_likelihood_ : float
        Of the mean spends, as densities in the unit of money.
    n_customers_ : int
        Fitted to: those with purchases and a positive mean spend.
    n_left_out_ : int
        All others.
    correlation_ : float
        Pearson's, of frequency and mean spend of those fitted to: the model takes them as independent. Not a number where one of them
        does not vary.
    mean_spend_ : float
        Spend a purchase of a customer of whom no purchase is known.
    notes_ : tuple of str
        What a reader has to know.

    Notes
    -----
    The spend of a purchase has a gamma distribution with shape p and a rate nu of the customer's own, which has a gamma
    distribution with shape q and rate gamma. The mean of all is p gamma / (q - 1), and a customer's is expected at
    p (gamma + frequency * mean) / (p frequency + q - 1): a weighted mean of the two. Where q is at most 1 the mean of all is infinite; then
    the weights are q and p frequency, and the mean of all is that of the purchases fitted to. ``notes_`` says so.

    References
    ----------
    Fader, Hardie (2013), "The Gamma-Gamma Model of Monetary Value". Fader, Hardie, Lee (2005), "RFM and CLV", Journal of Marketing
    Research 42(4).

    Examples
    --------
    >>> spends = pd.DataFrame({"frequency": [1, 2, 5, 1] * 5, "monetary_value": [10.0, 30.0, 18.0, 45.0] * 5})
    >>> expected = GammaGamma().fit(spends).expected_spend(spends)
    >>> bool(10 < expected[0] < expected[3] < 45)  # a single purchase says less than the mean of all
    True
    """

    @classmethod
    def with_parameters(cls, parameters: Mapping[str, float], *, mean_spend: float) -> Self:
        """
        Return a model as if fitted, with parameters found earlier or elsewhere.

        Parameters
        ----------
        parameters : mapping
            ``p``, ``q`` and ``gamma``, above 0.
        mean_spend : float
            Mean spend a purchase of all customers, money; used where ``q`` is at most 1, so that the parameters tell none.

        Returns
        -------
        GammaGamma
            Without standard errors or likelihood.
        """
        if set(parameters) != set(NAMES) or not all(0 < value < np.inf for value in parameters.values()):
            raise ValueError(f"parameters must be positive numbers named {', '.join(NAMES)}, got {dict(parameters)!r}")
        model = cls()
        model.parameters_ = {name: float(parameters[name]) for name in NAMES}
        model._set_mean(mean_spend)
        return model

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """
        Fit the model.

        Parameters
        ----------
        X : pandas.DataFrame
            A row per customer: ``frequency`` (purchases: the repeat ones, or all), ``monetary_value`` (their mean spend, money).
        y : array-like, optional
            Not used.

        Returns
        -------
        GammaGamma
            Itself.

        Raises
        ------
        DataQualityError
            Columns are missing, values are impossible, or every mean spend is the same.
        TooFewRecordsError
            Fewer than ten customers have purchases and a positive mean spend.
        ModelError
            The fit does not converge.
        """
        frequency, spend = checked_spend(X)
        used = (frequency > 0) & (spend > 0)
        _require_spends(spend, used)
        order = np.lexsort((spend[used], frequency[used]))  # the same sums for rows in any order
        frequency, spend = frequency[used][order], spend[used][order]
        size = float(spend.mean())
        found = maximise(Objective(_Spends(frequency, spend / size).log_likelihood, len(spend)), STARTS, names=NAMES)
        units = [1.0, 1.0, size]
        self.parameters_ = dict(zip(NAMES, (found.parameters * units).tolist(), strict=True))
        self.standard_errors_ = dict(zip(NAMES, (found.standard_errors * units).tolist(), strict=True))
        self.log_likelihood_ = found.log_likelihood - len(spend) * float(np.log(size))
        self.n_customers_, self.n_left_out_ = len(spend), len(X) - len(spend)
        self.correlation_ = _correlation(frequency, spend)
        self._set_mean(float((frequency * (spend / size)).sum() / frequency.sum()) * size)
        self.notes_ = (*found.notes, *self._remarks())
        return self

    def expected_spend(self, X: pd.DataFrame) -> Floats:
        """
        Return the mean spend a purchase that each customer is expected to have.

        Parameters
        ----------
        X : pandas.DataFrame
            As for :meth:`fit`. A mean spend below 0 (returns beyond purchases) counts as 0.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            Money; ``mean_spend_`` for customers without purchases.
        """
        check_is_fitted(self)
        frequency, spend = checked_spend(X)
        p, q = self.parameters_["p"], self.parameters_["q"]
        prior = q - 1 if self.has_finite_mean_ else q
        own = p * frequency
        expected = (prior * self.mean_spend_ + own * np.maximum(spend, 0.0)) / (prior + own)
        return np.asarray(expected, dtype=float)

    def _set_mean(self, mean_purchase: float) -> None:
        """Note the mean of all customers, or of the purchases fitted to where that is infinite."""
        p, q, gamma = (self.parameters_[name] for name in NAMES)
        self.has_finite_mean_ = q > 1
        self.mean_spend_ = p * gamma / (q - 1) if q > 1 else mean_purchase

    def _remarks(self) -> list[str]:
        """Return sentences on that some were left out, and on a mean that is infinite."""
        remarks = []
        if self.n_left_out_:  # how many is told nowhere: they may be few, and notes are saved with the model
            remarks.append("Customers without purchases, or whose purchases brought nothing, were left out of the fit.")
        if not self.has_finite_mean_:
            remarks.append(
                f"q is {self.parameters_['q']:.3g}, at most 1, so the model's mean spend is infinite: customers are drawn to the mean of "
                f"the purchases instead ({self.mean_spend_:.4g})."
            )
        return remarks


@dataclass(frozen=True)
class _Spends:
    """Frequencies (sorted) and mean spends relative to their mean, and what of the likelihood does not change."""

    frequency: Floats
    spend: Floats

    def log_likelihood(self, logs: Floats) -> tuple[float, Floats]:
        """Return the sum over customers, and its gradient in the logarithms of p, q, gamma."""
        p, q, gamma = np.exp(logs)
        distinct, first, counts = np.unique(self.frequency, return_index=True, return_counts=True)
        sizes, own = p * distinct + q, p * distinct
        total_spend = self.frequency * self.spend
        log_rate, over_rate = np.log(gamma + total_spend), 1 / (gamma + total_spend)
        log_spend = np.add.reduceat(np.log(self.spend), first)
        log_rates, over_rates = np.add.reduceat(log_rate, first), np.add.reduceat(over_rate, first)
        constants = gammaln(sizes) - gammaln(own) - gammaln(q) + q * np.log(gamma) + own * np.log(distinct)
        total = (counts * constants + (own - 1) * log_spend - sizes * log_rates).sum()
        by_size = digamma(sizes)
        by_p = distinct * (counts * (by_size - digamma(own) + np.log(distinct)) + log_spend - log_rates)
        by_q = counts * (by_size - digamma(q) + np.log(gamma)) - log_rates
        by_gamma = counts * q / gamma - sizes * over_rates
        gradient = np.array([p * by_p.sum(), q * by_q.sum(), gamma * by_gamma.sum()])
        return float(total), gradient


def _correlation(frequency: Floats, spend: Floats) -> float:
    if np.ptp(frequency) == 0 or np.ptp(spend) == 0:
        return float("nan")
    return float(np.corrcoef(frequency, spend)[0, 1])


def _require_spends(spend: Floats, used: npt.NDArray[np.bool_]) -> None:
    """Raise where there is nothing to learn the spread of spends from."""
    n_used = int(used.sum())
    if n_used < MIN_CUSTOMERS:
        raise TooFewRecordsError(
            f"Fewer than {MIN_CUSTOMERS} customers have purchases (frequency above 0) and a positive mean spend; the Gamma-Gamma model "
            f"needs {MIN_CUSTOMERS}. Use a longer history or a later as_of."
        )
    if np.ptp(spend[used]) <= 1e-9 * float(spend[used].mean()):
        raise DataQualityError(
            f"All {n_used:,} customers with purchases have the same mean spend ({float(spend[used][0]):.6g}), so there is no "
            "spread to learn. Multiply purchases by this amount, or look at the column monetary_value."
        )
