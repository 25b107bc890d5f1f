"""Databases give their rows exactly, once, in bounded memory; and what goes wrong has its own words, without the password."""

from __future__ import annotations

import math
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from crm_analysis.errors import ParamsError, SourceSchemaError
from crm_analysis.tables.sources import copies
from crm_analysis.tables.sources.questions import name_parts, near_names, single_query

# --- PostgreSQL


@pytest.fixture(scope="module")
def goods(postgres):
    """A table with a column of every type, in a schema with a name that needs quotes."""
    postgres.run(
        "CREATE TYPE channel AS ENUM ('web', 'shop')",
        'CREATE SCHEMA "Sales"',
        """CREATE TABLE "Sales"."Invoice Lines" (id bigint, amount numeric(12, 2), weight numeric, price money, share real,
           ratio double precision, paid boolean, day date, at timestamp, at_zone timestamptz, clock time, name text,
           short varchar(5), fixed char(4), channel channel, tags text[], extra jsonb, uid uuid, span interval, raw bytea,
           flags bit(3), small smallint)""",
        """INSERT INTO "Sales"."Invoice Lines" VALUES
           (1, 0.10, 0.123456789012345678, 1234.5, 0.1, 0.1, true, '2024-02-29', '2024-01-05 10:00:00.123456',
            '2024-01-05 10:00:00+02', '23:59:59', E'Zoë "quoted", new\nline', '', 'ab', 'web', '{a,NULL}',
            '{"a": [1, 2]}', '11111111-2222-3333-4444-555555555555', '1 day', '\\x00ff', B'101', -5),
           (9223372036854775807, 0.20, -3, -0.5, -1.5, 'NaN', false, '0001-01-01', '1969-12-31 23:59:59',
            '2024-07-01 00:00:00+00', '00:00:00', '', 'x', '', 'shop', '{}', 'null', NULL, '-1 mon', '', B'000', 0)""",
        'INSERT INTO "Sales"."Invoice Lines" (id) VALUES (2)',
        'GRANT USAGE ON SCHEMA "Sales" TO analyst',
        'GRANT SELECT ON ALL TABLES IN SCHEMA "Sales" TO analyst',
    )
    return '"Sales"."Invoice Lines"'


def test_every_type_of_postgres_arrives_exactly(reader, postgres_url, goods):
    relation = reader.relation(postgres_url, table=goods)
    types = reader.types_of(relation)
    assert types["amount"] == "DECIMAL(12,2)"
    assert types["weight"] == "DECIMAL(38,18)"
    assert (types["at"], types["at_zone"]) == ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
    first, missing, last = reader.rows(postgres_url, table=goods)
    assert first[:3] == (1, Decimal("0.10"), Decimal("0.123456789012345678"))
    assert first[3:7] == (Decimal("1234.50"), 0.1, 0.1, True)
    assert first[7] == date(2024, 2, 29)
    assert first[8] == datetime.fromisoformat("2024-01-05 10:00:00.123456")
    assert first[9] == "2024-01-05 08:00:00+00"
    assert first[11:15] == ('Zoë "quoted", new\nline', "", "ab", "web")
    assert first[15:18] == ("{a,NULL}", '{"a": [1, 2]}', "11111111-2222-3333-4444-555555555555")
    assert first[18:] == ("P1D", "\\x00ff", "101", -5)
    assert missing == (2, *[None] * 21)
    assert last[0] == 9223372036854775807
    assert (last[1], last[3], last[11], last[6]) == (Decimal("0.20"), Decimal("-0.50"), "", False)
    assert math.isnan(last[5])
    assert last[8] == datetime.fromisoformat("1969-12-31 23:59:59")
    total = reader.catalogue.execute(f"SELECT sum(amount) FROM ({relation})").fetchone()
    assert total == (Decimal("0.30"),)


