"""
What the business as a whole will take: weekly or monthly revenue, orders and active customers.

The series are SQL in :mod:`crm_analysis.features.series`; pictures are in :mod:`crm_analysis.figures.business_series`.
"""

from crm_analysis.models.business_series.measures import MeasureForecast, SeriesTotal
from crm_analysis.models.business_series.questions import WholeBusiness, forecast_whole_business
from crm_analysis.models.business_series.readers import (
    backtest_for_readers,
    errors_for_readers,
    reconciliation_for_readers,
)
from crm_analysis.models.business_series.reconciliation import Reconciliation, reconciliation
from crm_analysis.models.business_series.result import (
    BusinessForecast,
    forecast_business,
    holdout_origin,
)
from crm_analysis.models.business_series.wording import reconciled, recorded_results, verdict, warnings_of

__all__ = [
    "BusinessForecast",
    "MeasureForecast",
    "Reconciliation",
    "SeriesTotal",
    "WholeBusiness",
    "backtest_for_readers",
    "errors_for_readers",
    "forecast_business",
    "forecast_whole_business",
    "holdout_origin",
    "reconciled",
    "reconciliation",
    "reconciliation_for_readers",
    "recorded_results",
    "verdict",
    "warnings_of",
]
