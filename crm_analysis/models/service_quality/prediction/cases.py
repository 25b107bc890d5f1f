"""
Service cases in time: which ones a model learns from, and which ones it is judged on.

The time of every label counts: a model may learn only from outcomes that were known before its hold-out began.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import pandas as pd

from crm_analysis.errors import DataQualityError, ParamsError, TooFewRecordsError
from crm_analysis.models.service_quality.disclosure import is_of_few
from crm_analysis.models.service_quality.prediction.leakage import check_leakage
from crm_analysis.models.service_quality.wording import ENDED

MIN_TRAINING_CASES = 100
MIN_HOLDOUT_CASES = 30
MIN_CASES_PER_CLASS = 10
_NEARLY_ALL = 0.99
_WHY_UNKNOWN = {
    "sla_missed": "no due time (due_at, or sla_met with resolved_at) has passed. Map one, or use low_satisfaction",
    "low_satisfaction": "no customer's answer (satisfaction) is known. Map it, or use sla_missed",
    "long_resolution": "no case is resolved (resolved_at), nor open for long enough to tell. Map it, or use sla_missed",
    "reopened": "no case with a count of reopens (reopens) is resolved. Map it, or use sla_missed",
}


@dataclass(frozen=True)
class CaseSplit:
    """
    Cases with known outcomes, parted by the day they opened.

    Attributes
    ----------
    outcome : str
        The column that holds the outcome.
    training : pandas.DataFrame
        Features and outcome (0 or 1) of earlier cases whose outcome was known the day before `holdout_from`; with ``known_at``,
        when it became known, where that is told.
    holdout : pandas.DataFrame
        The same of later cases, as known at the end.
    holdout_from : datetime.date
        First day of the hold-out.
    holdout_to : datetime.date
        Last day of the hold-out.
    n_lost : int or None
        Earlier cases whose outcome became known only after the hold-out had begun: not learnt from. None where they are of
        too few customers to be counted.
    leakage : pandas.DataFrame
        What is to be told of features that might be known only afterwards; those that surely are have been refused.
    age_hours : float
        Hours since its opening at which a case is looked at: only those still open then are there.
    is_rounded : bool
        Whether counts of cases are told in tens only: exact ones would count those that are in neither part, and these are of too
        few customers.
    """

    outcome: str
    training: pd.DataFrame
    holdout: pd.DataFrame
    holdout_from: date
    holdout_to: date
    n_lost: int | None
    leakage: pd.DataFrame = field(default_factory=pd.DataFrame)
    age_hours: float = 0
    is_rounded: bool = False


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
    known_at_opening: Sequence[str] = (),
    age_hours: float = 0,
) -> CaseSplit:
    """
    Part cases into those a model learns from and those it is judged on.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case, as :func:`crm_analysis.features.service.case_features` returns them.
    outcome : str
        ``sla_missed``, ``low_satisfaction``, ``long_resolution`` or ``reopened``.
    training_outcomes : pandas.DataFrame
        Outcomes as known the day before `holdout_from`. With ``known_at``, when each became known, or ``resolved_at``, models are
        compared and calibrated by what was known at earlier days; a target with a ``due_at`` is known to be missed or met by then.
    outcomes : pandas.DataFrame
        Outcomes as known at the end.
    holdout_from : datetime.date
        First day of the hold-out.
    holdout_to : datetime.date
        Last day of the hold-out.
    min_cell : int
        Least number of customers that a figure is about.
    known_at_opening : sequence of str
        Features of the source's own that are known when a case opens, whatever their names and their data suggest.
    age_hours : float
        Hours since the opening that the features are as of; 0: the opening itself.

    Returns
    -------
    CaseSplit
        Both parts in the order of opening, and the count of cases lost by asking only for what was known.

    Raises
    ------
    DataQualityError
        No case has a known outcome, or a feature is known only after the opening.
    TooFewRecordsError
        A part has too few cases, too few customers, or too few cases of either outcome.
    ParamsError
        The hold-out would begin after all that is known.
    """
    if outcome not in ENDED:
        raise ValueError(f"outcome must be one of {tuple(ENDED)}, got {outcome!r}")
    _check_days(features, holdout_from, holdout_to)
    _check_known(outcomes, outcome)
    earlier = features["opened_at"] < pd.Timestamp(holdout_from)
    held_out = ~earlier & (features["opened_at"] < pd.Timestamp(holdout_to + timedelta(days=1)))
    training = labelled_cases(features[earlier], training_outcomes, outcome)
    holdout = labelled_cases(features[held_out], outcomes, outcome)
    known_later = labelled_cases(features[earlier], outcomes, outcome)
    is_log = "due_at" not in outcomes or bool(outcomes["due_at"].isna().all())
    check = partial(_check_size, outcome=outcome, min_cell=min_cell, is_log=is_log)
    check(training, period=f"before {holdout_from}", at_least=MIN_TRAINING_CASES)
    check(holdout, period=f"from {holdout_from} to {holdout_to}", at_least=MIN_HOLDOUT_CASES)
    in_neither = ~features["case_id"].isin([*training["case_id"], *holdout["case_id"]]).to_numpy()
    is_lost = in_neither & features["case_id"].isin(known_later["case_id"]).to_numpy()
    tells_of_few = partial(is_of_few, features["customer_id"], min_cell=min_cell)
    n_lost = None if tells_of_few(is_lost, in_neither & ~is_lost) else int(is_lost.sum())
    leakage = check_leakage(
        features,
        outcome=outcome,
        is_open=outcomes.set_index("case_id")["is_open"],
        truth=training.set_index("case_id")[outcome],
        known_at_opening=known_at_opening,
    )
    is_rounded = tells_of_few(in_neither)
    return CaseSplit(
        outcome,
        training,
        holdout,
        holdout_from,
        holdout_to,
        n_lost,
        leakage,
        age_hours=age_hours,
        is_rounded=is_rounded,
    )


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
        A sentence or two.
    """
    learnt, judged = (count_in_words(split, len(part)) for part in (split.training, split.holdout))
    still = still_open_in_words(split)
    said = (
        f"Learnt from {learnt} cases opened before {split.holdout_from}{still} whose outcome was known by then; judged on {judged} "
        f"cases opened from {split.holdout_from} to {split.holdout_to}{still}."
    )
    if split.n_lost == 0:
        return said
    lost = "Some" if split.n_lost is None or split.is_rounded else f"{split.n_lost:,}"
    return f"{said} {lost} earlier cases whose outcome became known only later were not learnt from."


