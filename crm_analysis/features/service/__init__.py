"""
What is known of a service case at a moment, how it turned out, and how much service a customer had, as of a day.

Models and their judgement live in :mod:`crm_analysis.models.service_quality`.
"""

from crm_analysis.features.service.attributes import (
    CONTACTS,
    LEVELS,
    NUMBERS,
    OUTCOMES,
    RESPONSES,
    SPENDING,
)
from crm_analysis.features.service.contacts import n_customers_known, service_contacts, tells_targets
from crm_analysis.features.service.courses import case_courses, case_texts
from crm_analysis.features.service.experiences import AROUND, EXPERIENCES, experience_days, purchases_around
from crm_analysis.features.service.openings import case_features
from crm_analysis.features.service.outcomes import case_outcomes

__all__ = [
    "AROUND",
    "CONTACTS",
    "EXPERIENCES",
    "LEVELS",
    "NUMBERS",
    "OUTCOMES",
    "RESPONSES",
    "SPENDING",
    "case_courses",
    "case_features",
    "case_outcomes",
    "case_texts",
    "experience_days",
    "n_customers_known",
    "purchases_around",
    "service_contacts",
    "tells_targets",
]
