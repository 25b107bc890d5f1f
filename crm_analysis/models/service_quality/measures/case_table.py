"""
The case table as arrays: checked, in the order of opening, with customers and outcomes as numbers.

The table itself is made in :mod:`crm_analysis.features.service`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import DataQualityError, EmptyTableError, SourceSchemaError
from crm_analysis.features.service.attributes import LOW_SATISFACTION, OUTCOMES, check_low_limit
from crm_analysis.features.service.outcomes import LONG_RESOLUTION_HOURS
from crm_analysis.models.service_quality.measures.survival import checked_times, survival_curve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ATTRIBUTES = ("team", "channel", "category", "priority")
HIGH_AT_LEAST = 4
LONG_QUANTILE = 0.75
_REQUIRED = ("case_id", "customer_id", "opened_at", "is_open", "observed_hours")
_NUMBERS = ("first_response_hours", "resolution_hours", "target_hours", "sla_missed", "satisfaction", "reassignments", "reopens")  # fmt: skip
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Cases:
    """
    Service cases as known at the end of a day.

    Attributes
    ----------
    end : pandas.Timestamp
        The midnight after the last day known.
    case_ids : pandas.Index
        Of the cases.
    customers : numpy.ndarray of int, shape (n_cases,)
        The customer of each case, from 0.
    customer_ids : pandas.Index
        Whom these numbers stand for.
    opened_at : pandas.Series of datetime64
        Ascending.
    attributes : mapping of str to pandas.Series
        Team, channel, category and priority, where any case has one.
    is_open : numpy.ndarray of bool
        Not resolved by the end.
    observed_hours : numpy.ndarray of float
        From the opening to the resolution or to the end.
    numbers : mapping of str to numpy.ndarray of float
        The other columns of the table; missing where it lacks them.
    low_at_most : int
        Marks up to this one are low.
    """

    end: pd.Timestamp
    case_ids: pd.Index
    customers: npt.NDArray[np.int64]
    customer_ids: pd.Index
    opened_at: pd.Series
    attributes: Mapping[str, pd.Series]
    is_open: Flags
    observed_hours: Floats
    numbers: Mapping[str, Floats]
    low_at_most: int

    @property
    def n_cases(self) -> int:
        """How many cases there are."""
        return len(self.is_open)

    @property
    def n_customers(self) -> int:
        """How many customers they are of."""
        return len(self.customer_ids)

    @property
    def everything(self) -> Flags:
        """All cases, chosen."""
        return np.ones(self.n_cases, dtype=bool)

    def tells(self, column: str) -> bool:
        """
        Return whether any case has a value in a column.

        Parameters
        ----------
        column : str
            Of the case table.

        Returns
        -------
        bool
            False where the source does not tell it.
        """
        return bool(np.isfinite(self.numbers[column]).any())

    @property
    def first_response(self) -> tuple[Floats, Flags]:
        """Hours to the first response and whether there was one; seen until the resolution or the end where there was none."""
        response = self.numbers["first_response_hours"]
        has_happened = np.isfinite(response)
        return np.where(has_happened, response, self.observed_hours), has_happened

    @property
    def resolution(self) -> tuple[Floats, Flags]:
        """Hours to the resolution and whether there was one."""
        return self.observed_hours, ~self.is_open


def checked_cases(courses: pd.DataFrame, *, as_of: date, low_satisfaction_at_most: int = LOW_SATISFACTION) -> Cases:
    """
    Return the case table as arrays, or say what is wrong with it.

    Parameters
    ----------
    courses : pandas.DataFrame
        As :func:`crm_analysis.features.service.case_courses` returns it, in any order.
    as_of : datetime.date
        The last day known.
    low_satisfaction_at_most : int
        Marks up to this one are low.

    Returns
    -------
    Cases
        In the order of opening.

    Raises
    ------
    SourceSchemaError
        A required column is missing.
    EmptyTableError
        There is no case.
    DataQualityError
        A case opened after `as_of`, a customer is missing, a time is negative or infinite, or a case stands there twice.
    """
    check_low_limit(low_satisfaction_at_most)
    missing = [name for name in _REQUIRED if name not in courses]
    if missing:
        raise SourceSchemaError(
            f"The case table lacks {len(missing)} of {len(_REQUIRED)} columns: {missing}. Take it from "
            "features.service.case_courses."
        )
    if courses.empty:
        raise EmptyTableError(f"There is no service case as of {as_of}. Use a later as_of or other customers.")
    end = pd.Timestamp(as_of + timedelta(days=1))
    _check_rows(courses, end)
    opened = courses["opened_at"]
    if not opened.is_monotonic_increasing:
        courses = courses.sort_values(["opened_at", "case_id"], ignore_index=True)
    codes, customer_ids = pd.factorize(courses["customer_id"])
    observed = courses["observed_hours"].to_numpy(dtype=float)
    checked_times(observed, courses["is_open"])
    return Cases(
        end=end,
        case_ids=pd.Index(courses["case_id"]),
        customers=codes.astype(np.int64),
        customer_ids=pd.Index(customer_ids),
        opened_at=courses["opened_at"].reset_index(drop=True),
        attributes={name: courses[name].reset_index(drop=True) for name in ATTRIBUTES if _has_any(courses, name)},
        is_open=courses["is_open"].to_numpy(dtype=bool),
        observed_hours=observed,
        numbers={name: _numbers(courses, name) for name in _NUMBERS},
        low_at_most=low_satisfaction_at_most,
    )


def outcome_flags(
    cases: Cases, outcome: str, *, long_resolution_hours: float = LONG_RESOLUTION_HOURS
) -> tuple[Floats, Flags]:
    """
    Return how each case turned out, and for which it will still be known.

    Parameters
    ----------
    cases : Cases
        The cases.
    outcome : {"sla_missed", "low_satisfaction", "long_resolution", "reopened"}
        Which outcome.
    long_resolution_hours : float
        A resolution that takes longer is long. It is known once so many hours have passed since the opening, resolved or not:
        quick cases known first would flatter the last days.

    Returns
    -------
    flags : numpy.ndarray of float
        0 or 1; missing where it is not known.
    is_pending : numpy.ndarray of bool
        Not known yet, because the case is not due or still open.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {OUTCOMES}, got {outcome!r}")
    if outcome == "sla_missed":
        flags, is_promised = cases.numbers["sla_missed"], np.isfinite(cases.numbers["target_hours"])
        return flags, np.isnan(flags) & (is_promised | (cases.is_open & (not is_promised.any())))
    if outcome == "long_resolution":
        is_passed = hours_between(cases.opened_at, cases.end) > long_resolution_hours
        flags = np.where(is_passed, cases.observed_hours > long_resolution_hours, np.nan)
        return flags, ~is_passed
    if outcome == "reopened":
        flags = above(cases.numbers["reopens"], 0)
    else:
        flags = at_most(cases.numbers["satisfaction"], cases.low_at_most)
    return flags, np.isnan(flags) & cases.is_open


