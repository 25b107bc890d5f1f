"""
Who answers when asked for satisfaction, and what the answers say of those who did not.

Shares of low answers by group belong in :mod:`crm_analysis.models.service_quality.measures.groups`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from crm_analysis.errors import DataQualityError
from crm_analysis.models.service_quality.disclosure import is_of_few
from crm_analysis.models.service_quality.measures.case_table import Cases, at_most, usual_limit
from crm_analysis.models.service_quality.measures.disclosure import flag_parts, hidden_groups, masked
from crm_analysis.models.service_quality.measures.groups import all_cases, attribute_groups
from crm_analysis.models.service_quality.measures.intervals import (
    LEVEL,
    Grouping,
    clustered_means,
    grouping,
    share_interval,
)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_LEVELS = 20
N_TIME_LEVELS = 10
MIN_CASES_PER_CLASS = 20
LEAST_CHANCE = 0.02


@dataclass(frozen=True)
class Answers:
    """
    Who answered, and the share of low answers with what is known of the others.

    Attributes
    ----------
    rates : pandas.DataFrame
        A row an attribute and level: ``attribute``, ``level``, ``resolved_cases``, ``response_rate``, ``low``, ``high``.
    differences : pandas.DataFrame
        A row an attribute and level: ``attribute``, ``level``, ``share_answered``, ``share_silent`` (of the cases with and
        without an answer, those of this level), ``difference``, ``low``, ``high``.
    low_share : pandas.DataFrame
        A row a way to look at it (index ``basis``): ``share``, ``low``, ``high``.
    n_resolved, n_answers : int or None
        Resolved cases and answers to them; None where they are of too few customers.
    response_rate : float
        Answers ÷ resolved cases; NaN where it may not be told.
    notes : tuple of str
        What could not be told, and why.
    """

    rates: pd.DataFrame
    differences: pd.DataFrame
    low_share: pd.DataFrame
    n_resolved: int | None
    n_answers: int | None
    response_rate: float
    notes: tuple[str, ...]


def answer_study(cases: Cases, *, min_cell: int = 1) -> Answers:
    """
    Return who answers, and the share of low answers raw, reweighted, and at its bounds.

    Parameters
    ----------
    cases : Cases
        With a satisfaction.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    Answers
        Of resolved cases: customers are asked when their case is resolved.

    Raises
    ------
    DataQualityError
        No case has a satisfaction.

    Notes
    -----
    Reweighted: each answer counts one over the chance of an answer, by a logistic regression on team, channel, category,
    priority, met target, time to resolution (in tenths), reopens and reassignments, where they are known of answered and
    unanswered cases alike. Chances below 0.02 count as 0.02. The interval takes the chances as known. Whether dissatisfaction
    itself makes customers answer, or not, cannot be seen in the data: the bounds take all others for satisfied, or for
    dissatisfied.

    References
    ----------
    Horvitz, Thompson (1952), "A generalization of sampling without replacement", JASA 47(260). Manski (1990), "Nonparametric
    bounds on treatment effects", American Economic Review 80(2).
    """
    if not cases.tells("satisfaction"):
        raise DataQualityError(f"None of {cases.n_cases:,} service cases has a satisfaction. Map it, or leave it out.")
    marks = cases.numbers["satisfaction"]
    has_answered, asked = np.isfinite(marks), np.isfinite(marks) | ~cases.is_open
    answered = np.where(asked, has_answered, np.nan)
    known = _known_of_cases(cases)
    groups = {name: attribute_groups(cases, values, most=MOST_LEVELS) for name, values in known.items()}
    shown = {name: levels for name, levels in groups.items() if name != "time"}
    is_few = is_of_few(cases.customers, *flag_parts(answered), min_cell=min_cell)
    low_share, notes = _low_shares(cases, asked, groups, min_cell=min_cell)
    return Answers(
        rates=pd.concat(
            [_rates(name, levels, answered, min_cell) for name, levels in shown.items()], ignore_index=True
        ),
        differences=pd.concat(
            [_differences(name, levels, answered, cases.customers, min_cell) for name, levels in shown.items()],
            ignore_index=True,
        ),
        low_share=low_share,
        n_resolved=None if is_few or is_of_few(cases.customers, ~asked, min_cell=min_cell) else int(asked.sum()),
        n_answers=None if is_few else int(has_answered.sum()),
        response_rate=math.nan if is_few else float(has_answered.sum() / asked.sum()),
        notes=notes,
    )


def answer_chances(known: dict[str, Grouping], asked: Flags, has_answered: Flags) -> Floats:
    """
    Return the chance that each case is answered, by what is known of it.

    Parameters
    ----------
    known : dict of str to Grouping
        Levels of each case, by attribute.
    asked : numpy.ndarray of bool
        Cases that could be answered.
    has_answered : numpy.ndarray of bool
        Those that were.

    Returns
    -------
    numpy.ndarray of float
        Missing where a case could not be answered.
    """
    place = np.zeros(int(asked.sum()), dtype=np.int64)
    for groups in known.values():
        place = pd.factorize(place * groups.n_groups + groups.codes[asked])[0]
    first = np.unique(place, return_index=True)[1]
    kinds = np.column_stack([groups.codes[asked][first] for groups in known.values()])
    n = np.bincount(place, minlength=len(kinds)).astype(float)
    n_yes = np.bincount(place, weights=has_answered[asked].astype(float), minlength=len(kinds))
    encoded = OneHotEncoder().fit_transform(np.vstack([kinds, kinds]))
    model = LogisticRegression(C=10.0, max_iter=1000)
    model.fit(encoded, np.repeat([1, 0], len(kinds)), sample_weight=np.concatenate([n_yes, n - n_yes]))
    chances = np.full(len(asked), np.nan)
    chances[asked] = model.predict_proba(encoded[: len(kinds)])[:, 1][place]
    return chances


def _known_of_cases(cases: Cases) -> dict[str, pd.Series]:
    """Return what is known of answered and unanswered cases alike, as levels."""
    known = dict(cases.attributes)
    numbers = cases.numbers
    if cases.tells("sla_missed"):
        known["target"] = _named(numbers["sla_missed"], "met", "missed")
    limit = usual_limit(cases)
    if np.isfinite(limit):
        known["resolution"] = _named((cases.observed_hours > limit).astype(float), "usual", "long")
    known["time"] = _tenths(np.where(cases.is_open, np.nan, cases.observed_hours))
    for column, yes, no in (("reopens", "reopened", "not reopened"), ("reassignments", "reassigned", "not reassigned")):
        if cases.tells(column):
            known[column] = _named(np.where(np.isnan(numbers[column]), np.nan, numbers[column] > 0), no, yes)
    return known


def _named(flags: Floats, no: str, yes: str) -> pd.Series:
    return pd.Series(
        pd.Categorical.from_codes(np.where(np.isnan(flags), -1, flags).astype(np.int64), pd.Index([no, yes]))
    )


def _tenths(hours: Floats) -> pd.Series:
    """Return the tenth of resolved cases in which a time lies, "0" to "9"."""
    resolved = hours[np.isfinite(hours)]
    shares = np.arange(1, N_TIME_LEVELS) / N_TIME_LEVELS
    starts = np.unique(np.quantile(resolved, shares, method="higher")) if len(resolved) else resolved
    place = np.where(np.isfinite(hours), np.searchsorted(starts, hours, side="right"), -1)
    return pd.Series(pd.Categorical.from_codes(place, pd.Index([str(at) for at in range(N_TIME_LEVELS)])))


def _rates(attribute: str, groups: Grouping, answered: Floats, min_cell: int) -> pd.DataFrame:
    """Return the response rate of each level."""
    means = clustered_means(answered, groups)
    low, high = share_interval(means)
    table = pd.DataFrame(
        {
            "attribute": attribute,
            "level": [str(name) for name in groups.names],
            "resolved_cases": means.n_cases,
            "response_rate": means.mean,
            "low": low,
            "high": high,
        }
    )
    hidden = hidden_groups(groups, *flag_parts(answered), min_cell=min_cell)
    is_open = np.isnan(answered)  # a number of resolved cases would tell that of open ones
    tells_open = hidden | hidden_groups(groups, is_open, min_cell=min_cell)
    table = masked(table, ["resolved_cases"], tells_open)
    return masked(table, ["response_rate", "low", "high"], hidden)[means.n_cases > 0]


def _differences(
    attribute: str, groups: Grouping, answered: Floats, customers: npt.NDArray[np.int64], min_cell: int
) -> pd.DataFrame:
    """Return how far each level is commoner among answered cases than among the others."""
    both = grouping(np.where(np.isnan(answered), -1, answered).astype(np.int64), ("silent", "answered"), customers)
    shares, errors = _level_shares(both, groups)
    difference = shares[1] - shares[0]
    half = float(norm.ppf((1 + LEVEL) / 2)) * np.sqrt(errors[0] ** 2 + errors[1] ** 2)
    figures = (shares[1], shares[0], difference, difference - half, difference + half)
    rows = [(attribute, str(name), *values) for name, *values in zip(groups.names, *figures, strict=True)]
    columns = ["attribute", "level", "share_answered", "share_silent", "difference", "low", "high"]
    table = pd.DataFrame(rows, columns=columns)
    is_there = groups.cases(np.isfinite(answered)) > 0
    return masked(table, columns[2:], hidden_groups(groups, *flag_parts(answered), min_cell=min_cell))[is_there]


def _level_shares(both: Grouping, groups: Grouping) -> tuple[Floats, Floats]:
    """Return the share of each level (column) among silent and answered cases (row), and its error by customer."""
    inside = both.codes >= 0
    pairs, levels = both.pairs[inside], groups.codes[inside]
    cells, keys = pd.factorize(pairs * groups.n_groups + levels)
    sizes = np.bincount(pairs, minlength=len(both.pair_groups)).astype(float)
    counts, of_pair, of_level = np.bincount(cells).astype(float), keys // groups.n_groups, keys % groups.n_groups
    place = both.pair_groups[of_pair] * groups.n_groups + of_level

    def summed(values: Floats) -> Floats:
        sums = np.bincount(place, weights=values, minlength=2 * groups.n_groups)
        return np.asarray(sums.reshape(2, groups.n_groups), dtype=np.float64)

    n = np.bincount(both.pair_groups, weights=sizes, minlength=2)[:, None]
    n_pairs = np.bincount(both.pair_groups, minlength=2)[:, None].astype(float)
    all_squares = np.bincount(both.pair_groups, weights=sizes**2, minlength=2)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = summed(counts) / n
        squares = summed(counts**2) - 2 * shares * summed(counts * sizes[of_pair]) + shares**2 * all_squares
        errors = np.sqrt(np.maximum(squares, 0) * n_pairs / (n_pairs - 1)) / n
    return shares, errors


def _low_shares(
    cases: Cases, asked: Flags, known: dict[str, Grouping], *, min_cell: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the share of low answers as it is, reweighted, and at its bounds."""
    marks = cases.numbers["satisfaction"]
    low = at_most(marks, cases.low_at_most)
    has_answered = np.isfinite(marks)
    means = clustered_means(low, all_cases(cases))
    (raw_low,), (raw_high,) = share_interval(means)
    n_low, n_silent, n = float(np.nansum(low)), float((asked & ~has_answered).sum()), float(asked.sum())
    rows = {
        "answers as they are": (float(means.mean[0]), float(raw_low), float(raw_high)),
        "answers reweighted by the chance of an answer": (math.nan,) * 3,
        "if all who did not answer are satisfied": (n_low / n, math.nan, math.nan),
        "if all who did not answer are dissatisfied": ((n_low + n_silent) / n, math.nan, math.nan),
    }
    notes: tuple[str, ...] = ()
    if min(has_answered.sum(), n_silent) >= MIN_CASES_PER_CLASS:
        chances = np.maximum(answer_chances(known, asked, has_answered), LEAST_CHANCE)
        rows["answers reweighted by the chance of an answer"] = _reweighted(low, chances, cases.customers)
    else:
        notes = (
            f"Low answers are not reweighted: fewer than {MIN_CASES_PER_CLASS} resolved cases are answered, or not answered.",
        )
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["share", "low", "high"]).rename_axis("basis")
    silent = asked & ~has_answered
    if is_of_few(cases.customers, *flag_parts(low), silent, min_cell=min_cell):
        return table * math.nan, ("Shares of low answers are left out: they are about too few customers.",)
    return table, notes


def _reweighted(low: Floats, chances: Floats, customers: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the share of low answers, each counted one over its chance, with an interval by customer."""
    counted = np.isfinite(low)
    weights, flags = 1 / chances[counted], low[counted]
    share = float(np.sum(weights * flags) / np.sum(weights))
    sums = np.bincount(customers[counted], weights=weights * (flags - share))
    n = len(np.unique(customers[counted]))
    if n < 2 or share in {0.0, 1.0}:
        return share, math.nan, math.nan
    error = math.sqrt(float(np.sum(sums**2)) * n / (n - 1)) / float(np.sum(weights))
    half = float(norm.ppf((1 + LEVEL) / 2)) * error / (share * (1 - share))
    odds = math.log(share / (1 - share))
    return share, 1 / (1 + math.exp(half - odds)), 1 / (1 + math.exp(-half - odds))
