"""Planted drivers come first, irrelevant ones do not, none hides behind another, and directions are as planted."""

import datetime as dt
from functools import cache

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.evaluation import wilson_interval
from crm_analysis.models.service_quality.encoding import attributes_of, model_inputs
from crm_analysis.models.service_quality.explanation.associations import attribute_groups
from crm_analysis.models.service_quality.explanation.directions import case_directions
from crm_analysis.models.service_quality.explanation.drivers import case_drivers, rates_by_level
from crm_analysis.models.service_quality.prediction.classifiers import fitted
from crm_analysis.tables.demo_cases import TARGET_HOURS, synthetic_service_cases
from crm_analysis.tables.demo_truth import TRUTH
from tests.models.service_quality.plain_cases import plain_features

END = dt.date(2017, 12, 31)
CAUSES = {"team", "category", "channel"}


@cache
def study(seed):
    """Return what a forest says of a case, and the later cases it has not learnt from."""
    rng = np.random.default_rng(seed)
    customer = np.repeat([f"H{number:04d}" for number in range(1200)], 52)
    day = pd.Timestamp("2017-01-01") + pd.to_timedelta(rng.integers(0, 365, len(customer)), unit="D")
    cases = synthetic_service_cases(pd.DataFrame({"customer_id": customer, "day": day}), seed=seed, end=END)
    known = cases[cases["due_at"] < pd.Timestamp(END) + pd.Timedelta(days=1)]
    table = known[["case_id", "customer_id", "opened_at", "team", "channel", "category", "priority"]].assign(
        opened_weekday=known["opened_at"].dt.day_of_week + 1,
        opened_hour=known["opened_at"].dt.hour,
        target_hours=known["priority"].map(TARGET_HOURS).astype(float),
        earlier_cases=known.groupby("customer_id").cumcount(),
        sla_missed=(~(known["resolved_at"] <= known["due_at"])).astype("int64"),
    )
    size = int(0.7 * len(table))
    forest = fitted("random_forest", table[:size], outcome="sla_missed", max_tree_depth=4, n_trees=40, seed=seed)
    return (lambda rows: forest.predict_proba(model_inputs(rows))[:, 1]), table[size:].reset_index(drop=True)


@cache
def drivers(seed):
    return case_drivers(*study(seed), outcome="sla_missed", seed=seed)


def small_cases(n_cases=600, *, seed=0):
    rng = np.random.default_rng(seed)
    priority = rng.choice(["high", "low"], n_cases)
    return pd.DataFrame(
        {
            "case_id": [f"c{number:04d}" for number in range(n_cases)],
            "customer_id": rng.integers(0, n_cases // 3, n_cases).astype(str),
            "opened_at": pd.date_range("2024-01-01", periods=n_cases, freq="4h"),
            "team": rng.choice(["north", "south", "east"], n_cases, p=[0.5, 0.3, 0.2]),
            "priority": priority,
            "opened_hour": rng.integers(0, 24, n_cases),
            "target_hours": np.where(priority == "high", 8.0, 48.0),
            "sla_missed": (rng.random(n_cases) < np.where(priority == "high", 0.7, 0.2)).astype("int64"),
        }
    )


def by_priority(rows):
    """Lean on two attributes that say the same, half on each."""
    both = (rows["priority"] == "high") * 0.25 + (rows["target_hours"] < 24) * 0.25
    return 0.2 + both.to_numpy()


# Drivers


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_drivers_come_first_and_irrelevant_ones_do_not(seed):
    # twenty seeds are in benchmarks/service_effects.py
    alone = drivers(seed).alone.set_index("attribute")
    irrelevant = [name for name in TRUTH.irrelevant if name in alone.index]
    assert set(alone.index[:3]) == CAUSES
    assert alone.index[0] == "category"  # the widest planted differences
    assert (alone["reading"][list(CAUSES)] == "carries").all()
    assert alone["importance"]["opened_weekday"] > alone["importance"][irrelevant].max()
    assert len(irrelevant) == 4
    assert alone["importance"][irrelevant].max() < 0.1 * alone["importance"][list(CAUSES)].min()


def test_attributes_that_go_together_are_shuffled_together_and_alone():
    found = case_drivers(by_priority, small_cases(), outcome="sla_missed", seed=0)
    groups, alone = found.groups.set_index("group"), found.alone.set_index("attribute")
    pair = groups.loc["priority and hours to the due time"]
    assert pair["members"] == "priority, target_hours"
    assert pair["importance"] > 1.5 * alone["importance"][["priority", "target_hours"]].max()
    assert set(groups.index) == {"priority and hours to the due time", "team", "hour of the opening"}
    assert set(alone.index) == {"priority", "target_hours", "team", "opened_hour"}
    assert found.parts["priority and hours to the due time"] == ["priority", "target_hours"]
    assert pair["low"] < pair["importance"] < pair["high"]
    assert found.sentences[0].startswith(
        "What the probabilities lean on most: priority (with hours to the due time). Shuffling it among"
    )
    assert "not proof of a cause" in found.sentences[-1]


def test_importance_is_the_increase_of_the_mean_log_loss():
    cases = small_cases(4000)
    found = case_drivers(
        lambda rows: np.where(rows["priority"] == "high", 0.7, 0.2), cases, outcome="sla_missed", seed=0
    )
    high, rate = (cases["priority"] == "high").mean(), np.array([0.7, 0.2])
    chance = np.array([high, 1 - high])
    loss = -(chance * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))).sum()
    shuffled = -sum(
        chance[a] * chance[b] * (rate[a] * np.log(rate[b]) + (1 - rate[a]) * np.log(1 - rate[b]))
        for a in (0, 1)
        for b in (0, 1)
    )
    row = found.alone.set_index("attribute").loc["priority"]
    assert row["importance"] == pytest.approx(shuffled - loss, rel=0.15)
    assert row["share"] == pytest.approx(row["importance"] / loss, rel=0.1)


