"""Claims about the whole workload: from cases to a planner's table, with what it says and what it keeps to itself."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import ParamsError
from crm_analysis.models.service_quality.workload import ServiceGoal, Workload, agents_needed, service_workload
from tests.models.service_quality.workload.desk import drawn_cases, drawn_counts

COUNTS = drawn_counts(330, mean=60, seed=1)
AS_OF = COUNTS.index[-1].date()
CASES = drawn_cases(COUNTS, seed=1, channels=("phone", "email", "Live chat", "web form"))


def planned(cases: pd.DataFrame = CASES, **asked: object) -> Workload:
    """Return the workload of a desk that has a plan."""
    found = service_workload(cases, **({"as_of": AS_OF} | asked))
    assert found.plan is not None
    return found


def tables_of(found: Workload) -> list[pd.DataFrame]:
    plan = found.plan
    return [plan.volume.trials, plan.volume.holdout, plan.volume.ahead, plan.staffing, plan.other_work, found.planner]


def test_expected_cases_of_all_hours_add_up_to_those_of_the_days() -> None:
    plan = planned().plan
    per_week = plan.staffing["cases"].sum() + plan.other_work["cases"].sum()
    assert per_week == pytest.approx(plan.volume.ahead["forecast"].sum() / 4)
    assert plan.live.names == ("Live chat", "phone")
    assert plan.live.is_live.mean() == pytest.approx(0.5, abs=0.02)


def test_a_row_of_the_planners_table_is_what_the_formula_gives() -> None:
    plan = planned(goal=ServiceGoal(handling_minutes=10, answer_share=0.9, answer_minutes=0.5, shrinkage=0.25)).plan
    row = plan.staffing.loc[(0, 13)]
    needed = agents_needed(
        row["cases"], 1 / 6, answer_share=0.9, answer_hours=0.5 / 60, max_occupancy=0.85, shrinkage=0.25
    )
    assert (row["agents"], row["occupancy"]) == (needed.agents, pytest.approx(needed.occupancy))
    assert row["wait_seconds"] == pytest.approx(3600 * needed.mean_wait_hours)
    assert (plan.staffing["agents_upper"] >= plan.staffing["agents"]).all()
    assert (plan.staffing["scheduled"] >= plan.staffing["agents_upper"]).all()


def test_hours_without_cases_need_nobody() -> None:
    found = planned()
    assert (found.staff_by_hour[[0, 3, 23]] == 0).all(axis=None)
    assert (found.staff_by_hour.loc["Monday", 9:17] >= 1).all()


def test_order_and_names_change_nothing() -> None:
    other = CASES.assign(customer_id="客户 " + CASES["customer_id"]).sample(frac=1, random_state=2)
    for one, two in zip(tables_of(planned()), tables_of(planned(other)), strict=True):
        pd.testing.assert_frame_equal(one, two)


def test_given_channels_are_taken_and_unknown_ones_named() -> None:
    assert planned(live_channels=["email"]).plan.live.names == ("email",)
    with pytest.raises(ParamsError, match=r"live_channels names 1 of 2 channels .* \['fax'\]") as caught:
        service_workload(CASES, as_of=AS_OF, live_channels=["fax", "email"])
    assert "'web form'" in str(caught.value)
    with pytest.raises(ParamsError, match="live_channels"):
        service_workload(CASES, as_of=AS_OF, live_channels=[])


@pytest.mark.parametrize(
    ("channel", "is_live"),
    [("Phone", True), ("telephone", True), ("Call centre", True), ("chatbot", True), ("电话", True), ("hotel desk", False),
     ("e-mail", False), ("recall form", False)],
)  # fmt: skip
def test_live_channels_are_known_by_their_names(channel: str, is_live: bool) -> None:
    cases = CASES.assign(channel=CASES["channel"].replace({"phone": channel, "Live chat": "letter"}))
    assert planned(cases).plan.live.names == ((channel,) if is_live else ())


@pytest.mark.parametrize("channel", [None, "email", pd.NA])
def test_without_a_live_channel_all_cases_are_staffed_and_it_is_said(channel: object) -> None:
    found = planned(CASES.assign(channel=pd.Series(channel, index=CASES.index, dtype="str")))
    assert (found.plan.live.is_live.mean(), len(found.plan.other_work)) == (1.0, 0)
    assert any("No channel is known to be live" in note for note in found.notes)


def test_thousands_of_channels_in_any_script_are_no_difficulty() -> None:
    names = [f"канал {number % 5000} 渠道" for number in range(len(CASES))]
    assert planned(CASES.assign(channel=pd.array(names, dtype="str"))).plan.live.names == ()


def test_too_little_is_said_and_not_forecast() -> None:
    nothing = service_workload(CASES.iloc[:0], as_of=AS_OF)
    assert nothing.plan is None
    assert nothing.sentences == (nothing.reason,)
    assert nothing.staff_by_hour.empty
    assert nothing.planner.empty
    early = CASES[CASES["opened_at"] < COUNTS.index[9]]
    assert "9 days" in service_workload(early, as_of=COUNTS.index[8].date()).reason
    single = service_workload(CASES.assign(customer_id="a"), as_of=AS_OF, min_cell=5)
    assert single.reason == "The workload is not forecast: fewer than 5 customers had a case in the last year."


def test_one_customer_of_public_data_can_be_planned_for() -> None:
    planned(CASES.assign(customer_id="a"))


def test_few_customers_are_neither_shown_nor_given_away() -> None:
    quiet = drawn_cases(drawn_counts(330, mean=9, seed=4), seed=4, n_customers=300, channels=("phone", "email"))
    found = planned(quiet, min_cell=5)
    plan, daily = found.plan, quiet.groupby(quiet["opened_at"].dt.normalize())["customer_id"].nunique()
    few = daily.index[daily < 5]
    assert len(few) > 5
    assert plan.arrivals.table.loc[few].isna().all(axis=None)
    assert plan.volume.holdout["actual"].reindex(few).isna().all()
    assert any("Left out, as they are about too few customers" in note for note in found.notes)
    by_hour = quiet[quiet["channel"] == "phone"].groupby(quiet["opened_at"].dt.hour)["customer_id"].nunique()
    for hour in by_hour[by_hour < 5].index:
        assert plan.staffing.xs(hour, level="hour").isna().all(axis=None)


def test_live_channels_of_few_customers_are_not_told_apart() -> None:
    cases = CASES.assign(channel=np.where(np.arange(len(CASES)) < len(CASES) - 3, "email", "phone"))
    found = planned(cases.astype({"channel": "str"}), min_cell=5)
    assert found.plan.live.names == ()
    assert any("not told apart" in note for note in found.notes)


def test_sentences_hold_the_figures() -> None:
    found = planned()
    text, volume = " ".join(found.sentences), found.plan.volume
    assert f"{volume.total:,.0f} cases are expected" in text
    assert f"The 90% range held {volume.days_held} of 28 days" in text
    assert "over Live chat and phone" in text
    assert any("handling_minutes" in note for note in found.notes)
    assert any("less than two years" in note for note in found.notes)


def test_a_change_in_the_hold_out_is_owned_up_to() -> None:
    counts = COUNTS.copy()
    counts.iloc[-28:-7] *= 0.2
    counts.iloc[:-28] = np.resize(counts.iloc[:28].to_numpy(), len(counts) - 28)
    cases = drawn_cases(counts, seed=3)
    found = planned(cases)
    assert any("fewer than it should" in sentence for sentence in found.sentences)


def test_a_naive_rule_that_wins_is_named() -> None:
    counts = drawn_counts(330, mean=60, seed=9)
    counts.iloc[-35:] *= 2.0  # the week before the hold-out already tells
    found = planned(drawn_cases(counts, seed=5))
    assert found.plan.volume.naive_wins
    assert any("did better than the rule chosen before it" in note for note in found.notes)


def test_uncovered_and_broken_days_are_told() -> None:
    later = (COUNTS.index[-1] + pd.Timedelta(days=5)).date()
    found = planned(CASES[CASES["opened_at"] < COUNTS.index[-1] + pd.Timedelta(hours=9)], as_of=later)
    note = next(note for note in found.notes if "the table of cases seems to end there" in note)
    assert f"{AS_OF} is left out: a part of the day is missing" in note
    assert "The last case opened 5 days before the end" in note
    assert found.plan.volume.ahead.index[0].date() == later + timedelta(days=1)
    cut = planned(CASES[CASES["opened_at"] < COUNTS.index[-1] + pd.Timedelta(hours=9)])
    assert cut.plan.volume.ahead.index[0] == COUNTS.index[-1] + pd.Timedelta(days=1)


def test_wrong_values_are_mistakes() -> None:
    with pytest.raises(ValueError, match="horizon_days must be at least 1, got 0"):
        service_workload(CASES, as_of=AS_OF, horizon_days=0)
    with pytest.raises(ValueError, match="handling_hours must be a number above 0"):
        service_workload(CASES, as_of=AS_OF, goal=ServiceGoal(handling_minutes=0))


def test_a_single_day_ahead_is_planned_alone() -> None:
    found = planned(horizon_days=1)
    assert list(found.staff_by_hour.index) == [f"{pd.Timestamp(AS_OF) + pd.Timedelta(days=1):%A}"]
    assert isinstance(AS_OF, date)
