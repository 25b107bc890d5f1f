"""
Control charts: whether a share or a time by week has really changed, or only moves as it always did.

Limits are learnt in a first part of the periods and held against the others, so that a change cannot hide in its own limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm

from crm_analysis.errors import TooFewRecordsError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

Kind = Literal["p", "p_prime", "xmr"]
SIGMAS = 3.0
RUN = 8
MIN_BASELINE = 8
MIN_JUDGED = 4
BASELINE_SHARE = 0.5
OVERDISPERSED = 0.05
DRIFTING = 0.01
N_SIMULATIONS = 1000
_D2 = 1.128  # mean range of two normal values, in standard deviations
_DUST = 1e-9


@dataclass(frozen=True)
class ControlChart:
    """
    A figure by period, the limits within which it moves by chance, and where it left them.

    Attributes
    ----------
    kind : {"p", "p_prime", "xmr"}
        Binomial limits; limits widened for overdispersion (Laney); or individuals and moving range.
    table : pandas.DataFrame
        Index ``period``; ``value``, ``n`` (cases behind it; missing for individuals), ``centre``, ``lower``, ``upper``,
        ``is_baseline``, ``is_beyond`` (of the limits), ``is_run`` (the eighth or a later one in a row on one side).
    n_baseline : int
        Periods from which the limits are learnt.
    dispersion : float
        Variance of the baseline's shares over that of binomial ones; NaN for individuals.
    dispersion_p : float
        Chance of as much dispersion without any cause; NaN for individuals.
    drift_p : float
        Chance that neighbouring periods of a stable baseline are as much alike as these (von Neumann's ratio).
    false_alarm_rate : float
        Share of the judged periods of a stable process that would be marked, limits learnt likewise.
    any_false_alarm : float
        Chance that a stable process has a marked period among as many.
    """

    kind: Kind
    table: pd.DataFrame
    n_baseline: int
    dispersion: float
    dispersion_p: float
    drift_p: float
    false_alarm_rate: float
    any_false_alarm: float

    @property
    def marked(self) -> pd.DataFrame:
        """The judged periods with a mark."""
        judged = self.table[~self.table["is_baseline"]]
        return judged[judged["is_beyond"] | judged["is_run"]]

    @property
    def is_baseline_stable(self) -> bool:
        """Whether no period of the baseline lies beyond its own limits, and it does not drift."""
        is_beyond = self.table.loc[self.table["is_baseline"], "is_beyond"]
        return self.drift_p >= DRIFTING and not bool(is_beyond.any())


def p_chart(counts: pd.DataFrame, *, seed: int, baseline_share: float = BASELINE_SHARE) -> ControlChart:
    """
    Return the control chart of a share by period.

    Parameters
    ----------
    counts : pandas.DataFrame
        A row a period, in order: ``n`` cases, ``yes`` of them with the flag; periods without a case are left out.
    seed : int
        Start of the simulations of a stable process.
    baseline_share : float
        Share of the periods, the first ones, from which the limits are learnt.

    Returns
    -------
    ControlChart
        With Laney's p′ limits where the baseline's shares differ more than chance has it (p < 0.05), else binomial ones.

    Raises
    ------
    TooFewRecordsError
        There are fewer than 12 periods with cases, or the flag is the same throughout the baseline.

    References
    ----------
    Shewhart (1931), "Economic Control of Quality of Manufactured Product". Laney (2002), "Improved control charts for
    attributes", Quality Engineering 14(4). von Neumann (1941), "Distribution of the ratio of the mean square successive
    difference to the variance", Annals of Mathematical Statistics 12(4), for the drift of the baseline.
    """
    known = counts[counts["n"] > 0]
    n, yes = known["n"].to_numpy(dtype=float), known["yes"].to_numpy(dtype=float)
    n_baseline = _baseline_length(len(known), baseline_share)
    centre = float(yes[:n_baseline].sum() / n[:n_baseline].sum())
    if not 0 < centre < 1:
        raise TooFewRecordsError(
            f"All cases of the first {n_baseline} periods turned out alike: limits cannot be learnt. Use a longer history."
        )
    spread = np.sqrt(centre * (1 - centre) / n)
    z = (yes / n - centre) / spread
    squares = float(np.sum(z[:n_baseline] ** 2))
    dispersion_p = float(chi2.sf(squares, n_baseline - 1))
    wider = _moving_sigma(z[None, :n_baseline])[0]
    is_wider = dispersion_p < OVERDISPERSED and wider > 1
    sigma = spread * (wider if is_wider else 1.0)
    draws = np.random.default_rng(seed)
    if is_wider:
        alarms = _alarms_of_normals(draws, len(n), n_baseline, wider * spread)
    else:
        alarms = _alarms_of_binomials(draws, n, n_baseline, centre)
    return ControlChart(
        kind="p_prime" if is_wider else "p",
        table=_table(known.index, yes / n, n, centre, sigma, n_baseline, bounds=(0.0, 1.0)),
        n_baseline=n_baseline,
        dispersion=squares / (n_baseline - 1),
        dispersion_p=dispersion_p,
        drift_p=_drift_p(z[:n_baseline]),
        false_alarm_rate=float(alarms.mean()),
        any_false_alarm=float(alarms.any(axis=1).mean()),
    )


def xmr_chart(values: pd.Series, *, seed: int, baseline_share: float = BASELINE_SHARE) -> ControlChart:
    """
    Return the control chart of single values by period: individuals, with limits from their moving range.

    Parameters
    ----------
    values : pandas.Series
        By period, in order, none negative; missing and infinite ones are left out.
    seed : int
        Start of the simulations of a stable process.
    baseline_share : float
        Share of the periods, the first ones, from which the limits are learnt.

    Returns
    -------
    ControlChart
        Limits are the mean and 2.66 mean moving ranges to each side.

    Raises
    ------
    TooFewRecordsError
        There are fewer than 12 periods with a value, or all values of the baseline are the same.

    References
    ----------
    Wheeler, Chambers (1992), "Understanding Statistical Process Control".
    """
    known = values[np.isfinite(values.to_numpy(dtype=float))]
    x = known.to_numpy(dtype=float)
    n_baseline = _baseline_length(len(x), baseline_share)
    sigma = float(_moving_sigma(x[None, :n_baseline])[0])
    if sigma <= _DUST * abs(x[:n_baseline].mean()):
        raise TooFewRecordsError(
            f"The values of the first {n_baseline} periods are all the same: limits cannot be learnt. Use a longer history."
        )
    centre = float(x[:n_baseline].mean())
    alarms = _alarms_of_normals(np.random.default_rng(seed), len(x), n_baseline, np.ones(len(x)))
    missing = np.full(len(x), np.nan)
    return ControlChart(
        kind="xmr",
        table=_table(known.index, x, missing, centre, np.full(len(x), sigma), n_baseline, bounds=(0.0, math.inf)),
        n_baseline=n_baseline,
        dispersion=math.nan,
        dispersion_p=math.nan,
        drift_p=_drift_p(x[:n_baseline]),
        false_alarm_rate=float(alarms.mean()),
        any_false_alarm=float(alarms.any(axis=1).mean()),
    )


def _baseline_length(n_periods: int, baseline_share: float) -> int:
    if not 0 < baseline_share < 1:
        raise ValueError(f"baseline_share must lie between 0 and 1, got {baseline_share!r}")
    if n_periods < MIN_BASELINE + MIN_JUDGED:
        raise TooFewRecordsError(
            f"There are {n_periods} periods with known cases; a control chart takes {MIN_BASELINE} to learn its limits and "
            f"{MIN_JUDGED} to judge. Use weeks, or a longer history."
        )
    return min(max(MIN_BASELINE, round(baseline_share * n_periods)), n_periods - MIN_JUDGED)


def _table(
    index: pd.Index,
    values: Floats,
    n: Floats,
    centre: float,
    sigma: Floats,
    n_baseline: int,
    *,
    bounds: tuple[float, float],
) -> pd.DataFrame:
    """Return the chart's points, limits and marks."""
    beyond, run = _marks(values[None], np.array([centre]), sigma[None], n_baseline)
    return pd.DataFrame(
        {
            "value": values,
            "n": n,
            "centre": centre,
            "lower": np.maximum(centre - SIGMAS * sigma, bounds[0]),
            "upper": np.minimum(centre + SIGMAS * sigma, bounds[1]),
            "is_baseline": np.arange(len(values)) < n_baseline,
            "is_beyond": beyond[0],
            "is_run": run[0],
        },
        index=index.rename("period"),
    )


def _marks(values: Floats, centre: Floats, sigma: Floats, n_baseline: int) -> tuple[Flags, Flags]:
    """Return, a row a process, which points lie beyond the limits and which continue a run of the judged periods."""
    distance = values - centre[:, None]
    beyond = np.abs(distance) > SIGMAS * sigma + _DUST
    side, run = np.sign(np.where(np.abs(distance) <= _DUST, 0, distance)), np.zeros(values.shape, dtype=bool)
    length = np.zeros(len(values), dtype=np.int64)
    for at in range(n_baseline, values.shape[1]):
        goes_on = (side[:, at] == side[:, at - 1]) if at > n_baseline else np.zeros(len(values), dtype=bool)
        length = np.where(side[:, at] == 0, 0, np.where(goes_on, length + 1, 1))
        run[:, at] = length >= RUN
    return beyond, run


def _moving_sigma(values: Floats) -> Floats:
    """Return standard deviations by row, from mean moving ranges: slow changes do not widen them."""
    return np.asarray(np.abs(np.diff(values, axis=1)).mean(axis=1) / _D2, dtype=float)


def _alarms_of_binomials(draws: np.random.Generator, n: Floats, n_baseline: int, share: float) -> Flags:
    """Return the judged periods marked in stable binomial processes of the same sizes, limits learnt from each."""
    yes = draws.binomial(n.astype(np.int64), share, size=(N_SIMULATIONS, len(n)))
    centre = yes[:, :n_baseline].sum(axis=1) / n[:n_baseline].sum()
    sigma = np.sqrt((centre * (1 - centre))[:, None] / n)
    beyond, run = _marks(yes / n, centre, sigma, n_baseline)
    return np.asarray((beyond | run)[:, n_baseline:], dtype=bool)


def _alarms_of_normals(draws: np.random.Generator, n_periods: int, n_baseline: int, sigma: Floats) -> Flags:
    """Return the judged periods marked in stable normal processes, centre and spread learnt from each."""
    z = draws.standard_normal((N_SIMULATIONS, n_periods))
    weight = 1 / sigma[:n_baseline] ** 2
    values = z * sigma
    centre = values[:, :n_baseline] @ weight / weight.sum()
    learnt = _moving_sigma(((values - centre[:, None]) / sigma)[:, :n_baseline])
    beyond, run = _marks(values, centre, learnt[:, None] * sigma, n_baseline)
    return np.asarray((beyond | run)[:, n_baseline:], dtype=bool)


def _drift_p(values: Floats) -> float:
    """Return the chance of steps as small against the whole spread, by the normal approximation of von Neumann's ratio."""
    n, total = len(values), float(np.sum((values - values.mean()) ** 2))
    if total == 0:
        return 1.0
    ratio = float(np.sum(np.diff(values) ** 2)) / total
    return float(norm.cdf((ratio - 2) / math.sqrt(4 * (n - 2) / (n**2 - 1))))
