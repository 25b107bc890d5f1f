"""
Groups of customers: K-Means and DBSCAN side by side, tested against data without groups, named and put into rules.

What is known of a customer comes from :mod:`crm_analysis.features`; pictures are in :mod:`crm_analysis.figures.segmentation`.
"""

from crm_analysis.models.segmentation.describing.naming import segment_names, slug
from crm_analysis.models.segmentation.describing.profiles import customer_list, segment_profiles, value_fifths
from crm_analysis.models.segmentation.describing.rules import segment_rules, surrogate_fidelity
from crm_analysis.models.segmentation.grouping.dbscan import fit_dbscan
from crm_analysis.models.segmentation.grouping.kmeans import choose_n_groups, kmeans_criteria, mean_silhouettes
from crm_analysis.models.segmentation.grouping.reference import fit_reference
from crm_analysis.models.segmentation.preparing.scaling import RFM, checked_features, fit_scaling
from crm_analysis.models.segmentation.result import Segmentation, segment_customers, segment_shares, verdict

__all__ = [
    "RFM",
    "Segmentation",
    "checked_features",
    "choose_n_groups",
    "customer_list",
    "fit_dbscan",
    "fit_reference",
    "fit_scaling",
    "kmeans_criteria",
    "mean_silhouettes",
    "segment_customers",
    "segment_names",
    "segment_profiles",
    "segment_rules",
    "segment_shares",
    "slug",
    "surrogate_fidelity",
    "value_fifths",
    "verdict",
]
