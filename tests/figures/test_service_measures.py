"""Figures of service measures draw their table, say in words what it shows, and draw nothing that is hidden."""

import datetime as dt
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_measures import (
    plot_answers,
    plot_backlog,
    plot_control_chart,
    plot_measures,
    plot_resolution_curves,
    plot_satisfaction,
)
from crm_analysis.figures.service_teams import MOST_ROWS, plot_funnel, plot_league
from crm_analysis.models.service_quality.measures import p_chart, service_measures
from crm_analysis.models.service_quality.measures.intervals import grouping
from crm_analysis.models.service_quality.measures.league import league
from tests.models.service_quality.measures.made_cases import AS_OF, random_table, table


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    courses = random_table(1500)
    return service_measures(
        courses.assign(team=courses["team"].replace({"north": "north $x$", "小組": "малая"})), as_of=AS_OF, seed=0
    )


def test_all_measures_are_drawn_and_said(result):
    told = [alternative_text(axes) for axes in plot_measures(result)]
    assert len(told) == len(set(told)) == 8
    assert all(told)
    bare = service_measures(table(resolution_hours=[1.0, 2.0, None]), as_of=AS_OF, seed=0)
    without = [alternative_text(axes) for axes in plot_measures(bare)]
    assert len(without) == 6  # nobody answers
    assert "too few periods for a control chart" in without[0]


def test_curves_are_steps_from_all_to_few(result):
    axes = plot_resolution_curves(result.curves)
    assert len(axes.lines) == 1 + 4 + 1  # all cases, four teams, the half
    assert axes.lines[0].get_ydata()[0] == 1
    text = alternative_text(axes)
    assert "Half are resolved within about, in hours: all cases" in text
    assert "north $x$" in text


def test_a_control_chart_shows_marks_after_the_baseline_only():
    weeks = pd.date_range("2024-01-01", periods=30, freq="7D")
    counts = pd.DataFrame({"n": 100, "yes": [20, 21, 19] * 6 + [45] + [20] * 11}, index=weeks)
    axes = plot_control_chart(p_chart(counts, seed=0), what="missed target", is_share=True)
    beyond = next(line for line in axes.lines if line.get_label() == "beyond the limits")
    assert pd.DatetimeIndex(beyond.get_xdata()).tolist() == [weeks[18]]
    assert "1 later one is marked, the last from 2024-05-06" in alternative_text(axes)
    assert alternative_text(plot_control_chart(None, what="missed target", is_share=True)) == (
        "There are too few periods for a control chart: missed target."
    )


def test_hidden_periods_are_said(result):
    chart = result.share_chart
    hidden = chart.table.assign(value=chart.table["value"].where(np.arange(len(chart.table)) > 2))
    text = alternative_text(plot_control_chart(replace(chart, table=hidden), what="missed target", is_share=True))
    assert "3 periods are left out" in text


def test_funnel_and_league_draw_each_team(result):
    axes = plot_funnel(result.league, by="team", outcome="sla_missed")
    assert len(axes.collections[0].get_offsets()) == 4
    assert "of 4 groups" in alternative_text(axes)
    axes = plot_league(result.league, by="team", outcome="sla_missed")
    assert [label.get_text() for label in axes.get_yticklabels()][-1].startswith(result.league.table.index[0])
    assert f"highest {result.league.table.index[0]}" in alternative_text(axes)
    assert alternative_text(plot_league(None, by="team", outcome="sla_missed")) == "There are no teams to compare."
    assert alternative_text(plot_funnel(None, by="", outcome="sla_missed")) == "There are no groups to compare."


def test_of_many_groups_both_ends_are_drawn():
    codes = np.repeat(np.arange(80), 20)
    groups = grouping(codes, tuple(f"t{at}" for at in range(80)), np.arange(1600))
    flags = (np.random.default_rng(0).random(1600) < 0.3).astype(float)
    axes = plot_league(league(groups, flags, seed=0), by="category", outcome="reopened")
    assert len(axes.get_yticks()) == MOST_ROWS


def test_backlog_has_an_axis_of_ages(result):
    axes = plot_backlog(result.backlog)
    assert len(axes.figure.axes) == 2
    assert "Open cases at the end of" in alternative_text(axes)


def test_who_answers_is_drawn_with_intervals(result):
    axes = plot_answers(result.answers, by="channel")
    labels = " ".join(label.get_text() for label in axes.get_yticklabels())
    assert "channel: phone" in labels
    assert "target: missed" in labels
    assert "not given" not in labels
    assert "of all" in alternative_text(axes)
    unknown = replace(
        result.answers, rates=result.answers.rates.astype({"resolved_cases": "Int64"}).assign(resolved_cases=pd.NA)
    )
    assert "channel: phone" in [label.get_text() for label in plot_answers(unknown).get_yticklabels()]


def test_satisfaction_over_time(result):
    axes = plot_satisfaction(result.by["week"])
    assert len(axes.lines) == 2
    assert "Share of low marks over" in alternative_text(axes)


def test_tables_without_satisfaction_say_so():
    bare = service_measures(table(resolution_hours=[1.0, 2.0, None]), as_of=dt.date(2024, 12, 31), seed=0)
    assert alternative_text(plot_answers(bare.answers)).startswith("No case has a satisfaction")
    assert alternative_text(plot_satisfaction(bare.by["week"])) == "No case has a satisfaction."
    assert alternative_text(plot_resolution_curves(bare.curves)).startswith("Falling step lines")
    assert alternative_text(plot_backlog(bare.backlog)).startswith("Open cases at the end of")


def test_nothing_shown_of_few_customers():
    few = service_measures(random_table(300, n_customers=40), as_of=AS_OF, seed=0, min_cell=20)
    texts = [
        alternative_text(plot_backlog(few.backlog)),
        alternative_text(plot_satisfaction(few.by["week"])),
        alternative_text(plot_resolution_curves(few.curves)),
    ]
    assert "weeks are left out" in texts[0]
    assert "left out" in texts[1]


def test_figures_can_be_saved(result, tmp_path):
    for at, axes in enumerate(
        [
            plot_resolution_curves(result.curves),
            plot_control_chart(result.hours_chart, what="median hours", is_share=False),
            plot_league(result.league, by="team", outcome="sla_missed"),
        ]
    ):
        axes.figure.savefig(tmp_path / f"{at}.png", dpi=40)
