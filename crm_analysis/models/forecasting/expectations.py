"""
What the models of repeat buying expect of customers, at each origin from what was known on it.

The models themselves are in :mod:`crm_analysis.models.lifetime_value`; what regressions make of their expectations belongs in
:mod:`crm_analysis.models.forecasting.estimators`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import CRMAnalysisError
from crm_analysis.models.lifetime_value import (
    BGNBD,
    MBGNBD,
    GammaGamma,
    ParetoNBD,
    RepeatPurchaseModel,
    discounted_purchases,
)

Floats = npt.NDArray[np.float64]

BG_NBD, MBG_NBD, PARETO_NBD = "bg_nbd", "mbg_nbd", "pareto_nbd"
KINDS: Mapping[str, type[RepeatPurchaseModel]] = {BG_NBD: BGNBD, MBG_NBD: MBGNBD, PARETO_NBD: ParetoNBD}
NAMES = {BG_NBD: "BG/NBD", MBG_NBD: "MBG/NBD", PARETO_NBD: "Pareto/NBD"}
RHYTHM, ACTIVE, VALUE = "rhythm", "chance_active", "value_a_purchase"
DAYS_IN_PERIOD = 30.4375  # a month


@dataclass(frozen=True)
class Expectations:
    """
    The models of repeat buying as fitted at each origin.

    Attributes
    ----------
    purchases : mapping
        By origin and name; the names of :attr:`models` are there at every origin.
    spend : mapping
        By origin, the Gamma-Gamma model; missing where it cannot be fitted.
    training_days : int
        Days for which :data:`RHYTHM` is.
    notes : tuple of str
        Which models are left out, and why.
    """

    purchases: Mapping[pd.Timestamp, Mapping[str, RepeatPurchaseModel]]
    spend: Mapping[pd.Timestamp, GammaGamma]
    training_days: int
    notes: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that could be fitted at every origin."""
        everywhere = [set(fitted) for fitted in self.purchases.values()]
        return tuple(name for name in KINDS if all(name in fitted for fitted in everywhere))

    def added(self, features: pd.DataFrame) -> pd.DataFrame:
        """
        Add what the models expect of each customer.

        Parameters
        ----------
        features : pandas.DataFrame
            As :func:`~crm_analysis.features.purchases.forecasting_features` returns them, with ``days_ahead``.

        Returns
        -------
        pandas.DataFrame
            With a column a model, the purchase days expected within ``days_ahead``; ``rhythm``, those of the first model within the
            training's days; ``chance_active`` by it; and ``value_a_purchase``, the spend expected of a purchase day. Where no
            model could be fitted, the mean rate so far, a chance of 1, and the mean spend so far.
        """
        parts = [self._of_origin(origin, rows) for origin, rows in features.groupby("origin", sort=False)]
        expected = pd.concat(parts) if len(parts) > 1 else parts[0]
        return pd.concat([features, expected.reindex(features.index)], axis=1)

    def chance_active(self, features: pd.DataFrame, *, model: str) -> Floats:
        """
        Return the probability that customers have not left.

        Parameters
        ----------
        features : pandas.DataFrame
            Of one origin.
        model : str
            Of :attr:`models`.

        Returns
        -------
        numpy.ndarray of float
            In [0, 1].
        """
        return self.purchases[features["origin"].iloc[0]][model].chance_active(_repeats(features))

    def lifetime_value(self, features: pd.DataFrame, *, model: str, days: int, annual_discount_rate: float) -> Floats:
        """
        Return what customers are expected to spend in the days to come, discounted.

        Parameters
        ----------
        features : pandas.DataFrame
            Of one origin.
        model : str
            Of :attr:`models`.
        days : int
            How far ahead.
        annual_discount_rate : float
            A share.

        Returns
        -------
        numpy.ndarray of float
            Money; NaN where the spend a purchase could not be modelled.
        """
        origin = features["origin"].iloc[0]
        spend = self.spend.get(origin)
        if spend is None:
            return np.full(len(features), np.nan)
        n_periods = max(1, round(days / DAYS_IN_PERIOD))
        counts = discounted_purchases(
            self.purchases[origin][model],
            _repeats(features),
            n_periods=n_periods,
            days_in_period=days / n_periods,
            annual_discount_rate=annual_discount_rate,
        )
        return np.asarray(counts * spend.expected_spend(_spends(features)), dtype=float)

    def _of_origin(self, origin: object, rows: pd.DataFrame) -> pd.DataFrame:
        repeats, days_ahead = _repeats(rows), rows["days_ahead"].to_numpy(dtype=float)
        fitted = {name: self.purchases[pd.Timestamp(str(origin))][name] for name in self.models}
        columns: dict[str, Floats] = {}
        for name, model in fitted.items():
            columns[name] = np.zeros(len(rows))
            for days in np.unique(days_ahead):
                among = days_ahead == days
                columns[name][among] = model.expected_purchases(repeats[among], horizon=float(days))
        if fitted:
            first = next(iter(fitted.values()))
            columns[RHYTHM] = first.expected_purchases(repeats, horizon=float(self.training_days))
            columns[ACTIVE] = first.chance_active(repeats)
        else:
            columns[RHYTHM] = (rows["frequency"] / rows["observed_days"] * self.training_days).to_numpy(dtype=float)
            columns[ACTIVE] = np.ones(len(rows))
        spend = self.spend.get(pd.Timestamp(str(origin)))
        own = np.maximum(rows["monetary_value"].to_numpy(dtype=float), 0.0)
        columns[VALUE] = own if spend is None else spend.expected_spend(_spends(rows))
        return pd.DataFrame(columns, index=rows.index)


