"""
The bytes of a file: found, allowed to be read, and unpacked where it is packed.

What the bytes mean belongs to the reader of their kind; which reader that is, to :mod:`crm_analysis.tables.sources.files`.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from crm_analysis.errors import SourceError

TEXT_KINDS = (".csv", ".tsv", ".txt")
JSON_KINDS = (".json", ".jsonl", ".ndjson")
BOOK_KINDS = (".xlsx", ".xlsm", ".xls", ".ods")
KINDS = (*TEXT_KINDS, ".parquet", *JSON_KINDS, *BOOK_KINDS)
PACKINGS = (".gz", ".zip")
MAX_RATIO: Final = 300  # what people's tables reach lies below 100; zeros reach 1,000
FREE_RATIO_BYTES: Final = 50_000_000  # below this size any ratio is harmless
WILDCARD: Final = re.compile(r"[*?\[\]{}]")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """
    A file, or the member of an archive, that can be read from a path.

    Attributes
    ----------
    path : pathlib.Path
        Where its bytes lie, unpacked.
    name : str
        What messages call it.
    kind : str
        One of :data:`KINDS`.
    """

    path: Path
    name: str
    kind: str


def shown(name: str, *, limit: int = 80) -> str:
    """
    Return a name fit for a message: printable and not too long.

    Parameters
    ----------
    name : str
        As the source has it.
    limit : int, default 80
        Most characters shown.

    Returns
    -------
    str
        Characters that do not print are replaced.

    Examples
    --------
    >>> shown("sales\\x1b[2J.csv")
    'sales?[2J.csv'
    """
    printable = "".join(char if char.isprintable() else "?" for char in name)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def kind_of_name(name: str) -> str | None:
    """
    Return the kind that a file's name states.

    Parameters
    ----------
    name : str
        With or without ``.gz``.

    Returns
    -------
    str or None
        One of :data:`KINDS`; ``.zip``, whose members tell; None: not read.

    Examples
    --------
    >>> kind_of_name("sales.CSV.gz"), kind_of_name("sales.zip"), kind_of_name("sales.docx")
    ('.csv', '.zip', None)
    """
    lower = name.lower()
    suffix = PurePosixPath(lower.removesuffix(".gz")).suffix
    if suffix in KINDS or (suffix == ".zip" and not lower.endswith(".gz")):
        return suffix
    return None


def fresh(scratch: Path, suffix: str) -> Path:
    """
    Return a new, empty file.

    Parameters
    ----------
    scratch : pathlib.Path
        The folder that it is in.
    suffix : str
        How its name ends.

    Returns
    -------
    pathlib.Path
        Its name is no other's.
    """
    handle, name = tempfile.mkstemp(dir=scratch, suffix=suffix)
    os.close(handle)
    return Path(name)


def plainly_named(source: Source, scratch: Path) -> Path:
    """
    Return a source's path, or that of a copy where the engine would take its name for a pattern.

    Parameters
    ----------
    source : Source
        Any file.
    scratch : pathlib.Path
        The folder that a copy is in.

    Returns
    -------
    pathlib.Path
        Without wildcards.
    """
    if not WILDCARD.search(str(source.path)):
        return source.path
    return Path(shutil.copyfile(source.path, fresh(scratch, source.kind)))


def unpacked(file: Path, scratch: Path) -> list[Source]:
    """
    Return what a file holds, unpacked into `scratch` where it is packed.

    Parameters
    ----------
    file : pathlib.Path
        Of a kind that is read, perhaps with ``.gz`` or in a ``.zip``.
    scratch : pathlib.Path
        A private folder.

    Returns
    -------
    list of Source
        One, or those of the archive.

    Raises
    ------
    SourceError
        The file is missing, no regular file, not to be read, damaged, or grows beyond measure.
    """
    name, kind = shown(file.name), kind_of_name(file.name)
    _refuse_unreadable(file, name)
    try:
        if kind == ".zip":
            return _members(file, name, scratch)
        if kind is None:
            raise SourceError(f"{name} is of a kind that is not read; known are {', '.join(KINDS)}.")
        if not file.name.lower().endswith(".gz"):
            return [Source(file, name, kind)]
        with gzip.open(file) as stream:
            return [Source(_copied(stream, name, packed=file.stat().st_size, to=fresh(scratch, kind)), name, kind)]
    except EOFError:
        raise SourceError(f"{name} ends before its packed data do: it is cut off. Copy or download it again.") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        what = "gzip" if file.name.lower().endswith(".gz") else "zip"
        raise SourceError(f"{name} is no whole {what} file: {shown(str(error))}. Copy or download it again.") from None


def check_archive(archive: zipfile.ZipFile, name: str) -> None:
    """
    Refuse an archive that is encrypted, or that grows beyond measure when it is unpacked.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Also a workbook, which is one.
    name : str
        What messages call it.

    Raises
    ------
    SourceError
        With the member concerned.
    """
    for member in archive.infolist():
        if member.flag_bits & 0x1:
            raise SourceError(f"{name} is encrypted ({shown(member.filename)}). Unpack it with its password first.")
        _refuse_growth(name, member.file_size, member.compress_size)


def _refuse_unreadable(file: Path, name: str) -> None:
    """Refuse what is no regular file with content that this user may read."""
    try:
        if file.is_symlink() and not file.exists():
            raise SourceError(f"{name} is a link to a file that is not there. Restore that file, or name another.")
        if file.is_dir():
            raise SourceError(f"{name} is a folder, not a file. Name the files in it, such as {name}/*.csv.")
        if not file.exists():
            raise SourceError(f"{name} is no longer there; it was when the dataset was opened. Put it back.")
        if not file.is_file():
            raise SourceError(f"{name} is a pipe or a device, not a file. Save its content as a file.")
        with file.open("rb") as stream:
            if not stream.read(1):
                raise SourceError(f"{name} is empty: 0 bytes, not even a header. Copy or export it again.")
    except PermissionError:
        raise SourceError(f"{name} may not be read by this user. Give the permission, or name another file.") from None


def _members(file: Path, name: str, scratch: Path) -> list[Source]:
    with file.open("rb") as stream:
        begins_as_zip = stream.read(2) == b"PK"
    if begins_as_zip and not zipfile.is_zipfile(file):
        raise SourceError(f"{name} is cut off: the list of its files, at a zip's end, is missing. Copy it again.")
    with zipfile.ZipFile(file) as archive:
        check_archive(archive, name)
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
        kind = _only_kind(members, name)
        sources = []
        for member in members:
            with archive.open(member) as stream:
                path = _copied(stream, name, packed=member.compress_size, to=fresh(scratch, kind))
            called = f"{shown(member.filename)} in {name}"
            if not path.stat().st_size:
                raise SourceError(f"{called} is empty: 0 bytes, not even a header. Take it out of the archive.")
            sources.append(Source(path, called, kind))
        return sources


def _only_kind(members: list[zipfile.ZipInfo], name: str) -> str:
    """Return the one kind of an archive's members, whose names stay within the archive."""
    for member in members:
        parts = re.split(r"[/\\]", member.filename)
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise SourceError(
                f"{name} holds {shown(member.filename)!r}, a name that leads out of the archive. It is not unpacked; "
                "ask who made it, or unpack it by hand."
            )
    kinds = {PurePosixPath(member.filename.lower()).suffix for member in members}
    if not kinds:
        raise SourceError(f"{name} is an archive without files. Pack it again.")
    if len(kinds) > 1 or not kinds <= set(KINDS):
        found = ", ".join(shown(kind) or "no suffix" for kind in sorted(kinds))
        raise SourceError(
            f"{name} holds files of the kinds {found}; read are archives of one kind among {', '.join(KINDS)}. "
            "Unpack it and name the files."
        )
    return kinds.pop()


def _copied(stream: IO[bytes] | gzip.GzipFile, name: str, *, packed: int, to: Path) -> Path:
    """Write a stream into a file, watching its growth and the room that is left."""
    written = 0
    with to.open("wb") as sink:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            _refuse_growth(name, written, packed)
            sink.write(chunk)
    return to


def _refuse_growth(name: str, size: int, packed: int) -> None:
    if size > FREE_RATIO_BYTES and size > MAX_RATIO * max(packed, 1):
        raise SourceError(
            f"{name} grows more than {MAX_RATIO}-fold when it is unpacked ({packed:,} bytes to {size:,} and more), "
            "as no table does. Unpack it by hand if you trust it."
        )
    if size > (room := shutil.disk_usage(tempfile.gettempdir()).free):
        raise SourceError(
            f"{name} needs {size:,} bytes unpacked, but {room:,} are free for temporary files. "
            "Make room, or set TMPDIR to a larger disk."
        )
