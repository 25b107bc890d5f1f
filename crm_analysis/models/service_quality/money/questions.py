"""
The question to this folder: what customers with bad experiences are worth, and whether they buy less afterwards.

Each step has a module of its own; this one asks the snapshot for what they need and puts them in a row.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from crm_analysis.errors import EmptyTableError
from crm_analysis.features.purchases import repeat_purchases
from crm_analysis.features.service.experiences import experience_days, purchases_around
from crm_analysis.models.service_quality.money.comparison import FEWEST_CUSTOMERS, Compared, compared
from crm_analysis.models.service_quality.money.events import ANYONE, GOOD, comparison_events, good_cases
from crm_analysis.models.service_quality.money.result import (
    ANY_CUSTOMER,
    CHANGE_COLUMNS,
    WITH_GOOD_CASE,
    ServiceAndMoney,
)
from crm_analysis.models.service_quality.money.sentences import notes_of, sentences_of
from crm_analysis.models.service_quality.money.value import value_by_experience
from crm_analysis.tables.privacy.suppression import small
from crm_analysis.tables.snapshot import Snapshot

LATELY_DAYS = 14
VALUE_DAYS = 365
KINDS = {WITH_GOOD_CASE: GOOD, ANY_CUSTOMER: ANYONE}


def service_and_money(
    known: Snapshot,
    courses: pd.DataFrame,
    *,
    window_days: int = 90,
    low_satisfaction_at_most: int = 2,
    lifetime_value: pd.Series | None = None,
    currency: str = "",
    min_cell: int = 1,
    seed: int = 0,
) -> ServiceAndMoney:
    """
    Set bad experiences beside money.

    Parameters
    ----------
    known : Snapshot
        The tables as of a day; it needs ``service_cases``.
    courses : pandas.DataFrame
        Its cases, as :func:`~crm_analysis.features.service.case_courses` returns them.
    window_days : int
        Days before and after a first bad experience.
    low_satisfaction_at_most : int
        Answers up to this one are bad experiences, as missed targets are.
    lifetime_value : pandas.Series, optional
        By ``customer_id``.
    currency : str
        Of the money, for the sentences.
    min_cell : int
        Fewest customers that a shown figure is about; 1 for public data.
    seed : int
        Of the customers drawn to compare with.

    Returns
    -------
    ServiceAndMoney
        Without rows and with a reason where the dataset has no purchases, or too few customers are to be compared.
    """
    if window_days < 1:
        raise ValueError(f"window_days must be at least 1, got {window_days!r}")
    customers = _customers(known)
    if customers.empty:
        reason = "Service and money are not set beside each other: the dataset holds no purchases as of the day."
        return replace(_empty(window_days), reason=reason, sentences=(reason,), currency=currency)
    experiences = experience_days(known, low_satisfaction_at_most=low_satisfaction_at_most)
    spend = _recent_spend(known, courses, customers)
    around = _around(known, courses, experiences, customers, window_days, low_satisfaction_at_most, seed)
    found = {
        name: compared(around, kind=kind, window_days=window_days, min_cell=min_cell, seed=seed)
        for name, kind in KINDS.items()
    }
    enough = _told({name: result for name, result in found.items() if result is not None}, min_cell)
    told = replace(
        _empty(window_days),
        value_days=_value_days(known, customers),
        n_customers=len(spend),
        value=_value(known, courses, experiences, spend, _value_days(known, customers), lifetime_value, min_cell),
        reason="" if enough else _too_few(known, window_days, min_cell),
        currency=currency,
    )
    told = _with_tables(told, enough) if enough else told
    return replace(told, sentences=sentences_of(told, currency=currency), notes=notes_of(told))


def _customers(known: Snapshot) -> pd.DataFrame:
    """Return who has bought, since when, and figures that put them in order whatever they are called."""
    if "transactions" not in known.tables:
        return pd.DataFrame()
    try:
        bought = repeat_purchases(known)
    except EmptyTableError:
        return pd.DataFrame()
    first_day = pd.Timestamp(known.as_of) - pd.to_timedelta(bought["T"], unit="D")
    return pd.DataFrame(
        {"first_day": first_day, "frequency": bought["frequency"], "recency": bought["recency"],
         "monetary_value": bought["monetary_value"]}
    )  # fmt: skip


def _value_days(known: Snapshot, customers: pd.DataFrame) -> int:
    """Return the days of the last year, or those known where there are fewer."""
    return min(VALUE_DAYS, int((pd.Timestamp(known.as_of) - customers["first_day"].min()).days) + 1)


def _recent_spend(known: Snapshot, courses: pd.DataFrame, customers: pd.DataFrame) -> pd.Series:
    """Return the net spend of everybody who ever bought or had a case."""
    everybody = customers.index.union(pd.Index(courses["customer_id"].unique())).rename("customer_id")
    asked = pd.DataFrame({"customer_id": everybody, "day": pd.Timestamp(known.as_of) + timedelta(days=1)})
    bought = purchases_around(known, asked, window_days=_value_days(known, customers))
    return bought.set_index("customer_id")["spend_before"].fillna(0.0)


def _value(
    known: Snapshot,
    courses: pd.DataFrame,
    experiences: pd.DataFrame,
    spend: pd.Series,
    days: int,
    lifetime_value: pd.Series | None,
    min_cell: int,
) -> pd.DataFrame:
    """Return values by number of bad experiences, both of the same days."""
    start = pd.Timestamp(known.as_of) - timedelta(days=days - 1)
    return value_by_experience(
        spend,
        n_bad=experiences[experiences["day"] >= start].groupby("customer_id").size(),
        with_case=pd.Index(courses.loc[courses["opened_at"] >= start, "customer_id"].unique()),
        lifetime_value=lifetime_value,
        min_cell=min_cell,
    )


def _around(
    known: Snapshot,
    courses: pd.DataFrame,
    experiences: pd.DataFrame,
    customers: pd.DataFrame,
    window_days: int,
    low_satisfaction_at_most: int,
    seed: int,
) -> pd.DataFrame:
    """Return purchases around the days that are compared, and what rows are matched on."""
    events = comparison_events(
        experiences,
        good_cases(courses, low_satisfaction_at_most=low_satisfaction_at_most, as_of=known.as_of),
        customers,
        window_days=window_days,
        known_from=customers["first_day"].min(),
        as_of=known.as_of,
        seed=seed,
    )
    around = purchases_around(known, events, window_days=window_days)
    lately = purchases_around(known, events, window_days=min(LATELY_DAYS, window_days))
    first_day = events["customer_id"].map(customers["first_day"])
    return around.assign(
        kind=events["kind"].to_numpy(),
        is_bad_later=events["is_bad_later"].to_numpy(),
        purchase_days_lately=lately["purchase_days_before"].to_numpy(),
        tenure_days=(events["day"] - first_day).dt.days.to_numpy(),
    ).dropna(subset=["spend_before", "spend_after"])


def _told(enough: dict[str, Compared], min_cell: int) -> dict[str, Compared]:
    """Leave out a further comparison whose customers differ from the first one's by too few: their figures could be told apart."""
    told: dict[str, Compared] = {}
    for name, result in enough.items():
        others = [other.bad_customers for other in told.values()]
        apart = [
            len(one - two)
            for other in others
            for one, two in ((other, result.bad_customers), (result.bad_customers, other))
        ]
        if not small(apart, min_cell=min_cell).any():
            told[name] = result
    return told


