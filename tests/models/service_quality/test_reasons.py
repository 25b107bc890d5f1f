"""Reasons add up to the probability, name what raises it, and do not depend on order or names."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.service_quality.explanation.reasons import NO_REASON, case_reasons

EFFECTS = {"team": {"north": 0.3, "south": 0.0}, "channel": {"phone": 0.1, "chat": 0.0}}


def case_table(n_cases=300, *, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "case_id": [f"c{number:04d}" for number in range(n_cases)],
            "customer_id": rng.integers(0, 90, n_cases).astype(str),
            "opened_at": pd.date_range("2024-01-01", periods=n_cases, freq="3h"),
            "team": rng.choice(["north", "south"], n_cases),
            "channel": rng.choice(["phone", "chat"], n_cases),
            "priority": rng.choice(["high", "low", None], n_cases),
            "opened_weekday": rng.integers(1, 8, n_cases),
            "target_hours": rng.choice([8.0, 24.0, np.nan], n_cases),
        }
    )


def additive(rows):
    return 0.2 + rows["team"].map(EFFECTS["team"]) + rows["channel"].map(EFFECTS["channel"])


def entangled(rows):
    late = (rows["team"] == "north") & (rows["opened_weekday"] >= 6)
    return 0.1 + 0.5 * late + 0.2 * (rows["channel"] == "phone") * (rows["target_hours"] < 10)


def asked(predict, cases, past, **changed):
    return case_reasons(predict, cases, past=past, outcome="sla_missed", **{"seed": 0, **changed})


def test_contributions_add_up_to_the_probability_less_the_mean():
    cases, past = case_table(40, seed=1), case_table()
    for predict in (additive, entangled):
        found = asked(predict, cases, past)
        total = found.contributions.sum(axis=1) + found.mean
        np.testing.assert_allclose(total, predict(cases), atol=1e-12)
        np.testing.assert_allclose(found.reasons["probability"], predict(cases))


def test_an_additive_model_gets_its_own_terms_exactly():
    cases, past = case_table(40, seed=1), case_table()
    found = asked(additive, cases, past, n_background=300)
    for name, levels in EFFECTS.items():
        expected = cases[name].map(levels) - past[name].map(levels).mean()
        np.testing.assert_allclose(found.contributions[name], expected, atol=1e-12)
    assert found.contributions[["priority", "opened_weekday", "target_hours"]].abs().to_numpy().max() < 1e-12


def test_sampled_values_come_near_the_exact_ones():
    cases, past = case_table(6, seed=1), case_table(60)
    names = ["team", "channel", "priority", "opened_weekday", "target_hours"]
    found = asked(entangled, cases, past, n_background=60).contributions

    def worth(coalition):
        filled = past.loc[past.index.repeat(len(cases))].reset_index(drop=True)
        own = pd.concat([cases] * len(past), ignore_index=True)
        filled[list(coalition)] = own[list(coalition)]
        return entangled(filled).to_numpy().reshape(len(past), len(cases)).mean(axis=0)

    for name in names:
        others, exact = [other for other in names if other != name], np.zeros(len(cases))
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(names) - size - 1) / math.factorial(len(names))
            for coalition in itertools.combinations(others, size):
                exact += weight * (worth((*coalition, name)) - worth(coalition))
        np.testing.assert_allclose(found[name], exact, atol=0.04)


def test_reasons_are_words_largest_first_and_at_most_three():
    cases = case_table(200, seed=1)
    found = asked(additive, cases, case_table())
    both = cases.set_index("case_id").query("team == 'north' and channel == 'phone'").index[0]
    assert found.reasons["reasons"][both].startswith("team is north (+1")
    assert "; channel is phone (+" in found.reasons["reasons"][both]
    neither = cases.set_index("case_id").query("team == 'south' and channel == 'chat'").index[0]
    assert found.reasons["reasons"][neither] == NO_REASON
    assert found.reasons["reasons"].str.count("points").max() == 2
    words = " ".join(asked(entangled, case_table(50, seed=2), case_table()).reasons["reasons"])
    assert "weekday of the opening is S" in words
    assert "hours to the due time 8 (+" in words


def test_attributes_that_go_together_can_be_one_reason():
    cases, past = case_table(50, seed=2), case_table()
    found = asked(entangled, cases, past, groups={"team and day": ["team", "opened_weekday"], "channel": ["channel"]})
    assert list(found.contributions.columns) == ["team and day", "channel", "priority", "target_hours"]
    np.testing.assert_allclose(found.contributions.sum(axis=1) + found.mean, entangled(cases), atol=1e-12)
    assert found.reasons["reasons"].str.contains("team is north, weekday of the opening is S").any()


@pytest.mark.parametrize("change", ["rows", "past", "names"])
def test_neither_order_nor_names_matter(change):
    cases, past = case_table(30, seed=1), case_table()
    told = asked(entangled, cases, past)
    if change == "rows":
        cases = cases.iloc[::-1]
    elif change == "past":
        past = past.sample(frac=1, random_state=0)
    else:
        past = past.assign(customer_id="x", case_id=past["case_id"].str[::-1])
    again = asked(entangled, cases, past)
    pd.testing.assert_frame_equal(told.contributions.sort_index(), again.contributions.sort_index())
    assert told.reasons["reasons"].sort_index().tolist() == again.reasons["reasons"].sort_index().tolist()


def test_missing_values_and_other_scripts_have_words():
    cases = case_table(20, seed=1).assign(team="客服中心", priority=None)

    def predict(rows):
        return 0.2 + 0.3 * (rows["team"] == "客服中心") + 0.2 * rows["priority"].isna()

    found = asked(predict, cases, case_table())
    assert (found.reasons["reasons"].str.startswith("team is 客服中心 (+30 points); priority is not given (+1")).all()


def test_no_cases_no_past_and_nothing_in_common():
    past = case_table()
    empty = asked(additive, past.head(0), past)
    assert empty.reasons.empty
    assert empty.sentences[0] == "There are no cases to give reasons for."
    with pytest.raises(TooFewRecordsError, match="no past cases"):
        asked(additive, past, past.head(0))
    with pytest.raises(ValueError, match="each once"):
        asked(additive, past, past, groups={"a": ["team"], "b": ["team"]})
    with pytest.raises(ValueError, match="no attribute in common"):
        asked(lambda rows: np.zeros(len(rows)), past[["case_id"]], past[["case_id"]])
    one = asked(additive, past.head(1), past.head(1))
    assert one.contributions.abs().to_numpy().max() == 0


def test_sentences_say_what_points_are_measured_against():
    sentences = asked(additive, case_table(50, seed=2), case_table()).sentences
    assert sentences[0].startswith("Points are added to, or taken from, ")
    assert "“team” raises it most" in sentences[1]
    assert "no proof of a cause" in sentences[-1]
    flat = asked(lambda rows: np.full(len(rows), 0.3), case_table(50, seed=2), case_table())
    assert "no attribute raises it by a point" in flat.sentences[1]
    assert set(flat.reasons["reasons"]) == {NO_REASON}


def test_cases_are_asked_about_in_parts_of_bounded_size(monkeypatch):
    cases, past, sizes = case_table(30, seed=1), case_table(), []

    def watched(rows):
        sizes.append(len(rows))
        return entangled(rows)

    told = asked(watched, cases, past)
    monkeypatch.setattr("crm_analysis.models.service_quality.explanation.reasons.ROWS_AT_ONCE", 90)
    sizes.clear()
    again = asked(watched, cases, past)
    assert max(sizes) <= 90
    pd.testing.assert_frame_equal(told.contributions, again.contributions)


def test_reasons_of_private_data_tell_no_number_and_no_rare_level():
    past = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(40)],
            "team": ["north", "south"] * 19 + ["vip", "vip"],
            "earlier_cases": np.arange(40) % 20,
        }
    )
    cases = pd.DataFrame({"case_id": ["c1", "c2"], "team": ["north", "vip"], "earlier_cases": [19, 198]})

    def predict(rows):
        return 0.1 + 0.4 * (rows["team"] != "south") + 0.2 * (rows["earlier_cases"] > 9)

    told = case_reasons(predict, cases, past=past, outcome="sla_missed", seed=0, min_cell=5).reasons["reasons"]
    assert "team is north" in told["c1"]
    assert "vip" not in told["c2"]
    assert told["c2"].startswith("team (+")
    assert "earlier cases of the customer (+" in told["c2"]
    in_full = case_reasons(predict, cases, past=past, outcome="sla_missed", seed=0).reasons["reasons"]
    assert "team is vip" in in_full["c2"]
    assert "earlier cases of the customer 198" in in_full["c2"]
