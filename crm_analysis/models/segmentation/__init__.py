"""
Groups of customers: found, tested against data without groups, named, put into rules, kept, and followed over time.

What is known of a customer comes from :mod:`crm_analysis.features`; pictures are in the modules of :mod:`crm_analysis.figures`.
"""

from crm_analysis.models.segmentation.describing.cards import card_features, segment_cards
from crm_analysis.models.segmentation.describing.naming import segment_names, slug
from crm_analysis.models.segmentation.describing.profiles import customer_list, segment_profiles, value_fifths
from crm_analysis.models.segmentation.describing.rules import segment_rules, surrogate_fidelity
from crm_analysis.models.segmentation.grouping.dbscan import fit_dbscan
from crm_analysis.models.segmentation.grouping.kmeans import choose_n_groups, kmeans_criteria, mean_silhouettes
from crm_analysis.models.segmentation.grouping.reference import fit_reference
from crm_analysis.models.segmentation.model import SegmentModel
from crm_analysis.models.segmentation.movement import movement_results, movement_verdict
from crm_analysis.models.segmentation.needs import needs_results, needs_shares, needs_verdict
from crm_analysis.models.segmentation.preparing.scaling import RFM, checked_features, fit_scaling
from crm_analysis.models.segmentation.questions import customer_movement, customer_needs, rfm_scores
from crm_analysis.models.segmentation.result import Segmentation, segment_customers
from crm_analysis.models.segmentation.rfm import rfm_cells, rfm_profiles
from crm_analysis.models.segmentation.saving import learned_segments, save_needs, save_segments
from crm_analysis.models.segmentation.wording import segment_shares, segment_sql, segmentation_results, verdict

__all__ = [
    "RFM",
    "SegmentModel",
    "Segmentation",
    "card_features",
    "checked_features",
    "choose_n_groups",
    "customer_list",
    "customer_movement",
    "customer_needs",
    "fit_dbscan",
    "fit_reference",
    "fit_scaling",
    "kmeans_criteria",
    "learned_segments",
    "mean_silhouettes",
    "movement_results",
    "movement_verdict",
    "needs_results",
    "needs_shares",
    "needs_verdict",
    "rfm_cells",
    "rfm_profiles",
    "rfm_scores",
    "save_needs",
    "save_segments",
    "segment_cards",
    "segment_customers",
    "segment_names",
    "segment_profiles",
    "segment_rules",
    "segment_shares",
    "segment_sql",
    "segmentation_results",
    "slug",
    "surrogate_fidelity",
    "value_fifths",
    "verdict",
]
