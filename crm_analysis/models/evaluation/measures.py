"""
Measures of a forecast of money or counts, each with clear limits.

A function for each of them is in :mod:`crm_analysis.models.evaluation.single_measures`; how sure one can be of them belongs in :mod:`crm_analysis.models.evaluation.resampling`, probabilities in
:mod:`crm_analysis.models.evaluation.calibration`.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

MEASURES = ("mae", "rmse", "poisson_deviance", "wape", "bias", "rank_correlation", "gini", "top_decile_share")
TOP_DECILE = 0.1

Floats = npt.NDArray[np.float64]


class ForecastJudge:
    """
    Measure one forecast, for all customers or for a resample of them.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    forecast : array-like of float, shape (n_customers,)
        What was expected.

    Notes
    -----
    Orders are sorted once, where they are asked for; a resample is given as weights, so that a bootstrap takes time linear in the customers. With
    whole weights every measure equals that of the table in which each customer is repeated as often.
    """

    def __init__(self, actual: npt.ArrayLike, forecast: npt.ArrayLike) -> None:
        self.actual, self.forecast = paired(actual, forecast)
        error = self.forecast - self.actual
        deviance = _deviance(self.actual, self.forecast)
        impossible = ~np.isfinite(deviance)
        summands = [np.ones(len(error)), self.actual, self.forecast, np.abs(self.actual), np.abs(error), error**2]
        # what is impossible is counted, since infinity times no customer would not be 0
        self._summands = np.column_stack([*summands, np.where(impossible, 0, deviance), impossible])

    @cached_property
    def actual_codes(self) -> npt.NDArray[np.intp]:
        """Number of each actual value among the distinct ones, ascending."""
        return np.unique(self.actual, return_inverse=True)[1]

    @cached_property
    def forecast_codes(self) -> npt.NDArray[np.intp]:
        """Number of each forecast among the distinct ones, ascending."""
        return np.unique(self.forecast, return_inverse=True)[1]

    def measures(self, weights: npt.ArrayLike | None = None) -> dict[str, float]:
        """
        Return all measures.

        Parameters
        ----------
        weights : array-like of float, optional
            How often each customer counts; default once.

        Returns
        -------
        dict
            By the names of :data:`MEASURES`; NaN where a measure is undefined, an infinite Poisson deviance where something
            came that was expected not to.
        """
        times = _times(weights, len(self.actual))
        ranks = self._centred_ranks(times)
        return self.errors(times) | {
            "rank_correlation": _correlation(times, *ranks),
            "gini": self._gini(times, *ranks) if _total(times, self.actual) > 0 else math.nan,
            "top_decile_share": self.top_share(TOP_DECILE, times),
        }

    def errors(self, weights: npt.ArrayLike | None = None) -> dict[str, float]:
        """
        Return the measures that need no order of the customers, and so no sorting.

        Parameters
        ----------
        weights : array-like of float, optional
            How often each customer counts; default once.

        Returns
        -------
        dict
            ``mae``, ``rmse``, ``poisson_deviance``, ``wape`` and ``bias``, as in :meth:`measures`.
        """
        # no matrix product: its threads cost more than they bring at this size
        sums = np.einsum("i,ij->j", _times(weights, len(self.actual)), self._summands).tolist()
        n, actual, forecast, size, error, squared, deviance, impossible = sums
        return {
            "mae": error / n,
            "rmse": math.sqrt(squared / n),
            "poisson_deviance": math.inf if impossible > 0 else deviance / n,
            "wape": error / size if size > 0 else math.nan,
            "bias": forecast / actual - 1 if actual > 0 else math.nan,
        }

    def rank_correlation(self, weights: npt.ArrayLike | None = None) -> float:
        """
        Return Spearman's rank correlation, equal values sharing their mean rank.

        Parameters
        ----------
        weights : array-like of float, optional
            How often each customer counts; default once.

        Returns
        -------
        float
            From -1 to 1; NaN where undefined.
        """
        times = _times(weights, len(self.actual))
        return _correlation(times, *self._centred_ranks(times))

    def top_share(self, share: float, weights: npt.ArrayLike | None = None) -> float:
        """
        Return the share of the actual total from the highest forecasts, equal ones shared out.

        Parameters
        ----------
        share : float
            Of the customers.
        weights : array-like of float, optional
            How often each customer counts; default once.

        Returns
        -------
        float
            NaN where undefined.
        """
        times = _times(weights, len(self.actual))
        revenue = np.bincount(self.forecast_codes, weights=times * self.actual)[::-1].astype(float)
        if revenue.sum() <= 0:
            return math.nan
        customers = np.bincount(self.forecast_codes, weights=times)[::-1]  # equal forecasts together, highest first
        room = share * times.sum() - (np.cumsum(customers) - customers)
        taken = np.clip(room, 0, customers) / np.where(customers > 0, customers, 1)
        return _total(taken, revenue) / float(revenue.sum())

    def _centred_ranks(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the ranks of the actual values and of the forecasts, less their mean."""
        mean_rank = times.sum() / 2
        return _midranks(self.actual_codes, times) - mean_rank, _midranks(self.forecast_codes, times) - mean_rank

    def _gini(self, times: Floats, actual_ranks: Floats, forecast_ranks: Floats) -> float:
        """Return the area by forecast over the area by hindsight: each is proportional to what came, times ranks."""
        perfect = _total(times, self.actual, actual_ranks)
        return _total(times, self.actual, forecast_ranks) / perfect if perfect > 0 else math.nan


