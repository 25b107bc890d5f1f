"""
A finding: one thing that breaks the contract, with its count, what it means and what to do about it.

How findings are counted belongs in :mod:`crm_analysis.tables.quality.contract`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from crm_analysis.tables.schema import Severity


@dataclass(frozen=True)
class Finding:
    """
    One thing that breaks the contract of a table.

    Attributes
    ----------
    table : str
        Which table.
    column : str or None
        Which column; None: the rows as a whole.
    check : str
        A slug, such as ``missing`` or ``time_order``.
    severity : str
        ``error``: no report is made while rows break it; ``warning``: a person should look.
    count, total : int
        How many of how many: rows, or days for ``gap``.
    examples : tuple of str
        At most five, masked.
    meaning : str
        What follows from it, in a plain sentence.
    advice : str
        What to do, with the cleaning rule where there is one.
    fault : str
        One line with the counts, as errors tell it.
    money : decimal.Decimal or None
        The absolute amounts of the rows concerned; None where the table has none.
    money_share : float or None
        Their share of the absolute amounts of all rows.
    """

    table: str
    column: str | None
    check: str
    severity: Severity
    count: int
    total: int
    examples: tuple[str, ...]
    meaning: str
    advice: str
    fault: str
    money: Decimal | None = None
    money_share: float | None = None

    @property
    def share(self) -> float:
        """Count over total, in [0, 1]."""
        return self.count / self.total if self.total else 0.0

    @property
    def place(self) -> tuple[str, str | None, str]:
        """What tells findings apart: table, column and check."""
        return self.table, self.column, self.check


MEANINGS: Mapping[str, str] = {
    "missing": "A row without it cannot be counted for anybody, on any day or at any value.",
    "unreadable": "What stands there is not what the column must hold, so the value is treated as missing.",
    "not_finite": "A number without end spoils every sum and mean that it enters.",
    "out_of_range": "The value cannot be what the column says it is, and moves every average.",
    "too_early": "The date is older than the business: mostly a stand-in for an unknown one, or two swapped digits.",
    "too_late": "The date lies where nothing can have happened yet, and stretches the period of every report.",
    "time_order": "Durations come out negative, and are counted as promptly done.",
    "unknown_customer": "Such rows count in totals and are missing wherever customers are described by their attributes.",
    "mostly_missing": "What is said about the column rests on a minority of the rows.",
    "exact_duplicate": "Rows that agree in every column are mostly one row read twice; each copy counts again.",
    "repeated_key": "One thing stands in several rows, and everything joined to it is counted several times.",
    "gap": "Either the business was closed on these days or an export lacks them; a forecast takes both for no demand.",
    "empty": "There is nothing to report on.",
}
_ADVICE: Mapping[str, str] = {
    "missing": "Map the column that holds it under tables.{table}.columns, or repair the source.",
    "unreadable": (
        "State how the values are written under tables.{table}.format (decimal, dates, missing); for the few that stay, "
        "add unreadable_values: drop or null under tables.{table}.cleaning."
    ),
    "not_finite": "Repair the source, or name the stand-in under tables.{table}.format.missing.",
    "out_of_range": "Look how the source writes {column}; repair it, or leave the column out.",
    "too_early": "Add impossible_dates: {{earliest: 1990-01-01}} with a day of your own under tables.{table}.cleaning.",
    "too_late": "Add impossible_dates: {{latest: 2030-12-31}} with a day of your own under tables.{table}.cleaning.",
    "time_order": (
        "Look whether day and month are swapped (format.dates); else add impossible_dates: {{}} under tables.{table}.cleaning, "
        "which makes such times missing."
    ),
    "unknown_customer": "Look whether customers and {table} were exported on the same day, and whether the ids are written alike.",
    "mostly_missing": "Look whether the export fills it; if not, leave {column} out of comparisons.",
    "exact_duplicate": (
        "Add drop_exact_duplicates: {{}} under tables.{table}.cleaning, unless the source has no line number and the copies are real."
    ),
    "repeated_key": (
        "Add drop_exact_duplicates: {{}} under tables.{table}.cleaning; where the rows differ, one_row_per_key: {{by: a column}} "
        "keeps the latest."
    ),
    "gap": "Look whether the export is whole; name closed days to those who read forecasts.",
    "empty": "Look at the source, the day (as_of) and the rules under tables.{table}.cleaning.",
}
_WITHOUT_VALUE = (
    "Map the column that holds it under tables.{table}.columns, or repair the source; for the few such rows add "
    "drop_missing_values: {{columns: [{column}]}} under tables.{table}.cleaning."
)
_ADVICE_FOR_COLUMN: Mapping[tuple[str, str], str] = {
    ("missing", "occurred_at"): _WITHOUT_VALUE,
    ("missing", "amount"): _WITHOUT_VALUE,
    ("missing", "customer_id"): "Add drop_missing_customers: {{}} under tables.{table}.cleaning, or repair the source.",
    ("out_of_range", "unit_price"): (
        "Add zero_prices: drop and negative_prices: drop under tables.{table}.cleaning, unless they are gifts and corrections to keep."
    ),
}


def advice_for(table: str, column: str | None, check: str) -> str:
    """
    Return what to do about a finding.

    Parameters
    ----------
    table : str
        A canonical table.
    column : str or None
        A column of it.
    check : str
        A slug.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> advice_for("transactions", "customer_id", "missing")
    'Add drop_missing_customers: {} under tables.transactions.cleaning, or repair the source.'
    """
    sentence = _ADVICE_FOR_COLUMN.get((check, column or ""), _ADVICE[check])
    return sentence.format(table=table, column=column)
