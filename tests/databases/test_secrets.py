"""
A password and a key that a run was given are found nowhere: whatever it wrote, said or left, and however it ended.

Each run is a command of its own, with a home and a folder for temporary files of its own, which are looked through while it
lives. What makes servers fail belongs in ``test_databases.py``.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import io
import json
import logging
import os
import pickle
import pprint
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
import nbformat
import psycopg
import pymongo
import pymysql
import pytest
import rich
import rich.pretty
import rich.traceback
import yaml
from IPython.core.ultratb import VerboseTB
from rich.console import Console

from crm_analysis.errors import CRMAnalysisError, ParamsError
from crm_analysis.reporting.params import PARAMS
from crm_analysis.tables.dataset_file import read_dataset_file
from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.privacy.keys import pseudonym_parameters
from crm_analysis.tables.references import Secret, discreet, secret_address
from tests.databases.conftest import LOOPBACK, Server, free_port, postgres_server
from tests.databases.conftest import PASSWORD as GIVEN

BEGIN, END = "Hush7gate", "Moor4lark"
PASSWORD = BEGIN + """"<b:t\\/p@ss'é&$ #%41""" + END
KEY = "Quay8bell and some words of a key Fern2moth"
ENVIRONMENT = "SHOP_DATABASE"
QUERY = "SELECT customer_id, occurred_at, amount FROM guarded"
FAILING = "SELECT customer_id, occurred_at, 1 / (amount - amount) AS amount FROM guarded"
SLOW = "SELECT customer_id, occurred_at, amount, pg_sleep(20)::text AS slept FROM guarded"
LOOKED_AT = 4 << 20  # bytes of a file that is looked at many times
ENDLESS = (
    "SELECT i AS customer_id, now() AS occurred_at, repeat('x', 200) AS amount FROM generate_series(1, 50000000) i"
)


def in_base64(text: str) -> set[str]:
    """Return what of a text's base64 does not depend on what stands around it."""
    coded = (base64.b64encode(b"\0" * before + text.encode()).decode() for before in range(3))
    return {part.rstrip("=")[4:-2] for part in coded}


def traces() -> tuple[bytes, ...]:
    """Return what gives a secret away: its begin and end stay as they are in all spellings but these."""
    words = {BEGIN, END, KEY.split(maxsplit=1)[0], KEY.rsplit(maxsplit=1)[1]}
    coded = {text for whole in (*words, PASSWORD, GIVEN, KEY) for text in in_base64(whole)}
    coded |= {word.encode().hex() for word in words}
    coded |= {
        spelling for secret in (address_of(PASSWORD), address_of(GIVEN), Secret(KEY)) for spelling in secret.spellings()
    }
    wide = {word.encode(encoding) for word in words for encoding in ("utf-16-le", "utf-32-le")}
    pads = {pad[:16] for pad in pseudonym_parameters(Secret(KEY)).values()}
    pads |= {repr(pad)[2:-1].encode() for pad in pads} | {pad.hex().encode() for pad in pads}
    known = {trace.lower() for trace in {text.encode() for text in words | coded} | wide | pads}
    return tuple(trace for trace in known if not any(other in trace for other in known - {trace}))


def address_of(
    password: str, scheme: str = "postgresql", port: int = 1, rest: str = "/crm", user: str = "keeper"
) -> Secret:
    """Return an address that no variable of a test holds in the clear."""
    return secret_address(f"{scheme}://{user}:{quote(password, safe='')}@{LOOPBACK}:{port}{rest}")


def port_of(server: Server) -> int:
    return int(re.findall(r":(\d+)/", server.url)[0])


def found_in(told: str | bytes) -> list[bytes]:
    """Return the traces in a text or in bytes; whether letters are capitals does not matter."""
    data = (told.encode("utf-8", "surrogatepass") if isinstance(told, str) else told).lower()
    return [trace for trace in TRACES if trace in data]


TRACES = traces()


