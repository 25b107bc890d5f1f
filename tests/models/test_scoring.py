"""A saved model puts the customers of a dataset where it put them when it was made, and says what it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from crm_analysis.cli import main
from crm_analysis.errors import ModelError
from crm_analysis.features.customers import customer_features
from crm_analysis.models import segmentation as segments
from crm_analysis.models.scoring import score_dataset
from crm_analysis.models.storage import ModelDescription, save_model
from crm_analysis.tables.datasets import Dataset, open_dataset

Write = Callable[..., str]
HISTORY = 300
SAME = {"history_days": HISTORY, "currency": "EUR"}


def purchases(seed: int = 0, customers: int = 60) -> pd.DataFrame:
    """Half of the customers buy often and little, half seldom and much; each has a taste."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        is_often = number % 2 == 0
        days = np.sort(rng.choice(300, 40 if is_often else 5, replace=False))
        taste = ["tea", "bread", "milk"] if number % 3 else ["wine", "cheese", "bread"]
        rows += [
            (f"c{number:03d}", pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(day)), amount, rng.choice(taste))
            for day in days
            for amount in rng.gamma(9, 2.0 if is_often else 20.0, 2).round(2)
        ]
    table = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount", "category"])
    return table.assign(occurred_at=table["occurred_at"].astype(str))


@pytest.fixture
def shop_of_two(write_dataset: Write) -> Dataset:
    return open_dataset(write_dataset(transactions=purchases()))


@pytest.fixture
def made(shop_of_two: Dataset, tmp_path: Path) -> tuple[segments.Segmentation, Path]:
    """Segments of the shop, and the folder they were saved in."""
    day = shop_of_two.day(None)
    known = shop_of_two.known(day)
    features = customer_features(known, history_days=HISTORY)
    result = segments.segment_customers(features, seed=0, n_bootstraps=5)
    segments.save_segments(result, shop_of_two, as_of=day, history_days=HISTORY, to=tmp_path / "models" / "segments")
    needs = segments.customer_needs(
        known, "category", history_days=HISTORY, seed=0, max_groups=4, min_stability=0.8, n_bootstraps=5, min_cell=1
    )
    segments.save_needs(
        needs, shop_of_two, column="category", as_of=day, history_days=HISTORY, to=tmp_path / "models" / "needs"
    )
    return result, tmp_path / "models"


def test_the_same_customers_get_the_same_segments(
    made: tuple[segments.Segmentation, Path], shop_of_two: Dataset
) -> None:
    result, models = made
    scores = score_dataset(models / "segments", shop_of_two)
    assert list(scores.table.columns)[:3] == ["customer_id", "segment", "assigned_by"]
    by_customer = scores.table.set_index("customer_id")
    assert by_customer["segment"].to_dict() == result.labels.to_dict()
    assert result.n_segments == 2
    assert scores.summary.startswith("60 customers of shop as of 2024-10-2")
    assert "60 by nearest centre" in scores.summary


def test_a_customer_scores_the_same_alone_and_among_others(
    made: tuple[segments.Segmentation, Path], shop_of_two: Dataset, write_dataset: Write
) -> None:
    _, models = made
    lines = purchases()
    alone = open_dataset(write_dataset("alone", transactions=lines[lines["customer_id"] == "c007"]))
    for kind in ("segments", "needs"):
        crowd = score_dataset(models / kind, shop_of_two, as_of=alone.last_day).table.set_index("customer_id")
        single = score_dataset(models / kind, alone).table.set_index("customer_id")
        assert len(crowd) > 1
        pd.testing.assert_frame_equal(single, crowd.loc[["c007"]])


def test_needs_are_scored_by_what_is_bought(made: tuple[segments.Segmentation, Path], shop_of_two: Dataset) -> None:
    _, models = made
    table = score_dataset(models / "needs", shop_of_two).table
    assert list(table.columns) == ["customer_id", "need", "assigned_by"]
    assert len(table) == 60


