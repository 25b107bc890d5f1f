"""Segment cards draw a panel a segment and say in words what sets each apart."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import ACCENT, MUTED, alternative_text
from crm_analysis.figures.segment_cards import plot_segment_cards


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def table(segments):
    rows = [
        (name, feature, middle + at / 10, middle + at / 10 - 0.2, middle + at / 10 + 0.2)
        for at, name in enumerate(segments)
        for feature, middle in (("recency_days", -1.0), ("monetary_value", 0.1))
    ]
    return pd.DataFrame(rows, columns=["segment", "feature", "difference_sd", "low_sd", "high_sd"])


def colours(axes):
    return {line.get_color(): line.get_ydata().tolist() for line in axes.lines if line.get_marker() == "o"}


def test_a_panel_a_segment_with_its_intervals():
    axes = plot_segment_cards(table(["Big $spenders$", "常客"]))
    panels = axes.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["Big $spenders$", "常客"]
    assert colours(panels[0]) == {ACCENT: [0], MUTED: [1]}  # grey where the interval holds zero
    assert [label.get_text() for label in axes.get_yticklabels()] == ["recency days", "monetary value"]
    spans = np.concatenate([[segment[:, 0] for segment in lines.get_segments()] for lines in panels[0].collections])
    assert spans.round(2).tolist() == [[-1.2, -0.8], [-0.1, 0.3]]
    assert alternative_text(axes) == (
        "Means against all customers in standard deviations; what sets each segment apart most: Big $spenders$: recency days "
        "-1.0 (-1.2 to -0.8); 常客: recency days -0.9 (-1.1 to -0.7)."
    )


@pytest.mark.parametrize("number", [1, 2, 4, 5, 9])
def test_titles_and_labels_do_not_overlap(number):
    axes = plot_segment_cards(table([f"Recent frequent big spenders, lower spend {at}" for at in range(number)]))
    figure = axes.figure
    figure.savefig(io.BytesIO(), format="png")
    panels = figure.axes
    assert len(panels) == number
    boxes = [panel.get_tightbbox() for panel in panels]
    for at, box in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert not box.padded(-2).overlaps(other.padded(-2))


def test_segments_without_figures_are_left_out_and_it_is_said():
    cards = table(["A", "B", "C"])
    cards.loc[cards["segment"] != "A", ["difference_sd", "low_sd", "high_sd"]] = np.nan
    axes = plot_segment_cards(cards)
    assert len(axes.figure.axes) == 1
    assert "2 segments are left out" in alternative_text(axes)
    none = plot_segment_cards(cards[cards["segment"] != "A"])
    assert alternative_text(none).startswith("No segment has figures to show. 2 segments")
