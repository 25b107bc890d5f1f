"""
Teams beside each other: shares shrunk towards the whole, chances of ranks, and a funnel that knows how few cases say little.

Shares with intervals, each group for itself, are made in :mod:`crm_analysis.models.service_quality.measures.groups`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import betaln, expit
from scipy.stats import binom

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.service_quality.measures.intervals import LEVEL, Grouping, clustered_means

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FUNNEL_LEVELS = (0.95, 0.998)
N_DRAWS = 4000
ENDS_SHARE = 0.2
PRIOR_SIZES = np.geomspace(1.0, 1e6, 61)  # in cases: from next to no likeness of groups to the same share
_MOST_LOGIT = 14.0
_FUNNEL_POINTS = 60
_LEAST_SHARE = 1e-6
_DUST = 1e-9


@dataclass(frozen=True)
class League:
    """
    Groups of cases by the share with an outcome, with what chance would do.

    Attributes
    ----------
    table : pandas.DataFrame
        Index ``group``, highest shrunk share first; ``cases``, ``share`` (raw), ``expected`` (of its case mix; the overall
        share without one), ``adjusted`` (raw ÷ expected × overall), ``shrunk``, ``low``, ``high``, ``rank`` (1 is highest),
        ``rank_low``, ``rank_high``, ``chance_highest``, ``chance_lowest`` (to be among the highest or lowest fifth),
        ``funnel`` (``inside``, ``above 95%``, ``above 99.8%``, and below).
    funnel : pandas.DataFrame
        ``cases``, ``lower_95``, ``upper_95``, ``lower_99.8``, ``upper_99.8``: limits by number of cases.
    overall : float
        The share over all cases, those of groups that are left out included.
    n_ends : int
        How many groups the highest (lowest) fifth are.
    prior_cases : float
        How many cases of the average group the data of each group are mixed with (median); large where groups hardly differ.
    is_adjusted : bool
        Whether the case mix was allowed for.
    design_effect : float
        How many cases count as one, because those of a customer are alike.
    n_hidden : int
        Groups left out, because they are of too few customers or would give such away.
    """

    table: pd.DataFrame
    funnel: pd.DataFrame
    overall: float
    n_ends: int
    prior_cases: float
    is_adjusted: bool
    design_effect: float
    n_hidden: int = 0


def league(
    groups: Grouping, flags: Floats, *, seed: int, expected: Floats | None = None, whole: Flags | None = None
) -> League:
    """
    Return groups beside each other.

    Parameters
    ----------
    groups : Grouping
        Groups of cases.
    flags : numpy.ndarray of float, shape (n_cases,)
        0 or 1; missing where a case does not count.
    seed : int
        Start of the draws of ranks.
    expected : numpy.ndarray of float, shape (n_cases,), optional
        The chance of the flag that the case mix alone leads one to expect.
    whole : numpy.ndarray of bool, shape (n_cases,), optional
        The cases over which the overall share is taken; default: those in a group.

    Returns
    -------
    League
        Of groups with a case that counts.

    Raises
    ------
    TooFewRecordsError
        No case counts.
    DataQualityError
        An expected chance is missing, or not between 0 and 1.

    Notes
    -----
    Empirical Bayes: shares follow a beta distribution around their expected value (beta-binomial), whose mean maximises the
    likelihood; its size is averaged over, each by its likelihood, with a flat prior on the standard deviation between groups,
    so that a few groups that look alike are not taken for the same. Cases count as so many independent ones as they are worth, by the design effect of customers with
    several. Ranks are drawn from the groups' distributions.

    References
    ----------
    Efron, Morris (1975), "Data analysis using Stein's estimator and its generalizations", JASA 70(350). Spiegelhalter (2005),
    "Funnel plots for comparing institutional performance", Statistics in Medicine 24(8). Goldstein, Spiegelhalter (1996),
    "League tables and their limitations", JRSS A 159(3). Gelman (2006), "Prior distributions for variance parameters in
    hierarchical models", Bayesian Analysis 1(3). Kish (1965), "Survey Sampling", for the design effect.
    """
    counted = np.isfinite(flags) & (groups.codes >= 0)
    if not counted.any():
        raise TooFewRecordsError("No case has a known outcome: there is nothing to compare. Use a later as_of.")
    means = clustered_means(flags, groups)
    kept = means.n_cases > 0
    n, raw = means.n_cases[kept].astype(float), means.mean[kept]
    counted = counted if whole is None else np.isfinite(flags) & whole
    overall = float(flags[counted].mean())
    mix = np.full(len(n), overall) if expected is None else _expected(groups, expected, counted)[kept]
    if expected is not None:
        mix = mix * (overall / float(expected[counted].mean()))
    mix = np.clip(mix, _LEAST_SHARE, 1 - _LEAST_SHARE)
    effects = design_effects(groups, flags)[kept]
    worth = np.maximum(n / effects, 1.0)
    centres, weights = _priors(raw * worth, worth, mix, is_given=expected is not None)
    scale = np.ones(len(n)) if expected is None else overall / mix
    names = [str(name) for name, is_kept in zip(groups.names, kept, strict=True) if is_kept]
    table = pd.DataFrame(
        {
            "cases": n.astype(np.int64),
            "share": raw,
            "expected": mix,
            "adjusted": raw * scale,
            **_posterior(raw * worth, worth, centres, weights, scale, names, seed),
            "funnel": _funnel_marks(raw, worth, mix),
        },
        index=pd.Index(names, name="group"),
    )
    order = sorted(range(len(names)), key=lambda at: (-table["shrunk"].iloc[at], names[at]))
    table = table.iloc[order]
    table.insert(list(table.columns).index("high") + 1, "rank", np.arange(1, len(table) + 1))
    effect = float(np.sum(n) / np.sum(worth))
    return League(
        table=table,
        funnel=_funnel(overall, n, effect),
        overall=overall,
        n_ends=_n_ends(len(table)),
        prior_cases=float(PRIOR_SIZES[np.searchsorted(weights.cumsum(), 0.5)]),
        is_adjusted=expected is not None,
        design_effect=effect,
    )


def design_effects(groups: Grouping, flags: Floats) -> Floats:
    """
    Return how many cases of each group count as one independent case.

    Parameters
    ----------
    groups : Grouping
        Groups of cases.
    flags : numpy.ndarray of float
        0 or 1; missing where a case does not count.

    Returns
    -------
    numpy.ndarray of float
        1 + (mean size − 1) × likeness, at least 1; the likeness of a customer's cases is that of all groups together.
    """
    counted = np.isfinite(flags) & (groups.codes >= 0)
    pairs, codes, kept = groups.pairs[counted], groups.codes[counted], flags[counted]
    sizes = np.bincount(pairs, minlength=len(groups.pair_groups)).astype(float)
    n = np.bincount(codes, minlength=groups.n_groups).astype(float)
    squares = np.bincount(groups.pair_groups, weights=sizes**2, minlength=groups.n_groups)
    mean_size = np.divide(squares, n, out=np.ones(groups.n_groups), where=n > 0)
    residuals = kept - (np.bincount(codes, weights=kept, minlength=groups.n_groups) / np.maximum(n, 1))[codes]
    sums = np.bincount(pairs, weights=residuals, minlength=len(sizes))
    plain, beside = float(np.sum(residuals**2)), float(np.sum(sums**2) - np.sum(residuals**2))
    n_pairs = float(np.sum(sizes**2) - np.sum(sizes))
    likeness = (beside / n_pairs) / (plain / len(kept)) if n_pairs > 0 and plain > 0 else 0.0
    return np.asarray(1 + (mean_size - 1) * np.clip(likeness, 0.0, 1.0), dtype=float)


def funnel_limits(share: float | Floats, n: Floats, *, level: float) -> tuple[Floats, Floats]:
    """
    Return the limits within which the share of a group with so many cases lies by chance.

    Parameters
    ----------
    share : float or numpy.ndarray of float
        The true share.
    n : numpy.ndarray of float
        Independent cases.
    level : float
        Chance to lie within.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limits, binomial, interpolated between whole numbers so that they can be drawn as lines.

    Examples
    --------
    >>> low, high = funnel_limits(0.5, np.array([10.0, 1000.0]), level=0.95)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.18, 0.47], [0.82, 0.53])
    """
    whole = np.maximum(np.floor(n), 1)
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        number = binom.ppf(tail, whole, share)
        step = binom.pmf(number, whole, share)
        over = np.divide(binom.cdf(number, whole, share) - tail, step, out=np.zeros_like(whole), where=step > 0)
        ends.append(np.clip((number - over + 0.5) / whole, 0, 1))  # half a case: the line lies between numbers
    return ends[0], ends[1]


def _expected(groups: Grouping, expected: Floats, counted: Flags) -> Floats:
    """Return the mean expected chance of each group."""
    chances = np.where(counted, expected, np.nan)
    is_wrong = counted & ~((expected >= 0) & (expected <= 1))
    if is_wrong.any():
        raise DataQualityError(
            f"{is_wrong.sum():,} of {counted.sum():,} expected chances are missing or not between 0 and 1. Give one for each "
            "case with a known outcome."
        )
    if float(np.nansum(chances)) == 0:
        raise DataQualityError("All expected chances are 0. Give the chances that a model of the case mix expects.")
    return clustered_means(chances, groups).mean


def _priors(yes: Floats, n: Floats, mix: Floats, *, is_given: bool) -> tuple[Floats, Floats]:
    """Return, a row a size of the prior, the prior mean of each group, and how likely each size is."""
    log_losses, centres = np.empty(len(PRIOR_SIZES)), np.empty((len(PRIOR_SIZES), len(n)))
    for at, size in enumerate(PRIOR_SIZES):
        centres[at] = mix if is_given or len(n) < 2 else _best_centre(yes, n, size)
        log_losses[at] = _loss(yes, n, centres[at], size)
    flat = PRIOR_SIZES / (1 + PRIOR_SIZES) ** 1.5  # what a step of the log size is as a step of the standard deviation
    weights = np.exp(log_losses.min() - log_losses) * flat
    return centres, weights / weights.sum()


def _best_centre(yes: Floats, n: Floats, size: float) -> float:
    """Return the mean share of groups that is likeliest under a prior of some size."""
    found = minimize_scalar(
        lambda x: _loss(yes, n, np.full(len(n), expit(x)), size), bounds=(-_MOST_LOGIT, _MOST_LOGIT), method="bounded"
    )
    return float(expit(found.x))


def _loss(yes: Floats, n: Floats, centre: Floats, size: float) -> float:
    """Return minus the log-likelihood of a beta-binomial."""
    a, b = centre * size, (1 - centre) * size
    return -float(np.sum(betaln(a + yes, b + n - yes) - betaln(a, b)))


def _posterior(
    yes: Floats, n: Floats, centres: Floats, weights: Floats, scale: Floats, names: list[str], seed: int
) -> dict[str, Floats]:
    """Return shrunk shares with intervals, and chances of ranks."""
    a = centres * PRIOR_SIZES[:, None] + yes
    b = (1 - centres) * PRIOR_SIZES[:, None] + n - yes
    order = np.argsort(np.array(names, dtype=object), kind="stable")  # draws do not depend on the order of rows
    draws = np.random.default_rng(seed)
    size = draws.choice(len(weights), N_DRAWS, p=weights)
    drawn = np.empty((N_DRAWS, len(n)))
    drawn[:, order] = draws.beta(a[:, order][size], b[:, order][size])
    drawn *= scale
    ranks = (-drawn).argsort(axis=1).argsort(axis=1) + 1
    tails, ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2], _n_ends(len(n))
    low, high = np.quantile(drawn, tails, axis=0)
    return {
        "shrunk": np.asarray(weights @ (a / (a + b)) * scale, dtype=np.float64),
        "low": low,
        "high": high,
        "rank_low": np.quantile(ranks, tails[0], axis=0, method="lower").astype(np.float64),
        "rank_high": np.quantile(ranks, tails[1], axis=0, method="higher").astype(np.float64),
        "chance_highest": np.asarray((ranks <= ends).mean(axis=0), dtype=np.float64),
        "chance_lowest": np.asarray((ranks > len(n) - ends).mean(axis=0), dtype=np.float64),
    }


def _n_ends(n_groups: int) -> int:
    return max(1, round(ENDS_SHARE * n_groups))


def _funnel_marks(share: Floats, worth: Floats, mix: Floats) -> list[str]:
    """Say on which side of which limits each group lies; a share that chance reaches often enough is inside."""
    marks = np.full(len(share), "inside", dtype=object)
    whole = np.maximum(np.floor(worth), 1)
    for level in FUNNEL_LEVELS:
        low, high = (binom.ppf(tail, whole, mix) / whole for tail in ((1 - level) / 2, (1 + level) / 2))
        marks[share < low - _DUST] = f"below {100 * level:g}%"
        marks[share > high + _DUST] = f"above {100 * level:g}%"
    return [str(mark) for mark in marks]


def _funnel(overall: float, n: Floats, effect: float) -> pd.DataFrame:
    """Return the limits over the range of sizes."""
    ends = max(1.0, 0.8 * float(n.min())), 1.1 * float(n.max()) + 1
    sizes = np.unique(np.round(np.geomspace(*ends, _FUNNEL_POINTS))).astype(np.float64)
    columns: dict[str, Floats] = {"cases": sizes}
    for level in FUNNEL_LEVELS:
        low, high = funnel_limits(np.full(len(sizes), overall), np.maximum(sizes / effect, 1.0), level=level)
        columns |= {f"lower_{100 * level:g}": low, f"upper_{100 * level:g}": high}
    return pd.DataFrame(columns)
