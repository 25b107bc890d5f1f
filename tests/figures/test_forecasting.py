"""Claims about the figures of the forecasting report: what they show is what their tables and texts say."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.forecasting import plot_calibration, plot_errors, plot_gain_curve

ERRORS = pd.DataFrame(
    [
        ("last_period", "naive", "rmse", 12.0, 11.0, 13.5),
        ("mean_rate", "", "rmse", 14.0, 12.0, 15.0),
        ("zero", "", "rmse", 90.0, 80.0, 99.0),
        ("polynomial", "chosen", "rmse", 10.25, 9.0, 11.0),
        ("svr", "", "rmse", 11.0, 10.0, 12.0),
        ("svr", "", "mae", 4.0, 3.0, 5.0),
    ],
    columns=["model", "role", "measure", "value", "low", "high"],
)
CALIBRATION = pd.DataFrame(
    {"n": [5, 5], "predicted": [1.5, 1200.0], "actual": [2.0, 1000.5]}, index=pd.Index([1, 2], name="group")
)
SHARES = pd.Index(np.linspace(0, 1, 21), name="customers")
CURVE = pd.DataFrame({"forecast": SHARES**0.5, "naive": SHARES**0.7, "hindsight": SHARES**0.3}, index=SHARES)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def test_errors_are_drawn_lowest_on_top_without_zero_and_say_their_role() -> None:
    axes = plot_errors(ERRORS, title="Error of the spend")
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[::-1] == [
        "polynomial regression (chosen)",
        "support vector regression",
        "last period again (naive)",
        "mean rate so far",
    ]
    assert axes.get_title(loc="left") == "Error of the spend"
    assert axes.lines[0].get_xdata() == pytest.approx([12, 12])


def test_the_text_of_the_errors_names_every_model_with_its_error() -> None:
    text = alternative_text(plot_errors(ERRORS, title="Error of the spend"))
    assert "Error of the spend: RMSE" in text
    assert (
        "polynomial regression (chosen) 10.25; support vector regression 11.00; last period again (naive) 12.00" in text
    )


def test_errors_are_drawn_where_the_naive_baseline_is_chosen() -> None:
    both = ERRORS.assign(role=ERRORS["role"].replace({"chosen": "", "naive": "chosen and naive"}))
    assert "last period again (chosen and naive)" in alternative_text(plot_errors(both, title="Error"))


def test_a_model_without_interval_is_still_drawn() -> None:
    axes = plot_errors(ERRORS.assign(low=np.nan, high=np.nan), title="Error")
    axes.figure.canvas.draw()
    assert len(axes.get_yticklabels()) == 4


def test_calibration_has_two_bars_a_group_and_says_the_ends() -> None:
    axes = plot_calibration(CALIBRATION, currency="GBP")
    heights = [bar.get_height() for container in axes.containers for bar in container]
    assert heights == [1.5, 1200, 2, 1000.5]
    text = alternative_text(axes)
    assert "in 2 groups by forecast" in text
    assert "expected to spend 1,200.00 GBP and spent 1,000.50" in text


def test_the_curve_says_what_the_best_tenth_brought() -> None:
    axes = plot_gain_curve(CURVE)
    assert len(axes.lines) == 4
    assert "50% with hindsight, 32% ranked by the forecast and 20% ranked by the naive baseline" in alternative_text(
        axes
    )


def test_a_curve_without_revenue_says_so() -> None:
    empty = pd.DataFrame(np.nan, index=SHARES, columns=CURVE.columns)
    axes = plot_gain_curve(empty)
    axes.figure.canvas.draw()
    assert "no revenue" in alternative_text(axes)


def test_groups_without_figures_are_left_out_and_it_is_said() -> None:
    holed = pd.concat([CALIBRATION, pd.DataFrame(np.nan, index=[3, 4], columns=CALIBRATION.columns)])
    axes = plot_calibration(holed, currency="GBP")
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]
    assert alternative_text(axes).endswith(
        "2 groups are left out: they are about too few customers, or would give such away."
    )
    nothing = plot_calibration(holed.iloc[2:], currency="GBP")
    nothing.figure.canvas.draw()
    assert "An empty chart" in alternative_text(nothing)


def test_a_curve_with_few_points_says_what_its_first_one_brought() -> None:
    far = CURVE[np.arange(21) % 4 == 0].reindex(CURVE.index)
    axes = plot_gain_curve(far)
    assert len(axes.lines[0].get_xdata()) == 6
    assert "The best 20% (fewer are not shown) brought" in alternative_text(axes)
