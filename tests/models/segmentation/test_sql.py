"""Rules as a query: plain, safe, readable, and the same labels on two engines without a server."""

import sqlite3

import duckdb
import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.segmentation.describing.conditions import Bound
from crm_analysis.models.segmentation.describing.rules import SegmentRules, fit_segment_rules
from crm_analysis.models.segmentation.describing.sql import segment_case
from tests.models.segmentation.segment_queries import HARD_TEXTS, labels_by, rules_with_everything


@pytest.fixture
def sqlite():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def two(name, threshold, *, column="x"):
    leaves = ((name, {column: Bound(low=threshold)}), ("B", {column: Bound(high=threshold)}))
    return SegmentRules((column,), (), (name, "B"), leaves, 1.0)


def on_duckdb(query, features):
    table = features.reset_index(names="customer_id")
    with duckdb.connect() as connection:
        connection.register("customer_features", table)
        return labels_by(connection.execute(query).fetchall(), features.index)


def on_sqlite(connection, query, features):
    features.reset_index(names="customer_id").to_sql("customer_features", connection, index=False)
    return labels_by(connection.execute(query).fetchall(), features.index)


def test_two_engines_give_the_labels_of_the_rules(sqlite):
    rules, features = rules_with_everything()
    expected = rules.label(features)
    assert set(expected) == set(rules.segments)
    pd.testing.assert_series_equal(on_duckdb(rules.to_sql(comment="a\nb"), features), expected)
    pd.testing.assert_series_equal(on_sqlite(sqlite, rules.to_sql(), features), expected)


@pytest.mark.parametrize(
    "threshold",
    [
        0.0,
        -0.0,
        27.13,
        -3.5,
        1 / 3,
        0.1 + 0.2,
        1e-7,
        5e-300,
        1.5e300,
        123456789012345.0,
        1234567890123456.7,
        4e15,
        100.0,
    ],
)
def test_a_value_exactly_at_a_threshold_is_not_above_it(threshold):
    beside = [np.nextafter(threshold, -np.inf), threshold, np.nextafter(threshold, np.inf)]
    if threshold == 0:
        beside = [-1e-300, 0.0, 1e-300]
    features = pd.DataFrame({"x": beside})
    rules = two("A", threshold)
    assert rules.label(features).tolist() == ["B", "B", "A"]
    assert on_duckdb(rules.to_sql(), features).tolist() == ["B", "B", "A"]


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_texts_and_names_are_safe(text, sqlite):
    rules = two(text, 2.0, column=text)
    features = pd.DataFrame({text: [1.0, 3.0]})
    query = rules.to_sql(comment=f"{text}\n{text}; DROP TABLE customer_features")
    assert on_duckdb(query, features).tolist() == ["B", text]
    assert on_sqlite(sqlite, query, features).tolist() == ["B", text]


def test_names_are_quoted_only_where_they_must():
    for name, written in (("spend", "spend"), ("Spend", '"Spend"'), ("order", '"order"'), ('a"b', '"a""b"')):
        assert f"WHEN {written} > 2" in segment_case(two("A", 2.0, column=name))
    assert "WHEN `a``b` > 2" in segment_case(two("A", 2.0, column="a`b"), backticks=True)
    assert segment_case(two("A", 2.0), table="crm.customers").endswith("FROM crm.customers")
    assert segment_case(two("A", 2.0), table="crm.Kunden").endswith('FROM "crm.Kunden"')


def test_numbers_are_read_by_people():
    for threshold, written in (
        (27.13, "27.13"),
        (1912.0, "1912"),
        (-5.0, "-5"),
        (0.000375, "0.000375"),
        (1e20, "1e+20"),
    ):
        assert f"x > {written}\n" in segment_case(two("A", threshold))


def test_a_comment_stays_a_comment():
    query = segment_case(two("A", 2.0), comment="fidelity 92 %\r\n1); DROP TABLE x\u2028SELECT 1")
    assert query.splitlines()[:3] == ["-- fidelity 92 %", "-- 1); DROP TABLE x", "-- SELECT 1"]
    assert query.splitlines()[3] == "SELECT"


def test_a_single_segment_is_everybodys():
    features = pd.DataFrame({"x": [1.0, 2.0]})
    rules = fit_segment_rules(features, pd.Series(["All"] * 2), seed=0)
    assert on_duckdb(rules.to_sql(), features).tolist() == ["All", "All"]
