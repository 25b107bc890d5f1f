"""
Fitted forecasts of every kind behind one method, ``predict``: for the days ahead that each row asks for.

Which of them is used is found in :mod:`crm_analysis.models.forecasting.choice`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from crm_analysis.models.evaluation.origins import Period
from crm_analysis.models.forecasting.estimators import (
    LAST_PERIOD,
    MEAN_RATE,
    NAIVE_RULES,
    REGRESSIONS,
    SPEND,
    ZERO,
    Fitting,
    NaiveForecast,
    Settings,
    regression,
    sample_weights,
)
from crm_analysis.models.forecasting.expectations import KINDS, VALUE
from crm_analysis.models.forecasting.terms import Floats

BY_VALUE, COMBINATION = "counts_by_value", "combination"
BASELINES = (LAST_PERIOD, MEAN_RATE, ZERO)


class Forecast(Protocol):
    """Whatever forecasts customers."""

    def predict(self, customers: pd.DataFrame) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        customers : pandas.DataFrame
            Features, what models of repeat buying expect, and ``days_ahead``.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            For the days ahead of each.
        """


@dataclass(frozen=True)
class Task:
    """
    What is forecast, and within which limits.

    Attributes
    ----------
    target : str
        ``spend_ahead`` or ``transactions_ahead``.
    horizon_days : int
        Days ahead.
    training_days : int
        Days ahead at the training origins.
    seed : int
        Start of everything random.
    exact_svr_rows : int
        Rows up to which a support vector regression is exact.
    models : tuple of str
        Models of repeat buying that could be fitted.
    min_cell : int
        Least number of customers that a figure is about.
    """

    target: str
    horizon_days: int
    training_days: int
    seed: int
    exact_svr_rows: int
    models: tuple[str, ...] = ()
    min_cell: int = 1

    @property
    def candidates(self) -> tuple[str, ...]:
        """All models that compete but the combination, baselines first."""
        by_value = (BY_VALUE,) if self.target == SPEND else ()
        return (*BASELINES, *self.models, *REGRESSIONS, *by_value)


@dataclass(frozen=True)
class Carried:
    """
    A regression or a naive rule, whose rate is carried on from the training's days to the horizon.

    Attributes
    ----------
    estimator : NaiveForecast or sklearn.pipeline.Pipeline
        Fitted to the training's days.
    training_days : int
        How many.

    Notes
    -----
    Where the horizon is longer, the rate is taken to last. Customers leave meanwhile, so this is too high for some businesses;
    the models of repeat buying expect it to fall by a law that cannot be tried before either. Combining both is a hedge.
    """

    estimator: NaiveForecast | Pipeline
    training_days: int

    def predict(self, customers: pd.DataFrame) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        customers : pandas.DataFrame
            Features and ``days_ahead``.

        Returns
        -------
        numpy.ndarray of float
            Never negative.
        """
        longer = customers["days_ahead"].to_numpy(dtype=float) / self.training_days
        forecasts: Floats = self.estimator.predict(customers) * longer
        return forecasts


@dataclass(frozen=True)
class Expected:
    """
    What a model of repeat buying expects: purchase days, or their spend.

    Attributes
    ----------
    model : str
        Its column.
    target : str
        ``spend_ahead`` or ``transactions_ahead``.
    """

    model: str
    target: str

    def predict(self, customers: pd.DataFrame) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        customers : pandas.DataFrame
            With the model's column.

        Returns
        -------
        numpy.ndarray of float
            Never negative.
        """
        counts = customers[self.model].to_numpy(dtype=float)
        return counts * customers[VALUE].to_numpy(dtype=float) if self.target == SPEND else counts


