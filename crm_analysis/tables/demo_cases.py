"""
Synthetic service cases for households whose purchases are known, made with a truth that models can be asked for.

Nothing here is observed: no case, text or answer comes from a person. The households' purchase days only decide who
contacts the service desk, and when. Every report on these cases says so with :data:`NOTE`. What drives an outcome, and
what is planted to be irrelevant, stands in :mod:`crm_analysis.tables.demo_truth`. The built-in purchases themselves are
read by :mod:`crm_analysis.tables.demo`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from crm_analysis.errors import DataQualityError
from crm_analysis.tables.demo_texts import case_texts
from crm_analysis.tables.demo_truth import (
    MOST_REASSIGNMENTS,
    SLOW_RESPONSE_SHARE,
    TRUTH,
    Flags,
    Floats,
    answer_log_odds,
    effects,
    low_log_odds,
    missed_log_odds,
    slow_log_odds,
)

Chances = Floats | tuple[float, ...]

NOTE = (
    "The service cases are synthetic: made by a seeded generator for the households of the purchase data, with known "
    "causes. They say nothing about a real service desk."
)

COLUMNS = (
    "case_id", "customer_id", "opened_at", "first_response_at", "resolved_at", "due_at", "satisfaction", "category",
    "channel", "priority", "team", "reassignments", "reopens", "text",
)  # fmt: skip

CONTACTS_PER_PURCHASE_DAY = 0.1
MOST_CONTACTS_PER_PURCHASE_DAY = 0.4
CONTACT_SHAPE = 0.6  # of the gamma distribution over households: a few contact the desk often, many never
WEEKDAY_VOLUME = (1.3, 1.15, 1.1, 1.05, 1.1, 0.7, 0.6)  # Monday to Sunday
CATEGORIES = {"delivery": 0.24, "product quality": 0.2, "billing": 0.17, "coupons": 0.16, "returns": 0.13, "loyalty card": 0.1}  # fmt: skip
CHANNELS = {"phone": 0.36, "email": 0.22, "chat": 0.2, "web form": 0.14, "store desk": 0.08}
TEAMS = ("Central desk", "Digital care", "Partner desk", "Store liaison", "Pilot desk")
ROUTING = {  # chance of each team, by channel
    "phone": (0.50, 0.08, 0.29, 0.10, 0.03),
    "email": (0.31, 0.30, 0.29, 0.07, 0.03),
    "chat": (0.17, 0.57, 0.20, 0.02, 0.04),
    "web form": (0.26, 0.38, 0.28, 0.05, 0.03),
    "store desk": (0.16, 0.06, 0.05, 0.70, 0.03),
}
TARGET_HOURS = {"urgent": 8, "high": 24, "normal": 48, "low": 96}
PRIORITY_MIX = {  # chance of urgent, high, normal, low, by category
    "delivery": (0.10, 0.30, 0.45, 0.15),
    "product quality": (0.15, 0.30, 0.40, 0.15),
    "billing": (0.05, 0.25, 0.50, 0.20),
    "coupons": (0.03, 0.15, 0.52, 0.30),
    "returns": (0.05, 0.25, 0.50, 0.20),
    "loyalty card": (0.03, 0.17, 0.50, 0.30),
}
DAYTIME = np.exp(-0.5 * ((np.arange(24) - 13.5) / 3.6) ** 2)  # volume by hour where a desk must be staffed
ALL_HOURS = DAYTIME + 0.7 * np.exp(-0.5 * ((np.arange(24) - 20) / 2.2) ** 2) + 0.04  # and where it need not be


def synthetic_service_cases(purchase_days: pd.DataFrame, *, seed: int, end: dt.date) -> pd.DataFrame:
    """
    Return a year of synthetic service cases for households with purchases.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        One row per household and day with a purchase: ``customer_id``, ``day`` (naive, local). Order and repeated rows
        change nothing; days outside the year that ends with ``end`` are left out.
    seed : int
        The same seed gives the same cases.
    end : datetime.date
        Last day, inclusive. Nothing but ``due_at``, a promise, is dated later: cases unresolved by then are open.

    Returns
    -------
    pandas.DataFrame
        One row per case in the order of opening, with the columns of ``service_cases``. Times are naive local times to
        the second; changes of the clock are ignored.

    Raises
    ------
    DataQualityError
        When no purchase day lies in the year, or none leads to a case.

    Notes
    -----
    A purchase day leads to a case with probability 0.1 × a gamma factor of the household × season × weekday, at most
    0.4. Whether the target is missed is drawn from the truth; the time to resolve follows from that.
    """
    rng = np.random.default_rng(seed)
    cases = _with_attributes(_openings(purchase_days, rng, end), rng)
    reassignments = rng.poisson(effects(cases["category"], TRUTH.reassignments_by_category))
    cases["reassignments"] = np.minimum(reassignments, MOST_REASSIGNMENTS)
    reassigned = TRUTH.missed_per_reassignment * cases["reassignments"].to_numpy()
    missed = _drawn(rng, missed_log_odds(cases) + reassigned)
    slow = _drawn(rng, slow_log_odds(cases, missed=missed))
    _add_times(cases, rng, missed, slow)
    _add_answers(cases, rng, _drawn(rng, low_log_odds(cases, missed=missed, slow=slow)))
    cases["reopens"] = (rng.random(len(cases)) < np.where(missed, 0.12, 0.05)).astype("int64")
    cases["text"] = case_texts(cases["category"], rng)
    _forget_after(cases, end)
    return cases[list(COLUMNS)]


def _openings(purchase_days: pd.DataFrame, rng: np.random.Generator, end: dt.date) -> pd.DataFrame:
    """Who opens a case on which day: some days after a purchase, more in December, fewer on weekends."""
    last = pd.Timestamp(end).normalize()
    days = purchase_days.loc[purchase_days["day"].between(last - pd.Timedelta(days=364), last), ["customer_id", "day"]]
    days = days.drop_duplicates().sort_values(["customer_id", "day"], ignore_index=True)
    if days.empty:
        raise DataQualityError(f"None of {len(purchase_days)} purchase days lies in the year up to {end}; check `end`.")
    customer = days["customer_id"].factorize()[0]
    eagerness = rng.gamma(CONTACT_SHAPE, 1 / CONTACT_SHAPE, customer.max() + 1)[customer]
    opened_on = days["day"] + pd.to_timedelta(rng.geometric(0.35, len(days)) - 1, unit="D")
    volume = np.array(WEEKDAY_VOLUME)[opened_on.dt.day_of_week] * _season(opened_on)
    chance = np.minimum(CONTACTS_PER_PURCHASE_DAY * eagerness * volume, MOST_CONTACTS_PER_PURCHASE_DAY)
    chosen = (rng.random(len(days)) < chance) & (opened_on <= last).to_numpy()
    if not chosen.any():
        raise DataQualityError(f"None of {len(days)} purchase days leads to a service case; give more purchases.")
    return pd.DataFrame({"customer_id": days["customer_id"][chosen], "opened_on": opened_on[chosen]})


def _season(days: pd.Series) -> Floats:
    """Volume over the year: a slow wave and a peak in the middle of December."""
    day = days.dt.day_of_year.to_numpy()
    wave = 1 + 0.12 * np.cos(2 * np.pi * (day - 200) / 365)
    return np.asarray(wave + 0.7 * np.exp(-0.5 * ((day - 350) / 10) ** 2))


def _with_attributes(cases: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Category, channel, team, priority and the time of day; then the cases in the order of opening."""
    n_cases = len(cases)
    cases["category"] = rng.choice(list(CATEGORIES), n_cases, p=list(CATEGORIES.values()))
    cases["channel"] = rng.choice(list(CHANNELS), n_cases, p=list(CHANNELS.values()))
    cases["team"] = _chosen(rng, cases["channel"], ROUTING, TEAMS)
    cases["priority"] = _chosen(rng, cases["category"], PRIORITY_MIX, tuple(TARGET_HOURS))
    hours = {channel: DAYTIME if channel in {"phone", "store desk"} else ALL_HOURS for channel in CHANNELS}
    hour = _chosen(rng, cases["channel"], hours, tuple(range(24))).astype("int64")
    seconds = hour * 3600 + rng.integers(0, 3600, n_cases)
    cases["opened_at"] = (cases["opened_on"] + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us]")
    cases = cases.sort_values(["opened_at", "customer_id"], ignore_index=True)
    return cases.assign(case_id=[f"C{number:06d}" for number in range(1, n_cases + 1)])


