"""
The truth of the synthetic service cases: what is planted to drive an outcome, and the best that a model can do.

How the cases are made is the matter of :mod:`crm_analysis.tables.demo_cases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

MOST_REASSIGNMENTS = 4
LOAD_DAYS = 7
SLOW_RESPONSE_SHARE = 0.5  # a first response is slow when it takes more than this share of the target


@dataclass(frozen=True)
class ServiceTruth:
    """
    The planted causes, as log-odds (additive), and what is planted to have no effect of its own.

    A missed target: ``missed_base`` + team + category + channel + ``missed_on_weekend`` (opened on Saturday or Sunday)
    + ``missed_per_reassignment`` × reassignments + ``missed_per_load`` × load, where the load is the logarithm of the
    cases the team took in over the last seven days against its usual. Reassignments are known only afterwards: Poisson
    with a mean by category.

    A low satisfaction (1 or 2): ``low_base`` + channel + ``low_if_missed`` + ``low_if_slow`` (the first response took
    more than half of the target). A slow response: ``slow_base`` + channel + ``slow_if_missed``.

    An answer: ``answer_base`` + channel + ``answer_if_low``: the dissatisfied answer more often, so that the share of
    low answers overstates the share of low satisfaction. An open case has no answer yet.

    Irrelevant once the causes are known: the attributes in ``irrelevant``. Priority goes with the category, and so
    with the outcome, yet changes nothing by itself, as its target moves with it.
    """

    missed_base: float
    missed_by_team: Mapping[str, float]
    missed_by_category: Mapping[str, float]
    missed_by_channel: Mapping[str, float]
    missed_on_weekend: float
    missed_per_reassignment: float
    missed_per_load: float
    reassignments_by_category: Mapping[str, float]
    low_base: float
    low_by_channel: Mapping[str, float]
    low_if_missed: float
    low_if_slow: float
    slow_base: float
    slow_by_channel: Mapping[str, float]
    slow_if_missed: float
    answer_base: float
    answer_by_channel: Mapping[str, float]
    answer_if_low: float
    irrelevant: tuple[str, ...]


TRUTH = ServiceTruth(
    missed_base=-1.75,
    missed_by_team={
        "Central desk": 0.0,
        "Digital care": -0.5,
        "Partner desk": 1.2,
        "Store liaison": -0.2,
        "Pilot desk": 0.6,
    },
    missed_by_category={
        "delivery": 1.1,
        "product quality": -0.5,
        "billing": 0.2,
        "coupons": -0.6,
        "returns": 0.7,
        "loyalty card": -0.8,
    },
    missed_by_channel={"phone": -0.5, "email": 0.9, "chat": -0.7, "web form": 0.4, "store desk": 0.0},
    missed_on_weekend=0.7,
    missed_per_reassignment=0.7,
    missed_per_load=1.0,
    reassignments_by_category={
        "delivery": 0.3,
        "product quality": 0.1,
        "billing": 0.4,
        "coupons": 0.1,
        "returns": 0.3,
        "loyalty card": 0.1,
    },
    low_base=-2.3,
    low_by_channel={"phone": 0.5, "email": 0.0, "chat": -0.5, "web form": 0.2, "store desk": -0.7},
    low_if_missed=1.9,
    low_if_slow=1.0,
    slow_base=-1.6,
    slow_by_channel={"phone": -1.2, "email": 0.8, "chat": -1.0, "web form": 0.6, "store desk": -0.6},
    slow_if_missed=1.0,
    answer_base=-1.1,
    answer_by_channel={"phone": -0.2, "email": 0.1, "chat": 0.5, "web form": 0.0, "store desk": -0.4},
    answer_if_low=0.8,
    irrelevant=("priority", "target_hours", "opened_hour", "earlier_cases", "earlier_missed", "days_since_last_case"),
)


def true_probabilities(cases: pd.DataFrame) -> pd.DataFrame:
    """
    Return the planted probability of each outcome, given all that is known when a case opens.

    Parameters
    ----------
    cases : pandas.DataFrame
        As the generator made them, complete: a team's load is counted from its other cases.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``case_id``: ``sla_missed``, and ``low_satisfaction`` given that the customer answers.

    Notes
    -----
    What is unknown at the opening (reassignments, a slow response, for the satisfaction also the missed target) is
    averaged over its planted distribution.
    """
    missed = _missed_probability(cases)
    low = np.zeros((2, len(cases)))  # rows: satisfied, dissatisfied
    for was_missed in (False, True):
        chance_missed = missed if was_missed else 1 - missed
        slow = expit(slow_log_odds(cases, missed=_all(cases, was_missed)))
        for was_slow in (False, True):
            weight = chance_missed * (slow if was_slow else 1 - slow)
            given = expit(low_log_odds(cases, missed=_all(cases, was_missed), slow=_all(cases, was_slow)))
            low += weight * np.stack([1 - given, given])
    answers = np.stack([expit(answer_log_odds(cases, low=_all(cases, was_low))) for was_low in (False, True)])
    joint = low * answers
    columns = {"sla_missed": missed, "low_satisfaction": joint[1] / joint.sum(axis=0)}
    return pd.DataFrame(columns).set_index(pd.Index(cases["case_id"], name="case_id"))


def missed_log_odds(cases: pd.DataFrame) -> Floats:
    """
    Return the planted log-odds of a missed target at the opening, before any reassignment.

    Parameters
    ----------
    cases : pandas.DataFrame
        Complete cases: ``opened_at``, ``team``, ``category``, ``channel``.

    Returns
    -------
    numpy.ndarray
        One value per case.
    """
    weekend = (cases["opened_at"].dt.day_of_week >= 5).to_numpy()
    log_odds: Floats = (
        TRUTH.missed_base
        + effects(cases["team"], TRUTH.missed_by_team)
        + effects(cases["category"], TRUTH.missed_by_category)
        + effects(cases["channel"], TRUTH.missed_by_channel)
        + TRUTH.missed_on_weekend * weekend
        + TRUTH.missed_per_load * team_load(cases)
    )
    return log_odds


def slow_log_odds(cases: pd.DataFrame, *, missed: Flags) -> Floats:
    """
    Return the planted log-odds of a slow first response.

    Parameters
    ----------
    cases : pandas.DataFrame
        With ``channel``.
    missed : numpy.ndarray of bool
        Whether each case misses its target.

    Returns
    -------
    numpy.ndarray
        One value per case.
    """
    return TRUTH.slow_base + effects(cases["channel"], TRUTH.slow_by_channel) + TRUTH.slow_if_missed * missed


def low_log_odds(cases: pd.DataFrame, *, missed: Flags, slow: Flags) -> Floats:
    """
    Return the planted log-odds of a low satisfaction.

    Parameters
    ----------
    cases : pandas.DataFrame
        With ``channel``.
    missed : numpy.ndarray of bool
        Whether each case misses its target.
    slow : numpy.ndarray of bool
        Whether its first response is slow.

    Returns
    -------
    numpy.ndarray
        One value per case.
    """
    by_channel = effects(cases["channel"], TRUTH.low_by_channel)
    log_odds: Floats = TRUTH.low_base + by_channel + TRUTH.low_if_missed * missed + TRUTH.low_if_slow * slow
    return log_odds


def answer_log_odds(cases: pd.DataFrame, *, low: Flags) -> Floats:
    """
    Return the planted log-odds that the customer answers the question for satisfaction.

    Parameters
    ----------
    cases : pandas.DataFrame
        With ``channel``.
    low : numpy.ndarray of bool
        Whether the customer is dissatisfied.

    Returns
    -------
    numpy.ndarray
        One value per case.
    """
    return TRUTH.answer_base + effects(cases["channel"], TRUTH.answer_by_channel) + TRUTH.answer_if_low * low


def effects(values: pd.Series, by_level: Mapping[str, float]) -> Floats:
    """
    Return the effect that belongs to each row's level.

    Parameters
    ----------
    values : pandas.Series
        Levels.
    by_level : mapping of str to float
        The effect of each level.

    Returns
    -------
    numpy.ndarray
        One value per row.

    Examples
    --------
    >>> effects(pd.Series(["chat", "phone"]), {"phone": 0.5, "chat": -0.5}).tolist()
    [-0.5, 0.5]
    """
    mapped: Floats = values.map(dict(by_level)).to_numpy(dtype=float)
    return mapped


def team_load(cases: pd.DataFrame) -> Floats:
    """
    Return how busy the team was when each case opened.

    Parameters
    ----------
    cases : pandas.DataFrame
        Complete cases: ``opened_at``, ``team``.

    Returns
    -------
    numpy.ndarray
        Logarithm of the team's daily intake over the last seven days against its mean, between -1 and 1; half a case
        is added to both.
    """
    load = np.zeros(len(cases))
    day = cases["opened_at"].astype("datetime64[us]").astype("int64").to_numpy() / 86_400e6
    span_days = max(day.max() - day.min(), 1.0)
    for team in cases["team"].unique():
        mine = (cases["team"] == team).to_numpy()
        opened = np.sort(day[mine])
        recent = np.searchsorted(opened, day[mine]) - np.searchsorted(opened, day[mine] - LOAD_DAYS)
        observed_days = np.clip(day[mine] - day.min(), 1, LOAD_DAYS)
        load[mine] = np.log((recent / observed_days + 0.5) / (len(opened) / span_days + 0.5))
    clipped: Floats = np.clip(load, -1, 1)
    return clipped


def _missed_probability(cases: pd.DataFrame) -> Floats:
    """Average over the number of reassignments to come: Poisson, cut at its largest."""
    mean = effects(cases["category"], TRUTH.reassignments_by_category)
    at_opening = missed_log_odds(cases)
    total: Floats = np.zeros(len(cases))
    chance, rest = np.exp(-mean), np.ones(len(cases))
    for number in range(MOST_REASSIGNMENTS + 1):
        share = rest if number == MOST_REASSIGNMENTS else chance
        total = total + share * expit(at_opening + TRUTH.missed_per_reassignment * number)
        rest, chance = rest - chance, chance * mean / (number + 1)
    return total


def _all(cases: pd.DataFrame, flag: bool) -> Flags:  # noqa: FBT001 - the flag is the value
    return np.full(len(cases), flag)
