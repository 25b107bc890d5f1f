"""
What an outlook says, in sentences that hold for any data, and its lists for readers.

Figures are computed in :mod:`crm_analysis.models.customer_outlook.labels` and
:mod:`crm_analysis.models.customer_outlook.accuracy`; here they are only put into words and order.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from crm_analysis.models.customer_outlook.accuracy import ALL
from crm_analysis.models.customer_outlook.labels import FALL, GROW, LABELS, LEAVE, SAME, SILENT, CustomerOutlook
from crm_analysis.tables.privacy.suppression import suppressed

CAME_TRUE = {
    LEAVE: "spent next to nothing",
    FALL: "fell",
    SAME: "neither fell nor grew",
    GROW: "grew",
    SILENT: "spent next to nothing",
}
_STAKES = {
    LEAVE: "at stake is what they bring at their own mean rate beyond the forecast, {money}",
    FALL: "{money} less than both the last period and their own mean lead to expect",
    GROW: "{money} more than both the last period and their own mean lead to expect",
}


def outlook_in_words(outlook: CustomerOutlook, *, horizon_days: int, currency: str = "") -> list[str]:
    """
    Say who is expected to do what, the money at stake, and by which rules.

    Parameters
    ----------
    outlook : CustomerOutlook
        The labels.
    horizon_days : int
        Days ahead, and of the last period.
    currency : str
        Of the amounts.

    Returns
    -------
    list of str
        Plain sentences.
    """
    shown = outlook.by_label.dropna(subset=["customers"])
    told = [
        _label_in_words(str(label), row, outlook, horizon_days, currency)
        for label, row in shown[shown["customers"] > 0].iterrows()
    ]
    hidden = [str(label) for label in outlook.by_label.index.difference(shown.index, sort=False)]
    if hidden:
        told.append(f"Not told, too few customers or would give such away: {'; '.join(hidden)}.")
    return [*told, *_rules_in_words(outlook)]


def accuracy_in_words(accuracy: pd.DataFrame, *, currency: str = "") -> list[str]:
    """
    Say how often the same labels held, made one horizon earlier.

    Parameters
    ----------
    accuracy : pandas.DataFrame
        As :func:`~crm_analysis.models.customer_outlook.accuracy.outlook_accuracy` returns it.
    currency : str
        Of the amounts.

    Returns
    -------
    list of str
        A sentence a label with figures; a label that held no more often than its claim did otherwise is said to tell nothing.
    """
    parts = accuracy.drop(index=ALL).dropna(subset=["held"])
    return [_accuracy_in_words(str(label), row, currency) for label, row in parts.iterrows()]


def to_act_on(outlook: CustomerOutlook, label: str, *, n_customers: int = 10) -> pd.DataFrame:
    """
    Return the customers of a label with the most money at stake.

    Parameters
    ----------
    outlook : CustomerOutlook
        The labels.
    label : str
        One of :data:`LABELS`.
    n_customers : int
        How many.

    Returns
    -------
    pandas.DataFrame
        As ``outlook.customers``, most at stake first; of equals the higher forecast, then by name. A list of persons, not to
        be shown beyond those who act on it.
    """
    if label not in LABELS:
        raise ValueError(f"label must be one of {list(LABELS)}, got {label!r}")
    chosen = outlook.customers[outlook.customers["label"] == label].sort_index()
    ordered = chosen.sort_values(["at_stake", "spend_forecast"], ascending=False, kind="stable")
    return ordered.head(n_customers)


def chance_counts(outlook: CustomerOutlook, *, n_bins: int = 10) -> pd.DataFrame:
    """
    Count customers by their chance of being active.

    Parameters
    ----------
    outlook : CustomerOutlook
        Customers without a chance are left out.
    n_bins : int
        Steps from 0 to 1, of equal width.

    Returns
    -------
    pandas.DataFrame
        ``start`` and ``end`` of each step (its end belongs to it only in the last), ``customers``; missing where too few, or
        where that would give such away.
    """
    customers = outlook.customers
    chance = customers["chance_active"].dropna().to_numpy(dtype=float) if "chance_active" in customers else np.zeros(0)
    counts, edges = np.histogram(chance, bins=n_bins, range=(0, 1))
    table = pd.DataFrame({"start": edges[:-1], "end": edges[1:], "customers": counts})
    return suppressed(table, size="customers", min_cell=outlook.min_cell, keep=["start", "end"])


def _label_in_words(label: str, row: pd.Series, outlook: CustomerOutlook, horizon_days: int, currency: str) -> str:
    """Return one label's sentence: how many, what they spent, what is expected, and what is at stake."""
    number = int(row["customers"])
    last, usual, ahead, stake = (
        _money(float(row[name]), currency) for name in ("recent_spend", "usual_spend", "spend_forecast", "at_stake")
    )
    who = f"{_customers(number)} ({row['share']:.0%})"
    what = {
        LEAVE: f"{_are(number)} likely to leave",
        FALL: f"{_are(number)} expected to fall",
        SAME: f"{_are(number)} expected to go on about as before",
        GROW: f"{_are(number)} expected to grow",
        SILENT: f"show{'s' if number == 1 else ''} no sign of buying",
    }[label]
    mean = f", {usual} at their own mean rate" if outlook.has_usual_spend else ""
    spent = f"{last} in the last {horizon_days} days{mean}, {ahead} expected in the next"
    stakes = f"; {_STAKES[label].format(money=stake)}" if label in _STAKES else ""
    stakes += _together(row, outlook.rules.least_change) if label == SAME else ""
    return f"{who} {what}: {spent}{stakes}."


