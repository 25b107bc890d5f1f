"""Features of a case are what was known when it opened; outcomes are what was known at the end of the day."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest

from crm_analysis.features.service import CONTACTS, LEVELS, NUMBERS, case_features, case_outcomes, service_contacts

COLUMNS = {
    "case_id": "VARCHAR", "customer_id": "VARCHAR", "opened_at": "TIMESTAMP", "due_at": "TIMESTAMP", "resolved_at": "TIMESTAMP",
    "sla_met": "BOOLEAN", "satisfaction": "INTEGER", "team": "VARCHAR", "channel": "VARCHAR", "category": "VARCHAR",
    "priority": "VARCHAR",
}  # fmt: skip


class KnownCases:
    """A snapshot of service cases: rows opened later are absent, values dated later are null."""

    def __init__(self, cases, as_of):
        self.as_of = as_of
        end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        visible = cases[cases["opened_at"] < end].reindex(columns=list(COLUMNS)).astype(object)
        hidden = ~(pd.to_datetime(visible["resolved_at"]) < end)
        visible.loc[hidden, ["resolved_at", "satisfaction", "sla_met"]] = None
        rows = visible.astype(object).where(visible.notna(), None).to_numpy().tolist()
        self._connection = duckdb.connect()
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self._connection.execute(f"CREATE TABLE service_cases ({columns})")
        places = ", ".join("?" * len(COLUMNS))
        for row in rows:
            self._connection.execute(f"INSERT INTO service_cases VALUES ({places})", row)

    def query(self, sql, parameters=None):
        result = self._connection.execute(sql, dict(parameters or {})).df()
        return result.astype(dict.fromkeys([name for name in result if result[name].dtype == object], "str"))


def cases_from(*rows):
    """Cases of (case_id, customer_id, team, opened_at, due_at, resolved_at, satisfaction)."""
    names = ["case_id", "customer_id", "team", "opened_at", "due_at", "resolved_at", "satisfaction"]
    table = pd.DataFrame(rows, columns=names)
    times = ["opened_at", "due_at", "resolved_at"]
    table[times] = table[times].apply(pd.to_datetime)
    return table.assign(channel="phone", category="billing", priority=None, sla_met=None)


@pytest.fixture
def by_hand():
    """Monday 1 January 2024 and the days after it."""
    return cases_from(
        ("a", "anna", "north", "2024-01-01 09:00", "2024-01-02 09:00", "2024-01-01 18:00", 5),
        ("b", "anna", "north", "2024-01-01 12:00", "2024-01-01 20:00", "2024-01-03 12:00", 1),
        ("c", "ben", "north", "2024-01-01 18:00", "2024-01-02 18:00", "2024-01-04 08:00", None),
        ("d", "anna", "south", "2024-01-02 09:00", "2024-01-04 09:00", None, None),
        ("e", "anna", "north", "2024-01-06 09:00", "2024-01-07 09:00", None, None),
    )


def random_cases(n_cases, *, seed):
    rng = np.random.default_rng(seed)
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 20 * 24, n_cases), unit="h")
    hours = rng.integers(-2, 90, n_cases)  # some are resolved before they open: real tables have such rows
    resolved = pd.Series(opened + pd.to_timedelta(hours, unit="h")).where(rng.random(n_cases) < 0.9)
    return pd.DataFrame(
        {
            "case_id": [f"c{number:03d}" for number in range(n_cases)],
            "customer_id": rng.choice(list("abcdefgh"), n_cases),
            "team": rng.choice(["north", "south", None], n_cases),
            "opened_at": opened,
            "due_at": pd.Series(opened + pd.to_timedelta(rng.integers(4, 72, n_cases), unit="h")).where(
                rng.random(n_cases) < 0.8
            ),
            "resolved_at": resolved,
            "sla_met": rng.choice([True, False, None], n_cases),
            "satisfaction": rng.choice([1, 2, 3, 4, 5, None], n_cases),
            "channel": rng.choice(["phone", "chat"], n_cases),
            "category": "billing",
            "priority": None,
        }
    )


def test_features_of_a_table_by_hand(by_hand):
    features = case_features(KnownCases(by_hand, dt.date(2024, 1, 7))).set_index("case_id")
    assert list(features) == ["customer_id", "opened_at", *LEVELS, *NUMBERS]
    assert features["opened_weekday"].tolist() == [1, 1, 1, 2, 6]
    assert features["opened_hour"].tolist() == [9, 12, 18, 9, 9]
    assert features["target_hours"].tolist() == [24.0, 8.0, 24.0, 48.0, 24.0]
    assert features["earlier_cases"].tolist() == [0, 1, 0, 2, 3]
    # b is late from 20:00 on the first; d is open and late from the fourth; a was in time.
    assert features["earlier_missed"].tolist() == [0, 0, 0, 1, 2]
    assert features["days_since_last_case"].fillna(-1).tolist() == [-1, 0.13, -1, 0.88, 4.0]  # 3 h, 21 h, 4 days
    # north at 18:00: b is open, a is resolved at that very moment; on the sixth all of north is resolved.
    assert features["team_open_cases"].tolist() == [0, 1, 1, 0, 0]


def test_outcomes_of_a_table_by_hand(by_hand):
    outcomes = case_outcomes(KnownCases(by_hand, dt.date(2024, 1, 6))).set_index("case_id")
    assert outcomes["sla_missed"].astype(object).where(outcomes["sla_missed"].notna(), None).tolist() == [
        False, True, True, True, None,
    ]  # fmt: skip
    assert outcomes["is_open"].tolist() == [False, False, False, True, True]
    assert outcomes["low_satisfaction"].isna().tolist() == [False, False, True, True, True]
    assert outcomes["low_satisfaction"].dropna().tolist() == [False, True]


def test_a_case_not_yet_due_has_no_outcome_even_when_it_is_resolved(by_hand):
    outcomes = case_outcomes(KnownCases(by_hand, dt.date(2024, 1, 1))).set_index("case_id")
    assert outcomes["sla_missed"].notna().to_dict() == {"a": False, "b": True, "c": False}
    assert bool(outcomes["sla_missed"]["b"])  # open and overdue


def test_the_limit_decides_what_is_low(by_hand):
    known = KnownCases(by_hand.assign(satisfaction=[3, 4, 2, None, None]), dt.date(2024, 1, 6))
    for limit, n_low in ((1, 0), (2, 1), (3, 2), (4, 3)):
        assert case_outcomes(known, low_satisfaction_at_most=limit)["low_satisfaction"].sum() == n_low
    with pytest.raises(ValueError, match="1, 2, 3 or 4, got 5"):
        case_outcomes(known, low_satisfaction_at_most=5)


def test_features_agree_with_a_count_case_by_case():
    cases = random_cases(300, seed=4)
    features = case_features(KnownCases(cases, dt.date(2024, 1, 31))).set_index("case_id")
    team = cases["team"].fillna("")
    missed_at = cases["due_at"].where(~(cases["resolved_at"] <= cases["due_at"]))
    missed_at = missed_at.fillna(cases["resolved_at"].where(cases["due_at"].isna() & (cases["sla_met"] == False)))  # noqa: E712
    for index, case in cases.iterrows():
        before = cases["opened_at"] < case["opened_at"]
        open_then = before & (team == team[index]) & ~(cases["resolved_at"] <= case["opened_at"])
        own = before & (cases["customer_id"] == case["customer_id"])
        seen = own & (missed_at < case["opened_at"])
        found = features.loc[case["case_id"]]
        assert found["team_open_cases"] == open_then.sum()
        assert found["earlier_cases"] == own.sum()
        assert found["earlier_missed"] == seen.sum()
        last = cases.loc[own, "opened_at"].max()
        days = round((case["opened_at"] - last).total_seconds() / 86400, 2) if own.any() else np.nan
        np.testing.assert_allclose(found["days_since_last_case"], days, atol=0.011)


def test_later_days_change_no_feature():
    cases = random_cases(300, seed=5)
    early = case_features(KnownCases(cases, dt.date(2024, 1, 10)))
    late = case_features(KnownCases(cases, dt.date(2024, 3, 1)))
    pd.testing.assert_frame_equal(late[late["opened_at"] < "2024-01-11"], early)


def test_an_outcome_once_known_stays():
    cases = random_cases(300, seed=6)
    early = case_outcomes(KnownCases(cases, dt.date(2024, 1, 10))).set_index("case_id")
    late = case_outcomes(KnownCases(cases, dt.date(2024, 3, 1))).set_index("case_id").loc[early.index]
    for outcome in ("sla_missed", "low_satisfaction"):
        known = early[outcome].notna()
        assert known.any()
        assert (late.loc[known, outcome] == early.loc[known, outcome]).all()


def test_the_order_of_rows_and_the_names_of_customers_change_nothing():
    cases, day = random_cases(200, seed=7), dt.date(2024, 1, 31)
    features = case_features(KnownCases(cases, day))
    shuffled = KnownCases(cases.sample(frac=1, random_state=1), day)
    pd.testing.assert_frame_equal(case_features(shuffled), features)
    renamed = KnownCases(cases.assign(customer_id="x" + cases["customer_id"].str.upper()), day)
    pd.testing.assert_frame_equal(
        case_features(renamed).drop(columns="customer_id"), features.drop(columns="customer_id")
    )
    pd.testing.assert_frame_equal(case_outcomes(shuffled), case_outcomes(KnownCases(cases, day)))


def test_hand_overs_and_reopens_are_no_features():
    assert not {"reassignments", "reopens", "sla_met", "first_response_at", "satisfaction"} & {*LEVELS, *NUMBERS}


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


def test_columns_that_a_source_does_not_have_are_missing_levels():
    cases = random_cases(20, seed=8).assign(
        team=None, channel=None, category=None, satisfaction=None, sla_met=None, due_at=None
    )
    known = KnownCases(cases, dt.date(2024, 1, 31))
    features, outcomes = case_features(known), case_outcomes(known)
    assert features[list(LEVELS)].isna().all(axis=None)
    assert (features.dtypes[list(LEVELS)] == "str").all()
    assert outcomes[["sla_missed", "low_satisfaction"]].isna().all(axis=None)


def test_no_cases_give_empty_tables():
    known = KnownCases(random_cases(5, seed=9), dt.date(2020, 1, 1))
    assert case_features(known).empty
    assert case_outcomes(known).empty


def test_contacts_of_a_table_by_hand(by_hand):
    contacts = service_contacts(KnownCases(by_hand, dt.date(2024, 1, 6)), history_days=6)
    assert list(contacts) == list(CONTACTS)
    # anna: a in time, b too late, d open and late, e open and not yet due; ben: c too late.
    assert contacts.astype(object).where(contacts.notna(), None).to_dict("index") == {
        "anna": {"service_contacts": 4, "open_cases": 2, "missed_cases": 2.0, "mean_satisfaction": 3.0},
        "ben": {"service_contacts": 1, "open_cases": 0, "missed_cases": 1.0, "mean_satisfaction": None},
    }
    assert service_contacts(KnownCases(by_hand, dt.date(2024, 1, 6)), history_days=4).index.tolist() == ["anna"]


def test_contacts_agree_with_the_outcomes_of_their_cases():
    cases, day = random_cases(300, seed=10), dt.date(2024, 1, 12)
    known = KnownCases(cases, day)
    outcomes = case_outcomes(known).merge(case_features(known)[["case_id", "customer_id"]])
    expected = outcomes.groupby("customer_id")[["is_open"]].sum()
    contacts = service_contacts(known, history_days=365)
    assert contacts["open_cases"].tolist() == expected["is_open"].tolist()
    assert contacts["missed_cases"].tolist() == outcomes.groupby("customer_id")["sla_missed"].sum().tolist()
    shuffled = KnownCases(cases.sample(frac=1, random_state=1), day)
    pd.testing.assert_frame_equal(service_contacts(shuffled, history_days=365), contacts)
    early = KnownCases(cases[cases["opened_at"] < "2024-01-13"], day)  # what opens later changes nothing
    pd.testing.assert_frame_equal(service_contacts(early, history_days=365), contacts)


def test_without_any_promise_missed_cases_are_missing_not_none():
    cases = random_cases(20, seed=11).assign(due_at=None, sla_met=None, satisfaction=None)
    contacts = service_contacts(KnownCases(cases, dt.date(2024, 1, 31)), history_days=365)
    assert contacts[["missed_cases", "mean_satisfaction"]].isna().all(axis=None)
    assert contacts["service_contacts"].sum() == 20
    with pytest.raises(ValueError, match="at least 1, got 0"):
        service_contacts(KnownCases(cases, dt.date(2024, 1, 31)), history_days=0)
