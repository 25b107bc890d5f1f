"""Claims about forecasts of spend and transactions: known truth, honest choice, invariance, and plain words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.evaluation import OriginPlan, rmse, rolling_origins
from crm_analysis.models.forecasting import (
    CustomerForecast,
    backtest_for_readers,
    errors_for_readers,
    forecast_customers,
    forecasts_for_readers,
    recorded_results,
    verdict,
    warnings_of,
)
from crm_analysis.models.forecasting.estimators import NaiveForecast, PurchaseTerms, RootTargetRegressor, forecaster
from crm_analysis.models.forecasting.judgement import gain_curve, holdout_errors

PLAN = rolling_origins(first_day=date(2023, 1, 1), as_of=date(2024, 12, 31), horizon_days=90, n_origins=4)
MONEY = ["spend", "monetary_value", "recent_spend"]
TWO = pd.DataFrame(
    {
        "recency_days": [3, 200],
        "frequency": [8, 1],
        "spend": [400.0, -20.0],
        "monetary_value": [50.0, -20.0],
        "tenure_days": [399, 200],
        "observed_days": [200, 100],
        "recent_spend": [90.0, -20.0],
        "recent_frequency": [2, 0],
    }
)
Truth = Callable[[pd.DataFrame, np.random.Generator], np.ndarray]


def customers(draws: np.random.Generator, n: int) -> pd.DataFrame:
    """Features as a purchase panel has them, of customers with a rate and a basket of their own."""
    rate, basket = draws.gamma(1.5, 0.01, n), draws.lognormal(3.5, 0.5, n)
    observed = draws.integers(200, 366, n)
    recent = draws.poisson(rate * 90)
    earlier = draws.poisson(rate * (observed - 90))
    frequency = np.maximum(recent + earlier, 1)
    spend = basket * frequency * draws.lognormal(0, 0.1, n)
    table = pd.DataFrame({"recency_days": draws.integers(0, 90, n), "frequency": frequency, "spend": spend})
    return table.assign(
        monetary_value=spend / frequency,
        tenure_days=observed + draws.integers(0, 100, n),
        observed_days=observed,
        recent_spend=basket * recent * draws.lognormal(0, 0.1, n),
        recent_frequency=recent,
    )


def panel_of(
    truth: Truth, *, n: int = 300, seed: int = 0, plan: OriginPlan = PLAN
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A panel whose spend ahead is known but for its noise, and current customers."""
    draws = np.random.default_rng(seed)
    parts = []
    for origin in plan.all_origins:
        features = customers(draws, n)
        features.insert(0, "customer_id", [f"c{number:05d}" for number in range(n)])
        features.insert(0, "origin", pd.Timestamp(origin).as_unit("us"))
        features["spend_ahead"] = truth(features, draws)
        features["transactions_ahead"] = draws.poisson(90 * features["frequency"] / features["observed_days"])
        parts.append(features)
    current = customers(draws, n)
    current.index = pd.Index([f"c{number:05d}" for number in range(n)], name="customer_id")
    return pd.concat(parts, ignore_index=True), current


def a_rate(features: pd.DataFrame) -> np.ndarray:
    return (90 * features["spend"] / features["observed_days"]).to_numpy()


def linear(features: pd.DataFrame, draws: np.random.Generator) -> np.ndarray:
    return (0.3 * features["recent_spend"] + 0.4 * a_rate(features) + draws.gamma(4, 5, len(features))).to_numpy()


def quadratic(features: pd.DataFrame, draws: np.random.Generator) -> np.ndarray:
    return 0.004 * a_rate(features) ** 2 + draws.gamma(4, 5, len(features))


def last_period_and_noise(features: pd.DataFrame, draws: np.random.Generator) -> np.ndarray:
    noise = np.where(draws.random(len(features)) < 0.5, 1.5, 0.5)
    return (features["recent_spend"] * noise).to_numpy()


def forecast(panel: pd.DataFrame, current: pd.DataFrame, *, seed: int = 0, max_svr_rows: int = 200) -> CustomerForecast:
    return forecast_customers(panel, current, plan=PLAN, seed=seed, max_svr_rows=max_svr_rows)


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return panel_of(linear)


@pytest.fixture(scope="module")
def result(tables: tuple[pd.DataFrame, pd.DataFrame]) -> CustomerForecast:
    return forecast(*tables)


