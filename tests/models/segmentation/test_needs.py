"""Needs are found where groups buy differently, are not found where they do not, and are told in words that are true."""

import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.describing.naming import ALL_CUSTOMERS, slug
from crm_analysis.models.segmentation.grouping.assignment import NOISE, DenseGrouping, MixtureGrouping
from crm_analysis.models.segmentation.grouping.comparison import Candidate
from crm_analysis.models.segmentation.grouping.search import Search
from crm_analysis.models.segmentation.needs import (
    TOO_LITTLE,
    NeedsModel,
    category_lifts,
    find_needs,
    needs_names,
    needs_shares,
    needs_verdict,
    no_needs,
    shown_lifts,
)
from crm_analysis.models.segmentation.needs.chance import held_against_chance, one_kind_of_basket, taken_back
from crm_analysis.models.segmentation.needs.description import described_groups
from crm_analysis.models.segmentation.needs.grouped import found_groups, small_groups_fault
from crm_analysis.models.segmentation.needs.naming import FEW, TYPICAL, readable_category
from crm_analysis.models.segmentation.preparing.baskets import basket_variation, own_shares
from crm_analysis.models.segmentation.preparing.composition import fit_composition
from crm_analysis.models.storage import ModelDescription, load_model, save_model

QUICK = {"seed": 0, "n_bootstraps": 3, "max_groups": 6}
NAMES = [
    "PRODUCE",
    "新鲜肉类",
    "Tea & $coffee$",
    'a "b" <c>',
    "DRUG GM",
    "BREAD",
    "FUEL",
    "SEAFOOD-PCKGD",
    "(other)",
    "(unknown)",
]


def planted(n_groups, *, seed, rows=360, concentration=80, names=NAMES, few=0):
    """Customers who share most of their basket and put the rest into categories of their group; `few` bought too little."""
    rng = np.random.default_rng(seed)
    common = rng.dirichlet(np.full(len(names), 5.0))
    profiles = np.tile(common, (n_groups, 1))
    for group in range(n_groups if n_groups > 1 else 0):
        own = np.zeros(len(names))
        own[[group, (group + 3) % len(names)]] = 0.6, 0.4
        profiles[group] = 0.45 * common + 0.55 * own
    truth = rng.integers(0, n_groups, rows)
    lines = np.maximum(10, rng.lognormal(4.5, 1, rows).astype(int))
    lines[:few] = rng.integers(1, 10, few)
    shares = np.array([rng.dirichlet(concentration * profiles[group]) for group in truth])
    counts = np.array([rng.multinomial(number, share) for number, share in zip(lines, shares, strict=True)])
    prices = rng.lognormal(0, 0.5, len(names))
    money = np.where(counts > 0, rng.gamma(np.maximum(counts, 1) * 2.0, 0.5) * prices, 0.0).round(2)
    index = pd.Index([f"c{number:05d}" for number in range(rows)], name="customer_id")
    return pd.DataFrame(money, index=index, columns=names), pd.Series(lines, index), truth


@pytest.fixture(scope="module")
def four():
    spend, lines, truth = planted(4, seed=3, few=12)
    return spend, lines, truth, find_needs(spend, lines, **QUICK)


@pytest.fixture(scope="module")
def none():
    spend, lines, _ = planted(1, seed=5, concentration=25)
    return spend, lines, find_needs(spend, lines, **QUICK)


# --- what is planted is found, and nothing else


@pytest.mark.parametrize(("n_groups", "seed"), [(3, 1), (5, 2)])
def test_planted_needs_are_found(n_groups, seed):
    spend, lines, truth = planted(n_groups, seed=seed)
    needs = find_needs(spend, lines, **QUICK)
    assert needs.n_groups == n_groups
    assert adjusted_rand_score(truth, needs.labels) >= 0.9
    assert needs.stability_ari >= 0.8


