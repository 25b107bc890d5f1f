"""
Maximum likelihood for positive parameters: several starts, convergence checked, standard errors from the Hessian.

What the likelihoods are belongs in ``kernels`` and ``spend``; this module sees functions of the parameters' logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from crm_analysis.errors import ModelError
from crm_analysis.models.lifetime_value.checks import Flags, Floats

LogLikelihood = Callable[[Floats], tuple[float, Floats]]
SecondOrder = Callable[[Floats], tuple[float, Floats, Floats]]

BOUND = 9.0  # logarithms of parameters, once times and money are near 1
GRADIENT_TOLERANCE = 1e-3  # a parameter e times as large would change the log-likelihood by about this
LEAST_GAIN = 1e-3  # of the log-likelihood: what is left to win below this is nothing
DISAGREEMENT = 0.01  # of the log-likelihood
_POLISH_ROUNDS = 30
_FLAT = 1e-11  # of the gradient, a customer: about what is left to rounding
_DIFFERENCE = 1e-4
_LEAST_REACH = 0.01  # of a step: nearer to a bound, parameters are held there one by one
_LEAST_CURVATURE = 1e-7  # of the mean log-likelihood a customer: flatter than a float can tell


@dataclass(frozen=True)
class Objective:
    """
    What is to be made as large as possible, as a function of the logarithms of the parameters.

    Attributes
    ----------
    log_likelihood : callable
        Returns the sum over customers, and its gradient.
    n_customers : int
        How many the sum runs over.
    second_order : callable, optional
        Returns the Hessian as well; without it, it is made of differences of the gradient.
    """

    log_likelihood: LogLikelihood
    n_customers: int
    second_order: SecondOrder | None = None

    def at(self, place: Floats) -> tuple[float, Floats, Floats | None]:
        """
        Return the sum, its gradient, and its Hessian where that costs little.

        Parameters
        ----------
        place : numpy.ndarray
            Logarithms of the parameters.

        Returns
        -------
        tuple
            Float, array, and array or None.
        """
        return self.second_order(place) if self.second_order else (*self.log_likelihood(place), None)


@dataclass(frozen=True)
class Maximum:
    """
    Where a likelihood is largest.

    Attributes
    ----------
    parameters : numpy.ndarray
        Above 0.
    standard_errors : numpy.ndarray
        By the delta method from those of the logarithms; not a number where the likelihood is flat or ends at a bound.
    log_likelihood : float
        The sum over customers.
    notes : tuple of str
        What a reader of the parameters has to know.
    """

    parameters: Floats
    standard_errors: Floats
    log_likelihood: float
    notes: tuple[str, ...]


def maximise(
    objective: Objective, starts: Sequence[Sequence[float]], *, names: Sequence[str], first: Objective | None = None
) -> Maximum:
    """
    Find the parameters that make the data most likely.

    Parameters
    ----------
    objective : Objective
        The log-likelihood.
    starts : sequence of sequence of float
        Parameters to start from.
    names : sequence of str
        What the parameters are called, for messages.
    first : Objective, optional
        The log-likelihood of some of the customers, climbed from every start; the best end is then carried on with all.

    Returns
    -------
    Maximum
        The best of the ends.

    Raises
    ------
    ModelError
        The gradient does not vanish at the best end, and there is more to win than a thousandth of the log-likelihood's unit.

    Notes
    -----
    L-BFGS-B in the logarithms, which are held within 9 of 0, then Newton steps until the gradient is as small as floats allow, so
    that the result does not depend on the unit of time beyond some nine digits. Where parameters run off along a ridge (such as
    customers who all leave at one rate), steps follow it up to the bound.
    """
    with threadpool_limits(limits=1):  # matrices of four rows, on which threads only wait for each other
        climbed = first or objective
        ends = [_climb(climbed, np.log(start)) for start in starts]
        place, total, hessian, slope = _polish(objective, max(ends, key=lambda end: end[1])[0])
        if not _is_settled(objective, place, hessian, slope):
            place, total, hessian, slope = _polish(objective, _climb(objective, place)[0])
        if not (np.isfinite(total) and _is_settled(objective, place, hessian, slope)):
            values = ", ".join(f"{name} {value:.4g}" for name, value in zip(names, np.exp(place), strict=True))
            raise ModelError(
                f"The fit to {objective.n_customers:,} customers did not converge from {len(starts)} starts: at {values} (times and "
                f"money relative to the data's) the log-likelihood is {total:.6g} and still has a slope of {slope:.2g}. "
                "Look for extreme values in the table, use a longer history or another model."
            )
        errors, doubts = _standard_errors(place, hessian, objective.n_customers, names)
    return Maximum(np.exp(place), errors, float(total), (*_disagreement(ends, climbed.n_customers), *doubts))


def _climb(objective: Objective, start: Floats) -> tuple[Floats, float]:
    """Return where L-BFGS-B ends, and the log-likelihood there."""
    n_customers = objective.n_customers

    def loss(place: Floats) -> tuple[float, Floats]:
        total, gradient = objective.log_likelihood(place)
        return -total / n_customers, -gradient / n_customers

    place = np.clip(start, -BOUND, BOUND)
    options = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-6}
    end = minimize(loss, place, jac=True, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * len(place), options=options)
    return np.asarray(end.x, dtype=float), -float(end.fun) * n_customers if np.isfinite(end.fun) else -np.inf


def _polish(objective: Objective, place: Floats) -> tuple[Floats, float, Floats, float]:
    """Return where Newton steps end, and the log-likelihood, its Hessian and its largest slope there."""
    total, gradient, exact = objective.at(place)
    hessian = _hessian(objective, place) if exact is None else exact
    slope, is_stale = _largest_slope(place, gradient), False
    for _ in range(_POLISH_ROUNDS):
        if slope <= _FLAT * objective.n_customers:
            break
        step = _newton_step(place, gradient, hessian, flat=_FLAT * objective.n_customers)
        for shrink in (1.0, 0.25, 0.05, 0.01):
            tried = np.clip(place + shrink * step, -BOUND, BOUND)
            new_total, new_gradient, exact = objective.at(tried)
            if new_total >= total - 1e-12 * abs(total):
                break
        else:
            break
        new_slope = _largest_slope(tried, new_gradient)
        place, total, gradient, is_stale = tried, new_total, new_gradient, exact is None
        if exact is not None:
            hessian = exact
        elif new_slope > 0.2 * slope:  # the one at hand no longer serves
            hessian, is_stale = _hessian(objective, place), False
        slope = new_slope
    return place, total, _hessian(objective, place) if is_stale else hessian, slope


def _newton_step(place: Floats, gradient: Floats, hessian: Floats, *, flat: float) -> Floats:
    """Return the step to the top of the parabola; where it does not bend down, a step uphill, to the first bound at most."""
    free = _is_free(place, gradient)
    step = np.zeros_like(place)
    along, curvatures, directions = _by_direction(gradient, hessian, free)
    bent = _is_bent(curvatures)
    uphill = ~bent & (np.abs(along) > flat)
    step[free] = directions[:, bent] @ (along[bent] / -curvatures[bent])
    step[free] += directions[:, uphill] @ np.sign(along[uphill])
    step = np.clip(step, -1.0, 1.0)
    room = np.where(step > 0, BOUND - place, BOUND + place)[step != 0] / np.abs(step[step != 0])
    reach = float(room.min(initial=1.0))
    return step * reach if reach > _LEAST_REACH else step  # whole, so that it keeps its direction


def _is_settled(objective: Objective, place: Floats, hessian: Floats, slope: float) -> bool:
    """Return whether the slope has vanished, or all that a parabola, or a ridge up to its bound, has left to win."""
    if slope <= GRADIENT_TOLERANCE:
        return True
    gradient = objective.log_likelihood(place)[1]
    free = _is_free(place, gradient)
    along, curvatures, directions = _by_direction(gradient, hessian, free)
    bent = _is_bent(curvatures)
    won = float((along[bent] ** 2 / (-2 * curvatures[bent])).sum())
    ahead = directions[:, ~bent] * np.sign(along[~bent])
    with np.errstate(divide="ignore"):
        room = ((BOUND - np.sign(ahead) * place[free][:, None]) / np.abs(ahead)).min(axis=0, initial=np.inf)
    return bool(won + float((np.abs(along[~bent]) * room).sum()) <= LEAST_GAIN)


def _by_direction(gradient: Floats, hessian: Floats, free: Flags) -> tuple[Floats, Floats, Floats]:
    """Return slope and curvature along the directions in which the free parameters do not act on each other."""
    curvatures, directions = np.linalg.eigh(hessian[np.ix_(free, free)])
    return directions.T @ gradient[free], curvatures, directions


def _is_bent(curvatures: Floats) -> Flags:
    """Return along which directions the likelihood bends down by more than rounding."""
    return np.asarray(curvatures < -1e-12 * max(1.0, float(np.abs(curvatures).max(initial=0.0))))


def _hessian(objective: Objective, place: Floats) -> Floats:
    """Return central differences of the gradient, made symmetric."""
    rows = []
    for number in range(len(place)):
        shift = np.zeros_like(place)
        shift[number] = _DIFFERENCE
        above, below = objective.log_likelihood(place + shift)[1], objective.log_likelihood(place - shift)[1]
        rows.append((above - below) / (2 * _DIFFERENCE))
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2, dtype=float)


def _is_free(place: Floats, gradient: Floats) -> Flags:
    """Return which parameters are not pressed against a bound."""
    outward = np.sign(place) * gradient > 0
    return np.asarray(~((np.abs(place) >= BOUND) & outward))


def _largest_slope(place: Floats, gradient: Floats) -> float:
    return float(np.max(np.abs(_projected(place, gradient))))


def _projected(place: Floats, gradient: Floats) -> Floats:
    """Return the gradient without what points across a bound."""
    return np.where(_is_free(place, gradient), gradient, 0.0)


def _disagreement(ends: Sequence[tuple[Floats, float]], n_customers: int) -> tuple[str, ...]:
    """Return a sentence where starts end at different likelihoods."""
    best = max(total for _, total in ends)
    lower = [best - total for _, total in ends if not best - total <= DISAGREEMENT]
    if not lower:
        return ()
    sentence = (
        f"{len(lower)} of {len(ends)} starts ended at a log-likelihood lower by up to {max(lower):,.2f} "
        f"({n_customers:,} customers): the best end was taken."
    )
    return (sentence,)


def _standard_errors(
    place: Floats, hessian: Floats, n_customers: int, names: Sequence[str]
) -> tuple[Floats, tuple[str, ...]]:
    """Return the standard errors of the parameters, and sentences on bounds and on what the data do not tell."""
    at_bound = np.abs(place) > BOUND - 1e-3
    notes = tuple(
        f"Parameter {name} lies at the {'upper' if where > 0 else 'lower'} bound of what is tried: the data only tell that it is "
        f"{'large' if where > 0 else 'small'}."
        for name, where, bound in zip(names, place, at_bound, strict=True)
        if bound
    )
    free = np.flatnonzero(~at_bound)
    errors = np.full(len(place), np.nan)
    curvature = -hessian[np.ix_(free, free)]
    if len(free) and float(np.linalg.eigvalsh(curvature).min()) > _LEAST_CURVATURE * n_customers:
        errors[free] = np.exp(place[free]) * np.sqrt(np.diag(np.linalg.inv(curvature)))
        if not notes:
            return errors, ()
        return errors, (*notes, "Standard errors are of the other parameters, as if those at a bound were known.")
    flat = "The likelihood is flat in a combination of parameters, so standard errors are missing: others fit as well."
    return errors, (*notes, flat)
