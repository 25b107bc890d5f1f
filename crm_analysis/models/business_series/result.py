"""
The forecast of a business in one result: its series, the origins, and what of them may be shown.

The pieces have modules of their own in this folder. Sentences belong in :mod:`crm_analysis.models.business_series.wording`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.series import MEASURES, BusinessSeries
from crm_analysis.models.business_series.disclosure import hidden_periods, shown_history, telling_rules
from crm_analysis.models.business_series.horizon import Horizon, horizon_of
from crm_analysis.models.business_series.measures import MeasureForecast, SeriesTask, forecast_measure, shown_measure
from crm_analysis.models.business_series.origins import MIN_ORIGINS, SeriesPlan, series_plan
from crm_analysis.models.business_series.seasons import SEASONS
from crm_analysis.tables.privacy.suppression import hidden_rows, small

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BusinessForecast:
    """
    What a business is expected to take, and how far that was right before.

    Attributes
    ----------
    period : {"week", "month"}
        Of the series.
    as_of : datetime.date
        The last day known.
    horizon : Horizon
        The days and periods forecast.
    plan : SeriesPlan
        The origins.
    history : pandas.DataFrame
        The series, without the figures of periods about too few customers.
    revenue, orders, active_customers : MeasureForecast
        The forecasts.
    n_hidden : int
        Periods of the history whose figures are left out.
    days_before, days_after : int
        Days left out at either end of the data, because their period is not whole.
    is_season_seen : bool
        Whether the history holds the two years that it takes to tell a season from a trend.
    """

    period: str
    as_of: date
    horizon: Horizon
    plan: SeriesPlan
    history: pd.DataFrame
    revenue: MeasureForecast
    orders: MeasureForecast
    active_customers: MeasureForecast
    n_hidden: int
    days_before: int
    days_after: int
    is_season_seen: bool

    @property
    def measures(self) -> tuple[MeasureForecast, ...]:
        """The three forecasts."""
        return self.revenue, self.orders, self.active_customers

    @property
    def n_hidden_in_holdout(self) -> int:
        """Periods of the hold-out that are not shown; errors on it are not told where there are any."""
        return int(self.history["revenue"].iloc[self.plan.holdout :].isna().sum())

    @property
    def n_hidden_in_trials(self) -> int:
        """Periods of the horizons before the hold-out that are not shown; errors there are not told where there are any."""
        return int(self.history["revenue"].iloc[self.plan.training[0] : self.plan.holdout].isna().sum())


def forecast_business(
    series: BusinessSeries,
    *,
    horizon_days: int | None = None,
    horizon_periods: int | None = None,
    known_before: BusinessSeries | None = None,
    min_cell: int = 1,
) -> BusinessForecast:
    """
    Forecast revenue, orders and active customers of a business.

    Parameters
    ----------
    series : BusinessSeries
        As :func:`~crm_analysis.features.series.business_series` returns it.
    horizon_days : int, optional
        Days after ``as_of``; of a period that lies in it with some of its days, the same share counts in sums.
    horizon_periods : int, optional
        Periods after the last whole one, in place of `horizon_days`.
    known_before : BusinessSeries, optional
        The series as it was known where the hold-out begins, see :func:`holdout_origin`: nothing that cleaning has learnt
        since is then used before the hold-out. Default: `series`, cut there.
    min_cell : int
        Fewest customers that a shown figure is about; 1 for public data.

    Returns
    -------
    BusinessForecast
        Each series with the candidate chosen at origins before the hold-out, judged once on it, and fitted anew with it.

    Raises
    ------
    TooFewRecordsError
        The history is too short for the horizon, or most periods, or all ahead, are about fewer than `min_cell` customers.
    DataQualityError
        A value is missing or infinite.

    Notes
    -----
    Nothing here is random. Months are forecast as rates a day, so that their length does not matter; errors of months are
    those of a month of 30.44 days.
    """
    _check_values(series)
    horizon = horizon_of(series, horizon_days=horizon_days, horizon_periods=horizon_periods)
    season = SEASONS[series.period]
    plan = series_plan(len(series.table), horizon.steps, season=season, period=series.period)
    hidden = hidden_periods(series, n_before=plan.holdout, min_cell=min_cell)
    _check_trials(series, plan, hidden)
    before = _aligned(series, known_before, plan)
    without_before, without_ahead = (
        telling_rules(table, season=season, min_cell=min_cell) for table in (before, series.table)
    )
    with threadpool_limits(limits=1):  # hundreds of tiny fits, which threads only slow down
        told = {
            measure: forecast_measure(
                SeriesTask(measure, series, before, horizon, plan, season, hidden, without_before, without_ahead)
            )
            for measure in MEASURES
        }
    customers_ahead = told["active_customers"].ahead["forecast"]
    if small(customers_ahead, min_cell=min_cell).all():
        raise TooFewRecordsError(
            f"Every {series.period} ahead is forecast to see fewer than {min_cell} customers. Use months, or more customers."
        )
    is_few = hidden_rows(customers_ahead, min_cell=min_cell, disjoint=False)
    shown = {measure: shown_measure(found, plan, hidden=hidden, hidden_ahead=is_few) for measure, found in told.items()}
    return BusinessForecast(
        period=series.period,
        as_of=series.as_of,
        horizon=horizon,
        plan=plan,
        history=shown_history(series, hidden),
        revenue=shown["revenue"],
        orders=shown["orders"],
        active_customers=shown["active_customers"],
        n_hidden=int(hidden.sum()),
        days_before=series.days_before,
        days_after=series.days_after,
        is_season_seen=season.is_seen(plan.n_periods),
    )


def holdout_origin(
    series: BusinessSeries, *, horizon_days: int | None = None, horizon_periods: int | None = None
) -> date:
    """
    Return the last day before the hold-out, whose snapshot :func:`forecast_business` can be given as known before.

    Parameters
    ----------
    series : BusinessSeries
        The series.
    horizon_days, horizon_periods : int, optional
        As for the forecast.

    Returns
    -------
    datetime.date
        The end of a period.

    Raises
    ------
    TooFewRecordsError
        The history is too short for the horizon.
    """
    horizon = horizon_of(series, horizon_days=horizon_days, horizon_periods=horizon_periods)
    plan = series_plan(len(series.table), horizon.steps, season=SEASONS[series.period], period=series.period)
    start: date = series.table.index[plan.holdout].date()
    return start - timedelta(days=1)


def _aligned(series: BusinessSeries, known_before: BusinessSeries | None, plan: SeriesPlan) -> pd.DataFrame:
    """Return what was known where the hold-out begins."""
    cut = series.table.iloc[: plan.holdout]
    if known_before is None:
        return cut
    if not known_before.table.index.equals(cut.index):
        raise ValueError(
            f"known_before must hold the {len(cut)} {series.period}s up to the hold-out, the last from {cut.index[-1]:%Y-%m-%d}; "
            f"got {len(known_before.table)}, the last from {known_before.table.index[-1]:%Y-%m-%d}: take the snapshot of "
            "holdout_origin"
        )
    _check_values(known_before)
    return known_before.table


def _check_trials(series: BusinessSeries, plan: SeriesPlan, hidden: Flags) -> None:
    """Raise where hardly any horizon before the hold-out has a period that may be shown: no range could be learnt."""
    n_shown = sum(not hidden[at : at + plan.steps].all() for at in plan.training)
    if n_shown < MIN_ORIGINS:
        raise TooFewRecordsError(
            f"Of {len(plan.training)} earlier horizons of {plan.steps} {series.period}s, {n_shown} hold one about enough "
            f"customers, and a forecast takes {MIN_ORIGINS}. Use a longer horizon, months, or more customers."
        )


def _check_values(series: BusinessSeries) -> None:
    """Raise where the series has a value that is no number."""
    is_wrong = ~np.isfinite(series.table[list(MEASURES)].to_numpy(dtype=float)).all(axis=1)
    if is_wrong.any():
        first = series.table.index[is_wrong][0]
        raise DataQualityError(
            f"{is_wrong.sum()} of {len(is_wrong)} {series.period}s hold a missing or infinite value, the first from "
            f"{first:%Y-%m-%d}. Make the series with business_series, which leaves no gap."
        )
