"""
The whole comparison from rows of purchases around days: match, difference, placebo, means.

Whose purchases these are is decided in :mod:`crm_analysis.models.service_quality.money.events`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.service_quality.money.difference import Difference, group_means, matched_difference
from crm_analysis.models.service_quality.money.events import BAD
from crm_analysis.models.service_quality.money.matching import (
    COVARIATES,
    Matches,
    balance_table,
    nearest_matches,
    pair_weights,
)
from crm_analysis.models.service_quality.money.result import CHANGE_COLUMNS, DAYS, MEASURES
from crm_analysis.tables.privacy.suppression import small

FEWEST_CUSTOMERS = 30


@dataclass(frozen=True)
class Compared:
    """
    Customers at their first bad experience against customers of one kind.

    Attributes
    ----------
    change : pandas.DataFrame
        Index ``measure``, columns of :data:`~crm_analysis.models.service_quality.money.result.CHANGE_COLUMNS`.
    means : pandas.DataFrame
        ``measure``, ``group``, ``window``, ``mean``, ``low``, ``high``.
    balance : pandas.DataFrame
        Index ``matched_on``.
    bad_customers : frozenset of str
        Those with a bad experience and somebody alike.
    """

    change: pd.DataFrame
    means: pd.DataFrame
    balance: pd.DataFrame
    bad_customers: frozenset[str]


def compared(around: pd.DataFrame, *, kind: str, window_days: int, min_cell: int = 1, seed: int = 0) -> Compared | None:
    """
    Compare customers at their first bad experience with customers of one kind.

    Parameters
    ----------
    around : pandas.DataFrame
        A row an event: ``customer_id``, ``day``, ``kind``, ``is_bad_later``, what rows are matched on, and net spend and purchase days in the windows
        ``before_2``, ``before`` and ``after`` (``spend_before_2`` and so on; missing where the window is not known).
    kind : str
        Of the controls.
    window_days : int
        Length of a window.
    min_cell : int
        Fewest customers on either side.
    seed : int
        Decides among customers equally alike.

    Returns
    -------
    Compared or None
        None where either side has too few customers.
    """
    rows = _in_order(around[around["kind"].isin([BAD, kind])])
    earlier = rows[rows["spend_before_2"].notna()].reset_index(drop=True)
    fewest = max(FEWEST_CUSTOMERS, min_cell)
    matches, early = (_matched(part, fewest=fewest, seed=seed) for part in (rows, earlier))
    if matches is None:
        return None
    scale = DAYS / window_days
    sides = (matches.n_treated, rows["customer_id"].iloc[matches.controls].nunique())
    later = _share_bad_later(rows, matches, min_cell=min_cell)
    changes, means = {}, []
    for measure in MEASURES:
        found, levels = _change(rows, matches, (f"{measure}_before", f"{measure}_after"), scale)
        placebo = _change(earlier, early, (f"{measure}_before_2", f"{measure}_before"), scale)[0] if early else None
        changes[measure] = (*sides, *_figures(levels, found, placebo), later)
        means += [
            (measure, group, window, mean.effect, mean.low, mean.high)
            for window, groups in zip(("before", "after"), levels, strict=True)
            for group, mean in groups.items()
        ]
    return Compared(
        pd.DataFrame.from_dict(changes, orient="index", columns=list(CHANGE_COLUMNS)).rename_axis("measure"),
        pd.DataFrame(means, columns=["measure", "group", "window", "mean", "low", "high"]),
        balance_table(rows, (rows["kind"] == BAD).to_numpy(), matches),
        frozenset(rows["customer_id"].iloc[matches.treated]),
    )


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by figures alone, so that neither their order nor a name decides between equal matches."""
    by = [
        "day",
        *COVARIATES,
        "kind",
        *(f"{measure}_{window}" for measure in MEASURES for window in ("after", "before_2")),
    ]
    return rows.sort_values(by, kind="stable", ignore_index=True)


def _share_bad_later(rows: pd.DataFrame, matches: Matches, *, min_cell: int) -> float:
    """Return the share of matched customers with a bad experience in the window after; missing where it tells of few."""
    is_bad = rows["is_bad_later"].to_numpy(dtype=bool)[matches.controls]
    customers = rows["customer_id"].to_numpy()[matches.controls]
    sides = [len(np.unique(customers[is_bad])), len(np.unique(customers[~is_bad]))]
    return np.nan if small(sides, min_cell=min_cell).any() else float(np.average(is_bad, weights=pair_weights(matches)))


def _matched(rows: pd.DataFrame, *, fewest: int, seed: int) -> Matches | None:
    """Match rows; None where either side has too few customers."""
    is_treated = (rows["kind"] == BAD).to_numpy()
    if is_treated.all() or not is_treated.any():
        return None
    matches = nearest_matches(rows, is_treated, seed=seed)
    n_controls = rows["customer_id"].iloc[matches.controls].nunique()
    return matches if min(matches.n_treated, n_controls) >= fewest else None


def _change(
    rows: pd.DataFrame, matches: Matches, windows: tuple[str, str], scale: float
) -> tuple[Difference, tuple[dict[str, Difference], ...]]:
    """Compare the change from one window to the next, and return the means in both."""
    first, second = (scale * rows[window].to_numpy(dtype=float) for window in windows)
    found = matched_difference(rows, second - first, matches)
    return found, tuple(group_means(values, matches) for values in (first, second))


def _figures(
    levels: tuple[dict[str, Difference], ...], found: Difference, placebo: Difference | None
) -> tuple[float, ...]:
    """Return means, the effect, its shares and the placebo, in the order of the columns."""
    without = levels[1]["bad"].effect - found.effect  # what would have come without the experience
    shares = [value / without if without > 0 else np.nan for value in (found.effect, found.low, found.high)]
    early = placebo or Difference(np.nan, np.nan, np.nan)
    means = [window[group].effect for group in ("bad", "controls") for window in levels]
    return (*means, found.effect, found.low, found.high, *shares, early.effect, early.low, early.high)
