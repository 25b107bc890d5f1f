"""
Honest evaluation, shared by the models: splits in time, error measures, bootstrap and conformal intervals, calibration.

What is specific to one model's question (its baselines, its sentences) belongs in that model's own folder.
"""

from crm_analysis.models.evaluation.calibration import calibration_error, calibration_table, quantile_groups
from crm_analysis.models.evaluation.conformal import (
    Intervals,
    count_intervals,
    spend_intervals,
)
from crm_analysis.models.evaluation.coverage import coverage_table
from crm_analysis.models.evaluation.measures import MEASURES, ForecastJudge, forecast_measures, undefined_measures
from crm_analysis.models.evaluation.origins import OriginPlan, Trial, rolling_origins
from crm_analysis.models.evaluation.predictive import CountDistribution, SpendDistribution
from crm_analysis.models.evaluation.resampling import bootstrap_interval, bootstrap_measures, percentile_interval
from crm_analysis.models.evaluation.shares import wilson_interval
from crm_analysis.models.evaluation.single_measures import (
    bias,
    gini,
    mae,
    poisson_deviance,
    rank_correlation,
    rmse,
    top_share,
    wape,
)
from crm_analysis.models.evaluation.spread import CountSpread, SpendSpread, count_spread, spend_spread

__all__ = [
    "MEASURES",
    "CountDistribution",
    "CountSpread",
    "ForecastJudge",
    "Intervals",
    "OriginPlan",
    "SpendDistribution",
    "SpendSpread",
    "Trial",
    "bias",
    "bootstrap_interval",
    "bootstrap_measures",
    "calibration_error",
    "calibration_table",
    "count_intervals",
    "count_spread",
    "coverage_table",
    "forecast_measures",
    "gini",
    "mae",
    "percentile_interval",
    "poisson_deviance",
    "quantile_groups",
    "rank_correlation",
    "rmse",
    "rolling_origins",
    "spend_intervals",
    "spend_spread",
    "top_share",
    "undefined_measures",
    "wape",
    "wilson_interval",
]
