"""Figures of why cases go wrong draw their tables and say in words what they show."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_drivers import (
    plot_directions,
    plot_driver_groups,
    plot_explanation,
    plot_fairness,
    plot_moves,
    plot_rates_by_level,
    plot_what_would_help,
)
from crm_analysis.models.service_quality.explanation import (
    Directions,
    Drivers,
    Explanation,
    Fairness,
    WhatWouldHelp,
)
from crm_analysis.models.service_quality.explanation.effects_wording import HIGHER, LOWER, NO_OVERLAP, WITHIN_CHANCE
from crm_analysis.models.service_quality.explanation.fairness import DIFFERS, TOO_FEW

MISSED = {"outcome": "sla_missed"}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def groups():
    return pd.DataFrame(
        {
            "group": [
                "team and recent cases of the team",
                "hour of the opening",
                "a $name$ so long that nobody would read it",
            ],
            "importance": [0.08, 0.001, np.nan],
            "low": [0.06, -0.001, np.nan],
            "high": [0.1, 0.003, np.nan],
            "reading": ["carries", "within chance", "too few customers"],
        }
    )


@pytest.fixture
def curves():
    return pd.DataFrame(
        {
            "attribute": ["team"] * 2 + ["opened_weekday"] * 2,
            "kind": ["level"] * 2 + ["number"] * 2,
            "value": [np.nan, np.nan, 1.0, 7.0],
            "level": ["north $x$", "südöst", "Monday", "Sunday"],
            "probability": [0.5, 0.2, 0.25, 0.31],
        }
    )


@pytest.fixture
def rates():
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
def levels():
    return pd.DataFrame(
        {
            "lever": ["team"] * 3 + ["channel"],
            "level": ["north $x$", "south", "west", "chat"],
            "share": [0.2, 0.3, np.nan, 0.26],
            "low": [0.18, 0.27, np.nan, 0.2],
            "high": [0.22, 0.33, np.nan, 0.32],
            "raw_share": [0.25, 0.29, 0.4, 0.27],
            "reading": [LOWER, HIGHER, NO_OVERLAP, WITHIN_CHANCE],
        }
    )


@pytest.fixture
def moves():
    return pd.DataFrame(
        {
            "lever": "team",
            "cases_of": ["south", "north", "west"],
            "handled_like": ["north", "south", "north"],
            "change": [-0.1, 0.1, np.nan],
            "low": [-0.14, 0.06, np.nan],
            "high": [-0.06, 0.14, np.nan],
            "reading": [LOWER, HIGHER, NO_OVERLAP],
        }
    )


@pytest.fixture
def fair():
    rows = [
        ("region", "north", "outcome_rate", 0.1, 0.05, 0.15, DIFFERS),
        ("region", "south", "outcome_rate", -0.02, -0.05, 0.01, "within chance"),
        ("region", "north", "calibration", 0.0, -0.02, 0.02, "within chance"),
        ("region", "islands", "outcome_rate", np.nan, np.nan, np.nan, TOO_FEW),
    ]
    columns = ["attribute", "group", "measure", "difference", "difference_low", "difference_high", "reading"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def explanation(groups, rates, curves, levels, moves, fair):
    help_told = WhatWouldHelp("sla_missed", {}, levels, moves, (), ())
    drivers = Drivers(pd.DataFrame(), groups, ())
    return Explanation(drivers, rates, Directions(curves, (), ()), help_told, Fairness(fair, (), ()), ())


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_drivers_are_bars_with_the_largest_on_top(groups):
    axes = plot_driver_groups(groups)
    assert [bar.get_width() for bar in axes.patches] == [0.001, 0.08]
    assert labels(axes) == ["hour of the opening", "team and recent cases of the team"]
    assert alternative_text(axes) == (
        "Increase of log loss when one of 2 groups of attributes is shuffled: beyond chance for team and recent cases of the team "
        "(0.080). 1 group is left out: it is about too few customers, or would give such away."
    )
    none = plot_driver_groups(groups.assign(reading="within chance"))
    assert "beyond chance for none" in alternative_text(none)
    assert "cannot be shown" in alternative_text(plot_driver_groups(groups.iloc[2:]))


def test_directions_have_a_panel_an_attribute_with_dots_or_a_line(curves):
    axes = plot_directions(curves, **MISSED)
    first, second = axes.figure.axes
    assert [text.get_text() for text in first.get_xticklabels()] == ["north $x$", "südöst"]
    assert second.lines[0].get_ydata().tolist() == [0.25, 0.31]
    assert [text.get_text() for text in second.get_xticklabels()] == ["Mon", "Sun"]
    text = alternative_text(axes)
    assert "by team from 20% (südöst) to 50% (north $x$); by weekday of the opening from 25% (Monday) to 31%" in text
    assert "No attribute" in alternative_text(plot_directions(curves[:0], **MISSED))


def test_shares_are_dots_in_the_colour_of_their_reading_beside_what_is(levels):
    axes = plot_what_would_help(levels, **MISSED)
    assert labels(axes) == ["channel: chat", "team: south", "team: north $x$"]
    names = {text.get_text() for text in axes.get_legend().get_texts()}
    assert names == {LOWER, HIGHER, WITHIN_CHANCE, "as it is"}
    text = alternative_text(axes)
    assert "by team from 20% (north $x$) to 30% (south); by channel from 26% (chat) to 26% (chat)" in text
    assert "adjusted for case mix" in text
    assert "1 without enough comparable cases" in text
    assert "No level has enough" in alternative_text(plot_what_would_help(levels[2:3], **MISSED))


def test_moves_show_only_what_is_lower_beyond_chance(moves):
    axes = plot_moves(moves, **MISSED)
    assert labels(axes) == ["team: south like north"]
    assert "(−10 points, −14 to −6). An association." in alternative_text(axes)
    assert "beyond chance" in alternative_text(plot_moves(moves[1:], **MISSED))


def test_groups_of_customers_stand_in_one_order_in_every_panel(fair):
    axes = plot_fairness(fair)
    assert len(axes.figure.axes) == 2
    assert labels(axes) == ["region: south", "region: north"]
    text = alternative_text(axes)
    assert "beyond chance for north (share with the outcome, +10 points)" in text
    assert "1 figure is left out" in text
    assert "none beyond chance" in alternative_text(plot_fairness(fair[1:3]))
    assert "No customer group" in alternative_text(plot_fairness(fair[3:]))


def test_rates_name_every_level_with_its_number_of_cases(rates):
    axes = plot_rates_by_level(rates, outcome="low_satisfaction")
    assert labels(axes) == ["chat (900)", "south (40)", "north $x$ (1,200)"]
    text = alternative_text(axes)
    assert (
        "ended in a low satisfaction: by team from 25% (south) to 50% (north $x$); by channel from 10% (chat)" in text
    )


def test_attributes_of_the_source_are_named_without_underscores(rates):
    text = alternative_text(plot_rates_by_level(rates.assign(attribute="sub_category"), outcome="sla_missed"))
    assert "by sub category from" in text


def test_no_levels_are_said_in_words(rates):
    assert alternative_text(plot_rates_by_level(rates[:0], outcome="sla_missed")) == "No levels to compare."


def test_an_explanation_is_drawn_as_far_as_it_is_told(explanation):
    told = [alternative_text(axes) for axes in plot_explanation(explanation, **MISSED)]
    assert len(told) == len(set(told)) == 6
    assert told[0].startswith("Increase of log loss")
    assert "by channel from 10% (chat)" in told[1]
    assert "An association." in told[4]
    assert "beyond chance for north" in told[5]
    nothing = replace(
        explanation,
        levels=explanation.levels[:0],
        directions=replace(explanation.directions, curves=explanation.directions.curves[:0]),
        help=None,
    )
    assert [alternative_text(axes) for axes in plot_explanation(nothing, **MISSED)] == [told[0], told[5]]


def test_values_from_data_are_not_read_as_formulas(groups, rates, curves, levels, moves, fair, tmp_path):
    broken = "$\\frac{$ 100%"
    for axes in (
        plot_driver_groups(groups.assign(group=broken)),
        plot_rates_by_level(rates.assign(level=["$\\frac{$", "a_$b", "100%"]), **MISSED),
        plot_directions(curves.assign(level=broken), **MISSED),
        plot_what_would_help(levels.assign(level=broken), **MISSED),
        plot_moves(moves.assign(cases_of=broken), **MISSED),
        plot_fairness(fair.assign(group=broken).head(1)),
    ):
        axes.get_figure(root=True).savefig(tmp_path / "figure.png", dpi=40)
