"""
A first dataset file for one's own files: what can be seen of them is written down, what is unsure is marked.

What a dataset file may say belongs in :mod:`crm_analysis.tables.dataset_file`.
"""

from crm_analysis.tables.drafting.draft import Draft, draft_dataset, write_draft

__all__ = ["Draft", "draft_dataset", "write_draft"]
