"""
Service measures by group of cases: how many met their target, how long they took, what customers said.

How a group's shares and times are estimated stands in :mod:`crm_analysis.models.service_quality.measures.intervals` and
:mod:`crm_analysis.models.service_quality.measures.survival`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from crm_analysis.errors import DataQualityError
from crm_analysis.models.service_quality.measures.case_table import (
    HIGH_AT_LEAST,
    Cases,
    above,
    at_most,
)
from crm_analysis.models.service_quality.measures.disclosure import flag_parts, hidden_groups, masked
from crm_analysis.models.service_quality.measures.intervals import (
    LEVEL,
    Grouping,
    Means,
    clustered_means,
    grouping,
    mean_interval,
    share_interval,
)
from crm_analysis.models.service_quality.measures.survival import SurvivalCurve, survival_curve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NOT_GIVEN = "not given"
OTHERS = "other"
MOST_GROUPS = 40
DAYS_A_MONTH = 30
MARKS = (1.0, 5.0)
PERIODS = {"day": "D", "week": "W-SUN", "month": "M"}


@dataclass(frozen=True)
class ContactBase:
    """
    Whose contacts are counted, and over how long.

    Attributes
    ----------
    customers : numpy.ndarray of float, shape (n_groups,)
        Customers known, with and without a case.
    days : numpy.ndarray of float, shape (n_groups,)
        Days over which their cases opened.
    """

    customers: Floats
    days: Floats


def attribute_groups(cases: Cases, values: pd.Series, *, most: int = MOST_GROUPS) -> Grouping:
    """
    Return cases by the value of an attribute.

    Parameters
    ----------
    cases : Cases
        The cases.
    values : pandas.Series
        Of the attribute, by case.
    most : int
        Groups of their own; cases of rarer values are put together as "other".

    Returns
    -------
    Grouping
        Groups with more cases first, equal ones by name; then "other" and "not given".
    """
    codes, uniques = pd.factorize(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(uniques))
    ranked = sorted(range(len(uniques)), key=lambda at: (-counts[at], str(uniques[at])))
    labels = [str(uniques[at]) for at in ranked[:most]]
    place = np.full(len(uniques) + 1, len(labels), dtype=np.int64)  # its last element is what -1, not given, points to
    place[ranked[:most]] = np.arange(len(labels))
    labels += [OTHERS] * (len(ranked) > most)
    place[-1] = len(labels)
    labels += [NOT_GIVEN] * bool((codes < 0).any())
    return grouping(place[codes], tuple(labels), cases.customers)


def all_cases(cases: Cases) -> Grouping:
    """
    Return all cases as one group.

    Parameters
    ----------
    cases : Cases
        The cases.

    Returns
    -------
    Grouping
        Named "all cases".
    """
    return grouping(np.zeros(cases.n_cases, dtype=np.int64), ("all cases",), cases.customers)


def period_groups(cases: Cases, period: str) -> Grouping:
    """
    Return cases by the week or month in which they opened.

    Parameters
    ----------
    cases : Cases
        The cases.
    period : {"day", "week", "month"}
        A week begins on Monday.

    Returns
    -------
    Grouping
        Named by first days, in order; periods without a case are among them.
    """
    if period not in PERIODS:
        raise ValueError(f"period must be one of {tuple(PERIODS)}, got {period!r}")
    when = cases.opened_at.dt.to_period(PERIODS[period])
    last = (cases.end - pd.Timedelta(days=1)).to_period(PERIODS[period])
    every = pd.period_range(when.iloc[0], last, freq=PERIODS[period])
    codes = every.get_indexer(pd.PeriodIndex(when))
    return grouping(codes.astype(np.int64), tuple(every.start_time), cases.customers)


def segment_groups(cases: Cases, segments: pd.Series) -> tuple[Grouping, Floats]:
    """
    Return cases by the segment of their customer, and the customers of each segment.

    Parameters
    ----------
    cases : Cases
        The cases.
    segments : pandas.Series
        Segment by ``customer_id``, customers without a case included.

    Returns
    -------
    tuple
        Groups, and customers known by group (missing for those without a segment).
    """
    if not segments.index.is_unique:
        raise DataQualityError(
            f"{segments.index.duplicated().sum():,} of {len(segments):,} customers have more than one segment. Give each one."
        )
    per_customer = segments.reindex(cases.customer_ids).to_numpy(dtype=object)
    values = pd.Series(per_customer[cases.customers], dtype=object)
    groups = attribute_groups(cases, values.where(values.isna(), values.astype(str)))
    sizes = segments.dropna().astype(str).value_counts()
    return groups, np.array([float(sizes.get(name, np.nan)) for name in groups.names])


def contact_base(
    cases: Cases, groups: Grouping, n_customers: float | Floats, *, period: str | None = None
) -> ContactBase:
    """
    Return whose contacts are counted in each group.

    Parameters
    ----------
    cases : Cases
        The cases.
    groups : Grouping
        Groups of them.
    n_customers : float or numpy.ndarray of float
        Customers known, in all or by group.
    period : {"week", "month"}, optional
        Where groups are periods.

    Returns
    -------
    ContactBase
        Days are those from the first opening to the last day known, as far as they lie in the period.
    """
    first = cases.opened_at.iloc[0].normalize()
    starts, ends = pd.DatetimeIndex([first] * groups.n_groups), pd.DatetimeIndex([cases.end] * groups.n_groups)
    if period is not None:
        periods = pd.DatetimeIndex(list(groups.names)).to_period(PERIODS[period])
        starts = periods.start_time.where(periods.start_time > first, first)
        ends = (periods + 1).start_time.where((periods + 1).start_time < cases.end, cases.end)
    days = np.asarray((ends - starts).total_seconds(), dtype=float) / 86_400
    return ContactBase(np.broadcast_to(np.asarray(n_customers, dtype=float), days.shape), days)


def group_measures(
    cases: Cases,
    groups: Grouping,
    *,
    response_within_hours: float,
    contacts: ContactBase | None = None,
    min_cell: int = 1,
) -> pd.DataFrame:
    """
    Return the measures of each group.

    Parameters
    ----------
    cases : Cases
        The cases.
    groups : Grouping
        Groups of them.
    response_within_hours : float
        Promise of a first response.
    contacts : ContactBase, optional
        Whose contacts are counted; without it there is no contact rate.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    pandas.DataFrame
        Index ``group``; ``cases``, ``customers``, ``answers`` (where there is a satisfaction); of each measure of :data:`.wording.MEASURES` that the table tells its value,
        ``_low`` and ``_high``, the 95 % interval. Hours are infinite where fewer than half are there yet; figures about too few
        customers are missing.
    """
    everything = cases.everything
    counts = {"cases": groups.cases(everything), "customers": groups.customers(everything)}
    table = pd.DataFrame(counts, index=pd.Index(list(groups.names), name="group"))
    hidden = hidden_groups(groups, everything, min_cell=min_cell)
    table = masked(table, ["cases", "customers"], hidden)
    parts = [
        *(
            _share_columns(groups, name, flags, hidden, min_cell, *_between(cases, name))
            for name, flags in _flags(cases).items()
        ),
        *(_mean_columns(groups, name, values, hidden, min_cell) for name, values in _numbers(cases).items()),
        *_time_columns(cases, groups, response_within_hours, hidden, min_cell),
    ]
    if contacts is not None:
        parts.append(
            masked(_contact_rate(groups, contacts), ["contact_rate", "contact_rate_low", "contact_rate_high"], hidden)
        )
    if cases.tells("satisfaction"):
        table["answers"] = _answers(cases, groups, hidden, min_cell)
    return pd.concat([table, *(part.set_axis(table.index) for part in parts)], axis=1)


def curves_by_group(groups: Grouping, hours: Floats, has_happened: Flags) -> list[SurvivalCurve | None]:
    """
    Return a survival curve for each group.

    Parameters
    ----------
    groups : Grouping
        Groups of cases.
    hours : numpy.ndarray of float
        Of each case.
    has_happened : numpy.ndarray of bool
        Of each case.

    Returns
    -------
    list of SurvivalCurve or None
        None for a group without a case.
    """
    order = np.argsort(hours, kind="stable")  # each group's part comes out sorted, which sorts anew at once
    order = order[np.argsort(groups.codes[order].astype(np.int16), kind="stable")]  # small integers: in linear time
    edges = np.searchsorted(groups.codes[order], np.arange(groups.n_groups + 1))
    rows = [order[start:stop] for start, stop in pairwise(edges)]
    return [survival_curve(hours[chosen], has_happened[chosen]) if len(chosen) else None for chosen in rows]


def _flags(cases: Cases) -> dict[str, Floats]:
    """Return the shares' flags by measure, of those that the table tells."""
    known, resolved = cases.numbers, ~cases.is_open
    marks = known["satisfaction"]
    every = {
        "sla_attainment": (1 - known["sla_missed"], "sla_missed"),
        "reopened": (np.where(resolved, above(known["reopens"], 0), np.nan), "reopens"),
        "reassigned": (np.where(resolved, above(known["reassignments"], 0), np.nan), "reassignments"),
        "answered": (np.where(resolved, np.isfinite(marks), np.nan), "satisfaction"),
        "low_satisfaction": (at_most(marks, cases.low_at_most), "satisfaction"),
        "high_satisfaction": (1 - at_most(marks, HIGH_AT_LEAST - 1), "satisfaction"),
    }
    return {name: flags for name, (flags, column) in every.items() if cases.tells(column)}


