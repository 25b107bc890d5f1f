"""No number about too few customers is shown, nor follows from what is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from crm_analysis.tables.privacy.suppression import (
    NOT_SHOWN,
    averaged_points,
    hidden_rows,
    hidden_totals,
    left_out_in_words,
    shown_count,
    small,
    suppressed,
    suppressed_grid,
    suppressed_shares,
)

MIN_CELL = 5


def groups(customers: list[int]) -> pd.DataFrame:
    """A table by group, with columns of every kind."""
    names = [f"group {number}" for number in range(len(customers))]
    return pd.DataFrame(
        {
            "customers": customers,
            "spend": np.linspace(10.25, 99.75, len(customers)),
            "is_best": [number == 0 for number in range(len(customers))],
            "first_seen": pd.date_range("2024-01-01", periods=len(customers)),
            "rule": [f"spend over {number}" for number in customers],
        },
        index=pd.Index(names, name="group"),
    )


# Primary suppression


def test_a_cell_is_small_from_one_customer_to_one_below_the_least_number() -> None:
    assert small([0, 1, 4, 5, 900], min_cell=MIN_CELL).tolist() == [False, True, True, False, False]


def test_a_missing_count_is_taken_for_a_small_one() -> None:
    assert small(pd.Series([3, None, 7], dtype="Int64"), min_cell=MIN_CELL).tolist() == [True, True, False]


def test_public_data_have_no_small_cells() -> None:
    table = groups([1, 2, 0, 90])
    pd.testing.assert_frame_equal(suppressed(table, min_cell=1), table)
    grid = pd.DataFrame([[1, 2], [0, 9]])
    pd.testing.assert_frame_equal(suppressed_grid(grid, counts=grid, min_cell=1), grid)


def test_a_limit_below_one_is_a_coding_mistake() -> None:
    with pytest.raises(ValueError, match="got 0"):
        small([1], min_cell=0)


def test_without_a_total_only_small_rows_are_hidden() -> None:
    assert hidden_rows([40, 3, 9], min_cell=MIN_CELL, total=False).tolist() == [False, True, False]


def test_hidden_rows_lose_numbers_flags_and_times_but_keep_their_names() -> None:
    table = groups([40, 3, 9])
    shown = suppressed(table, min_cell=MIN_CELL)
    assert shown.index.tolist() == table.index.tolist()
    assert shown.loc["group 0"].tolist() == table.loc["group 0"].tolist()
    assert shown[["customers", "spend", "is_best", "first_seen"]].isna().all(axis=1).tolist() == [False, True, True]
    assert shown["rule"].tolist() == table["rule"].tolist()
    assert shown[["customers", "spend"]].round(2)["customers"].dtype == "Int64"


def test_texts_that_tell_are_hidden_and_columns_that_tell_nothing_can_stay() -> None:
    shown = suppressed(groups([40, 3, 9]), min_cell=MIN_CELL, telling=["rule", "group"], keep=["first_seen"])
    assert shown["rule"].tolist() == ["spend over 40", NOT_SHOWN, NOT_SHOWN]
    assert shown.index.tolist() == ["group 0", NOT_SHOWN, NOT_SHOWN]
    assert shown["first_seen"].notna().all()


def test_the_given_table_is_left_alone() -> None:
    table = groups([40, 3, 9])
    before = table.copy()
    suppressed(table, min_cell=MIN_CELL, telling=["rule"])
    pd.testing.assert_frame_equal(table, before)


# Complementary suppression, with a pencil


@pytest.mark.parametrize(
    ("customers", "hidden"),
    [
        ([40, 30, 9], []),
        ([40, 3, 9], [1, 2]),  # 52 - 40 - 9 would tell the 3
        ([40, 3, 2, 9], [1, 2]),  # the two are 5 together
        ([40, 2, 2, 9], [1, 2, 3]),  # the two are 4 together: 53 - 40 - 9 would tell of 4
        ([40, 1, 0, 9], [1, 3]),  # nobody hides nobody
        ([97, 3], [0, 1]),
        ([3], [0]),
        ([4, 4], [0, 1]),
    ],
)
def test_what_gives_a_small_row_away_is_hidden_with_it(customers: list[int], hidden: list[int]) -> None:
    assert np.flatnonzero(hidden_rows(customers, min_cell=MIN_CELL)).tolist() == hidden


def test_rows_that_may_share_customers_count_as_the_largest_of_them() -> None:
    assert hidden_rows([40, 3, 4, 9], min_cell=MIN_CELL).tolist() == [False, True, True, False]
    assert hidden_rows([40, 3, 4, 9], min_cell=MIN_CELL, disjoint=False).tolist() == [False, True, True, True]


def test_two_shares_are_both_hidden_where_one_is_small() -> None:
    shares = pd.Series({"buyers": 0.96, "others": 0.04})
    assert suppressed_shares(shares, [96, 4], min_cell=MIN_CELL).isna().all()
    assert suppressed_shares(shares, [48, 2], min_cell=1).tolist() == [0.96, 0.04]
    three = suppressed_shares(pd.Series([0.5, 0.47, 0.03]), [50, 47, 3], min_cell=MIN_CELL)
    assert three.isna().tolist() == [False, True, True]


def test_a_count_of_cases_is_judged_by_its_customers() -> None:
    assert shown_count(200, customers=4, min_cell=MIN_CELL) is None
    assert shown_count(200, customers=5, min_cell=MIN_CELL) == 200
    assert shown_count(0, customers=0, min_cell=MIN_CELL) == 0


def test_a_grid_hides_a_rectangle_around_a_small_cell() -> None:
    counts = pd.DataFrame(
        [[3, 20, 30], [25, 7, 40], [50, 60, 70]], index=["north", "south", "west"], columns=["web", "shop", "phone"]
    )
    shown = suppressed_grid(counts * 1.5, counts=counts, min_cell=MIN_CELL)
    hidden = shown.isna()
    assert hidden.loc["north", "web"]
    assert hidden.to_numpy().sum() == 4
    assert (hidden.sum(axis=0)[hidden.any(axis=0)] == 2).all()
    assert (hidden.sum(axis=1)[hidden.any(axis=1)] == 2).all()
    assert not any(series.any() for series in hidden_totals(counts, min_cell=MIN_CELL))


def test_totals_of_small_rows_are_named_too() -> None:
    counts = pd.DataFrame([[3, 0], [20, 30], [8, 40]], index=["tiny", "a", "b"])
    rows, columns = hidden_totals(counts, min_cell=MIN_CELL)
    assert rows.to_dict() == {"tiny": True, "a": False, "b": True}
    assert not columns.any()


def test_a_grid_of_another_shape_is_a_coding_mistake() -> None:
    with pytest.raises(ValueError, match=r"got \(1, 2\) and \(1, 1\)"):
        suppressed_grid(pd.DataFrame([[1, 2]]), counts=pd.DataFrame([[1]]), min_cell=MIN_CELL)


# What cannot be derived


@pytest.mark.parametrize("seed", range(40))
def test_no_hidden_row_follows_from_the_shown_ones_and_the_total(seed: int) -> None:
    rng = np.random.default_rng(seed)
    customers = np.where(rng.random(7) < 0.4, rng.integers(0, 6, 7), rng.integers(5, 60, 7))
    table = pd.DataFrame({"customers": customers, "spend": customers * rng.uniform(5, 9, 7)})
    shown = suppressed(table, min_cell=MIN_CELL)
    hidden = shown["customers"].isna().to_numpy()
    assert hidden[small(customers, min_cell=MIN_CELL)].all()
    equation = hidden.astype(float)[None, :]  # the hidden rows add up to the total less the shown ones
    for row in np.flatnonzero(hidden):
        alone = np.eye(len(customers))[[row]]
        assert np.linalg.matrix_rank(np.vstack([equation, alone])) > np.linalg.matrix_rank(equation)
    if hidden.any():
        assert customers[hidden].sum() >= MIN_CELL
        assert shown["spend"].isna().to_numpy()[hidden].all()


def sums_known(counts: pd.DataFrame, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The equations of hidden cells: those of rows and columns whose totals are shown, and of the grand total."""
    off_rows, off_columns = (series.to_numpy() for series in hidden_totals(counts, min_cell=MIN_CELL))
    cells = np.argwhere(hidden)
    lines = [cells[:, 0] == row for row in np.flatnonzero(~off_rows)]
    lines += [cells[:, 1] == column for column in np.flatnonzero(~off_columns)]
    equations = np.array([*lines, np.ones(len(cells), dtype=bool)], dtype=float)
    return equations, equations @ counts.to_numpy()[hidden]


