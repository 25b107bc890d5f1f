"""What is known only after a case has opened is refused, with its reason, its figure and what to do."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.service import case_features, case_outcomes
from crm_analysis.models.service_quality.prediction import split_cases
from crm_analysis.models.service_quality.prediction.leakage import check_leakage, suspicious_name, told_of_leakage
from crm_analysis.tables.datasets import open_dataset
from tests.models.service_quality.plain_cases import missed_by_team, plain_features, plain_outcomes, plain_split

FIRST_DAY = dt.date(2016, 5, 1)


@pytest.fixture(scope="module")
def cases():
    features = plain_features(400)
    truth = pd.Series(
        missed_by_team(features).to_numpy().astype(int), index=pd.Index(features["case_id"], name="case_id")
    )
    return features, truth


def checked(features, truth, **arguments):
    return check_leakage(features, outcome="sla_missed", truth=truth, **arguments)


@pytest.mark.parametrize(
    "name",
    ["made_sla", "madeSLA", "sla_met", "closed_by", "closeCode", "resolved_at_desk", "resolution_notes", "survey_score", "csat",
     "reopen_count", "reassignment_count", "incident_state", "status", "sys_mod_count", "breached"],
)  # fmt: skip
def test_names_that_speak_of_what_comes_later_are_suspicious(name):
    assert suspicious_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "impact",
        "urgency",
        "subcategory",
        "location",
        "sla_target_hours",
        "region_state",
        "product",
        "opened_by",
        "影响",
    ],
)
def test_names_of_what_is_known_at_the_opening_are_not(name):
    assert suspicious_name(name) == ""


@pytest.mark.parametrize(
    "name", ["sla_met", "resolved_at", "satisfaction", "reassignments", "reopens", "first_response_at"]
)
def test_canonical_columns_filled_later_are_refused_whatever_is_said_for_them(cases, name):
    features, truth = cases
    with pytest.raises(DataQualityError, match=f"{name}: it .* known only later"):
        checked(features.assign(**{name: 1}), truth, known_at_opening=[name])


def test_a_name_is_refused_and_a_vouched_one_is_not(cases):
    features, truth = cases
    random = np.random.default_rng(3).choice(["a", "b", "c"], len(features))
    with pytest.raises(DataQualityError, match=r"close_code: its name .*\n.* extra columns.*known_at_opening"):
        checked(features.assign(close_code=random), truth)
    assert checked(features.assign(close_code=random), truth, known_at_opening=["close_code"]).empty


def test_all_faults_are_named_at_once_with_their_figures(cases):
    features, truth = cases
    leaking = features.assign(survey="good", colour=np.where(truth, "red", "blue"), hours=truth.to_numpy() * 9.0 + 1)
    with pytest.raises(DataQualityError, match="3 features are known only after") as caught:
        checked(leaking, truth)
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 3
    assert "colour: alone it tells the outcome almost surely (area under the ROC curve 1.000)" in faults
    assert "hours: alone it tells" in faults
    assert "survey: its name speaks of the customer's answer, and 100.000% of 400 cases have one value" in faults


def test_a_value_that_decides_a_large_part_is_refused(cases):
    features, truth = cases
    decided = np.where((truth == 1) & (np.arange(len(truth)) % 2 == 0), "deep red", "other")
    with pytest.raises(
        DataQualityError, match=r"colour: one of its values, in \d+% of the cases, decides 100\.0% of them"
    ):
        checked(features.assign(colour=decided), truth)


def test_a_column_with_a_value_of_its_own_for_every_case_tells_nothing(cases):
    features, truth = cases
    assert checked(features.assign(reference=features["case_id"] + "x"), truth).empty


def test_what_is_written_while_a_case_is_worked_on_is_refused(cases):
    features, truth = cases
    is_open = pd.Series(np.arange(len(features)) >= 300, index=truth.index)
    is_open.iloc[200:300] = np.arange(100) % 3 == 0
    known = truth[~is_open]
    rng = np.random.default_rng(0)
    filled = pd.Series(rng.choice(["x", "y"], len(features))).mask(is_open.to_numpy())
    with pytest.raises(
        DataQualityError, match="finding: filled in 100% of closed and 0% of open cases of the same days"
    ):
        checked(features.assign(finding=filled), known, is_open=is_open)
    moving = np.where(is_open, "new", rng.choice(["done", "sent", "new"], len(features)))
    with pytest.raises(DataQualityError, match=r"100% of open cases have one value, .* it changes later"):
        checked(features.assign(phase=moving), known, is_open=is_open)
    harmless = features.assign(finding=rng.choice(["x", None], len(features)))
    assert checked(harmless, known, is_open=is_open).empty


def test_constant_columns_and_levels_that_separate_too_well_are_told(cases):
    features, truth = cases
    told = checked(features.assign(site="one", team=np.where(truth, "yes desk", "no desk")), truth)
    assert told[["attribute", "check", "is_refused"]].to_numpy().tolist() == [
        ["team", "separation", False],
        ["site", "constant", False],
    ]
    sentences = told_of_leakage(told)
    assert sentences[0].startswith("Of team: alone it tells the outcome almost surely")
    assert "make sure that it is as of the opening" in sentences[0]
    assert sentences[1] == "Of site: 100.00% of 400 cases have one value: nothing can be learnt from it."


def test_the_split_refuses_and_notes():
    features = plain_features()
    yes = missed_by_team(features)
    with pytest.raises(DataQualityError, match="made_sla: its name speaks of the target"):
        plain_split(features.assign(made_sla=~yes), yes)
    split = plain_split(features.assign(site="one"), yes)
    assert split.leakage["attribute"].tolist() == ["site"]


def test_labels_nearly_all_alike_come_with_a_hint_to_the_last_event():
    features = plain_features()
    outcomes = plain_outcomes(features, np.arange(600) % 300 == 0).assign(due_at=pd.NaT)
    asked = {"outcome": "sla_missed", "training_outcomes": outcomes, "outcomes": outcomes}
    days = {"holdout_from": dt.date(2024, 3, 11), "holdout_to": dt.date(2024, 12, 31)}
    with pytest.raises(
        TooFewRecordsError, match=r"Of 420 .* 99\.524% of them are alike: where sla_met comes from a log of events"
    ):
        split_cases(features, **asked, **days)
    with pytest.raises(TooFewRecordsError, match="Nearly all of them are alike"):
        split_cases(features, **asked, min_cell=2, **days)
    with pytest.raises(
        TooFewRecordsError, match="Check that due_at is the time"
    ):  # where there is one, no log is at fault
        plain_split(features, np.arange(600) % 300 == 0)


@pytest.fixture
def incident_log(root: Path, test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Open a variant of the shipped dataset file in which one text is another."""
    if not (test_data / "incident_event_log.zip").exists():
        pytest.skip("the folder with real data has no incident_event_log.zip")
    monkeypatch.setenv("CRM_DATA", str(test_data))
    shipped = (root / "params/datasets/incident_log.yaml").read_text()

    def variant(*changes):
        written = shipped
        for old, new in changes:
            assert old in written
            written = written.replace(old, new)
        (tmp_path / "incident_log.yaml").write_text(written)
        return open_dataset(str(tmp_path / "incident_log.yaml"))

    return variant


