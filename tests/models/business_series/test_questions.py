"""The business as a whole is reconciled with its customers, and says why where it cannot be forecast."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from crm_analysis.features.series import business_series, revenue_by_acquaintance
from crm_analysis.figures.business_series import plot_business
from crm_analysis.figures.display import alternative_text
from crm_analysis.models.business_series import WholeBusiness, forecast_whole_business
from crm_analysis.tables.datasets import Dataset
from tests.models.forecasting.simulated_shop import FIRST_DAY, dataset_of, simulated_lines

AS_OF = date(2024, 7, 31)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    n_days = (AS_OF - FIRST_DAY.date()).days + 1
    return dataset_of(tmp_path_factory.mktemp("shop"), simulated_lines(120, n_days=n_days, seed=2))


def asked(
    shop: Dataset, *, as_of: date = AS_OF, known_revenue: float = 5000.0, known_orders: float | None = None
) -> WholeBusiness:
    return forecast_whole_business(
        shop,
        as_of=as_of,
        horizon_days=60,
        history_days=365,
        known_revenue=known_revenue,
        n_customers=120,
        known_orders=known_orders,
    )


def test_customers_and_business_are_held_against_each_other(shop: Dataset) -> None:
    whole = asked(shop)
    sums = whole.sums.set_index("part")["revenue"]
    assert sums["customers known"] == 5000
    assert sums["built up from customers"] == pytest.approx(5000 + sums["new and returning customers"], abs=1)
    assert sums["difference"] == pytest.approx(sums["built up from customers"] - sums["forecast of the series"], abs=1)
    assert whole.results["business_revenue"] == pytest.approx(sums["forecast of the series"], abs=0.5)
    assert set(whole.ahead["measure"]) == {"revenue", "orders", "active_customers"}
    assert any("add up to 5,000" in sentence for sentence in whole.sentences())


def test_more_from_customers_moves_the_difference_and_not_the_series(shop: Dataset) -> None:
    few, many = (asked(shop, known_revenue=revenue).sums.set_index("part")["revenue"] for revenue in (5000.0, 8000.0))
    assert few["forecast of the series"] == many["forecast of the series"]
    assert many["difference"] > few["difference"]


def test_purchase_days_are_held_against_each_other_too(shop: Dataset) -> None:
    whole = asked(shop, known_orders=150.0)
    days = whole.sums.set_index("part")["purchase days"]
    assert days["customers known"] == 150
    assert whole.forecast is not None
    assert days["forecast of the series"] == pytest.approx(whole.forecast.orders.total.forecast, abs=0.5)
    assert any("Of purchase days, customers known are forecast 150" in sentence for sentence in whole.sentences())


def test_purchase_days_by_acquaintance_are_those_of_the_series(shop: Dataset) -> None:
    origin = AS_OF - timedelta(days=56)
    parted = revenue_by_acquaintance(shop, origins=[origin], horizon_days=56, history_days=90).iloc[0]
    weeks = business_series(shop.known(AS_OF)).table
    assert parted["total_orders"] == weeks["orders"].iloc[-8:].sum() > 0
    assert parted["known_orders"] + parted["returning_orders"] + parted["new_orders"] == parted["total_orders"]


def test_a_short_history_is_said_in_words_table_and_picture(shop: Dataset) -> None:
    whole = asked(shop, as_of=date(2023, 7, 20))
    assert whole.forecast is None
    (sentence,) = whole.sentences()
    assert sentence.startswith("The business as a whole cannot be forecast. ")
    assert whole.warnings == []
    assert whole.results == {}
    assert whole.ahead.empty
    assert whole.errors.to_numpy().tolist() == whole.sums.to_numpy().tolist() == [[whole.reason]]
    (axes,) = plot_business(whole)
    assert alternative_text(axes) == " ".join(whole.reason.split())


def test_the_pictures_are_of_the_series_and_its_hold_out(shop: Dataset) -> None:
    texts = [alternative_text(axes) for axes in plot_business(asked(shop), currency="EUR")]
    assert len(texts) == 2
    assert "hold-out" in texts[1]
    assert np.all(["EUR" in text for text in texts])
