"""
Service and money in one result: what customers with bad experiences are worth, and how their purchases changed.

It is made in :mod:`crm_analysis.models.service_quality.money.questions`, its sentences in
:mod:`crm_analysis.models.service_quality.money.sentences`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from crm_analysis.models.service_quality.money.wording import (
    before_and_after,
    change_with_interval,
    share_with_interval,
)

WITH_GOOD_CASE, ANY_CUSTOMER = "after a good case", "any customer"
COMPARED_WITH = (WITH_GOOD_CASE, ANY_CUSTOMER)  # the first with enough customers is the main one
SPEND, PURCHASE_DAYS = "spend", "purchase_days"
MEASURES = (SPEND, PURCHASE_DAYS)
MEASURES_IN_WORDS = {SPEND: "spend", PURCHASE_DAYS: "purchase days"}
DAYS = 30  # figures are per so many days
CHANGE_COLUMNS = (
    "bad_customers", "control_customers", "bad_before", "bad_after", "control_before", "control_after", "effect", "low", "high",
    "share", "share_low", "share_high", "placebo", "placebo_low", "placebo_high",
    "control_bad_later",
)  # fmt: skip


@dataclass(frozen=True)
class ServiceAndMoney:
    """
    What bad service and money have to do with each other.

    Attributes
    ----------
    window_days : int
        Days before and after a first bad experience that are compared.
    value_days : int
        Days of spend that the values are about.
    n_customers : int
        Who bought or had a case, ever.
    value : pandas.DataFrame
        By number of bad experiences, see :func:`~crm_analysis.models.service_quality.money.value.value_by_experience`.
    change : pandas.DataFrame
        Index ``compared_with`` (of :data:`COMPARED_WITH`) and ``measure`` (of :data:`MEASURES`), rows with enough customers only;
        :data:`CHANGE_COLUMNS`. Figures are per 30 days and customer: means before and after, ``effect`` (the change beyond that of
        matched customers) with its 95 % interval and as a share of what would else have come; ``placebo`` is the same
        between the two windows before, when nothing had happened yet.
    means : pandas.DataFrame
        For pictures: ``compared_with``, ``measure``, ``group`` (``bad`` or ``controls``), ``window`` (``before`` or ``after``),
        ``mean``, ``low``, ``high``.
    balance : pandas.DataFrame
        Index ``compared_with`` and ``matched_on``: differences ``before`` and ``after`` matching, in standard deviations.
    reason : str
        Why purchases are not compared; empty where they are.
    sentences : tuple of str
        What it says.
    notes : tuple of str
        What to beware of.
    currency : str
        Of the money.
    """

    window_days: int
    value_days: int
    n_customers: int
    value: pd.DataFrame
    change: pd.DataFrame
    means: pd.DataFrame
    balance: pd.DataFrame
    reason: str
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    currency: str = ""

    @property
    def main(self) -> str | None:
        """Whom the sentences compare with; None where purchases are not compared."""
        return next((name for name in COMPARED_WITH if name in self.change.index.get_level_values(0)), None)

    def row(self, compared_with: str, measure: str) -> pd.Series:
        """
        Return the change of one measure against one kind of customers.

        Parameters
        ----------
        compared_with : str
            Of :data:`COMPARED_WITH`, with enough customers.
        measure : str
            Of :data:`MEASURES`.

        Returns
        -------
        pandas.Series of float
            Index :data:`CHANGE_COLUMNS`.
        """
        columns = self.change.xs(compared_with).T
        return columns[measure].astype("float64")

    @property
    def readable_value(self) -> pd.DataFrame:
        """What customers are worth, for people: a row a number of bad experiences; no row where there are no purchases."""
        value = self.value
        columns = {
            "customers": value["customers"].astype("Int64"),
            "spend": value["spend"].astype(float).round(),
            "share of spend in %": (100 * value["share_of_spend"].astype(float)).round(1),
            "spend each": value["mean_spend"].astype(float).round(2),
        }
        if "lifetime_value" in value:
            columns["lifetime value each"] = value["lifetime_value"].astype(float).round(2)
        return pd.DataFrame(columns, index=value.index.astype("str").rename("bad experiences"))

    @property
    def readable_change(self) -> pd.DataFrame:
        """How purchases changed, for people: a row a comparison and measure; no row where purchases are not compared."""
        rows = [
            (
                compared_with,
                MEASURES_IN_WORDS[measure],
                f"{int(row['bad_customers']):,}, matched {int(row['control_customers']):,}",
                before_and_after(row["bad_before"], row["bad_after"]),
                before_and_after(row["control_before"], row["control_after"]),
                change_with_interval(row["effect"], row["low"], row["high"]),
                share_with_interval(row["share"], row["share_low"], row["share_high"]),
            )
            for compared_with, measure in self.change.index.tolist()
            for row in [self.row(compared_with, measure)]
        ]
        columns = [
            "compared with", "measure", "customers", "bad experience: before → after", "matched: before → after",
            "change beyond matched (95% interval)", "in % of what would have come",
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns, dtype="str")

    @property
    def readable_tables(self) -> dict[str, pd.DataFrame]:
        """The tables for people by caption, without empty ones."""
        money = f", {self.currency}" if self.currency else ""
        tables = {
            f"Customers by bad experiences in the last {self.value_days} days{money}": self.readable_value,
            f"Purchases before and after a first bad experience, per {DAYS} days and customer{money}": self.readable_change,
        }
        return {caption: table for caption, table in tables.items() if len(table)}
