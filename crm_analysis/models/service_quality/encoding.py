"""
Case features as a model takes them: common levels in columns of their own or as rates, numbers as they are or scaled.

Which model then learns from them belongs in :mod:`crm_analysis.models.service_quality.prediction.classifiers`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

from crm_analysis.errors import DataQualityError
from crm_analysis.features.service import LEVELS, NUMBERS
from crm_analysis.models.service_quality.wording import ENDED

MIN_CASES_PER_LEVEL = 20
MAX_LEVELS = 30
N_FOLDS = 5  # in which rates by level are learnt, each from the other four
NOT_GIVEN = "not given"
OTHER = "other"
NOT_INPUTS = ("case_id", "customer_id", "opened_at", "due_at", "known_at", "is_open", "weight", *ENDED)

Kind = Literal["questions", "trees", "weights"]


class EncodedColumn(NamedTuple):
    """A column that a model sees: a number (`level` is None), or one level of an attribute."""

    attribute: str
    level: str | None


class Attributes(NamedTuple):
    """
    What may be learnt from, by kind.

    Attributes
    ----------
    levels : list of str
        Columns of text.
    numbers : list of str
        Columns of numbers and flags.
    """

    levels: list[str]
    numbers: list[str]


def attributes_of(features: pd.DataFrame) -> Attributes:
    """
    Return which columns of features a model may see.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case. Names of cases and customers, times and outcomes are no inputs.

    Returns
    -------
    Attributes
        Those known to the package in their usual order, then the source's own by name: an order of columns changes nothing.

    Examples
    --------
    >>> cases = pd.DataFrame({"case_id": ["a"], "impact": ["high"], "opened_hour": [3], "team": ["north"]})
    >>> attributes_of(cases)
    Attributes(levels=['team', 'impact'], numbers=['opened_hour'])
    """
    names = [str(name) for name in features.columns if name not in NOT_INPUTS]
    names = [name for name in names if not pd.api.types.is_datetime64_any_dtype(features[name])]
    others = sorted(set(names).difference(LEVELS, NUMBERS))
    is_number = {name: pd.api.types.is_numeric_dtype(features[name]) for name in others}  # flags are numbers
    levels = [name for name in LEVELS if name in names] + [name for name in others if not is_number[name]]
    return Attributes(levels, [name for name in NUMBERS if name in names] + [n for n in others if is_number[n]])


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
        Index ``case_id``; levels as text, numbers as float; numbers that are missing, or not finite, are NaN.
    """
    levels, numbers = attributes_of(features)
    columns: dict[str, Any] = {}
    for name in levels:
        texts = features[name].astype("str")
        columns[name] = texts.where(texts.notna(), NOT_GIVEN).array
    for name in numbers:
        values = features[name].to_numpy(dtype=float, na_value=np.nan)
        columns[name] = np.where(np.isfinite(values), values, np.nan)
    return pd.DataFrame(columns, index=pd.Index(features["case_id"], name="case_id"))


def classifier_pipeline(
    estimator: ClassifierMixin, inputs: pd.DataFrame, *, kind: Kind = "questions", seed: int = 0
) -> Pipeline:
    """
    Return an unfitted pipeline that encodes the attributes which vary and hands them to an estimator.

    Parameters
    ----------
    estimator : sklearn.base.ClassifierMixin
        A classifier that accepts NaN, unless `kind` is ``weights``.
    inputs : pandas.DataFrame
        Inputs of the training cases.
    kind : str
        ``questions``: each level asked for by name, so that rules can be read; ``trees``: an attribute with more than 30
        levels becomes one number, the rate of the outcome at the level; ``weights``: so, and numbers are filled in and scaled.
    seed : int
        Start of the folds in which rates are learnt.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``encode`` and ``classify``. A level with fewer than 20 training cases, one beyond the 30 commonest, and
        one never seen in training are treated alike.

    Raises
    ------
    DataQualityError
        Nothing varies.

    Notes
    -----
    A rate by level is drawn towards the rate of all cases, the more so the fewer cases a level has, and that of a training
    case is learnt from other cases only.

    References
    ----------
    Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 3(1).
    """
    levels, numbers = ([name for name in names if varies(inputs[name])] for names in _kinds(inputs))
    if not levels and not numbers:
        raise DataQualityError(
            f"All {len(inputs)} service cases are alike in {', '.join(inputs.columns)}: nothing to learn from."
        )
    many = [name for name in levels if kind != "questions" and inputs[name].nunique() > MAX_LEVELS]
    few = [name for name in levels if name not in many]
    parts = [
        ("levels", _one_hot(), few),
        ("rates", _rates(seed, scaled=kind == "weights"), many),
        ("numbers", _numbers(scaled=kind == "weights"), numbers),
    ]
    encode = ColumnTransformer([part for part in parts if part[2]])
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
        In the order of the columns. Rates by level, and flags for missing numbers, stand for their attribute as numbers do.
    """
    columns: list[EncodedColumn] = []
    for part, encoder, attributes in classifier["encode"].transformers_:
        if part == "levels":
            for index, attribute in enumerate(attributes):
                columns += [EncodedColumn(attribute, level) for level in _kept_levels(encoder, index)]
        elif part in {"rates", "numbers"}:
            columns += [EncodedColumn(name, None) for name in attributes]
            if part == "numbers" and isinstance(encoder, Pipeline):
                columns += [EncodedColumn(attributes[index], None) for index in encoder[0].indicator_.features_]
    return columns


def varies(values: pd.Series) -> bool:
    """
    Return whether there is anything to tell cases apart by; a missing value is one, too.

    Parameters
    ----------
    values : pandas.Series
        An attribute.

    Returns
    -------
    bool
        False for one value only.
    """
    return len(values.unique()) > 1


def single_precision(values: pd.DataFrame) -> npt.NDArray[np.float32]:
    """
    Return numbers in half the memory: trees reckon with no more digits.

    Parameters
    ----------
    values : pandas.DataFrame
        Numbers.

    Returns
    -------
    numpy.ndarray
        Of the same shape.
    """
    return np.asarray(values, dtype=np.float32)


def _kinds(inputs: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Texts and numbers of inputs in their order."""
    numbers = [name for name in inputs.columns if pd.api.types.is_numeric_dtype(inputs[name])]
    return [name for name in inputs.columns if name not in numbers], numbers


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=MIN_CASES_PER_LEVEL,
        max_categories=MAX_LEVELS,
        sparse_output=False,
        dtype=np.float32,
    )


def _rates(seed: int, *, scaled: bool) -> Pipeline:
    encoder = TargetEncoder(target_type="binary", cv=StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed))
    return make_pipeline(encoder, StandardScaler() if scaled else FunctionTransformer(single_precision))


def _numbers(*, scaled: bool) -> FunctionTransformer | Pipeline:
    if scaled:
        return make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return FunctionTransformer(single_precision, feature_names_out="one-to-one")


def _kept_levels(one_hot: Any, index: int) -> list[str]:
    """Common levels by name, then all rare ones as one: the encoder's own order."""
    rare = one_hot.infrequent_categories_[index]
    if rare is None:
        return [str(level) for level in one_hot.categories_[index]]
    return [str(level) for level in one_hot.categories_[index] if level not in set(rare)] + [OTHER]
