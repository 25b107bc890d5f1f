"""
What the time at which outcomes become known does to learning: cases too young to tell, and weights for the others.

Which cases are learnt from at all is settled in :mod:`crm_analysis.models.service_quality.prediction.cases`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

MIN_SHARE_KNOWN = 0.5  # of the cases of either outcome at an age: younger ones are not learnt from
MIN_CASES_PER_DELAY = 20

Floats = npt.NDArray[np.float64]


def learnable(cases: pd.DataFrame, *, outcome: str, until: date | pd.Timestamp) -> pd.DataFrame:
    """
    Return the cases to learn from, weighted so that outcomes which take longer to be known are not too rare among them.

    Parameters
    ----------
    cases : pandas.DataFrame
        Cases in the order of opening with an outcome that was known before `until`; with ``known_at``, when it became known.
    outcome : str
        The column that holds the outcome.
    until : datetime.date or pandas.Timestamp
        The moment as of which is learnt.

    Returns
    -------
    pandas.DataFrame
        With ``weight``, 1 on average. Without ``known_at`` all cases weigh the same. Else cases opened so late that less than half
        of either outcome is known at their age are left out (at most half of all cases), and each other one weighs one over the
        share of its outcome that is known at its age.

    Notes
    -----
    A missed target is often seen later than a met one. Of the latest cases mostly one kind is known then, and a model fitted to
    those takes the other for rare. The shares are estimated by the product limit for delays that are cut off on the right,
    among delays as long as the history.

    References
    ----------
    Lynden-Bell (1971), "A method of allowing for known observational selection in small samples", Monthly Notices of the Royal
    Astronomical Society 155.

    Examples
    --------
    >>> opened = pd.date_range("2024-01-01", periods=4)
    >>> cases = pd.DataFrame(
    ...     {"opened_at": opened, "known_at": opened + pd.Timedelta(hours=1), "reopened": [0, 1, 0, 1]}
    ... )
    >>> learnable(cases, outcome="reopened", until=date(2024, 1, 6))["weight"].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if "known_at" not in cases or cases["known_at"].isna().any() or cases.empty:
        return cases.assign(weight=1.0)
    age = _days(pd.Timestamp(until) - cases["opened_at"])
    delay = _days(cases["known_at"] - cases["opened_at"]).clip(min=0)
    shares = {kind: _share_known(delay, age, cases[outcome].to_numpy() == kind) for kind in (0, 1)}
    scarcer = np.minimum(shares[0], shares[1])
    is_old = scarcer >= MIN_SHARE_KNOWN
    from_age = age[is_old].min() if is_old.any() else np.inf
    kept = age >= min(from_age, float(np.median(age)))
    own_share = np.where(cases[outcome] == 1, shares[1], shares[0])[kept]
    weight = 1 / np.clip(own_share, MIN_SHARE_KNOWN, 1)
    older: pd.DataFrame = cases[kept].assign(weight=weight / weight.mean())
    return older


def _days(durations: pd.Series) -> Floats:
    return np.asarray(durations.dt.total_seconds(), dtype=float) / 86_400


def _share_known(delay: Floats, age: Floats, chosen: npt.NDArray[np.bool_]) -> Floats:
    """The share of the chosen kind's delays that are within each age; of all kinds where the chosen cases are few."""
    if chosen.sum() < MIN_CASES_PER_DELAY:
        chosen = np.ones(len(delay), dtype=bool)
    delays, ages = np.sort(delay[chosen]), np.sort(age[chosen])
    steps, counts = np.unique(delays, return_counts=True)
    at_risk = np.searchsorted(delays, steps, side="right") - np.searchsorted(ages, steps, side="left")
    factors = np.append(1 - counts / np.maximum(at_risk, counts), 1.0)
    beyond = np.cumprod(factors[::-1])[::-1]  # the product over all steps from each on
    shares: Floats = beyond[np.searchsorted(steps, age, side="right")]
    return shares
