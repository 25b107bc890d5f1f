"""
A saved model on the customers of a dataset: the features it was fitted to, computed anew, and what it says of each customer.

How a model is saved belongs in :mod:`crm_analysis.models.storage`; how it labels, in the module of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from crm_analysis.errors import ModelError, SourceSchemaError
from crm_analysis.features.needs import lines_bought, spend_by
from crm_analysis.features.purchases import forecasting_features
from crm_analysis.models.forecasting.saving import REPEAT_BUYING, RepeatBuyingModel
from crm_analysis.models.segmentation.model import SegmentModel
from crm_analysis.models.segmentation.needs import NeedsModel
from crm_analysis.models.segmentation.questions import model_features
from crm_analysis.models.storage import SavedModel, load_model
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Snapshot

MONEY = "money"


@dataclass(frozen=True)
class Scores:
    """
    What a model says of customers.

    Attributes
    ----------
    table : pandas.DataFrame
        ``customer_id``, the prediction, and ``assigned_by``: how it was made.
    as_of : datetime.date
        The last day known of them.
    summary : str
        How many, by what, as of when.
    """

    table: pd.DataFrame
    as_of: date
    summary: str


def score_dataset(folder: Path, dataset: Dataset, *, as_of: date | None = None) -> Scores:
    """
    Apply a saved model to the customers of a dataset.

    Parameters
    ----------
    folder : pathlib.Path
        Of the model.
    dataset : Dataset
        Whose customers; its columns have the canonical names, so it need not be the one that the model was fitted to.
    as_of : datetime.date, optional
        The last day known; default: the last in the data.

    Returns
    -------
    Scores
        A row per customer who bought within the model's history; the same for a customer alone or among others.

    Raises
    ------
    ModelError
        The folder holds no model, one of a kind that cannot be applied to customers, or one that needs what these data lack.
    ParamsError
        The day lies outside the data.
    """
    saved = load_model(folder)
    kind = saved.description.kind
    if kind not in _SCORERS:
        raise ModelError(f"{folder} holds a model of kind {kind!r}; customers are scored by {' or '.join(_SCORERS)}.")
    _check_currency(saved, dataset)
    day = dataset.day(as_of)
    try:
        table = _SCORERS[kind](saved, dataset.known(day)).reset_index()
    except SourceSchemaError as error:
        raise ModelError(f"The model cannot be applied to dataset {dataset.name}. {error}") from error
    ways = table["assigned_by"].value_counts()
    told = ", ".join(f"{customers:,} by {way}" for way, customers in ways.items())
    about = f"model of {saved.description.dataset} as of {saved.description.as_of}"
    return Scores(table, day, f"{len(table):,} customers of {dataset.name} as of {day}: {told} ({about}).")


def _segments(saved: SavedModel, known: Snapshot) -> pd.DataFrame:
    """Return each customer's segment and place in the RFM grid."""
    history, model = _history(saved), SegmentModel.from_plain(saved.content)
    return model.scores(model_features(known, model, history_days=history))


def _needs(saved: SavedModel, known: Snapshot) -> pd.DataFrame:
    """Return the group of each customer by what is bought."""
    column, history = str(saved.description.parameters.get("needs_column")), _history(saved)
    model = NeedsModel.from_plain(saved.content)
    spend = spend_by(known, column, history_days=history, levels=model.levels)
    labels = model.label(spend, lines_bought(known, history_days=history))
    return labels.to_frame("need").assign(assigned_by=saved.description.labels_by)


def _repeat_buying(saved: SavedModel, known: Snapshot) -> pd.DataFrame:
    """Return what is expected of each customer by a model of repeat buying."""
    model, told = RepeatBuyingModel.from_plain(saved.content), saved.description.parameters
    horizon, value_days, rate = (told.get(name) for name in ("horizon_days", "value_days", "annual_discount_rate"))
    if not (isinstance(horizon, int) and isinstance(value_days, int) and isinstance(rate, int | float)):
        raise ModelError(
            "The model's description lacks horizon_days, value_days or annual_discount_rate. Make the model anew."
        )
    features = forecasting_features(known, history_days=_history(saved), recent_days=horizon)
    return model.score(features, horizon_days=horizon, value_days=value_days, annual_discount_rate=float(rate))


def _history(saved: SavedModel) -> int:
    """Return how far the model's features look back."""
    history = saved.description.parameters.get("history_days")
    if not isinstance(history, int) or history < 1:
        raise ModelError(f"The model's description lacks its history_days, got {history!r}. Make the model anew.")
    return history


_SCORERS: Mapping[str, Callable[[SavedModel, Snapshot], pd.DataFrame]] = {
    "segments": _segments,
    "needs": _needs,
    REPEAT_BUYING: _repeat_buying,
}


def _check_currency(saved: SavedModel, dataset: Dataset) -> None:
    """Raise where the model counts in another money."""
    described = saved.description
    money = [feature.name for feature in described.features if feature.unit.startswith(MONEY)]
    if money and described.currency != dataset.currency:
        raise ModelError(
            f"The model counts {', '.join(money)} in {described.currency}, dataset {dataset.name} is in {dataset.currency}. "
            "Convert the amounts in the dataset file (cleaning rule currency), or make a model of these data."
        )
