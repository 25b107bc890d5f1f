"""
Text: what customers write about, found by the words their texts share, in any language.

Pictures are in :mod:`crm_analysis.figures.topics`.
"""

from crm_analysis.models.text.result import Topics, case_topics, no_topics

__all__ = ["Topics", "case_topics", "no_topics"]
