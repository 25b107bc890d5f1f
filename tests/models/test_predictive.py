"""Claims about distributions of single customers' counts and spend, and their conformal intervals."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crm_analysis.models.evaluation import (
    CountDistribution,
    Intervals,
    SpendDistribution,
    count_intervals,
    count_spread,
    coverage_table,
    spend_intervals,
    spend_spread,
)

MEAN_AMOUNT = 35.0
FORECAST = [0.1, 0.1, 0.4, 0.4, 1, 1, 2, 2, 5, 5]
CAME = [0, 0, 0, 1, 0, 2, 1, 4, 3, 8]


@dataclass(frozen=True)
class World:
    """What was forecast for customers and what came, by weeks ahead."""

    count_forecast: dict[int, np.ndarray]
    spend_forecast: dict[int, np.ndarray]
    counts: dict[int, np.ndarray]
    spend: dict[int, np.ndarray]

    def calibrated(self, weeks: int) -> tuple[Intervals, Intervals]:
        counts = count_intervals(self.counts[weeks], self.count_forecast[weeks])
        given = {"counts": counts.spread, "count_forecast": self.count_forecast[weeks]}
        return counts, spend_intervals(self.spend[weeks], self.spend_forecast[weeks], **given)

    def coverage(self, intervals: tuple[Intervals, Intervals], weeks: int, ratio: float) -> list[pd.DataFrame]:
        counts, spend = intervals
        bands = counts.around(self.count_forecast[weeks], horizon_ratio=ratio)
        expected = {"counts": self.count_forecast[weeks], "horizon_ratio": ratio}
        spend_bands = spend.around(self.spend_forecast[weeks], **expected)
        return [coverage_table(self.counts[weeks], bands), coverage_table(self.spend[weeks], spend_bands)]


def make_world(
    n_customers: int, *, seed: int, shape: float = 0.55, scale: float = 1 / 10.6, drop_out: float = 0.03
) -> World:
    """Return gamma-Poisson customers who stop at a constant rate, seen for up to 26 weeks, with true expectations."""
    draws = np.random.default_rng(seed)
    rate, life = draws.gamma(shape, scale, n_customers), draws.exponential(1 / drop_out, n_customers)
    seen = 26 - draws.uniform(0, 18, n_customers)
    before = draws.poisson(rate * np.minimum(life, seen))
    last = np.where(before > 0, np.minimum(life, seen) * draws.random(n_customers) ** (1 / np.maximum(before, 1)), 0)
    expected = (shape + before) / (1 / scale + seen)
    alive = 1 / (1 + drop_out / (expected + drop_out) * np.expm1((expected + drop_out) * (seen - last)))
    own_amount = MEAN_AMOUNT * draws.gamma(3, 1 / 3, n_customers)
    mean_seen = own_amount * draws.gamma(2 * np.maximum(before, 1), 0.5 / np.maximum(before, 1))
    amount = np.where(before > 0, (before * mean_seen + 1.5 * MEAN_AMOUNT) / (before + 1.5), MEAN_AMOUNT)
    left, counts, spend, done = np.maximum(life - seen, 0), {0: 0}, {0: 0}, 0
    for weeks in (13, 39):
        more = draws.poisson(rate * np.maximum(np.minimum(left, weeks) - done, 0))
        counts[weeks] = counts[done] + more
        spend[weeks] = spend[done] + np.where(more > 0, own_amount * draws.gamma(2 * np.maximum(more, 1), 0.5), 0)
        done = weeks
    ahead = {weeks: alive * expected * -np.expm1(-drop_out * weeks) / drop_out for weeks in (13, 39)}
    return World(ahead, {weeks: mean * amount for weeks, mean in ahead.items()}, counts, spend)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(4000, seed=1)


@pytest.fixture(scope="module")
def later() -> World:
    """Other customers of the same kind."""
    return make_world(4000, seed=2)


@pytest.fixture(scope="module")
def intervals(world: World) -> tuple[Intervals, Intervals]:
    return world.calibrated(13)


# --- distributions


def test_counts_are_those_of_the_negative_binomial() -> None:
    mean, dispersion = np.array([0.01, 0.5, 3, 400, 2e5]), np.array([0.2, 1, 0.05, 7, 1e6])
    theirs, ours = stats.nbinom(dispersion, dispersion / (dispersion + mean)), CountDistribution(mean, dispersion)
    for value in (0, 1, 5, 300, 2e5):
        np.testing.assert_allclose(ours.at_most(value), theirs.cdf(value), atol=1e-12)
        np.testing.assert_allclose(ours.at_least(value), theirs.sf(value - 1), rtol=1e-8, atol=1e-300)
    np.testing.assert_allclose(ours.zero, theirs.pmf(0))
    np.testing.assert_allclose(ours.some, theirs.sf(0))
    for chance in (1e-9, 0.05, 0.5, 0.95):
        np.testing.assert_array_equal(ours.lowest(chance), theirs.ppf(chance))
        np.testing.assert_array_equal(ours.highest(chance), theirs.isf(chance))


def test_ends_of_counts_are_the_last_with_that_chance() -> None:
    one = CountDistribution(np.array([2.0]), np.array([1.0]))  # geometric: at least y with (2/3)^y
    assert one.highest(4 / 9 - 1e-12).tolist() == [2]
    assert one.highest(4 / 9 + 1e-12).tolist() == [1]
    assert one.lowest(1 / 3 - 1e-12).tolist() == [0]
    assert one.lowest(1 / 3 + 1e-12).tolist() == [1]
    assert one.lowest(0).tolist() == [0]


def test_spend_is_nothing_or_gamma() -> None:
    spend = SpendDistribution(some=np.array([0.4]), shape=np.array([2.0]), scale=np.array([10.0]))
    gamma = stats.gamma(2, scale=10)
    assert spend.zero.tolist() == [0.6]
    assert spend.at_most([-1, 0, 15]).tolist() == pytest.approx([0, 0.6, 0.6 + 0.4 * gamma.cdf(15)])
    assert spend.at_least([0, 1e-9, 15]).tolist() == pytest.approx([1, 0.4, 0.4 * gamma.sf(15)])
    assert spend.lowest([0.3, 0.8]).tolist() == pytest.approx([0, gamma.ppf(0.5)])
    assert spend.highest([0.5, 0.1]).tolist() == pytest.approx([0, gamma.isf(0.25)])


# --- what is learnt


def test_the_spread_of_counts_is_found_again() -> None:
    draws = np.random.default_rng(0)
    mean = draws.gamma(0.5, 2, 20_000)
    spread = count_spread(draws.poisson(mean * draws.gamma(0.8 * mean**0.6, 1 / (0.8 * mean**0.6))), mean)
    assert spread.size == pytest.approx(0.8, rel=0.08)
    assert spread.power == pytest.approx(0.6, abs=0.05)


def test_counts_without_spread_are_taken_for_poisson() -> None:
    draws = np.random.default_rng(0)
    mean = draws.gamma(2, 2, 5000)
    spread = count_spread(draws.poisson(mean), mean)
    variance = mean + mean**2 / spread.around(mean).dispersion
    assert np.median(variance / mean) == pytest.approx(1, abs=0.05)


def test_both_variances_of_spend_are_found_again() -> None:
    draws = np.random.default_rng(0)
    mean = draws.gamma(1, 3, 20_000)
    counts = draws.poisson(mean * draws.gamma(2, 0.5, len(mean)))
    own = 50 * draws.gamma(5, 1 / 5, len(mean))
    spend = np.where(counts > 0, own * draws.gamma(np.maximum(counts, 1) / 0.5, 0.5), 0)
    spread = spend_spread(spend, 50 * mean, counts=count_spread(counts, mean), count_forecast=mean)
    assert spread.within == pytest.approx(0.5, abs=0.1)
    assert spread.between == pytest.approx(0.2, abs=0.1)  # the gamma stands in for the sum's own distribution
    assert spread.amounts == pytest.approx((50, 50))


def test_distributions_have_their_forecasts_as_means(world: World, intervals: tuple[Intervals, Intervals]) -> None:
    counts, spend = (each.spread for each in intervals)
    drawn = spend.around(world.spend_forecast[39], world.count_forecast[39], horizon_ratio=3)
    believed = np.abs(np.log(drawn.some * drawn.shape * drawn.scale / world.spend_forecast[39])) < 1e-9
    assert believed.all()
    np.testing.assert_allclose(counts.around(world.count_forecast[39], horizon_ratio=3).mean, world.count_forecast[39])


def test_forecasts_of_nothing_get_the_mean_of_what_came() -> None:
    spread = count_spread([0] * 50 + [1] * 49 + [0] * 50 + [3] * 50, [0] * 99 + [1.5] * 100)
    assert spread.around([0, -2, 1.5]).mean.tolist() == pytest.approx([0.49, 0.49, 1.5])
    assert spread.around([0], horizon_ratio=3).mean.tolist() == pytest.approx([3 * 0.49])


# --- intervals


def test_tails_are_the_ranks_of_the_pencil() -> None:
    # a forecast of 1 for all 39, of whom 19 bring 0, 17 bring 2 and 3 more: rank floor(40 * .1) = 4 is among the twos
    came = np.array([0] * 19 + [2] * 17 + [6, 7, 8])
    intervals = count_intervals(came, np.ones(39))
    drawn = intervals.spread.around(np.ones(1))
    assert intervals.tails[0] == pytest.approx(min(drawn.at_least(2)[0], drawn.at_most(2)[0]))
    assert intervals.around([1.0])["upper"].tolist() == [2]


def test_ranges_hold_what_they_say_in_a_horizon_of_the_same_length(
    world: World, later: World, intervals: tuple[Intervals, Intervals]
) -> None:
    for table in later.coverage(intervals, 13, 1):
        assert 0.87 <= table["coverage"]["all"] <= 0.93
    for table in later.coverage(world.calibrated(39), 39, 1):
        assert 0.87 <= table["coverage"]["all"] <= 0.93


def test_ranges_hold_what_they_say_in_a_horizon_three_times_as_long(
    later: World, intervals: tuple[Intervals, Intervals]
) -> None:
    tables = later.coverage(intervals, 39, 3)
    for table in tables:
        buyers = table["n"]["buyers"] / table["n"]["all"]
        assert 0.87 <= table["coverage"]["all"] <= 0.93
        assert table["coverage"]["others"] > 0.99
        assert table["coverage"]["buyers"] == pytest.approx(1 - 0.1 / buyers, abs=0.06)


def test_ranges_carried_over_are_as_wide_as_those_learnt_there(
    world: World, later: World, intervals: tuple[Intervals, Intervals]
) -> None:
    carried, learnt = (later.coverage(each, 39, ratio) for each, ratio in ((intervals, 3), (world.calibrated(39), 1)))
    for one, other in zip(carried, learnt, strict=True):
        assert one["width"]["all"] == pytest.approx(other["width"]["all"], rel=0.15)


def test_ranges_carry_to_a_shorter_horizon(world: World, later: World) -> None:
    for table in later.coverage(world.calibrated(39), 13, 1 / 3):
        assert 0.87 <= table["coverage"]["all"] <= 0.93


def test_frequent_customers_are_held_too() -> None:
    one, other = (make_world(3000, seed=seed, shape=2, scale=0.5, drop_out=0.003) for seed in (1, 2))
    for weeks, ratio in ((13, 1), (39, 3)):
        for table in other.coverage(one.calibrated(13), weeks, ratio):
            assert 0.87 <= table["coverage"]["all"] <= 0.93
            assert 0.87 <= table["coverage"]["buyers"] <= 0.95


def test_where_nearly_all_buy_nothing_the_others_keep_their_ranges() -> None:
    one, other = (make_world(4000, seed=seed, shape=0.15, scale=1 / 15) for seed in (1, 2))
    counts, spend = one.calibrated(13)
    assert (one.counts[13] == 0).mean() > 0.93
    frequent = np.argsort(other.count_forecast[13])[-60:]
    for each, came, forecast, given in (
        (counts, other.counts[13], other.count_forecast[13], None),
        (spend, other.spend[13], other.spend_forecast[13], other.count_forecast[13][frequent]),
    ):
        bands = each.around(forecast[frequent], counts=given)
        assert coverage_table(came[frequent], bands)["coverage"]["all"] == pytest.approx(0.9, abs=0.1)
        assert (bands["upper"] > 0).mean() > 0.9


def test_certainty_of_nothing_is_not_asked_for_in_a_longer_horizon() -> None:
    one, other = (make_world(3000, seed=seed, shape=0.15, scale=1 / 15) for seed in (1, 2))
    carried, learnt = (other.coverage(one.calibrated(weeks), 39, ratio) for weeks, ratio in ((13, 3), (39, 1)))
    for wider, table in zip(carried, learnt, strict=True):
        assert wider["width"]["all"] == pytest.approx(table["width"]["all"], rel=0.4)


def test_a_biased_forecast_is_corrected_by_the_outcome(world: World, later: World) -> None:
    intervals = count_intervals(world.counts[13], 0.5 * world.count_forecast[13])
    table = coverage_table(later.counts[13], intervals.around(0.5 * later.count_forecast[13]))
    assert 0.87 <= table["coverage"]["all"] <= 0.93


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_other_levels_are_kept(world: World, later: World, level: float) -> None:
    intervals = count_intervals(world.counts[39], world.count_forecast[39], level=level)
    table = coverage_table(later.counts[39], intervals.around(later.count_forecast[39]))
    nothing = float((later.counts[39] == 0).mean())
    assert max(level, nothing) - 0.02 <= table["coverage"]["all"] <= max(level, nothing) + 0.05


# --- invariance and limits


def test_ends_of_counts_are_whole_and_ranges_depend_on_no_other_customer(
    later: World, intervals: tuple[Intervals, Intervals]
) -> None:
    counts, spend = intervals
    bands = counts.around(pd.Series(later.count_forecast[39], index=range(4000, 8000)), horizon_ratio=3)
    assert (bands == bands.round()).all(axis=None)
    assert (bands["lower"] <= bands["upper"]).all()
    assert bands.index[0] == 4000
    alone = counts.around(later.count_forecast[39][:1], horizon_ratio=3)
    np.testing.assert_array_equal(alone, bands.iloc[:1])
    together = spend.around(later.spend_forecast[39], counts=later.count_forecast[39], horizon_ratio=3)
    apart = spend.around(later.spend_forecast[39][:1], counts=later.count_forecast[39][:1], horizon_ratio=3)
    np.testing.assert_array_equal(apart, together.iloc[:1])


def test_neither_order_nor_currency_matters(world: World) -> None:
    order = np.random.default_rng(0).permutation(4000)
    counts, spend = world.calibrated(13)
    shuffled = World(
        {13: world.count_forecast[13][order]},
        {13: 7.3 * world.spend_forecast[13][order]},
        {13: world.counts[13][order]},
        {13: 7.3 * world.spend[13][order]},
    ).calibrated(13)
    ahead, money = world.count_forecast[39], world.spend_forecast[39]
    pd.testing.assert_frame_equal(shuffled[0].around(ahead, horizon_ratio=3), counts.around(ahead, horizon_ratio=3))
    theirs = shuffled[1].around(7.3 * money, counts=ahead, horizon_ratio=3)
    np.testing.assert_allclose(theirs, 7.3 * spend.around(money, counts=ahead, horizon_ratio=3), rtol=1e-9, atol=1e-9)


def test_where_nothing_came_ranges_are_nothing() -> None:
    for forecast in (np.full(60, 0.3), np.zeros(60)):
        counts = count_intervals(np.zeros(60), forecast)
        spend = spend_intervals(np.zeros(60), 9 * forecast, counts=counts.spread, count_forecast=forecast)
        assert counts.around(forecast, horizon_ratio=2).to_numpy().max() == 0
        assert spend.around(9 * forecast, counts=forecast, horizon_ratio=2).to_numpy().max() == 0


def test_where_nothing_was_expected_ranges_follow_what_came(world: World, later: World) -> None:
    nothing = np.zeros(4000)
    counts = count_intervals(world.counts[39], nothing)
    spend = spend_intervals(world.spend[39], nothing, counts=counts.spread, count_forecast=nothing)
    for came, bands in (
        (later.counts[39], counts.around(nothing)),
        (later.spend[39], spend.around(nothing, counts=nothing)),
    ):
        assert 0.87 <= coverage_table(came, bands)["coverage"]["all"] <= 0.96
        assert len(bands.drop_duplicates()) == 1


def test_the_same_from_everybody_is_held() -> None:
    counts = count_intervals(np.ones(50), np.ones(50))
    spend = spend_intervals(np.full(50, 8.0), np.full(50, 8.0), counts=counts.spread, count_forecast=np.ones(50))
    assert coverage_table(np.ones(50), counts.around(np.ones(50)))["coverage"]["all"] == 1
    bands = spend.around(np.full(50, 8.0), counts=np.ones(50))
    assert coverage_table(np.full(50, 8.0), bands)["coverage"]["all"] == 1
    assert bands["upper"].max() < 16


def test_one_heavy_customer_does_not_widen_the_others_ranges(world: World) -> None:
    counts, spend = world.counts[13].copy(), world.spend[13].copy()
    counts[7], spend[7] = 10**6, 1e9
    odd = World(world.count_forecast, world.spend_forecast, {13: counts}, {13: spend})
    tables = (world.coverage(each.calibrated(13), 13, 1) for each in (odd, world))
    for with_it, without in zip(*tables, strict=True):
        assert with_it["width"]["all"] == pytest.approx(without["width"]["all"], rel=0.15)


@pytest.mark.parametrize("n_customers", [1, 2, 20])
def test_few_customers_get_ranges_of_some_width(world: World, n_customers: int) -> None:
    some = World(*({13: table[13][:n_customers]} for table in vars(world).values()))
    counts, spend = some.calibrated(13)
    bands = counts.around([0.0, 1.0, 5.0], horizon_ratio=2)
    assert bands["upper"].between(0, 60).all()
    money = spend.around([0.0, 40.0, 200.0], counts=[0.0, 1.0, 5.0], horizon_ratio=2)
    assert money["upper"].between(0, 3000).all()
    assert bands["upper"][2] > 4


def test_returns_that_outweigh_purchases_count_as_nothing() -> None:
    counts = count_intervals(CAME * 5, FORECAST * 5)
    spend = np.array(CAME * 5) * 10 - 15.0
    intervals = spend_intervals(spend, np.array(FORECAST * 5) * 10, counts=counts.spread, count_forecast=FORECAST * 5)
    bands = intervals.around([1, 50], counts=[0.1, 5])
    assert bands["lower"].min() >= 0


def test_counts_that_contradict_the_spend_give_way_to_it(world: World, later: World) -> None:
    order = np.random.default_rng(0).permutation(4000)
    counts = count_intervals(world.counts[39], world.count_forecast[39]).spread
    intervals = spend_intervals(
        world.spend[39], world.spend_forecast[39], counts=counts, count_forecast=world.count_forecast[39][order]
    )
    bands = intervals.around(later.spend_forecast[39], counts=later.count_forecast[39][order])
    table = coverage_table(later.spend[39], bands)
    assert 0.87 <= table["coverage"]["all"] <= 0.96
    assert np.isfinite(bands.to_numpy()).all()


def test_a_hundred_thousand_customers_take_seconds() -> None:
    draws = np.random.default_rng(0)
    mean = draws.gamma(0.3, 3, 100_000)
    came = draws.poisson(mean * draws.gamma(2, 0.5, 100_000))
    started = time.process_time()
    counts = count_intervals(came, mean)
    spend = spend_intervals(40.0 * came, 40 * mean, counts=counts.spread, count_forecast=mean)
    counts.around(3 * mean, horizon_ratio=3)
    spend.around(120 * mean, counts=3 * mean, horizon_ratio=3)
    assert time.process_time() - started < 5  # about 1 s on a machine at rest


def test_what_cannot_be_ranged_is_refused() -> None:
    intervals = count_intervals(CAME, FORECAST)
    with pytest.raises(ValueError, match="horizon_ratio must be above 0, got -1"):
        intervals.around([1.0], horizon_ratio=-1)
    with pytest.raises(ValueError, match="forecasts must be finite"):
        intervals.around([np.nan])
    with pytest.raises(ValueError, match="actual and forecast must be finite"):
        count_intervals([np.inf, 1], [1, 1])
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 90"):
        count_intervals(CAME, FORECAST, level=90)
    spend = spend_intervals(CAME, FORECAST, counts=intervals.spread, count_forecast=FORECAST)
    with pytest.raises(ValueError, match="counts must be given for intervals of spend"):
        spend.around([1.0])
