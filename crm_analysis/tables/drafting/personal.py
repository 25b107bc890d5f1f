"""
Columns of a sample that identify people directly, which a first dataset file leaves out.

How they are told belongs in :mod:`crm_analysis.tables.privacy.identifiers`.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from crm_analysis.tables.drafting.matching import name_scores
from crm_analysis.tables.drafting.samples import Sample
from crm_analysis.tables.privacy.identifiers import identifier_columns
from crm_analysis.tables.schema import CANONICAL

_MAX_ROWS = 2_000
_SURE = 0.9  # of a name's likeness, from which it says an id


def personal_columns(sample: Sample) -> dict[str, str]:
    """
    Return the columns that identify people directly.

    Parameters
    ----------
    sample : Sample
        Some rows of a file.

    Returns
    -------
    dict
        Column to the kind of identifier.
    """
    names = [name for name in sample.names if sample.stored[name] == "text"]
    if not names:
        return {}
    places = [sample.names.index(name) for name in names]
    rows = sample.rows[:: 1 + len(sample.rows) // _MAX_ROWS]
    arrays = [pa.array([row[place] for row in rows], pa.string()) for place in places]
    ids = [name for name in names if any(_is_id(name, table) for table in CANONICAL)]
    with duckdb.connect() as connection:
        connection.register("given", pa.table(dict(zip(names, arrays, strict=True))))
        connection.execute("CREATE TABLE sample AS SELECT * FROM given")
        return dict(identifier_columns(connection, "sample", columns=dict.fromkeys(names, "VARCHAR"), known=ids))


def _is_id(name: str, table: str) -> bool:
    scores = name_scores(name, table)
    return any(scores.get(column, 0) >= _SURE for column in CANONICAL[table].columns if column.endswith("_id"))
