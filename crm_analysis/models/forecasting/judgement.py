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
from crm_analysis.tables.privacy.suppression import hidden_rows, small, suppressed

CURVE_STEPS = 20
COMPARED = ("rmse", "wape")


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
        Least number of customers that a figure is about. All figures are missing where fewer bought anything, and what the
        best tenth brought, where a tenth, or those who bought among it or outside it, are fewer.

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
    for name, forecast in forecasts.items():
        if has_small_tenth(actual, forecast, min_cell=min_cell):
            of_tenth = (errors["model"] == name) & (errors["measure"] == "top_decile_share")
            errors.loc[of_tenth, ["value", "low", "high"]] = np.nan
    if has_few_buyers(actual, min_cell=min_cell):
        errors[["value", "low", "high"]] = np.nan
        return errors, {measure: Gain(np.nan, np.nan, np.nan) for measure in COMPARED}
    value = errors.set_index(["model", "measure"])["value"]
    gains = {}
    for measure in COMPARED:
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
        The same rows; figures of some are missing, of all where too few bought anything. Buyers and others make up all
        customers, and so do the groups.
    """
    if small(coverage.loc[["buyers"], "n"], min_cell=min_cell)[0]:
        return coverage.assign(
            n=coverage["n"].astype("Int64").where(coverage.index == "all"), coverage=np.nan, width=np.nan
        )
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
    if min_cell == 1:
        return curve
    counted = np.column_stack(
        [shares * len(np.asarray(actual)), *(_buyers_up_to(actual, one) for one in rankings.values())]
    )
    return curve[_far_apart(counted, min_cell=min_cell)].reindex(curve.index)


def told_calibration(calibration: pd.DataFrame, actual: Floats, forecast: Floats, *, min_cell: int) -> pd.DataFrame:
    """
    Return calibration without groups about too few customers, or in which too few bought anything.

    Parameters
    ----------
    calibration : pandas.DataFrame
        As :func:`~crm_analysis.models.evaluation.calibration_table` returns it.
    actual, forecast : numpy.ndarray
        What came and what was expected of each customer.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    pandas.DataFrame
        The same groups; figures of some are missing.
    """
    last = np.cumsum(calibration["n"].to_numpy())[:-1]
    bought = np.split((actual != 0)[np.argsort(forecast, kind="stable")], last)
    buyers = [int(group.sum()) for group in bought]
    hidden = hidden_rows(buyers, min_cell=min_cell) | hidden_rows(calibration["n"], min_cell=min_cell)
    if has_few_buyers(actual, min_cell=min_cell):
        hidden[:] = True
    return (
        calibration.astype({"n": "Int64"}).mask(pd.Series(hidden, index=calibration.index), axis=0)
        if hidden.any()
        else calibration
    )


def has_few_buyers(actual: npt.ArrayLike, *, min_cell: int) -> bool:
    """
    Return whether something came from too few customers to tell any figure of it.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    bool
        Not where nothing came at all.

    Examples
    --------
    >>> has_few_buyers([0, 0, 7, 0, 0], min_cell=2), has_few_buyers([0, 0], min_cell=2)
    (True, False)
    """
    return bool(small([np.count_nonzero(np.asarray(actual))], min_cell=min_cell)[0])


def has_small_tenth(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, min_cell: int) -> bool:
    """
    Return whether the best tenth by a forecast is too few to tell what they brought, or too few of them or of the others bought.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what was expected.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    bool
        Never for public data of ten customers or more.
    """
    n_customers = len(np.asarray(actual))
    if is_small_tenth(n_customers, min_cell=min_cell):
        return True
    buyers = _buyers_up_to(actual, forecast)
    inside = buyers[CURVE_STEPS // 10]
    return bool(small([inside, buyers[-1] - inside], min_cell=min_cell).any())


def _buyers_up_to(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> Floats:
    """Return how many who bought are among the best by a forecast, at each point of the curve."""
    bought = (np.asarray(actual, dtype=float) != 0)[np.argsort(-np.asarray(forecast, dtype=float), kind="stable")]
    up_to = np.concatenate([[0], np.cumsum(bought)])
    places = np.round(np.linspace(0, 1, CURVE_STEPS + 1) * len(bought)).astype(int)
    counted: Floats = up_to[places].astype(float)
    return counted


def _far_apart(counted: Floats, *, min_cell: int) -> npt.NDArray[np.bool_]:
    """Return which points of the curve are shown: enough customers in between, and enough buyers, or none, by each ranking."""
    shown = [0]
    for point in range(1, len(counted)):
        if not small(counted[point] - counted[shown[-1]], min_cell=min_cell).any():
            shown.append(point)
    while len(shown) > 1 and small(counted[-1] - counted[shown[-1]], min_cell=min_cell).any():
        shown.pop()
    is_shown = np.zeros(len(counted), dtype=bool)
    is_shown[[*shown, len(counted) - 1]] = True
    return is_shown


def _role(name: str, *, model: str, naive: str) -> str:
    roles = [role for role, holder in (("chosen", model), ("naive", naive)) if holder == name]
    return " and ".join(roles)


def _saved(error: npt.ArrayLike, naive_error: npt.ArrayLike) -> Floats:
    """Return by which share an error is lower; NaN where the naive one is 0."""
    naive = np.asarray(naive_error, dtype=float)
    saved: Floats = 1 - np.asarray(error, dtype=float) / np.where(naive > 0, naive, np.nan)
    return saved
