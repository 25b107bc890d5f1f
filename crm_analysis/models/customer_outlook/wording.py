"""
What an outlook says, in sentences that hold for any data, and counts for its pictures.

Figures are computed in :mod:`crm_analysis.models.customer_outlook.labels` and
:mod:`crm_analysis.models.customer_outlook.accuracy`; here they are only put into words and order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from crm_analysis.models.customer_outlook.accuracy import ALL
from crm_analysis.models.customer_outlook.labels import FALL, GROW, LEAVE, SAME, SILENT, CustomerOutlook
from crm_analysis.tables.privacy.suppression import suppressed

CAME_TRUE = {
    LEAVE: "spent next to nothing",
    FALL: "fell",
    SAME: "neither fell nor grew",
    GROW: "grew",
    SILENT: "spent next to nothing",
}
_DUST = 1e-9
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


def share_in_words(share: float) -> str:
    """
    Return a share in whole percent, so that some are not none and most are not all.

    Parameters
    ----------
    share : float
        In [0, 1].

    Returns
    -------
    str
        Percent.

    Examples
    --------
    >>> [share_in_words(share) for share in (0.0, 0.002, 0.25, 0.998, 1.0)]
    ['0%', 'under 1%', '25%', 'over 99%', '100%']
    """
    text = f"{share:.0%}"
    if text == "0%" and share > _DUST:
        return "under 1%"
    return "over 99%" if text == "100%" and share < 1 - _DUST else text


def _label_in_words(label: str, row: pd.Series, outlook: CustomerOutlook, horizon_days: int, currency: str) -> str:
    """Return one label's sentence: how many, what they spent, what is expected, and what is at stake, where it is shown."""
    number = int(row["customers"])
    who = f"{_customers(number)} ({share_in_words(float(row['share']))})"
    what = {
        LEAVE: f"{_are(number)} likely to leave",
        FALL: f"{_are(number)} expected to fall",
        SAME: f"{_are(number)} expected to go on about as before",
        GROW: f"{_are(number)} expected to grow",
        SILENT: f"show{'s' if number == 1 else ''} no sign of buying",
    }[label]
    parts = {"recent_spend": "{} in the last " + f"{horizon_days} days"}
    if outlook.has_usual_spend:
        parts["usual_spend"] = "{} at their own mean rate"
    days = "" if math.isfinite(row["recent_spend"]) else f" {horizon_days} days"
    parts["spend_forecast"] = "{} expected in the next" + days
    spent = _told(parts, row, currency)
    stakes = ""
    if label in _STAKES and math.isfinite(row["at_stake"]):
        stakes = f"; {_STAKES[label].format(money=_money(float(row['at_stake']), currency))}"
    stakes += _together(row, outlook.rules.least_change) if label == SAME else ""
    return f"{who} {what}{': ' if spent else ''}{spent}{stakes}."


def _told(parts: Mapping[str, str], row: pd.Series, currency: str) -> str:
    """Put the amounts that are shown into words."""
    shown = [name for name in parts if math.isfinite(row[name])]
    return ", ".join(parts[name].format(_money(float(row[name]), currency)) for name in shown)


def _together(row: pd.Series, least_change: float) -> str:
    """Say where a change is sure of the sum only."""
    ahead, before = float(row["spend_forecast"]), (float(row["recent_spend"]), float(row["usual_spend"]))
    if not np.isfinite([ahead, *before]).all():
        return ""
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
    chance = f"a chance of being active under {rules.least_chance:.0%}, or " if outlook.has_chance_active else ""
    told.append(
        f"Likely to leave: {chance}next to nothing expected (up to {rules.near_zero:.0%} of what was spent before), though they "
        "bought in the last period. No sign of buying: the same, and nothing bought in the last period."
    )
    return told


def _accuracy_in_words(label: str, row: pd.Series, currency: str) -> str:
    held, low, high = (share_in_words(float(row[name])) for name in ("held", "low", "high"))
    start = (
        f"“{label}”, given one period earlier to {_customers(int(row['customers']))}: {held} {CAME_TRUE[label]} "
        f"(95% interval {low} to {high})"
    )
    others = f", of all others {share_in_words(float(row['otherwise']))}" if math.isfinite(row["otherwise"]) else ""
    parts = {
        "before": "{} the period before",
        "usual": "{} at the own mean",
        "expected": "{} expected",
        "came": "{} came",
    }
    if row["usual"] == row["before"]:
        del parts["usual"]
    told = _told(parts, row, currency)
    means = f"; a customer {told}" if told else ""
    weak = " For others that was so about as often: the label tells little." if row["low"] <= row["otherwise"] else ""
    return f"{start}{others}{means}.{weak}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _customers(number: int) -> str:
    return "1 customer" if number == 1 else f"{number:,} customers"


def _money(value: float, currency: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return f"{number} {currency}".rstrip()