def test_the_search_finds_what_it_is_to_find() -> None:
    """Every way in which a careless line could write the secret."""
    for told in (
        PASSWORD,
        repr(PASSWORD),
        json.dumps({"a": PASSWORD}),
        quote(PASSWORD),
        repr(os.environ | {ENVIRONMENT: address_of(PASSWORD).reveal()}),
        base64.b64encode(f"user:{PASSWORD}".encode()).decode(),
        PASSWORD.encode().hex(),
        PASSWORD[:12] + "…",
        "…" + PASSWORD[-12:],
        repr(pseudonym_parameters(Secret(KEY))),
    ):
        assert found_in(told)
    assert not found_in("PostgreSQL at 127.0.0.1:5432 refuses user 'keeper' with this password.")


# --- runs of the command line, looked at from outside


@dataclass
class Run:
    """What came of a command: how it ended, what it said, what was seen of it while it lived, and what it left."""

    home: Path
    code: int | None = None
    said: bytes = b""
    seen: set[str] = field(default_factory=set)
    leaks: set[str] = field(default_factory=set)
    looked_at: dict[Path, tuple[int, int]] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        return self.home / "t"

    @property
    def out(self) -> Path:
        return self.home / "out"

    def look(self, pid: int) -> None:
        """Look at the temporary files, and at what the processes were started with, which every user of a machine can see."""
        for folder, folders, files in os.walk(self.temporary):  # which are made and taken away meanwhile
            self.seen.update(folders, files)
            for path in (Path(folder, name) for name in files):
                with contextlib.suppress(OSError), path.open("rb") as content:
                    state = os.fstat(content.fileno())
                    is_new = self.looked_at.get(path) != (state.st_mtime_ns, state.st_size)
                    self.looked_at[path] = (state.st_mtime_ns, state.st_size)
                    if path.is_file() and is_new and found_in(content.read(LOOKED_AT)):
                        self.leaks.add(f"{path.name} while it ran")
        for command in commands(pid):
            self.seen.add(command)
            if found_in(command):
                self.leaks.add(f"command {command[:20]}")

    def assert_clean(self) -> None:
        """Nothing of the secrets is anywhere, nothing temporary is left, and nobody was shown a traceback."""
        found = {
            f"{path.relative_to(self.home)}"
            for path in self.home.rglob("*")
            if path.is_file() and (found_in(path.read_bytes()) or found_in(str(path)))
        }
        assert not found | self.leaks
        assert not found_in(self.said)
        assert b"Traceback" not in self.said
        assert not list(self.temporary.iterdir())
        assert not list(self.out.rglob(".*")) if self.out.exists() else True

    def report(self, name: str) -> str:
        return next(self.out.rglob(name)).read_text(encoding="utf-8")


def commands(pid: int) -> Iterator[str]:
    """Yield what a process and all below it were started with."""
    with contextlib.suppress(OSError):
        yield Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from commands(int(child))


