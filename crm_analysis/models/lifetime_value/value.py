"""
Lifetime value: expected purchases times expected spend, discounted to the day known.

The two models belong in ``purchases`` and ``spend``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_analysis.models.lifetime_value.checks import Floats
from crm_analysis.models.lifetime_value.repeat_buying import RepeatPurchaseModel
from crm_analysis.models.lifetime_value.spend import GammaGamma

DAYS_IN_YEAR = 365.25


def lifetime_value(
    purchases: RepeatPurchaseModel,
    spend: GammaGamma,
    X: pd.DataFrame,
    *,
    n_periods: int,
    days_in_period: float,
    annual_discount_rate: float,
) -> Floats:
    """
    Return what customers are expected to spend within the periods to come, discounted to the day known.

    Parameters
    ----------
    purchases : RepeatPurchaseModel
        Fitted to times in days.
    spend : GammaGamma
        Fitted.
    X : pandas.DataFrame
        A row per customer: ``frequency``, ``recency``, ``T`` (days), ``monetary_value``.
    n_periods : int
        How many, from the day known.
    days_in_period : float
        Days.
    annual_discount_rate : float
        A share, from 0: 0.1 makes money a year away worth 1 / 1.1.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers,)
        Money: spend, not profit (multiply it by the margin). What was spent before is not in it.

    Notes
    -----
    The purchases expected in a period are discounted from its middle, a year having 365.25 days. Spend a purchase is taken as
    independent of how often somebody buys; ``spend.correlation_`` says how far that is so.

    References
    ----------
    Fader, Hardie, Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing Research 42(4).
    """
    counts = discounted_purchases(
        purchases,
        X,
        n_periods=n_periods,
        days_in_period=days_in_period,
        annual_discount_rate=annual_discount_rate,
    )
    return np.asarray(counts * spend.expected_spend(X), dtype=float)


def discounted_purchases(
    purchases: RepeatPurchaseModel,
    X: pd.DataFrame,
    *,
    n_periods: int,
    days_in_period: float,
    annual_discount_rate: float,
) -> Floats:
    """
    Return how many purchases customers are expected to make within the periods to come, discounted to the day known.

    Parameters
    ----------
    purchases : RepeatPurchaseModel
        Fitted to times in days.
    X : pandas.DataFrame
        A row per customer: ``frequency``, ``recency``, ``T`` (days).
    n_periods : int
        How many, from the day known.
    days_in_period : float
        Days.
    annual_discount_rate : float
        A share, from 0.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers,)
        Purchases, each worth less the later it is; times the spend of each, the lifetime value.
    """
    if n_periods < 1 or not (np.isfinite(days_in_period) and days_in_period > 0):
        raise ValueError(
            f"n_periods must be at least 1 and days_in_period above 0, got {n_periods!r}, {days_in_period!r}"
        )
    if not (np.isfinite(annual_discount_rate) and annual_discount_rate >= 0):
        raise ValueError(f"annual_discount_rate must be finite from 0, got {annual_discount_rate!r}")
    periods = np.arange(1, n_periods + 1)
    discounts = (1 + annual_discount_rate) ** (-(periods - 0.5) * days_in_period / DAYS_IN_YEAR)
    # sum of discount_k (E_k - E_(k-1)), by E_k: purchases up to the end of period k
    weights = discounts - np.append(discounts[1:], 0.0)
    return purchases.discounted_purchases(X, horizons=periods * days_in_period, weights=weights)
