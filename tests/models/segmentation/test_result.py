"""Segments are found where there are some, are not found where there are none, and are told in words that are true."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation import (
    RFM,
    checked_features,
    choose_n_groups,
    customer_list,
    fit_dbscan,
    fit_reference,
    fit_scaling,
    mean_silhouettes,
    segment_cards,
    segment_customers,
    segment_names,
    segment_profiles,
    segment_rules,
    segment_shares,
    slug,
    value_fifths,
    verdict,
)
from crm_analysis.models.segmentation.describing.naming import ALL_CUSTOMERS
from crm_analysis.models.segmentation.describing.profiles import segment_map, segment_positions
from crm_analysis.models.segmentation.describing.rules import NO_RULE
from crm_analysis.models.segmentation.describing.silhouettes import segment_silhouettes
from crm_analysis.models.segmentation.grouping.comparison import _dense_fault, _told_shares
from crm_analysis.models.segmentation.grouping.dbscan import density_at_cuts, k_distances, knee
from crm_analysis.models.segmentation.grouping.refitting import finest_stable_grouping
from crm_analysis.models.segmentation.model import SegmentModel
from crm_analysis.models.segmentation.preparing.straightening import log_unit
from crm_analysis.tables.privacy.suppression import suppressed

QUICK = {"seed": 0, "n_bootstraps": 4, "max_segments": 7}


def customers(values, columns=RFM):
    index = pd.Index([f"c{number:05d}" for number in range(len(values))], name="customer_id")
    return pd.DataFrame(np.asarray(values, dtype=float), columns=list(columns), index=index)


def planted(n_groups, *, seed, rows=450, small=None):
    """Lognormal customers in groups whose centres lie at least 4.2 within-group standard deviations apart."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 4.2 * (0.8 + 0.6 * n_groups ** (1 / 3)), (n_groups, 3))
    while np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(axis=2) + 1e9 * np.eye(n_groups)).min() < 4.2:
        centres = rng.uniform(0, 4.2 * (0.8 + 0.6 * n_groups ** (1 / 3)), (n_groups, 3))
    shares = (
        np.full(n_groups, 1 / n_groups)
        if small is None
        else np.r_[small, np.full(n_groups - 1, (1 - small) / (n_groups - 1))]
    )
    truth = rng.choice(n_groups, rows, p=shares)
    return customers(np.exp(1 + 0.35 * (centres[truth] + rng.standard_normal((rows, 3))))), truth


def moons_with_noise():
    points, truth = make_moons(600, noise=0.06, random_state=1)
    scattered = np.random.default_rng(0).uniform([-1.5, -1.0], [2.5, 1.5], (30, 2))
    return customers(np.vstack([points, scattered]), ["x", "y"]), np.r_[truth, np.full(30, -1)]


@pytest.fixture(scope="module")
def four():
    features, truth = planted(4, seed=3)
    return features, truth, segment_customers(features, **QUICK)


@pytest.fixture(scope="module")
def one_mass():
    rng = np.random.default_rng(5)
    features = customers(np.exp(3 + rng.standard_normal((500, 3)) @ rng.standard_normal((3, 3)) * 0.5))
    return features, segment_customers(features, **QUICK)


# --- what is planted is found, and nothing else


@pytest.mark.parametrize(("n_groups", "seed", "small"), [(2, 1, None), (3, 2, 0.2), (5, 4, 0.1), (6, 6, None)])
def test_planted_groups_are_found(n_groups, seed, small):
    features, truth = planted(n_groups, seed=seed, small=small)
    result = segment_customers(features, **QUICK)
    assert result.n_segments == n_groups
    assert adjusted_rand_score(truth, result.labels) >= 0.9
    assert result.stability_ari >= 0.8
    assert result.surrogate_fidelity >= 0.9


@pytest.mark.parametrize("seed", range(2))
def test_a_normal_cloud_has_no_groups(seed):
    rng = np.random.default_rng(seed)
    result = segment_customers(customers(rng.standard_normal((400, 3)) @ rng.standard_normal((3, 3))), **QUICK)
    assert (result.n_segments, result.algorithm) == (1, "none")


def test_purchases_at_constant_rates_have_no_groups_for_all_their_spikes_and_bounds():
    rng = np.random.default_rng(1)
    rates = rng.gamma(0.8, 1 / 60, 600)
    days = [np.unique(rng.integers(0, 365, 1 + rng.poisson(rate * 365))) for rate in rates]
    table = [(364 - bought.max(), len(bought), rng.gamma(2, 15)) for bought in days]
    result = segment_customers(customers(table), **QUICK)
    assert (result.n_segments, result.algorithm) == (1, "none")
    assert "no separate groups" in verdict(result)


