"""Claims about forecasts of a business: known truth, honest choice, invariance, odd series, and plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.series import MEASURES, BusinessSeries, business_series
from crm_analysis.models import business_series as business
from crm_analysis.models.business_series import choice
from crm_analysis.models.business_series.bands import series_bands
from crm_analysis.models.business_series.candidates import (
    ARIMA,
    COPIES,
    ETS,
    LAST_VALUE,
    MEAN_SO_FAR,
    MODELS,
    NAIVE_RULES,
    POLYNOMIAL,
    RECENT_MEAN,
    SEASONAL_NAIVE,
    SVR_LAGS,
    forecast_by,
    held,
)
from crm_analysis.models.business_series.horizon import horizon_of
from crm_analysis.models.business_series.origins import series_plan
from crm_analysis.models.business_series.polynomial import polynomial_trend
from crm_analysis.models.business_series.reconciliation import BUILT_UP, DIFFERENCE, NEW
from crm_analysis.models.business_series.seasons import SEASONS
from crm_analysis.models.business_series.statespace import NoFitError
from crm_analysis.tables.datasets import open_dataset

WEEK = SEASONS["week"]
AS_OF = date(2023, 12, 31)
Values = np.ndarray


def series_of(revenue: Values, *, active: Values | None = None, as_of: date = AS_OF) -> BusinessSeries:
    """Weeks with a revenue; a purchase day and an active customer for each ten of money, unless said otherwise."""
    starts = pd.date_range(end=pd.Timestamp(as_of) - pd.Timedelta(days=6), periods=len(revenue), freq="7D", unit="us")
    customers = np.maximum(np.round(np.abs(revenue) / 10), 1).astype(int) if active is None else active
    table = pd.DataFrame(
        {"days": 7, "revenue": revenue.astype(float), "orders": 2 * customers, "active_customers": customers},
        index=pd.DatetimeIndex(starts, name="period_start"),
    )
    return BusinessSeries(period="week", as_of=as_of, table=table, days_before=0, days_after=0)


def noisy(n: int, *, seed: int = 0, level: float = 1000.0) -> Values:
    return level + 50 * np.random.default_rng(seed).normal(size=n)


def yearly(n: int, *, seed: int = 0) -> Values:
    """A trend and a season with some noise."""
    weeks = np.arange(n)
    season = 300 * np.sin(2 * np.pi * weeks / WEEK.length)
    return 1000 + 4 * weeks + season + 20 * np.random.default_rng(seed).normal(size=n)


@pytest.fixture(scope="module")
def result() -> business.BusinessForecast:
    return business.forecast_business(series_of(noisy(36)), horizon_days=45)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the candidates that take long to fit, where they are not what is asked about."""
    monkeypatch.setattr(choice, "MODELS", (POLYNOMIAL, SVR_LAGS))


# --- the pieces


def test_a_horizon_of_days_takes_its_part_of_the_last_week() -> None:
    horizon = horizon_of(series_of(noisy(20)), horizon_days=90, horizon_periods=None)
    assert horizon.steps == 13
    assert horizon.periods["days_in_horizon"].tolist() == [7] * 12 + [6]
    assert (horizon.first_day, horizon.last_day) == (date(2024, 1, 1), date(2024, 3, 30))


def test_of_a_month_that_has_begun_only_the_days_to_come_count() -> None:
    starts = pd.date_range("2023-01-01", periods=13, freq="MS", unit="us")
    table = pd.DataFrame({"days": starts.days_in_month, **dict.fromkeys(MEASURES, 5)}, index=starts)
    series = BusinessSeries(period="month", as_of=date(2024, 2, 20), table=table, days_before=0, days_after=20)
    periods = horizon_of(series, horizon_days=15, horizon_periods=None).periods
    assert periods.to_numpy().tolist() == [[29, 9], [31, 6]]  # a leap year's February
    whole = horizon_of(series, horizon_days=None, horizon_periods=2)
    assert (whole.days, whole.last_day) == (40, date(2024, 3, 31))


@pytest.mark.parametrize(("days", "periods"), [(None, None), (30, 4), (0, None), (None, -1)])
def test_a_horizon_is_given_once_and_positive(days: int | None, periods: int | None) -> None:
    with pytest.raises(ValueError, match="either horizon_days or horizon_periods, at least 1"):
        business.forecast_business(series_of(noisy(40)), horizon_days=days, horizon_periods=periods)


