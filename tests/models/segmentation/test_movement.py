"""Movement between segments is counted, bounded by intervals, free of small cells, and told in words that are true."""

from dataclasses import replace
from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.figures.display import alternative_text
from crm_analysis.figures.movement import plot_migration_flow, plot_migration_matrix
from crm_analysis.models.segmentation.movement import (
    leaving_day,
    movement_results,
    movement_verdict,
    movement_windows,
    no_movement,
    order_by_value,
    segment_movement,
)
from crm_analysis.models.segmentation.movement.disclosure import hidden_beside, shown_sums
from crm_analysis.models.segmentation.movement.matrix import parts_of, shown_parts
from crm_analysis.models.segmentation.movement.pairing import BACK, FIRST, LEFT, UNRANKED
from crm_analysis.tables.privacy.suppression import hidden_rows

BEFORE, AFTER, HISTORY = date(2024, 6, 1), date(2024, 8, 30), 180
ORDER = ["good", "fair", "low"]
QUICK = {
    "as_of_before": BEFORE,
    "as_of": AFTER,
    "history_days": HISTORY,
    "seed": 0,
    "n_bootstraps": 300,
    "n_draws": 40,
}


def by_spend(features):
    return pd.Series(np.select([features["spend"] >= 100, features["spend"] >= 10], ORDER[:2], "low"), features.index)


def table(spends, *, tenure=170, frequency=2, names="c"):
    """Customers of whom only the spend matters."""
    spends = np.asarray(spends, dtype=float)
    index = pd.Index([f"{names}{at:05d}" for at in range(len(spends))], name="customer_id")
    tenures = np.broadcast_to(np.asarray(tenure), len(spends))
    return pd.DataFrame(
        {
            "recency_days": 20,
            "frequency": frequency,
            "spend": spends,
            "monetary_value": spends / frequency,
            "tenure_days": tenures,
            "observed_days": np.minimum(HISTORY, tenures + 1),
        },
        index=index,
    )


def moved(before, after, **given):
    return segment_movement(before, after, by_spend, **{**QUICK, "order": ORDER, "min_cell": 1, **given})


@pytest.fixture
def pencil():
    """Of six customers two stay, one moves up, one down, one drops out, one drops a class; two arrive, one comes back."""
    before = table([500, 200, 50, 5, 20, 7])
    after = table([400, 50, 150, 6, 30, 300, 12, 3], tenure=[260, 260, 260, 260, 260, 10, 89, 400])
    after.index = [*before.index[:5], "n1", "n2", "b1"]
    return before, after.rename_axis("customer_id")


def test_customers_are_counted_from_where_to_where(pencil):
    movement = moved(*pencil)
    assert movement.matrix.loc["good"].to_list() == [1, 1, 0, 0]
    assert movement.matrix.loc["fair"].to_list() == [1, 1, 0, 0]
    assert movement.matrix.loc["low"].to_list() == [0, 0, 1, 1]
    assert movement.matrix.loc[FIRST].to_list() == [1, 1, 0, 0]
    assert movement.matrix.loc[BACK].to_list() == [0, 0, 1, 0]
    assert movement.matrix.columns.to_list() == [*ORDER, LEFT]
    assert (movement.n_before, movement.n_after) == (6, 8)


def test_directions_follow_the_order_and_bring_their_revenue(pencil):
    totals = moved(*pencil).totals
    assert totals["customers"].to_dict() == {
        "changed": 3, "up": 1, "stayed": 3, "down": 1, "left": 1, FIRST: 2, BACK: 1
    }  # fmt: skip
    assert totals["share"].round(3).to_list() == [0.5, 0.167, 0.5, 0.167, 0.167, 0.25, 0.125]
    assert totals["spend_before"].to_list() == [257, 50, 525, 200, 7, 0, 0]
    assert totals["spend_after"].to_list() == [200, 150, 436, 50, 0, 312, 3]
    assert totals["share_of_spend"]["down"] == pytest.approx(200 / 782)
    assert totals["share_of_spend"][FIRST] == pytest.approx(312 / 951)


def test_turning_the_order_round_turns_the_directions_round(pencil):
    totals = moved(*pencil, order=ORDER[::-1]).totals
    assert (totals["spend_before"]["up"], totals["spend_before"]["down"]) == (200, 50)


