"""
What a verdict says in plain sentences, all of them computed.

The verdict itself belongs in :mod:`crm_analysis.tables.verdict.check`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.tables.verdict.check import Verdict


def answer(verdict: Verdict) -> str:
    """
    Say whether reports can be made of a dataset, and what weighs most.

    Parameters
    ----------
    verdict : Verdict
        Of the check.

    Returns
    -------
    str
        A paragraph.
    """
    left = [judged for judged in verdict.findings if judged.left]
    errors = sum(judged.finding.severity == "error" for judged in left)
    if verdict.ok:
        opening = "Reports can be made of these data: after cleaning no row breaks what every report relies on."
    else:
        faults = errors + len(verdict.empty_tables) + len(verdict.source_errors)
        opening = f"No other report is made of these data before {_counted(faults, 'error')} {_are(faults)} repaired."
    warnings = len(left) - errors
    middle = f"{_counted(warnings, 'warning').capitalize()} {_are(warnings)} left for a person to judge."
    return " ".join([opening, middle, *_scores(verdict.tables), *_heaviest(verdict)])


def cleaning_in_words(ledger: pd.DataFrame, *, currency: str) -> str:
    """
    Say what cleaning did to purchases, in rows and money.

    Parameters
    ----------
    ledger : pandas.DataFrame
        Of the rules.
    currency : str
        Of the amounts.

    Returns
    -------
    str
        A sentence; the money that came in, was dropped and changed adds up to what is left.
    """
    lines = ledger[ledger["table"] == "transactions"]
    if lines.empty:
        return "No cleaning rule is stated for purchases."
    came, left = lines.iloc[0], lines.iloc[-1]
    dropped, changed = lines["amount_dropped"].sum(), lines["amount_changed"].sum()
    return (
        f"{came['rows_before']:,} lines of purchases worth {came['amount_before']:,.2f} {currency} came in; rules dropped "
        f"{lines['rows_dropped'].sum():,} lines worth {dropped:,.2f} and changed amounts by {changed:,.2f} in total; "
        f"{left['rows_after']:,} lines worth {left['amount_after']:,.2f} {currency} are left."
    )


def returns_in_words(returns: pd.DataFrame, *, currency: str) -> str:
    """
    Say how many returns belong to purchases that the data hold.

    Parameters
    ----------
    returns : pandas.DataFrame
        As :class:`~crm_analysis.tables.verdict.portrait.Portrait` has it.
    currency : str
        Of the amounts.

    Returns
    -------
    str
        A sentence.
    """
    if returns.empty:
        return "The cleaned purchases hold no returns."
    row = returns.iloc[0]
    days = "" if pd.isna(row["median_days"]) else f", half of them within {row['median_days']:,.0f} days"
    n_returns, n_matched = int(row["rows"]), int(row["matched_rows"])
    return (
        f"{n_returns:,} lines are returns, worth {row['amount']:,.2f} {currency}. {n_matched:,} of them match an "
        f"earlier purchase of the same product by the same customer{days}; the others belong to purchases that the data do not hold."
    )


def _scores(tables: pd.DataFrame) -> list[str]:
    if tables.empty:
        return []
    told = ", ".join(
        f"{row.score:.1%} of {row.rows:,} {str(row.table).replace('_', ' ')}" for row in tables.itertuples()
    )
    return [f"As they came in, no check was broken by {told}."]


def _heaviest(verdict: Verdict) -> list[str]:
    """Return what weighs most among the rows as they came in."""
    if not verdict.findings:
        return []
    worst = max(verdict.findings, key=lambda judged: judged.finding.share)
    settled = "cleaning settles it" if not worst.left else f"{worst.left:,} are left after cleaning"
    return [f"Most rows are concerned by this: {worst.finding.fault}; {settled}."]


def _counted(number: int, noun: str) -> str:
    words = "no" if number == 0 else str(number)
    return f"{words} {noun}{'' if number == 1 else 's'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def shown_priorities(verdict: Verdict, n_priorities: int) -> pd.DataFrame:
    """
    Return what to fix first, for a reader.

    Parameters
    ----------
    verdict : Verdict
        Of the check.
    n_priorities : int
        How many faults.

    Returns
    -------
    pandas.DataFrame
        A row a fault, the first to be fixed on top.
    """
    table = verdict.priorities.head(n_priorities)
    column = ("." + table["column"]).where(table["column"] != "", "")
    what = (table["table"] + column + ": " + table["check"]).str.replace("_", " ")
    shown = table.assign(what=what).rename(columns={"count": "rows"})
    return shown[["rank", "what", "severity", "rows", "left", "why", "what_to_do"]]


def shown_ledger(ledger: pd.DataFrame) -> pd.DataFrame:
    """
    Return the ledger of cleaning, for a reader: amounts to the cent.

    Parameters
    ----------
    ledger : pandas.DataFrame
        Of the rules; amounts are decimals, or None where a table has no money.

    Returns
    -------
    pandas.DataFrame
        The same rows.
    """
    amounts = [str(name) for name in ledger if str(name).startswith("amount_")]
    return ledger.assign(**{name: pd.to_numeric(ledger[name], errors="coerce").round(2) for name in amounts})
