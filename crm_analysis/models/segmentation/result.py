"""
From a table of features to segments with names, tables, rules and a model that lasts.

Each step is in the module of its name; this one only puts them in order. The sentences that sum it up are in ``wording``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from crm_analysis.models.segmentation.describing.naming import (
    NOISE_NAME,
    readable,
)
from crm_analysis.models.segmentation.describing.profiles import (
    fifths_by_value,
    segment_map,
    segment_positions,
    segment_profiles,
)
from crm_analysis.models.segmentation.describing.rules import fit_segment_rules
from crm_analysis.models.segmentation.describing.silhouettes import segment_silhouettes
from crm_analysis.models.segmentation.found import Found, find_segments, kept_segments, segment_model
from crm_analysis.models.segmentation.grouping.dbscan import k_distances
from crm_analysis.models.segmentation.grouping.kmeans import N_REFERENCES
from crm_analysis.models.segmentation.grouping.search import Search, search_groups
from crm_analysis.models.segmentation.model import SegmentModel
from crm_analysis.models.segmentation.preparing.scaling import (
    RFM,
    Scaling,
    canonical_order,
    checked_features,
    fit_scaling,
    spread_whole_numbers,
)
from crm_analysis.tables.privacy.suppression import averaged_points, left_out_in_words

CHOICE_CUSTOMERS = 4_000


@dataclass(frozen=True)
class Segmentation:
    """
    The segments of a set of customers, and how far they can be trusted.

    Attributes
    ----------
    algorithm : str
        ``kmeans``, ``dbscan``, ``hdbscan``, ``mixture``, or ``none`` when no algorithm finds groups.
    n_segments : int
        Number of groups found, noise not counted; 1 means that there are none.
    labels : pandas.Series
        Segment names by ``customer_id``: the groups found (``noise`` where a customer is in none); where there are none, the parts
        of the finest K-Means cut that is stable and that rules can tell; or the segments of a model learned earlier.
    criteria : pandas.DataFrame
        Every number of groups tried with K-Means; ``choice`` says which is ``chosen``.
    comparison : pandas.DataFrame
        The algorithms side by side.
    reason : str
        Which algorithm suits these customers, and why.
    points : pandas.DataFrame
        The customers in the coordinates in which they were grouped, by ``customer_id``.
    profiles : pandas.DataFrame
        A row per segment: customers, shares, medians.
    positions : pandas.DataFrame
        A row per segment: its medians against all customers, in standard deviations. Where there is but one segment, a row per
        fifth of the customers by revenue.
    plane : pandas.DataFrame
        Customers on the plane of the first two principal components.
    silhouettes : pandas.DataFrame
        The silhouettes of each segment's customers.
    neighbour_distances : pandas.DataFrame
        The sorted distances from which DBSCAN read its radius.
    stability_ari : float
        Stability of the segments; NaN when there is one.
    silhouette : float
        Mean silhouette of the segments, without noise; NaN when there is one.
    surrogate_fidelity : float
        Share of customers whom the rules put in the right segment: out of fold, or, where segments are kept, of today's customers.
    rules : pandas.DataFrame
        One rule a segment, in words.
    model : SegmentModel
        What puts any customer into one of the segments.
    is_kept : bool
        Whether the segments are those of a model learned earlier, whatever would be found today.
    notes : tuple of str
        What was sampled, scaled and compared on the way.
    """

    algorithm: str
    n_segments: int
    labels: pd.Series
    criteria: pd.DataFrame
    comparison: pd.DataFrame
    reason: str
    points: pd.DataFrame
    profiles: pd.DataFrame
    positions: pd.DataFrame
    plane: pd.DataFrame
    silhouettes: pd.DataFrame
    neighbour_distances: pd.DataFrame
    stability_ari: float
    silhouette: float
    surrogate_fidelity: float
    rules: pd.DataFrame
    model: SegmentModel
    is_kept: bool
    notes: tuple[str, ...]

    @property
    def n_parts(self) -> int:
        """Return the number of segments to work with, noise not counted."""
        return len(set(self.labels) - {NOISE_NAME})

    @property
    def n_rules(self) -> int:
        """Return the number of segments that a rule leads to."""
        return len({segment for segment, _ in self.model.rules.leaves})


def segment_customers(
    features: pd.DataFrame,
    *,
    seed: int,
    max_segments: int = 8,
    min_stability: float = 0.8,
    n_bootstraps: int = 20,
    columns: Sequence[str] = RFM,
    min_cell: int = 1,
    learned: SegmentModel | None = None,
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
        table but `labels` and `points`, which list customers.
    learned : SegmentModel, optional
        A model learned earlier: its segments are kept, so that months compare, and the search only says what would be found
        today.

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
    Everything is chosen on a random sample of at most 4,000 customers, on which the silhouette is known to about .006, and then
    fitted to all (:func:`~crm_analysis.models.segmentation.grouping.refitting.fit_grouping`). What is asked of a solution:
    :func:`~crm_analysis.models.segmentation.grouping.kmeans.choose_n_groups` and
    :func:`~crm_analysis.models.segmentation.grouping.decision.suited`. Where no algorithm finds groups, customers are cut all the
    same, so that there is something to work with: into the finest parts that come out alike in samples and that rules can tell.
    """
    if max_segments < 2 or n_bootstraps < 1:
        given = f"{max_segments!r} and {n_bootstraps!r}"
        raise ValueError(f"max_segments must be at least 2 and n_bootstraps at least 1, got {given}")
    values = checked_features(features, columns)
    values = values.iloc[canonical_order(values)]
    known = features.loc[values.index]
    scaling = fit_scaling(values)
    points = scaling.apply(values)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(values))[:CHOICE_CUSTOMERS])
    with threadpool_limits(limits=1):  # hundreds of small fits: threads would spend their time waiting for each other
        search = search_groups(
            values.iloc[drawn],
            scaling,
            seed=seed,
            max_segments=max_segments,
            min_stability=min_stability,
            n_bootstraps=n_bootstraps,
            min_cell=min_cell,
        )
        found = find_segments(values, points, drawn, search, seed=seed, min_stability=min_stability, min_cell=min_cell)
    rules = fit_segment_rules(values, found.labels, seed=seed, min_cell=min_cell)
    model = segment_model(known, scaling, found, rules, min_cell=min_cell)
    fidelity = rules.fidelity
    notes = _notes(scaling, customers=len(values), sampled=len(drawn), search=search)
    if learned is not None:
        kept = learned.label(known)
        notes = (*notes, _kept_in_words(kept, found.labels))
        found, model, rules = kept_segments(kept, points, drawn), learned, learned.rules
        fidelity = float((rules.label(known) == kept).mean())
    profiles = segment_profiles(known, found.labels, columns, min_cell=min_cell)
    table = _in_order(rules.table(known, found.labels, min_cell=min_cell), profiles)
    left_out = left_out_in_words(min_cell, *(shown["customers"] for shown in (profiles, table)))
    winner = search.winner
    return Segmentation(
        algorithm=winner.algorithm if winner else "none",
        n_segments=winner.n_groups if winner else 1,
        labels=found.labels.reindex(features.index).rename("segment"),
        criteria=_with_cut(search, found),
        comparison=search.comparison,
        reason=search.reason,
        points=points.reindex(features.index),
        profiles=profiles,
        positions=_positions(points, found.labels, known, profiles, min_cell=min_cell),
        plane=segment_map(points, found.labels, seed=seed, min_cell=min_cell),
        silhouettes=_in_order(segment_silhouettes(points, found.labels, seed=seed, min_cell=min_cell), profiles),
        neighbour_distances=_neighbour_distances(values.iloc[drawn], scaling, search, seed=seed, min_cell=min_cell),
        stability_ari=found.stability_ari,
        silhouette=found.silhouette,
        surrogate_fidelity=fidelity,
        rules=table,
        model=model,
        is_kept=learned is not None,
        notes=(*notes, *([left_out] if left_out else [])),
    )


