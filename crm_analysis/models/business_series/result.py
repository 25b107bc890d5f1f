"""
The forecast of a business in one result: chosen, judged on the hold-out, fitted anew, and summed over the horizon.

The pieces have modules of their own in this folder. Sentences belong in :mod:`crm_analysis.models.business_series.wording`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.series import MEASURES, BusinessSeries
from crm_analysis.models.business_series.bands import LEVELS, SeriesBands, held_at_origins, series_bands
from crm_analysis.models.business_series.candidates import COPIES
from crm_analysis.models.business_series.choice import (
    SeriesChoice,
    choose,
    error_measures,
    forecast_chosen,
    role_of,
)
from crm_analysis.models.business_series.disclosure import (
    has_small_periods,
    hidden_periods,
    shown_history,
    without_rows,
)
from crm_analysis.models.business_series.horizon import Horizon, horizon_of
from crm_analysis.models.business_series.origins import SeriesPlan, series_plan
from crm_analysis.models.business_series.seasons import SEASONS, Season
from crm_analysis.tables.privacy.suppression import small

BAND_COLUMNS = tuple(f"{side}_{level * 100:.0f}" for level in LEVELS for side in ("low", "high"))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeriesTotal:
    """
    A sum over the horizon.

    Attributes
    ----------
    forecast : float
        Expected.
    intervals : dict
        By level, low and high.
    """

    forecast: float
    intervals: dict[float, tuple[float, float]]


@dataclass(frozen=True)
class MeasureForecast:
    """
    One series of a business, forecast.

    Attributes
    ----------
    measure : str
        ``revenue``, ``orders`` or ``active_customers``.
    choice : SeriesChoice
        The comparison before the hold-out.
    errors : pandas.DataFrame
        Index ``model``; ``role`` and the errors of all candidates on the hold-out.
    holdout : pandas.DataFrame
        Index ``period_start``; ``actual``, ``forecast``, ``naive`` and the limits of the 80 and 90 % intervals.
    ahead : pandas.DataFrame
        Index ``period_start``; ``days``, ``days_in_horizon``, ``forecast`` of the whole period and the limits.
    coverage : pandas.DataFrame
        Index ``judged_on`` (hold-out, earlier origins); ``n_points``, ``coverage_80``, ``coverage_90``.
    total : SeriesTotal
        Over the days of the horizon (of active customers: summed over periods, which counts a customer in each).
    stands_in : str
        Where the best naive rule stands in for the chosen candidate, which could not be fitted: ``before the hold-out``,
        ``with the hold-out``; empty: nowhere.
    """

    measure: str
    choice: SeriesChoice
    errors: pd.DataFrame
    holdout: pd.DataFrame
    ahead: pd.DataFrame
    coverage: pd.DataFrame
    total: SeriesTotal
    stands_in: str


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
        The history is too short for the horizon, or most periods are about fewer than `min_cell` customers.
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
    before = _aligned(series, known_before, plan)
    without = COPIES if has_small_periods(series, min_cell=min_cell) else ()
    with threadpool_limits(limits=1):  # hundreds of tiny fits, which threads only slow down
        told = {
            measure: _forecast_measure(_Task(measure, series, before, horizon, plan, season, without))
            for measure in MEASURES
        }
    is_few = small(told["active_customers"].ahead["forecast"], min_cell=min_cell)
    shown = {
        measure: replace(
            found,
            holdout=without_rows(found.holdout, hidden[plan.holdout :], ["actual", "forecast", "naive", *BAND_COLUMNS]),
            ahead=without_rows(found.ahead, is_few, ["forecast", *BAND_COLUMNS]),
        )
        for measure, found in told.items()
    }
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
    """
    horizon = horizon_of(series, horizon_days=horizon_days, horizon_periods=horizon_periods)
    if horizon.steps >= len(series.table):
        raise TooFewRecordsError(
            f"The history holds {len(series.table)} whole {series.period}s, and the hold-out would take {horizon.steps}. "
            "Use a shorter horizon, or data that reach further back."
        )
    start: date = series.table.index[-horizon.steps].date()
    return start - timedelta(days=1)


@dataclass(frozen=True)
class _Task:
    """One series to be forecast."""

    measure: str
    series: BusinessSeries
    before: pd.DataFrame
    horizon: Horizon
    plan: SeriesPlan
    season: Season
    without: tuple[str, ...]

    def lengths(self, days: pd.Series) -> Floats:
        """Return periods in units of a mean one; how many come does not depend on it."""
        if self.measure == "active_customers":
            return np.ones(len(days))
        return np.asarray(days / self.horizon.mean_days, dtype=float)

    def rates(self, table: pd.DataFrame) -> Floats:
        """Return the values as those of periods of mean length."""
        return np.asarray(table[self.measure].to_numpy(dtype=float) / self.lengths(table["days"]), dtype=float)