def _together(row: pd.Series, least_change: float) -> str:
    """Say where a change is sure of the sum only."""
    ahead, before = float(row["spend_forecast"]), (float(row["recent_spend"]), float(row["usual_spend"]))
    if ahead < (1 - least_change) * min(before):
        return "; together they are expected to bring less, though for whom cannot be told"
    if ahead > (1 + least_change) * max(0.0, *before):
        return "; together they are expected to bring more, though from whom cannot be told"
    return ""


def _rules_in_words(outlook: CustomerOutlook) -> list[str]:
    """Say what the labels mean, and what they cannot tell."""
    rules = outlook.rules
    both = "both the last period and the own mean rate" if outlook.has_usual_spend else "the last period"
    change = (
        f"Fall and growth: the forecast lies {rules.least_change:.0%} or more beyond {both}, and by the customer's range what "
        f"comes will lie beyond with a chance of {rules.sureness:.0%} or more."
    )
    told = [change]
    if outlook.has_usual_spend:
        told.append(
            "So who merely comes back to the own mean after an unusual period counts as about as before: that is no change."
        )
    else:
        told.append(
            "Customers' own mean rates were not given: part of the falls and of the growth is a return from an unusual period."
        )
    chance = f"the chance of being active is under {rules.least_chance:.0%}, or " if outlook.has_chance_active else ""
    told.append(
        f"Likely to leave: {chance}next to nothing (up to {rules.near_zero:.0%} of what was spent before) is expected of "
        "somebody who bought lately. No sign of buying: nothing in the last period, and next to nothing expected."
    )
    return told


def _accuracy_in_words(label: str, row: pd.Series, currency: str) -> str:
    before, usual, expected, came = (
        _money(float(row[name]), currency) for name in ("before", "usual", "expected", "came")
    )
    number = int(row["customers"])
    start = (
        f"“{label}”, given one period earlier to {_customers(number)}: {row['held']:.0%} {CAME_TRUE[label]} "
        f"(95% interval {row['low']:.0%} to {row['high']:.0%})"
    )
    others = f", of all others {row['otherwise']:.0%}" if math.isfinite(row["otherwise"]) else ""
    mean = "" if row["usual"] == row["before"] else f"{usual} at the own mean, "
    means = f"a customer {before} the period before, {mean}{expected} expected, {came} came"
    weak = " For others that was so about as often: the label tells little." if row["low"] <= row["otherwise"] else ""
    return f"{start}{others}; {means}.{weak}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _customers(number: int) -> str:
    return "1 customer" if number == 1 else f"{number:,} customers"


def _money(value: float, currency: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return f"{number} {currency}".rstrip()
