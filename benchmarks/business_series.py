"""
Forecasts of a business: how often intervals hold what comes for series of known kinds, and how two shops were forecast.

The candidate is chosen anew for each series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crm_analysis.features.series import business_series
from crm_analysis.models.business_series import MeasureForecast, forecast_business, holdout_origin
from crm_analysis.models.business_series.bands import LEVELS, series_bands
from crm_analysis.models.business_series.candidates import ARIMA, ETS
from crm_analysis.models.business_series.choice import choose, forecast_chosen
from crm_analysis.models.business_series.origins import series_plan
from crm_analysis.models.business_series.seasons import SEASONS
from crm_analysis.tables.datasets import open_dataset

Floats = NDArray[np.float64]

SEED = 77
SHAPES = ((52, 13), (78, 13), (24, 4), (104, 8))  # weeks known, weeks ahead
SLOW = (ETS, ARIMA)
SHOPS = (("complete_journey", date(2017, 12, 31)), ("cdnow", date(1998, 6, 30)))
SHOP_DAYS = 90


def persistent(rng: np.random.Generator, n: int) -> Floats:
    """Draw values that hang together from week to week."""
    values = np.zeros(n)
    for week in range(1, n):
        values[week] = 0.6 * values[week - 1] + rng.normal()
    return 100 + 5 * values


WORLDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "level": lambda rng, n: 100 + 5 * rng.normal(size=n),
    "persistent": persistent,
    "random walk": lambda rng, n: 100 + np.cumsum(2 * rng.normal(size=n)),
    "trend": lambda rng, n: 100 + 0.5 * np.arange(n) + 5 * rng.normal(size=n),
    "moving level": lambda rng, n: 100 + np.cumsum(rng.normal(size=n)) + 4 * rng.normal(size=n),
    "heavy tails": lambda rng, n: 100 + 4 * rng.standard_t(3, n),
}


def held(world: str, *, n_weeks: int, steps: int, n_series: int, without: tuple[str, ...] = SLOW) -> dict[str, float]:
    """Return the share of periods ahead, and of sums, inside their intervals."""
    season, rng = SEASONS["week"], np.random.default_rng(SEED)
    plan, weights = series_plan(n_weeks, steps, season=season, period="week"), np.ones(steps)
    shares: dict[str, list[float]] = {f"{what} {level:.0%}": [] for level in LEVELS for what in ("periods", "sums")}
    for _ in range(n_series):
        series = WORLDS[world](rng, n_weeks + steps)
        choice = choose(series[: plan.holdout], plan, season=season, without=without)
        forecasts = [
            forecast_chosen(choice, choice.model, series[:at], steps, season=season)[0] for at in (*plan.later, n_weeks)
        ]
        errors = np.array(
            [series[at : at + steps] - ahead for at, ahead in zip((*plan.later, n_weeks), forecasts, strict=True)]
        )
        bands = series_bands(
            np.vstack([choice.errors[choice.model], errors[:-1]]), (*plan.training, *plan.later), weights
        )
        for level in LEVELS:
            shares[f"periods {level:.0%}"].append(float((np.abs(errors[-1]) <= bands.half_widths(level)).mean()))
            shares[f"sums {level:.0%}"].append(float(abs(errors[-1].sum()) <= bands.total_half_width(level)))
    return {name: float(np.mean(values)) for name, values in shares.items()}


def figures(n_series: int = 100) -> Iterator[tuple[str, ...]]:
    """Yield the table: shares held by kind of series and length; without the slow candidates, to be done in minutes."""
    yield ("weeks", "ahead", "series", *(f"{what} {level:.0%}" for level in LEVELS for what in ("periods", "sums")))
    with threadpool_limits(limits=1):
        for n_weeks, steps in SHAPES:
            for world in WORLDS:
                shares = held(world, n_weeks=n_weeks, steps=steps, n_series=n_series)
                yield (str(n_weeks), str(steps), world, *(f"{share:.0%}" for share in shares.values()))


def shops() -> Iterator[tuple[str, ...]]:
    """Yield the table of real shops by week, all candidates competing: errors on the hold-out, the last 90 days, beside naive."""
    yield (
        *("shop", "series", "chosen", "best naive", "RMSE on the hold-out", "naive's", "saved"),
        *("sum", "naive's sum", "held 90 %: hold-out", "earlier origins"),
    )
    for name, as_of in SHOPS:
        dataset = open_dataset(name)
        series = business_series(dataset.known(as_of))
        before = business_series(dataset.known(holdout_origin(series, horizon_days=SHOP_DAYS)))
        found = forecast_business(series, horizon_days=SHOP_DAYS, known_before=before, min_cell=dataset.min_cell)
        for told in found.measures:
            yield (name, told.measure, *_shop_row(told))


def _shop_row(told: MeasureForecast) -> tuple[str, ...]:
    """Return what is told of one series."""
    choice, sums = told.choice, told.holdout[["actual", "forecast", "naive"]].sum()
    error, naive_error = (float(told.errors.loc[model, "rmse"]) for model in (choice.model, choice.naive))
    members = f" ({' + '.join(choice.parts)})" if choice.parts and choice.model not in choice.parts else ""
    return (
        choice.model + members,
        choice.naive,
        f"{error:,.1f}",
        f"{naive_error:,.1f}",
        f"{1 - error / naive_error:+.1%}",
        f"{sums['forecast'] / sums['actual'] - 1:+.1%}",
        f"{sums['naive'] / sums['actual'] - 1:+.1%}",
        *(f"{share:.0%}" for share in told.coverage["coverage_90"]),
    )
