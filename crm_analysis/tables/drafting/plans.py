"""
One table of a first dataset file: what is taken, how it is read and repaired, and what is unsure.

How it is decided belongs in :mod:`crm_analysis.tables.drafting.planning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm_analysis.tables.drafting.matching import Match
from crm_analysis.tables.drafting.profiles import Profile
from crm_analysis.tables.schema import CANONICAL, kind_of


@dataclass
class TablePlan:
    """
    What the dataset file will say of one table.

    Attributes
    ----------
    match : Match
        Which table, and which column is which.
    files : tuple of pathlib.Path
        Of one kind, with the same columns.
    columns : mapping
        The files' columns, described.
    personal : mapping
        Column that identifies people directly, to what it holds.
    extra : dict
        Name to source column, of columns kept beside the canonical ones.
    offered : dict
        The same, of columns that are only offered.
    format : dict
        How text is written.
    query : str or None
        SQL over the files.
    cleaning : dict
        Rule to its argument and why it is proposed.
    remarks : dict
        Key of an entry, such as ``columns.amount``, to what is unsure about it.
    doubts : list of str
        What is unsure, a sentence each.
    """

    match: Match
    files: tuple[Path, ...]
    columns: Mapping[str, Profile]
    personal: Mapping[str, str]
    extra: dict[str, str] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)
    format: dict[str, Any] = field(default_factory=dict)
    query: str | None = None
    cleaning: dict[str, tuple[Any, str]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        """The canonical table."""
        return self.match.table

    def of_kind(self, *kinds: str) -> list[Profile]:
        """
        Return the taken columns of some kinds.

        Parameters
        ----------
        *kinds : str
            Kinds of canonical columns.

        Returns
        -------
        list of Profile
            Described.
        """
        declared = CANONICAL[self.table].columns
        return [self.columns[name] for column, name in self.match.columns.items() if kind_of(declared[column]) in kinds]

    def doubt(self, key: str, remark: str, sentence: str) -> None:
        """
        Note what is unsure.

        Parameters
        ----------
        key : str
            The entry, such as ``columns.amount``.
        remark : str
            A few words beside it.
        sentence : str
            The same, standing by itself.
        """
        before = self.remarks.get(key)
        self.remarks[key] = f"{before}; {remark}" if before and before.startswith("unsure") else f"unsure: {remark}"
        self.doubts.append(sentence)


def shown(name: str) -> str:
    """
    Return the name of a column fit for a comment.

    Parameters
    ----------
    name : str
        As the file has it.

    Returns
    -------
    str
        Printable, and not too long.
    """
    printable = "".join(char if char.isprintable() else "?" for char in name)
    return printable if len(printable) <= 40 else f"{printable[:39]}…"
