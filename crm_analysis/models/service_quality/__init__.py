"""
Service quality: how service stands, why cases go wrong and which ones will, what service needs, and what it is worth.

Features and outcomes of cases are SQL in :mod:`crm_analysis.features.service`; pictures are in the figures named after
these folders. Nothing is exported here: a reader takes what it needs from ``questions``, ``measures``,
``prediction``, ``explanation``, ``workload`` or ``money``.
"""
