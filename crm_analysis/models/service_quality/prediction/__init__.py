"""
Why service cases go wrong and which ones will: a decision tree and a random forest, judged on later cases.

Features and outcomes of cases are SQL in :mod:`crm_analysis.features.service`; pictures are in
:mod:`crm_analysis.figures.service_quality`.
"""

from crm_analysis.models.service_quality.prediction.cases import (
    CaseSplit,
    first_holdout_day,
    sla_attainment,
    split_cases,
    split_in_words,
    state_of_service,
    weekly_cases,
)
from crm_analysis.models.service_quality.prediction.result import (
    ServiceQuality,
    Verdict,
    n_at_risk,
    open_cases_at_risk,
    service_quality,
    verdict,
)
from crm_analysis.models.service_quality.wording import readable

__all__ = [
    "CaseSplit",
    "ServiceQuality",
    "Verdict",
    "first_holdout_day",
    "n_at_risk",
    "open_cases_at_risk",
    "readable",
    "service_quality",
    "sla_attainment",
    "split_cases",
    "split_in_words",
    "state_of_service",
    "verdict",
    "weekly_cases",
]
