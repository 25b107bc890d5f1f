"""
Groups by what customers buy as something that labels anybody: centres, or components of a mixture.

How they are searched is in :mod:`crm_analysis.models.segmentation.grouping.search`; what they are called, in ``description``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.grouping.assignment import NOISE, CentreGrouping, Labels, MixtureGrouping
from crm_analysis.models.segmentation.grouping.refitting import finest_stable_grouping, fit_grouping
from crm_analysis.models.segmentation.grouping.search import Search
from crm_analysis.tables.privacy.suppression import averaged_points

Grouped = tuple[CentreGrouping | MixtureGrouping, Labels]
_LEAST_AVERAGED = 5


def small_groups_fault(sample: pd.DataFrame, search: Search, *, min_cell: int) -> str | None:
    """
    Return why dense groups cannot be laid down as means.

    Parameters
    ----------
    sample : pandas.DataFrame
        Those among whom the groups were found.
    search : Search
        With or without groups.
    min_cell : int
        Least number of members that a mean is of.

    Returns
    -------
    str or None
        Too few of them are large enough; None where two are, and for groups that need no such means.
    """
    if search.winning is None or isinstance(search.winning, CentreGrouping | MixtureGrouping):
        return None
    least = max(min_cell, _LEAST_AVERAGED)
    sizes = np.unique(search.winning.label(sample.to_numpy()), return_counts=True)
    if sum(size >= least for number, size in zip(*sizes, strict=True) if number != NOISE) >= 2:
        return None
    return f"fewer than two of them have {least} customers or more, of whom a mean can be kept without telling of single ones"


def found_groups(points: pd.DataFrame, sample: pd.DataFrame, search: Search, *, seed: int, min_cell: int) -> Grouped:
    """
    Return what labels customers with the groups that a search found.

    Parameters
    ----------
    points : pandas.DataFrame
        Everybody who can be told.
    sample : pandas.DataFrame
        Those among whom the groups were found.
    search : Search
        With or without groups.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of members that a mean is of.

    Returns
    -------
    CentreGrouping or MixtureGrouping
        Tells which of its centres or components is a customer's.
    numpy.ndarray
        The group of each of these; -1 is noise. Dense groups, which cannot label new customers, become means of at least five
        neighbouring members each, so that no single customer is kept; noise or a group of fewer is left out, so that its
        customers go to the nearest other group, and groups are numbered anew.
    """
    if search.winning is None:
        return _one_group(points)
    found = fit_grouping(points.to_numpy(), search.winning, seed=seed)
    if isinstance(found, CentreGrouping | MixtureGrouping):
        return found, np.arange(found.n_groups, dtype=np.intp)
    return _averaged_groups(sample, found.label(sample.to_numpy()), found.algorithm, min_cell=min_cell) or _one_group(
        points
    )


def _averaged_groups(sample: pd.DataFrame, numbers: Labels, algorithm: str, *, min_cell: int) -> Grouped | None:
    """Return groups as means of several members each, without those that are too small; nothing where only noise is left."""
    least = max(min_cell, _LEAST_AVERAGED)
    means, groups = [], []
    n_groups = 0
    for number in np.unique(numbers):
        members = sample[numbers == number]
        if len(members) < least:
            continue
        means.append(averaged_points(members, min_cell=least).to_numpy()[:, :-1])
        groups.append(np.full(len(means[-1]), NOISE if number == NOISE else n_groups, dtype=np.intp))
        n_groups += number != NOISE
    return (CentreGrouping(algorithm, np.concatenate(means)), np.concatenate(groups)) if n_groups else None


def stable_cut(
    points: pd.DataFrame, sample: pd.DataFrame, criteria: pd.DataFrame, *, min_stability: float, seed: int
) -> Grouped:
    """
    Return what labels customers with the parts of the finest stable cut.

    Parameters
    ----------
    points : pandas.DataFrame
        Everybody who can be told.
    sample : pandas.DataFrame
        Those among whom `criteria` were measured.
    criteria : pandas.DataFrame
        Every number of groups tried with K-Means.
    min_stability : float
        Least adjusted Rand index between samples.
    seed : int
        Start of the random numbers.

    Returns
    -------
    CentreGrouping
        Its centres.
    numpy.ndarray
        The part of each; one for all where no cut is stable.
    """
    if criteria.empty:
        return _one_group(points)
    parts = finest_stable_grouping(sample.to_numpy(), criteria, min_stability=min_stability, seed=seed)
    moved = fit_grouping(points.to_numpy(), parts, seed=seed)
    centres = moved if isinstance(moved, CentreGrouping) else parts
    return centres, np.arange(centres.n_groups, dtype=np.intp)


def _one_group(points: pd.DataFrame) -> Grouped:
    """Return what puts everybody into one group."""
    return CentreGrouping("none", np.zeros((1, points.shape[1]))), np.zeros(1, dtype=np.intp)
