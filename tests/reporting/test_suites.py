"""Claims about suites: from a file and options to the reports to be made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from crm_analysis.errors import ParamsError
from crm_analysis.reporting.suites import Suite, read_suite

AS_OF = date(2024, 3, 1)
SUITE = {
    "dataset": "shop",
    "reports": {"segmentation": {"history_days": 90}, "forecasting": None},
    "for_each": {"region": ["north", "a/b.c=d"]},
}


@pytest.fixture
def suite(workspace: Path) -> Suite:
    (workspace / "params/trial.yaml").write_text(yaml.safe_dump(SUITE, sort_keys=False))
    return read_suite("trial")


def test_reports_are_listed_as_only_takes_them(suite: Suite) -> None:
    assert suite.identifiers == [
        "segmentation@region=north",
        "segmentation@region=a/b.c=d",
        "forecasting@region=north",
        "forecasting@region=a/b.c=d",
    ]
    for identifier in suite.identifiers:
        assert [job.identifier for job in suite.jobs(as_of=AS_OF, dataset="shop", only=[identifier])] == [identifier]


def test_a_bare_name_means_all_its_values(suite: Suite) -> None:
    jobs = suite.jobs(as_of=AS_OF, dataset="shop", only=["forecasting"], settings=["forecasting.horizon_days=30"])
    assert [job.params.model_dump()["horizon_days"] for job in jobs] == [30, 30]


def test_a_setting_for_one_value_goes_before_one_for_all(suite: Suite) -> None:
    settings = ["segmentation@region=a/b.c=d.seed=5", "segmentation.seed=4"]
    jobs = suite.jobs(as_of=AS_OF, dataset="shop", settings=settings, only=["segmentation"])
    assert [(job.params.where, job.params.seed) for job in jobs] == [
        ({"region": "north"}, 4),
        ({"region": "a/b.c=d"}, 5),
    ]


def test_parameters_come_from_the_file_and_the_suite(suite: Suite) -> None:
    job = suite.jobs(as_of=AS_OF, dataset="shop")[0]
    assert job.params.model_dump() | {"history_days": 90, "as_of": AS_OF, "out": "."} == job.params.model_dump()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["segmentation.max_segmets=3"], "did you mean 'max_segments'"),
        (["segmentation.max_segments=[3"], "cannot be read as YAML"),
        (["segmentation.max_segments"], "write ID.NAME=VALUE"),
        (["segmentaton.seed=1"], "makes no report 'segmentaton'"),
        (["segmentation.as_of=2024-01-01"], "belongs to the whole suite"),
    ],
)
def test_a_wrong_setting_says_what_to_do(suite: Suite, settings: list[str], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        suite.jobs(as_of=AS_OF, dataset="shop", settings=settings)


def test_faults_of_all_reports_are_told_at_once(suite: Suite) -> None:
    with pytest.raises(ParamsError, match="have 4 faults") as caught:
        suite.jobs(as_of=AS_OF, dataset="shop", settings=["segmentation.seed=x", "forecasting.seeed=1"])
    assert len(caught.value.faults) == 4


def test_an_unknown_report_is_refused_with_how_to_list_them(suite: Suite) -> None:
    with pytest.raises(ParamsError, match=r"(?s)did you mean.*crm-analysis list trial"):
        suite.jobs(as_of=AS_OF, dataset="shop", only=["segmentation@region=nort"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reports": {"segmentaton": {}}}, r"no report 'segmentaton' \(did you mean 'segmentation'\?\)"),
        ({"reports": {}}, "reports"),
        ({"reports": {"segmentation": {"as_of": "2024-01-01"}}}, "belongs to the whole suite"),
        ({"asof": "2024-01-01"}, r"asof: unknown name \(did you mean 'as_of'\?\)"),
        ({"as_of": 20240101}, "as_of"),
        ({"for_each": {"region": []}}, "for_each.region"),
        ({"dataset": None}, "dataset"),
    ],
)
def test_a_wrong_suite_file_says_what_is_wrong(workspace: Path, change: dict[str, object], message: str) -> None:
    (workspace / "params/trial.yaml").write_text(yaml.safe_dump(SUITE | change))
    with pytest.raises(ParamsError, match=message):
        read_suite("trial")


def test_a_path_is_a_suite_too(workspace: Path, suite: Suite) -> None:
    (workspace / "params/trial.yaml").rename(workspace / "own.yaml")
    assert read_suite("own.yaml").name == "own"
    with pytest.raises(ParamsError, match=r"no suite file other\.yaml"):
        read_suite("other.yaml")
