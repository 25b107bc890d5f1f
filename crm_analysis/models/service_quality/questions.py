"""
What a report asks of the cases known on a day: an explanation, the open ones, and what is handed on to other systems.

Which cases these are belongs in :mod:`crm_analysis.models.service_quality.known_cases`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from crm_analysis.features.service import LEVELS
from crm_analysis.models.service_quality.explanation import Explanation, case_reasons, explained
from crm_analysis.models.service_quality.known_cases import ServiceCases
from crm_analysis.models.service_quality.measures import ServiceMeasures
from crm_analysis.models.service_quality.prediction import (
    ServiceQuality,
    n_at_risk,
    open_cases_at_risk,
    probabilities,
    refitted,
)
from crm_analysis.tables.privacy.suppression import NOT_SHOWN, small

N_SHOWN = 10
_DECIMALS_IN_PRIVATE = 2  # ratios with all decimals would tell what they were divided by
GO_WRONG = {
    "sla_missed": "miss the target",
    "low_satisfaction": "end in a low satisfaction",
    "long_resolution": "take long to resolve",
    "reopened": "be reopened",
}
_HOUR = pd.Timedelta(hours=1)


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
        return shown.assign(probability=chances)[["case_id", "due_at", "probability", "reasons", "team"]]

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
    if min_cell > 1:
        table = table.assign(probability=table["probability"].round(_DECIMALS_IN_PRIVATE))
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
    said = [f"{late} past the due time already: look at these first (table open_cases_overdue)."] if n_late else []
    if not n_risky:
        return [*said, f"No {'other ' if n_late else ''}open case can still {GO_WRONG[result.split.outcome]}."]
    more = " more" if n_late else " open cases"
    many = f"Some{more}" if shown_risky is None else f"{n_risky:,}{more}"
    order = "the riskiest first" if result.beats_base_rate else "the first due first, since the model is of no use"
    listed = f"{many} may still {GO_WRONG[result.split.outcome]}: table open_cases_at_risk, {order}."
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
        By name; a figure about too few customers is missing. Of private data shares have two decimals.
    """
    decimals = None if state.min_cell == 1 else _DECIMALS_IN_PRIVATE
    rival = result.measures["rival"]["auc"]
    return {
        "outcome": result.split.outcome,
        "model": result.model,
        "base_rate": _rounded(result.base_rate, decimals),
        "auc": result.measures["model"]["auc"],
        "rival_auc": rival,
        "average_precision": result.measures["model"]["average_precision"],
        "brier": result.measures["model"]["brier"],
        "calibration_error": result.calibration_error,
        "sla_attainment": _rounded(state.sla_attainment, decimals),
        "n_open_at_risk": at_risk.n_at_risk,
        "n_open_overdue": at_risk.n_overdue,
        "review_recall": _rounded(result.gain.recall, decimals),
    }


def _rounded(value: float, decimals: int | None) -> float:
    return value if decimals is None else round(value, decimals)