def test_segments_grow_by_what_comes_and_shrink_by_what_goes(pencil):
    segments = moved(*pencil).segments
    columns = ["before", "after", "stayed", "inflow", "outflow", "net"]
    assert segments[columns].to_numpy().tolist() == [[2, 3, 1, 2, 1, 1], [2, 3, 1, 2, 1, 1], [2, 2, 1, 1, 1, 0]]
    assert ((segments["net_low"] <= segments["net"]) & (segments["net"] <= segments["net_high"])).all()


def test_the_list_begins_with_whom_the_best_segment_lost(pencil):
    listed = moved(*pencil).moved
    assert listed.index.to_list() == ["c00001", "c00005", "c00002"]
    assert listed["direction"].to_list() == ["down", "left", "up"]
    assert listed.loc["c00001"].to_list() == ["good", "fair", "down", 200, 50]


def test_the_first_purchase_after_the_earlier_day_makes_a_new_customer():
    movement = moved(table([5]), table([5, 5], tenure=[89, 90], names="n"))
    assert movement.totals["customers"][[FIRST, BACK]].to_list() == [1, 1]


def test_intervals_are_those_of_resampled_customers():
    movement = moved(table([500] * 400), table([500] * 300 + [50] * 100), n_bootstraps=2000)
    cells = movement.cells.set_index(["from", "to"])
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert cells["share"][("good", "fair")] == 0.25
    assert cells["low"][("good", "fair")] == pytest.approx(0.25 - half, abs=0.006)
    assert cells["high"][("good", "fair")] == pytest.approx(0.25 + half, abs=0.006)
    assert movement.totals["high"]["changed"] == pytest.approx(0.25 + half, abs=0.006)


def test_a_flow_of_nobody_is_not_sure_to_be_none():
    cells = moved(table([500] * 100), table([500] * 100)).cells.set_index(["from", "to"])
    bound = 0.025 ** (1 / 100)
    assert cells["high"][("good", "low")] == pytest.approx(1 - bound)
    assert cells["low"][("good", "good")] == pytest.approx(bound)
    assert cells.loc[("low", "good"), ["share", "low", "high"]].isna().all()


def test_nobody_moved():
    movement = moved(table([500, 50, 5]), table([500, 50, 5]))
    assert movement.totals["share"]["stayed"] == 1
    assert movement.moved.empty
    assert "nobody has changed segment by 2024-08-30" in movement_verdict(movement)


def test_everybody_moved():
    movement = moved(table([500, 50, 50]), table([50, 5, 5]))
    assert movement.totals["share"][["changed", "down"]].to_list() == [1, 1]
    assert "100.0% are no longer in the same segment" in movement_verdict(movement)


def test_one_segment_leaves_nowhere_to_go():
    everybody = table([5] * 50)
    movement = segment_movement(
        everybody,
        everybody,
        lambda features: pd.Series("all", features.index),
        **{**QUICK, "order": ["all"], "min_cell": 1},
    )
    assert movement.totals["share"][["up", "down"]].to_list() == [0, 0]
    assert movement.matrix.shape == (3, 2)
    assert "There is only one segment, so that nobody can move up or down." in movement_verdict(movement)


def test_no_common_customers():
    movement = moved(table([500, 5]), table([500, 5], names="n"))
    assert movement.totals["customers"][["left", BACK]].to_list() == [2, 2]
    assert movement.totals["share"]["left"] == 1


def test_one_customer():
    movement = moved(table([500]), table([5]))
    assert movement.totals["customers"]["down"] == 1
    assert movement_verdict(movement).startswith("Of the 1 customer on 2024-06-01, 100.0% are no longer")


def test_nobody_left_at_the_later_day():
    movement = moved(table([500, 5]), table([]))
    assert movement.totals["customers"]["left"] == 2
    assert "dropped out" in movement_verdict(movement)


def test_nobody_at_the_earlier_day_is_an_error():
    with pytest.raises(TooFewRecordsError, match="Nobody bought"):
        moved(table([]), table([5]))


@pytest.mark.parametrize("side", [0, 1])
def test_a_customer_who_stands_there_twice_is_an_error(side):
    tables = [table([500, 5]), table([500, 5])]
    tables[side] = pd.concat([tables[side], tables[side].head(1)])
    with pytest.raises(DataQualityError, match="1 rows repeat a customer_id"):
        moved(*tables)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("spend", np.nan, "1 missing"),
        ("tenure_days", np.inf, "1 infinite"),
        ("frequency", 0, "1 of 2 customers have a frequency below 1"),
        ("recency_days", -1, "negative recency_days"),
    ],
)
def test_impossible_features_are_an_error(column, value, message):
    before = table([500, 5]).astype(float)
    before.iloc[0, before.columns.get_loc(column)] = value
    with pytest.raises(DataQualityError, match=message):
        moved(before, table([500, 5]))


