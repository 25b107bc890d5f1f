"""Customers whose purchases lead to cases, some of which go wrong, with a known change afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_analysis.models.service_quality.money.events import comparison_events

N_DAYS = 360
START = pd.Timestamp("2023-01-01")
AS_OF = (START + pd.Timedelta(days=N_DAYS - 1)).date()
LATELY_DAYS = 14


def simulated_service(*, n_customers: int, drop: float, seed: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return spend by customer and day, and cases: ``customer``, ``day`` on which they are seen to end, ``is_bad``.

    A purchase leads to a case at random, a case goes wrong at random; from the day after the first bad one on, the customer
    leaves out a share `drop` of the purchases that would have come.
    """
    rng = np.random.default_rng(seed)
    rate = np.minimum(rng.gamma(1.5, 0.08, n_customers), 0.9)
    eagerness = 0.12 * rng.gamma(1.0, 1.0, n_customers)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(N_DAYS) / 365)
    amounts = np.exp(rng.normal(3.0, 0.6, n_customers))[:, None] * rng.lognormal(0, 0.6, (n_customers, N_DAYS))
    buys = rng.random((n_customers, N_DAYS)) < np.minimum(rate[:, None] * season, 0.95)
    stays = rng.random((n_customers, N_DAYS)) >= drop
    leads = rng.random((n_customers, N_DAYS)) < np.minimum(eagerness, 0.5)[:, None]
    lag = rng.geometric(0.35, (n_customers, N_DAYS)) + rng.integers(0, 4, (n_customers, N_DAYS))
    is_bad = rng.random((n_customers, N_DAYS)) < 0.25
    cases = []
    for customer in range(n_customers):
        hurt = N_DAYS
        for day in np.flatnonzero(buys[customer]):
            if day > hurt and not stays[customer, day]:
                buys[customer, day] = False
                continue
            seen = day + lag[customer, day]
            if leads[customer, day] and seen < N_DAYS:
                cases.append((customer, seen, is_bad[customer, day]))
                hurt = min(hurt, seen) if is_bad[customer, day] else hurt
    return np.where(buys, amounts, 0.0), pd.DataFrame(cases, columns=["customer", "day", "is_bad"])


def around_events(spend: np.ndarray, cases: pd.DataFrame, *, window_days: int, seed: int) -> pd.DataFrame:
    """Return purchases around the days to be compared, as they are asked of a snapshot."""
    names = np.array([f"C{number:05d}" for number in range(len(spend))])
    days = pd.DataFrame(
        {"customer_id": names[cases["customer"]], "day": START + pd.to_timedelta(cases["day"], unit="D")}
    )
    has_bought = (spend > 0).any(axis=1)
    first = np.where(has_bought, (spend > 0).argmax(axis=1), N_DAYS)
    customers = pd.DataFrame(
        {"first_day": START + pd.to_timedelta(first, unit="D"), "spend": spend.sum(axis=1)}, index=names
    )[has_bought].rename_axis("customer_id")
    events = comparison_events(
        days[cases["is_bad"].to_numpy()],
        days[~cases["is_bad"].to_numpy()].drop_duplicates(),
        customers,
        window_days=window_days,
        known_from=START,
        as_of=AS_OF,
        seed=seed,
    )
    customer = pd.Index(names).get_indexer(pd.Index(events["customer_id"]))
    day = (events["day"] - START).dt.days.to_numpy()
    sums = {"spend": spend, "purchase_days": (spend > 0).astype(float)}
    windows = {"before_2": (-2 * window_days, -window_days), "before": (-window_days, 0), "after": (1, window_days + 1)}
    around = events.assign(tenure_days=day - first[customer])
    for measure, values in sums.items():
        run = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
        for window, (low, high) in windows.items():
            known = (day + low >= 0) & (day + high <= N_DAYS)
            total = run[customer, np.clip(day + high, 0, N_DAYS)] - run[customer, np.clip(day + low, 0, N_DAYS)]
            around[f"{measure}_{window}"] = np.where(known, total, np.nan)
    run = np.concatenate([np.zeros((len(spend), 1)), (spend > 0).cumsum(axis=1)], axis=1)
    around["purchase_days_lately"] = run[customer, day] - run[customer, day - LATELY_DAYS]
    return around
