"""Claims about the Gamma-Gamma model: known truth, shrinkage by pencil, currency, returns, and plain errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.lifetime_value import GammaGamma

TRUTH = {"p": 5.0, "q": 4.0, "gamma": 18.0}  # a mean of 30


def spenders(n: int, *, seed: int) -> pd.DataFrame:
    """Customers with a mean of their own, a third of them without a repeat purchase."""
    draws = np.random.default_rng(seed)
    frequency = draws.integers(0, 3, n) * draws.integers(1, 5, n)
    rate = draws.gamma(TRUTH["q"], 1 / TRUTH["gamma"], n)
    sums = draws.gamma(np.maximum(TRUTH["p"] * frequency, 1e-9), 1 / rate)
    means = np.where(frequency > 0, sums / np.maximum(frequency, 1), 0.0)
    return pd.DataFrame({"frequency": frequency, "monetary_value": means, "truth": TRUTH["p"] / rate})


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return spenders(8_000, seed=1)


@pytest.fixture(scope="module")
def model(customers: pd.DataFrame) -> GammaGamma:
    return GammaGamma().fit(customers)


def test_planted_parameters_are_found_within_three_standard_errors(model: GammaGamma) -> None:
    for name, truth in TRUTH.items():
        assert abs(model.parameters_[name] - truth) < 3 * model.standard_errors_[name], name
        assert model.standard_errors_[name] < 0.2 * truth, name
    assert model.mean_spend_ == pytest.approx(30, rel=0.03)
    assert abs(model.correlation_) < 0.05


def test_expected_spend_is_what_customers_spend_on_average(model: GammaGamma) -> None:
    customers = spenders(60_000, seed=2)
    customers["expected"] = model.expected_spend(customers)
    groups = customers.groupby([customers["frequency"].clip(upper=3), customers["monetary_value"] > 30])
    means = groups[["expected", "truth"]].mean()
    np.testing.assert_allclose(means["expected"], means["truth"], rtol=0.04)


def test_standard_errors_are_those_of_the_bootstrap(customers: pd.DataFrame) -> None:
    some = customers.iloc[:1_500]
    draws = np.random.default_rng(3)
    refits = [GammaGamma().fit(some.iloc[draws.integers(0, len(some), len(some))]).parameters_["q"] for _ in range(100)]
    assert np.std(refits) == pytest.approx(GammaGamma().fit(some).standard_errors_["q"], rel=0.25)


def test_the_likelihood_is_the_sum_of_the_densities(customers: pd.DataFrame, model: GammaGamma) -> None:
    used = customers[customers["frequency"] > 0]
    x, m = used["frequency"].to_numpy(), used["monetary_value"].to_numpy()
    p, q, gamma = model.parameters_.values()
    logs = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma) + (p * x - 1) * np.log(m)
    logs += p * x * np.log(x) - (p * x + q) * np.log(gamma + m * x)
    assert model.log_likelihood_ == pytest.approx(logs.sum(), rel=1e-10)


def test_shrinkage_by_pencil() -> None:
    model = GammaGamma()
    model.parameters_ = {"p": 2.0, "q": 3.0, "gamma": 10.0}
    model._set_mean(99.0)
    assert model.mean_spend_ == 10  # 2 * 10 / (3 - 1)
    table = pd.DataFrame({"frequency": [0, 3, 3, 10_000], "monetary_value": [0.0, 30.0, -5.0, 30.0]})
    # two parts mean of all, six parts own: (2 * 10 + 6 * 30) / 8; returns beyond purchases count as nothing
    np.testing.assert_allclose(model.expected_spend(table), [10, 25, 2.5, 30], rtol=1e-3)


@pytest.mark.parametrize("factor", [7.4386, 1e-6, 1e9])
def test_a_currency_factor_carries_through(customers: pd.DataFrame, model: GammaGamma, factor: float) -> None:
    other = customers.assign(monetary_value=customers["monetary_value"] * factor)
    changed = GammaGamma().fit(other)
    np.testing.assert_allclose(changed.expected_spend(other), factor * model.expected_spend(customers), rtol=1e-9)
    assert changed.parameters_["q"] == pytest.approx(model.parameters_["q"], rel=1e-8)
    assert changed.standard_errors_["gamma"] == pytest.approx(factor * model.standard_errors_["gamma"], rel=1e-5)


def test_order_and_names_do_not_matter(customers: pd.DataFrame, model: GammaGamma) -> None:
    order = np.random.default_rng(0).permutation(len(customers))
    other = GammaGamma().fit(customers.iloc[order].set_axis([f"顾客{number}" for number in order]))
    assert other.parameters_ == pytest.approx(model.parameters_, rel=1e-12)


def test_that_some_were_left_out_is_told_but_not_how_many(customers: pd.DataFrame) -> None:
    table = customers.iloc[:300].copy()
    repeated = table.index[table["frequency"] > 0]
    table.loc[repeated[:2], "monetary_value"] = [0.0, -3.0]
    model = GammaGamma().fit(table)
    assert model.n_left_out_ == 300 - len(repeated) + 2
    assert model.notes_ == (
        "Customers without purchases, or whose purchases brought nothing, were left out of the fit.",
    )
    assert not any("left out" in note for note in GammaGamma().fit(customers[customers["frequency"] > 0]).notes_)


def test_an_infinite_mean_is_told_and_replaced() -> None:
    draws = np.random.default_rng(4)
    table = pd.DataFrame({"frequency": [1, 2, 3] * 100, "monetary_value": np.exp(draws.normal(0, 3, 300))})
    model = GammaGamma().fit(table)
    assert model.parameters_["q"] <= 1
    bought = (table["frequency"] * table["monetary_value"]).sum() / table["frequency"].sum()
    assert model.mean_spend_ == pytest.approx(bought)
    assert "the model's mean spend is infinite" in model.notes_[-1]
    expected = model.expected_spend(table)
    own = table["monetary_value"]
    assert ((expected >= np.minimum(own, bought)) & (expected <= np.maximum(own, bought))).all()


def test_one_size_of_purchase_and_little_spread_end_sensibly() -> None:
    same = pd.DataFrame({"frequency": [1, 2] * 20, "monetary_value": [5.0] * 40})
    with pytest.raises(DataQualityError, match=r"All 40 customers .* the same mean spend \(5\)"):
        GammaGamma().fit(same)
    nearly = same.assign(monetary_value=[5.0, 5.001] * 20)
    model = GammaGamma().fit(nearly)
    assert "upper bound" in " ".join(model.notes_)
    np.testing.assert_allclose(model.expected_spend(nearly), 5.0, rtol=1e-3)


def test_equal_frequencies_have_no_correlation(customers: pd.DataFrame) -> None:
    assert np.isnan(GammaGamma().fit(customers[customers["frequency"] == 1]).correlation_)


def test_too_few_spenders_and_missing_values_are_told(customers: pd.DataFrame) -> None:
    with pytest.raises(TooFewRecordsError, match=r"^Fewer than 10 customers have purchases .* needs 10"):
        GammaGamma().fit(customers[customers["frequency"] > 0].iloc[:1])
    with pytest.raises(TooFewRecordsError, match=r"^Fewer than 10 customers"):
        GammaGamma().fit(customers[customers["frequency"] == 0])
    with pytest.raises(DataQualityError, match="'monetary_value' is missing or infinite in 1 of 50"):
        GammaGamma().fit(customers.iloc[:50].assign(monetary_value=[np.inf, *[2.0] * 49]))
