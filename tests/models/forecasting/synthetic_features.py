"""Features of customers without a shop behind them, for a truth that is planted in what comes ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd

MONEY = ["spend", "monetary_value", "recent_spend", "value_a_purchase"]

# a loyal customer, and one whose only purchase was returned with more
TWO = pd.DataFrame(
    {
        "recency_days": [3, 200],
        "frequency": [8, 1],
        "spend": [400.0, -20.0],
        "monetary_value": [50.0, -20.0],
        "tenure_days": [399, 200],
        "observed_days": [200, 100],
        "recent_spend": [90.0, -20.0],
        "recent_frequency": [2, 0],
        "repeat_purchases": [9, 0],
        "days_ahead": [90, 180],
        "rhythm": [4.0, 0.25],
        "chance_active": [0.9, 0.1],
        "value_a_purchase": [45.0, 30.0],
        "bg_nbd": [3.5, 0.5],
    }
)


def synthetic_features(n: int, *, seed: int = 0, days_ahead: int = 90) -> pd.DataFrame:
    """Draw features as the estimators see them, of customers with a rate and a basket of their own."""
    draws = np.random.default_rng(seed)
    rate, basket = draws.gamma(1.5, 0.01, n), draws.lognormal(3.5, 0.5, n)
    observed = draws.integers(200, 366, n)
    recent = draws.poisson(rate * 90)
    frequency = np.maximum(recent + draws.poisson(rate * (observed - 90)), 1)
    spend = basket * frequency * draws.lognormal(0, 0.1, n)
    return pd.DataFrame(
        {
            "origin": pd.Timestamp("2024-01-01"),
            "days_ahead": days_ahead,
            "customer_id": [f"c{number:05d}" for number in range(n)],
            "recency_days": draws.integers(0, 90, n),
            "frequency": frequency,
            "spend": spend,
            "monetary_value": spend / frequency,
            "tenure_days": observed + draws.integers(0, 100, n),
            "observed_days": observed,
            "recent_spend": basket * recent * draws.lognormal(0, 0.1, n),
            "recent_frequency": recent,
            "repeat_purchases": frequency - 1,
            "rhythm": 90 * frequency / observed * draws.lognormal(0, 0.05, n),
            "chance_active": draws.beta(5, 1, n),
            "value_a_purchase": (2 * basket + spend / frequency) / 3,
        }
    )
