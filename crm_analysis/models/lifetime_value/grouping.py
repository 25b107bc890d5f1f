"""
Equal customers counted once: the models see only frequency, recency and T, and in days these repeat a lot.

What is reckoned from the groups belongs in ``kernels``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.lifetime_value.checks import Floats, Integers, RepeatPurchases


@dataclass(frozen=True)
class Groups:
    """
    Distinct customers and how many there are of each, sorted by frequency, then recency, then T.

    Attributes
    ----------
    frequency, recency, T : numpy.ndarray of float
        One value per group.
    counts : numpy.ndarray of float
        Customers in the group.
    times : numpy.ndarray of float
        Distinct recencies and T, sorted.
    recency_place, T_place : numpy.ndarray of int
        Where in ``times`` those of a group stand, so that a logarithm is taken once.
    """

    frequency: Floats
    recency: Floats
    T: Floats
    counts: Floats
    times: Floats
    recency_place: Integers
    T_place: Integers

    @property
    def n_customers(self) -> int:
        """
        How many customers the groups hold.

        Returns
        -------
        int
            The sum of the counts.
        """
        return int(self.counts.sum())

    def thinned(self, limit: int) -> Groups:
        """
        Return every k-th group, so that at most about a limit remains.

        Parameters
        ----------
        limit : int
            Groups to keep.

        Returns
        -------
        Groups
            Itself where there are no more.
        """
        step = -(-len(self.counts) // limit)
        if step <= 1:
            return self
        kept = np.arange(0, len(self.counts), step)  # copies: code is compiled for arrays without gaps
        return Groups(
            self.frequency[kept],
            self.recency[kept],
            self.T[kept],
            self.counts[kept],
            self.times,
            self.recency_place[kept],
            self.T_place[kept],
        )


def group_customers(purchases: RepeatPurchases, *, unit: float = 1.0) -> Groups:
    """
    Count equal customers.

    Parameters
    ----------
    purchases : RepeatPurchases
        One value per customer.
    unit : float
        Times are divided by it.

    Returns
    -------
    Groups
        The same for customers in any order.

    Examples
    --------
    >>> twice = np.array([2.0, 0.0, 2.0])
    >>> group_customers(RepeatPurchases(twice, 5 * twice, np.array([30.0, 30.0, 30.0]))).counts
    array([1., 2.])
    """
    frequency, recency, length = purchases.frequency.astype(np.int64), purchases.recency, purchases.T
    codes, times = pd.factorize(np.concatenate([recency, length]), sort=True)
    sizes = [int(frequency.max(initial=0)) + 1, len(times), len(times)]
    keys, counts = np.unique(
        _joined([frequency, codes[: len(length)], codes[len(length) :]], sizes), return_counts=True
    )
    distinct, recency_place, length_place = _split(keys, sizes)
    times = np.asarray(times, dtype=float) / unit
    return Groups(
        distinct.astype(float),
        times[recency_place],
        times[length_place],
        counts.astype(float),
        times,
        recency_place,
        length_place,
    )


def distinct_rows(frequency: Floats, *times: Floats) -> tuple[list[Floats], Integers]:
    """
    Return the distinct rows of some columns, and which of them each row is.

    Parameters
    ----------
    frequency : numpy.ndarray
        Whole numbers.
    *times : numpy.ndarray
        Of the same length.

    Returns
    -------
    tuple
        The columns of the distinct rows (in order of appearance), and the number of each row's.
    """
    coded = [pd.factorize(values) for values in times]
    sizes = [int(frequency.max(initial=0)) + 1, *(len(values) for _, values in coded)]
    inverse, distinct = pd.factorize(_joined([frequency.astype(np.int64), *(codes for codes, _ in coded)], sizes))
    whole, *places = _split(distinct, sizes)
    rows = [np.asarray(values)[place] for (_, values), place in zip(coded, places, strict=True)]
    return [whole.astype(float), *rows], inverse.astype(np.int64, copy=False)


def _joined(codes: list[Integers], sizes: list[int]) -> Integers:
    """Return one whole number per row, in the order of the columns' codes."""
    if np.prod([float(size) for size in sizes]) >= 2.0**62:  # such as 1,000 frequencies and 60 million times
        raise OverflowError(f"too many distinct values to be joined in one number: {sizes}")
    keys = codes[0].astype(np.int64)
    for code, size in zip(codes[1:], sizes[1:], strict=True):
        keys = keys * size + code
    return keys


def _split(keys: Integers, sizes: list[int]) -> list[Integers]:
    """Return the codes that numbers were joined from."""
    places = []
    for size in reversed(sizes[1:]):
        keys, place = np.divmod(keys, size)
        places.append(place)
    return [keys, *reversed(places)]
