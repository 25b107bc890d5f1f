"""Each rule does what its name says and no more, and every row and cent that it touches stands in the ledger."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from crm_analysis.errors import DataQualityError, ParamsError
from crm_analysis.tables.cleaning import Cleaned, CleaningContext, LedgerLine, check_rules, clean, mapping_files
from crm_analysis.tables.cleaning.ledger import MONEY
from crm_analysis.tables.cleaning.rules import RULES
from crm_analysis.tables.engine import identifier, literal
from crm_analysis.tables.schema import CANONICAL, SQL_TYPES, kind_of

LONDON = CleaningContext("GBP", ("Europe/London", "Europe/London"))
EXTRA = {"status": "VARCHAR", "currency": "VARCHAR", "zone": "VARCHAR", "updated_at": "TIMESTAMP"}


def at(text: str) -> datetime:
    """Return a time as tables hold it: naive."""
    return datetime.fromisoformat(text)


class Bench:
    """A catalogue with one relation `given`, made from rows that name only what matters."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("CREATE SCHEMA work")

    def give(self, table: str, *rows: dict[str, object], private: bool = True) -> None:
        declared = {name: SQL_TYPES[kind_of(column)] for name, column in CANONICAL[table].columns.items()} | EXTRA
        if private:
            declared |= {"_unreadable": "VARCHAR[]", "_clear_customer_id": "VARCHAR"}
        columns = ", ".join(f'"{name}" {sql_type}' for name, sql_type in declared.items())
        self.table = table
        self.connection.execute(f"CREATE OR REPLACE TABLE given ({columns})")
        values = [row.get(name, default(table, name)) for row in rows for name in declared]
        if values:
            line = f"({', '.join('?' * len(declared))})"
            self.connection.execute(f"INSERT INTO given VALUES {', '.join([line] * len(rows))}", values)

    def clean(self, rules: dict[str, object], context: CleaningContext = LONDON) -> Cleaned:
        check_rules(rules, table=self.table)
        return clean(self.connection, self.table, rules, relation="given", schema="work", context=context)

    def left(self, cleaned: Cleaned, columns: str) -> list[object]:
        rows = self.connection.execute(f"SELECT {columns} FROM {cleaned.relation}").fetchall()
        return sorted((row[0] if len(row) == 1 else row for row in rows), key=repr)

    def stages(self) -> list[str]:
        sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'work'"
        return [row[0] for row in self.connection.execute(sql).fetchall()]

    def merged(self, *pairs: tuple[object, ...]) -> CleaningContext:
        clear = ", _clear_merged_into VARCHAR" if pairs and len(pairs[0]) == 3 else ""
        self.connection.execute(f"CREATE OR REPLACE TABLE merged (customer_id VARCHAR, merged_into VARCHAR{clear})")
        self.connection.executemany(f"INSERT INTO merged VALUES ({', '.join('?' * len(pairs[0]))})", pairs)
        return CleaningContext("GBP", LONDON.zones, merged="merged")


def default(table: str, name: str) -> object:
    if name == "customer_id":
        return "ann"
    if name == "amount":
        return Decimal(1)
    if name == "case_id":
        return "1"
    return at("2024-01-05 10:00") if name == CANONICAL[table].metadata["dated_by"] else None


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.connection.close()


def only(cleaned: Cleaned) -> LedgerLine:
    assert len(cleaned.ledger) == 1
    return cleaned.ledger[0]


def figures(line: LedgerLine) -> tuple[object, ...]:
    rows = (line.rows_before, line.rows_dropped, line.rows_changed, line.rows_after)
    return (*rows, line.amount_before, line.amount_dropped, line.amount_changed, line.amount_after)


# The ledger and the stages


def test_a_line_counts_rows_and_money_by_hand(bench: Bench) -> None:
    bench.give(
        "transactions", {"amount": Decimal("5.10")}, {"customer_id": None, "amount": Decimal("2.05")}, {"amount": -1}
    )
    line = only(bench.clean({"drop_missing_customers": {}}))
    assert figures(line) == (3, 1, 0, 2, Decimal("6.15"), Decimal("2.05"), 0, Decimal("4.1"))
    assert (line.table, line.rule) == ("transactions", "drop_missing_customers")


def test_rows_without_a_value_are_left_out_with_their_money(bench: Bench) -> None:
    whole, without_category = {"amount": Decimal(5), "category": "x"}, {"amount": Decimal(2), "category": None}
    bench.give("transactions", whole, without_category, {"amount": None, "category": "x"})
    line = only(bench.clean({"drop_missing_values": {"columns": ["category", "amount"]}}))
    assert figures(line) == (3, 2, 0, 1, Decimal(7), Decimal(2), 0, Decimal(5))
    assert line.detail == "rows without a value in category or amount are left out"


def test_a_line_that_does_not_reconcile_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="does not reconcile: 2 rows and 3 should be left, but 2 rows and 4 are"):
        LedgerLine("contacts", "currency", "", 2, 0, 1, 2, Decimal(2), Decimal(0), Decimal(1), Decimal(4))


