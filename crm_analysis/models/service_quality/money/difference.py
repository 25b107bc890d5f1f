"""
Difference in differences: how purchases changed after the day, beyond the change of customers alike.

Who is alike is found in :mod:`crm_analysis.models.service_quality.money.matching`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from crm_analysis.models.service_quality.money.matching import Floats, Matches, pair_weights, standardised

LEVEL = 0.95
MOST_LEVERAGE = 0.9


@dataclass(frozen=True)
class Difference:
    """
    The change of treated customers beyond that of their matches.

    Attributes
    ----------
    effect, low, high : float
        Mean over treated customers, with its 95 % interval.
    """

    effect: float
    low: float
    high: float


def matched_difference(rows: pd.DataFrame, change: Floats, matches: Matches) -> Difference:
    """
    Compare the change of treated rows with that of their matches.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``customer_id`` and what rows were matched on.
    change : numpy.ndarray of float
        By row: the later value less the earlier one.
    matches : Matches
        The pairs, at least two treated rows.

    Returns
    -------
    Difference
        Corrected for what remains unlike after matching.

    Notes
    -----
    A regression of the change on what rows were matched on, among matched controls, says what the remaining differences are
    worth; that is taken off. The variance sums what each *customer* adds to the estimate, so that it holds where the same
    customer serves several times, or on both sides; residuals of controls are those without the row itself (jackknife).

    References
    ----------
    Abadie, Imbens (2011), "Bias-corrected matching estimators for average treatment effects", JBES 29. Bertrand, Duflo,
    Mullainathan (2004), "How much should we trust differences-in-differences estimates?", QJE 119, for sums by customer.
    """
    weights = pair_weights(matches)
    treated = np.unique(matches.treated)
    controls, places = np.unique(matches.controls, return_inverse=True)
    served = np.asarray(np.bincount(places, weights=weights), dtype=float)
    fitted, leverage = _fitted(standardised(rows), change, controls, served)
    excess = change - fitted  # beyond what is expected without the event
    effect = float(excess[treated].mean() - served @ excess[controls] / matches.n_treated)
    customers, names = pd.factorize(rows["customer_id"].to_numpy())
    parts = np.bincount(customers[treated], weights=excess[treated] - effect, minlength=len(names))
    parts -= np.bincount(customers[controls], weights=served * excess[controls] / (1 - leverage), minlength=len(names))
    margin = norm.ppf((1 + LEVEL) / 2) * math.sqrt(float((parts**2).sum())) / matches.n_treated
    return Difference(effect, effect - margin, effect + margin)


def group_means(values: Floats, matches: Matches) -> dict[str, Difference]:
    """
    Return the mean of treated rows and of their matches.

    Parameters
    ----------
    values : numpy.ndarray of float
        By row.
    matches : Matches
        The pairs.

    Returns
    -------
    dict of str to Difference
        ``bad`` and ``controls``: the mean as ``effect``, with the interval of each mean alone.
    """
    weights = pair_weights(matches)
    treated = np.unique(matches.treated)
    used, places = np.unique(matches.controls, return_inverse=True)
    return {
        "bad": _mean(values[treated], np.ones(len(treated), dtype=float)),
        "controls": _mean(values[used], np.asarray(np.bincount(places, weights=weights), dtype=float)),
    }


def _mean(values: Floats, weights: Floats) -> Difference:
    """Return a weighted mean and its interval."""
    share = weights / weights.sum()
    mean = float(share @ values)
    margin = norm.ppf((1 + LEVEL) / 2) * math.sqrt(float(((share * (values - mean)) ** 2).sum()))
    return Difference(mean, mean - margin, mean + margin)


def _fitted(points: Floats, change: Floats, controls: npt.NDArray[np.intp], served: Floats) -> tuple[Floats, Floats]:
    """Return the change expected of each row, by a weighted regression among controls, and how far each decides its own."""
    design = np.column_stack([np.ones(len(points)), points])
    root = np.sqrt(served)
    weighted = design[controls] * root[:, None]
    inverse = np.linalg.pinv(weighted.T @ weighted)
    coefficients = inverse @ weighted.T @ (change[controls] * root)
    leverage = np.einsum("ij,jk,ik->i", weighted, inverse, weighted)
    return np.asarray(design @ coefficients, dtype=float), np.minimum(leverage, MOST_LEVERAGE)