def test_origins_end_a_horizon_before_the_hold_out() -> None:
    plan = series_plan(120, 13, season=WEEK, period="week")
    assert plan.training[-1] + 13 == plan.holdout == 107
    assert plan.training[0] >= 52  # every origin knows a whole year, so that its season can compete
    assert plan.later[-1] == plan.holdout


@pytest.mark.usefixtures("quick")
def test_a_history_that_is_too_short_says_which_horizon_it_allows() -> None:
    with pytest.raises(TooFewRecordsError, match=r"holds 12 whole weeks.*at most 3 weeks"):
        business.forecast_business(series_of(noisy(12)), horizon_days=90)
    assert len(business.forecast_business(series_of(noisy(12)), horizon_periods=3).revenue.ahead) == 3


@pytest.mark.parametrize("n_periods", [8, 12, 13, 40, 78, 79, 200])
def test_the_horizon_advised_works_and_the_next_does_not(n_periods: int) -> None:
    with pytest.raises(TooFewRecordsError, match=r"at most \d+ week") as told:
        series_plan(n_periods, n_periods, season=WEEK, period="week")
    found = re.search(r"at most (\d+) week", str(told.value))
    assert found
    longest = int(found[1])
    assert len(series_plan(n_periods, longest, season=WEEK, period="week").training) >= 3
    with pytest.raises(TooFewRecordsError, match=f"at most {longest} week"):
        series_plan(n_periods, longest + 1, season=WEEK, period="week")


def test_a_history_of_a_few_weeks_allows_no_horizon() -> None:
    with pytest.raises(TooFewRecordsError, match=r"takes 8\. Use data that reach further back"):
        series_plan(7, 1, season=WEEK, period="week")


def test_the_mean_so_far_is_a_naive_rule_and_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    values, plan = noisy(52), series_plan(52, 13, season=WEEK, period="week")
    _, settings = polynomial_trend(values / 1000, 3, season=WEEK)
    assert settings.startswith(("degree 1", "degree 2", "degree 3"))
    monkeypatch.setattr(choice, "MODELS", ())
    found = choice.choose(values[:39], plan, season=WEEK)
    assert set(found.backtest.index) == {MEAN_SO_FAR, RECENT_MEAN, LAST_VALUE, "drift"}  # no mean of two of them
    assert found.naive == found.model == MEAN_SO_FAR
    assert not found.beats_naive


def test_candidates_agree_with_the_pencil() -> None:
    rising = np.arange(1.0, 31.0)
    assert forecast_by(LAST_VALUE, rising, 2, season=WEEK).ahead.tolist() == [30, 30]
    assert forecast_by(RECENT_MEAN, rising, 2, season=WEEK).ahead.tolist() == [26.5, 26.5]
    assert forecast_by(MEAN_SO_FAR, rising, 2, season=WEEK).ahead.tolist() == [15.5, 15.5]
    assert forecast_by("drift", rising, 2, season=WEEK).ahead.tolist() == [31, 32]
    np.testing.assert_allclose(forecast_by(POLYNOMIAL, rising, 3, season=WEEK).ahead, [31, 32, 33], rtol=0.01)


def test_forecasts_do_not_run_away() -> None:
    assert held(np.array([-9.0, 99.0]), np.array([2.0, 6.0])).tolist() == [0.0, 8.0]
    assert held(np.array([-9.0]), np.array([-2.0, 6.0])).tolist() == [-6.0]
    explosive = 2.0 ** np.arange(20)
    for name in MODELS:
        try:
            ahead = forecast_by(name, explosive, 50, season=WEEK).ahead
        except NoFitError:
            continue
        assert ahead.max() <= explosive.max() * 1.5


def test_bands_widen_with_the_step_and_shrink_with_more_independent_origins() -> None:
    errors = np.random.default_rng(0).normal(size=(10, 6)) * np.arange(1, 7)
    bands = series_bands(errors, tuple(range(10)), np.ones(6))
    assert (np.diff(bands.half_widths(0.9)) >= 0).all()
    assert (bands.half_widths(0.9) > bands.half_widths(0.8)).all()
    apart = series_bands(errors, tuple(range(0, 60, 6)), np.ones(6))
    assert (apart.half_widths(0.9) < bands.half_widths(0.9)).all()


# --- truth


def test_a_planted_trend_and_season_are_found() -> None:
    values = yearly(189)
    found = business.forecast_business(series_of(values[:176]), horizon_periods=13)
    told = found.revenue
    assert told.errors["rmse"][POLYNOMIAL] < 40  # noise alone is 20
    assert told.errors["rmse"][told.choice.model] < 0.5 * told.errors["rmse"][SEASONAL_NAIVE]
    assert told.choice.beats_naive
    np.testing.assert_allclose(told.ahead["forecast"], values[176:], atol=120)
    low, high = told.total.intervals[0.9]
    assert low < values[176:].sum() < high


