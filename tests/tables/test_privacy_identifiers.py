"""Columns that say who a person is are found by their name and by what stands in them; their false friends are not."""

import duckdb
import pytest

from crm_analysis.tables.engine import identifier
from crm_analysis.tables.privacy.identifiers import identifier_columns
from crm_analysis.tables.privacy.vocabulary import given_or_family, kind_by_name

NAMES = {
    "name": "FirstName first_name LASTNAME Kundenname Nachname Vorname full-name CUSTNAME CustomerName nom nombre_cliente "
    "nome_cliente apellidos prénom cognome achternaam 姓名 客户名称 氏名 contact_name agent_name company_name geburtsname "
    "nom_du_client name_of_customer Ansprechpartner cardholder_name",
    "user name": "username user_name login Benutzername 用户名",
    "e-mail": "E-Mail email EMail EMAIL_ADDRESS customerEmail contact.email courriel correo_electronico 邮箱 电子邮件 email_id",
    "phone": "phone PhoneNumber téléphone telefon Telefonnummer teléfono telefone handy mobile_number tel fax 电话 手机号 "
    "customer_mobile contact_no",
    "address": "street Strasse Straße adresse address_line_1 billing_address Anschrift dirección indirizzo endereço calle rue "
    "straat 地址 hausnummer",
    "birth date": "dob geburtsdatum BirthDate date_of_birth Geburtstag birthday date_de_naissance fecha_nacimiento data_nascita "
    "data_de_nascimento geboortedatum 生日 出生日期",
    "national id": "ssn passport_no tax_id 身份证号 Steuernummer dni codice_fiscale SocialSecurityNumber",
    "iban": "iban Kontonummer customer_iban",
    "card": "credit_card_number CardNumber kreditkarte 信用卡号",
    "ip": "ip ip_address IPAddress",
}
FALSE_FRIENDS = (
    "product_name ProductName produktname productname campaign_name store_address store_name email_opt_in email_opens "
    "n_phone_calls phone_service PhoneService category_name filename FileName team_name city region country postcode zip "
    "address_city address_country mobile_app_opens birth_year Year_Birth geburtsort geburtsjahr birth_country has_phone "
    "is_email_verified email_domain nombre_producto nom_produit num_emails hostname brand_name headphones iphone streetwear "
    "产品名称 店铺地址 supplier_name name_length rename company age filialname dateiname phone_id address_id customer_city "
    "MultipleLines PaymentMethod StockCode Description caller_id opened_by assigned_to location product_name_lenght latitude "
    "customer_zip_code_prefix household_key last_login_days lineitem_name"
)


def identifiers_of(values, sql_type="VARCHAR", *, name="note", known=()):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE t ({identifier(name)} {sql_type})")
    connection.execute(f"INSERT INTO t SELECT unnest($1::VARCHAR[])::{sql_type}", [list(values)])
    return identifier_columns(connection, "t", columns={name: sql_type}, known=known).get(name)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names.split()])
def test_a_column_is_known_by_its_name(kind, name):
    assert kind_by_name(name) == kind


@pytest.mark.parametrize("name", FALSE_FRIENDS.split())
def test_a_false_friend_is_left_alone(name):
    assert kind_by_name(name) is None


@pytest.mark.parametrize(
    "change", [str.upper, str.title, lambda name: name.replace("_", " "), lambda name: f" {name}."]
)
def test_case_and_separators_make_no_difference(change):
    assert kind_by_name(change("customer_first_name")) == "name"
    assert kind_by_name(change("product_name")) is None


def test_given_and_family_names_are_paired_by_the_rest_of_their_names():
    assert given_or_family("billing_first_name") == ("given", "billing")
    assert given_or_family("BillingLastName") == ("family", "billing")
    assert given_or_family("full_name") is None


