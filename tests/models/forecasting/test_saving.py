"""A saved model of repeat buying says of customers what it said when it was made, and holds nobody."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import ModelError
from crm_analysis.models.forecasting import (
    CustomerForecast,
    CustomerHistories,
    customer_histories,
    forecast_customers,
    lifetime_values,
    save_repeat_buying,
)
from crm_analysis.models.forecasting.saving import RepeatBuyingModel
from crm_analysis.models.scoring import score_dataset
from crm_analysis.models.storage import load_model
from crm_analysis.tables.datasets import Dataset
from tests.models.forecasting.simulated_shop import FIRST_DAY, dataset_of, simulated_lines

N_DAYS = 400
AS_OF = (FIRST_DAY + pd.Timedelta(days=N_DAYS - 1)).date()
WORTH = {"value_days": 365, "annual_discount_rate": 0.1}


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Dataset, CustomerHistories, CustomerForecast, Path]:
    folder = tmp_path_factory.mktemp("shop")
    shop = dataset_of(folder, simulated_lines(150, n_days=N_DAYS, seed=3))
    histories = customer_histories(shop, as_of=AS_OF, horizon_days=60, history_days=365, n_origins=3)
    forecast = forecast_customers(histories, seed=0)
    to = folder / "models" / "repeat_buying"
    save_repeat_buying(forecast, shop, history_days=365, to=to, **WORTH)
    return shop, histories, forecast, to


def test_scores_are_those_of_the_report(
    made: tuple[Dataset, CustomerHistories, CustomerForecast, Path],
) -> None:
    shop, histories, forecast, folder = made
    scores = score_dataset(folder, shop, as_of=AS_OF).table.set_index("customer_id")
    assert list(scores.index) == list(forecast.forecasts.index)
    np.testing.assert_allclose(scores["chance_active"], forecast.forecasts["chance_active"], rtol=1e-9)
    value = lifetime_values(forecast, histories.current, **WORTH)
    np.testing.assert_allclose(scores["lifetime_value"], value, rtol=1e-9)
    assert (scores["transactions_forecast"] >= 0).all()
    assert set(scores["assigned_by"]) <= {"BG/NBD", "MBG/NBD", "Pareto/NBD"}


def test_the_file_holds_parameters_and_no_customer(
    made: tuple[Dataset, CustomerHistories, CustomerForecast, Path],
) -> None:
    _, _, forecast, folder = made
    content = load_model(folder).content
    assert set(content) == {"model", "purchases", "spend", "mean_spend"}
    assert len(content["purchases"]) == 4
    assert len(content["spend"]) == 3
    assert content["model"] == forecast.lawful_model


def test_an_earlier_day_is_scored_by_what_was_known_then(
    made: tuple[Dataset, CustomerHistories, CustomerForecast, Path],
) -> None:
    shop, _, _, folder = made
    scores = score_dataset(folder, shop, as_of=date(2023, 10, 1)).table
    assert 0 < len(scores) < 150
    assert scores["chance_active"].between(0, 1).all()


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"model": "bg_nbd"},
        {"model": "crystal_ball", "purchases": {}, "spend": {}, "mean_spend": 1.0},
        {"model": "bg_nbd", "purchases": {"r": 1.0}, "spend": {"p": 1, "q": 2, "gamma": 3}, "mean_spend": 1.0},
        {
            "model": "bg_nbd",
            "purchases": {"r": 1.0, "alpha": -2.0, "a": 1.0, "b": 1.0},
            "spend": {"p": 1, "q": 2, "gamma": 3},
            "mean_spend": 1.0,
        },
    ],
)
def test_what_is_no_such_model_is_refused(content: object) -> None:
    with pytest.raises(ModelError, match=r"[Mm]ake (it|the model) anew"):
        RepeatBuyingModel.from_plain(content)
