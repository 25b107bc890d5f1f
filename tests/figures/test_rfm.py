"""The RFM grid draws every segment's frame and says in words what it shows."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.rfm import plot_rfm_grid
from crm_analysis.models.segmentation.rfm import named_grid, rfm_cells


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def scores():
    """A hundred customers: sixty hibernate, thirty are champions, ten are new."""
    pairs = [(1, 1)] * 50 + [(2, 2)] * 10 + [(5, 5)] * 27 + [(5, 4)] * 3 + [(5, 1)] * 10
    return pd.DataFrame(pairs, columns=["r_score", "f_score"])


def frames(axes):
    """Return every frame's place, and the hatched ones."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [patch.get_bbox().bounds for patch in found if not patch.get_hatch()], [
        patch.get_bbox().bounds for patch in found if patch.get_hatch()
    ]


def test_every_segment_has_its_frame_name_and_share(scores):
    axes = plot_rfm_grid(rfm_cells(scores))
    outlines, hatched = frames(axes)
    assert sum(width * height for _, _, width, height in outlines) == 25
    assert len(outlines) == 10
    assert not hatched
    said = {" ".join(text.get_text().split()) for text in axes.texts}
    assert {"Champions 30%", "Hibernating 60%", "New customers 10%", "At risk 0%"} <= said
    assert {name for name in named_grid().index if any(text.startswith(name) for text in said)} == set(
        named_grid().index
    )
    values = axes.collections[0].get_array().reshape(5, 5)
    assert values[0].tolist() == [0.1, 0, 0, 0.03, 0.27]  # the most recent are on top
    assert values[4, 0] == 0.5


def test_what_is_small_is_hatched_and_not_said(scores):
    axes = plot_rfm_grid(rfm_cells(scores, min_cell=5))
    _, hatched = frames(axes)
    assert hatched == [(3, 0, 2, 1)]  # the champions: one of their cells is about three customers
    assert any("Champions\n30%" in text.get_text() for text in axes.texts)
    assert "Hibernating 60%, Champions 30%, New customers 10%" in alternative_text(axes)
    few = alternative_text(plot_rfm_grid(rfm_cells(scores, min_cell=11)))
    assert "2 segments are left out" in few


def test_a_grid_without_a_shown_segment_says_so(scores):
    cells = rfm_cells(scores).assign(share_of_customers=float("nan"), segment_share=float("nan"))
    text = alternative_text(plot_rfm_grid(cells))
    assert text == (
        "The RFM grid shows no segment. 10 segments are left out: they are about too few customers, or would give such away."
    )