def test_dbscan_finds_moons_and_noise_where_kmeans_cuts_through_them():
    features, truth = moons_with_noise()
    result = segment_customers(features, columns=["x", "y"], **QUICK)
    inside = truth >= 0
    assert (result.algorithm, result.n_segments) == ("dbscan", 2)
    assert adjusted_rand_score(truth[inside], result.labels[inside]) >= 0.9
    assert (result.labels[~inside] == "noise").mean() >= 0.5
    assert "DBSCAN suits these customers" in verdict(result)
    assert "belong to none" in verdict(result)
    assert result.profiles.index[-1] == "noise"
    assert segment_shares(result)["share.noise"] == pytest.approx((result.labels == "noise").mean())


def test_groups_that_are_not_stable_are_not_taken(four):
    features, _, _ = four
    result = segment_customers(features, min_stability=1.1, **QUICK)
    assert result.algorithm == "none"
    assert "no number of groups is stable" in verdict(result)
    assert "not stable" in result.comparison.loc["dbscan", "reading"] or result.comparison.loc["dbscan", "n_groups"] < 2


# --- nothing else has an influence


def test_neither_order_nor_names_nor_currency_nor_repetition_matter(four):
    features, _, result = four
    order = np.random.default_rng(9).permutation(len(features))
    other = features.iloc[order].rename(index=lambda name: f"x{name[::-1]}")
    other["monetary_value"] *= 100
    again = segment_customers(other, **QUICK)
    assert again.labels.index.equals(other.index)
    assert list(again.labels) == list(result.labels.iloc[order])
    pd.testing.assert_frame_equal(again.criteria, result.criteria, rtol=1e-6)
    pd.testing.assert_frame_equal(
        again.profiles.drop(columns="monetary_value"), result.profiles.drop(columns="monetary_value")
    )
    np.testing.assert_allclose(again.profiles["monetary_value"], 100 * result.profiles["monetary_value"])
    assert list(again.rules["customers"]) == list(result.rules["customers"])


def test_the_seed_changes_hardly_anything(four):
    features, _, result = four
    other = segment_customers(features, **{**QUICK, "seed": 7})
    assert adjusted_rand_score(result.labels, other.labels) >= 0.99
    assert set(other.labels) == set(result.labels)


# --- limits


def test_customers_who_are_all_the_same_are_one_segment():
    result = segment_customers(customers([[3, 2, 9.5]] * 50), **QUICK)
    assert (result.n_segments, result.algorithm, set(result.labels)) == (1, "none", {ALL_CUSTOMERS})
    assert verdict(result) == "50 customers are too few, or differ too little, to look for groups."
    assert "left out: recency days, frequency, monetary value" in " ".join(result.notes)


@pytest.mark.parametrize("rows", [1, 2, 7, 19])
def test_a_few_customers_are_one_segment(rows):
    values = np.random.default_rng(0).gamma(2, 5, (rows, 3))
    result = segment_customers(customers(values), **QUICK)
    assert (result.n_segments, len(result.labels)) == (1, rows)
    assert np.isnan(result.stability_ari)
    assert result.profiles["customers"].tolist() == [rows]
    assert len(result.plane) == rows


def test_constant_features_and_ties_do_no_harm():
    rng = np.random.default_rng(0)
    groups = np.repeat([1.0, 40.0], 60)
    values = np.column_stack([np.full(120, 7.0), groups, groups * 3 + rng.integers(0, 2, 120)])
    result = segment_customers(customers(values), **QUICK)
    assert result.n_segments in {1, 2}
    assert "left out: recency days" in " ".join(result.notes)


def test_no_customer_is_too_few():
    with pytest.raises(TooFewRecordsError, match="0 customers"):
        segment_customers(customers(np.empty((0, 3))), **QUICK)


def test_wrong_values_are_counted_by_column():
    features = customers(np.ones((4, 3)))
    features.iloc[0, 1] = np.nan
    features.iloc[1:3, 2] = np.inf
    features.index = ["a", "a", "b", "c"]
    with pytest.raises(DataQualityError) as caught:
        checked_features(features)
    assert len(caught.value.faults) == 3
    assert "'frequency' has 1 missing and 0 infinite" in str(caught.value)
    assert "'monetary_value' has 0 missing and 2 infinite" in str(caught.value)
    assert "1 rows repeat a customer_id" in str(caught.value)


