"""RFM scores: edges learned once, ties kept together, and every pair of scores under exactly one name."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.rfm import (
    RFMGrid,
    check_grid,
    fit_rfm_grid,
    named_grid,
    rfm_cells,
    rfm_profiles,
    rfm_segments,
)

SCORES = ["r_score", "f_score", "m_score"]


def customers(rows):
    return pd.DataFrame(
        rows,
        columns=["recency_days", "frequency", "monetary_value"],
        index=pd.Index([f"c{number}" for number in range(len(rows))], name="customer_id"),
    )


def many(rows=2000, *, seed=0):
    rng = np.random.default_rng(seed)
    return customers(
        np.column_stack(
            [rng.integers(0, 365, rows), rng.geometric(0.6, rows), rng.lognormal(3, 1, rows).round(2)]
        ).tolist()
    )


@pytest.fixture
def ten():
    """Ten customers: two for each fifth in recency and money, six of whom bought once."""
    days = [0, 1, 10, 11, 20, 21, 30, 31, 40, 41]
    counts = [9, 1, 1, 1, 3, 1, 2, 1, 1, 2]
    money = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0]
    return customers(list(zip(days, counts, money, strict=True)))


def test_scores_can_be_checked_with_a_pencil(ten):
    scores = fit_rfm_grid(ten).score(ten)
    assert scores["r_score"].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores["m_score"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores["f_score"].tolist() == [5, 1, 1, 1, 5, 1, 4, 1, 1, 4]  # edges 1, 1, 1, 2
    assert scores["rfm_segment"].tolist() == [
        "Champions",
        "New customers",
        "Promising",
        "Promising",
        "Loyal customers",
        "About to sleep",
        "At risk",
        "Hibernating",
        "Hibernating",
        "At risk",
    ]


def test_edges_learned_once_make_months_compare(ten):
    grid = fit_rfm_grid(ten)
    later = ten.assign(recency_days=ten["recency_days"] + 30, monetary_value=ten["monetary_value"] * 3)
    assert (grid.score(later)["r_score"] <= grid.score(ten)["r_score"]).all()
    assert grid.score(later)["m_score"].tolist() == [2, 3, 5, 5, 5, 5, 5, 5, 5, 5]
    own = fit_rfm_grid(later).score(later)
    pd.testing.assert_frame_equal(own, grid.score(ten))  # learned anew, a change of all would not be seen
    alone = grid.score(ten.iloc[[6]])
    pd.testing.assert_frame_equal(alone, grid.score(ten).iloc[[6]])


def test_equal_customers_have_equal_scores_whatever_the_ties():
    features = many()
    assert (features["frequency"] == 1).mean() > 0.55
    scores = fit_rfm_grid(features).score(features)
    for feature, score in zip(features.columns, SCORES, strict=True):
        spans = scores[score].groupby(features[feature]).agg(["min", "max"])
        assert (spans["min"] == spans["max"]).all()
    assert scores[SCORES].isin(range(1, 6)).all(axis=None)
    assert set(scores.loc[features["frequency"] == 1, "f_score"]) == {1}
    assert scores.loc[features["frequency"] > 1, "f_score"].min() > 1
    assert np.allclose(scores["m_score"].value_counts(normalize=True), 0.2, atol=0.01)


def test_neither_order_nor_names_nor_currency_have_an_influence():
    features = many()
    expected = fit_rfm_grid(features).score(features)
    shuffled = features.sample(frac=1, random_state=0)
    assert fit_rfm_grid(shuffled).score(shuffled).loc[features.index].equals(expected)
    pence = features.assign(monetary_value=features["monetary_value"] * 100)
    assert fit_rfm_grid(pence).score(pence).equals(expected)
    dollars = features.assign(monetary_value=features["monetary_value"] * 1.0937)
    moved = fit_rfm_grid(dollars).score(dollars)  # edges are rounded in the other currency
    assert moved.drop(columns="m_score").equals(expected.drop(columns="m_score"))
    assert (moved["m_score"] == expected["m_score"]).mean() >= 0.99
    assert (moved["m_score"] - expected["m_score"]).abs().max() <= 1
    renamed = features.set_axis([f"客{number}" for number in range(len(features))])
    assert (fit_rfm_grid(renamed).score(renamed).to_numpy() == expected.to_numpy()).all()


def test_a_feature_that_is_the_same_for_all_ranks_nobody():
    same = customers([[3, 1, 9.0]] * 8)
    grid = fit_rfm_grid(same)
    scores = grid.score(same)
    assert (scores[SCORES] == 3).all(axis=None)
    assert set(scores["rfm_segment"]) == {"Need attention"}
    assert (grid.score(customers([[300, 50, 1.0]]))[SCORES] == 3).all(axis=None)


def test_fifths_need_five_customers(ten):
    with pytest.raises(TooFewRecordsError, match="Only 1 of the 5 customers"):
        fit_rfm_grid(ten.iloc[:1])
    with pytest.raises(TooFewRecordsError, match="0 customers"):
        fit_rfm_grid(ten.iloc[:0])
    assert len(fit_rfm_grid(ten).score(ten.iloc[:1])) == 1


@pytest.mark.parametrize("use", [fit_rfm_grid, lambda table: fit_rfm_grid(many()).score(table)])
def test_wrong_tables_are_told_with_counts(use, ten):
    holes = ten.astype(float)
    holes.iloc[[1, 2], 0] = np.nan
    holes.iloc[3, 2] = -np.inf
    with pytest.raises(DataQualityError, match="'recency_days' has 2 missing and 0 infinite") as caught:
        use(holes)
    assert len(caught.value.faults) == 2
    with pytest.raises(ModelError, match="lacks 1 of 3 columns"):
        use(ten.drop(columns="frequency"))
    with pytest.raises(DataQualityError, match="1 rows repeat a customer_id"):
        use(pd.concat([ten, ten.iloc[[0]]]))


def test_the_grid_goes_through_plain_arrays_unchanged(ten):
    grid = fit_rfm_grid(ten)
    stored = {name: edges.tolist() for name, edges in grid.to_arrays().items()}
    assert stored["frequency"] == [1.0, 1.0, 1.0, 2.0]
    assert RFMGrid.from_arrays(stored).score(ten).equals(grid.score(ten))
    for broken in ({}, stored | {"frequency": [1.0, 2.0]}, stored | {"frequency": [3.0, 2.0, 1.0, 0.0]}):
        with pytest.raises(ModelError, match="4 ascending numbers"):
            RFMGrid.from_arrays(broken)


# --- the named grid


def test_every_pair_of_scores_has_exactly_one_name():
    grid = named_grid()
    check_grid(grid)
    held = [
        (r, f)
        for _, cell in grid.iterrows()
        for r in range(cell["r_low"], cell["r_high"] + 1)
        for f in range(cell["f_low"], cell["f_high"] + 1)
    ]
    assert sorted(held) == [(r, f) for r in range(1, 6) for f in range(1, 6)]
    assert len(grid) == 10
    assert (grid[["meaning", "action"]] != "").all(axis=None)


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("At risk", "f_high", 3, r"R 1, F 4 lies in 0 rectangles"),
        ("Champions", "r_low", 4, r"R 4, F 4 lies in 2 rectangles: \['Champions', 'Loyal customers'\]"),
        ("Promising", "f_high", 6, "'Promising' is no rectangle within 1 to 5"),
        ("Promising", "r_low", 5, "'Promising' is no rectangle within 1 to 5"),
    ],
)
def test_a_broken_grid_is_found(name, column, value, message):
    broken = named_grid()
    broken.loc[name, column] = value
    with pytest.raises(ValueError, match=message):
        check_grid(broken)


def test_a_name_may_stand_in_the_grid_once():
    grid = named_grid().rename(index={"Promising": "At risk"})
    with pytest.raises(ValueError, match="'At risk' repeats"):
        check_grid(grid)


# --- profiles and cells


def test_profiles_add_up_and_keep_the_grids_order(ten):
    scores = fit_rfm_grid(ten).score(ten)
    profiles = rfm_profiles(ten, scores)
    assert profiles.index.tolist() == named_grid().index.tolist()
    assert profiles["customers"].sum() == 10
    assert profiles["share_of_customers"].sum() == pytest.approx(1)
    assert profiles["share_of_revenue"].sum() == pytest.approx(1)
    revenue = (ten["frequency"] * ten["monetary_value"]).sum()
    assert profiles.loc["At risk", "share_of_revenue"] == pytest.approx((2 * 70 + 2 * 100) / revenue)
    assert profiles.loc["At risk", "recency_days"] == 35.5
    assert profiles.loc["Need attention", "customers"] == 0
    by_spend = rfm_profiles(ten.assign(spend=1.0), scores)
    assert by_spend["share_of_revenue"].equals(by_spend["share_of_customers"])
    assert rfm_profiles(ten.assign(spend=0.0), scores)["share_of_revenue"].isna().all()


def test_small_segments_have_no_numbers_and_follow_from_nothing():
    features = many(400)
    scores = fit_rfm_grid(features).score(features)
    full = rfm_profiles(features, scores)
    told = rfm_profiles(features, scores, min_cell=30)
    is_small = full["customers"].between(1, 29)
    assert is_small.any()
    assert told.loc[is_small, "customers"].isna().all()
    assert full.loc[told["customers"].isna(), "customers"].sum() >= 30
    assert (told["action"] == full["action"]).all()


def test_cells_give_no_small_cell_away():
    features = many(400)
    scores = fit_rfm_grid(features).score(features)
    full, told = rfm_cells(scores), rfm_cells(scores, min_cell=12)
    assert full["customers"].sum() == 400
    assert len(full) == 25
    hidden = told["customers"].isna()
    assert hidden[full["customers"].between(1, 11)].all()
    assert 0 < hidden.sum() < 25
    by_name = hidden.groupby(told["rfm_segment"]).agg(["min", "max"])
    assert (by_name["min"] == by_name["max"]).all()  # a segment's total and all cells but one would give this one away
    totals = full.groupby("rfm_segment")["customers"].sum()
    shown = told.drop_duplicates("rfm_segment").set_index("rfm_segment")["segment_share"].dropna()
    assert ((shown * 400).round() == totals.loc[shown.index]).all()
    assert totals.drop(shown.index).sum() >= 12 or shown.size == totals.size
    profiles = rfm_profiles(features, scores, min_cell=12)
    assert profiles.index[profiles["customers"].notna()].difference(shown.index).empty


def test_profiles_and_cells_hide_the_same_of_equal_segments():
    pairs = {"Hibernating": (1, 1, 8), "Need attention": (3, 3, 8), "At risk": (1, 3, 3), "Champions": (5, 5, 40)}
    rows = [(r, f, 3, name) for name, (r, f, number) in pairs.items() for _ in range(number)]
    scores = pd.DataFrame(rows, columns=[*SCORES, "rfm_segment"])
    features = pd.DataFrame(1.0, index=scores.index, columns=["recency_days", "frequency", "monetary_value"])
    in_profiles = rfm_profiles(features, scores, min_cell=5)["customers"].isna()
    in_cells = rfm_cells(scores, min_cell=5).groupby("rfm_segment")["segment_share"].first().isna()
    assert in_profiles.sum() == 2
    assert in_profiles.sort_index().tolist() == in_cells.sort_index().tolist()


@pytest.mark.parametrize("factor", [1, 100])
def test_edges_of_money_are_no_customers_amount(factor):
    features = many(500)
    features["monetary_value"] = np.random.default_rng(2).lognormal(6, 1, 500).round(2) * factor
    grid = fit_rfm_grid(features)
    assert not np.isin(grid.monetary_value, features["monetary_value"]).any()
    assert grid.monetary_value.tolist() == [float(f"{edge:.3g}") for edge in grid.monetary_value]
    assert np.allclose(grid.score(features)["m_score"].value_counts(normalize=True), 0.2, atol=0.01)
    assert RFMGrid.from_arrays(grid.to_arrays()).score(features).equals(grid.score(features))


def test_customers_of_one_amount_stay_below_its_edge_and_close_amounts_apart():
    shared = many(200).assign(monetary_value=np.repeat([12.345, 99.987], 100))
    assert fit_rfm_grid(shared).score(shared)["m_score"].tolist() == [1] * 100 + [3] * 100
    close = many(200).assign(monetary_value=1_000_000 + np.arange(200) / 7)
    assert np.allclose(fit_rfm_grid(close).score(close)["m_score"].value_counts(normalize=True), 0.2, atol=0.01)
    below = many(200).assign(monetary_value=np.linspace(-90.1234, 0, 200))
    assert fit_rfm_grid(below).score(below)["m_score"].is_monotonic_increasing


def test_segments_are_those_of_the_grid_learned_on_the_same_customers() -> None:
    draws = np.random.default_rng(4)
    features = pd.DataFrame(
        {
            "recency_days": draws.integers(0, 90, 80),
            "frequency": draws.integers(1, 20, 80),
            "monetary_value": draws.gamma(2, 20, 80),
        },
        index=pd.Index([f"c{number}" for number in range(80)], name="customer_id"),
    )
    expected = fit_rfm_grid(features).score(features)["rfm_segment"]
    pd.testing.assert_series_equal(rfm_segments(features), expected)
    shuffled = features.sample(frac=1, random_state=0)
    pd.testing.assert_series_equal(rfm_segments(shuffled).sort_index(), expected.sort_index())
