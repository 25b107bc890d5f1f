"""Claims about forecasts of customers as a whole: honest, invariant, and sensible or refused on odd data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.forecasting import CustomerHistories, forecast_customers
from tests.models.forecasting.conftest import AS_OF, SHORTER, WHOLE, Collect
from tests.models.forecasting.simulated_shop import FIRST_DAY, EveryForecast, every_forecast, simulated_lines

PLANS = ["whole", "shorter"]
SETTINGS = {"whole": {}, "shorter": {"exact_svr_rows": 100}}
DAYS = {"whole": WHOLE, "shorter": SHORTER}
MONEY = ["spend_forecast", "lower_90", "upper_90", "recent_spend", "usual_spend"]
BANDS = ["spend_forecast", "lower_90", "upper_90"]
BANDS += ["transactions_forecast", "transactions_lower_90", "transactions_upper_90"]
# Last bits of money steer the steps of what is found by iteration: support vector regressions stop at a tolerance (1e-5 of the
# dual's slope where exact), Gamma-Gamma where its likelihood is flat. All others are exact to rounding.
BY_VALUE = dict.fromkeys(["bg_nbd", "mbg_nbd", "pareto_nbd", "counts_by_value"], 1e-6)
CURRENCY_TOLERANCE = BY_VALUE | {"svr": 3e-4, "combination": 3e-4}


@pytest.fixture(params=PLANS)
def plan(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def histories(plan: str, request: pytest.FixtureRequest) -> CustomerHistories:
    return request.getfixturevalue(plan)


@pytest.fixture
def every(plan: str, request: pytest.FixtureRequest) -> EveryForecast:
    return request.getfixturevalue(f"of_{plan}")


def assert_chosen_alike(one: EveryForecast, other: EveryForecast, *, factor: float = 1, rtol: float = 1e-9) -> None:
    for target, before, after in zip((1, factor), one.choices[::-1], other.choices[::-1], strict=True):
        assert (before.model, before.naive, before.members) == (after.model, after.naive, after.members)
        assert before.settings == after.settings
        by_origin = before.by_origin.assign(rmse=before.by_origin["rmse"] * target)
        pd.testing.assert_frame_equal(by_origin, after.by_origin, rtol=rtol)
        np.testing.assert_allclose(after.actual, before.actual * target, rtol=rtol)
        np.testing.assert_allclose(after.forecast, before.forecast * target, rtol=rtol)


def assert_alike(one: pd.DataFrame, other: pd.DataFrame, *, factor: float = 1, tolerance: dict[str, float]) -> None:
    """Compare every model's forecasts, each customer's, to a relative tolerance of the model's own."""
    assert list(one) == list(other)
    assert one.index.equals(other.index)
    for model in one:
        rtol = tolerance.get(model, 1e-9)
        floor = rtol * 1e-3 * factor * one[model].mean()
        np.testing.assert_allclose(other[model], factor * one[model], rtol=rtol, atol=floor, err_msg=model)


# --- nothing later is known


def with_extremes_after(lines: pd.DataFrame, day: date) -> pd.DataFrame:
    """Make what came after a day something else: extreme amounts, larger returns, new customers, old ones much busier."""
    known = lines[lines["occurred_at"] <= pd.Timestamp(day)]
    later = lines[lines["occurred_at"] > pd.Timestamp(day)]
    back = later.assign(amount=-1e5, customer_id=later["customer_id"].iloc[::-1].to_numpy())
    new = later.assign(customer_id="new" + later["customer_id"], amount=1e6)
    names = sorted(known["customer_id"].unique())[:40]
    busy = pd.DataFrame({"customer_id": names, "occurred_at": pd.Timestamp(day) + pd.Timedelta(days=1), "amount": 7e4})
    return pd.concat([known, later.assign(amount=later["amount"] * 1000), back.iloc[::2], new.iloc[::3], busy])


def test_nothing_after_as_of_changes_anything(
    plan: str, histories: CustomerHistories, lines: pd.DataFrame, collect: Collect
) -> None:
    altered = with_extremes_after(lines, AS_OF)
    assert len(altered) > len(lines)
    other = collect(altered, **DAYS[plan])
    assert other.plan == histories.plan
    for name in ("panel", "current", "repeats"):  # all that a forecast is made from
        pd.testing.assert_frame_equal(getattr(other, name), getattr(histories, name))


