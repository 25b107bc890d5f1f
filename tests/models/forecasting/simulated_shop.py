"""A small shop whose customers have rates, baskets and ends of their own, and what every model forecast for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from crm_analysis.models.forecasting import CustomerForecast, CustomerHistories, forecast_customers, result
from crm_analysis.models.forecasting.choice import Choice
from crm_analysis.tables.datasets import Dataset, open_dataset

FIRST_DAY = pd.Timestamp("2023-06-01")  # a leap day lies in the year after


def simulated_lines(n_customers: int, *, n_days: int, seed: int, returns: float = 0.03) -> pd.DataFrame:
    """Draw purchases by a Poisson process until a customer leaves; a share of them is given back a week later."""
    draws = np.random.default_rng(seed)
    first = draws.integers(0, n_days * 2 // 3, n_customers)
    first[0] = 0  # every shop opens on the same day
    rate, basket = draws.gamma(1.5, 0.02, n_customers), draws.lognormal(3.5, 0.5, n_customers)
    until = np.minimum(first + draws.exponential(300, n_customers), n_days)
    number = 1 + draws.poisson(rate * (until - first))
    customer = np.repeat(np.arange(n_customers), number)
    later = first[customer] + draws.random(len(customer)) * (until - first)[customer]
    is_first = np.r_[True, np.diff(customer) > 0]
    day = np.where(is_first, first[customer], later).astype(int)
    bought = pd.DataFrame(
        {
            "customer_id": [f"c{one:04d}" for one in customer],
            "occurred_at": FIRST_DAY + pd.to_timedelta(day, unit="D"),
            "amount": (basket[customer] * draws.lognormal(0, 0.4, len(customer))).round(2),
        }
    )
    back = bought[draws.random(len(bought)) < returns]
    back = back.assign(occurred_at=back["occurred_at"] + pd.Timedelta(days=7), amount=-back["amount"])
    lines = pd.concat([bought, back[back["occurred_at"] < FIRST_DAY + pd.Timedelta(days=n_days)]], ignore_index=True)
    return lines.sort_values(["customer_id", "occurred_at"], ignore_index=True)


def dataset_of(folder: Path, lines: pd.DataFrame, *, name: str = "shop") -> Dataset:
    """Write lines and a dataset file, public, and open it."""
    lines.to_csv(folder / f"{name}.csv", index=False)
    content = {
        "name": name,
        "currency": "EUR",
        "public": True,
        "tables": {"transactions": {"files": f"{name}.csv"}},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return open_dataset(str(path))


@dataclass(frozen=True)
class EveryForecast:
    """A result, with what each of the models forecast for the hold-out: a row a customer, a column a model."""

    result: CustomerForecast
    spend: pd.DataFrame
    transactions: pd.DataFrame

    @property
    def choices(self) -> tuple[Choice, Choice]:
        """Those of both targets."""
        return self.result.spend.choice, self.result.transactions.choice


def every_forecast(histories: CustomerHistories, **settings: Any) -> EveryForecast:
    """Forecast, and note what every model's errors were measured from."""
    noted: list[dict[str, np.ndarray]] = []
    measure = result.holdout_errors

    def noting(actual: np.ndarray, forecasts: dict[str, np.ndarray], **others: Any) -> Any:
        noted.append(forecasts)
        return measure(actual, forecasts, **others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(result, "holdout_errors", noting)
        found = forecast_customers(histories, seed=0, **settings)
    transactions, spend = (pd.DataFrame(one, index=found.holdout.index).sort_index() for one in noted)
    return EveryForecast(found, spend, transactions)