def split_of(dataset, *, extra=()):
    known, before = dataset.known(dt.date(2016, 5, 31)), dataset.known(FIRST_DAY - dt.timedelta(days=1))
    return split_cases(
        case_features(known, extra=extra),
        outcome="sla_missed",
        training_outcomes=case_outcomes(before),
        outcomes=case_outcomes(dataset.known(dataset.last_day)),
        holdout_from=FIRST_DAY,
        holdout_to=dt.date(2016, 5, 31),
    )


def test_the_made_sla_of_the_first_event_is_refused_as_a_feature(incident_log):
    first = "arg_min(urgency, place) AS urgency,"
    dataset = incident_log(
        (first, f"{first} arg_min(made_sla, place) AS first_made_sla,"),
        ("      urgency: urgency\n", "      urgency: urgency\n      made_sla: first_made_sla\n"),
    )
    with pytest.raises(
        DataQualityError, match=r"made_sla: its name speaks of the target, and 9\d\.\d+% of .* before it is decided"
    ):
        split_of(dataset, extra=["made_sla"])


def test_the_made_sla_of_the_first_event_is_refused_as_a_label(incident_log):
    dataset = incident_log(("arg_max(made_sla, place)", "arg_min(made_sla, place)"))
    with pytest.raises(TooFewRecordsError, match=r"alike: where sla_met comes from a log of events, .* last event"):
        split_of(dataset)


def test_of_the_event_log_what_is_known_at_the_opening_is_taken(incident_log):
    split = split_of(incident_log(), extra=["impact", "urgency", "subcategory", "location"])
    assert not split.leakage["is_refused"].any()
    assert split.n_lost == 1_340  # of the cases opened before May; 1,332 of them opened in March and April
    assert 0.3 < split.training["sla_missed"].mean() < 0.5
