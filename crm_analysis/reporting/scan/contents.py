"""
The contents of any written file: unpacked, decoded, and handed on as passages of text and cells of tables.

How tables are read belongs in :mod:`crm_analysis.reporting.scan.tabular`; what is looked for in them belongs in
:mod:`crm_analysis.reporting.scan.search`.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes

import numpy as np

from crm_analysis.reporting.scan.tabular import (
    Asked,
    Cells,
    Content,
    Passage,
    csv_cells,
    html_cells,
    parquet_contents,
    printed_cells,
    workbook_contents,
)
from crm_analysis.reporting.scan.words import BREAK

MAX_DEPTH = 5
MAX_UNPACKED = 2**30
_BLOCK = 2**22
_SEALED = {b"7z\xbc\xaf": "7z", b"Rar!": "rar", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"%PDF": "PDF"}
_PACKED: Mapping[bytes, Callable[[io.BytesIO], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
_MARKS = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PICTURES = ("image/jpeg", "image/gif", "image/webp")
_DELIMITED = {".csv", ".tsv"}
_MARKED = {".parquet", ".xlsx", ".xlsm", ".skops", ".npz", ".npy", ".zip", ".gz", ".png", ".bz2", ".xz"}
_JSON = {".json", ".ipynb"}
_JSON_LINES = {".jsonl", ".ndjson"}
_DATA_ADDRESS = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w=.+-]+)*?)(;base64)?,([\w+/=%.~!*'()-]*)")
_ZIP = (b"PK\3\4", b"PK\5\6")
_PNG = b"\x89PNG\r\n\x1a\n"


class UnreadableError(ValueError):
    """A file's contents cannot be looked at; the message names no part of them."""


class _Pairs(list[tuple[str, object]]):
    """A JSON object with every key as it was written, also those written twice."""


def contents(data: bytes, name: str, asked: Asked, *, where: str = "", depth: int = 0) -> Iterator[Content]:
    """
    Yield everything that bytes say.

    Parameters
    ----------
    data : bytes
        Of a file, or of what is inside one.
    name : str
        The file's name, whose suffix tells text formats apart.
    asked : callable
        Whether the cells below a heading matter.
    where : str
        Part of the file.
    depth : int
        In how many other files it is.

    Yields
    ------
    Passage or Cells
        In the order of the file.

    Raises
    ------
    UnreadableError
        They are packed in a way that cannot be undone here, too deeply, or into too much.

    Notes
    -----
    Damaged bytes raise whatever their reader raises. Pictures are left out but for their notes (the text chunks of PNG), and
    so are measurements in Parquet and numpy arrays.
    """
    if depth > MAX_DEPTH:
        raise UnreadableError(f"files inside files, more than {MAX_DEPTH} deep")
    if data.startswith(b"PAR1"):
        yield from parquet_contents(io.BytesIO(data), asked, where)
    elif data.startswith(_ZIP):
        yield from _zip_contents(data, name, asked, where, depth)
    elif data.startswith(tuple(_PACKED)):
        yield from contents(_unpacked(data), PurePosixPath(name).stem, asked, where=where, depth=depth + 1)
    elif data.startswith(_PNG):
        yield Passage(BREAK.join(_png_notes(data)), where)
    elif data.startswith(b"\x93NUMPY"):
        yield Passage(_array_text(data), where)
    else:
        yield from _plain_contents(data, PurePosixPath(name.lower()).suffix, asked, where, depth)


def _plain_contents(data: bytes, suffix: str, asked: Asked, where: str, depth: int) -> Iterator[Content]:
    """Yield what a text says, or whatever in unknown bytes may be text."""
    if sealed := next((kind for mark, kind in _SEALED.items() if data.startswith(mark)), None):
        raise UnreadableError(f"{sealed} cannot be read here")
    if data and suffix in _MARKED:
        raise UnreadableError(f"not what {suffix} files begin with")
    if suffix in _JSON:
        yield from _json_contents(_decoded(data), asked, where, depth)
    elif suffix in _JSON_LINES:
        for number, line in enumerate(_decoded(data).splitlines(), start=1):
            yield from _json_contents(line, asked, f"line {number}", depth)
    else:
        if suffix in _DELIMITED:
            yield from csv_cells(io.StringIO(_decoded(data), newline=""), asked, where)
        yield from _text_contents(data, asked, where, depth)


def _text_contents(data: bytes, asked: Asked, where: str, depth: int) -> Iterator[Content]:
    """Yield a text in blocks of whole lines; HTML in one piece."""
    if any(data.startswith(mark) for mark, _ in _MARKS) or b"<html" in data[:1000].lower():
        yield from _written(_decoded(data), asked, where, depth, unit="line")
        return
    start, line = 0, 1
    while start < len(data):
        end = len(data) if len(data) - start <= _BLOCK else data.find(b"\n", start + _BLOCK) + 1 or len(data)
        block = data[start:end]
        for text in dict.fromkeys(_guesses(block)):
            yield from _written(text, asked, where, depth, unit="line", first=line)
        start, line = end, line + block.count(b"\n")


