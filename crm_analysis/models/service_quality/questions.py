"""
What a report asks about cases as of a day: their courses, what was known of each at its opening, how they turned out.

What is made of them belongs in ``measures``, ``prediction``, ``explanation``, ``workload`` and ``money`` beside this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd

from crm_analysis.errors import ParamsError
from crm_analysis.features.attributes import customer_attributes
from crm_analysis.features.service import LEVELS, case_courses, case_features, case_outcomes, n_customers_known
from crm_analysis.models.service_quality.explanation import Explanation, case_reasons, explained
from crm_analysis.models.service_quality.measures import ServiceMeasures
from crm_analysis.models.service_quality.prediction import (
    CaseSplit,
    ServiceQuality,
    first_holdout_day,
    n_at_risk,
    open_cases_at_risk,
    probabilities,
    refitted,
    split_cases,
)
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.privacy.suppression import NOT_SHOWN, small
from crm_analysis.tables.snapshot import Filter, Snapshot

N_SHOWN = 10
_HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True)
class ServiceCases:
    """
    All cases known on a day.

    Attributes
    ----------
    known : Snapshot
        The tables as of the day.
    courses : pandas.DataFrame
        How each case went, as :func:`crm_analysis.features.service.case_courses` returns it.
    features : pandas.DataFrame
        What was known of each at its opening, or at the age asked for.
    outcomes : pandas.DataFrame
        How each had turned out by the end of the day.
    split : CaseSplit
        Those to learn from and to be judged on.
    groups : pandas.DataFrame
        Attributes of customers that are compared, by ``customer_id``; without columns where none are asked for.
    """

    known: Snapshot
    courses: pd.DataFrame
    features: pd.DataFrame
    outcomes: pd.DataFrame
    split: CaseSplit
    groups: pd.DataFrame

    @property
    def n_customers(self) -> int:
        """Everybody known by the day, with a case or without."""
        return n_customers_known(self.known)

    @property
    def labelled(self) -> pd.DataFrame:
        """Features and outcome (0 or 1) of every case learnt from or judged on."""
        return pd.concat([self.split.training, self.split.holdout], ignore_index=True)

    @property
    def missed(self) -> pd.Series:
        """Whether each case missed its target, by ``case_id``; missing while that is not known."""
        return self.courses.set_index("case_id")["sla_missed"]


def service_cases(
    source: Dataset,
    *,
    as_of: date,
    outcome: str,
    where: Filter | None = None,
    holdout_from: date | None = None,
    holdout_to: date | None = None,
    holdout_share: float = 0.3,
    low_satisfaction_at_most: int = 2,
    long_resolution_hours: float = 72,
    age_hours: float = 0,
    extra_features: Sequence[str] = (),
    compare_groups: Sequence[str] = (),
) -> ServiceCases:
    """
    Return the cases of a dataset as of a day, parted by time.

    Parameters
    ----------
    source : Dataset
        Where they come from; it needs ``service_cases``.
    as_of : datetime.date
        The last day known.
    outcome : str
        What is to be foreseen.
    where : mapping, optional
        Only customers with these attributes.
    holdout_from, holdout_to : datetime.date, optional
        First and last day judged on; default: by `holdout_share`, up to `as_of`.
    holdout_share : float
        Latest share of cases, the hold-out.
    low_satisfaction_at_most : int
        Answers up to this one (of 1 to 5) are low.
    long_resolution_hours : float
        Hours after which a resolution counts as long.
    age_hours : float
        Hours since its opening at which a case is looked at.
    extra_features : sequence of str
        Further columns of ``service_cases`` that are known when a case opens.
    compare_groups : sequence of str
        Attributes of customers between whose groups service is compared.

    Returns
    -------
    ServiceCases
        Outcomes of the training cases are those known the day before the hold-out.

    Raises
    ------
    DataQualityError, TooFewRecordsError, ParamsError
        As :func:`~crm_analysis.models.service_quality.prediction.split_cases`,
        :func:`~crm_analysis.features.service.case_features` and
        :func:`~crm_analysis.features.attributes.customer_attributes` say; at the age every case is decided.
    """
    known = source.known(as_of, where=where)
    outcomes_known = partial(
        case_outcomes, low_satisfaction_at_most=low_satisfaction_at_most, long_resolution_hours=long_resolution_hours
    )
    features, outcomes = case_features(known, age_hours=age_hours, extra=extra_features), outcomes_known(known)
    if age_hours > 0:
        if outcome == "long_resolution" and age_hours >= long_resolution_hours:
            raise ParamsError(
                f"age_hours {age_hours:g} is not below long_resolution_hours {long_resolution_hours:g}: at that age every open case "
                "has taken long already. Use a smaller age."
            )
        features = _undecided(features, outcomes, outcome, age_hours=age_hours)
    first_day = first_holdout_day(features, holdout_share=holdout_share, holdout_from=holdout_from)
    if not source.first_day < first_day <= as_of:
        raise ParamsError(
            f"holdout_from {first_day} must lie after the first day of the data, {source.first_day}, and up to as_of {as_of}: models "
            "learn from the cases before it and are judged on those from it on."
        )
    before = source.known(first_day - timedelta(days=1), where=where)
    split = split_cases(
        features,
        outcome=outcome,
        training_outcomes=outcomes_known(before),
        outcomes=outcomes,
        holdout_from=first_day,
        holdout_to=holdout_to or as_of,
        min_cell=source.min_cell,
        age_hours=age_hours,
    )
    return ServiceCases(
        known, case_courses(known), features, outcomes, split, customer_attributes(known, compare_groups)
    )


def explained_cases(cases: ServiceCases, result: ServiceQuality, *, seed: int, min_cell: int = 1) -> Explanation:
    """
    Explain the chosen model on the hold-out, and say what would help by all cases.

    Parameters
    ----------
    cases : ServiceCases
        The cases.
    result : ServiceQuality
        The model, judged.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    Explanation
        Tables and sentences.
    """
    return explained(
        lambda rows: probabilities(result.classifier, rows).to_numpy(),
        cases.split.holdout,
        past=cases.labelled,
        courses=cases.courses,
        outcome=cases.split.outcome,
        review_share=result.review_share,
        groups=cases.groups,
        is_rounded=cases.split.is_rounded,
        seed=seed,
        min_cell=min_cell,
    )


@dataclass(frozen=True)
class OpenCases:
    """
    Open cases that may still go wrong, and those that have.

    Attributes
    ----------
    table : pandas.DataFrame
        Outcome not yet known, the riskiest first: what
        :func:`~crm_analysis.models.service_quality.prediction.open_cases_at_risk` returns, with ``reasons`` in words for the
        first of them. Where the model is of no use, without reasons and in the order of the due time.
    overdue : pandas.DataFrame
        Open past their due time, the longest first: the same names, and ``hours_overdue``.
    n_at_risk, n_overdue : int or None
        How many; None where they are of too few customers.
    sentences : tuple of str
        What the lists are, and how to read the reasons.
    """

    table: pd.DataFrame
    overdue: pd.DataFrame
    n_at_risk: int | None
    n_overdue: int | None
    sentences: tuple[str, ...]

    @property
    def readable(self) -> pd.DataFrame:
        """The ten riskiest for people; without rows where they are of too few customers."""
        shown = self.table.head(N_SHOWN) if self.n_at_risk is not None else self.table.head(0)
        chances = shown["probability"].map("{:.0%}".format)
        return shown.assign(probability=chances)[["case_id", "due_at", "probability", "reasons", "team", "opened_at"]]

    @property
    def readable_overdue(self) -> pd.DataFrame:
        """The ten that are longest overdue; without rows where they are of too few customers."""
        shown = self.overdue.head(N_SHOWN) if self.n_overdue is not None else self.overdue.head(0)
        return shown[["case_id", "due_at", "hours_overdue", "team", "channel", "category", "priority"]]


def open_cases(
    cases: ServiceCases,
    result: ServiceQuality,
    explanation: Explanation,
    *,
    seed: int,
    min_cell: int = 1,
    most_with_reasons: int = 200,
) -> OpenCases:
    """
    Return the open cases: those that may go wrong, with reasons, and those past their due time.

    Parameters
    ----------
    cases : ServiceCases
        The cases.
    result : ServiceQuality
        Which model was chosen; it is fitted anew on every case whose outcome is known.
    explanation : Explanation
        Which attributes go together, so that a reason names them once.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about.
    most_with_reasons : int
        How many of the riskiest get reasons.

    Returns
    -------
    OpenCases
        Both lists; empty where no case is open.
    """
    as_of = cases.known.as_of
    classifier = refitted(result, cases.features, cases.outcomes, as_of=as_of)
    table = open_cases_at_risk(result, cases.features, cases.outcomes, classifier=classifier)
    reasons, told = pd.Series(dtype="str"), tuple[str, ...]()
    riskiest = cases.features.set_index("case_id").reindex(table["case_id"][:most_with_reasons]).reset_index()
    if not result.beats_base_rate:
        table = table.sort_values(["due_at", "opened_at", "case_id"], ignore_index=True)
    elif len(riskiest):
        found = case_reasons(
            lambda rows: probabilities(classifier, rows).to_numpy(),
            riskiest,
            past=cases.labelled,
            outcome=cases.split.outcome,
            groups=explanation.drivers.parts or None,
            seed=seed,
            min_cell=min_cell,
        )
        reasons, told = found.reasons["reasons"], found.sentences
    table, overdue = (_without_rare_levels(listed, cases, min_cell=min_cell) for listed in (table, _overdue(cases)))
    n_at_risk_now, n_overdue = _shown_counts(table, overdue, min_cell=min_cell)
    lists = _lists_in_words(result, len(table), len(overdue), n_at_risk_now, n_overdue)
    return OpenCases(
        table=table.assign(reasons=table["case_id"].map(reasons).astype("str")),
        overdue=overdue,
        n_at_risk=n_at_risk_now,
        n_overdue=n_overdue,
        sentences=(*lists, *(told if n_at_risk_now is not None else told[:0])),
    )


def _shown_counts(table: pd.DataFrame, overdue: pd.DataFrame, *, min_cell: int) -> tuple[int | None, int | None]:
    """How many are in both lists; neither where one is of too few customers: all open cases are told elsewhere."""
    counts = n_at_risk(table, min_cell=min_cell), n_at_risk(overdue, min_cell=min_cell)
    return (None, None) if None in counts else counts


def _without_rare_levels(table: pd.DataFrame, cases: ServiceCases, *, min_cell: int) -> pd.DataFrame:
    """Hide levels that would tell who a customer is: those of fewer than `min_cell` in all cases."""
    hidden = {}
    for name in LEVELS:
        customers = cases.courses.groupby(name)["customer_id"].nunique()
        rare = customers.index[small(customers, min_cell=min_cell)]
        hidden[name] = table[name].mask(table[name].isin(rare), NOT_SHOWN)
    return table.assign(**hidden)


def _overdue(cases: ServiceCases) -> pd.DataFrame:
    end = pd.Timestamp(cases.known.as_of) + pd.Timedelta(days=1)
    late = cases.courses[cases.courses["is_open"] & (cases.courses["due_at"] < end)]
    hours = ((end - late["due_at"]).dt.total_seconds() / 3600).round(1)
    columns = ["case_id", "customer_id", "team", "category", "channel", "priority", "opened_at", "due_at"]
    table = late[columns].assign(hours_overdue=hours)
    return table.sort_values(["due_at", "case_id"], ignore_index=True)


def _lists_in_words(
    result: ServiceQuality, n_risky: int, n_late: int, shown_risky: int | None, shown_late: int | None
) -> list[str]:
    """Say what is listed, how many where that may be told, and that a useless model is not asked."""
    late = "Some open cases are" if shown_late is None else f"{n_late:,} open case{' is' if n_late == 1 else 's are'}"
    said = [f"{late} past the due time already: look at these first (table `open_cases_overdue`)."] if n_late else []
    if not n_risky:
        return [*said, "No other open case can still go that way."]
    many = "Some more" if shown_risky is None else f"{n_risky:,} more"
    order = "the riskiest first" if result.beats_base_rate else "the first due first, since the model is of no use"
    listed = f"{many} may still go that way: table `open_cases_at_risk`, {order}."
    return [*said, listed]


def recorded_results(state: ServiceMeasures, result: ServiceQuality, at_risk: OpenCases) -> dict[str, Any]:
    """
    Return what a report hands on to other systems.

    Parameters
    ----------
    state : ServiceMeasures
        How service stands.
    result : ServiceQuality
        How far outcomes can be foreseen.
    at_risk : OpenCases
        The open cases listed.

    Returns
    -------
    dict
        By name; a figure about too few customers is missing.
    """
    rival = result.measures["rival"]["auc"]
    return {
        "outcome": result.split.outcome,
        "model": result.model,
        "base_rate": result.base_rate,
        "auc": result.measures["model"]["auc"],
        "rival_auc": rival,
        "average_precision": result.measures["model"]["average_precision"],
        "brier": result.measures["model"]["brier"],
        "calibration_error": result.calibration_error,
        "sla_attainment": state.sla_attainment,
        "n_open_at_risk": at_risk.n_at_risk,
        "n_open_overdue": at_risk.n_overdue,
        "review_recall": result.gain.recall,
    }


def _undecided(features: pd.DataFrame, outcomes: pd.DataFrame, outcome: str, *, age_hours: float) -> pd.DataFrame:
    """Leave out cases whose target had passed at the age: open then, they had missed it already."""
    if outcome != "sla_missed":
        return features
    due_at = features["case_id"].map(outcomes.set_index("case_id")["due_at"])
    return features[~(due_at <= features["opened_at"] + age_hours * _HOUR)].reset_index(drop=True)
