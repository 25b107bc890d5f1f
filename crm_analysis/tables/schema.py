"""
The canonical tables, declared once: columns, types, ranges, keys, references, order in time, and how bad a breach is.

Checks that run over every row are made from this declaration in :mod:`crm_analysis.tables.quality`; repairs live in
:mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pandera import Check
from pandera.pandas import Column, DataFrameSchema

Kind = Literal["text", "time", "money", "number", "count", "flag"]
Severity = Literal["error", "warning"]

EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001 - times are naive, in the dataset's own zone
FAR_FUTURE_DAYS = 3653  # ten years after the last day of the data
TOLERATED_MISSING = 0.5

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
    kind: Kind,
    *checks: Check,
    required: bool = False,
    known_with: str | None = None,
    not_before: tuple[str, Severity] | None = None,
    tolerated_missing: float = TOLERATED_MISSING,
    description: str = "",
) -> Column:
    """
    Declare a column; a check with ``raise_warning`` only warns.

    `known_with` names the time from which its value is known, if later than the row itself; `not_before` the time that
    goes before it, and how bad the wrong order is; `tolerated_missing` the share that may lack without a warning.
    """
    metadata: dict[str, Any] = {
        "kind": kind,
        "known_with": known_with,
        "not_before": not_before,
        "tolerated_missing": tolerated_missing,
    }
    plausible = [Check.ge(EARLIEST, raise_warning=not required)] if kind == "time" else []
    return Column(
        _PANDAS_TYPES[kind],
        checks=[*checks, *plausible],
        nullable=not required,
        required=required,
        metadata=metadata,
        description=description,
    )


def _table(
    columns: dict[str, Column], *, dated_by: str, key: list[str] | None = None, of_a_customer: bool = True, daily: bool
) -> DataFrameSchema:
    """Declare a table; `of_a_customer`: its rows belong to rows of customers; `daily`: a day without a row is a gap."""
    references = {"customer_id": ("customers", "customer_id")} if of_a_customer else {}
    return DataFrameSchema(
        columns, unique=key, metadata={"dated_by": dated_by, "references": references, "daily": daily}
    )


CANONICAL: Mapping[str, DataFrameSchema] = {
    "customers": _table(
        {
            "customer_id": _column("text", required=True, description="whose row it is"),
            "signed_up_at": _column("time", description="when the customer joined"),
            "region": _column("text", description="where the customer lives or is served"),
        },
        dated_by="signed_up_at",
        key=["customer_id"],
        of_a_customer=False,
        daily=False,
    ),
    "transactions": _table(
        {
            "customer_id": _column("text", required=True, description="who bought"),
            "occurred_at": _column("time", required=True, description="when"),
            "amount": _column("money", required=True, description="money of the line; negative: a return"),
            "quantity": _column("number", description="units; negative: returned"),
            "unit_price": _column("money", Check.gt(0, raise_warning=True), description="money a unit"),
            "transaction_id": _column("text", description="the purchase the line belongs to"),
            "product_id": _column("text", description="what was bought"),
            "category": _column("text", description="kind of product"),
            "channel": _column("text", description="shop, web, …"),
            "discount": _column(
                "money", Check.ge(0), tolerated_missing=1, description="money taken off the line, positive; null: none"
            ),
        },
        dated_by="occurred_at",
        daily=True,
    ),
    "service_cases": _table(
        {
            "case_id": _column("text", required=True, description="which case"),
            "customer_id": _column("text", required=True, description="whose case"),
            "opened_at": _column("time", required=True, description="when the customer made contact"),
            "resolved_at": _column(
                "time",
                known_with="resolved_at",
                not_before=("opened_at", "error"),
                tolerated_missing=1,
                description="when it was solved; null: open",
            ),
            "first_response_at": _column(
                "time",
                known_with="first_response_at",
                not_before=("opened_at", "warning"),
                description="first answer",
            ),
            "due_at": _column("time", not_before=("opened_at", "warning"), description="promised by"),
            "sla_met": _column("flag", known_with="resolved_at", description="solved within the promise"),
            "satisfaction": _column(
                "count", Check.in_range(1, 5), known_with="resolved_at", tolerated_missing=0.9, description="1 to 5"
            ),
            "category": _column("text", description="what it is about"),
            "channel": _column("text", description="phone, e-mail, …"),
            "priority": _column("text", description="urgency given at the opening"),
            "team": _column("text", description="who handles it"),
            "reassignments": _column("count", Check.ge(0), known_with="resolved_at", description="hand-overs"),
            "reopens": _column("count", Check.ge(0), known_with="resolved_at", description="times reopened"),
            "text": _column("text", tolerated_missing=0.9, description="the customer's words"),
        },
        dated_by="opened_at",
        key=["case_id"],
        daily=True,
    ),
    "contacts": _table(
        {
            "customer_id": _column("text", required=True, description="who was contacted"),
            "campaign_id": _column("text", required=True, description="in which campaign"),
            "sent_at": _column("time", required=True, description="when"),
            "is_control": _column("flag", description="held out: not contacted on purpose"),
            "cost": _column("money", Check.ge(0), description="money the contact cost"),
            "responded_at": _column(
                "time",
                known_with="responded_at",
                not_before=("sent_at", "error"),
                tolerated_missing=1,
                description="first response; null: none",
            ),
        },
        dated_by="sent_at",
        daily=False,
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


def severity_of(check: Check) -> Severity:
    """
    Return how bad it is when a check of a column fails.

    Parameters
    ----------
    check : pandera.Check
        A check of a column of :data:`CANONICAL`.

    Returns
    -------
    str
        ``error``: analyses would be wrong; ``warning``: a person should look.

    Examples
    --------
    >>> [severity_of(check) for check in CANONICAL["transactions"].columns["unit_price"].checks]
    ['warning']
    """
    return "warning" if check.raise_warning else "error"


def key_of(table: str) -> list[str]:
    """
    Return the columns that tell the rows of a table apart.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.

    Returns
    -------
    list of str
        Empty for a table of lines.

    Examples
    --------
    >>> key_of("service_cases"), key_of("transactions")
    (['case_id'], [])
    """
    return list(CANONICAL[table].unique or [])


def references_of(table: str) -> dict[str, tuple[str, str]]:
    """
    Return the columns of a table whose values should stand in another.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.

    Returns
    -------
    dict
        Column to table and column there. A breach is a warning: a customer may have been forgotten on request.

    Examples
    --------
    >>> references_of("transactions")
    {'customer_id': ('customers', 'customer_id')}
    """
    return dict(CANONICAL[table].metadata["references"])


def time_order(table: str) -> dict[str, tuple[str, Severity]]:
    """
    Return the times of a table that may not lie before another time of the same row.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.

    Returns
    -------
    dict
        Column to the column that goes before it, and the severity of the wrong order.

    Examples
    --------
    >>> time_order("contacts")
    {'responded_at': ('sent_at', 'error')}
    """
    columns = CANONICAL[table].columns.items()
    return {name: order for name, column in columns if (order := column.metadata["not_before"])}


def tolerated_missing(table: str, column: str) -> float:
    """
    Return the share of a column that may be missing without a warning.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.
    column : str
        A canonical or a further column.

    Returns
    -------
    float
        1 where null says something by itself, as an open case's ``resolved_at``.

    Examples
    --------
    >>> tolerated_missing("service_cases", "resolved_at"), tolerated_missing("customers", "income")
    (1, 0.5)
    """
    declared = CANONICAL[table].columns.get(column)
    share: float = declared.metadata["tolerated_missing"] if declared else TOLERATED_MISSING
    return share


def covers_days(table: str) -> bool:
    """
    Return whether a day without any row of a table is worth a warning.

    Parameters
    ----------
    table : str
        A key of :data:`CANONICAL`.

    Returns
    -------
    bool
        True for purchases and cases; customers and campaigns come as they come.

    Examples
    --------
    >>> covers_days("transactions"), covers_days("contacts")
    (True, False)
    """
    daily: bool = CANONICAL[table].metadata["daily"]
    return daily