def test_where_there_is_only_noise_the_forecast_is_near_the_level(result: business.BusinessForecast) -> None:
    assert result.revenue.ahead["forecast"].between(950, 1050).all()
    assert result.revenue.total.forecast == pytest.approx(1000 * 45 / 7, rel=0.03)


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_intervals_hold_about_what_they_say(slope: float) -> None:
    # Kinds of series that hang together over time, and other lengths, are in benchmarks/business_series.py.
    rng, plan, weights = np.random.default_rng(5), series_plan(52, 13, season=WEEK, period="week"), np.ones(13)
    periods, sums = [], []
    for _ in range(100):
        values = 100 + slope * np.arange(52) + 5 * rng.normal(size=52)
        chosen = choice.choose(values[:39], plan, season=WEEK, without=(ETS, ARIMA, SVR_LAGS))
        bands = series_bands(chosen.errors[chosen.model], plan.training, weights)
        errors = values[39:] - choice.forecast_chosen(chosen, chosen.model, values[:39], 13, season=WEEK)[0]
        periods.append([np.mean(np.abs(errors) <= bands.half_widths(level)) for level in (0.8, 0.9)])
        sums.append(abs(errors.sum()) <= bands.total_half_width(0.9))
    held_80, held_90 = np.mean(periods, axis=0)
    assert 0.75 <= held_80 <= 0.95
    assert 0.85 <= held_90 <= 0.99
    assert np.mean(sums) >= 0.85


# --- honesty


def test_the_hold_out_changes_no_choice_and_no_forecast_of_it() -> None:
    values = noisy(29)
    other = values.copy()
    other[-6:] = [9000, 1, 5000, 0, 7000, 3]
    first, second = (business.forecast_business(series_of(each), horizon_periods=6).revenue for each in (values, other))
    pd.testing.assert_frame_equal(first.choice.backtest, second.choice.backtest)
    columns = ["forecast", "naive", "low_90", "high_90"]
    pd.testing.assert_frame_equal(first.holdout[columns], second.holdout[columns])
    assert first.total.forecast != second.total.forecast


@pytest.mark.parametrize("name", [*NAIVE_RULES, *MODELS])
def test_a_candidate_sees_its_history_only(name: str) -> None:
    values = yearly(120)
    alone = forecast_by(name, values[:110].copy(), 5, season=WEEK)
    values[110:] = 1e9
    np.testing.assert_array_equal(forecast_by(name, values[:110], 5, season=WEEK).ahead, alone.ahead)


@pytest.mark.usefixtures("quick")
def test_what_was_known_before_is_used_before() -> None:
    series, values = series_of(noisy(40)), noisy(40)
    origin = business.holdout_origin(series, horizon_periods=6)
    assert origin == date(2023, 11, 19)
    before = series_of(values[:34] + 500, as_of=origin)
    told = business.forecast_business(series, horizon_periods=6, known_before=before).revenue
    assert told.holdout["forecast"].between(1400, 1600).all()
    assert told.ahead["forecast"].between(900, 1100).all()
    with pytest.raises(ValueError, match="must hold the 34 weeks up to the hold-out"):
        business.forecast_business(series, horizon_periods=6, known_before=series)


# --- invariance


def test_another_currency_changes_money_by_its_factor_only(result: business.BusinessForecast) -> None:
    series = series_of(noisy(36))
    rich = replace(series, table=series.table.assign(revenue=series.table["revenue"] * 10))
    other = business.forecast_business(rich, horizon_days=45)
    assert other.revenue.choice.model == result.revenue.choice.model
    assert other.revenue.choice.settings == result.revenue.choice.settings
    money = ["forecast", "low_80", "high_80", "low_90", "high_90"]
    np.testing.assert_allclose(other.revenue.ahead[money], result.revenue.ahead[money] * 10, rtol=1e-6)
    np.testing.assert_allclose(other.revenue.choice.backtest["mase"], result.revenue.choice.backtest["mase"], rtol=1e-6)
    pd.testing.assert_frame_equal(other.orders.ahead, result.orders.ahead)


# --- odd series


