"""All measures in one result: right by pencil, for any table, and about nobody in particular."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, EmptyTableError, SourceSchemaError, TooFewRecordsError
from crm_analysis.models.service_quality.measures import service_measures
from crm_analysis.models.service_quality.measures.case_table import checked_cases, outcome_flags
from crm_analysis.models.service_quality.measures.groups import MOST_GROUPS
from tests.models.service_quality.measures.made_cases import AS_OF, random_table, table


def measure(courses, **options):
    return service_measures(courses, **{"as_of": AS_OF, "seed": 0} | options)


@pytest.fixture(scope="module")
def courses():
    return random_table(2500)


@pytest.fixture(scope="module")
def result(courses):
    return measure(courses, n_customers=700)


def test_shares_by_pencil():
    made = table(
        resolution_hours=[1.0, 2.0, 3.0, 4.0, None, None],
        sla_missed=[False, True, False, False, True, pd.NA],  # an open case past its due time has missed it
        satisfaction=[1, 3, 5, pd.NA, pd.NA, pd.NA],
        reopens=[0, 1, 2, 0, pd.NA, pd.NA],
        reassignments=[0, 0, 0, 4, pd.NA, pd.NA],
        first_response_hours=[0.5, 0.5, 1.0, 2.0, 30.0, np.nan],
        team=["a"] * 6,
        customer_id=["k1", "k1", "k2", "k3", "k4", "k5"],
    )
    row = measure(made, n_customers=10).overall.iloc[0]
    expected = {
        "cases": 6,
        "customers": 5,
        "sla_attainment": 3 / 5,
        "reopened": 2 / 4,
        "mean_reopens": 3 / 4,
        "reassigned": 1 / 4,
        "mean_reassignments": 1,
        "answered": 3 / 4,
        "low_satisfaction": 1 / 3,
        "high_satisfaction": 1 / 3,
        "mean_satisfaction": 3,
        "responded_in_time": 4 / 6,
        "first_response_hours": 1.0,
        "resolution_hours": 3.0,
        "contact_rate": 6 / 10 / 31 * 30,  # opened on 1 December, seen over 31 days
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value), name


def test_every_value_lies_in_its_interval(result):
    for name in result.by:
        part = result.by[name]
        for column in [column for column in part if f"{column}_low" in part]:
            known = part.dropna(subset=[column])
            assert (known[f"{column}_low"].fillna(0) <= known[column] + 1e-9).all(), (name, column)
            assert (known[column] <= known[f"{column}_high"].fillna(np.inf) + 1e-9).all(), (name, column)


def test_groups_add_up_to_the_whole(result, courses):
    for name in ("team", "channel", "category", "priority", "week"):
        assert result.by[name]["cases"].sum() == len(courses)
    due = courses["sla_missed"].notna()
    assert result.sla_attainment == pytest.approx(1 - courses.loc[due, "sla_missed"].mean())


def test_sentences_answer_the_three_questions(result):
    stands, half, changes, teams = result.headline
    assert "met their target" in stands
    assert "Half of all cases are resolved within" in half
    assert "The share of cases that missed the target was" in changes
    assert "Over all cases the share of cases that missed the target is" in teams
    text = " ".join(result.sentences)
    assert "cases are open at the end of the last day" in text
    assert "By team the time to resolution differs beyond chance" in text
    assert not set(result.headline) & set(result.sentences)
    assert not result.notes


def test_all_groups_stand_in_one_table(result, courses):
    together = result.by_group
    assert list(together)[:2] == ["attribute", "group"]
    assert not together.duplicated(["attribute", "group"]).any()
    assert set(together["attribute"]) == set(result.by) == {"team", "channel", "category", "priority", "week"}
    assert together.groupby("attribute")["cases"].sum().eq(len(courses)).all()
    teams = together[together["attribute"] == "team"].set_index("group").drop(columns="attribute")
    pd.testing.assert_frame_equal(teams[list(result.by["team"])], result.by["team"], check_names=False)
    assert together.loc[together["attribute"] == "week", "group"].iloc[0] == "2024-01-01"


def test_one_table_of_all_groups_tells_no_small_one(courses):
    few = courses["team"] == "west"
    found = measure(courses.assign(customer_id=courses["customer_id"].mask(few, "one")), min_cell=5)
    told = found.by_group.dropna(subset=["cases"])
    assert "west" not in set(told["group"])
    assert told["customers"].ge(5).all()
    assert not any("west" in text for text in (*found.headline, *found.sentences, *found.notes))


def test_tables_for_people_have_a_cell_a_measure(result):
    shown = result.readable("team")
    assert shown.index.tolist() == ["north", "south", "west", "小組"]
    assert shown.loc["north", "met the target"].count("%") == 1
    assert result.readable().shape[0] == 1
    assert result.readable("week").index[0] == "2024-01-01"
    with pytest.raises(ValueError, match="by must be one of"):
        result.readable("desk")


def test_order_of_rows_and_names_of_customers_do_not_matter(courses, result):
    names = {name: f"z{name[::-1]}" for name in courses["customer_id"].unique()}
    renamed = courses.assign(customer_id=courses["customer_id"].map(names)).sample(frac=1, random_state=1)
    other = measure(renamed, n_customers=700)
    assert (other.headline, other.sentences) == (result.headline, result.sentences)
    for name in result.by:
        pd.testing.assert_frame_equal(other.by[name], result.by[name])
    pd.testing.assert_frame_equal(other.league.table, result.league.table)
    pd.testing.assert_frame_equal(other.backlog.history, result.backlog.history)


def test_the_same_seed_gives_the_same_result_and_another_nearly(courses, result):
    again = measure(courses, n_customers=700)
    assert (again.headline, again.sentences) == (result.headline, result.sentences)
    other = measure(courses, n_customers=700, seed=5).league.table["high"]
    np.testing.assert_allclose(other, result.league.table["high"], atol=0.02)


def test_cases_after_the_last_day_are_refused(courses):
    with pytest.raises(DataQualityError, match=r"Of 2,500 rows of the case table 1,281 opened after 2024-06-30"):
        measure(courses, as_of=dt.date(2024, 6, 30))


def test_segments_have_contact_rates_of_their_own_customers(courses):
    ids = sorted(courses["customer_id"].unique())
    segments = pd.Series("loyal", index=[*ids[:200], *(f"quiet{at}" for at in range(300))])
    segments = pd.concat([segments, pd.Series("новые", index=ids[200:500])])
    by = measure(courses, segments=segments).by["segment"]
    days = (pd.Timestamp("2025-01-01") - courses["opened_at"].min().normalize()).days
    n_loyal = courses["customer_id"].isin(ids[:200]).sum()
    assert by.loc["loyal", "contact_rate"] == pytest.approx(n_loyal / 500 / days * 30)
    assert np.isnan(by.loc["not given", "contact_rate"])
    with pytest.raises(DataQualityError, match="more than one segment"):
        measure(courses, segments=pd.concat([segments, segments]))


@pytest.mark.parametrize("outcome", ["low_satisfaction", "long_resolution", "reopened"])
def test_any_outcome_can_be_charted_and_compared(courses, outcome):
    other = measure(courses, outcome=outcome)
    assert other.league.overall > 0
    assert other.share_chart is not None
    assert (other.share_chart.table["value"].dropna() <= 1).all()


def test_expected_shares_are_taken_by_case(courses):
    flags = courses.set_index("case_id")["team"].map({"north": 0.3, "south": 0.4, "west": 0.5, "小組": 0.6})
    assert measure(courses, expected=flags.sample(frac=1, random_state=0)).league.is_adjusted
    with pytest.raises(DataQualityError, match="expected chances are missing"):
        measure(courses, expected=flags.iloc[:100])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["target_hours", "sla_missed"], "SLA attainment"),
        (["satisfaction"], "satisfaction"),
        (["first_response_hours"], "first responses"),
        (["team"], "team"),
        (["team", "channel", "category", "priority"], "nothing to compare"),
    ],
)
def test_what_the_table_does_not_tell_is_left_out_and_said(courses, columns, words):
    for made in (courses.drop(columns=columns), courses.assign(**dict.fromkeys(columns, pd.NA))):
        found = measure(made)
        assert words in " ".join(found.notes)
        assert "nan" not in " ".join((*found.headline, *found.sentences))


def test_nothing_but_openings():
    made = table(resolution_hours=[None] * 5)
    found = measure(made[["case_id", "customer_id", "opened_at", "is_open", "observed_hours"]])
    assert math.isnan(found.sla_attainment)
    assert found.answers is None
    assert found.league is None
    assert found.overall["resolution_hours"].iloc[0] == np.inf
    assert "Fewer than half of all cases have been resolved yet." in found.headline


def test_all_closed_at_once_by_one_customer():
    made = table(resolution_hours=[0.0] * 30, customer_id=["k"] * 30, team=["a"] * 30, sla_missed=[True] * 30)
    found = measure(made)
    assert found.sla_attainment == 0
    assert found.overall["sla_attainment_high"].iloc[0] > 0.9  # one customer says little
    assert "There is one team only" in " ".join(found.headline)


def test_ten_thousand_categories_are_a_table_of_some():
    draws = np.random.default_rng(0)
    made = random_table(12_000, n_customers=4000).assign(
        category=[f"類{at}" for at in draws.integers(0, 10_000, 12_000)]
    )
    by = measure(made, league_by="category").by["category"]
    assert len(by) == MOST_GROUPS + 1
    assert by.index[-1] == "other"


def test_small_cells_are_hidden_with_what_would_give_them_away(courses):
    few = courses["team"] == "小組"
    made = courses.assign(customer_id=courses["customer_id"].where(~few, "k00001"))
    found = measure(made, min_cell=5, n_customers=700)
    by = found.by["team"]
    assert by.loc["小組"].isna().all()
    assert by["cases"].isna().sum() >= 2  # else it would be the total less the others
    assert found.readable("team").loc["not shown"].eq("–").all()
    assert "小組" not in found.readable("team").index
    assert "小組" not in found.league.table.index
    assert "小組" not in set(found.curves["group"])
    assert "小組" not in " ".join(found.sentences)
    assert "left out" in " ".join(found.notes)


def test_every_shown_number_is_about_enough_customers(courses):
    found = measure(courses, min_cell=5, n_customers=700)
    for name in ("team", "channel", "category", "priority"):
        for group in found.by[name].index[found.by[name]["reopened"].notna()]:
            part = courses[(courses[name] == group) & ~courses["is_open"]]
            for is_reopened in (True, False):
                n = part.loc[(part["reopens"] > 0) == is_reopened, "customer_id"].nunique()
                assert n == 0 or n >= 5
    weeks = courses["opened_at"].dt.to_period("W-SUN").dt.start_time
    shown = found.by["week"]["reopened"].dropna().index
    n_reopened = courses[courses["reopens"] > 0].groupby(weeks)["customer_id"].nunique()
    assert (n_reopened.reindex(shown).dropna() >= 5).all()


def test_weeks_that_may_not_be_shown_still_make_the_limits(courses):
    open_chart = measure(courses, outcome="reopened").share_chart
    hidden_chart = measure(courses, outcome="reopened", min_cell=5).share_chart
    assert hidden_chart.table["value"].isna().any()
    assert hidden_chart.table["centre"].iloc[0] == pytest.approx(open_chart.table["centre"].iloc[0], abs=0.02)


def test_last_weeks_are_not_judged_before_they_are_known(courses):
    made = courses.copy()
    late = made["opened_at"] >= pd.Timestamp("2024-12-16")
    made.loc[late & (np.arange(len(made)) % 3 > 0), "sla_missed"] = pd.NA
    assert measure(made).share_chart.table.index[-1] == pd.Timestamp("2024-12-09")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda made: made.drop(columns="is_open"), SourceSchemaError, r"lacks 1 of 5 columns: \['is_open'\]"),
        (lambda made: made.iloc[:0], EmptyTableError, "no service case as of 2024-12-31"),
        (lambda made: made.assign(observed_hours=-1.0), DataQualityError, "missing, infinite or negative"),
        (
            lambda made: made.assign(first_response_hours=-1.0),
            DataQualityError,
            "first_response_hours .* before the opening",
        ),
        (lambda made: made.assign(customer_id=None), DataQualityError, "2,500 have no customer_id"),
        (lambda made: pd.concat([made, made.iloc[:2]]), DataQualityError, "2 have a case_id that stood there before"),
    ],
)
def test_wrong_tables_are_refused(courses, change, error, words):
    with pytest.raises(error, match=words):
        measure(change(courses))


def test_wrong_arguments_are_refused(courses):
    with pytest.raises(ValueError, match="outcome must be one of"):
        measure(courses, outcome="unhappy")
    with pytest.raises(ValueError, match="period must be"):
        measure(courses, period="year")
    with pytest.raises(ValueError, match="league_by must be one of"):
        measure(courses, league_by="desk")
    with pytest.raises(ValueError, match="n_customers must count"):
        measure(courses, n_customers=3)
    with pytest.raises(TooFewRecordsError, match="fewer than 5 customers"):
        measure(table(resolution_hours=[1.0, 2.0]), min_cell=5)


def test_numbers_of_known_cases_do_not_tell_of_few_unknown_ones():
    made = random_table(1200, n_customers=900)
    made["sla_missed"] = made["sla_missed"].fillna(value=True).mask(np.arange(1200) == 700)
    team, week = made.loc[700, "team"], made.loc[700, "opened_at"].to_period("W-SUN").start_time
    found = measure(made, min_cell=5)
    assert found.league.table.loc[team, "cases"] % 5 == 0
    row = found.share_chart.table.loc[week]
    assert np.isnan(row["n"])
    assert row["upper"] == round(row["upper"], 2)


def test_a_long_resolution_is_known_once_its_time_has_passed():
    opened = pd.to_datetime(["2024-12-01", "2024-12-01", "2024-12-31", "2024-12-27"])
    made = table(opened_at=opened, resolution_hours=[80.0, 2.0, 2.0, None])
    flags, is_pending = outcome_flags(checked_cases(made, as_of=AS_OF), "long_resolution")
    by_case = pd.Series(flags, index=checked_cases(made, as_of=AS_OF).case_ids)
    assert by_case[["c00000", "c00001", "c00003"]].tolist() == [1, 0, 1]
    assert np.isnan(by_case["c00002"])
    assert is_pending.tolist() == [False, False, False, True]


def test_the_limit_of_low_marks_is_a_parameter():
    made = table(satisfaction=[1, 2, 3, 5])
    assert measure(made, low_satisfaction_at_most=3).overall["low_satisfaction"].iloc[0] == 0.75
    assert measure(made, low_satisfaction_at_most=1).overall["low_satisfaction"].iloc[0] == 0.25
