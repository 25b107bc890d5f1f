"""
Shares of an outcome made comparable: what would be expected of the same cases at each level of something that can be changed.

Doubly robust (AIPW): right if either the model of who gets which level or the model of the outcome is right, and everything that
bears on both is among the attributes adjusted for. What is adjusted for, and what is said of it, belongs in
:mod:`crm_analysis.models.service_quality.explanation.effects`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm_analysis.models.explaining.dependence import content_codes

N_FOLDS = 5
LEAST_PROPENSITY = 0.01
MOST_WITHOUT_OVERLAP = 0.05  # of the cases: beyond that the standardised share would rest on the model alone
LEAST_SUPPORT = 20.0  # cases, by Kish's effective size, that a figure rests on
MIN_CASES_PER_COLUMN = 20
MAX_COLUMNS = 30
MAX_VALUES_AS_LEVELS = 8  # numbers with few values, such as weekdays, need no straight line
SHRINKING_OF_INTERACTIONS = 0.3  # their columns are made this much smaller, so that the penalty weighs more on them
MAX_PRODUCTS = 40  # columns that may go with the outcome in another way at each level: those that vary most
_MANY = 250  # coefficients: beyond that Newton's steps cost more than they save
_EXPECTED = 7.0  # cases of one kind at a level, by its share in all: if none came, such cases do not get it

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """
    A figure with what it rests on.

    Attributes
    ----------
    value : float
        The figure.
    influence : numpy.ndarray of float, shape (n_cases,)
        What each case adds to its error, with mean 0.
    support : float
        Kish's effective number of cases at the level whose outcomes speak for the others.
    has_overlap : bool
        Whether the cases spoken for could have had the level, and the support is at least 20.
    """

    value: float
    influence: Floats
    support: float
    has_overlap: bool

    def less(self, other: Estimate) -> Estimate:
        """
        Return the difference to another figure of the same cases.

        Parameters
        ----------
        other : Estimate
            What is taken away.

        Returns
        -------
        Estimate
            The lesser support of both.
        """
        return Estimate(
            self.value - other.value,
            self.influence - other.influence,
            min(self.support, other.support),
            self.has_overlap and other.has_overlap,
        )


@dataclass(frozen=True)
class Nuisances:
    """
    What was learnt of other customers' cases about each case.

    Attributes
    ----------
    level : numpy.ndarray of int, shape (n_cases,)
        The level that a case has.
    outcome : numpy.ndarray of float, shape (n_cases,)
        0 or 1.
    propensity : numpy.ndarray of float, shape (n_cases, n_levels)
        Chance of each level for a case of this kind; 0 where cases of its kind never have it.
    expected : numpy.ndarray of float, shape (n_cases, n_levels)
        Chance of the outcome at each level for a case of this kind.
    """

    level: Whole
    outcome: Floats
    propensity: Floats
    expected: Floats


def case_mix(cases: pd.DataFrame, attributes: Sequence[str]) -> Floats:
    """
    Return attributes as columns of numbers for regressions.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case.
    attributes : sequence of str
        Columns of levels, numbers or times.

    Returns
    -------
    numpy.ndarray of float, shape (n_cases, n_columns)
        A column a level (with at least 20 cases, the 30 commonest; all others are the reference), for numbers with up to eight
        values a column a value, else the centred rank, its square, and whether it is missing. Ranks make units and currencies
        irrelevant and bound outliers.

    Examples
    --------
    >>> cases = pd.DataFrame({"team": ["a", "b"] * 20, "load": np.arange(40)})
    >>> case_mix(cases, ["team", "load"]).shape
    (40, 3)
    """
    blocks = [_block(cases[name]) for name in attributes]
    return np.column_stack([np.zeros((len(cases), 0)), *blocks])


def customer_folds(cases: pd.DataFrame, *, seed: int, n_folds: int = N_FOLDS) -> Whole:
    """
    Return a fold for each case, the same for all cases of a customer.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case, with ``customer_id``, in an order that does not depend on names.
    seed : int
        Start of everything random.
    n_folds : int
        How many.

    Returns
    -------
    numpy.ndarray of int
        From 0; folds have about equal numbers of customers.
    """
    owner, customers = pd.factorize(cases["customer_id"])
    folds = np.random.default_rng(seed).permutation(np.arange(len(customers)) % n_folds)
    return np.asarray(folds[owner], dtype=np.intp)


def in_own_order(cases: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """
    Return cases in the order of what they hold, whatever their order or their customers' names were.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case.
    columns : sequence of str
        What the order goes by.

    Returns
    -------
    pandas.DataFrame
        The same rows.
    """
    keys = [content_codes(cases[name]) for name in reversed(columns)]
    return cases.iloc[np.lexsort(keys)].reset_index(drop=True) if keys else cases.reset_index(drop=True)


def nuisances(mix: Floats, level: Whole, outcome: Floats, folds: Whole) -> Nuisances:
    """
    Learn from other customers' cases who gets which level, and what comes of it.

    Parameters
    ----------
    mix : numpy.ndarray of float, shape (n_cases, n_columns)
        As :func:`case_mix` returns it.
    level : numpy.ndarray of int, shape (n_cases,)
        From 0 without gaps.
    outcome : numpy.ndarray of float, shape (n_cases,)
        0 or 1.
    folds : numpy.ndarray of int, shape (n_cases,)
        As :func:`customer_folds` returns them.

    Returns
    -------
    Nuisances
        Multinomial logistic regression of the level; logistic regression of the outcome on level, attributes, and their
        products, which are shrunk more.
    """
    n_levels = int(level.max()) + 1
    propensity, expected = (np.zeros((len(level), n_levels)) for _ in range(2))
    with threadpool_limits(limits=1):  # small fits: threads would spend their time waiting for each other
        for fold in np.unique(folds):
            inside = folds == fold
            learnt = (mix[~inside], level[~inside], outcome[~inside])
            propensity[inside] = _propensity(*learnt[:2], mix[inside], n_levels)
            expected[inside] = _expected(*learnt, mix[inside], n_levels)
    propensity[_never(mix, level, n_levels)] = 0.0
    return Nuisances(level, outcome, propensity, expected)


def standardised_share(fit: Nuisances, level: int) -> Estimate:
    """
    Return the share of the outcome if all cases were handled like those of one level.

    Parameters
    ----------
    fit : Nuisances
        What was learnt.
    level : int
        Which level.

    Returns
    -------
    Estimate
        Adjusted for case mix; weights of the correction add up to one (Hájek).

    References
    ----------
    Robins, Rotnitzky, Zhao (1994), JASA 89(427); Chernozhukov et al. (2018), "Double/debiased machine learning",
    Econometrics Journal 21(1).
    """
    weight = (fit.level == level) / np.maximum(fit.propensity[:, level], LEAST_PROPENSITY)
    return _corrected(fit, level, np.ones(len(weight)), weight)


def moved_share(fit: Nuisances, level: int, *, like: int) -> Estimate:
    """
    Return how the share of the outcome among the cases of one level would differ if they were handled like those of another.

    Parameters
    ----------
    fit : Nuisances
        What was learnt.
    level : int
        Whose cases.
    like : int
        Like whose cases.

    Returns
    -------
    Estimate
        Difference to these cases' present share, adjusted for case mix; negative: fewer.
    """
    own = (fit.level == level).astype(float)
    odds = fit.propensity[:, level] / np.maximum(fit.propensity[:, like], LEAST_PROPENSITY)
    moved = _corrected(fit, like, own, (fit.level == like) * odds)
    return moved.less(share_now(fit, own))


def share_now(fit: Nuisances, among: Floats | None = None) -> Estimate:
    """
    Return the share of the outcome as it is.

    Parameters
    ----------
    fit : Nuisances
        For the outcome.
    among : numpy.ndarray of float, optional
        1 for the cases it is asked about, 0 for others; default: all.

    Returns
    -------
    Estimate
        A plain mean.
    """
    weight = np.ones(len(fit.outcome)) if among is None else among / among.mean()
    share = float((weight * fit.outcome).mean())
    return Estimate(share, weight * (fit.outcome - share), float((weight > 0).sum()), has_overlap=True)


def _corrected(fit: Nuisances, level: int, target: Floats, weight: Floats) -> Estimate:
    """Mean expectation over the target's cases, corrected by what the level's own cases, so weighted, turned out to be."""
    expected, residual = fit.expected[:, level], fit.outcome - fit.expected[:, level]
    without = (fit.propensity[:, level] < LEAST_PROPENSITY) & (target > 0)
    if not weight.any():
        return Estimate(float("nan"), np.full(len(weight), np.nan), 0.0, has_overlap=False)
    support = float(weight.sum() ** 2 / (weight**2).sum())
    part, weight = target / target.mean(), weight / weight.mean()
    mean, correction = float((part * expected).mean()), float((weight * residual).mean())
    leverage = (
        weight / weight.sum()
    )  # a case that weighs much pulls the correction to itself: its residual is too small (HC3)
    influence = part * (expected - mean) + weight * (residual - correction) / np.maximum(1 - leverage, LEAST_PROPENSITY)
    influence = influence - influence.mean()
    has_overlap = bool(without.sum() <= MOST_WITHOUT_OVERLAP * target.sum() and support >= LEAST_SUPPORT)
    return Estimate(mean + correction, influence, support, has_overlap)


def _block(values: pd.Series) -> Floats:
    """Columns of one attribute."""
    is_number = pd.api.types.is_numeric_dtype(values) or values.dtype.kind in "mM"
    if not is_number or values.nunique() <= MAX_VALUES_AS_LEVELS:
        return _indicators(values)
    is_time = values.dtype.kind in "mM"
    numbers = values if is_time else pd.Series(values.to_numpy(dtype=float, na_value=np.nan))
    place = numbers.rank(pct=True).to_numpy() - 0.5
    missing = np.isnan(place)
    place = np.where(missing, 0.0, place)
    square = np.where(missing, 0.0, place**2 - 1 / 12)
    columns = np.column_stack([2 * place, 6 * square, missing])
    return columns if missing.any() else columns[:, :2]


def _indicators(values: pd.Series) -> Floats:
    """A column a common level, in the order of names; a missing one is a level, too."""
    texts = values.astype("str").fillna("")
    counts = texts.value_counts().rename_axis("level").reset_index(name="n")
    counts = counts.sort_values(["n", "level"], ascending=[False, True])
    common = counts.loc[counts["n"] >= MIN_CASES_PER_COLUMN, "level"].head(MAX_COLUMNS)
    if len(common) == len(counts):
        common = common.iloc[1:]  # the commonest is the reference
    ordered = sorted(common)
    return np.column_stack([np.zeros((len(texts), 0)), *((texts == level).to_numpy(dtype=float) for level in ordered)])


def _propensity(mix: Floats, level: Whole, asked: Floats, n_levels: int) -> Floats:
    """Chance of each level."""
    found = np.zeros((len(asked), n_levels))
    classes = np.unique(level)
    if len(classes) == 1 or not mix.shape[1]:
        found[:] = np.bincount(level, minlength=n_levels) / len(level)
        return found
    model = _logistic(mix, level, n_coefficients=len(classes) * mix.shape[1])
    found[:, model.classes_] = model.predict_proba(asked)
    return found


def _expected(mix: Floats, level: Whole, outcome: Floats, asked: Floats, n_levels: int) -> Floats:
    """Chance of the outcome at each level."""
    if outcome.min() == outcome.max():
        return np.full((len(asked), n_levels), outcome.mean())
    own, varied = np.eye(n_levels)[level], np.sort(np.argsort(-mix.var(axis=0), kind="stable")[:MAX_PRODUCTS])
    products = [SHRINKING_OF_INTERACTIONS * mix[:, varied] * own[:, [at]] for at in range(n_levels)]
    columns = np.column_stack([own, mix, *products])
    model = _logistic(columns, outcome, n_coefficients=columns.shape[1])
    ends = n_levels + mix.shape[1] + len(varied) * np.arange(n_levels)
    of_level, of_mix, *of_products = np.split(model.coef_[0], [n_levels, *ends])
    slopes = np.repeat(of_mix[:, None], n_levels, axis=1)
    slopes[varied] += SHRINKING_OF_INTERACTIONS * np.column_stack(of_products)
    return np.asarray(expit(model.intercept_[0] + of_level + asked @ slopes))


def _logistic(columns: Floats, target: npt.NDArray[Any], *, n_coefficients: int) -> LogisticRegression:
    """A fitted logistic regression with a slight ridge penalty."""
    is_small = n_coefficients <= _MANY
    solver, tolerance = ("newton-cholesky", 1e-4) if is_small else ("lbfgs", 1e-5)
    return LogisticRegression(solver=solver, tol=tolerance, max_iter=5000).fit(columns, target)


def _never(mix: Floats, level: Whole, n_levels: int) -> Flags:
    """Which cases (rows) are of a kind that never has a level (columns)."""
    kinds = mix[:, np.isin(mix, (0.0, 1.0)).all(axis=0)]
    own = np.eye(n_levels)[level]
    never = np.zeros(own.shape, dtype=bool)
    for members in (kinds == 1, kinds == 0):
        counts = members.astype(float).T @ own
        absent = (counts == 0) & (members.sum(axis=0)[:, None] * own.mean(axis=0) >= _EXPECTED)
        never |= members.astype(float) @ absent.astype(float) > 0
    return never
