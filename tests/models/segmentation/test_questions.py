"""Each question of the report is answered from a dataset's tables, or it is said why it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_analysis.features.customers import customer_features
from crm_analysis.models import segmentation as segments
from crm_analysis.models.segmentation.found import cut_customers
from crm_analysis.tables.datasets import Dataset, open_dataset

Write = Callable[..., str]
AS_OF = date(2024, 12, 31)
QUICK = {"seed": 0, "max_groups": 3, "min_stability": 0.8, "n_bootstraps": 5, "min_cell": 1}


def lines(*, days: int = 730, customers: int = 50, seed: int = 0) -> pd.DataFrame:
    """Customers who buy at rates and amounts of their own on the last days of 2023 and 2024."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2024-12-31") - pd.Timedelta(days=days - 1)
    rows = [
        (f"c{number:03d}", first + pd.Timedelta(days=int(day)), amount)
        for number in range(customers)
        for day in np.flatnonzero(rng.random(days) < 0.02 + 0.1 * rng.random())
        for amount in rng.gamma(4, 2.0 + number, 1).round(2)
    ]
    rows.append(("c000", pd.Timestamp("2024-12-31"), 9.5))
    table = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])
    return table.assign(occurred_at=table["occurred_at"].astype(str))


@pytest.fixture
def two_years(write_dataset: Write) -> Dataset:
    return open_dataset(write_dataset("years", transactions=lines()))


def segmented(source: Dataset, history_days: int) -> segments.Segmentation:
    features = customer_features(source.known(AS_OF), history_days=history_days)
    return segments.segment_customers(features, seed=0, n_bootstraps=5, max_segments=4)


def test_without_categories_there_are_no_needs_and_it_is_said_why(two_years: Dataset) -> None:
    needs = segments.customer_needs(two_years.known(AS_OF), "category", history_days=365, **QUICK)
    text = segments.needs_verdict(needs)
    assert "no value in column 'category'" in text
    assert needs.offered_profiles.empty
    assert {"slug", "customers"} <= set(needs.offered_profiles.columns)
    assert segments.needs_results(needs) == {"n_needs": None}


def test_movement_follows_the_same_segments_where_the_history_allows(two_years: Dataset) -> None:
    result = segmented(two_years, 365)
    moves = segments.customer_movement(two_years, result, as_of=AS_OF, movement_days=90, history_days=365, seed=0)
    assert (moves.as_of_before, moves.history_days) == (date(2024, 10, 2), 365)
    assert set(moves.order) <= set(result.labels)
    assert moves.n_after == len(result.labels)
    now = moves.matrix.sum(axis=0)
    sizes = result.labels.value_counts()
    assert {name: now[name] for name in sizes.index if name in now} == sizes.to_dict()
    assert "cut anew" not in " ".join(moves.notes)
    recorded = segments.movement_results(moves)
    assert recorded["share_changed"] == pytest.approx(moves.totals["share"]["changed"])


def test_where_the_data_begin_too_late_both_days_look_back_less_and_it_is_said(two_years: Dataset) -> None:
    result = segmented(two_years, 700)
    moves = segments.customer_movement(two_years, result, as_of=AS_OF, movement_days=90, history_days=700, seed=0)
    assert moves.history_days == (moves.as_of_before - two_years.first_day).days + 1 < 700
    assert f"look back {moves.history_days} days only, and customers are cut anew" in moves.notes[0]
    assert "agree with those above by an adjusted Rand index of" in moves.notes[0]


def test_where_the_data_are_too_short_there_is_no_movement_and_it_is_said_why(write_dataset: Write) -> None:
    short = open_dataset(write_dataset("short", transactions=lines(days=80)))
    result = segmented(short, 365)
    moves = segments.customer_movement(short, result, as_of=AS_OF, movement_days=90, history_days=365, seed=0)
    assert "Use a shorter movement_days" in segments.movement_verdict(moves)
    assert moves.segments.empty
    assert moves.moved.empty
    assert segments.movement_results(moves)["share_changed"] is None


def test_later_lines_change_no_earlier_answer(two_years: Dataset, write_dataset: Write) -> None:
    later = lines().assign(occurred_at=lambda table: table["occurred_at"].str.replace("2023-", "2026-"))
    longer = open_dataset(
        write_dataset("longer", transactions=pd.concat([lines(), later[later["occurred_at"] > "2026"]]))
    )
    one, other = (segmented(source, 365) for source in (two_years, longer))
    pd.testing.assert_series_equal(one.labels, other.labels)