def test_rules_apply_in_their_order_and_each_begins_where_the_last_ended(bench: Bench) -> None:
    twice = {"customer_id": None, "amount": 2}
    bench.give("transactions", twice, twice, {"amount": 7})
    first = bench.clean({"drop_exact_duplicates": {}, "drop_missing_customers": {}}).ledger
    assert [line.rows_dropped for line in first] == [1, 1]
    second = bench.clean({"drop_missing_customers": {}, "drop_exact_duplicates": {}}).ledger
    assert [line.rows_dropped for line in second] == [2, 0]
    assert [line.amount_before for line in second] == [11, 7]


def test_what_came_in_stays_and_one_stage_is_left(bench: Bench) -> None:
    bench.give("transactions", {}, {}, {"customer_id": None}, {"amount": -3}, {"category": "a"}, {"category": "A"})
    before = bench.connection.execute("FROM given ORDER BY ALL").fetchall()
    rules = {
        "drop_exact_duplicates": {},
        "drop_missing_customers": {},
        "spelling": {"category": "fold"},
        "returns": "drop",
    }
    cleaned = bench.clean(rules)
    assert bench.connection.execute("FROM given ORDER BY ALL").fetchall() == before
    assert [f'"work"."{name}"' for name in bench.stages()] == [cleaned.relation]
    assert cleaned.relation.startswith('"work"."transactions__')
    assert bench.clean(rules).relation != cleaned.relation  # a second time finds another name


def test_rules_that_touch_nothing_are_in_the_ledger_and_write_nothing(bench: Bench) -> None:
    bench.give("transactions", {"unit_price": 1, "quantity": 1, "currency": "GBP", "category": "a"})
    cleaned = bench.clean(
        {
            "drop_exact_duplicates": {},
            "drop_missing_customers": {},
            "unreadable_values": "null",
            "returns": "net",
            "cancelled_invoices": {"prefix": "C"},
            "non_product_lines": {"product_ids": ["POST"]},
            "zero_prices": "drop",
            "negative_prices": "drop",
            "impossible_dates": {"earliest": date(2000, 1, 1)},
            "time_zone": "Europe/London",
            "currency": {"column": "currency", "rates": {"EUR": 0.9}},
            "outliers": {"column": "amount", "treatment": "winsorise"},
            "spelling": {"category": "fold"},
        }
    )
    assert cleaned.relation == "given"
    assert bench.stages() == []
    assert len(cleaned.ledger) == 13
    assert all(figures(line) == (1, 0, 0, 1, 1, 0, 0, 1) for line in cleaned.ledger)


def test_a_rule_that_fails_leaves_no_stage_behind(bench: Bench) -> None:
    bench.give("transactions", {}, {"customer_id": None})
    with pytest.raises(DataQualityError):
        bench.clean({"drop_missing_customers": {}, "currency": {"column": "currency", "rates": {"EUR": 1.1}}})
    assert bench.stages() == []


def test_no_name_of_a_further_column_disturbs_a_rule(bench: Bench) -> None:
    names = [
        "t",
        "m",
        "m0",
        "r",
        "s",
        "z",
        "code",
        "rate",
        "old",
        "new",
        "n",
        "hashed",
        "written",
        "name",
        "order",
        'a"b',
    ]
    bench.give("transactions", *[{"currency": code, "category": "a"} for code in ("EUR", "EUR", "GBP")])
    plain = bench.clean(RANDOM_RULES, bench.merged(("ann", "bob"))).ledger
    further = ", ".join(f"'v' AS {identifier(name)}" for name in names)
    bench.connection.execute(f"CREATE OR REPLACE TABLE given AS SELECT *, {further} FROM given")
    assert bench.clean(RANDOM_RULES, bench.merged(("ann", "bob"))).ledger == plain


@pytest.mark.parametrize("table", ["customers", "service_cases", "contacts"])
def test_tables_without_amounts_have_none_and_costs_are_money(bench: Bench, table: str) -> None:
    bench.give(table, {"cost": Decimal("0.5")}, {"customer_id": None})
    line = only(bench.clean({"drop_missing_customers": {}}))
    assert line.amount_before == (Decimal("0.5") if table == "contacts" else None)
    assert (line.rows_before, line.rows_after) == (2, 1)


def test_an_empty_relation_passes_every_rule(bench: Bench) -> None:
    bench.give("transactions")
    rules = {
        "drop_exact_duplicates": {},
        "outliers": {"column": "amount", "treatment": "flag"},
        "time_zone": {"column": "zone"},
        "currency": {"column": "currency", "rates": {"EUR": 2}},
        "spelling": {"category": "fold"},
    }
    assert [figures(line) for line in bench.clean(rules).ledger] == [(0, 0, 0, 0, 0, 0, 0, 0)] * 5


def test_sums_beyond_eighteen_digits_do_not_overflow(bench: Bench) -> None:
    most = Decimal("99999999999999.9999")
    bench.give("transactions", *[{"amount": most, "category": str(number)} for number in range(50)], {"amount": most})
    line = only(bench.clean({"drop_exact_duplicates": {}}))
    assert line.amount_after == 51 * most


