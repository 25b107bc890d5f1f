"""Claims about files of every kind as one relation: what is read right although odd, and what kinds give the same."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import re
import shutil
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from crm_analysis.errors import DataQualityError, SourceError
from crm_analysis.tables.sources import archives
from crm_analysis.tables.sources.files import READABLE_SUFFIXES, FileRelation, file_relation, is_readable
from crm_analysis.tables.sources.text import TextFormat, likely_encoding

Rows = list[tuple[Any, ...]]
WHERE = "Table transactions of shop.yaml"


@pytest.fixture
def related(tmp_path: Path) -> Callable[..., FileRelation]:
    """Write files and relate them; `files` is name to content."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def relate(files: dict[str, bytes | str], **text: Any) -> FileRelation:
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(path)
        return file_relation(paths, TextFormat(**text), scratch=scratch, where=WHERE)

    return relate


@pytest.fixture
def rows_of(related: Callable[..., FileRelation]) -> Callable[..., Rows]:
    """Write files and return their rows."""
    return lambda files, **text: duckdb.sql(related(files, **text).sql).fetchall()


def columns_of(relation: FileRelation) -> dict[str, str]:
    found = duckdb.sql(relation.sql)
    return dict(zip(found.columns, map(str, found.types), strict=True))


def workbook(rows: Sequence[Sequence[Any]], change: Callable[[openpyxl.Workbook], object] = lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    change(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rewritten(content: bytes, pattern: str, by: str) -> bytes:
    """Return a workbook whose first sheet's own file is changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = re.sub(pattern, by, data.decode()).encode()
            new.writestr(name, data)
    return out.getvalue()


def zipped(**members: bytes | str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name.replace("__", "."), member)
    return content.getvalue()


def parquet(**columns: list[Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def old_workbook(rows: Sequence[Sequence[str | float]]) -> bytes:
    """Return a sheet in Excel's old records, within the compound file that holds them."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def cell(row: int, column: int, value: str | float) -> bytes:
        if isinstance(value, str):
            return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + value.encode("utf-16-le"))
        return record(0x0203, struct.pack("<HHHd", row, column, 0, value))

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 6))

    def sheet_at(place: int) -> bytes:
        return record(0x85, struct.pack("<IBBBB", place, 0, 0, 3, 0) + b"One")

    def entry(name: str, kind: int, start: int, size: int, child: int) -> bytes:
        written = (name + "\0").encode("utf-16-le")
        head = written.ljust(64, b"\0") + struct.pack("<HBBIII", len(written), kind, 1, free, free, child)
        return head + bytes(36) + struct.pack("<IQ", start, size)

    free, end, table_sector = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    place = len(begin(5) + sheet_at(0) + record(0x0A))
    cells = b"".join(cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row))
    book = (begin(5) + sheet_at(place) + record(0x0A) + begin(0x10) + cells + record(0x0A)).ljust(4096, b"\0")
    chain = [table_sector, end, *range(3, 10), end]  # the book fills the eight sectors from the third on
    table = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    folder = entry("Root Entry", 5, end, 0, 1) + entry("Workbook", 2, 2, len(book), free)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    return header + table + folder.ljust(512, b"\0") + book


