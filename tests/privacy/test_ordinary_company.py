"""A company whose customers have ordinary names gets its reports: words that any report consists of name nobody."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import ReportError
from crm_analysis.reporting.safety import refuse_leaks
from crm_analysis.tables.datasets import Dataset, open_dataset
from tests.privacy.conftest import PlantedRun


def words_of(text: str) -> list[str]:
    """Return the words of a list that reads as one."""
    return text.split()


GIVEN = words_of(
    "April May June August Mark Rose Forest Winter Summer Frank Grace Hope Will Sandra Stefan Andrea Jordan Austin Madison "
    "Lincoln Florence Victoria Georgia Virginia Melody Prudence Constance Christian Dominic Wednesday Robin Martin Jasper "
    "Ruby Ivy Violet Hunter Cooper Mason Parker Ward Mercedes Alexis Chance Max Minnie Norma Regina Gloria Clara Angela"
)
FAMILY = words_of(
    "Forest Winter Sommer Winters Rose Berlin Segment Segal Schmidt Mueller Müller Schneider Fischer Weber Wagner Becker "
    "Hoffmann Koch Richter Klein Wolf Neumann Schwarz Braun Zimmermann Krüger Hartmann Lange Lehmann Köhler Walter Kaiser "
    "Student Fisher Pearson Spearman Poisson Markov Bernoulli Wilson Brier Gauss Bayes Freeman Spencer Sterling Dollar Price "
    "Market Stone Banks Money Field Rivers Woods Young Best Strong Long Short Small Little Power Reason Page Cook Turner "
    "Knight Bishop North South Monday Freitag Winterbottom Friend English French Holland London Paris Chester Kernel Table "
    "Column Range Median Cluster Noise Ridge Branch Leaf Bush Marks Customer Average Region Category Helvetica Courier Silver "
    "Regular Premium Standard Library Random Service Quality Priority Purchase Number"
)
N_CUSTOMERS = 20_000


@pytest.fixture
def company(write_dataset: Callable[..., str]) -> Callable[..., Dataset]:
    """Return a function that opens the company's dataset."""
    rng = np.random.default_rng(5)
    n = np.arange(N_CUSTOMERS)
    given, family = rng.choice(GIVEN, N_CUSTOMERS), rng.choice(FAMILY, N_CUSTOMERS)
    customers = pd.DataFrame(
        {
            "customer_id": [f"C{100_000 + i}" for i in n],
            "first_name": given,
            "last_name": family,
            "customer_name": [f"{one} {other}" for one, other in zip(given, family, strict=True)],
            "email": [f"{one}.{other}{i}@mail.example".lower() for i, one, other in zip(n, given, family, strict=True)],
            "phone": [f"0{100 + i % 900} {1_000_000 + 7919 * i % 90_000_000}" for i in n],
            "birth_date": pd.Timestamp("1940-01-01") + pd.to_timedelta(n, "D"),
            "street": rng.choice(["Main Street 4", "12-14", "1 2 3 4 5", "Station Road 5"], N_CUSTOMERS),
            "tier": rng.choice(["Gold", "Silver", "Basic"], N_CUSTOMERS),
        }
    )
    lines = pd.DataFrame(
        {"customer_id": customers["customer_id"], "occurred_at": "2024-01-05", "amount": 10, "category": "Winter Rose"}
    )

    def opened(name: str, **change: object) -> Dataset:
        told = customers.assign(**change)
        return open_dataset(write_dataset(name, settings={"public": False}, customers=told, transactions=lines))

    return opened


def reports_of(run: PlantedRun) -> dict[str, object]:
    """Return the reports of a run's manifest."""
    reports: dict[str, object] = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))["reports"]
    return reports


def test_there_are_as_many_names_as_in_a_town() -> None:
    assert len(set(itertools.product(GIVEN, FAMILY))) > 5_000


@pytest.mark.parametrize("name", ["company", "schmidt"])
def test_its_reports_are_published(planted: PlantedRun, company: Callable[..., Dataset], name: str) -> None:
    refuse_leaks(planted.folder, company(name), reports_of(planted))


def test_a_name_that_does_stand_in_a_report_is_found_among_them(
    planted: PlantedRun, company: Callable[..., Dataset]
) -> None:
    hostile = company("company", last_name=["Zwirbelmeier", *["Schmidt"] * (N_CUSTOMERS - 1)])
    page = planted.folder.parent / "with_a_name" / "page.html"
    page.parent.mkdir()
    page.write_text("<html><p>We thank Mrs ZWIRBEL&shy;MEIER</p></html>", encoding="utf-8")
    with pytest.raises(ReportError, match=r"page\.html: customers\.last_name \(z… \(12 characters\)\)"):
        refuse_leaks(page.parent, hostile, {})


def test_a_name_that_the_dataset_itself_has_is_no_leak(planted: PlantedRun, company: Callable[..., Dataset]) -> None:
    page = planted.folder.parent / "with_its_own_name" / "page.html"
    page.parent.mkdir()
    page.write_text("<html><p>Data: schmidt, from params/datasets/schmidt.yaml</p></html>", encoding="utf-8")
    refuse_leaks(page.parent, company("schmidt"), {})
