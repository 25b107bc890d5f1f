"""A saved model comes back as it was, and nothing else comes with it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.errors import ModelError, ParamsError
from crm_analysis.models.storage import Feature, ModelDescription, load_model, save_model

DESCRIPTION = ModelDescription(
    kind="segments",
    dataset="läden",
    as_of=date(2024, 2, 29),
    currency="EUR",
    n_customers=12,
    features=(Feature(name="frequency", meaning="purchase days", unit="count"),),
    parameters={"history_days": 365},
    algorithm="kmeans",
    labels_by="nearest centre",
)
CONTENT = {"centres": np.array([[0.1, -2.0], [np.pi, 1e-300]]), "names": ["ü", "東京"], "deep": {"none": None, "n": 3}}


class Stranger:
    """A type that no model of the workspace has."""

    def __init__(self) -> None:
        self.value = 1


def test_what_was_saved_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    save_model(CONTENT, DESCRIPTION, to=tmp_path / "models" / "segments")
    saved = load_model(tmp_path / "models" / "segments")
    assert saved.description == DESCRIPTION
    np.testing.assert_array_equal(saved.content["centres"], CONTENT["centres"])
    assert {key: saved.content[key] for key in ("names", "deep")} == {key: CONTENT[key] for key in ("names", "deep")}


def test_estimators_predict_alike_after_loading(tmp_path: Path) -> None:
    points = np.random.default_rng(0).standard_normal((60, 3))
    fitted = {
        "kmeans": KMeans(3, n_init=1, random_state=0).fit(points),
        "tree": DecisionTreeClassifier(max_depth=2, random_state=0).fit(points, points[:, 0] > 0),
    }
    save_model(fitted, DESCRIPTION, to=tmp_path / "m")
    loaded = load_model(tmp_path / "m").content
    for name, model in fitted.items():
        np.testing.assert_array_equal(loaded[name].predict(points), model.predict(points))


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(CONTENT, DESCRIPTION, to=None)
    assert list(tmp_path.iterdir()) == []


def test_a_new_model_takes_the_place_of_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    save_model({"version": 1}, DESCRIPTION, to=tmp_path / "m")
    save_model({"version": 2}, DESCRIPTION, to=tmp_path / "m")
    assert load_model(tmp_path / "m").content == {"version": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["model.json", "model.skops"]


def test_a_type_from_elsewhere_is_neither_saved_nor_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="loading would refuse 1 of its types"):
        save_model({"stranger": Stranger()}, DESCRIPTION, to=tmp_path / "m")
    assert not (tmp_path / "m").exists()
    save_model(CONTENT, DESCRIPTION, to=tmp_path / "m")
    data = skops.io.dumps({"stranger": Stranger()})
    (tmp_path / "m" / "model.skops").write_bytes(data)
    with pytest.raises(ModelError, match="changed or damaged"):
        load_model(tmp_path / "m")
    forged = json.loads((tmp_path / "m" / "model.json").read_text(encoding="utf-8"))
    forged["sha256"] = hashlib.sha256(data).hexdigest()
    (tmp_path / "m" / "model.json").write_text(json.dumps(forged), encoding="utf-8")
    with pytest.raises(ModelError, match=r"holds 1 types that no model of this workspace has:\n.*Stranger") as caught:
        load_model(tmp_path / "m")
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("absent", ["model.skops", "model.json"])
def test_a_missing_file_is_named(tmp_path: Path, absent: str) -> None:
    save_model(CONTENT, DESCRIPTION, to=tmp_path / "m")
    (tmp_path / "m" / absent).unlink()
    with pytest.raises(ModelError, match=f"{absent} is not there"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "1 faults"),
        ('{"format": 1}', "3 faults"),
        ('{"format": 2, "sha256": "", "versions": {}, "description": {}}', "format: "),
    ],
)
def test_a_description_that_is_none_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    save_model(CONTENT, DESCRIPTION, to=tmp_path / "m")
    (tmp_path / "m" / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / "m")


def test_a_damaged_file_is_refused_even_when_its_sum_is_right(tmp_path: Path) -> None:
    save_model(CONTENT, DESCRIPTION, to=tmp_path / "m")
    (tmp_path / "m" / "model.skops").write_bytes(b"no archive")
    described = json.loads((tmp_path / "m" / "model.json").read_text(encoding="utf-8"))
    described["sha256"] = hashlib.sha256(b"no archive").hexdigest()
    (tmp_path / "m" / "model.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(tmp_path / "m")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ParamsError, match="cannot be written"):
        save_model(CONTENT, DESCRIPTION, to=tmp_path / "file" / "m")
