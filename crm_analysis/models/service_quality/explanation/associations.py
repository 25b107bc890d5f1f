"""
Which attributes of cases say nearly the same, whether they are numbers or levels, and what attributes are called.

How much an attribute, or a group of them, matters is in :mod:`crm_analysis.models.service_quality.explanation.drivers`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.service_quality.wording import attribute_in_words, in_words

CLOSE = 0.7


def attribute_groups(
    cases: pd.DataFrame, attributes: Sequence[str], *, closer_than: float = CLOSE
) -> dict[str, list[str]]:
    """
    Put attributes together that say nearly the same.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case.
    attributes : sequence of str
        Columns of levels or numbers.
    closer_than : float
        Association above which two belong together.

    Returns
    -------
    dict of str to list of str
        Attributes by a name in plain words; within a group two may be linked by a third only.

    Notes
    -----
    Association of two numbers: rank correlation, of either sign; of levels: Cramér's V; of a number and levels: the share of
    the number's ranks that the levels explain, as a correlation. The latter two are corrected for what chance alone gives.
    A missing number counts as beyond all others.

    References
    ----------
    Bergsma (2013), "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society 42(3).

    Examples
    --------
    >>> cases = pd.DataFrame(
    ...     {"priority": ["high", "low"] * 20, "target_hours": [8, 48] * 20, "opened_hour": [*range(20)] * 2}
    ... )
    >>> attribute_groups(cases, list(cases))
    {'priority and hours to the due time': ['priority', 'target_hours'], 'hour of the opening': ['opened_hour']}
    """
    told = {name: _ranked(cases[name]) for name in attributes}
    close = {
        frozenset(pair)
        for pair in itertools.combinations(attributes, 2)
        if _association(told[pair[0]], told[pair[1]]) > closer_than
    }
    waiting, found = list(attributes), []
    while waiting:
        group = [waiting.pop(0)]
        for member in group:  # grows while it is walked through
            linked = [other for other in waiting if frozenset((member, other)) in close]
            group += linked
            waiting = [other for other in waiting if other not in linked]
        found.append([name for name in attributes if name in group])
    return {in_words([attribute_in_words(name) for name in group]): group for group in found}


def _ranked(values: pd.Series) -> tuple[bool, npt.NDArray[np.float64]]:
    """Whether an attribute is a number, and its ranks or the codes of its levels."""
    if pd.api.types.is_numeric_dtype(values):
        return True, np.asarray(_floats(values).rank(na_option="bottom"), dtype=float)
    return False, np.asarray(pd.factorize(values.astype("str"), use_na_sentinel=False)[0], dtype=float)


def _floats(values: pd.Series) -> pd.Series:
    """Numbers and flags as floats, missing ones as NaN."""
    return pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=values.index)


def _association(one: tuple[bool, npt.NDArray[np.float64]], other: tuple[bool, npt.NDArray[np.float64]]) -> float:
    """From 0, nothing in common, to 1, the same."""
    (is_number, first), (is_other_number, second) = one, other
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    if is_number and is_other_number:
        return abs(float(np.corrcoef(first, second)[0, 1]))
    if is_number or is_other_number:
        return _explained(*((first, second) if is_number else (second, first)))
    return _cramers_v(first.astype(np.intp), second.astype(np.intp))


def _explained(ranks: npt.NDArray[np.float64], levels: npt.NDArray[np.float64]) -> float:
    """Root of the variance of the ranks that the levels explain, less what chance gives (epsilon squared)."""
    codes = levels.astype(np.intp)
    sizes = np.bincount(codes)
    n_rows, n_levels = len(ranks), int((sizes > 0).sum())
    if n_rows <= n_levels:
        return 0.0
    means = np.bincount(codes, weights=ranks) / np.maximum(sizes, 1)
    within = float(((ranks - means[codes]) ** 2).sum() / ((ranks - ranks.mean()) ** 2).sum())
    return float(np.sqrt(max(0.0, 1 - within * (n_rows - 1) / (n_rows - n_levels))))


def _cramers_v(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> float:
    """Association of two sets of levels, less what chance gives."""
    n_rows = len(first)
    cells = pd.Series(first * (int(second.max()) + 1) + second).value_counts()
    rows, columns = np.bincount(first), np.bincount(second)
    of_row, of_column = np.divmod(cells.index.to_numpy(), int(second.max()) + 1)
    squares = float((cells.to_numpy() ** 2 / (rows[of_row] * columns[of_column])).sum()) - 1  # chi-squared over n
    n_first, n_second = int((rows > 0).sum()), int((columns > 0).sum())
    corrected = max(0.0, squares - (n_first - 1) * (n_second - 1) / (n_rows - 1))
    least = min(size - (size - 1) ** 2 / (n_rows - 1) for size in (n_first, n_second)) - 1
    return float(np.sqrt(min(1.0, corrected / least))) if least > 0 else 0.0