def _with_tables(told: ServiceAndMoney, enough: dict[str, Compared]) -> ServiceAndMoney:
    """Put the tables of all comparisons below each other."""
    names = list(enough)
    means = pd.concat([enough[name].means.assign(compared_with=name) for name in names], ignore_index=True)
    return replace(
        told,
        change=pd.concat([enough[name].change for name in names], keys=names, names=["compared_with"]),
        means=means[["compared_with", *means.columns[:-1]]],
        balance=pd.concat([enough[name].balance for name in names], keys=names, names=["compared_with"]),
    )


def _too_few(known: Snapshot, window_days: int, min_cell: int) -> str:
    return (
        f"Purchases after bad experiences are not compared: it takes {max(FEWEST_CUSTOMERS, min_cell)} customers at their "
        f"first one, with purchases known {window_days} days before and after, up to {known.as_of}, and as many alike "
        "without one. Use a shorter window_days or a longer history."
    )


def _empty(window_days: int) -> ServiceAndMoney:
    nothing = pd.MultiIndex.from_arrays([[], []], names=["compared_with", "measure"])
    unmatched = pd.MultiIndex.from_arrays([[], []], names=["compared_with", "matched_on"])
    means = ["compared_with", "measure", "group", "window", "mean", "low", "high"]
    return ServiceAndMoney(
        window_days=window_days,
        value_days=0,
        n_customers=0,
        value=pd.DataFrame(columns=["customers", "spend", "share_of_spend", "mean_spend"]).rename_axis("experience"),
        change=pd.DataFrame(columns=list(CHANGE_COLUMNS), index=nothing, dtype=np.float64),
        means=pd.DataFrame(columns=means),
        balance=pd.DataFrame(columns=["before", "after"], index=unmatched, dtype=np.float64),
        reason="",
    )
