"""
How often each customer buys: a purchase rate a day, drawn toward those of customers alike.

How much a purchase day brings is in :mod:`crm_analysis.models.segmentation.movement.amounts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

N_RATES = 120
N_REFITS = 10
_ROUNDS = 100
_LEAST_DAYS = 30
_LEAST_PEERS = 100
_MOST_BANDS = 6


@dataclass(frozen=True)
class PurchaseRates:
    """
    What is believed of each customer's purchase rate, given the purchase days seen.

    Attributes
    ----------
    rates : numpy.ndarray, shape (n_rates,)
        Chances of buying on a day.
    cumulated : numpy.ndarray, shape (n_refits, n_kinds, n_rates)
        A row per kind of customer (the same purchase days in the same time): the chance that the rate is at most so high; as
        learned from several resamples of the customers, since others would have taught something else.
    kind : numpy.ndarray, shape (n_customers,)
        Each customer's row.
    """

    rates: Floats
    cumulated: Floats
    kind: Positions

    def drawn(self, draws: np.random.Generator) -> Floats:
        """
        Return a rate a customer, drawn from what is believed of it.

        Parameters
        ----------
        draws : numpy.random.Generator
            Where the random numbers come from.

        Returns
        -------
        numpy.ndarray, shape (n_customers,)
            Chances of buying on a day.
        """
        learned = self.cumulated[draws.integers(len(self.cumulated))]
        # rows lie one after another on one line, so that a single search finds everybody's place
        line = (learned + np.arange(len(learned))[:, None]).ravel()
        at = np.searchsorted(line, self.kind + draws.random(len(self.kind)), side="right")
        return np.asarray(self.rates[np.minimum(at - self.kind * len(self.rates), len(self.rates) - 1)])


def purchase_rates(
    frequency: NDArray[np.int64], observed_days: NDArray[np.int64], is_new: NDArray[np.bool_], *, seed: int
) -> PurchaseRates:
    """
    Learn what is to be believed of each customer's purchase rate.

    Parameters
    ----------
    frequency : numpy.ndarray of int, shape (n_customers,)
        Purchase days within the history.
    observed_days : numpy.ndarray of int, shape (n_customers,)
        Days of the history on which the customer was one.
    is_new : numpy.ndarray of bool, shape (n_customers,)
        Whether the first purchase ever lies within the history.
    seed : int
        Start of the resamples.

    Returns
    -------
    PurchaseRates
        Empirical Bayes: the spread of the rates is learned from all, each customer's from that and the own purchase days.

    Notes
    -----
    On every day a customer buys with a rate of their own. A new customer's first day is a purchase by definition, so that the
    others are counted in the days after it; customers from before the history stand in the table because they bought at
    least once, so that their count is one of those above zero. Customers are compared with those of the same time: the old
    ones form one group, the new ones up to six by their time as a customer; each group gets a free distribution over a grid of
    rates (expectation maximisation from an even start, which is ended early and so stays smooth). It is learned several times,
    with the customers weighted at random.

    References
    ----------
    Laird (1978), "Nonparametric maximum likelihood estimation of a mixing distribution", JASA 73(364), for the free
    distribution; Rubin (1981), "The Bayesian bootstrap", Annals of Statistics 9(1), for the weights; Robbins (1956), "An empirical Bayes approach to statistics", for the idea.
    """
    longest = max(_LEAST_DAYS, int(observed_days.max(initial=1)))
    rates = np.geomspace(0.1 / longest, 0.995, N_RATES)
    triples, kind, counts = np.unique(
        np.column_stack([_peers(observed_days, is_new), frequency, observed_days]),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    draws = np.random.default_rng(seed)
    believed = np.empty((N_REFITS, len(triples), N_RATES))
    for peers in np.unique(triples[:, 0]):
        rows = triples[:, 0] == peers
        fits = _likelihoods(triples[rows, 1], triples[rows, 2], rates, is_new=bool(peers))
        for refit in range(N_REFITS):
            believed[refit, rows] = _believed(fits, draws.gamma(counts[rows]))
    cumulated = np.cumsum(believed, axis=2)
    cumulated /= cumulated[:, :, -1:]
    return PurchaseRates(rates, cumulated, kind.reshape(-1))


def _peers(observed_days: NDArray[np.int64], is_new: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return whom each customer is compared with: 0 for old ones, from 1 on for new ones by the time they have been one."""
    days = observed_days[is_new]
    n_bands = int(np.clip(len(days) // _LEAST_PEERS, 1, _MOST_BANDS))
    edges = np.quantile(days, np.arange(1, n_bands) / n_bands) if len(days) else np.empty(0)
    return np.where(is_new, 1 + np.searchsorted(edges, observed_days, side="left"), 0)


def _likelihoods(frequency: NDArray[np.int64], days: NDArray[np.int64], rates: Floats, *, is_new: bool) -> Floats:
    """Return how well each rate explains each count, each row scaled to its best."""
    if is_new:
        logs = binom.logpmf(frequency[:, None] - 1, np.maximum(days - 1, frequency - 1)[:, None], rates)
    else:
        logs = binom.logpmf(frequency[:, None], np.maximum(days, frequency)[:, None], rates)
        logs -= np.log(-np.expm1(days[:, None] * np.log1p(-rates)))
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _believed(fits: Floats, counts: Floats) -> Floats:
    """Return each row's chances of the rates, with their spread over all rows learned on the way."""
    spread = np.full(fits.shape[1], 1 / fits.shape[1])
    for _ in range(_ROUNDS):
        believed = fits * spread
        believed /= believed.sum(axis=1, keepdims=True)
        spread = counts @ believed / counts.sum()
    believed = fits * spread
    return np.asarray(believed / believed.sum(axis=1, keepdims=True))
