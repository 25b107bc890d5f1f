"""Dense groups: of differing density with HDBSCAN, and with DBSCAN within memory whatever the radius."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score

from crm_analysis.models.segmentation.grouping import comparison, dbscan, hdbscan
from crm_analysis.models.segmentation.grouping.assignment import NOISE
from crm_analysis.models.segmentation.grouping.comparison import MAX_NOISE_SHARE, _dense_fault, dense_candidate
from crm_analysis.models.segmentation.grouping.dbscan import density_at_cuts, fit_dbscan
from crm_analysis.models.segmentation.grouping.hdbscan import fit_hdbscan


def varying(seed=0, rows=600):
    """Two narrow groups near each other, and a wide one."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, rows, p=[0.35, 0.35, 0.3])
    centres, widths = np.array([[0.0, 0.0], [1.6, 0.0], [9.0, 4.0]]), np.array([0.2, 0.2, 1.4])
    return centres[truth] + rng.standard_normal((rows, 2)) * widths[truth][:, None], truth


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_differing_density_are_found(seed):
    points, truth = varying(seed)
    found = fit_hdbscan(points)
    inside = found.labels != NOISE
    assert found.n_groups == 3
    assert inside.mean() >= 0.9
    assert adjusted_rand_score(truth[inside], found.labels[inside]) >= 0.95
    assert np.ptp(found.grouping.radii) > 0
    assert np.isnan(found.eps)


def test_more_customers_than_are_looked_at_are_labelled_and_it_is_said(monkeypatch):
    points, truth = varying(rows=1200)
    monkeypatch.setattr(hdbscan, "FIT_ROWS", 500)
    found = fit_hdbscan(points, seed=1)
    assert (found.fitted_rows, found.is_sampled, len(found.labels)) == (500, True, 1200)
    inside = found.labels != NOISE
    assert adjusted_rand_score(truth[inside], found.labels[inside]) >= 0.95
    assert not fit_hdbscan(points[:400]).is_sampled


@pytest.mark.parametrize("rows", [3, 10])
def test_a_handful_of_customers_is_no_error(rows):
    points = np.random.default_rng(0).normal(size=(rows, 2))
    assert len(fit_hdbscan(points).labels) == rows
    assert len(fit_dbscan(points).labels) == rows


def test_customers_who_are_all_the_same_are_at_most_one_group():
    points = np.ones((60, 2))
    assert fit_dbscan(points).n_groups <= 1
    assert fit_hdbscan(points).n_groups <= 1


def test_dbscan_is_scikit_learns_where_the_neighbourhoods_fit():
    points, _ = varying()
    found = fit_dbscan(points, eps=0.4, min_samples=8)
    theirs = DBSCAN(eps=0.4, min_samples=8).fit(points)
    core = theirs.core_sample_indices_
    assert not found.is_sampled
    assert adjusted_rand_score(theirs.labels_[core], found.labels[core]) == 1.0
    assert ((found.labels == NOISE) == (theirs.labels_ == NOISE)).mean() >= 0.97  # groups of less than 1 % are noise


def test_dbscan_takes_a_sample_where_they_do_not_and_finds_the_same(monkeypatch):
    points, _ = varying(rows=3000)
    whole = fit_dbscan(points, eps=0.35, min_samples=15)
    monkeypatch.setattr(dbscan, "MAX_NEIGHBOURS", 100_000)
    part = fit_dbscan(points, eps=0.35, min_samples=15)
    assert part.is_sampled
    assert 500 < part.fitted_rows < 2000
    assert len(part.labels) == 3000
    both = (whole.labels != NOISE) & (part.labels != NOISE)
    assert adjusted_rand_score(whole.labels[both], part.labels[both]) >= 0.95
    assert ((whole.labels == NOISE) == (part.labels == NOISE)).mean() >= 0.95


def test_a_radius_that_holds_everybody_needs_no_more_memory(monkeypatch):
    points, _ = varying(rows=2000)
    monkeypatch.setattr(dbscan, "MAX_NEIGHBOURS", 40_000)
    found = fit_dbscan(points, eps=100.0, min_samples=5)
    assert found.fitted_rows <= 200
    assert set(found.labels.tolist()) == {0}


def test_a_border_that_concerns_hardly_anybody_is_none():
    line = np.arange(400.0).reshape(-1, 1)
    halves, all_one = (np.arange(400) >= 200).astype(int), np.zeros(400, dtype=int)
    assert density_at_cuts(line, halves, all_one, min_samples=3) == pytest.approx(1.0)
    assert np.isnan(density_at_cuts(line, halves, all_one, min_samples=3, least_share=0.02))


def test_a_challenger_that_leaves_out_more_than_a_tenth_does_not_hold():
    assert _dense_fault(2, 0.12, 0.0, 1.0, 0.8, most_noise=MAX_NOISE_SHARE["dbscan"]) is None
    assert "12% of the customers belong to none" in _dense_fault(2, 0.12, most_noise=MAX_NOISE_SHARE["hdbscan"])


@pytest.mark.parametrize(("noise", "holds"), [(0.2, False), (0.05, True)])
def test_what_may_be_told_has_no_influence_on_what_holds(monkeypatch, noise, holds):
    points, truth = varying()
    labels = np.where(np.arange(600) < 600 * noise, NOISE, truth)
    groups = replace(fit_hdbscan(points), labels=labels)
    monkeypatch.setattr(comparison, "chance_groups", lambda *_, **__: 0.0)
    monkeypatch.setattr(comparison, "dense_stability", lambda *_, **__: 1.0)
    settings = {"fit": fit_hdbscan, "seed": 0, "min_stability": 0.8, "n_bootstraps": 2}
    told, hidden = (dense_candidate(points, groups, None, min_cell=least, **settings) for least in (1, 130))
    assert told.noise_share == noise
    assert np.isnan(hidden.noise_share)
    assert (told.is_accepted, hidden.is_accepted) == (holds, holds)
    words = "and some noise (how much is not shown)" if holds else "too large a share (not shown) of the customers"
    assert words in hidden.reading
    assert f"{noise:.0%}" in told.reading
    assert "%" not in hidden.reading
