"""
Redaction of texts: what may name a person is replaced by the kind of thing it was.

Whole columns of identifiers belong in :mod:`crm_analysis.tables.privacy.identifiers`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import duckdb

from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.privacy.names import (
    IDEOGRAPHS_OF_A_NAME,
    IDEOGRAPHS_RE2,
    NO_PARTS,
    SHORTEST_PART,
    WORD_RE2,
    NameRedaction,
    folded_sql,
    whole_name_keys,
)
from crm_analysis.tables.privacy.patterns import MAY_HOLD_ONE, PATTERNS
from crm_analysis.tables.privacy.vocabulary import given_or_family

_BATCH = 20_000
_TEMPORARY = ("_levels", "_people", "_parts", "_ideographic", "_chunks", "_found", "_texts", "_changes", "_ids")
MIN_ID_CHARACTERS = 8
_MOST_FORMS = 100
_LETTER_OR_DIGIT_RE2, _LETTER_OR_DIGIT = r"[\p{L}\p{N}]", r"[^\W_]"


def redacted_sql(column_sql: str) -> str:
    """
    Return a text expression without e-mail addresses, phone numbers, card numbers, IBANs and long id numbers.

    Parameters
    ----------
    column_sql : str
        An expression of type VARCHAR.

    Returns
    -------
    str
        Each is replaced by ``[e-mail]``, ``[phone]``, ``[card]``, ``[iban]`` or ``[number]`` (nine digits or more, or a social
        security number). Null stays null. Dates, times, years, amounts, counts, codes such as 85123A and versions stay; so does
        a local phone number of seven digits, which looks like a code.

    Notes
    -----
    Texts without an at sign or seven digits close together cost one search, not five replacements.

    Examples
    --------
    >>> sql = redacted_sql("'Call (555) 123-4567 about 85123A of 2010-12-01'")
    >>> duckdb.connect().execute(f"SELECT {sql}").fetchall()
    [('Call [phone] about 85123A of 2010-12-01',)]
    """
    replaced = column_sql
    for kind, pattern in PATTERNS.items():
        kept_and_kind = literal(rf"\1[{kind}]")
        replaced = f"regexp_replace({replaced}, {literal(pattern)}, {kept_and_kind}, 'g')"
    return f"(CASE WHEN regexp_matches({column_sql}, {literal(MAY_HOLD_ONE)}) THEN {replaced} ELSE {column_sql} END)"


def redact_names(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, bool], *, names: str) -> int:
    """
    Replace people's names in the texts of a landed table by ``[name]``.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A quoted table, which is changed.
    columns : mapping of str to bool
        Text column to whether it is free text. In free text every part of a name of three letters or more goes that is not
        written in lower case, and whole names in any case; in labels only whole names of two or more words.
    names : str
        A query of one text column ``name``: whole names, such as ``Erika Mustermann`` or ``Mustermann, Erika``.

    Returns
    -------
    int
        How many texts were changed.

    Notes
    -----
    Accents, umlauts and their spelling with e, hyphens, apostrophes and capitals make no difference, nor the order of a whole
    name. Chinese, Japanese and Korean names of two to four characters go wherever they stand. A customer called Koch costs every
    text the noun Koch, one called Will every Will that is not written small: a word too many rather than a name too few.
    """
    if not columns:
        return 0
    try:
        _list_people(connection, names)
        return sum(_redact_column(connection, table, column, is_free_text=free) for column, free in columns.items())
    finally:
        for name in _TEMPORARY:
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def replace_ids(connection: duckdb.DuckDBPyConnection, table: str, columns: Collection[str], *, ids: str) -> int:
    """
    Replace customers' ids in the texts of a landed table by their pseudonyms.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A quoted table, which is changed.
    columns : collection of str
        Text columns.
    ids : str
        A query of two text columns: clear ids and their pseudonyms.

    Returns
    -------
    int
        How many texts were changed.

    Notes
    -----
    Only ids of eight characters or more with a letter and a digit are known for ids wherever they stand; a number, or a word, is
    also the name of other things. Texts are first searched for what is written as those ids are: runs of letters and
    digits as long as theirs, with the same signs between.
    """
    if not columns:
        return 0
    try:
        pattern = _list_ids(connection, ids)
        return sum(_replace_in_column(connection, table, column, pattern) for column in columns) if pattern else 0
    finally:
        for name in _TEMPORARY:
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def names_query(relation: str, kinds: Mapping[str, str]) -> str | None:
    """
    Return a query of the whole names that a table of people holds.

    Parameters
    ----------
    relation : str
        A quoted table or view.
    kinds : mapping of str to str
        Its identifier columns, from :func:`~crm_analysis.tables.privacy.identifiers.identifier_columns`.

    Returns
    -------
    str or None
        One text column ``name``; given and family names that belong together in one. None: no column of kind ``name``.

    Examples
    --------
    >>> names_query("people", {"vorname": "name", "nachname": "name", "tel": "phone"})
    'SELECT unnest([concat_ws(\\' \\', "vorname", "nachname")]) AS name FROM people'
    """
    parts: dict[str, dict[str, str]] = {}
    single = []
    for column in (column for column, kind in kinds.items() if kind == "name"):
        found = given_or_family(column)
        if found is None or found[0] in parts.get(found[1], {}):
            single.append(f"CAST({identifier(column)} AS VARCHAR)")
        else:
            parts.setdefault(found[1], {})[found[0]] = identifier(column)
    joined = [", ".join(pair[part] for part in ("given", "family") if part in pair) for pair in parts.values()]
    listed = ", ".join([*(f"concat_ws(' ', {pair})" for pair in joined), *single])
    return f"SELECT unnest([{listed}]) AS name FROM {relation}" if listed else None


def _list_people(connection: duckdb.DuckDBPyConnection, names: str) -> None:
    """List names once each, their parts as they are compared, and those in writing without spaces, in either order."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _people AS SELECT DISTINCT nfc_normalize(CAST(name AS VARCHAR)) AS name FROM ({names}) "
        "WHERE name IS NOT NULL AND NOT contains(CAST(name AS VARCHAR), '@')"
    )
    common = ", ".join(literal(word) for word in sorted(NO_PARTS))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _parts AS SELECT DISTINCT name, {folded_sql('word')} AS part "
        f"FROM (SELECT name, unnest(regexp_extract_all(name, {literal(WORD_RE2)})) AS word FROM _people) "
        f"WHERE length(word) >= {SHORTEST_PART} AND lower(word) NOT IN ({common}) "
        f"AND NOT regexp_matches(word, {literal(IDEOGRAPHS_RE2)})"
    )
    shortest, longest = IDEOGRAPHS_OF_A_NAME
    joined = r"regexp_replace(name, '[\s·・]+', '', 'g')"
    turned = r"regexp_replace(name, '^(\S+)\s+(\S+)$', '\2\1')"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _ideographic AS SELECT DISTINCT unnest([{joined}, {turned}]) AS name FROM _people "
        f"WHERE regexp_full_match({joined}, {literal(IDEOGRAPHS_RE2)}) AND length({joined}) BETWEEN {shortest} AND {longest}"
    )


