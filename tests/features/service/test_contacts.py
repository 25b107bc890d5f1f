"""How much service each customer had, and how many customers there are."""

import datetime as dt

import pandas as pd
import pytest

from crm_analysis.features.service import (
    CONTACTS,
    case_features,
    case_outcomes,
    n_customers_known,
    service_contacts,
    tells_targets,
)
from crm_analysis.tables.datasets import open_dataset
from tests.features.service.known_cases import KnownCases, four_cases_and_one, random_cases


def test_contacts_of_a_table_by_hand():
    contacts = service_contacts(KnownCases(four_cases_and_one(), dt.date(2024, 1, 6)), history_days=6)
    assert list(contacts) == list(CONTACTS)
    # anna: a in time, b too late, d open and late, e open and not yet due; ben: c too late.
    assert contacts.astype(object).where(contacts.notna(), None).to_dict("index") == {
        "anna": {"service_contacts": 4, "open_cases": 2, "missed_cases": 2.0, "mean_satisfaction": 3.0},
        "ben": {"service_contacts": 1, "open_cases": 0, "missed_cases": 1.0, "mean_satisfaction": None},
    }
    assert service_contacts(KnownCases(four_cases_and_one(), dt.date(2024, 1, 6)), history_days=4).index.tolist() == [
        "anna"
    ]


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


def test_whether_targets_are_told():
    cases, day = random_cases(20, seed=11), dt.date(2024, 1, 31)
    assert tells_targets(KnownCases(cases, day))
    assert not tells_targets(KnownCases(cases.assign(due_at=None, sla_met=None), day))


def test_customers_are_counted_with_a_case_or_without():
    cases, day = four_cases_and_one(), dt.date(2024, 1, 31)
    assert n_customers_known(KnownCases(cases, day)) == 2
    purchases = pd.DataFrame({"customer_id": ["anna", "zoe"], "occurred_at": pd.Timestamp("2024-01-05"), "amount": 5.0})
    assert n_customers_known(KnownCases(cases, day, purchases)) == 3
    assert n_customers_known(KnownCases(cases, dt.date(2024, 1, 1), purchases)) == 2  # zoe comes later


def test_a_table_without_a_row_yet_adds_no_customer(write_dataset):
    cases = four_cases_and_one()[["case_id", "customer_id", "opened_at"]]
    lines = pd.DataFrame({"customer_id": ["zoe"], "occurred_at": ["2024-03-01"], "amount": [1.0]})
    dataset = open_dataset(write_dataset(service_cases=cases, transactions=lines))
    assert n_customers_known(dataset.known(dt.date(2024, 1, 31))) == 2
    assert n_customers_known(dataset.known(dt.date(2023, 1, 31))) == 0
    features = case_features(dataset.known(dt.date(2024, 1, 31)))
    assert features["spend_before"].eq(0).all()  # nobody has bought anything yet: known, and nothing
    assert n_customers_known(dataset.known(dt.date(2024, 3, 31))) == 3
