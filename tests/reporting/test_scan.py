"""What must not be published is found wherever it stands and however it is written, and what may be is passed over."""

import base64
import gzip
import io
import json
import os
import zipfile
from itertools import product
from pathlib import Path

import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skops.io
from openpyxl.comments import Comment
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from crm_analysis.reporting.scan import (
    IdentifierColumn,
    IdentifierSource,
    Leak,
    package_vocabulary,
    scan_folder,
    vocabulary,
)
from crm_analysis.reporting.scan.search import Index
from crm_analysis.tables.engine import open_catalogue
from crm_analysis.tables.references import Secret, secret_address

PEOPLE = [
    (
        "C-0004711x",
        "Anna-Lena Müller",
        "anna.lena@posteo.example",
        "+49 (0)170 555 01 99",
        "12 Rosenweg, Ulm",
        "1961-04-09",
    ),
    ("12345", "Forest", "info@waldhof.example", "020 7946 0958", "7 Hill Lane, York", "1975-12-30"),
    ("ann", "Johnson", "aj@bay.example", "5550143", "Löwengasse 3", "2001-02-03"),
    ("00042", "王小明", "wang@hua.example", "(555) 010-4477", "上海市静安区南京西路", "1988-08-08"),
    ("forecast", "Random Forest", "rf@trees.example", None, "unknown", None),
]
COLUMNS = ("customer_id", "name", "email", "phone", "address", "birth_date")
KINDS = {"name": "name", "email": "e-mail", "phone": "phone", "address": "address", "birth_date": "birth date"}
PASSWORD = "tops3cret!pw"  # noqa: S105 - a made-up one, to be found
COMMON = vocabulary(["A random forest makes a forecast of spend; unknown values are named. Forest grows."])


def source_of(rows):
    connection = open_catalogue([]).connection
    connection.execute("CREATE SCHEMA landed")
    connection.execute(f"CREATE TABLE landed.customers ({', '.join(f'{name} VARCHAR' for name in COLUMNS)})")
    connection.register(
        "rows", pa.table({name: list(texts) for name, texts in zip(COLUMNS, zip(*rows, strict=True), strict=True)})
    )
    connection.execute("INSERT INTO landed.customers SELECT * FROM rows")
    columns = [
        IdentifierColumn(f"customers.{name}", kind, f"SELECT DISTINCT {name} FROM landed.customers")
        for name, kind in KINDS.items()
    ]
    return IdentifierSource(
        connection, columns, "SELECT customer_id FROM landed.customers", id_headings=["Kundennummer"]
    )


@pytest.fixture(scope="module")
def people():
    return source_of(PEOPLE)


def scanned(folder, people, *, allowed=(), common=COMMON):
    return scan_folder(
        folder,
        secrets=[secret_address(f"postgresql://ann:{PASSWORD}@db.example/crm"), Secret("abc")],
        identifiers=people,
        ids_allowed_in=lambda file: file in allowed,
        common_words=common,
    )


@pytest.fixture
def scan(people, tmp_path):
    return lambda folder=tmp_path, **settings: scanned(folder, people, **settings)


def by_file(leaks):
    """The kinds found in each file."""
    found = {}
    for leak in leaks:
        found.setdefault(leak.file, set()).add(leak.what)
    return found


# --- every kind in every type of file


def notebook(path, *, source="", metadata=None, **data):
    output = nbformat.v4.new_output("display_data", data=data)
    cells = [nbformat.v4.new_code_cell("1 + 1"), nbformat.v4.new_code_cell(source, outputs=[output])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata or {}), path)


def workbook(path, text, *, as_comment=False):
    book = openpyxl.Workbook()
    book.active["B2"] = "note" if as_comment else text
    if as_comment:
        book.active["B2"].comment = Comment(text, "somebody")
    book.save(path)


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def arrays(path, text):
    with path.open("wb") as file:
        np.savez_compressed(file, names=np.array(["Zoë", text]))


