"""
Scaling: raw features become points whose distances mean something.

What is grouped, and how many groups there are, belongs in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError, listed
from crm_analysis.models.segmentation.preparing.straightening import Floats, is_whole, log_unit, signed_log

RFM = ("recency_days", "frequency", "monetary_value")
_ROUNDING_NOISE = 1e-12


@dataclass(frozen=True)
class Scaling:
    """
    How each feature is turned into a coordinate, learned once and applied to any customer.

    Attributes
    ----------
    table : pandas.DataFrame
        Index: the features that vary. Columns: ``log_unit`` (NaN: the feature is taken as it is), ``centre`` and
        ``spread`` (mean and standard deviation after the logarithm).
    constant : tuple of str
        Features that are the same for every customer and so say nothing.
    """

    table: pd.DataFrame
    constant: tuple[str, ...]

    def apply(self, features: pd.DataFrame) -> pd.DataFrame:
        """
        Return the customers as points.

        Parameters
        ----------
        features : pandas.DataFrame
            One row per customer, with the features that were scaled.

        Returns
        -------
        pandas.DataFrame
            Same index; one coordinate per feature that varies, in standard deviations from the mean.
        """
        return pd.DataFrame(
            {name: self.column(name, features[name]) for name in self.table.index}, index=features.index
        )

    def column(self, name: str, values: pd.Series | Floats) -> Floats:
        """
        Return one feature's values as coordinates.

        Parameters
        ----------
        name : str
            The feature.
        values : pandas.Series or numpy.ndarray
            Raw values.

        Returns
        -------
        numpy.ndarray
            In standard deviations from the mean.
        """
        unit, centre, spread = (float(value) for value in self.table.loc[name].to_numpy(dtype=float))
        raw = np.asarray(values, dtype=float)
        straightened = raw if np.isnan(unit) else signed_log(raw, unit=unit)
        return np.asarray((straightened - centre) / spread, dtype=float)


def checked_features(features: pd.DataFrame, columns: Sequence[str] = RFM) -> pd.DataFrame:
    """
    Return the columns to group by as numbers, or say everything that is wrong with them.

    Parameters
    ----------
    features : pandas.DataFrame
        Index ``customer_id``, one row per customer.
    columns : sequence of str
        The features to group by.

    Returns
    -------
    pandas.DataFrame
        Those columns as floats.

    Raises
    ------
    ModelError
        A column is not there.
    TooFewRecordsError
        There is no customer.
    DataQualityError
        A customer stands there twice, or a value is missing, infinite or no number.
    """
    absent = [name for name in columns if name not in features.columns]
    if absent:
        raise ModelError(
            f"The feature table lacks {len(absent)} of {len(columns)} columns to group by: {absent[:5]}. "
            f"It has {list(features.columns)[:10]}."
        )
    if features.empty:
        raise TooFewRecordsError("There are 0 customers to group. Use a longer history_days or another as_of.")
    faults = [fault for name in columns if (fault := _fault(features[name]))]
    if repeated := int(features.index.duplicated().sum()):
        faults.insert(0, f"{repeated} rows repeat a customer_id; one row per customer is needed")
    if faults:
        raise DataQualityError(
            f"{len(faults)} faults in the table of {len(features)} customers:\n{listed(faults)}\nComplete these features, or group by others.",
            faults=faults,
        )
    return features.loc[:, list(columns)].astype(float)


def _fault(column: pd.Series) -> str | None:
    """Return what is wrong with a feature, with its count."""
    if not pd.api.types.is_numeric_dtype(column):
        return f"column {column.name!r} holds {column.dtype} where numbers are needed"
    values = column.to_numpy(dtype=float, na_value=np.nan)
    missing, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if missing or infinite:
        return f"column {column.name!r} has {missing} missing and {infinite} infinite values"
    return None


def fit_scaling(features: pd.DataFrame) -> Scaling:
    """
    Learn how to make features comparable.

    Parameters
    ----------
    features : pandas.DataFrame
        Finite numbers, one row per customer.

    Returns
    -------
    Scaling
        To be applied to these or other customers.

    Notes
    -----
    A feature goes through :func:`~crm_analysis.models.segmentation.preparing.straightening.signed_log` where that describes it better, see
    :func:`~crm_analysis.models.segmentation.preparing.straightening.log_unit`; then it is centred and divided by its standard deviation.
    """
    rows, constant = {}, []
    for name in features.columns:
        values = features[name].to_numpy(dtype=float)
        if np.ptp(values) <= _ROUNDING_NOISE * np.abs(values).max():
            constant.append(str(name))
            continue
        unit = log_unit(values)
        straightened = values if np.isnan(unit) else signed_log(values, unit=unit)
        rows[name] = {"log_unit": unit, "centre": straightened.mean(), "spread": straightened.std()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["log_unit", "centre", "spread"], dtype=float)
    return Scaling(table, tuple(constant))


def spread_whole_numbers(features: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """
    Spread whole numbers evenly over the unit around them.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.
    seed : int
        Start of the random numbers.

    Returns
    -------
    pandas.DataFrame
        Same shape: a count of 2 becomes a number between 1.5 and 2.5; features with fractions stay as they are.

    Notes
    -----
    Counts put customers on planes with nothing between them, one purchase here and two there, which a search for dense groups
    would take for separate groups.
    """
    rng = np.random.default_rng(seed)
    spread = features.astype(float)
    for name in features.columns:
        if is_whole(features[name]):
            spread[name] += rng.uniform(-0.5, 0.5, len(features))
    return spread


def canonical_order(features: pd.DataFrame) -> NDArray[np.intp]:
    """
    Return positions that sort customers by their values alone.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.

    Returns
    -------
    numpy.ndarray
        Positions; whatever is drawn at random after this order depends neither on names nor on the order of rows.
    """
    order = np.arange(len(features))
    block = np.zeros(len(features), dtype=np.intp)  # the place at which those begin who are alike so far
    for name in features.columns:
        tied = np.flatnonzero(np.bincount(block, minlength=1)[block] > 1)
        if not len(tied):
            break
        values = features[name].to_numpy(dtype=float)[order[tied]]
        within = np.lexsort((values, block[tied]))
        order[tied], ordered = order[tied][within], values[within]
        begins = np.concatenate([[True], (ordered[1:] != ordered[:-1]) | (block[tied][1:] != block[tied][:-1])])
        block[tied] = tied[np.maximum.accumulate(np.where(begins, np.arange(len(tied)), 0))]
    return order
