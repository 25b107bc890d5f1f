"""
What goes with an outcome: how much worse predictions get without an attribute, and how the rate differs by its levels.

Both are associations in the data at hand, no proof of a cause. Rules of the tree are in
:mod:`crm_analysis.models.service_quality.prediction.rules`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm
from sklearn.pipeline import Pipeline

from crm_analysis.models.service_quality.prediction.encoding import encoded_columns, model_inputs
from crm_analysis.models.service_quality.wording import WEEKDAYS, first_range, number_range
from crm_analysis.tables.privacy.suppression import hidden_rows, small

MIN_CASES_SHOWN = 5
MAX_ROWS = 2000
MAX_LEVELS_SHOWN = 8
N_BINS = 4
LEVEL_OF_INTERVALS = 0.95
_CERTAIN = 1e-6
_DAYTIMES = {0: "0:00 to 5:59", 6: "6:00 to 11:59", 12: "12:00 to 17:59", 18: "18:00 to 23:59"}


def driver_importance(
    classifier: Pipeline, cases: pd.DataFrame, *, outcome: str, seed: int, n_repeats: int = 3
) -> pd.DataFrame:
    """
    Return how much worse a model predicts once an attribute is shuffled among cases it has not learnt from.

    Parameters
    ----------
    classifier : sklearn.pipeline.Pipeline
        Fitted.
    cases : pandas.DataFrame
        Features and outcome of later cases; 2,000 of them are drawn when there are more.
    outcome : str
        The column that holds the outcome.
    seed : int
        Start of everything random.
    n_repeats : int
        Times that every attribute is shuffled.

    Returns
    -------
    pandas.DataFrame
        One row per attribute the model looks at, largest first: ``attribute``, ``importance`` (increase of the mean log
        loss) and its 95 % interval ``low`` to ``high``.

    Notes
    -----
    Permutation importance by attribute, all levels of it at once. The increase is averaged over the repeats for every
    case; the interval is a normal one over customers, because cases of one customer are alike. Attributes that carry the
    same information share it: each looks smaller than both together.

    References
    ----------
    Breiman (2001), "Random Forests", Machine Learning 45; Fisher, Rudin, Dominici (2019), JMLR 20(177).
    """
    rng = np.random.default_rng(seed)
    sample = cases if len(cases) <= MAX_ROWS else cases.iloc[np.sort(rng.choice(len(cases), MAX_ROWS, replace=False))]
    encoded, truth = classifier["encode"].transform(model_inputs(sample)), sample[outcome].to_numpy()
    parts = _columns_by_attribute(classifier)
    attributes = list(parts)
    increase = np.zeros((len(attributes), len(sample)))
    base = _losses(truth, classifier["classify"].predict_proba(encoded)[:, 1])
    for _ in range(n_repeats):
        shuffled = np.concatenate([_shuffled(encoded, columns, rng) for columns in parts.values()])
        losses = _losses(np.tile(truth, len(attributes)), classifier["classify"].predict_proba(shuffled)[:, 1])
        increase += (losses.reshape(len(attributes), -1) - base) / n_repeats
    half = norm.ppf((1 + LEVEL_OF_INTERVALS) / 2) * _standard_errors(increase, sample["customer_id"])
    mean = increase.mean(axis=1)
    table = pd.DataFrame({"attribute": attributes, "importance": mean, "low": mean - half, "high": mean + half})
    return table.sort_values(["importance", "attribute"], ascending=[False, True], ignore_index=True)


def rates_by_level(cases: pd.DataFrame, *, outcome: str, attributes: Sequence[str], min_cell: int = 1) -> pd.DataFrame:
    """
    Return the share of cases with the outcome at each level of some attributes.

    Parameters
    ----------
    cases : pandas.DataFrame
        Features and outcome, one row per case, with ``customer_id``.
    outcome : str
        The column that holds the outcome.
    attributes : sequence of str
        Which attributes, in this order.
    min_cell : int
        Least number of customers that a row is about.

    Returns
    -------
    pandas.DataFrame
        ``attribute``, ``level``, ``n_cases``, ``rate`` and its 95 % Wilson interval ``low`` to ``high``. Numbers are cut
        into ranges. Text levels come with the highest rate first; those beyond the eight commonest, and those with fewer
        than five cases or too few customers, are put together as "other", with the next smallest where that is needed. A level
        or range that still has too few is left out, and another one with it that would give it away.

    Examples
    --------
    >>> cases = pd.DataFrame({"team": ["A"] * 6 + ["B"] * 6, "sla_missed": [1] * 3 + [0] * 9, "customer_id": range(12)})
    >>> rates_by_level(cases, outcome="sla_missed", attributes=["team"])[["level", "n_cases", "rate"]].values.tolist()
    [['A', 6, 0.5], ['B', 6, 0.0]]
    """
    tables = [
        _rates(cases[outcome], _levels(cases[name], min_cell=min_cell), name, cases["customer_id"], min_cell=min_cell)
        for name in attributes
    ]
    columns = ["attribute", "level", "n_cases", "rate", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def wilson_interval(n_yes: pd.Series, n_cases: pd.Series) -> tuple[pd.Series, pd.Series]:
    """
    Return the 95 % interval of a share.

    Parameters
    ----------
    n_yes : pandas.Series
        Numbers of cases with the outcome.
    n_cases : pandas.Series
        Numbers of cases, at least 1.

    Returns
    -------
    tuple of pandas.Series
        Lower and upper ends, between 0 and 1.

    References
    ----------
    Wilson (1927), "Probable Inference", JASA 22(158).
    """
    z = norm.ppf((1 + LEVEL_OF_INTERVALS) / 2)
    rate, scale = n_yes / n_cases, 1 + z**2 / n_cases
    centre = (rate + z**2 / (2 * n_cases)) / scale
    half = z / scale * np.sqrt(rate * (1 - rate) / n_cases + z**2 / (4 * n_cases**2))
    return (centre - half).clip(lower=0), (centre + half).clip(upper=1)


def _losses(truth: npt.NDArray[np.int64], probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    clipped = np.clip(probability, _CERTAIN, 1 - _CERTAIN)
    return -np.log(np.where(truth == 1, clipped, 1 - clipped))


def _columns_by_attribute(classifier: Pipeline) -> dict[str, list[int]]:
    """Which columns the estimator sees of each attribute: one of a number, several of levels."""
    parts: dict[str, list[int]] = {}
    for position, column in enumerate(encoded_columns(classifier)):
        parts.setdefault(column.attribute, []).append(position)
    return parts


def _shuffled(
    encoded: npt.NDArray[np.float64], columns: list[int], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    shuffled = encoded.copy()
    shuffled[:, columns] = encoded[rng.permutation(len(encoded))][:, columns]
    return shuffled


def _standard_errors(increase: npt.NDArray[np.float64], customers: pd.Series) -> npt.NDArray[np.float64]:
    """Of the means over cases, whose residuals are summed by customer first."""
    residuals = pd.DataFrame((increase - increase.mean(axis=1, keepdims=True)).T)
    sums = residuals.groupby(customers.to_numpy()).sum()
    return np.asarray(np.sqrt((sums**2).sum()) / len(residuals), dtype=float)


def _levels(values: pd.Series, *, min_cell: int) -> pd.Series:
    """Text levels, or ranges of a number in their order (an ordered categorical)."""
    if values.name == "opened_weekday":
        return _named(values, dict(enumerate(WEEKDAYS, start=1)))
    if values.name == "opened_hour":
        return _named(values // 6 * 6, _DAYTIMES)
    if pd.api.types.is_numeric_dtype(values):
        return _ranges(values, min_cell=min_cell)
    return values.astype("str").fillna("not given")


def _named(values: pd.Series, names: dict[int, str]) -> pd.Series:
    return pd.Series(
        pd.Categorical(values.map(names), categories=list(names.values()), ordered=True), index=values.index
    )


def _ranges(values: pd.Series, *, min_cell: int) -> pd.Series:
    """Ranges with about equal numbers of cases; each value of a number that has only a few."""
    distinct = np.sort(values.dropna().unique())
    if len(distinct) <= N_BINS:
        starts = distinct
    else:
        starts = np.unique(np.quantile(values.dropna(), np.arange(N_BINS) / N_BINS, method="higher"))
    names = [*(number_range(values, start, starts) for start in starts), "none"]
    if min_cell > 1 and 1 < len(starts) < len(distinct):
        names[0] = first_range(values, starts)  # the least value is one customer's
    position = np.searchsorted(starts, values.to_numpy(dtype=float), side="right") - 1
    codes = np.where(values.isna(), len(names) - 1, position)
    labels = np.array(names, dtype=object)[codes]
    return pd.Series(pd.Categorical(labels, categories=names, ordered=True), index=values.index)


def _rates(
    outcome: pd.Series, levels: pd.Series, attribute: str, customers: pd.Series, *, min_cell: int
) -> pd.DataFrame:
    is_text = not isinstance(levels.dtype, pd.CategoricalDtype)
    if is_text:
        levels = _with_others(levels, customers, min_cell=min_cell)
    cases = pd.DataFrame({"outcome": outcome, "customer_id": customers, "level": levels})
    grouped = cases.groupby("level", observed=True).agg(
        n_cases=("outcome", "size"), n_yes=("outcome", "sum"), customers=("customer_id", "nunique")
    )
    hidden = hidden_rows(grouped["customers"], min_cell=min_cell, disjoint=False)
    grouped = grouped[(grouped["n_cases"] >= MIN_CASES_SHOWN) & ~hidden]
    low, high = wilson_interval(grouped["n_yes"], grouped["n_cases"])
    rate = grouped["n_yes"] / grouped["n_cases"]
    level = grouped.index.astype("str")
    table: pd.DataFrame = grouped.assign(attribute=attribute, level=level, rate=rate, low=low, high=high)
    return table.sort_values("rate", ascending=False, kind="stable") if is_text else table


def _with_others(levels: pd.Series, customers: pd.Series, *, min_cell: int) -> pd.Series:
    """Put rare levels together as "other", and the next smallest with them until they are of enough customers."""
    counts = levels.value_counts()
    sizes = customers.groupby(levels).nunique().reindex(counts.index)
    beyond = np.arange(len(counts)) >= MAX_LEVELS_SHOWN
    rare = list(counts.index[(counts < MIN_CASES_SHOWN) | beyond | small(sizes, min_cell=min_cell)])
    common = [level for level in sizes.sort_values(kind="stable").index if level not in rare]
    while min_cell > 1 and rare and common and customers[levels.isin(rare)].nunique() < min_cell:
        rare.append(common.pop(0))
    return levels.where(~levels.isin(rare), "other")