def test_columns_that_movement_needs():
    with pytest.raises(ModelError, match="tenure_days"):
        moved(table([5]), table([5]).drop(columns="tenure_days"))


def test_a_segment_that_the_order_does_not_know_is_an_error():
    with pytest.raises(ModelError, match=r"1 segments that the order does not know: \['low'\]"):
        moved(table([5]), table([5]), order=["good", "fair"])


def test_a_customer_without_a_segment_is_an_error():
    with pytest.raises(ModelError, match="none"):
        segment_movement(
            table([5, 6]),
            table([5, 6]),
            lambda features: by_spend(features).head(1),
            **{**QUICK, "order": ORDER, "min_cell": 1},
        )


@pytest.mark.parametrize(
    "given",
    [{"as_of": BEFORE}, {"history_days": 0}, {"n_draws": 1}, {"n_bootstraps": 0}, {"order": [*ORDER, LEFT]}, {"order": ["low", *ORDER]}],
)  # fmt: skip
def test_impossible_settings_are_mistakes(given):
    with pytest.raises(ValueError, match="must"):
        moved(table([5]), table([5]), **given)


@pytest.fixture(scope="module")
def shop():
    """Two days of a shop of 300 customers with everything that can happen."""
    rng = np.random.default_rng(7)
    before = table(np.exp(rng.normal(3, 1.5, 300)).round(2), frequency=3)
    after = table((before["spend"] * np.exp(rng.normal(0, 1, 300))).round(2), frequency=3, tenure=260)
    new = table(np.exp(rng.normal(3, 1, 40)).round(2), tenure=rng.integers(0, 400, 40), names="n")
    return before, pd.concat([after.iloc[20:], new])


def compared(movement):
    yield from (movement.matrix, movement.cells, movement.totals, movement.segments)
    yield movement.chance.totals
    yield movement.chance.cells