@pytest.mark.parametrize("seed", range(30))
def test_no_hidden_cell_follows_from_the_shown_ones_and_the_totals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(2, 6)), int(rng.integers(2, 5)))
    numbers = np.where(rng.random(shape) < 0.25, rng.integers(0, 5, shape), rng.integers(5, 50, shape))
    counts = pd.DataFrame(numbers)
    hidden = suppressed_grid(counts, counts=counts, min_cell=MIN_CELL).isna().to_numpy()
    few = small(numbers, min_cell=MIN_CELL)
    assert hidden[few].all()
    if not hidden.any():
        return
    equations, values = sums_known(counts, hidden)
    for at in np.flatnonzero(few[hidden]):
        alone = np.zeros((1, equations.shape[1]))
        alone[0, at] = 1.0
        assert np.linalg.matrix_rank(np.vstack([equations, alone])) > np.linalg.matrix_rank(equations)
        bounds = [
            linprog(sign * alone[0], A_eq=equations, b_eq=values, bounds=(0, None)).fun * sign for sign in (1.0, -1.0)
        ]
        assert bounds[1] - bounds[0] > 0.5  # nor do counts that cannot be negative pin it down
    assert (values[equations.any(axis=1)] >= MIN_CELL).all()


def test_the_order_of_rows_does_not_matter_where_sizes_differ() -> None:
    counts = np.array([40, 3, 9, 17, 2])
    order = np.array([3, 0, 4, 2, 1])
    assert (
        hidden_rows(counts[order], min_cell=MIN_CELL).tolist() == hidden_rows(counts, min_cell=MIN_CELL)[order].tolist()
    )