def test_nothing_after_the_hold_outs_origin_is_chosen_on_or_changes_a_forecast_for_it(
    plan: str, every: EveryForecast, lines: pd.DataFrame, collect: Collect
) -> None:
    origin = AS_OF - timedelta(days=DAYS[plan]["horizon_days"])
    histories = collect(with_extremes_after(lines, origin), **DAYS[plan])
    other = every_forecast(histories, **SETTINGS[plan])
    assert_chosen_alike(every, other, rtol=0)
    for before, after in ((every.spend, other.spend), (every.transactions, other.transactions)):
        pd.testing.assert_frame_equal(before, after, rtol=0, atol=0)
    one, two = every.result.holdout.sort_index(), other.result.holdout.sort_index()
    pd.testing.assert_frame_equal(
        one.drop(columns=["spend_ahead", "transactions_ahead"]), two.drop(columns=["spend_ahead", "transactions_ahead"])
    )
    assert not one["spend_ahead"].equals(two["spend_ahead"])
    assert every.result.spend.measures["rmse"] != other.result.spend.measures["rmse"]
    assert other.result.forecasts["spend_forecast"].sum() > 10 * every.result.forecasts["spend_forecast"].sum()


# --- names, order, currency, seed


def test_names_and_order_change_nothing(of_shorter: EveryForecast, lines: pd.DataFrame, collect: Collect) -> None:
    # with the drawing of landmarks, of rows for trees, and of resamples
    names = {name: f"客{number:03d}" for number, name in enumerate(sorted(lines["customer_id"].unique())[::-1])}
    renamed = lines.assign(customer_id=lines["customer_id"].map(names)).sample(frac=1, random_state=0)
    histories = collect(renamed, **SHORTER)
    shuffled = {
        name: getattr(histories, name).sample(frac=1, random_state=1) for name in ("panel", "current", "repeats")
    }
    other = every_forecast(replace(histories, **shuffled), **SETTINGS["shorter"])
    assert_chosen_alike(of_shorter, other)
    for before, after in ((of_shorter.spend, other.spend), (of_shorter.transactions, other.transactions)):
        assert_alike(before.rename(index=names).sort_index(), after, tolerance={})
    expected = of_shorter.result.forecasts.rename(index=names).sort_index()
    pd.testing.assert_frame_equal(other.result.forecasts.sort_index(), expected, rtol=1e-9, check_index_type=False)
    pd.testing.assert_frame_equal(other.result.errors, of_shorter.result.errors, rtol=1e-9)


@pytest.mark.parametrize(("plan", "factor"), [("whole", 10), ("shorter", 7.3)])
def test_the_currency_is_a_factor_of_the_spend_only(
    plan: str, factor: float, lines: pd.DataFrame, collect: Collect, request: pytest.FixtureRequest
) -> None:
    every = request.getfixturevalue(f"of_{plan}")
    exchanged = lines.assign(amount=(lines["amount"] * factor).round(3))
    other = every_forecast(collect(exchanged, **DAYS[plan]), **SETTINGS[plan])
    assert_chosen_alike(every, other, factor=factor, rtol=1e-3)
    assert_alike(every.spend, other.spend, factor=factor, tolerance=CURRENCY_TOLERANCE)
    assert_alike(every.transactions, other.transactions, tolerance={"svr": 1e-6, "combination": 1e-6})
    before, after = every.result.forecasts, other.result.forecasts
    in_old_money = after.assign(**{name: after[name] / factor for name in MONEY})
    pd.testing.assert_frame_equal(in_old_money[before.columns], before, rtol=1e-4, atol=1e-4)


# --- what is told


def test_every_customer_has_a_forecast_in_its_range(every: EveryForecast, histories: CustomerHistories) -> None:
    forecasts = every.result.forecasts
    assert forecasts.index.equals(histories.current.index)
    assert np.isfinite(forecasts).all(axis=None)
    assert (forecasts >= 0).drop(columns="recent_spend").all(axis=None)
    for expected, lower, upper in (BANDS[:3], BANDS[3:]):
        assert (forecasts[lower] <= forecasts[upper]).all()
        assert forecasts[lower].dtype == float
        # a range of nothing only stands beside an expectation of next to nothing: nine of ten such customers do not come
        assert (forecasts[expected] <= forecasts[upper] + 0.4 * forecasts[expected].max()).all()
        busy = forecasts[forecasts["transactions_forecast"] > 1]
        assert len(busy) > 5
        assert busy[expected].between(busy[lower], busy[upper]).all()
    assert forecasts["chance_active"].between(0, 1).all()
    assert (forecasts[BANDS[4:]] % 1 == 0).all(axis=None)


