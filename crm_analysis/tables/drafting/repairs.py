"""
Cleaning rules proposed by what a sample shows, each with its reason.

What the rules do belongs in :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from crm_analysis.tables.cleaning import check_rules
from crm_analysis.tables.drafting.matching import Match
from crm_analysis.tables.drafting.profiles import Profile
from crm_analysis.tables.drafting.samples import Sample
from crm_analysis.tables.schema import dated_by

Proposal = tuple[Any, str]
_LABELS = ("region", "category", "channel", "priority", "team")
_SENTINEL_YEAR = re.compile(r"(?<!\d)(?:0000|0001|1[0-8]\d\d|1900|1970|2999|9999)(?!\d)")
_RARE = 0.05  # below this share of ids, those written differently are exceptions


def proposed_rules(match: Match, columns: Mapping[str, Profile], sample: Sample) -> dict[str, Proposal]:
    """
    Propose cleaning rules.

    Parameters
    ----------
    match : Match
        Which table, and which column is which.
    columns : mapping
        The columns, described.
    sample : Sample
        The rows themselves.

    Returns
    -------
    dict
        Rule to its argument and the reason, in the order in which they are best applied.
    """
    taken = {column: columns[name] for column, name in match.columns.items()}
    found = {
        "drop_exact_duplicates": _duplicates(match, sample),
        "drop_missing_customers": _missing_customers(taken),
        "impossible_dates": _dates(match, taken),
        "returns": _returns(match, taken),
        "zero_prices": _zero_prices(taken),
        "non_product_lines": _non_products(match, taken),
        "spelling": _spelling(taken),
    }
    return {name: rule for name, rule in found.items() if rule is not None and _is_known(name, rule[0], match.table)}


def _is_known(name: str, argument: Any, table: str) -> bool:
    try:
        check_rules({name: argument}, table=table)
    except ValueError:
        return False
    return True


def _duplicates(match: Match, sample: Sample) -> Proposal | None:
    repeated = len(sample.rows) - len(set(sample.rows))
    if not repeated or match.table == "customers":
        return None
    places = [sample.names.index(name) for name in match.columns.values()]
    taken = len(sample.rows) - len({tuple(row[place] for place in places) for row in sample.rows})
    where = "every column" if taken == repeated else f"every column taken above, {repeated:,} of them in all columns"
    return {}, f"{taken:,} of {len(sample.rows):,} rows looked at repeat another one in {where}"


def _missing_customers(taken: Mapping[str, Profile]) -> Proposal | None:
    ids = taken.get("customer_id")
    if ids is None or not ids.n_missing:
        return None
    return {}, f"{ids.n_missing:,} of {ids.n + ids.n_missing:,} rows looked at have none"


def _dates(match: Match, taken: Mapping[str, Profile]) -> Proposal | None:
    times = taken.get(dated_by(match.table))
    if times is None or times.times is None or times.times.epoch:
        return None
    bad = sum(count for value, count in times.counts.items() if _SENTINEL_YEAR.search(value))
    if not bad or bad > times.n / 2:
        return None
    return {"earliest": "1980-01-01"}, f"{bad:,} rows looked at bear a year such as 1900 or 9999"


def _returns(match: Match, taken: Mapping[str, Profile]) -> Proposal | None:
    if match.table != "transactions":
        return None
    profile = taken.get("amount") or taken.get("quantity")
    if profile is None or not profile.negative_share:
        return None
    return (
        "net",
        f"{profile.negative_share:.1%} of {profile.name} is negative: a return counts on its own date; or drop, keep",
    )


def _zero_prices(taken: Mapping[str, Profile]) -> Proposal | None:
    prices = taken.get("unit_price")
    if prices is None:
        return None
    zero = sum(count for value, count in prices.counts.items() if re.fullmatch(r"0*(?:[.,]0*)?", value))
    return ("keep", f"{zero:,} rows looked at have a price of zero: counted; drop leaves them out") if zero else None


def _non_products(match: Match, taken: Mapping[str, Profile]) -> Proposal | None:
    """Postage and fees bear a word where products bear a number."""
    ids = taken.get("product_id")
    if match.table != "transactions" or ids is None:
        return None
    other = {value: count for value, count in ids.counts.items() if not re.search(r"\d", value)}
    if not other or sum(other.values()) > _RARE * ids.n:
        return None
    return (
        {"pattern": "^[^0-9]+$", "treatment": "keep"},
        f"{len(other):,} product ids are words, such as postage or fees: counted; drop leaves them out",
    )


def _spelling(taken: Mapping[str, Profile]) -> Proposal | None:
    found = [(column, taken[column]) for column in _LABELS if column in taken]
    varied = [column for column, profile in found if _variants(profile)]
    if not varied:
        return None
    return dict.fromkeys(varied, "fold"), "labels that differ only in case or spaces count as one"


def _variants(profile: Profile) -> bool:
    folded = Counter(" ".join(value.casefold().split()) for value in profile.counts)
    return any(count > 1 for count in folded.values())
