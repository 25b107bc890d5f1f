"""
Every customer goes on as before: purchases of the days to come, drawn at the own rate and the own amounts.

How far segments move by that is counted in :mod:`crm_analysis.models.segmentation.movement.chance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.models.segmentation.movement.amounts import PurchaseAmounts, purchase_amounts
from crm_analysis.models.segmentation.movement.rates import PurchaseRates, purchase_rates

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

ROLLED = ("recency_days", "frequency", "spend", "monetary_value", "tenure_days", "observed_days")


@dataclass(frozen=True)
class Continuation:
    """
    Customers as of a day, and what is needed to draw how they would go on.

    Attributes
    ----------
    rates : PurchaseRates
        How often each buys.
    amounts : PurchaseAmounts
        What a purchase day brings.
    recency, frequency, tenure : numpy.ndarray of int, shape (n_customers,)
        As of the earlier day.
    spend : numpy.ndarray, shape (n_customers,)
        Within the history.
    leaving_days : numpy.ndarray of int, shape (n_customers,), or None
        Purchase days that the history loses by the later day; None where they are not known and drawn.
    leaving_spend : numpy.ndarray, shape (n_customers,), or None
        What was spent on the days that the history loses.
    movement_days, history_days : int
        Days from the earlier to the later day; days looked back on.
    """

    rates: PurchaseRates
    amounts: PurchaseAmounts
    recency: Counts
    frequency: Counts
    tenure: Counts
    spend: Floats
    leaving_days: Counts | None
    leaving_spend: Floats | None
    movement_days: int
    history_days: int

    def drawn(self, draws: np.random.Generator) -> pd.DataFrame:
        """
        Draw the customers' features as of the later day.

        Parameters
        ----------
        draws : numpy.random.Generator
            Where the random numbers come from.

        Returns
        -------
        pandas.DataFrame
            A row a customer in the same order; the columns of :data:`ROLLED`. A frequency of 0: no purchase in the history.
        """
        new, since = self._new_days(draws)
        leaving = self._leaving(draws) if self.leaving_days is None else self.leaving_days
        kept = self.frequency - leaving
        if self.leaving_spend is None:
            kept_spend = self.amounts.kept(self.spend, kept, leaving, draws)
        else:
            kept_spend = self.spend - self.leaving_spend
        spend = kept_spend + self.amounts.new_days(new, self.frequency, self.spend / self.frequency, draws)
        frequency = kept + new
        tenure = self.tenure + self.movement_days
        return pd.DataFrame(
            {
                "recency_days": np.where(new > 0, since, self.recency + self.movement_days),
                "frequency": frequency,
                "spend": spend,
                "monetary_value": spend / np.maximum(frequency, 1),
                "tenure_days": tenure,
                "observed_days": np.minimum(self.history_days, tenure + 1),
            }
        )

    def _new_days(self, draws: np.random.Generator) -> tuple[Counts, Counts]:
        """Return the purchase days to come, and the days from the last of them to the later day."""
        rates = self.rates.drawn(draws)
        since = draws.geometric(rates) - 1  # from the later day back to the first purchase met
        earlier = draws.binomial(np.maximum(self.movement_days - 1 - since, 0), rates)
        return np.where(since < self.movement_days, 1 + earlier, 0), since

    def _leaving(self, draws: np.random.Generator) -> Counts:
        """Return the purchase days lost: first and last ones are known, the others may be any days between."""
        history, lost = self.history_days, min(self.movement_days, self.history_days)
        starts_within = self.tenure < history
        oldest = np.where(starts_within, self.tenure, history)  # the days between: recency < days ago < oldest
        between = np.maximum(oldest - self.recency - 1, 0)
        stay_between = np.clip(history - lost - self.recency - 1, 0, between)
        known = 1 + (starts_within & (self.tenure > self.recency)).astype(np.int64)
        others = np.clip(self.frequency - known, 0, between)
        leaving = draws.hypergeometric(between - stay_between, stay_between, others)
        last_leaves = self.recency >= history - lost
        first_leaves = (known == 2) & (self.tenure >= history - lost)
        return np.asarray(np.minimum(leaving + last_leaves + first_leaves, self.frequency))


def continuation(
    before: pd.DataFrame, *, movement_days: int, history_days: int, seed: int, leaving: pd.DataFrame | None = None
) -> Continuation:
    """
    Learn how each customer buys, to draw how all would go on.

    Parameters
    ----------
    before : pandas.DataFrame
        A row a customer; the columns of :data:`ROLLED` as of the earlier day.
    movement_days : int
        Days to the later day.
    history_days : int
        Days looked back on, at both days.
    seed : int
        Start of everything random.
    leaving : pandas.DataFrame, optional
        ``frequency`` and ``spend`` by ``customer_id`` within the days that the history loses.

    Returns
    -------
    Continuation
        Draws features as of the later day.
    """
    recency, frequency, tenure, observed = (
        before[name].to_numpy(dtype=float).round().astype(np.int64)
        for name in ("recency_days", "frequency", "tenure_days", "observed_days")
    )
    spend = before["spend"].to_numpy(dtype=float)
    lost = None if leaving is None else leaving[["frequency", "spend"]].reindex(before.index).fillna(0.0)
    days = None if lost is None else lost["frequency"].to_numpy(dtype=float).round().astype(np.int64)
    return Continuation(
        rates=purchase_rates(frequency, observed, tenure < history_days, seed=seed),
        amounts=purchase_amounts(frequency, spend / frequency),
        recency=recency,
        frequency=frequency,
        tenure=tenure,
        spend=spend,
        leaving_days=None if days is None else np.clip(days, 0, frequency),
        leaving_spend=None if lost is None else lost["spend"].to_numpy(dtype=float),
        movement_days=movement_days,
        history_days=history_days,
    )