LEGAL_TEXTS: dict[str, tuple[bytes, Rows]] = {
    "a byte-order mark": (b"\xef\xbb\xbfid,x\n1,a\n", [("1", "a")]),
    "CRLF": (b"id,x\r\n1,a\r\n2,b\r\n", [("1", "a"), ("2", "b")]),
    "CR only": (b"id,x\r1,a\r2,b\r", [("1", "a"), ("2", "b")]),
    "mixed line ends": (b"id,x\r\n1,a\n2,b\r3,c\r\n", [("1", "a"), ("2", "b"), ("3", "c")]),
    "no line end at the end": (b"id,x\n1,a", [("1", "a")]),
    "blank lines anywhere": (b"\n\nid,x\n\n1,a\n\n\n2,b\n\n", [("1", "a"), ("2", "b")]),
    "a line break in quotes": (b'id,x\n1,"two\nlines"\n', [("1", "two\nlines")]),
    "CRLF rows with LF in quotes": (b'id,x\r\n1,"two\nlines"\r\n', [("1", "two\nlines")]),
    "doubled quotes": (b'id,x\n1,"12"" plate"\n', [("1", '12" plate')]),
    "a quote within a bare value": (b'id,x\n1,12" plate\n', [("1", '12" plate')]),
    "a delimiter in quotes": (b'id,x\n1,"a,b"\n', [("1", "a,b")]),
    "a header over two lines": (b'id,"x\ny"\n1,a\n', [("1", "a")]),
    "semicolons": (b"id;x\n1;1,5\n", [("1", "1,5")]),
    "tabs": (b"id\tx\n1\ta, b\n", [("1", "a, b")]),
    "bars": (b"id|x\n1|a\n", [("1", "a")]),
    "a comma in the names of a semicolon file": (b"id;last, first\n1;b\n", [("1", "b")]),
    "a comment sign is text": (b"id,x\n#1,a\n", [("#1", "a")]),
    "nothing but delimiters": (b"id,x\n,\n", [(None, None)]),
    "a delimiter after the last field": (b"id,x\n1,a,\n", [("1", "a")]),
    "leading zeros": (b"id,x\n007,1e3\n", [("007", "1e3")]),
    "no name for the index": (b",id\n0,a\n", [("0", "a")]),
    "one column": (b"id\n1\n2\n", [("1",), ("2",)]),
    "utf-16 with its mark": ("id,x\n1,é\n".encode("utf-16"), [("1", "é")]),
    "utf-32 with its mark": ("id,x\n1,é\n".encode("utf-32"), [("1", "é")]),
    "a header only": (b"id,x\n", []),
    "a value of a megabyte": (b"id,x\n1," + b"y" * 1_000_000 + b"\n", [("1", "y" * 1_000_000)]),
    "what looks like SQL": (b'id,"x""); DROP TABLE y; --"\n1,\'; DROP\n', [("1", "'; DROP")]),
}


@pytest.mark.parametrize(("content", "expected"), LEGAL_TEXTS.values(), ids=LEGAL_TEXTS)
def test_odd_but_legal_text_is_read_right(rows_of: Callable[..., Rows], content: bytes, expected: Rows) -> None:
    assert rows_of({"lines.csv": content}) == expected


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "gb18030", "utf-16-le", "shift_jis", "cp1251", "utf-8"])
def test_any_encoding_may_be_stated(rows_of: Callable[..., Rows], encoding: str) -> None:
    value = {"gb18030": "客户", "shift_jis": "顧客", "cp1251": "клиент"}.get(encoding, "Müller")
    assert rows_of({"lines.csv": f"id,x\r\n1,{value}\r\n".encode(encoding)}, encoding=encoding) == [("1", value)]


def test_a_character_cut_by_a_block_is_whole(rows_of: Callable[..., Rows]) -> None:
    filler = "x" * ((1 << 20) - len("id,x\n1,") - 1)  # the block ends within the next character
    assert rows_of({"lines.csv": f"id,x\n1,{filler}é\n"}) == [("1", f"{filler}é")]
    assert rows_of({"lines.csv": f"id,x\n1,{filler}é\n".encode("utf-16")}) == [("1", f"{filler}é")]


def test_the_line_of_a_fault_is_told_far_into_a_file(related: Callable[..., FileRelation]) -> None:
    with pytest.raises(SourceError, match=r"byte 0xE9 in line 300,002; it looks like cp1252"):
        related({"lines.csv": b"id,x\n" + b"1,a\n" * 300_000 + b"1,caf\xe9\n"})


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Müller, café, naïve", "cp1252"), ("客户对服务很满意", "gb18030"), ("Клиент доволен", "cp1251"), ("id,name", "utf-16-le")],
)  # fmt: skip
def test_an_encoding_is_guessed(text: str, encoding: str) -> None:
    assert likely_encoding(text.encode(encoding)) == encoding


def test_no_line_is_lost_in_a_large_file(rows_of: Callable[..., Rows]) -> None:
    lines = "".join(f'{n},"two\nlines, {n}"\n' if n % 3 == 0 else f"{n},plain\n" for n in range(200_000))
    assert len(rows_of({"lines.csv": "id,x\n" + lines})) == 200_000


def test_names_stand_where_the_format_says(rows_of: Callable[..., Rows]) -> None:
    content = 'A report, made "today\n\nid;x\n1;a\n'
    assert rows_of({"lines.csv": content}, header_line=3) == [("1", "a")]


@pytest.mark.parametrize(
    "name", ["a[1].csv", "a*.csv", "a?.csv", "it's; DROP TABLE.csv", "😀.csv", 'a"b.csv', "LINES.CSV"]
)
def test_a_name_is_no_pattern(rows_of: Callable[..., Rows], tmp_path: Path, name: str) -> None:
    (tmp_path / "a1.csv").write_text("id\nother\n")
    (tmp_path / "ab.csv").write_text("id\nother\n")
    assert rows_of({name: "id\n1\n"}) == [("1",)]


