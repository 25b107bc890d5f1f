"""
Segments as something that lasts: what puts any customer, today's or next year's, into one of them.

How segments are found is in ``grouping``; on disk, models are kept by :mod:`crm_analysis.models.storage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crm_analysis.errors import DataQualityError, ModelError
from crm_analysis.models.segmentation.describing.rules import SegmentRules
from crm_analysis.models.segmentation.grouping.arrays import grouping_from, plain_grouping
from crm_analysis.models.segmentation.grouping.assignment import Grouping, MixtureGrouping
from crm_analysis.models.segmentation.preparing.scaling import Scaling, checked_features
from crm_analysis.models.segmentation.rfm import RFMGrid

NEAREST, PROBABLE, RULES, ONE = "nearest centre", "most probable component", "rules", "one segment for all"
_SCALES = ("log_unit", "centre", "spread")


@dataclass(frozen=True)
class SegmentModel:
    """
    Segments, learned once, and how any customer is put into one.

    Attributes
    ----------
    columns : tuple of str
        The features by which customers are grouped.
    scaling : Scaling
        How features become points.
    grouping : Grouping or None
        Labels customers by itself; None where the algorithm cannot (DBSCAN, HDBSCAN) or there is one segment.
    names : mapping
        Group number to segment.
    rules : SegmentRules
        The surrogate rules; they label where `grouping` cannot.
    grid : RFMGrid or None
        The edges of recency, frequency and monetary value; None where the features lack one of them.
    """

    columns: tuple[str, ...]
    scaling: Scaling
    grouping: Grouping | None
    names: Mapping[int, str]
    rules: SegmentRules
    grid: RFMGrid | None

    @property
    def assigned_by(self) -> str:
        """Return how customers are put into segments."""
        if self.grouping is not None:
            return PROBABLE if isinstance(self.grouping, MixtureGrouping) else NEAREST
        return ONE if len(self.rules.segments) == 1 else RULES

    def label(self, features: pd.DataFrame) -> pd.Series:
        """
        Return the segment of any customers.

        Parameters
        ----------
        features : pandas.DataFrame
            Index ``customer_id``; the columns of the model, of the same definition and history as when it was learned.

        Returns
        -------
        pandas.Series
            Segments by name, same index; the same for a customer alone or among others.

        Raises
        ------
        ModelError
            A column is not there, or a value is missing, infinite or no number.
        """
        values = _known(features, self.columns)
        if self.grouping is not None:
            numbers = self.grouping.label(self.scaling.apply(values).to_numpy())
            return pd.Series(numbers, index=values.index).map(dict(self.names)).astype("str").rename("segment")
        return self.rules.label(values).rename("segment")

    def scores(self, features: pd.DataFrame) -> pd.DataFrame:
        """
        Return everything the model says of customers.

        Parameters
        ----------
        features : pandas.DataFrame
            As for :meth:`label`.

        Returns
        -------
        pandas.DataFrame
            Same index: ``segment``, ``assigned_by``, and the scores and segment of the RFM grid where the model has one.
        """
        table = self.label(features).to_frame().assign(assigned_by=self.assigned_by)
        return table if self.grid is None else table.join(self.grid.score(features))

    def to_plain(self) -> dict[str, Any]:
        """
        Return the model as numbers, texts and arrays.

        Returns
        -------
        dict
            What :meth:`from_plain` takes; it holds no single customer.
        """
        return {
            "columns": list(self.columns),
            "scaling": {
                "features": [str(name) for name in self.scaling.table.index],
                **{scale: self.scaling.table[scale].to_numpy(dtype=float) for scale in _SCALES},
                "constant": list(self.scaling.constant),
            },
            "grouping": None if self.grouping is None else plain_grouping(self.grouping),
            "numbers": np.array(list(self.names), dtype=np.int64),
            "names": list(self.names.values()),
            "rules": self.rules.to_dict(),
            "grid": None if self.grid is None else self.grid.to_arrays(),
        }

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> SegmentModel:
        """
        Return the model from numbers, texts and arrays.

        Parameters
        ----------
        content : mapping
            From :meth:`to_plain`.

        Returns
        -------
        SegmentModel
            It labels as the one that was saved.

        Raises
        ------
        ModelError
            A part is missing: the content is not that of a segment model of this version.
        """
        try:
            scaling = content["scaling"]
            table = pd.DataFrame({scale: scaling[scale] for scale in _SCALES}, index=scaling["features"], dtype=float)
            grid = content["grid"]
            return cls(
                columns=tuple(content["columns"]),
                scaling=Scaling(table, tuple(scaling["constant"])),
                grouping=None if content["grouping"] is None else grouping_from(content["grouping"]),
                names=dict(zip(content["numbers"].tolist(), content["names"], strict=True)),
                rules=SegmentRules.from_dict(content["rules"]),
                grid=None if grid is None else RFMGrid.from_arrays(grid),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelError(
                f"This is no segment model of this version: {type(error).__name__} {error}. Make the model anew."
            ) from error


def _known(features: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the model's columns, or say what of them cannot be used."""
    absent = [name for name in columns if name not in features.columns]
    if absent:
        raise ModelError(
            f"The model needs {len(absent)} features that these customers do not have: {', '.join(absent)}. "
            f"They have {', '.join(map(str, list(features.columns)[:12]))}. Use data that have them, or make a model without."
        )
    try:
        return checked_features(features, columns)
    except DataQualityError as error:
        raise ModelError(f"The model cannot be applied. {error}", faults=error.faults) from error
