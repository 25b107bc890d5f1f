"""
The needs of a set of customers: who can be told, which groups there are, and how far they can be trusted.

What each group is called and buys is in ``description``; how the result reads in a paragraph is in ``verdict``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crm_analysis.features.needs import OTHER, UNKNOWN
from crm_analysis.models.segmentation.grouping.kmeans import CRITERIA
from crm_analysis.models.segmentation.grouping.search import Search, search_groups
from crm_analysis.models.segmentation.needs.chance import held_against_chance, one_kind_of_basket, taken_back
from crm_analysis.models.segmentation.needs.description import PROFILE, DescribedGroups, described_groups
from crm_analysis.models.segmentation.needs.grouped import found_groups, small_groups_fault, stable_cut
from crm_analysis.models.segmentation.needs.lifts import COLUMNS
from crm_analysis.models.segmentation.needs.model import NeedsModel, can_be_told
from crm_analysis.models.segmentation.preparing.baskets import checked_spend, own_shares
from crm_analysis.models.segmentation.preparing.composition import Composition, fit_composition
from crm_analysis.models.segmentation.preparing.scaling import Scaling, canonical_order
from crm_analysis.tables.privacy.suppression import left_out_in_words

MIN_LINES = 10
CHOICE_CUSTOMERS = 4_000
_MUCH_EXPLAINED = 0.5


@dataclass(frozen=True, eq=False)
class Needs:
    """
    What a set of customers need, read from what they buy, and how far that can be trusted.

    Attributes
    ----------
    labels : pandas.Series
        Name of each customer's group by ``customer_id``; ``too little bought to tell`` for those who bought too little.
    n_groups : int
        Groups found, noise not counted; 1: there are no separate needs groups.
    algorithm : str
        The algorithm whose groups these are; ``none`` where there are none.
    criteria : pandas.DataFrame
        Every number of groups tried with K-Means; ``choice`` says which is ``chosen``.
    comparison : pandas.DataFrame
        The algorithms side by side.
    reason : str
        Which algorithm suits these customers, and why.
    profiles : pandas.DataFrame
        A row per group, noise and those with too little last: ``slug``, ``customers``, ``share_of_customers``,
        ``share_of_spend``, ``median_lines``, and in words ``top_categories``, by spend, and what ``sets_apart`` the group.
    lifts : pandas.DataFrame
        A row per group and category, see :func:`~crm_analysis.models.segmentation.needs.lifts.category_lifts`.
    stability_ari : float
        Stability of the groups; NaN when there are none.
    silhouette : float
        Mean silhouette of the groups; NaN when there are none.
    cut : pandas.Series
        The finest stable K-Means cut by ``customer_id``, named like groups: something to work with where there are none.
    cut_profiles, cut_lifts : pandas.DataFrame
        As `profiles` and `lifts`, of the parts of the cut.
    notes : tuple of str
        What was sampled, shrunk and kept on the way.
    model : NeedsModel or None
        Labels any customer with one of the groups; None where there were no purchases by category to learn from.
    cut_model : NeedsModel or None
        Labels any customer with one of the parts of the cut.
    """

    labels: pd.Series
    n_groups: int
    algorithm: str
    criteria: pd.DataFrame
    comparison: pd.DataFrame
    reason: str
    profiles: pd.DataFrame
    lifts: pd.DataFrame
    stability_ari: float
    silhouette: float
    cut: pd.Series
    cut_profiles: pd.DataFrame
    cut_lifts: pd.DataFrame
    notes: tuple[str, ...]
    model: NeedsModel | None
    cut_model: NeedsModel | None

    @property
    def is_cut_offered(self) -> bool:
        """Return whether there are no groups, but a stable cut to work with."""
        return self.n_groups == 1 and self.cut_model is not None and len(self.cut_model.names) > 1

    @property
    def offered(self) -> pd.Series:
        """Return what one can work with by ``customer_id``: the groups, or where there are none the parts of the cut."""
        return self.cut.rename("need") if self.is_cut_offered else self.labels

    @property
    def offered_profiles(self) -> pd.DataFrame:
        """Return the profiles that belong to `offered`."""
        return self.cut_profiles if self.is_cut_offered else self.profiles

    @property
    def offered_lifts(self) -> pd.DataFrame:
        """Return the lifts that belong to `offered`."""
        return self.cut_lifts if self.is_cut_offered else self.lifts

    @property
    def offered_model(self) -> NeedsModel | None:
        """Return the model that belongs to `offered`."""
        return self.cut_model if self.is_cut_offered else self.model


def find_needs(
    spend: pd.DataFrame,
    lines: pd.Series,
    *,
    seed: int,
    min_lines: int = MIN_LINES,
    max_groups: int = 8,
    min_stability: float = 0.8,
    n_bootstraps: int = 20,
    other: str | None = OTHER,
    unnamed_categories: Sequence[str] = (OTHER, UNKNOWN),
    min_cell: int = 1,
) -> Needs:
    """
    Group customers by what they buy, or say that their needs form no groups.

    Parameters
    ----------
    spend : pandas.DataFrame
        Index ``customer_id``, one row per customer, a column per category: money spent, not negative.
    lines : pandas.Series
        Purchase lines by ``customer_id``.
    seed : int
        Start of everything random.
    min_lines : int
        Fewest purchase lines of a customer whose needs are told; at least 1.
    max_groups : int
        The largest number of groups tried with K-Means; at least 2.
    min_stability : float
        Least adjusted Rand index between samples.
    n_bootstraps : int
        Samples drawn for the stability; at least 1.
    other : str, optional
        The column, if there, that holds all categories without one of their own; categories that the model does not know later
        go there.
    unnamed_categories : sequence of str
        Columns that count like others, but after which no group is named.
    min_cell : int
        Least number of customers that a figure is about. Smaller ones, and what would give them away, are missing in every table
        but `labels` and `cut`, which list customers.

    Returns
    -------
    Needs
        Neither the order of rows or categories nor the customers' names nor the currency has an influence on it.

    Raises
    ------
    TooFewRecordsError
        There is no customer.
    ModelError
        There is no category.
    DataQualityError
        A customer or category stands there twice, lines are missing, or a value is missing, infinite, negative or no number.

    Notes
    -----
    With ten lines drawn from it, a share of .3 is known to ±.28 (95 %), which hardly tells anything else from .3: customers with
    fewer are told apart from all others, not dropped, and those with few more weigh little (see
    :func:`~crm_analysis.models.segmentation.preparing.baskets.credible_lines`). Groups are chosen on a random sample of at most
    4,000 customers and given to all; they must also hold against customers of one kind, see
    :func:`~crm_analysis.models.segmentation.needs.chance.held_against_chance`. Dense groups, which cannot label new customers, are laid down as means of neighbouring
    members, at least five or `min_cell` each, and customers belong to the nearest one; noise or a group of fewer is left out.
    """
    if min_lines < 1 or max_groups < 2 or n_bootstraps < 1:
        given = f"{min_lines!r}, {max_groups!r} and {n_bootstraps!r}"
        raise ValueError(
            f"min_lines and n_bootstraps must be at least 1, max_groups at least 2, got {given} (lines, groups, bootstraps)"
        )
    index = spend.index
    spend, lines = _in_order(*checked_spend(spend, lines), min_lines=min_lines)
    told = can_be_told(spend, lines, min_lines=min_lines)
    composition = _composition(spend, lines, told, other)
    spend = spend.loc[:, list(composition.categories)]
    points = composition.points(spend[told], lines[told])
    with threadpool_limits(limits=1):  # hundreds of small fits: threads would spend their time waiting for each other
        sample = points.iloc[np.sort(np.random.default_rng(seed).permutation(len(points))[:CHOICE_CUSTOMERS])]
        search = search_groups(
            sample,
            _as_it_is(points),
            seed=seed,
            max_segments=max_groups,
            min_stability=min_stability,
            n_bootstraps=n_bootstraps,
            min_cell=min_cell,
        )
        search = _held(search, spend[told], lines[told], composition, sample, seed=seed)
        if fault := small_groups_fault(sample, search, min_cell=min_cell):
            search = taken_back(search, fault)
        groups = found_groups(points, sample, search, seed=seed, min_cell=min_cell)
        cut = stable_cut(points, sample, search.criteria, min_stability=min_stability, seed=seed)
    found, parts = (
        described_groups(
            spend,
            lines,
            composition,
            *made,
            unnamed_categories=unnamed_categories,
            min_lines=min_lines,
            seed=seed,
            min_cell=min_cell,
        )
        for made in (groups, cut)
    )
    winner = search.winner
    return Needs(
        labels=found.labels.reindex(index),
        n_groups=len(found.model.names) if winner else 1,
        algorithm=winner.algorithm if winner else "none",
        criteria=search.criteria,
        comparison=search.comparison,
        reason=search.reason,
        profiles=found.profiles,
        lifts=found.lifts,
        stability_ari=winner.stability_ari if winner else float("nan"),
        silhouette=winner.silhouette if winner else float("nan"),
        cut=parts.labels.reindex(index).rename("cut"),
        cut_profiles=parts.profiles.rename_axis("part"),
        cut_lifts=parts.lifts.rename(columns={"need": "part"}),
        notes=_notes(found if winner else parts, composition, lines, told, sampled=len(sample), min_cell=min_cell),
        model=found.model,
        cut_model=parts.model,
    )


def no_needs(reason: str) -> Needs:
    """
    Return a result without customers, for data in which needs cannot be read.

    Parameters
    ----------
    reason : str
        Why, such as that purchases have no category.

    Returns
    -------
    Needs
        Without groups, tables and models; its verdict is `reason`.
    """
    labels = pd.Series([], index=pd.Index([], name="customer_id", dtype="str"), dtype="str", name="need")
    criteria = pd.DataFrame(columns=[*CRITERIA, "choice"], index=pd.Index([], name="n_groups", dtype=int), dtype=float)
    profiles = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in PROFILE.items()}).rename_axis("need")
    lifts = pd.DataFrame({name: pd.Series(dtype=float) for name in COLUMNS})
    lifts.insert(0, "category", pd.Series(dtype="str"))
    lifts.insert(0, "need", pd.Series(dtype="str"))
    return Needs(
        labels=labels,
        n_groups=1,
        algorithm="none",
        criteria=criteria,
        comparison=pd.DataFrame(),
        reason=reason,
        profiles=profiles,
        lifts=lifts,
        stability_ari=float("nan"),
        silhouette=float("nan"),
        cut=labels.rename("cut"),
        cut_profiles=profiles.rename_axis("part"),
        cut_lifts=lifts.rename(columns={"need": "part"}),
        notes=(),
        model=None,
        cut_model=None,
    )


def _in_order(spend: pd.DataFrame, lines: pd.Series, *, min_lines: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return rows and columns in an order that depends on what is bought alone; names decide between equal categories."""
    told = can_be_told(spend, lines, min_lines=min_lines)
    means = own_shares(spend[told]).mean().round(12).fillna(0.0)
    spend = spend.loc[:, sorted(spend.columns, key=lambda name: (-means[name], name))]
    order = canonical_order(spend.assign(**{"\0lines": lines}))
    return spend.iloc[order], lines.iloc[order]