def test_an_attribute_that_misleads_is_marked_and_said():
    found = case_drivers(
        lambda rows: np.where(rows["priority"] == "high", 0.2, 0.7), small_cases(), outcome="sla_missed", seed=0
    )
    assert found.alone.set_index("attribute")["reading"]["priority"] == "better without"
    assert "better without priority and hours to the due time" in found.sentences[1]
    assert found.sentences[0].startswith("Nothing known at the opening")


def test_too_few_customers_get_no_figures():
    few = small_cases().assign(customer_id=lambda cases: cases["customer_id"].astype(int) % 12)
    found = case_drivers(by_priority, few, outcome="sla_missed", seed=0)
    assert set(found.alone["reading"]) == {"too few customers"}
    assert found.groups[["importance", "low", "high", "share"]].isna().to_numpy().all()
    assert "too few customers" in found.sentences[0]
    assert set(
        case_drivers(by_priority, small_cases(), outcome="sla_missed", seed=0, min_cell=500).alone["reading"]
    ) == {"too few customers"}


def test_cases_of_one_customer_widen_the_interval():
    cases = small_cases()
    twins = pd.concat([cases.assign(case_id=cases["case_id"] + tag) for tag in "abc"], ignore_index=True)
    apart = twins.assign(customer_id=twins["case_id"])
    widths = [
        (found["high"] - found["low"])["priority"]
        for found in (
            case_drivers(by_priority, table, outcome="sla_missed", seed=0).alone.set_index("attribute")
            for table in (twins, apart)
        )
    ]
    assert widths[0] > 1.3 * widths[1]


@pytest.mark.parametrize("change", ["rows", "names", "columns"])
def test_neither_order_nor_names_matter(change):
    cases = small_cases()
    told = case_drivers(by_priority, cases, outcome="sla_missed", seed=0)
    if change == "rows":
        cases = cases.sample(frac=1, random_state=0)
    elif change == "names":
        cases = cases.assign(customer_id="z" + cases["customer_id"], case_id=cases["case_id"].str[::-1])
    else:
        cases = cases[cases.columns[::-1]]
    again = case_drivers(by_priority, cases, outcome="sla_missed", seed=0)
    pd.testing.assert_frame_equal(told.alone, again.alone)
    pd.testing.assert_frame_equal(told.groups, again.groups)


def test_rows_alike_but_of_other_customers_do_not_make_the_order_matter():
    cases = small_cases()[["case_id", "customer_id", "priority", "sla_missed"]]  # four kinds of rows only
    told, again = (
        case_drivers(lambda rows: np.where(rows["priority"] == "high", 0.6, 0.3), table, outcome="sla_missed", seed=0)
        for table in (cases, cases.sample(frac=1, random_state=0))
    )
    pd.testing.assert_frame_equal(told.alone, again.alone)