@pytest.mark.parametrize("level", [0.0, 700.0, -3.0])
@pytest.mark.usefixtures("quick")
def test_a_constant_series_goes_on(level: float) -> None:
    told = business.forecast_business(series_of(np.full(40, level)), horizon_days=30).revenue
    assert set(told.ahead["forecast"]) == {level}
    assert told.total.forecast == pytest.approx(level * 30 / 7)
    assert told.choice.model in NAIVE_RULES
    assert (told.ahead["high_90"] == level).all()


@pytest.mark.usefixtures("quick")
def test_a_week_out_of_line_a_gap_and_returns_that_outweigh_break_nothing() -> None:
    outlier, gap, negative = noisy(40), noisy(40), noisy(40, level=0.0)
    outlier[20] = 1e6
    gap[10:22] = 0
    for values in (outlier, gap, negative):
        found = business.forecast_business(series_of(values), horizon_days=30)
        assert np.isfinite(found.revenue.ahead.to_numpy(dtype=float)).all()
        assert all(sentence for sentence in business.verdict(found, currency="EUR"))
    assert business.forecast_business(series_of(gap), horizon_days=30).revenue.ahead["low_90"].min() >= 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.usefixtures("quick")
def test_a_value_that_is_no_number_is_told(wrong: float) -> None:
    values = noisy(40)
    values[3] = wrong
    with pytest.raises(DataQualityError, match="1 of 40 weeks hold a missing or infinite value"):
        business.forecast_business(series_of(values, active=np.full(40, 9)), horizon_days=30)


def test_a_model_that_cannot_be_fitted_drops_out_and_it_is_told() -> None:
    with patch(
        "crm_analysis.models.business_series.candidates.ets", side_effect=NoFitError("none of 3 forms converged")
    ):
        found = business.forecast_business(series_of(noisy(26)), horizon_days=30)
    assert ETS not in found.revenue.choice.backtest.index
    assert any("exponential smoothing could not be fitted" in each for each in business.warnings_of(found))


# --- small cells


@pytest.mark.usefixtures("quick")
def test_weeks_about_too_few_customers_are_not_shown_nor_repeated() -> None:
    active = np.full(40, 30)
    active[[5, 37]] = 2
    found = business.forecast_business(series_of(noisy(40), active=active), horizon_periods=5, min_cell=5)
    assert found.history["revenue"].isna().to_numpy()[[5, 37]].all()
    assert found.revenue.holdout["actual"].isna().sum() >= 2  # with one alone, the total would give it away
    assert not set(COPIES) & set(found.revenue.choice.backtest.index)
    assert any("not shown" in each for each in business.warnings_of(found))


@pytest.mark.usefixtures("quick")
def test_a_return_in_a_week_without_buyers_is_about_few_customers() -> None:
    values, active = noisy(40), np.full(40, 30)
    values[8], active[8] = -20.0, 0
    found = business.forecast_business(series_of(values, active=active), horizon_periods=5, min_cell=5)
    assert np.isnan(found.history["revenue"].iloc[8])


def test_a_business_of_few_customers_is_not_forecast_by_week() -> None:
    with pytest.raises(TooFewRecordsError, match=r"40 of 40 weeks.*fewer than 5 customers.*Use months"):
        business.forecast_business(series_of(noisy(40), active=np.full(40, 3)), horizon_periods=5, min_cell=5)


# --- reconciliation


def acquaintance(shares: list[float], *, horizon_days: int = 45, new_customers: int = 9) -> pd.DataFrame:
    new = np.array(shares) * 1000
    return pd.DataFrame(
        {
            "horizon_days": horizon_days,
            "known_revenue": 1000 - new,
            "returning_revenue": 0.0,
            "new_revenue": new,
            "total_revenue": 1000.0,
            "known_orders": 100 - new / 10,
            "returning_orders": 0,
            "new_orders": new / 10,
            "total_orders": 100,
            "known_customers": 50,
            "returning_customers": 0,
            "new_customers": new_customers,
        },
        index=pd.date_range("2023-01-01", periods=len(shares), name="origin"),
    )


def test_customers_and_series_are_reconciled_by_the_pencil(result: business.BusinessForecast) -> None:
    found = business.reconciliation(result, acquaintance([0.4, 0.2]), known_revenue=4800.0, n_customers=70)
    assert found.table["revenue"][NEW] == pytest.approx(1200)  # 4,800 are 80 % of 6,000
    assert found.table["revenue"][BUILT_UP] == pytest.approx(6000)
    assert found.table["revenue"][DIFFERENCE] == pytest.approx(6000 - result.revenue.total.forecast)
    assert found.table["high"][NEW] == pytest.approx(3200)
    sentence = business.reconciled(found, currency="EUR")
    assert "30.0% of the revenue on average (20.0% to 40.0%, in the latest 20.0%)" in sentence
    assert "below the forecast of the series" in sentence


