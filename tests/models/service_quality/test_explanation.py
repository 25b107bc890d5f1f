"""All explanations in one: what was planted is told first, missing parts are said, and small cells are told nowhere."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.explanation import Explanation, case_drivers, explained, rates_by_level
from crm_analysis.models.service_quality.explanation.effects_wording import LOWER
from crm_analysis.models.service_quality.explanation.result import N_MOVES
from crm_analysis.models.service_quality.prediction import probabilities
from crm_analysis.models.service_quality.prediction.classifiers import fitted
from crm_analysis.tables.demo_truth import TRUTH
from tests.models.service_quality.demo_study import SETTINGS, parted, study
from tests.models.service_quality.plain_cases import plain_features, with_a_rare_priority

CAUSES = {"team", "category", "channel"}
FEW = 150  # past cases: too few to say what would help
ASKED = {"outcome": "sla_missed", "review_share": 0.1, "seed": 0}


@cache
def planted():
    """The explanation of the model chosen on synthetic cases, told from its later cases."""
    _, _, split, result = study(0)
    past = pd.concat([split.training, split.holdout], ignore_index=True)[::3]  # a third of them is enough here
    courses = past[["case_id"]].assign(first_response_hours=1.0)
    regions = pd.Series(past["customer_id"].unique(), name="customer_id")
    groups = pd.DataFrame({"region": np.where(regions.index % 2, "east", "west")}, index=regions)
    return explained(
        lambda rows: probabilities(result.classifier, rows),
        split.holdout,
        past=past,
        courses=courses,
        groups=groups,
        **ASKED,
    )


def labelled(features=None, yes=None):
    """Six hundred plain cases; those of the north go wrong more often, or what is given."""
    features = plain_features() if features is None else features
    chance = np.where(features["team"] == "north", 0.8, 0.2)
    yes = np.random.default_rng(1).random(len(features)) < chance if yes is None else yes
    return features.assign(sla_missed=np.asarray(yes).astype("int64"))


def explain(cases, predict, *, past=None, **given):
    past = cases if past is None else past
    return explained(
        predict, cases, past=past, courses=past[["case_id"]].assign(first_response_hours=1.0), **ASKED | given
    )


def by_team(rows):
    return np.where(rows["team"] == "north", 0.8, 0.2)


def tables(told):
    """Every table of an explanation."""
    help_tables = [told.help.levels, told.help.moves] if told.help else []
    return [
        told.drivers.alone,
        told.drivers.groups,
        told.levels,
        told.directions.curves,
        told.fairness.table,
        *help_tables,
    ]


def words(told):
    """Every sentence, and every text in a table."""
    cells = [
        str(value) for table in tables(told) for value in table.select_dtypes(["object", "string"]).to_numpy().ravel()
    ]
    return " ".join((*told.headline, *told.sentences, *cells))


# Known truth


def test_planted_causes_are_told_first_with_levels_and_directions():
    told = planted()
    assert set(told.drivers.alone["attribute"][:3]) >= CAUSES
    assert set(told.levels["attribute"]) >= CAUSES
    assert set(told.directions.curves["attribute"]) == set(told.levels["attribute"])
    assert all(name in told.headline[0] for name in CAUSES)
    assert "not proof of a cause" in " ".join(told.sentences)
    assert not set(told.headline) & set(told.sentences)


def test_the_direction_of_the_planted_effects_is_right():
    levels = planted().levels
    for name, effects in (("category", TRUTH.missed_by_category), ("channel", TRUTH.missed_by_channel)):
        rates = levels[levels["attribute"] == name].set_index("level")["rate"]
        assert rates.corr(pd.Series(dict(effects)), method="spearman") > 0.8
    teams = levels[levels["attribute"] == "team"].set_index("level")["rate"]
    assert teams.idxmax() == "Partner desk"


def test_what_would_help_and_whom_errors_meet_are_part_of_it():
    told = planted()
    assert set(told.help.levels["lever"]) == {"team", "channel"}
    lower = told.help.moves[told.help.moves["reading"] == LOWER]
    assert set(told.moves.index) <= set(lower.index)
    assert 0 < len(told.moves) <= N_MOVES
    assert told.moves["fewer_a_month"].is_monotonic_decreasing
    assert told.moves["fewer_a_month"].iloc[0] == round(lower["fewer_a_month"].max())
    assert (told.moves["high"] < 0).all()
    assert told.headline[1] == told.help.sentences[0]
    assert {"region", "contact"} <= set(told.fairness.table["attribute"])
    assert told.notes == ()


def test_low_satisfaction_goes_most_with_the_channel():
    _, _, split = parted(0, "low_satisfaction")
    model = fitted("logistic_regression", split.training, outcome="low_satisfaction", **SETTINGS)
    found = case_drivers(lambda rows: probabilities(model, rows), split.holdout, outcome="low_satisfaction", seed=0)
    assert found.alone["attribute"].iloc[0] == "channel"
    past = pd.concat([split.training, split.holdout])
    rates = rates_by_level(past, outcome="low_satisfaction", attributes=["channel"]).set_index("level")["rate"]
    assert rates[["email", "web form"]].min() > rates[["chat", "store desk"]].max()


# Order, names and chance


def test_neither_order_nor_names_matter_and_the_seed_is_all_there_is_of_chance():
    cases = labelled()
    past = cases[:FEW]  # what would help is as blind: tests/models/service_quality/test_effects.py
    told, again = (explain(cases, by_team, past=past) for _ in range(2))
    renamed, shuffled = (
        table.assign(customer_id="x" + table["customer_id"]).sample(frac=1, random_state=0) for table in (cases, past)
    )
    other = explain(renamed, by_team, past=shuffled)
    for one, two, three in zip(tables(told), tables(again), tables(other), strict=True):
        pd.testing.assert_frame_equal(one, two)
        pd.testing.assert_frame_equal(one, three)
    assert words(told) == words(again) == words(other)


# What cannot be told


def test_too_few_cases_to_compare_are_said_and_no_error():
    cases = labelled()
    told = explain(cases, by_team, past=cases[:FEW])
    assert told.help is None
    assert told.moves.empty
    assert len(told.headline) == 1
    (note,) = [note for note in told.notes if note.startswith("What would help is not told.")]
    assert note in told.sentences
    assert f"{FEW}" in note


def test_one_outcome_only_in_the_past_is_said_and_no_error():
    cases = labelled()
    told = explain(cases, by_team, past=cases.assign(sla_missed=0))
    assert told.help is None
    assert any(note.startswith("What would help is not told.") for note in told.notes)
    assert told.levels["rate"].eq(0).all()


def test_a_model_that_uses_nothing_has_neither_levels_nor_directions():
    told = explain(labelled(), lambda rows: np.full(len(rows), 0.4))
    assert told.levels.empty
    assert told.directions.curves.empty
    assert "Nothing known at the opening" in told.headline[0]
    assert len(told.help.levels)  # the cases themselves tell of the teams, whatever the model uses


def test_customers_without_an_attribute_are_a_group_of_their_own_or_none():
    cases = labelled()
    groups = pd.DataFrame({"region": ["east"] * 100}, index=pd.Index(map(str, range(100)), name="customer_id"))
    told = explain(cases, by_team, past=cases[:FEW], groups=groups).fairness.table
    assert told.loc[told["attribute"] == "region", "n_cases"].notna().any()
    without = explain(cases, by_team, past=cases[:FEW], groups=groups[[]]).fairness.table
    assert set(without["attribute"]) == {"contact"}
    pd.testing.assert_frame_equal(without, explain(cases, by_team, past=cases[:FEW]).fairness.table)


# Small cells


def by_rare_priority(rows):
    return np.where(rows["priority"] == "vip", 0.9, 0.1)


@pytest.mark.parametrize(("customers", "is_told"), [(2, False), (5, True)])
def test_a_priority_of_too_few_customers_is_told_nowhere(customers, is_told):
    cases = labelled(*with_a_rare_priority(customers=customers))
    told = explain(cases, by_rare_priority, min_cell=5)
    assert "priority" in set(told.levels["attribute"])
    assert ("vip" in set(told.levels["level"])) == is_told
    assert is_told or "vip" not in words(told)
    assert any("fewer than 5 customers" in note for note in told.notes) != is_told


def test_in_private_data_no_figure_is_about_too_few_customers():
    cases = labelled(*with_a_rare_priority(customers=2))
    cases["customer_id"] = cases["customer_id"].mask(cases["team"] == "east", "one")
    cases["team"] = cases["team"].replace("east", "küste")
    told = explain(cases, lambda rows: by_rare_priority(rows) / 2 + by_team(rows) / 2, min_cell=5)
    for table in tables(told):
        if "customers" in table:
            assert table["customers"].dropna().ge(5).all()
    named = [sentence for sentence in (*told.headline, *told.sentences) if "küste" in sentence]
    assert not named
    assert "küste" not in set(told.levels["level"]) | set(told.directions.curves["level"])
    hidden = told.help.levels[told.help.levels["level"] == "küste"]
    assert hidden.select_dtypes("number").isna().all(axis=None)
    assert any("fewer than 5 customers" in note for note in told.notes)


def test_an_explanation_reads_its_parts():
    told = planted()
    alone: Explanation = replace(told, help=None)
    assert alone.headline == told.drivers.sentences[:1]
    assert alone.moves.empty
