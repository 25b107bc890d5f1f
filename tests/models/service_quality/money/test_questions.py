"""Claims about service and money as a whole: from a snapshot to sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from crm_analysis.features.service import case_courses
from crm_analysis.models.service_quality.money import ServiceAndMoney, service_and_money
from crm_analysis.models.service_quality.money.comparison import Compared
from crm_analysis.models.service_quality.money.events import good_cases
from crm_analysis.models.service_quality.money.questions import _told
from crm_analysis.tables.datasets import Dataset, open_dataset
from crm_analysis.tables.snapshot import Snapshot
from tests.models.service_quality.money.simulated_service import AS_OF, START, simulated_service

WINDOW = 60


def dataset_of(folder: Path, *, drop: float, seed: int, with_purchases: bool = True, n_customers: int = 350) -> Dataset:
    """Write simulated purchases and their cases, seen to end at their due time, and open them."""
    spend, ends = simulated_service(n_customers=n_customers, drop=drop, seed=seed)
    customer, day = np.nonzero(spend)
    lines = pd.DataFrame(
        {
            "customer_id": customer,
            "occurred_at": START + pd.to_timedelta(day, unit="D"),
            "amount": spend[customer, day].round(2),
        }
    )
    due = START + pd.to_timedelta(ends["day"], unit="D") + pd.Timedelta(hours=12)
    cases = pd.DataFrame(
        {
            "case_id": [f"K{number}" for number in range(len(ends))],
            "customer_id": ends["customer"],
            "opened_at": due - pd.Timedelta(hours=20),
            "due_at": due,
            "resolved_at": due + pd.to_timedelta(np.where(ends["is_bad"], 5, -5), unit="h"),
        }
    )
    for name, table in (("lines", lines), ("cases", cases)):
        table.assign(customer_id="c" + table["customer_id"].astype("str")).to_csv(folder / f"{name}.csv", index=False)
    tables = {"transactions": {"files": "lines.csv"}} if with_purchases else {}
    content = {
        "name": "shop",
        "currency": "EUR",
        "public": True,
        "tables": tables | {"service_cases": {"files": "cases.csv"}},
    }
    (folder / "shop.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return open_dataset(str(folder / "shop.yaml"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return dataset_of(tmp_path_factory.mktemp("money"), drop=0.5, seed=5).known(AS_OF)


@pytest.fixture(scope="module")
def told(known: Snapshot) -> ServiceAndMoney:
    return service_and_money(known, case_courses(known), window_days=WINDOW, currency="EUR", seed=1)


def test_a_planted_drop_is_told_with_its_money(told: ServiceAndMoney) -> None:
    row = told.row("after a good case", "spend")
    assert row["high"] < 0
    assert row["share_low"] < -0.5 < row["share_high"] or row["share"] == pytest.approx(-0.5, abs=0.15)
    text = " ".join(told.sentences)
    assert f"{int(row['bad_customers'])} customers spent" in text
    assert "of what would else have come" in text
    assert "The number of purchase days changed by" in text
    assert any("This is an association" in note for note in told.notes)


def test_the_effect_is_the_difference_of_the_changes(told: ServiceAndMoney) -> None:
    row = told.row("after a good case", "spend")
    plain = (row["bad_after"] - row["bad_before"]) - (row["control_after"] - row["control_before"])
    assert row["effect"] == pytest.approx(
        plain, abs=0.25 * (row["high"] - row["low"])
    )  # a regression takes the rest off
    assert told.balance.loc["after a good case", "after"].abs().max() < 0.2


def test_values_are_those_of_the_lines(known: Snapshot, told: ServiceAndMoney) -> None:
    lines = known.query(
        "SELECT customer_id, CAST(sum(amount) AS DOUBLE) AS spend FROM transactions GROUP BY customer_id"
    )
    assert told.value["spend"].sum() == pytest.approx(lines["spend"].sum())
    assert told.value["customers"].sum() == told.n_customers
    assert told.value_days == 360
    bad = known.query(
        "SELECT customer_id, count(DISTINCT CAST(due_at AS DATE)) AS n FROM service_cases WHERE resolved_at > due_at GROUP BY ALL"
    )
    assert told.value.loc["2 or more", "customers"] == (bad["n"] > 1).sum()


def test_the_same_seed_gives_the_same_and_another_one_nearly(known: Snapshot, told: ServiceAndMoney) -> None:
    again = service_and_money(known, case_courses(known), window_days=WINDOW, currency="EUR", seed=1)
    pd.testing.assert_frame_equal(told.change, again.change)
    assert told.sentences == again.sentences


def test_nothing_after_the_day_leaks(known: Snapshot, tmp_path: Path) -> None:
    early = (START + pd.Timedelta(days=250)).date()
    dataset = dataset_of(tmp_path, drop=0.5, seed=5)
    whole = dataset.known(early)
    one = service_and_money(whole, case_courses(whole), window_days=WINDOW)
    for name, column in (("lines", "occurred_at"), ("cases", "opened_at")):
        table = pd.read_csv(tmp_path / f"{name}.csv")
        table[pd.to_datetime(table[column]) < pd.Timestamp(early) + pd.Timedelta(days=1)].to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    cut = open_dataset(str(tmp_path / "shop.yaml")).known(early)
    two = service_and_money(cut, case_courses(cut), window_days=WINDOW)
    pd.testing.assert_frame_equal(one.change, two.change)
    pd.testing.assert_frame_equal(one.value, two.value)


def test_without_purchases_there_is_a_reason(tmp_path: Path) -> None:
    lone = dataset_of(tmp_path, drop=0.0, seed=1, with_purchases=False, n_customers=30).known(AS_OF)
    found = service_and_money(lone, case_courses(lone))
    assert found.main is None
    assert found.sentences == (found.reason,)
    assert "holds no purchases" in found.reason
    assert found.value.empty
    assert found.change.empty


def test_too_few_customers_are_valued_but_not_compared(tmp_path: Path) -> None:
    few = dataset_of(tmp_path, drop=0.0, seed=1, n_customers=40).known(AS_OF)
    found = service_and_money(few, case_courses(few))
    assert found.main is None
    assert "it takes 30 customers at their first one" in found.sentences[-1]
    assert found.value["customers"].sum() == 40
    assert found.notes == ()


def test_a_window_longer_than_the_history_is_too_few(known: Snapshot) -> None:
    assert service_and_money(known, case_courses(known), window_days=400).main is None
    with pytest.raises(ValueError, match="window_days must be at least 1, got 0"):
        service_and_money(known, case_courses(known), window_days=0)


def test_few_customers_are_not_shown(known: Snapshot, told: ServiceAndMoney) -> None:
    n_few = int(told.value["customers"].min())
    found = service_and_money(known, case_courses(known), window_days=WINDOW, min_cell=n_few + 1)
    assert found.value["customers"].isna().sum() >= 2
    hidden = service_and_money(known, case_courses(known), window_days=WINDOW, min_cell=10_000)
    assert hidden.main is None
    assert hidden.value["customers"].isna().all()


def test_comparisons_that_tell_few_customers_apart_are_not_both_shown() -> None:
    table = pd.DataFrame()
    some = frozenset(f"c{number}" for number in range(40))
    one, two, three = (
        Compared(table, table, table, group) for group in (some, some - {"c0"}, some - {f"c{n}" for n in range(9)})
    )
    assert list(_told({"a": one, "b": two, "c": three}, min_cell=5)) == ["a", "c"]
    assert list(_told({"a": one, "b": one}, min_cell=5)) == ["a", "b"]
    assert list(_told({"a": one, "b": two}, min_cell=1)) == ["a", "b"]


def test_good_and_bad_cases_part_all_known_ones(known: Snapshot) -> None:
    courses = case_courses(known)
    good = good_cases(courses, low_satisfaction_at_most=2, as_of=AS_OF)
    due = courses[courses["sla_missed"].notna()]
    kept = due[~due["sla_missed"].astype("bool")]
    assert len(good) == len(kept.assign(day=kept["due_at"].dt.normalize())[["customer_id", "day"]].drop_duplicates())