def test_groups_are_called_after_what_was_planted(four):
    _, _, truth, needs = four
    told = needs.labels != TOO_LITTLE
    assert needs.n_groups == 4
    assert needs.offered is needs.labels
    assert needs.model.assigned_by == "nearest centre"
    assert adjusted_rand_score(truth[told], needs.labels[told]) >= 0.9
    for group, words in enumerate([("produce",), ("新鲜肉类",), ("Tea & $coffee$", "bread"), ('a "b" <c>', "fuel")]):
        name = needs.labels[told & (truth == group)].mode()[0]
        assert any(word.casefold() in name.casefold() for word in words), name
    assert not any("(other)" in name or "(unknown)" in name for name in needs.profiles.index)
    assert needs.profiles["slug"].is_unique
    assert "form 4 groups" in needs_verdict(needs)
    assert "Of 360 customers, 12 bought too little to tell" in needs_verdict(needs)


def test_customers_who_buy_alike_form_no_groups(none):
    _, _, needs = none
    assert (needs.n_groups, needs.algorithm, set(needs.labels)) == (1, "none", {ALL_CUSTOMERS})
    assert np.isnan(needs.stability_ari)
    assert "there are no separate needs groups" in needs_verdict(needs)


def test_a_gradient_is_cut_and_the_cut_is_called_a_convenience():
    rng = np.random.default_rng(0)
    ends = np.array([[0.6, 0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1, 0.6]])
    at = rng.beta(3, 3, 360)[:, None]
    shares = np.array([rng.dirichlet(200 * row) for row in at * ends[0] + (1 - at) * ends[1]])
    spend = pd.DataFrame(shares * rng.lognormal(5, 1, 360)[:, None], columns=NAMES[:5])
    needs = find_needs(spend, pd.Series(rng.integers(50, 400, 360)), **QUICK)
    parts, verdict = needs.cut_profiles, needs_verdict(needs)
    assert (needs.n_groups, set(needs.labels)) == (1, {ALL_CUSTOMERS})
    assert len(parts) >= 2
    assert parts["customers"].sum() == 360
    assert f"can be cut into {len(parts)} parts" in verdict
    assert "a convenience, not a finding" in verdict
    assert needs.cut.value_counts().to_dict() == parts["customers"].to_dict()
    assert any("roduce" in name for name in parts.index)
    assert needs.is_cut_offered
    assert needs.offered_profiles is parts
    assert needs.offered_lifts is needs.cut_lifts
    assert needs.offered_model.label(spend, pd.Series(99, spend.index)).nunique() == len(parts)
    assert any("drug GM" in name or "Drug GM" in name for name in parts.index)


def test_chance_alone_makes_all_baskets_the_same():
    rng = np.random.default_rng(0)
    lines = pd.Series(np.repeat([10, 20, 40, 80], 60))
    spend = pd.DataFrame([rng.multinomial(number, [0.5, 0.3, 0.2]) for number in lines], columns=["a", "b", "c"])
    needs = find_needs(spend, lines, **QUICK)
    assert needs.n_groups == 1


def searched(needs, winner, winning=None):
    """A search with the criteria of another one."""
    return Search(
        winner=winner,
        winning=winning,
        reason="It suits.",
        criteria=needs.criteria,
        comparison=needs.comparison,
        groups=None,
    )


def sparse_baskets(rows=400):
    """Customers of one kind who buy few of the categories."""
    rng = np.random.default_rng(3)
    lines = np.maximum(10, rng.lognormal(4, 1, rows).astype(int))
    shares = rng.dirichlet(4 * rng.dirichlet(np.full(20, 0.6)), rows)
    counts = np.array([rng.multinomial(number, share) for number, share in zip(lines, shares, strict=True)])
    return pd.DataFrame(counts.astype(float)).rename(columns=lambda at: f"k{at}"), pd.Series(lines.astype(float))


def test_customers_of_one_kind_are_drawn_as_they_are():
    spend, lines = sparse_baskets()
    made = fit_composition(spend, lines)
    baskets = one_kind_of_basket(spend, lines, made)
    drawn, counted = baskets.draw(seed=0)
    again = fit_composition(drawn, counted)
    assert len(drawn) == len(spend)
    np.testing.assert_allclose(np.sort(again.prior)[::-1], made.prior[made.prior > 0], atol=0.03)
    differ = [
        basket_variation(own_shares(table), number, own_shares(table).mean().to_numpy())[0]
        for table, number in ((spend, lines), (drawn, counted))
    ]
    assert differ[1] == pytest.approx(differ[0], rel=0.25)


