"""
How much work service makes: cases by day and hour, and the staff that a promise to customers takes.

Pictures are in :mod:`crm_analysis.figures.service_workload`.
"""

from crm_analysis.models.service_quality.workload.plan import ServiceGoal
from crm_analysis.models.service_quality.workload.questions import service_workload
from crm_analysis.models.service_quality.workload.result import Workload
from crm_analysis.models.service_quality.workload.staffing import (
    Staffing,
    agents_needed,
    erlang_c,
    mean_wait_hours,
    service_level,
)

__all__ = [
    "ServiceGoal",
    "Staffing",
    "Workload",
    "agents_needed",
    "erlang_c",
    "mean_wait_hours",
    "service_level",
    "service_workload",
]
