"""
Counted cleaning: named rules that repair a table in stages, each with a line in a ledger whose totals reconcile.

Faults are only detected, never repaired, in :mod:`crm_analysis.tables.quality`; what was known on a day is decided in
:mod:`crm_analysis.tables.snapshot`.
"""

from crm_analysis.tables.cleaning.ledger import LedgerLine
from crm_analysis.tables.cleaning.returns import ReturnsMatched, returns_matched
from crm_analysis.tables.cleaning.rules import Cleaned, check_rules, clean, mapping_files
from crm_analysis.tables.cleaning.stages import CleaningContext
from crm_analysis.tables.cleaning.workbench import row_count

__all__ = [
    "Cleaned",
    "CleaningContext",
    "LedgerLine",
    "ReturnsMatched",
    "check_rules",
    "clean",
    "mapping_files",
    "returns_matched",
    "row_count",
]