def _with_cut(search: Search, found: Found) -> pd.DataFrame:
    """Return the criteria with a word on the cut, where there are no groups."""
    criteria = search.criteria.copy()
    parts = 0 if found.grouping is None else found.grouping.n_groups
    if search.winner is None and parts in criteria.index:
        said = [word for word in (criteria.loc[parts, "choice"], "cut to work with") if word]
        criteria.loc[parts, "choice"] = "; ".join(map(str, said))
    return criteria


def _kept_in_words(kept: pd.Series, today: pd.Series) -> str:
    """Return how far segments learned earlier are those that would be found today."""
    if len(set(today)) < 2:
        return "Segments are those of a model learned earlier; today's customers by themselves would not be cut."
    agreement = adjusted_rand_score(kept, today.reindex(kept.index))
    return (
        "Segments are those of a model learned earlier, so that they compare; what would be found today agrees with them by "
        f"an adjusted Rand index of {agreement:.2f} (1: the same)."
    )


def _neighbour_distances(
    values: pd.DataFrame, scaling: Scaling, search: Search, *, seed: int, min_cell: int
) -> pd.DataFrame:
    """Return the sorted k-distances and the radius read from them; where one customer is too few, means of neighbours."""
    if search.groups is None:
        return pd.DataFrame(columns=["share_of_customers", "distance", "radius"], dtype=float)
    points = scaling.apply(spread_whole_numbers(values, seed=seed))  # as the search did
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


def _in_order(table: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a column of segments in the order of the profiles."""
    place = {segment: at for at, segment in enumerate(profiles.index)}
    return table.sort_values("segment", key=lambda names: names.map(place), kind="stable", ignore_index=True)


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
