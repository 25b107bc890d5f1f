"""Claims of the papers, held to the code: what they list is there, and what is there is listed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from crm_analysis import __version__
from crm_analysis.cli import main
from crm_analysis.features.purchases import FEATURES
from crm_analysis.reporting.params import PARAMS
from crm_analysis.reporting.suites import SuiteFile, read_suite
from crm_analysis.tables.cleaning.rules import RULES
from crm_analysis.tables.dataset_file import DatasetFile, read_dataset_file
from tests.lock import environment, pins
from tests.notebooks.test_results import PROMISED

ROOT = Path(__file__).parent.parent.parent
PAPERS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md", "benchmarks/README.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return content


def modules() -> set[str]:
    """Every module of a room; a folder of small modules counts as one."""
    package = ROOT / "crm_analysis"
    top = {path.stem for path in package.glob("*.py")}
    rooms = {f"{path.parent.name}.{path.stem}" for path in package.glob("*/*.py")}
    folders = {f"{path.parent.parent.name}.{path.parent.name}" for path in package.glob("*/*/__init__.py")}
    return {name for name in top | rooms | folders if not name.endswith("__init__")}


def test_architecture_lists_every_module_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([a-z_.]+)` \|", read("ARCHITECTURE.md"), re.MULTILINE))
    assert listed == modules()


def test_architecture_says_why_of_every_dependency(project: dict[str, Any]) -> None:
    paper = read("ARCHITECTURE.md").partition("## Dependencies")[2]
    extras = project["optional-dependencies"]["tests"]
    names = [Requirement(line).name for line in project["dependencies"] + extras]
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", paper)] == []


@pytest.mark.parametrize("paper", PAPERS)
def test_links_of_the_papers_lead_somewhere(paper: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", read(paper))
    assert [link for link in links if not ((ROOT / paper).parent / link).exists()] == []


def test_readme_lists_every_report_and_command() -> None:
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", read("README.md"), re.MULTILINE))
    assert listed == set(PARAMS)
    assert set(re.findall(r"^\| `crm-analysis ([a-z]+)", read("README.md"), re.MULTILINE)) == set(main.commands)


def test_readme_lists_every_cleaning_rule() -> None:
    assert re.findall(r"^\| `([a-z_]+): ", read("README.md"), re.MULTILINE) == list(RULES)


def test_the_example_of_readme_is_a_dataset_file_and_a_suite() -> None:
    dataset, suite = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", read("README.md"), re.DOTALL))
    DatasetFile.model_validate(dataset)
    SuiteFile.model_validate(suite)


def test_every_file_in_params_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    datasets = sorted((ROOT / "params" / "datasets").glob("*.yaml"))
    suites = sorted((ROOT / "params").glob("*.yaml"))
    assert [read_dataset_file(path.stem)[0].name for path in datasets] == [path.stem for path in datasets]
    for path in suites:
        assert read_suite(path.stem).identifiers


def test_every_target_of_make_has_its_help() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    answer = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", "help"], capture_output=True, text=True, check=True
    )
    assert targets == {line.split()[0] for line in answer.stdout.splitlines()}
    assert {"report", "test", "lab", "lint", "format", "notebooks", "bench", "clean"} <= targets


@pytest.mark.parametrize(
    "term", [*FEATURES, "spend_ahead", "transactions_ahead", *chain.from_iterable(PROMISED.values())]
)
def test_glossary_defines_every_feature_and_recorded_name(term: str) -> None:
    assert f"`{term}`" in read("GLOSSARY.md")


def test_the_lock_satisfies_every_requirement(project: dict[str, Any]) -> None:
    locked = {pin.name: pin for pin in map(Requirement, pins(read("requirements.lock")))}
    for line in project["dependencies"] + project["optional-dependencies"]["tests"]:
        wanted = Requirement(line)
        (specifier,) = locked[wanted.name].specifier
        assert wanted.specifier.contains(Version(specifier.version)), line


def test_conda_gets_the_same_pins() -> None:
    assert read("environment.yml") == environment(read("requirements.lock"))
    content = yaml.safe_load(read("environment.yml"))
    assert content["dependencies"][-1]["pip"][:-1] == pins(read("requirements.lock"))


@pytest.mark.parametrize(("name", "at_least"), [("requirements.lock", 100), ("tests/peers.lock", 2)])
def test_every_pin_has_its_hash_and_no_host(name: str, at_least: int) -> None:
    lock = read(name)
    assert len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", lock)) == len(pins(lock)) >= at_least
    assert "://" not in lock
    assert "index" not in lock


def test_versions_agree(project: dict[str, Any]) -> None:
    assert project["version"] == __version__


def test_no_module_is_longer_than_one_reads() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "crm_analysis").rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