def picture(path, text):
    notes = PngInfo()
    notes.add_text("Title", text, zip=True)
    Image.new("RGB", (4, 4)).save(path, pnginfo=notes)


def png_bytes(text):
    notes, file = PngInfo(), io.BytesIO()
    notes.add_itxt("Description", text)
    Image.new("RGB", (4, 4)).save(file, "png", pnginfo=notes)
    return file.getvalue()


def parquet(path, text, *, in_metadata=False, nested=False):
    values = [["a", text]] if nested else [b"x"] if in_metadata else [text]
    table = pa.table({"note": values})
    if in_metadata:
        table = table.replace_schema_metadata({"about": text})
    pq.write_table(table, path)


def entities(text):
    return "".join(f"&#{ord(letter)};" for letter in text)


def percent(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


def data_address(text):
    return "data:text/html;charset=utf-8;base64," + base64.b64encode(f"<p>{text}</p>".encode()).decode()


FILES = {
    "text.html": lambda path, text: path.write_text(f"<html><p>It is {text}.</p></html>"),
    "attribute.html": lambda path, text: path.write_text(f"<html><img alt='of {text}' src='data:image/png;base64,AAAA'></html>"),
    "comment.html": lambda path, text: path.write_text(f"<html><!-- {text} --></html>"),
    "entities.html": lambda path, text: path.write_text(f"<html><p>{entities(text)}</p></html>"),
    "inline.html": lambda path, text: path.write_text(f"<html>{text[:2]}<b>{text[2:5]}</b><wbr>{text[5:]}</html>"),
    "address.html": lambda path, text: path.write_text(f"<html><iframe src='{data_address(text)}'></iframe></html>"),
    "percent.html": lambda path, text: path.write_text(f"<html><a href='?q={percent(text)}'>more</a></html>"),
    "source.ipynb": lambda path, text: notebook(path, source=f"x = {text!r}"),
    "output.ipynb": lambda path, text: notebook(path, **{"text/html": f"<p>{entities(text)}</p>"}),
    "any_mime.ipynb": lambda path, text: notebook(path, **{"application/vnd.own+json": {"deep": [{"er": text}]}}),
    "picture.ipynb": lambda path, text: notebook(path, **{"image/png": base64.b64encode(png_bytes(text)).decode()}),
    "metadata.ipynb": lambda path, text: notebook(path, metadata={"papermill": {"parameters": {"x": text}}}),
    "values.json": lambda path, text: path.write_text(json.dumps({"a": [{"b": text}]}, ensure_ascii=True)),
    "keys.json": lambda path, text: path.write_text(json.dumps({text: 1})),
    "twice.json": lambda path, text: path.write_text(f'{{"a": {json.dumps(text)}, "a": "b"}}'),
    "damaged.json": lambda path, text: path.write_text(json.dumps({"a": text})[:-1]),
    "lines.jsonl": lambda path, text: path.write_text('{"a": 1}\n' + json.dumps({"a": text})),
    "list.csv": lambda path, text: pd.DataFrame({"a": [1, 2], "note": ["-", text]}).to_csv(path, index=False),
    "list.csv.gz": lambda path, text: path.write_bytes(gzip.compress(f"a\n{text}\n".encode())),
    "utf16.csv": lambda path, text: path.write_text(f"a\n{text}\n", encoding="utf-16"),
    "windows.txt": lambda path, text: path.write_text(f"caf\xe9 {text}", encoding="cp1252", errors="ignore"),
    "list.parquet": parquet,
    "metadata.parquet": lambda path, text: parquet(path, text, in_metadata=True),
    "nested.parquet": lambda path, text: parquet(path, text, nested=True),
    "list.xlsx": workbook,
    "comment.xlsx": lambda path, text: workbook(path, text, as_comment=True),
    "model.skops": lambda path, text: skops.io.dump({"levels": [text]}, path, compression=zipfile.ZIP_DEFLATED),
    "arrays.npz": arrays,
    "nested.zip": lambda path, text: path.write_bytes(zipped({"in.zip": zipped({"a.txt": f"so {text}"})})),
    "member.zip": lambda path, text: path.write_bytes(zipped({f"{text}.txt": "x"})),
    "run.log": lambda path, text: path.write_text(f"read\n{text}\n"),
    "suite.yaml": lambda path, text: path.write_text(f"where: '{text}'\n"),
    "figure.svg": lambda path, text: path.write_text(f"<svg><text x='1'>{text}</text></svg>"),
    "figure.png": picture,
    "unknown.bin": lambda path, text: path.write_bytes(b"\x80\x01\x00" + text.encode() + b"\x00\xff"),
}  # fmt: skip
FINDS = {
    "a secret": PASSWORD,
    "customers.name": "Anna-Lena Müller",
    "customers.email": "anna.lena@posteo.example",
    "customers.phone": "+49 (0)170 555 01 99",
    "customers.address": "12 Rosenweg, Ulm",
    "customer id": "C-0004711x",
}


@pytest.fixture(scope="module")
def planted(people, tmp_path_factory):
    """Every kind in a file of every type, and a file of every type without any."""
    folder = tmp_path_factory.mktemp("planted")
    for number, text in enumerate([*FINDS.values(), "Nothing of note, on 2024-01-31"]):
        (folder / f"{number}" / "tables").mkdir(parents=True)
        for file, write in FILES.items():
            write(folder / f"{number}" / "tables" / file, text)
    return scanned(folder, people)


@pytest.mark.parametrize("file", FILES)
def test_every_kind_is_found_in_every_type_of_file_and_nothing_else(file, planted):
    expected = {f"{number}/tables/{file}": {what} for number, what in enumerate(FINDS)}
    assert {name: whats for name, whats in by_file(planted).items() if name.endswith(f"/{file}")} == expected


def test_no_finding_is_repeated_in_clear(planted):
    told = "\n".join(map(str, planted)).lower()
    assert not any(text.lower() in told for text in FINDS.values())


def test_names_of_files_and_folders_are_read_too(scan, tmp_path):
    for text in FINDS.values():
        (tmp_path / percent(text)).mkdir()
        (tmp_path / f"list of {text}.csv").write_text("a\n")
    expected = {name: {what} for what, text in FINDS.items() for name in (percent(text), f"list of {text}.csv")}
    leaks = scan()
    assert by_file(leaks) == expected
    assert {leak.where for leak in leaks} == {"its name"}


# --- however it is written


SPELLINGS = [
    ("customers.name", "ANNA-LENA MÜLLER"),
    ("customers.name", "anna lena mu\u0308ller"),
    ("customers.name", "Anna-\n    Lena\u00a0Muller"),
    ("customers.name", "an\u00adna_lena_müller"),
    ("customers.name", "客户王小明购买"),
    ("customers.name", "Mr Johnson"),
    ("customers.email", "mailto:ANNA.LENA%40posteo.example?subject=x"),
    ("customers.email", "anna\\u002elena\\u0040posteo.example"),
    ("customers.email", "&amp;quot;anna.lena&amp;#64;posteo.example&amp;quot;"),
    ("customers.phone", "0170/5550199"),
    ("customers.phone", "0049 170 5550199"),
    ("customers.phone", "1705550199"),
    ("customers.phone", "+44 20 7946 0958"),
    ("customers.phone", "020-7946-0958"),
    ("customers.phone", "555.010.4477"),
    ("customers.phone", "call 5550143 now"),
    ("customers.phone", "555-0143"),
    ("customers.address", "12, rosenweg<br>ULM"),
    ("customers.address", "lowengasse 3"),
    ("customers.address", "在上海市静安区南京西路"),
    ("customer id", "see c-0004711X."),
    ("a secret", f"base64 {base64.b64encode(f'user:{PASSWORD}:x'.encode()).decode()}"),
    ("a secret", "tops3cret%21pw"),
    ("a secret", "tops3cret\\u0021pw"),
]


def test_another_spelling_is_found(scan, tmp_path):
    for number, (_, written) in enumerate(SPELLINGS):
        (tmp_path / f"{number:02}.txt").write_text(f"first\n{written}\n", encoding="utf-8")
    assert by_file(scan()) == {f"{number:02}.txt": {what} for number, (what, _) in enumerate(SPELLINGS)}


ALIKE = [
    "There were 12345 purchases by 42 customers, 00042 in all.",
    "A random forest was grown; Forest is its name, and the forecast is unknown.",
    "5550143 7946095 1,234,567.5550143 0.1705550199 x1705550199",
    "2017-05-55 5550143.25 55.50143 1705550199.5",
    "C 0004711x, anna lena at posteo.example, Anna Müller, Lena Müller, Johnsons",
    "born 1961-04-09 or 09.04.1961",
    "abc and tops3cret",
]


def test_what_only_looks_alike_is_passed_over(scan, tmp_path):
    for number, written in enumerate(ALIKE):
        (tmp_path / f"{number}.txt").write_text(written, encoding="utf-8")
    assert scan() == []


def test_a_single_word_counts_where_it_is_not_common(scan, tmp_path):
    (tmp_path / "a.txt").write_text("Forest")
    assert [leak.what for leak in scan(common=())] == ["customers.name"]
    assert scan(common=["Black Forest"]) == []


def test_birth_dates_count_in_lists_only(scan, tmp_path):
    frame = pd.DataFrame(
        {"note": ["a", "b"], "born": ["x", "9/4/1961"], "day": pd.to_datetime(["1975-12-30", "2024-01-01"])}
    )
    frame.to_parquet(tmp_path / "list.parquet")
    (tmp_path / "report.html").write_text("<html>1961-04-09</html>")
    assert [(leak.file, leak.what, leak.where) for leak in scan()] == [
        ("list.parquet", "customers.birth_date", "row 1"),
        ("list.parquet", "customers.birth_date", "row 2"),
    ]


# --- short ids, and where clear ids were asked for


def in_notebook(path, heading, value):
    table = f"<table><thead><tr><th>{heading}</th><th>n</th></tr></thead><tr><td>{value}</td><td>1</td></tr></table>"
    notebook(path, **{"text/html": table})


def in_workbook(path, heading, value):
    book = openpyxl.Workbook()
    for row in (["A list"], [], ["n", heading], [1, int(value) if value.isdigit() else value]):
        book.active.append(row)
    book.save(path)


LISTS = {
    "a.csv": lambda path, heading, value: path.write_text(f"n;{heading}\n1;{value}\n"),
    "a.csv.gz": lambda path, heading, value: path.write_bytes(gzip.compress(f"n\t{heading}\n1\t{value}\n".encode())),
    "a.parquet": lambda path, heading, value: pq.write_table(pa.table({heading: [value]}), path),
    "number.parquet": lambda path, heading, value: pq.write_table(
        pa.table({heading: [float(value) if value.isdigit() else value]}), path
    ),
    "a.xlsx": in_workbook,
    "a.html": lambda path, heading, value: path.write_text(
        f"<html><table><tr><th>n<th>{heading}<tr><td>1<td><b>{value}</b></table></html>"
    ),
    "pairs.html": lambda path, heading, value: path.write_text(
        f"<html><table><tr><th>{heading}</th><td>{value}</td></tr></table></html>"
    ),
    "a.ipynb": in_notebook,
    "printed.ipynb": lambda path, heading, value: notebook(
        path, **{"text/plain": pd.DataFrame({"n": [1], heading: [value]}).to_string(index=False)}
    ),
    "a.json": lambda path, heading, value: path.write_text(json.dumps({"rows": [{heading: value}]})),
    "column.json": lambda path, heading, value: path.write_text(json.dumps({heading: {"0": value}})),
}


ID_HEADINGS = ("customer_id", "CustomerID", "Customer ID", "Kundennummer", "caller_id")
OTHER_HEADINGS = ("customers", "case_id", "Product ID", "spend a customer", "n", "paid")


@pytest.mark.parametrize("file", LISTS)
def test_a_short_id_counts_below_a_heading_of_ids(file, scan, tmp_path):
    for number, (heading, value) in enumerate(product(ID_HEADINGS, ("12345", "ann"))):
        (tmp_path / f"{number}").mkdir()
        LISTS[file](tmp_path / f"{number}" / file, heading, value)
    assert by_file(scan()) == {f"{number}/{file}": {"customer id"} for number in range(2 * len(ID_HEADINGS))}


def test_a_number_below_another_heading_is_a_number(scan, tmp_path):
    for number, heading in enumerate(OTHER_HEADINGS):
        (tmp_path / f"{number}").mkdir()
        for file, write in LISTS.items():
            write(tmp_path / f"{number}" / file, heading, "12345")
    assert scan() == []


def test_clear_ids_may_stand_where_they_were_asked_for_and_nothing_else_may(scan, tmp_path):
    (tmp_path / "a.csv").write_text("customer_id,email\n12345,aj@bay.example\nC-0004711x,\n")
    (tmp_path / "b.csv").write_text("customer_id\n12345\nC-0004711x\n")
    assert [(leak.file, leak.what, leak.where) for leak in scan(allowed={"a.csv"})] == [
        ("a.csv", "customers.email", "line 2"),
        ("b.csv", "customer id", "column customer_id"),
        ("b.csv", "customer id", "line 3"),
    ]


# --- what cannot be read is not published


def nested(depth):
    return zipped({"a.zip": nested(depth - 1)}) if depth else b"x"


DAMAGED = [
    (".parquet", b"PAR1 but no more"),
    (".parquet", b"a,b\n1,2\n"),
    (".xlsx", b"PK\3\4 and no more"),
    (".xlsx", b"\xd0\xcf\x11\xe0 encrypted"),
    (".skops", b"no zip"),
    (".csv.gz", gzip.compress(b"a,b\n" * 99, mtime=0)[:-20]),
    (".png", b"\x89PNG\r\n\x1a\n\0\0"),
    (".bin", b"7z\xbc\xaf\x27\x1c"),
    (".pdf", b"%PDF-1.7"),
    (".zip", nested(6)),
    (".npy", b"\x93NUMPY\1\0\x10\0{'descr'"),
    (".json", b"[" * 100_000 + b"]" * 100_000),
]


def test_what_cannot_be_read_is_a_finding(scan, tmp_path):
    for number, (suffix, content) in enumerate(DAMAGED):
        (tmp_path / f"{number:02}{suffix}").write_bytes(content)
    assert by_file(scan()) == {f"{number:02}{suffix}": {"unreadable"} for number, (suffix, _) in enumerate(DAMAGED)}


def test_a_link_and_a_pipe_are_findings_and_are_not_followed(scan, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "run").mkdir()
    elsewhere.mkdir()
    (elsewhere / "a.txt").write_text(PASSWORD)
    (tmp_path / "run" / "link").symlink_to(elsewhere, target_is_directory=True)
    (tmp_path / "run" / "file").symlink_to(elsewhere / "a.txt")
    os.mkfifo(tmp_path / "run" / "pipe")
    found = [(leak.file, leak.what) for leak in scan(folder=tmp_path / "run")]
    assert found == [("file", "a link"), ("link", "a link"), ("pipe", "unreadable")]


def test_an_empty_file_says_nothing(scan, tmp_path):
    for name in ("a.csv", "a.parquet", "a.json", "a.png"):
        (tmp_path / name).touch()
    assert scan() == []


def test_a_missing_folder_is_no_clean_folder(scan, tmp_path):
    with pytest.raises(FileNotFoundError):
        scan(folder=tmp_path / "nowhere")


# --- the answer


def test_a_finding_is_told_without_being_repeated(scan, tmp_path):
    (tmp_path / "a.csv").write_text("a\nb\nInfo@Waldhof.example\n")
    assert scan() == [Leak("a.csv", "customers.email", "line 3", "i… (20 characters)")]


def test_at_most_five_findings_of_a_kind_are_told_for_a_file(scan, tmp_path):
    (tmp_path / "a.txt").write_text("info@waldhof.example\n" * 50)
    assert [leak.where for leak in scan()] == [f"line {number}" for number in range(1, 6)]


def test_the_answer_is_the_same_every_time(scan, tmp_path):
    for file, write in FILES.items():
        write(tmp_path / file, FINDS["customers.email"])
    assert scan() == scan()


# --- no false alarms


@pytest.fixture(scope="module")
def many_people():
    first = [
        "Grace",
        "Mark",
        "Anna",
        "Forest",
        "Victor",
        "Rose",
        "Jürgen",
        "Max",
        "Summer",
        "Median",
        "Young",
        "Will",
        "Zoë",
    ]
    last = [
        "Hill",
        "Johnson",
        "Müller",
        "Young",
        "Weaver",
        "Parker",
        "North",
        "Rivers",
        "Small",
        "Best",
        "Good",
        "Price",
    ]
    rows = []
    for number in range(100_000):
        name = f"{first[number % 13]} {last[number % 12]}{'' if number < 156 else number}"
        email = f"{first[number % 13]}.{number}@mail{number % 9}.example"
        rows.append(
            (
                str(500_000 + number),
                name,
                email,
                f"+1 555 {number:07}",
                f"{number % 300} High Street",
                f"{1940 + number % 60}-05-17",
            )
        )
    return source_of(rows)


def test_reports_on_other_data_hold_no_identifier_of_a_hundred_thousand_customers(many_people, tmp_path, root):
    written = {"notebooks": "*.ipynb", "docs": "*.md"}
    for folder, pattern in written.items():
        for path in sorted((root / folder).rglob(pattern)):
            (tmp_path / f"{len(list(tmp_path.iterdir()))}_{path.name}").write_bytes(path.read_bytes())
    figures = np.random.default_rng(0).lognormal(3, 2, (5_000, 2))
    frame = pd.DataFrame(figures, columns=["spend", "predicted_spend"]).round(3)
    frame.insert(0, "customer_id", [f"{number:032x}" for number in np.random.default_rng(1).integers(0, 2**62, 5_000)])
    frame["customers"], frame["case_id"], frame["day"] = range(5_000), range(5_000), pd.Timestamp("2024-01-31")
    frame.to_csv(tmp_path / "segments.csv", index=False)
    frame.to_parquet(tmp_path / "segments.parquet")
    (tmp_path / "segments.html").write_text(f"<html>{frame.head(500).to_html()}</html>")
    leaks = scan_folder(
        tmp_path,
        secrets=[Secret("tops3cret!pw")],
        identifiers=many_people,
        ids_allowed_in=lambda file: False,
        common_words=package_vocabulary(),
    )
    assert leaks == []


def test_the_vocabulary_holds_the_words_of_reports_in_pairs():
    words = package_vocabulary()
    assert {"segment", "median", "random forest", "monday", "january"} <= words
    assert not {"anna lena", "rosenweg"} & words


def test_identifiers_in_the_millions_do_not_fill_memory_with_candidates(people, tmp_path):
    """Only values whose words all occur in the files leave the catalogue."""
    index = Index(people)
    index.add_words(["anna", "lena", "bay", "aj", "example", "12", "ulm"], ids=True)
    index.complete()
    assert [one.spelling for one in index.sought(frozenset())] == ["aj@bay.example"]


def test_nothing_is_left_in_the_catalogue(people, scan, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    before = people.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    scan()
    assert people.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == before


def test_a_path_is_told_relative_to_the_folder(scan, tmp_path):
    (tmp_path / "b").mkdir()
    Path(tmp_path, "b", "c.txt").write_text("aj@bay.example")
    assert [leak.file for leak in scan()] == ["b/c.txt"]
