"""
Honest evaluation, shared by the models: splits in time, error measures, bootstrap and conformal intervals, calibration.

What is specific to one model's question (its baselines, its sentences) belongs in that model's own folder.
"""

from crm_analysis.models.evaluation.calibration import calibration_error, calibration_table, quantile_groups
from crm_analysis.models.evaluation.conformal import ForecastBands, calibrated_bands, coverage_table
from crm_analysis.models.evaluation.measures import (
    MEASURES,
    ForecastJudge,
    bias,
    forecast_measures,
    mae,
    rank_correlation,
    rmse,
    top_share,
    undefined_measures,
    wape,
)
from crm_analysis.models.evaluation.origins import OriginPlan, rolling_origins
from crm_analysis.models.evaluation.resampling import bootstrap_interval, bootstrap_measures, percentile_interval

__all__ = [
    "MEASURES",
    "ForecastBands",
    "ForecastJudge",
    "OriginPlan",
    "bias",
    "bootstrap_interval",
    "bootstrap_measures",
    "calibrated_bands",
    "calibration_error",
    "calibration_table",
    "coverage_table",
    "forecast_measures",
    "mae",
    "percentile_interval",
    "quantile_groups",
    "rank_correlation",
    "rmse",
    "rolling_origins",
    "top_share",
    "undefined_measures",
    "wape",
]
