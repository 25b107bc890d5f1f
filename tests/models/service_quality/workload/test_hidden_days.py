"""Figures over hidden and shown days: over all where that tells of nobody, never over the busy ones alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_workload import plot_volume
from crm_analysis.models.service_quality.workload import Workload, service_workload
from crm_analysis.models.service_quality.workload.volume import daily_volume
from tests.models.service_quality.workload.desk import drawn_cases, drawn_counts

QUIET = drawn_counts(330, mean=3, seed=4)
AS_OF = QUIET.index[-1].date()


@pytest.fixture(scope="module")
def quiet() -> Workload:
    return service_workload(
        drawn_cases(QUIET, seed=4, n_customers=300, channels=("phone", "email")), as_of=AS_OF, min_cell=5
    )


def test_errors_are_over_all_days_where_hidden_ones_are_many(quiet: Workload) -> None:
    volume = quiet.plan.volume
    assert volume.holdout["actual"].isna().sum() > 6
    actual = QUIET.iloc[-28:]
    assert volume.n_judged == 28
    assert volume.errors["mae"]["forecast"] == pytest.approx((actual - volume.holdout["forecast"]).abs().mean())
    assert volume.errors["bias"]["forecast"] == pytest.approx(volume.holdout["forecast"].sum() / actual.sum() - 1)
    held = actual.between(volume.holdout["low_90"], volume.holdout["high_90"]).sum()
    assert any(f"held {held} of 28 days of the hold-out" in sentence for sentence in quiet.sentences)


def test_nothing_is_measured_on_the_busy_days_alone(quiet: Workload) -> None:
    counts = drawn_counts(250, mean=10, seed=9)
    some = daily_volume(counts, horizon_days=28, hidden=set(counts.index[-10:]))
    assert (some.n_judged, some.days_held) == (0, 0)
    assert some.errors.isna().all(axis=None)
    few = daily_volume(counts, horizon_days=28, hidden=set(counts.index[-2:]))
    assert few.n_judged == 26
    text = alternative_text(plot_volume(quiet))
    assert "days are left out" in text
    assert "on average." not in text.split("In the 28 days")[0]
    assert " to " not in text.split("In the 28 days")[0]


def test_a_few_hidden_days_are_told_by_no_error() -> None:
    counts = drawn_counts(330, mean=30, seed=6)
    counts.iloc[-3] = 2
    cases = drawn_cases(counts, seed=6, channels=("phone", "email"))
    found = service_workload(cases, as_of=AS_OF, min_cell=5)
    n_hidden = int(found.plan.volume.holdout["actual"].isna().sum())
    assert 1 <= n_hidden <= 6
    assert found.plan.volume.n_judged == 28 - n_hidden
    text = " ".join(found.sentences)
    assert f"On the {28 - n_hidden} days of the hold-out that may be shown" in text
    assert "In all," not in text


def test_a_hold_out_without_cases_has_no_bias() -> None:
    counts = drawn_counts(330, mean=30, seed=6)
    counts.iloc[-28:-1] = 0
    counts.iloc[-1] = 0
    cases = drawn_cases(counts, seed=6)
    found = daily_volume(counts, horizon_days=28)
    assert np.isnan(found.errors["bias"]["forecast"])
    sentences = service_workload(cases, as_of=AS_OF).sentences
    assert not any("nan" in sentence for sentence in sentences)


def test_mere_presence_is_said_and_no_tied_hour_is_named() -> None:
    found = service_workload(drawn_cases(QUIET, seed=4, channels=("phone",)), as_of=AS_OF)
    staff = next(sentence for sentence in found.sentences if sentence.startswith("To answer"))
    upper, cases = found.plan.staffing["agents_upper"], found.plan.staffing["cases"]
    assert upper.max() in {1, 2}
    n_most = int((upper == upper.max()).sum())
    assert n_most > 1
    assert f"at once in {n_most} hours of the week alike" in staff
    idle = int(((upper == 1) & (cases * 12 / 60 < 0.05)).sum())
    assert idle > 20
    assert f"Of the former, {idle} hours are mere presence" in staff
    busy = service_workload(drawn_cases(drawn_counts(330, mean=400, seed=2), seed=2, channels=("phone",)), as_of=AS_OF)
    most = busy.plan.staffing["cases"].idxmax()
    assert any(f"{pd.Timestamp('2024-01-01').day_name()} from {most[1]}" in sentence for sentence in busy.sentences)


def test_one_agent_is_needed_in_the_singular() -> None:
    found = service_workload(drawn_cases(drawn_counts(330, mean=0.3, seed=1), seed=1, channels=("phone",)), as_of=AS_OF)
    text = " ".join(found.sentences)
    assert "1 agent is needed at once" in text
    assert "1 agent are" not in text
