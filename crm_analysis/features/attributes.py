"""
What the source says of customers by itself, such as their region, as groups to compare.

What is reckoned from their purchases and cases belongs in the other modules of :mod:`crm_analysis.features`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from crm_analysis.errors import ParamsError, listed
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.snapshot import Snapshot
from crm_analysis.tables.workspace import did_you_mean

MAX_NAMED = 12


def customer_attributes(known: Snapshot, names: Sequence[str]) -> pd.DataFrame:
    """
    Return attributes of customers as text.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day.
    names : sequence of str
        Columns of ``customers``.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted), a column an attribute; missing where it is not known. Without names no rows are read.

    Raises
    ------
    ParamsError
        There is no table of customers, or no such column.
    """
    if not names:
        return pd.DataFrame(index=pd.Index([], name="customer_id", dtype="str"))
    if "customers" not in known.tables:
        raise ParamsError(
            f"Groups by {', '.join(names)} need a table customers, which the dataset lacks. Map one, or compare no groups."
        )
    has = [name for name in known.query("DESCRIBE SELECT * FROM customers")["column_name"] if name != "customer_id"]
    unknown = [f"{name!r}: there is no such column{did_you_mean(name, has)}" for name in names if name not in has]
    if unknown:
        raise ParamsError(
            f"{len(unknown)} of {len(names)} attributes cannot be compared; customers has {', '.join(has[:MAX_NAMED])}.\n"
            f"{listed(unknown)}",
            faults=unknown,
        )
    columns = ", ".join(f"CAST({identifier(name)} AS VARCHAR) AS {identifier(name)}" for name in dict.fromkeys(names))
    table = known.query(f"SELECT customer_id, {columns} FROM customers ORDER BY customer_id")  # noqa: S608 - quoted
    return table.set_index("customer_id").astype("str")
