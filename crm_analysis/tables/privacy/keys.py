"""
Pseudonyms of customers: the key they are made with, and the same HMAC in Python and in SQL.

Which columns are replaced belongs in :mod:`crm_analysis.tables.sources`.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from pathlib import Path

from crm_analysis.errors import ParamsError
from crm_analysis.tables.references import Secret

VARIABLE = "CRM_PSEUDONYM_KEY"
MIN_LENGTH = 16
_KEY_BYTES = 32
_DIGITS = 20
_BLOCK_BYTES = 64
_READ_AT_MOST = 65_536
_INSTEAD = f"Or set ${VARIABLE} to a text of at least {MIN_LENGTH} characters."


def pseudonym_key() -> Secret:
    """
    Return the key of the pseudonyms, the same from run to run.

    Returns
    -------
    Secret
        ``$CRM_PSEUDONYM_KEY``, else a key that is made once in the user's configuration folder.

    Raises
    ------
    ParamsError
        The variable is too short; the file is too short, a link, or readable for others; the folder cannot be written.

    Notes
    -----
    The file is ``crm_analysis/pseudonym.key`` under ``$XDG_CONFIG_HOME`` or ``~/.config``: 32 random bytes as hexadecimal
    digits, mode 0600 in a folder of mode 0700. Whoever has the key can find a customer's pseudonym; whoever lost it makes
    pseudonyms that join with no earlier run.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        return _checked(given, where=f"${VARIABLE}", remedy="Set a longer one, or unset it to have a key made.")
    path = _key_path()
    try:
        if not os.path.lexists(path):
            _make_key(path)
        return _read_key(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ParamsError(
            f"The key of the pseudonyms, {path}, can be neither read nor made: {reason}. Make the folder writable. {_INSTEAD}"
        ) from None


def pseudonym(key: Secret, customer_id: str) -> str:
    """
    Return the pseudonym of a customer.

    Parameters
    ----------
    key : Secret
        From :func:`pseudonym_key`.
    customer_id : str
        The clear id.

    Returns
    -------
    str
        The letter c, so that it never looks like a number, and 20 hexadecimal digits.

    Notes
    -----
    The first 80 bits of HMAC-SHA256 (RFC 2104): among ten million customers two share a pseudonym with probability 4e-11.

    Examples
    --------
    >>> pseudonym(Secret("only for this example"), "17850")
    'c61ac75ac08e9265a56d2'
    """
    return "c" + hmac.new(_key_bytes(key), customer_id.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def pseudonym_sql(column_sql: str) -> str:
    """
    Return the pseudonym as an SQL expression.

    Parameters
    ----------
    column_sql : str
        An expression of type VARCHAR: the clear id.

    Returns
    -------
    str
        With the parameters ``$crm_outer`` and ``$crm_inner`` of :func:`pseudonym_parameters`; null stays null.
    """
    inner = f"unhex(sha256($crm_inner || encode({column_sql})))"
    return f"('c' || left(sha256($crm_outer || {inner}), {_DIGITS}))"


def pseudonym_parameters(key: Secret) -> dict[str, bytes]:
    """
    Return the parameters that :func:`pseudonym_sql` needs.

    Parameters
    ----------
    key : Secret
        From :func:`pseudonym_key`.

    Returns
    -------
    dict of str to bytes
        The key's outer and inner pads (RFC 2104): as secret as the key itself.
    """
    block = _key_bytes(key)
    if len(block) > _BLOCK_BYTES:
        block = hashlib.sha256(block).digest()
    block = block.ljust(_BLOCK_BYTES, b"\0")
    return {"crm_outer": bytes(byte ^ 0x5C for byte in block), "crm_inner": bytes(byte ^ 0x36 for byte in block)}


def _key_bytes(key: Secret) -> bytes:
    """Return the key as bytes; what the environment held beyond UTF-8 comes back as it was."""
    return key.reveal().encode("utf-8", "surrogateescape")


def _checked(text: str, *, where: str, remedy: str) -> Secret:
    """Return a text as the key, without blanks around it, if it is long enough."""
    key = text.strip()
    if len(key) < MIN_LENGTH:
        found = f"has fewer than {MIN_LENGTH} characters" if key else "is empty"
        raise ParamsError(f"The key of the pseudonyms in {where} {found}. {remedy}")
    return Secret(key)


def _key_path() -> Path:
    """Return where the user's own key stands; a relative $XDG_CONFIG_HOME counts as not set, as its standard says."""
    configured = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    try:
        folder = configured if configured.is_absolute() else Path.home() / ".config"
    except RuntimeError:
        raise ParamsError(f"There is no home folder to keep the key of the pseudonyms in. {_INSTEAD[3:]}") from None
    return folder / "crm_analysis" / "pseudonym.key"


def _make_key(path: Path) -> None:
    """
    Write a new key, whole or not at all.

    It is written aside and then linked to its name, which fails where another process was quicker: then that key counts,
    and nobody ever reads half a key.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".pseudonym.", dir=path.parent)  # O_EXCL, mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        Path(aside).unlink()


def _read_key(path: Path) -> Secret:
    """Return the key of a file that is the user's alone."""
    remove = "Remove it to have a new one made, which gives all customers new pseudonyms."
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ParamsError(f"The key of the pseudonyms, {path}, is a link, not a file. {remove} {_INSTEAD}") from None
    try:
        _check_private(path, os.fstat(handle), remove)
        text = os.read(handle, _READ_AT_MOST).decode("utf-8", "surrogateescape")
    finally:
        os.close(handle)
    return _checked(text, where=str(path), remedy=f"{remove} {_INSTEAD}")


def _check_private(path: Path, found: os.stat_result, remove: str) -> None:
    """Refuse what is no file, what others may read, and a folder in which others may replace it."""
    if not stat.S_ISREG(found.st_mode):
        raise ParamsError(f"The key of the pseudonyms, {path}, is not a file. {remove} {_INSTEAD}")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise ParamsError(
            f"The key of the pseudonyms, {path}, has mode {mode:04o}: others may have read it. {remove} "
            f"If nobody did: chmod 600 {path}. {_INSTEAD}"
        )
    if path.parent.stat().st_mode & 0o022:
        raise ParamsError(
            f"Others may replace the key of the pseudonyms, {path}. Run: chmod 700 {path.parent}. {_INSTEAD}"
        )
