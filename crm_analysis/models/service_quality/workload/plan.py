"""
From expected cases a day to a planner's tables: agents by weekday and hour, and hours of work for what can wait.

The formulas of waiting are in :mod:`crm_analysis.models.service_quality.workload.staffing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import gamma

from crm_analysis.models.service_quality.wording import WEEKDAYS
from crm_analysis.models.service_quality.workload.hours import HourProfile
from crm_analysis.models.service_quality.workload.staffing import Staffing, agents_needed

UPPER = 0.95  # the upper end of a 90 % range
STAFFING_COLUMNS = (
    "cases", "cases_upper", "agents", "agents_upper", "scheduled", "occupancy", "answered_in_time", "wait_seconds",
)  # fmt: skip
SURELY_POISSON = 1e-9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ServiceGoal:
    """
    What is promised to customers, and what an agent can do.

    Attributes
    ----------
    handling_minutes : float
        Mean time that a case keeps an agent busy.
    answer_share : float
        Share of live cases to be answered in time.
    answer_minutes : float
        The time.
    max_occupancy : float
        Largest share of their time that agents spend on cases.
    shrinkage : float
        Share of paid time in which agents are not at work on cases.
    """

    handling_minutes: float = 12.0
    answer_share: float = 0.8
    answer_minutes: float = 0.33
    max_occupancy: float = 0.85
    shrinkage: float = 0.0

    def needed(self, arrivals_per_hour: float) -> Staffing:
        """
        Return the agents that a volume needs.

        Parameters
        ----------
        arrivals_per_hour : float
            Mean number of cases an hour.

        Returns
        -------
        Staffing
            Fewest agents who keep the promise.
        """
        return agents_needed(
            arrivals_per_hour,
            self.handling_minutes / 60,
            answer_share=self.answer_share,
            answer_hours=self.answer_minutes / 60,
            max_occupancy=self.max_occupancy,
            shrinkage=self.shrinkage,
        )


def upper_rate(rate: npt.ArrayLike, spread: float) -> Floats:
    """
    Return how high an hourly rate may be: the upper end of its 90 % range.

    Parameters
    ----------
    rate : array-like of float
        Expected cases an hour.
    spread : float
        Squared coefficient of variation of the rate.

    Returns
    -------
    numpy.ndarray of float
        Of a gamma-distributed rate. Chance around the rate is left to the formulas of waiting, which hold it already.

    Examples
    --------
    >>> upper_rate([10.0], 0.0).tolist()
    [10.0]
    >>> upper_rate([10.0], 0.04).round(1).tolist()
    [13.5]
    """
    mean = np.asarray(rate, dtype=float)
    if spread <= SURELY_POISSON:
        return mean
    return np.asarray(mean * max(float(gamma.ppf(UPPER, 1 / spread, scale=spread)), 1.0), dtype=float)


def staffing_table(by_weekday: pd.Series, profile: HourProfile, *, spread: float, goal: ServiceGoal) -> pd.DataFrame:
    """
    Return the agents that each hour of each weekday needs.

    Parameters
    ----------
    by_weekday : pandas.Series of float
        Expected live cases a day; index ``weekday``, 0 is Monday. Weekdays that do not lie ahead are absent.
    profile : HourProfile
        How they spread over the hours.
    spread : float
        Squared coefficient of variation of the rate.
    goal : ServiceGoal
        What is promised.

    Returns
    -------
    pandas.DataFrame
        Index ``weekday``, ``hour``; :data:`STAFFING_COLUMNS`: expected cases and their upper end, agents for each, agents on the
        rota for the upper end of the volume, and what ``agents`` do at the expected volume: occupancy, share answered in time, mean wait in
        seconds. Hours of too few customers are missing.
    """
    grid = profile.shares.loc[by_weekday.index].mul(by_weekday, axis=0)
    cells = pd.MultiIndex.from_product([grid.index, grid.columns], names=["weekday", "hour"])
    cases = pd.Series(grid.to_numpy().ravel(), index=cells)
    upper = pd.Series(upper_rate(cases, spread), index=cases.index)
    need = {rate: goal.needed(float(rate)) for rate in {*cases, *upper}}
    table = pd.DataFrame(
        [
            (usual, most, (found := need[usual]).agents, need[most].agents, need[most].scheduled, found.occupancy,
             found.answered_in_time, 3600 * found.mean_wait_hours)
            for usual, most in zip(cases, upper, strict=True)
        ],
        index=cases.index,
        columns=list(STAFFING_COLUMNS),
    )  # fmt: skip
    whole = dict.fromkeys(("agents", "agents_upper", "scheduled"), "Int64")
    is_hidden = profile.hidden_hours[table.index.get_level_values("hour").to_numpy()]
    return table.astype(whole).mask(pd.Series(is_hidden, index=table.index), axis=0)


def staff_grid(staffing: pd.DataFrame, column: str = "agents_upper") -> pd.DataFrame:
    """
    Return a column of the staffing table by weekday and hour.

    Parameters
    ----------
    staffing : pandas.DataFrame
        As :func:`staffing_table` returns it.
    column : str
        One of its columns.

    Returns
    -------
    pandas.DataFrame
        Index ``weekday`` in words, a column an hour.
    """
    grid = staffing.reset_index().pivot_table(index="weekday", columns="hour", values=column, dropna=False)
    return grid.set_axis(pd.Index([WEEKDAYS[day] for day in grid.index], name="weekday"))


def other_work(by_weekday: pd.Series, *, spread: float, goal: ServiceGoal) -> pd.DataFrame:
    """
    Return the hours of work a day that cases make which can wait.

    Parameters
    ----------
    by_weekday : pandas.Series of float
        Expected cases a day; index ``weekday``, 0 is Monday.
    spread : float
        Squared coefficient of variation of the rate.
    goal : ServiceGoal
        Its handling time and shrinkage.

    Returns
    -------
    pandas.DataFrame
        Index ``weekday`` in words; ``cases``, ``hours`` and ``hours_upper`` of work, ``paid_hours`` with shrinkage for the upper end.
    """
    hours = by_weekday * goal.handling_minutes / 60
    table = pd.DataFrame({"cases": by_weekday, "hours": hours, "hours_upper": upper_rate(hours, spread)})
    table["paid_hours"] = table["hours_upper"] / (1 - goal.shrinkage)
    return table.set_axis(pd.Index([WEEKDAYS[day] for day in table.index], name="weekday"))
