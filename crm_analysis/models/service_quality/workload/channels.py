"""
Which channels are live: a customer waits there for an answer, so that staffing by waiting times makes sense.

Elsewhere (letters, email, forms) cases wait for hours without harm, and only the work they make is planned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from crm_analysis.errors import ParamsError, listed
from crm_analysis.tables.privacy.suppression import small

_LIVE = re.compile(r"phone|(?<!\w)(?:chat|call|tel|telefon|hotline)|电话|聊天|热线", re.IGNORECASE)


@dataclass(frozen=True)
class LiveCases:
    """
    Which cases come over live channels.

    Attributes
    ----------
    is_live : pandas.Series of bool
        By case, in the order of the cases.
    names : tuple of str
        The live channels, sorted; empty where all cases are taken as live.
    note : str
        Why all cases are taken as live; empty where they are not.
    """

    is_live: pd.Series
    names: tuple[str, ...]
    note: str = ""


def live_cases(courses: pd.DataFrame, *, live_channels: Sequence[str] | None = None, min_cell: int = 1) -> LiveCases:
    """
    Tell cases of live channels from others.

    Parameters
    ----------
    courses : pandas.DataFrame
        A row a case: ``customer_id``, ``channel`` (missing allowed).
    live_channels : sequence of str, optional
        The live ones; default: those whose name speaks of phone, chat, call or hotline.
    min_cell : int
        Fewest customers of either kind; with fewer, all cases are taken together.

    Returns
    -------
    LiveCases
        All cases, with a note, where no channel is known to be live, or all are.

    Raises
    ------
    ParamsError
        A given channel does not occur.

    Examples
    --------
    >>> cases = pd.DataFrame({"customer_id": ["a", "b", "c"], "channel": ["Phone", "email", "web form"]})
    >>> live_cases(cases).is_live.tolist()
    [True, False, False]
    """
    known = sorted(set(courses["channel"].dropna()))
    if live_channels is not None:
        _check(live_channels, known)
    names = tuple(known if live_channels is None else sorted(set(live_channels)))
    names = tuple(name for name in names if live_channels is not None or _LIVE.search(name))
    is_live = courses["channel"].isin(names)
    everything = pd.Series(True, index=courses.index)  # noqa: FBT003  # a value, not a switch
    if not names:
        note = (
            "No channel is known to be live (parameter live_channels), so all cases are staffed as if customers waited."
        )
        return LiveCases(everything, (), note)
    sides = [courses.loc[rows, "customer_id"].nunique() for rows in (is_live, ~is_live)]
    if small(sides, min_cell=min_cell).any():
        return LiveCases(
            everything, (), "Live and other channels are not told apart: one of them is about too few customers."
        )
    return LiveCases(is_live, names)


def _check(live_channels: Sequence[str], known: Sequence[str]) -> None:
    """Raise where a channel is given that no case has."""
    unknown = sorted(set(live_channels) - set(known))
    if unknown or not live_channels:
        shown = listed([f"{name!r}" for name in known]) if known else "  none"
        raise ParamsError(
            f"live_channels names {len(unknown)} of {len(set(live_channels))} channels that no case in service_cases has: "
            f"{unknown[:5]}. The channels are:\n{shown}\nName some of them, or leave live_channels out."
        )
