"""
Measures of service: what was promised and kept, how long cases take, what customers say, and whether that is changing.

What will go wrong with a single case is foreseen in :mod:`crm_analysis.models.service_quality.prediction`.
"""

from crm_analysis.models.service_quality.measures.answers import Answers
from crm_analysis.models.service_quality.measures.backlog import Backlog
from crm_analysis.models.service_quality.measures.control_charts import ControlChart, p_chart, xmr_chart
from crm_analysis.models.service_quality.measures.league import League, funnel_limits
from crm_analysis.models.service_quality.measures.result import ServiceMeasures, service_measures
from crm_analysis.models.service_quality.measures.survival import (
    LogRank,
    SurvivalCurve,
    log_rank_test,
    survival_curve,
)

__all__ = [
    "Answers",
    "Backlog",
    "ControlChart",
    "League",
    "LogRank",
    "ServiceMeasures",
    "SurvivalCurve",
    "funnel_limits",
    "log_rank_test",
    "p_chart",
    "service_measures",
    "survival_curve",
    "xmr_chart",
]
