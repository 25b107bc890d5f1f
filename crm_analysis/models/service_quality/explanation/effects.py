"""
What would help: how the share of an outcome goes with what the company can change, adjusted for the mix of cases.

Associations, never proof of a cause: whatever bears on both the choice and the outcome without being in the data stays in them.
How a share is standardised belongs in :mod:`crm_analysis.models.service_quality.explanation.standardisation`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control, norm

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.service_quality.disclosure import hidden_shares
from crm_analysis.models.service_quality.encoding import NOT_GIVEN, attributes_of
from crm_analysis.models.service_quality.explanation.clustered import clustered_error, two_sided
from crm_analysis.models.service_quality.explanation.effects_wording import (
    FIRST_RESPONSE,
    HIGHER,
    LOWER,
    NO_OVERLAP,
    TOO_FEW,
    WITHIN_CHANCE,
    lever_in_words,
    moves_in_words,
    notes_on_levers,
)
from crm_analysis.models.service_quality.explanation.standardisation import (
    Estimate,
    Nuisances,
    case_mix,
    customer_folds,
    in_own_order,
    moved_share,
    nuisances,
    share_now,
    standardised_share,
)

LEVERS = ("team", "channel")
MIN_CUSTOMERS = 20
MIN_CASES = 200
MIN_CASES_OF_EITHER = 20
MAX_LEVELS = 8
MAX_CASES = 30_000
CHANCE = 0.05
DAYS_A_MONTH = 365.25 / 12
_NOT_TOLD = "\x00"  # rare levels together, which get no figure
_Z = float(norm.ppf(0.975))
_KNOWN_LATER = ("is_responded", "first_response_hours")  # features of a case that is older than its opening


@dataclass(frozen=True)
class WhatWouldHelp:
    """
    How the share of an outcome goes with what can be changed, among like cases.

    Attributes
    ----------
    outcome : str
        Which outcome.
    adjusted_for : dict of str to tuple of str
        Attributes adjusted for, by lever.
    levels : pandas.DataFrame
        A row a level, lowest share first, lever by lever: ``lever``, ``level``, ``n_cases``, ``customers``, ``raw_share``;
        ``share`` if all cases were handled like this level's, with its 95 % interval ``low`` to ``high``; ``change`` to the
        present share, ``change_low``, ``change_high``; ``comparable_cases`` (effective number the figure rests on);
        ``reading``.
    moves : pandas.DataFrame
        A row for the cases of one level handled like those of another, the lowest first: ``lever``, ``cases_of``,
        ``handled_like``, ``cases_a_month``, ``change`` of these cases' share with ``low`` and ``high``, ``fewer_a_month``
        (cases with the outcome), ``reading``.
    sentences : tuple of str
        What it comes to.
    notes : tuple of str
        How to read it, and what is left out.
    """

    outcome: str
    adjusted_for: dict[str, tuple[str, ...]]
    levels: pd.DataFrame
    moves: pd.DataFrame
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def what_would_help(
    cases: pd.DataFrame,
    *,
    outcome: str,
    levers: Sequence[str] | None = None,
    courses: pd.DataFrame | None = None,
    response_hours: float | None = None,
    seed: int,
    min_cell: int = 1,
) -> WhatWouldHelp:
    """
    Return how the share of an outcome goes with each lever among like cases, and what that comes to a month.

    Parameters
    ----------
    cases : pandas.DataFrame
        Features and outcome (0 or 1) of all cases with a known outcome; customers are drawn where there are more than 30,000.
    outcome : str
        The column that holds the outcome.
    levers : sequence of str, optional
        Columns of levels that the company can change; default: team and channel, where the cases have them.
    courses : pandas.DataFrame, optional
        ``case_id`` and ``first_response_hours``: with them, and ``low_satisfaction``, the first response is a lever too.
    response_hours : float, optional
        Hours within which a first response counts as quick; default: the median, in whole hours.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    WhatWouldHelp
        Levels with fewer than 20 customers have no figures, nor have those without comparable cases, and those of fewer than
        `min_cell` customers in all, with the outcome or without it.

    Raises
    ------
    TooFewRecordsError
        Fewer than 200 cases, or 20 of either outcome.

    Notes
    -----
    Doubly robust estimates (augmented inverse probability weighting), cross-fitted over five folds of customers; errors by
    influence functions, summed by customer. Propensities under 1 % count as 1 %; where that is so for more than 5 % of the
    cases asked about, or the comparison rests on fewer than 20 effective cases, no figure is given. The intervals hold for one
    row; ``reading`` is beyond chance at a false discovery rate of 5 % over all rows of its table (Benjamini–Hochberg). The
    best of many moves looks better than it is.

    Adjusted for is what was known at the opening and does not follow from the lever. The *team* is chosen by the channel and
    the kind of case, so that these are adjusted for; its load is not: it comes with the team, and a case that moves meets the
    other team's. A case's *channel* decides which teams it meets, so that team and load carry part of what goes with the
    channel and are left to move with it. For the *first response* everything at the opening is adjusted for, and only cases
    whose due time lies beyond `response_hours` count, as the others have to be answered sooner. If a desk sets the priority
    after it has seen the case, adjusting for it hides part of what goes with the team.

    References
    ----------
    Robins, Rotnitzky, Zhao (1994), JASA 89(427); Chernozhukov et al. (2018), Econometrics Journal 21(1); Benjamini, Hochberg
    (1995), JRSS B 57(1).
    """
    levers = [name for name in LEVERS if name in cases] if levers is None else list(levers)
    unknown = [name for name in levers if name not in cases]
    if unknown:
        raise ValueError(f"levers must be columns of the cases, got {unknown[:5]!r}")
    known = attributes_of(cases)
    told = [name for name in (*known.levels, *known.numbers) if len(cases[name].unique()) > 1]
    attributes = ["opened_at", *(name for name in told if name not in _KNOWN_LATER)]
    ordered = _drawn(in_own_order(cases, [*attributes, outcome]), seed=seed)
    _check(ordered, outcome, min_cell=min_cell)
    asked = [(name, ordered.assign(lever=ordered[name].astype("str").fillna(NOT_GIVEN))) for name in levers]
    if courses is not None and outcome == "low_satisfaction":
        asked.append((FIRST_RESPONSE, _with_response(ordered, courses, response_hours)))
    adjusted = {lever: tuple(_adjusted_for(lever, attributes)) for lever, _ in asked}
    drawn = len(ordered) / len(cases)
    found = [
        _Lever(lever, table, outcome, adjusted[lever], drawn=drawn, seed=seed, min_cell=min_cell)
        for lever, table in asked
    ]
    levels = _with_reading(pd.concat([lever.levels() for lever in found], ignore_index=True))
    moves = _with_reading(pd.concat([lever.moves() for lever in found], ignore_index=True))
    moves = moves.sort_values(["change", "lever", "cases_of", "handled_like"], ignore_index=True)
    sentences = (
        *(sentence for lever in found for sentence in lever_in_words(levels, lever.name, outcome, lever.now)),
        *moves_in_words(moves, outcome),
    )
    notes = notes_on_levers(levels, adjusted, min_cell=min_cell)
    if drawn < 1:
        notes = (f"Shares rest on {len(ordered):,} of {len(cases):,} cases, drawn by customer.", *notes)
    return WhatWouldHelp(outcome, adjusted, levels, moves, sentences, notes)


class _Lever:
    """One lever: its levels, and what was learnt about cases at each."""

    def __init__(
        self,
        name: str,
        cases: pd.DataFrame,
        outcome: str,
        attributes: Sequence[str],
        *,
        drawn: float,
        seed: int,
        min_cell: int,
    ) -> None:
        self.name, self.customers = name, cases["customer_id"].to_numpy()
        truth = cases[outcome].to_numpy(dtype=float)
        self.now = float(truth.mean()) if len(truth) else math.nan
        span = (cases["opened_at"].max() - cases["opened_at"].min()) / pd.Timedelta(days=1) if len(cases) else 0.0
        self.months = max(float(span), 1.0) / DAYS_A_MONTH * drawn
        self.table = _level_table(cases, truth, min_cell=min_cell)
        self.told = sorted(self.table.index[self.table["reading"] != TOO_FEW])
        merged = cases["lever"].where(cases["lever"].isin(self.told), _NOT_TOLD)
        self.codes = {level: at for at, level in enumerate(self.told)}
        codes = merged.map({**self.codes, _NOT_TOLD: len(self.told)}).to_numpy(dtype=np.intp)
        self.fit: Nuisances | None = None
        if len(self.told) > 1 and 0 < truth.mean() < 1:
            mix = case_mix(cases, attributes)
            self.fit = nuisances(mix, codes, truth, customer_folds(cases, seed=seed))

    def levels(self) -> pd.DataFrame:
        """Return the standardised share of each level."""
        rows = []
        for level in self.table.index:
            share, change = self._estimates(level)
            told = {"share": share, "change": change}
            rows.append({"lever": self.name, "level": level, **_figures(told, self.customers)})
        table = pd.DataFrame(rows, columns=["lever", "level", *_FIGURES]).set_index("level").join(self.table)
        table["reading"] = table["reading"].where(table["reading"] != "", table.pop("overlap"))
        return table.reset_index().sort_values(["share", "level"], ignore_index=True)

    def moves(self) -> pd.DataFrame:
        """Return what differs if the cases of one level were handled like those of another."""
        rows = []
        for level in self.told:
            for like in self.told:
                if like == level or self.fit is None:
                    continue
                change = moved_share(self.fit, self.codes[level], like=self.codes[like])
                figures = _figures({"change": change}, self.customers)
                rows.append({"lever": self.name, "cases_of": level, "handled_like": like, **figures})
        names = ["lever", "cases_of", "handled_like", *_FIGURES]
        table = pd.DataFrame(rows, columns=names).rename(columns={"overlap": "reading"})
        a_month = table["cases_of"].map(self.table["n_cases"].astype(float)) / self.months
        table = table.assign(cases_a_month=a_month, fewer_a_month=-a_month * table["change"].astype(float))
        return table.drop(columns=["share", "low", "high"]).rename(columns={"change_low": "low", "change_high": "high"})

    def _estimates(self, level: str) -> tuple[Estimate | None, Estimate | None]:
        if self.fit is None or level not in self.codes:
            return None, None
        share = standardised_share(self.fit, self.codes[level])
        return share, share.less(share_now(self.fit))


_FIGURES = ("share", "low", "high", "change", "change_low", "change_high", "p_value", "comparable_cases", "overlap")


def _figures(estimates: dict[str, Estimate | None], customers: npt.NDArray[np.object_]) -> dict[str, object]:
    """A share and a change with their intervals, or nothing where cases are not comparable."""
    row: dict[str, object] = dict.fromkeys(_FIGURES, math.nan)
    row["overlap"] = ""
    for name, estimate in estimates.items():
        if estimate is None or not estimate.has_overlap:
            row["overlap"] = NO_OVERLAP
            continue
        error = clustered_error(estimate.influence, customers)
        prefix = "" if name == "share" else "change_"
        ends = (estimate.value - _Z * error, estimate.value + _Z * error)
        ends = (max(ends[0], 0.0), min(ends[1], 1.0)) if name == "share" else ends
        value = min(max(estimate.value, 0.0), 1.0) if name == "share" else estimate.value
        row.update({name: value, f"{prefix}low": ends[0], f"{prefix}high": ends[1]})
        row.update({"p_value": two_sided(estimate.value, error), "comparable_cases": estimate.support})
    return row


def _level_table(cases: pd.DataFrame, truth: npt.NDArray[np.float64], *, min_cell: int) -> pd.DataFrame:
    """Count each level's cases and customers; rare levels beyond the eight commonest are told of by no figure."""
    grouped = (
        cases.assign(truth=truth)
        .groupby("lever")
        .agg(n_cases=("truth", "size"), customers=("customer_id", "nunique"), raw_share=("truth", "mean"))
    )
    grouped = grouped.rename_axis("level").reset_index().sort_values(["n_cases", "level"], ascending=[False, True])
    shown = grouped.head(MAX_LEVELS).set_index("level")
    is_hidden = hidden_shares(truth, cases["lever"], cases["customer_id"], min_cell=min_cell)
    hidden = is_hidden.reindex(shown.index).to_numpy(dtype=bool)
    few = hidden | (shown["customers"] < MIN_CUSTOMERS).to_numpy()
    shown = shown.astype({"n_cases": "Int64", "customers": "Int64"})
    shown[["n_cases", "customers", "raw_share"]] = shown[["n_cases", "customers", "raw_share"]].mask(
        pd.Series(hidden, index=shown.index), axis=0
    )
    return shown.assign(reading=np.where(few, TOO_FEW, ""))