def _forecast_measure(task: _Task) -> MeasureForecast:
    """Choose, judge on the hold-out, fit anew."""
    plan, season = task.plan, task.season
    before, whole = task.rates(task.before), task.rates(task.series.table)
    choice = choose(before, plan, season=season, without=task.without)
    held_out = task.series.table.iloc[plan.holdout :]
    ones, lengths = np.ones(plan.steps), task.lengths(held_out["days"])
    forecasts = {
        name: forecast_chosen(choice, name, before, plan.steps, season=season) for name in choice.backtest.index
    }
    forecast, is_own = forecasts[choice.model]
    earlier = choice.errors[choice.model]
    bands = series_bands(earlier, plan.training, ones)
    holdout = pd.DataFrame({"actual": whole[plan.holdout :] * lengths, "forecast": forecast * lengths}, held_out.index)
    holdout["naive"] = forecasts[choice.naive][0] * lengths
    holdout = _with_bands(holdout, bands, lengths, floor=_floor(before))
    ahead, total, is_own_ahead = _ahead(task, choice, whole)
    return MeasureForecast(
        measure=task.measure,
        choice=choice,
        errors=_holdout_errors(whole[plan.holdout :], forecasts, choice, before),
        holdout=holdout,
        ahead=ahead,
        coverage=_coverage(holdout, earlier, plan),
        total=total,
        stands_in="" if is_own and is_own_ahead else "with the hold-out" if is_own else "before the hold-out",
    )


def _ahead(task: _Task, choice: SeriesChoice, whole: Floats) -> tuple[pd.DataFrame, SeriesTotal, bool]:
    """Return the forecast of each period and of the horizon, with intervals from the origins up to the hold-out's."""
    plan, periods = task.plan, task.horizon.periods
    lengths = task.lengths(periods["days"])
    weights = lengths * (periods["days_in_horizon"] / periods["days"]).to_numpy(dtype=float)
    later = [forecast_chosen(choice, choice.model, whole[:at], plan.steps, season=task.season)[0] for at in plan.later]
    came = [whole[at : at + plan.steps] for at in plan.later]
    errors = np.vstack([choice.errors[choice.model], np.array(came) - np.array(later)])
    bands = series_bands(errors, (*plan.training, *plan.later), weights)
    forecast, is_own = forecast_chosen(choice, choice.model, whole, plan.steps, season=task.season)
    floor = _floor(whole)
    ahead = _with_bands(periods.assign(forecast=forecast * lengths), bands, lengths, floor=floor)
    total = float((forecast * weights).sum())
    intervals = {
        level: (max(total - bands.total_half_width(level), floor), total + bands.total_half_width(level))
        for level in LEVELS
    }
    return ahead, SeriesTotal(forecast=total, intervals=intervals), is_own


def _floor(history: Floats) -> float:
    """Return what limits must not fall below: a series never below 0 so far is not forecast below."""
    return 0.0 if history.min() >= 0 else -np.inf


def _with_bands(table: pd.DataFrame, bands: SeriesBands, lengths: Floats, *, floor: float) -> pd.DataFrame:
    """Return the table with the limits of each level around its forecast."""
    limits: dict[str, Floats] = {}
    for level in LEVELS:
        half, name = bands.half_widths(level) * lengths, f"{level * 100:.0f}"
        limits[f"low_{name}"] = np.maximum(table["forecast"].to_numpy() - half, floor)
        limits[f"high_{name}"] = table["forecast"].to_numpy() + half
    return table.assign(**limits)


def _holdout_errors(
    actual: Floats, forecasts: dict[str, tuple[Floats, bool]], choice: SeriesChoice, before: Floats
) -> pd.DataFrame:
    """Return the errors of all candidates on the hold-out."""
    rows = [
        {"model": name, "role": role_of(name, choice.model, choice.naive)}
        | error_measures(actual[None], forecast[None], before)
        for name, (forecast, _) in forecasts.items()
    ]
    return pd.DataFrame(rows).set_index("model")


def _coverage(holdout: pd.DataFrame, errors: Floats, plan: SeriesPlan) -> pd.DataFrame:
    """Return how often intervals held on the hold-out, and at earlier origins learnt from each other."""
    rows = {"hold-out": {"n_points": len(holdout)}, "earlier origins": {"n_points": errors.size}}
    shares: dict[str, dict[str, float]] = {name: {} for name in rows}
    for level in LEVELS:
        name = f"{level * 100:.0f}"
        held = holdout["actual"].between(holdout[f"low_{name}"], holdout[f"high_{name}"])
        shares["hold-out"][f"coverage_{name}"] = float(held.mean())
        shares["earlier origins"][f"coverage_{name}"] = held_at_origins(errors, plan.training, level)
    return (
        pd.DataFrame.from_dict(rows, orient="index")
        .join(pd.DataFrame.from_dict(shares, orient="index"))
        .rename_axis("judged_on")
    )


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


def _check_values(series: BusinessSeries) -> None:
    """Raise where the series has a value that is no number."""
    is_wrong = ~np.isfinite(series.table[list(MEASURES)].to_numpy(dtype=float)).all(axis=1)
    if is_wrong.any():
        first = series.table.index[is_wrong][0]
        raise DataQualityError(
            f"{is_wrong.sum()} of {len(is_wrong)} {series.period}s hold a missing or infinite value, the first from "
            f"{first:%Y-%m-%d}. Make the series with business_series, which leaves no gap."
        )