def test_a_query_and_a_table_with_its_schema_give_the_same(reader, postgres_url, postgres):
    postgres.run(
        "CREATE SCHEMA sales AUTHORIZATION analyst",
        "CREATE TABLE sales.invoice_lines AS SELECT i AS id, i / 10.0 AS amount FROM generate_series(1, 3) i",
        "ALTER TABLE sales.invoice_lines OWNER TO analyst",
    )
    expected = [(1, Decimal("0.1")), (2, Decimal("0.2")), (3, Decimal("0.3"))]
    assert [(i, a.normalize()) for i, a in reader.rows(postgres_url, table="sales.invoice_lines")] == expected
    query = "SELECT * FROM sales.invoice_lines -- all of it\n;"
    assert [(i, a.normalize()) for i, a in reader.rows(postgres_url, query=query)] == expected
    assert reader.rows(postgres_url, query="SELECT id % 2 AS odd, '50%' AS share FROM sales.invoice_lines LIMIT 1") == [
        (1, "50%")
    ]


def test_a_source_without_rows_has_its_columns_and_a_row_of_nothing_counts(reader, postgres_url):
    empty = reader.relation(postgres_url, query="SELECT 1 AS id, 1.5 AS amount WHERE false")
    assert reader.catalogue.execute(f"SELECT * FROM ({empty})").fetchall() == []
    assert list(reader.types_of(empty)) == ["id", "amount"]
    assert reader.rows(postgres_url, query="SELECT NULL::text AS only FROM generate_series(1, 3)") == [(None,)] * 3


def test_a_copy_is_read_again_without_the_server(reader, postgres_url):
    relation = reader.relation(postgres_url, query="SELECT random() AS drawn")
    first, second = (reader.catalogue.execute(relation).fetchall() for _ in range(2))
    assert first == second


def test_times_that_the_engine_does_not_have_stay_text(reader, postgres_url):
    query = "SELECT timestamp '0044-03-15 12:00 BC' AS at, timestamp 'infinity' AS day, time '24:00' AS midnight"
    relation = reader.relation(postgres_url, query=query)
    assert reader.types_of(relation) == {"at": "VARCHAR", "day": "TIMESTAMP", "midnight": "TIME"}
    assert reader.catalogue.execute(f'SELECT "at", day::TEXT FROM ({relation})').fetchone() == (
        "0044-03-15 12:00:00 BC",
        "infinity",
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"table": "sales.invoice_linez"}, "has no table 'sales.invoice_linez'"),
        ({"table": "nowhere.lines"}, "has no table 'nowhere.lines'"),
        ({"query": "SELECT FORM x"}, 'column "form" does not exist'),
        ({"query": "SELECT * FORM x"}, 'syntax error at or near "FORM"'),
        ({"query": "SELECT 1 / 0 AS broken"}, "DivisionByZero, 22012"),
        ({"query": "SELECT 'ann@example.com'::text::int AS number"}, "InvalidTextRepresentation"),
        ({"query": "SELECT nextval('counter')"}, "tries to write"),
        ({"query": "WITH gone AS (DELETE FROM kept RETURNING 1) SELECT * FROM gone"}, "tries to write"),
        ({"query": "SELECT * FROM hidden"}, "does not let this user read it"),
    ],
)
def test_what_postgres_refuses_is_told(reader, postgres, postgres_url, asked, message):
    postgres.run(
        "CREATE SEQUENCE IF NOT EXISTS counter",
        "GRANT ALL ON SEQUENCE counter TO analyst",
        "CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS id",
        "GRANT ALL ON kept TO analyst",
        "CREATE TABLE IF NOT EXISTS hidden AS SELECT 1 AS id",
    )
    told = reader.failure(postgres_url, **asked)
    assert message in told
    assert "ann@example.com" not in told
    assert postgres.run("SELECT count(*) FROM kept") == [(1,)]
    assert postgres.run("SELECT is_called FROM counter") == [(False,)]


def test_names_near_to_a_missing_table_are_told(reader, postgres, postgres_url):
    postgres.run("CREATE TABLE IF NOT EXISTS purchases (id int)", "GRANT SELECT ON purchases TO analyst")
    assert "Near to it: purchases." in reader.failure(postgres_url, table="purchase")


@pytest.mark.parametrize("query", ["SELECT 1 AS id, 2 AS id", 'SELECT 1 AS "Id", 2 AS id'])
def test_columns_that_cannot_be_told_apart_are_refused(reader, postgres_url, query):
    assert "occur more than once" in reader.failure(postgres_url, SourceSchemaError, query=query)