@pytest.mark.parametrize(("silhouette", "stands"), [(0.15, False), (0.3, True)])
def test_groups_that_customers_of_one_kind_show_as_well_are_taken_back(four, silhouette, stands):
    *_, needs = four
    spend, lines = sparse_baskets()
    baskets = one_kind_of_basket(spend, lines, fit_composition(spend, lines))
    search = searched(needs, Candidate("kmeans", 4, 0.3, 0.9, 0.0, 0.9, silhouette, is_accepted=True, reading="four"))
    held = held_against_chance(search, baskets, np.zeros(400, dtype=np.intp), seed=0)
    assert (held.winner is not None) == stands
    assert ("customers of one kind" in held.reason) != stands
    assert bool(held.comparison.loc["kmeans", "is_accepted"]) == stands
    assert ("chosen" in set(held.criteria["choice"])) == stands


@pytest.mark.parametrize(("algorithm", "second", "stands"), [("dbscan", 0.4, True), ("dbscan", 0.0, False)])
def test_dense_groups_must_not_turn_up_among_customers_of_one_kind(four, algorithm, second, stands):
    *_, needs = four
    spend, lines = sparse_baskets(200)
    baskets = one_kind_of_basket(spend, lines, fit_composition(spend, lines))
    search = searched(needs, Candidate(algorithm, 2, 0.6, 0.9, 0.0, 0.9, 0.1, is_accepted=True, reading="dense groups"))
    labels = (np.arange(200) < 200 * second).astype(np.intp)
    assert (held_against_chance(search, baskets, labels, seed=0).winner is not None) == stands


def test_too_little_bought_is_counted_and_has_a_label_of_its_own(four):
    _, lines, _, needs = four
    assert set(needs.labels.index[needs.labels == TOO_LITTLE]) == set(lines.index[:12])
    assert needs.profiles.index[-1] == TOO_LITTLE
    assert needs.profiles.loc[TOO_LITTLE, "customers"] == 12
    assert needs.profiles["customers"].sum() == 360
    assert needs.profiles["share_of_spend"].sum() == pytest.approx(1)
    assert TOO_LITTLE not in set(needs.lifts["need"])
    assert needs_shares(needs)["need_share.too-little-bought-to-tell"] == pytest.approx(12 / 360)


# --- nothing else has an influence


def test_neither_order_nor_names_nor_currency_matter(four):
    spend, lines, _, needs = four
    order = np.random.default_rng(9).permutation(len(spend))
    columns = np.random.default_rng(8).permutation(len(NAMES))
    other = (spend.iloc[order, columns] * 100).rename(index=lambda name: f"x{name[::-1]}")
    again = find_needs(other, lines.rename(index=lambda name: f"x{name[::-1]}"), **QUICK)
    assert again.labels.index.equals(other.index)
    assert list(again.labels) == list(needs.labels.iloc[order])
    pd.testing.assert_frame_equal(again.criteria, needs.criteria, rtol=1e-6)
    pd.testing.assert_frame_equal(again.profiles, needs.profiles)
    pd.testing.assert_frame_equal(again.lifts, needs.lifts)


def test_other_names_of_categories_change_names_only(four):
    spend, lines, _, needs = four
    again = find_needs(spend.set_axis([f"k{number}" for number in range(len(NAMES))], axis=1), lines, **QUICK)
    assert adjusted_rand_score(again.labels, needs.labels) == 1
    np.testing.assert_allclose(again.criteria["silhouette"], needs.criteria["silhouette"])


# --- the model that lasts


def test_a_customer_gets_the_same_group_alone_in_any_batch_and_from_disk(four, tmp_path):
    spend, lines, _, needs = four
    description = ModelDescription(
        kind="needs",
        dataset="shop",
        as_of=date(2024, 1, 31),
        currency="EUR",
        n_customers=360,
        features=(),
        parameters={},
        algorithm=needs.algorithm,
        labels_by="nearest centre",
    )
    save_model(needs.model.to_plain(), description, to=tmp_path / "needs")
    model = NeedsModel.from_plain(load_model(tmp_path / "needs").content)
    pd.testing.assert_series_equal(model.label(spend, lines), needs.labels)
    for at in range(0, 360, 40):
        assert model.label(spend.iloc[[at]], lines).tolist() == [needs.labels.iloc[at]]
    assert model.label(spend.iloc[:0], lines).empty
    pd.testing.assert_series_equal(needs.cut_model.label(spend, lines).rename("cut"), needs.cut)
    assert set(model.levels) == set(NAMES[:-2])


