"""The figure of lifts draws its table, keeps hidden cells blank, and says in words what it shows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.needs import plot_need_lifts


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def lifts():
    rows = [
        ("Te_a & $spices$ <b>", "чай", 0.6, 2.0, 0.5),
        ("Te_a & $spices$ <b>", "$rice$", 0.0, 0.0, 0.2),
        ("Te_a & $spices$ <b>", 'a "b" & <c>', 0.4, 1.0, 0.0),
        ('Little "tea"', "чай", 0.1, 0.5, 0.1),
        ('Little "tea"', "$rice$", np.nan, np.nan, np.nan),
        ('Little "tea"', 'a "b" & <c>', 0.5, 12.0, 0.4),
    ]
    return pd.DataFrame(rows, columns=["need", "category", "share_of_group", "lift", "weight"])


def cells(axes):
    mesh = axes.collections[0]
    return np.ma.filled(mesh.get_array(), np.nan).reshape(len(axes.get_yticks()), -1)


def test_lifts_are_drawn_by_their_logarithm_with_hidden_cells_blank(lifts):
    axes = plot_need_lifts(lifts)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["чай", 'a "b" & <c>', "$rice$"]
    np.testing.assert_array_equal(cells(axes), [[1, 0, -2], [-1, 2, np.nan]])
    assert [text.get_text() for text in axes.texts] == ["2.0", "1.0", "0.0", "0.5", "12"]
    axes.figure.canvas.draw()  # names with dollars are no formulas
    assert not any(label.get_parse_math() for label in [*axes.get_xticklabels(), *axes.get_yticklabels()])


def test_the_text_tells_what_sets_each_group_apart(lifts):
    assert alternative_text(plot_need_lifts(lifts)) == (
        "Shares of spend over those of all customers; what sets each group apart most: Te_a & $spices$ <b>: чай 2.0 (60% of its "
        'spend), $rice$ 0.0 (0% of its spend); Little "tea": a "b" & <c> 12.0 (50% of its spend), чай 0.5 (10% of its spend). '
        "1 cell is left out: it is about too few customers, or would give such away."
    )


def test_only_the_categories_that_weigh_most_are_drawn(lifts):
    axes = plot_need_lifts(lifts, most=1)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["чай"]


def test_groups_that_are_hidden_have_no_row(lifts):
    hidden = lifts.assign(**{name: lifts[name].where(lifts.index < 3) for name in ("share_of_group", "lift", "weight")})
    axes = plot_need_lifts(hidden)
    assert len(axes.get_yticklabels()) == 1


def test_without_lifts_the_figure_says_so(lifts):
    assert alternative_text(plot_need_lifts(lifts.iloc[:0])) == "No category sets groups apart."
    assert alternative_text(plot_need_lifts(lifts.assign(weight=0.0))) == "No category sets groups apart."