def test_text_and_missing_columns_are_refused():
    features = customers(np.ones((4, 3))).assign(frequency="often")
    with pytest.raises(DataQualityError, match="'frequency' holds str"):
        checked_features(features)
    with pytest.raises(ModelError, match=r"lacks 1 of 3 columns to group by: \['frequency'\]"):
        checked_features(features.drop(columns="frequency"))


def test_wrong_options_are_a_coding_mistake():
    with pytest.raises(ValueError, match="got 1 and 20"):
        segment_customers(customers(np.ones((4, 3))), seed=0, max_segments=1)


# --- the parts, checked with a pencil


def test_silhouettes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    points, labels = rng.standard_normal((60, 3)), rng.integers(0, 4, 60)
    labels[0] = 4  # alone in its group
    assert mean_silhouettes(points, [labels])[0] == pytest.approx(silhouette_score(points, labels), abs=1e-5)
    assert np.isnan(mean_silhouettes(points, [np.zeros(60, dtype=int)])[0])


def test_the_scale_is_the_one_on_which_groups_are_even():
    even = np.random.default_rng(0).normal(np.repeat([20.0, 60.0, 100.0], 200), 4.0)
    assert np.isnan(log_unit(even))
    assert log_unit(np.exp(even / 15)) < np.quantile(np.exp(even / 15), 0.05)


def test_points_have_mean_zero_and_deviation_one_also_after_returns():
    spend = np.random.default_rng(0).lognormal(4, 1, 300)
    spend[:5] = [-40.0, -3.0, 0.0, 0.0, -200.0]
    features = customers(np.column_stack([spend, spend % 7]), ["spend", "other"])
    points = fit_scaling(features).apply(features)
    np.testing.assert_allclose(points.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(points.std(ddof=0), 1)
    assert (points["spend"].rank() == features["spend"].rank()).all()


def test_reference_data_keep_margins_and_correlation_but_have_one_hump():
    rng = np.random.default_rng(0)
    frequency = 1 + rng.geometric(0.4, 2000)
    money = frequency * rng.lognormal(2, 0.5, 2000)
    bimodal = rng.normal(np.repeat([0.0, 9.0], 1000), 1.0)
    features = customers(np.column_stack([frequency, money, bimodal]))
    scaling = fit_scaling(features)
    points = scaling.apply(features).to_numpy()
    drawn = fit_reference(features, scaling, seed=0).draw(4000, seed=1)
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(points.T), atol=0.06)
    assert (drawn[:, 0] == points[:, 0].min()).mean() == pytest.approx((frequency == 2).mean(), abs=0.03)
    middle = (bimodal.min() + bimodal.max()) / 2
    between = np.abs(drawn[:, 2] - scaling.column("monetary_value", np.array([middle]))[0]) < 0.2
    assert between.mean() > 0.05  # the valley is filled


def test_near_ties_of_the_silhouette_are_settled_by_the_gap_and_said():
    criteria = pd.DataFrame(
        {
            "silhouette": [0.60, 0.57, 0.56, 0.30],
            "reference_silhouette": [0.30, 0.30, 0.30, 0.30],
            "excess": [0.30, 0.27, 0.26, 0.0],
            "gap": [0.20, 0.55, 0.56, 0.9],
            "gap_error": [0.02, 0.02, 0.02, 0.02],
            "stability_ari": [0.9, 0.9, 0.9, 0.9],
        },
        index=pd.Index([2, 3, 4, 5], name="n_groups"),
    )
    choice = choose_n_groups(criteria, min_stability=0.8)
    assert (choice.n_groups, choice.is_accepted) == (3, True)
    assert "4 would do as well, the smaller number is taken" in choice.reading
    low = choose_n_groups(criteria.assign(reference_silhouette=0.56, excess=0.01), min_stability=0.8)
    assert (low.n_groups, low.is_accepted) == (3, False)
    unstable = choose_n_groups(criteria.assign(stability_ari=[0.1, 0.7, 0.6, 0.2]), min_stability=0.8)
    assert not unstable.is_accepted
    assert "at best 0.70 with 3 groups" in unstable.reading


