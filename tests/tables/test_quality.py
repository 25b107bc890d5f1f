"""Claims about the contract, scores and profiles of tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError
from crm_analysis.tables.cleaning.rules import RULES
from crm_analysis.tables.quality.checks import any_of, row_checks
from crm_analysis.tables.quality.contract import check_contract, contract_errors, examination, findings
from crm_analysis.tables.quality.coverage import missing_days, own_last_day, usual_weekdays
from crm_analysis.tables.quality.findings import MEANINGS, Finding, advice_for
from crm_analysis.tables.quality.masking import MAX_SHOWN, masked
from crm_analysis.tables.quality.profile import (
    daily_coverage,
    distributions,
    histogram,
    missingness,
)
from crm_analysis.tables.quality.repeats import repeats
from crm_analysis.tables.quality.score import priorities, table_score
from crm_analysis.tables.schema import CANONICAL, SQL_TYPES, kind_of

Stand = Callable[..., str]
LAST_DAY = date(2024, 3, 31)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """A catalogue of one's own."""
    return duckdb.connect()


@pytest.fixture
def stand(connection: duckdb.DuckDBPyConnection) -> Stand:
    """Let rows stand as a landed table: canonical columns and types, null where not given; returns its quoted name."""

    def make(table: str, rows: list[dict[str, object]], *, own: str = "", name: str = "landed_rows") -> str:
        declared = [f'"{column}" {SQL_TYPES[kind_of(of)]}' for column, of in CANONICAL[table].columns.items()]
        columns = ", ".join([*declared, *([own] if own else []), "_unreadable VARCHAR[]"])
        connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({columns})')
        for row in rows:
            names, marks = ", ".join(f'"{column}"' for column in row), ", ".join("?" * len(row))
            connection.execute(f'INSERT INTO "{name}" ({names}) VALUES ({marks})', list(row.values()))
        return f'"{name}"'

    return make


def line(
    customer_id: str | None = "ann", day: str = "2024-01-05", amount: float = 1.0, **more: object
) -> dict[str, object]:
    return {"customer_id": customer_id, "occurred_at": day, "amount": amount} | more


def case(case_id: str | None, opened_at: str = "2024-01-05 10:00", **more: object) -> dict[str, object]:
    return {"case_id": case_id, "customer_id": "ann", "opened_at": opened_at} | more


def found(all_findings: list[Finding]) -> dict[tuple[str | None, str], int]:
    return {(finding.column, finding.check): finding.count for finding in all_findings}


# --- masking


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("30/02/2024", "3•/0•/2•••"),
        ("ann.lee@example.org", "a••@•••"),
        ("+44 7911 123456", "+4• 7••• 1•••••"),
        ("-1.5", "-1.5"),
        ("Ölaf Müller", "Ö••• M•••••"),
        ("", ""),
        ("a\x1b[31m\nb", "a·[3•m·b"),
    ],
)
def test_masking_keeps_the_shape_and_not_the_value(value: str, shown: str) -> None:
    assert masked(value) == shown


@pytest.mark.parametrize("value", ["a-" * 200, "x" * 500, "@" * 99, "<script>alert(1)</script>" * 9])
def test_a_masked_value_is_short(value: str) -> None:
    assert len(masked(value)) <= MAX_SHOWN


# --- rows


