"""
From a table of features to segments with names, tables, rules, and the sentences that sum them up.

Each step is in the module of its name; this one only puts them in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from crm_analysis.models.segmentation.describing.naming import ALL_CUSTOMERS, NOISE_NAME, readable, segment_names, slug
from crm_analysis.models.segmentation.describing.profiles import (
    fifths_by_value,
    segment_map,
    segment_positions,
    segment_profiles,
)
from crm_analysis.models.segmentation.describing.rules import segment_rules, surrogate_fidelity
from crm_analysis.models.segmentation.grouping.dbscan import NOISE, k_distances
from crm_analysis.models.segmentation.grouping.kmeans import N_REFERENCES, Labels, finest_stable_cut, fit_kmeans
from crm_analysis.models.segmentation.grouping.search import Search, search_groups
from crm_analysis.models.segmentation.preparing.scaling import (
    RFM,
    Scaling,
    canonical_order,
    checked_features,
    fit_scaling,
)
from crm_analysis.tables.privacy.suppression import averaged_points, left_out_in_words

CHOICE_CUSTOMERS = 4_000
GOOD_FIDELITY = 0.9


@dataclass(frozen=True)
class Segmentation:
    """
    The segments of a set of customers, and how far they can be trusted.

    Attributes
    ----------
    algorithm : str
        ``kmeans``, ``dbscan``, or ``none`` when neither finds groups.
    n_segments : int
        Number of groups, noise not counted; 1 means that there are none.
    labels : pandas.Series
        Segment names by ``customer_id``; ``noise`` where DBSCAN leaves a customer out.
    criteria : pandas.DataFrame
        Every number of groups tried with K-Means; ``choice`` says which is ``chosen``.
    comparison : pandas.DataFrame
        K-Means and DBSCAN side by side.
    reason : str
        Which algorithm suits these customers, and why.
    profiles : pandas.DataFrame
        A row per segment: customers, shares, medians.
    positions : pandas.DataFrame
        A row per segment: its medians against all customers, in standard deviations. Where there are no groups, a row per fifth
        of the customers by revenue.
    plane : pandas.DataFrame
        Customers on the plane of the first two principal components.
    neighbour_distances : pandas.DataFrame
        The sorted distances from which DBSCAN read its radius.
    stability_ari : float
        Stability of the segments; NaN when there are none.
    silhouette : float
        Mean silhouette of the segments, without noise; NaN when there are none.
    surrogate_fidelity : float
        Share of customers whom the rules put in the right segment, out of fold.
    rules : pandas.DataFrame
        The rules in words.
    cut : pandas.Series
        The finest stable K-Means cut by ``customer_id``, named like segments: something to work with where there are no groups.
    cut_profiles : pandas.DataFrame
        A row per part of the cut, as in `profiles`.
    notes : tuple of str
        What was sampled, scaled and compared on the way.
    """

    algorithm: str
    n_segments: int
    labels: pd.Series
    criteria: pd.DataFrame
    comparison: pd.DataFrame
    reason: str
    profiles: pd.DataFrame
    positions: pd.DataFrame
    plane: pd.DataFrame
    neighbour_distances: pd.DataFrame
    stability_ari: float
    silhouette: float
    surrogate_fidelity: float
    rules: pd.DataFrame
    cut: pd.Series
    cut_profiles: pd.DataFrame
    notes: tuple[str, ...]


def segment_customers(
    features: pd.DataFrame,
    *,
    seed: int,
    max_segments: int = 8,
    min_stability: float = 0.8,
    n_bootstraps: int = 20,
    columns: Sequence[str] = RFM,
    min_cell: int = 1,
) -> Segmentation:
    """
    Group customers by what is known of them, or say that they form no groups.

    Parameters
    ----------
    features : pandas.DataFrame
        Index ``customer_id``, one row per customer; the columns to group by, and ``spend`` for the revenue.
    seed : int
        Start of everything random.
    max_segments : int
        The largest number of groups tried with K-Means; at least 2.
    min_stability : float
        Least adjusted Rand index between samples.
    n_bootstraps : int
        Samples drawn for the stability; at least 1.
    columns : sequence of str
        The features to group by.
    min_cell : int
        Least number of customers that a figure is about. Smaller ones, and what would give them away, are missing in every
        table but `labels` and `cut`, which list customers.

    Returns
    -------
    Segmentation
        Neither the order of the rows nor the customers' names nor the currency has an influence on it.

    Raises
    ------
    ModelError
        A column is not there.
    TooFewRecordsError
        There is no customer.
    DataQualityError
        A customer stands there twice, or a value is missing, infinite or no number.

    Notes
    -----
    Everything is chosen on a random sample of at most 4,000 customers, on which the silhouette is known to about .006. K-Means is
    then fitted to all, and DBSCAN gives everybody the group of the nearest core customer within its radius. What is asked of a
    solution: :func:`~crm_analysis.models.segmentation.grouping.kmeans.choose_n_groups` and
    :func:`~crm_analysis.models.segmentation.grouping.comparison.suited`.
    """
    if max_segments < 2 or n_bootstraps < 1:
        given = f"{max_segments!r} and {n_bootstraps!r}"
        raise ValueError(f"max_segments must be at least 2 and n_bootstraps at least 1, got {given}")
    values = checked_features(features, columns)
    values = values.iloc[canonical_order(values)]
    scaling = fit_scaling(values)
    points = scaling.apply(values)
    sample = values.iloc[np.sort(np.random.default_rng(seed).permutation(len(values))[:CHOICE_CUSTOMERS])]
    with threadpool_limits(limits=1):  # hundreds of small fits: threads would spend their time waiting for each other
        search = search_groups(
            sample,
            scaling,
            seed=seed,
            max_segments=max_segments,
            min_stability=min_stability,
            n_bootstraps=n_bootstraps,
            min_cell=min_cell,
        )
        numbers = _group_numbers(points, search, seed=seed)
        cut = _named(finest_stable_cut(points, search.criteria, min_stability=min_stability, seed=seed), values, points)
    labels = _named(numbers, values, points)
    described = features.loc[values.index]
    profiles = segment_profiles(described, labels, columns, min_cell=min_cell)
    cut_profiles = segment_profiles(described, cut, columns, min_cell=min_cell).rename_axis("part")
    rules = _in_order(segment_rules(values, labels, seed=seed, min_cell=min_cell), profiles)
    left_out = left_out_in_words(min_cell, *(table["customers"] for table in (profiles, cut_profiles, rules)))
    winner = search.winner
    return Segmentation(
        algorithm=winner.algorithm if winner else "none",
        n_segments=winner.n_groups if winner else 1,
        labels=labels.reindex(features.index).rename("segment"),
        criteria=search.criteria,
        comparison=search.comparison,
        reason=search.reason,
        profiles=profiles,
        positions=_positions(points, labels, described, profiles, min_cell=min_cell),
        plane=segment_map(points, labels, seed=seed, min_cell=min_cell),
        neighbour_distances=_neighbour_distances(scaling.apply(sample), search, min_cell=min_cell),
        stability_ari=winner.stability_ari if winner else float("nan"),
        silhouette=winner.silhouette if winner else float("nan"),
        surrogate_fidelity=surrogate_fidelity(values, labels, seed=seed, min_cell=min_cell),
        rules=rules,
        cut=cut.reindex(features.index).rename("cut"),
        cut_profiles=cut_profiles,
        notes=(
            *_notes(scaling, customers=len(values), sampled=len(sample), search=search),
            *([left_out] if left_out else []),
        ),
    )


def _group_numbers(points: pd.DataFrame, search: Search, *, seed: int) -> Labels:
    """Return everybody's group by the algorithm that suits."""
    if search.winner is None or search.groups is None:
        return np.zeros(len(points), dtype=np.intp)
    if search.winner.algorithm == "dbscan":
        return search.groups.label(points.to_numpy())
    return np.asarray(fit_kmeans(points.to_numpy(), search.winner.n_groups, seed=seed).labels_)


