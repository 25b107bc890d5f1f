"""Bad experiences are dated when they were seen; purchases around a day leave the day itself out."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm_analysis.features.service import AROUND, EXPERIENCES, case_outcomes, experience_days, purchases_around
from tests.features.service.known_cases import (
    KnownCases,
    cases_from,
    four_cases_and_one,
    random_cases,
    random_purchases,
)

DAY = dt.date(2024, 1, 31)


def rows(table):
    return [(name, str(day.date()), *counts) for name, day, *counts in table.itertuples(index=False)]


def test_experiences_of_a_table_by_hand():
    experiences = experience_days(KnownCases(four_cases_and_one(), dt.date(2024, 1, 6)))
    assert list(experiences) == ["customer_id", "day", *EXPERIENCES]
    assert rows(experiences) == [
        ("anna", "2024-01-01", 1, 0),  # b is late at 20:00
        ("ben", "2024-01-02", 1, 0),  # c
        ("anna", "2024-01-03", 0, 1),  # b is resolved, and disliked
        ("anna", "2024-01-04", 1, 0),  # d is open and late
    ]
    assert len(experience_days(KnownCases(four_cases_and_one(), dt.date(2024, 1, 6)), low_satisfaction_at_most=4)) == 4
    with pytest.raises(ValueError, match="1, 2, 3 or 4, got 0"):
        experience_days(KnownCases(four_cases_and_one(), DAY), low_satisfaction_at_most=0)


def test_without_a_due_time_a_miss_is_seen_at_the_resolution_and_days_add_up():
    cases = cases_from(
        ("a", "anna", "north", "2024-01-01 09:00", None, "2024-01-03 18:00", 2),
        ("b", "anna", "north", "2024-01-02 09:00", None, "2024-01-03 19:00", 1),
        ("c", "anna", "north", "2024-01-02 09:00", None, "2024-01-04 19:00", 5),
    ).assign(sla_met=[False, False, True])
    assert rows(experience_days(KnownCases(cases, DAY))) == [("anna", "2024-01-03", 2, 2)]


def test_experiences_add_up_to_the_outcomes_and_stay():
    cases = random_cases(300, seed=6)
    known = KnownCases(cases, dt.date(2024, 1, 12))
    outcomes, experiences = case_outcomes(known), experience_days(known)
    assert experiences["missed_cases"].sum() == outcomes["sla_missed"].sum()
    assert experiences["low_answers"].sum() == outcomes["low_satisfaction"].sum()
    assert not experiences.duplicated(["customer_id", "day"]).any()
    late = experience_days(KnownCases(cases, dt.date(2024, 3, 1)))
    pd.testing.assert_frame_equal(late[late["day"] < "2024-01-13"].reset_index(drop=True), experiences)
    shuffled = KnownCases(cases.sample(frac=1, random_state=1), dt.date(2024, 1, 12))
    pd.testing.assert_frame_equal(experience_days(shuffled), experiences)


def test_purchases_around_a_day_by_hand():
    lines = [
        ("zoe", "2024-01-01", 1.0),  # time is known from here
        ("anna", "2024-01-03 10:00", 7.0),
        ("anna", "2024-01-05 10:00", 10.0),
        ("anna", "2024-01-05 18:00", 5.0),
        ("anna", "2024-01-07 10:00", 99.0),  # the day itself
        ("anna", "2024-01-08 00:00", 20.0),
        ("anna", "2024-01-09 23:59", -4.0),
        ("anna", "2024-01-10 00:00", 50.0),
    ]
    purchases = pd.DataFrame(lines, columns=["customer_id", "occurred_at", "amount"])
    purchases["occurred_at"] = pd.to_datetime(purchases["occurred_at"], format="mixed")
    events = pd.DataFrame(
        {
            "customer_id": ["anna", "nobody", "anna", "anna"],
            "day": pd.to_datetime(["2024-01-07 15:00", "2024-01-07", "2024-01-04", "2024-01-09"], format="mixed"),
        },
        index=[9, 3, 3, 1],
    )
    around = purchases_around(KnownCases(four_cases_and_one(), dt.date(2024, 1, 10), purchases), events, window_days=2)
    assert list(around) == ["customer_id", "day", "has_before_2", "has_before", "has_after", *AROUND]
    assert around["customer_id"].tolist() == ["anna", "nobody", "anna", "anna"]
    assert around["day"].dt.day.tolist() == [7, 7, 4, 9]
    assert around["has_before_2"].tolist() == [
        True,
        True,
        False,
        True,
    ]  # the fourth less four days: before the first known
    assert around["has_after"].tolist() == [True, True, True, False]
    expected = [
        [7.0, 1, 15.0, 1, 16.0, 1],
        [0, 0, 0, 0, 0, 0],
        [None, None, 7.0, 1, 15.0, 1],
        [15.0, 1, 119.0, 2, None, None],
    ]
    np.testing.assert_array_equal(around[list(AROUND)], np.array(expected, dtype=float))


def test_purchases_around_agree_with_a_sum_day_by_day():
    purchases, rng = random_purchases(600, seed=3), np.random.default_rng(3)
    events = pd.DataFrame(
        {
            "customer_id": rng.choice(list("abcxz"), 80),
            "day": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 396, 80), unit="D"),
        }
    )
    around = purchases_around(KnownCases(four_cases_and_one(), DAY, purchases), events, window_days=30)
    for event in around.itertuples():
        after = (purchases["occurred_at"].dt.normalize() - event.day).dt.days[
            purchases["customer_id"] == event.customer_id
        ]
        for name, first, last in (("before_2", -60, -31), ("before", -30, -1), ("after", 1, 30)):
            lines = purchases.loc[after.index[after.between(first, last)]]
            if getattr(event, f"has_{name}"):
                assert getattr(event, f"spend_{name}") == pytest.approx(lines["amount"].sum(), abs=1e-6)
                days = lines.loc[lines["amount"] > 0, "occurred_at"].dt.normalize().nunique()
                assert getattr(event, f"purchase_days_{name}") == days
            else:
                assert np.isnan(getattr(event, f"spend_{name}"))


def test_later_purchases_change_no_window_that_was_known():
    purchases, events = (
        random_purchases(300, seed=3),
        pd.DataFrame({"customer_id": list("abc"), "day": pd.Timestamp("2023-12-01")}),
    )
    early = purchases_around(KnownCases(four_cases_and_one(), dt.date(2023, 12, 31), purchases), events, window_days=30)
    late = purchases_around(KnownCases(four_cases_and_one(), DAY, purchases), events, window_days=30)
    pd.testing.assert_frame_equal(late, early)


def test_no_events_no_windows_and_wrong_ones_are_refused():
    known = KnownCases(four_cases_and_one(), DAY, random_purchases(20, seed=1))
    events = pd.DataFrame({"customer_id": ["a"], "day": pd.to_datetime(["2024-01-05"])})
    empty = purchases_around(known, events.iloc[:0], window_days=30)
    assert empty.empty
    pd.testing.assert_series_equal(empty.dtypes, purchases_around(known, events, window_days=30).dtypes)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        purchases_around(known, events, window_days=0)
    with pytest.raises(ValueError, match="1 of 1 events lack"):
        purchases_around(known, events.assign(day=pd.NaT), window_days=3)
