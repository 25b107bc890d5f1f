"""
Which candidate forecasts a series best, asked at several origins before the hold-out.

The candidates are in :mod:`crm_analysis.models.business_series.candidates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.business_series.candidates import (
    COMBINATION,
    MODELS,
    NAIVE_RULES,
    Forecast,
    forecast_by,
    least_history,
)
from crm_analysis.models.business_series.origins import SeriesPlan
from crm_analysis.models.business_series.seasons import Season
from crm_analysis.models.business_series.statespace import NoFitError
from crm_analysis.models.evaluation import bias, wape

ERRORS = ("rmse", "mae", "wape", "bias", "mase")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeriesChoice:
    """
    What the comparison before the hold-out came to.

    Attributes
    ----------
    model : str
        The candidate with the lowest RMSE, averaged over the training origins; equal ones: the simpler.
    naive : str
        The best of the naive rules, by the same.
    parts : tuple of str
        The two best candidates; where at least one is a model, their mean is the combination.
    settings : str
        What the chosen one chose by itself at the latest origin; for the combination, its parts.
    backtest : pandas.DataFrame
        Index ``model``, naive rules first; ``role``, ``settings`` and the columns of :data:`ERRORS`.
    errors : dict
        By candidate, what came less what was forecast: shape (n_origins, steps).
    dropped : dict
        By candidate that could not compete: why.
    """

    model: str
    naive: str
    parts: tuple[str, ...]
    settings: str
    backtest: pd.DataFrame
    errors: Mapping[str, Floats]
    dropped: Mapping[str, str]

    @property
    def beats_naive(self) -> bool:
        """Whether a model was chosen rather than a naive rule."""
        return self.model not in NAIVE_RULES

    def members(self, name: str) -> tuple[str, ...]:
        """
        Return the candidates that a forecast is made of.

        Parameters
        ----------
        name : str
            Of the candidate.

        Returns
        -------
        tuple of str
            The parts of the combination; else the candidate itself.
        """
        return self.parts if name == COMBINATION else (name,)


def choose(history: Floats, plan: SeriesPlan, *, season: Season, without: Sequence[str] = ()) -> SeriesChoice:
    """
    Compare all candidates at the training origins of a plan.

    Parameters
    ----------
    history : numpy.ndarray of float, shape (plan.holdout,)
        What was known where the hold-out begins, oldest first.
    plan : SeriesPlan
        The origins.
    season : Season
        How many periods a year has.
    without : sequence of str
        Candidates that must not compete.

    Returns
    -------
    SeriesChoice
        The best, and how all of them did.

    Notes
    -----
    A candidate competes only where it can forecast from every origin, so that all are judged on the same periods. The mean of
    the two best competes where one of them is a model. MASE is the MAE over the mean change from one period to the next before the hold-out.

    References
    ----------
    Hyndman, Koehler (2006), "Another Look at Measures of Forecast Accuracy". Bates, Granger (1969), "The Combination of
    Forecasts".
    """
    forecasts, dropped = _all_forecasts(history, plan, season, without)
    actual = np.array([history[at : at + plan.steps] for at in plan.training])
    expected = {name: np.array([forecast.ahead for forecast in rows]) for name, rows in forecasts.items()}
    parts = tuple(sorted(expected, key=lambda name: _score(actual, expected[name], history))[:2])
    if len(parts) == 2 and set(parts) & set(MODELS):  # else it would be one more naive rule
        expected[COMBINATION] = (expected[parts[0]] + expected[parts[1]]) / 2
    scores = {name: _score(actual, values, history) for name, values in expected.items()}
    model = min(scores, key=lambda name: scores[name])
    naive = min((name for name in scores if name in NAIVE_RULES), key=lambda name: scores[name])
    settings = {name: rows[-1].settings for name, rows in forecasts.items()} | {COMBINATION: " + ".join(parts)}
    errors = {name: error_measures(actual, values, history) for name, values in expected.items()}
    rows = {name: {"role": role_of(name, model, naive), "settings": settings[name]} | errors[name] for name in expected}
    return SeriesChoice(
        model=model,
        naive=naive,
        parts=parts,
        settings=settings[model],
        backtest=pd.DataFrame.from_dict(rows, orient="index").rename_axis("model"),
        errors={name: actual - values for name, values in expected.items()},
        dropped=dropped,
    )


def forecast_chosen(
    choice: SeriesChoice, name: str, history: Floats, steps: int, *, season: Season
) -> tuple[Floats, bool]:
    """
    Forecast by a candidate that competed.

    Parameters
    ----------
    choice : SeriesChoice
        Says what the combination is made of, and which naive rule stands in.
    name : str
        The candidate.
    history : numpy.ndarray of float
        Oldest first.
    steps : int
        Periods ahead.
    season : Season
        How many periods a year has.

    Returns
    -------
    forecast : numpy.ndarray of float, shape (steps,)
        In the unit of the history.
    is_own : bool
        False where the candidate could not be fitted to this history, and the best naive rule stands in.
    """
    try:
        values = [forecast_by(part, history, steps, season=season).ahead for part in choice.members(name)]
        return np.asarray(np.mean(values, axis=0), dtype=float), True
    except NoFitError:
        return forecast_by(choice.naive, history, steps, season=season).ahead, False


def error_measures(actual: Floats, forecast: Floats, history: Floats) -> dict[str, float]:
    """
    Return the errors of a candidate, averaged over origins.

    Parameters
    ----------
    actual, forecast : numpy.ndarray of float, shape (n_origins, steps)
        What came and what was forecast.
    history : numpy.ndarray of float
        Before the hold-out; its mean change from period to period is the unit of MASE.

    Returns
    -------
    dict
        By the names of :data:`ERRORS`; NaN where undefined.
    """
    errors = forecast - actual
    change = float(np.abs(np.diff(history)).mean())
    mae = float(np.abs(errors).mean())
    return {
        "rmse": float(np.sqrt((errors**2).mean(axis=1)).mean()),
        "mae": mae,
        "wape": wape(actual.ravel(), forecast.ravel()),
        "bias": bias(actual.ravel(), forecast.ravel()),
        "mase": mae / change if change > 0 else float("nan"),
    }


def role_of(name: str, model: str, naive: str) -> str:
    """
    Return what a candidate is in this comparison.

    Parameters
    ----------
    name, model, naive : str
        The candidate, the chosen one, the best naive rule.

    Returns
    -------
    str
        Empty for all others.

    Examples
    --------
    >>> role_of("drift", "drift", "drift")
    'chosen and best naive'
    """
    roles = ["chosen"] * (name == model) + ["best naive"] * (name == naive)
    return " and ".join(roles)


def _all_forecasts(
    history: Floats, plan: SeriesPlan, season: Season, without: Sequence[str]
) -> tuple[dict[str, list[Forecast]], dict[str, str]]:
    """Return the forecasts from every origin by candidate, and why others are missing."""
    forecasts: dict[str, list[Forecast]] = {}
    dropped: dict[str, str] = {}
    for name in (*NAIVE_RULES, *MODELS):
        if name in without or plan.training[0] < least_history(name, season):
            continue
        try:
            forecasts[name] = [forecast_by(name, history[:at], plan.steps, season=season) for at in plan.training]
        except NoFitError as error:
            dropped[name] = str(error)
    return forecasts, dropped


def _score(actual: Floats, forecast: Floats, history: Floats) -> float:
    """Return the RMSE averaged over origins, in sizes of the series and rounded, so that equal ones are equal."""
    scale = float(np.abs(history).mean()) or 1.0
    return round(float(np.sqrt((((forecast - actual) / scale) ** 2).mean(axis=1)).mean()), 9)
