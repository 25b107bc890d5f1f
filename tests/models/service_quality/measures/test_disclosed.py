"""What is said of few customers: nothing, neither by an age, nor a name, nor a share beside the whole."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_measures import plot_backlog, plot_control_chart, plot_satisfaction
from crm_analysis.figures.service_teams import plot_funnel, plot_league
from crm_analysis.models.service_quality.measures import p_chart, service_measures
from crm_analysis.models.service_quality.measures.backlog import backlog
from crm_analysis.models.service_quality.measures.case_table import checked_cases
from crm_analysis.models.service_quality.measures.wording import backlog_in_words, chart_in_words
from tests.models.service_quality.measures.made_cases import AS_OF, random_table, table

WEEKS = pd.date_range("2024-01-01", periods=30, freq="7D")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def courses():
    return random_table(1500)


@pytest.fixture(scope="module")
def one_team_shown(courses):
    team = courses["team"].replace("west", "south")  # hidden with the team of one customer
    some = pd.Series([f"s{at % 100}" for at in range(len(courses))])
    alone = courses["customer_id"].mask(team == "south", some).mask(team == "小組", "one")
    return service_measures(courses.assign(customer_id=alone, team=team), as_of=AS_OF, seed=0, min_cell=5)


def waiting(n_cases, n_old, min_cell):
    opened = pd.Timestamp("2024-12-30") - pd.to_timedelta([*range(60, 60 + n_old), *range(n_cases - n_old)], unit="h")
    made = table(opened_at=opened, resolution_hours=[None] * n_cases)
    return backlog(checked_cases(made, as_of=AS_OF), min_cell=min_cell)


def test_the_age_of_the_oldest_tenth_takes_enough_customers():
    shown, hidden = waiting(50, 5, 5), waiting(12, 2, 5)
    assert shown.history["old_age_days"].notna().iloc[-1]
    assert "a tenth older than" in backlog_in_words(shown)
    assert np.isnan(hidden.history["old_age_days"].iloc[-1])
    assert hidden.history["median_age_days"].notna().iloc[-1]
    assert "a tenth" not in backlog_in_words(hidden)
    assert np.isnan(waiting(8, 2, 5).history["median_age_days"].iloc[-1])  # a half is of four
    assert backlog_in_words(waiting(8, 2, 5)) == "8 cases are open at the end of the last day."
    assert waiting(12, 2, 1).history["old_age_days"].notna().iloc[-1]


def test_one_customer_with_the_oldest_cases_is_not_told():
    opened = pd.Timestamp("2024-12-30") - pd.to_timedelta(range(60), unit="h")
    made = table(opened_at=opened, resolution_hours=[None] * 60)
    made["customer_id"] = made["customer_id"].mask(np.arange(60) >= 40, "one")
    history = backlog(checked_cases(made, as_of=AS_OF), min_cell=5).history
    assert np.isnan(history["old_age_days"].iloc[-1])
    assert history["median_age_days"].notna().iloc[-1]


def test_a_single_team_that_may_be_shown_is_not_called_the_only_one(one_team_shown, courses):
    sentence = one_team_shown.headline[-1]
    assert sentence.startswith("Only one team may be shown, as the others are of too few customers")
    assert one_team_shown.league.table.index.tolist() == ["north"]
    for plot in (plot_funnel, plot_league):
        text = alternative_text(plot(one_team_shown.league, by="team", outcome="sla_missed"))
        assert text == "Only one team may be shown: nothing to compare."
    alone = service_measures(courses.assign(team="north"), as_of=AS_OF, seed=0)
    assert "There is one team only" in alone.headline[-1]


def test_the_share_over_all_is_over_all_cases(courses):
    few = courses["team"] == "小組"
    made = courses.assign(customer_id=courses["customer_id"].mask(few, "one"))
    found = service_measures(made, as_of=AS_OF, seed=0, min_cell=5).league
    assert found.n_hidden >= 2
    assert found.overall == pytest.approx(courses["sla_missed"].mean())
    assert found.overall != pytest.approx(np.average(found.table["share"], weights=found.table["cases"]), abs=1e-4)


def test_the_share_over_all_keeps_what_would_tell_of_few():
    n = 600  # one customer of a team of its own: all cases less the others would tell of it
    made = table(
        team=["a"] * 300 + ["b"] * 297 + ["solo"] * 3, sla_missed=[True, False, False] * 200,
        customer_id=[f"k{at}" for at in range(n - 3)] + ["one"] * 3,
    )  # fmt: skip
    found = service_measures(made, as_of=AS_OF, seed=0, min_cell=5)
    assert found.league.table.index.tolist() == ["a"]  # the next smallest is hidden with it
    assert found.league.overall == pytest.approx(1 / 3)


def test_expected_shares_keep_their_mean_over_all_cases(courses):
    chances = courses.set_index("case_id")["team"].map({"north": 0.2, "south": 0.4, "west": 0.4, "小組": 0.4})
    found = service_measures(courses, as_of=AS_OF, seed=0, expected=chances).league
    known = courses["sla_missed"].notna()
    mean = float(chances[courses.loc[known, "case_id"]].mean())
    assert found.table.loc["north", "expected"] == pytest.approx(0.2 * found.overall / mean)


def test_rare_names_are_not_printed(courses):
    rare = (
        courses["category"]
        .mask(np.arange(len(courses)) < 2, "a rare illness")
        .mask(np.arange(len(courses)) == 2, "x-1")
    )
    found = service_measures(courses.assign(category=rare), as_of=AS_OF, seed=0, min_cell=5)
    for printed in (found.readable("category").index, found.by_group["group"]):
        assert not {"a rare illness", "x-1"} & set(printed)
    assert list(found.readable("category").index).count("not shown") == 1
    assert (found.by_group.query("attribute == 'category'")["group"] == "not shown").sum() == 1
    assert found.by_group.query("group == 'not shown'").drop(columns=["attribute", "group"]).isna().all(axis=None)
    public = service_measures(courses.assign(category=rare), as_of=AS_OF, seed=0)
    assert "a rare illness" in public.readable("category").index


def test_weeks_keep_their_names(one_team_shown, courses):
    weeks = one_team_shown.readable("week").index
    assert weeks.is_unique
    assert "not shown" not in weeks


def test_an_attribute_that_no_case_has_is_an_empty_table(courses):
    found = service_measures(courses.drop(columns=["team", "channel"]), as_of=AS_OF, seed=0)
    for name in ("team", "channel", "segment"):
        shown = found.readable(name)
        assert shown.empty
        assert (shown.index.name, list(shown)[:2]) == (name, ["cases", "met the target"])
    with pytest.raises(ValueError, match="by must be one of"):
        found.readable("desk")


def test_tables_for_people_are_narrow(courses):
    found = service_measures(courses, as_of=AS_OF, seed=0, n_customers=800)
    assert found.readable("team").shape[1] == 7
    assert {"mean_reopens", "high_satisfaction", "answers"} <= set(found.by_group)
    bare = service_measures(courses.assign(satisfaction=pd.NA), as_of=AS_OF, seed=0, n_customers=800)
    assert "low marks" not in bare.readable("team")


def test_answers_tell_neither_of_few_without_nor_of_few_open_cases(courses):
    assert (
        service_measures(courses, as_of=AS_OF, seed=0).by["team"]["answers"].sum()
        == courses["satisfaction"].notna().sum()
    )
    weeks = service_measures(courses, as_of=AS_OF, seed=0, min_cell=8).by["week"]
    last = courses["opened_at"].dt.to_period("W-SUN").dt.start_time == weeks.index[-1]
    assert 0 < courses.loc[last & courses["is_open"], "customer_id"].nunique() < 8
    assert pd.isna(weeks["answers"].iloc[-1])


def run_chart(values):
    return p_chart(pd.DataFrame({"n": 100, "yes": values}, index=WEEKS), seed=0)


def test_a_run_is_not_said_to_lie_beyond_the_limits():
    chart = run_chart([20, 21, 19] * 5 + [22] * 8 + [19] * 7)
    text = chart_in_words(chart, "share", period="week", unit="share")
    assert "8 or more weeks in a row lay on one side of that average up to 2024-06-03" in text
    assert "beyond the limits" not in text
    chart = run_chart([20, 21, 19] * 5 + [45] + [20, 21, 19] * 4 + [20, 21])
    text = chart_in_words(chart, "share", period="week", unit="share")
    assert "1 of the 15 weeks since lies beyond the limits: 2024-04-15 (45.0%); the last 8" in text
    assert "in a row lay" not in text


def test_ranges_of_a_part_of_the_weeks_are_not_told():
    chart = run_chart([20, 21, 19] * 10)
    assert "from 19% to 21%" in alternative_text(plot_control_chart(chart, what="share", is_share=True))
    chart.table.loc[WEEKS[-1], "value"] = np.nan
    text = alternative_text(plot_control_chart(chart, what="share", is_share=True))
    assert "from" not in text.split(";")[0]
    drift = run_chart([*range(10, 25), *[40] * 15])
    drift.table.loc[WEEKS[-3], "value"] = np.nan
    assert "nan" not in (text := chart_in_words(drift, "share", period="week", unit="share"))
    assert text.endswith("say little.")


def test_a_backlog_with_hidden_weeks_has_no_range(courses):
    public, private = (backlog(checked_cases(courses, as_of=AS_OF), min_cell=least) for least in (1, 12))
    assert private.history["open_cases"].isna().any()
    assert " from " in alternative_text(plot_backlog(public))
    text = alternative_text(plot_backlog(private))
    assert " from " not in text
    assert ("at last" in text) == (private.n_open is not None)


def test_shares_of_few_answers_are_not_drawn(courses):
    weeks = service_measures(random_table(3000), as_of=AS_OF, seed=0).by["week"]
    few = weeks["answers"] < 20
    assert few.any()
    axes = plot_satisfaction(weeks)
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == few.tolist()
    assert f"{few.sum()} period" in alternative_text(axes)
    quiet = service_measures(courses.head(100), as_of=AS_OF, seed=0).by["week"]
    assert alternative_text(plot_satisfaction(quiet)).startswith("No period has 20 answers")
