"""
Time until something happens, where it has not yet happened to some: Kaplan-Meier curves, their intervals, the log-rank test.

Which times of which cases are looked at is decided in :mod:`crm_analysis.models.service_quality.measures.groups`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm

from crm_analysis.errors import DataQualityError, TooFewRecordsError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEVEL = 0.95
_TIE = 1e-12  # rounding of products of shares
_TIMES_AT_ONCE = 20_000


@dataclass(frozen=True)
class SurvivalCurve:
    """
    The share of cases to which something has not yet happened, by hours.

    Attributes
    ----------
    hours : numpy.ndarray of float
        Each time at which it happened to at least one case, ascending.
    at_risk : numpy.ndarray of float
        Cases seen up to then to which it had not happened before.
    events : numpy.ndarray of float
        Cases to which it happened then.
    survival : numpy.ndarray of float
        Share to which it has not happened by then, that time included.
    low, high : numpy.ndarray of float
        Interval of the share.
    last_hours : float
        The longest time seen.
    n_cases : int
        Cases.
    level : float
        Of the intervals.
    """

    hours: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    low: Floats
    high: Floats
    last_hours: float
    n_cases: int
    level: float

    @property
    def n_events(self) -> int:
        """Cases to which it happened."""
        return int(self.events.sum())

    def at(self, hours: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """
        Return the share to which it has not happened within some hours.

        Parameters
        ----------
        hours : array-like of float
            Since the opening.

        Returns
        -------
        tuple of numpy.ndarray
            Share, lower and upper end of its interval; missing beyond the longest time seen, unless it has happened to all.
        """
        asked = np.atleast_1d(np.asarray(hours, dtype=float))
        place = np.searchsorted(self.hours, asked, side="right")
        is_unseen = (asked > self.last_hours) & (self._final() > _TIE)
        steps = (np.concatenate([[1.0], values])[place] for values in (self.survival, self.low, self.high))
        share, low, high = (np.where(is_unseen, np.nan, step) for step in steps)
        return share, low, high

    def quantile(self, share: float) -> tuple[float, float, float]:
        """
        Return the hours within which it happens to a share of the cases.

        Parameters
        ----------
        share : float
            Between 0 and 1; 0.5 asks for the median.

        Returns
        -------
        tuple of float
            Hours, lower and upper end of their interval; infinite where the share is not reached.

        References
        ----------
        Brookmeyer, Crowley (1982), "A confidence interval for the median survival time", Biometrics 38(1).
        """
        if not 0 < share < 1:
            raise ValueError(f"share must lie between 0 and 1, got {share!r}")
        hours, low, high = (
            _first_at_most(self.hours, values, 1 - share) for values in (self.survival, self.low, self.high)
        )
        return hours, low, high

    def restricted_mean(self, limit_hours: float) -> tuple[float, float]:
        """
        Return the mean time until it happens, each time counted up to a limit.

        Parameters
        ----------
        limit_hours : float
            Later hours are not counted.

        Returns
        -------
        tuple of float
            The mean and its standard error; missing where nothing is seen as long as that.
        """
        if limit_hours <= 0:
            raise ValueError(f"limit_hours must be positive, got {limit_hours!r}")
        if limit_hours > self.last_hours and self._final() > _TIE:
            return math.nan, math.nan
        inside = self.hours < limit_hours
        edges = np.concatenate([[0.0], self.hours[inside], [limit_hours]])
        areas = np.diff(edges) * np.concatenate([[1.0], self.survival[inside]])
        ahead = areas[::-1].cumsum()[::-1][1:]
        variance = np.sum(ahead**2 * _greenwood(self.at_risk[inside], self.events[inside], last=0.0))
        return float(areas.sum()), float(np.sqrt(variance))

    def _final(self) -> float:
        return float(self.survival[-1]) if len(self.survival) else 1.0


@dataclass(frozen=True)
class LogRank:
    """
    Whether groups differ in the time until something happens.

    Attributes
    ----------
    statistic : float
        Chi-squared; 0 where there is nothing to compare.
    degrees_of_freedom : int
        Groups less one.
    p_value : float
        Chance of such a difference, or a larger one, between groups that are alike.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float


def survival_curve(hours: npt.ArrayLike, has_happened: npt.ArrayLike, *, level: float = LEVEL) -> SurvivalCurve:
    """
    Return the Kaplan-Meier estimate of the time until something happens.

    Parameters
    ----------
    hours : array-like of float, shape (n,)
        From the opening until it happened or, where it has not, until the case was last seen.
    has_happened : array-like of bool, shape (n,)
        Whether it did.
    level : float
        Of the intervals.

    Returns
    -------
    SurvivalCurve
        The share to which it has not happened, with intervals.

    Raises
    ------
    TooFewRecordsError
        There is no case.
    DataQualityError
        A time is missing, infinite or negative.

    Notes
    -----
    Variance by Greenwood's formula; intervals on the scale log(−log S). Cases count as independent of each other.

    References
    ----------
    Kaplan, Meier (1958), "Nonparametric estimation from incomplete observations", JASA 53(282).
    Kalbfleisch, Prentice (1980), "The Statistical Analysis of Failure Time Data", for the intervals.

    Examples
    --------
    >>> curve = survival_curve([1, 2, 2, 5], [True, True, False, True])
    >>> curve.survival.tolist(), curve.quantile(0.5)[0]
    ([0.75, 0.5, 0.0], 2.0)
    """
    times, ended = checked_times(hours, has_happened)
    order = np.argsort(times, kind="stable")
    times, ended = times[order], ended[order]
    starts = np.flatnonzero(np.concatenate([[True], times[1:] > times[:-1]]))
    deaths = np.add.reduceat(ended.astype(float), starts)
    at_risk = (len(times) - starts).astype(float)
    is_step = deaths > 0
    deaths, at_risk = deaths[is_step], at_risk[is_step]
    survival = np.cumprod((at_risk - deaths) / at_risk)
    cumulated = np.cumsum(_greenwood(at_risk, deaths, last=math.inf))
    low, high = _log_log_interval(survival, cumulated, level)
    return SurvivalCurve(
        hours=times[starts][is_step],
        at_risk=at_risk,
        events=deaths,
        survival=survival,
        low=low,
        high=high,
        last_hours=float(times[-1]),
        n_cases=len(times),
        level=level,
    )


