"""
How service stands, whether it is changing, and which teams differ beyond chance: all measures in one result.

The pieces have modules of their own in this folder. Sentences belong in :mod:`crm_analysis.models.service_quality.measures.wording`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.features.service.attributes import LOW_SATISFACTION
from crm_analysis.features.service.outcomes import LONG_RESOLUTION_HOURS
from crm_analysis.models.service_quality.measures.answers import Answers, answer_study
from crm_analysis.models.service_quality.measures.backlog import Backlog, backlog
from crm_analysis.models.service_quality.measures.case_table import ATTRIBUTES, Cases, checked_cases, outcome_flags
from crm_analysis.models.service_quality.measures.changes import chart_or_reason, hours_chart, share_chart
from crm_analysis.models.service_quality.measures.comparison import log_ranks, resolution_curves, shown_league
from crm_analysis.models.service_quality.measures.control_charts import ControlChart
from crm_analysis.models.service_quality.measures.disclosure import without_hidden_names
from crm_analysis.models.service_quality.measures.groups import (
    all_cases,
    attribute_groups,
    contact_base,
    group_measures,
    period_groups,
    segment_groups,
)
from crm_analysis.models.service_quality.measures.intervals import Grouping
from crm_analysis.models.service_quality.measures.league import League
from crm_analysis.models.service_quality.measures.wording import (
    OUTCOMES_IN_WORDS,
    answers_in_words,
    backlog_in_words,
    changes_in_words,
    league_in_words,
    log_rank_in_words,
    readable_measures,
    state_in_words,
)
from crm_analysis.tables.privacy.suppression import left_out_in_words

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RESPONSE_WITHIN_HOURS = 24.0
_DECIMALS_IN_PRIVATE = 2
N_FIRST = 2  # measures told first
SEGMENT = "segment"
_COLUMNS_IN_WORDS = {
    "sla_missed": "due times (SLA attainment)",
    "first_response_hours": "first responses",
    "satisfaction": "satisfaction",
    "reopens": "reopens",
    "reassignments": "reassignments",
}


@dataclass(frozen=True)
class ServiceMeasures:
    """
    All measures of service as of a day.

    Attributes
    ----------
    as_of : datetime.date
        The last day known.
    outcome : str
        Whose share is charted and compared.
    period : {"week", "month"}
        Of the charts, the history of the backlog and the table over time.
    overall : pandas.DataFrame
        One row: the measures of all cases.
    by : mapping of str to pandas.DataFrame
        The measures by ``team``, ``channel``, ``category``, ``priority``, ``segment`` and ``week`` or ``month``, as far as told.
    curves : pandas.DataFrame
        ``group``, ``hours``, ``share`` (not resolved by then), ``low``, ``high``; all cases, and the largest groups.
    curves_by : str
        What the groups of ``curves`` are.
    log_rank : pandas.DataFrame
        Whether groups differ in the time to resolution, by attribute: ``statistic``, ``degrees_of_freedom``, ``p_value``.
    backlog : Backlog
        Open cases over time and now.
    answers : Answers or None
        Who answers; None without satisfaction.
    share_chart, hours_chart : ControlChart or None
        Of the outcome's share and of the median hours to resolution; None where there are too few periods.
    league : League or None
        Groups beside each other by the outcome; None where it is not told.
    league_by : str
        What these groups are.
    n_cases, n_customers : int
        Cases, and customers with one.
    min_cell : int
        Least number of customers that a figure is about.
    headline : tuple of str
        How service stands, whether it is changing, which groups differ.
    sentences : tuple of str
        What else the measures say.
    notes : tuple of str
        What is left out, and why.
    """

    as_of: date
    outcome: str
    period: str
    overall: pd.DataFrame
    by: Mapping[str, pd.DataFrame]
    curves: pd.DataFrame
    curves_by: str
    log_rank: pd.DataFrame
    backlog: Backlog
    answers: Answers | None
    share_chart: ControlChart | None
    hours_chart: ControlChart | None
    league: League | None
    league_by: str
    n_cases: int
    n_customers: int
    min_cell: int
    headline: tuple[str, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sla_attainment(self) -> float:
        """Share of due cases that met their target; NaN where it is not told."""
        return float(self.overall.get("sla_attainment", pd.Series([math.nan])).iloc[0])

    @property
    def by_group(self) -> pd.DataFrame:
        """
        All measures of all groups in one table: ``attribute``, ``group``, and a column a measure and end of its interval.

        Groups of which nothing may be shown are one row, "not shown". Ratios of private data have two decimals: with all of
        them they would tell what they were divided by.
        """
        tables = [
            self._named(name).rename_axis("group").reset_index().astype({"group": "str"}).assign(attribute=name)
            for name in self.by
        ]
        together = pd.concat(tables, ignore_index=True)[["attribute", *tables[0].columns.drop("attribute")]]
        return together if self.min_cell == 1 else together.round(_DECIMALS_IN_PRIVATE)

    def readable(self, by: str | None = None) -> pd.DataFrame:
        """
        Return measures for people, each with its interval in one cell.

        Parameters
        ----------
        by : str, optional
            A key of ``by``, or an attribute that no case has; default: all cases.

        Returns
        -------
        pandas.DataFrame
            A row a group, none where no case has the attribute. Groups of which nothing may be shown are one row, "not shown".
        """
        known = tuple(dict.fromkeys([*ATTRIBUTES, SEGMENT, *self.by]))
        if by is None:
            return readable_measures(self.overall)
        if by not in known:
            raise ValueError(f"by must be one of {known}, got {by!r}")
        return readable_measures(self._named(by) if by in self.by else self.overall.iloc[:0].rename_axis(by))

    def _named(self, by: str) -> pd.DataFrame:
        """Return a table by group without the names of those that are not shown: a rare name tells of few customers."""
        return self.by[by] if by == self.period else without_hidden_names(self.by[by])


def service_measures(
    courses: pd.DataFrame,
    *,
    as_of: date,
    seed: int,
    outcome: str = "sla_missed",
    n_customers: int | None = None,
    segments: pd.Series | None = None,
    expected: pd.Series | None = None,
    period: str = "week",
    league_by: str = "team",
    response_within_hours: float = RESPONSE_WITHIN_HOURS,
    low_satisfaction_at_most: int = LOW_SATISFACTION,
    long_resolution_hours: float = LONG_RESOLUTION_HOURS,
    min_cell: int = 1,
) -> ServiceMeasures:
    """
    Measure service: how it stands, whether it is changing, which teams differ beyond chance.

    Parameters
    ----------
    courses : pandas.DataFrame
        One row a case, as :func:`crm_analysis.features.service.case_courses` returns it.
    as_of : datetime.date
        The last day known.
    seed : int
        Start of everything random: simulated stable processes, draws of ranks.
    outcome : {"sla_missed", "low_satisfaction", "long_resolution", "reopened"}
        Whose share is charted and compared.
    n_customers : int, optional
        Customers known, with and without a case; without it there is no contact rate.
    segments : pandas.Series, optional
        Segment by ``customer_id``, of all customers known.
    expected : pandas.Series, optional
        By ``case_id``, the chance of the outcome that the case mix alone leads one to expect; for the comparison of groups.
    period : {"week", "month"}
        Of whatever is shown over time.
    league_by : {"team", "channel", "category", "priority"}
        Which groups are compared.
    response_within_hours : float
        Promise of a first response.
    low_satisfaction_at_most : int
        Answers up to this one (of 1 to 5) are low.
    long_resolution_hours : float
        A resolution later than this after the opening is long.
    min_cell : int
        Least number of customers that a figure is about; 1 for public data.

    Returns
    -------
    ServiceMeasures
        Tables, charts and sentences. What the case table does not tell is left out, and said in ``notes``.

    Raises
    ------
    TooFewRecordsError
        The cases are of fewer than `min_cell` customers.
    DataQualityError, SourceSchemaError, EmptyTableError
        As :func:`~crm_analysis.models.service_quality.measures.case_table.checked_cases` raises them.

    Notes
    -----
    Intervals of shares and means hold for customers with several cases that are alike; those of times, and the log-rank test,
    take cases as independent. Differences between groups are associations: teams have different cases.
    """
    _check_arguments(period, league_by, response_within_hours)
    cases = checked_cases(courses, as_of=as_of, low_satisfaction_at_most=low_satisfaction_at_most)
    _check_size(cases, n_customers, min_cell)
    flags, is_pending = outcome_flags(cases, outcome, long_resolution_hours=long_resolution_hours)
    groups = {name: attribute_groups(cases, values) for name, values in cases.attributes.items()}
    task = _Task(cases, response_within_hours, n_customers, min_cell)
    by = _tables(task, groups, segments, period)
    overall = _measured(task, all_cases(cases), n_customers)
    compared = league_by if league_by in groups else next(iter(groups), "")
    beside = groups.get(compared)
    tests = log_ranks(cases, groups)
    waiting = backlog(cases, period=period, by=compared, min_cell=min_cell)
    answers = answer_study(cases, min_cell=min_cell) if cases.tells("satisfaction") else None
    charts, chart_notes = _charts(task, flags, is_pending, by[period], outcome=outcome, period=period, seed=seed)
    table = None
    if beside is not None:
        table = shown_league(cases, beside, flags, seed=seed, expected=expected, min_cell=min_cell)
    notes = [
        *_untold(cases, n_customers),
        *(answers.notes if answers else ()),
        *chart_notes,
        *_league_notes(table, league_by, compared),
        left_out_in_words(min_cell, *(part["cases"] for part in by.values())),
    ]
    stands = state_in_words(overall.iloc[0], response_within_hours=response_within_hours)
    changes = changes_in_words(*charts, outcome=outcome, period=period)
    teams = [league_in_words(table, by=compared, outcome=outcome)] if table else []
    headline = [*stands[:N_FIRST], *changes[:1], *teams]
    sentences = [
        *stands[N_FIRST:],
        *(answers_in_words(answers) if answers else ()),
        backlog_in_words(waiting),
        *changes[1:],
        *(log_rank_in_words(name, by[name], float(tests["p_value"][name])) for name in groups),
    ]
    return ServiceMeasures(
        as_of=as_of,
        outcome=outcome,
        period=period,
        overall=overall,
        by=by,
        curves=resolution_curves(cases, beside, min_cell=min_cell),
        curves_by=compared,
        log_rank=tests,
        backlog=waiting,
        answers=answers,
        share_chart=charts[0],
        hours_chart=charts[1],
        league=table,
        league_by=compared,
        n_cases=cases.n_cases,
        n_customers=cases.n_customers,
        min_cell=min_cell,
        headline=tuple(sentence for sentence in headline if sentence),
        sentences=tuple(sentence for sentence in sentences if sentence),
        notes=tuple(note for note in notes if note),
    )


@dataclass(frozen=True)
class _Task:
    """What all tables by group share."""

    cases: Cases
    response_within_hours: float
    n_customers: int | None
    min_cell: int


def _measured(task: _Task, groups: Grouping, known: float | Floats | None, period: str | None = None) -> pd.DataFrame:
    """Return the measures of groups; without customers known there is no contact rate."""
    return group_measures(
        task.cases,
        groups,
        response_within_hours=task.response_within_hours,
        contacts=None if known is None else contact_base(task.cases, groups, known, period=period),
        min_cell=task.min_cell,
    )


def _tables(
    task: _Task, groups: Mapping[str, Grouping], segments: pd.Series | None, period: str
) -> dict[str, pd.DataFrame]:
    """Return the measures by attribute, by segment and over time."""
    tables = {name: _measured(task, chosen, task.n_customers) for name, chosen in groups.items()}
    if segments is not None:
        tables[SEGMENT] = _measured(task, *segment_groups(task.cases, segments))
    tables[period] = _measured(task, period_groups(task.cases, period), task.n_customers, period)
    return {name: table.rename_axis(name) for name, table in tables.items()}


def _charts(
    task: _Task, flags: Floats, is_pending: Flags, over_time: pd.DataFrame, *, outcome: str, period: str, seed: int
) -> tuple[tuple[ControlChart | None, ControlChart | None], list[str]]:
    """Return the charts of the share and of the hours, and why one is missing."""
    of_share, notes = chart_or_reason(
        lambda: share_chart(task.cases, flags, is_pending, period=period, seed=seed, min_cell=task.min_cell),
        of=f"the share of {OUTCOMES_IN_WORDS[outcome]}",
    )
    of_hours, more = chart_or_reason(
        lambda: hours_chart(task.cases, over_time["resolution_hours"], period=period, seed=seed),
        of="the median hours to resolution",
    )
    return (of_share, of_hours), [*notes, *more]


def _check_arguments(period: str, league_by: str, response_within_hours: float) -> None:
    if period not in {"week", "month"}:
        raise ValueError(f"period must be 'week' or 'month', got {period!r}")
    if league_by not in ATTRIBUTES:
        raise ValueError(f"league_by must be one of {ATTRIBUTES}, got {league_by!r}")
    if not response_within_hours > 0:
        raise ValueError(f"response_within_hours must be positive, got {response_within_hours!r}")


def _check_size(cases: Cases, n_customers: int | None, min_cell: int) -> None:
    if n_customers is not None and n_customers < cases.n_customers:
        raise ValueError(
            f"n_customers must count the {cases.n_customers} customers with a case too, got {n_customers!r}"
        )
    if cases.n_customers < min_cell:
        raise TooFewRecordsError(
            f"The service cases are of fewer than {min_cell} customers, too few to tell of. Use a later as_of or more customers."
        )


def _untold(cases: Cases, n_customers: int | None) -> list[str]:
    """Say which measures the case table does not tell."""
    missing = [words for column, words in _COLUMNS_IN_WORDS.items() if not cases.tells(column)]
    missing += [name for name in ATTRIBUTES if name not in cases.attributes]
    notes = [f"No case has {'; none has '.join(missing)}: what rests on them is left out."] if missing else []
    if n_customers is None:
        notes.append("How many customers are known was not given: there is no contact rate.")
    return notes


def _league_notes(table: League | None, asked: str, compared: str) -> list[str]:
    """Say what of the comparison is left out."""
    if not compared:
        return ["No case has a team, channel, category or priority: there is nothing to compare."]
    notes = [f"No case has a {asked}: {compared}s are compared instead."] if asked != compared else []
    if table is None:
        return [*notes, f"The {compared}s are not compared: the outcome is known of too few cases or customers."]
    some = [f"Some {compared}s are not compared: they are of too few customers, or would give such away."]
    return [*notes, *(some if table.n_hidden else [])]
