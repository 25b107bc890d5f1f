"""
The last look at a folder before it is published: every written file, for secrets and for direct identifiers.

How identifiers are searched belongs in :mod:`crm_analysis.reporting.scan.search`; what follows from a finding belongs to the
caller.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from crm_analysis.errors import MAX_EXAMPLES
from crm_analysis.reporting.scan.contents import UnreadableError, contents
from crm_analysis.reporting.scan.headings import Below, below
from crm_analysis.reporting.scan.identifiers import (
    CUSTOMER_ID,
    IdentifierSource,
    Leak,
    is_birth_date,
    is_telephone,
    masked,
)
from crm_analysis.reporting.scan.numbers import days_in, numbers_in
from crm_analysis.reporting.scan.search import DAY, NUMBER, Finder, Index, Sought
from crm_analysis.reporting.scan.secrets import SecretSearch
from crm_analysis.reporting.scan.tabular import Asked, Cells, Content, Passage
from crm_analysis.reporting.scan.words import BREAK, folded, readings, vocabulary, words_in
from crm_analysis.tables.references import HIDDEN, Secret

SECRET, UNREADABLE, LINK = "a secret", "unreadable", "a link"
_TABULAR = frozenset({".csv", ".tsv", ".parquet", ".xlsx", ".xlsm"})
_SOUGHT_AT_ONCE = 200_000


@dataclass(frozen=True)
class _File:
    """A file or folder to look at, and what may be in it."""

    path: Path
    name: str
    allows_ids: bool

    @property
    def is_list(self) -> bool:
        """Whether its rows are customers or their cases."""
        pure = PurePosixPath(self.name)
        return "tables" in pure.parts[:-1] or not _TABULAR.isdisjoint(pure.suffixes)


def scan_folder(
    folder: Path,
    *,
    secrets: Sequence[Secret],
    identifiers: IdentifierSource,
    ids_allowed_in: Callable[[str], bool],
    common_words: Collection[str] = frozenset(),
) -> list[Leak]:
    """
    Return what in a folder must not be published.

    Parameters
    ----------
    folder : pathlib.Path
        With all its files and folders; links are not followed.
    secrets : sequence of Secret
        Passwords and keys that the run knew.
    identifiers : IdentifierSource
        Direct identifiers and clear ids found in the data.
    ids_allowed_in : callable
        Whether a file, given relative to the folder with ``/``, was asked for with clear ids.
    common_words : collection of str
        What says nothing about anybody: :func:`~crm_analysis.reporting.scan.words.package_vocabulary`, texts of the dataset
        file and the suite, levels of categorical columns that enough customers share.

    Returns
    -------
    list of Leak
        Sorted, at most five of one kind in a file; empty: nothing was found.

    Notes
    -----
    *Secrets* of four characters or more are looked for as they are spelt in raw bytes, in unpacked and decoded contents, and in
    base64 from eight characters on; below eight characters only where no letter or digit touches them. Shorter ones would be
    found anywhere and are not looked for.

    *Names, addresses, e-mail addresses* of six characters or more (one of Chinese, Japanese, Korean or Thai counts twice) are
    looked for without regard to case and accents; in names and addresses anything may stand between the words, such as a line
    break. What consists of common words and common pairs of words only is passed over, an e-mail address never.

    *Telephone numbers* are compared by digits, see :func:`~crm_analysis.reporting.scan.numbers.numbers_in`, with and without a
    country's code.

    *Birth dates* are looked for in lists only (``tables/``, CSV, Parquet and Excel files), since elsewhere any day of the calendar
    would be somebody's; the query should leave out the report's own period and days that other columns hold.

    *Customer ids* of eight characters or more with a letter are looked for anywhere, others below headings that speak of ids.

    What cannot be read is itself a finding, and so is a link.
    """
    files, leaks = _entries(folder, ids_allowed_in)
    index, search = Index(identifiers), SecretSearch(secrets)
    for file in files:
        leaks += _first_look(file, index, search)
    index.complete()
    leaks += index.noted_leaks()
    sought = index.sought(vocabulary(common_words))
    while batch := list(islice(sought, _SOUGHT_AT_ONCE)):
        found = [leak for file in files for leak in _second_look(file, batch)]
        leaks += found
        if found and len(batch) == _SOUGHT_AT_ONCE:
            break  # many identifiers occur, and some are told: the others would make another hundred passes
    return sorted(set(leaks))


def _entries(folder: Path, ids_allowed_in: Callable[[str], bool]) -> tuple[list[_File], list[Leak]]:
    """Return all files and folders, and those that are neither."""
    files, leaks = [], []
    for parent, folders, names in os.walk(folder, onerror=_raise):
        for path in (Path(parent, name) for name in sorted(folders + names)):
            name = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                files.append(_File(path, name, ids_allowed_in(name)))
            else:
                leaks.append(Leak(name, LINK if stat.S_ISLNK(mode) else UNREADABLE, "", "no regular file"))
    return files, leaks


def _raise(error: OSError) -> None:
    raise error


def _said(file: _File, asked: Asked) -> Iterator[Content]:
    """Yield a file's name and contents."""
    yield Passage(file.name, "its name")
    if not file.path.is_dir():
        yield from contents(file.path.read_bytes(), file.path.name, asked)


