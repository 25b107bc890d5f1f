"""The mixture finds groups of any width and direction, and takes one skewed or long mass for one."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from crm_analysis.models.segmentation.grouping.comparison import mixture_candidate
from crm_analysis.models.segmentation.grouping.mixture import (
    Mixture,
    classification_criterion,
    fit_mixture,
    mixture_gain,
    mixture_stability,
    refit_mixture,
    round_mixture,
)
from crm_analysis.models.segmentation.grouping.reference import fit_reference
from crm_analysis.models.segmentation.preparing.scaling import fit_scaling


@pytest.fixture(scope="module")
def crossed():
    """Two long groups that cross each other's direction, and a wide one."""
    rng = np.random.default_rng(0)
    along, across = rng.standard_normal((2, 200, 2)) * [[[3.0, 0.4]], [[0.4, 3.0]]]
    wide = rng.standard_normal((200, 2)) * 1.5
    points = np.vstack([along, across + np.array([8.0, 0.0]), wide + np.array([0.0, 9.0])])
    return points, np.repeat([0, 1, 2], 200)


def test_long_groups_of_any_direction_are_found(crossed):
    points, truth = crossed
    found = fit_mixture(points, max_groups=5, seed=0)
    assert (found.grouping.n_groups, found.grouping.covariance) == (3, "full")
    assert adjusted_rand_score(truth, found.labels) >= 0.97
    assert found.gain > 0.5
    assert mixture_stability(points, found, seed=0, n_bootstraps=3) >= 0.95


def test_labels_and_criterion_are_those_of_scikit_learn(crossed):
    points, _ = crossed
    fit = GaussianMixture(3, random_state=0, reg_covar=1e-3).fit(points)
    found = fit_mixture(points, max_groups=3, seed=0).grouping
    ours = type(found)("mixture", fit.weights_, fit.means_, fit.precisions_cholesky_, "full")
    assert ours.label(points).tolist() == fit.predict(points).tolist()
    shares = fit.predict_proba(points)
    entropy = -(shares * np.log(np.maximum(shares, 1e-300))).sum()
    assert classification_criterion(points, ours) == pytest.approx((fit.bic(points) + 2 * entropy) / 600)


@pytest.mark.parametrize("seed", [1, 2])
def test_one_mass_has_one_component_however_long(seed):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((500, 3)) @ rng.standard_normal((3, 3))
    found = fit_mixture(points, max_groups=5, seed=0)
    assert found.grouping.n_groups == 1
    assert found.gain == 0
    assert set(found.labels.tolist()) == {0}


def test_what_kmeans_takes_for_granted_describes_round_groups_and_no_others(crossed):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    even = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])[truth] + rng.standard_normal((600, 2))
    assert mixture_gain(even, fit_mixture(even, max_groups=4, seed=0).grouping) == pytest.approx(
        mixture_gain(even, round_mixture(even, truth)), abs=0.05
    )
    points, groups = crossed
    assert mixture_gain(points, fit_mixture(points, max_groups=4, seed=0).grouping) > 0.5 + mixture_gain(
        points, round_mixture(points, groups)
    )


def test_a_refit_keeps_the_numbers_of_the_groups(crossed):
    points, _ = crossed
    found = fit_mixture(points, max_groups=3, seed=0)
    again = refit_mixture(points[::2], found.grouping, seed=0)
    assert adjusted_rand_score(again.label(points), found.labels) >= 0.97
    assert (again.label(points) == found.labels).mean() >= 0.97


def test_components_that_gain_no_more_than_in_data_without_groups_do_not_hold(crossed):
    points, _ = crossed
    features = pd.DataFrame(points, columns=["a", "b"])
    scaling = fit_scaling(features)
    scaled = scaling.apply(features).to_numpy()
    reference = fit_reference(features, scaling, seed=0)
    found = fit_mixture(scaled, max_groups=4, seed=0)
    options = {"seed": 0, "min_stability": 0.8, "n_bootstraps": 2}
    held = mixture_candidate(scaled, found, reference, **options)
    assert held.is_accepted
    assert held.reading == "3 groups, each with a shape of its own, describe them better than one mass"
    weak = mixture_candidate(scaled, Mixture(found.grouping, found.labels, gain=-5.0), reference, **options)
    assert not weak.is_accepted
    assert "gain hardly more" in weak.reading
    strict = mixture_candidate(scaled, found, reference, **{**options, "min_stability": 1.1})
    assert "not stable" in strict.reading
