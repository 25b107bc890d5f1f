"""Groups that are treated differently are marked, others are not, and small groups are not told of."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.explanation.fairness import (
    DIFFERS,
    MEASURES,
    TOO_FEW,
    WITHIN_CHANCE,
    customer_groups,
    fairness,
    fairness_in_words,
    fairness_table,
)

ASKED = {"outcome": "sla_missed", "review_share": 0.2}


def judged_cases(n_cases=2000, *, seed=0, gap=0.0, per_customer=2):
    """Return cases with probabilities that are right but for a gap in the north, and each case's region."""
    rng = np.random.default_rng(seed)
    region = rng.choice(["north", "south", "west"], n_cases // per_customer).repeat(per_customer)
    probability = rng.beta(2, 5, n_cases)
    missed = rng.random(n_cases) < np.clip(probability + gap * (region == "north"), 0, 1)
    names = {"case_id": [f"c{number:05d}" for number in range(n_cases)], "sla_missed": missed.astype("int64")}
    cases = pd.DataFrame({**names, "customer_id": [f"k{number // per_customer}" for number in range(n_cases)]})
    return cases, pd.Series(probability), pd.Series(region, index=cases["case_id"], name="region")


def of(table, measure):
    return table[table["measure"] == measure].set_index("group")


def test_rates_can_be_checked_with_a_pencil():
    # forty cases of as many customers; the eight most likely are flagged: six of group a, two of group b
    flagged, group = np.arange(40) < 8, np.array(["a"] * 6 + ["b"] * 2 + ["a"] * 14 + ["b"] * 18)
    cases = pd.DataFrame({"case_id": np.arange(40).astype(str), "customer_id": np.arange(40).astype(str)})
    cases["sla_missed"] = [1, 1, 1, 0, 0, 0, 1, 0, *[1] * 2, *[0] * 12, *[1] * 4, *[0] * 14]
    probability = pd.Series(np.where(flagged, 0.9, 0.25))
    table = fairness_table(cases, probability, pd.Series(group, index=cases["case_id"], name="g"), **ASKED)
    outcome, calibration = of(table, "outcome_rate"), of(table, "calibration")
    assert outcome["value"].to_dict() == {"a": 5 / 20, "b": 5 / 20}
    assert calibration["value"]["a"] == pytest.approx(5 / 20 - (6 * 0.9 + 14 * 0.25) / 20)
    assert of(table, "false_positive_rate")["n_cases"].to_dict() == {"a": 15, "b": 15}
    assert set(of(table, "false_positive_rate")["reading"]) == {TOO_FEW}  # fifteen customers each
    more = pd.concat(
        [cases.assign(case_id=cases["case_id"] + tag, customer_id=cases["case_id"] + tag) for tag in "xyzuv"]
    )
    groups = pd.Series(np.tile(group, 5), index=more["case_id"], name="g")
    table = fairness_table(more, pd.Series(np.tile(probability, 5)), groups, **ASKED)
    assert of(table, "false_positive_rate")["value"].to_dict() == {"a": 3 / 15, "b": 1 / 15}
    assert of(table, "false_negative_rate")["value"].to_dict() == {"a": 2 / 5, "b": 4 / 5}
    assert of(table, "false_negative_rate")["difference"]["a"] == pytest.approx(-0.4)


def test_a_group_that_is_treated_differently_is_marked_and_said():
    cases, probability, region = judged_cases(gap=0.2)
    found = fairness(cases, probability, groups=region, **ASKED)
    told = found.table.set_index(["measure", "group"])
    assert told["reading"]["outcome_rate", "north"] == DIFFERS
    assert told["reading"]["calibration", "north"] == DIFFERS
    assert told["difference_low"]["calibration", "north"] < 0.2 < told["difference_high"]["calibration", "north"]
    assert any("region “north”" in sentence and "more often than expected" in sentence for sentence in found.sentences)
    assert "no proof of unfair treatment" in found.sentences[-1]


def test_without_differences_nothing_is_marked_in_nineteen_of_twenty_cases():
    marked = 0
    for seed in range(40):
        cases, probability, region = judged_cases(600, seed=seed)
        marked += (fairness_table(cases, probability, region, **ASKED)["reading"] == DIFFERS).any()
    assert marked <= 6


def test_customers_with_many_cases_widen_the_intervals():
    rng = np.random.default_rng(0)
    widths = []
    for per_customer in (1, 10):
        cases, probability, region = judged_cases(2000, per_customer=per_customer)
        habit = rng.random(2000 // per_customer).repeat(per_customer) < 0.3
        table = fairness_table(cases.assign(sla_missed=habit.astype(int)), probability, region, **ASKED)
        rates = of(table, "outcome_rate")
        widths.append((rates["difference_high"] - rates["difference_low"]).mean())
    assert widths[1] > 2 * widths[0]


def test_of_two_groups_one_is_said_not_its_mirror():
    cases, probability, region = judged_cases(gap=0.2)
    two = region.where(region == "north", "elsewhere")
    sentences = fairness(cases, probability, groups=two, **ASKED).sentences
    assert sum("missed the target, against" in sentence for sentence in sentences) == 1


def test_small_groups_are_hidden_with_another_and_said_so():
    cases, probability, region = judged_cases()
    region.iloc[:6] = "islands"
    found = fairness(cases, probability, groups=region, min_cell=5, **ASKED)
    rates = of(found.table[found.table["attribute"] == "region"], "outcome_rate")
    assert rates["n_cases"].isna().sum() == 2
    assert rates.loc["islands", ["n_cases", "customers", "value", "difference"]].isna().all()
    assert rates["reading"]["islands"] == TOO_FEW
    assert "fewer than 5 customers" in found.notes[0]
    in_full = fairness(cases, probability, groups=region, **ASKED)
    assert of(in_full.table, "outcome_rate")["n_cases"]["islands"] == 6
    assert in_full.notes == ()


def test_a_group_with_few_customers_of_one_outcome_is_hidden_in_every_measure():
    cases, probability, region = judged_cases()
    north = (region == "north").to_numpy()
    cases.loc[north, "sla_missed"] = 0
    cases.loc[np.flatnonzero(north)[:3], "sla_missed"] = 1  # of two customers
    table = fairness_table(cases, probability, region, min_cell=5, **ASKED).set_index("group")
    assert table.loc["north", ["n_cases", "value", "rest"]].isna().to_numpy().all()
    assert table["n_cases"].isna().groupby(table["measure"]).sum().ge(2).all()


def test_groups_are_made_of_features_where_they_are_known():
    cases, probability, _ = judged_cases(300)
    assert customer_groups(cases).empty
    cases = cases.assign(
        earlier_cases=np.arange(300) % 2, spend_before=np.r_[np.zeros(60), np.nan, np.arange(239.0) + 1]
    )
    groups = customer_groups(cases)
    assert groups["contact"].value_counts().to_dict() == {"first case": 150, "earlier cases": 150}
    assert groups["spend"].value_counts().sort_index().to_dict() == {
        "lower third": 80, "middle third": 79, "none before": 61, "upper third": 80
    }  # fmt: skip
    assert set(customer_groups(cases.assign(spend_before=7.0))["spend"]) == {"middle third"}
    assert set(fairness(cases, probability, **ASKED).table["attribute"]) == {"contact", "spend"}


def test_ties_on_the_threshold_count_in_part():
    cases, _, region = judged_cases(400)
    table = fairness_table(cases, pd.Series(np.full(400, 0.3)), region, **ASKED)
    assert of(table, "false_positive_rate")["value"].tolist() == pytest.approx([0.2] * 3)
    assert set(of(table, "false_positive_rate")["reading"]) == {WITHIN_CHANCE}


@pytest.mark.parametrize("change", ["rows", "names", "groups"])
def test_neither_order_nor_names_matter(change):
    cases, probability, region = judged_cases(gap=0.1)
    told = fairness_table(cases, probability, region, **ASKED)
    if change == "rows":
        order = np.random.default_rng(0).permutation(len(cases))
        cases, probability = cases.iloc[order], probability.iloc[order]
    elif change == "names":
        cases = cases.assign(customer_id="z" + cases["customer_id"].str[::-1])
    else:
        region = region.iloc[::-1]
    pd.testing.assert_frame_equal(told, fairness_table(cases, probability, region, **ASKED))


def test_one_group_missing_groups_and_one_outcome_are_sensible():
    cases, probability, region = judged_cases(400)
    alone = fairness(cases, probability, groups=region.map(lambda _: "south"), **ASKED)
    assert set(alone.table["reading"]) == {TOO_FEW}
    assert "is not told" in alone.sentences[0]
    assert "is not told" in fairness(cases, probability, **ASKED).sentences[0]
    gaps = fairness_table(cases, probability, region.where(region != "west"), **ASKED)
    assert "not given" in set(gaps["group"])
    never = fairness_table(cases.assign(sla_missed=0), probability, region, **ASKED)
    assert of(never, "outcome_rate")["value"].tolist() == [0, 0, 0]
    assert (of(never, "outcome_rate")["high"] > 0).all()
    assert of(never, "false_negative_rate")["value"].isna().all()
    many = fairness_table(cases, probability, pd.Series(cases["case_id"].to_numpy(), index=cases["case_id"]), **ASKED)
    assert len(many) == 12 * len(MEASURES)


def test_the_table_for_people_has_a_row_a_group_and_stars_what_differs():
    cases, probability, region = judged_cases(gap=0.3)
    found = fairness(cases, probability, groups=region, **ASKED)
    shown = found.readable
    assert list(shown) == list(MEASURES.values())
    assert set(shown.index) == {("region", "north"), ("region", "south"), ("region", "west")}
    rate = of(found.table, "outcome_rate").loc["north"]
    cell = shown.loc[("region", "north"), MEASURES["outcome_rate"]]
    assert cell == f"{100 * rate['value']:.0f} ({100 * rate['low']:.0f} to {100 * rate['high']:.0f})*"
    stars = [value.endswith("*") for value in shown.to_numpy().ravel()]
    assert sum(stars) == (found.table["reading"] == DIFFERS).sum()
    few = region.where(region != "west").mask(np.arange(len(region)) < 8, "islands")
    assert "islands" not in fairness(cases, probability, groups=few, **ASKED).readable.index.get_level_values("group")


def test_where_no_group_has_figures_the_table_for_people_is_empty():
    cases, probability, region = judged_cases(400)
    assert fairness(cases, probability, groups=region.map(lambda _: "south"), **ASKED).readable.empty
    assert fairness(cases, probability, **ASKED).readable.empty


def test_wrong_questions_are_refused():
    cases, probability, region = judged_cases(400)
    with pytest.raises(ValueError, match="review_share"):
        fairness_table(cases, probability, region, outcome="sla_missed", review_share=0)
    with pytest.raises(ValueError, match="400 finite numbers"):
        fairness_table(cases, probability[:-1], region, **ASKED)
    with pytest.raises(ValueError, match="one row a case_id"):
        fairness_table(cases, probability, pd.concat([region, region]), **ASKED)
    assert fairness_in_words(fairness_table(cases, probability, region, **ASKED)[:0], outcome="sla_missed")