def _chosen(
    rng: np.random.Generator, given: pd.Series, chances: Mapping[str, Chances], levels: tuple[object, ...]
) -> npt.NDArray[np.object_]:
    """One level per row, by the chances that hold for the row's value."""
    names = list(chances)
    weights = np.array([chances[name] for name in names], dtype=float)
    cumulated = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    rows = pd.Index(names).get_indexer(pd.Index(given))
    level = (rng.random(len(given))[:, None] > cumulated[rows]).sum(axis=1)
    chosen: npt.NDArray[np.object_] = np.array(levels, dtype=object)[level]
    return chosen


def _drawn(rng: np.random.Generator, log_odds: Floats) -> Flags:
    drawn: Flags = rng.random(len(log_odds)) < expit(log_odds)
    return drawn


def _add_times(cases: pd.DataFrame, rng: np.random.Generator, missed: Flags, slow: Flags) -> None:
    """First response, resolution and due time, as shares of the target: a missed case is resolved after it."""
    n_cases = len(cases)
    target = effects(cases["priority"], TARGET_HOURS) * 3600
    quick = SLOW_RESPONSE_SHARE * rng.beta(1.1, 4, n_cases)
    responded = np.where(slow, rng.uniform(SLOW_RESPONSE_SHARE + 0.01, 0.95, n_cases), quick)
    in_time = responded + (1 - responded) * rng.beta(1.2, 1.8, n_cases)
    late = 1 + 0.9 * rng.gamma(0.8, 1, n_cases) * np.where(rng.random(n_cases) < 0.03, 8, 1)
    seconds = {
        "due_at": target,
        "first_response_at": np.floor(target * responded),
        "resolved_at": np.where(missed, np.floor(target * late) + 1, np.floor(target * in_time)),
    }
    for name, elapsed in seconds.items():
        cases[name] = cases["opened_at"] + pd.to_timedelta(elapsed, unit="s").astype("timedelta64[us]")


def _add_answers(cases: pd.DataFrame, rng: np.random.Generator, low: Flags) -> None:
    """Satisfaction from 1 to 5, missing where the customer does not answer."""
    dissatisfied = rng.choice([1, 2], len(cases), p=[0.45, 0.55])
    satisfied = rng.choice([3, 4, 5], len(cases), p=[0.2, 0.42, 0.38])
    answered = _drawn(rng, answer_log_odds(cases, low=low))
    cases["satisfaction"] = pd.Series(np.where(low, dissatisfied, satisfied), dtype="Int64").where(answered)


def _forget_after(cases: pd.DataFrame, end: dt.date) -> None:
    """What happens after the last day is not known on it."""
    midnight = pd.Timestamp(end).normalize() + pd.Timedelta(days=1)
    for name in ("first_response_at", "resolved_at"):
        cases[name] = cases[name].where(cases[name] < midnight)
    cases["satisfaction"] = cases["satisfaction"].where(cases["resolved_at"].notna())
