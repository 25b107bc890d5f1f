"""
Service cases in time: which ones a model learns from, which ones it is judged on, and how many met their target.

The time of every label counts: a model may learn only from outcomes that were known before its hold-out began.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.features.service import OUTCOMES
from crm_analysis.tables.privacy.suppression import hidden_rows, shown_count, small

MIN_TRAINING_CASES = 100
MIN_HOLDOUT_CASES = 30
MIN_CASES_PER_CLASS = 10


@dataclass(frozen=True)
class CaseSplit:
    """
    Cases with known outcomes, parted by the day they opened.

    Attributes
    ----------
    outcome : str
        The column that holds the outcome.
    training : pandas.DataFrame
        Features and outcome (0 or 1) of earlier cases whose outcome was known the day before `holdout_from`.
    holdout : pandas.DataFrame
        The same of later cases, as known at the end.
    holdout_from : datetime.date
        First day of the hold-out.
    holdout_to : datetime.date
        Last day of the hold-out.
    n_lost : int or None
        Earlier cases whose outcome became known only after the hold-out had begun: not learnt from. None where they are of
        too few customers to be counted.
    """

    outcome: str
    training: pd.DataFrame
    holdout: pd.DataFrame
    holdout_from: date
    holdout_to: date
    n_lost: int | None


def first_holdout_day(features: pd.DataFrame, *, holdout_share: float, holdout_from: date | None = None) -> date:
    """
    Return the first day of the hold-out.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case with ``opened_at``.
    holdout_share : float
        Share of cases, the latest by opening, to hold out.
    holdout_from : datetime.date, optional
        The day, when it is given and not to be found.

    Returns
    -------
    datetime.date
        The day on which the first case of the latest `holdout_share` opened.

    Raises
    ------
    TooFewRecordsError
        There are no cases, or all of them opened on one day.

    Examples
    --------
    >>> opened = pd.date_range("2024-01-01", periods=10, freq="D")
    >>> first_holdout_day(pd.DataFrame({"opened_at": opened}), holdout_share=0.3)
    datetime.date(2024, 1, 8)
    """
    if not 0 < holdout_share < 1:
        raise ValueError(f"holdout_share must lie between 0 and 1, got {holdout_share!r}")
    if features.empty:
        raise TooFewRecordsError("There are no service cases to learn from. Use a later as_of or other customers.")
    if holdout_from is not None:
        return holdout_from
    opened = features["opened_at"].sort_values(ignore_index=True)
    day: date = opened.iloc[math.ceil(len(opened) * (1 - holdout_share) - 1e-9)].date()
    if day <= opened.iloc[0].date():
        raise TooFewRecordsError(
            f"All {len(opened)} service cases opened within too few days for a hold-out: from {opened.iloc[0].date()} to "
            f"{opened.iloc[-1].date()}. Use a later as_of, or set holdout_from."
        )
    return day


def split_cases(
    features: pd.DataFrame,
    *,
    outcome: str,
    training_outcomes: pd.DataFrame,
    outcomes: pd.DataFrame,
    holdout_from: date,
    holdout_to: date,
    min_cell: int = 1,
) -> CaseSplit:
    """
    Part cases into those a model learns from and those it is judged on.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case, as :func:`crm_analysis.features.service.case_features` returns them.
    outcome : str
        ``sla_missed`` or ``low_satisfaction``.
    training_outcomes : pandas.DataFrame
        Outcomes as known the day before `holdout_from`.
    outcomes : pandas.DataFrame
        Outcomes as known at the end.
    holdout_from : datetime.date
        First day of the hold-out.
    holdout_to : datetime.date
        Last day of the hold-out.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    CaseSplit
        Both parts in the order of opening, and the count of cases lost by asking only for what was known.

    Raises
    ------
    DataQualityError
        No case has a known outcome.
    TooFewRecordsError
        A part has too few cases, too few customers, or too few cases of either outcome.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {OUTCOMES}, got {outcome!r}")
    if holdout_to < holdout_from:
        raise ValueError(f"holdout_to {holdout_to} lies before holdout_from {holdout_from}")
    _check_known(outcomes, outcome)
    earlier = features["opened_at"] < pd.Timestamp(holdout_from)
    held_out = ~earlier & (features["opened_at"] < pd.Timestamp(holdout_to + timedelta(days=1)))
    training = _labelled(features[earlier], training_outcomes, outcome)
    holdout = _labelled(features[held_out], outcomes, outcome)
    known_later = _labelled(features[earlier], outcomes, outcome)
    _check_size(training, outcome, f"before {holdout_from}", at_least=MIN_TRAINING_CASES, min_cell=min_cell)
    period = f"from {holdout_from} to {holdout_to}"
    _check_size(holdout, outcome, period, at_least=MIN_HOLDOUT_CASES, min_cell=min_cell)
    lost = known_later[~known_later["case_id"].isin(training["case_id"])]
    n_lost = shown_count(len(lost), customers=lost["customer_id"].nunique(), min_cell=min_cell)
    return CaseSplit(outcome, training, holdout, holdout_from, holdout_to, n_lost)


