"""
The last scan: every written file is read, and nothing is published that holds a secret or a direct identifier.

What personal data look like, and how they are left out in the first place, belongs in :mod:`crm_analysis.tables.privacy`.
"""

from crm_analysis.reporting.scan.folder import scan_folder
from crm_analysis.reporting.scan.identifiers import IdentifierColumn, IdentifierSource, Leak
from crm_analysis.reporting.scan.words import package_vocabulary, vocabulary

__all__ = ["IdentifierColumn", "IdentifierSource", "Leak", "package_vocabulary", "scan_folder", "vocabulary"]