def test_a_query_that_takes_too_long_is_stopped(reader, postgres_url):
    started = time.monotonic()
    told = reader.failure(postgres_url, query="SELECT pg_sleep(30)::text AS slept", timeout_seconds=1)
    assert "was not done after 1 s" in told
    assert time.monotonic() - started < 10


def test_postgres_is_told_from_its_neighbours_by_what_is_wrong(reader, postgres_url, unused_port):
    wrong = postgres_url.replace("p%40ss", "p%40ssword")
    assert "refuses user 'analyst' with this password" in reader.failure(wrong, table="t")
    assert "has no database 'crn'" in reader.failure(postgres_url[:-1] + "n", table="t")
    refused = re.sub(r":\d+/crm", f":{unused_port}/crm", postgres_url)
    assert "cannot be reached" in reader.failure(refused, table="t")
    assert "do not agree on TLS" in reader.failure(postgres_url + "?sslmode=require", table="t")
    assert "option that is not understood" in reader.failure(postgres_url + "?sslmod=require", ParamsError, table="t")


def test_a_frozen_postgres_is_left(reader, own_postgres, monkeypatch):
    monkeypatch.setattr("crm_analysis.tables.sources.postgres.GRACE_SECONDS", 0.5)
    timer = threading.Timer(0.5, lambda: _signal(own_postgres, signal.SIGSTOP))
    timer.start()
    try:
        told = reader.failure(own_postgres.url, query="SELECT pg_sleep(20)::text AS slept", timeout_seconds=1)
    finally:
        _signal(own_postgres, signal.SIGCONT)
    assert "was not done after 1 s" in told


