"""
The names of what is known of a case and of a customer's service, and which answers are low.

How each is reckoned belongs in the other modules of :mod:`crm_analysis.features.service`.
"""

from __future__ import annotations

LEVELS = ("team", "channel", "category", "priority")
SPENDING = ("spend_before", "purchase_days_before", "days_since_last_purchase", "customer_days")
NUMBERS = (
    "opened_weekday",
    "opened_hour",
    "target_hours",
    "earlier_cases",
    "earlier_missed",
    "earlier_low",
    "earlier_satisfaction",
    "days_since_last_case",
    "customer_open_cases",
    "team_open_cases",
    "team_recent_cases",
    "team_load",
    *SPENDING,
)
RESPONSES = ("is_responded", "first_response_hours")
OUTCOMES = ("sla_missed", "low_satisfaction", "long_resolution", "reopened")
CONTACTS = ("service_contacts", "open_cases", "missed_cases", "mean_satisfaction")

LOW_SATISFACTION = 2  # answers up to this one, of 1 to 5, are low unless the caller decides otherwise


def check_low_limit(low_satisfaction_at_most: int) -> None:
    """
    Raise unless a limit parts the answers into low ones and others.

    Parameters
    ----------
    low_satisfaction_at_most : int
        Answers up to this one (of 1 to 5) are low.

    Raises
    ------
    ValueError
        It is not between 1 and 4.
    """
    if low_satisfaction_at_most not in {1, 2, 3, 4}:
        raise ValueError(f"low_satisfaction_at_most must be 1, 2, 3 or 4, got {low_satisfaction_at_most!r}")
