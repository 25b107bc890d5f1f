"""Claims about cases a day: no gaps, no parts of days, no days that the table does not reach."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError
from crm_analysis.models.service_quality.workload.arrivals import daily_cases
from tests.models.service_quality.workload.desk import START, drawn_cases, drawn_counts


def cases_at(*times: str) -> pd.DataFrame:
    """Return a case at each time, of one customer."""
    return pd.DataFrame({"customer_id": "a", "opened_at": pd.to_datetime(list(times)).astype("datetime64[us]")})


def busy(n_days: int = 60, mean: float = 40) -> pd.DataFrame:
    """Return a desk at which many cases come at all hours of the day."""
    return drawn_cases(drawn_counts(n_days, mean=mean, seed=1), seed=1)


def last_day(cases: pd.DataFrame) -> date:
    return cases["opened_at"].max().date()


def test_days_without_cases_count_zero() -> None:
    found = daily_cases(cases_at("2024-05-01 09:00", "2024-05-04 10:00", "2024-05-04 23:59"), as_of=date(2024, 5, 5))
    assert found.table["cases"].tolist() == [1, 0, 0, 2, 0]
    assert found.table["customers"].tolist() == [1, 0, 0, 1, 0]
    assert found.left_out == ()


def test_a_last_day_that_breaks_off_is_left_out() -> None:
    cases = busy()
    as_of = last_day(cases)
    broken = cases[cases["opened_at"] < pd.Timestamp(as_of) + pd.Timedelta(hours=10)]
    whole, cut = daily_cases(cases, as_of=as_of), daily_cases(broken, as_of=as_of)
    assert whole.left_out == ()
    assert cut.left_out == (pd.Timestamp(as_of),)
    pd.testing.assert_frame_equal(cut.table, whole.table.iloc[:-1], check_freq=False)


def test_a_first_day_that_begins_late_is_left_out() -> None:
    cases = busy()
    found = daily_cases(cases[cases["opened_at"] >= START + pd.Timedelta(hours=16)], as_of=last_day(cases))
    assert found.left_out == (START,)
    assert found.table.index[0] == START + pd.Timedelta(days=1)


def test_a_table_that_ends_early_is_not_taken_for_silence() -> None:
    cases = busy()
    as_of = (pd.Timestamp(last_day(cases)) + pd.Timedelta(days=9)).date()
    found = daily_cases(cases, as_of=as_of)
    assert found.n_days_uncovered == 9
    assert found.table.index[-1].date() == last_day(cases)


def test_a_few_silent_days_of_a_quiet_desk_are_silence() -> None:
    cases = drawn_cases(drawn_counts(60, mean=0.3, seed=3), seed=3)
    as_of = (pd.Timestamp(last_day(cases)) + pd.Timedelta(days=6)).date()
    found = daily_cases(cases, as_of=as_of)
    assert (found.n_days_uncovered, found.left_out) == (0, ())
    assert found.table["cases"].iloc[-6:].tolist() == [0] * 6


def test_order_and_names_change_nothing() -> None:
    cases = busy()
    other = cases.assign(customer_id="客户 " + cases["customer_id"]).sample(frac=1, random_state=1)
    as_of = last_day(cases)
    pd.testing.assert_frame_equal(daily_cases(cases, as_of=as_of).table, daily_cases(other, as_of=as_of).table)


def test_no_case_is_no_day() -> None:
    nothing = cases_at("2024-05-01").iloc[:0]
    assert daily_cases(nothing, as_of=date(2024, 5, 1)).table.empty


def test_cases_without_a_time_or_after_the_day_are_refused() -> None:
    cases = cases_at("2024-05-01 09:00", "2024-05-03 00:00", "2024-05-01 10:00")
    cases.loc[2, "opened_at"] = np.datetime64("NaT")
    with pytest.raises(DataQualityError, match=r"Of 3 cases, 1 have no opened_at and 1 opened after 2024-05-02"):
        daily_cases(cases, as_of=date(2024, 5, 2))
