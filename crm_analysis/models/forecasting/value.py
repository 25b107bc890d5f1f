"""
What each customer is worth: lifetime value by the model of repeat buying that did best, with the model's parameters.

The models themselves are in :mod:`crm_analysis.models.lifetime_value`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.models.forecasting.expectations import NAMES
from crm_analysis.models.forecasting.result import CustomerForecast
from crm_analysis.models.lifetime_value import GammaGamma, RepeatPurchaseModel

LIFETIME_VALUE = "lifetime_value"


def lifetime_values(
    result: CustomerForecast, current: pd.DataFrame, *, value_days: int, annual_discount_rate: float
) -> pd.Series:
    """
    Return what each current customer is expected to spend in a longer time to come, discounted.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.
    current : pandas.DataFrame
        Features as of ``as_of``, as the forecast was made from them.
    value_days : int
        How far ahead.
    annual_discount_rate : float
        A share: 0.1 makes money a year away worth 1 / 1.1.

    Returns
    -------
    pandas.Series
        Index ``customer_id``; money, spend and not profit. Missing where no model could be fitted.

    Notes
    -----
    This reaches beyond every period that forecasts were tried on: use it to compare customers, less to plan a total.
    """
    model = result.lawful_model
    if model is None:
        return pd.Series(float("nan"), index=current.index, name=LIFETIME_VALUE)
    values = result.expectations.lifetime_value(
        current, model=model, days=value_days, annual_discount_rate=annual_discount_rate
    )
    return pd.Series(values, index=current.index, name=LIFETIME_VALUE)


def parameters_for_readers(result: CustomerForecast) -> pd.DataFrame:
    """
    Return the parameters of the models that chance active and lifetime value come from.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``parameter``, ``value``, ``standard error``, as fitted on ``as_of``, times in days, money in the dataset's
        currency. Without rows where no model could be fitted.
    """
    as_of = pd.Timestamp(result.plan.as_of)
    rows: list[tuple[str, str, float, float]] = []
    if result.lawful_model is not None:
        fitted = result.expectations.purchases[as_of][result.lawful_model]
        rows += _parameters(NAMES[result.lawful_model], fitted)
    if as_of in result.expectations.spend:
        rows += _parameters("Gamma-Gamma", result.expectations.spend[as_of])
    return pd.DataFrame(rows, columns=["model", "parameter", "value", "standard error"]).round(3)


def value_in_words(result: CustomerForecast, value: pd.Series, *, value_days: int) -> list[str]:
    """
    Say where lifetime values come from, what is doubtful about the models, and where forecasts disagree with them.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.
    value : pandas.Series
        As :func:`lifetime_values` returns them.
    value_days : int
        How far ahead they reach.

    Returns
    -------
    list of str
        Plain sentences.
    """
    as_of, model = pd.Timestamp(result.plan.as_of), result.lawful_model
    if model is None:
        return ["No model of repeat buying could be fitted, so there are no lifetime values."]
    told = [
        f"Chance active and lifetime value come from the {NAMES[model]} model, not from the forecast of the horizon."
    ]
    below = int((value < result.forecasts["spend_forecast"]).sum())
    if value_days >= result.plan.horizon_days and below:
        told.append(
            f"For {below:,} of {len(value):,} customers it expects less within {value_days} days than the forecast does within "
            f"{result.plan.horizon_days}: two models disagree there, and the lifetime value is the lower guess."
        )
    fitted = [result.expectations.purchases[as_of][model], result.expectations.spend.get(as_of)]
    return [*told, *(note for one in fitted if one is not None for note in one.notes_)]


def _parameters(name: str, fitted: RepeatPurchaseModel | GammaGamma) -> list[tuple[str, str, float, float]]:
    return [
        (name, parameter, value, fitted.standard_errors_[parameter]) for parameter, value in fitted.parameters_.items()
    ]