def test_the_order_of_rows_and_names_change_nothing(shop):
    before, after = shop
    rng = np.random.default_rng(1)
    names = dict(zip(before.index.union(after.index), [f"x{at}" for at in rng.permutation(1000)], strict=False))
    other = [frame.rename(index=names).sample(frac=1, random_state=3) for frame in shop]
    for ours, theirs in zip(compared(moved(before, after)), compared(moved(*other)), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


def test_the_currency_changes_nothing_but_the_money(shop):
    pence = [frame.assign(spend=frame["spend"] * 128, monetary_value=frame["monetary_value"] * 128) for frame in shop]
    in_pounds = moved(*shop)
    in_pence = segment_movement(
        *pence,
        lambda features: by_spend(features.assign(spend=features["spend"] / 128)),
        **{**QUICK, "order": ORDER, "min_cell": 1},
    )
    pd.testing.assert_frame_equal(in_pounds.chance.cells, in_pence.chance.cells)
    pd.testing.assert_frame_equal(in_pounds.cells, in_pence.cells)
    pd.testing.assert_series_equal(in_pounds.totals["share_of_spend"], in_pence.totals["share_of_spend"])
    assert movement_verdict(in_pounds) == movement_verdict(in_pence)


def test_ties_are_shared_out_alike():
    before, after = table([50] * 60), table([50] * 30 + [5] * 30)
    turned = after.iloc[::-1].set_axis(after.index)
    for ours, theirs in zip(compared(moved(before, after)), compared(moved(before, turned)), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


def test_names_of_any_script_and_sign_are_kept():
    names = {"good": "Лучшие <b>", "fair": "$x_1$", "low": "低价值"}
    movement = segment_movement(
        table([500, 50, 5]),
        table([50, 50, 500]),
        lambda features: by_spend(features).map(names),
        **{**QUICK, "order": list(names.values()), "min_cell": 1},
    )
    assert movement.matrix.loc["Лучшие <b>", "$x_1$"] == 1
    assert movement.moved["from"].to_list() == ["Лучшие <b>", "低价值"]


def test_segments_are_ordered_by_what_a_customer_brings():
    features = table([1, 2, 30, 40, 1])
    assert order_by_value(features, pd.Series(["b", "b", "a", "a", "a"], features.index)) == ["a", "b"]
    assert order_by_value(features.iloc[[0, 4]], pd.Series(["z", "y"], features.index[[0, 4]])) == ["y", "z"]
    assert order_by_value(features, pd.Series(["b", "b", "noise", "noise", "a"], features.index)) == ["b", "a", "noise"]


# noise


def with_noise(before, after, order=("good", "noise", "low"), **given):
    names = {"good": "good", "fair": "noise", "low": "low"}
    return segment_movement(
        before,
        after,
        lambda features: by_spend(features).map(names),
        **{**QUICK, "order": order, "min_cell": 1, **given},
    )


@pytest.mark.parametrize("order", [("good", "noise", "low"), ("good", "low", "noise")])
def test_into_or_out_of_noise_is_neither_up_nor_down(order):
    before = table([500, 500, 500, 50, 50, 50, 50, 5, 5, 5])
    after = table([500, 50, 5, 500, 50, 5, 5, 500, 50])  # the last drops out
    movement = with_noise(before, after, order)
    seen = movement.totals["customers"]
    assert seen.drop([FIRST, BACK]).to_dict() == {
        "changed": 8, "up": 1, "stayed": 2, "down": 1, UNRANKED: 5, "left": 1
    }  # fmt: skip
    assert movement.totals["spend_before"][UNRANKED] == 500 + 3 * 50 + 5
    assert movement.moved["direction"].to_list() == ["down", "left", "up", *[UNRANKED] * 5]
    assert movement.chance.totals["seen"].to_dict() == pytest.approx(
        {"changed": 0.8, "up": 0.1, "down": 0.1, UNRANKED: 0.5, "left": 0.1}
    )
    assert (
        "10.0% moved up, 10.0% moved down, 50.0% went into or out of noise and 10.0% dropped out"
        in movement_verdict(movement)
    )
    assert movement_results(movement)["share_up"] == pytest.approx(0.1)


def test_the_flow_has_a_colour_of_its_own_for_noise():
    axes = plot_migration_flow(with_noise(table([500, 500, 50, 5]), table([50, 5, 5, 5])))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["stayed", "moved down", UNRANKED]
    assert "0% moved up, 25% stayed, 25% moved down, 50% went into or out of noise" in alternative_text(axes)
    plt.close(axes.figure)


def test_the_matrix_says_that_it_speaks_of_what_may_be_shown(shop):
    axes = plot_migration_matrix(hiding(judged(moved(*shop), "no more than chance", "no more than chance")))
    assert "Above chance: none that may be shown. Below chance: none that may be shown." in alternative_text(axes)
    plt.close(axes.figure)


def test_who_leaves_from_noise_drops_out():
    seen = with_noise(table([500, 50]), table([500])).totals["customers"]
    assert (seen["left"], seen[UNRANKED]) == (1, 0)


def test_one_segment_beside_noise_leaves_nowhere_to_go():
    movement = with_noise(table([500, 50]), table([50, 50]), ["good", "noise"])
    assert "There is only one segment, so that nobody can move up or down." in movement_verdict(movement)
    assert movement.totals["share"][["up", "down"]].to_list() == [0, 0]


def test_without_noise_nothing_is_said_of_it(pencil):
    movement = moved(*pencil)
    assert UNRANKED not in movement.totals.index
    assert "noise" not in movement_verdict(movement)


# small cells


def statements(movement):
    """Return every sum that is told, as cells it is over, and what it comes to."""
    counts = movement.matrix
    rows, columns = np.indices(counts.shape)
    n_segments = counts.shape[1] - 1
    told = [(rows < n_segments, movement.n_before), (columns < n_segments, movement.n_after)]
    for at, name in enumerate(movement.order):
        told += [(rows == at, movement.segments["before"][name]), (columns == at, movement.segments["after"][name])]
        told += [((rows == at) & (columns != at), movement.segments["outflow"][name])]
        told += [((columns == at) & (rows != at), movement.segments["inflow"][name])]
    told += [(part, movement.totals["customers"][name]) for name, part in parts_of(counts).items()]
    told += [
        ((rows == row) & (columns == column), counts.iloc[row, column])
        for row in range(counts.shape[0])
        for column in range(counts.shape[1])
    ]
    return [(part, int(number)) for part, number in told if not pd.isna(number)]


def planted_counts(seed):
    """Return movement of a matrix with many small cells, and the true counts."""
    rng = np.random.default_rng(seed)
    start = rng.choice(3, 160, p=[0.2, 0.4, 0.4])
    end = np.clip(start + rng.choice([-2, -1, 0, 1, 2], 160, p=[0.02, 0.08, 0.75, 0.12, 0.03]), 0, 3)
    spends = np.array([500.0, 50.0, 5.0, 0.0])
    before, after = table(spends[start]), table(spends[end])[end < 3]
    new = table(spends[rng.choice(3, 9)], names="n", tenure=rng.choice([10, 300], 9))
    truth = moved(before, pd.concat([after, new]))
    return moved(before, pd.concat([after, new]), min_cell=5), truth.matrix.to_numpy(dtype=float)


REVIEWED = [[40, 15, 40, 1], [3, 2, 0, 0], [3, 100, 15, 3], [40, 15, 0, 0], [8, 1, 3, 0]]


def moved_as(counts, **given):
    """Return movement of customers who fill the cells of a matrix of three segments."""
    spends, tenures = [500.0, 50.0, 5.0, 500.0, 500.0], [170, 170, 170, 20, 300]
    rows, columns = np.indices(np.shape(counts))
    start, end = (np.repeat(places.ravel(), np.ravel(counts)) for places in (rows, columns))
    later = np.take(tenures, start) + np.where(start < 3, 90, 0)
    before = table(np.take(spends, start))[start < 3]
    after = table(np.take([500.0, 50.0, 5.0, 0.0], end), tenure=later)[end < 3]
    return moved(before, after, **given)


def sizes_in_the_profiles(truth):
    """Return the sums over segments that a table of their sizes tells, at either day."""
    rows, columns = np.indices(truth.shape)
    n_segments = truth.shape[1] - 1
    sides = [(rows, truth.sum(axis=1)), (columns, truth.sum(axis=0))]
    return [
        (places == at, int(sizes[at]))
        for places, sizes in sides
        for at in np.flatnonzero(~hidden_rows(sizes[:n_segments], min_cell=5))
    ]


def follows(wanted, told):
    """Return whether a sum over cells is a combination of the sums told."""
    equations = np.array([part.ravel() for part, _ in told], dtype=float)
    return np.linalg.matrix_rank(np.vstack([equations, wanted.ravel()])) == np.linalg.matrix_rank(equations)


@pytest.mark.parametrize("case", [*range(8), "reviewed"])
def test_no_small_number_is_told_or_follows_from_what_is_told_or_known(case):
    if case == "reviewed":
        movement, truth = moved_as(REVIEWED, min_cell=5), np.array(REVIEWED, dtype=float)
    else:
        movement, truth = planted_counts(case)
    told = statements(movement) + sizes_in_the_profiles(truth)
    assert all(truth[part].sum() == number for part, number in told)
    assert not any(0 < number < 5 for _, number in told)
    rows, columns = np.indices(truth.shape)
    open_ones = [(rows == row) & (columns == column) for row, column in np.ndindex(truth.shape)]
    open_ones += [rows == row for row in range(5)] + [columns == column for column in range(4)]
    open_ones += [*parts_of(movement.matrix).values(), rows >= 3]
    small_ones = [part for part in open_ones if 0 < truth[part].sum() < 5]
    assert small_ones
    assert not any(follows(part, told) for part in small_ones)


def test_the_reviewed_matrix_is_the_one_that_was_moved():
    movement = moved_as(REVIEWED)
    assert movement.matrix.to_numpy().tolist() == REVIEWED


def test_cells_are_hidden_for_the_share_who_changed():
    movement = moved_as(REVIEWED, min_cell=5)
    assert movement.totals["customers"]["changed"] == 165
    assert movement.matrix.notna().to_numpy().sum() >= 10


def test_how_many_changed_or_arrived_does_not_follow_where_they_are_few():
    few_changed = moved_as([[60, 1, 0, 0], [0, 60, 1, 0], [1, 0, 60, 0], [9, 0, 0, 0], [0, 0, 0, 0]], min_cell=5)
    assert few_changed.totals["customers"][["changed", "stayed"]].isna().all()
    few_came = moved_as([[60, 9, 0, 9], [9, 60, 9, 9], [9, 0, 60, 9], [2, 0, 0, 0], [0, 0, 1, 0]], min_cell=5)
    told = statements(few_came)
    rows, _columns = np.indices((5, 4))
    assert not follows(rows >= 3, told)


def test_cells_of_nobody_are_hidden_only_when_no_others_are_left():
    counts, hidden = np.array([0.0, 2.0, 4.0, 30.0]), np.array([False, True, False, False])
    sums = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], dtype=bool)
    found = hidden_beside(counts, hidden, sums, known=np.array([True, True]), min_cell=5)
    assert found.tolist() == [False, True, True, False]
    nothing_helps = hidden_beside(counts[:2], hidden[:2], sums[:1, :2], known=np.array([True]), min_cell=5)
    assert nothing_helps.all()


