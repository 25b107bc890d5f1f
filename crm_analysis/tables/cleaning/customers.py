"""
Merged customers: an old id becomes the id that it was merged into, in every table.

Where the mapping comes from belongs in :mod:`crm_analysis.tables.datasets`; this module gets it as a relation.
"""

from __future__ import annotations

import math

from crm_analysis.errors import DataQualityError
from crm_analysis.tables.cleaning.arguments import MergeCustomers
from crm_analysis.tables.cleaning.stages import Stage, Step
from crm_analysis.tables.cleaning.workbench import row_count
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.schema import CANONICAL, dated_by

_CLEAR_ID = "_clear_customer_id"
_CLEAR_SURVIVOR = "_clear_merged_into"


def merge_customers(stage: Stage, argument: MergeCustomers) -> Step:
    """
    Put the surviving id in the place of ids that were merged into it.

    Parameters
    ----------
    stage : Stage
        The table.
    argument : MergeCustomers
        Where the mapping was read from; its content is the context's `merged`.

    Returns
    -------
    Step
        What is changed; in a table keyed by customer, also what is dropped.

    Raises
    ------
    DataQualityError
        An id is merged into two others, or ids are merged in a circle.

    Notes
    -----
    Chains are followed to their end. In `customers` a survivor keeps its own row and the rows of merged ids are left out;
    where a survivor has no row, one of the merged rows takes its id: that of the earliest date, then of the smallest id.
    A mapping has no dates: it is taken as known on every day. Its rows without either id, and of an id into itself, say
    nothing.
    """
    mapping = _resolved(stage)
    words = f"ids in {argument.old} of {', '.join(argument.files)} become those in {argument.new}"
    if CANONICAL[stage.table].unique == ["customer_id"]:
        return _one_row_a_survivor(stage, mapping, words)
    replaced = {"customer_id": "coalesce(m.merged_into, t.customer_id)"}
    if _CLEAR_ID in stage.columns:
        replaced[_CLEAR_ID] = f"CASE WHEN m.merged_into IS NULL THEN t.{_CLEAR_ID} ELSE m.{_CLEAR_SURVIVOR} END"
    return Step(words, replaced=replaced, joined=f"LEFT JOIN {mapping} AS m ON t.customer_id = m.customer_id")


def _one_row_a_survivor(stage: Stage, mapping: str, words: str) -> Step:
    dated = stage.column(dated_by(stage.table), "TIMESTAMP")
    rest = "".join(f", t.{identifier(name)} NULLS LAST" for name in stage.columns)
    merged = stage.bench.write(
        "merged",
        f"SELECT t.*, m.merged_into AS _survivor, m.{_CLEAR_SURVIVOR} AS _clear_survivor, "
        f"m.merged_into IN (SELECT customer_id FROM {stage.relation} WHERE customer_id IS NOT NULL) AS _has_row, "
        f"row_number() OVER (PARTITION BY m.merged_into ORDER BY {dated} NULLS LAST, t.customer_id{rest}) AS _rank "
        f"FROM {stage.relation} AS t JOIN {mapping} AS m ON t.customer_id = m.customer_id",
    )
    replaced = {"customer_id": "t._survivor"} | ({_CLEAR_ID: "t._clear_survivor"} if _CLEAR_ID in stage.columns else {})
    dropped = "(t._has_row OR t._rank > 1)"
    renamed = ", ".join(f"{value} AS {name}" for name, value in replaced.items())
    return Step(
        f"{words}; a survivor's own row stays",
        dropped=dropped,
        replaced=replaced,
        touched=merged,
        written=(
            f"SELECT t.* FROM {stage.relation} AS t ANTI JOIN {mapping} AS m ON t.customer_id = m.customer_id UNION ALL "
            f"SELECT t.* EXCLUDE (_survivor, _clear_survivor, _has_row, _rank) REPLACE ({renamed}) FROM {merged} AS t "
            f"WHERE NOT {dropped}"
        ),
    )


def _resolved(stage: Stage) -> str:
    """Return the mapping with every chain followed to its end: each round doubles the steps taken."""
    if stage.context.merged is None:
        raise ValueError("merge_customers needs the mapping as context.merged")
    mapping = _links(stage, stage.context.merged)
    for _ in range(math.ceil(math.log2(row_count(stage.bench.connection, mapping) + 1)) + 1):
        if not _unfinished(stage, mapping):
            return mapping
        mapping = stage.bench.write(
            "links",
            f"SELECT a.customer_id, coalesce(b.merged_into, a.merged_into) AS merged_into, "
            f"CASE WHEN b.merged_into IS NULL THEN a.{_CLEAR_SURVIVOR} ELSE b.{_CLEAR_SURVIVOR} END AS {_CLEAR_SURVIVOR} "
            f"FROM {mapping} AS a LEFT JOIN {mapping} AS b ON a.merged_into = b.customer_id",
        )
    if endless := _unfinished(stage, mapping):
        raise DataQualityError(
            f"tables.{stage.table}.cleaning.merge_customers: {endless:,} of "
            f"{row_count(stage.bench.connection, mapping):,} merged ids never come to an end: they are merged in a circle, "
            "or into one. Say in the mapping which id survives."
        )
    return mapping


def _links(stage: Stage, merged: str) -> str:
    """Return the mapping as given, without rows that say nothing, after checking that it is one."""
    connection = stage.bench.connection
    names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {merged}").fetchall()]
    clear = f"any_value({_CLEAR_SURVIVOR})" if _CLEAR_SURVIVOR in names else "CAST(NULL AS VARCHAR)"
    links = stage.bench.write(
        "links",
        f"SELECT customer_id, merged_into, {clear} AS {_CLEAR_SURVIVOR} FROM {merged} "
        "WHERE customer_id <> merged_into GROUP BY ALL",
    )
    row = connection.execute(f"SELECT count(*), count(DISTINCT customer_id) FROM {links}").fetchone()
    pairs, ids = row or (0, 0)
    if pairs > ids:
        raise DataQualityError(
            f"tables.{stage.table}.cleaning.merge_customers: {pairs - ids:,} more pairs than merged ids ({ids:,}): an id is "
            "merged into several others. Leave one row for each old id."
        )
    return links


def _unfinished(stage: Stage, mapping: str) -> int:
    return row_count(
        stage.bench.connection, f"{mapping} AS a SEMI JOIN {mapping} AS b ON a.merged_into = b.customer_id"
    )
