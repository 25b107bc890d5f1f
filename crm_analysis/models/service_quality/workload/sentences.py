"""
What a plan for the work says, in sentences that hold for any data.

Figures are computed in :mod:`crm_analysis.models.service_quality.workload.questions`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binom

from crm_analysis.models.business_series.naming import count
from crm_analysis.models.service_quality.wording import WEEKDAYS, in_words
from crm_analysis.models.service_quality.workload.hours import POOLS
from crm_analysis.models.service_quality.workload.result import WorkPlan
from crm_analysis.models.service_quality.workload.rules import DAYS_FOR_A_SEASON, RULES
from crm_analysis.models.service_quality.workload.volume import LEVEL

SURELY_FEWER = 0.05
FEWEST_DAYS_MEASURED = 7
HARDLY_BUSY = 0.05


def sentences_of(plan: WorkPlan) -> tuple[str, ...]:
    """
    Say how many cases are expected, how far to trust it, and what staff they take.

    Parameters
    ----------
    plan : WorkPlan
        The plan.

    Returns
    -------
    tuple of str
        Plain sentences.
    """
    parts = (_expected(plan), _judged(plan), _held(plan), _hours(plan), _staff(plan), _others(plan))
    return tuple(part for part in parts if part)


def notes_of(plan: WorkPlan) -> tuple[str, ...]:
    """
    Say what a planner must beware of.

    Parameters
    ----------
    plan : WorkPlan
        The plan.

    Returns
    -------
    tuple of str
        Plain sentences.
    """
    parts = (
        _handling(plan),
        _season(plan),
        _naive(plan),
        _unjudged(plan),
        _covered(plan),
        plan.live.note,
        _pooled(plan),
    )
    return tuple(part for part in (*parts, _hidden(plan)) if part)


def _expected(plan: WorkPlan) -> str:
    volume = plan.volume
    mean = float(volume.ahead["forecast"].mean())
    return (
        f"In the {count(plan.horizon_days, 'day')} from {volume.ahead.index[0]:%Y-%m-%d} on, {volume.total:,.0f} cases are "
        f"expected ({volume.total_low:,.0f} to {volume.total_high:,.0f} with {LEVEL:.0%}), {mean:,.1f} a day, by "
        f"{RULES[volume.rule]}."
    )


def _judged(plan: WorkPlan) -> str:
    """Tell the errors on the hold-out, where enough of its days may be told."""
    volume = plan.volume
    if volume.n_judged < FEWEST_DAYS_MEASURED:
        return ""
    own, naive = (volume.errors.loc[of] for of in ("forecast", "naive"))
    text = (
        f"On the {_days_judged(plan)}, which played no part in the choice, a day was missed by {own['mae']:,.1f} "
        f"cases on average (RMSE {own['rmse']:,.1f}); {RULES[volume.naive]}: by {naive['mae']:,.1f} (RMSE {naive['rmse']:,.1f})."
    )
    if np.isfinite(own["bias"]) and not _is_part_judged(plan):  # days shown have more cases than the others
        text += f" In all, {abs(own['bias']):.0%} too {'many' if own['bias'] >= 0 else 'few'} were forecast."
    return text


def _is_part_judged(plan: WorkPlan) -> bool:
    return plan.volume.n_judged < len(plan.volume.holdout)


def _days_judged(plan: WorkPlan) -> str:
    """Name the days on which the forecast is judged."""
    return f"{plan.volume.n_judged} days of the hold-out{' that may be shown' if _is_part_judged(plan) else ''}"


def _held(plan: WorkPlan) -> str:
    """Say how often the ranges held, and warn where that is fewer than chance explains."""
    n_days, held = plan.volume.n_judged, plan.volume.days_held
    if n_days < FEWEST_DAYS_MEASURED:
        return ""
    text = f"The {LEVEL:.0%} range held {held} of {_days_judged(plan)} ({held / n_days:.0%})"
    if binom.cdf(held, n_days, LEVEL) < SURELY_FEWER:
        return f"{text}: fewer than it should, so that the ranges ahead are too narrow for such a period."
    return f"{text}."


def _hours(plan: WorkPlan) -> str:
    cases = plan.staffing["cases"].dropna()
    if not cases.gt(0).any():
        return ""
    text = f"Most cases of one hour are expected {_peak(cases)}: {cases.max():,.1f}"
    if plan.profile.dispersion > 1.2:
        text += f"; within a day, hourly counts vary {plan.profile.dispersion:.1f} times as much as by chance alone"
    return f"{text}."


def _staff(plan: WorkPlan) -> str:
    table, goal = plan.staffing.dropna(subset=["agents"]), plan.goal
    if table.empty or not table["agents_upper"].any():
        return ""
    upper = table["agents_upper"]
    most = int(upper.max())
    shown = " in the hours shown" if len(table) < len(plan.staffing) else ""
    of_what = f"over {in_words(list(plan.live.names))}" if plan.live.names else "of all channels"
    return (
        f"To answer {goal.answer_share:.0%} of the cases {of_what} within {goal.answer_minutes * 60:.0f} seconds, at "
        f"{goal.handling_minutes:g} minutes a case, {'up to ' if most > 1 else ''}{count(most, 'agent')} "
        f"{'is' if most == 1 else 'are'} needed at once {_peak(upper)}, {count(int(upper.sum()), 'agent hour')} a week{shown}, for the "
        f"upper end of the volume; {count(int(table['agents'].sum()), 'hour')} for the expected one.{_presence(plan, table)}"
    )


def _peak(numbers: pd.Series) -> str:
    """Say when numbers by weekday and hour are highest; of several such hours none is named."""
    highest = np.flatnonzero(np.isclose(numbers.to_numpy(dtype=float), float(numbers.max()), rtol=1e-6))
    if len(highest) > 1:
        return f"in {len(highest)} hours of the week alike"
    day, hour = numbers.index[int(highest[0])]
    return f"on {WEEKDAYS[day]} from {hour} to {hour + 1} o'clock"


def _presence(plan: WorkPlan, table: pd.DataFrame) -> str:
    """Say how many agent hours are those of one agent who is there with hardly a case."""
    occupancy = table["cases"] * plan.goal.handling_minutes / 60
    idle = int(((table["agents_upper"] == 1) & (occupancy < HARDLY_BUSY)).sum())
    if not idle:
        return ""
    return (
        f" Of the former, {count(idle, 'hour')} {'is' if idle == 1 else 'are'} mere presence: one agent, busy for less than "
        f"{HARDLY_BUSY:.0%} of the time."
    )


def _others(plan: WorkPlan) -> str:
    if plan.other_work.empty:
        return ""
    work = plan.other_work
    return (
        f"The other channels, where nobody waits on the line, make {work['hours'].mean():,.1f} hours of work a day "
        f"(up to {work['hours_upper'].max():,.1f} on a busy {work['hours_upper'].idxmax()})."
    )


def _handling(plan: WorkPlan) -> str:
    return (
        f"The {plan.goal.handling_minutes:g} minutes that a case keeps an agent busy (handling_minutes) are an assumption: "
        "records tell from when to when a case was open, not how long somebody worked on it. Erlang C further takes it that "
        "nobody hangs up and that agents serve live cases alone; where customers hang up, it asks for too many."
    )


def _season(plan: WorkPlan) -> str:
    n_days = len(plan.arrivals.table)
    if n_days >= DAYS_FOR_A_SEASON:
        return ""
    return (
        f"Cases are known on {n_days:,} days. A season of the year, such as a peak in December, cannot be told from a trend in "
        "less than two years, so none is forecast."
    )


def _naive(plan: WorkPlan) -> str:
    if not plan.volume.naive_wins or plan.volume.rule == plan.volume.naive:
        return ""
    return (
        f"On the hold-out, {RULES[plan.volume.naive]} did better than the rule chosen before it. One period decides little, but "
        "no advantage of the rule is shown here."
    )


def _unjudged(plan: WorkPlan) -> str:
    if plan.volume.n_origins:
        return ""
    return (
        f"The history of {len(plan.arrivals.table):,} days is too short to compare rules or to judge a forecast of "
        f"{count(plan.horizon_days, 'day')}; its ranges only look back."
    )


def _covered(plan: WorkPlan) -> str:
    """Tell of days left out, and of a table that ends early."""
    days = plan.arrivals.left_out
    parts = []
    if days:
        named = in_words([f"{day:%Y-%m-%d}" for day in days])
        parts.append(f"{named} {'is' if len(days) == 1 else 'are'} left out: a part of the day is missing in the data.")
    if plan.arrivals.n_days_uncovered:
        parts.append(
            f"The last case opened {count(plan.arrivals.n_days_uncovered, 'day')} before the end of {plan.as_of}: the table of "
            "cases seems to end there, and the forecast bridges the days between."
        )
    return " ".join(parts)


def _pooled(plan: WorkPlan) -> str:
    if plan.profile.pool == POOLS[0]:
        return ""
    return (
        f"Hours are shared by {plan.profile.pool}, as single hours of a weekday are about too few customers to be told."
    )


def _hidden(plan: WorkPlan) -> str:
    n_hours = int(plan.staffing["agents"].isna().sum())
    parts = [count(number, noun) for number, noun in ((plan.n_hidden_days, "day"), (n_hours, "weekday hour")) if number]
    return f"Left out, as they are about too few customers: {in_words(parts)}." if parts else ""
