"""
What each customer will spend and how often they will buy: naive baselines, polynomial and support vector regression.

Purchase features are SQL in :mod:`crm_analysis.features.purchases`; pictures are in
:mod:`crm_analysis.figures.forecasting`.
"""

from crm_analysis.models.forecasting.result import CustomerForecast, TargetForecast, forecast_customers
from crm_analysis.models.forecasting.wording import (
    backtest_for_readers,
    errors_for_readers,
    forecasts_for_readers,
    recorded_results,
    verdict,
    warnings_of,
)

__all__ = [
    "CustomerForecast",
    "TargetForecast",
    "backtest_for_readers",
    "errors_for_readers",
    "forecast_customers",
    "forecasts_for_readers",
    "recorded_results",
    "verdict",
    "warnings_of",
]