def _first_look(file: _File, index: Index, search: SecretSearch) -> list[Leak]:
    """Return secrets in a file, and add to the index what may be identifiers."""
    leaks: list[Leak] = []
    own = tuple(index.source.id_headings)
    try:
        if not file.path.is_dir() and search.is_in_bytes(file.path.read_bytes()):
            leaks.append(Leak(file.name, SECRET, "", HIDDEN))
        for content in _said(file, lambda heading: below(heading, own) is not Below.OTHER):
            if isinstance(content, Cells):
                _note_cells(content, file, index)
            elif _add_passage(content, file, index, search) and len(leaks) < MAX_EXAMPLES:
                leaks.append(Leak(file.name, SECRET, content.where, HIDDEN))
    except Exception as error:  # noqa: BLE001 - whatever its reader fails with, a file that was not read is not published
        leaks.append(_unreadable(file, error))
    return leaks


def _add_passage(passage: Passage, file: _File, index: Index, search: SecretSearch) -> bool:
    """Add a passage's words, numbers and days to the index; return whether it holds a secret."""
    columns = index.source.columns
    has_secret = False
    for number, text in enumerate(readings(passage.text)):
        has_secret = has_secret or search.is_in(text)
        index.add_words(words_in(folded(text)), ids=not file.allows_ids)
        if any(is_telephone(column.kind) for column in columns):
            places = _Places(passage, text, is_written=number == 0)
            for digits, start in numbers_in(text):
                index.note(NUMBER, digits, file=file.name, place=places.at(start))
        if file.is_list and any(is_birth_date(column.kind) for column in columns):
            places = _Places(passage, text, is_written=number == 0)
            for day, start in days_in(text):
                index.note(DAY, day, file=file.name, place=places.at(start))
    return has_secret


def _note_cells(cells: Cells, file: _File, index: Index) -> None:
    """Add to the index what stands below a heading."""
    kind = below(cells.heading, tuple(index.source.id_headings))
    place = f"{cells.where}, column {cells.heading}".removeprefix(", ")
    if kind is Below.TELEPHONES:
        for text in cells.texts:
            for digits, _ in numbers_in(text, of_telephones=True):
                index.note(NUMBER, digits, file=file.name, place=place)
    elif index.source.ids is not None and not file.allows_ids:
        for text in set(cells.texts):
            index.note(kind.value, _id_key(text), file=file.name, place=place)


def _id_key(text: str) -> str:
    """Return a cell as ids are compared: a whole number has neither decimals nor commas."""
    if text.isalnum():
        return folded(text)
    key = folded(text.strip().strip("'\""))
    number = key.replace(",", "")
    whole, _, decimals = number.partition(".")
    return whole if whole.isdigit() and not decimals.strip("0") else key


def _second_look(file: _File, batch: Sequence[Sought]) -> Iterator[Leak]:
    """Yield identifiers that stand in a file as a whole, at most five of one kind."""
    finder = Finder(one for one in batch if not (file.allows_ids and one.label == CUSTOMER_ID))
    told: dict[str, set[Leak]] = {}
    try:
        for one, where in _occurrences(file, finder):
            leaks = told.setdefault(one.label, set())
            if len(leaks) < MAX_EXAMPLES:
                leaks.add(Leak(file.name, one.label, where, masked(one.spelling)))
    except Exception as error:  # noqa: BLE001 - as at the first look
        yield _unreadable(file, error)
    yield from chain.from_iterable(told.values())


def _occurrences(file: _File, finder: Finder) -> Iterator[tuple[Sought, str]]:
    """Yield the identifiers in a file, and where they stand."""
    for content in _said(file, lambda _: False):
        if isinstance(content, Passage):
            for number, text in enumerate(map(folded, readings(content.text))):
                places = _Places(content, text, is_written=number == 0)
                yield from ((one, places.at(start)) for one, start in finder.found_in(text))


def _unreadable(file: _File, error: Exception) -> Leak:
    """Return that a file could not be read; only messages made here are known to tell nothing of it."""
    return Leak(file.name, UNREADABLE, "", str(error) if isinstance(error, UnreadableError) else type(error).__name__)


class _Places:
    """Where in a passage its characters stand; lines and rows are counted in what was written, not in other readings."""

    def __init__(self, passage: Passage, text: str, *, is_written: bool) -> None:
        self._where, self._text = passage.where, text
        self._unit = passage.unit if is_written else ""
        self._mark = BREAK if passage.unit == "row" else "\n"
        self._counted, self._number = 0, passage.first

    def at(self, start: int) -> str:
        """Return the place of a character that does not stand before the last one asked for."""
        if not self._unit:
            return self._where
        self._number += self._text.count(self._mark, self._counted, start)
        self._counted = max(self._counted, start)
        return f"{self._where}, {self._unit} {self._number}".removeprefix(", ")
