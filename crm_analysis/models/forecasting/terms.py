"""
Features of customers as terms that a regression can carry from one origin to the next.

The regressions belong in :mod:`crm_analysis.models.forecasting.estimators`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from crm_analysis.models.forecasting.expectations import ACTIVE, RHYTHM

Floats = npt.NDArray[np.float64]

FEATURES = (
    "recency_days",
    "frequency",
    "spend",
    "monetary_value",
    "tenure_days",
    "observed_days",
    "recent_spend",
    "recent_frequency",
)
FEATURE_GROUPS: Mapping[str, tuple[str, ...]] = {  # what hangs together, for explanations
    "how often and how much over the history": ("frequency", "repeat_purchases", "spend"),
    "how often and how much lately": ("recent_frequency", "recent_spend"),
    "how much a purchase day": ("monetary_value",),
    "days since the last purchase": ("recency_days",),
    "how long a customer": ("tenure_days", "observed_days"),
}
ROOT, LOGARITHM = "root", "logarithm"
_LEAST = 1e-9  # purchases expected of customers who are as good as gone


class PurchaseTerms(TransformerMixin, BaseEstimator):
    """
    Turn features into terms: square roots or logarithms of rates, amounts and times.

    Parameters
    ----------
    scale : str
        ``root`` or ``logarithm``.
    training_days : int
        Days ahead at the training origins.

    Notes
    -----
    Rates and amounts are skewed; either scale tames them. Effects on roots add up near proportionally, which suits customers who
    buy often; logarithms, in a regression with a logarithmic link, multiply, which suits rare purchases. A change of currency is
    one factor of a root, which standardising removes; for logarithms money is measured in the median spend a purchase day of the
    fit, and half of it, or a part of the training's days, is added, so that none and little lie close. Totals of the history
    enter a day observed, because histories grow between origins. Terms are held within the range seen in the fit: a polynomial
    must not run away beyond it.
    """

    def __init__(self, scale: str = ROOT, *, training_days: int = 90) -> None:
        self.scale = scale
        self.training_days = training_days

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """
        Learn the unit of money and the range of each term.

        Parameters
        ----------
        X : pandas.DataFrame
            Features with what models of repeat buying expect.
        y : array-like, optional
            Not used.

        Returns
        -------
        PurchaseTerms
            Itself.
        """
        if self.scale not in (ROOT, LOGARITHM):
            raise ValueError(f"scale must be {ROOT!r} or {LOGARITHM!r}, got {self.scale!r}")
        values = X["monetary_value"].to_numpy(dtype=float)
        self.money_ = float(np.median(values[values > 0])) if (values > 0).any() else 1.0
        terms = self._terms(X)
        self.lowest_, self.highest_ = terms.min(axis=0), terms.max(axis=0)
        return self

    def transform(self, X: pd.DataFrame) -> Floats:
        """
        Return the terms, within the range learnt.

        Parameters
        ----------
        X : pandas.DataFrame
            Features with what models of repeat buying expect.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers, n_terms)
            Not yet standardised.
        """
        check_is_fitted(self)
        terms: Floats = np.clip(self._terms(X), self.lowest_, self.highest_)
        return terms

    def _terms(self, X: pd.DataFrame) -> Floats:
        value = {name: X[name].to_numpy(dtype=float) for name in (*FEATURES, RHYTHM, ACTIVE)}
        terms = self._roots(value) if self.scale == ROOT else self._logarithms(value)
        return np.column_stack([*terms, (value["recency_days"] + 1) / (value["tenure_days"] + 1), value[ACTIVE]])

    def _roots(self, value: Mapping[str, Floats]) -> list[Floats]:
        return [
            _signed_root(value["spend"] / value["observed_days"]),
            _signed_root(value["frequency"] / value["observed_days"]),
            _signed_root(value["recent_spend"]),
            _signed_root(value["recent_frequency"]),
            _signed_root(value["monetary_value"]),
            _signed_root(value[RHYTHM]),
            np.log1p(value["recency_days"]),
        ]

    def _logarithms(self, value: Mapping[str, Floats]) -> list[Floats]:
        spend, recent_spend, a_purchase = (
            np.maximum(value[name], 0.0) / self.money_ for name in ("spend", "recent_spend", "monetary_value")
        )
        days = value["observed_days"] + self.training_days / 3
        return [
            np.log((spend + 0.5) / days),
            np.log(value["frequency"] / days),
            np.log(recent_spend + 0.5),
            np.log(value["recent_frequency"] + 0.5),
            np.log(a_purchase + 1),
            np.log(value[RHYTHM] + _LEAST),
            np.log(value["recency_days"] + self.training_days / 6),
            (value["frequency"] == 1).astype(float),
        ]


def _signed_root(values: Floats) -> Floats:
    """Return square roots that keep the sign: returns may outweigh purchases."""
    roots: Floats = np.sign(values) * np.sqrt(np.abs(values))
    return roots