def _with_reading(table: pd.DataFrame) -> pd.DataFrame:
    """Say for each row whether its change lies beyond chance, all rows of the table considered."""
    told = table["p_value"].notna().to_numpy()
    adjusted = np.full(len(table), math.nan)
    if told.any():
        adjusted[told] = false_discovery_control(table.loc[told, "p_value"].to_numpy(dtype=float))
    sign = table["change"].to_numpy(dtype=float)
    beyond = np.where(adjusted <= CHANCE, np.where(sign < 0, LOWER, HIGHER), WITHIN_CHANCE)
    reading = np.where(told, beyond, table["reading"].replace("", NO_OVERLAP))
    return table.assign(reading=reading).drop(columns="p_value")


def _adjusted_for(lever: str, attributes: Iterable[str]) -> list[str]:
    """Everything known at the opening but the lever and what follows from it."""
    kept = [name for name in attributes if name != lever]
    if lever in LEVERS:
        kept = [name for name in kept if name != "team" and not name.startswith("team_")]
    return kept


def _drawn(cases: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw whole customers where there are many cases."""
    if len(cases) <= MAX_CASES:
        return cases
    owner, customers = pd.factorize(cases["customer_id"])
    order = np.random.default_rng(seed).permutation(len(customers))
    kept = np.cumsum(np.bincount(owner)[order]) <= MAX_CASES
    kept[0] = True
    return cases[np.isin(owner, order[kept])]


def _with_response(cases: pd.DataFrame, courses: pd.DataFrame, response_hours: float | None) -> pd.DataFrame:
    """Keep cases with a known first response and time to spare, and tell quick from slow ones."""
    hours = cases["case_id"].map(courses.set_index("case_id")["first_response_hours"]).astype(float)
    within = float(max(1.0, np.floor(hours.median()))) if response_hours is None else float(response_hours)
    if not within > 0:
        within = 1.0
    due = cases["target_hours"] if "target_hours" in cases else pd.Series(math.nan, index=cases.index)
    kept = hours.notna() & ~(due <= within)
    named = np.where(hours <= within, f"within {within:g} hours", f"after {within:g} hours")
    return cases.assign(lever=named)[kept]


def _check(cases: pd.DataFrame, outcome: str, *, min_cell: int) -> None:
    n_yes = int(cases[outcome].sum())
    rarer = min(n_yes, len(cases) - n_yes)
    if len(cases) < MIN_CASES or rarer < MIN_CASES_OF_EITHER:
        counted = f"Of {len(cases)} service cases with a known {outcome}, {rarer} are of the rarer kind: too few"
        uncounted = f"The service cases with a known {outcome}, or those of the rarer kind, are too few"
        raise TooFewRecordsError(
            f"{uncounted if min_cell > 1 else counted} to compare what could be changed ({MIN_CASES} and {MIN_CASES_OF_EITHER} are "
            "needed). Use a longer period or another outcome."
        )
