"""
Whether service is changing: the charts of an outcome's share and of the time to resolution, by week or month.

How limits are learnt and marks made stands in :mod:`crm_analysis.models.service_quality.measures.control_charts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.service_quality.measures.case_table import Cases
from crm_analysis.models.service_quality.measures.control_charts import ControlChart, p_chart, xmr_chart
from crm_analysis.models.service_quality.measures.disclosure import flag_parts, hidden_groups
from crm_analysis.models.service_quality.measures.groups import PERIODS, period_groups

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MATURE_SHARE = 0.9


def chart_or_reason(chart: Callable[[], ControlChart], *, of: str) -> tuple[ControlChart | None, list[str]]:
    """
    Return a chart, or a note why there is none.

    Parameters
    ----------
    chart : callable
        Makes the chart.
    of : str
        What it shows.

    Returns
    -------
    tuple
        The chart or None, and notes.
    """
    try:
        return chart(), []
    except TooFewRecordsError as error:
        return None, [f"There is no control chart of {of}. {error}"]


def share_chart(
    cases: Cases, flags: Floats, is_pending: Flags, *, period: str, seed: int, min_cell: int = 1
) -> ControlChart:
    """
    Return the chart of an outcome's share by the period in which cases opened.

    Parameters
    ----------
    cases : Cases
        The cases.
    flags : numpy.ndarray of float
        0 or 1; missing where the outcome of a case is not known.
    is_pending : numpy.ndarray of bool
        Cases whose outcome will still be known.
    period : {"week", "month"}
        Of the chart.
    seed : int
        Start of the simulations.
    min_cell : int
        Least number of customers that a shown value is about.

    Returns
    -------
    ControlChart
        Of whole periods, without the last ones until nine in ten outcomes are known: those known first are not like the
        others. Values about too few customers are missing, but count for the limits.

    Raises
    ------
    TooFewRecordsError
        There are too few periods.
    """
    periods = period_groups(cases, period)
    n, pending = periods.cases(np.isfinite(flags)), periods.cases(is_pending)
    is_settled = (n > 0) & (n >= MATURE_SHARE * (n + pending))
    until = int(np.flatnonzero(is_settled)[-1]) + 1 if is_settled.any() else 0
    is_few = hidden_groups(periods, np.isfinite(flags), min_cell=min_cell)
    index = pd.DatetimeIndex(list(periods.names))
    kept = (np.arange(periods.n_groups) < until) & ~is_few & _are_whole(cases, index, period)
    counts = pd.DataFrame({"n": n, "yes": periods.cases(flags == 1)}, index=index)
    chart = p_chart(counts[kept], seed=seed)
    hidden = pd.Series(hidden_groups(periods, *flag_parts(flags), min_cell=min_cell), index=index)
    is_hidden = hidden.reindex(chart.table.index).to_numpy(dtype=bool)
    table = chart.table.assign(
        value=chart.table["value"].mask(is_hidden), is_beyond=chart.table["is_beyond"] & ~is_hidden
    )
    unknown = pd.Series(hidden_groups(periods, np.isnan(flags), min_cell=min_cell), index=index)
    is_told = unknown.reindex(table.index).to_numpy(
        dtype=bool
    )  # n, and limits by n, less all cases would tell of these
    table["n"] = table["n"].mask(is_told)
    for side in ("lower", "upper"):
        table[side] = table[side].mask(is_told, table[side].round(2))
    return replace(chart, table=table)


def hours_chart(cases: Cases, medians: pd.Series, *, period: str, seed: int) -> ControlChart:
    """
    Return the chart of the median hours to resolution by the period in which cases opened.

    Parameters
    ----------
    cases : Cases
        The cases.
    medians : pandas.Series
        By period; infinite where fewer than half are resolved yet.
    period : {"week", "month"}
        Of the chart.
    seed : int
        Start of the simulations.

    Returns
    -------
    ControlChart
        Of whole periods: those at either end with few days have few cases.

    Raises
    ------
    TooFewRecordsError
        There are too few periods.
    """
    return xmr_chart(medians[_are_whole(cases, pd.DatetimeIndex(medians.index), period)], seed=seed)


def _are_whole(cases: Cases, starts: pd.DatetimeIndex, period: str) -> Flags:
    """Return which periods lie within the days from the first opening to the last day known."""
    ends = (starts.to_period(PERIODS[period]) + 1).start_time
    return np.asarray((starts >= cases.opened_at.iloc[0].normalize()) & (ends <= cases.end), dtype=bool)
