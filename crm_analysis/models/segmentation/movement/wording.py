"""
What movement between segments says, in words that hold.

The figures are made in :mod:`crm_analysis.models.segmentation.movement.result`.
"""

from __future__ import annotations

import pandas as pd

from crm_analysis.models.segmentation.describing.naming import NOISE_NAME
from crm_analysis.models.segmentation.movement.chance import FEWER, MORE, WITHIN, Chance
from crm_analysis.models.segmentation.movement.matrix import CHANGED
from crm_analysis.models.segmentation.movement.pairing import BACK, FIRST, LEFT, UNRANKED
from crm_analysis.models.segmentation.movement.result import Movement

N_FLOWS = 2
SMALL_SHARE = 0.01
_DIRECTIONS = {"up": "moved up", "down": "moved down", UNRANKED: f"went {UNRANKED}", "left": "dropped out"}


def movement_verdict(movement: Movement) -> str:
    """
    Sum movement up for somebody who reads nothing else.

    Parameters
    ----------
    movement : Movement
        The result.

    Returns
    -------
    str
        A paragraph: how many changed, whether chance explains it, where the excess is, what revenue moved, who arrived.
    """
    if movement.reason:
        return movement.reason
    segments = [name for name in movement.order if name != NOISE_NAME]
    lonely = "There is only one segment, so that nobody can move up or down." if len(segments) == 1 else ""
    sentences = [_seen(movement), lonely, *_against_chance(movement), _revenue(movement.totals), _arrivals(movement)]
    return " ".join(sentence for sentence in sentences if sentence)


def movement_results(movement: Movement) -> dict[str, float | None]:
    """
    Return what a run records of movement.

    Parameters
    ----------
    movement : Movement
        The result.

    Returns
    -------
    dict
        ``share_changed``, ``share_up``, ``share_down`` and ``share_left`` of the customers at the earlier day, and
        ``share_changed_by_chance``; None where it is not known or not shown.
    """
    results = {f"share_{name}": _known(movement.totals["share"][name]) for name in (CHANGED, "up", "down", "left")}
    expected = None if movement.chance is None else _known(movement.chance.totals["expected"][CHANGED])
    return {**results, "share_changed_by_chance": expected}


def _known(share: float) -> float | None:
    """Return a share, or nothing where it is missing."""
    return None if pd.isna(share) else float(share)


def _seen(movement: Movement) -> str:
    """Say how many changed."""
    number, totals = movement.n_before, movement.totals
    who = f"Of the {number:,} {'customer' if number == 1 else 'customers'} on {movement.as_of_before}"
    if pd.isna(totals["share"][CHANGED]):
        return f"{who}, too few changed segment or too few did not to say how many by {movement.as_of}."
    if totals["customers"][CHANGED] == 0:
        return f"{who}, nobody has changed segment by {movement.as_of}."
    dropped = f"dropped out (no purchase in the {movement.history_days} days looked back on)"
    parts = [
        f"{_percent(totals['share'][name])} {dropped if name == 'left' else words}"
        for name, words in _DIRECTIONS.items()
        if totals["share"].get(name, 0.0) > 0  # hidden ones are NaN
    ]
    detail = f": {_listed(parts)}" if parts else ""
    return (
        f"{who}, {totals['share'][CHANGED]:.1%} are no longer in the same segment on {movement.as_of} (95% interval "
        f"{_span(totals, CHANGED)}){detail}."
    )


def _against_chance(movement: Movement) -> list[str]:
    """Say whether chance explains what was seen."""
    chance = movement.chance
    if chance is None:
        return ["How many would have changed by chance alone could not be worked out for these features."]
    row = chance.totals.loc[CHANGED]
    if pd.isna(row["seen"]):
        return []
    own = f" (in the random sample of {chance.n_customers:,} that was looked at, {row['seen']:.1%} did)"
    start = (
        f"If everybody had simply gone on as before, {_span(chance.totals, CHANGED)} would have changed by chance alone"
        f"{own if chance.is_sample else ''}"
    )
    others = [name for name in _DIRECTIONS if chance.totals["against"].get(name) in {MORE, FEWER}]
    beyond = {
        WITHIN: "the number is within chance, the direction is not"
        if others
        else "what is seen is no more than chance",
        MORE: "more changed than chance explains",
        FEWER: "fewer changed than by chance",
    }
    flows = _flows(chance, is_excess=row["against"] == MORE)
    season = (
        ["A season or an event counts as a reason here, not as chance."] if others or row["against"] != WITHIN else []
    )
    return [f"{start}: {beyond[row['against']]}.", *_ways(chance, others), *flows, *season]


