"""
Personal data kept safe: pseudonyms, direct identifiers, free text and small cells.

Where these are applied to landed tables belongs in :mod:`crm_analysis.tables.sources` and :mod:`crm_analysis.tables.datasets`.
"""
