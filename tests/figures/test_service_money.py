"""Claims about the figures of service and money: they show what the tables say, and say so in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_money import plot_change, plot_value
from crm_analysis.models.service_quality.money import ServiceAndMoney
from crm_analysis.models.service_quality.money.result import CHANGE_COLUMNS, MEASURES, WITH_GOOD_CASE
from crm_analysis.models.service_quality.money.value import GROUPS

ROW = [50, 60, 100.0, 80.0, 101.0, 99.0, -18.0, -30.0, -6.0, -0.18, -0.3, -0.06, 1.0, -5.0, 7.0, 0.1]
FOUND = ServiceAndMoney(
    window_days=90,
    value_days=365,
    n_customers=100,
    value=pd.DataFrame(
        {
            "customers": [50, 30, 15, 5],
            "spend": [500.0, 300.0, 150.0, 50.0],
            "share_of_spend": [0.5, 0.3, 0.15, 0.05],
            "mean_spend": [10.0, 10.0, 10.0, 10.0],
        },
        index=pd.Index(GROUPS, name="experience"),
    ),
    change=pd.DataFrame(
        [ROW, ROW],
        columns=list(CHANGE_COLUMNS),
        index=pd.MultiIndex.from_product([[WITH_GOOD_CASE], MEASURES], names=["compared_with", "measure"]),
    ),
    means=pd.DataFrame(
        [
            (WITH_GOOD_CASE, measure, group, window, mean, mean - 5, mean + 5)
            for measure in MEASURES
            for group, window, mean in (
                ("bad", "before", 100.0), ("bad", "after", 80.0), ("controls", "before", 101.0), ("controls", "after", 99.0),
            )
        ],
        columns=["compared_with", "measure", "group", "window", "mean", "low", "high"],
    ),
    balance=pd.DataFrame(),
    reason="",
)  # fmt: skip
NOTHING = replace(FOUND, change=FOUND.change.iloc[:0], value=FOUND.value.iloc[:0], reason="There are no $ purchases.")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(axes: plt.Axes) -> str:
    """Return the alternative text of a figure that can be drawn."""
    axes.figure.canvas.draw()
    return alternative_text(axes)


def test_both_groups_are_drawn_with_their_means_and_intervals() -> None:
    axes = plot_change(FOUND, currency="€")
    text = drawn(axes)
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    drawn_means = [list(container.lines[0].get_ydata()) for container in axes.containers]
    assert drawn_means == [[100.0, 80.0], [101.0, 99.0]]
    assert list(lines["bad experience, with the change of the matched"]) == [100.0, 98.0]
    assert "100 € and 80" in text
    assert "−18.00 (−30.00 to −6.00 with 95%)" in text


def test_purchase_days_have_no_currency() -> None:
    axes = plot_change(FOUND, measure="purchase_days", currency="€")
    assert "€" not in drawn(axes)
    assert axes.get_ylabel() == "purchase days per 30 days"


def test_shares_of_customers_and_revenue_are_bars() -> None:
    axes = plot_value(FOUND, currency="€")
    text = drawn(axes)
    customers, revenue = (([bar.get_width() for bar in container]) for container in axes.containers)
    assert customers == [0.5, 0.3, 0.15, 0.05]
    assert revenue == [0.5, 0.3, 0.15, 0.05]
    assert "2 or more: 5 customers, 5% of revenue" in text


def test_hidden_groups_are_left_out_and_said_to_be() -> None:
    value = FOUND.value.astype("float64")
    value.iloc[2:] = np.nan
    axes = plot_value(replace(FOUND, value=value))
    assert len(axes.get_yticks()) == 2
    assert "2 groups are left out" in drawn(axes)


def test_where_nothing_is_known_the_reason_is_shown() -> None:
    for plot in (plot_change, plot_value):
        assert drawn(plot(NOTHING)) == "There are no $ purchases."
    hidden = replace(FOUND, value=FOUND.value.astype("float64") * np.nan)
    assert "no group may be told" in drawn(plot_value(hidden))