def by_customer(result: CustomerForecast) -> pd.DataFrame:
    return result.holdout.set_index("customer_id").sort_index()


# --- the pieces


@pytest.mark.parametrize(
    ("rule", "target", "expected"),
    [
        ("last_period", "spend_ahead", [90, 0]),
        ("mean_rate", "spend_ahead", [180, 0]),  # 400 in 200 days, for 90 days; returns are no forecast
        ("last_period", "transactions_ahead", [2, 0]),
        ("mean_rate", "transactions_ahead", [3.6, 0.9]),
        ("zero", "spend_ahead", [0, 0]),
    ],
)
def test_naive_forecasts_are_those_of_the_pencil(rule: str, target: str, expected: list[float]) -> None:
    naive = NaiveForecast(rule, target=target, horizon_days=90).fit(TWO)
    assert naive.predict(TWO).tolist() == pytest.approx(expected)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'median' and 'spend_ahead'"):
        NaiveForecast("median").fit(TWO)


def test_terms_are_signed_roots_of_rates_and_stay_within_the_range_of_the_fit() -> None:
    terms = PurchaseTerms().fit(TWO)
    first = [2**0.5, 0.2, 90**0.5, 2**0.5, 50**0.5, np.log(4), 4 / 400]
    assert terms.transform(TWO)[0] == pytest.approx(first)
    assert terms.transform(TWO)[1, 0] == pytest.approx(-(0.2**0.5))
    far = TWO.assign(recent_spend=1e9, recency_days=5000)
    assert terms.transform(far)[0, [2, 5]] == pytest.approx([90**0.5, np.log(201)])


def test_the_way_back_from_roots_has_no_bias_where_it_was_fitted() -> None:
    draws = np.random.default_rng(0)
    level = draws.uniform(1, 9, 2000)
    target = level**2 * draws.gamma(0.5, 2, 2000)
    fit = RootTargetRegressor(
        forecaster("polynomial", target="spend_ahead", horizon_days=90, settings={"degree": 1, "alpha": 1})
        .steps[-1][1]
        .regressor
    )
    forecasts = fit.fit(level[:, None], target).predict(level[:, None])
    assert forecasts.mean() == pytest.approx(target.mean(), rel=0.01)
    assert forecasts.min() >= 0


def test_a_target_without_any_spend_is_forecast_as_zero() -> None:
    features = customers(np.random.default_rng(0), 60)
    for model, settings in (("polynomial", {"degree": 2, "alpha": 10}), ("svr", {"C": 1, "gamma": 0.01})):
        fit = forecaster(model, target="spend_ahead", horizon_days=90, settings=settings).fit(features, np.zeros(60))
        assert fit.predict(features).tolist() == [0] * 60


def test_the_gain_is_the_share_of_the_naive_error_saved() -> None:
    actual = np.array([10.0, 20, 30, 40])
    errors, gain = holdout_errors(
        actual, {"last_period": actual + 4, "svr": actual - 3}, model="svr", naive="last_period", seed=0
    )
    assert gain.share == pytest.approx(0.25)
    assert (gain.low, gain.high) == pytest.approx((0.25, 0.25))
    assert gain.is_sure
    assert not gain.is_loss
    assert errors.groupby("model")["role"].first().to_dict() == {"last_period": "naive", "svr": "chosen"}


def test_the_gain_curve_ends_at_all_the_revenue_and_hindsight_is_above() -> None:
    actual = np.array([0.0, 0, 10, 30])
    curve = gain_curve(actual, {"forecast": [1, 2, 4, 3], "hindsight": actual})
    assert curve.loc[0.5].tolist() == [1, 1]
    assert curve.iloc[5].tolist() == pytest.approx([0.25, 0.75])
    assert curve.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]


# --- known truth


@pytest.mark.parametrize("truth", [linear, quadratic])
def test_a_truth_that_can_be_learnt_is_recovered_better_than_by_the_naive_baseline(truth: Truth) -> None:
    panel, current = panel_of(truth, n=500)
    result = forecast(panel, current)
    assert result.spend.choice.model in {"polynomial", "svr"}
    assert result.spend.gain.is_sure
    judged = panel[panel["origin"] == panel["origin"].max()]
    noise = 10.0  # the standard deviation of a gamma of shape 4 and scale 5
    signal = judged["spend_ahead"].std()
    assert result.spend.measures["rmse"] < noise + 0.12 * signal
    assert abs(result.spend.measures["bias"]) < 0.05
    expected = truth(current, np.random.default_rng(1))
    assert rmse(expected, result.forecasts["spend_forecast"]) < noise + 0.12 * expected.std()


