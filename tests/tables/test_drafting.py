"""A first dataset file: what is guessed of small files made for it, what is doubted, and that it opens."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from crm_analysis.errors import ParamsError, SourceError
from crm_analysis.tables.dataset_file import DatasetFile, read_dataset_file, source_files
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.drafting import Draft, draft_dataset, write_draft
from crm_analysis.tables.drafting.sniffing import guess_delimiter, guess_encoding

Written = Callable[..., Path]
HEADER = "customer_id,order_date,amount"


@pytest.fixture
def written(workspace: Path) -> Written:
    """Write a file beside the dataset file to be."""

    def write(name: str, content: str | bytes | list[str], *, encoding: str = "utf-8") -> Path:
        path = workspace / "params" / "datasets" / name
        text = "\n".join(content) + "\n" if isinstance(content, list) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def target(beside: Path, name: str = "shop.yaml") -> Path:
    return beside.parent / name


def drafted(*files: Path) -> tuple[Draft, dict[str, Any]]:
    """Draft beside the first file, and hold the text to what a dataset file may say."""
    draft = draft_dataset(files, to=target(files[0]))
    content = yaml.safe_load(draft.text)
    DatasetFile.model_validate(content)
    return draft, content


def lines(values: list[str], *, column: str = "order_date") -> list[str]:
    """Purchases of three customers whose times (or amounts) are given."""
    if column == "order_date":
        return [HEADER, *(f"c{place % 3},{value},{place}.50" for place, value in enumerate(values))]
    return [HEADER.replace(",", ";"), *(f"c{place % 3};2024-01-31;{value}" for place, value in enumerate(values))]


def doubts_on(draft: Draft, word: str) -> list[str]:
    return [doubt for doubt in draft.doubts if word in doubt]


# Encodings and delimiters


@pytest.mark.parametrize(
    ("text", "encoding", "guess"),
    [
        ("id;ort\n1;Köln\n2;Zürich\n", "utf-8", "utf-8"),
        ("id;ort\n1;Köln\n2;Zürich\n", "utf-8-sig", "utf-8"),
        ("id;ort\n1;Köln\n2;Zürich\n", "utf-16", "utf-16"),
        ("id;ort\n1;Köln\n2;Zürich\n", "utf-16-le", "utf-16-le"),
        ("id;ort\n1;Köln\n2;Zürich\n", "utf-16-be", "utf-16-be"),
        ("id;ort\n1;Köln\n2;Zürich\n", "cp1252", "cp1252"),
        ("id;prix\n1;5 €\n2;7 €\n", "cp1252", "cp1252"),
        ("客户编号,金额\n张伟,1\n", "gb18030", "gb18030"),
        ("id,name\n1,plain\n", "ascii", "utf-8"),
    ],
)
def test_encoding_is_told(text: str, encoding: str, guess: str) -> None:
    found = guess_encoding(text.encode(encoding))
    assert (found.value, found.doubt) == (guess, "")


def test_mixed_encodings_and_foreign_letters_are_doubted() -> None:
    mixed = "Köln Zürich Malmö Århus ".encode() * 3 + "Düren".encode("cp1252")
    assert "mixed" in guess_encoding(mixed).doubt
    assert "Western" in guess_encoding("Привет, мир\n".encode("cp1251") * 5).doubt


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_that_cuts_lines_alike(delimiter: str) -> None:
    rows = [["id", "day", "amount"], ["1", "2024-01-31 10:00", "1.5"], ["2", "2024-02-01 11:30", "2.5"]]
    assert guess_delimiter("\n".join(delimiter.join(row) for row in rows)).value == delimiter


def test_delimiter_in_quotes_and_decimal_commas_do_not_mislead() -> None:
    assert guess_delimiter('id;text;amount\n1;"a, b, c, d";1,5\n2;"e, f";2,5\n').value == ";"


def test_text_format_is_stated(written: Written) -> None:
    rows = [
        "Kundennummer;Bestelldatum;Betrag;Kanal",
        "K1;31.01.2024 10:15;1.234,50;Tür",
        "K2;01.02.2024 11:30;7,25;Web",
    ]
    draft, content = drafted(written("verkäufe.csv", rows, encoding="cp1252"))
    stated = content["tables"]["transactions"]["format"]
    assert stated == {
        "encoding": "cp1252",
        "delimiter": ";",
        "decimal": ",",
        "thousands": ".",
        "dates": {"occurred_at": "%d.%m.%Y %H:%M"},
    }
    assert not doubts_on(draft, "transactions")


def test_lines_above_the_column_names_are_found(written: Written) -> None:
    rows = ["Sales of the shop", "", *lines(["2024-01-31", "2024-02-01"])]
    draft, content = drafted(written("sales.csv", rows))
    assert content["tables"]["transactions"]["format"]["header_line"] == 3
    assert doubts_on(draft, "line 3")


def test_ragged_lines_are_counted(written: Written) -> None:
    draft, _ = drafted(written("sales.csv", [*lines(["2024-01-31"] * 5), "c1,2024-01-31,5,extra"]))
    assert doubts_on(draft, "1 of 6 lines")


# Times


@pytest.mark.parametrize(
    ("values", "written_as"),
    [
        (["2024-01-31", "2024-02-01"], None),
        (["2024-01-31 10:15:30", "2024-02-01 11:00:00"], None),
        (["2024-01-31T10:15:30Z", "2024-02-01T11:00:00Z"], None),
        (["31/01/2024 10:15", "1/2/2024 9:05"], "%d/%m/%Y %H:%M"),
        (["01/31/2024", "02/01/2024"], "%m/%d/%Y"),
        (["31.01.24", "01.02.24"], "%d.%m.%y"),
        (["31-Jan-2024", "01-Feb-2024"], "%d-%b-%Y"),
        (["1/31/2024 1:05 PM", "2/1/2024 9:05 AM"], "%m/%d/%Y %I:%M %p"),
        (["20240131", "20240201"], "%Y%m%d"),
        (["2024年1月31日 10:15", "2024年2月1日 11:30"], "%Y年%m月%d日 %H:%M"),
    ],
)
def test_times_that_prove_their_order_are_not_doubted(
    written: Written, values: list[str], written_as: str | None
) -> None:
    draft, content = drafted(written("sales.csv", lines(values)))
    dates = content["tables"]["transactions"]["format"].get("dates", {})
    assert dates.get("occurred_at") == written_as
    assert not doubts_on(draft, "occurred_at")


def test_order_of_day_and_month_is_doubted_where_nothing_proves_it(written: Written) -> None:
    draft, content = drafted(written("sales.csv", lines(["01/02/2024", "03/04/2024"])))
    assert content["tables"]["transactions"]["format"]["dates"] == {"occurred_at": "%d/%m/%Y"}
    assert doubts_on(draft, "%m/%d/%Y")
    assert "# unsure: or %m/%d/%Y" in draft.text


def test_mixed_orders_are_doubted(written: Written) -> None:
    draft, _ = drafted(written("sales.csv", lines(["31/01/2024", "30/01/2024", "01/31/2024"])))
    assert doubts_on(draft, "mixed")


def test_values_written_otherwise_are_counted(written: Written) -> None:
    draft, _ = drafted(written("sales.csv", lines(["31.01.2024"] * 9 + ["31.02.2024"])))
    assert doubts_on(draft, "1 of 10 values")


@pytest.mark.parametrize(("factor", "expected"), [(1, "1000000"), (1000, "1000")])
def test_times_counted_from_1970_are_read_by_a_query(written: Written, factor: int, expected: str) -> None:
    draft, content = drafted(written("sales.csv", lines([str(1706696100 * factor), str(1706782500 * factor)])))
    assert f'"order_date" AS BIGINT) * {expected}' in content["tables"]["transactions"]["query"]
    assert not doubts_on(draft, "timezone")


@pytest.mark.parametrize(
    ("values", "zone", "is_doubted"),
    [
        (["2024-01-31T10:00:00Z", "2024-07-31T10:00:00Z"], "UTC", False),
        (["2024-01-31T10:00:00+08:00", "2024-07-31T10:00:00+08:00"], "Etc/GMT-8", False),
        (["2024-01-31T10:00:00+01:00", "2024-07-31T10:00:00+02:00"], "Europe/Berlin", True),
        (["2024-01-31 10:00", "2024-07-31 10:00"], "UTC", True),
        (["2024-01-31", "2024-07-31"], "UTC", False),
    ],
)
def test_time_zone_is_told_by_suffixes_or_doubted(
    written: Written, values: list[str], zone: str, is_doubted: bool
) -> None:
    draft, content = drafted(written("sales.csv", lines(values)))
    assert content["timezone"] == zone
    assert bool(doubts_on(draft, "timezone")) == is_doubted


def test_a_zone_behind_a_time_in_another_format_is_stated_once(written: Written) -> None:
    path = written("sales.csv", lines(["31.01.2024 10:00 +01:00", "01.02.2024 11:00 +01:00"]))
    draft, content = drafted(path)
    assert content["timezone"] == "Etc/GMT-1"
    assert content["tables"]["transactions"]["format"]["dates"] == {"occurred_at": "%d.%m.%Y %H:%M"}
    write_draft(draft, target(path))
    known = open_dataset("shop").known(date(2024, 2, 1))
    assert known.query("SELECT max(occurred_at) AS last FROM transactions")["last"][0] == pd.Timestamp(
        "2024-02-01 11:00"
    )


# Numbers and currency


@pytest.mark.parametrize(
    ("values", "decimal", "thousands"),
    [
        (["1.5", "1,234.50"], ".", ","),
        (["1,5", "1.234,50"], ",", "."),
        (["1 234,50", "7,25"], ",", " "),
        (["1'234.50", "7.25"], ".", "'"),
        (["1,234", "12.50"], ".", ","),
        (["1.234.567", "12"], ",", "."),
    ],
)
def test_marks_of_numbers_are_told(written: Written, values: list[str], decimal: str, thousands: str) -> None:
    draft, content = drafted(written("sales.csv", lines(values, column="amount")))
    stated = content["tables"]["transactions"]["format"]
    assert (stated.get("decimal", "."), stated["thousands"]) == (decimal, thousands)
    assert not doubts_on(draft, "numbers")


def test_a_number_that_may_be_two_things_is_doubted(written: Written) -> None:
    draft, content = drafted(written("sales.csv", lines(["1,234", "5,678"], column="amount")))
    assert content["tables"]["transactions"]["format"]["decimal"] == ","  # fields are parted by semicolons
    assert doubts_on(draft, "1,234")


def test_commas_and_points_as_decimal_marks_are_doubted(written: Written) -> None:
    rows = ["customer_id;order_date;amount;discount", "c1;2024-01-31;1,50;0.25", "c2;2024-01-31;2,50;0.5"]
    draft, _ = drafted(written("sales.csv", rows))
    assert doubts_on(draft, "'amount' has a decimal comma, 'discount' has a decimal point")


@pytest.mark.parametrize(
    ("column", "value", "currency", "is_doubted"),
    [
        ("amount", "5.00", "EUR", True),
        ("amount", "€5.00", "EUR", False),
        ("amount", "£5.00", "GBP", False),
        ("amount", "$5.00", "USD", True),
        ("amount_usd", "5.00", "USD", False),
        ("Amount (CHF)", "5.00", "CHF", False),
        ("金额", "¥5.00", "CNY", False),
    ],
)
def test_currency_is_told_by_signs_and_names(
    written: Written, column: str, value: str, currency: str, is_doubted: bool
) -> None:
    rows = [f"customer_id,order_date,{column}", f"c1,2024-01-31,{value}", f"c2,2024-01-31,{value}"]
    draft, content = drafted(written("sales.csv", rows))
    assert content["currency"] == currency
    assert bool(doubts_on(draft, "currency")) == is_doubted
    assert content["tables"]["transactions"]["columns"]["amount"] == column


def test_several_currencies_are_doubted(written: Written) -> None:
    rows = [HEADER + ",currency", "c1,2024-01-31,5.5,EUR", "c1,2024-01-31,5.5,EUR", "c2,2024-01-31,6.5,USD"]
    draft, content = drafted(written("sales.csv", rows))
    assert content["currency"] == "EUR"
    assert doubts_on(draft, "2 currencies are named (EUR, USD)")


# Tables and columns

NAMES = {
    "English": ["Customer ID", "InvoiceDate", "Quantity", "Price", "Invoice", "StockCode"],
    "German": ["Kundennummer", "Rechnungsdatum", "Menge", "Einzelpreis", "Rechnungs-Nr.", "Artikelnummer"],
    "French": ["N° client", "Date de commande", "Quantité", "Prix unitaire", "N° de commande", "Référence"],
    "Spanish": ["ID Cliente", "Fecha de pedido", "Cantidad", "Precio unitario", "Número pedido", "Código producto"],
    "Chinese": ["客户编号", "下单时间", "数量", "单价", "订单号", "商品编号"],
}


@pytest.mark.parametrize("language", NAMES)
def test_columns_are_known_by_name_in_five_languages(written: Written, language: str) -> None:
    names = NAMES[language]
    rows = [",".join(names), "c1,2024-01-31 10:00,2,9.95,r1,p1", "c2,2024-02-01 10:00,1,5.25,r2,p2"]
    draft, content = drafted(written("x.csv", rows))
    canonical = ["customer_id", "occurred_at", "quantity", "unit_price", "transaction_id", "product_id"]
    assert content["tables"]["transactions"]["columns"] == dict(zip(canonical, names, strict=True))
    assert not doubts_on(draft, "transactions")


def test_every_table_is_known_and_files_make_one_dataset(written: Written) -> None:
    files = [
        written("kunden.csv", ["Kunden-Nr,Region,Segment", *(f"{n},Nord{n % 2},s{n % 3}" for n in range(9))]),
        written("orders.csv", lines(["2024-01-31", "2024-02-01"])),
        written("tickets.csv", ["number,caller_id,sys_created_on,resolved_at,urgency", *(f"I{n},{n % 4},2024-01-31 10:00,2024-02-01 10:00,high" for n in range(9))]),
        written("mailing.csv", ["client id,campaign,sent on,control", *(f"{n},spring,2024-01-31,{'yes' if n % 2 else 'no'}" for n in range(9))]),
    ]  # fmt: skip
    _, content = drafted(*files)
    columns = {table: source["columns"] for table, source in content["tables"].items()}
    assert list(columns) == ["customers", "transactions", "service_cases", "contacts"]
    assert columns["customers"] == {"customer_id": "Kunden-Nr", "region": "Region", "segment": "Segment"}
    assert columns["service_cases"] == {
        "case_id": "number", "customer_id": "caller_id", "opened_at": "sys_created_on", "resolved_at": "resolved_at", "priority": "urgency"
    }  # fmt: skip
    assert columns["contacts"] == {
        "customer_id": "client id",
        "campaign_id": "campaign",
        "sent_at": "sent on",
        "is_control": "control",
    }


def test_a_name_whose_content_does_not_fit_is_not_taken(written: Written) -> None:
    rows = ["customer_id,order_date,amount,order_total", "c1,2024-01-31,low,5.5", "c2,2024-01-31,high,6.5"]
    draft, content = drafted(written("sales.csv", rows))
    assert content["tables"]["transactions"]["columns"]["amount"] == "order_total"
    rows = ["customer_id,order_date,amount", "c1,2024-01-31,low", "c2,2024-01-31,high"]
    draft, content = drafted(written("other_sales.csv", rows))
    assert doubts_on(draft, "'amount' sounds like it, but holds values that are no numbers")


def test_two_columns_for_one_meaning_are_doubted(written: Written) -> None:
    rows = ["customer_id,order_date,total_amount,net_amount", "c1,2024-01-31,5.5,4.5", "c2,2024-01-31,6.5,5.5"]
    draft, _ = drafted(written("sales.csv", rows))
    assert doubts_on(draft, "'total_amount' is taken; it could be 'net_amount' too")
    assert "# unsure: or 'net_amount'" in draft.text


def test_required_columns_not_found_are_to_be_filled_in(written: Written) -> None:
    rows = ["customer_id,shipped,amount", "c1,2024-01-31,5.5", "c2,2024-02-01,6.5", "c1,2024-02-01,6.5"]
    draft, content = drafted(written("sales.csv", rows))
    assert list(content["tables"]["transactions"]["columns"]) == ["customer_id", "amount"]
    assert "# occurred_at:" in draft.text
    assert "FILL IN: when; could be 'shipped'" in draft.text
    assert doubts_on(draft, "transactions.occurred_at: no column")


def test_a_file_of_unknown_names_is_doubted_as_a_whole(written: Written) -> None:
    draft, _ = drafted(written("x.csv", ["who,when it was,how much", "a,2024-01-31,5.5", "b,2024-01-31,6.5"]))
    assert doubts_on(draft, "not surely recognised as any table")
    assert draft.text.count("FILL IN: ") == 3


def test_a_price_without_a_quantity_is_the_amount_and_doubted(written: Written) -> None:
    rows = ["customer_id,order_date,price", "c1,2024-01-31,5.5", "c2,2024-01-31,6.5"]
    draft, content = drafted(written("sales.csv", rows))
    assert content["tables"]["transactions"]["columns"]["amount"] == "price"
    assert doubts_on(draft, "no quantity")


def test_names_are_read_without_spaces_around_them(written: Written) -> None:
    rows = lines(["2024-01-31", "2024-02-01"])
    rows[0] = " customer_id,order_date , amount "
    path = written("sales.csv", rows)
    draft, _ = drafted(path)
    write_draft(draft, target(path))
    assert open_dataset("shop").row_counts() == {"transactions": 2}


def test_direct_identifiers_stay_out_with_a_comment(written: Written) -> None:
    header = "Customer No,Full Name,E-Mail,Phone,Date of Birth,Tier"
    rows = [f"{n},Ann Smith{n},a{n}@x.org,+44 20 7946 {n:04d},1980-01-{n + 1:02d},t{n % 2}" for n in range(20)]
    draft, content = drafted(written("customers.csv", [header, *rows]))
    assert content["tables"]["customers"]["columns"] == {"customer_id": "Customer No", "tier": "Tier"}
    comment = next(line for line in draft.text.splitlines() if "identify people" in line)
    assert all(name in comment for name in ("Full Name", "E-Mail", "Phone", "Date of Birth"))
    assert "a1@x.org" not in draft.text


def test_satisfaction_beyond_five_is_not_taken(written: Written) -> None:
    rows = ["ticket id,customer id,opened at,csat", *(f"t{n},c{n % 3},2024-01-31 10:00,{n}" for n in range(11))]
    draft, content = drafted(written("tickets.csv", rows))
    assert "satisfaction" not in content["tables"]["service_cases"]["columns"]
    assert doubts_on(draft, "outside 1 to 5")


def test_a_log_of_events_becomes_one_row_a_case(written: Written) -> None:
    rows = ["number,caller_id,opened_at,priority,resolved_at,updated_at"]
    rows += [
        f"I{n},c{n},2024-01-31 10:00,{step},2024-02-0{step} 10:00,2024-02-0{step} 11:00"
        for n in range(5)
        for step in (1, 2, 3)
    ]
    draft, content = drafted(written("incidents.csv", rows))
    query = content["tables"]["service_cases"]["query"]
    assert 'arg_min_null("priority", event_order)' in query
    assert 'arg_max_null("resolved_at", event_order)' in query
    assert 'TRY_CAST("updated_at" AS TIMESTAMP) AS event_order' in query
    assert doubts_on(draft, "3.0 rows a case")


# Cleaning


def test_rules_are_proposed_by_what_is_seen(written: Written) -> None:
    rows = [
        HEADER + ",channel",
        "c1,2024-01-31,5.50,Web",
        "c1,2024-01-31,5.50,Web",
        "?,2024-01-31,7.50,web",
        "c2,2024-02-01,-5.50,shop",
    ]
    rows += [f"c{n},2024-02-02,{n}.25,shop" for n in range(9)]
    _, content = drafted(written("sales.csv", rows))
    source = content["tables"]["transactions"]
    assert source["format"]["missing"] == ["?", ""]
    assert source["cleaning"]["drop_exact_duplicates"] == {}
    assert source["cleaning"]["drop_missing_customers"] == {}
    assert source["cleaning"]["returns"] == "net"
    assert source["cleaning"]["spelling"] == {"channel": "fold"}


def test_clean_data_get_no_rules(written: Written) -> None:
    _, content = drafted(written("sales.csv", lines(["2024-01-31", "2024-02-01"])))
    assert "cleaning" not in content["tables"]["transactions"]


def test_na_is_missing_among_numbers_and_a_label_elsewhere(written: Written) -> None:
    rows = [
        "customer_id,order_date,amount,category",
        "c1,2024-01-31,NA,NA",
        "c2,2024-01-31,5.5,EU",
        "c3,2024-01-31,6.5,APAC",
    ]
    _, content = drafted(written("sales.csv", rows))
    assert content["tables"]["transactions"]["format"]["missing"] == ["NA", ""]
    rows[1] = "c1,2024-01-31,1.5,NA"
    _, content = drafted(written("more_sales.csv", rows))
    assert "missing" not in content["tables"]["transactions"]["format"]


# Kinds of files


def test_parquet_keeps_its_types(written: Written, workspace: Path) -> None:
    path = workspace / "params" / "datasets" / "orders.parquet"
    times = pd.to_datetime(["2024-01-31 10:00", "2024-02-01 11:00"])
    pd.DataFrame({"Customer ID": [1, 2], "InvoiceDate": times, "Amount": [1.5, -2.5]}).to_parquet(path)
    _, content = drafted(path)
    source = content["tables"]["transactions"]
    assert source["columns"] == {"customer_id": "Customer ID", "occurred_at": "InvoiceDate", "amount": "Amount"}
    assert "format" not in source


def test_workbooks_name_the_sheet_they_are_read_from(workspace: Path) -> None:
    path = workspace / "params" / "datasets" / "orders.xlsx"
    orders = pd.DataFrame(
        {"Kunde": ["a", "b"], "Datum": pd.to_datetime(["2024-01-31", "2024-02-01"]), "Betrag": [1.5, 2.5]}
    )
    with pd.ExcelWriter(path) as book:
        pd.DataFrame().to_excel(book, sheet_name="Deckblatt", index=False)
        orders.to_excel(book, sheet_name="Daten", index=False)
    draft, content = drafted(path)
    source = content["tables"]["transactions"]
    assert source["format"] == {"sheet": "Daten"}
    assert source["columns"] == {"customer_id": "Kunde", "occurred_at": "Datum", "amount": "Betrag"}
    assert doubts_on(draft, "2 sheets")


@pytest.mark.parametrize("kind", ["json", "jsonl", "jsonl.gz"])
def test_json_is_read_as_a_list_and_by_lines(written: Written, kind: str) -> None:
    records = [
        {"customer_id": f"c{n % 3}", "order_date": "2024-01-31", "amount": n + 0.5, "items": [n]} for n in range(9)
    ]
    text = json.dumps(records) if kind == "json" else "\n".join(map(json.dumps, records))
    content = gzip.compress(text.encode()) if kind.endswith(".gz") else text
    _, content = drafted(written(f"orders.{kind}", content))
    assert content["tables"]["transactions"]["columns"] == {
        "customer_id": "customer_id",
        "occurred_at": "order_date",
        "amount": "amount",
    }


def test_packed_text_is_looked_into(written: Written) -> None:
    text = "\n".join(lines(["31.01.2024", "01.02.2024"]))
    packed = written("a.csv.gz", gzip.compress(text.encode()))
    _, content = drafted(packed)
    assert content["tables"]["transactions"]["format"]["dates"] == {"occurred_at": "%d.%m.%Y"}
    archive = packed.with_name("b.zip")
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("inside.csv", text)
    _, content = drafted(archive)
    assert content["tables"]["transactions"]["files"] == "b.zip"


def test_only_a_sample_is_read_and_pieces_from_further_in_count(written: Written) -> None:
    rows = [f"c{n % 997},{'01' if n < 170_000 else '31'}/01/2024,{n % 100}.50" for n in range(200_000)]
    draft, content = drafted(written("sales.csv", [HEADER, *rows]))
    assert content["tables"]["transactions"]["format"]["dates"] == {"occurred_at": "%d/%m/%Y"}
    assert not doubts_on(draft, "occurred_at")  # what proves the order stands near the end


# Several files and where they are


def test_files_with_the_same_columns_are_one_table(written: Written) -> None:
    files = [written(f"sales_{year}.csv", lines([f"{year}-01-31"])) for year in (2022, 2023, 2024)]
    _, content = drafted(*files)
    assert content["tables"]["transactions"]["files"] == "sales_202*.csv"
    written("sales_2021.csv", lines(["2021-01-31"]))
    _, content = drafted(*files)  # a pattern would now match one more
    assert content["tables"]["transactions"]["files"] == [path.name for path in files]


def test_files_that_look_like_the_same_table_with_other_columns_are_doubted(written: Written) -> None:
    full = written(
        "orders.csv", [HEADER + ",channel,product id", "c1,2024-01-31,5.5,web,p1", "c2,2024-01-31,5.5,shop,p2"]
    )
    draft, content = drafted(full, written("old_orders.csv", lines(["2024-01-31"])))
    assert content["tables"]["transactions"]["files"] == "orders.csv"
    assert doubts_on(draft, "old_orders.csv looks like transactions as well")


def test_files_that_share_a_key_are_told_how_to_be_joined(written: Written) -> None:
    orders = ["order_id,customer_id,order_date", *(f"o{n},c{n % 3},2024-01-31" for n in range(9))]
    items = ["order_id,product_id,price", *(f"o{n // 2},p{n % 4},{n}.50" for n in range(18))]
    draft, _ = drafted(written("orders.csv", orders), written("order_items.csv", items))
    assert doubts_on(draft, 'SELECT * FROM a JOIN b USING ("order_id")')


def test_an_address_is_offered_where_no_customer_is_found(written: Written) -> None:
    rows = ["Id,Email,Paid at,Total", *(f"{n},a{n % 4}@x.org,2024-01-31,{n}.50" for n in range(9))]
    draft, _ = drafted(written("shopify_orders.csv", rows))
    assert doubts_on(draft, "transactions.customer_id: no column")[0].endswith("could be 'Email', 'Id'.")


def test_same_files_written_differently_are_doubted(written: Written) -> None:
    rows = lines(["2024-01-31", "2024-01-31"])
    draft, _ = drafted(written("a.csv", rows), written("b.csv", [row.replace(",", ";") for row in rows]))
    assert doubts_on(draft, "differ in delimiter")


def test_paths_lead_back_to_the_files(written: Written, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = written("[old] sales.csv", lines(["2024-01-31"]))
    near, in_data = workspace / "near" / "sales.csv", workspace / "data" / "sales.csv"
    own_data = beside.parent / "data" / "sales.csv"
    for path in (near, in_data, own_data):
        path.parent.mkdir()
        path.write_bytes(beside.read_bytes())
    shown = {}
    for path in (beside, near, in_data, own_data):
        _, content = drafted_to(beside.with_name("x.yaml"), path)
        shown[path] = content["tables"]["transactions"]["files"]
        found = source_files(shown[path], dataset_file=beside.with_name("x.yaml"))
        assert [file.resolve() for file in found] == [path]
    assert list(shown.values())[1:] == ["../../near/sales.csv", "data/sales.csv", "./data/sales.csv"]


def test_a_home_folder_is_not_spelled_out(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "ann"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (home / "sales.csv").write_text("\n".join(lines(["2024-01-31"])))
    (home / "params").mkdir()
    draft, content = drafted_to(home / "params" / "x.yaml", home / "sales.csv")
    assert content["tables"]["transactions"]["files"] == "../sales.csv"
    assert str(home) not in draft.text


def drafted_to(to: Path, *files: Path) -> tuple[Draft, dict[str, Any]]:
    draft = draft_dataset(files, to=to)
    return draft, yaml.safe_load(draft.text)


# Faults


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty: 0 bytes"),
        ("blank.csv", b"\n\n\n", "no line with text"),
        ("names.csv", b"customer_id,order_date,amount\n", "column names and no rows"),
        ("numbers.csv", b"1,2024-01-31,5.5\n2,2024-02-01,6.5\n", "has no line of column names"),
        ("twice.csv", b"id,amount,amount\n1,2,3\n", "names 1 of its 3 columns twice: ['amount']"),
        ("binary.csv", bytes(range(256)) * 9, "control characters"),
        ("book.csv", b"PK\x03\x04 and more", "a zip archive or an Excel workbook"),
        ("cut.parquet", b"PAR1 and nothing more", "no whole Parquet file"),
        ("cut.xlsx", b"PK\x03\x04 and nothing more", "no whole Excel file"),
        ("cut.csv.gz", gzip.compress(b"id,amount\n" * 999, mtime=0)[:-20], "cannot be unpacked"),
        ("cut.zip", b"PK\x03\x04 and nothing more", "no whole zip archive"),
        ("text.json", b'"only a text"', "no list of records"),
        ("none.json", b"[]", "no list of records"),
    ],
)
def test_what_cannot_be_read_says_why(written: Written, name: str, content: bytes, message: str) -> None:
    path = written(name, content)
    with pytest.raises(SourceError, match=r"\w") as error:
        draft_dataset([path], to=target(path))
    assert message in str(error.value)
    assert name in str(error.value)


def test_missing_and_unknown_files_are_told_at_once(written: Written) -> None:
    good, odd = written("sales.csv", lines(["2024-01-31"])), written("letter.docx", b"x")
    with pytest.raises(ParamsError, match="2 of 3 files cannot be read") as error:
        draft_dataset([good, odd, good.with_name("gone.csv")], to=target(good))
    assert len(error.value.faults) == 2


def test_no_files_is_an_error(workspace: Path) -> None:
    with pytest.raises(ParamsError, match="No files are given"):
        draft_dataset([], to=workspace / "x.yaml")


@pytest.mark.parametrize(("name", "message"), [("x.txt", "ends in .yaml"), ("gone/x.yaml", "There is no folder")])
def test_a_target_that_cannot_be_is_refused(written: Written, workspace: Path, name: str, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        draft_dataset([written("sales.csv", lines(["2024-01-31"]))], to=workspace / name)


def test_an_existing_file_is_not_written_over(written: Written) -> None:
    path = written("sales.csv", lines(["2024-01-31"]))
    draft, _ = drafted(path)
    write_draft(draft, target(path))
    with pytest.raises(ParamsError, match="exists and is not written over"):
        write_draft(Draft("other", (), {}), target(path))
    assert target(path).read_text(encoding="utf-8") == draft.text
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["sales.csv", "shop.yaml"]
    with pytest.raises(ParamsError, match="exists"):
        draft_dataset([path], to=target(path))


def test_column_names_cannot_break_out_of_the_file(written: Written) -> None:
    odd = '"x: {a}\n  public: true #"'
    rows = [
        f"customer_id,order_date,amount,{odd},'y,# z",
        "c1,2024-01-31,€5.50,a,b,c",
        "c2,2024-01-31,€6.50,d,e,f",
        "c3,2024-01-31,€6.50,a,b,c",
    ]
    draft, content = drafted(written("sales.csv", rows))
    assert content["public"] is False
    assert "\n  public: true" not in draft.text
    assert content["tables"]["transactions"]["query"].startswith("SELECT * REPLACE")


def test_a_draft_is_the_same_again(written: Written) -> None:
    path = written("sales.csv", lines(["01/02/2024", "03/04/2024"]))
    assert drafted(path)[0].text == drafted(path)[0].text


# From files to an open dataset


def test_a_draft_opens_as_a_dataset(written: Written) -> None:
    orders = ["Kundennummer;Bestelldatum;Betrag (EUR);Kanal;Notiz"]
    orders += [f"K{n % 7};{n % 28 + 1:02d}.01.2024 10:15;€ {n}.{n:03d},50;Tür;x" for n in range(1, 50)]
    cases = ["ticket_id\tKunde\tcreated\tclosed\tcsat\tsla met"]
    cases += [
        f"T{n}\tK{n % 7}\t{1704067200 + n * 86400}\t{1704067200 + n * 86400 + 5000}\t{n % 5 + 1}\t{'ja' if n % 2 else 'nein'}"
        for n in range(20)
    ]
    files = written("orders.csv", orders, encoding="cp1252"), written("tickets.tsv", cases)
    draft, _ = drafted(*files)
    write_draft(draft, target(files[0]))
    dataset = open_dataset("shop")
    assert dataset.row_counts() == {"transactions": 49, "service_cases": 20}
    assert (dataset.first_day, dataset.last_day) == (date(2024, 1, 1), date(2024, 1, 28))
    known = dataset.known(date(2024, 1, 28))
    total = known.query("SELECT CAST(sum(amount) AS DOUBLE) AS total FROM transactions")["total"][0]
    assert total == sum(n * 1000 + n + 0.5 for n in range(1, 50))
    assert known.query("SELECT count(*) AS n FROM service_cases WHERE sla_met")["n"][0] == 10


def test_the_shop_ledger_is_drafted(test_data: Path, workspace: Path) -> None:
    draft = draft_dataset([test_data / "online_retail_2009_2010.parquet"], to=workspace / "retail.yaml")
    source = yaml.safe_load(draft.text)["tables"]["transactions"]
    assert source["columns"] == {
        "customer_id": "Customer ID", "occurred_at": "InvoiceDate", "quantity": "Quantity", "unit_price": "Price",
        "transaction_id": "Invoice", "product_id": "StockCode",
    }  # fmt: skip
    assert {"drop_exact_duplicates", "drop_missing_customers", "returns", "zero_prices"} <= source["cleaning"].keys()


def test_the_event_log_is_drafted_as_one_row_a_case(test_data: Path, workspace: Path) -> None:
    to = workspace / "params" / "datasets" / "desk.yaml"
    draft = draft_dataset([test_data / "incident_event_log.zip"], to=to)
    source = yaml.safe_load(draft.text)["tables"]["service_cases"]
    assert source["format"]["dates"] == {"opened_at": "%d/%m/%Y %H:%M", "resolved_at": "%d/%m/%Y %H:%M"}
    assert (
        source["columns"] | {"sla_met": "made_sla", "case_id": "number", "customer_id": "caller_id"}
        == source["columns"]
    )
    assert "?" in source["format"]["missing"]
    write_draft(draft, to)
    assert read_dataset_file("desk")[0].name == "desk"
    assert open_dataset("desk").row_counts() == {"service_cases": 24_918}


def test_the_customers_of_a_telecom_are_drafted(test_data: Path, workspace: Path) -> None:
    draft = draft_dataset([test_data / "telco_customer_churn.csv"], to=workspace / "telco.yaml")
    source = yaml.safe_load(draft.text)["tables"]["customers"]
    assert source["columns"]["customer_id"] == "customerID"
    assert len(source["columns"]) == 21
    assert doubts_on(draft, "every report needs transactions or service_cases")


# What real exports do


def test_amounts_in_brackets_are_negative(written: Written) -> None:
    path = written("sales.csv", lines(["$1,234.50", "($20.00)", "-$3.00", "$7.25"] * 3, column="amount"))
    draft, content = drafted(path)
    assert content["tables"]["transactions"]["cleaning"]["returns"] == "net"
    write_draft(draft, target(path))
    known = open_dataset("shop").known(date(2024, 1, 31))
    told = known.query("SELECT DISTINCT amount FROM transactions ORDER BY amount")["amount"]
    assert [float(amount) for amount in told] == [-20.0, -3.0, 7.25, 1234.5]


def test_offsets_without_a_colon_are_read(written: Written) -> None:
    path = written("sales.csv", lines(["2024-01-31 10:00:00 +0100", "2024-02-01 11:00:00 +0100"]))
    draft, _ = drafted(path)
    write_draft(draft, target(path))
    known = open_dataset("shop").known(date(2024, 2, 1))
    assert known.query("SELECT max(occurred_at) AS last FROM transactions")["last"][0] == pd.Timestamp(
        "2024-02-01 11:00"
    )


def test_records_within_records_get_dotted_names(written: Written) -> None:
    records = [
        {"customer": {"id": n % 3}, "created_at": "2024-01-31", "total": {"amount": n + 0.5, "currency": "GBP"}}
        for n in range(9)
    ]
    _, content = drafted(written("orders.jsonl", "\n".join(map(json.dumps, records))))
    assert content["currency"] == "GBP"
    assert content["tables"]["transactions"]["columns"] == {
        "customer_id": "customer.id",
        "occurred_at": "created_at",
        "amount": "total.amount",
    }


def test_a_total_on_the_first_line_of_an_order_only_is_no_amount_of_a_line(written: Written) -> None:
    rows = ["Customer ID,Paid at,Created at,Total,Lineitem quantity,Lineitem price"]
    for n in range(9):
        rows += [f"c{n},2024-01-31,2024-01-30,30.50,1,10.50", f"c{n},,2024-01-30,,2,10.00"]
    _, content = drafted(written("orders_export.csv", rows))
    assert content["tables"]["transactions"]["columns"] == {
        "customer_id": "Customer ID",
        "occurred_at": "Created at",
        "quantity": "Lineitem quantity",
        "unit_price": "Lineitem price",
    }


def test_cases_without_an_outcome_are_doubted(written: Written) -> None:
    rows = ["Ticket ID,Requester ID,Created at,Solved at,Satisfaction Score"]
    rows += [f"{n},c{n % 3},2024-01-{1 + n:02d} 10:00,2024-02-01 10:00,{('Good', 'Bad')[n % 2]}" for n in range(9)]
    draft, _ = drafted(written("tickets.csv", rows))
    assert doubts_on(draft, "none of due_at, satisfaction, sla_met was found")
    assert "# satisfaction:" in draft.text
    assert "unsure: 'Satisfaction Score' sounds like it, but holds values that are no numbers" in draft.text


def test_copies_are_counted_as_the_rule_sees_them(written: Written) -> None:
    rows = ["Customer ID,Order Date,Amount,Line note"]
    rows += [f"c{n % 3},2024-01-31,{n}.50,note {n}" for n in range(9)]
    rows += [rows[1], "c1,2024-01-31,1.50,another note"]
    draft, _ = drafted(written("sales.csv", rows))
    assert (
        "2 of 11 rows looked at repeat another one in every column taken above, 1 of them in all columns" in draft.text
    )
