"""
Case features as a model takes them: levels in columns of their own, rare and unknown ones together, numbers as they are.

Which model then learns from them belongs in :mod:`crm_analysis.models.service_quality.prediction.classifiers`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from crm_analysis.errors import DataQualityError
from crm_analysis.features.service import LEVELS, NUMBERS

MIN_CASES_PER_LEVEL = 20
MAX_LEVELS = 30
NOT_GIVEN = "not given"
OTHER = "other"


class EncodedColumn(NamedTuple):
    """A column that a model sees: a number (`level` is None), or one level of an attribute."""

    attribute: str
    level: str | None


def model_inputs(features: pd.DataFrame) -> pd.DataFrame:
    """
    Return the attributes that a model may see, with their missing levels named.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case, as :func:`crm_analysis.features.service.case_features` returns them.

    Returns
    -------
    pandas.DataFrame
        Index ``case_id``; levels as text, numbers as float, missing numbers as NaN.
    """
    inputs = features.set_index("case_id")[[*LEVELS, *NUMBERS]]
    levels = inputs[list(LEVELS)].astype("str")
    return inputs[list(NUMBERS)].astype("float64").join(levels.where(levels.notna(), NOT_GIVEN))[[*LEVELS, *NUMBERS]]


def classifier_pipeline(estimator: ClassifierMixin, inputs: pd.DataFrame) -> Pipeline:
    """
    Return an unfitted pipeline that encodes the attributes which vary and hands them to an estimator.

    Parameters
    ----------
    estimator : sklearn.base.ClassifierMixin
        A classifier that accepts NaN.
    inputs : pandas.DataFrame
        Inputs of the training cases.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``encode`` and ``classify``. A level with fewer than 20 training cases, one beyond the 30 commonest, and
        one never seen in training are treated alike.

    Raises
    ------
    DataQualityError
        Nothing varies.
    """
    attributes = [*LEVELS, *NUMBERS]
    varying = [name for name in attributes if len(inputs[name].unique()) > 1]
    if not varying:
        raise DataQualityError(
            f"All {len(inputs)} service cases are alike in {', '.join(attributes)}: nothing to learn from."
        )
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=MIN_CASES_PER_LEVEL,
        max_categories=MAX_LEVELS,
        sparse_output=False,
    )
    levels = [name for name in LEVELS if name in varying]
    numbers = [name for name in NUMBERS if name in varying]
    encode = ColumnTransformer([("levels", one_hot, levels), ("numbers", "passthrough", numbers)])
    return Pipeline([("encode", encode), ("classify", estimator)])


def encoded_columns(classifier: Pipeline) -> list[EncodedColumn]:
    """
    Return what each column that the estimator sees stands for.

    Parameters
    ----------
    classifier : sklearn.pipeline.Pipeline
        Fitted.

    Returns
    -------
    list of EncodedColumn
        In the order of the columns.
    """
    (_, one_hot, levels), (_, _, numbers) = classifier["encode"].transformers_[:2]
    columns: list[EncodedColumn] = []
    for index, attribute in enumerate(levels):
        columns += [EncodedColumn(attribute, level) for level in _kept_levels(one_hot, index)]
    return columns + [EncodedColumn(name, None) for name in numbers]


def _kept_levels(one_hot: Any, index: int) -> list[str]:
    """Common levels by name, then all rare ones as one: the encoder's own order."""
    rare = one_hot.infrequent_categories_[index]
    if rare is None:
        return [str(level) for level in one_hot.categories_[index]]
    return [str(level) for level in one_hot.categories_[index] if level not in set(rare)] + [OTHER]
