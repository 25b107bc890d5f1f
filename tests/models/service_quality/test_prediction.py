"""The models find what was planted, are judged on later cases only, and say so when they are of no use."""

import datetime as dt
from functools import cache

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.service import LEVELS, NUMBERS, case_features, case_outcomes
from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_quality import plot_rates_by_level
from crm_analysis.models.service_quality.prediction import (
    first_holdout_day,
    n_at_risk,
    open_cases_at_risk,
    readable,
    service_quality,
    sla_attainment,
    split_cases,
    split_in_words,
    state_of_service,
    verdict,
    weekly_cases,
)
from crm_analysis.models.service_quality.prediction.classifiers import compared_models, fitted, probabilities
from crm_analysis.models.service_quality.prediction.drivers import driver_importance, rates_by_level, wilson_interval
from crm_analysis.models.service_quality.prediction.judgement import auc, average_precision, brier, review_gain
from crm_analysis.models.service_quality.prediction.rules import tree_rules
from crm_analysis.tables.demo_cases import synthetic_service_cases
from crm_analysis.tables.demo_truth import TRUTH, true_probabilities

END = dt.date(2017, 12, 31)
SETTINGS = {"max_tree_depth": 4, "n_trees": 40, "seed": 0}
QUICK = {**SETTINGS, "n_trees": 15}
CAUSES = {"team", "category", "channel"}
AUC_TOLERANCE = 0.04  # below the ideal probabilities', on some 1,600 later cases


class KnownCases:
    """Synthetic cases as known at the end of a day."""

    def __init__(self, cases, as_of):
        self.as_of = as_of
        end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        visible = cases[cases["opened_at"] < end].copy()
        visible.loc[~(visible["resolved_at"] < end), ["resolved_at", "satisfaction"]] = None
        self._connection = duckdb.connect()
        self._connection.register("visible", visible)
        self._connection.execute("CREATE TABLE service_cases AS SELECT *, NULL::BOOLEAN AS sla_met FROM visible")

    def query(self, sql, parameters=None):
        result = self._connection.execute(sql, dict(parameters or {})).df()
        return result.astype(dict.fromkeys([name for name in result if result[name].dtype == object], "str"))


@cache
def demo_cases(seed):
    rng = np.random.default_rng(seed)
    customer = np.repeat([f"H{number:04d}" for number in range(1200)], 52)
    day = pd.Timestamp("2017-01-01") + pd.to_timedelta(rng.integers(0, 365, len(customer)), unit="D")
    return synthetic_service_cases(pd.DataFrame({"customer_id": customer, "day": day}), seed=seed, end=END)


@cache
def study(seed, outcome="sla_missed"):
    known = KnownCases(demo_cases(seed), END)
    features, outcomes = case_features(known), case_outcomes(known)
    first = first_holdout_day(features, holdout_share=0.3)
    before = case_outcomes(KnownCases(demo_cases(seed), first - dt.timedelta(days=1)))
    split = split_cases(
        features, outcome=outcome, training_outcomes=before, outcomes=outcomes, holdout_from=first, holdout_to=END
    )
    return features, outcomes, split, service_quality(split, **SETTINGS)


def plain_features(n_cases=600, *, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "case_id": [f"c{number:04d}" for number in range(n_cases)],
            "customer_id": rng.integers(0, n_cases // 3, n_cases).astype(str),
            "opened_at": pd.date_range("2024-01-01", periods=n_cases, freq="4h"),
            "team": rng.choice(["north", "south", "east"], n_cases),
            "channel": rng.choice(["phone", "chat"], n_cases),
            "category": "billing",
            "priority": rng.choice(["high", "low", None], n_cases),
            "opened_weekday": rng.integers(1, 8, n_cases),
            "opened_hour": rng.integers(0, 24, n_cases),
            "target_hours": np.nan,
            "earlier_cases": rng.poisson(2, n_cases),
            "earlier_missed": 0,
            "days_since_last_case": np.where(rng.random(n_cases) < 0.3, np.nan, rng.exponential(20, n_cases).round(2)),
            "team_open_cases": rng.poisson(8, n_cases),
        }
    ).astype(dict.fromkeys(LEVELS, "str"))


