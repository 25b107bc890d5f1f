"""
What service and money say, in sentences that hold for any data.

Figures are computed in :mod:`crm_analysis.models.service_quality.money.questions`.
"""

from __future__ import annotations

import math

import pandas as pd

from crm_analysis.models.business_series.naming import count, number_in_words
from crm_analysis.models.service_quality.money.result import DAYS, PURCHASE_DAYS, SPEND, ServiceAndMoney
from crm_analysis.models.service_quality.money.value import MORE_BAD, ONE_BAD
from crm_analysis.models.service_quality.money.wording import signed

BALANCED = 0.1


def sentences_of(found: ServiceAndMoney, *, currency: str = "") -> tuple[str, ...]:
    """
    Say what customers with bad experiences are worth, and how their purchases changed.

    Parameters
    ----------
    found : ServiceAndMoney
        The result.
    currency : str
        Of the money.

    Returns
    -------
    tuple of str
        Plain sentences.
    """
    parts = [_worth(found, currency)]
    if found.main is None:
        return tuple(part for part in (*parts, found.reason) if part)
    spend, days = (_row(found, found.main, measure) for measure in (SPEND, PURCHASE_DAYS))
    parts += [_spend(found, spend, currency), _days(days), _others(found, currency)]
    return tuple(part for part in parts if part)


def notes_of(found: ServiceAndMoney) -> tuple[str, ...]:
    """
    Say what a reader must beware of.

    Parameters
    ----------
    found : ServiceAndMoney
        The result.

    Returns
    -------
    tuple of str
        Plain sentences.
    """
    if found.main is None:
        return ()
    parts = (_association(found), _placebo(found), _balance(found))
    return tuple(part for part in parts if part)


def _worth(found: ServiceAndMoney, currency: str) -> str:
    """Tell the customers with bad experiences, where both of their rows may be told."""
    bad = found.value.reindex([ONE_BAD, MORE_BAD])
    customers = bad["customers"]
    if customers.isna().any() or not customers.sum():
        return ""
    n_bad, spend = int(customers.sum()), float(bad["spend"].sum())
    share = bad["share_of_spend"].sum()
    whole = f", {share:.0%} of all revenue" if pd.notna(share) and share > 0 else ""
    n_more = int(customers[MORE_BAD])
    more = "all of them" if n_more == n_bad else f"{n_more:,} of them"
    return (
        f"{count(n_bad, 'customer')} had a bad experience (a missed target or a low answer) in the last "
        f"{found.value_days} days, {more} more than one; they spent "
        f"{number_in_words(spend, currency)} in these days{whole}."
    )


def _spend(found: ServiceAndMoney, row: pd.Series, currency: str) -> str:
    """Say how spend changed beyond that of customers alike, and whether that is more than chance."""
    interval = f"95% interval {signed(row['low'])} to {signed(row['high'], currency)}"
    who = (
        f"In the {found.window_days} days after a first bad experience, {count(int(row['bad_customers']), 'customer')} spent "
        f"{number_in_words(row['bad_after'], currency)} per {DAYS} days, after {number_in_words(row['bad_before'])} before; "
        f"matched customers {_alike(found.main)} {number_in_words(row['control_after'])} after "
        f"{number_in_words(row['control_before'])}."
    )
    if not _beyond_chance(row):
        return f"{who} The difference of these changes, {signed(row['effect'], currency)} ({interval}), is no more than chance."
    total = row["effect"] * row["bad_customers"] * found.window_days / DAYS
    share = f", {_percent(row['share'])} of what would else have come" if pd.notna(row["share"]) else ""
    return (
        f"{who} That is {signed(row['effect'], currency)} per customer and {DAYS} days ({interval}){share}, and "
        f"{signed(total, currency)} for all of them in {found.window_days} days."
    )


def _days(row: pd.Series) -> str:
    interval = f"{signed(row['low'])} to {signed(row['high'])}"
    text = f"The number of purchase days changed by {signed(row['effect'])} per {DAYS} days ({interval})"
    return f"{text}: {'more' if _beyond_chance(row) else 'no more'} than chance."


def _others(found: ServiceAndMoney, currency: str) -> str:
    """Tell the comparison with any customer, where another one is the main one."""
    names = [name for name in found.change.index.get_level_values(0).unique() if name != found.main]
    return " ".join(
        f"Against matched customers {_alike(name)}, spend changed by {signed(row['effect'], currency)} per {DAYS} days "
        f"({signed(row['low'])} to {signed(row['high'])})."
        for name in names
        for row in [_row(found, name, SPEND)]
    )


def _association(found: ServiceAndMoney) -> str:
    later = _row(found, str(found.main), SPEND)["control_bad_later"]
    some = "some" if math.isnan(later) else f"{later:.0%}"
    return (
        "This is an association: customers with a bad experience may differ in ways that the data do not hold, such as in what "
        f"they had hoped for. Of the matched customers, {some} had a bad experience of their own within the "
        f"{found.window_days} days that follow, which makes the difference smaller; leaving them out would favour those who "
        "bought little."
    )


def _placebo(found: ServiceAndMoney) -> str:
    """Warn where customers already differed before anything had happened, or where that cannot be seen."""
    row = _row(found, str(found.main), SPEND)
    if math.isnan(row["placebo"]):
        return "The history is too short to see whether spend had already changed otherwise before the bad experience."
    told = f"{signed(row['placebo'])} ({signed(row['placebo_low'])} to {signed(row['placebo_high'])})"
    if row["placebo_low"] > 0 or row["placebo_high"] < 0:
        return (
            f"Already between the two windows before the bad experience, spend changed otherwise than that of matched customers: by {told} per "
            f"{DAYS} days. So the difference afterwards must not be read as following from it."
        )
    return f"Between the two windows before the bad experience, when nothing had happened yet, the difference is {told}: no more than chance."


def _balance(found: ServiceAndMoney) -> str:
    after = found.balance.xs(found.main)["after"].abs()
    if after.max() <= BALANCED:
        return ""
    return (
        f"Matched customers still differ by up to {after.max():.2f} standard deviations ({after.idxmax()}); a regression takes "
        "that off, as far as it is straight."
    )


def _row(found: ServiceAndMoney, compared_with: str, measure: str) -> pd.Series:
    return found.row(compared_with, measure)


def _beyond_chance(row: pd.Series) -> bool:
    return bool(row["low"] > 0 or row["high"] < 0)


def _percent(share: float) -> str:
    return f"{share:+.0%}".replace("-", "−")


def _alike(name: str | None) -> str:
    return {"after a good case": "after a good case", "any customer": "of any kind"}[str(name)]
