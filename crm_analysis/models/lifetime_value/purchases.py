"""
Probability models of repeat buying: how often customers will buy, and whether they still do.

What the models share is in ``repeat_buying``; spend a purchase belongs in ``spend``, both together in ``value``.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.special import exprel

from crm_analysis.models.lifetime_value import kernels, pareto_kernels
from crm_analysis.models.lifetime_value.checks import Floats, RepeatPurchases
from crm_analysis.models.lifetime_value.fitting import Objective
from crm_analysis.models.lifetime_value.grouping import Groups, distinct_rows
from crm_analysis.models.lifetime_value.repeat_buying import RepeatPurchaseModel


class BGNBD(RepeatPurchaseModel):
    """
    BG/NBD: customers buy at rates of their own, and may leave after each repeat purchase.

    Notes
    -----
    A customer buys at random times with a rate from a gamma distribution (shape r, rate alpha, a time), and after each repeat purchase
    leaves for good with a probability from a beta distribution (a, b). Who has not bought again is active for certain.

    The expectation is that of the paper's equation 10, summed in positive terms instead of a hypergeometric function, which
    holds for a = 1, for hundreds of purchases and for any horizon.

    References
    ----------
    Fader, Hardie, Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD Model", Marketing Science 24(2).

    Examples
    --------
    >>> import pandas as pd
    >>> often = pd.DataFrame({"frequency": [0, 1, 4, 9], "recency": [0, 10, 70, 30], "T": [80, 80, 80, 80]})
    >>> model = BGNBD().fit(pd.concat([often] * 5))
    >>> bool(model.chance_active(often)[2] > model.chance_active(often)[3])
    True
    """

    _NAMES = ("r", "alpha", "a", "b")
    _TIMES = ("alpha",)
    _SHIFT: ClassVar[int] = 0

    def _objective(self, groups: Groups) -> Objective:
        columns = (groups.frequency, groups.counts, groups.times, groups.recency_place, groups.T_place)

        def second_order(logs: Floats) -> tuple[float, Floats, Floats]:
            return kernels.geometric_likelihood(np.exp(logs), *columns, self._SHIFT)

        return Objective(lambda logs: second_order(logs)[:2], groups.n_customers, second_order)

    def _starts(self, rate: float) -> list[tuple[float, ...]]:
        return [(0.5, 0.5 / rate, 0.5, 2.0), (1.0, 0.5 / rate, 1.0, 1.0), (3.0, 3.0 / rate, 0.2, 4.0)]

    def _log_odds_gone(self, purchases: RepeatPurchases) -> Floats:
        return kernels.geometric_log_odds(
            self._values(), purchases.frequency, purchases.recency, purchases.T, self._SHIFT
        )

    def _purchases_if_active(self, frequency: Floats, T: Floats, horizons: Floats, weights: Floats) -> Floats:
        order = np.argsort(horizons)
        return kernels.geometric_purchases(self._values(), frequency, T, horizons[order], weights[order], self._SHIFT)


class MBGNBD(BGNBD):
    """
    MBG/NBD: as BG/NBD, but customers may also leave right after their first purchase.

    Notes
    -----
    So a customer without a repeat purchase may have left, as one would think of most of them.

    References
    ----------
    Batislam, Denizel, Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis", International
    Journal of Research in Marketing 24(3).

    Examples
    --------
    >>> import pandas as pd
    >>> often = pd.DataFrame({"frequency": [0, 1, 4, 9], "recency": [0, 10, 70, 30], "T": [80, 80, 80, 80]})
    >>> model = MBGNBD().fit(pd.concat([often] * 5))
    >>> bool(model.chance_active(often)[0] < 1)
    True
    """

    _SHIFT = 1


class ParetoNBD(RepeatPurchaseModel):
    """
    Pareto/NBD: customers buy at rates of their own, and may leave at any time.

    Notes
    -----
    Purchases as in :class:`BGNBD` (r, alpha); a customer's lifetime is exponential with a rate from a gamma distribution (shape s, rate
    beta, a time). The likelihood is reckoned as a short integral over the time of leaving, which equals the difference of
    hypergeometric functions of the literature for alpha below, at and above beta.

    References
    ----------
    Schmittlein, Morrison, Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do Next?", Management Science
    33(1). Fader, Hardie (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions".

    Examples
    --------
    >>> import pandas as pd
    >>> often = pd.DataFrame({"frequency": [0, 1, 4, 9], "recency": [0, 10, 70, 30], "T": [80, 80, 80, 80]})
    >>> model = ParetoNBD().fit(pd.concat([often] * 5))
    >>> bool(model.chance_active(often)[2] > model.chance_active(often)[3])
    True
    """

    _NAMES = ("r", "alpha", "s", "beta")
    _TIMES = ("alpha", "beta")

    def _objective(self, groups: Groups) -> Objective:
        columns = (groups.frequency, groups.recency, groups.T, groups.counts)
        return Objective(lambda logs: pareto_kernels.pareto_likelihood(np.exp(logs), *columns), groups.n_customers)

    def _starts(self, rate: float) -> list[tuple[float, ...]]:
        return [(0.5, 0.5 / rate, 0.5, 0.5), (1.0, 0.5 / rate, 1.0, 1.0), (3.0, 3.0 / rate, 0.2, 2.0)]

    def _log_odds_gone(self, purchases: RepeatPurchases) -> Floats:
        columns, inverse = distinct_rows(purchases.frequency, purchases.recency, purchases.T)
        return pareto_kernels.pareto_log_odds(self._values(), *columns)[inverse]

    def _purchases_if_active(self, frequency: Floats, T: Floats, horizons: Floats, weights: Floats) -> Floats:
        """Return the rate's mean times the expected time to come, which is a logarithm at s = 1."""
        r, alpha, s, beta = self._values()
        sums = np.zeros(len(T))
        for horizon, weight in zip(horizons, weights, strict=True):
            logarithm = np.log1p(horizon / (beta + T))
            sums += weight * (beta + T) * logarithm * exprel(-(s - 1) * logarithm)
        return np.asarray((r + frequency) / (alpha + T) * sums, dtype=float)
