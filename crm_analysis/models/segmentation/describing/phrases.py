"""
What is said of a feature's value: phrases that a marketer would use, with numbers short enough to be read.

Which features are spoken of is decided in :mod:`crm_analysis.models.segmentation.describing.cards`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.describing.naming import readable

NOTHING_APART = "Much like all customers in every feature shown."

_SAID = {
    "recency_days": "last bought {} days ago",
    "frequency": "bought on {} days",
    "spend": "spent {}",
    "monetary_value": "spend {} a purchase day",
    "tenure_days": "first bought {} days ago",
    "inter_purchase_days": "buy every {} days",
    "recent_frequency": "bought on {} days lately",
    "recent_spend": "spent {} lately",
    "basket_size": "buy {} lines a purchase day",
    "discount_share": "save {} by discounts",
    "return_share": "return {} of what they buy",
    "inter_purchase_cv": "have gaps between purchases that vary by {} of their mean",
    "spend_trend": "have a spend trend of {} (from -1, falling, to 1, rising)",
    "service_contacts": "opened {} service cases",
    "open_cases": "have {} open cases",
    "missed_cases": "had {} cases that missed their target",
    "mean_satisfaction": "give service a mark of {}",
}
_MONEY = frozenset({"spend", "monetary_value", "recent_spend"})
_CHANNEL_SHARE = "channel_share."
_MOST_DIGITS = 6


def apart_in_words(card: pd.DataFrame, *, meanings: Mapping[str, str], currency: str | None) -> str:
    """
    Return as a sentence what sets a segment apart.

    Parameters
    ----------
    card : pandas.DataFrame
        A row per feature to speak of, the most important first: ``feature``, ``mean``, ``all_customers``.
    meanings : mapping of str to str
        What is said of a feature; goes before the package's own phrases.
    currency : str or None
        Said after amounts of money.

    Returns
    -------
    str
        Such as *On average, they buy every 9 days (all: 21), spend 41 € a purchase day (all: 27 €).*

    Examples
    --------
    >>> card = pd.DataFrame({"feature": ["monetary_value"], "mean": [41.2], "all_customers": [27.4]})
    >>> apart_in_words(card, meanings={}, currency="€")
    'On average, they spend 41 € a purchase day (all: 27 €).'
    """
    if card.empty:
        return NOTHING_APART
    rows = zip(card["feature"], card["mean"], card["all_customers"], strict=True)
    said = [_said(str(feature), mean, overall, meanings, currency) for feature, mean, overall in rows]
    return f"On average, they {', '.join(said)}."


def _said(feature: str, mean: float, overall: float, meanings: Mapping[str, str], currency: str | None) -> str:
    """Return what is said of one feature."""
    own, everybody = _told_apart(mean, overall, is_share=feature.endswith("_share") or "_share." in feature)
    if currency and feature in _MONEY:
        own, everybody = f"{own} {currency}", f"{everybody} {currency}"
    phrase = meanings.get(feature, _SAID.get(feature, readable(feature)))
    if feature.startswith(_CHANNEL_SHARE) and feature not in meanings:
        phrase = f"spend {{}} of their money in channel {feature.removeprefix(_CHANNEL_SHARE)}"
    phrase = phrase if "{}" in phrase else f"have a {phrase} of {{}}"
    return f"{phrase.replace('{}', own, 1)} (all: {everybody})"


def _told_apart(mean: float, overall: float, *, is_share: bool) -> tuple[str, str]:
    """Return two numbers with as few digits as tell them apart."""
    for digits in range(2, _MOST_DIGITS):
        own, everybody = (_number(value, digits=digits, is_share=is_share) for value in (mean, overall))
        if own != everybody:
            break
    return own, everybody


def _number(value: float, *, digits: int, is_share: bool) -> str:
    """Return a number with so many significant digits, and all those before the point."""
    shown = value * 100 if is_share else value
    if shown == 0 or not np.isfinite(shown):
        return "0%" if is_share else "0"
    places = max(0, digits - 1 - int(np.floor(np.log10(abs(shown)))))
    return f"{shown:,.{places}f}" + ("%" if is_share else "")
