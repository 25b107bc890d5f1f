# ruff: noqa: S608 - the queries are the caller's own SQL, and nothing that was read is put into any
"""
The search for identifiers: which of millions stand in some files, asked the other way round.

The files' words go into the catalogue, and only identifiers all of whose words occur there come out of it, to be looked for in
the files themselves. How files are read belongs in :mod:`crm_analysis.reporting.scan.contents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from crm_analysis.errors import MAX_EXAMPLES
from crm_analysis.reporting.scan.headings import Below
from crm_analysis.reporting.scan.identifiers import (
    CUSTOMER_ID,
    IdentifierSource,
    Leak,
    is_birth_date,
    is_telephone,
    masked,
)
from crm_analysis.reporting.scan.numbers import MIN_DIGITS, NATIONAL_DIGITS, days_in
from crm_analysis.reporting.scan.words import BREAK, folded, is_common, n_characters, word_starts, words_in

MIN_CHARACTERS = 6
MIN_ID_CHARACTERS = 8
NUMBER, DAY = "number", "day"
_BATCH = 200_000
_HAS_LETTER = "regexp_matches(key, '\\p{L}')"
_ON_ONE_LINE = f"replace(text, chr({ord(BREAK)}), ' ')"
_IDS, _PERHAPS_IDS = Below.IDS.value, Below.PERHAPS_IDS.value


class Sought(NamedTuple):
    """An identifier all of whose words occur somewhere in the files."""

    label: str
    words: tuple[str, ...]
    spelling: str
    is_exact: bool

    def is_at(self, text: str, start: int) -> bool:
        """
        Return whether what begins at a place, with its words, is spelt as it is where that matters.

        Parameters
        ----------
        text : str
            Folded.
        start : int
            Where its first word begins.

        Returns
        -------
        bool
            False for c_0001 where c-0001 is sought.
        """
        if not self.is_exact:
            return True
        first = start - self.spelling.index(self.words[0])
        around = text[max(0, first - 1) : max(0, first)] + " " + text[first + len(self.spelling) :][:1]
        return text.startswith(self.spelling, max(0, first)) and not any(letter.isalnum() for letter in around)


class Finder:
    """
    A search for many identifiers in one pass over the words of a text.

    Parameters
    ----------
    sought : iterable of Sought
        What to look for.
    """

    def __init__(self, sought: Iterable[Sought]) -> None:
        self._by_words: dict[tuple[str, ...], list[Sought]] = {}
        self._lengths: dict[str, set[int]] = {}
        for one in sought:
            self._by_words.setdefault(one.words, []).append(one)
            self._lengths.setdefault(one.words[0], set()).add(len(one.words))

    def found_in(self, text: str) -> Iterator[tuple[Sought, int]]:
        """
        Yield what stands in a text.

        Parameters
        ----------
        text : str
            Folded.

        Yields
        ------
        tuple of Sought and int
            An identifier, and where it begins.
        """
        row = words_in(text)
        if self._lengths.keys().isdisjoint(row):
            return
        starts: list[int] = []
        for number, word in enumerate(row):
            for length in self._lengths.get(word, ()):
                for one in self._by_words.get(tuple(row[number : number + length]), ()):
                    starts = starts or word_starts(text)
                    if one.is_at(text, starts[number]):
                        yield one, starts[number]


@dataclass
class Index:
    """
    What the files hold, in temporary tables beside the identifiers.

    Attributes
    ----------
    source : IdentifierSource
        What must not be found.
    """

    source: IdentifierSource
    _words: dict[bool, set[str]] = field(default_factory=lambda: {True: set(), False: set()})
    _notes: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cursor = self.source.connection.cursor()
        self._cursor.execute("CREATE TEMP TABLE written (word VARCHAR, ids BOOLEAN)")
        self._cursor.execute("CREATE TEMP TABLE noted (kind VARCHAR, key VARCHAR, file VARCHAR, place VARCHAR)")

    def add_words(self, words: Iterable[str], *, ids: bool) -> None:
        """
        Add words of a file.

        Parameters
        ----------
        words : iterable of str
            As :func:`~crm_analysis.reporting.scan.words.words_in` returns them.
        ids : bool
            Whether clear ids are forbidden in it.
        """
        self._words[ids].update(words)
        if len(self._words[ids]) >= _BATCH:
            self._flush()

    def note(self, kind: str, key: str, *, file: str, place: str) -> None:
        """
        Note what may be an identifier by itself.

        Parameters
        ----------
        kind : str
            A telephone number, a day, or what stands below a heading.
        key : str
            Written as it is compared.
        file, place : str
            Where it is.
        """
        self._notes.setdefault((kind, key, file), place)
        if len(self._notes) >= _BATCH:
            self._flush()

    def complete(self) -> None:
        """Finish: everything has been added."""
        self._flush()
        self._cursor.execute("CREATE TEMP TABLE words AS SELECT word, bool_or(ids) AS ids FROM written GROUP BY word")

    def noted_leaks(self) -> Iterator[Leak]:
        """
        Yield the notes that are identifiers.

        Yields
        ------
        Leak
            At most five of one kind in a file.
        """
        for column in self.source.columns:
            if is_telephone(column.kind):
                yield from self._matches(column.label, _telephones(column.query), [NUMBER])
            elif is_birth_date(column.kind):
                yield from self._matches(column.label, self._days(column.query), [DAY])
        if self.source.ids is not None:
            ids = f"SELECT trim(text) AS key FROM ({_plain(self.source.ids)})"
            yield from self._matches(CUSTOMER_ID, ids, [_IDS])
            yield from self._matches(CUSTOMER_ID, f"FROM ({ids}) WHERE {_HAS_LETTER}", [_PERHAPS_IDS])

    def sought(self, common: frozenset[str]) -> Iterator[Sought]:
        """
        Yield the identifiers all of whose words occur in the files.

        Parameters
        ----------
        common : frozenset of str
            Words and pairs of words that say nothing about anybody.

        Yields
        ------
        Sought
            E-mail addresses and ids to be found as they are spelt, others whatever is between their words.
        """
        for column in self.source.columns:
            if not is_telephone(column.kind) and not is_birth_date(column.kind):
                is_exact = "mail" in column.kind
                for words, spelling in self._occurring(column.query, MIN_CHARACTERS, ids=False):
                    if is_exact or not is_common(words, common):
                        yield Sought(column.label, words, spelling, is_exact)
        if self.source.ids is not None:
            lettered = (
                f"SELECT key FROM (SELECT trim(text) AS key FROM ({_plain(self.source.ids)})) WHERE {_HAS_LETTER}"
            )
            for words, spelling in self._occurring(lettered, MIN_ID_CHARACTERS, ids=True):
                if _has_figure(spelling) or not is_common(words, common):  # nobody's word, even if a notebook names it
                    yield Sought(CUSTOMER_ID, words, spelling, is_exact=True)

    def _occurring(self, query: str, least: int, *, ids: bool) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield values of enough characters all of whose words occur, as words and as they are spelt."""
        words = "SELECT word FROM words" + (" WHERE ids" if ids else "")
        self._cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE near AS
            WITH plain AS MATERIALIZED ({_plain(query)}),
            begun AS MATERIALIZED (
                SELECT text FROM plain WHERE strlen(text) = length(text) AND length(text) >= {least}
                AND regexp_extract(text, '^[^a-z0-9]*([a-z0-9]+)', 1) IN ({words})
            )
            SELECT DISTINCT trim(text) AS spelling, trim(regexp_replace(text, '[^a-z0-9]+', ' ', 'g')) AS key FROM begun
            WHERE regexp_extract(text, '([a-z0-9]+)[^a-z0-9]*$', 1) IN ({words}) AND length(trim(text)) >= {least}"""
        )
        self._add_beyond_ascii(query, least)
        found = self._cursor.execute(
            f"""SELECT key, spelling
            FROM (SELECT key, spelling, unnest(string_split(key, ' ')) AS word FROM near WHERE key <> '')
            LEFT JOIN (SELECT word, 1 AS here FROM ({words})) USING (word)
            GROUP BY key, spelling HAVING count(*) = count(here)"""
        )
        while rows := found.fetchmany(_BATCH):
            yield from ((tuple(key.split(" ")), spelling) for key, spelling in rows)

    def _add_beyond_ascii(self, query: str, least: int) -> None:
        """Add values in other letters, which only Python folds as the files' words were folded."""
        reader = self.source.connection.cursor().execute(
            f"SELECT DISTINCT {_ON_ONE_LINE} FROM ({_plain(query)}) WHERE strlen(text) <> length(text)"
        )
        while rows := reader.fetchmany(_BATCH):
            spellings = [text.strip() for text in folded(BREAK.join(row[0] for row in rows)).split(BREAK)]
            kept = [text for text in spellings if n_characters(text) >= least]
            self._insert("near", {"spelling": kept, "key": [" ".join(words_in(text)) for text in kept]})

    def _matches(self, label: str, keys: str, kinds: Sequence[str]) -> Iterator[Leak]:
        """Yield notes of some kinds whose key is among those of a query, one for each place."""
        wanted = ", ".join(f"'{kind}'" for kind in kinds)
        rows = self._cursor.execute(
            f"""SELECT file, place, min(noted.key) FROM noted JOIN ({keys}) AS keys USING (key) WHERE kind IN ({wanted})
            GROUP BY file, place QUALIFY row_number() OVER (PARTITION BY file ORDER BY place) <= {MAX_EXAMPLES}"""
        ).fetchall()
        yield from (Leak(file, label, place, masked(key)) for file, place, key in rows)

    def _days(self, query: str) -> str:
        """Return SQL for days as they are compared, which are few."""
        texts = self._cursor.execute(f"SELECT DISTINCT text FROM ({_plain(query)})").fetchall()
        days = {day for (text,) in texts for day, _ in days_in(text)}
        self._cursor.execute("CREATE OR REPLACE TEMP TABLE days (key VARCHAR)")
        self._insert("days", {"key": list(days)})
        return "FROM days"

    def _flush(self) -> None:
        """Move what was added into the catalogue."""
        for ids, words in self._words.items():
            self._insert("written", {"word": list(words), "ids": [ids] * len(words)})
            words.clear()
        names = ("kind", "key", "file")
        notes = {name: [keys[number] for keys in self._notes] for number, name in enumerate(names)}
        self._insert("noted", {**notes, "place": list(self._notes.values())})
        self._notes.clear()

    def _insert(self, table: str, columns: Mapping[str, Sequence[object]]) -> None:
        """Add rows to a temporary table."""
        if any(columns.values()):
            self._cursor.register("added", pa.table(columns))
            self._cursor.execute(f"INSERT INTO {table} SELECT * FROM added")
            self._cursor.unregister("added")


def _has_figure(text: str) -> bool:
    """Return whether a figure stands in a text."""
    return any(letter.isdigit() for letter in text)


def _plain(query: str) -> str:
    """Return SQL for the values of a query in lower case and without accents."""
    text = "strip_accents(lower(CAST(value AS VARCHAR)))"
    return f"SELECT {text} AS text FROM ({query}) AS source(value) WHERE value IS NOT NULL"


def _telephones(query: str) -> str:
    """Return SQL for telephone numbers as they are compared: digits without leading zeros, with and without a country's code."""
    number = "replace(regexp_extract(text, '[0-9(+][^a-z]*'), '(0)', '')"
    digits = f"SELECT DISTINCT ltrim(regexp_replace({number}, '[^0-9]', '', 'g'), '0') AS digits FROM ({_plain(query)})"
    return f"""SELECT substr(digits, 1 + cut) AS key FROM ({digits}), range(4) AS cuts(cut)
        WHERE length(digits) - cut >= CASE cut WHEN 0 THEN {MIN_DIGITS} ELSE {NATIONAL_DIGITS} END"""
