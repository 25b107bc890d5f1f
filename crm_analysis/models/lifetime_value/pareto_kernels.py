"""
Inner loops of Pareto/NBD, compiled: the likelihood as a sum of two positive parts, one of them a short integral.

The two other models share ``kernels``.
"""

from __future__ import annotations

import numpy as np

from crm_analysis.models.lifetime_value.checks import Floats
from crm_analysis.models.lifetime_value.kernels import compiled, rising_logarithms

NODES, WEIGHTS = (np.asarray(values, dtype=float) for values in np.polynomial.legendre.leggauss(24))
FEW_NODES, FEW_WEIGHTS = (np.asarray(values, dtype=float) for values in np.polynomial.legendre.leggauss(10))
_FAR = 40.0


@compiled
def pareto_gone(parameters: Floats, x: float, recency: float, T: float) -> tuple[float, float, float, float, float]:
    """
    Return the logarithm of the likelihood's part of customers who left, and means over when they left.

    Parameters
    ----------
    parameters : numpy.ndarray
        r, alpha, s, beta.
    x, recency, T : float
        A customer with T above the recency.

    Returns
    -------
    tuple of float
        log I, where I is the integral of s (beta + t)^-(s + 1) (alpha + t)^-(r + x) over t from the recency to T; and the means,
        with that integrand as weight, of log(alpha + t), 1 / (alpha + t), log(beta + t), 1 / (beta + t).

    Notes
    -----
    The integral is the difference of hypergeometric functions of the literature, whose form depends on whether alpha or beta is
    larger. As an integral nothing cancels and one form serves both. It runs over y = log(c + t) with c the smaller of alpha and beta,
    in which the integrand is analytic within pi of the real line, and stops where it has fallen by exp(-40).
    """
    r, alpha, s, beta = parameters
    least = min(alpha, beta)
    start = least + recency
    length = np.log1p((T - recency) / start)
    fall = start * ((s + 1) / (beta + recency) + (r + x) / (alpha + recency)) - 1  # it grows with y
    if fall * length > _FAR:
        length = _FAR / fall
    is_smooth = length < 1.5 and abs(fall) * length < 6  # then fewer nodes do
    nodes, weights = (FEW_NODES, FEW_WEIGHTS) if is_smooth else (NODES, WEIGHTS)
    total, log_alpha, over_alpha, log_beta, over_beta = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(len(nodes)):
        y = (nodes[k] + 1) * length / 2
        since = start * np.expm1(y)
        alpha_t, beta_t = alpha + recency + since, beta + recency + since
        gain_alpha = y if alpha <= beta else np.log(alpha_t / (alpha + recency))
        gain_beta = y if beta < alpha else np.log(beta_t / (beta + recency))
        weight = weights[k] * np.exp(y - (s + 1) * gain_beta - (r + x) * gain_alpha)
        total += weight
        log_alpha += weight * gain_alpha
        over_alpha += weight / alpha_t
        log_beta += weight * gain_beta
        over_beta += weight / beta_t
    at_alpha, at_beta = np.log(alpha + recency), np.log(beta + recency)
    value = np.log(s * start * length / 2 * total) - (s + 1) * at_beta - (r + x) * at_alpha
    return value, at_alpha + log_alpha / total, over_alpha / total, at_beta + log_beta / total, over_beta / total


@compiled
def pareto_likelihood(
    parameters: Floats,
    frequency: Floats,
    recency: Floats,
    T: Floats,
    counts: Floats,
) -> tuple[float, Floats]:
    """
    Return the log-likelihood of Pareto/NBD, and its gradient in the logarithms of the parameters.

    Parameters
    ----------
    parameters : numpy.ndarray
        r, alpha, s, beta.
    frequency, recency, T, counts : numpy.ndarray
        Groups of customers.

    Returns
    -------
    tuple
        The sum over customers, and its four derivatives.
    """
    r, alpha, s, beta = parameters
    log_r, slope_r, _ = rising_logarithms(r, int(frequency.max()) + 1)
    total, by_r, by_alpha, by_s, by_beta = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(counts)):
        x = frequency[i]
        end_alpha, end_beta = np.log(alpha + T[i]), np.log(beta + T[i])
        value, gone = -(r + x) * end_alpha - s * end_beta, 0.0
        log_alpha, over_alpha, log_beta, over_beta = 0.0, 0.0, 0.0, 0.0
        if T[i] > recency[i]:
            part, log_alpha, over_alpha, log_beta, over_beta = pareto_gone(parameters, x, recency[i], T[i])
            odds = part - value
            small = np.exp(-abs(odds))
            gone = (1.0 if odds > 0 else small) / (1 + small)
            value += max(odds, 0.0) + np.log1p(small)
        active = 1 - gone
        total += counts[i] * (value + log_r[int(x)] + r * np.log(alpha) + s * np.log(beta))
        by_r += counts[i] * (slope_r[int(x)] + np.log(alpha) - active * end_alpha - gone * log_alpha)
        by_alpha += counts[i] * (r / alpha - (r + x) * (active / (alpha + T[i]) + gone * over_alpha))
        by_s += counts[i] * (np.log(beta) - active * end_beta + gone * (1 / s - log_beta))
        by_beta += counts[i] * (s / beta - active * s / (beta + T[i]) - gone * (s + 1) * over_beta)
    return total, parameters * np.array([by_r, by_alpha, by_s, by_beta])


@compiled
def pareto_log_odds(parameters: Floats, frequency: Floats, recency: Floats, T: Floats) -> Floats:
    """
    Return the log-odds of having left, under Pareto/NBD.

    Parameters
    ----------
    parameters : numpy.ndarray
        r, alpha, s, beta.
    frequency, recency, T : numpy.ndarray
        Customers.

    Returns
    -------
    numpy.ndarray
        Minus infinity for those who bought on the last day known.
    """
    r, alpha, s, beta = parameters
    odds = np.full(len(T), -np.inf)
    for i in range(len(T)):
        if T[i] > recency[i]:
            part = pareto_gone(parameters, frequency[i], recency[i], T[i])[0]
            odds[i] = part + (r + frequency[i]) * np.log(alpha + T[i]) + s * np.log(beta + T[i])
    return odds
