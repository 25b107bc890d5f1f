"""
Forecasts as tables for readers, and what models and measures are called.

What the tables say is put into sentences in :mod:`crm_analysis.models.forecasting.wording`.
"""

from __future__ import annotations

import math

import pandas as pd

from crm_analysis.models.forecasting.candidates import BY_VALUE, COMBINATION
from crm_analysis.models.forecasting.choice import Choice
from crm_analysis.models.forecasting.estimators import (
    BOOSTING,
    FOREST,
    LAST_PERIOD,
    MEAN_RATE,
    POISSON,
    POLYNOMIAL,
    SVR_MODEL,
    ZERO,
)
from crm_analysis.models.forecasting.expectations import NAMES
from crm_analysis.models.forecasting.result import CustomerForecast, TargetForecast

MODELS = {
    LAST_PERIOD: "last period again",
    MEAN_RATE: "mean rate so far",
    ZERO: "zero for everybody",
    **{model: f"{name} model" for model, name in NAMES.items()},
    POLYNOMIAL: "polynomial regression",
    POISSON: "polynomial Poisson regression",
    SVR_MODEL: "support vector regression",
    BOOSTING: "gradient boosting",
    FOREST: "random forest",
    BY_VALUE: "product of purchase days and their value",
    COMBINATION: "combination",
}
MEASURES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "poisson_deviance": "Poisson deviance",
    "wape": "WAPE",
    "bias": "bias",
    "rank_correlation": "rank correlation",
    "gini": "Gini",
    "top_decile_share": "share of the best tenth",
}
_TOLD = (
    "spend_forecast",
    "lower_90",
    "upper_90",
    "transactions_forecast",
    "chance_active",
    "lifetime_value",
    "segment",
)


def model_in_words(choice: Choice) -> str:
    """
    Return what the chosen model is called.

    Parameters
    ----------
    choice : Choice
        Of a target.

    Returns
    -------
    str
        A combination by its members.
    """
    return _members_in_words(choice) if choice.model == COMBINATION else MODELS[choice.model]


def _members_in_words(choice: Choice) -> str:
    names = [MODELS[member] for member in choice.members]
    return f"mean of {', '.join(names[:-1])} and {names[-1]}" if names else ""


def backtest_for_readers(target: TargetForecast) -> pd.DataFrame:
    """
    Return the comparison before the hold-out as a table for readers.

    Parameters
    ----------
    target : TargetForecast
        Spend or transactions.

    Returns
    -------
    pandas.DataFrame
        ``model`` and ``settings`` in words, and the measures over all trials, rounded; naive ones first.
    """
    table = target.choice.backtest.reset_index()
    settings = table["settings"].where(table["model"] != COMBINATION, _members_in_words(target.choice))
    named = table.assign(model=table["model"].map(MODELS), settings=settings).round(2)
    return named.replace(math.inf, math.nan).rename(columns=MEASURES)


def errors_for_readers(target: TargetForecast) -> pd.DataFrame:
    """
    Return the errors on the hold-out as a table for readers.

    Parameters
    ----------
    target : TargetForecast
        Spend or transactions.

    Returns
    -------
    pandas.DataFrame
        A row a model, with its role; RMSE, its 95% interval as text, and the other measures, rounded. The intervals of
        those are in ``target.errors``.
    """
    errors = target.errors
    wide = errors.pivot_table(index="model", columns="measure", values="value", dropna=False)
    first = errors[errors["measure"] == "rmse"].set_index("model")
    table = pd.DataFrame({"role": first["role"], "RMSE": first["value"].round(2)})
    table["95% interval"] = [_between(low, high) for low, high in zip(first["low"], first["high"], strict=True)]
    others = [measure for measure in MEASURES if measure != "rmse"]
    table = table.join(wide[others].replace(math.inf, math.nan).round(2).rename(columns=MEASURES))
    return table.rename(index=MODELS).reset_index()


def forecasts_for_readers(result: CustomerForecast, value: pd.Series, *, n_customers: int = 10) -> pd.DataFrame:
    """
    Return the customers with the highest expected spend.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.
    value : pandas.Series
        Lifetime value of the same customers.
    n_customers : int
        How many.

    Returns
    -------
    pandas.DataFrame
        What is expected of each and its 90 % range, the chance of being active, the lifetime value, and the segment where there
        are any, rounded, highest first; equal ones by name.
    """
    table = result.forecasts.join(value)
    ordered = table[[name for name in _TOLD if name in table]].sort_index()
    return ordered.sort_values("spend_forecast", ascending=False, kind="stable").head(n_customers).round(2)


def _between(low: float, high: float) -> str:
    return f"{low:,.2f} to {high:,.2f}" if math.isfinite(low) else "–"
