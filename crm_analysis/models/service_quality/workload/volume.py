"""
How many cases a day are expected, by the rule that did best before, and how far that was right.

The rules are in :mod:`crm_analysis.models.service_quality.workload.rules`. By the hour:
:mod:`crm_analysis.models.service_quality.workload.hours`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import nbinom, poisson

from crm_analysis.models.evaluation import bias, mae, rmse
from crm_analysis.models.service_quality.workload.rules import (
    RECENT_DAYS,
    RECENT_LEVEL,
    RULES,
    SAME_WEEKDAY,
    WEEKDAY_MEAN,
    WEEKDAY_SO_FAR,
    forecast_by,
    least_history,
)

LEVEL = 0.9
FIRST_ORIGINS = (56, 28)  # the later one where it leaves enough origins
DAYS_BETWEEN_ORIGINS = 7
MOST_ORIGINS = 26
FEWEST_ORIGINS = 2
SURELY_POISSON = 1e-9
MOST_LEFT_OUT = 0.25

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Volume:
    """
    Cases a day, forecast and judged.

    Attributes
    ----------
    rule : str
        The one with the lowest RMSE at earlier origins; the simpler of equals.
    naive : str
        The rule it is held against.
    n_origins : int
        Earlier origins at which rules were compared; 0 where the history is too short to compare or to judge.
    trials : pandas.DataFrame
        Index ``rule``; ``rmse`` and ``mae`` of daily counts at these origins.
    holdout : pandas.DataFrame
        Index ``day``, the last days known: ``actual``, ``forecast``, ``naive``, ``low_90``, ``high_90``.
    errors : pandas.DataFrame
        Index ``forecast`` and ``naive``: ``rmse``, ``mae``, ``bias`` on the hold-out; missing where they may not be told.
    n_judged : int
        Days of the hold-out on which they rest: all, or those shown where the others are few and could be told.
    days_held : int
        Of these, days within the 90 % range.
    ahead : pandas.DataFrame
        Index ``day``: ``forecast``, ``low_90``, ``high_90``.
    total, total_low, total_high : float
        Cases in all days ahead, with a 90 % range.
    overdispersion : float
        Squared coefficient of variation of the daily rate, beyond what chance gives to counts; 0 is a Poisson count.
    """

    rule: str
    naive: str
    n_origins: int
    trials: pd.DataFrame
    holdout: pd.DataFrame
    errors: pd.DataFrame
    n_judged: int
    days_held: int
    ahead: pd.DataFrame
    total: float
    total_low: float
    total_high: float
    overdispersion: float

    @property
    def naive_wins(self) -> bool:
        """Whether the naive rule had the lower RMSE on the hold-out."""
        return bool(self.n_origins and self.errors["rmse"]["naive"] < self.errors["rmse"]["forecast"])


def daily_volume(
    counts: pd.Series,
    *,
    horizon_days: int,
    days_uncovered: int = 0,
    hidden: Collection[pd.Timestamp] = (),
    is_sum_told: bool = False,
) -> Volume:
    """
    Forecast cases a day.

    Parameters
    ----------
    counts : pandas.Series of float
        Cases a day, without gaps; index ``day``.
    horizon_days : int
        Days ahead, after those uncovered.
    days_uncovered : int
        Days between the last count and the first day ahead.
    hidden : collection of pandas.Timestamp
        Days whose count must not be told: no rule that repeats one of few days is used, and no error there is told.
    is_sum_told : bool
        Whether errors over all days of the hold-out may be told: its hidden days are together about enough customers, and so
        many that none can be told from such errors. Else they rest on the days shown, where few are hidden.

    Returns
    -------
    Volume
        The rule is chosen at origins before the hold-out, which is the last `horizon_days`, looked at once; then it is fitted
        anew with the hold-out.

    Notes
    -----
    Ranges are quantiles of a negative binomial count, whose dispersion is that of the rule's errors at all its origins:
    what a level set wrongly adds is in it.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy", for rolling origins.
    """
    start = len(counts) - horizon_days
    allowed = _allowed(counts, start, hidden)
    origins = _origins(start, horizon_days)
    competing = [rule for rule in allowed if origins and least_history(rule) <= origins[0]]
    if len(origins) < FEWEST_ORIGINS or not competing:
        return _unjudged(counts, horizon_days, days_uncovered, allowed)
    tried = {rule: _trial(rule, counts, origins, horizon_days) for rule in competing}
    actual = _actual(counts, origins, horizon_days)
    trials = pd.DataFrame(
        {"rmse": {rule: rmse(actual.ravel(), tried[rule].ravel()) for rule in competing}}
        | {"mae": {rule: mae(actual.ravel(), tried[rule].ravel()) for rule in competing}}
    ).rename_axis("rule")
    rule = str(trials["rmse"].round(9).idxmin())
    naive = allowed[0]
    spread = overdispersion(actual, tried[rule])
    holdout = _holdout(counts, start, rule, naive, spread, hidden)
    judged = _judged(holdout, counts, is_sum_told=is_sum_told)
    later = _origins(len(counts), horizon_days)
    truth, found = _actual(counts, later, horizon_days), _trial(rule, counts, later, horizon_days)
    return _ahead(
        counts, rule, horizon_days, days_uncovered, truth, found,
        naive=naive, n_origins=len(origins), trials=trials, holdout=holdout, judged=judged,
    )  # fmt: skip


def overdispersion(actual: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """
    Return how much more counts vary around what was expected than by chance alone.

    Parameters
    ----------
    actual, expected : array-like of float
        Counts and their means, of one shape.

    Returns
    -------
    float
        ``a`` in ``variance = mean + a mean²``, by moments; 0 where counts vary no more than Poisson counts.

    Examples
    --------
    >>> overdispersion([0, 20], [10, 10])
    0.9
    """
    y, mean = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    weight = float((mean**2).sum())
    return max(0.0, float(((y - mean) ** 2 - mean).sum()) / weight) if weight else 0.0


def count_range(expected: npt.ArrayLike, spread: float, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """
    Return ranges of counts around their means.

    Parameters
    ----------
    expected : array-like of float
        Means.
    spread : float
        As :func:`overdispersion` gives it.
    level : float
        Share of the counts within, at least.

    Returns
    -------
    low, high : numpy.ndarray of float
        Whole numbers.

    Examples
    --------
    >>> low, high = count_range([0.0, 10.0], 0.0)
    >>> low.tolist(), high.tolist()
    ([0.0, 5.0], [0.0, 15.0])
    """
    mean = np.asarray(expected, dtype=float)
    ends = np.zeros((2, *mean.shape))
    some = mean > 0
    for row, share in enumerate(((1 - level) / 2, (1 + level) / 2)):
        if spread > SURELY_POISSON:
            ends[row, some] = nbinom.ppf(share, 1 / spread, 1 / (1 + spread * mean[some]))
        else:
            ends[row, some] = poisson.ppf(share, mean[some])
    return ends[0], ends[1]


def _allowed(counts: pd.Series, start: int, hidden: Collection[pd.Timestamp]) -> list[str]:
    """Return rules in order, without those that would tell the count of a hidden day."""
    recent = {*counts.index[-RECENT_DAYS:], *counts.index[max(start - RECENT_DAYS, 0) : max(start, 0)]}
    telling = {SAME_WEEKDAY, WEEKDAY_MEAN, RECENT_LEVEL} if recent.intersection(hidden) else set()
    return [rule for rule in RULES if rule not in telling]


def _origins(end: int, steps: int) -> list[int]:
    """Return how many days are known at each origin, ascending: a week apart, the last horizon ends with the days given."""
    for first in FIRST_ORIGINS:
        origins = list(range(end - steps, first - 1, -DAYS_BETWEEN_ORIGINS))[:MOST_ORIGINS][::-1]
        if len(origins) >= FEWEST_ORIGINS:
            break
    return origins


def _trial(rule: str, counts: pd.Series, origins: list[int], steps: int) -> Floats:
    return np.array([forecast_by(rule, counts.iloc[:origin], steps) for origin in origins])


def _actual(counts: pd.Series, origins: list[int], steps: int) -> Floats:
    values = counts.to_numpy(dtype=float)
    return np.array([values[origin : origin + steps] for origin in origins])


def _holdout(
    counts: pd.Series, start: int, rule: str, naive: str, spread: float, hidden: Collection[pd.Timestamp]
) -> pd.DataFrame:
    """Forecast the last days from those before; what is hidden of what came is missing."""
    came = counts.iloc[start:]
    forecast = forecast_by(rule, counts.iloc[:start], len(came))
    low, high = count_range(forecast, spread)
    table = pd.DataFrame({"actual": came, "forecast": forecast}, index=came.index)
    table["naive"] = forecast_by(naive, counts.iloc[:start], len(came))
    table["actual"] = table["actual"].mask(table.index.isin(list(hidden)))
    return table.assign(low_90=low, high_90=high)


def _judged(holdout: pd.DataFrame, counts: pd.Series, *, is_sum_told: bool) -> pd.DataFrame:
    """Return the days of the hold-out to measure errors on: all, those shown where nearly all are, or none."""
    if is_sum_told:
        return holdout.assign(actual=counts[holdout.index])
    shown = holdout.dropna(subset=["actual"])
    return shown if len(holdout) - len(shown) <= MOST_LEFT_OUT * len(holdout) else shown.iloc[:0]


def _errors(shown: pd.DataFrame) -> pd.DataFrame:
    """Measure both forecasts on some days."""
    measures = {"rmse": rmse, "mae": mae, "bias": bias}
    return pd.DataFrame(
        {
            name: {of: measure(shown["actual"], shown[of]) if len(shown) else math.nan for of in ("forecast", "naive")}
            for name, measure in measures.items()
        }
    )


def _unjudged(counts: pd.Series, horizon_days: int, days_uncovered: int, allowed: list[str]) -> Volume:
    """Forecast by the mean of the latest weekdays, where the history is too short to try anything."""
    rule = WEEKDAY_MEAN if WEEKDAY_MEAN in allowed else WEEKDAY_SO_FAR
    names = ["actual", "forecast", "naive", "low_90", "high_90"]
    nothing = pd.DataFrame(columns=names, index=counts.index[:0], dtype=float)
    return _ahead(
        counts, rule, horizon_days, days_uncovered, *_within(counts),
        naive=rule, n_origins=0, trials=pd.DataFrame(columns=["rmse", "mae"], dtype=float).rename_axis("rule"),
        holdout=nothing, judged=nothing,
    )  # fmt: skip


def _within(counts: pd.Series) -> tuple[Floats, Floats]:
    """Return counts and means of their weekdays, for a spread that only looks back."""
    means = counts.groupby(pd.DatetimeIndex(counts.index).day_of_week).transform("mean")
    return counts.to_numpy(dtype=float)[None, :], means.to_numpy(dtype=float)[None, :]


def _ahead(
    counts: pd.Series, rule: str, horizon_days: int, uncovered: int, truth: Floats, found: Floats, *,
    naive: str, n_origins: int, trials: pd.DataFrame, holdout: pd.DataFrame, judged: pd.DataFrame,
) -> Volume:  # fmt: skip
    """Fit anew with all that is known, and forecast what lies ahead."""
    spread = overdispersion(truth, found)
    days = pd.date_range(counts.index[-1] + pd.Timedelta(days=1 + uncovered), periods=horizon_days, name="day")
    forecast = forecast_by(rule, counts, uncovered + horizon_days)[uncovered:]
    low, high = count_range(forecast, spread)
    total_spread = spread * float((forecast**2).sum()) / max(float(forecast.sum()) ** 2, 1e-9)  # of days by themselves
    if n_origins:  # days that are too high together add to it
        total_spread = max(total_spread, overdispersion(truth.sum(axis=1), found.sum(axis=1)))
    total_low, total_high = count_range([forecast.sum()], total_spread)
    return Volume(
        rule=rule, naive=naive, n_origins=n_origins, trials=trials, holdout=holdout, errors=_errors(judged),
        n_judged=len(judged), days_held=int(judged["actual"].between(judged["low_90"], judged["high_90"]).sum()),
        ahead=pd.DataFrame({"forecast": forecast, "low_90": low, "high_90": high}, index=days),
        total=float(forecast.sum()), total_low=float(total_low[0]), total_high=float(total_high[0]),
        overdispersion=spread,
    )  # fmt: skip
