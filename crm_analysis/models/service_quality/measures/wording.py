"""
What measures of service say, in sentences that hold for any data, and their table for people.

Figures are computed beside this module; here they are only put into words and order.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from crm_analysis.models.service_quality.measures.answers import Answers
from crm_analysis.models.service_quality.measures.backlog import OVERDUE, Backlog
from crm_analysis.models.service_quality.measures.control_charts import RUN, ControlChart
from crm_analysis.models.service_quality.measures.groups import NOT_GIVEN, OTHERS
from crm_analysis.models.service_quality.measures.league import League
from crm_analysis.models.service_quality.wording import in_words

SHARE, HOURS, NUMBER = "share", "hours", "number"
MEASURES = {
    "sla_attainment": ("met the target", SHARE),
    "first_response_hours": ("first response, median hours", HOURS),
    "responded_in_time": ("first response in time", SHARE),
    "resolution_hours": ("resolution, median hours", HOURS),
    "reopened": ("reopened", SHARE),
    "mean_reopens": ("reopens per resolved case", NUMBER),
    "reassigned": ("reassigned", SHARE),
    "mean_reassignments": ("reassignments per resolved case", NUMBER),
    "answered": ("satisfaction answered", SHARE),
    "low_satisfaction": ("low marks", SHARE),
    "high_satisfaction": ("high marks (4, 5)", SHARE),
    "mean_satisfaction": ("mean mark", NUMBER),
    "contact_rate": ("cases per customer and 30 days", NUMBER),
}
OUTCOMES_IN_WORDS = {
    "sla_missed": "cases that missed the target",
    "low_satisfaction": "low marks among the answers",
    "long_resolution": "cases that took long to resolve",
    "reopened": "cases that were reopened",
}
CHARTS = {
    "p": "binomial limits",
    "p_prime": "limits widened for overdispersion (Laney)",
    "xmr": "limits from the moving range",
}
TOLD = (  # to people, in this order; all others stand in the table that is saved
    "sla_attainment", "first_response_hours", "resolution_hours", "reopened", "low_satisfaction", "answered",
)  # fmt: skip
MISSING = "–"
NOT_REACHED = "not reached"
CERTAIN = 0.01
MOST_NAMED = 5
MOST_DATES = 3
NARROW = 0.02
WORTH_TELLING = 0.02


def readable_measures(table: pd.DataFrame) -> pd.DataFrame:
    """
    Return measures by group for people: each value with its interval in one cell.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`~crm_analysis.models.service_quality.measures.groups.group_measures` returns it.

    Returns
    -------
    pandas.DataFrame
        The same rows; texts. Cases and six measures at most, which fit on a page; those that no group has are left out.
    """
    columns = {"cases": [MISSING if pd.isna(value) else f"{value:,}" for value in table["cases"]]}
    for name in TOLD:
        if name in table and (table.empty or table[name].notna().any()):
            words, unit = MEASURES[name]
            figures = table[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
            columns[words] = [value_in_words(*row, unit=unit) for row in figures]
    labels = [f"{name:%Y-%m-%d}" if isinstance(name, pd.Timestamp) else str(name) for name in table.index]
    return pd.DataFrame(columns, index=pd.Index(labels, name=table.index.name, dtype="str"), dtype="str")


def value_in_words(value: float, low: float, high: float, *, unit: str) -> str:
    """
    Return a value with its interval.

    Parameters
    ----------
    value : float
        The value; infinite where it is not reached.
    low, high : float
        Its interval.
    unit : {"share", "hours", "number"}
        Of the value.

    Returns
    -------
    str
        A dash where it is missing.

    Examples
    --------
    >>> value_in_words(0.83, 0.8, 0.85, unit="share"), value_in_words(12.0, 9.5, math.inf, unit="hours")
    ('83% (80–85)', '12.0 (9.5–…)')
    """
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return NOT_REACHED
    factor, places = {SHARE: (100, 0), HOURS: (1, 1), NUMBER: (1, 2)}[unit]
    if unit == SHARE and high - low < NARROW:
        places = 1
    sign = "%" if unit == SHARE else ""
    if math.isnan(low) or math.isnan(high):
        return f"{factor * value:,.{places}f}{sign}"
    upper = "…" if math.isinf(high) else f"{factor * high:,.{places}f}"
    return f"{factor * value:,.{places}f}{sign} ({factor * low:,.{places}f}–{upper})"


def state_in_words(overall: pd.Series, *, response_within_hours: float) -> list[str]:
    """
    Say how service stands.

    Parameters
    ----------
    overall : pandas.Series
        The measures of all cases.
    response_within_hours : float
        Promise of a first response.

    Returns
    -------
    list of str
        A sentence for each measure that may be told.
    """
    patterns = {
        "sla_attainment": "Of the due cases {value} met their target; open ones past the due time count as missed.",
        "resolution_hours": "Half of all cases are resolved within {value} hours; open ones are counted as far as seen.",
        "first_response_hours": "Half of all cases have a first response within {value} hours.",
        "responded_in_time": f"Within {response_within_hours:g} hours {{value}} of the cases have a first response.",
        "reopened": "Of the resolved cases {value} were reopened.",
        "reassigned": "Of the resolved cases {value} were passed on to another desk at least once.",
        "contact_rate": "A customer has {value} cases in 30 days.",
    }
    told = []
    for name, pattern in patterns.items():
        if name not in overall or pd.isna(overall[name]):
            continue
        figures = tuple(float(overall[column]) for column in (name, f"{name}_low", f"{name}_high"))
        if math.isinf(figures[0]):
            told.append(
                f"Fewer than half of all cases have {'a first response' if 'response' in name else 'been resolved'} yet."
            )
        else:
            told.append(pattern.format(value=value_in_words(*figures, unit=MEASURES[name][1])))
    return told


def answers_in_words(answers: Answers) -> list[str]:
    """
    Say who answers, and what the share of low marks may be worth.

    Parameters
    ----------
    answers : Answers
        The answers.

    Returns
    -------
    list of str
        Sentences, with the caveat that cannot be computed away.
    """
    if math.isnan(answers.response_rate):
        return ["How many customers answer is not told: the answers are of too few customers."]
    resolved = "the resolved cases" if answers.n_resolved is None else f"{answers.n_resolved:,} resolved cases"
    told = [f"Of {resolved} {answers.response_rate:.0%} have an answer about satisfaction."]
    shares = answers.low_share["share"].to_numpy(dtype=float)
    if np.isnan(shares[0]):
        return told
    reweighted = "" if np.isnan(shares[1]) else f", {shares[1]:.0%} when answers are weighted for who answers"
    told.append(
        f"Of the answers {shares[0]:.0%} are low{reweighted}. If dissatisfaction itself makes customers answer, or keeps them "
        f"from it, no weighting corrects that: among all resolved cases the share lies between {shares[2]:.0%} and {shares[3]:.0%}."
    )
    differences = answers.differences[~answers.differences["level"].isin([OTHERS, NOT_GIVEN])]
    is_beyond = (differences["low"] > 0) | (differences["high"] < 0)
    beyond = differences[is_beyond & (differences["difference"].abs() >= WORTH_TELLING)]
    if len(beyond):
        most = beyond.iloc[int(beyond["difference"].abs().to_numpy().argmax())]
        told.append(
            f"Answered cases differ most from the others in {most['attribute']}: {most['level']} is {most['share_answered']:.0%} of "
            f"the answered and {most['share_silent']:.0%} of the other cases."
        )
    return told


def backlog_in_words(waiting: Backlog) -> str:
    """
    Say how many cases are open, and how old they are.

    Parameters
    ----------
    waiting : Backlog
        The backlog.

    Returns
    -------
    str
        A sentence or two.
    """
    if waiting.n_open is None:
        return "How many cases are open is not told: they are of too few customers."
    if not waiting.n_open:
        return "No case is open."
    last, is_one = waiting.history.iloc[-1], waiting.n_open == 1
    told = f"{waiting.n_open:,} {'case is' if is_one else 'cases are'} open at the end of the last day"
    ages = {"half of them": last["median_age_days"], "a tenth": last["old_age_days"]}
    parts = [f"{what} older than {days:.1f} days" for what, days in ages.items() if pd.notna(days)]
    told += f"; {', '.join(parts)}." if parts and not is_one else "."
    if pd.notna(last["overdue"]):
        told += f" {int(last['overdue']):,} {'is' if last['overdue'] == 1 else 'are'} {OVERDUE}."
    steps = waiting.history["open_cases"].dropna()
    if len(steps) > RUN:
        told += f" At the end of {steps.index[-1 - RUN]:%Y-%m-%d} there were {int(steps.iloc[-1 - RUN]):,}."
    return told


def chart_in_words(chart: ControlChart, what: str, *, period: str, unit: str) -> str:
    """
    Say whether a figure has changed, and how far such a mark can be trusted.

    Parameters
    ----------
    chart : ControlChart
        The chart.
    what : str
        The figure, such as ``share of cases that missed the target``.
    period : {"week", "month"}
        Of the chart.
    unit : {"share", "hours"}
        Of its values.

    Returns
    -------
    str
        Sentences.
    """
    judged, marked = chart.table[~chart.table["is_baseline"]], chart.marked
    centre = _plain(float(chart.table["centre"].iloc[0]), unit)
    base = f"The {what} was {centre} on average in {chart.n_baseline} {period}s from {chart.table.index[0]:%Y-%m-%d} on"
    trust = (
        f"A stable process would have a mark in such a time with a chance of {chart.any_false_alarm:.0%} "
        f"({chart.false_alarm_rate:.1%} of its {period}s; {CHARTS[chart.kind]})."
    )
    if not chart.is_baseline_stable:
        later = _plain(_level(judged), unit)
        told = f"; in the {len(judged)} {period}s since it was {later}" if later else ""
        return (
            f"{base}, but these {period}s were not stable themselves, so that limits learnt from them say little{told}."
        )
    if marked.dropna(subset=["value"]).empty and not judged["is_run"].iloc[-1]:
        return f"{base}, and the {len(judged)} {period}s since do not differ from it beyond chance. {trust}"
    return f"{base}. {_change_in_words(chart, period=period, unit=unit)} {trust}"


def changes_in_words(
    share_chart: ControlChart | None, hours_chart: ControlChart | None, *, outcome: str, period: str
) -> list[str]:
    """
    Say whether service is changing.

    Parameters
    ----------
    share_chart, hours_chart : ControlChart or None
        Of the outcome's share, and of the median time to resolution.
    outcome : str
        Which outcome.
    period : {"week", "month"}
        Of the charts.

    Returns
    -------
    list of str
        Sentences on each chart there is.
    """
    charts = (
        (share_chart, f"share of {OUTCOMES_IN_WORDS[outcome]}", SHARE),
        (hours_chart, "median time to resolution", HOURS),
    )
    return [chart_in_words(chart, what, period=period, unit=unit) for chart, what, unit in charts if chart is not None]


def _change_in_words(chart: ControlChart, *, period: str, unit: str) -> str:
    """Say since when, or in which periods, a figure was beyond chance."""
    judged, marked = chart.table[~chart.table["is_baseline"]], chart.marked.dropna(subset=["value"])
    if judged["is_run"].iloc[-1]:
        sides = pd.Series(np.sign((judged["value"] - judged["centre"]).to_numpy(dtype=float))).ffill()
        n_since = int((sides[::-1] == sides.iloc[-1]).cumprod().sum())
        since, direction = judged.iloc[-n_since:], "higher" if sides.iloc[-1] > 0 else "lower"
        level = _plain(_level(since), unit)
        told = f", {level} on average" if level else ""
        return f"Since the {period} of {since.index[0]:%Y-%m-%d} it is {direction}{told}."
    beyond, parts = marked[marked["is_beyond"]], []
    if len(beyond):
        names = [
            f"{at:%Y-%m-%d} ({_plain(float(row['value']), unit)})" for at, row in beyond.iloc[-MOST_DATES:].iterrows()
        ]
        verb = "lies" if len(beyond) == 1 else "lie"
        told = f"{len(beyond)} of the {len(judged)} {period}s since {verb} beyond the limits"
        parts.append(f"{told}{', last ' if len(beyond) > len(names) else ': '}{in_words(names)}")
    if judged["is_run"].any():
        ends = judged.index[judged["is_run"] & ~judged["is_run"].shift(-1, fill_value=False)]
        until = in_words([f"{at:%Y-%m-%d}" for at in ends[-MOST_DATES:]])
        parts.append(f"{RUN} or more {period}s in a row lay on one side of that average up to {until}")
    told = "; ".join(parts)
    return f"{told[:1].upper()}{told[1:]}; the last {RUN} are not all on one side."


def league_in_words(table: League, *, by: str, outcome: str) -> str:
    """
    Say which groups differ beyond chance.

    Parameters
    ----------
    table : League
        The groups.
    by : str
        What they are, such as ``team``.
    outcome : str
        Whose share is compared.

    Returns
    -------
    str
        Sentences.
    """
    what, rows = OUTCOMES_IN_WORDS[outcome], table.table
    if len(rows) < 2 and table.n_hidden:
        return f"Only one {by} may be shown, as the others are of too few customers or would give such away: nothing to compare."
    if len(rows) < 2:
        return f"There is one {by} only with a known outcome: nothing to compare."
    whole = f"Over all cases the share of {what} is {table.overall:.0%}"
    whole += ", the case mix allowed for." if table.is_adjusted else f"; which cases a {by} gets is not allowed for."
    parts = [_beyond_in_words(rows, side) for side in ("above", "below")]
    if not any(parts):
        return f"{whole} No {by} differs from it beyond chance (99.8% funnel limits)."
    return f"{whole} Beyond chance (99.8% funnel limits) {' and '.join(part for part in parts if part)}."


def _beyond_in_words(rows: pd.DataFrame, side: str) -> str:
    """Name the groups above or below the widest limits, those furthest away first."""
    beyond = rows[rows["funnel"] == f"{side} 99.8%"]
    if beyond.empty:
        return ""
    beyond = beyond if side == "above" else beyond.iloc[::-1]
    names = [f"{name} ({row['shrunk']:.0%}, {row['low']:.0%}–{row['high']:.0%})" for name, row in beyond.iterrows()]
    shown = names[:MOST_NAMED] + ([f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])
    return f"{in_words(shown)} {'lies' if len(names) == 1 else 'lie'} {side} it"


def log_rank_in_words(by: str, measures: pd.DataFrame, p_value: float) -> str:
    """
    Say whether groups differ in the time to resolution.

    Parameters
    ----------
    by : str
        What they are.
    measures : pandas.DataFrame
        Of the groups.
    p_value : float
        Of the log-rank test.

    Returns
    -------
    str
        A sentence; empty where nothing may be told.
    """
    medians = measures["resolution_hours"].dropna().sort_values(kind="stable")
    if p_value > CERTAIN or len(medians) < 2 or np.isinf(medians.iloc[0]):
        return ""
    ends = [
        f"{hours:,.1f} hours ({name})" if np.isfinite(hours) else f"a time not reached yet ({name})"
        for name, hours in medians.iloc[[0, -1]].items()
    ]
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    return f"By {by} the time to resolution differs beyond chance (log-rank, {chance}): half are resolved within {ends[0]} to {ends[1]}."


def _level(periods: pd.DataFrame) -> float:
    """Return the mean of some periods' values, by cases where these are known; missing where one is not shown."""
    n = periods["n"].to_numpy(dtype=float)
    return float(np.average(periods["value"].to_numpy(dtype=float), weights=n if np.isfinite(n).all() else None))


def _plain(value: float, unit: str) -> str:
    """Return a value; nothing where it is missing."""
    words = f"{value:.1%}" if unit == SHARE else f"{value:,.1f} hours"
    return "" if math.isnan(value) else words
