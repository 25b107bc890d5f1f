"""Texts lose what names a person and keep the rest; Python and SQL see the same."""

import re
import unicodedata

import duckdb
import pytest

from crm_analysis.tables.engine import open_catalogue
from crm_analysis.tables.privacy.names import folded, folded_sql, whole_name_keys
from crm_analysis.tables.privacy.patterns import MAY_HOLD_ONE, PATTERNS, compiled
from crm_analysis.tables.privacy.redaction import names_query, redact_names, redacted_sql, replace_ids

REPLACED = {
    "Write to ann@example.com, or bob.o'neil+x@mail.example.co.uk.": "Write to [e-mail], or [e-mail].",
    "邮箱是ann@example.com，电话13812345678谢谢": "邮箱是[e-mail]，电话[phone]谢谢",
    "a@b.de b@c.de": "[e-mail] [e-mail]",
    "Müller@exämple.de": "[e-mail]",
    "+49 (0) 171 1234567 and +44 20 7946 0958": "[phone] and [phone]",
    "0049 171 1234567": "[phone]",
    "(030) 1234567, 030/1234567, Tel.030 123456": "[phone], [phone], Tel.[phone]",
    "01711234567 02012345678": "[phone] [phone]",
    "01 23 45 67 89": "[phone]",
    "06-12345678": "[phone]",
    "(555) 123-4567 (555) 123-4568": "[phone] [phone]",
    "1-555-123-4567 or 555.123.4567": "[phone] or [phone]",
    "138 1234 5678, 138-1234-5678, +8613812345678": "[phone], [phone], [phone]",
    "010-12345678": "[phone]",
    "(11) 91234-5678": "[phone]",
    "612 34 56 78": "[phone]",
    "+49\u00a0171\u20111234567": "[phone]",
    "4111 1111 1111 1111, 4111111111111111, 3782-822463-10005": "[card], [card], [card]",
    "DE89 3704 0044 0532 0130 00": "[iban]",
    "de89370400440532013000": "[iban]",
    "GB29 NWBK 6016 1331 9268 19": "[iban]",
    "FR14 2004 1010 0505 0001 3M02 606": "[iban]",
    "NO93 8601 1117 947": "[iban]",
    "123-45-6789": "[number]",
    "11010119900307851X": "[number]",
    "order 27601281299": "order [number]",
}
KEPT = [
    "2017-12-31 08:26:00",
    "31.12.2017 01.02.2017 01.02.17 08.30",
    "12/31/2017, 01-02-2017, 2017-12-31T08:26:00.123456",
    "10.00 2017-12-31",
    "from 2016-01-01 to 2017-12-31",
    "1,234.56 1.234,56 1 234 567,89 EUR 12,345,678.90 $1,000,000,000",
    "order 536365 × 12",
    "85123A 22423 POST C536379 INC0000045",
    "1.2.3 10.0.19045.3693",
    "0.30000000000000004 3.14159265358979",
    "2010 2011 2012 2013",
    "20171231",
    "12 OZ 24 CT 6 PK 100 G 12/18&15PK",
    "0830-1700, 24/7, 365",
    "a @ b, user@host, @handle",
    "",
]


CATALOGUE = open_catalogue([])


def in_sql(*texts):
    query = f"SELECT {redacted_sql('x')} FROM (SELECT unnest($1::VARCHAR[]) AS x)"
    return [text for (text,) in CATALOGUE.connection.execute(query, [texts]).fetchall()]


def in_python(text):
    if not re.search(MAY_HOLD_ONE, text):
        return text
    for kind in PATTERNS:
        text = compiled(kind).sub(rf"\1[{kind}]", text)
    return text


@pytest.mark.parametrize(("text", "expected"), REPLACED.items())
def test_addresses_and_numbers_of_people_are_replaced(text, expected):
    assert in_sql(text, expected) == [expected, expected]


@pytest.mark.parametrize("text", KEPT)
def test_dates_amounts_counts_codes_and_versions_stay(text):
    assert in_sql(text) == [text]


def test_python_and_sql_see_the_same():
    texts = [*REPLACED, *KEPT, " | ".join([*REPLACED, *KEPT])]
    assert [in_python(text) for text in texts] == in_sql(*texts)


def test_null_stays_null():
    assert in_sql(None) == [None]


@pytest.mark.parametrize(
    "text", ["A" * 200_000, "1" * 200_000, "1 " * 100_000, "x@" * 50_000, "a." * 50_000, "AB12" * 50_000]
)
def test_a_long_text_without_end_takes_no_long_time(text):
    in_python(text)


# --- names


