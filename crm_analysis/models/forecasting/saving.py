"""
The models of repeat buying and of spend as a saved model: a few parameters, of no single customer.

The files themselves belong in :mod:`crm_analysis.models.storage`. Regressions are not saved: they are fitted anew in seconds, and
support vectors are customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from crm_analysis.errors import ModelError
from crm_analysis.models.forecasting.expectations import ACTIVE, KINDS, NAMES, VALUE, Expectations
from crm_analysis.models.forecasting.result import CustomerForecast
from crm_analysis.models.lifetime_value import GammaGamma, RepeatPurchaseModel
from crm_analysis.models.storage import Feature, ModelDescription, save_model
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.snapshot import Filter

REPEAT_BUYING = "repeat_buying"
_FEATURES = (
    Feature(name="repeat_purchases", meaning="purchase days after the first one ever", unit="purchase days"),
    Feature(name="recency_days", meaning="days since the last purchase day", unit="days"),
    Feature(name="tenure_days", meaning="days since the first purchase ever", unit="days"),
    Feature(name="frequency", meaning="purchase days within the history", unit="purchase days"),
    Feature(name="monetary_value", meaning="net spend a purchase day", unit="money a purchase day"),
)


@dataclass(frozen=True)
class RepeatBuyingModel:
    """
    A model of repeat buying with one of spend a purchase, to be applied to customers of any day.

    Attributes
    ----------
    model : str
        ``bg_nbd``, ``mbg_nbd`` or ``pareto_nbd``.
    purchases, spend : mapping
        Their parameters by name, times in days.
    mean_spend : float
        Mean spend a purchase day of all customers, money.
    """

    model: str
    purchases: Mapping[str, float]
    spend: Mapping[str, float]
    mean_spend: float

    def to_plain(self) -> dict[str, Any]:
        """
        Return what is saved.

        Returns
        -------
        dict
            Texts and numbers.
        """
        return {
            "model": self.model,
            "purchases": dict(self.purchases),
            "spend": dict(self.spend),
            "mean_spend": self.mean_spend,
        }

    @classmethod
    def from_plain(cls, content: object) -> RepeatBuyingModel:
        """
        Return the model from what was saved.

        Parameters
        ----------
        content : object
            As :meth:`to_plain` gives it.

        Returns
        -------
        RepeatBuyingModel
            The same.

        Raises
        ------
        ModelError
            It holds something else.
        """
        if not (isinstance(content, dict) and set(content) == {"model", "purchases", "spend", "mean_spend"}):
            raise ModelError("The file holds no model of repeat buying. Make the model anew.")
        if content["model"] not in KINDS:
            raise ModelError(f"The model of repeat buying is of an unknown kind, {content['model']!r}. Make it anew.")
        model = cls(**content)
        try:
            model.fitted()
        except (TypeError, ValueError) as error:
            raise ModelError(f"The model of repeat buying cannot be used: {error}. Make the model anew.") from error
        return model

    def fitted(self) -> tuple[RepeatPurchaseModel, GammaGamma]:
        """
        Return both models as if fitted.

        Returns
        -------
        tuple
            Of repeat buying, and of spend.
        """
        purchases = KINDS[self.model].with_parameters(self.purchases)
        return purchases, GammaGamma.with_parameters(self.spend, mean_spend=self.mean_spend)

    def score(
        self, features: pd.DataFrame, *, horizon_days: int, value_days: int, annual_discount_rate: float
    ) -> pd.DataFrame:
        """
        Return what is expected of customers.

        Parameters
        ----------
        features : pandas.DataFrame
            As :func:`~crm_analysis.features.purchases.forecasting_features` returns them.
        horizon_days : int
            Days ahead.
        value_days : int
            Days ahead that the lifetime value covers.
        annual_discount_rate : float
            Share by which money a year later is worth less.

        Returns
        -------
        pandas.DataFrame
            Same index; ``transactions_forecast``, ``spend_forecast``, ``chance_active``, ``lifetime_value`` and ``assigned_by``.
        """
        origin = pd.Timestamp(features["origin"].iloc[0])
        purchases, spend = self.fitted()
        fitted = Expectations({origin: {self.model: purchases}}, {origin: spend}, training_days=horizon_days, notes=())
        expected = fitted.added(features.assign(days_ahead=horizon_days))
        value = fitted.lifetime_value(
            features, model=self.model, days=value_days, annual_discount_rate=annual_discount_rate
        )
        return pd.DataFrame(
            {
                "transactions_forecast": expected[self.model],
                "spend_forecast": expected[self.model] * expected[VALUE],
                "chance_active": expected[ACTIVE],
                "lifetime_value": value,
                "assigned_by": NAMES[self.model],
            },
            index=features.index,
        )


def save_repeat_buying(
    result: CustomerForecast,
    source: Dataset,
    *,
    history_days: int,
    value_days: int,
    annual_discount_rate: float,
    to: Path | None,
    where: Filter | None = None,
) -> None:
    """
    Save the model of repeat buying that did best before the hold-out, as fitted on ``as_of``; nothing where there is none.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.
    source : Dataset
        Whose customers they are.
    history_days : int
        Days looked back on.
    value_days : int
        Days ahead that the lifetime value covers.
    annual_discount_rate : float
        Share by which money a year later is worth less.
    to : pathlib.Path, optional
        The folder; None: nothing is written.
    where : mapping, optional
        The attributes of the customers it was fitted to; they are noted.
    """
    as_of, model = pd.Timestamp(result.plan.as_of), result.lawful_model
    spend = result.expectations.spend.get(as_of)
    if model is None or spend is None:
        return
    fitted: RepeatPurchaseModel = result.expectations.purchases[as_of][model]
    description = ModelDescription(
        kind=REPEAT_BUYING,
        dataset=source.name,
        as_of=result.plan.as_of,
        currency=source.currency,
        n_customers=fitted.n_customers_,
        features=_FEATURES,
        parameters={
            "history_days": history_days,
            "horizon_days": result.plan.horizon_days,
            "value_days": value_days,
            "annual_discount_rate": annual_discount_rate,
        },
        algorithm=model,
        labels_by=NAMES[model],
        notes=(*source.notes, *_only(where), *fitted.notes_, *spend.notes_),
    )
    save_model(
        RepeatBuyingModel(model, fitted.parameters_, spend.parameters_, spend.mean_spend_).to_plain(),
        description,
        to=to,
    )


def _only(where: Filter | None) -> list[str]:
    if not where:
        return []
    told = " and ".join(f"{attribute} {value!r}" for attribute, value in where.items())
    return [f"Fitted to customers with {told} only; it says little of others."]
