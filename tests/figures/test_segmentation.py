"""Figures of the segmentation report draw their table and say in words what it shows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.segmentation import (
    plot_criteria,
    plot_neighbour_distances,
    plot_profiles,
    plot_segment_map,
    plot_silhouettes,
)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def criteria():
    return pd.DataFrame(
        {
            "silhouette": [0.4, 0.62, 0.5],
            "reference_silhouette": [0.35, 0.3, 0.28],
            "stability_ari": [0.9, 0.97, 0.6],
            "choice": ["", "chosen", ""],
        },
        index=pd.Index([2, 3, 4], name="n_groups"),
    )


@pytest.fixture
def plane():
    return pd.DataFrame(
        {
            "component_1": [1.0, 3.0, -2.0, 9.0],
            "component_2": [0.0, 0.0, 1.0, 9.0],
            "segment": ["Big $spenders$", "Big $spenders$", "Lapsed buyers", "noise"],
            "variance_shown": 0.874,
        }
    )


def drawn(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def test_criteria_draw_each_number_of_groups_and_mark_the_chosen_one(criteria):
    axes = plot_criteria(criteria, min_stability=0.8)
    assert drawn(axes, "silhouette") == ([2, 3, 4], [0.4, 0.62, 0.5])
    assert drawn(axes, "silhouette of data without groups") == ([2, 3, 4], [0.35, 0.3, 0.28])
    assert drawn(axes, "stability") == ([2, 3, 4], [0.9, 0.97, 0.6])
    assert drawn(axes, "chosen")[0] == [3, 3]
    assert alternative_text(axes) == (
        "From 2 to 4 groups, stability goes from 0.90 to 0.60, the silhouette goes from 0.40 to 0.50, that of data without "
        "groups goes from 0.35 to 0.28. 3 groups are chosen: silhouette 0.62 against 0.30, stability 0.97 where 0.80 is asked "
        "for."
    )


def test_criteria_that_were_not_tried_say_so(criteria):
    assert alternative_text(plot_criteria(criteria.iloc[:0], min_stability=0.8)) == "No number of groups was tried."


def test_the_map_has_a_point_a_customer_and_its_caveat(plane):
    axes = plot_segment_map(plane)
    points = {group.get_label(): group.get_offsets().tolist() for group in axes.collections}
    assert points["Big $spenders$"] == [[1.0, 0.0], [3.0, 0.0]]
    assert points["noise"] == [[9.0, 9.0]]
    text = alternative_text(axes)
    assert "keeps 87% of their variance" in text
    assert "Big $spenders$ (2 points) around 2.0, 0.0" in text
    assert "may be apart in what the plane leaves out" in text


def test_names_of_segments_are_not_read_as_formulas(plane, tmp_path):
    axes = plot_segment_map(plane.assign(segment="a $\\frac{b$"))
    axes.figure.savefig(tmp_path / "map.png")


def test_more_segments_than_colours_still_look_different():
    names = [f"segment {number}" for number in range(14)]
    plane = pd.DataFrame({"component_1": range(14), "component_2": 0.0, "segment": names, "variance_shown": 1.0})
    looks = [
        (tuple(group.get_facecolor()[0]), group.get_paths()[0].vertices.shape)
        for group in plot_segment_map(plane).collections
    ]
    assert len(set(looks)) == 14


def test_profiles_draw_the_given_numbers_and_say_what_sets_rows_apart():
    positions = pd.DataFrame(
        {"recency_days": [-0.94, 0.01], "monetary_value": [0.2, -0.04]},
        index=pd.Index(["Recent buyers", "Others"], name="segment"),
    )
    axes = plot_profiles(positions)
    assert [text.get_text() for text in axes.texts] == ["-0.9", "+0.2", "+0.0", "+0.0"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Recent buyers", "Others"]
    assert alternative_text(axes) == (
        "Medians against all customers in standard deviations; what sets each apart most: Recent buyers: recency days -0.9; "
        "Others: nothing."
    )


def test_profiles_without_features_say_so():
    assert (
        alternative_text(plot_profiles(pd.DataFrame(index=["All customers"])))
        == "No feature varies between the customers."
    )


def test_distances_are_drawn_with_the_radius():
    share = np.array([0.25, 0.5, 0.75, 1.0])
    table = pd.DataFrame({"share_of_customers": share, "distance": [0.1, 0.2, 0.3, 2.0], "radius": 0.3})
    axes = plot_neighbour_distances(table)
    assert axes.lines[0].get_ydata().tolist() == [0.1, 0.2, 0.3, 2.0]
    assert "half of the customers are within 0.25 standard deviations" in alternative_text(axes)
    assert "bends at 0.30, DBSCAN's radius, below which 75% of the customers lie" in alternative_text(axes)
    assert alternative_text(plot_neighbour_distances(table.iloc[:0])) == "No distances were measured."


def test_profiles_of_a_single_row_fit_the_picture(tmp_path):
    axes = plot_profiles(pd.DataFrame({"recency_days": [0.0]}, index=["All customers"]))
    axes.figure.savefig(tmp_path / "profiles.png")


def test_rows_without_figures_are_left_out_and_it_is_said():
    positions = pd.DataFrame(
        {"recency_days": [-0.9, np.nan, np.nan], "frequency": [0.2, np.nan, np.nan]}, index=["Recent", "Few", "Next"]
    )
    axes = plot_profiles(positions)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Recent"]
    assert alternative_text(axes).endswith(
        "2 rows are left out: they are about too few customers, or would give such away."
    )
    nothing = plot_profiles(positions.iloc[1:])
    nothing.figure.canvas.draw()
    assert "2 rows are left out" in alternative_text(nothing)


def test_a_map_of_means_says_so(plane):
    axes = plot_segment_map(plane.assign(customers=[7, 5, 6, 9]))
    text = alternative_text(axes)
    assert text.startswith("4 means of 5 or more neighbouring customers each, on a plane")
    assert "Big $spenders$ (2 means) around 2.0, 0.0" in text
    assert "empty map" in alternative_text(plot_segment_map(plane.iloc[:0]))


def test_distances_of_neighbours_together_name_no_single_one():
    table = pd.DataFrame({"share_of_customers": [0.3, 0.8], "distance": [0.1, 2.0], "radius": 0.3, "customers": [5, 5]})
    assert "those farthest apart on average 2.00" in alternative_text(plot_neighbour_distances(table))


def test_silhouettes_are_drawn_by_segment_and_told():
    table = pd.DataFrame(
        {
            "segment": ["$A_1$", "$A_1$", "B <b>"],
            "place": [0.5, 1.0, 1.0],
            "silhouette": [0.5, -0.1, 0.3],
        }
    )
    axes = plot_silhouettes(table)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["$A_1$", "B <b>"]
    text = alternative_text(axes)
    assert "$A_1$: mean 0.20, 50% nearer to another segment" in text
    assert "B <b>: mean 0.30, 0% nearer" in text
    means = table.assign(customers=[5, 15, 5])
    assert "$A_1$: mean 0.05, 75% nearer to another segment" in alternative_text(plot_silhouettes(means))
    assert "No silhouettes" in alternative_text(plot_silhouettes(table.iloc[:0]))
