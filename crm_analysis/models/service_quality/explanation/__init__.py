"""
Why cases go wrong: what probabilities rest on, which way they move, what would help, and whom a model's errors meet.

The models themselves are in :mod:`crm_analysis.models.service_quality.prediction`; here they are only asked.
"""

from crm_analysis.models.service_quality.explanation.directions import Directions, case_directions
from crm_analysis.models.service_quality.explanation.drivers import Drivers, case_drivers, rates_by_level
from crm_analysis.models.service_quality.explanation.effects import WhatWouldHelp, what_would_help
from crm_analysis.models.service_quality.explanation.fairness import Fairness, fairness
from crm_analysis.models.service_quality.explanation.reasons import CaseReasons, case_reasons
from crm_analysis.models.service_quality.explanation.result import Explanation, explained

__all__ = [
    "CaseReasons",
    "Directions",
    "Drivers",
    "Explanation",
    "Fairness",
    "WhatWouldHelp",
    "case_directions",
    "case_drivers",
    "case_reasons",
    "explained",
    "fairness",
    "rates_by_level",
    "what_would_help",
]
