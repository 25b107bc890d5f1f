"""
Segments and needs as saved models: what is written about them, so that a later run knows what it applies.

The files themselves belong in :mod:`crm_analysis.models.storage`; how a model labels, in ``model`` and ``needs``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crm_analysis.errors import ModelError
from crm_analysis.features.customers import feature_meaning
from crm_analysis.models.segmentation.model import SegmentModel
from crm_analysis.models.segmentation.needs import Needs
from crm_analysis.models.segmentation.preparing.scaling import RFM
from crm_analysis.models.segmentation.result import Segmentation
from crm_analysis.models.storage import Feature, ModelDescription, load_model, save_model
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.workspace import project_root

SEGMENTS, NEEDS = "segments", "needs"


def save_segments(
    segmentation: Segmentation, source: Dataset, *, as_of: date, history_days: int, to: Path | None
) -> None:
    """
    Save what puts customers into segments.

    Parameters
    ----------
    segmentation : Segmentation
        The result.
    source : Dataset
        Whose customers they are.
    as_of : datetime.date
        The last day known.
    history_days : int
        Days looked back on for the features.
    to : pathlib.Path, optional
        The folder; None: nothing is written.

    Notes
    -----
    Segments kept from an earlier model are not saved again: they stay those of the day on which they were learned, and so does
    what is written about them.
    """
    if segmentation.is_kept:
        return
    model = segmentation.model
    needed = dict.fromkeys([*model.columns, *(RFM if model.grid is not None else ())])
    description = _description(
        SEGMENTS,
        source,
        as_of,
        features=tuple(Feature(name=name, meaning=_meaning(name)[0], unit=_meaning(name)[1]) for name in needed),
        parameters={"history_days": history_days},
        n_customers=len(segmentation.labels),
        algorithm=segmentation.algorithm,
        labels_by=model.assigned_by,
    )
    save_model(model.to_plain(), description, to=to)


def save_needs(needs: Needs, source: Dataset, *, column: str, as_of: date, history_days: int, to: Path | None) -> None:
    """
    Save what puts customers into groups by what they buy; nothing where needs are not known.

    Parameters
    ----------
    needs : Needs
        The result.
    source : Dataset
        Whose customers they are.
    column : str
        The column of the purchases that tells needs apart.
    as_of : datetime.date
        The last day known.
    history_days : int
        Days looked back on.
    to : pathlib.Path, optional
        The folder; None: nothing is written.
    """
    model = needs.offered_model
    if model is None:
        return
    description = _description(
        NEEDS,
        source,
        as_of,
        features=(
            Feature(name=column, meaning=f"shares of spend by {column}: {', '.join(model.levels)}", unit="share"),
            Feature(name="n_lines", meaning="purchase lines within the history", unit="lines"),
        ),
        parameters={"history_days": history_days, "needs_column": column},
        n_customers=len(needs.labels),
        algorithm=needs.algorithm,
        labels_by=model.assigned_by,
    )
    save_model(model.to_plain(), description, to=to)


def learned_segments(folder: str | None, *, history_days: int, currency: str) -> SegmentModel | None:
    """
    Return the segments of a model saved earlier, to be kept.

    Parameters
    ----------
    folder : str, optional
        Of the model; a relative path starts at the workspace's root.
    history_days : int
        Days looked back on for the features it will be applied to.
    currency : str
        Of their money.

    Returns
    -------
    SegmentModel or None
        None where none is asked for.

    Raises
    ------
    ModelError
        The folder holds no model of segments, or one of another history or currency.
    """
    if folder is None:
        return None
    saved = load_model(Path(folder), root=project_root())
    if saved.description.kind != SEGMENTS:
        raise ModelError(
            f"{folder} holds a model of kind {saved.description.kind!r}, not {SEGMENTS!r}. Name another folder."
        )
    described = saved.description
    learned = {"history_days": described.parameters.get("history_days"), "currency": described.currency}
    asked: dict[str, object] = {"history_days": history_days, "currency": currency}
    other = [f"{name} is {asked[name]} here and was {learned[name]}" for name in asked if asked[name] != learned[name]]
    if other:
        raise ModelError(f"The segments in {folder} cannot be kept: {'; '.join(other)}. Use the same, or learn anew.")
    return SegmentModel.from_plain(saved.content)


def _description(kind: str, source: Dataset, as_of: date, **said: object) -> ModelDescription:
    """Return what is written about a model of a dataset."""
    about = {"kind": kind, "dataset": source.name, "currency": source.currency, "as_of": as_of, "notes": source.notes}
    return ModelDescription.model_validate({**about, **said})


def _meaning(feature: str) -> tuple[str, str]:
    """Return meaning and unit of a feature, its name where it is no customer's feature of the workspace."""
    try:
        return feature_meaning(feature)
    except ValueError:
        return feature, "as given"
