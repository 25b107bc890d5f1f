"""
Numbers of service and money in words: with their signs, and what came before and after in one cell.

Whole sentences belong in :mod:`crm_analysis.models.service_quality.money.sentences`.
"""

from __future__ import annotations

import math

from crm_analysis.models.business_series.naming import number_in_words

MISSING = "–"


def signed(value: float, unit: str = "") -> str:
    """
    Return a change with its sign.

    Parameters
    ----------
    value : float
        Any.
    unit : str
        Put behind it.

    Returns
    -------
    str
        With the minus of print; a dash where it is missing.

    Examples
    --------
    >>> signed(-0.02), signed(1250.0, "EUR"), signed(-0.001)
    ('−0.02', '+1,250 EUR', '0.00')
    """
    number = number_in_words(abs(float(value)), unit)
    if not any(digit in number for digit in "123456789"):
        return number  # missing, or nothing once it is rounded
    return f"{'+' if value > 0 else '−'}{number}"


def before_and_after(before: float, after: float) -> str:
    """
    Return what was before and after.

    Parameters
    ----------
    before, after : float
        Both.

    Returns
    -------
    str
        In one cell.

    Examples
    --------
    >>> before_and_after(104.2, -0.5)
    '104 → −0.50'
    """
    return " → ".join(number_in_words(value).replace("-", "−") for value in (before, after))


def change_with_interval(value: float, low: float, high: float) -> str:
    """
    Return a change with its 95 % interval.

    Parameters
    ----------
    value, low, high : float
        The change and its interval.

    Returns
    -------
    str
        A dash where it is missing.

    Examples
    --------
    >>> change_with_interval(-18.0, -30.0, -6.0)
    '−18.00 (−30.00 to −6.00)'
    """
    return MISSING if math.isnan(value) else f"{signed(value)} ({signed(low)} to {signed(high)})"


def share_with_interval(value: float, low: float, high: float) -> str:
    """
    Return a relative change in percent with its 95 % interval.

    Parameters
    ----------
    value, low, high : float
        As shares.

    Returns
    -------
    str
        A dash where it is missing.

    Examples
    --------
    >>> share_with_interval(-0.18, -0.3, 0.06)
    '−18% (−30 to +6)'
    """
    if math.isnan(value):
        return MISSING
    first, *others = (
        f"{round(100 * share):+d}".replace("-", "−") if round(100 * share) else "0" for share in (value, low, high)
    )
    return f"{first}% ({' to '.join(others)})"
