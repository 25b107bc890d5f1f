"""Claims about known truths: nothing is found where nothing happened, and a planted drop is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.money.comparison import compared
from tests.models.service_quality.money.simulated_service import around_events, simulated_service

N_RUNS = 30
WINDOW = 90


def changes(*, drop: float, n_customers: int, seeds: range) -> pd.DataFrame:
    """Return the change of spend and purchase days against both kinds of customers, a row a run."""
    rows = []
    for seed in seeds:
        spend, cases = simulated_service(n_customers=n_customers, drop=drop, seed=seed)
        around = around_events(spend, cases, window_days=WINDOW, seed=seed)
        for kind in ("good", "anyone"):
            found = compared(around, kind=kind, window_days=WINDOW)
            rows.append(found.change.reset_index().assign(kind=kind, seed=seed))
    return pd.concat(rows, ignore_index=True)


def test_no_effect_is_within_chance_about_19_times_in_20() -> None:
    found = changes(drop=0.0, n_customers=350, seeds=range(1000, 1000 + N_RUNS))
    covers = (found["low"] <= 0) & (found["high"] >= 0)
    for _, part in covers.groupby([found["kind"], found["measure"]]):
        assert part.sum() >= 25  # of 30; 24 or fewer happen in under 1 % of trials at 95 %
    main = found[(found["kind"] == "good") & (found["measure"] == "spend")]
    assert abs(main["effect"].mean()) < 3 * main["effect"].std() / np.sqrt(N_RUNS)
    widths = (main["high"] - main["low"]) / 2 / 1.96
    assert widths.mean() == pytest.approx(main["effect"].std(), rel=0.4)


def test_a_drop_of_a_fifth_is_found() -> None:
    found = changes(drop=0.2, n_customers=700, seeds=range(2000, 2008))
    days = found[(found["measure"] == "purchase_days") & (found["kind"] == "good")]
    assert (days["high"] < 0).sum() >= 7
    assert ((days["share_low"] <= -0.2) & (days["share_high"] >= -0.2)).sum() >= 6
    assert days["share"].mean() == pytest.approx(-0.18, abs=0.05)  # some controls fall, too: their own bad experience
    spend = found[found["measure"] == "spend"]
    assert (spend["effect"] < 0).all()


def test_too_few_are_not_compared() -> None:
    spend, cases = simulated_service(n_customers=60, drop=0.0, seed=1)
    around = around_events(spend, cases, window_days=WINDOW, seed=1)
    assert compared(around, kind="good", window_days=WINDOW) is None
    spend, cases = simulated_service(n_customers=500, drop=0.0, seed=1)
    around = around_events(spend, cases, window_days=WINDOW, seed=1)
    assert compared(around, kind="good", window_days=WINDOW) is not None
    assert compared(around, kind="good", window_days=WINDOW, min_cell=400) is None
    assert compared(around.iloc[:0], kind="good", window_days=WINDOW) is None


def test_order_names_and_currency_change_nothing() -> None:
    spend, cases = simulated_service(n_customers=500, drop=0.1, seed=3)
    around = around_events(spend, cases, window_days=WINDOW, seed=3)
    renamed = around["customer_id"].map(lambda name: f"顧客 {int(name[1:]) * 7919 % 10_007}")
    other = around.assign(customer_id=renamed).sample(frac=1, random_state=0)
    money = [name for name in other if name.startswith("spend")]
    other[money] *= 1000
    one, two = (compared(table, kind="good", window_days=WINDOW) for table in (around, other))
    pd.testing.assert_series_equal(one.change.loc["purchase_days"], two.change.loc["purchase_days"])
    in_money = [
        name for name in one.change if name.split("_")[0] in {"bad", "control", "effect", "low", "high", "placebo"}
    ]
    in_money = [name for name in in_money if name not in {"bad_customers", "control_customers", "control_bad_later"}]
    scaled = one.change.loc["spend"].copy()
    scaled[in_money] *= 1000
    pd.testing.assert_series_equal(scaled, two.change.loc["spend"])
    pd.testing.assert_frame_equal(one.balance, two.balance)


def test_customers_who_buy_nothing_and_equal_ones_are_compared_without_a_fault() -> None:
    rng = np.random.default_rng(0)
    n_rows = 120
    around = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(n_rows)],
            "day": pd.Timestamp("2023-05-01"),
            "kind": np.where(rng.random(n_rows) < 0.4, "bad", "good"),
            "is_bad_later": False,
            "tenure_days": 50,
            "purchase_days_lately": 0.0,
        }
    )
    for measure in ("spend", "purchase_days"):
        around[[f"{measure}_before_2", f"{measure}_before", f"{measure}_after"]] = 0.0
    row = compared(around, kind="good", window_days=WINDOW).change.loc["spend"]
    assert (row["effect"], row["low"], row["high"]) == (0.0, 0.0, 0.0)
    assert np.isnan(row["share"])