EMAILS = ["ann@example.com", "Bob <bob@example.org>", "c.d+e@mail.example.co.uk"]
CONTENT = {
    "e-mail": EMAILS,
    "phone": ["+49 171 1234567", "(555) 123-4567", "030/1234567", "13812345678"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"],
    "card": ["4111 1111 1111 1111", "5555555555554444", "378282246310005"],
    "national id": ["123-45-6789", "11010519491231002X"],
    "ip": ["192.168.0.1", "10.0.0.255"],
}


@pytest.mark.parametrize(("kind", "values"), CONTENT.items())
def test_a_column_is_known_by_its_content(kind, values):
    assert identifiers_of(values * 5) == kind


@pytest.mark.parametrize(
    "values",
    [
        ["12.50", "1,234.56", "99", "1000000000"],
        ["2017-12-31", "2011-12-09 08:26:00", "31.12.2017", "12/31/2017"],
        ["536365", "C536379", "85123A", "27601281299"],
        ["1.2.3", "10.0.19045.3693", "v2"],
        ["4111111111111112", "1234567890123"],
        ["0012345678905", "041000012345"],
        ["Please write to ann@example.com, she knows all there is to know about this order"],
        ["", "  "],
    ],
)
def test_amounts_dates_codes_and_free_text_are_no_identifiers(values):
    assert identifiers_of(values) is None


def test_a_fifth_of_addresses_is_enough_and_less_is_not():
    assert identifiers_of(["ann@example.com"] * 20 + ["by post"] * 80) == "e-mail"
    assert identifiers_of(["ann@example.com"] * 19 + ["by post"] * 81) is None


def test_nulls_and_order_do_not_count():
    values = ["ann@example.com"] * 3 + ["by post"] * 7
    assert identifiers_of([*values, *[None] * 50_000]) == identifiers_of([None] * 50_000 + values[::-1]) == "e-mail"


def test_addresses_at_the_end_of_a_long_table_are_found():
    assert identifiers_of(["by post"] * 60_000 + ["ann@example.com"] * 40_000) == "e-mail"


@pytest.mark.parametrize(
    ("name", "sql_type", "values", "kind"),
    [
        ("phone", "VARCHAR", ["yes", "no", "yes"], None),
        ("phone", "BIGINT", ["1", "2", "0"], None),
        ("phone", "BIGINT", ["15551234567", "15551234568"], "phone"),
        ("phone", "DOUBLE", ["15551234567", None], "phone"),
        ("phone", "VARCHAR", ["iPhone 13", "Pixel 9"], None),
        ("email", "BOOLEAN", ["true", "false"], None),
        ("email", "BIGINT", ["3", "4"], None),
        ("passport", "BIGINT", ["1", "0"], None),
        ("name", "VARCHAR", ["#1001", "#1002"], None),
        ("name", "VARCHAR", ["Ann Lee", "Bob"], "name"),
        ("name", "VARCHAR", [None], "name"),
        ("dob", "DATE", ["1980-02-29"], "birth date"),
        ("dob", "VARCHAR", ["29.02.1980"], "birth date"),
        ("birth", "BIGINT", ["1980", "1975"], None),
        ("email", "TIMESTAMP", ["2017-12-31"], None),
        ("bought_on", "DATE", ["1980-02-29"], None),
        ("paid_with", "BIGINT", ["4111111111111111", "5555555555554444"], "card"),
        ("n", "BIGINT", ["4111111111111112", "1234567890123"], None),
        ("contact", "STRUCT(mail VARCHAR, since DATE)", ["{'mail': 'ann@example.com', 'since': 2017-12-31}"], "e-mail"),
    ],
)
def test_the_content_may_contradict_the_name(name, sql_type, values, kind):
    assert identifiers_of(values, sql_type, name=name) == kind


def test_canonical_columns_are_judged_by_content_and_ids_and_texts_not_at_all():
    known = {"region", "customer_id", "text", "name"}
    assert identifiers_of(EMAILS, name="region", known=known) == "e-mail"
    assert identifiers_of(EMAILS, name="customer_id", known=known) is None
    assert identifiers_of(EMAILS, name="text", known=known) is None
    assert identifiers_of(["Ann Lee"], name="name", known=known) is None
    assert identifiers_of(EMAILS, name="member_id", known=()) == "e-mail"


def test_first_and_last_are_names_only_together():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT 'Ann' AS first, 'Lee' AS last, 'Ann' AS \"odd \"\"name\"\"\"")
    columns = {"first": "VARCHAR", "last": "VARCHAR"}
    assert identifier_columns(connection, "t", columns=columns, known=()) == {"first": "name", "last": "name"}
    assert identifier_columns(connection, "t", columns={"first": "VARCHAR"}, known=()) == {}
    assert identifier_columns(connection, "t", columns={'odd "name"': "VARCHAR"}, known=()) == {'odd "name"': "name"}


def test_an_empty_table_and_no_columns_are_judged_by_name():
    assert identifiers_of([], name="email") == "e-mail"
    assert identifiers_of([], name="region") is None
    assert identifier_columns(duckdb.connect(), "nothing", columns={}, known=()) == {}
