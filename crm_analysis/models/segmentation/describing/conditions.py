"""
What a rule may ask of a customer: ranges of features and of two plain combinations of them, as numbers and in words.

Which ranges tell segments apart is found in :mod:`crm_analysis.models.segmentation.describing.surrogate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.models.segmentation.describing.naming import readable

Flags = NDArray[np.bool_]

_PLAIN = 1e9
_PHRASES = {
    "recency_days": "days since the last purchase",
    "frequency": "purchase days",
    "tenure_days": "days since the first purchase",
    "monetary_value": "spend a purchase day",
    "spend": "spend",
    "frequency_per_recency": "purchase days per day of silence",
}


@dataclass(frozen=True)
class Bound:
    """
    The range of one feature that a rule asks for: above ``low``, at most ``high``.

    Attributes
    ----------
    low : float
        Exclusive.
    high : float
        Inclusive.
    """

    low: float = -np.inf
    high: float = np.inf

    def overlaps(self, other: Bound) -> bool:
        """
        Return whether a value can lie in both ranges.

        Parameters
        ----------
        other : Bound
            Another range of the same feature.

        Returns
        -------
        bool
            True where they share a value.
        """
        return max(self.low, other.low) < min(self.high, other.high)

    def holds(self, other: Bound) -> bool:
        """
        Return whether the other range lies within this one.

        Parameters
        ----------
        other : Bound
            Another range of the same feature.

        Returns
        -------
        bool
            True where every value of the other is one of this.
        """
        return self.low <= other.low and other.high <= self.high

    def to_list(self) -> list[float | None]:
        """
        Return the limits as JSON can hold them.

        Returns
        -------
        list of float or None
            Two; None: no limit.
        """
        return [float(end) if np.isfinite(end) else None for end in (self.low, self.high)]

    @classmethod
    def from_list(cls, ends: Sequence[float | None]) -> Bound:
        """
        Return a range from what JSON holds.

        Parameters
        ----------
        ends : sequence of float or None
            As :meth:`to_list` gives them.

        Returns
        -------
        Bound
            The same range.
        """
        low, high = ends
        return cls(-np.inf if low is None else float(low), np.inf if high is None else float(high))


Box = dict[str, Bound]


@dataclass(frozen=True)
class Combination:
    """
    A quantity made of features: their product, over another one plus one.

    Attributes
    ----------
    factors : tuple of str
        Features that are multiplied.
    divisor : str
        A feature that is at least zero; one is added to it. Empty: none.
    """

    factors: tuple[str, ...]
    divisor: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """
        Return the features it is made of.

        Returns
        -------
        tuple of str
            Factors and divisor.
        """
        return (*self.factors, *([self.divisor] if self.divisor else []))


COMBINATIONS = {
    "spend": Combination(("frequency", "monetary_value")),
    "frequency_per_recency": Combination(("frequency",), "recency_days"),
}


def offered_combinations(features: pd.DataFrame) -> tuple[str, ...]:
    """
    Return the combinations that rules for these customers may use.

    Parameters
    ----------
    features : pandas.DataFrame
        Finite numbers, one row per customer.

    Returns
    -------
    tuple of str
        Those whose features are there, are no larger than 1e9 and, as divisor, not below zero; none that is a column itself.
    """

    return tuple(name for name, made in COMBINATIONS.items() if name not in features.columns and _fits(made, features))


def _fits(made: Combination, features: pd.DataFrame) -> bool:
    """Return whether a combination can be made, without overflow or a division by zero."""
    if not set(made.columns) <= set(features.columns):
        return False
    is_plain = bool((features[list(made.columns)].abs() <= _PLAIN).all(axis=None))
    return is_plain and (not made.divisor or bool((features[made.divisor] >= 0).all()))


def quantity(features: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """
    Return a feature or a combination of features for every customer.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.
    name : str
        A column, or else a key of :data:`COMBINATIONS`.

    Returns
    -------
    numpy.ndarray
        Its values.

    Examples
    --------
    >>> quantity(pd.DataFrame({"recency_days": [0, 9], "frequency": [3, 2]}), "frequency_per_recency").tolist()
    [3.0, 0.2]
    """
    if name in features.columns:
        return features[name].to_numpy(dtype=float)
    made = COMBINATIONS[name]
    values = _product(features, made)
    return values / (features[made.divisor].to_numpy(dtype=float) + 1) if made.divisor else values


def meets(features: pd.DataFrame, box: Mapping[str, Bound]) -> Flags:
    """
    Return who meets every condition.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.
    box : mapping of str to Bound
        The range of each feature or combination that counts.

    Returns
    -------
    numpy.ndarray of bool
        A flag a customer.
    """
    flags = np.ones(len(features), dtype=bool)
    for name, bound in box.items():
        if bound.low > -np.inf:
            flags &= _exceeds(features, name, bound.low)
        if bound.high < np.inf:
            flags &= ~_exceeds(features, name, bound.high)
    return flags


def _exceeds(features: pd.DataFrame, name: str, threshold: float) -> Flags:
    """Return where a quantity is above a threshold; without a division, so that databases come to the same to the digit."""
    made = COMBINATIONS.get(name)
    if name in features.columns or made is None or not made.divisor:
        return np.asarray(quantity(features, name) > threshold)
    over, under = fraction(threshold)
    divisor = features[made.divisor].to_numpy(dtype=float) + 1
    return np.asarray(under * _product(features, made) > over * divisor)


def _product(features: pd.DataFrame, made: Combination) -> NDArray[np.float64]:
    """Return the product of the factors, from left to right."""
    values = features[made.factors[0]].to_numpy(dtype=float)
    for name in made.factors[1:]:
        values = values * features[name].to_numpy(dtype=float)
    return values


def fraction(threshold: float) -> tuple[int, int]:
    """
    Return a short decimal number as a fraction of whole numbers.

    Parameters
    ----------
    threshold : float
        Such as 0.35.

    Returns
    -------
    over, under : int
        The second is a power of ten.

    Examples
    --------
    >>> fraction(0.35), fraction(12.0)
    ((35, 100), (12, 1))
    """
    exact = Decimal(repr(threshold)).normalize()
    under = 10 ** max(0, -int(exact.as_tuple().exponent))
    return int(exact * under), under


def in_words(box: Mapping[str, Bound], whole: Sequence[str]) -> str:
    """
    Return the conditions of a box in words.

    Parameters
    ----------
    box : mapping of str to Bound
        The range of each feature or combination that counts.
    whole : sequence of str
        The features that are whole numbers.

    Returns
    -------
    str
        Joined by *and*; ``every customer`` where nothing is asked for.

    Examples
    --------
    >>> in_words({"frequency": Bound(2, 9), "monetary_value": Bound(high=40.5)}, ["frequency"])
    'purchase days: at least 3, at most 9 and spend a purchase day: at most 40.5'
    """
    words = [_condition(name, bound, is_whole=name in whole) for name, bound in box.items()]
    return " and ".join(words) or "every customer"


def _condition(name: str, bound: Bound, *, is_whole: bool) -> str:
    """Return one condition in words."""
    words = _PHRASES.get(name, readable(name))
    low = bound.low + 1 if is_whole else bound.low
    if is_whole and low == bound.high:
        return f"{words}: {bound.high:g}"
    if np.isinf(bound.low):
        return f"{words}: at most {bound.high:,.10g}"
    least = "at least" if is_whole else "more than"
    if np.isinf(bound.high):
        return f"{words}: {least} {low:,.10g}"
    return f"{words}: {least} {low:,.10g}, at most {bound.high:,.10g}"
