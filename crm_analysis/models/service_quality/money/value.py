"""
What customers are worth by how often service went wrong for them.

Whether they buy less afterwards belongs in :mod:`crm_analysis.models.service_quality.money.difference`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_analysis.tables.privacy.suppression import suppressed

NO_CASE, NONE_BAD, ONE_BAD, MORE_BAD = "no case", "cases, none bad", "1 bad experience", "2 or more"
GROUPS = (NO_CASE, NONE_BAD, ONE_BAD, MORE_BAD)


def value_by_experience(
    spend: pd.Series,
    *,
    n_bad: pd.Series,
    with_case: pd.Index,
    lifetime_value: pd.Series | None = None,
    min_cell: int = 1,
) -> pd.DataFrame:
    """
    Return the value of customers by their number of bad experiences.

    Parameters
    ----------
    spend : pandas.Series of float
        Net spend by ``customer_id`` of everybody who bought or had a case.
    n_bad : pandas.Series of int
        Bad experiences by ``customer_id``; customers without one may be absent.
    with_case : pandas.Index
        Customers with a case.
    lifetime_value : pandas.Series, optional
        By ``customer_id``; customers without one count as 0.
    min_cell : int
        Fewest customers a shown row is about.

    Returns
    -------
    pandas.DataFrame
        Index ``experience``, the rows of :data:`GROUPS`: ``customers``, ``spend``, ``share_of_spend``, ``mean_spend``, and
        ``lifetime_value`` (mean) where given.

    Examples
    --------
    >>> value_by_experience(pd.Series({"a": 30.0, "b": 10.0}), n_bad=pd.Series({"a": 2}), with_case=pd.Index(["a"]))[
    ...     "share_of_spend"
    ... ].tolist()
    [0.25, 0.0, 0.0, 0.75]
    """
    count = n_bad.reindex(spend.index, fill_value=0)
    has_case = spend.index.isin(with_case) | (count > 0).to_numpy()
    names = np.array(GROUPS)[np.where(has_case, 1 + np.minimum(count.to_numpy(), 2), 0)]
    group = pd.Series(pd.Categorical(names, categories=list(GROUPS)), index=spend.index)
    sums = spend.groupby(group, observed=False).agg(["size", "sum"])
    table = pd.DataFrame({"customers": sums["size"], "spend": sums["sum"]}, index=pd.Index(GROUPS, name="experience"))
    whole = float(table["spend"].sum())
    table["share_of_spend"] = table["spend"] / whole if whole > 0 else np.nan
    table["mean_spend"] = table["spend"] / table["customers"].where(table["customers"] > 0)
    if lifetime_value is not None:
        values = lifetime_value.reindex(spend.index).fillna(0.0)
        table["lifetime_value"] = values.groupby(group, observed=False).mean().to_numpy()
    return suppressed(table, min_cell=min_cell)
