"""Figures of the service quality report draw their table and say in words what it shows."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_quality import plot_calibration, plot_drivers, plot_rates_by_level, plot_weekly_cases


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def drivers():
    columns = {
        "attribute": ["team", "opened_hour"],
        "importance": [0.08, 0.001],
        "low": [0.06, -0.001],
        "high": [0.1, 0.003],
    }
    return pd.DataFrame(columns)


@pytest.fixture
def levels():
    return pd.DataFrame(
        {
            "attribute": ["team", "team", "channel"],
            "level": ["north $x$", "south", "chat"],
            "n_cases": [1200, 40, 900],
            "rate": [0.5, 0.25, 0.1],
            "low": [0.45, 0.15, 0.05],
            "high": [0.55, 0.4, 0.16],
        }
    )


@pytest.fixture
def weekly():
    weeks = pd.date_range("2024-01-01", periods=3, freq="7D", name="week")
    return pd.DataFrame({"yes": [2, 4, 0], "no": [8, 6, 3], "unknown": [0, 0, 2]}, index=weeks)


def test_drivers_are_bars_with_the_largest_on_top(drivers):
    axes = plot_drivers(drivers)
    assert [bar.get_width() for bar in axes.patches] == [0.001, 0.08]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["hour of the opening", "team"]
    assert alternative_text(axes) == (
        "Increase of log loss when an attribute is shuffled: team (0.080); 1 other not beyond chance."
    )


def test_drivers_beyond_chance_are_named_only_when_there_are_any(drivers):
    text = alternative_text(plot_drivers(drivers.assign(low=-1.0)))
    assert text == "Increase of log loss when one of 2 attributes is shuffled: none is beyond chance."


def test_calibration_has_a_point_a_group(drivers):
    table = pd.DataFrame({"predicted": [0.05, 0.3, 0.62], "actual": [0.07, 0.28, 0.7]})
    axes = plot_calibration(table, outcome="sla_missed")
    assert axes.lines[1].get_xdata().tolist() == [0.05, 0.3, 0.62]
    assert axes.lines[1].get_ydata().tolist() == [0.07, 0.28, 0.7]
    assert "62% expected and 70% came in the last" in alternative_text(axes)


def test_rates_name_every_level_with_its_number_of_cases(levels):
    axes = plot_rates_by_level(levels, outcome="low_satisfaction")
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["chat (900)", "south (40)", "north $x$ (1,200)"]
    text = alternative_text(axes)
    assert (
        "ended in a low satisfaction: by team from 25% (south) to 50% (north $x$); by channel from 10% (chat)" in text
    )


def test_values_from_data_are_not_read_as_formulas(levels, tmp_path):
    broken = levels.assign(level=["$\\frac{$", "a_$b", "100%"])
    plot_rates_by_level(broken, outcome="sla_missed").figure.savefig(tmp_path / "rates.png")


def test_no_levels_are_said_in_words(levels):
    assert alternative_text(plot_rates_by_level(levels[:0], outcome="sla_missed")) == "No levels to compare."


def test_weeks_are_stacked_by_outcome(weekly):
    axes = plot_weekly_cases(weekly, outcome="sla_missed")
    assert sum(bar.get_height() for bar in axes.patches) == weekly.to_numpy().sum()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["missed the target", "did not", "not known"]
    text = alternative_text(axes)
    assert "most in the week of 2024-01-01 (10)" in text
    assert "26% of the 23 known ones missed the target" in text


def test_weeks_without_known_outcomes_say_so(weekly):
    assert "none is known yet" in alternative_text(plot_weekly_cases(weekly.assign(yes=0, no=0), outcome="sla_missed"))


def test_numbers_that_are_missing_are_left_out_and_it_is_said(weekly):
    holed = weekly.astype("Int64")
    holed.iloc[0, 0], holed.iloc[2, 0] = None, None
    axes = plot_weekly_cases(holed, outcome="sla_missed")
    axes.figure.canvas.draw()
    assert sum(bar.get_height() for bar in axes.patches) == 4 + 8 + 6 + 3 + 2
    text = alternative_text(axes)
    assert "over 1 weeks" in text
    assert "2 numbers are left out" in text
    nothing = plot_weekly_cases(holed.iloc[[0, 2]], outcome="sla_missed")
    assert "2 numbers are left out" in alternative_text(nothing)


def test_groups_without_figures_are_left_out_and_it_is_said():
    table = pd.DataFrame({"predicted": [0.05, None, None], "actual": [0.07, None, None]})
    axes = plot_calibration(table, outcome="sla_missed")
    axes.figure.canvas.draw()
    assert axes.lines[1].get_xdata().tolist() == [0.05]
    assert "2 groups are left out" in alternative_text(axes)
    assert "An empty chart" in alternative_text(plot_calibration(table.iloc[1:], outcome="sla_missed"))
