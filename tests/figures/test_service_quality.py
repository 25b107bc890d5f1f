"""Figures of how far probabilities can be trusted draw their table and say in words what it shows."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_quality import (
    plot_calibration,
    plot_gain,
    plot_precision,
)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_calibration_has_a_point_a_group():
    table = pd.DataFrame({"predicted": [0.05, 0.3, 0.62], "actual": [0.07, 0.28, 0.7]})
    axes = plot_calibration(table, outcome="sla_missed")
    assert axes.lines[1].get_xdata().tolist() == [0.05, 0.3, 0.62]
    assert axes.lines[1].get_ydata().tolist() == [0.07, 0.28, 0.7]
    assert "62% expected and 70% came in the last" in alternative_text(axes)


def test_groups_without_figures_are_left_out_and_it_is_said():
    table = pd.DataFrame({"predicted": [0.05, None, None], "actual": [0.07, None, None]})
    axes = plot_calibration(table, outcome="sla_missed")
    axes.figure.canvas.draw()
    assert axes.lines[1].get_xdata().tolist() == [0.05]
    assert "2 groups are left out" in alternative_text(axes)
    assert "An empty chart" in alternative_text(plot_calibration(table.iloc[1:], outcome="sla_missed"))


@pytest.fixture
def curves():
    return pd.DataFrame(
        {
            "model": ["random_forest"] * 3 + ["priority_and_category"] * 3,
            "share_reviewed": [0.0, 0.2, 1.0] * 2,
            "share_found": [0.0, 0.6, 1.0, 0.0, 0.3, 1.0],
            "share_of_others": [0.0, 0.1, 1.0, 0.0, 0.17, 1.0],
            "precision": [None, 0.6, 0.2, None, 0.3, 0.2],
        }
    )


def test_the_gain_has_a_line_a_model_and_says_what_a_review_finds(curves):
    axes = plot_gain(curves, outcome="sla_missed", review_share=0.1)
    assert [line.get_label() for line in axes.lines[:3]] == [
        "in any order",
        "random forest",
        "priority and category alone",
    ]
    assert axes.lines[1].get_ydata().tolist() == [0, 0.6, 1]
    assert alternative_text(axes) == (
        "Of the cases that missed the target, a review of the riskiest 10% finds 30% by random forest and 15% by priority and "
        "category alone; in any order 10%."
    )
    assert "riskiest 20%" in alternative_text(plot_gain(curves, outcome="reopened"))
    assert "empty" in alternative_text(plot_gain(curves[:0], outcome="reopened"))


def test_precision_is_drawn_where_something_is_reviewed(curves):
    axes = plot_precision(curves, outcome="reopened")
    assert axes.lines[0].get_xdata().tolist() == [0.6, 1.0]
    assert "are found, so many of the reviewed ones are rightly reviewed: 60% by random forest" in alternative_text(
        axes
    )
    assert alternative_text(axes).endswith("in all cases 20%.")
    assert "empty" in alternative_text(plot_precision(curves[:0], outcome="reopened"))
