"""
The ledger of cleaning: one line a rule, in rows and in money, and a line that does not reconcile cannot be made.

How the figures are measured belongs in :mod:`crm_analysis.tables.cleaning.stages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

MONEY: Mapping[str, str] = {"transactions": "amount", "contacts": "cost"}  # the column that a table's money is in


@dataclass(frozen=True)
class Totals:
    """
    Rows, and the money in them.

    Attributes
    ----------
    rows : int
        How many.
    amount : decimal.Decimal or None
        Their sum, missing amounts left out; None: the table holds no money.
    """

    rows: int
    amount: Decimal | None


@dataclass(frozen=True)
class LedgerLine:
    """
    What one cleaning rule did to one table.

    Attributes
    ----------
    table, rule : str
        Which rule on which table.
    detail : str
        In plain words, with the rule's arguments and limits.
    rows_before, rows_dropped, rows_changed, rows_after : int
        Rows it saw, left out, kept with another value or a mark, and handed on.
    amount_before, amount_dropped, amount_changed, amount_after : decimal.Decimal or None
        The money likewise; `amount_changed` is what changed rows have more than before. None: the table holds no money.

    Raises
    ------
    ValueError
        The figures do not reconcile.

    Notes
    -----
    ``rows_before − rows_dropped = rows_after`` and ``amount_before − amount_dropped + amount_changed = amount_after``,
    exactly; each of the figures is measured by itself.

    Examples
    --------
    >>> cents = Decimal("0.01")
    >>> line = LedgerLine("transactions", "returns", "left out", 3, 1, 0, 2, 5 * cents, -cents, 0 * cents, 6 * cents)
    >>> line.rows_after, line.amount_after
    (2, Decimal('0.06'))
    """

    table: str
    rule: str
    detail: str
    rows_before: int
    rows_dropped: int
    rows_changed: int
    rows_after: int
    amount_before: Decimal | None
    amount_dropped: Decimal | None
    amount_changed: Decimal | None
    amount_after: Decimal | None

    def __post_init__(self) -> None:
        left = self.rows_before - self.rows_dropped
        money = _left(self.amount_before, self.amount_dropped, self.amount_changed)
        if left != self.rows_after or money != self.amount_after or self.rows_changed > self.rows_after:
            raise ValueError(
                f"{self.rule} on {self.table} does not reconcile: {left} rows and {money} should be left, "
                f"but {self.rows_after} rows and {self.amount_after} are"
            )


def ledger_line(
    table: str, rule: str, detail: str, *, before: Totals, dropped: Totals, changed: Totals, after: Totals
) -> LedgerLine:
    """
    Return the line of one rule.

    Parameters
    ----------
    table, rule, detail : str
        Which rule, on which table, in words.
    before, dropped, changed, after : Totals
        What was measured.

    Returns
    -------
    LedgerLine
        It reconciles.
    """
    rows = (before.rows, dropped.rows, changed.rows, after.rows)
    amounts = (before.amount, dropped.amount, changed.amount, after.amount)
    return LedgerLine(table, rule, detail, *rows, *amounts)


def in_words(totals: Totals, *, rows: str, currency: str) -> str:
    """
    Return what rows are, how many there are, and their money, in words.

    Parameters
    ----------
    totals : Totals
        What was measured.
    rows : str
        What a row is, in the plural.
    currency : str
        Of the money.

    Returns
    -------
    str
        Such as ``returns (2, -3.50 EUR)``.

    Examples
    --------
    >>> in_words(Totals(2, Decimal("-3.5")), rows="returns", currency="EUR")
    'returns (2, -3.50 EUR)'
    """
    money = "" if totals.amount is None else f", {totals.amount:,.2f} {currency}"
    return f"{rows} ({totals.rows:,}{money})"


def _left(before: Decimal | None, dropped: Decimal | None, changed: Decimal | None) -> Decimal | None:
    if before is None or dropped is None or changed is None:
        return None
    return before - dropped + changed
