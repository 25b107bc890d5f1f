"""
Models on disk: what was fitted, without pickle, and beside it in words what it was fitted to.

What a model holds, and how it is applied, belongs in the module of its kind and in :mod:`crm_analysis.models.scoring`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import sklearn
import skops
import skops.io
from pydantic import BaseModel, ConfigDict, ValidationError

from crm_analysis import __version__
from crm_analysis.errors import ModelError, ParamsError, listed
from crm_analysis.tables.validation import faults_of

FITTED, DESCRIBED = "model.skops", "model.json"
# Types beyond numbers, texts, arrays and the estimators that skops trusts by itself; never the list that a file brings along.
TRUSTED = ("sklearn.tree._tree.Tree",)
FORMAT = 1


class Feature(BaseModel):
    """One column that a model needs, and what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    meaning: str
    unit: str


class ModelDescription(BaseModel):
    """What a person, or a later run, must know of a model before applying it; ``model.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    dataset: str
    as_of: date
    currency: str
    n_customers: int
    features: tuple[Feature, ...]
    parameters: dict[str, int | float | str | bool | None]
    algorithm: str
    labels_by: str
    notes: tuple[str, ...] = ()


class _Envelope(BaseModel):
    """``model.json`` as it is written: the description, and what proves that the two files belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    sha256: str
    versions: dict[str, str]
    description: ModelDescription


@dataclass(frozen=True)
class SavedModel:
    """
    A model as it was saved.

    Attributes
    ----------
    content : object
        What was fitted: numbers, texts and arrays in dictionaries and lists, or scikit-learn's estimators.
    description : ModelDescription
        What it was fitted to.
    """

    content: Any
    description: ModelDescription


def save_model(content: object, description: ModelDescription, *, to: Path | None) -> None:
    """
    Write a model into a folder of its own; nothing where there is no folder.

    Parameters
    ----------
    content : object
        What was fitted: numbers, texts and arrays in dictionaries and lists, or scikit-learn's estimators.
    description : ModelDescription
        What it was fitted to.
    to : pathlib.Path, optional
        The folder; an earlier model in it is replaced once the new one is whole.

    Raises
    ------
    ModelError
        It holds types that loading would refuse.
    ParamsError
        The folder cannot be written.
    """
    if to is None:
        return
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent) as scratch:
            whole = Path(scratch) / "whole"
            whole.mkdir()
            _write(content, description, whole)
            if to.exists():
                shutil.rmtree(to)
            whole.rename(to)
    except OSError as error:
        raise ParamsError(f"The model cannot be written to {to} ({error.strerror}). Choose another folder.") from error


def load_model(folder: Path, *, root: Path = Path()) -> SavedModel:
    """
    Read a model that was saved.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``model.skops`` and ``model.json``; messages name it as it is given.
    root : pathlib.Path
        Where a relative folder starts; default: the current folder.

    Returns
    -------
    SavedModel
        Content and description.

    Raises
    ------
    ModelError
        A file is missing, damaged, of another format, does not belong to the other one, or holds types that are not on the fixed
        list: a file from elsewhere can run nothing here.
    """
    absent = [name for name in (FITTED, DESCRIBED) if not (root / folder / name).is_file()]
    if absent:
        raise ModelError(
            f"{folder} holds no model: {' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not there. "
            "Give the folder of a model, such as models/segments of a run."
        )
    envelope = _envelope((root / folder / DESCRIBED).read_bytes(), folder / DESCRIBED)
    data = (root / folder / FITTED).read_bytes()
    if hashlib.sha256(data).hexdigest() != envelope.sha256:
        raise ModelError(
            f"{folder / FITTED} is not the file that {DESCRIBED} describes: it was changed or damaged. Make the model anew."
        )
    return SavedModel(_unpacked(data, folder / FITTED), envelope.description)


def _write(content: object, description: ModelDescription, folder: Path) -> None:
    data = skops.io.dumps(content)
    if foreign := _foreign_types(data):
        raise ModelError(
            f"This model cannot be saved: loading would refuse {len(foreign)} of its types:\n{listed(foreign)}"
        )
    versions = {"crm_analysis": __version__, "scikit-learn": sklearn.__version__, "skops": skops.__version__}
    envelope = _Envelope(
        format=FORMAT, sha256=hashlib.sha256(data).hexdigest(), versions=versions, description=description
    )
    (folder / FITTED).write_bytes(data)
    text = json.dumps(envelope.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / DESCRIBED).write_text(text + "\n", encoding="utf-8")


def _envelope(text: bytes, path: Path) -> _Envelope:
    try:
        return _Envelope.model_validate_json(text)
    except ValidationError as error:
        faults = faults_of(error, _Envelope)
        raise ModelError(
            f"{path} does not describe a model that this version knows ({len(faults)} faults):\n{listed(faults)}\n"
            "Make the model anew with this version.",
            faults=faults,
        ) from None


def _unpacked(data: bytes, path: Path) -> Any:
    try:
        foreign = _foreign_types(data)
        if not foreign:
            return skops.io.loads(data, trusted=list(TRUSTED))
    except Exception as error:
        raise ModelError(f"{path} cannot be read ({type(error).__name__}). Make the model anew.") from error
    raise ModelError(
        f"{path} holds {len(foreign)} types that no model of this workspace has:\n{listed(foreign)}\nDo not use it.",
        faults=foreign,
    )


def _foreign_types(data: bytes) -> list[str]:
    return sorted(set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED))
