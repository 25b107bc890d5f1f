"""
Claims about corrupt inputs: each has its own clear message and exit code, and leaves nothing behind.

Servers that refuse, fail or die belong in the tests of databases.
"""

from __future__ import annotations

import gc
import gzip
import io
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from crm_analysis.cli import main
from crm_analysis.errors import CRMAnalysisError, DataQualityError, ParamsError, SourceError, SourceSchemaError
from crm_analysis.reporting.params import PARAMS
from crm_analysis.tables.datasets import open_dataset

HEADER = "customer_id,occurred_at,amount\n"
LINE = "ann,2024-01-05 10:00,10.00\n"
GOOD = (HEADER + LINE).encode()
OK = "ann,2024-01-05,1"
CASE_HEADER = "case_id,customer_id,opened_at,resolved_at,satisfaction,sla_met\n"
INJECTION = 'x" FROM y; DROP TABLE landed.transactions; --'

Make = bytes | str | Callable[[Path], object]


@dataclass(frozen=True)
class Input:
    """Files of a table and what its dataset file says; `table` and `top` are laid over it."""

    files: dict[str, Make]
    expected: type[CRMAnalysisError]
    message: str
    name: str = "transactions"
    table: dict[str, Any] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)
    after_opening: Callable[[Path], object] = lambda folder: None


def lines(*rows: str, header: str = HEADER) -> str:
    return header + "".join(f"{row}\n" for row in rows)