def test_of_many_cases_some_are_drawn(monkeypatch):
    monkeypatch.setattr("crm_analysis.models.service_quality.explanation.drivers.MAX_ROWS", 100)
    asked = []

    def predict(rows):
        asked.append(len(rows))
        return by_priority(rows)

    found = case_drivers(predict, small_cases(), outcome="sla_missed", seed=0)
    assert found.groups["group"].iloc[0] == "priority and hours to the due time"
    assert max(asked) < 600
    assert min(asked) == 100


def test_an_attribute_that_never_varies_has_no_row():
    found = case_drivers(by_priority, small_cases().assign(team="north"), outcome="sla_missed", seed=0)
    assert set(found.alone["attribute"]) == {"priority", "target_hours", "opened_hour"}


# Rates by level


def test_wilson_intervals_by_hand():
    low, high = wilson_interval(pd.Series([0.0, 0.5]), pd.Series([10, 10]))
    assert low.round(3).tolist() == [0.0, 0.237]
    assert high.round(3).tolist() == [0.278, 0.763]


def test_small_levels_are_not_shown_on_their_own():
    cases = pd.DataFrame({"team": ["a"] * 10 + ["b"] * 3 + ["c"] * 4 + ["d"] * 8, "sla_missed": [1, 0, 0, 0, 0] * 5})
    cases["customer_id"] = cases.index.astype("str")
    levels = rates_by_level(cases, outcome="sla_missed", attributes=["team"]).set_index("level")["n_cases"]
    assert levels.to_dict() == {"a": 10, "other": 7, "d": 8}
    alone = rates_by_level(cases[cases["team"] != "c"], outcome="sla_missed", attributes=["team"])
    assert set(alone["level"]) == {"a", "d"}


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


def test_ranges_of_numbers_cover_every_case():
    cases = plain_features().assign(sla_missed=0)
    levels = rates_by_level(cases, outcome="sla_missed", attributes=attributes_of(cases).numbers)
    covered = levels.groupby("attribute")["n_cases"].sum()
    assert (covered > 0.99 * len(cases)).all()
    assert "none" in set(levels.loc[levels["attribute"] == "days_since_last_case", "level"])
    weekdays = levels.loc[levels["attribute"] == "opened_weekday", "level"].tolist()
    assert weekdays[0] == "Monday"
    assert weekdays[-1] == "Sunday"


# What goes together


def test_associations_are_found_between_numbers_levels_and_both():
    rng = np.random.default_rng(0)
    team = rng.choice(["a", "b", "c"], 500)
    size = pd.Series(team).map({"a": 1.0, "b": 9.0, "c": 4.0}) + rng.normal(scale=0.3, size=500)
    cases = pd.DataFrame(
        {
            "team": team,
            "desk": pd.Series(team).str.upper(),
            "size": size,
            "cube": -(size**3),
            "noise": rng.normal(size=500),
        }
    )
    assert list(attribute_groups(cases, list(cases)).values()) == [["team", "desk", "size", "cube"], ["noise"]]
    assert list(attribute_groups(cases[["noise", "team"]], ["noise", "team"]).values()) == [["noise"], ["team"]]


def test_thousands_of_levels_do_not_go_with_everything_by_chance():
    rng = np.random.default_rng(0)
    cases = pd.DataFrame(
        {
            "category": rng.integers(0, 400, 1000).astype(str),
            "team": rng.choice(["a", "b", "c"], 1000),
            "each": np.arange(1000).astype(str),
            "number": rng.normal(size=1000),
            "flat": 1.0,
            "empty": np.nan,
            "endless": np.where(rng.random(1000) < 0.1, np.inf, rng.normal(size=1000)),
            "flag": pd.array(rng.choice([True, False, None], 1000), dtype="boolean"),
        }
    )
    assert all(len(members) == 1 for members in attribute_groups(cases, list(cases)).values())
    assert attribute_groups(cases.head(1), ["team", "number"]) == {"team": ["team"], "number": ["number"]}


# Directions


