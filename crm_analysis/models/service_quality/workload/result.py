"""
The workload of a service desk in one result: its days, what is expected, and the staff that takes.

It is made in :mod:`crm_analysis.models.service_quality.workload.questions`, its sentences in
:mod:`crm_analysis.models.service_quality.workload.sentences`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from crm_analysis.models.service_quality.wording import WEEKDAYS
from crm_analysis.models.service_quality.workload.arrivals import DailyCases
from crm_analysis.models.service_quality.workload.channels import LiveCases
from crm_analysis.models.service_quality.workload.hours import HourProfile
from crm_analysis.models.service_quality.workload.plan import ServiceGoal, staff_grid
from crm_analysis.models.service_quality.workload.volume import Volume


@dataclass(frozen=True)
class WorkPlan:
    """
    Expected cases and the staff they need.

    Attributes
    ----------
    as_of : datetime.date
        The last day known.
    horizon_days : int
        Days ahead.
    goal : ServiceGoal
        What is promised to customers.
    arrivals : DailyCases
        Cases a day; figures of days about too few customers are missing.
    n_hidden_days : int
        Days whose figures are not shown.
    volume : Volume
        Cases expected a day.
    live : LiveCases
        Which cases of the last year are staffed by waiting times.
    profile : HourProfile
        How live cases spread over the hours.
    staffing : pandas.DataFrame
        By ``weekday`` (0 is Monday) and ``hour``, see
        :func:`~crm_analysis.models.service_quality.workload.plan.staffing_table`.
    other_work : pandas.DataFrame
        Hours of work a day for the other channels; without rows where all are live.
    """

    as_of: date
    horizon_days: int
    goal: ServiceGoal
    arrivals: DailyCases
    n_hidden_days: int
    volume: Volume
    live: LiveCases
    profile: HourProfile
    staffing: pd.DataFrame
    other_work: pd.DataFrame

    @property
    def staff_by_hour(self) -> pd.DataFrame:
        """Agents for the upper end of the volume, by weekday in words and hour."""
        return staff_grid(self.staffing)


@dataclass(frozen=True)
class Workload:
    """
    A plan for the work, or why there is none.

    Attributes
    ----------
    plan : WorkPlan, optional
        Missing where too little is known.
    reason : str
        Why it is missing; empty where it is not.
    sentences : tuple of str
        What the plan says; else the reason.
    notes : tuple of str
        What to beware of.
    """

    plan: WorkPlan | None
    reason: str
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def staff_by_hour(self) -> pd.DataFrame:
        """Agents for the upper end of the volume, by weekday and hour; without rows where there is no plan."""
        return pd.DataFrame() if self.plan is None else self.plan.staff_by_hour.astype("Int64")

    @property
    def planner(self) -> pd.DataFrame:
        """By weekday in words and hour: cases, agents, occupancy, level; rounded for readers; without rows where there is no plan."""
        if self.plan is None:
            return pd.DataFrame()
        decimals = {"cases": 1, "cases_upper": 1, "occupancy": 2, "answered_in_time": 3, "wait_seconds": 0}
        return self.plan.staffing.round(decimals).rename(index=dict(enumerate(WEEKDAYS)), level="weekday")