def test_the_model_says_what_it_does_not_know(four, none):
    spend, lines, _, needs = four
    known = needs.model.label(spend.assign(novel=0.0), lines)
    pd.testing.assert_series_equal(known, needs.labels)
    without = find_needs(*_without_others(none), **QUICK).model
    with pytest.raises(ModelError, match=r"1 categories that the model does not know: \['novel'\]"):
        without.label(spend.drop(columns="(other)").assign(novel=1.0), lines)
    with pytest.raises(ModelError, match=r"cannot be applied(.|\n)*1 missing"):
        needs.model.label(spend.assign(FUEL=[np.nan] + [1.0] * 359), lines)
    with pytest.raises(ModelError, match="no needs model of this version"):
        NeedsModel.from_plain({"categories": ["a"]})
    with pytest.raises(ModelError, match="but 1 names"):
        NeedsModel.from_plain({**needs.model.to_plain(), "names": ["one"]})
    grouping = {"algorithm": "kmeans", "centres": np.zeros((4, 1))}
    with pytest.raises(ModelError, match="centres in 1 of"):
        NeedsModel.from_plain({**needs.model.to_plain(), "grouping": grouping})


def _without_others(none):
    spend, lines, _ = none
    return spend.iloc[:60].drop(columns="(other)"), lines.iloc[:60]


def test_dense_groups_are_kept_as_means_of_several_members(four):
    spend, lines, truth, needs = four
    told = (lines >= 10).to_numpy()
    points = needs.model.composition.points(needs.model.composition.aligned(spend[told]), lines[told])
    dense = DenseGrouping("dbscan", points.to_numpy(), truth[told], np.full(told.sum(), 0.05))
    candidate = Candidate("dbscan", 4, 0.3, np.nan, 0.0, 0.9, 0.4, is_accepted=True, reading="dense")
    search = searched(needs, candidate, dense)
    grouping, groups = found_groups(points, points, search, seed=0, min_cell=8)
    assert set(groups) == {0, 1, 2, 3}
    assert len(groups) <= told.sum() / 8
    model = replace(needs.model, grouping=grouping, groups=groups, names=tuple("abcd"))
    assert adjusted_rand_score(truth[told], model.label(spend[told], lines)) >= 0.9
    again = NeedsModel.from_plain(model.to_plain())
    pd.testing.assert_series_equal(again.label(spend, lines), model.label(spend, lines))


def dense_search(four, *, sizes):
    """Points, and a search that found dense groups of these sizes among them, noise first."""
    *_, needs = four
    rows = sum(sizes)
    points = np.random.default_rng(5).normal(size=(rows, 2)) * 0.01
    labels = np.repeat(np.arange(len(sizes)) - 1, sizes)
    points += np.column_stack([labels * 5.0, np.where(labels == NOISE, np.arange(rows) * 3.0, 0.0)])
    core = labels != NOISE
    dense = DenseGrouping("dbscan", points[core], labels[core], np.full(core.sum(), 0.5))
    candidate = Candidate("dbscan", len(sizes) - 1, 0.3, np.nan, 0.0, 0.9, 0.4, is_accepted=True, reading="dense")
    return pd.DataFrame(points, columns=["x", "y"]), searched(needs, candidate, dense)


