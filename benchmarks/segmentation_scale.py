"""A million customers: segments from features to rules, DBSCAN at any radius, and whether a sample changes the choice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.measure import measured
from benchmarks.segmentation_truth import planted_groups
from crm_analysis.features.purchases import purchase_features
from crm_analysis.models.segmentation import segment_customers
from crm_analysis.models.segmentation.grouping.dbscan import fit_dbscan
from crm_analysis.models.segmentation.grouping.kmeans import choose_n_groups, kmeans_criteria
from crm_analysis.models.segmentation.grouping.reference import fit_reference
from crm_analysis.models.segmentation.preparing.scaling import RFM, canonical_order, fit_scaling
from crm_analysis.tables.datasets import open_dataset

ROWS = 1_000_000
RADII = (0.1, 0.3, 0.6, 1.2)
SAMPLES = (4_000, 16_000, 50_000)
SAMPLE_SEEDS = (0, 1)


def many_customers(rows: int = ROWS, *, n_groups: int = 5, n_features: int = 8) -> pd.DataFrame:
    """Draw customers in groups four standard deviations apart or more, log-normal in every feature, with their spend."""
    rng = np.random.default_rng(0)
    centres = 4.0 * np.eye(n_groups, n_features)
    truth = rng.integers(0, n_groups, rows)
    values = np.exp(1 + 0.35 * (centres[truth] + rng.standard_normal((rows, n_features))))
    features = pd.DataFrame(values, columns=[f"feature_{number}" for number in range(n_features)])
    features.index = pd.Index(np.char.add("c", np.arange(rows).astype(str)), name="customer_id")
    return features.assign(spend=values[:, 0] * values[:, 1])


def segmented(rows: int) -> None:
    """Segment customers by eight features: choice of 2 to 10 groups, fit, profiles, rules."""
    features = many_customers(rows)
    result = segment_customers(features, columns=list(features.columns[:-1]), seed=0, max_segments=10)
    if result.n_segments != 5:
        raise AssertionError(f"5 groups are planted, {result.n_segments} were found")


def dense_at(radius: float, rows: int = ROWS) -> None:
    """Find dense groups among customers of four features at a radius."""
    fit_dbscan(dense_customers(rows), eps=radius)


def dense_customers(rows: int) -> NDArray[np.float64]:
    """Draw customers of four features in three groups."""
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0, 0, 0], [3, 0, 0, 0], [0, 3, 3, 0]])
    points = centres[rng.integers(0, 3, rows)] + 0.6 * rng.standard_normal((rows, 4))
    return (points - points.mean(axis=0)) / points.std(axis=0)


def chosen_number(features: pd.DataFrame, *, rows: int, seed: int) -> str:
    """Return the number of groups chosen from a sample of so many customers, and whether it is taken."""
    ordered = features.iloc[canonical_order(features)]
    scaling = fit_scaling(ordered)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(ordered))[:rows])
    sample = ordered.iloc[drawn]
    with threadpool_limits(limits=1):
        reference = fit_reference(sample, scaling, seed=seed)
        points = scaling.apply(sample).to_numpy()
        criteria = kmeans_criteria(points, reference, seed=seed, max_segments=8, n_bootstraps=5)
    choice = choose_n_groups(criteria, min_stability=0.8)
    return f"{choice.n_groups}" if choice.is_accepted else "none"


def figures() -> Iterator[tuple[str, ...]]:
    """Yield the table: what was done, seconds, peak MB, and what came of it."""
    yield ("what", "customers", "seconds", "peak MB", "outcome")
    for rows in (100_000, ROWS):
        seconds, peak = measured(segmented, rows, repeats=1)
        yield ("segments by 8 features, k 2–10", f"{rows:,}", f"{seconds:.1f}", f"{peak:,.0f}", "5 of 5 planted groups")
    for radius in RADII:
        seconds, peak = measured(dense_at, radius, repeats=1)
        found = fit_dbscan(dense_customers(ROWS), eps=radius)
        outcome = f"{found.n_groups} groups; core customers sought among {found.fitted_rows:,}"
        yield (f"DBSCAN, 4 features, radius {radius:g}", f"{ROWS:,}", f"{seconds:.1f}", f"{peak:,.0f}", outcome)
    yield from sample_figures()


def sample_figures() -> Iterator[tuple[str, ...]]:
    """Yield the number of groups chosen from samples of three sizes."""
    for n_groups in (3, 5, 7):
        for seed in SAMPLE_SEEDS:
            features, _, _ = planted_groups(n_groups, separation=4.0, shape="round", seed=seed, rows=60_000)
            yield _chosen(f"{n_groups} groups planted, seed {seed}", features, SAMPLES, seed=seed)
    online = purchase_features(open_dataset("cdnow").known(date(1998, 6, 30)), history_days=546)
    for seed in SAMPLE_SEEDS:
        yield _chosen(f"CDNOW, seed {seed}", online[list(RFM)], (4_000, 16_000), seed=seed)


def _chosen(what: str, features: pd.DataFrame, samples: tuple[int, ...], *, seed: int) -> tuple[str, ...]:
    """Return a line with the number of groups chosen from each sample."""
    chosen = ", ".join(chosen_number(features, rows=rows, seed=seed) for rows in samples)
    told = ", ".join(f"{rows:,}" for rows in samples)
    return what, f"{len(features):,}", "–", "–", f"from samples of {told}: {chosen}"