def test_hidden_figures_are_hidden_in_chance_and_words_too():
    movement, _truth = planted_counts(0)
    hidden = movement.matrix.iloc[:3].isna().to_numpy().ravel()
    assert hidden.any()
    assert (
        movement.chance.cells.loc[hidden, ["seen", "expected", "low", "high", "expected_share"]].isna().all(axis=None)
    )
    assert (movement.chance.cells.loc[hidden, "against"] == "").all()
    seen = movement.chance.totals["seen"].dropna() * movement.n_before
    assert not ((seen > 0.5) & (seen < 4.5)).any()
    assert any("fewer than 5 customers" in note for note in movement.notes)


def test_too_few_at_all_say_nothing():
    movement = moved(table([500, 5, 5]), table([50, 5, 5]), min_cell=5)
    assert movement.totals["customers"].drop([FIRST, BACK]).replace(0, pd.NA).isna().all()
    assert "to say how many" in movement_verdict(movement)


def test_a_sum_that_would_tell_a_hidden_cell_is_given_up():
    counts, hidden = np.array([40.0, 9.0, 2.0, 30.0]), np.array([False, True, True, False])
    sums = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 1, 1]], dtype=bool)
    shown = shown_sums(counts, hidden, sums, candidates=np.ones(3, bool), known=np.array([1, 0, 0], bool), min_cell=5)
    assert shown.tolist() == [True, True, False]


