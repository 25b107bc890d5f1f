"""
How single customers scatter around forecasts of their mean, learnt once, for horizons of other lengths too.

The distributions themselves are in :mod:`crm_analysis.models.evaluation.predictive`; how often their ranges hold, and the
correction that follows, belongs in :mod:`crm_analysis.models.evaluation.conformal`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from crm_analysis.models.evaluation.measures import Floats, paired
from crm_analysis.models.evaluation.predictive import CountDistribution, SpendDistribution

NEGLIGIBLE = 1e-3  # of the mean: below, forecasts say "nothing", and the mean of what then came is taken
FAR_OFF = 20.0  # times what was expected: what lies beyond counts as that in a fit, or one customer decides it
CELLS = 50  # a unit of a forecast's logarithm, within which customers with the same count are one
LEAST_MEAN = 1e-12
DISPERSIONS = (1e-4, 1e6)  # from nearly all or nothing to a Poisson distribution
# mean and standard deviation of a normal prior, a row a parameter
COUNT_PRIOR = np.array([[0.0, 2.0], [0.5, 0.5]])  # log size, power
SPEND_PRIOR = np.array([[-1.0, 1.5], [-1.0, 1.5]])  # log within, log between


@dataclass(frozen=True)
class Negligible:
    """
    Forecasts that say "nothing", and what comes all the same.

    Attributes
    ----------
    up_to : float
        Forecasts at or below it are taken for nothing.
    mean : float
        What then came, on average.
    """

    up_to: float
    mean: float

    def means(self, forecast: npt.ArrayLike, *, horizon_ratio: float) -> Floats:
        """
        Return forecasts with the mean of what came in place of negligible ones.

        Parameters
        ----------
        forecast : array-like of float
            Of each customer.
        horizon_ratio : float
            Length of their horizon over that at which this was learnt.

        Returns
        -------
        numpy.ndarray
            Means, not negative.
        """
        expected = np.asarray(forecast, dtype=float)
        if not np.isfinite(expected).all():
            raise ValueError("forecasts must be finite, got missing or infinite values")
        if not horizon_ratio > 0:
            raise ValueError(f"horizon_ratio must be above 0, got {horizon_ratio!r}")
        return np.where(expected > self.up_to * horizon_ratio, expected, self.mean * horizon_ratio)


@dataclass(frozen=True)
class CountSpread:
    """
    How counts scatter around their forecasts, learnt at an origin whose outcome is known.

    Attributes
    ----------
    size, power : float
        The dispersion is ``size * rate ** power``, where the rate is the forecast for a horizon of the length learnt from.
    negligible : Negligible
        What takes the place of forecasts of nothing.
    """

    size: float
    power: float
    negligible: Negligible

    def around(self, forecast: npt.ArrayLike, *, horizon_ratio: float = 1.0) -> CountDistribution:
        """
        Return the distribution of each customer's count.

        Parameters
        ----------
        forecast : array-like of float, shape (n_customers,)
            Expected counts, by the model learnt from.
        horizon_ratio : float
            Length of their horizon over that of the origin learnt from.

        Returns
        -------
        CountDistribution
            With the forecasts as means.
        """
        return self.at(self.negligible.means(forecast, horizon_ratio=horizon_ratio), horizon_ratio=horizon_ratio)

    def at(self, mean: Floats, *, horizon_ratio: float) -> CountDistribution:
        """
        Return the distributions with these means.

        Parameters
        ----------
        mean : numpy.ndarray
            Expected counts; none is negligible.
        horizon_ratio : float
            Length of their horizon over that of the origin learnt from.

        Returns
        -------
        CountDistribution
            Negative binomial.
        """
        kept = np.maximum(mean, LEAST_MEAN)
        dispersion = self.size * (kept / horizon_ratio) ** self.power
        return CountDistribution(kept, np.clip(dispersion, *DISPERSIONS))


@dataclass(frozen=True)
class SpendSpread:
    """
    How spend scatters around its forecasts, learnt at an origin whose outcome is known.

    Attributes
    ----------
    counts : CountSpread
        Of the same customers' transactions.
    within : float
        Variance of amounts around the customer's own mean, over the mean's square.
    between : float
        Variance of customers' mean amounts around those forecast, likewise.
    amounts : tuple of float
        Least and greatest mean amount a transaction that is believed.
    negligible : Negligible
        What takes the place of forecasts of nothing.
    """

    counts: CountSpread
    within: float
    between: float
    amounts: tuple[float, float]
    negligible: Negligible

    def around(
        self, forecast: npt.ArrayLike, count_forecast: npt.ArrayLike, *, horizon_ratio: float = 1.0
    ) -> SpendDistribution:
        """
        Return the distribution of each customer's spend.

        Parameters
        ----------
        forecast : array-like of float, shape (n_customers,)
            Expected spend, by the model learnt from.
        count_forecast : array-like of float, shape (n_customers,)
            Expected transactions in the same horizon.
        horizon_ratio : float
            Length of their horizon over that of the origin learnt from.

        Returns
        -------
        SpendDistribution
            With the forecasts of spend as means.
        """
        counts, amount = self._counts(forecast, count_forecast, horizon_ratio)
        return _compound(counts, amount, self.within, self.between)

    def _counts(
        self, forecast: npt.ArrayLike, count_forecast: npt.ArrayLike, ratio: float
    ) -> tuple[CountDistribution, Floats]:
        """Return counts and mean amounts whose product is the forecast; where they disagree, the spend is believed."""
        money = self.negligible.means(forecast, horizon_ratio=ratio)
        counts = self.counts.negligible.means(count_forecast, horizon_ratio=ratio)
        amount = np.clip(money / np.maximum(counts, LEAST_MEAN), *self.amounts)
        return self.counts.at(money / amount, horizon_ratio=ratio), amount


def count_spread(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> CountSpread:
    """
    Learn how counts scatter around their forecasts.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what had been expected, neither seen by the forecasting model's fit. Below 0 counts as 0.

    Returns
    -------
    CountSpread
        Carries to horizons of other lengths.

    Notes
    -----
    Where a customer's purchases are Poisson with an uncertain rate, the negative binomial's dispersion belongs to the rate
    and not to the length of the horizon. It depends on the forecast by a power, found by maximum likelihood; a weak prior
    holds few customers back from extremes.

    References
    ----------
    Ehrenberg (1959), "The pattern of consumer purchases", Applied Statistics 8(1).

    Examples
    --------
    >>> spread = count_spread([0, 0, 1, 0, 4, 2, 9, 3], [0.2, 0.2, 0.5, 0.5, 2, 2, 5, 5])
    >>> spread.around([0.2, 5]).highest(0.1).tolist(), spread.around([0.6, 15], horizon_ratio=3).highest(0.1).tolist()
    ([1.0, 9.0], [2.0, 24.0])
    """
    came, expected = _not_negative(actual, forecast)
    negligible = _negligible(came, expected)
    means = np.maximum(negligible.means(expected, horizon_ratio=1), LEAST_MEAN)
    counts, means, times = _cells(np.minimum(came, FAR_OFF * (means + 1)), means)
    log_size, power = _fitted(_count_loss, COUNT_PRIOR, (counts, means, times), [(-9.0, 12.0), (0.0, 2.0)])
    return CountSpread(math.exp(log_size), power, negligible)


def spend_spread(
    actual: npt.ArrayLike, forecast: npt.ArrayLike, *, counts: CountSpread, count_forecast: npt.ArrayLike
) -> SpendSpread:
    """
    Learn how spend scatters around its forecasts.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what had been expected, neither seen by the forecasting model's fit. Net spend below 0 counts as 0.
    counts : CountSpread
        Learnt from the transactions of the same customers, origin and horizon.
    count_forecast : array-like of float, shape (n_customers,)
        Expected transactions.

    Returns
    -------
    SpendSpread
        Carries to horizons of other lengths.

    Notes
    -----
    Spend is a sum of N amounts. With m the mean amount, E[S²] = m² (E[N] within + E[N²] (1 + between)): the first part
    averages out over many purchases, the second does not. Given that something came, S is taken for gamma with this mean and
    second moment, which makes the two variances found by maximum likelihood carry to longer horizons, with their more
    purchases. The gamma stands in for the sum's own distribution, so that they come out near the true ones, not equal. Amounts
    beyond 20 times the expected count as that.

    References
    ----------
    Jørgensen, Paes de Souza (1994), "Fitting Tweedie's compound Poisson model to insurance claims data", Scandinavian
    Actuarial Journal. Fader, Hardie (2013), "The Gamma-Gamma model of monetary value".

    Examples
    --------
    >>> counts = count_spread([0, 0, 1, 0, 4, 2], [0.2, 0.2, 0.5, 0.5, 2, 2])
    >>> spread = spend_spread(
    ...     [0, 0, 12, 0, 44, 15], [2, 2, 5, 5, 20, 20], counts=counts, count_forecast=[0.2, 0.2, 0.5, 0.5, 2, 2]
    ... )
    >>> spread.amounts
    (10.0, 10.0)
    """
    came, expected = _not_negative(actual, forecast)
    count_means = paired(came, count_forecast)[1]
    negligible = _negligible(came, expected)
    plain = SpendSpread(counts, 0, 0, _believed_amounts(came, expected, count_means), negligible)
    drawn, amount = plain._counts(expected, count_means, 1.0)
    buyers = came > 0
    drawn, amount = drawn.of(np.flatnonzero(buyers)), amount[buyers]
    money = np.minimum(came[buyers], FAR_OFF * drawn.mean * amount / drawn.some)
    within, between = np.exp(_fitted(_spend_loss, SPEND_PRIOR, (money, drawn, amount), [(-7.0, 4.0)] * 2)).tolist()
    return SpendSpread(counts, within, between, plain.amounts, negligible)


def _count_loss(params: Floats, counts: Floats, means: Floats, times: Floats) -> tuple[float, Floats]:
    """Return the negative log-likelihood with the prior, and its slope, at a log size and a power."""
    k = np.clip(np.exp(params[0]) * means ** params[1], *DISPERSIONS)
    log_chance = special.gammaln(counts + k) - special.gammaln(k) - k * np.log1p(means / k)
    log_chance += counts * np.log(means / (k + means))
    slope = special.digamma(counts + k) - special.digamma(k) - np.log1p(means / k) + (means - counts) / (k + means)
    by_log_k = times * slope * k
    prior, prior_slope = _normal_prior(params, COUNT_PRIOR)
    gradient = np.array([by_log_k.sum(), (by_log_k * np.log(means)).sum()])
    return prior - float((times * log_chance).sum()), prior_slope - gradient


def _spend_loss(params: Floats, money: Floats, counts: CountDistribution, amount: Floats) -> tuple[float, Floats]:
    """Return the negative log-likelihood of buyers' spend with the prior, and its slope, at two log variances."""
    within, between = np.exp(params).tolist()
    gamma = _compound(counts, amount, within, between)
    ratio = money / gamma.scale
    log_density = gamma.shape * np.log(ratio) - ratio - special.gammaln(gamma.shape)
    slope = np.log(ratio) + 1 - ratio / gamma.shape - special.digamma(gamma.shape)
    by_square = -slope * gamma.shape**2 * counts.some / counts.mean**2
    gradient = np.array([by_square @ counts.mean * within, by_square @ _mean_square(counts) * between])
    prior, prior_slope = _normal_prior(params, SPEND_PRIOR)
    return prior - float(log_density.sum()), prior_slope - gradient


