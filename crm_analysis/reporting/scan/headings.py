"""
Headings of columns: which stand above customers' ids or telephone numbers.

What stands below them is read in :mod:`crm_analysis.reporting.scan.tabular`.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from crm_analysis.reporting.scan.words import heading_words
from crm_analysis.tables.schema import CANONICAL

_ID_WORDS = frozenset({"id", "ids", "identifier", "uuid", "guid"})
_NUMBERED = frozenset({"no", "nr", "number", "key", "code", "ref", "reference"})
_PEOPLE = ("account", "buyer", "client", "consumer", "customer", "household", "member", "person", "shopper", "user")
_TELEPHONES = frozenset({"phone", "phones", "telephone", "tel", "mobile", "fax", "msisdn", "telefon", "handy"})
_CANONICAL_THINGS = {
    name.removesuffix("_id") for table in CANONICAL.values() for name in table.columns if name.endswith("_id")
}
_OTHER_THINGS = (_CANONICAL_THINGS - {"customer"}) | {
    "basket", "branch", "category", "cluster", "event", "group", "invoice", "item", "leaf", "model", "order", "report",
    "row", "rule", "run", "segment", "session", "shop", "sku", "store", "team", "ticket",
}  # fmt: skip


class Below(Enum):
    """What stands below a heading: ids, perhaps ids (figures may count customers), telephone numbers, or neither."""

    IDS = "ids"
    PERHAPS_IDS = "perhaps ids"
    TELEPHONES = "telephones"
    OTHER = "other"


@lru_cache(maxsize=65536)
def below(heading: str, own: tuple[str, ...] = ()) -> Below:
    """
    Return what stands below a heading.

    Parameters
    ----------
    heading : str
        As it is written.
    own : tuple of str
        What the source calls the customers' ids.

    Returns
    -------
    Below
        Ids: ``customer_id``, the source's own names, and whatever ends in id unless it is the id of something else.
        Perhaps ids: whatever else speaks of customers.

    Examples
    --------
    >>> [below(heading).value for heading in ("Customer ID", "customerid", "caller_id", "case_id", "customers")]
    ['ids', 'ids', 'ids', 'other', 'perhaps ids']
    """
    words = heading_words(heading)
    whole = "".join(words)
    if not words:
        return Below.OTHER
    if whole in {"".join(heading_words(name)) for name in own} or _ends_in_id(words) or _is_person(whole, words):
        return Below.IDS
    if not _TELEPHONES.isdisjoint(words):
        return Below.TELEPHONES
    return Below.PERHAPS_IDS if "customer" in whole else Below.OTHER


def _ends_in_id(words: list[str]) -> bool:
    """Return whether a heading ends in id, and not in that of another thing."""
    return words[-1] in _ID_WORDS and _OTHER_THINGS.isdisjoint(words)


def _is_person(whole: str, words: list[str]) -> bool:
    """Return whether a heading is a customer's number, whether or not there are spaces in it."""
    numbered = len(words) == 2 and words[0] in _PEOPLE and words[1] in _NUMBERED
    return numbered or whole == "customer" or whole in {f"{person}id" for person in _PEOPLE}