def plain_outcomes(features, yes, *, is_open=False):
    flags = pd.array(yes, dtype="boolean")
    columns = {"sla_missed": flags, "low_satisfaction": flags, "is_open": is_open, "due_at": features["opened_at"]}
    return features[["case_id", "opened_at"]].assign(**columns)


def plain_split(features, yes, *, outcome="sla_missed", **days):
    outcomes = plain_outcomes(features, yes)
    days = {"holdout_from": dt.date(2024, 3, 11), "holdout_to": dt.date(2024, 12, 31), **days}
    return split_cases(features, outcome=outcome, training_outcomes=outcomes, outcomes=outcomes, **days)


def missed_by_team(features, *, seed=1, rates=(0.9, 0.1, 0.2)):
    chance = features["team"].map(dict(zip(["north", "south", "east"], rates, strict=True)))
    return np.random.default_rng(seed).random(len(features)) < chance


def rules_of(split):
    tree = fitted("decision_tree", split.training, outcome=split.outcome, **QUICK)
    return tree_rules(tree, training=split.training, holdout=split.holdout, outcome=split.outcome)


# Known truth


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_drivers_come_first_and_irrelevant_attributes_do_not(seed):
    drivers = study(seed)[3].drivers.set_index("attribute")["importance"]
    assert set(drivers.index[:3]) == CAUSES
    assert drivers["opened_weekday"] > drivers[list(TRUTH.irrelevant)].median()
    assert drivers[list(TRUTH.irrelevant)].max() < 0.2 * drivers[list(CAUSES)].min()
    assert (study(seed)[3].drivers.set_index("attribute")["low"][list(CAUSES)] > 0).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_direction_of_the_planted_effects_is_right(seed):
    levels = study(seed)[3].levels
    for name, planted in (("category", TRUTH.missed_by_category), ("channel", TRUTH.missed_by_channel)):
        rates = levels[levels["attribute"] == name].set_index("level")["rate"]
        assert rates.corr(pd.Series(dict(planted)), method="spearman") > 0.8
    teams = levels[levels["attribute"] == "team"].set_index("level")["rate"]
    assert teams.idxmax() == "Partner desk"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ranking_is_near_the_ideal_and_probabilities_are_calibrated(seed):
    split, result = study(seed)[2:]
    ideal = true_probabilities(demo_cases(seed))["sla_missed"].loc[split.holdout["case_id"]]
    assert result.measures["model"]["auc"] > roc_auc_score(split.holdout["sla_missed"], ideal) - AUC_TOLERANCE
    assert result.calibration_error <= 0.05
    assert result.beats_base_rate
    assert result.model == "random_forest"


@pytest.mark.parametrize("seed", [0, 1])
def test_low_satisfaction_goes_most_with_the_channel(seed):
    result = study(seed, "low_satisfaction")[3]
    assert result.drivers["attribute"].iloc[0] == "channel"
    channels = result.levels[result.levels["attribute"] == "channel"].set_index("level")["rate"]
    assert channels[["email", "web form"]].min() > channels[["chat", "store desk"]].max()


def test_a_planted_rule_is_found_and_put_in_words():
    features = plain_features()
    split = plain_split(features, features["team"] == "north")
    rules = service_quality(split, **QUICK).rules
    assert rules["rule"].tolist() == ["team is north", "team is not north"]
    assert rules["rate_training"].tolist() == [1.0, 0.0]
    assert rules["rate_holdout"].tolist() == [1.0, 0.0]
    assert rules["n_training"].sum() == len(split.training)
    assert rules["n_holdout"].sum() == len(split.holdout)


@pytest.mark.parametrize(
    ("yes", "rule"),
    [
        (lambda cases: cases["opened_weekday"] >= 6, "weekday of the opening is Saturday to Sunday"),
        (lambda cases: cases["earlier_cases"] >= 3, "earlier cases of the customer at least 3"),
        (lambda cases: cases["days_since_last_case"].isna(), "days since the customer's last case at most"),
    ],
)
def test_numbers_are_put_in_words(yes, rule):
    features = plain_features()
    rules = rules_of(plain_split(features, yes(features)))
    assert any(sentence.startswith(rule) for sentence in rules["rule"])


def test_missing_numbers_have_their_side_in_a_rule():
    features = plain_features()
    yes = features["days_since_last_case"].isna() | (features["days_since_last_case"] > 15)
    rules = rules_of(plain_split(features, yes))
    assert rules["rule"][0].endswith(" or none")


