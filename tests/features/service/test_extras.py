"""Further columns are taken as what they are, or refused with the reason."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import ParamsError
from crm_analysis.features.service import NUMBERS, case_features
from crm_analysis.tables.datasets import open_dataset

CASES = pd.DataFrame(
    {
        "case_id": ["b", "a", "c"],
        "customer_id": ["anna", "ben", "anna"],
        "opened_at": pd.to_datetime(["2024-01-02 09:00", "2024-01-01 09:00", "2024-01-03 09:00"]),
        "resolved_at": pd.to_datetime(["2024-01-02 10:00", None, None]),
        "reopens": [1, None, None],
        "impact": ["high", "地", None],
        "code": ["01", "02", "03"],
        "size": [1.5, None, 3.0],
        "vip": [True, None, False],
        "called_at": pd.to_datetime(["2024-01-02", "2024-01-02", None]),
    }
)


@pytest.fixture
def known(write_dataset, workspace):
    name = write_dataset(service_cases=CASES)
    CASES.to_parquet(workspace / "params" / "datasets" / "cases.parquet")
    file = workspace / "params" / "datasets" / f"{name}.yaml"
    file.write_text(file.read_text().replace("shop_service_cases.csv", "cases.parquet"))
    return open_dataset(name).known(dt.date(2024, 1, 10))


def test_text_becomes_levels_and_the_rest_numbers(known):
    features = case_features(known, extra=["impact", "code", "size", "vip"])
    assert features["case_id"].tolist() == ["a", "b", "c"]
    assert list(features.select_dtypes("str"))[-2:] == ["impact", "code"]
    assert list(features.select_dtypes("number")) == [*NUMBERS, "size", "vip"]
    assert features["impact"].fillna("none").tolist() == ["地", "high", "none"]
    assert features["code"].tolist() == ["02", "01", "03"]  # a code stays one
    np.testing.assert_array_equal(features[["size", "vip"]], [[np.nan, np.nan], [1.5, 1], [3, 0]])


def test_an_age_keeps_the_extra_columns(known):
    features = case_features(known, age_hours=5, extra=["impact", "impact"])
    assert features["case_id"].tolist() == ["a", "c"]
    assert features.columns[-1] == "impact"


def test_all_columns_that_cannot_be_used_are_told_at_once(known):
    asked = ["impcat", "reopens", "team", "case_id", "due_at"]
    with pytest.raises(ParamsError, match="5 of 6 extra columns cannot be used") as caught:
        case_features(known, extra=[*asked, "size"])
    message = str(caught.value)
    assert "it has" not in message
    assert "service_cases has impact, code, size, vip, called_at" in message
    assert "'impcat': there is no such column (did you mean 'impact'?)" in message
    assert "'reopens': it is known only later, with resolved_at: it would tell the outcome" in message
    assert "'team': it is a feature already" in message
    assert "'case_id': it names the case" in message
    assert len(caught.value.faults) == 5
    with pytest.raises(ParamsError, match="'called_at': it holds neither text nor numbers but TIMESTAMP"):
        case_features(known, extra=["called_at"])


def test_a_dataset_without_further_columns_says_so(write_dataset):
    bare = open_dataset(write_dataset(service_cases=CASES[["case_id", "customer_id", "opened_at"]]))
    with pytest.raises(ParamsError, match="service_cases has no further columns"):
        case_features(bare.known(dt.date(2024, 1, 10)), extra=["impact"])
