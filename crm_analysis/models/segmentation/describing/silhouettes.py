"""
The silhouette of each segment's customers: how clearly they belong where they were put.

Silhouettes by which the number of groups is chosen are in :mod:`crm_analysis.models.segmentation.grouping.kmeans`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples

from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.describing.profiles import hidden_segments
from crm_analysis.models.segmentation.preparing.scaling import canonical_order
from crm_analysis.tables.privacy.suppression import averaged_points

SILHOUETTE_CUSTOMERS = 2_000
_COLUMNS = ("segment", "place", "silhouette")


def segment_silhouettes(points: pd.DataFrame, labels: pd.Series, *, seed: int, min_cell: int = 1) -> pd.DataFrame:
    """
    Return the silhouettes of each segment's customers in descending order.

    Parameters
    ----------
    points : pandas.DataFrame
        Scaled features, one row per customer.
    labels : pandas.Series
        A segment per customer, same index.
    seed : int
        Start of the random numbers.
    min_cell : int
        Least number of customers a row stands for.

    Returns
    -------
    pandas.DataFrame
        ``segment``, ``place`` (share of the segment's customers up to this one, in (0, 1]) and ``silhouette``, in [-1, 1]. Computed
        within at most 2,000 customers drawn at random, noise left out. Where `min_cell` is above 1, a row is the mean of that many
        neighbours in order, with their number in ``customers``; segments that are hidden in the profiles are not there. Empty with
        fewer than two segments, or where no feature varies.

    Notes
    -----
    Below zero a customer is nearer to another segment, on average, than to the own one.

    References
    ----------
    Rousseeuw (1987), "Silhouettes", Journal of Computational and Applied Mathematics 20.

    Examples
    --------
    >>> points = pd.DataFrame({"x": [0.0, 1.0, 9.0, 10.0]})
    >>> segment_silhouettes(points, pd.Series(["a", "a", "b", "b"]), seed=0)["silhouette"].round(2).tolist()
    [0.89, 0.88, 0.89, 0.88]
    """
    order = canonical_order(points)
    drawn = order[np.sort(np.random.default_rng(seed).permutation(len(points))[:SILHOUETTE_CUSTOMERS])]
    names = labels.iloc[drawn].to_numpy(dtype=object)
    kept = names != NOISE_NAME
    rows, names = points.to_numpy()[drawn[kept]], names[kept]
    told = sorted(set(names))
    if not points.shape[1] or len(told) < 2 or len(told) >= len(names):
        return pd.DataFrame(columns=list(_COLUMNS))
    table = pd.DataFrame({"segment": names, "silhouette": silhouette_samples(rows, names)})
    sizes = pd.DataFrame({"all": labels.value_counts(), "drawn": labels.iloc[drawn].value_counts()}).fillna(0)
    hidden = hidden_segments(sizes["all"], sizes["drawn"], min_cell=min_cell)
    return pd.concat(
        [_descending(table.loc[table["segment"] == name], name, min_cell=min_cell) for name in told if not hidden[name]]
        or [pd.DataFrame(columns=list(_COLUMNS))],
        ignore_index=True,
    )


def _descending(part: pd.DataFrame, name: str, *, min_cell: int) -> pd.DataFrame:
    """Return one segment's silhouettes, the best first."""
    values = np.sort(part["silhouette"].to_numpy())[::-1]
    table = pd.DataFrame({"place": np.arange(1, len(values) + 1) / len(values), "silhouette": values})
    told = table if min_cell == 1 else averaged_points(table, min_cell=min_cell).sort_values("place")
    return told.assign(segment=name)[[*_COLUMNS, *(column for column in told if column not in _COLUMNS)]]
