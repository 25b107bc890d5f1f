"""The figures of topics draw their tables, leave hidden topics out, and say in words what they show."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from crm_analysis.figures.display import ACCENT, MUTED, alternative_text
from crm_analysis.figures.topics import plot_all_topics, plot_topic_trends, plot_topics
from crm_analysis.models.text import Topics

NAMES = ["late, parcel $x$, <b>", "退款, 发票", "пароль, вход", "hidden, topic"]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def topics():
    index = pd.Index(NAMES, name="topic")
    return pd.DataFrame({"share": [0.5, 0.3, 0.2, np.nan], "is_stable": [True, False, True, True]}, index=index)


@pytest.fixture
def outcomes():
    rows = [
        (NAMES[0], 0.4, 0.3, 0.5, 0.001),
        (NAMES[1], 0.2, 0.1, 0.3, 0.2),
        (NAMES[2], np.nan, np.nan, np.nan, np.nan),
    ]
    table = pd.DataFrame(rows, columns=["topic", "share", "low", "high", "p_value"])
    return table.assign(outcome="low satisfaction", share_rest=0.25)


@pytest.fixture
def trends():
    index = pd.Index(NAMES, name="topic")
    reading = ["rises", "no change beyond chance", "too few customers", "too few customers"]
    return pd.DataFrame(
        {"share_early": [0.4, 0.3, np.nan, np.nan], "share_late": [0.6, 0.3, 0.2, np.nan], "reading": reading},
        index=index,
    )


@pytest.fixture
def by_period():
    periods = pd.date_range("2017-01-01", periods=3, freq="MS")
    shares = {
        NAMES[0]: [0.4, 0.5, 0.6],
        NAMES[1]: [0.3, np.nan, 0.3],
        NAMES[2]: [0.3, 0.2, 0.1],
        NAMES[3]: [np.nan] * 3,
    }
    return pd.concat(pd.DataFrame({"period": periods, "topic": name, "share": own}) for name, own in shares.items())


def test_bars_are_shares_the_largest_on_top_and_grey_where_not_stable(topics):
    axes = plot_topics(topics)
    assert [bar.get_width() for bar in axes.patches] == [0.2, 0.3, 0.5]
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == [ACCENT, MUTED, ACCENT]
    axes.figure.canvas.draw()  # neither formulas nor missing glyphs
    assert [label.get_text() for label in axes.get_yticklabels()][1:] == ["topic 2", "late, parcel $x$, <b>"]
    assert len(axes.figure.axes) == 1


def test_the_text_tells_shares_outcomes_and_what_is_left_out(topics, outcomes):
    axes = plot_topics(topics, outcomes)
    axes.figure.canvas.draw()
    assert len(axes.figure.axes) == 2
    assert alternative_text(axes) == (
        "Topics by their share of texts: late, parcel $x$, <b> 50%; 退款, 发票 30%; пароль, вход 20%. 1 of them in grey: not found "
        "again in halves of the texts. Low satisfaction: late, parcel $x$, <b> 40% (30% to 50%); 退款, 发票 20% (10% to 30%); 1 beyond "
        "chance. 1 topic is left out: it is about too few customers, or would give such away. In the picture, topic 2 is 退款, 发票."
    )


def test_only_as_many_topics_are_drawn_as_asked_for(topics, outcomes):
    axes = plot_topics(topics, outcomes, most=1)
    assert len(axes.patches) == 1
    assert "2 more are not drawn" in alternative_text(axes)


def test_each_topic_has_a_panel_with_a_gap_where_a_share_is_hidden(by_period, trends):
    axes = plot_topic_trends(by_period, trends)
    axes.figure.canvas.draw()
    panels = axes.figure.axes
    assert len(panels) == 3
    np.testing.assert_array_equal(panels[1].lines[0].get_ydata(), [0.3, np.nan, 0.3])
    assert panels[0].lines[0].get_color() != panels[1].lines[0].get_color()
    assert alternative_text(axes) == (
        "Share of texts from the first to the last third of the time: late, parcel $x$, <b> 40% to 60% (rises); 退款, 发票 30% to 30% (no "
        "change beyond chance); пароль, вход (too few customers). 1 topic is left out: it is about too few customers, or would give "
        "such away. In the picture, topic 2 is 退款, 发票."
    )


def test_all_of_the_topics_is_two_pictures_and_without_any_the_reason_alone(topics, outcomes, trends, by_period):
    empty = pd.DataFrame()
    written = Topics(4, topics, empty, trends, by_period, outcomes, empty, empty, empty, 0.9, (), ())
    told = [alternative_text(axes) for axes in plot_all_topics(written)]
    assert told[0] == alternative_text(plot_topics(topics, outcomes))
    assert told[1] == alternative_text(plot_topic_trends(by_period, trends))
    none = replace(written, n_topics=0, topics=topics[:0], outcomes=outcomes[:0])
    assert [alternative_text(axes) for axes in plot_all_topics(none)] == ["There are no topics to show."]


def test_without_topics_the_figures_say_so(topics, by_period, trends):
    assert alternative_text(plot_topics(topics.iloc[:0])) == "There are no topics to show."
    assert (
        alternative_text(plot_topic_trends(by_period.iloc[:0], trends.iloc[:0]))
        == "No topic has shares to show over time."
    )
    assert "too few customers" in alternative_text(plot_topics(topics.iloc[3:]))
