"""
Ranges for single customers that hold as often as they say, whatever the model: conformal intervals.

How often they held belongs in :mod:`crm_analysis.models.evaluation.coverage`, how far a mean error would move with other
customers in :mod:`crm_analysis.models.evaluation.resampling`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation.measures import Floats
from crm_analysis.models.evaluation.predictive import CountDistribution, SpendDistribution
from crm_analysis.models.evaluation.spread import CountSpread, SpendSpread, count_spread, spend_spread

LEAST_TAIL, MOST_TAIL = 1e-12, 0.5  # at the most, a range is the median
LEAST_MISSES = 2  # with one allowed, a single odd customer would set the width for everybody
N_TYPICAL = 500
HALVINGS = 30


@dataclass(frozen=True)
class Intervals:
    """
    Ranges of single customers' counts or spend, between equal tails of their distributions.

    Attributes
    ----------
    level : float
        Share of customers that the ranges are to hold.
    spread : CountSpread or SpendSpread
        How customers scatter around their forecasts.
    tails : numpy.ndarray
        Chance left beyond each end, in the horizon learnt from: of customers whose chance of nothing is below `level`, and
        of the others. The distributions alone would say ``(1 - level) / 2`` and, where only the upper end can be cut,
        ``1 - level``.
    expected : numpy.ndarray
        What the distributions have to say that lies within, for `level` to lie within: likewise. This carries to horizons
        of other lengths. NaN where customers were too few to learn from.
    typical : numpy.ndarray
        Forecasts of customers learnt from, with a second column of transactions for spend.
    """

    level: float
    spread: CountSpread | SpendSpread
    tails: Floats
    expected: Floats
    typical: Floats

    def around(
        self, forecast: npt.ArrayLike, *, counts: npt.ArrayLike | None = None, horizon_ratio: float = 1.0
    ) -> pd.DataFrame:
        """
        Return the range of each forecast.

        Parameters
        ----------
        forecast : array-like of float, shape (n_customers,)
            By the model learnt from.
        counts : array-like of float, optional
            For spend: the transactions expected of the same customers.
        horizon_ratio : float
            Length of the horizon forecast over that of the origin learnt from.

        Returns
        -------
        pandas.DataFrame
            ``lower``, ``upper``, whole numbers for counts; the index of the forecasts where they have one. A customer's
            range depends on no other customer forecast.
        """
        drawn = _distributions(self.spread, forecast, counts, horizon_ratio)
        tails = self.tails if horizon_ratio == 1 else self._tails_at(horizon_ratio)
        lower, upper = _ranges(drawn, tails[_settled(drawn, self.level)])
        index = forecast.index if isinstance(forecast, pd.Series) else None
        return pd.DataFrame({"lower": lower, "upper": upper}, index=index)

    def _tails_at(self, ratio: float) -> Floats:
        """Return the tails with which the distributions of another horizon say what they have to."""
        columns = _columns(self.typical * ratio)
        drawn = _distributions(self.spread, *columns, ratio)
        settled = _settled(drawn, self.level)
        tails = self.tails.copy()
        for part in np.flatnonzero(np.isfinite(self.expected)):
            rows = np.flatnonzero(settled == part)
            if len(rows):
                tails[part] = _tail_for(drawn.of(rows), float(self.expected[part]))
        return tails


def count_intervals(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, level: float = 0.9) -> Intervals:
    """
    Learn ranges of counts from an origin whose outcome is known, with forecasts that did not know it.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what had been expected, neither seen by the forecasting model's fit. Below 0 counts as 0.
    level : float
        Share of customers to hold.

    Returns
    -------
    Intervals
        To be put around later forecasts of the same model, for a horizon of any length.

    Notes
    -----
    Distributional conformal prediction: a customer's score is the smaller of the chances of at most and of at least what
    came; of n scores the ``floor((n + 1) (1 - level))``-th smallest is the tail that all ranges leave at each end. Where
    customers of the later period are exchangeable with these, at least ``level`` of them lie within. Most counts are 0,
    and 0 cannot be cut in two: customers for whom nothing alone is likely enough are calibrated apart (Mondrian), so that
    their certainty does not narrow the ranges of the others. Ranges therefore hold more than ``level`` of customers where
    nearly all buy nothing. For a horizon of another length, the tails are set anew, so that the share that distributions
    expect within is the one that it took here. Customers too few for two misses leave the distributions' own tails.

    Of B buyers among n customers, ranges that hold a share ``level`` of all and everybody who buys nothing hold
    ``1 - (1 - level) n / B`` of the buyers: no method that allows for "nothing" does better at that level.

    References
    ----------
    Chernozhukov, Wüthrich, Zhu (2021), "Distributional conformal prediction", PNAS 118(48). Vovk, Gammerman, Shafer
    (2005), "Algorithmic Learning in a Random World", chapter 4.

    Examples
    --------
    >>> came = [0, 0, 0, 1, 0, 2, 1, 4, 3, 8] * 4
    >>> intervals = count_intervals(came, [0.1, 0.1, 0.4, 0.4, 1, 1, 2, 2, 5, 5] * 4)
    >>> intervals.around([0.1, 5]).to_numpy().tolist()
    [[0.0, 0.0], [2.0, 8.0]]
    >>> intervals.around([0.3, 15], horizon_ratio=3).to_numpy().tolist()
    [[0.0, 1.0], [8.0, 23.0]]
    """
    return _calibrated(count_spread(actual, forecast), actual, level, forecast, None)


def spend_intervals(
    actual: npt.ArrayLike,
    forecast: npt.ArrayLike,
    *,
    counts: CountSpread,
    count_forecast: npt.ArrayLike,
    level: float = 0.9,
) -> Intervals:
    """
    Learn ranges of spend from an origin whose outcome is known, with forecasts that did not know it.

    Parameters
    ----------
    actual, forecast : array-like of float, shape (n_customers,)
        What came and what had been expected, neither seen by the forecasting model's fit. Net spend below 0 counts as 0.
    counts : CountSpread
        Learnt from the transactions of the same customers, origin and horizon.
    count_forecast : array-like of float, shape (n_customers,)
        Expected transactions.
    level : float
        Share of customers to hold.

    Returns
    -------
    Intervals
        To be put around later forecasts of the same models, for a horizon of any length; see :func:`count_intervals`.

    Examples
    --------
    >>> came, expected = [0, 0, 0, 1, 0, 2, 1, 4, 3, 8] * 4, [0.1, 0.1, 0.4, 0.4, 1, 1, 2, 2, 5, 5] * 4
    >>> counts = count_spread(came, expected)
    >>> spend, spend_expected = 10 * np.array(came), 10 * np.array(expected)
    >>> intervals = spend_intervals(spend, spend_expected, counts=counts, count_forecast=expected)
    >>> intervals.around([1, 50], counts=[0.1, 5]).round().to_numpy().tolist()
    [[0.0, 0.0], [20.0, 84.0]]
    """
    spread = spend_spread(actual, forecast, counts=counts, count_forecast=count_forecast)
    return _calibrated(spread, actual, level, forecast, count_forecast)


def _calibrated(
    spread: CountSpread | SpendSpread,
    actual: npt.ArrayLike,
    level: float,
    forecast: npt.ArrayLike,
    counts: npt.ArrayLike | None,
) -> Intervals:
    """Return the tails that hold what came, for either part of the customers."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    came = np.maximum(np.asarray(actual, dtype=float), 0)
    drawn = _distributions(spread, forecast, counts, 1.0)
    scores = np.clip(np.minimum(drawn.at_most(came), drawn.at_least(came)), LEAST_TAIL, MOST_TAIL)
    typical = _typical(forecast, counts)
    alike = _distributions(spread, *_columns(typical), 1.0)
    tails, expected = np.array([(1 - level) / 2, min(1 - level, MOST_TAIL)]), np.full(2, math.nan)
    for part in (0, 1):
        among = np.sort(scores[_settled(drawn, level) == part])
        rank = math.floor((len(among) + 1) * (1 - level) + 1e-9)
        rows = np.flatnonzero(_settled(alike, level) == part)
        if rank >= LEAST_MISSES and len(rows):
            tails[part] = among[rank - 1] * (1 - 1e-9)  # scores are rounded: this customer too is to be held
            expected[part] = _expected_within(alike.of(rows), tails[part])
            if part:  # nothing is a lump: more were held than asked for, which another horizon need not repeat
                expected[part] -= float((among >= tails[part]).mean()) - level
    return Intervals(level, spread, tails, expected, typical)


