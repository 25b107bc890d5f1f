"""
Ranges for single customers that hold as often as they say, whatever the model: conformal intervals.

How far a mean error would move with other customers belongs in :mod:`crm_analysis.models.evaluation.resampling`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation.calibration import quantile_groups
from crm_analysis.models.evaluation.measures import Floats

N_GROUPS = 5


@dataclass(frozen=True)
class ForecastBands:
    """
    How far actual values lay below and above forecasts, by groups of like forecast, between their square roots.

    Attributes
    ----------
    level : float
        Share of actual values that the bands are to hold.
    edges : numpy.ndarray
        Last forecast of each group but the highest.
    below, above : numpy.ndarray
        What to add to the square root of a forecast of each group for the roots of its band's ends.
    floor : float
        No band reaches below: 0, or the lowest actual value where returns made one negative.
    """

    level: float
    edges: Floats
    below: Floats
    above: Floats
    floor: float

    def around(self, forecast: npt.ArrayLike) -> pd.DataFrame:
        """
        Return the band of each forecast.

        Parameters
        ----------
        forecast : array-like of float, shape (n_customers,)
            By the model whose residuals these are.

        Returns
        -------
        pandas.DataFrame
            ``lower``, ``upper``; the index of the forecasts where they have one.
        """
        expected = np.asarray(forecast, dtype=float)
        group = np.searchsorted(self.edges, expected)
        lower = np.maximum(_signed_square(_signed_root(expected) + self.below[group]), self.floor)
        upper = np.maximum(_signed_square(_signed_root(expected) + self.above[group]), lower)
        index = forecast.index if isinstance(forecast, pd.Series) else None
        return pd.DataFrame({"lower": lower, "upper": upper}, index=index)


def calibrated_bands(
    actual: npt.ArrayLike, forecast: npt.ArrayLike, *, level: float = 0.9, n_groups: int = N_GROUPS
) -> ForecastBands:
    """
    Learn bands from an origin whose outcome is known, with forecasts that did not know it.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what had been expected, neither seen by the fit.
    level : float
        Share of actual values to hold.
    n_groups : int
        Groups by quantiles of the forecast; fewer where ties or few customers leave less.

    Returns
    -------
    ForecastBands
        To be put around later forecasts of the same model.

    Notes
    -----
    Split conformal prediction, Mondrian by group of forecast: of the n signed residuals of a group, the
    ``floor((n + 1) (1 - level) / 2)``-th and the ``ceil((n + 1) (1 + level) / 2)``-th smallest. Residuals are taken
    between (signed) square roots, so that bands widen with the forecast inside a group too. Where customers of the later
    period are exchangeable with these, at least ``level`` of them lie within; a season or a trend breaks that, so
    coverage is measured. A group too small for these ranks takes its extreme residuals.

    References
    ----------
    Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World", chapter 4. Lei et al. (2018),
    "Distribution-free predictive inference for regression", JASA 113(523).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    truth, expected = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    least_customers = math.ceil(2 / (1 - level)) - 1  # below, a group has no such ranks
    edges = quantile_groups(expected, max(1, min(n_groups, len(truth) // (2 * least_customers))))
    group = np.searchsorted(edges, expected)
    residuals = _signed_root(truth) - _signed_root(expected)
    ends = np.array([_ends(np.sort(residuals[group == number]), level) for number in range(len(edges) + 1)])
    return ForecastBands(level, edges, ends[:, 0], ends[:, 1], floor=min(0.0, float(truth.min())))


def coverage_table(actual: npt.ArrayLike, bands: pd.DataFrame) -> pd.DataFrame:
    """
    Measure how often bands held what came, and how wide they were.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    bands : pandas.DataFrame
        ``lower`` and ``upper`` for the same customers.

    Returns
    -------
    pandas.DataFrame
        Index ``customers``: ``all``, ``buyers`` (something came), ``others``; ``n``, ``coverage`` (a share, NaN where
        there are none), ``width`` (mean).
    """
    truth = np.asarray(actual, dtype=float)
    lower, upper = bands["lower"].to_numpy(), bands["upper"].to_numpy()
    held = (lower <= truth) & (truth <= upper)
    rows = {"all": np.ones(len(truth), dtype=bool), "buyers": truth > 0, "others": truth <= 0}
    table = {
        name: (int(among.sum()), _mean(held[among].astype(float)), _mean((upper - lower)[among]))
        for name, among in rows.items()
    }
    columns = ["n", "coverage", "width"]
    return pd.DataFrame.from_dict(table, orient="index", columns=columns).rename_axis("customers")


def _ends(residuals: Floats, level: float) -> tuple[float, float]:
    """Return the residuals at both ranks, counted from 1 and held within the group."""
    n = len(residuals)
    lowest = math.floor((n + 1) * (1 - level) / 2 + 1e-9)
    highest = math.ceil((n + 1) * (1 + level) / 2 - 1e-9)
    return float(residuals[max(lowest, 1) - 1]), float(residuals[min(highest, n) - 1])


def _signed_root(values: Floats) -> Floats:
    roots: Floats = np.sign(values) * np.sqrt(np.abs(values))
    return roots


def _signed_square(roots: Floats) -> Floats:
    squares: Floats = np.sign(roots) * roots**2
    return squares


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan
