"""A shop full of traps: personal data, markup and formulas wherever a source can have them; and its four reports."""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.suites import read_suite
from tests.interfaces.conftest import browser, open_page

__all__ = ["browser", "open_page"]  # fixtures, for the pages of this shop

N_CUSTOMERS, N_CASES, MIN_CELL = 400, 1200, 5
FIRST_DAY, LAST_DAY = pd.Timestamp("2023-01-01"), pd.Timestamp("2024-06-30")
KEY = "the key of the planted shop, for tests only"

SCRIPT_NAME = "<script>window.stolen = 1</script> Quorzelbach"
FORMULA_NAME = "=cmd|'/C calc'!A0"
HOSTILE_NAMES = (SCRIPT_NAME, FORMULA_NAME, "{{7*7}}", "$x$ Vexelmoor", "';--\u202egnp.exe Drubbelfitz")
IMAGE = '<img src=x onerror="window.stolen=1">'
FORMULA_REGION = '=HYPERLINK("http://x")'
REGIONS = ("North", "South & East", IMAGE, FORMULA_REGION)
SMALL_REGION, RARE_PRIORITY = "Klauwenmoorsiel", "board complaint"
CATEGORIES = ("<script>window.stolen=2</script>", "=cmd()", "+1+1", "@SUM(A1)", "Books & <b>more</b>", "$\\frac{$")
TEAMS = ('<b onclick="window.stolen=4">Team</b> & Söhne', "=cmd|' /C calc'!A1", "second line", "$\\alpha$ team")
HOSTILE_HEADING = '<i onmouseover="window.stolen=5">rebate</i>'
FORMULA_HEADING = '=HYPERLINK("http://x","$\\frac{$")'

_PICTURE = re.compile(r"[A-Za-z0-9+/\\=]{500,}")
_GIVEN = [
    "Xaverius",
    "Quendoline",
    "Wolfhild",
    "Tjorven",
    "Bregomir",
    "Zinnober",
    "Ottokara",
    "Yngvar",
    "Philokrates",
    "Ulfried",
]
_FIRST = ["Brox", "Quen", "Tral", "Zwie", "Knor", "Vlem", "Grub", "Schlu", "Dwar", "Pfor"]
_SECOND = ["delb", "zack", "mursch", "terling", "wister", "gantz", "holb", "pertsch"]
_THIRD = ["acher", "inger", "otto", "elmann", "uhler"]


@dataclass(frozen=True)
class PlantedRun:
    """What came of a run, the shop it is about, and what must not stand in it."""

    folder: Path
    customers: pd.DataFrame

    @property
    def ids(self) -> list[str]:
        """The clear ids."""
        return list(self.customers["customer_id"])

    @property
    def personal(self) -> list[str]:
        """Everything that names somebody, whole and in parts that a reader would recognise."""
        customers = self.customers
        columns = ("Name", "E-Mail", "Telefon", "Strasse", "Geburtsdatum")
        whole = [str(value) for name in columns for value in customers[name]]
        families = [name.split()[-1] for name in customers["Name"][len(HOSTILE_NAMES) :]]
        digits = customers["Telefon"].str.replace(r"\D", "", regex=True).str[-9:]
        marks = ["Quorzelbach", "Vexelmoor", "Drubbelfitz", "4111 1111 1111", "DE89 3704"]
        return sorted({*whole, *families, *digits, *marks})