def _named(numbers: Labels, values: pd.DataFrame, points: pd.DataFrame) -> pd.Series:
    """Return everybody's segment by name."""
    if not numbers.any():
        return pd.Series(ALL_CUSTOMERS, index=values.index, dtype="str", name="segment")
    positions = segment_positions(points, numbers).drop(index=NOISE, errors="ignore")
    once = (values["frequency"] == 1).groupby(numbers).mean().to_dict() if "frequency" in values.columns else {}
    names = {**segment_names(positions, once).to_dict(), NOISE: NOISE_NAME}
    return pd.Series(numbers, index=values.index).map(names).astype("str").rename("segment")


def _neighbour_distances(points: pd.DataFrame, search: Search, *, min_cell: int) -> pd.DataFrame:
    """Return the sorted k-distances and the radius read from them; where one customer is too few, means of neighbours."""
    if search.groups is None:
        return pd.DataFrame(columns=["share_of_customers", "distance", "radius"], dtype=float)
    distances = k_distances(points.to_numpy(), min_samples=search.groups.min_samples)
    share = np.arange(1, len(distances) + 1) / len(distances)
    table = pd.DataFrame({"share_of_customers": share, "distance": distances, "radius": search.groups.eps})
    return table if min_cell == 1 else averaged_points(table, min_cell=min_cell)


