"""What a report asks about cases: each is known only as far as it was, and lists and results come with their reasons."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ParamsError
from crm_analysis.models.service_quality.known_cases import service_cases
from crm_analysis.models.service_quality.measures import service_measures
from crm_analysis.models.service_quality.prediction import service_quality
from crm_analysis.models.service_quality.questions import (
    explained_cases,
    open_cases,
    recorded_results,
)
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.privacy.suppression import NOT_SHOWN

AS_OF = dt.date(2024, 4, 29)  # the day of the last opening
FIRST = dt.date(2024, 3, 25)  # of the hold-out
LAST_AT_AGE = pd.Timestamp("2024-04-29 14:00")  # cases opened from here on are not ten hours old yet
ASKED = {"as_of": AS_OF, "outcome": "sla_missed"}
QUICK = {"max_tree_depth": 2, "n_trees": 10, "seed": 0}


def made_cases(n_cases=960):
    """Return a case every three hours, due after eight hours to five days; those of the north take three times as long."""
    rng = np.random.default_rng(0)
    opened = pd.Series(pd.date_range("2024-01-01", periods=n_cases, freq="3h"))
    team = rng.choice(["north", "south"], n_cases)
    hours = rng.exponential(np.where(team == "north", 36, 12), n_cases).round(1) + 0.5
    patience = rng.choice([8, 24, 120], n_cases)
    return pd.DataFrame(
        {
            "case_id": [f"c{number:03d}" for number in range(n_cases)],
            "customer_id": [f"k{number:03d}" for number in rng.integers(0, 150, n_cases)],
            "opened_at": opened,
            "due_at": opened + pd.to_timedelta(patience, unit="h"),
            "resolved_at": opened + pd.to_timedelta(hours, unit="h"),
            "first_response_at": opened + pd.to_timedelta(hours / 2, unit="h"),
            "team": team,
            "channel": rng.choice(["phone", "chat"], n_cases),
            "category": rng.choice(["billing", "доставка"], n_cases),
            "satisfaction": rng.integers(1, 6, n_cases),
            "impact": rng.choice(["wide", "narrow"], n_cases),
        }
    )


CASES = made_cases()
CUSTOMERS = pd.DataFrame({"customer_id": [f"k{number:03d}" for number in range(150)], "region": ["east", "west"] * 75})


@pytest.fixture
def source(write_dataset):
    return open_dataset(write_dataset(service_cases=CASES, customers=CUSTOMERS))


@pytest.fixture
def later(write_dataset):
    """The same cases, those not resolved before the hold-out at once in it or never, and more after the last day."""
    at_once = CASES["opened_at"].clip(lower=pd.Timestamp(FIRST)) + pd.Timedelta(hours=1)
    other = at_once.where(CASES.index % 2 == 0)
    cases = CASES.assign(resolved_at=CASES["resolved_at"].where(CASES["resolved_at"] < pd.Timestamp(FIRST), other))
    more = CASES[:50].assign(case_id="later " + CASES["case_id"], opened_at="2024-05-01", due_at="2024-05-02")
    more[["resolved_at", "first_response_at", "satisfaction"]] = None
    return open_dataset(write_dataset("later", service_cases=pd.concat([cases, more]), customers=CUSTOMERS))


def truth(cases):
    """Whether each case missed its target, by case."""
    return (cases["resolved_at"] > cases["due_at"]).astype("int64").set_axis(cases["case_id"])


# Known when


def test_cases_are_parted_by_time_with_what_was_known_of_each(source):
    cases = service_cases(source, **ASKED)
    assert (cases.split.holdout_from, cases.split.holdout_to) == (FIRST, AS_OF)
    assert len(cases.courses) == len(cases.features) == len(cases.outcomes) == 960
    assert cases.n_customers == 150
    known = cases.missed.dropna()
    assert set(known.index) == set(CASES.loc[CASES["due_at"] < "2024-04-30", "case_id"])
    assert known.astype("int64").eq(truth(CASES)[known.index]).all()
    assert cases.labelled["case_id"].tolist() == [*cases.split.training["case_id"], *cases.split.holdout["case_id"]]
    assert not cases.labelled["case_id"].duplicated().any()
    assert cases.groups.shape == (0, 0)


def test_training_labels_are_those_known_the_day_before_the_hold_out(source):
    split = service_cases(source, **ASKED, holdout_from=FIRST).split
    due = CASES[CASES["due_at"] < pd.Timestamp(FIRST)]
    assert split.training["case_id"].tolist() == due["case_id"].tolist()
    assert split.training["sla_missed"].tolist() == truth(due).tolist()
    opened = CASES["opened_at"] < pd.Timestamp(FIRST)
    assert split.n_lost == opened.sum() - len(due) > 0
    assert (split.holdout["opened_at"] >= pd.Timestamp(FIRST)).all()


def test_answers_that_come_within_the_hold_out_are_not_learnt_from(source):
    split = service_cases(source, as_of=AS_OF, outcome="low_satisfaction", holdout_from=FIRST).split
    resolved = CASES.loc[CASES["resolved_at"] < pd.Timestamp(FIRST), "case_id"]
    assert split.training["case_id"].tolist() == resolved.tolist()
    strict = service_cases(
        source, as_of=AS_OF, outcome="low_satisfaction", holdout_from=FIRST, low_satisfaction_at_most=1
    ).split
    assert strict.training["low_satisfaction"].sum() < split.training["low_satisfaction"].sum()


def test_what_happens_from_the_hold_out_on_changes_no_training_case(source, later):
    here, there = (service_cases(asked, **ASKED, holdout_from=FIRST) for asked in (source, later))
    pd.testing.assert_frame_equal(here.split.training, there.split.training)
    assert len(there.features) == 960  # those after the last day are not there
    assert there.split.holdout["sla_missed"].mean() != here.split.holdout["sla_missed"].mean()


def test_days_of_the_hold_out_and_customers_can_be_chosen(source):
    days = {"holdout_from": FIRST, "holdout_to": dt.date(2024, 4, 15)}
    split = service_cases(source, **ASKED, **days).split
    assert split.holdout["opened_at"].dt.date.agg(["min", "max"]).tolist() == list(days.values())
    east = service_cases(source, **ASKED, where={"region": "east"})
    assert set(east.features["customer_id"]) <= set(CUSTOMERS["customer_id"][::2])
    assert east.n_customers == 75


# At an age


def test_at_an_age_decided_cases_are_left_out(source):
    cases = service_cases(source, **ASKED, age_hours=10)
    hours = (CASES["resolved_at"] - CASES["opened_at"]) / pd.Timedelta(hours=1)
    patience = (CASES["due_at"] - CASES["opened_at"]) / pd.Timedelta(hours=1)
    undecided = CASES[(hours > 10) & (patience > 10) & (CASES["opened_at"] < LAST_AT_AGE)]
    assert cases.features["case_id"].tolist() == undecided["case_id"].tolist()
    assert set(cases.labelled["case_id"]) <= set(undecided["case_id"])
    assert len(cases.courses) == 960  # measures are about all cases still


def test_at_an_age_cases_past_their_target_count_for_other_outcomes(source):
    cases = service_cases(source, as_of=AS_OF, outcome="low_satisfaction", age_hours=10)
    hours = (CASES["resolved_at"] - CASES["opened_at"]) / pd.Timedelta(hours=1)
    assert set(cases.features["case_id"]) == set(
        CASES.loc[(hours > 10) & (CASES["opened_at"] < LAST_AT_AGE), "case_id"]
    )


def test_an_age_at_which_every_case_is_decided_is_refused(source):
    asked = {"as_of": AS_OF, "outcome": "long_resolution", "long_resolution_hours": 10}
    with pytest.raises(ParamsError, match=r"age_hours 10 is not below long_resolution_hours 10: .* Use a smaller age"):
        service_cases(source, **asked, age_hours=10)
    assert len(service_cases(source, **asked, age_hours=4).features) < 960
    assert len(service_cases(source, **ASKED, long_resolution_hours=10, age_hours=10).features) < 960


# Columns of the source's own


def test_extra_features_and_groups_are_taken_by_name(source):
    cases = service_cases(source, **ASKED, extra_features=["impact"], compare_groups=["region"])
    assert set(cases.labelled["impact"]) == {"wide", "narrow"}
    assert cases.groups["region"].value_counts().to_dict() == {"east": 75, "west": 75}


def test_wrong_names_are_params_errors_that_say_what_there_is(source):
    with pytest.raises(ParamsError, match=r"'impcat': there is no such column \(did you mean 'impact'\?\)"):
        service_cases(source, **ASKED, extra_features=["impcat"])
    with pytest.raises(ParamsError, match="'resolved_at': it is known only later"):
        service_cases(source, **ASKED, extra_features=["resolved_at"])
    with pytest.raises(ParamsError, match=r"'regoin': there is no such column \(did you mean 'region'\?\)"):
        service_cases(source, **ASKED, compare_groups=["regoin"])


def test_a_column_that_looks_known_later_is_refused_unless_it_is_vouched_for(write_dataset):
    renamed = open_dataset(write_dataset(service_cases=CASES.rename(columns={"impact": "close_code"})))
    with pytest.raises(DataQualityError, match="name it in known_at_opening"):
        service_cases(renamed, **ASKED, extra_features=["close_code"])
    cases = service_cases(renamed, **ASKED, extra_features=["close_code"], known_at_opening=["close_code"])
    assert "close_code" in cases.features


def test_groups_need_a_table_of_customers(write_dataset):
    bare = open_dataset(write_dataset(service_cases=CASES))
    with pytest.raises(ParamsError, match="need a table customers"):
        service_cases(bare, **ASKED, compare_groups=["region"])


# Explained, listed, recorded


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Return cases, the model's result, and its explanation."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "params" / "datasets").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    lines = ["name: service", "currency: EUR", "public: true", "tables:"]
    for name, table in {"service_cases": CASES, "customers": CUSTOMERS}.items():
        table.to_csv(folder / "params" / "datasets" / f"{name}.csv", index=False)
        lines += [f"  {name}:", f"    files: {name}.csv"]
    (folder / "params" / "datasets" / "service.yaml").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CRM_HOME", raising=False)
        cases = service_cases(open_dataset("service"), **ASKED, holdout_from=FIRST, compare_groups=["region"])
    result = service_quality(cases.split, **QUICK)
    return cases, result, explained_cases(cases, result, seed=0)


def test_the_explanation_is_of_the_hold_out_and_of_the_groups_asked_for(answered):
    cases, _, told = answered
    assert set(told.drivers.alone["attribute"][:2]) == {"team", "target_hours"}
    assert told.levels.set_index("level")["rate"]["north"] > told.levels.set_index("level")["rate"]["south"]
    assert told.levels.loc[told.levels["attribute"] == "team", "n_cases"].sum() == len(cases.labelled)
    assert {"east", "west"} <= set(told.fairness.table["group"])
    assert told.help is not None


def test_open_cases_come_with_reasons_the_riskiest_first(answered):
    cases, result, told = answered
    found = open_cases(cases, result, told, seed=0)
    is_open = CASES["resolved_at"] >= "2024-04-30"
    assert set(found.table["case_id"]) == set(CASES.loc[is_open & (CASES["due_at"] >= "2024-04-30"), "case_id"])
    assert found.table["probability"].is_monotonic_decreasing
    assert found.table["team"].iloc[0] == "north"
    assert "team is north" in found.table["reasons"].iloc[0]
    assert found.table["reasons"].notna().all()
    assert any("no proof of a cause" in sentence for sentence in found.sentences)
    assert found.n_at_risk == len(found.table) > 2
    assert found.readable["case_id"].tolist() == found.table["case_id"][:10].tolist()


def test_open_cases_past_their_due_time_are_listed_apart_the_longest_first(answered):
    cases, result, told = answered
    found = open_cases(cases, result, told, seed=0)
    late = CASES[(CASES["resolved_at"] >= "2024-04-30") & (CASES["due_at"] < "2024-04-30")]
    assert found.overdue["case_id"].tolist() == late.sort_values(["due_at", "case_id"])["case_id"].tolist()
    assert found.n_overdue == len(late) > 0
    assert found.overdue["hours_overdue"].is_monotonic_decreasing
    assert not set(found.overdue["case_id"]) & set(found.table["case_id"])
    assert f"{len(late)} open case" in found.sentences[0]


def test_lists_about_too_few_customers_are_not_counted_nor_shown(answered):
    cases, result, told = answered
    found = open_cases(cases, result, told, seed=0, min_cell=len(CUSTOMERS) + 1)
    assert (found.n_at_risk, found.n_overdue) == (None, None)
    assert found.readable.empty
    assert found.readable_overdue.empty
    assert set(found.table["team"]) == {NOT_SHOWN}
    assert not any(str(len(found.table)) in sentence for sentence in found.sentences)


def test_one_list_of_few_customers_hides_the_count_of_the_other(answered):
    """How many cases are open is told by the measures: the two counts would add up to it."""
    cases, result, explanation = answered
    whole = open_cases(cases, result, explanation, seed=0)
    few, many = sorted([whole.table["customer_id"].nunique(), whole.overdue["customer_id"].nunique()])
    assert 0 < few < many
    found = open_cases(cases, result, explanation, seed=0, min_cell=few + 1)
    assert (found.n_at_risk, found.n_overdue) == (None, None)
    assert found.readable.empty
    assert found.readable_overdue.empty


def test_a_model_of_no_use_is_not_asked_for_an_order(answered):
    cases, result, told = answered
    useless = replace(result, measures=result.measures.assign(low=-1.0))
    found = open_cases(cases, useless, told, seed=0)
    assert found.table["due_at"].is_monotonic_increasing
    assert found.table["reasons"].isna().all()
    assert "of no use" in found.sentences[-1]


def test_only_the_riskiest_get_reasons_and_these_do_not_change(answered):
    cases, result, told = answered
    some, every = (open_cases(cases, result, told, most_with_reasons=most, seed=0).table for most in (2, 200))
    assert some["reasons"].notna().tolist() == [True, True] + [False] * (len(every) - 2)
    pd.testing.assert_frame_equal(some.drop(columns="reasons"), every.drop(columns="reasons"))
    assert some["reasons"][:2].tolist() == every["reasons"][:2].tolist()


def test_attributes_that_go_together_are_one_reason(answered):
    cases, result, told = answered
    groups = pd.DataFrame({"group": ["team and channel"], "members": ["team, channel"]})
    paired = replace(told, drivers=replace(told.drivers, groups=groups))
    reasons = open_cases(cases, result, paired, seed=0).table["reasons"]
    assert reasons.str.contains("team is north, channel is ").any()
    assert not reasons.str.contains(r"team is north \(").any()


def test_where_no_case_is_open_both_lists_are_empty_and_it_is_said(answered):
    cases, result, told = answered
    closed = replace(cases, outcomes=cases.outcomes.assign(is_open=False), courses=cases.courses.assign(is_open=False))
    found = open_cases(closed, result, told, seed=0)
    assert found.table.empty
    assert found.overdue.empty
    assert "reasons" in found.table
    assert found.sentences == ("No open case can still miss the target.",)


def test_results_have_the_names_others_rely_on_and_hide_what_is_about_few(answered):
    cases, result, told = answered
    state = service_measures(cases.courses, as_of=AS_OF, n_customers=cases.n_customers, seed=0)
    at_risk = open_cases(cases, result, told, seed=0, most_with_reasons=1)
    results = recorded_results(state, result, at_risk)
    assert list(results) == [
        "outcome",
        "model",
        "base_rate",
        "auc",
        "rival_auc",
        "average_precision",
        "brier",
        "calibration_error",
        "sla_attainment",
        "n_open_at_risk",
        "n_open_overdue",
        "review_recall",
    ]
    assert results["n_open_at_risk"] == len(at_risk.table)
    assert results["n_open_overdue"] == len(at_risk.overdue)
    assert results["sla_attainment"] == pytest.approx(1 - cases.missed.dropna().astype(float).mean())
    assert results["base_rate"] == pytest.approx(cases.split.holdout["sla_missed"].mean())
    assert results["auc"] > results["rival_auc"]
    hidden = recorded_results(state, result, replace(at_risk, n_at_risk=None, n_overdue=None))
    assert hidden["n_open_at_risk"] is hidden["n_open_overdue"] is None


def test_shares_of_private_data_do_not_tell_what_they_were_divided_by(answered):
    cases, result, told = answered
    found = open_cases(cases, result, told, seed=0, min_cell=2)
    assert (found.table["probability"] == found.table["probability"].round(2)).all()
    assert not (open_cases(cases, result, told, seed=0).table["probability"] == found.table["probability"]).all()
    state = service_measures(cases.courses, as_of=AS_OF, seed=0, min_cell=2)
    numbers = state.by_group.select_dtypes("number")
    pd.testing.assert_frame_equal(numbers, numbers.round(2))
    results = recorded_results(state, result, found)
    assert results["base_rate"] == round(result.base_rate, 2) != result.base_rate
