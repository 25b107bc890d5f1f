"""
Words for attributes, outcomes, models and ranges, as a service manager would say them.

Sentences that depend on results are put together where the results are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ATTRIBUTES = {
    "team": "team",
    "channel": "channel",
    "category": "category",
    "priority": "priority",
    "opened_weekday": "weekday of the opening",
    "opened_hour": "hour of the opening",
    "target_hours": "hours to the due time",
    "earlier_cases": "earlier cases of the customer",
    "earlier_missed": "earlier missed targets of the customer",
    "days_since_last_case": "days since the customer's last case",
    "team_open_cases": "open cases of the team",
    "team_recent_cases": "recent cases of the team",
    "team_load": "load of the team against its usual",
    "customer_open_cases": "open cases of the customer",
    "earlier_low": "earlier low satisfaction of the customer",
    "earlier_satisfaction": "earlier mean satisfaction of the customer",
    "spend_before": "earlier spend of the customer",
    "purchase_days_before": "earlier days with a purchase",
    "days_since_last_purchase": "days since the customer's last purchase",
    "customer_days": "days as a customer",
    "is_responded": "first response given",
    "first_response_hours": "hours to the first response",
}
MODELS = {
    "decision_tree": "decision tree",
    "logistic_regression": "logistic regression",
    "random_forest": "random forest",
    "gradient_boosting": "gradient boosting",
    "priority_and_category": "priority and category alone",
    "base_rate": "base rate",
}
MEASURES = {
    "auc": "area under the ROC curve",
    "average_precision": "average precision",
    "brier": "Brier score",
    "log_loss": "log loss",
    "brier_gain": "Brier score gained",
}
ENDED = {
    "sla_missed": "missed the target",
    "low_satisfaction": "ended in a low satisfaction",
    "long_resolution": "took long to be resolved",
    "reopened": "were opened again",
}
PAIRS = {
    "sla_missed": "a case that missed the target above one that did not",
    "low_satisfaction": "a case that ended in a low satisfaction above one that did not",
    "long_resolution": "a case that took long to be resolved above one that did not",
    "reopened": "a case that was opened again above one that was not",
}
ENDING = {
    "sla_missed": "a missed target",
    "low_satisfaction": "a low satisfaction",
    "long_resolution": "a long resolution",
    "reopened": "a reopening",
}


def attribute_in_words(name: str) -> str:
    """
    Return what an attribute of a case means in a few words.

    Parameters
    ----------
    name : str
        A column of features.

    Returns
    -------
    str
        For an attribute that only the source knows, its name without underscores.

    Examples
    --------
    >>> attribute_in_words("opened_hour"), attribute_in_words("sub_category")
    ('hour of the opening', 'sub category')
    """
    return ATTRIBUTES.get(name, name.replace("_", " ").strip() or name)


def readable(table: pd.DataFrame, *, decimals: int = 2) -> pd.DataFrame:
    """
    Return a table for readers: attributes and models in words, numbers rounded.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table of a result.
    decimals : int
        Places kept.

    Returns
    -------
    pandas.DataFrame
        The same rows.

    Examples
    --------
    >>> readable(pd.DataFrame({"attribute": ["opened_hour"], "importance": [0.1234]})).values.tolist()
    [['hour of the opening', 0.12]]
    """
    flat = table.reset_index() if table.index.name else table.copy()
    words = {"attribute": attribute_in_words, "model": _model_in_words, "measure": _measure_in_words}
    for column, in_plain_words in words.items():
        if column in flat and not pd.api.types.is_numeric_dtype(flat[column]):
            flat[column] = flat[column].map(in_plain_words)
    numbers = flat.select_dtypes("number")
    return flat.assign(**(numbers.round(decimals) + 0))  # + 0: no negative zeros


def in_words(names: list[str]) -> str:
    """
    Return names as a list in a sentence.

    Parameters
    ----------
    names : list of str
        At least one.

    Returns
    -------
    str
        With commas and an "and".

    Examples
    --------
    >>> in_words(["team", "channel", "category"])
    'team, channel and category'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def points_in_words(change: float) -> str:
    """
    Return a change of a share in whole points, signed.

    Parameters
    ----------
    change : float
        Of a share.

    Returns
    -------
    str
        With the word, singular where it is one.

    Examples
    --------
    >>> points_in_words(-0.29), points_in_words(0.012)
    ('−29 points', '+1 point')
    """
    signed = signed_points(change)
    return f"{signed} point{'' if signed.strip('+−') == '1' else 's'}"


def signed_points(change: float) -> str:
    """
    Return a change of a share in whole points.

    Parameters
    ----------
    change : float
        Of a share.

    Returns
    -------
    str
        With its sign; none has none.

    Examples
    --------
    >>> signed_points(-0.29), signed_points(0.001)
    ('−29', '0')
    """
    points = round(100 * change)
    return f"{points:+d}".replace("-", "−") if points else "0"


def number_range(values: pd.Series, start: float, starts: npt.NDArray[np.float64]) -> str:
    """
    Return the range of a number from one start to the next in words.

    Parameters
    ----------
    values : pandas.Series
        The number; whole ones are named by their first and last.
    start : float
        Where the range begins.
    starts : numpy.ndarray
        Where all ranges begin, ascending.

    Returns
    -------
    str
        Such as ``3 to 5`` or ``20 or more``.

    Examples
    --------
    >>> number_range(pd.Series([0, 1, 5]), 1, np.array([0.0, 1.0, 4.0]))
    '1 to 3'
    """
    later = starts[starts > start]
    known = values.dropna()
    if (known == known.round()).all():
        last = later[0] - 1 if len(later) else known.max()
        if last == start:
            return f"{start:g}"
        return f"{start:g} to {last:g}" if len(later) else f"{start:g} or more"
    return f"{start:.1f} to under {later[0]:.1f}" if len(later) else f"{start:.1f} or more"


def first_range(values: pd.Series, starts: npt.NDArray[np.float64]) -> str:
    """
    Return the first range of a number in words that do not tell where it begins.

    Parameters
    ----------
    values : pandas.Series
        The number.
    starts : numpy.ndarray
        Where all ranges begin, ascending; at least two.

    Returns
    -------
    str
        Such as ``up to 3``.

    Examples
    --------
    >>> first_range(pd.Series([0, 1, 5]), np.array([0.0, 4.0]))
    'up to 3'
    """
    known = values.dropna()
    return f"up to {starts[1] - 1:g}" if (known == known.round()).all() else f"under {starts[1]:.1f}"


def _model_in_words(name: str) -> str:
    return MODELS.get(name, name)


def _measure_in_words(name: str) -> str:
    return MEASURES.get(name, name)
