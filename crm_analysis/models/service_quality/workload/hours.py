"""
At which hours of which weekdays cases come, and how unevenly.

How many come on a day belongs in :mod:`crm_analysis.models.service_quality.workload.volume`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.service_quality.workload.volume import overdispersion
from crm_analysis.tables.privacy.suppression import hidden_rows, small

HOURS = range(24)
WEEKDAYS = range(7)
POOLS = ("each weekday", "working days and weekends", "all days alike")  # finest first
_GROUPS = {
    POOLS[0]: np.arange(7),
    POOLS[1]: np.array([0, 0, 0, 0, 0, 1, 1]),
    POOLS[2]: np.zeros(7, dtype=int),
}

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HourProfile:
    """
    How the cases of a day spread over its hours.

    Attributes
    ----------
    shares : pandas.DataFrame
        Index ``weekday`` (0 is Monday), a column an hour; each row adds up to 1.
    pool : str
        One of :data:`POOLS`: which days share a profile, so that no hour tells of too few customers.
    hidden_hours : numpy.ndarray of bool
        Hours that tell of too few customers even over all days.
    own_weight : float
        Weight of a weekday's own hours against those of all days, on average; 0 where weekdays do not differ beyond chance.
    dispersion : float
        Variance of hourly counts over that by chance alone, given the cases of the day.
    overdispersion : float
        Squared coefficient of variation of the hourly rate, given the cases of the day.
    """

    shares: pd.DataFrame
    pool: str
    hidden_hours: Flags
    own_weight: float
    dispersion: float
    overdispersion: float


def hour_profile(cases: pd.DataFrame, days: pd.DatetimeIndex, *, min_cell: int = 1) -> HourProfile:
    """
    Return how cases spread over the hours of each weekday.

    Parameters
    ----------
    cases : pandas.DataFrame
        ``customer_id``, ``opened_at``; at least one, all on `days`.
    days : pandas.DatetimeIndex
        The days looked at, with and without cases.
    min_cell : int
        Fewest customers an hour's share is about.

    Returns
    -------
    HourProfile
        Shares, shrunk towards those of all days.

    Notes
    -----
    A weekday with ``n`` cases of its own has the weight ``n / (n + k)`` against the profile of all days, where ``k`` is the
    concentration of a Dirichlet-multinomial distribution, by moments: infinite where weekdays differ by no more than chance.

    References
    ----------
    Mosimann (1962), "On the compound multinomial distribution", Biometrika 49.
    """
    weekday, hour = cases["opened_at"].dt.day_of_week.to_numpy(), cases["opened_at"].dt.hour.to_numpy()
    pool = next((name for name in POOLS if not _has_small(cases, _GROUPS[name][weekday], hour, min_cell)), POOLS[-1])
    group = _GROUPS[pool]
    counts = np.zeros((int(group.max()) + 1, len(HOURS)))
    np.add.at(counts, (group[weekday], hour), 1)
    shares, own_weight = _shrunk(counts)
    customers = cases.groupby(hour)["customer_id"].nunique().reindex(HOURS, fill_value=0)
    table = pd.DataFrame(shares[group], index=pd.Index(WEEKDAYS, name="weekday"), columns=pd.Index(HOURS, name="hour"))
    return HourProfile(
        table, pool, hidden_rows(customers, min_cell=min_cell, disjoint=False), own_weight, *_spread(cases, days, table)
    )  # fmt: skip


def _has_small(cases: pd.DataFrame, group: npt.NDArray[np.intp], hour: npt.NDArray[np.int32], min_cell: int) -> bool:
    """Return whether an hour of a group of weekdays is about too few customers."""
    customers = cases.groupby([group, hour])["customer_id"].nunique()
    return bool(small(customers, min_cell=min_cell).any())


def _shrunk(counts: Floats) -> tuple[Floats, float]:
    """Return shares by group of weekdays, drawn towards those of all days as far as they differ by chance."""
    overall = counts.sum(axis=0) / counts.sum()
    sizes = counts.sum(axis=1)
    concentration = _concentration(counts, overall)
    weight = sizes / (sizes + concentration) if math.isfinite(concentration) else np.zeros(len(sizes))
    own = counts / np.maximum(sizes, 1)[:, None]
    shares = weight[:, None] * own + (1 - weight[:, None]) * overall
    return shares, float((weight * sizes).sum() / sizes.sum())


def _concentration(counts: Floats, overall: Floats) -> float:
    """Return the Dirichlet concentration by moments of Pearson's statistic."""
    sizes, used = counts.sum(axis=1), overall > 0
    groups = int((sizes > 0).sum())
    freedom = (groups - 1) * (int(used.sum()) - 1)
    if freedom == 0:
        return math.inf
    expected = np.outer(sizes, overall[used])
    some = sizes > 0
    statistic = float(((counts[:, used] - expected)[some] ** 2 / expected[some]).sum())
    excess = statistic / freedom  # on average 1 + (n - 1) / (k + 1), with the mean size n of a group
    if excess <= 1:
        return math.inf
    mean_size = float(sizes[some].mean())
    return max((mean_size - 1) / (excess - 1) - 1, 0.0)


def _spread(cases: pd.DataFrame, days: pd.DatetimeIndex, shares: pd.DataFrame) -> tuple[float, float]:
    """Return how much hourly counts vary beyond chance, and their rates by themselves, given the cases of the day."""
    place = days.get_indexer(pd.DatetimeIndex(cases["opened_at"].dt.normalize()))
    counts = np.zeros((len(days), len(HOURS)))
    np.add.at(counts, (place, cases["opened_at"].dt.hour.to_numpy()), 1)
    of_day = shares.to_numpy()[days.day_of_week.to_numpy()]
    expected = counts.sum(axis=1, keepdims=True) * of_day
    by_chance = float((expected * (1 - of_day)).sum())  # of a multinomial distribution
    dispersion = float(((counts - expected) ** 2).sum()) / by_chance if by_chance > 0 else 1.0
    return dispersion, overdispersion(counts, expected)