class Commands:
    """Runs of the command line, two at a time, each in a folder of its own."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._root = folder, root
        self._pool = ThreadPoolExecutor(2)

    def close(self) -> None:
        self._pool.shutdown()

    def home(self, number: str) -> Path:
        home = self._folder / number
        (home / "t").mkdir(parents=True)
        return home

    def start(
        self, home: Path, *arguments: str, address: Secret, key: str = KEY, root: Path | None = None, **more: Any
    ) -> Future[Run]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home / "h"),
            "TMPDIR": str(home / "t"),
            "CRM_HOME": str(root or self._root),
            "OMP_NUM_THREADS": "1",
            "MPLCONFIGDIR": mpl.get_cachedir(),
            "CRM_PSEUDONYM_KEY": key,
            ENVIRONMENT: address.reveal(),
        }
        (home / "h").mkdir()
        return self._pool.submit(self._watched, Run(home), arguments, environment, **more)

    def _watched(
        self,
        run: Run,
        arguments: tuple[str, ...],
        environment: dict[str, str],
        when: Callable[[Run], bool] | None = None,
    ) -> Run:
        with (run.home / "said").open("w+b") as said:
            command = [sys.executable, "-c", "from crm_analysis.cli import main; main()", *arguments]
            process = subprocess.Popen(command, cwd=self._root, env=environment, stdout=said, stderr=said)
            while process.poll() is None:
                run.look(process.pid)
                if when is not None and when(run):
                    when = None
                time.sleep(0.05)
        run.code, run.said = process.returncode, (run.home / "said").read_bytes()
        return run


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Commands]:
    made = Commands(tmp_path_factory.mktemp("s"), root)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(postgres: Server) -> Server:
    """Purchases of 300 customers in PostgreSQL, and a user with the password."""
    put_purchases(postgres)
    return postgres


def put_purchases(server: Server) -> None:
    secret = psycopg.sql.Literal(PASSWORD).as_string(None)
    server.run(
        f"CREATE ROLE keeper LOGIN PASSWORD {secret}",
        """CREATE TABLE guarded AS SELECT 'K-' || c AS customer_id, timestamp '2024-01-01 10:00' + ((c * 7 + n * (c % 5 + 1) * 11) % 360)
           * interval '1 day' AS occurred_at, (5 + (c % 3) * 40 + n)::numeric(10, 2) AS amount
           FROM generate_series(1, 300) c, generate_series(0, 8) n WHERE n <= c % 9""",
        "GRANT SELECT ON guarded TO keeper",
    )


def dataset_file(folder: Path, name: str = "shop", **source: Any) -> Path:
    """Write a dataset file that is not public, with one table in a database."""
    table = {"connection": f"${{{ENVIRONMENT}}}", "query": QUERY} | source
    path = folder / f"{name}.yaml"
    content = {"name": name, "currency": "EUR", "tables": {"transactions": table}}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def suite_file(folder: Path, **reports: dict[str, Any]) -> str:
    path = folder / "trial.yaml"
    path.write_text(yaml.safe_dump({"dataset": str(folder / "shop.yaml"), "reports": reports}), encoding="utf-8")
    return str(path)


SMALL = {"max_segments": 3, "n_bootstraps": 5}


def run_of(home: Path) -> tuple[str, ...]:
    return ("run", suite_file(home, segmentation=SMALL), "--out", str(home / "out"))


def check_of(home: Path) -> tuple[str, ...]:
    return ("check", str(home / "shop.yaml"))


def put_into_mariadb(server: Server) -> None:
    with pymysql.connect(**server.admin) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER keeper@'%%' IDENTIFIED BY %s", (PASSWORD,))
        cursor.execute("GRANT SELECT ON crm.* TO keeper@'%'")
        cursor.execute(
            "CREATE TABLE guarded AS SELECT concat('K-', seq % 50) AS customer_id, "
            "timestamp '2024-01-01 10:00' + INTERVAL seq DAY AS occurred_at, CAST(seq AS DECIMAL(10, 2)) AS amount FROM seq_1_to_300"
        )


def put_into_mongodb(server: Server) -> None:
    with pymongo.MongoClient(server.url) as client:
        days = [datetime(2024, 1, 1 + number % 28, tzinfo=UTC) for number in range(300)]
        documents = [{"customer_id": f"K-{n % 50}", "occurred_at": day, "amount": n} for n, day in enumerate(days)]
        client["crm"]["guarded"].insert_many(documents)


# --- the ends that a run may come to


@pytest.fixture(scope="module")
def ended(line: Commands, shop: Server, mariadb: Server, mongodb: Server) -> dict[str, Run]:
    """All runs, by name; made at once, since each takes seconds to start."""
    put_into_mariadb(mariadb)
    put_into_mongodb(mongodb)
    port, right = port_of(shop), address_of(PASSWORD, port=port_of(shop))
    started: dict[str, Future[Run]] = {}

    def start(name: str, command: Callable[[Path], tuple[str, ...]], address: Secret, **more: Any) -> None:
        home = line.home(str(len(started)))
        source = {name: more.pop(name) for name in ("query", "table", "timeout_seconds") if name in more}
        dataset_file(home, **source)
        started[name] = line.start(home, *command(home), address=address, **more)

    start("published", run_of, right)
    start("wrong password", run_of, address_of(PASSWORD + "x", port=port))
    start("nobody there", check_of, address_of(PASSWORD, port=free_port()))
    start("failing query", run_of, right, query=FAILING)
    start("too slow", check_of, right, query=SLOW, timeout_seconds=1)
    start("not escaped", check_of, secret_address(f"postgresql://keeper:{PASSWORD}@{LOOPBACK}:{port}/crm"))
    start("short key", check_of, right, key=KEY.split(maxsplit=1)[0])
    at_mariadb = address_of(PASSWORD, "mysql", port_of(mariadb))
    start("mariadb", check_of, at_mariadb)
    start("mariadb fails", check_of, at_mariadb, query="SELECT (SELECT amount FROM guarded) AS amount")
    at_mongodb = address_of(GIVEN, "mongodb", port_of(mongodb), "/crm?authSource=admin", "analyst")
    start("mongodb", check_of, at_mongodb, query="SELECT customer_id, occurred_at, amount FROM source", table="guarded")
    start("mongodb refuses", check_of, address_of(PASSWORD, "mongodb", port_of(mongodb)), table="guarded")
    return {name: future.result() for name, future in started.items()}


ENDS = {
    "published": (0, "index.html"),
    "wrong password": (3, "refuses user 'keeper' with this password"),
    "nobody there": (3, "cannot be reached"),
    "failing query": (3, "failed while it read (DivisionByZero"),
    "too slow": (3, "was not done after 1 s"),
    "not escaped": (2, "is no address that can be read"),
    "short key": (2, "$CRM_PSEUDONYM_KEY has fewer than 16 characters"),
    "mariadb": (0, "transactions"),
    "mariadb fails": (3, "failed with error 1242"),
    "mongodb": (0, "transactions"),
    "mongodb refuses": (3, "refuses this user with this password"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_command_keeps_its_secrets_however_it_ends(ended: dict[str, Run], end: str) -> None:
    run, (code, told) = ended[end], ENDS[end]
    assert told in run.said.decode()
    assert run.code == code
    run.assert_clean()


def test_what_was_looked_through_was_there(ended: dict[str, Run]) -> None:
    """A run that leaves nothing could also be one that was never looked at."""
    seen = ended["published"].seen
    assert {"catalogue.duckdb", "kernel.json", "kernel.log", "transactions.parquet"} <= seen
    assert any("ipykernel_launcher" in command for command in seen)
    assert any("mysql_transfer.py" in command for command in ended["mariadb"].seen)
    written = {path.name for path in ended["published"].out.rglob("*")}
    assert {"segmentation.html", "segmentation.ipynb", "manifest.json", "tables", "index.html"} <= written


def test_a_server_that_dies_in_the_middle_is_told_without_its_password(line: Commands) -> None:
    with postgres_server() as server:
        put_purchases(server)
        home = line.home("dies")
        dataset_file(home, query=ENDLESS)

        def kill(run: Run) -> bool:
            """Kill the server and what it started, each by its own process id, once rows have come."""
            if not any(path.stat().st_size for path in run.temporary.glob("*/scratch/*.parquet")):
                return False
            children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
            for process in (server.process.pid, *map(int, children)):
                os.kill(process, signal.SIGKILL)
            return True

        run = line.start(home, *run_of(home), address=address_of(PASSWORD, port=port_of(server)), when=kill).result()
    assert "broke off while rows were read" in run.said.decode()
    assert run.code == 3
    run.assert_clean()


# --- notebooks that fail, in a workspace of their own

CHAINED = """
import os
def inner(surroundings):
    raise KeyError("inside")