def redacted(texts, people, *, is_free_text=True):
    connection = CATALOGUE.connection
    connection.execute("CREATE SCHEMA IF NOT EXISTS landed")
    connection.execute("CREATE OR REPLACE TABLE landed.cases (place INTEGER, words VARCHAR, _unreadable VARCHAR[])")
    connection.execute(
        "INSERT INTO landed.cases SELECT unnest($1::INTEGER[]), unnest($2::VARCHAR[]), NULL",
        [[*range(len(texts))], texts],
    )
    connection.execute("CREATE OR REPLACE TABLE landed.people AS SELECT unnest($1::VARCHAR[]) AS name", [people])
    n_changed = redact_names(
        connection, "landed.cases", {"words": is_free_text}, names="SELECT name FROM landed.people"
    )
    new = [text for (text,) in connection.execute("SELECT words FROM landed.cases ORDER BY place").fetchall()]
    assert n_changed == sum(old != text for old, text in zip(texts, new, strict=True))
    left = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '\\_%' ESCAPE '\\'"
    ).fetchall()
    assert left == [(0,)]
    return new


@pytest.mark.parametrize(
    ("person", "text", "expected"),
    [
        ("Erika Mustermann", "Frau Mustermann wrote; Erika's parcel", "Frau [name] wrote; [name]'s parcel"),
        ("Mustermann, Erika", "erika mustermann called", "[name] called"),
        ("Erika Mustermann", "ERIKA MUSTERMANN IS ANGRY", "[name] IS ANGRY"),
        ("Will Smith", "Will said he will pay", "[name] said he will pay"),
        ("May Rose", "A rose in may. Rose, May?", "A rose in may. [name]?"),
        ("Jürgen Müller", "Herr Mueller, Juergen Muller, MÜLLER", "Herr [name]"),
        ("Juergen Mueller", "Jürgen war da", "[name] war da"),
        ("Zoë Núñez", "Zoe Nunez asked", "[name] asked"),
        ("Anna-Lena Müller-Schmidt", "Anna und Frau Müller-Schmidt", "[name] und Frau [name]"),
        ("Sean O'Brien", "Ask O'Brien or O’Brien", "Ask [name] or [name]"),
        ("Jean d'Arc", "le colis d'Arc", "le colis d'[name]"),
        ("Dr. Erika von Mustermann", "Dr. Mustermann, von wem?", "Dr. [name], von wem?"),
        ("Jan van der Berg", "Der Fernseher ist kaputt", "Der Fernseher ist kaputt"),
        ("Li Wei", "Li is short, Wei is not", "Li is short, [name] is not"),
        ("Unknown Customer", "Customer is unknown. Unknown!", "Customer is unknown. Unknown!"),
        ("ann@example.com", "Example of a Com port", "Example of a Com port"),
        ("Иван Петров", "Звонил Петров.", "Звонил [name]."),
        ("王伟", "我叫王伟，请退款", "我叫[name]，请退款"),
        ("伟 王", "我叫王伟", "我叫[name]"),
        ("김민수", "김민수입니다", "[name]입니다"),
        ("山田 太郎", "山田太郎です", "[name]です"),
        ("Erika Mustermann", "Erika\nMustermann\tand", "[name]\tand"),
    ],
)
def test_names_in_free_text_are_replaced(person, text, expected):
    assert redacted([text], [person]) == [expected]


@pytest.mark.parametrize(
    ("person", "label", "expected"),
    [
        ("Erika Mustermann", "Mustermann, Erika", "[name]"),
        ("Mustermann, Erika", "ask erika MUSTERMANN first", "ask [name] first"),
        ("Erika Maria Mustermann", "Erika Mustermann", "[name]"),
        ("Erika Maria Mustermann", "Mustermann Erika-Maria", "[name]"),
        ("Rose White", "WHITE HANGING HEART", "WHITE HANGING HEART"),
        ("Rose White", "Rose; white", "Rose; white"),
        ("Will Power", "Will", "Will"),
        ("J. R. Hartley", "Hartley, J.R.", "[name]."),
        ("Jan van der Berg", "Berg, Jan van der", "[name]"),
        ("王伟", "客户王伟", "客户[name]"),
    ],
)
def test_in_labels_only_whole_names_are_replaced(person, label, expected):
    assert redacted([label], [person], is_free_text=False) == [expected]


def test_rows_without_a_name_are_left_as_they_were():
    texts = ["no name here", None, "", "e\u0301te\u0301", "Erika", "x" * 50_000, "Erika"]
    assert redacted(texts, ["Erika Mustermann"]) == [*texts[:4], "[name]", texts[5], "[name]"]


