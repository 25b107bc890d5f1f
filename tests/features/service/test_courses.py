"""The course of a case is told as far as it was known, and an open one has lasted until the end of the day."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm_analysis.features.service import case_courses, case_outcomes, case_texts
from crm_analysis.tables.datasets import open_dataset
from tests.features.service.known_cases import KnownCases, cases_from, four_cases_and_one, random_cases

COLUMNS = {
    "case_id": "str", "customer_id": "str", "opened_at": "datetime64[us]", "team": "str", "channel": "str", "category": "str",
    "priority": "str", "first_response_hours": "float64", "resolution_hours": "float64", "observed_hours": "float64",
    "is_open": "bool", "target_hours": "float64", "sla_missed": "boolean", "satisfaction": "Int64", "reassignments": "Int64",
    "reopens": "Int64", "due_at": "datetime64[us]",
}  # fmt: skip
DAY = dt.date(2024, 1, 6)


def test_courses_of_a_table_by_hand():
    answered = pd.to_datetime(["2024-01-01 09:30", "2024-01-02 12:00", None, None, "2024-01-07 10:00"])
    courses = case_courses(KnownCases(four_cases_and_one().assign(first_response_at=answered), DAY))
    assert {name: str(kind) for name, kind in courses.dtypes.items()} == COLUMNS
    assert courses["case_id"].tolist() == list("abcde")
    assert courses["first_response_hours"].fillna(-1).tolist() == [0.5, 24.0, -1, -1, -1]  # e is answered a day later
    assert courses["resolution_hours"].fillna(-1).tolist() == [9.0, 48.0, 62.0, -1, -1]
    assert courses["observed_hours"].tolist() == [9.0, 48.0, 62.0, 111.0, 15.0]  # until midnight after the sixth
    assert courses["target_hours"].tolist() == [24.0, 8.0, 24.0, 48.0, 24.0]
    assert courses["satisfaction"].fillna(0).tolist() == [5, 1, 0, 0, 0]


def test_courses_agree_with_the_outcomes():
    known = KnownCases(random_cases(300, seed=3), dt.date(2024, 1, 12))
    courses, outcomes = case_courses(known), case_outcomes(known)
    shared = ["case_id", "opened_at", "is_open", "sla_missed"]
    pd.testing.assert_frame_equal(courses[shared], outcomes[shared])
    assert (courses["observed_hours"] >= 0).all()
    closed = ~courses["is_open"]
    assert (courses.loc[closed, "observed_hours"] == courses.loc[closed, "resolution_hours"]).all()
    assert courses.loc[~closed, ["resolution_hours", "satisfaction", "reopens", "reassignments"]].isna().all(axis=None)


def test_times_before_the_opening_count_as_at_the_opening():
    case = cases_from(("a", "anna", None, "2024-01-02 09:00", "2024-01-01 09:00", "2024-01-02 08:00", None))
    course = case_courses(KnownCases(case.assign(first_response_at=pd.Timestamp("2024-01-01")), DAY)).iloc[0]
    assert course[["first_response_hours", "resolution_hours", "observed_hours"]].tolist() == [0, 0, 0]
    assert course["target_hours"] == -24


def test_later_days_only_add_to_a_course():
    cases = random_cases(200, seed=5)
    early = case_courses(KnownCases(cases, dt.date(2024, 1, 10))).set_index("case_id")
    late = case_courses(KnownCases(cases, dt.date(2024, 3, 1))).set_index("case_id").loc[early.index]
    for name in ("first_response_hours", "resolution_hours", "satisfaction", "reopens", "sla_missed"):
        known = early[name].notna()
        assert known.any()
        assert (early.loc[known, name] == late.loc[known, name]).all()
    assert (late["observed_hours"] >= early["observed_hours"]).all()


def test_the_order_of_rows_changes_nothing():
    cases = random_cases(100, seed=5)
    shuffled = cases.sample(frac=1, random_state=1)
    for told in (case_courses, case_texts):
        pd.testing.assert_frame_equal(told(KnownCases(shuffled, DAY)), told(KnownCases(cases, DAY)))


def test_texts_are_told_and_blanks_are_none():
    texts = [" Where is it? ", "   ", None, "货物在哪里", ""]
    told = case_texts(KnownCases(four_cases_and_one().assign(text=texts), DAY))
    assert list(told) == ["case_id", "customer_id", "opened_at", "category", "text", "satisfaction"]
    assert told["text"].fillna("none").tolist() == ["Where is it?", "none", "none", "货物在哪里", "none"]
    assert told["satisfaction"].fillna(0).tolist() == [5, 1, 0, 0, 0]
    assert (told.dtypes[["text", "category"]] == "str").all()


def test_a_bare_source_gives_every_column_its_type(write_dataset):
    bare = four_cases_and_one()[["case_id", "customer_id", "opened_at"]]
    known = open_dataset(write_dataset(service_cases=bare)).known(DAY)
    courses = case_courses(known)
    assert {name: str(kind) for name, kind in courses.dtypes.items()} == COLUMNS
    assert courses["is_open"].all()
    np.testing.assert_allclose(courses["observed_hours"], [135, 132, 126, 111, 15])
    lacking = ["team", "priority", "first_response_hours", "sla_missed", "satisfaction", "reopens", "due_at"]
    assert courses[lacking].isna().all(axis=None)
    assert case_texts(known)["text"].isna().all()


@pytest.mark.parametrize("told", [case_courses, case_texts])
def test_no_cases_give_an_empty_table(told):
    table = told(KnownCases(random_cases(5, seed=9), dt.date(2020, 1, 1)))
    assert table.empty
    assert all(COLUMNS.get(name, "str") == str(kind) for name, kind in table.dtypes.items())
