"""
What a verdict says in plain sentences, all of them computed.

The verdict itself belongs in :mod:`crm_analysis.tables.verdict.check`.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    n_dropped = int(lines["rows_dropped"].sum())
    did = [f"dropped {_lines(n_dropped)} worth {dropped:,.2f} {currency}" if n_dropped else "dropped none"]
    did += [f"changed amounts by {changed:,.2f} {currency} in total" if changed else "changed no amount"]
    return (
        f"{_lines(came['rows_before'])} of purchases worth {came['amount_before']:,.2f} {currency} came in; rules {' and '.join(did)}; "
        f"{_lines(left['rows_after'])} worth {left['amount_after']:,.2f} {currency} {_are(left['rows_after'])} left."
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
    if pd.isna(row["rows"]):
        return "The cleaned purchases hold returns, of too few customers to be shown."
    n_returns, n_matched = int(row["rows"]), int(row["matched_rows"])
    came = f"{_lines(n_returns)} {_are(n_returns)} returns, worth {row['amount']:,.2f} {currency}."
    covering = "earlier purchases of the same product by the same customer"
    if not n_matched:
        return f"{came} The data hold no {covering} that cover them."
    which = "All" if n_matched == n_returns else f"{n_matched:,}"
    rest = "" if n_matched == n_returns else "; for the others the data hold no purchases that cover them"
    days = f", half of these within {row['median_days']:,.0f} days"
    return f"{came} {which} of them take back {covering}{days}{rest}."


def _scores(tables: pd.DataFrame) -> list[str]:
    if tables.empty:
        return []
    lines = zip(tables["table"].astype(str), tables["rows"], tables["score"], strict=True)
    told = _joined(f"{_share(score)} {rows:,} {table.replace('_', ' ')}" for table, rows, score in lines if rows)
    return [f"These rows break no check as they came in: {told}."] if told else []


def _share(share: float) -> str:
    """Return a share in words; what is nearly all or nearly none is not rounded to it."""
    if share in {0, 1}:
        return "all of" if share else "none of"
    return f"{min(max(share, 0.001), 0.999):.1%} of"


def _joined(parts: Iterable[str]) -> str:
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _heaviest(verdict: Verdict) -> list[str]:
    """Return what stands first on the list of what to fix."""
    first = verdict.priorities.head(1)
    place = next(zip(first["table"], first["column"], first["check"], strict=True), None)
    told = {
        (judged.finding.table, judged.finding.column or "", judged.finding.check): judged for judged in verdict.findings
    }
    if place is None:
        return []
    finding, left = told[place]
    if not left:
        settled = "cleaning settles it"
    elif not finding.count:
        settled = "cleaning brought it about"
    else:
        settled = f"cleaning leaves {'all of them' if left == finding.count else f'{left:,} of them'}"
    return [f"First on the list of what to fix: {finding.fault} ({settled})."]


def _lines(number: int) -> str:
    return f"{number:,} line{'' if number == 1 else 's'}"


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
    return shown[["rank", "what", "severity", "rows", "left", "what_to_do", "why"]]


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
        The same rows; the details, which are long, behind the figures.
    """
    amounts = [str(name) for name in ledger if str(name).startswith("amount_")]
    shown = ledger.assign(**{name: pd.to_numeric(ledger[name], errors="coerce").round(2) for name in amounts})
    return shown[[*(name for name in shown if name != "detail"), *(name for name in shown if name == "detail")]]