def _signal(server, number):
    """Send a signal to a server and its children, each by its own process id."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    for process in (server.process.pid, *map(int, children)):
        os.kill(process, number)


def test_a_postgres_that_dies_in_the_middle_leaves_nothing(reader, own_postgres):
    query = "SELECT i AS id, repeat('x', 200) AS filler FROM generate_series(1, 50000000) i"
    threading.Timer(1.5, lambda: _signal(own_postgres, signal.SIGKILL)).start()
    told = reader.failure(own_postgres.url, query=query)
    assert "broke off while rows were read; nothing of them is used" in told


# --- MariaDB, which speaks as MySQL does


@pytest.fixture(scope="module")
def wares(mariadb):
    """A table with a column of every type."""
    mariadb.run(
        "SET sql_mode = ''",
        "SET time_zone = '+05:00'",
        """CREATE TABLE wares (id bigint unsigned, amount decimal(12, 2), fine decimal(40, 20), share float, ratio double,
           paid boolean, day date, at datetime(6), at_zone timestamp NULL, clock time, name varchar(90), note longtext,
           fixed char(4), channel enum('web', 'shop'), tags set('a', 'b'), extra json, raw varbinary(9), flags bit(3),
           small smallint unsigned, made year, latin varchar(9) CHARACTER SET latin1)""",
        """INSERT INTO wares VALUES (1, 0.10, 1.00000000000000000001, 0.1, 0.1, true, '2024-02-29',
           '2024-01-05 10:00:00.123456', '2024-01-05 10:00:00', '23:59:59', 'Zoë "quoted", 🙂', repeat('long', 50000), 'ab',
           'web', 'a,b', '{"a": [1, 2]}', x'00ff', b'101', 65535, 2024, 'Zoë')""",
        """INSERT INTO wares VALUES (18446744073709551615, 0.20, -2, -1.5, -1e300, false, '1000-01-01',
           '1969-12-31 23:59:59', '2024-07-01 00:00:00', '00:00:00', '', '', '', 'shop', '', 'null', '', b'000', 0, 1999, '')""",
        "INSERT INTO wares (id) VALUES (2)",
        "CREATE TABLE dated (day date)",
        "INSERT INTO dated VALUES ('0000-00-00'), ('2024-01-01')",
    )
    return "wares"


def test_every_type_of_mariadb_arrives_exactly(reader, mariadb_url, wares):
    relation = reader.relation(mariadb_url, table=wares)
    types = reader.types_of(relation)
    assert (types["amount"], types["fine"], types["id"]) == ("DECIMAL(18,2)", "DECIMAL(38,20)", "DECIMAL(38,0)")
    assert (types["at"], types["at_zone"]) == ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
    first, missing, last = reader.rows(mariadb_url, table=wares)
    assert first[:3] == (1, Decimal("0.10"), Decimal("1.00000000000000000001"))
    assert first[3] == pytest.approx(0.1)
    assert first[4:7] == (0.1, 1, date(2024, 2, 29))
    assert first[7:9] == (datetime.fromisoformat("2024-01-05 10:00:00.123456"), "2024-01-05 05:00:00+00")
    assert first[10:14] == ('Zoë "quoted", 🙂', "long" * 50000, "ab", "web")
    assert first[14:] == ("a,b", '{"a": [1, 2]}', "00FF", 5, 65535, 2024, "Zoë")
    assert missing == (2, *[None] * 20)
    assert last[0] == 18446744073709551615
    assert (last[1], last[4], last[5], last[10], last[16]) == (Decimal("0.20"), -1e300, 0, "", "")
    assert reader.catalogue.execute(f"SELECT sum(amount) FROM ({relation})").fetchone() == (Decimal("0.30"),)


def test_an_impossible_date_is_seen_not_lost(reader, mariadb_url, wares):
    assert reader.rows(mariadb_url, table="dated") == [("0000-00-00",), ("2024-01-01",)]


def test_mariadb_gives_a_query_and_a_table_of_another_schema(reader, mariadb, mariadb_url):
    mariadb.run("CREATE TABLE crm.small AS SELECT 1 AS id, 'a;b' AS name UNION ALL SELECT 2, NULL")
    expected = [(1, "a;b"), (2, None)]
    assert reader.rows(mariadb_url, table="crm.small") == expected
    assert reader.rows(mariadb_url.replace("mysql:", "mariadb:"), query="SELECT * FROM small # all\n;") == expected
    assert reader.rows(mariadb_url, query="SELECT * FROM small WHERE name LIKE '%;%' AND false") == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"table": "smal"}, "Near to it: small."),
        ({"query": "SELECT amount_ FROM wares"}, "Unknown column 'amount_'"),
        ({"query": "SELECT * FORM wares"}, "cannot run its query: You have an error in your SQL syntax"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "cannot tell the columns of its query apart"),
        ({"query": "SELECT NEXTVAL(counter) AS n"}, "refuse writing"),
        ({"query": "SELECT (SELECT id FROM wares) AS one"}, "failed with error 1242"),
        ({"query": "SELECT SLEEP(20) AS slept", "timeout_seconds": 1}, "was not done after 1 s"),
    ],
)
def test_what_mariadb_refuses_is_told(reader, mariadb, mariadb_url, wares, asked, message):
    mariadb.run(
        "CREATE SEQUENCE IF NOT EXISTS counter",
        "CREATE TABLE IF NOT EXISTS small AS SELECT 1 AS id, 'a;b' AS name UNION ALL SELECT 2, NULL",
    )
    assert message in reader.failure(mariadb_url, **asked)
    assert mariadb.run("SELECT next_not_cached_value FROM counter") == [(1,)]


def test_mariadb_is_told_from_its_neighbours_by_what_is_wrong(reader, mariadb_url, unused_port):
    wrong = mariadb_url.replace("p%40ss", "p%40ssword")
    assert "refuses user 'analyst' with this password" in reader.failure(wrong, table="t")
    assert "'crn'" in reader.failure(mariadb_url[:-1] + "n", table="t")
    refused = re.sub(r":\d+/crm", f":{unused_port}/crm", mariadb_url)
    assert "cannot be reached" in reader.failure(refused, table="t")
    assert "do not agree on TLS" in reader.failure(mariadb_url + "?ssl-mode=REQUIRED", table="t")
    assert "ssl-mode of its connection is not known" in reader.failure(
        mariadb_url + "?ssl-mode=maybe", ParamsError, table="t"
    )
    assert "options that are not understood: ssl-cert" in reader.failure(
        mariadb_url + "?ssl-cert=a.pem", ParamsError, table="t"
    )
    assert "ssl-ca" in reader.failure(mariadb_url + "?ssl-mode=VERIFY_CA&ssl-ca=/nowhere.pem", table="t")


def test_a_mariadb_that_dies_in_the_middle_leaves_nothing(reader, own_mariadb):
    query = "SELECT seq AS id, repeat('x', 200) AS filler FROM seq_1_to_50000000"
    threading.Timer(3, own_mariadb.process.kill).start()
    assert "broke off" in reader.failure(own_mariadb.url, query=query)


def test_nothing_is_said_on_standard_error_by_a_failing_copy(reader, mariadb_url, wares, capfd):
    reader.failure(mariadb_url, query="SELECT (SELECT id FROM wares) AS one")
    assert capfd.readouterr() == ("", "")


# --- queries and addresses


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1; DROP TABLE kept", "its query is 2 statements"),
        ("DELETE FROM kept", "begins with DELETE"),
        ("-- look\nUPDATE kept SET id = 2", "begins with UPDATE"),
        ("", "not a SELECT"),
        ("kept", "not a SELECT"),
        ("SELECT 1) AS source; DROP TABLE kept; SELECT * FROM (SELECT 1", "its query is 3 statements"),
    ],
)
def test_a_query_is_one_that_reads(reader, postgres, postgres_url, mariadb_url, query, message):
    postgres.run("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS id", "GRANT ALL ON kept TO analyst")
    for url in (postgres_url, mariadb_url):
        if query:
            assert message in reader.failure(url, ParamsError, query=query)
    with pytest.raises(ParamsError, match=message):
        single_query(query, where="Table t")
    assert postgres.run("SELECT count(*) FROM kept") == [(1,)]


def test_what_the_first_look_lets_through_the_server_refuses(reader, postgres, postgres_url, mariadb_url, monkeypatch):
    postgres.run("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS id", "GRANT ALL ON kept TO analyst")
    monkeypatch.setattr("crm_analysis.tables.sources.questions.single_query", lambda query, where: query)
    for query in ("DELETE FROM kept", "SELECT 1) AS source; DELETE FROM kept; SELECT * FROM (SELECT 1"):
        reader.failure(postgres_url, query=query)
        reader.failure(mariadb_url, query=query)
    assert postgres.run("SELECT count(*) FROM kept") == [(1,)]


@pytest.mark.parametrize("query", ["SELECT ';' AS a", "SELECT 1 -- ;", "(SELECT 1)", "WITH a AS (SELECT 1) TABLE a;; "])
def test_harmless_semicolons_are_allowed(query):
    assert single_query(query, where="").startswith(query[:6])


def test_names_are_taken_apart_and_compared():
    assert name_parts('"a.b"."c""d"') == ["a.b", 'c"d']
    assert name_parts("sales.lines") == ["sales", "lines"]
    assert near_names("lines", []) == "There is none that this user may read."
    assert near_names("zzz", ["b", "a", "c", "d"]) == "There are 4: a, b, c …."


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://analyst:s3cr:t/p@ss@127.0.0.1:1/crm",
        "mysql://analyst:s3cr#p@ss@127.0.0.1/crm",
        "postgresql://analyst:s3cr?p@ss@127.0.0.1/crm",
        "postgresql://analyst:s3cr%3At%2Fp%40ss@127.0.0.1:port/crm",
        "mysql://analyst:s3cr[p@ss@127.0.0.1/crm",
        "mongodb://analyst:s3cr:t/p@ss@127.0.0.1:1/crm",
    ],
)
def test_a_password_that_is_not_escaped_is_not_shown_either(reader, url):
    assert "Table transactions" in reader.failure(url, ParamsError, table="t")


def test_what_is_no_address_is_refused(reader):
    assert "Known are duckdb, mariadb" in reader.failure("oracle://analyst:s3cr@db/crm", ParamsError, table="t")
    assert "Known are" in reader.failure("s3cr:t/p@ss", ParamsError, table="t")
    assert "neither a table nor a query" in reader.failure("mysql://u:s3cr@db/crm", ParamsError)
    assert "both" in reader.failure("mysql://u:s3cr@db/crm", ParamsError, table="t", query="SELECT 1")


def test_a_server_that_never_answers_is_left(reader, monkeypatch):
    monkeypatch.setattr("crm_analysis.tables.sources.postgres.CONNECT_SECONDS", 2)
    monkeypatch.setattr("crm_analysis.tables.sources.mysql.GRACE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0), backlog=5) as silent:
        port = silent.getsockname()[1]
        for scheme in ("postgresql", "mysql"):
            told = reader.failure(f"{scheme}://u:s3cr@127.0.0.1:{port}/crm", table="t", timeout_seconds=1)
            assert "cannot be reached" in told or "was not done" in told


def test_a_driver_that_is_not_installed_is_named(reader, monkeypatch):
    monkeypatch.setitem(sys.modules, "crm_analysis.tables.sources.mysql", None)
    monkeypatch.setitem(sys.modules, "pymysql", None)
    assert "pip install 'crm-analysis[databases]'" in reader.failure("mysql://u:s3cr@db/crm", table="t")


# --- files that are databases


@pytest.fixture
def sqlite_file(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript(
            """CREATE TABLE lines (id INTEGER, amount DECIMAL(12, 2), day DATE, mixed, raw BLOB, name TEXT, none);
            INSERT INTO lines VALUES (1, 0.1, '2024-02-29', 1, x'00ff', 'Zoë', NULL), (2, 0.2, NULL, 'two', NULL, '', NULL),
            (9223372036854775807, 3, 'soon', 2.5, x'', 'x', NULL);
            CREATE VIEW "all lines" AS SELECT * FROM lines"""
        )
    connection.close()
    return "sqlite:///shop.db"


def test_sqlite_types_its_values_and_so_do_we(reader, sqlite_file):
    relation = reader.relation(sqlite_file, table="all lines")
    types = reader.types_of(relation)
    assert list(types.values()) == ["BIGINT", "DOUBLE", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"]
    assert reader.rows(sqlite_file, table="lines") == [
        (1, 0.1, "2024-02-29", "1", "00ff", "Zoë", None),
        (2, 0.2, None, "two", None, "", None),
        (9223372036854775807, 3.0, "soon", "2.5", "", "x", None),
    ]
    total = f"SELECT sum(CAST(amount AS DECIMAL(18, 4))) FROM ({relation})"
    assert reader.catalogue.execute(total).fetchone() == (Decimal("3.3000"),)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"table": "line"}, "Near to it: lines, all lines."),
        ({"query": "SELECT nowhere FROM lines"}, "no such column: nowhere"),
        (
            {
                "query": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                "timeout_seconds": 1,
            },
            "was not done after 1 s",
        ),
    ],
)
def test_what_sqlite_refuses_is_told(reader, sqlite_file, asked, message):
    assert message in reader.failure(sqlite_file, **asked)


def test_files_that_are_no_databases_are_told(reader, sqlite_file, tmp_path):
    (tmp_path / "text.db").write_text("no database " * 100)
    (tmp_path / "cut.db").write_bytes((tmp_path / "shop.db").read_bytes()[:5000])
    assert "is not an SQLite database" in reader.failure("sqlite:///text.db", table="t")
    assert "is cut off: 5,000 of" in reader.failure("sqlite:///cut.db", table="lines")
    assert "Near to it: shop.db" in reader.failure("sqlite:///shop.bd", table="t")
    assert "is not a DuckDB database" in reader.failure("duckdb:///text.db", table="t")
    assert "names no file" in reader.failure("sqlite://", ParamsError, table="t")
    assert "names no file" in reader.failure("duckdb://host/shop.db", ParamsError, table="t")


def test_text_that_is_not_utf_8_is_told(reader, tmp_path):
    with sqlite3.connect(tmp_path / "latin.db") as connection:
        connection.execute("CREATE TABLE t AS SELECT CAST(x'5a6feb' AS TEXT) AS name")
    connection.close()
    assert "not UTF-8" in reader.failure("sqlite:///latin.db", table="t")


@pytest.fixture
def duckdb_file(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE SCHEMA sales")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            """CREATE TABLE sales.lines AS SELECT 1::BIGINT AS id, 0.10::DECIMAL(12, 2) AS amount, 170141183460469231731::HUGEINT
            AS large, DATE '2024-02-29' AS day, TIMESTAMPTZ '2024-01-05 10:00:00+02' AS at, [1, 2] AS tags, 'web'::ENUM('web')
            AS channel, INTERVAL 1 DAY AS span, true AS paid, 'Zoë' AS name, NULL::VARCHAR AS nothing"""
        )
    return f"duckdb:///{tmp_path}/shop.duckdb"


def test_a_duckdb_file_keeps_its_types(reader, duckdb_file):
    assert reader.rows(duckdb_file, table="sales.lines") == [
        (
            1,
            Decimal("0.10"),
            "170141183460469231731",
            date(2024, 2, 29),
            "2024-01-05 08:00:00+00",
            "[1, 2]",
            "web",
            "1 day",
            True,
            "Zoë",
            None,
        )
    ]
    assert reader.rows("duckdb:///shop.duckdb", query="SELECT sum(amount) AS total FROM sales.lines") == [
        (Decimal("0.10"),)
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"table": "sales.line"}, "Near to it: sales.lines."),
        ({"query": "SELECT nowhere FROM sales.lines"}, '"nowhere" not found'),
        ({"query": "SELECT * FROM read_csv('/etc/passwd')"}, "reads more than"),
        ({"query": "SELECT 'ann@example.com'::INTEGER AS n"}, "ConversionException"),
        (
            {
                "query": "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range < 0",
                "timeout_seconds": 1,
            },
            "was not done after 1 s",
        ),
    ],
)
def test_what_duckdb_refuses_is_told(reader, duckdb_file, asked, message):
    told = reader.failure(duckdb_file, **asked)
    assert message in told
    assert "ann@example.com" not in told


def test_a_duckdb_file_in_use_elsewhere_is_told(reader, duckdb_file, tmp_path):
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "shop.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        told = reader.failure(duckdb_file, table="sales.lines")
        holder.stdin.close()
    assert "is locked by another program" in told


# --- memory and order


def test_batches_are_put_down_before_the_last_one_came(tmp_path):
    path, sizes = tmp_path / "copy.parquet", []
    schema = pa.schema([("id", pa.int64())])

    def batches():
        for number in range(5):
            sizes.append(path.stat().st_size)
            yield pa.record_batch([pa.array(range(number, number + 10_000))], schema=schema)

    copies.written(batches(), schema, path)
    assert sizes == sorted(set(sizes))


MEASURE = """
import re, sys
from pathlib import Path
from crm_analysis.tables.engine import open_catalogue
from crm_analysis.tables.references import secret_address
from crm_analysis.tables.sources.databases import database_relation
opened = open_catalogue([])
url = sys.stdin.readline().strip()
query = f"SELECT i AS id, i / 100.0 AS amount, repeat('x', 100) || i AS name FROM generate_series(1, {sys.argv[1]}) i"
relation = database_relation(opened.connection, secret_address(url), table=None, query=query, name="s", scratch=opened.scratch,
                             beside=Path(), where="w", timeout_seconds=60)
assert opened.connection.execute(f"SELECT count(*) FROM ({relation})").fetchone()[0] == int(sys.argv[1])
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
opened.connection.close()
"""


def test_memory_does_not_grow_with_the_rows(postgres_url):
    few, many = (
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURE, str(rows)],
                input=postgres_url,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()[-1]
        )
        for rows in (100_000, 800_000)
    )
    assert many < 1.5 * few


def test_numbers_keep_the_digits_they_have(reader, postgres_url):
    cases = {
        "SELECT 1e30::numeric * 1e10 AS n": "VARCHAR",
        "SELECT 'NaN'::numeric AS n": "VARCHAR",
        "SELECT 1.50 AS n": "DECIMAL(18,2)",
    }
    for query, kind in cases.items():
        assert reader.types_of(reader.relation(postgres_url, query=query)) == {"n": kind}


def test_moments_are_the_same_whatever_zone_the_server_is_in(reader, postgres, postgres_url):
    postgres.run("ALTER ROLE analyst SET TimeZone = 'Asia/Tokyo'")
    rows = reader.rows(postgres_url, query="SELECT timestamptz '2024-01-05 10:00+09' AS at")
    assert rows == [("2024-01-05 01:00:00+00",)]
