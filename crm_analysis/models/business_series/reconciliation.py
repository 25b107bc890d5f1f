"""
The sum of customer forecasts held against the forecast of the business: known customers, new ones, and the difference.

Which revenue came from whom is SQL in :mod:`crm_analysis.features.series`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_analysis.models.business_series.measures import SeriesTotal
from crm_analysis.models.business_series.result import BusinessForecast
from crm_analysis.tables.privacy.suppression import small

KNOWN = "customers known"
NEW = "new and returning customers"
BUILT_UP = "built up from customers"
SERIES = "forecast of the series"
DIFFERENCE = "difference"


@dataclass(frozen=True)
class Reconciliation:
    """
    Two ways to the same revenue and to the same purchase days.

    Attributes
    ----------
    table : pandas.DataFrame
        Index ``part``; ``revenue``, ``low`` and ``high`` (of new customers: by the range of earlier shares; of the series: the
        90 % interval), ``share`` of the series forecast. Where purchase days are reconciled too: ``orders``, ``orders_low``,
        ``orders_high``, ``orders_share``, likewise.
    shares : pandas.Series
        Index ``origin``; which share of the revenue of earlier horizons came from customers not known at their origin.
        Missing: not told, because it is about too few customers or nothing came.
    order_shares : pandas.Series
        The same of purchase days; empty where they are not reconciled.
    n_customers : int
        Whose forecasts are added up.
    horizon_days : int
        Of both.
    """

    table: pd.DataFrame
    shares: pd.Series
    order_shares: pd.Series
    n_customers: int
    horizon_days: int

    @property
    def latest_share(self) -> float:
        """The share in the latest earlier horizon that tells; NaN where none does."""
        return _latest(self.shares)

    @property
    def latest_order_share(self) -> float:
        """The same of purchase days."""
        return _latest(self.order_shares)

    @property
    def has_orders(self) -> bool:
        """Whether purchase days are reconciled too."""
        return "orders" in self.table.columns


def reconciliation(
    forecast: BusinessForecast,
    acquaintance: pd.DataFrame,
    *,
    known_revenue: float,
    n_customers: int,
    known_orders: float | None = None,
    min_cell: int = 1,
) -> Reconciliation:
    """
    Hold the sum of customer forecasts, and what new customers bring on top, against the forecast of the series.

    Parameters
    ----------
    forecast : BusinessForecast
        Of the same days.
    acquaintance : pandas.DataFrame
        Earlier horizons, as :func:`~crm_analysis.features.series.revenue_by_acquaintance` returns them.
    known_revenue : float
        Sum of the forecasts of the customers known.
    n_customers : int
        How many these are.
    known_orders : float, optional
        Sum of their forecast purchase days; None: revenue alone is reconciled.
    min_cell : int
        Fewest customers that a shown figure is about.

    Returns
    -------
    Reconciliation
        Built up = known ÷ (1 − share), with the share of the latest earlier horizon.

    Notes
    -----
    The latest share is taken rather than the mean: the less the data reach back before an origin, the more customers seem new
    at it, so that earlier shares are too high; the mean and the range stand beside it.
    """
    lengths = set(acquaintance["horizon_days"])
    if lengths != {forecast.horizon.days}:
        raise ValueError(f"the forecast is of {forecast.horizon.days} days, the earlier horizons of {sorted(lengths)}")
    shares = _told_shares(acquaintance, "revenue", min_cell=min_cell)
    table = _parts(known_revenue, shares, forecast.revenue.total).rename_axis("part")
    table = table.rename(columns={"forecast": "revenue"})
    order_shares = pd.Series(dtype="float64")
    if known_orders is not None:
        order_shares = _told_shares(acquaintance, "orders", min_cell=min_cell)
        orders = _parts(known_orders, order_shares, forecast.orders.total).rename(columns={"forecast": "days"})
        table = table.join(orders.add_prefix("orders_").rename(columns={"orders_days": "orders"}))
    return Reconciliation(table, shares, order_shares, n_customers=n_customers, horizon_days=forecast.horizon.days)


def _parts(known: float, shares: pd.Series, total: SeriesTotal) -> pd.DataFrame:
    """Return the sum of the customers known, what others bring on top, the series, and the difference."""
    told = shares.dropna()
    latest, least, most = (told.iloc[-1], told.min(), told.max()) if len(told) else (np.nan,) * 3
    low, high = total.intervals[0.9]
    new, new_low, new_high = (known * share / (1 - share) for share in (latest, least, most))
    least_new, most_new = min(new_low, new_high), max(new_low, new_high)
    rows = {
        KNOWN: (known, np.nan, np.nan),
        NEW: (new, least_new, most_new),
        BUILT_UP: (known + new, known + least_new, known + most_new),
        SERIES: (total.forecast, low, high),
        DIFFERENCE: (known + new - total.forecast, np.nan, np.nan),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["forecast", "low", "high"])
    table["share"] = table["forecast"] / total.forecast if total.forecast > 0 else np.nan
    return table


def _told_shares(acquaintance: pd.DataFrame, measure: str, *, min_cell: int) -> pd.Series:
    """Return the share that came from customers not known at each origin, where it may and can be told."""
    known, returning, new, total = (
        acquaintance[f"{part}_{measure}"] for part in ("known", "returning", "new", "total")
    )
    customers = acquaintance["new_customers"] + acquaintance["returning_customers"]
    is_told = (known > 0) & (total > 0) & ~small(customers, min_cell=min_cell)
    is_told &= ~small(acquaintance["known_customers"], min_cell=min_cell)
    return ((new + returning) / total).where(is_told).rename("share_not_known")


def _latest(shares: pd.Series) -> float:
    """Return the latest share that is told; NaN where none is."""
    told = shares.dropna()
    return float(told.iloc[-1]) if len(told) else math.nan
