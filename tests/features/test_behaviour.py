"""Claims about how customers buy: each number by pencil, missing where it is not defined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.behaviour import BEHAVIOUR, behaviour_features
from crm_analysis.features.purchases import purchase_features
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.snapshot import Snapshot

Write = Callable[..., str]
AS_OF = date(2024, 3, 31)
NEAR = {"rtol": 1e-12, "atol": 1e-12}

LINES = pd.DataFrame(
    [
        # ann has bought before; in the 60 days to 31 March (from 1 February) on days 1, 3 and 43, with a return.
        ("ann", "2023-06-01", 99.0, None),
        ("ann", "2024-02-02", 8.0, 2.0),
        ("ann", "2024-02-02", 12.0, None),
        ("ann", "2024-02-04", 10.0, None),
        ("ann", "2024-03-15", 40.0, 8.0),
        ("ann", "2024-03-20", -30.0, None),
        # bob's first purchase lies within the history: it counts for neither half of his ten days since.
        ("bob", "2024-03-21", 500.0, None),
        ("bob", "2024-03-26", 10.0, None),
        ("bob", "2024-03-27", 30.0, None),
        # cid buys once, on a leap day, and returns more: what goes beyond is of earlier purchases.
        ("cid", "2023-12-01", 50.0, None),
        ("cid", "2024-02-29", 5.0, None),
        ("cid", "2024-03-30", -45.0, None),
        # dot bought once only, and eve not within the history.
        ("dot", "2024-03-30", 5.0, None),
        ("eve", "2023-12-24", 5.0, None),
        ("eve", "2024-03-01", -5.0, None),
    ],
    columns=["customer_id", "occurred_at", "amount", "discount"],
)
EXPECTED = pd.DataFrame(
    {
        # Gaps of ann 2 and 40: mean 21, deviation of the sample 26.87; of bob 5 and 1: mean 3, deviation 2.828.
        "inter_purchase_cv": [np.sqrt(722) / 21, np.sqrt(8) / 3, np.nan, np.nan],
        "spend_trend": [(10 - 30) / 40, (30 - 10) / 40, (-45 - 5) / 50, np.nan],
        "basket_size": [4 / 3, 1.0, 1.0, 1.0],
        "discount_share": [10 / 80, 0.0, 0.0, 0.0],
        "return_share": [30 / 70, 0.0, 1.0, 0.0],
    },
    index=pd.Index(["ann", "bob", "cid", "dot"], name="customer_id"),
)


def many_lines(seed: int = 0, n: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 40, n).astype(str),
            "occurred_at": (pd.Timestamp("2023-06-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D")).astype(
                str
            ),
            "amount": rng.normal(20, 15, n).round(2),
            "discount": np.where(rng.random(n) < 0.3, rng.uniform(0, 5, n).round(2), np.nan),
        }
    )


@pytest.fixture
def known(write_dataset: Write) -> Callable[..., Snapshot]:
    """Give lines of purchases as a snapshot."""

    def make(lines: pd.DataFrame, as_of: date = AS_OF, name: str = "shop") -> Snapshot:
        return open_dataset(write_dataset(name, transactions=lines)).known(as_of)

    return make


def test_behaviour_agrees_with_the_pencil(known: Callable[..., Snapshot]) -> None:
    behaviour = behaviour_features(known(LINES), history_days=60)
    assert list(behaviour) == list(BEHAVIOUR)
    pd.testing.assert_frame_equal(behaviour, EXPECTED, check_index_type=False, **NEAR)


def test_the_middle_one_of_an_odd_number_of_days_is_in_neither_half(known: Callable[..., Snapshot]) -> None:
    days = ["2023-01-01", "2024-03-29", "2024-03-30", "2024-03-31"]
    snapshot = known(pd.DataFrame({"customer_id": "ann", "occurred_at": days, "amount": [1.0, 4.0, 1000.0, 12.0]}))
    assert behaviour_features(snapshot, history_days=3)["spend_trend"].tolist() == [0.5]
    assert behaviour_features(snapshot, history_days=1)["spend_trend"].isna().tolist() == [True]  # no half of one day


def test_without_a_discount_anywhere_its_share_is_missing_not_none(known: Callable[..., Snapshot]) -> None:
    behaviour = behaviour_features(known(LINES.drop(columns="discount")), history_days=60)
    pd.testing.assert_frame_equal(behaviour, EXPECTED.assign(discount_share=np.nan), check_index_type=False, **NEAR)


def test_customers_are_those_of_the_purchase_features_and_numbers_keep_their_bounds(
    known: Callable[..., Snapshot],
) -> None:
    snapshot = known(many_lines(), date(2024, 5, 1))
    behaviour = behaviour_features(snapshot, history_days=40)
    purchases = purchase_features(snapshot, history_days=40)
    assert behaviour.index.equals(purchases.index)
    assert behaviour["spend_trend"].dropna().between(-1, 1).all()
    known_shares = behaviour[["discount_share", "return_share"]]
    assert (known_shares.ge(0) & known_shares.le(1)).all(axis=None)
    assert (behaviour["inter_purchase_cv"].isna() == (purchases["frequency"] < 3)).all()


def test_nothing_after_as_of_leaks_and_order_names_and_currency_change_nothing(known: Callable[..., Snapshot]) -> None:
    lines, day = many_lines(1), date(2024, 5, 1)
    past = lines[lines["occurred_at"] <= "2024-05-01"]
    assert len(past) < len(lines)
    first = behaviour_features(known(past, day, "past"), history_days=180)
    other = lines.sample(frac=1, random_state=1).assign(
        customer_id="顧客" + lines["customer_id"],
        amount=(lines["amount"] * 100).round(0),
        discount=(lines["discount"] * 100).round(0),
    )
    second = behaviour_features(known(other, day, "other"), history_days=180)
    assert list(second.index) == [f"顧客{name}" for name in first.index]
    np.testing.assert_allclose(second.to_numpy(), first.to_numpy(), rtol=1e-12, atol=1e-12)


def test_customers_who_buy_by_chance_alone_have_no_trend_and_a_variation_of_about_one(
    known: Callable[..., Snapshot],
) -> None:
    rng = np.random.default_rng(5)
    customers, days = np.nonzero(rng.random((400, 360)) < 0.08)  # from the first day on, each at the same rate
    late = days >= 180 * (customers % 2)  # half of them are new since the middle
    occurred = pd.Timestamp("2023-04-06") + pd.to_timedelta(days[late], unit="D")
    lines = pd.DataFrame({"customer_id": customers[late], "occurred_at": occurred.astype(str), "amount": 10.0})
    behaviour = behaviour_features(known(lines), history_days=360)
    error = behaviour["spend_trend"].std() / np.sqrt(len(behaviour))
    new = behaviour.index.astype(int) % 2 == 1
    assert abs(behaviour["spend_trend"].mean()) < 3 * error
    assert abs(behaviour.loc[new, "spend_trend"].mean()) < 3 * np.sqrt(2) * error
    assert behaviour["inter_purchase_cv"].mean() == pytest.approx(np.sqrt(1 - 0.08), abs=0.06)  # geometric gaps


def test_a_customer_like_a_clock_has_no_variation(known: Callable[..., Snapshot]) -> None:
    days = pd.date_range("2024-01-03", AS_OF, freq="7D").astype(str)
    behaviour = behaviour_features(
        known(pd.DataFrame({"customer_id": "ann", "occurred_at": days, "amount": 3.0})), history_days=365
    )
    assert behaviour.loc["ann", ["inter_purchase_cv", "basket_size", "return_share"]].tolist() == [0.0, 1.0, 0.0]


def test_a_history_without_a_purchase_is_told(known: Callable[..., Snapshot]) -> None:
    snapshot = known(LINES[LINES["customer_id"] == "eve"])
    with pytest.raises(TooFewRecordsError, match="No customer bought within the 60 days up to 2024-03-31"):
        behaviour_features(snapshot, history_days=60)
    with pytest.raises(ValueError, match="history_days must be at least 1, got 0"):
        behaviour_features(snapshot, history_days=0)