def _guesses(block: bytes) -> Iterator[str]:
    """Yield what bytes of an unknown encoding may say; arrays of characters lose the zero bytes between them."""
    try:
        yield block.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield block.decode("utf-8-sig", "replace")
        yield block.decode("cp1252", "replace")
    if b"\0" in block:
        dense = block.replace(b"\0", b"")
        yield dense.decode("utf-8", "replace")
        yield dense.decode("latin-1")
        yield from (block.decode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be"))


def _decoded(data: bytes) -> str:
    """Return a text whose encoding its first bytes tell; else UTF-8, else Windows' own."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _written(text: str, asked: Asked, where: str, depth: int, *, unit: str = "", first: int = 1) -> Iterator[Content]:
    """Yield a text, its HTML tables, and what its data addresses hold."""
    embedded: list[tuple[str, bytes]] = []
    if "data:" in text:
        text = _DATA_ADDRESS.sub(lambda address: _taken_out(address, embedded), text)
    yield Passage(text, where, unit, first)
    if "<t" in text.lower():
        yield from html_cells(text, asked, where)
    for kind, data in embedded:
        yield from contents(data, _file_name(kind), asked, where=where or "a data address", depth=depth + 1)


def _taken_out(address: re.Match[str], embedded: list[tuple[str, bytes]]) -> str:
    """Take a data address out of its text, and keep what it holds unless it is a picture."""
    kind, coded, payload = address[1] or "text/plain", address[3], address[4]
    try:
        data = base64.b64decode(unquote_to_bytes(payload), validate=False) if coded else unquote_to_bytes(payload)
    except ValueError:
        return address[0]
    if kind not in _PICTURES:
        embedded.append((kind, data))
    return "data:"


def _file_name(kind: str) -> str:
    """Return a name whose suffix says what a MIME type says."""
    return "embedded.json" if kind.endswith("json") else "embedded"


def _json_contents(text: str, asked: Asked, where: str, depth: int) -> Iterator[Content]:
    """Yield the texts of a JSON document, of a notebook cell by cell; what is no JSON is read as text."""
    try:
        document = json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except ValueError:
        yield from _written(text, asked, where, depth, unit="line")
        return
    cells = dict(document).get("cells") if isinstance(document, _Pairs) else None
    if not isinstance(cells, list) or isinstance(cells, _Pairs):
        yield from _values(document, asked, where, depth)
        return
    rest = _Pairs(pair for pair in document if pair[0] != "cells" or pair[1] is not cells)
    yield from _values(rest, asked, where, depth)
    for number, cell in enumerate(cells, start=1):
        yield from _values(cell, asked, f"cell {number}", depth)


def _values(document: object, asked: Asked, where: str, depth: int) -> Iterator[Content]:
    """Yield keys and values of a JSON document as one passage, and what needs a reading of its own."""
    texts: list[str] = []
    for key, value in _walk("", document):
        if key.startswith("image/") and not key.startswith("image/svg"):
            if key not in _PICTURES:
                yield from contents(base64.b64decode(value), "", asked, where=where, depth=depth + 1)
            continue
        texts.append(value)
        if key == "text/plain":
            yield from printed_cells(value, asked, where)
        elif asked(key):
            yield Cells(key, (value,), where)
    yield from _written(BREAK.join(texts), asked, where, depth)


def _walk(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield each text of a JSON document with the key that it stands under; lines of one text are joined."""
    if isinstance(value, _Pairs):
        for name, inner in value:
            yield "", name
            yield from _walk(key if name.isdigit() else name, inner)
    elif isinstance(value, list):
        lines = [item for item in value if isinstance(item, str)]
        if len(lines) == len(value) and any(line.endswith("\n") for line in lines):
            yield key, "".join(lines)
        else:
            for inner in value:
                yield from _walk(key, inner)
    elif isinstance(value, str):
        yield key, value


def _zip_contents(data: bytes, name: str, asked: Asked, where: str, depth: int) -> Iterator[Content]:
    """Yield the sheets of a workbook, and the names, notes and members of any zip file."""
    if name.lower().endswith((".xlsx", ".xlsm")):
        yield from workbook_contents(io.BytesIO(data), asked, where)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise UnreadableError("unpacks into more than 1 GiB")
        notes = [archive.comment, *(member.comment for member in members)]
        yield Passage(BREAK.join([member.filename for member in members]), where)
        yield Passage(BREAK.join(note.decode("utf-8", "replace") for note in notes), where)
        for member in members:
            place = f"{where}, member {member.filename}" if where else f"member {member.filename}"
            yield from contents(archive.read(member), member.filename, asked, where=place, depth=depth + 1)


def _unpacked(data: bytes) -> bytes:
    """Return what a packed file holds."""
    opener = next(opener for mark, opener in _PACKED.items() if data.startswith(mark))
    with opener(io.BytesIO(data)) as file:
        unpacked = file.read(MAX_UNPACKED + 1)
    if len(unpacked) > MAX_UNPACKED:
        raise UnreadableError("unpacks into more than 1 GiB")
    return unpacked


def _png_notes(data: bytes) -> Iterator[str]:
    """Yield the texts that a PNG picture carries beside its pixels, and what follows its end."""
    place = len(_PNG)
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12
        if kind == b"IEND":
            break
        if kind == b"zTXt":
            key, _, packed = body.partition(b"\0")
            body = key + b" " + zlib.decompress(packed[1:])
        if kind == b"iTXt":
            body = _international(body)
        if kind not in {b"IHDR", b"IDAT", b"PLTE"}:
            yield from _guesses(body)
    yield from _guesses(data[place:])


def _international(body: bytes) -> bytes:
    """Return an international text chunk unpacked."""
    key, _, rest = body.partition(b"\0")
    is_packed, rest = rest[:1] == b"\1", rest[2:]
    language, _, rest = rest.partition(b"\0")
    translated, _, text = rest.partition(b"\0")
    return b" ".join([key, language, translated, zlib.decompress(text) if is_packed else text])


def _array_text(data: bytes) -> str:
    """Return the texts of a numpy array; objects are not brought to life but read as bytes."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    dtype = read(file)[2]
    if dtype.kind in "US":
        array = np.load(io.BytesIO(data), allow_pickle=False)
        return BREAK.join(
            value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in array.ravel()
        )
    if dtype.kind in "biufcmM":
        return str(dtype)
    return BREAK.join(_guesses(data))
