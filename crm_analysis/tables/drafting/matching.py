"""
Which canonical table a file is, and which of its columns is which: by name, then checked against what the column holds.

The words are in :mod:`crm_analysis.tables.drafting.vocabulary`; a file is written in :mod:`crm_analysis.tables.drafting.draft`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm_analysis.tables.drafting.profiles import Profile
from crm_analysis.tables.drafting.vocabulary import CURRENCY_CODES, column_phrases, file_words, words
from crm_analysis.tables.schema import CANONICAL, dated_by, kind_of, required_columns

_LEAST = 0.55  # of a name's likeness, from which a column is taken
_CLOSE = 0.06  # within which two likenesses are as good
_LABELS = frozenset({"category", "channel", "priority", "team", "region"})
_GENERIC_WORDS = """account art bon bought buyer caller canal canales case class client cliente closed code comment contact control cost count customer
    date datum day description details due fecha group gruppe guest id issue item items kunde land location member message name no note
    number nummer opened order origin paid party pays position price product produit produkt queue rating reason received reference request
    resolved retail sales sent service shop state status store subject team text ticket time tipo total type units user value via visitor wert
    amount"""
_GENERIC = frozenset(_GENERIC_WORDS.split())  # too little beside another word: a "delivery date" is not the purchase's
_MAX_LABELS, _MAX_LABEL_LENGTH = 1_000, 60
_UNIQUE = 0.98
_GAPS = 0.1  # of likeness, lost by a required column without any value
_LACKING = 0.1  # share of lines without an amount, from which it is one of the order and not of the line
_REQUIRED_WEIGHT, _FILE_WEIGHT = 3.0, 2.5
_MARGIN = 2.0  # by which a table must lead the next for the choice to be sure


@dataclass(frozen=True)
class Match:
    """
    A table that a file may be.

    Attributes
    ----------
    table : str
        A canonical table.
    columns : mapping
        Canonical column to the file's own.
    score : float
        How well it fits; comparable between tables for one file.
    rivals : mapping
        Canonical column to the file's other columns that could be meant.
    misfits : mapping
        Canonical column to a column of that name that holds something else, with what.
    """

    table: str
    columns: Mapping[str, str]
    score: float
    rivals: Mapping[str, tuple[str, ...]]
    misfits: Mapping[str, tuple[str, str]]

    @property
    def missing(self) -> list[str]:
        """Required columns that were not found; an amount is no loss beside quantity and price."""
        priced = {"quantity", "unit_price"} <= self.columns.keys()
        return [
            name
            for name in required_columns(self.table)
            if name not in self.columns and not (name == "amount" and priced)
        ]


def likeness(name: str, phrase: tuple[str, ...]) -> float:
    """
    Return how well a column's name says a phrase.

    Parameters
    ----------
    name : str
        The column's own name.
    phrase : tuple of str
        Words.

    Returns
    -------
    float
        1 for the same words, down to 0.

    Examples
    --------
    >>> likeness("Customer ID", ("customer", "id")), likeness("birthday", ("day",))
    (1.0, 0.0)
    """
    own = _without_currency(words(name))
    if not own or not phrase:
        return 0.0
    if own == phrase or "".join(own) == "".join(phrase):
        return 1.0
    if set(own) == set(phrase):
        return 0.95
    shared = len(set(own) & set(phrase))
    if shared == len(phrase) and not set(phrase) <= _GENERIC:  # the phrase and more: "order date in local time"
        return 0.4 + 0.4 * shared / len(own)
    joined, wanted = "".join(own), "".join(phrase)
    compound = len(wanted) >= 5 or (len(wanted) >= 2 and wanted > "㐀")
    if (
        compound and joined.endswith(wanted) and len(own) == 1 and not set(phrase) <= _GENERIC
    ):  # German and Chinese put words together
        return 0.5 + 0.3 * len(wanted) / len(joined)
    return 0.0


def _without_currency(own: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what an amount is counted in: "amount_usd" is an amount."""
    return tuple(word for word in own if word.upper() not in CURRENCY_CODES and word not in {"euro", "in"}) or own


