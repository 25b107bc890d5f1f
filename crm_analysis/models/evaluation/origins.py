"""
Days from which forecasts are made and judged, so that nothing is learnt from what came after.

What was known on such a day is put together in :mod:`crm_analysis.features`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from crm_analysis.errors import TooFewRecordsError

ORIGINS_IN_A_HORIZON = 3
MOST_COMPARED = 3  # further back, there is little left to fit on
SHORTER_PARTS = (
    6  # of the days before the hold-out: two of history, one to fit on, three as the horizon of a long trial
)
SHORTEST_DAYS = 7

Period = tuple[date, int]  # an origin, and the days after it that are looked at


@dataclass(frozen=True)
class Trial:
    """
    A rehearsal of the forecast before the hold-out, at which candidates are compared.

    Attributes
    ----------
    origin : datetime.date
        The day from which it is made.
    days_ahead : int
        Days forecast.
    fitted : tuple of (datetime.date, int)
        Training periods that were over by then: candidates are fitted on them.
    """

    origin: date
    days_ahead: int
    fitted: tuple[Period, ...]


@dataclass(frozen=True)
class OriginPlan:
    """
    Which origins a model learns from, is chosen on, and is judged on.

    Attributes
    ----------
    horizon_days : int
        Days after ``as_of``, and after the hold-out's origin, that are forecast.
    training_days : int
        Least days after a training origin that models learn from: the horizon, or fewer where the history is too short for it.
    as_of : datetime.date
        Last day known.
    training : tuple of (datetime.date, int)
        Origins, ascending, and the days after each that models learn from: as far as was known on ``holdout_origin``, the horizon
        at most.
    refitting : tuple of (datetime.date, int)
        The same up to ``as_of``, for the forecast itself.
    trials : tuple of Trial
        Ascending by the end of their days; the last one, the longest, calibrates intervals.
    n_asked : int
        Training origins asked for; the history may have room for fewer.
    """

    horizon_days: int
    training_days: int
    as_of: date
    training: tuple[Period, ...]
    refitting: tuple[Period, ...]
    trials: tuple[Trial, ...]
    n_asked: int

    @property
    def holdout_origin(self) -> date:
        """Its horizon ends on ``as_of``: the hold-out, which is looked at once."""
        return self.as_of - timedelta(days=self.horizon_days)

    @property
    def calibration(self) -> Trial:
        """The trial at which intervals are calibrated: the latest, and the longest."""
        return self.trials[-1]

    @property
    def is_shorter(self) -> bool:
        """Whether models learn from shorter periods than they forecast."""
        return self.training_days < self.horizon_days

    @property
    def periods(self) -> tuple[Period, ...]:
        """Every origin with the days after it that are looked at, ascending."""
        fitted = {*self.training, *self.refitting, *(period for trial in self.trials for period in trial.fitted)}
        tried = {(trial.origin, trial.days_ahead) for trial in self.trials}
        return tuple(sorted({*fitted, *tried, (self.holdout_origin, self.horizon_days)}))


def rolling_origins(*, first_day: date, as_of: date, horizon_days: int, n_origins: int = 8) -> OriginPlan:
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

    Returns
    -------
    OriginPlan
        With at least one trial, and an origin to fit on before it.

    Raises
    ------
    TooFewRecordsError
        The history has no room for a hold-out and 42 days before it.

    Notes
    -----
    The hold-out's origin is ``as_of - horizon_days``, the latest training origin one period earlier. Others lie about a
    third of a period apart, placed such that one of them is exactly a period before the latest. The first has a whole period
    of history. Candidates are tried at the three latest that have one to fit on before them.

    A period is the horizon where the days up to the hold-out have room for three of it (history, fit, trial). Else it is a
    sixth of these days, after two periods of history; models learn from as many days after each origin as were known, the horizon
    at most; and one long trial is added: from the middle of these days to their end, it
    is to its history what the horizon is to the whole, or the nearest to that.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16(4).

    Examples
    --------
    >>> plan = rolling_origins(first_day=date(2017, 1, 1), as_of=date(2017, 12, 31), horizon_days=90)
    >>> (
    ...     str(plan.holdout_origin),
    ...     [str(trial.origin) for trial in plan.trials],
    ...     str(plan.training[0][0]),
    ...     plan.training_days,
    ... )
    ('2017-10-02', ['2017-07-04'], '2017-04-05', 90)
    >>> plan = rolling_origins(first_day=date(2017, 1, 1), as_of=date(2017, 12, 31), horizon_days=180)
    >>> plan.training_days, str(plan.calibration.origin), plan.calibration.days_ahead
    (30, '2017-04-05', 90)
    """
    if horizon_days < 1 or n_origins < 2:
        raise ValueError(
            f"horizon_days must be at least 1 and n_origins at least 2, got {horizon_days!r}, {n_origins!r}"
        )
    before = (as_of - first_day).days + 1 - horizon_days  # days up to the hold-out
    is_whole = before >= 3 * horizon_days
    training_days = horizon_days if is_whole else before // SHORTER_PARTS
    if not is_whole and training_days < SHORTEST_DAYS:
        raise TooFewRecordsError(_what_would_do(first_day, as_of, horizon_days))
    holdout_origin = as_of - timedelta(days=horizon_days)
    pattern = _Pattern(
        earliest=first_day + timedelta(days=training_days * (1 if is_whole else 2) - 1),
        n_origins=n_origins,
        training_days=training_days,
        horizon_days=horizon_days,
    )
    training = pattern.known_on(holdout_origin)
    trials = [
        Trial(origin, training_days, fitted)
        for origin, _ in training
        if (fitted := pattern.of((one for one, _ in training), origin))
    ][-MOST_COMPARED:]
    if not is_whole:
        days_ahead = min(SHORTER_PARTS // 2 * training_days, horizon_days)
        origin = holdout_origin - timedelta(days=days_ahead)
        trials.append(Trial(origin, days_ahead, pattern.known_on(origin)))
    return OriginPlan(
        horizon_days=horizon_days,
        training_days=training_days,
        as_of=as_of,
        training=training,
        refitting=pattern.known_on(as_of),
        trials=tuple(trials),
        n_asked=n_origins,
    )


@dataclass(frozen=True)
class _Pattern:
    """How training origins lie before a day."""

    earliest: date
    n_origins: int
    training_days: int
    horizon_days: int

    def known_on(self, day: date) -> tuple[Period, ...]:
        """Return training periods over by a day, the latest origin first chosen, ascending."""
        parts = min(ORIGINS_IN_A_HORIZON, self.n_origins - 1)
        steps_back = [-(-number * self.training_days // parts) for number in range(self.n_origins)]  # rounded up
        latest = day - timedelta(days=self.training_days)
        return self.of({latest - timedelta(days=days) for days in steps_back}, day)

    def of(self, origins: Iterable[date], day: date) -> tuple[Period, ...]:
        """Return the periods of origins as far as they were known on a day; none for those too early or too late."""
        known = ((origin, (day - origin).days) for origin in sorted(origins) if origin >= self.earliest)
        return tuple((origin, min(days, self.horizon_days)) for origin, days in known if days >= self.training_days)


def _what_would_do(first_day: date, as_of: date, horizon_days: int) -> str:
    """Return the message for a history that is too short, with the longest horizon that it allows."""
    days = max((as_of - first_day).days + 1, 0)
    least = SHORTER_PARTS * SHORTEST_DAYS
    longest = max(days - least, (days // 4))
    advice = f"Use horizon_days of at most {longest}, or" if longest else "Use"
    return (
        f"From {first_day} to {as_of} there are {days} days; to forecast {horizon_days} days and judge it on a later period takes "
        f"these {horizon_days} days as the hold-out, and before them at least three times as many, or {least}. {advice} data that "
        "reach further back."
    )
