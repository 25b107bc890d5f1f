"""Claims about the figures of the forecast of a business: what they show is what their tables and texts say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.features.series import BusinessSeries
from crm_analysis.figures.business_series import plot_holdout, plot_series
from crm_analysis.figures.display import alternative_text
from crm_analysis.models.business_series import BusinessForecast, forecast_business

N_WEEKS = 20


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def forecast(*, active: int = 50, few_at: int | None = None) -> BusinessForecast:
    customers = np.full(N_WEEKS, active)
    if few_at is not None:
        customers[few_at] = 1
    starts = pd.date_range(end="2023-12-25", periods=N_WEEKS, freq="7D", unit="us", name="period_start")
    revenue = 1000 + 10.0 * (np.arange(N_WEEKS) % 4)
    table = pd.DataFrame(
        {"days": 7, "revenue": revenue, "orders": 2 * customers, "active_customers": customers}, index=starts
    )
    series = BusinessSeries(period="week", as_of=date(2023, 12, 31), table=table, days_before=0, days_after=0)
    return forecast_business(series, horizon_periods=4, min_cell=5)


def test_the_series_shows_what_came_the_hold_out_and_what_lies_ahead() -> None:
    found = forecast()
    axes = plot_series(found, found.revenue, currency="EUR")
    axes.figure.canvas.draw()
    came, holdout, ahead = (np.asarray(line.get_ydata(), dtype=float) for line in axes.lines[:3])
    np.testing.assert_allclose(came, found.history["revenue"])
    np.testing.assert_allclose(holdout, found.revenue.holdout["forecast"])
    np.testing.assert_allclose(ahead, found.revenue.ahead["forecast"])
    assert axes.get_ylabel() == "revenue a week, EUR"
    text = alternative_text(axes)
    assert "Line of revenue over 20 weeks, from 1,000 EUR" in text
    assert "held 4 of 4 weeks" in text
    assert "in the last of 4" in text


def test_the_hold_out_says_means_and_who_forecast() -> None:
    found = forecast()
    text = alternative_text(plot_holdout(found, found.revenue, currency="EUR"))
    assert "over the 4 weeks of the hold-out. On average came 1,015 EUR" in text
    assert "by the best naive rule" in text


def test_weeks_that_are_not_shown_are_gaps_and_it_is_said() -> None:
    found = forecast(few_at=3)
    axes = plot_series(found, found.orders)
    axes.figure.canvas.draw()
    assert np.isnan(np.asarray(axes.lines[0].get_ydata(), dtype=float)[3])
    assert "not shown, because of too few customers" in alternative_text(axes)


def test_a_hold_out_without_any_week_to_show_says_so() -> None:
    found = forecast()
    found.revenue.holdout.loc[:, :] = np.nan
    axes = plot_holdout(found, found.revenue)
    axes.figure.canvas.draw()
    assert "no week may be shown" in alternative_text(axes)
