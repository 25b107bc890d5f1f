"""Features of a case are what was known at its moment: when it opened, or when it had some age."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm_analysis.features.service import LEVELS, NUMBERS, RESPONSES, SPENDING, case_features
from tests.features.service.known_cases import (
    KnownCases,
    cases_from,
    four_cases_and_one,
    random_cases,
    random_purchases,
)

NAMES = ["case_id", "customer_id", "opened_at"]
DAY = dt.date(2024, 1, 31)


def test_features_of_a_table_by_hand():
    features = case_features(KnownCases(four_cases_and_one(), dt.date(2024, 1, 7))).set_index("case_id")
    assert list(features) == ["customer_id", "opened_at", *LEVELS, *NUMBERS]
    assert features["opened_weekday"].tolist() == [1, 1, 1, 2, 6]
    assert features["opened_hour"].tolist() == [9, 12, 18, 9, 9]
    assert features["target_hours"].tolist() == [24.0, 8.0, 24.0, 48.0, 24.0]
    assert features["earlier_cases"].tolist() == [0, 1, 0, 2, 3]
    # b is late from 20:00 on the first; d is open and late from the fourth; a was in time.
    assert features["earlier_missed"].tolist() == [0, 0, 0, 1, 2]
    # a is answered with 5 at 18:00 on the first, b with 1 at noon on the third.
    assert features["earlier_low"].tolist() == [0, 0, 0, 0, 1]
    assert features["earlier_satisfaction"].fillna(-1).tolist() == [-1, -1, -1, 5.0, 3.0]
    assert features["days_since_last_case"].fillna(-1).tolist() == [-1, 0.13, -1, 0.88, 4.0]  # 3 h, 21 h, 4 days
    # anna at 12:00: a is open; on the second b is; on the sixth d is.
    assert features["customer_open_cases"].tolist() == [0, 1, 0, 1, 1]
    # north at 18:00: b is open, a is resolved at that very moment; on the sixth all of north is resolved.
    assert features["team_open_cases"].tolist() == [0, 1, 1, 0, 0]
    assert features["team_recent_cases"].tolist() == [0, 1, 2, 0, 3]
    # Within the first seven days a team's last week is its whole past: as usual.
    assert features["team_load"].tolist() == [0, 0, 0, 0, 0]


def test_a_load_is_the_last_week_against_the_whole_past():
    rows = [
        (f"o{day}", "x", "north", f"2024-01-{day:02d} 12:00", None, None, None) for day in range(1, 15)
    ]  # one a day
    rows += [(f"n{n}", "x", "north", f"2024-01-14 13:0{n}", None, None, None) for n in range(8)]
    rows += [("asked", "y", "north", "2024-01-15 12:00", None, None, None)]
    load = case_features(KnownCases(cases_from(*rows), DAY)).set_index("case_id")["team_load"]
    # Fourteen days since the first case with 22 of them; 15 within the last seven, that of the eighth at noon included.
    assert load["asked"] == pytest.approx(np.log((15 / 7 + 0.5) / (22 / 14 + 0.5)), abs=5e-5)
    assert load.between(-1, 1).all()


def test_features_at_an_age_of_a_table_by_hand():
    cases = four_cases_and_one().assign(
        first_response_at=pd.to_datetime(["2024-01-01 10:00", None, "2024-01-02 04:00", None, None])
    )
    features = case_features(KnownCases(cases, dt.date(2024, 1, 6)), age_hours=10).set_index("case_id")
    assert list(features) == ["customer_id", "opened_at", *LEVELS, *NUMBERS, *RESPONSES]
    # a is resolved before it is ten hours old; e has that age at 19:00 on the last day known.
    assert features.index.tolist() == ["b", "c", "d", "e"]
    assert features["is_responded"].tolist() == [0, 1, 0, 0]
    assert features["first_response_hours"].fillna(-1).tolist() == [-1, 10.0, -1, -1]
    # The own case, open and late, counts nowhere: b is late itself at 22:00, and late for d at 19:00 on the second.
    assert features["earlier_missed"].tolist() == [0, 0, 1, 2]
    assert features["earlier_cases"].tolist() == [1, 0, 2, 3]
    assert features["customer_open_cases"].tolist() == [0, 0, 1, 1]
    assert features["team_open_cases"].tolist() == [1, 1, 0, 0]  # c for b; b for c, at 04:00
    assert features["earlier_satisfaction"].fillna(-1).tolist() == [5.0, -1, 5.0, 3.0]
    late = case_features(KnownCases(cases, dt.date(2024, 1, 6)), age_hours=15)
    assert late["case_id"].tolist() == ["b", "c", "d"]  # midnight after the day is not known


@pytest.mark.parametrize("age_hours", [0, 30, 200])
def test_features_agree_with_a_count_case_by_case(age_hours):
    cases, purchases = random_cases(150, seed=4), random_purchases(400, seed=4)
    cases.loc[::10, "resolved_at"] = None  # some are open for long
    cases["satisfaction"] = cases["satisfaction"].where(cases["resolved_at"].notna())
    features = case_features(KnownCases(cases, DAY, purchases), age_hours=age_hours).set_index("case_id")
    n_asked = 0
    for index, case in cases.iterrows():
        moment = case["opened_at"] + pd.Timedelta(hours=age_hours)
        if age_hours and (case["resolved_at"] <= moment or moment >= pd.Timestamp("2024-02-01")):
            assert case["case_id"] not in features.index
            continue
        n_asked += 1
        found = features.loc[case["case_id"]]
        others = cases.drop(index)
        for name, value in {**at_moment(case, others, moment), **bought(case, purchases, moment)}.items():
            np.testing.assert_allclose(found[name], value, atol=0.011 if "days_since" in name else 1e-4, err_msg=name)
        assert pd.isna(found["days_since_last_case"]) == (
            not (others["customer_id"].eq(case["customer_id"]) & (others["opened_at"] < case["opened_at"])).any()
        )
    assert n_asked == len(features) > 12


def at_moment(case, others, moment):
    """Count what is known of other cases at a moment, one by one."""
    missed_at = others["due_at"].where(~(others["resolved_at"] <= others["due_at"]))
    missed_at = missed_at.fillna(others["resolved_at"].where(others["due_at"].isna() & others["sla_met"].eq(False)))
    seen = np.maximum(missed_at, others["opened_at"]).where(missed_at.notna()) < moment
    before = others["opened_at"] < moment
    is_open = before & ~(others["resolved_at"] <= moment)
    own = others["customer_id"] == case["customer_id"]
    team = others["team"].fillna("") == ("" if pd.isna(case["team"]) else case["team"])
    answers = others.loc[
        own & (np.maximum(others["resolved_at"], others["opened_at"]) < moment), "satisfaction"
    ].dropna()
    past = others[team & before]
    firsts = [*others.loc[team, "opened_at"], case["opened_at"]]
    n_days = max((moment - min(firsts)) / pd.Timedelta(days=1), 1)
    n_recent = int((past["opened_at"] >= moment - pd.Timedelta(days=7)).sum())
    load = np.log((n_recent / min(n_days, 7) + 0.5) / (len(past) / n_days + 0.5))
    last = others.loc[own & (others["opened_at"] < case["opened_at"]), "opened_at"].max()
    return {
        "earlier_cases": int((own & before).sum()),
        "earlier_missed": int((own & seen).sum()),
        "earlier_low": int((answers <= 2).sum()),
        "earlier_satisfaction": answers.astype(float).mean() if len(answers) else np.nan,
        "customer_open_cases": int((own & is_open).sum()),
        "team_open_cases": int((team & is_open).sum()),
        "team_recent_cases": n_recent,
        "team_load": float(np.clip(load, -1, 1)),
        "days_since_last_case": (moment - last) / pd.Timedelta(days=1) if pd.notna(last) else np.nan,
    }


def bought(case, purchases, moment):
    """Sum up what the customer bought before the day of a moment."""
    days = (moment.normalize() - purchases["occurred_at"].dt.normalize()).dt.days
    own = (purchases["customer_id"] == case["customer_id"]) & (days >= 1)
    ever = days[own & (purchases["amount"] > 0)]
    return {
        "spend_before": purchases.loc[own & (days <= 365), "amount"].sum(),
        "purchase_days_before": ever[ever <= 365].nunique(),
        "days_since_last_purchase": ever.min() if len(ever) else np.nan,
        "customer_days": ever.max() if len(ever) else np.nan,
    }


@pytest.mark.parametrize("age_hours", [0, 30])
def test_later_days_change_no_feature(age_hours):
    cases, purchases = random_cases(300, seed=5), random_purchases(300, seed=5)
    early = case_features(KnownCases(cases, dt.date(2024, 1, 10), purchases), age_hours=age_hours)
    late = case_features(KnownCases(cases, dt.date(2024, 3, 1), purchases), age_hours=age_hours)
    had_its_age = late["opened_at"] + pd.Timedelta(hours=age_hours) < pd.Timestamp("2024-01-11")
    pd.testing.assert_frame_equal(late[had_its_age].reset_index(drop=True), early)
    assert len(early) > 50


def test_own_answer_and_own_miss_are_never_among_the_earlier_ones():
    alone = cases_from(
        (
            "a",
            "anna",
            "north",
            "2024-01-01 09:00",
            "2024-01-01 09:00",
            "2024-01-01 09:00",
            1,
        ),  # solved at once, and disliked
        ("b", "ben", "north", "2024-01-01 09:00", "2024-01-01 08:00", None, None),  # late from the start
    )
    for age_hours, n_cases in ((0, 2), (5, 1)):
        features = case_features(KnownCases(alone, dt.date(2024, 1, 3)), age_hours=age_hours)
        assert len(features) == n_cases
        assert features[["earlier_cases", "earlier_missed", "earlier_low", "customer_open_cases"]].eq(0).all(axis=None)
        assert features["earlier_satisfaction"].isna().all()


def test_the_order_of_rows_and_the_names_of_customers_change_nothing():
    cases, purchases = random_cases(200, seed=7), random_purchases(200, seed=7)
    features = case_features(KnownCases(cases, DAY, purchases))
    shuffled = KnownCases(cases.sample(frac=1, random_state=1), DAY, purchases.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(case_features(shuffled), features)
    renamed = [table.assign(customer_id="客户" + table["customer_id"].str.upper()) for table in (cases, purchases)]
    other = case_features(KnownCases(renamed[0], DAY, renamed[1]))
    pd.testing.assert_frame_equal(other.drop(columns="customer_id"), features.drop(columns="customer_id"))


def test_another_currency_changes_spend_only():
    cases, purchases = random_cases(100, seed=7), random_purchases(200, seed=7)
    dollars = case_features(KnownCases(cases, DAY, purchases))
    cents = case_features(KnownCases(cases, DAY, purchases.assign(amount=purchases["amount"] * 100)))
    pd.testing.assert_frame_equal(cents.assign(spend_before=cents["spend_before"] / 100), dollars)


def test_hand_overs_and_reopens_are_no_features():
    later = {"reassignments", "reopens", "sla_met", "first_response_at", "satisfaction", "resolved_at"}
    assert not later & {*LEVELS, *NUMBERS, *RESPONSES}


def test_without_purchases_what_was_bought_is_missing_not_none():
    features = case_features(KnownCases(random_cases(50, seed=1), DAY))
    assert features[list(SPENDING)].isna().all(axis=None)
    assert (features[list(SPENDING)].dtypes == "float64").all()


def test_who_bought_nothing_spent_nothing():
    cases = random_cases(50, seed=1).assign(customer_id="nobody")
    features = case_features(KnownCases(cases, DAY, random_purchases(50, seed=1)))
    assert features[["spend_before", "purchase_days_before"]].eq(0).all(axis=None)
    assert features[["days_since_last_purchase", "customer_days"]].isna().all(axis=None)


def test_columns_that_a_source_does_not_have_are_missing_levels():
    lacking = dict.fromkeys(["team", "channel", "category", "satisfaction", "sla_met", "due_at", "first_response_at"])
    known = KnownCases(random_cases(20, seed=8).assign(**lacking), DAY)
    features = case_features(known)
    assert features[list(LEVELS)].isna().all(axis=None)
    assert (features.dtypes[list(LEVELS)] == "str").all()
    assert features[["target_hours", "earlier_satisfaction"]].isna().all(axis=None)
    aged = case_features(known, age_hours=2)
    assert aged["is_responded"].eq(0).all()
    assert aged["first_response_hours"].isna().all()


def test_no_cases_give_an_empty_table():
    known = KnownCases(random_cases(5, seed=9), dt.date(2020, 1, 1), random_purchases(5, seed=9))
    assert case_features(known).empty
    assert list(case_features(known, age_hours=4)) == [*NAMES, *LEVELS, *NUMBERS, *RESPONSES]


@pytest.mark.parametrize("age_hours", [-1, float("nan"), float("inf"), 1e6])
def test_an_age_that_is_none_is_refused(age_hours):
    with pytest.raises(ValueError, match=r"age_hours must lie between 0 and 87672, got"):
        case_features(KnownCases(random_cases(5, seed=9), DAY), age_hours=age_hours)


def test_a_thousand_teams_and_texts_of_any_script_are_counted_apart():
    cases = random_cases(400, seed=2)
    cases["team"] = [f"队{number % 200} – Ω'\"" for number in range(len(cases))]
    features = case_features(KnownCases(cases, DAY))
    assert features["team"].nunique() == 200
    assert features["team_recent_cases"].max() <= 1