# Time and leakage


def test_labels_of_the_hold_out_change_no_fitted_probability():
    _, _, split, result = study(0)
    turned = split.holdout.assign(sla_missed=1 - split.holdout["sla_missed"])
    again = service_quality(type(split)(**{**vars(split), "holdout": turned}), **SETTINGS)
    pd.testing.assert_series_equal(again.probability, result.probability)
    pd.testing.assert_frame_equal(again.comparison, result.comparison)
    assert again.model == result.model
    assert again.measures["model"]["auc"] == pytest.approx(1 - result.measures["model"]["auc"])


def test_only_outcomes_known_the_day_before_are_learnt_from():
    features, _, split, _ = study(0)
    cases = demo_cases(0).set_index("case_id")
    begin = pd.Timestamp(split.holdout_from)
    assert (cases.loc[split.training["case_id"], "due_at"] < begin).all()
    earlier = features.loc[features["opened_at"] < begin, "case_id"]
    assert split.n_lost == (cases.loc[earlier, "due_at"] >= begin).sum() > 0
    assert (split.holdout["opened_at"] >= begin).all()
    assert f"{split.n_lost:,} earlier cases" in split_in_words(split)


def test_cases_that_come_later_change_nothing_learnt_before():
    features, yes = plain_features(), missed_by_team(plain_features())
    all_of_them = plain_split(features, yes)
    fewer = plain_split(features[:550], yes[:550])
    pd.testing.assert_frame_equal(fewer.training, all_of_them.training)
    pd.testing.assert_frame_equal(fewer.holdout, all_of_them.holdout[: len(fewer.holdout)])


def test_the_hold_out_is_the_latest_share_of_cases_unless_a_day_is_given():
    features = plain_features()
    first = first_holdout_day(features, holdout_share=0.3)
    assert (features["opened_at"] >= pd.Timestamp(first)).mean() == pytest.approx(0.3, abs=0.01)
    given = dt.date(2024, 2, 1)
    assert first_holdout_day(features, holdout_share=0.3, holdout_from=given) == given
    split = plain_split(features, missed_by_team(features), holdout_from=given, holdout_to=dt.date(2024, 2, 20))
    assert split.holdout["opened_at"].dt.date.agg(["min", "max"]).tolist() == [given, dt.date(2024, 2, 20)]


# Invariance and determinism


def test_row_order_and_names_of_customers_change_nothing():
    features, yes = plain_features(), missed_by_team(plain_features())
    result = service_quality(plain_split(features, yes), **QUICK)
    order = np.random.default_rng(3).permutation(len(features))
    renamed = features.iloc[order].assign(customer_id="x" + features["customer_id"])
    again = service_quality(plain_split(renamed, yes[order]), **QUICK)
    pd.testing.assert_series_equal(again.probability, result.probability)
    pd.testing.assert_frame_equal(again.measures, result.measures)
    pd.testing.assert_frame_equal(again.drivers, result.drivers)
    pd.testing.assert_frame_equal(again.rules, result.rules)
    assert verdict(again) == verdict(result)


def test_the_same_seed_gives_the_same_result():
    features, yes = plain_features(), missed_by_team(plain_features())
    first, second = (service_quality(plain_split(features, yes), **QUICK) for _ in range(2))
    pd.testing.assert_series_equal(first.probability, second.probability)
    pd.testing.assert_frame_equal(first.drivers, second.drivers)
    pd.testing.assert_frame_equal(first.measures, second.measures)


# Measures, by hand and at their limits


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


def test_wilson_intervals_by_hand():
    low, high = wilson_interval(pd.Series([0, 5]), pd.Series([10, 10]))
    assert low.round(3).tolist() == [0.0, 0.237]
    assert high.round(3).tolist() == [0.278, 0.763]


def test_attainment_is_the_share_of_due_cases_met():
    outcomes = plain_outcomes(plain_features(6), [True, False, False, False, None, None])
    assert sla_attainment(outcomes) == 0.75
    assert np.isnan(sla_attainment(plain_outcomes(plain_features(6), [None] * 6)))