def test_dbscan_labels_by_the_nearest_core_customer_within_the_radius():
    rng = np.random.default_rng(0)
    points = np.vstack([rng.normal(0, 0.2, (40, 2)), rng.normal(5, 0.2, (40, 2)), [[2.5, 2.5]]])
    groups = fit_dbscan(points, eps=0.5, min_samples=5)
    assert groups.n_groups == 2
    assert groups.label(np.array([[0.0, 0.1], [5.1, 5.0], [2.5, 2.6], [90.0, 90.0]])).tolist() == [0, 1, -1, -1]
    assert groups.labels[-1] == -1


def test_knee_and_density_on_hand_made_curves():
    assert knee(np.array([1.0, 1.0, 1.0])) == 0
    assert k_distances(np.array([[0.0], [1.0], [3.0]]), min_samples=2).tolist() == [1.0, 1.0, 2.0]
    line = np.arange(40.0).reshape(-1, 1)
    halves, all_one = (np.arange(40) >= 20).astype(int), np.zeros(40, dtype=int)
    assert density_at_cuts(line, halves, all_one, min_samples=3) == pytest.approx(1.0)
    assert np.isnan(density_at_cuts(line, halves, halves, min_samples=3))


# --- small cells


def numbers_in(*tables):
    columns = (table[name].dropna() for table in tables for name in table.select_dtypes("number"))
    return {round(float(value), 6) for column in columns for value in column}


@pytest.fixture(scope="module")
def with_three():
    """Two hundred customers in two groups, and a third group of three."""
    rng = np.random.default_rng(2)
    centres = np.repeat([[10.0, 5.0, 20.0], [90.0, 2.0, 60.0], [300.0, 60.0, 900.0]], [140, 60, 3], axis=0)
    features = customers(centres * np.exp(rng.normal(scale=0.05, size=centres.shape)))
    labels = pd.Series(np.repeat(["Regulars", "Lapsed", "Whales"], [140, 60, 3]), index=features.index, dtype="str")
    return features, labels


def test_a_segment_of_three_has_no_numbers_and_the_next_smallest_neither(with_three):
    features, labels = with_three
    told = segment_profiles(features, labels, RFM, min_cell=5)
    in_full = segment_profiles(features, labels, RFM)
    assert told.index.tolist() == ["Regulars", "Lapsed", "Whales"] or told.index.tolist() == [
        "Regulars",
        "Whales",
        "Lapsed",
    ]
    assert told.drop(index="Regulars").isna().all(axis=None)
    assert told.loc["Regulars"].tolist() == in_full.loc["Regulars"].tolist()
    assert not numbers_in(told) & numbers_in(in_full.drop(index="Regulars"))
    pd.testing.assert_frame_equal(segment_profiles(features, labels, RFM, min_cell=1), in_full)


def test_a_map_has_means_of_neighbours_and_no_point_of_a_hidden_segment(with_three):
    features, labels = with_three
    points = fit_scaling(features).apply(features)
    single, means = (segment_map(points, labels, seed=0, min_cell=size) for size in (1, 5))
    assert set(means["segment"]) == {"Regulars"}
    assert means["customers"].min() >= 5
    assert means["customers"].sum() == 140
    assert not numbers_in(means[["component_1", "component_2"]]) & numbers_in(single[["component_1", "component_2"]])


def test_rules_about_too_few_customers_are_neither_grown_nor_shown(with_three):
    features, labels = with_three
    rules = segment_rules(features, labels, seed=0, min_cell=5)
    shown = rules[rules["customers"].notna()]
    assert (shown["customers"] >= 5).all()
    assert "Whales" not in set(shown["segment"])
    assert "Whales" in set(segment_rules(features, labels, seed=0)["segment"])


def test_a_rule_that_rounding_leaves_with_too_few_is_not_shown_nor_its_complement(monkeypatch, with_three):
    features, labels = with_three
    monkeypatch.setattr(
        "crm_analysis.models.segmentation.describing.rules._tree", lambda rows, seed, min_cell: _grown(seed)
    )
    rules = segment_rules(features, labels, seed=0, min_cell=5)
    assert 3 not in rules["customers"].dropna().tolist()
    hidden = rules[rules["customers"].isna()]
    assert set(hidden["rule"]) == {"not shown"}
    assert hidden["agreement"].isna().all()
    assert len(hidden) == 2


def _grown(seed):
    return DecisionTreeClassifier(max_leaf_nodes=12, random_state=seed)


