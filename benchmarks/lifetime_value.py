"""
Models of repeat buying: fit and lifetime value against lifetimes, on simulated customers with days as times.

The likelihoods must agree at given parameters, ours must be at least as high at its optimum, and the values of all customers
must be the same, or the run stops.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import measured
from crm_analysis.models.lifetime_value import BGNBD, GammaGamma, ParetoNBD, lifetime_value

TRUTH = {"r": 0.55, "alpha": 30.0, "a": 0.8, "b": 2.5}
SPEND = {"p": 6.25, "q": 3.74, "gamma": 15.44}
SIZES = (100_000, 1_000_000)
FEW = 10_000
REPEATS = 3
N_PERIODS, DAYS, YEARLY = 12, 30, 0.1
A_PERIOD = (1 + YEARLY) ** (DAYS / 365.25) - 1
COLUMNS = ["frequency", "recency", "T"]
Task = Callable[[pd.DataFrame], Callable[[], Any]]


def make_customers(n: int) -> pd.DataFrame:
    """Draw customers of BG/NBD over two years; two purchases on a day count once, as in a table of purchase days."""
    draws = np.random.default_rng(0)
    rate, leaving = draws.gamma(TRUTH["r"], 1 / TRUTH["alpha"], n), draws.beta(TRUTH["a"], TRUTH["b"], n)
    length = draws.integers(1, 731, n)
    frequency, last, now = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n)
    staying = np.arange(n)
    while len(staying):
        now[staying] += draws.exponential(1 / rate[staying])
        staying = staying[now[staying] < length[staying]]
        day = now[staying].astype(np.int64)
        is_new = day > last[staying]
        frequency[staying] += is_new
        last[staying] = day
        staying = staying[~(is_new & (draws.random(len(staying)) < leaving[staying]))]
    spend = draws.gamma(SPEND["p"] * np.maximum(frequency, 1)) / draws.gamma(SPEND["q"], 1 / SPEND["gamma"], n)
    means = np.where(frequency > 0, spend / np.maximum(frequency, 1), 0.0)
    return pd.DataFrame({"frequency": frequency, "recency": last, "T": length, "monetary_value": means})


def our_fit(customers: pd.DataFrame) -> Callable[[], Any]:
    """Warm up, so that compiling is not measured, and return the fit of BG/NBD."""
    BGNBD().fit(customers.iloc[:1000])
    return lambda: _fitted(BGNBD().fit(customers))


def our_pareto_fit(customers: pd.DataFrame) -> Callable[[], Any]:
    """As :func:`our_fit`, for Pareto/NBD."""
    ParetoNBD().fit(customers.iloc[:1000])
    return lambda: _fitted(ParetoNBD().fit(customers))


def our_value(customers: pd.DataFrame) -> Callable[[], Any]:
    """Fit both models, warm up, and return the value over twelve periods."""
    models = BGNBD(), GammaGamma()
    for model in models:
        model.fit(customers.iloc[: SIZES[0]])

    def run(some: pd.DataFrame = customers) -> list[float]:
        values = lifetime_value(*models, some, n_periods=N_PERIODS, days_in_period=DAYS, annual_discount_rate=YEARLY)
        return [float(values.sum())]

    run(customers.iloc[:1000])
    return run


def peer_fit(customers: pd.DataFrame) -> Callable[[], Any]:
    """Return the fit of BG/NBD by lifetimes."""
    fitter = _lifetimes().BetaGeoFitter()
    columns = [customers[name] for name in COLUMNS]
    return lambda: dict(fitter.fit(*columns).params_)


def peer_pareto_fit(customers: pd.DataFrame) -> Callable[[], Any]:
    """Return the fit of Pareto/NBD by lifetimes."""
    fitter = _lifetimes().ParetoNBDFitter()
    columns = [customers[name] for name in COLUMNS]
    return lambda: dict(fitter.fit(*columns).params_)


def peer_value(customers: pd.DataFrame) -> Callable[[], Any]:
    """Give lifetimes our parameters, and return its value over twelve periods."""
    purchases, spend = BGNBD(), GammaGamma()
    for model in (purchases, spend):
        model.fit(customers.iloc[: SIZES[0]])
    fitter, gamma = _peers(purchases, spend)
    return lambda: [float(_peer_values(fitter, gamma, customers).sum())]


TASKS: dict[str, Task] = {
    "our_fit": our_fit,
    "peer_fit": peer_fit,
    "our_value": our_value,
    "peer_value": peer_value,
    "our_pareto_fit": our_pareto_fit,
    "peer_pareto_fit": peer_pareto_fit,
}


def run_task(name: str, home: str, n: int) -> None:
    """Read the customers, prepare, and leave beside them how long the task itself took."""
    customers = pd.read_parquet(Path(home) / "customers.parquet").iloc[:n].reset_index(drop=True)
    run = TASKS[name](customers)
    started = time.perf_counter()
    run()
    (Path(home) / "seconds").write_text(json.dumps(time.perf_counter() - started))


def seconds_and_peak(names: tuple[str, str], home: str, n: int, *, repeats: int) -> list[tuple[float, float]]:
    """Return the median of the seconds and the highest peak of two tasks, run in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    peaks: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            peaks[name].append(measured(run_task, name, home, n, repeats=1)[1])
            seconds[name].append(json.loads((Path(home) / "seconds").read_text()))
    return [(statistics.median(seconds[name]), max(peaks[name])) for name in names]