def fit_expectations(repeats: pd.DataFrame, panel: pd.DataFrame, *, training_days: int) -> Expectations:
    """
    Fit the models of repeat buying at every origin to what was known on it.

    Parameters
    ----------
    repeats : pandas.DataFrame
        As :func:`~crm_analysis.features.purchases.repeat_panel` returns them: everybody who ever bought, by origin.
    panel : pandas.DataFrame
        Features of the customers forecast, by origin: ``origin``, ``customer_id``, ``frequency``, ``monetary_value``.
    training_days : int
        Days ahead at the training origins.

    Returns
    -------
    Expectations
        A model of repeat buying that cannot be fitted at one of the origins is left out at all, one of spend there only; said so.

    Notes
    -----
    Purchases are fitted to everybody's repeat purchases, also of those who have long stopped. Spend a purchase is fitted to all
    purchase days within the history, the first included: what somebody spent on it says something of the next.
    """
    purchases: dict[pd.Timestamp, dict[str, RepeatPurchaseModel]] = {}
    spend: dict[pd.Timestamp, GammaGamma] = {}
    faults: dict[str, str] = {}
    n_without_spend = 0
    customers = panel.drop_duplicates(["origin", "customer_id"])
    for origin, rows in repeats.groupby("origin"):
        day = pd.Timestamp(str(origin))
        purchases[day] = {}
        for name, kind in KINDS.items():
            try:
                purchases[day][name] = kind().fit(rows)
            except CRMAnalysisError as error:
                faults.setdefault(NAMES[name], str(error))
        try:
            spend[day] = GammaGamma().fit(_spends(customers[customers["origin"] == day]))
        except CRMAnalysisError:
            n_without_spend += 1
    notes = [f"{name} could not be fitted at an origin and is left out. {fault}" for name, fault in faults.items()]
    if n_without_spend:
        notes.append(
            f"The spend a purchase day (Gamma-Gamma) could not be modelled at {n_without_spend} of {len(purchases)} origins; "
            "there, each customer's own mean takes its place."
        )
    return Expectations(purchases, spend, training_days, tuple(notes))


def _repeats(features: pd.DataFrame) -> pd.DataFrame:
    """Return features in the terms of the models, also where a shuffled column contradicts another."""
    length = features["tenure_days"].to_numpy(dtype=float)
    frequency = np.minimum(features["repeat_purchases"].to_numpy(dtype=float), length)  # a purchase day a day at most
    recency = np.clip(length - features["recency_days"].to_numpy(dtype=float), frequency, length)
    columns = {"frequency": frequency, "recency": np.where(frequency > 0, recency, 0.0), "T": length}
    return pd.DataFrame(columns, index=features.index)


def _spends(features: pd.DataFrame) -> pd.DataFrame:
    return features[["frequency", "monetary_value"]]
