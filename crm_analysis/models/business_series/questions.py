"""
The business as a whole beside its customers: what a report asks of a dataset in one go, also where it cannot be answered.

The forecast itself is put together in :mod:`crm_analysis.models.business_series.result`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.series import Period, business_series, revenue_by_acquaintance
from crm_analysis.models.business_series.readers import errors_for_readers, reconciliation_for_readers
from crm_analysis.models.business_series.reconciliation import Reconciliation, reconciliation
from crm_analysis.models.business_series.result import BusinessForecast, forecast_business, holdout_origin
from crm_analysis.models.business_series.wording import reconciled, recorded_results, verdict, warnings_of
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Filter

N_EARLIER_HORIZONS = 3


@dataclass(frozen=True)
class WholeBusiness:
    """
    The forecast of the business, held against that of its customers; or the reason why there is none.

    Attributes
    ----------
    forecast : BusinessForecast, optional
        None where the history is too short.
    agreement : Reconciliation, optional
        With the sum of the customer forecasts.
    reason : str
        Why there is no forecast; empty where there is one.
    """

    forecast: BusinessForecast | None
    agreement: Reconciliation | None
    reason: str

    def sentences(self, *, currency: str = "") -> list[str]:
        """
        Say what the business is expected to take, and how that agrees with its customers.

        Parameters
        ----------
        currency : str
            Of the revenue.

        Returns
        -------
        list of str
            Plain sentences.
        """
        if self.forecast is None:
            return [f"The business as a whole cannot be forecast. {self.reason}"]
        told = [] if self.agreement is None else [reconciled(self.agreement, currency=currency)]
        return [*verdict(self.forecast, currency=currency), *told]

    @property
    def warnings(self) -> list[str]:
        """What a reader must beware of."""
        return [] if self.forecast is None else warnings_of(self.forecast)

    @property
    def results(self) -> dict[str, float | str]:
        """Figures that others rely on; none where there is no forecast."""
        return {} if self.forecast is None else recorded_results(self.forecast)

    @property
    def errors(self) -> pd.DataFrame:
        """Errors of the candidates for the revenue on the hold-out, for readers."""
        if self.forecast is None:
            return pd.DataFrame({"not forecast": [self.reason]})
        return errors_for_readers(self.forecast.revenue, period=self.forecast.period)

    @property
    def sums(self) -> pd.DataFrame:
        """The reconciliation, for readers."""
        if self.agreement is None:
            return pd.DataFrame({"not forecast": [self.reason]})
        return reconciliation_for_readers(self.agreement)

    @property
    def ahead(self) -> pd.DataFrame:
        """The forecast of all series by period, long, to be saved."""
        if self.forecast is None:
            return pd.DataFrame(columns=["measure", "period_start", "forecast"])
        told = (self.forecast.revenue, self.forecast.orders, self.forecast.active_customers)
        return pd.concat([one.ahead.reset_index().assign(measure=one.measure) for one in told], ignore_index=True)


def forecast_whole_business(
    dataset: Dataset,
    *,
    as_of: date,
    horizon_days: int,
    history_days: int,
    known_revenue: float,
    n_customers: int,
    known_orders: float | None = None,
    period: Period = "week",
    where: Filter | None = None,
) -> WholeBusiness:
    """
    Forecast the business, and reconcile it with the sum of its customers' forecasts.

    Parameters
    ----------
    dataset : Dataset
        Shows its tables as of any day.
    as_of : datetime.date
        Last day known.
    horizon_days : int
        Days ahead.
    history_days : int
        Days within which a customer bought who is forecast.
    known_revenue : float
        The sum of the customers' forecast spend.
    n_customers : int
        How many they are.
    known_orders : float, optional
        The sum of their forecast purchase days, to be reconciled too.
    period : {"week", "month"}
        Of the series.
    where : mapping, optional
        Only customers with these attributes.

    Returns
    -------
    WholeBusiness
        With the reason in place of the forecast where the history is too short for one.
    """
    try:
        series = business_series(dataset.known(as_of, where=where), period=period)
        before = business_series(
            dataset.known(holdout_origin(series, horizon_days=horizon_days), where=where), period=period
        )
        forecast = forecast_business(series, horizon_days=horizon_days, known_before=before, min_cell=dataset.min_cell)
    except TooFewRecordsError as error:
        return WholeBusiness(None, None, str(error))
    origins = [as_of - timedelta(days=horizon_days * number) for number in range(1, N_EARLIER_HORIZONS + 1)]
    acquaintance = revenue_by_acquaintance(
        dataset,
        origins=[origin for origin in origins if origin >= dataset.first_day],
        horizon_days=horizon_days,
        history_days=history_days,
        where=where,
    )
    agreement = reconciliation(
        forecast,
        acquaintance,
        known_revenue=known_revenue,
        n_customers=n_customers,
        known_orders=known_orders,
        min_cell=dataset.min_cell,
    )
    return WholeBusiness(forecast, agreement, "")
