"""
Everything that is known of a customer as of a day, in one table, and what each feature means.

How a single feature is reckoned belongs in the other modules of :mod:`crm_analysis.features`; which of them make segments, in
:mod:`crm_analysis.models.segmentation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from crm_analysis.errors import EmptyTableError
from crm_analysis.features.behaviour import behaviour_features
from crm_analysis.features.needs import OTHER, UNKNOWN, has_levels, shares, spend_by
from crm_analysis.features.purchases import purchase_features
from crm_analysis.features.service import service_contacts, tells_targets
from crm_analysis.tables.snapshot import Snapshot

CHANNEL_SHARE = "channel_share."
MOST_CHANNELS = 3
_COUNTS = ("service_contacts", "open_cases", "missed_cases")

FEATURE_MEANINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "recency_days": ("days since the last purchase day", "days"),
        "frequency": ("purchase days within the history", "purchase days"),
        "spend": ("net spend within the history, returns taken off", "money"),
        "monetary_value": ("net spend a purchase day", "money a purchase day"),
        "tenure_days": ("days since the first purchase ever", "days"),
        "observed_days": ("days of the history since the first purchase", "days"),
        "inter_purchase_days": ("mean days from one purchase day to the next", "days"),
        "recent_spend": ("net spend within the last horizon", "money"),
        "recent_frequency": ("purchase days within the last horizon", "purchase days"),
        "inter_purchase_cv": ("how irregular purchases are: 0 like a clock, 1 as if by chance", "ratio"),
        "spend_trend": ("spend of the later half against the earlier: -1 all before, 1 all lately", "-1 to 1"),
        "basket_size": ("lines bought a purchase day", "lines a purchase day"),
        "discount_share": ("discounts as a share of prices before discount", "share"),
        "return_share": ("money returned as a share of money bought", "share"),
        "service_contacts": ("service cases opened within the history", "cases"),
        "open_cases": ("of these, cases still open", "cases"),
        "missed_cases": ("of these, cases that visibly missed their target time", "cases"),
        "mean_satisfaction": ("mean mark given to these cases", "1 to 5"),
    }
)


def customer_features(
    known: Snapshot, *, history_days: int, horizon_days: int = 90, channels: Sequence[str] | None = None
) -> pd.DataFrame:
    """
    Describe each customer who bought within the history: purchases, behaviour, channels and service.

    Parameters
    ----------
    known : Snapshot
        The tables as of the day.
    history_days : int
        Days looked back on, the day itself included.
    horizon_days : int
        Length of the recent part, days.
    channels : sequence of str, optional
        Channels whose shares are wanted, so that two days compare; default: the three with most spend.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (sorted), the customers of :func:`~crm_analysis.features.purchases.purchase_features`; the
        features of :data:`FEATURE_MEANINGS`, and ``channel_share.<channel>``, a share. Missing: not defined.

    Raises
    ------
    TooFewRecordsError
        Nobody bought within the history.
    SourceSchemaError
        Channels are asked for, and the source has none.

    Notes
    -----
    A dataset without ``service_cases``, or without any by that day, has no columns of service, one without channels no shares of them: what was not
    recorded is not 0. A customer without a case has 0 of them and no mark. Shares are of net spend, where a channel's negative
    net counts as 0; further channels and lines without one are what is lacking to 1. The terms of the models of repeat buying
    are defined otherwise, and stand in :func:`~crm_analysis.features.purchases.repeat_purchases` only.
    """
    features = purchase_features(known, history_days=history_days, horizon_days=horizon_days)
    features = features.join(behaviour_features(known, history_days=history_days))
    if channels is not None or has_levels(known, "channel"):
        features = features.join(_channel_shares(known, history_days, channels))
    if _has_cases(known):
        features = features.join(_service(known, history_days, features.index))
    return features


def feature_meaning(feature: str) -> tuple[str, str]:
    """
    Return what a feature of a customer means, in plain words, and its unit.

    Parameters
    ----------
    feature : str
        A column of :func:`customer_features`.

    Returns
    -------
    tuple of str
        Meaning and unit.

    Examples
    --------
    >>> feature_meaning("recency_days")
    ('days since the last purchase day', 'days')
    >>> feature_meaning("channel_share.web")
    ("share of net spend in channel 'web'", 'share')
    """
    if feature.startswith(CHANNEL_SHARE):
        return f"share of net spend in channel {feature.removeprefix(CHANNEL_SHARE)!r}", "share"
    if feature not in FEATURE_MEANINGS:
        raise ValueError(f"a feature of a customer is needed, got {feature!r}")
    return FEATURE_MEANINGS[feature]


def _channel_shares(known: Snapshot, history_days: int, channels: Sequence[str] | None) -> pd.DataFrame:
    spend = spend_by(known, "channel", history_days=history_days, most=MOST_CHANNELS, levels=channels)
    return shares(spend).drop(columns=[OTHER, UNKNOWN]).add_prefix(CHANNEL_SHARE)


def _has_cases(known: Snapshot) -> bool:
    """Return whether service cases were known on the day: early days of a dataset may have none yet."""
    try:
        known.require(*({"service_cases"} & known.tables))
    except EmptyTableError:
        return False
    return "service_cases" in known.tables


def _service(known: Snapshot, history_days: int, customers: pd.Index[str]) -> pd.DataFrame:
    """Return the service of some customers; who had no case had none, unless the source cannot tell."""
    contacts = service_contacts(known, history_days=history_days)
    told = [name for name in _COUNTS if name != "missed_cases" or tells_targets(known)]
    contacts = contacts.reindex(customers)
    contacts[told] = contacts[told].fillna(0).astype("int64")
    return contacts
