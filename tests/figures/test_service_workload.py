"""Claims about the figures of the workload: they show what the plan says, and say so in words."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest

from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.service_workload import plot_staffing, plot_volume
from crm_analysis.models.service_quality.workload import Workload, service_workload
from tests.models.service_quality.workload.desk import drawn_cases, drawn_counts

COUNTS = drawn_counts(200, mean=30, seed=1)
AS_OF = COUNTS.index[-1].date()


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def workload() -> Workload:
    return service_workload(drawn_cases(COUNTS, seed=1), as_of=AS_OF)


def drawn(axes: plt.Axes) -> str:
    """Return the alternative text of a figure that can be drawn."""
    axes.figure.canvas.draw()
    return alternative_text(axes)


def test_what_came_and_what_is_expected_are_lines(workload: Workload) -> None:
    axes = plot_volume(workload)
    text = drawn(axes)
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert list(lines["came"]) == COUNTS.iloc[-120:].tolist()
    assert list(lines["forecast, days ahead"]) == workload.plan.volume.ahead["forecast"].tolist()
    assert list(lines["forecast, hold-out"]) == workload.plan.volume.holdout["forecast"].tolist()
    assert f"{COUNTS.iloc[-120:].max():,.0f}" in text
    assert workload.sentences[0] in text


def test_each_cell_holds_its_agents(workload: Workload) -> None:
    axes = plot_staffing(workload)
    text = drawn(axes)
    grid = workload.staff_by_hour
    assert [label.get_text() for label in axes.texts] == [str(number) for number in grid.to_numpy().ravel()]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(grid.index)
    assert f"Monday: {grid.loc['Monday'].max()} at most, {grid.loc['Monday'].sum()} hours in all" in text


def test_hidden_days_and_hours_are_gaps_and_said_to_be() -> None:
    counts = drawn_counts(200, mean=6, seed=4)
    quiet = service_workload(drawn_cases(counts, seed=4, channels=("phone",)), as_of=AS_OF, min_cell=4)
    axes = plot_volume(quiet)
    assert "are left out: they are about too few customers" in drawn(axes)
    assert np.isnan(axes.get_lines()[0].get_ydata()).any()
    few = service_workload(drawn_cases(counts, seed=4, channels=("phone",)), as_of=AS_OF, min_cell=30)
    axes = plot_staffing(few)
    assert "hours are left out" in drawn(axes)
    assert len(axes.texts) == few.staff_by_hour.notna().to_numpy().sum() < few.staff_by_hour.size


def test_where_there_is_no_plan_the_reason_is_shown() -> None:
    nothing = service_workload(drawn_cases(COUNTS, seed=1).iloc[:0], as_of=AS_OF)
    for plot in (plot_volume, plot_staffing):
        assert drawn(plot(nothing)) == nothing.reason


def test_a_short_history_is_drawn_without_a_hold_out() -> None:
    counts = COUNTS.iloc[:20]
    axes = plot_volume(service_workload(drawn_cases(counts, seed=1), as_of=counts.index[-1].date()))
    drawn(axes)
    assert [line.get_label() for line in axes.get_lines()][:2] == ["came", "forecast, days ahead"]