def outer(surroundings):
    try:
        inner(surroundings)
    except KeyError as error:
        raise RuntimeError("outside") from error
outer(dict(os.environ))
"""
ASKS = """
import os
from crm_analysis.tables.datasets import open_dataset
os.environ.pop("CRM_LANDED")
source = open_dataset({failing!r})
source.land("transactions")
"""
VERBOSE = "get_ipython().run_line_magic('xmode', 'Verbose')" + ASKS
RICH = "from rich.traceback import install\ninstall(show_locals=True, locals_max_string=None)" + ASKS
SHOWN = """
import pprint, rich
from crm_analysis.tables.datasets import open_dataset
source = open_dataset({working!r})
source.land("transactions")
arrival = source._arrival
address, key = source.secrets
for one in (source, arrival, arrival._file, address, key):
    display(one)
    rich.inspect(one, all=True, private=True, dunder=False, value=True)
    pprint.pprint(getattr(one, "__dict__", None))
get_ipython().run_line_magic("whos", "")
get_ipython().run_line_magic("xmode", "Verbose")
1 / (address == key)
"""
PRINTED = "import os\nprint(os.environ)"
IN_A_LIST = """
import os
from pathlib import Path
Path("tables").mkdir(exist_ok=True)
Path("tables", "list.csv").write_text("name\\n" + os.environ["CRM_PSEUDONYM_KEY"])
"""
RAISED = "import os\nraise RuntimeError(f'no answer from {os.environ[\"SHOP_DATABASE\"]}')"
VERBOSE_ON_ITS_OWN = """
import os
get_ipython().run_line_magic("xmode", "Verbose")
def connect(address):
    return 1 / len(address) / address.count("nowhere")