def _numbers(cases: Cases) -> dict[str, Floats]:
    """Return the means' numbers by measure, of those that the table tells."""
    known, resolved = cases.numbers, ~cases.is_open
    every = {
        "mean_reopens": (np.where(resolved, known["reopens"], np.nan), "reopens"),
        "mean_reassignments": (np.where(resolved, known["reassignments"], np.nan), "reassignments"),
        "mean_satisfaction": (known["satisfaction"], "satisfaction"),
    }
    return {name: values for name, (values, column) in every.items() if cases.tells(column)}


def _answers(cases: Cases, groups: Grouping, hidden: Flags, min_cell: int) -> pd.Series:
    """Return the number of answers; beside cases and the share answered it would tell those without, and open ones."""
    has_answered = np.isfinite(cases.numbers["satisfaction"])
    parts = (has_answered, ~has_answered, cases.is_open)
    is_few = hidden | hidden_groups(groups, *parts, min_cell=min_cell)
    numbers = pd.Series(groups.cases(has_answered), index=list(groups.names), dtype="Int64")
    return numbers.mask(is_few)


def _between(cases: Cases, name: str) -> tuple[Flags, ...]:
    """Return the cases that low and high marks together leave over."""
    marks = cases.numbers["satisfaction"]
    return ((marks > cases.low_at_most) & (marks < HIGH_AT_LEAST),) if name.endswith("_satisfaction") else ()