def _redact_column(connection: duckdb.DuckDBPyConnection, table: str, column: str, *, is_free_text: bool) -> int:
    """Redact one column: find the texts that hold a name, rewrite them in batches, put them back."""
    quoted = identifier(column)
    words = f"SELECT DISTINCT unnest(string_split({quoted}, ' ')) AS chunk FROM {table} WHERE {quoted} IS NOT NULL"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _chunks AS {words}")
    _find_parts(connection)
    redaction = _redaction(connection)
    _list_texts(connection, table, quoted, is_free_text=is_free_text)
    connection.execute("CREATE OR REPLACE TEMP TABLE _changes (old VARCHAR, new VARCHAR)")
    n_texts = connection.execute("SELECT count(*) FROM _texts").fetchall()[0][0]
    for start in range(0, n_texts, _BATCH):
        batch = f"SELECT text FROM _texts WHERE position > {start} AND position <= {start + _BATCH}"
        old = [text for (text,) in connection.execute(batch).fetchall()]
        pairs = [(text, new) for text in old if (new := redaction(text, is_free_text=is_free_text)) != text]
        olds, news = [text for text, _ in pairs], [new for _, new in pairs]
        connection.execute("INSERT INTO _changes SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])", [olds, news])
    update = f"UPDATE {table} SET {quoted} = _changes.new FROM _changes WHERE {quoted} = _changes.old"
    return int(connection.execute(update).fetchall()[0][0])


