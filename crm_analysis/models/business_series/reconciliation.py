"""
The sum of customer forecasts held against the forecast of the business: known customers, new ones, and the difference.

Which revenue came from whom is SQL in :mod:`crm_analysis.features.series`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

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
    Two ways to the same revenue.

    Attributes
    ----------
    table : pandas.DataFrame
        Index ``part``; ``revenue``, ``low`` and ``high`` (of new customers: by the range of earlier shares; of the series: the
        90 % interval), ``share`` of the series forecast.
    shares : pandas.Series
        Index ``origin``; which share of the revenue of earlier horizons came from customers not known at their origin.
        Missing: not told, because it is about too few customers or nothing came.
    n_customers : int
        Whose forecasts are added up.
    horizon_days : int
        Of both.
    """

    table: pd.DataFrame
    shares: pd.Series
    n_customers: int
    horizon_days: int

    @property
    def latest_share(self) -> float:
        """The share in the latest earlier horizon that tells; NaN where none does."""
        told = self.shares.dropna()
        return float(told.iloc[-1]) if len(told) else math.nan


def reconciliation(
    forecast: BusinessForecast,
    acquaintance: pd.DataFrame,
    *,
    known_revenue: float,
    n_customers: int,
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
    shares = _told_shares(acquaintance, min_cell=min_cell)
    told = shares.dropna()
    latest, least, most = (told.iloc[-1], told.min(), told.max()) if len(told) else (np.nan,) * 3
    total = forecast.revenue.total
    low, high = total.intervals[0.9]
    new, new_low, new_high = (known_revenue * share / (1 - share) for share in (latest, least, most))
    built_up = known_revenue + new
    rows = {
        KNOWN: (known_revenue, np.nan, np.nan),
        NEW: (new, min(new_low, new_high), max(new_low, new_high)),
        BUILT_UP: (built_up, known_revenue + min(new_low, new_high), known_revenue + max(new_low, new_high)),
        SERIES: (total.forecast, low, high),
        DIFFERENCE: (built_up - total.forecast, np.nan, np.nan),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["revenue", "low", "high"]).rename_axis("part")
    table["share"] = table["revenue"] / total.forecast if total.forecast > 0 else np.nan
    return Reconciliation(table=table, shares=shares, n_customers=n_customers, horizon_days=forecast.horizon.days)


def _told_shares(acquaintance: pd.DataFrame, *, min_cell: int) -> pd.Series:
    """Return the share of revenue from customers not known at each origin, where it may and can be told."""
    unknown = acquaintance["new_revenue"] + acquaintance["returning_revenue"]
    customers = acquaintance["new_customers"] + acquaintance["returning_customers"]
    total = acquaintance["total_revenue"]
    is_told = (acquaintance["known_revenue"] > 0) & (total > 0) & ~small(customers, min_cell=min_cell)
    is_told &= ~small(acquaintance["known_customers"], min_cell=min_cell)
    return (unknown / total).where(is_told).rename("share_not_known")