def test_a_parquet_name_is_no_pattern(rows_of: Callable[..., Rows], tmp_path: Path) -> None:
    (tmp_path / "a1.parquet").write_bytes(parquet(id=["other"]))
    assert rows_of({"a[1].parquet": parquet(id=["1"])}) == [("1",)]
    assert rows_of({"a*.parquet": parquet(id=["1"])}) == [("1",)]


def test_each_kind_gives_the_same_rows(rows_of: Callable[..., Rows]) -> None:
    text, lines = "id,x\n007,é\n008,\n", '{"id": "007", "x": "é"}\n{"id": "008", "x": null}\n'
    records = json.dumps([json.loads(line) for line in lines.splitlines()])
    contents = {
        "a.csv": text, "a.tsv": text.replace(",", "\t"), "a.txt": text.replace(",", ";"), "a.json": records,
        "a.jsonl": lines, "a.ndjson": lines, "a.parquet": parquet(id=["007", "008"], x=["é", None]),
        "a.xlsx": workbook([("id", "x"), ("007", "é"), ("008", None)]), "a.xlsm": workbook([("id", "x"), ("007", "é"), ("008", None)]),
    }  # fmt: skip
    for name, content in contents.items():
        data = content.encode() if isinstance(content, str) else content
        for packed in ({name: data}, {f"{name}.gz": gzip.compress(data)}, {f"{name}.zip": zipped(**{name: data})}):
            assert rows_of(packed) == [("007", "é"), ("008", None)], list(packed)


def test_an_archive_may_hold_several_files(rows_of: Callable[..., Rows]) -> None:
    assert rows_of({"all.zip": zipped(jan__csv="id\n1\n", feb__csv="id\n2\n")}) == [("1",), ("2",)]


def test_columns_are_matched_by_name_and_null_where_a_file_lacks_them(rows_of: Callable[..., Rows]) -> None:
    files = {"a.csv": "id,x\n1,a\n", "b.csv": "y;id\nb;2\n", "c.csv": "id,x\n3,c\n"}
    assert sorted(rows_of(files)) == [("1", "a", None), ("2", None, "b"), ("3", "c", None)]


def test_files_of_several_kinds_make_one_table(rows_of: Callable[..., Rows]) -> None:
    files = {
        "a.csv": "id,amount\n13085,1.5\n",
        "b.parquet": parquet(id=[13086.0], amount=[2.5]),
        "c.xlsx": workbook([("id", "amount"), (13087, 3.5)]),
        "d.json": '[{"id": 13088, "amount": 4.5}]',
    }
    assert sorted(rows_of(files)) == [("13085", "1.5"), ("13086", "2.5"), ("13087", "3.5"), ("13088", "4.5")]


def test_numbers_among_texts_have_the_stated_decimal_mark(rows_of: Callable[..., Rows]) -> None:
    files = {"a.csv": "id;x\n1;1,5\n", "b.parquet": parquet(id=["2"], x=[2.5]), "d.json": '[{"id": "3", "x": 3.5},{"id":"4","x":"4,5"}]',
             "c.xlsx": workbook([("id", "x"), ("5", 5.5), ("6", "6,5")])}  # fmt: skip
    assert sorted(row[1] for row in rows_of(files, decimal=",")) == ["1,5", "2,5", "3,5", "4,5", "5,5", "6,5"]


def test_only_plain_parquet_stays_where_it_is(related: Callable[..., FileRelation]) -> None:
    assert related({"a.parquet": parquet(id=["1"]), "b.parquet": parquet(id=["2"])}).stays
    assert not related({"a.csv": "id\n1\n"}).stays
    assert not related({"a.parquet": parquet(id=["1"]), "c.csv": "id\n1\n"}).stays


def test_clean_text_is_not_copied(related: Callable[..., FileRelation], tmp_path: Path) -> None:
    related({"a.csv": "id,x\n1,é\n", "b.csv": "id,x\r\n1,é\r\n"})
    assert list((tmp_path / "scratch").iterdir()) == []


def test_json_keeps_ids_and_times_as_they_are_written(related: Callable[..., FileRelation]) -> None:
    record = {"id": "007", "n": 7, "x": 1.5, "ok": True, "at": "05/02/2024", "day": "2024-02-05", "uuid": "550e8400-e29b-41d4-a716-446655440000"}  # fmt: skip
    relation = related({"a.json": json.dumps([record])})
    assert duckdb.sql(relation.sql).fetchall() == [tuple(record.values())]
    assert columns_of(relation)["n"] == "BIGINT"