def test_the_hold_out_lists_what_was_forecast_and_what_came(every: EveryForecast) -> None:
    holdout, result = every.result.holdout, every.result
    for target, name in ((result.spend, "spend"), (result.transactions, "transactions")):
        assert holdout[f"{name}_forecast"].tolist() == target.holdout.tolist()
        model = every.spend if name == "spend" else every.transactions
        assert holdout[f"{name}_forecast"].sort_index().tolist() == model[target.choice.model].tolist()
        error = holdout[f"{name}_forecast"] - holdout[f"{name}_ahead"]
        assert target.measures["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
        assert target.zero_measures["mae"] == pytest.approx(holdout[f"{name}_ahead"].abs().mean())
        naive = holdout[f"{name}_ahead"] - target.naive
        assert target.gain.share == pytest.approx(1 - np.sqrt((error**2).mean() / (naive**2).mean()))
    held = holdout["spend_ahead"].clip(lower=0).between(holdout["lower_90"], holdout["upper_90"])
    assert result.spend.coverage["coverage"]["all"] == pytest.approx(held.mean(), abs=0.02)  # returns count as they are


def test_calibration_adds_up_to_what_was_expected_and_what_came(every: EveryForecast) -> None:
    for target, came in ((every.result.spend, "spend_ahead"), (every.result.transactions, "transactions_ahead")):
        table = target.calibration
        assert len(table) <= 10
        assert table["n"].sum() == len(every.result.holdout)
        expected = table.columns.difference(["n", "actual"]).tolist()
        assert (table["actual"] * table["n"]).sum() == pytest.approx(every.result.holdout[came].sum())
        sums = [(table[name] * table["n"]).sum() for name in expected if table[name].dtype == float]
        assert pytest.approx(target.holdout.sum()) in sums


def test_the_naive_baseline_and_the_model_are_the_best_before_the_hold_out(
    every: EveryForecast, histories: CustomerHistories
) -> None:
    came = histories.panel.groupby(["origin", "days_ahead"])[["spend_ahead", "transactions_ahead"]]
    sizes = came.agg(lambda values: np.sqrt((values**2).mean()))
    for choice, target in zip(every.choices, sizes, strict=True):
        by_origin = choice.by_origin.pivot_table(index=["origin", "days_ahead"], columns="model", values="rmse")
        assert {(origin.date(), days) for origin, days in by_origin.index} == {
            (trial.origin, trial.days_ahead) for trial in histories.plan.trials
        }
        errors = by_origin.div(sizes[target].reindex(by_origin.index), axis=0).mean()  # each trial counts alike
        assert choice.model == errors.drop("zero").idxmin()
        assert choice.naive == errors[["last_period", "mean_rate"]].idxmin()
    assert set(every.result.errors["model"]) == {*every.spend, *every.transactions}


def test_features_are_forecast_as_the_hold_out_was(every: EveryForecast) -> None:
    result = every.result
    np.testing.assert_allclose(result.predict_spend(result.holdout), result.spend.holdout, rtol=1e-12)
    fewer = result.holdout.iloc[::7]
    np.testing.assert_allclose(result.predict_spend(fewer), result.spend.holdout[::7], rtol=1e-9)
    for name in ("recency_days", "spend", "tenure_days", "repeat_purchases", "recent_frequency"):
        drawn = np.random.default_rng(0).permutation(result.holdout[name].to_numpy())
        forecasts = result.predict_spend(result.holdout.assign(**{name: drawn}))
        assert np.isfinite(forecasts).all()
        assert (forecasts >= 0).all()


def test_a_shorter_history_is_said_and_its_rates_are_carried_on(every: EveryForecast, plan: str) -> None:
    notes = " ".join(every.result.notes)
    assert ("no room for training periods of 150 days" in notes) == (plan == "shorter")
    if plan == "shorter":
        assert (
            f"The longest trial before the hold-out forecast {every.result.plan.calibration.days_ahead} days" in notes
        )
        longer = 150 / every.result.plan.training_days
        recent = every.result.holdout["recent_spend"].clip(lower=0).sort_index()
        np.testing.assert_allclose(every.spend["last_period"], recent * longer)


def test_ranges_hold_nine_of_ten_simulated_customers(collect: Collect) -> None:
    # 400 customers: two standard deviations of a share of 0.9 are 0.03, of the one learnt from as many again; and ranges hold
    # everybody for whom nothing is likely enough, which is more than asked for
    lines = simulated_lines(400, n_days=400, seed=11, returns=0)
    result = forecast_customers(collect(lines, as_of=date(2024, 7, 4), n_origins=2), seed=0, exact_svr_rows=200)
    for target in (result.spend, result.transactions):
        coverage = target.coverage["coverage"]
        assert 0.86 <= coverage["all"] <= 0.97
        assert coverage["buyers"] < coverage["all"] < coverage["others"]
        n = target.coverage["n"]
        assert n["buyers"] + n["others"] == n["all"]


# --- small cells


def test_small_cells_are_not_told_and_segments_have_their_own_coverage(
    whole: CustomerHistories, of_whole: EveryForecast
) -> None:
    def segments(features: pd.DataFrame) -> pd.Series:
        order = np.arange(len(features))
        names = np.select([order < 3, order < 30], ["tiny", "small"], "large")
        return pd.Series(names, index=features.index)

    more = replace(whole, plan=replace(whole.plan, n_asked=9))
    told = forecast_customers(more, seed=0, min_cell=5, segments=segments)
    coverage = told.spend.coverage
    assert coverage.index.tolist() == ["all", "buyers", "others", "large", "small", "tiny"]
    # three are not told of; all are known, and so are the large ones, so the small ones would give them away
    assert coverage.loc[["tiny", "small"], ["n", "coverage", "width"]].isna().all(axis=None)
    assert coverage.loc["large"].notna().all()
    for listed in (told.forecasts, told.holdout):
        assert listed["segment"].value_counts()["tiny"] == 3
    for table in (told.spend.calibration, told.transactions.calibration):
        assert (table["n"].dropna() >= 5).all()
    points = told.gain_curve.dropna().index
    assert (np.diff(points) * len(told.holdout) >= 5 - 1e-9).all()
    assert "fewer than 5 customers" in told.notes[-1]
    assert f"The history has room for {len(whole.plan.training)} of the 9 earlier origins asked for" in told.notes[-2]
    # the same seed gives the same forecasts; what is told of them is another matter
    pd.testing.assert_frame_equal(told.forecasts.drop(columns="segment"), of_whole.result.forecasts)
    assert of_whole.result.spend.coverage.notna().all(axis=None)


# --- odd data


def table(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    """Lines from customer, day of the shop and amount."""
    lines = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    return lines.assign(occurred_at=FIRST_DAY + pd.to_timedelta(lines.pop("day"), unit="D"))


LAST = date(2024, 1, 26)  # day 239


def test_one_purchase_each_is_expected_to_remain_one(collect: Collect) -> None:
    lines = table([(f"c{number}", number, 10.0 + number % 7) for number in range(240)])
    result = forecast_customers(collect(lines, as_of=LAST, horizon_days=40, n_origins=3), seed=0)
    assert result.forecasts["spend_forecast"].sum() == 0
    assert result.forecasts["transactions_upper_90"].max() == 0
    assert "chance_active" not in result.forecasts
    assert result.lawful_model is None
    names = ("BG/NBD", "MBG/NBD", "Pareto/NBD")
    assert [note.split(" could")[0] for note in result.notes[1:4]] == list(names)
    assert "bought a second time" in result.notes[1]


def test_one_customer_is_too_few(collect: Collect) -> None:
    lines = table([("only", day, 10.0) for day in range(0, 240, 5)])
    with pytest.raises(TooFewRecordsError, match=r"5 of 5 origins have fewer than 20 customers.*2023-09-28"):
        forecast_customers(collect(lines, as_of=LAST, horizon_days=40, n_origins=3), seed=0)


def test_all_on_one_day_have_no_history(collect: Collect) -> None:
    lines = table([(f"c{number}", 0, 10.0) for number in range(100)])
    with pytest.raises(TooFewRecordsError, match="From 2023-06-01 to 2023-06-01 there are 1 days"):
        collect(lines, as_of=date(2023, 6, 1))


def test_customers_who_all_came_on_one_day_and_never_again_are_expected_to_stay_away(collect: Collect) -> None:
    lines = table([(f"c{number}", 0, 10.0) for number in range(60)])
    result = forecast_customers(collect(lines, as_of=LAST, horizon_days=40, n_origins=3), seed=0)
    assert result.forecasts["spend_forecast"].sum() == pytest.approx(0, abs=1e-9)
    assert result.spend.coverage["coverage"]["all"] == 1
    assert result.gain_curve.drop(index=0.0).isna().all(axis=None)


def test_customers_all_alike_are_all_expected_to_go_on(collect: Collect) -> None:
    lines = table([(f"c{number}", day, 10.0) for number in range(40) for day in range(0, 240, 10)])
    result = forecast_customers(collect(lines, as_of=LAST, horizon_days=40, n_origins=3), seed=0)
    assert result.transactions.choice.model == "last_period"  # it does not err, and is the simplest
    assert result.forecasts["transactions_forecast"].tolist() == [4] * 40
    assert result.forecasts["spend_forecast"].tolist() == pytest.approx([40] * 40)
    assert any("(Gamma-Gamma) could not be modelled at" in note for note in result.notes)


def test_one_customer_is_forecast_by_what_others_did(collect: Collect) -> None:
    lines = table([(f"c{number}", day, 10.0) for number in range(40) for day in range(0, 240, 10)])
    histories = collect(lines, as_of=LAST, horizon_days=40, n_origins=2)
    alone = forecast_customers(replace(histories, current=histories.current.head(1)), seed=0).forecasts
    assert alone[["transactions_forecast", "spend_forecast"]].to_numpy() == pytest.approx(np.array([[4, 40]]))


def test_returns_larger_than_purchases_are_no_negative_forecast(collect: Collect, lines: pd.DataFrame) -> None:
    bought = lines[lines["amount"] > 0]
    back = bought.assign(amount=-3 * bought["amount"])
    result = forecast_customers(collect(pd.concat([bought, back]), n_origins=2), seed=0)
    assert (result.holdout["spend_ahead"] <= 0).all()
    assert result.forecasts["spend_forecast"].tolist() == [0] * len(result.forecasts)
    assert result.forecasts["transactions_forecast"].sum() > 10  # they do buy
    assert np.isnan(result.spend.measures["bias"])
    assert any("(Gamma-Gamma) could not be modelled at" in note for note in result.notes)


def test_a_horizon_longer_than_the_history_names_the_longest(collect: Collect, lines: pd.DataFrame) -> None:
    with pytest.raises(TooFewRecordsError, match=r"to forecast 500 days .* Use horizon_days of at most 344, or data"):
        collect(lines, horizon_days=500)


def test_a_horizon_with_hardly_any_customers_before_it_asks_for_a_shorter_one(
    collect: Collect, lines: pd.DataFrame
) -> None:
    with pytest.raises(TooFewRecordsError, match=r"fewer than 20 customers.* a shorter horizon_days"):
        forecast_customers(collect(lines, horizon_days=344), seed=0)


def test_a_gap_of_months_is_bridged(collect: Collect, lines: pd.DataFrame) -> None:
    day = (lines["occurred_at"] - FIRST_DAY).dt.days
    result = forecast_customers(collect(lines[(day < 120) | (day > 230)], n_origins=2), seed=0)
    assert np.isfinite(result.forecasts).all(axis=None)
    assert 0.2 < result.forecasts["transactions_forecast"].sum() / result.holdout["transactions_ahead"].sum() < 5


def test_a_gap_longer_than_the_history_names_the_day_on_which_nobody_was_left(
    collect: Collect, lines: pd.DataFrame
) -> None:
    day = (lines["occurred_at"] - FIRST_DAY).dt.days
    with pytest.raises(TooFewRecordsError, match="No customer bought within the 50 days up to 2023-12-"):
        collect(lines[(day < 120) | (day > 300)], history_days=50)


def test_leap_days_are_days_like_others(collect: Collect, lines: pd.DataFrame) -> None:
    # the same shop four years and a day earlier has its leap day at the same place; a year earlier it has none
    earlier = lines.assign(occurred_at=lines["occurred_at"] - pd.Timedelta(days=366))
    one, other = collect(lines), collect(earlier, as_of=AS_OF - timedelta(days=366))
    assert pd.Timestamp(2024, 2, 29) in set(lines["occurred_at"])
    for name in ("panel", "current", "repeats"):
        moved = getattr(other, name).assign(origin=lambda rows: rows["origin"] + pd.Timedelta(days=366))
        pd.testing.assert_frame_equal(moved[getattr(one, name).columns], getattr(one, name))