def sla_attainment(outcomes: pd.DataFrame, *, features: pd.DataFrame | None = None, min_cell: int = 1) -> float:
    """
    Return the share of due cases that were resolved within the target.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        With ``sla_missed``, missing where a case is not due.
    features : pandas.DataFrame, optional
        The customer of each case: ``case_id`` and ``customer_id``; needed where `min_cell` is above 1.
    min_cell : int
        Least number of customers that the share is about.

    Returns
    -------
    float
        A share, or NaN when no case is due, or cases of too few customers.

    Notes
    -----
    Open cases that are overdue count as missed; cases not yet due are left out on both sides.

    Examples
    --------
    >>> sla_attainment(pd.DataFrame({"sla_missed": pd.array([True, False, False, None], dtype="boolean")}))
    0.6666666666666667
    """
    is_due = outcomes["sla_missed"].notna()
    if not is_due.any() or _are_few(outcomes, is_due, features, min_cell=min_cell)[0]:
        return math.nan
    return float(1 - outcomes.loc[is_due, "sla_missed"].astype(float).mean())


def state_of_service(outcomes: pd.DataFrame, *, features: pd.DataFrame | None = None, min_cell: int = 1) -> str:
    """
    Say how many cases met their target, and how many are open.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        Outcomes as known at the day.
    features : pandas.DataFrame, optional
        The customer of each case: ``case_id`` and ``customer_id``; needed where `min_cell` is above 1.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    str
        One or two sentences.

    Examples
    --------
    >>> missed = pd.array([True, False, False, None], dtype="boolean")
    >>> state_of_service(pd.DataFrame({"sla_missed": missed, "is_open": [True, False, False, True]}))
    'Of 3 due cases 67% met their target. 2 of all 4 cases are open, 1 of them past the due time.'
    """
    is_due, is_open = outcomes["sla_missed"].notna(), outcomes["is_open"]
    late = is_open & outcomes["sla_missed"].fillna(value=False)
    few_due, few_not_due = _are_few(outcomes, is_due, features, min_cell=min_cell)
    few_open = any(_are_few(outcomes, is_open, features, min_cell=min_cell))
    few_late = any(_are_few(outcomes[is_open], late[is_open], features, min_cell=min_cell))
    met = "No case has come due."
    if is_due.any():
        due = "the due cases" if few_due or few_not_due else f"{int(is_due.sum()):,} due cases"
        share = sla_attainment(outcomes, features=features, min_cell=min_cell)
        met = f"How many of {due} met their target is not told: they are of too few customers."
        met = met if math.isnan(share) else f"Of {due} {share:.0%} met their target."
    if few_open:
        return f"{met} There are {len(outcomes):,} cases in all."
    past = "" if few_late else f", {int(late.sum()):,} of them past the due time"
    return f"{met} {int(is_open.sum()):,} of all {len(outcomes):,} cases are open{past}."


def split_in_words(split: CaseSplit) -> str:
    """
    Say what was learnt from, and what the time of the labels cost.

    Parameters
    ----------
    split : CaseSplit
        The split.

    Returns
    -------
    str
        A sentence.
    """
    lost = "Some" if split.n_lost is None else f"{split.n_lost:,}"
    return (
        f"Learnt from {len(split.training):,} cases opened before {split.holdout_from} whose outcome was known by then; "
        f"judged on {len(split.holdout):,} cases opened from {split.holdout_from} to {split.holdout_to}. {lost} "
        "earlier cases whose outcome became known only later were not learnt from."
    )