def test_a_sound_table_has_no_findings(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    relation = stand("transactions", [line(), line("bob", amount=-2.0)])
    assert findings(connection, "transactions", relation, last_day=LAST_DAY) == []


def test_each_kind_of_fault_is_counted(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [
        line(),
        line(None),
        line(day="1899-12-31 23:59:59"),
        line(day="2034-04-02"),
        line(quantity=float("inf")),
        line(discount=-0.01),
        line(unit_price=0),
        line(amount=None, _unreadable=["amount: ten"]),
    ]
    relation = stand("transactions", rows)
    assert found(findings(connection, "transactions", relation, last_day=LAST_DAY)) == {
        ("customer_id", "missing"): 1,
        ("occurred_at", "too_early"): 1,
        ("occurred_at", "too_late"): 1,
        ("amount", "unreadable"): 1,
        ("quantity", "not_finite"): 1,
        ("quantity", "mostly_missing"): 7,
        ("unit_price", "out_of_range"): 1,
        ("unit_price", "mostly_missing"): 7,
        ("discount", "out_of_range"): 1,
    }


def test_limits_themselves_are_within(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [line(day="1900-01-01", discount=0, unit_price=0.0001), line(day="2034-03-31", discount=1, unit_price=1)]
    assert findings(connection, "transactions", stand("transactions", rows), last_day=LAST_DAY) == []
    moments = ["2024-01-05 10:00", "2024-01-06 10:00", "2024-01-07 10:00"]
    rows = [case(str(n), at, resolved_at=at, satisfaction=n) for n, at in zip((1, 3, 5), moments, strict=True)]
    assert findings(connection, "service_cases", stand("service_cases", rows)) == []


def test_without_a_last_day_no_time_is_too_late(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    assert findings(connection, "transactions", stand("transactions", [line(day="2999-01-01")])) == []


def test_times_against_their_order_are_told_with_how_far(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [
        case("1", resolved_at="2024-01-05 09:30"),
        case("2", resolved_at="2024-01-02 10:00", due_at="2024-01-05 07:00"),
        case("3", resolved_at="2024-01-05 10:00", due_at="2024-01-06"),
    ]
    both = {finding.column: finding for finding in findings(connection, "service_cases", stand("service_cases", rows))}
    assert (both["resolved_at"].severity, both["due_at"].severity) == ("error", "warning")
    assert both["resolved_at"].fault == "service_cases.resolved_at is before opened_at: 2 of 3 rows"
    assert both["resolved_at"].examples == ("3 days before", "30 minutes before")
    assert both["due_at"].examples == ("3 hours before",)


def test_unreadable_values_are_counted_by_column_and_not_as_missing_too(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [
        line(None, amount=None, _unreadable=["amount: 1.000,50", "occurred_at: 31/02/2024"]) | {"occurred_at": None},
        line(amount=None, _unreadable=["amount: a: b"]),
        line(amount=None),
    ]
    all_found = findings(connection, "transactions", stand("transactions", rows))
    assert found(all_found) == {
        ("customer_id", "missing"): 1,
        ("occurred_at", "unreadable"): 1,
        ("amount", "unreadable"): 2,
        ("amount", "missing"): 1,
    }
    amount = next(finding for finding in all_found if finding.check == "unreadable" and finding.column == "amount")
    assert amount.examples == ("1.0••,5•", "a: b")
    assert amount.fault == "transactions.amount: 2 of 3 values are no money"


def test_a_relation_without_notes_of_unreadable_values_is_checked(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    relation = stand("transactions", [line(None), line()])
    connection.execute(f"CREATE VIEW trusted AS SELECT * EXCLUDE (_unreadable) FROM {relation}")
    assert found(findings(connection, "transactions", "trusted")) == {("customer_id", "missing"): 1}


def test_values_in_examples_are_masked_distinct_and_at_most_five(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [line(discount=-(10.0**n)) for n in range(8)] + [line(discount=-2.0)]
    only = findings(connection, "transactions", stand("transactions", rows))[0]
    assert only.count == 9
    assert len(only.examples) == len(set(only.examples)) == 5
    assert all("0000" not in example for example in only.examples)


def test_customers_without_a_row_are_a_warning(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    customers = stand("customers", [{"customer_id": "ann"}, {"customer_id": None}], name="people")
    relation = stand("transactions", [line(), line("bob"), line("bob", amount=2), line(None)])
    unknown = findings(connection, "transactions", relation, customers=customers)[1]
    assert (unknown.check, unknown.severity, unknown.count, unknown.examples) == (
        "unknown_customer",
        "warning",
        2,
        ("b••",),
    )
    assert findings(connection, "customers", customers, customers=customers)[0].check == "missing"


def test_a_column_that_the_source_lacks_is_no_fault_and_a_sparse_one_is(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [line(amount=n, **({"channel": "web", "own": 1} if n < 2 else {"own": 2})) for n in range(5)]
    relation = stand("transactions", rows, own="own INTEGER")
    assert found(findings(connection, "transactions", relation)) == {("channel", "mostly_missing"): 3}


# --- rows that stand more than once


def test_exact_duplicates_are_rows_beyond_the_first(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [line(), line(), line(), line(None, amount=4), line(None, amount=4), line(channel="web")]
    duplicate = next(
        finding
        for finding in findings(connection, "transactions", stand("transactions", rows))
        if finding.check == "exact_duplicate"
    )
    assert (duplicate.count, duplicate.severity, duplicate.examples) == (3, "warning", ("3 equal rows", "2 equal rows"))
    assert duplicate.money == Decimal(6)
    assert duplicate.money_share == pytest.approx(6 / 12)


def test_different_values_that_could_not_be_read_are_no_duplicates(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [line(amount=None, _unreadable=[f"amount: {word}"]) for word in ("ten", "eleven")]
    assert ("exact_duplicate") not in {
        check for _, check in found(findings(connection, "transactions", stand("transactions", rows)))
    }


def test_rows_with_one_hash_are_still_compared_by_value(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE t AS SELECT i % 7 AS a, NULL AS b FROM range(20) AS r(i)")
    counted = repeats(connection, "t", ["a", "b"], broken="(a = 0)")
    assert (counted.surplus, counted.surplus_otherwise_sound) == (13, 11)
    assert counted.largest == (3, 2)


def test_a_repeated_key_is_an_error_and_a_missing_one_only_missing(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [case("1"), case("1", team="a"), case(None), case(None, team="b")]
    relation = stand("service_cases", rows)
    assert found(contract_errors(connection, "service_cases", relation)) == {
        ("case_id", "missing"): 2,
        ("case_id", "repeated_key"): 1,
    }


# --- coverage by day


def weeks(first: date, number: int, *, weekdays: int = 7) -> dict[date, int]:
    days = (first + timedelta(days=n) for n in range(7 * number))
    return {day: 1 for day in days if day.weekday() < weekdays}


def test_closed_weekdays_are_no_gaps_and_a_lost_day_is() -> None:
    counts = weeks(date(2024, 1, 1), 6, weekdays=5)
    assert usual_weekdays(counts) == {0, 1, 2, 3, 4}
    assert missing_days(counts) == ([], 30)
    del counts[date(2024, 1, 17)]
    assert missing_days(counts) == ([date(2024, 1, 17)], 30)


def test_a_shop_with_few_purchases_has_no_gaps() -> None:
    assert missing_days({date(2024, 1, 5): 1, date(2024, 3, 1): 2}) == ([], 0)
    assert missing_days({}) == ([], 0)
    assert missing_days(weeks(date(2024, 1, 1), 3)) == ([], 0)


def test_gaps_are_a_warning_with_their_days(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    days = [day for day in weeks(date(2024, 1, 1), 6) if day != date(2024, 1, 17)]
    relation = stand("transactions", [line(day=day.isoformat()) for day in days] + [line(day="2099-01-01")])
    gap = findings(connection, "transactions", relation, last_day=date(2024, 2, 11))[-1]
    assert (gap.check, gap.count, gap.total, gap.examples) == ("gap", 1, 42, ("2024-01-17",))


def test_the_data_end_before_a_gap_of_ten_years() -> None:
    sound = {date(2001, 5, 1): 3, date(2010, 1, 1): 9, date(2019, 6, 1): 2}
    assert own_last_day([sound]) == date(2019, 6, 1)
    assert own_last_day([sound, {date(2031, 1, 1): 1, date(1899, 1, 1): 99}]) == date(2019, 6, 1)
    assert own_last_day([sound, {date(2028, 1, 1): 1}]) == date(2028, 1, 1)
    assert own_last_day([{}, {}]) is None


# --- the contract as an error


def test_errors_are_raised_all_at_once_and_warnings_are_not(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    relation = stand("service_cases", [case("1", satisfaction=9), case("1", due_at="2023-01-01")])
    with pytest.raises(DataQualityError, match="Dataset shop: 2 contract faults are left after cleaning:\n") as caught:
        check_contract(connection, "service_cases", relation, dataset="shop")
    assert caught.value.faults == (
        "service_cases.satisfaction is not between 1 and 5: 1 of 2 rows",
        "service_cases.case_id: 1 rows repeat a key that must be unique",
    )
    assert "add rules under tables.service_cases.cleaning" in str(caught.value)
    sound = stand("service_cases", [case("1", due_at="2023-01-01")])
    check_contract(connection, "service_cases", sound, dataset="shop")


def test_errors_are_the_findings_that_are_errors(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    relation = stand("transactions", [line(None), line(discount=-1, unit_price=-1), line(), line()])
    everything = findings(connection, "transactions", relation)
    errors = [(f.column, f.check, f.count) for f in everything if f.severity == "error"]
    assert [(f.column, f.check, f.count) for f in contract_errors(connection, "transactions", relation)] == errors
    assert len(everything) > len(errors) == 2


def test_every_check_has_its_meaning_and_advice() -> None:
    slugs = {
        check.check
        for table, schema in CANONICAL.items()
        for check in row_checks(table, [*schema.columns, "_unreadable"], last_day=LAST_DAY, with_customers=True)
    }
    assert slugs < set(MEANINGS)
    for table in CANONICAL:
        for check in MEANINGS:
            assert "{table}" not in advice_for(table, "region", check)


def test_advice_names_rules_that_there_are() -> None:
    advice = " ".join(
        advice_for("transactions", column, check) for check in MEANINGS for column in ("customer_id", "unit_price")
    )
    named = set(re.findall(r"\b(\w+_\w+): ", advice))
    assert {"drop_missing_customers", "drop_exact_duplicates", "impossible_dates", "zero_prices"} <= named <= set(RULES)


def test_a_condition_over_no_checks_is_false() -> None:
    assert any_of([]) == "false"


def test_row_order_and_currency_change_no_count(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [line(None), line(), line(), line(discount=-1), line("bob", unit_price=-3)]
    first = findings(connection, "transactions", stand("transactions", rows))
    again = findings(connection, "transactions", stand("transactions", rows[::-1]))
    assert first == again
    scaled = [row | {"amount": 100 * row["amount"]} for row in rows]  # type: ignore[operator]
    dearer = findings(connection, "transactions", stand("transactions", scaled))
    assert found(dearer) == found(first)
    assert [f.money_share for f in dearer] == [f.money_share for f in first]


# --- scores


def test_a_row_that_breaks_several_checks_counts_once(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [line(None, discount=-1, unit_price=-1), line(), line(), line(amount=3), line(amount=None)]
    score = table_score(examination(connection, "transactions", stand("transactions", rows)))
    assert score.total == pytest.approx(2 / 5)  # sound: one of the two alike, and the line of 3
    assert score.completeness == pytest.approx(1 - 2 / 15)
    assert (score.validity, score.uniqueness, score.consistency) == pytest.approx((4 / 5, 4 / 5, 1))


def test_duplicates_of_a_broken_row_are_broken_once(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    relation = stand("transactions", [line(None), line(None), line()])
    assert table_score(examination(connection, "transactions", relation)).total == pytest.approx(1 / 3)


def test_of_rows_with_one_key_a_sound_one_counts(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    rows = [case("1", satisfaction=9), case("1", satisfaction=4), case("2"), case("2"), case(None)]
    score = table_score(examination(connection, "service_cases", stand("service_cases", rows)))
    assert (score.total, score.uniqueness) == pytest.approx((2 / 5, 3 / 5))


def test_scores_reach_one_and_zero(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    assert table_score(examination(connection, "transactions", stand("transactions", [line()]))).total == 1
    assert table_score(examination(connection, "transactions", stand("transactions", [line(None)]))).total == 0
    assert table_score(examination(connection, "transactions", stand("transactions", []))).total == 0


def finding(severity: str, share: int, money_share: float | None = None, table: str = "transactions") -> Finding:
    money = None if money_share is None else Decimal(1)
    return Finding(table, None, f"c{share}", severity, share, 100, (), "why", "do", "fault", money, money_share)  # type: ignore[arg-type]


def test_errors_go_first_then_the_larger_share_of_rows_or_money() -> None:
    table = priorities([finding("warning", 90), finding("error", 1), finding("error", 2, 0.5), finding("error", 30)])
    assert table["count"].tolist() == [2, 30, 1, 90]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["money"].isna().tolist() == [False, True, True, True]


def test_nothing_to_fix_is_an_empty_table() -> None:
    assert priorities([]).empty


# --- profiles


def shop_of(customers: int, stand: Stand) -> str:
    """Give each of some customers two lines: 1 and their number."""
    rows = [
        line(
            f"c{n:03}",
            f"2024-01-{1 + n % 28:02}",
            amount,
            channel="web" if n % 2 else "shop",
            category="rare" if n < 3 else "usual",
        )
        for n in range(customers)
        for amount in (1.0, float(n))
    ]
    return stand("transactions", rows)


def test_missing_values_are_counted_by_column(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    table = missingness(connection, stand("transactions", [line(None), line()]), leave_out=["text"]).set_index("column")
    assert table.loc[["customer_id", "amount", "channel"], "missing"].tolist() == [1, 0, 2]
    assert table.loc[["customer_id", "amount", "channel"], "share"].tolist() == [0.5, 0, 1]
    assert "_unreadable" not in table.index
    assert missingness(connection, stand("transactions", []))["share"].tolist() == [0.0] * 10


def test_public_data_show_every_quantile_and_level(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    spread = distributions(connection, shop_of(10, stand), min_cell=1)
    amount = spread.numbers.set_index("column").loc["amount"]
    assert (amount["rows"], amount["zeros"], amount["negatives"], amount["q50"]) == (20, 1, 0, 1.0)
    levels = spread.levels.set_index("level")
    assert levels.loc["rare", ["rows", "customers"]].tolist() == [6, 3]
    times = spread.times.set_index("column").loc["occurred_at"]
    assert (times["first"], times["last"]) == (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-10"))


def test_numbers_about_few_customers_are_not_shown(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    spread = distributions(connection, shop_of(120, stand), min_cell=5)
    amount = spread.numbers.set_index("column").loc["amount"]
    assert amount.isna().to_dict() | {"column": False} == {
        "column": False, "rows": False, "zeros": True, "negatives": False, "q01": True, "q05": False, "q25": False,
        "q50": False, "q75": False, "q95": False, "q99": True,
    }  # fmt: skip
    assert "rare" not in spread.levels["level"].tolist()
    assert spread.times["first"].isna().all()


def test_a_lump_of_few_customers_takes_the_smallest_value_with_it(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    levels = distributions(connection, shop_of(40, stand), min_cell=5).levels
    assert levels[levels["column"] == "category"]["level"].tolist() == ["2 other values"]
    assert levels[levels["column"] == "channel"]["customers"].tolist() == [20, 20]
    assert not (levels["customers"] < 5).any()


def test_ids_and_words_of_customers_are_counted_and_never_shown(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [case(str(n), text="call me", team="a") for n in range(3)]
    spread = distributions(connection, stand("service_cases", rows), min_cell=1, leave_out=["team"])
    assert set(spread.texts["column"]) >= {"case_id", "customer_id", "text"}
    assert spread.levels["column"].tolist() == []
    assert "team" not in spread.texts["column"].tolist()


def test_bins_hold_what_lies_between_the_tails(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    relation = stand("transactions", [line(f"c{n}", amount=n + 0.5) for n in range(100)])
    table = histogram(connection, relation, "amount", min_cell=1, bins=4)
    assert len(table) == 4
    assert table["rows"].sum() == 99
    assert (table["customers"] == table["rows"]).all()
    whole = stand("transactions", [line(f"c{n}", amount=n % 3) for n in range(100)])
    assert histogram(connection, whole, "amount", min_cell=1)["rows"].tolist() == [34, 33, 33]


def test_bins_of_few_customers_are_not_shown(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    relation = stand("transactions", [line(f"c{n}", amount=(n % 20 if n < 199 else 60)) for n in range(200)])
    table = histogram(connection, relation, "amount", min_cell=8)
    assert ((table["customers"] >= 8) | table["customers"].isna() | (table["customers"] == 0)).all()
    assert histogram(connection, stand("transactions", [line(amount=5), line("bob")]), "amount", min_cell=5).empty
    with pytest.raises(ValueError, match="bins must be at least 1"):
        histogram(connection, relation, "amount", min_cell=1, bins=0)


def test_one_value_is_one_bin_and_none_is_none(connection: duckdb.DuckDBPyConnection, stand: Stand) -> None:
    relation = stand("transactions", [line(amount=0.5), line(amount=0.5)])
    assert histogram(connection, relation, "amount", min_cell=1)["rows"].tolist() == [2]
    assert histogram(connection, relation, "discount", min_cell=1).empty


def test_days_without_rows_are_zero_and_days_of_few_are_not_shown(
    connection: duckdb.DuckDBPyConnection, stand: Stand
) -> None:
    rows = [
        line(f"c{n}", day)
        for day, number in (("2024-01-01", 6), ("2024-01-03", 2), ("2024-01-04", 9))
        for n in range(number)
    ]
    relation = stand("transactions", rows)
    everything = daily_coverage(connection, "transactions", relation, min_cell=1)
    assert everything["rows"].tolist() == [6, 0, 2, 9]
    shown = daily_coverage(connection, "transactions", relation, min_cell=5)
    assert shown["rows"].isna().tolist() == [True, False, True, False]  # the second hides the first
    assert daily_coverage(connection, "transactions", stand("transactions", []), min_cell=5).empty