def log_rank_test(hours: npt.ArrayLike, has_happened: npt.ArrayLike, groups: npt.ArrayLike) -> LogRank:
    """
    Test whether groups differ in the time until something happens.

    Parameters
    ----------
    hours : array-like of float, shape (n,)
        As for :func:`survival_curve`.
    has_happened : array-like of bool, shape (n,)
        Whether it did.
    groups : array-like, shape (n,)
        The group of each case.

    Returns
    -------
    LogRank
        Statistic and p-value. Cases count as independent: several cases of a customer that are alike make it too small.

    References
    ----------
    Mantel (1966), "Evaluation of survival data and two new rank order statistics", Cancer Chemotherapy Reports 50(3).

    Examples
    --------
    >>> test = log_rank_test([1, 2, 3, 11, 12, 13], [True] * 6, ["a", "a", "a", "b", "b", "b"])
    >>> round(test.p_value, 3)
    0.025
    """
    times, ended = checked_times(hours, has_happened)
    codes, names = pd.factorize(np.asarray(groups), sort=True)
    if len(codes) != len(times):
        raise ValueError(f"groups must have {len(times)} rows, got {len(codes)}")
    if len(names) < 2 or not ended.any():
        return LogRank(0.0, len(names) - 1, 1.0)
    excess, variance = _log_rank_sums(times, ended, codes, len(names))
    kept = np.diag(variance) > 0
    statistic = float(excess[kept] @ np.linalg.pinv(variance[np.ix_(kept, kept)]) @ excess[kept])
    return LogRank(statistic, len(names) - 1, float(chi2.sf(statistic, len(names) - 1)))


def checked_times(hours: npt.ArrayLike, has_happened: npt.ArrayLike) -> tuple[Floats, Flags]:
    """
    Return times and flags as arrays, or say what is wrong with them.

    Parameters
    ----------
    hours : array-like of float, shape (n,)
        Times.
    has_happened : array-like of bool, shape (n,)
        Flags.

    Returns
    -------
    tuple of numpy.ndarray
        Both.

    Raises
    ------
    TooFewRecordsError
        There is none.
    DataQualityError
        A time is missing, infinite or negative.
    """
    times, ended = np.asarray(hours, dtype=float), np.asarray(has_happened, dtype=bool)
    if times.shape != ended.shape or times.ndim != 1:
        raise ValueError(f"hours and has_happened must be of one length, got shapes {times.shape} and {ended.shape}")
    if not len(times):
        raise TooFewRecordsError("There is no case whose time could be measured. Use a later as_of or other customers.")
    is_wrong = ~np.isfinite(times) | (times < 0)
    if is_wrong.any():
        raise DataQualityError(
            f"{is_wrong.sum():,} of {len(times):,} times from the opening of a case are missing, infinite or negative (the "
            f"first: {times[is_wrong][0]:g} hours). Repair times before the opening by a cleaning rule, or take the case "
            "table from features.service.case_courses."
        )
    return times, ended


def _log_rank_sums(times: Floats, ended: Flags, codes: npt.NDArray[np.intp], n_groups: int) -> tuple[Floats, Floats]:
    """Return, by group, events beyond those expected of groups that are alike, and their covariance."""
    event_times, deaths = np.unique(times[ended], return_counts=True)
    by_group = [np.sort(times[codes == code]) for code in range(n_groups)]
    expected, variance = np.zeros(n_groups), np.zeros((n_groups, n_groups))
    for start in range(0, len(event_times), _TIMES_AT_ONCE):
        now = event_times[start : start + _TIMES_AT_ONCE]
        died = deaths[start : start + _TIMES_AT_ONCE].astype(float)
        at_risk = np.array([len(seen) - np.searchsorted(seen, now, side="left") for seen in by_group], dtype=float)
        together = at_risk.sum(axis=0)
        shares = at_risk / together
        expected += shares @ died
        weight = died * (together - died) / np.maximum(together - 1, 1)
        variance += np.diag(shares @ weight) - (shares * weight) @ shares.T
    observed = np.bincount(codes[ended], minlength=n_groups)
    return observed - expected, variance


def _greenwood(at_risk: Floats, events: Floats, *, last: float) -> Floats:
    """Return the steps of Greenwood's sum; `last` where nobody is left."""
    left = at_risk - events
    steps = np.full(len(at_risk), last)
    np.divide(events, at_risk * left, out=steps, where=left > 0)
    return steps


def _log_log_interval(survival: Floats, cumulated: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the interval of each share; nothing is left to be uncertain of where it is 0."""
    low, high = np.zeros(len(survival)), np.zeros(len(survival))
    inside = (survival > 0) & np.isfinite(cumulated)
    logs = np.log(survival[inside])
    half = norm.ppf((1 + level) / 2) * np.sqrt(cumulated[inside]) / np.abs(logs)
    low[inside] = np.exp(logs * np.exp(half))
    high[inside] = np.exp(logs * np.exp(-half))
    return low, high


def _first_at_most(hours: Floats, values: Floats, bound: float) -> float:
    """Return the first time at which a falling curve is at most a bound."""
    reached = np.flatnonzero(values <= bound + _TIE)
    return float(hours[reached[0]]) if len(reached) else math.inf
