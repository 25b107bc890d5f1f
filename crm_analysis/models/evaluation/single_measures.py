"""
Each measure of a forecast by its own name, with its definition and its limits.

All of them at once, and for resamples, are in :mod:`crm_analysis.models.evaluation.measures`.
"""

from __future__ import annotations

import numpy.typing as npt

from crm_analysis.models.evaluation.measures import TOP_DECILE, ForecastJudge


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
    return ForecastJudge(actual, forecast).errors()["mae"]


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
    return ForecastJudge(actual, forecast).errors()["rmse"]


def poisson_deviance(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return the mean Poisson deviance; 0 for a perfect forecast.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected. Below 0 counts as 0, in both.

    Returns
    -------
    float
        In the unit of the values: a currency factor carries through. Infinite where 0 was expected for somebody who came,
        so that such a forecast is last in any comparison.

    Notes
    -----
    ``2 (actual log(actual / forecast) - actual + forecast)``, averaged. The mean minimises it, as it does the squared error,
    but an error of 1 weighs more where little is expected: few large customers do not decide it.

    References
    ----------
    McCullagh, Nelder (1989), "Generalized Linear Models", 2nd edition, section 2.3.

    Examples
    --------
    >>> round(poisson_deviance([0, 2], [1, 1]), 3)
    1.386
    >>> poisson_deviance([0, 2], [1, 0])
    inf
    """
    return ForecastJudge(actual, forecast).errors()["poisson_deviance"]


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
    return ForecastJudge(actual, forecast).errors()["wape"]


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
    return ForecastJudge(actual, forecast).errors()["bias"]


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


def gini(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """
    Return the normalised Gini coefficient of the order by forecast.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.

    Returns
    -------
    float
        1 for the order of what came, -1 for the reverse, 0 for equal forecasts; NaN where the actual total is not positive
        or the same came from everybody.

    Notes
    -----
    Customers in ascending order of forecast, the share of what came against the share of customers: the area between this
    concentration curve and the diagonal, over the same area in the order of what came. Among equal forecasts the curve is
    straight, as if they were drawn in random order. Unlike a rank correlation, it weighs customers by what they brought.

    References
    ----------
    Kakwani (1977), "Applications of Lorenz curves in economic analysis", Econometrica 45(3). Frees, Meyers, Cummings (2011),
    "Summarizing insurance scores using a Gini index", JASA 106(495).

    Examples
    --------
    >>> gini([0, 0, 10, 30], [1, 2, 9, 3])
    0.6
    """
    return ForecastJudge(actual, forecast).measures()["gini"]


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
