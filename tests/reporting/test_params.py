"""Claims about the parameters of reports."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from crm_analysis.errors import ParamsError
from crm_analysis.reporting.params import PARAMS, ForecastingParams, SegmentationParams, ServiceQualityParams, described


def test_a_day_is_read_as_a_file_or_papermill_gives_it() -> None:
    assert SegmentationParams(as_of="2024-02-29").as_of == date(2024, 2, 29)  # type: ignore[arg-type]
    assert SegmentationParams(as_of=date(2024, 2, 29)).as_of == date(2024, 2, 29)


@pytest.mark.parametrize("report", PARAMS)
def test_what_is_handed_to_a_notebook_reads_back_the_same(report: str) -> None:
    given = PARAMS[report](as_of=date(2024, 2, 29), where={"region": "north"}, seed=7)
    assert PARAMS[report](**given.model_dump(mode="json")) == given


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"horizon_dasy": 30}, r"horizon_dasy: unknown name \(did you mean 'horizon_days'\?\)"),
        ({"horizon_days": "30"}, "horizon_days: Input should be a valid integer, got '30'"),
        ({"horizon_days": 30.5}, "horizon_days"),
        ({"horizon_days": True}, "horizon_days"),
        ({"horizon_days": 1}, "greater than or equal to 7, got 1"),
        ({"as_of": "31.12.2017"}, "as_of"),
        ({"as_of": 20171231}, "as_of"),
        ({"seed": -1}, "seed"),
        ({"where": {"region": ["north"]}}, "where.region"),
    ],
)
def test_a_wrong_parameter_is_told_with_its_value(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        ForecastingParams.checked(values, where="forecasting")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ParamsError, match="forecasting has 2 faults") as caught:
        ForecastingParams.checked({"horizon_days": 1, "seeed": 1}, where="forecasting")
    assert len(caught.value.faults) == 2


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ParamsError, match="lies before holdout_from"):
        ServiceQualityParams.checked(
            {"holdout_from": "2024-02-01", "holdout_to": "2024-01-01"}, where="service_quality"
        )


def test_parameters_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SegmentationParams().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize("report", PARAMS)
def test_every_parameter_is_described(report: str) -> None:
    assert all(all(row[:3]) and row[3] for row in described(report))


@pytest.mark.parametrize("report", PARAMS)
def test_ids_are_in_clear_only_where_it_is_asked_for(report: str) -> None:
    assert PARAMS[report]().clear_ids is False
    assert PARAMS[report](clear_ids=True).clear_ids
    with pytest.raises(ParamsError, match="clear_ids"):
        PARAMS[report].checked({"clear_ids": "yes"}, where=report)
    meaning = "lists in tables/ show customer ids as they are in the source"
    assert ("clear_ids", "boolean", "False", meaning) in described(report)
