"""
What bad service and money have to do with each other: the value at stake, and purchases after a bad experience.

Pictures are in :mod:`crm_analysis.figures.service_money`.
"""

from crm_analysis.models.service_quality.money.questions import service_and_money
from crm_analysis.models.service_quality.money.result import ServiceAndMoney

__all__ = ["ServiceAndMoney", "service_and_money"]