def _find_parts(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep which pieces of the texts, cut at spaces, hold a part of a name or a name without spaces."""
    words = f"unnest(regexp_extract_all(nfc_normalize(chunk), {literal(WORD_RE2)}))"
    runs = f"unnest(regexp_extract_all(nfc_normalize(chunk), {literal(IDEOGRAPHS_RE2)}))"
    shortest, longest = IDEOGRAPHS_OF_A_NAME
    cut = " UNION ALL ".join(
        f"SELECT chunk, unnest(list_transform(range(1, length(run) - {n - 2}), lambda i: substr(run, i, {n}))) AS word FROM runs"
        for n in range(shortest, longest + 1)
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _found AS WITH words AS (SELECT chunk, {words} AS word FROM _chunks), "
        f"runs AS (SELECT chunk, {runs} AS run FROM _chunks), pieces AS ({cut}) "
        "SELECT chunk, word, left(word, 1) = upper(left(word, 1)) AS is_written_large, false AS is_ideographic FROM words "
        f"WHERE length(word) >= {SHORTEST_PART} AND {folded_sql('word')} IN (SELECT part FROM _parts) "
        "UNION ALL SELECT chunk, word, true, true FROM pieces WHERE word IN (SELECT name FROM _ideographic)"
    )


def _redaction(connection: duckdb.DuckDBPyConnection) -> NameRedaction:
    """Return the redaction by those names alone whose parts occur in the texts."""
    parts = connection.execute(
        "SELECT DISTINCT word FROM _found WHERE is_written_large AND NOT is_ideographic"
    ).fetchall()
    ideographic = connection.execute("SELECT DISTINCT word FROM _found WHERE is_ideographic").fetchall()
    occurring = f"SELECT DISTINCT {folded_sql('word')} FROM _found WHERE NOT is_ideographic"
    enough = f"count(*) FILTER (part IN ({occurring})) >= least(2, count(*))"
    whole = connection.execute(f"SELECT name FROM _parts GROUP BY name HAVING {enough}").fetchall()
    return NameRedaction((word for (word,) in parts), whole_name_keys(n for (n,) in whole), (n for (n,) in ideographic))


def _list_texts(connection: duckdb.DuckDBPyConnection, table: str, quoted: str, *, is_free_text: bool) -> None:
    """List the texts, once each, that may hold a name: one part written large in free text, else a part among two words."""
    chunk = "SELECT chunk, bool_or(is_written_large) AS is_large, count(*) AS n_words FROM _found GROUP BY chunk"
    split = (
        f"SELECT rowid AS row_id, unnest(string_split({quoted}, ' ')) AS chunk FROM {table} WHERE {quoted} IS NOT NULL"
    )
    enough = "bool_or(is_large) OR sum(n_words) > 1" if is_free_text else "true"
    rows = f"SELECT row_id FROM ({split}) JOIN ({chunk}) USING (chunk) GROUP BY row_id HAVING {enough}"
    texts = f"SELECT DISTINCT {quoted} AS text FROM {table} WHERE rowid IN ({rows})"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _texts AS SELECT row_number() OVER () AS position, text FROM ({texts})"
    )


def _list_ids(connection: duckdb.DuckDBPyConnection, ids: str) -> str | None:
    """List the ids that can be told from other words, and return the pattern of how they are written; None without any."""
    ends = r"regexp_replace(lower(id), '^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$', '', 'g')"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _ids AS SELECT id, any_value(pseudonym) AS pseudonym FROM ("
        f"SELECT {ends} AS id, pseudonym FROM (SELECT DISTINCT id, pseudonym FROM ({ids}) AS given(id, pseudonym) "
        f"WHERE length(id) >= {MIN_ID_CHARACTERS}) WHERE regexp_matches(id, '\\p{{L}}') AND regexp_matches(id, '[0-9]')"
        f") WHERE length(id) >= {MIN_ID_CHARACTERS} GROUP BY id"
    )
    forms = connection.execute(
        f"SELECT regexp_replace(id, {literal(_LETTER_OR_DIGIT_RE2)}, 'x', 'g') AS form FROM _ids "
        f"GROUP BY form ORDER BY count(*) DESC, form LIMIT {_MOST_FORMS}"
    ).fetchall()
    longest_first = sorted((str(form) for (form,) in forms), key=len, reverse=True)
    return "|".join(_pattern_of_form(form) for form in longest_first) or None


def _pattern_of_form(form: str) -> str:
    """Return the pattern of ids in which each letter and digit is an x."""
    pieces = re.findall("x+|[^x]+", form)
    return "".join(
        f"{_LETTER_OR_DIGIT_RE2}{{{len(piece)}}}" if piece[0] == "x" else re.escape(piece) for piece in pieces
    )


def _replace_in_column(connection: duckdb.DuckDBPyConnection, table: str, column: str, pattern: str) -> int:
    """Replace the ids in one column, batch by batch of its different texts."""
    quoted = identifier(column)
    whole = re.compile(
        f"(?<!{_LETTER_OR_DIGIT})(?:{pattern.replace(_LETTER_OR_DIGIT_RE2, _LETTER_OR_DIGIT)})(?!{_LETTER_OR_DIGIT})"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _levels AS SELECT DISTINCT {quoted} AS text FROM {table}")
    connection.execute(  # by itself: as one statement, the pattern would be tried on every row
        "CREATE OR REPLACE TEMP TABLE _texts AS SELECT row_number() OVER () AS position, text FROM _levels "
        f"WHERE regexp_matches(lower(text), {literal(pattern)})"
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE _changes (old VARCHAR, new VARCHAR)")
    n_texts = connection.execute("SELECT count(*) FROM _texts").fetchall()[0][0]
    for start in range(0, n_texts, _BATCH):
        batch = f"SELECT text FROM _texts WHERE position > {start} AND position <= {start + _BATCH}"
        old = [text for (text,) in connection.execute(batch).fetchall()]
        new = _with_pseudonyms(connection, old, whole)
        pairs = [(before, after) for before, after in zip(old, new, strict=True) if before != after]
        columns = [before for before, _ in pairs], [after for _, after in pairs]
        connection.execute("INSERT INTO _changes SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])", list(columns))
    update = f"UPDATE {table} SET {quoted} = _changes.new FROM _changes WHERE {quoted} = _changes.old"
    return int(connection.execute(update).fetchall()[0][0]) if n_texts else 0


def _with_pseudonyms(connection: duckdb.DuckDBPyConnection, texts: list[str], pattern: re.Pattern[str]) -> list[str]:
    """Return texts with the pseudonyms of the ids in them."""
    written = {match[0].lower() for text in texts for match in pattern.finditer(text)}
    known = "SELECT id, pseudonym FROM _ids WHERE id IN (SELECT unnest($1::VARCHAR[]))"
    pseudonyms = dict(connection.execute(known, [list(written)]).fetchall())
    return [pattern.sub(lambda match: str(pseudonyms.get(match[0].lower(), match[0])), text) for text in texts]