def test_where_the_last_period_is_the_truth_the_verdict_says_so() -> None:
    result = forecast(*panel_of(last_period_and_noise, n=600))
    assert result.spend.choice.naive == "last_period"
    said = " ".join([*verdict(result), *warnings_of(result)])
    assert "No model beats the naive baseline (last period again) for spend on the hold-out." in said
    assert "Spend: no model beat the naive baseline before the hold-out, so it is the forecast" in said
    assert result.spend.gain.share == 0


def test_ranges_hold_nine_of_ten_where_periods_are_alike() -> None:
    result = forecast(*panel_of(linear, n=600, seed=1))
    assert result.coverage["coverage"]["all"] == pytest.approx(0.9, abs=0.03)


# --- honesty


def test_the_hold_out_decides_nothing_that_it_is_judged_by(
    tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast
) -> None:
    panel, current = tables
    at_holdout = panel["origin"] == panel["origin"].max()
    draws = np.random.default_rng(9)
    altered = panel.assign(
        spend_ahead=panel["spend_ahead"].where(~at_holdout, draws.gamma(1, 1000, len(panel))),
        transactions_ahead=panel["transactions_ahead"].where(~at_holdout, draws.integers(0, 50, len(panel))),
    )
    other = forecast(altered, current)
    for before, after in ((result.spend, other.spend), (result.transactions, other.transactions)):
        assert (before.choice.model, before.choice.naive) == (after.choice.model, after.choice.naive)
        assert before.choice.settings == after.choice.settings
        pd.testing.assert_frame_equal(before.choice.backtest, after.choice.backtest)
    columns = ["spend_forecast", "lower_90", "upper_90", "transactions_forecast"]
    pd.testing.assert_frame_equal(by_customer(result)[columns], by_customer(other)[columns])
    assert other.spend.measures["rmse"] != result.spend.measures["rmse"]


def test_the_forecast_learns_from_the_hold_out(
    tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast
) -> None:
    panel, current = tables
    doubled = panel["spend_ahead"].where(panel["origin"] < panel["origin"].max(), 2 * panel["spend_ahead"])
    other = forecast(panel.assign(spend_ahead=doubled), current)
    assert other.forecasts["spend_forecast"].sum() > 1.1 * result.forecasts["spend_forecast"].sum()


def test_the_naive_baseline_is_the_better_one_before_the_hold_out(result: CustomerForecast) -> None:
    for target in (result.spend, result.transactions):
        errors = target.choice.backtest["rmse"]
        assert target.choice.naive == errors[["last_period", "mean_rate"]].idxmin()
        assert target.choice.model == errors.drop("zero").idxmin()


# --- invariance


def test_order_and_names_do_not_matter(tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast) -> None:
    panel, current = tables
    names = {name: f"x{number}" for number, name in enumerate(reversed(current.index))}
    other = forecast(
        panel.assign(customer_id=panel["customer_id"].map(names)).sample(frac=1, random_state=0),
        current.rename(index=names).sample(frac=1, random_state=1),
    )
    expected = result.forecasts.rename(index=names).sort_index()
    pd.testing.assert_frame_equal(other.forecasts.sort_index(), expected, rtol=1e-6, check_index_type=False)
    pd.testing.assert_frame_equal(other.errors, result.errors, rtol=1e-6)


def test_the_currency_is_a_factor_of_the_spend_only(
    tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast
) -> None:
    panel, current = tables
    other = forecast(
        panel.assign(**{name: 7.3 * panel[name] for name in [*MONEY, "spend_ahead"]}),
        current.assign(**{name: 7.3 * current[name] for name in MONEY}),
    )
    money = ["spend_forecast", "lower_90", "upper_90"]
    np.testing.assert_allclose(other.forecasts[money], 7.3 * result.forecasts[money], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        other.forecasts["transactions_forecast"], result.forecasts["transactions_forecast"], rtol=1e-4
    )
    assert other.spend.measures["wape"] == pytest.approx(result.spend.measures["wape"], rel=1e-5)


