"""
The canonical tables, declared once: columns, types, ranges, keys, and from when a value is known.

Checks that run over every row are made from this declaration in :mod:`crm_analysis.tables.quality`; repairs live in
:mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pandera import Check
from pandera.pandas import Column, DataFrameSchema

Kind = Literal["text", "time", "money", "number", "count", "flag"]

SQL_TYPES: Mapping[Kind, str] = {
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "money": "DECIMAL(18, 4)",
    "number": "DOUBLE",
    "count": "BIGINT",
    "flag": "BOOLEAN",
}
_PANDAS_TYPES: Mapping[Kind, str] = {
    "text": "str",
    "time": "datetime64[us]",
    "money": "float64",
    "number": "float64",
    "count": "Int64",
    "flag": "boolean",
}


def _column(
    kind: Kind, *checks: Check, required: bool = False, known_with: str | None = None, description: str = ""
) -> Column:
    """Declare a column; `known_with` names the time from which its value is known, if later than the row itself."""
    metadata: dict[str, Any] = {"kind": kind, "known_with": known_with}
    return Column(
        _PANDAS_TYPES[kind],
        checks=list(checks),
        nullable=not required,
        required=required,
        metadata=metadata,
        description=description,
    )


def _table(columns: dict[str, Column], *, dated_by: str, key: list[str] | None = None) -> DataFrameSchema:
    return DataFrameSchema(columns, unique=key, metadata={"dated_by": dated_by})


CANONICAL: Mapping[str, DataFrameSchema] = {
    "customers": _table(
        {
            "customer_id": _column("text", required=True, description="whose row it is"),
            "signed_up_at": _column("time", description="when the customer joined"),
            "region": _column("text", description="where the customer lives or is served"),
        },
        dated_by="signed_up_at",
        key=["customer_id"],
    ),
    "transactions": _table(
        {
            "customer_id": _column("text", required=True, description="who bought"),
            "occurred_at": _column("time", required=True, description="when"),
            "amount": _column("money", required=True, description="money of the line; negative: a return"),
            "quantity": _column("number", description="units; negative: returned"),
            "unit_price": _column("money", description="money a unit"),
            "transaction_id": _column("text", description="the purchase the line belongs to"),
            "product_id": _column("text", description="what was bought"),
            "category": _column("text", description="kind of product"),
            "channel": _column("text", description="shop, web, …"),
            "discount": _column("money", Check.ge(0), description="money taken off the line, positive"),
        },
        dated_by="occurred_at",
    ),
    "service_cases": _table(
        {
            "case_id": _column("text", required=True, description="which case"),
            "customer_id": _column("text", required=True, description="whose case"),
            "opened_at": _column("time", required=True, description="when the customer made contact"),
            "resolved_at": _column("time", known_with="resolved_at", description="when it was solved; null: open"),
            "first_response_at": _column("time", known_with="first_response_at", description="first answer"),
            "due_at": _column("time", description="promised by"),
            "sla_met": _column("flag", known_with="resolved_at", description="solved within the promise"),
            "satisfaction": _column("count", Check.in_range(1, 5), known_with="resolved_at", description="1 to 5"),
            "category": _column("text", description="what it is about"),
            "channel": _column("text", description="phone, e-mail, …"),
            "priority": _column("text", description="urgency given at the opening"),
            "team": _column("text", description="who handles it"),
            "reassignments": _column("count", Check.ge(0), known_with="resolved_at", description="hand-overs"),
            "reopens": _column("count", Check.ge(0), known_with="resolved_at", description="times reopened"),
            "text": _column("text", description="the customer's words"),
        },
        dated_by="opened_at",
        key=["case_id"],
    ),
    "contacts": _table(
        {
            "customer_id": _column("text", required=True, description="who was contacted"),
            "campaign_id": _column("text", required=True, description="in which campaign"),
            "sent_at": _column("time", required=True, description="when"),
            "is_control": _column("flag", description="held out: not contacted on purpose"),
            "cost": _column("money", Check.ge(0), description="money the contact cost"),
            "responded_at": _column("time", known_with="responded_at", description="first response; null: none"),
        },
        dated_by="sent_at",
    ),
}


def kind_of(column: Column) -> Kind:
    """
    Return the kind of a canonical column.

    Parameters
    ----------
    column : pandera.Column
        A column of :data:`CANONICAL`.

    Returns
    -------
    str
        A key of :data:`SQL_TYPES`.

    Examples
    --------
    >>> kind_of(CANONICAL["transactions"].columns["amount"])
    'money'
    """
    kind: Kind = column.metadata["kind"]
    return kind


def dated_by(table: str) -> str:
    """
    Return the column that dates the rows of a canonical table.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.

    Returns
    -------
    str
        A column of kind ``time``.

    Examples
    --------
    >>> dated_by("service_cases")
    'opened_at'
    """
    column: str = CANONICAL[table].metadata["dated_by"]
    return column


def required_columns(table: str) -> list[str]:
    """
    Return the columns that a table must have.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.

    Returns
    -------
    list of str
        In the declared order.

    Examples
    --------
    >>> required_columns("transactions")
    ['customer_id', 'occurred_at', 'amount']
    """
    return [name for name, column in CANONICAL[table].columns.items() if column.required]
