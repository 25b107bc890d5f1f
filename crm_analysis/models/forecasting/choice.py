"""
Which forecast is used: candidates fitted on early origins and compared on later ones, all before the hold-out.

How the chosen one does on the hold-out is measured in :mod:`crm_analysis.models.forecasting.judgement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.evaluation import MEASURES, OriginPlan, Trial, forecast_measures, rmse
from crm_analysis.models.evaluation.measures import TOP_DECILE
from crm_analysis.models.forecasting.candidates import (
    COMBINATION,
    Combined,
    Forecast,
    Task,
    drawn,
    fit_forecast,
    rows_at,
)
from crm_analysis.models.forecasting.estimators import GRIDS, NAIVE_RULES, REGRESSIONS, SVR_MODEL, ZERO, Settings
from crm_analysis.models.forecasting.expectations import KINDS
from crm_analysis.models.forecasting.terms import Floats
from crm_analysis.tables.privacy.suppression import small

MOST_ROWS_TRIED = 15_000  # on which settings are compared
MOST_SVR_ROWS_TRIED = 2_000
MOST_LEARNT = 2  # regressions in the combination


@dataclass(frozen=True)
class Choice:
    """
    What the comparison before the hold-out led to.

    Attributes
    ----------
    model : str
        With the lowest score; of equal ones the simpler.
    naive : str
        The better of the naive baselines.
    members : tuple of str
        Of the combination: the best model of repeat buying and the two best regressions; empty where there is none.
    scores : mapping
        By model, the error that the choice is made by: RMSE over the root mean square of what came, averaged over trials.
    settings : mapping
        By model, those with the lowest score.
    backtest : pandas.DataFrame
        Index ``model``, naive ones first; ``settings`` in words and every measure over the origins compared.
    by_origin : pandas.DataFrame
        ``origin``, ``days_ahead``, ``model``, ``rmse``.
    actual, forecast : numpy.ndarray
        What came in the trial that calibrates intervals, and what the chosen model, fitted before, had expected.
    """

    model: str
    naive: str
    members: tuple[str, ...]
    scores: Mapping[str, float]
    settings: Mapping[str, Settings]
    backtest: pd.DataFrame
    by_origin: pd.DataFrame
    actual: Floats
    forecast: Floats


@dataclass(frozen=True)
class Comparison:
    """
    A trial with its rows.

    Attributes
    ----------
    trial : Trial
        The day, and how far ahead it is looked.
    fitting, later : pandas.DataFrame
        Rows of origins whose periods were over by then, and rows of the day itself.
    counts : Forecast, optional
        Of the purchase days, as chosen and fitted to the same rows; where spend is forecast.
    """

    trial: Trial
    fitting: pd.DataFrame
    later: pd.DataFrame
    counts: Forecast | None = None


def comparisons(
    panel: pd.DataFrame, plan: OriginPlan, counting: Task, *, counts: Choice | None = None
) -> list[Comparison]:
    """
    Lay out the trials in which candidates are compared.

    Parameters
    ----------
    panel : pandas.DataFrame
        Features, what is expected, and targets.
    plan : OriginPlan
        The origins.
    counting : Task
        Of the purchase days.
    counts : Choice, optional
        The model chosen for these; where spend is forecast.

    Returns
    -------
    list of Comparison
        Ascending.
    """
    found = []
    for trial in plan.trials:
        fitting = rows_at(panel, trial.fitted)
        later = rows_at(panel, [(trial.origin, trial.days_ahead)])
        fitted = None if counts is None else fit_chosen(counts, fitting, counting)
        found.append(Comparison(trial, fitting, later, fitted))
    return found


def choose(compared: list[Comparison], task: Task) -> Choice:
    """
    Compare all models in every trial.

    Parameters
    ----------
    compared : list of Comparison
        Ascending; rows of the hold-out are not among them.
    task : Task
        What is forecast.

    Returns
    -------
    Choice
        By RMSE, which the mean minimises: forecasts are to add up; each trial counts alike.
    """
    settings = {model: _best_settings(model, compared, task) for model in task.candidates}
    forecasts = {model: _tried(model, compared, task, settings[model]) for model in task.candidates}
    actual = [one.later[task.target].to_numpy(dtype=float) for one in compared]
    errors = {model: _error(actual, parts) for model, parts in forecasts.items()}
    members = _members(errors, task)
    if members:
        forecasts[COMBINATION] = [
            np.mean(parts, axis=0) for parts in zip(*(forecasts[member] for member in members), strict=True)
        ]
        errors[COMBINATION] = _error(actual, forecasts[COMBINATION])
    model = min((name for name in errors if name != ZERO), key=errors.__getitem__)  # zero is never a forecast
    return Choice(
        model=model,
        naive=min(NAIVE_RULES, key=errors.__getitem__),
        members=members,
        scores=errors,
        settings=settings,
        backtest=_backtest(actual, forecasts, settings, task),
        by_origin=_by_origin(compared, actual, forecasts, min_cell=task.min_cell),
        actual=actual[-1],
        forecast=forecasts[model][-1],
    )


def fit_chosen(choice: Choice, training: pd.DataFrame, task: Task, *, counts: Forecast | None = None) -> Forecast:
    """
    Fit the chosen model.

    Parameters
    ----------
    choice : Choice
        Of the model, its settings, and the members of a combination.
    training : pandas.DataFrame
        Rows to fit to, with the target.
    task : Task
        What is forecast.
    counts : Forecast, optional
        Of the purchase days, fitted to the same rows.

    Returns
    -------
    Forecast
        Fitted.
    """
    members = choice.members if choice.model == COMBINATION else (choice.model,)
    parts = tuple(fit_forecast(member, training, task, choice.settings[member], counts=counts) for member in members)
    return Combined(parts) if choice.model == COMBINATION else parts[0]


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


def _tried(model: str, compared: list[Comparison], task: Task, settings: Settings) -> list[Floats]:
    """Return what a model, fitted before, expected at each origin compared."""
    return [fit_forecast(model, one.fitting, task, settings, counts=one.counts).predict(one.later) for one in compared]


def _error(actual: list[Floats], forecasts: list[Floats]) -> float:
    """Return the RMSE over the root mean square of what came, averaged over trials: long ones do not drown short ones."""
    sizes = [float(np.sqrt(np.mean(came**2))) or 1.0 for came in actual]
    errors = [rmse(came, forecast) for came, forecast in zip(actual, forecasts, strict=True)]
    return float(np.mean([error / size for error, size in zip(errors, sizes, strict=True)]))


def _best_settings(model: str, compared: list[Comparison], task: Task) -> Settings:
    """Return the settings with the lowest RMSE, compared on drawn rows where there are many."""
    grid = GRIDS.get(model, ({},))
    if len(grid) == 1:
        return grid[0]
    most = MOST_SVR_ROWS_TRIED if model == SVR_MODEL else MOST_ROWS_TRIED
    fewer = [
        Comparison(one.trial, drawn(one.fitting, most, seed=task.seed), drawn(one.later, most, seed=task.seed))
        for one in compared
    ]
    actual = [one.later[task.target].to_numpy(dtype=float) for one in fewer]
    errors = [_error(actual, _tried(model, fewer, task, settings)) for settings in grid]
    return grid[int(np.argmin(errors))]


def _members(errors: Mapping[str, float], task: Task) -> tuple[str, ...]:
    """Return the best model that expects by law, and the best of those that learn from earlier origins."""
    lawful = [model for model in task.models if model in KINDS]
    if not lawful:
        return ()
    learnt = [model for model in REGRESSIONS if model in errors]
    return (min(lawful, key=errors.__getitem__), *sorted(learnt, key=errors.__getitem__)[:MOST_LEARNT])


def _backtest(
    actual: list[Floats], forecasts: Mapping[str, list[Floats]], settings: Mapping[str, Settings], task: Task
) -> pd.DataFrame:
    """Return every measure over all origins compared, customers of each counting alike."""
    came = np.concatenate(actual)
    rows = {
        model: {"settings": _in_words(settings.get(model, {}))} | forecast_measures(came, np.concatenate(parts))
        for model, parts in forecasts.items()
    }
    backtest = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    if is_small_tenth(len(actual[-1]), min_cell=task.min_cell):
        backtest["top_decile_share"] = np.nan
    buyers = [np.count_nonzero(one) for one in actual]
    if small(buyers, min_cell=task.min_cell).any():
        backtest[list(MEASURES)] = np.nan
    return backtest


def _by_origin(
    compared: list[Comparison], actual: list[Floats], forecasts: Mapping[str, list[Floats]], *, min_cell: int
) -> pd.DataFrame:
    """Return the RMSE of each model in each trial; missing where too few bought anything in it."""
    rows = [
        (pd.Timestamp(one.trial.origin), one.trial.days_ahead, model, rmse(came, parts[position]))
        for position, (one, came) in enumerate(zip(compared, actual, strict=True))
        for model, parts in forecasts.items()
    ]
    table = pd.DataFrame(rows, columns=["origin", "days_ahead", "model", "rmse"])
    few = [small([np.count_nonzero(came)], min_cell=min_cell)[0] for came in actual]
    return table.assign(rmse=table["rmse"].mask(np.repeat(few, len(forecasts))))


def _in_words(settings: Settings) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
