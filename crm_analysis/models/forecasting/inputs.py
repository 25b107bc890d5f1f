"""
What forecasts are made from: purchases as known at every origin, and what came after each.

The features themselves are SQL in :mod:`crm_analysis.features.purchases`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from crm_analysis.errors import MAX_EXAMPLES, DataQualityError, TooFewRecordsError
from crm_analysis.features.purchases import forecasting_features, purchase_panel, repeat_panel
from crm_analysis.models.evaluation import OriginPlan, rolling_origins
from crm_analysis.models.forecasting.estimators import SPEND, TRANSACTIONS
from crm_analysis.models.forecasting.terms import FEATURES
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.privacy.suppression import small
from crm_analysis.tables.snapshot import Filter

MIN_CUSTOMERS = 20
NEEDED = (*FEATURES, "repeat_purchases")


@dataclass(frozen=True)
class CustomerHistories:
    """
    Customers as they were known at every origin of a plan.

    Attributes
    ----------
    plan : OriginPlan
        The origins.
    panel : pandas.DataFrame
        A row a period and customer, as :func:`~crm_analysis.features.purchases.purchase_panel` returns them.
    current : pandas.DataFrame
        Index ``customer_id``; the same features as of ``as_of``, and ``days_ahead``, the horizon.
    repeats : pandas.DataFrame
        Everybody's repeat purchases at every origin and on ``as_of``.
    """

    plan: OriginPlan
    panel: pd.DataFrame
    current: pd.DataFrame
    repeats: pd.DataFrame


def customer_histories(
    dataset: Dataset,
    *,
    as_of: date,
    horizon_days: int,
    history_days: int,
    n_origins: int = 8,
    where: Filter | None = None,
) -> CustomerHistories:
    """
    Collect what forecasts are made from.

    Parameters
    ----------
    dataset : Dataset
        Shows its tables as of any day.
    as_of : datetime.date
        Last day known.
    horizon_days : int
        Days forecast.
    history_days : int
        Days looked back on.
    n_origins : int
        Earlier days from which models are trained.
    where : mapping, optional
        Only customers with these attributes.

    Returns
    -------
    CustomerHistories
        Each origin as it was known then.

    Raises
    ------
    TooFewRecordsError
        The history is too short for the horizon, or nobody bought within it.
    """
    plan = rolling_origins(first_day=dataset.first_day, as_of=as_of, horizon_days=horizon_days, n_origins=n_origins)
    days = {"history_days": history_days, "recent_days": plan.training_days}
    current = forecasting_features(dataset.known(as_of, where=where), **days)
    current.insert(1, "days_ahead", horizon_days)
    panel = purchase_panel(dataset, periods=plan.periods, where=where, **days)
    origins = [*(origin for origin, _ in plan.periods), as_of]
    return CustomerHistories(plan, panel, current, repeat_panel(dataset, origins=origins, where=where))


def checked(histories: CustomerHistories, *, min_cell: int) -> None:
    """
    Raise where histories cannot be worked with.

    Parameters
    ----------
    histories : CustomerHistories
        Any.
    min_cell : int
        Counts below are not told.

    Raises
    ------
    DataQualityError
        Features or targets are missing or infinite.
    TooFewRecordsError
        There is no customer, or an origin has fewer than 20.
    """
    panel, current = histories.panel, histories.current
    lacking = [
        name for name in ("origin", "days_ahead", "customer_id", *NEEDED, SPEND, TRANSACTIONS) if name not in panel
    ]
    lacking += [name for name in ("origin", "days_ahead", *NEEDED) if name not in current]
    if lacking:
        raise ValueError(f"panel and current need the columns of a purchase panel, got none named {lacking!r}")
    if current.empty:
        raise TooFewRecordsError("There is no customer to forecast. Use a longer history_days or another as_of.")
    missing = (~np.isfinite(panel[[*NEEDED, SPEND, TRANSACTIONS]])).sum()
    missing = missing.add((~np.isfinite(current[list(NEEDED)])).sum(), fill_value=0)
    if missing.any():
        raise DataQualityError(
            f"{int(missing.sum())} values of the purchase panel are missing or infinite, in {list(missing.index[missing > 0])}. "
            "Check the cleaning of transactions."
        )
    _require_customers(histories, min_cell=min_cell)


def in_own_order(panel: pd.DataFrame) -> pd.DataFrame:
    """
    Order rows by their content, so that draws depend on neither the order of rows nor the names of customers.

    Parameters
    ----------
    panel : pandas.DataFrame
        Of :class:`CustomerHistories`.

    Returns
    -------
    pandas.DataFrame
        Numbered from 0.
    """
    order = ["origin", "days_ahead", *NEEDED, SPEND, TRANSACTIONS]
    return panel.sort_values(order, kind="stable").reset_index(drop=True)


def _require_customers(histories: CustomerHistories, *, min_cell: int) -> None:
    sizes = histories.panel.groupby(["origin", "days_ahead"]).size()
    counts = {origin: int(sizes.get((pd.Timestamp(origin), days), 0)) for origin, days in histories.plan.periods}
    few = {
        str(origin): f"fewer than {min_cell}" if small([count], min_cell=min_cell)[0] else count
        for origin, count in counts.items()
        if count < MIN_CUSTOMERS
    }
    if few:
        told = ", ".join(f"{origin}: {count}" for origin, count in list(few.items())[:MAX_EXAMPLES])
        more = ", …" if len(few) > MAX_EXAMPLES else ""
        raise TooFewRecordsError(
            f"{len(few)} of {len(counts)} origins have fewer than {MIN_CUSTOMERS} customers ({told}{more}). Use a longer "
            "history_days, a shorter horizon_days, another as_of, or a filter that keeps more customers."
        )
