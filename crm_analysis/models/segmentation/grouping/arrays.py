"""
Groupings as arrays, for a model that is saved: only those that hold no single customer.

What a grouping knows is in :mod:`crm_analysis.models.segmentation.grouping.assignment`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from crm_analysis.models.segmentation.grouping.assignment import CentreGrouping, Grouping, MixtureGrouping

_MIXTURE = ("weights", "means", "precisions_cholesky")


def plain_grouping(grouping: Grouping) -> dict[str, Any]:
    """
    Return a grouping as numbers, texts and arrays.

    Parameters
    ----------
    grouping : Grouping
        Around centres, or of a mixture.

    Returns
    -------
    dict
        For :func:`grouping_from`.

    Raises
    ------
    TypeError
        Dense groups consist of single customers and are not saved.
    """
    if isinstance(grouping, CentreGrouping):
        return {"algorithm": grouping.algorithm, "centres": grouping.centres}
    if isinstance(grouping, MixtureGrouping):
        arrays = {name: getattr(grouping, name) for name in _MIXTURE}
        return {"algorithm": grouping.algorithm, "covariance": grouping.covariance, **arrays}
    raise TypeError(f"a {type(grouping).__name__} holds single customers and is not saved")


def grouping_from(content: Mapping[str, Any]) -> CentreGrouping | MixtureGrouping:
    """
    Return a grouping from numbers, texts and arrays.

    Parameters
    ----------
    content : mapping
        From :func:`plain_grouping`.

    Returns
    -------
    CentreGrouping or MixtureGrouping
        It labels as the one that was saved.

    Raises
    ------
    KeyError, TypeError, ValueError
        A part is missing or of another kind.
    """
    algorithm = str(content["algorithm"])
    if "centres" in content:
        return CentreGrouping(algorithm, np.asarray(content["centres"], dtype=float))
    arrays = {name: np.asarray(content[name], dtype=float) for name in _MIXTURE}
    return MixtureGrouping(algorithm, covariance=str(content["covariance"]), **arrays)