@pytest.mark.parametrize(
    ("sizes", "min_cell", "kept"),
    [
        ((6, 40, 40), 1, {-1, 0, 1}),
        ((4, 40, 40), 1, {0, 1}),
        ((9, 40, 40), 10, {0, 1}),
        ((12, 40, 9, 40), 10, {-1, 0, 1}),
        ((12, 9, 9), 10, {0}),
        ((4, 4), 1, {0}),
    ],
)  # noise first
def test_noise_and_groups_of_very_few_are_not_kept(four, sizes, min_cell, kept):
    points, search = dense_search(four, sizes=sizes)
    grouping, groups = found_groups(points, points, search, seed=0, min_cell=min_cell)
    assert set(groups) == kept
    least = max(min_cell, 5)
    large = sum(size for size in sizes if size >= least)
    assert len(groups) <= max(large // least, 1)
    nearest = np.linalg.norm(points.to_numpy()[:, None] - grouping.centres, axis=2).min(axis=0)
    assert grouping.algorithm == "none" or (nearest > 0).all()  # none is a single customer's
    fault = small_groups_fault(points, search, min_cell=min_cell)
    assert (fault is None) == (sum(size >= least for size in sizes[1:]) >= 2)


def test_groups_of_too_few_to_be_kept_are_taken_back(four):
    points, search = dense_search(four, sizes=(12, 40, 9))
    held = taken_back(search, small_groups_fault(points, search, min_cell=10))
    assert held.winner is None
    assert held.reason == (
        "DBSCAN finds 2 groups, but fewer than two of them have 10 customers or more, of whom a mean can be kept without telling "
        "of single ones."
    )


def test_needs_whose_groups_are_too_small_say_so(four, monkeypatch):
    spend, lines, _, needs = four
    module = sys.modules[find_needs.__module__]

    def small_groups(sample, *_args, **_settings):
        labels = np.r_[np.zeros(len(sample) - 3, dtype=np.intp), np.ones(3, dtype=np.intp)]
        dense = DenseGrouping("dbscan", sample.to_numpy(), labels, np.full(len(sample), 0.05))
        candidate = Candidate("dbscan", 2, 0.9, np.nan, 0.0, 0.9, 0.4, is_accepted=True, reading="dense")
        return searched(needs, candidate, dense)

    monkeypatch.setattr(module, "search_groups", small_groups)
    monkeypatch.setattr(module, "_held", lambda search, *_, **__: search)
    found = find_needs(spend, lines, **QUICK)
    assert (found.n_groups, found.algorithm) == (1, "none")
    assert "fewer than two of them have 5 customers or more" in found.reason
    assert set(found.labels) == {ALL_CUSTOMERS, TOO_LITTLE}


def test_a_mixture_is_saved_and_labels_alike(four):
    spend, lines, _, needs = four
    centres = needs.model.grouping.centres
    scales = np.tile(np.eye(centres.shape[1]) * 9, (4, 1, 1))
    mixture = MixtureGrouping("mixture", np.full(4, 0.25), centres, scales, "full")
    model = NeedsModel.from_plain(replace(needs.model, grouping=mixture).to_plain())
    assert isinstance(model.grouping, MixtureGrouping)
    pd.testing.assert_series_equal(model.label(spend, lines), needs.labels)


# --- lifts and names


def test_lifts_by_pencil():
    spend = pd.DataFrame({"tea": [6.0, 2.0, 0.0, 2.0], "rice": [2.0, 0.0, 4.0, 4.0]})
    table = category_lifts(spend, pd.Series(["a", "a", "b", "b"]), seed=0).set_index(["group", "category"])
    assert table.loc[("a", "tea"), ["share_of_group", "share_of_all", "lift", "buyers", "share_buying"]].tolist() == [
        0.8,
        0.5,
        1.6,
        2,
        1.0,
    ]
    assert table.loc[("b", "tea"), ["share_of_group", "lift", "buyers", "share_buying"]].tolist() == [0.2, 0.4, 1, 0.5]
    assert table.loc[("a", "tea"), "weight"] == pytest.approx(0.3 * np.log(1.6))


@pytest.mark.parametrize("rows", [400, 3_000])  # beyond 2,000 customers a group, blocks of them are drawn
def test_intervals_of_lifts_are_as_wide_as_lifts_scatter(rows):
    rng = np.random.default_rng(0)
    lifts, widths = [], []
    for seed in range(25):
        shares = np.concatenate([rng.beta(6, 4, rows), rng.beta(4, 6, rows)])
        money = rng.lognormal(0, 0.5, 2 * rows)
        spend = pd.DataFrame({"tea": shares * money, "rice": (1 - shares) * money})
        table = category_lifts(spend, pd.Series(["a"] * rows + ["b"] * rows), seed=seed)
        row = table[(table["group"] == "a") & (table["category"] == "tea")].iloc[0]
        lifts.append(row["lift"])
        widths.append(row["lift_high"] - row["lift_low"])
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(lifts, ddof=1), rel=0.4)