def _fitted(
    loss: Callable[..., tuple[float, Floats]],
    prior: Floats,
    data: tuple[object, ...],
    bounds: list[tuple[float, float]],
) -> list[float]:
    """Return the parameters of least loss, without the digits in which the order of rows or the currency would show."""
    options = {"ftol": 1e-13, "gtol": 1e-8}
    found = optimize.minimize(loss, prior[:, 0], data, method="L-BFGS-B", jac=True, bounds=bounds, options=options)
    parameters: list[float] = np.round(found.x, 5).tolist()
    return parameters


def _compound(counts: CountDistribution, amount: Floats, within: float, between: float) -> SpendDistribution:
    """Return nothing or gamma, with the first two moments of a sum of so many amounts."""
    mean, some = counts.mean, counts.some
    among_buyers = some / mean**2  # E[S²] / E[S]², given that S > 0, is this times the square over the amount's
    square = (mean * within + _mean_square(counts) * (1 + between)) * among_buyers
    shape = 1 / np.maximum(square - 1, 1e-6)
    return SpendDistribution(some, shape, amount * mean / (some * shape))


def _mean_square(counts: CountDistribution) -> Floats:
    square: Floats = counts.mean + counts.mean**2 * (1 + 1 / counts.dispersion)
    return square


def _not_negative(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Floats, Floats]:
    came, expected = paired(actual, forecast)
    return np.maximum(came, 0), np.maximum(expected, 0)