connect(os.environ["SHOP_DATABASE"])
"""


def workspace(folder: Path, **notebooks: str) -> Path:
    """Make a workspace whose notebooks are these."""
    root = folder / "w"
    (root / "params" / "datasets").mkdir(parents=True)
    (root / "notebooks").mkdir()
    for report, code in notebooks.items():
        defaults = "\n".join(f"{name} = {one.default!r}" for name, one in PARAMS[report].model_fields.items())
        cells = [
            nbformat.v4.new_code_cell(defaults, metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(code.strip()),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, root / "notebooks" / f"{report}.ipynb")
    return root


def in_workspace(line: Commands, shop: Server, name: str, **notebooks: str) -> Future[Run]:
    home = line.home(name)
    paths = {"working": str(dataset_file(home)), "failing": str(dataset_file(home, "failing", query=FAILING))}
    for report, code in notebooks.items():
        notebooks[report] = code.format(**paths) if "{working" in code or "{failing" in code else code
    suite = suite_file(home, **{report: {} for report in notebooks})
    command = ("run", suite, "--out", str(home / "out"), "--jobs", "2")
    address = address_of(PASSWORD, port=port_of(shop))
    return line.start(home, *command, address=address, root=workspace(home, **notebooks))


AROUND = {"segmentation": CHAINED, "forecasting": VERBOSE, "service_quality": RICH, "data_quality": SHOWN}
SHOWING = {"printed": PRINTED, "in a list": IN_A_LIST, "raised": RAISED, "in frames": VERBOSE_ON_ITS_OWN}


@pytest.fixture(scope="module")
def notebooks(line: Commands, shop: Server) -> dict[str, Run]:
    """Runs of notebooks that fail or show what they should not, by name."""
    started = {"around": in_workspace(line, shop, "around", **AROUND)}
    started |= {
        name: in_workspace(line, shop, name.replace(" ", "_"), segmentation=code) for name, code in SHOWING.items()
    }
    return {name: future.result() for name, future in started.items()}


def test_notebooks_that_fail_with_secrets_around_show_none(notebooks: dict[str, Run]) -> None:
    run = notebooks["around"]
    assert run.code == 6
    run.assert_clean()
    reports = json.loads(run.report("manifest.json"))["reports"]
    errors = {report: outcome["error"]["type"] for report, outcome in reports.items()}
    failed = {
        "forecasting": "SourceError",
        "service_quality": "CellExecutionError",
        "data_quality": "ZeroDivisionError",
    }
    assert errors == {"segmentation": "RuntimeError"} | failed
    assert "Secret([hidden])" in run.report("data_quality.ipynb")
    assert "locals" in run.report("service_quality.ipynb")  # of a hook that tells the kernel nothing of the error


@pytest.mark.parametrize("name", SHOWING)
def test_a_notebook_that_shows_a_secret_is_not_published(notebooks: dict[str, Run], name: str) -> None:
    run = notebooks[name]
    assert run.code == 6
    assert "Nothing was published" in run.said.decode()
    assert [path.name for path in run.out.rglob("*")] == ["trial"]
    run.assert_clean()


# --- what somebody sees who holds the objects, or an error, in hand


@pytest.fixture
def dataset(shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A dataset that was read, with temporary files in a folder of its own."""
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    monkeypatch.setenv(ENVIRONMENT, address_of(PASSWORD, port=port_of(shop)).reveal())
    monkeypatch.setenv("CRM_PSEUDONYM_KEY", KEY)
    read = open_dataset(str(dataset_file(tmp_path)))
    read.land("transactions")
    return read