def _composition(spend: pd.DataFrame, lines: pd.Series, told: NDArray[np.bool_], other: str | None) -> Composition:
    """Return the composition learned from those who can be told; where nobody can, one in which all are alike."""
    if told.any():
        return fit_composition(spend[told], lines[told], other=other)
    names = tuple(spend.columns)
    even = np.full(len(names), 1 / len(names))
    return Composition(
        names,
        other if other in names else None,
        even,
        float("inf"),
        even**0.25,
        np.zeros((len(names), 0)),
        1.0,
    )


def _as_it_is(points: pd.DataFrame) -> Scaling:
    """Return a scaling that leaves components as they are: to the same spread, minor ones would count like major ones."""
    table = pd.DataFrame({"log_unit": np.nan, "centre": 0.0, "spread": 1.0}, index=points.columns, dtype=float)
    return Scaling(table, ())


def _held(
    search: Search, spend: pd.DataFrame, lines: pd.Series, composition: Composition, sample: pd.DataFrame, *, seed: int
) -> Search:
    """Return the search without groups that customers of one kind would show as well."""
    if search.winning is None:
        return search
    baskets = one_kind_of_basket(spend, lines, composition)
    return held_against_chance(search, baskets, search.winning.label(sample.to_numpy()), seed=seed)


def _notes(
    described: DescribedGroups,
    composition: Composition,
    lines: pd.Series,
    told: NDArray[np.bool_],
    *,
    sampled: int,
    min_cell: int,
) -> tuple[str, ...]:
    """Return what a careful reader must know."""
    notes = []
    if sampled < told.sum():
        notes.append(
            f"Groups were looked for in a random sample of {sampled:,} of the {told.sum():,} customers; the result was applied to all."
        )
    if told.any():
        notes.append(_shrinkage_in_words(composition))
    if composition.axes.shape[1]:
        notes.append(
            f"Distances are between fourth roots of shares, in {composition.axes.shape[1]} principal components that keep "
            f"{composition.variance_kept:.0%} of the variance."
        )
    if len(described.model.names) > 1:
        numbers = described.model.named(
            np.arange(len(described.model.names)), pd.RangeIndex(len(described.model.names))
        )
        members = described.labels.isin(list(numbers))
        explained = _explained(np.log(lines[members]), described.labels[members])
        care = " Read the groups with care: they follow how much is bought." if explained >= _MUCH_EXPLAINED else ""
        notes.append(
            f"{explained:.0%} of the differences in how much customers buy (variance of the logarithm of lines) lie between the "
            f"groups.{care}"
        )
    left_out = left_out_in_words(min_cell, described.profiles["customers"], described.lifts["lift"])
    return (*notes, *([left_out] if left_out else []))


def _shrinkage_in_words(composition: Composition) -> str:
    """Return how far little-bought baskets were drawn towards all customers'."""
    if np.isinf(composition.prior_lines):
        return "Customers' baskets differ no more than by chance, so that all count as the same."
    return (
        f"Shares are drawn towards the mean of all customers', which weighs as much as {composition.prior_lines:,.0f} purchase lines: "
        "who bought little counts as nearly average."
    )


def _explained(values: pd.Series, groups: pd.Series) -> float:
    """Return the share of the variance that lies between groups."""
    total = float(((values - values.mean()) ** 2).sum())
    means = values.groupby(groups.to_numpy()).transform("mean")
    return float(((means - values.mean()) ** 2).sum()) / total if total > 0 else 0.0
