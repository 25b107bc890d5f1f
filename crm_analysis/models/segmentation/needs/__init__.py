"""
Needs: what groups of customers buy, found by the machinery that finds segments, and named from what sets them apart.

How purchases become points is in :mod:`crm_analysis.models.segmentation.preparing.composition`; pictures are in
:mod:`crm_analysis.figures.needs`.
"""

from crm_analysis.models.segmentation.needs.lifts import category_lifts, shown_lifts
from crm_analysis.models.segmentation.needs.model import TOO_LITTLE, NeedsModel
from crm_analysis.models.segmentation.needs.naming import needs_names
from crm_analysis.models.segmentation.needs.result import Needs, find_needs, no_needs
from crm_analysis.models.segmentation.needs.verdict import needs_results, needs_shares, needs_verdict

__all__ = [
    "TOO_LITTLE",
    "Needs",
    "NeedsModel",
    "category_lifts",
    "find_needs",
    "needs_names",
    "needs_results",
    "needs_shares",
    "needs_verdict",
    "no_needs",
    "shown_lifts",
]
