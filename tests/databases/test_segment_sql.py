"""Rules as a query on real servers: the same segment for every customer as in the package."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from crm_analysis.features.purchases import purchase_features
from crm_analysis.models.segmentation.describing.conditions import Bound
from crm_analysis.models.segmentation.describing.rules import SegmentRules, fit_segment_rules
from crm_analysis.models.segmentation.grouping.kmeans import fit_kmeans
from crm_analysis.models.segmentation.preparing.scaling import checked_features, fit_scaling
from crm_analysis.tables.datasets import open_dataset
from tests.databases.conftest import Server
from tests.models.segmentation.segment_queries import HARD_TEXTS, labels_by, rules_with_everything

ROWS_A_STATEMENT = 1000


def put(server: Server, table: str, features: pd.DataFrame, *, mark: str = '"') -> None:
    """Put features into a table of a server."""
    kinds = {"i": "BIGINT", "f": "DOUBLE PRECISION"}
    names = [mark + name.replace(mark, 2 * mark) + mark for name in features.columns]
    columns = [f"{name} {kinds[dtype.kind]}" for name, dtype in zip(names, features.dtypes, strict=True)]
    server.run(f"CREATE TABLE {table} (customer_id VARCHAR(40), {', '.join(columns)})")
    rows = [
        f"('{customer}', {', '.join(repr(value) for value in row)})"
        for customer, row in zip(
            features.index, zip(*(features[name].tolist() for name in features), strict=True), strict=True
        )
    ]
    server.run(
        *(
            f"INSERT INTO {table} VALUES {', '.join(rows[at : at + ROWS_A_STATEMENT])}"
            for at in range(0, len(rows), ROWS_A_STATEMENT)
        )
    )


def test_postgresql_gives_the_labels_of_the_rules(postgres: Server) -> None:
    rules, features = rules_with_everything()
    put(postgres, "customer_features_of_rules", features)
    query = rules.to_sql(table="customer_features_of_rules", comment="on PostgreSQL")
    pd.testing.assert_series_equal(labels_by(postgres.run(query), features.index), rules.label(features))


def test_mariadb_gives_the_labels_of_the_rules(mariadb: Server) -> None:
    rules, features = rules_with_everything()
    put(mariadb, "customer_features_of_rules", features, mark="`")
    query = rules.to_sql(table="customer_features_of_rules", comment="on MariaDB", backticks=True)
    pd.testing.assert_series_equal(labels_by(mariadb.run(query), features.index), rules.label(features))


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_hard_texts_come_back_as_they_went(engine: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(engine)
    features = pd.DataFrame({"x": range(len(HARD_TEXTS))}, index=[f"c{at}" for at in range(len(HARD_TEXTS))])
    leaves = tuple((text, {"x": Bound(at - 0.5, at + 0.5)}) for at, text in enumerate(HARD_TEXTS))
    rules = SegmentRules(("x",), (), tuple(HARD_TEXTS), leaves, 1.0)
    put(server, "hard_texts", features, mark="`" if engine == "mariadb" else '"')
    query = rules.to_sql(table="hard_texts", backticks=engine == "mariadb")
    assert labels_by(server.run(query), features.index).tolist() == HARD_TEXTS


@pytest.mark.parametrize(
    "threshold", [27.13, -3.5, 1 / 3, 0.1 + 0.2, 1e-7, 5e-300, 1.5e300, 1234567890123456.7, 4e15], ids=str
)
@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_servers_read_thresholds_to_the_last_digit(
    engine: str, threshold: float, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(engine)
    leaves = (("A", {"x": Bound(low=threshold)}), ("B", {"x": Bound(high=threshold)}))
    rules = SegmentRules(("x",), (), ("A", "B"), leaves, 1.0)
    features = pd.DataFrame({"x": [threshold * (1 - 2e-16), threshold, threshold * (1 + 3e-16)]}, index=list("abc"))
    table = f"at_{abs(hash(threshold))}"
    put(server, table, features, mark="`" if engine == "mariadb" else '"')
    assert labels_by(server.run(rules.to_sql(table=table)), features.index).tolist() == rules.label(features).tolist()


@pytest.mark.parametrize(
    ("name", "history_days", "groups"),
    [("complete_journey", 365, 4), ("cdnow_sample", 546, 8), ("online_retail", 365, 7)],
)
def test_real_customers_are_labelled_alike_everywhere(
    name: str, history_days: int, groups: int, test_data: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_DATA", str(test_data))
    dataset = open_dataset(name)
    features = checked_features(purchase_features(dataset.known(dataset.day(None)), history_days=history_days))
    points = fit_scaling(features).apply(features)
    labels = pd.Series(fit_kmeans(points.to_numpy(), groups, seed=0).labels_, index=features.index).astype("str")
    rules = fit_segment_rules(features, labels, seed=0)
    expected = rules.label(features)
    put(postgres, f"features_{name}", features)
    query = rules.to_sql(table=f"features_{name}")
    pd.testing.assert_series_equal(labels_by(postgres.run(query), features.index), expected)
    with duckdb.connect() as connection:
        connection.register(f"features_{name}", features.reset_index(names="customer_id"))
        pd.testing.assert_series_equal(labels_by(connection.execute(query).fetchall(), features.index), expected)
    assert rules.fidelity >= 0.9