def test_purchase_days_are_reconciled_where_they_are_given(result: business.BusinessForecast) -> None:
    parts = acquaintance([0.4, 0.2]).assign(new_orders=[50, 10])
    alone = business.reconciliation(result, parts, known_revenue=4800.0, n_customers=70)
    found = business.reconciliation(result, parts, known_revenue=4800.0, n_customers=70, known_orders=900.0)
    pd.testing.assert_frame_equal(found.table[alone.table.columns.tolist()], alone.table)
    assert found.table["orders"][NEW] == pytest.approx(100)  # 900 are 90 % of 1,000
    assert found.table["orders"][DIFFERENCE] == pytest.approx(1000 - result.orders.total.forecast)
    assert "with the latest share of others on top (10.0%) that makes 1,000, " in business.reconciled(found)
    assert "urchase days" not in business.reconciled(alone)
    assert "purchase days" in business.reconciliation_for_readers(found)
    assert "purchase days" not in business.reconciliation_for_readers(alone)


def test_a_share_about_too_few_customers_is_not_told(result: business.BusinessForecast) -> None:
    found = business.reconciliation(
        result, acquaintance([0.2], new_customers=2), known_revenue=4800.0, n_customers=70, known_orders=9.0, min_cell=5
    )
    assert found.order_shares.isna().all()
    assert "those of new customers come on top" in business.reconciled(found)
    assert found.shares.isna().all()
    assert "cannot be reconciled" in business.reconciled(found, currency="EUR")


def test_horizons_of_other_lengths_are_not_mixed(result: business.BusinessForecast) -> None:
    with pytest.raises(ValueError, match="forecast is of 45 days, the earlier horizons of \\[44\\]"):
        business.reconciliation(result, acquaintance([0.2], horizon_days=44), known_revenue=1.0, n_customers=1)


# --- words


def test_the_verdict_says_what_is_expected_and_how_far_it_was_right(result: business.BusinessForecast) -> None:
    sentences = business.verdict(result, currency="EUR")
    assert sentences[0].startswith("From 2024-01-01 to 2024-02-14 (45 days) the business is expected to take ")
    assert "One hold-out of 7 weeks does not tell" in sentences[-1]
    assert any("less than two years" in each for each in business.warnings_of(result))


@pytest.mark.usefixtures("quick")
def test_a_horizon_of_one_week_is_spoken_of_as_one() -> None:
    text = " ".join(business.verdict(business.forecast_business(series_of(noisy(30)), horizon_periods=1)))
    assert "; in the last week it was " in text
    assert "the last week, from 2023-12-25 to 2023-12-31, was held out: no candidate knew of it when" in text


@pytest.mark.usefixtures("quick")
def test_it_is_warned_where_no_model_beats_naive() -> None:
    values = noisy(40)
    values[-6:] = values[-14:-6].mean()  # the rule of the recent mean is right by construction
    found = business.forecast_business(series_of(values), horizon_periods=6)
    changed = replace(found.revenue, choice=replace(found.revenue.choice, naive=RECENT_MEAN))
    assert any(
        "No model beats the best naive rule (mean of the last 8 weeks) for revenue" in each
        for each in business.warnings_of(replace(found, revenue=changed))
    )


def test_tables_for_readers_name_naive_rules_first(result: business.BusinessForecast) -> None:
    table = business.backtest_for_readers(result.revenue, period="week")
    assert table["model"].iloc[:3].tolist() == ["mean so far", "mean of the last 8 weeks", "last week again"]
    assert list(business.errors_for_readers(result.revenue, period="week")["model"]) == table["model"].tolist()
    assert set(business.recorded_results(result)) >= {"business_model", "business_revenue", "business_coverage_90"}


# --- data


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("period", "n_periods"), [("week", 78), ("month", 18)])
def test_the_cd_shop_is_forecast(root: Path, period: str, n_periods: int) -> None:
    known = open_dataset(str(root / "params/datasets/cdnow_sample.yaml")).known(date(1998, 6, 30))
    series = business_series(known, period=period)
    assert len(series.table) == n_periods
    found = business.forecast_business(series, horizon_days=90)
    assert found.horizon.days == 90
    assert found.revenue.total.intervals[0.9][0] < found.revenue.total.forecast < found.revenue.total.intervals[0.9][1]
