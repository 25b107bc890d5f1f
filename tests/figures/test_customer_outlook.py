"""Claims about the figures of what forecasts lean on and of who does what: they show what their tables and texts say."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.customer_outlook import (
    plot_chances,
    plot_dependence,
    plot_importance,
    plot_outlook,
    plot_outlook_accuracy,
)
from crm_analysis.figures.display import alternative_text
from crm_analysis.models.customer_outlook.labels import FALL, GROW, LABELS, LEAVE, SAME, SILENT
from crm_analysis.models.explaining.importance import CARRIES, HARMS, TOO_FEW, WITHIN_CHANCE

IMPORTANCE = pd.DataFrame(
    [
        ("how much lately", 1, 30.0, 0.35, 0.3, 0.4, CARRIES),
        ("ποσοστό $5 και $6", 2, 1.0, 0.01, -0.01, 0.03, WITHIN_CHANCE),
        ("region", 1, -2.0, -0.02, -0.03, -0.01, HARMS),
    ],
    columns=["group", "columns", "increase", "share", "low", "high", "reading"],
)
CURVES = pd.concat(
    pd.DataFrame(
        {
            "value": [0.0, 10.0, 50.0],
            "forecast": [5.0, 9.0, top],
            "customers": [100, 50, 40],
            "below": [0.5, 0.75, 0.95],
        }
    ).assign(feature=name)
    for name, top in (("how much lately", 20.0), ("πόσο συχνά", 4.0), ("days observed", 9.0))
)
OUTLOOK = pd.DataFrame(
    {"customers": [40, 30, 500, 20, 60], "at_stake": [4000.0, 1500.0, 0.0, 900.5, 0.0]},
    index=pd.Index(LABELS, name="label"),
)
ACCURACY = pd.DataFrame(
    {
        "customers": [40, 30, 500, 0, 60, 630],
        "held": [0.8, 0.7, 0.6, np.nan, 0.9, np.nan],
        "low": [0.65, 0.5, 0.55, np.nan, 0.8, np.nan],
        "high": [0.9, 0.85, 0.65, np.nan, 0.95, np.nan],
        "otherwise": [0.2, 0.3, 0.5, np.nan, np.nan, np.nan],
    },
    index=pd.Index([*LABELS, "all"], name="label"),
).astype({"customers": "Int64"})
CHANCES = pd.DataFrame({"start": [0.0, 0.25, 0.5, 0.75], "end": [0.25, 0.5, 0.75, 1.0], "customers": [10, 20, 30, 40]})


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(axes):
    """Return the alternative text of a figure that can be drawn."""
    axes.figure.canvas.draw()
    return alternative_text(axes)


def test_importance_is_drawn_largest_on_top_and_chance_looks_otherwise() -> None:
    axes = plot_importance(IMPORTANCE)
    text = drawn(axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(IMPORTANCE["group"])
    bars = [bar for container in axes.containers for bar in container.get_children() if hasattr(bar, "get_hatch")]
    bars = [bar for bar in bars if hasattr(bar, "get_width")]
    assert [bar.get_width() for bar in bars] == [0.35, 0.01, -0.02]
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in bars}) == 3
    assert "how much lately +35% (+30% to +40%)" in text
    assert "+1% (-1% to +3%, within chance)" in text
    assert "region -2% (-3% to -1%, better without)" in text


def test_importance_without_figures_says_so() -> None:
    few = IMPORTANCE.assign(share=np.nan, low=np.nan, high=np.nan, reading=TOO_FEW)
    assert "too few customers" in drawn(plot_importance(few))


def test_curves_share_one_scale_and_their_ends_are_told() -> None:
    axes = plot_dependence(CURVES, unit="GBP")
    text = drawn(axes)
    panels = axes.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["how much lately", "πόσο συχνά", "days observed"]
    assert len({panel.get_ylim() for panel in panels}) == 1
    assert "πόσο συχνά: from 0 to 50 the mean forecast goes from 5.00 to 4.00 GBP (lowest 4.00, highest 9.00)" in text
    assert "no effect" in text
    strokes = panels[0].lines[1].get_xdata()
    assert strokes == pytest.approx([0, 4, 8, 20, 40])  # at the fifth to the ninth tenth


def test_features_without_a_curve_are_left_out_and_counted() -> None:
    empty = pd.DataFrame({"feature": ["region"], "value": [np.nan], "forecast": [np.nan], "below": [np.nan]})
    text = drawn(plot_dependence(pd.concat([CURVES, empty]), unit="GBP"))
    assert text.endswith("1 feature is left out: it is about too few customers, or would give such away.")
    assert "No feature has a curve" in drawn(plot_dependence(empty, unit="GBP"))
    assert len(plot_dependence(CURVES[CURVES["feature"] == "days observed"], unit="").figure.axes) == 1


def test_what_may_be_lost_is_drawn_to_the_left_and_what_may_be_won_to_the_right() -> None:
    axes = plot_outlook(OUTLOOK, currency="GBP")
    text = drawn(axes)
    assert [container[0].get_width() for container in axes.containers] == [-4000, -1500, 900.5]
    assert [note.get_text() for note in axes.texts] == ["−4,000", "−1,500", "+900"]
    assert "likely to leave: 40 customers, 4,000 GBP; expected to fall: 30 customers, 1,500 GBP" in text


def test_hidden_labels_are_left_out_and_counted() -> None:
    hidden = OUTLOOK.astype({"customers": "Int64"})
    hidden.loc[[FALL, GROW, SAME]] = [pd.NA, np.nan]
    text = drawn(plot_outlook(hidden, currency="GBP"))
    assert "expected to fall" not in text
    assert "2 labels are left out" in text
    assert "No money is at stake" in drawn(plot_outlook(OUTLOOK.assign(at_stake=0.0), currency="GBP"))
    hidden.loc[LEAVE] = [pd.NA, np.nan]
    assert "3 labels are left out" in drawn(plot_outlook(hidden, currency="GBP"))


def test_labels_stand_beside_all_other_customers() -> None:
    axes = plot_outlook_accuracy(ACCURACY)
    text = drawn(axes)
    assert "likely to leave: 80% spent next to nothing (65% to 90%), all others 20%" in text
    assert f"{SILENT}: 90% spent next to nothing (80% to 95%)." in text
    assert GROW not in text
    assert "left out" not in text  # nobody was labelled so
    assert axes.get_yticklabels()[1].get_text() == "expected to fall (30)\nfell"


def test_hidden_accuracy_is_left_out_and_counted() -> None:
    hidden = ACCURACY.copy()
    hidden.loc[[FALL, LEAVE]] = [pd.NA, np.nan, np.nan, np.nan, np.nan]
    assert "2 labels are left out" in drawn(plot_outlook_accuracy(hidden))
    assert "No label can be set against" in drawn(plot_outlook_accuracy(hidden.loc[[FALL, LEAVE]]))


def test_chances_are_bars_with_those_likely_to_leave_marked() -> None:
    axes = plot_chances(CHANCES, least_chance=0.5)
    text = drawn(axes)
    assert [bar.get_height() for bar in axes.containers[0]] == [10, 20, 30, 40]
    assert [bool(bar.get_hatch()) for bar in axes.containers[0]] == [True, True, False, False]
    assert (
        "Bars of 100 customers by chance of being active: most, 40, between 75% and 100%; 30% lie in steps below 50%"
        in text
    )


def test_steps_about_too_few_are_left_out_and_no_chances_say_so() -> None:
    hidden = CHANCES.astype({"customers": "Int64"})
    hidden.loc[[0, 1], "customers"] = pd.NA
    assert "2 steps are left out" in drawn(plot_chances(hidden, least_chance=0.5))
    assert "No chance of being active" in drawn(plot_chances(CHANCES.assign(customers=0), least_chance=0.5))