def pieces(dataset: Dataset) -> list[Any]:
    """Return everything that holds a secret or refers to one."""
    return [dataset, dataset._arrival, dataset._file, *dataset.secrets, dataset._arrival._addresses, os.path]


def test_no_look_at_an_object_shows_a_secret(dataset: Dataset) -> None:
    for one in pieces(dataset):
        page = Console(file=io.StringIO(), width=500)
        rich.inspect(one, console=page, private=True)
        page.print(rich.pretty.Pretty(one, max_depth=None))
        seen = [
            repr(one),
            str(one),
            f"{one}",
            pprint.pformat(one),
            repr(getattr(one, "__dict__", "")),
            page.file.getvalue(),
        ]
        assert not found_in("\n".join(seen))


def test_no_copy_carries_a_secret_away(dataset: Dataset) -> None:
    for one in (dataset, dataset._arrival, *dataset.secrets):
        for copied in (copy.deepcopy, copy.copy, pickle.dumps):
            if one in (dataset, dataset._arrival) and copied is copy.copy:
                continue  # a second name for the same objects
            with pytest.raises(TypeError) as refused:
                copied(one)
            assert not found_in(str(refused.value))


def test_neither_the_catalogue_nor_what_is_handed_on_holds_a_secret(dataset: Dataset, tmp_path: Path) -> None:
    dataset.known(dataset.last_day).query("SELECT count(*) FROM transactions")
    dataset.connection.execute("CHECKPOINT")
    (tmp_path / "landed").mkdir()
    dataset.hand_on(tmp_path / "landed")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"catalogue.duckdb", "transactions.parquet", "personal.json", "shop.yaml"} <= {path.name for path in files}
    assert not [path for path in files if found_in(path.read_bytes())]
    catalogue = dataset.connection.execute("SELECT sql FROM duckdb_views() UNION ALL SELECT sql FROM duckdb_tables()")
    assert not found_in(str(catalogue.fetchall()))
    assert not found_in(dataset.digest() + json.dumps(dataset.row_counts()))