def test_a_whole_result_tells_nothing_of_three_customers():
    rng = np.random.default_rng(4)
    centres = np.repeat([[10.0, 40.0, 20.0], [200.0, 3.0, 90.0], [20.0, 30.0, 9000.0]], [140, 120, 3], axis=0)
    features = customers(centres * np.exp(rng.normal(scale=0.2, size=centres.shape)))
    features["spend"] = features["frequency"] * features["monetary_value"]
    told = segment_customers(features, min_cell=5, **QUICK)
    for table in (told.profiles, told.rules):
        assert (table["customers"].dropna() >= 5).all()
    assert (told.neighbour_distances["customers"] >= 5).all()
    assert (told.plane["customers"] >= 5).all()
    of_three = features.iloc[-3:]
    own = numbers_in(of_three, pd.DataFrame(of_three.median()), pd.DataFrame({"share": [3 / 263]}))
    assert not own & numbers_in(told.profiles, told.rules, told.comparison)
    assert value_fifths(features, min_cell=5)["customers"].notna().all()


def test_small_fifths_are_not_shown():
    features = customers([[1, 1, 1]] * 18).assign(spend=np.arange(18.0))
    assert value_fifths(features, min_cell=5).isna().all(axis=None)
    assert value_fifths(features)["customers"].tolist() == [3, 4, 3, 4, 4]


def test_a_few_customers_of_noise_are_hardly_any(monkeypatch):
    told = _told_shares(np.array([0] * 60 + [1] * 30 + [-1] * 3), min_cell=5)
    assert np.isnan(told["noise"])
    assert told["largest"] == pytest.approx(60 / 93)
    alone = _told_shares(np.array([0] * 60 + [-1] * 3), min_cell=5)
    assert np.isnan(alone["largest"])
    assert np.isnan(alone["noise"])
    assert _told_shares(np.array([0] * 60 + [-1] * 3), min_cell=1)["noise"] == pytest.approx(3 / 63)
    assert "some noise (how much is not shown)" in _dense_fault(1, float("nan"), 0.0, 1.0, 0.8, most_noise=0.25)


def test_shares_that_are_not_told_are_recorded_as_nothing_and_left_out_of_the_verdict(four):
    _, _, result = four
    profiles = suppressed(result.profiles.assign(customers=[400, 40, 3, 7]), min_cell=5)
    told = replace(result, profiles=profiles)
    assert segment_shares(told).isna().sum() == 2
    assert "nan" not in verdict(told)
    none = replace(result, profiles=suppressed(result.profiles.assign(customers=[3, 40, 30, 7]), min_cell=5))
    assert "bring in the most" not in verdict(none)


# --- words and tables


def test_names_are_unique_and_told_apart_by_what_differs_most():
    positions = pd.DataFrame(
        {"recency_days": [-0.9, -0.8, -0.7, 0.0], "frequency": [0.6, 2.0, 1.1, 0.0], "monetary_value": 0.0}
    )
    assert list(segment_names(positions)) == [
        "Recent frequent buyers, fewer purchases",
        "Recent frequent buyers, more purchases",
        "Recent frequent buyers, middle frequency",
        "Typical buyers",
    ]


def test_who_spends_much_on_a_day_but_comes_seldom_is_no_big_spender():
    positions = pd.DataFrame(
        {"recency_days": 0.0, "frequency": [1.0, -1.0, 1.0, 0.0], "monetary_value": [1.0, 1.0, -1.0, -1.0]}
    )
    assert list(segment_names(positions, {1: 1.0})) == [
        "Frequent big spenders",
        "One-time big-ticket buyers",
        "Frequent small-ticket buyers",
        "Small spenders",
    ]


def test_names_of_other_features_stay_readable():
    positions = pd.DataFrame({"frequency": [0.9, 0.0], "basket_size": [1.0, -2.0], "discount_share": [0.1, 0.7]})
    assert list(segment_names(positions)) == [
        "Frequent buyers with high basket size",
        "Buyers with low basket size and high discount share",
    ]


def test_a_name_does_not_say_the_same_feature_twice():
    positions = pd.DataFrame({"frequency": [0.0, 0.1], "basket_size": [0.6, 1.4]})
    assert list(segment_names(positions)) == [
        "Buyers with high basket size, the lower part",
        "Buyers with high basket size, the higher part",
    ]


def test_values_that_many_share_stay_so_in_data_without_groups_and_make_no_group():
    rng = np.random.default_rng(3)
    share = np.where(rng.random(600) < 0.6, 0.0, rng.beta(2, 8, 600))
    features = customers(np.column_stack([np.exp(rng.normal(3, 1, 600)), share]), ["spend", "return_share"])
    scaling = fit_scaling(features)
    drawn = fit_reference(features, scaling, seed=0).draw(4000, seed=1)
    spike = scaling.column("return_share", np.array([0.0]))[0]
    assert (drawn[:, 1] == spike).mean() == pytest.approx((share == 0).mean(), abs=0.03)
    result = segment_customers(features, columns=["spend", "return_share"], **QUICK)
    assert (result.n_segments, result.algorithm) == (1, "none")


