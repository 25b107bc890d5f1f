"""
Direct identifiers of people, found by column name and by content.

What is done with free text belongs in :mod:`crm_analysis.tables.privacy.redaction`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

import duckdb

from crm_analysis.tables.engine import identifier
from crm_analysis.tables.privacy.patterns import compiled
from crm_analysis.tables.privacy.vocabulary import kind_by_name, words

SAMPLE_ROWS = 10_000
EMAIL_SHARE = 0.2
OTHER_SHARE = 0.5
_SCANTY = 200  # values of a column in the sample below which more are looked for
_LONGEST = 400  # characters of a value that are looked at
_WHOLE_NUMBERS = frozenset({"BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"})
_NUMBERS = re.compile(r"^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|REAL|DOUBLE|DECIMAL|NUMERIC)\b")
_TIMES = re.compile(r"^(?:DATE|TIME)")
_NUMERIC_KINDS = frozenset({"phone", "card", "national id", "birth date"})
_FLAGS = frozenset(
    {
        "yes",
        "no",
        "y",
        "n",
        "true",
        "false",
        "t",
        "f",
        "0",
        "1",
        "ja",
        "nein",
        "j",
        "nee",
        "oui",
        "non",
        "o",
        "si",
        "sí",
        "s",
    }
    | {"sim", "não", "nao", "x", "-", "是", "否", "有", "无"}
)

_EMAIL = compiled("e-mail")
_PHONE = compiled("phone")
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_CHINESE_ID = re.compile(r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]")
_SOCIAL_SECURITY = re.compile(r"[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def identifier_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, *, columns: Mapping[str, str], known: Collection[str]
) -> dict[str, str]:
    """
    Return the columns that say directly who a person is.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    relation : str
        A quoted table or view.
    columns : mapping of str to str
        Its columns, each with its SQL type.
    known : collection of str
        Canonical columns: not judged by their name; ids and ``text`` not judged at all.

    Returns
    -------
    dict of str to str
        Column to kind: ``name``, ``user name``, ``e-mail``, ``phone``, ``address``, ``birth date``, ``national id``, ``iban``,
        ``card`` or ``ip``; in the order of ``columns``.

    Notes
    -----
    By name: :func:`~crm_analysis.tables.privacy.vocabulary.kind_by_name`, unless the content contradicts (yes and no, a count,
    a year). By content, in at most 10,000 values spread evenly over the table: a text column is an identifier where 20 % of its
    values are e-mail addresses, or half of them are phone numbers, cards (Luhn), IBANs (modulo 97), social security or Chinese
    identity numbers, or IP addresses. Numbers are judged by name alone, but for whole numbers that are cards; a bare row of
    digits is no phone by its content, nor can a person's name be told by content. The name of a company that is a customer
    counts as a name. City, region, country, postcode, age and year of birth are no direct identifiers.
    """
    by_name = {name: _promised(name, columns, known) for name in columns}
    judged = [name for name in columns if by_name[name] or _judged_by_content(name, columns[name], known)]
    values = _samples(connection, relation, judged)
    kinds = {name: _kind(by_name[name], columns[name], values[name]) for name in judged}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def _promised(name: str, columns: Mapping[str, str], known: Collection[str]) -> str | None:
    """Return the kind that a column's name and type promise."""
    if name in known or name.startswith("_") or columns[name] == "BOOLEAN":
        return None
    kind = kind_by_name(name)
    if kind is None and words(name) in (["first"], ["last"]):
        others = [words(other) for other in columns]
        kind = "name" if ["first"] in others and ["last"] in others else None
    if _TIMES.match(columns[name]) and kind != "birth date":
        return None
    return None if _NUMBERS.match(columns[name]) and kind not in _NUMERIC_KINDS else kind


def _judged_by_content(name: str, sql_type: str, known: Collection[str]) -> bool:
    """Return whether a column may be an identifier by what stands in it."""
    if name.startswith("_") or (name in known and (name.endswith("_id") or name == "text")):
        return False
    return sql_type in _WHOLE_NUMBERS or not (
        _NUMBERS.match(sql_type) or _TIMES.match(sql_type) or sql_type == "BOOLEAN"
    )