def test_another_currency_is_refused(made: tuple[segments.Segmentation, Path], write_dataset: Write) -> None:
    _, models = made
    dollars = open_dataset(write_dataset("dollars", settings={"currency": "USD"}, transactions=purchases()))
    with pytest.raises(ModelError, match="counts monetary_value in EUR, dataset dollars is in USD"):
        score_dataset(models / "segments", dollars)


def test_data_without_the_needed_column_are_refused(
    made: tuple[segments.Segmentation, Path], write_dataset: Write
) -> None:
    _, models = made
    plain = open_dataset(write_dataset("plain", transactions=purchases().drop(columns="category")))
    with pytest.raises(ModelError, match="cannot be applied to dataset plain"):
        score_dataset(models / "needs", plain)


def test_a_model_of_another_kind_is_named(shop_of_two: Dataset, tmp_path: Path) -> None:
    description = ModelDescription(
        kind="weather",
        dataset="x",
        as_of=shop_of_two.last_day,
        currency="EUR",
        n_customers=1,
        features=(),
        parameters={},
        algorithm="none",
        labels_by="nothing",
    )
    save_model({}, description, to=tmp_path / "m")
    with pytest.raises(ModelError, match=r"kind 'weather'; customers are scored by segments or needs"):
        score_dataset(tmp_path / "m", shop_of_two)
    save_model({}, description.model_copy(update={"kind": "segments"}), to=tmp_path / "m")
    with pytest.raises(ModelError, match="history_days"):
        score_dataset(tmp_path / "m", shop_of_two)


def test_segments_are_kept_for_a_later_report(
    made: tuple[segments.Segmentation, Path], shop_of_two: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, models = made
    kept = segments.learned_segments(str(models / "segments"), **SAME)
    assert kept is not None
    assert kept.names == result.model.names
    assert segments.learned_segments(None, **SAME) is None
    with pytest.raises(ModelError, match=r"^nowhere/at/all holds no model"):  # as it was given, no path of the machine
        segments.learned_segments("nowhere/at/all", **SAME)
    with pytest.raises(ModelError, match=r"history_days is 90 here and was 300; currency is USD here and was EUR"):
        segments.learned_segments(str(models / "segments"), history_days=90, currency="USD")
    with pytest.raises(ModelError, match="holds a model of kind 'needs'"):
        segments.learned_segments(str(models / "needs"), **SAME)


def test_the_command_writes_a_list_and_says_what_it_did(
    made: tuple[segments.Segmentation, Path], shop_of_two: Dataset, tmp_path: Path
) -> None:
    _, models = made
    to = tmp_path / "scores.csv"
    done = CliRunner().invoke(main, ["score", str(models / "segments"), "shop", "--to", str(to)])
    assert done.exit_code == 0, done.output
    assert to.read_text(encoding="utf-8").startswith('"customer_id","segment","assigned_by"')
    assert "60 customers of shop" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["nowhere", "shop", "--to", "a.csv"], 5, "holds no model: model.skops and model.json are not there"),
        (["nowhere", "shop", "--to", "a.xls"], 2, "lists are written as .parquet or .csv"),
        (["nowhere", "shop"], 2, "Missing option '--to'"),
        (["nowhere", "shop", "--to", "a.csv", "--as-of", "yesterday"], 2, "Invalid value for '--as-of'"),
        (["nowhere", "shup", "--to", "a.csv"], 2, "did you mean 'shop'?"),
    ],
)
def test_wrong_arguments_are_told_with_their_exit_code(
    shop_of_two: Dataset, arguments: list[str], exit_code: int, message: str
) -> None:
    done = CliRunner().invoke(main, ["score", *arguments])
    assert (done.exit_code, message in done.output) == (exit_code, True), done.output


def test_a_day_outside_the_data_is_told(made: tuple[segments.Segmentation, Path], shop_of_two: Dataset) -> None:
    _, models = made
    arguments = ["score", str(models / "segments"), "shop", "--to", "a.csv", "--as-of", "2031-01-01"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "as_of is 2031-01-01" in done.output