def test_slugs_are_keys():
    assert slug("Recent one-time buyers, lower spend") == "recent-one-time-buyers-lower-spend"
    assert slug("Käufer mit hoher_Zahl") == "käufer-mit-hoher-zahl"


def test_profiles_add_up_and_put_the_best_customers_first_and_noise_last():
    features = customers([[1, 2, 10], [1, 2, 10], [9, 1, 5], [5, 5, 50]]).assign(spend=[20.0, 30.0, 0.0, 50.0])
    labels = pd.Series(["B", "B", "A", "noise"], index=features.index)
    profiles = segment_profiles(features, labels, RFM)
    assert profiles.index.tolist() == ["B", "A", "noise"]
    assert profiles["share_of_customers"].tolist() == [0.5, 0.25, 0.25]
    assert profiles["share_of_revenue"].tolist() == [0.5, 0.0, 0.5]
    assert profiles.loc["B", "monetary_value"] == 10
    returned = segment_profiles(features.assign(spend=-1.0), labels, RFM)
    assert returned["share_of_revenue"].isna().all()


def test_fifths_keep_equal_customers_together():
    features = customers([[1, 1, 1]] * 10).assign(spend=[9.0, 8, 7, 6, 5, 1, 1, 1, 1, 1])
    fifths = value_fifths(features)
    assert fifths["customers"].to_dict() == {"1st fifth": 2, "2nd fifth": 2, "3rd fifth": 1, "4th fifth": 5}
    assert fifths["share_of_revenue"].sum() == pytest.approx(1)
    assert value_fifths(features[["recency_days"]], ["recency_days"]) is None


def test_the_list_to_act_on_has_every_customer_once_with_segment_and_fifth():
    features = pd.DataFrame(
        {"spend": [50.0, 40.0, 30.0, 20.0, 10.0]}, index=pd.Index(list("edcba"), name="customer_id")
    )
    labels = pd.Series("All customers", index=list("abcde"))
    listed = customer_list(features, labels, pd.DataFrame({"rfm_segment": list("vwxyz")}, index=list("abcde")))
    assert list(listed.columns) == ["segment", "rfm_segment", "value_fifth", "spend"]
    assert listed["rfm_segment"].tolist() == list("zyxwv")
    assert listed.index.tolist() == features.index.tolist()
    assert listed["value_fifth"].tolist() == [f"{place} fifth" for place in ("1st", "2nd", "3rd", "4th", "5th")]


def test_every_customer_meets_exactly_one_rule(four):
    features, _, result = four
    assert result.rules["customers"].sum() == len(features)
    assert len(result.rules) <= 12
    assert set(result.rules["segment"]) == set(result.profiles.index)


def test_rules_give_thresholds_in_units():
    features = customers([[day, count, 10.0 * count] for day in (1, 2, 3, 200, 210) for count in (1, 1, 1, 5)])
    labels = pd.Series(np.where(features["recency_days"] > 100, "Lapsed", "Recent"), index=features.index)
    rules = segment_rules(features, labels, seed=0).set_index("segment")
    assert rules.loc["Recent", "rule"] == "days since the last purchase: at most 101"
    assert rules.loc["Lapsed", "rule"] == "days since the last purchase: at least 102"
    assert rules["customers"].to_dict() == {"Lapsed": 8, "Recent": 12}
    assert (rules["agreement"] == 1).all()


def test_the_verdict_says_what_the_tables_say(four, one_mass):
    _, _, result = four
    text = verdict(result)
    best = result.profiles.iloc[0]
    assert text.startswith("450 customers form 4 groups. ")
    assert f"{best['share_of_customers']:.0%} of the customers, {best['share_of_revenue']:.0%} of the revenue" in text
    assert f"{result.surrogate_fidelity:.0%} of the customers in their segment" in text
    assert segment_shares(result).sum() == pytest.approx(1)
    assert result.criteria.loc[4, "choice"] == "chosen"
    _, none = one_mass
    assert verdict(none).startswith("500 customers show no separate groups")
    assert f"they are cut into {none.n_parts} parts" in verdict(none)
    assert segment_shares(none).sum() == pytest.approx(1)
    assert "chosen" not in set(none.criteria["choice"])


