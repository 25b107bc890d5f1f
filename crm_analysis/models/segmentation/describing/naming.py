"""
Names of segments in the words a marketer uses, and their slugs.

The tables that describe the segments are in :mod:`crm_analysis.models.segmentation.describing.profiles`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

ALL_CUSTOMERS = "All customers"
NOISE_NAME = "noise"
NOTABLE = 0.5
ONE_TIME_SHARE = 0.9

_ADJECTIVES = {
    "recency_days": ("recent", "lapsed"),
    "tenure_days": ("new", "long-standing"),
    "frequency": ("occasional", "frequent"),
}
_NOUNS = {"spend": ("small spenders", "big spenders"), "monetary_value": ("small spenders", "big spenders")}
_TICKETS = ("small-ticket buyers", "big-ticket buyers")
_COMPARATIVES = {
    "recency_days": ("more recent", "less recent"),
    "frequency": ("fewer purchases", "more purchases"),
    "monetary_value": ("lower spend", "higher spend"),
    "spend": ("lower spend", "higher spend"),
}


def slug(name: str) -> str:
    """
    Return a segment's name as a key for files and manifests.

    Parameters
    ----------
    name : str
        Such as ``Frequent big spenders``.

    Returns
    -------
    str
        Lower case, words joined by hyphens.

    Examples
    --------
    >>> slug("Recent one-time buyers, lower spend")
    'recent-one-time-buyers-lower-spend'
    """
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-") or "segment"


def segment_names(positions: pd.DataFrame, one_time_share: Mapping[object, float] | None = None) -> pd.Series:
    """
    Name groups by where they stand among all customers.

    Parameters
    ----------
    positions : pandas.DataFrame
        A row per group, a column per feature: how far the group's median lies from that of all customers, in standard
        deviations of the scaled feature.
    one_time_share : mapping, optional
        Group to its share of customers with a single purchase day.

    Returns
    -------
    pandas.Series
        A name per group, each different from the others.

    Notes
    -----
    A feature is named where the group lies half a standard deviation or more from all customers; a group of which 90 % bought
    once is called one-time buyers. Who spends much on a purchase day but has few of them is a big-ticket buyer, not a big spender. Groups that would share a name are told apart by the feature in which they differ most.

    Examples
    --------
    >>> positions = pd.DataFrame({"recency_days": [-0.9, 1.2], "frequency": [1.1, -0.8], "monetary_value": [0.7, 0.1]})
    >>> list(segment_names(positions, {1: 0.95}))
    ['Recent frequent big spenders', 'Lapsed one-time buyers']
    """
    once = one_time_share or {}
    names: dict[object, str] = {}
    for group, row in positions.iterrows():
        position = {str(feature): float(at) for feature, at in row.items()}
        names[group] = _name(position, is_one_time=once.get(group, 0.0) >= ONE_TIME_SHARE)
    for name in dict.fromkeys(names.values()):
        alike = [group for group in names if names[group] == name]
        if len(alike) > 1:
            names.update(zip(alike, _told_apart(name, positions.loc[alike]), strict=True))
    return pd.Series(list(names.values()), index=positions.index, dtype="str")


def _name(position: Mapping[str, float], *, is_one_time: bool) -> str:
    """Return the words for one group: adjectives, a noun, and what else stands out."""
    notable = {feature: int(at > 0) for feature, at in position.items() if abs(at) >= NOTABLE}
    adjectives = [_ADJECTIVES[feature][high] for feature, high in notable.items() if feature in _ADJECTIVES]
    if is_one_time:
        adjectives = [word for word in adjectives if word not in _ADJECTIVES["frequency"]] + ["one-time"]
    often = 0 if is_one_time else notable.get("frequency")
    nouns = [_value_noun(feature, high, often) for feature, high in notable.items() if feature in _NOUNS]
    others = [feature for feature in notable if feature not in _ADJECTIVES and feature not in _NOUNS]
    strongest = sorted(others, key=lambda feature: -abs(position[feature]))[:2]
    others = [feature for feature in others if feature in strongest]
    words = [*(adjectives or ([] if nouns or others else ["typical"])), _noun(nouns, position)]
    named = " ".join(words)
    if others:
        named += " with " + " and ".join(f"{_COMPARED[notable[feature]]} {readable(feature)}" for feature in others)
    return named[0].upper() + named[1:]


_COMPARED = ("low", "high")


def _value_noun(feature: str, high: int, often: int | None) -> str:
    """Return spenders; who spends much on few days, or little on many, is no big or small spender but buys dear or cheap."""
    return _TICKETS[high] if feature == "monetary_value" and often == 1 - high else _NOUNS[feature][high]


def _noun(nouns: list[str], position: Mapping[str, float]) -> str:
    """Return spenders of one kind, or buyers (customers, where no purchases are described)."""
    if len(set(nouns)) == 1:
        return nouns[0]
    return "buyers" if any(feature in position for feature in (*_ADJECTIVES, *_NOUNS)) else "customers"


def _told_apart(name: str, positions: pd.DataFrame) -> list[str]:
    """Return one name per group, told apart by the feature in which the groups differ most."""
    feature = str((positions.max() - positions.min()).idxmax())
    low, high = _COMPARATIVES.get(feature, (f"lower {readable(feature)}", f"higher {readable(feature)}"))
    if name.endswith(readable(feature)):  # “high basket size, higher basket size” would say it twice
        low, high = "the lower part", "the higher part"
    ranks = positions[feature].rank(method="first").astype(int)
    middle = [f"middle {readable(feature)}"] if len(ranks) == 3 else [
        f"middle {readable(feature)} {number}" for number in range(1, len(ranks) - 1)
    ]  # fmt: skip
    words = [low, *middle, high]
    return [f"{name}, {words[rank - 1]}" for rank in ranks]


def readable(feature: str) -> str:
    """
    Return a feature's name as words.

    Parameters
    ----------
    feature : str
        A column.

    Returns
    -------
    str
        Without underscores.

    Examples
    --------
    >>> readable("monetary_value")
    'monetary value'
    """
    return feature.replace("_", " ")