def test_without_small_cells_everything_is_shown():
    counts = pd.DataFrame(np.full((4, 3), 9), index=["a", "b", FIRST, BACK], columns=["a", "b", LEFT])
    shown = shown_parts(counts, min_cell=5)
    assert shown.cells.all(axis=None)
    assert shown.rows.all()
    assert shown.columns.all()
    assert shown.totals.all()


# words


def test_the_paragraph_tells_it_in_order(shop):
    movement = moved(*shop)
    text = movement_verdict(movement)
    share = movement.totals["share"]
    assert text.startswith(
        f"Of the 300 customers on 2024-06-01, {share['changed']:.1%} are no longer in the same segment on 2024-08-30"
    )
    assert f"{share['up']:.1%} moved up, {share['down']:.1%} moved down and {share['left']:.1%} dropped out" in text
    assert "would have changed by chance alone" in text
    assert "Of the 320 customers on 2024-08-30," in text


def judged(movement, changed, flow):
    """Return the movement with another judgement of the whole and of the flow from good to fair."""
    totals, cells = movement.chance.totals.copy(), movement.chance.cells.copy()
    totals["against"] = [changed, *["no more than chance"] * 3]
    cells["against"] = "no more than chance"
    at = (cells["from"] == "good") & (cells["to"] == "fair")
    cells.loc[at, "against"] = flow
    cells.loc[at, ["seen", "expected", "low", "high"]] = [40, 20, 15, 25]
    return replace(movement, chance=replace(movement.chance, totals=totals, cells=cells))


@pytest.mark.parametrize(
    ("changed", "flow", "words"),
    [
        ("no more than chance", "no more than chance", "what is seen is no more than chance. No flow between two segments stands out."),
        ("more than chance", "more than chance", "more changed than chance explains. The excess is mostly from “good” to “fair” (40 customers, by chance 15 to 25). A season"),
        ("fewer than chance", "fewer than chance", "fewer changed than by chance. Fewer went than by chance from “good” to “fair”"),
        ("no more than chance", "more than chance", "no more than chance. More went than by chance from “good” to “fair”"),
    ],
)  # fmt: skip
def test_the_paragraph_says_how_it_stands_with_chance(shop, changed, flow, words):
    assert words in movement_verdict(judged(moved(*shop), changed, flow))


