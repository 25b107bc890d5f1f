"""
Rules about what a line of a purchase is: a return, a cancelled invoice, no product, of no price.

A line that is kept on purpose is counted too: the ledger's words say how many there are. Which purchase a return belongs
to is found in :mod:`crm_analysis.tables.cleaning.returns`.
"""

from __future__ import annotations

from typing import Literal

from crm_analysis.tables.cleaning.arguments import CancelledInvoices, NonProductLines
from crm_analysis.tables.cleaning.ledger import in_words
from crm_analysis.tables.cleaning.stages import Stage, Step, values_list
from crm_analysis.tables.engine import literal


def returns(stage: Stage, treatment: Literal["net", "drop", "keep"]) -> Step:
    """
    Count or leave out returns: lines of a negative amount.

    Parameters
    ----------
    stage : Stage
        Transactions.
    treatment : {"net", "drop", "keep"}
        What is done with them.

    Returns
    -------
    Step
        What is dropped.

    Notes
    -----
    ``net`` and ``keep`` leave the table as it is: a return counts, negative, on its own date, so that spend is net of it
    from that day on and no earlier. It is never set off on the day of its purchase, where nobody could know of it.
    ``drop`` leaves returns out, and spend is gross.
    """
    condition = "t.amount < 0"
    if treatment == "drop":
        return Step("returns (negative amounts) are left out: spend is gross", dropped=condition)
    return Step(f"{_counted(stage, condition, 'returns')} count on their own dates: spend is net of them from then on")


def cancelled_invoices(stage: Stage, argument: CancelledInvoices) -> Step:
    """
    Count or leave out the lines of cancelled invoices.

    Parameters
    ----------
    stage : Stage
        Transactions.
    argument : CancelledInvoices
        How they are told, and what is done with them.

    Returns
    -------
    Step
        What is dropped.

    Notes
    -----
    Only the lines so marked are meant. Where a cancellation is an invoice of its own, with negative amounts, dropping it
    leaves the invoice that it cancels in the table.
    """
    if argument.column is None:
        condition = f"starts_with({stage.column('transaction_id')}, {literal(argument.prefix or '')})"
        words = f"their number begins with {argument.prefix!r}"
    else:
        column = stage.named(argument.column, "cancelled_invoices")
        condition = f"CAST({column} AS VARCHAR) IN ({values_list(argument.values or [])})"
        words = f"their {argument.column} is {' or '.join(argument.values or [])}"
    return _treated(stage, condition, f"lines of cancelled invoices: {words}", argument.treatment)


def non_product_lines(stage: Stage, argument: NonProductLines) -> Step:
    """
    Count or leave out lines that sell no product, such as postage and bank charges.

    Parameters
    ----------
    stage : Stage
        Transactions.
    argument : NonProductLines
        Their product ids, or a regular expression that is found in them, and what is done.

    Returns
    -------
    Step
        What is dropped; a line without a product id is none of them.
    """
    product, conditions, words = stage.column("product_id"), [], []
    if argument.product_ids:
        conditions.append(f"{product} IN ({values_list(argument.product_ids)})")
        words.append(f"product {', '.join(argument.product_ids)}")
    if argument.pattern:
        conditions.append(f"regexp_matches({product}, {literal(argument.pattern)})")
        words.append(f"products matching {argument.pattern}")
    return _treated(
        stage, f"({' OR '.join(conditions)})", f"lines of no product: {' or '.join(words)}", argument.treatment
    )


def zero_prices(stage: Stage, treatment: Literal["drop", "keep"]) -> Step:
    """
    Count or leave out lines of price zero.

    Parameters
    ----------
    stage : Stage
        Transactions.
    treatment : {"drop", "keep"}
        What is done with them.

    Returns
    -------
    Step
        What is dropped.

    Notes
    -----
    The price is ``unit_price``, and ``amount`` where there is none. The quantity does not matter: a ledger writes off
    broken goods as negative units at price zero.
    """
    condition = f"coalesce({_unit_price(stage)}, t.amount) = 0"
    return _treated(stage, condition, "lines of price zero", treatment)


def negative_prices(stage: Stage, treatment: Literal["drop", "keep"]) -> Step:
    """
    Count or leave out lines of a negative price; a return is none.

    Parameters
    ----------
    stage : Stage
        Transactions.
    treatment : {"drop", "keep"}
        What is done with them.

    Returns
    -------
    Step
        What is dropped.

    Notes
    -----
    The price is negative where ``unit_price`` is; without a unit price, where ``amount`` and ``quantity`` have opposite
    signs (units went out and money too). A return has a negative quantity at a positive price. Without a unit price and
    without a quantity, a negative amount is a return.
    """
    quantity = stage.column("quantity", "DOUBLE")
    opposite = f"(t.amount < 0 AND {quantity} > 0) OR (t.amount > 0 AND {quantity} < 0)"
    price = _unit_price(stage)
    condition = f"CASE WHEN {price} IS NULL THEN {opposite} ELSE {price} < 0 END"
    return _treated(stage, condition, "lines of a negative price", treatment)


def _unit_price(stage: Stage) -> str:
    return stage.column("unit_price", "DECIMAL(18, 4)")


def _treated(stage: Stage, condition: str, words: str, treatment: Literal["drop", "keep"]) -> Step:
    if treatment == "drop":
        return Step(f"left out: {words}", dropped=condition)
    return Step(f"kept: {_counted(stage, condition, words)}")


def _counted(stage: Stage, condition: str, words: str) -> str:
    return in_words(stage.count(condition), rows=words, currency=stage.context.currency)
