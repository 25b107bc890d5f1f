"""Open cases are counted at each midnight, with their ages, by pencil."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.service_quality.measures.backlog import OVERDUE, backlog
from crm_analysis.models.service_quality.measures.case_table import checked_cases
from tests.models.service_quality.measures.made_cases import AS_OF, random_table, table

OPENED = pd.to_datetime(["2024-12-16 00:00", "2024-12-18 12:00", "2024-12-24 00:00", "2024-12-31 12:00"])


def waiting(courses, **options):
    return backlog(checked_cases(courses, as_of=AS_OF), **options)


@pytest.fixture
def four_cases():
    hours = [7 * 24.0, 10 * 24.0, None, None]
    return table(
        opened_at=OPENED, resolution_hours=hours, team=["a", "a", "b", "b"], target_hours=[24.0, 24.0, 48.0, 48.0]
    )


def test_weeks_by_pencil(four_cases):
    history = waiting(four_cases).history
    assert history.index.strftime("%Y-%m-%d").tolist() == ["2024-12-22", "2024-12-29", "2024-12-31"]
    assert history["open_cases"].tolist() == [2, 1, 2]  # what is closed at a midnight was open until then
    assert history["opened"].tolist() == [2, 1, 1]
    assert history["closed"].tolist() == [0, 2, 0]
    assert history["median_age_days"].tolist() == pytest.approx([(7 + 4.5) / 2, 6, (8 + 0.5) / 2])
    assert history["overdue"].tolist() == [2, 1, 1]


def test_now_by_pencil(four_cases):
    result = waiting(four_cases)
    assert result.n_open == 2
    assert result.now.loc["b"].to_dict() == {
        "under 1 day": 1,
        "1 to 3 days": 0,
        "3 to 7 days": 0,
        "7 to 28 days": 1,
        "28 days or more": 0,
        "in all": 2,
        OVERDUE: 1,
    }
    assert result.now.loc["a", "in all"] == 0


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_what_comes_in_less_what_goes_out_is_what_stays(period):
    courses = random_table(1000)
    history = waiting(courses, period=period).history
    assert (history["opened"] - history["closed"]).cumsum().tolist() == history["open_cases"].tolist()
    assert history["open_cases"].iloc[-1] == courses["is_open"].sum()


def test_each_midnight_is_counted_as_a_plain_comparison_counts():
    courses = random_table(600)
    history = waiting(courses, period="day").history
    closed = courses["opened_at"] + pd.to_timedelta(courses["resolution_hours"], unit="h")
    for day in history.index[::40]:
        end = day + pd.Timedelta(days=1)
        is_open = (courses["opened_at"] < end) & ~(closed < end)
        assert history.loc[day, "open_cases"] == is_open.sum()


def test_without_due_times_nothing_is_overdue_or_not(four_cases):
    result = waiting(four_cases.assign(target_hours=np.nan))
    assert result.history["overdue"].isna().all()
    assert result.now[OVERDUE].isna().all()


def test_all_closed_and_all_open():
    closed = waiting(table(opened_at=OPENED, resolution_hours=[1.0] * 4))
    assert closed.n_open == 0
    assert np.isnan(closed.history["median_age_days"].iloc[-1])
    assert waiting(table(opened_at=OPENED, resolution_hours=[None] * 4)).n_open == 4


def test_few_customers_are_not_told(four_cases):
    result = waiting(four_cases, min_cell=5)
    assert result.n_open is None
    assert result.now.loc["b"].isna().sum() >= 3
    assert result.history["open_cases"].isna().all()
    courses = random_table(2000, n_customers=1500)
    shown = waiting(courses, min_cell=5)
    assert shown.now.loc["小組"].drop("in all").fillna(0).sum() == 0


def test_a_team_is_not_needed(four_cases):
    result = waiting(four_cases.assign(team=None))
    assert result.now.index.tolist() == ["all cases"]


def test_no_hidden_number_follows_from_the_others():
    courses = random_table(500, n_customers=400)
    history = waiting(courses, period="day", min_cell=3).history
    assert history["open_cases"].isna().any()
    hidden = history[["open_cases", "opened", "closed"]].isna()
    told = hidden.sum(axis=1) + hidden["open_cases"].shift(fill_value=False).astype(int)
    assert (told != 1).all()
