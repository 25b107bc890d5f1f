"""
Customers who were alike before the day, and how alike they are.

What became of them is compared in :mod:`crm_analysis.models.service_quality.money.difference`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

COVARIATES = ("spend_before", "purchase_days_before", "purchase_days_lately", "tenure_days")
MONEY = ("spend_before",)
N_MATCHES = 3
CALLIPER = 0.5  # root mean square difference, in standard deviations
STRATUM_DAYS = 14
_TIE_BREAK = 1e-3  # standard deviations
_SPARE = 4  # neighbours beyond those needed: the customer's own earlier days do not count

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Matches:
    """
    Pairs of a treated row and a control row alike to it.

    Attributes
    ----------
    treated, controls : numpy.ndarray of int
        Positions of the rows, a pair each; a treated row has one to :data:`N_MATCHES` pairs, a control row any number.
    n_treated : int
        Treated rows with a pair.
    n_unmatched : int
        Treated rows without anybody alike.
    """

    treated: Places
    controls: Places
    n_treated: int
    n_unmatched: int


def standardised(rows: pd.DataFrame) -> Floats:
    """
    Return what customers are matched on, on one scale.

    Parameters
    ----------
    rows : pandas.DataFrame
        With the columns of :data:`COVARIATES`.

    Returns
    -------
    numpy.ndarray of float
        A column each: logarithms, so that a rich customer's dollar counts for less, over their standard deviation. Money is
        taken as a multiple of its median, so that a currency changes nothing; net returns count as nothing spent.
    """
    values = np.maximum(rows[list(COVARIATES)].to_numpy(dtype=float), 0.0)
    for place in (COVARIATES.index(name) for name in MONEY):
        some = values[values[:, place] > 0, place]
        values[:, place] /= float(np.median(some)) if len(some) else 1.0
    logs = np.log1p(values)
    spread = logs.std(axis=0)
    return np.asarray((logs - logs.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0), dtype=float)


def nearest_matches(rows: pd.DataFrame, is_treated: npt.NDArray[np.bool_], *, seed: int) -> Matches:
    """
    Match each treated row with the control rows most alike, of the same fortnight.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``customer_id``, ``day`` and :data:`COVARIATES`, in an order that no name decides.
    is_treated : numpy.ndarray of bool
        By row.
    seed : int
        Decides among rows equally alike, differently for each treated row: else a few would serve all.

    Returns
    -------
    Matches
        With replacement: the same control may serve several.

    Notes
    -----
    Distances are Euclidean in standardised logarithms. Rows further apart than half a standard deviation, as a root mean square
    over what is matched on, are no match. A customer is no control of herself.

    References
    ----------
    Abadie, Imbens (2006), "Large sample properties of matching estimators for average treatment effects", Econometrica 74.
    """
    points = standardised(rows)
    points = points + np.random.default_rng(seed).normal(0, _TIE_BREAK, points.shape)
    stratum = (rows["day"].to_numpy().astype("datetime64[D]").astype("int64") // STRATUM_DAYS).astype("int64")
    customers = rows["customer_id"].to_numpy()
    pairs: list[tuple[int, int]] = []
    for label in np.unique(stratum[is_treated]):
        among = stratum == label
        asked, offered = np.flatnonzero(among & is_treated), np.flatnonzero(among & ~is_treated)
        pairs += _pairs_of(points, customers, asked, offered)
    treated, controls = (np.array([pair[side] for pair in pairs], dtype=np.intp) for side in (0, 1))
    n_treated = len(np.unique(treated))
    return Matches(treated, controls, n_treated, int(is_treated.sum()) - n_treated)


def balance_table(rows: pd.DataFrame, is_treated: npt.NDArray[np.bool_], matches: Matches) -> pd.DataFrame:
    """
    Return how far treated rows and controls differ, before and after matching.

    Parameters
    ----------
    rows : pandas.DataFrame
        With :data:`COVARIATES`.
    is_treated : numpy.ndarray of bool
        By row.
    matches : Matches
        The pairs.

    Returns
    -------
    pandas.DataFrame
        Index ``matched_on``; ``before``, ``after``: differences of means in standard deviations of the treated rows, of
        logarithms. Up to 0.1 is commonly taken for balanced.
    """
    points = standardised(rows)
    spread = points[is_treated].std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    weights = pair_weights(matches)
    before = points[is_treated].mean(axis=0) - points[~is_treated].mean(axis=0)
    after = weights @ (points[matches.treated] - points[matches.controls]) / matches.n_treated
    index = pd.Index(COVARIATES, name="matched_on")
    return pd.DataFrame({"before": before / spread, "after": after / spread}, index=index)


def pair_weights(matches: Matches) -> Floats:
    """
    Return the weight of each pair: the pairs of a treated row add up to 1.

    Parameters
    ----------
    matches : Matches
        The pairs.

    Returns
    -------
    numpy.ndarray of float
        By pair.
    """
    return 1.0 / np.bincount(matches.treated)[matches.treated] if len(matches.treated) else np.zeros(0)


def _pairs_of(
    points: Floats, customers: npt.NDArray[np.object_], asked: Places, offered: Places
) -> list[tuple[int, int]]:
    """Return the nearest few of those offered to each of those asked."""
    if not len(offered):
        return []
    n_neighbours = min(N_MATCHES + _SPARE, len(offered))
    limit = CALLIPER * np.sqrt(points.shape[1])
    distances, places = cKDTree(points[offered]).query(points[asked], k=n_neighbours, distance_upper_bound=limit)
    pairs = []
    for row, near, at in zip(asked, distances.reshape(len(asked), -1), places.reshape(len(asked), -1), strict=True):
        found = [int(offered[place]) for place in at[np.isfinite(near)]]
        others = [control for control in found if customers[control] != customers[row]]
        pairs += [(int(row), control) for control in others[:N_MATCHES]]
    return pairs
