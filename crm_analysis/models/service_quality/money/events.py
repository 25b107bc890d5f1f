"""
Whom to compare with whom: customers at their first bad experience, after a good case, and on any day.

Who is alike is found in :mod:`crm_analysis.models.service_quality.money.matching`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

BAD, GOOD, ANYONE = "bad", "good", "anyone"
EVENT_COLUMNS = ("customer_id", "day", "kind", "is_bad_later")
MOST_BAD = 20_000
MOST_GOOD = 100_000
ANYONE_PER_BAD = 20


def first_experiences(experiences: pd.DataFrame) -> pd.Series:
    """
    Return the day of each customer's first bad experience.

    Parameters
    ----------
    experiences : pandas.DataFrame
        ``customer_id``, ``day``.

    Returns
    -------
    pandas.Series of datetime64
        Index ``customer_id``.
    """
    return experiences.groupby("customer_id")["day"].min().sort_index()


def good_cases(courses: pd.DataFrame, *, low_satisfaction_at_most: int, as_of: date) -> pd.DataFrame:
    """
    Return the days on which customers saw a case end well.

    Parameters
    ----------
    courses : pandas.DataFrame
        A row a case: ``customer_id``, ``opened_at``, ``due_at``, ``resolution_hours``, ``sla_missed``, ``satisfaction``.
    low_satisfaction_at_most : int
        Answers up to this one are low, and the case no good one.
    as_of : datetime.date
        The last day known.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``day``: when the case was due and resolved by then; without a due time, when it was resolved.

    Notes
    -----
    The due time is the moment at which a target is seen to be missed, too, so that customers of either kind stand at the same
    point of their case.

    Examples
    --------
    >>> cases = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "b"],
    ...         "opened_at": pd.to_datetime(["2024-05-01 09:00", "2024-05-01 10:00"]),
    ...         "due_at": pd.to_datetime(["2024-05-03 09:00", None]),
    ...         "resolution_hours": [5.0, 30.0],
    ...         "sla_missed": pd.array([False, None], dtype="boolean"),
    ...         "satisfaction": pd.array([None, 1], dtype="Int64"),
    ...     }
    ... )
    >>> good_cases(cases, low_satisfaction_at_most=2, as_of=date(2024, 5, 9))["day"].dt.strftime("%d.%m.").tolist()
    ['03.05.']
    """
    resolved = courses["resolution_hours"].notna()
    is_low = courses["satisfaction"].le(low_satisfaction_at_most).fillna(value=False).astype("bool")
    is_kept = ~courses["sla_missed"].fillna(value=False).astype("bool")
    resolved_at = courses["opened_at"] + pd.to_timedelta(courses["resolution_hours"], unit="h")
    seen_at = courses["due_at"].fillna(resolved_at).clip(lower=courses["opened_at"])
    known = seen_at < pd.Timestamp(as_of) + pd.Timedelta(days=1)
    chosen = resolved & is_kept & ~is_low & known
    days = seen_at[chosen].dt.normalize().astype("datetime64[us]")
    found = pd.DataFrame({"customer_id": courses.loc[chosen, "customer_id"], "day": days})
    return found.drop_duplicates().reset_index(drop=True)


def comparison_events(
    experiences: pd.DataFrame,
    good: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    window_days: int,
    known_from: pd.Timestamp,
    as_of: date,
    seed: int,
) -> pd.DataFrame:
    """
    Return the customers and days to be compared.

    Parameters
    ----------
    experiences : pandas.DataFrame
        Bad ones: ``customer_id``, ``day``.
    good : pandas.DataFrame
        As :func:`good_cases` returns it.
    customers : pandas.DataFrame
        Index ``customer_id``, everybody who has bought: ``first_day`` (of a purchase), and figures of any kind, by which
        customers are put in order before some are drawn.
    window_days : int
        Days before and after that must be known.
    known_from : pandas.Timestamp
        First day with a known purchase of anybody.
    as_of : datetime.date
        The last day known.
    seed : int
        Of the draw.

    Returns
    -------
    pandas.DataFrame
        :data:`EVENT_COLUMNS`: of the kinds, ``bad`` is a first bad experience, ``good`` a good case of somebody without a bad experience
        until then, ``anyone`` a customer drawn on the day of a bad one, without a bad experience until then;
        ``is_bad_later``: the customer had a first one within the window that follows.

    Notes
    -----
    All are compared by what was known on the day: nobody is left out for a bad experience that came *later*. Whoever had none
    until the end of the window bought less in it on average, because cases follow purchases; taking only those would make
    customers with bad experiences look better than they are.
    """
    first = first_experiences(experiences)
    days = (known_from + pd.Timedelta(days=window_days), pd.Timestamp(as_of) - pd.Timedelta(days=window_days))
    ordered = customers.sort_values([*customers.columns], kind="stable").index
    rng = np.random.default_rng(seed)
    bad = _within(first.rename("day").reset_index(), customers, days)
    bad = _drawn(bad, ordered, MOST_BAD, rng)
    good = _drawn(_at_risk(_within(good, customers, days), first), ordered, MOST_GOOD, rng)
    anyone = _at_risk(_within(_anyone(bad, ordered, rng), customers, days), first)
    parts = [part.assign(kind=kind) for part, kind in ((bad, BAD), (good, GOOD), (anyone, ANYONE))]
    events = pd.concat(parts, ignore_index=True)
    days_until = (events["customer_id"].map(first) - events["day"]).dt.days
    return events.assign(is_bad_later=days_until.between(1, window_days))[list(EVENT_COLUMNS)]


def _within(events: pd.DataFrame, customers: pd.DataFrame, days: tuple[pd.Timestamp, pd.Timestamp]) -> pd.DataFrame:
    """Return events with whole windows, of customers who had bought before."""
    first_day = events["customer_id"].map(customers["first_day"])
    return events[events["day"].between(*days) & (first_day < events["day"])]


def _at_risk(events: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """Return events of customers without a bad experience until then."""
    first_bad = events["customer_id"].map(first)
    return events[~(first_bad <= events["day"])]


def _drawn(events: pd.DataFrame, ordered: pd.Index, most: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return events in an order that no name decides, at most so many."""
    events = (
        events.assign(place=ordered.get_indexer(pd.Index(events["customer_id"])))
        .sort_values(["day", "place"], kind="stable")
        .drop(columns="place")
    )
    if len(events) <= most:
        return events
    return events.iloc[np.sort(rng.choice(len(events), most, replace=False))]


def _anyone(bad: pd.DataFrame, ordered: pd.Index, rng: np.random.Generator) -> pd.DataFrame:
    """Draw customers on the days of bad experiences."""
    if bad.empty or not len(ordered):
        return bad.iloc[:0]
    places = rng.integers(len(ordered), size=len(bad) * ANYONE_PER_BAD)
    days = np.repeat(bad["day"].to_numpy(), ANYONE_PER_BAD)
    return pd.DataFrame({"customer_id": ordered[places], "day": days}).drop_duplicates()