def count_in_words(split: CaseSplit, number: int) -> str:
    """
    Return a count of cases of a split in words.

    Parameters
    ----------
    split : CaseSplit
        The split.
    number : int
        Of cases.

    Returns
    -------
    str
        In tens where an exact one would tell of too few customers.
    """
    return f"about {round(number, -1):,}" if split.is_rounded else f"{number:,}"


def still_open_in_words(split: CaseSplit) -> str:
    """
    Say which cases alone are counted where they are looked at some time after their opening.

    Parameters
    ----------
    split : CaseSplit
        The split.

    Returns
    -------
    str
        To follow "cases opened …"; empty where they are looked at when they open.
    """
    if not split.age_hours:
        return ""
    return f" and still open {split.age_hours:g} hour{'' if split.age_hours == 1 else 's'} after the opening"


def labelled_cases(features: pd.DataFrame, outcomes: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """
    Return the cases whose outcome is known.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per case.
    outcomes : pandas.DataFrame
        Outcomes as known at a day.
    outcome : str
        The column that holds the outcome.

    Returns
    -------
    pandas.DataFrame
        Features with the outcome as 0 or 1 and, where that is told, ``known_at``; in the order of opening.
    """
    known = outcomes[outcomes[outcome].notna()]
    columns = {
        "case_id": known["case_id"],
        outcome: known[outcome].astype("int64"),
        "known_at": _known_at(known, outcome),
    }
    labels = pd.DataFrame({name: column for name, column in columns.items() if column is not None})
    merged = features.merge(labels, on="case_id", how="inner")
    return merged.sort_values(["opened_at", "case_id"], ignore_index=True)


def _known_at(known: pd.DataFrame, outcome: str) -> pd.Series | None:
    """When each outcome became known: a target once it is due, all else, and a target without due time, at the resolution."""
    if "known_at" in known:
        return known["known_at"]
    is_target = outcome == "sla_missed"
    if is_target and known["due_at"].notna().all():
        return known[["due_at", "opened_at"]].max(axis=1)
    if "resolved_at" not in known or outcome == "long_resolution":  # a limit passes at the same age of every case
        return None
    return (
        known[["due_at", "opened_at"]].max(axis=1).where(known["due_at"].notna(), known["resolved_at"])
        if is_target
        else known["resolved_at"]
    )


def _check_days(features: pd.DataFrame, holdout_from: date, holdout_to: date) -> None:
    """A hold-out has a day, and does not lie beyond all that is known."""
    if holdout_from <= holdout_to:
        return
    opened = features["opened_at"].max()
    last = holdout_to if pd.isna(opened) else max(holdout_to, opened.date())
    if holdout_from > last:
        raise ParamsError(f"holdout_from {holdout_from} lies after the last day known, {last}. Use an earlier one.")
    raise ValueError(f"holdout_to {holdout_to} lies before holdout_from {holdout_from}")


def _check_known(outcomes: pd.DataFrame, outcome: str) -> None:
    if outcome not in outcomes or outcomes[outcome].isna().all():
        raise DataQualityError(
            f"None of {len(outcomes)} service cases has a known {outcome}: {_WHY_UNKNOWN[outcome]}, or a later as_of."
        )


def _check_size(cases: pd.DataFrame, outcome: str, period: str, *, at_least: int, min_cell: int, is_log: bool) -> None:
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
    yes = cases[outcome].to_numpy() == 1
    if n_rarer < MIN_CASES_PER_CLASS or is_of_few(cases["customer_id"], yes, ~yes, min_cell=min_cell):
        raise TooFewRecordsError(
            _too_few_of_one_kind(outcome, period, n_yes, n_cases, min_cell=min_cell, is_log=is_log)
        )


def _too_few_of_one_kind(outcome: str, period: str, n_yes: int, n_cases: int, *, min_cell: int, is_log: bool) -> str:
    """Say which outcome is rare, and what to do; without its count in private data."""
    is_yes_rare = 2 * n_yes <= n_cases
    n_rarer, ended = min(n_yes, n_cases - n_yes), ENDED[outcome]
    if min_cell > 1:
        cases = f"Of the service cases opened {period} too few {ended if is_yes_rare else 'ended otherwise: nearly all ' + ended}"
        needed = f"{MIN_CASES_PER_CLASS} cases, of {min_cell} customers,"
    else:
        told = (f"only {n_yes}" if n_yes else "none") if is_yes_rare else (f"all but {n_rarer}" if n_rarer else "all")
        cases = f"Of {n_cases} service cases opened {period}, {told} {ended} ({outcome}): there are {n_rarer} of the rarer kind"
        needed = f"{MIN_CASES_PER_CLASS}"
    return (
        f"{cases}, and {needed} are needed to tell the two apart. {_hint(n_cases - n_rarer, n_cases, outcome, min_cell=min_cell, is_log=is_log)}"
        "Use a longer period, or another outcome."
    )


def _hint(n_commoner: int, n_cases: int, outcome: str, *, min_cell: int, is_log: bool) -> str:
    """Where nearly all cases are alike in whether they met the target, it may not be what it seems."""
    if outcome != "sla_missed" or n_commoner < _NEARLY_ALL * n_cases:
        return ""
    if not is_log:
        return "Check that due_at is the time by which a case was to be resolved. "
    share = "Nearly all" if min_cell > 1 else f"{n_commoner / n_cases:.3%}"
    return (
        f"{share} of them are alike: where sla_met comes from a log of events, it is to be taken from each case's "
        "last event, as in earlier ones it is not yet decided. "
    )