def _share_columns(
    groups: Grouping, name: str, flags: Floats, hidden: Flags, min_cell: int, *more: Flags
) -> pd.DataFrame:
    means = clustered_means(flags, groups)
    is_few = hidden | hidden_groups(groups, *flag_parts(flags), *more, min_cell=min_cell)
    return _columns(name, (means.mean, *share_interval(means)), is_few)


def _mean_columns(groups: Grouping, name: str, values: Floats, hidden: Flags, min_cell: int) -> pd.DataFrame:
    bounds = MARKS if name == "mean_satisfaction" else (0.0, np.inf)
    means = clustered_means(values, groups)
    parts = (np.isfinite(values),) if name == "mean_satisfaction" else flag_parts(above(values, 0))
    is_few = hidden | hidden_groups(groups, *parts, min_cell=min_cell)
    return _columns(name, (means.mean, *mean_interval(means, bounds=bounds)), is_few)


def _time_columns(cases: Cases, groups: Grouping, within: float, hidden: Flags, min_cell: int) -> list[pd.DataFrame]:
    """Return columns of the times to the first response, where it is told, and to the resolution."""
    columns = []
    if cases.tells("first_response_hours"):
        hours, has_happened = cases.first_response
        curves = curves_by_group(groups, hours, has_happened)
        columns.append(_median_columns("first_response_hours", curves, _few(groups, has_happened, hidden, min_cell)))
        in_time = has_happened & (hours <= within)
        shares = _shares_within(curves, within, groups.customers(cases.everything))
        is_few = _few(groups, in_time, hidden, min_cell) | _few(groups, ~in_time, hidden, min_cell)
        columns.append(_columns("responded_in_time", (shares[0], shares[1], shares[2]), is_few))
    curves = curves_by_group(groups, *cases.resolution)
    columns.append(_median_columns("resolution_hours", curves, _few(groups, ~cases.is_open, hidden, min_cell)))
    return columns


def _few(groups: Grouping, chosen: Flags, hidden: Flags, min_cell: int) -> Flags:
    return hidden | hidden_groups(groups, chosen, min_cell=min_cell)


def _median_columns(name: str, curves: list[SurvivalCurve | None], hidden: Flags) -> pd.DataFrame:
    medians = [(np.nan,) * 3 if curve is None else curve.quantile(0.5) for curve in curves]
    value, low, high = np.array(medians, dtype=float).T
    return _columns(name, (value, low, high), hidden)


def _shares_within(
    curves: list[SurvivalCurve | None], hours: float, n_customers: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    """Return the share to which it happened within some hours, with intervals; none or all is no certainty."""
    nothing = np.full(3, np.nan)
    found = np.array([nothing if curve is None else 1 - np.concatenate(curve.at(hours)) for curve in curves])
    share, high, low = found.T
    plain = Means(share, n_customers, n_customers, np.full(len(share), np.nan), np.full(len(share), np.nan))
    is_extreme = (share == 0) | (share == 1)
    wide_low, wide_high = share_interval(plain)
    return share, np.where(is_extreme, wide_low, low), np.where(is_extreme, wide_high, high)


def _contact_rate(groups: Grouping, base: ContactBase) -> pd.DataFrame:
    """Return cases per customer and 30 days; customers differ, so that the interval is that of a mean over customers."""
    inside = groups.pairs[groups.codes >= 0]
    per_pair = np.bincount(inside, minlength=len(groups.pair_groups)).astype(float)
    total = np.bincount(groups.pair_groups, weights=per_pair, minlength=groups.n_groups)
    squares = np.bincount(groups.pair_groups, weights=per_pair**2, minlength=groups.n_groups)
    n = base.customers
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        error = np.sqrt(np.maximum(squares - n * mean**2, 0) / (n - 1) / n)
        spread = np.exp(norm.ppf((1 + LEVEL) / 2) * error / mean)
        rate = mean / base.days * DAYS_A_MONTH
        return _columns("contact_rate", (rate, rate / spread, rate * spread), np.zeros(groups.n_groups, dtype=bool))


def _columns(name: str, figures: tuple[Floats, Floats, Floats], hidden: Flags) -> pd.DataFrame:
    """Return a value and its interval as columns, without those of hidden groups."""
    named = dict(zip((name, f"{name}_low", f"{name}_high"), figures, strict=True))
    return pd.DataFrame({column: np.where(hidden, np.nan, values) for column, values in named.items()})
