"""Customers whose truth is known: histories and futures drawn from the models themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd


def geometric_customers(
    n: int, *, parameters: tuple[float, float, float, float], shift: int, seed: int, horizon: float = 0.0
) -> pd.DataFrame:
    """Draw customers of BG/NBD (shift 0) or MBG/NBD (1): their history, whether still active, and purchases ahead."""
    draws = np.random.default_rng(seed)
    r, alpha, a, b = parameters
    rate, leaving, length = draws.gamma(r, 1 / alpha, n), draws.beta(a, b, n), draws.uniform(10, 80, n)
    frequency, ahead, recency, now = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    active = np.ones(n, dtype=bool)
    staying = np.flatnonzero(draws.random(n) >= leaving) if shift else np.arange(n)
    active[np.setdiff1d(np.arange(n), staying)] = False
    while len(staying):
        now[staying] += draws.exponential(1 / rate[staying])
        staying = staying[now[staying] < length[staying] + horizon]
        past = now[staying] <= length[staying]
        frequency[staying] += past
        ahead[staying] += ~past
        recency[staying] = np.where(past, now[staying], recency[staying])
        left = draws.random(len(staying)) < leaving[staying]
        active[staying[left & past]] = False
        staying = staying[~left]
    columns = {"frequency": frequency, "recency": recency, "T": length, "active": active, "ahead": ahead}
    return pd.DataFrame(columns)


def pareto_customers(
    n: int, *, parameters: tuple[float, float, float, float], seed: int, horizon: float = 0.0
) -> pd.DataFrame:
    """Draw customers of Pareto/NBD: their history, whether still active, and purchases ahead."""
    draws = np.random.default_rng(seed)
    r, alpha, s, beta = parameters
    rate, length = draws.gamma(r, 1 / alpha, n), draws.uniform(10, 80, n)
    until = draws.exponential(1 / draws.gamma(s, 1 / beta, n))
    there = np.minimum(until, length)
    frequency = draws.poisson(rate * there).astype(float)
    recency = np.where(frequency > 0, there * draws.random(n) ** (1 / np.maximum(frequency, 1)), 0.0)
    ahead = draws.poisson(rate * np.clip(until - length, 0, horizon))
    columns = {"frequency": frequency, "recency": recency, "T": length, "active": until > length, "ahead": ahead}
    return pd.DataFrame(columns)
