"""
Text in files: how it is written, and a copy that the engine reads where it does not read the file itself.

How lines fall into fields belongs in :mod:`crm_analysis.tables.sources.delimited`, what values mean in
:mod:`crm_analysis.tables.sources.landing`.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_analysis.errors import SourceError
from crm_analysis.tables.sources.archives import WILDCARD, Source, fresh

UTF_8 = "utf-8"
_CHUNK = 1 << 20
_MARKS = (  # utf-32's mark begins with that of utf-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_CONTENT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"%PDF", "a PDF"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)


class TextFormat(BaseModel):
    """
    How text is written: the ``format`` of a dataset file.

    Attributes
    ----------
    encoding : str, optional
        Any text encoding of Python; default: what the byte-order mark says, else UTF-8.
    delimiter : str, optional
        What stands between fields; default: found in the first lines.
    decimal : {".", ","}
        The decimal mark.
    thousands : {".", ",", " ", "'"}, optional
        What groups digits.
    missing : list of str
        Tokens that stand for no value.
    dates : dict
        Column to the format of its times, as for `strptime`.
    sheet : str or int, optional
        A workbook's sheet by its name or its number from 1; default: the first.
    header_line : int
        The line, or a sheet's row, that holds the names of the columns, from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    missing: list[str] = [""]
    dates: dict[str, str] = {}
    sheet: str | Annotated[int, Field(ge=1)] | None = None
    header_line: Annotated[int, Field(ge=1, le=1000)] = 1

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        if encoding is None:
            return None
        try:
            if "a".encode(encoding).decode(encoding) == "a":
                return codecs.lookup(encoding).name
        except (LookupError, ValueError):
            pass
        raise ValueError("is no text encoding; such as utf-8, cp1252, gb18030, utf-16")

    @field_validator("delimiter")
    @classmethod
    def _between_fields(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (delimiter in '"\r\n\0' or delimiter.isalnum()):
            raise ValueError("cannot stand between fields; such as ',', ';', '|' or a tab (\"\\t\")")
        return delimiter

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; they must differ")
        return self


@dataclass
class _Traits:
    """What was seen of a text while it was read."""

    lines: int = 0
    nuls: int = 0
    first_nul_line: int = 0
    beyond_ascii: bool = False
    ends: str | tuple[str, ...] | None = None

    def see(self, text: str) -> None:
        if "\0" in text:
            self.first_nul_line = self.first_nul_line or self.lines + text[: text.index("\0")].count("\n") + 1
            self.nuls += text.count("\0")
        self.lines += text.count("\n")
        self.beyond_ascii = self.beyond_ascii or not text.isascii()


def readable_text(source: Source, text: TextFormat, scratch: Path) -> Path:
    """
    Return a file in UTF-8 with one kind of line end: the source itself, else a copy in `scratch`.

    Parameters
    ----------
    source : Source
        A file with text.
    text : TextFormat
        How it is said to be written.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    pathlib.Path
        In a copy, lines before the header are left out and every line ends with a line feed, those within values too.

    Raises
    ------
    SourceError
        Bytes that are not of the encoding, embedded NULs, or no text at all.
    """
    with source.path.open("rb") as stream:
        head = stream.read(4096)
    encoding = _encoding(source, head, text.encoding)
    traits = _Traits()
    for _ in _texts(source, encoding, traits):
        pass
    if traits.nuls:
        _refuse_nuls(source, traits, head)
    plain = encoding == UTF_8 and traits.ends in {None, "\n", "\r\n"} and text.header_line == 1
    if plain and not WILDCARD.search(str(source.path)):
        return source.path
    copy = fresh(scratch, source.kind)
    with copy.open("w", encoding=UTF_8, newline="") as sink:
        for part in _without_lines(_texts(source, encoding, _Traits()), text.header_line - 1):
            sink.write(part)
    if source.path.parent == scratch:
        source.path.unlink()
    return copy


def likely_encoding(sample: bytes) -> str | None:
    """
    Guess the encoding of bytes that are not UTF-8.

    Parameters
    ----------
    sample : bytes
        Some lines, beginning at a line's start.

    Returns
    -------
    str or None
        ``utf-16-le``, ``utf-16-be``, ``gb18030``, ``cp1251`` or ``cp1252``; None: none of them.

    Examples
    --------
    >>> likely_encoding("Müller, café".encode("cp1252")), likely_encoding("客户满意".encode("gb18030"))
    ('cp1252', 'gb18030')
    """
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[start::2].count(0) > len(sample) / 4:
            return encoding
    runs = re.findall(rb"[\x80-\xff]+", sample)
    pairs = [run[place] for run in runs for place in range(0, len(run), 2)]
    if runs and _is(sample, "gb18030") and sum(0xB0 <= lead <= 0xD7 for lead in pairs) > 0.6 * len(pairs):
        return "gb18030"
    if sum(map(len, runs)) > 3 * len(runs) and _is(sample, "cp1251"):
        return "cp1251"
    return "cp1252" if _is(sample, "cp1252") else None


def _is(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(source: Source, head: bytes, stated: str | None) -> str:
    """Return the encoding that a file's mark and the dataset file agree on."""
    for start, what in _OTHER_CONTENT:
        if head[: len(start)].lower() == start.lower():
            raise SourceError(
                f"{source.name} is {what}, not text. Give it the suffix of its kind, or export it as text."
            )
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if stated is None or marked is None:
        return stated or marked or UTF_8
    if not marked.startswith(stated.removesuffix("-le").removesuffix("-be").removesuffix("-sig")):
        raise SourceError(
            f"{source.name} begins with the byte-order mark of {marked.removesuffix('-sig')}, but format.encoding "
            f"says {stated}. Leave format.encoding out."
        )
    return marked


def _texts(source: Source, encoding: str, traits: _Traits) -> Iterator[str]:
    """Yield a file's text by parts, strictly decoded, every line end a line feed."""
    bytes_to_text = codecs.getincrementaldecoder(encoding)("strict")
    decoder = io.IncrementalNewlineDecoder(bytes_to_text, translate=True)
    with source.path.open("rb") as stream:
        ended = False
        while not ended:
            chunk = stream.read(_CHUNK)
            ended = not chunk
            try:
                part = decoder.decode(chunk, final=ended)
            except UnicodeDecodeError as error:
                raise _undecodable(source, encoding, error, traits) from None
            part = part if traits.lines or traits.ends else part.removeprefix("\ufeff")
            traits.see(part)
            traits.ends = decoder.newlines
            yield part


def _without_lines(parts: Iterator[str], count: int) -> Iterator[str]:
    for part in parts:
        kept = part
        while count and "\n" in kept:
            kept = kept.partition("\n")[2]
            count -= 1
        if not count:
            yield kept


def _undecodable(source: Source, encoding: str, error: UnicodeDecodeError, traits: _Traits) -> SourceError:
    """Say where a byte is not of the encoding, and of which one it could be."""
    before, after = error.object[: error.start], error.object[error.start :]
    line = traits.lines + len(re.findall(rb"\r\n|\r|\n", before)) + 1
    mixed = encoding.startswith(UTF_8) and (traits.beyond_ascii or not before.isascii())
    start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    rest = before[start:] + (re.split(rb"[\r\n]", after, maxsplit=1)[0] if mixed else after[:4096])
    guess = likely_encoding(rest)
    fault = f"{source.name} is not {encoding.removesuffix('-sig')}: byte 0x{after[0]:02X} in line {line:,}"
    if mixed:
        like = f" (this line looks like {guess})" if guess else ""
        return SourceError(
            f"{fault}, after lines that are; the file mixes encodings{like}. Write it anew in one encoding."
        )
    if error.reason == "unexpected end of data" and len(after) > 1:
        return SourceError(f"{fault}, where the file ends within a character: it is cut off. Copy it again.")
    if guess and guess != encoding:
        return SourceError(f"{fault}; it looks like {guess}. State format.encoding: {guess}.")
    return SourceError(f"{fault}. Ask how the file was written, and state it under format.encoding.")


def _refuse_nuls(source: Source, traits: _Traits, head: bytes) -> None:
    guess = likely_encoding(head)
    count = f"{traits.nuls:,} NUL character{'s' * (traits.nuls > 1)}"
    if guess and guess.startswith("utf-16"):
        raise SourceError(
            f"{source.name} holds {count} and looks like {guess} without its mark. State format.encoding: {guess}."
        )
    raise SourceError(
        f"{source.name} holds {count}, the first in line {traits.first_nul_line:,}: "
        "the file is damaged. Export it again."
    )
