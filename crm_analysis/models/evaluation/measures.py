"""
Measures of a forecast of money or counts, each with clear limits.

How sure one can be of them belongs in :mod:`crm_analysis.models.evaluation.resampling`, probabilities in
:mod:`crm_analysis.models.evaluation.calibration`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

MEASURES = ("mae", "rmse", "wape", "bias", "rank_correlation", "top_decile_share")
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
    Orders are sorted once; a resample is given as weights, so that a bootstrap takes time linear in the customers. With
    whole weights every measure equals that of the table in which each customer is repeated as often.
    """

    def __init__(self, actual: npt.ArrayLike, forecast: npt.ArrayLike) -> None:
        self.actual, self.forecast = _pair(actual, forecast)
        error = self.forecast - self.actual
        summands = [np.ones(len(error)), self.actual, self.forecast, np.abs(self.actual), np.abs(error), error**2]
        self._summands = np.column_stack(summands)
        self.actual_codes = np.unique(self.actual, return_inverse=True)[1]
        self.forecast_codes = np.unique(self.forecast, return_inverse=True)[1]

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
            By the names of :data:`MEASURES`; NaN where a measure is undefined.
        """
        times = _times(weights, len(self.actual))
        # no matrix product: its threads cost more than they bring at this size
        n, actual, forecast, size, error, squared = np.einsum("i,ij->j", times, self._summands).tolist()
        return {
            "mae": error / n,
            "rmse": math.sqrt(squared / n),
            "wape": error / size if size > 0 else math.nan,
            "bias": forecast / actual - 1 if actual > 0 else math.nan,
            "rank_correlation": self.rank_correlation(times),
            "top_decile_share": self.top_share(TOP_DECILE, times),
        }

    def rank_correlation(self, weights: npt.ArrayLike | None = None) -> float:
        """
        Return Spearman's rank correlation, see :func:`rank_correlation`.

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
        mean_rank = times.sum() / 2
        actual, forecast = (_midranks(codes, times) - mean_rank for codes in (self.actual_codes, self.forecast_codes))
        spread = math.sqrt(_total(times, actual, actual) * _total(times, forecast, forecast))
        return _total(times, actual, forecast) / spread if spread > 0 else math.nan

    def top_share(self, share: float, weights: npt.ArrayLike | None = None) -> float:
        """
        Return the share of the actual total from the highest forecasts, see :func:`top_share`.

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
        By the names of :data:`MEASURES`; NaN where undefined, see :func:`undefined_measures`.

    Examples
    --------
    >>> {name: round(value, 2) for name, value in forecast_measures([10, 0, 30], [12, 0, 20]).items()}
    {'mae': 4.0, 'rmse': 5.89, 'wape': 0.3, 'bias': -0.2, 'rank_correlation': 1.0, 'top_decile_share': 0.23}
    """
    return ForecastJudge(actual, forecast).measures()


def mae(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return the mean absolute error; 0 for a perfect forecast.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    float
        In the unit of the values.

    Notes
    -----
    The median minimises it: where most customers buy nothing, a forecast of zero for everybody does well by it.

    Examples
    --------
    >>> mae([0, 0, 30], [5, 0, 25])
    3.3333333333333335
    """
    return ForecastJudge(actual, forecast).measures()["mae"]


def rmse(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return the root of the mean squared error; 0 for a perfect forecast.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    float
        In the unit of the values. The mean minimises it, so forecasts that add up to budgets are chosen by it.

    Examples
    --------
    >>> rmse([0, 10], [3, 6])
    3.5355339059327378
    """
    return ForecastJudge(actual, forecast).measures()["rmse"]


def wape(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return the weighted absolute percentage error.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    float
        Sum of absolute errors over the sum of absolute actual values: 0 for a perfect forecast, 1 for zero everywhere,
        NaN where nothing came.

    References
    ----------
    Kolassa, Schütz (2007), "Advantages of the MAD/MEAN ratio over the MAPE", Foresight 6.

    Examples
    --------
    >>> wape([10, 30], [0, 0])
    1.0
    """
    return ForecastJudge(actual, forecast).measures()["wape"]


def bias(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return how much more was expected in all than came, as a share.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    float
        Total forecast over total actual, less 1: 0 where totals agree, -1 for zero everywhere, NaN where the actual
        total is not positive.

    Examples
    --------
    >>> bias([10, 30], [20, 30])
    0.25
    """
    return ForecastJudge(actual, forecast).measures()["bias"]


def rank_correlation(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return Spearman's rank correlation, equal values sharing their mean rank.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    float
        1 for the right order, -1 for the reverse, NaN where all values of either are equal.

    Examples
    --------
    >>> rank_correlation([1, 2, 3], [10, 20, 90])
    1.0
    """
    return ForecastJudge(actual, forecast).rank_correlation()


def top_share(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, share: float = TOP_DECILE) -> float:
    """
    Return the share of the actual total that customers with the highest forecasts brought.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.
    share : float
        Of the customers; a fraction of a customer counts as that fraction.

    Returns
    -------
    float
        ``share`` itself where all forecasts are equal; NaN where the actual total is not positive.

    Notes
    -----
    Among equal forecasts the expected share is taken, as if they were drawn in random order.

    Examples
    --------
    >>> top_share([1, 9, 5, 5], [2, 8, 3, 3], share=0.25)
    0.45
    >>> top_share([1, 9, 5, 5], [0, 0, 0, 0], share=0.25)
    0.25
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share!r}")
    return ForecastJudge(actual, forecast).top_share(share)


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
    'Nothing came in the period judged, so WAPE, bias, rank correlation and shares of the total are undefined.'
    """
    values = np.asarray(actual, dtype=float)
    if not np.any(values):
        return (
            "Nothing came in the period judged, so WAPE, bias, rank correlation and shares of the total are undefined."
        )
    if values.sum() <= 0:
        return "Returns outweigh purchases in the period judged, so bias and shares of the total are undefined."
    return None


def _pair(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return both as arrays, or say what is wrong with them."""
    truth, expected = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if truth.shape != expected.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(f"actual and forecast must be of one length above 0, got {truth.shape} and {expected.shape}")
    if not (np.isfinite(truth).all() and np.isfinite(expected).all()):
        raise ValueError("actual and forecast must be finite, got missing or infinite values")
    return truth, expected


def _times(weights: npt.ArrayLike | None, n_customers: int) -> Floats:
    """Return how often each customer counts."""
    return np.ones(n_customers) if weights is None else np.asarray(weights, dtype=float)


def _total(*factors: Floats) -> float:
    """Return the sum of products; no dot product, whose threads cost more than they bring at this size."""
    return float(np.einsum(",".join("i" * len(factors)) + "->", *factors))


def _midranks(codes: npt.NDArray[np.intp], times: Floats) -> Floats:
    """Return the mean rank of each customer, given dense codes in ascending order."""
    size = np.bincount(codes, weights=times)
    ranks: Floats = (np.cumsum(size) - size / 2)[codes]
    return ranks
