"""
What is known of a service case when it opens, how it turned out, and how much service a customer had, as of a day.

Models and their judgement live in :mod:`crm_analysis.models.service_quality`.
"""

from crm_analysis.features.service.openings import (
    CONTACTS,
    LEVELS,
    NUMBERS,
    OUTCOMES,
    case_features,
    case_outcomes,
    service_contacts,
    tells_targets,
)

__all__ = [
    "CONTACTS",
    "LEVELS",
    "NUMBERS",
    "OUTCOMES",
    "case_features",
    "case_outcomes",
    "service_contacts",
    "tells_targets",
]
