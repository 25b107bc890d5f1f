"""
What each customer will spend and how often they will buy: naive rules, regressions, models of repeat buying, judged alike.

Purchase features are SQL in :mod:`crm_analysis.features.purchases`; pictures are in :mod:`crm_analysis.figures.forecasting`.
"""

from crm_analysis.models.forecasting.inputs import CustomerHistories, customer_histories
from crm_analysis.models.forecasting.readers import (
    backtest_for_readers,
    errors_for_readers,
    forecasts_for_readers,
    model_in_words,
)
from crm_analysis.models.forecasting.result import CustomerForecast, TargetForecast, forecast_customers
from crm_analysis.models.forecasting.saving import save_repeat_buying
from crm_analysis.models.forecasting.terms import FEATURE_GROUPS
from crm_analysis.models.forecasting.value import lifetime_values, parameters_for_readers, value_in_words
from crm_analysis.models.forecasting.wording import recorded_results, verdict, warnings_of

__all__ = [
    "FEATURE_GROUPS",
    "CustomerForecast",
    "CustomerHistories",
    "TargetForecast",
    "backtest_for_readers",
    "customer_histories",
    "errors_for_readers",
    "forecast_customers",
    "forecasts_for_readers",
    "lifetime_values",
    "model_in_words",
    "parameters_for_readers",
    "recorded_results",
    "save_repeat_buying",
    "value_in_words",
    "verdict",
    "warnings_of",
]
