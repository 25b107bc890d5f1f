"""
The questions of the segmentation report, put to a dataset: each is answered, or it is said why it cannot be.

How an answer is found is in ``result``, ``needs`` and ``movement``; this module only hands them the tables they ask for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from crm_analysis.errors import EmptyTableError, SourceSchemaError, TooFewRecordsError
from crm_analysis.features.customers import customer_features
from crm_analysis.features.needs import OTHER, UNKNOWN, lines_bought, spend_by
from crm_analysis.features.purchases import FEATURES as PURCHASE_FEATURES
from crm_analysis.features.purchases import purchase_features
from crm_analysis.models.segmentation.found import cut_customers
from crm_analysis.models.segmentation.model import RULES, SegmentModel
from crm_analysis.models.segmentation.movement import (
    Movement,
    leaving_day,
    movement_windows,
    no_movement,
    order_by_value,
    segment_movement,
)
from crm_analysis.models.segmentation.needs import Needs, find_needs, no_needs
from crm_analysis.models.segmentation.result import Segmentation
from crm_analysis.models.segmentation.rfm import N_SCORES, RFMGrid, fit_rfm_grid
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Filter, Snapshot


def rfm_scores(model: SegmentModel, features: pd.DataFrame) -> pd.DataFrame:
    """
    Score customers by the edges that a model keeps.

    Parameters
    ----------
    model : SegmentModel
        With or without edges; without, they are learned from these customers.
    features : pandas.DataFrame
        Index ``customer_id``; recency, frequency and monetary value.

    Returns
    -------
    pandas.DataFrame
        Scores and named segment, see :meth:`~crm_analysis.models.segmentation.rfm.RFMGrid.score`.

    Notes
    -----
    Fewer than five customers have no fifths: without a model that has edges, all get the middle score.
    """
    return (model.grid or _grid_of(features)).score(features)


def _grid_of(features: pd.DataFrame) -> RFMGrid:
    """Return the grid learned from customers, or one without edges where there are too few for fifths."""
    if len(features) >= N_SCORES:
        return fit_rfm_grid(features)
    none = np.full(N_SCORES - 1, np.nan)
    return RFMGrid(recency_days=none, frequency=none, monetary_value=none)


def model_features(known: Snapshot, model: SegmentModel, *, history_days: int) -> pd.DataFrame:
    """
    Return the features that a model of segments asks for.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    model : SegmentModel
        Names its columns.
    history_days : int
        Days looked back on.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id``; the features of purchases alone where they are enough, which saves reading the rest.
    """
    plain = set(model.columns) <= set(PURCHASE_FEATURES)
    return (purchase_features if plain else customer_features)(known, history_days=history_days)


def customer_needs(
    known: Snapshot,
    column: str,
    *,
    history_days: int,
    seed: int,
    max_groups: int,
    min_stability: float,
    n_bootstraps: int,
    min_cell: int,
) -> Needs:
    """
    Group the customers of a snapshot by what they buy.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    column : str
        The column of the purchases that tells needs apart.
    history_days : int
        Days looked back on.
    seed : int
        Start of everything random.
    max_groups : int
        The largest number of groups tried.
    min_stability : float
        Least adjusted Rand index between samples.
    n_bootstraps : int
        Samples drawn for the stability.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    Needs
        Without groups, and with the reason, where purchases have no such column.
    """
    try:
        spend = spend_by(known, column, history_days=history_days)
    except SourceSchemaError as error:
        return no_needs(str(error))
    return find_needs(
        _without_rare(spend, min_cell=min_cell),
        lines_bought(known, history_days=history_days),
        seed=seed,
        max_groups=max_groups,
        min_stability=min_stability,
        n_bootstraps=n_bootstraps,
        min_cell=min_cell,
    )


def _without_rare(spend: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Return the spend with levels that too few customers buy among the others: a model would keep their names and shares."""
    buyers = (spend > 0).sum()
    rare = [name for name in spend.columns if name not in {OTHER, UNKNOWN} and buyers[name] < min_cell]
    return spend.assign(**{OTHER: spend[OTHER] + spend[rare].sum(axis="columns")}).drop(columns=rare)


