"""
Why cases go wrong in one result: what a model's probabilities rest on, what would help, and whom its errors meet.

The pieces have modules of their own in this folder; this one asks them in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.explaining.importance import CARRIES
from crm_analysis.models.service_quality.disclosure import in_tens
from crm_analysis.models.service_quality.explanation.directions import Directions, case_directions
from crm_analysis.models.service_quality.explanation.drivers import READINGS, Drivers, case_drivers, rates_by_level
from crm_analysis.models.service_quality.explanation.effects import WhatWouldHelp, what_would_help
from crm_analysis.models.service_quality.explanation.effects_wording import LOWER, word_of_lever
from crm_analysis.models.service_quality.explanation.fairness import Fairness, fairness
from crm_analysis.models.service_quality.wording import signed_points
from crm_analysis.tables.privacy.suppression import left_out_in_words

Predict = Callable[[pd.DataFrame], npt.NDArray[np.float64]]

N_DIRECTIONS = 4
N_MOVES = 10
READABLE_MOVES = ("by", "cases of", "handled like", "cases a month", "change, points", "fewer a month")
_DECIMALS = {"comparable_cases": 0, "cases_a_month": 0, "fewer_a_month": 0}


@dataclass(frozen=True)
class Explanation:
    """
    What goes with an outcome, and what to make of it.

    Attributes
    ----------
    drivers : Drivers
        What the probabilities rest on, measured on later cases.
    levels : pandas.DataFrame
        Share of the outcome by level of the attributes that carry most, over all cases with a known outcome.
    directions : Directions
        How they move along the attributes that carry most.
    help : WhatWouldHelp or None
        How the share of the outcome goes with what can be changed; None where there are too few cases.
    fairness : Fairness
        Outcome and errors by customer group.
    notes : tuple of str
        What is left out, and why.
    """

    drivers: Drivers
    levels: pd.DataFrame
    directions: Directions
    help: WhatWouldHelp | None
    fairness: Fairness
    notes: tuple[str, ...]

    @property
    def headline(self) -> tuple[str, ...]:
        """What goes most with the outcome, and the first of what would help."""
        return (*self.drivers.sentences[:1], *(self.help.sentences[:1] if self.help else ()))

    @property
    def sentences(self) -> tuple[str, ...]:
        """All else there is to say, with how to read it."""
        helps = self.help.sentences[1:] if self.help else ()
        notes = (*(self.help.notes if self.help else ()), *self.notes)
        directed = self.directions.sentences[:-1]  # the last says how to read them, as the drivers' does
        said = (*directed, *self.drivers.sentences[1:], *helps, *self.fairness.sentences, *notes)
        return tuple(dict.fromkeys(said))

    @property
    def moves(self) -> pd.DataFrame:
        """The ten moves with the most cases fewer a month, of those lower beyond chance; without rows where none is."""
        if self.help is None:
            return pd.DataFrame()
        lower = self.help.moves[self.help.moves["reading"] == LOWER]
        return (
            lower.nlargest(N_MOVES, "fewer_a_month")
            .drop(columns="reading")
            .round({"cases_a_month": 0, "fewer_a_month": 0})
        )

    @property
    def readable_moves(self) -> pd.DataFrame:
        """The same moves for people: the change of the share in points, with its interval, in one cell; whole numbers."""
        table = self.moves
        if table.empty:
            return pd.DataFrame(columns=list(READABLE_MOVES))
        cells = zip(table["change"], table["low"], table["high"], strict=True)
        points = [
            f"{signed_points(change)} ({signed_points(low)} to {signed_points(high)})" for change, low, high in cells
        ]
        columns = (
            table["lever"].map(word_of_lever),
            table["cases_of"],
            table["handled_like"],
            table["cases_a_month"].round().astype("Int64"),
            pd.Series(points, index=table.index),
            table["fewer_a_month"].round().astype("Int64"),
        )
        return pd.DataFrame(dict(zip(READABLE_MOVES, columns, strict=True))).reset_index(drop=True)


def explained(
    predict: Predict,
    holdout: pd.DataFrame,
    *,
    past: pd.DataFrame,
    courses: pd.DataFrame,
    outcome: str,
    review_share: float,
    groups: pd.DataFrame | None = None,
    seed: int,
    min_cell: int = 1,
    is_rounded: bool = False,
) -> Explanation:
    """
    Explain the probabilities of an outcome.

    Parameters
    ----------
    predict : callable
        Takes a table like `holdout`, returns a probability a row; fitted on earlier cases.
    holdout : pandas.DataFrame
        Features and outcome of later cases.
    past : pandas.DataFrame
        Features and outcome of all cases whose outcome is known.
    courses : pandas.DataFrame
        How cases went: ``case_id`` and ``first_response_hours``.
    outcome : str
        The column that holds the outcome.
    review_share : float
        Share of the cases that are flagged for a review.
    groups : pandas.DataFrame, optional
        Attributes of customers, by ``customer_id``.
    seed : int
        Start of everything random.
    min_cell : int
        Least number of customers that a figure is about.
    is_rounded : bool
        Whether counts of cases are told in tens, as those of the split are.

    Returns
    -------
    Explanation
        Tables and sentences; associations all of them.
    """
    drivers = case_drivers(predict, holdout, outcome=outcome, seed=seed, min_cell=min_cell)
    carrying = drivers.alone.loc[drivers.alone["reading"] == READINGS[CARRIES], "attribute"]
    chosen = [str(name) for name in carrying[:N_DIRECTIONS]]
    levels = rates_by_level(past, outcome=outcome, attributes=chosen, min_cell=min_cell)
    directions = case_directions(predict, holdout, outcome=outcome, attributes=chosen, min_cell=min_cell)
    by_case = None
    if groups is not None and len(groups.columns):
        by_case = groups.reindex(holdout["customer_id"]).set_axis(holdout["case_id"], axis="index")
    likely = pd.Series(np.asarray(predict(holdout), dtype=float))
    fair = fairness(holdout, likely, outcome=outcome, review_share=review_share, groups=by_case, min_cell=min_cell)
    try:
        helps = what_would_help(past, outcome=outcome, courses=courses, seed=seed, min_cell=min_cell)
        missing: tuple[str, ...] = ()
    except TooFewRecordsError as error:
        helps, missing = None, (f"What would help is not told. {error}",)
    left_out = left_out_in_words(min_cell, _told(levels, len(past)))
    levels = in_tens(levels, ["n_cases"]) if is_rounded else levels
    notes = (*directions.notes, *fair.notes, left_out, *missing)
    return Explanation(drivers, levels, directions, helps, fair, tuple(dict.fromkeys(note for note in notes if note)))


def _told(levels: pd.DataFrame, n_cases: int) -> pd.Series:
    """Return the cases told of by attribute; missing where levels are left out."""
    told = levels.groupby("attribute")["n_cases"].sum()
    return told.astype(float).where(told == n_cases)
