"""
Names of groups by what they buy, in the source's own words for its categories.

What sets the groups apart is measured in ``lifts``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.describing.naming import ALL_CUSTOMERS, NOISE_NAME, slug
from crm_analysis.models.segmentation.needs.model import TOO_LITTLE

TYPICAL = "A bit of everything"
FEW = "A few customers"
MUCH, LITTLE, HARDLY_ANY = 1.25, 0.7, 0.1
LEAST_SHARE = 0.02
_LEAST_MISSED_SHARE = 0.04
_LEAST_WEIGHT = 0.15
_LONGEST = 40
_WORDS = ((2, 1), (3, 2), (4, 4))  # categories bought more and less that a name may hold; more only to tell names apart


def needs_names(lifts: pd.DataFrame, *, unnamed: Sequence[str] = ()) -> pd.Series:
    """
    Name groups by the categories that set them apart.

    Parameters
    ----------
    lifts : pandas.DataFrame
        From :func:`~crm_analysis.models.segmentation.needs.lifts.category_lifts`; hidden cells are not used.
    unnamed : sequence of str
        Categories that no name holds, such as the rest.

    Returns
    -------
    pandas.Series
        A name per group, each with a :func:`slug` of its own.

    Notes
    -----
    A category is named where the group gives it a quarter more of its spend than all customers do, and 2 % of it or more, or
    30 % less while all customers give it 4 % or more; the interval of the lift must not contain 1. Of those, at most two that are
    bought more and one that is bought less, by their weight, and none that weighs less than 15 % of the first of its kind. Groups that would
    share a name get further categories, or else a number.

    Examples
    --------
    >>> lifts = pd.DataFrame(
    ...     [["a", "TEA", 0.6, 0.3, 2.0, 1.8, 2.2, 0.2], ["a", "RICE", 0.1, 0.4, 0.25, 0.2, 0.3, 0.3]],
    ...     columns=["group", "category", "share_of_group", "share_of_all", "lift", "lift_low", "lift_high", "weight"],
    ... )
    >>> needs_names(lifts).to_dict()
    {'a': 'Tea, little rice'}
    """
    groups = {str(group): rows for group, rows in lifts.groupby("group", sort=True)}
    names = {group: _name(rows, unnamed, _WORDS[0]) for group, rows in groups.items()}
    for words in _WORDS[1:]:
        for group in _sharing(names):
            names[group] = _name(groups[group], unnamed, words)
    taken = {slug(name) for name in (ALL_CUSTOMERS, NOISE_NAME, TOO_LITTLE)}
    for group, name in names.items():
        number, told_apart = 1, name
        while slug(told_apart) in taken:
            number += 1
            told_apart = f"{name} ({number})"
        names[group] = told_apart
        taken.add(slug(told_apart))
    return pd.Series(names, dtype="str").rename_axis("group")


def _sharing(names: dict[str, str]) -> list[str]:
    """Return the groups whose name another one has."""
    keys = [slug(name) for name in names.values()]
    return [group for group, key in zip(names, keys, strict=True) if keys.count(key) > 1]


def _name(lifts: pd.DataFrame, unnamed: Sequence[str], words: tuple[int, int]) -> str:
    """Return the words for one group: what it buys more of, and what less."""
    if lifts["weight"].isna().all():
        return FEW
    more, less = telling_categories(lifts, unnamed=unnamed)
    much = joined([readable_category(name) for name in more["category"][: words[0]]])
    little = [
        f"{'hardly any' if lift <= HARDLY_ANY else 'little'} {readable_category(name)}"
        for name, lift in zip(less["category"][: words[1]], less["lift"], strict=False)
    ]
    named = ", ".join([part for part in (much, joined(little)) if part]) or TYPICAL
    return named[0].upper() + named[1:]


def telling_categories(lifts: pd.DataFrame, *, unnamed: Sequence[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the categories that set one group apart.

    Parameters
    ----------
    lifts : pandas.DataFrame
        The rows of the group, the largest weight first.
    unnamed : sequence of str
        Categories that are passed over.

    Returns
    -------
    more, less : pandas.DataFrame
        What it buys more and less than all customers.
    """
    rows = lifts[~lifts["category"].isin(list(unnamed))].dropna(subset=["weight", "lift_low"])
    is_more = (rows["lift"] >= MUCH) & (rows["lift_low"] > 1) & (rows["share_of_group"] >= LEAST_SHARE)
    is_less = (rows["lift"] <= LITTLE) & (rows["lift_high"] < 1) & (rows["share_of_all"] >= _LEAST_MISSED_SHARE)
    return _weighty(rows[is_more]), _weighty(rows[is_less])


def _weighty(told: pd.DataFrame) -> pd.DataFrame:
    """Return the categories that weigh enough beside the first."""
    is_weighty: pd.Series = told["weight"] >= _LEAST_WEIGHT * told["weight"].max()
    return told.loc[is_weighty]


def readable_category(name: str) -> str:
    """
    Return a category's name as it reads in a sentence.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        Of at most 40 characters, without line breaks. In names all in Latin capitals, words become lower case, but for
        abbreviations: words of two letters, or without a vowel.

    Examples
    --------
    >>> readable_category("DRUG GM"), readable_category("Tea & Coffee"), readable_category("  ")
    ('drug GM', 'Tea & Coffee', 'category without a name')
    """
    text = " ".join(str(name).split()) or "category without a name"
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1].rstrip() + "…"
    if not (text.isascii() and text.isupper()):
        return text
    return re.sub(r"[A-Z]{3,}", lambda word: word[0].lower() if re.search("[AEIOUY]", word[0]) else word[0], text)


def joined(words: Sequence[str]) -> str:
    """
    Return words as ``a, b and c``.

    Parameters
    ----------
    words : sequence of str
        Any number.

    Returns
    -------
    str
        Empty for none.

    Examples
    --------
    >>> joined(["tea", "rice", "salt"])
    'tea, rice and salt'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def in_words(lifts: pd.DataFrame, *, most: int = 3) -> str:
    """
    Say what a group spends most on.

    Parameters
    ----------
    lifts : pandas.DataFrame
        The rows of the group.
    most : int
        Categories that are named.

    Returns
    -------
    str
        Such as ``tea 60% (2.0 ×), rice 10% (0.2 ×)``: share of the group's spend, and lift; a dash where nothing is shown.
    """
    rows = lifts.dropna(subset=["lift"])
    order = np.lexsort((rows["category"].to_numpy(dtype=str), -rows["share_of_group"].to_numpy()))[:most]
    first = rows.iloc[order]
    parts = [
        f"{readable_category(name)} {share:.0%} ({lift:.1f} ×)"
        for name, share, lift in zip(first["category"], first["share_of_group"], first["lift"], strict=True)
        if share > 0
    ]
    return ", ".join(parts) or "–"


def apart_in_words(lifts: pd.DataFrame, *, unnamed: Sequence[str] = ()) -> str:
    """
    Say what sets a group apart.

    Parameters
    ----------
    lifts : pandas.DataFrame
        The rows of the group, the largest weight first.
    unnamed : sequence of str
        Categories that are passed over.

    Returns
    -------
    str
        Such as ``tea 2.0 ×, rice 0.2 ×``: at most three categories bought more and two bought less, with their lifts; a dash where
        nothing does.
    """
    more, less = telling_categories(lifts, unnamed=unnamed)
    told = pd.concat([more.head(3), less.head(2)])
    words = [
        f"{readable_category(name)} {lift:.1f} ×" for name, lift in zip(told["category"], told["lift"], strict=True)
    ]
    return ", ".join(words) or "–"
