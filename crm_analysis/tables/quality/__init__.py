"""
What is wrong with tables and how much: the contract over every row, profiles of columns, scores, and what to fix first.

Nothing is repaired here; that is the work of :mod:`crm_analysis.tables.cleaning`.
"""
