"""Claims about the table of everything known of a customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from crm_analysis.errors import SourceSchemaError
from crm_analysis.features.behaviour import BEHAVIOUR
from crm_analysis.features.customers import FEATURE_MEANINGS, customer_features, feature_meaning
from crm_analysis.features.purchases import FEATURES
from crm_analysis.features.service import CONTACTS
from crm_analysis.tables.datasets import open_dataset

Write = Callable[..., str]
AS_OF = date(2024, 3, 31)
LINES = pd.DataFrame(
    [
        ("ann", "2024-03-01", 30.0, "web"),
        ("ann", "2024-03-02", 10.0, "shop"),
        ("bob", "2024-03-03", 8.0, None),
        ("cid", "2024-03-04", 5.0, "mail"),
        ("cid", "2024-03-05", 15.0, "магазин №1"),
    ],
    columns=["customer_id", "occurred_at", "amount", "channel"],
)
CASES = pd.DataFrame(
    [
        ("1", "ann", "2024-03-10", "2024-03-11", "2024-03-12", 2.0),
        ("2", "ann", "2024-03-20", "2024-04-02", None, None),
        ("3", "eve", "2024-03-20", "2024-03-21", None, None),  # buys nothing
    ],
    columns=["case_id", "customer_id", "opened_at", "due_at", "resolved_at", "satisfaction"],
)


def test_everything_stands_in_one_table(write_dataset: Write) -> None:
    known = open_dataset(write_dataset(transactions=LINES, service_cases=CASES)).known(AS_OF)
    features = customer_features(known, history_days=90)
    shares = ["channel_share.web", "channel_share.магазин №1", "channel_share.shop"]
    assert list(features) == [*FEATURES, *BEHAVIOUR, *shares, *CONTACTS]
    assert list(features.index) == ["ann", "bob", "cid"]
    assert features.loc["ann", shares].tolist() == [0.75, 0.0, 0.25]
    assert features.loc["cid", shares].tolist() == [0.0, 0.75, 0.0]
    assert features.loc["ann", list(CONTACTS)].tolist() == [2, 1, 1, 2.0]
    assert features.loc["bob", list(CONTACTS[:3])].tolist() == [0, 0, 0]
    assert features["mean_satisfaction"].isna().tolist() == [False, True, True]
    assert all(feature_meaning(name) for name in features)
    chosen = customer_features(known, history_days=90, channels=["mail"])
    assert chosen["channel_share.mail"].tolist() == [0.0, 0.0, 0.25]


def test_what_the_dataset_does_not_record_has_no_column(write_dataset: Write) -> None:
    known = open_dataset(write_dataset(transactions=LINES.drop(columns="channel"))).known(AS_OF)
    assert list(customer_features(known, history_days=90)) == [*FEATURES, *BEHAVIOUR]
    with pytest.raises(SourceSchemaError, match="no value in column 'channel'"):
        customer_features(known, history_days=90, channels=["web"])


def test_targets_that_are_not_recorded_are_missing_for_everybody(write_dataset: Write) -> None:
    cases = CASES.drop(columns="due_at")
    known = open_dataset(write_dataset(transactions=LINES, service_cases=cases)).known(AS_OF)
    features = customer_features(known, history_days=90)
    assert features["missed_cases"].isna().all()
    assert features["service_contacts"].tolist() == [2, 0, 0]


def test_where_no_case_tells_its_target_nobody_missed_none_either(write_dataset: Write) -> None:
    untold = CASES.assign(opened_at="2023-01-01", resolved_at="2023-01-01")[
        ["case_id", "customer_id", "opened_at", "resolved_at"]
    ]
    known = open_dataset(write_dataset(transactions=LINES, service_cases=untold)).known(AS_OF)
    features = customer_features(known, history_days=90)
    assert features["service_contacts"].eq(0).all()
    assert features["missed_cases"].isna().all()


def test_cases_before_the_history_leave_nobody_with_a_case(write_dataset: Write) -> None:
    cases = CASES.assign(opened_at="2023-01-01", resolved_at="2023-01-01")
    known = open_dataset(write_dataset(transactions=LINES, service_cases=cases)).known(AS_OF)
    features = customer_features(known, history_days=90)
    assert features[list(CONTACTS[:3])].eq(0).all(axis=None)


def test_rows_after_the_day_change_nothing(write_dataset: Write) -> None:
    alone = open_dataset(write_dataset("alone", transactions=LINES, service_cases=CASES)).known(AS_OF)
    later = pd.concat([LINES, LINES.assign(occurred_at="2024-05-01", channel="fax", amount=1e6)])
    cases = pd.concat(
        [CASES, CASES.assign(case_id=["4", "5", "6"], opened_at="2024-05-01", due_at=None, resolved_at=None)]
    )
    both = open_dataset(write_dataset("both", transactions=later, service_cases=cases)).known(AS_OF)
    pd.testing.assert_frame_equal(customer_features(both, history_days=90), customer_features(alone, history_days=90))


def test_every_feature_has_its_meaning_and_unit() -> None:
    assert set(FEATURE_MEANINGS) == {*FEATURES, *BEHAVIOUR, *CONTACTS}
    with pytest.raises(ValueError, match="a feature of a customer is needed, got 'colour'"):
        feature_meaning("colour")