def zipped(*members: tuple[str, bytes | str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def parquet(**columns: list[Any]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


def workbook(*rows: list[Any], header: str = HEADER) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (header.strip().split(","), *rows):
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def error_cell() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADER.strip().split(","), ["ann", "2024-01-05", "#DIV/0!"]):
        book.active.append(row)
    book.active["C2"].data_type = "e"
    book.save(content)
    return content.getvalue()


def changed(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def flagged_as_encrypted(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02") + 8  # the flags in the archive's directory
    return content[:at] + bytes([content[at] | 1]) + content[at + 1 :]


def twice_in_parquet() -> bytes:
    content = io.BytesIO()
    columns = [pa.array(["ann"]), pa.array(["2024-01-05"]), pa.array([1.0]), pa.array([2.0])]
    pq.write_table(pa.Table.from_arrays(columns, names=["customer_id", "occurred_at", "amount", "amount"]), content)
    return content.getvalue()


def damaged_pages() -> bytes:
    rows = 20_000
    content = bytearray(
        parquet(customer_id=[f"c{n}" for n in range(rows)], occurred_at=["2024-01-05"] * rows, amount=[1.0] * rows)
    )
    content[200:4000] = b"\xff" * 3800
    return bytes(content)


def yaml_bomb() -> list[Any]:
    """Return lists that hold one another tenfold, nine deep: as YAML a few lines, written out a billion."""
    level: list[Any] = ["x"]
    for _ in range(9):
        level = [level] * 10
    return level


def sparse(**settings: Any) -> dict[str, Any]:
    return {"format": settings}


SOURCE, QUALITY, SCHEMA, PARAMETER = SourceError, DataQualityError, SourceSchemaError, ParamsError

TEXT: dict[str, Input] = {
    "an empty file": Input({"a.csv": b""}, SOURCE, r"a\.csv is empty: 0 bytes"),
    "blank lines only": Input({"a.csv": "\n\n \n"}, SOURCE, "holds no text in its 4 bytes"),
    "a mark and nothing else": Input({"a.csv": b"\xff\xfe"}, SOURCE, "holds no text in its 2 bytes"),
    "cp1252 unstated": Input({"a.csv": lines("Müller,2024-01-05,1").encode("cp1252")}, SOURCE, r"not utf-8: byte 0xFC in line 2; it looks like cp1252. State format\.encoding: cp1252"),
    "gb18030 unstated": Input({"a.csv": lines("客户满意,2024-01-05,1").encode("gb18030")}, SOURCE, "it looks like gb18030"),
    "utf-16 without its mark": Input({"a.csv": GOOD.decode().encode("utf-16-le")}, SOURCE, "looks like utf-16-le without its mark"),
    "mixed encodings": Input({"a.csv": lines("José,2024-01-05,1").encode() + "René,2024-01-05,1\n".encode("cp1252")}, SOURCE, r"byte 0xE9 in line 3, after lines that are; the file mixes encodings \(this line looks like cp1252\)"),
    "a wrong encoding stated": Input({"a.csv": HEADER.encode() + b"a\x81b,2024-01-05,1\n"}, SOURCE, "not cp1252: byte 0x81 in line 2. Ask how the file was written", table=sparse(encoding="cp1252")),
    "a mark against the encoding stated": Input({"a.csv": b"\xef\xbb\xbf" + GOOD}, SOURCE, "byte-order mark of utf-8, but format.encoding says cp1252", table=sparse(encoding="cp1252")),
    "a file cut within a character": Input({"a.csv": (HEADER + "ann,2024-01-05,€").encode()[:-1]}, SOURCE, "ends within a character: it is cut off"),
    "an embedded NUL": Input({"a.csv": lines("ann,2024-01-05,1", "b\0b,2024-01-05,1")}, SOURCE, "holds 1 NUL character, the first in line 3"),
    "a row too long": Input({"a.csv": lines("ann,2024-01-05,1", "bob,2024-01-05,1,9,9")}, SOURCE, r"1 of 2 rows have another number of fields: 1 with more \(line 3 has 5\)"),
    "a row too short": Input({"a.csv": lines("ann,2024-01-05,1", "bob,2024-01-05")}, SOURCE, r"1 with fewer \(line 3 has 2\)"),
    "rows of all lengths": Input({"a.csv": lines("a", "a,b,c,d", 'a,"x\ny",c', "a,b,c,d")}, SOURCE, r"2 with more \(line 3 has 4, line 6 has 4\) and 1 with fewer \(line 2 has 1\)"),
    "an unclosed quote": Input({"a.csv": lines("ann,2024-01-05,1", 'b"b,2024-01-05,1', '"bob,2024-01-05,1', "cid,2024-01-05,1")}, SOURCE, "a quote opened in line 4 is never closed"),
    "text after a closing quote": Input({"a.csv": lines('"ann"x,2024-01-05,1')}, SOURCE, "in line 2 text follows a closing quote"),
    "a header that does not end": Input({"a.csv": 'customer_id,"occurred_at,amount\n' + "ann,2024-01-05,1\n" * 20_000}, SOURCE, "a header that does not end"),
    "a column twice": Input({"a.csv": lines("ann,2024-01-05,1,2", header="customer_id,occurred_at,amount,amount\n")}, SOURCE, r"names 1 column twice, in the places given: 'amount' \(3, 4\)"),
    "a column twice but for its case": Input({"a.csv": lines("ann,2024-01-05,1,2", header="customer_id,occurred_at,amount,CUSTOMER_ID\n")}, SOURCE, r"'customer_id' \(1, 4\)"),
    "a column name without end": Input({"a.csv": lines("ann,2024-01-05,1,2", header=f"customer_id,occurred_at,amount,{'x' * 5000}\n")}, SOURCE, "a column name of 5,000 characters in place 4"),
    "a line without end": Input({"a.csv": lines(f"ann,2024-01-05,{'1' * 3_000_000}")}, SOURCE, "line 2 does not end within 2,097,152 bytes"),
    "a report above the header": Input({"a.csv": f"Sales in May\n\n{HEADER}{LINE}{LINE}"}, SOURCE, r"State format\.header_line"),
    "a workbook called csv": Input({"a.csv": workbook(["ann", "2024-01-05", 1])}, SOURCE, "is a zip archive or an Excel workbook, not text"),
    "gzip called csv": Input({"a.csv": gzip.compress(GOOD)}, SOURCE, "is packed with gzip, not text"),
    "Parquet called csv": Input({"a.csv": parquet(x=[1])}, SOURCE, "is a Parquet file, not text"),
    "a web page called csv": Input({"a.csv": "<!DOCTYPE html><title>Please log in</title>"}, SOURCE, "is a web page, not text"),
    "a PDF called csv": Input({"a.csv": b"%PDF-1.7 x"}, SOURCE, "is a PDF, not text"),
    "a database called csv": Input({"a.csv": b"SQLite format 3\0 x"}, SOURCE, "is a SQLite database, not text"),
    "one good file and two bad ones": Input({"a.csv": GOOD, "b.csv": b"\xff\n", "c.csv": b""}, SOURCE, "its 3 files have 2 faults", table={"files": ["a.csv", "b.csv", "c.csv"]}),
    "no delimiter": Input({"a.csv": "customer_id occurred_at amount\nann 2024-01-05 1\n"}, SCHEMA, r"It has \['customer_id occurred_at amount'\]"),
    "another delimiter stated": Input({"a.csv": GOOD}, SCHEMA, r"It has \['customer_id,occurred_at,amount'\]", table=sparse(delimiter=";")),
    "no header": Input({"a.csv": LINE * 3}, SCHEMA, r"It has \['ann', '2024-01-05 10:00', '10\.00'\]"),
    "a required column under another name": Input({"a.csv": changed(GOOD, b"amount", b"total")}, SCHEMA, r"lacks 1 of 3 columns: \['amount'\]"),
    "a mapped column that is not there": Input({"a.csv": GOOD}, SCHEMA, r"lacks 1 of 3 columns: \['Kunde'\]", table={"columns": {"customer_id": "Kunde"}}),
    "a mapping with SQL in it": Input({"a.csv": GOOD}, SCHEMA, r"DROP TABLE landed\.transactions", table={"columns": {"customer_id": INJECTION}}),
    "emoji instead of names": Input({"a.csv": "🧍,🕐,💶\nann,2024-01-05,1\n"}, SCHEMA, r"It has \['🧍', '🕐', '💶'\]"),
    "a name that the workspace keeps": Input({"a.csv": lines("ann,2024-01-05,1,x", header="customer_id,occurred_at,amount,_unreadable\n")}, SCHEMA, "a name that is kept for the workspace"),
}  # fmt: skip

PACKED: dict[str, Input] = {
    "gz that is none": Input({"a.csv.gz": GOOD}, SOURCE, "a.csv.gz is no whole gzip file: Not a gzipped file"),
    "gz cut off": Input({"a.csv.gz": gzip.compress(GOOD * 999)[:-30]}, SOURCE, "ends before its packed data do"),
    "gz with a wrong sum": Input({"a.csv.gz": gzip.compress(GOOD)[:-8] + b"\0" * 8}, SOURCE, "no whole gzip file: CRC check failed"),
    "gz of nothing": Input({"a.csv.gz": gzip.compress(b"")}, SOURCE, "a.csv.gz holds no text"),
    "a zip that is none": Input({"a.zip": GOOD}, SOURCE, "no whole zip file: File is not a zip file"),
    "a zip cut off": Input({"a.zip": zipped(("a.csv", GOOD * 99))[:-40], "b.csv": GOOD}, SOURCE, r"a\.zip is cut off: the list of its files", table={"files": ["a.zip", "b.csv"]}),
    "a zip with a wrong sum": Input({"a.zip": changed(zipped(("a.csv", GOOD)), zlib.crc32(GOOD).to_bytes(4, "little"), b"\1\2\3\4")}, SOURCE, "no whole zip file: Bad CRC-32"),
    "a zip that leads out": Input({"a.zip": zipped(("../../evil.csv", GOOD))}, SOURCE, r"'\.\./\.\./evil\.csv', a name that leads out"),
    "a zip with an absolute name": Input({"a.zip": zipped(("/etc/evil.csv", GOOD))}, SOURCE, r"'/etc/evil\.csv', a name that leads out"),
    "a zip with a name of Windows": Input({"a.zip": zipped(("..\\evil.csv", GOOD))}, SOURCE, r"evil\.csv', a name that leads out"),
    "an encrypted zip": Input({"a.zip": flagged_as_encrypted(zipped(("a.csv", GOOD)))}, SOURCE, r"a\.zip is encrypted \(a\.csv\)"),
    "a zip of several kinds": Input({"a.zip": zipped(("a.csv", GOOD), ("readme.md", "x"))}, SOURCE, r"holds files of the kinds \.csv, \.md"),
    "a zip in a zip": Input({"a.zip": zipped(("b.zip", zipped(("a.csv", GOOD))))}, SOURCE, r"holds files of the kinds \.zip;"),
    "a zip without files": Input({"a.zip": zipped()}, SOURCE, "an archive without files"),
    "a zip with an empty file": Input({"a.zip": zipped(("a.csv", b""))}, SOURCE, r"a\.csv in a\.zip is empty"),
    "a zip bomb": Input({"a.zip": zipped(("a.csv", HEADER.encode() + b"0" * 60_000_000))}, SOURCE, "grows more than 300-fold"),
    "a bad file in a zip": Input({"a.zip": zipped(("may.csv", GOOD + b"x\n"))}, SOURCE, r"may\.csv in a\.zip has 3 columns"),
}  # fmt: skip

RECORDS: dict[str, Input] = {
    "JSON cut off": Input({"a.json": '[{"customer_id": "ann"}, {"customer_id": "b'}, SOURCE, "not whole as JSON: Malformed JSON at byte .* unexpected end of data"),
    "JSON lines cut off": Input({"a.jsonl": '{"customer_id": "ann"}\n{"customer_id": "b'}, SOURCE, "not whole as JSON: .*in line"),
    "JSON with a comma too many": Input({"a.json": '[{"customer_id": "ann"},]'}, SOURCE, "unexpected character"),
    "JSON with a key twice": Input({"a.json": '[{"customer_id": "ann", "customer_id": "bob"}]'}, SOURCE, 'duplicate key "customer_id"'),
    "JSON keys that differ by case": Input({"a.json": '[{"customer_id": "ann", "Customer_ID": "bob"}]'}, SOURCE, "the keys 'customer_id' and 'Customer_ID', which differ by case only"),
    "JSON without objects": Input({"a.json": "[1, 2, 3]"}, SOURCE, "holds 3 values that are no objects"),
    "JSON too deep": Input({"a.json": '[{"a": ' + "[" * 3000 + "]" * 3000 + "}]"}, SOURCE, "maximum recursion depth"),
    "JSON with a nameless key": Input({"a.json": '[{"": "ann", "amount": 1}]'}, SOURCE, "without a key, or with an empty one"),
    "JSON with ids for keys": Input({"a.json": json.dumps([{"of": {f"c{n}": 1 for n in range(2500)}}])}, SOURCE, "has 2,500 columns once its objects are flattened"),
    "JSON in another encoding": Input({"a.json": '[{"customer_id": "Müller"}]'.encode("cp1252")}, SOURCE, r"a\.json is not utf-8: byte 0xFC in line 1"),
    "JSON with records within": Input({"a.json": '{"data": [{"customer_id": "ann"}]}'}, SCHEMA, r"It has \['data'\]"),
    "an empty list": Input({"a.json": "[]"}, QUALITY, "is empty: its files hold lists without a record"),
    "Parquet that is none": Input({"a.parquet": "not a parquet file"}, SOURCE, "no Parquet file: it begins with b'not '"),
    "Parquet cut off": Input({"a.parquet": parquet(customer_id=["ann"])[:-20]}, SOURCE, "is cut off: a Parquet file ends with its footer"),
    "Parquet encrypted": Input({"a.parquet": b"PARE" + b"\0" * 50 + b"PARE"}, SOURCE, "an encrypted Parquet file"),
    "Parquet with a damaged footer": Input({"a.parquet": b"PAR1" + b"\xff" * 60 + b"\x20\0\0\0PAR1"}, SOURCE, "is damaged as a Parquet file"),
    "Parquet with damaged pages": Input({"a.parquet": damaged_pages()}, SOURCE, r"Table transactions of shop\.yaml cannot be read: "),
    "Parquet with a column twice": Input({"a.parquet": twice_in_parquet()}, SOURCE, r"a\.parquet names 1 column twice"),
}  # fmt: skip

BOOKS: dict[str, Input] = {
    "a workbook that is none": Input({"a.xlsx": GOOD}, SOURCE, "is no workbook: it begins with 'customer'"),
    "a workbook cut off": Input({"a.xlsx": workbook(["ann", "2024-01-05", 1])[:-300]}, SOURCE, "a workbook that is cut off or damaged"),
    "a zip called xlsx": Input({"a.xlsx": zipped(("a.csv", GOOD))}, SOURCE, r"cannot be read as a workbook of kind \.xlsx"),
    "a workbook with a password": Input({"a.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")}, SOURCE, "is protected by a password"),
    "an old workbook called xlsx": Input({"a.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600}, SOURCE, "of the old kind. Give it the suffix .xls"),
    "a damaged old workbook": Input({"a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600}, SOURCE, r"cannot be read as a workbook of kind \.xls:"),
    "a sheet that is not there": Input({"a.xlsx": workbook(["ann", "2024-01-05", 1])}, SOURCE, "has no sheet 'May'; it has 1 'Sheet'", table=sparse(sheet="May")),
    "a sheet number that is not there": Input({"a.xlsx": workbook(["ann", "2024-01-05", 1])}, SOURCE, "has no sheet 3;", table=sparse(sheet=3)),
    "an empty sheet": Input({"a.xlsx": workbook(header="")}, SOURCE, "has nothing in its sheet 'Sheet'"),
    "formulas never calculated": Input({"a.xlsx": workbook(["ann", "2024-01-05", "=1+1"])}, SOURCE, "1 formula that was never calculated, such as C2"),
    "a sheet with a column twice": Input({"a.xlsx": workbook(["ann", "2024-01-05", 1, 2], header="customer_id,occurred_at,amount,amount")}, SOURCE, r"a\.xlsx names 1 column twice"),
    "a sheet with an error for an amount": Input({"a.xlsx": error_cell()}, QUALITY, "1 of 1 values are no money"),
    "a sheet with a header only": Input({"a.xlsx": workbook()}, QUALITY, "is empty: the source has columns but no rows"),
}  # fmt: skip

PATHS: dict[str, Input] = {
    "no file": Input({}, SOURCE, r"no file matches 'a\.csv'", table={"files": "a.csv"}),
    "a folder called csv": Input({"a.csv": lambda path: path.mkdir()}, SOURCE, r"a\.csv is a folder"),
    "a link to nowhere": Input({"a.csv": lambda path: path.symlink_to("absent.csv")}, SOURCE, "is a link to a file that is not there"),
    "a pipe": Input({"a.csv": os.mkfifo}, SOURCE, "is a pipe or a device"),
    "a file gone after opening": Input({"a.csv": GOOD}, SOURCE, "is no longer there", after_opening=lambda folder: (folder / "a.csv").unlink()),
    "a kind that is not read": Input({"a.docx": GOOD}, PARAMETER, r"a\.docx is of a kind that is not read"),
    "control characters in a name": Input({"a\x1b[2J.csv": b""}, SOURCE, r"a\?\[2J\.csv is empty"),
}  # fmt: skip

VALUES: dict[str, Input] = {
    "a header only": Input({"a.csv": HEADER}, QUALITY, "Table transactions of shop.yaml is empty"),
    "words for amounts": Input({"a.csv": lines("ann,2024-01-05,ten")}, QUALITY, "1 of 1 values are no money"),
    "1e308 amounts": Input({"a.csv": lines(*[OK] * 1, "ann,2024-01-05,1e308")}, QUALITY, "1 of 2 values are no money"),
    "NaN amounts": Input({"a.csv": lines(*[OK] * 2, "ann,2024-01-05,NaN")}, QUALITY, "1 of 3 values are no money"),
    "infinite amounts": Input({"a.csv": lines(*[OK] * 3, "ann,2024-01-05,Infinity")}, QUALITY, "1 of 4 values are no money"),
    "amounts with their currency": Input({"a.csv": lines(*[OK] * 4, "ann,2024-01-05,€5")}, QUALITY, "1 of 5 values are no money"),
    "a decimal comma unstated": Input({"a.csv": lines(*["ann;2024-01-05;1"] * 5, "ann;2024-01-05;1,50", header=HEADER.replace(",", ";"))}, QUALITY, "1 of 6 values are no money"),
    "dates in three orders": Input({"a.csv": lines("ann,2024-01-05,1", "bob,31/12/2023,1", "cid,12/31/2023,1")}, QUALITY, "occurred_at: 2 of 3 values are no time"),
    "days that no calendar has": Input({"a.csv": lines(*[OK] * 3, "ann,2024-02-30,1")}, QUALITY, "occurred_at: 1 of 4 values are no time"),
    "negative times": Input({"a.csv": lines(*[OK] * 4, "ann,2024-01-05 -10:00,1")}, QUALITY, "occurred_at: 1 of 5 values are no time"),
    "no readable time at all": Input({"a.csv": lines("ann,soon,1")}, QUALITY, "no dated rows|no time"),
    "only missing customers": Input({"a.csv": lines(",2024-01-05,1", ",2024-01-06,2")}, QUALITY, "customer_id is missing: 2 of 2 rows"),
    "nothing but delimiters": Input({"a.csv": lines(",,", ",,")}, QUALITY, "no dated rows|missing"),
    "a discount below zero": Input({"a.csv": lines("ann,2024-01-05,1,-3", header="customer_id,occurred_at,amount,discount\n")}, QUALITY, "discount"),
    "a satisfaction of 7": Input({"a.csv": lines("1,ann,2024-01-05 09:00,2024-01-05 10:00,7,true", header=CASE_HEADER)}, QUALITY, "satisfaction", name="service_cases"),
    "solved before it was opened": Input({"a.csv": lines("1,ann,2024-01-05,2024-01-04,3,true", header=CASE_HEADER)}, QUALITY, "resolved_at", name="service_cases"),
    "two cases under one id": Input({"a.csv": lines("1,ann,2024-01-05,,,", "1,bob,2024-01-06,,,", header=CASE_HEADER)}, QUALITY, "case_id", name="service_cases"),
    "maybe for yes or no": Input({"a.csv": lines("1,ann,2024-01-05,2024-01-06,3,maybe", header=CASE_HEADER)}, QUALITY, "sla_met: 1 of 1 values are no flag", name="service_cases"),
    "half a star": Input({"a.csv": lines("1,ann,2024-01-05,2024-01-06,3.5,true", header=CASE_HEADER)}, QUALITY, "satisfaction: 1 of 1 values are no count", name="service_cases"),
}  # fmt: skip

DATASET_FILES: dict[str, Input] = {
    "an unknown zone": Input({"a.csv": GOOD}, PARAMETER, "no IANA time zone.*did you mean 'Europe/London'", top={"timezone": "Europe/Londn"}),
    "an unset variable": Input({"a.csv": GOOD}, PARAMETER, r"refers to \$CRM_NOT_SET_ANYWHERE", table={"files": "${CRM_NOT_SET_ANYWHERE}/a.csv"}),
    "an unknown encoding": Input({"a.csv": GOOD}, PARAMETER, "no text encoding", table=sparse(encoding="klingon")),
    "one mark for two things": Input({"a.csv": GOOD}, PARAMETER, "decimal and thousands are both ','", table=sparse(decimal=",", thousands=",")),
    "a letter between fields": Input({"a.csv": GOOD}, PARAMETER, "cannot stand between fields", table=sparse(delimiter="x")),
    "a sheet number 0": Input({"a.csv": GOOD}, PARAMETER, "greater than or equal to 1", table=sparse(sheet=0)),
    "a remote path": Input({"a.csv": GOOD}, PARAMETER, "remote path is refused", table={"files": "s3://bucket/a.csv"}),
    "YAML that swells, in a list": Input({"a.csv": GOOD}, PARAMETER, "notes", top={"notes": yaml_bomb()}),
    "YAML that swells, in a rule": Input({"a.csv": GOOD}, PARAMETER, "drop_missing_customers", table={"cleaning": {"drop_missing_customers": yaml_bomb()}}),
    "YAML that makes objects": Input({"a.csv": GOOD, "shop.yaml": "name: !!python/object/apply:os.system ['touch evil']\n"}, PARAMETER, "could not determine a constructor"),
    "YAML with a key twice": Input({"a.csv": GOOD, "shop.yaml": "name: a\nname: b\n"}, PARAMETER, "the key 'name' stands twice"),
    "YAML that is a list": Input({"a.csv": GOOD, "shop.yaml": "- name\n"}, PARAMETER, "must hold names and values"),
    "YAML with a NUL": Input({"a.csv": GOOD, "shop.yaml": "name: a\0b\n"}, PARAMETER, "special characters are not allowed"),
    "YAML in another encoding": Input({"a.csv": GOOD, "shop.yaml": "name: Müller".encode("cp1252")}, PARAMETER, "codec can't decode"),
    "YAML that refers to itself": Input({"a.csv": GOOD, "shop.yaml": "&a\nname: x\ncurrency: EUR\ntables: *a\n"}, PARAMETER, "'name' is no table|tables"),
    "a query that fails": Input({"a.csv": GOOD}, SOURCE, "absent_column", table={"query": "SELECT absent_column FROM source"}),
    "a query that is no SQL": Input({"a.csv": GOOD}, SOURCE, "syntax error", table={"query": "SELEC * FROM source"}),
    "a query over another file": Input({"a.csv": GOOD}, SOURCE, "cannot be read: Permission Error", table={"query": "SELECT * FROM read_text('/etc/hostname')"}),
    "a query that writes": Input({"a.csv": GOOD}, SOURCE, "syntax error|cannot be read", table={"query": "COPY source TO 'evil.csv'"}),
    "a query that gives no rows": Input({"a.csv": GOOD}, QUALITY, "is empty: the source has columns but no rows", table={"query": "SELECT * FROM source WHERE false"}),
}  # fmt: skip

CORRUPT = TEXT | PACKED | RECORDS | BOOKS | PATHS | VALUES | DATASET_FILES
BY_COMMAND = (
    "an empty file", "mixed encodings", "an embedded NUL", "a column twice", "a zip bomb", "gz cut off", "JSON cut off",
    "Parquet cut off", "a workbook with a password", "1e308 amounts", "only missing customers", "an unknown zone",
    "a header only", "control characters in a name",
)  # fmt: skip
SAME_BY_DESIGN = (  # one fault, met in several kinds of file
    "is empty: the source has columns but no rows",
    "1 of 1 values are no money",
)


@dataclass(frozen=True)
class Outcome:
    """What became of an input."""

    error: str
    exit_code: int
    message: str
    added: set[str]
    left_in_private: list[str]


@contextmanager
def own_workspace(folder: Path) -> Iterator[Path]:
    """Make an empty workspace with a private place for temporary files, and go there."""
    home = folder / "workspace"
    (home / "params" / "datasets").mkdir(parents=True)
    (home / "notebooks").mkdir()
    (folder / "private").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("CRM_HOME", raising=False)
        patch.setattr(tempfile, "tempdir", str(folder / "private"))
        yield home


def lay(home: Path, given: Input) -> None:
    folder = home / "params" / "datasets"
    names = [name for name in given.files if name != "shop.yaml"]
    table = {"files": names[0] if len(names) == 1 else names} | given.table
    content = {"name": "shop", "currency": "EUR", "tables": {given.name: table}} | given.top
    (folder / "shop.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    neighbour = content | {
        "name": "good",
        "tables": {"transactions": {"files": "good.csv"}},
        "timezone": "UTC",
        "notes": [],
    }
    (folder / "good.yaml").write_text(yaml.safe_dump(neighbour), encoding="utf-8")
    (folder / "good.csv").write_bytes(GOOD)
    for name, make in given.files.items():
        if callable(make):
            make(folder / name)
        else:
            (folder / name).write_bytes(make.encode() if isinstance(make, str) else make)


def required(name: str, after_opening: Callable[[Path], object] = lambda folder: None) -> None:
    dataset = open_dataset(name)
    after_opening(Path("params/datasets"))
    dataset.known(dataset.day(None)).require(*dataset.tables)


def failure(given: Input) -> tuple[str, int, str]:
    try:
        required("shop", given.after_opening)
    except CRMAnalysisError as error:
        return type(error).__name__, error.exit_code, str(error)
    return "", 0, ""


def entries(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Outcome]:
    """Return what becomes of an input, tried once."""
    known: dict[str, Outcome] = {}

    def outcome(name: str) -> Outcome:
        if name not in known:
            folder = tmp_path_factory.mktemp("input")
            with own_workspace(folder) as home:
                lay(home, CORRUPT[name])
                before = entries(home)
                error, code, message = failure(CORRUPT[name])
                gc.collect()
                left = sorted(entries(folder / "private"))
                known[name] = Outcome(error, code, message, entries(home) - before, left)
        return known[name]

    return outcome


@pytest.mark.parametrize("name", CORRUPT)
def test_a_corrupt_input_has_its_error_and_its_words(name: str, outcome_of: Callable[[str], Outcome]) -> None:
    outcome, given = outcome_of(name), CORRUPT[name]
    assert (outcome.error, outcome.exit_code) == (given.expected.__name__, given.expected.exit_code), outcome.message
    assert re.search(given.message, outcome.message), outcome.message
    assert len(outcome.message) < 1500
    assert tempfile.gettempdir() not in outcome.message


@pytest.mark.parametrize("name", CORRUPT)
def test_a_corrupt_input_leaves_nothing_behind(name: str, outcome_of: Callable[[str], Outcome]) -> None:
    outcome = outcome_of(name)
    assert outcome.added == set()
    assert outcome.left_in_private == []


def test_no_two_faults_have_the_same_words(outcome_of: Callable[[str], Outcome]) -> None:
    said: dict[str, str] = {}
    for name in CORRUPT:
        message = outcome_of(name).message
        if not any(same in message for same in SAME_BY_DESIGN):
            assert message not in said, f"{name!r} and {said[message]!r} both say: {message}"
        said[message] = name


def test_there_are_enough_of_them() -> None:
    assert len(CORRUPT) >= 60


def lay_suite(home: Path) -> None:
    """Write a suite with a report whose notebook does nothing."""
    content = {"dataset": "shop", "reports": {"segmentation": {}}}
    (home / "params/trial.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    defaults = {name: value.default for name, value in PARAMS["segmentation"].model_fields.items()}
    source = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Nothing"), cell])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, home / "notebooks/segmentation.ipynb")


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_line_tells_it_without_a_traceback_and_goes_on(name: str, tmp_path: Path) -> None:
    with own_workspace(tmp_path) as home:
        lay(home, CORRUPT[name])
        lay_suite(home)
        before = entries(home)
        result = CliRunner().invoke(main, ["run", "trial"])
        assert (result.exit_code, result.stdout) == (CORRUPT[name].expected.exit_code, "")
        assert re.search(CORRUPT[name].message, result.stderr)
        assert "Traceback" not in result.stderr
        assert "\x1b" not in result.stderr
        assert not [path for path in (home / "reports").rglob("*") if path.is_file()]
        assert {entry for entry in entries(home) - before if not entry.startswith("reports")} == set()
        required("good")


ODD_BUT_LEGAL: dict[str, tuple[dict[str, Make], dict[str, Any]]] = {
    "a byte-order mark": ({"a.csv": b"\xef\xbb\xbf" + GOOD}, {}),
    "CR line ends": ({"a.csv": GOOD.replace(b"\n", b"\r")}, {}),
    "mixed line ends": ({"a.csv": HEADER.replace("\n", "\r\n") + LINE}, {}),
    "utf-16": ({"a.csv": GOOD.decode().encode("utf-16")}, {}),
    "utf-16 without its mark, stated": ({"a.csv": GOOD.decode().encode("utf-16-le")}, sparse(encoding="utf-16-le")),
    "quoted line breaks": ({"a.csv": 'customer_id,occurred_at,amount,"a\nb"\nann,2024-01-05 10:00,10.00,"c\nd"\n'}, {}),
    "blank lines": ({"a.csv": f"\n\n{HEADER}\n{LINE}\n\n"}, {}),
    "spaces around names and values": ({"a.csv": " customer_id ,occurred_at, amount\n ann , 2024-01-05 10:00 , 10.00 \n"}, {}),
    "decimal comma": ({"a.csv": "customer_id;occurred_at;amount\nann;2024-01-05 10:00;10,00\n"}, sparse(decimal=",")),
    "thousands": ({"a.csv": "customer_id,occurred_at,amount\nann,2024-01-05 10:00,'0010.00\n"}, sparse(thousands="'")),
    "a report above the header": ({"a.csv": f"Sales in May\n\n{HEADER}{LINE}"}, sparse(header_line=3)),
    "a name like a pattern": ({"a[1].csv": GOOD, "a1.csv": b"other"}, {"files": ["a[[]1].csv"]}),
    "a name with SQL": ({"a'; DROP TABLE landed.transactions; --.csv": GOOD}, {}),
    "a column with SQL": ({"a.csv": "\"" + INJECTION.replace('"', '""') + "\",occurred_at,amount\n" + LINE}, {"columns": {"customer_id": INJECTION}}),
    "emoji for names": ({"a.csv": "🧍,🕐,💶\n" + LINE}, {"columns": {"customer_id": "🧍", "occurred_at": "🕐", "amount": "💶"}}),
    "a zip of two": ({"a.zip": zipped(("1.csv", GOOD), ("2.csv", HEADER))}, {}),
    "a file without rows and with other columns": ({"a.csv": GOOD, "b.csv": changed(HEADER.encode(), b"\n", b",x,y\n")}, {}),
    "a sheet": ({"a.xlsx": workbook(["ann", pd.Timestamp("2024-01-05 10:00"), 10])}, {}),
    "flattened JSON": ({"a.json": '[{"customer": {"id": "ann"}, "occurred_at": "2024-01-05 10:00", "amount": "10.00"}]'}, {"columns": {"customer_id": "customer.id"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_BUT_LEGAL)
def test_odd_but_legal_input_is_read_right(name: str, tmp_path: Path) -> None:
    files, table = ODD_BUT_LEGAL[name]
    with own_workspace(tmp_path) as home:
        lay(home, Input(files, SourceError, "", table=table, top={"public": True}))
        dataset = open_dataset("shop")
        snapshot = dataset.known(dataset.day(None))
        snapshot.require("transactions")
        found = snapshot.query("SELECT customer_id, occurred_at, CAST(amount AS DOUBLE) AS amount FROM transactions")
    assert found.to_numpy().tolist() == [["ann", pd.Timestamp("2024-01-05 10:00"), 10.0]]