def lifts_of(**groups):
    """Each group a list of category, share of its spend, and lift, the interval near it."""
    rows = [
        (group, name, share, share / lift if lift else 0.2, lift, 0.95 * lift, 1.05 * lift)
        for group, cells in groups.items()
        for name, share, lift in cells
    ]
    table = pd.DataFrame(
        rows, columns=["group", "category", "share_of_group", "share_of_all", "lift", "lift_low", "lift_high"]
    )
    table["weight"] = (table["share_of_group"] - table["share_of_all"]) * np.log(table["lift"].clip(lower=1e-3))
    return table.sort_values(["group", "weight"], ascending=[True, False], ignore_index=True)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([("PRODUCE", 0.3, 2.0), ("DELI", 0.2, 1.8), ("DRUG GM", 0.05, 0.4)], "Produce and deli, little drug GM"),
        ([("FUEL", 0.0, 0.0), ("GROCERY", 0.8, 1.05)], "Hardly any fuel"),
        ([("GROCERY", 0.5, 1.02), ("FUEL", 0.1, 0.9)], TYPICAL),
        ([("rare", 0.001, 9.0), ("GROCERY", 0.5, 1.0)], TYPICAL),
        ([("(other)", 0.5, 2.0), ("茶", 0.3, 1.5)], "茶"),
        ([("x" * 90, 0.5, 2.0)], "X" + "x" * 38 + "…"),
        ([("line\nbreak", 0.5, 2.0)], "Line break"),
        ([("", 0.5, 2.0)], "Category without a name"),
    ],
)
def test_names_say_what_sets_a_group_apart(cells, name):
    assert needs_names(lifts_of(a=cells), unnamed=["(other)"]).tolist() == [name]


def test_names_and_their_slugs_differ():
    alike = [("TEA", 0.4, 2.0), ("RICE", 0.3, 1.9)]
    names = needs_names(
        lifts_of(
            a=[*alike, ("salt", 0.1, 1.8)], b=[*alike, ("milk", 0.1, 1.8)], c=alike, d=alike, e=[("noise", 0.4, 2.0)]
        )
    )
    assert names.tolist() == [
        "Tea, rice and salt",
        "Tea, rice and milk",
        "Tea and rice",
        "Tea and rice (2)",
        "Noise (2)",
    ]
    symbols = needs_names(lifts_of(a=[("$", 0.4, 2.0)], b=[("<", 0.4, 2.0)]))
    assert symbols.map(slug).is_unique


def test_capitals_become_words_only_in_latin_capitals():
    assert readable_category("MEAT-PCKGD") == "meat-PCKGD"
    assert readable_category("МЯСО") == "МЯСО"
    assert readable_category("iPhone TV") == "iPhone TV"


# --- small cells


def test_small_cells_are_left_out_of_every_table(four):
    spend, lines, _, _ = four
    needs = find_needs(spend, lines, min_cell=30, **QUICK)
    assert needs.profiles["customers"].dropna().ge(30).all()
    assert (
        needs.profiles["customers"].isna().sum() >= 2
    )  # twelve who bought too little, and a group that would give them away
    assert needs.lifts["buyers"].dropna().ge(30).all()
    assert (
        needs.lifts.loc[needs.lifts["buyers"].isna(), ["lift", "share_of_group", "share_of_all", "weight"]]
        .isna()
        .all(axis=None)
    )
    hidden = needs.profiles.index[needs.profiles["customers"].isna()]
    assert set(needs.profiles.loc[hidden, "top_categories"]) == {"not shown"}
    assert "(figures not shown)" in needs_verdict(needs)
    assert any("left out" in note for note in needs.notes)
    assert "Of 360 customers, some bought too little" in needs_verdict(needs)


def test_no_hidden_lift_follows_from_the_shown_ones():
    spend = pd.DataFrame({"tea": [1.0] * 40, "rice": [1.0] * 38 + [0.0] * 2, "salt": [1.0] * 3 + [0.0] * 37})
    groups = pd.Series(["a"] * 20 + ["b"] * 20)
    shown = shown_lifts(category_lifts(spend, groups, seed=0), min_cell=5).set_index(["group", "category"])
    assert np.isnan(shown.loc[("a", "salt"), "lift"])
    assert shown["lift"].notna().groupby("category").sum()["salt"] <= 1  # nobody of b buys it, which may be told
    assert shown.loc["a", "lift"].isna().sum() >= 2  # a single hidden share would be what the others leave


