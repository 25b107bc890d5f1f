"""Figures of movement draw every flow that may be shown, and say in words what they show."""

import itertools
from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import PathPatch

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.movement import plot_migration_flow, plot_migration_matrix
from crm_analysis.models.segmentation.movement import no_movement, segment_movement


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def table(places, *, tenure=170):
    """Customers whose spend is the place of their segment."""
    spends = np.asarray(places, dtype=float)
    index = pd.Index([f"c{at:04d}" for at in range(len(spends))], name="customer_id")
    columns = {"recency_days": 20, "frequency": 2, "spend": spends, "monetary_value": spends / 2}
    return pd.DataFrame({**columns, "tenure_days": tenure, "observed_days": min(180, tenure + 1)}, index=index)


def movement_of(before, after, order, *, min_cell=1, **given):
    def assign(features):
        return pd.Series(
            np.array(order, dtype=object)[features["spend"].clip(0, len(order) - 1).astype(int)], features.index
        )

    days = {"as_of_before": date(2024, 6, 1), "as_of": date(2024, 8, 30), "history_days": 180}
    settings = {"order": order, "seed": 0, "n_bootstraps": 50, "n_draws": 10, "min_cell": min_cell}
    return segment_movement(before, after, assign, **days, **settings, **given)


@pytest.fixture
def movement():
    before = table([0] * 10 + [1] * 20)
    after = pd.concat([table([0] * 6 + [1] * 4 + [0] * 5 + [1] * 12), table([1] * 7, tenure=20).rename("n{}".format)])
    return movement_of(before, after.rename_axis("customer_id"), ["Big $pender$", "<Small>"])


def ribbons(axes):
    return [patch for patch in axes.patches if isinstance(patch, PathPatch)]


def words(axes):
    return [text.get_text().replace("\n", " ") for text in axes.texts]


def test_a_ribbon_a_flow_as_wide_as_its_customers(movement):
    axes = plot_migration_flow(movement)
    heights = sorted(patch.get_path().vertices[7][1] - patch.get_path().vertices[0][1] for patch in ribbons(axes))
    assert np.array(heights) / heights[0] == pytest.approx(np.array([3, 4, 5, 6, 7, 12]) / 3)
    assert "Big $pender$ (10)" in words(axes)
    assert "<Small> (23)" in words(axes)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["moved up", "stayed", "moved down", "dropped out", "arrived"]


def test_ribbons_fill_the_bars_and_do_not_overlap(movement):
    vertices = [patch.get_path().vertices for patch in ribbons(plot_migration_flow(movement))]
    for start, end in ((0, 7), (3, 4)):
        spans = sorted((line[start][1], line[end][1]) for line in vertices)
        assert all(one[1] <= next_one[0] + 1e-9 for one, next_one in itertools.pairwise(spans))
        assert spans[-1][1] <= 1 + 1e-9


def test_the_flow_in_words(movement):
    assert alternative_text(plot_migration_flow(movement)) == (
        "Flow of customers from their segments on 2024-06-01 to those on 2024-08-30: 17% moved up, 60% stayed, 13% moved down, "
        "10% dropped out. Largest flows: first purchase since to <Small> (7); <Small> to Big $pender$ (5); Big $pender$ to <Small> (4)."
    )


def test_small_flows_are_left_out_and_said(movement):
    before = table([0] * 10 + [1] * 20)
    hidden = movement_of(before, table([0] * 8 + [1] * 2 + [0] * 6 + [1] * 14), ["a", "b"], min_cell=5)
    n_hidden = int(hidden.matrix.isna().sum().sum())
    assert n_hidden > 0
    for axes in (plot_migration_flow(hidden), plot_migration_matrix(hidden)):
        assert "left out: " in alternative_text(axes)
    assert len(ribbons(plot_migration_flow(hidden))) == int((hidden.matrix.fillna(0) > 0).sum().sum())


def test_the_matrix_shows_shares_of_the_row_and_marks(movement):
    cells = movement.chance.cells.assign(against="no more than chance")
    cells.loc[0, "against"] = "more than chance"
    cells.loc[3, "against"] = "fewer than chance"
    object.__setattr__(movement.chance, "cells", cells)
    axes = plot_migration_matrix(movement)
    assert words(axes) == ["60% ▲", "40%", "0%", "25% ▼", "60%", "15%", "0%", "100%", "0%"]
    assert alternative_text(axes) == (
        "Where the customers of each segment on 2024-06-01 were on 2024-08-30, as shares of the row. Still in the same segment: "
        "Big $pender$ 60%, <Small> 60%. Above chance: Big $pender$ to Big $pender$. Below chance: <Small> to Big $pender$."
    )


def test_without_chance_the_matrix_says_so():
    movement = movement_of(table([0, 1]), table([0, 1]), ["a", "b"], columns=["other"])
    assert "Chance could not be worked out" in alternative_text(plot_migration_matrix(movement))


def test_ten_segments_of_any_script_are_drawn_without_a_warning():
    order = [f"Группа {at} με $x_{at}$ <b>" for at in range(10)]
    rng = np.random.default_rng(0)
    movement = movement_of(table(rng.integers(0, 10, 400)), table(rng.integers(0, 10, 380)), order)
    for axes in (plot_migration_flow(movement), plot_migration_matrix(movement)):
        axes.figure.canvas.draw()
        assert order[9] in alternative_text(axes) or "Largest flows" in alternative_text(axes)


@pytest.mark.parametrize(
    ("before", "after", "min_cell"), [([0], [0], 1), ([0] * 3, [0] * 3, 5), ([0, 1], [], 1), ([0, 1], [1, 0], 1)]
)
def test_the_smallest_movements_are_drawn(before, after, min_cell):
    movement = movement_of(table(before), table(after), ["a", "b"], min_cell=min_cell)
    for axes in (plot_migration_flow(movement), plot_migration_matrix(movement)):
        axes.figure.canvas.draw()
        assert "2024-06-01" in alternative_text(axes)


def test_no_movement_is_an_empty_picture_with_the_reason():
    nothing = no_movement("The data are too short.", as_of_before=date(2024, 6, 1), as_of=date(2024, 8, 30))
    for plot in (plot_migration_flow, plot_migration_matrix):
        axes = plot(nothing)
        axes.figure.canvas.draw()
        assert "The data are too short." in alternative_text(axes)
