"""
Addresses of database servers, taken apart.

What a server is asked belongs in :mod:`questions`; how it is spoken to in :mod:`postgres`, :mod:`mysql` and :mod:`documents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from crm_analysis.errors import ParamsError
from crm_analysis.tables.references import Secret

CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Address:
    """
    A server's address, taken apart.

    Attributes
    ----------
    scheme : str
        What stands before ``://``.
    host : str
        The server's name.
    port : int or None
        Where it listens; None: where its kind usually does.
    user : str
        Who asks.
    password : str
        Never shown.
    database : str
        Which of the server's databases.
    options : mapping
        What stands behind the question mark.
    """

    scheme: str
    host: str
    port: int | None
    user: str
    password: str = field(repr=False)
    database: str
    options: Mapping[str, str] = field(repr=False)

    def shown(self, kind: str, usual_port: int) -> str:
        """
        Return the server for a message.

        Parameters
        ----------
        kind : str
            Its name, such as ``PostgreSQL``.
        usual_port : int
            Where it listens if the address does not say.

        Returns
        -------
        str
            Kind, host and port; neither user nor password.
        """
        return f"{kind} at {self.host or 'localhost'}:{self.port or usual_port}"


def parsed_address(secret: Secret, *, where: str, options: Iterable[str] | None = None) -> Address:
    """
    Take an address apart.

    Parameters
    ----------
    secret : Secret
        ``scheme://user:password@host:port/database?option=value``.
    where : str
        Whose source it is, for messages.
    options : iterable of str, optional
        The options that are understood; default: any.

    Returns
    -------
    Address
        Percent-encoding undone.

    Raises
    ------
    ParamsError
        The address cannot be read, or has an option that is not understood; neither is shown but for the option's name.
    """
    try:
        parts = urlsplit(secret.reveal())
        host, port = parts.hostname or "", parts.port
        secret.reveal().encode()
    except ValueError:  # also of what the environment holds beyond UTF-8
        raise _unreadable(where) from None
    if parts.fragment or "@" in parts.path + parts.query:
        raise _unreadable(where)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options is not None and (unknown := sorted(set(given) - set(options))):
        raise ParamsError(
            f"{where}: its connection has {len(unknown)} options that are not understood: {', '.join(unknown[:5])}. "
            f"Known are {', '.join(sorted(options))}."
        )
    user, password, database = (unquote(text) for text in (parts.username or "", parts.password or "", parts.path[1:]))
    return Address(parts.scheme, host, port, user, password, database, given)


def _unreadable(where: str) -> ParamsError:
    return ParamsError(
        f"{where}: its connection is no address that can be read. Write it as scheme://user:password@host:port/database, "
        "the characters @ : / ? # % of a password as %40 %3A %2F %3F %23 %25."
    )
