"""Cases of a made-up service desk."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2023-01-02")  # a Monday
WEEK = np.array([1.4, 1.2, 1.1, 1.0, 1.0, 0.7, 0.6])
DAYTIME = np.exp(-0.5 * ((np.arange(24) - 13) / 3) ** 2) * ((np.arange(24) >= 7) & (np.arange(24) < 21))


def drawn_counts(n_days: int, *, mean: float, seed: int, spread: float = 0.0, trend: float = 0.0) -> pd.Series:
    """Return cases a day by weekday, with a gamma-distributed rate where `spread` is above 0, and growth in all."""
    rng = np.random.default_rng(seed)
    rate = mean * np.resize(WEEK, n_days) * np.exp(trend * np.arange(n_days) / n_days)
    factor = rng.gamma(1 / spread, spread, n_days) if spread else np.ones(n_days)
    return pd.Series(rng.poisson(rate * factor).astype(float), index=pd.date_range(START, periods=n_days, name="day"))


def drawn_cases(
    counts: pd.Series, *, seed: int, n_customers: int = 500, channels: tuple[str, ...] = ("phone", "email")
) -> pd.DataFrame:
    """Return a case for each count, at the hours of the day, by customers and channels at random."""
    rng = np.random.default_rng(seed)
    days = counts.index.repeat(counts.astype("int64"))
    seconds = rng.choice(24, len(days), p=DAYTIME / DAYTIME.sum()) * 3600 + rng.integers(0, 3600, len(days))
    cases = pd.DataFrame(
        {
            "customer_id": [f"c{number:05d}" for number in rng.integers(n_customers, size=len(days))],
            "opened_at": (days + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us]"),
            "channel": rng.choice(np.array(channels, dtype=object), len(days)),
        }
    )
    return cases.astype({"customer_id": "str", "channel": "str"}).sort_values("opened_at", ignore_index=True)
