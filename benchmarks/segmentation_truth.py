"""Planted groups, and none: how often the search for groups says what was planted. Synthetic customers, through the package's own path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from crm_analysis.models.segmentation.grouping.assignment import NOISE
from crm_analysis.models.segmentation.grouping.search import search_groups
from crm_analysis.models.segmentation.preparing.scaling import canonical_order, fit_scaling

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

ROWS = 1_000
ROWS_OF_GROUPS = 1_500
N_BOOTSTRAPS = 6
SEEDS = tuple(range(3000, 3020))  # not those on which thresholds were looked for
SHAPES = ("round", "unequal", "long")
N_GROUPS = tuple(range(2, 9))
OVERLAPS = (2.0, 2.75, 3.5)
RATIOS = (5.0, 10.0)  # customers in the largest group for one in the smallest


@dataclass(frozen=True)
class Found:
    """What was planted and what was said of it."""

    case: str
    planted: int
    said: int
    algorithm: str
    ari: float
    kmeans_ari: float
    dbscan_ari: float
    best_ari: float
    reason: str


def planted_groups(
    n_groups: int, *, separation: float, shape: str, seed: int, rows: int = ROWS_OF_GROUPS, ratio: float = 5.0
) -> tuple[pd.DataFrame, Labels, Labels]:
    """
    Draw customers in groups whose centres lie at least so many standard deviations apart.

    The distance of two centres is measured in the larger of both groups' standard deviations along the line between them.
    Groups of odd seeds differ in size, up to ``ratio``; features are log-normal, as money and counts are. Beside the truth, the
    labels are given that somebody would set who knows the groups' true densities: nobody can do better.
    """
    rng = np.random.default_rng(seed)
    dimensions = 3 if seed % 4 < 2 else 5
    roots = [_root(shape, number, n_groups, dimensions, rng) for number in range(n_groups)]
    centres = _centres(roots, separation, rng)
    shares = ratio ** -np.linspace(0, 1, n_groups) if seed % 2 else np.ones(n_groups)
    truth = rng.choice(n_groups, rows, p=shares / shares.sum())
    noise = rng.standard_normal((rows, dimensions))
    points = centres[truth] + np.einsum("nij,nj->ni", np.array(roots)[truth], noise)
    weights = np.log(shares / shares.sum())
    densities = [
        weight + _log_density(points, centre, root)
        for weight, centre, root in zip(weights, centres, roots, strict=True)
    ]
    return _table(np.exp(1 + 0.35 * points)), truth, np.argmax(densities, axis=0)


def _log_density(points: Floats, centre: Floats, root: Floats) -> Floats:
    """Return the logarithm of a normal density, but for a constant."""
    whitened = np.linalg.solve(root, (points - centre).T)
    return np.asarray(-(whitened**2).sum(axis=0) / 2 - np.log(abs(np.linalg.det(root))))


def _root(shape: str, number: int, n_groups: int, dimensions: int, rng: np.random.Generator) -> Floats:
    """Return what turns round noise into a group: as it is, narrower or wider, or three times as long as wide and turned."""
    if shape == "unequal":
        return np.eye(dimensions) * np.linspace(0.5, 1.5, n_groups)[number]
    if shape == "long":
        turned, _ = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))
        return turned * np.r_[1.8, np.full(dimensions - 1, 0.6)]
    return np.eye(dimensions)


def _centres(roots: Sequence[Floats], separation: float, rng: np.random.Generator) -> Floats:
    """Return centres of which no two are nearer than asked, in a box that is as small as random draws can fill."""
    dimensions, side = len(roots[0]), separation
    for attempt in range(1_000_000):
        centres = rng.uniform(0, side, (len(roots), dimensions))
        if _nearest(centres, roots) >= separation:
            return centres
        side *= 1.0 if attempt % 200 else 1.05
    raise ValueError(f"no room for {len(roots)} groups")


def _nearest(centres: Floats, roots: Sequence[Floats]) -> float:
    """Return the least distance of two centres in standard deviations along the line between them."""
    least = np.inf
    for first in range(len(centres)):
        for second in range(first):
            line = centres[first] - centres[second]
            length = float(np.linalg.norm(line))
            widths = [float(np.linalg.norm(roots[at].T @ (line / length))) for at in (first, second)]
            least = min(least, length / max(widths))
    return least


def no_groups(kind: str, *, seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Draw customers who form no groups: a normal cloud, a correlated one, skewed ones, or purchases at constant rates."""
    rng = np.random.default_rng(seed)
    cloud = rng.standard_normal((rows, 3))
    mixed = cloud @ rng.standard_normal((3, 3))
    if kind == "normal":
        return _table(cloud)
    if kind == "correlated":
        return _table(mixed)
    if kind == "skewed":
        return _table(np.column_stack([np.exp(mixed[:, 0]), rng.gamma(0.7, 1.0, rows), np.exp(0.5 * mixed[:, 2])]))
    if kind == "counts with spikes":
        return _table(np.column_stack([np.floor(np.exp(cloud[:, 0])), np.floor(2 * np.exp(mixed[:, 1] / 2)), np.exp(cloud[:, 2])]))  # fmt: skip
    rates = rng.gamma(0.8, 1 / 60, rows)
    days = [np.unique(rng.integers(0, 365, 1 + rng.poisson(rate * 365))) for rate in rates]
    return _table(np.array([(364 - bought.max(), len(bought), rng.gamma(2, 15)) for bought in days]))


