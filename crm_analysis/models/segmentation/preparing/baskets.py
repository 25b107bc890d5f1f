"""
Baskets: what share of their spend customers give to each category, and how far that can be trusted where little was bought.

How shares become points is in :mod:`crm_analysis.models.segmentation.preparing.composition`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError, listed
from crm_analysis.models.segmentation.preparing.straightening import Floats

_BINS = 10
_NOTHING = 1e-12


def checked_spend(spend: pd.DataFrame, lines: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """
    Return spend and purchase lines as numbers, or say everything that is wrong with them.

    Parameters
    ----------
    spend : pandas.DataFrame
        Index ``customer_id``, one row per customer, a column per category: money, not negative.
    lines : pandas.Series
        Purchase lines by ``customer_id``, for every customer of `spend`.

    Returns
    -------
    spend : pandas.DataFrame
        As floats, categories as text.
    lines : pandas.Series
        As floats, in the order of `spend`.

    Raises
    ------
    TooFewRecordsError
        There is no customer.
    ModelError
        There is no category.
    DataQualityError
        A customer or category stands there twice, lines are missing, or a value is missing, infinite, negative or no number.
    """
    if spend.empty and not len(spend):
        raise TooFewRecordsError("There are 0 customers with purchases. Use a longer history_days or another as_of.")
    if not spend.shape[1]:
        raise ModelError(
            f"The table of {len(spend)} customers has 0 categories. Map a category column under tables.transactions.columns."
        )
    named = spend.set_axis([str(name) for name in spend.columns], axis=1)
    faults = _repeated(named, lines)
    if not faults:
        lines = lines.reindex(named.index)
        faults = [fault for name in named.columns if (fault := _fault(named[name], f"category {name!r}"))]
        faults += [fault] if (fault := _fault(lines, "the number of lines")) else []
    if faults:
        raise DataQualityError(
            f"{len(faults)} faults in the spend of {len(spend)} customers by {spend.shape[1]} categories:\n{listed(faults)}\n"
            "Repair the table first.",
            faults=faults,
        )
    return named.astype(float), lines.astype(float)


def _repeated(spend: pd.DataFrame, lines: pd.Series) -> list[str]:
    """Return which keys stand there twice or not at all."""
    faults = []
    for keys, what in (
        (spend.index, "rows of spend repeat a customer_id"),
        (spend.columns, "columns repeat the name of a category"),
        (lines.index, "rows of lines repeat a customer_id"),
    ):
        if number := int(keys.duplicated().sum()):
            faults.append(f"{number} {what}; one of each is needed")
    if unknown := int((~spend.index.unique().isin(lines.index)).sum()):
        faults.append(f"{unknown} customers have no number of lines")
    return faults


def _fault(column: pd.Series, what: str) -> str | None:
    """Return what is wrong with a column, with counts."""
    if not pd.api.types.is_numeric_dtype(column):
        return f"{what} holds {column.dtype} where numbers are needed"
    values = column.to_numpy(dtype=float, na_value=np.nan)
    missing, infinite, negative = (int(bad.sum()) for bad in (np.isnan(values), np.isinf(values), values < 0))
    if missing or infinite or negative:
        return f"{what} has {missing} missing, {infinite} infinite and {negative} negative values"
    return None


def total_spend(spend: pd.DataFrame) -> Floats:
    """
    Return each customer's spend over all categories.

    Parameters
    ----------
    spend : pandas.DataFrame
        Money by customer and category.

    Returns
    -------
    numpy.ndarray
        Summed category by category, so that a customer's sum does not depend on the company.
    """
    total = np.zeros(len(spend))
    for name in spend.columns:
        total += spend[name].to_numpy(dtype=float)
    return total


def own_shares(spend: pd.DataFrame) -> pd.DataFrame:
    """
    Return what share of each customer's spend goes to each category.

    Parameters
    ----------
    spend : pandas.DataFrame
        Money by customer and category; every customer has some.

    Returns
    -------
    pandas.DataFrame
        Same shape; rows add up to 1.
    """
    return pd.DataFrame(spend.to_numpy(dtype=float) / total_spend(spend)[:, None], spend.index, spend.columns)


def shrunk_shares(shares: pd.DataFrame, lines: pd.Series, *, prior: Floats, prior_lines: float) -> pd.DataFrame:
    """
    Draw customers' shares towards those of all where little was bought.

    Parameters
    ----------
    shares : pandas.DataFrame
        A customer's own shares by category.
    lines : pandas.Series
        Purchase lines of each, same index.
    prior : numpy.ndarray
        All customers' shares, in the order of the columns.
    prior_lines : float
        Lines' worth of weight of `prior`; infinite: nothing but `prior` counts.

    Returns
    -------
    pandas.DataFrame
        ``z * own + (1 - z) * prior`` with ``z = lines / (lines + prior_lines)``.

    Examples
    --------
    >>> own = pd.DataFrame({"tea": [1.0, 1.0], "coffee": [0.0, 0.0]})
    >>> shrunk_shares(own, pd.Series([10.0, 90.0]), prior=np.array([0.5, 0.5]), prior_lines=10)["tea"].tolist()
    [0.75, 0.95]
    """
    counted = lines.to_numpy(dtype=float)
    own = (counted / (counted + prior_lines) if prior_lines > 0 else np.ones(len(counted)))[:, None]
    return pd.DataFrame(own * shares.to_numpy() + (1.0 - own) * prior, shares.index, shares.columns)


def basket_variation(shares: pd.DataFrame, lines: pd.Series, prior: Floats) -> tuple[float, float]:
    """
    Part the differences between baskets into what customers are and what chance adds.

    Parameters
    ----------
    shares : pandas.DataFrame
        Customers' own shares.
    lines : pandas.Series
        Purchase lines of each, at least 1.
    prior : numpy.ndarray
        Mean shares.

    Returns
    -------
    differ : float
        How much customers differ: 0 not at all, 1 as if each bought a single category.
    by_line : float
        What chance adds to a single line, in the same measure.

    Notes
    -----
    ``d = sum((own - prior)²) / (1 - sum(prior²))`` has the mean ``differ + by_line / lines``. Both are fitted, not negative, to the
    means of `d` in tenths of the customers by lines, each weighted by one over itself; prices and baskets that make lines alike are
    part of `by_line`. Where all have the same number of lines, ``by_line = 1 - differ``, as if lines were drawn one by one.

    References
    ----------
    Mosimann (1962), "On the compound multinomial distribution", for `d`.
    """
    spread = 1.0 - float((prior**2).sum())
    if spread <= _NOTHING:
        return 0.0, 0.0
    apart = ((shares.to_numpy() - prior) ** 2).sum(axis=1) / spread
    chance = 1.0 / lines.to_numpy(dtype=float)
    bins = pd.qcut(chance, _BINS, labels=False, duplicates="drop")
    means = pd.DataFrame({"apart": apart, "chance": chance}).groupby(np.nan_to_num(bins)).mean()
    means = means[means["apart"] > _NOTHING]
    if means.empty:
        return 0.0, 0.0
    if len(means) == 1:
        apart_mean, chance_mean = (float(value) for value in means.iloc[0])
        differ = max((apart_mean - chance_mean) / (1.0 - chance_mean), 0.0) if chance_mean < 1 else 0.0
        return differ, 1.0 - differ
    weighted = np.column_stack([np.ones(len(means)), means["chance"]]) / means["apart"].to_numpy()[:, None]
    (differ, by_line), _ = nnls(weighted, np.ones(len(means)))
    return float(differ), float(by_line)


def credible_lines(differ: float, by_line: float) -> float:
    """
    Return how many purchase lines all customers' shares are worth beside a customer's own.

    Parameters
    ----------
    differ, by_line : float
        From :func:`basket_variation`.

    Returns
    -------
    float
        ``by_line / differ``: 0 where all customers have the same shares; infinite where they differ no more than by chance.

    References
    ----------
    Bühlmann (1967), "Experience rating and credibility".

    Examples
    --------
    >>> credible_lines(0.05, 2.0)
    40.0
    """
    if differ > 0:
        return by_line / differ
    return float("inf") if by_line > 0 else 0.0
