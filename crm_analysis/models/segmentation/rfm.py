"""
RFM: scores from one to five with edges learned once, and the ten named segments of the field's grid.

Groups that the data themselves suggest are found in :mod:`crm_analysis.models.segmentation.grouping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.errors import ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.preparing.scaling import RFM, checked_features
from crm_analysis.tables.privacy.suppression import hidden_rows, small, suppressed

N_SCORES = 5
MIDDLE_SCORE = 3
_DIGITS = 3
_MOST_MOVED = 0.02
_SHARES = np.arange(1, N_SCORES) / N_SCORES
_CELL_COLUMNS = ["r_low", "r_high", "f_low", "f_high"]
_NAMED = (
    ("Champions", 5, 5, 4, 5, "bought lately and often", "reward them; ask for reviews and referrals; show new things first"),
    ("Loyal customers", 3, 4, 4, 5, "buy often, not quite lately", "offer what goes with what they buy; a loyalty programme"),
    ("Potential loyalists", 4, 5, 2, 3, "bought lately, more than once", "help the habit: membership, recommendations"),
    ("New customers", 5, 5, 1, 1, "bought very lately, hardly more than once", "welcome them; make the second purchase easy"),
    ("Promising", 4, 4, 1, 1, "bought fairly lately, hardly more than once", "bring the brand to mind; a reason for a second purchase"),
    ("Need attention", 3, 3, 3, 3, "middling in both", "an offer that ends soon, on what they bought before"),
    ("About to sleep", 3, 3, 1, 2, "bought seldom, and some time ago", "share what is popular; a small incentive to come back"),
    ("Cannot lose them", 1, 2, 5, 5, "bought most often, but not for long", "ask in person what went wrong; win them back"),
    ("At risk", 1, 2, 3, 4, "bought often, but not for long", "a personal message; renew what they used to buy"),
    ("Hibernating", 1, 2, 1, 2, "bought seldom and long ago", "a cheap reminder, or none: most are lost"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class RFMGrid:
    """
    The edges between scores, learned once so that months compare.

    Attributes
    ----------
    recency_days, frequency, monetary_value : numpy.ndarray
        Four edges each, ascending: the values that 20, 40, 60 and 80 % of the customers do not exceed, money rounded up to three
        digits, so that no customer's amount is stored. NaN: the feature was the same for everybody and cannot rank anybody.
    """

    recency_days: NDArray[np.float64]
    frequency: NDArray[np.float64]
    monetary_value: NDArray[np.float64]

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """
        Return every customer's scores and named segment.

        Parameters
        ----------
        features : pandas.DataFrame
            One row per customer, of the day the edges were learned or of another: ``recency_days``, ``frequency``,
            ``monetary_value``.

        Returns
        -------
        pandas.DataFrame
            Same index; ``r_score``, ``f_score``, ``m_score`` from 1 to 5 (5: most recent, most often, most money) and
            ``rfm_segment``.

        Raises
        ------
        ModelError
            A column is not there.
        TooFewRecordsError
            There is no customer.
        DataQualityError
            A customer stands there twice, or a value is missing, infinite or no number.
        """
        values = checked_features(features, RFM)
        above = {name: _edges_below(values[name].to_numpy(), getattr(self, name)) for name in RFM}
        scores = pd.DataFrame(
            {
                "r_score": N_SCORES - above["recency_days"],
                "f_score": 1 + above["frequency"],
                "m_score": 1 + above["monetary_value"],
            },
            index=features.index,
        )
        names = _names_by_score(named_grid())
        codes = (scores["r_score"] - 1) * N_SCORES + scores["f_score"] - 1
        return scores.assign(rfm_segment=pd.Series(names[codes.to_numpy()], index=scores.index, dtype="str"))

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """
        Return the edges as plain arrays, to be saved.

        Returns
        -------
        dict of str to numpy.ndarray
            By feature.
        """
        return {name: np.array(getattr(self, name), dtype=float) for name in RFM}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> RFMGrid:
        """
        Return the grid from plain arrays.

        Parameters
        ----------
        arrays : mapping of str to numpy.ndarray
            As :meth:`to_arrays` gives them; lists will do.

        Returns
        -------
        RFMGrid
            The same edges.

        Raises
        ------
        ModelError
            Edges are missing, not four, or not ascending.
        """
        edges = {name: np.array(arrays.get(name, ()), dtype=float) for name in RFM}
        for name, found in edges.items():
            is_blank = bool(np.isnan(found).all())
            if found.shape != _SHARES.shape or not (is_blank or bool((np.diff(found) >= 0).all())):
                raise ModelError(
                    f"The stored RFM edges of {name!r} are {found.tolist()}; {len(_SHARES)} ascending numbers are needed. "
                    "Fit and save the grid again."
                )
        return cls(**edges)


def fit_rfm_grid(features: pd.DataFrame) -> RFMGrid:
    """
    Learn the edges between RFM scores.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer: ``recency_days``, ``frequency``, ``monetary_value``.

    Returns
    -------
    RFMGrid
        To score these customers, and those of later months by the same measure.

    Raises
    ------
    ModelError
        A column is not there.
    TooFewRecordsError
        There are fewer than five customers, who have no fifths.
    DataQualityError
        A customer stands there twice, or a value is missing, infinite or no number.

    Notes
    -----
    A score is one more than the number of edges that a value exceeds (recency: five less that number). Customers of the same
    value have the same score, so that fifths may differ in size and scores may be absent: where two thirds bought once, these have
    frequency score 1, and who bought again has 4 or 5. Breaking such ties by the order of rows would score equal customers
    differently. Where a feature is the same for everybody, all have its middle score, 3, then and later.

    Edges of money are rounded up to three digits, more where that would move them by over 2 % of the range from the 5 % to the
    95 % quantile: rounded down, many who share an amount would move up a score. In another currency, those between an edge and its rounding may get another score.

    References
    ----------
    Hughes (1994), "Strategic Database Marketing", for scores by fifths.

    Examples
    --------
    >>> features = pd.DataFrame(
    ...     {"recency_days": [1, 2, 3, 4, 5], "frequency": [1, 1, 1, 2, 9], "monetary_value": [5.0, 4.0, 3.0, 2.0, 1.0]}
    ... )
    >>> fit_rfm_grid(features).score(features)["f_score"].tolist()
    [1, 1, 1, 4, 5]
    """
    values = checked_features(features, RFM)
    if len(values) < N_SCORES:
        raise TooFewRecordsError(
            f"Only {len(values)} of the {N_SCORES} customers are there whom fifths need at least. "
            "Score them by a grid that was learned on more customers."
        )
    edges = {name: _learned_edges(values[name].to_numpy()) for name in RFM}
    money = values["monetary_value"].to_numpy()
    return RFMGrid(**{**edges, "monetary_value": _rounded_up(edges["monetary_value"], money)})


def rfm_segments(features: pd.DataFrame) -> pd.Series:
    """
    Return each customer's named segment, by a grid learned on these very customers.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer: ``recency_days``, ``frequency``, ``monetary_value``.

    Returns
    -------
    pandas.Series
        Same index; ``rfm_segment``.

    Raises
    ------
    ModelError, TooFewRecordsError, DataQualityError
        As for :func:`fit_rfm_grid`.
    """
    segments: pd.Series = fit_rfm_grid(features).score(features)["rfm_segment"]
    return segments


def _learned_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values that each share of the customers does not exceed; each is a customer's own."""
    if values.min() == values.max():
        return np.full(len(_SHARES), np.nan)
    return np.asarray(np.quantile(values, _SHARES, method="inverted_cdf"), dtype=float)