def test_decomposed_accents_are_the_same_name():
    assert redacted([unicodedata.normalize("NFD", "Zoë Núñez")], ["Zoë Núñez"]) == ["[name]"]


def test_the_order_of_people_and_rows_makes_no_difference():
    people = [f"Person{letter} Family{other}" for letter in "abcdefgh" for other in "xyz"]
    texts = [f"{people[i * 7 % len(people)]} and Familyx wrote {i}" for i in range(200)]
    assert redacted(texts, people) == redacted(texts[::-1], people[::-1])[::-1]
    assert redacted(texts, people) == [f"[name] and [name] wrote {i}" for i in range(200)]


def test_more_texts_than_one_batch_and_no_people_at_all():
    texts = [f"Erika {i}" for i in range(41_000)]
    assert redacted(texts, ["Erika Mustermann"]) == [f"[name] {i}" for i in range(41_000)]
    assert redacted(["Erika"], []) == ["Erika"]


def test_several_columns_are_changed_each_by_its_own_measure():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT 'Erika' AS words, 'Erika' AS \"a \"\"label\"\"\", 'Erika' AS other")
    people = "SELECT 'Erika Mustermann' AS name"
    assert redact_names(connection, "t", {"words": True, 'a "label"': False}, names=people) == 1
    assert connection.execute("FROM t").fetchall() == [("[name]", "Erika", "Erika")]
    assert redact_names(connection, "t", {}, names=people) == 0


def test_words_are_folded_alike_in_python_and_sql():
    words = "Müller MUELLER Straße Øre Łódź Núñez Æro Œuvre Đorđe Joe Иван ZOË Gonçalves".split()  # noqa: SIM905 - reads as one
    query = f"SELECT {folded_sql('w')} FROM (SELECT unnest($1::VARCHAR[]) AS w)"
    assert [word for (word,) in CATALOGUE.connection.execute(query, [words]).fetchall()] == [
        folded(word) for word in words
    ]


def test_keys_of_whole_names():
    assert whole_name_keys(["Dr. Erika Mustermann", "Prince", "A B"]) == {("erika", "mustermann")}


# --- the query of names


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (["first_name", "last_name"], ["Ann Lee"]),
        (["last_name", "full_name"], ["Lee", "Ann Lee"]),
        (["full_name"], ["Ann Lee"]),
        (["first_name"], ["Ann"]),
    ],
)
def test_given_and_family_names_are_joined(columns, names):
    connection = duckdb.connect()
    connection.execute("CREATE TABLE people AS SELECT 'Ann' AS first_name, 'Lee' AS last_name, 'Ann Lee' AS full_name")
    query = names_query("people", {**dict.fromkeys(columns, "name"), "mail": "e-mail"})
    assert sorted(name for (name,) in connection.execute(query).fetchall()) == sorted(names)


def test_two_pairs_are_kept_apart_and_a_missing_part_is_left_out():
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE people AS SELECT NULL AS billing_first_name, 'Lee' AS billing_last_name, 'Bob' AS shipping_first_name, "
        "'Ray' AS shipping_last_name"
    )
    kinds = {name: "name" for (name,) in connection.execute("SELECT column_name FROM (DESCRIBE people)").fetchall()}
    assert connection.execute(names_query("people", kinds)).fetchall() == [("Lee",), ("Bob Ray",)]


def test_without_names_there_is_no_query():
    assert names_query("people", {"mail": "e-mail"}) is None
    assert names_query("people", {}) is None


def test_ids_in_texts_become_pseudonyms_and_what_is_only_written_like_one_stays():
    connection = duckdb.connect()
    rows = [
        ("KD-2024-00017", "c17", "KD-2024-00018", "ask (kd-2024-00017), not XKD-2024-00017 or KD-2024-99999"),
        ("KD-2024-00018", "c18", None, "PO-2024-00018 id=KD-2024-00018;#KD-2024-00017/3"),
        ("12345678", "c1", "12345678", "INTERNET 12345678"),
        ("INTERNET", "c2", "short", "Internet"),
    ]
    connection.execute(
        "CREATE OR REPLACE TABLE t (clear VARCHAR, customer_id VARCHAR, referred VARCHAR, words VARCHAR)"
    )
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    assert replace_ids(connection, "t", ["referred", "words"], ids="SELECT clear, customer_id FROM t") == 3
    assert connection.execute("SELECT referred, words FROM t").fetchall() == [
        ("c18", "ask (c17), not XKD-2024-00017 or KD-2024-99999"),
        (None, "PO-2024-00018 id=c18;#c17/3"),
        ("12345678", "INTERNET 12345678"),
        ("short", "Internet"),
    ]
