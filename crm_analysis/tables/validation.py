"""
Files written by people: YAML read strictly, and every fault of it told at once.

What a file may say belongs to the pydantic model that describes it.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crm_analysis.errors import ParamsError, listed
from crm_analysis.tables.workspace import did_you_mean

Model = TypeVar("Model", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, which also refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """
    Read a YAML file whose top level is a mapping.

    Parameters
    ----------
    path : pathlib.Path
        An existing file, UTF-8.

    Returns
    -------
    dict
        What it says.

    Raises
    ------
    ParamsError
        The file is no YAML, holds a key twice, or is no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a safe loader, made stricter
    except yaml.MarkedYAMLError as error:  # as text it quotes the line, which may hold a password
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ParamsError(f"{path.name} cannot be read as YAML: {error.problem or error.context}{place}") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ParamsError(f"{path.name} cannot be read as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path.name} must hold names and values (name: value), got {type(content).__name__}.")
    return content


def validated(model: type[Model], content: dict[str, Any], *, where: str) -> Model:
    """
    Check what a person wrote against the model that describes it.

    Parameters
    ----------
    model : type of pydantic.BaseModel
        What may be said.
    content : dict
        What was said.
    where : str
        The file or option it came from, for the message.

    Returns
    -------
    pydantic.BaseModel
        The model's instance.

    Raises
    ------
    ParamsError
        All faults at once, each with its place.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = faults_of(error, model)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ParamsError(f"{where} has {count}:\n{listed(faults)}", faults=faults) from None


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """
    Return a validation error as one sentence a fault.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic found.
    model : type of pydantic.BaseModel
        Its top model, for the names that were to be expected.

    Returns
    -------
    list of str
        Place, what is wrong, the value given (never that of a nested mapping).
    """
    return [_sentence(fault, model) for fault in error.errors(include_url=False)]


def _sentence(fault: ErrorDetails, model: type[BaseModel]) -> str:
    parts = ("[hidden]" if _holds_address(part) else str(part) for part in fault["loc"])
    place = ".".join(parts) or "as a whole"
    if fault["type"] == "extra_forbidden":
        known = list(model.model_fields)
        hint = did_you_mean(str(fault["loc"][-1]), known)
        if len(fault["loc"]) == 1:
            return f"{place}: unknown name{hint}; known are {', '.join(known)}"
        return f"{place}: unknown name"
    if fault["type"] == "missing":
        return f"{place}: is missing"
    value = fault.get("input")
    hidden = isinstance(value, dict | list) or "connection" in fault["loc"] or _holds_address(value)
    given = "" if hidden else f", got {value!r}"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}{given}"


def _holds_address(value: object) -> bool:
    """Return whether a text may be an address with a password in it."""
    return isinstance(value, str) and "://" in value
