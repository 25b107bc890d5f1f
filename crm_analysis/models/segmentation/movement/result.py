"""
Segments at two days in one result: who moved where, and how much of it chance would have done.

Each step is in the module of its name; this one only puts them in order. What it says in words is in ``wording``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from crm_analysis.errors import DataQualityError
from crm_analysis.models.segmentation.describing.naming import readable
from crm_analysis.models.segmentation.movement.chance import N_DRAWS, Chance, movement_by_chance
from crm_analysis.models.segmentation.movement.continuation import ROLLED
from crm_analysis.models.segmentation.movement.matrix import (
    Shown,
    direction_totals,
    resampled,
    row_shares,
    segment_flows,
    shown_parts,
    wide,
)
from crm_analysis.models.segmentation.movement.pairing import (
    BACK,
    FIRST,
    LEFT,
    UNRANKED,
    Assign,
    counted,
    paired_segments,
)
from crm_analysis.models.segmentation.preparing.scaling import RFM, canonical_order, checked_features
from crm_analysis.tables.privacy.suppression import left_out_in_words, small

N_BOOTSTRAPS = 1_000
_BY_CHANCE = (
    "By chance means that everybody goes on buying at their own rate and spending around their own mean, both drawn toward those "
    "of the other customers. Nobody stops, and no season is in it: a busy or quiet time of year is a reason, not chance."
)
_JUDGED_TOGETHER = (
    "With many figures some would lie outside chance by chance: directions are judged together, and so are all flows, so "
    "that one draw in twenty has any of them outside."
)


@dataclass(frozen=True)
class Movement:
    """
    How customers moved between segments from one day to a later one.

    Attributes
    ----------
    as_of_before, as_of : datetime.date
        The two days.
    history_days : int
        Days looked back on, at both.
    order : tuple of str
        The segments, the most valuable first.
    n_before, n_after : int
        Customers at either day.
    matrix : pandas.DataFrame
        Customers. Rows: segments at the earlier day, those who bought for the first time since, and those who came back after
        a whole history without purchases; columns: segments at the later day, and no purchase in the history.
    cells : pandas.DataFrame
        A row a cell: ``from``, ``to``, ``customers``, ``share`` of the row with ``low`` and ``high``.
    totals : pandas.DataFrame
        A row a direction: customers, share with interval, the revenue they stand for. Who goes into or out of noise, which is
        worth neither more nor less than a segment, changed but moved neither up nor down.
    segments : pandas.DataFrame
        A row a segment: size before and after, inflow, outflow and net change, with intervals.
    moved : pandas.DataFrame
        Index ``customer_id``: who moved down or left, those from the most valuable segments first, then who moved up, then who
        went into or out of noise. A list of customers, so nothing is hidden in it.
    chance : Chance or None
        Movement that chance alone would have made; None where it could not be worked out.
    notes : tuple of str
        What a careful reader must know.
    reason : str
        Why there is nothing to compare; empty where there is.
    """

    as_of_before: date
    as_of: date
    history_days: int
    order: tuple[str, ...]
    n_before: int
    n_after: int
    matrix: pd.DataFrame
    cells: pd.DataFrame
    totals: pd.DataFrame
    segments: pd.DataFrame
    moved: pd.DataFrame
    chance: Chance | None
    notes: tuple[str, ...]
    reason: str = ""


def segment_movement(
    before: pd.DataFrame,
    after: pd.DataFrame,
    assign: Assign,
    *,
    as_of_before: date,
    as_of: date,
    history_days: int,
    order: Sequence[str],
    seed: int,
    min_cell: int,
    n_bootstraps: int = N_BOOTSTRAPS,
    n_draws: int = N_DRAWS,
    columns: Sequence[str] = RFM,
    leaving: pd.DataFrame | None = None,
) -> Movement:
    """
    Compare customers' segments at two days with each other, and with what chance would have done.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Index ``customer_id``; features of the same definition as of the earlier and the later day.
    assign : callable
        Gives every row of a feature table its segment, by a rule learned once, from its columns alone.
    as_of_before, as_of : datetime.date
        The two days.
    history_days : int
        Days looked back on, the same at both days.
    order : sequence of str
        The segments, the most valuable first; those of everybody at either day must be among them.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about.
    n_bootstraps : int
        Resamples for the intervals.
    n_draws : int
        How often the days between are drawn, for chance.
    columns : sequence of str
        The features that `assign` looks at. Chance can be worked out for recency, frequency, spend, monetary value, tenure and
        observed days only.
    leaving : pandas.DataFrame, optional
        ``frequency`` and ``spend`` by ``customer_id`` of the days that the history loses from the earlier to the later day (see
        :func:`~crm_analysis.models.segmentation.movement.windows.leaving_day`). Without it, the purchase days lost are
        drawn from those seen, and their spend as a share of the whole.

    Returns
    -------
    Movement
        Neither the order of the rows nor the customers' names nor the currency has an influence on it.

    Raises
    ------
    TooFewRecordsError
        There is nobody at the earlier day.
    ModelError
        A column is not there, or `assign` gives a segment that `order` does not know.
    DataQualityError
        A customer stands there twice, or a value is missing, infinite or no purchase.

    Notes
    -----
    Chance means that everybody goes on as before: on each day between, a customer buys with a rate of their own and spends
    around a mean of their own, both drawn toward those of the other customers; nobody stops, nothing is in season.
    """
    if as_of <= as_of_before or history_days < 1 or n_bootstraps < 1 or n_draws < 2:
        raise ValueError(
            "as_of must come after as_of_before, history_days and n_bootstraps be at least 1 and n_draws 2, got "
            f"{as_of}, {as_of_before}, {history_days!r}, {n_bootstraps!r} and {n_draws!r}"
        )
    movement_days = (as_of - as_of_before).days
    pairs = paired_segments(before, after, assign, order=order, movement_days=movement_days)
    pairs = _sorted(pairs, order)
    counts = counted(pairs, order)
    samples = resampled(counts, seed=seed, n_bootstraps=n_bootstraps)
    shown = shown_parts(counts, min_cell=min_cell)
    other = [name for name in dict.fromkeys([*columns, *ROLLED]) if name not in ROLLED or name not in before.columns]
    chance = None
    if not other:
        chance = movement_by_chance(
            _checked(before, leaving),
            pairs,
            assign,
            order=order,
            movement_days=movement_days,
            history_days=history_days,
            seed=seed,
            n_draws=n_draws,
            leaving=leaving,
        )
        chance = _shown_chance(chance, shown, min_cell=min_cell)
    matrix = wide(counts, shown)
    return Movement(
        as_of_before=as_of_before,
        as_of=as_of,
        history_days=history_days,
        order=tuple(order),
        n_before=len(before),
        n_after=len(after),
        matrix=matrix,
        cells=row_shares(counts, samples, shown),
        totals=direction_totals(counts, samples, pairs, shown),
        segments=segment_flows(counts, samples, shown),
        moved=_moved(pairs, order),
        chance=chance,
        notes=_notes(chance, other, matrix, leaving, min_cell=min_cell),
    )


def no_movement(reason: str, *, as_of_before: date, as_of: date) -> Movement:
    """
    Return a result without customers, for data in which two days cannot be compared.

    Parameters
    ----------
    reason : str
        Why, such as that the data do not reach back far enough.
    as_of_before, as_of : datetime.date
        The two days that were asked for.

    Returns
    -------
    Movement
        Without segments; its verdict is `reason`.
    """
    counts = pd.DataFrame(0, index=pd.Index([FIRST, BACK], name="from"), columns=pd.Index([LEFT], name="to"))
    samples = np.zeros((1, *counts.shape))
    shown = shown_parts(counts, min_cell=1)
    nobody = pd.DataFrame(
        {"from": [], "to": [], "direction": [], "spend_before": [], "spend_after": []},
        index=pd.Index([], name="customer_id", dtype="str"),
        dtype=float,
    ).astype({"from": "str", "to": "str", "direction": "str"})
    totals = direction_totals(counts, samples, nobody, shown)
    for name in totals.columns.drop("of"):
        totals[name] = totals[name].where(np.zeros(len(totals), dtype=bool))
    return Movement(
        as_of_before=as_of_before,
        as_of=as_of,
        history_days=0,
        order=(),
        n_before=0,
        n_after=0,
        matrix=wide(counts, shown),
        cells=row_shares(counts, samples, shown),
        totals=totals,
        segments=segment_flows(counts, samples, shown),
        moved=nobody,
        chance=None,
        notes=(),
        reason=reason,
    )


def _sorted(pairs: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return the pairs in an order of values alone, so that sums of money come out the same."""
    places = pd.DataFrame({"place": pairs["from"].map({name: at for at, name in enumerate(order)}).fillna(-1.0)})
    return pairs.iloc[canonical_order(places.join(pairs[["spend_before", "spend_after"]]))]


