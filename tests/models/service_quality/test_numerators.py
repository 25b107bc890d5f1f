"""No share tells of the few customers with, or without, an outcome; no sentence lets their cases be counted."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import ParamsError, TooFewRecordsError
from crm_analysis.models.evaluation import wilson_interval
from crm_analysis.models.service_quality.disclosure import customers_by_part, hidden_shares, is_of_few
from crm_analysis.models.service_quality.explanation import case_drivers, explained, rates_by_level, what_would_help
from crm_analysis.models.service_quality.explanation.clustered import effective_cases
from crm_analysis.models.service_quality.explanation.fairness import fairness_table
from crm_analysis.models.service_quality.prediction import service_quality, split_cases, split_in_words
from crm_analysis.models.service_quality.prediction.classifiers import fitted
from crm_analysis.models.service_quality.prediction.curves import review_curves
from crm_analysis.models.service_quality.prediction.rules import tree_rules
from crm_analysis.models.service_quality.prediction.verdicts import usefulness_in_words
from crm_analysis.models.service_quality.wording import points_in_words
from tests.models.service_quality.plain_cases import missed_by_team, plain_features, plain_outcomes, plain_split

QUICK = {"max_tree_depth": 3, "n_trees": 10, "seed": 0}
DAYS = {"holdout_from": dt.date(2024, 3, 11), "holdout_to": dt.date(2024, 12, 31)}
FEW = 5


def of_two_customers(n_cases=600):
    """Cases of which those in the north go wrong for two customers only, elsewhere at random."""
    features = plain_features(n_cases)
    north = (features["team"] == "north").to_numpy()
    bad = north & (np.arange(n_cases) % 2 == 0)
    features.loc[bad, "customer_id"] = np.where(np.arange(bad.sum()) % 2, "p", "q")
    features.loc[~bad & features["customer_id"].isin(["p", "q"]), "customer_id"] = "z"
    return features, bad | (~north & (np.random.default_rng(0).random(n_cases) < 0.1))


def labelled():
    features, yes = of_two_customers()
    return features.assign(sla_missed=yes.astype("int64"))


def tells_of_few(cases, levels):
    """Levels of which the cases with, or those without, are of one to four customers."""
    counts = customers_by_part(cases["sla_missed"], levels, cases["customer_id"])
    return set(counts.index[counts.isin(range(1, FEW)).any(axis=1)])


# The rule


def test_a_share_is_hidden_for_either_side_and_with_the_one_that_would_give_it_away():
    groups = ["a"] * 20 + ["b"] * 20 + ["c"] * 19
    outcome = [1] * 2 + [0] * 18 + [1] * 10 + [0] * 10 + [1] * 9 + [0] * 10
    assert hidden_shares(outcome, groups, range(59), min_cell=FEW).to_dict() == {"a": True, "b": False, "c": True}
    turned = [1 - each for each in outcome]
    assert hidden_shares(turned, groups, range(59), min_cell=FEW).to_dict() == {"a": True, "b": False, "c": True}
    assert not hidden_shares(outcome, groups, range(59), min_cell=1).any()


def test_a_part_of_nobody_is_not_of_few():
    nobody, some, customers = np.zeros(9, dtype=bool), np.arange(9) < 2, np.arange(9)
    assert not is_of_few(customers, nobody, min_cell=FEW)
    assert is_of_few(customers, some, min_cell=FEW)
    assert not is_of_few(customers, some, min_cell=1)


# Shares


def test_no_level_tells_the_share_of_two_customers():
    cases = labelled()
    assert tells_of_few(cases, cases["team"]) == {"north"}
    told = rates_by_level(cases, outcome="sla_missed", attributes=["team"], min_cell=FEW)
    assert "north" not in set(told["level"])
    merged = cases["team"].where(cases["team"].isin(told["level"]), "other")
    assert not tells_of_few(cases, merged) & set(told["level"])
    assert "north" in set(rates_by_level(cases, outcome="sla_missed", attributes=["team"])["level"])


def test_no_range_of_a_number_tells_the_share_of_two_customers():
    cases = labelled().assign(
        opened_weekday=lambda table: np.where(table["team"] == "north", 1, 2 + np.arange(600) % 3)
    )
    told = rates_by_level(cases, outcome="sla_missed", attributes=["opened_weekday"], min_cell=FEW)["level"]
    assert "Monday" not in set(told)
    assert len(told) == 2  # of Tuesday to Thursday one is hidden with it


def test_no_rule_tells_the_share_of_two_customers_learnt_or_later():
    split = plain_split(*of_two_customers())
    tree = fitted("decision_tree", split.training, outcome="sla_missed", **QUICK)
    parts = {"training": split.training, "holdout": split.holdout, "outcome": "sla_missed"}
    in_full, told = tree_rules(tree, **parts), tree_rules(tree, min_cell=FEW, **parts)
    assert any("team is north" in rule for rule in in_full["rule"])
    assert not any("team is north" in rule for rule in told["rule"])
    shown = told.dropna(subset=["rate_training"])
    n_yes = (shown["n_training"] * shown["rate_training"]).sum()
    hidden_yes = split.training["sla_missed"].sum() - n_yes
    assert hidden_yes == pytest.approx(0) or len(shown) < len(told) - 1 or len(told) == 1


def test_calibration_groups_hide_the_few_who_did_not():
    split = plain_split(*of_two_customers(1200))
    told = service_quality(split, min_cell=FEW, **QUICK)
    in_full = service_quality(split, **QUICK)
    assert in_full.calibration["actual"].notna().all()
    likely = told.probability.to_numpy()
    order = np.argsort(likely, kind="stable")
    ends = in_full.calibration["n"].cumsum()
    for group, (start, end) in zip(
        told.calibration.index, zip(ends - in_full.calibration["n"], ends, strict=True), strict=True
    ):
        inside = split.holdout.iloc[order[start:end]]
        if tells_of_few(inside, np.full(len(inside), "all")):
            assert pd.isna(told.calibration["actual"][group])
    assert told.calibration["actual"].isna().any()


def test_steps_of_a_curve_count_customers_of_either_outcome():
    split = plain_split(*of_two_customers())
    likely = split.holdout["team"].eq("north").to_numpy() * 0.5 + np.linspace(0.4, 0, len(split.holdout))
    curve = review_curves(split.holdout, {"model": likely}, outcome="sla_missed", min_cell=FEW)
    ranked = split.holdout.iloc[np.argsort(-likely, kind="stable")]
    ends = (curve["share_reviewed"] * len(ranked)).round().astype(int).tolist()
    assert ends[-1] == len(ranked)
    for start, end in pairwise(ends):
        assert not tells_of_few(ranked.iloc[start:end], np.full(end - start, "all"))


def test_what_would_help_tells_nothing_of_a_level_whose_outcome_is_of_two_customers():
    told = what_would_help(labelled(), outcome="sla_missed", levers=["team"], seed=0, min_cell=FEW)
    levels = told.levels.set_index("level")
    assert levels.loc["north"].drop(["lever", "reading"]).isna().all()
    assert "north" not in {*told.moves["cases_of"], *told.moves["handled_like"]}
    assert not any("north" in said for said in (*told.sentences, *told.notes))
    assert "No figure for 2 levels of team: too few customers, or figures that would give such away." in told.notes


def test_too_few_cases_are_counted_in_public_data_only():
    cases = labelled()[:150]
    with pytest.raises(TooFewRecordsError, match="Of 150 service cases"):
        what_would_help(cases, outcome="sla_missed", seed=0)
    with pytest.raises(TooFewRecordsError) as caught:
        what_would_help(cases, outcome="sla_missed", seed=0, min_cell=FEW)
    assert "150" not in str(caught.value)


def test_an_outcome_of_two_customers_is_not_learnt_at_all():
    features = plain_features()
    yes = np.arange(600) % 7 == 0
    features.loc[yes, "customer_id"] = "p"
    outcomes = plain_outcomes(features, yes)
    asked = {"outcome": "sla_missed", "training_outcomes": outcomes, "outcomes": outcomes, **DAYS}
    with pytest.raises(TooFewRecordsError, match="too few missed the target") as caught:
        split_cases(features, min_cell=FEW, **asked)
    assert "420" not in str(caught.value)


# Intervals


def test_intervals_count_customers_and_are_never_narrower_than_of_cases():
    cases = labelled().assign(customer_id=lambda table: np.arange(600) // 20)
    cases["sla_missed"] = (cases["customer_id"] % 3 == 0).astype("int64")  # all cases of a customer alike
    alike = rates_by_level(cases, outcome="sla_missed", attributes=["team"])
    apart = rates_by_level(cases.assign(customer_id=range(600)), outcome="sla_missed", attributes=["team"])
    assert (alike["high"] - alike["low"] > 1.5 * (apart["high"] - apart["low"])).all()
    low, high = wilson_interval(apart["rate"], apart["n_cases"])
    assert (apart["low"] <= low + 1e-12).all()
    assert (apart["high"] >= high - 1e-12).all()
    assert effective_cases([0, 1, 0, 1], ["a", "a", "b", "b"]) == pytest.approx(2)  # no wider than there are customers


def test_cases_of_a_customer_who_differ_count_no_more_than_they_are():
    assert effective_cases([0, 1] * 10, np.repeat(range(10), 2)) <= 20
    assert effective_cases([1], ["a"]) == 1


# Counts and words


def test_counts_are_in_tens_where_the_rest_is_of_two_customers():
    features = plain_features()
    yes = missed_by_team(features)
    outcomes = plain_outcomes(features, yes)
    undecided = features.index[-3:]
    features.loc[undecided, "customer_id"] = "p"
    outcomes.loc[undecided, "sla_missed"] = pd.NA
    asked = {"outcome": "sla_missed", "training_outcomes": outcomes, "outcomes": outcomes, **DAYS}
    told, in_full = split_cases(features, min_cell=FEW, **asked), split_cases(features, **asked)
    assert (told.is_rounded, in_full.is_rounded) == (True, False)
    assert "judged on 177 cases" in split_in_words(in_full)
    assert "judged on about 180 cases" in split_in_words(told)
    result = service_quality(told, min_cell=FEW, **QUICK)
    assert "177" not in " ".join((*result.headline, *result.warnings, *result.sentences, split_in_words(told)))
    assert (result.rules["n_training"].dropna() % 10 == 0).all()
    levels = explained(
        lambda rows: np.where(rows["team"] == "north", 0.9, 0.2),
        told.holdout,
        past=pd.concat([told.training, told.holdout]),
        courses=pd.DataFrame(columns=["case_id", "first_response_hours"]),
        outcome="sla_missed",
        review_share=0.1,
        seed=0,
        min_cell=FEW,
        is_rounded=True,
    ).levels
    assert len(levels)
    assert (levels["n_cases"] % 10 == 0).all()


def test_an_age_is_part_of_what_is_said():
    features = plain_features()
    split = plain_split(features, missed_by_team(features), age_hours=24)
    assert split.age_hours == 24
    assert "and still open 24 hours after the opening" in split_in_words(split)
    measures = service_quality(split, **QUICK).measures
    said = usefulness_in_words(split, measures, model="decision_tree", base_rate=0.4)
    assert "and still open 24 hours after the opening whose outcome is known, 40% missed the target" in said
    assert "ranks a case that missed the target above one that did not in" in said
    assert "hour" not in split_in_words(replace(split, age_hours=0))


def test_a_hold_out_beyond_the_data_is_an_error_that_names_the_last_day():
    features = plain_features()
    outcomes = plain_outcomes(features, missed_by_team(features))
    with pytest.raises(ParamsError, match="holdout_from 2025-06-01 lies after the last day known, 2024-12-30"):
        split_cases(
            features, outcome="sla_missed", training_outcomes=outcomes, outcomes=outcomes,
            holdout_from=dt.date(2025, 6, 1), holdout_to=dt.date(2024, 12, 30),
        )  # fmt: skip


def test_a_ranking_too_good_to_be_true_is_warned_of():
    features = plain_features()
    sure = service_quality(plain_split(features, features["team"] == "north"), **QUICK)
    (warning,) = sure.warnings
    assert warning.startswith(
        "The team alone ranks nearly all later cases right (area under the ROC curve 1.000): check"
    )
    plain = service_quality(plain_split(features, missed_by_team(features)), **QUICK)
    assert plain.warnings == ()


def test_of_a_loss_of_next_to_nothing_no_share_is_told():
    cases = labelled().assign(customer_id=lambda table: table.index.astype("str"))
    truth = cases.set_index("case_id")["sla_missed"]
    cases["priority"] = np.where(cases["sla_missed"] == 1, "high", "low")
    found = case_drivers(
        lambda rows: np.where(rows["priority"] == "high", 1 - 1e-9, 1e-9),
        cases, outcome="sla_missed", attributes=["priority", "team"], seed=0,
    )  # fmt: skip
    assert truth.nunique() == 2
    assert found.groups["share"].isna().all()
    assert "%" not in " ".join(found.sentences)
    assert set(found.readable["in percent of the log loss"]) == {""}


def test_one_point_is_singular():
    said = [points_in_words(change) for change in (0.01, -0.01, 0.0, 0.3, -0.114)]
    assert said == ["+1 point", "−1 point", "0 points", "+30 points", "−11 points"]


# Tables for people


def test_tables_for_people_have_words_and_whole_percent():
    features = plain_features()
    result = service_quality(plain_split(features, missed_by_team(features)), **QUICK)
    models = result.readable_models
    assert list(models) == [
        "model",
        "area under the ROC curve",
        "average precision",
        "Brier score",
        "log loss",
        "chosen",
    ]
    assert models["chosen"].value_counts().to_dict() == {"": len(models) - 1, "yes": 1}
    assert models["log loss"].str.fullmatch(r"\d\.\d{3} \(\d\.\d{3}–\d\.\d{3}\)").all()
    comparison = result.readable_comparison
    assert (comparison["chosen"] == "yes").sum() == 1
    rules = result.readable_rules
    assert list(rules) == ["rule", "cases learnt", "share learnt", "later cases", "later share"]
    assert rules["share learnt"].str.fullmatch(r"\d+%").all()


def test_moves_for_people_are_in_points_and_whole_numbers():
    cases = plain_features(1500)
    cases["sla_missed"] = missed_by_team(cases).astype("int64")
    told = explained(
        lambda rows: np.where(rows["team"] == "north", 0.9, 0.2),
        cases[1000:],
        past=cases,
        courses=pd.DataFrame(columns=["case_id", "first_response_hours"]),
        outcome="sla_missed",
        review_share=0.1,
        seed=0,
    )
    moves = told.readable_moves
    assert len(moves) == len(told.moves) > 0
    assert moves["change, points"].str.fullmatch(r"−\d+ \(−\d+ to −?\d+\)").all()
    assert moves["by"].eq("team").all()
    readable = told.drivers.readable
    assert readable["attributes"].iloc[0] == "team"
    assert readable["in percent of the log loss"].iloc[0].endswith("%")
    assert replace(told, help=None).readable_moves.empty


def test_no_error_rate_tells_of_the_few_who_were_flagged():
    cases = labelled().assign(customer_id=lambda table: table.index.astype("str"))
    likely = pd.Series(np.where(np.arange(600) % 2 == 0, 0.6, 0.1))
    likely[cases["team"] == "north"] = 0.1
    likely[cases.index[cases["team"] == "north"][:4]] = 0.9
    groups = cases.set_index("case_id")["team"]
    asked = {"outcome": "sla_missed", "review_share": 0.3}
    told, in_full = (
        fairness_table(cases, likely, groups, min_cell=least, **asked).set_index(["measure", "group"])["value"]
        for least in (FEW, 1)
    )
    assert in_full["false_positive_rate"].notna().all()
    assert pd.isna(told["false_positive_rate", "north"]) or pd.isna(told["false_negative_rate", "north"])
    assert told["false_positive_rate"].isna().sum() != 1  # another one with it, or the share is the rest of all
    assert told["outcome_rate"].notna().all()
