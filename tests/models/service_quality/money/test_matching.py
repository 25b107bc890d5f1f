"""Claims about who is compared with whom: alike, of the same days, never with herself, never by a name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.money.difference import group_means, matched_difference
from crm_analysis.models.service_quality.money.events import (
    ANYONE,
    BAD,
    GOOD,
    comparison_events,
    first_experiences,
    good_cases,
)
from crm_analysis.models.service_quality.money.matching import (
    balance_table,
    nearest_matches,
    pair_weights,
    standardised,
)

DAY = pd.Timestamp("2023-05-01")


def rows_of(spend: list[float], *, customers: list[str] | None = None, days: list[int] | None = None) -> pd.DataFrame:
    """Return rows that differ in their spend before alone."""
    names = customers or [f"c{number}" for number in range(len(spend))]
    return pd.DataFrame(
        {
            "customer_id": names,
            "day": DAY + pd.to_timedelta(days or [0] * len(spend), unit="D"),
            "spend_before": spend,
            "purchase_days_before": 3.0,
            "purchase_days_lately": 1.0,
            "tenure_days": 100.0,
        }
    )


def treated(*rows: int, of: int) -> np.ndarray:
    return np.isin(np.arange(of), rows)


def test_the_nearest_are_matched() -> None:
    found = nearest_matches(rows_of([10.0, 9.0, 500.0, 11.0, 10.5, 10.1]), treated(0, of=6), seed=0)
    assert sorted(found.controls.tolist()) == [3, 4, 5]
    assert pair_weights(found).tolist() == pytest.approx([1 / 3] * 3)


def test_nobody_alike_is_no_match() -> None:
    found = nearest_matches(rows_of([10_000.0, 9.0, 10.0, 11.0]), treated(0, of=4), seed=0)
    assert (found.n_treated, found.n_unmatched) == (0, 1)


def test_other_fortnights_and_oneself_are_no_match() -> None:
    rows = rows_of([10.0] * 4, customers=["a", "a", "b", "c"], days=[0, 1, 40, 2])
    found = nearest_matches(rows, treated(0, of=4), seed=0)
    assert found.controls.tolist() == [3]


def test_no_control_at_all_is_no_match() -> None:
    found = nearest_matches(rows_of([10.0, 11.0]), treated(0, 1, of=2), seed=0)
    assert (found.n_treated, found.n_unmatched) == (0, 2)


def test_currency_and_constant_columns_change_nothing() -> None:
    rows = rows_of([10.0, 0.0, 7.0, 300.0, -4.0])
    dearer = rows.assign(spend_before=rows["spend_before"] * 1000)
    assert standardised(rows) == pytest.approx(standardised(dearer))
    assert np.isfinite(standardised(rows)).all()
    assert standardised(rows_of([0.0, 0.0])).tolist() == [[0.0] * 4] * 2


def test_balance_by_pencil() -> None:
    rows = rows_of([10.0, 40.0, 10.0, 40.0, 40.0, 40.0])
    is_treated = treated(0, 1, of=6)
    found = balance_table(rows, is_treated, nearest_matches(rows, is_treated, seed=0))
    assert found.loc["spend_before", "before"] == pytest.approx(
        -0.5
    )  # half of the treated, a quarter of the controls are low
    assert found.loc["spend_before", "after"] == pytest.approx(0.0)
    assert found.loc["tenure_days"].tolist() == [0.0, 0.0]


def test_difference_by_pencil() -> None:
    rows = rows_of([10.0, 10.0, 10.0, 10.0])
    change = np.array([-5.0, -1.0, 1.0, 3.0])
    is_treated = treated(0, 1, of=4)
    found = matched_difference(rows, change, nearest_matches(rows, is_treated, seed=0))
    assert found.effect == pytest.approx(-3 - 2)
    assert found.low < -5 < found.high
    assert (found.low + found.high) / 2 == pytest.approx(-5)


def test_what_matching_leaves_unlike_is_taken_off() -> None:
    rng = np.random.default_rng(0)
    spend = rng.uniform(50, 150, 400)
    rows = rows_of(list(spend))
    is_treated = treated(*range(40), of=400)
    slope = standardised(rows)[:, 0]
    found = matched_difference(rows, 3 * slope - 2.0 * is_treated, nearest_matches(rows, is_treated, seed=0))
    assert found.effect == pytest.approx(-2.0, abs=1e-9)


def test_means_of_groups_weigh_controls_by_their_use() -> None:
    rows = rows_of([10.0, 40.0, 10.0, 40.0, 40.0])
    found = group_means(np.array([1.0, 2.0, 3.0, 5.0, 7.0]), nearest_matches(rows, treated(0, 1, of=5), seed=0))
    assert (found["bad"].effect, found["controls"].effect) == (1.5, pytest.approx((3 + 6) / 2))


def customers_of(names: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"first_day": pd.Timestamp("2023-01-01"), "spend": np.arange(len(names), dtype=float)},
        index=pd.Index(list(names), name="customer_id"),
    )


def events_of(bad: dict[str, int], good: dict[str, int], names: str = "abcdef", days: int = 30) -> pd.DataFrame:
    def table(of: dict[str, int]) -> pd.DataFrame:
        when = pd.to_timedelta(list(of.values()), unit="D")
        return pd.DataFrame({"customer_id": list(of), "day": DAY + when})

    return comparison_events(
        table(bad), table(good), customers_of(names), window_days=days,
        known_from=pd.Timestamp("2023-01-01"), as_of=pd.Timestamp("2023-12-31").date(), seed=0,
    )  # fmt: skip


def test_first_bad_experiences_and_good_cases_until_then() -> None:
    found = events_of({"a": 0, "b": 20}, {"b": 5, "c": 6, "a": 9})
    by_kind = dict(iter(found.groupby("kind")))
    assert list(by_kind[BAD]["customer_id"]) == ["a", "b"]
    assert list(by_kind[GOOD]["customer_id"]) == ["b", "c"]  # a had a bad one before
    assert by_kind[GOOD]["is_bad_later"].tolist() == [True, False]
    anyone = by_kind[ANYONE]
    assert set(anyone["day"]) <= set(by_kind[BAD]["day"])
    assert not ((anyone["customer_id"] == "a") & (anyone["day"] >= DAY)).any()


def test_days_without_whole_windows_are_left_out() -> None:
    assert events_of({"a": 300, "b": -110, "c": 0}, {})["customer_id"][0] == "c"
    assert (events_of({"a": 300}, {})["kind"] == BAD).sum() == 0


def test_customers_unknown_to_the_shop_are_left_out() -> None:
    assert events_of({"z": 0}, {"y": 0}).empty


def test_the_first_of_several_bad_days_counts() -> None:
    days = pd.DataFrame({"customer_id": ["a", "b", "a"], "day": [DAY, DAY, DAY - pd.Timedelta(days=3)]})
    assert first_experiences(days)["a"] == DAY - pd.Timedelta(days=3)


def test_what_a_good_case_is() -> None:
    opened = pd.Timestamp("2023-05-01 09:00")
    cases = pd.DataFrame(
        [
            ("kept", opened, opened + pd.Timedelta(days=2), 5.0, False, None),
            ("missed", opened, opened + pd.Timedelta(days=2), 90.0, True, None),
            ("low", opened, opened + pd.Timedelta(days=2), 5.0, False, 2),
            ("open", opened, opened + pd.Timedelta(days=2), None, None, None),
            ("not yet due", opened, opened + pd.Timedelta(days=9), 5.0, None, 5),
            ("no target", opened, None, 30.0, None, 3),
        ],
        columns=["customer_id", "opened_at", "due_at", "resolution_hours", "sla_missed", "satisfaction"],
    ).astype(
        {"due_at": "datetime64[us]", "sla_missed": "boolean", "satisfaction": "Int64", "resolution_hours": "float64"}
    )
    found = good_cases(cases, low_satisfaction_at_most=2, as_of=pd.Timestamp("2023-05-07").date())
    assert dict(zip(found["customer_id"], found["day"].dt.day, strict=True)) == {"kept": 3, "no target": 2}
