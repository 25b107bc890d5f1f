"""
Turn a company's customer, purchase and service records into decisions.

Six rooms that data walks through once, upward: ``tables``, ``features``, ``models``, ``decisions``, ``figures``,
``reporting``. Notebooks compose them; ARCHITECTURE.md is the map.
"""

__version__ = "0.1.0"