def test_more_customers_than_are_looked_at_are_all_labelled_and_it_is_said():
    features, truth = planted(3, seed=2, rows=5000)
    result = segment_customers(features, seed=0, n_bootstraps=2, max_segments=4)
    assert result.n_segments == 3
    assert adjusted_rand_score(truth, result.labels) >= 0.9
    assert "random sample of 4,000 of the 5,000 customers" in " ".join(result.notes)
    assert len(result.plane) == 2000


def test_where_there_are_no_groups_a_stable_cut_still_names_every_customer():
    rng = np.random.default_rng(0)
    size = rng.normal(size=600)
    features = pd.DataFrame(
        {
            "recency_days": np.exp(3 - size + rng.normal(scale=0.4, size=600)),
            "frequency": np.ceil(np.exp(3 + size + rng.normal(scale=0.4, size=600))),
            "monetary_value": np.exp(3 + rng.normal(scale=0.4, size=600)),
        },
        index=pd.Index([f"c{number}" for number in range(600)], name="customer_id"),
    )
    features["spend"] = features["frequency"] * features["monetary_value"]
    result = segment_customers(features, seed=0, n_bootstraps=5)
    assert result.n_segments == 1
    assert result.labels.notna().all()
    assert result.profiles["customers"].sum() == 600
    assert result.n_parts == len(result.profiles) >= 2
    assert set(result.labels) == set(result.profiles.index)
    assert result.stability_ari == result.criteria.loc[result.n_parts, "stability_ari"] >= 0.8
    assert result.silhouette == result.criteria.loc[result.n_parts, "silhouette"]


def test_where_no_cut_is_stable_fifths_by_revenue_stand_in_and_the_verdict_says_so(one_mass):
    features, _ = one_mass
    result = segment_customers(features, min_stability=1.0, **QUICK)
    assert (result.n_segments, result.n_parts, set(result.labels)) == (1, 1, {ALL_CUSTOMERS})
    assert result.positions.index.tolist() == ["1st fifth", "2nd fifth", "3rd fifth", "4th fifth", "5th fifth"]
    assert "No cut of them comes out alike in samples either" in verdict(result)


def test_where_no_cut_is_stable_everybody_is_in_one_part():
    points = np.array([[0.0], [1.0], [2.0]])
    criteria = pd.DataFrame({"stability_ari": [0.7, 0.79]}, index=pd.Index([2, 3], name="n_groups"))
    whole = finest_stable_grouping(points, criteria, min_stability=0.8, seed=0)
    assert whole.label(points).tolist() == [0, 0, 0]


# --- a model that lasts


def test_a_model_labels_as_the_report_does_and_comes_back_from_arrays_unchanged(four):
    features, _, result = four
    again = SegmentModel.from_plain(result.model.to_plain())
    pd.testing.assert_series_equal(again.label(features), result.labels)
    assert again.assigned_by == "nearest centre"
    alone = pd.concat([again.label(features.iloc[[place]]) for place in range(0, 450, 45)])
    pd.testing.assert_series_equal(alone, result.labels.iloc[::45])
    scores = again.scores(features)
    assert list(scores.columns)[:2] == ["segment", "assigned_by"]
    assert scores["rfm_segment"].notna().all()


def test_dense_groups_live_on_in_rules_that_hold_no_customer():
    features, _ = moons_with_noise()
    result = segment_customers(features, columns=["x", "y"], **QUICK)
    assert result.model.grouping is None
    assert result.model.assigned_by == "rules"
    kept = SegmentModel.from_plain(result.model.to_plain())
    assert (kept.label(features) == result.labels).mean() >= result.surrogate_fidelity - 0.05
    assert set(kept.scores(features)["assigned_by"]) == {"rules"}


def test_one_segment_labels_everybody():
    features = customers([[3, 2, 9.5]] * 50)
    model = SegmentModel.from_plain(segment_customers(features, **QUICK).model.to_plain())
    assert set(model.label(customers([[1, 1, 1.0]]))) == {ALL_CUSTOMERS}
    assert model.assigned_by == "one segment for all"


def test_a_model_says_what_it_cannot_be_asked(four):
    features, _, result = four
    with pytest.raises(ModelError, match="needs 1 features that these customers do not have: frequency"):
        result.model.label(features.drop(columns="frequency"))
    with pytest.raises(ModelError, match="'frequency' has 1 missing"):
        result.model.label(features.assign(frequency=[np.nan, *features["frequency"].iloc[1:]]))
    with pytest.raises(ModelError, match="no segment model of this version"):
        SegmentModel.from_plain({"columns": ["a"]})


