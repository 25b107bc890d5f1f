"""A simulated shop as it was known on a day in its last month, with every model's forecasts, made once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from crm_analysis.models.forecasting import CustomerHistories, customer_histories
from tests.models.forecasting.simulated_shop import EveryForecast, dataset_of, every_forecast, simulated_lines

AS_OF = date(2024, 6, 20)  # five weeks before the last line
WHOLE = {"horizon_days": 60, "n_origins": 4}
SHORTER = {"horizon_days": 150, "n_origins": 3}
Collect = Callable[..., CustomerHistories]


@pytest.fixture(scope="session")
def lines() -> pd.DataFrame:
    """The shop's lines, some of them returns, some later than the day known."""
    return simulated_lines(110, n_days=420, seed=7)


@pytest.fixture(scope="session")
def collect(tmp_path_factory: pytest.TempPathFactory) -> Collect:
    """Write lines to a dataset of their own, and collect what forecasts are made from."""

    def histories(rows: pd.DataFrame, *, as_of: date = AS_OF, **settings: Any) -> CustomerHistories:
        dataset = dataset_of(tmp_path_factory.mktemp("shop"), rows)
        return customer_histories(dataset, as_of=as_of, **({"history_days": 365} | WHOLE | settings))

    return histories


@pytest.fixture(scope="session")
def whole(lines: pd.DataFrame, collect: Collect) -> CustomerHistories:
    """With room for training periods as long as the horizon."""
    return collect(lines)


@pytest.fixture(scope="session")
def shorter(lines: pd.DataFrame, collect: Collect) -> CustomerHistories:
    """With a horizon too long for that."""
    return collect(lines, **SHORTER)


@pytest.fixture(scope="session")
def of_whole(whole: CustomerHistories) -> EveryForecast:
    """Every model, the support vector regression an exact one."""
    return every_forecast(whole)


@pytest.fixture(scope="session")
def of_shorter(shorter: CustomerHistories) -> EveryForecast:
    """Every model, the support vector regression by landmarks."""
    return every_forecast(shorter, exact_svr_rows=100)