def planted_customers(rng: np.random.Generator) -> pd.DataFrame:
    """Return customers with everything that names them; ids are in order."""
    n = np.arange(N_CUSTOMERS)
    given = [_GIVEN[i % len(_GIVEN)] for i in n]
    family = [_FIRST[i // 40] + _SECOND[i // 5 % 8] + _THIRD[i % 5] for i in n]
    names = [f"{one} {other}" for one, other in zip(given, family, strict=True)]
    names[: len(HOSTILE_NAMES)] = HOSTILE_NAMES
    email = [f"{one}.{other}.{i}@post-{i % 7}.example".lower() for i, one, other in zip(n, given, family, strict=True)]
    phone = [f"+49 171 {3_480_117 + 7919 * i}" if i % 2 else f"0{30 + i % 9}/{4_817_223 + 6007 * i}" for i in n]
    regions = rng.choice(REGIONS, N_CUSTOMERS)
    regions[10:12] = SMALL_REGION
    others = rng.permutation(N_CUSTOMERS)
    remarks = [
        f"Spoke with {names[i].upper()} about {names[j]}, see {email[j]} or {phone[i]}, id {_customer_id(j)}"
        for i, j in zip(n, others, strict=True)
    ]
    remarks[20:40] = [f"Please always ask for {names[50]} ({email[50]}, {phone[50]}) at the front desk"] * 20
    return pd.DataFrame(
        {
            "customer_id": [_customer_id(i) for i in n],
            "Name": names,
            "E-Mail": email,
            "Telefon": phone,
            "Geburtsdatum": [(pd.Timestamp("1951-02-03") + pd.Timedelta(days=31 * int(i))).date() for i in n],
            "Strasse": [f"{family[-1 - i]}weg {i + 3}" for i in n],
            "region": regions,
            "referred_by": [_customer_id(7) if i % 9 == 0 else None for i in n],
            "Bemerkung": remarks,
            HOSTILE_HEADING: rng.choice(["gold", IMAGE, "none"], N_CUSTOMERS),
            FORMULA_HEADING: np.where(n % 3, n % 5, np.nan),
        }
    )


def planted_transactions(rng: np.random.Generator, customers: pd.DataFrame) -> pd.DataFrame:
    """Return purchases under hostile categories, a few of which name somebody."""
    n = 20 * N_CUSTOMERS
    rate = rng.gamma(0.8, 1.0, N_CUSTOMERS)
    who = np.concatenate([np.arange(N_CUSTOMERS), rng.choice(N_CUSTOMERS, n - N_CUSTOMERS, p=rate / rate.sum())])
    days = rng.integers(0, (LAST_DAY - FIRST_DAY).days + 1, n)
    category = rng.choice(CATEGORIES, n).astype(object)
    category[:40] = [f"gift for {customers['E-Mail'][i]}" for i in range(40)]
    category[40:80] = [f"call {customers['Telefon'][i]} first" for i in range(40)]
    category[80:160] = f"engraved {customers['Name'][60]}, {customers['E-Mail'][60]}"
    return pd.DataFrame(
        {
            "Kunde": customers["customer_id"].to_numpy()[who],
            "Zeit": FIRST_DAY + pd.to_timedelta(days, "D") + pd.to_timedelta(rng.integers(8, 20, n), "h"),
            "Betrag": np.round(rng.lognormal(3, 0.8, n), 2),
            "Beleg": [f"R{i // 2:06d}" for i in range(n)],
            "Warengruppe": category,
        }
    )


def planted_cases(rng: np.random.Generator, customers: pd.DataFrame) -> pd.DataFrame:
    """Return service cases whose texts, teams and priorities are full of people and markup."""
    i = np.arange(N_CASES)
    who = rng.integers(20, N_CUSTOMERS, N_CASES)
    who[:9] = np.repeat([12, 13, 14], 3)
    opened = FIRST_DAY + pd.to_timedelta(np.sort(rng.uniform(0, (LAST_DAY - FIRST_DAY).days + 0.9, N_CASES)), "D")
    opened = pd.Series(opened).dt.floor("min")
    team = rng.choice(TEAMS, N_CASES)
    hours = rng.gamma(2.0, 14.0, N_CASES) * np.where(team == TEAMS[0], 2.2, 1.0)
    resolved = (opened + pd.to_timedelta(hours, "h")).dt.floor("min")
    priority = rng.choice(["high", "normal", "@low", IMAGE], N_CASES).astype(object)
    priority[:9] = RARE_PRIORITY
    people = customers.iloc[who].reset_index(drop=True)
    text = [
        f"{row.Name} ({mail}) calls {row.Telefon}: wants money back to DE89 3704 0044 0532 0130 {k % 90 + 10}, card "
        f"4111 1111 1111 {k % 9000 + 1000} <script>window.stolen=6</script> on behalf of {row.customer_id}"
        for k, (row, mail) in enumerate(zip(people.itertuples(), people["E-Mail"], strict=True))
    ]
    return pd.DataFrame(
        {
            "case_id": [f"T{k:05d}" for k in i],
            "customer_id": people["customer_id"],
            "opened_at": opened,
            "resolved_at": resolved.where(resolved <= LAST_DAY + pd.Timedelta(days=1)),
            "due_at": opened + pd.Timedelta(hours=36),
            "satisfaction": np.where(hours > 36, rng.integers(1, 4, N_CASES), rng.integers(2, 6, N_CASES)),
            "category": rng.choice([*CATEGORIES[:4], f"re {customers['Name'][70]}"], N_CASES),
            "channel": rng.choice(["phone", "=e-mail", "desk"], N_CASES),
            "priority": priority,
            "team": team,
            "text": text,
        }
    )


def _customer_id(number: int) -> str:
    return f"KD-2024-{number:05d}"


def write_planted_shop(folder: Path) -> None:
    """Write the shop's tables and its dataset file into a folder."""
    rng = np.random.default_rng(20)
    customers = planted_customers(rng)
    tables = {
        "customers": customers,
        "transactions": planted_transactions(rng, customers),
        "service_cases": planted_cases(rng, customers),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    names = {"customer_id": "Kunde", "occurred_at": "Zeit", "amount": "Betrag", "transaction_id": "Beleg"}
    sources: dict[str, dict[str, object]] = {name: {"files": f"{name}.csv"} for name in tables}
    sources["transactions"]["columns"] = names | {"category": "Warengruppe"}
    content = {"name": "planted", "currency": "EUR", "min_cell": MIN_CELL, "tables": sources}
    (folder / "planted.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def run_planted(folder: Path, name: str, reports: dict[str, object], root: Path, *, key: str = KEY) -> Path:
    """Run some reports on the shop in a folder; return where they are."""
    suite = folder / f"{name}.yaml"
    suite.write_text(yaml.safe_dump({"dataset": "planted.yaml", "reports": reports}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("CRM_PSEUDONYM_KEY", key)
        return run_suite(read_suite(str(suite)), RunOptions(out=folder / "reports"))


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted shop's folder."""
    folder = tmp_path_factory.mktemp("planted")
    write_planted_shop(folder)
    return folder


@pytest.fixture(scope="session")
def planted(shop_folder: Path, root: Path) -> PlantedRun:
    """The four reports on the planted shop, made once; smaller searches than a company would ask for."""
    reports: dict[str, object] = {
        "data_quality": {"n_levels": 50},
        "segmentation": {"n_bootstraps": 5, "max_segments": 3},
        "forecasting": {"exact_svr_rows": 400, "n_origins": 2},
        "service_quality": {"n_trees": 40},
    }
    customers = pd.read_csv(shop_folder / "customers.csv", dtype=str, keep_default_na=False)
    return PlantedRun(run_planted(shop_folder, "all", reports, root), customers)


def texts_of(path: Path) -> str:
    """Return everything a file says, as it stands and with its escapes undone, without regard to case."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return f"{table.schema}\n{table.to_pandas().to_csv()}".casefold()
    if path.suffix == ".skops":
        with zipfile.ZipFile(path) as archive:
            parts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
        return "\n".join([*parts, *(_undone(part) for part in parts)]).casefold()
    text = path.read_text(encoding="utf-8")
    if path.suffix in {".ipynb", ".json"}:
        text += "\n".join(_strings(json.loads(text)))
    text = _PICTURE.sub("", text)
    return "\n".join([text, html.unescape(text), unquote(text)]).casefold()


def _undone(text: str) -> str:
    """Return the texts of a JSON document without their escapes; nothing where it is none."""
    try:
        return "\n".join(_strings(json.loads(text)))
    except ValueError:
        return ""


def _strings(document: object) -> Iterator[str]:
    """Yield every text of a JSON document."""
    if isinstance(document, dict):
        document = [*document.keys(), *document.values()]
    if isinstance(document, list):
        for one in document:
            yield from _strings(one)
    else:
        yield str(document)


def files_of(folder: Path) -> list[Path]:
    """Return all files of a run."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
