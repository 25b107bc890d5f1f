"""
How far a share may lie off by chance: Wilson's interval, also for a number of independent cases that is not whole.

Which number of cases counts where cases of a customer are alike is reckoned by those who ask.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.float64]

Z_95 = float(norm.ppf(0.975))


def wilson_interval(share: npt.ArrayLike, n: npt.ArrayLike, *, z: npt.ArrayLike = Z_95) -> tuple[Floats, Floats]:
    """
    Return the interval of shares.

    Parameters
    ----------
    share : array-like of float
        Observed, from 0 to 1.
    n : array-like of float
        Independent cases behind each, above 0, not necessarily whole.
    z : array-like of float
        Quantile; default: that of 95 %.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper ends, between 0 and 1.

    References
    ----------
    Wilson (1927), "Probable Inference", JASA 22(158).

    Examples
    --------
    >>> low, high = wilson_interval([0.0, 0.5], [10, 10])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    observed, size, quantile = (np.asarray(values, dtype=float) for values in (share, n, z))
    scale = 1 + quantile**2 / size
    centre = (observed + quantile**2 / (2 * size)) / scale
    spread = np.maximum(observed * (1 - observed), 0.0) / size + quantile**2 / (4 * size**2)
    half = quantile / scale * np.sqrt(spread)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