def test_scores_of_the_grid_come_from_the_model_or_are_learned(two_years: Dataset) -> None:
    features = customer_features(two_years.known(AS_OF), history_days=365)
    model = segmented(two_years, 365).model
    pd.testing.assert_frame_equal(segments.rfm_scores(model, features), model.grid.score(features))
    plain = cut_customers(features.iloc[:3], n_parts=2, columns=["frequency"], seed=0)
    assert plain.grid is None
    assert segments.rfm_scores(plain, features.iloc[:3])["r_score"].tolist() == [3, 3, 3]  # three have no fifths


def test_a_cut_has_as_many_parts_as_asked_or_as_there_are_different_customers(two_years: Dataset) -> None:
    features = customer_features(two_years.known(AS_OF), history_days=365)
    assert cut_customers(features, n_parts=3, columns=segments.RFM, seed=0).label(features).nunique() == 3
    same = features.assign(frequency=4)
    assert set(cut_customers(same, n_parts=3, columns=["frequency"], seed=0).label(same)) == {"All customers"}


def test_the_query_says_what_it_rests_on(two_years: Dataset) -> None:
    query = segments.segment_sql(segmented(two_years, 365), dataset="years\nDROP TABLE x", as_of=AS_OF)
    assert query.startswith("-- Segments of years")
    assert "as of 2024-12-31" in query
    assert not any(line.startswith("DROP") for line in query.splitlines())


def test_what_too_few_buy_counts_among_the_others(write_dataset: Write) -> None:
    table = lines(customers=40).assign(category="bread")
    table.loc[table["customer_id"].isin([f"c{number:03d}" for number in range(20)]), "category"] = "milk"
    table.loc[table.index[5], "category"] = "hearing aids"
    source = open_dataset(write_dataset("rare", transactions=table, settings={"public": False}))
    needs = segments.customer_needs(source.known(AS_OF), "category", history_days=700, **{**QUICK, "min_cell": 5})
    assert "hearing aids" not in str(needs.offered_model.to_plain())
    assert {"bread", "milk"} <= set(needs.offered_model.levels)


def test_a_feature_nobody_had_at_the_earlier_day_gives_no_movement_and_the_reason(write_dataset: Write) -> None:
    cases = pd.DataFrame(
        {"case_id": ["1", "2"], "customer_id": ["c001", "c002"], "opened_at": ["2024-12-01 10:00", "2024-12-05 11:00"]}
    )
    source = open_dataset(write_dataset("late", transactions=lines(), service_cases=cases))
    features = customer_features(source.known(AS_OF), history_days=365)
    grouped_by = ["frequency", "service_contacts"]
    result = segments.segment_customers(features, seed=0, n_bootstraps=5, max_segments=3, columns=grouped_by)
    moves = segments.customer_movement(source, result, as_of=AS_OF, movement_days=90, history_days=365, seed=0)
    assert "service_contacts was not known of anybody yet" in segments.movement_verdict(moves)


def test_where_customers_began_after_the_days_that_leave_movement_is_still_told(write_dataset: Write) -> None:
    table = lines()
    late = table[table["occurred_at"] > "2024-03-15"].assign(customer_id=lambda part: "late" + part["customer_id"])
    customers = pd.DataFrame({"customer_id": [*table["customer_id"].unique(), *late["customer_id"].unique()]})
    customers["region"] = np.where(customers["customer_id"].str.startswith("late"), "new", "old")
    source = open_dataset(write_dataset("regions", transactions=pd.concat([table, late]), customers=customers))
    where = {"region": "new"}
    features = customer_features(source.known(AS_OF, where=where), history_days=365)
    result = segments.segment_customers(features, seed=0, n_bootstraps=5, max_segments=3)
    options = {"as_of": AS_OF, "movement_days": 90, "history_days": 365, "seed": 0, "where": where}
    assert segments.customer_movement(source, result, **options).n_after == len(features)


def test_a_handful_of_outliers_is_no_group_and_no_model_holds_one_customer() -> None:
    rng = np.random.default_rng(9)
    centres = np.repeat([[10.0, 40.0, 20.0], [200.0, 3.0, 90.0]], [200, 199], axis=0)
    values = np.vstack([centres * np.exp(rng.normal(scale=0.15, size=centres.shape)), [[1.0, 301.0, 91337.0]]])
    index = pd.Index([f"c{number}" for number in range(400)], name="customer_id")
    features = pd.DataFrame(values, columns=list(segments.RFM), index=index)
    result = segments.segment_customers(features, seed=0, n_bootstraps=5, max_segments=5, min_cell=10)
    assert result.n_segments == 2
    assert result.labels.value_counts().min() >= 10
    assert result.model.assigned_by == "nearest centre"
    centred = result.model.grouping.centres
    own = result.points.loc["c399"].to_numpy()
    assert np.abs(centred - own).max(axis=1).min() > 0.1
