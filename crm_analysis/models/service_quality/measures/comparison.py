"""
Which groups differ beyond chance: the league of those that may be shown, curves of their times, log-rank tests.

How a league is made stands in :mod:`crm_analysis.models.service_quality.measures.league`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.service_quality.disclosure import is_of_few
from crm_analysis.models.service_quality.measures.case_table import Cases
from crm_analysis.models.service_quality.measures.disclosure import curve_points, flag_parts, hidden_groups
from crm_analysis.models.service_quality.measures.groups import NOT_GIVEN, OTHERS, curves_by_group
from crm_analysis.models.service_quality.measures.intervals import Grouping
from crm_analysis.models.service_quality.measures.league import League, league
from crm_analysis.models.service_quality.measures.survival import log_rank_test, survival_curve

Floats = npt.NDArray[np.float64]

WHOLE = "all cases"
MOST_CURVES = 6


def log_ranks(cases: Cases, groups: Mapping[str, Grouping]) -> pd.DataFrame:
    """
    Test, by attribute, whether groups differ in the time to resolution.

    Parameters
    ----------
    cases : Cases
        The cases.
    groups : mapping of str to Grouping
        By attribute.

    Returns
    -------
    pandas.DataFrame
        Index ``attribute``; ``statistic``, ``degrees_of_freedom``, ``p_value``.
    """
    tests = {name: log_rank_test(*cases.resolution, chosen.codes) for name, chosen in groups.items()}
    rows = {name: (test.statistic, test.degrees_of_freedom, test.p_value) for name, test in tests.items()}
    columns = ["statistic", "degrees_of_freedom", "p_value"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("attribute")


def shown_league(
    cases: Cases, groups: Grouping, flags: Floats, *, seed: int, expected: pd.Series | None = None, min_cell: int = 1
) -> League | None:
    """
    Return named groups beside each other, of those that may be shown.

    Parameters
    ----------
    cases : Cases
        The cases.
    groups : Grouping
        Groups of them.
    flags : numpy.ndarray of float
        0 or 1; missing where the outcome of a case is not known.
    seed : int
        Start of the draws of ranks.
    expected : pandas.Series, optional
        By ``case_id``, the chance that the case mix leads one to expect.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    League or None
        None where nothing may be shown. The overall share is that of all cases, unless what it tells beside the shown groups is
        of too few customers. Cases are rounded to `min_cell` where, less all cases of a group, they would tell of few customers
        whose outcome is not known.
    """
    hidden = hidden_groups(groups, *flag_parts(flags), min_cell=min_cell)
    is_named = np.array([name not in {OTHERS, NOT_GIVEN} for name in groups.names])
    shown = replace(groups, codes=np.where((~hidden & is_named)[groups.codes], groups.codes, -1))
    if not np.isfinite(flags[shown.codes >= 0]).any():
        return None
    chances = None if expected is None else expected.reindex(cases.case_ids).to_numpy(dtype=float)
    others = [part & hidden[groups.codes] for part in flag_parts(flags)]
    whole = None if is_of_few(cases.customers, *others, min_cell=min_cell) else cases.everything
    found = league(shown, flags, seed=seed, expected=chances, whole=whole)
    return replace(_without_differences(found, groups, flags, min_cell), n_hidden=int((hidden & is_named).sum()))


def resolution_curves(cases: Cases, groups: Grouping | None, *, min_cell: int = 1) -> pd.DataFrame:
    """
    Return the survival curves of all cases and of the largest groups, as points.

    Parameters
    ----------
    cases : Cases
        The cases.
    groups : Grouping, optional
        Groups of them.
    min_cell : int
        Least number of customers that a step is about.

    Returns
    -------
    pandas.DataFrame
        ``group``, ``hours``, ``share`` not resolved by then, ``low``, ``high``.
    """
    hours, ended = cases.resolution
    whole = curve_points(survival_curve(hours, ended), hours, ended, cases.customers, min_cell=min_cell)
    parts = [whole.assign(group=WHOLE)]
    if groups is not None and groups.n_groups > 1:
        hidden = hidden_groups(groups, cases.everything, ended, min_cell=min_cell)
        largest = np.flatnonzero(~hidden)[:MOST_CURVES]
        curves = curves_by_group(groups, hours, ended)
        for at in largest:
            chosen, curve = groups.codes == at, curves[at]
            if curve is not None:
                points = curve_points(curve, hours[chosen], ended[chosen], cases.customers[chosen], min_cell=min_cell)
                parts.append(points.assign(group=str(groups.names[at])))
    return pd.concat(parts, ignore_index=True)[["group", "hours", "share", "low", "high"]]


def _without_differences(found: League, groups: Grouping, flags: Floats, min_cell: int) -> League:
    """Return a league whose numbers of cases do not tell how many cases of few customers have no known outcome."""
    tells = pd.Series(
        hidden_groups(groups, np.isnan(flags), min_cell=min_cell), index=[str(name) for name in groups.names]
    )
    is_told = tells[found.table.index].to_numpy(dtype=bool)
    rounded = (found.table["cases"] / min_cell).round().astype("int64") * min_cell
    return replace(found, table=found.table.assign(cases=found.table["cases"].mask(is_told, rounded)))
