"""
Periods from which a series is forecast and judged, so that nothing is learnt from what came after.

Origins of customer forecasts, which are days, belong in :mod:`crm_analysis.models.evaluation.origins`.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.business_series.seasons import Season

MAX_ORIGINS = 10
MIN_ORIGINS = 3
ORIGINS_IN_A_HORIZON = 6
LEAST_PERIODS = 4
LEAST_FOR_MODELS = 14


@dataclass(frozen=True)
class SeriesPlan:
    """
    How many periods each origin knows.

    Attributes
    ----------
    n_periods : int
        In the series.
    steps : int
        Periods forecast from each origin.
    training : tuple of int
        Ascending; the horizon of each ends before the hold-out. Candidates are chosen on them.
    """

    n_periods: int
    steps: int
    training: tuple[int, ...]

    @property
    def holdout(self) -> int:
        """Periods known where the hold-out begins."""
        return self.n_periods - self.steps

    @property
    def later(self) -> tuple[int, ...]:
        """Origins whose horizon reaches into the hold-out, its own the last: their errors count for what lies ahead."""
        spacing = _spacing(self.steps)
        return (*range(self.training[-1] + spacing, self.holdout, spacing), self.holdout)


def series_plan(n_periods: int, steps: int, *, season: Season, period: str) -> SeriesPlan:
    """
    Choose the origins of a back-test of a series.

    Parameters
    ----------
    n_periods : int
        In the series.
    steps : int
        Periods forecast.
    season : Season
        Where the history has room, every origin knows a whole year, so that last year's same period is a candidate.
    period : str
        The noun, for messages.

    Returns
    -------
    SeriesPlan
        Three to ten training origins, about a sixth of a horizon apart, the latest a horizon before the hold-out.

    Raises
    ------
    TooFewRecordsError
        The history has no room for them.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16(4).

    Examples
    --------
    >>> from crm_analysis.models.business_series.seasons import SEASONS
    >>> series_plan(52, 13, season=SEASONS["week"], period="week").training
    (14, 16, 18, 20, 22, 24, 26)
    """
    if steps < 1:
        raise ValueError(f"the horizon must hold at least 1 {period}, got {steps!r}")
    for earliest in (
        season.cycle,
        max(LEAST_FOR_MODELS, min(steps, n_periods)),
        max(LEAST_PERIODS, steps),
        LEAST_PERIODS,
    ):
        training = _training(n_periods, steps, earliest)
        if len(training) >= MIN_ORIGINS:
            return SeriesPlan(n_periods=n_periods, steps=steps, training=training)
    longest = next((fewer for fewer in range(steps - 1, 0, -1) if _needed(fewer) <= n_periods), 0)
    advice = f"Use a horizon of at most {longest} {period}{'' if longest == 1 else 's'}, or" if longest else "Use"
    raise TooFewRecordsError(
        f"The history holds {n_periods} whole {period}s; to forecast {steps} and judge that on later ones takes "
        f"{_needed(steps)}. {advice} data that reach further back."
    )


def _spacing(steps: int) -> int:
    return max(1, round(steps / ORIGINS_IN_A_HORIZON))


def _needed(steps: int) -> int:
    """Return the fewest periods that a horizon takes: two of it, and the fewest origins before."""
    return 2 * steps + LEAST_PERIODS + (MIN_ORIGINS - 1) * _spacing(steps)


def _training(n_periods: int, steps: int, earliest: int) -> tuple[int, ...]:
    """Return up to ten origins back from the latest one whose horizon ends before the hold-out."""
    latest, spacing = n_periods - 2 * steps, _spacing(steps)
    return tuple(sorted(range(latest, earliest - 1, -spacing)[:MAX_ORIGINS]))
