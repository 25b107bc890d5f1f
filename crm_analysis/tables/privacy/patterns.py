"""
What e-mail addresses, phone, card and account numbers look like in a text, for DuckDB's RE2 and for Python alike.

What is done with a text that holds one belongs in :mod:`crm_analysis.tables.privacy.redaction`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_SPACE = "[ \u00a0\u202f]"
_GAP = "[ \u00a0\u202f./()\u2010\u2011\u2012\u2013-]"  # between the digits of a phone number
_DASH = "[ \u00a0\u202f.\u2010\u2011\u2012\u2013-]"
_LETTER = "A-Za-z\u00c0-\u024f\u0370-\u04ff"  # Latin, Greek, Cyrillic; Chinese text around an address is not part of it
_LOCAL = f"[{_LETTER}0-9._%+&'*-]{{1,64}}"
_DOMAIN = f"(?:[{_LETTER}0-9-]{{1,63}}\\.){{1,8}}[{_LETTER}]{{2,24}}"

# A number starts where no letter, digit or decimal point stands before it: the one group of each pattern.
_START = "(^|[^A-Za-z0-9.,+]|[^0-9][.,])"

_PHONES = (
    f"\\+{_SPACE}?[1-9](?:{_GAP}{{0,3}}[0-9]){{7,14}}",  # +49 (0) 171 1234567
    f"00[1-9][0-9]{{0,2}}(?:{_GAP}{{0,3}}[0-9]){{7,12}}",  # 0049 171 1234567
    f"\\(0[1-9][0-9]{{1,4}}\\){_SPACE}?[0-9](?:{_DASH}?[0-9]){{4,9}}",  # (030) 1234567
    f"0[1-9][0-9]{{1,4}}{_GAP}{{1,3}}[0-9](?:{_DASH}?[0-9]){{4,9}}",  # 030/1234567, 020 7946 0958
    "0[1-9][0-9]{8,10}",  # 01711234567
    f"0[1-9](?:(?:{_SPACE}[0-9]{{2}}){{4}}|(?:\\.[0-9]{{2}}){{4}}|(?:-[0-9]{{2}}){{4}})",  # 01 23 45 67 89
    f"(?:0[1-9]-[0-9]{{7,8}}|06{_SPACE}[0-9]{{8}})",  # 06-12345678
    f"(?:1{_DASH})?\\([2-9][0-9]{{2}}\\){_SPACE}?[0-9]{{3}}{_DASH}?[0-9]{{4}}",  # (555) 123-4567
    f"(?:1{_DASH})?[2-9][0-9]{{2}}{_DASH}[0-9]{{3}}{_DASH}[0-9]{{4}}",  # 555-123-4567
    f"1[3-9][0-9]{_DASH}?[0-9]{{4}}{_DASH}?[0-9]{{4}}",  # 138 1234 5678
    f"\\([1-9]{{2}}\\){_SPACE}?9?[0-9]{{4}}-[0-9]{{4}}",  # (11) 91234-5678
    f"[6-9][0-9]{{2}}(?:{_SPACE}[0-9]{{2}}){{3}}",  # 612 34 56 78
    f"[6-9][0-9]{{4}}{_SPACE}[0-9]{{5}}",  # 98765 43210
)
_CARDS = (
    f"(?:[3-6][0-9]|2[2-7])[0-9]{{2}}(?:{_DASH}[0-9]{{4}}){{3}}(?:{_DASH}?[0-9]{{1,3}})?",  # no row of years
    f"3[47][0-9]{{2}}{_DASH}[0-9]{{6}}{_DASH}[0-9]{{5}}",
    "(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|3[068][0-9]{12}|6[0-9]{15,18})",
)
_IBANS = (
    "[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{0,8}[0-9]{6}[A-Za-z0-9]{1,20}",
    "[A-Za-z]{2}[0-9]{2} [A-Za-z0-9]{4}(?: [0-9]{4}){1,6}(?: [A-Za-z]{0,3}[0-9][A-Za-z0-9]{0,3}){0,4}",
)
_NUMBERS = (
    "[0-9]{3}-[0-9]{2}-[0-9]{4}",
    "[0-9]{17}[0-9Xx]",
    "[0-9]{9,}",
)


def _numbers(forms: tuple[str, ...]) -> str:
    """Return the pattern of numbers of these forms, with what stands before as its group."""
    return f"{_START}(?:{'|'.join(forms)})\\b"


PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "e-mail": f"()(?:{_LOCAL})[@\uff20]{_DOMAIN}",
        "iban": _numbers(_IBANS),
        "card": _numbers(_CARDS),
        "phone": _numbers(_PHONES),
        "number": _numbers(_NUMBERS),
    }
)
MAY_HOLD_ONE = "[@\uff20]|[0-9](?:[^0-9]{0,3}[0-9]){6}"


def compiled(kind: str) -> re.Pattern[str]:
    """
    Return a pattern for Python, where digits, letters and word bounds are ASCII as in RE2.

    Parameters
    ----------
    kind : str
        A key of :data:`PATTERNS`.

    Returns
    -------
    re.Pattern
        Group 1 is what stands before the match and is not part of it.

    Examples
    --------
    >>> compiled("e-mail").search("write to ann@example.com, please")[0]
    'ann@example.com'
    >>> compiled("phone").search("since 2017-12-31 08:26, order 85123A, 1,234.56 EUR") is None
    True
    """
    return re.compile(PATTERNS[kind], re.ASCII)
