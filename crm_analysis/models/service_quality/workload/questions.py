"""
The question to this folder: how many cases come by day and hour, and how many agents they take.

Each step has a module of its own; this one puts them in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.business_series.naming import count
from crm_analysis.models.service_quality.workload.arrivals import DailyCases, daily_cases
from crm_analysis.models.service_quality.workload.channels import LiveCases, live_cases
from crm_analysis.models.service_quality.workload.hours import hour_profile
from crm_analysis.models.service_quality.workload.plan import ServiceGoal, other_work, staffing_table
from crm_analysis.models.service_quality.workload.result import Workload, WorkPlan
from crm_analysis.models.service_quality.workload.sentences import notes_of, sentences_of
from crm_analysis.models.service_quality.workload.volume import daily_volume
from crm_analysis.tables.privacy.suppression import hidden_rows, small

FEWEST_DAYS = 14
PROFILE_DAYS = 364
FIGURES_OF_ERRORS = 6  # told of a hold-out; with as many hidden days at most, these could be solved for them
PRIOR_CASES = 50  # a weekday with as many cases has half the say over its own share of live ones


def service_workload(
    courses: pd.DataFrame,
    *,
    as_of: date,
    horizon_days: int = 28,
    goal: ServiceGoal | None = None,
    live_channels: Sequence[str] | None = None,
    min_cell: int = 1,
) -> Workload:
    """
    Forecast cases by day and hour, and the staff that a service level takes.

    Parameters
    ----------
    courses : pandas.DataFrame
        A row a case: ``customer_id``, ``opened_at``, ``channel``.
    as_of : datetime.date
        The last day known.
    horizon_days : int
        Days ahead; the last as many days known are the hold-out.
    goal : ServiceGoal, optional
        What is promised to customers; default: 80 % answered within 20 seconds, 12 minutes a case.
    live_channels : sequence of str, optional
        Channels on which customers wait; default: by their names.
    min_cell : int
        Fewest customers that a shown figure is about; 1 for public data.

    Returns
    -------
    Workload
        With a reason in place of the tables where too little is known.

    Raises
    ------
    DataQualityError
        A case has no time of opening, or opened after `as_of`.
    ParamsError
        A live channel does not occur.

    Notes
    -----
    Nothing here is random.
    """
    if horizon_days < 1:
        raise ValueError(f"horizon_days must be at least 1, got {horizon_days!r}")
    goal = goal or ServiceGoal()
    goal.needed(0.0)  # its checks
    arrivals = daily_cases(courses, as_of=as_of)
    recent = _recent(courses, arrivals)
    if reason := _reason(recent, arrivals, min_cell):
        return Workload(None, reason, sentences=(reason,), notes=())
    is_hidden = hidden_rows(arrivals.table["customers"], min_cell=min_cell, disjoint=False)
    volume = daily_volume(
        arrivals.counts,
        horizon_days=horizon_days,
        days_uncovered=(pd.Timestamp(as_of) - arrivals.table.index[-1]).days,
        hidden=set(arrivals.table.index[is_hidden]),
        is_sum_told=_is_sum_told(recent, arrivals.table.index[-horizon_days:][is_hidden[-horizon_days:]], min_cell),
    )
    live = live_cases(recent, live_channels=live_channels, min_cell=min_cell)
    ahead = volume.ahead["forecast"]
    by_weekday = ahead.groupby(pd.DatetimeIndex(ahead.index).day_of_week).mean().rename_axis("weekday")
    share = _live_share(recent, live, min_cell)[by_weekday.index]
    profile = hour_profile(recent[live.is_live], _recent_days(arrivals), min_cell=min_cell)
    spread = volume.overdispersion + profile.overdispersion
    others = by_weekday * (1 - share) if live.names else by_weekday.iloc[:0]
    plan = WorkPlan(
        as_of=as_of,
        horizon_days=horizon_days,
        goal=goal,
        arrivals=_shown(arrivals, is_hidden),
        n_hidden_days=int(is_hidden.sum()),
        volume=volume,
        live=live,
        profile=profile,
        staffing=staffing_table(by_weekday * share, profile, spread=spread, goal=goal),
        other_work=other_work(others, spread=volume.overdispersion, goal=goal),
    )
    return Workload(plan, "", sentences_of(plan), notes_of(plan))


def _reason(recent: pd.DataFrame, arrivals: DailyCases, min_cell: int) -> str:
    """Say why nothing can be forecast, or nothing."""
    known = len(arrivals.table)
    if known < FEWEST_DAYS or recent.empty:
        return (
            f"The workload is not forecast: the {count(len(recent), 'case')} of the last year lie in "
            f"{count(known, 'day')}, and it takes {FEWEST_DAYS} with a case among them."
        )
    if small([recent["customer_id"].nunique()], min_cell=min_cell)[0]:
        return f"The workload is not forecast: fewer than {min_cell} customers had a case in the last year."
    return ""


def _is_sum_told(recent: pd.DataFrame, hidden_days: pd.Index, min_cell: int) -> bool:
    """Return whether sums over the hold-out tell of no hidden day: there is none, or there are many, of enough customers."""
    if not len(hidden_days):
        return True
    customers = recent.loc[recent["opened_at"].dt.normalize().isin(hidden_days), "customer_id"].nunique()
    return customers >= min_cell and len(hidden_days) > FIGURES_OF_ERRORS


def _recent(courses: pd.DataFrame, arrivals: DailyCases) -> pd.DataFrame:
    """Return the cases of the last year's whole days."""
    recent: pd.DataFrame = courses[courses["opened_at"].dt.normalize().isin(_recent_days(arrivals))]
    return recent


def _recent_days(arrivals: DailyCases) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(arrivals.table.index[-PROFILE_DAYS:])


def _live_share(recent: pd.DataFrame, live: LiveCases, min_cell: int) -> pd.Series:
    """Return the share of live cases by weekday; of all days where a weekday is about too few customers."""
    is_live = live.is_live
    weekday = recent["opened_at"].dt.day_of_week
    overall = float(is_live.mean())
    cells = recent.groupby([weekday, is_live])["customer_id"].nunique()
    if small(cells, min_cell=min_cell).any():
        return pd.Series(overall, index=range(7))
    n_cases = is_live.groupby(weekday).agg(["sum", "size"]).reindex(range(7), fill_value=0)
    return (n_cases["sum"] + PRIOR_CASES * overall) / (n_cases["size"] + PRIOR_CASES)


def _shown(arrivals: DailyCases, is_hidden: npt.NDArray[np.bool_]) -> DailyCases:
    """Return the days without the figures of those about too few customers."""
    table = arrivals.table.astype("Int64").mask(pd.Series(is_hidden, index=arrivals.table.index), axis=0)
    return DailyCases(table, arrivals.left_out, arrivals.n_days_uncovered)
