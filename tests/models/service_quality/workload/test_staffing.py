"""Claims about agents and waiting: they agree with published figures, with a simulated queue, and with common sense."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from crm_analysis.models.service_quality.workload import (
    Staffing,
    agents_needed,
    erlang_c,
    mean_wait_hours,
    service_level,
)

SECOND = 1 / 3600


def test_one_server_makes_wait_as_often_as_it_is_busy() -> None:
    for load in (0.01, 0.3, 0.9):
        assert erlang_c(load, 1.0, 1) == pytest.approx(load)


def test_two_servers_agree_with_the_closed_form() -> None:
    for load in (0.2, 1.0, 1.9):
        assert erlang_c(load, 1.0, 2) == pytest.approx(load**2 / (2 + load))


def test_the_sum_of_the_definition_is_found() -> None:
    load, agents = 7.3, 9
    below = sum(load**k / math.factorial(k) for k in range(agents))
    full = load**agents / math.factorial(agents) * agents / (agents - load)
    assert erlang_c(load * 4, 0.25, agents) == pytest.approx(full / (below + full), rel=1e-12)


def test_the_published_eye_clinic_waits_four_27ths_of_an_hour() -> None:
    assert mean_wait_hours(6, 1 / 3, 3) == pytest.approx(4 / 27)  # Gross, Harris (1998), section 2.3


def test_a_well_known_call_centre() -> None:
    # 360 calls of 4 minutes in half an hour, 55 agents: 24 % wait, 8.2 seconds on average, 87 % occupancy
    assert erlang_c(720, 240 * SECOND, 55) == pytest.approx(0.239, abs=5e-4)
    assert mean_wait_hours(720, 240 * SECOND, 55) / SECOND == pytest.approx(8.2, abs=0.05)


def test_a_simulated_queue_waits_as_long() -> None:
    rng = np.random.default_rng(4)
    n_calls, agents, arrivals, handling = 200_000, 6, 33.0, 0.12
    came = np.cumsum(rng.exponential(1 / arrivals, n_calls))
    taken = rng.exponential(handling, n_calls)
    free_at, waits = [0.0] * agents, np.empty(n_calls)
    for call in range(n_calls):
        begins = max(came[call], heapq.heappop(free_at))
        waits[call] = begins - came[call]
        heapq.heappush(free_at, begins + taken[call])
    expected = {
        erlang_c(arrivals, handling, agents): waits > 0,
        mean_wait_hours(arrivals, handling, agents): waits,
        service_level(arrivals, handling, agents, answer_hours=0.02): waits <= 0.02,
    }
    for value, observed in expected.items():  # waits beside each other are alike: means of stretches tell the error
        stretches = observed.reshape(25, -1).mean(axis=1)
        error = stretches.std(ddof=1) / 5
        assert error < 0.05 * value
        assert abs(observed.mean() - value) < 3.5 * error


def test_more_agents_than_load_are_needed_and_else_nobody_is_answered() -> None:
    assert erlang_c(10, 1, 10) == 1.0
    assert service_level(10, 1, 10, answer_hours=1) == 0.0
    assert mean_wait_hours(10, 1, 10) == math.inf


@pytest.mark.parametrize("load", [0.01, 3.7, 55.0, 4000.0])
def test_one_agent_fewer_would_not_do(load: float) -> None:
    found = agents_needed(load, 1.0, answer_share=0.8, answer_hours=20 * SECOND)
    assert service_level(load, 1.0, found.agents, answer_hours=20 * SECOND) == pytest.approx(found.answered_in_time)
    assert found.answered_in_time >= 0.8
    if found.agents > 1:
        assert service_level(load, 1.0, found.agents - 1, answer_hours=20 * SECOND) < 0.8


def test_thousands_of_agents_are_no_difficulty() -> None:
    assert 0 < erlang_c(50_000, 0.2, 10_050) < 1
    assert erlang_c(50_000, 0.2, 100_000) == pytest.approx(0.0, abs=1e-12)


def test_occupancy_and_absence_ask_for_more() -> None:
    plain = agents_needed(300, 0.2, answer_share=0.8, answer_hours=20 * SECOND)
    eased = agents_needed(300, 0.2, answer_share=0.8, answer_hours=20 * SECOND, max_occupancy=0.8, shrinkage=0.3)
    assert plain.agents < eased.agents == 75  # a load of 60 at 80 %
    assert eased.occupancy == pytest.approx(0.8)
    assert eased.scheduled == math.ceil(75 / 0.7)


def test_nobody_is_needed_where_nobody_comes() -> None:
    assert agents_needed(0.0, 0.2, answer_share=0.8, answer_hours=0.01) == Staffing(0, 0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arrivals_per_hour": -1.0}, "arrivals_per_hour must be a number of at least 0, got -1.0"),
        ({"arrivals_per_hour": math.nan}, "arrivals_per_hour must be a number of at least 0, got nan"),
        ({"arrivals_per_hour": math.inf}, "arrivals_per_hour must be a number of at least 0, got inf"),
        ({"arrivals_per_hour": 1e12}, "more than this is made for"),
        ({"handling_hours": 0.0}, "handling_hours must be a number above 0, got 0.0"),
        ({"answer_share": 1.0}, "answer_share must lie between 0 and 1, got 1.0"),
        ({"answer_hours": -1.0}, "answer_hours must not be negative, got -1.0"),
        ({"max_occupancy": 0.0}, "max_occupancy must lie above 0 and at most at 1, got 0.0"),
        ({"shrinkage": 1.0}, "shrinkage must be at least 0 and below 1, got 1.0"),
    ],
)
def test_wrong_values_are_named(given: dict[str, float], message: str) -> None:
    whole = {"arrivals_per_hour": 10.0, "handling_hours": 0.2, "answer_share": 0.8, "answer_hours": 0.01} | given
    with pytest.raises(ValueError, match=message):
        agents_needed(**whole)


def test_a_queue_without_agents_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="agents must be at least 1, got 0"):
        erlang_c(1, 1, 0)
    with pytest.raises(ValueError, match="answer_hours must not be negative"):
        service_level(1, 1, 2, answer_hours=-1)
