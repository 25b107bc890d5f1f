"""
Needs in words: the paragraph for somebody who reads nothing else.

What it says is computed in ``result``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.needs.model import TOO_LITTLE
from crm_analysis.models.segmentation.needs.result import Needs


def needs_verdict(needs: Needs) -> str:
    """
    Sum the needs of customers up for somebody who reads nothing else.

    Parameters
    ----------
    needs : Needs
        The result.

    Returns
    -------
    str
        A paragraph: who cannot be told, which groups there are and what they buy, why they hold, how stable they are; where there
        are none, what one can work with all the same.
    """
    if needs.model is None:
        return needs.reason
    told = needs.labels != TOO_LITTLE
    sentences = [_who_can_be_told(needs, int(told.sum()), fewest=needs.model.min_lines)]
    if not told.any() or needs.criteria.empty:
        return " ".join([*sentences, *([needs.reason] if told.any() else [])])
    if needs.n_groups > 1:
        noise = needs.profiles["share_of_customers"].get(NOISE_NAME, 0.0)
        aside = f", and {'some' if np.isnan(noise) else f'{noise:.0%}'} belong to none" if noise else ""
        sentences += [
            f"By what they buy, the others form {needs.n_groups} groups{aside}: {_listed(needs.profiles)}.",
            needs.reason,
            f"Found anew in samples, the groups agree with an adjusted Rand index of {needs.stability_ari:.2f} (1: identical).",
        ]
        return " ".join(sentences)
    sentences.append("What the others buy differs, but by degrees: there are no separate needs groups.")
    if needs.is_cut_offered:
        parts = needs.cut_profiles.drop(index=[TOO_LITTLE], errors="ignore")
        sentences.append(
            f"To work with, they can be cut into {len(parts)} parts that come out alike when customers are drawn anew: "
            f"{_listed(needs.cut_profiles)}. That is a convenience, not a finding: customers on both sides of a border are alike."
        )
    else:
        sentences.append("No cut through them comes out alike when customers are drawn anew.")
    return " ".join([*sentences, needs.reason])


def needs_results(needs: Needs) -> dict[str, object]:
    """
    Return what a run records of needs.

    Parameters
    ----------
    needs : Needs
        The result.

    Returns
    -------
    dict
        ``n_needs`` (None where needs are not known) and the shares of :func:`needs_shares`.
    """
    shares = {str(name): share for name, share in needs_shares(needs).items()}
    return {"n_needs": None if needs.model is None else needs.n_groups, **shares}


def needs_shares(needs: Needs) -> pd.Series:
    """
    Return the share of customers in each needs group, or part of the cut, by the name under which it is recorded.

    Parameters
    ----------
    needs : Needs
        The result.

    Returns
    -------
    pandas.Series
        ``need_share.<slug>`` to a share; missing where it is not shown.
    """
    names = [f"need_share.{key}" for key in needs.offered_profiles["slug"]]
    return needs.offered_profiles["share_of_customers"].set_axis(names)


def _who_can_be_told(needs: Needs, told: int, *, fewest: float) -> str:
    """Return how many customers bought enough."""
    customers = len(needs.labels)
    rule = f"fewer than {fewest:g} purchase lines, or no spend"
    if told == customers:
        everybody = f"All {customers:,} customers" if customers > 1 else "The only customer"
        return f"{everybody} bought enough to tell what they need."
    if not told:
        return f"Of {customers:,} customers, none bought enough to tell what they need ({rule})."
    is_hidden = np.isnan(float(needs.profiles["share_of_customers"].get(TOO_LITTLE, np.nan)))
    number = "some" if is_hidden else f"{customers - told:,}"
    return f"Of {customers:,} customers, {number} bought too little to tell what they need ({rule})."


def _listed(profiles: pd.DataFrame) -> str:
    """Return the groups with their sizes and their part of the spend."""
    groups = profiles.drop(index=[NOISE_NAME, TOO_LITTLE], errors="ignore")
    return "; ".join(
        f"“{name}” (figures not shown)"
        if np.isnan(customers)
        else f"“{name}” ({customers:.0%} of customers, {spend:.0%} of spend)"
        for name, customers, spend in zip(
            groups.index, groups["share_of_customers"], groups["share_of_spend"], strict=True
        )
    )
