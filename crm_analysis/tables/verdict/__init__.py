"""
The whole check of a dataset against the contract, and how it is told.

The faults of one table are counted in :mod:`crm_analysis.tables.quality`.
"""

from crm_analysis.tables.quality.score import FORMULA
from crm_analysis.tables.verdict.check import Judged, Verdict, check_dataset
from crm_analysis.tables.verdict.lines import verdict_lines
from crm_analysis.tables.verdict.portrait import Portrait, frequent_levels, n_customers, portrait
from crm_analysis.tables.verdict.wording import (
    answer,
    cleaning_in_words,
    returns_in_words,
    shown_ledger,
    shown_priorities,
)

__all__ = [
    "FORMULA",
    "Judged",
    "Portrait",
    "Verdict",
    "answer",
    "check_dataset",
    "cleaning_in_words",
    "frequent_levels",
    "n_customers",
    "portrait",
    "returns_in_words",
    "shown_ledger",
    "shown_priorities",
    "verdict_lines",
]
