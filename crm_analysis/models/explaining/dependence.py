"""
How a forecast moves along one feature: partial dependence, and accumulated local effects.

Both show how the model uses a feature, no effect of changing it. Which features matter at all is in
:mod:`crm_analysis.models.explaining.importance`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation.measures import Floats

MAX_CUSTOMERS = 5000
BACKED_BY = 10
REACH = (0.05, 0.95)
PLAIN_WORDS = {
    "recency_days": "days since the last purchase",
    "frequency": "how often over the history",
    "spend": "how much over the history",
    "monetary_value": "how much a purchase day",
    "tenure_days": "days since the first purchase",
    "observed_days": "days observed",
    "inter_purchase_days": "days between purchases",
    "inter_purchase_cv": "how irregularly",
    "recent_spend": "how much lately",
    "recent_frequency": "how often lately",
    "spend_trend": "more or less than before",
    "basket_size": "lines a purchase day",
    "discount_share": "share of discounts",
    "return_share": "share of returns",
}
_COLUMNS = ["value", "forecast", "customers", "below"]
_DUST = 1e-9

Predict = Callable[[pd.DataFrame], npt.ArrayLike]
Whole = npt.NDArray[np.intp]


def partial_dependence(
    predict: Predict, features: pd.DataFrame, *, feature: str, n_points: int = 20, min_cell: int = 1
) -> pd.DataFrame:
    """
    Return the mean forecast if every customer had the same value of one feature, all others being as they are.

    Parameters
    ----------
    predict : callable
        Takes a table like `features`, returns a forecast a row.
    features : pandas.DataFrame
        A row a customer. With more than 5,000, every second, third, … in the order of their content is used.
    feature : str
        A column of numbers; customers without one are left out.
    n_points : int
        Values asked for, between the 5 % and the 95 % quantile; ties and few customers leave fewer.
    min_cell : int
        Least number of customers from one value to the next; never under ten.

    Returns
    -------
    pandas.DataFrame
        ``value`` (rounded, so that it is nobody's own), ``forecast`` (mean), ``customers`` from the value before up to this
        one, ``below``: share of customers with this value or less. Empty where fewer than two values are backed.

    Notes
    -----
    How the model uses the feature, no effect of changing it. Where features go together, it also asks the model about
    customers who do not exist; :func:`accumulated_local_effects` does not.

    References
    ----------
    Friedman (2001), "Greedy function approximation", Annals of Statistics 29(5).
    """
    frame, values, edges, owner = _along(features, feature, n_points=n_points, min_cell=min_cell)
    if len(edges) < 2:
        return _no_curve()
    asked = frame.iloc[:: -(-len(frame) // MAX_CUSTOMERS)]
    means = [float(checked_forecasts(predict, asked.assign(**{feature: edge})).mean()) for edge in edges]
    return _curve(edges, means, values, owner)


def accumulated_local_effects(
    predict: Predict,
    features: pd.DataFrame,
    *,
    feature: str,
    n_points: int = 20,
    min_cell: int = 1,
    customers: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """
    Return how the forecast moves along one feature, step by step among the customers who are at that step.

    Parameters
    ----------
    predict : callable
        Takes a table like `features`, returns a forecast a row.
    features : pandas.DataFrame
        A row a customer.
    feature : str
        A column of numbers; customers without one are left out.
    n_points : int
        Values asked for, between the 5 % and the 95 % quantile; ties and few customers leave fewer.
    min_cell : int
        Least number of customers from one value to the next; never under ten.
    customers : array-like, shape (n_rows,), optional
        Whose row each is, where a customer has several; default: each row is a customer of its own.

    Returns
    -------
    pandas.DataFrame
        As :func:`partial_dependence` returns it; ``forecast`` is the mean forecast of the customers between the first and
        the last value, plus the accumulated effect less its mean over them. Where `customers` are given, ``customers``
        counts distinct ones, and ``below`` is a share of rows.

    Notes
    -----
    ALE: for the customers between two neighbouring values, the mean difference between the forecasts at both; summed up.
    Each customer is moved by one step only, so that features which go together are not torn apart: of two that are
    related, the curve of one does not carry what is due to the other. Still how the model uses the feature, no effect of
    changing it.

    References
    ----------
    Apley, Zhu (2020), "Visualizing the effects of predictor variables in black box supervised learning models", JRSS B
    82(4).

    Examples
    --------
    >>> features = pd.DataFrame({"recency_days": np.arange(400)})
    >>> half = lambda rows: 200 - rows["recency_days"] / 2
    >>> curve = accumulated_local_effects(half, features, feature="recency_days")
    >>> curve.iloc[[0, -1]][["value", "forecast"]].round(2).to_numpy().tolist()
    [[20.0, 190.0], [380.0, 10.0]]
    """
    frame, values, edges, owner = _along(features, feature, n_points=n_points, min_cell=min_cell, customers=customers)
    if len(edges) < 2:
        return _no_curve()
    inside = (values >= edges[0]) & (values <= edges[-1])
    members, step = frame[inside], np.maximum(np.searchsorted(edges, values[inside]), 1)
    upper, lower = (checked_forecasts(predict, members.assign(**{feature: edges[at]})) for at in (step, step - 1))
    sizes, moves = (np.bincount(step, weights=of, minlength=len(edges))[1:] for of in (None, upper - lower))
    effect = np.concatenate([[0.0], np.cumsum(moves / sizes)])
    means = checked_forecasts(predict, members).mean() + effect - np.interp(values[inside], edges, effect).mean()
    return _curve(edges, means, values, owner)


def dependence_curves(
    predict: Predict, features: pd.DataFrame, *, chosen: Sequence[str], n_points: int = 20, min_cell: int = 1
) -> pd.DataFrame:
    """
    Return the accumulated local effects of several features in one table, for a picture.

    Parameters
    ----------
    predict : callable
        Takes a table like `features`, returns a forecast a row.
    features : pandas.DataFrame
        A row a customer.
    chosen : sequence of str
        Columns of numbers, in this order.
    n_points : int
        Values asked for, a feature.
    min_cell : int
        Least number of customers from one value to the next.

    Returns
    -------
    pandas.DataFrame
        ``feature`` in plain words, and the columns of :func:`accumulated_local_effects`. A feature with fewer than two backed
        values has one row without figures.
    """
    curves = []
    for name in chosen:
        curve = accumulated_local_effects(predict, features, feature=name, n_points=n_points, min_cell=min_cell)
        curve = curve if len(curve) else pd.DataFrame({column: [math.nan] for column in _COLUMNS})
        curves.append(curve.astype(float).assign(feature=plain_words(name)))
    columns = ["feature", *_COLUMNS]
    return pd.concat(curves, ignore_index=True)[columns] if curves else pd.DataFrame(columns=columns)


def plain_words(feature: str) -> str:
    """
    Return what a feature means in a few words.

    Parameters
    ----------
    feature : str
        A column.

    Returns
    -------
    str
        For a feature that is not known here, its name without underscores.

    Examples
    --------
    >>> plain_words("recency_days"), plain_words("share_of_wine")
    ('days since the last purchase', 'share of wine')
    """
    return PLAIN_WORDS.get(feature, feature.replace("_", " ").strip() or feature)


def content_codes(column: pd.Series) -> Whole:
    """
    Return the rank of each value, equal ones alike, so that rows can be ordered by what they hold.

    Parameters
    ----------
    column : pandas.Series
        Of any kind; what is no number and no time is ordered as text.

    Returns
    -------
    numpy.ndarray of int
        From 1; a missing value is last.

    Examples
    --------
    >>> content_codes(pd.Series([0.5, None, 0.5, 0.1])).tolist()
    [2, 3, 2, 1]
    """
    is_ordered = pd.api.types.is_numeric_dtype(column) or column.dtype.kind in "mM"
    values = column if is_ordered else column.astype("str")
    return np.asarray(values.rank(method="dense", na_option="bottom").to_numpy(dtype=float), dtype=np.intp)


def checked_forecasts(predict: Predict, features: pd.DataFrame) -> Floats:
    """
    Return the forecasts of a table if they can be reckoned with.

    Parameters
    ----------
    predict : callable
        Takes a table, returns a forecast a row.
    features : pandas.DataFrame
        A row a customer.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers,)
        All finite.
    """
    forecasts = np.asarray(predict(features), dtype=float)
    if forecasts.shape != (len(features),) or not np.isfinite(forecasts).all():
        raise ValueError(f"predict must return {len(features)} finite numbers, one a row, got {forecasts.shape}")
    return forecasts


def _along(
    features: pd.DataFrame, feature: str, *, n_points: int, min_cell: int, customers: npt.ArrayLike | None = None
) -> tuple[pd.DataFrame, Floats, Floats, Whole]:
    """Return the rows with a finite value, in its order, their values, the values to show, and whose rows they are."""
    if n_points < 2 or min_cell < 1:
        raise ValueError(f"n_points must be at least 2 and min_cell at least 1, got {n_points!r}, {min_cell!r}")
    if feature not in features or not pd.api.types.is_numeric_dtype(features[feature]):
        raise ValueError(f"feature must be a column of numbers, got {feature!r}")
    keys = [
        *(content_codes(features[name]) for name in sorted(features.columns, key=str)),
        content_codes(features[feature]),
    ]
    order = np.lexsort(keys)
    owner = np.arange(len(features)) if customers is None else pd.factorize(np.asarray(customers))[0]
    ordered, owner = features.iloc[order], owner[order]
    values = ordered[feature].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(values)
    ordered, values, owner = ordered[known], values[known], owner[known]
    if not len(values):
        return ordered, values, values, owner
    wanted = np.unique(np.quantile(values, np.linspace(*REACH, n_points), method="inverted_cdf"))
    return ordered, values, _backed(_rounded(wanted), values, owner, least=max(min_cell, BACKED_BY)), owner


def _rounded(wanted: Floats) -> Floats:
    """Round each value to a multiple of 1, 2 or 5 times a power of ten, at most half its distance from the nearer neighbour."""
    if len(wanted) < 2:
        return wanted[:0]
    gaps = np.diff(wanted)
    nearer = np.minimum(np.append(gaps, gaps[-1]), np.append(gaps[:1], gaps))
    return np.unique([_round(float(value), float(gap) / 2) for value, gap in zip(wanted, nearer, strict=True)])


def _round(value: float, at_most: float) -> float:
    power = math.floor(math.log10(at_most) + _DUST)
    unit = max(step * 10.0**power for step in (1, 2, 5) if step * 10.0**power <= at_most * (1 + _DUST))
    return round(round(value / unit) * unit, -power)


def _backed(edges: Floats, values: Floats, owner: Whole, *, least: int) -> Floats:
    """Keep values with enough customers up to each, and with enough, or none, beyond the last."""
    kept, seen = [], [0]
    for edge, up_to in zip(edges, np.searchsorted(values, edges, side="right"), strict=True):
        if len(np.unique(owner[seen[-1] : up_to])) >= least:
            kept.append(edge)
            seen.append(int(up_to))
    if kept and 0 < len(np.unique(owner[seen[-1] :])) < least:
        kept.pop()
    return np.asarray(kept, dtype=float)


def _curve(edges: Floats, means: npt.ArrayLike, values: Floats, owner: Whole) -> pd.DataFrame:
    up_to = np.searchsorted(values, edges, side="right")
    sizes = [len(np.unique(part)) for part in np.split(owner[: up_to[-1]], up_to[:-1])]
    return pd.DataFrame({"value": edges, "forecast": means, "customers": sizes, "below": up_to / len(values)})


def _no_curve() -> pd.DataFrame:
    return pd.DataFrame(columns=_COLUMNS, dtype=float)
