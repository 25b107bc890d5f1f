"""
Groups by what customers buy, described: their names, their profiles, their lifts.

How the groups are found is in ``result``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.describing.naming import ALL_CUSTOMERS, NOISE_NAME, slug
from crm_analysis.models.segmentation.grouping.assignment import NOISE, CentreGrouping, Labels, MixtureGrouping
from crm_analysis.models.segmentation.needs.lifts import category_lifts, shown_lifts
from crm_analysis.models.segmentation.needs.model import TOO_LITTLE, NeedsModel
from crm_analysis.models.segmentation.needs.naming import FEW, apart_in_words, in_words, needs_names
from crm_analysis.models.segmentation.preparing.baskets import total_spend
from crm_analysis.models.segmentation.preparing.composition import Composition
from crm_analysis.tables.privacy.suppression import small, suppressed

PROFILE = {
    "slug": "str",
    "customers": "int64",
    "share_of_customers": "float64",
    "share_of_spend": "float64",
    "median_lines": "float64",
    "top_categories": "str",
    "sets_apart": "str",
}


@dataclass(frozen=True, eq=False)
class DescribedGroups:
    """
    Groups with names.

    Attributes
    ----------
    model : NeedsModel
        Puts any customer into one of them.
    labels : pandas.Series
        Name of the group by customer.
    profiles : pandas.DataFrame
        A row per group, see :class:`~crm_analysis.models.segmentation.needs.result.Needs`.
    lifts : pandas.DataFrame
        A row per group and category.
    """

    model: NeedsModel
    labels: pd.Series
    profiles: pd.DataFrame
    lifts: pd.DataFrame


def described_groups(
    spend: pd.DataFrame,
    lines: pd.Series,
    composition: Composition,
    grouping: CentreGrouping | MixtureGrouping,
    groups: Labels,
    *,
    unnamed_categories: Sequence[str],
    min_lines: float,
    seed: int,
    min_cell: int,
) -> DescribedGroups:
    """
    Label everybody as the model does, and say what the groups are.

    Parameters
    ----------
    spend : pandas.DataFrame
        Money by customer and category of the composition.
    lines : pandas.Series
        Purchase lines, same index.
    composition : Composition
        How purchases become points.
    grouping : CentreGrouping or MixtureGrouping
        Tells which of its centres or components is a customer's.
    groups : numpy.ndarray
        The group of each of these; -1 is noise.
    unnamed_categories : sequence of str
        Columns after which no group is named.
    min_lines : float
        Fewest purchase lines of a customer whose needs are told.
    seed : int
        Start of the resampling.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    DescribedGroups
        With names, profiles and lifts; of those who cannot be told, there are no lifts.
    """
    keys = tuple(map(str, range(groups.max() + 1)))
    unnamed = NeedsModel(composition, float(min_lines), grouping, groups, keys)
    numbers = unnamed.numbers(spend, lines)
    every = category_lifts(spend, unnamed.named(numbers, spend.index), seed=seed)
    names = _names(every, numbers, keys, unnamed_categories, min_cell=min_cell)
    lifts = shown_lifts(every, min_cell=min_cell)
    lifts = lifts[lifts["group"] != TOO_LITTLE].reset_index(drop=True)
    model = NeedsModel(composition, float(min_lines), grouping, groups, names)
    labels = model.named(numbers, spend.index)
    lifts["group"] = lifts["group"].replace(dict(zip(keys, names, strict=True)))
    lifts = lifts.rename(columns={"group": "need"})
    profiles = _profiles(spend, lines, labels, lifts, unnamed=unnamed_categories, min_cell=min_cell)
    return DescribedGroups(model, labels, profiles, _by_profile(lifts, profiles))


def _names(
    lifts: pd.DataFrame, numbers: Labels, keys: Sequence[str], unnamed_categories: Sequence[str], *, min_cell: int
) -> tuple[str, ...]:
    """Return the groups' names by number; of groups about too few customers nothing is told."""
    if len(keys) == 1 and not (numbers == NOISE).any():
        return (ALL_CUSTOMERS,)
    sizes = pd.Series(numbers).value_counts()
    few = {str(number) for number in sizes.index[small(sizes, min_cell=min_cell)]}
    told = [key for key in keys if key not in few]
    known = shown_lifts(lifts, min_cell=min_cell, complementary=False)  # a name says nothing of how many
    names = needs_names(known[known["group"].isin(told)], unnamed=unnamed_categories).to_dict()
    left = [key for key in keys if key not in names]
    names.update({key: f"{FEW} {at}" for at, key in enumerate(left, start=1)})
    return tuple(names[key] for key in keys)


def _profiles(
    spend: pd.DataFrame,
    lines: pd.Series,
    labels: pd.Series,
    lifts: pd.DataFrame,
    *,
    unnamed: Sequence[str],
    min_cell: int,
) -> pd.DataFrame:
    """Return a row per group: how many, how much of the spend, and what they buy."""
    totals = pd.Series(total_spend(spend), index=spend.index)
    by_group = totals.groupby(labels.to_numpy())
    table = pd.DataFrame({"customers": by_group.size()})
    table["share_of_customers"] = table["customers"] / len(labels)
    whole = float(totals.sum())
    table["share_of_spend"] = by_group.sum() / whole if whole > 0 else np.nan
    table["median_lines"] = lines.groupby(labels.to_numpy()).median()
    words = {str(name): in_words(rows) for name, rows in lifts.groupby("need")}
    table["top_categories"] = [words.get(str(name), "–") for name in table.index]
    apart = {str(name): apart_in_words(rows, unnamed=unnamed) for name, rows in lifts.groupby("need")}
    table["sets_apart"] = [apart.get(str(name), "–") for name in table.index]
    table.insert(0, "slug", [slug(str(name)) for name in table.index])
    last = [name for name in (NOISE_NAME, TOO_LITTLE) if name in table.index]
    order = table.drop(index=last).sort_values(["share_of_spend", "customers"], ascending=False, kind="stable").index
    shown = suppressed(
        table.loc[[*order, *last]].rename_axis("need"),
        min_cell=min_cell,
        keep=["slug"],
        telling=["top_categories", "sets_apart"],
    )
    is_hidden = shown["customers"].isna()
    return pd.concat([shown[~is_hidden], shown[is_hidden]]) if is_hidden.any() else shown


def _by_profile(lifts: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return the lifts in the order of the profiles, without figures of groups that are hidden there."""
    place = {str(name): at for at, name in enumerate(profiles.index)}
    ordered = lifts.sort_values("need", key=lambda names: names.map(place), kind="stable", ignore_index=True)
    hidden = ordered["need"].isin(profiles.index[profiles["customers"].isna()])
    figures = [name for name in ordered.columns if name not in {"need", "category"}]
    ordered[figures] = ordered[figures].mask(hidden)
    return ordered
