"""
How well forecasts did on the hold-out, which nothing was fitted to or chosen by.

The comparison that the choice rests on belongs in :mod:`crm_analysis.models.forecasting.choice`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation import (
    MEASURES,
    ForecastJudge,
    bootstrap_measures,
    forecast_measures,
    percentile_interval,
)
from crm_analysis.models.forecasting.choice import is_small_tenth
from crm_analysis.models.forecasting.terms import Floats
from crm_analysis.tables.privacy.suppression import suppressed

CURVE_STEPS = 20


@dataclass(frozen=True)
class Gain:
    """
    How much lower an error of the chosen model is than the naive baseline's, as a share of the latter.

    Attributes
    ----------
    share : float
        Above 0: the chosen model errs less; 0 where it is the naive baseline; NaN where the naive one does not err.
    low, high : float
        95% interval over resampled customers.
    """

    share: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0

    @property
    def is_loss(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.high < 0


def holdout_errors(
    actual: npt.ArrayLike, forecasts: Mapping[str, Floats], *, model: str, naive: str, seed: int, min_cell: int = 1
) -> tuple[pd.DataFrame, dict[str, Gain]]:
    """
    Measure every model on the hold-out, and the chosen one against the naive baseline.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    forecasts : mapping of str to numpy.ndarray
        By model.
    model, naive : str
        The chosen model and the naive baseline.
    seed : int
        Start of the resamples.
    min_cell : int
        Least number of customers that a figure is about; what the best tenth brought is missing where they are fewer.

    Returns
    -------
    errors : pandas.DataFrame
        ``model``, ``role`` (``chosen``, ``naive``, both or neither), ``measure``, ``value``, and its 95% interval ``low``,
        ``high`` over resampled customers.
    gains : dict of str to Gain
        For RMSE and WAPE; from the same resamples for both, so that what moves both falls out.
    """
    resamples = bootstrap_measures(actual, forecasts, seed=seed)
    roles = {name: _role(name, model=model, naive=naive) for name in forecasts}
    rows = [
        (name, roles[name], measure, value, *percentile_interval(resamples[name][measure]))
        for name, forecast in forecasts.items()
        for measure, value in forecast_measures(actual, forecast).items()
    ]
    errors = pd.DataFrame(rows, columns=["model", "role", "measure", "value", "low", "high"])
    if is_small_tenth(len(np.asarray(actual)), min_cell=min_cell):
        errors.loc[errors["measure"] == "top_decile_share", ["value", "low", "high"]] = np.nan
    value = errors.set_index(["model", "measure"])["value"]
    gains = {}
    for measure in ("rmse", "wape"):
        share = _saved(value[model, measure], value[naive, measure])
        shares = _saved(resamples[model][measure], resamples[naive][measure])
        gains[measure] = Gain(float(share), *percentile_interval(shares))
    return errors, gains


def measured(errors: pd.DataFrame, model: str) -> dict[str, float]:
    """
    Return one model's measures.

    Parameters
    ----------
    errors : pandas.DataFrame
        As :func:`holdout_errors` returns them.
    model : str
        Which.

    Returns
    -------
    dict
        By measure.
    """
    rows = errors[errors["model"] == model].set_index("measure")["value"]
    return {measure: float(rows[measure]) for measure in MEASURES}


def told_coverage(coverage: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """
    Return coverage without rows that are about too few customers, or would give such away.

    Parameters
    ----------
    coverage : pandas.DataFrame
        As :func:`~crm_analysis.models.evaluation.coverage_table` returns it: all, buyers and others, then groups.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    pandas.DataFrame
        The same rows; figures of some are missing. Buyers and others make up all customers, and so do the groups.
    """
    everybody = coverage.loc[["all"]]
    parts = suppressed(coverage.loc[["buyers", "others"]], size="n", min_cell=min_cell)
    groups = coverage.drop(index=["all", "buyers", "others"])
    told = [everybody.astype(parts.dtypes), parts]
    return pd.concat(told if groups.empty else [*told, suppressed(groups, size="n", min_cell=min_cell)])


def gain_curve(actual: npt.ArrayLike, rankings: Mapping[str, npt.ArrayLike], *, min_cell: int = 1) -> pd.DataFrame:
    """
    Return which share of the revenue the customers with the highest forecasts brought.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    rankings : mapping of str to array-like
        Forecasts to rank by, by name; the actual values themselves give the best that is possible.
    min_cell : int
        Least number of customers between two points of the curve.

    Returns
    -------
    pandas.DataFrame
        Index ``customers``, a share from 0 to 1; a column a ranking, the share of the revenue (NaN without revenue, and at
        points too close to their neighbours).
    """
    shares = np.linspace(0, 1, CURVE_STEPS + 1)
    judges = {name: ForecastJudge(actual, values) for name, values in rankings.items()}
    table = {name: [0.0, *(judge.top_share(share) for share in shares[1:])] for name, judge in judges.items()}
    curve = pd.DataFrame(table, index=pd.Index(shares, name="customers"))
    return curve[_far_apart(len(np.asarray(actual)), min_cell=min_cell)].reindex(curve.index)


def _far_apart(n_customers: int, *, min_cell: int) -> npt.NDArray[np.bool_]:
    """Return which points of the curve are shown: every one, every second, … with enough customers in between."""
    steps = -(-min_cell * CURVE_STEPS // n_customers) if min_cell > 1 else 1
    number = np.arange(CURVE_STEPS + 1)
    is_far = (number % steps == 0) & (number + steps <= CURVE_STEPS) | (number == CURVE_STEPS)
    return np.asarray(is_far, dtype=bool)


def _role(name: str, *, model: str, naive: str) -> str:
    roles = [role for role, holder in (("chosen", model), ("naive", naive)) if holder == name]
    return " and ".join(roles)


def _saved(error: npt.ArrayLike, naive_error: npt.ArrayLike) -> Floats:
    """Return by which share an error is lower; NaN where the naive one is 0."""
    naive = np.asarray(naive_error, dtype=float)
    saved: Floats = 1 - np.asarray(error, dtype=float) / np.where(naive > 0, naive, np.nan)
    return saved
