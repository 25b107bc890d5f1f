"""What chance would have moved is right for customers who go on as before, and is exceeded by those who do not."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ModelError
from crm_analysis.models.segmentation.movement import chance as chance_module
from crm_analysis.models.segmentation.movement import movement_verdict, segment_movement
from crm_analysis.models.segmentation.movement.amounts import purchase_amounts
from crm_analysis.models.segmentation.movement.chance import MORE, WITHIN, _judged
from crm_analysis.models.segmentation.movement.continuation import ROLLED, continuation
from crm_analysis.models.segmentation.movement.rates import purchase_rates

HISTORY, MOVEMENT, LAST = 180, 60, 399
ORDER = ["top", "best", "good", "fair", "low"]


def purchases(seed, *, n_customers=350, dropped=0.0, doubled=0.0):
    """Purchase days and their amounts of customers who go on as before, but for those who drop out or buy twice as often."""
    rng = np.random.default_rng(seed)
    rates = np.clip(0.02 * np.exp(rng.standard_normal(n_customers)), 1e-4, 0.5)
    begins = np.where(rng.random(n_customers) < 0.5, 0, rng.integers(0, LAST, n_customers))
    daily = np.tile(rates[:, None], (1, LAST + 1))
    kind = rng.random(n_customers)
    daily[kind < dropped, LAST - MOVEMENT + 1 :] = 0
    daily[(kind >= dropped) & (kind < dropped + doubled), LAST - MOVEMENT + 1 :] *= 2
    bought = (rng.random(daily.shape) < daily) & (np.arange(LAST + 1) >= begins[:, None])
    amounts = 20 * np.exp(0.6 * rng.standard_normal((n_customers, 1))) * rng.gamma(2, 0.5, daily.shape)
    return bought, np.where(bought, amounts, 0.0)


def features(bought, amounts, day, *, history=HISTORY):
    """What is known as of a day, as the feature table gives it."""
    window = slice(max(0, day + 1 - history), day + 1)
    frequency, spend = bought[:, window].sum(axis=1), amounts[:, window].sum(axis=1)
    recency = np.argmax(bought[:, day::-1], axis=1)
    tenure = day - np.argmax(bought, axis=1)
    table = pd.DataFrame(
        {
            "recency_days": recency,
            "frequency": frequency,
            "spend": spend,
            "monetary_value": spend / np.maximum(frequency, 1),
            "tenure_days": tenure,
            "observed_days": np.minimum(history, tenure + 1),
        }
    ).rename_axis("customer_id")
    return table[frequency > 0]


def rfm_rule(before):
    """Five segments by the thirds of recency, frequency and monetary value."""
    edges = {name: before[name].quantile([1 / 3, 2 / 3]).to_numpy() for name in ROLLED[:2] + ROLLED[3:4]}

    def assign(table):
        recent, often, much = (np.searchsorted(edge, table[name], side="left") for name, edge in edges.items())
        return pd.Series(
            np.array(ORDER)[4 - (2 - recent + often + much + 1) // 2 - ((2 - recent + often + much) == 6)], table.index
        )

    return lambda table: assign(table).where(table["frequency"] > 0)


def movement_of(seed, *, n_draws=60, leaving=False, min_cell=1, **given):
    bought, amounts = purchases(seed, **given)
    day = LAST - MOVEMENT
    before, after = features(bought, amounts, day), features(bought, amounts, LAST)
    lost = features(bought, amounts, day - HISTORY + MOVEMENT, history=MOVEMENT) if leaving else None
    return segment_movement(
        before,
        after,
        rfm_rule(before),
        as_of_before=date(2024, 1, 1),
        as_of=date(2024, 1, 1) + timedelta(days=MOVEMENT),
        history_days=HISTORY,
        order=ORDER,
        seed=seed,
        min_cell=min_cell,
        n_bootstraps=50,
        n_draws=n_draws,
        leaving=lost,
    )


@pytest.mark.parametrize("leaving", [False, True])
def test_customers_who_go_on_as_before_move_as_chance_would(leaving):
    # each is outside in 5 % of cases: more than 2 of 8 have a chance of .006
    results = [movement_of(100 + seed, leaving=leaving).chance for seed in range(8)]
    assert sum(result.totals["against"]["changed"] != WITHIN for result in results) <= 2
    assert sum((result.totals["against"].iloc[1:] != WITHIN).any() for result in results) <= 2
    gaps = np.mean([result.totals["seen"] - result.totals["expected"] for result in results], axis=0)
    assert np.abs(gaps).max() < 0.02


def test_a_fifth_that_stops_is_seen_in_those_who_move_down():
    movement = movement_of(1, n_customers=1000, dropped=0.2)
    assert movement.chance.totals["against"]["down"] == MORE
    assert "more moved down than by chance" in movement_verdict(movement).casefold()


def test_customers_who_buy_twice_as_often_are_seen_in_those_who_move_up():
    movement = movement_of(2, n_customers=1000, doubled=0.3)
    assert movement.chance.totals["against"]["up"] == MORE


def test_expected_flows_add_up_to_the_segment():
    movement = movement_of(3)
    expected = movement.chance.cells.groupby("from")["expected"].sum()
    pd.testing.assert_series_equal(
        expected.sort_index(), movement.segments["before"].astype(float).sort_index(), check_names=False
    )
    shares = movement.chance.cells.groupby("from")["expected_share"].sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_of_many_customers_a_sample_is_judged(monkeypatch):
    monkeypatch.setattr(chance_module, "MAX_CUSTOMERS", 150)
    movement = movement_of(4)
    assert (movement.chance.n_customers, movement.chance.is_sample) == (150, True)
    assert movement.chance.cells["seen"].sum() == 150
    assert "in the random sample of 150 that was looked at" in movement_verdict(movement)
    assert any("random sample of 150 customers" in note for note in movement.notes)


def test_the_same_seed_gives_the_same_chance():
    pd.testing.assert_frame_equal(movement_of(5, n_draws=20).chance.cells, movement_of(5, n_draws=20).chance.cells)


# judging


def test_figures_judged_together_hold_together():
    rng = np.random.default_rng(0)
    drawn = rng.poisson(30, (400, 25)).astype(float)
    again = rng.poisson(30, (400, 25)).astype(float)
    outside = [(_judged(drawn, one)["against"] != WITHIN).any() for one in again]
    assert 0.02 < np.mean(outside) < 0.09


@pytest.mark.parametrize(("seen", "against"), [(0, WITHIN), (1, WITHIN), (4, MORE)])
def test_one_customer_where_none_was_drawn_is_no_finding(seen, against):
    assert _judged(np.zeros((50, 1)), np.array([float(seen)]))["against"].to_list() == [against]


# going on as before


def one(**given):
    row = {"recency_days": 10, "frequency": 3, "spend": 30.0, "tenure_days": 400, "observed_days": HISTORY} | given
    return pd.DataFrame([row, row]).assign(monetary_value=lambda table: table["spend"] / table["frequency"])


def rolled(table, *, n_draws=150, movement_days=MOVEMENT, leaving=None):
    going_on = continuation(table, movement_days=movement_days, history_days=HISTORY, seed=0, leaving=leaving)
    draws = np.random.default_rng(0)
    return pd.concat([going_on.drawn(draws) for _ in range(n_draws)], ignore_index=True)


def test_days_pass_for_those_who_buy_nothing():
    quiet = rolled(one()).query("recency_days == 70")
    assert len(quiet) > 0
    assert (quiet["tenure_days"] == 460).all()
    assert (quiet["observed_days"] == HISTORY).all()
    assert quiet["frequency"].between(1, 3).all()


def test_a_new_customer_is_observed_longer():
    assert set(rolled(one(tenure_days=20, observed_days=21))["observed_days"]) == {81}
    assert set(rolled(one(tenure_days=150, observed_days=151))["observed_days"]) == {HISTORY}


def test_whoever_bought_last_in_the_days_that_leave_is_gone_without_a_new_purchase():
    table = rolled(one(recency_days=130, frequency=1, spend=10.0))
    silent = table[table["recency_days"] == 190]
    assert len(silent) > 0
    assert (silent["frequency"] == 0).all()
    assert (silent["spend"] == 0).all()


def test_days_that_are_known_to_leave_are_taken_as_they_are():
    leaving = pd.DataFrame({"frequency": [2], "spend": [26.0]}, index=[1])
    quiet = rolled(one(), leaving=leaving).query("recency_days == 70")
    assert set(zip(quiet["frequency"], quiet["spend"], strict=True)) == {(3, 30.0), (1, 4.0)}


def test_movement_longer_than_the_history_leaves_nothing_of_it():
    table = rolled(one(frequency=5), movement_days=200)
    new = table["recency_days"] < 200
    assert (table.loc[~new, "frequency"] == 0).all()


def test_purchase_days_leave_in_proportion():
    table = rolled(one(recency_days=0, frequency=90, spend=900.0), movement_days=90, n_draws=400)
    # 89 of 179 days before the last one stay; as many come anew as before
    assert table["frequency"].mean() == pytest.approx(90, abs=1.5)


def test_money_that_is_not_positive_does_not_break_the_draws():
    table = rolled(one(spend=0.0))
    assert (table["spend"] == 0).all()
    assert np.isfinite(rolled(one(spend=-30.0)).to_numpy()).all()


def test_rates_are_drawn_toward_those_of_others():
    rng = np.random.default_rng(1)
    truth = rng.beta(2, 40, 4000)
    counts = rng.binomial(100, truth)
    seen = counts > 0
    rates = purchase_rates(counts[seen], np.full(seen.sum(), 100), np.zeros(seen.sum(), bool), seed=0)
    draws = np.random.default_rng(2)
    believed = np.mean([rates.drawn(draws) for _ in range(40)], axis=0)
    many, few = counts[seen] >= 12, counts[seen] == 1
    assert believed[many].mean() < (counts[seen] / 100)[many].mean()
    assert believed[few].mean() > 0.01
    for group in (many, few, ~many & ~few):
        assert believed[group].mean() == pytest.approx(truth[seen][group].mean(), rel=0.06)


def test_the_first_day_of_a_new_customer_tells_nothing_of_the_rate():
    days = np.full(3000, 100)
    new = purchase_rates(np.ones(3000, dtype=int), days, np.ones(3000, bool), seed=0)
    assert new.drawn(np.random.default_rng(0)).mean() < 0.003


def test_amounts_are_recovered_from_means_alone():
    rng = np.random.default_rng(3)
    days = rng.integers(1, 12, 20_000)
    rates = rng.gamma(4, 1 / 60, 20_000)  # a mean of 1 / rate
    means = rng.gamma(2 * days) / (2 * days * rates)
    amounts = purchase_amounts(days, means)
    assert amounts.day_shape == pytest.approx(2, rel=0.1)
    assert amounts.mean_shape == pytest.approx(4, rel=0.1)
    new = amounts.new_days(np.full(20_000, 50), days, means, np.random.default_rng(4)) / 50
    assert new.mean() == pytest.approx((1 / rates).mean(), rel=0.03)


def test_part_of_the_spend_falls_on_part_of_the_days():
    amounts = purchase_amounts(np.array([2, 3, 4]), np.array([10.0, 12.0, 9.0]))
    draws = np.random.default_rng(0)
    kept, left = np.full(5000, 1), np.full(5000, 3)
    assert amounts.kept(np.full(5000, 100.0), kept, left, draws).mean() == pytest.approx(25, abs=1)
    assert amounts.kept(np.array([8.0, 8.0, -4.0]), np.array([0, 2, 1]), np.array([2, 0, 1]), draws).tolist() == [
        0,
        8,
        -2,
    ]


@pytest.mark.parametrize("spends", [[5.0] * 60, [0.0] * 60])
def test_customers_who_are_all_the_same(spends):
    table = pd.concat([one()] * 30, ignore_index=True).assign(spend=spends, monetary_value=np.array(spends) / 3)
    drawn = rolled(table, n_draws=5)
    assert np.isfinite(drawn.to_numpy(dtype=float)).all()


def test_what_leaves_must_be_a_table_of_customers():
    bought, amounts = purchases(1, n_customers=60)
    before = features(bought, amounts, LAST - MOVEMENT)
    given = {"as_of_before": date(2024, 1, 1), "as_of": date(2024, 3, 1), "history_days": HISTORY, "order": ORDER}
    repeated = pd.concat([before.head(3), before.head(1)])
    for leaving, error in ((repeated, DataQualityError), (before[["spend"]], ModelError)):
        with pytest.raises(error):
            segment_movement(before, before, rfm_rule(before), **given, seed=0, min_cell=1, leaving=leaving)
