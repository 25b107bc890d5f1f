"""What is told of a business gives no period away that is about too few customers."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.series import BusinessSeries
from crm_analysis.figures.business_series import plot_holdout, plot_series
from crm_analysis.figures.display import alternative_text
from crm_analysis.models import business_series as business
from crm_analysis.models.business_series import choice
from crm_analysis.models.business_series.candidates import COPIES, LAST_VALUE, MEAN_SO_FAR, RECENT_MEAN
from crm_analysis.models.business_series.choice import ERRORS

N_WEEKS = 40
JUDGED = ("business_rmse", "naive_business_rmse", "business_wape", "naive_business_wape", "business_bias")


@pytest.fixture(autouse=True)
def _naive_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be told does not depend on the models, which take long to fit."""
    monkeypatch.setattr(choice, "MODELS", ())


def forecast(
    *, few_at: tuple[int, ...], steps: int, few_revenue: float = 50.0, values: np.ndarray | None = None
) -> business.BusinessForecast:
    """Forty weeks of thirty customers each, but two in some."""
    starts = pd.date_range(end="2023-12-25", periods=N_WEEKS, freq="7D", unit="us", name="period_start")
    revenue = 1000 + 50 * np.random.default_rng(0).normal(size=N_WEEKS) if values is None else values.copy()
    customers = np.full(N_WEEKS, 30)
    revenue[list(few_at)], customers[list(few_at)] = few_revenue, 2
    table = pd.DataFrame(
        {"days": 7, "revenue": revenue, "orders": 2 * customers, "active_customers": customers}, index=starts
    )
    series = BusinessSeries(period="week", as_of=date(2023, 12, 31), table=table, days_before=0, days_after=0)
    return business.forecast_business(series, horizon_periods=steps, min_cell=5)


@pytest.mark.parametrize(("steps", "few_at"), [(1, 39), (2, 39), (2, 38), (6, 36)])
def test_errors_on_a_hold_out_with_a_hidden_week_are_missing_everywhere(steps: int, few_at: int) -> None:
    found = forecast(few_at=(few_at,), steps=steps)
    for told in found.measures:
        assert told.errors[list(ERRORS)].isna().all(axis=None)
        assert told.coverage.loc["hold-out", ["coverage_80", "coverage_90"]].isna().all()
        assert (
            business.errors_for_readers(told, period="week")[["RMSE", "MAE", "WAPE", "bias", "MASE"]]
            .isna()
            .all(axis=None)
        )
    results = business.recorded_results(found)
    assert np.isnan([float(results[name]) for name in (*JUDGED, "business_coverage_90")]).all()
    sentences = [*business.verdict(found, currency="EUR"), *business.warnings_of(found)]
    assert sum("is not told" in each and "too few customers" in each for each in sentences) == 1
    text = " ".join(sentences)
    for given_away in ("RMSE", "what came", "of the hold-out, and", "was missed", "in the last"):
        assert given_away not in text


@pytest.mark.parametrize("steps", [1, 2, 6])
def test_what_a_hidden_week_took_changes_nothing_but_the_forecast_ahead(steps: int) -> None:
    first, second = (forecast(few_at=(39,), steps=steps, few_revenue=revenue) for revenue in (50.0, 400.0))
    pd.testing.assert_frame_equal(first.history, second.history)
    for one, other in zip(first.measures, second.measures, strict=True):
        pd.testing.assert_frame_equal(one.errors, other.errors)
        pd.testing.assert_frame_equal(one.holdout, other.holdout)
        pd.testing.assert_frame_equal(one.coverage, other.coverage)
    widths = [found.revenue.ahead["high_90"] - found.revenue.ahead["forecast"] for found in (first, second)]
    np.testing.assert_allclose(*widths)  # ranges are not learnt from it
    sums = [found.revenue.total.intervals[0.9][1] - found.revenue.total.forecast for found in (first, second)]
    assert sums[0] == pytest.approx(sums[1])
    said = [[*business.verdict(found)[1:], *business.warnings_of(found)] for found in (first, second)]
    assert said[0] == said[1]