def _positions(
    points: pd.DataFrame, labels: pd.Series, features: pd.DataFrame, profiles: pd.DataFrame, *, min_cell: int
) -> pd.DataFrame:
    """Return where segments stand among all customers; where there is but one, where the fifths by revenue stand."""
    fifths = fifths_by_value(features) if len(profiles) == 1 else None
    if fifths is not None:
        return segment_positions(points, fifths, min_cell=min_cell).rename_axis("fifth")
    return segment_positions(points, labels, min_cell=min_cell).reindex(profiles.index)


def _in_order(rules: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return the rules in the order of the profiles."""
    place = {segment: at for at, segment in enumerate(profiles.index)}
    return rules.sort_values("segment", key=lambda names: names.map(place), kind="stable", ignore_index=True)


def _notes(scaling: Scaling, *, customers: int, sampled: int, search: Search) -> tuple[str, ...]:
    """Return what a careful reader must know."""
    notes = []
    if sampled < customers:
        notes.append(
            f"Groups were looked for in a random sample of {sampled:,} of the {customers:,} customers; the result was applied to all."
        )
    logs = [readable(str(name)) for name in scaling.table.index[scaling.table["log_unit"].notna()]]
    if logs:
        notes.append(f"Differences count as ratios (by a logarithm) in {', '.join(logs)}.")
    if scaling.constant:
        notes.append(
            f"The same for every customer, and therefore left out: {', '.join(map(readable, scaling.constant))}."
        )
    if search.groups is not None:
        notes.append(
            f"Groups must hold against {N_REFERENCES} data sets drawn without groups: every feature as it is here but with a single "
            "hump, and the same correlations. Dependence that is more than correlation can still look like groups."
        )
        notes.append(
            f"DBSCAN's radius of {search.groups.eps:.2f} standard deviations is the knee of the sorted distances to neighbour "
            f"{search.groups.min_samples}; groups of less than 1 % of the customers count as noise."
        )
    if search.winner:
        notes.append("Names say where a segment stands among these customers, not how it stands in absolute terms.")
    return tuple(notes)


def verdict(segmentation: Segmentation) -> str:
    """
    Sum a segmentation up for somebody who reads nothing else.

    Parameters
    ----------
    segmentation : Segmentation
        The result.

    Returns
    -------
    str
        A paragraph: what there is, how stable it is, which group matters most, why this algorithm, how far simple rules carry.
    """
    customers = _counted(len(segmentation.labels), "customer")
    if segmentation.criteria.empty:
        return segmentation.reason
    if segmentation.algorithm == "none":
        none = f"{customers} show no separate groups: a cut through them would be a convenience, not a finding."
        advice = "" if segmentation.profiles["share_of_revenue"].isna().all() else " Rank them by value instead."
        return f"{none} {segmentation.reason}{advice}"
    noise = float(segmentation.profiles["share_of_customers"].get(NOISE_NAME, 0.0))
    few = "hardly any" if np.isnan(noise) else f"{noise:.0%}"
    aside = f", and {few} belong to none" if noise else ""
    sentences = [
        f"{customers} form {segmentation.n_segments} groups{aside}.",
        *_most_valuable(segmentation.profiles),
        segmentation.reason,
        f"Found anew in samples, the groups agree with an adjusted Rand index of {segmentation.stability_ari:.2f} (1: identical).",
        _rules_in_words(segmentation),
    ]
    return " ".join(sentences)


def segment_shares(segmentation: Segmentation) -> pd.Series:
    """
    Return the share of customers in each segment, by the name under which it is recorded.

    Parameters
    ----------
    segmentation : Segmentation
        The result.

    Returns
    -------
    pandas.Series
        ``share.<slug>`` to a share, the most valuable segment first; missing where it is not shown.
    """
    names = [f"share.{slug(str(name))}" for name in segmentation.profiles.index]
    return segmentation.profiles["share_of_customers"].set_axis(names)


def _most_valuable(profiles: pd.DataFrame) -> tuple[str, ...]:
    """Return what the best group brings, where revenue is known and one group is ahead."""
    groups = profiles.drop(index=NOISE_NAME, errors="ignore")
    worth = groups["share_of_revenue"] / groups["share_of_customers"]
    if not worth.iloc[0] > worth.iloc[1]:
        return ()
    first = groups.iloc[0]
    brings = f"{first['share_of_customers']:.0%} of the customers, {first['share_of_revenue']:.0%} of the revenue"
    return (f"Of the groups, “{groups.index[0]}” bring in the most per customer: {brings}.",)


def _rules_in_words(segmentation: Segmentation) -> str:
    """Return how far the rules carry."""
    sentence = f"{_counted(len(segmentation.rules), 'rule')} put {segmentation.surrogate_fidelity:.0%} of the customers in their segment"
    if segmentation.surrogate_fidelity < GOOD_FIDELITY:
        return f"{sentence}, which is too few to go by: use the list of customers, not the rules."
    return f"{sentence}."


def _counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