def _negligible(came: Floats, expected: Floats) -> Negligible:
    """Return which forecasts say "nothing", and the mean of what came to them, held down where they are few."""
    usual = float(expected.mean())
    up_to = NEGLIGIBLE * usual
    among = came[expected <= up_to]
    if usual > 0:
        among = np.minimum(among, FAR_OFF * usual)
    return Negligible(up_to, max(up_to, float(among.sum()) / (len(among) + 1)))


def _cells(counts: Floats, means: Floats) -> tuple[Floats, Floats, Floats]:
    """Return customers with the same count and about the same mean as one, and how many they are."""
    nearly = np.unique(np.round(CELLS * np.log(means)), return_inverse=True)[1]
    values, code = np.unique(counts, return_inverse=True)
    _, cell, times = np.unique(nearly * len(values) + code, return_inverse=True, return_counts=True)
    together = np.bincount(cell, weights=counts) / times, np.bincount(cell, weights=means) / times
    return *together, times.astype(float)


def _believed_amounts(came: Floats, expected: Floats, count_forecast: Floats) -> tuple[float, float]:
    """Return the range of nearly all mean amounts that the forecasts imply."""
    both = (expected > 0) & (count_forecast > 0)
    implied = expected[both] / count_forecast[both]
    if not len(implied):
        any_amount = float(came[came > 0].mean()) if (came > 0).any() else 1.0
        return any_amount, any_amount
    low, high = np.quantile(implied, [0.01, 0.99])
    return float(low), float(high)


def _normal_prior(params: Floats, prior: Floats) -> tuple[float, Floats]:
    """Return a normal prior's loss and slope."""
    distance = (params - prior[:, 0]) / prior[:, 1]
    return float((distance**2).sum() / 2), distance / prior[:, 1]