def test_json_objects_are_flattened_and_lists_stay_json(related: Callable[..., FileRelation]) -> None:
    relation = related({"a.jsonl": '{"id": 1, "a": {"b": "x", "c": {"d": 2}}, "tags": ["p", {"q": 1}]}\n{"id": 2}\n'})
    assert columns_of(relation) == {"id": "BIGINT", "a.b": "VARCHAR", "a.c.d": "BIGINT", "tags": "VARCHAR"}
    assert duckdb.sql(relation.sql).fetchall() == [(1, "x", 2, '["p",{"q":1}]'), (2, None, None, None)]


def test_json_of_mixed_types_is_text(rows_of: Callable[..., Rows]) -> None:
    values = ["007", 8, 1.5, None, True, {"x": 1}]
    assert [row[0] for row in rows_of({"a.json": json.dumps([{"id": value} for value in values])})] == [
        "007", "8", "1.5", None, "true", '{"x":1}',
    ]  # fmt: skip


def test_json_may_begin_with_a_mark_and_be_in_another_encoding(rows_of: Callable[..., Rows]) -> None:
    records = '[{"id": "é"}]'
    assert rows_of({"a.json": b"\xef\xbb\xbf" + records.encode()}) == [("é",)]
    assert rows_of({"a.json": records.encode("utf-16")}) == [("é",)]
    assert rows_of({"a.json": records.encode("cp1252")}, encoding="cp1252") == [("é",)]


def test_an_empty_list_beside_others_adds_nothing_and_alone_is_an_empty_table(
    rows_of: Callable[..., Rows], related: Callable[..., FileRelation]
) -> None:
    assert rows_of({"a.json": "[]", "b.json": '[{"id": 1}]'}) == [(1,)]
    with pytest.raises(DataQualityError, match="is empty"):
        related({"a.json": "[]"})


def test_a_sheet_has_types(related: Callable[..., FileRelation]) -> None:
    second = dt.datetime.fromisoformat("2024-01-05T10:30:17")
    row = [13085, 1.25, True, second, dt.date(2024, 1, 5), "007", dt.time(10, 30)]
    relation = related({"a.xlsx": workbook([["n", "x", "ok", "at", "day", "id", "clock"], row, [None] * 7, row])})
    assert (
        duckdb.sql(relation.sql).fetchall()
        == [(13085.0, 1.25, True, second, dt.date(2024, 1, 5), "007", "10:30:00")] * 2
    )
    assert list(columns_of(relation).values()) == ["DOUBLE", "DOUBLE", "BOOLEAN", "TIMESTAMP", "DATE", "VARCHAR", "VARCHAR"]  # fmt: skip


def test_a_column_of_several_types_in_a_sheet_is_text(rows_of: Callable[..., Rows]) -> None:
    values = [7, "A8", 1.5, dt.datetime.fromisoformat("2024-01-05T10:30"), True]
    found = rows_of({"a.xlsx": workbook([["id"], *([value] for value in values)])})
    assert [row[0] for row in found] == ["7", "A8", "1.5", "2024-01-05 10:30:00", "true"]


def test_formulas_give_what_was_calculated_last(rows_of: Callable[..., Rows]) -> None:
    content = workbook([["id", "sum"], ["a", "=1+1"]])
    assert rows_of({"a.xlsx": rewritten(content, r"(</f>)<v ?/>", r"\1<v>2</v>")}) == [("a", 2.0)]


def test_an_error_in_a_cell_is_told_as_it_stands(rows_of: Callable[..., Rows]) -> None:
    def broken(book: openpyxl.Workbook) -> None:
        book.active["B3"].data_type = "e"

    content = workbook([["id", "sum"], ["a", 2], ["b", "#DIV/0!"]], broken)
    assert rows_of({"a.xlsx": content}) == [("a", "2"), ("b", "#DIV/0!")]


def test_a_table_in_the_middle_of_a_sheet_is_found(rows_of: Callable[..., Rows]) -> None:
    rows = [["Sales", None, None], [None] * 3, [None, "id", "x"], [None, "1", "#N/A"], [None, "2", "b"]]

    def broken(book: openpyxl.Workbook) -> None:
        book.active["C4"].data_type = "e"

    assert rows_of({"a.xlsx": workbook(rows, broken)}, header_line=3) == [("1", "#N/A"), ("2", "b")]