def test_random_tables_reconcile_to_the_cent_and_do_not_depend_on_row_order(bench: Bench) -> None:
    rng = random.Random(7)  # noqa: S311 - test data
    for _ in range(4):
        rows = [random_line(rng) for _ in range(rng.randint(1, 60))]
        rows += rng.choices(rows, k=10)
        rules = dict(rng.sample(list(RANDOM_RULES.items()), len(RANDOM_RULES)))
        bench.give("transactions", *rows)
        context = bench.merged(("ann", "bob"), ("bob", "cid"))
        cleaned = bench.clean(rules, context)
        check_against_the_tables(bench, cleaned)
        left = bench.left(cleaned, "* EXCLUDE (_unreadable)")
        bench.give("transactions", *rng.sample(rows, len(rows)))
        again = bench.clean(rules, context)
        assert again.ledger == cleaned.ledger
        assert bench.left(again, "* EXCLUDE (_unreadable)") == left


RANDOM_RULES: dict[str, object] = {
    "drop_exact_duplicates": {},
    "drop_missing_customers": {},
    "drop_missing_values": {"columns": ["category"]},
    "unreadable_values": "null",
    "returns": "drop",
    "cancelled_invoices": {"column": "status", "values": ["cancelled"]},
    "non_product_lines": {"pattern": "^POST"},
    "zero_prices": "drop",
    "negative_prices": "drop",
    "impossible_dates": {"earliest": date(2024, 1, 3)},
    "time_zone": "America/New_York",
    "currency": {"column": "currency", "rates": {"EUR": 0.8333, "USD": 0.77}},
    "outliers": {"column": "amount", "treatment": "winsorise", "share": 0.1},
    "spelling": {"category": "fold"},
    "merge_customers": {"files": "merged.csv", "from": "old", "to": "new"},
}


def random_line(rng: random.Random) -> dict[str, object]:
    return {
        "customer_id": rng.choice(["ann", "bob", "cid", None]),
        "amount": Decimal(rng.randint(-3000, 9000)) / 1000,
        "quantity": rng.choice([None, -1, 1, 2]),
        "unit_price": rng.choice([None, 0, 1, Decimal("1.5")]),
        "product_id": rng.choice([None, "POST", "P1"]),
        "category": rng.choice([None, "toys", "Toys", " toys "]),
        "status": rng.choice([None, "cancelled", "sent"]),
        "currency": rng.choice(["EUR", "usd ", "GBP"]),
        "occurred_at": at(f"2024-01-{rng.randint(1, 6):02d} {rng.randint(0, 23):02d}:00"),
        "_unreadable": rng.choice([None, ["quantity: three"], ["amount: x", "discount: y"]]),
    }


def check_against_the_tables(bench: Bench, cleaned: Cleaned) -> None:
    before = bench.connection.execute("SELECT count(*), sum(amount) FROM given").fetchone()
    after = bench.connection.execute(f"SELECT count(*), coalesce(sum(amount), 0) FROM {cleaned.relation}").fetchone()
    first, last = cleaned.ledger[0], cleaned.ledger[-1]
    assert (first.rows_before, first.amount_before) == before
    assert (last.rows_after, last.amount_after) == after
    for line, following in zip(cleaned.ledger, cleaned.ledger[1:], strict=False):
        assert (line.rows_after, line.amount_after) == (following.rows_before, following.amount_before)
    assert before[0] - sum(line.rows_dropped for line in cleaned.ledger) == after[0]
    moved = sum((line.amount_changed or 0) - (line.amount_dropped or 0) for line in cleaned.ledger)
    assert before[1] + moved == after[1]


def test_rows_that_were_not_given_change_nothing(bench: Bench) -> None:
    early = [{"amount": number, "category": "Toys"} for number in range(1, 11)]
    rules = {"spelling": {"category": "fold"}, "outliers": {"column": "amount", "treatment": "winsorise", "share": 0.1}}
    bench.give("transactions", *early)
    bench.connection.execute("CREATE VIEW known AS SELECT * FROM given WHERE occurred_at < '2024-02-01'")
    alone = bench.left(bench.clean(rules), "amount, category")
    late = {"occurred_at": at("2024-03-01"), "category": "TOYS", "amount": 1000}
    bench.connection.execute("DROP VIEW known")
    bench.give("transactions", *early, *[late] * 20)
    bench.connection.execute("CREATE VIEW known AS SELECT * FROM given WHERE occurred_at < '2024-02-01'")
    with_later = clean(bench.connection, "transactions", rules, relation="known", schema="work", context=LONDON)
    assert bench.left(with_later, "amount, category") == alone


# Rows


def test_duplicates_are_equal_in_every_column_and_nulls_are_equal(bench: Bench) -> None:
    row = {"product_id": None, "_unreadable": ["quantity: x"], "_clear_customer_id": "7"}
    bench.give("transactions", row, row, row, {**row, "_unreadable": None}, {**row, "amount": Decimal("1.0001")})
    cleaned = bench.clean({"drop_exact_duplicates": {}})
    assert figures(only(cleaned)) == (5, 2, 0, 3, Decimal("5.0001"), 2, 0, Decimal("3.0001"))
    assert len(bench.left(cleaned, "amount, _unreadable")) == 3