def _distributions(
    spread: CountSpread | SpendSpread, forecast: npt.ArrayLike, counts: npt.ArrayLike | None, ratio: float
) -> CountDistribution | SpendDistribution:
    if isinstance(spread, CountSpread):
        return spread.around(forecast, horizon_ratio=ratio)
    if counts is None:
        raise ValueError("counts must be given for intervals of spend, got None")
    return spread.around(forecast, counts, horizon_ratio=ratio)


def _settled(drawn: CountDistribution | SpendDistribution, level: float) -> npt.NDArray[np.intp]:
    """Return 1 for customers for whom "nothing" alone is likely enough, 0 for the others."""
    return (drawn.zero >= level).astype(np.intp)


def _ranges(drawn: CountDistribution | SpendDistribution, tails: npt.ArrayLike) -> tuple[Floats, Floats]:
    lower = drawn.lowest(tails)
    return lower, np.maximum(drawn.highest(tails), lower)


def _expected_within(drawn: CountDistribution | SpendDistribution, tail: float) -> float:
    """Return the share of customers that the distributions expect within ranges with these tails."""
    lower, upper = _ranges(drawn, tail)
    return float((drawn.at_most(upper) + drawn.at_least(lower) - 1).mean())


def _tail_for(drawn: CountDistribution | SpendDistribution, expected: float) -> float:
    """Return the greatest tail with which this share is expected within, by halving."""
    low, high = math.log(LEAST_TAIL), math.log(MOST_TAIL)
    if _expected_within(drawn, MOST_TAIL) >= expected:
        return MOST_TAIL
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = _expected_within(drawn, math.exp(middle)) >= expected
        low, high = (middle, high) if enough else (low, middle)
    return math.exp(low)


def _typical(forecast: npt.ArrayLike, counts: npt.ArrayLike | None) -> Floats:
    """Return evenly spaced customers in the order of their forecasts."""
    given = [np.asarray(values, dtype=float) for values in (forecast, counts) if values is not None]
    ordered = np.column_stack(given)[np.lexsort(given[::-1])]
    typical: Floats = ordered[np.unique(np.linspace(0, len(ordered) - 1, N_TYPICAL).round().astype(int))]
    return typical


def _columns(typical: Floats) -> tuple[Floats, Floats | None]:
    return typical[:, 0], typical[:, 1] if typical.shape[1] > 1 else None
