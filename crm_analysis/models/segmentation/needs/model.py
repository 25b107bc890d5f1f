"""
Needs as something that lasts: what puts any customer, today's or next year's, into a group by what they buy.

How the groups are found is in ``result``; on disk, models are kept by :mod:`crm_analysis.models.storage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.errors import DataQualityError, ModelError
from crm_analysis.features.needs import OTHER, UNKNOWN
from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.grouping.arrays import grouping_from, plain_grouping
from crm_analysis.models.segmentation.grouping.assignment import CentreGrouping, MixtureGrouping
from crm_analysis.models.segmentation.model import NEAREST, ONE, PROBABLE
from crm_analysis.models.segmentation.preparing.baskets import checked_spend, total_spend
from crm_analysis.models.segmentation.preparing.composition import Composition

TOO_LITTLE = "too little bought to tell"
NEAREST_MEMBERS = "nearest mean of neighbouring members"
UNTOLD = -2


@dataclass(frozen=True, eq=False)
class NeedsModel:
    """
    Groups by what customers buy, learned once, and how any customer is put into one.

    Attributes
    ----------
    composition : Composition
        How purchases become points.
    min_lines : float
        Fewest purchase lines of a customer whose needs are told.
    grouping : CentreGrouping or MixtureGrouping
        Tells which of its centres or components is the customer's.
    groups : numpy.ndarray
        The group of each of these, from 0; -1 is noise. Dense groups have several centres each, means of neighbouring members.
    names : tuple of str
        The group's name by number.
    """

    composition: Composition
    min_lines: float
    grouping: CentreGrouping | MixtureGrouping
    groups: NDArray[np.intp]
    names: tuple[str, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """Return the categories by which spend has to be summed, without the columns for others and for lines without one."""
        return tuple(name for name in self.composition.categories if name not in {OTHER, UNKNOWN})

    @property
    def assigned_by(self) -> str:
        """Return how customers are put into groups."""
        if isinstance(self.grouping, MixtureGrouping):
            return PROBABLE
        if len(self.names) == 1 and (self.groups == 0).all():
            return ONE
        return NEAREST if len(self.groups) == len(self.names) else NEAREST_MEMBERS

    def label(self, spend: pd.DataFrame, lines: pd.Series) -> pd.Series:
        """
        Return the needs group of any customers.

        Parameters
        ----------
        spend : pandas.DataFrame
            Index ``customer_id``, a column per category: money, not negative, of a history as long as when it was learned.
        lines : pandas.Series
            Purchase lines by ``customer_id``.

        Returns
        -------
        pandas.Series
            Names of groups, same index; the same for a customer alone or among others. ``too little bought to tell`` where a
            customer has fewer than `min_lines` lines or no spend.

        Raises
        ------
        ModelError
            Categories are not known and the model has no column for others, or a value is missing, infinite, negative or no
            number.
        """
        if not len(spend):
            return pd.Series([], index=spend.index, dtype="str", name="need")
        try:
            spend, lines = checked_spend(spend, lines)
        except DataQualityError as error:
            raise ModelError(f"The model cannot be applied. {error}", faults=error.faults) from error
        return self.named(self.numbers(self.composition.aligned(spend), lines), spend.index)

    def numbers(self, spend: pd.DataFrame, lines: pd.Series) -> NDArray[np.intp]:
        """
        Return the number of each customer's group.

        Parameters
        ----------
        spend : pandas.DataFrame
            Money by customer and category of the model, sound.
        lines : pandas.Series
            Purchase lines, same index.

        Returns
        -------
        numpy.ndarray
            From 0; -1 is noise, -2 too little bought to tell.
        """
        numbers = np.full(len(spend), UNTOLD, dtype=np.intp)
        told = can_be_told(spend, lines, min_lines=self.min_lines)
        points = self.composition.points(spend[told], lines[told]).to_numpy()
        numbers[told] = self.groups[self.grouping.label(points)]
        return numbers

    def named(self, numbers: NDArray[np.intp], index: pd.Index) -> pd.Series:
        """
        Return numbers as names.

        Parameters
        ----------
        numbers : numpy.ndarray
            From :meth:`numbers`.
        index : pandas.Index
            The customers.

        Returns
        -------
        pandas.Series
            Name of each customer's group.
        """
        words = np.array([*self.names, TOO_LITTLE, NOISE_NAME], dtype=object)
        return pd.Series(words[numbers], index=index, dtype="str", name="need")

    def to_plain(self) -> dict[str, Any]:
        """
        Return the model as numbers, texts and arrays.

        Returns
        -------
        dict
            What :meth:`from_plain` takes; it holds no single customer.
        """
        made = self.composition
        return {
            "categories": list(made.categories),
            "other": made.other,
            "prior": made.prior,
            "prior_lines": np.array(made.prior_lines),  # may be infinite, which JSON has not
            "centre": made.centre,
            "axes": made.axes,
            "variance_kept": made.variance_kept,
            "min_lines": self.min_lines,
            "grouping": plain_grouping(self.grouping),
            "groups": self.groups.astype(np.int64),
            "names": list(self.names),
        }

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> NeedsModel:
        """
        Return the model from numbers, texts and arrays.

        Parameters
        ----------
        content : mapping
            From :meth:`to_plain`.

        Returns
        -------
        NeedsModel
            It labels as the one that was saved.

        Raises
        ------
        ModelError
            A part is missing or does not fit: the content is not that of a needs model of this version.
        """
        try:
            composition = Composition(
                categories=tuple(content["categories"]),
                other=content["other"],
                prior=np.asarray(content["prior"], dtype=float),
                prior_lines=float(content["prior_lines"]),
                centre=np.asarray(content["centre"], dtype=float),
                axes=np.asarray(content["axes"], dtype=float),
                variance_kept=float(content["variance_kept"]),
            )
            model = cls(
                composition=composition,
                min_lines=float(content["min_lines"]),
                grouping=grouping_from(content["grouping"]),
                groups=np.asarray(content["groups"], dtype=np.intp),
                names=tuple(content["names"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"This is no needs model of this version: {type(error).__name__} {error}. Make the model anew."
            ) from error
        if fault := _misfit(model):
            raise ModelError(f"This is no needs model of this version: {fault}. Make the model anew.")
        return model


def can_be_told(spend: pd.DataFrame, lines: pd.Series, *, min_lines: float) -> NDArray[np.bool_]:
    """
    Return which customers bought enough for their needs to be read.

    Parameters
    ----------
    spend : pandas.DataFrame
        Money by customer and category.
    lines : pandas.Series
        Purchase lines, same index.
    min_lines : float
        Fewest lines.

    Returns
    -------
    numpy.ndarray of bool
        True with enough lines and some spend.
    """
    return np.asarray((lines.to_numpy(dtype=float) >= min_lines) & (total_spend(spend) > 0), dtype=bool)


def _misfit(model: NeedsModel) -> str | None:
    """Return what of a model's parts does not fit together."""
    made, grouping, groups = model.composition, model.grouping, model.groups
    rows, columns = len(made.categories), made.axes.shape[-1]
    if not (made.prior.shape == made.centre.shape == (rows,) and made.axes.shape == (rows, columns)):
        return f"{rows} categories, but arrays of {made.prior.shape}, {made.centre.shape} and {made.axes.shape}"
    if grouping.n_features != columns or not 0 < len(groups) == grouping.n_groups:
        return f"{len(groups)} groups of {grouping.n_groups} centres in {grouping.n_features} of {columns} components"
    if not -1 <= groups.min() <= groups.max() < len(model.names):
        return f"groups from {groups.min()} to {groups.max()}, but {len(model.names)} names"
    return None
