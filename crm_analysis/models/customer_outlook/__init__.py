"""
Who is expected to buy more, less or no more, by stated rules; the money at stake; and how often such labels held.

What customers are expected to spend comes from :mod:`crm_analysis.models.forecasting`; what is done about it belongs in decisions.
"""

from crm_analysis.models.customer_outlook.accuracy import outlook_accuracy
from crm_analysis.models.customer_outlook.labels import CustomerOutlook, customer_outlook, usual_spend
from crm_analysis.models.customer_outlook.wording import accuracy_in_words, chance_counts, outlook_in_words

__all__ = [
    "CustomerOutlook",
    "accuracy_in_words",
    "chance_counts",
    "customer_outlook",
    "outlook_accuracy",
    "outlook_in_words",
    "usual_spend",
]
