"""
Sources: files, workbooks, databases and documents, each made readable by SQL; then landed as canonical tables.

Which sources a dataset names belongs in :mod:`crm_analysis.tables.dataset_file`; repairs in :mod:`crm_analysis.tables.cleaning`.
"""
