"""Outcomes are what was known at the end of the day, on both sides alike."""

import datetime as dt

import pandas as pd
import pytest

from crm_analysis.features.service import OUTCOMES, case_features, case_outcomes
from tests.features.service.known_cases import KnownCases, cases_from, four_cases_and_one, random_cases


def values(flags):
    return flags.astype(object).where(flags.notna(), None).tolist()


def test_outcomes_of_a_table_by_hand():
    cases = four_cases_and_one().assign(reopens=[0, 2, None, None, None])
    outcomes = case_outcomes(KnownCases(cases, dt.date(2024, 1, 6)), long_resolution_hours=48).set_index("case_id")
    assert list(outcomes) == ["opened_at", "due_at", "resolved_at", "is_open", *OUTCOMES]
    assert values(outcomes["sla_missed"]) == [False, True, True, True, None]
    assert outcomes["is_open"].tolist() == [False, False, False, True, True]
    assert outcomes["resolved_at"].isna().tolist() == outcomes["is_open"].tolist()
    assert outcomes["resolved_at"]["b"] == pd.Timestamp("2024-01-03 12:00")
    assert values(outcomes["low_satisfaction"]) == [False, True, None, None, None]
    assert values(outcomes["long_resolution"]) == [False, False, True, True, None]  # b took exactly 48 hours
    assert values(outcomes["reopened"]) == [False, True, None, None, None]


def test_a_case_not_yet_due_has_no_outcome_even_when_it_is_resolved():
    outcomes = case_outcomes(KnownCases(four_cases_and_one(), dt.date(2024, 1, 1))).set_index("case_id")
    assert outcomes["sla_missed"].notna().to_dict() == {"a": False, "b": True, "c": False}
    assert bool(outcomes["sla_missed"]["b"])  # open and overdue
    assert outcomes["long_resolution"].isna().all()  # a is resolved, but 72 hours have not passed


@pytest.mark.parametrize(("hours", "expected"), [(9, False), (8.99, True), (14.99, False), (15, None), (200, None)])
def test_a_resolution_is_long_beyond_the_limit_and_known_once_it_has_passed(hours, expected):
    case = four_cases_and_one().iloc[[0]]  # opened at nine, resolved nine hours later
    outcomes = case_outcomes(KnownCases(case, dt.date(2024, 1, 1)), long_resolution_hours=hours)
    assert values(outcomes["long_resolution"]) == [expected]


def test_the_limits_are_checked():
    known = KnownCases(four_cases_and_one().assign(satisfaction=[3, 4, 2, None, None]), dt.date(2024, 1, 6))
    for limit, n_low in ((1, 0), (2, 1), (3, 2), (4, 3)):
        assert case_outcomes(known, low_satisfaction_at_most=limit)["low_satisfaction"].sum() == n_low
    with pytest.raises(ValueError, match="1, 2, 3 or 4, got 5"):
        case_outcomes(known, low_satisfaction_at_most=5)
    for hours in (0, -3, float("nan"), float("inf"), 1e9):
        with pytest.raises(ValueError, match="long_resolution_hours must lie above 0"):
            case_outcomes(known, long_resolution_hours=hours)


def test_an_outcome_once_known_stays():
    cases = random_cases(300, seed=6)
    early = case_outcomes(KnownCases(cases, dt.date(2024, 1, 10)), long_resolution_hours=30).set_index("case_id")
    late = case_outcomes(KnownCases(cases, dt.date(2024, 3, 1)), long_resolution_hours=30)
    late = late.set_index("case_id").loc[early.index]
    for outcome in OUTCOMES:
        known = early[outcome].notna()
        assert known.any()
        assert (late.loc[known, outcome] == early.loc[known, outcome]).all()


def test_the_order_of_rows_changes_nothing():
    cases, day = random_cases(200, seed=7), dt.date(2024, 1, 31)
    shuffled = KnownCases(cases.sample(frac=1, random_state=1), day)
    pd.testing.assert_frame_equal(case_outcomes(shuffled), case_outcomes(KnownCases(cases, day)))


def test_without_due_times_the_outcome_comes_from_sla_met_at_the_resolution():
    cases = cases_from(
        ("a", "anna", "north", "2024-01-01 09:00", None, "2024-01-01 18:00", None),
        ("b", "anna", "north", "2024-01-02 09:00", None, "2024-01-05 18:00", None),
        ("c", "anna", "north", "2024-01-03 09:00", None, None, None),
    ).assign(sla_met=[False, True, None])
    early = case_outcomes(KnownCases(cases, dt.date(2024, 1, 3)))["sla_missed"]
    assert early.isna().tolist() == [False, True, True]
    late = KnownCases(cases, dt.date(2024, 1, 9))
    assert case_outcomes(late)["sla_missed"].dropna().tolist() == [True, False]
    assert case_features(late)["earlier_missed"].tolist() == [0, 1, 1]
    assert case_features(late)["target_hours"].isna().all()


def test_what_a_source_does_not_have_is_missing_for_every_case():
    cases = random_cases(20, seed=8).assign(satisfaction=None, sla_met=None, due_at=None, reopens=None)
    outcomes = case_outcomes(KnownCases(cases, dt.date(2024, 1, 31)))
    assert outcomes[["sla_missed", "low_satisfaction", "reopened"]].isna().all(axis=None)
    assert (outcomes.dtypes[list(OUTCOMES)] == "boolean").all()


def test_all_open_and_all_closed_cases_are_told_as_they_are():
    cases, day = random_cases(50, seed=8), dt.date(2024, 3, 31)
    opened = case_outcomes(KnownCases(cases.assign(resolved_at=pd.NaT), day))
    assert opened["is_open"].all()
    assert opened["long_resolution"].all()
    closed = case_outcomes(KnownCases(cases.assign(resolved_at=cases["opened_at"]), day))
    assert not closed["is_open"].any()
    assert not closed["long_resolution"].any()


def test_no_cases_give_an_empty_table():
    assert case_outcomes(KnownCases(random_cases(5, seed=9), dt.date(2020, 1, 1))).empty