def test_a_merged_header_leaves_its_columns_nameless(related: Callable[..., FileRelation]) -> None:
    content = workbook([["id", "both", None], ["1", "a", "b"]], lambda book: book.active.merge_cells("B1:C1"))
    assert list(columns_of(related({"a.xlsx": content}))) == ["id", "both", "column_3"]


@pytest.mark.parametrize(("sheet", "expected"), [(None, "first"), (2, "second"), ("Zweites", "second")])
def test_a_sheet_is_chosen_by_name_or_number(rows_of: Callable[..., Rows], sheet: object, expected: str) -> None:
    def more(book: openpyxl.Workbook) -> None:
        other = book.create_sheet("Zweites")
        other.append(["id"])
        other.append(["second"])

    assert rows_of({"a.xlsx": workbook([["id"], ["first"]], more)}, sheet=sheet) == [(expected,)]


def test_an_opendocument_sheet_is_read(rows_of: Callable[..., Rows]) -> None:
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    table, text = office.replace("office:1", "table:1"), office.replace("office:1", "text:1")
    cells = [[("string", "id"), ("string", "x")], [("string", "007"), ("float", "1.5")]]
    filled = {"string": 'office:value-type="string"', "float": 'office:value-type="float" office:value="1.5"'}
    rows = "".join(
        "".join(
            ["<table:table-row>"]
            + [f"<table:table-cell {filled[kind]}><text:p>{value}</text:p></table:table-cell>" for kind, value in row]
            + ["</table:table-row>"]
        )
        for row in cells
    )
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}" xmlns:text="{text}"><office:body>'
        f'<office:spreadsheet><table:table table:name="One">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    book = zipped(**{"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})
    assert rows_of({"a.ods": book}) == [("007", 1.5)]


def test_an_old_excel_sheet_is_read(rows_of: Callable[..., Rows]) -> None:
    assert rows_of({"a.xls": old_workbook([["id", "x"], ["007", 1.5], ["é", 2.0]])}) == [("007", 1.5), ("é", 2.0)]


def test_all_faulty_files_are_told_at_once(related: Callable[..., FileRelation]) -> None:
    with pytest.raises(SourceError, match="its 3 files have 2 faults") as caught:
        related({"a.csv": b"id\n\xff\n", "b.csv": "id\n1\n", "c.csv": b""})
    assert len(caught.value.faults) == 2
    assert str(caught.value).startswith(f"{WHERE} cannot be read")


def test_values_of_a_faulty_line_are_not_shown(related: Callable[..., FileRelation]) -> None:
    with pytest.raises(SourceError) as caught:
        related({"a.csv": "id,x\nann@example.org,a,b\n"})
    assert "ann@example.org" not in str(caught.value)


def test_a_packed_file_that_grows_beyond_measure_is_refused(
    related: Callable[..., FileRelation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FREE_RATIO_BYTES", 1_000)
    content = b"id\n" + b"0" * 1_000_000
    for name, packed in {"a.csv.gz": gzip.compress(content), "a.zip": zipped(a__csv=content)}.items():
        with pytest.raises(SourceError, match="grows more than 300-fold"):
            related({name: packed})


def test_a_file_that_fits_on_no_disk_is_refused(
    related: Callable[..., FileRelation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(SourceError, match=r"needs 5 bytes unpacked, but 1 are free"):
        related({"a.zip": zipped(a__csv="id\n1\n")})


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")

    def refusing(path: Path, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refusing)  # root may read whatever its mode
    with pytest.raises(SourceError, match=r"a\.csv may not be read by this user"):
        file_relation([tmp_path / "a.csv"], TextFormat(), scratch=tmp_path, where=WHERE)


def test_the_kinds_are_known_by_their_suffix() -> None:
    assert all(is_readable(f"Lines{suffix.upper()}") for suffix in READABLE_SUFFIXES if suffix != ".gz")
    assert not any(is_readable(name) for name in ("a.docx", "a.csv.bak", "csv", "a.gz", "a.zip.gz", ""))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoding": "klingon"}, "no text encoding"),
        ({"encoding": "base64"}, "no text encoding"),
        ({"decimal": ",", "thousands": ","}, "must differ"),
        ({"thousands": "_"}, "thousands"),
        ({"delimiter": '"'}, "cannot stand between fields"),
        ({"delimiter": "ab"}, "at most 1 character"),
        ({"sheet": 0}, "greater than or equal to 1"),
        ({"quote": "'"}, "Extra inputs"),
    ],
)
def test_a_format_that_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TextFormat(**settings)
