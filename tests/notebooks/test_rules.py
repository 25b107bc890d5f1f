"""Claims that hold for every notebook: thin, readable, parameterised, with outputs that can be compared."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crm_analysis.reporting.params import PARAMS

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))


TAKEN_WITH_PARAMS = {"out", "clear_ids"}  # by save_table
NOTHING_RANDOM = {("data_quality", "seed")}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


@pytest.fixture
def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def parameters(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    (cell,) = [cell for cell in code_cells(notebook) if "parameters" in tags(cell)]
    statements = ast.parse(cell.source).body
    assert all(isinstance(statement, ast.Assign) and len(statement.targets) == 1 for statement in statements)
    return {statement.targets[0].id: ast.literal_eval(statement.value) for statement in statements}  # type: ignore[attr-defined]


def test_there_is_a_notebook_for_every_report_and_no_other() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(PARAMS)


def test_it_is_thin(notebook: nbformat.NotebookNode) -> None:
    lines = [[line for line in cell.source.splitlines() if line.strip()] for cell in code_cells(notebook)]
    assert len(lines) <= 20
    assert sum(map(len, lines)) <= 120
    parameters, *others = lines  # parameters are a list: one a line, with its meaning
    assert "parameters" in tags(code_cells(notebook)[0])
    assert max(map(len, others)) <= 15
    assert len(parameters) <= 25


def test_it_only_calls(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        assert not re.search(r"^\s*(def|class|%|!|for|while|if)\b", cell.source, re.MULTILINE), cell.source


def test_it_has_one_title_with_question_reader_and_decision(notebook: nbformat.NotebookNode) -> None:
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert sum(len(re.findall(r"^# ", text, re.MULTILINE)) for text in texts) == 1
    assert notebook.cells[0].source.startswith("# ")
    for word in ("Question", "Reader", "Decision"):
        assert word in notebook.cells[0].source


def test_its_cells_are_named(notebook: nbformat.NotebookNode) -> None:
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) for name in ids), ids


def test_its_parameters_are_those_of_their_model(path: Path, notebook: nbformat.NotebookNode) -> None:
    expected = {name: field.default for name, field in PARAMS[path.stem].model_fields.items()}
    assert parameters(notebook) == expected


def test_every_parameter_is_used_through_params_only(path: Path, notebook: nbformat.NotebookNode) -> None:
    cells = [cell.source for cell in code_cells(notebook) if "parameters" not in tags(cell)]
    (making,) = [source for source in cells if re.search(r"^params = \w+Params\(", source, re.MULTILINE)]
    after = "\n".join(cells[cells.index(making) + 1 :])
    for name in PARAMS[path.stem].model_fields:
        assert f"{name}={name}" in making
        assert not re.search(rf"(?<![\w.]){name}\b(?!\s*=)", _without_strings(after)), name
        if name not in TAKEN_WITH_PARAMS and (path.stem, name) not in NOTHING_RANDOM:
            assert f"params.{name}" in making + after, name


def test_it_records_results_in_one_cell(notebook: nbformat.NotebookNode) -> None:
    (cell,) = [cell for cell in code_cells(notebook) if "results" in tags(cell)]
    recording = re.compile(r"\brecord(_all)?\(")
    assert recording.search(cell.source)
    assert not any(recording.search(other.source) for other in code_cells(notebook) if other is not cell)


def test_it_opens_with_its_kernel(notebook: nbformat.NotebookNode) -> None:
    assert notebook.metadata.kernelspec.name == "python3"


def test_its_committed_outputs_are_text_and_tables_only(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        if "show(" in cell.source:
            assert "nbval-ignore-output" in tags(cell)
            assert cell.outputs == []
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.output_type != "stream", output.get("text")
            assert not any(kind.startswith("image/") for kind in output.data)


def test_its_committed_numbers_have_at_most_three_decimals(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert not re.search(r"\d\.\d{4,}", output.data.get("text/plain", "")), cell.id


def test_it_names_no_path_and_no_python_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert str(Path.home()) not in text
    assert str(path.parent.parent) not in text
    assert not re.search(r'"version": "3\.', text)


def _without_strings(source: str) -> str:
    return re.sub(r"""(["'])(?:\\.|(?!\1).)*\1""", '""', source)
