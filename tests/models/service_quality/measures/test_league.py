"""Small teams are not blamed for chance; real differences are found; the case mix is allowed for."""

import numpy as np
import pytest

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.service_quality.measures.intervals import grouping
from crm_analysis.models.service_quality.measures.league import design_effects, funnel_limits, league

SIZES = [400, 250, 150, 100, 60, 40, 25, 15, 10, 6]


def teams(shares, sizes=SIZES, seed=0, *, cases_per_customer=1):
    draws = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    n = len(codes)
    customers = np.arange(n) // cases_per_customer
    flags = (draws.random(n) < np.repeat(shares, sizes)).astype(float)
    return grouping(codes, tuple(f"team {at}" for at in range(len(sizes))), customers), flags


def test_teams_that_are_alike_are_almost_never_marked():
    marked, watched = 0, 0
    for seed in range(40):
        table = league(*teams([0.3] * 10, seed=seed), seed=0).table
        marked += table["funnel"].str.contains("99.8").sum()
        watched += (table["funnel"] != "inside").sum()
    assert marked <= 3  # of 400
    assert watched / 400 < 0.07


def test_shrunk_shares_are_nearer_to_the_truth():
    raw, shrunk, held = [], [], []
    for seed in range(30):
        truth = np.random.default_rng(seed).beta(0.3 * 40, 0.7 * 40, 10)
        table = league(*teams(truth, seed=100 + seed), seed=0).table.sort_index()
        raw.append((table["share"] - truth) ** 2)
        shrunk.append((table["shrunk"] - truth) ** 2)
        held.append((table["low"] <= truth) & (truth <= table["high"]))
    assert np.mean(shrunk) < 0.75 * np.mean(raw)
    assert np.mean(held) == pytest.approx(0.93, abs=0.05)


def test_a_team_that_is_worse_is_found_and_ranked_first():
    result = league(*teams([0.2] * 4 + [0.6] + [0.2] * 5), seed=0)
    worst = result.table.iloc[0]
    assert (worst.name, worst["funnel"], worst["rank_low"]) == ("team 4", "above 99.8%", 1)
    assert worst["chance_highest"] > 0.99
    assert result.table["funnel"].str.contains("99.8").sum() == 1


def test_a_small_team_is_drawn_to_the_whole_more_than_a_large_one():
    table = league(*teams([0.2, 0.4, 0.3, 0.2, 0.4, 0.3, 0.2, 0.4, 0.3, 1.0]), seed=0).table
    small, large = table.loc["team 9"], table.loc["team 0"]
    assert small["share"] - small["shrunk"] > 5 * abs(large["share"] - large["shrunk"])


def test_case_mix_is_allowed_for():
    sizes = [500, 500, 500, 500]
    hard = np.repeat([0.6, 0.6, 0.2, 0.2], sizes)
    groups, _ = teams([0.0] * 4, sizes)
    flags = (np.random.default_rng(0).random(len(hard)) < hard).astype(float)
    plain, adjusted = league(groups, flags, seed=0), league(groups, flags, seed=0, expected=hard)
    assert (plain.table["funnel"] != "inside").all()
    assert (adjusted.table["funnel"] == "inside").all()
    assert np.ptp(adjusted.table["shrunk"]) < 0.06
    assert adjusted.is_adjusted


def test_customers_whose_cases_are_alike_count_less():
    draws = np.random.default_rng(0)
    customers = np.repeat(np.arange(100), 5)
    flags = np.repeat((draws.random(100) < 0.4).astype(float), 5)
    groups = grouping(np.arange(500) // 250, ("a", "b"), customers)
    assert design_effects(groups, flags) == pytest.approx([5, 5], rel=0.02)
    assert design_effects(groups, draws.permutation(flags)) == pytest.approx([1, 1], abs=0.3)
    assert league(groups, flags, seed=0).design_effect == pytest.approx(5, rel=0.02)


def test_funnel_is_wide_for_few_cases():
    low, high = funnel_limits(0.3, np.array([5.0, 50.0, 5000.0]), level=0.998)
    assert (np.diff(high - low) < 0).all()
    assert high[0] > 0.9


def test_order_of_rows_does_not_matter():
    groups, flags = teams([0.2, 0.5] * 5)
    shuffled = np.random.default_rng(1).permutation(len(flags))
    other = grouping(groups.codes[shuffled], groups.names, np.arange(len(flags)))
    one, two = league(groups, flags, seed=0).table, league(other, flags[shuffled], seed=0).table
    np.testing.assert_allclose(one.drop(columns="funnel").to_numpy(), two.drop(columns="funnel").to_numpy(), rtol=1e-6)


def test_one_team_and_one_outcome():
    alone = league(*teams([0.3], [50]), seed=0).table
    assert alone["rank"].tolist() == [1]
    none = league(*teams([0.0] * 10), seed=0)
    assert (none.table["shrunk"] < 0.02).all()
    assert (none.table["funnel"] == "inside").all()
    assert (league(*teams([1.0] * 10), seed=0).table["funnel"] == "inside").all()


def test_what_cannot_be_compared_is_said():
    groups, flags = teams([0.3] * 10)
    with pytest.raises(TooFewRecordsError, match="No case has a known outcome"):
        league(groups, flags * np.nan, seed=0)
    with pytest.raises(DataQualityError, match="expected chances are missing or not between"):
        league(groups, flags, seed=0, expected=np.full(len(flags), 1.2))
