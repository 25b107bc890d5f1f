"""Claims about fitted forecasts: rates carried on, counts times value, means, and the rows they are made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.forecasting.candidates import (
    ByValue,
    Carried,
    Combined,
    Expected,
    Task,
    drawn,
    fit_forecast,
    is_naive,
    rows_at,
)
from crm_analysis.models.forecasting.estimators import REGRESSIONS, NaiveForecast
from tests.models.forecasting.synthetic_features import TWO, synthetic_features

TASK = Task("spend_ahead", horizon_days=180, training_days=90, seed=0, exact_svr_rows=4000, models=("bg_nbd",))
SETTINGS = {
    "polynomial": {"degree": 1, "alpha": 10.0},
    "poisson": {"degree": 1, "alpha": 0.01},
    "svr": {"C": 1.0, "gamma": 0.01},
    "boosting": {"trees": 60, "leaves": 4},
    "forest_regression": {},
}


def naive(rule: str, target: str = "spend_ahead") -> Carried:
    return Carried(NaiveForecast(rule, target=target, training_days=90).fit(TWO), 90)


def test_a_rate_is_carried_to_the_days_ahead_of_each_row() -> None:
    assert naive("last_period").predict(TWO).tolist() == [90, 0]
    assert naive("last_period").predict(TWO.assign(days_ahead=180)).tolist() == [180, 0]
    counts = naive("mean_rate", "transactions_ahead").predict(TWO)
    assert counts.tolist() == pytest.approx([3.6, 1.8])  # 90 days, and 180


def test_expectations_are_their_column_and_times_its_value_for_spend() -> None:
    assert Expected("bg_nbd", "transactions_ahead").predict(TWO).tolist() == [3.5, 0.5]
    assert Expected("bg_nbd", "spend_ahead").predict(TWO).tolist() == [3.5 * 45, 0.5 * 30]


def test_counts_by_value_and_the_mean_of_several_are_those_of_the_pencil() -> None:
    by_value = ByValue(naive("mean_rate", "transactions_ahead"))
    assert by_value.predict(TWO).tolist() == pytest.approx([3.6 * 45, 1.8 * 30])
    both = Combined((by_value, naive("last_period"), Expected("bg_nbd", "transactions_ahead")))
    assert both.predict(TWO).tolist() == pytest.approx([(162 + 90 + 3.5) / 3, (54 + 0 + 0.5) / 3])
    assert Combined((by_value,)).predict(TWO).tolist() == by_value.predict(TWO).tolist()


@pytest.mark.parametrize("model", REGRESSIONS)
def test_regressions_learn_rates_from_periods_of_any_length_and_carry_them_on(model: str) -> None:
    rows = synthetic_features(300)
    rate = 20.0 * rows["rhythm"]
    longer = rows.assign(days_ahead=np.where(rows.index % 2, 90, 270))
    same = fit_forecast(model, rows.assign(spend_ahead=rate), TASK, SETTINGS[model])
    mixed = fit_forecast(model, longer.assign(spend_ahead=rate * longer["days_ahead"] / 90), TASK, SETTINGS[model])
    np.testing.assert_allclose(same.predict(rows.assign(days_ahead=270)), 3 * same.predict(rows), rtol=1e-12)
    # the same rates, whatever the length of the periods; some weigh longer ones more
    assert mixed.predict(rows).mean() == pytest.approx(rate.mean(), rel=0.06)
    assert np.corrcoef(mixed.predict(rows), same.predict(rows))[0, 1] > 0.97


def test_naive_rules_and_expectations_learn_nothing() -> None:
    rows = synthetic_features(50).assign(bg_nbd=1.0, spend_ahead=1e9)
    for model in ("last_period", "mean_rate", "zero", "bg_nbd"):
        one = fit_forecast(model, rows, TASK, {}).predict(rows)
        other = fit_forecast(model, rows.assign(spend_ahead=0.0), TASK, {}).predict(rows)
        assert one.tolist() == other.tolist()


def test_counts_by_value_need_counts() -> None:
    with pytest.raises(ValueError, match=r"counts must be given .*got None"):
        fit_forecast("counts_by_value", TWO, TASK, {})


def test_candidates_are_baselines_models_and_regressions() -> None:
    assert TASK.candidates == ("last_period", "mean_rate", "zero", "bg_nbd", *REGRESSIONS, "counts_by_value")
    counting = replace(TASK, target="transactions_ahead", models=())
    assert counting.candidates == ("last_period", "mean_rate", "zero", *REGRESSIONS)
    assert [name for name in TASK.candidates if is_naive(name)] == ["last_period", "mean_rate"]


def test_rows_are_found_by_origin_and_days() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-02-29", "2024-02-01"]).as_unit("us")
    panel = pd.DataFrame({"origin": days, "days_ahead": [30, 60, 30, 30], "customer_id": list("abcd")})
    found = rows_at(panel, [(date(2024, 2, 29), 30), (date(2024, 1, 1), 60), (date(2024, 2, 1), 60)])
    assert found["customer_id"].tolist() == ["b", "c"]
    assert rows_at(panel, [(date(2023, 1, 1), 30)]).empty


def test_drawn_rows_keep_their_order_and_depend_on_the_seed_alone() -> None:
    rows = synthetic_features(200)
    assert drawn(rows, 200, seed=0) is rows
    some = drawn(rows, 60, seed=0)
    assert len(some) == 60
    assert some.index.is_monotonic_increasing
    assert some.index.is_unique
    assert drawn(rows, 60, seed=0).equals(some)
    assert not drawn(rows, 60, seed=1).index.equals(some.index)
