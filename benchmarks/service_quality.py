"""Service quality: a million cases in one go, how many cases a tree of the forest needs, and calibration over many seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from benchmarks.measure import measured
from benchmarks.service_measures import AS_OF, make_courses
from crm_analysis.models.service_quality.encoding import classifier_pipeline, model_inputs
from crm_analysis.models.service_quality.measures import service_measures
from crm_analysis.models.service_quality.prediction import CaseSplit, service_quality
from crm_analysis.models.service_quality.prediction.classifiers import MAX_CASES_PER_TREE, probabilities
from crm_analysis.tables.demo_cases import synthetic_service_cases
from crm_analysis.tables.demo_truth import team_load

ROWS = 1_000_000
SAMPLED_FROM = 200_000
CASES_PER_TREE = (5_000, 20_000, 50_000, 100_000, None)
HELD_OUT_SHARE = 0.3
N_TREES = 100
SEEDS = range(20)
OUTCOME = "sla_missed"


def many_cases(rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Draw cases with twenty attributes (four of levels, one of 5,000), half of which drive the outcome, some together."""
    rng = np.random.default_rng(seed)
    opened = pd.date_range("2020-01-01", "2023-12-31", periods=rows).floor("s").as_unit("us")
    numbers = {f"number_{place:02d}": rng.standard_normal(rows).astype("float32") for place in range(16)}
    codes = {
        "team": rng.integers(0, 25, rows),
        "channel": rng.integers(0, 5, rows),
        "category": rng.integers(0, 5000, rows),
        "priority": rng.integers(0, 4, rows),
    }
    effects = {name: rng.normal(0, 0.6, values.max() + 1) for name, values in codes.items()}
    odds = -1.0 + sum(effects[name][values] for name, values in codes.items())
    odds += sum((0.4 - 0.05 * place) * numbers[f"number_{place:02d}"] for place in range(8))
    odds += 0.6 * numbers["number_00"] * numbers["number_01"] + 0.5 * np.abs(numbers["number_02"])
    levels = {
        name: pd.Categorical.from_codes(values, [f"{name} {code}" for code in range(values.max() + 1)])
        for name, values in codes.items()
    }
    table = pd.DataFrame(
        {
            "case_id": np.char.add("c", np.arange(rows).astype(str)),
            "customer_id": rng.integers(0, rows // 5, rows).astype(str),
            "opened_at": opened,
        }
    )
    table = table.assign(**{name: pd.Series(values).astype("str") for name, values in levels.items()}, **numbers)
    return table.assign(**{OUTCOME: (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype("int64")})


def split_of(cases: pd.DataFrame) -> CaseSplit:
    """Part cases by time, all of whose outcomes are known."""
    first = cases["opened_at"].iloc[int(len(cases) * (1 - HELD_OUT_SHARE))].date()
    is_later = (cases["opened_at"] >= pd.Timestamp(first)).to_numpy()
    return CaseSplit(
        OUTCOME,
        cases[~is_later].reset_index(drop=True),
        cases[is_later].reset_index(drop=True),
        first,
        date(2023, 12, 31),
        0,
    )


def answered(rows: int) -> None:
    """Ask the whole question: choice, every model, judgement with intervals, drivers, rules."""
    result = service_quality(split_of(many_cases(rows)), seed=0, n_trees=N_TREES, n_jobs=2)
    print(result.model, result.all_models["auc"].round(4).to_dict())


def one_forest(rows: int) -> None:
    """Fit the forest alone, and rank the later cases."""
    split = split_of(many_cases(rows))
    print(forest_auc(split, MAX_CASES_PER_TREE))


def made_only(rows: int) -> None:
    """Make both tables: what is not counted."""
    make_courses(rows)
    split_of(many_cases(rows))


def measures_and_forest(rows: int) -> None:
    """Make all measures, fit the forest, and rank the later cases, one after the other in one process."""
    courses, split = make_courses(rows), split_of(many_cases(rows))
    service_measures(courses, as_of=AS_OF, seed=0, n_customers=courses["customer_id"].nunique())
    print(forest_auc(split, MAX_CASES_PER_TREE))


def forest_auc(split: CaseSplit, at_most: int | None) -> tuple[float, float]:
    """Return the area under the curve on later cases of a forest whose trees see so many cases each, and its seconds."""
    inputs = model_inputs(split.training)
    forest = RandomForestClassifier(N_TREES, min_samples_leaf=10, max_samples=at_most, random_state=0, n_jobs=2)
    started = time.perf_counter()
    pipeline = classifier_pipeline(forest, inputs, kind="trees").fit(inputs, split.training[OUTCOME])
    seconds = time.perf_counter() - started
    return roc_auc_score(split.holdout[OUTCOME], probabilities(pipeline, split.holdout)), seconds


def figures() -> Iterator[tuple[str, ...]]:
    """Yield the table: what was done, cases, seconds, peak MB, and what came of it."""
    yield ("what", "cases", "seconds", "peak MB", "outcome")
    split = split_of(many_cases(SAMPLED_FROM))
    for at_most in CASES_PER_TREE:
        area, seconds = forest_auc(split, at_most)
        told = "all cases" if at_most is None else f"{at_most:,} cases"
        yield (f"forest, {told} a tree", f"{len(split.training):,}", f"{seconds:.1f}", "–", f"AUC {area:.4f}")
    making, _ = measured(partial(made_only, ROWS), repeats=1)
    seconds, peak = measured(partial(measures_and_forest, ROWS), repeats=1)
    yield (
        "all measures and the forest, without making the data",
        f"{ROWS:,}",
        f"{seconds - making:.1f}",
        f"{peak:,.0f}",
        "",
    )
    for what, function in (("forest alone", one_forest), ("every model, choice and judgement", answered)):
        seconds, peak = measured(partial(function, ROWS), repeats=1)
        yield (what, f"{ROWS:,}", f"{seconds:.1f}", f"{peak:,.0f}", "")


def calibration() -> Iterator[tuple[str, ...]]:
    """Yield calibration on synthetic cases with planted causes, seed by seed."""
    yield (
        "seed",
        "cases judged",
        "model",
        "corrected",
        "calibration error",
        "before correction",
        "of right probabilities",
        "AUC",
    )
    for seed in SEEDS:
        result = service_quality(planted(seed), seed=0, n_trees=N_TREES)
        told = result.calibration_figures
        errors = (f"{value:.3f}" for value in (told.error, told.error_as_fitted, told.error_by_chance))
        n_judged, area = f"{len(result.split.holdout):,}", f"{result.measures['model']['auc']:.3f}"
        yield (str(seed), n_judged, result.model, "yes" if told.is_calibrated else "no", *errors, area)


def planted(seed: int) -> CaseSplit:
    """Synthetic cases of a year, their load counted as the generator does, parted at the first of October."""
    rng = np.random.default_rng(seed)
    customer = np.repeat([f"H{number:04d}" for number in range(2400)], 52)
    day = pd.Timestamp("2017-01-01") + pd.to_timedelta(rng.integers(0, 365, len(customer)), unit="D")
    cases = synthetic_service_cases(
        pd.DataFrame({"customer_id": customer, "day": day}), seed=seed, end=date(2017, 12, 31)
    )
    cases = cases[cases["due_at"] < "2018-01-01"].sort_values(["opened_at", "case_id"], ignore_index=True)
    hours = (cases["due_at"] - cases["opened_at"]).dt.total_seconds() / 3600
    table = cases[["case_id", "customer_id", "opened_at", "team", "channel", "category", "priority"]].assign(
        opened_weekday=cases["opened_at"].dt.isocalendar().day.astype("int64"),
        opened_hour=cases["opened_at"].dt.hour,
        target_hours=hours,
        team_load=team_load(cases),
        known_at=cases["due_at"],
        sla_missed=(~(cases["resolved_at"] <= cases["due_at"])).astype("int64"),
    )
    first = date(2017, 10, 1)
    is_later = table["opened_at"] >= pd.Timestamp(first)
    learnt = table[~is_later & (table["known_at"] < pd.Timestamp(first))]
    n_lost = int((~is_later).sum()) - len(learnt)
    return CaseSplit(OUTCOME, learnt, table[is_later].reset_index(drop=True), first, date(2017, 12, 31), n_lost)