def test_weekly_counts_add_up_and_keep_empty_weeks():
    features = plain_features(100).drop(index=range(40, 90))
    weekly = weekly_cases(
        features, plain_outcomes(features, [True] * 20 + [False] * 20 + [None] * 10), outcome="sla_missed"
    )
    assert weekly.sum().to_dict() == {"yes": 20, "no": 20, "unknown": 10}
    assert weekly.index.to_series().diff().dropna().eq(pd.Timedelta(days=7)).all()
    assert (weekly.sum(axis=1) == 0).any()


# Small cells


def test_small_levels_are_not_shown_on_their_own():
    cases = pd.DataFrame({"team": ["a"] * 10 + ["b"] * 3 + ["c"] * 4 + ["d"] * 8, "sla_missed": [1, 0, 0, 0, 0] * 5})
    cases["customer_id"] = cases.index.astype("str")
    levels = rates_by_level(cases, outcome="sla_missed", attributes=["team"]).set_index("level")["n_cases"]
    assert levels.to_dict() == {"a": 10, "other": 7, "d": 8}
    alone = rates_by_level(cases[cases["team"] != "c"], outcome="sla_missed", attributes=["team"])
    assert set(alone["level"]) == {"a", "d"}


def test_small_leaves_of_the_hold_out_are_not_shown():
    features = plain_features()
    split = plain_split(features, features["team"] == "north")
    tree = fitted("decision_tree", split.training, outcome="sla_missed", **QUICK)
    few = split.holdout[(split.holdout["team"] != "north") | (split.holdout.index < 8)]
    rules = tree_rules(tree, training=split.training, holdout=few, outcome="sla_missed").set_index("rule")
    assert rules["n_holdout"].isna().to_dict() == {"team is north": True, "team is not north": False}
    assert np.isnan(rules["rate_holdout"]["team is north"])


def with_a_rare_priority(*, customers=2):
    """Six hundred cases, sixty of which go wrong and have a priority that only so many customers have."""
    features = plain_features()
    rare = np.arange(len(features)) % 10 == 7
    features.loc[rare, "priority"] = "vip"
    features.loc[rare, "customer_id"] = [f"vip {number % customers}" for number in range(rare.sum())]
    return features, rare | (np.random.default_rng(1).random(len(features)) < 0.1)


def test_a_priority_of_two_customers_is_told_of_nowhere():
    features, yes = with_a_rare_priority()
    split = plain_split(features, yes)
    told = service_quality(split, min_cell=5, **QUICK)
    in_full = service_quality(split, **QUICK)
    assert "vip" in " ".join(in_full.rules["rule"])
    assert "vip" in set(in_full.levels["level"])
    assert "vip" not in set(told.levels["level"])
    is_hidden = told.rules["n_training"].isna()
    assert is_hidden.sum() != 1
    assert not any("priority is vip" in rule for rule in told.rules["rule"])
    assert set(told.rules.loc[is_hidden, "rule"]) <= {"not shown"}
    assert "vip" not in " ".join(verdict(told))
    assert "vip" not in alternative_text(plot_rates_by_level(told.levels, outcome="sla_missed"))
    plt.close("all")
    assert any("fewer than 5 customers" in note for note in told.notes)


def test_a_priority_of_five_customers_is_told():
    features, yes = with_a_rare_priority(customers=5)
    told = service_quality(plain_split(features, yes), min_cell=5, **QUICK)
    assert "vip" in set(told.levels["level"])
    assert any("priority is vip" in rule for rule in told.rules["rule"])


def test_two_small_sister_leaves_become_one():
    features = plain_features()
    rng = np.random.default_rng(0)
    few = (features["team"] == "north").to_numpy() & (features["channel"] == "chat").to_numpy()
    features.loc[few, "customer_id"] = rng.choice(["x", "y", "z"], few.sum())
    yes = few | ((features["team"] == "north") & (rng.random(len(features)) < 0.5)).to_numpy()
    split = plain_split(features, yes)
    tree = fitted("decision_tree", split.training, outcome="sla_missed", **{**QUICK, "max_tree_depth": 2})
    parts = {"training": split.training, "holdout": split.holdout, "outcome": "sla_missed"}
    assert any("chat" in rule or "phone" in rule for rule in tree_rules(tree, **parts)["rule"])
    told = tree_rules(tree, min_cell=5, **parts)
    assert told["rule"].tolist() == ["team is north", "team is not north"]
    assert told["n_training"].sum() == len(split.training)
    assert told["n_holdout"].sum() == len(split.holdout)


