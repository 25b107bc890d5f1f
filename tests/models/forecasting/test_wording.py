"""What a forecast says: the answer first, a warning where no model beats the naive one, nothing about too few customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.forecasting import (
    CustomerForecast,
    CustomerHistories,
    backtest_for_readers,
    customer_histories,
    errors_for_readers,
    forecast_customers,
    forecasts_for_readers,
    lifetime_values,
    model_in_words,
    parameters_for_readers,
    recorded_results,
    verdict,
    warnings_of,
)
from tests.models.forecasting.simulated_shop import FIRST_DAY, dataset_of, simulated_lines

AS_OF = date(2024, 7, 31)
DAYS = {"horizon_days": 60, "history_days": 365, "n_origins": 4}


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> CustomerHistories:
    n_days = (pd.Timestamp(AS_OF) - FIRST_DAY).days + 1
    shop = dataset_of(tmp_path_factory.mktemp("shop"), simulated_lines(220, n_days=n_days, seed=5))
    return customer_histories(shop, as_of=AS_OF, **DAYS)


@pytest.fixture(scope="module")
def result(histories: CustomerHistories) -> CustomerForecast:
    return forecast_customers(histories, seed=0, segments=lambda features: features["frequency"].gt(2).map(str))


def all_said(result: CustomerForecast) -> str:
    return " ".join([*verdict(result), *warnings_of(result)])


def with_outcome(histories: CustomerHistories, **columns: object) -> CustomerHistories:
    return replace(histories, panel=histories.panel.assign(**columns))


def test_the_verdict_gives_the_total_the_gain_and_the_ranges(result: CustomerForecast) -> None:
    said = verdict(result, currency="GBP")
    total = result.forecasts["spend_forecast"].sum()
    assert f"{total:,.0f} GBP" in said[0]
    assert f"known on {AS_OF} are expected to spend" in said[0]
    assert "the days from 2024-06-02 to 2024-07-31" in said[1]
    assert "95% interval of the saving" in said[2]
    assert f"{abs(result.spend.gain.share):.1%}" in said[2]
    held = result.spend.coverage["coverage"]["all"]
    assert any(f"held {held:.1%} of the customers" in sentence for sentence in said)
    assert all(sentence.endswith(".") for sentence in said)


def test_recorded_results_are_those_of_the_hold_out(result: CustomerForecast) -> None:
    results, judged = recorded_results(result), result.holdout
    error = judged["spend_forecast"] - judged["spend_ahead"]
    assert results["spend_mae"] == pytest.approx(error.abs().mean())
    assert results["spend_rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert results["spend_wape"] == pytest.approx(error.abs().sum() / judged["spend_ahead"].abs().sum())
    assert results["zero_spend_wape"] == 1
    assert results["coverage_90"] == pytest.approx(
        judged["spend_ahead"].clip(lower=0).between(judged["lower_90"], judged["upper_90"]).mean(), abs=0.02
    )
    counts = judged["transactions_ahead"].between(judged["transactions_lower_90"], judged["transactions_upper_90"])
    assert results["transactions_coverage_90"] == pytest.approx(counts.mean())
    assert results["model"] == result.spend.choice.model


def test_where_the_last_period_is_the_truth_no_model_is_said_to_beat_it(histories: CustomerHistories) -> None:
    noise = np.where(np.random.default_rng(0).random(len(histories.panel)) < 0.5, 1.5, 0.5)
    lasting = with_outcome(histories, spend_ahead=histories.panel["recent_spend"].clip(lower=0) * noise)
    forecast = forecast_customers(lasting, seed=0)
    assert forecast.spend.choice.naive == "last_period"
    said = all_said(forecast)
    assert "naive baseline (last period again) for spend on the hold-out" in said or "not in every way better" in said


def test_where_nobody_buys_again_nothing_is_expected_and_the_reason_is_said(histories: CustomerHistories) -> None:
    forecast = forecast_customers(with_outcome(histories, spend_ahead=0.0, transactions_ahead=0), seed=0)
    assert recorded_results(forecast)["spend_mae"] == pytest.approx(0, abs=1e-9)
    said = all_said(forecast)
    assert "Nothing came" in said
    assert "no positive total" in said
    assert "nan" not in said
    assert "inf" not in said


def test_zero_that_does_better_on_mae_is_said(histories: CustomerHistories) -> None:
    bought = np.random.default_rng(1).random(len(histories.panel)) < 0.1
    seldom = with_outcome(histories, spend_ahead=np.where(bought, 300.0, 0.0))
    assert "zero spend for everybody would do better" in all_said(forecast_customers(seldom, seed=0))


def test_ranges_that_hold_only_those_who_buy_nothing_are_told(result: CustomerForecast) -> None:
    coverage = result.spend.coverage.astype(float).copy()
    coverage.loc["buyers", ["n", "coverage"]] = [20.0, 0.5]
    few = replace(result, spend=replace(result.spend, coverage=coverage))
    assert "50% of these buyers" in " ".join(warnings_of(few))
    coverage.loc["buyers", "n"] = 0.9 * coverage["n"]["all"]
    assert "of these buyers" not in " ".join(warnings_of(few))


def test_a_loss_by_one_measure_is_told_although_another_gains(result: CustomerForecast) -> None:
    gains = {
        "rmse": replace(result.spend.gain, share=0.2, low=0.1, high=0.3),
        "wape": replace(result.spend.gain, share=-0.2, low=-0.3, high=-0.1),
    }
    chosen = replace(result.spend.choice, model="poisson")
    told = warnings_of(replace(result, spend=replace(result.spend, gains=gains, choice=chosen)))
    assert any("-30.0% to -10.0% of the WAPE (95% interval), a loss beyond chance" in sentence for sentence in told)
    assert not any("of the RMSE" in sentence and "For spend" in sentence for sentence in told)


def test_small_cells_are_neither_told_nor_given_away(histories: CustomerHistories) -> None:
    names = sorted(histories.panel["customer_id"].unique())[:60]
    some = replace(
        histories,
        panel=histories.panel[histories.panel["customer_id"].isin(names)],
        current=histories.current.loc[histories.current.index.isin(names)],
    )
    three = some.panel["customer_id"].isin(names[:3])
    spend = np.where(three & (some.panel["origin"] == some.panel["origin"].max()), 77.0, some.panel["spend_ahead"])
    told = forecast_customers(with_outcome(some, spend_ahead=spend), seed=0, min_cell=8)
    assert np.isnan(recorded_results(told)["top_decile_share"])  # type: ignore[arg-type]
    assert errors_for_readers(told.spend)["share of the best tenth"].isna().all()
    assert backtest_for_readers(told.spend)["share of the best tenth"].isna().all()
    assert (told.spend.calibration["n"].dropna() >= 8).all()
    said = all_said(told)
    assert "a tenth of the hold-out are too few to tell of" in said
    assert "nan" not in said


def test_few_buyers_leave_no_figure_of_the_hold_out(histories: CustomerHistories) -> None:
    few = histories.panel["customer_id"].isin(sorted(histories.panel["customer_id"].unique())[:3])
    seldom = with_outcome(
        histories,
        spend_ahead=histories.panel["spend_ahead"].where(few, 0.0),
        transactions_ahead=histories.panel["transactions_ahead"].where(few, 0),
    )
    told = forecast_customers(seldom, seed=0, min_cell=5)
    numbers = [value for value in recorded_results(told).values() if not isinstance(value, str)]
    assert np.isnan(numbers).all()
    said = all_said(told)
    assert "How well that went cannot be told" in said
    assert "nan" not in said
    assert warnings_of(told) == []
    for target in (told.spend, told.transactions):
        assert target.calibration.drop(columns="n").isna().all(axis=None)
        assert target.coverage[["coverage", "width"]].isna().all(axis=None)
        assert target.choice.backtest["rmse"].isna().all()
    assert told.gain_curve.iloc[1:-1].isna().all(axis=None)


def test_zero_that_does_as_well_as_the_model_is_said(result: CustomerForecast) -> None:
    errors = result.spend.errors.copy()
    zero = errors.loc[(errors["model"] == "zero") & (errors["measure"] == "rmse"), "value"].item()
    errors.loc[(errors["model"] == result.spend.choice.model) & (errors["measure"] == "rmse"), "value"] = zero
    told = warnings_of(replace(result, spend=replace(result.spend, errors=errors)))
    assert any(
        "does no better than zero for everybody" in sentence or "No model beats" in sentence for sentence in told
    )


def test_tables_for_readers_are_rounded_and_complete(result: CustomerForecast, histories: CustomerHistories) -> None:
    errors = errors_for_readers(result.spend)
    assert errors["model"].tolist()[:3] == ["last period again", "mean rate so far", "zero for everybody"]
    assert {"naive", "chosen"} <= set(errors["role"]) or "chosen and naive" in set(errors["role"])
    assert not np.isinf(errors["Poisson deviance"].to_numpy(dtype=float)).any()
    assert errors["RMSE"].round(2).equals(errors["RMSE"])
    backtest = backtest_for_readers(result.transactions)
    combination = backtest[backtest["model"] == "combination"]["settings"].item()
    assert combination.startswith("mean of ")
    assert combination.count("model") == 1
    value = lifetime_values(result, histories.current, value_days=365, annual_discount_rate=0.1)
    best = forecasts_for_readers(result, value, n_customers=5)
    assert best["spend_forecast"].is_monotonic_decreasing
    assert len(best) == 5
    assert {"chance_active", "lifetime_value", "segment"} <= set(best)


def test_lifetime_value_falls_with_the_discount_and_grows_with_the_days(
    result: CustomerForecast, histories: CustomerHistories
) -> None:
    plain, discounted, longer = (
        lifetime_values(result, histories.current, value_days=days, annual_discount_rate=rate)
        for days, rate in ((365, 0.0), (365, 0.2), (730, 0.0))
    )
    assert (discounted < plain).all()
    assert (longer > plain).all()
    assert discounted.sum() / plain.sum() == pytest.approx(1.2**-0.5, abs=0.03)  # half a year on average
    table = parameters_for_readers(result)
    assert table["parameter"].tolist()[-3:] == ["p", "q", "gamma"]
    assert len(table) == 7


def test_names_are_plain_words(result: CustomerForecast) -> None:
    assert model_in_words(replace(result.spend.choice, model="svr")) == "support vector regression"
    together = replace(result.spend.choice, model="combination", members=("mbg_nbd", "poisson", "forest_regression"))
    assert model_in_words(together) == "mean of MBG/NBD model, polynomial Poisson regression and random forest"


def test_a_shorter_training_period_is_said(tmp_path: Path) -> None:
    lines = simulated_lines(150, n_days=200, seed=7)
    as_of = (FIRST_DAY + pd.Timedelta(days=199)).date()
    shop = dataset_of(tmp_path, lines)
    forecast = forecast_customers(
        customer_histories(shop, as_of=as_of, horizon_days=80, history_days=365, n_origins=3), seed=0
    )
    assert forecast.plan.training_days == 20
    assert "going on as in the last 20 days" in verdict(forecast)[0]
    assert any("The longest trial before the hold-out forecast 60 days" in note for note in forecast.notes)
