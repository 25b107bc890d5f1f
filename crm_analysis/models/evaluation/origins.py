"""
Days from which forecasts are made and judged, so that nothing is learnt from what came after.

What was known on such a day is put together in :mod:`crm_analysis.features`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from crm_analysis.errors import TooFewRecordsError

ORIGINS_IN_A_HORIZON = 3


@dataclass(frozen=True)
class OriginPlan:
    """
    Which origins a model learns from, is chosen on, and is judged on.

    Attributes
    ----------
    horizon_days : int
        Days after each origin that are forecast.
    holdout_origin : datetime.date
        Its horizon ends on ``as_of``: the hold-out, which is looked at once.
    training : tuple of datetime.date
        Ascending; the horizon of each ends on or before ``holdout_origin``.
    n_asked : int
        Training origins asked for; the history may have room for fewer.
    """

    horizon_days: int
    holdout_origin: date
    training: tuple[date, ...]
    n_asked: int

    @property
    def calibration_origin(self) -> date:
        """The latest training origin: candidates are compared and intervals are calibrated there."""
        return self.training[-1]

    @property
    def fitting(self) -> tuple[date, ...]:
        """Training origins whose horizon was over at the calibration origin: candidates are fitted on them."""
        horizon = timedelta(days=self.horizon_days)
        return tuple(origin for origin in self.training if origin + horizon <= self.calibration_origin)

    @property
    def all_origins(self) -> tuple[date, ...]:
        """Training origins and the hold-out's, ascending."""
        return (*self.training, self.holdout_origin)


def rolling_origins(
    *, first_day: date, as_of: date, horizon_days: int, n_origins: int = 4, min_history_days: int | None = None
) -> OriginPlan:
    """
    Choose the origins of a back-test: the hold-out's at the end, and earlier ones to learn from.

    Parameters
    ----------
    first_day : datetime.date
        First day in the data.
    as_of : datetime.date
        Last day known, inclusive.
    horizon_days : int
        Days forecast.
    n_origins : int
        Training origins, at least 2; where the history has room for fewer, the later ones are kept.
    min_history_days : int, optional
        Days of data up to each origin, the origin included; default ``horizon_days``, so that the last period is whole.

    Returns
    -------
    OriginPlan
        With at least one fitting origin before the calibration origin.

    Raises
    ------
    TooFewRecordsError
        The history has no room for a hold-out, a calibration origin and one origin before it.

    Notes
    -----
    The hold-out's origin is ``as_of - horizon_days``, the latest training origin one horizon earlier. Others lie about a
    third of a horizon apart, placed such that one of them is exactly a horizon before the latest.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16(4).

    Examples
    --------
    >>> plan = rolling_origins(first_day=date(2017, 1, 1), as_of=date(2017, 12, 31), horizon_days=90)
    >>> str(plan.holdout_origin), str(plan.calibration_origin), [str(origin) for origin in plan.fitting]
    ('2017-10-02', '2017-07-04', ['2017-04-05'])
    """
    if horizon_days < 1 or n_origins < 2:
        raise ValueError(
            f"horizon_days must be at least 1 and n_origins at least 2, got {horizon_days!r}, {n_origins!r}"
        )
    training = _training(first_day, as_of, horizon_days, n_origins, min_history_days)
    if not training:
        raise TooFewRecordsError(_what_would_do(first_day, as_of, horizon_days, n_origins, min_history_days))
    holdout_origin = as_of - timedelta(days=horizon_days)
    return OriginPlan(horizon_days=horizon_days, holdout_origin=holdout_origin, training=training, n_asked=n_origins)


def _training(
    first_day: date, as_of: date, horizon_days: int, n_origins: int, min_history_days: int | None
) -> tuple[date, ...]:
    """Return the training origins that the history has room for; none where it has room for no fitting origin."""
    history_days = horizon_days if min_history_days is None else min_history_days
    earliest = first_day + timedelta(days=history_days - 1)
    latest = as_of - timedelta(days=2 * horizon_days)
    parts = min(ORIGINS_IN_A_HORIZON, n_origins - 1)
    steps_back = [-(-number * horizon_days // parts) for number in range(n_origins)]  # rounded up
    origins = {latest - timedelta(days=days) for days in steps_back}
    training = tuple(sorted(origin for origin in origins if origin >= earliest))
    has_fitting = bool(training) and training[0] + timedelta(days=horizon_days) <= latest
    return training if has_fitting else ()


def _what_would_do(
    first_day: date, as_of: date, horizon_days: int, n_origins: int, min_history_days: int | None
) -> str:
    """Return the message for a history that is too short, with the longest horizon that it allows."""
    days = (as_of - first_day).days + 1
    history_days = horizon_days if min_history_days is None else min_history_days
    needed = 3 * horizon_days + max(history_days, 1)
    shorter = range(min(horizon_days - 1, days), 0, -1)
    longest = next((n for n in shorter if _training(first_day, as_of, n, n_origins, min_history_days)), None)
    advice = f"Use horizon_days of at most {longest}, or" if longest else "Use"
    return (
        f"From {first_day} to {as_of} there are {max(days, 0)} days; to forecast {horizon_days} days and judge it on a "
        f"later period takes {needed}: a hold-out, a calibration period and a period to fit on, of {horizon_days} days "
        f"each, after {history_days} days of history. {advice} data that reach further back."
    )
