"""
How often ranges of single customers held what came, for all of them and for some.

How ranges are made belongs in :mod:`crm_analysis.models.evaluation.conformal`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation.measures import Floats


def coverage_table(actual: npt.ArrayLike, bands: pd.DataFrame, *, groups: pd.Series | None = None) -> pd.DataFrame:
    """
    Measure how often bands held what came, and how wide they were.

    Parameters
    ----------
    actual : array-like of float, shape (n_customers,)
        What came.
    bands : pandas.DataFrame
        ``lower`` and ``upper`` for the same customers.
    groups : pandas.Series, optional
        A label for each customer, such as the segment, in the same order; customers without one are in no group.

    Returns
    -------
    pandas.DataFrame
        Index ``customers``: ``all``, ``buyers`` (something came), ``others``, then the groups in order; ``n``, ``coverage``
        (a share, NaN where there are none), ``width`` (mean). Small groups are not yet suppressed.

    Examples
    --------
    >>> bands = pd.DataFrame({"lower": [0, 0, 5], "upper": [0, 2, 9]})
    >>> coverage_table([0, 3, 6], bands, groups=pd.Series(["new", "new", "loyal"])).round(2).reset_index()
      customers  n  coverage  width
    0       all  3      0.67    2.0
    1    buyers  2      0.50    3.0
    2    others  1      1.00    0.0
    3     loyal  1      1.00    4.0
    4       new  2      0.50    1.0
    """
    truth = np.asarray(actual, dtype=float)
    lower, upper = bands["lower"].to_numpy(), bands["upper"].to_numpy()
    held = (lower <= truth) & (truth <= upper)
    rows = {"all": np.ones(len(truth), dtype=bool), "buyers": truth > 0, "others": truth <= 0}
    rows |= _memberships(groups, len(truth), taken=list(rows))
    table = {
        name: (int(among.sum()), _mean(held[among].astype(float)), _mean((upper - lower)[among]))
        for name, among in rows.items()
    }
    columns = ["n", "coverage", "width"]
    return pd.DataFrame.from_dict(table, orient="index", columns=columns).rename_axis("customers")


def _memberships(groups: pd.Series | None, n_customers: int, *, taken: list[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """Return who is in each group, in the groups' order."""
    if groups is None:
        return {}
    if len(groups) != n_customers:
        raise ValueError(f"groups must have a label for each of {n_customers} customers, got {len(groups)}")
    codes, labels = pd.factorize(groups.array, sort=True)
    both = [label for label in labels if label in taken]
    if both:
        raise ValueError(f"groups must not be named like other rows of the table, got {both!r}")
    return {label: codes == code for code, label in enumerate(labels)}


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan
