"""Who answers is told, and what they say is weighted for it as far as it can be."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError
from crm_analysis.models.service_quality.measures.answers import answer_study
from crm_analysis.models.service_quality.measures.case_table import checked_cases
from tests.models.service_quality.measures.made_cases import AS_OF, random_table, table

RAW, WEIGHTED, BEST, WORST = range(4)


def study(courses, **options):
    return answer_study(checked_cases(courses, as_of=AS_OF), **options)


def answered_by_target(seed, n=6000):
    """Return cases whose customers answer more often after a missed target, whatever they think; and the true share."""
    draws = np.random.default_rng(seed)
    missed = draws.random(n) < 0.3
    low = draws.random(n) < np.where(missed, 0.6, 0.1)
    answered = draws.random(n) < np.where(missed, 0.6, 0.15)
    marks = pd.Series(np.where(low, 1, 5), dtype="Int64").where(answered)
    return table(resolution_hours=draws.exponential(20, n), sla_missed=missed, satisfaction=marks), low.mean()


def test_weights_recover_the_share_where_the_cause_of_answering_is_known():
    held, distances = 0, []
    for seed in range(8):
        courses, truth = answered_by_target(seed)
        shares = study(courses).low_share
        raw, weighted = shares["share"].iloc[[RAW, WEIGHTED]]
        assert raw > truth + 0.08
        held += shares["low"].iloc[WEIGHTED] <= truth <= shares["high"].iloc[WEIGHTED]
        distances.append(weighted - truth)
    assert abs(np.mean(distances)) < 0.01
    assert held >= 7


def test_bounds_by_pencil():
    marks = pd.Series([1, 2, 5, 4] + [None] * 6, dtype="Int64")
    result = study(table(satisfaction=marks))
    assert result.low_share["share"].iloc[RAW] == 0.5
    assert np.isnan(result.low_share["share"].iloc[WEIGHTED])
    assert result.low_share["share"].iloc[[BEST, WORST]].tolist() == [0.2, 0.8]
    assert (result.n_resolved, result.n_answers, result.response_rate) == (10, 4, 0.4)
    assert "not reweighted" in result.notes[0]


def test_open_cases_have_not_been_asked():
    marks = pd.Series([1, 5, None, None], dtype="Int64")
    assert study(table(satisfaction=marks, resolution_hours=[1.0, 2.0, 3.0, None])).n_resolved == 3


def test_rates_and_differences_by_pencil():
    courses = table(team=["a"] * 4 + ["b"] * 6, satisfaction=pd.Series([5, 4, 3, None, 1] + [None] * 5, dtype="Int64"))
    result = study(courses)
    rates = result.rates.set_index(["attribute", "level"])
    assert rates.loc[("team", "a"), "response_rate"] == 0.75
    assert rates.loc[("team", "b"), ["resolved_cases", "response_rate"]].tolist() == pytest.approx([6, 1 / 6])
    row = result.differences.set_index(["attribute", "level"]).loc[("team", "a")]
    assert row[["share_answered", "share_silent", "difference"]].tolist() == pytest.approx(
        [3 / 4, 1 / 6, 3 / 4 - 1 / 6]
    )


def test_intervals_of_differences_are_those_of_two_shares():
    row = study(answered_by_target(1)[0]).differences.set_index(["attribute", "level"]).loc[("target", "missed")]
    error = (row["high"] - row["low"]) / 2 / 1.96
    n_answered = 6000 * (0.3 * 0.6 + 0.7 * 0.15)
    expected = np.sqrt(
        row["share_answered"] * (1 - row["share_answered"]) / n_answered
        + row["share_silent"] * (1 - row["share_silent"]) / (6000 - n_answered)
    )
    assert error == pytest.approx(expected, rel=0.03)


def test_rows_in_another_order_and_other_names_say_the_same():
    courses = random_table(800)
    renamed = courses.assign(customer_id="x" + courses["customer_id"].str[::-1]).sample(frac=1, random_state=3)
    one, other = study(courses), study(renamed)
    pd.testing.assert_frame_equal(one.rates, other.rates)
    pd.testing.assert_frame_equal(one.differences, other.differences)
    np.testing.assert_allclose(one.low_share, other.low_share, rtol=1e-5)


def test_few_customers_are_not_told():
    courses = random_table(800)
    courses.loc[courses["team"] == "小組", "customer_id"] = "k00001"
    rates = study(courses, min_cell=5).rates.set_index(["attribute", "level"])
    assert pd.isna(rates.loc[("team", "小組"), "response_rate"])
    result = study(table(satisfaction=pd.Series([1, 5] + [None] * 30, dtype="Int64")), min_cell=5)
    assert result.n_answers is None
    assert result.low_share["share"].isna().all()


def test_no_answer_at_all_is_said():
    with pytest.raises(DataQualityError, match="None of 3 service cases has a satisfaction"):
        study(table(resolution_hours=[1.0, 2.0, 3.0]))


def test_everybody_answers_the_same():
    result = study(table(satisfaction=pd.Series([5] * 40, dtype="Int64")))
    assert result.response_rate == 1
    assert result.low_share["share"].iloc[RAW] == 0


def test_numbers_of_resolved_cases_do_not_tell_of_few_open_ones():
    hours = [None if at in {0, 60} else 5.0 for at in range(120)]
    marks = pd.Series([None if at % 3 else 5 for at in range(120)], dtype="Int64").mask(pd.isna(pd.Series(hours)))
    courses = table(team=["a"] * 60 + ["b"] * 60, resolution_hours=hours, satisfaction=marks)
    rates = study(courses, min_cell=5).rates.query("attribute == 'team'")
    assert rates["resolved_cases"].isna().all()
    assert rates["response_rate"].notna().all()
