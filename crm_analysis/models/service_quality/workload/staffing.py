"""
How many agents a live channel needs: the queue with several servers and patient customers (Erlang C).

How many cases come belongs in :mod:`crm_analysis.models.service_quality.workload.volume`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_AGENTS = 1_000_000


@dataclass(frozen=True)
class Staffing:
    """
    What a number of agents does for a volume.

    Attributes
    ----------
    agents : int
        At work on cases.
    scheduled : int
        On the rota, so that this many are at work in spite of breaks, training and illness.
    occupancy : float
        Share of their time that agents spend on cases.
    answered_in_time : float
        Share of customers answered within the time promised.
    mean_wait_hours : float
        Average speed of answer, those who do not wait included.
    """

    agents: int
    scheduled: int
    occupancy: float
    answered_in_time: float
    mean_wait_hours: float


def erlang_c(arrivals_per_hour: float, handling_hours: float, agents: int) -> float:
    """
    Return the chance that a customer has to wait.

    Parameters
    ----------
    arrivals_per_hour : float
        Mean number of customers an hour.
    handling_hours : float
        Mean time that one takes.
    agents : int
        At work; 1 or more.

    Returns
    -------
    float
        From 0 to 1; 1 where the agents cannot keep up with the load.

    Notes
    -----
    Customers come at random (Poisson), handling times are exponential, nobody hangs up. The chance that all are busy if
    nobody could wait is summed up agent by agent, ``B(n) = a B(n-1) / (n + a B(n-1))`` with the load ``a``; then
    ``C = B / (1 - a/n (1 - B))``. No factorial is needed, so thousands of agents are no difficulty.

    References
    ----------
    Erlang (1917), "Solution of some problems in the theory of probabilities of significance in automatic telephone
    exchanges". Gross, Harris (1998), "Fundamentals of Queueing Theory", 3rd edition, section 2.3: six arrivals an hour, three
    servers of 20 minutes each give a mean wait of 4/27 hours.

    Examples
    --------
    >>> round(erlang_c(6, 1 / 3, 3), 4)
    0.4444
    >>> erlang_c(10, 1, 10)
    1.0
    """
    load = _load(arrivals_per_hour, handling_hours)
    if agents < 1:
        raise ValueError(f"agents must be at least 1, got {agents!r}")
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = _next_blocked(blocked, load, number)
    return _waiting(blocked, load, agents)


def service_level(arrivals_per_hour: float, handling_hours: float, agents: int, *, answer_hours: float) -> float:
    """
    Return the share of customers answered within a time.

    Parameters
    ----------
    arrivals_per_hour : float
        Mean number of customers an hour.
    handling_hours : float
        Mean time that one takes.
    agents : int
        At work.
    answer_hours : float
        The time.

    Returns
    -------
    float
        0 where the agents cannot keep up.

    Examples
    --------
    >>> round(service_level(720, 240 / 3600, 55, answer_hours=15 / 3600), 3)
    0.846
    """
    if not answer_hours >= 0:
        raise ValueError(f"answer_hours must not be negative, got {answer_hours!r}")
    load = _load(arrivals_per_hour, handling_hours)
    return _in_time(erlang_c(arrivals_per_hour, handling_hours, agents), load, agents, answer_hours / handling_hours)


def mean_wait_hours(arrivals_per_hour: float, handling_hours: float, agents: int) -> float:
    """
    Return the average speed of answer: the mean wait of all customers.

    Parameters
    ----------
    arrivals_per_hour : float
        Mean number of customers an hour.
    handling_hours : float
        Mean time that one takes.
    agents : int
        At work.

    Returns
    -------
    float
        Infinite where the agents cannot keep up.

    Examples
    --------
    >>> round(mean_wait_hours(6, 1 / 3, 3) * 27, 6)
    4.0
    """
    load = _load(arrivals_per_hour, handling_hours)
    waiting = erlang_c(arrivals_per_hour, handling_hours, agents)
    return waiting * handling_hours / (agents - load) if load < agents else math.inf


def agents_needed(
    arrivals_per_hour: float,
    handling_hours: float,
    *,
    answer_share: float,
    answer_hours: float,
    max_occupancy: float = 1.0,
    shrinkage: float = 0.0,
) -> Staffing:
    """
    Return the fewest agents who keep a service level.

    Parameters
    ----------
    arrivals_per_hour : float
        Mean number of customers an hour.
    handling_hours : float
        Mean time that one takes.
    answer_share : float
        Share of customers to be answered in time, above 0 and below 1.
    answer_hours : float
        The time.
    max_occupancy : float
        Largest share of their time that agents may spend on cases.
    shrinkage : float
        Share of paid time in which agents are not at work on cases, below 1.

    Returns
    -------
    Staffing
        No agents where nobody comes.

    Examples
    --------
    >>> agents_needed(720, 240 / 3600, answer_share=0.8, answer_hours=20 / 3600).agents
    54
    >>> agents_needed(0, 0.2, answer_share=0.8, answer_hours=0.01).scheduled
    0
    """
    _check_targets(answer_share, answer_hours, max_occupancy, shrinkage)
    load = _load(arrivals_per_hour, handling_hours)
    if load == 0:
        return Staffing(0, 0, occupancy=0.0, answered_in_time=1.0, mean_wait_hours=0.0)
    if load > MOST_AGENTS * max_occupancy / 2:
        raise ValueError(f"arrivals_per_hour × handling_hours is {load:g}, more than this is made for")
    blocked, agents, waiting, in_time = 1.0, 0, 1.0, 0.0
    while in_time < answer_share or load > max_occupancy * agents:
        agents += 1
        blocked = _next_blocked(blocked, load, agents)
        waiting = _waiting(blocked, load, agents)
        in_time = _in_time(waiting, load, agents, answer_hours / handling_hours)
    return Staffing(
        agents=agents,
        scheduled=math.ceil(round(agents / (1 - shrinkage), 9)),
        occupancy=load / agents,
        answered_in_time=in_time,
        mean_wait_hours=waiting * handling_hours / (agents - load),
    )


def _load(arrivals_per_hour: float, handling_hours: float) -> float:
    """Return the load in Erlangs: agents who would be busy all the time."""
    if not (math.isfinite(arrivals_per_hour) and arrivals_per_hour >= 0):
        raise ValueError(f"arrivals_per_hour must be a number of at least 0, got {arrivals_per_hour!r}")
    if not (math.isfinite(handling_hours) and handling_hours > 0):
        raise ValueError(f"handling_hours must be a number above 0, got {handling_hours!r}")
    return arrivals_per_hour * handling_hours


def _next_blocked(blocked: float, load: float, number: int) -> float:
    """Return the chance that all of one agent more are busy, if nobody could wait."""
    return load * blocked / (number + load * blocked)


def _waiting(blocked: float, load: float, agents: int) -> float:
    if load >= agents:
        return 1.0
    return blocked / (1 - load / agents * (1 - blocked))


def _in_time(waiting: float, load: float, agents: int, answer_in_handlings: float) -> float:
    """Return the share answered in time, which is given in handling times."""
    if load >= agents:
        return 0.0
    return 1 - waiting * math.exp(-(agents - load) * answer_in_handlings)


def _check_targets(answer_share: float, answer_hours: float, max_occupancy: float, shrinkage: float) -> None:
    if not 0 < answer_share < 1:
        raise ValueError(f"answer_share must lie between 0 and 1, got {answer_share!r}")
    if not answer_hours >= 0:
        raise ValueError(f"answer_hours must not be negative, got {answer_hours!r}")
    if not 0 < max_occupancy <= 1:
        raise ValueError(f"max_occupancy must lie above 0 and at most at 1, got {max_occupancy!r}")
    if not 0 <= shrinkage < 1:
        raise ValueError(f"shrinkage must be at least 0 and below 1, got {shrinkage!r}")