def test_errors_of_trials_with_a_hidden_week_are_missing() -> None:
    found = forecast(few_at=(20,), steps=6)
    assert found.n_hidden_in_holdout == 0
    for told in found.measures:
        assert told.choice.backtest[list(ERRORS)].isna().all(axis=None)
        assert told.coverage.loc["earlier origins", ["coverage_80", "coverage_90"]].isna().all()
        assert told.errors["rmse"].notna().all()
        at = list(found.plan.training).index(20)
        assert np.isnan(told.choice.errors[told.choice.model][at, 0])
    text = " ".join(business.verdict(found))
    assert "Errors at the earlier origins are not told: 1 week of their horizons is not shown" in text
    assert "of 6 weeks of the hold-out." in text


def test_a_hidden_week_before_all_trials_leaves_errors_told() -> None:
    found = forecast(few_at=(2,), steps=2)
    assert found.plan.training[0] > 2
    assert found.revenue.errors["rmse"].notna().all()
    assert found.revenue.choice.backtest["rmse"].notna().all()
    assert not set(COPIES) & set(found.revenue.choice.backtest.index)


def test_the_sum_of_the_latest_weeks_is_told_where_all_are_shown_only() -> None:
    assert "in the last 6 weeks it was" in business.verdict(forecast(few_at=(20,), steps=6))[0]
    assert "in the last" not in business.verdict(forecast(few_at=(37,), steps=6))[0]


def test_the_mean_of_the_last_weeks_does_not_compete_with_a_hidden_one_in_it() -> None:
    assert RECENT_MEAN in forecast(few_at=(20,), steps=6).revenue.choice.backtest.index
    assert RECENT_MEAN not in forecast(few_at=(30,), steps=6).revenue.choice.backtest.index


def test_what_came_in_the_hold_out_does_not_decide_who_competes_before_it() -> None:
    walk = 1000 + np.cumsum(np.random.default_rng(1).normal(20, 5, size=N_WEEKS))
    found = forecast(few_at=(38,), steps=4, values=walk)
    assert {*COPIES, RECENT_MEAN} - {"seasonal_naive"} <= set(found.revenue.choice.backtest.index)
    assert found.revenue.choice.model in COPIES
    assert found.revenue.ahead_model == MEAN_SO_FAR  # ahead, others would tell of the hidden week
    assert np.ptp(found.revenue.ahead["forecast"]) == 0
    assert any(
        "Revenue: the chosen candidate would tell of weeks that are not shown" in each
        for each in business.warnings_of(found)
    )
    assert "forecast by mean so far" in alternative_text(plot_series(found, found.revenue))


def test_pictures_of_a_hidden_hold_out_tell_nothing_of_it() -> None:
    found = forecast(few_at=(39,), steps=1)
    assert "held" not in alternative_text(plot_series(found, found.revenue))
    assert "no week may be shown" in alternative_text(plot_holdout(found, found.revenue))


def test_public_data_hide_nothing() -> None:
    found = forecast(few_at=(), steps=2)
    assert found.n_hidden_in_holdout == found.n_hidden_in_trials == 0
    assert LAST_VALUE in found.revenue.choice.backtest.index
    assert "NaN" not in json.dumps(business.recorded_results(found))


def test_trials_without_a_week_to_show_are_refused() -> None:
    with pytest.raises(
        TooFewRecordsError, match="Of 10 earlier horizons of 1 weeks, 1 hold one about enough customers"
    ):
        forecast(few_at=tuple(range(29, 38)), steps=1)


def test_a_forecast_about_too_few_customers_is_refused() -> None:
    starts = pd.date_range(end="2023-12-25", periods=N_WEEKS, freq="7D", unit="us", name="period_start")
    falling = np.linspace(60, 20, N_WEEKS).round().astype(int)
    table = pd.DataFrame({"days": 7, "revenue": 10.0 * falling, "orders": falling, "active_customers": falling}, starts)
    series = BusinessSeries(period="week", as_of=date(2023, 12, 31), table=table, days_before=0, days_after=0)
    with pytest.raises(TooFewRecordsError, match="Every week ahead is forecast to see fewer than 20 customers"):
        business.forecast_business(series, horizon_periods=2, min_cell=20)
