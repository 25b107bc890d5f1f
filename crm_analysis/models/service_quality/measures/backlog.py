"""
Cases that wait: how many were open at the end of each day or week, how old they were, what came in and what went out.

How long cases take belongs in :mod:`crm_analysis.models.service_quality.measures.survival`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.service_quality.measures.case_table import Cases, hours_between
from crm_analysis.models.service_quality.measures.disclosure import masked
from crm_analysis.models.service_quality.measures.groups import PERIODS, all_cases, attribute_groups, period_groups
from crm_analysis.models.service_quality.measures.intervals import Grouping, grouping
from crm_analysis.tables.privacy.suppression import hidden_rows, hidden_totals, small, suppressed_grid

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

OLD_SHARE = 0.9
AGES = {"under 1 day": 0, "1 to 3 days": 1, "3 to 7 days": 3, "7 to 28 days": 7, "28 days or more": 28}
OVERDUE = "past the due time"
IN_ALL = "in all"


@dataclass(frozen=True)
class Backlog:
    """
    Open cases over time and now.

    Attributes
    ----------
    history : pandas.DataFrame
        Index ``until``, the last day of each period (the last one ends with the last day known); ``open_cases``,
        ``median_age_days``, ``old_age_days`` (a tenth is older; both missing where a half or that tenth is of too few
        customers), ``overdue`` (missing throughout without due times) at its end; ``opened``, ``closed`` within it.
    now : pandas.DataFrame
        Index ``team`` (or another attribute); open cases by age, ``in all`` and ``past the due time``.
    n_open : int or None
        Open cases now; None where they are of too few customers.
    period : {"day", "week", "month"}
        Of the history.
    """

    history: pd.DataFrame
    now: pd.DataFrame
    n_open: int | None
    period: str


def backlog(cases: Cases, *, period: str = "week", by: str = "team", min_cell: int = 1) -> Backlog:
    """
    Return open cases at the end of each period, and those open now by age.

    Parameters
    ----------
    cases : Cases
        The cases.
    period : {"day", "week", "month"}
        Length of a period.
    by : {"team", "channel", "category", "priority"}
        Whose open cases are told apart; all together where no case has one.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    Backlog
        A case is open at a midnight when it opened before and was not resolved before.
    """
    ages = hours_between(cases.opened_at, cases.end)
    history = _history(cases, ages, period, min_cell)
    is_told = by in cases.attributes
    groups = attribute_groups(cases, cases.attributes[by]) if is_told else all_cases(cases)
    now = _now(cases, groups, ages, min_cell).rename_axis(by if is_told else "group")
    last = history["open_cases"].iloc[-1]
    return Backlog(history, now, None if pd.isna(last) else int(last), period)


def _history(cases: Cases, ages: Floats, period: str, min_cell: int) -> pd.DataFrame:
    """Return the backlog at the end of each period, and what came in and went out within it."""
    groups = period_groups(cases, period)
    ends = (pd.DatetimeIndex(list(groups.names)).to_period(PERIODS[period]) + 1).start_time
    ends = ends.where(ends < cases.end, cases.end)
    left = hours_between(pd.Series(ends), cases.end)  # time is told in hours before the last midnight
    closed = np.where(cases.is_open, -np.inf, ages - cases.observed_hours)
    table, customers = _sweep(cases, ages, closed, left)
    place = np.minimum(np.searchsorted(-left, -closed, side="right"), len(left) - 1)
    flows = {
        "opened": groups,
        "closed": grouping(np.where(cases.is_open, -1, place), tuple(range(len(left))), cases.customers),
    }
    hidden = {"open_cases": hidden_rows(customers["waiting"], min_cell=min_cell, total=False)}
    for name, flow in flows.items():
        table[name] = flow.cases(cases.everything)
        hidden[name] = hidden_rows(flow.customers(cases.everything), min_cell=min_cell, disjoint=False)
    _hide_what_follows(hidden)
    few_late = small(customers["late"], min_cell=min_cell) | small(customers["early"], min_cell=min_cell)
    table.index = pd.DatetimeIndex(ends - pd.Timedelta(days=1), name="until")
    for name, parts in {"median_age_days": ["older", "younger"], "old_age_days": ["oldest"]}.items():
        is_few = small(customers[parts], min_cell=min_cell).any(axis=1)
        table = masked(table, [name], hidden["open_cases"] | is_few)
    table = masked(table, ["overdue"], hidden["open_cases"] | few_late)
    for name, is_hidden in hidden.items():
        table = masked(table, [name], is_hidden)
    return table


def _hide_what_follows(hidden: dict[str, Flags]) -> None:
    """Hide further numbers, in place, until none follows: open cases are those before, with the opened, without the closed."""
    waiting, opened, closed = (hidden[name] for name in ("open_cases", "opened", "closed"))
    changed = True
    while changed:
        changed = False
        for at in range(len(waiting)):
            before = bool(waiting[at - 1]) if at else False
            if int(before) + int(waiting[at]) + int(opened[at]) + int(closed[at]) == 1:
                (waiting if closed[at] else closed)[at] = True
                changed = True


def _sweep(cases: Cases, ages: Floats, closed: Floats, left: Floats) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Go through the periods' ends with the cases that wait, in the order of opening; return figures, and customers."""
    due = ages - cases.numbers["target_hours"]
    n_opened = np.searchsorted(-ages, -left, side="left")
    waiting = np.zeros(0, dtype=np.int64)
    rows, customers = [], []
    for at, now in enumerate(left):
        new = np.arange(n_opened[at - 1] if at else 0, n_opened[at])
        waiting = np.concatenate([waiting, new])
        waiting = waiting[closed[waiting] <= now]
        is_late = due[waiting] > now
        rows.append((len(waiting), *_ages(ages[waiting] - now), int(is_late.sum())))
        parts = (waiting, waiting[is_late], waiting[~is_late])
        n_customers = [len(np.unique(cases.customers[part])) for part in parts]
        customers.append([*n_customers, *_customers_by_age(ages[waiting], cases.customers[waiting])])
    table = pd.DataFrame(rows, columns=["open_cases", "median_age_days", "old_age_days", "overdue"])
    if not cases.tells("target_hours"):
        table["overdue"] = np.nan
    return table, pd.DataFrame(customers, columns=["waiting", "late", "early", "older", "younger", "oldest"])