def name_scores(name: str, table: str) -> dict[str, float]:
    """
    Return how well a column's name says each column of a canonical table.

    Parameters
    ----------
    name : str
        The column's own name.
    table : str
        A canonical table.

    Returns
    -------
    dict
        Canonical column to likeness, where it is large enough to count.
    """
    scores = {}
    for column, phrases in column_phrases(table).items():
        best = max(likeness(name, phrase) - 0.001 * min(rank, 50) for rank, phrase in enumerate(phrases))
        if best >= _LEAST:
            scores[column] = best
    return scores


def misfit(profile: Profile, column: str, table: str) -> str | None:
    """
    Say why a column cannot be a canonical one, by what it holds.

    Parameters
    ----------
    profile : Profile
        The column.
    column : str
        The canonical column.
    table : str
        Its table.

    Returns
    -------
    str or None
        What it holds instead; None where it fits.
    """
    if profile.stored == "unusable":
        return "records within a record"
    if profile.n == 0:
        return "no values" if column in required_columns(table) else None
    kind = kind_of(CANONICAL[table].columns[column])
    if kind == "time":
        return None if profile.times else "values that are no times"
    if kind in {"money", "number", "count"}:
        return _no_number(profile, column, kind)
    if kind == "flag":
        return None if profile.is_flag else f"{profile.distinct:,} different values that are not yes or no"
    return _no_text(profile, column)


def _no_number(profile: Profile, column: str, kind: str) -> str | None:
    if not profile.is_number:
        return "values that are no numbers"
    if kind == "count" and not profile.is_whole:
        return "numbers that are not whole"
    if column == "satisfaction" and not set(profile.counts) <= {str(grade) for grade in range(1, 6)}:
        return "numbers outside 1 to 5"
    return None


def _no_text(profile: Profile, column: str) -> str | None:
    if profile.times and not profile.times.epoch:
        return "times"
    if column in _LABELS:
        many = profile.distinct > _MAX_LABELS or profile.mean_length > _MAX_LABEL_LENGTH
        return "free text or too many different values" if many else None
    if column == "text":
        return None if profile.mean_length > 8 and not profile.is_number else "short labels"
    if profile.has_fractions:
        return "numbers that are not whole"
    return "long texts" if profile.mean_length > _MAX_LABEL_LENGTH else None


def matches(columns: Mapping[str, Profile], *, stem: str) -> list[Match]:
    """
    Return the canonical tables that a file may be, the likeliest first.

    Parameters
    ----------
    columns : mapping
        The file's columns, described; those that identify people directly left out.
    stem : str
        The file's name without its ending.

    Returns
    -------
    list of Match
        One for each canonical table.
    """
    found = [_match(columns, table, stem) for table in CANONICAL]
    return sorted(found, key=lambda match: -match.score)


def is_sure(found: Sequence[Match]) -> bool:
    """
    Say whether the likeliest table leads clearly.

    Parameters
    ----------
    found : sequence of Match
        As :func:`matches` returns them.

    Returns
    -------
    bool
        Whether it lacks nothing required and leads the next by a margin.
    """
    return not found[0].missing and found[0].score - found[1].score >= _MARGIN


def _match(columns: Mapping[str, Profile], table: str, stem: str) -> Match:
    misfits: dict[str, tuple[str, str]] = {}
    scored: list[tuple[float, str, str]] = []
    for name, profile in columns.items():
        for column, score in name_scores(name, table).items():
            reason = misfit(profile, column, table)
            if reason is None:
                scored.append((score - _loss(profile, column, table), column, name))
            elif column not in misfits and score > 0.7:
                misfits[column] = (name, reason)
    taken = _assigned(scored)
    if table == "transactions":
        taken = _with_amount(_priced(taken, columns))
    rivals = _rivals(scored, taken)
    misfits = {column: found for column, found in misfits.items() if column not in taken}
    taken = {column: taken[column] for column in CANONICAL[table].columns if column in taken}
    return Match(table, taken, _score(columns, table, taken, stem), rivals, misfits)


def _loss(profile: Profile, column: str, table: str) -> float:
    """Return what a column loses by its gaps: of two that sound alike, the fuller one is meant where every row needs a value."""
    if profile.n == 0:
        return 0.2
    gaps = profile.n_missing / (profile.n + profile.n_missing)
    return _GAPS * gaps if column in required_columns(table) else 0.0


