"""
Everything that is fitted for a target, with its forecasts and ranges, before any of it is judged.

Which model is chosen is found in :mod:`crm_analysis.models.forecasting.choice`; how well it did, in
:mod:`crm_analysis.models.forecasting.judgement`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from crm_analysis.models.evaluation import CountSpread, Intervals, OriginPlan, count_intervals, spend_intervals
from crm_analysis.models.forecasting.candidates import COMBINATION, Combined, Forecast, Task, fit_forecast, rows_at
from crm_analysis.models.forecasting.choice import Choice, fit_chosen
from crm_analysis.models.forecasting.estimators import SPEND, TRANSACTIONS
from crm_analysis.models.forecasting.expectations import Expectations, fit_expectations
from crm_analysis.models.forecasting.inputs import CustomerHistories, in_own_order
from crm_analysis.models.forecasting.terms import Floats

BAND_LEVEL = 0.9
Segments = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Rows:
    """
    What is fitted to, judged on and forecast, with what models of repeat buying expect.

    Attributes
    ----------
    plan : OriginPlan
        The origins.
    expectations : Expectations
        The models of repeat buying at each.
    panel, judged, current : pandas.DataFrame
        All periods, the hold-out, and the customers forecast.
    judged_segments, current_segments : pandas.Series, optional
        Segments of the last two.
    """

    plan: OriginPlan
    expectations: Expectations
    panel: pd.DataFrame
    judged: pd.DataFrame
    current: pd.DataFrame
    judged_segments: pd.Series | None
    current_segments: pd.Series | None

    def came(self, target: str) -> Floats:
        """
        Return what came in the hold-out.

        Parameters
        ----------
        target : str
            ``spend_ahead`` or ``transactions_ahead``.

        Returns
        -------
        numpy.ndarray of float
            A value a customer.
        """
        return self.judged[target].to_numpy(dtype=float)

    @property
    def ratio(self) -> float:
        """How much longer the horizon is than that of the trial which intervals are learnt from."""
        return self.plan.horizon_days / self.plan.calibration.days_ahead


@dataclass(frozen=True)
class Fits:
    """
    All models fitted on training origins with their forecasts for the hold-out; the chosen one fitted anew.

    Attributes
    ----------
    fitted, holdout : mapping
        By model, as fitted on training origins, and what it forecast for the hold-out.
    model : str
        The chosen one.
    refitted : Forecast
        Fitted anew with what came up to ``as_of``.
    ahead : numpy.ndarray
        Its forecasts for the current customers.
    """

    fitted: Mapping[str, Forecast]
    holdout: Mapping[str, Floats]
    model: str
    refitted: Forecast
    ahead: Floats


@dataclass(frozen=True)
class Ranges:
    """
    Intervals learnt from the last trial, and on the hold-out, with their bands.

    Attributes
    ----------
    earlier, later : Intervals
        As learnt from the one and the other.
    bands, bands_ahead : pandas.DataFrame
        ``lower`` and ``upper`` around the hold-out's forecasts, by the earlier, and around those ahead, by the later.
    """

    earlier: Intervals
    later: Intervals
    bands: pd.DataFrame
    bands_ahead: pd.DataFrame


def collected_rows(histories: CustomerHistories, segments: Segments | None) -> Rows:
    """
    Add to histories what models of repeat buying expect, and lay out the rows.

    Parameters
    ----------
    histories : CustomerHistories
        What was known at every origin.
    segments : callable, optional
        Takes features of one origin, returns each customer's segment.

    Returns
    -------
    Rows
        In an order of their own.
    """
    plan, panel = histories.plan, in_own_order(histories.panel)
    everybody = pd.concat([panel, histories.current.reset_index()])
    expectations = fit_expectations(histories.repeats, everybody, training_days=plan.training_days)
    panel, current = expectations.added(panel), expectations.added(histories.current)
    judged = rows_at(panel, [(plan.holdout_origin, plan.horizon_days)]).reset_index(drop=True)
    labels = (None, None) if segments is None else (segments(judged), segments(current))
    return Rows(plan, expectations, panel, judged, current, *labels)


def fit_all(rows: Rows, task: Task, choice: Choice, *, counts: Fits | None = None) -> Fits:
    """
    Fit every model before the hold-out, and the chosen one anew with it.

    Parameters
    ----------
    rows : Rows
        All of them.
    task : Task
        What is forecast.
    choice : Choice
        Of the model, and the settings of all.
    counts : Fits, optional
        Of the transactions, where spend is forecast.

    Returns
    -------
    Fits
        With forecasts.
    """
    plan = rows.plan
    training = rows_at(rows.panel, plan.training)
    by_counts = None if counts is None else counts.fitted[counts.model]
    fitted = {
        model: fit_forecast(model, training, task, choice.settings[model], counts=by_counts)
        for model in task.candidates
    }
    if choice.members:
        fitted[COMBINATION] = Combined(tuple(fitted[member] for member in choice.members))
    recent = rows_at(rows.panel, plan.refitting)
    refitted = fit_chosen(choice, recent, task, counts=None if counts is None else counts.refitted)
    holdout = {model: forecast.predict(rows.judged) for model, forecast in fitted.items()}
    return Fits(fitted, holdout, choice.model, refitted, refitted.predict(rows.current))


def count_ranges(rows: Rows, choice: Choice, fits: Fits) -> Ranges:
    """
    Return ranges of the transactions.

    Parameters
    ----------
    rows : Rows
        All of them.
    choice : Choice
        With what the last trial brought.
    fits : Fits
        With the forecasts.

    Returns
    -------
    Ranges
        Around the hold-out's forecasts and those ahead.
    """
    holdout = fits.holdout[fits.model]
    earlier = count_intervals(choice.actual, choice.forecast, level=BAND_LEVEL)
    later = count_intervals(rows.came(TRANSACTIONS), holdout, level=BAND_LEVEL)
    return Ranges(earlier, later, earlier.around(holdout, horizon_ratio=rows.ratio), later.around(fits.ahead))


def spend_ranges(
    rows: Rows, choice: Choice, fits: Fits, counted: Ranges, count_choice: Choice, count_fits: Fits
) -> Ranges:
    """
    Return ranges of spend, which rest on those of the transactions of the same customers.

    Parameters
    ----------
    rows : Rows
        All of them.
    choice, fits : Choice, Fits
        Of the spend.
    counted, count_choice, count_fits : Ranges, Choice, Fits
        Of the transactions.

    Returns
    -------
    Ranges
        Around the hold-out's forecasts and those ahead.
    """
    holdout, counts = fits.holdout[fits.model], count_fits.holdout[count_fits.model]
    earlier = spend_intervals(
        choice.actual,
        choice.forecast,
        counts=_spread(counted.earlier),
        count_forecast=count_choice.forecast,
        level=BAND_LEVEL,
    )
    later = spend_intervals(
        rows.came(SPEND), holdout, counts=_spread(counted.later), count_forecast=counts, level=BAND_LEVEL
    )
    bands = earlier.around(holdout, counts=counts, horizon_ratio=rows.ratio)
    return Ranges(earlier, later, bands, later.around(fits.ahead, counts=count_fits.ahead))


def _spread(intervals: Intervals) -> CountSpread:
    if not isinstance(intervals.spread, CountSpread):
        raise TypeError(f"intervals of counts were expected, got {type(intervals.spread).__name__}")
    return intervals.spread
