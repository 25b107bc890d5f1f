"""Measures of probabilities are those of the textbooks, with intervals over customers; curves add up."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from crm_analysis.models.service_quality.prediction.curves import (
    calibration_error_by_chance,
    calibration_line,
    review_curves,
)
from crm_analysis.models.service_quality.prediction.judgement import (
    ProbabilityJudge,
    all_judged,
    auc,
    average_precision,
    brier,
    judged,
    resampled_measures,
    review_gain,
)


def later_cases(n_cases=600, *, per_customer=1, seed=0):
    """Cases with a known probability of the outcome, and some noise in what a model says of it."""
    rng = np.random.default_rng(seed)
    n_customers = n_cases // per_customer
    by_customer = rng.beta(2, 4, n_customers)
    truth = np.repeat(rng.random(n_customers) < by_customer, per_customer).astype(int)
    customer = np.repeat(np.arange(n_customers).astype(str), per_customer)
    return pd.DataFrame({"customer_id": customer, "sla_missed": truth}), np.repeat(by_customer, per_customer)


def test_measures_at_their_limits():
    truth = np.array([0.0, 1.0, 1.0, 0.0])
    assert (auc(truth, truth), average_precision(truth, truth), brier(truth, truth)) == (1, 1, 0)
    assert auc(truth, np.full(4, 0.5)) == 0.5
    assert average_precision(truth, np.full(4, 0.5)) == 0.5
    assert brier(truth, 1 - truth) == 1
    assert np.isnan(auc(np.ones(3), np.arange(3)))
    assert np.isnan(average_precision(np.zeros(3), np.arange(3)))


def test_measures_agree_with_scikit_learn_also_with_ties():
    rng = np.random.default_rng(0)
    truth, probability = (rng.random(500) < 0.3).astype(float), rng.random(500).round(1)
    assert auc(truth, probability) == pytest.approx(roc_auc_score(truth, probability))
    assert average_precision(truth, probability) == pytest.approx(average_precision_score(truth, probability))


def test_a_review_counts_ties_with_their_mean():
    cases = pd.DataFrame({"sla_missed": [1, 0, 1, 0]})
    gain = review_gain(cases, pd.Series([0.9, 0.9, 0.2, 0.1]), outcome="sla_missed", review_share=0.25)
    assert gain == (1, 0.5, 0.25, 1.0)
    whole = review_gain(cases, pd.Series([0.9, 0.9, 0.2, 0.1]), outcome="sla_missed", review_share=1)
    assert whole == (4, 0.5, 1.0, 1.0)
    with pytest.raises(ValueError, match="got 0"):
        review_gain(cases, pd.Series([0.9, 0.9, 0.2, 0.1]), outcome="sla_missed", review_share=0)


def test_the_judge_agrees_with_scikit_learn_also_under_weights():
    rng = np.random.default_rng(1)
    truth, probability = (rng.random(300) < 0.3).astype(float), rng.random(300).round(1).clip(0.05, 0.95)
    weight = rng.integers(0, 4, 300).astype(float)
    figures = ProbabilityJudge(truth, probability).measures(weight)
    assert figures["auc"] == pytest.approx(roc_auc_score(truth, probability, sample_weight=weight))
    assert figures["average_precision"] == pytest.approx(
        average_precision_score(truth, probability, sample_weight=weight)
    )
    assert figures["log_loss"] == pytest.approx(log_loss(truth, probability, sample_weight=weight))
    assert figures["brier"] == pytest.approx(np.average((truth - probability) ** 2, weights=weight))


def test_one_kind_only_leaves_no_ranking_to_measure():
    figures = ProbabilityJudge(np.zeros(5), np.linspace(0, 1, 5)).measures(np.ones(5))
    assert np.isnan(figures["auc"])
    assert np.isnan(figures["average_precision"])
    assert figures["brier"] >= 0


def test_copies_of_every_case_of_a_customer_make_no_interval_narrower():
    cases, likely = later_cases(200)
    once = resampled_measures(cases, {"model": likely}, outcome="sla_missed", seed=0)["model"]["auc"][1:]
    four = pd.concat([cases] * 4, ignore_index=True)
    copied = resampled_measures(four, {"model": np.tile(likely, 4)}, outcome="sla_missed", seed=0)["model"]["auc"][1:]
    np.testing.assert_allclose(copied, once)


def test_the_paired_difference_is_surer_than_the_figures_themselves():
    cases, likely = later_cases()
    worse = np.clip(likely + np.random.default_rng(2).normal(0, 0.05, len(likely)), 0.01, 0.99)
    naive = np.full(len(cases), cases["sla_missed"].mean())
    resampled = resampled_measures(
        cases, {"model": likely, "rival": worse, "base_rate": naive}, outcome="sla_missed", seed=0
    )
    table = judged(resampled, model="model", rival="rival").loc["auc"]
    assert table["difference"] == pytest.approx(table["model"] - table["rival"])
    assert table["difference_high"] - table["difference_low"] < 0.5 * (table["high"] - table["low"])
    assert table["low"] < table["model"] < table["high"]
    every = all_judged(resampled, chosen="model")
    assert every["is_chosen"].to_dict() == {"model": True, "rival": False, "base_rate": False}
    assert every.loc["base_rate", "auc"] == 0.5


def test_curves_by_hand():
    cases = pd.DataFrame({"customer_id": list("abcd"), "sla_missed": [1, 0, 1, 0]})
    curve = review_curves(cases, {"model": np.array([0.9, 0.8, 0.7, 0.1])}, outcome="sla_missed")
    assert curve["share_reviewed"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["share_found"].tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve["share_of_others"].tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve["precision"].tolist()[1:] == [1, 0.5, pytest.approx(2 / 3), 0.5]
    tied = review_curves(cases, {"model": np.full(4, 0.5)}, outcome="sla_missed")
    assert tied["share_found"].tolist() == tied["share_reviewed"].tolist()


def test_the_area_below_the_curve_is_the_area_measured():
    cases, likely = later_cases()
    curve = review_curves(cases, {"model": likely}, outcome="sla_missed")
    area = np.trapezoid(curve["share_found"], curve["share_of_others"])
    assert area == pytest.approx(roc_auc_score(cases["sla_missed"], likely), abs=0.01)


def test_no_two_points_of_a_curve_differ_by_few_customers():
    cases, likely = later_cases(300, per_customer=30)
    for min_cell in (1, 3, 5, 11):
        curve = review_curves(cases, {"model": likely}, outcome="sla_missed", min_cell=min_cell)
        ranked = cases["customer_id"].to_numpy()[np.argsort(-likely, kind="stable")]
        ends = (curve["share_reviewed"] * len(cases)).round().astype(int).tolist()
        steps = [len(set(ranked[start:end])) for start, end in pairwise(ends)]
        assert ends[-1] == len(cases)
        assert min(steps) >= min(min_cell, 10)


def test_right_probabilities_lie_on_the_line_and_extreme_ones_do_not():
    cases, likely = later_cases(4000)
    right = calibration_line(cases, likely, outcome="sla_missed")
    assert right.slope_low < 1 < right.slope_high
    assert right.intercept_low < 0 < right.intercept_high
    odds = 2 * np.log(likely / (1 - likely))
    extreme = calibration_line(cases, 1 / (1 + np.exp(-odds)), outcome="sla_missed")
    assert extreme.slope == pytest.approx(right.slope / 2, rel=1e-3)
    assert extreme.slope_high < 1
    assert np.isnan(calibration_line(cases, np.full(len(cases), 0.3), outcome="sla_missed").slope)


def test_the_interval_of_the_line_counts_customers_not_cases():
    alone, likely = later_cases(400)
    four = pd.concat([alone] * 4, ignore_index=True)
    once = calibration_line(alone, likely, outcome="sla_missed")
    copied = calibration_line(four, np.tile(likely, 4), outcome="sla_missed")
    assert copied.slope_high - copied.slope_low == pytest.approx(once.slope_high - once.slope_low, rel=0.01)


def test_the_calibration_error_by_chance_falls_with_the_number_of_cases():
    likely = np.linspace(0.1, 0.9, 400)
    few = calibration_error_by_chance(likely, n_bins=8, seed=0)
    many = calibration_error_by_chance(np.repeat(likely, 25), n_bins=8, seed=0)
    assert few == pytest.approx(5 * many, rel=0.15)
    assert 0.03 < few < 0.07  # eight groups of fifty: some 0.8 standard errors of a share near .5
