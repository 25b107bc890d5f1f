"""Cases drawn at random with a few plain attributes, their outcomes, and their split."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from crm_analysis.features.service import LEVELS
from crm_analysis.models.service_quality.prediction import split_cases


def plain_features(n_cases=600, *, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "case_id": [f"c{number:04d}" for number in range(n_cases)],
            "customer_id": rng.integers(0, n_cases // 3, n_cases).astype(str),
            "opened_at": pd.date_range("2024-01-01", periods=n_cases, freq="4h"),
            "team": rng.choice(["north", "south", "east"], n_cases),
            "channel": rng.choice(["phone", "chat"], n_cases),
            "category": "billing",
            "priority": rng.choice(["high", "low", None], n_cases),
            "opened_weekday": rng.integers(1, 8, n_cases),
            "opened_hour": rng.integers(0, 24, n_cases),
            "target_hours": np.nan,
            "earlier_cases": rng.poisson(2, n_cases),
            "earlier_missed": 0,
            "days_since_last_case": np.where(rng.random(n_cases) < 0.3, np.nan, rng.exponential(20, n_cases).round(2)),
            "team_open_cases": rng.poisson(8, n_cases),
        }
    ).astype(dict.fromkeys(LEVELS, "str"))


def plain_outcomes(features, yes, *, is_open=False):
    flags = pd.array(yes, dtype="boolean")
    columns = {"sla_missed": flags, "low_satisfaction": flags, "is_open": is_open, "due_at": features["opened_at"]}
    return features[["case_id", "opened_at"]].assign(**columns)


def plain_split(features, yes, *, outcome="sla_missed", **days):
    outcomes = plain_outcomes(features, yes)
    days = {"holdout_from": dt.date(2024, 3, 11), "holdout_to": dt.date(2024, 12, 31), **days}
    return split_cases(features, outcome=outcome, training_outcomes=outcomes, outcomes=outcomes, **days)


def missed_by_team(features, *, seed=1, rates=(0.9, 0.1, 0.2)):
    chance = features["team"].map(dict(zip(["north", "south", "east"], rates, strict=True)))
    return np.random.default_rng(seed).random(len(features)) < chance


def with_a_rare_priority(*, customers=2):
    """Six hundred cases, sixty of which go wrong and have a priority that only so many customers have."""
    features = plain_features()
    rare = np.arange(len(features)) % 10 == 7
    features.loc[rare, "priority"] = "vip"
    features.loc[rare, "customer_id"] = [f"vip {number % customers}" for number in range(rare.sum())]
    return features, rare | (np.random.default_rng(1).random(len(features)) < 0.1)
