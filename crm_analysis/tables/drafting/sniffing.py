"""
How a text file is written: its encoding and its delimiter, each with what speaks against it.

What the columns hold belongs in :mod:`crm_analysis.tables.drafting.profiles`.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_HANZI = re.compile(rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]")  # GB2312: punctuation, then the characters in use
_WESTERN = frozenset("äöüÄÖÜßéèêëÉÈÊàâÀçÇñÑóòôõÓíìîïÍáãÁúùûÚœŒæÆøØåÅ€£°–—‘’“”„…·§½²³«»¿¡ºª®™©´\xa0")
_SURE, _UNLIKELY = 0.8, 0.2  # shares of the bytes beyond ASCII that fit an encoding
_PROBED_LINES = 200


@dataclass(frozen=True)
class Guess:
    """
    What was guessed, and what makes it unsure.

    Attributes
    ----------
    value : str
        The guess.
    doubt : str
        What speaks against it, as the end of a sentence; empty when nothing does.
    """

    value: str
    doubt: str = ""


def guess_encoding(content: bytes) -> Guess:
    """
    Guess the encoding of a text: by its mark, by what is valid, then by which characters come out.

    Parameters
    ----------
    content : bytes
        A sample from the beginning on; it may end within a character.

    Returns
    -------
    Guess
        A Python codec's name.

    Examples
    --------
    >>> guess_encoding("Müller;Zoë".encode("cp1252")).value
    'cp1252'
    >>> guess_encoding("客户编号,下单时间,金额".encode("gb18030")).value
    'gb18030'
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            return Guess(name)
    if b"\0" in content[:4096]:
        return Guess(_unmarked_utf16(content))
    runs = _HIGH_RUN.findall(content)
    high = sum(map(len, runs))
    if not high or is_valid(content, "utf-8"):
        return Guess("utf-8")
    in_utf8 = sum(len(match) for match in _UTF8_SEQUENCE.findall(content)) / high
    if in_utf8 > 0.5:
        return Guess("utf-8", f"{1 - in_utf8:.1%} of its bytes beyond ASCII are no UTF-8: encodings may be mixed")
    return _eight_bit(content, runs, high)


def _unmarked_utf16(content: bytes) -> str:
    """Return the byte order of UTF-16 without a mark, told by where the zero bytes stand."""
    zeros = Counter(place % 2 for place, byte in enumerate(content[:4096]) if byte == 0)
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def _eight_bit(content: bytes, runs: Sequence[bytes], high: int) -> Guess:
    """Tell Chinese from Western text."""
    in_hanzi = sum(2 * len(_HANZI.findall(run)) for run in runs) / high
    if in_hanzi >= _SURE and is_valid(content, "gb18030"):
        return Guess("gb18030")
    single_byte = "cp1252" if is_valid(content, "cp1252") else "latin-1"
    beyond = [char for char in content.decode(single_byte) if ord(char) > 127]
    western = sum(char in _WESTERN for char in beyond) / len(beyond)
    if in_hanzi > _UNLIKELY and is_valid(content, "gb18030") and western < _SURE:
        return Guess("gb18030", f"{single_byte} is possible too: look whether names and words come out right")
    if western < _SURE:
        return Guess(single_byte, "few of its special characters are Western ones: look whether words come out right")
    return Guess(single_byte)


def is_valid(content: bytes, encoding: str) -> bool:
    """
    Say whether bytes are text in an encoding; a character cut off at the end is no fault.

    Parameters
    ----------
    content : bytes
        A sample.
    encoding : str
        A Python codec's name.

    Returns
    -------
    bool
        Whether every byte can be read.
    """
    try:
        codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError:
        return False
    return True


def guess_delimiter(text: str) -> Guess:
    """
    Guess what stands between the fields: the character that cuts most lines into equally many.

    Parameters
    ----------
    text : str
        A sample from the first line on.

    Returns
    -------
    Guess
        One of comma, semicolon, tabulator and bar.

    Examples
    --------
    >>> guess_delimiter("id;amount\\n1;1,50\\n2;2,75\\n").value
    ';'
    """
    lines = "".join(text.splitlines(keepends=True)[:_PROBED_LINES])
    scores = {delimiter: _regularity(lines, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    if scores[best] == (0.0, 0):
        return Guess(",", "no delimiter was found, so that the file has a single column")
    return Guess(best)


def _regularity(lines: str, delimiter: str) -> tuple[float, int]:
    """Return the share of lines with the usual number of fields, in steps of a tenth, and that number."""
    fields = [len(row) for row in parsed(lines, delimiter) if row]
    usual = Counter(count for count in fields if count > 1).most_common(1)
    if not usual:
        return (0.0, 0)
    return (round(usual[0][1] / len(fields), 1), usual[0][0])


def parsed(text: str, delimiter: str) -> list[list[str]]:
    """
    Return the rows of delimited text.

    Parameters
    ----------
    text : str
        Whole lines; quotes are double and doubled.
    delimiter : str
        One character.

    Returns
    -------
    list of list of str
        Fields by row; an unclosed quote ends with the text.

    Examples
    --------
    >>> parsed('a,"b,c"', ",")
    [['a', 'b,c']]
    """
    lines = text.splitlines(keepends=True)
    rows: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            rows.append(next(reader))
        except StopIteration:
            return rows
        except csv.Error:  # a field beyond the reader's limit: the quote before it was never closed
            return rows
