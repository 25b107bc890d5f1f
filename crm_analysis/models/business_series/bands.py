"""
How far forecasts of a series were off at earlier origins, and the intervals that follow.

Intervals of customer forecasts belong in :mod:`crm_analysis.models.evaluation.conformal`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls
from scipy.stats import t as student

LEVELS = (0.8, 0.9)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeriesBands:
    """
    Half widths of intervals, learnt from earlier errors.

    Attributes
    ----------
    spread : numpy.ndarray of float, shape (steps,)
        Root mean square error by step ahead, smoothed; it never falls with the step.
    total_spread : float
        The same of the sum over the horizon.
    n_origins : int
        Origins whose errors were seen.
    n_independent : float
        How many horizons without overlap they cover.
    """

    spread: Floats
    total_spread: float
    n_origins: int
    n_independent: float

    def half_widths(self, level: float) -> Floats:
        """
        Return the half width of each period's interval.

        Parameters
        ----------
        level : float
            Share of periods to be held.

        Returns
        -------
        numpy.ndarray of float, shape (steps,)
            In the unit of the errors.
        """
        return np.asarray(_factor(level, 2 * self.n_independent) * self.spread, dtype=float)

    def total_half_width(self, level: float) -> float:
        """
        Return the half width of the sum's interval.

        Parameters
        ----------
        level : float
            Share of sums to be held.

        Returns
        -------
        float
            In the unit of the errors.
        """
        return _factor(level, self.n_independent) * self.total_spread


def series_bands(errors: Floats, origins: tuple[int, ...], weights: Floats) -> SeriesBands:
    """
    Learn intervals from the errors at earlier origins.

    Parameters
    ----------
    errors : numpy.ndarray of float, shape (n_origins, steps)
        What came less what was forecast; missing where it is not to be learnt from.
    origins : tuple of int, length n_origins
        Periods known at each, ascending.
    weights : numpy.ndarray of float, shape (steps,)
        What each period counts in the sum.

    Returns
    -------
    SeriesBands
        Widths that do not shrink with the step.

    Notes
    -----
    In sums, a missing error counts as the mean of the others of its horizon; a horizon without any does not count.

    Horizons overlap, so that ten origins are worth about two: the root mean square error is multiplied by Student's t with as
    many degrees of freedom as horizons without overlap (sums), and twice as many for single periods, whose errors are less
    alike. Empirical quantiles of so few errors held too little. In simulations of 24 to 104 weeks, with the candidate chosen
    anew each time (exponential smoothing and ARIMA left out for speed), intervals of 90 % held 84 to 96 % of the periods ahead and 79 to 99 % of the sums, the least where values
    or changes hang together over time; of random walks they held 82 to 87 % and 82 to 93 %
    (``benchmarks/business_series.py``).
    """
    is_told = ~np.isnan(errors).all(axis=1)
    told, kept = errors[is_told], np.asarray(origins)[is_told].tolist()
    filled = np.where(np.isnan(told), np.nanmean(told, axis=1, keepdims=True), told)
    return SeriesBands(
        spread=_spread(told),
        total_spread=float(np.sqrt(np.mean((filled * weights).sum(axis=1) ** 2))),
        n_origins=len(kept),
        n_independent=1 + (kept[-1] - kept[0]) / errors.shape[1],
    )


def held_at_origins(errors: Floats, origins: tuple[int, ...], level: float) -> float:
    """
    Return how often intervals held at the origins, each learnt from the others.

    Parameters
    ----------
    errors : numpy.ndarray of float, shape (n_origins, steps)
        What came less what was forecast.
    origins : tuple of int, length n_origins
        Periods known at each, ascending, at least two.
    level : float
        Of the intervals.

    Returns
    -------
    float
        A share of ``errors.size`` points; horizons overlap, so it flatters.
    """
    held = []
    weights = np.ones(errors.shape[1])
    for left_out in range(len(origins)):
        others = [at for at in range(len(origins)) if at != left_out]
        bands = series_bands(errors[others], tuple(origins[at] for at in others), weights)
        held.append(np.abs(errors[left_out]) <= bands.half_widths(level))
    return float(np.mean(held))


def _spread(errors: Floats) -> Floats:
    """Return the root mean square error by step, smoothed: its square grows along a line, as of a level or a random walk."""
    scale = float(np.nanmax(np.abs(errors))) or 1.0
    growth = np.column_stack([np.ones(errors.shape[1]), np.arange(1, errors.shape[1] + 1)])
    is_seen = ~np.isnan(errors).all(axis=0)
    shares, _ = nnls(growth[is_seen], np.nanmean((errors[:, is_seen] / scale) ** 2, axis=0))
    return np.asarray(scale * np.sqrt(growth @ shares), dtype=float)


def _factor(level: float, degrees: float) -> float:
    return float(student.ppf((1 + level) / 2, degrees))