def test_segments_learned_earlier_are_kept_and_compared_with_todays(four):
    features, _, earlier = four
    moved = features.assign(recency_days=features["recency_days"] * 1.3)
    result = segment_customers(moved, learned=earlier.model, **QUICK)
    pd.testing.assert_series_equal(result.labels, earlier.model.label(moved))
    assert result.model is earlier.model
    assert "agrees with them by an adjusted Rand index of" in " ".join(result.notes)
    assert np.isnan(result.stability_ari)
    assert verdict(result).startswith("450 customers are put into the 4 segments of a model learned earlier. ")
    assert "What would be found among them today: " in verdict(result)
    assert "nan" not in verdict(result)


def test_the_rules_of_a_model_learned_earlier_are_measured_on_todays_customers(four):
    features, _, earlier = four
    moved = features.assign(recency_days=features["recency_days"] * 1.3, frequency=features["frequency"] * 0.8)
    result = segment_customers(moved, learned=earlier.model, **QUICK)
    today = (earlier.model.rules.label(moved) == result.labels).mean()
    assert result.surrogate_fidelity == pytest.approx(today)
    assert result.surrogate_fidelity != earlier.surrogate_fidelity
    agreed = (result.rules["agreement"] * result.rules["customers"]).sum() / len(moved)
    assert result.surrogate_fidelity == pytest.approx(agreed)


def test_a_learned_model_meets_customers_who_are_all_the_same(four):
    _, _, earlier = four
    result = segment_customers(customers([[3, 2, 9.5]] * 50), learned=earlier.model, **QUICK)
    assert result.silhouettes.empty
    assert len(set(result.labels)) == 1


def test_rules_are_counted_where_they_exist(four):
    _, _, result = four
    assert result.n_rules == (result.rules["rule"] != NO_RULE).sum() == 4
    none = replace(result, model=replace(result.model, rules=replace(result.model.rules, leaves=())))
    assert none.n_rules == 0


def test_the_curve_of_distances_is_that_of_which_dbscan_read_its_radius():
    rng = np.random.default_rng(3)
    features = customers(np.column_stack([rng.integers(0, 60, 300), rng.geometric(0.5, 300), rng.lognormal(3, 1, 300)]))
    curve = segment_customers(features, **QUICK).neighbour_distances
    assert curve["radius"].iloc[0] == pytest.approx(curve["distance"].iloc[knee(curve["distance"].to_numpy())])


# --- of equal segments, every table hides the same


@pytest.mark.parametrize(("sizes", "expected"), [((3, 9, 9, 40), {"A", "B"}), ((9, 9, 3, 40), {"A", "C"})])
@pytest.mark.parametrize("worth", [(1, 2, 3, 4), (4, 3, 2, 1), (1, 3, 2, 9)])
def test_tables_of_one_report_hide_the_same_segments(sizes, expected, worth):
    rng = np.random.default_rng(0)
    labels = np.repeat(["A", "B", "C", "D"], sizes)
    features = customers(np.repeat(worth, sizes)[:, None] * 10.0 * np.exp(rng.normal(scale=0.02, size=(sum(sizes), 3))))
    order = rng.permutation(len(features))
    features, labels = features.iloc[order], pd.Series(labels, index=features.index, dtype="str").iloc[order]
    points = fit_scaling(features).apply(features)
    profiles = segment_profiles(features, labels, RFM, min_cell=5)
    positions = segment_positions(points, labels, min_cell=5)
    cards = segment_cards(features, labels, points, columns=RFM, seed=0, min_cell=5).table
    rules = segment_rules(features, labels, seed=0, min_cell=5)
    plane = segment_map(points, labels, seed=0, min_cell=5)
    silhouettes = segment_silhouettes(points, labels, seed=0, min_cell=5)
    every = set("ABCD")
    hidden = {
        "profiles": set(profiles.index[profiles["customers"].isna()]),
        "positions": set(positions.index[positions.isna().all(axis=1)]),
        "cards": set(cards.loc[cards["mean"].isna(), "segment"]),
        "rules": set(rules.loc[rules["customers"].isna(), "segment"]),
        "map": every - set(plane["segment"]),
        "silhouettes": every - set(silhouettes["segment"]),
    }
    assert hidden == dict.fromkeys(hidden, expected)
