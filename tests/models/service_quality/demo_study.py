"""A study of synthetic cases whose truth is known, made once for all tests that ask it."""

from __future__ import annotations

import datetime as dt
from functools import cache

import duckdb
import numpy as np
import pandas as pd

from crm_analysis.features.service import case_features, case_outcomes
from crm_analysis.models.service_quality.prediction import first_holdout_day, service_quality, split_cases
from crm_analysis.tables.demo_cases import synthetic_service_cases

END = dt.date(2017, 12, 31)
SETTINGS = {"max_tree_depth": 4, "n_trees": 40, "seed": 0}


class KnownCases:
    """Synthetic cases as known at the end of a day."""

    def __init__(self, cases, as_of):
        self.as_of, self.tables = as_of, frozenset({"service_cases"})
        end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        visible = cases[cases["opened_at"] < end].copy()
        visible.loc[~(visible["resolved_at"] < end), ["resolved_at", "satisfaction"]] = None
        self._connection = duckdb.connect()
        self._connection.register("visible", visible)
        self._connection.execute("CREATE TABLE service_cases AS SELECT *, NULL::BOOLEAN AS sla_met FROM visible")

    def require(self, *tables):
        assert set(tables) <= self.tables

    def query(self, sql, parameters=None):
        result = self._connection.execute(sql, dict(parameters or {})).df()
        return result.astype(dict.fromkeys([name for name in result if result[name].dtype == object], "str"))


@cache
def demo_cases(seed):
    rng = np.random.default_rng(seed)
    customer = np.repeat([f"H{number:04d}" for number in range(1200)], 52)
    day = pd.Timestamp("2017-01-01") + pd.to_timedelta(rng.integers(0, 365, len(customer)), unit="D")
    return synthetic_service_cases(pd.DataFrame({"customer_id": customer, "day": day}), seed=seed, end=END)


@cache
def study(seed):
    features, outcomes, split = parted(seed, "sla_missed")
    return features, outcomes, split, service_quality(split, **SETTINGS)


@cache
def parted(seed, outcome):
    known = KnownCases(demo_cases(seed), END)
    features, outcomes = case_features(known), case_outcomes(known)
    first = first_holdout_day(features, holdout_share=0.3)
    before = case_outcomes(KnownCases(demo_cases(seed), first - dt.timedelta(days=1)))
    split = split_cases(
        features, outcome=outcome, training_outcomes=before, outcomes=outcomes, holdout_from=first, holdout_to=END
    )
    return features, outcomes, split