def _samples(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> dict[str, list[str]]:
    """Return values of each column, as text, from rows spread evenly; more where few of those hold a value."""
    if not columns:
        return {}
    counts = ", ".join(f"count({identifier(name)})" for name in columns)
    n_rows, *n_values = connection.execute(f"SELECT count(*), {counts} FROM {relation}").fetchall()[0]
    step = max(1, -(-n_rows // SAMPLE_ROWS))
    given = ", ".join(f"{identifier(name)} AS c{at}" for at, name in enumerate(columns))
    texts = ", ".join(_text(f"c{at}") for at in range(len(columns)))
    numbered = f"SELECT {given}, row_number() OVER () AS position FROM {relation}"
    rows = connection.execute(f"SELECT {texts} FROM ({numbered}) WHERE (position - 1) % {step} = 0").fetchall()
    samples = {}
    for at, name in enumerate(columns):
        values = [row[at] for row in rows if row[at] is not None]
        if len(values) < min(_SCANTY, n_values[at]):
            first = f"SELECT {_text(identifier(name))} FROM {relation} WHERE {identifier(name)} IS NOT NULL LIMIT {SAMPLE_ROWS}"
            values = [row[0] for row in connection.execute(first).fetchall()]
        samples[name] = [value.strip() for value in values if value.strip()]
    return samples


def _text(quoted: str) -> str:
    """Return a column as the beginning of its text."""
    return f"left(CAST({quoted} AS VARCHAR), {_LONGEST})"


def _kind(promised: str | None, sql_type: str, values: Sequence[str]) -> str | None:
    """Return a column's kind by its name, if its values may be that, else by its values."""
    if promised is not None and (not values or _may_be(promised, values)):
        return promised
    if sql_type in _WHOLE_NUMBERS:
        return "card" if _share(_is_card, values) >= OTHER_SHARE else None
    is_email = _holds_email if "(" in sql_type or sql_type.endswith("]") or sql_type == "JSON" else _is_email
    if _share(is_email, values) >= EMAIL_SHARE:
        return "e-mail"
    return next((kind for kind, test in _TESTS.items() if _share(test, values) >= OTHER_SHARE), None)


def _may_be(kind: str, values: Sequence[str]) -> bool:
    """Return whether values do not contradict what the column's name promises."""
    if all(value.casefold() in _FLAGS for value in values):
        return False
    if kind == "birth date":
        return not all(re.fullmatch(r"(?:19|20)?[0-9]{2}(?:\.0+)?", value) for value in values)
    least = {"phone": 6, "national id": 6, "card": 12}.get(kind)
    if least is not None:
        return (
            _share(lambda value: len(re.findall(r"[0-9X*]", re.sub(r"\.0+$", "", value))) >= least, values)
            >= EMAIL_SHARE
        )
    if kind in {"name", "user name"}:
        return _share(lambda value: any(letter.isalpha() for letter in value), values) >= EMAIL_SHARE
    return True


def _share(test: Callable[[str], bool], values: Sequence[str]) -> float:
    """Return the share of values that pass a test; 0 of none."""
    return sum(map(test, values)) / len(values) if values else 0.0


def _is_email(value: str) -> bool:
    """Return whether an address makes up at least half of a value, as in ``Ann Lee <ann@example.com>``."""
    found = _EMAIL.search(value)
    return found is not None and 2 * len(found[0]) >= len(value)


def _holds_email(value: str) -> bool:
    """Return whether an address stands anywhere in a nested value."""
    return _EMAIL.search(value) is not None


def _is_phone(value: str) -> bool:
    """Return whether a value is a phone number by its form; of bare digits only a Chinese mobile number is."""
    if value.isdigit():
        return _CHINESE_MOBILE.fullmatch(value) is not None
    return _PHONE.fullmatch(value) is not None


def _is_card(value: str) -> bool:
    """Return whether a value has 13 to 19 digits and the check digit of a payment card (Luhn, ISO/IEC 7812-1)."""
    digits = re.sub(r"[ -]", "", value)
    if not re.fullmatch(r"[1-9][0-9]{12,18}", digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _is_iban(value: str) -> bool:
    """Return whether a value is an international bank account number with its check digits (ISO 13616)."""
    plain = re.sub(r"[ -]", "", value).upper()
    if not _IBAN.fullmatch(plain):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _fits(*forms: re.Pattern[str]) -> Callable[[str], bool]:
    """Return a test whether a whole value has one of these forms."""
    return lambda value: any(form.fullmatch(value) is not None for form in forms)


_TESTS: Mapping[str, Callable[[str], bool]] = {
    "iban": _is_iban,
    "card": _is_card,
    "national id": _fits(_SOCIAL_SECURITY, _CHINESE_ID),
    "phone": _is_phone,
    "ip": _fits(_IPV4),
}
