"""
Why a model gives a case its probability: what each attribute adds to the mean, and up to three reasons in words.

Reasons say what the model uses, no cause. What matters over all cases is in
:mod:`crm_analysis.models.service_quality.explanation.drivers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.explaining.dependence import checked_forecasts, content_codes
from crm_analysis.models.service_quality.encoding import attributes_of
from crm_analysis.models.service_quality.wording import ENDING, WEEKDAYS, attribute_in_words, points_in_words

N_BACKGROUND = 40
N_ORDERS = 2  # through the attributes a background case: one drawn, and its reverse
ROWS_AT_ONCE = 100_000
LEAST_POINTS = 0.01  # of probability: less is no reason
SURENESS = 2.0  # standard errors of the sampling that a reason has to lie above zero
NO_REASON = "nothing stands out"
_UNTOLD = "\x1funtold"  # there, but not to be told of a single case
_TIMES = ("opened_weekday", "opened_hour")

Predict = Callable[[pd.DataFrame], npt.ArrayLike]
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]


@dataclass(frozen=True)
class CaseReasons:
    """
    What a model's probabilities of some cases are made of.

    Attributes
    ----------
    mean : float
        Mean probability of the past cases compared with.
    contributions : pandas.DataFrame
        Index ``case_id``, a column an attribute: what it adds to the mean; a case's row sums to its probability less `mean`.
    reasons : pandas.DataFrame
        Index ``case_id``, in the order given: ``probability`` and ``reasons``, up to three that raise it, largest first.
    sentences : tuple of str
        How to read them, and what raises most probabilities.
    """

    mean: float
    contributions: pd.DataFrame
    reasons: pd.DataFrame
    sentences: tuple[str, ...]


def case_reasons(
    predict: Predict,
    cases: pd.DataFrame,
    *,
    past: pd.DataFrame,
    outcome: str,
    groups: Mapping[str, Sequence[str]] | None = None,
    n_reasons: int = 3,
    n_background: int = N_BACKGROUND,
    seed: int,
    min_cell: int = 1,
) -> CaseReasons:
    """
    Return what each attribute adds to the probability of each case, and the largest of it in words.

    Parameters
    ----------
    predict : callable
        Takes a table like `cases`, returns a probability a row.
    cases : pandas.DataFrame
        Features with ``case_id``, such as the open cases at risk.
    past : pandas.DataFrame
        Features of the past cases that they are compared with; some of them are drawn.
    outcome : str
        Which outcome the probabilities are of, for the words.
    groups : mapping of str to sequence of str, optional
        Attributes that are told as one reason, by a name in words; default: each by itself.
    n_reasons : int
        Most reasons a case.
    n_background : int
        Past cases drawn.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about; above 1 no number of a single case is told, nor a level of fewer
        customers.

    Returns
    -------
    CaseReasons
        Contributions and reasons.

    Raises
    ------
    TooFewRecordsError
        There are no past cases.

    Notes
    -----
    Interventional Shapley values, sampled: on the way from a past case to the case asked about, attributes are put in place one
    after the other, each time in a drawn order and in its reverse; what the probability moves by is the attribute's. The
    sum is exact, its parts have a sampling error; what lies within two standard errors of zero, or under a point, is no
    reason. Two attributes that tell the same share what they add.

    References
    ----------
    Štrumbelj, Kononenko (2014), Knowledge and Information Systems 41(3); Lundberg, Lee (2017), NeurIPS 30; Mitchell et al.
    (2022), "Sampling permutations for Shapley value estimation", JMLR 23(43).

    Examples
    --------
    >>> past = pd.DataFrame({"team": ["north", "south"] * 20, "opened_hour": [9, 9, 17, 17] * 10})
    >>> cases = pd.DataFrame({"case_id": ["c1"], "team": ["north"], "opened_hour": [9]})
    >>> late = lambda rows: 0.2 + 0.4 * (rows["team"] == "north")
    >>> case_reasons(late, cases, past=past, outcome="sla_missed", seed=0).reasons["reasons"].item()
    'team is north (+20 points)'
    """
    if past.empty:
        raise TooFewRecordsError("There are no past cases to compare with; use a later as_of.")
    parts = _parts(cases, past, groups)
    columns = [name for members in parts.values() for name in members]
    background = _drawn(past, columns, n_background=n_background, seed=seed)
    of_case = checked_forecasts(predict, cases) if len(cases) else np.zeros(0)
    of_background = checked_forecasts(predict, background)
    orders = _orders(len(parts), len(background), seed=seed)
    moved = _walked(predict, cases, background, list(parts.values()), orders, of_case, of_background)
    share = moved.mean(axis=0)  # cases by parts
    pairs = moved.reshape(len(background), N_ORDERS, *share.shape).mean(axis=1)
    error = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.zeros_like(share)
    index = pd.Index(cases["case_id"], name="case_id")
    rows = _rows(_discreet(cases, past, columns, min_cell=min_cell), columns)
    contributions = pd.DataFrame(share, index=index, columns=list(parts))
    told = [_reasons(row, share[at], error[at], parts, n_reasons) for at, row in enumerate(rows)]
    reasons = pd.DataFrame({"probability": of_case, "reasons": pd.Series(told, dtype=object).array}, index=index)
    mean = float(of_background.mean())
    return CaseReasons(mean, contributions, reasons, _in_words(contributions, mean, outcome, parts))


def _parts(cases: pd.DataFrame, past: pd.DataFrame, groups: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    """Attributes that move together, by name; those in no group move alone."""
    levels, numbers = attributes_of(cases)
    known = [name for name in (*levels, *numbers) if name in past and name != "probability"]
    given = {str(word): list(members) for word, members in (groups or {}).items()}
    grouped = [name for members in given.values() for name in members]
    unknown = [name for name in grouped if name not in cases or name not in past]
    if unknown or len(set(grouped)) < len(grouped):
        raise ValueError(f"groups must hold columns of both tables, each once; unknown: {unknown[:5]}")
    several = {word: members for word, members in given.items() if len(members) > 1}
    alone = [name for name in dict.fromkeys((*known, *grouped)) if not any(name in of for of in several.values())]
    parts = {**several, **{name: [name] for name in alone}}
    if not parts:
        raise ValueError("cases and past have no attribute in common")
    return parts


def _drawn(past: pd.DataFrame, columns: Sequence[str], *, n_background: int, seed: int) -> pd.DataFrame:
    """Draw past cases, blind to their order and names."""
    order = np.lexsort([content_codes(past[name]) for name in sorted(columns)])
    size = min(n_background, len(past))
    chosen = np.random.default_rng(seed).choice(len(past), size, replace=False)
    return past.iloc[order[np.sort(chosen)]].reset_index(drop=True)


def _orders(n_parts: int, n_background: int, *, seed: int) -> Whole:
    """For each background case the place of each part in a drawn order, and in its reverse."""
    draws = np.random.default_rng([seed, 1])
    drawn = np.array([draws.permutation(n_parts) for _ in range(n_background)])
    return np.stack([drawn, n_parts - 1 - drawn], axis=1).reshape(-1, n_parts)


def _walked(
    predict: Predict,
    cases: pd.DataFrame,
    background: pd.DataFrame,
    parts: Sequence[Sequence[str]],
    orders: Whole,
    of_case: Floats,
    of_background: Floats,
) -> Floats:
    """What each part moves: walks by cases by parts."""
    n_walks, n_parts = orders.shape
    path = np.empty((n_walks, n_parts + 1, len(cases)))
    path[:, 0], path[:, -1] = np.repeat(of_background, N_ORDERS)[:, None], of_case
    both = pd.concat([cases[background.columns.intersection(cases.columns)], background], ignore_index=True)
    between = [(walk, step) for walk in range(n_walks) for step in range(1, n_parts)]
    at_once = max(1, ROWS_AT_ONCE // max(len(cases), 1))
    for stops in _batches(between, at_once) if len(cases) else ():
        table = _mixed(cases, both, parts, orders, stops)
        found = checked_forecasts(predict, table).reshape(len(stops), len(cases))
        for (walk, step), values in zip(stops, found, strict=True):
            path[walk, step] = values
    moves = np.diff(path, axis=1)  # by the place in the order
    taken = np.take_along_axis(moves, orders[:, :, None], axis=1)  # by part
    return np.asarray(taken.transpose(0, 2, 1))


def _batches(stops: Sequence[tuple[int, int]], size: int) -> Iterator[Sequence[tuple[int, int]]]:
    for start in range(0, len(stops), size):
        yield stops[start : start + size]


def _mixed(
    cases: pd.DataFrame,
    both: pd.DataFrame,
    parts: Sequence[Sequence[str]],
    orders: Whole,
    stops: Sequence[tuple[int, int]],
) -> pd.DataFrame:
    """All cases at each stop: parts whose turn has come are the case's own, the others the background case's."""
    n_cases = len(cases)
    walk = np.array([walk for walk, _ in stops])
    step = np.array([step for _, step in stops])
    own = np.tile(np.arange(n_cases), len(stops))
    other = np.repeat(n_cases + walk // N_ORDERS, n_cases)
    table = cases.take(own).reset_index(drop=True)
    changed = {}
    for at, members in enumerate(parts):
        is_own = np.repeat(orders[walk, at] < step, n_cases)
        rows = np.where(is_own, own, other)
        changed.update({name: both[name].array.take(rows) for name in members})
    if "case_id" in table:
        changed["case_id"] = np.arange(len(table)).astype(str)
    return table.assign(**changed)


def _rows(cases: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in cases[list(columns)].itertuples(index=False, name=None)]


def _discreet(cases: pd.DataFrame, past: pd.DataFrame, columns: Sequence[str], *, min_cell: int) -> pd.DataFrame:
    """What may be told of single cases: of rare levels, and of numbers but the time, only that they are there."""
    if min_cell == 1:
        return cases
    told = cases.copy()
    for name in columns:
        known = cases[name].notna()
        if pd.api.types.is_numeric_dtype(cases[name]):
            untold = known & (name not in _TIMES)
        else:
            customers = past.groupby(name)["customer_id"].nunique()
            untold = known & ~(cases[name].map(customers) >= min_cell).fillna(value=False).astype(bool)
        told[name] = told[name].astype(object).mask(untold, _UNTOLD)
    return told


def _reasons(
    row: Mapping[str, object], share: Floats, error: Floats, parts: Mapping[str, Sequence[str]], n_reasons: int
) -> str:
    """The largest contributions that raise the probability, in words."""
    names = list(parts)
    order = sorted(range(len(names)), key=lambda at: (-round(float(share[at]), 9), names[at]))
    strong = [at for at in order if share[at] >= LEAST_POINTS and share[at] > SURENESS * error[at]]
    told = [f"{_condition(parts[names[at]], row)} ({points_in_words(share[at])})" for at in strong[:n_reasons]]
    return "; ".join(told) if told else NO_REASON


def _condition(members: Sequence[str], row: Mapping[str, object]) -> str:
    return ", ".join(f"{attribute_in_words(name)} {_value(name, row[name])}".strip() for name in members)


def _value(name: str, value: object) -> str:
    """A value as it stands after the attribute's name; nothing where it is not to be told."""
    if isinstance(value, str) and value == _UNTOLD:
        return ""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "is not given"
    if isinstance(value, str):
        return f"is {value}"
    number = float(str(value))
    if name == "opened_weekday" and number in range(1, 8):
        return f"is {WEEKDAYS[int(number) - 1]}"
    if name == "opened_hour":
        return f"is {number:.0f}:00 to {number:.0f}:59"
    return f"{number:,.0f}" if abs(number) >= 10 or number == int(number) else f"{number:,.1f}"


def _in_words(
    contributions: pd.DataFrame, mean: float, outcome: str, parts: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Say what the reasons are measured against, and what raises the probabilities most often."""
    ending = ENDING.get(outcome, outcome.replace("_", " "))
    closing = "Reasons say what the model uses; they are no proof of a cause."
    if contributions.empty:
        return ("There are no cases to give reasons for.", closing)
    raised = contributions.clip(lower=0).mean()
    most = str(raised.idxmax())
    word = attribute_in_words(most) if len(parts[most]) == 1 else most
    opening = f"Points are added to, or taken from, {mean:.0%}, the mean probability of {ending} in past cases."
    if raised[most] < LEAST_POINTS:
        return (
            opening,
            f"In these {len(contributions):,} cases no attribute raises it by a point on average.",
            closing,
        )
    often = f"In these {len(contributions):,} cases “{word}” raises it most, by {points_in_words(raised[most]).lstrip('+')} on average."
    return (opening, often, closing)
