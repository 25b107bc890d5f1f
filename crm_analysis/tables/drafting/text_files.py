"""
Samples of text, packed or not: its beginning, and pieces from further in.

How it is written is guessed in :mod:`crm_analysis.tables.drafting.sniffing`.
"""

from __future__ import annotations

import gzip
import itertools
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from crm_analysis.errors import SourceError
from crm_analysis.tables.drafting.headers import above_doubts, checked_header, header_place, unnamed_doubts
from crm_analysis.tables.drafting.samples import Sample, Stored
from crm_analysis.tables.drafting.sniffing import guess_delimiter, guess_encoding, parsed

FIRST_BYTES = 2 << 20
PIECE_BYTES = 128 << 10
PIECES = 8
UNPACKED_BYTES = 64 << 20  # how far into a packed file, which has no places to jump to
PACKED = (".gz", ".zip")
_MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "Parquet",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "packed by gzip",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
}
_CONTROL = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27})


def text_sample(path: Path) -> Sample:
    """
    Read a sample of delimited text.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Sample
        Lines whose number of fields differs from that of the names are left out.

    Raises
    ------
    SourceError
        It is empty, binary, damaged, or has no line of column names.
    """
    pieces, is_whole = content_pieces(path)
    refuse_binary(path, pieces[0])
    encoding = guess_encoding(
        b"".join(pieces) if len(pieces) == 1 else pieces[0] + b"\n" + b"\n".join(_inner(pieces[1:]))
    )
    texts = [decoded(piece, encoding.value) for piece in pieces]
    first = texts[0] if is_whole else texts[0][: texts[0].rfind("\n") + 1] or texts[0]
    delimiter = guess_delimiter(first)
    rows = parsed(first, delimiter.value)
    top = header_place(rows)
    rows, above = [row for row in rows[top:] if row], top
    names, unnamed = checked_header(path, rows)
    cut = [parsed("".join(text.splitlines(keepends=True)[1:-1]), delimiter.value) for text in texts[1:]]
    kept = tuple(tuple(row) for row in itertools.chain(rows[1:], *cut) if len(row) == len(names))
    doubts = [f"{path.name}: read as {encoding.value}, but {encoding.doubt}."] if encoding.doubt else []
    doubts += [f"{path.name}: {delimiter.doubt}."] if delimiter.doubt else []
    doubts += above_doubts(path, above) + unnamed_doubts(path, unnamed) + _ragged(path, rows, is_whole=is_whole)
    stored: dict[str, Stored] = {name: "unusable" if name in unnamed else "text" for name in names}
    return Sample(
        path,
        "text",
        names,
        kept,
        stored,
        is_whole,
        encoding=encoding.value,
        delimiter=delimiter.value,
        header_line=above + 1,
        doubts=tuple(doubts),
    )


def first_member(path: Path) -> str:
    """
    Return the name of the first file in a zip archive.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        Its name there.

    Raises
    ------
    SourceError
        It is no whole archive, or an empty one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                entry.filename
                for entry in archive.infolist()
                if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
            ]
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{path.name} is no whole zip archive ({error}). Pack or download it again.") from None
    if not members:
        raise SourceError(f"{path.name} is an archive without files. Pack it again.")
    return members[0]


def _opened(path: Path) -> IO[bytes]:
    """Open a file's content, unpacked."""
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if path.suffix.lower() == ".zip":
        return zipfile.ZipFile(path).open(first_member(path))
    return path.open("rb")


def content_pieces(path: Path) -> tuple[list[bytes], bool]:
    """
    Read the beginning of a file's content, unpacked, and pieces from further in.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    list of bytes
        The beginning first.
    bool
        Whether that is all of it.

    Raises
    ------
    SourceError
        It cannot be unpacked.
    """
    packed = path.suffix.lower() in PACKED
    try:
        with _opened(path) as content:
            pieces = [content.read(FIRST_BYTES)]
            size = UNPACKED_BYTES if packed else path.stat().st_size
            step = (size - FIRST_BYTES) // PIECES
            rest = content.read(PIECE_BYTES)
            is_whole = not rest
            while rest and step > PIECE_BYTES and len(pieces) <= PIECES:
                pieces.append(rest)
                content.seek(FIRST_BYTES + len(pieces) * step // 2 * 2)  # an even place, for UTF-16
                rest = content.read(PIECE_BYTES)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{path.name} cannot be unpacked ({error}). It may be cut off: fetch it again.") from None
    if rest and step <= PIECE_BYTES:
        pieces[0] += rest
    return pieces, is_whole


def _inner(pieces: Iterable[bytes]) -> list[bytes]:
    """Return pieces without what stands before their first and after their last line break."""
    return [piece[piece.find(b"\n") + 1 : piece.rfind(b"\n")] for piece in pieces]


def decoded(piece: bytes, encoding: str) -> str:
    """
    Decode a piece of text.

    Parameters
    ----------
    piece : bytes
        May begin and end within a character.
    encoding : str
        A codec.

    Returns
    -------
    str
        Without a byte-order mark.
    """
    text = piece.decode(encoding, errors="replace")
    return text.removeprefix("\ufeff")


def refuse_binary(path: Path, content: bytes) -> None:
    """
    Raise when a content is no text.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    content : bytes
        Its beginning.

    Raises
    ------
    SourceError
        It is another kind of file, or holds control characters.
    """
    for magic, what in _MAGIC.items():
        if content.startswith(magic):
            raise SourceError(
                f"{path.name} is no text: its content is {what}. Give it the ending of its kind, or save it as CSV."
            )
    head = content[: 64 << 10]
    if guess_encoding(head).value.startswith(("utf-16", "utf-32")) and _looks_utf16(head):
        return
    controls = len(head) - len(head.translate(None, _CONTROL))
    if controls:
        raise SourceError(
            f"{path.name} is no text: {controls:,} of its first {len(head):,} bytes are control characters. "
            "Export it again as CSV, or leave it out."
        )


def _looks_utf16(head: bytes) -> bool:
    """Say whether bytes with zeros among them are UTF-16 text rather than numbers."""
    text = head[: len(head) // 2 * 2].decode(guess_encoding(head).value, errors="replace")
    return sum(char.isprintable() or char in "\r\n\t\ufeff" for char in text) >= 0.98 * len(text)


def _ragged(path: Path, rows: Sequence[Sequence[str]], *, is_whole: bool) -> list[str]:
    """Return a doubt when lines have more or fewer fields than there are columns."""
    body = rows[1:] if is_whole else rows[1:-1]
    bad = sum(len(row) != len(rows[0]) for row in body)
    if not bad:
        return []
    return [
        f"{path.name}: {bad:,} of {len(body):,} lines looked at have not the {len(rows[0])} fields of the first; repair them."
    ]