def test_of_one_key_the_last_row_stays_whatever_the_order(bench: Bench) -> None:
    rows = [
        {"customer_id": "ann", "region": "old", "updated_at": at("2024-01-01")},
        {"customer_id": "ann", "region": "new", "updated_at": at("2024-02-01")},
        {"customer_id": "ann", "region": "undated"},
        {"customer_id": "bob", "region": "b", "updated_at": at("2024-01-01")},
        {"customer_id": "bob", "region": "a", "updated_at": at("2024-01-01")},
        {"customer_id": None, "region": "x"},
        {"customer_id": None, "region": "x"},
    ]
    kept = [("ann", "new"), ("bob", "a"), (None, "x"), (None, "x")]
    for order in (rows, rows[::-1]):
        bench.give("customers", *order)
        cleaned = bench.clean({"one_row_per_key": {"by": "updated_at"}})
        assert bench.left(cleaned, "customer_id, region") == sorted(kept, key=repr)
        assert only(cleaned).rows_dropped == 3
    first = bench.clean({"one_row_per_key": {"by": "updated_at", "keep": "first"}})
    assert ("ann", "old") in bench.left(first, "customer_id, region")


def test_unreadable_values_are_dropped_or_accepted_unless_required(bench: Bench) -> None:
    marked = [{"_unreadable": ["quantity: three"]}, {"_unreadable": ["amount: x", "discount: y"], "amount": None}, {}]
    bench.give("transactions", *marked)
    assert only(bench.clean({"unreadable_values": "drop"})).rows_dropped == 2
    accepted = bench.clean({"unreadable_values": "null"})
    assert only(accepted).rows_changed == 2
    assert bench.left(accepted, "_unreadable") == [None, None, ["amount: x"]]
    bench.give("transactions", {}, private=False)
    assert only(bench.clean({"unreadable_values": "drop"})).detail == "there are no unreadable values"


# Purchases


@pytest.mark.parametrize("treatment", ["net", "keep"])
def test_returns_count_on_their_own_date_and_are_told(bench: Bench, treatment: str) -> None:
    bench.give("transactions", {"amount": 10}, {"amount": Decimal("-2.5")})
    cleaned = bench.clean({"returns": treatment})
    assert cleaned.relation == "given"
    assert only(cleaned).detail.startswith("returns (1, -2.50 GBP) count on their own dates")


def test_returns_can_be_left_out(bench: Bench) -> None:
    bench.give("transactions", {"amount": 10}, {"amount": Decimal("-2.5")}, {"amount": 0}, {"amount": None})
    assert figures(only(bench.clean({"returns": "drop"}))) == (4, 1, 0, 3, Decimal("7.5"), Decimal("-2.5"), 0, 10)


def test_cancelled_invoices_are_told_by_their_number_or_a_column(bench: Bench) -> None:
    bench.give(
        "transactions", {"transaction_id": "C1"}, {"transaction_id": "1C"}, {"transaction_id": None, "status": "true"}
    )
    assert bench.left(bench.clean({"cancelled_invoices": {"prefix": "C"}}), "transaction_id") == ["1C", None]
    by_column = bench.clean({"cancelled_invoices": {"column": "status", "values": [True]}})
    assert bench.left(by_column, "transaction_id") == ["1C", "C1"]
    kept = only(bench.clean({"cancelled_invoices": {"prefix": "C", "treatment": "keep"}}))
    assert kept.rows_dropped == 0
    assert kept.detail.startswith("kept: lines of cancelled invoices: their number begins with 'C' (1, 1.00 GBP)")


def test_a_prefix_with_quotes_and_wildcards_is_only_text(bench: Bench) -> None:
    bench.give("transactions", {"transaction_id": "%'1"}, {"transaction_id": "X1"})
    assert bench.left(bench.clean({"cancelled_invoices": {"prefix": "%'"}}), "transaction_id") == ["X1"]


def test_lines_of_no_product_are_told_by_id_or_pattern(bench: Bench) -> None:
    bench.give(
        "transactions", *[{"product_id": product} for product in ("POST", "M", "BANK CHARGES", "85048", "AM", None)]
    )
    rules = {"non_product_lines": {"product_ids": ["POST", "M"], "pattern": "^BANK"}}
    assert bench.left(bench.clean(rules), "product_id") == ["85048", "AM", None]


PRICES = {
    "sale": {"quantity": 2, "unit_price": 3, "amount": 6},
    "return": {"quantity": -2, "unit_price": 3, "amount": -6},
    "gift": {"quantity": 2, "unit_price": 0, "amount": 0},
    "write-off": {"quantity": -2, "unit_price": 0, "amount": 0},
    "bad debt": {"quantity": 1, "unit_price": -50, "amount": -50},
    "free, no price": {"amount": 0},
    "credit, no price": {"quantity": 1, "amount": -5},
    "return, no price": {"quantity": -1, "amount": -5},
    "return, amount alone": {"amount": -5},
}


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("zero_prices", {"gift", "write-off", "free, no price"}),
        ("negative_prices", {"bad debt", "credit, no price"}),
    ],
)
def test_prices_are_judged_by_their_own_sign_so_that_a_return_has_none_of_these(
    bench: Bench, rule: str, dropped: set[str]
) -> None:
    bench.give("transactions", *[{"category": name} | values for name, values in PRICES.items()])
    assert bench.left(bench.clean({rule: "drop"}), "category") == sorted(set(PRICES) - dropped, key=repr)
    kept = bench.clean({rule: "keep"})
    assert only(kept).rows_dropped == 0
    assert f"({len(dropped)}, " in only(kept).detail
    assert kept.relation == "given"


