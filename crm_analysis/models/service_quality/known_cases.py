"""
The cases of a dataset as of a day: their courses, what was known of each at its opening, how they turned out, parted by time.

What is made of them belongs in :mod:`crm_analysis.models.service_quality.questions` and the rooms it asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import pandas as pd

from crm_analysis.errors import ParamsError
from crm_analysis.features.attributes import customer_attributes
from crm_analysis.features.service import case_courses, case_features, case_outcomes, n_customers_known
from crm_analysis.models.service_quality.prediction import CaseSplit, first_holdout_day, split_cases
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Filter, Snapshot

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
    known_at_opening: Sequence[str] = (),
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
    known_at_opening : sequence of str
        Those of them that are so whatever their names and values suggest.
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
        known_at_opening=known_at_opening,
    )
    return ServiceCases(
        known, case_courses(known), features, outcomes, split, customer_attributes(known, compare_groups)
    )


def _undecided(features: pd.DataFrame, outcomes: pd.DataFrame, outcome: str, *, age_hours: float) -> pd.DataFrame:
    """Leave out cases whose target had passed at the age: open then, they had missed it already."""
    if outcome != "sla_missed":
        return features
    due_at = features["case_id"].map(outcomes.set_index("case_id")["due_at"])
    return features[~(due_at <= features["opened_at"] + age_hours * _HOUR)].reset_index(drop=True)
