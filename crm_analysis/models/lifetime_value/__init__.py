"""
Probability models of repeat buying: who is still a customer, how often they will buy, and what that is worth.

Tables of repeat purchases come from ``features.purchases``; how well the forecasts do is judged elsewhere.
"""

from crm_analysis.models.lifetime_value.purchases import BGNBD, MBGNBD, ParetoNBD
from crm_analysis.models.lifetime_value.repeat_buying import RepeatPurchaseModel
from crm_analysis.models.lifetime_value.spend import GammaGamma
from crm_analysis.models.lifetime_value.value import discounted_purchases, lifetime_value

__all__ = [
    "BGNBD",
    "MBGNBD",
    "GammaGamma",
    "ParetoNBD",
    "RepeatPurchaseModel",
    "discounted_purchases",
    "lifetime_value",
]