@dataclass(frozen=True)
class ByValue:
    """
    Forecast purchase days times the spend expected of each.

    Attributes
    ----------
    counts : Forecast
        Of the purchase days.
    """

    counts: Forecast

    def predict(self, customers: pd.DataFrame) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        customers : pandas.DataFrame
            Features and what is expected.

        Returns
        -------
        numpy.ndarray of float
            Never negative.
        """
        forecasts: Floats = self.counts.predict(customers) * customers[VALUE].to_numpy(dtype=float)
        return forecasts


@dataclass(frozen=True)
class Combined:
    """
    The mean of several forecasts.

    Attributes
    ----------
    parts : tuple of Forecast
        Each counts alike.

    References
    ----------
    Bates, Granger (1969), "The combination of forecasts", Operational Research Quarterly 20(4). Smith, Wallis (2009), "A simple
    explanation of the forecast combination puzzle", Oxford Bulletin of Economics and Statistics 71(3), for equal weights.
    """

    parts: tuple[Forecast, ...]

    def predict(self, customers: pd.DataFrame) -> Floats:
        """
        Return the forecasts.

        Parameters
        ----------
        customers : pandas.DataFrame
            Features and what is expected.

        Returns
        -------
        numpy.ndarray of float
            Never negative.
        """
        forecasts: Floats = np.mean([part.predict(customers) for part in self.parts], axis=0)
        return forecasts


def fit_forecast(
    model: str, training: pd.DataFrame, task: Task, settings: Settings, *, counts: Forecast | None = None
) -> Forecast:
    """
    Fit a model.

    Parameters
    ----------
    model : str
        One of the task's candidates.
    training : pandas.DataFrame
        Rows to fit to, with the target.
    task : Task
        What is forecast.
    settings : mapping
        Of the model.
    counts : Forecast, optional
        Of the purchase days, fitted to the same rows; needed where spend is forecast by them.

    Returns
    -------
    Forecast
        Fitted.
    """
    if model == BY_VALUE:
        if counts is None:
            raise ValueError("counts must be given for a forecast by purchase days and their value, got None")
        return ByValue(counts)
    if model in KINDS:
        return Expected(model, task.target)
    if model in REGRESSIONS:
        fitting = Fitting(task.training_days, len(training), task.exact_svr_rows, task.seed)
        estimator = regression(model, settings, fitting)
    else:
        estimator = NaiveForecast(model, target=task.target, training_days=task.training_days)
    longer = training["days_ahead"].to_numpy(dtype=float) / task.training_days
    rates = training[task.target].to_numpy(dtype=float) / longer
    return Carried(estimator.fit(training, rates, **sample_weights(estimator, longer)), task.training_days)


def drawn(rows: pd.DataFrame, n_rows: int, *, seed: int) -> pd.DataFrame:
    """
    Draw rows, where fitting to all of them would take too long for a comparison.

    Parameters
    ----------
    rows : pandas.DataFrame
        Any.
    n_rows : int
        How many at most.
    seed : int
        Start of the draw.

    Returns
    -------
    pandas.DataFrame
        All, or some in their order.
    """
    if len(rows) <= n_rows:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), n_rows, replace=False)
    return rows.iloc[np.sort(chosen)]


def rows_at(panel: pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """
    Return the rows of some periods.

    Parameters
    ----------
    panel : pandas.DataFrame
        With the columns ``origin`` and ``days_ahead``.
    periods : sequence of (datetime.date, int)
        Origins with the days after each.

    Returns
    -------
    pandas.DataFrame
        In the panel's order.
    """
    asked = pd.MultiIndex.from_tuples([(pd.Timestamp(origin).as_unit("us"), days) for origin, days in periods])
    return panel[pd.MultiIndex.from_frame(panel[["origin", "days_ahead"]]).isin(asked)]


def is_naive(model: str) -> bool:
    """
    Return whether a model is one of the naive baselines.

    Parameters
    ----------
    model : str
        Any.

    Returns
    -------
    bool
        Zero for everybody stands beside and is none.

    Examples
    --------
    >>> is_naive("mean_rate"), is_naive("svr")
    (True, False)
    """
    return model in NAIVE_RULES