# Times


def test_rows_dated_outside_are_dropped_and_both_ends_are_inside(bench: Bench) -> None:
    times = [
        at("1999-12-31 23:59"),
        at("2000-01-01"),
        at("2024-05-01 23:59"),
        at("2024-05-02"),
        None,
    ]
    bench.give("transactions", *[{"occurred_at": time} for time in times])
    cleaned = bench.clean({"impossible_dates": {"earliest": "2000-01-01", "latest": date(2024, 5, 1)}})
    assert bench.left(cleaned, "occurred_at") == sorted([times[1], times[2], None], key=repr)
    assert only(cleaned).detail == "rows dated before 2000-01-01 or after 2024-05-01 are left out"
    assert only(bench.clean({"impossible_dates": {"latest": date(9999, 12, 31)}})).rows_dropped == 0


def test_an_end_before_its_beginning_becomes_missing_with_what_was_known_by_it(bench: Bench) -> None:
    early, late = at("2024-01-05 09:00"), at("2024-01-05 11:00")
    bench.give(
        "service_cases",
        {"case_id": "1", "resolved_at": early, "satisfaction": 5, "sla_met": True, "due_at": late},
        {"case_id": "2", "resolved_at": late, "satisfaction": 4, "first_response_at": early},
        {"case_id": "3", "resolved_at": at("2024-01-05 10:00"), "satisfaction": 3},
    )
    cleaned = bench.clean({"impossible_dates": {}})
    assert (only(cleaned).rows_dropped, only(cleaned).rows_changed) == (0, 2)
    assert bench.left(cleaned, "case_id, resolved_at, satisfaction, sla_met, due_at, first_response_at") == [
        ("1", None, None, None, late, None),
        ("2", late, 4, None, None, None),
        ("3", at("2024-01-05 10:00"), 3, None, None, None),
    ]


def test_times_are_moved_from_the_zone_they_were_written_in(bench: Bench) -> None:
    bench.give("transactions", {"occurred_at": at("2024-07-01 00:30")}, {"occurred_at": None})
    cleaned = bench.clean({"time_zone": "Europe/Berlin"})
    assert bench.left(cleaned, "occurred_at") == sorted([at("2024-06-30 23:30"), None], key=repr)
    assert only(cleaned).rows_changed == 1


def test_the_move_at_landing_is_undone_first(bench: Bench) -> None:
    # Written 10:00 in Berlin, landed as if UTC into London's summer: 11:00. It was 09:00 in London.
    bench.give("transactions", {"occurred_at": at("2024-07-01 11:00")})
    cleaned = bench.clean({"time_zone": "Europe/Berlin"}, CleaningContext("GBP", ("UTC", "Europe/London")))
    assert bench.left(cleaned, "occurred_at") == [at("2024-07-01 09:00")]


def test_each_row_may_name_its_zone_and_days_stay(bench: Bench) -> None:
    noon, day = at("2024-01-05 12:00"), at("2024-01-09")
    bench.give(
        "service_cases",
        {"case_id": "1", "opened_at": noon, "due_at": day, "zone": "Asia/Tokyo"},
        {"case_id": "2", "opened_at": noon, "due_at": day, "zone": " Europe/London "},
    )
    cleaned = bench.clean({"time_zone": {"column": "zone"}})
    assert bench.left(cleaned, "opened_at, due_at") == [(noon, day), (at("2024-01-05 03:00"), day)]
    assert only(cleaned).rows_changed == 1


def test_unknown_zones_are_told_with_their_counts_and_not_by_name(bench: Bench) -> None:
    bench.give("transactions", {"zone": "Mrs Smith"}, {"zone": "Mrs Smith"}, {"zone": None}, {"zone": "UTC"})
    expected = r"of 4 rows, 1 name no zone in zone and 2 name one that is no IANA time zone \(1 different names\)"
    with pytest.raises(DataQualityError, match=expected) as caught:
        bench.clean({"time_zone": {"column": "zone"}})
    assert "Smith" not in str(caught.value)


def test_a_row_moved_past_the_last_known_moment_is_left_out(bench: Bench) -> None:
    context = CleaningContext("GBP", ("Europe/London", "Europe/London"), end=at("2024-01-06"))
    bench.give(
        "service_cases",
        {"case_id": "1", "opened_at": at("2024-01-05 20:00")},
        {
            "case_id": "2",
            "opened_at": at("2024-01-05 10:00"),
            "resolved_at": at("2024-01-05 20:00"),
            "satisfaction": 3,
        },
    )
    cleaned = bench.clean({"time_zone": "America/New_York"}, context)
    assert bench.left(cleaned, "case_id, opened_at, resolved_at, satisfaction") == [
        ("2", at("2024-01-05 15:00"), None, None)
    ]
    assert (only(cleaned).rows_dropped, only(cleaned).rows_changed) == (1, 1)


# Values


