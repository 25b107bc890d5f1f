"""Claims about the choice before the hold-out: a planted truth is found, simpler ones win ties, and all of it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.evaluation import Trial
from crm_analysis.models.forecasting.candidates import Carried, Combined, Task
from crm_analysis.models.forecasting.choice import Comparison, choose, fit_chosen, is_small_tenth
from crm_analysis.models.forecasting.estimators import GRIDS
from tests.models.forecasting.synthetic_features import synthetic_features

Truth = Callable[[pd.DataFrame, np.random.Generator], pd.Series]


def task_for(target: str = "spend_ahead", *, models: tuple[str, ...] = (), min_cell: int = 1) -> Task:
    return Task(target, 90, 90, seed=0, exact_svr_rows=300, models=models, min_cell=min_cell)


def compared(truth: Truth, *, n: int = 250, n_trials: int = 2, target: str = "spend_ahead") -> list[Comparison]:
    """Trials whose outcome is a truth of the features; the counts of spend are those of the last period."""
    draws = np.random.default_rng(0)
    found = []
    for number in range(n_trials):
        tables = []
        for part in range(2):
            rows = synthetic_features(n, seed=10 * number + part)
            tables.append(rows.assign(**{target: truth(rows, draws)}))
        day = date(2024, 1 + number, 1)
        counts = Carried(NaiveCounts(), 90)
        found.append(Comparison(Trial(day, 90, ((date(2023, 1, 1), 90),)), *tables, counts=counts))
    return found


class NaiveCounts:
    """Expects the purchases of the last period again."""

    def predict(self, customers: pd.DataFrame) -> np.ndarray:
        return customers["recent_frequency"].to_numpy(dtype=float)


def linear(rows: pd.DataFrame, draws: np.random.Generator) -> pd.Series:
    return 0.5 * rows["recent_spend"] + 20 * rows["rhythm"] + draws.gamma(4, 2, len(rows))


def last_period(rows: pd.DataFrame, draws: np.random.Generator) -> pd.Series:
    """The last period again, but for two percent that no feature tells of."""
    return rows["recent_spend"] * np.where(draws.random(len(rows)) < 0.5, 1.02, 0.98)


def test_a_truth_that_is_learnt_beats_the_naive_ones() -> None:
    choice = choose(compared(linear), task_for())
    errors = choice.backtest["rmse"]
    assert choice.model in {"polynomial", "svr", "poisson"}
    assert choice.model == errors.drop("zero").idxmin()
    assert errors[choice.model] < 0.6 * errors[choice.naive]
    assert errors[choice.model] < 10  # the noise alone is 4


def test_the_last_period_is_chosen_where_it_is_the_truth() -> None:
    choice = choose(compared(last_period), task_for())
    assert (choice.model, choice.naive) == ("last_period", "last_period")


def test_a_law_that_is_the_truth_is_chosen_and_leads_the_combination() -> None:
    comparisons = compared(lambda rows, draws: draws.poisson(rows["rhythm"]), target="transactions_ahead", n=400)
    draws = np.random.default_rng(5)
    told = [
        Comparison(
            one.trial,
            *(
                rows.assign(bg_nbd=rows["rhythm"], pareto_nbd=rows["rhythm"] * draws.lognormal(0, 1, len(rows)))
                for rows in (one.fitting, one.later)
            ),
        )
        for one in comparisons
    ]
    choice = choose(told, task_for("transactions_ahead", models=("bg_nbd", "pareto_nbd")))
    assert choice.model in {"bg_nbd", "combination"}
    assert choice.members[0] == "bg_nbd"
    errors = choice.backtest["rmse"]
    learnt = errors[[*GRIDS, "forest_regression"]]
    assert len(choice.members) == 3
    assert set(choice.members[1:]) <= set(learnt.sort_values().index[:3])
    parts = choice.by_origin.pivot_table(index="origin", columns="model", values="rmse")
    assert (parts["combination"] <= parts[list(choice.members)].mean(axis=1)).all()  # as any mean of forecasts does


def test_without_a_law_there_is_no_combination() -> None:
    choice = choose(compared(linear, n_trials=1), task_for())
    assert choice.members == ()
    assert "combination" not in choice.backtest.index


def test_ties_go_to_the_simpler_and_zero_is_never_chosen() -> None:
    choice = choose(compared(lambda rows, draws: 0.0 * rows["spend"]), task_for())
    errors = choice.backtest["rmse"]
    assert errors["zero"] == 0
    assert choice.model == errors[errors < 1e-12].index.drop("zero")[0]
    assert choice.model != "zero"

    def same(rows: pd.DataFrame, draws: np.random.Generator) -> pd.Series:
        return rows["recent_spend"]

    comparisons = [
        Comparison(one.trial, *(rows.assign(spend=rows["recent_spend"] * rows["observed_days"] / 90) for rows in parts))
        for one in compared(same, n_trials=1)
        for parts in [(one.fitting, one.later)]
    ]
    with pytest.raises(ValueError, match="counts must be given"):
        choose(comparisons, task_for())
    with_counts = [Comparison(one.trial, one.fitting, one.later, Carried(NaiveCounts(), 90)) for one in comparisons]
    assert choose(with_counts, task_for()).model == "last_period"


def test_trials_count_alike_however_much_came_in_them() -> None:
    # in the first, the last period is right; in the second, where a thousand times as much came, the mean rate nearly is
    first, second = compared(lambda rows, draws: rows["recent_spend"], n_trials=2)
    rate = 90 * second.later["spend"] / second.later["observed_days"]
    million = second.later.assign(
        spend=1000 * second.later["spend"],
        recent_spend=1000 * second.later["recent_spend"],
        spend_ahead=1000 * (0.7 * rate + 0.3 * second.later["recent_spend"]),
    )
    choice = choose([first, Comparison(second.trial, second.fitting, million, second.counts)], task_for())
    by_origin = choice.by_origin.pivot_table(index="origin", columns="model", values="rmse")
    sizes = [np.sqrt((part["spend_ahead"] ** 2).mean()) for part in (first.later, million)]
    shares = by_origin.div(sizes, axis=0).mean()
    assert choice.naive == shares[["last_period", "mean_rate"]].idxmin() == "last_period"
    assert by_origin.mean()[["last_period", "mean_rate"]].idxmin() == "mean_rate"  # money alone would say so
    assert choice.model == shares.drop("zero").idxmin()


def test_settings_are_the_best_of_their_grid_and_told_in_words() -> None:
    comparisons = compared(linear, n_trials=1, n=150)
    choice = choose(comparisons, task_for())
    assert choice.settings["last_period"] == {}
    for model, grid in GRIDS.items():
        assert choice.settings[model] in grid
    degree = choice.settings["polynomial"]["degree"]
    assert choice.backtest["settings"]["polynomial"].startswith(f"degree {degree}, alpha ")
    assert choice.backtest["settings"]["mean_rate"] == ""


def test_the_last_trial_calibrates_with_forecasts_that_did_not_know_it() -> None:
    comparisons = compared(linear, n=150)
    choice = choose(comparisons, task_for())
    last = comparisons[-1]
    assert choice.actual.tolist() == last.later["spend_ahead"].tolist()
    again = fit_chosen(choice, last.fitting, task_for(), counts=last.counts).predict(last.later)
    np.testing.assert_allclose(choice.forecast, again, rtol=1e-9)


def test_a_combination_is_fitted_as_the_mean_of_its_members() -> None:
    (one,) = compared(linear, n_trials=1)
    told = [Comparison(one.trial, one.fitting.assign(bg_nbd=1.0), one.later.assign(bg_nbd=1.0), one.counts)]
    choice = choose(told, task_for(models=("bg_nbd",)))
    assert choice.members[0] == "bg_nbd"
    combined = fit_chosen(
        type(choice)(**{**vars(choice), "model": "combination"}), told[0].fitting, task_for(models=("bg_nbd",))
    )
    assert isinstance(combined, Combined)
    parts = [part.predict(told[0].later) for part in combined.parts]
    np.testing.assert_allclose(combined.predict(told[0].later), np.mean(parts, axis=0))


@pytest.mark.parametrize(
    ("n_customers", "min_cell", "small"), [(9, 1, True), (10, 1, False), (49, 5, True), (50, 5, False), (0, 1, True)]
)
def test_a_tenth_of_few_customers_is_small(n_customers: int, min_cell: int, small: bool) -> None:
    assert is_small_tenth(n_customers, min_cell=min_cell) == small


def test_what_a_small_tenth_brought_is_not_told() -> None:
    comparisons = compared(linear, n_trials=1, n=49)
    assert choose(comparisons, task_for(min_cell=5)).backtest["top_decile_share"].isna().all()
    assert choose(comparisons, task_for(min_cell=4)).backtest["top_decile_share"].notna().all()
