"""
What a segmentation says, in sentences and in the names under which it is recorded.

The segmentation itself is made in :mod:`crm_analysis.models.segmentation.result`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.describing.naming import NOISE_NAME, slug
from crm_analysis.models.segmentation.found import GOOD_FIDELITY
from crm_analysis.models.segmentation.result import Segmentation


def verdict(segmentation: Segmentation) -> str:
    """
    Sum a segmentation up for somebody who reads nothing else.

    Parameters
    ----------
    segmentation : Segmentation
        The result.

    Returns
    -------
    str
        A paragraph: what there is, how stable it is, which group matters most, why this algorithm, how far simple rules carry.
    """
    customers = _counted(len(segmentation.labels), "customer")
    if segmentation.is_kept:
        kept = f"{customers} are put into the {_counted(segmentation.n_parts, 'segment')} of a model learned earlier."
        today = f"What would be found among them today: {segmentation.reason}"
        return " ".join([kept, *_most_valuable(segmentation.profiles), _rules_in_words(segmentation), today])
    if segmentation.criteria.empty:
        return segmentation.reason
    if segmentation.algorithm == "none":
        none = f"{customers} show no separate groups: where one part ends and the next begins is a convention, not a finding."
        sentences = [none, *_parts_in_words(segmentation), segmentation.reason]
        return " ".join(sentences)
    noise = float(segmentation.profiles["share_of_customers"].get(NOISE_NAME, 0.0))
    few = "some (how many is not shown)" if np.isnan(noise) else f"{noise:.0%}"
    aside = f", and {few} belong to none" if noise else ""
    sentences = [
        f"{customers} form {segmentation.n_segments} groups{aside}.",
        *_most_valuable(segmentation.profiles),
        segmentation.reason,
        *_stability_in_words(segmentation),
        _rules_in_words(segmentation),
    ]
    return " ".join(sentences)


def _parts_in_words(segmentation: Segmentation) -> tuple[str, ...]:
    """Return what there is to work with where there are no groups."""
    if segmentation.n_parts < 2:
        return (
            "No cut of them comes out alike in samples either, so that none is offered: rank them by value instead.",
        )
    return (
        f"To work with, they are cut into {segmentation.n_parts} parts.",
        *_most_valuable(segmentation.profiles),
        *_stability_in_words(segmentation),
        _rules_in_words(segmentation),
        "The cut was chosen among others by these two figures, which flatters them slightly.",
    )


def _stability_in_words(segmentation: Segmentation) -> tuple[str, ...]:
    """Return how alike the segments come out in samples, where that was measured."""
    if np.isnan(segmentation.stability_ari):
        return ()
    return (
        f"Found anew in samples, they agree with an adjusted Rand index of {segmentation.stability_ari:.2f} (1: identical).",
    )


def segmentation_results(segmentation: Segmentation) -> dict[str, object]:
    """
    Return what a run records of a segmentation.

    Parameters
    ----------
    segmentation : Segmentation
        The result.

    Returns
    -------
    dict
        Name to value: ``n_segments`` (groups found, 1: none), ``n_parts`` (segments to work with), ``algorithm``, and of the
        segments to work with ``stability_ari``, ``silhouette``, ``surrogate_fidelity`` and the shares of
        :func:`segment_shares`.
    """
    names = ("n_segments", "n_parts", "algorithm", "stability_ari", "silhouette", "surrogate_fidelity")
    shares = {str(name): share for name, share in segment_shares(segmentation).items()}
    return {**{name: getattr(segmentation, name) for name in names}, **shares}


def segment_sql(segmentation: Segmentation, *, dataset: str, as_of: date) -> str:
    """
    Return the rules of the segments as a query that any database runs.

    Parameters
    ----------
    segmentation : Segmentation
        The result.
    dataset : str
        Name of the data, for the comment.
    as_of : datetime.date
        The day up to which they are known, for the comment.

    Returns
    -------
    str
        Over a table ``customer_features``; says above the query what it rests on and how far it carries.
    """
    rules = segmentation.model.rules
    comment = (
        f"Segments of {dataset} as of {as_of}; the rules put {segmentation.surrogate_fidelity:.0%} of customers in their segment. "
        f"Needs {', '.join(rules.columns)} as the glossary defines them."
    )
    return rules.to_sql(comment=comment)


def segment_shares(segmentation: Segmentation) -> pd.Series:
    """
    Return the share of customers in each segment, by the name under which it is recorded.

    Parameters
    ----------
    segmentation : Segmentation
        The result.

    Returns
    -------
    pandas.Series
        ``share.<slug>`` to a share, the most valuable segment first; missing where it is not shown.
    """
    names = [f"share.{slug(str(name))}" for name in segmentation.profiles.index]
    return segmentation.profiles["share_of_customers"].set_axis(names)


def _most_valuable(profiles: pd.DataFrame) -> tuple[str, ...]:
    """Return what the best group brings, where revenue is known and one group is ahead."""
    groups = profiles.drop(index=NOISE_NAME, errors="ignore")
    if len(groups) < 2:
        return ()
    worth = groups["share_of_revenue"] / groups["share_of_customers"]
    if not worth.iloc[0] > worth.iloc[1]:
        return ()
    first = groups.iloc[0]
    brings = f"{first['share_of_customers']:.0%} of the customers, {first['share_of_revenue']:.0%} of the revenue"
    return (f"Of these, “{groups.index[0]}” bring in the most per customer: {brings}.",)


def _rules_in_words(segmentation: Segmentation) -> str:
    """Return how far the rules carry."""
    sentence = f"{_counted(segmentation.n_rules, 'rule')} put {segmentation.surrogate_fidelity:.0%} of the customers in their segment"
    if segmentation.surrogate_fidelity < GOOD_FIDELITY:
        return f"{sentence}, which is too few to go by: use the list of customers, not the rules."
    return f"{sentence}."


def _counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
