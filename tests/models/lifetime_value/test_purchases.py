"""Claims about the models of repeat buying: known truth, exact expectations, invariance, limits and plain errors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betaln, hyp2f1

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.lifetime_value import BGNBD, MBGNBD, ParetoNBD, RepeatPurchaseModel, fitting, kernels
from crm_analysis.models.lifetime_value.checks import checked_purchases
from crm_analysis.models.lifetime_value.grouping import group_customers
from crm_analysis.models.lifetime_value.pareto_kernels import pareto_gone
from tests.models.lifetime_value.simulated_customers import geometric_customers, pareto_customers

KINDS = [BGNBD, MBGNBD, ParetoNBD]
TRUTHS = {BGNBD: (0.6, 8.0, 0.8, 2.5), MBGNBD: (0.9, 8.0, 0.8, 2.5), ParetoNBD: (0.9, 8.0, 0.8, 15.0)}
HORIZON = 30.0
SMALL = pd.DataFrame(
    {"frequency": [0, 0, 1, 2, 4, 9] * 4, "recency": [0, 0, 3, 30, 61, 20] * 4, "T": [70, 0, 50, 70, 70, 70] * 4}
)


def drawn(kind: type[RepeatPurchaseModel], *, n: int, seed: int) -> pd.DataFrame:
    if kind is ParetoNBD:
        return pareto_customers(n, parameters=TRUTHS[kind], seed=seed, horizon=HORIZON)
    return geometric_customers(n, parameters=TRUTHS[kind], shift=int(kind is MBGNBD), seed=seed, horizon=HORIZON)


def at_the_truth(kind: type[RepeatPurchaseModel], **changes: float) -> RepeatPurchaseModel:
    """A model that is told the truth instead of being fitted."""
    model = kind()
    model.parameters_ = dict(zip(kind._NAMES, TRUTHS[kind], strict=True)) | changes
    return model


def one(frequency: int, recency: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [frequency], "recency": [recency], "T": [T]})


# --- known truth


@pytest.mark.parametrize("kind", KINDS)
def test_planted_parameters_are_found_within_three_standard_errors(kind: type[RepeatPurchaseModel]) -> None:
    model = kind().fit(drawn(kind, n=8_000, seed=1))
    assert model.notes_ == ()
    for name, truth in zip(kind._NAMES, TRUTHS[kind], strict=True):
        assert abs(model.parameters_[name] - truth) < 3 * model.standard_errors_[name], name
        assert model.standard_errors_[name] < 0.5 * truth, name


@pytest.mark.parametrize("kind", KINDS)
def test_expected_purchases_and_chances_are_those_that_came(kind: type[RepeatPurchaseModel]) -> None:
    customers, model = drawn(kind, n=60_000, seed=2), at_the_truth(kind)
    customers["expected"] = model.expected_purchases(customers, horizon=HORIZON)
    customers["chance"] = model.chance_active(customers)
    groups = customers.groupby([customers["frequency"].clip(upper=4), customers["recency"] > customers["T"] / 2])
    means, sizes = groups.mean(), groups.size()
    for claimed, came in [("expected", "ahead"), ("chance", "active")]:
        error = groups[came].std() / np.sqrt(sizes) + 1e-9
        assert ((means[claimed] - means[came]).abs() / error).max() < 4, claimed


# --- exact numbers


@pytest.mark.parametrize(
    ("size", "ratio", "a", "b"),
    [
        (0.243, 1.0, 0.79, 2.4),
        (5.0, 2.0, 1.0, 3.0),
        (300.2, 3.0, 0.79, 302.0),
        (300.2, 0.01, 0.79, 302.0),
        (300.0, 50.0, 0.8, 300.0),
        (0.5, 900.0, 0.2, 3.0),
        (0.3, 1e-8, 0.7, 0.4),
        (20.0, 10.0, 50.0, 1.0),
    ],
)
def test_series_and_integral_are_the_expectation(size: float, ratio: float, a: float, b: float) -> None:
    def integrand(logit: float) -> float:
        stay = -np.logaddexp(0, logit)
        chance = np.exp(logit + stay)
        density = np.exp(a * (logit + stay) + b * stay - betaln(a, b))
        return float(density * -np.expm1(-size * np.log1p(chance * ratio)) / chance)

    edges = np.linspace(-200, 60, 131)
    truth = sum(quad(integrand, low, high, epsrel=1e-12)[0] for low, high in pairwise(edges))
    assert kernels.purchases_by_integral(size, ratio, a, b) == pytest.approx(truth, rel=1e-9)
    if size * np.log1p(ratio) < 600:
        assert kernels.purchases_by_series(size, np.array([ratio]), np.ones(1), a, b) == pytest.approx(truth, rel=1e-9)


def test_expected_purchases_are_the_formula_of_the_paper() -> None:
    """Fader, Hardie, Lee 2005, equation 10, for the customer who bought twice."""
    r, alpha, a, b = TRUTHS[BGNBD]
    x, tx, length, t = 2, 30.0, 38.9, 39.0
    ahead = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + length + t))
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + length) / (alpha + length + t)) ** (r + x) * ahead)
    formula = top / (1 + a / (b + x - 1) * ((alpha + length) / (alpha + tx)) ** (r + x))
    assert at_the_truth(BGNBD).expected_purchases(one(x, tx, length), horizon=t)[0] == pytest.approx(formula, rel=1e-12)


def test_chances_by_pencil() -> None:
    model = at_the_truth(BGNBD, r=1.0, alpha=10.0, a=1.0, b=2.0)
    # one purchase on day 10 of 30: 1 / (1 + a / (b + 1 - 1) * ((10 + 30) / (10 + 10)) ** 2) = 1 / (1 + 1/2 * 4)
    assert model.chance_active(one(1, 10, 30))[0] == pytest.approx(1 / 3)
    assert model.chance_active(one(0, 0, 30))[0] == 1  # nobody leaves before the second purchase
    model = at_the_truth(MBGNBD, r=1.0, alpha=10.0, a=1.0, b=2.0)
    # none of 30 days: 1 / (1 + a / b * ((10 + 30) / 10) ** 1)
    assert model.chance_active(one(0, 0, 30))[0] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("alpha", "beta"), [(10.0, 3.0), (3.0, 10.0), (7.0, 7.0), (7.0, 7.0 + 1e-9)])
@pytest.mark.parametrize(("x", "recency"), [(0, 0.0), (1, 5.0), (6, 29.0), (300, 20.0)])
def test_the_integral_of_pareto_is_the_difference_of_hypergeometric_functions(
    alpha: float, beta: float, x: int, recency: float
) -> None:
    r, s, length = 0.6, 0.7, 30.0
    k, low, high = r + s + x, min(alpha, beta), max(alpha, beta)
    second = s + 1 if alpha >= beta else r + x
    base = high + recency  # powers relative to this one, or 300 purchases underflow
    first = hyp2f1(k, second, k + 1, (high - low) / base)
    last = hyp2f1(k, second, k + 1, (high - low) / (high + length)) * ((high + length) / base) ** -k
    formula = np.log(s / k * (first - last)) - k * np.log(base)
    found = pareto_gone(np.array([r, alpha, s, beta]), x, recency, length)[0]
    assert found == pytest.approx(formula, abs=1e-9 if x < 300 else 1e-6)


def test_pareto_expects_a_logarithm_where_s_is_one() -> None:
    values = [
        at_the_truth(ParetoNBD, s=s).expected_purchases(SMALL, horizon=HORIZON) for s in (1 - 1e-7, 1.0, 1 + 1e-7)
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-5)
    np.testing.assert_allclose((values[0] + values[2]) / 2, values[1], rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_are_the_slopes_of_the_likelihood(kind: type[RepeatPurchaseModel]) -> None:
    customers = drawn(kind, n=300, seed=3)
    objective = objective_of(kind, customers)
    for place in (np.log(TRUTHS[kind]), np.array([-1.0, 0.5, 1.0, -0.5]), np.array([1.0, 3.0, -1.0, 4.0])):
        _, gradient, hessian = objective.at(place)
        for number in range(4):
            step = np.eye(4)[number] * 1e-5
            above, below = objective.log_likelihood(place + step), objective.log_likelihood(place - step)
            slope = (above[0] - below[0]) / 2e-5
            assert gradient[number] == pytest.approx(slope, rel=1e-5, abs=1e-5)
            if hessian is not None:
                np.testing.assert_allclose(hessian[number], (above[1] - below[1]) / 2e-5, rtol=1e-5, atol=1e-4)


def objective_of(kind: type[RepeatPurchaseModel], customers: pd.DataFrame) -> fitting.Objective:
    return kind()._objective(group_customers(checked_purchases(customers)))


# --- limits


@pytest.mark.parametrize("kind", KINDS)
def test_forecasts_stay_within_their_limits(kind: type[RepeatPurchaseModel]) -> None:
    model = at_the_truth(kind)
    extreme = pd.DataFrame(
        {
            "frequency": [0, 0, 300, 300, 5000, 1],
            "recency": [0, 0, 1, 365, 36_500, 1e-6],
            "T": [0, 1e5, 365, 365, 36_500, 1],
        }
    )
    before = np.zeros(len(extreme))
    for horizon in (0.0, 1e-6, 1.0, 365.0, 1e5, 1e9):
        expected = model.expected_purchases(extreme, horizon=horizon)
        assert np.isfinite(expected).all()
        assert (expected >= before * (1 - 1e-12)).all()
        before = expected
    assert (model.expected_purchases(extreme, horizon=0.0) == 0).all()
    chance = model.chance_active(extreme)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert chance[2] < 1e-6  # 300 purchases on the first day, none in the year since
    assert chance[3] > 0.5  # 300 up to the last day


@pytest.mark.parametrize("kind", KINDS)
def test_customers_who_never_leave_are_told_from_a_bound(kind: type[RepeatPurchaseModel]) -> None:
    draws = np.random.default_rng(4)
    length = draws.integers(50, 300, 500)
    frequency = draws.poisson(draws.gamma(1.0, 0.03, 500) * length)
    recency = np.where(frequency > 0, length * draws.random(500) ** (1 / np.maximum(frequency, 1)), 0.0)
    model = kind().fit(pd.DataFrame({"frequency": frequency, "recency": recency, "T": length}))
    assert any("bound of what is tried" in note for note in model.notes_)
    assert np.isnan(list(model.standard_errors_.values())).any()
    table = pd.DataFrame({"frequency": frequency, "recency": recency, "T": length})
    assert model.chance_active(table).min() > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_equal_customers_and_some_of_the_last_day_are_fitted(kind: type[RepeatPurchaseModel]) -> None:
    same = pd.DataFrame({"frequency": [3] * 50, "recency": [20] * 50, "T": [40] * 50})
    model = kind().fit(same)
    assert model.notes_
    assert np.ptp(model.expected_purchases(same, horizon=10)) == 0
    assert np.isfinite(kind().fit(SMALL).expected_purchases(SMALL, horizon=10)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_gets_no_forecast(kind: type[RepeatPurchaseModel]) -> None:
    model = at_the_truth(kind)
    assert model.expected_purchases(SMALL.iloc[:0], horizon=9).shape == (0,)
    assert model.chance_active(SMALL.iloc[:0]).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_horizons_are_weighted_in_any_order(kind: type[RepeatPurchaseModel]) -> None:
    model = at_the_truth(kind)
    weighted = model.discounted_purchases(SMALL, horizons=[1e6, 5.0, 60.0], weights=[0.1, 1.0, 0.5])
    by_hand = sum(
        weight * model.expected_purchases(SMALL, horizon=horizon)
        for horizon, weight in ((1e6, 0.1), (5.0, 1.0), (60.0, 0.5))
    )
    np.testing.assert_allclose(weighted, by_hand, rtol=1e-12)


# --- invariance


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_of_time_does_not_matter(kind: type[RepeatPurchaseModel]) -> None:
    days = drawn(kind, n=1_500, seed=5)
    weeks = days.assign(recency=days["recency"] / 7, T=days["T"] / 7)
    by_day, by_week = kind().fit(days), kind().fit(weeks)
    np.testing.assert_allclose(
        by_day.expected_purchases(days, horizon=70), by_week.expected_purchases(weeks, horizon=10), rtol=1e-7
    )
    assert by_day.parameters_["alpha"] == pytest.approx(7 * by_week.parameters_["alpha"], rel=1e-7)
    change = days["frequency"].sum() * np.log(7)  # purchases are dense a week, seven times as much
    assert by_week.log_likelihood_ == pytest.approx(by_day.log_likelihood_ + change, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_names_of_customers_do_not_matter(kind: type[RepeatPurchaseModel]) -> None:
    customers = drawn(kind, n=1_500, seed=6)
    order = np.random.default_rng(0).permutation(len(customers))
    shuffled = customers.iloc[order].set_axis([f"клиент {number}" for number in order])
    model, other = kind().fit(customers), kind().fit(shuffled)
    assert model.parameters_ == other.parameters_
    expected = model.expected_purchases(customers, horizon=9)
    np.testing.assert_array_equal(expected[order], other.expected_purchases(shuffled, horizon=9))


def test_counting_equal_customers_once_changes_nothing() -> None:
    customers = drawn(BGNBD, n=400, seed=7).round()
    customers.loc[customers["recency"] == 0, "frequency"] = 0
    customers.loc[customers["frequency"] == 0, "recency"] = 0
    once, thrice = BGNBD().fit(customers), BGNBD().fit(pd.concat([customers] * 3))
    assert once.parameters_ == pytest.approx(thrice.parameters_, rel=1e-6)
    assert thrice.log_likelihood_ == pytest.approx(3 * once.log_likelihood_)


def test_starts_from_some_of_the_customers_end_at_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    customers = drawn(BGNBD, n=6_000, seed=8)
    whole = BGNBD().fit(customers)
    monkeypatch.setattr("crm_analysis.models.lifetime_value.repeat_buying.MAX_FIRST_GROUPS", 2_000)
    monkeypatch.setattr("crm_analysis.models.lifetime_value.repeat_buying.MIN_FIRST_REPEATERS", 100)
    assert BGNBD().fit(customers).parameters_ == pytest.approx(whole.parameters_, rel=1e-7)


# --- wrong input


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recency": 80.0}, r"'recency' exceeds 'T' in 1 of 24 rows \(from 0: 3\)"),
        ({"recency": np.nan}, "'recency' is missing or infinite in 1 of 24"),
        ({"T": np.inf}, "'T' is missing or infinite"),
        ({"frequency": 1.5}, "'frequency' is no whole number"),
        ({"frequency": -1.0}, "'frequency' is below 0"),
        ({"recency": 0.0}, "'frequency' is above 0 with a 'recency' of 0"),
        ({"frequency": 0.0}, "'frequency' is 0 with a 'recency' above 0"),
        ({"recency": -1.0}, "'recency' is below 0"),
        ({"frequency": 2e6}, "exceeds 1,000,000"),
    ],
)
def test_impossible_rows_are_told(kind: type[RepeatPurchaseModel], change: dict[str, float], message: str) -> None:
    table = SMALL.astype(float)
    for name, value in change.items():
        table.loc[3, name] = value
    with pytest.raises(DataQualityError, match=message):
        kind().fit(table)


def test_missing_and_textual_columns_are_told_at_once() -> None:
    with pytest.raises(DataQualityError) as caught:
        BGNBD().fit(SMALL.drop(columns="T").assign(frequency="many"))
    assert len(caught.value.faults) == 2
    with pytest.raises(TypeError, match=r"must be a pandas\.DataFrame"):
        BGNBD().fit(SMALL.to_numpy())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_too_little_to_learn_from_is_told(kind: type[RepeatPurchaseModel]) -> None:
    with pytest.raises(TooFewRecordsError, match="at least 10 customers for its four parameters, got fewer"):
        kind().fit(SMALL.iloc[[2]])
    never = SMALL.assign(frequency=0, recency=0)
    with pytest.raises(TooFewRecordsError, match="None of 24 customers bought a second time"):
        kind().fit(never)
    with pytest.raises(TooFewRecordsError, match=r"All 24 customers bought first on the last day known \(T is 0\)"):
        kind().fit(never.assign(T=0))
    with pytest.raises(TooFewRecordsError, match="got fewer"):
        kind().fit(SMALL.iloc[:0])


@pytest.mark.parametrize("horizon", [-1.0, np.nan, np.inf])
def test_a_horizon_is_a_finite_time(horizon: float) -> None:
    with pytest.raises(ValueError, match="a horizon must be a finite time from 0"):
        at_the_truth(BGNBD).expected_purchases(SMALL, horizon=horizon)


# --- the search itself


def test_a_likelihood_without_a_top_is_told() -> None:
    def rough(place: np.ndarray) -> tuple[float, np.ndarray]:
        return float(-np.abs(place - 0.3).sum()), -np.sign(place - 0.3)  # its slope never vanishes

    with pytest.raises(
        ModelError, match=r"fit to 7 customers did not converge from 1 starts: at u .*, v .*longer history"
    ):
        fitting.maximise(fitting.Objective(rough, 7), [(1.0, 2.0)], names=("u", "v"))


def test_a_ridge_is_followed_to_the_bound_and_told() -> None:
    def running_off(place: np.ndarray) -> tuple[float, np.ndarray]:
        across, along = place[1] - place[0] - 0.4, place.sum()
        slope = 2e-3 * np.exp(-along / 12)  # more is always better, by less and less
        total = -500 * across**2 - 0.024 * np.exp(-along / 12)
        return float(total), np.array([1000 * across + slope, -1000 * across + slope])

    found = fitting.maximise(fitting.Objective(running_off, 500), [(1.0, 1.0), (50.0, 60.0)], names=("s", "beta"))
    assert np.log(found.parameters) == pytest.approx([fitting.BOUND - 0.4, fitting.BOUND], abs=1e-3)
    assert "Parameter beta lies at the upper bound" in found.notes[0]


@pytest.mark.parametrize(("kind", "seeds"), [(ParetoNBD, (1, 3, 5)), (BGNBD, (0, 2, 4))])
def test_customers_who_all_leave_alike_are_fitted(kind: type[RepeatPurchaseModel], seeds: tuple[int, ...]) -> None:
    for seed in seeds:  # one rate, or chance, of leaving: its spread runs off to the bound
        draws = np.random.default_rng(seed)
        length, rows = draws.uniform(20, 300, 400), []
        for known, rate in zip(length, draws.gamma(1.0, 1 / 30, 400), strict=True):
            stays = draws.exponential(100) if kind is ParetoNBD else np.inf
            times = np.cumsum(draws.exponential(1 / max(rate, 1e-6), 200))
            times = times[: draws.geometric(0.2)] if kind is BGNBD else times
            times = times[times <= min(known, stays)]
            rows.append((len(times), times[-1] if len(times) else 0.0, known))
        table = pd.DataFrame(rows, columns=["frequency", "recency", "T"])
        model = kind().fit(table)
        assert np.isfinite(model.expected_purchases(table, horizon=30)).all()
        later = kind().fit(table.assign(recency=table["recency"] / 7, T=table["T"] / 7))
        assert later.expected_purchases(
            table.assign(recency=table["recency"] / 7, T=table["T"] / 7), horizon=30 / 7
        ) == pytest.approx(model.expected_purchases(table, horizon=30), rel=1e-3)


def test_starts_that_end_lower_are_told() -> None:
    def two_hills(place: np.ndarray) -> tuple[float, np.ndarray]:
        x = place[0]
        return float(-((x**2 - 1) ** 2) + 0.1 * x), np.array([-4 * x * (x**2 - 1) + 0.1])

    found = fitting.maximise(fitting.Objective(two_hills, 1), [(0.4,), (2.5,)], names=("u",))
    assert found.parameters[0] == pytest.approx(np.exp(1.012), rel=1e-3)
    assert "1 of 2 starts ended at a log-likelihood lower by up to 0.20" in found.notes[0]


def test_a_ridge_has_no_standard_errors() -> None:
    def ridge(place: np.ndarray) -> tuple[float, np.ndarray]:
        return float(-((place.sum() - 1) ** 2)), np.full(2, -2 * (place.sum() - 1))

    found = fitting.maximise(fitting.Objective(ridge, 1), [(1.0, 1.0)], names=("u", "v"))
    assert np.isnan(found.standard_errors).all()
    assert "standard errors are missing" in found.notes[0]


def test_machine_code_is_made_where_no_folder_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = kernels.numba.njit

    def refusing(*, cache: bool = False, **options: str) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(kernels.numba, "njit", refusing)

    def double(value: float) -> float:
        return 2 * value

    assert kernels.compiled(double)(1.5) == 3
