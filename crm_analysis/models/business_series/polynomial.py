"""
A polynomial trend with a season, by ridge regression, held from running away.

Rules without a fit belong in :mod:`crm_analysis.models.business_series.naive`.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from crm_analysis.models.business_series.seasons import Season

MAX_DEGREE = 3
MAX_HARMONICS = 2
PENALTIES = (1e-3, 1e-1)  # a period
DAMPING = 0.9
LEAST_PER_TERM = 4  # periods

Floats = npt.NDArray[np.float64]


def polynomial_trend(history: Floats, steps: int, *, season: Season) -> tuple[Floats, str]:
    """
    Fit powers of time and yearly waves, and go on along the slope at the end.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (n_periods,)
        Oldest first.
    steps : int
        Periods ahead.
    season : Season
        Waves are tried where the history holds two years.

    Returns
    -------
    forecast : numpy.ndarray of float, shape (steps,)
        Beyond the history the trend is a straight line, which flattens out where the degree is above 1.
    settings : str
        Degree and waves.

    Notes
    -----
    Degree (0 to 3; 0 with waves only, for it is the mean so far without), waves a year (0 to 2) and penalty are those of the lowest corrected Akaike criterion, with the effective
    number of parameters of the ridge fit. Powers are Legendre polynomials over the history, so that they are near to
    orthogonal. A polynomial of degree 2 or 3 is never followed beyond the data: its powers would soon dwarf everything.

    References
    ----------
    Hoerl, Kennard (1970), "Ridge Regression". Hurvich, Tsai (1989), "Regression and Time Series Model Selection in Small
    Samples".
    """
    n = len(history)
    harmonics = range(MAX_HARMONICS + 1) if season.is_seen(n) else range(1)
    options = [
        (degree, waves, penalty)
        for degree, waves, penalty in product(range(MAX_DEGREE + 1), harmonics, PENALTIES)
        if degree + waves > 0 and LEAST_PER_TERM * (1 + degree + 2 * waves) <= n
    ]
    fits = [_ridge(history, _terms(n, degree, waves, season), penalty) for degree, waves, penalty in options]
    best = int(np.argmin([round(criterion, 9) for criterion, _ in fits]))
    degree, waves, _ = options[best]
    weights = fits[best][1]
    ahead = _terms_ahead(n, steps, degree, waves, season) @ weights[1:] + weights[0]
    return ahead, f"degree {degree}" + (f", {waves} a year" if waves else "")


def _places(n: int) -> Floats:
    return np.linspace(-1.0, 1.0, n)


def _terms(n: int, degree: int, waves: int, season: Season) -> Floats:
    """Return the columns of the regression over the history, without the constant."""
    trend = legendre.legvander(_places(n), degree)[:, 1:]
    return np.hstack([trend, season.waves(np.arange(n, dtype=float), harmonics=waves)])


def _terms_ahead(n: int, steps: int, degree: int, waves: int, season: Season) -> Floats:
    """Return the same columns ahead: each power goes on along its own slope at the end."""
    numbers = np.arange(1, steps + 1, dtype=float)
    away = numbers if degree <= 1 else np.cumsum(DAMPING**numbers)
    powers = np.arange(1, degree + 1)
    slopes = powers * (powers + 1) / 2  # of Legendre polynomials at 1, where each is 1
    trend = 1 + np.outer(away * 2 / (n - 1), slopes)
    return np.hstack([trend, season.waves(n - 1 + numbers, harmonics=waves)])


def _ridge(history: Floats, terms: Floats, penalty: float) -> tuple[float, Floats]:
    """Return the corrected Akaike criterion, and the constant and weights of a ridge fit; the constant is not penalised."""
    n = len(history)
    means = terms.mean(axis=0)
    left, singular, right = np.linalg.svd(terms - means, full_matrices=False)
    shrunk = singular**2 / (singular**2 + penalty * n)
    inverse = np.divide(shrunk, singular, out=np.zeros_like(singular), where=singular > 0)
    weights = right.T @ (inverse * (left.T @ (history - history.mean())))
    fitted = history.mean() + (terms - means) @ weights
    parameters = 2 + float(shrunk.sum())  # the constant and the variance
    variance = max(float(np.mean((history - fitted) ** 2)), 1e-20)
    criterion = n * np.log(variance) + 2 * parameters * n / (n - parameters - 1)
    return float(criterion), np.concatenate([[history.mean() - means @ weights], weights])
