"""Groups that were found label anybody the same alone or in company, and of those that hold the one that suits is taken."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from crm_analysis.errors import DataQualityError
from crm_analysis.models.segmentation.grouping import assignment, decision
from crm_analysis.models.segmentation.grouping.assignment import (
    NOISE,
    CentreGrouping,
    DenseGrouping,
    MixtureGrouping,
)
from crm_analysis.models.segmentation.grouping.comparison import Candidate, balance, compare
from crm_analysis.models.segmentation.grouping.dbscan import fit_dbscan
from crm_analysis.models.segmentation.grouping.decision import Contender, agreement, suited
from crm_analysis.models.segmentation.grouping.hdbscan import fit_hdbscan
from crm_analysis.models.segmentation.grouping.kmeans import fit_kmeans
from crm_analysis.models.segmentation.grouping.mixture import fit_mixture
from crm_analysis.models.segmentation.grouping.refitting import (
    centre_grouping,
    finest_stable_grouping,
    fit_grouping,
)
from crm_analysis.models.segmentation.grouping.search import search_groups
from crm_analysis.models.segmentation.preparing.scaling import canonical_order, checked_features, fit_scaling

QUICK = {"seed": 0, "max_segments": 5, "min_stability": 0.8, "n_bootstraps": 3}


def blobs(seed=0, rows=300, centres=((0.0, 0.0, 0.0), (6.0, 0.0, 0.0), (0.0, 6.0, 0.0)), spread=1.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(centres), rows)
    noise = rng.standard_normal((rows, len(centres[0]))) * np.asarray(spread)
    return np.array(centres)[truth] + noise, truth


def searched(points, **changed):
    features = pd.DataFrame(points, columns=[f"f{number}" for number in range(points.shape[1])])
    features = features.iloc[canonical_order(features)]
    return features, search_groups(features, fit_scaling(features), **{**QUICK, **changed})


@pytest.fixture(scope="module")
def groupings():
    points, _ = blobs()
    return points, {
        "kmeans": centre_grouping(fit_kmeans(points, 3, seed=0)),
        "mixture": fit_mixture(points, max_groups=3, seed=0).grouping,
        "dbscan": fit_dbscan(points).grouping,
        "hdbscan": fit_hdbscan(points).grouping,
    }


# --- labels


@pytest.mark.parametrize("algorithm", ["kmeans", "mixture", "dbscan", "hdbscan"])
def test_a_customer_is_labelled_the_same_alone_or_in_any_company(groupings, algorithm, monkeypatch):
    _, found = groupings
    grouping = found[algorithm]
    others, _ = blobs(seed=7, rows=400)
    together = grouping.label(others)
    assert [int(grouping.label(others[at : at + 1])[0]) for at in range(0, 400, 7)] == together[::7].tolist()
    assert grouping.label(others[::-1])[::-1].tolist() == together.tolist()
    assert grouping.label(np.asfortranarray(others)).tolist() == together.tolist()
    monkeypatch.setattr(assignment, "_CHUNK", 33)
    assert grouping.label(others).tolist() == together.tolist()
    assert grouping.label(others[:0]).tolist() == []


def test_who_can_label_new_customers_is_said(groupings):
    _, found = groupings
    assert {name: (grouping.labels_new, grouping.n_groups) for name, grouping in found.items()} == {
        "kmeans": (True, 3),
        "mixture": (True, 3),
        "dbscan": (False, found["dbscan"].n_groups),
        "hdbscan": (False, found["hdbscan"].n_groups),
    }


def test_between_two_groups_that_are_equally_near_the_lower_number_is_taken():
    centres = CentreGrouping("kmeans", np.array([[2.0, 0.0], [0.0, 0.0]]))
    assert centres.label(np.array([[1.0, 5.0], [0.9, 0.0], [1.1, 0.0]])).tolist() == [0, 1, 0]
    dense = DenseGrouping("dbscan", np.array([[2.0], [0.0]]), np.array([0, 1]), np.array([1.0, 1.0]))
    assert dense.label(np.array([[1.0], [0.99], [3.0], [3.001]])).tolist() == [0, 1, 0, NOISE]


def test_each_member_of_a_dense_group_reaches_as_far_as_its_own_neighbourhood():
    dense = DenseGrouping("hdbscan", np.array([[0.0], [10.0]]), np.array([0, 1]), np.array([0.5, 4.0]))
    assert dense.label(np.array([[0.5], [0.6], [6.0], [5.9], [13.0]])).tolist() == [0, NOISE, 1, NOISE, 1]


def test_a_mixture_gives_the_more_probable_group_not_the_nearer_one():
    narrow_and_wide = MixtureGrouping(
        "mixture", np.array([0.5, 0.5]), np.array([[0.0], [4.0]]), np.array([[[10.0]], [[0.5]]]), "full"
    )
    assert narrow_and_wide.label(np.array([[0.1], [1.0], [-1.0]])).tolist() == [0, 1, 1]


def test_points_that_cannot_be_labelled_are_refused_with_counts(groupings):
    points, found = groupings
    broken = points.copy()
    broken[[0, 3], [0, 1]] = [np.nan, np.inf]
    for grouping in found.values():
        with pytest.raises(ValueError, match="got 2 of 300 rows with missing or infinite values"):
            grouping.label(broken)
        with pytest.raises(ValueError, match=r"must have 3 columns, got an array of shape \(300, 2\)"):
            grouping.label(points[:, :2])


# --- found anew for everybody


@pytest.mark.parametrize("algorithm", ["kmeans", "mixture", "dbscan", "hdbscan"])
def test_groups_of_a_sample_are_found_again_among_all(groupings, algorithm):
    sample, found = groupings
    many, truth = blobs(seed=3, rows=3000)
    everybody = fit_grouping(many, found[algorithm], seed=0)
    labels = everybody.label(many)
    assert (everybody.algorithm, everybody.n_groups) == (algorithm, found[algorithm].n_groups)
    inside = labels != NOISE
    assert adjusted_rand_score(truth[inside], labels[inside]) >= 0.95
    assert adjusted_rand_score(found[algorithm].label(sample), everybody.label(sample)) >= 0.95


def test_the_finest_cut_that_can_be_told_is_taken_else_the_finest_else_none():
    points, _ = blobs()
    criteria = pd.DataFrame({"stability_ari": [0.9, 0.95, 0.85, 0.2]}, index=pd.Index([2, 3, 4, 5], name="n_groups"))
    options = {"min_stability": 0.8, "seed": 0}
    assert finest_stable_grouping(points, criteria, **options).n_groups == 4
    told = finest_stable_grouping(points, criteria, describes=lambda labels: labels.max() < 3, **options)
    assert told.n_groups == 3
    untold = finest_stable_grouping(points, criteria, describes=lambda labels: False, **options)
    assert untold.n_groups == 4
    none = finest_stable_grouping(points, criteria, min_stability=0.99, seed=0)
    assert (none.n_groups, set(none.label(points).tolist())) == (1, {0})


def test_customers_without_features_are_one_part():
    none = finest_stable_grouping(
        np.empty((5, 0)), pd.DataFrame({"stability_ari": []}, dtype=float), min_stability=0.8, seed=0
    )
    assert fit_grouping(np.empty((5, 0)), none, seed=0).label(np.empty((5, 0))).tolist() == [0] * 5


# --- which suits


def contender(algorithm, labels, *, is_accepted=True, reading="so"):
    grouping = {
        "kmeans": CentreGrouping("kmeans", np.zeros((1, 2))),
        "mixture": MixtureGrouping("mixture", np.ones(1), np.zeros((1, 2)), np.eye(2)[None], "full"),
    }.get(algorithm, DenseGrouping(algorithm, np.zeros((1, 2)), np.zeros(1, dtype=np.intp), np.ones(1)))
    number = len(set(labels.tolist()) - {NOISE})
    share = float((labels == NOISE).mean())
    summed_up = Candidate(algorithm, number, 0.5, 1.0, share, 0.9, 0.5, is_accepted, reading)
    return Contender(summed_up, grouping, labels)


def test_where_nothing_holds_every_algorithm_says_why():
    points, truth = blobs()
    refused = [
        contender(name, truth, is_accepted=False, reading=f"no {name}") for name in ("kmeans", "dbscan", "mixture")
    ]
    best, reason = suited(points, refused, min_samples=10)
    assert best is None
    assert reason == (
        "No algorithm finds groups that hold. K-Means: no kmeans. DBSCAN: no dbscan. The mixture: no mixture."
    )


def test_where_all_see_the_same_kmeans_is_taken_and_a_challenger_alone_wins():
    points, truth = blobs()
    same = [contender(name, truth) for name in ("hdbscan", "mixture", "dbscan", "kmeans")]
    best, reason = suited(points, same, min_samples=10)
    assert best.candidate.algorithm == "kmeans"
    assert "DBSCAN finds the same groups (adjusted Rand 1.00)." in reason
    alone = [contender("kmeans", truth, is_accepted=False, reading="not stable"), contender("hdbscan", truth)]
    best, reason = suited(points, alone, min_samples=10)
    assert reason == "HDBSCAN suits these customers: so. K-Means does not: not stable."


def test_who_joins_what_is_apart_is_overruled():
    points, truth = blobs(rows=600)
    joined = np.minimum(truth, 1)
    best, reason = suited(points, [contender("dbscan", joined), contender("hdbscan", truth)], min_samples=10)
    assert best.candidate.algorithm == "hdbscan"
    assert "DBSCAN joins what is apart" in reason


def test_round_groups_that_another_joins_stay_apart(monkeypatch):
    monkeypatch.setattr(decision, "MAX_CUT_DENSITY", 0.1)  # as if space between groups were full
    points, truth = blobs(rows=900, centres=((0.0, 0.0), (4.0, 0.0), (2.0, 3.5)))
    joined = np.minimum(truth, 1)
    held = [contender("kmeans", truth), contender("dbscan", joined)]
    best, reason = suited(points, held, min_samples=14)
    assert best.candidate.algorithm == "dbscan"
    assert "K-Means cuts through dense groups" in reason
    found = fit_mixture(points, max_groups=4, seed=0)
    mixture = Contender(contender("mixture", found.labels, is_accepted=False).candidate, found.grouping, found.labels)
    best, _ = suited(points, [*held, mixture], min_samples=14)
    assert best.candidate.algorithm == "kmeans"


def test_agreement_leaves_noise_out():
    assert agreement(np.array([0, 0, 1, 1, -1]), np.array([1, 1, 0, 0, 0])) == 1.0
    assert agreement(np.array([-1, -1]), np.array([0, 1])) == 0.0


def test_long_groups_that_kmeans_cuts_go_to_the_mixture():
    points, truth = blobs(rows=900, centres=((0.0, 0.0), (0.0, 3.6), (0.0, 7.2)), spread=(5.0, 0.6))
    features, search = searched(points)
    labels = search.winning.label(fit_scaling(features).apply(features).to_numpy())
    assert search.winner.algorithm in {"mixture", "dbscan"}
    assert adjusted_rand_score(truth[features.index], labels) >= 0.9
    assert search.comparison.loc["mixture", "is_accepted"]
    assert search.comparison.loc["mixture", "n_groups"] == 3
    kmeans = next(one for one in search.contenders if one.candidate.algorithm == "kmeans")
    assert adjusted_rand_score(truth[features.index], kmeans.labels) < 0.7


def test_round_groups_stay_with_kmeans_and_the_others_are_told():
    points, truth = blobs(rows=500)
    features, search = searched(points)
    assert (search.winner.algorithm, search.winner.n_groups) == ("kmeans", 3)
    assert list(search.comparison.index) == ["kmeans", "dbscan", "hdbscan", "mixture"]
    assert search.comparison.loc["kmeans", "balance"] == pytest.approx(1.0, abs=0.01)
    assert "The mixture finds the same groups" in search.reason
    labels = search.winning.label(fit_scaling(features).apply(features).to_numpy())
    assert adjusted_rand_score(truth[features.index], labels) >= 0.95


@pytest.mark.parametrize("seed", [11, 12])
def test_bent_groups_with_noise_go_to_dbscan_and_it_says_so(seed):
    points, truth = make_moons(800, noise=0.06, random_state=seed)
    noise = np.random.default_rng(seed).uniform([-1.5, -1.0], [2.5, 1.5], (40, 2))
    features, search = searched(np.vstack([points, noise]))
    inside = np.r_[truth, np.full(40, NOISE)][features.index] != NOISE
    labels = {one.candidate.algorithm: one.labels[inside] for one in search.contenders}
    planted = np.r_[truth, np.full(40, NOISE)][features.index][inside]
    assert search.winner.algorithm == "dbscan"
    assert adjusted_rand_score(planted, labels["dbscan"]) >= 0.9
    assert adjusted_rand_score(planted, labels["kmeans"]) < 0.6
    assert search.reason.startswith("DBSCAN suits these customers")


@pytest.mark.parametrize("seed", [21, 22])
def test_one_skewed_mass_is_no_group_for_any_algorithm(seed):
    rng = np.random.default_rng(seed)
    _, search = searched(np.column_stack([rng.gamma(0.8, 1.0, 500), np.exp(rng.normal(size=500)), rng.poisson(2, 500)]))
    assert search.winner is None
    assert search.winning is None
    assert not search.comparison["is_accepted"].any()


# --- figures beside each other


def test_balance_is_the_evenness_of_sizes_and_tells_nothing_of_few():
    assert balance(np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(1.0)
    shares = np.array([0.9, 0.1])
    expected = -(shares * np.log(shares)).sum() / np.log(2)
    assert balance(np.repeat([0, 1], [9, 1])) == pytest.approx(expected)
    assert np.isnan(balance(np.repeat([0, 1], [90, 3]), min_cell=5))
    assert np.isnan(balance(np.zeros(5, dtype=np.intp)))
    assert np.isnan(balance(np.full(5, NOISE)))


def test_candidates_stand_side_by_side():
    table = compare([Candidate("kmeans", 2, 0.5, 1.0, 0.0, 0.9, 0.5, True, "so")])
    assert table.loc["kmeans", ["n_groups", "balance"]].tolist() == [2, 1.0]


# --- limits


@pytest.mark.parametrize("rows", [1, 2, 19])
def test_too_few_customers_are_not_searched(rows):
    _, search = searched(np.random.default_rng(0).normal(size=(rows, 2)))
    assert search.winning is None
    assert "too few" in search.reason
    assert search.contenders == ()


def test_customers_who_are_all_the_same_are_not_searched():
    _, search = searched(np.ones((60, 2)))
    assert (search.winner, search.groups) == (None, None)


def test_two_different_customers_repeated_are_two_groups_or_none_but_no_error():
    features, search = searched(np.repeat([[1.0, 5.0], [40.0, 6.0]], 40, axis=0))
    assert search.winner is None or search.winner.n_groups == 2
    assert len(search.comparison) == 4
    assert len(features) == 80


def test_ties_and_a_constant_feature_do_no_harm():
    rng = np.random.default_rng(0)
    points = np.column_stack([np.full(120, 3.0), rng.integers(0, 3, 120), rng.integers(0, 2, 120) * 50])
    _, search = searched(points)
    assert search.winner is None or search.winner.n_groups >= 2


def test_values_that_are_not_finite_are_counted_before_any_search():
    features = pd.DataFrame({"f0": [1.0, np.nan, 2.0], "f1": [np.inf, 1.0, -np.inf]})
    with pytest.raises(DataQualityError, match=r"'f0' has 1 missing and 0 infinite.*\n.*'f1' has 0 missing and 2 inf"):
        checked_features(features, ["f0", "f1"])


@pytest.mark.parametrize("seed", range(5))
def test_the_canonical_order_is_that_of_the_columns_one_after_the_other(seed):
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.integers(-1, 3, (200, 3)).astype(float), columns=list("abc"))
    assert canonical_order(features).tolist() == np.lexsort(features.to_numpy().T[::-1]).tolist()
    assert canonical_order(features[[]]).tolist() == list(range(200))
    assert canonical_order(features.iloc[:0]).tolist() == []


def test_a_search_is_the_same_again_and_whatever_the_order_of_customers():
    points, _ = blobs(rows=200)
    order = np.random.default_rng(1).permutation(200)
    (_, first), (_, second) = searched(points), searched(points[order])
    pd.testing.assert_frame_equal(first.comparison, second.comparison)
    assert first.reason == second.reason
    assert replace(first.winner) == second.winner