# Pictures and words


@pytest.mark.parametrize("rows", [5, 9, 10, 37, 500])
def test_every_point_stands_for_enough_customers_and_none_is_lost(rows: int) -> None:
    rng = np.random.default_rng(rows)
    points = pd.DataFrame({"x": rng.normal(size=rows), "y": rng.exponential(size=rows)})
    means = averaged_points(points, min_cell=MIN_CELL)
    assert means["customers"].between(MIN_CELL, 2 * MIN_CELL - 1).all()
    assert means["customers"].sum() == rows
    weighted = means[["x", "y"]].mul(means["customers"], axis=0).sum() / rows
    np.testing.assert_allclose(weighted, points.mean())
    assert not means[["x", "y"]].isin(points.to_numpy().ravel()).any(axis=None)


def test_too_few_customers_have_no_point() -> None:
    assert averaged_points(pd.DataFrame({"x": [1.0, 2.0]}), min_cell=MIN_CELL).empty


def test_customers_who_are_alike_still_make_points() -> None:
    assert averaged_points(pd.DataFrame({"x": [2.0] * 23}), min_cell=MIN_CELL)["x"].eq(2.0).all()


def test_what_is_left_out_is_said_with_the_limit() -> None:
    whole, holed = pd.Series([7, 8]), pd.Series([7, None], dtype="Int64")
    assert left_out_in_words(MIN_CELL, whole, holed).startswith("Figures about fewer than 5 customers")
    assert left_out_in_words(MIN_CELL, whole) == ""
    assert left_out_in_words(1, holed) == ""