def _checked(before: pd.DataFrame, leaving: pd.DataFrame | None) -> pd.DataFrame:
    """Return the features to be rolled forward as numbers, or say what is wrong with them or with what leaves."""
    if leaving is not None and not leaving.empty:
        checked_features(leaving, ("frequency", "spend"))
    values = checked_features(before, ROLLED)
    wrong = int(((values[["recency_days", "tenure_days"]] < 0).any(axis=1) | (values["observed_days"] < 1)).sum())
    if wrong:
        raise DataQualityError(
            f"{wrong} of {len(values)} customers have a negative recency_days or tenure_days, or observed_days below 1. "
            "Repair the features of the earlier day first."
        )
    return before


def _shown_chance(chance: Chance, shown: Shown, *, min_cell: int) -> Chance:
    """Return chance without what would tell of hidden customers: expected cells of a row add up to its customers."""
    totals, cells = chance.totals.copy(), chance.cells.copy()
    hidden = ~shown.totals[list(totals.index)].to_numpy()
    seen = pd.Series(totals["seen"] * chance.n_customers).round()
    hidden |= small(seen, min_cell=min_cell)
    figures = ["seen", "expected", "low", "high"]
    totals.loc[hidden, figures] = np.nan
    totals.loc[hidden, "against"] = ""
    n_segments = shown.cells.shape[1] - 1
    visible = shown.cells.iloc[:n_segments].to_numpy() & shown.rows.iloc[:n_segments].to_numpy()[:, None]
    unseen = ~visible.ravel() | small(cells["seen"], min_cell=min_cell)
    cells.loc[unseen, [*figures, "expected_share"]] = np.nan
    cells.loc[unseen, "against"] = ""
    return replace(chance, totals=totals, cells=cells)


