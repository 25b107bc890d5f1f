"""
Why service cases go wrong and which ones will: models chosen by rolling origin and judged on later cases.

Features and outcomes of cases are SQL in :mod:`crm_analysis.features.service`; pictures are in
:mod:`crm_analysis.figures.service_quality`.
"""

from crm_analysis.models.service_quality.prediction.at_risk import n_at_risk, open_cases_at_risk, refitted
from crm_analysis.models.service_quality.prediction.cases import (
    CaseSplit,
    first_holdout_day,
    split_cases,
    split_in_words,
)
from crm_analysis.models.service_quality.prediction.classifiers import probabilities
from crm_analysis.models.service_quality.prediction.result import ServiceQuality, service_quality
from crm_analysis.models.service_quality.prediction.verdicts import Verdict
from crm_analysis.models.service_quality.wording import readable

__all__ = [
    "CaseSplit",
    "ServiceQuality",
    "Verdict",
    "first_holdout_day",
    "n_at_risk",
    "open_cases_at_risk",
    "probabilities",
    "readable",
    "refitted",
    "service_quality",
    "split_cases",
    "split_in_words",
]