def test_outliers_are_drawn_to_a_quantile_of_their_own_sign(bench: Bench) -> None:
    bench.give("transactions", *[{"amount": amount} for amount in [*range(1, 11), *range(-10, 0), 0, None]])
    cleaned = bench.clean({"outliers": {"column": "amount", "treatment": "winsorise", "share": 0.1}})
    expected = [*range(1, 10), 9, -9, *range(-9, 0), 0, None]
    assert bench.left(cleaned, "CAST(amount AS INTEGER)") == sorted(expected, key=repr)
    line = only(cleaned)
    assert (line.rows_changed, line.amount_changed) == (2, 0)
    assert "values of amount above about 9 or below about -9 (the outermost 0.1 of each sign)" in line.detail


def test_outliers_are_flagged_and_none_is_dropped(bench: Bench) -> None:
    bench.give("transactions", *[{"quantity": float(n)} for n in range(1, 11)], {"quantity": float("nan")}, {})
    cleaned = bench.clean({"outliers": {"column": "quantity", "treatment": "flag", "share": 0.2}})
    flagged = bench.connection.execute(
        f"SELECT quantity FROM {cleaned.relation} WHERE is_outlier ORDER BY 1"
    ).fetchall()
    assert flagged == [(9.0,), (10.0,)]
    assert only(cleaned).rows_changed == 2
    assert None not in bench.left(cleaned, "is_outlier")


def test_with_a_small_share_of_few_rows_nothing_is_extreme(bench: Bench) -> None:
    bench.give("transactions", *[{"amount": n} for n in range(1, 101)])
    assert only(bench.clean({"outliers": {"column": "amount", "treatment": "winsorise"}})).rows_changed == 0


@pytest.mark.parametrize(("column", "message"), [("status", "holds no numbers"), ("amuont", "did you mean 'amount'")])
def test_a_column_of_no_numbers_is_refused(bench: Bench, column: str, message: str) -> None:
    bench.give("transactions", {})
    with pytest.raises(ParamsError, match=message):
        bench.clean({"outliers": {"column": column, "treatment": "flag"}})


def test_money_of_other_currencies_is_multiplied_and_rounded_half_away_from_zero(bench: Bench) -> None:
    bench.give(
        "transactions",
        {"amount": Decimal("10.0001"), "unit_price": Decimal("2.5"), "currency": "usd "},
        {"amount": Decimal("-10.0001"), "currency": "USD"},
        {"amount": Decimal("3.3333"), "currency": "GBP"},
        {"amount": None, "currency": None},
    )
    cleaned = bench.clean({"currency": {"column": "currency", "rates": {"USD": 0.5, "GBP": 1}}})
    assert set(bench.left(cleaned, "amount, unit_price, currency")) == {
        (Decimal("5.0001"), Decimal("1.2500"), "GBP"),
        (Decimal("-5.0001"), None, "GBP"),
        (Decimal("3.3333"), None, "GBP"),
        (None, None, None),
    }
    assert (only(cleaned).rows_changed, only(cleaned).amount_changed) == (2, 0)


def test_a_rate_is_exactly_what_is_written(bench: Bench) -> None:
    bench.give("contacts", {"cost": Decimal(90000000000000), "currency": "USD"})
    cleaned = bench.clean({"currency": {"column": "currency", "rates": {"USD": 0.000057123456}}})
    assert bench.left(cleaned, "cost") == [Decimal("5141111040.0000")]


def test_money_without_a_rate_is_told_with_counts(bench: Bench) -> None:
    bench.give("transactions", *[{"currency": c} for c in ("EUR", "EUR", None, "Mrs Smith", "GBP")])
    with pytest.raises(DataQualityError, match="4 of 5 rows have no rate") as caught:
        bench.clean({"currency": {"column": "currency", "rates": {"USD": 0.9}}})
    assert caught.value.faults == (
        "2 rows with EUR in currency",
        "1 rows with what is no currency code in currency",
        "1 rows with no currency in currency",
    )


def test_converted_money_that_is_too_large_is_told(bench: Bench) -> None:
    bench.give("transactions", {"amount": Decimal(90000000000000), "currency": "EUR"})
    with pytest.raises(DataQualityError, match="the money of 1 of 1 rows is too large"):
        bench.clean({"currency": {"column": "currency", "rates": {"EUR": 2}}})


def test_the_rate_of_the_own_currency_is_one(bench: Bench) -> None:
    bench.give("transactions", {"currency": "GBP"})
    with pytest.raises(ParamsError, match="GBP is the dataset's currency, so its rate is 1, got 2"):
        bench.clean({"currency": {"column": "currency", "rates": {"GBP": 2}}})


def test_listed_spellings_become_the_right_one(bench: Bench) -> None:
    bench.give("transactions", *[{"category": c} for c in ("books", "BOOK", "Books", "boOks", None)])
    cleaned = bench.clean({"spelling": {"category": {"Books": ["books", "BOOK"]}}})
    assert bench.left(cleaned, "category") == ["Books", "Books", "Books", "boOks", None]
    assert only(cleaned).rows_changed == 2


