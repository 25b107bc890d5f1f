"""A model is chosen by what was known at earlier days; weights and corrections do what they say."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError
from crm_analysis.models.evaluation import calibration_error
from crm_analysis.models.service_quality.encoding import attributes_of, encoded_columns, model_inputs
from crm_analysis.models.service_quality.prediction import open_cases_at_risk, refitted, service_quality, split_cases
from crm_analysis.models.service_quality.prediction.calibrated import calibrated_model, fit_calibration, logistic_line
from crm_analysis.models.service_quality.prediction.cases import labelled_cases
from crm_analysis.models.service_quality.prediction.classifiers import MODELS, RIVALS, fitted, probabilities
from crm_analysis.models.service_quality.prediction.labels import learnable
from crm_analysis.models.service_quality.prediction.rules import tree_rules
from crm_analysis.models.service_quality.prediction.selection import choose_model, rolling_origins
from crm_analysis.models.service_quality.prediction.weighting import AS_THEY_ARE, Weighting, weighted
from tests.models.service_quality.plain_cases import missed_by_team, plain_features, plain_outcomes, plain_split

QUICK = {"max_tree_depth": 4, "n_trees": 15, "seed": 0}
UNTIL = dt.date(2024, 5, 1)


def labelled(n_cases=600, **levels):
    """Plain cases with their outcome, as training cases are."""
    features = plain_features(n_cases).assign(**levels)
    return features.assign(sla_missed=missed_by_team(features).to_numpy().astype(int))


def seen_late(n_cases=4000, *, late_days=12.0):
    """Cases of forty days; misses are known many days after the opening, met targets soon."""
    rng = np.random.default_rng(0)
    opened = pd.date_range("2024-03-22", periods=n_cases, freq="14min 24s")
    truth = rng.random(n_cases) < 0.4
    delay = pd.to_timedelta(np.where(truth, rng.uniform(0, late_days, n_cases), rng.uniform(0, 1, n_cases)), unit="D")
    cases = pd.DataFrame({"opened_at": opened, "known_at": opened + delay, "sla_missed": truth.astype(int)})
    return cases[cases["known_at"] < pd.Timestamp(UNTIL)]


# Labels that are known late


def test_weights_make_up_for_outcomes_that_are_known_late():
    cases = seen_late()
    recent = cases[cases["opened_at"] >= "2024-04-20"]
    assert recent["sla_missed"].mean() < 0.3  # of 0.4
    kept = learnable(cases, outcome="sla_missed", until=UNTIL)
    late = kept[kept["opened_at"] >= "2024-04-20"]
    assert np.average(late["sla_missed"], weights=late["weight"]) == pytest.approx(0.4, abs=0.05)
    assert kept["opened_at"].max() == pytest.approx(pd.Timestamp("2024-04-25"), abs=pd.Timedelta(days=1))
    assert kept["weight"].mean() == pytest.approx(1)


def test_without_times_of_labels_all_cases_weigh_the_same():
    cases = seen_late()
    for given in (cases.drop(columns="known_at"), cases.assign(known_at=pd.NaT), cases[:0]):
        assert (learnable(given, outcome="sla_missed", until=UNTIL)["weight"] == 1).all()
        assert len(learnable(given, outcome="sla_missed", until=UNTIL)) == len(given)


def test_at_most_half_of_the_cases_are_too_young():
    cases = seen_late(late_days=200.0)
    assert len(learnable(cases, outcome="sla_missed", until=UNTIL)) >= len(cases) / 2


def test_each_origin_learns_only_from_what_was_known_there():
    training = labelled().assign(known_at=lambda cases: cases["opened_at"] + pd.Timedelta(days=5))
    known = learnable(training, outcome="sla_missed", until=UNTIL)
    folds = list(rolling_origins(training, known, outcome="sla_missed"))
    assert len(folds) == 3
    for learnt, later in folds:
        assert learnt["known_at"].max() < later["opened_at"].min().normalize()
    assert pd.concat([later for _, later in folds])["case_id"].is_unique


# Periods with other shares of the outcome


def test_balanced_periods_have_the_latest_share():
    rng = np.random.default_rng(0)
    truth = rng.random(4000) < np.repeat([0.9, 0.7, 0.4, 0.2], 1000)
    cases = pd.DataFrame({"sla_missed": truth.astype(int), "weight": 1.0})
    balanced = weighted(cases, Weighting(1.0, is_balanced=True), outcome="sla_missed")
    for start in range(0, 4000, 1000):
        part = balanced[start : start + 1000]
        assert np.average(part["sla_missed"], weights=part["weight"]) == pytest.approx(0.2, abs=0.03)
    assert len(weighted(cases, Weighting(0.5, is_balanced=False), outcome="sla_missed")) == 2000
    pd.testing.assert_frame_equal(weighted(cases, AS_THEY_ARE, outcome="sla_missed"), cases)


def test_where_the_share_has_fallen_the_past_is_forgotten_or_weighted():
    rng = np.random.default_rng(0)
    n_cases = 6000
    features = plain_features(n_cases, seed=1).assign(earlier_cases=np.arange(n_cases) // 60 + rng.poisson(3, n_cases))
    level = np.where(np.arange(n_cases) < 0.4 * n_cases, 2.5, -1.5)
    truth = rng.random(n_cases) < 1 / (1 + np.exp(-level - (features["team"] == "north")))
    training = features.assign(sla_missed=truth.astype(int))[
        ["case_id", "customer_id", "opened_at", "team", "earlier_cases", "sla_missed"]
    ]
    choice = choose_model(training, outcome="sla_missed", until=UNTIL, settings=QUICK)
    assert choice.weighting.is_balanced or choice.weighting.memory < 1
    assert "Models learn from" in choice.sentence


# The choice


def test_the_simplest_model_within_one_standard_error_is_taken():
    training = labelled(900)
    choice = choose_model(training, outcome="sla_missed", until=UNTIL, settings=QUICK)
    table = choice.comparison
    within = [name for name in MODELS if table["behind_best"][name] <= table["standard_error"][name] + 1e-6]
    assert choice.model == within[0]
    assert table["is_chosen"].sum() == 1
    assert table["behind_best"][list(MODELS)].min() == 0
    assert set(table.index) == {*RIVALS, *MODELS}
    assert choice.weighting == AS_THEY_ARE


def test_an_early_part_of_one_kind_leaves_the_simplest_model():
    features = plain_features()
    yes = missed_by_team(features) & (features["opened_at"] > "2024-03-05").to_numpy()
    result = service_quality(plain_split(features, yes), **QUICK)
    assert result.comparison["log_loss"].isna().all()
    assert result.model == "decision_tree"
    assert "could not be compared" in result.sentences[-1]
    assert not result.calibration_figures.is_calibrated


# Calibration


@pytest.mark.parametrize(("n_cases", "method"), [(400, "logistic"), (4000, "isotonic")])
def test_extreme_probabilities_are_corrected_on_later_cases(n_cases, method):
    rng = np.random.default_rng(0)
    right = rng.beta(2, 4, 2 * n_cases)
    truth = (rng.random(2 * n_cases) < right).astype(float)
    odds = 3 * np.log(right / (1 - right))
    extreme = 1 / (1 + np.exp(-odds))
    calibration = fit_calibration(truth[:n_cases], extreme[:n_cases])
    corrected = calibration.apply(extreme[n_cases:])
    assert calibration.method == method
    assert ((corrected > 0) & (corrected < 1)).all()
    before, after = (calibration_error(truth[n_cases:], each) for each in (extreme[n_cases:], corrected))
    assert after < 0.5 * before


def test_a_line_in_log_odds_is_that_of_maximum_likelihood():
    rng = np.random.default_rng(1)
    likely = rng.uniform(0.05, 0.95, 20_000)
    odds = -0.5 + 0.7 * np.log(likely / (1 - likely))
    truth = (rng.random(20_000) < 1 / (1 + np.exp(-odds))).astype(float)
    line = logistic_line(truth, likely, weight=np.ones(20_000))
    assert line.intercept == pytest.approx(-0.5, abs=0.05)
    assert line.slope == pytest.approx(0.7, abs=0.04)


def test_a_ranking_upside_down_is_levelled_not_turned():
    truth = np.repeat([0.0, 1.0], 50)
    assert np.ptp(fit_calibration(truth, np.linspace(0.9, 0.1, 100)).apply(np.linspace(0, 1, 5))) == 0


def test_the_period_of_the_correction_is_kept_apart_from_fitting():
    cases = labelled(900).assign(weight=1.0)
    corrected = calibrated_model("random_forest", cases, outcome="sla_missed", **QUICK)
    alone = fitted("random_forest", cases[:720], outcome="sla_missed", **QUICK)
    later = probabilities(corrected, cases[720:])
    expected = corrected["classify"].calibration.apply(probabilities(alone, cases[720:]).to_numpy())
    np.testing.assert_allclose(later, expected)
    one_kind = cases.assign(sla_missed=np.where(np.arange(900) < 720, cases["sla_missed"], 0))
    assert calibrated_model("random_forest", one_kind, outcome="sla_missed", **QUICK) is None


# Attributes of any kind


@pytest.mark.parametrize("model", [*MODELS, *RIVALS])
def test_thousands_of_categories_and_attributes_of_the_source_are_taken(model):
    rng = np.random.default_rng(0)
    many = labelled(2000, category=[f"类别 {number}" for number in rng.integers(0, 5000, 2000)])
    many = many.assign(
        impact=rng.choice(["high", "low", None], 2000),
        is_responded=rng.random(2000) < 0.5,
        weight_kg=np.where(rng.random(2000) < 0.1, np.inf, rng.exponential(2, 2000)),
        photo_taken=pd.array(rng.choice([True, False, None], 2000), dtype="boolean"),
    )
    classifier = fitted(model, many[:1400], outcome="sla_missed", **QUICK)
    later = probabilities(classifier, many[1400:].assign(category="never seen"))
    assert later.between(0, 1).all()
    n_columns = classifier["encode"].transform(model_inputs(many[:5])[list(classifier.feature_names_in_)]).shape[1]
    assert len(encoded_columns(classifier)) == n_columns < 60


def test_an_order_of_columns_changes_nothing():
    cases = labelled().assign(impact="x", zone=np.tile(["a", "b"], 300), age=np.arange(600) % 7)
    turned = cases[cases.columns[::-1]]
    assert attributes_of(cases) == attributes_of(turned)
    assert attributes_of(cases).levels[-2:] == ["impact", "zone"]
    first, second = (
        probabilities(fitted("random_forest", each, outcome="sla_missed", **QUICK), each) for each in (cases, turned)
    )
    pd.testing.assert_series_equal(first, second)


def test_rules_name_flags_and_attributes_of_the_source():
    cases = labelled().assign(is_responded=np.arange(600) % 2 == 0, sub_category=np.tile(["a", "b", "c"], 200))
    cases["sla_missed"] = (~cases["is_responded"] & (cases["sub_category"] == "a")).astype(int)
    tree = fitted("decision_tree", cases, outcome="sla_missed", **QUICK)
    rules = tree_rules(tree, training=cases, holdout=cases, outcome="sla_missed")["rule"]
    assert rules[0] == "sub category is a, first response given is no"


def test_a_currency_changes_no_probability_of_trees():
    cases = labelled().assign(spend_before=np.random.default_rng(0).gamma(2, 50, 600))
    dearer = cases.assign(spend_before=cases["spend_before"] * 128)
    for model in MODELS:
        first, second = (
            probabilities(fitted(model, each, outcome="sla_missed", **QUICK), each) for each in (cases, dearer)
        )
        pd.testing.assert_series_equal(first, second, atol=1e-6)


def test_only_numbers_that_are_all_missing_are_nothing_to_learn_from():
    alike = labelled().assign(team="north", channel="phone", priority="low", days_since_last_case=np.nan)
    alike = alike.assign(**dict.fromkeys(["opened_weekday", "opened_hour", "earlier_cases", "team_open_cases"], 1))
    with pytest.raises(DataQualityError, match="nothing to learn from"):
        fitted("logistic_regression", alike, outcome="sla_missed", **QUICK)


@pytest.mark.parametrize("outcome", ["reopened", "long_resolution"])
def test_other_outcomes_are_named_in_words(outcome):
    features = plain_features()
    outcomes = plain_outcomes(features, missed_by_team(features)).rename(columns={"low_satisfaction": outcome})
    days = {"holdout_from": dt.date(2024, 3, 11), "holdout_to": dt.date(2024, 12, 31)}
    split = split_cases(features, outcome=outcome, training_outcomes=outcomes, outcomes=outcomes, **days)
    assert split.outcome == outcome
    nothing = outcomes.assign(**{outcome: pd.array([None] * 600, dtype="boolean")})
    with pytest.raises(DataQualityError, match=f"None of 600 service cases has a known {outcome}: no case"):
        split_cases(features, outcome=outcome, training_outcomes=nothing, outcomes=nothing, **days)


def test_times_of_labels_come_from_due_times_or_resolutions():
    features = plain_features()
    outcomes = plain_outcomes(features, missed_by_team(features)).assign(
        resolved_at=features["opened_at"] + pd.Timedelta(days=2)
    )
    assert (labelled_cases(features, outcomes, "sla_missed")["known_at"] == features["opened_at"]).all()
    satisfied = labelled_cases(features, outcomes, "low_satisfaction")
    assert (satisfied["known_at"] - satisfied["opened_at"] == pd.Timedelta(days=2)).all()
    assert "known_at" not in labelled_cases(features, outcomes.drop(columns="resolved_at"), "low_satisfaction")


def test_open_cases_get_a_probability_corrected_as_it_was_judged():
    features = plain_features(900)
    yes = missed_by_team(features).astype("boolean")
    yes[850:] = pd.NA
    outcomes = plain_outcomes(features, yes, is_open=yes.isna())
    split = plain_split(features[:850], missed_by_team(features)[:850])
    result = service_quality(split, **QUICK)
    classifier = refitted(result, features, outcomes, as_of=dt.date(2024, 6, 1))
    listed = open_cases_at_risk(result, features, outcomes, classifier=classifier)
    assert len(listed) == 50
    assert listed["probability"].is_monotonic_decreasing
    assert listed["team"].iloc[0] == "north"