def test_rare_levels_take_the_next_smallest_with_them():
    cases = pd.DataFrame({"team": ["a"] * 40 + ["b"] * 10 + ["c"] * 9, "sla_missed": [1, 0] * 29 + [0]})
    cases["customer_id"] = [*range(40), *range(40, 50), *([50, 51, 52] * 3)]
    levels = rates_by_level(cases, outcome="sla_missed", attributes=["team"], min_cell=5).set_index("level")["n_cases"]
    assert levels.to_dict() == {"a": 40, "other": 19}


def test_a_small_range_takes_another_one_with_it_and_the_least_value_is_not_told():
    cases = pd.DataFrame({"opened_weekday": [1] * 40 + [2] * 20 + [3] * 9, "sla_missed": 0})
    cases["customer_id"] = [*range(60), *([60, 61, 62] * 3)]
    levels = rates_by_level(cases, outcome="sla_missed", attributes=["opened_weekday"], min_cell=5)
    assert levels["level"].tolist() == ["Monday"]
    days = pd.DataFrame({"days_since_last_case": np.linspace(0.07, 90, 80), "sla_missed": 0, "customer_id": range(80)})
    first = rates_by_level(days, outcome="sla_missed", attributes=["days_since_last_case"], min_cell=5)["level"][0]
    assert first.startswith("under ")


def test_small_parts_of_the_hold_out_are_not_shown_by_customers():
    features, yes = with_a_rare_priority(customers=6)
    features.loc[(features["priority"] == "vip") & (features["opened_at"] >= "2024-03-11"), "customer_id"] = "vip 0"
    split = plain_split(features, yes)
    rules = service_quality(split, min_cell=5, **QUICK).rules
    (vip,) = rules.index[rules["rule"].str.contains("priority is vip")]
    assert rules.loc[vip, "n_training"] > 0
    assert pd.isna(rules.loc[vip, "n_holdout"])
    assert pd.isna(rules.loc[vip, "rate_holdout"])
    assert rules["n_holdout"].isna().sum() >= 2 or len(rules) == 1


def test_calibration_and_review_count_customers():
    features = plain_features(900)
    split = plain_split(features, missed_by_team(features))
    few = split.holdout["customer_id"].to_numpy() + ""
    likely = service_quality(split, **QUICK).probability.to_numpy()
    few[likely >= np.quantile(likely, 0.85)] = "one and the same"
    single = type(split)(**{**vars(split), "holdout": split.holdout.assign(customer_id=few)})
    told = service_quality(single, min_cell=5, **QUICK)
    assert told.calibration["predicted"].isna().sum() >= 2
    assert told.calibration["customers"].dropna().ge(5).all()
    assert np.isnan(told.gain.recall)
    assert "too few customers" in verdict(told).review
    assert "nan" not in " ".join(verdict(told))


def test_a_hold_out_of_too_few_customers_is_an_error_that_does_not_count_them():
    features = plain_features()
    features.loc[features["opened_at"] >= "2024-03-11", "customer_id"] = "one"
    outcomes = plain_outcomes(features, missed_by_team(features))
    days = {"holdout_from": dt.date(2024, 3, 11), "holdout_to": dt.date(2024, 12, 31)}
    with pytest.raises(TooFewRecordsError, match=r"from 2024-03-11 .* are of fewer than 5 customers"):
        split_cases(features, outcome="sla_missed", training_outcomes=outcomes, outcomes=outcomes, min_cell=5, **days)


def test_open_cases_of_few_customers_are_not_counted():
    features = plain_features(40).assign(customer_id=[f"c{number}" for number in range(40)])
    outcomes = plain_outcomes(features, [True] * 10 + [False] * 20 + [None] * 10)
    outcomes["is_open"] = np.arange(40) >= 37
    told = {"features": features, "min_cell": 5}
    assert state_of_service(outcomes, **told) == "Of 30 due cases 67% met their target. There are 40 cases in all."
    outcomes["is_open"] = (np.arange(40) >= 30) | (np.arange(40) < 2)
    assert state_of_service(outcomes, **told).endswith("12 of all 40 cases are open.")
    outcomes["is_open"] = (np.arange(40) >= 30) | (np.arange(40) < 7)
    assert state_of_service(outcomes, **told).endswith("17 of all 40 cases are open, 7 of them past the due time.")
    few = features.assign(customer_id=["c0"] * 30 + ["d"] * 10)
    assert "not told" in state_of_service(outcomes, features=few, min_cell=5)
    assert np.isnan(sla_attainment(outcomes, features=few, min_cell=5))
    assert sla_attainment(outcomes, features=few) == pytest.approx(2 / 3)
    assert n_at_risk(features.head(3), min_cell=5) is None
    assert n_at_risk(features.head(6), min_cell=5) == 6
    with pytest.raises(ValueError, match="features must tell the customers"):
        sla_attainment(outcomes, min_cell=5)