def test_of_hidden_flows_nothing_is_said(shop):
    movement = judged(moved(*shop), "no more than chance", "no more than chance")
    assert "No flow between two segments stands out." in movement_verdict(movement)
    assert "No flow between two segments that may be shown stands out." in movement_verdict(hiding(movement))
    more = judged(moved(*shop), "more than chance", "more than chance")
    assert "The excess is mostly from" in movement_verdict(more)
    assert "More went than by chance from" in movement_verdict(hiding(more))
    cells = more.chance.cells.assign(seen=21.0, expected=20.0)
    small = replace(more, chance=replace(more.chance, cells=cells, n_customers=300))
    assert "Only small flows between segments lie outside chance" in movement_verdict(small)
    assert "Of the flows between segments that may be shown, only small ones lie" in movement_verdict(hiding(small))


def hiding(movement):
    """Return the movement with one flow that is not shown."""
    cells = movement.chance.cells.copy()
    at = (cells["from"] == "low") & (cells["to"] == "good")
    cells.loc[at, "against"] = ""
    cells.loc[at, ["seen", "expected", "low", "high"]] = np.nan
    return replace(movement, chance=replace(movement.chance, cells=cells))


def test_features_that_cannot_be_rolled_forward_leave_chance_unknown(shop):
    movement = moved(*shop, columns=["recency_days", "channel_share"])
    assert movement.chance is None
    assert "could not be worked out" in movement_verdict(movement)
    assert any("channel share" in note for note in movement.notes)
    lacking = moved(*(frame.drop(columns="observed_days") for frame in shop))
    assert lacking.chance is None
    assert any("observed days" in note for note in lacking.notes)


def test_a_run_records_the_shares(pencil):
    recorded = movement_results(moved(*pencil))
    assert list(recorded) == ["share_changed", "share_up", "share_down", "share_left", "share_changed_by_chance"]
    assert (recorded["share_changed"], recorded["share_up"]) == (0.5, pytest.approx(1 / 6))
    assert 0 <= recorded["share_changed_by_chance"] <= 1
    hidden = movement_results(moved(*pencil, min_cell=5))
    assert hidden["share_up"] is None


def test_where_days_cannot_be_compared_the_reason_is_all_there_is(pencil):
    nothing = no_movement("The data are too short.", as_of_before=BEFORE, as_of=AFTER)
    assert movement_verdict(nothing) == "The data are too short."
    assert set(movement_results(nothing).values()) == {None}
    something = moved(*pencil)
    for name in ("cells", "totals", "segments", "moved"):
        assert list(getattr(nothing, name).columns) == list(getattr(something, name).columns)


def test_chance_may_lead_where_nobody_was_seen():
    # by rarity: the rule has a fourth segment for those who buy nothing for long, whom neither day holds
    def assign(features):
        return by_spend(features).mask(features["recency_days"] > 100, "silent")

    before = table([500, 50, 5] * 40)
    movement = segment_movement(before, before, assign, **{**QUICK, "order": ORDER, "min_cell": 1})
    totals = movement.chance.totals["expected"]
    assert totals["changed"] > totals[["up", "down", "left"]].sum() + 0.05


# days


def test_histories_are_cut_to_the_common_length():
    day = date(2017, 12, 31)
    assert movement_windows(date(2017, 1, 1), day, movement_days=90, history_days=365) == (date(2017, 10, 2), 275)
    assert movement_windows(date(2014, 1, 1), day, movement_days=90, history_days=365) == (date(2017, 10, 2), 365)


@pytest.mark.parametrize(("movement_days", "history_days"), [(310, 365), (200, 365), (30, 59), (400, 365)])
def test_too_short_a_common_history_is_an_error(movement_days, history_days):
    with pytest.raises(TooFewRecordsError, match="shorter movement_days"):
        movement_windows(date(2017, 1, 1), date(2017, 12, 31), movement_days=movement_days, history_days=history_days)


def test_days_must_be_at_least_one():
    with pytest.raises(ValueError, match="at least 1"):
        movement_windows(date(2017, 1, 1), date(2017, 12, 31), movement_days=0, history_days=365)


def test_the_days_that_leave_end_where_the_later_history_begins():
    last = leaving_day(BEFORE, movement_days=90, history_days=HISTORY)
    assert last + timedelta(days=1) == AFTER - timedelta(days=HISTORY - 1)
    assert leaving_day(BEFORE, movement_days=90, history_days=90) is None