def _moved(pairs: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return who changed, in the order in which a marketer would look at them."""
    changed = pairs[pairs["direction"].isin(["up", "down", UNRANKED, "left"])]
    ranks = pd.DataFrame(
        {
            "turn": changed["direction"].map({"down": 0, "left": 0, "up": 1, UNRANKED: 2}),
            "place": changed["from"].map({name: at for at, name in enumerate(order)}),
            "spend": -changed["spend_before"],
            "name": changed.index.astype("str"),
        },
        index=changed.index,
    )
    return changed.loc[ranks.sort_values(list(ranks.columns)).index]


def _notes(
    chance: Chance | None, other: Sequence[str], matrix: pd.DataFrame, leaving: pd.DataFrame | None, *, min_cell: int
) -> tuple[str, ...]:
    """Return what a careful reader must know."""
    notes = ["Intervals hold 95 % of resamples of the customers."]
    if chance is None:
        notes.append(
            "What chance alone would have moved is not known: it can be worked out for purchases and their amounts, not for "
            f"{', '.join(map(readable, other))}."
        )
    else:
        notes += [_BY_CHANCE, _JUDGED_TOGETHER]
        if leaving is None:
            notes.append(
                "Which purchase days leave the history is drawn, since only totals are known: any of them but the last one known."
            )
        if chance.is_sample:
            notes.append(
                f"Chance was worked out for a random sample of {chance.n_customers:,} customers, and their own movement is judged."
            )
    left_out = left_out_in_words(min_cell, *(matrix[name] for name in matrix.columns))
    return (*notes, *([left_out] if left_out else []))