def test_folding_takes_the_most_frequent_spelling_and_then_the_first_by_alphabet(bench: Bench) -> None:
    spellings = ["toys", "toys", "Toys", " TOYS", "Games", "games", "Caf\u00e9 bar", "CAFE\u0301\u00a0  bar", None]
    bench.give("transactions", *[{"category": c, "channel": "Web"} for c in spellings])
    cleaned = bench.clean({"spelling": {"category": "fold", "channel": {"web": ["Web"]}}})
    expected = ["CAF\u00c9 bar"] * 2 + ["Games"] * 2 + ["toys"] * 4 + [None]
    assert bench.left(cleaned, "category") == sorted(expected, key=repr)
    assert set(bench.left(cleaned, "channel")) == {"web"}
    assert only(cleaned).rows_changed == 9


# Merged customers

MERGE = {"merge_customers": {"files": "merged.csv", "from": "old_id", "to": "new_id"}}


def test_merged_ids_become_the_end_of_their_chain(bench: Bench) -> None:
    context = bench.merged(("a", "b"), ("b", "c"), ("c", "d"), ("c", "d"), ("d", "d"), (None, "z"))
    bench.give("transactions", *[{"customer_id": c} for c in ("a", "b", "c", "d", "e", None)])
    cleaned = bench.clean(MERGE, context)
    assert bench.left(cleaned, "customer_id") == ["d", "d", "d", "d", "e", None]
    assert figures(only(cleaned)) == (6, 0, 3, 6, 6, 0, 0, 6)


@pytest.mark.parametrize("length", [2, 3, 4, 8, 11])
def test_a_circle_of_any_length_is_told_with_its_size(bench: Bench, length: int) -> None:
    circle = [(str(n), str((n + 1) % length)) for n in range(length)]
    bench.give("transactions", {})
    with pytest.raises(DataQualityError, match=f"{length + 1} of {length + 2} merged ids never come to an end"):
        bench.clean(MERGE, bench.merged(*circle, ("leads in", "0"), ("fine", "end")))


def test_a_long_chain_is_followed(bench: Bench) -> None:
    bench.give("transactions", {"customer_id": "0"})
    context = bench.merged(*[(str(n), str(n + 1)) for n in range(100)])
    assert bench.left(bench.clean(MERGE, context), "customer_id") == ["100"]


def test_an_id_merged_into_two_is_told(bench: Bench) -> None:
    bench.give("transactions", {})
    with pytest.raises(DataQualityError, match=r"1 more pairs than merged ids \(1\)"):
        bench.clean(MERGE, bench.merged(("a", "b"), ("a", "c")))


def test_of_customers_the_survivor_keeps_its_own_row_or_one_is_renamed(bench: Bench) -> None:
    context = bench.merged(("old", "new", "N"), ("x", "gone", "G"), ("y", "gone", "G"))
    bench.give(
        "customers",
        {"customer_id": "new", "region": "own", "_clear_customer_id": "N"},
        {"customer_id": "old", "region": "merged", "_clear_customer_id": "O"},
        {"customer_id": "x", "region": "later", "signed_up_at": at("2024-02-01"), "_clear_customer_id": "X"},
        {"customer_id": "y", "region": "earlier", "signed_up_at": at("2024-01-01"), "_clear_customer_id": "Y"},
        {"customer_id": None, "region": "nobody"},
    )
    cleaned = bench.clean(MERGE, context)
    assert bench.left(cleaned, "customer_id, region, _clear_customer_id") == [
        ("gone", "earlier", "G"),
        ("new", "own", "N"),
        (None, "nobody", None),
    ]
    assert (only(cleaned).rows_dropped, only(cleaned).rows_changed) == (2, 1)


@pytest.mark.parametrize(("clear", "expected"), [((), None), (("B",), "B")])
def test_clear_ids_follow_their_pseudonyms(bench: Bench, clear: tuple[str, ...], expected: str | None) -> None:
    bench.give("transactions", {"customer_id": "a", "_clear_customer_id": "A"})
    cleaned = bench.clean(MERGE, bench.merged(("a", "b", *clear)))
    assert bench.left(cleaned, "customer_id, _clear_customer_id") == [("b", expected)]


def test_the_files_of_the_mapping_are_told() -> None:
    assert mapping_files(MERGE) == {"files": ["merged.csv"], "from": "old_id", "to": "new_id"}
    assert mapping_files({"returns": "net"}) is None


# Real data


def test_a_real_ledger_is_counted_as_it_is_described(bench: Bench, test_data: Path) -> None:
    source = test_data / "online_retail_2009_2010.parquet"
    if not source.is_file():
        pytest.skip(f"{source.name} is not in the folder of real data; set CRM_TEST_DATA")
    bench.connection.execute(f"""
        CREATE VIEW given AS SELECT CAST(CAST("Customer ID" AS BIGINT) AS VARCHAR) AS customer_id,
            CAST(InvoiceDate AS TIMESTAMP) AS occurred_at, CAST(Quantity * Price AS DECIMAL(18, 4)) AS amount, Quantity AS quantity,
            CAST(Price AS DECIMAL(18, 4)) AS unit_price, Invoice AS transaction_id, StockCode AS product_id, Description, Country
        FROM read_parquet({literal(str(source))})""")
    bench.table = "transactions"
    rules = {
        "drop_missing_customers": {},
        "drop_exact_duplicates": {},
        "zero_prices": "drop",
        "negative_prices": "drop",
    }
    dropped = {name: only(bench.clean({name: argument})).rows_dropped for name, argument in rules.items()}
    assert dropped == {
        "drop_missing_customers": 100_207,
        "drop_exact_duplicates": 6_544,
        "zero_prices": 3_509,
        "negative_prices": 3,
    }
    assert only(bench.clean({"returns": "drop"})).rows_dropped == 9_879
    assert only(bench.clean({"cancelled_invoices": {"prefix": "C"}})).rows_dropped == 9_877
    check_against_the_tables(bench, bench.clean(rules))