BENT = ("moons", "rings", "rings, the outer one thinner")
NONE = ("normal", "correlated", "skewed", "counts with spikes", "purchases at constant rates")


def bent_groups(kind: str, *, seed: int, rows: int = ROWS) -> tuple[pd.DataFrame, Labels]:
    """Draw two half-moons or two rings, alike in density or not, with 5 % of noise around them, whose label is -1."""
    rng = np.random.default_rng(seed)
    scattered = rows // 20
    if kind == "moons":
        points, truth = make_moons(rows, noise=0.07, random_state=seed)
        noise = rng.uniform([-1.5, -1.0], [2.5, 1.5], (scattered, 2))
    else:
        outer = 0.75 if kind == "rings" else 0.5  # three times as long, with three times or only as many customers
        truth = (rng.uniform(size=rows) < outer).astype(np.intp)
        angle, radius = rng.uniform(0, 2 * np.pi, rows), np.where(truth, 3.0, 1.0) + rng.normal(0, 0.12, rows)
        points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        noise = rng.uniform(-4, 4, (scattered, 2))
    return _table(np.vstack([points, noise])), np.r_[truth, np.full(scattered, NOISE)]


def _table(values: Floats) -> pd.DataFrame:
    """Return features without names that mean anything."""
    return pd.DataFrame(values, columns=[f"feature_{number}" for number in range(values.shape[1])], dtype=float)


def searched(
    case: str,
    features: pd.DataFrame,
    truth: Labels | None,
    best: Labels | None = None,
    *,
    planted: int,
    seed: int,
) -> Found:
    """Run the search as ``segment_customers`` does, with its defaults, and hold what it says against the truth."""
    order = canonical_order(features)
    ordered = features.iloc[order]
    scaling = fit_scaling(ordered)
    with threadpool_limits(limits=1):
        search = search_groups(
            ordered, scaling, seed=seed, max_segments=9, min_stability=0.8, n_bootstraps=N_BOOTSTRAPS
        )
    labels = np.zeros(len(order), dtype=np.intp)
    if search.winning is not None:
        labels = search.winning.label(scaling.apply(ordered).to_numpy())
    ari = {name: float("nan") for name in ("winner", "kmeans", "dbscan")}
    if truth is not None:
        inside = truth[order] != NOISE
        seen = {"winner": labels} | {one.candidate.algorithm: one.labels for one in search.contenders}
        ari = {name: adjusted_rand_score(truth[order][inside], seen[name][inside]) for name in ari}
    possible = float("nan") if best is None or truth is None else adjusted_rand_score(truth, best)
    winner = search.winner
    said, algorithm = (winner.n_groups, winner.algorithm) if winner else (1, "none")
    return Found(case, planted, said, algorithm, ari["winner"], ari["kmeans"], ari["dbscan"], possible, search.reason)