def usual_limit(cases: Cases) -> float:
    """
    Return the hours within which three in four cases are resolved.

    Parameters
    ----------
    cases : Cases
        The cases.

    Returns
    -------
    float
        Open cases counted; infinite where fewer than three in four have been resolved by any time.
    """
    return survival_curve(*cases.resolution).quantile(LONG_QUANTILE)[0]


def at_most(values: Floats, limit: float) -> Floats:
    """
    Return whether values are at most a limit.

    Parameters
    ----------
    values : numpy.ndarray of float
        Numbers.
    limit : float
        The largest that counts.

    Returns
    -------
    numpy.ndarray of float
        0 or 1; missing where the value is.

    Examples
    --------
    >>> at_most(np.array([1.0, 3.0, np.nan]), 2).tolist()
    [1.0, 0.0, nan]
    """
    return np.where(np.isnan(values), np.nan, values <= limit)


def above(values: Floats, limit: float) -> Floats:
    """
    Return whether values are above a limit.

    Parameters
    ----------
    values : numpy.ndarray of float
        Numbers.
    limit : float
        The largest that does not count.

    Returns
    -------
    numpy.ndarray of float
        0 or 1; missing where the value is.
    """
    return np.where(np.isnan(values), np.nan, values > limit)


def hours_between(start: pd.Series, end: pd.Timestamp) -> Floats:
    """
    Return hours from each of some times to another.

    Parameters
    ----------
    start : pandas.Series of datetime64
        Times.
    end : pandas.Timestamp
        The other time.

    Returns
    -------
    numpy.ndarray of float
        Negative where the time lies after `end`.
    """
    return np.asarray((end - start).dt.total_seconds() / SECONDS_AN_HOUR, dtype=np.float64)


def _check_rows(courses: pd.DataFrame, end: pd.Timestamp) -> None:
    """Raise where rows cannot be right."""
    faults = {
        "have no opened_at": courses["opened_at"].isna(),
        "have no customer_id": courses["customer_id"].isna(),
        f"opened after {end - pd.Timedelta(days=1):%Y-%m-%d}, the last day known": courses["opened_at"] >= end,
        "have a case_id that stood there before": courses["case_id"].duplicated(),
    }
    told = [f"{is_wrong.sum():,} {what}" for what, is_wrong in faults.items() if is_wrong.any()]
    if told:
        raise DataQualityError(
            f"Of {len(courses):,} rows of the case table {'; '.join(told)}. Take it from features.service.case_courses, of the "
            "snapshot of the same as_of."
        )


def _has_any(courses: pd.DataFrame, column: str) -> bool:
    return column in courses and bool(courses[column].notna().any())


def _numbers(courses: pd.DataFrame, column: str) -> Floats:
    """Return a column as floats, missing throughout where the table lacks it."""
    if column not in courses:
        return np.full(len(courses), np.nan)
    numbers = courses[column].to_numpy(dtype=float, na_value=np.nan)
    is_wrong = np.isinf(numbers) | (column.endswith("_hours") & (column != "target_hours") & (numbers < 0))
    if is_wrong.any():
        raise DataQualityError(
            f"{is_wrong.sum():,} of {len(numbers):,} values of {column} in the case table are infinite or before the opening. "
            "Repair them by a cleaning rule, or take the table from features.service.case_courses."
        )
    return np.asarray(numbers, dtype=float)