# What a dataset file may say


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"drop_exact_duplicate": {}}, "drop_exact_duplicate: unknown name (did you mean 'drop_exact_duplicates'?)"),
        ({"drop_exact_duplicates": {"by": "x"}}, "drop_exact_duplicates.by: unknown name"),
        ({"returns": "nett"}, "returns: Input should be 'net', 'drop' or 'keep', got 'nett'"),
        ({"returns": None}, "returns: is left empty"),
        ({"cancelled_invoices": {}}, "cancelled_invoices: needs either prefix, or column with values"),
        ({"cancelled_invoices": {"prefix": "C", "column": "s", "values": ["x"]}}, "needs either prefix"),
        ({"cancelled_invoices": {"column": "s"}}, "needs either prefix"),
        ({"non_product_lines": {"treatment": "drop"}}, "needs product_ids, pattern or both"),
        ({"non_product_lines": {"pattern": "("}}, "is no regular expression"),
        ({"non_product_lines": {"product_ids": [False]}}, "non_product_lines.product_ids.0"),
        ({"impossible_dates": {"earliest": "1.1.2000"}}, "is no day; write it as 2000-12-31, got '1.1.2000'"),
        ({"impossible_dates": {"earliest": 2000}}, "impossible_dates.earliest"),
        ({"impossible_dates": {"earliest": date(2001, 1, 1), "latest": date(2000, 1, 1)}}, "after latest"),
        ({"outliers": {"column": "amount", "treatment": "drop"}}, "'winsorise' or 'flag', got 'drop'"),
        ({"outliers": {"column": "amount", "treatment": "flag", "share": 0.5}}, "less than 0.5, got 0.5"),
        ({"outliers": {"column": "_clear_customer_id", "treatment": "flag"}}, "outliers.column"),
        ({"currency": {"column": "c", "rates": {"USD": 0}}}, "greater than 0"),
        ({"currency": {"column": "c", "rates": {"USD": "x"}}}, "is no number, got 'x'"),
        ({"currency": {"column": "c", "rates": {"dollar": 1}}}, "currency.rates.dollar"),
        ({"time_zone": "Europe/Berln"}, "is no IANA time zone (did you mean 'Europe/Berlin'?)"),
        ({"time_zone": {}}, "needs either a zone"),
        ({"spelling": {"category": "upper"}}, "is either fold, or right spellings"),
        ({"spelling": {"category": {"A": ["x"], "B": ["x"]}}}, "names 'x' as a variant of two spellings"),
        ({"spelling": {"category": {"A": ["x"], "B": ["A"]}}}, "has 'A' both as a right spelling and as a variant"),
        ({"merge_customers": {"files": "m.csv", "from": "a"}}, "merge_customers.to: is missing"),
        ({"one_row_per_key": {"by": "x", "keep": "newest"}}, "one_row_per_key.keep"),
    ],
)
def test_a_wrong_rule_is_told_in_a_sentence(rules: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_rules(rules)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"returns: .*; zero_prices: .*; returns: is no rule for customers") as caught:
        check_rules({"returns": 1, "zero_prices": 2}, table="customers")
    assert "zero_prices: is no rule for customers; it is for transactions" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "rules", "message"),
    [
        ("contacts", {"one_row_per_key": {"by": "x"}}, "it is for customers, service_cases"),
        ("service_cases", {"currency": {"column": "c", "rates": {"USD": 1}}}, "it is for transactions, contacts"),
        ("transactions", {"outliers": {"column": "category", "treatment": "flag"}}, "holds no numbers"),
        ("transactions", {"spelling": {"customer_id": "fold"}}, "spelling.customer_id: is no column of labels"),
        ("service_cases", {"spelling": {"opened_at": "fold"}}, "spelling.opened_at: is no column of labels"),
    ],
)
def test_a_rule_that_makes_no_sense_for_a_table_is_refused(table: str, rules: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_rules(rules, table=table)


def test_rules_may_all_be_written_and_come_back_as_they_were() -> None:
    for table in CANONICAL:
        rules = {name: rule for name, rule in EVERY_RULE.items() if table in RULES[name].tables}
        assert check_rules(rules, table=table) == rules
    assert set(EVERY_RULE) == set(RULES)
    assert set(MONEY) == {"transactions", "contacts"}


EVERY_RULE: dict[str, object] = RANDOM_RULES | {
    "returns": "net",
    "one_row_per_key": {"by": "updated_at", "keep": "first"},
    "outliers": {"column": "extra", "treatment": "flag"},
    "spelling": {"extra": {"A": "a"}},
}
