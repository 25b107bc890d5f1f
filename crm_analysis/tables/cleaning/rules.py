"""
The rules by name: which there are, what they are for, and how they are applied one after another.

What a single rule does belongs to the module of its kind; what is applied to which table, to the dataset file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb
from pydantic import ValidationError

from crm_analysis.tables.cleaning.arguments import Arguments
from crm_analysis.tables.cleaning.customers import merge_customers
from crm_analysis.tables.cleaning.ledger import LedgerLine
from crm_analysis.tables.cleaning.outliers import outliers
from crm_analysis.tables.cleaning.purchases import (
    cancelled_invoices,
    negative_prices,
    non_product_lines,
    returns,
    zero_prices,
)
from crm_analysis.tables.cleaning.rows import (
    drop_exact_duplicates,
    drop_missing_customers,
    drop_missing_values,
    one_row_per_key,
    unreadable_values,
)
from crm_analysis.tables.cleaning.stages import CleaningContext, Stage, Step, apply, first_stage, settle
from crm_analysis.tables.cleaning.times import impossible_dates, time_zone
from crm_analysis.tables.cleaning.values import currency, spelling
from crm_analysis.tables.cleaning.workbench import Workbench
from crm_analysis.tables.schema import CANONICAL, kind_of
from crm_analysis.tables.validation import faults_of

_PURCHASES = ("transactions",)
_KEYED = tuple(name for name, declared in CANONICAL.items() if declared.unique)
_WITH_MONEY = tuple(
    name for name, declared in CANONICAL.items() if any(kind_of(c) == "money" for c in declared.columns.values())
)
_EVERY = tuple(CANONICAL)


@dataclass(frozen=True)
class Rule:
    """
    A rule that a dataset file can name.

    Attributes
    ----------
    step : callable
        Takes the stage and the argument, returns what is to be done.
    tables : tuple of str
        The canonical tables for which it makes sense.
    """

    step: Callable[[Stage, Any], Step]
    tables: tuple[str, ...] = _EVERY


RULES: Mapping[str, Rule] = {
    "drop_exact_duplicates": Rule(drop_exact_duplicates),
    "drop_missing_customers": Rule(drop_missing_customers),
    "drop_missing_values": Rule(drop_missing_values),
    "one_row_per_key": Rule(one_row_per_key, _KEYED),
    "unreadable_values": Rule(unreadable_values),
    "returns": Rule(returns, _PURCHASES),
    "cancelled_invoices": Rule(cancelled_invoices, _PURCHASES),
    "non_product_lines": Rule(non_product_lines, _PURCHASES),
    "zero_prices": Rule(zero_prices, _PURCHASES),
    "negative_prices": Rule(negative_prices, _PURCHASES),
    "impossible_dates": Rule(impossible_dates),
    "time_zone": Rule(time_zone),
    "currency": Rule(currency, _WITH_MONEY),
    "outliers": Rule(outliers),
    "spelling": Rule(spelling),
    "merge_customers": Rule(merge_customers),
}


@dataclass(frozen=True)
class Cleaned:
    """
    A table after all rules.

    Attributes
    ----------
    relation : str
        A quoted name: a table where anything was changed, else what came in.
    ledger : tuple of LedgerLine
        One for each rule, also where it touched nothing; each begins where the last ended.
    """

    relation: str
    ledger: tuple[LedgerLine, ...]


def check_rules(rules: dict[str, Any], *, table: str | None = None) -> dict[str, Any]:
    """
    Check the names and arguments of cleaning rules.

    Parameters
    ----------
    rules : dict
        Rule by name, with its argument, as a dataset file has them.
    table : str, optional
        The canonical table they are for; default: any.

    Returns
    -------
    dict
        The same.

    Raises
    ------
    ValueError
        All faults at once, in one sentence.

    Examples
    --------
    >>> check_rules({"returns": "net", "outliers": {"column": "amount", "treatment": "flag"}}, table="transactions")
    {'returns': 'net', 'outliers': {'column': 'amount', 'treatment': 'flag'}}
    >>> check_rules({"returns": "net"}, table="customers")
    Traceback (most recent call last):
    ValueError: returns: is no rule for customers; it is for transactions
    """
    faults = []
    try:
        arguments = Arguments.model_validate(rules)
    except ValidationError as error:
        faults = faults_of(error, Arguments)
    else:
        faults = _unfitting_columns(arguments, table) if table else []
    if table:
        faults += [
            f"{name}: is no rule for {table}; it is for {', '.join(RULES[name].tables)}"
            for name in rules
            if name in RULES and table not in RULES[name].tables
        ]
    if faults:
        raise ValueError("; ".join(faults))
    return rules


def mapping_files(rules: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    Return what the rule ``merge_customers`` says about its mapping.

    Parameters
    ----------
    rules : mapping
        Checked rules.

    Returns
    -------
    dict or None
        ``files`` (a list of paths or globs), ``from`` and ``to`` (columns); None: no such rule.

    Examples
    --------
    >>> mapping_files({"merge_customers": {"files": "merged.csv", "from": "old_id", "to": "new_id"}})
    {'files': ['merged.csv'], 'from': 'old_id', 'to': 'new_id'}
    """
    argument = Arguments.model_validate(dict(rules)).merge_customers
    return argument.model_dump(by_alias=True) if argument else None


def clean(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rules: Mapping[str, Any],
    *,
    relation: str,
    schema: str,
    context: CleaningContext,
) -> Cleaned:
    """
    Apply cleaning rules in their order.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table.
    rules : mapping
        Rule by name, with its argument.
    relation : str
        A quoted name: the rows that were known on the day. It stays as it is, and rules learn from nothing else.
    schema : str
        Where stages are written; their names begin with the table's, and only the last one stays.
    context : CleaningContext
        What rules must know of the dataset.

    Returns
    -------
    Cleaned
        The last stage and the ledger.

    Raises
    ------
    ParamsError
        A rule names a column that the table lacks, or that is of the wrong kind.
    DataQualityError
        A rule cannot be applied to the data: a currency without a rate, an unknown time zone, customers merged in a circle.
    """
    arguments = Arguments.model_validate(dict(rules))
    bench = Workbench(connection, table, schema)
    ledger = []
    try:
        stage = first_stage(bench, table, relation, context)
        for name in rules:
            step = RULES[name].step(stage, getattr(arguments, name))
            stage, line = apply(stage, name, step)
            ledger.append(line)
        last = settle(stage)
    except BaseException:
        with suppress(duckdb.Error):  # what went wrong first is what counts
            bench.clear()
        raise
    return Cleaned(last, tuple(ledger))


def _unfitting_columns(arguments: Arguments, table: str) -> list[str]:
    """Return faults of rules that name a canonical column of the wrong kind."""
    kinds = {name: kind_of(column) for name, column in CANONICAL[table].columns.items()}
    ids = {"customer_id", *(CANONICAL[table].unique or [])}
    faults = [
        f"spelling.{name}: is no column of labels"
        for name in arguments.spelling or {}
        if kinds.get(name, "text") != "text" or name in ids
    ]
    if arguments.outliers and kinds.get(arguments.outliers.column, "number") in {"text", "time", "flag"}:
        faults.append(f"outliers.column: {arguments.outliers.column} of {table} holds no numbers")
    return faults