def _ways(chance: Chance, names: list[str]) -> list[str]:
    """Say which directions lie outside chance."""
    parts = [
        f"{'more' if chance.totals['against'][name] == MORE else 'fewer'} {_DIRECTIONS[name]} than by chance "
        f"({_percent(chance.totals['seen'][name])} against {_span(chance.totals, name)})"
        for name in names
    ]
    return [_sentence(parts)] if parts else []


def _flows(chance: Chance, *, is_excess: bool) -> list[str]:
    """Name the flows between segments that lie farthest above and below chance; of hidden ones nothing is known."""
    moving = chance.cells[chance.cells["from"] != chance.cells["to"]]
    off = (moving["seen"] - moving["expected"]).abs().sort_values(ascending=False, kind="stable")
    outside = [at for at in off.index if moving["against"][at] in {MORE, FEWER}]
    is_any_hidden = bool((moving["against"] == "").any())
    if not outside:
        return [f"No flow between two segments {'that may be shown ' if is_any_hidden else ''}stands out."]
    if off[outside].max() < SMALL_SHARE * chance.n_customers:
        few = _listed([_flow(moving.loc[at]) for at in outside[:N_FLOWS]])
        of_all = (
            "Of the flows between segments that may be shown, only small ones"
            if is_any_hidden
            else "Only small flows between segments"
        )
        return [f"{of_all} lie outside chance, such as {few}."]
    above = "The excess is mostly" if is_excess and not is_any_hidden else "More went than by chance"
    sentences = []
    for against, words in ((MORE, above), (FEWER, "Fewer went than by chance")):
        parts = [_flow(moving.loc[at]) for at in outside if moving["against"][at] == against][:N_FLOWS]
        if parts:
            sentences.append(f"{words} {_listed(parts)}.")
    return sentences


def _flow(cell: pd.Series) -> str:
    """Return one flow with its figures."""
    to = "to no purchase at all" if cell["to"] == LEFT else f"to “{cell['to']}”"
    return f"from “{cell['from']}” {to} ({cell['seen']:,.0f} customers, by chance {cell['low']:,.0f} to {cell['high']:,.0f})"


def _revenue(totals: pd.DataFrame) -> str:
    """Say what revenue the customers who changed stand for."""
    shares = totals["share_of_spend"]
    parts = [
        f"{_percent(shares[name])} came from customers who {words}"
        for name, words in _DIRECTIONS.items()
        if totals["share"].get(name, 0.0) > 0 and not pd.isna(shares[name])
    ]
    if not parts:
        return ""
    return f"Of the earlier revenue, {_listed(parts)}."


def _arrivals(movement: Movement) -> str:
    """Say who came since."""
    numbers = movement.totals["customers"]
    silence = f"came back after {movement.history_days} days or more without a purchase"
    parts = [
        f"{numbers[name]:,} {words}"
        for name, words in ((FIRST, "bought for the first time since"), (BACK, silence))
        if not pd.isna(numbers[name]) and numbers[name] > 0
    ]
    return f"Of the {movement.n_after:,} customers on {movement.as_of}, {_listed(parts)}." if parts else ""


def _span(table: pd.DataFrame, name: str) -> str:
    """Return an interval in words."""
    low, high = f"{table['low'][name]:.1%}", f"{table['high'][name]:.1%}"
    return low if low == high else f"{low} to {high}"


def _percent(share: float) -> str:
    """Return a share as a percentage; a small one is not said to be none."""
    return "less than 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _sentence(parts: list[str]) -> str:
    """Return parts as a sentence."""
    words = _listed(parts)
    return f"{words[0].upper()}{words[1:]}."


def _listed(parts: list[str]) -> str:
    """Return parts as an enumeration."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
