"""
Secrets in bytes and texts, in every spelling.

What a secret is belongs in :mod:`crm_analysis.tables.references`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from crm_analysis.tables.references import Secret

MIN_CHARACTERS = 4
LONG = 8


class SecretSearch:
    """
    A search for all spellings of some secrets.

    Parameters
    ----------
    secrets : sequence of Secret
        Spellings shorter than four characters are not looked for: they would be found anywhere.

    Notes
    -----
    Spellings of eight characters or more are looked for in base64 too, at each of its three offsets; shorter ones only where no
    letter or digit touches them, since in megabytes of base64 four letters are found by chance.
    """

    def __init__(self, secrets: Sequence[Secret]) -> None:
        spellings = {text for secret in secrets for text in secret.spellings() if len(text) >= MIN_CHARACTERS}
        long = {text for text in spellings if len(text) >= LONG}
        self._long = sorted(long | {coded for text in long for coded in _in_base64(text)})
        self._short = [re.compile(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])") for text in sorted(spellings - long)]
        encodings = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
        self._long_bytes = sorted({text.encode(encoding) for text in self._long for encoding in encodings})
        self._short_bytes = [
            re.compile(rb"(?<![0-9A-Za-z])" + re.escape(text.encode()) + rb"(?![0-9A-Za-z])")
            for text in sorted(spellings - long)
        ]

    def is_in(self, text: str) -> bool:
        """
        Return whether a text holds a secret.

        Parameters
        ----------
        text : str
            Any.

        Returns
        -------
        bool
            Case matters.

        Examples
        --------
        >>> search = SecretSearch([Secret("open sesame")])
        >>> search.is_in("b3BlbiBzZXNhbWU="), search.is_in("open says me")
        (True, False)
        """
        return any(part in text for part in self._long) or any(part.search(text) for part in self._short)

    def is_in_bytes(self, data: bytes) -> bool:
        """
        Return whether bytes hold a secret.

        Parameters
        ----------
        data : bytes
            Of a file.

        Returns
        -------
        bool
            In UTF-8, UTF-16 or UTF-32.
        """
        return any(part in data for part in self._long_bytes) or any(part.search(data) for part in self._short_bytes)


def _in_base64(text: str) -> Iterator[str]:
    """Yield what of a text's base64 does not depend on what stands around it."""
    data = text.encode()
    for offset, skipped in ((0, 0), (1, 2), (2, 3)):
        coded = base64.b64encode(b"\0" * offset + data).decode()
        depends = 0 if (len(data) + offset) % 3 == 0 else 1
        kept = coded.rstrip("=")
        kept = kept[skipped : len(kept) - depends]
        yield kept
        yield kept.translate(str.maketrans("+/", "-_"))