def forecast_measures(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> dict[str, float]:
    """
    Return every measure of a forecast.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    dict
        By the names of :data:`MEASURES`; NaN where undefined, see :func:`undefined_measures`; the Poisson deviance is
        infinite where something came that was expected not to.

    Examples
    --------
    >>> {name: round(value, 2) for name, value in forecast_measures([10, 0, 30], [12, 0, 20]).items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'mae': 4.0, 'rmse': 5.89, 'poisson_deviance': 1.56, 'wape': 0.3, 'bias': -0.2, 'rank_correlation': 1.0, 'gini': 1.0,
     'top_decile_share': 0.23}
    """
    return ForecastJudge(actual, forecast).measures()


def undefined_measures(actual: npt.ArrayLike) -> str | None:
    """
    Say which measures are undefined for these actual values, and why.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.

    Returns
    -------
    str or None
        A sentence; None where all are defined.

    Examples
    --------
    >>> undefined_measures([0, 0])
    'Nothing came in the period judged, so WAPE, bias, rank correlation, Gini and shares of the total are undefined.'
    """
    values = np.asarray(actual, dtype=float)
    if not np.any(values):
        return (
            "Nothing came in the period judged, so WAPE, bias, rank correlation, Gini and shares of the total are "
            "undefined."
        )
    if values.sum() <= 0:
        return "Returns outweigh purchases in the period judged, so bias, Gini and shares of the total are undefined."
    return None


def paired(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Floats, Floats]:
    """
    Return both as arrays, or say what is wrong with them.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    tuple of numpy.ndarray
        Of one length, finite.
    """
    truth, expected = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if truth.shape != expected.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(f"actual and forecast must be of one length above 0, got {truth.shape} and {expected.shape}")
    if not (np.isfinite(truth).all() and np.isfinite(expected).all()):
        raise ValueError("actual and forecast must be finite, got missing or infinite values")
    return truth, expected


def _deviance(actual: Floats, forecast: Floats) -> Floats:
    """Return each customer's Poisson deviance, infinite where what came was expected not to."""
    deviance: Floats = 2 * np.maximum(special.kl_div(np.maximum(actual, 0), np.maximum(forecast, 0)), 0)
    return deviance


def _times(weights: npt.ArrayLike | None, n_customers: int) -> Floats:
    """Return how often each customer counts."""
    return np.ones(n_customers) if weights is None else np.asarray(weights, dtype=float)


def _total(*factors: Floats) -> float:
    """Return the sum of products; no dot product, whose threads cost more than they bring at this size."""
    return float(np.einsum(",".join("i" * len(factors)) + "->", *factors))


def _correlation(times: Floats, one: Floats, other: Floats) -> float:
    """Return the correlation of values whose mean is 0."""
    spread = math.sqrt(_total(times, one, one) * _total(times, other, other))
    return _total(times, one, other) / spread if spread > 0 else math.nan


def _midranks(codes: npt.NDArray[np.intp], times: Floats) -> Floats:
    """Return the mean rank of each customer, given dense codes in ascending order."""
    size = np.bincount(codes, weights=times)
    ranks: Floats = (np.cumsum(size) - size / 2)[codes]
    return ranks
