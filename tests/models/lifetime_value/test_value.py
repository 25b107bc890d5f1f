"""Claims about lifetime value: periods by pencil, discounting, currency, order, and wrong input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.lifetime_value import BGNBD, MBGNBD, GammaGamma, ParetoNBD, RepeatPurchaseModel, lifetime_value
from tests.models.lifetime_value.simulated_customers import geometric_customers

KINDS = [BGNBD, MBGNBD, ParetoNBD]


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    table = geometric_customers(1_200, parameters=(0.8, 10.0, 0.8, 2.5), shift=0, seed=1)
    spend = np.random.default_rng(2).gamma(3, 10, len(table))
    return table.assign(monetary_value=np.where(table["frequency"] > 0, spend, 0.0))


@pytest.fixture(scope="module", params=KINDS)
def purchases(request: pytest.FixtureRequest, customers: pd.DataFrame) -> RepeatPurchaseModel:
    model: RepeatPurchaseModel = request.param().fit(customers)
    return model


@pytest.fixture(scope="module")
def spend(customers: pd.DataFrame) -> GammaGamma:
    return GammaGamma().fit(customers)


def value(
    purchases: RepeatPurchaseModel,
    spend: GammaGamma,
    customers: pd.DataFrame,
    *,
    n_periods: int = 12,
    days_in_period: float = 30,
    annual_discount_rate: float = 0.1,
) -> np.ndarray:
    return lifetime_value(
        purchases,
        spend,
        customers,
        n_periods=n_periods,
        days_in_period=days_in_period,
        annual_discount_rate=annual_discount_rate,
    )


def test_value_is_the_sum_of_its_periods(
    purchases: RepeatPurchaseModel, spend: GammaGamma, customers: pd.DataFrame
) -> None:
    first = purchases.expected_purchases(customers, horizon=30)
    second = purchases.expected_purchases(customers, horizon=60) - first
    a_purchase = spend.expected_spend(customers)
    by_hand = (first * 1.1 ** (-15 / 365.25) + second * 1.1 ** (-45 / 365.25)) * a_purchase
    np.testing.assert_allclose(value(purchases, spend, customers, n_periods=2), by_hand, rtol=1e-12)


def test_without_discount_the_cut_into_periods_does_not_matter(
    purchases: RepeatPurchaseModel, spend: GammaGamma, customers: pd.DataFrame
) -> None:
    whole = purchases.expected_purchases(customers, horizon=360) * spend.expected_spend(customers)
    in_parts = value(purchases, spend, customers, annual_discount_rate=0.0)
    np.testing.assert_allclose(in_parts, whole, rtol=1e-12)
    assert (value(purchases, spend, customers, annual_discount_rate=0.3) < in_parts).all()
    assert (value(purchases, spend, customers, n_periods=13, annual_discount_rate=0.0) > in_parts).all()


def test_value_is_in_the_customers_currency_and_order(purchases: RepeatPurchaseModel, customers: pd.DataFrame) -> None:
    order = np.random.default_rng(0).permutation(len(customers))
    other = customers.assign(monetary_value=customers["monetary_value"] * 7.5).iloc[order]
    spend = GammaGamma().fit(customers)
    values = value(purchases, spend, customers)
    np.testing.assert_allclose(value(purchases, GammaGamma().fit(other), other), 7.5 * values[order], rtol=1e-9)


@pytest.mark.parametrize(
    "wrong", [{"n_periods": 0}, {"days_in_period": 0.0}, {"days_in_period": np.inf}, {"annual_discount_rate": -0.1}]
)
def test_periods_and_rates_are_checked(spend: GammaGamma, customers: pd.DataFrame, wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        value(BGNBD(), spend, customers, **wrong)  # type: ignore[arg-type]
