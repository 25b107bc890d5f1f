"""
Support vector regression whose time grows with the rows, not with their square: a kernel seen from landmarks.

Which regression a forecast uses, and with which settings, belongs in :mod:`crm_analysis.models.forecasting.choice`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dgemm, dgemv, dsyrk, dtrmm
from scipy.linalg.lapack import dpstrf, dtrtri
from scipy.optimize import brentq
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from crm_analysis.errors import ModelError

Floats = npt.NDArray[np.float64]
# Over rows that pull: products of their features (lower triangle), the features, and the features times the aims.
_Sums = tuple[Floats, Floats, Floats]

_LEAST_PIVOT = 1e-12  # a landmark whose kernel function the others hold but for this much of it adds only rounding
_ROWS_A_LANDMARK = 2  # fewer say too little of where the minimum over all rows lies
_MAX_PARTS = 8
_SETTLED = 1e-7  # of the target's standard deviation

# Matrix products go through scipy's BLAS: numpy brings its own, and two pools of threads wait on each other. One thread,
# since a second gains little here, and on a busy machine threads that wait make a fit five times slower.


class LandmarkSVR(RegressorMixin, BaseEstimator):
    """
    Support vector regression with a Gaussian kernel, its solution sought among functions of landmarks.

    Parameters
    ----------
    n_landmarks : int
        Rows drawn as landmarks, at most; time grows with its square.
    C : float
        Weight of the loss against the smoothness of the function; > 0.
    gamma : float
        Of the kernel ``exp(-gamma * ||x - z||²)``, over the squared unit of the features; > 0.
    epsilon : float
        Half the width of the tube in which errors cost nothing, in the target's unit; >= 0.
    block_rows : int
        Rows whose kernel with the landmarks is in memory at once.
    max_iter : int
        Newton steps at most; some five are usual.
    random_state : int
        Start of the draw of landmarks.

    Attributes
    ----------
    landmarks_ : numpy.ndarray of float, shape (n_kept, n_features)
        Those drawn, less those that rounding cannot tell from the others.
    coef_ : numpy.ndarray of float, shape (n_kept,)
        Of the kernel with each landmark.
    intercept_ : float
        Not penalised.
    objective_ : float
        What was minimised, at the solution.
    n_iter_ : int
        Newton steps over all rows.

    Notes
    -----
    Minimised is ``||f||² / 2 + C * sum(max(|y - f(x) - b| - epsilon, 0)²)`` over functions ``f`` spanned by the landmarks'
    kernels (Nystroem): the squared loss of Ho and Lin, where :class:`sklearn.svm.SVR` has the plain one, so that equal
    settings give similar, not equal, fits. With every distinct row a landmark the solution is the exact one.

    In coordinates whitened by the pivoted Cholesky factor of the landmarks' own kernel the objective is quadratic as long as
    no row crosses the edge of the tube. A Newton step solves one system whose matrix is summed, block by block, over the
    rows outside; from step to step only rows that crossed are added or taken away. Each step goes to the minimum along its
    direction. The solution is exact once no row crosses, and has settled once no fitted value moves by more than a ten
    millionth of the target's standard deviation. The start is ridge regression, on a part of the rows where they are many.

    Rows are sorted by content and landmarks drawn from the distinct ones: their order does not matter. Features should be
    standardised. Shifting them, or multiplying target and ``epsilon`` by a factor, changes fitted values by that factor only.

    References
    ----------
    Williams, Seeger (2001), "Using the Nyström method to speed up kernel machines", for the landmarks.
    Ho, Lin (2012), "Large-scale linear support vector regression", JMLR 13, for the loss.
    Mangasarian (2002), "A finite Newton method for classification", for steps that end.
    Rudi, Carratino, Rosasco (2017), "FALKON: an optimal large scale kernel method", for why few landmarks suffice.

    Examples
    --------
    >>> x = np.linspace(0, 6, 200)[:, None]
    >>> fitted = LandmarkSVR(n_landmarks=20, C=10.0, gamma=1.0, epsilon=0.01).fit(x, np.sin(x[:, 0]))
    >>> fitted.predict([[np.pi / 2], [np.pi]]).round(1) + 0.0
    array([1., 0.])
    """

    def __init__(
        self,
        n_landmarks: int = 1000,
        *,
        C: float = 1.0,
        gamma: float = 0.01,
        epsilon: float = 0.1,
        block_rows: int = 2048,
        max_iter: int = 100,
        random_state: int = 0,
    ) -> None:
        self.n_landmarks = n_landmarks
        self.C = C
        self.gamma = gamma
        self.epsilon = epsilon
        self.block_rows = block_rows
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """
        Draw landmarks and find the function.

        Parameters
        ----------
        X : array-like of float, shape (n_rows, n_features)
            Features, standardised.
        y : array-like of float, shape (n_rows,)
            The target.

        Returns
        -------
        LandmarkSVR
            Itself.

        Raises
        ------
        ModelError
            The fit has not settled after ``max_iter`` steps.
        """
        self._check_parameters()
        rows, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        with threadpool_limits(limits=1):
            return self._fit(*_sorted_by_content(rows, np.asarray(target, dtype=float)))

    def predict(self, X: npt.ArrayLike) -> Floats:
        """
        Return the function's values.

        Parameters
        ----------
        X : array-like of float, shape (n_rows, n_features)
            Features, on the scale of the fit.

        Returns
        -------
        numpy.ndarray of float, shape (n_rows,)
            In the target's unit.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        with threadpool_limits(limits=1):
            values = _values(rows, self.landmarks_, self.coef_, gamma=self.gamma, block_rows=self.block_rows)
        return values + self.intercept_

    def _fit(self, rows: Floats, target: Floats) -> Self:
        """Fit to sorted rows."""
        drawn = _drawn(rows, self.n_landmarks, seed=self.random_state)
        basis = _basis(drawn, gamma=self.gamma, block_rows=self.block_rows)
        limits = _Limits(self.C, self.epsilon, reach=_SETTLED * float(target.std()), max_iter=self.max_iter)
        if np.ptp(target) <= 2 * self.epsilon:  # a constant holds all rows within the tube
            constant = float(target.min() + target.max()) / 2
            found, self.n_iter_ = _Point(np.zeros(len(basis.landmarks)), constant, constant - target), 0
        else:
            found, self.n_iter_ = _minimum(basis, rows, target, limits)
        self.landmarks_ = basis.landmarks
        self.coef_ = basis.coefficients(found.weights)
        self.intercept_, self.objective_ = found.intercept, found.objective(limits)
        return self

    def _check_parameters(self) -> None:
        """Raise for settings with which nothing can be fitted."""
        for name, least in {"n_landmarks": 1, "block_rows": 1, "max_iter": 1, "epsilon": 0}.items():
            if not least <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)!r}")
        for name in ("C", "gamma"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be a positive number, got {getattr(self, name)!r}")


@dataclass(frozen=True)
class _Basis:
    """Landmarks, and the inverse of the lower factor of their own kernel, which whitens the coordinates of functions."""

    landmarks: Floats
    whitener: Floats
    gamma: float
    block_rows: int

    def features(self, rows: Floats) -> Floats:
        """Return the whitened coordinates of rows, a column each."""
        kernel = _kernel(rows, self.landmarks, gamma=self.gamma)
        return np.asarray(dtrmm(1.0, self.whitener, kernel, lower=1, overwrite_b=1))

    def coefficients(self, weights: Floats) -> Floats:
        """Return the coefficients of the landmarks' kernels."""
        return np.asarray(self.whitener.T @ weights)

    def values(self, rows: Floats, weights: Floats) -> Floats:
        """Return a function's values at rows."""
        return _values(rows, self.landmarks, self.coefficients(weights), gamma=self.gamma, block_rows=self.block_rows)


@dataclass(frozen=True)
class _Limits:
    """Weight of the loss, half the tube's width, the largest move of a settled fit, and how many steps are taken."""

    cost: float
    epsilon: float
    reach: float
    max_iter: int


@dataclass(frozen=True)
class _Point:
    """A function in whitened coordinates with its intercept, and its errors (value less target) at all rows."""

    weights: Floats
    intercept: float
    errors: Floats

    def moved(self, direction: _Point, length: float) -> _Point:
        """Return the point so far along a direction."""
        return _Point(
            self.weights + length * direction.weights,
            self.intercept + length * direction.intercept,
            self.errors + length * direction.errors,
        )

    def objective(self, limits: _Limits) -> float:
        """Return what is minimised."""
        return float((self.weights**2).sum() / 2 + limits.cost * (_excess(self.errors, limits.epsilon) ** 2).sum())


@dataclass(frozen=True)
class _Pull:
    """Which rows pull at the function (1, else 0), and towards what; 0 where they do not."""

    active: Floats
    aims: Floats

    def less(self, other: _Pull) -> _Pull:
        """Return what is new against another one."""
        return _Pull(self.active - other.active, self.aims - other.aims)

    def counts(self) -> npt.NDArray[np.bool_]:
        """Return which rows have any part in the sums."""
        return np.asarray((self.active != 0) | (self.aims != 0))


def _minimum(basis: _Basis, rows: Floats, target: Floats, limits: _Limits) -> tuple[_Point, int]:
    """Return the minimum and the number of steps that led to it."""
    point = _start(basis, rows, target, limits)
    pull = _pull(point, target, limits)
    sums = _sums(basis, rows, pull)
    for n_steps in range(1, limits.max_iter + 1):
        direction = _newton_direction(basis, rows, point, pull, sums, limits)
        length = _length(point, direction, limits)
        point = point.moved(direction, length)
        new = _pull(point, target, limits)
        crossed = new.less(pull).counts().sum()
        if crossed == 0 or length * float(np.abs(direction.errors).max()) <= limits.reach:
            return point, n_steps
        few = crossed < new.counts().sum()
        sums = _plus(sums, _sums(basis, rows, new.less(pull))) if few else _sums(basis, rows, new)
        pull = new
    raise ModelError(
        f"The support vector regression has not settled after {limits.max_iter} steps on {len(rows)} rows "
        f"(C={limits.cost:g}, epsilon={limits.epsilon:g}). Standardise the features, lower C, or raise max_iter."
    )


def _start(basis: _Basis, rows: Floats, target: Floats, limits: _Limits) -> _Point:
    """Return a function to start from: ridge regression, on every so many rows where they are many."""
    parts = int(np.clip(len(rows) // (_ROWS_A_LANDMARK * len(basis.landmarks)), 1, _MAX_PARTS))
    pull = _Pull(np.ones_like(target[::parts]), target[::parts])
    weights, intercept = _solution(pull, _sums(basis, rows[::parts], pull), replace(limits, cost=parts * limits.cost))
    return _Point(weights, intercept, basis.values(rows, weights) + intercept - target)


def _newton_direction(basis: _Basis, rows: Floats, point: _Point, pull: _Pull, sums: _Sums, limits: _Limits) -> _Point:
    """Return the way to the minimum that would hold if no row crossed the tube; where none pulls, towards no function."""
    nothing = np.zeros_like(point.weights), point.intercept
    weights, intercept = _solution(pull, sums, limits) if pull.active.any() else nothing
    weights, intercept = weights - point.weights, intercept - point.intercept
    return _Point(weights, intercept, basis.values(rows, weights) + intercept)


def _solution(pull: _Pull, sums: _Sums, limits: _Limits) -> tuple[Floats, float]:
    """Return the weights and the intercept that come nearest to the aims; the intercept falls out by centring."""
    n_active, aim = float(pull.active.sum()), float(pull.aims.sum() / pull.active.sum())
    (products, totals, aimed), centre = sums, sums[1] / n_active
    matrix = products - np.outer(totals, centre)
    matrix[np.diag_indices_from(matrix)] += 1 / (2 * limits.cost)
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    weights = np.asarray(cho_solve(factor, aimed - totals * aim, check_finite=False))
    return weights, aim - float(centre @ weights)


def _length(point: _Point, direction: _Point, limits: _Limits) -> float:
    """Return how far the minimum along a direction is; 0 where rounding leaves no way down."""

    def slope(length: float) -> float:
        there = point.moved(direction, length)
        loss = float((_excess(there.errors, limits.epsilon) * direction.errors).sum())
        return float((there.weights * direction.weights).sum()) + 2 * limits.cost * loss

    if slope(0.0) >= 0:
        return 0.0
    far = 1.0
    while slope(far) < 0:
        far *= 2
    return float(brentq(slope, 0.0, far, xtol=1e-12, rtol=1e-12))


def _pull(point: _Point, target: Floats, limits: _Limits) -> _Pull:
    """Return which rows lie outside the tube; they pull towards its nearer edge around their target."""
    active = (np.abs(point.errors) > limits.epsilon).astype(float)
    return _Pull(active, active * (target + np.sign(point.errors) * limits.epsilon))


def _sums(basis: _Basis, rows: Floats, pull: _Pull) -> _Sums:
    """Sum over the rows that pull, block by block; those that pull less than before (-1) are taken away."""
    totals, aimed = np.zeros((2, len(basis.landmarks)))
    products = np.zeros(basis.whitener.shape, order="F")
    for sign in (1.0, -1.0, 0.0):
        chosen = np.flatnonzero((pull.active == sign) & pull.counts())
        for block in _blocks(len(chosen), basis.block_rows):
            features = basis.features(rows[chosen[block]])
            if sign:
                products = dsyrk(sign, features, beta=1.0, c=products, lower=1, overwrite_c=1)
            totals += sign * features.sum(axis=1)
            aimed += dgemv(1.0, features, pull.aims[chosen[block]])
    return products, totals, aimed


def _plus(sums: _Sums, more: _Sums) -> _Sums:
    return sums[0] + more[0], sums[1] + more[1], sums[2] + more[2]


def _excess(errors: Floats, epsilon: float) -> Floats:
    """Return by how much errors leave the tube, with their sign."""
    return np.asarray(errors - np.clip(errors, -epsilon, epsilon))


def _basis(drawn: Floats, *, gamma: float, block_rows: int) -> _Basis:
    """Return the basis of drawn landmarks, less those that rounding cannot tell from the others."""
    factor, order, rank, _ = dpstrf(_kernel(drawn, drawn, gamma=gamma), tol=_LEAST_PIVOT, lower=1)
    kept = drawn[order[:rank] - 1]
    whitener, _ = dtrtri(np.tril(factor[:rank, :rank]), lower=1)
    return _Basis(kept, whitener, gamma, block_rows)


def _kernel(rows: Floats, landmarks: Floats, *, gamma: float) -> Floats:
    """Return the Gaussian kernel, a column a row, its exponent as one matrix product."""
    centre = landmarks.mean(axis=0)  # far from zero the squares would cancel
    rows, landmarks = rows - centre, landmarks - centre
    ours = np.column_stack([2 * gamma * rows, -gamma * (rows**2).sum(axis=1), np.ones(len(rows))])
    theirs = np.column_stack([landmarks, np.ones(len(landmarks)), -gamma * (landmarks**2).sum(axis=1)])
    exponent = dgemm(1.0, theirs, ours, trans_b=1)
    return np.asarray(np.exp(np.minimum(exponent, 0.0, out=exponent), out=exponent))


def _values(rows: Floats, landmarks: Floats, coefficients: Floats, *, gamma: float, block_rows: int) -> Floats:
    """Return a function's values at rows."""
    values = np.empty(len(rows))
    for block in _blocks(len(rows), block_rows):
        values[block] = dgemv(1.0, _kernel(rows[block], landmarks, gamma=gamma), coefficients, trans=1)
    return values


def _sorted_by_content(rows: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return rows and target in an order that does not depend on the one they came in."""
    order = np.lexsort((target, *rows.T[::-1]))
    return rows[order] + 0.0, target[order]  # -0.0 sorts as 0.0 and becomes it


def _drawn(rows: Floats, n_landmarks: int, *, seed: int) -> Floats:
    """Draw landmarks among the distinct ones of sorted rows."""
    is_new = np.ones(len(rows), dtype=bool)
    is_new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    distinct = rows[is_new]
    chosen = np.random.default_rng(seed).choice(len(distinct), min(n_landmarks, len(distinct)), replace=False)
    return distinct[np.sort(chosen)]


def _blocks(n_rows: int, block_rows: int) -> list[slice]:
    """Return slices that cover the rows."""
    return [slice(first, first + block_rows) for first in range(0, n_rows, block_rows)]
