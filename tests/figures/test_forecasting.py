"""Claims about the figures of the forecasting report: what they show is what their tables and texts say."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.forecasting import (
    plot_backtest,
    plot_calibration,
    plot_coverage,
    plot_errors,
    plot_gain_curve,
)

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


def test_calibration_draws_intervals_where_they_are_known() -> None:
    known = CALIBRATION.assign(low=[1.0, 900.0], high=[3.0, 1100.0])
    axes = plot_calibration(known, currency="GBP")
    assert len(axes.collections) == 1
    assert "lies within the 95% interval of what came in 1 of 2" in alternative_text(axes)
    assert "interval" not in alternative_text(plot_calibration(CALIBRATION, currency="GBP"))


def test_a_model_without_words_keeps_its_name() -> None:
    new = ERRORS.assign(model=ERRORS["model"].replace("svr", "gradient_trees"))
    assert "gradient trees 11.00" in alternative_text(plot_errors(new, title="Error"))


COVERAGE = pd.DataFrame(
    {"n": [400, 100, 300, 60, 3], "coverage": [0.9, 0.7, 0.967, 0.9, 1.0], "width": [50.0, 120.0, 30.0, 1200.0, 5.0]},
    index=pd.Index(["all", "buyers", "others", "πιστοί $5", "few"], name="customers"),
)


def test_coverage_stands_against_its_line_with_wilson_intervals_and_widths() -> None:
    axes = plot_coverage(COVERAGE, currency="GBP")
    axes.figure.canvas.draw()
    text = alternative_text(axes)
    assert "all customers 90% (87% to 93%), 50 GBP wide" in text
    assert "those who bought 70% (60% to 78%), 120 GBP wide" in text
    assert axes.lines[0].get_xdata() == pytest.approx([0.9, 0.9])
    assert [label.get_text() for label in axes.get_yticklabels()][3] == "πιστοί $5 (60)"
    assert [note.get_text() for note in axes.texts][:2] == ["50 wide", "120 wide"]


def test_coverage_takes_the_intervals_it_is_given_and_leaves_small_groups_out() -> None:
    hidden = COVERAGE.astype({"n": "Int64"})
    hidden.loc["few"] = [pd.NA, np.nan, np.nan]
    axes = plot_coverage(hidden.assign(low=0.5, high=0.99), currency="")
    text = alternative_text(axes)
    assert "all customers 90% (50% to 99%), 50 wide" in text
    assert text.endswith("1 group is left out: it is about too few customers, or would give such away.")
    assert "No group" in alternative_text(plot_coverage(hidden.iloc[4:], currency=""))


BACKTEST = pd.DataFrame(
    [
        (pd.Timestamp(day), model, error)
        for day, scale in (("2017-04-05", 10), ("2017-07-04", 20))
        for model, error in (
            ("polynomial", 0.9 * scale),
            ("last_period", scale),
            ("svr", 1.1 * scale),
            ("zero", 9 * scale),
        )
    ],
    columns=["origin", "model", "rmse"],
)


def test_the_backtest_has_the_naive_model_first_and_says_where_it_was_beaten() -> None:
    axes = plot_backtest(BACKTEST, naive="last_period", title="Spend")
    axes.figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["last period again (naive)", "polynomial regression", "support vector regression"]
    assert alternative_text(axes) == (
        "Spend: RMSE of each model at 2 origins as a share of that of last period again (naive): polynomial regression 90% on "
        "average, below it at 2 of 2; support vector regression 110% on average, below it at 0 of 2."
    )
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["mean", "2017-04-05", "2017-07-04"]


def test_the_backtest_is_blind_to_scale_and_order_and_does_without_a_missing_origin() -> None:
    told = alternative_text(plot_backtest(BACKTEST, naive="last_period", title="Spend"))
    other = BACKTEST.iloc[::-1].assign(rmse=BACKTEST["rmse"] * 7)
    assert alternative_text(plot_backtest(other, naive="last_period", title="Spend")) == told
    holed = BACKTEST.assign(rmse=BACKTEST["rmse"].mask((BACKTEST.index < 4) & (BACKTEST["model"] == "last_period")))
    text = alternative_text(plot_backtest(holed, naive="last_period", title="Spend"))
    assert "at 1 origins" not in text
    assert "at 1 origin " in text
    assert text.endswith("1 origin has no error of the naive baseline above zero and is left out.")
    nothing = plot_backtest(BACKTEST[BACKTEST["model"] != "last_period"], naive="last_period", title="Spend")
    assert "nothing to compare" in alternative_text(nothing)


def test_a_naive_baseline_without_error_leaves_nothing_to_compare() -> None:
    perfect = BACKTEST.assign(rmse=BACKTEST["rmse"].mask(BACKTEST["model"] == "last_period", 0.0))
    assert "nothing to compare" in alternative_text(plot_backtest(perfect, naive="last_period", title="Spend"))