def of_groups(case: tuple[int, float, int, float]) -> Found:
    """Plant groups, the shape by the seed, and search for them."""
    n_groups, separation, seed, ratio = case
    shape = SHAPES[seed % len(SHAPES)]
    features, truth, best = planted_groups(
        n_groups, separation=separation, shape=shape, seed=seed + 100 * n_groups, ratio=ratio
    )
    return searched(shape, features, truth, best, planted=n_groups, seed=seed)


def of_none(case: tuple[str, int]) -> Found:
    """Plant nothing and search."""
    kind, seed = case
    return searched(kind, no_groups(kind, seed=seed), None, planted=1, seed=seed)


def of_bent(case: tuple[str, int]) -> Found:
    """Plant moons or rings and search for them."""
    kind, seed = case
    features, truth = bent_groups(kind, seed=seed)
    return searched(kind, features, truth, planted=2, seed=seed)


def figures(seeds: Sequence[int] = SEEDS) -> list[tuple[str, ...]]:
    """Return the table: for each kind of data how often the number is right, and how well the groups agree."""
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as workers:
        return [
            ("planted", "cases", "number right", "adjusted Rand ≥ .9", "mean", "best possible", "winner"),
            *_lines(seeds, workers.map),
        ]


def _lines(seeds: Sequence[int], run: Callable[..., Iterator[Found]]) -> Iterator[tuple[str, ...]]:
    """Yield a line a kind of data."""
    well = list(run(of_groups, [(k, 4.0, seed, RATIOS[0]) for k in N_GROUPS for seed in seeds]))
    for shape in SHAPES:
        yield _line(f"2–8 groups, {shape}, 4 sd apart", [one for one in well if one.case == shape])
    for number in N_GROUPS:
        yield _line(f"{number} groups of any shape, 4 sd apart", [one for one in well if one.planted == number])
    yield _line("all groups 4 sd apart", well)
    uneven = [(k, 4.0, seed, RATIOS[1]) for k in N_GROUPS for seed in seeds if seed % 2]
    yield _line("as these, sizes tenfold unequal", list(run(of_groups, uneven)))
    for separation in OVERLAPS:
        cases = [(k, separation, seed, RATIOS[0]) for k in (3, 5) for seed in seeds]
        yield _line(f"3 and 5 groups, {separation:g} sd apart", list(run(of_groups, cases)))
    none = list(run(of_none, [(kind, seed) for kind in NONE for seed in seeds]))
    for kind in NONE:
        yield _line(f"no groups: {kind}", [one for one in none if one.case == kind])
    yield _line("all without groups", none)
    for kind in BENT:
        found = list(run(of_bent, [(kind, seed) for seed in seeds]))
        yield _line(f"{kind} with noise", found)
        best = [one.kmeans_ari for one in found]
        said = sum(one.reason.startswith("DBSCAN suits") for one in found)
        yield (f"{kind}: K-Means alone", str(len(found)), "–", _share([ari >= 0.9 for ari in best]), f"{np.mean(best):.2f}", "–", f"the reading says so in {said}")  # fmt: skip


def _line(name: str, found: Sequence[Found]) -> tuple[str, ...]:
    """Return how often the number is right, and how well the groups agree."""
    right = _share([one.said == one.planted for one in found])
    winners = pd.Series([one.algorithm for one in found]).value_counts()
    told = ", ".join(f"{algorithm} {count}" for algorithm, count in winners.items())
    aris = [one.ari for one in found]
    if np.isnan(aris).all():
        return name, str(len(found)), right, "–", "–", "–", told
    possible = [one.best_ari for one in found]
    best = "–" if np.isnan(possible).all() else f"{np.mean(possible):.2f}"
    return name, str(len(found)), right, _share([ari >= 0.9 for ari in aris]), f"{np.mean(aris):.2f}", best, told


def _share(flags: Sequence[bool]) -> str:
    """Return a share as a percentage."""
    return f"{np.mean(flags):.0%}"