def _ages(hours: Floats) -> tuple[float, float]:
    """Return the median age and that which a tenth exceeds, in days; cases come in the order of opening, oldest first."""
    if not len(hours):
        return np.nan, np.nan
    median, old = np.quantile(hours, [0.5, OLD_SHARE])
    return float(median) / 24, float(old) / 24


def _customers_by_age(hours: Floats, customers: Codes) -> tuple[int, int, int]:
    """Return how many customers the older half is of, the younger one, and the oldest tenth."""
    if not len(hours):
        return 0, 0, 0
    median, old = np.quantile(hours, [0.5, OLD_SHARE])
    return _fewest(customers, hours, median), _fewest(customers, -hours, -median), _fewest(customers, hours, old)


def _fewest(customers: Codes, hours: Floats, limit: float) -> int:
    """Return the customers above a limit; those at it, where none is above."""
    beyond = len(np.unique(customers[hours > limit]))
    return beyond or len(np.unique(customers[hours >= limit]))


def _now(cases: Cases, groups: Grouping, ages: Floats, min_cell: int) -> pd.DataFrame:
    """Return the open cases by group and age, those past the due time, and all."""
    classes = np.searchsorted(np.array(list(AGES.values())) * 24.0, ages, side="right") - 1
    chosen = [cases.is_open & (classes == at) for at in range(len(AGES))]
    index = pd.Index([str(name) for name in groups.names])
    cells = {name: groups.cases(part) for name, part in zip(AGES, chosen, strict=True)}
    table = pd.DataFrame(cells, index=index)
    totals = pd.Series(groups.cases(cases.is_open), index=index)
    late = cases.is_open & (ages > cases.numbers["target_hours"])
    overdue = pd.Series(groups.cases(late), index=index).astype("Int64")
    overdue = overdue if cases.tells("target_hours") else overdue.mask(overdue.notna())
    if min_cell == 1:
        return table.assign(**{IN_ALL: totals, OVERDUE: overdue})
    counts = pd.DataFrame({name: groups.customers(part) for name, part in zip(AGES, chosen, strict=True)}, index=index)
    shown = suppressed_grid(table.astype("Int64"), counts=counts, min_cell=min_cell)
    hidden, _ = hidden_totals(counts, min_cell=min_cell)
    is_few = hidden_rows(groups.customers(cases.is_open), min_cell=min_cell, disjoint=False) | hidden.to_numpy()
    few_late = hidden_rows(groups.customers(late), min_cell=min_cell, disjoint=False)
    few_early = hidden_rows(groups.customers(cases.is_open & ~late), min_cell=min_cell, disjoint=False)
    return shown.assign(
        **{
            IN_ALL: totals.astype("Int64").mask(is_few),
            OVERDUE: overdue.mask(few_late | few_early | is_few),
        }
    )
