"""
Inner loops, compiled: log-likelihoods with gradients over groups of equal customers, and expectations.

Parameters are those of the models, times in any unit. Nothing is checked here: ``checks`` has seen the data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np

from crm_analysis.models.lifetime_value.checks import Floats, Integers

P = ParamSpec("P")
R = TypeVar("R")

_FAR = 40.0  # exp(-40) is below the precision of a float
_MOST_TERMS = 4_000.0  # of the series; the integral takes about as long
_STEP = 0.25


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """
    Compile a function, and keep the machine code on disk where a folder for it can be found.

    Parameters
    ----------
    function : callable
        In the subset of Python that numba compiles.

    Returns
    -------
    callable
        Compiled at the first call.

    Notes
    -----
    numba keeps it beside the module, else in the user's cache; where both cannot be written to it refuses, and the function is
    compiled anew in every process.
    """
    try:
        return cast("Callable[P, R]", numba.njit(cache=True, error_model="numpy")(function))
    except RuntimeError:
        return cast("Callable[P, R]", numba.njit(error_model="numpy")(function))


@compiled
def rising_logarithms(start: float, length: int) -> tuple[Floats, Floats, Floats]:
    """
    Return the logarithm of rising factorials, and its derivatives.

    Parameters
    ----------
    start : float
        Above 0.
    length : int
        How many.

    Returns
    -------
    tuple of numpy.ndarray
        For n from 0: the sums of ``log(start + k)`` over k < n, and their first and second derivatives, which are differences of
        log-gamma, digamma and trigamma functions without their cancellation.
    """
    logarithms, slopes, curves = np.zeros(length), np.zeros(length), np.zeros(length)
    for n in range(1, length):
        over = 1 / (start + n - 1)
        logarithms[n] = logarithms[n - 1] + np.log(start + n - 1)
        slopes[n] = slopes[n - 1] + over
        curves[n] = curves[n - 1] - over * over
    return logarithms, slopes, curves


@compiled
def geometric_likelihood(
    parameters: Floats,
    frequency: Floats,
    counts: Floats,
    times: Floats,
    recency_place: Integers,
    T_place: Integers,
    shift: int,
) -> tuple[float, Floats, Floats]:
    """
    Return the log-likelihood of BG/NBD or MBG/NBD, with its gradient and Hessian in the logarithms of the parameters.

    Parameters
    ----------
    parameters : numpy.ndarray
        r, alpha, a, b.
    frequency, counts, times, recency_place, T_place : numpy.ndarray
        Groups of customers.
    shift : int
        Chances to leave before the first repeat purchase: 0 in BG/NBD, 1 in MBG/NBD.

    Returns
    -------
    tuple
        The sum over customers, its four derivatives, and their derivatives.

    Notes
    -----
    A customer's likelihood is that of being active times 1 + odds of having left; the share ``gone`` of the second part weighs the
    derivatives of the log-odds.
    """
    r, alpha, a, b = parameters
    length = int(frequency.max()) + shift + 1
    log_r, slope_r, curve_r = rising_logarithms(r, length)
    log_b, slope_b, curve_b = rising_logarithms(b, length)
    log_ab, slope_ab, curve_ab = rising_logarithms(a + b, length)
    over_b = 1 / (b + np.arange(length) - 1)
    over_b[0] = 0.0  # nobody leaves without a chance to
    log_odds = np.log(a * over_b)
    log_times, over_times = np.log(alpha + times), 1 / (alpha + times)
    log_alpha, over_a = np.log(alpha), 1 / a
    total, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
    slopes = np.zeros(4)
    slopes[2] = over_a
    for i in range(len(counts)):
        x, count = int(frequency[i]), counts[i]
        n, power = x + shift, r + x
        log_end, over_end = log_times[T_place[i]], over_times[T_place[i]]
        over_last = over_times[recency_place[i]]
        slopes[0] = log_end - log_times[recency_place[i]]
        slopes[1] = power * (over_end - over_last)
        slopes[3] = -over_b[n]
        odds = log_odds[n] + power * slopes[0]
        small = np.exp(-abs(odds))
        gone = (1.0 if odds > 0 else small) / (1 + small)
        total += count * (log_r[x] + r * log_alpha + log_b[n] - log_ab[n] - power * log_end)
        total += count * (max(odds, 0.0) + np.log(1 + small))
        gradient[0] += count * (slope_r[x] + log_alpha - log_end + gone * slopes[0])
        gradient[1] += count * (r / alpha - power * over_end + gone * slopes[1])
        gradient[2] += count * (gone * over_a - slope_ab[n])
        gradient[3] += count * (gone * slopes[3] + slope_b[n] - slope_ab[n])
        both = gone * (1 - gone)
        for j in range(4):
            for k in range(j + 1):
                hessian[j, k] += count * both * slopes[j] * slopes[k]
        hessian[0, 0] += count * curve_r[x]
        hessian[1, 0] += count * (1 / alpha - over_end + gone * (over_end - over_last))
        hessian[1, 1] += count * (power * (over_end**2 - gone * (over_end**2 - over_last**2)) - r / alpha**2)
        hessian[2, 2] -= count * (curve_ab[n] + gone * over_a**2)
        hessian[3, 2] -= count * curve_ab[n]
        hessian[3, 3] += count * (curve_b[n] - curve_ab[n] + gone * over_b[n] ** 2)
    gradient *= parameters
    for j in range(4):
        for k in range(j + 1):
            hessian[j, k] *= parameters[j] * parameters[k]
            hessian[k, j] = hessian[j, k]
        hessian[j, j] += gradient[j]
    return total, gradient, hessian


@compiled
def geometric_log_odds(parameters: Floats, frequency: Floats, recency: Floats, T: Floats, shift: int) -> Floats:
    """
    Return the log-odds of having left, under BG/NBD or MBG/NBD.

    Parameters
    ----------
    parameters : numpy.ndarray
        r, alpha, a, b.
    frequency, recency, T : numpy.ndarray
        Customers.
    shift : int
        0 in BG/NBD, 1 in MBG/NBD.

    Returns
    -------
    numpy.ndarray
        Minus infinity where leaving was not possible.
    """
    r, alpha, a, b = parameters
    odds = np.full(len(T), -np.inf)
    for i in range(len(T)):
        n = frequency[i] + shift
        if n > 0:
            ratio = np.log1p((T[i] - recency[i]) / (alpha + recency[i]))
            odds[i] = np.log(a / (b + n - 1)) + (r + frequency[i]) * ratio
    return odds


@compiled
def geometric_purchases(
    parameters: Floats, frequency: Floats, T: Floats, horizons: Floats, weights: Floats, shift: int
) -> Floats:
    """
    Return the expected purchases of customers who are active, summed over weighted horizons.

    Parameters
    ----------
    parameters : numpy.ndarray
        r, alpha, a, b.
    frequency, T : numpy.ndarray
        Customers.
    horizons, weights : numpy.ndarray
        Ascending; the sum of weight times expected purchases within the horizon is returned.
    shift : int
        0 in BG/NBD, 1 in MBG/NBD.

    Returns
    -------
    numpy.ndarray
        One value per customer.
    """
    r, alpha, a, b = parameters
    sums = np.zeros(len(T))
    for i in range(len(T)):
        size, stay = r + frequency[i], b + frequency[i] + shift
        ratios = horizons / (alpha + T[i])
        n_short = 0
        for ratio in ratios:
            terms = size * ratio + _FAR * (1 + ratio)
            if terms > _MOST_TERMS or size * np.log1p(ratio) > 600:  # exp(-600) is still a normal number
                break
            n_short += 1
        if n_short:
            sums[i] = purchases_by_series(size, ratios[:n_short], weights[:n_short], a, stay)
        for k in range(n_short, len(horizons)):
            sums[i] += weights[k] * purchases_by_integral(size, ratios[k], a, stay)
    return sums


@compiled
def purchases_by_series(size: float, ratios: Floats, weights: Floats, a: float, b: float) -> float:
    """
    Return the expected purchases of an active customer as a sum of positive terms, summed over weighted horizons.

    Parameters
    ----------
    size : float
        Shape of the customer's rate: r plus frequency.
    ratios : numpy.ndarray
        The horizons over alpha plus T, ascending.
    weights : numpy.ndarray
        Of the horizons.
    a, b : float
        Of the beta distribution of the customer's chance to leave after a purchase.

    Returns
    -------
    float
        The weighted sum of expectations.

    Notes
    -----
    A customer who never left would make a negative binomial number N of purchases. There is purchase j + 1 if N > j and the
    customer stayed after each of the first j, so the expectation is the sum over j of P(N > j) times
    E[(1 - p)^j] = (b)_j / (a + b)_j. The longest horizon needs the most terms.
    """
    chances = ratios / (1 + ratios)
    masses = np.exp(-size * np.log1p(ratios))
    above = -np.expm1(-size * np.log1p(ratios))
    totals = above.copy()
    stayed, growth, j = 1.0, size, 0
    while True:
        j += 1
        over = 1 / ((a + b + j - 1) * (j + 1))  # one division for both ratios: it takes the most time
        stayed *= (b + j - 1) * (j + 1) * over
        for k in range(len(ratios)):
            masses[k] *= growth * chances[k]
            above[k] -= masses[k]
            totals[k] += above[k] * stayed
        growth = (size + j) * (a + b + j - 1) * over
        rest = 1 - growth * chances[-1]
        if rest > 0 and masses[-1] * stayed <= 1e-14 * totals[-1] * rest**2:
            return float((weights * totals).sum())


@compiled
def purchases_by_integral(size: float, ratio: float, a: float, b: float) -> float:
    """
    Return the expected purchases of an active customer as an integral over the chance to leave.

    Parameters
    ----------
    size, ratio, a, b : float
        As in :func:`purchases_by_series`, for one horizon.

    Returns
    -------
    float
        The expectation.

    Notes
    -----
    The mean of (1 - (1 + p ratio)^-size) / p under Beta(a, b), by the trapezoidal rule in log(p / (1 - p)): the integrand is analytic
    and bounded where the imaginary part stays within pi / 2, so the error falls exponentially with the step. Both tails are
    geometric series.
    """
    step = min(_STEP, 0.7 * np.sqrt(1 / a + 1 / b))  # narrow peaks need finer steps
    low = -_FAR - np.log1p(size * ratio + b)
    high = _FAR + np.log1p(a + size)
    n = int((high - low) / step) + 1
    peak = a * np.log(a / (a + b)) + b * np.log(b / (a + b))
    weight_sum, value_sum = 0.0, 0.0
    for k in range(n + 1):
        u = low + k * step
        p = 1 / (1 + np.exp(-u))
        log_stay = -np.log1p(np.exp(u)) if u < 30 else -u
        weight = np.exp(a * (u + log_stay) + b * log_stay - peak)
        if k == 0:
            weight += weight / np.expm1(a * step)
        elif k == n:
            weight += weight / np.expm1(b * step)
        weight_sum += weight
        value_sum += weight * -np.expm1(-size * np.log1p(p * ratio)) / p
    return float(value_sum / weight_sum)