def weekly_cases(features: pd.DataFrame, outcomes: pd.DataFrame, *, outcome: str, min_cell: int = 1) -> pd.DataFrame:
    """
    Count the cases of each week by how they turned out.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case with ``case_id`` and ``opened_at``.
    outcomes : pandas.DataFrame
        Outcomes as known at the end.
    outcome : str
        The column to tell apart.
    min_cell : int
        Least number of customers that a number is about.

    Returns
    -------
    pandas.DataFrame
        Index ``week`` (its Monday); columns ``yes``, ``no`` and ``unknown``: numbers of cases. Weeks without a case
        have zeros; numbers about too few customers, and what would give them away, are missing.
    """
    state = features["case_id"].map(outcomes.set_index("case_id")[outcome])
    week = features["opened_at"].dt.to_period("W-SUN").dt.start_time.rename("week")
    named = state.map({True: "yes", False: "no"}).astype("str").where(state.notna(), "unknown")
    counts = pd.crosstab(week, named).reindex(columns=["yes", "no", "unknown"], fill_value=0)
    weeks = pd.date_range(counts.index.min(), counts.index.max(), freq="7D", name="week")
    table = counts.reindex(weeks, fill_value=0).rename_axis(columns=None)
    if min_cell == 1:
        return table
    customers = (
        pd.crosstab(week, named, values=features["customer_id"], aggfunc="nunique").reindex_like(table).fillna(0)
    )
    hidden = {name: hidden_rows(customers[name], min_cell=min_cell, disjoint=False) for name in table.columns}
    return table.astype("Int64").mask(pd.DataFrame(hidden, index=table.index))


def _are_few(
    outcomes: pd.DataFrame, chosen: pd.Series, features: pd.DataFrame | None, *, min_cell: int
) -> tuple[bool, bool]:
    """Return whether the chosen cases, and the others, are of too few customers."""
    if min_cell == 1:
        return False, False
    if features is None:
        raise ValueError(f"features must tell the customers of the cases where min_cell is {min_cell}")
    customers = outcomes["case_id"].map(features.set_index("case_id")["customer_id"])
    counts = [customers[chosen].nunique(), customers[~chosen].nunique()]
    few, others_few = small(counts, min_cell=min_cell)
    return bool(few), bool(others_few)


def _labelled(features: pd.DataFrame, outcomes: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Features with a known outcome as 0 or 1, in the order of opening."""
    known = outcomes.loc[outcomes[outcome].notna(), ["case_id", outcome]].astype({outcome: "int64"})
    merged = features.merge(known, on="case_id", how="inner")
    return merged.sort_values(["opened_at", "case_id"], ignore_index=True)


def _check_known(outcomes: pd.DataFrame, outcome: str) -> None:
    if outcomes[outcome].notna().any():
        return
    reasons = {
        "sla_missed": "no due time (due_at, or sla_met with resolved_at) has passed. Map one, or use low_satisfaction",
        "low_satisfaction": "no customer's answer (satisfaction) is known. Map it, or use sla_missed",
    }
    raise DataQualityError(
        f"None of {len(outcomes)} service cases has a known {outcome}: {reasons[outcome]}, or a later as_of."
    )


def _check_size(cases: pd.DataFrame, outcome: str, period: str, *, at_least: int, min_cell: int) -> None:
    n_cases, n_yes = len(cases), int(cases[outcome].sum())
    n_rarer = min(n_yes, n_cases - n_yes)
    if cases["customer_id"].nunique() < min_cell:
        raise TooFewRecordsError(
            f"The service cases opened {period} with a known {outcome} are of fewer than {min_cell} customers, too few to tell "
            "of. Use a later as_of, another holdout_from or holdout_share, or more customers."
        )
    if n_cases < at_least:
        raise TooFewRecordsError(
            f"Only {n_cases} service cases opened {period} have a known {outcome}; {at_least} are needed. "
            "Use a later as_of, another holdout_from or holdout_share, or more customers."
        )
    if n_rarer < MIN_CASES_PER_CLASS:
        kinds = [
            f"{n_yes} have {outcome}: there are {n_rarer} of the rarer kind",
            f"too few have, or have not, {outcome}",
        ]
        raise TooFewRecordsError(
            f"Of {n_cases} service cases opened {period}, {kinds[min_cell > 1]}, and {MIN_CASES_PER_CLASS} are "
            "needed to tell the two apart. Use a longer period or the other outcome."
        )
