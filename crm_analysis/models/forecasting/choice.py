"""
Which forecast is used: candidates fitted on early origins and compared on a later one, all before the hold-out.

How the chosen one does on the hold-out is measured in :mod:`crm_analysis.models.forecasting.judgement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.evaluation import OriginPlan, forecast_measures, rmse
from crm_analysis.models.evaluation.measures import TOP_DECILE
from crm_analysis.models.forecasting.estimators import (
    GRIDS,
    MODELS,
    NAIVE_RULES,
    SVR_MODEL,
    ZERO,
    Floats,
    Settings,
    forecaster,
)


@dataclass(frozen=True)
class Task:
    """
    What is forecast, and within which limits.

    Attributes
    ----------
    target : str
        ``spend_ahead`` or ``transactions_ahead``.
    horizon_days : int
        Days ahead.
    seed : int
        Start of the draw of rows.
    max_svr_rows : int
        Rows on which a support vector regression is fitted at most; more are drawn by chance.
    min_cell : int
        Least number of customers that a figure is about.
    """

    target: str
    horizon_days: int
    seed: int
    max_svr_rows: int
    min_cell: int = 1


@dataclass(frozen=True)
class Choice:
    """
    What the comparison at the calibration origin led to.

    Attributes
    ----------
    model : str
        With the lowest RMSE; of equal ones the simpler.
    naive : str
        The better of the naive baselines.
    settings : mapping
        By model, those with the lowest RMSE.
    backtest : pandas.DataFrame
        Index ``model``, naive ones first; ``settings`` in words and every measure at the calibration origin.
    actual, forecast : numpy.ndarray
        What came at the calibration origin and what the chosen model, fitted before, had expected.
    """

    model: str
    naive: str
    settings: Mapping[str, Settings]
    backtest: pd.DataFrame
    actual: Floats
    forecast: Floats


def choose(panel: pd.DataFrame, plan: OriginPlan, task: Task) -> Choice:
    """
    Compare all models at the calibration origin.

    Parameters
    ----------
    panel : pandas.DataFrame
        Features and targets; rows of the hold-out's origin are not looked at.
    plan : OriginPlan
        Origins to fit on and to compare at.
    task : Task
        What is forecast.

    Returns
    -------
    Choice
        By RMSE, which the mean minimises: forecasts are to add up.
    """
    fitting, later = rows_at(panel, plan.fitting), rows_at(panel, (plan.calibration_origin,))
    actual = later[task.target].to_numpy(dtype=float)
    settings = {model: _best_settings(model, fitting, later, task) for model in MODELS}
    forecasts = {model: forecast_by(model, fitting, later, task, settings[model]) for model in MODELS}
    rows = {
        model: {"settings": _in_words(settings[model])} | forecast_measures(actual, forecasts[model])
        for model in MODELS
    }
    backtest = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    if is_small_tenth(len(actual), min_cell=task.min_cell):
        backtest["top_decile_share"] = np.nan
    errors = backtest["rmse"].drop(ZERO)  # zero stands beside for measure, it is never a forecast
    model = str(errors.idxmin())
    return Choice(
        model=model,
        naive=str(errors[list(NAIVE_RULES)].idxmin()),
        settings=settings,
        backtest=backtest,
        actual=actual,
        forecast=forecasts[model],
    )


def forecast_by(model: str, training: pd.DataFrame, customers: pd.DataFrame, task: Task, settings: Settings) -> Floats:
    """
    Fit a model and forecast with it.

    Parameters
    ----------
    model : str
        One of the models.
    training : pandas.DataFrame
        Rows to fit to, with the target.
    customers : pandas.DataFrame
        Rows to forecast; their target is not looked at.
    task : Task
        What is forecast.
    settings : mapping
        Of the model.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers,)
        Never negative.
    """
    rows = drawn(training, task) if model == SVR_MODEL else training
    estimator = forecaster(model, target=task.target, horizon_days=task.horizon_days, settings=settings)
    forecasts: Floats = estimator.fit(rows, rows[task.target].to_numpy(dtype=float)).predict(customers)
    return forecasts


def drawn(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """
    Draw rows for a support vector regression, whose time grows with their square.

    Parameters
    ----------
    rows : pandas.DataFrame
        Any.
    task : Task
        How many, and the seed.

    Returns
    -------
    pandas.DataFrame
        All, or ``max_svr_rows`` of them in their order.
    """
    if len(rows) <= task.max_svr_rows:
        return rows
    chosen = np.random.default_rng(task.seed).choice(len(rows), task.max_svr_rows, replace=False)
    return rows.iloc[np.sort(chosen)]


def rows_at(panel: pd.DataFrame, origins: tuple[object, ...]) -> pd.DataFrame:
    """
    Return the rows of some origins.

    Parameters
    ----------
    panel : pandas.DataFrame
        With the column ``origin``.
    origins : tuple of datetime.date
        Which.

    Returns
    -------
    pandas.DataFrame
        In the panel's order.
    """
    return panel[panel["origin"].isin([pd.Timestamp(str(origin)) for origin in origins])]


def is_small_tenth(n_customers: int, *, min_cell: int) -> bool:
    """
    Return whether a tenth of the customers is too few to tell what they brought.

    Parameters
    ----------
    n_customers : int
        All of them.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    bool
        Never for public data of ten customers or more.

    Examples
    --------
    >>> is_small_tenth(49, min_cell=5), is_small_tenth(50, min_cell=5)
    (True, False)
    """
    return n_customers * TOP_DECILE < min_cell


def _best_settings(model: str, fitting: pd.DataFrame, later: pd.DataFrame, task: Task) -> Settings:
    """Return the settings with the lowest RMSE; a support vector regression is compared on drawn rows."""
    grid = GRIDS.get(model, ({},))
    if len(grid) == 1:
        return grid[0]
    compared = drawn(later, task) if model == SVR_MODEL else later
    actual = compared[task.target].to_numpy(dtype=float)
    errors = [rmse(actual, forecast_by(model, fitting, compared, task, settings)) for settings in grid]
    return grid[int(np.argmin(errors))]


def _in_words(settings: Settings) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
