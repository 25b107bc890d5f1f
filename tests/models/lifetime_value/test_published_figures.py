"""
The figures published for the tenth of CDNOW, 39 weeks, reproduced from its transactions.

The literature counts every day with an order, those of no value too, so that there are 2,357 customers. Our own
``repeat_purchases`` counts lines of positive amount only: 2,349, because eight only ever got a free disc.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, gammaln, hyp2f1

from crm_analysis.features.purchases import repeat_purchases
from crm_analysis.models.lifetime_value import BGNBD, MBGNBD, GammaGamma, ParetoNBD
from crm_analysis.tables.datasets import Dataset, open_dataset

ROOT = Path(__file__).parents[3]
LAST_DAY = date(1997, 9, 30)
DAYS_SQL = """
WITH days AS (
    SELECT customer_id, CAST(occurred_at AS DATE) AS day, SUM(amount) AS spend FROM transactions GROUP BY ALL
), ranked AS (
    SELECT *, MIN(day) OVER (PARTITION BY customer_id) AS first_day FROM days
)
SELECT
    customer_id,
    COUNT(*) - 1 AS frequency,
    DATE_DIFF('day', MIN(day), MAX(day)) / 7 AS recency,
    DATE_DIFF('day', MIN(day), $last_day) / 7 AS T,
    CAST(COALESCE(AVG(spend) FILTER (day > first_day), 0) AS DOUBLE) AS monetary_value
FROM ranked GROUP BY customer_id ORDER BY customer_id
"""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset(str(ROOT / "params/datasets/cdnow_sample.yaml"))


@pytest.fixture(scope="module")
def weeks(dataset: Dataset) -> pd.DataFrame:
    """Repeat purchases as the literature counts them, in weeks."""
    return dataset.known(LAST_DAY).query(DAYS_SQL, {"last_day": LAST_DAY})


@pytest.fixture(scope="module")
def bgnbd(weeks: pd.DataFrame) -> BGNBD:
    return BGNBD().fit(weeks)


def test_bgnbd_is_the_published_one(weeks: pd.DataFrame, bgnbd: BGNBD) -> None:
    """Fader, Hardie, Lee 2005, table 2."""
    assert (len(weeks), bgnbd.n_customers_) == (2357, 2357)
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert {name: round(value, 3) for name, value in bgnbd.parameters_.items()} == published
    assert bgnbd.log_likelihood_ == pytest.approx(-9582.4, abs=0.05)
    assert bgnbd.notes_ == ()


def test_paretonbd_is_the_published_one(weeks: pd.DataFrame) -> None:
    """Fader, Hardie, Lee 2005, table 2."""
    model = ParetoNBD().fit(weeks)
    published = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    assert {name: round(value, 3) for name, value in model.parameters_.items()} == published
    assert model.log_likelihood_ == pytest.approx(-9595.0, abs=0.05)


def test_gamma_gamma_is_the_published_one(weeks: pd.DataFrame) -> None:
    """Fader, Hardie 2013: 946 customers with a repeat purchase."""
    model = GammaGamma().fit(weeks)
    assert {name: round(value, 2) for name, value in model.parameters_.items()} == {
        "p": 6.25,
        "q": 3.74,
        "gamma": 15.44,
    }
    assert (model.n_customers_, model.n_left_out_) == (946, 1411)
    assert model.correlation_ == pytest.approx(0.11, abs=0.005)  # the note says 0.11


def test_the_mean_spend_is_the_published_one(weeks: pd.DataFrame) -> None:
    """Fader, Hardie 2013: a mean of 35 dollars over all customers."""
    assert GammaGamma().fit(weeks).mean_spend_ == pytest.approx(35.17, abs=0.05)


def test_counting_paid_lines_only_gives_nearly_the_same(dataset: Dataset, bgnbd: BGNBD) -> None:
    paid = repeat_purchases(dataset.known(LAST_DAY))
    model = BGNBD().fit(paid)  # in days
    assert model.n_customers_ == 2349
    assert model.parameters_["alpha"] / 7 == pytest.approx(bgnbd.parameters_["alpha"], rel=0.05)
    assert model.parameters_["r"] == pytest.approx(bgnbd.parameters_["r"], rel=0.02)


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
def test_standard_errors_are_those_of_a_hessian_made_of_likelihoods_alone(
    kind: type[BGNBD | MBGNBD | ParetoNBD], weeks: pd.DataFrame
) -> None:
    model = kind().fit(weeks)
    values = np.array(list(model.parameters_.values()))
    steps = 1e-3 * values

    def total(point: np.ndarray) -> float:
        return log_likelihood_by_formula(kind, weeks, point)

    size = len(values)
    hessian = np.empty((size, size))
    for row in range(size):
        for column in range(size):
            first, second = np.eye(size)[row] * steps, np.eye(size)[column] * steps
            corners = total(values + first + second) - total(values + first - second)
            corners += total(values - first - second) - total(values - first + second)
            hessian[row, column] = corners / (4 * steps[row] * steps[column])
    expected = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    np.testing.assert_allclose(list(model.standard_errors_.values()), expected, rtol=0.01)
    assert total(values) == pytest.approx(model.log_likelihood_, abs=1e-6)


def log_likelihood_by_formula(kind: type, customers: pd.DataFrame, point: np.ndarray) -> float:
    """The papers' formulas, with log-gamma and hypergeometric functions, customer by customer."""
    x, tx, length = (customers[name].to_numpy(dtype=float) for name in ("frequency", "recency", "T"))
    if kind is ParetoNBD:
        r, alpha, s, beta = point
        k, low, high = r + s + x, min(alpha, beta), max(alpha, beta)
        second = s + 1 if alpha >= beta else r + x
        parts = [hyp2f1(k, second, k + 1, (high - low) / (high + t)) / (high + t) ** k for t in (tx, length)]
        inside = (alpha + length) ** -(r + x) * (beta + length) ** -s + s / k * (parts[0] - parts[1])
        return float((gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(inside)).sum())
    r, alpha, a, b = point
    n = x + (1 if kind is MBGNBD else 0)
    stayed = np.exp(betaln(a, b + n) - betaln(a, b)) * (alpha + length) ** -(r + x)
    left = np.where(n > 0, np.exp(betaln(a + 1, b + np.maximum(n, 1) - 1) - betaln(a, b)) * (alpha + tx) ** -(r + x), 0)
    return float((gammaln(r + x) - gammaln(r) + r * np.log(alpha) + np.log(stayed + left)).sum())


def test_pareto_whose_spread_of_leaving_runs_off_is_fitted(dataset: Dataset) -> None:
    """Four months of the same customers: the likelihood rises along a ridge up to the bound."""
    model = ParetoNBD().fit(repeat_purchases(dataset.known(date(1997, 5, 3))))
    assert any("beta lies at the upper bound" in note for note in model.notes_)
    assert model.parameters_["s"] > 1000
    assert model.parameters_["s"] / model.parameters_["beta"] == pytest.approx(0.0088, abs=1e-4)  # leaving, a day
