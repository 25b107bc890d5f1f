"""
What a table of repeat purchases must hold before a model sees it: every fault counted, told at once.

The table itself comes from ``features.purchases.repeat_purchases``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import MAX_EXAMPLES, DataQualityError, listed

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PURCHASE_COLUMNS = ("frequency", "recency", "T")
SPEND_COLUMNS = ("frequency", "monetary_value")
MAX_FREQUENCY = 1_000_000  # tables of logarithms reach up to the largest frequency


@dataclass(frozen=True)
class RepeatPurchases:
    """
    Customers' repeat purchases as arrays that have been checked.

    Attributes
    ----------
    frequency : numpy.ndarray of float
        Whole numbers from 0.
    recency : numpy.ndarray of float
        From the first purchase to the last; 0 without a repeat purchase.
    T : numpy.ndarray of float
        From the first purchase to the day known; at least the recency.
    """

    frequency: Floats
    recency: Floats
    T: Floats


def checked_purchases(X: pd.DataFrame) -> RepeatPurchases:
    """
    Return the columns about purchases, or tell what is wrong with them.

    Parameters
    ----------
    X : pandas.DataFrame
        With ``frequency``, ``recency`` and ``T``, the times in one unit.

    Returns
    -------
    RepeatPurchases
        One value per row.

    Raises
    ------
    DataQualityError
        A column is missing, or rows are impossible.
    """
    columns, faults = _numbers(X, PURCHASE_COLUMNS)
    if not faults:
        frequency, recency, length = (columns[name] for name in PURCHASE_COLUMNS)
        faults = [
            *_frequency_faults(frequency),
            _fault("'recency' is below 0", recency < 0),
            _fault("'T' is below 0", length < 0),
            _fault("'recency' exceeds 'T'", recency > length),
            _fault("'frequency' is above 0 with a 'recency' of 0", (frequency > 0) & (recency == 0)),
            _fault("'frequency' is 0 with a 'recency' above 0", (frequency == 0) & (recency > 0)),
        ]
    _raise(faults, n_customers=len(X))
    return RepeatPurchases(*(columns[name] for name in PURCHASE_COLUMNS))


def checked_spend(X: pd.DataFrame) -> tuple[Floats, Floats]:
    """
    Return the columns about spend, or tell what is wrong with them.

    Parameters
    ----------
    X : pandas.DataFrame
        With ``frequency`` and ``monetary_value``.

    Returns
    -------
    tuple of numpy.ndarray
        ``frequency`` and ``monetary_value``.

    Raises
    ------
    DataQualityError
        A column is missing, or values are missing, infinite or impossible.
    """
    columns, faults = _numbers(X, SPEND_COLUMNS)
    if not faults:
        faults = _frequency_faults(columns["frequency"])
    _raise(faults, n_customers=len(X))
    return columns["frequency"], columns["monetary_value"]


def _numbers(X: pd.DataFrame, names: tuple[str, ...]) -> tuple[dict[str, Floats], list[str]]:
    """Return the columns as floats, and which are missing, not numeric or not finite."""
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"X must be a pandas.DataFrame with columns {list(names)}, got {type(X).__name__}")
    columns: dict[str, Floats] = {}
    faults = []
    for name in names:
        if name not in X.columns:
            faults.append(f"column {name!r} is missing")
            continue
        try:
            columns[name] = X[name].to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError):
            faults.append(f"column {name!r} is not numeric ({X[name].dtype})")
            continue
        faults.append(_fault(f"{name!r} is missing or infinite", ~np.isfinite(columns[name])))
    return columns, [fault for fault in faults if fault]


def _frequency_faults(frequency: Floats) -> list[str]:
    return [
        _fault("'frequency' is below 0", frequency < 0),
        _fault("'frequency' is no whole number", frequency != np.floor(frequency)),
        _fault(f"'frequency' exceeds {MAX_FREQUENCY:,}", frequency > MAX_FREQUENCY),
    ]


def _fault(what: str, wrong: Flags) -> str:
    """Return what is wrong, in how many rows and in which first ones; nothing where no row is."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return ""
    more = ", …" if len(rows) > MAX_EXAMPLES else ""
    return f"{what} in {len(rows):,} of {len(wrong):,} rows (from 0: {', '.join(map(str, rows[:MAX_EXAMPLES]))}{more})"


def _raise(faults: list[str], *, n_customers: int) -> None:
    if faults := [fault for fault in faults if fault]:
        raise DataQualityError(
            f"The repeat purchases of {n_customers:,} customers have {len(faults)} fault(s):\n{listed(faults)}\n"
            "Correct or drop these rows; features.purchases.repeat_purchases makes the table from a snapshot.",
            faults=faults,
        )