def _rounded_up(edges: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return short edges, none lower than it was, nor higher by more than 2 % of the range of the bulk of the values."""
    if np.isnan(edges).any():
        return edges
    low, high = np.quantile(values, [0.05, 0.95])
    width = (high - low) or np.ptp(values)
    finest = int(np.floor(np.round(np.log10(width * _MOST_MOVED), 9)))  # pence or pounds: no noise at a power of ten
    return np.asarray([max(edge, _up(edge, finest=finest)) for edge in edges.tolist()], dtype=float)


def _up(value: float, *, finest: int) -> float:
    """Return the next number of three significant digits, or of a finer power of ten; beyond twelve is noise of computing."""
    told = Decimal(f"{value:.12g}")
    step = Decimal(1).scaleb(min(told.adjusted() - _DIGITS + 1, finest))
    return float(told.quantize(step, rounding=ROUND_CEILING))


def _edges_below(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return how many edges each value exceeds; without edges, half of them."""
    if np.isnan(edges).any():
        return np.full(len(values), MIDDLE_SCORE - 1, dtype=np.intp)
    return np.searchsorted(edges, values, side="left").astype(np.intp)


def named_grid() -> pd.DataFrame:
    """
    Return the field's named segments as rectangles over recency score and frequency score.

    Returns
    -------
    pandas.DataFrame
        Index ``rfm_segment``; ``r_low``, ``r_high``, ``f_low``, ``f_high`` (scores, inclusive), ``meaning`` and ``action`` (what
        one does with such customers).

    Notes
    -----
    The ten names over R × F are those of most published code; tables over R and the mean of F and M are as common in
    prose, but their rectangles overlap. The monetary score stands beside the segment and is no part of it. What one does with them is
    custom, not a finding of this package.
    """
    columns = ["rfm_segment", *_CELL_COLUMNS, "meaning", "action"]
    return pd.DataFrame(list(_NAMED), columns=columns).astype({"rfm_segment": "str"}).set_index("rfm_segment")


def check_grid(grid: pd.DataFrame) -> None:
    """
    Make sure that every pair of scores lies in exactly one rectangle.

    Parameters
    ----------
    grid : pandas.DataFrame
        As :func:`named_grid`; index: the names.

    Raises
    ------
    ValueError
        A rectangle is upside down or reaches beyond 1 to 5, two rectangles overlap, a pair lies in none, or a name repeats.
    """
    faults = [f"{name!r} repeats" for name in grid.index[grid.index.duplicated()].unique()]
    for name, (r_low, r_high, f_low, f_high) in zip(grid.index, grid[_CELL_COLUMNS].to_numpy().tolist(), strict=True):
        if not (1 <= r_low <= r_high <= N_SCORES and 1 <= f_low <= f_high <= N_SCORES):
            faults.append(f"{name!r} is no rectangle within 1 to {N_SCORES}")
    for r, f in np.ndindex(N_SCORES, N_SCORES):
        names = list(grid.index[_holds(grid, r + 1, f + 1)])
        if len(names) != 1:
            faults.append(f"R {r + 1}, F {f + 1} lies in {len(names)} rectangles: {names}")
    if faults:
        raise ValueError(f"The named grid has {len(faults)} faults: {'; '.join(faults[:5])}")


def _holds(grid: pd.DataFrame, r: int, f: int) -> NDArray[np.bool_]:
    """Return which rectangles hold a pair of scores."""
    held = grid["r_low"].le(r) & grid["r_high"].ge(r) & grid["f_low"].le(f) & grid["f_high"].ge(f)
    return held.to_numpy(dtype=bool)


def _names_by_score(grid: pd.DataFrame) -> NDArray[np.object_]:
    """Return the name of each pair of scores, recency score by recency score."""
    check_grid(grid)
    names = grid.index.to_numpy(dtype=object)
    pairs = np.ndindex(N_SCORES, N_SCORES)
    return np.asarray([names[_holds(grid, r + 1, f + 1)][0] for r, f in pairs], dtype=object)


def rfm_profiles(features: pd.DataFrame, scores: pd.DataFrame, *, min_cell: int = 1) -> pd.DataFrame:
    """
    Describe each named segment: how many, how much of the revenue, medians, and what one does with them.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer; ``spend`` (else ``frequency * monetary_value``) gives the revenue.
    scores : pandas.DataFrame
        As :meth:`RFMGrid.score` gives them, same index.
    min_cell : int
        Least number of customers a row is about; rows of fewer, and what would give them away, have no numbers.

    Returns
    -------
    pandas.DataFrame
        Index ``rfm_segment`` in the order of :func:`named_grid`, also those with nobody. Columns: ``customers``,
        ``share_of_customers``, ``share_of_revenue`` (NaN where revenue does not add up to more than zero), the medians of the three
        features and of ``m_score``, ``meaning``, ``action``.
    """
    grid = named_grid()
    names = scores.loc[features.index, "rfm_segment"].to_numpy()
    value = features["spend"] if "spend" in features.columns else features["frequency"] * features["monetary_value"]
    groups = features[list(RFM)].assign(m_score=scores["m_score"], value=value).groupby(names)
    table = pd.DataFrame({"customers": groups.size().reindex(grid.index, fill_value=0)}, index=grid.index)
    table["share_of_customers"] = table["customers"] / len(features)
    totals = groups["value"].sum().reindex(grid.index, fill_value=0.0)
    table["share_of_revenue"] = totals / totals.sum() if totals.sum() > 0 else np.nan
    table = table.join(groups[[*RFM, "m_score"]].median())
    return suppressed(table, min_cell=min_cell).join(grid[["meaning", "action"]])


def rfm_cells(scores: pd.DataFrame, *, min_cell: int = 1) -> pd.DataFrame:
    """
    Count the customers of each pair of scores, for a picture of the grid.

    Parameters
    ----------
    scores : pandas.DataFrame
        As :meth:`RFMGrid.score` gives them.
    min_cell : int
        Least number of customers a cell is about.

    Returns
    -------
    pandas.DataFrame
        25 rows: ``r_score``, ``f_score``, ``rfm_segment``, ``customers``, ``share_of_customers``, and ``segment_share``, that of
        the whole named segment (the same in all its rows, missing where :func:`rfm_profiles` hides it). All cells of a
        segment are missing where one of them is small, or the segment is: beside its total, nothing gives a hidden cell away.
    """
    pairs = pd.MultiIndex.from_product([range(1, N_SCORES + 1)] * 2, names=["r_score", "f_score"])
    counts = scores.groupby(["r_score", "f_score"]).size().reindex(pairs, fill_value=0)
    cells = counts.rename("customers").reset_index().assign(rfm_segment=_names_by_score(named_grid()))
    totals = cells.groupby("rfm_segment")["customers"].sum().reindex(named_grid().index)  # hidden as in rfm_profiles
    untold = totals.index[hidden_rows(totals, min_cell=min_cell)]
    hidden = set(untold) | set(cells.loc[small(cells["customers"], min_cell=min_cell), "rfm_segment"])
    cells["customers"] = cells["customers"].astype("Int64").mask(cells["rfm_segment"].isin(hidden))
    cells["share_of_customers"] = cells["customers"].astype("Float64").to_numpy(dtype=float, na_value=np.nan) / len(
        scores
    )
    cells["segment_share"] = cells["rfm_segment"].map((totals / len(scores)).drop(untold)).astype(float)
    columns = ["r_score", "f_score", "rfm_segment", "customers", "share_of_customers", "segment_share"]
    return cells[columns].astype({"rfm_segment": "str"})