def _priced(taken: dict[str, str], columns: Mapping[str, Profile]) -> dict[str, str]:
    """Leave out an amount that most lines of an order lack, where each line has its quantity and price."""
    if not {"amount", "quantity", "unit_price"} <= taken.keys():
        return taken
    lacking = {column: columns[taken[column]].n_missing for column in ("amount", "quantity", "unit_price")}
    total = columns[taken["amount"]].n + lacking["amount"]
    if lacking["amount"] < _LACKING * total or max(lacking["quantity"], lacking["unit_price"]) > 0.01 * total:
        return taken
    return {column: name for column, name in taken.items() if column != "amount"}


def _assigned(scored: list[tuple[float, str, str]]) -> dict[str, str]:
    """Give each canonical column its likeliest column, each column once."""
    taken: dict[str, str] = {}
    for _, column, name in sorted(scored, key=lambda entry: -entry[0]):
        if column not in taken and name not in taken.values():
            taken[column] = name
    return taken


def _with_amount(taken: dict[str, str]) -> dict[str, str]:
    """A price without a quantity is the amount of the line."""
    if "unit_price" in taken and not {"quantity", "amount"} & taken.keys():
        return {"amount" if column == "unit_price" else column: name for column, name in taken.items()}
    return taken


def _rivals(scored: list[tuple[float, str, str]], taken: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the columns left over whose names say a canonical column as well as the one taken."""
    best = {
        column: score
        for score, column, name in scored
        if taken.get(column) == name and words(name) != words(column)  # a canonical name is beyond doubt
    }
    rivals: dict[str, tuple[str, ...]] = {}
    for score, column, name in scored:
        if name not in taken.values() and column in best and score >= best[column] - _CLOSE:
            rivals[column] = (*rivals.get(column, ()), name)
    return rivals


def _score(columns: Mapping[str, Profile], table: str, taken: Mapping[str, str], stem: str) -> float:
    """Add up what was found; what must be there and is not counts against it."""
    required = [name for name in required_columns(table) if name != "amount"]
    score = sum(_REQUIRED_WEIGHT if name in taken else -_REQUIRED_WEIGHT for name in required)
    score += len([name for name in taken if name not in required])
    if table == "transactions":
        priced = "amount" in taken or {"quantity", "unit_price"} <= taken.keys()
        score += _REQUIRED_WEIGHT if priced else -_REQUIRED_WEIGHT
        score += any(
            profile.times for profile in columns.values()
        )  # where names tell nothing, dated rows are purchases
    if table == "customers":
        score += _customers_score(columns[taken["customer_id"]]) if "customer_id" in taken else -2 * _REQUIRED_WEIGHT
    if file_words()[table] & {*words(stem), *(word.rstrip("s") for word in words(stem))}:
        score += _FILE_WEIGHT
    return score


def _customers_score(ids: Profile) -> float:
    """A table of customers has each of them once."""
    return 2.0 if ids.distinct >= _UNIQUE * ids.n else -5.0


def useful_columns(columns: Mapping[str, Profile], match: Match) -> list[str]:
    """
    Return the columns with no canonical name that a report may group or compare by.

    Parameters
    ----------
    columns : mapping
        The file's columns, described.
    match : Match
        The table it is.

    Returns
    -------
    list of str
        Labels, flags and numbers; no free text, no ids, nothing that is always the same.
    """
    left = [profile for name, profile in columns.items() if name not in match.columns.values()]
    return [profile.name for profile in left if _is_useful(profile)]


def _is_useful(profile: Profile) -> bool:
    if profile.distinct < 2 or profile.stored == "unusable" or profile.times:
        return False
    if profile.is_number and not _is_running(profile):
        return True
    return profile.distinct <= min(50, max(2, profile.n / 2)) and profile.mean_length <= _MAX_LABEL_LENGTH


def _is_running(profile: Profile) -> bool:
    """Say whether whole numbers are nearly all different, as those of an id are."""
    return profile.is_whole and profile.distinct > 0.5 * profile.n and profile.distinct > 20


def time_columns(match: Match) -> list[str]:
    """
    Return the canonical times that were found, the one that dates the row first.

    Parameters
    ----------
    match : Match
        A table.

    Returns
    -------
    list of str
        Canonical columns.
    """
    times = [name for name in match.columns if kind_of(CANONICAL[match.table].columns[name]) == "time"]
    return sorted(times, key=lambda name: name != dated_by(match.table))
