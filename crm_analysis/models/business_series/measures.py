"""
One series of a business, forecast: chosen, judged on the hold-out, fitted anew, and summed over the horizon.

The three series in one result are in :mod:`crm_analysis.models.business_series.result`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.features.series import BusinessSeries
from crm_analysis.models.business_series.bands import LEVELS, SeriesBands, held_at_origins, series_bands
from crm_analysis.models.business_series.choice import (
    ERRORS,
    SeriesChoice,
    choose,
    error_measures,
    forecast_chosen,
    role_of,
)
from crm_analysis.models.business_series.disclosure import masked_errors, without_rows
from crm_analysis.models.business_series.horizon import Horizon
from crm_analysis.models.business_series.origins import SeriesPlan
from crm_analysis.models.business_series.seasons import Season

BAND_COLUMNS = tuple(f"{side}_{level * 100:.0f}" for level in LEVELS for side in ("low", "high"))

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


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
        The comparison before the hold-out; its errors are missing where periods of its horizons are hidden.
    errors : pandas.DataFrame
        Index ``model``; ``role`` and the errors of all candidates on the hold-out; missing where any of its periods is hidden.
    holdout : pandas.DataFrame
        Index ``period_start``; ``actual``, ``forecast``, ``naive`` and the limits of the 80 and 90 % intervals.
    ahead : pandas.DataFrame
        Index ``period_start``; ``days``, ``days_in_horizon``, ``forecast`` of the whole period and the limits.
    coverage : pandas.DataFrame
        Index ``judged_on`` (hold-out, earlier origins); ``n_points``, ``coverage_80``, ``coverage_90``, missing likewise.
    total : SeriesTotal
        Over the days of the horizon (of active customers: summed over periods, which counts a customer in each).
    ahead_model : str
        The candidate that forecasts ahead: the chosen one, unless it would tell of few customers; then the best that does not.
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
    ahead_model: str
    stands_in: str


@dataclass(frozen=True)
class SeriesTask:
    """
    One series to be forecast.

    Attributes
    ----------
    measure : str
        ``revenue``, ``orders`` or ``active_customers``.
    series : BusinessSeries
        All that is known.
    before : pandas.DataFrame
        What was known where the hold-out begins.
    horizon : Horizon
        The days and periods ahead.
    plan : SeriesPlan
        The origins.
    season : Season
        How many periods a year has.
    hidden : numpy.ndarray of bool
        Periods of the series that are not shown: their errors widen no interval.
    without_before, without_ahead : tuple of str
        Rules that would tell of too few customers, before the hold-out and with it.
    """

    measure: str
    series: BusinessSeries
    before: pd.DataFrame
    horizon: Horizon
    plan: SeriesPlan
    season: Season
    hidden: Flags
    without_before: tuple[str, ...]
    without_ahead: tuple[str, ...]

    def lengths(self, days: pd.Series) -> Floats:
        """
        Return periods in units of a mean one.

        Parameters
        ----------
        days : pandas.Series
            In each.

        Returns
        -------
        numpy.ndarray of float
            Ones for active customers, whose number does not grow with the days.
        """
        if self.measure == "active_customers":
            return np.ones(len(days))
        return np.asarray(days / self.horizon.mean_days, dtype=float)

    def rates(self, table: pd.DataFrame) -> Floats:
        """
        Return the values as those of periods of mean length.

        Parameters
        ----------
        table : pandas.DataFrame
            Periods with ``days`` and the measure.

        Returns
        -------
        numpy.ndarray of float
            One a period.
        """
        return np.asarray(table[self.measure].to_numpy(dtype=float) / self.lengths(table["days"]), dtype=float)


def forecast_measure(task: SeriesTask) -> MeasureForecast:
    """
    Choose, judge on the hold-out, fit anew.

    Parameters
    ----------
    task : SeriesTask
        The series.

    Returns
    -------
    MeasureForecast
        All periods; :func:`shown_measure` takes out what must not be shown.
    """
    plan, season = task.plan, task.season
    before, whole = task.rates(task.before), task.rates(task.series.table)
    choice = choose(before, plan, season=season, without=task.without_before)
    held_out = task.series.table.iloc[plan.holdout :]
    ones, lengths = np.ones(plan.steps), task.lengths(held_out["days"])
    forecasts = {
        name: forecast_chosen(choice, name, before, plan.steps, season=season) for name in choice.backtest.index
    }
    forecast, is_own = forecasts[choice.model]
    earlier = choice.errors[choice.model]
    bands = series_bands(masked_errors(earlier, plan.training, task.hidden), plan.training, ones)
    holdout = pd.DataFrame({"actual": whole[plan.holdout :] * lengths, "forecast": forecast * lengths}, held_out.index)
    holdout["naive"] = forecasts[choice.naive][0] * lengths
    holdout = _with_bands(holdout, bands, lengths, floor=_floor(before))
    choice_ahead = _choice_ahead(task, choice)
    ahead, total, is_own_ahead = _ahead(task, choice_ahead, whole)
    return MeasureForecast(
        measure=task.measure,
        choice=choice,
        errors=_holdout_errors(whole[plan.holdout :], forecasts, choice, before),
        holdout=holdout,
        ahead=ahead,
        coverage=_coverage(holdout, earlier, plan),
        total=total,
        ahead_model=choice_ahead.model,
        stands_in="" if is_own and is_own_ahead else "with the hold-out" if is_own else "before the hold-out",
    )


def shown_measure(found: MeasureForecast, plan: SeriesPlan, *, hidden: Flags, hidden_ahead: Flags) -> MeasureForecast:
    """
    Return a forecast without what tells of periods about too few customers.

    Parameters
    ----------
    found : MeasureForecast
        All periods.
    plan : SeriesPlan
        The origins.
    hidden : numpy.ndarray of bool
        By period of the series.
    hidden_ahead : numpy.ndarray of bool
        By period ahead.

    Returns
    -------
    MeasureForecast
        Errors are about all periods of a hold-out or of the horizons before it, so that one hidden period takes all of them.
    """
    errors, backtest, coverage = found.errors, found.choice.backtest, found.coverage.copy()
    shares = [f"coverage_{level * 100:.0f}" for level in LEVELS]
    if hidden[plan.holdout :].any():
        errors = errors.assign(**dict.fromkeys(ERRORS, np.nan))
        coverage.loc["hold-out", shares] = np.nan
    if hidden[plan.training[0] : plan.holdout].any():
        backtest = backtest.assign(**dict.fromkeys(ERRORS, np.nan))
        coverage.loc["earlier origins", shares] = np.nan
    told = {name: masked_errors(each, plan.training, hidden) for name, each in found.choice.errors.items()}
    return replace(
        found,
        choice=replace(found.choice, backtest=backtest, errors=told),
        errors=errors,
        coverage=coverage,
        holdout=without_rows(found.holdout, hidden[plan.holdout :], ["actual", "forecast", "naive", *BAND_COLUMNS]),
        ahead=without_rows(found.ahead, hidden_ahead, ["forecast", *BAND_COLUMNS]),
    )


def _choice_ahead(task: SeriesTask, choice: SeriesChoice) -> SeriesChoice:
    """Return the choice for what lies ahead: made anew, by what was known before, where it would tell of few customers."""
    if not {*choice.members(choice.model), choice.naive} & set(task.without_ahead):
        return choice
    without = (*task.without_before, *task.without_ahead)
    return choose(task.rates(task.before), task.plan, season=task.season, without=without)


def _ahead(task: SeriesTask, choice: SeriesChoice, whole: Floats) -> tuple[pd.DataFrame, SeriesTotal, bool]:
    """Return the forecast of each period and of the horizon, with intervals from the origins up to the hold-out's."""
    plan, periods = task.plan, task.horizon.periods
    lengths = task.lengths(periods["days"])
    weights = lengths * (periods["days_in_horizon"] / periods["days"]).to_numpy(dtype=float)
    later = [forecast_chosen(choice, choice.model, whole[:at], plan.steps, season=task.season)[0] for at in plan.later]
    came = [whole[at : at + plan.steps] for at in plan.later]
    errors = np.vstack([choice.errors[choice.model], np.array(came) - np.array(later)])
    origins = (*plan.training, *plan.later)
    bands = series_bands(masked_errors(errors, origins, task.hidden), origins, weights)
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
