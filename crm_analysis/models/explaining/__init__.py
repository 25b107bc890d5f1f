"""
What a fitted model leans on, whatever its kind: importance by permutation on later data, and how predictions go with a feature.

A model is known here by its ``predict`` only; which features belong together is the caller's to say.
"""

from crm_analysis.models.explaining.dependence import accumulated_local_effects, dependence_curves, partial_dependence
from crm_analysis.models.explaining.importance import grouped, importance_in_words, permutation_importance

__all__ = [
    "accumulated_local_effects",
    "dependence_curves",
    "grouped",
    "importance_in_words",
    "partial_dependence",
    "permutation_importance",
]
