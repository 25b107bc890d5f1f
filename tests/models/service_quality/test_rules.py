"""Rules of the tree find what was planted, are put in words, and tell of no small leaf."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.prediction.classifiers import fitted
from crm_analysis.models.service_quality.prediction.rules import tree_rules
from tests.models.service_quality.plain_cases import plain_features, plain_split, with_a_rare_priority

QUICK = {"max_tree_depth": 4, "n_trees": 15, "seed": 0}


def rules_of(split, *, min_cell=1):
    tree = fitted("decision_tree", split.training, outcome=split.outcome, **QUICK)
    return tree_rules(tree, training=split.training, holdout=split.holdout, outcome=split.outcome, min_cell=min_cell)


def test_a_planted_rule_is_found_and_put_in_words():
    features = plain_features()
    split = plain_split(features, features["team"] == "north")
    rules = rules_of(split)
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


def test_small_leaves_of_the_hold_out_are_not_shown():
    features = plain_features()
    split = plain_split(features, features["team"] == "north")
    tree = fitted("decision_tree", split.training, outcome="sla_missed", **QUICK)
    few = split.holdout[(split.holdout["team"] != "north") | (split.holdout.index < 8)]
    rules = tree_rules(tree, training=split.training, holdout=few, outcome="sla_missed").set_index("rule")
    assert rules["n_holdout"].isna().to_dict() == {"team is north": True, "team is not north": False}
    assert np.isnan(rules["rate_holdout"]["team is north"])


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


def test_a_priority_is_told_when_enough_customers_have_it():
    features, yes = with_a_rare_priority(customers=5)
    assert any("priority is vip" in rule for rule in rules_of(plain_split(features, yes), min_cell=5)["rule"])
    features, yes = with_a_rare_priority(customers=2)
    split = plain_split(features, yes)
    assert any("priority is vip" in rule for rule in rules_of(split)["rule"])
    assert not any("priority is vip" in rule for rule in rules_of(split, min_cell=5)["rule"])


def test_small_parts_of_the_hold_out_are_not_shown_by_customers():
    features, yes = with_a_rare_priority(customers=6)
    features.loc[(features["priority"] == "vip") & (features["opened_at"] >= "2024-03-11"), "customer_id"] = "vip 0"
    rules = rules_of(plain_split(features, yes), min_cell=5)
    (vip,) = rules.index[rules["rule"].str.contains("priority is vip")]
    assert rules.loc[vip, "n_training"] > 0
    assert pd.isna(rules.loc[vip, "n_holdout"])
    assert pd.isna(rules.loc[vip, "rate_holdout"])
    assert rules["n_holdout"].isna().sum() >= 2 or len(rules) == 1