def test_the_direction_of_planted_levels_is_right():
    predict, holdout = study(0)
    found = case_directions(predict, holdout, outcome="sla_missed", attributes=["team", "category", "opened_weekday"])
    for name, planted in (("category", TRUTH.missed_by_category), ("team", TRUTH.missed_by_team)):
        told = found.curves[found.curves["attribute"] == name].set_index("level")["change"]
        expected = pd.Series(dict(planted)).drop("Pilot desk", errors="ignore")
        told = told[expected.index]
        assert np.corrcoef(told, expected)[0, 1] > 0.9
        assert told.idxmax() == expected.idxmax()
    days = found.curves[found.curves["attribute"] == "opened_weekday"].set_index("level")["probability"]
    assert days[["Saturday", "Sunday"]].min() > days[["Monday", "Tuesday", "Wednesday", "Thursday"]].max()
    assert "highest where the team is Partner desk" in found.sentences[0]
    assert "association, not proof of a cause" in found.sentences[-1]


def test_changes_of_levels_are_against_the_mix_of_all():
    cases = small_cases()
    gap = {"north": 0.3, "south": 0.1, "east": 0.0}
    found = case_directions(lambda rows: 0.2 + rows["team"].map(gap), cases, outcome="sla_missed", attributes=["team"])
    told = found.curves.set_index("level")
    mean = cases["team"].map(gap).mean()
    for level, size in gap.items():
        assert told["change"][level] == pytest.approx(size - mean)
        assert told["n_cases"][level] == (cases["team"] == level).sum()
        assert told["customers"][level] == cases.loc[cases["team"] == level, "customer_id"].nunique()


def test_a_number_rises_falls_or_does_nothing():
    cases = small_cases()
    sentences = {
        slope: case_directions(
            lambda rows, slope=slope: 0.4 + slope * rows["opened_hour"],
            cases,
            outcome="sla_missed",
            attributes=["opened_hour"],
        ).sentences[0]
        for slope in (0.01, -0.01, 0.0)
    }
    assert "rises with “hour of the opening”: 4" in sentences[0.01]
    assert "falls with “hour of the opening”" in sentences[-0.01]
    assert "hardly changes" in sentences[0.0]


def test_points_of_few_customers_are_left_out():
    cases = small_cases()
    cases.loc[cases["team"] == "east", "customer_id"] = "one"
    found = case_directions(by_priority, cases, outcome="sla_missed", attributes=["team", "opened_hour"], min_cell=5)
    assert found.curves.loc[found.curves["attribute"] == "team", "level"].tolist() in (["north"], ["south"])
    assert (found.curves["customers"] >= 5).all()
    assert "fewer than 5 customers" in found.notes[0]
    assert "is not told" in found.sentences[0]
    in_full = case_directions(by_priority, cases, outcome="sla_missed", attributes=["team"])
    assert len(in_full.curves) == 3
    assert in_full.notes == ()


def test_missing_levels_constants_and_many_levels_are_sensible():
    cases = small_cases().assign(flat=1.0, empty=np.nan)
    cases["team"] = cases["team"].where(cases["team"] != "east")
    cases["category"] = [f"kind {number % 40}" for number in range(600)]

    def predict(rows):
        return 0.2 + 0.3 * rows["team"].isna()

    found = case_directions(predict, cases, outcome="sla_missed", attributes=["team", "category", "flat", "empty"])
    teams = found.curves[found.curves["attribute"] == "team"].set_index("level")["change"]
    assert teams["not given"] == pytest.approx(0.3 * (1 - cases["team"].isna().mean()))
    assert (found.curves["attribute"] == "category").sum() == 8
    assert sum("is not told" in sentence for sentence in found.sentences) == 2
    assert case_directions(predict, cases, outcome="sla_missed", attributes=[]).curves.empty
    with pytest.raises(ValueError, match=r"columns of the cases, got \['absent'\]"):
        case_directions(predict, cases, outcome="sla_missed", attributes=["absent"])


def test_directions_are_blind_to_order():
    cases = small_cases()
    told, again = (
        case_directions(by_priority, table, outcome="sla_missed", attributes=["team", "opened_hour"])
        for table in (cases, cases.sample(frac=1, random_state=0))
    )
    pd.testing.assert_frame_equal(told.curves, again.curves)