def test_weeks_leave_out_numbers_of_few_customers_and_what_gives_them_away():
    features = plain_features(168).assign(customer_id=[f"c{number}" for number in range(168)])
    yes = np.zeros(168, dtype=bool)
    yes[:10], yes[45:48], yes[90:100] = True, True, True
    weekly = weekly_cases(features, plain_outcomes(features, yes), outcome="sla_missed", min_cell=5)
    assert weekly["yes"].isna().tolist() == [False, True, True, False] or weekly["yes"].isna().sum() == 2
    assert pd.isna(weekly["yes"].iloc[1])
    assert weekly["yes"].dropna().isin([0, 10]).all()
    assert weekly["no"].notna().all()
    assert weekly["unknown"].eq(0).all()
    in_full = weekly_cases(features, plain_outcomes(features, yes), outcome="sla_missed")
    assert in_full["yes"].tolist()[:3] == [10, 3, 10]


def test_lost_cases_of_few_customers_are_not_counted():
    features, outcomes, split, _ = study(0)
    del outcomes
    told = type(split)(**{**vars(split), "n_lost": None})
    assert "Some earlier cases" in split_in_words(told)
    assert len(features) > split.n_lost


def test_ranges_of_numbers_cover_every_case():
    cases = plain_features().assign(sla_missed=0)
    levels = rates_by_level(cases, outcome="sla_missed", attributes=list(NUMBERS))
    covered = levels.groupby("attribute")["n_cases"].sum()
    assert (covered > 0.99 * len(cases)).all()
    assert "none" in set(levels.loc[levels["attribute"] == "days_since_last_case", "level"])
    weekdays = levels.loc[levels["attribute"] == "opened_weekday", "level"].tolist()
    assert weekdays[0] == "Monday"
    assert weekdays[-1] == "Sunday"


# What the report says


def test_a_model_without_use_says_so():
    features = plain_features(900)
    split = plain_split(features, np.random.default_rng(5).random(900) < 0.3)
    result = service_quality(split, **QUICK)
    sentences = verdict(result)
    assert not result.beats_base_rate
    assert "not better than giving every case the base rate" in sentences[0]
    assert "do not act on them" in sentences[0]
    assert "Nothing known at the opening" in sentences[-1] or "association" in sentences[-1]


def test_the_verdict_names_the_drivers_and_the_figures():
    result = study(0)[3]
    sentences = " ".join(verdict(result))
    assert f"{result.base_rate:.0%} missed the target" in sentences
    assert all(name in sentences for name in CAUSES)
    assert "not proof of a cause" in sentences


def test_open_cases_are_those_not_yet_decided_and_sorted_by_risk():
    features, outcomes, _, result = study(0)
    at_risk = open_cases_at_risk(result, features, outcomes)
    undecided = outcomes[outcomes["is_open"] & outcomes["sla_missed"].isna()]
    assert set(at_risk["case_id"]) == set(undecided["case_id"])
    assert at_risk["probability"].is_monotonic_decreasing
    assert at_risk["probability"].between(0, 1).all()
    assert (at_risk["due_at"] >= pd.Timestamp(END) + pd.Timedelta(days=1)).all()
    n_late = (outcomes["is_open"] & outcomes["sla_missed"].fillna(value=False)).sum()
    assert state_of_service(outcomes).endswith(f"{n_late:,} of them past the due time.")


def test_readable_tables_have_words_and_no_negative_zeros():
    table = readable(pd.DataFrame({"attribute": ["team_open_cases"], "importance": [-0.0001]}), decimals=3)
    assert table["attribute"].tolist() == ["open cases of the team"]
    assert str(table["importance"][0]) == "0.0"