def told_of(error: BaseException) -> str:
    """Return whatever can be printed of an error: with every variable of every call, and of the errors behind it."""
    while error.__traceback__ and error.__traceback__.tb_frame.f_code.co_filename == __file__:
        error.__traceback__ = error.__traceback__.tb_next
    told = [*VerboseTB().structured_traceback(type(error), error, error.__traceback__)]
    page = Console(file=io.StringIO(), width=500)
    page.print(rich.traceback.Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    behind: list[BaseException] = [error]
    for one in behind:
        told += traceback.TracebackException.from_exception(one, capture_locals=True).format()
        told += [repr(one), repr(vars(one))]
        behind += [other for other in (one.__cause__, one.__context__) if other is not None and other not in behind]
    return "\n".join([*told, page.file.getvalue()])


def failing_addresses(
    postgres: Server, mariadb: Server, mongodb: Server
) -> Iterator[tuple[str, Secret, dict[str, Any]]]:
    """Yield what fails, and how it is asked."""
    ports = {"postgresql": port_of(postgres), "mysql": port_of(mariadb), "mongodb": port_of(mongodb)}
    for scheme, port in ports.items():
        quick = "/crm?serverSelectionTimeoutMS=500" if scheme == "mongodb" else "/crm"
        yield f"{scheme}, nobody there", address_of(PASSWORD, scheme, free_port(), quick), {"table": "guarded"}
        yield f"{scheme}, wrong password", address_of(PASSWORD + "x", scheme, port), {"table": "guarded"}
        strange = address_of(PASSWORD, scheme, port, f"/crm?unheard_of={quote(PASSWORD, safe='')}")
        yield f"{scheme}, strange option", strange, {"table": "guarded"}
        plain = secret_address(f"{scheme}://keeper:{PASSWORD}@{LOOPBACK}:{port}/crm")
        yield f"{scheme}, not escaped", plain, {"table": "guarded"}
        no_text = secret_address(f"{scheme}://keeper:{BEGIN}\udcff{END}@{LOOPBACK}:{port}/crm")
        yield f"{scheme}, no text", no_text, {"table": "guarded"}
    for scheme in ("postgresql", "mysql"):
        yield f"{scheme}, no table", address_of(PASSWORD, scheme, ports[scheme]), {"table": "nowhere"}
        yield (
            f"{scheme}, no column",
            address_of(PASSWORD, scheme, ports[scheme]),
            {"query": "SELECT nowhere FROM guarded"},
        )
        slow = {"postgresql": SLOW, "mysql": "SELECT sleep(20) AS slept"}[scheme]
        yield f"{scheme}, too slow", address_of(PASSWORD, scheme, ports[scheme]), {"query": slow, "timeout_seconds": 1}
    yield "postgresql, in its rows", address_of(PASSWORD, port=ports["postgresql"]), {"query": FAILING}
    fails = {"query": "SELECT (SELECT amount FROM guarded) AS amount"}
    yield "mysql, in its rows", address_of(PASSWORD, "mysql", ports["mysql"]), fails
    yield "no scheme", Secret(f"{PASSWORD}@nowhere"), {"table": "guarded"}
    yield "a file", Secret(f"sqlite://keeper:{quote(PASSWORD, safe='')}@nowhere/shop.db"), {"table": "guarded"}


def test_no_variable_of_a_failing_call_shows_a_secret(
    ended: dict[str, Run], shop: Server, mariadb: Server, mongodb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Whoever prints tracebacks with variables, or lets the drivers log everything, sees none."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CRM_PSEUDONYM_KEY", KEY)
    count = 0
    for what, address, source in failing_addresses(shop, mariadb, mongodb):
        path = dataset_file(tmp_path, **{"query": None} | source)
        with monkeypatch.context() as patch, contextlib.suppress(UnicodeEncodeError):
            os.environ[ENVIRONMENT] = address.reveal()
            patch.setattr("crm_analysis.tables.sources.documents.CONNECT_SECONDS", 1)
            with pytest.raises(CRMAnalysisError) as caught:
                open_dataset(str(path)).land("transactions")
            assert not found_in(told_of(caught.value)), what
            count += 1
    del os.environ[ENVIRONMENT]
    assert count == 25
    assert not found_in(caplog.text)
    assert not found_in("".join(capfd.readouterr()))


def test_an_interrupted_call_shows_no_secret() -> None:
    """Also what is no error of ours: it keeps the lines that it came through, as a note."""

    @discreet
    def connect(address: Secret) -> None:
        clear = address.reveal()
        try:
            int(clear)
        except ValueError:
            raise KeyboardInterrupt  # noqa: B904 - as it comes: in the middle of something else

    with pytest.raises(KeyboardInterrupt) as caught:
        connect(address_of(PASSWORD))
    assert not found_in(told_of(caught.value))
    assert "in connect" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    "connection",
    [
        address_of(PASSWORD).reveal(),
        f"postgresql://{LOOPBACK}/crm?user=keeper&password={quote(PASSWORD, safe='')}",
        f"${{NOT_SET:-{address_of(PASSWORD).reveal()}}}",
        [address_of(PASSWORD).reveal()],
        {"url": address_of(PASSWORD).reveal()},
    ],
    ids=["address", "option", "default", "list", "mapping"],
)
def test_a_password_in_the_dataset_file_is_refused_and_not_shown(tmp_path: Path, connection: object) -> None:
    with pytest.raises(ParamsError, match=r"tables\.transactions\.connection") as caught:
        read_dataset_file(str(dataset_file(tmp_path, connection=connection)))
    assert not found_in(f"{caught.value!r} {caught.value.faults}")


def test_pieces_of_a_secret_are_long_and_odd() -> None:
    """A text that was cut is recognised; words of reports are not taken for one."""
    assert Secret("segmentation-of-2024").fragments() == ("-of-2024", "segmentation-of-2")
    assert Secret("too short").fragments() == ()
    words = Secret("correct horse battery staple").fragments()
    assert "correct horse batt" in words
    assert min(map(len, words)) >= 12