def test_the_seed_decides_everything(tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast) -> None:
    again = forecast(*tables)
    pd.testing.assert_frame_equal(again.forecasts, result.forecasts)
    pd.testing.assert_frame_equal(again.errors, result.errors)


# --- odd data


def test_no_forecast_is_negative_and_every_customer_has_one(
    tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast
) -> None:
    forecasts = result.forecasts
    assert forecasts.index.equals(tables[1].index)
    assert (forecasts >= 0).all(axis=None)
    assert (forecasts["lower_90"] <= forecasts["upper_90"]).all()


def test_returns_do_not_break_it_and_ranges_may_reach_below_zero() -> None:
    panel, current = panel_of(linear, n=200)
    returned, returned_now = panel.index % 5 == 0, np.arange(len(current)) % 5 == 0
    panel[MONEY] *= np.where(returned, -0.2, 1)[:, None]
    current[MONEY] *= np.where(returned_now, -0.2, 1)[:, None]
    panel["spend_ahead"] = panel["spend_ahead"].where(~returned, -30.0)
    result = forecast(panel, current)
    assert (result.forecasts["spend_forecast"] >= 0).all()
    assert -30.001 <= result.forecasts["lower_90"].min() < 0


def test_where_nobody_buys_again_nothing_is_expected_and_the_reason_is_said() -> None:
    panel, current = panel_of(linear, n=60)
    result = forecast(panel.assign(spend_ahead=0.0, transactions_ahead=0), current)
    assert result.forecasts["spend_forecast"].sum() == pytest.approx(0, abs=1e-9)
    results = recorded_results(result)
    assert results["spend_mae"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(results["spend_wape"])
    assert any("Nothing came" in sentence for sentence in warnings_of(result))
    said = " ".join(verdict(result))
    assert "no positive total" in said
    assert "nan" not in said


def test_zero_that_does_better_on_mae_is_said() -> None:
    def mostly_nothing(features: pd.DataFrame, draws: np.random.Generator) -> np.ndarray:
        return np.where(draws.random(len(features)) < 0.9, 0.0, 100 + features["recent_spend"])

    sentences = warnings_of(forecast(*panel_of(mostly_nothing, n=300)))
    assert any("zero spend for everybody would do better" in sentence for sentence in sentences)


def test_too_few_customers_are_named_with_their_origin(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    panel, current = tables
    one = panel[panel["customer_id"] == "c00000"]
    with pytest.raises(TooFewRecordsError, match=r"5 of 5 origins have fewer than 20 customers: \{'2024-"):
        forecast(one, current)
    with pytest.raises(TooFewRecordsError, match="no customer to forecast"):
        forecast(panel, current.head(0))


def test_one_current_customer_is_enough(tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast) -> None:
    alone = forecast(tables[0], tables[1].head(1))
    pd.testing.assert_frame_equal(alone.forecasts, result.forecasts.head(1))
    assert verdict(alone)[0].startswith("The 1 customer known on 2024-12-31 is expected")


def test_missing_values_and_columns_are_refused(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    panel, current = tables
    with pytest.raises(DataQualityError, match=r"2 values of the purchase panel are missing, in \['spend'\]"):
        forecast(panel.assign(spend=panel["spend"].where(panel.index > 1)), current)
    with pytest.raises(ValueError, match=r"none named \['recency_days'\]"):
        forecast(panel.drop(columns="recency_days"), current)


def test_drawn_rows_and_a_short_history_are_said(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    plan = OriginPlan(PLAN.horizon_days, PLAN.holdout_origin, PLAN.training, n_asked=9)
    short = forecast_customers(*tables, plan=plan, seed=0, max_svr_rows=150)
    assert short.notes == (
        "The support vector regression is fitted on 150 rows drawn from 1,200.",
        "The history has room for 4 of the 9 earlier origins asked for; a shorter horizon_days leaves room for more.",
    )


# --- small cells


def test_tables_of_a_small_hold_out_have_larger_groups(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    panel, current = tables
    few = panel[panel["customer_id"] < "c00038"]
    told = forecast_customers(few, current, plan=PLAN, seed=0, max_svr_rows=200, min_cell=5)
    assert (told.calibration["n"].dropna() >= 5).all()
    assert len(told.calibration) <= 7
    shown = told.gain_curve.dropna()
    assert (np.diff(shown.index) * 38 >= 5 - 1e-9).all()
    assert shown.index[-1] == 1
    assert np.isnan(recorded_results(told)["top_decile_share"])  # type: ignore[arg-type]
    assert errors_for_readers(told.spend)["share of the best tenth"].isna().all()
    assert backtest_for_readers(told.spend)["share of the best tenth"].isna().all()
    assert any("a tenth of the hold-out are too few to tell of" in sentence for sentence in verdict(told))
    assert "nan" not in " ".join([*verdict(told), *warnings_of(told)])


def test_three_buyers_are_not_told_of_nor_the_others_who_would_give_them_away() -> None:
    def three_buyers(features: pd.DataFrame, draws: np.random.Generator) -> np.ndarray:
        return np.where(np.arange(len(features)) < 3, 77.0, 0.0) * draws.uniform(0.9, 1.1, len(features))

    told = forecast_customers(*panel_of(three_buyers, n=120), plan=PLAN, seed=0, max_svr_rows=200, min_cell=5)
    assert told.coverage["n"].isna().to_dict() == {"all": False, "buyers": True, "others": True}
    assert told.coverage.loc[["buyers", "others"]].isna().all(axis=None)
    assert np.isnan(recorded_results(told)["coverage_90_buyers"])  # type: ignore[arg-type]
    assert not any("of those who bought" in sentence for sentence in verdict(told))
    assert any("fewer than 5 customers" in note for note in told.notes)


def test_public_data_are_told_in_full(tables: tuple[pd.DataFrame, pd.DataFrame], result: CustomerForecast) -> None:
    again = forecast_customers(*tables, plan=PLAN, seed=0, max_svr_rows=200, min_cell=1)
    for name in ("calibration", "coverage", "gain_curve"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))
        assert getattr(again, name).iloc[:, 0].notna().all()
    assert verdict(again) == verdict(result)


def test_an_error_does_not_count_a_few_customers(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    panel, current = tables
    with pytest.raises(TooFewRecordsError, match=r"have fewer than 20 customers: .*'fewer than 5'"):
        forecast_customers(panel[panel["customer_id"] < "c00003"], current, plan=PLAN, seed=0, min_cell=5)


# --- words


def test_recorded_results_are_those_of_the_hold_out(result: CustomerForecast) -> None:
    results = recorded_results(result)
    judged = result.holdout
    error = (judged["spend_forecast"] - judged["spend_ahead"]).abs()
    assert results["spend_mae"] == pytest.approx(error.mean())
    assert results["spend_wape"] == pytest.approx(error.sum() / judged["spend_ahead"].sum())
    assert results["zero_spend_wape"] == 1
    assert results["coverage_90"] == judged["spend_ahead"].between(judged["lower_90"], judged["upper_90"]).mean()
    assert results["model"] == result.spend.choice.model


def test_the_verdict_gives_the_total_the_gain_and_the_ranges(result: CustomerForecast) -> None:
    said = verdict(result, currency="GBP")
    total = result.forecasts["spend_forecast"].sum()
    assert f"{total:,.0f} GBP" in said[0]
    assert "2024-12-31" in said[0]
    assert "the days from 2024-10-03 to 2024-12-31" in said[1]
    assert f"{result.spend.gain.share:.1%} less (95% interval of the saving" in said[2]
    assert all(sentence.endswith(".") for sentence in said)


def test_tables_for_readers_are_rounded_and_complete(result: CustomerForecast) -> None:
    errors = errors_for_readers(result.spend)
    assert errors["model"].tolist()[:2] == ["last period again", "mean rate so far"]
    assert set(errors["role"]) == {"", "naive", "chosen"}
    assert errors["rank correlation"].isna().tolist() == [False, False, True, False, False]
    assert errors["95% interval"].str.fullmatch(r"[\d,]+\.\d\d to [\d,]+\.\d\d").all()
    assert errors["RMSE"].round(2).equals(errors["RMSE"])
    assert backtest_for_readers(result.spend)["settings"].str.contains("degree").sum() == 1
    best = forecasts_for_readers(result, n_customers=3)
    assert best["spend_forecast"].is_monotonic_decreasing
    assert best["spend_forecast"].iloc[0] == round(result.forecasts["spend_forecast"].max(), 2)
    assert set(result.errors["target"]) == {"spend", "transactions"}
