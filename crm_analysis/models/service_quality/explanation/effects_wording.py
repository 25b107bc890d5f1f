"""
What would help, in sentences: how a share goes with a lever, which move saves most, and what is adjusted for.

The figures are computed in :mod:`crm_analysis.models.service_quality.explanation.effects`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.models.service_quality.encoding import NOT_GIVEN
from crm_analysis.models.service_quality.wording import (
    ENDED,
    attribute_in_words,
    in_words,
    points_in_words,
    signed_points,
)
from crm_analysis.tables.privacy.suppression import left_out_in_words

LOWER, HIGHER, WITHIN_CHANCE = "lower beyond chance", "higher beyond chance", "within chance"
TOO_FEW, NO_OVERLAP = "too few customers", "no comparable cases"
FIRST_RESPONSE = "first_response"
_WORDS = {FIRST_RESPONSE: "first response", "opened_at": "day of the opening"}


def lever_in_words(levels: pd.DataFrame, lever: str, outcome: str, now: float) -> list[str]:
    """
    Say how the share of the outcome goes with one lever.

    Parameters
    ----------
    levels : pandas.DataFrame
        As :class:`~crm_analysis.models.service_quality.explanation.effects.WhatWouldHelp` has them.
    lever : str
        Which lever.
    outcome : str
        Which outcome.
    now : float
        Its present share.

    Returns
    -------
    list of str
        A sentence.
    """
    word, n_levels = word_of_lever(lever), int((levels["lever"] == lever).sum())
    part = levels[(levels["lever"] == lever) & levels["share"].notna()]
    if n_levels == 1:
        nobody = levels.loc[levels["lever"] == lever, "level"].eq(NOT_GIVEN).all()
        return [f"By {word} there is nothing to compare: {'no case has one' if nobody else 'there is one only'}."]
    if len(part) < 2:
        like = "what share there would be if all cases were handled like those of one"
        return [f"By {word}, no two levels have enough comparable cases to say {like}."]
    best, worst = part.iloc[0], part.iloc[-1]
    if part["reading"].isin([LOWER, HIGHER]).any():
        told = (
            f"Among like cases (adjusted for case mix) the share that {ENDED.get(outcome, outcome)} goes with the {word}: from "
            f"{_share(best)} for {best['level']} to {_share(worst)} for {worst['level']}, against {now:.0%} at present; this is "
            "an association."
        )
        return [told]
    return [f"Adjusted for case mix, no association of the {word} with the outcome lies beyond chance."]


def word_of_lever(name: str) -> str:
    """
    Return what a lever, or an attribute adjusted for, is called.

    Parameters
    ----------
    name : str
        A column, or ``first_response``.

    Returns
    -------
    str
        In plain words.
    """
    return _WORDS.get(name) or attribute_in_words(name)


def _share(row: pd.Series) -> str:
    return f"{row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})"


def moves_in_words(moves: pd.DataFrame, outcome: str) -> list[str]:
    """
    Name for each lever the move with the most cases fewer, of those lower beyond chance.

    Parameters
    ----------
    moves : pandas.DataFrame
        As :class:`~crm_analysis.models.service_quality.explanation.effects.WhatWouldHelp` has them.
    outcome : str
        Which outcome.

    Returns
    -------
    list of str
        A sentence a lever; none where no move is lower beyond chance.
    """
    sentences = []
    for lever in dict.fromkeys(moves["lever"]):
        part = moves[(moves["lever"] == lever) & (moves["reading"] == LOWER)]
        if part.empty:
            continue
        row = part.loc[part["fewer_a_month"].idxmax()]
        a_month = row["cases_a_month"]
        sentences.append(
            f"If the cases of “{row['cases_of']}” ({a_month:,.0f} a month) were handled like those of "
            f"“{row['handled_like']}”, the association, adjusted for case mix, comes to {points_in_words(row['change'])} "
            f"({signed_points(row['low'])} to {signed_points(row['high'])}) in the share that {ENDED.get(outcome, outcome)}: "
            f"{_fewer(row['fewer_a_month'])} of them a month ({_fewer(-a_month * row['high'])} to "
            f"{_fewer(-a_month * row['low'])}), if all else stayed the same."
        )
    return sentences


def _fewer(number: float) -> str:
    return f"{number:,.0f} fewer" if number >= 0 else f"{-number:,.0f} more"


def notes_on_levers(levels: pd.DataFrame, adjusted: dict[str, tuple[str, ...]], *, min_cell: int) -> tuple[str, ...]:
    """
    Say what is adjusted for, which levels have no figure, and what is hidden.

    Parameters
    ----------
    levels : pandas.DataFrame
        All levels.
    adjusted : dict of str to tuple of str
        Attributes by lever.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    tuple of str
        Sentences.
    """
    notes = []
    adjusted = {lever: names for lever, names in adjusted.items() if (levels["lever"] == lever).sum() > 1}
    common = [name for name in next(iter(adjusted.values()), ()) if all(name in names for names in adjusted.values())]
    if common:
        notes.append(f"Adjusted for: {in_words([word_of_lever(name) for name in common])}.")
    for lever, names in adjusted.items():
        own = [word_of_lever(name) for name in names if name not in common]
        if own or not common:
            notes.append(
                f"By {word_of_lever(lever)}, {'also adjusted' if common else 'adjusted'} for: {in_words(own) if own else 'nothing'}."
            )
    levels = levels[levels.groupby("lever")["level"].transform("size") > 1]  # of one only it is said that there is one
    for reading, why in ((NO_OVERLAP, "the cases are not comparable"), (TOO_FEW, "they have too few customers")):
        part = levels[levels["reading"] == reading]
        if len(part):
            is_private = min_cell > 1 and reading == TOO_FEW  # a name would tell who is rare
            notes.append(
                _uncounted(part)
                if is_private
                else f"No figure for all cases handled like {in_words(list(part['level']))}: {why}."
            )
    left_out = left_out_in_words(min_cell, levels["n_cases"])
    return (*notes, left_out) if left_out else tuple(notes)


def _uncounted(part: pd.DataFrame) -> str:
    """How many levels have no figure, without their names."""
    words = in_words([word_of_lever(name) for name in dict.fromkeys(part["lever"])])
    are = f"{len(part)} level{'s' if len(part) > 1 else ''} of {words}"
    return f"No figure for {are}: too few customers, or figures that would give such away."
