"""
What a year is in weeks and in months, and the waves that describe a season.

The series themselves are made in :mod:`crm_analysis.features.series`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEARS_FOR_A_SEASON = 2


@dataclass(frozen=True)
class Season:
    """
    How many periods a year has.

    Attributes
    ----------
    cycle : int
        Whole periods after which the same part of the year comes back.
    length : float
        Periods a year, exactly.
    recent : int
        Periods that count as recent.
    """

    cycle: int
    length: float
    recent: int

    def is_seen(self, n_periods: int) -> bool:
        """
        Return whether a history is long enough to tell a season from a trend.

        Parameters
        ----------
        n_periods : int
            In the history.

        Returns
        -------
        bool
            True from two years on.
        """
        return n_periods >= YEARS_FOR_A_SEASON * self.cycle

    def waves(self, positions: Floats, *, harmonics: int) -> Floats:
        """
        Return sines and cosines that come back each year.

        Parameters
        ----------
        positions : numpy.ndarray of float, shape (n,)
            Periods since the first one.
        harmonics : int
            Waves a year at most.

        Returns
        -------
        numpy.ndarray of float, shape (n, 2 * harmonics)
            Columns.
        """
        angles = 2 * np.pi / self.length * np.outer(positions, np.arange(1, harmonics + 1))
        return np.hstack([np.sin(angles), np.cos(angles)])


SEASONS = {"week": Season(cycle=52, length=365.25 / 7, recent=8), "month": Season(cycle=12, length=12.0, recent=3)}