# Limits and wrong input


def test_all_closed_leaves_no_case_at_risk():
    features = plain_features()
    yes = missed_by_team(features)
    result = service_quality(plain_split(features, yes), **QUICK)
    assert open_cases_at_risk(result, features, plain_outcomes(features, yes)).empty


def test_all_open_and_none_due_is_an_error_that_says_what_to_do():
    with pytest.raises(DataQualityError, match=r"None of 600 .* sla_missed: no due time .* low_satisfaction"):
        plain_split(plain_features(), [None] * 600)


def test_no_satisfaction_is_an_error_that_says_what_to_do():
    with pytest.raises(DataQualityError, match="no customer's answer"):
        plain_split(plain_features(), [None] * 600, outcome="low_satisfaction")


def test_one_outcome_only_is_an_error_that_counts():
    with pytest.raises(TooFewRecordsError, match=r"Of 420 service cases .* 0 have sla_missed"):
        plain_split(plain_features(), [False] * 600)


def test_too_few_cases_are_an_error_that_counts():
    features = plain_features(90)
    with pytest.raises(TooFewRecordsError, match="Only 60 service cases opened before 2024-01-11"):
        plain_split(features, missed_by_team(features), holdout_from=dt.date(2024, 1, 11))
    features = plain_features(600)
    with pytest.raises(TooFewRecordsError, match="Only 6 service cases opened from 2024-04-09"):
        plain_split(features, missed_by_team(features), holdout_from=dt.date(2024, 4, 9))


def test_no_cases_and_a_single_day_are_errors():
    with pytest.raises(TooFewRecordsError, match="There are no service cases"):
        first_holdout_day(plain_features(0), holdout_share=0.3)
    with pytest.raises(TooFewRecordsError, match="too few days"):
        first_holdout_day(plain_features(5), holdout_share=0.3)


def test_coding_mistakes_are_value_errors():
    features = plain_features()
    with pytest.raises(ValueError, match="got 'reopened'"):
        plain_split(features, missed_by_team(features), outcome="reopened")
    with pytest.raises(ValueError, match="before holdout_from"):
        plain_split(features, missed_by_team(features), holdout_to=dt.date(2024, 1, 1))
    with pytest.raises(ValueError, match=r"got 1\.5"):
        first_holdout_day(features, holdout_share=1.5)


def test_one_team_and_one_of_everything_else():
    features = plain_features().assign(team="north", channel="phone", priority="low")
    result = service_quality(plain_split(features, features["earlier_cases"] > 2), **QUICK)
    assert result.drivers["attribute"].iloc[0] == "earlier_cases"
    alike = features.assign(**dict.fromkeys(NUMBERS, 1.0))
    with pytest.raises(DataQualityError, match="nothing to learn from"):
        service_quality(plain_split(alike, missed_by_team(plain_features())), **QUICK)


def test_many_rare_and_unknown_categories_are_tolerated():
    features = plain_features(900)
    features["category"] = [f"kind {number % 700}" for number in range(900)]
    split = plain_split(features, missed_by_team(features))
    result = service_quality(split, **QUICK)
    assert result.probability.notna().all()
    later = split.holdout.assign(team="west", days_since_last_case=np.nan)
    assert probabilities(result.classifier, later).between(0, 1).all()


def test_an_early_part_of_one_kind_leaves_the_simpler_model():
    features = plain_features()
    yes = missed_by_team(features) & (features["opened_at"] > "2024-02-25").to_numpy()
    comparison = compared_models(plain_split(features, yes).training, outcome="sla_missed", settings=SETTINGS)
    assert comparison["log_loss"].isna().all()
    assert service_quality(plain_split(features, yes), **QUICK).model == "decision_tree"


def test_large_hold_outs_are_sampled_for_the_drivers(monkeypatch):
    monkeypatch.setattr("crm_analysis.models.service_quality.prediction.drivers.MAX_ROWS", 100)
    features = plain_features()
    split = plain_split(features, missed_by_team(features))
    forest = fitted("random_forest", split.training, outcome="sla_missed", **QUICK)
    drivers = driver_importance(forest, split.holdout, outcome="sla_missed", seed=0)
    assert drivers["attribute"].iloc[0] == "team"