def check_same_numbers(customers: pd.DataFrame) -> None:
    """Raise unless likelihoods and values are those of lifetimes."""
    ours, spend = BGNBD().fit(customers), GammaGamma().fit(customers)
    fitter, gamma = _peers(ours, spend)
    at_ours = _peer_log_likelihood(fitter, ours.parameters_, customers)
    np.testing.assert_allclose(ours.log_likelihood_, at_ours, rtol=1e-10)
    at_theirs = _peer_log_likelihood(fitter, peer_fit(customers)(), customers)
    np.testing.assert_allclose(ours.log_likelihood_, at_theirs, rtol=1e-6)
    if ours.log_likelihood_ < at_theirs - 1e-6:
        raise AssertionError(f"lifetimes found a higher likelihood: {at_theirs} against {ours.log_likelihood_}")
    theirs = _peer_values(fitter, gamma, customers) * (1 + A_PERIOD) ** 0.5  # discounted from the end of a period
    values = lifetime_value(
        ours, spend, customers, n_periods=N_PERIODS, days_in_period=DAYS, annual_discount_rate=YEARLY
    )
    np.testing.assert_allclose(values, theirs, rtol=1e-6)


def figures() -> list[tuple[str, ...]]:
    """Return the table: seconds, peak MB and the ratio to lifetimes."""
    table: list[tuple[str, ...]] = [("customers", "what", "how", "seconds", "peak MB", "lifetimes ÷ this")]
    with tempfile.TemporaryDirectory() as home:
        customers = make_customers(max(SIZES))
        customers.to_parquet(Path(home) / "customers.parquet")
        check_same_numbers(customers.iloc[: SIZES[0]].reset_index(drop=True))
        for what, pair, n, repeats in (
            ("fit of BG/NBD", ("our_fit", "peer_fit"), SIZES[0], REPEATS),
            ("fit of BG/NBD", ("our_fit", "peer_fit"), SIZES[1], REPEATS),
            ("value, 12 periods", ("our_value", "peer_value"), SIZES[1], REPEATS),
            ("fit of Pareto/NBD", ("our_pareto_fit", "peer_pareto_fit"), FEW, 1),
        ):
            ours, peer = seconds_and_peak(pair, home, n, repeats=repeats)
            for how, (seconds, peak) in (("crm_analysis", ours), ("lifetimes", peer)):
                table.append((f"{n:,}", what, how, f"{seconds:.3f}", f"{peak:,.0f}", f"{peer[0] / seconds:.1f}"))
    return table


def _fitted(model: BGNBD | ParetoNBD) -> dict[str, float]:
    return dict(model.parameters_)


def _lifetimes() -> ModuleType:
    """Import lifetimes in this process only, without the module of setuptools that is gone."""
    sys.modules.setdefault("pkg_resources", ModuleType("pkg_resources"))
    import lifetimes  # noqa: PLC0415 - nothing else of the project may import it

    module: ModuleType = lifetimes
    return module


def _peers(purchases: BGNBD, spend: GammaGamma) -> tuple[Any, Any]:
    """Return the fitters of lifetimes with our parameters."""
    fitter, gamma = _lifetimes().BetaGeoFitter(), _lifetimes().GammaGammaFitter()
    fitter.params_ = pd.Series(purchases.parameters_)
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    p, q, v = spend.parameters_.values()
    gamma.params_ = pd.Series({"p": p, "q": q, "v": v})
    return fitter, gamma


def _peer_values(fitter: Any, gamma: Any, customers: pd.DataFrame) -> np.ndarray:
    columns = [customers[name] for name in (*COLUMNS, "monetary_value")]
    values = gamma.customer_lifetime_value(fitter, *columns, time=N_PERIODS, discount_rate=A_PERIOD, freq="D")
    return np.asarray(values, dtype=float)


def _peer_log_likelihood(fitter: Any, parameters: dict[str, float], customers: pd.DataFrame) -> float:
    logs = np.log([parameters[name] for name in TRUTH])
    columns = [customers[name].to_numpy() for name in COLUMNS]
    mean = fitter._negative_log_likelihood(logs, *columns, np.ones(len(customers)), 0.0)
    return -float(mean) * len(customers)
