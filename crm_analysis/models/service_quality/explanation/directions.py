"""
Which way a model's probabilities move: along a number, and from level to level, among like cases.

That is how the model uses an attribute, no effect of changing it. How much an attribute matters is in
:mod:`crm_analysis.models.service_quality.explanation.drivers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.explaining.dependence import accumulated_local_effects, checked_forecasts, content_codes
from crm_analysis.models.service_quality.wording import (
    ENDING,
    WEEKDAYS,
    attribute_in_words,
    points_in_words,
    signed_points,
)
from crm_analysis.tables.privacy.suppression import hidden_rows, left_out_in_words

MAX_LEVELS = 8
MIN_CASES_AT_LEVEL = 5
MAX_CASES = 2500
N_POINTS = 12
FLAT = 0.01  # of probability: a range below a point
WOBBLE = 0.15  # of the range: smaller steps back do not count
_COLUMNS = ["attribute", "kind", "value", "level", "probability", "change", "n_cases", "customers"]

Predict = Callable[[pd.DataFrame], npt.ArrayLike]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Directions:
    """
    How probabilities move along attributes.

    Attributes
    ----------
    curves : pandas.DataFrame
        Rows of an attribute together, in the order asked for: ``attribute``; ``kind``: ``number`` or ``level``; ``value`` of a
        number, ``level`` (of a number: the value in words); ``probability`` there among like cases, ``change`` against the mean;
        ``n_cases`` and ``customers`` (of a number: from the value before up to this one).
    sentences : tuple of str
        One an attribute, and how to read them.
    notes : tuple of str
        What is left out.
    """

    curves: pd.DataFrame
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def case_directions(
    predict: Predict,
    cases: pd.DataFrame,
    *,
    outcome: str,
    attributes: Sequence[str],
    n_points: int = N_POINTS,
    min_cell: int = 1,
) -> Directions:
    """
    Return how probabilities move along each of some attributes.

    Parameters
    ----------
    predict : callable
        Takes a table like `cases`, returns a probability a row.
    cases : pandas.DataFrame
        Features with ``customer_id``; with more than 2,500, every second, third, … in the order of their content is used.
    outcome : str
        Which outcome the probabilities are of, for the words.
    attributes : sequence of str
        Columns of numbers or levels, in this order.
    n_points : int
        Values asked for along a number.
    min_cell : int
        Least number of customers a point is about.

    Returns
    -------
    Directions
        Curves and their words.

    Notes
    -----
    A number: accumulated local effects. A level: for the cases that have it, the mean probability less what it would be had
    each of them the other levels, in proportion to how common these are: only cases that are there are asked about. The eight
    commonest levels with at least five cases are told; points about too few customers are left out.

    References
    ----------
    Apley, Zhu (2020), "Visualizing the effects of predictor variables in black box supervised learning models", JRSS B 82(4).
    """
    unknown = [name for name in attributes if name not in cases]
    if unknown:
        raise ValueError(f"attributes must be columns of the cases, got {unknown[:5]!r}")
    sample = _in_order(cases, attributes)
    mean = float(checked_forecasts(predict, sample).mean()) if len(sample) else math.nan
    curves = []
    for name in attributes:
        is_number = pd.api.types.is_numeric_dtype(sample[name])
        told = (
            _along_number(predict, sample, name, n_points=n_points, min_cell=min_cell)
            if is_number
            else _by_level(predict, sample, name, mean, min_cell=min_cell)
        )
        curves.append(told.assign(attribute=name, kind="number" if is_number else "level"))
    table = _together(curves, mean)
    sentences = [_in_words(table[table["attribute"] == name], name, outcome) for name in attributes]
    left_out = left_out_in_words(min_cell, *(curve["probability"] for curve in curves))
    told = table[table["probability"].notna()].reset_index(drop=True)
    closing = "This is how the model uses them among like cases: association, not proof of a cause."
    return Directions(told, (*sentences, closing), (left_out,) if left_out else ())


def _in_order(cases: pd.DataFrame, attributes: Sequence[str]) -> pd.DataFrame:
    """Order cases by their content, and thin them where there are many."""
    keys = [content_codes(cases[name]) for name in sorted(attributes)]
    order = np.lexsort(keys) if keys else np.arange(len(cases))
    return cases.iloc[order[:: max(1, -(-len(cases) // MAX_CASES))]].reset_index(drop=True)


def _along_number(predict: Predict, sample: pd.DataFrame, name: str, *, n_points: int, min_cell: int) -> pd.DataFrame:
    """The accumulated local effect, in the columns of both kinds."""
    curve = accumulated_local_effects(
        predict, sample, feature=name, n_points=n_points, min_cell=min_cell, customers=sample["customer_id"]
    )
    known = int(np.isfinite(sample[name].to_numpy(dtype=float, na_value=np.nan)).sum())
    n_cases = (curve["below"] * known).round().diff().fillna(curve["below"] * known).round()
    level = curve["value"].map(lambda value: _value_in_words(name, value))
    return curve.assign(level=level.astype(object), n_cases=n_cases).rename(columns={"forecast": "probability"})


def _value_in_words(name: str, value: float) -> str:
    if name == "opened_weekday" and value in range(1, 8):
        return WEEKDAYS[int(value) - 1]
    return f"{value:g}"


def _by_level(predict: Predict, sample: pd.DataFrame, name: str, mean: float, *, min_cell: int) -> pd.DataFrame:
    """Each level against the mix of levels, among the cases that have it."""
    levels = sample[name].astype("str").fillna("not given")
    counts = sample.groupby(levels).agg(n_cases=("customer_id", "size"), customers=("customer_id", "nunique"))
    counts = counts.rename_axis("level").reset_index()
    counts = counts.sort_values(["n_cases", "level"], ascending=[False, True], ignore_index=True)
    hidden = hidden_rows(counts["customers"], min_cell=min_cell, disjoint=False)
    kept = counts[(counts["n_cases"] >= MIN_CASES_AT_LEVEL) & ~hidden].head(MAX_LEVELS)
    names, weight = list(kept["level"]), kept["n_cases"].to_numpy(dtype=float)
    changes = [_against_mix(predict, sample[levels == level], name, level, names, weight) for level in names]
    told = kept.assign(change=changes, probability=np.array(changes, dtype=float) + mean)
    told = told.sort_values(["change", "level"], ascending=[False, True])
    return told if len(kept) == len(counts) or not hidden.any() else pd.concat([told, _one_hidden()])


def _one_hidden() -> pd.DataFrame:
    """A row that stands for levels not shown."""
    return pd.DataFrame({"level": [""], "probability": [math.nan], "change": [math.nan]})


def _against_mix(
    predict: Predict, members: pd.DataFrame, name: str, level: str, names: Sequence[str], weight: Floats
) -> float:
    """Mean probability at a level less the weighted mean at all levels, over the cases that have it."""
    missing = members[name].isna()
    asked = [
        members if other == level else members.assign(**{name: other if other != "not given" else None})
        for other in names
    ]
    if not missing.any():
        asked = [table.astype({name: members[name].dtype}) for table in asked]
    means = np.array([float(checked_forecasts(predict, table).mean()) for table in asked])
    return float(means[list(names).index(level)] - (weight * means).sum() / weight.sum())


def _together(curves: Sequence[pd.DataFrame], mean: float) -> pd.DataFrame:
    if not curves:
        return pd.DataFrame(columns=_COLUMNS)
    parts = [curve.reindex(columns=_COLUMNS).astype({"value": float, "level": object}) for curve in curves]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    change = table["change"].astype(float)
    return table.assign(
        change=change.fillna(table["probability"].astype(float) - mean),
        probability=table["probability"].astype(float),
        n_cases=table["n_cases"].astype("Int64"),
        customers=table["customers"].astype("Int64"),
    )


def _in_words(curve: pd.DataFrame, name: str, outcome: str) -> str:
    """Say where the probability is highest and lowest, or how it goes up or down."""
    word, ending = attribute_in_words(name), ENDING.get(outcome, outcome.replace("_", " "))
    told = curve[curve["probability"].notna()]
    if len(told) < 2:
        return f"How the probability of {ending} goes with “{word}” is not told: too few values have enough customers."
    change = told["change"]
    if np.ptp(change) < FLAT or told["probability"].map("{:.0%}".format).nunique() < 2:
        return f"The probability of {ending} hardly changes with “{word}”, among like cases."
    most, least = (told.iloc[int(at)] for at in (np.argmax(change), np.argmin(change)))
    if told["kind"].iloc[0] == "level" or name == "opened_weekday":
        return (
            f"Among like cases the probability of {ending} is highest where the {word} is {most['level']} "
            f"({points_in_words(most['change'])} against the mean) and lowest where it is {least['level']} "
            f"({signed_points(least['change'])})."
        )
    little = WOBBLE * float(np.ptp(change))
    is_rising, is_falling = (float((line.cummax() - line).max()) <= little for line in (change, -change))
    trend = "rises" if is_rising else "falls" if is_falling else "goes up and down"
    first, last = told.iloc[0], told.iloc[-1]
    if trend == "goes up and down":
        first, last = least, most
    return (
        f"Among like cases the probability of {ending} {trend} with “{word}”: {first['probability']:.0%} at {first['level']}, "
        f"{last['probability']:.0%} at {last['level']}."
    )