def test_a_small_group_is_not_called_after_what_it_buys():
    spend, lines, truth = planted(3, seed=1, rows=330)
    kept = np.flatnonzero((truth < 2) | (np.cumsum(truth == 2) <= 14))
    needs = find_needs(spend.iloc[kept], lines.iloc[kept], **QUICK)
    assert needs.n_groups == 3
    model, rules = needs.model, {"unnamed_categories": ["(other)"], "min_lines": 10, "seed": 0}
    aligned = model.composition.aligned(spend.iloc[kept])
    made = (aligned, lines.iloc[kept], model.composition, model.grouping, model.groups)
    fewer = described_groups(*made, min_cell=20, **rules)
    assert FEW not in " ".join(described_groups(*made, min_cell=1, **rules).labels)
    assert fewer.labels[truth[kept] == 2].value_counts().index[0] == f"{FEW} 1"
    assert sum(name.startswith(FEW) for name in set(fewer.labels)) == 1


# --- limits


def test_a_single_customer_and_a_single_category():
    one = find_needs(pd.DataFrame({"tea": [4.0], "rice": [1.0]}, index=["ann"]), pd.Series([12], ["ann"]), **QUICK)
    assert one.labels.to_dict() == {"ann": ALL_CUSTOMERS}
    assert needs_verdict(one).startswith("The only customer bought enough")
    spend, lines, _ = planted(3, seed=0, rows=40)
    same = find_needs(spend[["BREAD"]] + 1, lines, **QUICK)
    assert (same.n_groups, set(same.labels)) == (1, {ALL_CUSTOMERS})
    assert "too few, or differ too little" in needs_verdict(same)


def test_the_same_basket_for_everybody_is_one_group():
    spend = pd.DataFrame({"tea": [3.0] * 50, "rice": [1.0] * 50}).mul(np.arange(1, 51), axis=0)
    needs = find_needs(spend, pd.Series(range(10, 60)), **QUICK)
    assert (needs.n_groups, set(needs.labels)) == (1, {ALL_CUSTOMERS})
    assert needs.model.label(pd.DataFrame({"tea": [9.0]}), pd.Series([20])).tolist() == [ALL_CUSTOMERS]


def test_only_returns_and_nobody_who_can_be_told():
    spend, lines, _ = planted(3, seed=0, rows=40)
    needs = find_needs(spend * 0, lines, **QUICK)
    assert set(needs.labels) == {TOO_LITTLE}
    assert needs_verdict(needs).startswith("Of 40 customers, none bought enough")
    assert needs.model.label(spend * 0, lines).tolist() == [TOO_LITTLE] * 40
    mixed = spend.copy()
    mixed.iloc[:7] = 0.0
    assert (find_needs(mixed, lines, **QUICK).labels == TOO_LITTLE).sum() == 7


def test_fifty_of_ten_thousand_categories_and_the_rest():
    names = [f"category {number:05d}" for number in range(50)] + ["(other)", "(unknown)"]
    spend, lines, truth = planted(3, seed=4, names=names, rows=300, concentration=200)
    needs = find_needs(spend, lines, **QUICK)
    assert needs.n_groups == 3
    assert adjusted_rand_score(truth, needs.labels) >= 0.9


def test_data_without_categories_have_no_needs_and_say_why():
    needs = no_needs("Purchases have no column 'category'.")
    assert needs_verdict(needs) == "Purchases have no column 'category'."
    assert (needs.n_groups, needs.algorithm, needs.model, len(needs.offered)) == (1, "none", None, 0)
    filled = find_needs(*planted(3, seed=0, rows=40)[:2], **QUICK)
    assert needs.profiles.columns.tolist() == filled.profiles.columns.tolist()
    assert needs.lifts.columns.tolist() == filled.lifts.columns.tolist()


def test_wrong_input_says_what_is_wrong():
    spend, lines, _ = planted(3, seed=0, rows=40)
    with pytest.raises(TooFewRecordsError):
        find_needs(spend.iloc[:0], lines, **QUICK)
    with pytest.raises(DataQualityError, match="1 negative"):
        find_needs(spend.assign(FUEL=[-1.0] + [1.0] * 39), lines, **QUICK)
    with pytest.raises(ValueError, match="min_lines"):
        find_needs(spend, lines, min_lines=0, **QUICK)