def customer_movement(
    source: Dataset,
    segmentation: Segmentation,
    *,
    as_of: date,
    movement_days: int,
    history_days: int,
    seed: int,
    where: Filter | None = None,
) -> Movement:
    """
    Compare the segments of a dataset's customers at an earlier day and now.

    Parameters
    ----------
    source : Dataset
        Shows its tables as of any day.
    segmentation : Segmentation
        The segments of now.
    as_of : datetime.date
        The later day.
    movement_days : int
        Days between the two.
    history_days : int
        Days looked back on for `segmentation`.
    seed : int
        Start of everything random.
    where : mapping, optional
        Only customers with these attributes.

    Returns
    -------
    Movement
        Without customers, and with the reason, where the data do not reach back far enough.

    Notes
    -----
    Both days look back equally far. Where the data do not allow the whole history at the earlier day, a shorter one is taken at
    both, and customers are cut anew by it at the earlier day, into as many parts: the segments of now were made of more
    history than could be known then.
    """
    try:
        as_of_before, history = movement_windows(
            source.first_day, as_of, movement_days=movement_days, history_days=history_days
        )
        before = model_features(source.known(as_of_before, where=where), segmentation.model, history_days=history)
    except (TooFewRecordsError, EmptyTableError) as error:
        return no_movement(str(error), as_of_before=as_of - timedelta(days=movement_days), as_of=as_of)
    if absent := [name for name in segmentation.model.columns if name not in before.columns]:
        reason = (
            f"On {as_of_before} {', '.join(absent)} was not known of anybody yet, by which segments are told apart."
        )
        return no_movement(reason, as_of_before=as_of_before, as_of=as_of)
    after = model_features(source.known(as_of, where=where), segmentation.model, history_days=history)
    model, columns = segmentation.model, segmentation.model.columns
    if history != history_days:
        model = cut_customers(before, n_parts=segmentation.n_parts, columns=columns, seed=seed)
    labels = pd.concat([model.label(before), model.label(after)])
    worth = pd.concat([before[["spend"]], after[["spend"]]])
    moves = segment_movement(
        before,
        after,
        model.label,
        as_of_before=as_of_before,
        as_of=as_of,
        history_days=history,
        order=order_by_value(worth.reset_index(drop=True), labels.reset_index(drop=True)),
        seed=seed,
        min_cell=source.min_cell,
        columns=columns,
        leaving=_leaving(source, as_of_before, movement_days=movement_days, history_days=history, where=where),
    )
    anew = None if history == history_days else (source.first_day, history)
    note = _about_segments(segmentation, model.label(after), as_of_before, anew)
    return replace(moves, notes=(*([note] if note else []), *moves.notes))


def _about_segments(
    segmentation: Segmentation, now: pd.Series, as_of_before: date, anew: tuple[date, int] | None
) -> str:
    """Return how the segments followed differ from those of the report, where they do."""
    both = segmentation.labels.reindex(now.index).dropna()
    alike = adjusted_rand_score(both, now.loc[both.index])
    agree = f"agree with those above by an adjusted Rand index of {alike:.2f} (1: the same)."
    if anew is not None:
        first_day, history = anew
        return (
            f"The data begin on {first_day}, so that both days look back {history} days only, and customers are cut anew as of "
            f"{as_of_before}. These segments {agree}"
        )
    return (
        f"The segments followed here are those of the rules; they {agree}"
        if segmentation.model.assigned_by == RULES
        else ""
    )


def _leaving(
    source: Dataset, as_of_before: date, *, movement_days: int, history_days: int, where: Filter | None
) -> pd.DataFrame | None:
    """Return what each customer bought in the days that the history loses; None where they cannot be told apart."""
    last = leaving_day(as_of_before, movement_days=movement_days, history_days=history_days)
    if last is None:
        return None
    try:
        lost = purchase_features(source.known(last, where=where), history_days=movement_days)
    except (TooFewRecordsError, EmptyTableError):
        return pd.DataFrame({"frequency": [], "spend": []}, index=pd.Index([], name="customer_id", dtype="str"))
    return lost[["frequency", "spend"]]
