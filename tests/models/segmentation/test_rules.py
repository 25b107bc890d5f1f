"""Rules: one a segment, without overlaps or gaps, as good as is said, and the same for a customer alone."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.tree import DecisionTreeClassifier

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.describing.conditions import Bound, meets, quantity
from crm_analysis.models.segmentation.describing.profiles import segment_profiles
from crm_analysis.models.segmentation.describing.rules import (
    FIT_CUSTOMERS,
    MAX_LEAVES,
    NO_RULE,
    SegmentRules,
    fit_segment_rules,
    segment_rules,
    surrogate_fidelity,
)
from crm_analysis.models.segmentation.describing.simplifying import simplified
from crm_analysis.models.segmentation.describing.surrogate import Node, coded, improved, predicted, thresholds

RFM = ["recency_days", "frequency", "monetary_value"]


def customers(rows=1500, *, seed=0):
    """Customers of one mass, whose frequency and recency hang together."""
    rng = np.random.default_rng(seed)
    active = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "recency_days": np.floor(np.exp(3 - active + rng.normal(scale=0.7, size=rows))),
            "frequency": np.ceil(np.exp(1.5 + active + rng.normal(scale=0.5, size=rows))),
            "monetary_value": np.exp(3 + rng.normal(scale=0.6, size=rows)).round(2),
        },
        index=pd.Index([f"c{number}" for number in range(rows)], name="customer_id"),
    )


def cut(features, groups):
    """K-Means groups, in logarithms, as they are found in the package."""
    points = np.log1p(features.to_numpy())
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    numbers = KMeans(groups, n_init=3, random_state=0).fit_predict(points)
    return pd.Series(numbers, index=features.index).map(lambda number: f"Group {number}").astype("str")


@pytest.fixture(scope="module")
def four():
    features = customers()
    labels = cut(features, 4)
    return features, labels, fit_segment_rules(features, labels, seed=0)


def test_every_customer_meets_the_rule_of_exactly_one_segment(four):
    features, labels, rules = four
    assert len(rules.leaves) <= MAX_LEAVES
    anybody = pd.DataFrame(np.random.default_rng(1).lognormal(2, 3, size=(5000, 3)), columns=RFM)
    for table in (features, anybody, anybody * [1, -1, -1]):
        met = pd.DataFrame({name: np.zeros(len(table), dtype=bool) for name in rules.segments})
        for segment, box in rules.leaves:
            met[segment] |= meets(table, box)
        assert (met.sum(axis=1) == 1).all()
        assert (met.idxmax(axis=1).to_numpy() == rules.label(table).to_numpy()).all()
    assert (rules.label(features) == labels).mean() >= rules.fidelity - 0.02


def test_a_customer_alone_has_the_same_segment_as_in_the_batch(four):
    features, _, rules = four
    together = rules.label(features)
    assert all(rules.label(features.iloc[[at]]).iloc[0] == together.iloc[at] for at in range(0, len(features), 97))
    assert together.index.equals(features.index)
    assert rules.label(features.iloc[:0]).empty


def test_the_table_can_be_checked_with_a_pencil():
    features = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    leaves = (("A", {"x": Bound(high=3.5)}), ("B", {"x": Bound(low=3.5, high=5.5)}), ("B", {"x": Bound(low=5.5)}))
    rules = SegmentRules(("x",), (), ("A", "B", "C"), leaves, 0.5)
    table = rules.table(features, pd.Series(["A", "A", "B", "B", "C", "A"])).set_index("segment")
    assert table["rule"].tolist() == ["x: at most 3.5", "x: more than 3.5, at most 5.5; or x: more than 5.5", NO_RULE]
    assert table["customers"].tolist() == [3, 3, 0]
    assert table["agreement"].tolist()[:2] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert table["coverage"].tolist() == [pytest.approx(2 / 3), pytest.approx(1 / 2), 0]


def test_fidelity_is_measured_on_customers_the_rules_have_not_seen():
    features = customers(600)
    chance = pd.Series(np.random.default_rng(3).choice(["A", "B"], 600), index=features.index)
    fitted = fit_segment_rules(features, chance, seed=0)
    assert (fitted.label(features) == chance).mean() > 0.55  # a tree always finds something in what it has seen
    assert fitted.fidelity < 0.55
    assert surrogate_fidelity(features, chance, seed=0) == fitted.fidelity


def test_rules_beat_a_plain_tree_where_borders_are_slanted(four):
    features, labels, rules = four
    plain = np.mean(
        [
            DecisionTreeClassifier(max_leaf_nodes=12, min_samples_leaf=8, random_state=0)
            .fit(features[fold != part], labels[fold != part])
            .score(features[fold == part], labels[fold == part])
            for fold in [np.random.default_rng(0).permutation(len(features)) % 5]
            for part in range(5)
        ]
    )
    assert rules.fidelity > plain + 0.01
    assert any("frequency_per_recency" in box for _, box in rules.leaves)


def test_combinations_are_left_alone_where_features_do():
    features = customers()
    labels = pd.Series(np.where(features["frequency"] > 3, "Often", "Seldom"), index=features.index)
    rules = fit_segment_rules(features, labels, seed=0)
    assert rules.fidelity == 1
    assert {name for _, box in rules.leaves for name in box} == {"frequency"}
    assert rules.words()["Often"] == "purchase days: at least 4"


def test_no_leaf_is_small(four):
    features, labels, _ = four
    rules = fit_segment_rules(features, labels, seed=0, min_cell=40)
    assert min(int(meets(features, box).sum()) for _, box in rules.leaves) >= 40


def test_neither_order_nor_names_nor_pence_have_an_influence(four):
    features, labels, rules = four
    order = np.random.default_rng(5).permutation(len(features))
    shuffled = features.iloc[order].set_axis([f"x{number}" for number in range(len(features))])
    again = fit_segment_rules(shuffled, labels.iloc[order].set_axis(shuffled.index), seed=0)
    assert again.to_dict() == rules.to_dict()
    pence = fit_segment_rules(features.assign(monetary_value=features["monetary_value"] * 100), labels, seed=0)
    assert pence.fidelity == pytest.approx(rules.fidelity, abs=0.003)
    in_pence = pence.label(features.assign(monetary_value=features["monetary_value"] * 100))
    assert (in_pence == rules.label(features)).mean() > 0.99


def test_more_customers_than_are_fitted_are_all_counted():
    features = customers(FIT_CUSTOMERS + 2000)
    labels = pd.Series(np.where(features["recency_days"] > 20, "Lapsed", "Recent"), index=features.index)
    table = segment_rules(features, labels, seed=0)
    assert table["customers"].sum() == len(features)
    assert (table["agreement"] == 1).all()


def test_rules_go_through_json_unchanged(four):
    features, _, rules = four
    again = SegmentRules.from_dict(json.loads(json.dumps(rules.to_dict(), allow_nan=False)))
    assert again == rules
    pd.testing.assert_series_equal(again.label(features), rules.label(features))


@pytest.mark.parametrize(
    "change",
    [
        {"leaves": [{"segment": "A"}]},
        {"leaves": None},
        {"fidelity": None},
        {"leaves": [{"segment": "A", "bounds": {"age": [None, 3.0]}}]},
        {"leaves": [{"segment": "Z", "bounds": {}}]},
        {"leaves": [{"segment": "A", "bounds": {"x": [1.0]}}]},
    ],
)
def test_stored_rules_that_cannot_be_applied_say_so(change):
    sound = {"columns": ["x"], "whole": [], "segments": ["A"], "leaves": [], "fidelity": 1.0}
    with pytest.raises(ModelError, match=r"Stored rules .* again"):
        SegmentRules.from_dict(sound | change)


def test_customers_who_cannot_be_placed_are_counted(four):
    features, _, rules = four
    holes = features.copy()
    holes.iloc[[3, 4, 5], 0] = np.nan
    holes.iloc[6, 2] = np.inf
    with pytest.raises(ModelError, match=r"'recency_days' in 3, 'monetary_value' in 1 of 1,500 customers"):
        rules.label(holes)
    with pytest.raises(ModelError, match=r"lacks 1 of 3 columns that the rules ask for: \['frequency'\]"):
        rules.label(features.drop(columns="frequency"))
    with pytest.raises(ModelError, match=r"none\. Convert"):
        rules.label(features.astype({"frequency": "str"}))
    with pytest.raises(ModelError, match=r"divide by 'recency_days' \+ 1, but 1,500 of 1,500 values are below 0"):
        rules.label(features.assign(recency_days=-3.0))


def test_one_segment_one_customer_and_nobody():
    alone = pd.DataFrame({"frequency": [2.0]})
    everybody = fit_segment_rules(alone, pd.Series(["Alle Kunden"]), seed=0)
    assert everybody.words().to_dict() == {"Alle Kunden": "every customer"}
    assert everybody.fidelity == 1
    assert everybody.label(pd.DataFrame({"frequency": [9.0, 1.0]})).tolist() == ["Alle Kunden"] * 2
    with pytest.raises(TooFewRecordsError, match="0 customers"):
        fit_segment_rules(alone.iloc[:0], pd.Series([], dtype="str"), seed=0)
    two = fit_segment_rules(pd.DataFrame({"x": [1.0, 2.0]}), pd.Series(["a", "b"]), seed=0)
    assert two.label(pd.DataFrame({"x": [1.0, 2.0]})).tolist() == ["a", "b"]


def test_labels_may_come_in_another_order_but_features_must_be_whole(four):
    features, labels, rules = four
    assert fit_segment_rules(features, labels.sample(frac=1, random_state=0), seed=0) == rules
    holes = features.copy()
    holes.iloc[:2, 1] = [np.nan, np.inf]
    with pytest.raises(DataQualityError, match="'frequency' has 1 missing and 1 infinite values"):
        fit_segment_rules(holes, labels, seed=0)
    with pytest.raises(DataQualityError, match="1 rows repeat a customer_id"):
        fit_segment_rules(pd.concat([features, features.iloc[[0]]]), labels, seed=0)


def test_customers_who_are_all_the_same_get_the_commoner_segment():
    features = pd.DataFrame({"recency_days": np.ones(20), "frequency": np.ones(20), "monetary_value": np.ones(20)})
    labels = pd.Series(["A"] * 15 + ["B"] * 5)
    rules = fit_segment_rules(features, labels, seed=0)
    assert set(rules.label(features)) == {"A"}
    assert rules.fidelity == 0.75
    assert rules.words()["B"] == NO_RULE


def test_a_segment_about_too_few_has_neither_rule_nor_numbers():
    features = pd.DataFrame({"x": np.arange(60.0)})
    labels = pd.Series(["A"] * 37 + ["B"] * 20 + ["Ω"] * 3)
    table = segment_rules(features, labels, seed=0, min_cell=5).set_index("segment")
    assert table["customers"].isna().tolist() == [False, True, True]
    assert set(table["rule"].iloc[1:]) == {"not shown"}
    assert table.loc[["B", "Ω"], ["agreement", "coverage"]].isna().all(axis=None)


def test_names_of_any_kind_are_kept():
    features = pd.DataFrame({"x": np.arange(40.0)})
    labels = pd.Series(["Käufer „selten“"] * 20 + ["常客 'A' \\"] * 20)
    rules = fit_segment_rules(features, labels, seed=0)
    assert rules.label(features).tolist() == labels.tolist()


# --- simplification and the tree


def random_leaves(rng, *, depth=4):
    """Leaves of a random tree over two features and two segments."""

    def grow(box, left):
        name = str(rng.choice(["x", "y"]))
        old = box.get(name, Bound())
        low, high = max(old.low, 0), min(old.high, 10)
        if not left or high - low < 1:
            return [(str(rng.choice(["A", "B"])), box)]
        at = float(rng.uniform(low, high))
        lower, upper = {**box, name: Bound(old.low, at)}, {**box, name: Bound(at, old.high)}
        return grow(lower, left - 1) + grow(upper, left - 1)

    return grow({}, depth)


def test_simpler_rules_say_the_same():
    rng = np.random.default_rng(0)
    points = pd.DataFrame(rng.uniform(-1, 11, size=(400, 2)), columns=["x", "y"])
    shorter = 0
    for _ in range(40):
        leaves = random_leaves(rng)
        simple = simplified(leaves)
        for segment in {name for name, _ in leaves}:
            told, meant = (
                np.any([meets(points, box) for name, box in rules if name == segment], axis=0)
                for rules in (leaves, simple)
            )
            assert (told == meant).all()
        shorter += len(simple) < len(leaves)
    assert shorter > 20


def test_an_improved_tree_is_never_worse_and_finds_what_greed_misses():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 8, size=(400, 2))
    target = ((codes[:, 0] > 3) ^ (codes[:, 1] > 3)).astype(np.intp)  # greed sees nothing to gain in the first split
    start = Node(0, 0, 0, Node(0, 1, 1, Node(0), Node(1)), Node(0, 1, 5, Node(1), Node(0)))
    better = improved(start, codes, target, least=5)
    assert (predicted(better, codes) == target).all()
    assert (predicted(start, codes) == target).mean() < 0.9


def test_thresholds_are_short_and_part_the_customers():
    rng = np.random.default_rng(0)
    money = thresholds(rng.lognormal(3, 1, size=5000))
    assert 300 < len(money) <= 512
    assert all(len(f"{value:.4g}") <= 9 and value == float(f"{value:.4g}") for value in money)
    assert thresholds(np.array([3.0, 3.0])).size == 0
    close = thresholds(1e6 + rng.uniform(size=500))
    assert len(close) > 50  # four digits would see one number
    values = pd.DataFrame({"x": [1.0, 2.5, 2.6, 9.0]})
    assert coded(values, [np.array([1.0, 2.5])]).ravel().tolist() == [0, 1, 2, 2]


def test_a_combination_is_compared_as_it_is_computed():
    rng = np.random.default_rng(0)
    features = pd.DataFrame({"recency_days": rng.integers(0, 400, 20_000), "frequency": rng.integers(1, 60, 20_000)})
    for threshold in (0.07, 0.29, 0.35, 1.1, 4.0):
        flags = meets(features, {"frequency_per_recency": Bound(low=threshold)})
        exact = 100 * features["frequency"] > round(100 * threshold) * (features["recency_days"] + 1)
        assert (flags == exact).all()
        assert (flags == (quantity(features, "frequency_per_recency") > threshold)).mean() > 0.999


def test_rules_hide_what_the_profiles_hide_also_where_a_segments_own_rule_reaches_fewer():
    features = pd.DataFrame({"x": np.arange(62.0)})
    labels = pd.Series(["A"] * 3 + ["B"] * 9 + ["C"] * 10 + ["D"] * 40)
    leaves = (
        ("A", {"x": Bound(high=2.5)}),
        ("B", {"x": Bound(low=2.5, high=11.5)}),
        ("C", {"x": Bound(low=11.5, high=18.5)}),  # seven of ten
        ("D", {"x": Bound(low=18.5)}),
    )
    table = SegmentRules(("x",), (), ("A", "B", "C", "D"), leaves, 1.0).table(features, labels, min_cell=5)
    hidden = set(table.loc[table["customers"].isna(), "segment"])
    profiles = segment_profiles(features, labels, ["x"], min_cell=5)
    assert hidden == set(profiles.index[profiles["customers"].isna()]) == {"A", "B"}


def test_a_rule_that_too_few_meet_is_not_shown_though_none_of_them_is_in_the_segment():
    features = pd.DataFrame({"x": np.arange(60.0)})
    leaves = (("A", {"x": Bound(high=2.5)}), ("B", {"x": Bound(low=2.5, high=29.5)}), ("C", {"x": Bound(low=29.5)}))
    labels = pd.Series(["B"] * 30 + ["C"] * 20 + ["A"] * 10)
    table = SegmentRules(("x",), (), ("A", "B", "C"), leaves, 1.0).table(features, labels, min_cell=5)
    assert table["customers"].isna().tolist() == [True, True, False]
