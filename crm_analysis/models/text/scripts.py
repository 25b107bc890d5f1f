"""
Writing systems: which one a word is written in, and what counts as a letter of a word.

Which language a text is in belongs in :mod:`crm_analysis.models.text.languages`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right

LATIN, HAN, KANA, OTHER = "Latin", "Han", "Kana", "other"
_STARTS: tuple[tuple[int, str], ...] = (
    (0x0000, LATIN), (0x0370, "Greek"), (0x0400, "Cyrillic"), (0x0530, "Armenian"), (0x0590, "Hebrew"),
    (0x0600, "Arabic"), (0x0700, OTHER), (0x0750, "Arabic"), (0x0780, OTHER), (0x08A0, "Arabic"), (0x0900, "Devanagari"),
    (0x0980, "Bengali"), (0x0A00, "Gurmukhi"), (0x0A80, "Gujarati"), (0x0B00, "Odia"), (0x0B80, "Tamil"),
    (0x0C00, "Telugu"), (0x0C80, "Kannada"), (0x0D00, "Malayalam"), (0x0D80, "Sinhala"), (0x0E00, "Thai"),
    (0x0E80, "Lao"), (0x0F00, "Tibetan"), (0x1000, "Burmese"), (0x10A0, "Georgian"), (0x1100, "Hangul"),
    (0x1200, "Ethiopic"), (0x13A0, OTHER), (0x1780, "Khmer"), (0x1800, "Mongolian"), (0x18B0, OTHER),
    (0x1C90, "Georgian"), (0x1CC0, OTHER), (0x1D00, LATIN), (0x1F00, "Greek"), (0x2000, OTHER), (0x2C60, LATIN),
    (0x2C80, OTHER), (0x3005, HAN), (0x3008, OTHER), (0x3040, KANA), (0x3100, OTHER), (0x31F0, KANA), (0x3200, OTHER),
    (0x3400, HAN), (0x4DC0, OTHER), (0x4E00, HAN), (0xA000, OTHER), (0xA720, LATIN), (0xA800, OTHER), (0xAC00, "Hangul"),
    (0xD7B0, OTHER), (0xF900, HAN), (0xFB00, OTHER), (0x20000, HAN), (0x40000, OTHER),
)  # fmt: skip
_POINTS = [start for start, _ in _STARTS]
_CASED = frozenset({LATIN, "Greek", "Cyrillic", "Armenian"})


def script_of(word: str) -> str:
    """
    Return the writing system of a word.

    Parameters
    ----------
    word : str
        At least one character; the first one decides.

    Returns
    -------
    str
        Such as ``Latin``, ``Han`` or ``Cyrillic``; ``other`` where it is none of those known here.

    Examples
    --------
    >>> [script_of(word) for word in ("money", "деньги", "退款", "ありがとう", "ขอบคุณ")]
    ['Latin', 'Cyrillic', 'Han', 'Kana', 'Thai']
    """
    return _STARTS[bisect_right(_POINTS, ord(word[0])) - 1][1]


def has_capitals(script: str) -> bool:
    """
    Return whether a writing system tells large from small letters.

    Parameters
    ----------
    script : str
        From :func:`script_of`.

    Returns
    -------
    bool
        True for Latin, Greek, Cyrillic and Armenian.

    Examples
    --------
    >>> has_capitals("Latin"), has_capitals("Arabic")
    (True, False)
    """
    return script in _CASED


def _ranges_of_marks() -> str:
    r"""Return the marks that belong to the letter before, as ranges for a pattern: Python's \w leaves them out."""
    marks = [point for point in range(0x300, 0x10000) if unicodedata.category(chr(point))[0] == "M"]
    starts = [point for point in marks if not _is_mark(point - 1)]
    ends = [point for point in marks if not _is_mark(point + 1)]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


def _is_mark(point: int) -> bool:
    """Return whether a character is a mark: an accent, a vowel sign."""
    return unicodedata.category(chr(point))[0] == "M"


MARKS = _ranges_of_marks()
WORD = re.compile(f"[^\\W_]+(?:[{MARKS}]+[^\\W_]*)*")
